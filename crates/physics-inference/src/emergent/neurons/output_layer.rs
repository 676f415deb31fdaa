//! A linear layer that is refitted exactly.

use crate::emergent::{all_finite, positive};
use crate::{Error, Result};

/// Part of a column outside the span of the others, over its square, below which it is refused.
const INDEPENDENT: f64 = 1e-10;

/// Least squares of targets on the outputs of hidden neurons and a constant, with the inverse of the normal matrix at hand.
///
/// ```math
/// J = \tfrac12 |y - Xw|^2 + \tfrac\lambda2 |w|^2, \qquad P = (X^T X + \lambda)^{-1}
/// ```
///
/// Without neuron `i` the refitted loss is larger by exactly $`w_i^2/2P_{ii}`$; with a new column $`x`$ it is smaller by exactly
/// $`(x\cdot r)^2/2s`$, $`r`$ the residual and $`s`$ the part of $`|x|^2 + \lambda`$ that the others do not explain. Both changes
/// update $`P`$ by a matrix of rank one.
///
/// ```
/// use physics_inference::emergent::neurons::OutputLayer;
///
/// // y = 1 + 2x on x = -1, 0, 1: without x the loss is (4 + 0 + 4)/2.
/// let mut layer = OutputLayer::new(&[-1.0, 1.0, 3.0], 0.0)?;
/// layer.add(&[-1.0, 0.0, 1.0])?;
/// assert!(layer.loss() < 1e-14 && (layer.score_removal(0) - 4.0).abs() < 1e-14);
/// layer.remove(0);
/// assert!((layer.loss() - 4.0).abs() < 1e-14);
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OutputLayer {
    targets: Vec<f64>,
    ridge: f64,
    /// The constant first.
    columns: Vec<Vec<f64>>,
    inverse: Vec<Vec<f64>>,
    weights: Vec<f64>,
    residual: Vec<f64>,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

impl OutputLayer {
    /// A layer without neurons: a constant fitted to the targets, with a ridge that may be 0.
    ///
    /// # Errors
    /// [`linalg_core::Error::Empty`] for no targets, [`Error::NotFinite`], [`Error::Parameter`] for a negative ridge.
    pub fn new(targets: &[f64], ridge: f64) -> Result<Self> {
        if targets.is_empty() {
            return Err(linalg_core::Error::Empty { what: "targets" }.into());
        }
        all_finite("target", targets)?;
        if !(ridge >= 0.0 && ridge.is_finite()) {
            return Err(Error::Parameter { what: "ridge", value: ridge, expected: "a finite number >= 0" });
        }
        let mut this = Self {
            targets: targets.to_vec(),
            ridge,
            columns: Vec::new(),
            inverse: Vec::new(),
            weights: Vec::new(),
            residual: targets.to_vec(),
        };
        this.push(vec![1.0; targets.len()])?;
        Ok(this)
    }

    /// Number of neurons.
    pub fn n_neurons(&self) -> usize {
        self.columns.len() - 1
    }

    /// The loss $`J`$ at the optimal weights.
    pub fn loss(&self) -> f64 {
        0.5 * (dot(&self.residual, &self.residual) + self.ridge * dot(&self.weights, &self.weights))
    }

    /// Weight of a neuron.
    ///
    /// # Panics
    /// When there is no such neuron.
    pub fn weight(&self, neuron: usize) -> f64 {
        self.weights[neuron + 1]
    }

    /// The constant.
    pub fn bias(&self) -> f64 {
        self.weights[0]
    }

    /// Targets minus predictions.
    pub fn residual(&self) -> &[f64] {
        &self.residual
    }

    /// How much the loss rises when this neuron goes and the others are refitted. O(1).
    ///
    /// # Panics
    /// When there is no such neuron.
    pub fn score_removal(&self, neuron: usize) -> f64 {
        let i = neuron + 1;
        0.5 * self.weights[i] * self.weights[i] / self.inverse[i][i]
    }

    /// How much the loss falls when a column is added and all are refitted, 0 for a column that the others span.
    /// O(n N + N²) for n targets and N neurons.
    ///
    /// # Panics
    /// When there is not an output for each target.
    pub fn score_addition(&self, column: &[f64]) -> f64 {
        let (_, own, share) = self.independent(column);
        if share <= INDEPENDENT || own.is_nan() {
            return 0.0;
        }
        0.5 * dot(column, &self.residual).powi(2) / own
    }

    /// $`P X^T x`$, the part of the square outside the span, and that over the square.
    fn independent(&self, column: &[f64]) -> (Vec<f64>, f64, f64) {
        let n = self.targets.len();
        assert!(column.len() == n, "{} outputs for {n} targets", column.len());
        let overlap: Vec<f64> = self.columns.iter().map(|c| dot(c, column)).collect();
        let gain: Vec<f64> = self.inverse.iter().map(|row| dot(row, &overlap)).collect();
        let square = dot(column, column) + self.ridge;
        let own = square - dot(&gain, &overlap);
        (gain, own, if square > 0.0 { own / square } else { 0.0 })
    }

    /// Adds a neuron with these outputs and refits. O(n N + N²).
    ///
    /// # Errors
    /// [`Error::CollinearNeuron`] for a column that the others span, [`Error::NotFinite`]; nothing is changed then.
    ///
    /// # Panics
    /// When there is not an output for each target.
    pub fn add(&mut self, column: &[f64]) -> Result<()> {
        all_finite("output of the neuron", column)?;
        self.push(column.to_vec())
    }

    fn push(&mut self, column: Vec<f64>) -> Result<()> {
        let (gain, own, independent) = self.independent(&column);
        if independent.is_nan() || independent <= INDEPENDENT {
            return Err(Error::CollinearNeuron { independent, threshold: INDEPENDENT });
        }
        let weight = dot(&column, &self.residual) / own;
        for (row, a) in self.inverse.iter_mut().zip(&gain) {
            row.iter_mut().zip(&gain).for_each(|(p, b)| *p += a * b / own);
            row.push(-a / own);
        }
        let mut last: Vec<f64> = gain.iter().map(|a| -a / own).collect();
        last.push(1.0 / own);
        self.inverse.push(last);
        self.weights.iter_mut().zip(&gain).for_each(|(w, a)| *w -= weight * a);
        self.weights.push(weight);
        self.columns.push(column);
        self.refresh();
        Ok(())
    }

    /// Removes a neuron and refits; the later ones move up by one. O(n N + N²).
    ///
    /// # Panics
    /// When there is no such neuron.
    pub fn remove(&mut self, neuron: usize) {
        assert!(neuron < self.n_neurons(), "neuron {neuron} of {}", self.n_neurons());
        let i = neuron + 1;
        let pivot = self.inverse[i].clone();
        let share = self.weights[i] / pivot[i];
        self.weights.iter_mut().zip(&pivot).for_each(|(w, p)| *w -= share * p);
        for row in &mut self.inverse {
            let factor = row[i] / pivot[i];
            row.iter_mut().zip(&pivot).for_each(|(a, p)| *a -= factor * p);
            row.remove(i);
        }
        self.inverse.remove(i);
        self.weights.remove(i);
        self.columns.remove(i);
        self.refresh();
    }

    fn refresh(&mut self) {
        self.residual.copy_from_slice(&self.targets);
        for (column, w) in self.columns.iter().zip(&self.weights) {
            self.residual.iter_mut().zip(column).for_each(|(r, x)| *r -= w * x);
        }
    }

    /// Replaces all neurons; one update of rank one for each, which also clears what rounding has added up. O(n N² + N³).
    ///
    /// # Errors
    /// As [`add`](Self::add), with nothing changed.
    ///
    /// # Panics
    /// When a column has not an output for each target.
    pub fn replace(&mut self, columns: &[Vec<f64>]) -> Result<()> {
        let mut fresh = Self::new(&self.targets, self.ridge)?;
        for column in columns {
            fresh.add(column)?;
        }
        *self = fresh;
        Ok(())
    }

    /// The candidate whose addition lowers the loss most, with the decrease; `None` for no candidate outside the span.
    ///
    /// # Panics
    /// As [`score_addition`](Self::score_addition).
    pub fn best_addition(&self, candidates: &[Vec<f64>]) -> Option<(usize, f64)> {
        let scores = candidates.iter().map(|c| self.score_addition(c)).enumerate();
        scores.filter(|(_, s)| *s > 0.0).max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// The neuron whose removal costs least, with the increase; `None` without neurons.
    pub fn cheapest_removal(&self) -> Option<(usize, f64)> {
        (0..self.n_neurons()).map(|i| (i, self.score_removal(i))).min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// Mean squared error a target at the optimum.
    pub fn mean_squared_error(&self) -> f64 {
        dot(&self.residual, &self.residual) / self.targets.len() as f64
    }

    /// Checks a noise variance and gives the energy $`J/\sigma^2`$.
    pub(super) fn energy(&self, noise: f64) -> Result<f64> {
        Ok(self.loss() / positive("noise variance", noise)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;
    use linalg_core::rng::standard_normal;

    fn columns(n: usize, k: usize) -> (Vec<Vec<f64>>, Vec<f64>) {
        let mut rng = Streams::new(3).stream(0);
        let mut draw = || (0..n).map(|_| standard_normal(&mut rng)).collect::<Vec<f64>>();
        ((0..k).map(|_| draw()).collect(), draw())
    }

    /// Gradient of the loss with respect to the weights: zero at an optimum.
    fn slope(layer: &OutputLayer) -> f64 {
        let parts = layer.columns.iter().zip(&layer.weights).map(|(c, w)| layer.ridge * w - dot(c, &layer.residual));
        parts.fold(0.0, |top: f64, g| top.max(g.abs()))
    }

    #[test]
    fn scores_are_exact() {
        for ridge in [0.0, 0.3] {
            let (columns, targets) = columns(30, 9);
            let mut layer = OutputLayer::new(&targets, ridge).unwrap();
            layer.replace(&columns[..7]).unwrap();
            assert!(slope(&layer) < 1e-12);
            for i in 0..7 {
                let kept: Vec<Vec<f64>> =
                    columns[..7].iter().enumerate().filter(|(k, _)| *k != i).map(|(_, c)| c.clone()).collect();
                // From scratch, and by the update.
                let mut fresh = OutputLayer::new(&targets, ridge).unwrap();
                fresh.replace(&kept).unwrap();
                assert!((fresh.loss() - layer.loss() - layer.score_removal(i)).abs() < 1e-12);
                let mut updated = layer.clone();
                updated.remove(i);
                assert!((updated.loss() - fresh.loss()).abs() < 1e-12 && slope(&updated) < 1e-11);
            }
            let (best, gain) = layer.best_addition(&columns[7..]).unwrap();
            let before = layer.loss();
            layer.add(&columns[7 + best]).unwrap();
            assert!((before - layer.loss() - gain).abs() < 1e-12 && slope(&layer) < 1e-12);
            let cheapest = layer.cheapest_removal().unwrap();
            assert!((0..8).all(|i| layer.score_removal(i) >= cheapest.1));
        }
    }

    #[test]
    fn many_updates_do_not_drift() {
        let (columns, targets) = columns(40, 12);
        let mut layer = OutputLayer::new(&targets, 0.0).unwrap();
        layer.replace(&columns[..6]).unwrap();
        let first = layer.loss();
        for round in 0..1000 {
            layer.add(&columns[6 + round % 6]).unwrap();
            layer.remove(6);
        }
        assert!((layer.loss() - first).abs() < 1e-10 && slope(&layer) < 1e-9);
    }

    #[test]
    fn bad_input() {
        assert!(OutputLayer::new(&[], 0.0).is_err() && OutputLayer::new(&[f64::NAN], 0.0).is_err());
        assert!(OutputLayer::new(&[1.0], -1.0).is_err());
        let mut layer = OutputLayer::new(&[1.0, 2.0, 4.0], 0.0).unwrap();
        assert!(matches!(layer.add(&[2.0; 3]), Err(Error::CollinearNeuron { .. })));
        assert!(layer.add(&[f64::NAN; 3]).is_err());
        assert_eq!(layer.score_addition(&[2.0; 3]).to_bits(), 0);
        assert!(layer.best_addition(&[vec![1.0; 3]]).is_none() && layer.cheapest_removal().is_none());
        layer.add(&[1.0, 2.0, 3.0]).unwrap();
        layer.add(&[1.0, 4.0, 9.0]).unwrap();
        // As many columns as targets: nothing is left outside.
        assert!(layer.add(&[1.0, 8.0, 27.0]).is_err() && layer.loss() < 1e-20);
    }
}
