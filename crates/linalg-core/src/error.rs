//! The error type of this crate.

use thiserror::Error as ThisError;

/// What can be wrong with the data or the parameters given to this crate.
///
/// Wrong slice lengths are a caller's bug and panic with both lengths; failing to converge is a field of the
/// report. Everything else arrives here, with the offending value and its bound.
#[derive(Debug, Clone, PartialEq, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// A number that must be finite is NaN or infinite.
    #[error("{what}[{index}] is {value}, expected a finite number")]
    NotFinite {
        /// Name of the array.
        what: &'static str,
        /// Position in the array.
        index: usize,
        /// The number found there.
        value: f64,
    },
    /// A parameter lies outside its closed range.
    #[error("{what} is {value}, expected {low} <= {what} <= {high}")]
    OutOfRange {
        /// Name of the parameter.
        what: &'static str,
        /// The value given.
        value: f64,
        /// Smallest value allowed.
        low: f64,
        /// Largest value allowed.
        high: f64,
    },
    /// Something that must have elements has none.
    #[error("{what} is empty")]
    Empty {
        /// Name of what is empty.
        what: &'static str,
    },
    /// A sample too short for the estimate asked of it.
    #[error("{what} needs at least {needed} values, got {got}")]
    TooShort {
        /// Name of the estimate.
        what: &'static str,
        /// Values given.
        got: usize,
        /// Values needed.
        needed: usize,
    },
    /// An index beyond the end.
    #[error("{what} {index} is out of bounds for length {bound}")]
    IndexOutOfBounds {
        /// Name of the index.
        what: &'static str,
        /// The index given.
        index: usize,
        /// One past the largest index allowed.
        bound: usize,
    },
    /// Numbers that must increase strictly and do not.
    #[error("{what}[{index}] is {value}, expected more than the {previous} before it")]
    NotAscending {
        /// Name of the array.
        what: &'static str,
        /// Position in the array.
        index: usize,
        /// The number before it.
        previous: f64,
        /// The number found there.
        value: f64,
    },
    /// An integrand that is NaN or infinite at a point.
    #[error("the integrand is {value} at {at}, expected a finite number")]
    Integrand {
        /// The point.
        at: f64,
        /// The value there.
        value: f64,
    },
    /// A matrix that must be symmetric and is not.
    #[error("the matrix is {lower} at ({row}, {column}) and {upper} at ({column}, {row}), expected a symmetric matrix")]
    NotSymmetric {
        /// Row of the entry below the diagonal.
        row: usize,
        /// Column of the entry below the diagonal.
        column: usize,
        /// The entry below the diagonal.
        lower: f64,
        /// Its mirror image.
        upper: f64,
    },
    /// A symmetric matrix without a Cholesky factor.
    #[error("the matrix is not positive definite: pivot {row} is {pivot}")]
    NotPositiveDefinite {
        /// The first row with such a pivot.
        row: usize,
        /// What is left of the diagonal entry there.
        pivot: f64,
    },
    /// A matrix that must be Hermitian and is not.
    #[error(
        "entries ({row}, {column}) and ({column}, {row}) differ by {difference} from conjugates, expected a Hermitian matrix"
    )]
    NotHermitian {
        /// Row of the entry below the diagonal.
        row: usize,
        /// Column of the entry below the diagonal.
        column: usize,
        /// Modulus of the difference.
        difference: f64,
    },
    /// An iteration without a partial result to report.
    #[error("{what} did not converge in {iterations} iterations")]
    NotConverged {
        /// Name of the computation.
        what: &'static str,
        /// Iterations done.
        iterations: usize,
    },
    /// An objective that is not finite, itself or in its gradient, at every point tried in an iteration.
    #[error("the objective or its gradient is not finite in iteration {iteration}, the value being {value}")]
    Objective {
        /// The iteration; 0 is the starting point.
        iteration: usize,
        /// The value at the last such point.
        value: f64,
    },
    /// A generator state that is all zeros and would stay so.
    #[error("the state of {generator} is zero, expected a bit that is not")]
    ZeroState {
        /// Name of the generator.
        generator: &'static str,
    },
    /// A graph that has no plane embedding.
    #[error("the graph is not planar: edge {}-{} cannot be drawn without a crossing", edge.0, edge.1)]
    NotPlanar {
        /// An edge that cannot be added to the part embedded before it.
        edge: (usize, usize),
    },
    /// A straight-line drawing in which two edges cross or touch.
    #[error("in the drawing edge {}-{} meets edge {}-{}", first.0, first.1, second.0, second.1)]
    EdgesCross {
        /// One edge.
        first: (usize, usize),
        /// The edge that crosses it.
        second: (usize, usize),
    },
    /// Two vertices drawn at one point.
    #[error("in the drawing vertices {first} and {second} lie at the same point")]
    VerticesCoincide {
        /// One vertex.
        first: usize,
        /// The other vertex.
        second: usize,
    },
    /// A vertex drawn on an edge that it does not end.
    #[error("in the drawing vertex {vertex} lies on edge {}-{}", edge.0, edge.1)]
    VertexOnEdge {
        /// The vertex.
        vertex: usize,
        /// The edge through it.
        edge: (usize, usize),
    },
    /// An edge that names a vertex beyond the end.
    #[error("edge {edge} ends at vertex {vertex}, but there are {n_vertices} vertices")]
    VertexOutOfBounds {
        /// Position in the edge list.
        edge: usize,
        /// The vertex named there.
        vertex: usize,
        /// Number of vertices.
        n_vertices: usize,
    },
    /// An edge from a vertex to itself where that makes no sense.
    #[error("edge {edge} joins vertex {vertex} to itself")]
    SelfLoop {
        /// Position in the edge list.
        edge: usize,
        /// The vertex at both of its ends.
        vertex: usize,
    },
    /// An edge weight that is negative or NaN.
    #[error("the weight of edge {edge} ({}-{}) is {value}, expected a number >= 0", ends.0, ends.1)]
    InvalidWeight {
        /// Position in the edge list.
        edge: usize,
        /// The two ends of the edge.
        ends: (usize, usize),
        /// The weight given.
        value: f64,
    },
    /// An integer edge weight beyond what sums of weights allow.
    #[error("the weight of edge {edge} is {value}, expected at most {bound} in absolute value")]
    WeightTooLarge {
        /// Position in the edge list.
        edge: usize,
        /// The weight given.
        value: i64,
        /// Largest absolute value allowed.
        bound: i64,
    },
    /// A perfect matching asked of an odd number of vertices.
    #[error("{n_vertices} vertices cannot be paired, expected an even number")]
    OddVertices {
        /// Number of vertices.
        n_vertices: usize,
    },
    /// A graph without a perfect matching.
    #[error("every matching leaves at least {unmatched} vertices out, for example vertex {vertex}")]
    NoPerfectMatching {
        /// A vertex that some matching of most edges leaves out.
        vertex: usize,
        /// The least number of vertices left out by any matching.
        unmatched: usize,
        /// A set of vertices, ascending, whose removal leaves `unmatched` more odd components than it has vertices.
        barrier: Vec<usize>,
    },
    /// A rotation system in which a half-edge is missing, repeated or at the wrong vertex.
    #[error("half-edge {half_edge} is {problem} in the rotation of vertex {vertex}")]
    InvalidRotation {
        /// The vertex.
        vertex: usize,
        /// The half-edge.
        half_edge: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A column of a sparse binary matrix that names a row beyond the end.
    #[error("column {column} has an entry in row {row}, but there are {n_rows} rows")]
    RowOutOfBounds {
        /// The column.
        column: usize,
        /// The row named there.
        row: usize,
        /// Number of rows.
        n_rows: usize,
    },
    /// A column of a sparse binary matrix that names a row twice.
    #[error("column {column} has more than one entry in row {row}")]
    DuplicateEntry {
        /// The column.
        column: usize,
        /// The row named twice.
        row: usize,
    },
    /// An index that occurs twice in what should be a set.
    #[error("{what} {index} occurs more than once")]
    Duplicate {
        /// Name of the index.
        what: &'static str,
        /// The index.
        index: usize,
    },
    /// A character that is neither 0 nor 1 in the text form of a bit vector.
    #[error("character {position} is {found:?}, expected 0 or 1")]
    NotABit {
        /// Position in the text, in characters from 0.
        position: usize,
        /// The character found there.
        found: char,
    },
    /// A row of a dense binary matrix that is not as long as the first.
    #[error("row {row} has {got} entries, the first has {expected}")]
    RaggedRow {
        /// The row.
        row: usize,
        /// Its length.
        got: usize,
        /// Length of the first row.
        expected: usize,
    },
    /// A memory budget that no way of cutting the computation meets.
    #[error("{least:e} bytes are needed at least, the budget is {budget}")]
    MemoryBudget {
        /// The least number of bytes found possible.
        least: f64,
        /// The budget in bytes.
        budget: usize,
    },
    /// A distribution without weight.
    #[error("all weights are zero: there is nothing to draw from")]
    ZeroWeight,
    /// An observer asked for a stop.
    #[error("{what} was stopped after {done} of {total} steps")]
    Stopped {
        /// Name of the computation.
        what: &'static str,
        /// Steps done.
        done: u64,
        /// Steps planned.
        total: u64,
    },
    /// Partial results that cannot be added.
    #[error(transparent)]
    Merge(#[from] crate::merge::MergeError),
    /// A checkpoint that cannot be read or belongs to something else.
    #[error(transparent)]
    Checkpoint(#[from] crate::checkpoint::CheckpointError),
}

/// `Result` with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
