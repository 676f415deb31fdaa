//! Samples from a model.

use linalg_core::rng::{Streams, Xoshiro256PlusPlus, uniform_open01};
use linalg_core::threads;

use super::{Samples, exact};
use crate::mcmc::{HeatBath, Order};
use crate::model::{CachedModel, EnergyModel, MarkovKernel};
use crate::models::Ising;
use crate::{Error, Result, Spins};

/// How samples are drawn from a model.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct DrawParams {
    /// Up to this many spins all configurations are summed and samples are independent; default 16, at most 25.
    pub exact: usize,
    /// Chains of the heat bath for more spins; default 256.
    pub chains: usize,
    /// Sweeps before the first sample of a chain; default 300.
    pub burn_in: usize,
    /// Sweeps from one sample of a chain to the next; default 5.
    pub thin: usize,
    /// Threads, 0 for all; default 0.
    pub threads: usize,
}

impl Default for DrawParams {
    fn default() -> Self {
        Self { exact: 16, chains: 256, burn_in: 300, thin: 5, threads: 0 }
    }
}

impl DrawParams {
    /// Sets up to how many spins samples are drawn from the table of all configurations.
    pub fn exact(mut self, spins: usize) -> Self {
        self.exact = spins;
        self
    }

    /// Sets the number of chains.
    pub fn chains(mut self, chains: usize) -> Self {
        self.chains = chains;
        self
    }

    /// Sets the sweeps before the first sample.
    pub fn burn_in(mut self, sweeps: usize) -> Self {
        self.burn_in = sweeps;
        self
    }

    /// Sets the sweeps between samples.
    pub fn thin(mut self, sweeps: usize) -> Self {
        self.thin = sweeps;
        self
    }

    /// Sets the number of threads.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }
}

/// Draws `count` samples of the law `e^{-E(s)}` of a model, at β = 1: scale the couplings for another temperature.
///
/// Samples of chains stand in the order of time, chain after chain within a time. Whether the chains have forgotten their
/// start is not checked: use [`mcmc`](crate::mcmc) where that is in doubt. Chain k draws from the fast stream k.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::inverse::{DrawParams, Moments, draw_samples};
/// use spin_models::Ising;
///
/// let pair = Ising::builder(2).coupling(0, 1, 0.5).build()?;
/// let samples = draw_samples(&pair, 10_000, &DrawParams::default(), Streams::new(1))?;
/// let correlation = Moments::of_samples(&samples).correlation(0, 1);
/// // Five standard errors: 5 √((1 - tanh² ½)/10⁴).
/// assert!((correlation - 0.5f64.tanh()).abs() < 0.045);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// # Errors
/// [`Error::TooFewSamples`] for a count of 0; [`Error::Parameter`] for no chains, a `thin` of 0 or an `exact` above 25.
pub fn draw_samples(model: &Ising, count: usize, params: &DrawParams, streams: Streams) -> Result<Samples> {
    if count == 0 {
        return Err(Error::TooFewSamples { method: "drawing", what: "samples", got: 0, needed: 1 });
    }
    let n = model.n_spins();
    for (what, value, low, high, expected) in [
        ("chains", params.chains, 1, usize::MAX, "at least 1"),
        ("thin", params.thin, 1, usize::MAX, "at least 1"),
        ("exact", params.exact, 0, exact::LARGEST, "at most 25"),
    ] {
        if !(low..=high).contains(&value) {
            return Err(Error::Parameter { what, value: value.to_string(), expected });
        }
    }
    if n <= params.exact {
        let mut cumulative = exact::probabilities_of(model)?;
        let mut sum = 0.0;
        for p in &mut cumulative {
            sum += *p;
            *p = sum;
        }
        let mut rng = streams.fast_stream(0);
        let states: Vec<usize> = (0..count)
            .map(|_| {
                let u = uniform_open01(&mut rng) * sum;
                cumulative.partition_point(|&p| p < u).min(cumulative.len() - 1)
            })
            .collect();
        return Samples::pack(n, count, |sample, spin| Ok((states[sample] >> spin) & 1 == 0));
    }
    let chains = params.chains.min(count);
    let per_chain = count.div_ceil(chains);
    let mut runs: Vec<(u64, Vec<i8>)> = (0..chains as u64).map(|k| (k, Vec::new())).collect();
    threads::for_each(threads::count(params.threads), &mut runs, |(unit, out)| {
        let mut chain = HeatBathChain::new(model, streams.fast_stream(*unit));
        for k in 0..per_chain {
            chain.sweep(model, if k == 0 { params.burn_in + 1 } else { params.thin });
            out.extend_from_slice(&chain.spins);
        }
    });
    Samples::pack(n, count, |sample, spin| Ok(runs[sample % chains].1[sample / chains * n + spin] > 0))
}

/// A configuration that follows the heat bath of models that may change.
#[derive(Debug, Clone)]
pub(super) struct HeatBathChain {
    pub spins: Spins,
    rng: Xoshiro256PlusPlus,
    kernel: HeatBath,
}

impl HeatBathChain {
    pub fn new(model: &Ising, mut rng: Xoshiro256PlusPlus) -> Self {
        let spins = Spins::random(model.n_spins(), &mut rng);
        Self { spins, rng, kernel: HeatBath::new(Order::Sequential) }
    }

    pub fn sweep(&mut self, model: &Ising, sweeps: usize) {
        let mut cache = model.cache(&self.spins);
        for _ in 0..sweeps {
            self.kernel.sweep(model, 1.0, &mut self.spins, &mut cache, &mut self.rng);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Moments;
    use super::*;

    #[test]
    fn chains_and_tables_have_the_moments_of_the_model() {
        let model = Ising::builder(5)
            .couplings([(0, 1, 0.5), (1, 2, -0.4), (2, 3, 0.3), (3, 4, 0.6), (0, 4, 0.2)])
            .fields([0.2, 0.0, -0.3, 0.1, 0.0])
            .build()
            .unwrap();
        let exact = Moments::of_samples(&super::super::tests::exact_samples(&model));
        let count = 40_000;
        for (params, effective) in [
            (DrawParams::default(), 1.0),
            // Samples of a chain five sweeps apart are nearly independent here: half of them count.
            (DrawParams::default().exact(0), 0.5),
        ] {
            let samples = draw_samples(&model, count, &params, Streams::new(3)).unwrap();
            assert_eq!(samples.len(), count);
            let found = Moments::of_samples(&samples);
            let bound = 4.5 / (effective * count as f64).sqrt();
            for k in 0..25 {
                assert!((found.correlations()[k] - exact.correlations()[k]).abs() < bound, "{k}");
            }
            for i in 0..5 {
                assert!((found.magnetizations()[i] - exact.magnetizations()[i]).abs() < bound, "{i}");
            }
            let again = draw_samples(&model, count, &params.clone().threads(3), Streams::new(3)).unwrap();
            assert!(again == samples, "threads change nothing");
        }
    }

    #[test]
    fn bad_parameters_are_named() {
        let pair = Ising::builder(2).coupling(0, 1, 0.5).build().unwrap();
        let draw = |count, params: DrawParams| draw_samples(&pair, count, &params, Streams::new(1));
        assert!(matches!(draw(0, DrawParams::default()), Err(Error::TooFewSamples { .. })));
        for params in [DrawParams::default().chains(0), DrawParams::default().thin(0), DrawParams::default().exact(26)]
        {
            assert!(matches!(draw(1, params), Err(Error::Parameter { .. })));
        }
    }
}
