//! The error function and its complements.

/// $`\sqrt\pi`$.
const SQRT_PI: f64 = 1.772_453_850_905_516;

/// The error function $`\frac{2}{\sqrt\pi}\int_0^x e^{-t^2} dt`$.
///
/// ```
/// use linalg_core::special::erf;
///
/// assert!((erf(0.5) - 0.5204998778130465).abs() < 1e-15);
/// assert_eq!(erf(-30.0), -1.0);
/// ```
pub fn erf(x: f64) -> f64 {
    libm::erf(x)
}

/// The complementary error function $`1 - \mathrm{erf}(x)`$, accurate in the tail too; underflows beyond 26.5.
///
/// ```
/// use linalg_core::special::erfc;
///
/// assert!((erfc(10.0) / 2.0884875837625446e-45 - 1.0).abs() < 1e-14);
/// ```
pub fn erfc(x: f64) -> f64 {
    libm::erfc(x)
}

/// The scaled complementary error function $`e^{x^2}\,\mathrm{erfc}(x)`$.
///
/// Falls like $`1/(x\sqrt\pi)`$ where `erfc` itself underflows; overflows below -26.6. The product form, with the square
/// carried in two words, up to 10, the asymptotic series (DLMF 7.12.1) beyond.
///
/// ```
/// use linalg_core::special::erfcx;
///
/// assert_eq!(erfcx(0.0), 1.0);
/// assert!((erfcx(1e8) * 1e8 * std::f64::consts::PI.sqrt() - 1.0).abs() < 1e-15);
/// ```
pub fn erfcx(x: f64) -> f64 {
    if x < 0.0 {
        return 2.0 * exp_square(x, 1.0) - erfcx(-x);
    }
    if x < 10.0 {
        return exp_square(x, 1.0) * erfc(x);
    }
    // Twelve terms at x = 10, the least of which is below 1e-16.
    let step = 0.5 / (x * x);
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 0..12 {
        term *= -f64::from(2 * k + 1) * step;
        sum += term;
    }
    sum / (x * SQRT_PI)
}

/// $`e^{c x^2}`$ with the rounding error of the square put back; `c` is a power of two with a sign.
pub(super) fn exp_square(x: f64, c: f64) -> f64 {
    let square = x * x;
    let main = (c * square).exp();
    if main == 0.0 || main.is_infinite() {
        return main;
    }
    // Veltkamp's split: both halves have products without rounding. |x| < 40 here.
    let wide = x * 134_217_729.0;
    let high = wide - (wide - x);
    let low = x - high;
    let rest = ((high * high - square) + 2.0 * high * low) + low * low;
    main + main * (c * rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::special::check;

    #[test]
    fn reference_values() {
        check(
            "erf",
            erf,
            2e-16,
            &[
                (1e-10, 1.1283791670955126e-10),
                (0.3, 0.3286267594591274),
                (0.84375, 0.7672256612323416),
                (1.5, 0.9661051464753108),
                (-2.5, -0.999593047982555),
                (4.0, 0.9999999845827421),
            ],
        );
        check(
            "erfc",
            erfc,
            4e-16,
            &[
                (-1.0, 1.8427007929497148),
                (0.1, 0.887537083981715),
                (0.9, 0.20309178757716786),
                (1.3, 0.06599205505934755),
                (3.0, 2.209049699858544e-05),
                (8.0, 1.1224297172982926e-29),
                (26.0, 5.663192408856143e-296),
            ],
        );
        check(
            "erfcx",
            erfcx,
            1e-15,
            &[
                (-20.0, 1.0442939379528289e+174),
                (-3.0, 16205.988853999586),
                (-0.4, 1.676233956688859),
                (1e-05, 0.9999887163083283),
                (0.3, 0.7345993345676551),
                (0.7, 0.525930337349441),
                (1.0, 0.427583576155807),
                (2.5, 0.2108063640611436),
                (5.0, 0.11070463773306863),
                (9.5, 0.05906467835256389),
                (9.999, 0.05614655260396594),
                (10.5, 0.05349189974656412),
                (26.0, 0.021683584850562907),
                (50.0, 0.011281536265323773),
                (100000.0, 5.6418958351954685e-06),
                (10000000000.0, 5.641895835477563e-11),
            ],
        );
    }

    #[test]
    fn limits() {
        assert!(erfcx(f64::INFINITY) == 0.0);
        assert!(erfcx(f64::NEG_INFINITY) == f64::INFINITY);
        assert!(erfcx(-27.0) == f64::INFINITY);
        assert!(erfcx(1e300) > 0.0);
    }
}
