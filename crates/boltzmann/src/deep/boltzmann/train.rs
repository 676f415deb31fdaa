//! Training of deep Boltzmann machines.

use linalg_core::Streams;
use linalg_core::checkpoint::{Checkpoint, CheckpointError, ContentHash, Writer};
use linalg_core::gemm::{Matrix, MatrixMut, gemm};
use linalg_core::logspace::sigmoid;
use linalg_core::rand::RngExt;
use linalg_core::rng::{Xoshiro256PlusPlus, uniform_open01};

use super::DeepBoltzmannMachine;
use crate::tempering::seed;
use crate::train::Schedule;
use crate::units::Bernoulli;
use crate::{Error, Result};

const KIND: &str = "boltzmann deep machine trainer 1";

/// Parameters of [`DeepBoltzmannTrainer`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DeepBoltzmannTraining {
    /// First learning rate; default 0.05.
    pub learning_rate: f64,
    /// How it falls; default linearly to 0.
    pub schedule: Schedule,
    /// Updates of the run; default 1000.
    pub updates: u64,
    /// Rows of a batch, drawn at random; default all rows.
    pub batch: Option<usize>,
    /// Persistent chains; default 100.
    pub chains: usize,
    /// Sweeps of the chains an update; default 1.
    pub sweeps: usize,
    /// Mean-field iterations at most an update; default 25, to a tolerance of 1e-4.
    pub iterations: usize,
    /// L2 decay of the weights; default 0.
    pub l2: f64,
}

impl Default for DeepBoltzmannTraining {
    fn default() -> Self {
        Self {
            learning_rate: 0.05,
            schedule: Schedule::Linear { end: 0.0 },
            updates: 1000,
            batch: None,
            chains: 100,
            sweeps: 1,
            iterations: 25,
            l2: 0.0,
        }
    }
}

impl DeepBoltzmannTraining {
    /// Sets the first learning rate and how it falls.
    pub fn learning_rate(mut self, rate: f64, schedule: Schedule) -> Self {
        (self.learning_rate, self.schedule) = (rate, schedule);
        self
    }
    /// Sets the updates of the run.
    pub fn updates(mut self, updates: u64) -> Self {
        self.updates = updates;
        self
    }
    /// Sets the rows of a batch.
    pub fn batch(mut self, rows: usize) -> Self {
        self.batch = Some(rows);
        self
    }
    /// Sets the number of chains and their sweeps an update.
    pub fn chains(mut self, chains: usize, sweeps: usize) -> Self {
        (self.chains, self.sweeps) = (chains, sweeps);
        self
    }
    /// Sets the mean-field iterations at most.
    pub fn iterations(mut self, iterations: usize) -> Self {
        self.iterations = iterations;
        self
    }
    /// Sets the decay of the weights.
    pub fn l2(mut self, l2: f64) -> Self {
        self.l2 = l2;
        self
    }

    fn validate(&self, rows: usize) -> Result<()> {
        self.schedule.validate()?;
        for (what, value) in [("learning rate", self.learning_rate), ("l2 decay", self.l2)] {
            if !(0.0..=1e3).contains(&value) {
                return Err(Error::Parameter { what, value: value.to_string(), expected: "0 to 1000" });
            }
        }
        for (what, value) in
            [("number of chains", self.chains), ("sweeps an update", self.sweeps), ("iterations", self.iterations)]
        {
            if value == 0 {
                return Err(Error::Parameter { what, value: "0".to_owned(), expected: "1 or more" });
            }
        }
        if let Some(batch) = self.batch.filter(|batch| !(1..=rows).contains(batch)) {
            let expected = "1 to the number of rows of the data";
            return Err(Error::Parameter { what: "rows of a batch", value: batch.to_string(), expected });
        }
        Ok(())
    }
}

/// Raises the variational bound of the likelihood of rows of data: the positive phase by mean field, the negative one by persistent
/// chains. A run restored from a [`checkpoint`](Self::checkpoint) goes on bit by bit.
///
/// ```
/// use boltzmann::deep::{DeepBoltzmannMachine, DeepBoltzmannTrainer, DeepBoltzmannTraining};
/// use boltzmann::train::Schedule;
/// use linalg_core::Streams;
///
/// // Two bits that are always equal.
/// let data = [0.0, 0.0, 1.0, 1.0];
/// let start = DeepBoltzmannMachine::random(&[2, 4, 2], 0.5, &mut Streams::new(1).stream(0))?;
/// let params = DeepBoltzmannTraining::default().updates(3000).learning_rate(0.2, Schedule::Linear { end: 0.0 });
/// let mut trainer = DeepBoltzmannTrainer::new(start, &data, params, Streams::new(2))?;
/// trainer.run()?;
/// let machine = trainer.machine();
/// let bounds = |v: [f64; 2]| machine.bounds(&machine.mean_field(&v, 1e-9, 1000))[0];
/// assert!(bounds([1.0, 1.0]) > bounds([1.0, 0.0]) + 1.0);
/// # Ok::<(), boltzmann::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct DeepBoltzmannTrainer<'a> {
    machine: DeepBoltzmannMachine,
    data: &'a [f64],
    params: DeepBoltzmannTraining,
    chains: Vec<Vec<f64>>,
    rng: Xoshiro256PlusPlus,
    updates: u64,
    /// A hash of the first machine and of the streams.
    origin: u64,
}

