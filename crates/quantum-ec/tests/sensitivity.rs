//! Detecting regions and models of circuits against Stim's: files of `tests/data/sensitivity/make.py`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use quantum_ec::circuit::{BicycleMemory, CircuitNoise, Detectors, Memory};
use quantum_ec::code::BIVARIATE_BICYCLES;
use quantum_ec::dem::{LogicalErrorParams, UndetectableError, xor_probability};
use quantum_ec::sensitivity::{Decompose, DisjointErrors, GaugeDetectors, Loops, ModelParams, Sensor, Symptom};
use quantum_ec::{Circuit, DetectorErrorModel, Error};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sensitivity")
}

fn read(name: &str, extension: &str) -> String {
    fs::read_to_string(directory().join(format!("{name}.{extension}"))).unwrap()
}

fn circuit(name: &str) -> Circuit {
    read(name, "stim").parse().unwrap()
}

fn names() -> Vec<String> {
    let files = fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().path());
    let circuits = files.filter(|path| path.extension().is_some_and(|e| e == "stim"));
    let mut names: Vec<String> = circuits.map(|p| p.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    assert_eq!(names.len(), 18);
    names
}

type Table = BTreeMap<(Vec<usize>, Vec<usize>), f64>;

/// Symptoms with their probabilities, equal ones merged.
fn table(model: &DetectorErrorModel) -> Table {
    let problem = model.to_problem().unwrap();
    let mut table = Table::new();
    for j in 0..problem.n_mechanisms() {
        let symptom = (problem.checks().column(j).to_vec(), problem.observables().column(j).to_vec());
        let sum = table.entry(symptom).or_insert(0.0);
        *sum = xor_probability(*sum, problem.priors()[j]);
    }
    table
}

fn assert_equal(name: &str, found: &Table, expected: &Table) {
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{name}");
    for (symptom, p) in expected {
        assert!((found[symptom] - p).abs() < 1e-12, "{name} {symptom:?}: {} {p}", found[symptom]);
    }
}

#[test]
fn models_are_those_of_stim() {
    for name in names() {
        let expected: DetectorErrorModel = read(&name, "dem").parse().unwrap();
        for loops in [Loops::Fold, Loops::Flatten] {
            let found = circuit(&name).to_model(&ModelParams::default().with_loops(loops)).unwrap();
            assert_equal(&name, &table(&found.model), &table(&expected));
            assert_eq!(found.model.n_detectors(), expected.n_detectors(), "{name}");
            assert_eq!(found.model.n_observables(), expected.n_observables(), "{name}");
            let known = |model: &DetectorErrorModel| -> Vec<(u64, Vec<f64>)> {
                let mut list = model.coordinates().unwrap();
                list.retain(|(_, place)| !place.is_empty());
                list.sort_by_key(|(detector, _)| *detector);
                list
            };
            assert_eq!(known(&found.model), known(&expected), "{name}");
            // What is printed is read as the same model.
            assert_eq!(found.model.to_string().parse::<DetectorErrorModel>().unwrap(), found.model, "{name}");
            assert_eq!(found.approximated.is_empty(), name != "everything");
        }
    }
}

#[test]
fn regions_are_those_of_stim() {
    let mut slices = 0;
    for name in names() {
        let circuit = circuit(&name);
        let mut expected = BTreeMap::new();
        for line in read(&name, "regions").lines() {
            let (sensor, region) = line.split_once(':').unwrap();
            expected.insert(sensor.to_owned(), region.trim().to_owned());
        }
        let detectors = (0..circuit.counts().detectors).map(|d| (format!("D{d}"), Sensor::Detector(d)));
        let observables = (0..circuit.counts().observables).map(|o| (format!("L{o}"), Sensor::Observable(o)));
        for (key, sensor) in detectors.chain(observables) {
            let region = circuit.detecting_region(sensor).unwrap();
            let text: Vec<String> = region.slices.iter().map(|(tick, p)| format!("{tick} {p}")).collect();
            assert_eq!(text.join(", "), expected.get(&key).cloned().unwrap_or_default(), "{name} {key}");
            slices += region.slices.len();
        }
    }
    assert!(slices > 3000, "{slices}");
}

