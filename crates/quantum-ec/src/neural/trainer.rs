//! Maximum likelihood on fresh samples of the noise.

use std::borrow::Cow;

use linalg_core::Streams;
use linalg_core::checkpoint::{Checkpoint, CheckpointError, Writer};
use linalg_core::optim::{Adam, AdamParams};
use linalg_core::threads;

use super::model::{CHUNK, NeuralModel, Part};
use super::network::NetworkPass;
use super::subject::Batch;
use crate::error::{Error, Result};

/// Name and version of the checkpoint.
const KIND: &str = "quantum-ec neural training 1";

/// Parameters of a [`NeuralTrainer`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct TrainingParams {
    /// Shots a step; default 1024.
    pub batch: usize,
    /// Steps in all: the learning rate falls to nothing over them. Default 2000.
    pub steps: u64,
    /// Largest learning rate of Adam; default 0.005.
    pub learning_rate: f64,
    /// Steps over which the rate rises from 0; default 100.
    pub warm_up: u64,
    /// Largest Euclidean norm of the gradient of a network; longer ones are scaled down. Default 1.
    pub clip: f64,
    /// Seed of the samples.
    pub seed: u64,
    /// Threads, 0 for all there are (the default); the numbers do not depend on it.
    pub threads: usize,
}

impl Default for TrainingParams {
    fn default() -> Self {
        Self { batch: 1024, steps: 2000, learning_rate: 5e-3, warm_up: 100, clip: 1.0, seed: 1, threads: 0 }
    }
}

impl TrainingParams {
    /// Sets the shots a step.
    pub fn batch(mut self, batch: usize) -> Self {
        self.batch = batch;
        self
    }

    /// Sets the number of steps.
    pub fn steps(mut self, steps: u64) -> Self {
        self.steps = steps;
        self
    }

    /// Sets the largest learning rate.
    pub fn learning_rate(mut self, rate: f64) -> Self {
        self.learning_rate = rate;
        self
    }

    /// Sets the steps over which the learning rate rises.
    pub fn warm_up(mut self, steps: u64) -> Self {
        self.warm_up = steps;
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

    /// Sets the number of threads, 0 for all there are.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// The learning rate of a step, from 0: up to the largest one in a straight line, and half a cosine down to 0.
    pub fn rate(&self, step: u64) -> f64 {
        let up = ((step + 1) as f64 / self.warm_up.max(1) as f64).min(1.0);
        let part = (step as f64 / self.steps.max(1) as f64).min(1.0);
        self.learning_rate * up * 0.5 * (1.0 + (std::f64::consts::PI * part).cos())
    }

    fn validate(&self) -> Result<()> {
        for (what, value) in [("batch", self.batch as u64), ("steps", self.steps)] {
            if value == 0 {
                return Err(Error::Parameter { what, value: "0".into(), expected: "at least 1" });
            }
        }
        for (what, value) in [("learning rate", self.learning_rate), ("clip", self.clip)] {
            if value.is_nan() || value <= 0.0 {
                return Err(Error::Parameter { what, value: value.to_string(), expected: "a positive number" });
            }
        }
        Ok(())
    }
}

/// What one step saw.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct TrainingStep {
    /// Number of the step, from 1.
    pub step: u64,
    /// Mean of -ln q a shot of syndrome, logical bits and stabilizer part, before the step.
    pub loss: [Option<f64>; 3],
    /// Mean of -ln P of the same errors, whose mean is the [entropy](super::Subject::entropy); NaN without a closed form.
    pub floor: f64,
    /// Learning rate.
    pub rate: f64,
}

/// Trains a [`NeuralModel`] by maximum likelihood: forward Kullback-Leibler divergence on samples that are drawn for every
/// step and never seen again.
///
/// ```math
/// \min_q \; \langle -\ln q(\gamma, \beta, \alpha) \rangle_P = H(P) + D(P \,\|\, q)
/// ```
///
/// There are no labels and no decoder in the loop: the noise is enough. The three factors of q have parameters of their
/// own, so that each is trained by its own share of -ln q. Steps draw from streams of their number, and threads share the
/// batch in pieces of a fixed size: a run depends on model, parameters and seed alone, and goes on after
/// [`restore`](Self::restore) bit for bit, with any number of threads.
///
/// ```
/// use quantum_ec::code;
/// use quantum_ec::neural::{CodeNoise, NeuralModel, NetworkParams, NeuralTrainer, Subject, TrainingParams};
/// use quantum_ec::noise::Noise;
///
/// // Three bits, each flipped with probability 0.1: the majority is wrong with probability 0.028.
/// let subject = Subject::of_code(code::parse("repetition:3")?, CodeNoise::fixed(Noise::BitFlip, 0.1))?;
/// let model = NeuralModel::new(subject, "made:16x1:8x1".parse::<NetworkParams>()?)?;
/// let mut trainer = NeuralTrainer::new(model, TrainingParams::default().steps(60).batch(256).learning_rate(0.02).warm_up(1))?;
/// let first = trainer.step()?.loss[1].unwrap();
/// while trainer.steps() < 60 {
///     trainer.step()?;
/// }
/// // H(class | syndrome) is 0.095 nats; a new network knows nothing: 2 ln 2.
/// assert!(first > 1.2 && trainer.step()?.loss[1].unwrap() < 0.7);
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct NeuralTrainer {
    model: NeuralModel,
    params: TrainingParams,
    steppers: [Option<Stepper>; 3],
    /// The steppers before the last step, whose losses were finite.
    good: Option<[Option<Stepper>; 3]>,
    batch: Batch,
    shards: Vec<Shard>,
    gradient: Vec<f64>,
}

