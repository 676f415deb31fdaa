//! Deep Boltzmann machines: layers of 0/1 units, couplings between neighbouring layers both ways.

use linalg_core::Streams;
use linalg_core::gemm::{Matrix, MatrixMut, gemm};
use linalg_core::logspace::sigmoid;
use linalg_core::rand::{Rng, RngExt};
use linalg_core::rng::{Xoshiro256PlusPlus, standard_normal, uniform_open01};

use crate::error::{check_finite, check_length};
use crate::rbm::dot;
use crate::train::Schedule;
use crate::units::Bernoulli;
use crate::{Error, Rbm, Result};

/// A machine of several layers $`x^0 = v, x^1, \dots, x^L`$ with
///
/// ```math
/// E = -\sum_k b^k \cdot x^k - \sum_k x^{k+1} \cdot W^k x^k .
/// ```
///
/// The even layers together and the odd ones together are the two layers of a restricted machine ([`to_rbm`](Self::to_rbm)): exact
/// sums, annealed importance sampling and chains of that machine are those of this one. The posterior of the hidden layers does not
/// factorise; [`mean_field`](Self::mean_field) approximates it and bounds the likelihood.
///
/// R. Salakhutdinov and G. E. Hinton, AISTATS 2009.
///
/// ```
/// use boltzmann::deep::DeepBoltzmannMachine;
/// use boltzmann::partition::exact_ln_z;
///
/// // A chain of three units, coupled by ln 2: states have weights 2^(number of neighbouring ones).
/// let w = 2f64.ln();
/// let machine = DeepBoltzmannMachine::new(vec![vec![0.0], vec![0.0], vec![0.0]], vec![vec![w], vec![w]])?;
/// // 000, 001, 010, 100, 101: 1 each; 011, 110: 2 each; 111: 4.
/// assert!((exact_ln_z(&machine.to_rbm()?, 1.0)? - 13f64.ln()).abs() < 1e-14);
/// # Ok::<(), boltzmann::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DeepBoltzmannMachine {
    biases: Vec<Vec<f64>>,
    weights: Vec<Vec<f64>>,
}

/// Means of the hidden units given data, by mean field.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DeepMeanField {
    /// Rows of all layers: the data first, then means of the hidden layers.
    pub layers: Vec<Vec<f64>>,
    /// Iterations made.
    pub iterations: usize,
    /// The largest change of a mean in the last iteration.
    pub residual: f64,
    /// Whether the residual is within the tolerance.
    pub converged: bool,
}

impl DeepBoltzmannMachine {
    /// A machine with these biases, a list for each layer, the data first, and weights between each layer k and the next one:
    /// `n_{k+1}` x `n_k`, row-major.
    ///
    /// # Errors
    /// [`Error::Empty`] for fewer than two layers or one without units, [`Error::WrongLength`], [`Error::NotFinite`].
    pub fn new(biases: Vec<Vec<f64>>, weights: Vec<Vec<f64>>) -> Result<Self> {
        if biases.len() < 2 || biases.iter().any(Vec::is_empty) {
            return Err(Error::Empty { what: "layer of a deep machine" });
        }
        check_length("lists of weights", weights.len(), biases.len() - 1)?;
        for (pair, weights) in biases.windows(2).zip(&weights) {
            check_length("weights between two layers", weights.len(), pair[0].len() * pair[1].len())?;
            check_finite("weights", weights)?;
        }
        biases.iter().try_for_each(|bias| check_finite("bias", bias))?;
        Ok(Self { biases, weights })
    }

