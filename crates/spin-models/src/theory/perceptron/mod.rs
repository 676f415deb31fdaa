//! The perceptron: how much it stores, how fast it learns, how well it generalises.
//!
//! | part | what it is |
//! |---|---|
//! | [`gardner_capacity`] | patterns that continuous weights can store with a margin |
//! | [`Storage`] | the volume, or number, of weights that store random patterns, replica symmetric; the binary capacity 0.833 |
//! | [`TeacherStudent`] | generalisation errors by state evolution, for sign, probit and binary teachers |
//! | [`Gamp`] | message passing on an instance: means of the weights and how many there are |
//! | [`Learning`], [`mistake_bound`] | the perceptron algorithm and Novikoff's bound (R/γ)² |
//! | [`Examples`] | inputs with labels, random or from a teacher |
//!
//! Inputs have unit variance, weights $`w_i`$ mean square 1, and a label is $`y = \mathrm{sign}(z)`$ of the field
//! $`z = \frac{1}{\sqrt N} \sum_i w_i x_i`$; the load is α = M/N for M examples and N weights.
//!
//! ```
//! use spin_models::theory::perceptron::{Storage, Weights, gardner_capacity};
//!
//! assert!((gardner_capacity(0.0)? - 2.0).abs() < 1e-15);
//! let binary = Storage::new(Weights::Binary, 0.0)?.capacity()?;
//! assert!(binary.converged && (binary.alpha - 0.8331).abs() < 1e-4);
//! # Ok::<(), spin_models::Error>(())
//! ```
//!
//! References: E. Gardner, J. Phys. A 21, 257 (1988); W. Krauth and M. Mézard, J. Phys. (Paris) 50, 3057 (1989); T. L. H. Watkin, A. Rau
//! and M. Biehl, Rev. Mod. Phys. 65, 499 (1993); J. Barbier et al., Proc. Natl. Acad. Sci. USA 116, 5451 (2019).

mod examples;
mod gamp;
mod integrals;
mod learning;
mod state_evolution;
mod storage;

pub use examples::{Examples, Inputs};
pub use gamp::{Gamp, GampSolution};
pub(super) use integrals::hazard;
pub use learning::{Learning, LearningReport, mistake_bound};
pub use state_evolution::{Start, StateEvolution, TeacherStudent};
pub use storage::{Storage, StorageCapacity, StorageSolution, gardner_capacity};

/// The prior of a weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Weights {
    /// Continuous, Gaussian of variance 1: on the sphere of radius √N in the limit.
    Gaussian,
    /// ±1 with equal probability.
    Binary,
}
