//! Matchings against exhaustive searches, and against their own certificates.

use super::*;
use crate::rng::Streams;
use rand::{Rng, RngExt};

type Edges = Vec<(usize, usize, i64)>;

/// Least weight by dynamic programming over subsets: the lowest vertex left is paired with every other in turn.
fn by_subsets(n: usize, edges: &[(usize, usize, i64)]) -> Option<i64> {
    let mut cost = vec![vec![None; n]; n];
    for &(u, v, w) in edges.iter().filter(|(u, v, _)| u != v) {
        for (a, b) in [(u, v), (v, u)] {
            cost[a][b] = Some(cost[a][b].map_or(w, |c: i64| c.min(w)));
        }
    }
    let mut least: Vec<Option<i64>> = vec![None; 1 << n];
    least[0] = Some(0);
    for set in 1..1usize << n {
        let u = set.trailing_zeros() as usize;
        let rest = set & (set - 1);
        for v in (u + 1..n).filter(|v| rest >> v & 1 == 1) {
            if let (Some(w), Some(below)) = (cost[u][v], least[rest & !(1 << v)]) {
                least[set] = Some(least[set].map_or(w + below, |l| l.min(w + below)));
            }
        }
    }
    least[(1 << n) - 1]
}

/// Least weight by pairing the first vertex left with every neighbour, edge by edge.
fn by_pairing(used: &mut [bool], edges: &[(usize, usize, i64)]) -> Option<i64> {
    let Some(u) = used.iter().position(|&u| !u) else { return Some(0) };
    let mut least = None;
    for &(a, b, w) in edges {
        let v = a ^ b ^ u;
        if (a == u || b == u) && a != b && !used[v] {
            (used[u], used[v]) = (true, true);
            if let Some(rest) = by_pairing(used, edges) {
                least = Some(least.map_or(w + rest, |l: i64| l.min(w + rest)));
            }
            (used[u], used[v]) = (false, false);
        }
    }
    least
}

/// The number of vertices that every matching leaves out, by the formula of Tutte and Berge, and whether this set
/// attains it.
fn tutte_berge(n: usize, edges: &[(usize, usize, i64)], barrier: &[usize]) -> (usize, bool) {
    let excess = |removed: usize| {
        let mut sets = crate::graph::UnionFind::new(n);
        for &(u, v, _) in edges {
            if removed >> u & 1 == 0 && removed >> v & 1 == 0 {
                sets.union(u, v);
            }
        }
        let left: Vec<usize> = (0..n).filter(|v| removed >> v & 1 == 0).collect();
        let odd = left.iter().filter(|&&v| sets.find(v) == v && sets.size(v) % 2 == 1).count();
        odd as i64 - i64::from(removed.count_ones())
    };
    let deficiency = (0..1 << n).map(excess).max().expect("the empty set at least");
    let witness = excess(barrier.iter().map(|v| 1 << v).sum());
    (deficiency as usize, witness == deficiency)
}

fn random_graph<R: Rng + ?Sized>(n: usize, m: usize, weights: std::ops::RangeInclusive<i64>, rng: &mut R) -> Edges {
    (0..m).map(|_| (rng.random_range(0..n), rng.random_range(0..n), rng.random_range(weights.clone()))).collect()
}

fn complete<R: Rng + ?Sized>(n: usize, weights: std::ops::RangeInclusive<i64>, rng: &mut R) -> Edges {
    let mut edges = Vec::new();
    for u in 0..n {
        edges.extend((0..u).map(|v| (u, v, rng.random_range(weights.clone()))));
    }
    edges
}

/// Compares with `expected`, and checks the certificate or the barrier.
fn compare(n: usize, edges: &[(usize, usize, i64)], expected: Option<i64>) {
    match minimum_weight_perfect_matching(n, edges) {
        Ok(matching) => {
            assert_eq!(matching.verify(edges), Ok(()), "{edges:?}");
            assert_eq!(Some(matching.weight), expected, "{edges:?}");
        }
        Err(Error::NoPerfectMatching { vertex, unmatched, barrier }) => {
            assert_eq!(expected, None, "{edges:?}");
            assert!(vertex < n);
            assert_eq!(tutte_berge(n, edges, &barrier), (unmatched, true), "{edges:?}");
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn small_graphs_agree_with_pairing() {
    let mut rng = Streams::new(1).stream(0);
    for case in 0..6000 {
        let n = 2 * rng.random_range(0..=4);
        if n == 0 {
            compare(0, &[], Some(0));
            continue;
        }
        let weights = [0..=0, -1..=1, 0..=3, -9..=9, -1000..=1000][case % 5].clone();
        let m = rng.random_range(0..=3 * n);
        let edges = random_graph(n, m, weights, &mut rng);
        compare(n, &edges, by_pairing(&mut vec![false; n], &edges));
    }
}

#[test]
fn small_complete_graphs_agree_with_subsets() {
    let mut rng = Streams::new(2).stream(0);
    for case in 0..2000 {
        let n = 2 * rng.random_range(1..=5);
        let weights = [0..=1, -2..=2, 0..=20, -500..=500][case % 4].clone();
        let edges = complete(n, weights, &mut rng);
        compare(n, &edges, by_subsets(n, &edges));
    }
}

#[test]
fn larger_graphs_agree_with_subsets() {
    let mut rng = Streams::new(3).stream(0);
    for case in 0..120 {
        let n = [12, 14, 16][case % 3];
        let weights = [0..=2, -30..=30, 0..=1000][case / 3 % 3].clone();
        let edges = if case % 2 == 0 {
            complete(n, weights, &mut rng)
        } else {
            random_graph(n, rng.random_range(n..4 * n), weights, &mut rng)
        };
        let expected = by_subsets(n, &edges);
        match minimum_weight_perfect_matching(n, &edges) {
            Ok(matching) => {
                assert_eq!(matching.verify(&edges), Ok(()));
                assert_eq!(Some(matching.weight), expected);
            }
            Err(error) => assert!(expected.is_none(), "{error}"),
        }
    }
}

#[test]
fn large_graphs_are_certified() {
    let mut rng = Streams::new(4).stream(0);
    for (n, m, top) in [(100, 300, 10), (100, 2000, 3), (500, 2500, 1_000_000), (2000, 10_000, 100), (2000, 12_000, 3)]
    {
        for _ in 0..5 {
            let mut edges = random_graph(n, m, -top..=top, &mut rng);
            // A path through everything, so that a perfect matching exists.
            edges.extend((1..n).map(|v| (v - 1, v, top)));
            let matching = minimum_weight_perfect_matching(n, &edges).expect("the path can be matched");
            assert_eq!(matching.verify(&edges), Ok(()));
        }
    }
    for (n, top) in [(100, 1_000_000), (300, 10), (600, 1000)] {
        let edges = complete(n, 0..=top, &mut rng);
        let matching = minimum_weight_perfect_matching(n, &edges).expect("complete");
        assert_eq!(matching.verify(&edges), Ok(()));
    }
}
