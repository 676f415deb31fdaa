//! Detector error models as a tree of instructions.

use crate::error::{Error, Result};

/// One past the largest detector number, also after shifts: 2⁶⁰, the bound of the `.dem` format.
pub const DETECTOR_BOUND: u64 = 1 << 60;
/// One past the largest observable number: 2³².
pub const OBSERVABLE_BOUND: u64 = 1 << 32;
/// Deepest nesting of repeat blocks.
pub const DEPTH_BOUND: usize = 64;

/// What an error mechanism flips, or the mark between two of its components.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Target {
    /// `D#`, counted from the shift in force.
    Detector(u64),
    /// `L#`; shifts do not move it.
    Observable(u64),
    /// `^`, between two components of a suggested decomposition.
    Separator,
}

/// A line of a detector error model, or a repeat block.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Instruction {
    /// `error(p) D0 D1 ^ D2 L0`: with probability p, independently of all else, every target is flipped once for each
    /// time it is listed.
    Error {
        /// The probability p.
        probability: f64,
        /// What is flipped.
        targets: Vec<Target>,
        /// Free text in square brackets; empty if there is none.
        tag: String,
    },
    /// `detector(x, y, t) D0`: there is a detector, and where.
    Detector {
        /// Coordinates, to which the shift in force is added.
        coordinates: Vec<f64>,
        /// Its number, counted from the shift in force.
        detector: u64,
        /// Free text.
        tag: String,
    },
    /// `logical_observable L0`: there is an observable.
    LogicalObservable {
        /// Its number.
        observable: u64,
        /// Free text.
        tag: String,
    },
    /// `shift_detectors(x, y, t) n`: from here on detectors count from n more, coordinates from (x, y, t) more.
    ShiftDetectors {
        /// Added to the coordinates.
        coordinates: Vec<f64>,
        /// Added to the detector numbers.
        detectors: u64,
        /// Free text.
        tag: String,
    },
    /// `repeat n { … }`: the body n times; its shifts add up and stay in force afterwards.
    Repeat {
        /// The number n; 0 is allowed.
        count: u64,
        /// What is repeated.
        body: DetectorErrorModel,
        /// Free text.
        tag: String,
    },
}

/// Independent error mechanisms with the detectors and observables they flip, as a `.dem` file writes them.
///
/// Instructions are checked one by one as they are [pushed](Self::push), so a model is valid at any time and its counts
/// are known without unrolling the repeat blocks.
///
/// ```
/// use quantum_ec::DetectorErrorModel;
///
/// let model: DetectorErrorModel = "
///     repeat 1000 {
///         error(0.01) D0 D1
///         error(0.02) D0 L0
///         shift_detectors 1
///     }
///     detector D0
/// ".parse()?;
/// assert_eq!((model.n_detectors(), model.n_observables(), model.n_errors()), (1001, 1, 2000));
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub struct DetectorErrorModel {
    instructions: Vec<Instruction>,
    counts: Counts,
}

/// The serialised form is the text of a `.dem` file.
#[cfg(feature = "serde")]
impl From<DetectorErrorModel> for String {
    fn from(model: DetectorErrorModel) -> Self {
        model.to_string()
    }
}

#[cfg(feature = "serde")]
impl TryFrom<String> for DetectorErrorModel {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

/// What is known of an instruction list without unrolling it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Counts {
    /// One past the largest detector named, counted from the shift at the beginning.
    pub detectors: u64,
    /// One past the largest observable.
    pub observables: u64,
    /// Error instructions after unrolling; at most `u64::MAX`.
    pub errors: u64,
    /// Detector and observable declarations after unrolling; at most `u64::MAX`.
    pub declarations: u64,
    /// Sum of all shifts.
    pub shift: u64,
    /// Nesting of repeat blocks.
    depth: usize,
}

impl DetectorErrorModel {
    /// A model without instructions.
    pub fn new() -> Self {
        Self::default()
    }

