//! The infinite square lattice.
//!
//! [`Onsager`] has any two couplings. The functions are those of the usual ferromagnet, J = 1 in both directions:
//!
//! ```
//! use spin_models::exact::onsager;
//!
//! // T = 2: m = (1 - 1/sinh⁴ 1)^{1/8}.
//! let m = (1.0 - 1f64.sinh().powi(-4)).powf(0.125);
//! assert!((onsager::spontaneous_magnetization(0.5)? - m).abs() < 1e-15);
//! assert!((1.0 / onsager::critical_beta() - 2.269185314213022).abs() < 1e-15);
//! # Ok::<(), spin_models::Error>(())
//! ```

use std::f64::consts::{LN_2, PI};

use super::square::{Couplings, Jet, check_coupling};
use crate::error::check_beta;
use crate::exact::compensated::Compensated;
use crate::{Error, Result};

/// `K_c = ½ ln(1 + √2)`, where the isotropic lattice has its transition.
pub const CRITICAL_COUPLING: f64 = 0.440_686_793_509_771_5;

/// The infinite square lattice without a field, couplings `J_1` along rows and `J_2` along columns.
///
/// ```math
/// \frac{\ln Z}{N} = \ln 2 + \frac{1}{2 (2\pi)^2} \int_0^{2\pi}\!\!\int_0^{2\pi} \ln\left[\cosh 2K_1 \cosh 2K_2
///   - \sinh 2K_1 \cos\omega_1 - \sinh 2K_2 \cos\omega_2\right] d\omega_1 d\omega_2, \qquad K_a = \beta J_a
/// ```
///
/// One integral is done in closed form, the other by a rule of 465 points that is as accurate at the critical point,
/// where the integrand has a kink, as elsewhere; derivatives are those of the integrand.
/// ln Z is right to 2e-16 relative and the energy to 3e-15 J absolute at every β, the specific heat to 1e-14 absolute
/// or, near the transition, 1e-16 over the distance from it in β. The lattice is bipartite: signs of the couplings
/// matter to the magnetization only.
///
/// References: L. Onsager, Phys. Rev. 65, 117 (1944), Eqs. (106)-(117); C. N. Yang, Phys. Rev. 85, 808 (1952); C. H.
/// Chang, Phys. Rev. 88, 1422 (1952), for the magnetization with two couplings.
///
/// ```
/// use spin_models::exact::onsager::{CRITICAL_COUPLING, Onsager};
///
/// let square = Onsager::isotropic(1.0)?;
/// // At the critical point e = -√2 J, ln Z/N = ½ ln 2 + 2G/π with Catalan's constant G.
/// let critical = square.at(CRITICAL_COUPLING)?;
/// assert!((critical.energy_per_site + 2f64.sqrt()).abs() < 1e-15);
/// assert!((critical.ln_z_per_site - 0.5 * 2f64.ln() - 2.0 * 0.915965594177219 / std::f64::consts::PI).abs() < 1e-15);
/// assert_eq!(critical.specific_heat, f64::INFINITY);
/// // m = (1 - 1/sinh⁴ 2K)^{1/8}.
/// let m = (1.0 - 1f64.sinh().powi(-4)).powf(0.125);
/// assert!((square.spontaneous_magnetization(0.5)? - m).abs() < 1e-15);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Onsager {
    rows: f64,
    columns: f64,
}

/// Averages of the infinite lattice at one inverse temperature.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BulkSums {
    /// `ln Z / N`.
    pub ln_z_per_site: f64,
    /// `⟨E⟩ / N`.
    pub energy_per_site: f64,
    /// `β² (⟨E²⟩ - ⟨E⟩²) / N`; infinite at the critical point, to the last few bits of β.
    pub specific_heat: f64,
}

/// A direction of the square lattice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Direction {
    /// From a site to the next of its row.
    Rows,
    /// From a site to the next of its column.
    Columns,
    /// From a site to the one a row and a column further.
    Diagonal,
}

impl Onsager {
    /// Couplings along rows and along columns, of any sign.
    ///
    /// # Errors
    /// [`Error::NotFinite`].
    pub fn new(rows: f64, columns: f64) -> Result<Self> {
        check_coupling(0, rows)?;
        check_coupling(1, columns)?;
        Ok(Self { rows, columns })
    }

    /// One coupling in both directions.
    ///
    /// # Errors
    /// [`Error::NotFinite`].
    pub fn isotropic(coupling: f64) -> Result<Self> {
        Self::new(coupling, coupling)
    }

    /// The stronger coupling, which is that of the transfer direction, and the weaker one.
    fn direction(&self) -> [f64; 2] {
        let (a, b) = (self.rows.abs(), self.columns.abs());
        [a.max(b), a.min(b)]
    }

    fn couplings(&self, beta: f64) -> Result<Couplings> {
        check_beta(beta)?;
        let [along, across] = self.direction().map(|coupling| beta * coupling);
        if !(4.0 * (along + across)).is_finite() {
            let reason = format!("couplings {} and {} at beta {beta} overflow", self.rows, self.columns);
            return Err(Error::NotApplicable { solver: "onsager", reason });
        }
        Ok(Couplings::new(along, across))
    }

