//! Planarity and plane embeddings: exhaustive counts, an independent test by minors, Euler's formula, exact crossings.

mod drawing;
mod families;
mod minors;

use families::{
    Edges, assert_plane, bipartite, complete, graph, grid_with_diagonals, petersen, shuffled, stacked_triangulation,
    subdivided,
};
use linalg_core::Error;
use linalg_core::graph::Csr;
use linalg_core::graph::planar::{Embedding, embed, embed_drawing, is_planar, kuratowski_subgraph};
use linalg_core::rng::Streams;
use minors::{Minors, rows};
use proptest::prelude::*;
use rand::RngExt;
use rand::seq::SliceRandom;
use std::collections::{BTreeMap, BTreeSet};

/// The edges are a subdivision of K₅ or K₃,₃: after vertices of degree 2 are smoothed out, five vertices of degree 4
/// all adjacent, or six of degree 3 adjacent in two classes.
fn assert_kuratowski(graph: &Csr, subgraph: &[usize]) {
    let mut adjacent: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &e in subgraph {
        let (u, v) = graph.edges()[e];
        adjacent.entry(u).or_default().push(v);
        adjacent.entry(v).or_default().push(u);
    }
    while let Some(v) = adjacent.keys().copied().find(|v| adjacent[v].len() == 2) {
        let ends = adjacent.remove(&v).unwrap();
        for k in 0..2 {
            let here = adjacent.get_mut(&ends[k]).unwrap();
            let slot = here.iter().position(|&w| w == v).unwrap();
            here[slot] = ends[1 - k];
        }
    }
    let sets: BTreeMap<usize, BTreeSet<usize>> =
        adjacent.iter().map(|(&v, around)| (v, around.iter().copied().filter(|&w| w != v).collect())).collect();
    let n = adjacent.len();
    for (v, around) in &adjacent {
        assert_eq!(around.len(), sets[v].len(), "parallel edges at {v}");
        match n {
            5 => assert_eq!(around.len(), 4),
            6 => {
                assert_eq!(around.len(), 3);
                // Neighbours of neighbours are the other class, which has the same three neighbours.
                assert!(sets.values().filter(|s| *s == &sets[v]).count() == 3);
            }
            _ => panic!("{n} branch vertices"),
        }
    }
}

/// Both answers are proved: an embedding by Euler's formula, a refusal by a Kuratowski subgraph.
fn check(graph: &Csr) -> bool {
    let planar = is_planar(graph);
    match embed(graph) {
        Ok(embedding) => {
            assert!(planar);
            assert_plane(graph, &embedding);
            assert_eq!(kuratowski_subgraph(graph), None);
        }
        Err(Error::NotPlanar { edge }) => {
            assert!(!planar);
            let subgraph = kuratowski_subgraph(graph).expect("not planar");
            assert_kuratowski(graph, &subgraph);
            // The edge named closes the first prefix of the list that is not planar.
            let last = graph.edges().iter().position(|&e| e == edge).unwrap();
            let prefix = |len: usize| Csr::from_edges(graph.n_vertices(), graph.edges()[..len].to_vec()).unwrap();
            assert!(is_planar(&prefix(last)) && !is_planar(&prefix(last + 1)));
        }
        Err(other) => panic!("{other}"),
    }
    planar
}

/// Labelled planar graphs on n vertices: 1, 2, 8, 64, 1023, 32071 (OEIS A066537), each confirmed by minors.
#[test]
fn all_graphs_up_to_six_vertices() {
    let mut minors = Minors::default();
    for (n, expected) in [(1, 1), (2, 2), (3, 8), (4, 64), (5, 1023), (6, 32071)] {
        let all = complete(n);
        let mut count = 0;
        for set in 0..1u32 << all.len() {
            let edges: Edges = (0..all.len()).filter(|&k| set >> k & 1 == 1).map(|k| all[k]).collect();
            let g = graph(n, &edges);
            let planar = check(&g);
            assert_eq!(planar, minors.is_planar(rows(n, &edges)), "{edges:?}");
            count += u32::from(planar);
        }
        assert_eq!(count, expected, "{n} vertices");
    }
}

