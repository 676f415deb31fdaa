//! Training of machines with any units, in `f64`.

use linalg_core::Streams;
use linalg_core::checkpoint::ContentHash;
use linalg_core::optim::{Adam, AdamParams};
use linalg_core::rand::RngExt;
use linalg_core::rng::Xoshiro256PlusPlus;

use super::RowWeights;
use super::dense_params::{Centring, DenseMethod, DenseParams};
use super::params::Stepper;
use crate::partition::{Tap, exact, exact_precisions};
use crate::rbm::Statistics;
use crate::tempering::seed;
use crate::units::Unit;
use crate::{Error, JointTempering, Rbm, Result, TrajectoryTempering};

/// Exchanges of a pair of machines before their rate counts.
const EXCHANGES: u64 = 200;

/// Gradient ascent of the likelihood at β = 1 for any pair of units, and with the exact gradient for small machines.
///
/// A run restored from a [`checkpoint`](Self::checkpoint) goes on bit by bit.
///
/// ```
/// use boltzmann::Rbm;
/// use boltzmann::partition::exact_ln_z;
/// use boltzmann::train::{DenseParams, DenseTrainer};
/// use boltzmann::units::Spin;
/// use linalg_core::Streams;
///
/// // Two spins that are always equal: ln P of each row tends to ln ½.
/// let data = [1.0, 1.0, -1.0, -1.0];
/// let start = Rbm::random(Spin, Spin, 2, 1, 0.1, &mut Streams::new(0).stream(0))?;
/// let mut trainer = DenseTrainer::new(start, &data, DenseParams::default().updates(2000), Streams::new(1))?;
/// trainer.run()?;
/// let rbm = trainer.machine();
/// let likelihood = -rbm.free_energy(&[1.0, 1.0], 1.0) - exact_ln_z(rbm, 1.0)?;
/// assert!((likelihood - 0.5f64.ln()).abs() < 0.01);
/// # Ok::<(), boltzmann::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct DenseTrainer<'a, V, H> {
    machine: Rbm<V, H>,
    data: &'a [f64],
    row_weights: Option<RowWeights>,
    params: DenseParams,
    velocity: Statistics,
    adam: Option<[Adam; 3]>,
    model: Model<V, H>,
    rng: Xoshiro256PlusPlus,
    updates: u64,
    gradient_norm: f64,
    /// A hash of the first machine and of the streams.
    origin: u64,
}

/// What the averages of the model come from.
#[derive(Debug, Clone)]
enum Model<V, H> {
    /// Nothing but the machine and the batch.
    None,
    Chains(JointTempering),
    Trajectory(TrajectoryTempering<V, H>),
    /// The expansion, with the means of the update before.
    MeanField(Tap, Option<[Vec<f64>; 2]>),
}

impl<'a, V: Unit + Clone, H: Unit + Clone> DenseTrainer<'a, V, H> {
    /// A run from `machine` on rows of data.
    ///
    /// # Errors
    /// [`Error::Alphabet`] for a value that the units cannot take, and others of [`Rbm::check_data`]; [`Error::Parameter`];
    /// [`Error::Unbounded`] for Gaussian layers with too large couplings.
    pub fn new(machine: Rbm<V, H>, data: &'a [f64], params: DenseParams, streams: Streams) -> Result<Self> {
        let rows = if params.missing.is_some() { &without_missing(&machine, data)[..] } else { data };
        if params.probabilities {
            check_probabilities(&machine, rows)?
        } else {
            machine.check_data(rows)?
        }
        params.validate(data.len() / machine.visible_len())?;
        check_bounded(&machine)?;
        precision::check(&machine, &params)?;
        let chains = |betas| JointTempering::new(&machine, betas, params.chains, streams.child(1));
        let model = match &params.method {
            DenseMethod::Exact => {
                // Refuses machines that are too large before the first update.
                exact(&machine, 1.0)?;
                Model::None
            }
            DenseMethod::ContrastiveDivergence { .. } => Model::None,
            DenseMethod::Persistent { .. } => Model::Chains(chains(vec![1.0])?),
            DenseMethod::ParallelTempering { betas } => Model::Chains(chains(betas.clone())?),
            DenseMethod::TrajectoryTempering { .. } => {
                let mut ladder = TrajectoryTempering::new(vec![machine.clone()], params.chains, streams.child(1))?;
                ladder.push_last();
                Model::Trajectory(ladder)
            }
            DenseMethod::MeanField { order, iterations } => {
                let tap = Tap::new(*order)?.iteration(0.5, 1e-9, *iterations);
                // Refuses other units before the first update.
                tap.iteration(0.5, 1.0, 1).solve(&machine, 1.0)?;
                Model::MeanField(tap, None)
            }
        };
        let adam = |n: usize| Adam::new(AdamParams::default().learning_rate(params.learning_rate), n);
        let adam = match params.stepper {
            Stepper::Gradient => None,
            Stepper::Adam => {
                let (nv, nh) = (machine.visible_len(), machine.hidden_len());
                Some([adam(nv * nh)?, adam(nv)?, adam(nh)?])
            }
        };
        let mut origin = ContentHash::new();
        origin.write_u64s(&[machine.content_hash(), seed(streams)]);
        Ok(Self {
            origin: origin.finish(),
            velocity: Statistics::zeros(machine.visible_len(), machine.hidden_len()),
            adam,
            machine,
            data,
            row_weights: None,
            params,
            model,
            rng: streams.fast_stream(0),
            updates: 0,
            gradient_norm: f64::NAN,
        })
    }

