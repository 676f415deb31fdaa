//! The solver and what it returns.

use linalg_core::Observer;

use super::NAME;
use super::environment::{Environment, Grown, Sums};
use super::site::Site;
use crate::model::{Kind, LnZ, Progress};
use crate::{Error, Result};

/// The infinite square lattice of equal couplings and fields, by corner transfer matrices of bounded size.
///
/// The plane is cut into four quadrants along a horizontal and a vertical line. The sum over a quadrant is a matrix C
/// between the states of its two edges, and $`\rho = C C^T C C^T`$ is the density matrix of a half-infinite cut. A
/// row and a column of sites make the quadrant larger and double its states; the χ states of largest weight in ρ are
/// kept, until C no longer changes. With M corners, edges and the site that meet in the middle,
///
/// ```math
/// e^{\ln Z / N} = \frac{Z_{+} \, Z_{\emptyset}}{Z_{-} \, Z_{|}},
/// ```
///
/// where the plane has a row and a column between its four corners, neither, or one of them.
///
/// Couplings of either sign along rows and along columns without a field; with a field they must not be negative, since
/// then rows, columns and sublattices are no longer alike. For other lattices and for disorder see
/// [`BoundaryMps`](crate::BoundaryMps) and [`TensorNetwork`](crate::TensorNetwork); without a field the exact values are those of
/// [`Onsager`](crate::exact::Onsager).
///
/// # What is lost
/// The discarded weight is the share of ρ outside the χ states, in the last step. ln Z is in error by about as much,
/// averages by more, up to about the root. With the coupling K in both directions and without a field:
///
/// | χ | weight, K = 0.5 | error of ln Z / N | error of m | weight, K = 0.4 | error | weight, critical | error |
/// |---|---|---|---|---|---|---|---|
/// | 4 | 3e-9 | 4e-9 | 1e-6 | 2e-7 | 3e-7 | 2e-6 | 1e-5 |
/// | 8 | 4e-14 | 6e-14 | 3e-11 | 1e-10 | 1e-10 | 1e-7 | 5e-7 |
/// | 16 | 3e-19 | below 1e-15 | 8e-14 | 3e-15 | 2e-14 | 9e-9 | 3e-8 |
///
/// At the critical point every χ has a finite correlation length and a magnetization, 0.47 at χ = 8, that tends to 0
/// only slowly; there 10 000 steps do not suffice from χ = 16 on, which the report says.
///
/// # Cost
/// $`O(\chi^3)`$ a step; the steps are some ten correlation lengths.
///
/// ```
/// use spin_models::CornerTransfer;
/// use spin_models::exact::Onsager;
///
/// // Below the transition a fixed boundary selects the phase with positive magnetization.
/// let limit = CornerTransfer::new(12).infinite([0.5, 0.5], 0.0, &mut ())?;
/// let exact = Onsager::isotropic(1.0)?;
/// assert!((limit.ln_z_per_site.value - exact.at(0.5)?.ln_z_per_site).abs() < 1e-11);
/// assert!((limit.magnetization - exact.spontaneous_magnetization(0.5)?).abs() < 1e-7);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// # References
/// - R. J. Baxter, Journal of Mathematical Physics 9, 650 (1968) and Journal of Statistical Physics 19, 461 (1978):
///   corner transfer matrices, their truncation and ln Z from them.
/// - T. Nishino and K. Okunishi, Journal of the Physical Society of Japan 65, 891 (1996): growth from the density matrix.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CornerTransfer {
    chi: usize,
    tolerance: f64,
    max_steps: u64,
}

/// 32 states a cut, a tolerance of 1e-12, at most 10 000 steps.
impl Default for CornerTransfer {
    fn default() -> Self {
        Self { chi: 32, tolerance: 1e-12, max_steps: 10_000 }
    }
}

/// What [`CornerTransfer::infinite`] returns.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CornerTransferReport {
    /// `ln Z / N`, an approximation with the discarded weight as its residual.
    pub ln_z_per_site: LnZ,
    /// ⟨s⟩. Without a field that of the phase where it is positive; 0 where a coupling is negative.
    pub magnetization: f64,
    /// ⟨s⟩ relative to the ground state that the couplings favour: staggered where they are negative.
    pub order_parameter: f64,
    /// ⟨s s'⟩ of neighbours in a row and in a column.
    pub correlations: [f64; 2],
    /// The share of the weight of a cut outside the states that were kept, in the last step.
    pub discarded_weight: f64,
    /// Whether the last step changed corner and magnetization by no more than the tolerance.
    pub converged: bool,
    /// The largest change in the last step: of ⟨s⟩ and of the squared singular values of the corner, whose sum is 1.
    pub residual: f64,
    /// Steps: rows and columns of sites around the middle.
    pub steps: u64,
    /// The number of states that were kept.
    pub bond_dimension: usize,
}

impl CornerTransfer {
    /// A solver with at most `chi` states a cut.
    ///
    /// # Panics
    /// If `chi` is 0.
    pub fn new(chi: usize) -> Self {
        assert!(chi > 0, "chi is 0, expected at least 1");
        Self { chi, ..Self::default() }
    }

