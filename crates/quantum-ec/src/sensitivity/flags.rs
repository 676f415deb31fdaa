//! Flags of shots, heralds and leakage, as mechanisms whose probabilities they change.

use std::collections::HashMap;

use linalg_core::gf2::BitVec;

use super::model::ModelParams;
use super::set::{OBSERVABLE, detectors, observables};
use crate::circuit::{Circuit, Gate, Instruction};
use crate::dem::{DetectorErrorModel, xor_probability};
use crate::error::{Error, Result};
use crate::problem::DecodingProblem;
use crate::shots::{Shots, ShotsRef, ones};

use super::flag_walk::{FlagWalk, Given};

const METHOD: &str = "mechanisms of flags";

/// Most bits of a row of shots.
const MAX_BITS: u64 = 1 << 27;
/// Most flags; each holds a list of mechanisms.
const MAX_FLAGS: u64 = 1 << 22;

/// Whether there are flags of leakage beside heralds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Leakage {
    /// There are none.
    #[default]
    Absent,
    /// A flag for every record: its qubit was found outside of its two states when it was measured.
    Flagged,
}

/// The detector error model of a circuit with what is known of each shot left open: which heralds went off, which
/// measurements found their qubit leaked.
///
/// Once the heralds are known, the heralded channels are certain where they did not happen, and where they did the cases
/// have the probabilities that they have among themselves. A qubit that was erased carries I, X, Y or Z with probability
/// 1/4: two independent errors of probability 1/2, whose product is the third. So an erasure is exactly two mechanisms that
/// are flipped like a coin, which is what [`Decoder::decode_erased_into`](crate::Decoder::decode_erased_into) takes.
///
/// A leaked qubit does at every gate what a random Pauli matrix on it and on its partners would do. A leakage flag on
/// a record makes X and Z on the qubit and its partners after every operation on the qubit flip like coins, from the last
/// reset or measurement of the qubit to this one, and the record itself. Since when the qubit was leaked is not told: this is
/// all that can have happened, and more. That is a model of leakage, not a consequence of it, and circuits do not sample it.
///
/// ```
/// use quantum_ec::{Circuit, Shots};
/// use quantum_ec::sensitivity::{Leakage, ModelParams};
///
/// let circuit: Circuit = "
///     R 0 1
///     X_ERROR(0.1) 0 1
///     HERALDED_ERASE(0.2) 0 1
///     M 0 1
///     DETECTOR rec[-1] rec[-2]
///     OBSERVABLE_INCLUDE(0) rec[-1]
/// ".parse()?;
/// let flagged = circuit.flagged_model(&ModelParams::default(), Leakage::Absent)?;
/// assert_eq!(flagged.model().to_string(), "\
///     error(0.1) D0\nerror(0.1) D0 L0\ndetector D0\nlogical_observable L0\n");
/// // The second herald goes off: qubit 1, and with it the observable.
/// let mut heralds = Shots::zeros(1, 2);
/// heralds.set(0, 1, true);
/// let known = flagged.convert(heralds.view(), None)?;
/// assert_eq!((known.erased.get(0, 0), known.erased.get(0, 1)), (false, true));
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct FlaggedModel {
    model: DetectorErrorModel,
    problem: DecodingProblem,
    approximated: Vec<Gate>,
    heralds: Vec<Flag>,
    /// A flag a record, if there are any.
    leakage: Vec<Option<Flag>>,
}

/// What one flag says.
#[derive(Debug, Clone)]
pub(super) struct Flag {
    /// Where it is raised.
    place: String,
    gate: Gate,
    /// What is flipped for certain.
    offset: Vec<u64>,
    /// Mechanisms and their probabilities.
    errors: Vec<(usize, f64)>,
}

/// What flags say about shots, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct FlaggedShots {
    /// The mechanisms that happened with probability 1/2, a bit a mechanism of [`FlaggedModel::model`].
    pub erased: Shots,
    /// Detectors to be flipped before decoding: those that look at heralds themselves.
    pub detectors: Shots,
    /// Observables to be flipped in predictions, or before they are compared.
    pub observables: Shots,
}

/// The problem of one shot, its flags given; made by [`FlaggedModel::problem_given`].
#[derive(Debug, Clone)]
pub struct GivenProblem {
    /// Mechanisms of [`FlaggedModel::model`] with the probabilities that they have given the flags.
    pub problem: DecodingProblem,
    /// Detectors to be flipped before decoding.
    pub detectors: BitVec,
    /// Observables to be flipped in the prediction.
    pub observables: BitVec,
}

