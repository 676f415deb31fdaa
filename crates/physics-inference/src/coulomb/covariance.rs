//! The covariance itself, its inverse and its determinant.

use linalg_core::cholesky::Cholesky;
use linalg_core::eigen::symmetric_eigenvalues;

use crate::{Error, Result, check};

/// The covariance of charges in `D` dimensions, eqs. (28) and (29) with a softened kernel.
///
/// See the [module](super) for the map and its limits. Matrices are flat, n × n row-major.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "Unchecked", into = "Unchecked")
)]
pub struct CoulombCovariance<const D: usize = 3> {
    masses: Vec<f64>,
    charges: Vec<f64>,
    positions: Vec<[f64; D]>,
    softening: f64,
}

/// Why a covariance cannot fail to be positive definite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Guarantee {
    /// $`q_i^2/a < m_i`$ for every particle: $`K`$ is a positive diagonal matrix plus one made of the softened kernel,
    /// which is positive definite in every dimension.
    Softened,
    /// $`a = 0`$, at most three dimensions, and $`r_{ij} \ge q_i^2/m_i + q_j^2/m_j`$ for every pair: charged shells that do
    /// not overlap have a Coulomb energy ≥ 0, which is the quadratic form.
    Shells,
    /// Neither holds: the matrix may or may not be positive definite.
    None,
}

impl<const D: usize> CoulombCovariance<D> {
    /// Masses (variances), charges, positions and the softening length `a`.
    ///
    /// # Errors
    /// [`Error::Entry`] for a mass that is not a finite number above 0, [`Error::NotFinite`] for a charge or a position
    /// (the index is the particle's), [`Error::Parameter`] for a softening that is negative or not finite, and
    /// [`Error::Coincident`] for two particles at one place when the softening is 0.
    ///
    /// # Panics
    /// When the lists differ in length.
    pub fn new(masses: Vec<f64>, charges: Vec<f64>, positions: Vec<[f64; D]>, softening: f64) -> Result<Self> {
        assert!(
            masses.len() == charges.len() && masses.len() == positions.len(),
            "{} masses, {} charges, {} positions",
            masses.len(),
            charges.len(),
            positions.len()
        );
        check::positive("mass", &masses)?;
        check::finite("charge", &charges)?;
        check::not_negative_parameter("softening", softening)?;
        check_positions(&positions, softening)?;
        Ok(Self { masses, charges, positions, softening })
    }

    /// The same particles elsewhere.
    ///
    /// # Errors
    /// As [`Self::new`] for positions.
    ///
    /// # Panics
    /// When there is not one position for every particle.
    pub fn with_positions(&self, positions: Vec<[f64; D]>) -> Result<Self> {
        assert_eq!(positions.len(), self.len(), "{} positions for {} particles", positions.len(), self.len());
        check_positions(&positions, self.softening)?;
        Ok(Self { positions, ..self.clone() })
    }

    /// Number of particles.
    pub fn len(&self) -> usize {
        self.masses.len()
    }

    /// Whether there is no particle.
    pub fn is_empty(&self) -> bool {
        self.masses.is_empty()
    }

    /// Variances $`m_i`$.
    pub fn masses(&self) -> &[f64] {
        &self.masses
    }

    /// Charges $`q_i`$.
    pub fn charges(&self) -> &[f64] {
        &self.charges
    }

    /// Positions $`r_i`$.
    pub fn positions(&self) -> &[[f64; D]] {
        &self.positions
    }

    /// Softening length $`a`$.
    pub fn softening(&self) -> f64 {
        self.softening
    }

    /// Difference $`r_i - r_j`$ and kernel $`k(|r_i - r_j|)`$.
    pub(crate) fn pair(&self, i: usize, j: usize) -> ([f64; D], f64) {
        pair(&self.positions[i], &self.positions[j], self.softening)
    }

    /// $`K_{ij}`$ of two different particles.
    pub(crate) fn off_diagonal(&self, i: usize, j: usize) -> f64 {
        self.charges[i] * self.charges[j] * self.pair(i, j).1
    }

    /// $`K`$.
    pub fn matrix(&self) -> Vec<f64> {
        self.scaled_matrix(1.0)
    }

