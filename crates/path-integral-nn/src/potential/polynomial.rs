//! Polynomials of one coordinate.

use std::sync::Arc;

use super::{Potential, check_points};
use crate::error::{Error, Result, all_finite};
use linalg_core::simd::{Work, widest};

/// $`V(x) = \sum_k c_k x^k`$ for one coordinate, bounded below.
///
/// All derivatives are exact, and the corrections of higher-order actions are again polynomials.
///
/// ```
/// use path_integral_nn::potential::Potential;
/// use path_integral_nn::{Error, Polynomial};
///
/// let double_well = Polynomial::new(&[0.0, 0.0, -2.0, 0.0, 1.0])?; // x⁴ - 2x²
/// assert_eq!(double_well.value(&[1.0]), -1.0);
/// assert_eq!(double_well.derivative(2).value(&[1.0]), 8.0);
/// assert!(matches!(Polynomial::new(&[0.0, 0.0, 1.0, -0.1]), Err(Error::UnboundedBelow { .. })));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Polynomial {
    coefficients: Vec<f64>,
}

impl Polynomial {
    /// Coefficients from $`x^0`$ up; trailing zeros are dropped.
    ///
    /// # Errors
    /// [`Error::NotFinite`], and [`Error::UnboundedBelow`] when the highest power is odd or its coefficient negative.
    pub fn new(coefficients: &[f64]) -> Result<Self> {
        all_finite("coefficient", coefficients)?;
        let this = Self::unchecked(coefficients.to_vec());
        this.check_bounded()?;
        Ok(this)
    }

    /// $`m\omega^2 x^2/2`$.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn oscillator(mass: f64, omega: f64) -> Result<Self> {
        Self::new(&[0.0, 0.0, 0.5 * mass * omega * omega])
    }

    fn unchecked(mut coefficients: Vec<f64>) -> Self {
        while coefficients.last() == Some(&0.0) {
            coefficients.pop();
        }
        Self { coefficients }
    }

    /// Coefficients from $`x^0`$ up, without trailing zeros.
    pub fn coefficients(&self) -> &[f64] {
        &self.coefficients
    }

    /// The derivative of an order, bounded or not.
    pub fn derivative(&self, order: usize) -> Self {
        let mut c = self.coefficients.clone();
        for _ in 0..order {
            c = c.iter().enumerate().skip(1).map(|(k, c)| k as f64 * c).collect();
        }
        Self::unchecked(c)
    }

    fn evaluate(&self, points: &[f64], out: &mut [f64]) {
        check_points(1, points.len(), out.len());
        // Constant lengths unroll Horner's rule.
        match self.coefficients.len() {
            0 => out.fill(0.0),
            1..=3 => widest(Horner::<3> { c: pad(&self.coefficients), points, out }),
            4 => widest(Horner::<4> { c: pad(&self.coefficients), points, out }),
            5 => widest(Horner::<5> { c: pad(&self.coefficients), points, out }),
            6 => widest(Horner::<6> { c: pad(&self.coefficients), points, out }),
            7 => widest(Horner::<7> { c: pad(&self.coefficients), points, out }),
            8..=12 => widest(Horner::<12> { c: pad(&self.coefficients), points, out }),
            _ => {
                for (x, v) in points.iter().zip(out) {
                    *v = self.coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c);
                }
            }
        }
    }

    fn product(&self, other: &Self) -> Vec<f64> {
        let mut product = vec![0.0; (self.coefficients.len() + other.coefficients.len()).max(1) - 1];
        for (i, a) in self.coefficients.iter().enumerate() {
            for (j, b) in other.coefficients.iter().enumerate() {
                product[i + j] += a * b;
            }
        }
        product
    }
}

fn pad<const K: usize>(c: &[f64]) -> [f64; K] {
    let mut padded = [0.0; K];
    padded[..c.len()].copy_from_slice(c);
    padded
}

