//! Circuits against Stim's files: what generators write, reference samples, records turned into events.
//!
//! `tests/data/circuit/make.py` writes the files; `bicycle_18.stim` is the memory of a code of 18 qubits in the form of the
//! shared models of bivariate bicycle codes.

use std::fs;
use std::path::Path;

use linalg_core::Streams;
use quantum_ec::circuit::{
    BicycleMemory, Circuit, CircuitNoise, CircuitSampler, Detectors, Gate, MEMORIES, Memory, RecordConverter,
};
use quantum_ec::dem::FlatInstruction;
use quantum_ec::rand::RngExt;
use quantum_ec::{DetectorErrorModel, Error, Shots};

fn text(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).unwrap()
}

#[test]
fn memories_are_those_of_stim() {
    let mut noise = CircuitNoise::uniform(0.0).unwrap();
    for (knob, p) in [
        ("after_clifford_depolarization", 0.001),
        ("before_round_data_depolarization", 0.002),
        ("before_measure_flip_probability", 0.003),
        ("after_reset_flip_probability", 0.004),
    ] {
        noise.set(knob, p).unwrap();
    }
    for (name, memory) in MEMORIES {
        let golden = text(&format!("circuit/{}.stim", name.replace(':', "_")));
        let circuit = noise.apply(&memory.circuit(3, 3).unwrap()).unwrap();
        assert_eq!(circuit.to_string(), golden, "{name}");
        assert_eq!(golden.parse::<Circuit>().unwrap(), circuit);
        assert_eq!(name.parse::<Memory>().unwrap().to_string(), name);
    }
    let code = BicycleMemory { orders: [3, 3], a: [(0, 0), (0, 1), (1, 0)], b: [(0, 0), (0, 1), (2, 1)] };
    let circuit = CircuitNoise::depolarizing(0.002).unwrap().apply(&code.circuit(2, Detectors::Both).unwrap()).unwrap();
    assert_eq!(circuit.to_string(), text("circuit/bicycle_18.stim"));
}

#[test]
fn sizes_are_checked() {
    let message = |result: Result<Circuit, Error>| result.unwrap_err().to_string();
    assert_eq!(message(Memory::Repetition.circuit(1, 1)), "distance is 1, expected at least 2");
    assert_eq!(message(Memory::ColorXyz.circuit(4, 2)), "distance is 4, expected an odd number from 3");
    assert_eq!(message(Memory::ColorXyz.circuit(3, 1)), "rounds is 1, expected at least 2");
    assert_eq!(message(Memory::RotatedSurfaceX.circuit(3, 0)), "rounds is 0, expected at least 1");
    assert!(
        message(Memory::RotatedSurfaceX.circuit(usize::MAX, 3)).starts_with("building a circuit: number of qubits is")
    );
    let terms = [(0, 0), (0, 1), (1, 0)];
    let bicycle = |orders, rounds| BicycleMemory { orders, a: terms, b: terms }.circuit(rounds, Detectors::Z);
    assert_eq!(
        message(bicycle([1024, 1024], 1)),
        "building a circuit: number of data qubits is 2097152, at most 20000 is possible"
    );
    assert!(message(bicycle([100, 100], 10_000)).starts_with("building a circuit: qubits times rounds is 400000000"));
    // Rounds stay folded.
    let long = Memory::RotatedSurfaceZ.circuit(3, 1 << 40).unwrap();
    assert_eq!(long.counts().measurements, (8 << 40) + 9);
    let error = CircuitSampler::new(&long).unwrap_err();
    assert!(error.to_string().contains("number of operations is"), "{error}");
    for (name, message) in [
        ("uniform:0.1", "circuit noise \"uniform:0.1\" is unknown, expected one of circuit:"),
        ("circuit:si1001:0.1", "circuit noise \"circuit:si1001:0.1\" is unknown"),
        ("circuit:si1000:0.3", "record_flip_probability is 1.5, expected a probability from 0 to 1"),
        ("circuit:uniform:x", "probability of circuit noise is \"\\\"x\\\"\", expected a number from 0 to 1"),
        (
            "circuit:uniform:0.1,idle=0.1",
            "probability of circuit noise \"idle\" is unknown, expected one of single_qubit",
        ),
        ("circuit:uniform:NaN", "single_qubit_depolarization is NaN, expected a probability"),
    ] {
        let error = name.parse::<CircuitNoise>().unwrap_err().to_string();
        assert!(error.replace("\\\"x\\\"", "x").starts_with(&message.replace("\\\"x\\\"", "x")), "{error}");
    }
}

