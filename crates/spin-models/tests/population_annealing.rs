//! Population annealing against enumeration and the transfer matrix, and bit for bit against itself.

use std::ops::ControlFlow;

use linalg_core::Streams;
use linalg_core::checkpoint::Checkpoint;
use linalg_core::rand::RngExt;
use linalg_core::stats::{Estimate, Running};
use spin_models::exact::Enumeration;
use spin_models::mcmc::{
    Cooling, HeatBath, Ladder, Metropolis, PopulationAnnealing, PopulationAnnealingSolver, PopulationParams,
    PopulationRun, PopulationStart,
};
use spin_models::{
    Boundary, Correlations, EnergyModel, Error, Ising, LnZ, LogPartition, Progress, Quantities, SherringtonKirkpatrick,
    Solve, Spins, TransferMatrix,
};

/// ±J couplings and ±1/2 fields on a ring of 12 sites with chords.
fn glass() -> Ising {
    let mut rng = Streams::new(11).stream(0);
    let mut sign = || if rng.random::<bool>() { 1.0 } else { -1.0 };
    let mut builder = Ising::builder(12);
    for i in 0..12 {
        for j in [(i + 1) % 12, (i + 5) % 12] {
            builder = builder.coupling(i, j, sign());
        }
        builder = builder.field(i, 0.5 * sign());
    }
    builder.build().unwrap()
}

fn run_with(model: &Ising, cooling: Cooling, params: PopulationParams, seed: u64) -> PopulationRun {
    let mut population =
        PopulationAnnealing::new(model, HeatBath::default(), cooling, params, Streams::new(seed)).unwrap();
    population.cool(&mut ()).unwrap();
    assert!(population.is_done());
    population.run()
}

/// `⟨f⟩` at β by summation over all states.
fn exact(model: &Ising, beta: f64, f: impl Fn(&[i8]) -> f64) -> f64 {
    let n = model.n_spins();
    let (mut sum, mut z) = (0.0, 0.0);
    for state in 0..1u64 << n {
        let s = Spins::from_state(state, n);
        let weight = (-beta * (model.energy(&s) + 20.0)).exp();
        z += weight;
        sum += weight * f(&s);
    }
    sum / z
}

type Value<'a> = &'a dyn Fn(&PopulationRun) -> Estimate;

fn rms(z: &[f64]) -> f64 {
    (z.iter().map(|z| z * z).sum::<f64>() / z.len() as f64).sqrt()
}

