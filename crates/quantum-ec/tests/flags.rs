//! Heralds and leakage flags: laws given the flags by enumeration, erasures decoded.

use std::collections::BTreeMap;

use linalg_core::Streams;
use quantum_ec::circuit::{CircuitNoise, CircuitSampler, DetectionSamples, Memory};
use quantum_ec::decode::{Decoder, Matching, MatchingGraph};
use quantum_ec::sensitivity::{Decompose, FlaggedModel, Leakage, ModelParams};
use quantum_ec::{Circuit, DetectorErrorModel, Error, Prediction, Shots};

/// Probabilities of detectors and observables.
type Law = BTreeMap<(u64, u64), f64>;

/// A line that stays, or one of which each case happens with a probability.
enum Line {
    Always(&'static str),
    Cases(Vec<(String, f64)>),
}

/// A heralded channel with these probabilities of I, X, Y, Z: none, or one of them for certain.
fn heralded(qubit: u32, cases: [f64; 4]) -> Line {
    let certain = |k: usize| {
        let arguments: Vec<&str> = (0..4).map(|i| if i == k { "1" } else { "0" }).collect();
        format!("HERALDED_PAULI_CHANNEL_1({}) {qubit}", arguments.join(", "))
    };
    let none = 1.0 - cases.iter().sum::<f64>();
    let list = (0..5).map(|k| (certain(k), *cases.get(k).unwrap_or(&none)));
    Line::Cases(list.filter(|(_, p)| *p > 0.0).collect())
}

fn flip(gate: &str, qubit: u32, p: f64) -> Line {
    Line::Cases(vec![(format!("{gate}(0) {qubit}"), 1.0 - p), (format!("{gate}(1) {qubit}"), p)])
}

fn sample(circuit: &Circuit, n: usize, seed: u64) -> DetectionSamples {
    CircuitSampler::new(circuit).unwrap().sample(n, &Streams::new(seed))
}

/// The law of detectors and observables for each pattern of heralds, by running through all cases.
fn laws(lines: &[Line]) -> BTreeMap<u64, Law> {
    let mut laws: BTreeMap<u64, Law> = BTreeMap::new();
    let mut stack = vec![(String::new(), 1.0, 0)];
    while let Some((text, p, at)) = stack.pop() {
        match lines.get(at) {
            Some(Line::Always(line)) => stack.push((text + line + "\n", p, at + 1)),
            Some(Line::Cases(cases)) => {
                stack.extend(cases.iter().map(|(line, q)| (text.clone() + line + "\n", p * q, at + 1)));
            }
            None => {
                let samples = sample(&text.parse().unwrap(), 1, 0);
                let word = |shots: &Shots| shots.row(0).first().copied().unwrap_or(0);
                let law = laws.entry(word(&samples.heralds)).or_default();
                *law.entry((word(&samples.detectors), word(&samples.observables))).or_default() += p;
            }
        }
    }
    for law in laws.values_mut() {
        let sum: f64 = law.values().sum();
        law.values_mut().for_each(|p| *p /= sum);
    }
    laws
}

/// The law of the mechanisms given heralds, by running through all sets of them.
fn law_given(flagged: &FlaggedModel, heralds: u64) -> Law {
    let given = flagged.problem_given(&[heralds], &[]).unwrap();
    let start = [&given.detectors, &given.observables].map(|bits| bits.words().first().copied().unwrap_or(0));
    let mut law = Law::from([((start[0], start[1]), 1.0)]);
    for (j, &p) in given.problem.priors().iter().enumerate() {
        let word = |column: &[usize]| column.iter().fold(0u64, |word, &i| word | 1 << i);
        let (d, o) = (word(given.problem.checks().column(j)), word(given.problem.observables().column(j)));
        let mut next = Law::new();
        for ((a, b), q) in law {
            *next.entry((a, b)).or_default() += q * (1.0 - p);
            *next.entry((a ^ d, b ^ o)).or_default() += q * p;
        }
        law = next;
    }
    law
}

fn assert_equal(found: &Law, expected: &Law, what: &str) {
    for key in found.keys().chain(expected.keys()) {
        let [p, q] = [found, expected].map(|law| law.get(key).copied().unwrap_or(0.0));
        assert!((p - q).abs() < 1e-12, "{what}, {key:?}: {p} {q}");
    }
}

/// Two Bell pairs, on which channels act, and the detectors that tell all Pauli matrices apart; the first herald is looked at
/// by a detector and turns the observable by feedback.
fn bell_pairs(first: [f64; 4], second: [f64; 4], third: [f64; 4]) -> (Circuit, Vec<Line>) {
    let text = format!(
        "RX 0 2\nR 1 3 4\nCX 0 1 2 3\nX_ERROR(0.07) 0\nZ_ERROR(0.02) 2\n\
         HERALDED_PAULI_CHANNEL_1({}) 0\nDETECTOR rec[-1]\nCX rec[-1] 4\n\
         CX 0 2\n\
         HERALDED_PAULI_CHANNEL_1({}) 2\n\
         HERALDED_PAULI_CHANNEL_1({}) 1\n\
         CX 0 2\nMXX 0 1 2 3\nMZZ 0 1 2 3\nDETECTOR rec[-1]\nDETECTOR rec[-2]\nDETECTOR rec[-3]\n\
         OBSERVABLE_INCLUDE(1) rec[-4]\nM 4\nOBSERVABLE_INCLUDE(0) rec[-1]",
        list(first),
        list(second),
        list(third)
    );
    let lines = vec![
        Line::Always("RX 0 2\nR 1 3 4\nCX 0 1 2 3"),
        flip("X_ERROR", 0, 0.07),
        flip("Z_ERROR", 2, 0.02),
        heralded(0, first),
        Line::Always("DETECTOR rec[-1]\nCX rec[-1] 4\nCX 0 2"),
        heralded(2, second),
        heralded(1, third),
        Line::Always(
            "CX 0 2\nMXX 0 1 2 3\nMZZ 0 1 2 3\nDETECTOR rec[-1]\nDETECTOR rec[-2]\nDETECTOR rec[-3]\n\
             OBSERVABLE_INCLUDE(1) rec[-4]\nM 4\nOBSERVABLE_INCLUDE(0) rec[-1]",
        ),
    ];
    (text.parse().unwrap(), lines)
}

fn list(cases: [f64; 4]) -> String {
    cases.map(|p| p.to_string()).join(", ")
}

#[test]
fn given_heralds_the_law_is_that_of_enumeration() {
    let erase = |p: f64| [p / 4.0; 4];
    for (first, second, third) in [
        (erase(0.2), erase(0.3), erase(0.1)),
        // Coins: X or nothing, Z or Y, X for certain.
        ([0.1, 0.1, 0.0, 0.0], [0.0, 0.0, 0.2, 0.2], [0.0, 0.3, 0.0, 0.0]),
        // Two cases with different probabilities, all four with those of independent errors, likewise with an offset.
        ([0.1, 0.0, 0.0, 0.3], [0.16, 0.04, 0.01, 0.04], [0.02, 0.32, 0.08, 0.08]),
    ] {
        let (circuit, lines) = bell_pairs(first, second, third);
        let flagged = circuit.flagged_model(&ModelParams::default(), Leakage::Absent).unwrap();
        assert_eq!((flagged.n_heralds(), flagged.approximated().len()), (3, 0));
        let laws = laws(&lines);
        assert_eq!(laws.len(), 8);
        for (heralds, law) in &laws {
            assert_equal(&law_given(&flagged, *heralds), law, &format!("{first:?} {second:?} {third:?} {heralds}"));
        }
        let coins = first[0] < 0.1 || second[0] == 0.0;
        for heralds in 0..8u64 {
            let mut shots = Shots::zeros(1, 3);
            shots.row_mut(0)[0] = heralds;
            let known = flagged.convert(shots.view(), None);
            if !coins && heralds != 0 {
                let Err(Error::NotApplicable { reason, .. }) = known else { panic!("{known:?}") };
                assert!(reason.contains("HERALDED_PAULI_CHANNEL_1, line "), "{reason}");
                continue;
            }
            // The same as a row of coins.
            let (known, given) = (known.unwrap(), flagged.problem_given(&[heralds], &[]).unwrap());
            let base = flagged.problem_given(&[0], &[]).unwrap();
            for (j, &p) in given.problem.priors().iter().enumerate() {
                let expected = if known.erased.get(0, j) { 0.5 } else { base.problem.priors()[j] };
                assert!((p - expected).abs() < 1e-15, "{j}: {p} {expected}");
            }
            assert_eq!(known.detectors.row(0), given.detectors.words());
            assert_eq!(known.observables.row(0), given.observables.words());
        }
    }
}

#[test]
fn cases_that_are_not_independent_are_close() {
    // Three of four, equally likely: no independent errors are that; each herald by itself is kept to its symptoms.
    let (circuit, lines) = bell_pairs([0.05, 0.05, 0.05, 0.0], [0.0; 4], [0.0; 4]);
    let flagged = circuit.flagged_model(&ModelParams::default(), Leakage::Absent).unwrap();
    let laws = laws(&lines);
    assert_equal(&law_given(&flagged, 0), &laws[&0], "none");
    let found = law_given(&flagged, 1);
    let distance: f64 = laws[&1].iter().map(|(key, p)| (p - found[key]).abs()).sum();
    assert!(distance > 0.01 && distance < 0.7, "{distance}");
}

/// A memory in which the data is erased before the first round.
fn erased_memory(distance: usize, rounds: u64, p: f64, noise: CircuitNoise) -> Circuit {
    let clean = Memory::RotatedSurfaceZ.circuit(distance, rounds).unwrap();
    let text = noise.apply(&clean).unwrap().to_string();
    let start = text.find("R ").unwrap();
    let end = start + text[start..].find('\n').unwrap();
    let data = text[start..end].trim_start_matches("R ");
    let data: Vec<&str> = data.split(' ').take(distance * distance).collect();
    let channel = format!("\nHERALDED_ERASE({p}) {}", data.join(" "));
    (text[..end].to_owned() + &channel + &text[end..]).parse().unwrap()
}

/// Failures of matching with the erasures known, and without.
fn failures(circuit: &Circuit, n: usize, seed: u64) -> (u64, u64) {
    let samples = sample(circuit, n, seed);
    let params = ModelParams::default().with_decompose(Decompose::Graphlike);
    let flagged = circuit.flagged_model(&params, Leakage::Absent).unwrap();
    let known = flagged.convert(samples.heralds.view(), None).unwrap();
    assert!((0..n).all(|shot| known.detectors.row(shot).iter().all(|word| *word == 0)));
    let graph = |model: &DetectorErrorModel| Matching::new(MatchingGraph::from_model(model).unwrap());
    let mut with = graph(flagged.model());
    let mut without = graph(&circuit.to_model(&params).unwrap().model);
    let mut prediction = Prediction::new(samples.observables.n_bits());
    let mut count = [0, 0];
    for shot in 0..n {
        with.decode_erased_into(samples.detectors.row(shot), known.erased.row(shot), &mut prediction).unwrap();
        count[0] += u64::from(prediction.observables.words() != samples.observables.row(shot));
        without.decode_into(samples.detectors.row(shot), &mut prediction).unwrap();
        count[1] += u64::from(prediction.observables.words() != samples.observables.row(shot));
    }
    (count[0], count[1])
}

#[test]
fn known_erasures_fail_as_often_as_they_cover_a_logical_operator() {
    let (p, n) = (0.3, 20_000);
    let circuit = erased_memory(3, 1, p, CircuitNoise::default());
    let text = circuit.to_string();
    // What X on each data qubit flips.
    let line = text.lines().find(|line| line.starts_with("HERALDED_ERASE")).unwrap();
    let symptoms: Vec<(u64, u64)> = (line.split(' ').skip(1))
        .map(|qubit| {
            let flipped = text.replace(line, &format!("X_ERROR(1) {qubit}"));
            let samples = sample(&flipped.parse().unwrap(), 1, 0);
            (samples.detectors.row(0)[0], samples.observables.row(0)[0])
        })
        .collect();
    assert_eq!(symptoms.len(), 9);
    let logical: Vec<u32> = (1u32..512)
        .filter(|set| {
            let chosen = (0..9).filter(|q| set >> q & 1 == 1);
            chosen.fold((0, 0), |sum, q| (sum.0 ^ symptoms[q].0, sum.1 ^ symptoms[q].1)) == (0, 1)
        })
        .collect();
    // Then both classes are equally likely.
    let exact: f64 = (0u32..512)
        .filter(|erased| logical.iter().any(|set| set & !erased == 0))
        .map(|erased| 0.5 * p.powi(erased.count_ones() as i32) * (1.0 - p).powi(9 - erased.count_ones() as i32))
        .sum();
    let (with, without) = failures(&circuit, n, 11);
    let rate = with as f64 / n as f64;
    let z = (rate - exact) / (exact * (1.0 - exact) / n as f64).sqrt();
    assert!(z.abs() < 4.5, "{rate} for {exact}: z = {z}");
    assert!(without > 2 * with, "{with} {without}");
}

#[test]
fn knowing_erasures_helps_under_noise() {
    let n = 10_000;
    let circuit = erased_memory(5, 5, 0.15, CircuitNoise::uniform(0.004).unwrap());
    let (with, without) = failures(&circuit, n, 12);
    let (a, b) = (with as f64 / n as f64, without as f64 / n as f64);
    let z = (b - a) / ((a * (1.0 - a) + b * (1.0 - b)) / n as f64).sqrt();
    assert!(z > 6.0 && with > 0, "{a} {b}: z = {z}");
}

/// Rows of bits in reduced form.
fn span(rows: impl IntoIterator<Item = u128>) -> Vec<u128> {
    let mut basis: Vec<u128> = Vec::new();
    for mut row in rows {
        for &b in &basis {
            row = row.min(row ^ b);
        }
        if row != 0 {
            let top = 127 - row.leading_zeros();
            basis.iter_mut().filter(|b| **b >> top & 1 == 1).for_each(|b| *b ^= row);
            basis.push(row);
        }
    }
    basis.sort_unstable();
    basis
}

#[test]
fn leakage_is_what_random_matrices_at_its_operations_do() {
    // One operation a line; the second text joins them.
    let lines = [
        "R 0", "R 1", "R 2", "R 3", "R 4", "CX 0 3", "CX 1 3", "CX 1 4", "CX 2 4", "M 3", "MR 4", "CX 0 3", "CX 1 3",
        "CX 1 4", "CX 2 4", "M 3", "MR 4", "M 0", "M 1", "M 2", "RX 5", "R 6", "CX 5 6", "S 5", "S_DAG 5", "MXX 5 6",
        "MXX 5 6", "CX 5 6", "MX 5", "M 6", "M 7",
    ];
    let records = |line: &&str| line.starts_with('M');
    let n_records = lines.iter().filter(|line| records(line)).count();
    let tail = "DETECTOR rec[-12]\nDETECTOR rec[-11]\nDETECTOR rec[-10]\nDETECTOR rec[-9]\nDETECTOR rec[-8] rec[-7]\n\
                DETECTOR rec[-7]\nOBSERVABLE_INCLUDE(0) rec[-6]\nDETECTOR rec[-5]\nDETECTOR rec[-4] rec[-5]\n\
                DETECTOR rec[-3]\nDETECTOR rec[-2]\nDETECTOR rec[-1]";
    let plain = lines.join("\n") + "\n" + tail;
    let joined = plain
        .replace("R 0\nR 1\nR 2\nR 3\nR 4", "R 0 1 2 3 4")
        .replace("CX 0 3\nCX 1 3\nCX 1 4\nCX 2 4", "CX 0 3 1 3 1 4 2 4")
        .replace("M 0\nM 1\nM 2", "M 0 1 2");
    assert_eq!(joined.lines().count() + 12, plain.lines().count());
    let circuit: Circuit = joined.parse().unwrap();
    assert_eq!(circuit.counts().measurements, n_records as u64);
    let flagged = circuit.flagged_model(&ModelParams::default(), Leakage::Flagged).unwrap();
    assert_eq!((flagged.n_heralds(), flagged.n_leakage()), (0, n_records));
    let problem = flagged.model().to_problem().unwrap();
    assert!(problem.priors().iter().all(|p| *p <= 0.0));
    let word = |d: u64, o: u64| u128::from(d) | u128::from(o) << 64;
    // What a line put in after another one flips.
    let symptom = |after: usize, line: &str| {
        let mut text: Vec<&str> = lines.to_vec();
        text.insert(after, line);
        let samples = sample(&(text.join("\n") + "\n" + tail).parse().unwrap(), 1, 0);
        word(samples.detectors.row(0)[0], samples.observables.row(0)[0])
    };
    let mut sizes = Vec::new();
    for (record, (end, line)) in lines.iter().enumerate().filter(|(_, line)| records(line)).enumerate() {
        let mut leakage = Shots::zeros(1, n_records);
        leakage.set(0, record, true);
        let found = flagged.convert(Shots::zeros(1, 0).view(), Some(leakage.view()));
        if line.starts_with("MXX") {
            assert!(found.unwrap_err().to_string().contains(&format!("record {record} is flagged")));
            continue;
        }
        let (gate, qubit) = line.split_once(' ').unwrap();
        // The record itself.
        let mut text: Vec<String> = lines.iter().map(ToString::to_string).collect();
        text[end] = format!("{gate}(1) {qubit}");
        let samples = sample(&(text.join("\n") + "\n" + tail).parse().unwrap(), 1, 0);
        let mut expected = vec![word(samples.detectors.row(0)[0], samples.observables.row(0)[0])];
        for (at, line) in lines.iter().enumerate().take(end).rev() {
            let (gate, targets) = line.split_once(' ').unwrap();
            let qubits: Vec<&str> = targets.split(' ').collect();
            if qubits.contains(&qubit) {
                for q in &qubits {
                    expected.extend(["X_ERROR", "Z_ERROR"].map(|error| symptom(at + 1, &format!("{error}(1) {q}"))));
                }
                if ["R", "RX", "M", "MR", "MX"].contains(&gate) {
                    break;
                }
            }
        }
        let found = found.unwrap();
        let columns = (0..problem.n_mechanisms()).filter(|&j| found.erased.get(0, j)).map(|j| {
            let fold = |column: &[usize]| column.iter().fold(0u64, |word, &i| word | 1 << i);
            word(fold(problem.checks().column(j)), fold(problem.observables().column(j)))
        });
        let expected = span(expected);
        assert_eq!(span(columns), expected, "record {record}, {line}");
        sizes.push(expected.len());
    }
    sizes.sort_unstable();
    sizes.dedup();
    assert!(sizes.len() >= 3, "{sizes:?}");
}

#[test]
fn flags_of_another_width_are_refused() {
    let circuit: Circuit = "HERALDED_ERASE(0.1) 0\nM 0\nDETECTOR rec[-1]".parse().unwrap();
    let flagged = circuit.flagged_model(&ModelParams::default(), Leakage::Absent).unwrap();
    let wrong = std::panic::catch_unwind(|| flagged.convert(Shots::zeros(1, 2).view(), None));
    assert!(wrong.is_err());
    // Blocks have flags a repetition; a herald without noise is one nevertheless.
    let folded: Circuit =
        "REPEAT 3 {\nHERALDED_ERASE(0) 0\nR 0\nHERALDED_ERASE(0) 0\nM 0\nDETECTOR rec[-1]\n}".parse().unwrap();
    let flagged = folded.flagged_model(&ModelParams::default(), Leakage::Absent).unwrap();
    assert_eq!((flagged.n_heralds(), flagged.model().n_errors()), (6, 3));
    let mut heralds = Shots::zeros(1, 6);
    heralds.set(0, 3, true);
    heralds.set(0, 4, true);
    let known = flagged.convert(heralds.view(), None).unwrap();
    // Heralds before the reset say nothing of what comes after it.
    assert_eq!(known.erased.view().ones(0).collect::<Vec<_>>(), [1]);
    let long: Circuit = "REPEAT 1000000000000 {\nHERALDED_ERASE(0.1) 0 1\n}".parse().unwrap();
    let error = long.flagged_model(&ModelParams::default(), Leakage::Absent).unwrap_err();
    assert!(matches!(error, Error::TooLarge { what: "number of flags", bound: 4_194_304, .. }), "{error}");
}
