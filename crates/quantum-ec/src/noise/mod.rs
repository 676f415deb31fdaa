//! Noise models.

mod code_capacity;
mod erasure;
mod independent;
mod ising;
mod phenomenological;

pub use code_capacity::{Noise, PauliTable, css_problem};
pub use erasure::Erasure;
pub use independent::independent_paulis;
pub use ising::IsingNoise;
pub use phenomenological::phenomenological;
