//! Mechanisms that flip more than two detectors, as sets of edges.

use std::collections::HashMap;

use crate::dem::{Component, Components};
use crate::error::{Error, Result};
use crate::problem::DecodingProblem;

/// Detectors of a mechanism up to which it is split: the search tries pairings.
const MOST_DETECTORS: usize = 16;

/// Nodes to the observables of their mechanisms, those of the likeliest mechanism first.
type Known<'a> = HashMap<(usize, Option<usize>), Vec<(f64, &'a [usize])>>;

/// The problem with every mechanism in pieces of one or two detectors.
///
/// Such mechanisms stay as they are. The others become pieces that are mechanisms themselves and together flip the same
/// detectors and observables; pieces to the boundary are tried last.
pub(super) fn components_of(problem: &DecodingProblem) -> Result<Components> {
    let (checks, observables) = (problem.checks(), problem.observables());
    let mut known = Known::new();
    for j in 0..problem.n_mechanisms() {
        let key = match *checks.column(j) {
            [a] => (a, None),
            [a, b] => (a, Some(b)),
            _ => continue,
        };
        let list = known.entry(key).or_default();
        if !list.iter().any(|(_, other)| *other == observables.column(j)) {
            list.push((problem.priors()[j], observables.column(j)));
        }
    }
    for list in known.values_mut() {
        list.sort_by(|x, y| y.0.total_cmp(&x.0));
    }
    let mut list = Vec::new();
    for (mechanism, &probability) in problem.priors().iter().enumerate() {
        let (detectors, flipped) = (checks.column(mechanism), observables.column(mechanism));
        let mut push = |detectors: Vec<usize>, observables: Vec<usize>| {
            list.push(Component { mechanism, probability, detectors, observables });
        };
        if detectors.len() <= 2 {
            push(detectors.to_vec(), flipped.to_vec());
            continue;
        }
        let fits = detectors.len() <= MOST_DETECTORS;
        let mut search = Search { known: &known, pieces: Vec::new() };
        if !fits || !search.split(detectors.to_vec(), flipped.to_vec()) {
            let n = detectors.len();
            let reason =
                format!("mechanism {mechanism} flips {n} detectors and is no set of edges of other mechanisms");
            return Err(Error::NotApplicable { method: "matching", reason });
        }
        for (detectors, observables) in search.pieces {
            push(detectors, observables);
        }
    }
    Ok(Components { n_detectors: problem.n_detectors(), n_observables: problem.n_observables(), list })
}

struct Search<'a> {
    known: &'a Known<'a>,
    pieces: Vec<(Vec<usize>, Vec<usize>)>,
}

impl Search<'_> {
    /// Splits what is left to be flipped.
    fn split(&mut self, detectors: Vec<usize>, observables: Vec<usize>) -> bool {
        let Some((&first, rest)) = detectors.split_first() else { return observables.is_empty() };
        for partner in rest.iter().copied().map(Some).chain([None]) {
            let Some(list) = self.known.get(&(first, partner)) else { continue };
            for (_, flipped) in list {
                let left: Vec<usize> = rest.iter().copied().filter(|d| Some(*d) != partner).collect();
                self.pieces.push((std::iter::once(first).chain(partner).collect(), flipped.to_vec()));
                if self.split(left, symmetric_difference(&observables, flipped)) {
                    return true;
                }
                self.pieces.pop();
            }
        }
        false
    }
}

/// What is in one of two ascending lists only.
fn symmetric_difference(a: &[usize], b: &[usize]) -> Vec<usize> {
    let only = |x: &[usize], y: &[usize]| x.iter().copied().filter(|i| y.binary_search(i).is_err()).collect::<Vec<_>>();
    let mut result = only(a, b);
    result.extend(only(b, a));
    result.sort_unstable();
    result
}
