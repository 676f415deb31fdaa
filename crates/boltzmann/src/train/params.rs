//! What a training run is told.

use linalg_core::checkpoint::ContentHash;

use crate::{Error, Result};

/// How the averages of the model are sampled.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Method {
    /// Contrastive divergence: chains start at the data of each batch and run k sweeps. Hinton, Neural Comput. 14, 1771 (2002).
    ContrastiveDivergence {
        /// Sweeps k.
        sweeps: usize,
    },
    /// Chains that go on from update to update, k sweeps each. Tieleman, ICML 2008.
    Persistent {
        /// Sweeps k.
        sweeps: usize,
    },
    /// The same with fast weights that push the chains on. Tieleman and Hinton, ICML 2009.
    FastPersistent {
        /// Sweeps k.
        sweeps: usize,
        /// What the fast weights keep from update to update; 0.95 in the paper.
        decay: f64,
        /// Learning rate of the fast weights; constant.
        rate: f64,
    },
    /// Persistent chains at several temperatures of the *joint* energy that exchange states. Desjardins et al., AISTATS 2010.
    ParallelTempering {
        /// Inverse temperatures, ascending, the last one 1.
        betas: Vec<f64>,
        /// Sweeps between exchanges; one round of exchanges an update.
        sweeps: usize,
    },
    /// Persistent chains of the machine and of earlier states of itself, which exchange configurations by their joint energies, as in
    /// [`TrajectoryTempering`](crate::TrajectoryTempering). Where fewer than `rate` of the last 200 or more exchanges with the machine as
    /// it is are accepted, it joins the ladder. Béreux et al., arXiv:2405.15376 (2024).
    TrajectoryTempering {
        /// The smallest accepted part of the exchanges, 0.25 say.
        rate: f64,
        /// Sweeps between exchanges; one round of exchanges an update.
        sweeps: usize,
    },
    /// Stationary points of Plefka's expansion, each from that of the update before: the extended mean field of Gabrié, Tramel and
    /// Krzakala, NeurIPS 2015. There is no sampling and no chain; what [`Tap`](crate::partition::Tap) computes, in `f32`.
    MeanField {
        /// 1 (mean field), 2 (TAP) or 3.
        order: u8,
        /// Iterations an update at most.
        iterations: usize,
        /// Points, which begin at rows of the data; the model is their average.
        points: usize,
    },
}

/// How a gradient moves the parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Stepper {
    /// Plain steps, with momentum where there is one.
    Gradient,
    /// Adam with its usual decays, 0.9 and 0.999, ε = 1e-8; the momentum is not used. Kingma and Ba, arXiv:1412.6980.
    Adam,
}

/// The learning rate as a function of the part of the run that is over. Every trainer takes ends from 0 to 1000.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Schedule {
    /// The same all the time.
    Constant,
    /// Falls linearly to this fraction of the first rate.
    Linear {
        /// The last rate as a fraction of the first.
        end: f64,
    },
    /// Falls geometrically to this fraction of the first rate.
    Exponential {
        /// The last rate as a fraction of the first.
        end: f64,
    },
    /// Stays the same for a part of the run, then falls linearly to this fraction of the first rate.
    Cooldown {
        /// The part of the run before the rate falls, 0 to less than 1.
        from: f64,
        /// The last rate as a fraction of the first.
        end: f64,
    },
}

impl Schedule {
    /// The factor after a fraction `t` from 0 to 1 of the run.
    ///
    /// ```
    /// use boltzmann::train::Schedule;
    ///
    /// let schedule = Schedule::Cooldown { from: 0.5, end: 0.0 };
    /// assert_eq!([0.0, 0.5, 0.75, 1.0].map(|t| schedule.factor(t)), [1.0, 1.0, 0.5, 0.0]);
    /// ```
    pub fn factor(&self, t: f64) -> f64 {
        let t = t.clamp(0.0, 1.0);
        match *self {
            Self::Constant => 1.0,
            Self::Linear { end } => 1.0 + (end - 1.0) * t,
            Self::Exponential { end } => end.powf(t),
            Self::Cooldown { from, end } if t > from => 1.0 + (end - 1.0) * (t - from) / (1.0 - from),
            Self::Cooldown { .. } => 1.0,
        }
    }

