//! Training of machines with any units, in `f64`.

use linalg_core::Streams;
use linalg_core::rand::RngExt;
use linalg_core::rng::Xoshiro256PlusPlus;

use super::params::Schedule;
use crate::partition::exact;
use crate::rbm::Statistics;
use crate::units::Unit;
use crate::{Error, JointTempering, Rbm, Result};

/// How [`DenseTrainer`] averages over the model.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum DenseMethod {
    /// Exact sums over the smaller layer.
    Exact,
    /// Contrastive divergence with k sweeps.
    ContrastiveDivergence {
        /// Sweeps k.
        sweeps: usize,
    },
    /// Persistent chains, k sweeps an update.
    Persistent {
        /// Sweeps k.
        sweeps: usize,
    },
    /// Persistent chains at several temperatures of the joint energy; one round an update.
    ParallelTempering {
        /// Inverse temperatures, ascending, the last one 1.
        betas: Vec<f64>,
    },
}

/// Parameters of [`DenseTrainer`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DenseParams {
    /// How the model is averaged; default exact.
    pub method: DenseMethod,
    /// First learning rate; default 0.1.
    pub learning_rate: f64,
    /// How it falls; default constant.
    pub schedule: Schedule,
    /// Updates of the run; default 1000.
    pub updates: u64,
    /// Rows of a batch, drawn at random; default all rows.
    pub batch: Option<usize>,
    /// Chains at every temperature; default 100.
    pub chains: usize,
    /// Momentum; default 0.
    pub momentum: f64,
    /// L2 decay of the weights; default 0.
    pub l2: f64,
    /// Whether the gradient is centred at the means of the batch; default true.
    pub centred: bool,
}

impl Default for DenseParams {
    fn default() -> Self {
        Self {
            method: DenseMethod::Exact,
            learning_rate: 0.1,
            schedule: Schedule::Constant,
            updates: 1000,
            batch: None,
            chains: 100,
            momentum: 0.0,
            l2: 0.0,
            centred: true,
        }
    }
}

impl DenseParams {
    /// Sets how the model is averaged.
    pub fn method(mut self, method: DenseMethod) -> Self {
        self.method = method;
        self
    }
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
    /// Sets the number of chains.
    pub fn chains(mut self, chains: usize) -> Self {
        self.chains = chains;
        self
    }
    /// Sets momentum and L2 decay.
    pub fn momentum(mut self, momentum: f64, l2: f64) -> Self {
        (self.momentum, self.l2) = (momentum, l2);
        self
    }
    /// Sets whether the gradient is centred.
    pub fn centred(mut self, centred: bool) -> Self {
        self.centred = centred;
        self
    }
}

/// Gradient ascent of the likelihood at β = 1 for any pair of units, and with the exact gradient for small machines.
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
    params: DenseParams,
    velocity: Statistics,
    chains: Option<JointTempering>,
    rng: Xoshiro256PlusPlus,
    updates: u64,
    gradient_norm: f64,
}

