//! Training by the network's own samples.

use linalg_core::checkpoint::{Checkpoint, CheckpointError, Writer};
use linalg_core::optim::{Adam, AdamParams};
use linalg_core::stats::{Estimate, Running, WeightedMean};
use linalg_core::{Observer, Streams};
use spin_models::EnergyModel;

use super::natural::{NaturalParams, natural_direction};
use super::pieces::pieces;
use super::schedule::Annealing;
use crate::autoregressive::Autoregressive;
use crate::error::{check_positive, check_range};
use crate::scalar::Scalar;
use crate::{Error, Result};
use linalg_core::threads::for_each;

/// Most samples of a work unit.
const UNIT: usize = 256;

/// Name and version of the checkpoint.
const KIND: &str = "variational training 1";

/// The same for a training by natural gradients.
const KIND_NATURAL: &str = "variational natural training 1";

/// Parameters times samples below which a step is too short to be shared: starting a thread takes as long.
const SHORT: usize = 1 << 20;

/// Most numbers in the gradients of single samples.
const LARGEST: usize = 1 << 30;

/// How a gradient becomes a step.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Optimizer {
    /// Adam.
    Adam(AdamParams),
    /// The natural gradient of the batch, see [`natural_direction`]; cost cubic in the batch.
    Natural(NaturalParams),
}

impl Optimizer {
    fn learning_rate(self, rate: f64) -> Self {
        match self {
            Self::Adam(params) => Self::Adam(params.learning_rate(rate)),
            Self::Natural(params) => Self::Natural(params.learning_rate(rate)),
        }
    }
}

/// The state behind an [`Optimizer`].
#[derive(Debug, Clone)]
enum Stepper {
    Adam(Adam),
    Natural(NaturalParams),
}

/// Parameters of a [`Trainer`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct TrainerParams {
    /// Samples a step; default 1000.
    pub batch: usize,
    /// How a gradient becomes a step; default Adam with learning rate 0.001.
    pub optimizer: Optimizer,
    /// Largest Euclidean norm of a gradient, or of a natural direction; longer ones are scaled down. Default 1; infinite
    /// for no bound.
    pub clip: f64,
    /// Seed of the samples.
    pub seed: u64,
    /// Threads; the numbers do not depend on it, and short steps are done by one. Default 1.
    pub threads: usize,
}

impl Default for TrainerParams {
    fn default() -> Self {
        Self { batch: 1000, optimizer: Optimizer::Adam(AdamParams::default()), clip: 1.0, seed: 1, threads: 1 }
    }
}

impl TrainerParams {
    /// Sets the samples a step.
    pub fn batch(mut self, batch: usize) -> Self {
        self.batch = batch;
        self
    }

    /// Steps by Adam with these parameters.
    pub fn adam(mut self, adam: AdamParams) -> Self {
        self.optimizer = Optimizer::Adam(adam);
        self
    }

    /// Steps by natural gradients.
    pub fn natural(mut self, natural: NaturalParams) -> Self {
        self.optimizer = Optimizer::Natural(natural);
        self
    }

    /// Sets the learning rate.
    pub fn learning_rate(mut self, rate: f64) -> Self {
        self.optimizer = self.optimizer.learning_rate(rate);
        self
    }

    /// Sets the largest norm of a gradient.
    pub fn clip(mut self, clip: f64) -> Self {
        self.clip = clip;
        self
    }

    /// Sets the seed.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the number of threads.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }
}

/// What one step saw.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Step {
    /// Number of the step, from 1.
    pub step: u64,
    /// Inverse temperature.
    pub beta: f64,
    /// The batch mean of $`-\beta E - \ln q`$, a lower bound of ln Z on average, with its error.
    pub ln_z: Estimate,
    /// Standard deviation of $`\beta E + \ln q`$ over samples: 0 when the network is the Boltzmann distribution.
    pub spread: f64,
    /// Effective sample size of the batch as a part of it.
    pub ess: f64,
    /// Norm of the gradient before it was cut.
    pub gradient_norm: f64,
}

