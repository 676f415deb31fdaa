//! Training of a network by backpropagation.

use linalg_core::Streams;
use linalg_core::checkpoint::{Checkpoint, CheckpointError, ContentHash, Writer};
use linalg_core::optim::ConjugateGradientParams;

use super::network::{Block, Loss, Network, Piece, ROWS, gradient_of_piece};
use crate::train::{Batches, InBatches, Schedule};
use crate::{Error, Result};
use linalg_core::simd::{Work, widest};
use linalg_core::threads;

const KIND: &str = "boltzmann network trainer 2";

/// How a batch changes the parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Optimizer {
    /// A step of Adam a batch: decays 0.9 and 0.999, ε = 1e-8. Kingma and Ba, arXiv:1412.6980.
    Adam,
    /// So many line searches of nonlinear conjugate gradients a batch; batches of some thousand rows. The learning rate is not used.
    ConjugateGradient {
        /// Line searches.
        line_searches: usize,
    },
}

/// Parameters of [`NetworkTrainer`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NetworkTraining {
    /// What is minimised; default cross-entropy.
    pub loss: Loss,
    /// How; default Adam.
    pub optimizer: Optimizer,
    /// First learning rate; default 0.001.
    pub learning_rate: f64,
    /// How it falls; default linearly to 0.
    pub schedule: Schedule,
    /// Passes through the data; default 10.
    pub epochs: u64,
    /// Rows of a batch; default 128. The rest of an epoch that fills no batch is left out; the next epoch has another order.
    pub batch: usize,
    /// Decoupled decay of the weights; default 0.
    pub l2: f64,
    /// Seed of the order of the rows; default 0.
    pub seed: u64,
    /// Threads, 0 for all there are; default 1. The numbers do not depend on it.
    pub threads: usize,
}

impl Default for NetworkTraining {
    fn default() -> Self {
        Self {
            loss: Loss::CrossEntropy,
            optimizer: Optimizer::Adam,
            learning_rate: 0.001,
            schedule: Schedule::Linear { end: 0.0 },
            epochs: 10,
            batch: 128,
            l2: 0.0,
            seed: 0,
            threads: 1,
        }
    }
}

