//! Cosets of errors as spin models.

use std::collections::BTreeSet;

use linalg_core::gf2::{BitMatrix, BitVec};
use spin_models::{Duplicates, InteractionModel, Reweight};

use super::kernel::{check_dense, is_in_kernel, sparse_kernel};
use super::linear::{Given, Linear, RARER, parity};
use super::planar::faces;
use super::solution::Solution;
use crate::code::StabilizerCode;
use crate::error::{Error, Result};
use crate::pauli::{Pauli, PauliString};
use crate::problem::DecodingProblem;
use crate::shots::{ones, words_per_row};

const NAME: &str = "coset model";

/// The probabilities of all cosets of errors as partition functions of one spin model.
///
/// Errors with the same syndrome and the same observables form a coset; they differ by products of generators, which flip
/// nothing. With a spin for each of `m` generators of rank `r`, and a representative `e`,
///
/// ```math
/// P(\text{coset of } e) = 2^{r - m} Z(\beta = 1), \qquad
/// E_e(s) = - \sum_j (-1)^{e_j} K_j \prod_{g \ni j} s_g - \frac{1}{2} \sum_j \ln p_j (1 - p_j),
/// \qquad K_j = \frac{1}{2} \ln \frac{1 - p_j}{p_j} .
/// ```
///
/// All cosets have the same graph and differ in signs: a solver is prepared for [`model`](Self::model) once, and is told
/// the [`flips`](Self::flips) of each coset.
///
/// Mechanisms that flip the same detectors and observables are one mechanism, that of their parity; those with p = 0 are
/// dropped, those with p = 1 belong to every representative, and those that flip nothing are summed over.
/// Where there is no generator at all the model has one spin without terms.
///
/// ```
/// use linalg_core::gf2::{BinaryCsc, BitVec};
/// use quantum_ec::{DecodingProblem, statmech::CosetModel};
/// use spin_models::{Enumeration, LogPartition};
///
/// // One check of two bits; the observable is the first bit.
/// let checks = BinaryCsc::from_columns(1, [[0], [0]])?;
/// let observables = BinaryCsc::from_columns(1, [vec![0], vec![]])?;
/// let problem = DecodingProblem::new(checks, observables, vec![0.1, 0.2])?;
/// let coset = CosetModel::new(&problem)?;
/// assert_eq!(coset.rank(), 0);
/// // The first bit alone: 0.1 * 0.8.
/// let error = BitVec::from_ones(2, [0])?;
/// let ln_z = Enumeration::default().ln_z(&coset.with_representative(&error)?, 1.0)?.value;
/// assert!((ln_z + coset.ln_normalization() - 0.08f64.ln()).abs() < 1e-14);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # References
/// - E. Dennis, A. Kitaev, A. Landahl and J. Preskill, J. Math. Phys. 43, 4452 (2002), §4.
/// - C. T. Chubb and S. T. Flammia, Ann. Inst. Henri Poincaré D 8, 269 (2021): any Pauli noise.
#[derive(Debug, Clone)]
pub struct CosetModel {
    pub(super) linear: Linear,
    /// In free bits.
    generators: Vec<Vec<usize>>,
    rank: usize,
    /// Whether the generators are the faces of a planar graph.
    pub(super) planar: bool,
    model: InteractionModel,
    solution: Solution,
}

/// What a syndrome leaves open; reused from shot to shot.
#[derive(Debug, Clone, Default)]
pub(crate) struct SyndromeFlips {
    /// Signs of the class of zeros.
    pub(crate) flips: BitVec,
    /// The value of each bound of the class.
    pub(crate) bound: Vec<bool>,
}

impl CosetModel {
    /// The cosets of a decoding problem, with generators that are as short and local as a search finds them.
    ///
    /// The generators are a basis of the kernel of the detector-observable matrix. Those of up to six mechanisms are found
    /// from sums of up to three connected columns that agree; what they do not span comes from neighbourhoods of growing
    /// radius.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if the elimination takes a matrix of more than 2^34 bits, the square of the number of detectors
    /// and observables included; [`Error::Spins`] if the model cannot be built.
    pub fn new(problem: &DecodingProblem) -> Result<Self> {
        let linear = Linear::of_problem(problem);
        linear.check_size()?;
        Self::of_linear(linear, &[])
    }

