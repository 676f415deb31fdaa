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

#[test]
fn plaquettes_on_a_torus_are_certified() {
    // Random points of a square lattice with periodic boundaries, Manhattan distances, near neighbours only.
    let mut rng = Streams::new(5).stream(0);
    for (n, side, reach) in [(300, 46, 9), (1000, 84, 9), (3000, 145, 7)] {
        let points: Vec<(i64, i64)> = (0..n).map(|_| (rng.random_range(0..side), rng.random_range(0..side))).collect();
        let apart = |a: i64, b: i64| (a - b).abs().min(side - (a - b).abs());
        let mut edges = Edges::new();
        for (u, p) in points.iter().enumerate() {
            for (v, q) in points[..u].iter().enumerate() {
                let distance = apart(p.0, q.0) + apart(p.1, q.1);
                if distance <= reach || v + 1 == u {
                    edges.push((u, v, distance));
                }
            }
        }
        let matching = minimum_weight_perfect_matching(n, &edges).expect("a path joins all");
        assert_eq!(matching.verify(&edges), Ok(()));
    }
}

#[test]
fn components_do_not_interfere() {
    let mut rng = Streams::new(6).stream(0);
    for _ in 0..200 {
        let mut all = Edges::new();
        let mut total = 0;
        for part in 0..6 {
            // A cycle of 8 and two chords.
            let mut edges: Edges = (0..8).map(|v| (v, (v + 1) % 8, rng.random_range(-20..20))).collect();
            edges.extend(random_graph(8, 2, -20..=20, &mut rng));
            total += by_subsets(8, &edges).expect("an even cycle");
            // Vertices of the parts interleaved.
            all.extend(edges.iter().map(|&(u, v, w)| (6 * u + part, 6 * v + part, w)));
        }
        let matching = minimum_weight_perfect_matching(48, &all).expect("even cycles");
        assert_eq!(matching.weight, total);
        assert_eq!(matching.verify(&all), Ok(()));
    }
}

#[test]
fn a_large_barrier_is_found() {
    // Copies of a claw with a triangle on each leg: removing the centre leaves three odd components.
    let claw = [(0, 1), (0, 4), (0, 7), (1, 2), (2, 3), (3, 1), (4, 5), (5, 6), (6, 4), (7, 8), (8, 9), (9, 7)];
    let copies = 50;
    let edges: Edges =
        (0..copies).flat_map(|k| claw.map(|(u, v)| (10 * k + u, 10 * k + v, (u * v) as i64 - 20))).collect();
    let Err(Error::NoPerfectMatching { vertex, unmatched, barrier }) =
        minimum_weight_perfect_matching(10 * copies, &edges)
    else {
        panic!("two legs of each claw stay odd")
    };
    assert_eq!(unmatched, 2 * copies);
    assert_eq!(barrier, (0..copies).map(|k| 10 * k).collect::<Vec<_>>());
    assert!(vertex < 10 * copies);
}

#[test]
fn weights_up_to_the_bound() {
    let mut rng = Streams::new(7).stream(0);
    for case in 0..600 {
        let n = 2 * rng.random_range(1..=5);
        let bound = max_weight(n);
        let levels = [-bound, -bound + 1, 0, 1, bound - 1, bound];
        let m = rng.random_range(0..=4 * n);
        let mut edges = random_graph(n, m, 0..=5, &mut rng);
        if case % 2 == 0 {
            edges.extend((1..n).map(|v| (v - 1, v, rng.random_range(0..=5))));
        }
        for edge in &mut edges {
            edge.2 = levels[edge.2 as usize];
        }
        compare(n, &edges, by_pairing(&mut vec![false; n], &edges));
    }
    // Duals add up along a path: vertex k of it reaches about k times the largest weight.
    for n in [2, 3, 50, 1001] {
        let n = 2 * n;
        let bound = max_weight(n);
        for shift in 0..2 {
            let sign = |v: usize| if (v + shift).is_multiple_of(2) { bound } else { -bound };
            let mut edges: Edges = (1..n).map(|v| (v - 1, v, sign(v))).collect();
            let matching = minimum_weight_perfect_matching(n, &edges).expect("a path");
            assert_eq!(matching.weight, (n / 2) as i64 * sign(1));
            assert_eq!(matching.verify(&edges), Ok(()));
            // Without its last edge, and with a pendant vertex in the middle instead, nothing fits.
            edges.pop();
            edges.push((n / 2, n - 1, bound));
            let failed = minimum_weight_perfect_matching(n, &edges);
            let fits = n / 2 % 2 == 0;
            assert_eq!(failed.is_ok(), fits, "n = {n}");
        }
    }
}

