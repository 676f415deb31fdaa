//! The zeros of Z in the complex plane.

use linalg_core::num_complex::Complex64;
use std::f64::consts::{LN_2, TAU};

use super::{DensityOfStates, Natural};
use crate::exact::planar::number::Number;
use crate::exact::planar::wide::Wide;

/// Corrections before a zero is given up.
const MOST_SWEEPS: usize = 400;

/// Limbs of the most accurate numbers.
const MOST: usize = 60;

/// Zeros whose discs are larger, relative to their modulus, are computed again with more digits.
const TOLERANCE: f64 = 1e-13;

/// The zeros of a partition function in $`x = e^{-2 \beta J}`$, without those at 0.
///
/// ```
/// use spin_models::{Boundary, Ising, exact::planar::DensityOfStates};
///
/// // One plaquette: Z ~ 1 + 6 x² + x⁴ vanishes at x² = -3 ± √8.
/// let density = DensityOfStates::of(&Ising::square(2, Boundary::Free, 1.0)?)?;
/// let zeros = density.fisher_zeros();
/// assert!(zeros.isolated && zeros.backward_error < 1e-30);
/// assert_eq!(zeros.x.len(), 4);
/// for x in zeros.x {
///     assert!(((x * x + 3.0).norm() - 8f64.sqrt()).abs() < 1e-14);
/// }
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FisherZeros {
    /// The zeros other than 0 and -1, in the order of their angles.
    pub x: Vec<Complex64>,
    /// The order of the zero at x = -1, where tanh βJ is infinite. It is found exactly: sites of odd degree make it
    /// large.
    pub at_minus_one: usize,
    /// A disc of this radius around each zero holds one of the exact polynomial, up to rounding of the radius itself.
    pub radii: Vec<f64>,
    /// Whether the discs are disjoint: each then holds exactly one zero. Multiple zeros are never isolated.
    pub isolated: bool,
    /// The largest $`|Z(x)| / \sum_n g_n |x|^n`$ at the zeros before they were rounded to f64, with the rounding of the
    /// evaluation: relative changes of the counts by as much move the zeros to where they were found.
    pub backward_error: f64,
}

impl FisherZeros {
    /// The zeros in $`\tanh \beta J = (1 - x) / (1 + x)`$.
    pub fn tanh(&self) -> Vec<Complex64> {
        self.x.iter().map(|&x| (Complex64::ONE - x) / (Complex64::ONE + x)).collect()
    }
}

impl DensityOfStates {
    /// The zeros of Z in the complex plane of $`x = e^{-2 \beta J}`$.
    ///
    /// All zeros at once by the method of Ehrlich and Aberth, from radii on the Newton polygon, with numbers of 384
    /// bits, then 1280 and 3840 where that is not enough. $`O(M^2)`$ operations for each of about 20 sweeps.
    ///
    /// # References
    /// - M. E. Fisher, in Lectures in Theoretical Physics VII C (1965), p. 1.
    /// - O. Aberth, Mathematics of Computation 27, 339 (1973); D. A. Bini, Numerical Algorithms 13, 179 (1996).
    pub fn fisher_zeros(&self) -> FisherZeros {
        let first = self.counts().iter().position(|c| !c.is_zero()).unwrap_or(0);
        let last = self.counts().iter().rposition(|c| !c.is_zero()).unwrap_or(0);
        let mut coefficients: Vec<Wide<MOST>> = self.counts()[first..=last].iter().map(wide).collect();
        let at_minus_one = split_off_minus_one(&mut coefficients);
        let start = starting_points(&coefficients);
        let mut found = refine::<6>(&coefficients, &start);
        if !good(&found) {
            found = refine::<20>(&coefficients, &found.x);
        }
        if !good(&found) {
            found = refine::<MOST>(&coefficients, &found.x);
        }
        let mut order: Vec<usize> = (0..found.x.len()).collect();
        order.sort_by(|&a, &b| found.x[a].arg().total_cmp(&found.x[b].arg()));
        let x: Vec<Complex64> = order.iter().map(|&k| found.x[k]).collect();
        let radii: Vec<f64> = order.iter().map(|&k| found.radii[k]).collect();
        let apart = |a: usize, b: usize| (x[a] - x[b]).norm() > radii[a] + radii[b];
        let isolated = (0..x.len()).all(|a| (0..a).all(|b| apart(a, b)));
        FisherZeros { x, at_minus_one, radii, isolated, backward_error: found.backward_error }
    }
}

struct Found {
    x: Vec<Complex64>,
    radii: Vec<f64>,
    backward_error: f64,
}

fn good(found: &Found) -> bool {
    found.x.iter().zip(&found.radii).all(|(x, r)| *r <= TOLERANCE * x.norm())
}

/// Divides by 1 + x while nothing remains, and returns how often. Integers are exact as long as they fit.
fn split_off_minus_one(coefficients: &mut Vec<Wide<MOST>>) -> usize {
    let mut order = 0;
    // A quotient has no larger coefficients than sums of those before.
    let bits =
        |c: &[Wide<MOST>]| c.iter().map(|c| c.ln_abs()).fold(0.0, f64::max) / LN_2 + (c.len() as f64).log2() + 2.0;
    while coefficients.len() > 1 && bits(coefficients) < (64 * MOST) as f64 {
        let mut quotient = Vec::with_capacity(coefficients.len());
        let mut carry = Wide::ZERO;
        for &c in coefficients.iter().rev() {
            carry = c - carry;
            quotient.push(carry);
        }
        if !quotient.pop().is_some_and(|remainder| remainder.is_zero()) {
            break;
        }
        quotient.reverse();
        *coefficients = quotient;
        order += 1;
    }
    order
}

