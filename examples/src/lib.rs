//! What the examples share: numbers in JSON, progress bars, figures, and how a failure ends the process.

pub mod exit;
pub mod figure;
pub mod json;
pub mod progress;
