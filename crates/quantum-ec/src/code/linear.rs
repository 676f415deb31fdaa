//! Classical linear codes.

use linalg_core::gf2::{BinaryCsc, BitMatrix, BitVec};
use linalg_core::rand::{Rng, RngExt};
use spin_models::InteractionModel;
use spin_models::models::Duplicates;

use super::css::{CssCode, MOST};
use super::distance::{DistanceParams, Kind, distance};
use crate::error::{Error, Result};

/// A binary linear code: the words c with $`H c = 0`$, which are the sums of rows of G.
///
/// ```
/// use quantum_ec::LinearCode;
///
/// let code = LinearCode::hamming(3)?;
/// assert_eq!((code.n_bits(), code.n_message(), code.distance()?), (7, 4, Some(3)));
/// let word = code.encode(&"1011".parse()?);
/// assert!(code.syndrome(&word).is_zero());
/// let mut noisy = word.clone();
/// noisy.flip(4);
/// // The checks write the position of a single error, counted from 1, in binary, the lowest bit first.
/// assert_eq!(code.syndrome(&noisy).to_string(), "101");
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct LinearCode {
    h: BitMatrix,
    g: BitMatrix,
}

impl LinearCode {
    /// The code of a parity check matrix; its rows may depend on each other. About $`n^3/64`$ operations.
    pub fn from_checks(h: BitMatrix) -> Self {
        let g = h.row_reduce().nullspace();
        Self { h, g }
    }

    /// The code spanned by the rows of a generator matrix, which must be independent.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the rows depend on each other.
    pub fn from_generators(g: BitMatrix) -> Result<Self> {
        let reduced = g.row_reduce();
        if reduced.rank() < g.n_rows() {
            return Err(Error::Parameter {
                what: "rank of the generator matrix",
                value: reduced.rank().to_string(),
                expected: "independent rows",
            });
        }
        Ok(Self { h: reduced.nullspace(), g })
    }

    /// The repetition code of n bits: neighbours are equal.
    ///
    /// # Errors
    /// [`Error::Parameter`] for n = 0, [`Error::TooLarge`] beyond 20000 bits.
    pub fn repetition(n: usize) -> Result<Self> {
        if n == 0 {
            return Err(Error::Parameter { what: "length", value: "0".into(), expected: "at least 1" });
        }
        check_sizes("repetition code", &[("number of bits", n)])?;
        Ok(Self::from_checks(BitMatrix::from_ones(n - 1, n, (0..n - 1).flat_map(|i| [(i, i), (i, i + 1)]))?))
    }

    /// The Hamming code $`[2^r - 1, 2^r - 1 - r, 3]`$ (Bell Syst. Tech. J. 29, 147 (1950)): column j of H is the number
    /// j + 1 in binary, the lowest bit in the first row.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless r is from 2 to 14.
    pub fn hamming(r: usize) -> Result<Self> {
        if !(2..=14).contains(&r) {
            return Err(Error::Parameter {
                what: "checks of the Hamming code",
                value: r.to_string(),
                expected: "2 to 14",
            });
        }
        let n = (1 << r) - 1;
        let ones = (0..r).flat_map(|i| (0..n).filter(move |j| (j + 1) >> i & 1 == 1).map(move |j| (i, j)));
        Ok(Self::from_checks(BitMatrix::from_ones(r, n, ones)?))
    }

    /// A random code of Gallager's ensemble (IRE Trans. Inf. Theory 8, 21 (1962)): every bit in `bit_weight` checks,
    /// every check on `check_weight` bits. H is a stack of `bit_weight` strips of $`n/\mathrm{check\_weight}`$ rows that
    /// part the bits, in order in the first strip, in random order in the others.
    ///
    /// # Errors
    /// [`Error::Parameter`] if a weight is 0 or `check_weight` does not divide `n`, [`Error::TooLarge`] beyond 20000 bits or
    /// checks.
    pub fn gallager<R: Rng + ?Sized>(n: usize, bit_weight: usize, check_weight: usize, rng: &mut R) -> Result<Self> {
        if bit_weight == 0 {
            return Err(Error::Parameter { what: "bit weight", value: "0".into(), expected: "at least 1" });
        }
        if check_weight == 0 || !n.is_multiple_of(check_weight) {
            return Err(Error::Parameter {
                what: "check weight",
                value: check_weight.to_string(),
                expected: "a divisor of the number of bits",
            });
        }
        let strip = n / check_weight;
        let n_checks = bit_weight.saturating_mul(strip);
        let sizes = [("number of bits", n), ("bit weight", bit_weight), ("number of checks", n_checks)];
        check_sizes("Gallager code", &sizes)?;
        let mut order: Vec<usize> = (0..n).collect();
        let mut h = BitMatrix::zeros(n_checks, n);
        for s in 0..bit_weight {
            for (place, &j) in order.iter().enumerate() {
                h.set(s * strip + place / check_weight, j, true);
            }
            for i in (1..n).rev() {
                order.swap(i, rng.random_range(0..=i as u64) as usize);
            }
        }
        Ok(Self::from_checks(h))
    }