/// The three pictures of the slides, after McEwen, Bacon and Gidney, Quantum 7, 1172 (2023).
#[test]
fn regions_of_the_slides() {
    let slices = |text: &str, detector| -> Vec<String> {
        let region = text.parse::<Circuit>().unwrap().detecting_region(Sensor::Detector(detector)).unwrap();
        region.slices.iter().map(|(tick, p)| format!("{tick}: {p}")).collect()
    };
    // From reset to measurement: Z all the time, X in the other basis, turned by a Hadamard gate.
    assert_eq!(slices("R 0\nTICK\nTICK\nM 0\nDETECTOR rec[-1]", 0), ["0: Z0", "1: Z0"]);
    assert_eq!(slices("RX 0\nTICK\nH 0\nTICK\nM 0\nDETECTOR rec[-1]", 0), ["0: X0", "1: Z0"]);
    // A CNOT copies Z from the target to the control and X from the control to the target.
    let cnot = "R 0 1\nTICK\nCX 0 1\nTICK\nM 0 1\nDETECTOR rec[-1]\nDETECTOR rec[-2]";
    assert_eq!(slices(cnot, 0), ["0: Z0*Z1", "1: Z1"]);
    assert_eq!(slices(cnot, 1), ["0: Z0", "1: Z0"]);
    let cnot = "RX 0 1\nTICK\nCX 0 1\nTICK\nMX 0 1\nDETECTOR rec[-2]\nDETECTOR rec[-1]";
    assert_eq!(slices(cnot, 0), ["0: X0*X1", "1: X0"]);
    assert_eq!(slices(cnot, 1), ["0: X1", "1: X1"]);
    // Two rounds of the bit-flip code, data 0 and 2, ancilla 1: the region opens in the first round, is the stabilizer
    // between the rounds, and closes in the second.
    let round = "R 1\nTICK\nCX 0 1\nTICK\nCX 2 1\nTICK\nM 1\nTICK\n";
    let text = format!("R 0 2\nTICK\n{round}{round}DETECTOR rec[-1] rec[-2]");
    assert_eq!(slices(&text, 0), ["1: Z1", "2: Z0*Z1", "3: Z0*Z1*Z2", "4: Z0*Z2", "5: Z0*Z1*Z2", "6: Z1*Z2", "7: Z1"]);
}

#[test]
fn pieces_add_up() {
    let params = ModelParams::default().with_decompose(Decompose::Graphlike);
    let mut split = 0;
    for name in ["rotated_x_d3_r3", "rotated_z_d5_r2", "unrotated_z_d2_r30", "color_d3_r12", "repetition_d9_r3"] {
        for loops in [Loops::Fold, Loops::Flatten] {
            let found = circuit(name).to_model(&params.with_loops(loops)).unwrap().model;
            assert_equal(name, &table(&found), &table(&read(name, "dem").parse().unwrap()));
            let components = found.to_components().unwrap();
            assert!(components.list.iter().all(|c| (1..=2).contains(&c.detectors.len())), "{name}");
            split += components.list.windows(2).filter(|pair| pair[0].mechanism == pair[1].mechanism).count();
        }
    }
    assert!(split > 1000, "{split}");
    // Three detectors on one record: nothing to split.
    let whole: Circuit = "M(0.1) 0\nDETECTOR rec[-1]\nDETECTOR rec[-1]\nDETECTOR rec[-1]".parse().unwrap();
    assert_eq!(
        whole.to_model(&params).unwrap_err().to_string(),
        "decomposition into graphlike errors does not apply: no errors of one or two detectors add up to the mechanism \
         D0 D1 D2"
    );
    // Detectors that are random together come without parts: they are split by what else there is, or refused.
    let gauge = params.with_gauge(GaugeDetectors::Allow);
    let random: Circuit = "MX 0\nDETECTOR rec[-1]\nDETECTOR rec[-1]\nDETECTOR rec[-1]".parse().unwrap();
    let error = random.to_model(&gauge).unwrap_err().to_string();
    assert!(error.ends_with("add up to the mechanism D0 D1 D2"), "{error}");
    let seen = "MX 0\nM(0.125) 1 2\nDETECTOR rec[-3] rec[-2]\nDETECTOR rec[-3] rec[-2]\nDETECTOR rec[-3] rec[-1]";
    let model = seen.parse::<Circuit>().unwrap().to_model(&gauge).unwrap().model.to_string();
    assert!(model.starts_with("error(0.125) D0 D1\nerror(0.5) D0 D1 ^ D2\nerror(0.125) D2\ndetector"), "{model}");
}