    /// ln Z, energy and specific heat per site: 465 evaluations of the integrand.
    ///
    /// # Errors
    /// [`Error::Beta`]; [`Error::NotApplicable`] if β times a coupling overflows.
    pub fn at(&self, beta: f64) -> Result<BulkSums> {
        let couplings = self.couplings(beta)?;
        if beta == 0.0 {
            return Ok(BulkSums { ln_z_per_site: LN_2, energy_per_site: 0.0, specific_heat: 0.0 });
        }
        let (ln_z_per_site, slope, specific_heat) = if couplings.is_decoupled() {
            // Chains: λ = 2 cosh K.
            let k = couplings.along;
            (k + (-2.0 * k).exp().ln_1p(), self.direction()[0] * k.tanh(), (k / k.cosh()).powi(2))
        } else {
            let ln_z = mean_over_momenta(&couplings);
            let (slope, curvature) = ln_z.along(self.direction());
            (ln_z.value, slope, (beta * beta * curvature).max(0.0))
        };
        // A distance of a few roundings is none.
        let critical = couplings.order().abs() <= 8.0 * f64::EPSILON;
        let specific_heat = if critical { f64::INFINITY } else { specific_heat };
        Ok(BulkSums { ln_z_per_site, energy_per_site: -slope, specific_heat })
    }

    /// The magnetization per site of a pure phase without field; 0 above the critical temperature.
    ///
    /// ```math
    /// m = \left(1 - \sinh^{-2} 2K_1 \, \sinh^{-2} 2K_2\right)^{1/8}
    /// ```
    ///
    /// With a negative coupling the order is staggered: the uniform magnetization is then 0, and
    /// [`order_parameter`](Self::order_parameter) the staggered one.
    ///
    /// # Errors
    /// As [`at`](Self::at).
    pub fn spontaneous_magnetization(&self, beta: f64) -> Result<f64> {
        let m = self.order_parameter(beta)?;
        Ok(if self.rows > 0.0 && self.columns > 0.0 { m } else { 0.0 })
    }

    /// The magnetization with every spin taken relative to the ground state that its couplings favour.
    ///
    /// # Errors
    /// As [`at`](Self::at).
    pub fn order_parameter(&self, beta: f64) -> Result<f64> {
        let order = self.couplings(beta)?.order();
        // (1 - x)(1 + x) with x = 1/(sinh sinh); the order is 1 - x.
        Ok(if order > 0.0 { (order * (2.0 - order)).powf(0.125) } else { 0.0 })
    }

    /// How far correlations reach in one direction, in lattice constants (a diagonal step is √2 of them).
    ///
    /// The decay $`e^{-r/\xi}`$ of $`\langle s_0 s_r \rangle - m^2`$ in a pure phase, up to a power of r, with couplings
    /// relative to the ground state where one is negative:
    ///
    /// ```math
    /// \frac{1}{\xi_1} = \begin{cases} \ln\coth K_1 - 2K_2 & \text{disordered} \\ 2\,(2K_2 - \ln\coth K_1) & \text{ordered} \end{cases}
    /// \qquad \frac{\sqrt2}{\xi_d} = \begin{cases} -\ln k \\ 2 \ln k \end{cases} , \quad k = \sinh 2K_1 \sinh 2K_2
    /// ```
    ///
    /// along rows (along columns with 1 and 2 exchanged) and along the diagonal. 0 at β = 0 and in the ground state,
    /// infinite at the critical point and beyond 1.8e308 (a chain at K > 355); right to a few roundings of β elsewhere.
    ///
    /// ```
    /// use spin_models::exact::onsager::{CRITICAL_COUPLING, Direction, Onsager};
    ///
    /// let square = Onsager::isotropic(1.0)?;
    /// let inverse = -0.3f64.tanh().ln() - 0.6;
    /// assert!((square.correlation_length(0.3, Direction::Rows)? * inverse - 1.0).abs() < 1e-14);
    /// assert_eq!(square.correlation_length(CRITICAL_COUPLING, Direction::Rows)?, f64::INFINITY);
    /// // Without coupling between rows: the chain.
    /// let chain = Onsager::new(1.0, 0.0)?.correlation_length(0.3, Direction::Rows)?;
    /// assert!((chain + 1.0 / 0.3f64.tanh().ln()).abs() < 1e-14);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// References: L. Onsager, Phys. Rev. 65, 117 (1944); B. M. McCoy and T. T. Wu, The Two-Dimensional Ising Model
    /// (1973), chapters XI and XII.
    ///
    /// # Errors
    /// As [`at`](Self::at).
    pub fn correlation_length(&self, beta: f64, direction: Direction) -> Result<f64> {
        // Of all orders of the couplings one serves to check and to find the phase.
        let order = self.couplings(beta)?.order();
        if order.abs() <= 8.0 * f64::EPSILON {
            return Ok(f64::INFINITY);
        }
        let [rows, columns] = [self.rows, self.columns].map(|coupling| beta * coupling.abs());
        let (disordered, step) = match direction {
            Direction::Rows => (Couplings::new(rows, columns).excitation(), 1.0),
            Direction::Columns => (Couplings::new(columns, rows).excitation(), 1.0),
            Direction::Diagonal => (-Couplings::new(rows, columns).ln_modulus(), std::f64::consts::SQRT_2),
        };
        Ok(step / if disordered < 0.0 { -2.0 * disordered } else { disordered })
    }

