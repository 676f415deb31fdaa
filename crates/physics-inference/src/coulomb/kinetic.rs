//! The kinetic energy with instantaneous magnetic interaction.

use super::CoulombCovariance;

/// The kinetic energy of the prior on positions, eqs. (45) to (59), in the form that is right and in two that are printed.
///
/// With $`p_i = m_i v_i`$ and the vector potential $`A_i = \sum_{j\ne i} q_j v_j\,k(r_{ij})`$:
///
/// | field | formula | test case |
/// |---|---|---|
/// | `exact` | $`\tfrac12 \sum_d v^{(d)T} K v^{(d)}`$, eq. (53); also $`\sum_i (p_i + \tfrac12 q_i A_i)^2/2m_i - \sum_i q_i^2 A_i^2/8m_i`$ | .2846666667 |
/// | `half_square` | $`\sum_i (p_i + \tfrac12 q_i A_i)^2/2m_i`$: wrong by $`O(1/r^2)`$ | .2866686921 |
/// | `seed59` | $`\sum_i (p_i + q_i A_i)^2/2m_i`$, eq. (59) as printed: wrong by $`O(1/r)`$ | .2648414352 |
///
/// Eq. (55) has $`q\,p\cdot A`$ once and the square of eq. (59) has it twice, hence the half. The minus sign of eq. (57) is a
/// typing error, and (58) repeats (56). The canonical momentum is $`P = K v`$, that is $`P_i = m_i v_i + q_i A_i`$, and
/// $`T = \tfrac12 P^T K^{-1} P`$.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DarwinKinetic {
    /// The quadratic form itself.
    pub exact: f64,
    /// The completed square without its remainder.
    pub half_square: f64,
    /// Eq. (59) as printed.
    pub seed59: f64,
}

impl DarwinKinetic {
    /// All three forms for the velocities `v`. $`O(N^2)`$.
    ///
    /// ```
    /// use physics_inference::coulomb::{CoulombCovariance, DarwinKinetic};
    ///
    /// // Two unit charges at distance 1, v = 1 each: K = [[2, 1], [1, 2]], ½ vᵀKv = 3.
    /// let k = CoulombCovariance::new(vec![2.0; 2], vec![1.0; 2], vec![[0.0], [1.0]], 0.0)?;
    /// let t = DarwinKinetic::new(&k, &[[1.0], [1.0]]);
    /// assert_eq!((t.exact, t.half_square, t.seed59), (3.0, 3.125, 4.5));
    /// # Ok::<(), physics_inference::Error>(())
    /// ```
    ///
    /// # Panics
    /// When there is not one velocity for every particle.
    pub fn new<const D: usize>(k: &CoulombCovariance<D>, v: &[[f64; D]]) -> Self {
        let potential = k.vector_potential(v);
        let mut kinetic = Self { exact: 0.0, half_square: 0.0, seed59: 0.0 };
        for i in 0..k.len() {
            let (m, q) = (k.masses()[i], k.charges()[i]);
            for d in 0..D {
                let (p, field) = (m * v[i][d], q * potential[i][d]);
                kinetic.exact += 0.5 * v[i][d] * (p + field);
                kinetic.half_square += (p + 0.5 * field).powi(2) / (2.0 * m);
                kinetic.seed59 += (p + field).powi(2) / (2.0 * m);
            }
        }
        kinetic
    }
}

impl<const D: usize> CoulombCovariance<D> {
    /// $`A_i = \sum_{j\ne i} q_j v_j\,k(r_{ij})`$ at every particle, eq. (59). $`O(N^2)`$.
    ///
    /// # Panics
    /// When there is not one velocity for every particle.
    pub fn vector_potential(&self, v: &[[f64; D]]) -> Vec<[f64; D]> {
        let n = self.len();
        assert_eq!(v.len(), n, "{} velocities for {n} particles", v.len());
        let q = self.charges();
        let mut potential = vec![[0.0; D]; n];
        for i in 0..n {
            for j in 0..i {
                let k = self.pair(i, j).1;
                for d in 0..D {
                    potential[i][d] += q[j] * k * v[j][d];
                    potential[j][d] += q[i] * k * v[i][d];
                }
            }
        }
        potential
    }

    /// Canonical momenta $`P = K v`$. $`O(N^2)`$.
    ///
    /// # Panics
    /// When there is not one velocity for every particle.
    pub fn momenta(&self, v: &[[f64; D]]) -> Vec<[f64; D]> {
        let mut momenta = self.vector_potential(v);
        for (i, p) in momenta.iter_mut().enumerate() {
            (0..D).for_each(|d| p[d] = self.masses()[i] * v[i][d] + self.charges()[i] * p[d]);
        }
        momenta
    }
}