    /// The same run on rows that count as much as their weights say. The weights belong to the run: a checkpoint of other ones is
    /// refused.
    ///
    /// # Errors
    /// [`Error::WrongLength`] unless there is a weight for each row.
    pub fn with_row_weights(mut self, weights: RowWeights) -> Result<Self> {
        weights.check_rows(self.data.len() / self.machine.visible_len())?;
        self.row_weights = Some(weights);
        Ok(self)
    }

    /// The chains of the machine and its earlier states, where it is trained with them.
    pub fn trajectory(&self) -> Option<&TrajectoryTempering<V, H>> {
        if let Model::Trajectory(ladder) = &self.model { Some(ladder) } else { None }
    }

    /// The machine as it is.
    pub fn machine(&self) -> &Rbm<V, H> {
        &self.machine
    }

    /// The machine, at the end.
    pub fn into_machine(self) -> Rbm<V, H> {
        self.machine
    }

    /// Updates done.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// Norm of the last gradient.
    pub fn gradient_norm(&self) -> f64 {
        self.gradient_norm
    }

    /// Makes the updates that are left of the run.
    ///
    /// # Errors
    /// [`Error::Diverged`] when a parameter becomes NaN or infinite, [`Error::Unbounded`] when the couplings of Gaussian layers become
    /// too large; the machine is then the one before that update.
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

    fn update(&mut self) -> Result<()> {
        let nv = self.machine.visible_len();
        let rows = self.data.len() / nv;
        let mut batch: Vec<f64> = match self.params.batch {
            None => self.data.to_vec(),
            Some(n) => {
                let row = |rng: &mut Xoshiro256PlusPlus| match &self.row_weights {
                    None => rng.random_range(0..rows as u64) as usize,
                    Some(weights) => weights.row_at(rng.random()),
                };
                (0..n).flat_map(|_| self.data[row(&mut self.rng) * nv..][..nv].iter().copied()).collect()
            }
        };
        if let Some(sweeps) = self.params.missing {
            fill_missing(&self.machine, &mut batch, sweeps, &mut self.rng);
        }
        let data = self.data_statistics(&batch);
        let (model, model_precisions) = self.model_statistics(&batch)?;
        let mut gradient = match self.params.centring {
            Centring::None => data.minus(&model),
            Centring::Data => data.minus(&model).centred(&data.visible, &data.hidden),
            Centring::Enhanced => data.enhanced(&model),
        };
        self.gradient_norm = gradient.norm();
        if let Some((target, strength)) = self.params.sparsity {
            gradient.hidden.iter_mut().zip(&data.hidden).for_each(|(g, mean)| *g += strength * (target - mean));
        }
        let (l1, l2) = (self.params.l1, self.params.l2);
        for (g, w) in gradient.weights.iter_mut().zip(self.machine.weights()) {
            let sign = if *w > 0.0 { 1.0 } else { -f64::from(u8::from(*w < 0.0)) };
            *g -= l2 * w + l1 * sign;
        }
        let before = self.machine.clone();
        let precision_rate = self.params.precision_rate * self.learning_rate();
        let mut finite = self.step(&gradient)?;
        if let Some(model) = model_precisions {
            let data = precision::means(&self.machine, &batch, self.weights_of_batch());
            finite &= precision::step(&mut self.machine, &data, &model, precision_rate)?;
        }
        if let Err(error) = check_bounded(&self.machine)
            && finite
        {
            self.machine = before;
            return Err(error);
        }
        if !finite {
            self.machine = before;
            return Err(Error::Diverged {
                update: self.updates + 1,
                what: "a parameter is not finite",
                kept: self.updates,
            });
        }
        self.updates += 1;
        Ok(())
    }

