//! States of the Hopfield model and their free energies.

use linalg_core::optim::find_root;
use linalg_core::special::erf;

use crate::theory::average::{FieldAverages, field_averages};
use crate::theory::saddle_point::{Convergence, check_temperature};
use crate::{Error, Result};

use super::lines::largest_load;

/// Largest residual of a converged state.
const TOLERANCE: f64 = 1e-11;

/// The Hopfield model with `αN` random patterns, N → ∞, in replica-symmetric theory with one condensed pattern.
///
/// `E = -½ Σ_{i≠j} J_ij s_i s_j` with Hebb's couplings per neuron, $`J_{ij} = \frac1N \sum_\mu \xi^\mu_i \xi^\mu_j`$. With
/// $`\int Dz`$ over a standard Gaussian,
///
/// ```math
/// m = \int Dz \tanh \beta(m + \sqrt{\alpha r} z), \quad
/// q = \int Dz \tanh^2 \beta(m + \sqrt{\alpha r} z), \quad
/// r = \frac{q}{(1 - \beta(1 - q))^2},
/// ```
/// ```math
/// f = \frac{\alpha + m^2}{2} + \frac{\alpha}{2\beta} \Bigl[\ln(1 - C) - \frac{\beta q}{1 - C}\Bigr] + \frac{\alpha r C}{2}
///   - \frac1\beta \int Dz \ln 2\cosh \beta(m + \sqrt{\alpha r} z), \qquad C = \beta(1 - q).
/// ```
///
/// All states are found from one unknown on which temperature and load depend explicitly, so that there is no iteration that
/// may end in another state. A Hopfield model normalised per pattern has temperatures larger by the factor 1/α.
///
/// Reference: D. J. Amit, H. Gutfreund and H. Sompolinsky, Phys. Rev. Lett. 55, 1530 (1985) and Ann. Phys. 173, 30 (1987).
///
/// ```
/// use spin_models::theory::AmitGutfreundSompolinsky;
///
/// let model = AmitGutfreundSompolinsky::new(0.1)?;
/// let memory = model.retrieval(0.0)?.expect("below the capacity");
/// // m = erf(m / √(2αr)).
/// let x = memory.magnetization / (2.0 * 0.1 * memory.crosstalk).sqrt();
/// assert!((memory.magnetization - linalg_core::special::erf(x)).abs() < 1e-12);
/// assert!(memory.magnetization > 0.99);
/// // At this load the spin glass lies lower: memories are metastable above α = 0.051.
/// assert!(model.spin_glass(0.0)?.expect("cold").free_energy_per_spin < memory.free_energy_per_spin);
/// assert!(AmitGutfreundSompolinsky::new(0.14)?.retrieval(0.0)?.is_none());
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AmitGutfreundSompolinsky {
    load: f64,
}

/// A state of the Hopfield model; energies are per spin.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct HopfieldState {
    /// Temperature.
    pub temperature: f64,
    /// The overlap m with the condensed pattern.
    pub magnetization: f64,
    /// q.
    pub overlap: f64,
    /// `C = β(1 - q)`, which has a limit at T = 0.
    pub susceptibility: f64,
    /// r: `αr` is the variance of the frozen crosstalk.
    pub crosstalk: f64,
    /// f.
    pub free_energy_per_spin: f64,
    /// `⟨E⟩/N`.
    pub energy_per_spin: f64,
    /// `β(⟨E⟩/N - f)`.
    pub entropy_per_spin: f64,
    /// `(1 - C)² - α β² ∫Dz sech⁴`: negative where replica symmetry is broken; minus infinity at T = 0.
    pub replicon: f64,
    /// Residual of the equations for m, q and r.
    pub convergence: Convergence,
}

impl HopfieldState {
    /// Whether the state is stable against breaking of replica symmetry.
    pub fn is_stable(&self) -> bool {
        self.replicon >= 0.0
    }

