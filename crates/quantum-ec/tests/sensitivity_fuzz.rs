//! Models and regions of circuits that are mutated: nothing panics, folded and unrolled models are the same.

mod common;

use std::collections::BTreeMap;
use std::fs;

use quantum_ec::dem::xor_probability;
use quantum_ec::sensitivity::{Decompose, GaugeDetectors, Leakage, Loops, ModelParams, Sensor};
use quantum_ec::{Circuit, DetectorErrorModel, Shots};

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
    // What flags there are can be set, all at once.
    if counts.measurements < 1000 {
        for leakage in [Leakage::Absent, Leakage::Flagged] {
            let Ok(flagged) = circuit.flagged_model(&all, leakage) else { continue };
            let [mut heralds, mut leaked] =
                [flagged.n_heralds(), flagged.n_leakage()].map(|bits| Shots::zeros(1, bits));
            (0..flagged.n_heralds()).for_each(|k| heralds.set(0, k, true));
            (0..flagged.n_leakage()).for_each(|k| leaked.set(0, k, k % 2 == 0));
            let (herald, leak) = (heralds.row(0), leaked.row(0));
            let _ = flagged.convert(heralds.view(), Some(leaked.view()));
            if let Ok(given) = flagged.problem_given(herald, leak) {
                assert!(given.problem.priors().iter().all(|p| (0.0..=1.0).contains(p)));
            }
        }
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
