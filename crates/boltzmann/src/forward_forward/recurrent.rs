//! Layers that hear each other: input below, labels on top, several steps in time.

use linalg_core::Streams;
use linalg_core::checkpoint::{Checkpoint, CheckpointError, ContentHash, Writer};
use linalg_core::gemm::{Matrix, MatrixMut, gemm};
use linalg_core::logspace::{sigmoid, softplus};
use linalg_core::rand::Rng;
use linalg_core::rng::standard_normal;
use linalg_core::simd::widest;

use super::layers::normalise;
use super::negatives::wrong_label;
use crate::deep::network::Real;
use crate::deep::{Rates, Step};
use crate::train::{Batches, InBatches, Schedule};
use crate::{Error, Result};

const KIND: &str = "boltzmann recurrent forward-forward 2";

/// Streams: orders of the rows by epoch, and the negative labels of every update.
const ORDER: u64 = 0;
const LABELS: u64 = 1;

/// Rows that are classified together.
const ROWS: usize = 128;

/// A network whose layers learn by themselves from the layers below and above them, and from themselves, one step before.
///
/// With $`\hat x`$ for a vector brought to length $`\sqrt n`$, the activities of hidden layer k at time t are
///
/// ```math
/// y^k_t = \max\big(0, W^k \hat x^{k-1}_{t-1} + L^k \hat x^k_{t-1} + V^k \hat x^{k+1}_{t-1} + b^k\big), \qquad
/// x^k_t = 0.3\, \hat x^k_{t-1} + 0.7\, \hat y^k_t ,
/// ```
///
/// all layers at once; $`\hat x^0`$ is the row and the last layer is the label. The lateral couplings L are an option. The first
/// states come from a pass upwards. At every step each layer raises $`\ln \sigma(\sum y^2 - \theta)`$ for rows with their label and lowers
/// it for rows with another: what comes from above is learned as well, but no derivative passes from layer to layer or back in time.
/// G. E. Hinton, arXiv:2212.13345 (2022), section 4.
///
/// ```
/// use boltzmann::forward_forward::{RecurrentForwardForward, RecurrentParams, RecurrentTrainer};
/// use linalg_core::Streams;
///
/// // Two classes: which half of four inputs is lit.
/// let rows: Vec<f32> = (0..64).flat_map(|k| if k % 2 == 0 { [1., 1., 0., 0.] } else { [0., 0., 1., 1.] }).collect();
/// let labels: Vec<usize> = (0..64).map(|k| k % 2).collect();
/// let net = RecurrentForwardForward::random(4, 2, &[20, 20], true, &mut Streams::new(1).stream(0))?;
/// let params = RecurrentParams::default().epochs(60).batch(32).learning_rate(0.01);
/// let mut trainer = RecurrentTrainer::new(net, &rows, &labels, params)?;
/// trainer.run()?;
/// assert_eq!(trainer.network().classify(&rows), labels);
/// # Ok::<(), boltzmann::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RecurrentForwardForward {
    /// Inputs, hidden layers, classes.
    sizes: Vec<usize>,
    lateral: bool,
    /// Layer by layer: weights outputs x (below, itself where there are lateral couplings, above), then biases.
    parameters: Vec<f32>,
    /// Steps in time.
    steps: usize,
}

impl RecurrentForwardForward {
    /// A network with hidden layers of these sizes and eight steps in time; Gaussian weights of variance 1 over the inputs of a unit.
    ///
    /// # Errors
    /// [`Error::Empty`] without inputs, without hidden layers or for one without units, [`Error::Parameter`] for fewer than two classes.
    pub fn random<R: Rng + ?Sized>(
        n_inputs: usize,
        n_classes: usize,
        hidden: &[usize],
        lateral: bool,
        rng: &mut R,
    ) -> Result<Self> {
        if n_inputs == 0 || hidden.is_empty() || hidden.contains(&0) {
            return Err(Error::Empty { what: "layer of a network" });
        }
        if n_classes < 2 {
            let value = n_classes.to_string();
            return Err(Error::Parameter { what: "number of classes", value, expected: "2 or more" });
        }
        let sizes: Vec<usize> = std::iter::once(n_inputs).chain(hidden.iter().copied()).chain([n_classes]).collect();
        let mut net = Self { sizes, lateral, parameters: Vec::new(), steps: 8 };
        for k in 0..hidden.len() {
            let (inputs, outputs) = net.layer_sizes(k);
            let scale = 1.0 / (inputs as f64).sqrt();
            net.parameters.extend((0..inputs * outputs).map(|_| (scale * standard_normal(rng)) as f32));
            net.parameters.resize(net.parameters.len() + outputs, 0.0);
        }
        Ok(net)
    }