    /// $`K`$ with its off-diagonal part multiplied by `scale`: how orders of the expansions are measured.
    pub(crate) fn scaled_matrix(&self, scale: f64) -> Vec<f64> {
        let n = self.len();
        let mut matrix = vec![0.0; n * n];
        for i in 0..n {
            matrix[i * n + i] = self.masses[i];
            for j in 0..i {
                let value = scale * self.off_diagonal(i, j);
                (matrix[i * n + j], matrix[j * n + i]) = (value, value);
            }
        }
        matrix
    }

    /// The largest modulus of an eigenvalue of $`K_d^{-1} K_{off}`$; the expansions converge where it is below 1.
    ///
    /// # Errors
    /// [`Error::Core`] when the kernel overflows.
    pub fn coupling_radius(&self) -> Result<f64> {
        let n = self.len();
        let mut matrix = self.matrix();
        for i in 0..n {
            for j in 0..n {
                matrix[i * n + j] =
                    if i == j { 0.0 } else { matrix[i * n + j] / (self.masses[i] * self.masses[j]).sqrt() };
            }
        }
        Ok(symmetric_eigenvalues(&matrix, n)?.iter().fold(0.0, |largest: f64, x| largest.max(x.abs())))
    }

    pub(crate) fn factor(&self) -> Result<Cholesky> {
        Cholesky::new(self.matrix(), self.len()).map_err(not_positive_definite)
    }

    /// $`K^{-1}`$, exact. $`O(N^3)`$.
    ///
    /// # Errors
    /// [`Error::NotPositiveDefinite`].
    pub fn inverse(&self) -> Result<Vec<f64>> {
        Ok(self.factor()?.inverse())
    }

    /// The first-order inverse, eqs. (32) and (33): $`1/m_i`$ on the diagonal, $`-K_{ij}/(m_i m_j)`$ beside it.
    ///
    /// The error is $`O(e^2)`$ in the [`Self::coupling_radius`] e.
    pub fn inverse_order1(&self) -> Vec<f64> {
        let n = self.len();
        let mut inverse = self.matrix();
        for i in 0..n {
            for j in 0..n {
                let value = &mut inverse[i * n + j];
                *value = if i == j { 1.0 / self.masses[i] } else { -*value / (self.masses[i] * self.masses[j]) };
            }
        }
        inverse
    }

    /// $`\ln\det K`$, exact. $`O(N^3)`$.
    ///
    /// # Errors
    /// [`Error::NotPositiveDefinite`].
    pub fn logdet(&self) -> Result<f64> {
        Ok(self.factor()?.ln_det())
    }

    /// $`\sum_i \ln m_i`$: what eqs. (38) to (44) keep. The error is $`O(e^2)`$.
    pub fn logdet_order1(&self) -> f64 {
        self.masses.iter().map(|m| m.ln()).sum()
    }

    /// $`\sum_i \ln m_i - \tfrac12 \sum_{i \ne j} K_{ij}^2/(m_i m_j)`$, with an error of $`O(e^3)`$.
    ///
    /// The second term must stay: with it halving the couplings divides the error by about 8, without it by 4, and the
    /// loss without it has no minimum (see [`Self::loss_printed_order1`]).
    pub fn logdet_order2(&self) -> f64 {
        let mut sum = 0.0;
        for i in 0..self.len() {
            for j in 0..i {
                sum += self.off_diagonal(i, j).powi(2) / (self.masses[i] * self.masses[j]);
            }
        }
        self.logdet_order1() - sum
    }

    /// Whether a sufficient condition for positive definiteness holds, and which.
    ///
    /// ```
    /// use physics_inference::coulomb::{CoulombCovariance, Guarantee};
    ///
    /// let at = |x: f64, a: f64| CoulombCovariance::new(vec![1.0; 2], vec![1.0; 2], vec![[0.0; 3], [x, 0.0, 0.0]], a);
    /// assert_eq!(at(2.0, 0.0)?.is_guaranteed_pd(), Guarantee::Shells);
    /// assert_eq!(at(1.5, 0.0)?.is_guaranteed_pd(), Guarantee::None); // yet positive definite: K₁₂ = 2/3
    /// assert_eq!(at(0.1, 1.1)?.is_guaranteed_pd(), Guarantee::Softened);
    /// # Ok::<(), physics_inference::Error>(())
    /// ```
    pub fn is_guaranteed_pd(&self) -> Guarantee {
        let n = self.len();
        if self.softening > 0.0 {
            let bounded = self.masses.iter().zip(&self.charges).all(|(m, q)| q * q < m * self.softening);
            return if bounded { Guarantee::Softened } else { Guarantee::None };
        }
        let radius = |i: usize| self.charges[i].powi(2) / self.masses[i];
        // Two equal charges that touch as points of radius 0 cannot occur: coincident particles are refused.
        let apart = |i: usize, j: usize| 1.0 / self.pair(i, j).1 >= radius(i) + radius(j);
        if D <= 3 && (0..n).all(|i| (0..i).all(|j| apart(i, j))) { Guarantee::Shells } else { Guarantee::None }
    }

