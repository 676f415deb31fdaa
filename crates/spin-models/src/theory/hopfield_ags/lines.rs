//! The lines of the phase diagram.

use std::f64::consts::PI;

use linalg_core::optim::{find_root, minimize_scalar};
use linalg_core::special::erf;

use super::solution::{AmitGutfreundSompolinsky, branch, check_load};
use crate::Result;
use crate::theory::saddle_point::check_temperature;

/// Where memories disappear at one temperature.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Capacity {
    /// The largest load α.
    pub load: f64,
    /// The overlap m there; it jumps to 0.
    pub magnetization: f64,
    /// Solutions of the equation for m that were asked for.
    pub evaluations: usize,
    /// Whether the maximum was located.
    pub converged: bool,
}

/// The maximum of the load along the states with memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct LargestLoad {
    pub load: f64,
    pub ln_noise: f64,
    magnetization: f64,
    evaluations: usize,
    converged: bool,
}

/// `ln(√(αr)/m)` is looked for here; it is about -0.8 on the whole line.
const LN_NOISE: (f64, f64) = (-4.0, 2.0);
/// Steps of the first look.
const STEPS: usize = 24;

pub(super) fn largest_load(temperature: f64) -> LargestLoad {
    if temperature == 0.0 {
        // α = ½ (erf(y)/y - 2/√π e^{-y²})² with y = m/√(2αr): the root of its derivative.
        let gauss = |y: f64| 2.0 / PI.sqrt() * (-y * y).exp();
        let slope = |y: f64| gauss(y) / y - erf(y) / (y * y) + 2.0 * y * gauss(y);
        let root = find_root(slope, 1.0, 2.0, 0.0);
        let y = root.x;
        return LargestLoad {
            load: 0.5 * (erf(y) / y - gauss(y)).powi(2),
            ln_noise: -(y * 2f64.sqrt()).ln(),
            magnetization: erf(y),
            evaluations: root.evaluations,
            converged: root.converged,
        };
    }
    let fall = |ln_noise: f64| -branch(ln_noise.exp(), temperature).load;
    let width = (LN_NOISE.1 - LN_NOISE.0) / STEPS as f64;
    let place = |k: usize| LN_NOISE.0 + k as f64 * width;
    let best = (1..STEPS).min_by(|&a, &b| fall(place(a)).total_cmp(&fall(place(b)))).unwrap_or(1);
    let minimum = minimize_scalar(fall, place(best - 1), place(best + 1), 0.0);
    let top = branch(minimum.x.exp(), temperature);
    LargestLoad {
        load: top.load,
        ln_noise: minimum.x,
        magnetization: top.magnetization,
        evaluations: STEPS + minimum.evaluations,
        converged: minimum.converged,
    }
}

/// The largest load with memories at temperature `0 ≤ T < 1`: the line `T_M` read the other way.
///
/// At T = 0 it is the root of a derivative, to rounding; else the maximum of the load over the states, to about 1e-14, with
/// an overlap to about 1e-7. Replica symmetry is broken on the line at low temperature: the load rises a little with T there,
/// and the exact capacity at T = 0 is 0.1382 (Steffan and Kühn 1994).
///
/// ```
/// use spin_models::theory::retrieval_capacity;
///
/// let cold = retrieval_capacity(0.0)?;
/// assert!((cold.load - 0.137905566494931738).abs() < 1e-15);
/// assert!((cold.magnetization - 0.967417115685291592).abs() < 1e-14);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parameter`](crate::Error::Parameter) for a temperature below 0 or not finite. From T = 1 on the load is 0.
pub fn retrieval_capacity(temperature: f64) -> Result<Capacity> {
    check_temperature(temperature)?;
    if temperature >= 1.0 {
        return Ok(Capacity { load: 0.0, magnetization: 0.0, evaluations: 0, converged: true });
    }
    let LargestLoad { load, magnetization, evaluations, converged, .. } = largest_load(temperature);
    Ok(Capacity { load, magnetization, evaluations, converged })
}

/// `T_g = 1 + √α`, below which the spin glass exists.
///
/// # Errors
/// [`Error::Parameter`](crate::Error::Parameter) unless `0 < α < ∞`.
pub fn spin_glass_temperature(load: f64) -> Result<f64> {
    check_load(load)?;
    Ok(1.0 + load.sqrt())
}

