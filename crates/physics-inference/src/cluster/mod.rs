//! Clusters of series that move together up to a sign, and what one variable in their place costs.
//!
//! Members $`b_k = \pm1`$ of a cluster with signs $`q_k`$ are replaced by $`x = \sum_k q_k (b_k - \bar b_k)`$. A weighted sum
//! becomes
//!
//! ```math
//! \sum_k J_k b_k \approx \Big(\tfrac1K \sum_k q_k J_k\Big) \sum_k q_k b_k,
//! ```
//!
//! with the exact mean-square error of [`replacement_error`]. The mass of a cluster is the variance of its variable,
//! $`K(1 + (K-1)\rho)`$ for unit variances and equal correlations: it is measured, and is not proportional to the size.

mod replacement;
mod set;
mod signed;

pub use replacement::{mass, replacement_coefficient, replacement_error};
pub use set::{Cluster, ClusterSet};
pub use signed::{ClusterReport, SignedClustering};