/// The next number of that sequence: 1823707 of 2097152 graphs.
#[test]
#[ignore = "two million graphs, 15 s; run by .ci/long"]
fn all_graphs_of_seven_vertices() {
    let all = complete(7);
    let count = (0..1u32 << all.len())
        .filter(|set| {
            let edges: Edges = (0..all.len()).filter(|&k| set >> k & 1 == 1).map(|k| all[k]).collect();
            is_planar(&graph(7, &edges))
        })
        .count();
    assert_eq!(count, 1_823_707);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Parallel edges and self-loops included.
    #[test]
    fn small_graphs_against_minors(
        (n, edges) in (5usize..=8).prop_flat_map(|n| (Just(n), prop::collection::vec((0..n, 0..n), 0..24))),
    ) {
        prop_assert_eq!(check(&graph(n, &edges)), Minors::default().is_planar(rows(n, &edges)));
    }

    /// Both answers are common from n to 1.3 n edges.
    #[test]
    fn sparse_random_graphs(n in 10usize..80, excess in 0.8f64..1.4, seed in any::<u64>()) {
        let mut rng = Streams::new(seed).stream(0);
        let m = (n as f64 * excess) as usize;
        let mut vertex = || rng.random_range(0..n as u32) as usize;
        let edges: Edges = (0..m).map(|_| (vertex(), vertex())).collect();
        check(&graph(n, &edges));
    }

    /// One edge added at a time where it keeps the graph planar: the result is maximal, so it has 3 n - 6 edges. An edge
    /// refused by mistake would be missing.
    #[test]
    fn greedy_planar_graphs_are_triangulations(n in 3usize..14, seed in any::<u64>()) {
        let mut candidates = complete(n);
        candidates.shuffle(&mut Streams::new(seed).stream(0));
        let mut edges = Edges::new();
        for edge in candidates {
            edges.push(edge);
            if !is_planar(&graph(n, &edges)) {
                edges.pop();
            }
        }
        prop_assert_eq!(edges.len(), 3 * n - 6);
        let g = graph(n, &edges);
        let embedding = embed(&g).unwrap();
        assert_plane(&g, &embedding);
        prop_assert!(embedding.faces().walks().all(|walk| walk.len() == 3));
    }

    #[test]
    fn planar_families(seed in any::<u64>(), keep in 0.5f64..1.0) {
        let mut rng = Streams::new(seed).stream(0);
        for (n, edges) in [stacked_triangulation(60, &mut rng), grid_with_diagonals(7, 9, &mut rng)] {
            let some: Edges = edges.into_iter().filter(|_| rng.random_bool(keep)).collect();
            // Parallel edges and self-loops beside them.
            let mut more = some.clone();
            for _ in 0..20 {
                more.push(some[rng.random_range(0..some.len() as u32) as usize]);
                let v = rng.random_range(0..n as u32) as usize;
                more.push((v, v));
            }
            let (n, more) = subdivided(n, &more, &mut rng);
            let g = graph(n, &shuffled(n, &more, &mut rng));
            prop_assert!(is_planar(&g));
            assert_plane(&g, &embed(&g).unwrap());
        }
    }

    /// A graph that is not planar hidden in a planar one.
    #[test]
    fn nonplanar_families(seed in any::<u64>(), which in 0usize..5) {
        let mut rng = Streams::new(seed).stream(0);
        let (n, core) = [
            (5, complete(5)),
            (6, bipartite(3, 3)),
            (10, petersen()),
            (7, complete(7)),
            (8, bipartite(4, 4)),
        ][which].clone();
        let (n, mut edges) = subdivided(n, &core, &mut rng);
        let (m, around) = stacked_triangulation(25, &mut rng);
        edges.extend(around.iter().map(|&(u, v)| (u + n, v + n)));
        for k in 0..4 {
            edges.push((k, n + k));
        }
        let g = graph(n + m, &shuffled(n + m, &edges, &mut rng));
        prop_assert!(!check(&g));
    }
}

