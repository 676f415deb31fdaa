//! Ising models on the Bethe lattice.

use linalg_core::logspace::{ln_2cosh, log_add_exp};
use linalg_core::optim::find_root;

use super::average::GaussianAverage;
use super::saddle_point::{Convergence, check_finite};
use crate::error::check_beta;
use crate::models::Disorder;
use crate::{Error, Result};

/// The Ising model in the interior of a tree where every site has z neighbours.
///
/// The same numbers hold for random regular graphs, whose loops are long, as long as the state is unique (or the pure phase
/// of positive magnetization). With the cavity bias u that a neighbour sends,
///
/// ```math
/// \tanh \beta u = \tanh \beta J\, \tanh \beta(h + (z - 1) u), \qquad m = \tanh \beta(h + z u),
/// ```
///
/// and `ln Z/N = ln Z_site - (z/2) ln Z_edge`. The solution of largest u is given for J > 0, h ≥ 0, mirrored for h < 0. For
/// J < 0 it is the solution that treats all sites alike, which is not the antiferromagnetic phase.
///
/// References: H. A. Bethe, Proc. R. Soc. A 150, 552 (1935); R. J. Baxter, *Exactly Solved Models in Statistical Mechanics*
/// (1982), chapter 4.
///
/// ```
/// use spin_models::theory::BetheLattice;
///
/// let lattice = BetheLattice::new(4, 1.0, 0.0)?;
/// // tanh β_c J = 1/(z - 1).
/// assert!((lattice.critical_beta().unwrap() - 0.5 * 2f64.ln()).abs() < 1e-15);
/// // Above the transition bonds are independent: ln Z/N = ln 2 + (z/2) ln cosh βJ.
/// let warm = lattice.at(0.3)?;
/// assert!((warm.ln_z_per_spin - 2f64.ln() - 2.0 * 0.3f64.cosh().ln()).abs() < 1e-14);
/// assert!(warm.magnetization == 0.0 && lattice.at(0.4)?.magnetization > 0.7);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BetheLattice {
    degree: usize,
    coupling: f64,
    field: f64,
}

/// A solution on the Bethe lattice; quantities are per spin.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BetheSolution {
    /// The cavity bias u.
    pub cavity_bias: f64,
    /// `⟨s⟩`.
    pub magnetization: f64,
    /// `⟨s s'⟩` of neighbours.
    pub correlation: f64,
    /// `ln Z / N`.
    pub ln_z_per_spin: f64,
    /// `⟨E⟩/N`.
    pub energy_per_spin: f64,
    /// Residual of the cavity equation in u.
    pub convergence: Convergence,
}

/// `atanh(tanh a tanh b)`, accurate where both are large and where one is small.
fn product_angle(a: f64, b: f64) -> f64 {
    if a.abs().min(b.abs()) < 1.0 {
        return (a.tanh() * b.tanh()).atanh();
    }
    0.5 * (ln_2cosh(a + b) - ln_2cosh(a - b))
}

impl BetheLattice {
    /// Degree z, coupling J and field h.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a degree below 2 and numbers that are not finite.
    pub fn new(degree: usize, coupling: f64, field: f64) -> Result<Self> {
        check_degree(degree)?;
        check_finite("coupling", coupling)?;
        check_finite("field", field)?;
        Ok(Self { degree, coupling, field })
    }

    /// `β_c = atanh(1/(z - 1))/J`; `None` for J ≤ 0 and for z = 2, the chain.
    pub fn critical_beta(&self) -> Option<f64> {
        (self.coupling > 0.0 && self.degree > 2).then(|| (1.0 / (self.degree - 1) as f64).atanh() / self.coupling)
    }

