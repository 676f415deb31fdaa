//! Probabilities of mechanisms from detection events.

mod estimate;
mod moments;

pub use estimate::{MechanismFit, ModelFit};
pub use moments::{FIT_BLOCKS, Fit, MAX_FIT_DETECTORS};