/// Trains a network to a model by the gradient of its variational free energy (REINFORCE).
///
/// ```math
/// \beta F_q = \langle \beta E + \ln q \rangle_q \ge -\ln Z, \qquad
/// \nabla \beta F_q = \langle (\beta E + \ln q - b)\, \nabla \ln q \rangle_q
/// ```
///
/// with the batch mean as the baseline b: it lowers the variance and, because $`\langle \nabla \ln q \rangle_q = 0`$,
/// changes no expectation when the sum is divided by the batch size less one. Every step draws its own samples, whose
/// activations serve the gradient, too. Steps and work units draw from streams of their number: a run depends on seed,
/// batch and model alone, and goes on after [`restore`](Trainer::restore) as if it had not been interrupted.
///
/// Reference: Wu, Wang and Zhang, PRL 122, 080602 (2019).
///
/// ```
/// use spin_models::{Ising, rand};
/// use variational::autoregressive::{Made, MadeParams};
/// use variational::van::{Annealing, Trainer, TrainerParams};
///
/// // A pair in a field: one layer can represent its Boltzmann distribution.
/// let pair = Ising::builder(2).coupling(0, 1, 1.0).field(0, 0.5).build()?;
/// let params = TrainerParams::default().batch(200).learning_rate(0.05);
/// let mut trainer = Trainer::new(&pair, Made::<f64>::new(2, MadeParams::default())?, params)?;
/// trainer.train(Annealing::Constant { beta: 0.5 }, 300, &mut ())?;
/// let last = trainer.step(0.5)?;
/// let exact: f64 = [0.75, 0.25, -0.75, -0.25].iter().map(|x: &f64| x.exp()).sum::<f64>().ln();
/// assert!((last.ln_z.value - exact).abs() < 0.01 && last.ess > 0.99);
/// # Ok::<(), variational::Error>(())
/// ```
#[derive(Debug)]
pub struct Trainer<'m, M: ?Sized, N: Autoregressive> {
    model: &'m M,
    network: N,
    params: TrainerParams,
    stepper: Stepper,
    steps: u64,
    units: Vec<Unit<N>>,
    parameters: Vec<f64>,
    gradient: Vec<f64>,
}

/// The samples and the gradient of one work unit.
struct Unit<N: Autoregressive> {
    number: u64,
    pass: N::Pass,
    spins: Vec<i8>,
    energies: Vec<f64>,
    weights: Vec<f64>,
    gradient: Vec<N::Scalar>,
}

impl<N: Autoregressive> std::fmt::Debug for Unit<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unit")
            .field("number", &self.number)
            .field("samples", &self.energies.len())
            .finish_non_exhaustive()
    }
}

impl<'m, M: EnergyModel + Sync + ?Sized, N: Autoregressive> Trainer<'m, M, N> {
    /// A trainer at step 0.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a batch below 2, no threads, or a bound on gradients that is not positive; parameters of
    /// the optimizer out of range; [`Error::TooLarge`] for natural gradients when batch times parameters exceeds 2³⁰;
    /// [`Error::WrongLength`] when model and network differ in spins.
    pub fn new(model: &'m M, network: N, params: TrainerParams) -> Result<Self> {
        if params.batch < 2 {
            let value = params.batch.to_string();
            return Err(Error::Parameter { what: "batch", value, expected: "at least 2" });
        }
        check_positive("threads", params.threads)?;
        check_range("clip", params.clip, f64::MIN_POSITIVE, f64::INFINITY, "a positive number")?;
        let n = network.n_spins();
        if n != model.n_spins() {
            return Err(Error::WrongLength { what: "spins of the network", got: n, expected: model.n_spins() });
        }
        let parameters = network.parameters().to_vec();
        let (stepper, rows) = match params.optimizer {
            Optimizer::Adam(adam) => (Stepper::Adam(Adam::new(adam, parameters.len())?), false),
            Optimizer::Natural(natural) => {
                natural.validate()?;
                let value = params.batch.saturating_mul(parameters.len());
                if value > LARGEST {
                    let (method, what) = ("natural gradient", "batch times parameters");
                    return Err(Error::TooLarge { method, what, value, bound: LARGEST });
                }
                (Stepper::Natural(natural), true)
            }
        };
        let unit = |(k, samples): (usize, usize)| Unit {
            number: k as u64,
            pass: network.new_pass(samples),
            spins: vec![0; samples * n],
            energies: vec![0.0; samples],
            weights: vec![0.0; samples],
            gradient: vec![N::Scalar::from_f64(0.0); parameters.len() * if rows { samples } else { 1 }],
        };
        let units = pieces(params.batch, UNIT).into_iter().enumerate().map(unit).collect();
        let gradient = vec![0.0; parameters.len()];
        Ok(Self { model, network, params, stepper, steps: 0, units, parameters, gradient })
    }