    /// Sets the steps in time, at least one.
    pub fn with_steps(mut self, steps: usize) -> Self {
        self.steps = steps.max(1);
        self
    }

    /// Number of inputs.
    pub fn n_inputs(&self) -> usize {
        self.sizes[0]
    }

    /// Number of classes.
    pub fn n_classes(&self) -> usize {
        self.sizes[self.sizes.len() - 1]
    }

    /// Sizes of the hidden layers.
    pub fn hidden(&self) -> &[usize] {
        &self.sizes[1..self.sizes.len() - 1]
    }

    /// Inputs of a unit of hidden layer `k` from 0, and its units.
    fn layer_sizes(&self, k: usize) -> (usize, usize) {
        let own = if self.lateral { self.sizes[k + 1] } else { 0 };
        (self.sizes[k] + own + self.sizes[k + 2], self.sizes[k + 1])
    }

    /// Numbers of parameters of the hidden layers.
    fn lengths(&self) -> Vec<usize> {
        (0..self.hidden().len()).map(|k| self.layer_sizes(k)).map(|(inputs, outputs)| (inputs + 1) * outputs).collect()
    }

    /// What hidden layer `k` hears: the states below, of its own, and above, side by side.
    fn heard<T: Real>(&self, k: usize, states: &[Vec<T>], rows: usize) -> Vec<T> {
        let mut out = Vec::with_capacity(rows * self.layer_sizes(k).0);
        for row in 0..rows {
            for (layer, state) in states.iter().enumerate().skip(k).take(3) {
                if layer != k + 1 || self.lateral {
                    let n = self.sizes[layer];
                    out.extend_from_slice(&state[row * n..][..n]);
                }
            }
        }
        out
    }

    /// States before the first step: the row and the label at their length, hidden layers by a pass upwards that hears nothing else.
    fn first_states<T: Real>(&self, parameters: &[T], inputs: &[T], labels: &[usize]) -> Vec<Vec<T>> {
        let rows = labels.len();
        let mut states: Vec<Vec<T>> = self.sizes.iter().map(|n| vec![T::ZERO; rows * n]).collect();
        states[0].copy_from_slice(inputs);
        let mut rest = parameters;
        for (k, length) in self.lengths().into_iter().enumerate() {
            let own = rest.split_off(..length).unwrap_or_default();
            let mut y = self.respond(k, own, &self.heard(k, &states, rows), rows);
            y.chunks_exact_mut(self.sizes[k + 1]).for_each(normalise);
            states[k + 1] = y;
        }
        let top = self.sizes.len() - 1;
        for (row, &label) in states[top].chunks_exact_mut(self.n_classes()).zip(labels) {
            row[label] = T::ONE;
            normalise(row);
        }
        states
    }

    /// The activities of hidden layer `k`.
    fn respond<T: Real>(&self, k: usize, parameters: &[T], heard: &[T], rows: usize) -> Vec<T> {
        let (inputs, outputs) = self.layer_sizes(k);
        let (weights, bias) = parameters.split_at(inputs * outputs);
        let mut y: Vec<T> = (0..rows).flat_map(|_| bias.iter().copied()).collect();
        gemm(
            T::ONE,
            Matrix::row_major(heard, rows, inputs),
            Matrix::row_major(weights, outputs, inputs).transposed(),
            T::ONE,
            MatrixMut::row_major(&mut y, rows, outputs),
        );
        y.iter_mut().for_each(|y| *y = if *y > T::ZERO { *y } else { T::ZERO });
        y
    }

