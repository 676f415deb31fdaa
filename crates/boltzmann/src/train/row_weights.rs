//! Data in which some rows count more than others.

use linalg_core::checkpoint::ContentHash;

use crate::error::{check_finite, check_length};
use crate::{Error, Result};

/// Weights of the rows of the data, or of their classes.
///
/// A run with them learns the law
///
/// ```math
/// P_{\text{data}}(v) = \frac{\sum_r w_r\, \delta(v, v_r)}{\sum_r w_r}
/// ```
///
/// in place of that of equal weights. Whole data enter with their exact weights. Batches of
/// [`DenseTrainer`](super::DenseTrainer) are drawn with probability w_r. An epoch of [`Trainer`](super::Trainer) with n rows holds row r
/// either ⌊n w_r / Σw⌋ or ⌈n w_r / Σw⌉ times, in the mean n w_r / Σw times (systematic sampling, one random offset an epoch).
///
/// ```
/// use boltzmann::partition::exact_ln_z;
/// use boltzmann::train::{DenseParams, DenseTrainer, RowWeights, Schedule};
/// use boltzmann::units::Bernoulli;
/// use boltzmann::Rbm;
/// use linalg_core::Streams;
///
/// // Three rows of class 0 and one of class 1; each class shall count one half.
/// let data = [0.0, 0.0, 0.0, 1.0];
/// let weights = RowWeights::balanced(&[0, 0, 0, 1])?;
/// let start = Rbm::random(Bernoulli, Bernoulli, 1, 1, 0.1, &mut Streams::new(0).stream(0))?;
/// let params = DenseParams::default().learning_rate(1.0, Schedule::Constant).updates(500);
/// let mut trainer = DenseTrainer::new(start, &data, params, Streams::new(1))?.with_row_weights(weights)?;
/// trainer.run()?;
/// let rbm = trainer.machine();
/// let ln_p = -rbm.free_energy(&[1.0], 1.0) - exact_ln_z(rbm, 1.0)?;
/// assert!((ln_p - 0.5f64.ln()).abs() < 1e-6);
/// # Ok::<(), boltzmann::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RowWeights {
    /// With sum 1.
    weights: Vec<f64>,
    /// Sums of the weights up to and with each row; the last is 1.
    cumulative: Vec<f64>,
}

impl RowWeights {
    /// Weights of the rows, up to a common factor; rows of weight 0 are never seen.
    ///
    /// # Errors
    /// [`Error::Empty`] without rows, [`Error::NotFinite`], [`Error::Parameter`] for a negative weight or when the sum is 0 or
    /// overflows.
    pub fn new(weights: &[f64]) -> Result<Self> {
        if weights.is_empty() {
            return Err(Error::Empty { what: "row weights" });
        }
        check_finite("row weights", weights)?;
        if let Some(row) = weights.iter().position(|w| *w < 0.0) {
            let value = format!("{} (row {row})", weights[row]);
            return Err(Error::Parameter { what: "row weight", value, expected: "0 or more" });
        }
        let sum: f64 = weights.iter().sum();
        if !(sum.is_normal() && (1.0 / sum).is_finite()) {
            let value = sum.to_string();
            return Err(Error::Parameter { what: "sum of the row weights", value, expected: "positive and finite" });
        }
        let weights: Vec<f64> = weights.iter().map(|w| w / sum).collect();
        let mut total = 0.0;
        let mut cumulative: Vec<f64> = (weights.iter())
            .map(|w| {
                total += w;
                total
            })
            .collect();
        // The last row that counts, and what follows it, end the interval whatever the rounding.
        let last = weights.iter().rposition(|w| *w > 0.0).unwrap_or(0);
        cumulative[..last].iter_mut().for_each(|x| *x = x.min(1.0));
        cumulative[last..].fill(1.0);
        Ok(Self { weights, cumulative })
    }

    /// The weight of its class for every row.
    ///
    /// # Errors
    /// [`Error::Alphabet`] for a label beyond the classes (its row), and those of [`new`](Self::new).
    pub fn of_classes(labels: &[usize], class_weights: &[f64]) -> Result<Self> {
        check_finite("class weights", class_weights)?;
        let weight = |(row, &label): (usize, &usize)| {
            let expected = "a class below the number of classes";
            let error = || Error::Alphabet { row, entry: 0, value: label as f64, expected };
            class_weights.get(label).copied().ok_or_else(error)
        };
        Self::new(&labels.iter().enumerate().map(weight).collect::<Result<Vec<_>>>()?)
    }

