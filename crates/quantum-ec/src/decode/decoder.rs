//! The trait of all decoders.

use linalg_core::gf2::BitVec;

use crate::error::{Error, Result};
use crate::shots::{ShotsMut, ShotsRef, words_per_row};

/// What a decoder says about one syndrome; reused from shot to shot.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The observables predicted to be flipped.
    pub observables: BitVec,
    /// `Σ ln((1 - p)/p)` over the chosen mechanisms, before any rounding; NaN if the decoder chooses none.
    pub weight: f64,
    /// `ln P(syndrome, class)` for every class of observables, bit `i` of the class index being observable `i`;
    /// empty if the decoder does not compute it.
    pub ln_class: Vec<f64>,
    /// The probability, given the syndrome, that each observable is flipped, from decoders that compute this and not
    /// `ln_class`; empty from others. [`marginals`](Self::marginals) has it from either.
    pub probabilities: Vec<f64>,
    /// Whether the numbers of `ln_class` and `probabilities` are what they are meant to be. False where an approximate
    /// solver says that it did not converge at one of them: the prediction and what is read off the classes may then be
    /// anything.
    pub converged: bool,
}

impl Default for Prediction {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Prediction {
    /// A prediction of no flips of `n_observables` observables.
    pub fn new(n_observables: usize) -> Self {
        Self {
            observables: BitVec::zeros(n_observables),
            weight: f64::NAN,
            ln_class: Vec::new(),
            probabilities: Vec::new(),
            converged: true,
        }
    }
}

/// What became of a batch.
#[derive(Debug, Default)]
pub struct BatchReport {
    /// Shots decoded.
    pub decoded: usize,
    /// Shots among them whose predictions are not [converged](Prediction::converged).
    pub unconverged: usize,
    /// The shots that failed and why; their predictions are zero.
    pub failures: Vec<(usize, Error)>,
}

/// Predicts observables from syndromes. Owns its scratch memory; one decoder a thread.
///
/// Decoders are deterministic: the same syndrome gives the same prediction, ties included.
pub trait Decoder: Send {
    /// Bits of a syndrome.
    fn n_detectors(&self) -> usize;

    /// Bits of a prediction.
    fn n_observables(&self) -> usize;

    /// Decodes one syndrome, packed as a row of [`Shots`](crate::Shots).
    ///
    /// # Errors
    /// When no error has this syndrome or the method fails at it; `out` is then unspecified.
    ///
    /// # Panics
    /// If `syndrome` has another number of words than `n_detectors` bits need.
    fn decode_into(&mut self, syndrome: &[u64], out: &mut Prediction) -> Result<()>;

    /// Decodes one syndrome of a shot in which some mechanisms are known to have been erased: each of them happened with
    /// probability 1/2. `erased` has a bit a mechanism of the problem or model that the decoder was built of.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] from decoders that do not take erasures; as [`decode_into`](Self::decode_into).
    ///
    /// # Panics
    /// As [`decode_into`](Self::decode_into).
    fn decode_erased_into(&mut self, syndrome: &[u64], erased: &[u64], out: &mut Prediction) -> Result<()> {
        if erased.iter().all(|word| *word == 0) {
            return self.decode_into(syndrome, out);
        }
        let reason = "this decoder has no priors that change from shot to shot".to_owned();
        Err(Error::NotApplicable { method: "erasure", reason })
    }

    /// Decodes one syndrome into a new prediction.
    ///
    /// # Errors
    /// As [`decode_into`](Self::decode_into).
    ///
    /// # Panics
    /// If the syndrome has another length than `n_detectors`.
    fn decode(&mut self, syndrome: &BitVec) -> Result<Prediction> {
        assert_eq!(syndrome.len(), self.n_detectors(), "{} bits for {} detectors", syndrome.len(), self.n_detectors());
        let mut out = Prediction::new(self.n_observables());
        self.decode_into(syndrome.words(), &mut out)?;
        Ok(out)
    }

