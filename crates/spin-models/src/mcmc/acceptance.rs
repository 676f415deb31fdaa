//! Flip probabilities, and comparing a random number with them without an exponential.

use std::sync::LazyLock;

/// The probability with which [`Metropolis`](super::Metropolis) flips a spin, of `x = βΔE`.
///
/// ```math
/// a(x) = \min(1, e^{-x}), \qquad a(0) = \tfrac12
/// ```
///
/// Detailed balance asks for `a(x) = e^{-x} a(-x)`, which leaves the value at a tie free. A sure flip there would make
/// fixed-order sweeps at β = 0, and free spins at any β, alternate for ever; one half makes them forget at once.
/// A NaN is never accepted.
///
/// Reference: N. Metropolis et al., J. Chem. Phys. 21, 1087 (1953).
///
/// ```
/// use spin_models::mcmc::metropolis_acceptance;
///
/// assert_eq!(metropolis_acceptance(-3.0), 1.0);
/// assert_eq!(metropolis_acceptance(0.0), 0.5);
/// assert_eq!(metropolis_acceptance(2f64.ln()), 0.5);
/// assert_eq!(metropolis_acceptance(f64::NAN), 0.0);
/// ```
pub fn metropolis_acceptance(x: f64) -> f64 {
    match x.partial_cmp(&0.0) {
        Some(std::cmp::Ordering::Less) => 1.0,
        Some(std::cmp::Ordering::Equal) => 0.5,
        Some(std::cmp::Ordering::Greater) => (-x).exp(),
        None => 0.0,
    }
}

/// The probability with which [`HeatBath`](super::HeatBath) flips a spin, of `x = βΔE`: `1 / (1 + e^x)`.
///
/// With the local field `h_i`, `ΔE = 2 h_i s_i`, and the new spin is `s` with probability `e^{βh_i s} / 2 cosh(βh_i)`,
/// whatever it was before. A NaN keeps the spin.
///
/// Reference: R. J. Glauber, J. Math. Phys. 4, 294 (1963).
///
/// ```
/// use spin_models::mcmc::heat_bath_acceptance;
///
/// assert_eq!(heat_bath_acceptance(0.0), 0.5);
/// assert!((heat_bath_acceptance(3f64.ln()) - 0.25).abs() < 1e-15);
/// assert_eq!(heat_bath_acceptance(f64::NEG_INFINITY), 1.0);
/// ```
pub fn heat_bath_acceptance(x: f64) -> f64 {
    if x.is_nan() { 0.0 } else { 1.0 / (1.0 + x.exp()) }
}

const CELLS_PER_UNIT: f64 = 32.0;
/// `e^{-40}` is below the smallest uniform number, 2⁻⁵³, so nothing is accepted beyond.
const CELLS: usize = 40 * 32;
/// `h²/8 = 2^{-13}` bounds chord minus function relative to the value at the left end; a little more for rounding.
const SAG: f64 = 1.25e-4;

/// Compares `u < f(x)` for a convex decreasing `f` on `x >= 0` with `f'' <= f`.
///
/// Between nodes the function lies at most [`SAG`] below its chord: the chord decides, and the function itself is
/// computed for about one comparison in ten thousand.
pub(crate) struct Squeeze {
    nodes: [f64; CELLS + 2],
    exact: fn(f64) -> f64,
}

impl Squeeze {
    fn new(exact: fn(f64) -> f64) -> Self {
        let mut nodes = [0.0; CELLS + 2];
        for (k, node) in nodes.iter_mut().enumerate() {
            // The last cell is flat, so that the chord holds for every x beyond. The factor keeps rounding of the
            // chord on the safe side.
            *node = exact(k.min(CELLS) as f64 / CELLS_PER_UNIT) * (1.0 + 1e-14);
        }
        Self { nodes, exact }
    }

    /// `u < f(x)`; `false` for NaN.
    #[inline]
    pub(crate) fn below(&self, u: f64, x: f64) -> bool {
        let scaled = x * CELLS_PER_UNIT;
        let cell = scaled.min(CELLS as f64) as i32 as usize;
        let cell = cell.min(CELLS);
        let left = self.nodes[cell];
        let chord = left + (scaled - cell as f64) * (self.nodes[cell + 1] - left);
        u < chord && (u < chord - SAG * left || self.compare(u, x))
    }

    #[cold]
    fn compare(&self, u: f64, x: f64) -> bool {
        u < (self.exact)(x)
    }
}

/// `e^{-x}`.
pub(crate) static EXPONENTIAL: LazyLock<Squeeze> = LazyLock::new(|| Squeeze::new(|x| (-x).exp()));
/// `1 / (1 + e^x)`.
pub(crate) static LOGISTIC: LazyLock<Squeeze> = LazyLock::new(|| Squeeze::new(heat_bath_acceptance));

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;
    use linalg_core::rng::uniform_open01;

    #[test]
    fn rates_are_in_detailed_balance() {
        for k in -400..=400 {
            let x = f64::from(k) / 16.0;
            for rate in [metropolis_acceptance, heat_bath_acceptance] {
                approx::assert_relative_eq!(rate(x), (-x).exp() * rate(-x), max_relative = 1e-14);
            }
        }
    }

    #[test]
    fn squeeze_decides_as_the_function_does() {
        let mut rng = Streams::new(1).stream(0);
        for (squeeze, exact) in
            [(&*EXPONENTIAL, metropolis_acceptance as fn(f64) -> f64), (&*LOGISTIC, heat_bath_acceptance)]
        {
            for _ in 0..200_000 {
                let x = 42.0 * uniform_open01(&mut rng);
                let value = exact(x);
                // Numbers near the threshold and numbers anywhere.
                let near = value * (1.0 + 4e-4 * (uniform_open01(&mut rng) - 0.5));
                for u in [near, uniform_open01(&mut rng), value * (1.0 - 1e-13), value * (1.0 + 1e-13)] {
                    // Uniform numbers are never smaller.
                    let u = f64::max(u, 0.5f64.powi(53));
                    assert_eq!(squeeze.below(u, x), u < value, "u = {u}, x = {x}");
                }
            }
            assert!(squeeze.below(0.49, 0.0));
            for x in [f64::NAN, f64::INFINITY, 1e300, f64::MAX] {
                assert!(!squeeze.below(uniform_open01(&mut rng), x));
            }
        }
    }
}