/// SI1000 on a circuit with one of each.
#[test]
fn idle_qubits_get_their_noise() {
    let clean: Circuit = "R 0 1 2\nTICK\nCZ 0 1\nTICK\nH 0\nTICK\nM 0\nDETECTOR rec[-1]\nTICK\nM 1 2".parse().unwrap();
    let noisy = "circuit:si1000:0.01".parse::<CircuitNoise>().unwrap().apply(&clean).unwrap();
    assert_eq!(
        noisy.to_string(),
        "R 0 1 2\nX_ERROR(0.02) 0 1 2\nTICK\nCZ 0 1\nDEPOLARIZE2(0.01) 0 1\nDEPOLARIZE1(0.001) 2\nTICK\nH 0\n\
         DEPOLARIZE1(0.001) 0 1 2\nTICK\nM(0.05) 0\nDEPOLARIZE1(0.020973333333333333) 1 2\nDETECTOR rec[-1]\nTICK\n\
         M(0.05) 1 2\nDEPOLARIZE1(0.020973333333333333) 0\n"
    );
    let ion = "circuit:ion:0.01,idle_qubits=data".parse::<CircuitNoise>().unwrap().apply(&clean).unwrap();
    assert!(ion.to_string().contains("DEPOLARIZE2(0.01) 0 1\nDEPOLARIZE1(0.0001) 2\n"));
    // Feedback is free of noise, and what is there stays.
    let clean: Circuit = "M(0.1) 0\nX_ERROR(0.25) 1\nCX rec[-1] 1 0 1".parse().unwrap();
    let noisy = CircuitNoise::uniform(0.5).unwrap().apply(&clean).unwrap();
    assert_eq!(
        noisy.to_string(),
        "X_ERROR(0.5) 0\nM(0.1) 0\nX_ERROR(0.25) 1\nCX rec[-1] 1 0 1\nDEPOLARIZE2(0.5) 0 1\n"
    );
}

/// Noise, operation by operation. Equal ones that follow each other are one: the end of a block keeps them apart.
fn noisy_operations(noise: &str, clean: &str) -> Vec<String> {
    let noisy = noise.parse::<CircuitNoise>().unwrap().apply(&clean.parse().unwrap()).unwrap();
    let mut operations: Vec<String> = Vec::new();
    for step in noisy.operations() {
        let text = step.operation.to_string();
        match (text.split_once(' '), operations.last_mut()) {
            (Some((head, targets)), Some(last)) if last.split(' ').next() == Some(head) => {
                last.push(' ');
                last.push_str(targets);
            }
            _ => operations.push(text),
        }
    }
    operations
}

/// Blocks that are entered otherwise than they are left, against the same circuits without blocks.
#[test]
fn rounds_begin_in_blocks_as_without_them() {
    let noise = "circuit:uniform:0.01";
    let check = |before: &str, body: &str, after: &str| {
        for count in [1, 2, 3, 5] {
            let folded = format!("{before}REPEAT {count} {{\n{body}}}\n{after}");
            let flat = format!("{before}{}{after}", body.repeat(count));
            assert_eq!(noisy_operations(noise, &folded), noisy_operations(noise, &flat), "{folded}");
        }
    };
    let rounds = "CX 0 1\nTICK\nCX 2 1\nTICK\nMR 1\n";
    check("R 0 1 2\nTICK\n", rounds, "M 0 2\n");
    check("R 0 1\n", "TICK\nCX 0 1\nTICK\nH 0\n", "TICK\nM 0 1\n");
    check("R 0 1\nTICK\n", "R 1\nTICK\nCX 0 1\nTICK\nM 1\nTICK\n", "M 0\n");
    check("H 0\nTICK\n", "TICK\nR 1\n", "TICK\nM 0\n");
    check("R 0 1 2\nTICK\n", &format!("H 0\nTICK\nREPEAT 3 {{\n{rounds}}}\nTICK\n"), "M 0 2\n");
    let clean = format!("R 0 1 2\nTICK\nREPEAT[round] 10 {{\n{rounds}}}\nM 0 2");
    let noisy = |preset: &str| preset.parse::<CircuitNoise>().unwrap().apply(&clean.parse().unwrap()).unwrap();
    let first = "CX 0 1\nDEPOLARIZE2(0.01) 0 1\nTICK\nCX 2 1\nDEPOLARIZE2(0.01) 2 1\nTICK\n\
                 X_ERROR(0.01) 1\nMR 1\nX_ERROR(0.01) 1\n";
    let other = first.replace("0 1\nTICK\n", "0 1\nTICK\nDEPOLARIZE1(0.01) 0 2\n");
    let block: String = other.lines().map(|line| format!("    {line}\n")).collect();
    assert_eq!(
        noisy(noise).to_string(),
        format!(
            "R 0 1 2\nX_ERROR(0.01) 0 1 2\nTICK\nDEPOLARIZE1(0.01) 0 2\n{first}REPEAT[round] 9 {{\n{block}}}\n\
             X_ERROR(0.01) 0 2\nM 0 2\n"
        )
    );
    // Without noise of rounds nothing comes out of the block.
    assert_eq!(noisy("circuit:si1000:0.01").to_string().matches("CX 0 1").count(), 1);
    // Every block of these doubles what is inside.
    let deep = format!("H 0\n{}M 1\n{}", "REPEAT 2 {\nTICK\nH 0\n".repeat(40), "}\n".repeat(40));
    let error = noise.parse::<CircuitNoise>().unwrap().apply(&deep.parse().unwrap()).unwrap_err();
    assert!(matches!(error, Error::TooLarge { method: "circuit noise", bound: 4_194_304, .. }), "{error}");
}

