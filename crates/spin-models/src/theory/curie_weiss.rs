//! The fully connected ferromagnet.

use std::f64::consts::LN_2;

use linalg_core::special::ln_binomial;

use crate::error::check_beta;
use crate::{Error, Result};

/// The Curie-Weiss model of N spins, exactly.
///
/// ```math
/// E(s) = -\frac{J}{N} \sum_{i<j} s_i s_j - h \sum_i s_i = -\frac{J}{2N} (M^2 - N) - h M, \qquad M = \sum_i s_i
/// ```
///
/// This is the [`Ising`](crate::Ising) model on the complete graph with all couplings J/N. Another convention in use,
/// `-(J/2N) M²`, is lower by the constant J/2. Only M matters, so that sums have N + 1 terms, each with the binomial
/// number of configurations. Cost: `O(N)`; J and h may have any sign.
///
/// ```
/// use spin_models::theory::CurieWeiss;
///
/// // Two spins with coupling J/2 = 1/2.
/// let pair = CurieWeiss::new(2, 1.0, 0.0)?;
/// let sums = pair.at(0.8)?;
/// assert!((sums.ln_z - (4.0 * 0.4f64.cosh()).ln()).abs() < 1e-15);
/// // ⟨m²⟩ = (1 + ⟨s_0 s_1⟩)/2.
/// assert!((sums.second_moment - 0.5 * (1.0 + 0.4f64.tanh())).abs() < 1e-15);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CurieWeiss {
    n_spins: usize,
    limit: CurieWeissLimit,
}

/// Averages of the Curie-Weiss model; energies are extensive, `m = M/N`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CurieWeissSums {
    /// ln Z.
    pub ln_z: f64,
    /// `⟨E⟩`.
    pub energy: f64,
    /// `⟨E²⟩ - ⟨E⟩²`.
    pub energy_variance: f64,
    /// `⟨m⟩`; 0 without a field.
    pub magnetization: f64,
    /// `⟨|m|⟩`.
    pub absolute_magnetization: f64,
    /// `⟨m²⟩`.
    pub second_moment: f64,
    /// `⟨m⁴⟩`.
    pub fourth_moment: f64,
}

impl CurieWeissSums {
    /// The Binder cumulant `1 - ⟨m⁴⟩ / (3⟨m²⟩²)`.
    pub fn binder_cumulant(&self) -> f64 {
        1.0 - self.fourth_moment / (3.0 * self.second_moment * self.second_moment)
    }
}

/// Sums of numbers in pairs of halves, so that rounding grows with the logarithm of their number.
fn pairwise_sum(x: &[f64]) -> f64 {
    if x.len() <= 16 {
        return x.iter().sum();
    }
    let (a, b) = x.split_at(x.len() / 2);
    pairwise_sum(a) + pairwise_sum(b)
}

impl CurieWeiss {
    /// N spins with coupling J and field h.
    ///
    /// # Errors
    /// [`Error::NoSpins`], [`Error::NotFinite`].
    pub fn new(n_spins: usize, coupling: f64, field: f64) -> Result<Self> {
        if n_spins == 0 {
            return Err(Error::NoSpins);
        }
        Ok(Self { n_spins, limit: CurieWeissLimit::new(coupling, field)? })
    }

    /// The infinite model with the same J and h.
    pub fn limit(&self) -> CurieWeissLimit {
        self.limit
    }

    /// Number of spins.
    pub fn n_spins(&self) -> usize {
        self.n_spins
    }

    /// The magnetizations per spin with k spins up, `k = 0 .. N`.
    fn magnetization(&self, k: usize) -> f64 {
        (2.0 * k as f64 - self.n_spins as f64) / self.n_spins as f64
    }

    /// The energy at magnetization m per spin.
    fn energy(&self, m: f64) -> f64 {
        let n = self.n_spins as f64;
        let CurieWeissLimit { coupling, field } = self.limit;
        -0.5 * coupling * (n * m * m - 1.0) - field * n * m
    }

