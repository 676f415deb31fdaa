//! What a training run of machines with any units is told.

use super::params::{Schedule, Stepper};
use crate::{Error, Result};

/// How [`DenseTrainer`](super::DenseTrainer) averages over the model.
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
    /// Persistent chains of the machine and of earlier states of itself, which exchange configurations:
    /// [`TrajectoryTempering`](crate::TrajectoryTempering). One round an update. Where fewer than `rate` of the last 200 or more exchanges
    /// with the machine as it is are accepted, it joins the ladder.
    TrajectoryTempering {
        /// The smallest accepted part of the exchanges, 0.25 say.
        rate: f64,
    },
    /// The stationary point of Plefka's expansion of order 1 (mean field), 2 (TAP) or 3, from that of the update before: the extended mean
    /// field of M. Gabrié, E. W. Tramel and F. Krzakala, NeurIPS 2015. For units of two states; there is no sampling.
    MeanField {
        /// Order, 1 to 3.
        order: u8,
        /// Iterations at most an update.
        iterations: usize,
    },
}

/// What the gradient of [`DenseTrainer`](super::DenseTrainer) is centred at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Centring {
    /// Nothing: the plain gradient.
    None,
    /// The means of the batch: [`Statistics::centred`](crate::Statistics::centred).
    Data,
    /// Half way between data and model: [`Statistics::enhanced`](crate::Statistics::enhanced).
    Enhanced,
}

/// Parameters of [`DenseTrainer`](super::DenseTrainer).
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
    /// L1 decay of the weights; default 0.
    pub l1: f64,
    /// Target mean of hidden units and strength of the pull on their biases: `strength · (target - mean over the batch)` is added to
    /// their gradient; default none.
    pub sparsity: Option<(f64, f64)>,
    /// What the gradient is centred at; default the means of the batch.
    pub centring: Centring,
    /// How a gradient moves the parameters; default plain steps.
    pub stepper: Stepper,
    /// Where NaN in the data stands for a missing unit: sweeps by which the missing units of a row are drawn given the others, at every
    /// update; default none, NaN is an error.
    pub missing: Option<usize>,
    /// Learning rate of `ln γ` of Gaussian visible units over that of the weights; default 0, the precisions stay what they are. Wants
    /// data of about unit size, and a part well below 1.
    pub precision_rate: f64,
    /// Whether 0/1 data may hold numbers between: probabilities, in place of many draws of the unit; default false.
    pub probabilities: bool,
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
            l1: 0.0,
            sparsity: None,
            centring: Centring::Data,
            stepper: Stepper::Gradient,
            missing: None,
            precision_rate: 0.0,
            probabilities: false,
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
    /// Sets what the gradient is centred at.
    pub fn centring(mut self, centring: Centring) -> Self {
        self.centring = centring;
        self
    }
    /// Lets the precisions of Gaussian visible units be learned, at this part of the learning rate, in `ln γ`.
    pub fn precision_rate(mut self, factor: f64) -> Self {
        self.precision_rate = factor;
        self
    }
    /// Sets the L1 decay.
    pub fn l1(mut self, l1: f64) -> Self {
        self.l1 = l1;
        self
    }
    /// Sets the target mean of hidden units and the strength of the pull.
    pub fn sparsity(mut self, target: f64, strength: f64) -> Self {
        self.sparsity = Some((target, strength));
        self
    }
    /// Sets how a gradient moves the parameters.
    pub fn stepper(mut self, stepper: Stepper) -> Self {
        self.stepper = stepper;
        self
    }
    /// Lets NaN stand for missing units, drawn by so many sweeps at every update.
    pub fn missing(mut self, sweeps: usize) -> Self {
        self.missing = Some(sweeps);
        self
    }
    /// Lets 0/1 data hold probabilities: a row then counts with its means, as the upper machines of a stack learn from those of the
    /// layer below (Hinton and Salakhutdinov, Science 313, 504 (2006)).
    pub fn probabilities(mut self, probabilities: bool) -> Self {
        self.probabilities = probabilities;
        self
    }

    pub(super) fn validate(&self, rows: usize) -> Result<()> {
        let positive = |what, value: usize| {
            if value > 0 {
                Ok(())
            } else {
                Err(Error::Parameter { what, value: "0".to_owned(), expected: "1 or more" })
            }
        };
        positive("number of chains", self.chains)?;
        if let Some(sweeps) = self.missing {
            positive("sweeps of missing units", sweeps)?;
        }
        if let Some(batch) = self.batch.filter(|batch| !(1..=rows).contains(batch)) {
            let expected = "1 to the number of rows of the data";
            return Err(Error::Parameter { what: "rows of a batch", value: batch.to_string(), expected });
        }
        self.schedule.validate()?;
        let (target, strength) = self.sparsity.unwrap_or((0.0, 0.0));
        for (what, value) in [
            ("learning rate", self.learning_rate),
            ("momentum", self.momentum),
            ("l2 decay", self.l2),
            ("l1 decay", self.l1),
            ("strength of the sparsity", strength),
            ("rate of the precisions", self.precision_rate),
        ] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(Error::Parameter { what, value: value.to_string(), expected: "a finite number >= 0" });
            }
        }
        if !target.is_finite() {
            let value = target.to_string();
            return Err(Error::Parameter { what: "target of hidden means", value, expected: "a finite number" });
        }
        match &self.method {
            DenseMethod::Exact => Ok(()),
            DenseMethod::ContrastiveDivergence { sweeps } | DenseMethod::Persistent { sweeps } => {
                positive("sweeps an update", *sweeps)
            }
            DenseMethod::ParallelTempering { betas } => {
                if betas.last().is_some_and(|beta| (beta - 1.0).abs() < 1e-12) {
                    return Ok(());
                }
                let value = format!("{betas:?}");
                Err(Error::Parameter { what: "betas", value, expected: "ascending, the last one 1" })
            }
            DenseMethod::TrajectoryTempering { rate } => {
                if (0.0..1.0).contains(rate) {
                    return Ok(());
                }
                let value = rate.to_string();
                Err(Error::Parameter { what: "smallest rate of exchanges", value, expected: "0 to less than 1" })
            }
            DenseMethod::MeanField { iterations, .. } => positive("iterations", *iterations),
        }
    }
}
