//! The error type of this crate.

use thiserror::Error as ThisError;

use crate::io::ParseError;

/// What can go wrong with a model, a file, a parameter or a solver.
///
/// Upper crates report their own failures through [`Error::Solver`]; see [`Error::solver`].
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// A model without spins.
    #[error("a model needs at least one spin")]
    NoSpins,
    /// A site index beyond the model.
    #[error("{what} {entry}: site {site} is out of bounds for {n_spins} spins")]
    SiteOutOfBounds {
        /// Kind of entry, for example `coupling`.
        what: &'static str,
        /// Position of the entry in the input, from 0.
        entry: usize,
        /// The site named there.
        site: usize,
        /// Number of spins.
        n_spins: usize,
    },
    /// A coupling of a spin with itself; `s² = 1` makes it a constant, which belongs in the offset.
    #[error("coupling {entry} ties site {site} to itself")]
    SelfCoupling {
        /// Position of the entry in the input, from 0.
        entry: usize,
        /// The site.
        site: usize,
    },
    /// A pair, or a set of sites, given twice where duplicates are refused.
    #[error("{what} {entry} repeats {what} {first}, sites {sites:?}")]
    Duplicate {
        /// Kind of entry, for example `coupling`.
        what: &'static str,
        /// Position of the later entry, from 0.
        entry: usize,
        /// Position of the earlier entry, from 0.
        first: usize,
        /// The sites of both.
        sites: Vec<usize>,
    },
    /// A NaN or infinite number in a model.
    #[error("{what} {entry} (sites {sites:?}) is {value}, expected a finite number")]
    NotFinite {
        /// Kind of entry, for example `coupling`.
        what: &'static str,
        /// Position of the entry in the input, from 0.
        entry: usize,
        /// The sites it acts on.
        sites: Vec<usize>,
        /// The number found.
        value: f64,
    },
    /// A list of the wrong length.
    #[error("{what}: {got} values for {expected}")]
    WrongLength {
        /// Name of the list.
        what: &'static str,
        /// Values given.
        got: usize,
        /// Values expected.
        expected: usize,
    },
    /// An inverse temperature that is NaN or infinite, or negative where that has no meaning.
    #[error("beta is {beta}, expected a finite number >= 0")]
    Beta {
        /// The value given.
        beta: f64,
    },
    /// A parameter outside its range.
    #[error("{what} is {value}, expected {expected}")]
    Parameter {
        /// Name of the parameter.
        what: &'static str,
        /// The value given, as text.
        value: String,
        /// The range or the rule it breaks.
        expected: &'static str,
    },
    /// A problem too large for a solver.
    #[error("{solver}: {what} is {value}, at most {bound} is possible")]
    TooLarge {
        /// Name of the solver.
        solver: &'static str,
        /// What is too large, for example `number of spins`.
        what: &'static str,
        /// Its value.
        value: usize,
        /// The largest value the solver takes.
        bound: usize,
    },
    /// A model outside what a solver can do.
    #[error("{solver} does not apply: {reason}")]
    NotApplicable {
        /// Name of the solver.
        solver: &'static str,
        /// What about the model excludes it, with the place.
        reason: String,
    },
    /// Data at several temperatures that nothing connects.
    #[error(
        "{solver}: the energies up to beta = {lower} and from beta = {upper} on do not overlap: \
         {shared} samples in common, at least 1 is needed"
    )]
    NoOverlap {
        /// Name of the analysis.
        solver: &'static str,
        /// The inverse temperature below the gap.
        lower: f64,
        /// The inverse temperature above the gap.
        upper: f64,
        /// How many independent samples both sides share.
        shared: f64,
    },
    /// A value in a sample that is missing or no spin.
    #[error("sample {sample}, spin {spin}: found {found}, expected {expected}")]
    SampleValue {
        /// Number of the sample, from 0.
        sample: usize,
        /// Number of the spin, from 0.
        spin: usize,
        /// What stands there.
        found: String,
        /// What should.
        expected: &'static str,
    },
    /// A binary file that cannot be read.
    #[error("byte {byte}: found {found}, expected {expected}")]
    Unreadable {
        /// Place in the file, from 0.
        byte: usize,
        /// What stands there.
        found: String,
        /// What should.
        expected: String,
    },
    /// Too few samples for what is to be inferred from them.
    #[error("{method} needs at least {needed} {what}, got {got}")]
    TooFewSamples {
        /// Name of the method.
        method: &'static str,
        /// What is counted: samples or different samples.
        what: &'static str,
        /// How many there are.
        got: usize,
        /// How many are needed.
        needed: usize,
    },
    /// A spin that never changes: its field diverges and its couplings are not determined.
    #[error("spin {spin} is {value} in all samples, expected both signs")]
    ConstantSpin {
        /// The spin.
        spin: usize,
        /// Its value.
        value: i8,
    },
    /// Two spins that are always equal or always opposite: their coupling diverges.
    #[error("spins {first} and {second} have the correlation {correlation}: their coupling diverges")]
    PerfectCorrelation {
        /// The one spin.
        first: usize,
        /// The other, larger one.
        second: usize,
        /// Their correlation, 1 or -1.
        correlation: f64,
    },
    /// A spin that some combination of the others never predicts wrongly, though it may leave samples undecided: its
    /// couplings diverge along that combination.
    #[error(
        "{method}: a combination of the other spins predicts spin {spin} wrongly in no sample, so that couplings to it \
         diverge"
    )]
    Separable {
        /// Name of the method.
        method: &'static str,
        /// The spin.
        spin: usize,
    },
    /// A moment that no distribution of spins has, or only one on the boundary, whose couplings are infinite.
    #[error("{what} {place:?} is {value}, expected {expected}")]
    Moment {
        /// Kind of moment, for example `correlation`.
        what: &'static str,
        /// The spins it is of.
        place: Vec<usize>,
        /// Its value.
        value: f64,
        /// The range or the rule it breaks.
        expected: String,
    },
    /// Averages on a face of the marginal polytope, or outside of it: a combination of them is as large as in any configuration, or
    /// larger, and parameters grow without bound along it.
    #[error(
        "{solver}: {} averages {value}, and no configuration has more than {bound}: the parameters of these products of \
         spins diverge, with these signs",
        combination(terms)
    )]
    Divergent {
        /// Name of the solver.
        solver: &'static str,
        /// The spins of each product with its coefficient.
        terms: Vec<(Vec<usize>, f64)>,
        /// The average of the combination.
        value: f64,
        /// Its largest value in any configuration.
        bound: f64,
    },
    /// A cluster of spins that is too large to be summed over.
    #[error("the cluster {spins:?} has more than {bound} spins at the threshold {threshold}")]
    ClusterTooLarge {
        /// Its spins.
        spins: Vec<usize>,
        /// Most spins of a cluster.
        bound: usize,
        /// The threshold of contributions that leads to it.
        threshold: f64,
    },
    /// A gate on a qubit that the circuit does not have.
    #[error("operation {operation} ({gate}): qubit {qubit} is out of bounds for {n_qubits} qubits")]
    QubitOutOfBounds {
        /// Position of the operation in the circuit, from 0.
        operation: usize,
        /// Name of the gate.
        gate: &'static str,
        /// The qubit named there.
        qubit: usize,
        /// Number of qubits.
        n_qubits: usize,
    },
    /// A gate of two qubits whose qubits are the same.
    #[error("operation {operation} ({gate}) acts on qubit {qubit} twice")]
    SameQubit {
        /// Position of the operation in the circuit, from 0.
        operation: usize,
        /// Name of the gate.
        gate: &'static str,
        /// The qubit named twice.
        qubit: usize,
    },
    /// A matrix that is not unitary.
    #[error(
        "the matrix of {n_qubits} qubits is not unitary: an entry of U†U - 1 has the modulus {deviation:e}, \
         at most {tolerance:e} is taken for rounding"
    )]
    NotUnitary {
        /// Number of qubits it would act on.
        n_qubits: usize,
        /// Largest modulus of an entry of `U†U - 1`; NaN where an entry is not finite.
        deviation: f64,
        /// The largest deviation allowed.
        tolerance: f64,
    },
    /// A memory budget that is too small however the computation is cut.
    #[error("{what} needs at least {least:.0} bytes, the budget is {budget}")]
    MemoryBudget {
        /// What needs the memory.
        what: &'static str,
        /// The least number of bytes found possible.
        least: f64,
        /// The budget in bytes.
        budget: usize,
    },
    /// An observer asked for a stop before there was a result.
    #[error("{solver} was stopped after {done} of {total} steps")]
    Stopped {
        /// Name of the solver.
        solver: &'static str,
        /// Steps done.
        done: u64,
        /// Steps planned.
        total: u64,
    },
    /// An instance file that cannot be read as one.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// A model that a file format has no words for.
    #[error("{format} cannot hold {what}")]
    Unrepresentable {
        /// The format.
        format: &'static str,
        /// What it cannot hold, with its place and value.
        what: String,
    },
    /// A file that cannot be read from or written to.
    #[error("input or output: {0}")]
    Io(#[from] std::io::Error),
    /// A failure of the numerical core.
    #[error(transparent)]
    Numerics(#[from] linalg_core::Error),
    /// A failure reported by a solver of another crate.
    #[error("{solver}: {source}")]
    Solver {
        /// Name of the solver.
        solver: &'static str,
        /// Its own error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// `Result` with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Wraps the error of a solver from another crate; the one way upward.
    ///
    /// ```
    /// let inner = std::io::Error::other("no route");
    /// let error = spin_models::Error::solver("replica", inner);
    /// assert_eq!(error.to_string(), "replica: no route");
    /// ```
    pub fn solver(solver: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Solver { solver, source: source.into() }
    }
}

/// `+1 [0] -1 [0, 1]`: coefficients to four digits, the first dozen products.
fn combination(terms: &[(Vec<usize>, f64)]) -> String {
    const SHOWN: usize = 12;
    let rounded = |x: f64| (x * 1e4).round() / 1e4;
    let mut text: Vec<String> = terms.iter().take(SHOWN).map(|(set, x)| format!("{:+} {set:?}", rounded(*x))).collect();
    if terms.len() > SHOWN {
        text.push(format!("and {} more products", terms.len() - SHOWN));
    }
    text.join(" ")
}

/// Checks an inverse temperature: finite and not negative.
pub(crate) fn check_beta(beta: f64) -> Result<()> {
    if beta.is_finite() && beta >= 0.0 { Ok(()) } else { Err(Error::Beta { beta }) }
}

/// Checks a matrix of couplings: `n x n` finite numbers, 0 on the diagonal.
pub(crate) fn check_coupling_matrix(n: usize, matrix: &[f64]) -> Result<()> {
    if n == 0 {
        return Err(Error::NoSpins);
    }
    if n.checked_mul(n) != Some(matrix.len()) {
        let expected = n.saturating_mul(n);
        return Err(Error::WrongLength { what: "coupling matrix", got: matrix.len(), expected });
    }
    for (entry, &value) in matrix.iter().enumerate() {
        let (i, j) = (entry / n, entry % n);
        if !value.is_finite() {
            return Err(Error::NotFinite { what: "coupling", entry, sites: vec![i, j], value });
        }
        if i == j && value != 0.0 {
            return Err(Error::SelfCoupling { entry, site: i });
        }
    }
    Ok(())
}
