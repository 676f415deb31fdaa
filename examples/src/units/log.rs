//! A file that grows by the lines of finished units.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use super::{Outcome, UnitLine, UnitLines};

/// How every line begins that [`line_of_unit`](super::line_of_unit) makes.
const LINE_START: &[u8] = b"{\"task\":";

/// The units that a file holds, and the file, open for more.
///
/// A line is written with its end in one piece. After a kill the file holds whole lines and perhaps a part of one, which the next
/// run cuts off and computes again: no unit is lost that was written, and none is there twice. While the log is open no other
/// process can open it.
#[derive(Debug, Default)]
pub struct UnitLog {
    lines: UnitLines,
    out: Option<File>,
}

impl UnitLog {
    /// Opens a file; without a name nothing is kept. What it holds is read if `resume`, else it must not exist.
    ///
    /// # Errors
    /// With the name of the file, and the line where one is wrong.
    pub fn open(path: Option<&Path>, resume: bool) -> Outcome<Self> {
        let Some(path) = path else { return Ok(Self::default()) };
        let fail = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        if !resume && path.exists() {
            return Err(format!("{} exists: --resume goes on from it", path.display()).into());
        }
        let options = OpenOptions::new().create(true).write(true).truncate(false).open(path);
        let mut out = options.map_err(|error| fail(&error))?;
        match out.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(fail(&"another process writes to it").into()),
            // File systems without locks are used without.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        let mut lines = UnitLines::default();
        let whole = lines.read(path)?;
        // Only the beginning of a line of a unit is cut off, nothing that someone else has written.
        let bytes = std::fs::read(path).map_err(|error| fail(&error))?;
        let rest = &bytes[whole as usize..];
        if !rest.iter().zip(LINE_START).all(|(a, b)| a == b) {
            let line = bytes.iter().filter(|&&byte| byte == b'\n').count() + 1;
            let name = path.display();
            return Err(format!("{name}:{line}: the last line has no end and is not one of a unit").into());
        }
        out.set_len(whole).and_then(|()| out.seek(SeekFrom::Start(whole))).map_err(|error| fail(&error))?;
        Ok(Self { lines, out: Some(out) })
    }

    /// The line of a unit that the file held when it was opened, and its place.
    pub fn get(&self, task: &str, unit: u64) -> Option<(&UnitLine, &str)> {
        self.lines.get(task, unit)
    }

    /// Adds a line; nothing without a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, mut line: String) -> std::io::Result<()> {
        let Some(out) = &mut self.out else { return Ok(()) };
        line.push('\n');
        out.write_all(line.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::line_of_unit;

    #[test]
    fn a_line_that_was_cut_off_is_written_again() {
        let path = std::env::temp_dir().join(format!("workspace-unit-log-{}.jsonl", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let line = |unit| line_of_unit("t", 7, unit).number("x", Some(0.1)).finish();
        let mut log = UnitLog::open(Some(&path), false).unwrap();
        (0..3).for_each(|unit| log.write(line(unit)).unwrap());
        assert!(UnitLog::open(Some(&path), false).unwrap_err().to_string().contains("exists: --resume"));
        assert!(UnitLog::open(Some(&path), true).unwrap_err().to_string().contains("another process"));
        drop(log);
        let whole = std::fs::read(&path).unwrap();
        for end in 0..whole.len() {
            std::fs::write(&path, &whole[..end]).unwrap();
            let mut log = UnitLog::open(Some(&path), true).unwrap();
            let missing: Vec<u64> = (0..3).filter(|&unit| log.get("t", unit).is_none()).collect();
            assert_eq!(missing.len(), 3 - whole[..end].iter().filter(|&&byte| byte == b'\n').count());
            missing.into_iter().for_each(|unit| log.write(line(unit)).unwrap());
            drop(log);
            assert_eq!(std::fs::read(&path).unwrap(), whole, "cut at {end}");
        }
        // What is no beginning of a line stays.
        for (text, at) in [("{\"other\":1}", 1), ("x", 1), (&format!("{}\n[1,", line(1)), 2)] {
            std::fs::write(&path, text).unwrap();
            let error = UnitLog::open(Some(&path), true).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{}:{at}: the last line", path.display())), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        std::fs::write(&path, format!("{}\n{}\n", line(1), line(1))).unwrap();
        let error = UnitLog::open(Some(&path), true).unwrap_err().to_string();
        assert_eq!(error, format!("{0}:2: unit 1 of \"t\" is in {0}:1 already", path.display()));
        std::fs::remove_file(&path).unwrap();
    }
}
