//! Models and regions of circuits that are mutated: nothing panics, folded and unrolled models are the same.

mod common;

use std::collections::BTreeMap;
use std::fs;

use quantum_ec::dem::xor_probability;
use quantum_ec::sensitivity::{Decompose, GaugeDetectors, Loops, ModelParams, Sensor};
use quantum_ec::{Circuit, DetectorErrorModel};

type Table = BTreeMap<(Vec<usize>, Vec<usize>), f64>;

fn table(model: &DetectorErrorModel) -> Option<Table> {
    let problem = model.to_problem().ok().filter(|problem| problem.n_mechanisms() < 20_000)?;
    let mut table = Table::new();
    for j in 0..problem.n_mechanisms() {
        let symptom = (problem.checks().column(j).to_vec(), problem.observables().column(j).to_vec());
        let sum = table.entry(symptom).or_insert(0.0);
        *sum = xor_probability(*sum, problem.priors()[j]);
    }
    Some(table)
}

fn check(input: &[u8]) -> bool {
    let circuit = match Circuit::read(input) {
        Ok(circuit) => circuit,
        Err(error) => {
            common::check_place(input, &error);
            return false;
        }
    };
    let counts = *circuit.counts();
    if counts.qubits > 2000 {
        return true;
    }
    let params = ModelParams::default().with_max_work(1 << 20);
    let models = [Loops::Fold, Loops::Flatten].map(|loops| circuit.to_model(&params.with_loops(loops)));
    if let [Ok(folded), Ok(flat)] = &models {
        assert_eq!(folded.model.n_detectors(), flat.model.n_detectors());
        assert_eq!(folded.model.n_detectors(), counts.detectors);
        if let (Some(folded), Some(flat)) = (table(&folded.model), table(&flat.model)) {
            assert!(folded.keys().eq(flat.keys()));
            assert!(folded.values().zip(flat.values()).all(|(p, q)| (p - q).abs() < 1e-12));
        }
    }
    let all = params.with_gauge(GaugeDetectors::Allow).with_decompose(Decompose::Graphlike);
    if let Ok(found) = circuit.to_model(&all) {
        assert_eq!(found.model.to_string().parse::<DetectorErrorModel>().unwrap(), found.model);
    }
    if counts.operations < 10_000 {
        for sensor in [Sensor::Detector(0), Sensor::Detector(counts.detectors / 2), Sensor::Observable(0)] {
            if let Ok(region) = circuit.detecting_region(sensor) {
                assert!(region.slices.iter().all(|(tick, _)| *tick < counts.ticks));
            }
        }
    }
    models[0].is_ok()
}

#[test]
fn circuits_to_models() {
    let names = ["everything", "unrotated_z_d2_r30", "color_d3_r12", "rotated_x_d3_r3"];
    let read = |name: &str| fs::read(common::directory().join(format!("sensitivity/{name}.stim"))).unwrap();
    common::run("sensitivity", &names.map(read), check);
}