/// As many points on each circle as the Newton polygon has zeros near it.
fn starting_points(coefficients: &[Wide<MOST>]) -> Vec<Complex64> {
    let mut hull: Vec<(f64, f64)> = Vec::new();
    for (n, c) in coefficients.iter().enumerate().filter(|(_, c)| !c.is_zero()) {
        let point = (n as f64, c.ln_abs());
        let slope = |a: (f64, f64), b: (f64, f64)| (b.1 - a.1) / (b.0 - a.0);
        while let [.., a, b] = hull[..] {
            if slope(a, b) > slope(b, point) {
                break;
            }
            hull.pop();
        }
        hull.push(point);
    }
    let mut points = Vec::new();
    for edge in hull.windows(2) {
        let (a, b) = (edge[0], edge[1]);
        let n = b.0 - a.0;
        let radius = ((a.1 - b.1) / n).exp();
        for k in 0..n as usize {
            // Turned from edge to edge, and off the real axis.
            points.push(Complex64::from_polar(radius, TAU * (k as f64 + 0.37) / n + 0.7 * a.0));
        }
    }
    points
}

#[derive(Debug, Clone, Copy)]
struct WideComplex<const L: usize> {
    re: Wide<L>,
    im: Wide<L>,
}

impl<const L: usize> WideComplex<L> {
    const ZERO: Self = Self { re: Wide::ZERO, im: Wide::ZERO };

    fn new(z: Complex64) -> Self {
        Self { re: Wide::from_f64(z.re), im: Wide::from_f64(z.im) }
    }

    fn to_f64(self) -> Complex64 {
        Complex64::new(self.re.to_f64(), self.im.to_f64())
    }

    fn plus(self, other: Self) -> Self {
        Self { re: self.re + other.re, im: self.im + other.im }
    }

    fn times(self, other: Self) -> Self {
        Self { re: self.re * other.re - self.im * other.im, im: self.re * other.im + self.im * other.re }
    }

    /// `ln |z|`.
    fn ln_norm(self) -> f64 {
        let (a, b) = (self.re.ln_abs(), self.im.ln_abs());
        let large = a.max(b);
        if large.is_finite() { large + 0.5 * (2.0 * (a.min(b) - large)).exp().ln_1p() } else { large }
    }

    /// The number times $`e^{-shift}`$, in f64.
    fn scaled(self, shift: f64) -> Complex64 {
        let part = |x: Wide<L>| {
            let size = (x.ln_abs() - shift).exp();
            if Wide::ZERO.exceeds(x) { -size } else { size }
        };
        Complex64::new(part(self.re), part(self.im))
    }
}

fn wide(count: &Natural) -> Wide<MOST> {
    let word = Wide::from_f64(2f64.powi(32));
    count.limbs().iter().rev().fold(Wide::ZERO, |x, &limb| {
        let (high, low) = (limb >> 32, limb & 0xffff_ffff);
        (x * word + Wide::from_f64(high as f64)) * word + Wide::from_f64(low as f64)
    })
}

fn refine<const L: usize>(coefficients: &[Wide<MOST>], start: &[Complex64]) -> Found {
    let logarithms: Vec<f64> = coefficients.iter().map(|c| c.ln_abs()).collect();
    let coefficients: Vec<Wide<L>> = coefficients.iter().map(Wide::leading).collect();
    let n = start.len();
    // Value and derivative by Horner's rule.
    let evaluate = |z: WideComplex<L>| {
        let (mut p, mut slope) = (WideComplex::ZERO, WideComplex::ZERO);
        for &c in coefficients.iter().rev() {
            slope = slope.times(z).plus(p);
            p = p.times(z);
            p.re = p.re + c;
        }
        (p, slope)
    };
    // ln Σ |c_k| |z|^k, and the part of it that rounding can reach: 8 operations for each step, each off by less than
    // two units in the last place.
    let ln_scale = |modulus: f64| {
        let terms = logarithms.iter().enumerate().map(|(k, c)| c + k as f64 * modulus.ln());
        linalg_core::logspace::log_sum_exp(&terms.collect::<Vec<_>>())
    };
    let ln_unit = (16.0 * (n + 1) as f64).ln() - (64 * L) as f64 * LN_2;
    let mut z: Vec<WideComplex<L>> = start.iter().map(|&x| WideComplex::new(x)).collect();
    let mut near = start.to_vec();
    let mut radii = vec![f64::INFINITY; n];
    let mut errors = vec![f64::INFINITY; n];
    let mut done = vec![false; n];
    for _ in 0..MOST_SWEEPS {
        if done.iter().all(|&d| d) {
            break;
        }
        for i in 0..n {
            if done[i] {
                continue;
            }
            let (p, slope) = evaluate(z[i]);
            let modulus = near[i].norm();
            let (ln_p, ln_slope, ln_rounding) = (p.ln_norm(), slope.ln_norm(), ln_scale(modulus) + ln_unit);
            let ln_value = linalg_core::logspace::log_sum_exp(&[ln_p, ln_rounding]);
            radii[i] = (n as f64) * (ln_value - ln_slope).exp() + modulus * f64::EPSILON;
            errors[i] = (ln_value - ln_rounding + ln_unit).exp();
            let newton = p.scaled(ln_slope) / slope.scaled(ln_slope);
            let others: Complex64 =
                (0..n).filter(|&j| j != i && near[j] != near[i]).map(|j| (near[i] - near[j]).inv()).sum();
            let step = newton / (Complex64::ONE - newton * others);
            if ln_p <= ln_rounding || !step.is_finite() || step.norm() <= 1e-40 * modulus {
                done[i] = true;
                continue;
            }
            z[i] = z[i].plus(WideComplex::new(-step));
            near[i] = z[i].to_f64();
        }
    }
    Found { x: near, radii, backward_error: errors.into_iter().fold(0.0, f64::max) }
}
