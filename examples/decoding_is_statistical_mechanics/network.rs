//! A network that has only seen errors.

use std::sync::Arc;

use quantum_ec::code::CssCode;
use quantum_ec::decode::{Decoder, Prediction};
use quantum_ec::neural::{
    CodeNoise, Connection, NetworkParams, NeuralDecoder, NeuralModel, NeuralTrainer, Search, Subject, TrainingParams,
};
use quantum_ec::noise::Noise;
use quantum_ec::shots::words_per_row;

/// Shots a step.
const BATCH: usize = 512;

/// A model of bit flips with probabilities from `low` to `high`, trained on fresh errors; the same for every number of threads.
pub fn train(code: &CssCode, (low, high): (f64, f64), steps: u64, seed: u64) -> quantum_ec::Result<Arc<NeuralModel>> {
    let noise = CodeNoise::Named { noise: Noise::BitFlip, low, high };
    let params = NetworkParams::new(Connection::Dense).channels(128, 2).width(32, 1).seed(seed);
    let model = NeuralModel::new(Subject::of_code(code.stabilizer().clone(), noise)?, params)?;
    let params = TrainingParams::default().steps(steps).batch(BATCH).seed(seed);
    let mut trainer = NeuralTrainer::new(model, params)?;
    while trainer.steps() < steps {
        trainer.step()?;
    }
    Ok(Arc::new(trainer.into_model()))
}

/// The network as a decoder of bit flips alone: checks of Z, logical Z.
pub struct Network {
    decoder: NeuralDecoder,
    /// For each check of Z, its number among the generators of the code.
    generators: Vec<usize>,
    n_observables: usize,
    syndrome: Vec<u64>,
}

impl Network {
    /// A decoder at this p.
    pub fn new(model: Arc<NeuralModel>, code: &CssCode, p: f64) -> quantum_ec::Result<Self> {
        let all = code.stabilizer().generators();
        let generators: Vec<usize> = (0..all.len()).filter(|&g| all[g].x().is_zero()).collect();
        let syndrome = vec![0; words_per_row(all.len())];
        let decoder = NeuralDecoder::new(model, Search::Exact, Some(p))?;
        Ok(Self { decoder, generators, n_observables: code.n_logical(), syndrome })
    }
}

impl Decoder for Network {
    fn n_detectors(&self) -> usize {
        self.generators.len()
    }

    fn n_observables(&self) -> usize {
        self.n_observables
    }

    fn decode_into(&mut self, syndrome: &[u64], out: &mut Prediction) -> quantum_ec::Result<()> {
        self.syndrome.fill(0);
        for (i, &generator) in self.generators.iter().enumerate() {
            self.syndrome[generator / 64] |= (syndrome[i / 64] >> (i % 64) & 1) << (generator % 64);
        }
        let mut all = Prediction::new(self.decoder.n_observables());
        self.decoder.decode_into(&self.syndrome, &mut all)?;
        *out = Prediction::new(self.n_observables);
        // The logical X that the error holds come first: they are what flips the logical Z.
        out.observables = (0..self.n_observables).map(|j| all.observables.get(j)).collect();
        Ok(())
    }
}