#[derive(Debug, Clone)]
struct Stepper {
    adam: Adam,
    parameters: Vec<f64>,
}

/// The share of some shots of a batch, at most [`CHUNK`], in losses and gradients: what a thread works on.
#[derive(Debug, Clone, Default)]
struct Shard {
    first: usize,
    shots: usize,
    parts: [Option<ShardPart>; 3],
}

#[derive(Debug, Clone)]
struct ShardPart {
    /// Of so many samples as go through the network side by side.
    pass: NetworkPass,
    /// Sum of -ln q.
    loss: f64,
    gradient: Vec<f32>,
}

impl Shard {
    fn new(model: &NeuralModel, first: usize, shots: usize) -> Self {
        let parts = Part::ALL.map(|part| {
            let network = model.network(part)?;
            let gradient = vec![0.0; network.parameters().len()];
            Some(ShardPart { pass: network.new_pass(shots.min(network.lanes())), loss: 0.0, gradient })
        });
        Self { first, shots, parts }
    }

    /// Losses and gradients of its shots, given the contexts of all parts; `weight` is that of a shot.
    fn work(&mut self, model: &NeuralModel, batch: &Batch, contexts: &[Cow<'_, [i8]>; 3], weight: f64) {
        for part in Part::ALL {
            let (Some(network), Some(own)) = (model.network(part), &mut self.parts[part as usize]) else { continue };
            let (bits, contexts) = (part.rows(batch).0, &contexts[part as usize]);
            let (n, c, g) = (network.n_bits(), network.n_context(), network.n_globals());
            own.loss = 0.0;
            own.gradient.fill(0.0);
            let end = self.first + self.shots;
            for first in (self.first..end).step_by(network.lanes()) {
                let shots = network.lanes().min(end - first);
                if network.samples(&own.pass) != shots {
                    own.pass = network.new_pass(shots);
                }
                let range = |width: usize| first * width..(first + shots) * width;
                network.set_context(&contexts[range(c)], &batch.globals[range(g)], &mut own.pass);
                network.evaluate(&bits[range(n)], &mut own.pass);
                own.loss -= network.ln_q(&own.pass).iter().sum::<f64>();
                network.accumulate_gradient(&mut own.pass, &vec![weight; shots], &mut own.gradient);
            }
        }
    }
}

impl NeuralTrainer {
    /// A trainer at the steps that the model has behind it.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an empty batch, no steps, a rate or a bound that is not positive.
    pub fn new(model: NeuralModel, params: TrainingParams) -> Result<Self> {
        params.validate()?;
        let mut steppers = [None, None, None];
        for part in Part::ALL {
            if let Some(network) = model.network(part) {
                let parameters = network.parameters().to_vec();
                let n = parameters.len();
                let adam = Adam::new(AdamParams::default().learning_rate(params.learning_rate), n)?;
                steppers[part as usize] = Some(Stepper { adam, parameters });
            }
        }
        let shard = |first| Shard::new(&model, first, CHUNK.min(params.batch - first));
        let shards = (0..params.batch).step_by(CHUNK).map(shard).collect();
        Ok(Self { model, params, steppers, good: None, batch: Batch::default(), shards, gradient: Vec::new() })
    }

    /// The model as it is now.
    pub fn model(&self) -> &NeuralModel {
        &self.model
    }

    /// The model.
    pub fn into_model(self) -> NeuralModel {
        self.model
    }

    /// The parameters of the training.
    pub fn params(&self) -> &TrainingParams {
        &self.params
    }

    /// Sets the number of steps over which the rate falls, as long as none is done.
    ///
    /// # Errors
    /// [`Error::Parameter`] for 0, or after the first step.
    pub fn set_steps(&mut self, steps: u64) -> Result<()> {
        if self.model.steps > 0 {
            let value = steps.to_string();
            return Err(Error::Parameter { what: "steps", value, expected: "the number the training began with" });
        }
        let params = self.params.steps(steps);
        params.validate()?;
        self.params = params;
        Ok(())
    }

    /// Steps done.
    pub fn steps(&self) -> u64 {
        self.model.steps
    }

    /// One step: samples, gradient, parameters.
    ///
    /// # Errors
    /// [`Error::Diverged`] when a loss, a gradient or a parameter is not finite; the model is then the last one known to have
    /// finite losses, one or two steps back.
    pub fn step(&mut self) -> Result<TrainingStep> {
        let result = self.try_step();
        if let Err(Error::Diverged { .. }) = &result
            && let Some(good) = self.good.take()
        {
            self.steppers = good;
            self.model.steps -= 1;
            for part in Part::ALL {
                let stepper = &self.steppers[part as usize];
                if let (Some(network), Some(stepper)) = (self.model.network_mut(part), stepper) {
                    network.set_parameters(&stepper.parameters)?;
                }
            }
        }
        result
    }

