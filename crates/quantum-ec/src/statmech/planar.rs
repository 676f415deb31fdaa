//! Faces of the graph of a planar problem.

use std::collections::VecDeque;

use linalg_core::graph::{Csr, components, planar};

use super::linear::Linear;
use crate::error::{Error, Result};

const NAME: &str = "planar decoding";

fn refused(reason: String) -> Error {
    Error::NotApplicable { method: NAME, reason }
}

/// The faces as generators, in free bits, and their rank.
///
/// Vertices are the detectors and the two parts of the boundary. An error set flips nothing if and only if it is a cycle of
/// this graph: its degree at the seen part of the boundary is the observable.
pub(super) fn faces(linear: &Linear) -> Result<(Vec<Vec<usize>>, usize)> {
    let graph = split_graph(linear)?;
    let embedding = planar::embed(&graph).map_err(|error| match error {
        linalg_core::Error::NotPlanar { edge } => {
            let same = |&(u, v): &(usize, usize)| (u, v) == edge || (v, u) == edge;
            let mechanism = graph.edges().iter().position(same).map_or(0, |bit| linear.tell[bit][0]);
            refused(format!(
                "the graph is not planar: mechanism {mechanism}, between {} and {}, cannot be drawn without a crossing",
                vertex(linear, edge.0),
                vertex(linear, edge.1)
            ))
        }
        other => other.into(),
    })?;
    let faces = embedding.faces();
    let generators: Vec<Vec<usize>> = faces
        .walks()
        .map(|walk| {
            let mut edges: Vec<usize> = walk.iter().map(|h| h / 2).collect();
            edges.sort_unstable();
            // An edge with the face on both sides is no side of it.
            edges.chunk_by(|a, b| a == b).filter(|same| same.len() == 1).map(|same| same[0]).collect()
        })
        .filter(|generator: &Vec<usize>| !generator.is_empty())
        .collect();
    let rank = graph.n_edges() + components(&graph).count() - graph.n_vertices();
    Ok((generators, rank))
}

fn vertex(linear: &Linear, v: usize) -> String {
    match v.checked_sub(linear.n_detectors) {
        None => format!("detector {v}"),
        Some(0) => "the boundary".into(),
        Some(_) => "the boundary that the observable sees".into(),
    }
}

/// The graph with an edge for each free bit, the boundary cut in two by what the observable sees.
fn split_graph(linear: &Linear) -> Result<Csr> {
    if linear.n_observables != 1 {
        return Err(Error::WrongLength {
            what: "observables of a planar problem",
            got: linear.n_observables,
            expected: 1,
        });
    }
    let n = linear.n_detectors;
    let mut ends = Vec::with_capacity(linear.columns.len());
    for (bit, column) in linear.columns.iter().enumerate() {
        let (detectors, seen) = match column.split_last() {
            Some((&last, rest)) if last == n => (rest, true),
            _ => (&column[..], false),
        };
        if detectors.len() > 2 {
            let mechanism = linear.tell[bit][0];
            return Err(refused(format!(
                "mechanism {mechanism} flips {} detectors {detectors:?}, at most 2 are possible",
                detectors.len()
            )));
        }
        ends.push((detectors, seen));
    }
    let shifted = potentials(linear, &ends)?;
    let edge = |&(detectors, seen): &(&[usize], bool)| match *detectors {
        [u, v] => (u, v),
        [u] => (u, n + usize::from(seen ^ shifted[u])),
        _ => (n, n + 1),
    };
    Ok(Csr::from_edges(n + 2, ends.iter().map(edge))?)
}

/// Whether each detector is added to the observable, so that it sees no mechanism of the bulk.
fn potentials(linear: &Linear, ends: &[(&[usize], bool)]) -> Result<Vec<bool>> {
    let n = linear.n_detectors;
    let bulk: Vec<usize> = (0..ends.len()).filter(|&bit| ends[bit].0.len() == 2).collect();
    let graph = Csr::from_edges(n, bulk.iter().map(|&bit| (ends[bit].0[0], ends[bit].0[1])))?;
    let mut shifted: Vec<Option<bool>> = vec![None; n];
    let mut queue = VecDeque::new();
    for root in 0..n {
        if shifted[root].is_some() {
            continue;
        }
        shifted[root] = Some(false);
        queue.push_back(root);
        while let Some(v) = queue.pop_front() {
            for next in graph.neighbors(v) {
                let bit = bulk[next.edge];
                let value = shifted[v].is_some_and(|s| s) ^ ends[bit].1;
                match shifted[next.vertex] {
                    None => {
                        shifted[next.vertex] = Some(value);
                        queue.push_back(next.vertex);
                    }
                    Some(other) if other != value => {
                        return Err(refused(format!(
                            "mechanism {} closes a cycle in the bulk that flips the observable",
                            linear.tell[bit][0]
                        )));
                    }
                    Some(_) => {}
                }
            }
        }
    }
    Ok(shifted.into_iter().map(|s| s.is_some_and(|s| s)).collect())
}
