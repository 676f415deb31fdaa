//! Averages over a Gaussian field of functions that vary steeply where the field vanishes.

use std::sync::OnceLock;

use linalg_core::quadrature::{GaussHermite, GaussLegendre};

/// Points of the Gauss-Hermite rule: tanh of slope up to 1 to rounding, its poles being π/2 away.
const HERMITE: usize = 160;
/// Points of a panel.
const LEGENDRE: usize = 16;
/// Where a standard Gaussian is cut: the rest is below 1e-21.
const RANGE: f64 = 9.6;

fn hermite() -> &'static GaussHermite {
    static RULE: OnceLock<GaussHermite> = OnceLock::new();
    RULE.get_or_init(|| GaussHermite::new(HERMITE).expect("within the range of the rule"))
}

fn legendre() -> &'static GaussLegendre {
    static RULE: OnceLock<GaussLegendre> = OnceLock::new();
    RULE.get_or_init(|| GaussLegendre::new(LEGENDRE).expect("within the range of the rule"))
}

/// Points `(z, h, w)` for $`\int Dz\, f(h)`$ with `h = mean + std z`.
#[derive(Debug, Clone)]
pub(crate) struct GaussianAverage {
    points: Vec<(f64, f64, f64)>,
}

impl GaussianAverage {
    /// For a function f(h) that varies over `scale` around h = 0, as tanh(h/scale) does, and is smooth elsewhere.
    ///
    /// Gauss-Hermite where the Gaussian is no wider than the scale, and else Gauss-Legendre panels that shrink towards h = 0,
    /// one of their ends. A scale of 0 serves for a step at h = 0.
    pub fn new(mean: f64, std: f64, scale: f64) -> Self {
        if scale >= std {
            let rule = hermite();
            let pairs = rule.nodes().iter().zip(rule.weights());
            return Self { points: pairs.map(|(&z, &w)| (z, mean + std * z, w)).collect() };
        }
        // Far out, where nothing else is, the vicinity of h = 0 may be all that counts.
        let kink = (mean / std).abs();
        Self::panels(mean, std, scale, if kink < 38.0 { RANGE.max(kink + 1.0) } else { RANGE })
    }

    /// As [`new`](Self::new) with panels up to `range` standard deviations, for integrands that grow.
    pub fn panels(mean: f64, std: f64, scale: f64, range: f64) -> Self {
        let zero = -mean / std;
        let kink = zero.clamp(-range, range);
        // 0 where the kink is in reach: h is then as accurate as its distance.
        let start = if (zero - kink).abs() > 0.0 { mean + std * kink } else { 0.0 };
        // Doubled from panel to panel: one that rounds to nothing would not end.
        let first = if scale > 0.0 { (2.0 * scale / std).clamp(f64::MIN_POSITIVE, 1.0) } else { 1.0 };
        let mut points = Vec::with_capacity(LEGENDRE * 48);
        for side in [-1.0, 1.0] {
            let reach = range - side * kink;
            let (mut from, mut width) = (0.0, first);
            while from < reach {
                let to = f64::min(from + width, reach);
                let (center, half) = (0.5 * (from + to), 0.5 * (to - from));
                for (x, w) in legendre().nodes().iter().zip(legendre().weights()) {
                    let away = side * (center + half * x);
                    let z = kink + away;
                    points.push((z, start + std * away, half * w * linalg_core::special::normal_pdf(z)));
                }
                from = to;
                width = (2.0 * width).min(1.0);
            }
        }
        Self { points }
    }

    /// The average of several functions of z and h at once.
    pub fn of<const N: usize>(&self, mut f: impl FnMut(f64, f64) -> [f64; N]) -> [f64; N] {
        let mut sums = [0.0; N];
        for &(z, h, w) in &self.points {
            for (sum, value) in sums.iter_mut().zip(f(z, h)) {
                *sum += w * value;
            }
        }
        sums
    }
}

