//! Exact partition functions.

mod compensated;
mod enumeration;
mod square;
mod transfer_matrix;
mod tree;

pub use enumeration::{DiscreteSums, Distribution, EnergyCumulants, EnergyLevel, Enumerable, Enumeration, GrayCode};
pub use square::{BulkSums, CRITICAL_COUPLING, Kaufman, Onsager, TorusSums};
pub use transfer_matrix::{
    FrontierModel, FrontierOrder, Marginals, StripLimit, TransferMatrix, TransferMatrixParams, UniformRow,
    homogeneous_torus,
};
pub use tree::Tree;
