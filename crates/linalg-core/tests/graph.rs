//! Graph algorithms against slow implementations and their own definitions.

// Multiples of 1/8 and infinities: sums of weights are exact.
#![allow(clippy::float_cmp)]

use linalg_core::Error;
use linalg_core::graph::{
    Csr, UnionFind, bfs_distances, bipartition, components, greedy_coloring, is_forest, shortest_paths, spanning_forest,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Graphs with parallel edges and self-loops, from empty to dense.
fn graphs(max_vertices: usize, max_edges: usize) -> impl Strategy<Value = Csr> {
    (1..=max_vertices).prop_flat_map(move |n| {
        prop::collection::vec((0..n, 0..n), 0..=max_edges)
            .prop_map(move |edges| Csr::from_edges(n, edges).expect("in range"))
    })
}

/// All-pairs distances by relaxing through every vertex in turn.
fn floyd_warshall(graph: &Csr, weights: &[f64]) -> Vec<Vec<f64>> {
    let n = graph.n_vertices();
    let mut d = vec![vec![f64::INFINITY; n]; n];
    for (v, row) in d.iter_mut().enumerate() {
        row[v] = 0.0;
    }
    for (&(u, v), &w) in graph.edges().iter().zip(weights) {
        d[u][v] = d[u][v].min(w);
        d[v][u] = d[v][u].min(w);
    }
    for k in 0..n {
        for i in 0..n {
            for j in 0..n {
                d[i][j] = d[i][j].min(d[i][k] + d[k][j]);
            }
        }
    }
    d
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn adjacency_is_the_edge_list(graph in graphs(12, 40)) {
        let mut seen = vec![Vec::new(); graph.n_edges()];
        for v in 0..graph.n_vertices() {
            prop_assert_eq!(graph.degree(v), graph.neighbors(v).len());
            prop_assert!(graph.neighbors(v).is_sorted_by_key(|n| n.edge));
            for n in graph.neighbors(v) {
                seen[n.edge].push((v, n.vertex));
            }
        }
        for (e, &(u, v)) in graph.edges().iter().enumerate() {
            seen[e].sort_unstable();
            prop_assert_eq!(&seen[e], &[(u.min(v), u.max(v)), (u.max(v), u.min(v))]);
        }
        let largest = (0..graph.n_vertices()).map(|v| graph.degree(v)).max();
        prop_assert_eq!(Some(graph.max_degree()), largest);
    }

    #[test]
    fn components_and_forests(graph in graphs(14, 14)) {
        let n = graph.n_vertices();
        let parts = components(&graph);
        // Two vertices are together if and only if there is a path between them.
        for u in 0..n {
            let distance = bfs_distances(&graph, u).unwrap();
            for (v, d) in distance.iter().enumerate() {
                prop_assert_eq!(parts.labels()[u] == parts.labels()[v], d.is_some());
            }
        }
        let distinct: BTreeSet<_> = parts.labels().iter().copied().collect();
        prop_assert_eq!(distinct, (0..parts.count()).collect());
        prop_assert_eq!(parts.sizes().iter().sum::<usize>(), n);

        let forest = spanning_forest(&graph);
        let tree = Csr::from_edges(n, forest.iter().map(|&e| graph.edges()[e])).unwrap();
        prop_assert_eq!(forest.len(), n - parts.count());
        prop_assert_eq!(&components(&tree), &parts);
        prop_assert!(is_forest(&tree));
        prop_assert_eq!(is_forest(&graph), graph.n_edges() == forest.len());
    }

    #[test]
    fn union_find_against_labels(n in 1usize..20, unions in prop::collection::vec((0usize..20, 0usize..20), 0..40)) {
        let mut sets = UnionFind::new(n);
        let mut label: Vec<usize> = (0..n).collect();
        for (i, j) in unions.into_iter().map(|(i, j)| (i % n, j % n)) {
            let (a, b) = (label[i], label[j]);
            prop_assert_eq!(sets.union(i, j), a != b);
            label.iter_mut().filter(|l| **l == b).for_each(|l| *l = a);
            for k in 0..n {
                prop_assert_eq!(sets.same(i, k), label[i] == label[k]);
                prop_assert_eq!(sets.size(k), label.iter().filter(|&&l| l == label[k]).count());
            }
            prop_assert_eq!(sets.n_sets(), label.iter().collect::<BTreeSet<_>>().len());
        }
    }

    #[test]
    fn two_sides_or_an_odd_cycle(graph in graphs(10, 14)) {
        match bipartition(&graph) {
            Ok(side) => prop_assert!(graph.edges().iter().all(|&(u, v)| side[u] != side[v])),
            Err(cycle) => {
                let k = cycle.vertices.len();
                prop_assert_eq!(k % 2, 1);
                prop_assert_eq!(cycle.edges.len(), k);
                prop_assert_eq!(cycle.vertices.iter().collect::<BTreeSet<_>>().len(), k);
                for (i, &e) in cycle.edges.iter().enumerate() {
                    let (a, b) = (cycle.vertices[i], cycle.vertices[(i + 1) % k]);
                    let (u, v) = graph.edges()[e];
                    prop_assert!((u, v) == (a, b) || (u, v) == (b, a));
                }
            }
        }
    }

    #[test]
    fn shortest_paths_are_shortest(
        (graph, weights) in graphs(9, 20).prop_flat_map(|graph| {
            // Multiples of 1/8 add up exactly; zero and infinity are allowed.
            let weight = prop_oneof![8 => (0u8..40).prop_map(|w| f64::from(w) / 8.0), 1 => Just(f64::INFINITY)];
            let n = graph.n_edges();
            (Just(graph), prop::collection::vec(weight, n))
        }),
    ) {
        let expected = floyd_warshall(&graph, &weights);
        for (source, row) in expected.iter().enumerate() {
            let tree = shortest_paths(&graph, &weights, source).unwrap();
            prop_assert_eq!(tree.distances(), &row[..]);
            prop_assert_eq!(tree.source(), source);
            for (target, distance) in row.iter().enumerate() {
                let Some(path) = tree.path_to(target) else {
                    prop_assert!(distance.is_infinite());
                    continue;
                };
                prop_assert_eq!(path.vertices[0], source);
                prop_assert_eq!(*path.vertices.last().unwrap(), target);
                prop_assert_eq!(path.vertices.len(), path.edges.len() + 1);
                let length: f64 = path.edges.iter().map(|&e| weights[e]).sum();
                prop_assert_eq!(length, *distance);
                for (pair, &e) in path.vertices.windows(2).zip(&path.edges) {
                    let (u, v) = graph.edges()[e];
                    prop_assert!((u, v) == (pair[0], pair[1]) || (v, u) == (pair[0], pair[1]));
                }
            }
        }
    }

    #[test]
    fn unit_weights_count_edges(graph in graphs(15, 25)) {
        let tree = shortest_paths(&graph, &vec![1.0; graph.n_edges()], 0).unwrap();
        let hops = bfs_distances(&graph, 0).unwrap();
        for (d, h) in tree.distances().iter().zip(hops) {
            prop_assert_eq!(*d, h.map_or(f64::INFINITY, |h| h as f64));
        }
    }

    #[test]
    fn colorings_are_proper(graph in graphs(12, 40)) {
        let self_loop = graph.edges().iter().position(|&(u, v)| u == v);
        match (greedy_coloring(&graph), self_loop) {
            (Err(error), Some(edge)) => {
                prop_assert_eq!(error, Error::SelfLoop { edge, vertex: graph.edges()[edge].0 });
            }
            (Ok(coloring), None) => {
                let color = coloring.colors();
                prop_assert!(graph.edges().iter().all(|&(u, v)| color[u] != color[v]));
                prop_assert!(coloring.n_colors() <= graph.max_degree() + 1);
                prop_assert_eq!(color.iter().max().map(|c| c + 1), Some(coloring.n_colors()));
                if bipartition(&graph).is_ok() {
                    prop_assert_eq!(coloring.n_colors(), if graph.n_edges() == 0 { 1 } else { 2 });
                }
                let classes = coloring.classes();
                prop_assert_eq!(classes.iter().map(Vec::len).sum::<usize>(), graph.n_vertices());
                prop_assert!(classes.iter().enumerate().all(|(c, class)| class.iter().all(|&v| color[v] == c)));
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }
}

#[test]
fn bad_input_is_named() {
    assert_eq!(
        Csr::from_edges(3, [(0, 1), (1, 3)]),
        Err(Error::VertexOutOfBounds { edge: 1, vertex: 3, n_vertices: 3 })
    );
    let graph = Csr::from_edges(3, [(0, 1), (2, 1)]).unwrap();
    let out_of_bounds = Error::IndexOutOfBounds { what: "source vertex", index: 3, bound: 3 };
    assert_eq!(bfs_distances(&graph, 3), Err(out_of_bounds.clone()));
    assert_eq!(shortest_paths(&graph, &[1.0, 1.0], 3), Err(out_of_bounds));
    assert_eq!(
        shortest_paths(&graph, &[1.0, -0.5], 0),
        Err(Error::InvalidWeight { edge: 1, ends: (2, 1), value: -0.5 })
    );
    // NaN is not equal to itself, so compare the message.
    let message = shortest_paths(&graph, &[f64::NAN, 1.0], 0).unwrap_err().to_string();
    assert_eq!(message, "the weight of edge 0 (0-1) is NaN, expected a number >= 0");
}

#[test]
#[should_panic(expected = "1 weights for 2 edges")]
fn every_edge_needs_a_weight() {
    let graph = Csr::from_edges(3, [(0, 1), (2, 1)]).unwrap();
    let _ = shortest_paths(&graph, &[1.0], 0);
}

#[test]
fn graphs_without_vertices_or_edges() {
    let empty = Csr::from_edges(0, []).unwrap();
    assert_eq!(components(&empty).count(), 0);
    assert_eq!(bipartition(&empty), Ok(Vec::new()));
    assert_eq!(greedy_coloring(&empty).unwrap().n_colors(), 0);
    assert!(is_forest(&empty) && spanning_forest(&empty).is_empty());
    assert_eq!(empty.max_degree(), 0);
    assert!(bfs_distances(&empty, 0).is_err());
    assert!(UnionFind::new(0).is_empty());

    let isolated = Csr::from_edges(2, []).unwrap();
    let tree = shortest_paths(&isolated, &[], 1).unwrap();
    assert_eq!(tree.distances(), [f64::INFINITY, 0.0]);
    assert_eq!(tree.path_to(0), None);
    assert_eq!(tree.path_to(1).unwrap().vertices, [1]);
    assert_eq!(greedy_coloring(&isolated).unwrap().n_colors(), 1);
}

#[test]
fn the_shortest_odd_cycles() {
    let bow = Csr::from_edges(2, [(0, 1), (1, 1)]).unwrap();
    let cycle = bipartition(&bow).unwrap_err();
    assert_eq!((cycle.vertices, cycle.edges), (vec![1], vec![1]));
    let parallel = Csr::from_edges(2, [(0, 1), (1, 0)]).unwrap();
    assert_eq!(bipartition(&parallel), Ok(vec![false, true]));
}

/// Weights whose sum overflows lead nowhere, like infinite ones.
#[test]
fn huge_weights() {
    let path = Csr::from_edges(3, [(0, 1), (1, 2)]).unwrap();
    let tree = shortest_paths(&path, &[f64::MAX, f64::MAX], 0).unwrap();
    assert_eq!(tree.distances(), [0.0, f64::MAX, f64::INFINITY]);
    assert_eq!(tree.path_to(2), None);
    let shut = shortest_paths(&path, &[f64::INFINITY, 0.0], 0).unwrap();
    assert_eq!(shut.path_to(1), None);
    assert!(shut.distances()[1].is_infinite());
}

/// A path of 10⁶ vertices: nothing recurses.
#[test]
fn long_paths() {
    let n = 1_000_000;
    let path = Csr::from_edges(n, (1..n).map(|v| (v - 1, v))).unwrap();
    assert_eq!(components(&path).count(), 1);
    assert_eq!(bfs_distances(&path, 0).unwrap()[n - 1], Some(n - 1));
    let tree = shortest_paths(&path, &vec![0.5; n - 1], 0).unwrap();
    assert_eq!(tree.path_to(n - 1).unwrap().edges.len(), n - 1);
    assert_eq!(greedy_coloring(&path).unwrap().n_colors(), 2);
}

#[cfg(feature = "serde")]
#[test]
fn serialised_graphs_are_checked() {
    let graph = Csr::from_edges(3, [(0, 1), (2, 1), (1, 1)]).unwrap();
    let text = serde_json::to_string(&graph).unwrap();
    assert_eq!(text, r#"{"n_vertices":3,"edges":[[0,1],[2,1],[1,1]]}"#);
    assert_eq!(serde_json::from_str::<Csr>(&text).unwrap(), graph);
    assert!(serde_json::from_str::<Csr>(r#"{"n_vertices":2,"edges":[[0,2]]}"#).is_err());
}
