//! Exact partition functions.

pub mod kaufman;
pub mod onsager;
pub mod planar;

mod boundary_mps;
mod branch_and_bound;
mod compensated;
mod corner_transfer;
mod enumeration;
mod square;
mod tensor_network;
mod transfer_matrix;
mod tree;

pub use boundary_mps::{BoundaryMps, BoundaryMpsMarginals, BoundaryMpsReport};
pub use branch_and_bound::{BranchAndBound, BranchAndBoundParams, BranchAndBoundReport};
pub use corner_transfer::{CornerTransfer, CornerTransferReport};
pub use enumeration::{DiscreteSums, Distribution, EnergyCumulants, EnergyLevel, Enumerable, Enumeration, GrayCode};
pub use kaufman::Kaufman;
pub use onsager::Onsager;
pub use planar::Planar;
pub use tensor_network::{NetworkCost, TensorNetwork, TensorNetworkParams};
pub use transfer_matrix::{
    FrontierModel, FrontierOrder, Marginals, StripLimit, TransferMatrix, TransferMatrixParams, UniformRow,
    homogeneous_torus,
};
pub use tree::Tree;
