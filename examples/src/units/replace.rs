//! Files that are replaced as a whole.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::Outcome;

/// Replaces a file by what `write` puts into a new one beside it; a kill leaves the old one or the new one.
///
/// # Errors
/// With the name of the file that cannot be written.
pub fn replace(path: &Path, write: impl FnOnce(File) -> Outcome<()>) -> Outcome<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let fail = |error: &dyn std::fmt::Display| format!("{}: {error}", new.display());
    let file = File::create(&new).map_err(|error| fail(&error))?;
    write(file).map_err(|error| fail(&error))?;
    fs::rename(&new, path).map_err(|error| format!("{}: {error}", path.display()).into())
}
