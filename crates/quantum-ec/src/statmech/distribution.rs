//! The distribution of all syndromes and classes.

use linalg_core::gf2::BitMatrix;

use super::coset::logicals;
use super::linear::check_row;
use crate::code::StabilizerCode;
use crate::error::{Error, Result};
use crate::problem::DecodingProblem;

const NAME: &str = "distribution of syndromes";

/// Most bits of a syndrome and a class together: a table of 2²⁶ numbers has 512 MiB.
const MAX_BITS: usize = 26;

/// The joint probabilities of all syndromes and all classes of observables, for small problems.
///
/// Error mechanisms are folded in one after the other, `P(v) ← (1 - p) P(v) + p P(v + c)`: all terms are positive, so
/// that small probabilities keep their digits. Time is the number of mechanisms times 2 to the power of the number of
/// detectors and observables, memory 8 bytes an entry.
///
/// ```
/// use linalg_core::gf2::BinaryCsc;
/// use quantum_ec::{DecodingProblem, statmech::SyndromeDistribution};
///
/// // The repetition code of three bits fails where two or three bits flip.
/// let checks = BinaryCsc::from_columns(2, [vec![0], vec![0, 1], vec![1]])?;
/// let observables = BinaryCsc::from_columns(1, [vec![0], vec![], vec![]])?;
/// let problem = DecodingProblem::new(checks, observables, vec![0.1; 3])?;
/// let distribution = SyndromeDistribution::new(&problem)?;
/// assert!((distribution.optimal_failure_rate() - 0.028).abs() < 1e-15);
/// // No detector fires, no flip: 0.9³.
/// assert!((distribution.probability(0, 0) - 0.729).abs() < 1e-15);
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SyndromeDistribution {
    n_detectors: usize,
    n_observables: usize,
    /// Entry `class + 2^O syndrome`.
    probabilities: Vec<f64>,
}

impl SyndromeDistribution {
    fn impossible(n_detectors: usize, n_observables: usize) -> Result<Self> {
        let bits = n_detectors + n_observables;
        if bits > MAX_BITS {
            let what = "number of detectors and observables";
            return Err(Error::TooLarge { method: NAME, what, value: bits, bound: MAX_BITS });
        }
        let mut probabilities = vec![0.0; 1 << bits];
        probabilities[0] = 1.0;
        Ok(Self { n_detectors, n_observables, probabilities })
    }

    /// Of a decoding problem.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for more than 26 detectors and observables.
    pub fn new(problem: &DecodingProblem) -> Result<Self> {
        let (n_detectors, n_observables) = (problem.n_detectors(), problem.n_observables());
        let mut all = Self::impossible(n_detectors, n_observables)?;
        for (j, &p) in problem.priors().iter().enumerate() {
            let detectors = problem.checks().column(j).iter().map(|d| d + n_observables);
            let column = detectors.chain(problem.observables().column(j).iter().copied());
            all.fold(column.fold(0, |c, bit| c | 1 << bit), p);
        }
        Ok(all)
    }

    /// Of Pauli errors on a stabilizer code, see [`CosetModel::paulis`](super::CosetModel::paulis). Zeros in the table are
    /// allowed.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for more than 26 stabilizers and logical operators, [`Error::WrongLength`],
    /// [`Error::Probability`].
    pub fn paulis(stabilizers: &BitMatrix, logicals: &BitMatrix, table: &[[f64; 4]]) -> Result<Self> {
        let n = table.len();
        for (what, got) in
            [("columns of the stabilizers", stabilizers.n_cols()), ("columns of the logicals", logicals.n_cols())]
        {
            if got != 2 * n {
                return Err(Error::WrongLength { what, got, expected: 2 * n });
            }
        }
        let mut all = Self::impossible(stabilizers.n_rows(), logicals.n_rows())?;
        let operators = || logicals.rows().chain(stabilizers.rows()).enumerate();
        for (qubit, row) in table.iter().enumerate() {
            check_row(qubit, row)?;
            let seen = |bit: usize| operators().filter(|(_, op)| op.get(bit)).fold(0, |c, (row, _)| c | 1usize << row);
            all.fold_pauli(seen(qubit + n), seen(qubit), row);
        }
        Ok(all)
    }