    /// The weights of the rows of a batch that is not drawn by them, where there are any.
    fn weights_of_batch(&self) -> Option<&[f64]> {
        self.row_weights.as_ref().filter(|_| self.params.batch.is_none()).map(RowWeights::weights)
    }

    /// The statistics of a batch, or of chains that began there.
    fn data_statistics(&self, batch: &[f64]) -> Statistics {
        match self.weights_of_batch() {
            None => self.machine.statistics(batch, 1.0),
            Some(weights) => self.machine.weighted_statistics(batch, weights, 1.0),
        }
    }

    /// The learning rate of the next update.
    fn learning_rate(&self) -> f64 {
        let t = self.updates as f64 / self.params.updates.max(1) as f64;
        self.params.learning_rate * self.params.schedule.factor(t)
    }

    /// Moves the parameters; whether they are finite after it.
    fn step(&mut self, gradient: &Statistics) -> Result<bool> {
        let rate = self.learning_rate();
        let Statistics { weights, visible, hidden } = &mut self.velocity;
        let (w, a, b) = self.machine.parameters_mut();
        let lists = [(w, weights, &gradient.weights), (a, visible, &gradient.visible), (b, hidden, &gradient.hidden)];
        let mut finite = true;
        for (k, (values, velocity, gradient)) in lists.into_iter().enumerate() {
            if let Some(adam) = &mut self.adam {
                if gradient.iter().any(|g| !g.is_finite()) {
                    return Ok(false);
                }
                // Adam descends.
                let down: Vec<f64> = gradient.iter().map(|g| -g).collect();
                adam[k].set_learning_rate(rate)?;
                adam[k].step(values, &down)?;
                finite &= values.iter().all(|x| x.is_finite());
                continue;
            }
            for ((x, velocity), g) in values.iter_mut().zip(velocity).zip(gradient) {
                *velocity = self.params.momentum * *velocity + rate * g;
                *x += *velocity;
                finite &= x.is_finite();
            }
        }
        Ok(finite)
    }

    /// What the gradient subtracts; and the same for the precisions, where they are learned.
    fn model_statistics(&mut self, batch: &[f64]) -> Result<(Statistics, Option<Vec<f64>>)> {
        let learned = self.params.precision_rate > 0.0;
        let nv = self.machine.visible_len();
        let mut rows: Vec<f64> = Vec::new();
        match (&self.params.method, &mut self.model) {
            (DenseMethod::ContrastiveDivergence { sweeps }, _) => {
                rows = batch.to_vec();
                let mut h = vec![0.0; self.machine.hidden_len()];
                for v in rows.chunks_exact_mut(nv) {
                    (0..*sweeps).for_each(|_| self.machine.gibbs_sweep(v, &mut h, 1.0, &mut self.rng));
                }
                // Row r of the chains began at row r of the data and has its weight.
                let weights = self.weights_of_batch();
                let precisions = learned.then(|| precision::means(&self.machine, &rows, weights));
                return Ok((self.data_statistics(&rows), precisions));
            }
            (method, Model::Chains(chains)) => {
                let rounds = if let DenseMethod::Persistent { sweeps } = method { *sweeps as u64 } else { 1 };
                chains.advance(&self.machine, rounds);
                let last = chains.betas().len() - 1;
                (0..self.params.chains).for_each(|c| rows.extend_from_slice(chains.visible(last, c)));
            }
            (DenseMethod::TrajectoryTempering { rate }, Model::Trajectory(ladder)) => {
                ladder.set_last(self.machine.clone())?;
                ladder.advance(1);
                let last = ladder.machines().len() - 1;
                (0..self.params.chains).for_each(|c| rows.extend_from_slice(ladder.visible(last, c)));
                let [accepted, tried] = ladder.last_exchanges();
                if tried >= EXCHANGES {
                    // The machine moves on: what was accepted long ago says nothing of it.
                    if (accepted as f64) < rate * tried as f64 { ladder.push_last() } else { ladder.forget_last() }
                }
            }
            (_, Model::MeanField(tap, means)) => {
                let point = match means.take() {
                    Some([v, h]) => tap.solve_from(&self.machine, 1.0, &v, &h)?,
                    None => tap.solve(&self.machine, 1.0)?,
                };
                let statistics = tap.statistics(&self.machine, 1.0, &point)?;
                *means = Some([point.visible, point.hidden]);
                return Ok((statistics, None));
            }
            _ => {
                let precisions = if learned { Some(exact_precisions(&self.machine, 1.0)?) } else { None };
                return Ok((exact(&self.machine, 1.0)?.statistics, precisions));
            }
        }
        let precisions = learned.then(|| precision::means(&self.machine, &rows, None));
        Ok((self.machine.statistics(&rows, 1.0), precisions))
    }
}