#[test]
fn a_million_rounds_are_folded() {
    let text = read("unrotated_z_d2_r30", "stim");
    let (few, many) = (text.replace("REPEAT 29", "REPEAT 49"), text.replace("REPEAT 29", "REPEAT 1000000"));
    let [few, many] = [few, many].map(|text| text.parse::<Circuit>().unwrap());
    assert!(few.counts().detectors > 100, "the block is there");
    let params = ModelParams::default();
    let model = many.to_model(&params).unwrap().model;
    assert!(model.to_string().len() < 40_000);
    assert_eq!(model.n_detectors(), many.counts().detectors);
    // Symptoms a round, from the flat model of 50 rounds and of 49.
    let flat = |circuit: &Circuit| table(&circuit.to_model(&params).unwrap().model);
    let shorter: Circuit = text.replace("REPEAT 29", "REPEAT 48").parse().unwrap();
    let per_round = flat(&few).len() - flat(&shorter).len();
    // Equal symptoms of neighbouring repetitions stay apart.
    let range = 999_000 * per_round as u64..2_000_000 * per_round as u64;
    assert!(range.contains(&model.n_errors()), "{} {range:?}", model.n_errors());
    // One detector far inside is followed without running through all rounds.
    let middle = many.counts().detectors / 2;
    let region = many.detecting_region(Sensor::Detector(middle)).unwrap();
    let ticks: Vec<u64> = region.slices.iter().map(|(tick, _)| *tick).collect();
    let near = many.counts().ticks / 2;
    assert!(ticks.len() > 5 && ticks.iter().all(|tick| tick.abs_diff(near) < 20), "{ticks:?}");
    // Blocks within blocks fold, too.
    let nested: Circuit = "R 0 1\nREPEAT 100000 {\nREPEAT 1000 {\nX_ERROR(0.01) 1\nMR 1\nDETECTOR rec[-1]\n}\n\
                           R 0\nDEPOLARIZE1(0.1) 0\nMR 0\nDETECTOR rec[-1]\n}"
        .parse()
        .unwrap();
    let model = nested.to_model(&params).unwrap().model;
    assert_eq!((model.n_detectors(), nested.counts().detectors), (100_100_000, 100_100_000));
    assert_eq!(model.n_errors(), 100_100_000);
    assert!(model.to_string().len() < 3000, "{model}");
}

#[test]
fn random_detectors_are_named() {
    let text = "R 0 1\nH 0\nTICK\nREPEAT 5 {\nCX 0 1\nMR 1\nDETECTOR rec[-1]\n}\nM 0\nOBSERVABLE_INCLUDE(0) rec[-1]";
    let random: Circuit = text.parse().unwrap();
    let error = random.to_model(&ModelParams::default()).unwrap_err();
    let Error::NonDeterministic { operation, location, detectors, observables } = &error else { panic!("{error}") };
    assert_eq!((operation.as_str(), location.as_str()), ("R on Z0", "line 1, column 1 (instruction 0)"));
    assert_eq!((&detectors[..], &observables[..]), (&[0, 1, 2, 3, 4][..], &[0][..]));
    assert_eq!(
        error.to_string(),
        "R on Z0, line 1, column 1 (instruction 0), anticommutes with the detecting regions of the detectors \
         [0, 1, 2, 3, 4] and the observables [0]: they are random without noise"
    );
    // Observables stay refused; without them the detectors are random together.
    let gauge = ModelParams::default().with_gauge(GaugeDetectors::Allow);
    assert!(matches!(random.to_model(&gauge), Err(Error::NonDeterministic { .. })));
    let detectors: Circuit = text.rsplit_once('\n').unwrap().0.parse().unwrap();
    let model = detectors.to_model(&gauge).unwrap().model;
    assert_eq!(table(&model), Table::from([((vec![0, 1, 2, 3, 4], vec![]), 0.5)]));
    let inside: Circuit = "R 0\nREPEAT 1 {\nTICK\nMX 0\n}\nM 0\nDETECTOR rec[-1]".parse().unwrap();
    let error = inside.to_model(&ModelParams::default()).unwrap_err().to_string();
    assert!(
        error.starts_with("MX on X0, line 4, column 1 (instruction 1, repetition 0, instruction 1), anticommutes"),
        "{error}"
    );
    let start: Circuit = "MX 0\nDETECTOR rec[-1]".parse().unwrap();
    let error = start.detecting_region(Sensor::Detector(0)).unwrap_err().to_string();
    assert!(error.starts_with("the initial state 0 on Z0, the beginning, anticommutes"), "{error}");
    assert!(matches!(start.detecting_region(Sensor::Detector(1)), Err(Error::OutOfBounds { index: 1, bound: 1, .. })));
}

