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

/// A random y.
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