/// 40 seeds, 500 replicas, cooled to β = 2 on one ladder. ln Z and all averages at four temperatures: the root mean
/// square of z over the seeds is that of honest errors within 1/√80 = 11%, of which four are allowed upwards; the errors
/// may be too large, since the rounding of resampling counts as scatter, but by no more than three. `exp(ln Z)` is
/// unbiased: the mean over the seeds lies within four of its standard errors of 1.
#[test]
fn every_temperature_agrees_with_enumeration() {
    let model = glass();
    let ladder = Ladder::linear(0.0, 2.0, 21).unwrap();
    let params = PopulationParams::default().with_population(500).with_sweeps(4);
    let runs: Vec<PopulationRun> =
        (0..40).map(|seed| run_with(&model, Cooling::Ladder(ladder.clone()), params.clone(), seed)).collect();
    for k in [1, 5, 10, 20] {
        let beta = ladder.betas()[k];
        let m = |s: &[i8]| s.iter().map(|&s| f64::from(s)).sum::<f64>() / 12.0;
        let energy = exact(&model, beta, |s| model.energy(s));
        let ln_z = Enumeration::default().ln_z(&model, beta).unwrap().value;
        let values: [(&str, f64, Value<'_>); 6] = [
            ("ln Z", ln_z, &|run| {
                let ln_z = run.steps[k].ln_z;
                Estimate::new(ln_z.value, ln_z.std_error.unwrap())
            }),
            ("energy", energy, &|run| run.steps[k].energy),
            ("variance", exact(&model, beta, |s| (model.energy(s) - energy).powi(2)), &|run| {
                run.steps[k].energy_variance
            }),
            ("|m|", exact(&model, beta, |s| m(s).abs()), &|run| run.steps[k].abs_magnetization),
            ("m²", exact(&model, beta, |s| m(s).powi(2)), &|run| run.steps[k].magnetization_2),
            ("m⁴", exact(&model, beta, |s| m(s).powi(4)), &|run| run.steps[k].magnetization_4),
        ];
        for (name, exact, value) in values {
            let z: Vec<f64> =
                runs.iter().map(|run| (value(run).value - exact) / value(run).std_error.unwrap()).collect();
            let rms = rms(&z);
            assert!((0.33..1.45).contains(&rms), "{name} at {beta}: rms z = {rms}");
            let mean = z.iter().sum::<f64>() / 40.0;
            assert!(mean.abs() < 4.0 * rms / 40f64.sqrt() + 0.1, "{name} at {beta}: mean z = {mean}");
        }
        let ratios: Running = runs.iter().map(|run| (run.steps[k].ln_z.value - ln_z).exp()).collect();
        assert!((ratios.mean() - 1.0).abs() < 4.0 * ratios.std_error(), "Z / exact = {} at {beta}", ratios.mean());
    }
    // At β = 0 every replica is its own family and ln Z is exact.
    for run in &runs {
        assert!((run.steps[0].rho_t - 1.0).abs() < 1e-12 && (run.steps[0].largest_family - 1.0 / 500.0).abs() < 1e-12);
        assert_eq!(run.steps[0].ln_z, LnZ::estimate(12.0 * std::f64::consts::LN_2, 0.0));
        assert!(run.steps.windows(2).all(|pair| pair[1].rho_t >= 1.0 && pair[1].beta > pair[0].beta));
    }
}

/// 24 groups of four runs of 60 replicas: the combined ln Z, energy, sites and pairs agree with enumeration, and the
/// combined Z of all is unbiased where the mean of ln Z is not.
#[test]
fn combined_runs_agree_with_enumeration() {
    let (model, beta) = (glass(), 2.0);
    let ladder = Ladder::linear(0.0, beta, 11).unwrap();
    let params = PopulationParams::default().with_population(60).with_sweeps(1).with_pairs([(0, 1), (3, 8)]);
    let runs: Vec<PopulationRun> =
        (0..96).map(|seed| run_with(&model, Cooling::Ladder(ladder.clone()), params.clone(), 500 + seed)).collect();
    let ln_z = Enumeration::default().ln_z(&model, beta).unwrap().value;
    let energy = exact(&model, beta, |s| model.energy(s));
    let site = exact(&model, beta, |s| f64::from(s[4]));
    let pair = exact(&model, beta, |s| f64::from(s[3] * s[8]));
    let groups: Vec<PopulationRun> = runs.chunks(4).map(|group| PopulationRun::combine(group).unwrap()).collect();
    let z = |value: &dyn Fn(&PopulationRun) -> (f64, f64), exact: f64| -> Vec<f64> {
        groups.iter().map(|run| (value(run).0 - exact) / value(run).1).collect()
    };
    let of = |x: Estimate| (x.value, x.std_error.unwrap());
    for (name, z) in [
        ("ln Z", z(&|run| (run.last().ln_z.value, run.last().ln_z.std_error.unwrap()), ln_z)),
        ("energy", z(&|run| of(run.last().energy), energy)),
        ("site", z(&|run| of(run.magnetizations[4]), site)),
        ("pair", z(&|run| of(run.correlations.values[1]), pair)),
    ] {
        let rms = rms(&z);
        assert!((0.3..1.6).contains(&rms), "{name}: rms z = {rms}");
    }
    let all = PopulationRun::combine(&runs).unwrap();
    assert_eq!(all.population, 96 * 60);
    let check = |estimate: Estimate, exact: f64, name: &str| {
        let z = estimate.z_score(&Estimate::exact(exact));
        assert!(z.abs() < 4.0, "{name}: {estimate} for {exact}");
    };
    check(Estimate::new(all.last().ln_z.value, all.last().ln_z.std_error.unwrap()), ln_z, "ln Z");
    check(all.last().energy, energy, "energy");
    // The plain mean of ln Z is low by half the variance of a run; Jensen's inequality, beyond its error.
    let plain: Running = runs.iter().map(|run| run.last().ln_z.value).collect();
    assert!(plain.mean() < all.last().ln_z.value);
    // Combining is associative, apart from the errors.
    let halves = [PopulationRun::combine(&runs[..30]).unwrap(), PopulationRun::combine(&runs[30..]).unwrap()];
    let again = PopulationRun::combine(&halves).unwrap();
    approx::assert_relative_eq!(again.last().ln_z.value, all.last().ln_z.value, max_relative = 1e-13);
    approx::assert_relative_eq!(again.last().energy.value, all.last().energy.value, max_relative = 1e-12);
    approx::assert_relative_eq!(again.last().rho_t, all.last().rho_t, max_relative = 1e-12);
    approx::assert_relative_eq!(
        again.last().energy_variance.value,
        all.last().energy_variance.value,
        max_relative = 1e-10
    );
}

/// ±J on 8 x 8 with open boundaries, β = 1.5, adaptive steps, eight seeds of 1000 replicas: ln Z within 4 errors of the
/// transfer matrix, and an error below 0.1.
#[test]
fn ln_z_of_a_lattice_agrees_with_the_transfer_matrix() {
    let mut rng = Streams::new(3).stream(0);
    let mut builder = Ising::builder(64);
    for i in 0..64 {
        if i % 8 < 7 {
            builder = builder.coupling(i, i + 1, if rng.random::<bool>() { 1.0 } else { -1.0 });
        }
        if i < 56 {
            builder = builder.coupling(i, i + 8, if rng.random::<bool>() { 1.0 } else { -1.0 });
        }
    }
    let model = builder.build().unwrap();
    let exact = TransferMatrix::default().ln_z(&model, 1.5).unwrap().value;
    let z: Vec<f64> = (0..8)
        .map(|seed| {
            let run = run_with(&model, Cooling::to(1.5), PopulationParams::default(), seed);
            let ln_z = run.last().ln_z;
            assert!(ln_z.std_error.unwrap() < 0.1, "{ln_z:?}");
            (ln_z.value - exact) / ln_z.std_error.unwrap()
        })
        .collect();
    assert!(z.iter().all(|z| z.abs() < 4.0) && rms(&z) < 2.0, "{z:?}");
}

#[test]
fn a_run_in_two_parts_continues_ln_z() {
    let model = glass();
    let middle = 0.6;
    let (exact_middle, exact_end) = (
        Enumeration::default().ln_z(&model, middle).unwrap().value,
        Enumeration::default().ln_z(&model, 1.2).unwrap().value,
    );
    let params = PopulationParams::default().with_population(2000);
    let first = |seed| {
        let mut population = PopulationAnnealing::new(
            &model,
            HeatBath::default(),
            Cooling::to(middle),
            params.clone(),
            Streams::new(seed),
        )
        .unwrap();
        population.cool(&mut ()).unwrap();
        population
    };
    let population = first(1);
    // Exact at the start, then the scatter of one more step only.
    let start = PopulationStart {
        beta: middle,
        ln_z: LnZ::exact(exact_middle),
        configurations: population.configurations().map(|(spins, _)| spins.clone()).collect(),
    };
    let second = |start: &PopulationStart, params: &PopulationParams| {
        let mut population = PopulationAnnealing::from_start(
            &model,
            HeatBath::default(),
            start,
            Cooling::to(1.2),
            params.clone(),
            Streams::new(2),
        )
        .unwrap();
        population.cool(&mut ()).unwrap();
        population.run()
    };
    let run = second(&start, &params);
    let ln_z = run.last().ln_z;
    assert!((ln_z.value - exact_end).abs() < 4.0 * ln_z.std_error.unwrap());
    assert!((run.steps[0].rho_t - 1.0).abs() < 1e-12);
    // With an error of its own, which adds; fewer configurations than places are families of copies.
    let uncertain = PopulationStart { ln_z: LnZ::estimate(exact_middle, 0.5), ..start.clone() };
    let wide = second(&uncertain, &params).last().ln_z;
    approx::assert_relative_eq!(wide.std_error.unwrap(), ln_z.std_error.unwrap().hypot(0.5), max_relative = 1e-12);
    let few = PopulationStart { configurations: start.configurations[..100].to_vec(), ..start.clone() };
    let run = second(&few, &params);
    approx::assert_relative_eq!(run.steps[0].rho_t, 20.0, max_relative = 1e-12);
    // ln Z of the start is known however few configurations there are.
    assert!(run.steps[0].ln_z.std_error.unwrap() < 1e-12);
    // What the start does not know no number of runs does.
    let runs: Vec<PopulationRun> = (0..8).map(|_| second(&uncertain, &params)).collect();
    let combined = PopulationRun::combine(&runs).unwrap();
    assert!(combined.last().ln_z.std_error.unwrap() >= 0.5 && combined.last().ln_z.std_error.unwrap() < 0.51);
    for bad in [
        PopulationStart { configurations: Vec::new(), ..start.clone() },
        PopulationStart { configurations: vec![Spins::up(3)], ..start.clone() },
        PopulationStart { beta: f64::NAN, ..start.clone() },
        PopulationStart { beta: 2.0, ..start.clone() },
        PopulationStart { ln_z: LnZ::exact(f64::NAN), ..start },
    ] {
        let refused = PopulationAnnealing::from_start(
            &model,
            HeatBath::default(),
            &bad,
            Cooling::to(1.2),
            params.clone(),
            Streams::new(2),
        );
        assert!(refused.is_err(), "{bad:?}");
    }
}

#[test]
fn threads_and_checkpoints_do_not_change_the_numbers() {
    let model = SherringtonKirkpatrick::gaussian(16, &mut Streams::new(2).stream(0)).unwrap();
    let new = |threads, seed| {
        let params = PopulationParams::default().with_population(64).with_threads(threads).with_pairs([(0, 9)]);
        PopulationAnnealing::new(&model, Metropolis::default(), Cooling::to(2.0), params, Streams::new(seed)).unwrap()
    };
    let mut one = new(1, 5);
    one.cool(&mut ()).unwrap();
    let mut three = new(3, 5);
    // Stopped after the fifth temperature, saved, and continued elsewhere on two threads.
    let mut seen = 0;
    let mut stop = |_: &Progress| {
        seen += 1;
        if seen == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    three.cool(&mut stop).unwrap();
    assert!(!three.is_done() && three.steps().len() == 6);
    let bytes = three.checkpoint().to_bytes();
    let saved = Checkpoint::from_bytes(&bytes).unwrap();
    let mut two = new(2, 77);
    two.restore(&saved).unwrap();
    two.cool(&mut ()).unwrap();
    three.cool(&mut ()).unwrap();
    assert_eq!(one.run(), two.run());
    assert_eq!(one.run(), three.run());
    let mut other = new(1, 6);
    other.cool(&mut ()).unwrap();
    assert_ne!(one.run(), other.run());
    // Another instance, other parameters, a damaged payload.
    let another = SherringtonKirkpatrick::gaussian(16, &mut Streams::new(3).stream(0)).unwrap();
    let params = PopulationParams::default().with_population(64);
    let mut another =
        PopulationAnnealing::new(&another, Metropolis::default(), Cooling::to(2.0), params, Streams::new(5)).unwrap();
    assert!(another.restore(&saved).is_err());
    let params = PopulationParams::default().with_population(65);
    let mut larger =
        PopulationAnnealing::new(&model, Metropolis::default(), Cooling::to(2.0), params, Streams::new(5)).unwrap();
    let before = larger.run();
    assert!(larger.restore(&saved).is_err());
    assert_eq!(larger.run(), before);
    for cut in [0, 8, saved.payload.len() / 2, saved.payload.len() - 1] {
        let mut cut_short = saved.clone();
        cut_short.payload.truncate(cut);
        assert!(new(1, 5).restore(&cut_short).is_err());
    }
}

#[test]
fn the_solver_agrees_with_enumeration() {
    // Seed 1, eight runs of 2000 replicas, 2 + 12 + 66 numbers within 4.2 standard errors.
    let (model, beta) = (glass(), 1.2);
    let want = Quantities::all().with_correlations(Correlations::All);
    let solver = PopulationAnnealingSolver::default().with_population(2000).with_seed(1);
    let solution = solver.solve(&model, beta, want, &mut ()).unwrap();
    let check = |estimate: Estimate, exact: f64, what: &str| {
        let z = estimate.z_score(&Estimate::exact(exact));
        assert!(z.abs() < 4.2, "{what}: {estimate} for {exact}, z = {z}");
    };
    let ln_z = solution.ln_z.unwrap();
    let reference = Enumeration::default().ln_z(&model, beta).unwrap().value;
    check(Estimate::new(ln_z.value, ln_z.std_error.unwrap()), reference, "ln Z");
    check(solution.energy.unwrap(), exact(&model, beta, |s| model.energy(s)), "energy");
    for (i, m) in solution.magnetizations.unwrap().into_iter().enumerate() {
        check(m, exact(&model, beta, |s| f64::from(s[i])), "magnetization");
    }
    let correlations = solution.correlations.unwrap();
    assert_eq!(correlations.pairs.len(), 66);
    for (&(i, j), value) in correlations.pairs.iter().zip(correlations.values) {
        check(value, exact(&model, beta, |s| f64::from(s[i] * s[j])), "correlation");
    }
    let ground = Enumeration::default().ground_state(&model).unwrap().energy;
    let found = solution.ground_state.unwrap();
    approx::assert_abs_diff_eq!(found.energy, ground, epsilon = 1e-12);
    approx::assert_abs_diff_eq!(model.energy(&found.spins), ground, epsilon = 1e-12);
    let again = solver.clone().with_threads(3).solve(&model, beta, want, &mut ()).unwrap();
    assert_eq!(again.ln_z.unwrap(), ln_z);
}

#[test]
fn ends_stops_and_bad_parameters() {
    let model = glass();
    let new = |cooling, params: PopulationParams| {
        PopulationAnnealing::new(&model, Metropolis::default(), cooling, params, Streams::new(1))
    };
    let good = PopulationParams::default;
    assert!(matches!(new(Cooling::to(f64::NAN), good()), Err(Error::Beta { .. })));
    assert!(matches!(new(Cooling::to(-1.0), good()), Err(Error::Beta { .. })));
    assert!(matches!(
        new(Cooling::to(1.0), good().with_population(1)),
        Err(Error::Parameter { what: "population", .. })
    ));
    assert!(matches!(new(Cooling::to(1.0), good().with_population(usize::MAX)), Err(Error::TooLarge { .. })));
    assert!(matches!(new(Cooling::to(1.0), good().with_sweeps(0)), Err(Error::Parameter { what: "sweeps", .. })));
    assert!(matches!(new(Cooling::to(1.0), good().with_threads(0)), Err(Error::Parameter { .. })));
    assert!(matches!(
        new(Cooling::to(1.0), good().with_pairs([(0, 1), (2, 12)])),
        Err(Error::SiteOutOfBounds { entry: 1, site: 12, .. })
    ));
    // At β = 0 nothing happens.
    let mut still = new(Cooling::to(0.0), good()).unwrap();
    assert!(still.is_done());
    still.cool(&mut ()).unwrap();
    assert_eq!(still.steps().len(), 1);
    assert!(PopulationRun::combine(&[]).is_err());
    let run = |beta: f64| run_with(&model, Cooling::Ladder(Ladder::linear(0.0, beta, 3).unwrap()), good(), 1);
    assert!(matches!(PopulationRun::combine(&[run(1.0), run(1.1)]), Err(Error::Parameter { what: "beta", .. })));
    assert!(matches!(PopulationRun::combine(&[run(1.0), still.run()]), Err(Error::WrongLength { .. })));
    let solver = PopulationAnnealingSolver::default().with_population(10);
    let mut stop = |_: &Progress| ControlFlow::Break(());
    assert!(matches!(solver.solve(&model, 1.0, Quantities::all(), &mut stop), Err(Error::Stopped { .. })));
    assert!(matches!(solver.clone().with_runs(0).check(&model, 1.0), Err(Error::Parameter { .. })));
    assert!(matches!(solver.check(&model, f64::INFINITY), Err(Error::Beta { .. })));
    // Far below every gap all replicas are in the ground state, and the error says how well that is known.
    let pair = Ising::square(4, Boundary::Periodic, 1.0).unwrap();
    let cold = solver.with_population(100).solve(&pair, 20.0, Quantities::all(), &mut ()).unwrap();
    assert!((cold.energy.unwrap().value + 32.0).abs() < 1e-12 && cold.energy.unwrap().std_error.unwrap() > 0.0);
    let ln_z = cold.ln_z.unwrap();
    assert!((ln_z.value - 640.0 - 2f64.ln()).abs() < 4.0 * ln_z.std_error.unwrap(), "{ln_z:?}");
}
