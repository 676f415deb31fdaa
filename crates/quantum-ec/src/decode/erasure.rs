//! Erasures alone.

use linalg_core::gf2::BitVec;

use super::decoder::{Decoder, Prediction, check_syndrome};
use crate::error::{Error, Result};
use crate::problem::DecodingProblem;
use crate::shots::{ones, words_per_row};

const NAME: &str = "erasure decoding";

/// Classes are listed up to this number of observables.
const LISTED: usize = 12;

/// Maximum-likelihood decoding where nothing happens but erasures, by linear algebra.
///
/// Of m erased mechanisms every set is equally likely. Those with the syndrome are an affine space, so that
///
/// ```math
/// P(\sigma, \lambda) = 2^{-m} \, \left| \{ e : H e = \sigma, L e = \lambda \} \right|
/// ```
///
/// is the same for all classes that are possible; the first of them is predicted. A shot costs an elimination of the erased
/// columns, $`O(m^2 (D + O) / 64)`$ for D detectors and O observables.
///
/// [`Prediction::ln_class`] is filled for up to 12 observables. [`MaximumLikelihood`](super::MaximumLikelihood) takes
/// erasures together with errors.
///
/// ```
/// use linalg_core::gf2::BinaryCsc;
/// use quantum_ec::decode::{Decoder, ErasureDecoder};
/// use quantum_ec::{DecodingProblem, Prediction};
///
/// // The repetition code of three bits.
/// let checks = BinaryCsc::from_columns(2, [vec![0], vec![0, 1], vec![1]])?;
/// let observables = BinaryCsc::from_columns(1, [vec![0], vec![], vec![]])?;
/// let mut decoder = ErasureDecoder::new(&DecodingProblem::new(checks, observables, vec![0.0; 3])?)?;
/// let mut prediction = Prediction::new(1);
/// // The second check fires. With the first two bits erased both have failed; with all three the last one may have.
/// decoder.decode_erased_into(&[0b10], &[0b011], &mut prediction)?;
/// assert_eq!(prediction.observables.to_string(), "1");
/// assert_eq!(prediction.ln_class, [f64::NEG_INFINITY, 0.25f64.ln()]);
/// decoder.decode_erased_into(&[0b10], &[0b111], &mut prediction)?;
/// assert_eq!(prediction.observables.to_string(), "0");
/// assert_eq!(prediction.ln_class, [0.125f64.ln(); 2]);
/// # Ok::<(), quantum_ec::Error>(())
/// ```
///
/// # References
/// - T. M. Stace, S. D. Barrett and A. C. Doherty, Phys. Rev. Lett. 102, 200501 (2009): the threshold of the toric code is
///   that of percolation, 1/2.
/// - N. Delfosse and G. Zémor, Phys. Rev. Research 2, 033042 (2020): in linear time for surface codes.
#[derive(Debug, Clone)]
pub struct ErasureDecoder {
    n_detectors: usize,
    n_observables: usize,
    n_mechanisms: usize,
    /// Words of what one mechanism flips: detectors from the first word on, observables after them.
    detector_words: usize,
    words: usize,
    columns: Vec<u64>,
    /// Sums of erased columns by the first detector they flip: their places in `sums`.
    of_detector: Vec<u32>,
    sums: Vec<u64>,
    /// Observables of sets that no detector sees, by their highest.
    free: Vec<BitVec>,
    row: Vec<u64>,
}

/// No sum begins with this detector.
const NONE: u32 = u32::MAX;

impl ErasureDecoder {
    /// A decoder of a problem whose mechanisms have probability 0 unless they are erased.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] naming a mechanism of another probability.
    pub fn new(problem: &DecodingProblem) -> Result<Self> {
        if let Some((j, p)) = problem.priors().iter().enumerate().find(|(_, p)| **p != 0.0) {
            let reason = format!("mechanism {j} has probability {p}, expected 0 for all that are not erased");
            return Err(Error::NotApplicable { method: NAME, reason });
        }
        let (n_detectors, n_observables) = (problem.n_detectors(), problem.n_observables());
        let detector_words = words_per_row(n_detectors);
        let words = detector_words + words_per_row(n_observables);
        let mut columns = vec![0; words * problem.n_mechanisms()];
        for (j, column) in columns.chunks_exact_mut(words.max(1)).enumerate() {
            problem.checks().column(j).iter().for_each(|&i| column[i / 64] |= 1 << (i % 64));
            problem.observables().column(j).iter().for_each(|&i| column[detector_words + i / 64] |= 1 << (i % 64));
        }
        Ok(Self {
            n_detectors,
            n_observables,
            n_mechanisms: problem.n_mechanisms(),
            detector_words,
            words,
            columns,
            of_detector: vec![NONE; n_detectors],
            sums: Vec::new(),
            free: Vec::new(),
            row: vec![0; words],
        })
    }