#[test]
fn bad_input_is_named() {
    let run = minimum_weight_perfect_matching;
    assert_eq!(run(0, &[]).map(|m| m.weight), Ok(0));
    assert_eq!(run(3, &[(0, 1, 1)]), Err(Error::OddVertices { n_vertices: 3 }));
    assert_eq!(run(2, &[(0, 1, 1), (1, 2, 1)]), Err(Error::VertexOutOfBounds { edge: 1, vertex: 2, n_vertices: 2 }));
    assert!(matches!(run(0, &[(0, 0, 1)]), Err(Error::VertexOutOfBounds { .. })));
    let bound = max_weight(2);
    for value in [bound + 1, i64::MAX, i64::MIN, -bound - 1] {
        assert_eq!(run(2, &[(0, 1, value)]), Err(Error::WeightTooLarge { edge: 0, value, bound }));
    }
    assert_eq!(run(2, &[(0, 1, -bound)]).map(|m| m.weight), Ok(-bound));
    let none = |vertex, unmatched, barrier| Err(Error::NoPerfectMatching { vertex, unmatched, barrier });
    assert_eq!(run(2, &[]), none(0, 2, vec![]));
    assert_eq!(run(2, &[(0, 0, -5), (1, 1, -5)]), none(0, 2, vec![]));
    assert_eq!(run(4, &[(0, 1, 3), (0, 2, 1), (0, 3, 2)]), none(2, 2, vec![0]));
    // Parallel edges: the lightest.
    let parallel = [(0, 1, 4), (1, 0, -7), (0, 1, -6), (0, 0, -9)];
    assert_eq!(run(2, &parallel).map(|m| (m.edges, m.weight)), Ok((vec![1], -7)));
}

#[test]
fn false_certificates_are_refused() {
    let mut rng = Streams::new(8).stream(0);
    let edges = complete(30, 0..=1000, &mut rng);
    let good = minimum_weight_perfect_matching(30, &edges).expect("complete");
    assert_eq!(good.verify(&edges), Ok(()));
    assert!(good.duals.n_blossoms() > 0);
    for b in 0..good.duals.n_blossoms() {
        let inside = good.duals.blossom_vertices(b);
        assert!(inside.len() % 2 == 1 && good.duals.blossom_dual(b) > 0);
        // All vertices of a blossom but one are matched inside.
        let leaving = inside.iter().filter(|&&v| !inside.contains(&good.mate[v])).count();
        assert_eq!(leaving, 1);
    }

    let mut wrong = good.clone();
    wrong.weight -= 1;
    assert_eq!(wrong.verify(&edges), Err(Violation::Weight { sum: i128::from(good.weight), stated: good.weight - 1 }));

    let mut wrong = good.clone();
    wrong.mate.swap(0, 1);
    assert!(matches!(wrong.verify(&edges), Err(Violation::Mate { .. })));

    // Exchange partners of the first two pairs.
    let mut wrong = good.clone();
    let (a, b) = (edges[good.edges[0]], edges[good.edges[1]]);
    let position =
        |u: usize, v: usize| edges.iter().position(|e| (e.0, e.1) == (u.max(v), u.min(v))).expect("complete");
    wrong.edges[0] = position(a.0, b.0);
    wrong.edges[1] = position(a.1, b.1);
    for (u, v) in [(a.0, b.0), (a.1, b.1)] {
        (wrong.mate[u], wrong.mate[v]) = (v, u);
    }
    wrong.weight += edges[wrong.edges[0]].2 + edges[wrong.edges[1]].2 - a.2 - b.2;
    assert!(matches!(wrong.verify(&edges), Err(Violation::Gap { weight, bound }) if weight > bound));

    // The same matching does not prove anything about a graph in which another edge is lighter.
    let mut lighter = edges.clone();
    lighter[wrong.edges[0]].2 = -5000;
    assert!(matches!(good.verify(&lighter), Err(Violation::Slack { .. })));
    assert!(matches!(good.verify(&edges[..10]), Err(Violation::Shape { .. })));
}
