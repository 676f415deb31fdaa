#![allow(clippy::float_cmp, reason = "sums of small integers are exact")]

use linalg_core::Streams;
use linalg_core::rand::RngExt;

use super::*;
use crate::decode::Matching;
use crate::dem::Sampler;
use crate::error::Error;
use crate::noise::css_problem;
use crate::{CssCode, Shots};

/// Every edge is an observable, so that the prediction is the error.
fn spelled(n: usize, edges: &[(usize, Option<usize>, f64)]) -> MatchingGraph {
    let list: Vec<_> = edges.iter().enumerate().map(|(e, &(u, v, w))| (u, v, w, vec![e])).collect();
    MatchingGraph::from_edges(n, edges.len(), &list).unwrap()
}

#[test]
fn answers_have_the_syndrome_and_weigh_no_less_than_the_best() {
    let mut rng = Streams::new(11).stream(0);
    let (mut heavier, mut all, mut impossible) = (0, 0, 0);
    for _ in 0..400 {
        let n = rng.random_range(1..40);
        let mut edges: Vec<(usize, Option<usize>, f64)> = Vec::new();
        for _ in 0..rng.random_range(0..3 * n) {
            let (u, v) = (rng.random_range(0..n), rng.random_range(0..n + 1));
            let (u, v) = (u.min(v), u.max(v));
            let v = (v < n).then_some(v);
            if v != Some(u) && !edges.iter().any(|edge| (edge.0, edge.1) == (u, v)) {
                edges.push((u, v, f64::from(rng.random_range(-1..12))));
            }
        }
        let graph = spelled(n, &edges);
        let (mut decoder, mut best) = (UnionFind::new(graph.clone()), Matching::new(graph));
        let mut out = Prediction::new(edges.len());
        for _ in 0..10 {
            let rate = rng.random_range(0.0..1.0);
            let syndrome = (0..n).filter(|_| rng.random::<f64>() < rate).fold(0u64, |set, i| set | 1 << i);
            let exact = best.decode_edges(&[syndrome], &mut Vec::new());
            match decoder.decode_into(&[syndrome], &mut out) {
                Ok(()) => {
                    let (mut flipped, mut weight) = (0u64, 0.0);
                    for e in out.observables.iter_ones() {
                        let (u, v, w) = edges[e];
                        flipped ^= 1 << u | v.map_or(0, |v| 1 << v);
                        weight += w;
                    }
                    assert_eq!((flipped, weight), (syndrome, out.weight));
                    let exact = exact.unwrap();
                    assert!(weight >= exact);
                    heavier += usize::from(weight > exact);
                    all += 1;
                }
                Err(Error::ImpossibleSyndrome { .. }) => {
                    assert!(exact.is_err());
                    impossible += 1;
                }
                Err(other) => panic!("{other}"),
            }
        }
    }
    // The approximation is one, but not everywhere.
    assert!(heavier > all / 50 && heavier < all / 2 && impossible > 50, "{heavier} {all} {impossible}");
}

#[test]
fn errors_below_half_the_distance_are_corrected() {
    // Toric code of distance 5: all errors of weight 1 and 2, equal weights.
    let code = CssCode::from_stabilizer(&crate::code::parse("toric:5").unwrap()).unwrap();
    let n = code.n_qubits();
    let problem = css_problem(&code, crate::code::Kind::X, vec![0.1; n]).unwrap();
    let mut decoder = UnionFind::from_problem(&problem).unwrap();
    let mut out = Prediction::new(problem.n_observables());
    for i in 0..n {
        for j in i..n {
            let error = BitVec::from_ones(n, if i == j { vec![i] } else { vec![i, j] }).unwrap();
            decoder.decode_into(problem.syndrome(&error).words(), &mut out).unwrap();
            assert_eq!(out.observables, problem.logical(&error), "{i} {j}");
        }
    }
}

#[test]
fn loses_little_against_matching() {
    // Bit flips on the toric code of distance 8 at p = 0.07.
    let code = CssCode::from_stabilizer(&crate::code::parse("toric:8").unwrap()).unwrap();
    let problem = css_problem(&code, crate::code::Kind::X, vec![0.07; code.n_qubits()]).unwrap();
    let n = 20_000;
    let samples = Sampler::new(&problem).sample(n, &Streams::new(12));
    let failures = |decoder: &mut dyn Decoder| {
        let mut out = Shots::zeros(n, problem.n_observables());
        assert_eq!(decoder.decode_batch(samples.detectors.view(), &mut out.view_mut()).unwrap().decoded, n);
        (0..n).filter(|&k| out.row(k) != samples.observables.row(k)).count() as f64
    };
    let matching = failures(&mut Matching::from_problem(&problem).unwrap());
    let union_find = failures(&mut UnionFind::from_problem(&problem).unwrap());
    let ratio = union_find / matching;
    assert!(matching > 300.0 && (1.0..2.0).contains(&ratio), "{union_find} {matching}");
}
