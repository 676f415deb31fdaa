//! Some seconds of training at distance 3.

use std::time::Instant;

use quantum_ec::decode::DecoderChoice;
use quantum_ec::neural::{
    CodeNoise, NetworkParams, NeuralDecoder, NeuralModel, NeuralTrainer, Search, Subject, TrainingParams,
};
use quantum_ec::noise::Noise;
use quantum_ec::statmech::SyndromeDistribution;
use quantum_ec::{code, decode::Lookup};

use crate::decode::{decode, draw, other, print};
use crate::setting::Outcome;

/// Error rate of the demonstration.
const P: f64 = 0.15;

/// Steps of 256 shots, unless the clock says otherwise.
const STEPS: u64 = 1200;

/// Seconds after which no step is begun.
const SECONDS: f64 = 5.0;

/// Shots that are decoded.
const SHOTS: usize = 10_000;

pub fn run() -> Outcome<()> {
    let code = code::parse("rotated-surface:3")?;
    let subject = Subject::of_code(code.clone(), CodeNoise::fixed(Noise::Depolarizing, P))?;
    let table = Noise::Depolarizing.table(code.n_qubits(), P)?;
    let exact = SyndromeDistribution::stabilizer(&code, table.rows())?;
    let model = NeuralModel::new(subject, "made:64x2:16x1".parse::<NetworkParams>()?)?;
    let params = TrainingParams::default().batch(256).steps(STEPS).learning_rate(0.01).warm_up(50);
    let mut trainer = NeuralTrainer::new(model, params)?;
    println!("rotated surface code, d = 3, depolarizing noise p = {P}, {} parameters", trainer.model().n_parameters());
    let start = Instant::now();
    let mut recent = (0.0, 0u64);
    while trainer.steps() < STEPS && start.elapsed().as_secs_f64() < SECONDS {
        let step = trainer.step()?;
        recent = (recent.0 + step.loss[1].unwrap_or(f64::NAN), recent.1 + 1);
        if step.step % (STEPS / 6) == 0 {
            println!("step {:>5}, -ln q(class | syndrome) {:.4} nats", step.step, recent.0 / recent.1 as f64);
            recent = (0.0, 0);
        }
    }
    let conditional: f64 = (0..1usize << exact.n_detectors())
        .flat_map(|s| {
            let total: f64 = exact.classes(s).iter().sum();
            exact.classes(s).iter().filter(|p| **p > 0.0).map(move |p| -p * (p / total).ln())
        })
        .sum();
    println!("its floor, H(class | syndrome)       {conditional:.4} nats");
    println!("exact logical error rate {:.5}; {SHOTS} shots:", exact.optimal_failure_rate());
    let drawn = draw(&code, &table, SHOTS, 1000);
    let mut neural = NeuralDecoder::new(trainer.into_model(), Search::Exact, None)?;
    let mut matching = other("matching".parse::<DecoderChoice>()?, &code, &table)?;
    let outcomes = [
        decode("neural".to_owned(), &mut neural, &drawn)?,
        decode("maximum likelihood".to_owned(), &mut Lookup::of_distribution(exact), &drawn)?,
        decode("matching".to_owned(), &mut *matching, &drawn)?,
    ];
    print(&outcomes);
    Ok(())
}
