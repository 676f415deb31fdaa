//! The error type of this crate.

use thiserror::Error as ThisError;

/// What can go wrong with a series, a parameter or a run.
///
/// Wrong slice lengths are a caller's bug and panic with both lengths; a fit or an iteration that does not settle is a
/// field of its report.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// A parameter outside its range.
    #[error("{what} is {value}, expected {expected}")]
    Parameter {
        /// Name of the parameter.
        what: &'static str,
        /// The value given.
        value: f64,
        /// The range or the rule it breaks, and what to change.
        expected: &'static str,
    },
    /// A NaN or infinite number where a finite one is needed.
    #[error("{what} {index} is {value}, expected a finite number")]
    NotFinite {
        /// What the number is.
        what: &'static str,
        /// Which one, from 0.
        index: usize,
        /// The number found.
        value: f64,
    },
    /// An entry of a list outside its range.
    #[error("{what} {index} is {value}, expected {expected}")]
    Entry {
        /// What the entries are.
        what: &'static str,
        /// Which one, from 0.
        index: usize,
        /// The value found.
        value: f64,
        /// The range or the rule it breaks.
        expected: &'static str,
    },
    /// Two particles at one place where their distance is divided by.
    #[error("particles {first} and {second} are both at {place:?}: move one of them or soften the kernel")]
    Coincident {
        /// One particle, from 0.
        first: usize,
        /// The other one.
        second: usize,
        /// Where they are.
        place: Vec<f64>,
    },
    /// A covariance whose particles all want the same distance, which no arrangement in space has.
    #[error(
        "all covariances between {particles} variables come from one pair potential {value}: no {dimension} dimensions hold so many points at one distance"
    )]
    AllEqual {
        /// Number of variables.
        particles: usize,
        /// The common value of $`S_{ij}/(q_i q_j)`$.
        value: f64,
        /// Dimension of space.
        dimension: usize,
    },
    /// A covariance that is not positive definite.
    #[error("the covariance is not positive definite: pivot {row} is {pivot}; raise the softening or the masses")]
    NotPositiveDefinite {
        /// The first row with such a pivot.
        row: usize,
        /// The pivot.
        pivot: f64,
    },
    /// A spin that points along the measurement axis and leaves the axis across undefined.
    #[error("the spin has a perpendicular part of {s_perp}, expected more than 0: every axis across is as good")]
    Degenerate {
        /// Length of the perpendicular part.
        s_perp: f64,
    },
    /// A density with a zero, where a phase or a velocity has no value.
    #[error("the density has a node at point {index}: {density:e} of its maximum, with a threshold of {threshold:e}")]
    NodeInDensity {
        /// Point of the grid, row-major.
        index: usize,
        /// Density there over the largest density.
        density: f64,
        /// Smallest ratio taken as free of nodes.
        threshold: f64,
    },
    /// Measurement operators that do not add up to one.
    #[error("the sum of the operators is off by {difference:e} at ({row}, {column}), expected at most {tolerance:e}")]
    IncompletePovm {
        /// Row of the worst entry of $`\sum_m O_m^\dagger O_m - 1`$.
        row: usize,
        /// Its column.
        column: usize,
        /// Its modulus.
        difference: f64,
        /// Largest modulus allowed.
        tolerance: f64,
    },
    /// A hidden neuron whose output is a combination of the others'.
    #[error(
        "the column of a neuron is independent of the others only by {independent:e} of its square, expected more than {threshold:e}"
    )]
    CollinearNeuron {
        /// Squared length of its part outside the span of the others, over its squared length.
        independent: f64,
        /// Smallest ratio allowed.
        threshold: f64,
    },
    /// A table or a series that is not what it should be.
    #[error(transparent)]
    Series(#[from] crate::series::SeriesError),
    /// A saved state that does not belong to this computation, or is damaged.
    #[error(transparent)]
    Checkpoint(#[from] linalg_core::checkpoint::CheckpointError),
    /// An error of the numerical core.
    #[error(transparent)]
    Core(#[from] linalg_core::Error),
}

/// Results of this crate.
pub type Result<T> = std::result::Result<T, Error>;