/// A detector a round that sees all later rounds: nothing repeats itself, and the work is bounded.
#[test]
fn what_does_not_repeat_is_refused() {
    let text = "REPEAT 1000000000000000 {\nX_ERROR(0.1) 0\nM 0\nDETECTOR rec[-1]\n}";
    let params = ModelParams::default().with_max_work(1 << 22);
    let error = text.parse::<Circuit>().unwrap().to_model(&params).unwrap_err();
    assert!(matches!(error, Error::TooLarge { what: "number of detectors moved", bound: 4_194_304, .. }), "{error}");
    // Numbers beyond 64 bits: too many detectors are refused, ticks are not counted.
    let huge = "REPEAT 1000000000000000 {\nREPEAT 1000000000000000 {\nTICK\nM 0\n}\n}";
    let model = huge.parse::<Circuit>().unwrap().to_model(&params).unwrap().model;
    assert_eq!(model, DetectorErrorModel::new());
    let error = huge.replace("M 0", "M 0\nDETECTOR rec[-1]").parse::<Circuit>().unwrap().to_model(&params).unwrap_err();
    assert!(matches!(error, Error::TooLarge { what: "detectors", .. }), "{error}");
    let many: Vec<String> = (0..30).map(|_| "DETECTOR rec[-1]".to_owned()).collect();
    let random: Circuit = format!("MX 0\n{}", many.join("\n")).parse().unwrap();
    let error = random.to_model(&params).unwrap_err().to_string();
    assert!(error.contains("[0, 1, 2, 3, 4, 5, 6, 7, 8, 9] and 20 more"), "{error}");
}

#[test]
fn channels_without_independent_errors() {
    let exact = ModelParams::default().with_disjoint(DisjointErrors::Refuse);
    let message = |text: &str, params: &ModelParams| {
        let text = format!("R 0 1\n{text}\nM 0 1\nDETECTOR rec[-1]\nDETECTOR rec[-2]");
        text.parse::<Circuit>()
            .unwrap()
            .to_model(params)
            .map(|found| found.approximated.len())
            .map_err(|e| e.to_string())
    };
    let approximate = ModelParams::default();
    let channel = "PAULI_CHANNEL_2(0,0,0,0.1,0,0,0,0,0,0,0,0.2,0,0,0) 0 1";
    assert_eq!(message(channel, &exact), Ok(0));
    let channel = "PAULI_CHANNEL_2(0.1,0,0,0.1,0,0,0,0,0,0,0,0.2,0,0,0) 0 1";
    assert_eq!(message(channel, &approximate), Ok(1));
    let reason =
        "line 2, column 1 (instruction 1): its cases exclude each other, which independent errors only approximate";
    assert_eq!(message(channel, &exact), Err(format!("PAULI_CHANNEL_2, {reason}")));
    assert_eq!(message("PAULI_CHANNEL_1(0.1, 0.02, 0.03) 0", &exact), Ok(0));
    assert_eq!(message("E(0.1) X0", &exact), Ok(0));
    let reason = reason.replace("line 2", "line 3").replace("instruction 1", "instruction 2");
    assert_eq!(
        message("E(0.1) X0\nELSE_CORRELATED_ERROR(0.1) X1", &exact),
        Err(format!("ELSE_CORRELATED_ERROR, {reason}"))
    );
    assert_eq!(
        message("TICK\nELSE_CORRELATED_ERROR(0.1) X1", &approximate),
        Err("ELSE_CORRELATED_ERROR, line 3, column 1 (instruction 2): it does not follow E or ELSE_CORRELATED_ERROR \
             directly"
            .to_owned())
    );
    assert_eq!(
        message("DEPOLARIZE1(0.8) 0", &approximate),
        Err("DEPOLARIZE1, line 2, column 1 (instruction 1): the probability 0.8 is above 3/4, which no independent errors \
             have"
            .to_owned())
    );
    assert!(message("DEPOLARIZE2(0.94) 0 1", &approximate).is_err());
    assert_eq!(message("DEPOLARIZE1(0.75) 0\nDEPOLARIZE2(0.9375) 0 1", &exact), Ok(0));
    assert_eq!("".parse::<Circuit>().unwrap().to_model(&exact).unwrap().model, DetectorErrorModel::new());
}

