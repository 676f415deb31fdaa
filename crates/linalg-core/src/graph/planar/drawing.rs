//! The embedding of a straight-line drawing.
//!
//! A line sweeps over the drawing from left to right and keeps the edges it cuts in their order from bottom to top.
//! Two edges that meet are neighbours in that order just before their first common point, so it is enough to compare
//! neighbours (M. I. Shamos and D. Hoey, "Geometric intersection problems", FOCS 1976). Points are taken in the order
//! of x, then of y: as if the line were tilted a little, so that vertical edges are no special case. All decisions use
//! the exact orientation of three points.

use super::embedding::Embedding;
use super::orientation::{Point, normalize, orientation};
use super::simple::{Rotations, Simple};
use crate::error::{Error, Result};
use crate::graph::csr::Csr;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::Bound;

/// The embedding of a drawing with straight edges: every vertex has its edges sorted by angle, counterclockwise.
///
/// `positions[v]` is (x, y) of vertex v. Parallel edges are taken as a bundle along one line and self-loops as loops
/// that enclose nothing; all other contacts are errors. Decisions are exact: no tolerance, whatever the scale.
/// $`O(E \ln V)`$ time.
///
/// # Errors
/// - [`Error::NotFinite`] for a NaN or infinite coordinate, with the vertex as index.
/// - [`Error::VerticesCoincide`] for two vertices at one point.
/// - [`Error::VertexOnEdge`] for a vertex on an edge that does not end there.
/// - [`Error::EdgesCross`] for two edges that cross or overlap.
///
/// # Panics
/// If there is not one position for every vertex.
///
/// ```
/// use linalg_core::Error;
/// use linalg_core::graph::{Csr, planar};
///
/// let square = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];
/// let ring = Csr::from_edges(4, [(0, 1), (1, 2), (2, 3), (3, 0)])?;
/// assert_eq!(planar::embed_drawing(&ring, &square)?.n_regions(), 2);
///
/// let diagonals = Csr::from_edges(4, [(0, 2), (3, 1)])?;
/// let crossing = Error::EdgesCross { first: (0, 2), second: (3, 1) };
/// assert_eq!(planar::embed_drawing(&diagonals, &square), Err(crossing));
/// # Ok::<(), linalg_core::Error>(())
/// ```
pub fn embed_drawing(graph: &Csr, positions: &[[f64; 2]]) -> Result<Embedding> {
    let n = graph.n_vertices();
    assert!(positions.len() == n, "{} positions for {n} vertices", positions.len());
    for (axis, what) in ["x", "y"].into_iter().enumerate() {
        for (index, position) in positions.iter().enumerate() {
            let value = position[axis];
            if !value.is_finite() {
                return Err(Error::NotFinite { what, index, value });
            }
        }
    }
    let points = normalize(positions);
    let simple = Simple::new(graph);
    sweep(simple.edges(), &points)?;
    Ok(simple.expand(graph, &sort_by_angle(simple.edges(), &points)))
}

/// Order of the points on the sweep.
fn along(p: Point, q: Point) -> Ordering {
    p[0].partial_cmp(&q[0]).unwrap_or(Ordering::Equal).then(p[1].partial_cmp(&q[1]).unwrap_or(Ordering::Equal))
}

/// An edge cut by the sweep line, from its first to its last point; or a single point, to ask what is above and below.
#[derive(Clone, Copy)]
struct Segment {
    edge: usize,
    ends: [usize; 2],
    points: [Point; 2],
}

impl Segment {
    fn point(v: usize, p: Point) -> Self {
        Self { edge: usize::MAX, ends: [v, v], points: [p, p] }
    }
}

impl Ord for Segment {
    /// Which is above, for two segments that do not cross and are cut by one line. A point is equal to the segments
    /// through it, and overlapping segments from one point are equal.
    fn cmp(&self, other: &Self) -> Ordering {
        if self.edge == other.edge {
            return Ordering::Equal;
        }
        // The end that the sweep met later lies beside the other segment.
        let beside = |s: &Self, t: &Self| {
            let [a, b] = t.points;
            orientation(a, b, s.points[0]).then_with(|| orientation(a, b, s.points[1]))
        };
        if along(self.points[0], other.points[0]).is_lt() { beside(other, self).reverse() } else { beside(self, other) }
    }
}