    /// Decodes all rows of `shots` into the rows of `out`. A shot that fails is reported and does not stop the others.
    ///
    /// # Errors
    /// Only for what makes the whole batch senseless.
    ///
    /// # Panics
    /// If the tables do not have the decoder's widths or not equally many rows.
    fn decode_batch(&mut self, shots: ShotsRef<'_>, out: &mut ShotsMut<'_>) -> Result<BatchReport> {
        check_batch(self.n_detectors(), self.n_observables(), shots, out);
        let mut report = BatchReport::default();
        let mut prediction = Prediction::new(self.n_observables());
        for shot in 0..shots.n_shots() {
            let row = out.row_mut(shot);
            match self.decode_into(shots.row(shot), &mut prediction) {
                Ok(()) => {
                    row.copy_from_slice(prediction.observables.words());
                    report.decoded += 1;
                    report.unconverged += usize::from(!prediction.converged);
                }
                Err(error) => {
                    row.fill(0);
                    report.failures.push((shot, error));
                }
            }
        }
        Ok(report)
    }
}

impl<D: Decoder + ?Sized> Decoder for Box<D> {
    fn n_detectors(&self) -> usize {
        (**self).n_detectors()
    }

    fn n_observables(&self) -> usize {
        (**self).n_observables()
    }

    fn decode_into(&mut self, syndrome: &[u64], out: &mut Prediction) -> Result<()> {
        (**self).decode_into(syndrome, out)
    }

    fn decode_erased_into(&mut self, syndrome: &[u64], erased: &[u64], out: &mut Prediction) -> Result<()> {
        (**self).decode_erased_into(syndrome, erased, out)
    }

    fn decode_batch(&mut self, shots: ShotsRef<'_>, out: &mut ShotsMut<'_>) -> Result<BatchReport> {
        (**self).decode_batch(shots, out)
    }
}

/// Panics unless the tables fit.
pub(crate) fn check_batch(n_detectors: usize, n_observables: usize, shots: ShotsRef<'_>, out: &ShotsMut<'_>) {
    assert_eq!(shots.n_bits(), n_detectors, "{} bits for {n_detectors} detectors", shots.n_bits());
    assert_eq!(out.n_bits(), n_observables, "{} bits for {n_observables} observables", out.n_bits());
    assert_eq!(out.n_shots(), shots.n_shots(), "{} predictions for {} shots", out.n_shots(), shots.n_shots());
}

/// Panics unless a syndrome has the words of `n_detectors` bits.
pub(crate) fn check_syndrome(syndrome: &[u64], n_detectors: usize) {
    let words = words_per_row(n_detectors);
    assert_eq!(syndrome.len(), words, "a syndrome of {} words for {words}", syndrome.len());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shots::Shots;

    /// Predicts the first two detectors; refuses the third.
    struct Copy;

    impl Decoder for Copy {
        fn n_detectors(&self) -> usize {
            3
        }

        fn n_observables(&self) -> usize {
            2
        }

        fn decode_into(&mut self, syndrome: &[u64], out: &mut Prediction) -> Result<()> {
            check_syndrome(syndrome, 3);
            if syndrome[0] & 4 != 0 {
                return Err(Error::ImpossibleSyndrome { checks: vec![2] });
            }
            for i in 0..2 {
                out.observables.set(i, syndrome[0] >> i & 1 == 1);
            }
            Ok(())
        }
    }

    #[test]
    fn a_failing_shot_does_not_stop_the_batch() {
        let mut shots = Shots::new(3);
        for row in [1, 4, 2] {
            shots.push(&[row]);
        }
        let mut out = Shots::zeros(3, 2);
        let report = Copy.decode_batch(shots.view(), &mut out.view_mut()).unwrap();
        assert_eq!([out.row(0), out.row(1), out.row(2)], [&[1], &[0], &[2]]);
        assert_eq!((report.decoded, report.failures.len(), report.failures[0].0), (2, 1, 1));
    }

    #[test]
    fn decoders_are_objects() {
        let mut decoder: Box<dyn Decoder> = Box::new(Copy);
        let syndrome = BitVec::from_ones(3, [1]).unwrap();
        assert_eq!(decoder.decode(&syndrome).unwrap().observables.to_string(), "01");
    }
}