impl<'a, V: Unit + Clone, H: Unit + Clone> DenseTrainer<'a, V, H> {
    /// A run from `machine` on rows of data.
    ///
    /// # Errors
    /// [`Error::Alphabet`] for a value that the units cannot take, and others of [`Rbm::check_data`]; [`Error::Parameter`].
    pub fn new(machine: Rbm<V, H>, data: &'a [f64], params: DenseParams, streams: Streams) -> Result<Self> {
        machine.check_data(data)?;
        let rows = data.len() / machine.visible_len();
        let positive = |what, value: usize| {
            if value > 0 {
                Ok(())
            } else {
                Err(Error::Parameter { what, value: "0".to_owned(), expected: "1 or more" })
            }
        };
        positive("number of chains", params.chains)?;
        if let Some(batch) = params.batch.filter(|batch| !(1..=rows).contains(batch)) {
            let value = batch.to_string();
            return Err(Error::Parameter {
                what: "rows of a batch",
                value,
                expected: "1 to the number of rows of the data",
            });
        }
        for (what, value) in
            [("learning rate", params.learning_rate), ("momentum", params.momentum), ("l2 decay", params.l2)]
        {
            if !(value.is_finite() && value >= 0.0) {
                return Err(Error::Parameter { what, value: value.to_string(), expected: "a finite number >= 0" });
            }
        }
        let betas = match &params.method {
            DenseMethod::Exact => {
                // Refuses machines that are too large before the first update.
                exact(&machine, 1.0)?;
                None
            }
            DenseMethod::ContrastiveDivergence { sweeps } => {
                positive("sweeps an update", *sweeps)?;
                None
            }
            DenseMethod::Persistent { sweeps } => {
                positive("sweeps an update", *sweeps)?;
                Some(vec![1.0])
            }
            DenseMethod::ParallelTempering { betas } => {
                if !betas.last().is_some_and(|beta| (beta - 1.0).abs() < 1e-12) {
                    let value = format!("{betas:?}");
                    return Err(Error::Parameter { what: "betas", value, expected: "ascending, the last one 1" });
                }
                Some(betas.clone())
            }
        };
        let chains =
            betas.map(|betas| JointTempering::new(&machine, betas, params.chains, streams.child(1))).transpose()?;
        Ok(Self {
            velocity: Statistics::zeros(machine.visible_len(), machine.hidden_len()),
            machine,
            data,
            params,
            chains,
            rng: streams.fast_stream(0),
            updates: 0,
            gradient_norm: f64::NAN,
        })
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

    fn update(&mut self) -> Result<()> {
        let (nv, nh) = (self.machine.visible_len(), self.machine.hidden_len());
        let rows = self.data.len() / nv;
        let batch: Vec<f64> = match self.params.batch {
            None => self.data.to_vec(),
            Some(n) => {
                let row = |rng: &mut Xoshiro256PlusPlus| rng.random_range(0..rows as u64) as usize;
                (0..n).flat_map(|_| self.data[row(&mut self.rng) * nv..][..nv].iter().copied()).collect()
            }
        };
        let data = self.machine.statistics(&batch, 1.0);
        let model = self.model_statistics(&batch)?;
        let mut gradient = data.minus(&model);
        if self.params.centred {
            gradient = gradient.centred(&data.visible, &data.hidden);
        }
        self.gradient_norm = gradient.norm();
        let t = self.updates as f64 / self.params.updates.max(1) as f64;
        let rate = self.params.learning_rate * self.params.schedule.factor(t);
        let before = self.machine.clone();
        let Statistics { weights, visible, hidden } = &mut self.velocity;
        let (w, a, b) = self.machine.parameters_mut();
        let lists = [
            (w, weights, &gradient.weights, self.params.l2),
            (a, visible, &gradient.visible, 0.0),
            (b, hidden, &gradient.hidden, 0.0),
        ];
        let mut finite = true;
        for (values, velocity, gradient, decay) in lists {
            for ((x, velocity), g) in values.iter_mut().zip(velocity).zip(gradient) {
                *velocity = self.params.momentum * *velocity + rate * (g - decay * *x);
                *x += *velocity;
                finite &= x.is_finite();
            }
        }
        if !finite {
            self.machine = before;
            return Err(Error::Diverged {
                update: self.updates + 1,
                what: "a parameter is not finite",
                kept: self.updates,
            });
        }
        debug_assert_eq!(self.machine.hidden_len(), nh);
        self.updates += 1;
        Ok(())
    }

    fn model_statistics(&mut self, batch: &[f64]) -> Result<Statistics> {
        let nv = self.machine.visible_len();
        match &self.params.method {
            DenseMethod::Exact => Ok(exact(&self.machine, 1.0)?.statistics),
            DenseMethod::ContrastiveDivergence { sweeps } => {
                let mut rows = batch.to_vec();
                let mut h = vec![0.0; self.machine.hidden_len()];
                for v in rows.chunks_exact_mut(nv) {
                    (0..*sweeps).for_each(|_| self.machine.gibbs_sweep(v, &mut h, 1.0, &mut self.rng));
                }
                Ok(self.machine.statistics(&rows, 1.0))
            }
            DenseMethod::Persistent { .. } | DenseMethod::ParallelTempering { .. } => {
                let rounds =
                    if let DenseMethod::Persistent { sweeps } = self.params.method { sweeps as u64 } else { 1 };
                let mut rows = Vec::new();
                if let Some(chains) = &mut self.chains {
                    chains.advance(&self.machine, rounds);
                    let last = chains.betas().len() - 1;
                    (0..self.params.chains).for_each(|c| rows.extend_from_slice(chains.visible(last, c)));
                }
                Ok(self.machine.statistics(&rows, 1.0))
            }
        }
    }
}
