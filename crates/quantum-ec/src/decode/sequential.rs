//! Observables one at a time.

use linalg_core::gf2::BinaryCsc;
use linalg_core::logspace::log_add_exp;

use super::decoder::{Decoder, Prediction, check_syndrome};
use super::likelihoods::Likelihoods;
use super::maximum_likelihood::{fastest, impossible};
use super::solver::LikelihoodSolver;
use crate::error::Result;
use crate::problem::DecodingProblem;
use crate::statmech::{CosetModel, SyndromeFlips};

/// The coset model of some observables, the others summed over.
struct Part {
    likelihoods: Likelihoods,
    solver: LikelihoodSolver,
}

impl Part {
    fn new(problem: &DecodingProblem, observables: std::ops::Range<usize>) -> Result<Self> {
        let columns = problem.observables().columns().map(|column| {
            let kept = column.iter().filter(|&o| observables.contains(o));
            kept.map(|o| o - observables.start).collect::<Vec<_>>()
        });
        let rows = BinaryCsc::from_columns(observables.len(), columns)?;
        let part = DecodingProblem::new(problem.checks().clone(), rows, problem.priors().to_vec())?;
        let (solver, coset) = fastest(&part)?;
        Self::prepare(solver, coset)
    }

    fn of_coset(coset: &CosetModel, observables: std::ops::Range<usize>) -> Result<Self> {
        let coset = coset.with_observables(observables)?;
        Self::prepare(LikelihoodSolver::cheapest(coset.model())?.solver, coset)
    }

    fn prepare(solver: LikelihoodSolver, coset: CosetModel) -> Result<Self> {
        Ok(Self { likelihoods: Likelihoods::new(&solver, coset)?, solver })
    }

    /// ln P of the two values of the last observable, those before having the values of `class`, and whether both
    /// converged.
    fn pair(&mut self, shot: &Shot<'_>, state: &mut SyndromeFlips, class: &mut [u64]) -> Result<([f64; 2], bool)> {
        match shot.erased {
            None => pair(&mut self.likelihoods, shot.syndrome, state, class),
            Some(erased) => self
                .likelihoods
                .erased(&self.solver, erased, |likelihoods| pair(likelihoods, shot.syndrome, state, class)),
        }
    }
}

/// What is known about a shot.
struct Shot<'a> {
    syndrome: &'a [u64],
    erased: Option<&'a [u64]>,
}

fn pair(
    likelihoods: &mut Likelihoods,
    syndrome: &[u64],
    state: &mut SyndromeFlips,
    class: &mut [u64],
) -> Result<([f64; 2], bool)> {
    let last = likelihoods.coset.n_observables() - 1;
    likelihoods.coset.start(syndrome, state)?;
    for i in (0..last).filter(|i| class[i / 64] >> (i % 64) & 1 == 1) {
        state.flips.xor_assign(likelihoods.coset.observable_flips(i));
    }
    let words = (last + 1).div_ceil(64);
    let (mut pair, mut all) = ([0.0; 2], true);
    for (value, ln) in pair.iter_mut().enumerate() {
        class[last / 64] = class[last / 64] & !(1 << (last % 64)) | (value as u64) << (last % 64);
        if value == 1 {
            state.flips.xor_assign(likelihoods.coset.observable_flips(last));
        }
        let (found, converged) = likelihoods.ln_probability(state, &class[..words])?;
        *ln = found;
        all &= converged;
    }
    if pair.iter().all(|ln| *ln == f64::NEG_INFINITY) {
        return Err(impossible());
    }
    Ok((pair, all))
}

fn solvers(parts: &[Part]) -> impl Iterator<Item = LikelihoodSolver> + '_ {
    parts.iter().map(|part| part.solver)
}