    /// The distribution of the magnetization: `(m, p(m))` for `m = -1, -1 + 2/N, …, 1`. `O(N)`.
    ///
    /// ```
    /// use spin_models::theory::CurieWeiss;
    ///
    /// // Free spins: binomial.
    /// let law = CurieWeiss::new(2, 0.0, 0.0)?.distribution(1.0)?;
    /// assert_eq!(law, [(-1.0, 0.25), (0.0, 0.5), (1.0, 0.25)]);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Beta`]; [`Error::NotApplicable`] if β times the energy overflows.
    pub fn distribution(&self, beta: f64) -> Result<Vec<(f64, f64)>> {
        let (_, weights) = self.weights(beta)?;
        let total = pairwise_sum(&weights);
        Ok(weights.iter().enumerate().map(|(k, w)| (self.magnetization(k), w / total)).collect())
    }

    /// The largest exponent, and all weights relative to it.
    fn weights(&self, beta: f64) -> Result<(f64, Vec<f64>)> {
        check_beta(beta)?;
        let n = self.n_spins;
        let largest = self.energy(1.0).abs().max(self.energy(-1.0).abs());
        if !(4.0 * beta.max(1.0) * largest).is_finite() {
            let reason = format!("energies up to {largest} at beta {beta} are beyond the range of f64");
            return Err(Error::NotApplicable { solver: "curie-weiss", reason });
        }
        let exponent = |k: usize| ln_binomial(n as u64, k as u64) - beta * self.energy(self.magnetization(k));
        let mut weights: Vec<f64> = (0..=n).map(exponent).collect();
        let top = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for w in &mut weights {
            *w = (*w - top).exp();
        }
        Ok((top, weights))
    }

    /// Averages at one inverse temperature. `O(N)`.
    ///
    /// # Errors
    /// [`Error::Beta`]; [`Error::NotApplicable`] if β times the energy overflows.
    pub fn at(&self, beta: f64) -> Result<CurieWeissSums> {
        let (top, weights) = self.weights(beta)?;
        let n = self.n_spins;
        let total = pairwise_sum(&weights);
        let mean = |f: &dyn Fn(f64) -> f64| {
            // M and -M together: odd averages vanish to the last bit without a field.
            let terms: Vec<f64> = (0..n.div_ceil(2))
                .map(|k| {
                    let m = self.magnetization(k);
                    weights[k] * f(m) + weights[n - k] * f(-m)
                })
                .chain(n.is_multiple_of(2).then(|| weights[n / 2] * f(0.0)))
                .collect();
            pairwise_sum(&terms) / total
        };
        let energy = mean(&|m| self.energy(m));
        Ok(CurieWeissSums {
            ln_z: if beta == 0.0 { n as f64 * LN_2 } else { top + total.ln() },
            energy,
            energy_variance: mean(&|m| (self.energy(m) - energy).powi(2)),
            magnetization: mean(&|m| m),
            absolute_magnetization: mean(&f64::abs),
            second_moment: mean(&|m| m * m),
            fourth_moment: mean(&|m| m.powi(4)),
        })
    }
}

/// `x - tanh x`, by the continued fraction of tanh where the difference would cancel.
fn x_minus_tanh(x: f64) -> f64 {
    if x.abs() > 1.0 {
        return x - x.tanh();
    }
    let square = x * x;
    let tail = [17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0].into_iter().fold(0.0, |tail, odd| square / (odd + tail));
    x * tail / (1.0 + tail)
}

/// The Curie-Weiss model at N → ∞, where the saddle point is exact.
///
/// ```math
/// \frac{\ln Z}{N} = \max_m \left[ \ln 2\cosh \beta(Jm + h) - \frac{\beta J m^2}{2} \right], \qquad m = \tanh \beta(Jm + h)
/// ```
///
/// For J < 0 the extremum is a minimum over m, and the equation has one solution. Without field and with `βJ > 1`
/// the positive solution is given: the magnetization of the pure phase, 0⁺ being the field.
///
/// References: N. Goldenfeld, *Lectures on Phase Transitions and the Renormalization Group* (1992), chapter 3.
///
/// ```
/// use spin_models::theory::CurieWeissLimit;
///
/// let model = CurieWeissLimit::new(1.0, 0.0)?;
/// assert_eq!(model.critical_beta(), Some(1.0));
/// assert_eq!(model.magnetization(0.9)?, 0.0);
/// let m = model.magnetization(1.5)?;
/// assert!((m - (1.5 * m).tanh()).abs() < 1e-15 && m > 0.8);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CurieWeissLimit {
    coupling: f64,
    field: f64,
}