    /// A softening length that guarantees positive definiteness: a little above $`\max_i q_i^2/m_i`$.
    pub fn safe_softening(masses: &[f64], charges: &[f64]) -> f64 {
        let largest = masses.iter().zip(charges).fold(0.0, |largest: f64, (m, q)| largest.max(q * q / m));
        // The margin keeps the smallest eigenvalue away from rounding.
        largest * (1.0 + 1e-6)
    }
}

pub(crate) fn pair<const D: usize>(a: &[f64; D], b: &[f64; D], softening: f64) -> ([f64; D], f64) {
    let difference: [f64; D] = std::array::from_fn(|k| a[k] - b[k]);
    let square: f64 = difference.iter().map(|x| x * x).sum();
    (difference, 1.0 / (square + softening * softening).sqrt())
}

pub(crate) fn not_positive_definite(error: linalg_core::Error) -> Error {
    match error {
        linalg_core::Error::NotPositiveDefinite { row, pivot } => Error::NotPositiveDefinite { row, pivot },
        other => Error::Core(other),
    }
}

/// Finite coordinates, and no two particles at one place when nothing softens the kernel there.
pub(crate) fn check_positions<const D: usize>(positions: &[[f64; D]], softening: f64) -> Result<()> {
    check::points("position of particle", positions)?;
    // A softening whose square underflows softens nothing.
    if softening * softening > 0.0 {
        return Ok(());
    }
    let mut order: Vec<usize> = (0..positions.len()).collect();
    // Adding 0 makes −0 and 0 the same place.
    let key = |i: usize| positions[i].map(|x| x + 0.0);
    let compare = |a: &usize, b: &usize| {
        let (x, y) = (key(*a), key(*b));
        x.iter().zip(&y).map(|(x, y)| x.total_cmp(y)).find(|o| o.is_ne()).unwrap_or(a.cmp(b))
    };
    order.sort_unstable_by(compare);
    let same = |w: &&[usize]| pair(&positions[w[0]], &positions[w[1]], softening).1.is_infinite();
    match order.windows(2).find(same) {
        Some(w) => {
            Err(Error::Coincident { first: w[0].min(w[1]), second: w[0].max(w[1]), place: positions[w[0]].to_vec() })
        }
        None => Ok(()),
    }
}

#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
struct Unchecked {
    masses: Vec<f64>,
    charges: Vec<f64>,
    positions: Vec<Vec<f64>>,
    softening: f64,
}

#[cfg(feature = "serde")]
impl<const D: usize> From<CoulombCovariance<D>> for Unchecked {
    fn from(k: CoulombCovariance<D>) -> Self {
        let positions = k.positions.iter().map(|r| r.to_vec()).collect();
        Self { masses: k.masses, charges: k.charges, positions, softening: k.softening }
    }
}

#[cfg(feature = "serde")]
impl<const D: usize> TryFrom<Unchecked> for CoulombCovariance<D> {
    type Error = String;

    fn try_from(from: Unchecked) -> std::result::Result<Self, String> {
        let n = from.masses.len();
        if from.charges.len() != n || from.positions.len() != n {
            return Err(format!("{n} masses, {} charges, {} positions", from.charges.len(), from.positions.len()));
        }
        let point = |(i, r): (usize, Vec<f64>)| {
            <[f64; D]>::try_from(r).map_err(|r| format!("position {i} has {} coordinates, expected {D}", r.len()))
        };
        let positions = from.positions.into_iter().enumerate().map(point).collect::<std::result::Result<_, _>>()?;
        Self::new(from.masses, from.charges, positions, from.softening).map_err(|e| e.to_string())
    }
}