    /// Averages at inverse temperature β.
    ///
    /// # Errors
    /// [`Error::Beta`]; [`Error::NotApplicable`] if β times J or h overflows.
    pub fn at(&self, beta: f64) -> Result<BetheSolution> {
        check_beta(beta)?;
        let z = self.degree as f64;
        let (k, h) = (beta * self.coupling, beta * self.field.abs());
        if !(4.0 * (z * k.abs() + h)).is_finite() {
            let reason = format!(
                "coupling {} and field {} at beta {beta} are beyond the range of f64",
                self.coupling, self.field
            );
            return Err(Error::NotApplicable { solver: "bethe lattice", reason });
        }
        // In units of the temperature. The right side is concave for u >= 0 and J > 0, falling for J < 0: one sign change.
        let excess = |u: f64| product_angle(k, h + (z - 1.0) * u) - u;
        let ordered = (z - 1.0) * k.tanh() > 1.0;
        let (u, convergence) = if h == 0.0 && !ordered || k == 0.0 {
            (0.0, Convergence::judged(0.0, 0.0, 1))
        } else {
            // Above 0, where a field too small for the rounding leaves a second root.
            let (low, high) = if k < 0.0 { (k, 0.0) } else { (if ordered { 1e-9 * k } else { 0.0 }, k) };
            let mut root = find_root(excess, low, high, 0.0);
            if !root.converged && h > 0.0 && low > 0.0 {
                root = find_root(excess, 0.0, high, 0.0);
            }
            // So close to the transition that u is below the bracket.
            let u = if root.converged { root.x } else { 0.0 };
            (u, Convergence::judged(excess(u).abs(), 1e-12 * k.abs().max(1.0), root.evaluations))
        };
        let cavity = h + (z - 1.0) * u;
        // A neighbour's factor is C exp(u s).
        let ln_c = 0.5 * (ln_2cosh(k + cavity) + ln_2cosh(k - cavity)) - ln_2cosh(cavity);
        let ln_site = ln_2cosh(h + z * u) + z * ln_c;
        let aligned = k + ln_2cosh(2.0 * cavity);
        let opposed = std::f64::consts::LN_2 - k;
        let ln_edge = log_add_exp(aligned, opposed) - 2.0 * ln_2cosh(cavity);
        let correlation = (0.5 * (aligned - opposed)).tanh();
        let ln_z = ln_site - 0.5 * z * ln_edge;
        let m = (h + z * u).tanh();
        let sign = if self.field < 0.0 { -1.0 } else { 1.0 };
        let magnetization = sign * m;
        Ok(BetheSolution {
            cavity_bias: if beta > 0.0 { sign * u / beta } else { 0.0 },
            magnetization,
            correlation,
            ln_z_per_spin: ln_z,
            energy_per_spin: -0.5 * z * self.coupling * correlation - self.field * magnetization,
            convergence,
        })
    }
}

fn check_degree(degree: usize) -> Result<()> {
    if degree >= 2 {
        return Ok(());
    }
    Err(Error::Parameter { what: "degree", value: degree.to_string(), expected: "at least 2" })
}

/// `⟨tanh^n βJ⟩` over the disorder.
fn mean_power(disorder: Disorder, beta: f64, power: i32) -> f64 {
    match disorder {
        Disorder::PlusMinus { j, p_negative } => {
            let t = (beta * j).tanh().powi(power);
            if power % 2 == 0 { t } else { (1.0 - 2.0 * p_negative) * t }
        }
        Disorder::Gaussian { mean, std } => {
            let [average] = GaussianAverage::new(mean, std, 1.0 / beta).of(|_, j| [(beta * j).tanh().powi(power)]);
            average
        }
    }
}

/// The inverse temperature of the spin-glass transition on the Bethe lattice of degree z without field,
/// `(z - 1) ⟨tanh² βJ⟩ = 1`, or `None` for z = 2.
///
/// It is where the paramagnet loses its stability unless [`ferromagnetic_beta`] is smaller. For random graphs with Poisson
/// degrees of mean c take `z - 1 = c`, that is `z = c + 1`: the condition knows only the mean number of further neighbours.
///
/// Reference: M. Mézard and G. Parisi, Eur. Phys. J. B 20, 217 (2001).
///
/// ```
/// use spin_models::Disorder;
/// use spin_models::theory::spin_glass_beta;
///
/// // ±J: tanh² β = 1/(z - 1).
/// let (beta, _) = spin_glass_beta(3, Disorder::plus_minus())?.expect("more than a chain");
/// assert!((beta - 0.5f64.sqrt().atanh()).abs() < 1e-12);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parameter`] for a degree below 2 or a law without couplings other than 0.
pub fn spin_glass_beta(degree: usize, disorder: Disorder) -> Result<Option<(f64, Convergence)>> {
    instability(degree, disorder, 2)
}

