//! Files that are replaced as a whole.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Error, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::CheckpointError;

/// Replaces a file, so that a crash at any moment leaves either the old one or the new one.
///
/// Writes a temporary file beside it, flushes it to the disk and renames it.
///
/// ```
/// use linalg_core::checkpoint::replace_file;
///
/// let path = std::env::temp_dir().join(format!("replace-{}.txt", std::process::id()));
/// replace_file(&path, b"old")?;
/// replace_file(&path, b"new")?;
/// assert_eq!(std::fs::read(&path).unwrap(), b"new");
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), linalg_core::checkpoint::CheckpointError>(())
/// ```
///
/// # Errors
/// [`CheckpointError::Io`]; the temporary file is then removed and an older file is untouched.
pub fn replace_file<P: AsRef<Path>>(path: P, contents: &[u8]) -> Result<(), CheckpointError> {
    let path = path.as_ref();
    let (temporary, file) = temporary_beside(path)?;
    let result = write_and_rename(file, contents, &temporary, path);
    if result.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    result
}

fn failed(what: &str, path: &Path) -> impl FnOnce(Error) -> CheckpointError {
    let operation = format!("{what} {}", path.display());
    move |error| CheckpointError::io(operation, &error)
}

fn write_and_rename(mut file: File, contents: &[u8], temporary: &Path, path: &Path) -> Result<(), CheckpointError> {
    file.write_all(contents).map_err(failed("write", temporary))?;
    file.sync_all().map_err(failed("flush", temporary))?;
    drop(file);
    fs::rename(temporary, path).map_err(failed("rename to", path))?;
    // The new name is on the disk once its directory is; not every file system can flush one.
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Ok(directory) = File::open(directory) {
        let _ = directory.sync_all();
    }
    Ok(())
}

/// A new file in the same directory, under a name that no other process or thread has.
fn temporary_beside(path: &Path) -> Result<(PathBuf, File), CheckpointError> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let Some(name) = path.file_name() else {
        let operation = format!("save to {:?}", path.display().to_string());
        return Err(CheckpointError::io(operation, &Error::new(ErrorKind::InvalidInput, "the path names no file")));
    };
    loop {
        let mut temporary = OsString::from(".");
        temporary.push(name);
        let unique = COUNTER.fetch_add(1, Ordering::Relaxed);
        temporary.push(format!(".{}.{unique}.tmp", std::process::id()));
        let temporary = path.with_file_name(temporary);
        match File::create_new(&temporary) {
            // Left by a process of this number that was killed, or of another machine that shares the disk.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed("create", &temporary)(error)),
            Ok(file) => return Ok((temporary, file)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_not_in_the_way() {
        let directory = std::env::temp_dir().join(format!("linalg-core-replace-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let path = directory.join("state");
        // Names that this process could take, of one that had its number before.
        let left = |k: u64| directory.join(format!(".state.{}.{k}.tmp", std::process::id()));
        (0..100).for_each(|k| fs::write(left(k), b"part").unwrap());
        replace_file(&path, b"whole").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert!((0..100).all(|k| fs::read(left(k)).unwrap() == b"part"));
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 101);
        fs::remove_dir_all(&directory).unwrap();
    }
}
