//! Boundary matrix product states on the cosets of surface codes: against exact likelihoods, and against themselves.

use linalg_core::Streams;
use quantum_ec::code;
use quantum_ec::decode::{Decoder, DecoderChoice, LikelihoodSolver, MaximumLikelihood};
use quantum_ec::noise::Noise;
use quantum_ec::statmech::CosetModel;

/// Differences of ln P between all pairs of classes, the largest disagreement of two answers.
fn disagreement(a: &[f64], b: &[f64]) -> f64 {
    let pairs = (0..a.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
    pairs.map(|(i, j)| ((a[i] - a[j]) - (b[i] - b[j])).abs()).fold(0.0, f64::max)
}

/// Both decoders on the same shots: what [`disagreement`] says, in ascending order.
fn compare(name: &str, noise: &str, p: f64, solvers: [LikelihoodSolver; 2], shots: u64) -> Vec<f64> {
    let code = code::parse(name).unwrap();
    let table = noise.parse::<Noise>().unwrap().table(code.n_qubits(), p).unwrap();
    let coset = CosetModel::stabilizer(&code, table.rows()).unwrap();
    let mut decoders = solvers.map(|solver| MaximumLikelihood::new(solver, coset.clone()).unwrap());
    let mut all: Vec<f64> = (0..shots)
        .map(|shot| {
            let syndrome = code.syndrome(&table.sample(&mut Streams::new(9).stream(shot)));
            let [a, b] = decoders.each_mut().map(|decoder| decoder.decode(&syndrome).unwrap().ln_class);
            disagreement(&a, &b)
        })
        .collect();
    all.sort_by(f64::total_cmp);
    all
}

#[test]
fn many_states_are_exact() {
    for (name, noise) in [
        ("unrotated-surface:3", "depolarizing"),
        ("rotated-surface:3", "depolarizing"),
        ("rotated-surface:3", "biased:10"),
        ("xzzx:3", "biased:10"),
        ("unrotated-surface:5", "depolarizing"),
        ("rotated-surface:5", "depolarizing"),
        ("xzzx:5", "biased:10"),
    ] {
        let solvers = [LikelihoodSolver::BoundaryMps(64), LikelihoodSolver::TransferMatrix];
        let errors = compare(name, noise, 0.15, solvers, 4);
        assert!(errors.iter().all(|&error| error < 1e-10), "{name} {noise}: {errors:?}");
    }
}

/// The goal is 1e-3 in 99 of 100 shots.
#[test]
fn sixteen_states_are_enough_at_distance_9() {
    let solvers = [16, 64].map(LikelihoodSolver::BoundaryMps);
    let errors = compare("unrotated-surface:9", "depolarizing", 0.15, solvers, 12);
    assert!(errors[11] < 1e-3, "{errors:?}");
}

#[test]
#[ignore = "400 shots at two bond dimensions, a minute; run by .ci/long"]
fn ninety_nine_of_a_hundred_shots_at_distance_9() {
    let solvers = [16, 64].map(LikelihoodSolver::BoundaryMps);
    let errors = compare("unrotated-surface:9", "depolarizing", 0.15, solvers, 400);
    assert!(errors[395] < 1e-3, "{:?}", &errors[380..]);
}

/// The frontier of 25 spins is out of reach for exact sums.
#[test]
#[ignore = "shots at d = 13 up to χ = 32, a minute; run by .ci/long"]
fn distance_13_converges() {
    let solvers = [16, 32].map(LikelihoodSolver::BoundaryMps);
    let errors = compare("unrotated-surface:13", "depolarizing", 0.15, solvers, 20);
    assert!(errors[18] < 1e-2, "{errors:?}");
}

#[test]
fn the_decoder_is_chosen_by_name() {
    let code = code::parse("unrotated-surface:3").unwrap();
    let table = "depolarizing".parse::<Noise>().unwrap().table(code.n_qubits(), 0.15).unwrap();
    let coset = CosetModel::stabilizer(&code, table.rows()).unwrap();
    let choice: DecoderChoice = "maximum-likelihood:boundary-mps:16".parse().unwrap();
    let mut decoder = choice.build_of_coset(coset).unwrap().decoder;
    let error = "XIIIIIIIIIIII".parse().unwrap();
    assert!(decoder.decode(&code.syndrome(&error)).is_ok());
    // A torus does not lie in the plane.
    let toric = code::parse("toric:6").unwrap();
    let table = "depolarizing".parse::<Noise>().unwrap().table(toric.n_qubits(), 0.15).unwrap();
    let coset = CosetModel::stabilizer(&toric, table.rows()).unwrap();
    let error = MaximumLikelihood::new(LikelihoodSolver::BoundaryMps(8), coset).unwrap_err().to_string();
    assert!(error.contains("boundary-mps does not apply"), "{error}");
}