/// Predicts observables one after the other, each by its larger probability given those before, the later ones summed over.
///
/// A shot costs two partition functions for each of `O` observables, in the place of `2^O`. This is not maximum
/// likelihood: of the posterior `{00: 0.3, 01: 0.3, 10: 0.4}` it takes the first bit as 0, of mass 0.6, and ends at 0.3,
/// where the best class has 0.4. [`SyndromeDistribution::failure_rate`](crate::statmech::SyndromeDistribution::failure_rate)
/// with [`sequential_choice`] tells how much that costs.
///
/// [`Prediction::ln_class`] stays empty; [`ln_chosen`](Self::ln_chosen) has ln P of the class and the syndrome.
pub struct MaximumLikelihoodSequential {
    n_detectors: usize,
    parts: Vec<Part>,
    state: SyndromeFlips,
    class: Vec<u64>,
    ln_chosen: f64,
}

impl MaximumLikelihoodSequential {
    /// Builds a coset model for every number of observables and takes the fastest exact solver for each.
    ///
    /// # Errors
    /// As [`CosetModel::new`] and [`LikelihoodSolver::cheapest`]; graphlike planar problems are candidates for
    /// [`LikelihoodSolver::Planar`], as in [`MaximumLikelihood::automatic`](super::MaximumLikelihood::automatic).
    pub fn new(problem: &DecodingProblem) -> Result<Self> {
        let n = problem.n_observables();
        let parts = (0..n).map(|last| Part::new(problem, 0..last + 1)).collect::<Result<_>>()?;
        Ok(Self::of_parts(problem.n_detectors(), parts))
    }

    /// The same for a coset model, for example of Pauli errors on a code.
    ///
    /// # Errors
    /// As [`CosetModel::with_observables`] and [`LikelihoodSolver::cheapest`].
    pub fn of_coset(coset: &CosetModel) -> Result<Self> {
        let n = coset.n_observables();
        let parts = (0..n).map(|last| Part::of_coset(coset, 0..last + 1)).collect::<Result<_>>()?;
        Ok(Self::of_parts(coset.n_detectors(), parts))
    }

    fn of_parts(n_detectors: usize, parts: Vec<Part>) -> Self {
        let class = vec![0; parts.len().div_ceil(64)];
        Self { n_detectors, parts, state: SyndromeFlips::default(), class, ln_chosen: f64::NAN }
    }

    /// The solvers, one for each observable.
    pub fn solvers(&self) -> impl Iterator<Item = LikelihoodSolver> + '_ {
        solvers(&self.parts)
    }

    /// The joint ln P of the syndrome of the last shot and the class chosen for it; NaN without observables.
    pub fn ln_chosen(&self) -> f64 {
        self.ln_chosen
    }
}

impl Decoder for MaximumLikelihoodSequential {
    fn n_detectors(&self) -> usize {
        self.n_detectors
    }

    fn n_observables(&self) -> usize {
        self.parts.len()
    }

    fn decode_into(&mut self, syndrome: &[u64], out: &mut Prediction) -> Result<()> {
        self.decode_shot(&Shot { syndrome, erased: None }, out)
    }

    fn decode_erased_into(&mut self, syndrome: &[u64], erased: &[u64], out: &mut Prediction) -> Result<()> {
        self.decode_shot(&Shot { syndrome, erased: Some(erased) }, out)
    }
}

impl MaximumLikelihoodSequential {
    fn decode_shot(&mut self, shot: &Shot<'_>, out: &mut Prediction) -> Result<()> {
        check_syndrome(shot.syndrome, self.n_detectors);
        *out = Prediction::new(self.parts.len());
        self.class.fill(0);
        for (i, part) in self.parts.iter_mut().enumerate() {
            let ([zero, one], converged) = part.pair(shot, &mut self.state, &mut self.class)?;
            out.converged &= converged;
            let value = one > zero;
            self.ln_chosen = if value { one } else { zero };
            self.class[i / 64] = self.class[i / 64] & !(1 << (i % 64)) | u64::from(value) << (i % 64);
            out.observables.set(i, value);
        }
        Ok(())
    }
}

