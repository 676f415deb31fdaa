//! Noise models.

mod phenomenological;

pub use phenomenological::phenomenological;