    /// With short generators; hints are errors that may be some.
    pub(super) fn of_linear(linear: Linear, hints: &[BitVec]) -> Result<Self> {
        let hints = hints
            .iter()
            .filter(|error| linear.fixed.iter().all(|(bits, _)| !parity(error, bits)))
            .map(|error| linear.free_bits(error))
            .filter(|row| !row.is_empty() && is_in_kernel(&linear.columns, row))
            .map(|row| (row.len(), row))
            .collect();
        let generators = sorted_kernel(&linear, hints)?;
        let rank = generators.len();
        Self::build(linear, generators, rank)
    }

    /// The cosets of a graphlike planar problem of one observable, with the faces of its graph as generators.
    ///
    /// Every term then has two spins or none, on a planar graph: [`Planar`](spin_models::Planar) solves it in polynomial
    /// time, through [`Pairwise`](crate::decode::Pairwise). Mechanisms are edges between detectors, or from a detector to
    /// the boundary. Detectors are added to the observable until it sees the boundary alone; the boundary is then cut
    /// into the part that it sees and the one that it does not.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] naming a mechanism that flips more than two detectors, one at which the observable closes
    /// a cycle in the bulk, or one that cannot be drawn without a crossing; [`Error::WrongLength`] if there is not one
    /// observable; [`Error::TooLarge`] as [`new`](Self::new).
    ///
    /// # References
    /// - H. Cao et al., arXiv:2501.03582.
    pub fn planar(problem: &DecodingProblem) -> Result<Self> {
        let linear = Linear::of_problem(problem);
        linear.check_size()?;
        Self::of_planar(linear)
    }

    pub(super) fn of_planar(linear: Linear) -> Result<Self> {
        let (generators, rank) = faces(&linear)?;
        let mut coset = Self::build(linear, generators, rank)?;
        coset.planar = true;
        Ok(coset)
    }

    /// The cosets of a decoding problem with given generators, each a list of mechanisms.
    ///
    /// Dependent generators are allowed.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`] naming a mechanism that does not exist, [`Error::NotApplicable`] naming a generator that
    /// flips something or that contains a mechanism with p = 0 or p = 1, or if the generators do not span the kernel; [`Error::TooLarge`] as
    /// [`new`](Self::new).
    pub fn with_generators(problem: &DecodingProblem, generators: &[Vec<usize>]) -> Result<Self> {
        let linear = Linear::of_problem(problem);
        linear.check_size()?;
        let mut rows = Vec::with_capacity(generators.len());
        for (g, generator) in generators.iter().enumerate() {
            let mut error = BitVec::zeros(linear.n_error_bits);
            for &index in generator {
                if index >= linear.n_error_bits {
                    return Err(Error::OutOfBounds { what: "mechanism", index, bound: linear.n_error_bits });
                }
                error.flip(index);
            }
            let refused = |what: &str| Error::NotApplicable { method: NAME, reason: format!("generator {g} {what}") };
            if linear.fixed.iter().any(|(bits, _)| parity(&error, bits)) {
                return Err(refused("contains a mechanism with probability 0 or 1"));
            }
            let row = linear.free_bits(&error);
            if !is_in_kernel(&linear.columns, &row) {
                return Err(refused("flips detectors or observables"));
            }
            rows.push(row);
        }
        let mut dense = BitMatrix::zeros(rows.len(), linear.columns.len());
        for (g, row) in rows.iter().enumerate() {
            for &bit in row {
                dense.flip(g, bit);
            }
        }
        let (rank, dimension) = (dense.rank(), linear.columns.len() - linear.stacked().rank());
        if rank < dimension {
            let reason = format!("the generators have rank {rank}, the kernel has dimension {dimension}");
            return Err(Error::NotApplicable { method: NAME, reason });
        }
        Self::build(linear, rows, rank)
    }

