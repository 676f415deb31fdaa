//! Erasure with known places, as shots whose rows hold the places.

use linalg_core::Streams;
use linalg_core::gf2::BinaryCsc;
use linalg_core::rand::{Rng, RngExt};

use super::source::ShotSource;
use crate::code::StabilizerCode;
use crate::decode::{Decoder, Prediction};
use crate::error::{Error, Result};
use crate::noise::Erasure;
use crate::problem::DecodingProblem;
use crate::shots::{ShotsMut, words_per_row};

/// Shots of a code under [`Erasure`]: the syndrome, and which mechanisms were erased.
///
/// X and Z of every qubit are a mechanism each, of probability 0, and of probability 1/2 where the qubit is erased. A row of
/// detectors holds the syndrome, then a flag a mechanism: those of X of all qubits, then those of Z. [`Flagged`] decoders
/// read such rows.
///
/// ```
/// use linalg_core::Streams;
/// use quantum_ec::code;
/// use quantum_ec::decode::{Decoder, ErasureDecoder};
/// use quantum_ec::noise::Erasure;
/// use quantum_ec::sample::{CollectParams, ErasureSource, Flagged, Row, collect};
///
/// // The code has distance 3: it corrects any two erasures.
/// let code = code::parse("five-qubit")?;
/// let source = ErasureSource::new(&code, &Erasure::uniform(5, 0.1)?)?;
/// let problem = source.problem().clone();
/// let build = || Ok(Box::new(Flagged::new(ErasureDecoder::new(&problem)?, 10)) as Box<dyn Decoder>);
/// let mut row = Row::default();
/// let params = CollectParams::default().max_shots(10_000);
/// collect(&mut row, &source, &build, None, &params, &Streams::new(1), &mut ())?;
/// // Three or more have the probability 0.00856.
/// assert!(row.rate() < 0.012);
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ErasureSource {
    problem: DecodingProblem,
    p: Vec<f64>,
    /// What X and Z of each qubit flip.
    flips: Vec<[Flips; 2]>,
}

#[derive(Debug, Clone, Default)]
struct Flips {
    detectors: Vec<usize>,
    observables: Vec<usize>,
}

impl ErasureSource {
    /// The code under this noise. Observables are those of [`CosetModel::stabilizer`](crate::statmech::CosetModel::stabilizer):
    /// logical X of every qubit was applied, then logical Z.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for noise on another number of qubits.
    pub fn new(code: &StabilizerCode, noise: &Erasure) -> Result<Self> {
        let (n, p) = (code.n_qubits(), noise.probabilities().to_vec());
        if p.len() != n {
            return Err(Error::WrongLength { what: "qubits of erasure noise", got: p.len(), expected: n });
        }
        let mut flips = vec![[Flips::default(), Flips::default()]; n];
        for (i, generator) in code.generators().iter().enumerate() {
            for (q, pauli) in generator.support() {
                let (x, z) = pauli.bits();
                // X is seen by what has Z, and the other way around.
                [z, x].iter().zip(&mut flips[q]).filter(|(seen, _)| **seen).for_each(|(_, f)| f.detectors.push(i));
            }
        }
        for (i, logical) in code.logical_z().iter().chain(code.logical_x()).enumerate() {
            for (q, pauli) in logical.support() {
                let (x, z) = pauli.bits();
                [z, x].iter().zip(&mut flips[q]).filter(|(seen, _)| **seen).for_each(|(_, f)| f.observables.push(i));
            }
        }
        let all = |kind: usize| flips.iter().map(move |of| &of[kind]);
        let checks = all(0).chain(all(1)).map(|f| f.detectors.clone());
        let checks = BinaryCsc::from_columns(code.generators().len(), checks)?;
        let observables = all(0).chain(all(1)).map(|f| f.observables.clone());
        let observables = BinaryCsc::from_columns(2 * code.n_logical(), observables)?;
        let problem = DecodingProblem::new(checks, observables, vec![0.0; 2 * n])?;
        Ok(Self { problem, p, flips })
    }

