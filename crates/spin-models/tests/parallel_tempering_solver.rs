//! The parallel-tempering and annealing solvers against exact methods.

use std::ops::ControlFlow;

use linalg_core::Streams;
use linalg_core::rng::standard_normal;
use linalg_core::stats::{Estimate, Running};
use spin_models::exact::Enumeration;
use spin_models::mcmc::{AnnealingParams, AnnealingSolver, ParallelTemperingSolver};
use spin_models::{
    Boundary, Correlations, Disorder, Error, Ising, Lattice, LogPartition, Progress, Quantities, Solution, Solve,
    TransferMatrix,
};

fn ln_z(solution: &Solution) -> Estimate {
    let ln_z = solution.ln_z.unwrap();
    Estimate::new(ln_z.value, ln_z.std_error.unwrap())
}

/// Real couplings, with fields for even `k`, on a ring of ten sites with chords.
fn glass(k: u64) -> Ising {
    let mut rng = Streams::new(60).stream(k);
    let mut builder = Ising::builder(10);
    for i in 0..10 {
        for j in [(i + 1) % 10, (i + 3) % 10] {
            builder = builder.coupling(i, j, standard_normal(&mut rng));
        }
        if k.is_multiple_of(2) {
            builder = builder.field(i, 0.3 * standard_normal(&mut rng));
        }
    }
    builder.build().unwrap()
}

/// 40 glasses, β from 0.2 to 8, 1000 sweeps of eight sets: the scores of ln Z and of the energy have unit spread and no
/// mean within the accuracy of 40 values. Magnetizations and pairs, which share fluctuations, stay within 5 errors.
#[test]
fn errors_are_honest_over_many_instances() {
    let mut scores = [Running::new(), Running::new()];
    for k in 0..40 {
        let model = glass(k);
        let beta = 0.2 * 40f64.powf(k as f64 / 39.0);
        let solver = ParallelTemperingSolver::default().with_sweeps(1000).with_seed(k);
        let want = Quantities::all().with_correlations(Correlations::All);
        let solution = solver.solve(&model, beta, want, &mut ()).unwrap();
        let exact = Enumeration::default().energy_cumulants(&model, beta, &mut ()).unwrap();
        scores[0].push(ln_z(&solution).z_score(&Estimate::exact(exact.ln_z)));
        scores[1].push(solution.energy.unwrap().z_score(&Estimate::exact(exact.mean)));
        let exact = Enumeration::default().solve(&model, beta, want, &mut ()).unwrap();
        let pairs = solution.magnetizations.unwrap().into_iter().zip(exact.magnetizations.unwrap());
        let products = solution.correlations.unwrap().values.into_iter().zip(exact.correlations.unwrap().values);
        for (estimate, exact) in pairs.chain(products) {
            // A spin that was never seen the other way up has an error of 0 and an average off by next to nothing.
            let (z, distance) = (estimate.z_score(&Estimate::exact(exact.value)), estimate.value - exact.value);
            assert!(z.abs() < 5.0 || distance.abs() < 1e-3, "instance {k}: {estimate} for {}", exact.value);
        }
    }
    for scores in scores {
        let spread = scores.raw_moment(2).sqrt();
        assert!((0.55..1.5).contains(&spread), "root mean square z = {spread}");
        assert!(scores.mean().abs() < 4.0 / 40f64.sqrt(), "mean z = {}", scores.mean());
    }
}

/// ln Z and energy of the transfer matrix for ±J on 12 x 12, free boundaries, instance `k`.
fn frozen(instance: u64, beta: f64) -> (Ising, f64, f64) {
    let lattice = Lattice::square(12, Boundary::Free).unwrap();
    let mut rng = Streams::new(50 + instance).stream(0);
    let model = Ising::edwards_anderson(&lattice, Disorder::plus_minus(), &mut rng).unwrap();
    let ln_z = |beta: f64| TransferMatrix::default().ln_z(&model, beta).unwrap().value;
    let step = 1e-4;
    let (value, energy) = (ln_z(beta), -(ln_z(beta + step) - ln_z(beta - step)) / (2.0 * step));
    (model, value, energy)
}

/// ±J on 12 x 12 at β = 3, where single flips are frozen and chains end in different valleys: 2000 sweeps along the
/// ladder bring ln Z and energy within four of their errors, which are small.
#[test]
fn a_frozen_glass_is_no_obstacle() {
    let (model, value, energy) = frozen(0, 3.0);
    let solver = ParallelTemperingSolver::default().with_sweeps(2000).with_seed(1).with_threads(2);
    let solution = solver.solve(&model, 3.0, Quantities::all(), &mut ()).unwrap();
    for (estimate, exact, most) in [(ln_z(&solution), value, 0.3), (solution.energy.unwrap(), energy, 0.15)] {
        let z = estimate.z_score(&Estimate::exact(exact));
        assert!(z.abs() < 4.0 && estimate.std_error.unwrap() < most, "{estimate} for {exact}, z = {z}");
    }
}

