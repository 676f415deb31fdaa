//! Memory experiments by name.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use super::{MAX_QUBITS, color, repetition, surface};
use crate::circuit::model::Circuit;
use crate::error::{Error, Result};

/// A memory experiment: prepare a logical state, measure the checks for some rounds, measure the data.
///
/// The circuits are those that `stim gen` writes, instruction for instruction once noise is put in with
/// [`CircuitNoise::apply`](super::CircuitNoise::apply): the same qubits, order of gates and detectors.
///
/// ```
/// use quantum_ec::circuit::{CircuitNoise, Memory};
///
/// let clean = Memory::RotatedSurfaceX.circuit(3, 3)?;
/// assert_eq!((clean.counts().measurements, clean.counts().detectors), (3 * 8 + 9, 4 + 2 * 8 + 4));
/// let noisy = CircuitNoise::uniform(0.001)?.apply(&clean)?;
/// assert!(noisy.to_string().contains("\nRX 1 3 5 8 10 12 15 17 19\nZ_ERROR(0.001) 1 3 5 8 10 12 15 17 19\n"));
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Memory {
    /// The repetition code against bit flips.
    Repetition,
    /// The rotated surface code in the basis X.
    RotatedSurfaceX,
    /// The rotated surface code in the basis Z.
    RotatedSurfaceZ,
    /// The unrotated surface code in the basis X.
    UnrotatedSurfaceX,
    /// The unrotated surface code in the basis Z.
    UnrotatedSurfaceZ,
    /// The hexagonal colour code with one ancilla a face, whose bases turn every round.
    ColorXyz,
}

/// The names of all experiments, those of `stim gen`.
pub const MEMORIES: [(&str, Memory); 6] = [
    ("repetition_code:memory", Memory::Repetition),
    ("surface_code:rotated_memory_x", Memory::RotatedSurfaceX),
    ("surface_code:rotated_memory_z", Memory::RotatedSurfaceZ),
    ("surface_code:unrotated_memory_x", Memory::UnrotatedSurfaceX),
    ("surface_code:unrotated_memory_z", Memory::UnrotatedSurfaceZ),
    ("color_code:memory_xyz", Memory::ColorXyz),
];

impl Memory {
    /// The circuit without noise. Linear time in the size of a round.
    ///
    /// Resets of data and of ancillas are lines of their own; `CircuitNoise` joins what can be joined.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a distance below 2 (for the colour code below 3 or even), no rounds (fewer than 2 for the
    /// colour code), [`Error::TooLarge`] beyond 2²² qubits.
    pub fn circuit(self, distance: usize, rounds: u64) -> Result<Circuit> {
        let color = self == Self::ColorXyz;
        if distance < if color { 3 } else { 2 } || (color && distance.is_multiple_of(2)) {
            return Err(Error::Parameter {
                what: "distance",
                value: distance.to_string(),
                expected: if color { "an odd number from 3" } else { "at least 2" },
            });
        }
        if rounds < if color { 2 } else { 1 } {
            let expected = if color { "at least 2" } else { "at least 1" };
            return Err(Error::Parameter { what: "rounds", value: rounds.to_string(), expected });
        }
        let qubits = match self {
            Self::Repetition => distance.saturating_mul(2),
            // The grid of the unrotated code bounds all the others.
            _ => distance.saturating_mul(distance).saturating_mul(4),
        };
        if qubits > MAX_QUBITS {
            return Err(Error::TooLarge {
                method: "building a circuit",
                what: "number of qubits",
                value: qubits,
                bound: MAX_QUBITS,
            });
        }
        match self {
            Self::Repetition => repetition::memory(distance, rounds),
            Self::RotatedSurfaceX => surface::rotated(distance, rounds, true),
            Self::RotatedSurfaceZ => surface::rotated(distance, rounds, false),
            Self::UnrotatedSurfaceX => surface::unrotated(distance, rounds, true),
            Self::UnrotatedSurfaceZ => surface::unrotated(distance, rounds, false),
            Self::ColorXyz => color::memory(distance, rounds),
        }
    }
}

impl Display for Memory {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = MEMORIES.iter().find(|(_, memory)| memory == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

impl FromStr for Memory {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        MEMORIES.iter().find(|(name, _)| *name == text).map(|&(_, memory)| memory).ok_or_else(|| Error::UnknownName {
            what: "memory experiment",
            name: text.to_owned(),
            known: MEMORIES.map(|(name, _)| name).join(", "),
        })
    }
}