/// Cases of a chain exclude each other: those with one symptom add up.
#[test]
fn cases_of_chains_add_up() {
    let exact = ModelParams::default().with_disjoint(DisjointErrors::Refuse);
    let model = |noise: &str, params: &ModelParams| {
        let text = format!("R 0 1\n{noise}\nM 0 1\nDETECTOR rec[-2]\nDETECTOR rec[-1]");
        let circuit: Circuit = text.parse().unwrap();
        let found = circuit.to_model(params).map(|found| (table(&found.model), found.approximated.len()));
        (circuit, found)
    };
    let close = |table: &Table, expected: &[(&[usize], f64)]| {
        assert_eq!(table.len(), expected.len(), "{table:?}");
        for (detectors, p) in expected {
            assert!((table[&(detectors.to_vec(), vec![])] - p).abs() < 1e-15, "{table:?}");
        }
    };
    // 1 - 0.9 · 0.9; what is not seen does not matter.
    for chain in [
        "E(0.1) X0\nELSE_CORRELATED_ERROR(0.1) X0",
        "E(0.1) X0\nELSE_CORRELATED_ERROR(0) X1\nELSE_CORRELATED_ERROR(0.1) Y0\nELSE_CORRELATED_ERROR(0.5) Z1",
    ] {
        let (circuit, found) = model(chain, &exact);
        close(&found.unwrap().0, &[(&[0], 0.19)]);
        let symptom = Symptom { detectors: vec![0], observables: vec![] };
        let places = circuit.explain(&[symptom]).unwrap().remove(0);
        assert_eq!((places.len(), places[0].location.to_string()), (1, "instruction 1".to_owned()));
        assert!((places[0].probability - 0.19).abs() < 1e-15);
    }
    // Two symptoms, one of them twice; another chain before is another error.
    let chain = "E(0.1) X0\nELSE_CORRELATED_ERROR(0.5) X1\nELSE_CORRELATED_ERROR(0.2) X0";
    let (_, found) = model(&format!("E(0.25) X0\n{chain}"), &ModelParams::default());
    let (found, approximated) = found.unwrap();
    close(&found, &[(&[0], xor_probability(0.25, 0.1 + 0.45 * 0.2)), (&[1], 0.45)]);
    assert_eq!(approximated, 1);
    let error = model(chain, &exact).1.unwrap_err().to_string();
    assert!(error.starts_with("ELSE_CORRELATED_ERROR, line 3, column 1 (instruction 2): its cases"), "{error}");
}

/// Channels of one qubit with mean signs that vanish or are negative.
#[test]
fn independent_errors_of_strong_channels() {
    let exact = ModelParams::default().with_disjoint(DisjointErrors::Refuse);
    // A Bell pair shows X by D0 and Z by D1.
    let model = |noise: &str| {
        let pairs = "MXX 0 1\nMZZ 0 1\n";
        let text = format!("{pairs}{noise}\n{pairs}DETECTOR rec[-1] rec[-3]\nDETECTOR rec[-2] rec[-4]");
        table(&text.parse::<Circuit>().unwrap().to_model(&exact).unwrap().model)
    };
    let close = |table: Table, expected: &[(&[usize], f64)]| {
        assert_eq!(table.len(), expected.len(), "{table:?}");
        for (detectors, p) in expected {
            assert!((table[&(detectors.to_vec(), vec![])] - p).abs() < 1e-14, "{table:?}");
        }
    };
    close(model("PAULI_CHANNEL_1(0.81, 0.09, 0.01) 0"), &[(&[0], 0.9), (&[1], 0.1)]);
    close(model("PAULI_CHANNEL_1(0.1, 0.1, 0.4) 0"), &[(&[0], 0.2), (&[1], 0.5)]);
    assert_eq!(model("PAULI_CHANNEL_1(0.25, 0.25, 0.25) 0"), model("DEPOLARIZE1(0.75) 0"));
}

