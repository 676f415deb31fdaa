//! What a tensor can hold.

use num_complex::Complex64;

use crate::gemm::{Matrix, MatrixMut, gemm};

/// The entries of tensors: a commutative semiring. Sealed.
///
/// `f64` and `Complex64` are themselves and go through [`gemm`](mod@crate::gemm); [`Logarithm`] holds logarithms of
/// non-negative numbers, for products that leave the range of `f64`; [`MaxPlus`] replaces sums by maxima.
pub trait Entry: Copy + PartialEq + std::fmt::Debug + Send + Sync + 'static + Sealed {
    /// The neutral element of the sum.
    const ZERO: Self;
    /// The neutral element of the product.
    const ONE: Self;
}

/// The operations the contraction needs.
pub trait Sealed: Copy + Sized {
    fn plus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
    /// Divides all entries by a common positive number so that the largest is near 1; returns the logarithm of that
    /// number and the smallest magnitude that is left.
    fn normalize(data: &mut [Self]) -> (f64, f64);
    /// The number by which `other` has to be multiplied to give this one; `ZERO` where `other` is.
    fn over(self, other: Self) -> Self;
    /// Multiplies by `exp(ln_factor)`.
    fn scaled(self, ln_factor: f64) -> Self;

    /// `out += a x`.
    #[inline]
    fn add_multiple(out: &mut [Self], a: &[Self], x: Self) {
        for (out, &a) in out.iter_mut().zip(a) {
            *out = out.plus(a.times(x));
        }
    }

    /// `out += a b`, entry by entry.
    #[inline]
    fn add_products(out: &mut [Self], a: &[Self], b: &[Self]) {
        for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
            *out = out.plus(a.times(b));
        }
    }

    /// `C += A B` with rows one after another; A is `m x k` or its transpose. C is zero before.
    fn matrix_product(
        [m, k, n]: [usize; 3],
        (a, a_turned): (&[Self], bool),
        (b, b_turned): (&[Self], bool),
        c: &mut [Self],
    ) {
        let (a_row, a_col) = if a_turned { (1, m) } else { (k, 1) };
        let (b_row, b_col) = if b_turned { (1, k) } else { (n, 1) };
        for i in 0..m {
            for l in 0..k {
                let x = a[i * a_row + l * a_col];
                for j in 0..n {
                    let out = &mut c[i * n + j];
                    *out = out.plus(x.times(b[l * b_row + j * b_col]));
                }
            }
        }
    }
}

/// Entries that are weights of a distribution: non-negative `f64`, or their [`Logarithm`]. Sealed.
pub trait Weight: Entry + PartialOrd + SealedWeight {}

impl Weight for f64 {}
impl Weight for Logarithm {}

/// What drawing needs.
pub trait SealedWeight {
    /// The ratio to the largest of some weights; 0 where that is zero.
    fn relative(self, largest: Self) -> f64;
}

impl SealedWeight for f64 {
    fn relative(self, largest: Self) -> f64 {
        if largest > 0.0 { self / largest } else { 0.0 }
    }
}

impl SealedWeight for Logarithm {
    fn relative(self, largest: Self) -> f64 {
        if largest.0 > f64::NEG_INFINITY { (self.0 - largest.0).exp() } else { 0.0 }
    }
}

/// The power of two below `largest`; 1 for zero and what is not finite.
fn power_of_two(largest: f64) -> f64 {
    if largest > 0.0 && largest.is_finite() { largest.log2().floor().exp2().max(f64::MIN_POSITIVE) } else { 1.0 }
}

/// Smallest and largest magnitude, eight at a time.
fn magnitudes(data: &[f64]) -> (f64, f64) {
    let (mut low, mut high) = ([f64::INFINITY; 8], [0.0f64; 8]);
    let chunks = data.chunks_exact(8);
    let rest = chunks.remainder();
    let mut take = |lane: usize, x: f64| {
        let size = x.abs();
        low[lane] = if size < low[lane] { size } else { low[lane] };
        high[lane] = if size > high[lane] { size } else { high[lane] };
    };
    for chunk in chunks {
        for (lane, &x) in chunk.iter().enumerate() {
            take(lane, x);
        }
    }
    rest.iter().for_each(|&x| take(0, x));
    (low.iter().copied().fold(f64::INFINITY, f64::min), high.iter().copied().fold(0.0, f64::max))
}