#[test]
#[ignore = "frozen glasses at full length, a minute; run by .ci/long"]
fn frozen_glasses_are_unbiased() {
    for instance in 0..4 {
        for beta in [1.0, 3.0] {
            let (model, value, energy) = frozen(instance, beta);
            let solver = ParallelTemperingSolver::default().with_sweeps(12_000).with_seed(instance).with_threads(2);
            let solution = solver.solve(&model, beta, Quantities::all(), &mut ()).unwrap();
            for (estimate, exact) in [(ln_z(&solution), value), (solution.energy.unwrap(), energy)] {
                let z = estimate.z_score(&Estimate::exact(exact));
                assert!(z.abs() < 4.0 && estimate.std_error.unwrap() < 0.2, "{instance}, {beta}: {estimate}, z = {z}");
            }
        }
    }
}

#[test]
fn threads_ends_stops_and_bad_parameters() {
    let model = glass(0);
    let solver = ParallelTemperingSolver::default().with_sweeps(300).with_seed(4);
    let solve = |solver: &ParallelTemperingSolver, beta| solver.solve(&model, beta, Quantities::all(), &mut ());
    let first = solve(&solver, 2.0).unwrap();
    for threads in [2, 3, 20] {
        assert_eq!(first, solve(&solver.clone().with_threads(threads), 2.0).unwrap());
    }
    assert_ne!(first, solve(&solver.clone().with_seed(5), 2.0).unwrap());
    // At β = 0 ln Z is exact, and the averages those of random spins.
    let flat = solve(&solver, 0.0).unwrap();
    assert!((flat.ln_z.unwrap().value - 10.0 * 2f64.ln()).abs() < 1e-12);
    assert!(flat.energy.unwrap().z_score(&Estimate::exact(0.0)).abs() < 4.0);
    // A model without interactions: one step.
    let free = Ising::builder(3).offset(1.5).build().unwrap();
    let solution = solver.solve(&free, 2.0, Quantities::all(), &mut ()).unwrap();
    assert!((solution.ln_z.unwrap().value - 3.0 * 2f64.ln() + 3.0).abs() < 1e-12);
    let one = Ising::builder(1).field(0, 2.0).build().unwrap();
    let solution = solver.solve(&one, 1.0, Quantities::all(), &mut ()).unwrap();
    assert!(ln_z(&solution).z_score(&Estimate::exact((2.0 * 2f64.cosh()).ln())).abs() < 4.0);
    for bad in [solver.clone().with_sets(0), solver.clone().with_sweeps(0)] {
        assert!(matches!(bad.check(&model, 1.0), Err(Error::Parameter { .. })));
        assert!(matches!(solve(&bad, 1.0), Err(Error::Parameter { .. })));
    }
    assert!(matches!(solve(&solver, f64::NAN), Err(Error::Beta { .. })));
    // One sweep and one set: numbers, without an error to believe in.
    let short = solve(&solver.clone().with_sets(1).with_sweeps(1), 1.0).unwrap();
    assert_eq!(short.ln_z.unwrap().std_error, Some(f64::INFINITY));
    let stop_at = |stage: &'static str| {
        let mut stop = move |progress: &Progress| {
            if progress.stage == stage { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        solver.solve(&model, 1.0, Quantities::all(), &mut stop)
    };
    for stage in ["cooling", "equilibrating"] {
        assert!(matches!(stop_at(stage), Err(Error::Stopped { .. })));
    }
    let partial = stop_at("measuring").unwrap();
    assert!(partial.energy.is_some() && partial.ln_z.is_some());
}

#[test]
fn annealing_finds_the_ground_state_of_small_glasses() {
    for k in 0..8 {
        let model = glass(k);
        let params = AnnealingParams::default().with_sweeps(200);
        let solver = AnnealingSolver::default().with_params(params).with_seed(k);
        let solution = solver.solve(&model, 1.0, Quantities::all(), &mut ()).unwrap();
        let ground = Enumeration::default().ground_state(&model).unwrap().energy;
        approx::assert_abs_diff_eq!(solution.ground_state.as_ref().unwrap().energy, ground, epsilon = 1e-9);
        assert_eq!(solution, solver.solve(&model, 1.0, Quantities::all(), &mut ()).unwrap());
    }
    let model = glass(0);
    assert!(matches!(AnnealingSolver::default().check(&model, f64::NAN), Err(Error::Beta { .. })));
    let none = AnnealingSolver::default().with_params(AnnealingParams::default().with_sweeps(0));
    assert!(matches!(none.solve(&model, 1.0, Quantities::all(), &mut ()), Err(Error::Parameter { .. })));
}
