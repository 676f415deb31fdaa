//! The second matching against one from nothing with all weights changed.

use linalg_core::Streams;
use linalg_core::rand::{Rng, RngExt};

use super::*;
use crate::decode::Decoder;
use crate::decode::matching::sparse_blossom::Solver;
use crate::shots::words_per_row;
use crate::{DetectorErrorModel, Prediction};

/// What the second matching of a shot costs, once changed where it has to be and once from nothing with all implied weights
/// in place, as integers; and whether the first matching was not the best.
fn costs(matching: &mut Matching, scratch: &mut Solver, syndrome: &[u64]) -> Option<(u64, u64, bool)> {
    let mut graph = matching.graph.clone();
    let mut defects = Vec::new();
    graph.find_defects(syndrome, &mut defects).unwrap();
    let first = {
        scratch.clear();
        if !scratch.solve(&graph.scaled.arcs, &defects) {
            assert!(matching.decode_edges(syndrome, &mut Vec::new()).is_err());
            return None;
        }
        let mut edges = Vec::new();
        scratch.for_each_edge(|edge| edges.push(edge));
        edges
    };
    for implied in first.iter().flat_map(|&edge| matching.graph.implied_by(edge)) {
        let (edge, size) = (implied.edge, implied.size);
        if size < graph.scaled.edges[edge as usize].2 {
            graph.set_integer(edge, size);
        }
    }
    let cost = |mut edges: Vec<u32>| -> u64 {
        edges.sort_unstable();
        let odd = edges.chunk_by(|x, y| x == y).filter(|c| c.len() % 2 == 1);
        odd.map(|c| u64::from(graph.scaled.edges[c[0] as usize].2)).sum()
    };
    scratch.clear();
    assert!(scratch.solve(&graph.scaled.arcs, &defects));
    let mut edges = Vec::new();
    scratch.for_each_edge(|edge| edges.push(edge));
    let best = cost(edges);
    let before = matching.graph.scaled.edges.clone();
    let mut found = Vec::new();
    matching.decode_edges(syndrome, &mut found).unwrap();
    assert_eq!(matching.graph.scaled.edges, before, "weights are put back");
    let taken = &matching.graph.scaled.taken;
    assert!(taken.is_empty(), "the lists are those of the solver then");
    let mut rest = syndrome.to_vec();
    for &edge in &found {
        let (u, v) = graph.ends(edge);
        std::iter::once(u).chain(v).for_each(|x| rest[x / 64] ^= 1 << (x % 64));
    }
    assert!(rest.iter().all(|word| *word == 0));
    let ours = cost(found.iter().map(|&edge| edge as u32).collect());
    Some((ours, best, cost(first) > best))
}

fn random_shot<R: Rng>(n: usize, rate: f64, rng: &mut R) -> Vec<u64> {
    let mut syndrome = vec![0; words_per_row(n)];
    (0..n).filter(|_| rng.random::<f64>() < rate).for_each(|i| syndrome[i / 64] |= 1 << (i % 64));
    syndrome
}

fn random_piece<R: Rng>(n: usize, span: usize, rng: &mut R) -> String {
    let u: usize = rng.random_range(0..n);
    let v = (u + rng.random_range(1..=span)) % (n + 1);
    if v == n || v == u { format!("D{u}") } else { format!("D{u} D{v}") }
}

#[test]
fn random_correlations_against_a_second_matching_from_nothing() {
    use std::fmt::Write;
    let mut rng = Streams::new(21).stream(0);
    let (mut moved, mut shots) = (0, 0);
    for round in 0..600 {
        let n = rng.random_range(3..if round % 4 < 2 { 8 } else { 40 });
        // Dense graphs, or lines that make long paths and blossoms of many nodes.
        let span = if round % 2 == 0 { n } else { 3 };
        let mut text = String::new();
        for _ in 0..4 * n {
            let p: f64 = rng.random_range(0.01..0.2);
            // Equal probabilities make ties.
            let p = if round % 3 == 0 { 0.05 } else { p };
            let (a, b) = (random_piece(n, span, &mut rng), random_piece(n, span, &mut rng));
            if rng.random::<f64>() < 0.5 {
                writeln!(text, "error({p}) {a} ^ {b}")
            } else {
                writeln!(text, "error({p}) {a}")
            }
            .unwrap();
        }
        let model: DetectorErrorModel = text.parse().unwrap();
        let graph = MatchingGraph::from_model(&model).unwrap();
        if !graph.scaled.taken.is_empty() {
            continue;
        }
        let n = graph.n_detectors();
        let mut scratch = Solver::new(n);
        let mut matching = Matching::new(graph).correlated(true);
        for _ in 0..20 {
            let rate = rng.random_range(0.05..0.8);
            if let Some((ours, best, better)) = costs(&mut matching, &mut scratch, &random_shot(n, rate, &mut rng)) {
                assert_eq!(ours, best, "{text}");
                moved += usize::from(better);
                shots += 1;
            }
        }
    }
    assert!(shots > 5000 && moved > 1000, "{moved} of {shots}");
}

#[test]
fn surface_memories_against_a_second_matching_from_nothing() {
    let text = include_str!("../../../tests/data/dem/rotated_surface_d3.dem");
    let small: DetectorErrorModel = text.parse().unwrap();
    let mut rng = Streams::new(22).stream(0);
    let code = crate::code::parse("rotated-surface:9").unwrap();
    let table = crate::PauliTable::depolarizing(81, 0.1).unwrap();
    let large = crate::noise::independent_paulis(&code, &table).unwrap();
    for graph in [MatchingGraph::from_model(&small).unwrap(), MatchingGraph::from_problem(&large).unwrap()] {
        let n = graph.n_detectors();
        let mut scratch = Solver::new(n);
        let mut matching = Matching::new(graph).correlated(true);
        let mut moved = 0;
        for k in 0..1500 {
            let shot = random_shot(n, [0.05, 0.15, 0.5][k % 3], &mut rng);
            let (ours, best, better) = costs(&mut matching, &mut scratch, &shot).unwrap();
            assert_eq!(ours, best);
            moved += usize::from(better);
        }
        assert!(moved > 100, "{moved}");
    }
}

#[test]
fn implied_weights_far_above_the_heaviest_edge_are_not_taken() {
    // Edges of probability 0.3036 and an implied one of 0.0296, whose weight is 4.2 times that of the heaviest edge.
    let text = "error(0.3) D0 D1\nerror(0.3) D2 D3\nerror(0.009) D0 D1 ^ D2 D3\nerror(0.426) D2 L0\nerror(0.426) D3";
    // Nothing follows from what is impossible, erased or not.
    let impossible =
        "error(0) D0 D1 ^ D2 D3\nerror(0) D0 D1 ^ D4 D5\nerror(0.1) D4 D5\nerror(0.3) D4 L0\nerror(0.3) D5";
    let correlated = |text: &str| {
        let model: DetectorErrorModel = text.parse().unwrap();
        Matching::from_model(&model).unwrap().correlated(true)
    };
    let prediction = correlated(text).decode(&"1111".parse().unwrap()).unwrap();
    assert_eq!(prediction.observables.to_string(), "1");
    let mut out = Prediction::new(1);
    let mut matching = correlated(impossible);
    let first = (0..matching.graph().n_edges()).find(|&e| matching.graph().ends(e) == (0, Some(1))).unwrap();
    let second = (0..matching.graph().n_edges()).find(|&e| matching.graph().ends(e) == (2, Some(3))).unwrap();
    matching.decode_erased(&[0b11_1111], &[first, second], &mut out).unwrap();
    assert_eq!(out.observables.to_string(), "1");
}
