//! A binary variable coupled to Gaussian clusters: by a spin, and by a logistic unit.

use linalg_core::cholesky::Cholesky;
use linalg_core::quadrature::GaussHermite;

use super::half::{OrthogonalAxis, SpinHalf};
use crate::coulomb::{CoulombCovariance, not_positive_definite};
use crate::{Result, check};

/// A spin that turns about its axis across by $`2 (w\cdot x)\,dt/\hbar`$ and is then measured.
///
/// ```
/// use physics_inference::spin::{SpinHalf, SpinUnit};
///
/// let spin = SpinHalf::from_bloch([0.48, -0.36, 0.8])?;
/// let unit = SpinUnit::new(spin, vec![0.37], 1.0)?;
/// // −0.8 cos 0.74 + 0.6 sin 0.74
/// assert!((unit.mean(&[1.0])? + 0.18620210000678).abs() < 1e-14);
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SpinUnit {
    spin: SpinHalf,
    across: OrthogonalAxis,
    weights: Vec<f64>,
    dt_over_hbar: f64,
}

/// The sine link at a point.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SinePrediction {
    /// $`E[b|x] = \sin(\varphi_0 + \theta)`$.
    pub mean: f64,
    /// $`\varphi_0 + \theta`$.
    pub angle: f64,
    /// Whether the angle is within ±π/2, where the mean grows with $`w\cdot x`$.
    pub monotone: bool,
}

impl SpinUnit {
    /// A spin, the weights $`w`$ of $`g(x) = w\cdot x`$, and $`dt/\hbar`$.
    ///
    /// For a spin along the third axis the axis across is a fallback, reported by [`Self::across`].
    ///
    /// # Errors
    /// [`NotFinite`](crate::Error::NotFinite) for a weight, [`Parameter`](crate::Error::Parameter) for a `dt_over_hbar` that is not above 0.
    pub fn new(spin: SpinHalf, weights: Vec<f64>, dt_over_hbar: f64) -> Result<Self> {
        check::finite("weight", &weights)?;
        check::positive_parameter("dt_over_hbar", dt_over_hbar)?;
        Ok(Self { spin, across: spin.orthogonal_axis(), weights, dt_over_hbar })
    }

    /// Weights of a binary with charge `q_b`, mass `m_b` and a place among clusters: $`w_n = q_b q_n k(r_{bn})/(m_b m_n)`$.
    ///
    /// # Errors
    /// As [`Self::new`]; [`Parameter`](crate::Error::Parameter) for a mass that is not above 0; [`NotFinite`](crate::Error::NotFinite) for a weight that overflows,
    /// which is the binary at the place of a cluster without softening.
    pub fn among<const D: usize>(
        spin: SpinHalf,
        clusters: &CoulombCovariance<D>,
        q_b: f64,
        m_b: f64,
        place: [f64; D],
        dt_over_hbar: f64,
    ) -> Result<Self> {
        check::positive_parameter("m_b", m_b)?;
        let weight = |n: usize| {
            let (r, a) = (&clusters.positions()[n], clusters.softening());
            let square: f64 = r.iter().zip(place).map(|(r, b)| (r - b) * (r - b)).sum();
            q_b * clusters.charges()[n] / (m_b * clusters.masses()[n] * (square + a * a).sqrt())
        };
        Self::new(spin, (0..clusters.len()).map(weight).collect(), dt_over_hbar)
    }

    /// The spin before it turns.
    pub fn spin(&self) -> &SpinHalf {
        &self.spin
    }

    /// Its axis across, and whether that was a fallback.
    pub fn across(&self) -> &OrthogonalAxis {
        &self.across
    }