/// The class that sequential decoding chooses from the probabilities of all classes; ties go to 0.
///
/// ```
/// use quantum_ec::decode::sequential_choice;
///
/// // Bits 0 and 1 of the class are the first and the second observable.
/// assert_eq!(sequential_choice(&[0.3, 0.4, 0.3, 0.0]), 0b00);
/// ```
///
/// # Panics
/// If the number of classes is not a power of two.
pub fn sequential_choice(classes: &[f64]) -> usize {
    let n = classes.len();
    assert!(n.is_power_of_two(), "{n} classes, expected a power of two");
    let mut chosen = 0;
    for bit in 0..n.ilog2() {
        let mass = |value: usize| -> f64 {
            let prefix = chosen | value << bit;
            (0..n >> (bit + 1)).map(|rest| classes[prefix | rest << (bit + 1)]).sum()
        };
        chosen |= usize::from(mass(1) > mass(0)) << bit;
    }
    chosen
}

/// The probability of every observable by itself, the others summed over: two partition functions an observable.
///
/// Predicts each observable by its own larger probability and writes [`Prediction::probabilities`]. For problems with too
/// many classes to list.
pub struct MaximumLikelihoodMarginals {
    n_detectors: usize,
    parts: Vec<Part>,
    state: SyndromeFlips,
}

impl MaximumLikelihoodMarginals {
    /// Builds a coset model for every observable and takes the fastest exact solver for each.
    ///
    /// # Errors
    /// As [`CosetModel::new`] and [`LikelihoodSolver::cheapest`]; graphlike planar problems are candidates for
    /// [`LikelihoodSolver::Planar`], as in [`MaximumLikelihood::automatic`](super::MaximumLikelihood::automatic).
    pub fn new(problem: &DecodingProblem) -> Result<Self> {
        let n = problem.n_observables();
        let parts = (0..n).map(|i| Part::new(problem, i..i + 1)).collect::<Result<_>>()?;
        Ok(Self { n_detectors: problem.n_detectors(), parts, state: SyndromeFlips::default() })
    }

    /// The same for a coset model, for example of Pauli errors on a code.
    ///
    /// # Errors
    /// As [`CosetModel::with_observables`] and [`LikelihoodSolver::cheapest`].
    pub fn of_coset(coset: &CosetModel) -> Result<Self> {
        let n = coset.n_observables();
        let parts = (0..n).map(|i| Part::of_coset(coset, i..i + 1)).collect::<Result<_>>()?;
        Ok(Self { n_detectors: coset.n_detectors(), parts, state: SyndromeFlips::default() })
    }

    /// The solvers, one for each observable.
    pub fn solvers(&self) -> impl Iterator<Item = LikelihoodSolver> + '_ {
        solvers(&self.parts)
    }
}

impl Decoder for MaximumLikelihoodMarginals {
    fn n_detectors(&self) -> usize {
        self.n_detectors
    }

    fn n_observables(&self) -> usize {
        self.parts.len()
    }

    fn decode_into(&mut self, syndrome: &[u64], out: &mut Prediction) -> Result<()> {
        self.decode_shot(&Shot { syndrome, erased: None }, out)
    }

    fn decode_erased_into(&mut self, syndrome: &[u64], erased: &[u64], out: &mut Prediction) -> Result<()> {
        self.decode_shot(&Shot { syndrome, erased: Some(erased) }, out)
    }
}

impl MaximumLikelihoodMarginals {
    fn decode_shot(&mut self, shot: &Shot<'_>, out: &mut Prediction) -> Result<()> {
        check_syndrome(shot.syndrome, self.n_detectors);
        *out = Prediction::new(self.parts.len());
        for (i, part) in self.parts.iter_mut().enumerate() {
            let ([zero, one], converged) = part.pair(shot, &mut self.state, &mut [0])?;
            out.converged &= converged;
            out.probabilities.push((one - log_add_exp(zero, one)).exp());
            out.observables.set(i, one > zero);
        }
        Ok(())
    }
}