impl CurieWeissLimit {
    /// Coupling J and field h.
    ///
    /// # Errors
    /// [`Error::NotFinite`].
    pub fn new(coupling: f64, field: f64) -> Result<Self> {
        for (what, value) in [("coupling", coupling), ("field", field)] {
            if !value.is_finite() {
                return Err(Error::NotFinite { what, entry: 0, sites: Vec::new(), value });
            }
        }
        Ok(Self { coupling, field })
    }

    /// `β_c = 1/J`, where the magnetization appears; `None` for J ≤ 0.
    pub fn critical_beta(&self) -> Option<f64> {
        (self.coupling > 0.0).then(|| 1.0 / self.coupling)
    }

    fn check(&self, beta: f64) -> Result<()> {
        check_beta(beta)?;
        let largest = self.coupling.abs() + self.field.abs();
        if (4.0 * beta.max(1.0) * largest).is_finite() {
            return Ok(());
        }
        let reason = format!("fields up to {largest} at beta {beta} are beyond the range of f64");
        Err(Error::NotApplicable { solver: "curie-weiss", reason })
    }

    /// The magnetization per spin: the solution of `m = tanh β(Jm + h)` of largest weight.
    ///
    /// # Errors
    /// [`Error::Beta`]; [`Error::NotApplicable`] if β times J or h overflows.
    pub fn magnetization(&self, beta: f64) -> Result<f64> {
        self.check(beta)?;
        let (k, h) = (beta * self.coupling, beta * self.field.abs());
        if h == 0.0 && k <= 1.0 {
            return Ok(0.0);
        }
        // With h >= 0, `tanh(Km + h) - m` is concave for K > 0 and falling for K <= 0: Newton's steps from 1 come down
        // to the largest solution. Near the critical point they come slowly, by a third of m each.
        let mut m = 1.0;
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..2000 {
            let x = k * m + h;
            let tanh = x.tanh();
            let excess = (k - 1.0) * m + h - x_minus_tanh(x);
            if excess >= 0.0 {
                low = m
            } else {
                high = m
            }
            let newton = m - excess / (k - 1.0 - k * tanh * tanh);
            let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
            let step = (next - m).abs();
            m = next;
            if step <= f64::EPSILON * m {
                break;
            }
        }
        Ok(if self.field < 0.0 { -m } else { m })
    }

    /// `ln Z / N`.
    ///
    /// # Errors
    /// As [`magnetization`](Self::magnetization).
    pub fn ln_z_per_spin(&self, beta: f64) -> Result<f64> {
        let m = self.magnetization(beta)?;
        let x = beta * (self.coupling * m + self.field);
        Ok(linalg_core::logspace::ln_2cosh(x) - 0.5 * beta * self.coupling * m * m)
    }

    /// The free energy per spin `-ln Z / (βN)`; minus infinity at β = 0.
    ///
    /// # Errors
    /// As [`magnetization`](Self::magnetization).
    pub fn free_energy_per_spin(&self, beta: f64) -> Result<f64> {
        Ok(-self.ln_z_per_spin(beta)? / beta)
    }

    /// `⟨E⟩ / N = -J m²/2 - h m`.
    ///
    /// # Errors
    /// As [`magnetization`](Self::magnetization).
    pub fn energy_per_spin(&self, beta: f64) -> Result<f64> {
        let m = self.magnetization(beta)?;
        Ok(-0.5 * self.coupling * m * m - self.field * m)
    }

    /// `∂m/∂h = β(1 - m²) / (1 - βJ(1 - m²))`; infinite at the critical point.
    ///
    /// # Errors
    /// As [`magnetization`](Self::magnetization).
    pub fn susceptibility(&self, beta: f64) -> Result<f64> {
        let m = self.magnetization(beta)?;
        let variance = (1.0 - m) * (1.0 + m);
        Ok(beta * variance / (1.0 - beta * self.coupling * variance))
    }
}
