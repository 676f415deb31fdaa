//! Upper bounds by random information sets.

use linalg_core::gf2::BitMatrix;
use linalg_core::rand::RngExt;
use linalg_core::rng::Streams;

use super::search::LogicalErrorParams;
use super::{UndetectableError, xor};
use crate::dem::components::Component;

/// Operations on words that all eliminations together may take.
const WORDS: u64 = 1 << 33;

/// Replaces the error by shorter ones that are met; returns the number of eliminations. Before each of them `stop` is asked.
pub(super) fn improve(
    list: &[&Component],
    n_detectors: usize,
    params: &LogicalErrorParams,
    error: &mut Option<UndetectableError>,
    stop: &mut impl FnMut(&Option<UndetectableError>) -> bool,
) -> u64 {
    let n = list.len();
    let words = (n_detectors as u64).saturating_mul(n_detectors as u64).saturating_mul(n.div_ceil(64) as u64) / 4;
    let trials = params.trials.min(WORDS / words.max(1));
    if n == 0 || error.as_ref().is_some_and(|e| e.weight() <= 1) {
        return 0;
    }
    let streams = Streams::new(params.seed);
    let mut order: Vec<usize> = (0..n).collect();
    for trial in 0..trials {
        if stop(error) {
            return trial;
        }
        let mut rng = streams.stream(trial);
        for i in (1..n).rev() {
            order.swap(i, rng.random_range(0..=i as u64) as usize);
        }
        let mut matrix = BitMatrix::zeros(n_detectors, n);
        for (place, &k) in order.iter().enumerate() {
            list[k].detectors.iter().for_each(|&d| matrix.set(d, place, true));
        }
        let reduced = matrix.row_reduce();
        let pivots = reduced.pivots();
        let columns = reduced.matrix().transpose();
        let mut next_pivot = pivots.iter().copied().peekable();
        for place in 0..n {
            if next_pivot.next_if_eq(&place).is_some() {
                continue;
            }
            // This column is the sum of the columns of the pivots in whose rows it has ones.
            let rows = columns.row(place);
            let weight = 1 + rows.weight();
            if error.as_ref().is_some_and(|e| e.weight() <= weight) {
                continue;
            }
            let chosen: Vec<usize> = rows.iter_ones().map(|i| order[pivots[i]]).chain([order[place]]).collect();
            let flipped = chosen.iter().fold(Vec::new(), |sum, &k| xor(&sum, &list[k].observables));
            if !flipped.is_empty() {
                let mut members: Vec<usize> = chosen.into_iter().map(|k| list[k].mechanism).collect();
                members.sort_unstable();
                *error = Some(UndetectableError { members, observables: flipped });
            }
        }
    }
    trials
}