    /// Goes through all steps; `each` gets step, hidden layer, what it heard, and its activities.
    fn steps<T: Real>(
        &self,
        parameters: &[T],
        inputs: &[T],
        labels: &[usize],
        mut each: impl FnMut(usize, usize, &[T], &[T]),
    ) {
        let rows = labels.len();
        let mut states = self.first_states(parameters, inputs, labels);
        for step in 0..self.steps {
            let mut next = states.clone();
            let mut rest = parameters;
            for (k, length) in self.lengths().into_iter().enumerate() {
                let own = rest.split_off(..length).unwrap_or_default();
                let heard = self.heard(k, &states, rows);
                let mut y = self.respond(k, own, &heard, rows);
                each(step, k, &heard, &y);
                let n = self.sizes[k + 1];
                y.chunks_exact_mut(n).for_each(normalise);
                next[k + 1].iter_mut().zip(y).for_each(|(x, y)| *x = T::of(0.3) * *x + T::of(0.7) * y);
                next[k + 1].chunks_exact_mut(n).for_each(normalise);
            }
            states = next;
        }
    }

    /// The loss of rows, averaged over steps and summed over layers; adds its derivatives by the parameters, each through its own layer
    /// and step alone, to the gradient.
    fn loss<T: Real>(&self, parameters: &[T], inputs: &[T], labels: &[usize], phase: Phase, gradient: &mut [T]) -> f64 {
        let Phase { data, threshold, weight } = phase;
        let rows = labels.len();
        let scale = weight / self.steps as f64;
        let starts: Vec<usize> = self.lengths().iter().scan(0, |at, n| Some(std::mem::replace(at, *at + n))).collect();
        let mut loss = 0.0;
        self.steps(parameters, inputs, labels, |_, k, heard, y| {
            let (inputs, outputs) = self.layer_sizes(k);
            let sign = if data { -1.0 } else { 1.0 };
            let mut deltas = y.to_vec();
            for row in deltas.chunks_exact_mut(outputs) {
                let excess = goodness(row) - threshold * outputs as f64;
                loss += scale * softplus(sign * excess);
                let factor = T::of(2.0 * scale * sign * sigmoid(sign * excess));
                row.iter_mut().for_each(|y| *y = *y * factor);
            }
            let own = &mut gradient[starts[k]..][..(inputs + 1) * outputs];
            let (weights, bias) = own.split_at_mut(inputs * outputs);
            gemm(
                T::ONE,
                Matrix::row_major(&deltas, rows, outputs).transposed(),
                Matrix::row_major(heard, rows, inputs),
                T::ONE,
                MatrixMut::row_major(weights, outputs, inputs),
            );
            for row in deltas.chunks_exact(outputs) {
                bias.iter_mut().zip(row).for_each(|(b, x)| *b = *b + *x);
            }
        });
        loss
    }

    /// The class with the largest goodness of every row: a run for each label, summed over the layers and the middle steps, from three
    /// eighths of all to five eighths (3 to 5 of 8).
    ///
    /// # Panics
    /// If `rows` ends inside a row.
    pub fn classify(&self, rows: &[f32]) -> Vec<usize> {
        let n = self.n_inputs();
        assert!(rows.len().is_multiple_of(n), "{} inputs for rows of {n}", rows.len());
        let middle = (3 * self.steps).div_ceil(8).max(1) - 1..(5 * self.steps).div_ceil(8);
        let mut out = Vec::with_capacity(rows.len() / n);
        for rows in rows.chunks(ROWS * n) {
            let mut inputs = rows.to_vec();
            inputs.chunks_exact_mut(n).for_each(normalise);
            let count = rows.len() / n;
            let (mut best, mut found) = (vec![f64::NEG_INFINITY; count], vec![0; count]);
            for label in 0..self.n_classes() {
                let mut total = vec![0.0; count];
                self.steps(&self.parameters, &inputs, &vec![label; count], |step, k, _, y| {
                    if middle.contains(&step) {
                        let rows = y.chunks_exact(self.sizes[k + 1]);
                        total.iter_mut().zip(rows).for_each(|(total, y)| *total += goodness(y));
                    }
                });
                for ((best, found), total) in best.iter_mut().zip(&mut found).zip(total) {
                    if total > *best {
                        (*best, *found) = (total, label);
                    }
                }
            }
            out.extend(found);
        }
        out
    }
}