/// Layers of measurements and of resets one after the other end one round.
#[test]
fn data_wait_once_a_round() {
    let rounds = |clean: &str| {
        let operations = noisy_operations("circuit:uniform:0,before_round_data_depolarization=0.25", clean);
        operations.iter().filter(|operation| operation.starts_with("DEPOLARIZE1")).count()
    };
    let round = |layers: &str| format!("R 0 1\nTICK\n{}M 0", format!("CX 0 1\nTICK\n{layers}TICK\n").repeat(3));
    // Before each of three rounds, and after the last.
    for layers in ["MR 1\n", "M 1\nR 1\n", "M 1\nTICK\nR 1\n", "M 1\nDETECTOR rec[-1]\nTICK\nTICK\nR 1\n"] {
        assert_eq!(rounds(&round(layers)), 4, "{layers}");
    }
    // Gates in between, and measurements one after the other.
    for layers in ["M 1\nTICK\nH 1\nTICK\nR 1\n", "M 1\nTICK\nM 2\n"] {
        assert_eq!(rounds(&round(layers)), 7, "{layers}");
    }
    let code = BicycleMemory { orders: [3, 3], a: [(0, 0), (0, 1), (1, 0)], b: [(0, 0), (0, 1), (2, 1)] };
    assert_eq!(rounds(&code.circuit(5, Detectors::Z).unwrap().to_string()), 6);
}

#[test]
fn reference_samples_are_those_of_stim() {
    let golden = text("circuit/references.txt");
    let mut circuit = String::new();
    let (mut count, mut ones) = (0, 0);
    for line in golden.lines() {
        match line.strip_prefix('#') {
            None => circuit += &format!("{line}\n"),
            Some(expected) => {
                let parsed: Circuit = std::mem::take(&mut circuit).parse().unwrap();
                let sample = parsed.reference_sample().unwrap();
                assert_eq!(sample.to_string(), expected, "circuit {count}");
                count += 1;
                ones += sample.weight();
            }
        }
    }
    assert!(count == 12 && ones > 200, "{count} circuits, {ones} ones");
}

#[test]
fn records_become_events() {
    let golden = text("circuit/events.txt");
    let (circuit, table) = golden.split_once("#\n").unwrap();
    let circuit: Circuit = circuit.parse().unwrap();
    let bits = |text: &str| text.bytes().map(|b| b == b'1').collect::<Vec<bool>>();
    let rows: Vec<Vec<Vec<bool>>> = table.lines().map(|line| line.split(' ').map(bits).collect()).collect();
    let shots = |k: usize| {
        let mut shots = Shots::zeros(rows.len(), rows[0][k].len());
        for (i, row) in rows.iter().enumerate() {
            row[k].iter().enumerate().for_each(|(j, &b)| shots.set(i, j, b));
        }
        shots
    };
    let events = RecordConverter::new(&circuit).unwrap().convert(shots(0).view());
    assert_eq!((events.detectors, events.observables), (shots(1), shots(2)));
    let pauli: Circuit = "OBSERVABLE_INCLUDE(3) X1".parse().unwrap();
    assert_eq!(
        RecordConverter::new(&pauli).unwrap_err().to_string(),
        "conversion of records does not apply: observable 3 has Pauli targets, which no record shows"
    );
}

