//! Exact partition functions.

mod enumeration;
mod transfer_matrix;

pub use enumeration::{DiscreteSums, Distribution, EnergyCumulants, EnergyLevel, Enumerable, Enumeration, GrayCode};
pub use transfer_matrix::{FrontierModel, FrontierOrder, Marginals, TransferMatrix, TransferMatrixParams};
