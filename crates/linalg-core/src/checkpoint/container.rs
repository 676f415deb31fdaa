//! The container around a payload, in memory and in files.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use super::{CheckpointError, ContentHash, Reader, replace_file};

/// The first bytes of every checkpoint.
pub const MAGIC: [u8; 8] = *b"\x89LACKP\r\n";

/// Version of the container written and read by this code.
pub const VERSION: u32 = 1;

/// The saved state of a computation: what kind it is, which problem it belongs to, and the payload.
///
/// ```
/// use linalg_core::checkpoint::{Checkpoint, CheckpointError, Writer};
///
/// let mut state = Writer::new();
/// state.write_u64(1000).write_i8s(&[1, -1, 1]);
/// let saved = Checkpoint::new("metropolis 1", 0xfeed, state).to_bytes();
///
/// let restored = Checkpoint::from_bytes(&saved)?;
/// let mut reader = restored.open("metropolis 1", 0xfeed)?;
/// assert_eq!(reader.read_u64()?, 1000);
/// assert_eq!(reader.read_i8s()?, [1, -1, 1]);
/// reader.finish()?;
///
/// let other = restored.open("metropolis 1", 0xbeef);
/// assert!(matches!(other, Err(CheckpointError::Problem { expected: 0xbeef, found: 0xfeed })));
/// # Ok::<(), CheckpointError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Name of the computation and of the layout of its payload.
    pub kind: String,
    /// [`ContentHash`] of the problem.
    pub problem: u64,
    /// What the computation wrote.
    pub payload: Vec<u8>,
}

impl Checkpoint {
    /// Wraps what was written.
    pub fn new(kind: &str, problem: u64, payload: super::Writer) -> Self {
        Self { kind: kind.to_owned(), problem, payload: payload.into_bytes() }
    }