    /// Checks what every trainer asks of a schedule: ends from 0 to 1000, and a rate that begins to fall before the end.
    pub(crate) fn validate(&self) -> Result<()> {
        if let Self::Cooldown { from, .. } = *self {
            check_range("part of the run before the rate falls", from, 0.0, 1.0 - 1e-9, "0 to less than 1")?;
        }
        if let Self::Linear { end } | Self::Exponential { end } | Self::Cooldown { end, .. } = *self {
            check_range("end of the learning rate", end, 0.0, 1e3, "0 to 1000")?;
        }
        Ok(())
    }
}

fn check_range(what: &'static str, value: f64, low: f64, high: f64, expected: &'static str) -> Result<()> {
    if value >= low && value <= high {
        Ok(())
    } else {
        Err(Error::Parameter { what, value: value.to_string(), expected })
    }
}

/// Parameters of [`Trainer`](super::Trainer).
///
/// ```
/// use boltzmann::train::{Method, Schedule, TrainingParams};
///
/// let params = TrainingParams::default()
///     .method(Method::Persistent { sweeps: 1 })
///     .learning_rate(0.05)
///     .schedule(Schedule::Linear { end: 0.0 })
///     .epochs(10);
/// assert_eq!(params.batch, 128);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TrainingParams {
    /// How the model is sampled; default persistent chains, one sweep.
    pub method: Method,
    /// First learning rate; default 0.05.
    pub learning_rate: f64,
    /// How it falls; default linearly to 0.
    pub schedule: Schedule,
    /// Passes through the data; default 10.
    pub epochs: u64,
    /// Rows of a batch; default 128. The rest of an epoch that fills no batch is left out; the next epoch has another order.
    pub batch: usize,
    /// Chains, at every temperature; default 128. Contrastive divergence has as many as the batch has rows.
    pub chains: usize,
    /// Momentum; default 0.
    pub momentum: f64,
    /// How a gradient moves the parameters; default plain steps.
    pub stepper: Stepper,
    /// L2 decay of the weights: `rate · l2 · w` comes off at every update; default 0.
    pub l2: f64,
    /// L1 decay of the weights: `rate · l1 · sign w` comes off at every update; default 0.
    pub l1: f64,
    /// Whether the gradient is centred; default true.
    pub centred: bool,
    /// How fast the offsets of the centred gradient follow the means of the batches; default 0.01.
    pub offset_rate: f64,
    /// Target mean of hidden units and strength with which hidden biases are pulled towards it; default none.
    pub sparsity: Option<(f64, f64)>,
    /// Seed of everything random; default 0.
    pub seed: u64,
    /// Threads, 0 for all there are; default 1. The numbers do not depend on it.
    pub threads: usize,
}

impl Default for TrainingParams {
    fn default() -> Self {
        Self {
            method: Method::Persistent { sweeps: 1 },
            learning_rate: 0.05,
            schedule: Schedule::Linear { end: 0.0 },
            epochs: 10,
            batch: 128,
            chains: 128,
            momentum: 0.0,
            stepper: Stepper::Gradient,
            l2: 0.0,
            l1: 0.0,
            centred: true,
            offset_rate: 0.01,
            sparsity: None,
            seed: 0,
            threads: 1,
        }
    }
}