impl NetworkTraining {
    /// Sets what is minimised.
    pub fn loss(mut self, loss: Loss) -> Self {
        self.loss = loss;
        self
    }
    /// Sets how it is minimised.
    pub fn optimizer(mut self, optimizer: Optimizer) -> Self {
        self.optimizer = optimizer;
        self
    }
    /// Sets the first learning rate and how it falls.
    pub fn learning_rate(mut self, rate: f64, schedule: Schedule) -> Self {
        (self.learning_rate, self.schedule) = (rate, schedule);
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
    /// Sets the decay of the weights.
    pub fn l2(mut self, l2: f64) -> Self {
        self.l2 = l2;
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

    fn validate(&self) -> Result<()> {
        self.schedule.validate()?;
        for (what, value) in [("learning rate", self.learning_rate), ("l2 decay", self.l2)] {
            if !(0.0..=1e3).contains(&value) {
                return Err(Error::Parameter { what, value: value.to_string(), expected: "0 to 1000" });
            }
        }
        if self.optimizer == (Optimizer::ConjugateGradient { line_searches: 0 }) {
            let value = "0".to_owned();
            return Err(Error::Parameter { what: "line searches a batch", value, expected: "1 or more" });
        }
        Ok(())
    }
}

/// Minimises the loss of a network over rows of inputs and targets.
///
/// An update costs six operations a weight and row of the batch. The numbers do not depend on the number of threads, and a
/// run restored from a [`checkpoint`](Self::checkpoint) goes on bit by bit.
///
/// ```
/// use boltzmann::deep::{Activation, Network, NetworkTrainer, NetworkTraining};
/// use boltzmann::train::Schedule;
/// use linalg_core::Streams;
///
/// // The exclusive or.
/// let inputs = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
/// let targets = [0.0, 1.0, 1.0, 0.0];
/// let start = Network::random(vec![2, 8, 1], vec![Activation::Logistic; 2], &mut Streams::new(1).stream(0))?;
/// let params = NetworkTraining::default().batch(4).epochs(1000).learning_rate(0.05, Schedule::Constant);
/// let mut trainer = NetworkTrainer::new(start, &inputs, &targets, params)?;
/// trainer.run()?;
/// assert!(trainer.network().squared_error(&inputs, &targets, 1) < 0.01);
/// # Ok::<(), boltzmann::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct NetworkTrainer<'a> {
    network: Network,
    inputs: &'a [f32],
    targets: &'a [f32],
    params: NetworkTraining,
    pieces: Vec<Piece>,
    gradient: Vec<f32>,
    /// Means of the gradient and of its square.
    moments: [Vec<f32>; 2],
    blocks: Vec<Block<f32>>,
    batches: Batches,
}

impl<'a> NetworkTrainer<'a> {
    /// A run from `network` on rows of inputs and targets.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::WrongLength`] for slices that do not hold as many whole rows, [`Error::NotFinite`] for a bad
    /// input or target, [`Error::Parameter`].
    pub fn new(network: Network, inputs: &'a [f32], targets: &'a [f32], params: NetworkTraining) -> Result<Self> {
        let sizes = network.sizes();
        let (n, m) = (sizes[0], sizes[sizes.len() - 1]);
        if inputs.is_empty() {
            return Err(Error::Empty { what: "data" });
        }
        crate::error::check_length("inputs", inputs.len(), inputs.len().div_ceil(n) * n)?;
        let rows = inputs.len() / n;
        crate::error::check_length("targets", targets.len(), rows * m)?;
        for (what, values) in [("inputs", inputs), ("targets", targets)] {
            if let Some(index) = values.iter().position(|x| !x.is_finite()) {
                return Err(Error::NotFinite { what, index, value: f64::from(values[index]) });
            }
        }
        params.validate()?;
        let batches = Batches::new(rows, params.batch, params.epochs, Streams::new(params.seed))?;
        let size = |k: usize| ROWS.min(params.batch - k * ROWS);
        let blocks = (0..params.batch.div_ceil(ROWS)).map(|k| Block::new(&network.shape, size(k))).collect();
        let zeros = vec![0.0; network.parameters.len()];
        Ok(Self {
            pieces: network.shape.pieces(),
            gradient: zeros.clone(),
            moments: [zeros.clone(), zeros],
            blocks,
            batches,
            network,
            inputs,
            targets,
            params,
        })
    }

