//! What a model is about, from the command line.

use std::error::Error;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use quantum_ec::decode::DecoderChoice;
use quantum_ec::neural::{CodeNoise, NeuralDecoder, NeuralModel, Search, Subject};
use quantum_ec::noise::{IsingNoise, Noise};
use quantum_ec::{DetectorErrorModel, Pauli, StabilizerCode, code};

/// What steps return.
pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// Sweeps of a chain for one pattern of correlated errors, unless the text says otherwise.
const SWEEPS: u64 = 64;

/// A code with noise, or a detector error model.
#[derive(Debug, clap::Args)]
pub struct Setting {
    /// A code by name: `unrotated-surface:5`, `bb:72,12,6`, ..; a wrong name lists them all.
    #[arg(long, value_name = "NAME[:PARAMS]", required_unless_present = "dem", requires = "noise")]
    pub code: Option<String>,
    /// Noise and its p, or its smallest and largest p: `depolarizing:0.15`, `depolarizing:0.05:0.2`, `biased:10:0.1`. Or
    /// correlated errors, `ising:PAULI:FIELD:J[,J][:SWEEPS]` with couplings J along the two axes, as `ising:X:0.5:0.8,0`.
    #[arg(long, value_name = "NAME:P[:P]", requires = "code")]
    pub noise: Option<String>,
    /// A detector error model.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["code", "noise"])]
    pub dem: Option<PathBuf>,
}

impl Setting {
    /// The subject with the noise of the command line.
    pub fn subject(&self) -> Outcome<Subject> {
        if let Some(path) = &self.dem {
            return Ok(Subject::of_model(&read_model(path)?, &path.file_name().unwrap_or_default().to_string_lossy())?);
        }
        let name = self.code.as_deref().ok_or("--code or --dem is needed")?;
        let code = code::parse(name)?;
        let noise = self.noise()?.ok_or("--noise is needed")?.on(&code)?;
        Ok(Subject::of_code(code, noise)?)
    }

    /// The noise of the command line.
    pub fn noise(&self) -> Outcome<Option<QubitNoise>> {
        let parse = |text: &str| QubitNoise::parse(text).map_err(|error| format!("--noise {text:?}: {error}").into());
        self.noise.as_deref().map(parse).transpose()
    }
}

/// Most symmetries of a code that a decoder averages over.
const SYMMETRIES: usize = 256;

/// How a model decodes, and what it is compared with.
#[derive(Debug, clap::Args)]
pub struct Contest {
    /// How the class is chosen: `greedy`, `beam:WIDTH` or `exact`; by default exact for up to 12 observables, `beam:16` for more.
    #[arg(long, value_parser = search)]
    search: Option<Search>,
    /// Averages over the symmetries of the code, at the cost of a pass for each of them.
    #[arg(long)]
    symmetrize: bool,
    /// Refines joint models by importance sampling, at most so many rounds of so many samples a class; of the classes that the
    /// search finds, averaged over symmetries if asked for.
    #[arg(long, value_name = "SAMPLESxROUNDS", value_parser = refine)]
    pub refine: Option<(usize, usize)>,
    /// Other decoders for the same shots, separated by commas: `matching`, `maximum-likelihood`, `bp-osd:0`, ..
    #[arg(long, value_delimiter = ',', value_parser = choice)]
    pub compare: Vec<DecoderChoice>,
}

impl Contest {
    /// The search that was asked for, or the best one for so many observables.
    pub fn search_or_best(&self, n_observables: usize) -> Search {
        self.search.unwrap_or_else(|| Search::best_for(n_observables))
    }

    /// The model as a decoder at this p.
    pub fn decoder(
        &self,
        model: impl Into<Arc<NeuralModel>>,
        search: Search,
        p: Option<f64>,
    ) -> Outcome<NeuralDecoder> {
        let decoder = NeuralDecoder::new(model, search, p)?;
        Ok(if self.symmetrize { decoder.symmetrized(SYMMETRIES)? } else { decoder })
    }
}

