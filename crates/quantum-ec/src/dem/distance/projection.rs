//! Lower bounds from the detectors on which mechanisms look like edges.

use std::collections::BTreeMap;

use crate::dem::components::{Component, Components};

/// Fewest detectors of a subset: fewer see no more than a short search does.
const SMALLEST: usize = 3;
/// Mechanisms looked at for all subsets and observables together.
const MAX_WORK: usize = 1 << 26;

/// A weight that no undetectable error which flips an observable is below.
///
/// An error that flips no detector flips none of a subset. On a subset where every mechanism flips at most two, the shortest
/// error is found exactly; it bounds that of all detectors. Subsets tried are the sets of detectors that are joined by
/// mechanisms of two detectors which do not fall into two of one each: on surface codes, those of X and those of Z. For
/// every observable the best subset counts.
pub(super) fn lower_bound(list: &[&Component], n_detectors: usize, n_observables: usize) -> usize {
    let parts = parts(list, n_detectors);
    let n_parts = parts.iter().copied().max().map_or(0, |last| last + 1);
    // The most that a mechanism flips in each part.
    let mut most = vec![0; n_parts];
    let mut counts = BTreeMap::new();
    for component in list {
        counts.clear();
        component.detectors.iter().for_each(|&d| *counts.entry(parts[d]).or_insert(0) += 1);
        counts.iter().for_each(|(&part, &count)| most[part] = most[part].max(count));
    }
    let mut bounds = vec![1; n_observables];
    let mut flipped = vec![false; n_observables];
    list.iter().flat_map(|c| &c.observables).for_each(|&o| flipped[o] = true);
    let mut sizes = vec![0usize; n_parts];
    parts.iter().for_each(|&part| sizes[part] += 1);
    let mut order: Vec<usize> = (0..n_parts).filter(|&part| most[part] <= 2 && sizes[part] >= SMALLEST).collect();
    order.sort_by_key(|&part| std::cmp::Reverse(sizes[part]));
    order.truncate(MAX_WORK / (list.len() * n_observables).max(1));
    for part in order {
        for observable in (0..n_observables).filter(|&o| flipped[o]) {
            let restricted = list.iter().enumerate().map(|(mechanism, component)| Component {
                mechanism,
                probability: component.probability,
                detectors: component.detectors.iter().copied().filter(|&d| parts[d] == part).collect(),
                observables: component.observables.iter().copied().filter(|&o| o == observable).collect(),
            });
            // Without an observable a mechanism of this part is an edge, of other parts nothing.
            let seen = restricted.filter(|c| !(c.detectors.is_empty() && c.observables.is_empty()));
            let projected = Components { n_detectors, n_observables, list: seen.collect() };
            let shortest = projected.shortest_graphlike_error().error;
            // Where there is none, this observable is not flipped at all.
            let bound = shortest.map_or(usize::MAX, |error| error.weight());
            bounds[observable] = bounds[observable].max(bound);
        }
    }
    let flipped = bounds.into_iter().zip(flipped).filter(|(_, flipped)| *flipped);
    flipped.map(|(bound, _)| bound).min().unwrap_or(1)
}

/// The number of the part of each detector.
fn parts(list: &[&Component], n_detectors: usize) -> Vec<usize> {
    let mut single = vec![false; n_detectors];
    list.iter().filter(|c| c.detectors.len() == 1).for_each(|c| single[c.detectors[0]] = true);
    let mut parent: Vec<usize> = (0..n_detectors).collect();
    fn root(parent: &mut [usize], mut d: usize) -> usize {
        while parent[d] != d {
            parent[d] = parent[parent[d]];
            d = parent[d];
        }
        d
    }
    for component in list {
        if let [a, b] = component.detectors[..]
            && !(single[a] && single[b])
        {
            let [a, b] = [a, b].map(|d| root(&mut parent, d));
            parent[a.max(b)] = a.min(b);
        }
    }
    let mut numbers = BTreeMap::new();
    (0..n_detectors)
        .map(|d| {
            let root = root(&mut parent, d);
            let next = numbers.len();
            *numbers.entry(root).or_insert(next)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dem::DetectorErrorModel;

    fn bound(text: &str) -> usize {
        let problem = text.parse::<DetectorErrorModel>().unwrap().to_components().unwrap();
        lower_bound(&problem.list.iter().collect::<Vec<_>>(), problem.n_detectors, problem.n_observables)
    }

    #[test]
    fn the_observable_is_bounded_by_the_part_that_sees_it() {
        // D0 - D1 - D2 and D3 - D4 - D5 with mechanisms of both; the observable is cut by the first.
        let text = "error(0.1) D0 L0\nerror(0.1) D0 D1\nerror(0.1) D1 D2\nerror(0.1) D2\n\
                    error(0.1) D3 D4\nerror(0.1) D4 D5\nerror(0.1) D0 D1 D3 D4\nerror(0.1) D1 D2 D4 D5\nerror(0.1) D5 D3\n";
        assert_eq!(bound(text), 4);
        // An error of both kinds that only the second part sees.
        assert_eq!(bound(&format!("{text}error(0.1) D3 L0")), 1);
        // A second observable that only the second part guards, by the mechanism beside it.
        assert_eq!(bound(&format!("{text}error(0.1) D4 D5 L1")), 2);
        assert_eq!(bound("error(0.1) D0 D1 D2 L0"), 1);
        assert_eq!(bound("error(0.1) D0"), 1);
        assert_eq!(bound(""), 1);
        // As many observables as mechanisms: not every one is looked for in every mechanism.
        let many: String = (0..1 << 15).map(|k| format!("error(0.1) D0 L{k}\n")).collect();
        assert_eq!(bound(&format!("{many}logical_observable L{}", 1 << 20)), 1);
    }
}
