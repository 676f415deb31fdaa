//! Training.
//!
//! | type | for |
//! |---|---|
//! | [`Trainer`] | machines with 0/1 units, fast: CD-k, persistent CD, fast weights, parallel and trajectory tempering, mean field |
//! | [`DenseTrainer`] | machines with any units, `f64`; the exact gradient for small ones |
//! | [`RowWeights`] | rows or classes that count more than others |
//! | [`TrainingTrace`] | spectrum of the weights, overlaps and correlations against the time of training |
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

mod batches;
mod dense;
mod dense_params;
mod gradient;
mod params;
mod row_weights;
mod trace;
mod trainer;

pub(crate) use batches::{Batches, InBatches};
pub(crate) use dense::{read_parameters, save_parameters};

pub use dense::DenseTrainer;
pub use dense_params::{Centring, DenseMethod, DenseParams};
pub use params::{Method, Schedule, Stepper, TrainingParams};
pub use row_weights::RowWeights;
pub use trace::{TracePoint, TrainingTrace};
pub use trainer::{Trainer, TrainingProgress};
