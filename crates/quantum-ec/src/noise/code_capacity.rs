//! Independent errors on the qubits, with perfect measurements.

use std::ops::Range;
use std::str::FromStr;

use linalg_core::Streams;
use linalg_core::gf2::BinaryCsc;
use linalg_core::rand::{Rng, RngExt};

use crate::code::{CssCode, Kind};
use crate::error::{Error, Result};
use crate::pauli::{Pauli, PauliString};
use crate::problem::DecodingProblem;

/// How far the sum of the four probabilities of a qubit may be from 1.
const TOLERANCE: f64 = 1e-9;

/// Refuses what is no probability; the number is the one given, and the same for all qubits.
fn rate(p: f64) -> Result<()> {
    if (0.0..=1.0).contains(&p) {
        return Ok(());
    }
    Err(Error::Probability { what: "qubit", index: 0, value: p, expected: "a number from 0 to 1" })
}

/// The probabilities of I, X, Y and Z on every qubit; the qubits are independent.
///
/// ```
/// use quantum_ec::{Pauli, PauliTable};
///
/// let noise = PauliTable::depolarizing(5, 0.3)?;
/// assert!(noise.row(0).iter().zip([0.7, 0.1, 0.1, 0.1]).all(|(a, b)| (a - b).abs() < 1e-15));
/// assert!((noise.ln_prob(&"XIIII".parse()?) - (0.7f64.powi(4) * 0.1).ln()).abs() < 1e-14);
/// assert!(PauliTable::new(vec![[0.9, 0.1, 0.1, 0.0]]).is_err());
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PauliTable {
    rows: Vec<[f64; 4]>,
}

impl PauliTable {
    /// The probabilities $`p_I, p_X, p_Y, p_Z`$ of each qubit, as they are.
    ///
    /// # Errors
    /// [`Error::Probability`] naming a qubit with a number outside [0, 1], or probabilities whose sum differs from 1 by
    /// more than $`10^{-9}`$.
    pub fn new(rows: Vec<[f64; 4]>) -> Result<Self> {
        for (index, row) in rows.iter().enumerate() {
            if let Some(&value) = row.iter().find(|p| !(0.0..=1.0).contains(*p)) {
                return Err(Error::Probability { what: "qubit", index, value, expected: "a number from 0 to 1" });
            }
            let value = row.iter().sum::<f64>();
            if (value - 1.0).abs() > TOLERANCE {
                let expected = "p_I, p_X, p_Y, p_Z with the sum 1";
                return Err(Error::Probability { what: "the sum for qubit", index, value, expected });
            }
        }
        Ok(Self { rows })
    }

    /// The same probabilities of X, Y and Z on `n` qubits; I has the rest. A sum above 1 by no more than $`10^{-9}`$ is taken
    /// for 1.
    ///
    /// # Errors
    /// [`Error::Probability`] for a number outside [0, 1] and for a larger sum.
    ///
    /// ```
    /// use quantum_ec::PauliTable;
    ///
    /// // These add up to 1.0000000000000002.
    /// assert_eq!(PauliTable::uniform(1, [0.33, 0.56, 0.11])?.row(0), [0.0, 0.33, 0.56, 0.11]);
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    pub fn uniform(n: usize, [x, y, z]: [f64; 3]) -> Result<Self> {
        [x, y, z].into_iter().try_for_each(rate)?;
        let sum = x + y + z;
        if sum > 1.0 + TOLERANCE {
            let expected = "p_X, p_Y, p_Z with a sum of at most 1";
            return Err(Error::Probability { what: "the sum for qubit", index: 0, value: sum, expected });
        }
        Self::new(vec![[(1.0 - sum).max(0.0), x, y, z]; n])
    }

    /// X with probability p.
    ///
    /// # Errors
    /// [`Error::Probability`] unless p is from 0 to 1, as in all that follow.
    pub fn bit_flip(n: usize, p: f64) -> Result<Self> {
        Self::uniform(n, [p, 0.0, 0.0])
    }

    /// Z with probability p.
    ///
    /// # Errors
    /// As [`bit_flip`](Self::bit_flip).
    pub fn phase_flip(n: usize, p: f64) -> Result<Self> {
        Self::uniform(n, [0.0, 0.0, p])
    }

    /// Y with probability p.
    ///
    /// # Errors
    /// As [`bit_flip`](Self::bit_flip).
    pub fn y_only(n: usize, p: f64) -> Result<Self> {
        Self::uniform(n, [0.0, p, 0.0])
    }