/// The records of a shot give its detection events; heralds are records.
#[test]
fn records_and_events_of_a_seed_agree() {
    let clean =
        Memory::RotatedSurfaceZ.circuit(3, 4).unwrap().to_string().replace("MR ", "HERALDED_ERASE(0.05) 1 3\nMR ");
    let noisy = CircuitNoise::uniform(0.01).unwrap().apply(&clean.parse().unwrap()).unwrap();
    let sampler = CircuitSampler::new(&noisy).unwrap();
    let (n, streams) = (3000, Streams::new(5));
    let events = sampler.sample(n, &streams);
    let reference = noisy.reference_sample().unwrap();
    let records = sampler.sample_measurements(n, reference.words(), &streams).unwrap();
    assert_eq!(RecordConverter::new(&noisy).unwrap().convert(records.view()), events);
    assert_eq!(sampler.n_heralds(), 8);
    let heralds: usize = (0..n).map(|shot| events.heralds.view().ones(shot).count()).sum();
    // 1200 expected, deviation 34.
    assert!((1030..1370).contains(&heralds), "{heralds}");
    // A prefix is the same, on any number of threads.
    for (m, threads) in [(n, 2), (2100, 3), (5, 4)] {
        let again = sampler.clone().with_threads(threads).sample(m, &streams);
        for shot in 0..m {
            assert_eq!(again.detectors.row(shot), events.detectors.row(shot));
            assert_eq!(again.observables.row(shot), events.observables.row(shot));
        }
    }
    // From a later unit on.
    let (mut detectors, mut observables) = (Shots::zeros(900, sampler.n_detectors()), Shots::zeros(900, 1));
    sampler.sample_into(2, &streams, detectors.view_mut(), observables.view_mut(), None);
    assert_eq!(detectors.row(899), events.detectors.row(2048 + 899));
}

/// Rates of detectors and all pair correlations against Stim's error model: `⟨(-1)^(a + b)⟩ = Π(1 - 2p)` over the mechanisms that
/// flip exactly one of a and b.
fn check_correlations(circuit: &Circuit, model: &DetectorErrorModel, shots: usize, seed: u64) {
    let sampler = CircuitSampler::new(circuit).unwrap();
    let samples = sampler.sample(shots, &Streams::new(seed));
    let (n, m) = (sampler.n_detectors(), sampler.n_observables());
    // The last is never flipped: pairs with it are rates.
    let size = n + m + 1;
    let mut logs = vec![0.0; size * size];
    for instruction in model.flat_instructions() {
        let FlatInstruction::Error { probability, targets, shift, .. } = instruction else { continue };
        let mut flipped = vec![false; size];
        for target in targets {
            match target {
                quantum_ec::dem::Target::Detector(k) => flipped[(k + shift) as usize] ^= true,
                quantum_ec::dem::Target::Observable(k) => flipped[n + *k as usize] ^= true,
                quantum_ec::dem::Target::Separator => {}
            }
        }
        for i in 0..size {
            for j in 0..i {
                if flipped[i] != flipped[j] {
                    logs[i * size + j] += (-2.0 * probability).ln_1p();
                }
            }
        }
    }
    let mut differ = vec![0u32; size * size];
    for shot in 0..shots {
        let mut bits = vec![false; size];
        samples.detectors.view().ones(shot).for_each(|k| bits[k] = true);
        samples.observables.view().ones(shot).for_each(|k| bits[n + k] = true);
        for i in 0..size {
            for j in 0..i {
                differ[i * size + j] += u32::from(bits[i] != bits[j]);
            }
        }
    }
    let mut worst = 0.0f64;
    for i in 0..size {
        for j in 0..i {
            let expected = -(logs[i * size + j]).exp_m1() / 2.0;
            let deviation = (expected * (1.0 - expected) * shots as f64).sqrt();
            let z = (f64::from(differ[i * size + j]) - expected * shots as f64) / deviation.max(1e-9);
            worst = worst.max(z.abs());
        }
    }
    assert!(worst < 5.0, "{worst} standard deviations among {} pairs", size * (size - 1) / 2);
    assert!(worst > 1.0, "so many pairs never agree so well");
}

fn uniform(memory: Memory, distance: usize, rounds: u64, p: f64) -> Circuit {
    CircuitNoise::uniform(p).unwrap().apply(&memory.circuit(distance, rounds).unwrap()).unwrap()
}

/// 10⁵ shots with seed 11; the pairs are not independent, five deviations among 250 by chance are rarer than 10⁻⁴.
#[test]
fn correlations_are_those_of_the_error_model() {
    let model = text("circuit_level/rotated_x_d3_r2_p0.01.dem").parse().unwrap();
    check_correlations(&uniform(Memory::RotatedSurfaceX, 3, 2, 0.01), &model, 100_000, 11);
}

