//! Maximum likelihood by matching moments.

use linalg_core::rng::Streams;
use linalg_core::threads;

use super::draw::HeatBathChain;
use super::{MaximumEntropy, MeanField, Moments, Reconstruction, Samples, exact};
use crate::Result;
use crate::models::Ising;
use crate::{EnergyModel, Error};

/// How the moments of the model are found.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Gradient {
    /// Exactly, for up to 25 spins; Newton's method then takes a few iterations.
    Exact,
    /// From persistent chains: heat-bath sweeps that go on while the model changes.
    Persistent {
        /// Chains.
        chains: usize,
        /// Sweeps between two changes of the model.
        sweeps: usize,
        /// Changes of the model.
        steps: usize,
        /// First step size; at step t of T it is divided by (1 + 4t/T)².
        learning_rate: f64,
    },
}

impl Gradient {
    /// Persistent chains with the default numbers: 512 chains, 2 sweeps, 400 steps, rate 0.3.
    pub fn persistent() -> Self {
        Self::Persistent { chains: 512, sweeps: 2, steps: 400, learning_rate: 0.3 }
    }
}

/// Boltzmann machine learning: `ΔJ_ij ∝ ⟨s_i s_j⟩_data - ⟨s_i s_j⟩_model`, the gradient of the log-likelihood.
///
/// Persistent contrastive divergence starts from naive mean field and divides each difference by the variance of its
/// product in the data; the result is the mean of the parameters over the last half of the steps, which removes most of the
/// noise of the chains. Its residual is the largest difference between the moments of the data and those of the chains, averaged
/// over the last half; noise alone leaves about `4/√(chains · steps/2)`.
///
/// ```
/// use spin_models::inverse::{BoltzmannLearning, Moments};
///
/// let moments = Moments::new(&[0.0, 0.0], &[1.0, 0.5, 0.5, 1.0])?;
/// let found = BoltzmannLearning::default().reconstruct(&moments)?;
/// assert!((found.coupling(0, 1) - 0.5f64.atanh()).abs() < 1e-8);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// References: D. H. Ackley, G. E. Hinton and T. J. Sejnowski, Cogn. Sci. 9, 147 (1985); T. Tieleman, ICML (2008).
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct BoltzmannLearning {
    /// How moments are found; `None`, the default, is exact up to 16 spins and persistent chains beyond.
    pub gradient: Option<Gradient>,
    /// Largest difference of moments that counts as converged; default 1e-10 for exact moments, for chains
    /// `6/√(chains · steps/2)`.
    pub tolerance: Option<f64>,
    /// Chain k draws from fast stream k of this seed.
    pub streams: Streams,
    /// Threads, 0 for all; default 0. The results do not depend on it.
    pub threads: usize,
}

impl Default for BoltzmannLearning {
    fn default() -> Self {
        Self { gradient: None, tolerance: None, streams: Streams::new(0), threads: 0 }
    }
}

impl BoltzmannLearning {
    /// Sets how moments are found.
    pub fn gradient(mut self, gradient: Gradient) -> Self {
        self.gradient = Some(gradient);
        self
    }