    /// The weights.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    fn angle(&self, x: &[f64]) -> f64 {
        assert_eq!(x.len(), self.weights.len(), "{} clusters for {} weights", x.len(), self.weights.len());
        self.dt_over_hbar * self.weights.iter().zip(x).map(|(w, x)| w * x).sum::<f64>()
    }

    /// $`P(b = 1|x)`$ by turning the state and measuring it, eq. (88).
    ///
    /// # Errors
    /// [`NotFinite`](crate::Error::NotFinite) for an angle that is not.
    ///
    /// # Panics
    /// When `x` and the weights differ in length.
    pub fn prob(&self, x: &[f64]) -> Result<f64> {
        // H = −g ν·σ turns the other way.
        self.spin.propagate(self.across.axis, -self.angle(x))?.outcome_prob(self.across.axis)
    }

    /// $`E[b|x] = 2 P(b = 1|x) - 1`$.
    ///
    /// # Errors
    /// As [`Self::prob`].
    ///
    /// # Panics
    /// When `x` and the weights differ in length.
    pub fn mean(&self, x: &[f64]) -> Result<f64> {
        Ok(2.0 * self.prob(x)? - 1.0)
    }

    /// The same from the closed form $`-s_3\cos\theta + s_\perp\sin\theta = \sin(\varphi_0 + \theta)`$, $`-s_3 = \sin\varphi_0`$.
    ///
    /// # Panics
    /// When `x` and the weights differ in length.
    pub fn sine(&self, x: &[f64]) -> SinePrediction {
        let angle = (-self.spin.bloch()[2]).atan2(self.across.s_perp) + 2.0 * self.angle(x);
        SinePrediction { mean: angle.sin(), angle, monotone: angle.abs() <= std::f64::consts::FRAC_PI_2 }
    }

    /// $`\operatorname{Cov}[b, x]`$ for $`x \sim N(0, K)`$, exact:
    /// $`s_\perp e^{-2 (dt/\hbar)^2 w^T K w}\,(2 dt/\hbar)\,K w`$.
    ///
    /// `k` is n × n row-major. All zeros for a spin along the third axis, which responds in the second order only.
    ///
    /// # Errors
    /// [`NotPositiveDefinite`](crate::Error::NotPositiveDefinite) and [`NotFinite`](crate::Error::NotFinite) for `k`.
    ///
    /// # Panics
    /// When `k` does not have n² entries.
    pub fn covariance_exact(&self, k: &[f64]) -> Result<Vec<f64>> {
        let (product, square) = self.products(k)?;
        let t = self.dt_over_hbar;
        let factor = self.across.s_perp * (-2.0 * t * t * square).exp() * 2.0 * t;
        Ok(product.iter().map(|x| factor * x).collect())
    }

    /// First order in $`dt/\hbar`$: $`s_\perp (2 dt/\hbar) K w`$.
    ///
    /// # Errors
    /// As [`Self::covariance_exact`].
    ///
    /// # Panics
    /// When `k` does not have n² entries.
    pub fn covariance_linear(&self, k: &[f64]) -> Result<Vec<f64>> {
        let (product, _) = self.products(k)?;
        let factor = 2.0 * self.across.s_perp * self.dt_over_hbar;
        Ok(product.iter().map(|x| factor * x).collect())
    }

    /// First order in $`dt/\hbar`$ and in 1/r, eq. (129): $`s_\perp (2 dt/\hbar) m_i w_i = (2 dt\,s_\perp/\hbar m_b)\, q_b q_i/r_{bi}`$.
    ///
    /// Eq. (124), from which it comes, has the wrong sign: the commutator is
    /// $`+\tfrac{2 dt\,\nu^2}{\hbar m_b}\tfrac{q_b q_i}{r_{bi}}(\nu_1\langle\sigma_2\rangle - \nu_2\langle\sigma_1\rangle)`$. Equality with the
    /// covariance (28) of a cluster takes $`m_b = 2 dt\,s_\perp/\hbar`$.
    ///
    /// # Panics
    /// When masses and weights differ in number.
    pub fn covariance_printed(&self, masses: &[f64]) -> Vec<f64> {
        assert_eq!(masses.len(), self.weights.len(), "{} masses for {} weights", masses.len(), self.weights.len());
        let factor = 2.0 * self.across.s_perp * self.dt_over_hbar;
        masses.iter().zip(&self.weights).map(|(m, w)| factor * m * w).collect()
    }

    fn products(&self, k: &[f64]) -> Result<(Vec<f64>, f64)> {
        quadratic(k, &self.weights)
    }
}

/// A logistic unit $`P(b|x) = e^{b f}/2\cosh f`$ with $`f = J_0 + J\cdot x`$, eqs. (71) to (76).
///
/// In the text $`f = J_0 + J_x \tilde x`$ with $`J_x = |J|`$; the unit vector $`J/|J|`$ has N − 1 more parameters, so that the
/// "four degrees of freedom" count only part of them.
///
/// ```
/// use physics_inference::spin::LogisticUnit;
///
/// let unit = LogisticUnit::new(0.1, vec![0.3, -0.2])?;
/// let covariance = unit.covariance(&[2.0, 0.1, 0.1, 3.0])?;
/// assert!((covariance[0] - 0.46609568009347).abs() < 1e-13);
/// assert!((covariance[1] + 0.45805954767807).abs() < 1e-13);
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LogisticUnit {
    bias: f64,
    weights: Vec<f64>,
}