impl TrainingParams {
    /// Sets how the model is sampled.
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
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
    /// Sets the number of chains.
    pub fn chains(mut self, chains: usize) -> Self {
        self.chains = chains;
        self
    }
    /// Sets the momentum.
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }
    /// Sets how a gradient moves the parameters.
    pub fn stepper(mut self, stepper: Stepper) -> Self {
        self.stepper = stepper;
        self
    }
    /// Sets the L2 and L1 decay of the weights.
    pub fn decay(mut self, l2: f64, l1: f64) -> Self {
        (self.l2, self.l1) = (l2, l1);
        self
    }
    /// Sets whether the gradient is centred.
    pub fn centred(mut self, centred: bool) -> Self {
        self.centred = centred;
        self
    }
    /// Sets the target mean of hidden units and the strength of the pull.
    pub fn sparsity(mut self, target: f64, strength: f64) -> Self {
        self.sparsity = Some((target, strength));
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

    /// Sweeps between two updates.
    pub(super) fn sweeps(&self) -> usize {
        match self.method {
            Method::ContrastiveDivergence { sweeps }
            | Method::Persistent { sweeps }
            | Method::FastPersistent { sweeps, .. }
            | Method::ParallelTempering { sweeps, .. }
            | Method::TrajectoryTempering { sweeps, .. } => sweeps,
            Method::MeanField { iterations, .. } => iterations,
        }
    }

    /// The inverse temperatures of the chains, the one that learns last.
    pub(super) fn betas(&self) -> Vec<f64> {
        match &self.method {
            Method::ParallelTempering { betas, .. } => betas.clone(),
            _ => vec![1.0],
        }
    }

    pub(super) fn validate(&self) -> Result<()> {
        check_range("learning rate", self.learning_rate, 0.0, 1e3, "0 to 1000")?;
        check_range("momentum", self.momentum, 0.0, 1.0 - 1e-9, "0 to less than 1")?;
        check_range("l2 decay", self.l2, 0.0, 1e3, "0 to 1000")?;
        check_range("l1 decay", self.l1, 0.0, 1e3, "0 to 1000")?;
        check_range("offset rate", self.offset_rate, 0.0, 1.0, "0 to 1")?;
        self.schedule.validate()?;
        if let Some((target, strength)) = self.sparsity {
            check_range("target of hidden means", target, 0.0, 1.0, "0 to 1")?;
            check_range("strength of the sparsity", strength, 0.0, 1e3, "0 to 1000")?;
        }
        let count = |what, value: usize, high: usize, expected| {
            if (1..=high).contains(&value) {
                Ok(())
            } else {
                Err(Error::Parameter { what, value: value.to_string(), expected })
            }
        };
        count("number of chains", self.chains, 1 << 24, "1 to 16777216")?;
        let what = if let Method::MeanField { .. } = self.method { "iterations" } else { "sweeps an update" };
        count(what, self.sweeps(), 1 << 20, "1 to 1048576")?;
        match &self.method {
            Method::FastPersistent { decay, rate, .. } => {
                check_range("decay of the fast weights", *decay, 0.0, 1.0, "0 to 1")?;
                check_range("rate of the fast weights", *rate, 0.0, 1e3, "0 to 1000")?;
            }
            Method::ParallelTempering { betas, .. } => {
                let ascending = betas.windows(2).all(|pair| pair[0] < pair[1]);
                let ends = betas.first().is_some_and(|beta| *beta >= 0.0)
                    && betas.last().is_some_and(|beta| (beta - 1.0).abs() < 1e-12);
                if !(ascending && ends) {
                    let value = format!("{betas:?}");
                    return Err(Error::Parameter { what: "betas", value, expected: "ascending from >= 0 to 1" });
                }
            }
            Method::TrajectoryTempering { rate, .. } => {
                check_range("smallest rate of exchanges", *rate, 0.0, 1.0 - 1e-9, "0 to less than 1")?;
            }
            Method::MeanField { order, points, .. } => {
                crate::partition::Tap::new(*order)?;
                count("number of points", *points, 1 << 16, "1 to 65536")?;
            }
            _ => {}
        }
        Ok(())
    }

    /// A hash of everything but the number of threads.
    pub(super) fn hash_into(&self, hash: &mut ContentHash) {
        let one_thread = self.clone().threads(1);
        hash.write_str(&format!("{one_thread:?}"));
    }
}