/// `sech² x`, without cancellation.
pub(crate) fn sech_squared(x: f64) -> f64 {
    let e = (-2.0 * x.abs()).exp();
    4.0 * e / ((1.0 + e) * (1.0 + e))
}

/// The averages that replica-symmetric theories need, over fields `mean + std z`: tanh, sech², sech⁴ of the field over the
/// temperature, and `T ln 2cosh`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldAverages {
    pub magnetization: f64,
    /// `1 - q`.
    pub spread: f64,
    pub fourth: f64,
    pub free: f64,
}

/// [`FieldAverages`] at temperature T ≥ 0; at T = 0 `spread` and `fourth` are their limits divided by T,
/// `2 P(h = 0)` and `(4/3) P(h = 0)` with the density P of the field.
pub(crate) fn field_averages(mean: f64, std: f64, temperature: f64) -> FieldAverages {
    if temperature > 0.0 {
        if std == 0.0 {
            let x = mean / temperature;
            let spread = sech_squared(x);
            let free = temperature * linalg_core::logspace::ln_2cosh(x);
            return FieldAverages { magnetization: x.tanh(), spread, fourth: spread * spread, free };
        }
        let [magnetization, spread, fourth, free] = GaussianAverage::new(mean, std, temperature).of(|_, h| {
            let x = h / temperature;
            let s = sech_squared(x);
            [x.tanh(), s, s * s, temperature * linalg_core::logspace::ln_2cosh(x)]
        });
        return FieldAverages { magnetization, spread, fourth, free };
    }
    let x = mean / std;
    let magnetization = linalg_core::special::erf(x * std::f64::consts::FRAC_1_SQRT_2);
    let density = linalg_core::special::normal_pdf(x) / std;
    let free = mean * magnetization + 2.0 * std * std * density;
    FieldAverages { magnetization, spread: 2.0 * density, fourth: 4.0 / 3.0 * density, free }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use linalg_core::quadrature::AdaptiveParams;
    use linalg_core::special::normal_pdf;

    #[test]
    fn against_adaptive_quadrature_from_gentle_to_steep() {
        for (mean, std, temperature) in
            [(0.3, 0.5, 0.6), (0.3, 0.5, 0.2), (0.0, 1.0, 0.05), (-0.9, 0.4, 0.01), (2.0, 0.1, 0.02), (0.5, 0.3, 3.0)]
        {
            let got = field_averages(mean, std, temperature);
            let average = |f: &dyn Fn(f64) -> f64| {
                let g = |z: f64| normal_pdf(z) * f((mean + std * z) / temperature);
                let kink = -mean / std;
                let params = AdaptiveParams::default().absolute_tolerance(1e-14).relative_tolerance(1e-13);
                params.integrate(g, kink.min(0.0) - 12.0, kink).unwrap().value
                    + params.integrate(g, kink, kink.max(0.0) + 12.0).unwrap().value
            };
            assert_relative_eq!(got.magnetization, average(&f64::tanh), epsilon = 1e-12);
            assert_relative_eq!(got.spread, average(&|x| sech_squared(x)), epsilon = 1e-12);
            assert_relative_eq!(got.fourth, average(&|x| sech_squared(x).powi(2)), epsilon = 1e-12);
        }
    }

    #[test]
    fn cold_limit() {
        let (mean, std, temperature) = (0.4, 0.7, 1e-7);
        let (cold, limit) = (field_averages(mean, std, temperature), field_averages(mean, std, 0.0));
        assert_relative_eq!(cold.magnetization, limit.magnetization, epsilon = 1e-12);
        assert_relative_eq!(cold.spread / temperature, limit.spread, max_relative = 1e-10);
        assert_relative_eq!(cold.fourth / temperature, limit.fourth, max_relative = 1e-10);
        assert_relative_eq!(cold.free, limit.free, epsilon = 1e-12);
    }
}