    /// `β_c`, where `sinh 2β|J_1| sinh 2β|J_2| = 1`; `None` if a coupling is 0.
    ///
    /// ```
    /// use spin_models::exact::onsager::{CRITICAL_COUPLING, Onsager};
    ///
    /// assert_eq!(Onsager::isotropic(-2.0)?.critical_beta(), Some(0.5 * CRITICAL_COUPLING));
    /// let beta = Onsager::new(1.0, 3.0)?.critical_beta().unwrap();
    /// assert!(((2.0 * beta).sinh() * (6.0 * beta).sinh() - 1.0).abs() < 1e-15);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    pub fn critical_beta(&self) -> Option<f64> {
        let (a, b) = (self.rows.abs(), self.columns.abs());
        if a == 0.0 || b == 0.0 {
            return None;
        }
        // Between the values for two equal couplings; bisection down to neighbouring numbers.
        let (mut low, mut high) = (CRITICAL_COUPLING / a.max(b), CRITICAL_COUPLING / a.min(b));
        while low < high {
            let middle =
                if high > 4.0 * low { (low.sqrt() * high.sqrt()).clamp(low, high) } else { 0.5 * (low + high) };
            if middle <= low || middle >= high {
                break;
            }
            if Couplings::new(middle * a, middle * b).order() < 0.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(low)
    }
}

const FERROMAGNET: Onsager = Onsager { rows: 1.0, columns: 1.0 };

/// `ln Z / N` for J = 1.
///
/// # Errors
/// [`Error::Beta`]; [`Error::NotApplicable`] if β overflows the sums.
pub fn ln_z_per_site(beta: f64) -> Result<f64> {
    Ok(FERROMAGNET.at(beta)?.ln_z_per_site)
}

/// `⟨E⟩ / N` for J = 1: from 0 at β = 0 to -2.
///
/// # Errors
/// As [`ln_z_per_site`].
pub fn energy_per_site(beta: f64) -> Result<f64> {
    Ok(FERROMAGNET.at(beta)?.energy_per_site)
}

/// `β² (⟨E²⟩ - ⟨E⟩²) / N` for J = 1; infinite at the critical point.
///
/// # Errors
/// As [`ln_z_per_site`].
pub fn specific_heat(beta: f64) -> Result<f64> {
    Ok(FERROMAGNET.at(beta)?.specific_heat)
}

/// Yang's magnetization `(1 - sinh⁻⁴ 2β)^{1/8}` for J = 1; 0 above the critical temperature.
///
/// # Errors
/// As [`ln_z_per_site`].
pub fn spontaneous_magnetization(beta: f64) -> Result<f64> {
    FERROMAGNET.spontaneous_magnetization(beta)
}

/// The correlation length along rows or columns for J = 1, in lattice constants; infinite at the critical point.
///
/// # Errors
/// As [`ln_z_per_site`].
pub fn correlation_length(beta: f64) -> Result<f64> {
    FERROMAGNET.correlation_length(beta, Direction::Rows)
}

/// `β_c = ½ ln(1 + √2) = 0.4407` for J = 1.
pub fn critical_beta() -> f64 {
    CRITICAL_COUPLING
}

/// Spacing of the rule, and how far it reaches on the side of ω = 0 and on that of ω = π.
const STEP: f64 = 0.25;
const REACH: [i32; 2] = [-312, 152];

/// `1/π ∫_0^π ln(√P + √D) dω`: ln Z per site.
///
/// `tan(ω/2) = e^x` and the trapezoidal rule in x. The integrand varies on the scale of its gap near ω = 0, as small as
/// that may be; in x all scales look alike. Its singularities have distance π/2 from the real axis, so that the rule's
/// error is `e^{-π²/STEP} = 7e-18`; what is cut off is `e^{-38}`, and on the side of ω = 0 as much of a gap of 1e-17.
fn mean_over_momenta(couplings: &Couplings) -> Jet {
    let mut sum = Jet::default();
    let mut value = Compensated::default();
    // The constant part of the logarithm, K + K', need not be averaged.
    let constant = couplings.along + couplings.across;
    for k in REACH[0]..=REACH[1] {
        let x = f64::from(k) * STEP;
        let sin_squared = 1.0 / (1.0 + (-2.0 * x).exp());
        let weight = STEP / (PI * x.cosh());
        let ln = couplings.momentum(sin_squared).ln;
        value.add(weight * (ln.value - constant));
        sum += ln.scale(weight);
    }
    Jet { value: value.value() + constant, ..sum }
}
