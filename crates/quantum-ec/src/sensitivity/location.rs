//! Places in a circuit.

use std::fmt::{self, Display, Formatter};

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