    /// The mechanisms, all of probability 0: X of every qubit, then Z.
    pub fn problem(&self) -> &DecodingProblem {
        &self.problem
    }
}

impl ShotSource for ErasureSource {
    fn n_detectors(&self) -> usize {
        self.problem.n_detectors() + self.problem.n_mechanisms()
    }

    fn n_observables(&self) -> usize {
        self.problem.n_observables()
    }

    fn sample_unit(&self, unit: u64, streams: &Streams, mut detectors: ShotsMut<'_>, mut observables: ShotsMut<'_>) {
        let (d, n) = (self.problem.n_detectors(), self.p.len());
        let mut rng = streams.fast_stream(unit);
        let flip = |row: &mut [u64], bit: usize| row[bit / 64] ^= 1 << (bit % 64);
        for shot in 0..detectors.n_shots() {
            let (row, seen) = (detectors.row_mut(shot), observables.row_mut(shot));
            row.fill(0);
            seen.fill(0);
            for (q, (&p, flips)) in self.p.iter().zip(&self.flips).enumerate() {
                if rng.random::<f64>() >= p {
                    continue;
                }
                flip(row, d + q);
                flip(row, d + n + q);
                let bits = rng.next_u64();
                for (_, flips) in [63, 62].iter().zip(flips).filter(|(bit, _)| bits >> **bit & 1 == 1) {
                    flips.detectors.iter().for_each(|&i| flip(row, i));
                    flips.observables.iter().for_each(|&i| flip(seen, i));
                }
            }
        }
    }
}

/// A decoder whose rows of detectors go on with erasure flags.
#[derive(Debug, Clone)]
pub struct Flagged<D> {
    inner: D,
    n_flags: usize,
    syndrome: Vec<u64>,
    flags: Vec<u64>,
}

impl<D: Decoder> Flagged<D> {
    /// Gives the last `n_flags` bits of every row to [`Decoder::decode_erased_into`], the ones before as the syndrome.
    pub fn new(inner: D, n_flags: usize) -> Self {
        let syndrome = vec![0; words_per_row(inner.n_detectors())];
        Self { inner, n_flags, syndrome, flags: vec![0; words_per_row(n_flags)] }
    }
}

impl<D: Decoder> Decoder for Flagged<D> {
    fn n_detectors(&self) -> usize {
        self.inner.n_detectors() + self.n_flags
    }

    fn n_observables(&self) -> usize {
        self.inner.n_observables()
    }

    fn decode_into(&mut self, row: &[u64], out: &mut Prediction) -> Result<()> {
        let d = self.inner.n_detectors();
        let words = words_per_row(d + self.n_flags);
        assert_eq!(row.len(), words, "a row of {} words for {words}", row.len());
        copy_bits(row, 0, d, &mut self.syndrome);
        copy_bits(row, d, self.n_flags, &mut self.flags);
        self.inner.decode_erased_into(&self.syndrome, &self.flags, out)
    }
}

