//! Random thresholds of acceptance, a vector at a time.

use linalg_core::rand::Rng;
use linalg_core::rng::Xoshiro256PlusPlus;

use super::couplings::{BLOCK, Row};
use crate::mcmc::Dynamics;

/// ln(1+t) = t - t²/2 + t³ P(t) for √½ - 1 <= t <= √2 - 1; a least-squares fit at Chebyshev points with relative error
/// 6·10⁻⁹. Highest power first.
const LN_1P: [f32; 8] = [
    -0.076_708_65,
    0.127_855_38,
    -0.131_569_46,
    0.141_976_48,
    -0.166_232_73,
    0.200_014_46,
    -0.250_008_29,
    0.333_333_28,
];

/// `-ln x` of a positive normal number: relative error below 10⁻⁶, absolute below 10⁻⁷ near 1.
#[inline(always)]
fn minus_ln(x: f32) -> f32 {
    // Mantissa in [√½, √2): moves the cut of the exponent down from a power of two.
    let shifted = x.to_bits().wrapping_sub(std::f32::consts::FRAC_1_SQRT_2.to_bits()) as i32;
    let exponent = shifted >> 23;
    let mantissa = f32::from_bits(x.to_bits().wrapping_sub((exponent << 23) as u32));
    let t = mantissa - 1.0;
    let mut p = LN_1P[0];
    for c in &LN_1P[1..] {
        p = p * t + c;
    }
    let ln_mantissa = t - t * t * (0.5 - t * p);
    -(exponent as f32 * std::f32::consts::LN_2 + ln_mantissa)
}

/// Fills thresholds so that `s h < threshold` has the probability of a flip, `h` in units of `1 / inverse`.
///
/// A flip with `x = 2βsh` is accepted if `u < e^{-x}`, so if `x < -ln u`: an exponential variable. In the heat bath it is
/// `x < ln(1/u - 1)`. Numbers have 31 bits, `u = (k + ½) 2⁻³¹`.
#[inline(always)]
pub(super) fn fill(thresholds: &mut [Row], dynamics: Dynamics, inverse: f32, rng: &mut Xoshiro256PlusPlus) {
    const SCALE: f32 = 1.0 / 2_147_483_648.0;
    for row in thresholds {
        let mut draws = [0i32; BLOCK];
        for pair in draws.chunks_exact_mut(2) {
            let word = rng.next_u64();
            pair[0] = (word >> 33) as i32;
            pair[1] = (word as u32 >> 1) as i32;
        }
        match dynamics {
            Dynamics::Metropolis => {
                for (threshold, &draw) in row.0.iter_mut().zip(&draws) {
                    *threshold = minus_ln((draw as f32 + 0.5) * SCALE) * inverse;
                }
            }
            Dynamics::HeatBath => {
                for (threshold, &draw) in row.0.iter_mut().zip(&draws) {
                    let (u, v) = (draw as f32 + 0.5, (i32::MAX - draw) as f32 + 0.5);
                    *threshold = (minus_ln(u * SCALE) - minus_ln(v * SCALE)) * inverse;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;

    #[test]
    fn logarithm_is_accurate() {
        let mut worst: f64 = 0.0;
        for k in 0..200_000u32 {
            let x = (f64::from(k) + 0.5) as f32 / 200_000.0;
            let exact = -f64::from(x).ln();
            let error = (f64::from(minus_ln(x)) - exact).abs() / (0.1 + exact);
            worst = worst.max(error);
        }
        // A few units in the last place of 24 bits.
        assert!(worst < 3e-7, "{worst:e}");
        assert!(minus_ln(1.0).abs() < 1e-7);
        assert!((f64::from(minus_ln(0.5f32.powi(32))) - 32.0 * 2f64.ln()).abs() < 3e-6);
    }

    #[test]
    fn thresholds_have_the_law_of_the_acceptance() {
        for (dynamics, law) in [
            (Dynamics::Metropolis, crate::mcmc::metropolis_acceptance as fn(f64) -> f64),
            (Dynamics::HeatBath, crate::mcmc::heat_bath_acceptance),
        ] {
            let mut rng = Streams::new(1).fast_stream(0);
            let mut rows = vec![Row::ZERO; 4000];
            fill(&mut rows, dynamics, 0.5, &mut rng);
            let total = rows.len() as f64 * BLOCK as f64;
            for x in [-3.0, -1.0, -0.25, 0.01, 0.5, 2.0, 5.0] {
                let above = rows.iter().flat_map(|row| row.0).filter(|&t| f64::from(t) > 0.5 * x).count() as f64;
                let p = law(x);
                // 4 standard deviations of a binomial number.
                let bound = 4.0 * (p * (1.0 - p) / total).sqrt() + 1e-9;
                assert!((above / total - p).abs() < bound, "{dynamics:?} at {x}: {} for {p}", above / total);
            }
        }
    }
}
