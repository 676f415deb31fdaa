//! Repeat blocks unrolled, one instruction at a time.

use linalg_core::gf2::BinaryCsc;

use super::model::{DetectorErrorModel, Instruction, Target};
use crate::error::{Error, Result};
use crate::problem::DecodingProblem;

/// Most mechanisms of a model that is unrolled into memory.
pub const MAX_MECHANISMS: usize = 1 << 27;
/// Most detectors, and most observables, of such a model.
pub const MAX_DETECTORS: usize = 1 << 27;

/// An instruction with the shifts applied.
#[derive(Debug, Clone, PartialEq)]
pub enum FlatInstruction<'a> {
    /// An error mechanism.
    Error {
        /// Its probability.
        probability: f64,
        /// Its targets as they are in the model; detectors count from `shift`.
        targets: &'a [Target],
        /// Added to every detector.
        shift: u64,
        /// Its tag.
        tag: &'a str,
    },
    /// A detector.
    Detector {
        /// Coordinates with the shift in force added.
        coordinates: Vec<f64>,
        /// Its number.
        detector: u64,
        /// Its tag.
        tag: &'a str,
    },
    /// An observable.
    LogicalObservable {
        /// Its number.
        observable: u64,
        /// Its tag.
        tag: &'a str,
    },
}

/// The instructions of a model with repeat blocks unrolled lazily; made by
/// [`DetectorErrorModel::flat_instructions`].
#[derive(Debug, Clone)]
pub struct FlatInstructions<'a> {
    /// The open blocks, innermost last.
    stack: Vec<Frame<'a>>,
    shift: u64,
    coordinates: Vec<f64>,
}

#[derive(Debug, Clone)]
struct Frame<'a> {
    body: &'a [Instruction],
    next: usize,
    /// Repetitions after this one.
    left: u64,
}

impl DetectorErrorModel {
    /// Runs through the model with repeat blocks unrolled and shifts applied.
    ///
    /// Memory: the open blocks. A block that holds neither errors nor declarations is stepped over at once, however often
    /// it is repeated.
    ///
    /// ```
    /// use quantum_ec::DetectorErrorModel;
    /// use quantum_ec::dem::FlatInstruction;
    ///
    /// let model: DetectorErrorModel = "
    ///     repeat 3 {
    ///         shift_detectors(0, 0.5) 2
    ///     }
    ///     detector(1, 2) D1
    /// ".parse()?;
    /// let flat: Vec<_> = model.flat_instructions().collect();
    /// assert_eq!(flat, [FlatInstruction::Detector { coordinates: vec![1.0, 3.5], detector: 7, tag: "" }]);
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    pub fn flat_instructions(&self) -> FlatInstructions<'_> {
        let frame = Frame { body: self.instructions(), next: 0, left: 0 };
        FlatInstructions { stack: vec![frame], shift: 0, coordinates: Vec::new() }
    }

    /// Mechanisms, matrices and priors: a column an error instruction, in their order.
    ///
    /// A column is the sum of the instruction's components: what is listed twice is not flipped. Equal columns stay apart;
    /// [`merge_equal`](super::merge_equal) joins them. Time and memory grow with the unrolled model.
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond [`MAX_MECHANISMS`] mechanisms, [`MAX_DETECTORS`] detectors or as many observables, before
    /// anything is unrolled.
    pub fn to_problem(&self) -> Result<DecodingProblem> {
        self.check_size("unrolling a detector error model")?;
        let (n_detectors, n_observables) = (self.n_detectors() as usize, self.n_observables() as usize);
        let symptoms = || self.flat_errors().map(|(_, targets, shift)| symptom(targets, shift));
        let checks = BinaryCsc::from_columns(n_detectors, symptoms().map(|(detectors, _)| detectors))?;
        let observables = BinaryCsc::from_columns(n_observables, symptoms().map(|(_, observables)| observables))?;
        let priors = self.flat_errors().map(|(probability, _, _)| probability).collect();
        DecodingProblem::new(checks, observables, priors)
    }

    /// Coordinates of the detectors that are declared, with their numbers, in order of declaration.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if there are more than [`MAX_DETECTORS`] declarations or [`MAX_MECHANISMS`] mechanisms, which
    /// take time to run through.
    pub fn coordinates(&self) -> Result<Vec<(u64, Vec<f64>)>> {
        check("reading coordinates", "number of declarations", self.counts().declarations, MAX_DETECTORS)?;
        check("reading coordinates", "number of mechanisms", self.n_errors(), MAX_MECHANISMS)?;
        let declared = self.flat_instructions().filter_map(|instruction| match instruction {
            FlatInstruction::Detector { coordinates, detector, .. } => Some((detector, coordinates)),
            _ => None,
        });
        Ok(declared.collect())
    }

    /// Probability, targets and shift of every error.
    pub(super) fn flat_errors(&self) -> impl Iterator<Item = (f64, &[Target], u64)> {
        self.flat_instructions().filter_map(|instruction| match instruction {
            FlatInstruction::Error { probability, targets, shift, .. } => Some((probability, targets, shift)),
            _ => None,
        })
    }

    pub(crate) fn check_size(&self, method: &'static str) -> Result<()> {
        check(method, "number of mechanisms", self.n_errors(), MAX_MECHANISMS)?;
        // Declarations take time to run through, no memory.
        check(method, "number of declarations", self.counts().declarations, MAX_MECHANISMS)?;
        check(method, "number of detectors", self.n_detectors(), MAX_DETECTORS)?;
        check(method, "number of observables", self.n_observables(), MAX_DETECTORS)
    }
}

