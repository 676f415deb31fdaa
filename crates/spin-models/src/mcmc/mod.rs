//! Monte Carlo.

mod observables;

pub use observables::Observables;
