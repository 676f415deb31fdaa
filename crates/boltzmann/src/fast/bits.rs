//! Rows of bits: binary data.

use linalg_core::Streams;
use linalg_core::checkpoint::ContentHash;
use linalg_core::rand::RngExt;

use super::{WIDTH, valid};
use crate::{Error, Result};

/// Rows of 0/1 numbers, 64 to a word, the first in the lowest bit.
///
/// ```
/// use boltzmann::BitRows;
///
/// let data = BitRows::from_bytes(&[1, 0, 1, 0, 1, 1], 3)?;
/// assert_eq!((data.n_rows(), data.n_columns()), (2, 3));
/// assert!(data.get(1, 2) && !data.get(0, 1));
/// assert_eq!(data.means(), [0.5, 0.5, 1.0]);
/// assert!(BitRows::from_bytes(&[1, 2, 1], 3).unwrap_err().to_string().contains("entry 1 is 2"));
/// # Ok::<(), boltzmann::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct BitRows {
    words: Vec<u64>,
    n_rows: usize,
    n_columns: usize,
}

impl BitRows {
    /// Rows of `n_columns` bytes 0 or 1.
    ///
    /// # Errors
    /// [`Error::Empty`] without a row or a column, [`Error::WrongLength`] for a part of a row, [`Error::Alphabet`] with row
    /// and entry of a byte that is neither 0 nor 1.
    pub fn from_bytes(bytes: &[u8], n_columns: usize) -> Result<Self> {
        if bytes.is_empty() || n_columns == 0 {
            return Err(Error::Empty { what: "data" });
        }
        if !bytes.len().is_multiple_of(n_columns) {
            let expected = bytes.len().div_ceil(n_columns) * n_columns;
            return Err(Error::WrongLength { what: "data", got: bytes.len(), expected });
        }
        if let Some(k) = bytes.iter().position(|&x| x > 1) {
            let (row, entry) = (k / n_columns, k % n_columns);
            return Err(Error::Alphabet { row, entry, value: f64::from(bytes[k]), expected: "0 or 1" });
        }
        let n_words = n_columns.div_ceil(WIDTH);
        let n_rows = bytes.len() / n_columns;
        let mut words = vec![0; n_rows * n_words];
        for (row, words) in bytes.chunks_exact(n_columns).zip(words.chunks_exact_mut(n_words)) {
            for (k, &x) in row.iter().enumerate() {
                words[k / WIDTH] |= u64::from(x) << (k % WIDTH);
            }
        }
        Ok(Self { words, n_rows, n_columns })
    }

    /// Bits that are 1 with the probability that stands in their place: `draws` times all rows, one pass after another; pass k has
    /// stream k.
    ///
    /// ```
    /// use boltzmann::BitRows;
    /// use linalg_core::Streams;
    ///
    /// let rows = BitRows::draw(&[1.0, 0.0, 0.25], 3, 4000, Streams::new(1))?;
    /// let means = rows.means();
    /// assert_eq!((rows.n_rows(), means[0], means[1]), (4000, 1.0, 0.0));
    /// assert!((means[2] - 0.25).abs() < 0.03); // 4.4 standard deviations
    /// # Ok::<(), boltzmann::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Empty`] without a row, a column or a pass, [`Error::WrongLength`] for a part of a row, [`Error::Alphabet`] with row and
    /// entry of what is not from 0 to 1.
    pub fn draw(probabilities: &[f32], n_columns: usize, draws: usize, streams: Streams) -> Result<Self> {
        if probabilities.is_empty() || n_columns == 0 || draws == 0 {
            return Err(Error::Empty { what: "data" });
        }
        let rows = probabilities.len().div_ceil(n_columns);
        crate::error::check_length("data", probabilities.len(), rows * n_columns)?;
        if let Some(k) = probabilities.iter().position(|p| !(0.0..=1.0).contains(p)) {
            let (row, entry, value) = (k / n_columns, k % n_columns, f64::from(probabilities[k]));
            return Err(Error::Alphabet { row, entry, value, expected: "0 to 1" });
        }
        let n_words = n_columns.div_ceil(WIDTH);
        let mut words = vec![0; draws * rows * n_words];
        for (pass, words) in words.chunks_exact_mut(rows * n_words).enumerate() {
            let mut rng = streams.fast_stream(pass as u64);
            for (row, words) in probabilities.chunks_exact(n_columns).zip(words.chunks_exact_mut(n_words)) {
                for (k, &p) in row.iter().enumerate() {
                    words[k / WIDTH] |= u64::from(rng.random::<f32>() < p) << (k % WIDTH);
                }
            }
        }
        Ok(Self::from_words(words, n_columns))
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Number of bits in a row.
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// The words of a row; bits beyond the last column are 0.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, row: usize) -> &[u64] {
        assert!(row < self.n_rows, "row {row} of {}", self.n_rows);
        let n = self.n_columns.div_ceil(WIDTH);
        &self.words[row * n..][..n]
    }