    /// Sets the tolerance.
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = Some(tolerance);
        self
    }

    /// Sets the random numbers.
    pub fn streams(mut self, streams: Streams) -> Self {
        self.streams = streams;
        self
    }

    /// Sets the number of threads.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// The model with these moments.
    ///
    /// # Errors
    /// [`Error::ConstantSpin`], [`Error::PerfectCorrelation`]; [`Error::TooLarge`] for exact moments of more than 25 spins;
    /// [`Error::Divergent`] where exact parameters diverge; [`Error::Parameter`].
    pub fn reconstruct(&self, moments: &Moments) -> Result<Reconstruction> {
        moments.check()?;
        let n = moments.n_spins();
        let default = if n <= 16 { Gradient::Exact } else { Gradient::persistent() };
        match self.gradient.clone().unwrap_or(default) {
            Gradient::Exact => {
                exact::check_size("Boltzmann learning with exact moments", n)?;
                let problem = MaximumEntropy::pairs(n)?.tolerance(self.tolerance.unwrap_or(1e-10));
                let average = |set: &Vec<usize>| match set[..] {
                    [i] => moments.magnetizations()[i],
                    _ => moments.correlation(set[0], set[1]),
                };
                let averages: Vec<f64> = problem.sets().iter().map(average).collect();
                let mut found = problem.fit_averages(&averages)?.to_reconstruction()?;
                found.method = "boltzmann".to_owned();
                Ok(found)
            }
            Gradient::Persistent { chains, sweeps, steps, learning_rate } => {
                for (what, value) in [("chains", chains), ("sweeps", sweeps), ("steps", steps)] {
                    if value == 0 {
                        return Err(Error::Parameter { what, value: "0".to_owned(), expected: "at least 1" });
                    }
                }
                super::check_positive("learning rate", learning_rate)?;
                self.persistent(moments, chains, sweeps, steps, learning_rate)
            }
        }
    }

    /// [`reconstruct`](Self::reconstruct) with the moments of samples, and their score.
    ///
    /// # Errors
    /// As `reconstruct`.
    pub fn reconstruct_samples(&self, samples: &Samples) -> Result<Reconstruction> {
        self.reconstruct(&Moments::of_samples(samples))?.scored(samples, self.threads)
    }

    fn persistent(
        &self,
        moments: &Moments,
        chains: usize,
        sweeps: usize,
        steps: usize,
        learning_rate: f64,
    ) -> Result<Reconstruction> {
        /// Chains that a thread takes at once.
        const UNIT: usize = 64;
        let n = moments.n_spins();
        // A small pseudo-count: an inverse exists for any number of samples.
        let start = MeanField::Naive.infer(&moments.clone().with_pseudo_count(0.05)?)?;
        let (mut couplings, mut fields) = (start.couplings, start.fields);
        couplings.iter_mut().for_each(|x| *x = x.clamp(-1.0, 1.0));
        fields.iter_mut().for_each(|x| *x = x.clamp(-2.0, 2.0));
        let mut model = build(n, &couplings, &fields)?;
        let mut walkers: Vec<Vec<HeatBathChain>> = (0..chains)
            .map(|k| HeatBathChain::new(&model, self.streams.fast_stream(k as u64)))
            .collect::<Vec<_>>()
            .chunks(UNIT)
            .map(<[_]>::to_vec)
            .collect();
        let (m, c) = (moments.magnetizations(), moments.correlations());
        let (mut mean_couplings, mut mean_fields) = (vec![0.0; n * n], vec![0.0; n]);
        let (mut mean_m, mut mean_c) = (vec![0.0; n], vec![0.0; n * n]);
        let half = steps / 2;
        let counted = (steps - half) as f64;
        for step in 0..steps {
            let sweeps = if step == 0 { sweeps + 100 } else { sweeps };
            threads::for_each(threads::count(self.threads), &mut walkers, |chains| {
                chains.iter_mut().for_each(|chain| chain.sweep(&model, sweeps));
            });
            let spins: Vec<i8> = walkers.iter().flatten().flat_map(|chain| chain.spins.iter().copied()).collect();
            let found = Moments::of_samples(&Samples::from_spins(n, &spins)?);
            let rate = learning_rate / (1.0 + 4.0 * step as f64 / steps as f64).powi(2);
            for i in 0..n {
                fields[i] += rate * (m[i] - found.magnetizations()[i]) / (1.0 - m[i] * m[i]).max(0.05);
                for j in 0..i {
                    let k = i * n + j;
                    couplings[k] += rate * (c[k] - found.correlations()[k]) / (1.0 - c[k] * c[k]).max(0.05);
                    couplings[j * n + i] = couplings[k];
                }
            }
            if step >= half {
                let add = |sum: &mut [f64], x: &[f64]| sum.iter_mut().zip(x).for_each(|(s, x)| *s += x / counted);
                add(&mut mean_couplings, &couplings);
                add(&mut mean_fields, &fields);
                add(&mut mean_m, found.magnetizations());
                add(&mut mean_c, found.correlations());
            }
            model = build(n, &couplings, &fields)?;
        }
        let differences = mean_c.iter().zip(c).chain(mean_m.iter().zip(m));
        let residual = differences.fold(0.0f64, |r, (a, b)| r.max((a - b).abs()));
        let mut found = Reconstruction::new("boltzmann", mean_couplings, mean_fields);
        found.iterations = steps;
        found.residual = residual;
        found.converged = residual <= self.tolerance.unwrap_or(6.0 / (chains as f64 * counted).sqrt());
        Ok(found)
    }
}

fn build(n: usize, couplings: &[f64], fields: &[f64]) -> Result<Ising> {
    let pairs = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)));
    let model = Ising::builder(n)
        .couplings(pairs.map(|(i, j)| (i, j, couplings[i * n + j])))
        .fields(fields.iter().copied())
        .build()?;
    debug_assert_eq!(model.n_spins(), n);
    Ok(model)
}

#[cfg(test)]
mod tests {
    use super::super::tests::exact_samples;
    use super::*;

    fn model() -> Ising {
        let pairs = (0..8).flat_map(|i| (i + 1..8).map(move |j| (i, j)));
        let couplings = pairs.map(|(i, j)| (i, j, 0.35 * ((i * 7 + j * j) as f64).sin()));
        Ising::builder(8).couplings(couplings).fields((0..8).map(|i| 0.3 * (i as f64).cos())).build().unwrap()
    }

    #[test]
    fn exact_moments_give_the_parameters_back() {
        let found = BoltzmannLearning::default().reconstruct_samples(&exact_samples(&model())).unwrap();
        let comparison = found.compare(&model()).unwrap();
        assert!(found.converged && comparison.largest_error < 1e-7 && comparison.field_error < 1e-7, "{comparison:?}");
    }

    #[test]
    fn persistent_chains_come_close() {
        let moments = Moments::of_samples(&exact_samples(&model()));
        let learn = BoltzmannLearning::default().gradient(Gradient::persistent()).streams(Streams::new(1));
        let found = learn.reconstruct(&moments).unwrap();
        let comparison = found.compare(&model()).unwrap();
        // Moments known from 512 · 200 configurations to 0.003 each; couplings are about as uncertain.
        assert!(found.converged, "{}", found.residual);
        assert!(comparison.largest_error < 0.03 && comparison.field_error < 0.03, "{comparison:?}");
        assert_eq!(learn.threads(3).reconstruct(&moments).unwrap(), found, "threads change nothing");
    }

    #[test]
    fn bad_input_is_named() {
        let constant = Moments::new(&[1.0, 0.0], &[1.0, 0.0, 0.0, 1.0]).unwrap();
        assert!(matches!(
            BoltzmannLearning::default().reconstruct(&constant),
            Err(Error::ConstantSpin { spin: 0, .. })
        ));
        let moments = Moments::new(&[0.0; 2], &[1.0, 0.5, 0.5, 1.0]).unwrap();
        let none = Gradient::Persistent { chains: 0, sweeps: 1, steps: 1, learning_rate: 0.1 };
        assert!(matches!(
            BoltzmannLearning::default().gradient(none).reconstruct(&moments),
            Err(Error::Parameter { what: "chains", .. })
        ));
    }
}