fn check(method: &'static str, what: &'static str, value: u64, bound: usize) -> Result<()> {
    match usize::try_from(value) {
        Ok(small) if small <= bound => Ok(()),
        large => Err(Error::TooLarge { method, what, value: large.unwrap_or(usize::MAX), bound }),
    }
}

/// Detectors and observables flipped by the targets: those listed an odd number of times, ascending.
pub(super) fn symptom(targets: &[Target], shift: u64) -> (Vec<usize>, Vec<usize>) {
    let (mut detectors, mut observables) = (Vec::new(), Vec::new());
    symptom_into(targets, shift, &mut detectors, &mut observables);
    (detectors, observables)
}

/// The same in the memory there is.
pub(super) fn symptom_into(targets: &[Target], shift: u64, detectors: &mut Vec<usize>, observables: &mut Vec<usize>) {
    detectors.clear();
    observables.clear();
    for target in targets {
        match target {
            Target::Detector(id) => detectors.push((id + shift) as usize),
            Target::Observable(id) => observables.push(*id as usize),
            Target::Separator => {}
        }
    }
    keep_odd(detectors);
    keep_odd(observables);
}

/// Leaves the values that occur an odd number of times, ascending.
fn keep_odd(list: &mut Vec<usize>) {
    list.sort_unstable();
    let mut kept = 0;
    for i in 0..list.len() {
        if kept > 0 && list[kept - 1] == list[i] {
            kept -= 1;
        } else {
            list[kept] = list[i];
            kept += 1;
        }
    }
    list.truncate(kept);
}

impl<'a> Iterator for FlatInstructions<'a> {
    type Item = FlatInstruction<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let frame = self.stack.last_mut()?;
            let Some(instruction) = frame.body.get(frame.next) else {
                if frame.left == 0 {
                    self.stack.pop();
                } else {
                    frame.left -= 1;
                    frame.next = 0;
                }
                continue;
            };
            frame.next += 1;
            match instruction {
                Instruction::Error { probability, targets, tag } => {
                    return Some(FlatInstruction::Error { probability: *probability, targets, shift: self.shift, tag });
                }
                Instruction::Detector { coordinates, detector, tag } => {
                    let mut coordinates = coordinates.clone();
                    coordinates.iter_mut().zip(&self.coordinates).for_each(|(x, shift)| *x += shift);
                    return Some(FlatInstruction::Detector { coordinates, detector: self.shift + detector, tag });
                }
                Instruction::LogicalObservable { observable, tag } => {
                    return Some(FlatInstruction::LogicalObservable { observable: *observable, tag });
                }
                Instruction::ShiftDetectors { coordinates, detectors, .. } => {
                    self.shift += detectors;
                    add_scaled(&mut self.coordinates, coordinates, 1.0);
                }
                Instruction::Repeat { count: 0, .. } => {}
                Instruction::Repeat { count, body, .. }
                    if body.counts().errors == 0 && body.counts().declarations == 0 =>
                {
                    self.shift += body.counts().shift * count;
                    add_scaled(&mut self.coordinates, &coordinate_shift(body), *count as f64);
                }
                Instruction::Repeat { count, body, .. } => {
                    self.stack.push(Frame { body: body.instructions(), next: 0, left: count - 1 });
                }
            }
        }
    }
}

