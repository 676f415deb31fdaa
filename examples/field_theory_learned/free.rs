//! What is known of a free field: its propagator, and through it the signs.

use std::f64::consts::{FRAC_2_PI, TAU};

/// Correlations `⟨φ(0) φ(t)⟩` of a free field on a periodic `time` x `space` lattice of unit spacing at equal places, for lags
/// up to `most`.
///
/// ```math
/// G(t) = \frac1V \sum_k \frac{\cos k_0 t}{4 \sin^2 (k_0/2) + 4 \sin^2 (k_1/2) + \mu^2}
/// ```
pub fn propagator(time: usize, space: usize, mass_squared: f64, most: usize) -> Vec<f64> {
    let volume = (time * space) as f64;
    let square = |k: f64| 4.0 * (0.5 * k).sin().powi(2);
    let mut sums = vec![0.0; most + 1];
    for k in 0..time {
        let k0 = TAU * k as f64 / time as f64;
        let modes = (0..space).map(|q| 1.0 / (square(k0) + square(TAU * q as f64 / space as f64) + mass_squared));
        let weight = modes.sum::<f64>() / volume;
        sums.iter_mut().enumerate().for_each(|(t, sum)| *sum += weight * (k0 * t as f64).cos());
    }
    sums
}

/// `⟨sgn x sgn y⟩` of two Gaussian numbers of correlation ρ: Sheppard's formula.
pub fn sign_correlation(rho: f64) -> f64 {
    FRAC_2_PI * rho.clamp(-1.0, 1.0).asin()
}

/// Loss of the best prediction of a sign from the one before it, in nats, where they agree with mean product `c` and one step in
/// `length` goes from one configuration to the next, which knows nothing of it.
pub fn markov_loss(c: f64, length: usize) -> f64 {
    let c = c * (length - 1) as f64 / length as f64;
    let part = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
    part(0.5 * (1.0 + c)) + part(0.5 * (1.0 - c))
}