/// Rows with their labels or negative data, the goodness a unit that parts them, and the weight of a row.
#[derive(Debug, Clone, Copy)]
struct Phase {
    data: bool,
    threshold: f64,
    weight: f64,
}

fn goodness<T: Real>(y: &[T]) -> f64 {
    y.iter().map(|y| y.to_f64() * y.to_f64()).sum()
}

/// Parameters of [`RecurrentTrainer`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RecurrentParams {
    /// Goodness a unit at which a row is as likely data as not; default 1.
    pub threshold: f64,
    /// First learning rate of Adam; default 0.001.
    pub learning_rate: f64,
    /// How it falls; default linearly to 0.
    pub schedule: Schedule,
    /// Passes through the data; default 10.
    pub epochs: u64,
    /// Rows of a batch; default 128. The rest of an epoch that fills no batch is left out.
    pub batch: usize,
    /// Seed of everything random; default 0.
    pub seed: u64,
}

impl Default for RecurrentParams {
    fn default() -> Self {
        let schedule = Schedule::Linear { end: 0.0 };
        Self { threshold: 1.0, learning_rate: 0.001, schedule, epochs: 10, batch: 128, seed: 0 }
    }
}

impl RecurrentParams {
    /// Sets the goodness a unit at which a row is as likely data as not.
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }
    /// Sets the first learning rate.
    pub fn learning_rate(mut self, rate: f64) -> Self {
        self.learning_rate = rate;
        self
    }
    /// Sets how the learning rate falls.
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }
    /// Sets the passes through the data.
    pub fn epochs(mut self, epochs: u64) -> Self {
        self.epochs = epochs;
        self
    }
    /// Sets the rows of a batch.
    pub fn batch(mut self, rows: usize) -> Self {
        self.batch = rows;
        self
    }
    /// Sets the seed.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

/// Trains a [`RecurrentForwardForward`] network on rows with labels; negative data are the same rows with other labels, all alike.
///
/// An update costs some `8 · steps` operations a weight and row of the batch, on one thread. A run restored from a
/// [`checkpoint`](Self::checkpoint) goes on bit by bit.
#[derive(Debug, Clone)]
pub struct RecurrentTrainer<'a> {
    network: RecurrentForwardForward,
    rows: &'a [f32],
    labels: &'a [usize],
    params: RecurrentParams,
    /// Means and squares of the gradient.
    moments: [Vec<f32>; 2],
    batches: Batches,
}

impl<'a> RecurrentTrainer<'a> {
    /// A run from `network` on rows of inputs and their classes.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::WrongLength`] for a part of a row or labels that are not as many as rows, [`Error::NotFinite`] for
    /// a bad input, [`Error::Alphabet`] for a label beyond the classes (its row), [`Error::Parameter`].
    pub fn new(
        network: RecurrentForwardForward,
        rows: &'a [f32],
        labels: &'a [usize],
        params: RecurrentParams,
    ) -> Result<Self> {
        super::check_rows(rows, labels, network.n_inputs(), network.n_classes())?;
        params.schedule.validate()?;
        for (what, value) in [("threshold", params.threshold), ("learning rate", params.learning_rate)] {
            if !(0.0..=1e3).contains(&value) {
                return Err(Error::Parameter { what, value: value.to_string(), expected: "0 to 1000" });
            }
        }
        let zeros = vec![0.0; network.parameters.len()];
        let streams = Streams::new(params.seed).child(ORDER);
        let batches = Batches::new(labels.len(), params.batch, params.epochs, streams)?;
        Ok(Self { network, rows, labels, params, moments: [zeros.clone(), zeros], batches })
    }

    /// The network as it is.
    pub fn network(&self) -> &RecurrentForwardForward {
        &self.network
    }

    /// The network, at the end.
    pub fn into_network(self) -> RecurrentForwardForward {
        self.network
    }

    /// Batches done.
    pub fn updates(&self) -> u64 {
        self.batches.updates()
    }