#[test]
fn named_graphs() {
    assert!(check(&graph(4, &complete(4))));
    assert!(!check(&graph(5, &complete(5))));
    assert!(!check(&graph(6, &bipartite(3, 3))));
    assert!(check(&graph(22, &bipartite(2, 20))));
    assert!(!check(&graph(10, &petersen())));
    assert!(check(&graph(0, &[])));
    assert!(check(&graph(3, &[])));
    assert!(check(&graph(1, &[(0, 0), (0, 0)])));
    assert!(check(&graph(2, &[(0, 1), (1, 0), (0, 1), (1, 1)])));
    // K₅ and K₃,₃ become planar when any edge is left out.
    for (n, edges) in [(5, complete(5)), (6, bipartite(3, 3))] {
        for k in 0..edges.len() {
            let mut fewer = edges.clone();
            fewer.remove(k);
            assert!(check(&graph(n, &fewer)));
        }
    }
    // Faces of the cube and of the dodecahedron.
    let cube: Edges = (0..8).flat_map(|v| [1, 2, 4].map(|b| (v, v ^ b))).filter(|(u, v)| u < v).collect();
    // LCF notation [10, 7, 4, -4, -7, 10, -4, 7, -7, 4]^2.
    let chords = [10, 7, 4, 16, 13, 10, 16, 7, 13, 4];
    let dodecahedron: Edges = (0..20)
        .flat_map(|i| [(i, (i + 1) % 20), (i, (i + chords[i % 10]) % 20)])
        .filter(|&(u, v)| u < v || u == 19 && v == 0)
        .collect();
    for (n, edges, n_faces, sides) in [(8, cube, 6, 4), (20, dodecahedron, 12, 5)] {
        let g = graph(n, &edges);
        assert!(check(&g));
        let faces = embed(&g).unwrap().faces();
        assert_eq!(faces.len(), n_faces);
        assert!(faces.walks().all(|walk| walk.len() == sides));
    }
    // Four-dimensional hypercube and a torus grid: girth 4 and more than 2 V - 4 edges.
    let tesseract: Edges = (0..16).flat_map(|v| [1, 2, 4, 8].map(|b| (v, v ^ b))).filter(|(u, v)| u < v).collect();
    assert!(!check(&graph(16, &tesseract)));
    let torus: Edges = (0..25).flat_map(|v| [(v, v / 5 * 5 + (v + 1) % 5), (v, (v + 5) % 25)]).collect();
    assert!(!check(&graph(25, &torus)));
}

/// Disconnected graphs: components on their own, one bad component spoils all.
#[test]
fn disjoint_unions() {
    let mut edges = complete(4);
    edges.extend([(4, 5), (5, 6), (6, 4), (8, 8)]);
    let g = graph(10, &edges);
    assert!(check(&g));
    let embedding = embed(&g).unwrap();
    // K₄ 4, triangle 2, loop 2, two isolated vertices without a walk; the outer region is shared.
    assert_eq!(embedding.faces().len(), 8);
    assert_eq!(embedding.n_regions(), 6);
    edges.extend(complete(5).into_iter().map(|(u, v)| (u + 10, v + 10)));
    assert!(!check(&graph(15, &edges)));
}

/// Long paths and trees are not recursed into.
#[test]
fn deep_graphs() {
    let n = 300_000;
    let path: Edges = (1..n).map(|v| (v - 1, v)).collect();
    let mut ladder = path.clone();
    ladder.extend((2..n).map(|v| (v - 2, v)));
    for edges in [path, ladder] {
        let g = graph(n, &edges);
        let embedding = embed(&g).unwrap();
        assert_eq!(embedding.n_regions(), 2 + g.n_edges() - n);
    }
}