/// Detectors that are random by the initial state, not by the first operation.
#[test]
fn the_initial_state_is_a_place() {
    let circuit: Circuit = "H 5\nTICK\nMX 0\nDETECTOR rec[-1]".parse().unwrap();
    let found = circuit.explain(&[Symptom { detectors: vec![0], observables: vec![] }]).unwrap().remove(0);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].gate, found[0].ticks, &found[0].qubits[..]), (quantum_ec::circuit::Gate::R, 0, &[0][..]));
    assert_eq!(circuit.describe(&found[0].location), "the beginning");
    assert!((found[0].probability - 0.5).abs() < 1e-15 && found[0].paulis.is_empty());
}

#[test]
fn types_are_send_and_sync() {
    fn send_and_sync<T: Send + Sync>() {}
    send_and_sync::<quantum_ec::sensitivity::CircuitModel>();
    send_and_sync::<quantum_ec::sensitivity::DetectingRegion>();
    send_and_sync::<quantum_ec::sensitivity::CircuitError>();
    send_and_sync::<quantum_ec::dem::Fit>();
    send_and_sync::<quantum_ec::dem::ModelFit>();
    send_and_sync::<quantum_ec::dem::LogicalErrorSearch>();
}

/// All elementary errors of a symptom together have its probability.
#[test]
fn places_of_errors_add_up_to_the_model() {
    for name in ["rotated_x_d3_r3", "color_d3_r12", "everything"] {
        let circuit = circuit(name);
        let table = table(&read(name, "dem").parse().unwrap());
        let symptoms: Vec<Symptom> = (table.keys())
            .map(|(detectors, observables)| {
                let numbers = |list: &[usize]| list.iter().map(|&id| id as u64).collect();
                Symptom { detectors: numbers(detectors), observables: numbers(observables) }
            })
            .collect();
        let found = circuit.explain(&symptoms).unwrap();
        for (places, (symptom, p)) in found.iter().zip(&table) {
            let sum = places.iter().fold(0.0, |sum, place| xor_probability(sum, place.probability));
            assert!((sum - p).abs() < 1e-12, "{name} {symptom:?}");
            for place in places {
                assert!(!place.qubits.is_empty() || place.gate == quantum_ec::circuit::Gate::Mpad);
                assert!(place.record || !place.paulis.is_empty());
                assert!(place.paulis.iter().all(|(qubit, _)| place.qubits.contains(qubit)));
            }
        }
    }
}

#[test]
fn distances_of_circuits() {
    for (name, distance) in
        [("rotated_x_d3_r3", 3), ("rotated_z_d5_r2", 5), ("repetition_d9_r3", 9), ("unrotated_z_d2_r30", 2)]
    {
        let model = circuit(name).to_model(&ModelParams::default()).unwrap().model;
        let graphlike = model.to_components().unwrap().shortest_graphlike_error();
        assert_eq!(graphlike.error.as_ref().map(UndetectableError::weight), Some(distance), "{name}");
        if distance < 9 {
            let found = model.to_problem().unwrap().undetectable_error(&LogicalErrorParams::default()).unwrap();
            assert_eq!(found.exact(), Some(distance), "{name}");
        }
    }
}

/// Exact distances of hyperedges: surface codes by the detectors of one basis, colour codes (2, 3 and 4 is also what the
/// heuristic search of Stim finds) and [[72,12,6]] by exhaustion.
#[test]
fn distances_of_hyperedges() {
    let noise = CircuitNoise::uniform(0.001).unwrap();
    let search = |clean: Circuit| {
        let model = noise.apply(&clean).unwrap().to_model(&ModelParams::default()).unwrap().model;
        model.to_problem().unwrap().undetectable_error(&LogicalErrorParams::default().with_trials(50)).unwrap()
    };
    let surface = search(Memory::RotatedSurfaceX.circuit(9, 4).unwrap());
    assert_eq!((surface.exact(), surface.steps), (Some(9), 0));
    assert_eq!(search(Memory::UnrotatedSurfaceZ.circuit(5, 3).unwrap()).exact(), Some(5));
    for (distance, expected) in [(3, 2), (5, 3), (7, 4)] {
        let found = search(Memory::ColorXyz.circuit(distance, distance as u64).unwrap());
        assert_eq!(found.exact(), Some(expected), "{distance}");
    }
    let (_, orders, a, b) = BIVARIATE_BICYCLES[0];
    assert_eq!(search(BicycleMemory { orders, a, b }.circuit(4, Detectors::Z).unwrap()).exact(), Some(6));
}