    /// A reader of the payload, after checking that this checkpoint is of the given kind and problem.
    ///
    /// # Errors
    /// [`CheckpointError::Kind`], [`CheckpointError::Problem`].
    pub fn open(&self, kind: &str, problem: u64) -> Result<Reader<'_>, CheckpointError> {
        if self.kind != kind {
            return Err(CheckpointError::Kind { expected: kind.to_owned(), found: self.kind.clone() });
        }
        if self.problem != problem {
            return Err(CheckpointError::Problem { expected: problem, found: self.problem });
        }
        Ok(Reader::new(&self.payload))
    }

    /// The container as bytes, in the layout of the [module](super).
    ///
    /// # Panics
    /// When the kind is longer than `u32::MAX` bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let kind = self.kind.as_bytes();
        let length = u32::try_from(kind.len());
        let length = length.unwrap_or_else(|_| panic!("kind of {} bytes, at most u32::MAX", kind.len()));
        let mut bytes = Vec::with_capacity(40 + kind.len() + self.payload.len());
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(length.to_le_bytes());
        bytes.extend(kind);
        bytes.extend(self.problem.to_le_bytes());
        bytes.extend((self.payload.len() as u64).to_le_bytes());
        bytes.extend(&self.payload);
        bytes.extend(ContentHash::of_bytes(&bytes).to_le_bytes());
        bytes
    }

    /// Reads a container; the inverse of [`to_bytes`](Self::to_bytes).
    ///
    /// # Errors
    /// [`CheckpointError`] for anything but exactly one undamaged container of this version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let mut reader = Reader::new(bytes);
        let mut found = [0; 8];
        found.copy_from_slice(reader.take(8)?);
        if found != MAGIC {
            return Err(CheckpointError::Magic { found });
        }
        let found = reader.read_u32()?;
        if found != VERSION {
            let expected = VERSION;
            return Err(CheckpointError::Version { expected, found });
        }
        let length = reader.read_u32()?;
        let at = reader.position();
        let kind = reader.take(length.into())?;
        let problem = reader.read_u64()?;
        let length = reader.read_u64()?;
        let payload = reader.take(length)?;
        let end = reader.position();
        let found = reader.read_u64()?;
        let expected = ContentHash::of_bytes(&bytes[..end]);
        if found != expected {
            return Err(CheckpointError::Checksum { expected, found });
        }
        reader.finish()?;
        let kind = std::str::from_utf8(kind).map_err(|_| CheckpointError::Invalid { what: "kind", at })?.to_owned();
        Ok(Self { kind, problem, payload: payload.to_vec() })
    }

    /// Writes the container.
    ///
    /// # Errors
    /// [`CheckpointError::Io`].
    pub fn write_to<W: Write + ?Sized>(&self, out: &mut W) -> Result<(), CheckpointError> {
        out.write_all(&self.to_bytes()).map_err(|error| CheckpointError::io("write the checkpoint", &error))
    }

    /// Reads a container that ends with its source.
    ///
    /// # Errors
    /// As [`from_bytes`](Self::from_bytes), and [`CheckpointError::Io`].
    pub fn read_from<R: Read + ?Sized>(source: &mut R) -> Result<Self, CheckpointError> {
        let mut bytes = Vec::new();
        source.read_to_end(&mut bytes).map_err(|error| CheckpointError::io("read the checkpoint", &error))?;
        Self::from_bytes(&bytes)
    }

    /// Saves to a file, as [`replace_file`] does: a crash at any moment leaves either the old file or the new one.
    ///
    /// # Errors
    /// [`CheckpointError::Io`]; an older file is then untouched.
    pub fn save<P: AsRef<Path>>(&self, path: P) -> Result<(), CheckpointError> {
        replace_file(path, &self.to_bytes())
    }

    /// Loads from a file.
    ///
    /// # Errors
    /// As [`read_from`](Self::read_from).
    pub fn load<P: AsRef<Path>>(path: P) -> Result<Self, CheckpointError> {
        let path = path.as_ref();
        let bytes = fs::read(path).map_err(|error| CheckpointError::io(format!("read {}", path.display()), &error))?;
        Self::from_bytes(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Writer;

    fn example() -> Checkpoint {
        let mut payload = Writer::new();
        payload.write_f64s(&[1.0, 2.0]).write_u64(5);
        Checkpoint::new("test 1", 0x0123_4567_89ab_cdef, payload)
    }

    #[test]
    fn layout() {
        let bytes = example().to_bytes();
        assert_eq!(bytes.len(), 8 + 4 + (4 + 6) + 8 + (8 + 32) + 8);
        assert_eq!(bytes[..8], MAGIC);
        assert_eq!(bytes[8..16], [1, 0, 0, 0, 6, 0, 0, 0]);
        assert_eq!(&bytes[16..22], b"test 1");
        assert_eq!(bytes[22..30], 0x0123_4567_89ab_cdefu64.to_le_bytes());
        assert_eq!(Checkpoint::from_bytes(&bytes).unwrap(), example());
        assert_eq!(Checkpoint::read_from(&mut &bytes[..]).unwrap(), example());
    }

    #[test]
    fn every_truncation_and_every_flip_is_an_error() {
        let bytes = example().to_bytes();
        for end in 0..bytes.len() {
            let error = Checkpoint::from_bytes(&bytes[..end]).unwrap_err();
            assert!(matches!(error, CheckpointError::Truncated { .. }), "{end}: {error}");
        }
        for position in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[position] ^= 1 << bit;
                let error = Checkpoint::from_bytes(&damaged).unwrap_err();
                let expected = match position {
                    0..8 => matches!(error, CheckpointError::Magic { .. }),
                    8..12 => matches!(error, CheckpointError::Version { .. }),
                    _ => matches!(error, CheckpointError::Truncated { .. } | CheckpointError::Checksum { .. }),
                };
                assert!(expected, "byte {position}, bit {bit}: {error}");
            }
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert_eq!(
            Checkpoint::from_bytes(&longer).unwrap_err(),
            CheckpointError::Trailing { at: bytes.len(), extra: 1 }
        );
    }

    #[test]
    fn a_kind_that_is_not_text() {
        let mut bytes = example().to_bytes();
        bytes[16] = 0xff;
        let end = bytes.len() - 8;
        let checksum = ContentHash::of_bytes(&bytes[..end]).to_le_bytes();
        bytes[end..].copy_from_slice(&checksum);
        assert_eq!(Checkpoint::from_bytes(&bytes).unwrap_err(), CheckpointError::Invalid { what: "kind", at: 16 });
    }

    #[test]
    fn wrong_kind_and_problem() {
        let checkpoint = example();
        assert!(matches!(checkpoint.open("test 2", checkpoint.problem), Err(CheckpointError::Kind { .. })));
        let error = checkpoint.open("test 1", 7).unwrap_err();
        assert_eq!(
            error.to_string(),
            "checkpoint of the problem with hash 0x0123456789abcdef, expected 0x0000000000000007"
        );
    }

    #[test]
    fn files() {
        let directory = std::env::temp_dir().join(format!("linalg-core-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let path = directory.join("state.bin");
        let mut checkpoint = example();
        checkpoint.save(&path).unwrap();
        checkpoint.problem = 9;
        checkpoint.save(&path).unwrap();
        assert_eq!(Checkpoint::load(&path).unwrap().problem, 9);
        // No temporary file stays, not even after a failure: a directory cannot be replaced by a file.
        let blocked = directory.join("blocked");
        fs::create_dir_all(blocked.join("full")).unwrap();
        assert!(matches!(checkpoint.save(&blocked), Err(CheckpointError::Io { .. })));
        let mut names: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["blocked", "state.bin"]);
        assert!(matches!(checkpoint.save("/"), Err(CheckpointError::Io { .. })));
        let missing = Checkpoint::load(directory.join("missing")).unwrap_err();
        assert!(matches!(missing, CheckpointError::Io { kind: std::io::ErrorKind::NotFound, .. }));
        fs::remove_dir_all(&directory).unwrap();
    }
}
