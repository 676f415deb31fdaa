//! Some seconds of training at distance 3.

use std::time::Instant;

use quantum_ec::decode::DecoderChoice;
use quantum_ec::neural::{
    CodeNoise, NetworkParams, NeuralDecoder, NeuralModel, NeuralTrainer, Search, Subject, TrainingParams,
};
use quantum_ec::noise::Noise;
use quantum_ec::{code, decode::Lookup};

use crate::outcomes::{decode, print};
use crate::setting::Outcome;
use crate::shots::Source;

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
    let noise = CodeNoise::fixed(Noise::Depolarizing, P);
    let subject = Subject::of_code(code.clone(), noise.clone())?;
    let source = Source::of_code(code, noise, None)?;
    let exact = source.distribution()?.ok_or("the code is too large")?;
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
    println!("its floor, H(class | syndrome)       {:.4} nats", exact.class_entropy());
    println!("exact logical error rate {:.5}; {SHOTS} shots:", exact.optimal_failure_rate());
    let drawn = source.draw(SHOTS, 1000)?;
    let mut neural = NeuralDecoder::new(trainer.into_model(), Search::Exact, None)?;
    let mut matching = source.decoder("matching".parse::<DecoderChoice>()?)?;
    let outcomes = [
        decode("neural".to_owned(), &mut neural, &drawn)?,
        decode("maximum likelihood".to_owned(), &mut Lookup::of_distribution(exact), &drawn)?,
        decode("matching".to_owned(), &mut *matching, &drawn)?,
    ];
    print(&outcomes);
    Ok(())
}