    /// Batches of an epoch.
    pub fn updates_per_epoch(&self) -> u64 {
        self.batches.per_epoch()
    }

    /// Batches of the whole run.
    pub fn total_updates(&self) -> u64 {
        self.batches.total()
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// As [`epoch`](Self::epoch).
    pub fn run(&mut self) -> Result<()> {
        self.finish()
    }

    /// Runs to the end of the present epoch; returns the mean loss a row and step, summed over layers, data and negative data.
    ///
    /// # Errors
    /// [`Error::Diverged`] when the loss is not finite: the network is then what it was before that batch; or when a parameter is not
    /// finite: it is then what it was before the epoch.
    pub fn epoch(&mut self) -> Result<f64> {
        self.finish_epoch()
    }

    fn content_hash(&self) -> u64 {
        let mut hash = ContentHash::new();
        hash.write_usizes(&self.network.sizes).write_usizes(&[usize::from(self.network.lateral), self.network.steps]);
        hash.write_usizes(self.labels);
        hash.write_f32s(self.rows);
        hash.write_str(&format!("{:?}", self.params));
        hash.finish()
    }

    /// The state of the run. It belongs to its data and parameters.
    pub fn checkpoint(&self) -> Checkpoint {
        let mut out = Writer::new();
        out.write_u64(self.updates());
        std::iter::once(&self.network.parameters).chain(&self.moments).for_each(|values| {
            out.write_f32s(values);
        });
        Checkpoint::new(KIND, self.content_hash(), out)
    }

    /// Goes on from a checkpoint of a run with the same data and parameters; bit by bit as if it had not been interrupted.
    ///
    /// # Errors
    /// When the checkpoint is of another run or damaged; the trainer is then what it was.
    pub fn restore(&mut self, from: &Checkpoint) -> Result<()> {
        let mut other = self.clone();
        other.read(from)?;
        *self = other;
        Ok(())
    }

    fn read(&mut self, from: &Checkpoint) -> std::result::Result<(), CheckpointError> {
        let mut reader = from.open(KIND, self.content_hash())?;
        self.batches.read(&mut reader)?;
        for values in std::iter::once(&mut self.network.parameters).chain(&mut self.moments) {
            reader.read_f32s_into(values)?;
        }
        reader.finish()
    }
}

impl InBatches for RecurrentTrainer<'_> {
    fn batches(&self) -> &Batches {
        &self.batches
    }

    fn update(&mut self) -> Result<f64> {
        let (n, classes) = (self.network.n_inputs(), self.network.n_classes());
        let present = self.batches.present();
        let mut inputs: Vec<f32> =
            present.iter().flat_map(|&row| self.rows[row as usize * n..][..n].iter().copied()).collect();
        inputs.chunks_exact_mut(n).for_each(normalise);
        let labels: Vec<usize> = present.iter().map(|&row| self.labels[row as usize]).collect();
        let mut rng = Streams::new(self.params.seed).child(LABELS).fast_stream(self.batches.updates());
        let others: Vec<usize> = labels.iter().map(|&y| wrong_label(y, None, classes, &mut rng)).collect();
        let net = &self.network;
        let phase = |data| Phase { data, threshold: self.params.threshold, weight: 1.0 / labels.len() as f64 };
        let mut gradient = vec![0.0; net.parameters.len()];
        let mut loss = net.loss(&net.parameters, &inputs, &labels, phase(true), &mut gradient);
        loss += net.loss(&net.parameters, &inputs, &others, phase(false), &mut gradient);
        let loss = self.batches.finite(loss)?;
        let rate = self.params.learning_rate * self.params.schedule.factor(self.batches.done());
        let rates = Rates::of_update(self.batches.updates(), rate, 0.0);
        let [mean, square] = &mut self.moments;
        widest(Step { x: &mut self.network.parameters, gradient: &gradient, mean, square, rates });
        self.batches.advance();
        Ok(loss)
    }

    fn parameters(&mut self) -> Vec<&mut [f32]> {
        vec![&mut self.network.parameters]
    }
}

#[cfg(test)]
mod tests;