    /// The parity check matrix H, a row a check.
    pub fn checks(&self) -> &BitMatrix {
        &self.h
    }

    /// The generator matrix G, a row a bit of the message.
    pub fn generators(&self) -> &BitMatrix {
        &self.g
    }

    /// Length of a word.
    pub fn n_bits(&self) -> usize {
        self.h.n_cols()
    }

    /// Length k of a message.
    pub fn n_message(&self) -> usize {
        self.g.n_rows()
    }

    /// The Tanner graph: checks by bits, an edge a one.
    pub fn tanner_graph(&self) -> BinaryCsc {
        BinaryCsc::from_matrix(&self.h)
    }

    /// The word of a message, $`G^T u`$.
    ///
    /// # Panics
    /// If the message does not have k bits.
    pub fn encode(&self, message: &BitVec) -> BitVec {
        self.g.vec_mul(message)
    }

    /// $`H w`$.
    ///
    /// # Panics
    /// If the word does not have n bits.
    pub fn syndrome(&self, word: &BitVec) -> BitVec {
        self.h.mul_vec(word)
    }

    /// A word with this syndrome.
    ///
    /// # Errors
    /// [`Error::ImpossibleSyndrome`] naming checks whose sum is zero while their bits add up to one.
    ///
    /// # Panics
    /// If the syndrome does not have a bit a check.
    pub fn representative(&self, syndrome: &BitVec) -> Result<BitVec> {
        self.h.solve(syndrome).ok_or_else(|| Error::ImpossibleSyndrome {
            checks: self.h.inconsistency(syndrome).map_or(Vec::new(), |y| y.iter_ones().collect()),
        })
    }

    /// The smallest weight of a word other than zero, exactly; `None` if zero is the only word. See
    /// [`distance`](super::distance) for method and cost.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] with the bounds if the search takes more than $`10^9`$ steps.
    pub fn distance(&self) -> Result<Option<usize>> {
        // Without X checks the operators of X that commute with the Z checks are the words.
        let code = CssCode::new(BitMatrix::zeros(0, self.n_bits()), self.h.clone())?;
        let params = DistanceParams::default().with_trials(100).with_max_steps(1_000_000_000);
        let Some(found) = distance(code.stabilizer(), Kind::X, params)? else { return Ok(None) };
        match found.exact() {
            Some(d) => Ok(Some(d)),
            None => Err(Error::NotApplicable {
                method: "exact distance",
                reason: format!("after 10^9 steps it is known to be from {} to {}", found.lower, found.upper),
            }),
        }
    }

