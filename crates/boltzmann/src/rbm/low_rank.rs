//! First weights along the principal components of data.

use linalg_core::gemm::{Matrix, MatrixMut, gemm};
use linalg_core::rand::Rng;
use linalg_core::rng::standard_normal;

use super::Rbm;
use crate::units::Unit;
use crate::{Error, Result};

impl<V: Unit, H: Unit> Rbm<V, H> {
    /// A machine that begins with the `rank` first principal components of its data, in place of finding them by the first
    /// thousands of updates.
    ///
    /// ```math
    /// W = s \sum_{\alpha} \frac{u_\alpha w_\alpha^{\mathsf T}}{\sigma_\alpha}, \qquad b = -W \bar v,
    /// ```
    ///
    /// with the components $`w_\alpha`$, the standard deviations $`\sigma_\alpha`$ of the data along them, orthonormal random directions
    /// $`u_\alpha`$ of the hidden layer and the `strength` s: over the data the field on a hidden unit has mean 0 and a variance of
    /// about $`s^2\, \text{rank} / n_h`$. Visible biases are left 0. A. Decelle, G. Fissore and C. Furtlehner, EPL 119, 60001 (2017), on why learning begins there.
    ///
    /// Cost: `O(rows · n² + n³)` for n numbers a row.
    ///
    /// ```
    /// use boltzmann::Rbm;
    /// use boltzmann::units::Spin;
    /// use linalg_core::Streams;
    ///
    /// // All of the variance, 2, lies along (1, 1)/√2: weights (w, w) with 2 |w| = strength.
    /// let data = [1.0, 1.0, -1.0, -1.0];
    /// let rbm = Rbm::from_principal_components(Spin, Spin, &data, 2, 1, 1, 0.5, &mut Streams::new(1).stream(0))?;
    /// assert!((rbm.weights()[0] - rbm.weights()[1]).abs() < 1e-12);
    /// assert!((rbm.weights()[0].abs() - 0.25).abs() < 1e-12);
    /// # Ok::<(), boltzmann::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::WrongLength`] for a part of a row, [`Error::Alphabet`]; [`Error::Parameter`] for a rank of 0, above
    /// the sizes of the layers, or with components along which the data do not vary, or a bad strength.
    #[allow(clippy::too_many_arguments, reason = "units and sizes of both layers")]
    pub fn from_principal_components<R: Rng + ?Sized>(
        visible: V,
        hidden: H,
        data: &[f64],
        n_visible: usize,
        n_hidden: usize,
        rank: usize,
        strength: f64,
        rng: &mut R,
    ) -> Result<Self> {
        let (nv, nh) = (n_visible * visible.width(), n_hidden * hidden.width());
        let mut rbm = Self::new(visible, hidden, vec![0.0; nv * nh], vec![0.0; nv], vec![0.0; nh])?;
        rbm.check_data(data)?;
        if !(1..=nv.min(nh)).contains(&rank) {
            let expected = "1 to the size of the smaller layer";
            return Err(Error::Parameter { what: "rank", value: rank.to_string(), expected });
        }
        if !(0.0..=1e3).contains(&strength) {
            return Err(Error::Parameter { what: "strength", value: strength.to_string(), expected: "0 to 1000" });
        }
        let rows = data.len() / nv;
        let mut mean = vec![0.0; nv];
        for row in data.chunks_exact(nv) {
            mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += x / rows as f64);
        }
        let mut covariance = vec![0.0; nv * nv];
        for block in data.chunks(256 * nv) {
            let centred: Vec<f64> =
                block.chunks_exact(nv).flat_map(|row| row.iter().zip(&mean).map(|(x, m)| x - m)).collect();
            let centred = Matrix::row_major(&centred, block.len() / nv, nv);
            let to = MatrixMut::row_major(&mut covariance, nv, nv);
            gemm(1.0 / rows as f64, centred.transposed(), centred, 1.0, to);
        }
        for i in 0..nv {
            for k in 0..i {
                covariance[i * nv + k] = covariance[k * nv + i];
            }
        }
        let eigen = linalg_core::eigen::symmetric_eigen(&covariance, nv)?;
        let mut directions: Vec<Vec<f64>> = Vec::with_capacity(rank);
        for alpha in 0..rank {
            let variance = eigen.values[nv - 1 - alpha];
            if variance <= 1e-12 * eigen.values[nv - 1].max(1e-300) {
                let expected = "at most the number of directions along which the data vary";
                return Err(Error::Parameter { what: "rank", value: rank.to_string(), expected });
            }
            // Gram and Schmidt, twice for the rounding of the first time.
            let mut u: Vec<f64> = (0..nh).map(|_| standard_normal(rng)).collect();
            for _ in 0..2 {
                for other in &directions {
                    let along = super::dot(other, &u);
                    u.iter_mut().zip(other).for_each(|(u, other)| *u -= along * other);
                }
                let norm = super::dot(&u, &u).sqrt();
                u.iter_mut().for_each(|u| *u /= norm);
            }
            let scale = strength / variance.sqrt();
            for (row, u) in rbm.weights.chunks_exact_mut(nv).zip(&u) {
                row.iter_mut().zip(eigen.vector(nv - 1 - alpha)).for_each(|(w, x)| *w += scale * u * x);
            }
            directions.push(u);
        }
        for (b, row) in rbm.hidden_bias.iter_mut().zip(rbm.weights.chunks_exact(nv)) {
            *b = -super::dot(row, &mean);
        }
        Ok(rbm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Bernoulli, Gaussian};
    use linalg_core::Streams;