/// Nodes of the average over a field that spreads by 1 or less.
const NODES: usize = 200;

/// Step of the trapezoid for fields that spread more: the error by the poles of sech² at ±iπ/2 is $`e^{-\pi^2/h}`$.
const FIELD_STEP: f64 = 0.25;

/// What is left out falls below the largest value of the integrand by $`e^{-40}`$.
const TAIL: f64 = 40.0;

/// $`E[\operatorname{sech}^2 f]`$ for normal f of mean $`|b|`$ and standard deviation σ.
fn mean_slope(bias: f64, spread: f64) -> Result<f64> {
    let bias = bias.abs();
    let slope = |f: f64| f.cosh().powi(-2);
    if spread <= 1.0 {
        return Ok(GaussHermite::new(NODES)?.average(|z| slope(bias + spread * z)));
    }
    // Over f itself, where sech² has unit width: for f > 0 the product falls from that at 0 as exp(-rate f - f²/2σ²).
    let variance = spread * spread;
    let rate = 2.0 - bias / variance;
    let root = (rate * rate + 2.0 * TAIL / variance).sqrt();
    let end = if rate > 0.0 { 2.0 * TAIL / (rate + root) } else { variance * (root - rate) };
    // A mean far out moves the largest product to -rate σ²; beyond 400 nothing is left of sech².
    let start = (-rate * variance - (2.0 * TAIL).sqrt() * spread).max(-0.5 * TAIL);
    let steps = ((end.min(400.0) - start) / FIELD_STEP).ceil().max(0.0) as usize;
    let product = |f: f64| slope(f) * (-0.5 * ((f - bias) / spread).powi(2)).exp();
    let sum: f64 = (0..=steps).map(|k| product(start + FIELD_STEP * k as f64)).sum();
    Ok(FIELD_STEP * sum / (spread * std::f64::consts::TAU.sqrt()))
}

impl LogisticUnit {
    /// $`J_0`$ and $`J`$.
    ///
    /// # Errors
    /// [`NotFinite`](crate::Error::NotFinite) for one of them.
    pub fn new(bias: f64, weights: Vec<f64>) -> Result<Self> {
        check::finite("bias", &[bias])?;
        check::finite("weight", &weights)?;
        Ok(Self { bias, weights })
    }

    /// $`\operatorname{Cov}[b, x] = K J\, E[\operatorname{sech}^2 f]`$ for $`x \sim N(0, K)`$, by Stein's lemma; the average over the
    /// Gaussian f of standard deviation $`\sigma = \sqrt{J^T K J}`$ by Gauss and Hermite's rule with 200 points up to $`\sigma = 1`$ and by the
    /// trapezoid in f beyond, where sech² is narrow: it falls as $`\sqrt{2/\pi}\,e^{-J_0^2/2\sigma^2}/\sigma`$.
    ///
    /// # Errors
    /// [`NotPositiveDefinite`](crate::Error::NotPositiveDefinite) and [`NotFinite`](crate::Error::NotFinite) for `k`.
    ///
    /// # Panics
    /// When `k` does not have n² entries.
    pub fn covariance(&self, k: &[f64]) -> Result<Vec<f64>> {
        let (product, square) = quadratic(k, &self.weights)?;
        let slope = mean_slope(self.bias, square.max(0.0).sqrt())?;
        Ok(product.iter().map(|x| slope * x).collect())
    }
}

/// $`K w`$ and $`w^T K w`$ of a covariance that is one.
fn quadratic(k: &[f64], w: &[f64]) -> Result<(Vec<f64>, f64)> {
    let n = w.len();
    assert_eq!(k.len(), n * n, "{} covariances for {n} weights", k.len());
    check::finite("covariance", k)?;
    Cholesky::new(k.to_vec(), n).map_err(not_positive_definite)?;
    let product: Vec<f64> = k.chunks_exact(n.max(1)).map(|row| row.iter().zip(w).map(|(k, w)| k * w).sum()).collect();
    let square = product.iter().zip(w).map(|(k, w)| k * w).sum();
    Ok((product, square))
}
