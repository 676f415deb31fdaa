//! $`\phi(x) = -\ln \tanh(x/2)`$, its own inverse.

use super::lanes::{Lane, map, zip};

/// $`\phi`$ of non-negative numbers. Relative error below 10⁻⁶ from 10⁻⁶ to 80; beyond, $`\phi`$ levels off: it never exceeds
/// 90 and never is infinite.
#[inline(always)]
pub(super) fn phi<const L: usize>(x: &Lane<L>) -> Lane<L> {
    // φ(x) = ln((1 + u)/(1 - u)) = ln1p(2u/(1 - u)) for u = e⁻ˣ, with 1 - u computed without cancellation.
    let (u, complement) = exp_minus(x);
    ln_1p(&zip(&u, &complement, |u, v| {
        let y = 2.0 * u / v;
        if y < 1e38 { y } else { 1e38 }
    }))
}

/// $`e^{-x}`$ and $`1 - e^{-x}`$.
#[inline(always)]
fn exp_minus<const L: usize>(x: &Lane<L>) -> (Lane<L>, Lane<L>) {
    /// Adding and subtracting it rounds to an integer.
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = map(x, |x| if x < 86.0 { -x } else { -86.0 });
    let k = map(&x, |x| (x * std::f32::consts::LOG2_E + ROUND) - ROUND);
    let r = zip(&x, &k, |x, k| (x - k * LN_2_HIGH) - k * LN_2_LOW);
    // e^r - 1 for |r| ≤ ln(2)/2.
    let p = map(&r, |r| {
        let q = 1.0 / 5040.0;
        let q = q * r + 1.0 / 720.0;
        let q = q * r + 1.0 / 120.0;
        let q = q * r + 1.0 / 24.0;
        let q = q * r + 1.0 / 6.0;
        let q = q * r + 0.5;
        q * r * r + r
    });
    // k is from -125 to 0: adding it to ROUND leaves it in the low bits.
    let power =
        map(&k, |k| f32::from_bits((k + ROUND).to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23));
    let u = zip(&power, &p, |power, p| power * p + power);
    let complement = zip(&power, &p, |power, p| (1.0 - power) - power * p);
    (u, complement)
}

/// $`\ln(1 + y)`$ of finite `y` of at least 0.
#[inline(always)]
fn ln_1p<const L: usize>(y: &Lane<L>) -> Lane<L> {
    /// Bits of √½.
    const ROOT_HALF: u32 = 0x3f35_04f3;
    let w = map(y, |y| 1.0 + y);
    let from_root = map(&w, |w| w.to_bits().wrapping_sub(ROOT_HALF));
    let exponent = map(&from_root, |b| ((b as i32) >> 23) as f32);
    let fraction = map(&from_root, |b| f32::from_bits((b & 0x007f_ffff) + ROOT_HALF) - 1.0);
    // ln(1 + f) = 2 artanh(f/(2 + f)).
    let ln = zip(&fraction, &exponent, |f, e| {
        let s = f / (2.0 + f);
        let t = s * s;
        let q = 2.0 / 9.0;
        let q = q * t + 2.0 / 7.0;
        let q = q * t + 2.0 / 5.0;
        let q = q * t + 2.0 / 3.0;
        (q * t * s + 2.0 * s) + e * std::f32::consts::LN_2
    });
    // What 1 + y has lost.
    let lost = zip(y, &w, |y, w| (y - (w - 1.0)) / w);
    super::lanes::add(&ln, &lost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phi_is_accurate_over_its_range() {
        let mut x = 1e-6f32;
        let mut worst = 0.0f64;
        while x < 80.0 {
            let exact = -(f64::from(x) / 2.0).tanh().ln();
            let exact = if x > 1.0 { 2.0 * (-f64::from(x)).exp().atanh() } else { exact };
            let found = f64::from(phi(&[x])[0]);
            worst = worst.max((found / exact - 1.0).abs());
            x *= 1.001;
        }
        assert!(worst < 1e-6, "{worst}");
    }

    #[test]
    fn phi_is_finite_everywhere() {
        for x in [0.0, 1e-45, 1e-30, 86.0, 90.0, 8192.0, f32::MAX, f32::INFINITY] {
            let y = phi(&[x])[0];
            assert!((0.0..90.0).contains(&y), "{x}: {y}");
            assert!(phi(&[y])[0].is_finite());
        }
        assert!(phi(&[0.0])[0] > 85.0 && phi(&[8192.0])[0] < 1e-30);
    }
}