    #[test]
    fn fields_of_the_hidden_units_are_whitened_components() {
        let mut rng = Streams::new(1).stream(0);
        let mut data = Vec::new();
        for _ in 0..500 {
            let (x, y) = (3.0 * standard_normal(&mut rng), standard_normal(&mut rng));
            data.extend([1.0 + x, x, y - 2.0, 0.1 * standard_normal(&mut rng)]);
        }
        let units = Gaussian::unit_variance(4);
        let rbm = Rbm::from_principal_components(units, Bernoulli, &data, 4, 6, 2, 0.7, &mut rng).unwrap();
        // Fields: mean 0, total variance rank s² over the hidden layer, and nothing along the third direction.
        let mut fields = vec![0.0; 500 * 6];
        rbm.hidden_fields_batch(&data, &mut fields);
        for j in 0..6 {
            assert!(fields.iter().skip(j).step_by(6).sum::<f64>().abs() < 1e-9);
        }
        let total: f64 = fields.iter().map(|f| f * f).sum::<f64>() / 500.0;
        assert!((total - 2.0 * 0.49).abs() < 1e-9, "{total}");
        let values = rbm.singular_values().unwrap();
        assert!(values[1] > 0.1 && values[2] < 1e-7);
    }

    #[test]
    fn bad_input_is_refused() {
        let mut rng = Streams::new(1).stream(0);
        let mut message = |data: &[f64], rank: usize, strength: f64| {
            let rbm = Rbm::from_principal_components(Bernoulli, Bernoulli, data, 2, 3, rank, strength, &mut rng);
            rbm.unwrap_err().to_string()
        };
        let data = [0.0, 1.0, 1.0, 1.0];
        assert_eq!(message(&[], 1, 1.0), "data is empty");
        assert!(message(&data, 0, 1.0).contains("rank is 0"));
        assert!(message(&data, 3, 1.0).contains("rank is 3"));
        assert!(message(&data, 2, 1.0).contains("directions along which the data vary"));
        assert!(message(&data, 1, f64::NAN).contains("strength is NaN"));
        assert!(message(&[0.0, 0.5], 1, 1.0).contains("entry 1 is 0.5"));
    }
}
