//! How far a model is from its floor: means of -ln q a shot beside entropies.

use linalg_core::Streams;
use quantum_ec::neural::{Batch, CodeNoise, NeuralModel, Subject};

use crate::setting::Outcome;
use crate::shots::Source;

/// Most shots behind a mean.
const SHOTS: usize = 20_000;

/// Means of -ln q a shot in nats, with their floors where these are known.
pub struct Likelihood {
    pub shots: usize,
    /// Of the class given the syndrome, and the entropy of that.
    pub class: Option<f64>,
    pub class_floor: Option<f64>,
    /// Of all that the subject has, which is the whole error where it has a stabilizer part, and the entropy of that, in closed
    /// form for independent noise.
    pub error: Option<f64>,
    pub error_floor: Option<f64>,
}

impl Likelihood {
    /// On fresh shots of this noise, which the model was not trained on.
    pub fn measure(model: &NeuralModel, source: &Source, p: Option<f64>, shots: usize, seed: u64) -> Outcome<Self> {
        let shots = shots.min(SHOTS);
        let subject = model.subject();
        // The same code at one p, whose numbers the model is told.
        let at = match (subject.code(), subject.noise(), p) {
            (Some(code), Some(CodeNoise::Named { noise, .. }), Some(p)) => {
                Subject::of_code(code.clone(), CodeNoise::fixed(*noise, p))?
            }
            _ => subject.clone(),
        };
        let mut batch = Batch::default();
        // Trainings of this seed draw from the children of their steps.
        at.draw(shots, Streams::new(seed).child(u64::MAX), &mut batch)?;
        batch.globals = p.map_or_else(Vec::new, |p| subject.globals(p)).repeat(shots);
        let loss = model.loss(&batch);
        let parts = if subject.n_gauge() > 0 { &loss[..] } else { &loss[..2] };
        let error = parts.iter().try_fold(0.0, |sum, part| part.map(|part| sum + part));
        let class_floor = source.distribution()?.map(|all| all.class_entropy());
        Ok(Self { shots, class: loss[1], class_floor, error, error_floor: at.entropy() })
    }

    /// One line.
    pub fn print(&self) {
        let Some(class) = self.class else { return };
        print!("-ln q of {} shots: class given syndrome {class:.5} nats", self.shots);
        if let Some(floor) = self.class_floor {
            print!(", its floor {floor:.5}");
        }
        if let Some(error) = self.error {
            print!("; whole error {error:.4}");
        }
        if let Some(floor) = self.error_floor {
            print!("{} {floor:.4}", if self.error.is_some() { ", its floor" } else { "; entropy of the error" });
        }
        println!();
    }
}
