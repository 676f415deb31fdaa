//! Where shots come from, and what other decoders are told about their noise.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use linalg_core::Streams;
use quantum_ec::decode::{Decoder, DecoderChoice};
use quantum_ec::dem::Sampler;
use quantum_ec::io::{Layout, ShotFormat, ShotReader};
use quantum_ec::neural::CodeNoise;
use quantum_ec::noise::{IsingNoise, independent_paulis};
use quantum_ec::statmech::{CosetModel, SyndromeDistribution};
use quantum_ec::{Decomposition, DetectorErrorModel, PauliString, PauliTable, Shots, StabilizerCode};

use crate::setting::Outcome;

/// Most bits of syndrome and class whose probabilities are listed for a floor.
const LISTED: usize = 18;

/// Syndromes with what the observables did.
pub struct Drawn {
    pub detectors: Shots,
    pub observables: Option<Shots>,
}

/// Noise without anything left open.
pub enum Source {
    /// Independent errors on the qubits of a code.
    Independent { code: StabilizerCode, table: PauliTable },
    /// Correlated ones, with the probabilities of every qubit by itself.
    Ising { code: StabilizerCode, noise: Box<IsingNoise>, sweeps: u64, marginals: PauliTable },
    /// A detector error model.
    Model(DetectorErrorModel),
}

impl Source {
    /// Noise on a code; that of a range of p at this one.
    pub fn of_code(code: StabilizerCode, noise: CodeNoise, p: Option<f64>) -> quantum_ec::Result<Self> {
        match noise {
            CodeNoise::Named { noise, low, .. } => {
                let table = noise.table(code.n_qubits(), p.unwrap_or(low))?;
                Ok(Self::Independent { code, table })
            }
            CodeNoise::Ising { noise, sweeps } => {
                let marginals = noise.marginals()?;
                Ok(Self::Ising { code, noise: Box::new(noise), sweeps, marginals })
            }
            _ => {
                let reason = "this noise has no sampler here".to_owned();
                Err(quantum_ec::Error::NotApplicable { method: "neural_decoder", reason })
            }
        }
    }

    /// Draws shots: shot k from stream k.
    pub fn draw(&self, shots: usize, seed: u64) -> quantum_ec::Result<Drawn> {
        let streams = Streams::new(seed);
        match self {
            Self::Independent { code, table } => Ok(drawn(code, &table.sample_shots(0..shots as u64, streams))),
            Self::Ising { code, noise, sweeps, .. } => {
                Ok(drawn(code, &noise.sample_chains(0..shots as u64, *sweeps, streams)?))
            }
            Self::Model(model) => {
                let samples = Sampler::of_model(model)?.sample(shots, &streams);
                Ok(Drawn { detectors: samples.detectors, observables: Some(samples.observables) })
            }
        }
    }

    /// A decoder by name. Maximum likelihood knows the noise as it is; the others take correlated errors for independent ones
    /// with the right probabilities.
    pub fn decoder(&self, choice: DecoderChoice) -> quantum_ec::Result<Box<dyn Decoder>> {
        use DecoderChoice::{MaximumLikelihood, MaximumLikelihoodMarginals, MaximumLikelihoodSequential};
        let likelihood =
            matches!(choice, MaximumLikelihood(_) | MaximumLikelihoodSequential | MaximumLikelihoodMarginals);
        Ok(match self {
            Self::Model(model) => choice.build_of_model(model)?.decoder,
            Self::Independent { code, table } if likelihood => {
                choice.build_of_coset(CosetModel::stabilizer(code, table.rows())?)?.decoder
            }
            Self::Ising { code, noise, .. } if likelihood => choice.build_of_coset(noise.coset_model(code)?)?.decoder,
            Self::Independent { code, table: known } | Self::Ising { code, marginals: known, .. } => {
                choice.build(&independent_paulis(code, known)?)?.decoder
            }
        })
    }

    /// The probabilities of all syndromes and classes, where they are few and the noise is independent.
    pub fn distribution(&self) -> quantum_ec::Result<Option<SyndromeDistribution>> {
        match self {
            Self::Independent { code, table } if code.n_generators() + 2 * code.n_logical() <= LISTED => {
                SyndromeDistribution::stabilizer(code, table.rows()).map(Some)
            }
            Self::Model(model) => {
                let problem = model.to_problem()?;
                let few = problem.n_detectors() + problem.n_observables() <= LISTED;
                few.then(|| SyndromeDistribution::new(&problem)).transpose()
            }
            _ => Ok(None),
        }
    }
}

fn drawn(code: &StabilizerCode, errors: &[PauliString]) -> Drawn {
    let basis = Decomposition::new(code);
    let mut detectors = Shots::zeros(errors.len(), code.n_generators());
    let mut observables = Shots::zeros(errors.len(), 2 * code.n_logical());
    for (k, error) in errors.iter().enumerate() {
        detectors.row_mut(k).copy_from_slice(code.syndrome(error).words());
        observables.row_mut(k).copy_from_slice(basis.decompose(error).applied().words());
    }
    Drawn { detectors, observables: Some(observables) }
}

/// Reads shots of so many bits, b8.
pub fn read(path: &Path, bits: usize) -> Outcome<Shots> {
    let name = path.display();
    let file = File::open(path).map_err(|error| format!("{name}: {error}"))?;
    let mut reader = ShotReader::new(BufReader::new(file), ShotFormat::B8, Layout::detectors(bits))?;
    Ok(reader.read_chunk(usize::MAX).map_err(|error| format!("{name}: {error}"))?)
}