/// Whether the energy of two Gaussian layers has a lower bound. With a layer of finitely many values it always has; pairs of continuous
/// layers with rectified units are not checked.
fn check_bounded<V: Unit, H: Unit>(machine: &Rbm<V, H>) -> Result<()> {
    let smallest = |unit: &dyn Unit, n: usize| {
        (0..n).map(|i| unit.precision(i)).try_fold(f64::INFINITY, |least, x| x.map(|x| least.min(x)))
    };
    let both = smallest(machine.visible(), machine.n_visible()).zip(smallest(machine.hidden(), machine.n_hidden()));
    let Some((visible, hidden)) = both else { return Ok(()) };
    // The sum of the squares is a bound of the eigenvalue, and cheap.
    let squares: f64 = machine.weights().iter().map(|w| w * w).sum();
    if squares.is_nan() || squares < visible * hidden {
        return Ok(());
    }
    match machine.normalisability()? {
        Some(eigenvalue) if eigenvalue >= 1.0 => Err(Error::Unbounded { eigenvalue }),
        _ => Ok(()),
    }
}

/// Rows of 0/1 units whose values may lie between.
fn check_probabilities<V: Unit, H: Unit>(machine: &Rbm<V, H>, data: &[f64]) -> Result<()> {
    if machine.visible().name() != "bernoulli" {
        let reason = "the visible units are not Bernoulli";
        return Err(Error::NotApplicable { method: "training on probabilities", reason });
    }
    let ends: Vec<f64> = data.iter().map(|x| if (0.0..=1.0).contains(x) { 0.0 } else { *x }).collect();
    match machine.check_data(&ends) {
        Err(Error::Alphabet { row, entry, value, .. }) => {
            Err(Error::Alphabet { row, entry, value, expected: "0 to 1" })
        }
        other => other,
    }
}

/// The data with the likeliest value of a free unit in place of missing ones. A unit of several numbers is missing when its first is.
fn without_missing<V: Unit, H: Unit>(machine: &Rbm<V, H>, data: &[f64]) -> Vec<f64> {
    let (nv, width) = (machine.visible_len(), machine.visible().width());
    let mut out = data.to_vec();
    for (k, x) in out.chunks_exact_mut(width).enumerate().filter(|(_, x)| x[0].is_nan()) {
        let entry = k * width % nv;
        machine.visible().mode(entry / width, &machine.visible_bias()[entry..entry + width], x);
    }
    out
}

/// Draws the missing units of every row given the others, by block Gibbs sweeps from the values of free units.
fn fill_missing<V: Unit, H: Unit>(machine: &Rbm<V, H>, rows: &mut [f64], sweeps: usize, rng: &mut Xoshiro256PlusPlus) {
    let (nv, width) = (machine.visible_len(), machine.visible().width());
    let mut drawn = vec![0.0; nv];
    let mut h = vec![0.0; machine.hidden_len()];
    for row in rows.chunks_exact_mut(nv) {
        let missing: Vec<usize> = (0..nv).step_by(width).filter(|&k| row[k].is_nan()).collect();
        if missing.is_empty() {
            continue;
        }
        crate::rbm::layer_sample(machine.visible(), machine.visible_bias(), 1.0, &mut drawn, rng);
        for sweep in 0..=sweeps {
            if sweep > 0 {
                machine.sample_hidden(row, 1.0, &mut h, rng);
                machine.sample_visible(&h, 1.0, &mut drawn, rng);
            }
            missing.iter().for_each(|&k| row[k..k + width].copy_from_slice(&drawn[k..k + width]));
        }
    }
}

mod checkpoint;
mod precision;
pub(crate) use checkpoint::{read_parameters, save_parameters};

#[cfg(test)]
mod tests;
