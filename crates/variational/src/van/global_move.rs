//! Samples of a network as moves of any Markov chain.

use rand::{Rng, RngExt};
use spin_models::{CachedModel, MarkovKernel, SweepStats};

use crate::error::check_range;
use crate::normalized::Normalized;
use crate::{Error, Result};

/// A kernel with, now and then, a global proposal of a normalised distribution.
///
/// After each sweep of the kernel, with a given probability, a sample s' of q replaces s with probability
///
/// ```math
/// \min\Bigl(1, \frac{e^{-\beta E(s')} q(s)}{e^{-\beta E(s)} q(s')}\Bigr)
/// ```
///
/// at the β of the sweep, whatever q was trained for: every temperature keeps its Boltzmann distribution. It is a
/// [`MarkovKernel`], hence works in `Chain` and in `ParallelTempering` of `spin-models` alike, where a network trained in
/// the cold feeds the ladder from there. It has no state of its own, so that their checkpoints stay bit-identical. Colder
/// than `from_beta` is where it acts; elsewhere proposals would be refused, and are not made.
///
/// Cost of a proposal: a sample, an evaluation, an energy and a new cache. The counts of the sweep include it: one attempt,
/// and as many flips as spins differ.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::mcmc::{Chain, Metropolis, Observables};
/// use spin_models::{Ising, Simulation};
/// use variational::ProductState;
/// use variational::van::GlobalMove;
///
/// // A strongly coupled pair: single flips alone hardly ever cross, proposals of free spins do.
/// let pair = Ising::builder(2).coupling(0, 1, 4.0).build()?;
/// let free = ProductState::new(vec![0.0, 0.0])?;
/// let kernel = GlobalMove::new(Metropolis::default(), &free, 1.0)?;
/// let mut chain = Chain::new(&pair, kernel, 1.0, Streams::new(1), 0)?;
/// let mut averages = Observables::new(2, 1);
/// chain.run(20_000, 1, &mut averages, &mut ());
/// let m = averages.magnetization_per_spin();
/// assert!(m.value.abs() < 0.05 && m.std_error.unwrap() < 0.02);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct GlobalMove<'q, K, Q: ?Sized> {
    kernel: K,
    network: &'q Q,
    probability: f64,
    from_beta: f64,
}

impl<K: Clone, Q: ?Sized> Clone for GlobalMove<'_, K, Q> {
    fn clone(&self) -> Self {
        let Self { kernel, network, probability, from_beta } = self;
        Self { kernel: kernel.clone(), network, probability: *probability, from_beta: *from_beta }
    }
}

impl<'q, K, Q: Normalized> GlobalMove<'q, K, Q> {
    /// Proposals of `network` with this probability after each sweep of `kernel`, at every β.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a probability outside 0 to 1.
    pub fn new(kernel: K, network: &'q Q, probability: f64) -> Result<Self> {
        check_range("probability", probability, 0.0, 1.0, "a number from 0 to 1")?;
        Ok(Self { kernel, network, probability, from_beta: 0.0 })
    }

    /// Proposes at this inverse temperature and above only.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a number that is NaN.
    pub fn with_from_beta(mut self, beta: f64) -> Result<Self> {
        if beta.is_nan() {
            return Err(Error::Parameter { what: "from_beta", value: beta.to_string(), expected: "a number" });
        }
        self.from_beta = beta;
        Ok(self)
    }
}

impl<M: CachedModel, K: MarkovKernel<M>, Q: Normalized> MarkovKernel<M> for GlobalMove<'_, K, Q> {
    /// # Panics
    /// If the network has another number of spins than the model.
    fn sweep<R: Rng + ?Sized>(
        &mut self,
        model: &M,
        beta: f64,
        s: &mut [i8],
        cache: &mut M::Cache,
        rng: &mut R,
    ) -> SweepStats {
        let mut stats = self.kernel.sweep(model, beta, s, cache, rng);
        if beta < self.from_beta || rng.random::<f64>() >= self.probability {
            return stats;
        }
        let mut proposal = vec![1; s.len()];
        let ln_q = self.network.sample(&mut proposal, rng);
        let ln_ratio =
            -beta * (model.energy(&proposal) - model.energy_cached(cache, s)) + self.network.ln_prob(s) - ln_q;
        stats.attempted += 1;
        // A ratio that is NaN is refused.
        if rng.random::<f64>() < ln_ratio.exp() {
            stats.accepted += 1;
            stats.flipped += s.iter().zip(&proposal).filter(|(a, b)| a != b).count() as u64;
            s.copy_from_slice(&proposal);
            model.refresh(cache, s);
        }
        stats
    }
}
