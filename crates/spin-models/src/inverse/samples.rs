//! Weighted samples of spins, a bit each.

use std::collections::HashMap;

use crate::{Error, Result};

/// Spins in a word.
const WORD: usize = 64;

macro_rules! spins_of_byte {
    ($number:ty) => {{
        let mut table: [[$number; 8]; 256] = [[-1.0; 8]; 256];
        let mut byte = 0;
        while byte < 256 {
            let mut k = 0;
            while k < 8 {
                if (byte >> k) & 1 == 1 {
                    table[byte][k] = 1.0;
                }
                k += 1;
            }
            byte += 1;
        }
        table
    }};
}

/// The spins of eight bits; bit 1 is +1.
pub(super) static SPINS_OF_BYTE: [[f64; 8]; 256] = spins_of_byte!(f64);
pub(super) static SPINS_OF_BYTE_SINGLE: [[f32; 8]; 256] = spins_of_byte!(f32);

/// Samples of `N` spins with weights, packed to `⌈N/64⌉` words each.
///
/// Weights need not sum to 1; averages divide by their sum. Equal samples may be merged with
/// [`merged`](Self::merged), which every method of this module does first.
///
/// ```
/// use spin_models::inverse::Samples;
///
/// let samples = Samples::from_spins(2, &[1, 1, -1, 1, 1, 1])?;
/// assert_eq!((samples.n_spins(), samples.len()), (2, 3));
/// assert_eq!(samples.spins(1), [-1, 1]);
/// let merged = samples.merged();
/// assert_eq!((merged.len(), merged.weights()), (2, &[1.0, 2.0][..]));
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked"))]
pub struct Samples {
    n_spins: usize,
    words_per_sample: usize,
    /// Sample after sample; spin i is bit `i % 64` of word `i / 64`, 1 for +1.
    words: Vec<u64>,
    weights: Vec<f64>,
    /// The effective number before equal samples were merged.
    before_merging: Option<f64>,
}

/// What a file may hold.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    n_spins: usize,
    words_per_sample: usize,
    words: Vec<u64>,
    weights: Vec<f64>,
    before_merging: Option<f64>,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for Samples {
    type Error = Error;

    fn try_from(unchecked: Unchecked) -> Result<Self> {
        let Unchecked { n_spins, words_per_sample, words, weights, before_merging } = unchecked;
        if n_spins == 0 {
            return Err(Error::NoSpins);
        }
        if weights.is_empty() {
            return Err(Error::TooFewSamples { method: "inference", what: "samples", got: 0, needed: 1 });
        }
        let expected = n_spins.div_ceil(WORD);
        if words_per_sample != expected {
            return Err(Error::WrongLength { what: "words of a sample", got: words_per_sample, expected });
        }
        if weights.len().checked_mul(words_per_sample) != Some(words.len()) {
            let expected = weights.len().saturating_mul(words_per_sample);
            return Err(Error::WrongLength { what: "words of samples", got: words.len(), expected });
        }
        let beyond = |row: &[u64]| !n_spins.is_multiple_of(WORD) && row[words_per_sample - 1] >> (n_spins % WORD) != 0;
        if let Some(sample) = words.chunks_exact(words_per_sample).position(beyond) {
            let (found, expected) = ("a bit beyond the last spin".to_owned(), "none");
            return Err(Error::SampleValue { sample, spin: n_spins, found, expected });
        }
        check_weights(&weights)?;
        if let Some(number) = before_merging.filter(|number| !(*number > 0.0 && number.is_finite())) {
            let (what, expected) = ("effective number of samples", "a finite number > 0");
            return Err(Error::Parameter { what, value: number.to_string(), expected });
        }
        Ok(Self { n_spins, words_per_sample, words, weights, before_merging })
    }
}

impl Samples {
    /// Samples of weight 1 from ±1 values, one sample after another.
    ///
    /// # Errors
    /// [`Error::NoSpins`]; [`Error::TooFewSamples`] for none; [`Error::WrongLength`] if the values do not fill samples;
    /// [`Error::SampleValue`] with the place of a value that is neither +1 nor -1.
    ///
    /// ```
    /// use spin_models::inverse::Samples;
    ///
    /// let error = Samples::from_spins(2, &[1, 1, 1, 0]).unwrap_err();
    /// assert_eq!(error.to_string(), "sample 1, spin 1: found 0, expected +1 or -1");
    /// ```
    pub fn from_spins(n_spins: usize, spins: &[i8]) -> Result<Self> {
        let count = check_shape(n_spins, spins.len())?;
        Self::pack(n_spins, count, |sample, spin| match spins[sample * n_spins + spin] {
            1 => Ok(true),
            -1 => Ok(false),
            other => Err(bad_value(sample, spin, other, "+1 or -1")),
        })
    }

