//! Codes: classical linear codes, stabilizer and CSS codes, their families and what can be computed of them.

mod css;
mod decompose;
mod families;
mod stabilizer;
mod symplectic;

pub use css::CssCode;
pub use decompose::{Coordinates, Decomposition};
pub use families::*;
pub use stabilizer::{Layout, StabilizerCode};
