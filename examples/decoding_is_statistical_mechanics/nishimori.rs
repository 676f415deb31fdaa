//! A decoder that only samples: parallel tempering up to the Nishimori temperature, with a spin for the logical operator.

use linalg_core::Streams;
use linalg_core::gf2::{BinaryCsc, BitVec};
use quantum_ec::code::CssCode;
use quantum_ec::decode::{Decoder, Prediction};
use quantum_ec::statmech::CosetModel;
use quantum_ec::{DecodingProblem, Result};
use spin_models::Simulation;
use spin_models::mcmc::{HeatBath, Ladder, ParallelTempering, ParallelTemperingParams};

/// Draws errors with the syndrome at β = 1 and names the class that it finds more often.
///
/// The stabilizers connect errors of one class. With the logical operator as one generator more, the chain goes from class to
/// class, and the mean of its spin is the difference of their probabilities.
pub struct NishimoriSampler {
    problem: DecodingProblem,
    /// All errors of a syndrome, both classes.
    coset: CosetModel,
    sweeps: u64,
    streams: Streams,
    shot: u64,
}

impl NishimoriSampler {
    /// For a code with one logical qubit; `problem` is that of its X errors.
    pub fn new(code: &CssCode, problem: &DecodingProblem, sweeps: u64, streams: Streams) -> Result<Self> {
        let mut generators: Vec<Vec<usize>> = code.hx().rows().map(|row| row.iter_ones().collect()).collect();
        generators.push(code.lx().row(0).iter_ones().collect());
        let none = BinaryCsc::from_columns(0, vec![Vec::<usize>::new(); problem.n_mechanisms()])?;
        let blind = DecodingProblem::new(problem.checks().clone(), none, problem.priors().to_vec())?;
        let coset = CosetModel::with_generators(&blind, &generators)?;
        Ok(Self { problem: problem.clone(), coset, sweeps, streams, shot: 0 })
    }
}

impl Decoder for NishimoriSampler {
    fn n_detectors(&self) -> usize {
        self.problem.n_detectors()
    }

    fn n_observables(&self) -> usize {
        self.problem.n_observables()
    }

    fn decode_into(&mut self, syndrome: &[u64], out: &mut Prediction) -> Result<()> {
        let syndrome = BitVec::from_words(syndrome.to_vec(), self.n_detectors())?;
        let Some(error) = self.coset.representative(&syndrome, &BitVec::zeros(0))? else {
            unreachable!("a problem without observables has one class");
        };
        let model = self.coset.with_representative(&error)?;
        // Hot enough at the first temperature that the logical operator, d couplings at once, turns freely.
        let ladder = Ladder::linear(0.2, 1.0, 5)?;
        let params = ParallelTemperingParams::default();
        let streams = self.streams.child(self.shot);
        self.shot += 1;
        let mut tempering = ParallelTempering::new(&model, HeatBath::default(), ladder, params, streams)?;
        tempering.advance(self.sweeps / 4, &mut ());
        let logical = self.coset.n_generators() - 1;
        let mut with_logical = 0.5;
        for _ in 0..self.sweeps {
            tempering.advance(1, &mut ());
            with_logical += f64::from(u8::from(tempering.spins(4, 0)[logical] < 0));
        }
        let share = with_logical / (self.sweeps + 1) as f64;
        let flipped = self.problem.logical(&error).get(0) ^ (share > 0.5);
        out.observables.clear();
        out.observables.set(0, flipped);
        (out.weight, out.converged) = (f64::NAN, true);
        out.ln_class.clear();
        out.probabilities = vec![if flipped == (share > 0.5) { share } else { 1.0 - share }];
        Ok(())
    }
}