    /// The model with these instructions.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn from_instructions(instructions: impl IntoIterator<Item = Instruction>) -> Result<Self> {
        let mut model = Self::new();
        for instruction in instructions {
            model.push(instruction)?;
        }
        Ok(model)
    }

    /// Appends an instruction.
    ///
    /// # Errors
    /// [`Error::Probability`] unless $`0 \le p \le 1`$, with the number of the instruction; [`Error::OutOfBounds`] for a
    /// detector that reaches [`DETECTOR_BOUND`] under the shifts so far (in every repetition of a block) and for an
    /// observable that reaches [`OBSERVABLE_BOUND`]; [`Error::Parameter`] for a coordinate that is not finite, a separator
    /// at either end or beside another one, and blocks nested deeper than [`DEPTH_BOUND`]. The model is then unchanged.
    pub fn push(&mut self, instruction: Instruction) -> Result<()> {
        self.counts = self.counts_with(&instruction)?;
        self.instructions.push(instruction);
        Ok(())
    }

    /// The instructions in order.
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    /// One past the largest detector number in any error or declaration.
    pub fn n_detectors(&self) -> u64 {
        self.counts.detectors
    }

    /// One past the largest observable number in any error or declaration.
    pub fn n_observables(&self) -> u64 {
        self.counts.observables
    }

    /// Number of error mechanisms with all repeat blocks unrolled; `u64::MAX` stands for that or more.
    pub fn n_errors(&self) -> u64 {
        self.counts.errors
    }

    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }

    fn counts_with(&self, instruction: &Instruction) -> Result<Counts> {
        let mut counts = self.counts.clone();
        match instruction {
            Instruction::Error { probability, targets, .. } => {
                if !(0.0..=1.0).contains(probability) {
                    return Err(Error::Probability {
                        what: "instruction",
                        index: self.instructions.len(),
                        value: *probability,
                        expected: "a number from 0 to 1",
                    });
                }
                check_separators(targets)?;
                for &target in targets {
                    counts.target(target)?;
                }
                counts.errors = counts.errors.saturating_add(1);
            }
            Instruction::Detector { coordinates, detector, .. } => {
                check_coordinates(coordinates)?;
                counts.target(Target::Detector(*detector))?;
                counts.declarations = counts.declarations.saturating_add(1);
            }
            Instruction::LogicalObservable { observable, .. } => {
                counts.target(Target::Observable(*observable))?;
                counts.declarations = counts.declarations.saturating_add(1);
            }
            Instruction::ShiftDetectors { coordinates, detectors, .. } => {
                check_coordinates(coordinates)?;
                counts.shift = below(counts.shift.saturating_add(*detectors), DETECTOR_BOUND, "shift to detector")?;
            }
            Instruction::Repeat { count, body, .. } => counts.repeat(*count, &body.counts)?,
        }
        Ok(counts)
    }
}

impl Counts {
    fn target(&mut self, target: Target) -> Result<()> {
        match target {
            Target::Detector(detector) => {
                let id = below(self.shift.saturating_add(detector), DETECTOR_BOUND, "detector")?;
                self.detectors = self.detectors.max(id + 1);
            }
            Target::Observable(observable) => {
                let id = below(observable, OBSERVABLE_BOUND, "observable")?;
                self.observables = self.observables.max(id + 1);
            }
            Target::Separator => {}
        }
        Ok(())
    }

    fn repeat(&mut self, count: u64, body: &Self) -> Result<()> {
        if body.depth >= DEPTH_BOUND {
            return Err(Error::Parameter {
                what: "nesting of repeat blocks",
                value: (body.depth + 1).to_string(),
                expected: "at most 64",
            });
        }
        self.depth = self.depth.max(body.depth + 1);
        let Some(before_last) = count.checked_sub(1) else { return Ok(()) };
        let end = self.shift.saturating_add(body.shift.saturating_mul(count));
        if body.detectors > 0 {
            let last = self.shift.saturating_add(body.shift.saturating_mul(before_last));
            let id = below(last.saturating_add(body.detectors - 1), DETECTOR_BOUND, "detector")?;
            self.detectors = self.detectors.max(id + 1);
        }
        self.shift = below(end, DETECTOR_BOUND, "shift to detector")?;
        self.observables = self.observables.max(body.observables);
        self.errors = self.errors.saturating_add(body.errors.saturating_mul(count));
        self.declarations = self.declarations.saturating_add(body.declarations.saturating_mul(count));
        Ok(())
    }
}

fn below(id: u64, bound: u64, what: &'static str) -> Result<u64> {
    if id < bound {
        return Ok(id);
    }
    let index = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    Err(Error::OutOfBounds { what, index: index(id), bound: index(bound) })
}

