//! The error type of this crate.

use thiserror::Error as ThisError;

use spin_models::io::ParseError;

/// What can go wrong with a code, a noise model, a file or a decoder.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// A probability outside its range, or NaN.
    #[error("{what} {index} has probability {value}, expected {expected}")]
    Probability {
        /// What has the probability, for example `mechanism`.
        what: &'static str,
        /// Which one, from 0.
        index: usize,
        /// The number given.
        value: f64,
        /// The range.
        expected: &'static str,
    },
    /// A list or a matrix of the wrong size.
    #[error("{what}: {got} given, {expected} expected")]
    WrongLength {
        /// Name of the list.
        what: &'static str,
        /// Size given.
        got: usize,
        /// Size expected.
        expected: usize,
    },
    /// An index beyond its bound.
    #[error("{what} {index} is out of bounds for {bound}")]
    OutOfBounds {
        /// Kind of index, for example `detector`.
        what: &'static str,
        /// The index given.
        index: usize,
        /// One past the largest index allowed.
        bound: usize,
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
    /// A problem too large for a method.
    #[error("{method}: {what} is {value}, at most {bound} is possible")]
    TooLarge {
        /// Name of the method.
        method: &'static str,
        /// What is too large, for example `number of generators`.
        what: &'static str,
        /// Its value.
        value: usize,
        /// The largest value possible.
        bound: usize,
    },
    /// A problem outside what a method can do.
    #[error("{method} does not apply: {reason}")]
    NotApplicable {
        /// Name of the method.
        method: &'static str,
        /// What about the problem excludes it, with the place.
        reason: String,
    },
    /// A text that is no Pauli operator.
    #[error("character {position} is {found}, expected {expected}")]
    PauliText {
        /// Character of the text, from 1.
        position: usize,
        /// What stands there.
        found: String,
        /// What should.
        expected: &'static str,
    },
    /// Stabilizer generators must commute.
    #[error("generators {first} and {second} anticommute, expected generators that commute")]
    NonCommuting {
        /// One generator, from 0.
        first: usize,
        /// The other.
        second: usize,
    },
    /// The rows of the two check matrices of a CSS code must overlap evenly.
    #[error("row {x} of hx and row {z} of hz have {overlap} qubits in common, expected an even number")]
    OddOverlap {
        /// Row of hx, from 0.
        x: usize,
        /// Row of hz, from 0.
        z: usize,
        /// Number of common qubits.
        overlap: usize,
    },
    /// A stabilizer group must not hold -1.
    #[error("the generators {generators:?} multiply to -1, expected +1")]
    MinusIdentity {
        /// The generators of the product, from 0.
        generators: Vec<usize>,
    },
    /// A name that is not on the list.
    #[error("{what} {name:?} is unknown, expected one of {known}")]
    UnknownName {
        /// What the name should stand for, for example `code`.
        what: &'static str,
        /// The name given.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A syndrome that no error has.
    #[error("no error has this syndrome: the checks {checks:?} add up to nothing, their bits to one")]
    ImpossibleSyndrome {
        /// Rows of the check matrix whose sum is zero and whose syndrome bits add up to one.
        checks: Vec<usize>,
    },
    /// An instruction that a circuit cannot hold.
    #[error("instruction {instruction}, {gate}: found {found}, expected {expected}")]
    CircuitInstruction {
        /// Its number in the list it was to join, from 0.
        instruction: usize,
        /// Name of its gate, or REPEAT.
        gate: &'static str,
        /// What was given, with the argument or the target.
        found: String,
        /// What is possible.
        expected: String,
    },
    /// Detectors or observables that are random without noise.
    #[error(
        "{operation}, {location}, anticommutes with the detecting regions of the detectors {} and the observables {}: they \
         are random without noise",
        few(detectors),
        few(observables)
    )]
    NonDeterministic {
        /// What makes them random: the gate with the Pauli operator that it measures or prepares.
        operation: String,
        /// Its place in the circuit.
        location: String,
        /// The detectors.
        detectors: Vec<u64>,
        /// The observables.
        observables: Vec<u64>,
    },
    /// A noise channel that cannot be turned into independent errors.
    #[error("{gate}, {location}: {reason}")]
    NoiseChannel {
        /// Its name.
        gate: &'static str,
        /// Its place in the circuit.
        location: String,
        /// Why not.
        reason: String,
    },
    /// A binary shot file that does not hold shots of its width.
    #[error("{format} shot file, shot {shot}, byte {byte}: found {found}, expected {expected}")]
    ShotFile {
        /// Name of the format.
        format: &'static str,
        /// The shot, from 0.
        shot: u64,
        /// The byte of the file, from 0.
        byte: u64,
        /// What stands there.
        found: String,
        /// What should.
        expected: String,
    },
    /// A file that cannot be read as what it should be.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// A file that cannot be read from or written to.
    #[error("input or output: {0}")]
    Io(#[from] std::io::Error),
    /// A model that was trained for something else.
    #[cfg(feature = "neural")]
    #[error("the model was trained for {what} {found}, expected {expected}")]
    Model {
        /// What differs, for example `code`.
        what: &'static str,
        /// What the model was trained for.
        found: String,
        /// What is to be decoded.
        expected: String,
    },
    /// Training whose numbers are no longer finite.
    #[cfg(feature = "neural")]
    #[error("training diverged at step {step}: {what} is {value}")]
    Diverged {
        /// The step, from 1; the model is the last one known to have finite losses, one or two steps back.
        step: u64,
        /// Which number, for example `loss`.
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// A failure of a neural network or of its file.
    #[cfg(feature = "neural")]
    #[error(transparent)]
    Network(#[from] variational::Error),
    /// A failure of a spin model or a solver.
    #[error(transparent)]
    Spins(#[from] spin_models::Error),
    /// A failure of the numerical core.
    #[error(transparent)]
    Numerics(#[from] linalg_core::Error),
}

/// A list, cut short after ten.
fn few(list: &[u64]) -> String {
    match list.get(..10) {
        Some(first) if list.len() > 10 => format!("{first:?} and {} more", list.len() - 10),
        _ => format!("{list:?}"),
    }
}

/// A result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