    /// Of Pauli errors on a code, classes as in [`CosetModel::stabilizer`](super::CosetModel::stabilizer).
    ///
    /// ```
    /// use quantum_ec::{StabilizerCode, statmech::SyndromeDistribution};
    ///
    /// // The five-qubit code corrects any single error.
    /// let code = StabilizerCode::from_text(&["XZZXI", "IXZZX", "XIXZZ", "ZXIXZ"])?;
    /// let p = 1e-4;
    /// let table = [[1.0 - p, p / 3.0, p / 3.0, p / 3.0]; 5];
    /// let rate = SyndromeDistribution::stabilizer(&code, &table)?.optimal_failure_rate();
    /// assert!((rate / (10.0 * p * p) - 1.0).abs() < 1e-3);
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`paulis`](Self::paulis).
    pub fn stabilizer(code: &StabilizerCode, table: &[[f64; 4]]) -> Result<Self> {
        Self::paulis(&code.symplectic(), &logicals(code), table)
    }

    fn fold(&mut self, column: usize, p: f64) {
        if column == 0 {
            return;
        }
        // Pairs v, v + c: v has a zero where c has its highest one.
        let stride = 1usize << column.ilog2();
        for block in (0..self.probabilities.len()).step_by(2 * stride) {
            let low_bits = column & (stride - 1);
            let (low, high) = self.probabilities[block..block + 2 * stride].split_at_mut(stride);
            for (v, a) in low.iter_mut().enumerate() {
                let b = &mut high[v ^ low_bits];
                (*a, *b) = ((1.0 - p) * *a + p * *b, p * *a + (1.0 - p) * *b);
            }
        }
    }

    fn fold_pauli(&mut self, x: usize, z: usize, row: &[f64; 4]) {
        let [p_i, p_x, p_y, p_z] = *row;
        match (x, z) {
            (0, _) => return self.fold(z, p_y + p_z),
            (_, 0) => return self.fold(x, p_x + p_y),
            _ if x == z => return self.fold(x, p_x + p_z),
            _ => {}
        }
        // A set of four: its member with zeros at two places that tell the four apart.
        let first = 1usize << x.ilog2();
        let rest = if z & first != 0 { z ^ x } else { z };
        let second = 1usize << rest.ilog2();
        for v in (0..self.probabilities.len()).filter(|v| v & (first | second) == 0) {
            let at = [v, v ^ x, v ^ x ^ z, v ^ z];
            let [i, x, y, z] = at.map(|k| self.probabilities[k]);
            let new = [
                p_i * i + p_x * x + p_y * y + p_z * z,
                p_i * x + p_x * i + p_y * z + p_z * y,
                p_i * y + p_x * z + p_y * i + p_z * x,
                p_i * z + p_x * y + p_y * x + p_z * i,
            ];
            for (k, p) in at.into_iter().zip(new) {
                self.probabilities[k] = p;
            }
        }
    }

    /// Bits of a syndrome.
    pub fn n_detectors(&self) -> usize {
        self.n_detectors
    }

    /// Bits of a class.
    pub fn n_observables(&self) -> usize {
        self.n_observables
    }

    /// The probabilities of all classes together with a syndrome, bit `i` of which is detector `i`.
    ///
    /// # Panics
    /// If the syndrome has ones beyond the detectors.
    pub fn classes(&self, syndrome: usize) -> &[f64] {
        assert!(syndrome >> self.n_detectors == 0, "syndrome {syndrome:#b} of {} detectors", self.n_detectors);
        &self.probabilities[syndrome << self.n_observables..(syndrome + 1) << self.n_observables]
    }

    /// The joint probability of a syndrome and a class.
    ///
    /// # Panics
    /// If the syndrome or the class has ones beyond its bits.
    pub fn probability(&self, syndrome: usize, class: usize) -> f64 {
        assert!(class >> self.n_observables == 0, "class {class:#b} of {} observables", self.n_observables);
        self.classes(syndrome)[class]
    }

    /// Entropy of syndrome and class in nats, `-Σ_σλ P(σ, λ) ln P(σ, λ)`.
    pub fn entropy(&self) -> f64 {
        self.probabilities.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum()
    }

    /// Entropy of the class given the syndrome in nats, `-Σ_σλ P(σ, λ) ln P(λ | σ)`: no normalised prediction q(λ | σ) has a
    /// smaller mean of -ln q.
    ///
    /// ```
    /// use quantum_ec::{StabilizerCode, statmech::SyndromeDistribution};
    ///
    /// // One of three bits flips, or none: the syndrome tells which. Two or three flips are taken for one or none.
    /// let code = StabilizerCode::from_text(&["ZZI", "IZZ"])?;
    /// let distribution = SyndromeDistribution::stabilizer(&code, &[[0.9, 0.1, 0.0, 0.0]; 3])?;
    /// let (none, one) = (0.001f64 / 0.730, 0.009f64 / 0.090);
    /// let h = |p: f64| -p * p.ln() - (1.0 - p) * (1.0 - p).ln();
    /// assert!((distribution.class_entropy() - (0.730 * h(none) + 0.270 * h(one))).abs() < 1e-14);
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    pub fn class_entropy(&self) -> f64 {
        let of_syndrome = |classes: &[f64]| -> f64 {
            let total: f64 = classes.iter().sum();
            classes.iter().filter(|p| **p > 0.0).map(|p| -p * (p / total).ln()).sum()
        };
        self.probabilities.chunks_exact(1 << self.n_observables).map(of_syndrome).sum()
    }

    /// The probability that the most likely class is not the right one, `1 - Σ_σ max_λ P(σ, λ)`: no decoder does better.
    pub fn optimal_failure_rate(&self) -> f64 {
        self.failure_rate(|_, classes| best(classes))
    }

    /// The failure rate of a decoder, given as a function of the syndrome and the probabilities of its classes.
    ///
    /// # Panics
    /// If the decoder returns a class that does not exist.
    pub fn failure_rate(&self, mut decoder: impl FnMut(usize, &[f64]) -> usize) -> f64 {
        let mut failed = 0.0;
        for (syndrome, classes) in self.probabilities.chunks_exact(1 << self.n_observables).enumerate() {
            let chosen = decoder(syndrome, classes);
            // What is left is added up, not subtracted from one.
            failed += classes.iter().enumerate().filter(|&(class, _)| class != chosen).map(|(_, p)| p).sum::<f64>();
            assert!(chosen < classes.len(), "class {chosen} of {}", classes.len());
        }
        failed
    }
}

/// The first of the largest.
pub(crate) fn best(classes: &[f64]) -> usize {
    (1..classes.len()).fold(0, |best, class| if classes[class] > classes[best] { class } else { best })
}

/// The failure rate of maximum-likelihood decoding, by summing over all syndromes.
///
/// # Errors
/// [`Error::TooLarge`] for more than 26 detectors and observables.
pub fn optimal_failure_rate(problem: &DecodingProblem) -> Result<f64> {
    Ok(SyndromeDistribution::new(problem)?.optimal_failure_rate())
}