impl<'a> DeepBoltzmannTrainer<'a> {
    /// A run from `machine` on rows of 0/1 data.
    ///
    /// # Errors
    /// [`Error::Alphabet`] with row and entry of what is neither 0 nor 1; [`Error::Empty`], [`Error::WrongLength`],
    /// [`Error::Parameter`].
    pub fn new(
        machine: DeepBoltzmannMachine,
        data: &'a [f64],
        params: DeepBoltzmannTraining,
        streams: Streams,
    ) -> Result<Self> {
        crate::rbm::check_rows(&Bernoulli, data, machine.biases[0].len())?;
        params.validate(data.len() / machine.biases[0].len())?;
        let mut rng = streams.fast_stream(0);
        let chains = machine
            .biases
            .iter()
            .map(|bias| (0..params.chains * bias.len()).map(|_| f64::from(u8::from(rng.random::<bool>()))).collect())
            .collect();
        let mut origin = ContentHash::new();
        machine.biases.iter().chain(&machine.weights).for_each(|values| {
            origin.write_f64s(values);
        });
        let origin = origin.write_u64(seed(streams)).finish();
        Ok(Self { machine, data, params, chains, rng, updates: 0, origin })
    }

    /// Greedy pretraining, then a run from the machines put together.
    ///
    /// Machine k learns the means of the layer below it by contrastive divergence, with its input from below doubled unless it is the
    /// last one and its input from above doubled unless it is the first: in the whole, each inner layer has input from both sides.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`Error::Diverged`].
    pub fn pretrained(
        sizes: &[usize],
        data: &'a [f64],
        params: DeepBoltzmannTraining,
        streams: Streams,
    ) -> Result<Self> {
        let mut machine = DeepBoltzmannMachine::random(sizes, 0.01, &mut streams.child(1).stream(0))?;
        crate::rbm::check_rows(&Bernoulli, data, sizes[0])?;
        params.validate(data.len() / sizes[0])?;
        let mut rows = data.to_vec();
        let last = sizes.len() - 2;
        for k in 0..=last {
            let up = if k == last { 1.0 } else { 2.0 };
            let down = if k == 0 { 1.0 } else { 2.0 };
            let mut rng = streams.child(2).fast_stream(k as u64);
            rows = pretrain_pair(&mut machine, k, &rows, [up, down], &params, &mut rng)?;
        }
        Self::new(machine, data, params, streams)
    }

    /// The machine as it is.
    pub fn machine(&self) -> &DeepBoltzmannMachine {
        &self.machine
    }

    /// The machine, at the end.
    pub fn into_machine(self) -> DeepBoltzmannMachine {
        self.machine
    }

    /// Updates done.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// Makes the updates that are left of the run.
    ///
    /// # Errors
    /// [`Error::Diverged`] when a parameter becomes NaN or infinite; the machine is then the one before that update.
    pub fn run(&mut self) -> Result<()> {
        self.advance(self.params.updates.saturating_sub(self.updates))
    }

