#![allow(clippy::float_cmp, reason = "sums of small integers are exact")]

use linalg_core::Streams;
use linalg_core::graph::matching::minimum_weight_perfect_matching;
use linalg_core::rand::RngExt;

use super::*;
use crate::DetectorErrorModel;
use crate::decode::{Decoder, DecoderChoice, Prediction};
use crate::error::Error;
use crate::shots::{Shots, ones, words_per_row};

type Edges = Vec<(usize, Option<usize>, f64, Vec<usize>)>;

/// Weight of the lightest set of edges with this syndrome, by trying all sets.
fn enumerated(n: usize, edges: &Edges, syndrome: u64) -> Option<f64> {
    let mut best: Option<f64> = None;
    for set in 0..1u32 << edges.len() {
        let (mut flipped, mut weight) = (0u64, 0.0);
        for (_, (u, v, w, _)) in edges.iter().enumerate().filter(|(e, _)| set >> e & 1 == 1) {
            flipped ^= 1 << u | v.map_or(0, |v| 1 << v);
            weight += w;
        }
        if flipped == syndrome && best.is_none_or(|best| weight < best) {
            best = Some(weight);
        }
    }
    assert!(n <= 64);
    best
}

/// The same for non-negative integers: shortest paths between all defects, then an exact matching of the complete graph
/// of defects and one image of each at the boundary.
fn by_blossoms(n: usize, edges: &Edges, defects: &[usize]) -> Option<i64> {
    const FAR: i64 = 1 << 40;
    let k = defects.len();
    let mut list = Vec::new();
    for (i, &source) in defects.iter().enumerate() {
        let mut distance = vec![FAR; n + 1];
        distance[source] = 0;
        // Bellman and Ford; paths do not lead through the boundary.
        for _ in 0..n {
            for (u, v, w, _) in edges {
                let v = v.unwrap_or(n);
                for (a, b) in [(*u, v), (v, *u)] {
                    if a != n {
                        distance[b] = distance[b].min(distance[a] + *w as i64);
                    }
                }
            }
        }
        list.push((i, k + i, distance[n]));
        for (j, &target) in defects.iter().enumerate().skip(i + 1) {
            list.push((i, j, distance[target]));
            list.push((k + i, k + j, 0));
        }
    }
    list.retain(|edge| edge.2 < FAR);
    minimum_weight_perfect_matching(2 * k, &list).ok().map(|matching| matching.weight)
}

fn check_edges(n: usize, edges: &Edges, syndrome: &[u64], chosen: &[usize], weight: f64) {
    let mut flipped = vec![0u64; words_per_row(n)];
    let mut sum = 0.0;
    for &e in chosen {
        let (u, v, w, _) = &edges[e];
        for x in std::iter::once(*u).chain(*v) {
            flipped[x / 64] ^= 1 << (x % 64);
        }
        sum += w;
    }
    assert_eq!(flipped, syndrome);
    // Sums of small integers are exact.
    assert!((sum - weight).abs() < 1e-9, "{sum} {weight}");
}

/// A random graph without parallel edges.
fn random_graph<R: linalg_core::rand::Rng>(n: usize, m: usize, weights: std::ops::Range<i32>, rng: &mut R) -> Edges {
    let mut edges = Edges::new();
    for _ in 0..m {
        let u = rng.random_range(0..n);
        let v = rng.random_range(0..n + 1);
        let (u, v) = (u.min(v), u.max(v));
        let v = (v < n).then_some(v);
        if u < n && v != Some(u) && !edges.iter().any(|edge| (edge.0, edge.1) == (u, v)) {
            edges.push((u, v, f64::from(rng.random_range(weights.clone())), vec![]));
        }
    }
    edges
}