    fn try_step(&mut self) -> Result<TrainingStep> {
        let step = self.model.steps;
        let (shots, threads) = (self.params.batch, threads::count(self.params.threads));
        let streams = Streams::new(self.params.seed).child(step);
        self.model.subject().draw_on(threads, shots, streams, &mut self.batch)?;
        let rate = self.params.rate(step);
        let mut loss = [None; 3];
        let diverged = |what, value| Err(Error::Diverged { step: step + 1, what, value });
        let (model, batch) = (&self.model, &self.batch);
        let contexts = Part::ALL.map(|part| model.network(part).map_or_else(Cow::default, |n| n.contexts(part, batch)));
        threads::for_each(threads, &mut self.shards, |shard| shard.work(model, batch, &contexts, -1.0 / shots as f64));
        // Shards are added in their order; a step of Adam changes nothing but its own network.
        let mut steppers = self.steppers.clone();
        for part in Part::ALL {
            let k = part as usize;
            let Some(stepper) = &mut steppers[k] else { continue };
            let shards = || self.shards.iter().filter_map(|shard| shard.parts[k].as_ref());
            let mean = shards().map(|shard| shard.loss).sum::<f64>() / shots as f64;
            if !mean.is_finite() {
                return diverged("loss", mean);
            }
            loss[k] = Some(mean);
            let gradient = &mut self.gradient;
            gradient.clear();
            gradient.resize(stepper.parameters.len(), 0.0);
            for shard in shards() {
                gradient.iter_mut().zip(&shard.gradient).for_each(|(g, &s)| *g += f64::from(s));
            }
            let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
            if !norm.is_finite() {
                return diverged("norm of the gradient", norm);
            }
            if norm > self.params.clip {
                let scale = self.params.clip / norm;
                gradient.iter_mut().for_each(|g| *g *= scale);
            }
            stepper.adam.set_learning_rate(rate)?;
            stepper.adam.step(&mut stepper.parameters, gradient)?;
        }
        // The parameters have shown that they are good: from here on a failure goes back to them.
        self.good = Some(std::mem::replace(&mut self.steppers, steppers));
        self.model.steps += 1;
        for part in Part::ALL {
            let (Some(network), Some(stepper)) = (self.model.network_mut(part), &self.steppers[part as usize]) else {
                continue;
            };
            if network.set_parameters(&stepper.parameters).is_err() {
                return diverged("largest parameter", stepper.parameters.iter().fold(0.0, |a, x| x.abs().max(a)));
            }
        }
        let floor = -self.batch.ln_prob.iter().sum::<f64>() / shots as f64;
        Ok(TrainingStep { step: step + 1, loss, floor, rate })
    }

    fn architecture(&self) -> String {
        let networks = Part::ALL.iter().filter_map(|&part| self.model.network(part));
        let networks: Vec<String> = networks.map(|network| network.architecture()).collect();
        // The number of threads may change on the way.
        let params = self.params.threads(0);
        format!("{};{params:?};{}", networks.join(";"), self.model.subject().noise_text())
    }

    /// The state: parameters, moments of Adam, number of steps.
    pub fn checkpoint(&self) -> Checkpoint {
        let mut writer = Writer::new();
        writer.write_str(&self.architecture()).write_u64(self.model.steps);
        for stepper in self.steppers.iter().flatten() {
            writer.write_f64s(&stepper.parameters);
            stepper.adam.save(&mut writer);
        }
        Checkpoint::new(KIND, self.model.subject().content_hash(), writer)
    }

    /// Goes on where a checkpoint was taken, bit for bit.
    ///
    /// # Errors
    /// [`Error::Numerics`] for a checkpoint of another subject or a damaged one, [`Error::Model`] for one of other networks
    /// or other parameters of the training. Nothing is changed then.
    pub fn restore(&mut self, from: &Checkpoint) -> Result<()> {
        let problem = |error: CheckpointError| Error::from(linalg_core::Error::from(error));
        let mut reader = from.open(KIND, self.model.subject().content_hash()).map_err(problem)?;
        let (found, expected) = (reader.read_str().map_err(problem)?.to_owned(), self.architecture());
        if found != expected {
            return Err(Error::Model { what: "networks, training and noise", found, expected });
        }
        let steps = reader.read_count().map_err(problem)?;
        let mut restored = self.clone();
        for part in Part::ALL {
            let Some(stepper) = &mut restored.steppers[part as usize] else { continue };
            reader.read_f64s_into(&mut stepper.parameters).map_err(problem)?;
            stepper.adam.restore(&mut reader).map_err(problem)?;
            if let Some(network) = restored.model.network_mut(part) {
                network.set_parameters(&stepper.parameters)?;
            }
        }
        reader.finish().map_err(problem)?;
        restored.model.steps = steps;
        // Of the history that is left behind.
        restored.good = None;
        *self = restored;
        Ok(())
    }
}