    /// `(1/αN) Σ_{μ>1} (Σ_i ξ_i s_i)²/N` as simulations measure it, with the thermal fluctuations of the overlaps:
    /// `(1 - β(1-q)²) / (1 - C)²`.
    pub fn measured_crosstalk(&self) -> f64 {
        (1.0 - self.susceptibility * (1.0 - self.overlap)) / (1.0 - self.susceptibility).powi(2)
    }
}

pub(super) fn check_load(load: f64) -> Result<()> {
    if load > 0.0 && load.is_finite() {
        return Ok(());
    }
    Err(Error::Parameter { what: "load", value: load.to_string(), expected: "a finite number > 0" })
}

/// A state with memory of relative noise `x = √(αr)/m`: its m and the load it belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Branch {
    pub magnetization: f64,
    /// Negative where 1 - C is: beyond what is physical.
    pub load: f64,
    pub evaluations: usize,
}

/// Averages, and `(1 - q, C)`.
fn averages(mean: f64, std: f64, temperature: f64) -> (FieldAverages, f64, f64) {
    let a = field_averages(mean, std, temperature);
    if temperature > 0.0 { (a, a.spread, a.spread / temperature) } else { (a, 0.0, a.spread) }
}

/// The state with memory at relative noise x.
pub(super) fn branch(noise: f64, temperature: f64) -> Branch {
    let (m, evaluations) = if temperature > 0.0 {
        let excess = |m: f64| field_averages(m, m * noise, temperature).magnetization / m - 1.0;
        // The average may exceed 1 by rounding.
        let root = find_root(excess, 1e-7, 1.0 + 1e-12, 0.0);
        (if root.converged { root.x.min(1.0) } else { 0.0 }, root.evaluations)
    } else {
        (erf(std::f64::consts::FRAC_1_SQRT_2 / noise), 1)
    };
    if m == 0.0 {
        return Branch { magnetization: 0.0, load: f64::NEG_INFINITY, evaluations };
    }
    let (_, spread, c) = averages(m, m * noise, temperature);
    let load = (noise * m).powi(2) * (1.0 - c) * (1.0 - c).abs() / (1.0 - spread);
    Branch { magnetization: m, load, evaluations }
}

impl AmitGutfreundSompolinsky {
    /// The model with load α, patterns over neurons.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `0 < α < ∞`.
    pub fn new(load: f64) -> Result<Self> {
        check_load(load)?;
        Ok(Self { load })
    }

    /// The load α.
    pub fn load(&self) -> f64 {
        self.load
    }

    /// The state with a remembered pattern at temperature T ≥ 0, the one of larger m; `None` beyond the line `T_M`.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a negative or infinite temperature.
    pub fn retrieval(&self, temperature: f64) -> Result<Option<HopfieldState>> {
        check_temperature(temperature)?;
        if temperature >= 1.0 {
            return Ok(None);
        }
        let top = largest_load(temperature);
        if self.load > top.load {
            return Ok(None);
        }
        // The load rises with the noise up to its maximum: this side of it m is the larger one.
        let mut evaluations = 0;
        let excess = |ln_noise: f64| {
            let branch = branch(ln_noise.exp(), temperature);
            evaluations += branch.evaluations;
            if branch.load > 0.0 { (branch.load / self.load).ln() } else { f64::INFINITY }
        };
        // √(αr)/m of order √α, and at least √α (1 - T) everywhere.
        let least = (1e-3 * self.load.sqrt() * (1.0 - temperature)).ln().min(top.ln_noise - 1.0);
        let root = find_root(excess, least, top.ln_noise, 0.0);
        let noise = if root.converged { root.x.exp() } else { top.ln_noise.exp() };
        let m = branch(noise, temperature).magnetization;
        Ok(Some(self.state(temperature, m, noise * m, evaluations)))
    }

