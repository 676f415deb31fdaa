//! Writing `.dem` text.

use std::fmt::{self, Display, Formatter};
use std::io::Write;

use super::model::{DetectorErrorModel, Instruction, Target};
use crate::error::Result;
use crate::io::format::{Coordinates, Number, Tag};

impl Display for Target {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Detector(id) => write!(f, "D{id}"),
            Self::Observable(id) => write!(f, "L{id}"),
            Self::Separator => f.write_str("^"),
        }
    }
}

/// The text of a `.dem` file: a line an instruction, blocks indented by four spaces, numbers with the fewest digits that
/// read back to the same 64-bit float.
impl Display for DetectorErrorModel {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        print(self, 0, f)
    }
}

impl DetectorErrorModel {
    /// Writes the text of a `.dem` file; reading it gives the same model.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io).
    pub fn write(&self, mut writer: impl Write) -> Result<()> {
        write!(writer, "{self}")?;
        writer.flush()?;
        Ok(())
    }
}

fn print(model: &DetectorErrorModel, depth: usize, f: &mut Formatter<'_>) -> fmt::Result {
    for instruction in model.instructions() {
        write!(f, "{:indent$}", "", indent = 4 * depth)?;
        match instruction {
            Instruction::Error { probability, targets, tag } => {
                write!(f, "error{}({})", Tag(tag), Number(*probability))?;
                for target in targets {
                    write!(f, " {target}")?;
                }
                writeln!(f)?;
            }
            Instruction::Detector { coordinates, detector, tag } => {
                writeln!(f, "detector{}{} D{detector}", Tag(tag), Coordinates(coordinates))?;
            }
            Instruction::LogicalObservable { observable, tag } => {
                writeln!(f, "logical_observable{} L{observable}", Tag(tag))?;
            }
            Instruction::ShiftDetectors { coordinates, detectors, tag } => {
                writeln!(f, "shift_detectors{}{} {detectors}", Tag(tag), Coordinates(coordinates))?;
            }
            Instruction::Repeat { count, body, tag } => {
                writeln!(f, "repeat{} {count} {{", Tag(tag))?;
                print(body, depth + 1, f)?;
                writeln!(f, "{:indent$}}}", "", indent = 4 * depth)?;
            }
        }
    }
    Ok(())
}
