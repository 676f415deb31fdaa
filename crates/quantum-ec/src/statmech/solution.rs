//! Errors with given flips, by linear algebra.

use linalg_core::gf2::{BitMatrix, BitVec};

use super::linear::Linear;

/// How an error with given flips is found.
#[derive(Debug, Clone)]
pub(super) struct Solution {
    /// The free bits of a solution for each single flip of a detector or observable.
    pub bits: Vec<BitVec>,
    /// The terms that change their sign with it.
    pub flips: Vec<BitVec>,
    /// Terms of the solution for no flips; not zero where mechanisms happen for sure.
    pub start: BitVec,
    /// Sets of detectors whose sum is known.
    pub sums: Vec<(BitVec, bool)>,
    /// Sets of detectors and of observables whose common sum is known.
    pub bound: Vec<(BitVec, BitVec, bool)>,
}

impl Solution {
    pub fn new(linear: &Linear) -> Self {
        let n_rows = linear.n_rows();
        let (reduced, transform) = linear.stacked().factor().into_parts();
        let mut terms_of: Vec<Vec<usize>> = vec![Vec::new(); linear.columns.len()];
        for (a, term) in linear.terms.iter().enumerate() {
            for &bit in &term.of_bits {
                terms_of[bit].push(a);
            }
        }
        let mut bits = vec![BitVec::zeros(linear.columns.len()); n_rows];
        let mut flips = vec![BitVec::zeros(linear.terms.len()); n_rows];
        for (i, &pivot) in reduced.pivots().iter().enumerate() {
            for row in transform.row(i).iter_ones() {
                bits[row].flip(pivot);
                for &a in &terms_of[pivot] {
                    flips[row].flip(a);
                }
            }
        }
        let mut start = BitVec::zeros(linear.terms.len());
        for row in linear.base_flips.iter_ones() {
            start.xor_assign(&flips[row]);
        }
        // Rows that add up to nothing. With observables first, those without any come last.
        let (n_detectors, n_observables) = (linear.n_detectors, linear.n_observables);
        let mut relations = BitMatrix::zeros(n_rows - reduced.rank(), n_rows);
        for (k, i) in (reduced.rank()..n_rows).enumerate() {
            for row in transform.row(i).iter_ones() {
                relations.flip(k, if row < n_detectors { row + n_observables } else { row - n_detectors });
            }
        }
        let relations = relations.row_reduce();
        let (mut sums, mut bound) = (Vec::new(), Vec::new());
        for row in relations.matrix().rows().take(relations.rank()) {
            let mut detectors = BitVec::zeros(n_detectors);
            let mut observables = BitVec::zeros(n_observables);
            let mut value = false;
            for place in row.iter_ones() {
                if place < n_observables {
                    observables.flip(place);
                    value ^= linear.base_flips.get(n_detectors + place);
                } else {
                    detectors.flip(place - n_observables);
                    value ^= linear.base_flips.get(place - n_observables);
                }
            }
            if observables.is_zero() {
                sums.push((detectors, value));
            } else {
                bound.push((detectors, observables, value));
            }
        }
        Self { bits, flips, start, sums, bound }
    }
}
