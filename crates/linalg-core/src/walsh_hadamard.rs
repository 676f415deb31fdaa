//! The Walsh-Hadamard transform.

/// `x_s → Σ_A x_A (-1)^{|A∩s|}` in place, `A` and `s` sets of bits.
///
/// Turns the coefficients of products of ±1 spins into the values for all configurations, and a probability table into all
/// its moments. Twice in succession it is multiplication with the length. `n 2^n` additions for a length of `2^n`.
///
/// ```
/// use linalg_core::walsh_hadamard;
///
/// // 3 + 5 s_0 for spins s = 1 - 2b: bit 0 of the place is b_0.
/// let mut x = [3.0, 5.0, 0.0, 0.0];
/// walsh_hadamard(&mut x);
/// assert_eq!(x, [8.0, -2.0, 8.0, -2.0]);
/// ```
///
/// # Panics
/// If the length is neither 0 nor a power of two.
pub fn walsh_hadamard(x: &mut [f64]) {
    assert!(x.is_empty() || x.len().is_power_of_two(), "{} values, expected a power of two", x.len());
    let mut half = x.len() / 2;
    while half > 0 {
        // Below this size all that is left stays in the cache.
        if 2 * half == CACHED {
            return x.chunks_exact_mut(CACHED).for_each(|block| passes(block, half));
        }
        pass(x, half);
        half /= 2;
    }
}

/// Entries of a block that fits the first cache.
const CACHED: usize = 2048;

fn passes(x: &mut [f64], mut half: usize) {
    while half > 0 {
        pass(x, half);
        half /= 2;
    }
}

fn pass(x: &mut [f64], half: usize) {
    for block in x.chunks_exact_mut(2 * half) {
        let (a, b) = block.split_at_mut(half);
        for (a, b) in a.iter_mut().zip(b) {
            (*a, *b) = (*a + *b, *a - *b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_sum() {
        for n in [0u32, 1, 3, 6] {
            let x: Vec<f64> = (0..1u64 << n).map(|k| ((k * k) as f64).sin()).collect();
            let mut fast = x.clone();
            walsh_hadamard(&mut fast);
            for (s, fast) in fast.iter().enumerate() {
                let sign = |a: usize| if (a & s).count_ones() % 2 == 1 { -1.0 } else { 1.0 };
                let sum: f64 = x.iter().enumerate().map(|(a, x)| sign(a) * x).sum();
                approx::assert_abs_diff_eq!(*fast, sum, epsilon = 1e-12);
            }
        }
    }

    #[test]
    fn twice_is_multiplication_with_the_length() {
        // Longer than a cached block.
        let x: Vec<f64> = (0..8192).map(f64::from).collect();
        let mut twice = x.clone();
        walsh_hadamard(&mut twice);
        walsh_hadamard(&mut twice);
        assert!(twice.iter().zip(&x).all(|(a, b)| (a - 8192.0 * b).abs() < 1e-3));
    }
}
