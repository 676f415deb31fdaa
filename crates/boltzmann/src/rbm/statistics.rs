//! What a gradient of the log-likelihood is made of.

use linalg_core::gemm::{Matrix, MatrixMut, gemm};

use super::{Rbm, layer_mean};
use crate::units::Unit;

/// Means of `h vᵀ`, `v` and `h`: what the energy is conjugate to, so that a difference of two of them is a gradient.
///
/// The gradient of the mean log-likelihood of data is β times the statistics of the data, hidden units averaged given the
/// visible ones, minus those of the model:
///
/// ```math
/// \frac{\partial \ln P}{\partial W_{jk}} = \beta \left( \langle h_j v_k \rangle_{\text{data}} - \langle h_j v_k \rangle_{\text{model}} \right).
/// ```
///
/// (One of the lecture slides this crate follows prints the left side with a minus; with a single coupling W between two
/// 0/1 units, data (1, 1) and W = 0 the gradient is 1 - 1/4 = +3/4.)
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Statistics {
    /// Means of `h_j v_k`, hidden x visible, row-major.
    pub weights: Vec<f64>,
    /// Means of the visible units.
    pub visible: Vec<f64>,
    /// Means of the hidden units.
    pub hidden: Vec<f64>,
}

impl Statistics {
    /// All zero.
    pub fn zeros(visible_len: usize, hidden_len: usize) -> Self {
        Self {
            weights: vec![0.0; visible_len * hidden_len],
            visible: vec![0.0; visible_len],
            hidden: vec![0.0; hidden_len],
        }
    }

    /// Adds `factor` times other statistics.
    ///
    /// # Panics
    /// If the sizes differ.
    pub fn add_scaled(&mut self, factor: f64, other: &Self) {
        let pairs = [
            (&mut self.weights, &other.weights),
            (&mut self.visible, &other.visible),
            (&mut self.hidden, &other.hidden),
        ];
        for (own, other) in pairs {
            assert_eq!(own.len(), other.len(), "{} statistics and {}", own.len(), other.len());
            own.iter_mut().zip(other).for_each(|(own, other)| *own += factor * other);
        }
    }

    /// `self - other`.
    ///
    /// # Panics
    /// If the sizes differ.
    pub fn minus(&self, other: &Self) -> Self {
        let mut difference = self.clone();
        difference.add_scaled(-1.0, other);
        difference
    }

    /// The centred gradient of this difference `data - model`, with offsets `c` of the visible and `d` of the hidden units.
    ///
    /// ```math
    /// \tilde g_W = g_W - d\, g_a^{\mathsf T} - g_b\, c^{\mathsf T}, \qquad
    /// \tilde g_a = g_a - \tilde g_W^{\mathsf T} d, \qquad \tilde g_b = g_b - \tilde g_W c .
    /// ```
    ///
    /// A step along it does not depend on whether a unit is called 0/1 or 1/0 when the offsets turn along. Melchior,
    /// Fischer and Wiskott, J. Mach. Learn. Res. 17, 99 (2016).
    ///
    /// # Panics
    /// If the offsets have the wrong lengths.
    pub fn centred(&self, c: &[f64], d: &[f64]) -> Self {
        let (nv, nh) = (self.visible.len(), self.hidden.len());
        assert_eq!(c.len(), nv, "{} offsets for {nv} visible units", c.len());
        assert_eq!(d.len(), nh, "{} offsets for {nh} hidden units", d.len());
        let mut out = self.clone();
        for (j, row) in out.weights.chunks_exact_mut(nv).enumerate() {
            for (k, w) in row.iter_mut().enumerate() {
                *w -= d[j] * self.visible[k] + self.hidden[j] * c[k];
                out.visible[k] -= *w * d[j];
                out.hidden[j] -= *w * c[k];
            }
        }
        out
    }