/// The inverse temperature where the paramagnet gives way to a ferromagnet, `(z - 1) ⟨tanh βJ⟩ = 1`; `None` if it does at no
/// temperature.
///
/// ```
/// use spin_models::Disorder;
/// use spin_models::theory::ferromagnetic_beta;
///
/// let diluted = Disorder::PlusMinus { j: 1.0, p_negative: 0.05 };
/// let (beta, _) = ferromagnetic_beta(4, diluted)?.expect("few negative couplings");
/// assert!((beta - (1.0 / 2.7f64).atanh()).abs() < 1e-12);
/// assert!(ferromagnetic_beta(4, Disorder::plus_minus())?.is_none());
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// # Errors
/// As [`spin_glass_beta`].
pub fn ferromagnetic_beta(degree: usize, disorder: Disorder) -> Result<Option<(f64, Convergence)>> {
    instability(degree, disorder, 1)
}

fn instability(degree: usize, disorder: Disorder, power: i32) -> Result<Option<(f64, Convergence)>> {
    check_degree(degree)?;
    let (mean, scale) = match disorder {
        Disorder::PlusMinus { j, p_negative } => {
            if !(0.0..=1.0).contains(&p_negative) {
                let value = p_negative.to_string();
                return Err(Error::Parameter { what: "probability of a negative coupling", value, expected: "0 to 1" });
            }
            (j, j.abs())
        }
        Disorder::Gaussian { mean, std } => (mean, mean.hypot(std)),
    };
    check_finite("coupling", mean)?;
    if !(scale > 0.0 && scale.is_finite()) {
        return Err(Error::Parameter {
            what: "width of the couplings",
            value: scale.to_string(),
            expected: "more than 0",
        });
    }
    let further = (degree - 1) as f64;
    let excess = |ln_beta: f64| further * mean_power(disorder, ln_beta.exp(), power) - 1.0;
    let (low, high) = ((1e-3 / (scale * further)).ln(), (1e6 / scale).ln());
    let root = find_root(excess, low, high, 0.0);
    // The excess rises with β, up to its limit where tanh is a sign.
    if !root.converged || excess(high) < 1e-12 {
        return Ok(None);
    }
    Ok(Some((root.x.exp(), Convergence::judged(root.residual.abs(), 1e-12, root.evaluations))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn a_chain_is_the_transfer_matrix() {
        for (j, h, beta) in [(1.0, 0.3, 0.7), (-0.8, 0.5, 1.3), (0.4, -0.2, 2.0), (1.0, 0.0, 1.0), (1.0, 0.1, 300.0)] {
            let got = BetheLattice::new(2, j, h).unwrap().at(beta).unwrap();
            let (k, b): (f64, f64) = (beta * j, beta * h);
            // λ = e^K cosh b + sqrt(e^{2K} sinh² b + e^{-2K}), in logarithms.
            let e = (-2.0 * k.abs()).exp();
            let lambda = if k > 0.0 {
                k + b.abs()
                    + (0.5 * (1.0 + (-2.0 * b.abs()).exp())
                        + (0.25 * (1.0 - (-2.0 * b.abs()).exp()).powi(2) + e * e * (-2.0 * b.abs()).exp()).sqrt())
                    .ln()
            } else {
                (k.exp() * b.cosh() + (k.exp().powi(2) * b.sinh().powi(2) + (-2.0 * k).exp()).sqrt()).ln()
            };
            assert_relative_eq!(got.ln_z_per_spin, lambda, max_relative = 1e-12);
            assert!(got.convergence.converged);
        }
    }

    #[test]
    fn energy_and_magnetization_are_derivatives() {
        for (z, j, h, beta) in [(3, 1.0, 0.0, 0.9), (4, 1.0, 0.2, 0.3), (5, 0.7, -0.1, 0.5), (4, -1.0, 0.3, 0.2)] {
            let at = |beta: f64, h: f64| BetheLattice::new(z, j, h).unwrap().at(beta).unwrap();
            let here = at(beta, h);
            let d = 1e-5;
            let energy = -(at(beta + d, h).ln_z_per_spin - at(beta - d, h).ln_z_per_spin) / (2.0 * d);
            assert_relative_eq!(here.energy_per_spin, energy, epsilon = 1e-8);
            if h != 0.0 {
                let m = (at(beta, h + d).ln_z_per_spin - at(beta, h - d).ln_z_per_spin) / (2.0 * d * beta);
                assert_relative_eq!(here.magnetization, m, epsilon = 1e-9);
            }
        }
    }

    #[test]
    fn transitions() {
        let lattice = BetheLattice::new(6, 1.0, 0.0).unwrap();
        let critical = lattice.critical_beta().unwrap();
        assert_eq!(lattice.at(0.999 * critical).unwrap().magnetization.to_bits(), 0);
        assert!(lattice.at(1.001 * critical).unwrap().magnetization > 0.01);
        assert!(BetheLattice::new(2, 1.0, 0.0).unwrap().critical_beta().is_none());
        // Infinite degree with couplings J/z: Curie-Weiss.
        let dense = BetheLattice::new(1_000_000, 1e-6, 0.0).unwrap().at(1.3).unwrap();
        let exact = crate::theory::CurieWeissLimit::new(1.0, 0.0).unwrap().magnetization(1.3).unwrap();
        assert_relative_eq!(dense.magnetization, exact, epsilon = 1e-5);
        // ±J at z = 4: tanh² β = 1/3, T = 1.5187.
        let (beta, _) = spin_glass_beta(4, Disorder::plus_minus()).unwrap().unwrap();
        assert_relative_eq!(beta, (1.0 / 3f64.sqrt()).atanh(), epsilon = 1e-12);
        assert_relative_eq!(1.0 / beta, 1.5187, epsilon = 1e-4);
        // Gaussian at z = 6: the average of tanh² βJ by the trapezoidal rule is 1/5; T = 1.807.
        let (beta, convergence) = spin_glass_beta(6, Disorder::gaussian()).unwrap().unwrap();
        assert!(convergence.converged);
        let term = |k: i32| {
            let j = 0.02 * f64::from(k);
            (beta * j).tanh().powi(2) * (-0.5 * j * j).exp()
        };
        let average = 0.02 * (-600..=600).map(term).sum::<f64>() / (2.0 * std::f64::consts::PI).sqrt();
        assert_relative_eq!(average, 0.2, epsilon = 1e-9);
        assert_relative_eq!(1.0 / beta, 1.807, epsilon = 1e-3);
        // Dense limit: the Sherrington-Kirkpatrick model.
        let (beta, _) = spin_glass_beta(10_001, Disorder::Gaussian { mean: 0.0, std: 0.01 }).unwrap().unwrap();
        assert_relative_eq!(beta, 1.0, epsilon = 1e-3);
    }

    /// The ordered solution, and above the transition the response `β (1 + t)/(1 - (z - 1) t)`, `t = tanh βJ`, at
    /// β = 0.1.
    #[test]
    fn tiny_fields() {
        let ordered = BetheLattice::new(4, 1.0, 0.0).unwrap().at(1.0).unwrap();
        let t = 0.1f64.tanh();
        let response = 0.1 * (1.0 + t) / (1.0 - 3.0 * t);
        for field in [1e-300, 1e-40, 1e-17, 1e-12, -1e-17] {
            let lattice = BetheLattice::new(4, 1.0, field).unwrap();
            let cold = lattice.at(1.0).unwrap();
            assert!(cold.convergence.converged);
            assert_relative_eq!(cold.magnetization, ordered.magnetization.copysign(field), max_relative = 1e-10);
            let warm = lattice.at(0.1).unwrap();
            assert!(warm.convergence.converged);
            assert_relative_eq!(warm.magnetization, response * field, max_relative = 1e-12);
        }
        // Where the small and the large form meet.
        for (a, b) in [(1.0f64, 3.0f64), (2.5, 1.0), (-1.0, 1.5)] {
            let product = (a.tanh() * b.tanh()).atanh();
            assert_relative_eq!(product_angle(a, b), product, max_relative = 1e-13);
            assert_relative_eq!(product_angle(0.999_999_999 * a, 0.999_999_999 * b), product, max_relative = 1e-8);
        }
    }

    #[test]
    fn bad_input() {
        assert!(BetheLattice::new(1, 1.0, 0.0).is_err() && BetheLattice::new(3, f64::NAN, 0.0).is_err());
        let lattice = BetheLattice::new(3, 1.0, 0.0).unwrap();
        assert!(lattice.at(-1.0).is_err() && lattice.at(1e308).is_err());
        assert!(spin_glass_beta(3, Disorder::Gaussian { mean: 0.0, std: 0.0 }).is_err());
        assert!(spin_glass_beta(3, Disorder::PlusMinus { j: f64::NAN, p_negative: 0.5 }).is_err());
        assert!(spin_glass_beta(2, Disorder::plus_minus()).unwrap().is_none());
    }
}
