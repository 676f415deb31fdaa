//! What a model is about, from the command line.

use std::error::Error;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use quantum_ec::neural::{CodeNoise, Subject};
use quantum_ec::noise::Noise;
use quantum_ec::{DetectorErrorModel, code};

/// What steps return.
pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// A code with noise, or a detector error model.
#[derive(Debug, clap::Args)]
pub struct Setting {
    /// A code by name: `unrotated-surface:5`, `bb:72,12,6`, ..; a wrong name lists them all.
    #[arg(long, value_name = "NAME[:PARAMS]", required_unless_present = "dem", requires = "noise")]
    pub code: Option<String>,
    /// Noise and its p, or its smallest and largest p: `depolarizing:0.15`, `depolarizing:0.05:0.2`, `biased:10:0.1`.
    #[arg(long, value_name = "NAME:P[:P]", requires = "code")]
    pub noise: Option<String>,
    /// A detector error model.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["code", "noise"])]
    pub dem: Option<PathBuf>,
}

impl Setting {
    /// The subject with the noise of the command line, or with the one of a model file.
    pub fn subject(&self, noise: Option<&str>) -> Outcome<Subject> {
        if let Some(path) = &self.dem {
            return Ok(Subject::of_model(&read_model(path)?, &path.file_name().unwrap_or_default().to_string_lossy())?);
        }
        let name = self.code.as_deref().ok_or("--code or --dem is needed")?;
        let text = noise.or(self.noise.as_deref()).ok_or("--noise is needed")?;
        let (noise, low, high) = parse_noise(text)?;
        Ok(Subject::of_code(code::parse(name)?, CodeNoise::Named { noise, low, high })?)
    }

    /// The noise of the command line.
    pub fn noise(&self) -> Outcome<Option<(Noise, f64, f64)>> {
        self.noise.as_deref().map(parse_noise).transpose()
    }
}

/// Reads a detector error model.
pub fn read_model(path: &Path) -> Outcome<DetectorErrorModel> {
    let name = path.display();
    let file = File::open(path).map_err(|error| format!("{name}: {error}"))?;
    DetectorErrorModel::read(BufReader::new(file)).map_err(|error| format!("{name}: {error}").into())
}

/// `NAME:P` or `NAME:LOW:HIGH`; a name may have a colon of its own.
fn parse_noise(text: &str) -> Outcome<(Noise, f64, f64)> {
    let (head, last) = text.rsplit_once(':').ok_or_else(|| format!("--noise {text:?}: expected NAME:P"))?;
    let number = |text: &str| text.parse::<f64>().map_err(|_| format!("--noise: {text:?} is no number"));
    if let Some((name, low)) = head.rsplit_once(':')
        && let (Ok(noise), Ok(low)) = (name.parse::<Noise>(), low.parse())
    {
        return Ok((noise, low, number(last)?));
    }
    let p = number(last)?;
    Ok((head.parse()?, p, p))
}