/// `T_M`, below which memories are metastable; `None` beyond the capacity. `1 - 1.95 √α` for small loads.
///
/// Between α = 0.1379 and the tip of the line at 0.138 the replica-symmetric line has two branches; the upper one is given.
///
/// # Errors
/// [`Error::Parameter`](crate::Error::Parameter) unless `0 < α < ∞`.
pub fn retrieval_temperature(load: f64) -> Result<Option<f64>> {
    check_load(load)?;
    let mut low = 0.0;
    if load > largest_load(0.0).load {
        if load > 0.2 {
            return Ok(None);
        }
        let tip = minimize_scalar(|t| -largest_load(t).load, 0.0, 0.2, 1e-6);
        if load > -tip.value {
            return Ok(None);
        }
        low = tip.x;
    }
    let high = 1.0 - load.sqrt().min(0.9);
    let root = find_root(|t| (largest_load(t).load / load).ln(), low, high, 1e-13);
    Ok(root.converged.then_some(root.x))
}

/// `T_c`, below which memories are the states of lowest free energy; `None` if there is none (α > 0.053). `1 - 2.6 √α` for
/// small loads.
///
/// Both free energies are replica symmetric.
///
/// # Errors
/// [`Error::Parameter`](crate::Error::Parameter) unless `0 < α < ∞`.
pub fn thermodynamic_temperature(load: f64) -> Result<Option<f64>> {
    let Some(highest) = retrieval_temperature(load)? else { return Ok(None) };
    let model = AmitGutfreundSompolinsky::new(load)?;
    let difference = |t: f64| match (model.retrieval(t), model.spin_glass(t)) {
        (Ok(Some(memory)), Ok(Some(glass))) => memory.free_energy_per_spin - glass.free_energy_per_spin,
        _ => f64::INFINITY,
    };
    // The difference may change its sign twice near α = 0.051: look from above.
    let place = |k: usize| highest * (16 - k) as f64 / 16.0;
    let Some(k) = (1..=16).find(|&k| difference(place(k)) < 0.0) else { return Ok(None) };
    let high = if k == 1 { highest * (1.0 - 1e-9) } else { place(k - 1) };
    let root = find_root(difference, place(k), high, 1e-13);
    Ok(root.converged.then_some(root.x))
}