#[test]
#[ignore = "10⁶ shots of every pair of detectors; run by .ci/long"]
fn correlations_at_full_size() {
    for (name, memory, distance, rounds, p) in [
        ("rotated_x_d3_r2_p0.01", Memory::RotatedSurfaceX, 3, 2, 0.01),
        ("rotated_z_d3_r1_p0.02", Memory::RotatedSurfaceZ, 3, 1, 0.02),
        ("repetition_d3_r8_p0.03", Memory::Repetition, 3, 8, 0.03),
        ("repetition_d5_r4_p0.08", Memory::Repetition, 5, 4, 0.08),
    ] {
        let model = text(&format!("circuit_level/{name}.dem")).parse().unwrap();
        check_correlations(&uniform(memory, distance, rounds, p), &model, 1_000_000, 12);
    }
}

/// Counts of outcomes against their probabilities: chi square within five deviations of its mean.
fn check_law(circuit: &str, law: &[f64], seed: u64) {
    let circuit: Circuit = circuit.parse().unwrap();
    let shots = 200_000;
    let samples = CircuitSampler::new(&circuit).unwrap().sample(shots, &Streams::new(seed));
    let mut counts = vec![0u32; 1 << samples.detectors.n_bits()];
    (0..shots).for_each(|shot| counts[samples.detectors.row(shot)[0] as usize] += 1);
    assert_eq!(counts.len(), law.len());
    let mut chi_square = 0.0;
    let mut cells = 0.0;
    for (&count, &p) in counts.iter().zip(law) {
        if p > 0.0 {
            chi_square += (f64::from(count) - shots as f64 * p).powi(2) / (shots as f64 * p);
            cells += 1.0;
        } else {
            assert_eq!(count, 0, "an outcome that cannot be");
        }
    }
    if cells < 2.0 {
        return;
    }
    let z = (chi_square - (cells - 1.0)) / (2.0 * (cells - 1.0f64)).sqrt();
    assert!(z < 5.0, "chi square {chi_square} for {cells} cells:\n{circuit}");
}

/// Bell pairs with qubits 2 and 3 show the Pauli matrices on 0 and 1: bits are Z0, X0, Z1, X1 (a Z is seen by XX).
fn with_bell_pairs(noise: &str) -> String {
    let measure = "MXX 0 2\nMZZ 0 2\nMXX 1 3\nMZZ 1 3\n";
    let detectors: String = (1..=4).rev().map(|k| format!("DETECTOR rec[-{k}] rec[-{}]\n", k + 4)).collect();
    let heralds = noise.contains("HERALDED");
    if heralds {
        let detectors: String = (1..=4).rev().map(|k| format!("DETECTOR rec[-{k}] rec[-{}]\n", k + 5)).collect();
        return format!("{measure}{noise}\n{measure}{detectors}DETECTOR rec[-5]\n");
    }
    format!("{measure}{noise}\n{measure}{detectors}")
}

