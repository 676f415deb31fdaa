//! Couplings as integers.

use linalg_core::graph::matching::max_weight;
use linalg_core::graph::{Csr, components, shortest_paths};

use crate::Result;

/// Moduli of couplings in integer units.
#[derive(Debug, Clone)]
pub(super) struct Scaled {
    pub weights: Vec<i64>,
    /// The largest energy by which a ground state of the integer couplings can lie above one of the given couplings.
    pub excess: f64,
}

/// Multiplies moduli by a power of two, as large as the matching allows, and rounds.
///
/// The longest distance in the dual graph is to stay below half of the largest weight of a matching. A coupling that
/// weighs more than any distance is never part of a shortest path, and is cut off. When all others are integers
/// nothing is rounded; a common factor is then divided out.
pub(super) fn scale(dual: &Csr, moduli: &[f64]) -> Result<Scaled> {
    // Every distance is at most twice the largest from one vertex of the component.
    let mut farthest = 0.0f64;
    let components = components(dual);
    let mut seen = vec![false; components.count()];
    for v in 0..dual.n_vertices() {
        if !std::mem::replace(&mut seen[components.labels()[v]], true) {
            let paths = shortest_paths(dual, moduli, v)?;
            farthest = paths.distances().iter().filter(|d| d.is_finite()).fold(farthest, |a, &d| a.max(d));
        }
    }
    let most = max_weight(dual.n_vertices());
    // Rounding adds at most 1/2 for each of at most n edges of a path; 2^-7 of the bound is more than that.
    let room = most as f64 * (0.25 - 1.0 / 128.0);
    let largest = moduli.iter().copied().fold(0.0, f64::max);
    let size = if farthest > 0.0 { farthest } else { largest };
    if size <= 0.0 {
        return Ok(Scaled { weights: vec![0; moduli.len()], excess: 0.0 });
    }
    // Powers beyond 2^1000 either way would leave the range of f64; the integers are then smaller than they could be.
    let power = (room / size).log2().floor().clamp(-1000.0, 1000.0);
    let unit = power.exp2();
    let mut rounded = 0usize;
    let mut weights: Vec<i64> = (moduli.iter())
        .map(|&x| {
            let scaled = x * unit;
            if scaled >= most as f64 {
                return most;
            }
            let nearest = scaled.round();
            // Subnormal products have lost digits: the way back shows it.
            #[allow(clippy::float_cmp, reason = "whether a number was changed at all")]
            let exact = nearest == scaled && nearest / unit == x;
            rounded += usize::from(!exact);
            nearest as i64
        })
        .collect();
    if rounded == 0 {
        let common = weights.iter().filter(|&&w| w < most).fold(0, |a, &w| gcd(a, w));
        if common > 1 {
            weights.iter_mut().for_each(|w| *w /= common);
        }
    }
    Ok(Scaled { weights, excess: rounded as f64 / unit })
}

fn gcd(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(n: usize) -> Csr {
        Csr::from_edges(n, (1..n).map(|i| (i - 1, i))).unwrap()
    }

    #[test]
    fn integers_are_kept_and_divided_by_their_common_factor() {
        let scaled = scale(&path(5), &[1.5, 3.0, 0.0, 4.5]).unwrap();
        assert_eq!(scaled.weights, [1, 2, 0, 3]);
        assert!(scaled.excess.abs() < f64::MIN_POSITIVE);
    }

    #[test]
    fn rounding_is_bounded() {
        let moduli = [0.1, 0.7, std::f64::consts::PI];
        let scaled = scale(&path(4), &moduli).unwrap();
        let unit = scaled.weights[2] as f64 / moduli[2];
        for (w, x) in scaled.weights.iter().zip(moduli) {
            assert!((*w as f64 / unit - x).abs() < 3.0 / unit);
        }
        assert!(scaled.excess > 0.0 && scaled.excess < 1e-12);
        assert!(scaled.weights.iter().sum::<i64>() <= max_weight(4) / 2);
    }

    #[test]
    fn a_coupling_beyond_all_distances_is_cut_off() {
        // A triangle whose third side is never the shorter way.
        let triangle = Csr::from_edges(3, [(0, 1), (1, 2), (2, 0)]).unwrap();
        let scaled = scale(&triangle, &[1.0, 2.0, 1e300]).unwrap();
        assert_eq!(scaled.weights[1], 2 * scaled.weights[0]);
        assert!(scaled.weights[2] > scaled.weights[0] + scaled.weights[1]);
        assert!(scaled.excess.abs() < f64::MIN_POSITIVE);
        assert_eq!(scale(&triangle, &[0.0; 3]).unwrap().weights, [0; 3]);
    }
}
