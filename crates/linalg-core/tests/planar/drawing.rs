//! Straight-line drawings against a pairwise test in integers.

use crate::families::{Edges, assert_plane, graph, grid_with_diagonals};
use linalg_core::Error;
use linalg_core::graph::components;
use linalg_core::graph::planar::{Embedding, embed_drawing};
use linalg_core::rng::Streams;
use proptest::prelude::*;
use rand::RngExt;
use std::collections::BTreeSet;

/// Sign of the turn a -> b -> c.
fn turn(a: [i64; 2], b: [i64; 2], c: [i64; 2]) -> i64 {
    ((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])).signum()
}

/// Whether p lies on the closed segment.
fn on_segment(p: [i64; 2], [a, b]: [[i64; 2]; 2]) -> bool {
    turn(a, b, p) == 0 && (0..2).all(|k| (a[k].min(b[k])..=a[k].max(b[k])).contains(&p[k]))
}

/// Pairwise test of a drawing with integer positions; parallel edges and self-loops are left out.
fn is_plane_drawing(edges: &[(usize, usize)], at: &[[i64; 2]]) -> bool {
    let distinct: BTreeSet<_> = edges.iter().filter(|(u, v)| u != v).map(|&(u, v)| (u.min(v), u.max(v))).collect();
    let edges: Vec<_> = distinct.into_iter().collect();
    if at.iter().collect::<BTreeSet<_>>().len() < at.len() {
        return false;
    }
    for (i, &(a, b)) in edges.iter().enumerate() {
        let line = [at[a], at[b]];
        if (0..at.len()).any(|v| v != a && v != b && on_segment(at[v], line)) {
            return false;
        }
        for &(c, d) in &edges[..i] {
            let other = [at[c], at[d]];
            let apart = |[p, q]: [[i64; 2]; 2], r, s| turn(p, q, r) * turn(p, q, s) < 0;
            if apart(line, at[c], at[d]) && apart(other, at[a], at[b]) {
                return false;
            }
        }
    }
    true
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// A small grid of positions makes every degenerate contact common.
    #[test]
    fn drawings_against_all_pairs(
        (edges, at) in (2usize..9).prop_flat_map(|n| (
            prop::collection::vec((0..n, 0..n), 0..9),
            prop::collection::btree_set((0i64..6, 0i64..6).prop_map(|(x, y)| [x, y]), n)
                .prop_map(|set| set.into_iter().collect::<Vec<_>>())
                .prop_shuffle(),
        )),
    ) {
        let g = graph(at.len(), &edges);
        let positions: Vec<[f64; 2]> = at.iter().map(|p| p.map(|x| x as f64)).collect();
        let drawn = embed_drawing(&g, &positions);
        prop_assert_eq!(drawn.is_ok(), is_plane_drawing(&edges, &at), "{:?} {:?}: {:?}", edges, at, drawn);
        match drawn {
            Ok(embedding) => {
                assert_plane(&g, &embedding);
                assert_counterclockwise(&embedding, &at);
            }
            Err(Error::EdgesCross { first, second }) => {
                prop_assert!(!is_plane_drawing(&[first, second], &at));
            }
            Err(Error::VertexOnEdge { vertex, edge }) => {
                prop_assert!(vertex != edge.0 && vertex != edge.1);
                prop_assert!(on_segment(at[vertex], [at[edge.0], at[edge.1]]));
            }
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    /// Larger drawings without contacts: a random triangulation of a grid, with holes, turned and stretched.
    #[test]
    fn drawn_grids(width in 2usize..12, height in 2usize..12, seed in any::<u64>(), keep in 0.3f64..1.0) {
        let mut rng = Streams::new(seed).stream(0);
        let (n, edges) = grid_with_diagonals(width, height, &mut rng);
        let some: Edges = edges.into_iter().filter(|_| rng.random_bool(keep)).collect();
        let map = |x: usize, y: usize| [3 * x as i64 + y as i64, 5 * y as i64 - 2 * x as i64];
        let at: Vec<[i64; 2]> = (0..n).map(|v| map(v % width, v / width)).collect();
        let positions: Vec<[f64; 2]> = at.iter().map(|p| p.map(|x| x as f64 * 1e-3)).collect();
        let g = graph(n, &some);
        let embedding = embed_drawing(&g, &positions).unwrap();
        assert_plane(&g, &embedding);
        assert_counterclockwise(&embedding, &at);
    }
}

/// Bounded faces are walked counterclockwise, so that their areas are positive; one walk of each component goes around
/// its outside and has the opposite of their sum.
fn assert_counterclockwise(embedding: &Embedding, at: &[[i64; 2]]) {
    let g = graph(embedding.n_vertices(), embedding.edges());
    let parts = components(&g);
    let mut negative = vec![0; parts.count()];
    let mut total = vec![0; parts.count()];
    for walk in embedding.faces().walks() {
        let part = parts.labels()[embedding.tail(walk[0])];
        let area: i64 = walk
            .iter()
            .map(|&h| {
                let (p, q) = (at[embedding.tail(h)], at[embedding.head(h)]);
                p[0] * q[1] - p[1] * q[0]
            })
            .sum();
        negative[part] += u32::from(area < 0);
        total[part] += area;
    }
    assert!(negative.iter().all(|&count| count <= 1));
    assert!(total.iter().all(|&sum| sum == 0));
    // Straight edges leave in the order of their angles.
    for v in 0..embedding.n_vertices() {
        let angle = |&h: &usize| {
            let (p, q) = (at[v], at[embedding.head(h)]);
            let angle = ((q[1] - p[1]) as f64).atan2((q[0] - p[0]) as f64);
            if angle < 0.0 { angle + std::f64::consts::TAU } else { angle }
        };
        let straight = embedding.rotation(v).iter().filter(|&&h| embedding.head(h) != v);
        assert!(straight.map(angle).is_sorted());
    }
}

#[test]
fn contacts_in_drawings_are_named() {
    let at = |xy: &[[f64; 2]], edges: &[(usize, usize)]| embed_drawing(&graph(xy.len(), edges), xy);
    // An isolated vertex counts.
    let line = [[0.0, 0.0], [2.0, 0.0], [1.0, 0.0]];
    assert_eq!(at(&line, &[(1, 0)]), Err(Error::VertexOnEdge { vertex: 2, edge: (1, 0) }));
    assert!(at(&line, &[(0, 2), (2, 1)]).is_ok());
    assert_eq!(at(&[[0.0, 0.0], [1.0, 0.0], [0.0, -0.0]], &[]), Err(Error::VerticesCoincide { first: 0, second: 2 }));
    let message = at(&[[0.0, 0.0], [1.0, f64::NAN]], &[]).unwrap_err().to_string();
    assert_eq!(message, "y[1] is NaN, expected a finite number");
    assert!(at(&[[f64::INFINITY, 0.0]], &[]).is_err());
    assert!(at(&[], &[]).is_ok());
    // The farthest scales: the same drawing, and the same crossing.
    for scale in [f64::MAX / 2.0, 1.0, f64::MIN_POSITIVE * 8.0] {
        let square = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]].map(|p| p.map(|x: f64| x * scale));
        assert_eq!(at(&square, &[(0, 1), (1, 2), (2, 3), (3, 0), (0, 2)]).unwrap().n_regions(), 3);
        assert_eq!(at(&square, &[(0, 2), (1, 3)]), Err(Error::EdgesCross { first: (0, 2), second: (1, 3) }));
    }
    // One unit in the last place decides whether the vertex lies on the edge.
    let third = 1.0 / 3.0;
    let near = |y: f64| at(&[[0.0, 0.0], [3.0, 3.0], [third, y]], &[(0, 1)]);
    assert!(near(third).is_err());
    assert!(near(third.next_up()).is_ok() && near(third.next_down()).is_ok());
}