#[test]
fn channels_follow_their_laws() {
    // Index of the outcome with Pauli matrices a and b (0 to 3 for I, X, Y, Z).
    let outcome = |a: usize, b: usize| {
        let bits = |p: usize| [0, 2, 3, 1][p];
        bits(a) | bits(b) << 2
    };
    let law = |cases: &[(usize, usize, f64)]| {
        let mut law = vec![0.0; 16];
        law[0] = 1.0 - cases.iter().map(|case| case.2).sum::<f64>();
        cases.iter().for_each(|&(a, b, p)| law[outcome(a, b)] += p);
        law
    };
    check_law(&with_bell_pairs("X_ERROR(0.1) 0"), &law(&[(1, 0, 0.1)]), 1);
    check_law(&with_bell_pairs("Y_ERROR(0.9) 1"), &law(&[(0, 2, 0.9)]), 2);
    check_law(&with_bell_pairs("Z_ERROR(1) 1"), &law(&[(0, 3, 1.0)]), 3);
    check_law(&with_bell_pairs("DEPOLARIZE1(0.3) 0"), &law(&[(1, 0, 0.1), (2, 0, 0.1), (3, 0, 0.1)]), 4);
    let all: Vec<(usize, usize, f64)> = (1..16).map(|k| (k / 4, k % 4, 0.6 / 15.0)).collect();
    check_law(&with_bell_pairs("DEPOLARIZE2(0.6) 0 1"), &law(&all), 5);
    check_law(&with_bell_pairs("PAULI_CHANNEL_1(0.1, 0.2, 0.4) 1"), &law(&[(0, 1, 0.1), (0, 2, 0.2), (0, 3, 0.4)]), 6);
    let cases: Vec<(usize, usize, f64)> = (1..16).map(|k| (k / 4, k % 4, 0.005 * k as f64)).collect();
    let arguments: Vec<String> = cases.iter().map(|case| case.2.to_string()).collect();
    check_law(&with_bell_pairs(&format!("PAULI_CHANNEL_2({}) 0 1", arguments.join(", "))), &law(&cases), 7);
    // Cases of a chain exclude each other; a second chain does not.
    check_law(
        &with_bell_pairs("E(0.25) X0 Y1\nELSE_CORRELATED_ERROR(0.5) Z0\nELSE_CORRELATED_ERROR(0.2) Z1 X0\nE(0) X0"),
        &law(&[(1, 2, 0.25), (3, 0, 0.375), (1, 3, 0.075)]),
        8,
    );
    let mut erased = vec![0.0; 32];
    erased[0] = 0.6;
    (0..4).for_each(|a| erased[16 | outcome(a, 0)] = 0.1);
    check_law(&with_bell_pairs("HERALDED_ERASE(0.4) 0"), &erased, 9);
    let mut erased = vec![0.0; 32];
    erased[0] = 0.5;
    [0.05, 0.1, 0.15, 0.2].iter().enumerate().for_each(|(b, &p)| erased[16 | outcome(0, b)] = p);
    check_law(&with_bell_pairs("HERALDED_PAULI_CHANNEL_1(0.05, 0.1, 0.15, 0.2) 1"), &erased, 10);
    check_law(
        "M(0.125) 0\nMPP(0.25) Z0*Z1\nMPAD(0.5) 1\nDETECTOR rec[-3]\nDETECTOR rec[-2]\nDETECTOR rec[-1]",
        &{
            let mut law = vec![0.0; 8];
            for (k, p) in law.iter_mut().enumerate() {
                let factor = |bit: usize, q: f64| if k >> bit & 1 == 1 { q } else { 1.0 - q };
                *p = factor(0, 0.125) * factor(1, 0.25) * factor(2, 0.5);
            }
            law
        },
        11,
    );
    // A detector that is not certain is random; feedback follows the record.
    check_law("RX 0\nM 0\nDETECTOR rec[-1]\nCX rec[-1] 1\nM 1\nDETECTOR rec[-1] rec[-2]", &[0.5, 0.5, 0.0, 0.0], 12);
    check_law("X_ERROR(0.25) 0\nM 0\nCX rec[-1] 1\nMR 1\nDETECTOR rec[-1]", &[0.75, 0.25], 13);
}

/// Matrices of Stim's gate data; the first qubit is the lowest bit.
struct Unitaries(Vec<(Gate, Matrix)>);

/// Rows of real and imaginary parts.
type Matrix = Vec<Vec<(f64, f64)>>;

impl Unitaries {
    fn read() -> Self {
        let mut list: Vec<(Gate, Matrix)> = Vec::new();
        for line in text("circuit/unitaries.txt").lines() {
            let mut words = line.split(' ');
            let gate: Gate = words.next().unwrap().parse().unwrap();
            let values: Vec<f64> = words.map(|word| word.parse().unwrap()).collect();
            let row = values.chunks(2).map(|pair| (pair[0], pair[1])).collect();
            match list.last_mut() {
                Some((last, rows)) if *last == gate => rows.push(row),
                _ => list.push((gate, vec![row])),
            }
        }
        Self(list)
    }
}

/// All amplitudes of a state.
struct StateVector {
    amplitudes: Vec<(f64, f64)>,
}

impl StateVector {
    fn apply(&mut self, matrix: &[Vec<(f64, f64)>], qubits: &[usize]) {
        let old = self.amplitudes.clone();
        for (index, new) in self.amplitudes.iter_mut().enumerate() {
            let row = qubits.iter().enumerate().map(|(k, q)| (index >> q & 1) << k).sum::<usize>();
            *new = (0.0, 0.0);
            for (column, &(re, im)) in matrix[row].iter().enumerate() {
                let mut from = index;
                for (k, q) in qubits.iter().enumerate() {
                    from = from & !(1 << q) | (column >> k & 1) << q;
                }
                let (a, b) = old[from];
                *new = (new.0 + re * a - im * b, new.1 + re * b + im * a);
            }
        }
    }