    /// Makes so many updates.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn advance(&mut self, updates: u64) -> Result<()> {
        (0..updates).try_for_each(|_| self.update())
    }

    fn content_hash(&self) -> u64 {
        let mut hash = ContentHash::new();
        hash.write_u64(self.origin).write_f64s(self.data).write_str(&format!("{:?}", self.params)).finish()
    }

    /// The state of the run. It belongs to its data, parameters, streams and first machine.
    pub fn checkpoint(&self) -> Checkpoint {
        let mut out = Writer::new();
        out.write_u64(self.updates).write_xoshiro(&self.rng);
        self.machine.biases.iter().chain(&self.machine.weights).chain(&self.chains).for_each(|values| {
            out.write_f64s(values);
        });
        Checkpoint::new(KIND, self.content_hash(), out)
    }

    /// Goes on from a checkpoint of a run with the same data, parameters, streams and first machine; bit by bit as if it had not been
    /// interrupted.
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
        self.updates = reader.read_count()?;
        self.rng = reader.read_xoshiro()?;
        for values in self.machine.biases.iter_mut().chain(&mut self.machine.weights).chain(&mut self.chains) {
            reader.read_f64s_into(values)?;
        }
        reader.finish()
    }

    fn update(&mut self) -> Result<()> {
        let n = self.machine.biases[0].len();
        let batch = draw_batch(self.data, n, self.params.batch, &mut self.rng);
        let means = self.machine.mean_field(&batch, 1e-4, self.params.iterations);
        (0..self.params.sweeps).for_each(|_| self.machine.gibbs_sweep(&mut self.chains, &mut self.rng));
        let rate = self.params.learning_rate
            * self.params.schedule.factor(self.updates as f64 / self.params.updates.max(1) as f64);
        let before = self.machine.clone();
        for (layers, sign) in [(&means.layers, 1.0), (&self.chains, -1.0)] {
            let rows = layers[0].len() / n;
            let weight = sign * rate / rows as f64;
            for k in 0..layers.len() {
                let size = self.machine.biases[k].len();
                for row in layers[k].chunks_exact(size) {
                    self.machine.biases[k].iter_mut().zip(row).for_each(|(b, x)| *b += weight * x);
                }
                if k + 1 < layers.len() {
                    let above = self.machine.biases[k + 1].len();
                    gemm(
                        weight,
                        Matrix::row_major(&layers[k + 1], rows, above).transposed(),
                        Matrix::row_major(&layers[k], rows, size),
                        if sign > 0.0 { 1.0 - rate * self.params.l2 } else { 1.0 },
                        MatrixMut::row_major(&mut self.machine.weights[k], above, size),
                    );
                }
            }
        }
        if self.machine.biases.iter().chain(&self.machine.weights).flatten().any(|x| !x.is_finite()) {
            self.machine = before;
            let (update, kept) = (self.updates + 1, self.updates);
            return Err(Error::Diverged { update, what: "a parameter is not finite", kept });
        }
        self.updates += 1;
        Ok(())
    }
}

fn draw_batch(data: &[f64], n: usize, batch: Option<usize>, rng: &mut Xoshiro256PlusPlus) -> Vec<f64> {
    let rows = (data.len() / n) as u64;
    match batch {
        None => data.to_vec(),
        Some(batch) => {
            (0..batch).flat_map(|_| data[rng.random_range(0..rows) as usize * n..][..n].iter().copied()).collect()
        }
    }
}

/// Trains weights `k` by contrastive divergence with scaled inputs; returns the means of the layer above for all rows.
fn pretrain_pair(
    machine: &mut DeepBoltzmannMachine,
    k: usize,
    data: &[f64],
    [up, down]: [f64; 2],
    params: &DeepBoltzmannTraining,
    rng: &mut Xoshiro256PlusPlus,
) -> Result<Vec<f64>> {
    let (n, m) = (machine.biases[k].len(), machine.biases[k + 1].len());
    let upward = |weights: &[f64], bias: &[f64], v: &[f64]| {
        let rows = v.len() / n;
        let mut out: Vec<f64> = (0..rows).flat_map(|_| bias.iter().copied()).collect();
        let to = MatrixMut::row_major(&mut out, rows, m);
        gemm(up, Matrix::row_major(v, rows, n), Matrix::row_major(weights, m, n).transposed(), 1.0, to);
        out.iter_mut().for_each(|x| *x = sigmoid(*x));
        out
    };
    for update in 0..params.updates {
        let v = draw_batch(data, n, params.batch, rng);
        let rows = v.len() / n;
        let h = upward(&machine.weights[k], &machine.biases[k + 1], &v);
        let sample: Vec<f64> = h.iter().map(|&p| f64::from(uniform_open01(rng) < p)).collect();
        let mut model: Vec<f64> = (0..rows).flat_map(|_| machine.biases[k].iter().copied()).collect();
        let weights = Matrix::row_major(&machine.weights[k], m, n);
        let to = MatrixMut::row_major(&mut model, rows, n);
        gemm(down, Matrix::row_major(&sample, rows, m), weights, 1.0, to);
        model.iter_mut().for_each(|x| *x = f64::from(uniform_open01(rng) < sigmoid(*x)));
        let model_h = upward(&machine.weights[k], &machine.biases[k + 1], &model);
        let rate =
            params.learning_rate * params.schedule.factor(update as f64 / params.updates.max(1) as f64) / rows as f64;
        for (v, h, sign) in [(&v, &h, 1.0), (&model, &model_h, -1.0)] {
            let to = MatrixMut::row_major(&mut machine.weights[k], m, n);
            gemm(sign * rate, Matrix::row_major(h, rows, m).transposed(), Matrix::row_major(v, rows, n), 1.0, to);
            for (bias, values) in [(k, v), (k + 1, h)] {
                let bias = &mut machine.biases[bias];
                for row in values.chunks_exact(bias.len()) {
                    bias.iter_mut().zip(row).for_each(|(b, x)| *b += sign * rate * x);
                }
            }
        }
    }
    if machine.weights[k].iter().any(|w| !w.is_finite()) {
        return Err(Error::Diverged { update: params.updates, what: "a weight of pretraining is not finite", kept: 0 });
    }
    Ok(upward(&machine.weights[k], &machine.biases[k + 1], data))
}
