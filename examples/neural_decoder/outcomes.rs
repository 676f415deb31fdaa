//! What decoders did with the same shots.

use std::time::Instant;

use linalg_core::stats::wilson_interval;
use quantum_ec::Shots;
use quantum_ec::decode::Decoder;

use crate::setting::Outcome;
use crate::shots::Drawn;

/// What a decoder did.
pub struct Outcomes {
    pub name: String,
    pub wrong: Option<Vec<bool>>,
    pub seconds: f64,
    pub predictions: Shots,
}

/// A difference on paired shots.
#[derive(Clone, Copy)]
pub struct Paired {
    pub difference: f64,
    pub std_error: f64,
}

impl Paired {
    pub fn z(self) -> f64 {
        self.difference / self.std_error
    }
}

impl Outcomes {
    pub fn shots(&self) -> usize {
        self.predictions.n_shots()
    }

    /// Logical error rate with half of the interval of one standard error, which is not 0 where nothing failed.
    pub fn rate(&self) -> Option<(f64, f64)> {
        let (n, wrong) = (self.shots(), self.wrong.as_ref()?);
        let errors = wrong.iter().filter(|w| **w).count();
        let interval = wilson_interval(errors as u64, n as u64, 1.0).ok()?;
        Some((errors as f64 / n as f64, 0.5 * (interval.high - interval.low)))
    }

    /// The rate of this one minus that of another, from the shots that one of the two alone decodes rightly.
    pub fn minus(&self, other: &Self) -> Option<Paired> {
        let (a, b) = (self.wrong.as_ref()?, other.wrong.as_ref()?);
        let alone = |a: &[bool], b: &[bool]| a.iter().zip(b).filter(|(a, b)| **a && !**b).count() as f64;
        let (lost, won, n) = (alone(a, b), alone(b, a), self.shots().max(1) as f64);
        Some(Paired { difference: (lost - won) / n, std_error: (lost + won).max(1.0).sqrt() / n })
    }

    pub fn microseconds(&self) -> f64 {
        1e6 * self.seconds / self.shots().max(1) as f64
    }
}

/// Decodes all shots.
pub fn decode(name: String, decoder: &mut dyn Decoder, drawn: &Drawn) -> Outcome<Outcomes> {
    let shots = drawn.detectors.n_shots();
    let mut predictions = Shots::zeros(shots, decoder.n_observables());
    let start = Instant::now();
    let report = decoder.decode_batch(drawn.detectors.view(), &mut predictions.view_mut())?;
    let seconds = start.elapsed().as_secs_f64();
    if let Some((shot, error)) = report.failures.first() {
        return Err(format!("{name}: shot {shot}: {error}").into());
    }
    let wrong = drawn.observables.as_ref();
    let wrong = wrong.map(|all| (0..shots).map(|k| predictions.row(k) != all.row(k)).collect());
    Ok(Outcomes { name, wrong, seconds, predictions })
}

/// A line for every decoder, the first one against all others.
pub fn print(outcomes: &[Outcomes]) {
    for (k, outcome) in outcomes.iter().enumerate() {
        print!("{:<28} {:.2} µs a shot", outcome.name, outcome.microseconds());
        if let Some((rate, error)) = outcome.rate() {
            print!(", wrong {rate:.5} ± {error:.5}");
        }
        if let Some(paired) = outcomes[0].minus(outcome).filter(|_| k > 0) {
            let Paired { difference, std_error } = paired;
            print!(", model minus this {difference:+.5} ± {std_error:.5} ({:+.1} σ)", paired.z());
        }
        println!();
    }
}