    /// The cosets of Pauli errors on a stabilizer code: any single-qubit noise, a table `p_I, p_X, p_Y, p_Z` a qubit.
    ///
    /// Operators are rows `[x | z]`. Bit `i` of a syndrome says whether the error anticommutes with stabilizer `i`, bit
    /// `i` of a class the same for row `i` of `logicals`. The coupling of two signs a qubit and of their product is
    ///
    /// ```math
    /// \ln p(\sigma) = K_0 + K_x (-1)^x + K_z (-1)^z + K_y (-1)^{x + z} .
    /// ```
    ///
    /// A qubit with two possible Paulis is an independent mechanism. Of three, the fourth is forbidden, which no finite
    /// couplings express: it gets a probability that is finite, but so small that all errors with it together weigh less
    /// than e^{-50} times any error without. Its couplings are large; [`ln_least`](Self::ln_least) tells classes that are
    /// impossible.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for the number of columns, [`Error::Probability`] naming the qubit,
    /// [`Error::NotApplicable`] for stabilizers that anticommute with one another or with a logical operator (both are
    /// named); [`Error::TooLarge`] as [`new`](Self::new).
    pub fn paulis(stabilizers: &BitMatrix, logicals: &BitMatrix, table: &[[f64; 4]]) -> Result<Self> {
        let linear = Linear::of_paulis(stabilizers, logicals, table)?;
        linear.check_size()?;
        check_commuting(stabilizers, logicals)?;
        let hints: Vec<BitVec> = stabilizers.rows().map(|row| row.to_bitvec()).collect();
        Self::of_linear(linear, &hints)
    }

    /// The cosets of Pauli errors on a code, with a table `p_I, p_X, p_Y, p_Z` for each qubit.
    ///
    /// Bits `x_1 .. x_k, z_1 .. z_k` of a class say which logical operators are applied: bit `i` is set where the error
    /// anticommutes with logical Z of qubit `i`, bit `k + i` where it anticommutes with logical X. These are
    /// [`Coordinates::applied`](crate::code::Coordinates::applied).
    ///
    /// ```
    /// use quantum_ec::{StabilizerCode, statmech::CosetModel};
    /// use spin_models::{Enumeration, LogPartition};
    ///
    /// // The five-qubit code: the stabilizers have weight 0 (once) and 4 (15 times).
    /// let code = StabilizerCode::from_text(&["XZZXI", "IXZZX", "XIXZZ", "ZXIXZ"])?;
    /// let coset = CosetModel::stabilizer(&code, &[[0.7, 0.1, 0.1, 0.1]; 5])?;
    /// let ln_p = Enumeration::default().ln_z(coset.model(), 1.0)?.value + coset.ln_normalization();
    /// let exact = 0.7f64.powi(5) + 15.0 * 0.7 * 0.1f64.powi(4);
    /// assert!((ln_p - exact.ln()).abs() < 1e-14);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`paulis`](Self::paulis).
    pub fn stabilizer(code: &StabilizerCode, table: &[[f64; 4]]) -> Result<Self> {
        Self::paulis(&code.symplectic(), &logicals(code), table)
    }

    fn build(linear: Linear, generators: Vec<Vec<usize>>, rank: usize) -> Result<Self> {
        let mut generators_of: Vec<Vec<usize>> = vec![Vec::new(); linear.columns.len()];
        for (g, generator) in generators.iter().enumerate() {
            for &bit in generator {
                generators_of[bit].push(g);
            }
        }
        let terms = linear.terms.iter().map(|term| {
            let sites = term
                .of_bits
                .iter()
                .fold(Vec::new(), |sum, &bit| super::linear::symmetric_difference(&sum, &generators_of[bit]));
            (sites, term.coupling)
        });
        let model = InteractionModel::builder(generators.len().max(1))
            .terms(terms)
            .offset(-linear.constant)
            .duplicates(Duplicates::Keep)
            .build()?;
        let solution = Solution::new(&linear);
        Ok(Self { linear, generators, rank, planar: false, model, solution })
    }

    /// Bits of a syndrome.
    pub fn n_detectors(&self) -> usize {
        self.linear.n_detectors
    }

    /// Bits of a class.
    pub fn n_observables(&self) -> usize {
        self.linear.n_observables
    }

    /// Bits of an error: mechanisms, or twice the number of qubits.
    pub fn n_error_bits(&self) -> usize {
        self.linear.n_error_bits
    }

    /// Number of generators, dependent ones included.
    pub fn n_generators(&self) -> usize {
        self.generators.len()
    }