    /// A machine with layers of these sizes, Gaussian weights of standard deviation `std_dev` and no biases.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn random<R: Rng + ?Sized>(sizes: &[usize], std_dev: f64, rng: &mut R) -> Result<Self> {
        let weights = sizes
            .windows(2)
            .map(|pair| (0..pair[0] * pair[1]).map(|_| std_dev * standard_normal(rng)).collect())
            .collect();
        Self::new(sizes.iter().map(|&n| vec![0.0; n]).collect(), weights)
    }

    /// Sizes of the layers, the data first.
    pub fn sizes(&self) -> Vec<usize> {
        self.biases.iter().map(Vec::len).collect()
    }

    /// Biases of each layer.
    pub fn biases(&self) -> &[Vec<f64>] {
        &self.biases
    }

    /// Weights between each layer and the next, `n_{k+1}` x `n_k`.
    pub fn weights(&self) -> &[Vec<f64>] {
        &self.weights
    }

    /// The energy of a state of all layers.
    ///
    /// # Panics
    /// If there are not as many layers, or one has the wrong length.
    pub fn energy(&self, layers: &[Vec<f64>]) -> f64 {
        assert_eq!(layers.len(), self.biases.len(), "{} layers of {}", layers.len(), self.biases.len());
        for (x, bias) in layers.iter().zip(&self.biases) {
            assert_eq!(x.len(), bias.len(), "{} values for {} units", x.len(), bias.len());
        }
        let own: f64 = self.biases.iter().zip(layers).map(|(b, x)| dot(b, x)).sum();
        let mut pairs = 0.0;
        for (weights, pair) in self.weights.iter().zip(layers.windows(2)) {
            for (row, x) in weights.chunks_exact(pair[0].len()).zip(&pair[1]) {
                pairs += x * dot(row, &pair[0]);
            }
        }
        -own - pairs
    }

    /// The same machine as a restricted one: visible units are the even layers one after another, hidden ones the odd layers.
    ///
    /// # Errors
    /// As [`Rbm::new`].
    pub fn to_rbm(&self) -> Result<Rbm<Bernoulli, Bernoulli>> {
        let starts = |parity: usize| {
            let mut start = 0;
            let mut starts = vec![0; self.biases.len()];
            for k in (parity..self.biases.len()).step_by(2) {
                starts[k] = start;
                start += self.biases[k].len();
            }
            (starts, start)
        };
        let ((even, nv), (odd, nh)) = (starts(0), starts(1));
        let mut all = vec![0.0; nv * nh];
        for (k, weights) in self.weights.iter().enumerate() {
            let below = self.biases[k].len();
            for (j, row) in weights.chunks_exact(below).enumerate() {
                for (i, w) in row.iter().enumerate() {
                    // Unit i of layer k with unit j of layer k + 1.
                    let (v, h) = if k % 2 == 0 { (even[k] + i, odd[k + 1] + j) } else { (even[k + 1] + j, odd[k] + i) };
                    all[h * nv + v] = *w;
                }
            }
        }
        let joined = |parity: usize| self.biases.iter().skip(parity).step_by(2).flatten().copied().collect();
        Rbm::new(Bernoulli, Bernoulli, all, joined(0), joined(1))
    }

    /// The fields on layer `k` of rows of states.
    fn fields(&self, k: usize, layers: &[Vec<f64>], out: &mut [f64]) {
        let n = self.biases[k].len();
        let rows = out.len() / n;
        out.chunks_exact_mut(n).for_each(|row| row.copy_from_slice(&self.biases[k]));
        if k > 0 {
            let below = self.biases[k - 1].len();
            let weights = Matrix::row_major(&self.weights[k - 1], n, below).transposed();
            gemm(1.0, Matrix::row_major(&layers[k - 1], rows, below), weights, 1.0, MatrixMut::row_major(out, rows, n));
        }
        if k + 1 < self.biases.len() {
            let above = self.biases[k + 1].len();
            let weights = Matrix::row_major(&self.weights[k], above, n);
            gemm(1.0, Matrix::row_major(&layers[k + 1], rows, above), weights, 1.0, MatrixMut::row_major(out, rows, n));
        }
    }

    /// One sweep of block Gibbs sampling over rows of states: the odd layers given the even ones, then the even ones.
    ///
    /// # Panics
    /// If the layers do not hold the same number of rows.
    pub fn gibbs_sweep<R: Rng + ?Sized>(&self, layers: &mut [Vec<f64>], rng: &mut R) {
        self.check_rows(layers);
        for first in [1, 0] {
            for k in (first..self.biases.len()).step_by(2) {
                let mut fields = vec![0.0; layers[k].len()];
                self.fields(k, layers, &mut fields);
                layers[k].iter_mut().zip(fields).for_each(|(x, f)| *x = f64::from(uniform_open01(rng) < sigmoid(f)));
            }
        }
    }

    fn check_rows(&self, layers: &[Vec<f64>]) -> usize {
        assert_eq!(layers.len(), self.biases.len(), "{} layers of {}", layers.len(), self.biases.len());
        let rows = layers[0].len() / self.biases[0].len();
        for (x, bias) in layers.iter().zip(&self.biases) {
            assert_eq!(x.len(), rows * bias.len(), "{} values for {rows} rows of {}", x.len(), bias.len());
        }
        rows
    }

    /// Mean-field means of the hidden units for rows of data: layer by layer, from a pass upwards with doubled weights, until no mean
    /// moves by more than `tolerance`, or `max_iterations` times.
    ///
    /// # Panics
    /// If `data` ends inside a row.
    pub fn mean_field(&self, data: &[f64], tolerance: f64, max_iterations: usize) -> DeepMeanField {
        let n = self.biases[0].len();
        assert!(data.len().is_multiple_of(n), "{} numbers for rows of {n}", data.len());
        let rows = data.len() / n;
        let mut layers = vec![data.to_vec()];
        let top = self.biases.len() - 1;
        for k in 1..=top {
            // What is missing from above is made up for by twice the input from below.
            let below = self.biases[k - 1].len();
            let twice = if k < top { 2.0 } else { 1.0 };
            let mut out: Vec<f64> = (0..rows).flat_map(|_| self.biases[k].iter().copied()).collect();
            let weights = Matrix::row_major(&self.weights[k - 1], self.biases[k].len(), below).transposed();
            let to = MatrixMut::row_major(&mut out, rows, self.biases[k].len());
            gemm(twice, Matrix::row_major(&layers[k - 1], rows, below), weights, 1.0, to);
            out.iter_mut().for_each(|x| *x = sigmoid(*x));
            layers.push(out);
        }
        let (mut iterations, mut residual) = (0, f64::INFINITY);
        while iterations < max_iterations && residual > tolerance {
            residual = 0.0;
            for k in 1..=top {
                let mut fields = vec![0.0; layers[k].len()];
                self.fields(k, &layers, &mut fields);
                for (x, f) in layers[k].iter_mut().zip(fields) {
                    let new = sigmoid(f);
                    let change = (new - *x).abs();
                    if change > residual || change.is_nan() {
                        residual = change;
                    }
                    *x = new;
                }
            }
            iterations += 1;
        }
        DeepMeanField { layers, iterations, residual, converged: residual <= tolerance }
    }

    /// For every row, a lower bound of `ln P(v) + ln Z`: minus the energy of the means, plus their entropy.
    ///
    /// # Panics
    /// If the layers do not hold the same number of rows.
    pub fn bounds(&self, means: &DeepMeanField) -> Vec<f64> {
        let rows = self.check_rows(&means.layers);
        let entropy = |x: f64| {
            let term = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
            term(x) + term(1.0 - x)
        };
        (0..rows)
            .map(|row| {
                let layers: Vec<Vec<f64>> = (means.layers.iter().zip(&self.biases))
                    .map(|(x, bias)| x[row * bias.len()..][..bias.len()].to_vec())
                    .collect();
                layers[1..].iter().flatten().map(|&x| entropy(x)).sum::<f64>() - self.energy(&layers)
            })
            .collect()
    }
}

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
/// chains.
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
        Ok(Self { machine, data, params, chains, rng, updates: 0 })
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
        while self.updates < self.params.updates {
            self.update()?;
        }
        Ok(())
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

#[cfg(test)]
mod tests;
