//! Training.
//!
//! | type | for |
//! |---|---|
//! | [`Trainer`] | machines with 0/1 units, fast: CD-k, persistent CD, fast persistent CD, parallel tempering |
//! | [`DenseTrainer`] | machines with any units, `f64`; the exact gradient for small ones |
//! | [`monitor`] | pseudo-likelihood, reconstruction error, free-energy gap |
//!
//! The gradient of the mean log-likelihood is a difference of averages,
//!
//! ```math
//! \frac{\partial \ln P}{\partial W_{jk}} = \langle h_j v_k \rangle_{\text{data}} - \langle h_j v_k \rangle_{\text{model}},
//! ```
//!
//! and the methods differ in how they sample the second one.

pub mod monitor;

mod dense;
mod dense_params;
mod gradient;
mod params;
mod row_order;
mod trainer;

pub(crate) use row_order::RowOrder;

pub use dense::DenseTrainer;
pub use dense_params::{DenseMethod, DenseParams, Stepper};
pub use params::{Method, Schedule, TrainingParams};
pub use trainer::{Trainer, TrainingProgress};