    /// Every class that occurs counts the same, whatever the number of its rows.
    ///
    /// # Errors
    /// [`Error::Empty`] without rows.
    pub fn balanced(labels: &[usize]) -> Result<Self> {
        let mut counts = std::collections::BTreeMap::<usize, u32>::new();
        labels.iter().for_each(|&label| *counts.entry(label).or_default() += 1);
        Self::new(&labels.iter().map(|label| 1.0 / f64::from(counts[label])).collect::<Vec<_>>())
    }

    /// The weights, which sum to 1.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Refuses weights for another number of rows.
    pub(super) fn check_rows(&self, n_rows: usize) -> Result<()> {
        check_length("row weights", self.weights.len(), n_rows)
    }

    /// The row in which `u` of [0, 1) falls.
    pub(super) fn row_at(&self, u: f64) -> usize {
        self.cumulative.partition_point(|x| *x <= u).min(self.weights.len() - 1)
    }

    /// As many rows as there are, ascending, each about as often as its weight says; `u` of [0, 1) is the offset.
    pub(super) fn systematic(&self, u: f64) -> impl Iterator<Item = u32> {
        let n = self.weights.len();
        let mut row = 0;
        (0..n).map(move |k| {
            let place = (k as f64 + u) / n as f64;
            while row + 1 < n && self.cumulative[row] <= place {
                row += 1;
            }
            row as u32
        })
    }

    pub(super) fn hash_into(&self, hash: &mut ContentHash) {
        hash.write_f64s(&self.weights);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_as_often_as_their_weights_say() {
        let weights = RowWeights::new(&[1.0, 0.0, 4.0, 3.0, 0.0]).unwrap();
        assert_eq!(weights.weights(), [0.125, 0.0, 0.5, 0.375, 0.0]);
        // Over a grid of offsets the mean count is n w exactly, and no count is off by one or more.
        let offsets = 40;
        let mut counts = [0; 5];
        for k in 0..offsets {
            let rows: Vec<u32> = weights.systematic((f64::from(k) + 0.5) / f64::from(offsets)).collect();
            assert_eq!(rows.len(), 5);
            for (row, w) in weights.weights().iter().enumerate() {
                let count = rows.iter().filter(|r| **r == row as u32).count();
                assert!((count as f64 - 5.0 * w).abs() < 1.0, "{row} {count}");
                counts[row] += count;
            }
        }
        assert_eq!(counts, [25, 0, 100, 75, 0]);
        assert_eq!([0.0, 0.1249, 0.125, 0.62, 0.63, 0.999_999].map(|u| weights.row_at(u)), [0, 0, 2, 2, 3, 3]);
        // Equal weights are an ordinary epoch.
        let equal: Vec<u32> = RowWeights::new(&[0.1; 7]).unwrap().systematic(0.5).collect();
        assert_eq!(equal, (0..7).collect::<Vec<u32>>());
    }

    #[test]
    fn classes_count_what_they_shall() {
        let labels = [2, 0, 0, 2, 2, 5];
        let balanced = RowWeights::balanced(&labels).unwrap();
        for class in [0, 2, 5] {
            let rows = labels.iter().zip(balanced.weights()).filter(|(label, _)| **label == class);
            assert!((rows.map(|(_, w)| w).sum::<f64>() - 1.0 / 3.0).abs() < 1e-15);
        }
        let classes = RowWeights::of_classes(&[1, 0, 1], &[2.0, 1.0]).unwrap();
        assert_eq!(classes.weights(), [0.25, 0.5, 0.25]);
    }

    #[test]
    fn bad_weights_are_refused_with_their_place() {
        let message = |weights: &[f64]| RowWeights::new(weights).unwrap_err().to_string();
        assert_eq!(message(&[]), "row weights is empty");
        assert!(message(&[1.0, f64::NAN]).starts_with("row weights[1] is NaN"));
        assert!(message(&[1.0, -2.0]).starts_with("row weight is -2 (row 1)"));
        assert!(message(&[0.0, 0.0]).starts_with("sum of the row weights is 0"));
        assert!(message(&[1e308, 1e308]).starts_with("sum of the row weights is inf"));
        assert!(message(&[1e-310]).starts_with("sum of the row weights is"));
        let error = RowWeights::of_classes(&[0, 3], &[1.0, 1.0]).unwrap_err().to_string();
        assert_eq!(error, "row 1, entry 0 is 3, expected a class below the number of classes");
        assert!(RowWeights::balanced(&[]).is_err());
    }
}