#[test]
fn small_graphs_against_all_sets_of_edges() {
    let mut rng = Streams::new(1).stream(0);
    let mut chosen = Vec::new();
    let (mut impossible, mut negative) = (0, 0);
    for _ in 0..600 {
        let n = rng.random_range(1..8);
        let m = rng.random_range(0..13);
        let lowest = [-6, 0, 1][rng.random_range(0..3)];
        let edges = random_graph(n, m, lowest..9, &mut rng);
        let mut matching = Matching::new(MatchingGraph::from_edges(n, 0, &edges).unwrap());
        assert_eq!(matching.graph().rounding(), 0.0);
        for _ in 0..8 {
            let syndrome = [rng.random_range(0..1u64 << n)];
            let exact = enumerated(n, &edges, syndrome[0]);
            match (matching.decode_edges(&syndrome, &mut chosen), exact) {
                (Ok(weight), Some(exact)) => {
                    assert_eq!(weight, exact, "{edges:?} {syndrome:?}");
                    check_edges(n, &edges, &syndrome, &chosen, weight);
                    negative += usize::from(weight < 0.0);
                }
                (Err(Error::ImpossibleSyndrome { checks }), None) => {
                    let set = checks.iter().fold(0u64, |set, c| set | 1 << c);
                    assert_eq!((set & syndrome[0]).count_ones() % 2, 1);
                    let crosses = |u: usize, v: Option<usize>| set >> u & 1 != v.map_or(0, |v| set >> v & 1);
                    assert!(edges.iter().all(|edge| !crosses(edge.0, edge.1)));
                    impossible += 1;
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(impossible > 100 && negative > 100, "{impossible} {negative}");
}

#[test]
fn random_graphs_against_exact_blossoms() {
    let mut rng = Streams::new(2).stream(0);
    let mut chosen = Vec::new();
    for round in 0..1500 {
        let n = rng.random_range(4..60);
        let m = rng.random_range(n..4 * n);
        // Few distinct weights make many ties, many make none.
        let heaviest = [2, 3, 10, 1000][round % 4];
        let mut edges = random_graph(n, m, 0..heaviest, &mut rng);
        // Hardly any boundary in every other graph, so that blossoms form.
        if round % 2 == 0 {
            edges.retain(|edge| edge.1.is_some() || edge.0 == 0);
        }
        let mut matching = Matching::new(MatchingGraph::from_edges(n, 0, &edges).unwrap());
        for _ in 0..4 {
            let rate = rng.random_range(0.1..1.0);
            let defects: Vec<usize> = (0..n).filter(|_| rng.random::<f64>() < rate).collect();
            let mut syndrome = vec![0; words_per_row(n)];
            defects.iter().for_each(|d| syndrome[d / 64] |= 1 << (d % 64));
            let exact = by_blossoms(n, &edges, &defects);
            match matching.decode_edges(&syndrome, &mut chosen) {
                Ok(weight) => {
                    assert_eq!(Some(weight), exact.map(|w| w as f64), "{edges:?} {defects:?}");
                    check_edges(n, &edges, &syndrome, &chosen, weight);
                }
                Err(_) => assert_eq!(exact, None),
            }
        }
    }
}

#[test]
fn lattices_against_exact_blossoms() {
    // Square lattices with a boundary on two sides, at every density.
    let mut rng = Streams::new(3).stream(0);
    let (l, mut chosen) = (9, Vec::new());
    for round in 0..200 {
        let heaviest = [2, 5, 100][round % 3];
        let mut edges = Edges::new();
        for x in 0..l {
            for y in 0..l {
                let mut edge = |v| edges.push((l * x + y, v, f64::from(rng.random_range(1..heaviest)), vec![]));
                edge((x + 1 < l).then_some(l * x + l + y));
                if y + 1 < l {
                    edge(Some(l * x + y + 1));
                }
            }
        }
        let mut matching = Matching::new(MatchingGraph::from_edges(l * l, 0, &edges).unwrap());
        let rate = rng.random_range(0.05..0.9);
        let defects: Vec<usize> = (0..l * l).filter(|_| rng.random::<f64>() < rate).collect();
        let mut syndrome = vec![0; words_per_row(l * l)];
        defects.iter().for_each(|d| syndrome[d / 64] |= 1 << (d % 64));
        let weight = matching.decode_edges(&syndrome, &mut chosen).unwrap();
        assert_eq!(Some(weight as i64), by_blossoms(l * l, &edges, &defects));
        check_edges(l * l, &edges, &syndrome, &chosen, weight);
    }
}

fn model(text: &str) -> DetectorErrorModel {
    text.parse().unwrap()
}

#[test]
fn pieces_merge_and_conflicts_are_counted() {
    let text =
        "error(0.1) D0 D1 L0 ^ D2\nerror(0.2) D1 D0\nerror(0.2) D1 D0 L0\nerror(0.3) L0\nerror(0) D2 D1\nerror(0.1) D1";
    let graph = MatchingGraph::from_model(&model(text)).unwrap();
    assert_eq!((graph.n_edges(), graph.n_conflicts()), (4, 1));
    let p = 0.1 * 0.8 + 0.2 * 0.9;
    let p = p * 0.8 + 0.2 * (1.0 - p);
    assert!((graph.weight(0) - f64::ln((1.0 - p) / p)).abs() < 1e-12);
    assert_eq!(graph.observables(0).collect::<Vec<_>>(), [0]);
    assert_eq!(graph.weight(2), f64::INFINITY);
    assert_eq!((graph.edges_of_mechanism(0), graph.edges_of_mechanism(3)), (&[0, 1][..], &[][..]));
    assert_eq!(
        MatchingGraph::from_model(&model("error(0.1) D0 ^ D1 D2 D3")).unwrap_err().to_string(),
        "matching does not apply: mechanism 0 has a component that flips 3 detectors, an edge flips 1 or 2"
    );
}

#[test]
fn certain_and_impossible_edges() {
    let mut matching =
        Matching::from_model(&model("error(1) D0 D1 L0\nerror(0) D1\nerror(0.25) D0\nerror(0.9) D2 L1")).unwrap();
    let mut out = Prediction::new(2);
    // The certain edge is there; D2 is likelier flipped than not.
    matching.decode_into(&[0b111], &mut out).unwrap();
    assert_eq!(out.observables.to_string(), "11");
    assert!((out.weight + 9f64.ln()).abs() < 1e-12);
    matching.decode_into(&[0b010], &mut out).unwrap();
    assert_eq!(out.observables.to_string(), "10");
    assert!((out.weight - 3f64.ln()).abs() < 1e-12);
    // D1 cannot stay quiet.
    let error = matching.decode_into(&[0b001], &mut out).unwrap_err();
    assert!(matches!(error, Error::NotApplicable { .. }), "{error}");
    assert!(error.to_string().contains("the detectors [1]"), "{error}");
}

#[test]
fn two_hundred_observables() {
    let text: String = (0..200).map(|i| format!("error(0.1) D{i} D{} L{i}\n", i + 1)).collect();
    let mut matching = Matching::from_model(&model(&(text + "error(0.1) D200"))).unwrap();
    let mut syndrome = vec![0u64; 4];
    syndrome[190 / 64] |= 1 << (190 % 64);
    syndrome[3] |= 1 << (195 - 192);
    let mut out = Prediction::new(200);
    matching.decode_into(&syndrome, &mut out).unwrap();
    assert_eq!(out.observables.iter_ones().collect::<Vec<_>>(), [190, 191, 192, 193, 194]);
}

#[test]
fn bad_input_is_named() {
    let graph = |edges: &Edges| MatchingGraph::from_edges(3, 1, edges).unwrap_err().to_string();
    assert_eq!(graph(&vec![(0, Some(3), 1.0, vec![])]), "detector 3 is out of bounds for 3");
    assert_eq!(graph(&vec![(0, None, 1.0, vec![1])]), "observable 1 is out of bounds for 1");
    assert_eq!(graph(&vec![(1, Some(1), 1.0, vec![])]), "matching does not apply: an edge joins detector 1 to itself");
    for weight in [f64::NAN, 1e101, -1e200] {
        assert!(graph(&vec![(1, None, weight, vec![])]).starts_with("weight of an edge is "));
    }
    let mut empty = Matching::new(MatchingGraph::from_edges(0, 0, &[]).unwrap());
    assert_eq!(empty.decode_edges(&[], &mut vec![]).unwrap(), 0.0);
    let mut lonely = Matching::new(MatchingGraph::from_edges(3, 1, &[(0, Some(1), 1.0, vec![])]).unwrap());
    let error = |result: crate::Result<f64>| result.unwrap_err().to_string();
    assert_eq!(
        error(lonely.decode_edges(&[0b100], &mut vec![])),
        "no error has this syndrome: the checks [2] add up to nothing, their bits to one"
    );
    assert_eq!(error(lonely.decode_edges(&[0b1000], &mut vec![])), "detector 3 is out of bounds for 3");
    // The next shot is none the worse for it.
    assert_eq!(lonely.decode_edges(&[0b011], &mut vec![]).unwrap(), 1.0);
    let error = lonely.set_weights(&[1.0, 2.0]).unwrap_err().to_string();
    assert_eq!(error, "weights: 2 given, 1 expected");
    assert!(lonely.set_weights(&[f64::NAN]).is_err());
    lonely.set_weights(&[5.0]).unwrap();
    assert_eq!(lonely.decode_edges(&[0b011], &mut vec![]).unwrap(), 5.0);
}

#[test]
fn weights_and_erasures_change_from_shot_to_shot() {
    let mut rng = Streams::new(4).stream(0);
    for _ in 0..300 {
        let n = rng.random_range(2..7);
        let mut edges = random_graph(n, 12, -3..9, &mut rng);
        let m = edges.len();
        if m > 0 {
            edges[0].2 = f64::INFINITY;
        }
        let mut matching = Matching::new(MatchingGraph::from_edges(n, 0, &edges).unwrap());
        let mut out = Prediction::new(0);
        for _ in 0..6 {
            let syndrome = rng.random_range(0..1u64 << n);
            let erased: Vec<usize> = (0..m).filter(|_| rng.random::<f64>() < 0.2).collect();
            let mut there = edges.clone();
            erased.iter().for_each(|&e| there[e].2 = 0.0);
            there.retain(|edge| edge.2.is_finite());
            let found = matching.decode_erased(&[syndrome], &erased, &mut out);
            assert_eq!(found.ok().map(|()| out.weight), enumerated(n, &there, syndrome));
            there = edges.clone();
            there.retain(|edge| edge.2.is_finite());
            let found = matching.decode_into(&[syndrome], &mut out);
            assert_eq!(found.ok().map(|()| out.weight), enumerated(n, &there, syndrome));
        }
    }
    let mut matching = Matching::from_model(&model("error(0.1) D0 L0\nerror(0.2) D0")).unwrap();
    let error = matching.decode_erased(&[0], &[7], &mut Prediction::new(1)).unwrap_err();
    assert_eq!(error.to_string(), "edge 7 is out of bounds for 1");
}

#[test]
fn batches_and_threads_agree_with_single_shots() {
    let text = include_str!("../../../tests/data/dem/rotated_surface_d3.dem");
    let model = model(text);
    let (d, l) = (model.n_detectors() as usize, model.n_observables() as usize);
    let mut rng = Streams::new(5).stream(0);
    let mut shots = Shots::new(d);
    for shot in 0..500 {
        if shot % 3 == 1 {
            let row = shots.row(shot - 1).to_vec();
            shots.push(&row);
            continue;
        }
        let mut row = vec![0u64; words_per_row(d)];
        (0..d).filter(|_| rng.random::<f64>() < 0.1).for_each(|i| row[i / 64] |= 1 << (i % 64));
        shots.push(&row);
    }
    for name in ["matching", "matching:correlated"] {
        let choice: DecoderChoice = name.parse().unwrap();
        let build = || choice.build_of_model(&model).unwrap().decoder;
        let mut single = build();
        let mut out = Prediction::new(l);
        let mut expected = Shots::new(l);
        for shot in 0..shots.n_shots() {
            single.decode_into(shots.row(shot), &mut out).unwrap();
            expected.push(out.observables.words());
        }
        for threads in [1, 2, 3] {
            let mut decoders: Vec<_> = (0..threads).map(|_| build()).collect();
            let mut found = Shots::zeros(shots.n_shots(), l);
            let report = crate::decode::decode_on_threads(&mut decoders, shots.view(), found.view_mut()).unwrap();
            assert_eq!((report.decoded, found), (shots.n_shots(), expected.clone()), "{name} {threads}");
        }
    }
}

#[test]
fn problems_are_split_into_edges() {
    // A Y error flips four detectors; the last mechanism is no set of edges.
    let text = "error(0.1) D0 D1 L0\nerror(0.1) D2 D3\nerror(0.05) D0 D1 D2 D3 L0\nerror(0.1) D0\nerror(0.1) D1 L0";
    let problem = model(text).to_problem().unwrap();
    let graph = MatchingGraph::from_problem(&problem).unwrap();
    assert_eq!((graph.n_edges(), graph.edges_of_mechanism(2)), (4, &[0, 1][..]));
    assert_eq!(graph.n_conflicts(), 0);
    let problem = model("error(0.1) D0 D1\nerror(0.1) D0 D1 D2").to_problem().unwrap();
    assert_eq!(
        MatchingGraph::from_problem(&problem).unwrap_err().to_string(),
        "matching does not apply: mechanism 1 flips 3 detectors and is no set of edges of other mechanisms"
    );
    assert_eq!(ones(&[5]).count(), 2);
}

#[test]
fn correlations_move_the_second_matching() {
    // Two chains; the first has its defects joined by one edge only, the second has two ways of which the heavier one
    // often happens together with that edge: 0.01 of 0.0118 times.
    let text =
        "error(0.01) D0 D1 ^ D2 D3 L0\nerror(0.002) D0 D1\nerror(0.02) D2 D4\nerror(0.9) D4 D3\nerror(0.05) D2 D3";
    let text = text.replace("error(0.9) D4 D3", "error(0.4) D4 D3").replace("\nerror(0.05) D2 D3", "");
    let decode = |name: &str, syndrome: u64| {
        let choice: DecoderChoice = name.parse().unwrap();
        let mut decoder = choice.build_of_model(&model(&text)).unwrap().decoder;
        let mut out = Prediction::new(1);
        decoder.decode_into(&[syndrome], &mut out).unwrap();
        out.observables.get(0)
    };
    // By itself the way over D4 is likelier: 0.02 * 0.4 / (0.98 * 0.6) = 0.0136 against 0.0101.
    assert!(!decode("matching", 0b01100) && !decode("matching:correlated", 0b01100));
    assert!(!decode("matching", 0b01111));
    assert!(decode("matching:correlated", 0b01111));
}

/// A repetition code of distance d over rounds, both kinds of errors with probability p; the observable is the first bit.
fn memory(d: usize, rounds: usize, p: f64) -> DetectorErrorModel {
    use std::fmt::Write;
    let mut text = String::new();
    let detector = |t: usize, i: usize| t * (d - 1) + i;
    for t in 0..rounds {
        for i in 0..d - 1 {
            writeln!(text, "detector({i}, {t}) D{}", detector(t, i)).unwrap();
            if t + 1 < rounds {
                writeln!(text, "error({p}) D{} D{}", detector(t, i), detector(t + 1, i)).unwrap();
            }
        }
        writeln!(text, "error({p}) D{} L0", detector(t, 0)).unwrap();
        for i in 0..d - 2 {
            writeln!(text, "error({p}) D{} D{}", detector(t, i), detector(t, i + 1)).unwrap();
        }
        writeln!(text, "error({p}) D{}", detector(t, d - 2)).unwrap();
    }
    text.parse().unwrap()
}

#[test]
fn windows_cost_little_and_leave_no_defect() {
    let model = memory(5, 40, 0.03);
    let n = 20_000;
    let samples = crate::dem::Sampler::of_model(&model).unwrap().sample(n, &Streams::new(6));
    let failures = |name: &str| {
        let mut decoder = name.parse::<DecoderChoice>().unwrap().build_of_model(&model).unwrap().decoder;
        let mut out = Shots::zeros(n, 1);
        let report = decoder.decode_batch(samples.detectors.view(), &mut out.view_mut()).unwrap();
        assert_eq!(report.decoded, n);
        (0..n).filter(|&k| out.row(k) != samples.observables.row(k)).count() as f64
    };
    let whole = failures("matching");
    // One window is the whole shot, in another order of edges.
    let build = |name: &str| name.parse::<DecoderChoice>().unwrap().build_of_model(&model).unwrap().decoder;
    let (mut one, mut all) = (build("matching,commit=40,buffer=0"), build("matching"));
    let (mut a, mut b) = (Prediction::new(1), Prediction::new(1));
    for shot in 0..500 {
        one.decode_into(samples.detectors.row(shot), &mut a).unwrap();
        all.decode_into(samples.detectors.row(shot), &mut b).unwrap();
        assert!((a.weight - b.weight).abs() < 1e-9);
    }
    let wide = failures("matching,commit=5,buffer=5");
    assert!(wide < 1.05 * whole, "{wide} {whole}");
    // Without a buffer the cut decides at random where a measurement error lies.
    let narrow = failures("matching,commit=2,buffer=0");
    assert!(narrow > 1.2 * whole, "{narrow} {whole}");
}

#[test]
fn windows_decode_surface_memories_as_the_whole_does() {
    use crate::circuit::{CircuitNoise, Memory};
    use crate::sensitivity::{Decompose, ModelParams};
    let n = 6000;
    for (d, p) in [(3, 0.006), (5, 0.007)] {
        let clean = Memory::RotatedSurfaceX.circuit(d, 6 * d as u64).unwrap();
        let circuit = CircuitNoise::uniform(p).unwrap().apply(&clean).unwrap();
        let model = circuit.to_model(&ModelParams::default().with_decompose(Decompose::Graphlike)).unwrap().model;
        let samples = crate::dem::Sampler::of_model(&model).unwrap().sample(n, &Streams::new(9));
        let wrong = |name: &str| -> Vec<bool> {
            let mut decoder = name.parse::<DecoderChoice>().unwrap().build_of_model(&model).unwrap().decoder;
            let mut out = Shots::zeros(n, 1);
            assert_eq!(decoder.decode_batch(samples.detectors.view(), &mut out.view_mut()).unwrap().decoded, n);
            (0..n).map(|k| out.row(k) != samples.observables.row(k)).collect()
        };
        let whole = wrong("matching");
        let count = |list: &[bool]| list.iter().filter(|&&wrong| wrong).count() as f64;
        assert!(count(&whole) > 200.0, "{}", count(&whole));
        // The shots are the same, so the error is that of the ones on which the two differ.
        let compare = |name: &str| {
            let parts = wrong(name);
            let differ = parts.iter().zip(&whole).filter(|(a, b)| a != b).count() as f64;
            (count(&parts) - count(&whole), differ)
        };
        let (excess, differ) = compare(&format!("matching,commit={d},buffer={d}"));
        assert!(excess.abs() <= 3.0 * differ.sqrt().max(1.0), "{d}: {excess} {differ}");
        assert!(differ < 0.05 * count(&whole), "{d}: {differ}");
        // The cut matters: without a buffer many more fail.
        let (excess, _) = compare("matching,commit=1,buffer=0");
        assert!(excess > 0.2 * count(&whole), "{d}: {excess}");
    }
}

#[test]
fn windows_answer_the_syndrome() {
    // All observables of a line of edges: the prediction is the error itself, whose syndrome is to be met.
    let model = memory(4, 12, 0.1);
    let graph = MatchingGraph::from_model(&model).unwrap();
    let n = graph.n_detectors();
    let edges: Edges =
        (0..graph.n_edges()).map(|e| (graph.ends(e).0, graph.ends(e).1, graph.weight(e), vec![e])).collect();
    let graph = MatchingGraph::from_edges(n, edges.len(), &edges).unwrap();
    let layers: Vec<i64> = (0..n).map(|v| (v / 3) as i64 - 4).collect();
    let mut rng = Streams::new(7).stream(0);
    for (commit, buffer) in [(1, 0), (1, 3), (3, 2), (12, 0), (50, 9), (1, usize::MAX), (usize::MAX, 1)] {
        let mut decoder = WindowedMatching::new(&graph, &layers, commit, buffer).unwrap();
        let mut out = Prediction::new(edges.len());
        for _ in 0..200 {
            let rate = rng.random_range(0.0..0.6);
            let mut syndrome = vec![0u64; words_per_row(n)];
            (0..n).filter(|_| rng.random::<f64>() < rate).for_each(|i| syndrome[i / 64] |= 1 << (i % 64));
            decoder.decode_into(&syndrome, &mut out).unwrap();
            check_edges(n, &edges, &syndrome, &out.observables.iter_ones().collect::<Vec<_>>(), out.weight);
        }
    }
    let few = WindowedMatching::new(&graph, &[0], 1, 1).unwrap_err().to_string();
    assert_eq!(few, "layers of detectors: 1 given, 36 expected");
    let choice: DecoderChoice = "matching,commit=1,buffer=1".parse().unwrap();
    let error = choice.build_of_model(&"detector(1) D1\nerror(0.1) D1".parse().unwrap()).unwrap_err().to_string();
    assert_eq!(
        error,
        "matching in windows does not apply: detector 0 has no coordinates, the last of which is its time"
    );
}

#[test]
fn beliefs_know_of_correlations() {
    // Depolarizing noise: Y errors are two edges of the matching graph, one mechanism of belief propagation.
    let code = crate::code::parse("rotated-surface:5").unwrap();
    let table = crate::PauliTable::depolarizing(25, 0.1).unwrap();
    let problem = crate::noise::independent_paulis(&code, &table).unwrap();
    let n = 10_000;
    let samples = crate::dem::Sampler::new(&problem).sample(n, &Streams::new(8));
    let failures = |name: &str| {
        let mut decoder = name.parse::<DecoderChoice>().unwrap().build(&problem).unwrap().decoder;
        let mut out = Shots::zeros(n, problem.n_observables());
        let report = decoder.decode_batch(samples.detectors.view(), &mut out.view_mut()).unwrap();
        assert_eq!(report.decoded, n);
        (0..n).filter(|&k| out.row(k) != samples.observables.row(k)).count() as f64
    };
    let (plain, correlated, belief) =
        (failures("matching"), failures("matching:correlated"), failures("belief-matching"));
    assert!(correlated < 0.95 * plain && belief < 0.9 * plain, "{plain} {correlated} {belief}");
    // Both stages are needed.
    let mut decoder = BeliefMatching::from_problem(&problem, crate::decode::BpParams::default().iterations(5)).unwrap();
    let mut out = Prediction::new(problem.n_observables());
    let matched = (0..500).filter(|&k| {
        decoder.decode_into(samples.detectors.row(k), &mut out).unwrap();
        decoder.matched()
    });
    assert!((20..480).contains(&matched.count()));
}