    /// The posterior of the message as a Boltzmann distribution at β = 1.
    ///
    /// Bit j of the word sent is flipped with probability `p[j]`. Given the word received, y, spin $`s_i = 1 - 2u_i`$ of
    /// the k bits of the message has the energy
    ///
    /// ```math
    /// E(s) = -\sum_j (-1)^{y_j} K_j \prod_{i:\, G_{ij} = 1} s_i - \tfrac12 \sum_j \ln p_j (1 - p_j),
    /// \qquad K_j = \tfrac12 \ln\frac{1 - p_j}{p_j},
    /// ```
    ///
    /// so that $`e^{-E(s)} = P(y \mid u)`$ and $`Z/2^k = P(y)`$ for messages of equal probability (Sourlas, Nature 339, 693
    /// (1989)). With y a [`representative`](Self::representative) of a syndrome, Z is the probability of the syndrome, and
    /// $`y + G^T u`$ is the error: decoding by syndrome is the same model.
    ///
    /// # Errors
    /// [`Error::WrongLength`], [`Error::Probability`] unless $`0 < p_j < 1`$, and [`Error::Spins`] for a code without a
    /// bit of message.
    ///
    /// ```
    /// use quantum_ec::LinearCode;
    /// use spin_models::{Enumeration, LogPartition};
    ///
    /// let code = LinearCode::repetition(3)?;
    /// let model = code.posterior(&"100".parse()?, &[0.1; 3])?;
    /// // Error 100 or error 011.
    /// let z = Enumeration::default().ln_z(&model, 1.0)?.value.exp();
    /// assert!((z - (0.1 * 0.81 + 0.9 * 0.01)).abs() < 1e-15);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn posterior(&self, received: &BitVec, p: &[f64]) -> Result<InteractionModel> {
        let n = self.n_bits();
        for (what, got) in [("bits of the word", received.len()), ("probabilities", p.len())] {
            if got != n {
                return Err(Error::WrongLength { what, got, expected: n });
            }
        }
        if let Some((index, &value)) = p.iter().enumerate().find(|(_, p)| !(**p > 0.0 && **p < 1.0)) {
            return Err(Error::Probability { what: "bit", index, value, expected: "a number between 0 and 1" });
        }
        let mut builder = InteractionModel::builder(self.n_message()).duplicates(Duplicates::Keep);
        let columns = self.g.transpose();
        for (j, &p) in p.iter().enumerate() {
            let (ln_p, ln_q) = (p.ln(), (-p).ln_1p());
            let coupling = 0.5 * (ln_q - ln_p) * if received.get(j) { -1.0 } else { 1.0 };
            let sites: Vec<usize> = columns.row(j).iter_ones().collect();
            builder = builder.offset(-0.5 * (ln_p + ln_q));
            builder = if sites.is_empty() { builder.offset(-coupling) } else { builder.term(&sites, coupling) };
        }
        Ok(builder.build()?)
    }
}

