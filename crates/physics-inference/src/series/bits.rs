//! Binary series, a bit a step.

use linalg_core::checkpoint::ContentHash;

use crate::Result;

use super::SeriesError;

/// M binary series of T steps, packed: bit `t % 64` of word `t / 64` of a series is 1 for +1 and 0 for -1.
///
/// Each series lies in one piece, so that a pair is compared by XOR and popcount. Memory $`M \lceil T/64 \rceil`$ words.
/// Bits beyond the last step are 0.
///
/// ```
/// use physics_inference::series::BitSeries;
///
/// let series = BitSeries::from_rows(2, &[1, -1, 1, 1, -1, -1])?;
/// assert_eq!((series.n_series(), series.n_steps()), (2, 3));
/// assert_eq!([series.get(0, 0), series.get(1, 0)], [1, -1]);
/// assert!((series.mean(0) - 1.0 / 3.0).abs() < 1e-15);
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BitSeries {
    names: Vec<String>,
    n_steps: usize,
    words: Vec<u64>,
}

/// Names and values; room for further steps does not count.
impl PartialEq for BitSeries {
    fn eq(&self, other: &Self) -> bool {
        let same = |i: usize| self.series(i) == other.series(i);
        self.names == other.names && self.n_steps == other.n_steps && (0..self.n_series()).all(same)
    }
}

impl Eq for BitSeries {}

impl BitSeries {
    /// `n` series without a step, named `x0`, `x1`, ...
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for no series.
    pub fn new(n: usize) -> Result<Self> {
        Self::with_names((0..n).map(|i| format!("x{i}")).collect())
    }

    /// Series of these names without a step.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for no name, [`SeriesError::DuplicateName`].
    pub fn with_names(names: Vec<String>) -> Result<Self> {
        super::check_names(&names)?;
        Ok(Self { names, n_steps: 0, words: Vec::new() })
    }

    /// Series from steps one after the other: `values[t * n + i]` is series i at step t, +1 or -1.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for `n = 0`, [`SeriesError::Value`] for other values.
    ///
    /// # Panics
    /// If `values.len()` is no multiple of `n`.
    pub fn from_rows(n: usize, values: &[i8]) -> Result<Self> {
        let mut series = Self::new(n)?;
        assert_eq!(values.len() % n, 0, "{} values for steps of {n} series", values.len());
        if let Some(k) = values.iter().position(|b| b.abs() != 1) {
            let (line, column) = (k / n + 1, k % n + 1);
            let (name, found) = (series.names[k % n].clone(), values[k].to_string());
            return Err(SeriesError::Value { line, column, name, found, expected: "-1 or 1" }.into());
        }
        series.reserve(values.len() / n);
        values.chunks_exact(n).for_each(|step| series.push(step));
        Ok(series)
    }

    /// Number of series.
    pub fn n_series(&self) -> usize {
        self.names.len()
    }

    /// Number of steps.
    pub fn n_steps(&self) -> usize {
        self.n_steps
    }

    /// Name of series `i`.
    ///
    /// # Panics
    /// If there is no series `i`.
    pub fn name(&self, i: usize) -> &str {
        &self.names[i]
    }

    /// The names, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Words that a series may use before all have to move.
    fn stride(&self) -> usize {
        self.words.len() / self.names.len()
    }

    /// Makes room for `steps` steps altogether.
    pub fn reserve(&mut self, steps: usize) {
        let (old, new) = (self.stride(), steps.div_ceil(64));
        if new <= old {
            return;
        }
        let mut words = vec![0; new * self.names.len()];
        if old > 0 {
            for (to, from) in words.chunks_exact_mut(new).zip(self.words.chunks_exact(old)) {
                to[..old].copy_from_slice(from);
            }
        }
        self.words = words;
    }

    /// Appends a step; what is positive counts as +1. Amortised one operation a series.
    ///
    /// # Panics
    /// If `step.len()` is not the number of series.
    pub fn push(&mut self, step: &[i8]) {
        assert_eq!(step.len(), self.names.len(), "step of {} for {} series", step.len(), self.names.len());
        if self.n_steps == 64 * self.stride() {
            self.reserve((2 * self.n_steps).max(64));
        }
        let (word, bit, stride) = (self.n_steps / 64, self.n_steps % 64, self.stride());
        for (i, &b) in step.iter().enumerate() {
            self.words[i * stride + word] |= u64::from(b > 0) << bit;
        }
        self.n_steps += 1;
    }

    /// Series `i` at step `t`, +1 or -1.
    ///
    /// # Panics
    /// If there is no such series or step.
    pub fn get(&self, i: usize, t: usize) -> i8 {
        assert!(t < self.n_steps, "step {t} of {}", self.n_steps);
        let word = self.series(i)[t / 64];
        if word >> (t % 64) & 1 == 1 { 1 } else { -1 }
    }

    /// The words of series `i`.
    ///
    /// # Panics
    /// If there is no series `i`.
    pub fn series(&self, i: usize) -> &[u64] {
        assert!(i < self.n_series(), "series {i} of {}", self.n_series());
        &self.words[i * self.stride()..][..self.n_steps.div_ceil(64)]
    }

