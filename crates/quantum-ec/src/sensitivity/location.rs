//! Places in a circuit.

use std::fmt::{self, Display, Formatter};

use crate::circuit::Circuit;

/// The way to an instruction: its number in the circuit, and through every block around it the repetition.
///
/// ```
/// use quantum_ec::sensitivity::{Location, Step};
///
/// let block = Step { instruction: 4, repetition: Some(17) };
/// let place = Location { steps: vec![block, Step { instruction: 2, repetition: None }] };
/// assert_eq!(place.to_string(), "instruction 4, repetition 17, instruction 2");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Location {
    /// From the outside in.
    pub steps: Vec<Step>,
}

/// An instruction of a circuit or of the body of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Step {
    /// Its number, from 0.
    pub instruction: usize,
    /// For a block, which repetition is meant, from 0.
    pub repetition: Option<u64>,
}

impl Circuit {
    /// A place in words, with line and column where the circuit was read from text.
    ///
    /// ```
    /// use quantum_ec::Circuit;
    /// use quantum_ec::sensitivity::{Location, Step};
    ///
    /// let circuit: Circuit = "H 0\nREPEAT 2 {\n    M 0\n}".parse()?;
    /// let block = Step { instruction: 1, repetition: Some(0) };
    /// let place = Location { steps: vec![block, Step { instruction: 0, repetition: None }] };
    /// let text = circuit.describe(&place);
    /// assert_eq!(text, "line 3, column 5 (instruction 1, repetition 0, instruction 0)");
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    pub fn describe(&self, location: &Location) -> String {
        match self.text_place(&location.path()) {
            Some((line, column)) => format!("line {line}, column {column} ({location})"),
            None => location.to_string(),
        }
    }
}

impl Location {
    /// The numbers of the instructions, repetitions left out.
    pub fn path(&self) -> Vec<usize> {
        self.steps.iter().map(|step| step.instruction).collect()
    }
}

impl Display for Location {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.steps.is_empty() {
            return f.write_str("the beginning");
        }
        for (k, step) in self.steps.iter().enumerate() {
            write!(f, "{}instruction {}", if k > 0 { ", " } else { "" }, step.instruction)?;
            if let Some(repetition) = step.repetition {
                write!(f, ", repetition {repetition}")?;
            }
        }
        Ok(())
    }
}