    /// The network as it is.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The network, at the end.
    pub fn into_network(self) -> Network {
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

    /// Runs to the end of the present epoch; returns the mean loss of its batches, each before its update.
    ///
    /// # Errors
    /// [`Error::Diverged`] when the loss is not finite: the network is then what it was before that batch; or when a parameter is not
    /// finite: it is then what it was before the epoch.
    pub fn epoch(&mut self) -> Result<f64> {
        self.finish_epoch()
    }

    /// The mean loss of the batch, with its derivatives in the blocks.
    fn evaluate(&mut self) -> f64 {
        let (n, m) = (self.network.sizes()[0], self.targets.len() / (self.inputs.len() / self.network.sizes()[0]));
        let rows = self.batches.present();
        let (network, loss, scale) = (&self.network, self.params.loss, 1.0 / self.params.batch as f64);
        let (inputs, targets) = (self.inputs, self.targets);
        threads::for_pieces(threads::count(self.params.threads), &mut self.blocks, |first, blocks| {
            for (k, block) in blocks.iter_mut().enumerate() {
                let rows = &rows[(first + k) * ROWS..];
                let rows = &rows[..rows.len().min(ROWS)];
                let mut wanted = Vec::with_capacity(rows.len() * m);
                for (&row, to) in rows.iter().zip(block.activities[0].chunks_exact_mut(n)) {
                    to.copy_from_slice(&inputs[row as usize * n..][..n]);
                    wanted.extend_from_slice(&targets[row as usize * m..][..m]);
                }
                block.forward(&network.shape, &network.parameters);
                block.backward(&network.shape, &network.parameters, &wanted, loss, scale);
            }
        });
        scale * self.blocks.iter().map(|block| block.loss).sum::<f64>()
    }

    fn adam(&mut self) -> f64 {
        let loss = self.evaluate();
        if !loss.is_finite() {
            return loss;
        }
        let rate = self.params.learning_rate * self.params.schedule.factor(self.batches.done());
        let rates = Rates::of_update(self.batches.updates(), rate, self.params.l2);
        let (shape, blocks) = (&self.network.shape, &self.blocks);
        let [mean, square] = &mut self.moments;
        let mut rest = [&mut self.network.parameters[..], &mut self.gradient[..], &mut mean[..], &mut square[..]];
        let mut items: Vec<(Piece, [&mut [f32]; 4])> = Vec::with_capacity(self.pieces.len());
        for &piece in &self.pieces {
            let n = shape.len(piece);
            items.push((piece, rest.each_mut().map(|slice| slice.split_off_mut(..n).unwrap_or_default())));
        }
        threads::for_pieces(threads::count(self.params.threads), &mut items, |_, items| {
            for (piece, [x, gradient, mean, square]) in items {
                gradient_of_piece(shape, *piece, blocks, gradient);
                // Biases do not decay.
                let rates = if piece.bias { Rates { decay: 0.0, ..rates } } else { rates };
                widest(Step { x, gradient, mean, square, rates });
            }
        });
        loss
    }

    /// Derivatives by all parameters from the blocks.
    fn gradient(&mut self) {
        let (shape, blocks) = (&self.network.shape, &self.blocks);
        let mut rest = &mut self.gradient[..];
        let mut items: Vec<(Piece, &mut [f32])> = Vec::with_capacity(self.pieces.len());
        for &piece in &self.pieces {
            items.push((piece, rest.split_off_mut(..shape.len(piece)).unwrap_or_default()));
        }
        threads::for_pieces(threads::count(self.params.threads), &mut items, |_, items| {
            items.iter_mut().for_each(|(piece, gradient)| gradient_of_piece(shape, *piece, blocks, gradient));
        });
    }

    fn conjugate_gradient(&mut self, line_searches: usize) -> Result<f64> {
        let start: Vec<f64> = self.network.parameters.iter().map(|&x| f64::from(x)).collect();
        let before = self.network.parameters.clone();
        let (l2, mut first) = (self.params.l2, None);
        let method = ConjugateGradientParams::default().max_iterations(line_searches);
        let report = method.minimize(
            |x, gradient| {
                self.network.parameters.iter_mut().zip(x).for_each(|(own, x)| *own = *x as f32);
                let loss = self.evaluate();
                first.get_or_insert(loss);
                self.gradient();
                let mut penalty = 0.0;
                let mut k = 0;
                for &piece in &self.pieces {
                    let decay = if piece.bias { 0.0 } else { l2 };
                    for _ in 0..self.network.shape.len(piece) {
                        penalty += 0.5 * decay * x[k] * x[k];
                        gradient[k] = f64::from(self.gradient[k]) + decay * x[k];
                        k += 1;
                    }
                }
                loss + penalty
            },
            &start,
            &mut (),
        );
        match report {
            Ok(report) => {
                self.network.parameters.iter_mut().zip(&report.x).for_each(|(own, x)| *own = *x as f32);
                Ok(first.unwrap_or(f64::NAN))
            }
            Err(linalg_core::Error::NotFinite { .. }) => {
                self.network.parameters = before;
                Ok(f64::NAN)
            }
            Err(error) => {
                self.network.parameters = before;
                Err(error.into())
            }
        }
    }

    fn content_hash(&self) -> u64 {
        let mut hash = ContentHash::new();
        hash.write_usizes(self.network.sizes()).write_str(&format!("{:?}", self.network.activations()));
        hash.write_f32s(self.inputs).write_f32s(self.targets);
        hash.write_str(&format!("{:?}", self.params.clone().threads(1)));
        hash.finish()
    }

    /// The state of the run. It belongs to its data and parameters, the number of threads excepted.
    pub fn checkpoint(&self) -> Checkpoint {
        let mut out = Writer::new();
        out.write_u64(self.updates());
        [&self.network.parameters, &self.moments[0], &self.moments[1]].into_iter().for_each(|values| {
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
        let [mean, square] = &mut self.moments;
        for values in [&mut self.network.parameters, mean, square] {
            reader.read_f32s_into(values)?;
        }
        reader.finish()
    }
}

impl InBatches for NetworkTrainer<'_> {
    fn batches(&self) -> &Batches {
        &self.batches
    }

    fn update(&mut self) -> Result<f64> {
        let loss = match self.params.optimizer {
            Optimizer::Adam => self.adam(),
            Optimizer::ConjugateGradient { line_searches } => self.conjugate_gradient(line_searches)?,
        };
        let loss = self.batches.finite(loss)?;
        self.batches.advance();
        Ok(loss)
    }

    fn parameters(&mut self) -> Vec<&mut [f32]> {
        vec![&mut self.network.parameters]
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Rates {
    pub(crate) rate: f32,
    pub(crate) mean_scale: f32,
    pub(crate) square_scale: f32,
    pub(crate) decay: f32,
}

impl Rates {
    /// Those of the update after so many, with their corrections for the first ones.
    pub(crate) fn of_update(updates: u64, rate: f64, decay: f64) -> Self {
        let power = i32::try_from(updates + 1).unwrap_or(i32::MAX);
        Self {
            rate: rate as f32,
            mean_scale: (1.0 / (1.0 - 0.9f64.powi(power))) as f32,
            square_scale: (1.0 / (1.0 - 0.999f64.powi(power))) as f32,
            decay: decay as f32,
        }
    }
}

/// 0 for a subnormal number. The moments of a weight whose gradient is 0 from some update on would end as such numbers and stay
/// there, and each operation on one takes a hundred times as long.
#[inline(always)]
pub(crate) fn normal(x: f32) -> f32 {
    if x.abs() < f32::MIN_POSITIVE { 0.0 } else { x }
}

/// A step of Adam in `f32`, vectorised: networks of millions of weights live in the memory bandwidth. What it computes is
/// [`linalg_core::optim::Adam`], which the tests hold it against.
pub(crate) struct Step<'a> {
    pub(crate) x: &'a mut [f32],
    pub(crate) gradient: &'a [f32],
    pub(crate) mean: &'a mut [f32],
    pub(crate) square: &'a mut [f32],
    pub(crate) rates: Rates,
}

impl Work for Step<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Rates { rate, mean_scale, square_scale, decay } = self.rates;
        let moments = self.mean.iter_mut().zip(self.square);
        for ((x, g), (m, v)) in self.x.iter_mut().zip(self.gradient).zip(moments) {
            *m = normal(0.9 * *m + 0.1 * g);
            *v = normal(0.999 * *v + 0.001 * (g * g));
            *x -= rate * (*m * mean_scale / ((*v * square_scale).sqrt() + 1e-8) + decay * *x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deep::Activation;
    use linalg_core::optim::{Adam, AdamParams};

    fn data() -> (Vec<f32>, Vec<f32>) {
        let inputs: Vec<f32> = (0..300 * 4).map(|k| ((k * k % 97) as f32 * 0.7).sin()).collect();
        let targets = inputs.chunks(4).map(|row| if row[0] * row[1] > 0.0 { 1.0 } else { 0.0 }).collect();
        (inputs, targets)
    }

    fn start() -> Network {
        let mut rng = Streams::new(5).stream(0);
        Network::random(vec![4, 20, 1], vec![Activation::Logistic; 2], &mut rng).unwrap()
    }

    #[test]
    fn steps_are_those_of_adam() {
        let params = AdamParams::default().learning_rate(0.01).weight_decay(0.1);
        let mut adam = Adam::new(params, 3).unwrap();
        let mut exact = [1.0, -2.0, 0.5];
        let (mut x, mut mean, mut square) = ([1.0f32, -2.0, 0.5], [0.0; 3], [0.0; 3]);
        for t in 1..=50u32 {
            let gradient = [f64::from(t).sin(), 1e-3 * f64::from(t), -3.0];
            adam.step(&mut exact, &gradient).unwrap();
            let rates = Rates::of_update(u64::from(t) - 1, 0.01, 0.1);
            let gradient = gradient.map(|g| g as f32);
            widest(Step { x: &mut x, gradient: &gradient, mean: &mut mean, square: &mut square, rates });
        }
        assert!(x.iter().zip(exact).all(|(x, exact)| (f64::from(*x) - exact).abs() < 2e-5), "{x:?} {exact:?}");
    }

    #[test]
    fn moments_without_gradient_end_at_zero() {
        let (mut x, mut mean, mut square) = ([1.0f32], [0.0], [0.0]);
        for t in 0..200_000 {
            let gradient = [if t == 0 { 1.0 } else { 0.0 }];
            let rates = Rates::of_update(t, 0.01, 0.0);
            widest(Step { x: &mut x, gradient: &gradient, mean: &mut mean, square: &mut square, rates });
        }
        assert!(mean[0] == 0.0 && square[0] == 0.0, "{mean:?} {square:?}");
    }

    #[test]
    fn both_optimizers_learn_and_threads_change_nothing() {
        let (inputs, targets) = data();
        let before = start().squared_error(&inputs, &targets, 1);
        let adam = NetworkTraining::default().epochs(200).batch(150).learning_rate(0.02, Schedule::Constant);
        let conjugate = NetworkTraining::default()
            .epochs(40)
            .batch(300)
            .optimizer(Optimizer::ConjugateGradient { line_searches: 3 });
        for params in [adam, conjugate] {
            let run = |threads: usize| {
                let mut trainer =
                    NetworkTrainer::new(start(), &inputs, &targets, params.clone().threads(threads)).unwrap();
                trainer.run().unwrap();
                trainer.into_network()
            };
            let network = run(1);
            assert_eq!(network, run(3));
            assert!(network.squared_error(&inputs, &targets, 1) < 0.25 * before, "{params:?}");
        }
    }

    #[test]
    fn a_restored_run_goes_on_bit_by_bit() {
        let (inputs, targets) = data();
        let params = NetworkTraining::default().epochs(6).batch(64).l2(0.01);
        let new = || NetworkTrainer::new(start(), &inputs, &targets, params.clone()).unwrap();
        let (mut whole, mut half) = (new(), new());
        whole.run().unwrap();
        (0..3).for_each(|_| assert!(half.epoch().unwrap().is_finite()));
        let checkpoint = half.checkpoint();
        let mut again = new();
        again.restore(&checkpoint).unwrap();
        assert_eq!(again.updates(), 12);
        again.run().unwrap();
        assert_eq!(again.network(), whole.network());
        let other = params.clone().seed(1);
        assert!(NetworkTrainer::new(start(), &inputs, &targets, other).unwrap().restore(&checkpoint).is_err());
    }

    #[test]
    fn bad_input_is_refused_and_divergence_keeps_the_network() {
        let (inputs, targets) = data();
        let message = |inputs: &[f32], targets: &[f32], params: NetworkTraining| {
            NetworkTrainer::new(start(), inputs, targets, params).unwrap_err().to_string()
        };
        let params = NetworkTraining::default;
        assert_eq!(message(&[], &[], params()), "data is empty");
        assert_eq!(message(&[0.0; 5], &[0.0], params()), "inputs: 5 values, expected 8");
        assert_eq!(message(&inputs, &targets[1..], params()), "targets: 299 values, expected 300");
        assert!(message(&inputs, &targets, params().batch(301)).contains("rows of a batch is 301"));
        assert!(message(&inputs, &targets, params().learning_rate(f64::NAN, Schedule::Constant)).contains("NaN"));
        let falling = params().learning_rate(0.01, Schedule::Linear { end: -1.0 });
        assert!(message(&inputs, &targets, falling).contains("end of the learning rate is -1, expected 0 to 1000"));
        let mut bad = inputs.clone();
        bad[7] = f32::INFINITY;
        assert_eq!(message(&bad, &targets, params()), "inputs[7] is inf, expected a finite number");
        // A loss that overflows: squares of 1e30 in f32 weights.
        let mut huge = Network::new(vec![1, 1], vec![Activation::Linear], vec![1e30, 0.0]).unwrap();
        huge.parameters[0] = f32::MAX;
        let params = params().loss(Loss::SquaredError).batch(1);
        let mut trainer = NetworkTrainer::new(huge.clone(), &[f32::MAX], &[0.0], params).unwrap();
        assert!(trainer.epoch().unwrap_err().to_string().contains("the loss is not finite; the state of update 0"));
        assert_eq!(trainer.network(), &huge);
        // An input of 0 hides the weight from the loss, and the decay of the last update overflows.
        let params = NetworkTraining::default().loss(Loss::SquaredError).batch(1).epochs(1).l2(1e3);
        let params = params.learning_rate(1e3, Schedule::Constant);
        let mut trainer = NetworkTrainer::new(huge.clone(), &[0.0], &[0.0], params).unwrap();
        let error = trainer.run().unwrap_err().to_string();
        assert_eq!(error, "training diverged in update 1: a parameter is not finite; the state of update 0 was kept");
        assert_eq!(trainer.network(), &huge);
    }
}