    /// Number of independent generators.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// The errors that the generators are.
    pub fn generators(&self) -> impl ExactSizeIterator<Item = BitVec> + '_ {
        self.generators.iter().map(|generator| {
            let mut error = BitVec::zeros(self.linear.n_error_bits);
            self.linear.embed(generator.iter().copied(), &mut error);
            error
        })
    }

    /// The model of the coset that all others are told from by their [`flips`](Self::flips).
    pub fn model(&self) -> &InteractionModel {
        &self.model
    }

    /// What is to be added to ln Z(β = 1) for ln P: `-(m - r) ln 2`.
    pub fn ln_normalization(&self) -> f64 {
        -((self.model_spins() - self.rank) as f64) * std::f64::consts::LN_2
    }

    /// Cosets whose ln P comes out below this are impossible. `None`, but for noise that allows exactly three of the four
    /// Paulis on a qubit: all other cosets of probability 0 are told by [`flips`](Self::flips) and
    /// [`representative`](Self::representative).
    pub fn ln_least(&self) -> Option<f64> {
        // Half the way, as logarithms, to what forbidden errors weigh.
        self.linear.ln_least.map(|ln| ln - 0.5 * RARER)
    }

    /// The same errors with some of the observables alone; the others are summed over.
    ///
    /// Generators are chosen anew.
    ///
    /// ```
    /// use quantum_ec::decode::{Decoder, MaximumLikelihood};
    /// use quantum_ec::{StabilizerCode, statmech::CosetModel};
    ///
    /// // A qubit without checks: logical X alone, then logical Z alone.
    /// let code = StabilizerCode::new(1, vec![])?;
    /// let both = CosetModel::stabilizer(&code, &[[0.5, 0.2, 0.2, 0.1]])?;
    /// for (observable, p) in [(0, 0.4f64), (1, 0.3)] {
    ///     let one = both.with_observables(observable..observable + 1)?;
    ///     let prediction = MaximumLikelihood::of_coset(one)?.decode(&"".parse()?)?;
    ///     assert!((prediction.ln_class[1] - p.ln()).abs() < 1e-14);
    /// }
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`new`](Self::new).
    ///
    /// # Panics
    /// If the range ends beyond the observables.
    pub fn with_observables(&self, range: std::ops::Range<usize>) -> Result<Self> {
        let n = self.n_observables();
        assert!(range.start <= range.end && range.end <= n, "observables {range:?} of {n}");
        let linear = self.linear.with_observables(range)?;
        let hints: Vec<BitVec> = self.generators().collect();
        Self::of_linear(linear, &hints)
    }

    /// The first qubit with exactly three possible Paulis, and the one that it forbids; `None` for all other noise.
    ///
    /// ```
    /// use quantum_ec::{Pauli, StabilizerCode, statmech::CosetModel};
    ///
    /// let code = StabilizerCode::from_text(&["ZZ"])?;
    /// let coset = CosetModel::stabilizer(&code, &[[0.9, 0.1, 0.0, 0.0], [0.8, 0.1, 0.0, 0.1]])?;
    /// assert_eq!(coset.forbidden(), Some((1, Pauli::Y)));
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    pub fn forbidden(&self) -> Option<(usize, Pauli)> {
        let Given::Qubits(table) = &self.linear.given else { return None };
        let paulis = [Pauli::I, Pauli::X, Pauli::Y, Pauli::Z];
        table.iter().enumerate().find_map(|(q, row)| {
            let mut never = paulis.iter().filter(|pauli| row[**pauli as usize] <= 0.0);
            let pauli = never.next()?;
            never.next().is_none().then_some((q, *pauli))
        })
    }

    fn model_spins(&self) -> usize {
        self.generators.len().max(1)
    }

    /// The interactions of [`model`](Self::model) whose sign is another one in the coset of an error; `None` if the error
    /// has probability 0.
    ///
    /// # Panics
    /// If `error` has another length than [`n_error_bits`](Self::n_error_bits).
    pub fn flips(&self, error: &BitVec) -> Option<BitVec> {
        let n = self.linear.n_error_bits;
        assert_eq!(error.len(), n, "an error of {} bits for {n}", error.len());
        let base = &self.linear.base;
        let sign = |bits: &[usize]| parity(error, bits) ^ parity(base, bits);
        self.linear.is_possible(error).then(|| self.linear.terms.iter().map(|term| sign(&term.of_error)).collect())
    }

    /// The spin model of the coset of an error.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] if no error of positive probability is in the coset.
    ///
    /// # Panics
    /// If `error` has another length than [`n_error_bits`](Self::n_error_bits).
    pub fn with_representative(&self, error: &BitVec) -> Result<InteractionModel> {
        let flips = match self.flips(error) {
            Some(flips) => flips,
            None => {
                // Another error of the coset may be possible.
                let (syndrome, class) = self.linear.flipped_by(error);
                let other = self.representative(&syndrome, &class)?.and_then(|other| self.flips(&other));
                other.ok_or_else(|| Error::NotApplicable {
                    method: NAME,
                    reason: "the coset of the representative has probability 0".into(),
                })?
            }
        };
        let mut model = self.model.clone();
        for a in flips.iter_ones() {
            let weight = -model.weight(a);
            model.set_weight(a, weight)?;
        }
        Ok(model)
    }

    /// An error of positive probability with this syndrome and this class; `None` if there is none.
    ///
    /// # Errors
    /// [`Error::ImpossibleSyndrome`] if no class has such an error.
    ///
    /// # Panics
    /// If the lengths are not those of a syndrome and of a class.
    pub fn representative(&self, syndrome: &BitVec, class: &BitVec) -> Result<Option<BitVec>> {
        let linear = &self.linear;
        assert_eq!(syndrome.len(), linear.n_detectors, "{} bits for {} detectors", syndrome.len(), linear.n_detectors);
        assert_eq!(class.len(), linear.n_observables, "{} bits for {} observables", class.len(), linear.n_observables);
        let mut state = SyndromeFlips::default();
        self.start(syndrome.words(), &mut state)?;
        if !self.is_possible(&state, class.words()) {
            return Ok(None);
        }
        let mut bits = BitVec::zeros(linear.columns.len());
        let wanted = syndrome.iter_ones().chain(class.iter_ones().map(|o| o + linear.n_detectors));
        for row in wanted.chain(linear.base_flips.iter_ones()) {
            bits.xor_assign(&self.solution.bits[row]);
        }
        let mut error = linear.base.clone();
        linear.embed(bits.iter_ones(), &mut error);
        Ok(Some(error))
    }

    /// Signs for a syndrome and the class of zeros.
    ///
    /// # Errors
    /// [`Error::ImpossibleSyndrome`].
    pub(crate) fn start(&self, syndrome: &[u64], out: &mut SyndromeFlips) -> Result<()> {
        debug_assert_eq!(syndrome.len(), words_per_row(self.linear.n_detectors));
        for (set, value) in &self.solution.sums {
            if dot(set.words(), syndrome) != *value {
                return Err(Error::ImpossibleSyndrome { checks: set.iter_ones().collect() });
            }
        }
        out.flips.clone_from(&self.solution.start);
        for row in ones(syndrome) {
            out.flips.xor_assign(&self.solution.flips[row]);
        }
        out.bound.clear();
        out.bound.extend(self.solution.bound.iter().map(|(set, _, value)| dot(set.words(), syndrome) ^ value));
        Ok(())
    }

    /// Whether the class is possible with the syndrome.
    pub(crate) fn is_possible(&self, state: &SyndromeFlips, class: &[u64]) -> bool {
        self.solution.bound.iter().zip(&state.bound).all(|((_, set, _), &value)| dot(set.words(), class) == value)
    }

    /// The interactions that change their sign with an observable.
    pub(crate) fn observable_flips(&self, observable: usize) -> &BitVec {
        &self.solution.flips[self.linear.n_detectors + observable]
    }
}

