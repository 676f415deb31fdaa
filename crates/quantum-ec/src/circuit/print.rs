//! Writing `.stim` text.

use std::fmt::{self, Display, Formatter};
use std::io::Write;

use super::model::{Circuit, Instruction};
use super::operation::Operation;
use super::target::Target;
use crate::error::Result;
use crate::io::format::{Coordinates, Tag};

/// A line, without its end.
impl Display for Operation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.gate, Tag(&self.tag), Coordinates(&self.arguments))?;
        let mut joined = false;
        for target in &self.targets {
            if *target == Target::Combiner {
                joined = true;
            } else if !std::mem::take(&mut joined) {
                f.write_str(" ")?;
            }
            write!(f, "{target}")?;
        }
        Ok(())
    }
}

/// The text of a `.stim` file: a line an operation, blocks indented by four spaces, numbers with the fewest digits that read
/// back to the same 64-bit float.
impl Display for Circuit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        print(self, 0, f)
    }
}

impl Circuit {
    /// Writes the text of a `.stim` file; reading it gives the same circuit.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io).
    pub fn write(&self, mut writer: impl Write) -> Result<()> {
        write!(writer, "{self}")?;
        writer.flush()?;
        Ok(())
    }
}

fn print(circuit: &Circuit, depth: usize, f: &mut Formatter<'_>) -> fmt::Result {
    for instruction in circuit.instructions() {
        write!(f, "{:indent$}", "", indent = 4 * depth)?;
        match instruction {
            Instruction::Operation(operation) => writeln!(f, "{operation}")?,
            Instruction::Repeat(repeat) => {
                writeln!(f, "REPEAT{} {} {{", Tag(&repeat.tag), repeat.count)?;
                print(&repeat.body, depth + 1, f)?;
                writeln!(f, "{:indent$}}}", "", indent = 4 * depth)?;
            }
        }
    }
    Ok(())
}