    /// The spin-glass state, m = 0 and q > 0; `None` above `T_g = 1 + √α`. Replica symmetry is broken in all of it.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a negative or infinite temperature.
    pub fn spin_glass(&self, temperature: f64) -> Result<Option<HopfieldState>> {
        check_temperature(temperature)?;
        let root_load = self.load.sqrt();
        if temperature >= 1.0 + root_load {
            return Ok(None);
        }
        if temperature == 0.0 {
            // C = a (1 - C) with a = √(2/πα), r = (1 - C)^-2.
            let a = (2.0 / (std::f64::consts::PI * self.load)).sqrt();
            return Ok(Some(self.state(0.0, 0.0, root_load * (1.0 + a), 1)));
        }
        // √α q^{1/2} = v (T - (1 - q)) with v = β √(αr); v (T - (1 - q))/√q rises from T - 1 where it is positive.
        let excess = |ln_v: f64| {
            let v = ln_v.exp();
            let (_, spread, _) = averages(0.0, v, 1.0);
            // Near the transition q and v² are small and their ratio is what counts.
            let root_q = if v < 1e-6 { v } else { (1.0 - spread).sqrt() };
            v * (temperature - spread) / root_q - root_load
        };
        // The largest v is a number.
        let highest = ((10.0 * (root_load + 1.0)).ln() - temperature.ln()).min(709.0);
        let root = find_root(excess, -16.0, highest, 0.0);
        Ok(Some(self.state(temperature, 0.0, temperature * root.x.exp(), root.evaluations)))
    }

    /// Free energy per spin of the paramagnet, m = q = 0; NaN at and below T = 1, where it does not exist.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a negative or infinite temperature.
    pub fn paramagnet_free_energy_per_spin(&self, temperature: f64) -> Result<f64> {
        check_temperature(temperature)?;
        if temperature <= 1.0 {
            return Ok(f64::NAN);
        }
        let beta = 1.0 / temperature;
        Ok(0.5 * self.load + 0.5 * self.load * temperature * (1.0 - beta).ln() - temperature * std::f64::consts::LN_2)
    }

    /// f as a function of all order parameters, stationary at the states.
    #[cfg(test)]
    pub(super) fn functional(&self, temperature: f64, m: f64, q: f64, r: f64) -> f64 {
        let c = (1.0 - q) / temperature;
        let a = field_averages(m, (self.load * r).sqrt(), temperature);
        0.5 * (self.load + m * m) + 0.5 * self.load * (temperature * (1.0 - c).ln() - q / (1.0 - c) + r * c) - a.free
    }

    /// The state with overlap m and noise `√(αr)`.
    fn state(&self, temperature: f64, m: f64, noise: f64, evaluations: usize) -> HopfieldState {
        let load = self.load;
        let (a, spread, c) = averages(m, noise, temperature);
        let q = 1.0 - spread;
        let r = q / (1.0 - c).powi(2);
        let residual = (a.magnetization - m).abs().max((load * r - noise * noise).abs());
        // T ln(1 - C) is 0 at T = 0.
        let entropic = if temperature > 0.0 { temperature * (-c).ln_1p() } else { 0.0 };
        let free = 0.5 * (load + m * m) + 0.5 * load * (entropic - q / (1.0 - c) + r * c) - a.free;
        // ∂(βf)/∂β at fixed m, q, r; the bracket is the measured crosstalk.
        let energy =
            0.5 * (load + m * m) - 0.5 * load * (spread / (1.0 - c) + q / (1.0 - c).powi(2)) - m * a.magnetization;
        let entropy = if temperature > 0.0 {
            (energy - free) / temperature
        } else {
            // The limit: the logarithm's -½α [ln(1 - C) + C/(1 - C)].
            -0.5 * load * ((-c).ln_1p() + c / (1.0 - c))
        };
        let replicon = if temperature > 0.0 {
            (1.0 - c).powi(2) - load * a.fourth / (temperature * temperature)
        } else {
            f64::NEG_INFINITY
        };
        HopfieldState {
            temperature,
            magnetization: m,
            overlap: q,
            susceptibility: c,
            crosstalk: r,
            free_energy_per_spin: free,
            energy_per_spin: energy,
            entropy_per_spin: entropy,
            replicon,
            convergence: Convergence::judged(residual, TOLERANCE, evaluations),
        }
    }
}
