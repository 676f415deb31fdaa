//! The lightest set of edges with odd degree at given vertices.

use linalg_core::graph::Csr;
use linalg_core::graph::matching::{Duals, minimum_weight_perfect_matching};
use std::ops::ControlFlow;

use super::reach::Reach;
use crate::Result;

/// Pairs that are tried first: every odd vertex with as many of its nearest.
const NEAREST: usize = 16;

/// Pairs that a round looks at for every odd vertex, unless it finds nothing to add.
const MOST_OFFERS: usize = 100;

/// A join and the work it took.
#[derive(Debug, Clone)]
pub(super) struct Join {
    /// For every edge whether it is one of the join.
    pub edges: Vec<bool>,
    /// Matchings made.
    pub rounds: usize,
}

/// The set of edges of least weight with odd degree at the vertices `odd` and even degree at all others.
///
/// This is a perfect matching of the odd vertices by their distances. Only near pairs are offered to it. Its duals
/// then show which of all other pairs could make it lighter: u and v with $`d_{uv} < y_u + y_v`$, which a search from
/// the vertex with the larger dual finds within the distance $`2 y`$. These are added, until there are none; the duals
/// then prove that the matching is the lightest among all pairs.
///
/// `None` when `go_on`, told the rounds done, says stop. Weights must not be negative; every component must have an
/// even number of odd vertices.
pub(super) fn lightest_join(
    graph: &Csr,
    weights: &[i64],
    odd: &[bool],
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Result<Option<Join>> {
    let places: Vec<usize> = (0..odd.len()).filter(|&v| odd[v]).collect();
    let mut number = vec![usize::MAX; odd.len()];
    for (k, &v) in places.iter().enumerate() {
        number[v] = k;
    }
    let n = places.len();
    let mut reach = Reach::new(graph, weights);
    let mut pairs = paired_along_trees(graph, &mut reach, &number);
    for (k, &v) in places.iter().enumerate() {
        let mut left = NEAREST + 1;
        reach.from(v, |u, d| {
            if number[u] != usize::MAX {
                if number[u] != k {
                    pairs.push((k.min(number[u]), k.max(number[u]), d));
                }
                left -= 1;
            }
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
    }
    pairs.sort_unstable();
    pairs.dedup();
    let mut rounds = 0;
    let matching = loop {
        if !go_on(rounds) {
            return Ok(None);
        }
        let matching = minimum_weight_perfect_matching(n, &pairs)?;
        rounds += 1;
        let mut better = useful_pairs(&mut reach, &places, &number, &matching.duals, MOST_OFFERS);
        if better.is_empty() {
            better = useful_pairs(&mut reach, &places, &number, &matching.duals, usize::MAX);
        }
        if better.is_empty() {
            break matching;
        }
        pairs.append(&mut better);
    };
    let mut edges = vec![false; weights.len()];
    for (a, &b) in matching.mate.iter().enumerate().filter(|&(a, &b)| a < b) {
        let target = places[b];
        reach.from(places[a], |u, _| if u == target { ControlFlow::Break(()) } else { ControlFlow::Continue(()) });
        let mut v = target;
        while let Some((edge, from)) = reach.before(v) {
            edges[edge] = !edges[edge];
            v = from;
        }
    }
    debug_assert_eq!(
        edges.iter().zip(weights).filter(|(inside, _)| **inside).map(|(_, w)| w).sum::<i64>(),
        matching.weight,
        "paths of the lightest matching have no edge in common but those of weight 0"
    );
    Ok(Some(Join { edges, rounds }))
}

/// Pairs of negative slack, of the first `most` of every vertex whose distance is below the sum of their duals.
fn useful_pairs(
    reach: &mut Reach<'_>,
    places: &[usize],
    number: &[usize],
    duals: &Duals,
    most: usize,
) -> Vec<(usize, usize, i64)> {
    let y = duals.vertices();
    let mut offers = Vec::new();
    for (k, &v) in places.iter().enumerate() {
        let mut left = most;
        reach.from(v, |u, d| {
            let other = number[u];
            // Doubled duals; each pair is found from its end with the larger one.
            if other != usize::MAX && (y[other], other) < (y[k], k) && 2 * d < y[k] + y[other] {
                offers.push((k, other, d));
                left -= 1;
            }
            if d >= y[k] || left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
    }
    let slacks = duals.slacks(&offers);
    offers.into_iter().zip(slacks).filter(|x| x.1 < 0).map(|x| x.0).collect()
}

/// A perfect matching along the trees of shortest paths from one vertex of every component, by lengths in the tree: with
/// these pairs there is always a solution.
fn paired_along_trees(graph: &Csr, reach: &mut Reach<'_>, number: &[usize]) -> Vec<(usize, usize, i64)> {
    let mut pairs = Vec::new();
    let mut seen = vec![false; graph.n_vertices()];
    // The odd vertex below or at a vertex that has no partner yet, and the way to it.
    let mut waiting: Vec<Option<(usize, i64)>> = number.iter().map(|&k| (k != usize::MAX).then_some((k, 0))).collect();
    for root in 0..graph.n_vertices() {
        if seen[root] {
            continue;
        }
        let mut order = Vec::new();
        reach.from(root, |v, d| {
            if !seen[v] {
                seen[v] = true;
                order.push((v, d));
            }
            ControlFlow::Continue(())
        });
        for &(v, d) in order.iter().rev() {
            let (Some((k, way)), Some((_, up))) = (waiting[v], reach.before(v)) else { continue };
            let way = way + d - reach.distance(up);
            waiting[up] = match waiting[up] {
                None => Some((k, way)),
                Some((other, rest)) => {
                    pairs.push((k.min(other), k.max(other), way + rest));
                    None
                }
            };
        }
    }
    pairs
}
