//! Exact partition functions.

mod compensated;
mod enumeration;
mod transfer_matrix;
mod tree;

pub use enumeration::{DiscreteSums, Distribution, EnergyCumulants, EnergyLevel, Enumerable, Enumeration, GrayCode};
pub use transfer_matrix::{
    FrontierModel, FrontierOrder, Marginals, StripLimit, TransferMatrix, TransferMatrixParams, UniformRow,
    homogeneous_torus,
};
pub use tree::Tree;
