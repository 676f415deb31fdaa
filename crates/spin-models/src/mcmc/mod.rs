//! Monte Carlo.

pub mod cluster;

mod acceptance;
mod annealing;
mod chain;
mod clenshaw_curtis;
mod dynamics;
mod heat_bath;
mod metropolis;
mod observables;
mod order;
mod replicas64;
mod solver;
mod thermodynamic;
mod threads;

pub use acceptance::{heat_bath_acceptance, metropolis_acceptance};
pub use annealing::{Annealing, AnnealingParams, Schedule, simulated_annealing};
pub use chain::Chain;
pub use dynamics::{Dynamics, SingleSpin};
pub use heat_bath::HeatBath;
pub use metropolis::Metropolis;
pub use observables::{Equilibration, Lanes, Observables};
pub use order::{Coloring, Order};
pub use replicas64::Replicas64;
pub use solver::MonteCarlo;
pub use thermodynamic::{ThermodynamicIntegration, ThermodynamicNode, ThermodynamicParams, thermodynamic_integration};
