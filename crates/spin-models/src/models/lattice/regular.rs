//! Random regular graphs.

use linalg_core::rand::{Rng, RngExt};

use super::{Lattice, circle};
use crate::models::duplicates::check_n_spins;
use crate::{Error, Result};

/// Pairings tried before switchings take over, where a pairing is simple often enough (degree up to 4).
const PAIRINGS: usize = 64;

/// Attempted switchings an edge, and on top of them: small graphs need the second, large ones are nearly uniform before.
const SWITCHINGS_PER_EDGE: usize = 5;
const SWITCHINGS: usize = 500;

impl Lattice {
    /// A random simple graph in which every site has degree `d`; sites on a circle, edges in lexicographic order.
    ///
    /// Half-edges are paired at random and the pairing is kept if it is simple, which makes every graph equally
    /// likely; about `exp((d² - 1)/4)` pairings are needed. Up to degree 4 this is tried 64 times. Otherwise the
    /// loops and parallel edges of one pairing are switched away and 5 switchings an edge and 500 more are attempted, a
    /// symmetric walk on the simple graphs whose limit is uniform. Above `(n - 1)/2` the complement is drawn.
    /// `O(N d²)`, and `O(N²)` for the complement.
    ///
    /// References: B. Bollobás, Eur. J. Comb. 1, 311 (1980); B. McKay and N. Wormald, J. Algorithms 11, 52 (1990).
    ///
    /// ```
    /// use linalg_core::Streams;
    /// use spin_models::Lattice;
    ///
    /// let graph = Lattice::random_regular(20, 3, &mut Streams::new(1).stream(0))?;
    /// assert!((0..20).all(|i| graph.degree(i) == 3));
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoSpins`], [`Error::TooLarge`], [`Error::Parameter`] if `d >= n` or `n d` is odd.
    pub fn random_regular<R: Rng + ?Sized>(n: usize, d: usize, rng: &mut R) -> Result<Self> {
        check_n_spins(n)?;
        let value = || format!("{d} on {n} sites");
        if d >= n {
            return Err(Error::Parameter { what: "degree", value: value(), expected: "less than the number of sites" });
        }
        if n % 2 == 1 && d % 2 == 1 {
            let expected = "an even number of half-edges, sites times degree";
            return Err(Error::Parameter { what: "degree", value: value(), expected });
        }
        let dense = 2 * d > n - 1;
        let drawn = if dense { n - 1 - d } else { d };
        let sparse = by_pairing(n, drawn, rng).unwrap_or_else(|| by_switching(n, drawn, rng));
        let edges = if dense { sparse.complement() } else { sparse.sorted_edges() };
        Ok(Self::assemble(edges, circle(n), None))
    }
}

/// A multigraph of fixed degree: its edges and the `d` neighbours of every site.
struct Regular {
    n: u32,
    d: usize,
    edges: Vec<(u32, u32)>,
    neighbors: Vec<u32>,
}

impl Regular {
    /// The neighbours of `i`; a loop makes `i` its own neighbour twice.
    fn row(&self, i: u32) -> &[u32] {
        &self.neighbors[i as usize * self.d..(i as usize + 1) * self.d]
    }

    fn adjacent(&self, i: u32, j: u32) -> bool {
        self.row(i).contains(&j)
    }

    /// A loop, or one of several parallel edges.
    fn is_bad(&self, edge: usize) -> bool {
        let (i, j) = self.edges[edge];
        i == j || self.row(i).iter().filter(|&&k| k == j).count() > 1
    }

    fn replace_neighbor(&mut self, i: u32, old: u32, new: u32) {
        let row = &mut self.neighbors[i as usize * self.d..(i as usize + 1) * self.d];
        if let Some(place) = row.iter_mut().find(|k| **k == old) {
            *place = new;
        }
    }

    /// Turns the edges (a, b), (c, e) into (a, e), (c, b) unless that makes a loop or a parallel edge.
    fn switch(&mut self, first: usize, second: usize, reverse: bool) -> bool {
        let (a, b) = self.edges[first];
        let (c, e) = if reverse { (self.edges[second].1, self.edges[second].0) } else { self.edges[second] };
        if first == second || a == e || c == b || self.adjacent(a, e) || self.adjacent(c, b) {
            return false;
        }
        self.replace_neighbor(a, b, e);
        self.replace_neighbor(b, a, c);
        self.replace_neighbor(c, e, b);
        self.replace_neighbor(e, c, a);
        self.edges[first] = (a, e);
        self.edges[second] = (c, b);
        true
    }

    fn random_edge<R: Rng + ?Sized>(&self, rng: &mut R) -> usize {
        rng.random_range(0..self.edges.len() as u64) as usize
    }

    fn sorted_edges(&self) -> Vec<(u32, u32)> {
        let mut edges: Vec<_> = self.edges.iter().map(|&(i, j)| (i.min(j), i.max(j))).collect();
        edges.sort_unstable();
        edges
    }

    /// The edges of the complement, sorted.
    fn complement(&self) -> Vec<(u32, u32)> {
        let n = self.n;
        (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))).filter(|&(i, j)| !self.adjacent(i, j)).collect()
    }
}

/// Half-edges by their sites, d for every site, drawn at random two by two.
struct HalfEdges {
    left: Vec<u32>,
}

impl HalfEdges {
    fn new(n: usize, d: usize) -> Self {
        let left = (0..n as u32).flat_map(|i| std::iter::repeat_n(i, d)).collect();
        Self { left }
    }

    fn draw<R: Rng + ?Sized>(&mut self, rng: &mut R) -> Option<u32> {
        if self.left.is_empty() {
            return None;
        }
        let k = rng.random_range(0..self.left.len() as u64) as usize;
        Some(self.left.swap_remove(k))
    }

    fn pair<R: Rng + ?Sized>(&mut self, rng: &mut R) -> Option<(u32, u32)> {
        Some((self.draw(rng)?, self.draw(rng)?))
    }
}

/// The first simple pairing, if one comes soon.
fn by_pairing<R: Rng + ?Sized>(n: usize, d: usize, rng: &mut R) -> Option<Regular> {
    let tries = if d <= 4 { PAIRINGS } else { 0 };
    'tries: for _ in 0..tries {
        let mut half_edges = HalfEdges::new(n, d);
        let mut edges = Vec::with_capacity(n * d / 2);
        let mut neighbors = vec![0u32; n * d];
        let mut filled = vec![0usize; n];
        while let Some((i, j)) = half_edges.pair(rng) {
            let row = &neighbors[i as usize * d..i as usize * d + filled[i as usize]];
            if i == j || row.contains(&j) {
                continue 'tries;
            }
            for (from, to) in [(i, j), (j, i)] {
                neighbors[from as usize * d + filled[from as usize]] = to;
                filled[from as usize] += 1;
            }
            edges.push((i, j));
        }
        return Some(Regular { n: n as u32, d, edges, neighbors });
    }
    None
}

/// One pairing, made simple and then mixed by switchings.
fn by_switching<R: Rng + ?Sized>(n: usize, d: usize, rng: &mut R) -> Regular {
    loop {
        let mut half_edges = HalfEdges::new(n, d);
        let mut graph = Regular { n: n as u32, d, edges: Vec::new(), neighbors: vec![0; n * d] };
        let mut filled = vec![0usize; n];
        while let Some((i, j)) = half_edges.pair(rng) {
            for (from, to) in [(i, j), (j, i)] {
                graph.neighbors[from as usize * d + filled[from as usize]] = to;
                filled[from as usize] += 1;
            }
            graph.edges.push((i, j));
        }
        let m = graph.edges.len();
        let mut bad: Vec<usize> = (0..m).filter(|&edge| graph.is_bad(edge)).collect();
        // Small dense multigraphs can be stuck for long: begin again then.
        let mut patience = 100 * m + 1000;
        while let Some(&edge) = bad.last() {
            if patience == 0 {
                break;
            }
            patience -= 1;
            if !graph.is_bad(edge) {
                bad.pop();
                continue;
            }
            let other = graph.random_edge(rng);
            let reverse = rng.random();
            graph.switch(edge, other, reverse);
        }
        if bad.is_empty() {
            for _ in 0..SWITCHINGS_PER_EDGE * m + SWITCHINGS {
                let (first, second) = (graph.random_edge(rng), graph.random_edge(rng));
                let reverse = rng.random();
                graph.switch(first, second, reverse);
            }
            return graph;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;
    use std::collections::HashMap;

    fn assert_simple_and_regular(edges: &[(u32, u32)], n: usize, d: usize) {
        assert_eq!(edges.len(), n * d / 2);
        assert!(edges.iter().all(|&(i, j)| i < j));
        assert!(edges.windows(2).all(|pair| pair[0] < pair[1]), "parallel or unsorted edges");
        for site in 0..n as u32 {
            assert_eq!(edges.iter().filter(|&&(i, j)| i == site || j == site).count(), d);
        }
    }

    #[test]
    fn every_possible_degree_is_simple_and_regular() {
        let mut rng = Streams::new(30).stream(0);
        for n in 1..=12usize {
            for d in (0..n).filter(|d| n * d % 2 == 0) {
                let graph = Lattice::random_regular(n, d, &mut rng).unwrap();
                assert_simple_and_regular(&graph.edges, n, d);
            }
        }
        for (n, d) in [(60, 8), (61, 30), (40, 33)] {
            let graph = Lattice::random_regular(n, d, &mut rng).unwrap();
            assert_simple_and_regular(&graph.edges, n, d);
        }
    }

    /// There are 70 labelled cubic graphs on 6 sites and 70 labelled 2-regular ones. Pearson's statistic over
    /// 69 degrees of freedom has mean 69 and standard deviation √138; the bound is at 5 standard deviations.
    #[test]
    fn both_methods_are_uniform_on_six_sites() {
        let samples = 14_000;
        let statistic = |draw: &mut dyn FnMut() -> Vec<(u32, u32)>| {
            let mut counts: HashMap<Vec<(u32, u32)>, u32> = HashMap::new();
            for _ in 0..samples {
                *counts.entry(draw()).or_default() += 1;
            }
            assert_eq!(counts.len(), 70);
            let expected = f64::from(samples) / 70.0;
            counts.values().map(|&count| (f64::from(count) - expected).powi(2) / expected).sum::<f64>()
        };
        let mut rng = Streams::new(31).stream(0);
        for d in [2, 3] {
            let pairing = statistic(&mut || {
                loop {
                    // 64 pairings fail once in some hundred draws for d = 3.
                    if let Some(graph) = by_pairing(6, d, &mut rng) {
                        return graph.sorted_edges();
                    }
                }
            });
            assert!((pairing - 69.0).abs() < 5.0 * 138f64.sqrt(), "pairing, d = {d}: {pairing}");
            let switching = statistic(&mut || by_switching(6, d, &mut rng).sorted_edges());
            assert!((switching - 69.0).abs() < 5.0 * 138f64.sqrt(), "switching, d = {d}: {switching}");
        }
    }

    #[test]
    fn impossible_degrees_are_refused() {
        let mut rng = Streams::new(32).stream(0);
        let text = |n, d, rng: &mut _| Lattice::random_regular(n, d, rng).unwrap_err().to_string();
        assert_eq!(
            text(5, 3, &mut rng),
            "degree is 3 on 5 sites, expected an even number of half-edges, sites times degree"
        );
        assert_eq!(text(4, 4, &mut rng), "degree is 4 on 4 sites, expected less than the number of sites");
        assert_eq!(text(0, 0, &mut rng), "a model needs at least one spin");
    }
}