    /// The network as it is now.
    pub fn network(&self) -> &N {
        &self.network
    }

    /// The network.
    pub fn into_network(self) -> N {
        self.network
    }

    /// Steps done.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Changes the learning rate, for schedules.
    ///
    /// # Errors
    /// A rate that is negative or not finite.
    pub fn set_learning_rate(&mut self, rate: f64) -> Result<()> {
        match &mut self.stepper {
            Stepper::Adam(adam) => adam.set_learning_rate(rate)?,
            Stepper::Natural(natural) => {
                let changed = natural.learning_rate(rate);
                changed.validate()?;
                *natural = changed;
            }
        }
        Ok(())
    }

    /// Draws a batch and leaves the gradient of `βF_q` in `self.gradient`.
    fn differentiate(&mut self, beta: f64) -> Result<Step> {
        crate::error::check_beta(beta)?;
        let streams = Streams::new(self.params.seed).child(self.steps);
        let short = self.parameters.len().saturating_mul(self.params.batch) < SHORT;
        let threads = if short { 1 } else { self.params.threads };
        let (model, network) = (self.model, &self.network);
        for_each(threads, &mut self.units, |unit| {
            network.sample_pass(&mut unit.pass, &mut streams.fast_stream(unit.number));
            network.write_spins(&unit.pass, &mut unit.spins);
            model.energies(&unit.spins, &mut unit.energies);
        });
        let (mut losses, mut weights) = (Running::new(), WeightedMean::new());
        let mut index = 0;
        for unit in &mut self.units {
            let ln_q = network.ln_q(&unit.pass);
            for ((loss, &energy), &ln_q) in unit.weights.iter_mut().zip(&unit.energies).zip(ln_q) {
                *loss = beta * energy + ln_q;
                if !loss.is_finite() {
                    return Err(Error::NotFinite { what: "β E + ln q of sample", index, value: *loss });
                }
                losses.push(*loss);
                weights.push(-*loss, 0.0);
                index += 1;
            }
        }
        let (mean, batch) = (losses.mean(), self.params.batch as f64);
        let rows = matches!(self.stepper, Stepper::Natural(_));
        for_each(threads, &mut self.units, |unit| {
            unit.weights.iter_mut().for_each(|loss| *loss = (*loss - mean) / (batch - 1.0));
            if rows {
                network.sample_gradients(&mut unit.pass, &mut unit.gradient);
            } else {
                unit.gradient.fill(N::Scalar::from_f64(0.0));
                network.accumulate_gradient(&mut unit.pass, &unit.weights, &mut unit.gradient);
            }
        });
        self.gradient.fill(0.0);
        let parameters = self.gradient.len().max(1);
        for unit in &self.units {
            for (k, row) in unit.gradient.chunks_exact(parameters).enumerate() {
                // One row that is the sum already, or a row for every sample.
                let weight = if rows { unit.weights[k] } else { 1.0 };
                for (sum, g) in self.gradient.iter_mut().zip(row) {
                    *sum += weight * g.to_f64();
                }
            }
        }
        Ok(Step {
            step: self.steps + 1,
            beta,
            ln_z: Estimate::new(-mean, losses.std_error()),
            spread: losses.std_dev(),
            ess: weights.effective_sample_size() / batch,
            gradient_norm: self.gradient.iter().map(|g| g * g).sum::<f64>().sqrt(),
        })
    }

