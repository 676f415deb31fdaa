//! The Metropolis algorithm.

use linalg_core::rand::{Rng, RngExt};
use linalg_core::rng::uniform_open01;

use super::acceptance::{EXPONENTIAL, Squeeze};
use super::order::Order;
use crate::model::{CachedModel, DiscreteModel, MarkovKernel, SweepStats};

/// The Metropolis algorithm: a flip is accepted with [`min(1, e^{-βΔE})`](super::metropolis_acceptance), a tie with ½.
///
/// One random number an attempt (two in random order); the exponential is computed for about one attempt in ten
/// thousand. At high temperature nearly every flip is accepted, and sweeps in a fixed order then decorrelate slowly:
/// [`HeatBath`](super::HeatBath) is the better choice there. A NaN energy difference keeps the spin. `beta` is not
/// checked; negative values sample the negative temperature.
///
/// ```
/// use spin_models::mcmc::{Metropolis, Order};
/// use spin_models::{CachedModel, Ising, MarkovKernel};
/// use linalg_core::Streams;
///
/// let pair = Ising::builder(2).coupling(0, 1, 1.0).build()?;
/// let mut rng = Streams::new(1).stream(0);
/// let (mut s, mut cache) = ([1, -1], pair.cache(&[1, -1]));
/// let mut aligned = 0;
/// for _ in 0..10_000 {
///     Metropolis::new(Order::Sequential).sweep(&pair, 0.5, &mut s, &mut cache, &mut rng);
///     aligned += u32::from(s[0] == s[1]);
/// }
/// // P(aligned) = e^β / (2 cosh β) = 1 / (1 + e^{-1}) = 0.731
/// assert!((f64::from(aligned) / 1e4 - 0.731).abs() < 0.02);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// Reference: N. Metropolis et al., J. Chem. Phys. 21, 1087 (1953).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Metropolis {
    order: Order,
}

impl Metropolis {
    /// The algorithm in this order.
    pub fn new(order: Order) -> Self {
        Self { order }
    }

    /// The order of its sweeps.
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// A sweep over sites of any alphabet: a new state is drawn among the others and accepted as a flip is.
    ///
    /// # Panics
    /// If `s.len() != model.n_sites()`.
    pub fn sweep_discrete<M, R>(&mut self, model: &M, beta: f64, s: &mut [u8], rng: &mut R) -> SweepStats
    where
        M: DiscreteModel + ?Sized,
        R: Rng + ?Sized,
    {
        let n = model.n_sites();
        assert_eq!(s.len(), n, "{} states for a model of {n} sites", s.len());
        let exponential = &*EXPONENTIAL;
        let mut stats = SweepStats::default();
        self.order.for_each(n, rng, |i, rng| {
            // A state is a byte.
            let q = model.n_states(i).min(256) as u32;
            if q < 2 {
                return;
            }
            // The q - 1 other states, skipping the present one.
            let draw = rng.random_range(0..q - 1);
            let new = (draw + u32::from(draw >= u32::from(s[i]))) as u8;
            let accepted = accept(exponential, beta * model.delta_energy(s, i, new), uniform_open01(rng));
            if accepted {
                s[i] = new;
            }
            stats.attempted += 1;
            stats.accepted += u64::from(accepted);
        });
        stats.flipped = stats.accepted;
        stats
    }
}

/// Whether a flip is accepted for the uniform number `u`, where `x = βΔE`.
#[inline]
pub(super) fn accept(exponential: &Squeeze, x: f64, u: f64) -> bool {
    // At a tie `2u < 1` has probability one half. Below zero the comparison is with e^0.
    let u = if x == 0.0 { 2.0 * u } else { u };
    let x = if x < 0.0 { 0.0 } else { x };
    exponential.below(u, x)
}

impl<M: CachedModel> MarkovKernel<M> for Metropolis {
    #[inline]
    fn sweep<R: Rng + ?Sized>(
        &mut self,
        model: &M,
        beta: f64,
        s: &mut [i8],
        cache: &mut M::Cache,
        rng: &mut R,
    ) -> SweepStats {
        let n = model.n_spins();
        assert_eq!(s.len(), n, "{} spins for a model of {n}", s.len());
        let exponential = &*EXPONENTIAL;
        let mut accepted = 0;
        self.order.for_each(n, rng, |i, rng| {
            let x = beta * model.delta_cached(cache, s, i);
            if accept(exponential, x, uniform_open01(rng)) {
                model.flip(cache, s, i);
                accepted += 1;
            }
        });
        SweepStats { attempted: n as u64, accepted, flipped: accepted, clusters: 0 }
    }
}
