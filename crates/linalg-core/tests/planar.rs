//! Planarity and plane embeddings: exhaustive counts, an independent test by minors, Euler's formula, exact crossings.

use linalg_core::Error;
use linalg_core::graph::planar::{Embedding, embed, embed_drawing, is_planar, kuratowski_subgraph};
use linalg_core::graph::{Csr, components};
use linalg_core::rng::Streams;
use proptest::prelude::*;
use rand::RngExt;
use rand::seq::SliceRandom;
use std::collections::{BTreeMap, BTreeSet, HashMap};

type Edges = Vec<(usize, usize)>;

fn graph(n: usize, edges: &[(usize, usize)]) -> Csr {
    Csr::from_edges(n, edges.iter().copied()).expect("in range")
}

fn complete(n: usize) -> Edges {
    (0..n).flat_map(|i| (0..i).map(move |j| (j, i))).collect()
}

fn bipartite(a: usize, b: usize) -> Edges {
    (0..a).flat_map(|i| (a..a + b).map(move |j| (i, j))).collect()
}

fn petersen() -> Edges {
    (0..5).flat_map(|i| [(i, (i + 1) % 5), (i, i + 5), (i + 5, (i + 2) % 5 + 5)]).collect()
}

/// Random names for the vertices, random order and direction of the edges.
fn shuffled(n: usize, edges: &[(usize, usize)], rng: &mut impl rand::Rng) -> Edges {
    let mut name: Vec<usize> = (0..n).collect();
    name.shuffle(rng);
    let mut edges: Edges = edges
        .iter()
        .map(|&(u, v)| if rng.random::<bool>() { (name[u], name[v]) } else { (name[v], name[u]) })
        .collect();
    edges.shuffle(rng);
    edges
}

/// Replaces every edge by a path of up to three edges; returns the number of vertices as well.
fn subdivided(n: usize, edges: &[(usize, usize)], rng: &mut impl rand::Rng) -> (usize, Edges) {
    let mut count = n;
    let mut out = Vec::new();
    for &(u, v) in edges {
        let mut from = u;
        for _ in 0..rng.random_range(0..3u32) {
            out.push((from, count));
            from = count;
            count += 1;
        }
        out.push((from, v));
    }
    (count, out)
}

/// Euler's formula $`V - E + F = 1 + C`$ and the consistency of rotations and faces.
fn assert_plane(graph: &Csr, embedding: &Embedding) {
    let (v, e) = (graph.n_vertices(), graph.n_edges());
    assert_eq!(embedding.edges(), graph.edges());
    assert_eq!(v + embedding.n_regions(), 1 + components(graph).count() + e);
    assert_eq!(embedding.genus(), 0);
    // Every half-edge once, at its tail.
    let rotations: Vec<Vec<usize>> = (0..v).map(|v| embedding.rotation(v).to_vec()).collect();
    assert_eq!(Embedding::from_rotations(graph, &rotations).as_ref(), Ok(embedding));
    let faces = embedding.faces();
    assert_eq!(faces.walks().map(<[usize]>::len).sum::<usize>(), 2 * e);
    for (f, walk) in faces.walks().enumerate() {
        for (k, &h) in walk.iter().enumerate() {
            let next = walk[(k + 1) % walk.len()];
            assert_eq!(embedding.head(h), embedding.tail(next));
            assert_eq!(embedding.next_around(next), Embedding::twin(h));
            assert_eq!(embedding.previous_around(Embedding::twin(h)), next);
            assert_eq!(faces.left_of(h), f);
        }
    }
}

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

/// Planarity by Wagner's theorem: no K₅ or K₃,₃ is left by contracting edges and leaving out others.
#[derive(Default)]
struct Minors {
    known: HashMap<Vec<u16>, bool>,
}

impl Minors {
    fn is_planar(&mut self, adjacent: Vec<u16>) -> bool {
        let n = adjacent.len();
        if n < 5 {
            return true;
        }
        if let Some(&answer) = self.known.get(&adjacent) {
            return answer;
        }
        let mut answer = !Self::contains(&adjacent);
        for u in 0..n {
            for v in 0..u {
                answer = answer && (adjacent[u] >> v & 1 == 0 || self.is_planar(Self::contract(&adjacent, u, v)));
            }
        }
        self.known.insert(adjacent, answer);
        answer
    }

    /// K₅ or K₃,₃ as a subgraph.
    fn contains(adjacent: &[u16]) -> bool {
        let n = adjacent.len() as u32;
        let all = |set: u16, inside: &dyn Fn(usize) -> bool| (0..n as usize).all(|v| set >> v & 1 == 0 || inside(v));
        let five = (0..1u16 << n).filter(|set| set.count_ones() == 5);
        let mut three = (0..1u16 << n).filter(|set| set.count_ones() == 3);
        five.into_iter().any(|set| all(set, &|v| adjacent[v] & set == set & !(1 << v)))
            || three.any(|set| {
                let common = (0..n as usize).filter(|v| set >> v & 1 == 1).fold(u16::MAX, |c, v| c & adjacent[v]);
                (common & !set).count_ones() >= 3
            })
    }

    fn contract(adjacent: &[u16], u: usize, v: usize) -> Vec<u16> {
        let n = adjacent.len();
        let mut merged = adjacent.to_vec();
        merged[v] = (merged[v] | merged[u]) & !(1 << v);
        for (w, row) in merged.iter_mut().enumerate() {
            if w != v && *row >> u & 1 == 1 {
                *row |= 1 << v;
            }
        }
        let low = (1u16 << u) - 1;
        (0..n).filter(|&w| w != u).map(|w| merged[w] & low | (merged[w] >> 1) & !low).collect()
    }
}

fn rows(n: usize, edges: &[(usize, usize)]) -> Vec<u16> {
    let mut rows = vec![0; n];
    for &(u, v) in edges.iter().filter(|(u, v)| u != v) {
        rows[u] |= 1 << v;
        rows[v] |= 1 << u;
    }
    rows
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
#[ignore = "two million graphs, 10 s; run by .ci/long"]
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

/// Vertices put one after another into a random triangle: a maximal planar graph.
fn stacked_triangulation(n: usize, rng: &mut impl rand::Rng) -> (usize, Edges) {
    let mut edges = vec![(0, 1), (1, 2), (0, 2)];
    let mut triangles = vec![[0, 1, 2], [0, 1, 2]];
    for v in 3..n {
        let k = rng.random_range(0..triangles.len() as u32) as usize;
        let [a, b, c] = triangles.swap_remove(k);
        edges.extend([(a, v), (b, v), (c, v)]);
        triangles.extend([[a, b, v], [b, c, v], [a, c, v]]);
    }
    (n, edges)
}

/// A square grid with one of the two diagonals in every square.
fn grid_with_diagonals(width: usize, height: usize, rng: &mut impl rand::Rng) -> (usize, Edges) {
    let at = |x: usize, y: usize| y * width + x;
    let mut edges = Vec::new();
    for y in 0..height {
        for x in 0..width {
            if x + 1 < width {
                edges.push((at(x, y), at(x + 1, y)));
            }
            if y + 1 < height {
                edges.push((at(x, y), at(x, y + 1)));
            }
            if x + 1 < width && y + 1 < height {
                edges.push(if rng.random::<bool>() {
                    (at(x, y), at(x + 1, y + 1))
                } else {
                    (at(x + 1, y), at(x, y + 1))
                });
            }
        }
    }
    (width * height, edges)
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
#[ignore = "a million vertices, 10 s; run by .ci/long"]
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

// Straight-line drawings.

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
        // A scale that is not a power of two and a shift keep no point exact but the order of all.
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