/// `T_R`, below which replica symmetry is broken in the states with memory; `None` where they are unstable up to `T_M`.
///
/// ```math
/// (T - (1 - q))^2 = \alpha \int Dz\, \mathrm{sech}^4 \beta(m + \sqrt{\alpha r} z)
/// ```
///
/// $`T_R \approx \sqrt{8\alpha/9\pi}\, e^{-1/2\alpha}`$ for small loads; 0 where that is below 1e-290.
///
/// # Errors
/// [`Error::Parameter`](crate::Error::Parameter) unless `0 < α < ∞`.
pub fn almeida_thouless_retrieval_temperature(load: f64) -> Result<Option<f64>> {
    let Some(highest) = retrieval_temperature(load)? else { return Ok(None) };
    let asymptote = (8.0 * load / (9.0 * PI)).sqrt() * (-0.5 / load).exp();
    if asymptote < 1e-290 {
        return Ok(Some(0.0));
    }
    let model = AmitGutfreundSompolinsky::new(load)?;
    let replicon = |ln_t: f64| match model.retrieval(ln_t.exp()) {
        // Of order one everywhere.
        Ok(Some(state)) => {
            let stable = (1.0 - state.susceptibility).powi(2);
            state.replicon / (2.0 * stable - state.replicon)
        }
        _ => f64::NAN,
    };
    let root = find_root(replicon, (0.1 * asymptote).ln(), (highest * (1.0 - 1e-9)).ln(), 1e-13);
    Ok(root.converged.then(|| root.x.exp()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use approx::assert_relative_eq;

    #[test]
    fn capacity_at_zero_temperature() {
        let cold = retrieval_capacity(0.0).unwrap();
        assert!(cold.converged);
        assert_relative_eq!(cold.load, 0.137_905_566_494_931_74, epsilon = 1e-15);
        assert_relative_eq!(cold.magnetization, 0.967_417_115_685_291_6, epsilon = 1e-14);
        // The general code comes to the same from T > 0: corrections are linear in T.
        let near = retrieval_capacity(1e-9).unwrap();
        assert!(near.converged);
        assert_relative_eq!(near.load, cold.load, epsilon = 1e-9);
        assert_relative_eq!(near.magnetization, cold.magnetization, epsilon = 1e-6);
    }

    #[test]
    fn lines_at_small_load() {
        // Amit, Gutfreund and Sompolinsky 1987: 1 - 1.95 √α and 1 - 2.6 √α.
        let load = 1e-5;
        let memory = retrieval_temperature(load).unwrap().unwrap();
        assert_relative_eq!((1.0 - memory) / load.sqrt(), 1.95, epsilon = 0.02);
        let lowest = thermodynamic_temperature(load).unwrap().unwrap();
        assert_relative_eq!((1.0 - lowest) / load.sqrt(), 2.6, epsilon = 0.03);
        let load = 0.01;
        let broken = almeida_thouless_retrieval_temperature(load).unwrap().unwrap();
        assert_relative_eq!(broken / ((8.0 * load / (9.0 * PI)).sqrt() * (-50f64).exp()), 1.0, epsilon = 0.02);
    }

    #[test]
    fn ends_of_the_lines() {
        let gap = |load: f64| {
            let model = AmitGutfreundSompolinsky::new(load).unwrap();
            model.retrieval(0.0).unwrap().unwrap().free_energy_per_spin
                - model.spin_glass(0.0).unwrap().unwrap().free_energy_per_spin
        };
        // Global minima at T = 0 up to α = 0.051, as printed. With m = 1 and f = -1/2 of the memory, the glass having
        // -1/π - √(2α/π), it is (π/2)(1/2 - 1/π)² = 0.05185.
        let crossing = find_root(gap, 0.01, 0.1, 0.0);
        assert!(crossing.converged);
        assert_relative_eq!(crossing.x, 0.051, epsilon = 1e-3);
        assert_relative_eq!(crossing.x, 0.5 * PI * (0.5 - 1.0 / PI).powi(2), epsilon = 1e-5);
        let just_below = thermodynamic_temperature(0.9 * crossing.x).unwrap().unwrap();
        assert!(just_below > 0.0 && just_below < retrieval_temperature(0.9 * crossing.x).unwrap().unwrap());
        assert!(thermodynamic_temperature(0.06).unwrap().is_none());
        // Memories are stable above T_R and unstable below.
        let broken = almeida_thouless_retrieval_temperature(0.13).unwrap().unwrap();
        let model = AmitGutfreundSompolinsky::new(0.13).unwrap();
        assert!(model.retrieval(1.01 * broken).unwrap().unwrap().is_stable());
        assert!(!model.retrieval(0.99 * broken).unwrap().unwrap().is_stable());
        assert!(retrieval_temperature(0.145).unwrap().is_none() && retrieval_temperature(3.0).unwrap().is_none());
        assert!(retrieval_temperature(0.13791).unwrap().is_some());
    }

    #[test]
    fn a_line_read_both_ways() {
        for t in [0.2, 0.5, 0.9] {
            let capacity = retrieval_capacity(t).unwrap();
            assert_relative_eq!(retrieval_temperature(capacity.load).unwrap().unwrap(), t, epsilon = 1e-9);
            let model = AmitGutfreundSompolinsky::new(capacity.load * (1.0 - 1e-9)).unwrap();
            let state = model.retrieval(t).unwrap().unwrap();
            assert_relative_eq!(state.magnetization, capacity.magnetization, epsilon = 1e-3);
            assert!(AmitGutfreundSompolinsky::new(capacity.load * 1.001).unwrap().retrieval(t).unwrap().is_none());
        }
    }

    #[test]
    fn states_are_stationary_points() {
        for (load, t) in [(0.05, 0.3), (0.1, 0.2), (0.02, 0.6), (0.12, 0.01)] {
            let model = AmitGutfreundSompolinsky::new(load).unwrap();
            for state in [model.retrieval(t).unwrap().unwrap(), model.spin_glass(t).unwrap().unwrap()] {
                assert!(state.convergence.converged, "{state:?}");
                let (m, q, r) = (state.magnetization, state.overlap, state.crosstalk);
                assert_relative_eq!(model.functional(t, m, q, r), state.free_energy_per_spin, epsilon = 1e-13);
                let d = 1e-4 * (1.0 - q);
                assert!((model.functional(t, m + d, q, r) - model.functional(t, m - d, q, r)).abs() / d < 1e-6);
                assert!((model.functional(t, m, q + d, r) - model.functional(t, m, q - d, r)).abs() / d < 1e-4);
                assert!((model.functional(t, m, q, r + d) - model.functional(t, m, q, r - d)).abs() / d < 1e-6);
                // s = -∂f/∂T.
                let f = |t: f64| {
                    let s = if m > 0.0 { model.retrieval(t) } else { model.spin_glass(t) };
                    s.unwrap().unwrap().free_energy_per_spin
                };
                let d = 1e-4 * t;
                assert_relative_eq!(state.entropy_per_spin, -(f(t + d) - f(t - d)) / (2.0 * d), epsilon = 1e-6);
            }
        }
    }

    #[test]
    fn the_cold_limit_solves_the_equations_with_erf() {
        let model = AmitGutfreundSompolinsky::new(0.11).unwrap();
        let (cold, limit) = (model.retrieval(1e-8).unwrap().unwrap(), model.retrieval(0.0).unwrap().unwrap());
        assert_relative_eq!(cold.magnetization, limit.magnetization, epsilon = 1e-7);
        assert_relative_eq!(cold.susceptibility, limit.susceptibility, epsilon = 1e-7);
        assert_relative_eq!(cold.free_energy_per_spin, limit.free_energy_per_spin, epsilon = 1e-7);
        assert_relative_eq!(cold.entropy_per_spin, limit.entropy_per_spin, epsilon = 1e-6);
        assert_relative_eq!(limit.energy_per_spin, limit.free_energy_per_spin, epsilon = 1e-13);
        let c = (2.0 / (PI * 0.11 * limit.crosstalk)).sqrt()
            * (-limit.magnetization.powi(2) / (2.0 * 0.11 * limit.crosstalk)).exp();
        assert_relative_eq!(limit.susceptibility, c, epsilon = 1e-12);
        let (cold, limit) = (model.spin_glass(1e-8).unwrap().unwrap(), model.spin_glass(0.0).unwrap().unwrap());
        assert_relative_eq!(cold.free_energy_per_spin, limit.free_energy_per_spin, epsilon = 1e-7);
        assert_relative_eq!(cold.entropy_per_spin, limit.entropy_per_spin, epsilon = 1e-6);
    }

    #[test]
    fn the_glass_grows_out_of_the_paramagnet() {
        let model = AmitGutfreundSompolinsky::new(0.09).unwrap();
        assert_relative_eq!(spin_glass_temperature(0.09).unwrap(), 1.3, epsilon = 1e-15);
        assert!(model.spin_glass(1.3).unwrap().is_none());
        let glass = model.spin_glass(1.299).unwrap().unwrap();
        assert!(glass.overlap > 0.0 && glass.overlap < 0.01 && !glass.is_stable());
        let paramagnet = model.paramagnet_free_energy_per_spin(1.299).unwrap();
        assert_relative_eq!(glass.free_energy_per_spin, paramagnet, epsilon = 1e-8);
        for below in [0.0, 0.9, 1.0] {
            assert!(model.paramagnet_free_energy_per_spin(below).unwrap().is_nan());
        }
    }

    #[test]
    fn bad_input() {
        for load in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(AmitGutfreundSompolinsky::new(load), Err(Error::Parameter { what: "load", .. })));
            assert!(retrieval_temperature(load).is_err() && spin_glass_temperature(load).is_err());
        }
        let model = AmitGutfreundSompolinsky::new(0.1).unwrap();
        assert!(
            model.retrieval(-0.1).is_err()
                && model.spin_glass(f64::NAN).is_err()
                && retrieval_capacity(f64::INFINITY).is_err()
        );
        assert!(model.retrieval(2.0).unwrap().is_none());
    }

    #[test]
    fn the_lowest_temperatures_end() {
        let at = |t: f64| crate::theory::AmitGutfreundSompolinsky::new(0.1).unwrap().spin_glass(t).unwrap().unwrap();
        let (zero, least) = (at(0.0), at(f64::MIN_POSITIVE));
        assert!((zero.overlap - least.overlap).abs() < 1e-6, "{least:?}");
        assert!(retrieval_capacity(5e-324).is_ok());
    }
}
