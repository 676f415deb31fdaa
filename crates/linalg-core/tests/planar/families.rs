//! Graphs to test with, and what makes an embedding plane.

use linalg_core::graph::planar::Embedding;
use linalg_core::graph::{Csr, components};
use rand::RngExt;
use rand::seq::SliceRandom;

pub type Edges = Vec<(usize, usize)>;

pub fn graph(n: usize, edges: &[(usize, usize)]) -> Csr {
    Csr::from_edges(n, edges.iter().copied()).expect("in range")
}

pub fn complete(n: usize) -> Edges {
    (0..n).flat_map(|i| (0..i).map(move |j| (j, i))).collect()
}

pub fn bipartite(a: usize, b: usize) -> Edges {
    (0..a).flat_map(|i| (a..a + b).map(move |j| (i, j))).collect()
}

pub fn petersen() -> Edges {
    (0..5).flat_map(|i| [(i, (i + 1) % 5), (i, i + 5), (i + 5, (i + 2) % 5 + 5)]).collect()
}

/// Random names for the vertices, random order and direction of the edges.
pub fn shuffled(n: usize, edges: &[(usize, usize)], rng: &mut impl rand::Rng) -> Edges {
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
pub fn subdivided(n: usize, edges: &[(usize, usize)], rng: &mut impl rand::Rng) -> (usize, Edges) {
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
pub fn assert_plane(graph: &Csr, embedding: &Embedding) {
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

/// Vertices put one after another into a random triangle: a maximal planar graph.
pub fn stacked_triangulation(n: usize, rng: &mut impl rand::Rng) -> (usize, Edges) {
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
pub fn grid_with_diagonals(width: usize, height: usize, rng: &mut impl rand::Rng) -> (usize, Edges) {
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
