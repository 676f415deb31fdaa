//! Mutated files: no reader panics, every error has a place, and what is accepted can be written and read again.
//!
//! `FUZZ_SECONDS` (default 2) is the time for each reader. An input on which a reader fails is written to
//! `tests/data/fuzz` and read again by every later run.

mod common;

use std::fs;

use common::{check_place, directory, run};
use quantum_ec::circuit::{Circuit, CircuitNoise, CircuitSampler, RecordConverter};
use quantum_ec::io::{Layout, ShotFormat, ShotReader, ShotWriter};
use quantum_ec::sample::read_csv;
use quantum_ec::{DetectorErrorModel, Error};

fn golden(names: &[&str]) -> Vec<Vec<u8>> {
    names.iter().map(|name| fs::read(directory().join(name)).unwrap()).collect()
}

/// Reads a model; whether it was accepted.
fn check_model(input: &[u8]) -> bool {
    let model = match DetectorErrorModel::read(input) {
        Ok(model) => model,
        Err(error) => {
            check_place(input, &error);
            return false;
        }
    };
    let again: DetectorErrorModel = model.to_string().parse().unwrap();
    assert_eq!(again, model);
    // The first instructions of whatever is huge.
    assert!(model.flat_instructions().take(1000).count() <= 1000);
    if model.n_errors() > 10_000 {
        return true;
    }
    match model.to_problem() {
        Ok(problem) => assert_eq!(problem.n_mechanisms() as u64, model.n_errors()),
        Err(Error::TooLarge { .. }) => {}
        Err(error) => panic!("{error}"),
    }
    match model.to_graph() {
        Ok(_) | Err(Error::TooLarge { .. } | Error::NotApplicable { .. }) => {}
        Err(error) => panic!("{error}"),
    }
    true
}

/// Reads shots; whether they were accepted. What was read, written and read again is the same.
fn check_shots(input: &[u8], format: ShotFormat, layout: Layout) -> bool {
    let shots = match ShotReader::new(input, format, layout).unwrap().read_all() {
        Ok(shots) => shots,
        Err(Error::ShotFile { byte, .. }) => {
            assert!(byte <= input.len() as u64);
            return false;
        }
        Err(error) => {
            check_place(input, &error);
            return false;
        }
    };
    let mut writer = ShotWriter::new(Vec::new(), format, layout).unwrap();
    writer.write(shots.view()).unwrap();
    let file = writer.finish().unwrap();
    if matches!(format, ShotFormat::B8 | ShotFormat::R8 | ShotFormat::Ptb64) {
        // One way to write a shot: the same bytes, so no bit of the file can go unnoticed.
        assert_eq!(file, input);
    }
    assert_eq!(ShotReader::new(&file[..], format, layout).unwrap().read_all().unwrap(), shots);
    true
}

fn check_csv(input: &[u8]) -> bool {
    match read_csv(input) {
        Ok(rows) => {
            let mut file = Vec::new();
            quantum_ec::sample::write_csv(&rows, &mut file).unwrap();
            assert_eq!(read_csv(&file[..]).unwrap().len(), rows.len());
            true
        }
        Err(error) => {
            check_place(input, &error);
            false
        }
    }
}

/// Reads a circuit; whether it was accepted.
fn check_circuit(input: &[u8]) -> bool {
    let circuit = match Circuit::read(input) {
        Ok(circuit) => circuit,
        Err(error) => {
            check_place(input, &error);
            return false;
        }
    };
    let again: Circuit = circuit.to_string().parse().unwrap();
    assert_eq!(again, circuit);
    let counts = circuit.counts();
    assert_eq!(counts.reach, 0);
    if counts.operations > 2000 {
        // The first operations of whatever is huge.
        assert!(circuit.operations().take(1000).count() <= 1000);
        return true;
    }
    let mut flat = circuit.operations();
    let (mut records, mut detectors, mut ticks) = (0, 0, 0);
    while let Some(step) = flat.next() {
        assert_eq!((step.measurements, step.detectors, step.ticks), (records, detectors, ticks));
        assert_eq!(flat.coordinates(step.operation).len(), step.operation.arguments.len());
        records += step.operation.n_records() as u64;
        detectors += u64::from(step.operation.gate.name() == "DETECTOR");
        ticks += u64::from(step.operation.gate.name() == "TICK");
    }
    assert_eq!((counts.measurements, counts.detectors, counts.ticks), (records, detectors, ticks));
    let noisy = CircuitNoise::si1000(0.1).unwrap().apply(&circuit).unwrap();
    assert_eq!((noisy.counts().measurements, noisy.counts().detectors), (records, detectors));
    if counts.qubits > 200 || counts.observables > 1000 || records > 10_000 {
        return true;
    }
    assert_eq!(circuit.reference_sample().unwrap().len() as u64, records);
    match CircuitSampler::new(&circuit) {
        Ok(sampler) => {
            let samples = sampler.sample(3, &linalg_core::Streams::new(1));
            assert_eq!(samples.detectors.n_bits() as u64, detectors);
        }
        Err(error) => panic!("{error}"),
    }
    match RecordConverter::new(&circuit) {
        Ok(converter) => assert_eq!(converter.n_records() as u64, records),
        Err(Error::NotApplicable { .. }) => {}
        Err(error) => panic!("{error}"),
    }
    true
}

#[test]
fn circuit_reader() {
    let names = ["every_form", "repetition_code_memory", "surface_code_rotated_memory_x", "color_code_memory_xyz"];
    run(
        "circuit",
        &golden(&names.map(|name| format!("circuit/{name}.stim")).each_ref().map(String::as_str)),
        check_circuit,
    );
}

#[test]
fn model_reader() {
    run("dem", &golden(&["dem/nested.dem", "dem/nested.flat.dem", "dem/repetition_d3.dem"]), check_model);
}

#[test]
fn shot_readers() {
    for format in ShotFormat::ALL {
        let layout = Layout { detectors: 64, observables: 1, ..Layout::default() };
        let file = golden(&[&format!("shots/m0_d64_l1.{format}")]);
        run(&format!("shots_{format}"), &file, |input| check_shots(input, format, layout));
    }
}

#[test]
fn csv_reader() {
    run("csv", &golden(&["sinter.csv"]), check_csv);
}
