//! Files by name: every error begins with it.

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;

use quantum_ec::io::{Layout, ShotFormat, ShotReader, ShotWriter};
use quantum_ec::{Circuit, DetectorErrorModel, Shots};

/// What subcommands return.
pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// Puts the name of the file before the message.
pub fn named<T>(path: &Path, result: quantum_ec::Result<T>) -> Outcome<T> {
    result.map_err(|error| format!("{}: {error}", path.display()).into())
}

/// Opens a file to read.
pub fn open(path: &Path) -> Outcome<BufReader<File>> {
    named(path, File::open(path).map(BufReader::new).map_err(Into::into))
}

/// Reads a detector error model.
pub fn read_model(path: &Path) -> Outcome<DetectorErrorModel> {
    named(path, DetectorErrorModel::read(open(path)?))
}

/// Writes what prints itself as text.
pub fn create_text(path: &Path, text: &impl std::fmt::Display) -> Outcome<()> {
    let write = || -> std::io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        write!(file, "{text}")?;
        file.flush()
    };
    named(path, write().map_err(Into::into))
}

/// Reads a circuit.
pub fn read_circuit(path: &Path) -> Outcome<Circuit> {
    named(path, Circuit::read(open(path)?))
}

/// Writes a circuit to a file or to standard output.
pub fn write_circuit(path: Option<&Path>, circuit: &Circuit) -> Outcome<()> {
    match path {
        None => Ok(circuit.write(std::io::stdout().lock())?),
        Some(path) => {
            named(path, File::create(path).map_err(Into::into).and_then(|file| circuit.write(BufWriter::new(file))))
        }
    }
}

/// Refuses outputs that are an input.
pub fn distinct(input: &Path, outputs: &[Option<&Path>]) -> Outcome<()> {
    let same = |a: &Path, b: &Path| matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b);
    match outputs.iter().flatten().find(|output| same(input, output)) {
        None => Ok(()),
        Some(output) => Err(format!("{} is both the input and an output, and would be lost", output.display()).into()),
    }
}

/// A shot format by name, for flags.
pub fn format(name: &str) -> Result<ShotFormat, String> {
    name.parse().map_err(|error: quantum_ec::Error| error.to_string())
}

/// A shot file to read.
pub struct Input<'a> {
    path: &'a Path,
    reader: ShotReader<BufReader<File>>,
}

impl<'a> Input<'a> {
    /// Opens a file of rows of this layout.
    pub fn open(path: &'a Path, format: ShotFormat, layout: Layout) -> Outcome<Self> {
        Ok(Self { path, reader: named(path, ShotReader::new(open(path)?, format, layout))? })
    }

    /// The next shots; fewer than `max_shots` at the end only.
    pub fn read(&mut self, max_shots: usize) -> Outcome<Shots> {
        named(self.path, self.reader.read_chunk(max_shots))
    }
}

/// A shot file to write.
pub struct Output<'a> {
    path: &'a Path,
    writer: ShotWriter<BufWriter<File>>,
}

impl<'a> Output<'a> {
    /// Creates a file of rows of this layout.
    pub fn create(path: &'a Path, format: ShotFormat, layout: Layout) -> Outcome<Self> {
        let file = named(path, File::create(path).map(BufWriter::new).map_err(Into::into))?;
        Ok(Self { path, writer: named(path, ShotWriter::new(file, format, layout))? })
    }

    /// Appends shots.
    pub fn write(&mut self, shots: &Shots) -> Outcome<()> {
        named(self.path, self.writer.write(shots.view()))
    }

    /// Ends the file.
    pub fn finish(self) -> Outcome<u64> {
        let n = self.writer.n_shots();
        named(self.path, self.writer.finish())?;
        Ok(n)
    }
}
