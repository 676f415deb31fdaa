//! ln Z of two-state machines in Gray-code order: two multiplications a unit and state.

use linalg_core::logspace::{LogSum, log_sum_exp, softplus};

use super::binary::BinaryForm;
use crate::fast::math::Product;
use linalg_core::simd::{Work, widest};

/// States between two computations of all factors afresh: 2^10 roundings stay below 1e-13.
const BLOCK_BITS: u32 = 10;

/// Exponents beyond this could leave the range of `f64`.
const LARGEST: f64 = 600.0;

/// Weights beyond this could, too: one of 1200 takes a field from -600 to 600, and e^w is a factor by itself.
const LARGEST_WEIGHT: f64 = 700.0;

/// One layer is enumerated, the other summed by hand: `Σ_x e^{c·x} Π_i (1 + e^{f_i(x)})`.
struct Sum {
    /// Fields on the enumerated units.
    outer: Vec<f64>,
    /// Fields on the others.
    inner: Vec<f64>,
    /// Enumerated x other.
    weights: Vec<f64>,
}

/// ln Z of the form, by enumeration of its smaller layer.
pub(super) fn ln_z(form: &BinaryForm) -> f64 {
    let (nv, nh) = (form.visible.len(), form.hidden.len());
    let sum = if nh <= nv {
        Sum { outer: form.hidden.clone(), inner: form.visible.clone(), weights: form.weights.clone() }
    } else {
        let weights = (0..nv).flat_map(|k| (0..nh).map(move |j| form.weights[j * nv + k])).collect();
        Sum { outer: form.visible.clone(), inner: form.hidden.clone(), weights }
    };
    form.constant + sum.ln_value()
}

impl Sum {
    fn ln_value(&self) -> f64 {
        let m = self.inner.len();
        let (mut low, mut high) = (self.inner.clone(), self.inner.clone());
        for row in self.weights.chunks_exact(m) {
            for (k, &w) in row.iter().enumerate() {
                low[k] += w.min(0.0);
                high[k] += w.max(0.0);
            }
        }
        let largest = low.iter().chain(&high).fold(0.0f64, |largest, x| largest.max(x.abs()));
        let heaviest = self.weights.iter().fold(0.0f64, |heaviest, w| heaviest.max(w.abs()));
        if largest < LARGEST && heaviest < LARGEST_WEIGHT {
            widest(Fast { sum: self, largest })
        } else {
            self.careful()
        }
    }

    /// The fields of a state, from the beginning.
    fn fields(&self, state: u64) -> (f64, Vec<f64>) {
        let mut fields = self.inner.clone();
        let mut outer = 0.0;
        for (j, row) in self.weights.chunks_exact(fields.len()).enumerate() {
            if state >> j & 1 == 1 {
                outer += self.outer[j];
                fields.iter_mut().zip(row).for_each(|(f, w)| *f += w);
            }
        }
        (outer, fields)
    }

    /// Without products: a softplus a unit and state.
    fn careful(&self) -> f64 {
        let mut total = LogSum::new();
        for state in 0..1u64 << self.outer.len() {
            let (outer, fields) = self.fields(state);
            total.push(outer + fields.into_iter().map(softplus).sum::<f64>());
        }
        total.value()
    }
}

struct Fast<'a> {
    sum: &'a Sum,
    largest: f64,
}

impl Work for Fast<'_> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let sum = self.sum;
        let m = sum.inner.len().div_ceil(8);
        let chunks = |values: &[f64], fill: f64| -> Vec<[f64; 8]> {
            let mut out = vec![[fill; 8]; m];
            values.iter().enumerate().for_each(|(k, &x)| out[k / 8][k % 8] = x);
            out
        };
        // e^{±w}: what a flip multiplies the factors by.
        let rows = || sum.weights.chunks_exact(sum.inner.len());
        let powers = |sign: f64| -> Vec<Vec<[f64; 8]>> {
            rows().map(|row| chunks(&row.iter().map(|w| (sign * w).exp()).collect::<Vec<_>>(), 1.0)).collect()
        };
        let (up, down) = (powers(1.0), powers(-1.0));
        // 1 + e^x < 2 e^600: so many factors before the exponents are moved out.
        let group = (690.0 / (self.largest + 1.0)).floor().clamp(1.0, 64.0) as usize;
        let n = sum.outer.len() as u32;
        let low = BLOCK_BITS.min(n);
        let mut blocks = Vec::new();
        for block in 0..1u64 << (n - low) {
            let (mut outer, fields) = sum.fields(block << low);
            // Beyond the last unit the factor is 1 + 0.
            let mut e = chunks(&fields.iter().map(|x| x.exp()).collect::<Vec<_>>(), 0.0);
            let mut total = LogSum::new();
            let mut state = 0u64;
            let mut product = Product::ONE;
            for chunk in e.chunks(group) {
                chunk.iter().for_each(|e| product.multiply(e.map(|e| 1.0 + e)));
                product.carry();
            }
            total.push(outer + product.ln());
            for step in 1..1u64 << low {
                let j = step.trailing_zeros() as usize;
                state ^= 1 << j;
                let on = state >> j & 1 == 1;
                outer += if on { sum.outer[j] } else { -sum.outer[j] };
                let factors = if on { &up[j] } else { &down[j] };
                total.push(outer + turn(&mut e, factors, group));
            }
            blocks.push(total.value());
        }
        log_sum_exp(&blocks)
    }
}

/// Multiplies the factors and returns `Σ ln(1 + e)`.
#[inline(always)]
fn turn(e: &mut [[f64; 8]], factors: &[[f64; 8]], group: usize) -> f64 {
    let mut product = Product::ONE;
    for (e, factors) in e.chunks_mut(group).zip(factors.chunks(group)) {
        for (e, factors) in e.iter_mut().zip(factors) {
            let mut sums = [0.0; 8];
            for k in 0..8 {
                e[k] *= factors[k];
                sums[k] = 1.0 + e[k];
            }
            product.multiply(sums);
        }
        product.carry();
    }
    product.ln()
}

#[cfg(test)]
mod tests {
    use crate::Rbm;
    use crate::partition::exact_ln_z;
    use crate::units::Spin;

    /// Two spins on one: Z = 2 (2 cosh β)². As bits they have weights 4β and fields from -2β to 2β.
    #[test]
    fn weights_beyond_the_range_of_the_exponential_are_summed_with_care() {
        let rbm = Rbm::new(Spin, Spin, vec![1.0; 2], vec![0.0; 2], vec![0.0]).unwrap();
        for beta in [1.0, 170.0, 174.9, 175.1, 200.0, 299.0, 301.0, 1e4] {
            let exact = 2f64.ln() + 2.0 * linalg_core::logspace::ln_2cosh(beta);
            let found = exact_ln_z(&rbm, beta).unwrap();
            assert!((found / exact - 1.0).abs() < 1e-13, "{beta}: {found} {exact}");
        }
    }
}