/// The bits from `start` on.
fn copy_bits(row: &[u64], start: usize, n: usize, out: &mut [u64]) {
    let (first, shift) = (start / 64, start % 64);
    for (k, word) in out.iter_mut().enumerate() {
        let low = row.get(first + k).map_or(0, |word| word >> shift);
        let high = if shift == 0 { 0 } else { row.get(first + k + 1).map_or(0, |word| word << (64 - shift)) };
        *word = low | high;
    }
    if let Some(last) = out.last_mut().filter(|_| !n.is_multiple_of(64)) {
        *last &= u64::MAX >> (64 - n % 64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code;
    use crate::decode::{ErasureDecoder, MaximumLikelihood};
    use crate::shots::Shots;
    use crate::statmech::SyndromeDistribution;

    #[test]
    fn bits_are_copied_across_words() {
        let row = [0x8000_0000_0000_0001, 0xF0F0, 0b101];
        let mut out = [0; 2];
        copy_bits(&row, 63, 66, &mut out);
        assert_eq!(out, [0x1_E1E1, 0b10]);
        copy_bits(&row, 64, 66, &mut out);
        assert_eq!(out, [0xF0F0, 0b01]);
        copy_bits(&row, 0, 64, &mut out[..1]);
        assert_eq!(out[0], row[0]);
    }

    #[test]
    fn three_decoders_agree_with_the_distribution_of_the_erased_table() {
        // Oracle: the sum over all errors of the table of a shot, 1/4 for each Pauli on erased qubits.
        for name in ["steane", "five-qubit", "rotated-surface:3", "toric:2"] {
            let code = code::parse(name).unwrap();
            let n = code.n_qubits();
            let noise = Erasure::uniform(n, 0.5).unwrap();
            let source = ErasureSource::new(&code, &noise).unwrap();
            let d = source.problem().n_detectors();
            let mut rows = Shots::zeros(12, source.n_detectors());
            let mut seen = Shots::zeros(12, source.n_observables());
            source.sample_unit(0, &Streams::new(4), rows.view_mut(), seen.view_mut());
            let mut by_algebra = Flagged::new(ErasureDecoder::new(source.problem()).unwrap(), 2 * n);
            let mut by_sums = Flagged::new(MaximumLikelihood::automatic(source.problem()).unwrap(), 2 * n);
            let (mut a, mut b) = (Prediction::new(0), Prediction::new(0));
            for shot in 0..12 {
                let row = rows.row(shot);
                let erased = (0..n).map(|q| rows.get(shot, d + q)).collect();
                let table = noise.table_given(&erased).unwrap();
                let exact = SyndromeDistribution::stabilizer(&code, table.rows()).unwrap();
                let mut syndrome = [0];
                copy_bits(row, 0, d, &mut syndrome);
                let classes = exact.classes(syndrome[0] as usize);
                assert!(classes[seen.row(shot)[0] as usize] > 0.0, "{name} {shot}");
                by_algebra.decode_into(row, &mut a).unwrap();
                by_sums.decode_into(row, &mut b).unwrap();
                for (class, &p) in classes.iter().enumerate() {
                    for (which, found) in [("algebra", &a), ("sums", &b)] {
                        let ln = found.ln_class[class];
                        let same = if p > 0.0 { (ln - p.ln()).abs() < 1e-10 } else { ln == f64::NEG_INFINITY };
                        assert!(same, "{name} {shot} {which} {class}: {} for {p}", found.ln_class[class]);
                    }
                }
                // The first of the possible ones.
                let first = classes.iter().position(|p| *p > 0.0).unwrap() as u64;
                assert_eq!(a.observables.words(), [first]);
            }
        }
    }

    #[test]
    fn bad_input_is_named() {
        let code = code::parse("five-qubit").unwrap();
        let error = ErasureSource::new(&code, &Erasure::uniform(4, 0.1).unwrap()).unwrap_err().to_string();
        assert_eq!(error, "qubits of erasure noise: 4 given, 5 expected");
        let source = ErasureSource::new(&code, &Erasure::uniform(5, 0.1).unwrap()).unwrap();
        let problem = source.problem();
        let other =
            DecodingProblem::new(problem.checks().clone(), problem.observables().clone(), vec![0.1; 10]).unwrap();
        assert_eq!(
            ErasureDecoder::new(&other).unwrap_err().to_string(),
            "erasure decoding does not apply: mechanism 0 has probability 0.1, expected 0 for all that are not erased"
        );
        let mut decoder = ErasureDecoder::new(problem).unwrap();
        let error = decoder.decode_erased_into(&[1], &[1], &mut Prediction::new(2)).unwrap_err().to_string();
        assert!(error.contains("no error on the 1 erased mechanisms has this syndrome, by detector "), "{error}");
        let error = Flagged::new(crate::decode::Lookup::new(problem).unwrap(), 10);
        let mut lookup = error;
        let error = lookup.decode_into(&[1 << 4], &mut Prediction::new(2)).unwrap_err().to_string();
        assert_eq!(error, "erasure does not apply: this decoder has no priors that change from shot to shot");
    }
}
