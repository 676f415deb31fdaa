//! Feasible duals and a first matching on tight edges.

use super::arcs::{Arcs, NONE};

/// Duals of the vertices with $`y_u + y_v \le 2 w_{uv}`$ for all edges, and the matched half-edge leaving each vertex.
///
/// Every dual starts at half of the smallest arc weight, rises in turn until an edge is tight, and the tight edge
/// is matched if its other end is still exposed.
pub(super) fn greedy(n: usize, arcs: &Arcs) -> (Vec<i64>, Vec<u32>) {
    // Arc weights are even, so this halves exactly.
    let cheapest = |v| arcs.leaving(v).iter().map(|arc| arc.weight / 2).min().unwrap_or(0);
    let mut dual: Vec<i64> = (0..n as u32).map(cheapest).collect();
    let mut matched = vec![NONE; n];
    for v in 0..n as u32 {
        if matched[v as usize] != NONE {
            continue;
        }
        let mut best = (i64::MAX, true, NONE);
        for arc in arcs.leaving(v) {
            let u = arc.head as usize;
            best = best.min((arc.weight - dual[u], matched[u] != NONE, arc.half));
        }
        let (limit, taken, half) = best;
        if half == NONE {
            continue;
        }
        dual[v as usize] = limit;
        if !taken {
            matched[v as usize] = half;
            matched[arcs.head(half) as usize] = half ^ 1;
        }
    }
    (dual, matched)
}