/// Short generators in the order of their first bits: those of a lattice stay in its rows.
fn sorted_kernel(linear: &Linear, hints: BTreeSet<(usize, Vec<usize>)>) -> Result<Vec<Vec<usize>>> {
    let mut generators = sparse_kernel(&linear.columns, linear.n_detectors, linear.n_rows(), hints)?;
    generators.sort_unstable();
    Ok(generators)
}

/// The parity of the common ones.
fn dot(a: &[u64], b: &[u64]) -> bool {
    a.iter().zip(b).fold(0, |sum, (a, b)| sum ^ (a & b)).count_ones() % 2 == 1
}

impl Linear {
    pub(super) fn n_rows(&self) -> usize {
        self.n_detectors + self.n_observables
    }

    /// Whether the matrices of the elimination fit in memory: rows by bits, rows by terms, rows by rows.
    pub(super) fn check_size(&self) -> Result<()> {
        check_dense(self.n_rows(), self.n_rows().saturating_add(self.terms.len().max(self.columns.len())))
    }

    /// The free bits of an error that differs from the base by no fixed parity.
    pub(super) fn free_bits(&self, error: &BitVec) -> Vec<usize> {
        // A term of one bit tells it.
        let mut bits: Vec<usize> = (self.tell.iter().enumerate())
            .filter(|(_, of_error)| parity(error, of_error))
            .map(|(bit, _)| bit)
            .collect();
        bits.sort_unstable();
        bits
    }

