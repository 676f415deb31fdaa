//! The file in which a run is kept.

use std::path::{Path, PathBuf};
use std::time::Instant;

use linalg_core::checkpoint::{Checkpoint, ContentHash, Writer};
use path_integral_nn::estimate::Observables;
use path_integral_nn::sampler::Chains;

type Failure = Box<dyn std::error::Error>;

const KIND: &str = "path_integral example 1";

/// Steps between looks at the clock; a multiple of the steps between two adaptations.
const PIECE: u64 = 512;

/// Seconds between writes: a file holds every sample, some 150 bytes each.
const INTERVAL: f64 = 30.0;

/// Chains and what they measured.
pub struct Run {
    pub chains: Chains,
    pub observables: Vec<Observables>,
    /// Steps of the thermalisation.
    pub warm: u64,
    /// Seconds of processes before this one.
    pub before: f64,
}

impl Run {
    /// Reads the file.
    pub fn load(&mut self, file: &Path) -> Result<(), Failure> {
        let mut read = || -> Result<(), Failure> {
            let checkpoint = Checkpoint::load(file)?;
            let mut from = checkpoint.open(KIND, ContentHash::of_bytes(KIND.as_bytes()))?;
            (self.warm, self.before) = (from.read_u64()?, from.read_f64()?);
            self.chains.restore(&Checkpoint::from_bytes(&from.read_u8s()?)?)?;
            for block in &mut self.observables {
                block.restore(&Checkpoint::from_bytes(&from.read_u8s()?)?)?;
            }
            Ok(from.finish()?)
        };
        read().map_err(|error| format!("{}: {error}", file.display()).into())
    }

    fn save(&self, file: &Path, start: Instant) -> Result<(), Failure> {
        let mut out = Writer::new();
        out.write_u64(self.warm).write_f64(self.before + start.elapsed().as_secs_f64());
        out.write_u8s(&self.chains.checkpoint().to_bytes());
        for block in &self.observables {
            out.write_u8s(&block.checkpoint().to_bytes());
        }
        let checkpoint = Checkpoint::new(KIND, ContentHash::of_bytes(KIND.as_bytes()), out);
        checkpoint.save(file).map_err(|error| format!("{}: {error}", file.display()).into())
    }

    /// Thermalises and measures what is left of `steps`.
    pub fn finish(&mut self, steps: u64, file: Option<&PathBuf>, start: Instant) -> Result<(), Failure> {
        let mut saved = Instant::now();
        let total = self.warm + steps;
        while self.chains.steps() < total {
            let done = self.chains.steps();
            if done < self.warm {
                self.chains.thermalize(PIECE.min(self.warm - done), &mut ())?;
            } else {
                self.chains.run(PIECE.min(total - done), &mut self.observables, &mut ())?;
            }
            let last = self.chains.steps() >= total;
            if let Some(file) = file.filter(|_| last || saved.elapsed().as_secs_f64() > INTERVAL) {
                self.save(file, start)?;
                saved = Instant::now();
            }
        }
        Ok(())
    }
}