fn check_coordinates(coordinates: &[f64]) -> Result<()> {
    match coordinates.iter().find(|x| !x.is_finite()) {
        None => Ok(()),
        Some(x) => Err(Error::Parameter { what: "coordinate", value: x.to_string(), expected: "a finite number" }),
    }
}

fn check_separators(targets: &[Target]) -> Result<()> {
    let stray = |at: usize| {
        let lonely = |k: Option<usize>| k.and_then(|k| targets.get(k)).is_none_or(|t| *t == Target::Separator);
        targets[at] == Target::Separator && (lonely(at.checked_sub(1)) || lonely(Some(at + 1)))
    };
    match (0..targets.len()).find(|&at| stray(at)) {
        None => Ok(()),
        Some(at) => Err(Error::Parameter {
            what: "target of an error",
            value: format!("^ as number {at}"),
            expected: "^ only between two components",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(probability: f64, targets: Vec<Target>) -> Instruction {
        Instruction::Error { probability, targets, tag: String::new() }
    }

    fn shift(detectors: u64) -> Instruction {
        Instruction::ShiftDetectors { coordinates: vec![], detectors, tag: String::new() }
    }

    fn repeat(count: u64, body: DetectorErrorModel) -> Instruction {
        Instruction::Repeat { count, body, tag: String::new() }
    }

    #[test]
    fn bad_instructions_leave_the_model_as_it_was() {
        use Target::{Detector, Observable, Separator};
        let mut model = DetectorErrorModel::from_instructions([error(0.5, vec![Detector(1)])]).unwrap();
        let before = model.clone();
        let body = DetectorErrorModel::from_instructions([error(0.1, vec![Detector(5)]), shift(1 << 40)]).unwrap();
        for (instruction, message) in [
            (error(f64::NAN, vec![]), "instruction 1 has probability NaN, expected a number from 0 to 1"),
            (error(1.5, vec![]), "instruction 1 has probability 1.5, expected a number from 0 to 1"),
            (
                error(0.5, vec![Separator]),
                "target of an error is ^ as number 0, expected ^ only between two components",
            ),
            (
                error(0.5, vec![Detector(0), Separator, Separator, Detector(1)]),
                "target of an error is ^ as number 1, expected ^ only between two components",
            ),
            (
                error(0.5, vec![Detector(0), Separator]),
                "target of an error is ^ as number 1, expected ^ only between two components",
            ),
            (
                error(0.5, vec![Detector(1 << 60)]),
                "detector 1152921504606846976 is out of bounds for 1152921504606846976",
            ),
            (error(0.5, vec![Observable(1 << 32)]), "observable 4294967296 is out of bounds for 4294967296"),
            (
                Instruction::Detector { coordinates: vec![f64::INFINITY], detector: 0, tag: String::new() },
                "coordinate is inf, expected a finite number",
            ),
            (shift(u64::MAX), "shift to detector 18446744073709551615 is out of bounds for 1152921504606846976"),
            (repeat(1 << 20, body), "shift to detector 1152921504606846976 is out of bounds for 1152921504606846976"),
        ] {
            assert_eq!(model.push(instruction).unwrap_err().to_string(), message);
            assert_eq!(model, before);
        }
        let mut deep = DetectorErrorModel::new();
        for _ in 0..DEPTH_BOUND {
            deep = DetectorErrorModel::from_instructions([repeat(1, deep)]).unwrap();
        }
        assert!(DetectorErrorModel::from_instructions([repeat(1, deep)]).is_err());
    }

    #[test]
    fn counts_need_no_unrolling() {
        let inner = DetectorErrorModel::from_instructions([error(0.1, vec![Target::Detector(3)]), shift(2)]).unwrap();
        let middle = DetectorErrorModel::from_instructions([repeat(10, inner), shift(1)]).unwrap();
        let model =
            DetectorErrorModel::from_instructions([repeat(1 << 50, middle.clone()), repeat(0, middle)]).unwrap();
        assert_eq!(model.n_errors(), 10 << 50);
        assert_eq!(model.n_detectors(), ((1 << 50) - 1) * 21 + 9 * 2 + 3 + 1);
    }
}