    /// Adds the errors of some free bits.
    pub(super) fn embed(&self, bits: impl Iterator<Item = usize>, error: &mut BitVec) {
        for bit in bits {
            for &place in &self.embedding[bit] {
                error.flip(place);
            }
        }
    }

    /// What an error flips.
    pub(super) fn flipped_by(&self, error: &BitVec) -> (BitVec, BitVec) {
        let mut syndrome = BitVec::zeros(self.n_detectors);
        let mut class = BitVec::zeros(self.n_observables);
        for row in error.iter_ones().flat_map(|bit| self.flipped_by_bit[bit].iter().copied()) {
            if row < self.n_detectors {
                syndrome.flip(row);
            } else {
                class.flip(row - self.n_detectors);
            }
        }
        (syndrome, class)
    }
}

/// Rows that tell which logical operators an error holds: logical Z, then logical X.
pub(super) fn logicals(code: &StabilizerCode) -> BitMatrix {
    let rows: Vec<BitVec> = code.logical_z().iter().chain(code.logical_x()).map(PauliString::to_symplectic).collect();
    BitMatrix::from_rows(2 * code.n_qubits(), &rows)
}

fn check_commuting(stabilizers: &BitMatrix, logicals: &BitMatrix) -> Result<()> {
    let n = stabilizers.n_cols() / 2;
    let anticommute = |a: usize, other: &BitMatrix, b: usize| {
        let (a, b) = (stabilizers.row(a), other.row(b));
        a.iter_ones().filter(|&bit| b.get(if bit < n { bit + n } else { bit - n })).count() % 2 == 1
    };
    for i in 0..stabilizers.n_rows() {
        let pair = (0..i).find(|&j| anticommute(i, stabilizers, j)).map(|j| ("stabilizer", j));
        let pair =
            pair.or_else(|| (0..logicals.n_rows()).find(|&j| anticommute(i, logicals, j)).map(|j| ("logical", j)));
        if let Some((what, j)) = pair {
            let reason = format!("stabilizer {i} anticommutes with {what} {j}");
            return Err(Error::NotApplicable { method: NAME, reason });
        }
    }
    Ok(())
}

/// The spin model of the coset of an error, `-βE` being ln of the probability at β = 1.
///
/// The probability of the coset is `2^{r - m} Z(1)`, see [`CosetModel`], which should be kept where more than one coset is
/// asked for.
///
/// ```
/// use linalg_core::gf2::{BinaryCsc, BitVec};
/// use quantum_ec::{DecodingProblem, statmech::coset_model};
/// use spin_models::{Enumeration, LogPartition};
///
/// // A triangle of detectors, no observable: one generator, all three mechanisms.
/// let checks = BinaryCsc::from_columns(3, [[0, 1], [1, 2], [0, 2]])?;
/// let none = BinaryCsc::from_columns(0, vec![Vec::<usize>::new(); 3])?;
/// let problem = DecodingProblem::new(checks, none, vec![0.1, 0.1, 0.1])?;
/// let model = coset_model(&problem, &BitVec::from_ones(3, [0])?)?;
/// // One error or the two others: 0.1 * 0.9² + 0.1² * 0.9.
/// let ln_z = Enumeration::default().ln_z(&model, 1.0)?.value;
/// assert!((ln_z - 0.09f64.ln()).abs() < 1e-14);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`CosetModel::new`] and [`CosetModel::with_representative`].
///
/// # Panics
/// If `representative` does not have a bit for each mechanism.
pub fn coset_model(problem: &DecodingProblem, representative: &BitVec) -> Result<InteractionModel> {
    CosetModel::new(problem)?.with_representative(representative)
}