/// Refuses sizes for which the dense elimination takes too long.
fn check_sizes(method: &'static str, sizes: &[(&'static str, usize)]) -> Result<()> {
    match sizes.iter().find(|(_, value)| *value > MOST) {
        Some(&(what, value)) => Err(Error::TooLarge { method, what, value, bound: MOST }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;
    use spin_models::Enumeration;

    /// P(y | u) of every message against the Boltzmann weights.
    fn check_posterior(code: &LinearCode, seed: u64) {
        let mut rng = Streams::new(seed).stream(0);
        let (n, k) = (code.n_bits(), code.n_message());
        let p: Vec<f64> = (0..n).map(|_| 0.02 + 0.9 * rng.random::<f64>()).collect();
        let received = BitVec::random(n, &mut rng);
        let likelihood =
            |error: &BitVec| -> f64 { error.iter().zip(&p).map(|(bit, p)| if bit { *p } else { 1.0 - p }).product() };
        let direct: Vec<f64> = (0..1u64 << k)
            .map(|u| {
                let mut word = code.encode(&(0..k).map(|i| u >> i & 1 == 1).collect());
                assert!(code.syndrome(&word).is_zero());
                word.xor_assign(&received);
                likelihood(&word)
            })
            .collect();
        let total: f64 = direct.iter().sum();
        let model = code.posterior(&received, &p).unwrap();
        let table = Enumeration::default().distribution(&model, 1.0).unwrap();
        approx::assert_relative_eq!(table.ln_z(), total.ln(), epsilon = 1e-12);
        for (probability, weight) in table.probabilities().iter().zip(&direct) {
            approx::assert_relative_eq!(*probability, weight / total, max_relative = 1e-11);
        }
        // Z is the probability of the syndrome: summed over all errors that have it.
        if n <= 16 {
            let syndrome = code.syndrome(&received);
            let all: f64 = (0..1u64 << n)
                .map(|e| (0..n).map(|j| e >> j & 1 == 1).collect::<BitVec>())
                .filter(|e| code.syndrome(e) == syndrome)
                .map(|e| likelihood(&e))
                .sum();
            approx::assert_relative_eq!(all, total, max_relative = 1e-11);
            let again = code.posterior(&code.representative(&syndrome).unwrap(), &p).unwrap();
            let z = Enumeration::default().distribution(&again, 1.0).unwrap().ln_z();
            approx::assert_relative_eq!(z, total.ln(), epsilon = 1e-12);
        }
    }

    #[test]
    fn the_posterior_is_a_boltzmann_distribution() {
        check_posterior(&LinearCode::repetition(5).unwrap(), 1);
        check_posterior(&LinearCode::hamming(3).unwrap(), 2);
        check_posterior(&LinearCode::hamming(4).unwrap(), 3);
        check_posterior(&LinearCode::gallager(16, 3, 4, &mut Streams::new(8).stream(0)).unwrap(), 4);
        // A bit that is always zero, and one that is free.
        check_posterior(&LinearCode::from_checks(BitMatrix::from_text("10000\n01100").unwrap()), 5);
    }

    #[test]
    fn known_parameters() {
        let parameters = |code: &LinearCode| (code.n_bits(), code.n_message(), code.distance().unwrap());
        assert_eq!(parameters(&LinearCode::repetition(9).unwrap()), (9, 1, Some(9)));
        assert_eq!(parameters(&LinearCode::repetition(1).unwrap()), (1, 1, Some(1)));
        assert_eq!(parameters(&LinearCode::hamming(5).unwrap()), (31, 26, Some(3)));
        // The simplex code is its dual, all words of weight 16.
        let simplex = LinearCode::from_generators(LinearCode::hamming(5).unwrap().checks().clone()).unwrap();
        assert_eq!(parameters(&simplex), (31, 5, Some(16)));
        // The extended Golay code [24, 12, 8] by its quadratic residues mod 11.
        let mut golay = BitMatrix::zeros(12, 24);
        for i in 0..12 {
            golay.set(i, i, true);
            golay.set(i, 23, i < 11);
            golay.set(11, 12 + i, i < 11);
        }
        for i in 0..11 {
            for j in 0..11 {
                golay.set(i, 12 + j, ![1, 3, 4, 5, 9].contains(&((j + 11 - i) % 11)));
            }
        }
        assert_eq!(parameters(&LinearCode::from_generators(golay).unwrap()), (24, 12, Some(8)));
        let none = LinearCode::from_checks(BitMatrix::identity(4));
        assert_eq!(parameters(&none), (4, 0, None));
    }

    #[test]
    fn gallager_codes_are_regular() {
        let code = LinearCode::gallager(120, 3, 6, &mut Streams::new(4).stream(0)).unwrap();
        let graph = code.tanner_graph();
        assert_eq!((graph.n_rows(), graph.n_cols()), (60, 120));
        assert!(graph.column_weights().iter().all(|&w| w == 3) && graph.row_weights().iter().all(|&w| w == 6));
        // The strips have the same sum, so that at least two checks depend on the others.
        assert!(code.n_message() >= 62);
        let message = BitVec::random(code.n_message(), &mut Streams::new(4).stream(1));
        assert!(code.syndrome(&code.encode(&message)).is_zero());
        let bad = LinearCode::gallager(10, 3, 4, &mut Streams::new(4).stream(0)).unwrap_err();
        assert_eq!(bad.to_string(), "check weight is 4, expected a divisor of the number of bits");
    }

    #[test]
    fn bad_input_is_named() {
        let code = LinearCode::from_checks(BitMatrix::from_text("110\n011\n101").unwrap());
        let error = code.representative(&"100".parse().unwrap()).unwrap_err();
        assert!(matches!(error, Error::ImpossibleSyndrome { checks } if checks == [0, 1, 2]));
        let word = BitVec::zeros(3);
        for p in [0.0, 1.0, f64::NAN] {
            assert!(matches!(code.posterior(&word, &[0.1, p, 0.1]), Err(Error::Probability { index: 1, .. })));
        }
        assert!(code.posterior(&word, &[0.1]).is_err());
        let none = LinearCode::from_checks(BitMatrix::identity(4));
        assert!(matches!(none.posterior(&BitVec::zeros(4), &[0.1; 4]), Err(Error::Spins(_))));
        assert!(LinearCode::from_generators(BitMatrix::from_text("11\n11").unwrap()).is_err());
        assert!(LinearCode::repetition(0).is_err() && LinearCode::hamming(1).is_err());
        let gallager = |n, bit, check| LinearCode::gallager(n, bit, check, &mut Streams::new(1).stream(0));
        for (result, refused) in [
            (LinearCode::repetition(10_000_000), 10_000_000),
            (gallager(1 << 40, 1, 1), 1 << 40),
            (gallager(6, usize::MAX, 3), usize::MAX),
            (gallager(0, usize::MAX, 3), usize::MAX),
            (gallager(20_000, 3, 2), 30_000),
        ] {
            assert!(matches!(result, Err(Error::TooLarge { value, bound: 20_000, .. }) if value == refused));
        }
    }
}