    /// An error with probability p, X, Y or Z with p/3 each.
    ///
    /// # Errors
    /// As [`bit_flip`](Self::bit_flip).
    pub fn depolarizing(n: usize, p: f64) -> Result<Self> {
        rate(p)?;
        Self::new(vec![[1.0 - p, p / 3.0, p / 3.0, p / 3.0]; n])
    }

    /// An error with probability p, biased towards Z: $`\eta = p_Z / (p_X + p_Y)`$ with $`p_X = p_Y`$ (Tuckett, Bartlett,
    /// Flammia, arXiv:1708.08474). η = 1/2 is depolarizing, infinity is Z alone.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a negative η or NaN; as [`bit_flip`](Self::bit_flip).
    pub fn biased(n: usize, p: f64, eta: f64) -> Result<Self> {
        if eta.is_nan() || eta < 0.0 {
            return Err(Error::Parameter { what: "bias", value: eta.to_string(), expected: "a number >= 0" });
        }
        rate(p)?;
        // Without the quotient of two infinities.
        let x = 0.5 * p / (1.0 + eta);
        Self::new(vec![[1.0 - p, x, x, p - 2.0 * x]; n])
    }

    /// Number of qubits.
    pub fn n_qubits(&self) -> usize {
        self.rows.len()
    }

    /// $`p_I, p_X, p_Y, p_Z`$ of a qubit.
    ///
    /// # Panics
    /// If there is no such qubit.
    pub fn row(&self, qubit: usize) -> [f64; 4] {
        self.rows[qubit]
    }

    /// All rows.
    pub fn rows(&self) -> &[[f64; 4]] {
        &self.rows
    }

    /// The probability of a Pauli matrix on a qubit.
    ///
    /// # Panics
    /// If there is no such qubit.
    pub fn probability(&self, qubit: usize, pauli: Pauli) -> f64 {
        self.rows[qubit][pauli as usize]
    }

    /// $`p_X + p_Y`$ of each qubit: the probability that its Z checks see an error.
    pub fn x_marginals(&self) -> Vec<f64> {
        self.rows.iter().map(|row| (row[1] + row[2]).min(1.0)).collect()
    }

    /// $`p_Y + p_Z`$ of each qubit: the probability that its X checks see an error.
    pub fn z_marginals(&self) -> Vec<f64> {
        self.rows.iter().map(|row| (row[2] + row[3]).min(1.0)).collect()
    }

    /// The logarithm of the probability of an error; its phase does not matter. Linear in n.
    ///
    /// # Panics
    /// If the error acts on another number of qubits.
    pub fn ln_prob(&self, error: &PauliString) -> f64 {
        assert_eq!(error.n_qubits(), self.n_qubits(), "an error on {} of {} qubits", error.n_qubits(), self.n_qubits());
        (0..self.n_qubits()).map(|q| self.probability(q, error.get(q)).ln()).sum()
    }

    /// A random error: one uniform number a qubit.
    pub fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> PauliString {
        let mut error = PauliString::identity(self.n_qubits());
        for (q, &[_, x, y, z]) in self.rows.iter().enumerate() {
            let u: f64 = rng.random();
            // An error of probability 0 never happens, even where the sum is not exactly 1.
            let pauli = if u < x {
                Pauli::X
            } else if u < x + y {
                Pauli::Y
            } else if u < x + y + z {
                Pauli::Z
            } else {
                Pauli::I
            };
            error.set(q, pauli);
        }
        error
    }

    /// The errors of these shots: shot k draws from stream k, so that shots may be split over machines.
    pub fn sample_shots(&self, shots: Range<u64>, streams: Streams) -> Vec<PauliString> {
        shots.map(|shot| self.sample(&mut streams.stream(shot))).collect()
    }
}

/// Noise by name.
///
/// | name | meaning of p |
/// |---|---|
/// | `bit-flip`, `phase-flip`, `y-only` | probability of X, of Z, of Y |
/// | `depolarizing` | probability of any error, p/3 each |
/// | `biased:ETA` | probability of any error, $`p_Z = \eta (p_X + p_Y)`$ |
/// | `erasure` | probability that a qubit is erased, which is known |
///
/// ```
/// use quantum_ec::noise::Noise;
///
/// let noise: Noise = "biased:10".parse()?;
/// let [i, x, y, z] = noise.table(1, 0.11)?.row(0);
/// assert!((z - 0.1).abs() < 1e-15 && (x - 0.005).abs() < 1e-15 && x == y && (i - 0.89).abs() < 1e-15);
/// assert_eq!(noise.to_string(), "biased:10");
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Noise {
    /// X.
    BitFlip,
    /// Z.
    PhaseFlip,
    /// Y.
    YOnly,
    /// X, Y and Z equally.
    Depolarizing,
    /// X and Y equally, Z `eta` times as often as both together.
    Biased {
        /// The bias η.
        eta: f64,
    },
    /// Erasure: a uniformly random Pauli matrix at known places.
    Erasure,
}