    /// The Pauli product on the state.
    fn pauli(&self, factors: &[(u32, quantum_ec::Pauli)]) -> Vec<(f64, f64)> {
        let mut out = vec![(0.0, 0.0); self.amplitudes.len()];
        for (index, &(mut re, mut im)) in self.amplitudes.iter().enumerate() {
            let mut to = index;
            for &(q, pauli) in factors {
                let one = index >> q & 1 == 1;
                match pauli {
                    quantum_ec::Pauli::I => {}
                    quantum_ec::Pauli::X => to ^= 1 << q,
                    quantum_ec::Pauli::Y => {
                        to ^= 1 << q;
                        (re, im) = if one { (im, -re) } else { (-im, re) };
                    }
                    quantum_ec::Pauli::Z => {
                        if one {
                            (re, im) = (-re, -im);
                        }
                    }
                }
            }
            out[to] = (re, im);
        }
        out
    }

    /// Projects on the eigenvalue -1 if `result`; the probability of that.
    fn project(&mut self, factors: &[(u32, quantum_ec::Pauli)], result: bool) -> f64 {
        let image = self.pauli(factors);
        let sign = if result { -0.5 } else { 0.5 };
        let mut norm = 0.0;
        for (a, b) in self.amplitudes.iter_mut().zip(image) {
            *a = (0.5 * a.0 + sign * b.0, 0.5 * a.1 + sign * b.1);
            norm += a.0 * a.0 + a.1 * a.1;
        }
        let scale = norm.sqrt().recip();
        self.amplitudes.iter_mut().for_each(|a| *a = (a.0 * scale, a.1 * scale));
        norm
    }
}

/// Random circuits on up to six qubits: every record of a random run is possible for the state vector, certain if the
/// simulator did not ask, and of probability one half if it did.
#[test]
fn stabilizer_states_are_state_vectors() {
    use quantum_ec::Pauli;
    use quantum_ec::circuit::{Kind, Operation, StabilizerSimulator, Target};

    let unitaries = Unitaries::read();
    assert_eq!(unitaries.0.len(), 46);
    let mut rng = Streams::new(21).stream(0);
    let (mut uncertain, mut certain) = (0, 0);
    for _ in 0..300 {
        let n = rng.random_range(2..7u32);
        let mut state = StateVector { amplitudes: vec![(0.0, 0.0); 1 << n] };
        state.amplitudes[0] = (1.0, 0.0);
        let mut simulator = StabilizerSimulator::new(n as usize).unwrap();
        for _ in 0..60 {
            let a = rng.random_range(0..n);
            let b = (a + rng.random_range(1..n)) % n;
            let pauli = |rng: &mut _| Pauli::ERRORS[RngExt::random_range(rng, 0..3u32) as usize];
            let product: Vec<(u32, Pauli)> = [a, b].iter().map(|&q| (q, pauli(&mut rng))).collect();
            let targets: Vec<Target> = product.iter().map(|&(q, pauli)| Target::pauli(pauli, q)).collect();
            let product_targets = vec![targets[0], Target::Combiner, targets[1]];
            let basis = [Gate::Mx, Gate::My, Gate::M, Gate::Rx, Gate::Ry, Gate::R, Gate::Mrx, Gate::Mry, Gate::Mr];
            match rng.random_range(0..10u32) {
                0..6 => {
                    let (gate, matrix) = &unitaries.0[rng.random_range(0..46u32) as usize];
                    let qubits: Vec<u32> = if matrix.len() == 2 { vec![a] } else { vec![a, b] };
                    simulator.run(&Operation::on_qubits(*gate, vec![], qubits.clone()), || unreachable!("a unitary"));
                    state.apply(matrix, &qubits.iter().map(|&q| q as usize).collect::<Vec<_>>());
                }
                6 => {
                    // exp(-iπ/4 P) up to a phase: (1 - i P)/√2.
                    let gate = if rng.random::<bool>() { Gate::Spp } else { Gate::SppDag };
                    simulator.run(&Operation::new(gate, vec![], product_targets), || unreachable!("a unitary"));
                    let image = state.pauli(&product);
                    let sign = if gate == Gate::Spp { 0.5f64.sqrt() } else { -(0.5f64.sqrt()) };
                    for (a, b) in state.amplitudes.iter_mut().zip(image) {
                        *a = (0.5f64.sqrt() * a.0 + sign * b.1, 0.5f64.sqrt() * a.1 - sign * b.0);
                    }
                }
                kind => {
                    let mut asked = None;
                    let guess = rng.random::<bool>();
                    let (operation, factors) = match kind {
                        7 => (Operation::new(Gate::Mpp, vec![], product_targets), product),
                        8 => {
                            let pauli = pauli(&mut rng);
                            let gate = [Gate::Mxx, Gate::Myy, Gate::Mzz][pauli as usize - 1];
                            (Operation::on_qubits(gate, vec![], [a, b]), vec![(a, pauli), (b, pauli)])
                        }
                        _ => {
                            let gate = basis[rng.random_range(0..9u32) as usize];
                            let (Kind::Measure(p) | Kind::Reset(p) | Kind::MeasureReset(p)) = gate.kind() else {
                                unreachable!("one of these")
                            };
                            (Operation::on_qubits(gate, vec![], [a]), vec![(a, p)])
                        }
                    };
                    simulator.run(&operation, || {
                        asked = Some(guess);
                        guess
                    });
                    let records = simulator.records();
                    let reset = matches!(operation.gate.kind(), Kind::Reset(_));
                    let result = match asked {
                        Some(result) => result,
                        // A reset leaves no record: the certain result is the one that is possible.
                        None if reset => {
                            let image = state.pauli(&factors);
                            let mean: f64 =
                                state.amplitudes.iter().zip(image).map(|(a, b)| a.0 * b.0 + a.1 * b.1).sum();
                            mean < 0.0
                        }
                        None => records.get(records.len() - 1),
                    };
                    let probability = state.project(&factors, result);
                    let expected = if asked.is_some() { 0.5 } else { 1.0 };
                    assert!((probability - expected).abs() < 1e-6, "{operation}: {probability} for {expected}");
                    if !reset {
                        assert_eq!(records.get(records.len() - 1), result);
                    }
                    if result
                        && !matches!(
                            operation.gate.kind(),
                            Kind::Measure(_) | Kind::MeasurePair(_) | Kind::MeasureProduct
                        )
                    {
                        let flip = if factors[0].1 == Pauli::X { Pauli::Z } else { Pauli::X };
                        state.amplitudes = state.pauli(&[(a, flip)]);
                    }
                    if asked.is_some() { uncertain += 1 } else { certain += 1 }
                }
            }
        }
    }
    assert!(uncertain > 1000 && certain > 500, "{uncertain} and {certain}");
}

