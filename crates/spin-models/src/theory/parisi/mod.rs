//! Parisi's solution of the Sherrington-Kirkpatrick model.
//!
//! [`Parisi`] makes finitely many steps of replica-symmetry breaking, at any temperature and at T = 0; [`ParisiEquation`] takes
//! the order parameter as a smooth function and integrates Parisi's partial differential equation. They share no code beyond
//! elementary functions.

mod equation;
mod functional;
mod k_step;

pub use equation::{ParisiEquation, ParisiFunction};
#[cfg(test)]
pub(crate) use functional::Steps;
pub use k_step::{GroundStateEnergy, Parisi, ParisiSolution};