    /// The largest number of states of a cut.
    pub fn chi(&self) -> usize {
        self.chi
    }

    /// Sets the change in one step, of ⟨s⟩ and of the squared singular values of the corner, at which the lattice is large
    /// enough.
    ///
    /// Close to the critical point a step changes much less than all that would follow.
    ///
    /// # Panics
    /// Unless `tolerance` is positive.
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        assert!(tolerance > 0.0, "the tolerance is {tolerance}, expected a positive number");
        self.tolerance = tolerance;
        self
    }

    /// Sets the largest number of steps.
    ///
    /// # Panics
    /// If `steps` is 0.
    pub fn max_steps(mut self, steps: u64) -> Self {
        assert!(steps > 0, "max_steps is 0, expected at least 1");
        self.max_steps = steps;
        self
    }

    /// ln Z per site, magnetization and correlations of neighbours of the infinite lattice.
    ///
    /// `couplings` are βJ along rows and along columns, `field` is βh.
    ///
    /// ```
    /// use spin_models::CornerTransfer;
    ///
    /// // Without couplings: ln(2 cosh h) and tanh h.
    /// let free = CornerTransfer::new(4).infinite([0.0, 0.0], 0.7, &mut ())?;
    /// assert!((free.ln_z_per_site.value - (2.0 * 0.7f64.cosh()).ln()).abs() < 1e-14);
    /// assert!((free.magnetization - 0.7f64.tanh()).abs() < 1e-14);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Parameter`] for numbers that are not finite, or too large to add; [`Error::NotApplicable`] for a field together with a
    /// negative coupling; [`Error::Stopped`] by the observer, which sees every step.
    pub fn infinite(
        &self,
        couplings: [f64; 2],
        field: f64,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<CornerTransferReport> {
        let sum = couplings.iter().map(|k| k.abs()).sum::<f64>() + field.abs();
        if !sum.is_finite() {
            let value = format!("{couplings:?} and {field}");
            return Err(Error::Parameter { what: "couplings and field", value, expected: "numbers with a finite sum" });
        }
        if let Some(k) = couplings.iter().find(|&&k| k < 0.0 && field != 0.0) {
            let reason = format!("a field ({field}) with a negative coupling ({k}) has two kinds of sites");
            return Err(Error::NotApplicable { solver: NAME, reason });
        }
        // Without a field the signs of the couplings, with one its own, are those of a change of variables.
        let k = couplings.map(f64::abs);
        let site = Site::new(k, field.abs());
        let mut environment = Environment::fixed(&site);
        let mut sums = environment.contract(&site);
        let (mut spectrum, mut discarded): (Vec<f64>, f64) = (Vec::new(), 0.0);
        let (mut steps, mut residual) = (0, f64::INFINITY);
        while residual > self.tolerance && steps < self.max_steps {
            if observer.observe(&Progress::new("growing corners", steps, self.max_steps)).is_break() {
                return Err(Error::Stopped { solver: NAME, done: steps, total: self.max_steps });
            }
            let grown: Grown = environment.grow(&site, self.chi)?;
            let now = grown.environment.contract(&site);
            // Without order the spectrum changes with the square of the magnetization only.
            residual = change(&spectrum, &grown.spectrum).max((now.magnetization() - sums.magnetization()).abs());
            steps += 1;
            (environment, sums, spectrum, discarded) = (grown.environment, now, grown.spectrum, grown.discarded);
        }
        let Sums { corners, lines, sites } = sums;
        let whole = lines.map(|line| line[0] + line[1]);
        let value = (sites[0] * corners / (whole[0] * whole[1])).ln() + sum;
        let converged = residual <= self.tolerance;
        let m = sums.magnetization();
        let order_parameter = if field < 0.0 { -m } else { m };
        let mut correlations = [0.0; 2];
        for (direction, value) in correlations.iter_mut().enumerate() {
            // The weight of a leg is cosh K or s s' sinh K; with s s' in front it is s s' sinh K or cosh K.
            let t = k[direction].tanh();
            let size =
                if t > 0.0 { (lines[direction][0] * t + lines[direction][1] / t) / whole[direction] } else { m * m };
            *value = if couplings[direction] < 0.0 { -size } else { size };
        }
        Ok(CornerTransferReport {
            ln_z_per_site: LnZ { value, std_error: None, kind: Kind::Approximation { converged, residual: discarded } },
            magnetization: if couplings.iter().all(|&k| k >= 0.0) { order_parameter } else { 0.0 },
            order_parameter,
            correlations,
            discarded_weight: discarded,
            converged,
            residual,
            steps,
            bond_dimension: environment.states[0].max(environment.states[1]),
        })
    }
}

/// The largest difference of two spectra.
fn change(before: &[f64], after: &[f64]) -> f64 {
    let at = |spectrum: &[f64], k: usize| spectrum.get(k).copied().unwrap_or(0.0);
    (0..before.len().max(after.len())).map(|k| (at(before, k) - at(after, k)).abs()).fold(0.0, f64::max)
}