#[test]
#[ignore = "a million vertices, 30 s; run by .ci/long"]
fn a_million_vertices() {
    let mut rng = Streams::new(1).stream(0);
    let (n, edges) = grid_with_diagonals(1000, 1000, &mut rng);
    let g = graph(n, &shuffled(n, &edges, &mut rng));
    assert_eq!(embed(&g).unwrap().genus(), 0);
    let positions: Vec<[f64; 2]> = (0..n).map(|v| [(v % 1000) as f64, (v / 1000) as f64]).collect();
    assert_eq!(embed_drawing(&graph(n, &edges), &positions).unwrap().genus(), 0);
    // One edge too many.
    let mut more = edges;
    more.push((0, n - 1));
    more.push((999, n - 1000));
    assert!(matches!(embed(&graph(n, &more)), Err(Error::NotPlanar { .. })));
}

#[test]
fn rotations_are_checked() {
    let g = graph(2, &[(0, 1), (1, 1)]);
    let rotate = |rotations: [&[usize]; 2]| Embedding::from_rotations(&g, &rotations.map(<[usize]>::to_vec));
    assert!(rotate([&[0], &[1, 2, 3]]).is_ok());
    for (rotations, vertex, half_edge, problem) in [
        ([&[0][..], &[1, 2][..]], 1, 3, "missing"),
        ([&[0], &[1, 2, 2]], 1, 2, "listed twice"),
        ([&[1], &[0, 2, 3]], 0, 1, "not one that leaves the vertex"),
        ([&[0], &[1, 2, 4]], 1, 4, "unknown"),
    ] {
        assert_eq!(rotate(rotations), Err(Error::InvalidRotation { vertex, half_edge, problem }));
    }
    // K₃,₃ on the torus: each vertex joined to its three neighbours in cyclic order.
    let g = graph(6, &bipartite(3, 3));
    let order: Vec<Vec<usize>> = (0..6)
        .map(|v| if v < 3 { vec![6 * v, 6 * v + 2, 6 * v + 4] } else { vec![2 * v - 5, 2 * v + 1, 2 * v + 7] })
        .collect();
    let torus = Embedding::from_rotations(&g, &order).unwrap();
    assert_eq!((torus.faces().len(), torus.genus()), (3, 1));
}

/// The dual of the dual is the graph, for a connected plane graph.
#[test]
fn duals() {
    let mut rng = Streams::new(4).stream(0);
    let (n, edges) = stacked_triangulation(12, &mut rng);
    let g = graph(n, &edges);
    let embedding = embed(&g).unwrap();
    let faces = embedding.faces();
    let dual = embedding.dual(&faces);
    assert_eq!((dual.n_vertices(), dual.n_edges()), (2 * n - 4, 3 * n - 6));
    assert!((0..dual.n_vertices()).all(|f| dual.degree(f) == 3));
    for (e, &(left, right)) in dual.edges().iter().enumerate() {
        assert_eq!((faces.left_of(2 * e), faces.left_of(2 * e + 1)), (left, right));
    }
    // A triangulation with more than three vertices is 3-connected: its dual has one embedding, with a face a vertex.
    let back = embed(&dual).unwrap();
    let mut sizes: Vec<usize> = back.faces().walks().map(<[usize]>::len).collect();
    let mut degrees: Vec<usize> = (0..n).map(|v| g.degree(v)).collect();
    sizes.sort_unstable();
    degrees.sort_unstable();
    assert_eq!(sizes, degrees);
    // A bridge has the same face on both sides.
    let bridge = embed(&graph(2, &[(0, 1)])).unwrap();
    assert_eq!(bridge.dual(&bridge.faces()).edges(), [(0, 0)]);
}

#[cfg(feature = "serde")]
#[test]
fn serialised_embeddings_are_checked() {
    let embedding = embed(&graph(3, &[(0, 1), (1, 2), (2, 2)])).unwrap();
    let text = serde_json::to_string(&embedding).unwrap();
    assert_eq!(serde_json::from_str::<Embedding>(&text).unwrap(), embedding);
    for bad in [
        r#"{"edges":[[0,1]],"rotations":[[0],[]]}"#,
        r#"{"edges":[[0,1]],"rotations":[[0]]}"#,
        r#"{"edges":[[0,1]],"rotations":[[1],[0]]}"#,
    ] {
        assert!(serde_json::from_str::<Embedding>(bad).is_err(), "{bad}");
    }
}
