//! Many replicas of a dense model side by side, in 32-bit arithmetic: for annealing.
//!
//! A flip changes the local fields of all spins. The sweep goes through blocks of 64 spins. Inside a block the fields
//! follow every flip at once, so that spins are decided one after the other as in any sequential sweep; all other fields
//! are needed only later and get the flips of the whole block together. That reads a tile of couplings once for all
//! replicas of a group and keeps the fields in registers over several rows.
//!
//! # Rounding
//! Fields are sums of 32-bit numbers. Each of at most `256 N` flips between two fresh computations adds a rounding error
//! of at most `2⁻²⁴ F`, `F` the largest possible local field: independent errors add up to `16 √N 2⁻²⁴ F`.
//! [`DenseReplicas::new`] refuses a model and a temperature at which `2β` times this exceeds 1/8.

mod couplings;
mod sweep;
mod thresholds;

use linalg_core::Streams;

use self::couplings::DenseCouplings;
use self::sweep::{DenseReplica, REFRESH, Sweeps};
use crate::Spins;
use crate::mcmc::Dynamics;
use crate::model::PairwiseModel;
use linalg_core::simd;

/// Replicas that share the reading of the couplings.
pub(super) const GROUP: u64 = 16;

/// The couplings in the form the sweeps want.
#[derive(Debug, Clone)]
pub(super) struct DenseModel {
    couplings: DenseCouplings,
    /// What the energy of the model has beyond fields and couplings.
    constant: f64,
}

impl DenseModel {
    /// `None` where 32 bits are not enough up to this β.
    pub(super) fn new<M: PairwiseModel + ?Sized>(model: &M, coldest: f64) -> Option<Self> {
        let couplings = DenseCouplings::new(model)?;
        let drift = ((REFRESH * couplings.n as u64) as f64).sqrt() * 0.5f64.powi(24) * couplings.largest_field;
        let up = Spins::up(couplings.n);
        let fields = (0..couplings.n).map(|i| model.field(i) + 0.5 * model.neighbors(i).map(|(_, j)| j).sum::<f64>());
        let constant = model.energy(&up) + fields.sum::<f64>();
        (2.0 * coldest * couplings.unit * drift <= 0.125).then_some(Self { couplings, constant })
    }
}

/// A group of replicas at one and the same temperature, each with the random numbers of its own unit.
#[derive(Debug, Clone)]
pub(super) struct DenseReplicas {
    replicas: Vec<DenseReplica>,
    dynamics: Dynamics,
    sweeps: u64,
}

impl DenseReplicas {
    /// Random spins; the replica of unit `k` draws from fast stream `k`.
    pub(super) fn new(
        model: &DenseModel,
        dynamics: Dynamics,
        streams: Streams,
        units: impl Iterator<Item = u64>,
    ) -> Self {
        let replicas = units.map(|unit| DenseReplica::new(&model.couplings, streams.fast_stream(unit))).collect();
        Self { replicas, dynamics, sweeps: 0 }
    }

    /// A sweep at each of these temperatures.
    pub(super) fn sweep(&mut self, model: &DenseModel, betas: &[f64]) {
        let Self { replicas, dynamics, sweeps } = self;
        simd::widest(Sweeps { couplings: &model.couplings, replicas, dynamics: *dynamics, betas, done: *sweeps });
        *sweeps += betas.len() as u64;
    }

    /// The lowest energy of all replicas after any sweep, up to rounding.
    pub(super) fn lowest(&self, model: &DenseModel) -> f64 {
        self.replicas.iter().map(DenseReplica::best).fold(f64::INFINITY, f64::min) * model.couplings.unit
            + model.constant
    }

    /// The best configuration of every replica.
    pub(super) fn into_best(self, model: &DenseModel) -> impl Iterator<Item = Spins> {
        let n = model.couplings.n;
        self.replicas.into_iter().map(move |replica| replica.best_spins(n))
    }
}

#[cfg(test)]
mod tests;
