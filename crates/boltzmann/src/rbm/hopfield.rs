//! Hopfield models as machines with Gaussian hidden units, and back.

use spin_models::Ising;

use super::Rbm;
use crate::units::{Gaussian, Spin};
use crate::{Error, Result};

impl Rbm<Spin, Gaussian> {
    /// The machine whose visible units are the Hopfield model of these patterns, `n_units` entries of ±1 each.
    ///
    /// With $`W_{\mu i} = \xi^\mu_i/\sqrt N`$ and hidden precision 1 the Gaussian integral gives
    ///
    /// ```math
    /// Z = \sum_s \int \prod_\mu \sqrt{\tfrac{\beta}{2\pi}}\, d\lambda_\mu\;
    ///     e^{-\frac{\beta}{2} \sum \lambda_\mu^2 + \frac{\beta}{\sqrt N} \sum \xi^\mu_i s_i \lambda_\mu}
    ///   = \sum_s e^{\frac{\beta}{2N} \sum_{\mu i j} \xi^\mu_i \xi^\mu_j s_i s_j},
    /// ```
    ///
    /// the Hopfield model with its diagonal: without it, ln Z is smaller by βP/2. The factors $`\sqrt{\beta/2\pi}`$ are not
    /// in the machine, whose ln Z is larger by $`\tfrac P2 \ln(2\pi/\beta)`$.
    /// Given the spins, $`\langle\lambda_\mu^2\rangle = 1/\beta + \mu^2`$ with $`\mu = \sum_i \xi^\mu_i s_i/\sqrt N`$.
    ///
    /// ```
    /// use boltzmann::Rbm;
    ///
    /// let rbm = Rbm::from_patterns(&[1, 1, -1, 1], 4)?;
    /// // Free energy of the pattern itself: -N/2, and the Gaussian factor.
    /// let gauss = 0.5 * (2.0 * std::f64::consts::PI).ln();
    /// assert!((rbm.free_energy(&[1.0, 1.0, -1.0, 1.0], 1.0) - (-2.0 - gauss)).abs() < 1e-14);
    /// # Ok::<(), boltzmann::Error>(())
    /// ```
    ///
    /// A. Barra, A. Bernacchia, E. Santucci and P. Contucci, Neural Networks 34, 1 (2012).
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::WrongLength`] for a part of a pattern, [`Error::Alphabet`] for an entry that is not ±1.
    pub fn from_patterns(patterns: &[i8], n_units: usize) -> Result<Self> {
        if patterns.is_empty() || n_units == 0 {
            return Err(Error::Empty { what: "patterns" });
        }
        if !patterns.len().is_multiple_of(n_units) {
            let expected = patterns.len().div_ceil(n_units) * n_units;
            return Err(Error::WrongLength { what: "patterns", got: patterns.len(), expected });
        }
        if let Some(k) = patterns.iter().position(|&x| x != 1 && x != -1) {
            let (row, entry) = (k / n_units, k % n_units);
            return Err(Error::Alphabet { row, entry, value: f64::from(patterns[k]), expected: "-1 or 1" });
        }
        let scale = 1.0 / (n_units as f64).sqrt();
        let n_patterns = patterns.len() / n_units;
        let weights = patterns.iter().map(|&x| f64::from(x) * scale).collect();
        Self::new(Spin, Gaussian::unit_variance(n_patterns), weights, vec![0.0; n_units], vec![0.0; n_patterns])
    }

    /// The Ising model of the visible units at any temperature, by Gaussian integration.
    ///
    /// ```math
    /// J_{ik} = \sum_\mu \frac{W_{\mu i} W_{\mu k}}{\gamma_\mu}, \qquad h_i = a_i + \sum_\mu \frac{b_\mu W_{\mu i}}{\gamma_\mu},
    /// ```
    ///
    /// the constant $`-\tfrac12 \sum_\mu (b_\mu^2 + \sum_i W_{\mu i}^2)/\gamma_\mu`$ (the diagonal) included. What is not in it is the
    /// factor $`\prod_\mu \sqrt{2\pi/(\beta\gamma_\mu)}`$ of the integral: the machine's ln Z is larger by its logarithm.
    ///
    /// # Errors
    /// When the couplings overflow.
    pub fn to_hopfield(&self) -> Result<Ising> {
        let (n, gammas) = (self.n_visible(), self.hidden.precisions());
        let rows = || self.weights.chunks_exact(n).zip(gammas).zip(&self.hidden_bias);
        let mut fields = self.visible_bias.clone();
        let mut offset = self.offset;
        for ((row, gamma), b) in rows() {
            fields.iter_mut().zip(row).for_each(|(h, w)| *h += b * w / gamma);
            offset -= 0.5 * (b * b + row.iter().map(|w| w * w).sum::<f64>()) / gamma;
        }
        let couplings = (0..n).flat_map(|i| (0..i).map(move |k| (k, i)));
        let coupling = |k: usize, i: usize| rows().map(|((row, gamma), _)| row[i] * row[k] / gamma).sum::<f64>();
        Ok(Ising::builder(n)
            .couplings(couplings.map(|(k, i)| (k, i, coupling(k, i))).filter(|(_, _, j)| *j != 0.0))
            .fields(fields)
            .offset(offset)
            .build()?)
    }

    /// A machine whose visible units are a given Ising model, from the eigenvectors of its coupling matrix.
    ///
    /// The diagonal is raised until all eigenvalues are non-negative, which adds a constant that the offset takes back.
    /// Hidden units: one for each positive eigenvalue. The machine's ln Z is that of the model plus
    /// $`\tfrac{K}{2} \ln(2\pi/\beta)`$ for K hidden units.
    ///
    /// Cost: `O(N³)`.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] for a model without couplings; when the eigenvalues cannot be found.
    pub fn from_ising(ising: &Ising) -> Result<Self> {
        let n = spin_models::EnergyModel::n_spins(ising);
        let mut matrix = vec![0.0; n * n];
        for (i, k, j) in ising.couplings() {
            matrix[i * n + k] = j;
            matrix[k * n + i] = j;
        }
        let eigen = linalg_core::eigen::symmetric_eigen(&matrix, n)?;
        let lowest = eigen.values.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = eigen.values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // Below this an eigenvalue is rounding.
        let small = 1e-14 * (highest - lowest) * n as f64;
        let mut weights = Vec::new();
        for (k, value) in eigen.values.iter().enumerate() {
            let raised = value - lowest;
            if raised > small {
                weights.extend(eigen.vector(k).iter().map(|x| raised.sqrt() * x));
            }
        }
        let n_hidden = weights.len() / n;
        if n_hidden == 0 {
            return Err(Error::NotApplicable { method: "Gaussian hidden units", reason: "the model has no couplings" });
        }
        // The diagonal Σ_μ W_μi² = -lowest of all spins is a constant -N (-lowest)/2 of the energy.
        let diagonal: f64 = weights.iter().map(|w| w * w).sum();
        let units = Gaussian::unit_variance(n_hidden);
        Self::new(Spin, units, weights, ising.fields().to_vec(), vec![0.0; n_hidden])?
            .with_offset(ising.offset() + 0.5 * diagonal)
    }
}
