//! Complete elliptic integrals.

use std::f64::consts::{FRAC_PI_2, LN_2};

/// $`K(m) = \int_0^{\pi/2} (1 - m\sin^2\theta)^{-1/2} d\theta`$, parameter $`m = k^2 \le 1`$.
///
/// By the arithmetic-geometric mean, $`K = \pi / (2\,\mathrm{agm}(1, \sqrt{1-m}))`$ (DLMF 19.8.5). `inf` at 1, NaN
/// beyond. When $`1 - m`$ is known better than `m`, call [`elliptic_k_complement`].
///
/// ```
/// use linalg_core::special::elliptic_k;
///
/// assert_eq!(elliptic_k(0.0), std::f64::consts::FRAC_PI_2);
/// assert!((elliptic_k(0.5) - 1.854074677301372).abs() < 1e-15); // Γ(1/4)²/(4 sqrt π)
/// ```
pub fn elliptic_k(m: f64) -> f64 {
    elliptic_k_complement(1.0 - m)
}

/// $`E(m) = \int_0^{\pi/2} (1 - m\sin^2\theta)^{1/2} d\theta`$, parameter $`m = k^2 \le 1`$.
///
/// By the arithmetic-geometric mean (DLMF 19.8.6). 1 at 1, NaN beyond.
///
/// ```
/// use linalg_core::special::elliptic_e;
///
/// assert_eq!(elliptic_e(1.0), 1.0);
/// assert!((elliptic_e(0.5) - 1.3506438810476755).abs() < 1e-15);
/// ```
pub fn elliptic_e(m: f64) -> f64 {
    elliptic_e_complement(1.0 - m)
}

/// $`K(1 - m_1)`$ from the complementary parameter $`m_1 \ge 0`$.
///
/// Keeps the digits of the logarithm $`K \approx \ln(4/\sqrt{m_1})`$ for the smallest $`m_1`$, as at a critical point.
///
/// ```
/// use linalg_core::special::elliptic_k_complement;
///
/// let m1 = 1e-40f64;
/// assert!((elliptic_k_complement(m1) / (4.0 / m1.sqrt()).ln() - 1.0).abs() < 1e-15);
/// ```
pub fn elliptic_k_complement(m1: f64) -> f64 {
    if m1 == 0.0 {
        return f64::INFINITY;
    }
    FRAC_PI_2 / mean(m1).0
}

/// $`E(1 - m_1)`$ from the complementary parameter $`m_1 \ge 0`$.
///
/// ```
/// use linalg_core::special::elliptic_e_complement;
///
/// assert_eq!(elliptic_e_complement(0.0), 1.0);
/// assert!((elliptic_e_complement(1.0) - std::f64::consts::FRAC_PI_2).abs() < 1e-15);
/// ```
pub fn elliptic_e_complement(m1: f64) -> f64 {
    if (0.0..1e-6).contains(&m1) {
        if m1 == 0.0 {
            return 1.0;
        }
        // DLMF 19.12.2: the next term is of order m1³ ln m1.
        let log = 2.0 * LN_2 - 0.5 * m1.ln();
        return 1.0 + 0.5 * m1 * (log - 0.5) + 0.1875 * m1 * m1 * (log - 13.0 / 12.0);
    }
    if m1 == f64::INFINITY {
        return f64::INFINITY;
    }
    let (mean, defect) = mean(m1);
    FRAC_PI_2 / mean * defect
}

/// The mean of 1 and √m₁, and $`1 - \sum_n 2^{n-1} c_n^2`$ with $`c_0^2 = 1 - m_1`$, $`c_{n+1} = (a_n - g_n)/2`$.
fn mean(m1: f64) -> (f64, f64) {
    let (mut a, mut g) = (1.0, m1.sqrt());
    // 1 - (1 - m₁)/2
    let mut defect = 0.5 + 0.5 * m1;
    let mut weight = 0.5;
    // Quadratic after about ½ log₂|ln m₁| halvings of the exponent; 30 covers the whole range.
    for _ in 0..30 {
        let half = 0.5 * (a - g);
        weight *= 2.0;
        defect -= weight * half * half;
        (a, g) = (a - half, (a * g).sqrt());
        if half.abs() <= 1e-9 * a {
            break;
        }
    }
    (a, defect)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::special::check;

    #[test]
    fn reference_values() {
        check(
            "elliptic_k",
            elliptic_k,
            1e-15,
            &[
                (-3.0, 1.0782578237498217),
                (-0.5, 1.4157372084259563),
                (0.0, FRAC_PI_2),
                (0.1, 1.6124413487202194),
                (0.5, 1.8540746773013719),
                (0.9, 2.5780921133481733),
                (0.999999, 8.294051463601063),
                (0.9999999999999, 16.352942017154657),
            ],
        );
        check(
            "elliptic_e",
            elliptic_e,
            1e-15,
            &[
                (-3.0, 2.422112055136919),
                (-0.5, 1.7517712756948178),
                (0.0, FRAC_PI_2),
                (0.1, 1.5307576368977631),
                (0.5, 1.3506438810476755),
                (0.9, 1.1047747327040733),
                (0.999999, 1.0000038970261722),
                (0.9999999999999, 1.000000000000793),
            ],
        );
        check(
            "elliptic_k_complement",
            elliptic_k_complement,
            1e-15,
            &[
                (1e-300, 346.774_058_310_226_7),
                (1e-20, 24.412145291060348),
                (1e-08, 10.59663475708766),
                (0.3, 2.075363135292469),
            ],
        );
        check(
            "elliptic_e_complement",
            elliptic_e_complement,
            3e-15,
            &[
                (1e-20, 1.0),
                (1e-10, 1.000000000619961),
                (1e-08, 1.0000000504831739),
                (1e-07, 1.0000004472671251),
                (1e-06, 1.000003897026172),
                (1e-05, 1.0000332138990828),
                (0.0001, 1.000274582430663),
                (0.3, 1.2416705679458226),
            ],
        );
    }

    #[test]
    fn legendre_relation() {
        // E K' + E' K - K K' = π/2
        for k in 1..100 {
            let m = f64::from(k) / 100.0;
            let (k1, e1) = (elliptic_k(m), elliptic_e(m));
            let (k2, e2) = (elliptic_k_complement(m), elliptic_e_complement(m));
            assert!((e1 * k2 + e2 * k1 - k1 * k2 - FRAC_PI_2).abs() < 4e-15, "{m}");
        }
    }

    #[test]
    fn limits() {
        assert!(elliptic_k(1.0) == f64::INFINITY);
        assert!(elliptic_k(1.5).is_nan() && elliptic_e(1.5).is_nan());
        assert!(elliptic_k(f64::NEG_INFINITY) == 0.0);
        assert!(elliptic_e(f64::NEG_INFINITY) == f64::INFINITY);
        assert!(elliptic_k_complement(5e-324).is_finite());
    }
}
