//! Autocovariances of a long series by a power-of-two Fourier transform.

use num_complex::Complex64;

/// Sums $`\sum_i x_i x_{i+t}`$ for $`t = 0 \dots`$ `max_lag`, in O(N log N).
pub(super) fn lagged_products(x: &[f64], max_lag: usize) -> Vec<f64> {
    // Zero padding keeps the cyclic correlation from wrapping around.
    let size = (x.len() + max_lag).next_power_of_two();
    let mut data = vec![Complex64::new(0.0, 0.0); size];
    for (z, &value) in data.iter_mut().zip(x) {
        z.re = value;
    }
    transform(&mut data);
    data.iter_mut().for_each(|z| *z = Complex64::new(z.norm_sqr(), 0.0));
    // The spectrum is real and even: forward and inverse transforms differ by the factor 1/size alone.
    transform(&mut data);
    data[..=max_lag].iter().map(|z| z.re / size as f64).collect()
}

/// Forward transform in place; the length is a power of two.
fn transform(data: &mut [Complex64]) {
    let n = data.len();
    if n < 2 {
        return;
    }
    let shift = usize::BITS - n.trailing_zeros();
    for i in 0..n {
        let j = i.reverse_bits() >> shift;
        if i < j {
            data.swap(i, j);
        }
    }
    // Each factor from its own angle: errors do not grow along the table.
    let step = -std::f64::consts::TAU / n as f64;
    let roots: Vec<Complex64> = (0..n / 2).map(|k| Complex64::cis(step * k as f64)).collect();
    let mut half = 1;
    while half < n {
        let stride = n / (2 * half);
        for block in data.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for (k, (a, b)) in low.iter_mut().zip(high).enumerate() {
                let turned = roots[k * stride] * *b;
                *b = *a - turned;
                *a += turned;
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_direct_sums() {
        for n in [1usize, 2, 3, 17, 64, 100] {
            let x: Vec<f64> = (0..n).map(|i| (i as f64 * 1.7).sin() + 0.3 * (i % 5) as f64).collect();
            let fast = lagged_products(&x, n - 1);
            for (t, &value) in fast.iter().enumerate() {
                let direct: f64 = x.iter().zip(&x[t..]).map(|(a, b)| a * b).sum();
                assert!((value - direct).abs() < 1e-12 * n as f64, "n = {n}, t = {t}");
            }
        }
    }
}
