//! The weight `exp(β (f y - γ y²/2))` on `y > 0`: what rectified units are made of.

use std::f64::consts::{LN_2, PI, SQRT_2};

use linalg_core::rand::Rng;
use linalg_core::rng::{exponential, standard_normal, uniform_open01};
use linalg_core::special::{erfcx, ln_normal_cdf};

/// `ln ∫_0^∞ exp(β (f y - γ y²/2)) dy`.
///
/// With `s² = 1/(βγ)` and `t = f/(γ s)`: `s √(2π) e^{t²/2} Φ(t)`; for negative t the scaled function `erfcx` takes both
/// factors together, so that nothing is lost.
pub(super) fn ln_z(gamma: f64, f: f64, beta: f64) -> f64 {
    let s = (1.0 / (beta * gamma)).sqrt();
    let t = f / (gamma * s);
    if t < 0.0 {
        (s * (PI / 2.0).sqrt()).ln() + erfcx(-t / SQRT_2).ln()
    } else {
        s.ln() + 0.5 * (LN_2 + PI.ln()) + 0.5 * t * t + ln_normal_cdf(t)
    }
}

/// The mean of y, with `s φ(t)/Φ(t)` from `erfcx`.
pub(super) fn mean(gamma: f64, f: f64, beta: f64) -> f64 {
    let s = (1.0 / (beta * gamma)).sqrt();
    let t = f / (gamma * s);
    if t < -30.0 {
        // t + φ(t)/Φ(t) by its series in 1/t, where the difference would cancel.
        let u = 1.0 / (t * t);
        return s / -t * (1.0 - 2.0 * u + 10.0 * u * u - 74.0 * u * u * u + 706.0 * u * u * u * u);
    }
    // φ(t)/Φ(t) = √(2/π) / erfcx(-t/√2); erfcx overflows for large t, where the ratio is 0.
    let hazard = (2.0 / PI).sqrt() / erfcx(-t / SQRT_2);
    s * (t + hazard)
}

/// A random y; NaN for a field that is NaN.
pub(super) fn sample(gamma: f64, f: f64, beta: f64, rng: &mut dyn Rng) -> f64 {
    let s = (1.0 / (beta * gamma)).sqrt();
    let t = f / (gamma * s);
    if t > 0.0 {
        loop {
            let x = t + standard_normal(rng);
            if x > 0.0 {
                return s * x;
            }
        }
    }
    // Without a number to compare with, rejection would never end.
    if t.is_nan() {
        return f64::NAN;
    }
    // Beyond 1e8 the weight is an exponential to rounding, and squares of t overflow further out.
    if t < -1e8 {
        return s * exponential(rng) / -t;
    }
    // Robert's rejection (Stat. Comput. 5, 121 (1995)): an exponential in front of the tail beyond -t.
    let a = -t;
    let rate = 0.5 * (a + (a * a + 4.0).sqrt());
    loop {
        let y = exponential(rng) / rate;
        let distance = a + y - rate;
        if uniform_open01(rng) < (-0.5 * distance * distance).exp() {
            return s * y;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;

    /// Every field gives an answer: a machine that diverges must stop with an error, not hang.
    #[test]
    fn extreme_fields_end() {
        let mut rng = Streams::new(1).stream(0);
        assert!(sample(1.0, f64::NAN, 1.0, &mut rng).is_nan());
        assert!(sample(1.0, f64::INFINITY, 1.0, &mut rng) > 1e300);
        for f in [f64::NEG_INFINITY, -1e300, -1e200] {
            assert!((0.0..1e-150).contains(&sample(1.0, f, 1.0, &mut rng)), "{f}");
        }
        // On both sides of the change of method the mean is 1/|f|; 4000 samples, 4.5 standard deviations.
        for f in [-0.99e8, -1.01e8] {
            let mean: f64 = (0..4000).map(|_| sample(1.0, f, 1.0, &mut rng)).sum::<f64>() / 4000.0;
            assert!((mean * -f - 1.0).abs() < 4.5 / 4000f64.sqrt(), "{f} {mean}");
        }
    }
}
