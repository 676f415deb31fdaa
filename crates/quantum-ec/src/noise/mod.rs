//! Noise models.

mod code_capacity;
mod erasure;
mod ising;
mod phenomenological;

pub use code_capacity::{Noise, PauliTable, css_problem};
pub use erasure::Erasure;
pub use ising::IsingNoise;
pub use phenomenological::phenomenological;
