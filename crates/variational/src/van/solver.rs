//! Training and importance sampling behind the traits of `spin-models`.

use std::ops::ControlFlow;

use linalg_core::stats::Estimate;
use linalg_core::{Observer, Streams};
use spin_models::{
    Correlations, EnergyModel, Ising, Kind, LnZ, LogPartition, PairCorrelations, Progress, Quantities, Solution, Solve,
};

use super::importance::{Importance, Observable, importance};
use super::schedule::Annealing;
use super::trainer::{Step, Trainer, TrainerParams};
use crate::autoregressive::{Autoregressive, Made, MadeParams, Symmetric};
use crate::pairs::CoupledPairs;
use crate::{Error, Result};

const NAME: &str = "van";

/// Effective samples from which the importance-sampled value is given instead of the bound.
const TRUSTED: f64 = 100.0;

/// Parameters of [`Van`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct VanParams {
    /// The network; default one layer.
    pub network: MadeParams,
    /// Training; default batch 1000, learning rate 0.001.
    pub trainer: TrainerParams,
    /// Training steps; default 2000.
    pub steps: u64,
    /// The rate r of the annealing $`\beta (1 - r^{t+1})`$; default 0.998.
    pub annealing: f64,
    /// Samples after training; default 100 000.
    pub samples: usize,
}

impl Default for VanParams {
    fn default() -> Self {
        Self {
            network: MadeParams::default(),
            trainer: TrainerParams::default(),
            steps: 2000,
            annealing: 0.998,
            samples: 100_000,
        }
    }
}

impl VanParams {
    /// Sets the network.
    pub fn network(mut self, network: MadeParams) -> Self {
        self.network = network;
        self
    }

    /// Sets the training.
    pub fn trainer(mut self, trainer: TrainerParams) -> Self {
        self.trainer = trainer;
        self
    }

    /// Sets the number of training steps.
    pub fn steps(mut self, steps: u64) -> Self {
        self.steps = steps;
        self
    }

    /// Sets the rate of annealing.
    pub fn annealing(mut self, rate: f64) -> Self {
        self.annealing = rate;
        self
    }

    /// Sets the number of samples after training.
    pub fn samples(mut self, samples: usize) -> Self {
        self.samples = samples;
        self
    }
}

/// A variational autoregressive network, trained from scratch for one model at one temperature.
///
/// Models without fields get the symmetrised network. With at least 100 effective samples the value of ln Z is the
/// importance-sampled one, an [`Estimate`](Kind::Estimate) with its error; with fewer it is the variational bound,
/// [`Lower`](Kind::Lower) with an error. Averages are reweighted.
///
/// ```
/// use spin_models::{Enumeration, Ising, LogPartition};
/// use variational::van::{Van, VanParams};
///
/// let ring = Ising::ring(5, 1.0)?;
/// let ln_z = Van::new(VanParams::default().steps(50).samples(5000)).ln_z(&ring, 0.4)?;
/// let exact = Enumeration::default().ln_z(&ring, 0.4)?.value;
/// assert!((ln_z.value - exact).abs() < 4.0 * ln_z.std_error.unwrap());
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Van {
    params: VanParams,
}

impl Van {
    /// With these parameters; they are checked when a model is solved.
    pub fn new(params: VanParams) -> Self {
        Self { params }
    }

    /// With another seed of weights and samples.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.params.network.seed = seed;
        self.params.trainer.seed = seed;
        self
    }

    /// With this many threads; the numbers do not depend on it.
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.params.trainer.threads = threads;
        self
    }

    /// Fewer steps and samples, for a look.
    pub fn quick(mut self) -> Self {
        self.params.steps = self.params.steps.min(200);
        self.params.samples = self.params.samples.min(10_000);
        self
    }

    fn run(
        &self,
        model: &Ising,
        beta: f64,
        observables: &[Observable<'_>],
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Importance> {
        let made = Made::<f32>::new(model.n_spins(), self.params.network)?;
        if model.has_fields() {
            self.run_with(made, model, beta, observables, observer)
        } else {
            self.run_with(Symmetric::new(made), model, beta, observables, observer)
        }
    }

    fn run_with<N: Autoregressive>(
        &self,
        network: N,
        model: &Ising,
        beta: f64,
        observables: &[Observable<'_>],
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Importance> {
        let VanParams { trainer, steps, annealing, samples, .. } = self.params;
        let mut training = Trainer::new(model, network, trainer)?;
        let mut stopped = false;
        let mut watch = |step: &Step| {
            let progress = Progress::new("training", step.step, steps).with_ln_z(step.ln_z.value);
            stopped = observer.observe(&progress).is_break();
            if stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        training.train(Annealing::Exponential { beta, rate: annealing }, steps, &mut watch)?;
        if stopped {
            return Err(Error::Stopped { method: NAME, done: training.steps(), total: steps });
        }
        // Training draws from the children of the seed itself.
        let streams = Streams::new(!trainer.seed);
        importance(training.network(), model, beta, samples, streams, trainer.threads, observables, observer)
    }
}

fn ln_z(estimate: &Importance) -> LnZ {
    if estimate.ess * estimate.samples as f64 >= TRUSTED {
        LnZ { value: estimate.ln_z.value, std_error: estimate.ln_z.std_error, kind: Kind::Estimate }
    } else {
        let bound = estimate.ln_z_variational;
        LnZ { value: bound.value, std_error: bound.std_error, kind: Kind::Lower }
    }
}

impl LogPartition<Ising> for Van {
    fn ln_z_observed(
        &self,
        model: &Ising,
        beta: f64,
        observer: &mut dyn Observer<Progress>,
    ) -> spin_models::Result<LnZ> {
        Ok(ln_z(&self.run(model, beta, &[], observer)?))
    }
}

impl Solve<Ising> for Van {
    fn name(&self) -> &'static str {
        NAME
    }

    fn solve(
        &self,
        model: &Ising,
        beta: f64,
        want: Quantities,
        observer: &mut dyn Observer<Progress>,
    ) -> spin_models::Result<Solution> {
        let n = model.n_spins();
        let pairs = match want.correlations {
            Correlations::None => Vec::new(),
            which => model.wanted(which),
        };
        let spin = |i: usize| move |s: &[i8]| f64::from(s[i]);
        let singles: Vec<_> = (0..if want.magnetizations { n } else { 0 }).map(spin).collect();
        let product = |&(i, j): &(usize, usize)| move |s: &[i8]| f64::from(s[i] * s[j]);
        let doubles: Vec<_> = pairs.iter().map(product).collect();
        let mut observables: Vec<Observable<'_>> = singles.iter().map(|f| f as Observable<'_>).collect();
        observables.extend(doubles.iter().map(|f| f as Observable<'_>));
        let estimate = self.run(model, beta, &observables, observer)?;
        let (m, c): (&[Estimate], &[Estimate]) = estimate.observables.split_at(singles.len());
        let mut solution = Solution::default();
        solution.ln_z = Some(ln_z(&estimate));
        solution.energy = Some(estimate.energy);
        solution.magnetizations = want.magnetizations.then(|| m.to_vec());
        solution.correlations =
            (want.correlations != Correlations::None).then(|| PairCorrelations { pairs, values: c.to_vec() });
        Ok(solution)
    }
}