/// Noise on the qubits of a code, before the code is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum QubitNoise {
    /// Independent, with its smallest and largest p.
    Named { noise: Noise, low: f64, high: f64 },
    /// The distribution of an Ising model with couplings between nearest neighbours.
    Ising { pauli: Pauli, field: f64, couplings: [f64; 2], sweeps: u64 },
}

impl QubitNoise {
    /// `NAME:P`, `NAME:LOW:HIGH`, where a name may have a colon of its own, or `ising:PAULI:FIELD:J[,J][:SWEEPS]`.
    pub fn parse(text: &str) -> Outcome<Self> {
        if let Some(rest) = text.strip_prefix("ising:") {
            return Self::parse_ising(rest);
        }
        let (head, last) = text.rsplit_once(':').ok_or("expected NAME:P")?;
        if let Some((name, low)) = head.rsplit_once(':')
            && let (Ok(noise), Ok(low)) = (name.parse::<Noise>(), low.parse())
        {
            return Ok(Self::Named { noise, low, high: number(last)? });
        }
        let p = number(last)?;
        Ok(Self::Named { noise: head.parse()?, low: p, high: p })
    }

    fn parse_ising(text: &str) -> Outcome<Self> {
        let fields: Vec<&str> = text.split(':').collect();
        let (pauli, field, couplings, sweeps) = match fields[..] {
            [pauli, field, couplings] => (pauli, field, couplings, SWEEPS),
            [pauli, field, couplings, sweeps] => {
                let sweeps = sweeps.parse().map_err(|_| format!("{sweeps:?} is no number of sweeps"))?;
                (pauli, field, couplings, sweeps)
            }
            _ => return Err("expected ising:PAULI:FIELD:J[,J][:SWEEPS]".into()),
        };
        let pauli = match pauli {
            "X" => Pauli::X,
            "Y" => Pauli::Y,
            "Z" => Pauli::Z,
            _ => return Err(format!("{pauli:?} is none of X, Y, Z").into()),
        };
        let (first, second) = couplings.split_once(',').unwrap_or((couplings, couplings));
        Ok(Self::Ising { pauli, field: number(field)?, couplings: [number(first)?, number(second)?], sweeps })
    }

    /// The noise on a code.
    pub fn on(self, code: &StabilizerCode) -> quantum_ec::Result<CodeNoise> {
        Ok(match self {
            Self::Named { noise, low, high } => CodeNoise::Named { noise, low, high },
            Self::Ising { pauli, field, couplings, sweeps } => {
                CodeNoise::Ising { noise: IsingNoise::nearest_neighbours(code, pauli, field, couplings)?, sweeps }
            }
        })
    }
}

fn number(text: &str) -> Outcome<f64> {
    text.parse().map_err(|_| format!("{text:?} is no number").into())
}

/// Reads a detector error model.
pub fn read_model(path: &Path) -> Outcome<DetectorErrorModel> {
    let name = path.display();
    let file = File::open(path).map_err(|error| format!("{name}: {error}"))?;
    DetectorErrorModel::read(BufReader::new(file)).map_err(|error| format!("{name}: {error}").into())
}

/// Whether a file can be written, before the work that is to fill it; what it holds stays.
pub fn check_writable(path: &Path) -> Outcome<()> {
    let opened = File::options().append(true).create(true).open(path);
    opened.map(drop).map_err(|error| format!("{}: {error}", path.display()).into())
}

/// Search for classes on the command line.
fn search(text: &str) -> Result<Search, String> {
    text.parse().map_err(|error: quantum_ec::Error| error.to_string())
}

/// A decoder by name on the command line.
fn choice(text: &str) -> Result<DecoderChoice, String> {
    text.parse().map_err(|error: quantum_ec::Error| error.to_string())
}

/// `SAMPLESxROUNDS` of a refinement on the command line.
fn refine(text: &str) -> Result<(usize, usize), String> {
    let sizes = text.split_once('x').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    sizes.filter(|&(a, b)| a > 1 && b > 0).ok_or_else(|| "expected SAMPLESxROUNDS, at least 2x1".to_owned())
}