struct Horner<'a, const K: usize> {
    c: [f64; K],
    points: &'a [f64],
    out: &'a mut [f64],
}

impl<const K: usize> Work for Horner<'_, K> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (&x, v) in self.points.iter().zip(self.out) {
            let mut sum = self.c[K - 1];
            for k in (0..K - 1).rev() {
                sum = sum * x + self.c[k];
            }
            *v = sum;
        }
    }
}

impl Potential for Polynomial {
    fn value(&self, x: &[f64]) -> f64 {
        let mut out = [0.0];
        self.evaluate(x, &mut out);
        out[0]
    }

    fn gradient(&self, x: &[f64], out: &mut [f64]) {
        out[0] = self.derivative(1).value(x);
    }

    fn hessian_product(&self, x: &[f64], v: &[f64], out: &mut [f64]) {
        out[0] = self.derivative(2).value(x) * v[0];
    }

    fn laplacian(&self, x: &[f64]) -> f64 {
        self.derivative(2).value(x)
    }

    fn values(&self, points: &[f64], out: &mut [f64]) {
        self.evaluate(points, out);
    }

    fn gradients(&self, points: &[f64], out: &mut [f64]) {
        self.derivative(1).evaluate(points, out);
    }

    fn with_corrections(&self, gradient_squared: f64, laplacian: f64) -> Option<Arc<dyn Potential>> {
        let slope = self.derivative(1);
        let mut sum = self.coefficients.clone();
        for (part, factor) in [(slope.product(&slope), gradient_squared), (self.derivative(2).coefficients, laplacian)]
        {
            sum.resize(sum.len().max(part.len()), 0.0);
            sum.iter_mut().zip(&part).for_each(|(s, p)| *s += factor * p);
        }
        Some(Arc::new(Self::unchecked(sum)))
    }

    fn check_bounded(&self) -> Result<()> {
        let degree = self.coefficients.len().saturating_sub(1);
        let leading = self.coefficients.last().copied().unwrap_or(0.0);
        if degree > 0 && (degree % 2 == 1 || leading < 0.0) {
            let reason = format!("its highest term is {leading} x^{degree}");
            return Err(Error::UnboundedBelow { reason });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_agree_with_the_sum_of_powers() {
        for n in 1..=16 {
            let mut c: Vec<f64> = (0..n).map(|k| 0.3 - 0.1 * k as f64).collect();
            c.resize(n + n % 2 + 1, 0.0);
            *c.last_mut().unwrap() = 0.7;
            let v = Polynomial::new(&c).unwrap();
            let x: Vec<f64> = (0..37).map(|i| -1.5 + 0.08 * i as f64).collect();
            let (mut values, mut slopes) = (vec![0.0; 37], vec![0.0; 37]);
            v.values(&x, &mut values);
            v.gradients(&x, &mut slopes);
            for i in 0..37 {
                let sum: f64 = c.iter().enumerate().map(|(k, c)| c * x[i].powi(k as i32)).sum();
                let slope: f64 = (1..c.len()).map(|k| k as f64 * c[k] * x[i].powi(k as i32 - 1)).sum();
                assert!((values[i] - sum).abs() < 1e-12 * sum.abs().max(100.0));
                assert!((slopes[i] - slope).abs() < 1e-12 * slope.abs().max(100.0));
            }
        }
    }

    #[test]
    fn degenerate_and_bad() {
        assert_eq!(Polynomial::new(&[]).unwrap().value(&[3.0]).to_bits(), 0);
        assert!(Polynomial::new(&[2.0, 0.0, 0.0]).unwrap().coefficients().len() == 1);
        assert!(matches!(Polynomial::new(&[0.0, f64::NAN]), Err(Error::NotFinite { index: 1, .. })));
        assert!(matches!(Polynomial::new(&[0.0, 1.0]), Err(Error::UnboundedBelow { .. })));
        assert!(matches!(Polynomial::new(&[0.0, 0.0, -1.0]), Err(Error::UnboundedBelow { .. })));
    }
}