    /// A bit.
    ///
    /// # Panics
    /// If there is no such row or column.
    pub fn get(&self, row: usize, column: usize) -> bool {
        assert!(column < self.n_columns, "column {column} of {}", self.n_columns);
        self.row(row)[column / WIDTH] >> (column % WIDTH) & 1 == 1
    }

    /// A row as numbers 0 and 1.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row_f64(&self, row: usize) -> Vec<f64> {
        (0..self.n_columns).map(|k| f64::from(self.get(row, k))).collect()
    }

    /// Rows `first .. first + n` as numbers 0 and 1, one after another.
    ///
    /// # Panics
    /// If there are fewer rows.
    pub fn to_f64(&self, rows: std::ops::Range<usize>) -> Vec<f64> {
        rows.flat_map(|row| self.row_f64(row)).collect()
    }

    /// The mean of every column.
    pub fn means(&self) -> Vec<f64> {
        let mut counts = vec![0u64; self.n_columns];
        for row in 0..self.n_rows {
            for_ones(self.row(row), |k| counts[k] += 1);
        }
        counts.into_iter().map(|count| count as f64 / self.n_rows as f64).collect()
    }

    /// Number of ones.
    pub fn count_ones(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// A hash of size and content.
    pub fn content_hash(&self) -> u64 {
        ContentHash::new().write_usizes(&[self.n_rows, self.n_columns]).write_u64s(&self.words).finish()
    }

    /// The mean log-likelihood of these rows under independent columns whose probabilities come from `train`, smoothed:
    /// `(ones + 1/2)/(rows + 1)`.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for other numbers of columns.
    pub fn independent_log_likelihood(&self, train: &Self) -> Result<f64> {
        crate::error::check_length("columns of the data", self.n_columns, train.n_columns)?;
        let n = train.n_rows as f64;
        let sum: f64 = self
            .means()
            .iter()
            .zip(train.means())
            .map(|(own, p)| {
                let p = (p * n + 0.5) / (n + 1.0);
                own * p.ln() + (1.0 - own) * (-p).ln_1p()
            })
            .sum();
        Ok(sum)
    }

    pub(crate) fn from_words(words: Vec<u64>, n_columns: usize) -> Self {
        let n_words = n_columns.div_ceil(WIDTH);
        debug_assert!(words.iter().enumerate().all(|(k, word)| word & !valid(n_columns, k % n_words) == 0));
        Self { n_rows: words.len() / n_words, n_columns, words }
    }
}

/// Calls `f` with the position of every set bit, ascending.
#[inline(always)]
pub(crate) fn for_ones(words: &[u64], mut f: impl FnMut(usize)) {
    for (q, &word) in words.iter().enumerate() {
        let mut left = word;
        while left != 0 {
            f(q * WIDTH + left.trailing_zeros() as usize);
            left &= left - 1;
        }
    }
}
