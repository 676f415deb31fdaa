//! What the examples share: instances from files, numbers in JSON, progress bars, figures, and how a failure ends the process.

pub mod exit;
pub mod figure;
pub mod instance;
pub mod json;
pub mod progress;
