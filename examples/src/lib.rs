//! What the examples share: instances from files, binary images, numbers in JSON, progress bars, figures, a Hopfield network, numbered work units in files, and how a failure ends the process.

pub mod binary_images;
pub mod exit;
pub mod figure;
pub mod grey_images;
#[cfg(doctest)]
mod guide;
pub mod hopfield;
pub mod image;
pub mod instance;
pub mod json;
pub mod progress;
pub mod units;
