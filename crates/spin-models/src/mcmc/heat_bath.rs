//! The heat bath, or Glauber dynamics.

use linalg_core::rand::Rng;
use linalg_core::rng::uniform_open01;

use super::acceptance::{LOGISTIC, Squeeze};
use super::order::Order;
use crate::model::{CachedModel, DiscreteModel, MarkovKernel, SweepStats};

/// The heat bath: every visited spin is drawn anew from its law given the others.
///
/// ```math
/// P(s_i) = \frac{e^{\beta h_i s_i}}{2\cosh \beta h_i}
/// ```
///
/// with the local field `h_i`. One random number an attempt (two in random order), the same one whatever the spin was:
/// a larger field never gives a smaller spin, so two chains of a ferromagnet driven by the same numbers keep their
/// order. The exponential is computed for about one attempt in ten thousand. A NaN energy difference keeps the spin.
/// `beta` is not checked; negative values sample the negative temperature.
///
/// ```
/// use spin_models::mcmc::{HeatBath, Order};
/// use spin_models::{CachedModel, Ising, MarkovKernel};
/// use linalg_core::Streams;
///
/// let spin = Ising::builder(1).field(0, 0.5).build()?;
/// let mut rng = Streams::new(1).stream(0);
/// let (mut s, mut cache) = ([1], spin.cache(&[1]));
/// let mut sum = 0;
/// for _ in 0..10_000 {
///     HeatBath::new(Order::Sequential).sweep(&spin, 1.0, &mut s, &mut cache, &mut rng);
///     sum += i32::from(s[0]);
/// }
/// assert!((f64::from(sum) / 1e4 - 0.5f64.tanh()).abs() < 0.04);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// Reference: R. J. Glauber, J. Math. Phys. 4, 294 (1963).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct HeatBath {
    order: Order,
}

impl HeatBath {
    /// The algorithm in this order.
    pub fn new(order: Order) -> Self {
        Self { order }
    }

    /// The order of its sweeps.
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// A sweep over sites of any alphabet: state `k` has probability `e^{-βE_k} / Σ_l e^{-βE_l}`.
    ///
    /// `accepted` counts the sites whose state changed. States of NaN energy are never taken; when no state has a
    /// finite weight the site keeps its own.
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
        let mut weights = Vec::new();
        let mut stats = SweepStats::default();
        self.order.for_each(n, rng, |i, rng| {
            let states = 0..model.n_states(i).min(256);
            weights.clear();
            weights.extend(states.map(|new| -beta * model.delta_energy(s, i, new as u8)));
            let largest = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let mut total = 0.0;
            for weight in &mut weights {
                // exp of a NaN difference is NaN, which `max` turns into 0.
                *weight = (*weight - largest).exp().max(0.0);
                total += *weight;
            }
            let mut left = uniform_open01(rng) * total;
            // The last state takes what rounding leaves; states of weight 0 are passed over.
            let chosen = weights.iter().position(|&weight| {
                left -= weight;
                left < 0.0
            });
            let last = weights.iter().rposition(|&weight| weight > 0.0);
            let changed = match chosen.or(last) {
                Some(new) if new != usize::from(s[i]) => {
                    s[i] = new as u8;
                    true
                }
                _ => false,
            };
            stats.attempted += 1;
            stats.accepted += u64::from(changed);
        });
        stats.flipped = stats.accepted;
        stats
    }
}

/// Whether a spin points up for the uniform number `u`, where `x = 2βh`: with probability `1 / (1 + e^{-x})`.
#[inline]
pub(super) fn points_up(logistic: &Squeeze, x: f64, u: f64) -> bool {
    let below = logistic.below(if x < 0.0 { 1.0 - u } else { u }, x.abs());
    below == (x < 0.0)
}

impl<M: CachedModel> MarkovKernel<M> for HeatBath {
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
        let logistic = &*LOGISTIC;
        let mut flipped = 0;
        self.order.for_each(n, rng, |i, rng| {
            let x = beta * model.delta_cached(cache, s, i) * f64::from(s[i]);
            let up = points_up(logistic, x, uniform_open01(rng));
            if up != (s[i] > 0) && !x.is_nan() {
                model.flip(cache, s, i);
                flipped += 1;
            }
        });
        SweepStats { attempted: n as u64, accepted: flipped, flipped, clusters: 0 }
    }
}