impl PartialOrd for Segment {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Segment {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Segment {}

/// Checks that no two edges have a point in common but their ends, and that no vertex lies on an edge or on another
/// vertex. `edges` has no parallel edges and no self-loops.
fn sweep(edges: &[(usize, usize)], points: &[Point]) -> Result<()> {
    let n = points.len();
    let mut events: Vec<usize> = (0..n).collect();
    events.sort_by(|&u, &v| along(points[u], points[v]).then(u.cmp(&v)));
    for pair in events.windows(2) {
        if along(points[pair[0]], points[pair[1]]).is_eq() {
            return Err(Error::VerticesCoincide { first: pair[0], second: pair[1] });
        }
    }
    let mut starting: Vec<Vec<Segment>> = vec![Vec::new(); n];
    let mut ending: Vec<Vec<Segment>> = vec![Vec::new(); n];
    for (edge, &(u, v)) in edges.iter().enumerate() {
        let ends = if along(points[u], points[v]).is_lt() { [u, v] } else { [v, u] };
        let segment = Segment { edge, ends, points: ends.map(|v| points[v]) };
        starting[ends[0]].push(segment);
        ending[ends[1]].push(segment);
    }
    let check = |a: Option<&Segment>, b: Option<&Segment>| match (a, b) {
        (Some(a), Some(b)) => check_pair(edges, a, b),
        _ => Ok(()),
    };
    let mut cut: BTreeSet<Segment> = BTreeSet::new();
    for v in events {
        for segment in &ending[v] {
            cut.remove(segment);
        }
        let here = Segment::point(v, points[v]);
        if let Some(through) = cut.get(&here) {
            return Err(Error::VertexOnEdge { vertex: v, edge: edges[through.edge] });
        }
        let around = |s: &Segment, cut: &BTreeSet<Segment>| {
            let below = cut.range(..s).next_back().copied();
            let above = cut.range((Bound::Excluded(s), Bound::Unbounded)).next().copied();
            (below, above)
        };
        if starting[v].is_empty() {
            let (below, above) = around(&here, &cut);
            check(below.as_ref(), above.as_ref())?;
        }
        for segment in &starting[v] {
            if let Some(other) = cut.get(segment) {
                return Err(edges_cross(edges, segment.edge, other.edge));
            }
            let (below, above) = around(segment, &cut);
            check(below.as_ref(), Some(segment))?;
            check(Some(segment), above.as_ref())?;
            cut.insert(*segment);
        }
    }
    Ok(())
}

fn edges_cross(edges: &[(usize, usize)], e: usize, f: usize) -> Error {
    Error::EdgesCross { first: edges[e.min(f)], second: edges[e.max(f)] }
}

/// An error if the two edges meet in more than a common end.
fn check_pair(edges: &[(usize, usize)], s: &Segment, t: &Segment) -> Result<()> {
    let crossing = || Err(edges_cross(edges, s.edge, t.edge));
    let side = |s: &Segment, p: Point| orientation(s.points[0], s.points[1], p);
    // With a common end they meet elsewhere only if they overlap, which needs both on the same side of that end.
    for k in 0..2 {
        if s.ends[k] == t.ends[k] {
            return if side(s, t.points[1 - k]).is_eq() { crossing() } else { Ok(()) };
        }
    }
    if s.ends[0] == t.ends[1] || s.ends[1] == t.ends[0] {
        return Ok(());
    }
    for (s, t) in [(s, t), (t, s)] {
        for k in 0..2 {
            let p = t.points[k];
            let between = along(s.points[0], p).is_lt() && along(p, s.points[1]).is_lt();
            if between && side(s, p).is_eq() {
                return Err(Error::VertexOnEdge { vertex: t.ends[k], edge: edges[s.edge] });
            }
        }
    }
    let apart = |s: &Segment, t: &Segment| side(s, t.points[0]) == side(s, t.points[1]).reverse();
    // Collinear segments without a common point have no side at all.
    if apart(s, t) && apart(t, s) && side(s, t.points[0]).is_ne() {
        return crossing();
    }
    Ok(())
}

/// The edges around every vertex, counterclockwise from the direction of the positive x axis.
fn sort_by_angle(edges: &[(usize, usize)], points: &[Point]) -> Rotations {
    let mut around: Vec<Vec<usize>> = vec![Vec::new(); points.len()];
    for (e, &(u, v)) in edges.iter().enumerate() {
        around[u].push(e);
        around[v].push(e);
    }
    let mut starts = vec![0];
    let mut order = Vec::with_capacity(2 * edges.len());
    for (v, mut here) in around.into_iter().enumerate() {
        let center = points[v];
        let other_end = |e: usize| points[edges[e].0 ^ edges[e].1 ^ v];
        // Angles from 0 to below π, then the others; within a half turn the orientation decides.
        let lower_half = |p: Point| p[1] < center[1] || (p[1] <= center[1] && p[0] < center[0]);
        here.sort_by(|&e, &f| {
            let (p, q) = (other_end(e), other_end(f));
            let half = lower_half(p).cmp(&lower_half(q));
            half.then_with(|| orientation(center, p, q).reverse())
        });
        order.extend(here);
        starts.push(order.len());
    }
    Rotations { starts, edges: order }
}