fn add_scaled(sum: &mut Vec<f64>, terms: &[f64], factor: f64) {
    if sum.len() < terms.len() {
        sum.resize(terms.len(), 0.0);
    }
    sum.iter_mut().zip(terms).for_each(|(sum, term)| *sum += factor * term);
}

/// The sum of all coordinate shifts of a model.
fn coordinate_shift(model: &DetectorErrorModel) -> Vec<f64> {
    let mut sum = Vec::new();
    for instruction in model.instructions() {
        match instruction {
            Instruction::ShiftDetectors { coordinates, .. } => add_scaled(&mut sum, coordinates, 1.0),
            Instruction::Repeat { count, body, .. } if *count > 0 => {
                add_scaled(&mut sum, &coordinate_shift(body), *count as f64);
            }
            _ => {}
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(text: &str) -> DetectorErrorModel {
        text.parse().unwrap()
    }

    #[test]
    fn repeated_targets_cancel() {
        let problem = model("error(0.1) D3 D1 ^ D1 L2 ^ D1 L2 L0\nerror(0.2)").to_problem().unwrap();
        assert_eq!((problem.checks().column(0), problem.observables().column(0)), (&[1, 3][..], &[0][..]));
        assert_eq!((problem.checks().column(1), problem.n_detectors(), problem.n_observables()), (&[][..], 4, 3));
        assert_eq!(problem.priors(), [0.1, 0.2]);
    }

    #[test]
    fn blocks_unroll_in_order() {
        let nested = model(
            "repeat 2 {\nerror(0.1) D0\nrepeat 3 {\nerror(0.2) D1\nshift_detectors(1, 2) 1\n}\nshift_detectors 10\n}\n\
             detector(5) D0\nlogical_observable L3",
        );
        let detectors: Vec<usize> =
            nested.flat_errors().map(|(_, targets, shift)| symptom(targets, shift).0[0]).collect();
        assert_eq!(detectors, [0, 1, 2, 3, 13, 14, 15, 16]);
        assert_eq!(nested.coordinates().unwrap(), [(26, vec![11.0])]);
        assert_eq!((nested.n_errors(), nested.n_detectors(), nested.n_observables()), (8, 27, 4));
    }

    #[test]
    fn absurd_sizes_are_refused_at_once() {
        for (text, message) in [
            (
                "repeat 1000000000000 {\nerror(0.1) D0\n}",
                "unrolling a detector error model: number of mechanisms is 1000000000000, at most 134217728 is possible",
            ),
            (
                "error(0.1) D1000000000000",
                "unrolling a detector error model: number of detectors is 1000000000001, at most 134217728 is possible",
            ),
            (
                "error(0.1) L4294967295",
                "unrolling a detector error model: number of observables is 4294967296, at most 134217728 is possible",
            ),
            (
                "repeat 1000000000 {\nrepeat 1000000000 {\nrepeat 1000000000 {\ndetector D0\n}\n}\n}",
                "unrolling a detector error model: number of declarations is 18446744073709551615, at most 134217728 is \
                 possible",
            ),
        ] {
            assert_eq!(model(text).to_problem().unwrap_err().to_string(), message);
        }
        // Both counts saturate; what is looked at first comes out without running through.
        let both =
            model("repeat 1000000000 {\nrepeat 1000000000 {\nrepeat 1000000000 {\ndetector D0\nerror(0.1) D0\n}\n}\n}");
        assert!(matches!(both.flat_instructions().next(), Some(FlatInstruction::Detector { detector: 0, .. })));
        assert_eq!(
            model("repeat 1000000000000 {\nerror(0.1) D0\n}\ndetector(1) D0").coordinates().unwrap_err().to_string(),
            "reading coordinates: number of mechanisms is 1000000000000, at most 134217728 is possible"
        );
        // Nothing in it: no time.
        let empty = model("repeat 1000000000000 {\nrepeat 100000 {\nshift_detectors(1) 1\n}\n}\ndetector(1) D0");
        assert_eq!(empty.coordinates().unwrap(), [(100_000_000_000_000_000, vec![1e17 + 1.0])]);
    }
}
