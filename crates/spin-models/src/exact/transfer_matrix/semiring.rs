//! The arithmetics in which a sum over configurations can be done.

/// What replaces sum and product in `Σ_s Π_a e^{β w_a s_a}`.
///
/// The kernels are written once; the arithmetic decides whether they compute Z, ln Z or the lowest energy.
pub(super) trait Semiring: Copy {
    /// An entry of the state vector.
    type Value: Copy + Send + Sync + Default;

    /// The neutral element of the product.
    fn one(self) -> Self::Value;

    /// The neutral element of the sum.
    fn zero(self) -> Self::Value;

    /// `e^x`.
    fn exponential(self, x: f64) -> Self::Value;

    /// The product.
    fn mul(self, a: Self::Value, b: Self::Value) -> Self::Value;

    /// The sum.
    fn add(self, a: Self::Value, b: Self::Value) -> Self::Value;

    /// A term of the whole sum as a plain number, up to a factor common to all terms of one operation.
    fn weight(self, x: Self::Value) -> f64;

    /// The share of `a` in `a + b`: the probability with which a sample goes that way.
    fn share(self, a: Self::Value, b: Self::Value) -> f64;

    /// The same arithmetic, told the value of the whole sum.
    fn with_total(self, _total: Self::Value) -> Self {
        self
    }

    /// What an operation on one entry costs, in multiplications and additions of two numbers.
    const COST: u64;

    /// Multiplies all entries by a power of two that brings the largest near `2^target`; returns the exponent taken
    /// out. Nothing to do where the range is unbounded.
    fn rescale(self, _v: &mut [Self::Value], _target: i64) -> i64 {
        0
    }

    /// Natural logarithm of `x 2^exponent`.
    fn ln(self, x: Self::Value, exponent: i64) -> f64;
}

/// Plain numbers. Fast; the caller keeps the range within that of `f64`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Linear;

/// Largest entry, by eight independent maxima so that it vectorises.
fn largest(v: &[f64]) -> f64 {
    let (blocks, rest) = v.as_chunks::<8>();
    let mut lanes = [0.0f64; 8];
    for block in blocks {
        for (lane, &x) in lanes.iter_mut().zip(block) {
            *lane = if x > *lane { x } else { *lane };
        }
    }
    lanes.iter().chain(rest).fold(0.0, |m, &x| if x > m { x } else { m })
}

/// `e` with `2^e <= x < 2^(e+1)`, for normal positive `x`.
fn binary_exponent(x: f64) -> i64 {
    ((x.to_bits() >> 52) & 0x7ff) as i64 - 1023
}

/// `2^e` for exponents of normal numbers.
fn power_of_two(e: i64) -> f64 {
    f64::from_bits(((1023 + e) as u64) << 52)
}

impl Semiring for Linear {
    type Value = f64;

    #[inline(always)]
    fn one(self) -> f64 {
        1.0
    }

    #[inline(always)]
    fn zero(self) -> f64 {
        0.0
    }

    #[inline(always)]
    fn exponential(self, x: f64) -> f64 {
        x.exp()
    }

    #[inline(always)]
    fn mul(self, a: f64, b: f64) -> f64 {
        a * b
    }

    #[inline(always)]
    fn add(self, a: f64, b: f64) -> f64 {
        a + b
    }

    #[inline(always)]
    fn weight(self, x: f64) -> f64 {
        x
    }

    fn share(self, a: f64, b: f64) -> f64 {
        a / (a + b)
    }

    const COST: u64 = 1;

    fn rescale(self, v: &mut [f64], target: i64) -> i64 {
        let max = largest(v);
        if !max.is_normal() {
            return 0;
        }
        let shift = (target - binary_exponent(max)).clamp(-1022, 1022);
        if shift != 0 {
            let factor = power_of_two(shift);
            for x in v {
                *x *= factor;
            }
        }
        -shift
    }

    fn ln(self, x: f64, exponent: i64) -> f64 {
        // Powers of two apart, so that 2^N gives N ln 2 to the last digit.
        if !x.is_normal() {
            return x.ln() + exponent as f64 * std::f64::consts::LN_2;
        }
        let e = binary_exponent(x).min(1022);
        (x * power_of_two(-e)).ln() + (exponent + e) as f64 * std::f64::consts::LN_2
    }
}

/// Logarithms: any range, at the price of an exponential and a logarithm an addition.
#[derive(Debug, Clone, Copy)]
pub(super) struct Logarithmic {
    /// ln Z, the common factor of all terms; needed for marginals only.
    pub ln_z: f64,
}

impl Semiring for Logarithmic {
    type Value = f64;

    #[inline(always)]
    fn one(self) -> f64 {
        0.0
    }

