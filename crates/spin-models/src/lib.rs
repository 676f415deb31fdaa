#![doc = include_str!("../README.md")]

pub mod amplitude;
pub mod error;
pub mod exact;
pub mod hopfield;
pub mod inverse;
pub mod io;
pub mod mcmc;
pub mod model;
pub mod models;
pub mod spins;
pub mod theory;

pub use error::{Error, Result};
pub use exact::{BoundaryMps, BoundaryMpsMarginals, BoundaryMpsReport};
pub use exact::{CornerTransfer, CornerTransferReport};
pub use exact::{Enumerable, Enumeration, GrayCode, Planar, Tree};
pub use exact::{FrontierModel, FrontierOrder, Marginals, TransferMatrix, TransferMatrixParams};
pub use exact::{NetworkCost, TensorNetwork, TensorNetworkParams};
pub use mcmc::MonteCarlo;
pub use model::{
    CachedModel, Correlations, DiscreteModel, EnergyModel, GroundState, Kind, LnZ, LogPartition, LogPartitionPlan,
    MarkovKernel, PairCorrelations, PairwiseModel, PrepareLogPartition, Progress, Quantities, Replan, Reweight,
    Simulation, Solution, Solve, SweepStats, Uncached,
};
pub use models::{
    Boundary, Disorder, Duplicates, InteractionModel, Ising, Lattice, Potts, Shape, SherringtonKirkpatrick,
};
pub use spins::Spins;

pub use linalg_core::rand;
