//! Systematic resampling.

use linalg_core::logspace::log_sum_exp;

/// How often each entry is copied: `⌊R C_j + u⌋ - ⌊R C_{j-1} + u⌋` with C the cumulated normalised weights.
///
/// The mean over a uniform `u` in [0, 1) is `τ_j = R w_j / Σw`, every count is `⌊τ_j⌋` or `⌈τ_j⌉`, the counts add up to
/// R, and the same holds for the sum over any run of neighbours.
pub(super) fn systematic(ln_weights: &[f64], u: f64) -> Vec<u32> {
    let total = log_sum_exp(ln_weights);
    let n = ln_weights.len() as f64;
    let (mut cumulated, mut before) = (0.0, 0u32);
    let mut copies: Vec<u32> = ln_weights
        .iter()
        .map(|ln_weight| {
            cumulated += (ln_weight - total).exp();
            let upto = ((n * cumulated + u).floor().max(0.0) as u32).min(ln_weights.len() as u32);
            let count = upto.saturating_sub(before);
            before = before.max(upto);
            count
        })
        .collect();
    // Rounding of the last sum may leave a place open; u < 1 allows at most one.
    if let Some(heaviest) = (0..copies.len()).max_by(|&a, &b| ln_weights[a].total_cmp(&ln_weights[b])) {
        copies[heaviest] += ln_weights.len() as u32 - before;
    }
    copies
}

/// Calls `copy(from, to)` so that afterwards entry 0 stands `copies[0]` times at the front, entry 1 after it, and so on.
///
/// Works in place. With `s(p)` the entry that belongs at place p, which never falls: places with `s(p) > p` are filled
/// upwards, those with `s(p) < p` downwards, and neither overwrites an entry that is still to be copied.
pub(super) fn rearrange(copies: &[u32], mut copy: impl FnMut(usize, usize)) {
    let sources: Vec<usize> =
        copies.iter().enumerate().flat_map(|(j, &count)| std::iter::repeat_n(j, count as usize)).collect();
    for (place, &source) in sources.iter().enumerate() {
        if source > place {
            copy(source, place);
        }
    }
    for (place, &source) in sources.iter().enumerate().rev() {
        if source < place {
            copy(source, place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systematic_resampling_keeps_the_number_and_the_shares() {
        let ln_weights: Vec<f64> = (0..50).map(|j| -0.1 * f64::from(j * j % 17)).collect();
        let total = log_sum_exp(&ln_weights);
        let mut means = vec![0.0; 50];
        for step in 0..1000 {
            let copies = systematic(&ln_weights, (f64::from(step) + 0.5) / 1000.0);
            assert_eq!(copies.iter().sum::<u32>(), 50);
            for ((count, ln_weight), mean) in copies.iter().zip(&ln_weights).zip(&mut means) {
                assert!((f64::from(*count) - 50.0 * (ln_weight - total).exp()).abs() < 1.0 + 1e-9);
                *mean += f64::from(*count) / 1000.0;
            }
        }
        for (mean, ln_weight) in means.iter().zip(&ln_weights) {
            // A thousand values of u in equal steps resolve a thousandth at either end.
            assert!((mean - 50.0 * (ln_weight - total).exp()).abs() < 3e-3);
        }
        assert_eq!(systematic(&[-1e9, 0.0, -1e9], 0.5), [0, 3, 0]);
        assert_eq!(systematic(&[f64::NEG_INFINITY, 0.0, 0.0, 0.0], 0.999_999).iter().sum::<u32>(), 4);
    }

    #[test]
    fn rearranging_keeps_the_order() {
        for copies in
            [[1, 1, 1, 1, 1], [5, 0, 0, 0, 0], [0, 0, 0, 0, 5], [0, 3, 0, 2, 0], [2, 0, 0, 1, 2], [0, 0, 4, 1, 0]]
        {
            let mut entries = [0, 1, 2, 3, 4];
            rearrange(&copies, |from, to| entries[to] = entries[from]);
            let expected: Vec<usize> = (0..5).flat_map(|j| std::iter::repeat_n(j, copies[j] as usize)).collect();
            assert_eq!(entries.to_vec(), expected);
        }
    }
}
