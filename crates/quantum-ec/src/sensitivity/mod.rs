//! What errors in a circuit do to detectors: detecting regions and detector error models.
//!
//! A detector is a sum of records that is the same in every run without noise. Moved backward through the circuit it is a
//! Pauli operator at every moment, its detecting region: an error is seen if and only if it anticommutes with the region
//! where it happens. [`Circuit::detecting_region`](crate::Circuit::detecting_region) follows one detector,
//! [`Circuit::to_model`](crate::Circuit::to_model) all of them at once, and
//! [`Circuit::explain`](crate::Circuit::explain) finds the places of errors with given symptoms.

mod channels;
mod coordinates;
mod decompose;
mod explain;
mod flag_walk;
mod flags;
mod frontier;
mod location;
mod mechanisms;
mod model;
mod region;
mod set;
mod walk;

pub(crate) use set::mix;

pub use explain::{CircuitError, Symptom};
pub use flags::{FlaggedModel, FlaggedShots, GivenProblem, Leakage};
pub use location::{Location, Step};
pub use model::{CircuitModel, Decompose, ModelParams};
pub use region::{DetectingRegion, Sensor};
pub use walk::{DisjointErrors, GaugeDetectors, Loops};
