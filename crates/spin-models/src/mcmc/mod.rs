//! Monte Carlo.

pub mod cluster;

mod acceptance;
mod chain;
mod dynamics;
mod heat_bath;
mod metropolis;
mod observables;
mod order;
mod replicas64;

pub use acceptance::{heat_bath_acceptance, metropolis_acceptance};
pub use chain::Chain;
pub use dynamics::{Dynamics, SingleSpin};
pub use heat_bath::HeatBath;
pub use metropolis::Metropolis;
pub use observables::{Equilibration, Lanes, Observables};
pub use order::{Coloring, Order};
pub use replicas64::Replicas64;
