//! Codes: classical linear codes, stabilizer and CSS codes, their families and what can be computed of them.

mod css;
mod decompose;
mod distance;
mod families;
mod linear;
mod stabilizer;
mod symmetry;
mod symplectic;
mod tanner;

pub use css::CssCode;
pub(crate) use css::MOST;
pub use decompose::{Coordinates, Decomposition};
pub use distance::{Distance, DistanceParams, Kind, distance};
pub use families::*;
pub use linear::LinearCode;
pub use stabilizer::{Layout, StabilizerCode};
pub use symmetry::Symmetry;
pub use tanner::{four_cycles, girth};