impl Circuit {
    /// The detector error model with flags left open.
    ///
    /// The model has a mechanism for every case of a flag that flips anything, with probability 0 if nothing else has that
    /// symptom. Blocks are unrolled: each of their repetitions has flags of its own.
    ///
    /// # Errors
    /// As [`to_model`](Self::to_model); [`Error::TooLarge`] for more than 2²⁷ detectors or observables, and 2²² flags. Heralded channels are not among those refused for disjoint cases, since flags tell the cases apart.
    pub fn flagged_model(&self, params: &ModelParams, leakage: Leakage) -> Result<FlaggedModel> {
        let counts = self.counts();
        let records = if leakage == Leakage::Flagged { counts.measurements } else { 0 };
        for (what, value) in [
            ("number of detectors", counts.detectors),
            ("number of observables", counts.observables),
            ("number of flags", records.saturating_add(heralds(self))),
        ] {
            let bound = if what == "number of flags" { MAX_FLAGS } else { MAX_BITS };
            if value > bound {
                let value = usize::try_from(value).unwrap_or(usize::MAX);
                return Err(Error::TooLarge { method: METHOD, what, value, bound: bound as usize });
            }
        }
        let walk = FlagWalk::run(self, params, records)?;
        let (model, numbers) = walk.model()?;
        let number = |given: &Given| Flag {
            place: self.describe(&given.location),
            gate: given.gate,
            offset: given.offset.clone(),
            errors: given.errors.iter().map(|(ids, p)| (numbers[&ids[..]], *p)).collect(),
        };
        let heralds = walk.heralds.iter().rev().map(number).collect();
        let leakage = walk.leakage.iter().map(|given| given.as_ref().map(number)).collect();
        let problem = model.to_problem()?;
        let approximated = walk.approximated;
        Ok(FlaggedModel { model, problem, approximated, heralds, leakage })
    }
}

/// Records of heralded channels, blocks unrolled.
fn heralds(circuit: &Circuit) -> u64 {
    let instructions = circuit.instructions().iter().map(|instruction| match instruction {
        Instruction::Operation(operation) => match operation.gate {
            Gate::HeraldedErase | Gate::HeraldedPauliChannel1 => operation.n_records() as u64,
            _ => 0,
        },
        Instruction::Repeat(repeat) => heralds(&repeat.body).saturating_mul(repeat.count),
    });
    instructions.fold(0, u64::saturating_add)
}

/// The numbers of mechanisms by their symptoms.
pub(super) type Numbers<'a> = HashMap<&'a [u64], usize>;

impl FlaggedModel {
    /// The model of shots without any flag; mechanisms that only flags make possible have probability 0.
    pub fn model(&self) -> &DetectorErrorModel {
        &self.model
    }

    /// Channels that are not heralded, whose cases exclude each other and were taken for independent.
    pub fn approximated(&self) -> &[Gate] {
        &self.approximated
    }

    /// Bits of a row of heralds: the records of `HERALDED_ERASE` and `HERALDED_PAULI_CHANNEL_1` in order.
    pub fn n_heralds(&self) -> usize {
        self.heralds.len()
    }

    /// Bits of a row of leakage flags: all records, or none.
    pub fn n_leakage(&self) -> usize {
        self.leakage.len()
    }

