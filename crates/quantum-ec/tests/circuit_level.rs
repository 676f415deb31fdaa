//! Circuit-level noise: optimal failure rates by summing over all syndromes, and decoders against that sum.
//!
//! The models are Stim's, with all four noise knobs equal; `tests/data/circuit_level/make.py` writes them.

use std::fs;
use std::path::Path;

use linalg_core::gf2::BitVec;
use linalg_core::rng::Streams;
use quantum_ec::decode::{Decoder, LikelihoodSolver, Lookup, MaximumLikelihood};
use quantum_ec::rand::RngExt;
use quantum_ec::statmech::{SyndromeDistribution, optimal_failure_rate};
use quantum_ec::{DecodingProblem, DetectorErrorModel};

fn model(name: &str) -> DecodingProblem {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/circuit_level/{name}.dem"));
    fs::read_to_string(path).unwrap().parse::<DetectorErrorModel>().unwrap().to_problem().unwrap()
}

/// Sums over all 2^(D+O) outcomes made independently in Python.
#[test]
fn optima_of_circuit_level_noise() {
    for (name, optimal) in [
        ("repetition_d3_r3_p0.05", 0.117425275),
        ("repetition_d3_r8_p0.03", 0.110803179),
        ("repetition_d5_r3_p0.05", 0.067160874),
        ("repetition_d5_r4_p0.08", 0.215548901),
        ("rotated_z_d3_r1_p0.02", 0.075934263),
        ("rotated_x_d3_r2_p0.01", 0.040282937),
    ] {
        let rate = optimal_failure_rate(&model(name)).unwrap();
        assert!((rate - optimal).abs() < 1e-9, "{name}: {rate}");
    }
}

#[test]
fn decoders_find_the_joint_probabilities() {
    use LikelihoodSolver::{Enumeration, Planar, TensorNetwork, TransferMatrix};
    for (name, solvers) in [
        ("repetition_d3_r3_p0.05", &[Planar, TransferMatrix, TensorNetwork, Enumeration][..]),
        ("repetition_d5_r4_p0.08", &[Planar, TransferMatrix, TensorNetwork]),
        ("rotated_z_d3_r1_p0.02", &[TransferMatrix, TensorNetwork, Enumeration]),
        ("rotated_x_d3_r2_p0.01", &[TransferMatrix, TensorNetwork]),
    ] {
        let problem = model(name);
        let distribution = SyndromeDistribution::new(&problem).unwrap();
        let mut lookup = Lookup::of_distribution(distribution);
        let mut rng = Streams::new(5).stream(0);
        for &solver in solvers {
            let mut decoder = MaximumLikelihood::with_solver(solver, &problem).unwrap();
            for _ in 0..40 {
                let error: BitVec = problem.priors().iter().map(|&p| rng.random::<f64>() < p).collect();
                let syndrome = problem.syndrome(&error);
                let (a, b) = (decoder.decode(&syndrome).unwrap(), lookup.decode(&syndrome).unwrap());
                assert_eq!(a.observables, b.observables, "{name} {solver}");
                for (x, y) in a.ln_class.iter().zip(&b.ln_class) {
                    assert!((x - y).abs() < 1e-11, "{name} {solver}: {x} {y}");
                }
            }
        }
    }
}

#[test]
fn a_surface_code_circuit_is_not_planar() {
    let error = MaximumLikelihood::with_solver(LikelihoodSolver::Planar, &model("rotated_x_d3_r2_p0.01")).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("planar decoding does not apply: mechanism "), "{text}");
}
