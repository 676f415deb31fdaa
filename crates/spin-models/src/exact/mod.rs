//! Exact partition functions.

mod enumeration;

pub use enumeration::{DiscreteSums, Distribution, EnergyCumulants, EnergyLevel, Enumerable, Enumeration, GrayCode};