    #[inline(always)]
    fn zero(self) -> f64 {
        f64::NEG_INFINITY
    }

    #[inline(always)]
    fn exponential(self, x: f64) -> f64 {
        x
    }

    #[inline(always)]
    fn mul(self, a: f64, b: f64) -> f64 {
        a + b
    }

    #[inline]
    fn add(self, a: f64, b: f64) -> f64 {
        let (high, low) = if a > b { (a, b) } else { (b, a) };
        let difference = low - high;
        // e^-38 is below half a unit in the last place of 1; also the way out for two minus infinities.
        if difference > -38.0 { high + difference.exp().ln_1p() } else { high }
    }

    #[inline]
    fn weight(self, x: f64) -> f64 {
        (x - self.ln_z).exp()
    }

    fn share(self, a: f64, b: f64) -> f64 {
        1.0 / (1.0 + (b - a).exp())
    }

    fn with_total(self, total: f64) -> Self {
        Self { ln_z: total }
    }

    const COST: u64 = 16;

    fn ln(self, x: f64, exponent: i64) -> f64 {
        x + exponent as f64 * std::f64::consts::LN_2
    }
}

/// The largest exponent and the number of configurations that reach it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Best {
    pub exponent: f64,
    pub count: f64,
}

/// Maximum and sum, with counting: lowest energies and their degeneracies.
#[derive(Debug, Clone, Copy)]
pub(super) struct MaxPlus;

impl Semiring for MaxPlus {
    type Value = Best;

    #[inline(always)]
    fn one(self) -> Best {
        Best { exponent: 0.0, count: 1.0 }
    }

    #[inline(always)]
    fn zero(self) -> Best {
        Best { exponent: f64::NEG_INFINITY, count: 0.0 }
    }

    #[inline(always)]
    fn exponential(self, x: f64) -> Best {
        Best { exponent: x, count: 1.0 }
    }

    #[inline(always)]
    fn mul(self, a: Best, b: Best) -> Best {
        Best { exponent: a.exponent + b.exponent, count: a.count * b.count }
    }

    #[inline(always)]
    fn add(self, a: Best, b: Best) -> Best {
        let exponent = if a.exponent > b.exponent { a.exponent } else { b.exponent };
        let from_a = if a.exponent >= b.exponent { a.count } else { 0.0 };
        let from_b = if b.exponent >= a.exponent { b.count } else { 0.0 };
        Best { exponent, count: from_a + from_b }
    }

    #[inline(always)]
    fn weight(self, x: Best) -> f64 {
        x.exponent
    }

    fn share(self, a: Best, b: Best) -> f64 {
        if a.exponent >= b.exponent { 1.0 } else { 0.0 }
    }

    const COST: u64 = 4;

    fn ln(self, x: Best, exponent: i64) -> f64 {
        debug_assert_eq!(exponent, 0);
        x.exponent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_two_are_exact() {
        for n in [1i64, 2, 100, 1000, 4000] {
            let x = power_of_two(n.min(900));
            let expected = n as f64 * std::f64::consts::LN_2;
            assert_eq!(Linear.ln(x, n - n.min(900)).to_bits(), expected.to_bits());
        }
    }

    #[test]
    fn rescaling_is_undone_by_its_exponent() {
        let mut v = [3.0e-200, 5.0e-190, 0.0];
        let taken = Linear.rescale(&mut v, 100);
        assert!(v[1] >= power_of_two(100) && v[1] < power_of_two(101));
        approx::assert_relative_eq!(Linear.ln(v[0], taken), 3.0e-200f64.ln(), max_relative = 1e-15);
        assert_eq!(Linear.rescale(&mut [0.0, 0.0], 100), 0);
    }

    #[test]
    #[allow(clippy::float_cmp)] // Neutral elements leave a number as it is.
    fn logarithmic_sums() {
        let s = Logarithmic { ln_z: 0.0 };
        approx::assert_relative_eq!(s.add(2.0f64.ln(), 3.0f64.ln()), 5.0f64.ln(), max_relative = 1e-15);
        assert_eq!(s.add(s.zero(), s.zero()), f64::NEG_INFINITY);
        assert_eq!(s.add(1e4, s.zero()), 1e4);
    }

    #[test]
    fn maxima_count_ties() {
        let s = MaxPlus;
        let tie = s.add(Best { exponent: 2.0, count: 3.0 }, Best { exponent: 2.0, count: 4.0 });
        assert_eq!((tie.exponent, tie.count), (2.0, 7.0));
        let one = s.add(Best { exponent: 1.0, count: 3.0 }, tie);
        assert_eq!((one.exponent, one.count), (2.0, 7.0));
        let none = s.add(s.zero(), s.one());
        assert_eq!((none.exponent, none.count), (0.0, 1.0));
    }
}