    /// Samples of weight 1 from numbers: all +1 or -1, or all 0 or 1, where 1 is +1 (`s = 2x - 1`).
    ///
    /// Which of the two it is follows from the first value that is not 1. Only ones are spins up.
    ///
    /// # Errors
    /// As [`from_spins`](Self::from_spins); a NaN stands for a missing value and is refused like every other number, by
    /// its place.
    ///
    /// ```
    /// use spin_models::inverse::Samples;
    ///
    /// assert_eq!(Samples::from_numbers(2, &[1.0, 0.0])?.spins(0), [1, -1]);
    /// let error = Samples::from_numbers(2, &[1.0, 0.0, 0.0, f64::NAN]).unwrap_err();
    /// assert_eq!(error.to_string(), "sample 1, spin 1: found NaN, a missing value, expected 0 or 1");
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    #[allow(clippy::float_cmp)] // Spins are exact.
    pub fn from_numbers(n_spins: usize, values: &[f64]) -> Result<Self> {
        let count = check_shape(n_spins, values.len())?;
        let low = values.iter().copied().find(|&x| x == -1.0 || x == 0.0).unwrap_or(-1.0);
        let expected = match (low == 0.0, values.iter().any(|&x| x == -1.0 || x == 0.0)) {
            (_, false) => "+1 or -1, or 0 or 1",
            (true, _) => "0 or 1",
            (false, _) => "+1 or -1",
        };
        Self::pack(n_spins, count, |sample, spin| match values[sample * n_spins + spin] {
            1.0 => Ok(true),
            x if x == low => Ok(false),
            x if x.is_nan() => Err(bad_value(sample, spin, "NaN, a missing value", expected)),
            x => Err(bad_value(sample, spin, x, expected)),
        })
    }

    /// All `2^n` configurations with these weights; spin i of configuration k is `1 - 2 b_i`, b the bits of k.
    ///
    /// Configurations of weight 0 are left out. With Boltzmann weights the averages are those of the model, without noise.
    ///
    /// ```
    /// use spin_models::inverse::{Moments, Samples};
    ///
    /// // e^{J s s'} on a pair: <s s'> = tanh J.
    /// let (e, f) = (0.5f64.exp(), (-0.5f64).exp());
    /// let moments = Moments::of_samples(&Samples::from_states(2, &[e, f, f, e])?);
    /// assert!((moments.correlation(0, 1) - 0.5f64.tanh()).abs() < 1e-15);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoSpins`]; [`Error::TooLarge`] for more than 25 spins; [`Error::WrongLength`] unless there are `2^n`
    /// weights; as [`with_weights`](Self::with_weights).
    pub fn from_states(n_spins: usize, weights: &[f64]) -> Result<Self> {
        if n_spins == 0 {
            return Err(Error::NoSpins);
        }
        if n_spins > 25 {
            let (solver, what) = ("a table of all configurations", "number of spins");
            return Err(Error::TooLarge { solver, what, value: n_spins, bound: 25 });
        }
        let expected = 1 << n_spins;
        if weights.len() != expected {
            return Err(Error::WrongLength { what: "weights of configurations", got: weights.len(), expected });
        }
        let kept: Vec<usize> = (0..expected).filter(|&k| !matches!(weights[k], 0.0)).collect();
        let mask = (1u64 << n_spins) - 1;
        let words = kept.iter().map(|&k| !(k as u64) & mask).collect();
        let samples =
            Self { n_spins, words_per_sample: 1, words, weights: vec![1.0; kept.len()], before_merging: None };
        samples.with_weights(kept.iter().map(|&k| weights[k]).collect())
    }

    /// Packs `count` samples, asking `up` for every spin.
    pub(super) fn pack(n_spins: usize, count: usize, up: impl Fn(usize, usize) -> Result<bool>) -> Result<Self> {
        let words_per_sample = n_spins.div_ceil(WORD);
        let mut words = vec![0; count * words_per_sample];
        for (sample, row) in words.chunks_exact_mut(words_per_sample).enumerate() {
            for spin in 0..n_spins {
                row[spin / WORD] |= u64::from(up(sample, spin)?) << (spin % WORD);
            }
        }
        Ok(Self { n_spins, words_per_sample, words, weights: vec![1.0; count], before_merging: None })
    }