    /// The mechanisms erased in shots, a row a shot.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] naming a herald that went off and whose cases are not coins, such as three of the Pauli matrices
    /// with different probabilities ([`problem_given`](Self::problem_given) takes them all), and a leakage flag on a record that is
    /// not of a single qubit.
    ///
    /// # Panics
    /// If the tables have other widths than the numbers of flags, or not equally many rows.
    pub fn convert(&self, heralds: ShotsRef<'_>, leakage: Option<ShotsRef<'_>>) -> Result<FlaggedShots> {
        assert_eq!(heralds.n_bits(), self.n_heralds(), "{} bits for {} heralds", heralds.n_bits(), self.n_heralds());
        if let Some(table) = leakage {
            assert_eq!(table.n_bits(), self.n_leakage(), "{} bits for {} records", table.n_bits(), self.n_leakage());
            let (got, expected) = (table.n_shots(), heralds.n_shots());
            assert_eq!(got, expected, "{got} rows of leakage for {expected} of heralds");
        }
        let n = heralds.n_shots();
        let mut shots = FlaggedShots {
            erased: Shots::zeros(n, self.problem.n_mechanisms()),
            detectors: Shots::zeros(n, self.problem.n_detectors()),
            observables: Shots::zeros(n, self.problem.n_observables()),
        };
        for shot in 0..n {
            let leaked = leakage.map_or(&[][..], |table| table.row(shot));
            for flag in self.set(heralds.row(shot), leaked) {
                let flag = flag?;
                let erased = shots.erased.row_mut(shot);
                for &(mechanism, p) in &flag.errors {
                    if (p - 0.5).abs() > 1e-12 {
                        let reason = format!(
                            "the herald of {}, {}, went off in shot {shot}, and its cases are not equally likely: one has \
                             probability {p}",
                            flag.gate, flag.place
                        );
                        return Err(Error::NotApplicable { method: METHOD, reason });
                    }
                    erased[mechanism / 64] |= 1 << (mechanism % 64);
                }
                for &detector in detectors(&flag.offset) {
                    flip(shots.detectors.row_mut(shot), detector);
                }
                for observable in observables(&flag.offset) {
                    flip(shots.observables.row_mut(shot), observable);
                }
            }
        }
        Ok(shots)
    }

    /// The problem of one shot with these flags, packed as rows of [`Shots`]; `leakage` may be empty.
    ///
    /// This is exact where each herald has at most two symptoms, or cases that independent errors describe: always for
    /// `HERALDED_ERASE`. Otherwise cases beside the likeliest one are taken for independent.
    ///
    /// ```
    /// use quantum_ec::Circuit;
    /// use quantum_ec::sensitivity::{Leakage, ModelParams};
    ///
    /// // When the herald goes off, Z is three times as likely as nothing.
    /// let circuit: Circuit = "
    ///     RX 0
    ///     HERALDED_PAULI_CHANNEL_1(0.01, 0, 0, 0.03) 0
    ///     MX 0
    ///     DETECTOR rec[-1]
    /// ".parse()?;
    /// let flagged = circuit.flagged_model(&ModelParams::default(), Leakage::Absent)?;
    /// assert_eq!(flagged.problem_given(&[0], &[])?.problem.priors(), [0.0]);
    /// // The likelier case is an offset, from which the other one differs with probability 1/4.
    /// let given = flagged.problem_given(&[1], &[])?;
    /// assert!((given.problem.priors()[0] - 0.25).abs() < 1e-15 && given.detectors.get(0));
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotApplicable`] naming a leakage flag on a record that is not of a single qubit.
    ///
    /// # Panics
    /// If a row has a bit beyond the number of flags.
    pub fn problem_given(&self, heralds: &[u64], leakage: &[u64]) -> Result<GivenProblem> {
        let mut priors = self.problem.priors().to_vec();
        let mut offset = [self.problem.n_detectors(), self.problem.n_observables()].map(BitVec::zeros);
        for flag in self.set(heralds, leakage) {
            let flag = flag?;
            for &(mechanism, p) in &flag.errors {
                priors[mechanism] = xor_probability(priors[mechanism], p);
            }
            for &id in &flag.offset {
                let bits = &mut offset[usize::from(id & OBSERVABLE != 0)];
                bits.flip((id & !OBSERVABLE) as usize);
            }
        }
        let problem = DecodingProblem::new(self.problem.checks().clone(), self.problem.observables().clone(), priors)?;
        let [detectors, observables] = offset;
        Ok(GivenProblem { problem, detectors, observables })
    }

    /// The flags that are set.
    fn set<'a>(&'a self, heralds: &'a [u64], leakage: &'a [u64]) -> impl Iterator<Item = Result<&'a Flag>> {
        let herald = |at: usize| Ok(&self.heralds[at]);
        let leaked = |record: usize| {
            self.leakage[record].as_ref().ok_or_else(|| {
                let reason = format!("record {record} is flagged as leaked, but it is not of a single qubit");
                Error::NotApplicable { method: METHOD, reason }
            })
        };
        ones(heralds).map(herald).chain(ones(leakage).map(leaked))
    }
}

fn flip(row: &mut [u64], bit: u64) {
    row[bit as usize / 64] ^= 1 << (bit % 64);
}