/// `noiseless_sample` draws what is uncertain and keeps what follows from it.
#[test]
fn uncertain_records_are_drawn() {
    let circuit: Circuit = "H 0\nCX 0 1 1 2\nM 0 1 !2\nMPP X0*X1*X2".parse().unwrap();
    let mut rng = Streams::new(3).stream(0);
    let mut counts = [0u32; 2];
    for _ in 0..2000 {
        let sample = circuit.noiseless_sample(&mut rng).unwrap();
        assert!(sample.get(0) == sample.get(1) && sample.get(1) != sample.get(2));
        counts[usize::from(sample.get(0))] += 1;
    }
    // Deviation 22.
    assert!(counts.iter().all(|&c| (880..1120).contains(&c)), "{counts:?}");
}

#[test]
fn threads_can_share() {
    fn shared<T: Send + Sync>() {}
    shared::<Circuit>();
    shared::<CircuitSampler>();
    shared::<RecordConverter>();
    shared::<CircuitNoise>();
    shared::<quantum_ec::circuit::StabilizerSimulator>();
}

/// A change of these numbers is one for the changelog, under "Numbers".
#[test]
fn streams_stay_as_they_are() {
    let samples =
        CircuitSampler::new(&uniform(Memory::RotatedSurfaceX, 3, 3, 0.01)).unwrap().sample(2048, &Streams::new(1));
    let ones = |from: usize| (from..from + 1024).map(|k| samples.detectors.view().ones(k).count()).sum::<usize>();
    assert_eq!([ones(0), ones(1024)], [2789, 2766]);
}

#[test]
fn certain_noise_on_no_qubit_leaves_the_rest_alone() {
    for nothing in ["X_ERROR(1)", "DEPOLARIZE1(1)", "DEPOLARIZE2(1)", "PAULI_CHANNEL_1(0.5,0.25,0.25)", "X_ERROR(0)"] {
        let circuit: Circuit = format!("{nothing}\nX_ERROR(0.5) 0\nM 0\nDETECTOR rec[-1]\n").parse().unwrap();
        let samples = CircuitSampler::new(&circuit).unwrap().sample(10_000, &Streams::new(5));
        let fired = (0..10_000).filter(|&shot| samples.detectors.row(shot)[0] & 1 == 1).count() as f64;
        // Seed 5, 10⁴ shots: a standard deviation of 50.
        assert!((fired - 5000.0).abs() < 200.0, "{nothing}: {fired}");
    }
}