    /// Writes step `t` of all series into `step`.
    ///
    /// # Panics
    /// If there is no step `t`, or `step.len()` is not the number of series.
    pub fn step_into(&self, t: usize, step: &mut [i8]) {
        assert!(t < self.n_steps, "step {t} of {}", self.n_steps);
        assert_eq!(step.len(), self.n_series(), "step of {} for {} series", step.len(), self.n_series());
        let (word, bit, stride) = (t / 64, t % 64, self.stride());
        for (i, b) in step.iter_mut().enumerate() {
            *b = 2 * (self.words[i * stride + word] >> bit & 1) as i8 - 1;
        }
    }

    /// How often series `i` is +1.
    ///
    /// # Panics
    /// If there is no series `i`.
    pub fn count_up(&self, i: usize) -> u64 {
        self.series(i).iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// Mean of series `i`; NaN without a step.
    ///
    /// # Panics
    /// If there is no series `i`.
    pub fn mean(&self, i: usize) -> f64 {
        2.0 * self.count_up(i) as f64 / self.n_steps as f64 - 1.0
    }

    /// The steps `range`, as series of their own.
    ///
    /// # Panics
    /// If the range reaches beyond the last step or ends before it begins.
    pub fn steps(&self, range: std::ops::Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.n_steps, "steps {range:?} of {}", self.n_steps);
        let n_steps = range.len();
        let stride = n_steps.div_ceil(64);
        let (first, shift) = (range.start / 64, range.start % 64);
        let mut words = Vec::with_capacity(stride * self.n_series());
        for i in 0..self.n_series() {
            let from = self.series(i);
            for w in 0..stride {
                let low = from[first + w] >> shift;
                let high = if shift == 0 { 0 } else { from.get(first + w + 1).map_or(0, |x| x << (64 - shift)) };
                let left = n_steps - 64 * w;
                let mask = if left < 64 { (1 << left) - 1 } else { u64::MAX };
                words.push((low | high) & mask);
            }
        }
        Self { names: self.names.clone(), n_steps, words }
    }

    /// The first `fraction` of the steps and the rest.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a fraction outside (0, 1), [`SeriesError::TooShort`] unless both
    /// parts have at least two steps.
    pub fn split(&self, fraction: f64) -> Result<(Self, Self)> {
        if !(fraction > 0.0 && fraction < 1.0) {
            return Err(crate::Error::Parameter {
                what: "train fraction",
                value: fraction,
                expected: "between 0 and 1",
            });
        }
        let at = (fraction * self.n_steps as f64).round() as usize;
        let least = at.min(self.n_steps - at);
        if least < 2 {
            return Err(SeriesError::TooShort { found: least, needed: 2 }.into());
        }
        Ok((self.steps(0..at), self.steps(at..self.n_steps)))
    }

    /// Checks that there are two steps and that every series changes.
    ///
    /// # Errors
    /// [`SeriesError::TooShort`] for fewer than two steps, [`SeriesError::Constant`] with its name and value.
    pub fn check_varying(&self) -> Result<()> {
        if self.n_steps < 2 {
            return Err(SeriesError::TooShort { found: self.n_steps, needed: 2 }.into());
        }
        for i in 0..self.n_series() {
            let up = self.count_up(i) as usize;
            if up == 0 || up == self.n_steps {
                let value = if up == 0 { "-1" } else { "1" }.to_owned();
                return Err(SeriesError::Constant { column: i + 1, name: self.names[i].clone(), value }.into());
            }
        }
        Ok(())
    }

    /// Identifies the content: names, steps, bits.
    pub fn content_hash(&self) -> u64 {
        let mut hash = ContentHash::new();
        hash.write_u64(self.n_steps as u64);
        self.names.iter().for_each(|name| _ = hash.write_str(name));
        (0..self.n_series()).for_each(|i| _ = hash.write_u64s(self.series(i)));
        hash.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;
    use rand::RngExt;

    fn random(n: usize, steps: usize) -> (Vec<i8>, BitSeries) {
        let mut rng = Streams::new(5).stream(0);
        let values: Vec<i8> = (0..n * steps).map(|_| if rng.random::<bool>() { 1 } else { -1 }).collect();
        let series = BitSeries::from_rows(n, &values).unwrap();
        (values, series)
    }

    #[test]
    fn bits_come_back_after_growth_and_slicing() {
        let (values, series) = random(3, 333);
        let mut step = [0; 3];
        for t in 0..333 {
            series.step_into(t, &mut step);
            assert_eq!(step, values[3 * t..3 * t + 3]);
            assert_eq!(step[1], series.get(1, t));
        }
        for (start, end) in [(0, 333), (1, 64), (64, 128), (63, 200), (332, 333), (7, 7)] {
            let part = series.steps(start..end);
            assert_eq!(part, BitSeries::from_rows(3, &values[3 * start..3 * end]).unwrap());
            let up = (start..end).filter(|t| values[3 * t + 2] == 1).count() as u64;
            assert_eq!(part.count_up(2), up);
        }
    }

    #[test]
    fn a_constant_series_is_named() {
        let series = BitSeries::from_rows(2, &[1, -1, -1, -1]).unwrap();
        let error = series.check_varying().unwrap_err().to_string();
        assert_eq!(error, "column 2 (x1) is -1 in every step");
        let short = BitSeries::from_rows(1, &[1]).unwrap().check_varying().unwrap_err().to_string();
        assert_eq!(short, "1 steps, at least 2 needed");
        assert!(BitSeries::new(0).is_err());
        assert!(BitSeries::from_rows(1, &[0]).is_err());
        assert!(series.split(0.0).is_err() && series.split(f64::NAN).is_err() && series.split(0.5).is_err());
    }
}