    /// The enhanced gradient, from the statistics of the data (`self`) and of the model.
    ///
    /// The centred gradient with offsets half way between data and model, so that the weights move along the difference of the
    /// covariances, whatever the means:
    ///
    /// ```math
    /// \tilde g_W = \mathrm{Cov}_{\text{data}}(h, v) - \mathrm{Cov}_{\text{model}}(h, v) .
    /// ```
    ///
    /// K. Cho, T. Raiko and A. Ilin, Neural Comput. 25, 805 (2013).
    ///
    /// ```
    /// use boltzmann::Statistics;
    ///
    /// let data = Statistics { weights: vec![0.5], visible: vec![0.7], hidden: vec![0.6] };
    /// let model = Statistics { weights: vec![0.2], visible: vec![0.4], hidden: vec![0.3] };
    /// // (0.5 - 0.42) - (0.2 - 0.12)
    /// assert!(data.enhanced(&model).weights[0].abs() < 1e-15);
    /// ```
    ///
    /// # Panics
    /// If the sizes differ.
    pub fn enhanced(&self, model: &Self) -> Self {
        let halves = |x: &[f64], y: &[f64]| -> Vec<f64> { x.iter().zip(y).map(|(x, y)| 0.5 * (x + y)).collect() };
        let offsets = [halves(&self.visible, &model.visible), halves(&self.hidden, &model.hidden)];
        self.minus(model).centred(&offsets[0], &offsets[1])
    }

    /// The Euclidean norm of all entries.
    pub fn norm(&self) -> f64 {
        let squares = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>();
        (squares(&self.weights) + squares(&self.visible) + squares(&self.hidden)).sqrt()
    }
}

impl<V: Unit, H: Unit> Rbm<V, H> {
    /// The statistics of rows of data, hidden units averaged given the visible ones.
    ///
    /// # Panics
    /// If `data` is empty or ends inside a row.
    pub fn statistics(&self, data: &[f64], beta: f64) -> Statistics {
        let means = self.hidden_means(data, beta);
        statistics_of_pairs(data, self.visible_len(), &means, self.hidden_len())
    }

    /// The same with a weight for each row; the weights should sum to 1.
    ///
    /// # Panics
    /// If `data` does not hold a row for each weight, or there are none.
    pub fn weighted_statistics(&self, data: &[f64], weights: &[f64], beta: f64) -> Statistics {
        let (nv, nh) = (self.visible_len(), self.hidden_len());
        let mut means = self.hidden_means(data, beta);
        assert_eq!(data.len(), weights.len() * nv, "{} numbers for {} rows of {nv}", data.len(), weights.len());
        let mut out = Statistics::zeros(nv, nh);
        for ((v, h), weight) in data.chunks_exact(nv).zip(means.chunks_exact_mut(nh)).zip(weights) {
            h.iter_mut().for_each(|h| *h *= weight);
            out.visible.iter_mut().zip(v).for_each(|(sum, v)| *sum += weight * v);
            out.hidden.iter_mut().zip(&*h).for_each(|(sum, h)| *sum += h);
        }
        products(1.0, data, nv, &means, nh, &mut out.weights);
        out
    }

    /// Means of the hidden units given rows of visible ones.
    fn hidden_means(&self, data: &[f64], beta: f64) -> Vec<f64> {
        let (nv, nh) = (self.visible_len(), self.hidden_len());
        let rows = data.len() / nv;
        assert!(rows > 0 && data.len() == rows * nv, "{} numbers for rows of {nv}", data.len());
        let mut fields = vec![0.0; rows * nh];
        self.hidden_fields_batch(data, &mut fields);
        let mut means = vec![0.0; rows * nh];
        for (fields, means) in fields.chunks_exact(nh).zip(means.chunks_exact_mut(nh)) {
            layer_mean(&self.hidden, fields, beta, means);
        }
        means
    }
}

/// `factor` times the sum of h vᵀ over rows.
fn products(factor: f64, v: &[f64], nv: usize, h: &[f64], nh: usize, out: &mut [f64]) {
    let rows = v.len() / nv;
    gemm(
        factor,
        Matrix::row_major(h, rows, nh).transposed(),
        Matrix::row_major(v, rows, nv),
        0.0,
        MatrixMut::row_major(out, nh, nv),
    );
}

/// The statistics of rows of visible and hidden values.
pub(crate) fn statistics_of_pairs(v: &[f64], nv: usize, h: &[f64], nh: usize) -> Statistics {
    let rows = v.len() / nv;
    let weight = 1.0 / rows as f64;
    let mut out = Statistics::zeros(nv, nh);
    products(weight, v, nv, h, nh, &mut out.weights);
    for (sums, rows) in [(&mut out.visible, v), (&mut out.hidden, h)] {
        let n = sums.len();
        for row in rows.chunks_exact(n) {
            sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += weight * x);
        }
    }
    out
}