fn oriented<T: Copy>(data: &[T], rows: usize, cols: usize, turned: bool) -> Matrix<'_, T> {
    if turned { Matrix::col_major(data, rows, cols) } else { Matrix::row_major(data, rows, cols) }
}

impl Entry for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
}

impl Sealed for f64 {
    #[inline]
    fn plus(self, other: Self) -> Self {
        self + other
    }
    #[inline]
    fn times(self, other: Self) -> Self {
        self * other
    }
    fn normalize(data: &mut [Self]) -> (f64, f64) {
        let (low, high) = magnitudes(data);
        let scale = power_of_two(high);
        // Within 2^-8 and 2^8 a scaling changes nothing that matters.
        if (1.0 / 256.0..=256.0).contains(&scale) {
            return (0.0, low);
        }
        let inverse = scale.recip();
        data.iter_mut().for_each(|x| *x *= inverse);
        (scale.ln(), low * inverse)
    }
    fn over(self, other: Self) -> Self {
        if other == <Self as Entry>::ZERO { other } else { self / other }
    }
    fn scaled(self, ln_factor: f64) -> Self {
        if ln_factor == 0.0 { self } else { self * ln_factor.exp() }
    }
    fn matrix_product([m, k, n]: [usize; 3], a: (&[Self], bool), b: (&[Self], bool), c: &mut [Self]) {
        gemm(1.0, oriented(a.0, m, k, a.1), oriented(b.0, k, n, b.1), 0.0, MatrixMut::row_major(c, m, n));
    }
}

impl Entry for Complex64 {
    const ZERO: Self = Self::new(0.0, 0.0);
    const ONE: Self = Self::new(1.0, 0.0);
}

impl Sealed for Complex64 {
    #[inline]
    fn plus(self, other: Self) -> Self {
        self + other
    }
    #[inline]
    fn times(self, other: Self) -> Self {
        self * other
    }
    fn normalize(data: &mut [Self]) -> (f64, f64) {
        let (mut low, mut high) = (f64::INFINITY, 0.0f64);
        for x in &*data {
            let size = x.re.abs().max(x.im.abs());
            low = low.min(size);
            high = high.max(size);
        }
        let scale = power_of_two(high);
        let inverse = scale.recip();
        data.iter_mut().for_each(|x| *x *= inverse);
        (scale.ln(), low * inverse)
    }
    fn over(self, other: Self) -> Self {
        if other == <Self as Entry>::ZERO { other } else { self / other }
    }
    fn scaled(self, ln_factor: f64) -> Self {
        if ln_factor == 0.0 { self } else { self * ln_factor.exp() }
    }
    fn matrix_product([m, k, n]: [usize; 3], a: (&[Self], bool), b: (&[Self], bool), c: &mut [Self]) {
        let (one, zero) = (<Self as Entry>::ONE, <Self as Entry>::ZERO);
        gemm(one, oriented(a.0, m, k, a.1), oriented(b.0, k, n, b.1), zero, MatrixMut::row_major(c, m, n));
    }
}

/// The logarithm of a non-negative number: products are sums, sums are log-sum-exp.
///
/// Ten to fifty times slower than `f64`; nothing underflows.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Logarithm(
    /// The logarithm; `-∞` for zero.
    pub f64,
);

impl Entry for Logarithm {
    const ZERO: Self = Self(f64::NEG_INFINITY);
    const ONE: Self = Self(0.0);
}

/// Divides by the largest entry in logarithmic form.
fn shift(largest: f64) -> f64 {
    if largest.is_finite() { largest } else { 0.0 }
}

impl Sealed for Logarithm {
    #[inline]
    fn plus(self, other: Self) -> Self {
        let (low, high) = if self.0 < other.0 { (self.0, other.0) } else { (other.0, self.0) };
        if low == f64::NEG_INFINITY { Self(high) } else { Self(high + (low - high).exp().ln_1p()) }
    }
    #[inline]
    fn times(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
    fn normalize(data: &mut [Self]) -> (f64, f64) {
        let scale = shift(data.iter().fold(f64::NEG_INFINITY, |high, x| high.max(x.0)));
        data.iter_mut().for_each(|x| x.0 -= scale);
        (scale, 1.0)
    }
    fn over(self, other: Self) -> Self {
        if other == Self::ZERO { other } else { Self(self.0 - other.0) }
    }
    fn scaled(self, ln_factor: f64) -> Self {
        Self(self.0 + ln_factor)
    }
}

/// Maxima in the place of sums and sums in the place of products: the contraction gives the largest exponent.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct MaxPlus(
    /// The exponent; `-∞` for zero.
    pub f64,
);