    /// One step at `beta`: samples, gradient, parameters.
    ///
    /// # Errors
    /// β that is negative or not finite; [`Error::NotFinite`] when an energy or a probability is not a number; the
    /// network is then unchanged.
    pub fn step(&mut self, beta: f64) -> Result<Step> {
        let report = self.differentiate(beta)?;
        let mut length = report.gradient_norm;
        if let Stepper::Natural(natural) = self.stepper {
            let weights: Vec<f64> = self.units.iter().flat_map(|unit| unit.weights.iter().copied()).collect();
            let rows: Vec<N::Scalar> = self.units.iter().flat_map(|unit| unit.gradient.iter().copied()).collect();
            self.gradient = natural_direction(&rows, &weights, natural.damping, self.params.threads)?;
            length = self.gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        }
        if length > self.params.clip {
            let scale = self.params.clip / length;
            self.gradient.iter_mut().for_each(|g| *g *= scale);
        }
        match &mut self.stepper {
            Stepper::Adam(adam) => {
                adam.step(&mut self.parameters, &self.gradient)?;
                self.network.set_parameters(&self.parameters)?;
            }
            Stepper::Natural(natural) => {
                let moved = self.parameters.iter().zip(&self.gradient).map(|(p, g)| p - natural.learning_rate * g);
                let moved: Vec<f64> = moved.collect();
                self.network.set_parameters(&moved)?;
                self.parameters = moved;
            }
        }
        self.steps += 1;
        Ok(report)
    }

    /// Trains until `steps` steps have been done in all, counted from the beginning of the schedule; the observer sees
    /// every step and may stop. Returns the last step, `None` if none was left to do.
    ///
    /// # Errors
    /// As [`step`](Self::step); a schedule out of range.
    pub fn train(
        &mut self,
        schedule: Annealing,
        steps: u64,
        observer: &mut dyn Observer<Step>,
    ) -> Result<Option<Step>> {
        schedule.validate()?;
        let mut last = None;
        while self.steps < steps {
            let step = self.step(schedule.beta(self.steps))?;
            last = Some(step);
            if observer.observe(&step).is_break() {
                break;
            }
        }
        Ok(last)
    }

    fn kind(&self) -> &'static str {
        match self.stepper {
            Stepper::Adam(_) => KIND,
            Stepper::Natural(_) => KIND_NATURAL,
        }
    }

    /// The state: parameters, learning rate, moments of Adam, number of steps.
    pub fn checkpoint(&self) -> Checkpoint {
        let mut writer = Writer::new();
        writer.write_str(&self.network.architecture());
        writer.write_u64(self.params.seed).write_usize(self.params.batch).write_u64(self.steps);
        writer.write_f64s(&self.parameters);
        match &self.stepper {
            Stepper::Adam(adam) => adam.save(&mut writer),
            Stepper::Natural(natural) => {
                writer.write_f64(natural.learning_rate);
            }
        }
        Checkpoint::new(self.kind(), self.model.content_hash(), writer)
    }

    /// Goes on where a checkpoint was taken, bit for bit.
    ///
    /// # Errors
    /// [`Error::Architecture`] for a checkpoint of another network, [`Error::Numerics`] for one of another model, seed,
    /// batch or optimizer, or a damaged one, [`Error::NotFinite`] for a parameter that is not finite. Nothing is changed
    /// then.
    pub fn restore(&mut self, from: &Checkpoint) -> Result<()> {
        let mut reader = from.open(self.kind(), self.model.content_hash())?;
        let (found, expected) = (reader.read_str()?.to_owned(), self.network.architecture());
        if found != expected {
            return Err(Error::Architecture { found, expected });
        }
        let at = reader.position();
        if reader.read_u64()? != self.params.seed {
            return Err(CheckpointError::Invalid { what: "seed", at }.into());
        }
        let at = reader.position();
        if reader.read_usize()? != self.params.batch {
            return Err(CheckpointError::Invalid { what: "batch", at }.into());
        }
        let steps = reader.read_count()?;
        let mut parameters = self.parameters.clone();
        reader.read_f64s_into(&mut parameters)?;
        let mut stepper = self.stepper.clone();
        match &mut stepper {
            Stepper::Adam(adam) => adam.restore(&mut reader)?,
            Stepper::Natural(natural) => {
                let at = reader.position();
                *natural = natural.learning_rate(reader.read_f64()?);
                natural.validate().map_err(|_| CheckpointError::Invalid { what: "learning rate", at })?;
            }
        }
        reader.finish()?;
        self.network.set_parameters(&parameters)?;
        (self.parameters, self.stepper, self.steps) = (parameters, stepper, steps);
        Ok(())
    }
}