    /// The same samples with these weights.
    ///
    /// # Errors
    /// [`Error::WrongLength`]; [`Error::Parameter`] for a weight that is negative or not finite, and for weights that are
    /// all 0 or have no finite sum.
    pub fn with_weights(mut self, weights: Vec<f64>) -> Result<Self> {
        if weights.len() != self.len() {
            return Err(Error::WrongLength { what: "weights of samples", got: weights.len(), expected: self.len() });
        }
        check_weights(&weights)?;
        self.weights = weights;
        self.before_merging = None;
        Ok(self)
    }

    /// Number of spins.
    pub fn n_spins(&self) -> usize {
        self.n_spins
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// Never: there is always a sample.
    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    /// The weights.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The number of samples that parameter errors refer to: `(Σ w)² / Σ w²` of the weights, of those before merging where equal
    /// samples were merged; of parts of merged samples, their share of that.
    pub fn effective_number(&self) -> f64 {
        let sum: f64 = self.weights.iter().sum();
        let square: f64 = self.weights.iter().map(|w| w * w).sum();
        self.before_merging.unwrap_or(sum * sum / square)
    }

    /// One sample.
    ///
    /// # Panics
    /// If `sample >= self.len()`.
    pub fn spins(&self, sample: usize) -> Vec<i8> {
        let row = self.row(sample);
        (0..self.n_spins).map(|i| if (row[i / WORD] >> (i % WORD)) & 1 == 1 { 1 } else { -1 }).collect()
    }

    /// The words of one sample.
    pub(super) fn row(&self, sample: usize) -> &[u64] {
        &self.words[sample * self.words_per_sample..(sample + 1) * self.words_per_sample]
    }

    /// The samples with these numbers, with their weights.
    ///
    /// ```
    /// use spin_models::inverse::Samples;
    ///
    /// let samples = Samples::from_spins(2, &[1, 1, -1, 1, 1, -1])?;
    /// assert_eq!(samples.select([2, 0])?.spins(0), [1, -1]);
    /// assert!(samples.select([]).is_err());
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::TooFewSamples`] for none; [`Error::Parameter`] for weights that are all 0.
    ///
    /// # Panics
    /// If a number is not below [`len`](Self::len).
    pub fn select(&self, numbers: impl IntoIterator<Item = usize>) -> Result<Self> {
        let part = self.part(numbers);
        if part.weights.is_empty() {
            return Err(Error::TooFewSamples { method: "a selection", what: "samples", got: 0, needed: 1 });
        }
        check_weights(&part.weights)?;
        Ok(part)
    }

    /// The same, which may be none.
    fn part(&self, numbers: impl IntoIterator<Item = usize>) -> Self {
        let (mut words, mut weights) = (Vec::new(), Vec::new());
        for k in numbers {
            words.extend_from_slice(self.row(k));
            weights.push(self.weights[k]);
        }
        let share = weights.iter().sum::<f64>() / self.weights.iter().sum::<f64>();
        let before_merging = self.before_merging.map(|number| number * share);
        Self { words, before_merging, weights, ..*self }
    }

    /// Two parts: every `period`-th sample, and the rest.
    ///
    /// # Errors
    /// [`Error::TooFewSamples`] if one of them would be empty or have no weight.
    pub fn split(&self, period: usize) -> Result<(Self, Self)> {
        let every = self.part((0..self.len()).filter(|k| k % period.max(1) == period.max(1) - 1));
        let rest = self.part((0..self.len()).filter(|k| k % period.max(1) != period.max(1) - 1));
        for part in [&every, &rest] {
            if part.weights.iter().sum::<f64>() <= 0.0 {
                let (got, needed) = (self.len(), period.max(2));
                return Err(Error::TooFewSamples { method: "a split", what: "samples", got, needed });
            }
        }
        Ok((every, rest))
    }

    /// Every different sample once, with the sum of its weights; ascending in the bits. Samples of weight 0 are dropped.
    ///
    /// `O(M N/64)` on average.
    pub fn merged(&self) -> Self {
        let mut sums: HashMap<&[u64], f64> = HashMap::with_capacity(self.len());
        for (row, &weight) in self.words.chunks_exact(self.words_per_sample).zip(&self.weights) {
            if weight > 0.0 {
                *sums.entry(row).or_default() += weight;
            }
        }
        let mut rows: Vec<(&[u64], f64)> = sums.into_iter().collect();
        rows.sort_unstable_by(|a, b| a.0.cmp(b.0));
        let words = rows.iter().flat_map(|row| row.0).copied().collect();
        let weights = rows.iter().map(|row| row.1).collect();
        Self { words, weights, before_merging: Some(self.effective_number()), ..*self }
    }

    /// Writes samples `from ..` as rows of ±1.0 of length `stride >= N`, as many as fit; what is beyond N is left alone.
    pub(super) fn unpack(&self, from: usize, stride: usize, out: &mut [f64]) {
        for (k, out) in out.chunks_exact_mut(stride).enumerate() {
            unpack_row(&SPINS_OF_BYTE, self.row(from + k), &mut out[..self.n_spins]);
        }
    }
}

/// The spins of a row of words, by a table for eight of them.
pub(super) fn unpack_row<T: Copy>(table: &[[T; 8]; 256], words: &[u64], out: &mut [T]) {
    for (out, word) in out.chunks_mut(WORD).zip(words) {
        for (out, byte) in out.chunks_mut(8).zip(word.to_le_bytes()) {
            let spins = &table[usize::from(byte)];
            match <&mut [T; 8]>::try_from(&mut *out) {
                Ok(out) => *out = *spins,
                Err(_) => out.copy_from_slice(&spins[..out.len()]),
            }
        }
    }
}

fn bad_value(sample: usize, spin: usize, found: impl ToString, expected: &'static str) -> Error {
    Error::SampleValue { sample, spin, found: found.to_string(), expected }
}

/// Finite weights, none of them negative and not all of them 0.
fn check_weights(weights: &[f64]) -> Result<()> {
    if let Some(k) = weights.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
        let value = format!("{} of sample {k}", weights[k]);
        return Err(Error::Parameter { what: "weight", value, expected: "a finite number >= 0" });
    }
    let sum: f64 = weights.iter().sum();
    if !(sum > 0.0 && sum.is_finite()) {
        let expected = "a finite number > 0";
        return Err(Error::Parameter { what: "sum of the weights", value: sum.to_string(), expected });
    }
    Ok(())
}

/// The number of samples that so many values are.
fn check_shape(n_spins: usize, values: usize) -> Result<usize> {
    if n_spins == 0 {
        return Err(Error::NoSpins);
    }
    if values == 0 {
        return Err(Error::TooFewSamples { method: "inference", what: "samples", got: 0, needed: 1 });
    }
    if !values.is_multiple_of(n_spins) {
        let expected = values.div_ceil(n_spins) * n_spins;
        return Err(Error::WrongLength { what: "values of samples", got: values, expected });
    }
    Ok(values / n_spins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_is_lossless() {
        for n in [1, 7, 8, 63, 64, 65, 130] {
            let spins: Vec<i8> = (0..3 * n).map(|k| if (k * k + k / 3) % 5 < 2 { 1 } else { -1 }).collect();
            let samples = Samples::from_spins(n, &spins).unwrap();
            let back: Vec<i8> = (0..3).flat_map(|k| samples.spins(k)).collect();
            assert_eq!(back, spins);
            let mut rows = vec![7.0; 2 * (n + 1)];
            samples.unpack(1, n + 1, &mut rows);
            for k in 0..2 {
                let row: Vec<i8> = rows[k * (n + 1)..][..n].iter().map(|&x| x as i8).collect();
                assert_eq!(row, samples.spins(k + 1));
                approx::assert_abs_diff_eq!(rows[k * (n + 1) + n], 7.0, epsilon = 0.0);
            }
        }
    }

    #[test]
    fn merging_keeps_the_weights() {
        let samples = Samples::from_spins(2, &[1, 1, -1, 1, 1, 1, -1, -1]).unwrap();
        let merged = samples.clone().with_weights(vec![1.0, 2.0, 0.5, 0.0]).unwrap().merged();
        assert_eq!(merged.len(), 2);
        let total: f64 = merged.weights().iter().sum();
        approx::assert_abs_diff_eq!(total, 3.5, epsilon = 0.0);
        approx::assert_abs_diff_eq!(samples.merged().effective_number(), 4.0, epsilon = 0.0);
    }

    #[test]
    fn bad_input_is_named() {
        assert!(matches!(Samples::from_spins(0, &[]), Err(Error::NoSpins)));
        assert!(matches!(Samples::from_spins(2, &[]), Err(Error::TooFewSamples { .. })));
        assert!(matches!(Samples::from_spins(2, &[1, 1, 1]), Err(Error::WrongLength { got: 3, expected: 4, .. })));
        for x in [2.0, 0.5, f64::INFINITY, f64::NAN] {
            assert!(matches!(Samples::from_numbers(1, &[1.0, x]), Err(Error::SampleValue { sample: 1, spin: 0, .. })));
        }
        assert!(Samples::from_numbers(1, &[-1.0, 0.0]).is_err(), "alphabets are not mixed");
        let one = Samples::from_spins(1, &[1]).unwrap();
        let two = Samples::from_spins(1, &[1, -1]).unwrap().with_weights(vec![1.0, 0.0]).unwrap();
        assert!(matches!(two.select([]), Err(Error::TooFewSamples { got: 0, .. })));
        assert!(matches!(two.select([1]), Err(Error::Parameter { what: "sum of the weights", .. })));
        assert_eq!(two.select([1, 0]).unwrap().len(), 2);
        for w in [-1.0, f64::NAN, 0.0, f64::INFINITY] {
            assert!(one.clone().with_weights(vec![w]).is_err());
        }
        assert!(matches!(one.clone().with_weights(vec![]), Err(Error::WrongLength { .. })));
        assert!(one.split(5).is_err());
        assert!(Samples::from_states(26, &[]).is_err());
    }

    #[test]
    fn merging_keeps_the_effective_number() {
        let spins = [1, 1, -1, 1, 1, -1, -1, -1];
        let weighted = Samples::from_spins(2, &spins).unwrap().with_weights(vec![1.0, 1.0, 0.0, 0.0]).unwrap();
        approx::assert_relative_eq!(weighted.effective_number(), 2.0, epsilon = 1e-12);
        approx::assert_relative_eq!(weighted.merged().effective_number(), 2.0, epsilon = 1e-12);
        let equal = Samples::from_spins(2, &[1, 1, 1, 1, 1, 1, -1, 1]).unwrap();
        let merged = equal.merged();
        assert_eq!((merged.len(), merged.effective_number()), (2, 4.0));
        approx::assert_relative_eq!(merged.merged().effective_number(), 4.0, epsilon = 1e-12);
        // Three of the four samples are the one with both spins up.
        let parts = [0, 1].map(|k| merged.select([k]).unwrap().effective_number());
        approx::assert_relative_eq!(parts[0] + parts[1], 4.0, epsilon = 1e-12);
        approx::assert_relative_eq!(parts.iter().copied().fold(0.0, f64::max), 3.0, epsilon = 1e-12);
        approx::assert_relative_eq!(
            merged.with_weights(vec![1.0, 0.0]).unwrap().effective_number(),
            1.0,
            epsilon = 1e-12
        );
    }

    #[cfg(feature = "serde")]
    #[test]
    fn files_hold_samples() {
        let spins: Vec<i8> = (0..4 * 70).map(|k| if k % 3 == 0 || k > 139 { 1 } else { -1 }).collect();
        let samples = Samples::from_spins(70, &spins).unwrap().merged();
        let file = |change: fn(&mut Unchecked)| {
            let Samples { n_spins, words_per_sample, words, weights, before_merging } = samples.clone();
            let mut unchecked = Unchecked { n_spins, words_per_sample, words, weights, before_merging };
            change(&mut unchecked);
            Samples::try_from(unchecked)
        };
        assert_eq!(file(|_| {}).unwrap(), samples);
        let changes: [fn(&mut Unchecked); 9] = [
            |file| file.n_spins = 0,
            |file| file.n_spins = 64,
            |file| file.n_spins = 69,
            |file| file.words_per_sample = 1,
            |file| file.words.truncate(1),
            |file| (file.words, file.weights) = (Vec::new(), Vec::new()),
            |file| file.words[1] |= 1 << 63,
            |file| file.weights[0] = -1.0,
            |file| file.before_merging = Some(0.0),
        ];
        for (k, change) in changes.into_iter().enumerate() {
            assert!(file(change).is_err(), "change {k}");
        }
    }
}