impl Noise {
    /// The names that are understood.
    pub const NAMES: &str = "bit-flip, phase-flip, y-only, depolarizing, biased:ETA, erasure";

    /// The table of n qubits; for erasure the one without the knowledge of the places, p/4 each.
    ///
    /// # Errors
    /// [`Error::Probability`] unless p is from 0 to 1.
    pub fn table(self, n: usize, p: f64) -> Result<PauliTable> {
        match self {
            Self::BitFlip => PauliTable::bit_flip(n, p),
            Self::PhaseFlip => PauliTable::phase_flip(n, p),
            Self::YOnly => PauliTable::y_only(n, p),
            Self::Depolarizing => PauliTable::depolarizing(n, p),
            Self::Biased { eta } => PauliTable::biased(n, p, eta),
            Self::Erasure => {
                super::Erasure::uniform(n, p)?;
                PauliTable::depolarizing(n, 0.75 * p)
            }
        }
    }
}

impl FromStr for Noise {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Some(eta) = text.strip_prefix("biased:") {
            return match eta.parse::<f64>() {
                Ok(eta) if eta >= 0.0 => Ok(Self::Biased { eta }),
                _ => Err(Error::Parameter { what: "bias", value: format!("{eta:?}"), expected: "a number >= 0" }),
            };
        }
        Ok(match text {
            "bit-flip" => Self::BitFlip,
            "phase-flip" => Self::PhaseFlip,
            "y-only" => Self::YOnly,
            "depolarizing" => Self::Depolarizing,
            "erasure" => Self::Erasure,
            _ => {
                return Err(Error::UnknownName {
                    what: "code-capacity noise",
                    name: text.to_owned(),
                    known: Self::NAMES.to_owned(),
                });
            }
        })
    }
}

impl std::fmt::Display for Noise {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BitFlip => f.write_str("bit-flip"),
            Self::PhaseFlip => f.write_str("phase-flip"),
            Self::YOnly => f.write_str("y-only"),
            Self::Depolarizing => f.write_str("depolarizing"),
            Self::Biased { eta } => write!(f, "biased:{eta}"),
            Self::Erasure => f.write_str("erasure"),
        }
    }
}