impl Entry for MaxPlus {
    const ZERO: Self = Self(f64::NEG_INFINITY);
    const ONE: Self = Self(0.0);
}

impl Sealed for MaxPlus {
    #[inline]
    fn plus(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }
    #[inline]
    fn times(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
    /// Nothing can overflow: maxima of integers stay integers.
    fn normalize(_data: &mut [Self]) -> (f64, f64) {
        (0.0, 1.0)
    }
    fn over(self, other: Self) -> Self {
        if other == Self::ZERO { other } else { Self(self.0 - other.0) }
    }
    fn scaled(self, ln_factor: f64) -> Self {
        Self(self.0 + ln_factor)
    }
}

/// The largest exponent and how often it occurs: maxima whose terms are counted.
///
/// Equal exponents have to compare equal, so they should be such that all their sums are exact, as integers are. Counts
/// are exact up to 2⁵³.
///
/// ```
/// use linalg_core::tensor::{Contraction, ContractionTree, MaxCount, Network, Tensor};
///
/// // Two spins that want to be equal: two of four configurations do.
/// let network = Network::new(vec![2, 2], vec![vec![0, 1]], vec![])?;
/// let bond = Tensor::new(vec![0, 1], vec![2, 2], [1.0, -1.0, -1.0, 1.0].map(MaxCount::one).to_vec());
/// let tree = ContractionTree::new(1, vec![])?;
/// let best = Contraction::new(&network, &tree)?.maximum(&[bond], &mut ())?;
/// assert_eq!((best.exponent, best.ln_count.exp().round(), best.place[0]), (1.0, 2.0, best.place[1]));
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaxCount {
    /// The exponent; `-∞` for zero.
    pub exponent: f64,
    /// How many terms have it, up to the scale of the tensor; NaN where that is too few beside the others for a float to say.
    pub count: f64,
}

impl MaxCount {
    /// One term with this exponent.
    pub fn one(exponent: f64) -> Self {
        Self { exponent, count: 1.0 }
    }
}

/// Counts above this are scaled; below it they stay exact integers.
const MANY: f64 = 1e150;

/// A scaled count, or NaN where scaling lost digits of it.
fn kept(count: f64, scaled: f64) -> f64 {
    if count > 0.0 && scaled < f64::MIN_POSITIVE { f64::NAN } else { scaled }
}

impl Entry for MaxCount {
    const ZERO: Self = Self { exponent: f64::NEG_INFINITY, count: 0.0 };
    const ONE: Self = Self { exponent: 0.0, count: 1.0 };
}

impl Sealed for MaxCount {
    #[inline]
    #[allow(clippy::float_cmp, reason = "sums of exponents are exact")]
    fn plus(self, other: Self) -> Self {
        if self.exponent == other.exponent {
            Self { exponent: self.exponent, count: self.count + other.count }
        } else if self.exponent > other.exponent {
            self
        } else {
            other
        }
    }
    #[inline]
    fn times(self, other: Self) -> Self {
        let product = self.count * other.count;
        let lost = product < f64::MIN_POSITIVE && self.count > 0.0 && other.count > 0.0;
        Self { exponent: self.exponent + other.exponent, count: if lost { f64::NAN } else { product } }
    }
    /// The scale is that of the counts.
    fn normalize(data: &mut [Self]) -> (f64, f64) {
        let largest = data.iter().fold(0.0, |high: f64, x| high.max(x.count));
        if largest <= MANY {
            return (0.0, 1.0);
        }
        let scale = power_of_two(largest);
        data.iter_mut().for_each(|x| x.count = kept(x.count, x.count / scale));
        (scale.ln(), 1.0)
    }
    fn over(self, other: Self) -> Self {
        if other.count > 0.0 || other.count.is_nan() {
            Self { exponent: self.exponent - other.exponent, count: self.count / other.count }
        } else {
            Self::ZERO
        }
    }
    fn scaled(self, ln_factor: f64) -> Self {
        Self { exponent: self.exponent, count: kept(self.count, self.count.scaled(ln_factor)) }
    }
}