    /// Removes from `row` what sums of erased columns flip; the first detector that is left.
    fn reduce(&mut self) -> Option<usize> {
        let mut word = 0;
        while word < self.detector_words {
            if self.row[word] == 0 {
                word += 1;
                continue;
            }
            let detector = 64 * word + self.row[word].trailing_zeros() as usize;
            let at = self.of_detector[detector];
            if at == NONE {
                return Some(detector);
            }
            let sum = &self.sums[at as usize..at as usize + self.words];
            self.row[word..].iter_mut().zip(&sum[word..]).for_each(|(row, sum)| *row ^= sum);
        }
        None
    }

    /// The observables of `row`, with no more of the highest of the free ones.
    fn observables(&self) -> BitVec {
        let words = self.row[self.detector_words..].to_vec();
        let mut class = BitVec::zeros(self.n_observables);
        ones(&words).for_each(|i| class.set(i, true));
        for free in &self.free {
            if last_one(free).is_some_and(|i| class.get(i)) {
                class.xor_assign(free);
            }
        }
        class
    }

    fn eliminate(&mut self, erased: &[u64]) -> (usize, usize) {
        self.of_detector.fill(NONE);
        self.sums.clear();
        self.free.clear();
        let (mut count, mut rank) = (0, 0);
        for j in ones(erased) {
            count += 1;
            self.row.copy_from_slice(&self.columns[j * self.words..(j + 1) * self.words]);
            if let Some(detector) = self.reduce() {
                self.of_detector[detector] = self.sums.len() as u32;
                self.sums.extend_from_slice(&self.row);
                rank += 1;
            } else {
                let class = self.observables();
                if !class.is_zero() {
                    // Those with higher ones first: what a later one brings in is removed by none before.
                    let at = self.free.partition_point(|free| last_one(free) > last_one(&class));
                    self.free.insert(at, class);
                    rank += 1;
                }
            }
        }
        (count, count - rank)
    }
}

fn last_one(bits: &BitVec) -> Option<usize> {
    bits.iter_ones().last()
}

impl Decoder for ErasureDecoder {
    fn n_detectors(&self) -> usize {
        self.n_detectors
    }

    fn n_observables(&self) -> usize {
        self.n_observables
    }

    /// Without erasures nothing happens: only the syndrome of zeros is possible.
    fn decode_into(&mut self, syndrome: &[u64], out: &mut Prediction) -> Result<()> {
        let none = vec![0; words_per_row(self.n_mechanisms)];
        self.decode_erased_into(syndrome, &none, out)
    }

    fn decode_erased_into(&mut self, syndrome: &[u64], erased: &[u64], out: &mut Prediction) -> Result<()> {
        check_syndrome(syndrome, self.n_detectors);
        let words = words_per_row(self.n_mechanisms);
        assert_eq!(erased.len(), words, "{} words of erasure flags for {words}", erased.len());
        let (count, kernel) = self.eliminate(erased);
        self.row.fill(0);
        self.row[..self.detector_words].copy_from_slice(syndrome);
        if let Some(detector) = self.reduce() {
            let reason = format!("no error on the {count} erased mechanisms has this syndrome, by detector {detector}");
            return Err(Error::NotApplicable { method: NAME, reason });
        }
        let class = self.observables();
        out.converged = true;
        out.weight = f64::NAN;
        out.probabilities.clear();
        out.ln_class.clear();
        if self.n_observables <= LISTED {
            out.ln_class.resize(1 << self.n_observables, f64::NEG_INFINITY);
            let ln_p = (kernel as f64 - count as f64) * std::f64::consts::LN_2;
            for set in 0..1usize << self.free.len() {
                let mut other = class.clone();
                ones(&[set as u64]).for_each(|k| other.xor_assign(&self.free[k]));
                out.ln_class[other.words().first().map_or(0, |&word| word as usize)] = ln_p;
            }
        }
        out.observables = class;
        Ok(())
    }
}