/// The decoding problem of one kind of error on a CSS code, one mechanism a qubit.
///
/// [`Kind::X`]: X errors with probability `p[j]` on qubit j; the detectors are the Z checks, observable i is flipped where
/// logical $`X_i`$ was applied (the error anticommutes with logical $`Z_i`$). [`Kind::Z`] the other way around.
///
/// # Errors
/// [`Error::Parameter`] for [`Kind::Any`], [`Error::WrongLength`] and [`Error::Probability`] of the priors.
///
/// ```
/// use quantum_ec::code::{self, CssCode, Kind};
/// use quantum_ec::noise::css_problem;
///
/// let code = code::rotated_surface(3)?;
/// let problem = css_problem(&code, Kind::X, vec![0.1; 9])?;
/// assert_eq!((problem.n_detectors(), problem.n_observables(), problem.n_mechanisms()), (4, 1, 9));
/// # Ok::<(), quantum_ec::Error>(())
/// ```
pub fn css_problem(code: &CssCode, kind: Kind, p: Vec<f64>) -> Result<DecodingProblem> {
    let (checks, observables) = match kind {
        Kind::X => (code.hz(), code.lz()),
        Kind::Z => (code.hx(), code.lx()),
        Kind::Any => {
            return Err(Error::Parameter { what: "kind of error", value: "Any".into(), expected: "X or Z" });
        }
    };
    DecodingProblem::new(BinaryCsc::from_matrix(checks), BinaryCsc::from_matrix(&observables), p)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::{Decomposition, parse, rotated_surface};

    #[test]
    fn samples_have_the_probabilities_of_the_table() {
        let table = PauliTable::new(vec![[0.4, 0.1, 0.2, 0.3], [0.0, 0.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0]]).unwrap();
        let shots = 20_000;
        let errors = table.sample_shots(0..shots, Streams::new(2));
        for q in 0..3 {
            for pauli in [Pauli::I, Pauli::X, Pauli::Y, Pauli::Z] {
                let p = table.probability(q, pauli);
                let count = errors.iter().filter(|e| e.get(q) == pauli).count() as f64;
                let sigma = (p * (1.0 - p) * shots as f64).sqrt();
                assert!((count - p * shots as f64).abs() <= 4.0 * sigma, "{q} {pauli:?}: {count}");
            }
        }
        // Split shots are the same shots.
        let halves = [table.sample_shots(0..7, Streams::new(2)), table.sample_shots(7..20, Streams::new(2))].concat();
        assert_eq!(halves, errors[..20]);
    }

    #[test]
    fn names_and_tables() {
        for name in ["bit-flip", "phase-flip", "y-only", "depolarizing", "biased:0.5", "biased:inf", "erasure"] {
            let noise: Noise = name.parse().unwrap();
            assert_eq!(noise.to_string(), name);
            for p in [0.0, 0.3, 1.0] {
                let row = noise.table(2, p).unwrap().row(1);
                approx::assert_relative_eq!(row.iter().sum::<f64>(), 1.0, epsilon = 1e-15);
                approx::assert_relative_eq!(
                    1.0 - row[0],
                    if name == "erasure" { 0.75 * p } else { p },
                    epsilon = 1e-15
                );
            }
            for p in [-0.1, 1.1, f64::NAN] {
                assert!(matches!(noise.table(2, p), Err(Error::Probability { .. })), "{name} {p}");
            }
        }
        let of = |name: &str| name.parse::<Noise>().unwrap().table(1, 0.3).unwrap();
        assert_eq!(of("biased:inf"), of("phase-flip"));
        let (a, b) = (of("biased:0.5").row(0), of("depolarizing").row(0));
        a.iter().zip(b).for_each(|(a, b)| approx::assert_relative_eq!(*a, b, epsilon = 1e-15));
        let message = |name: &str| name.parse::<Noise>().unwrap_err().to_string();
        assert_eq!(message("biased:-1"), "bias is \"-1\", expected a number >= 0");
        assert_eq!(message("biased:nan"), "bias is \"nan\", expected a number >= 0");
        assert!(message("depolarising").contains("expected one of bit-flip, "));
        assert!(PauliTable::biased(1, 0.1, f64::NAN).is_err());
        let wrong: [fn(f64) -> Result<PauliTable>; 5] = [
            |p| PauliTable::bit_flip(5, p),
            |p| PauliTable::phase_flip(5, p),
            |p| PauliTable::y_only(5, p),
            |p| PauliTable::depolarizing(5, p),
            |p| PauliTable::biased(5, p, 2.0),
        ];
        for of in wrong {
            for (p, text) in [(1.1, "1.1"), (-0.5, "-0.5"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
                let expected = format!("qubit 0 has probability {text}, expected a number from 0 to 1");
                assert_eq!(of(p).unwrap_err().to_string(), expected);
            }
        }
        let sum = PauliTable::uniform(2, [0.5, 0.5, 0.5]).unwrap_err().to_string();
        assert!(sum.starts_with("the sum for qubit 0 has probability 1.5,"), "{sum}");
        let sum = PauliTable::new(vec![[1.0, 0.0, 0.0, 0.0], [0.5, 0.1, 0.1, 0.1]]).unwrap_err().to_string();
        assert!(sum.starts_with("the sum for qubit 1 has probability 0.7"), "{sum}");
    }

    #[test]
    fn problems_agree_with_the_decomposition() {
        for name in ["rotated-surface:3", "toric:3", "bb:72,12,6"] {
            let code = CssCode::from_stabilizer(&parse(name).unwrap()).unwrap();
            let basis = Decomposition::new(code.stabilizer());
            let (n, k) = (code.n_qubits(), code.n_logical());
            for (kind, shift) in [(Kind::X, 0), (Kind::Z, k)] {
                let problem = css_problem(&code, kind, vec![0.1; n]).unwrap();
                for error in PauliTable::depolarizing(n, 0.3).unwrap().sample_shots(0..20, Streams::new(1)) {
                    let bits = if kind == Kind::X { error.x() } else { error.z() };
                    let applied = basis.decompose(&error).applied();
                    let half: Vec<bool> = (0..k).map(|i| applied.get(i + shift)).collect();
                    assert_eq!(problem.logical(bits).iter().collect::<Vec<_>>(), half, "{name}");
                    let checks = if kind == Kind::X { code.hz() } else { code.hx() };
                    assert_eq!(problem.syndrome(bits), checks.mul_vec(bits));
                }
            }
        }
        let code = rotated_surface(3).unwrap();
        assert!(css_problem(&code, Kind::Any, vec![0.1; 9]).is_err());
        assert!(css_problem(&code, Kind::X, vec![0.1; 8]).is_err());
    }
}
