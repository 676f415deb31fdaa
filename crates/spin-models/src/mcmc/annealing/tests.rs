use super::*;
use crate::mcmc::Dynamics;
use crate::{Boundary, EnergyModel, Error, Ising, Lattice, SherringtonKirkpatrick};
use std::ops::ControlFlow;

fn ground_state(model: &SherringtonKirkpatrick) -> f64 {
    let n = model.n_spins();
    (0..1u64 << n).map(|state| model.energy(&Spins::from_state(state, n))).fold(f64::INFINITY, f64::min)
}

#[test]
fn finds_ground_states_of_small_glasses() {
    for seed in 0..5 {
        let model = SherringtonKirkpatrick::gaussian(14, &mut Streams::new(seed).stream(0)).unwrap();
        for params in [
            AnnealingParams::default(),
            AnnealingParams::default().with_schedule(Schedule::Linear).with_dynamics(Dynamics::HeatBath),
        ] {
            let found = simulated_annealing(&model, &params, Streams::new(1), &mut ()).unwrap();
            approx::assert_abs_diff_eq!(found.energy, ground_state(&model), epsilon = 1e-12);
            approx::assert_abs_diff_eq!(found.energy, model.energy(&found.spins), epsilon = 0.0);
            assert!(found.complete && found.energies.len() == 32 && found.sweeps == 32_000);
            assert!(found.energies.iter().all(|&energy| energy >= found.energy));
        }
    }
}

#[test]
fn a_stop_keeps_the_best_so_far() {
    let model = SherringtonKirkpatrick::gaussian(30, &mut Streams::new(4).stream(0)).unwrap();
    let params = AnnealingParams::default().with_reads(100).with_sweeps(50);
    let mut seen = f64::INFINITY;
    let mut reports = 0;
    let mut stop = |progress: &Progress| {
        (seen, reports) = (progress.energy.unwrap(), reports + 1);
        if reports == 60 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let found = simulated_annealing(&model, &params, Streams::new(1), &mut stop).unwrap();
    assert!(!found.complete);
    // One batch of 64 in full, ten sweeps of the other 36.
    assert_eq!((found.energies.len(), found.sweeps), (100, 64 * 50 + 36 * 10));
    // The final descent may lower it further.
    assert!(found.energy <= seen + 1e-12);
}

#[test]
fn schedules_reach_both_ends() {
    for schedule in [Schedule::Linear, Schedule::Geometric] {
        let params = AnnealingParams::default().with_sweeps(11).with_schedule(schedule);
        let betas: Vec<f64> = (0..11).map(|k| params.beta((0.1, 10.0), k)).collect();
        approx::assert_relative_eq!(betas[0], 0.1);
        approx::assert_relative_eq!(betas[10], 10.0, max_relative = 1e-14);
        assert!(betas.windows(2).all(|pair| pair[0] < pair[1]));
    }
    let one = AnnealingParams::default().with_sweeps(1);
    approx::assert_relative_eq!(one.beta((0.1, 10.0), 0), 10.0);
}

#[test]
fn bad_parameters_and_flat_models() {
    let flat = Ising::builder(3).offset(2.0).build().unwrap();
    let run = |params: AnnealingParams| simulated_annealing(&flat, &params, Streams::new(1), &mut ());
    approx::assert_relative_eq!(run(AnnealingParams::default()).unwrap().energy, 2.0);
    assert!(matches!(run(AnnealingParams::default().with_range(f64::NAN, 1.0)), Err(Error::Beta { .. })));
    for bad in [
        AnnealingParams::default().with_range(2.0, 1.0),
        AnnealingParams::default().with_range(0.0, 1.0),
        AnnealingParams::default().with_sweeps(0),
        AnnealingParams::default().with_reads(0),
        AnnealingParams::default().with_threads(0),
    ] {
        assert!(matches!(run(bad), Err(Error::Parameter { .. })));
    }
    let extreme = Ising::builder(2).coupling(0, 1, f64::MIN_POSITIVE).field(0, f64::MAX / 4.0).build().unwrap();
    let found = simulated_annealing(&extreme, &AnnealingParams::default(), Streams::new(1), &mut ()).unwrap();
    assert_eq!(found.spins[0], 1);
}

#[test]
fn every_engine_finds_ground_states() {
    for seed in 0..5 {
        let model = SherringtonKirkpatrick::gaussian(14, &mut Streams::new(seed).stream(0)).unwrap();
        let model = model.with_fields((0..14).map(|i| 0.05 * f64::from(i)).collect()).unwrap().to_ising().unwrap();
        let exact =
            (0..1u64 << 14).map(|state| model.energy(&Spins::from_state(state, 14))).fold(f64::INFINITY, f64::min);
        for engine in [AnnealingEngine::Auto, AnnealingEngine::SingleSpin, AnnealingEngine::Dense] {
            for dynamics in [Dynamics::Metropolis, Dynamics::HeatBath] {
                let params = AnnealingParams::default().with_dynamics(dynamics).with_sweeps(300);
                let annealer = Annealer::with_engine(&model, params, Streams::new(1), engine).unwrap();
                let found = annealer.run(&mut (), &mut ()).unwrap();
                approx::assert_abs_diff_eq!(found.energy, exact, epsilon = 1e-12);
                approx::assert_abs_diff_eq!(found.energy, model.energy(&found.spins), epsilon = 0.0);
            }
        }
    }
}

#[test]
fn reads_are_the_same_on_any_number_of_threads_and_among_any_others() {
    let model = SherringtonKirkpatrick::gaussian(150, &mut Streams::new(7).stream(0)).unwrap();
    for engine in [AnnealingEngine::SingleSpin, AnnealingEngine::Dense] {
        let run = |reads, threads| {
            let params = AnnealingParams::default().with_sweeps(60).with_reads(reads).with_threads(threads);
            let mut seen = Vec::new();
            let mut keep = |read: &AnnealedRead| {
                seen.push((read.read, read.energy, read.spins.clone()));
                ControlFlow::Continue(())
            };
            let annealer = Annealer::with_engine(&model, params, Streams::new(3), engine).unwrap();
            assert_eq!(annealer.engine(), engine);
            let found = annealer.run(&mut keep, &mut ()).unwrap();
            assert_eq!(found.energies, seen.iter().map(|read| read.1).collect::<Vec<_>>());
            (found, seen)
        };
        let (found, seen) = run(70, 1);
        assert_eq!(seen.iter().map(|read| read.0).collect::<Vec<_>>(), (0..70).collect::<Vec<_>>());
        for threads in [2, 3, 100] {
            assert_eq!(run(70, threads), (found.clone(), seen.clone()));
        }
        assert_eq!(run(5, 2).1, seen[..5]);
    }
}

#[test]
fn reads_end_in_local_minima() {
    let model = SherringtonKirkpatrick::gaussian(200, &mut Streams::new(7).stream(0)).unwrap();
    let params = AnnealingParams::default().with_sweeps(3).with_range(0.1, 0.2).with_reads(3);
    let mut minima = 0;
    let mut check = |read: &AnnealedRead| {
        minima += u32::from((0..200).all(|i| model.delta_energy(&read.spins, i) >= -1e-12));
        ControlFlow::Continue(())
    };
    Annealer::new(&model, params, Streams::new(3)).unwrap().run(&mut check, &mut ()).unwrap();
    assert_eq!(minima, 3);
}

#[test]
fn progress_has_the_energy_of_the_model() {
    // Two batches of 1024 reads or less; the second must not forget the constant of the first.
    let lattice = Lattice::square(12, Boundary::Periodic).unwrap();
    let couplings = lattice.edges().map(|(i, j)| (i, j, 1.0));
    let ferromagnet = Ising::builder(144).couplings(couplings).offset(100.0).build().unwrap();
    let mut lowest = f64::INFINITY;
    let mut falls = |progress: &Progress| {
        assert!(progress.energy.unwrap() <= lowest);
        lowest = progress.energy.unwrap();
        ControlFlow::Continue(())
    };
    let params = AnnealingParams::default().with_reads(600).with_sweeps(20);
    let annealer = Annealer::with_engine(&ferromagnet, params, Streams::new(3), AnnealingEngine::Multispin).unwrap();
    let found = annealer.run(&mut (), &mut falls).unwrap();
    approx::assert_abs_diff_eq!(found.energy, 100.0 - 288.0, epsilon = 1e-9);
    assert!(lowest >= found.energy && lowest < 0.0, "{lowest}");
    let model = Ising::builder(4).couplings([(0, 1, 1.5), (1, 2, -2.0)]).field(3, 0.25).offset(100.0).build().unwrap();
    for engine in [AnnealingEngine::SingleSpin, AnnealingEngine::Dense] {
        let mut last = None;
        let mut keep = |progress: &Progress| {
            last = progress.energy;
            ControlFlow::Continue(())
        };
        let params = AnnealingParams::default().with_reads(2).with_sweeps(100);
        Annealer::with_engine(&model, params, Streams::new(3), engine).unwrap().run(&mut (), &mut keep).unwrap();
        approx::assert_abs_diff_eq!(last.unwrap(), 100.0 - 3.75, epsilon = 1e-5);
    }
}

#[test]
fn an_observer_of_reads_stops_the_run() {
    let model = SherringtonKirkpatrick::gaussian(20, &mut Streams::new(7).stream(0)).unwrap();
    let params = AnnealingParams::default().with_reads(200).with_sweeps(2);
    let mut calls = 0;
    let mut stop = |_: &AnnealedRead| {
        calls += 1;
        ControlFlow::Break(())
    };
    let found = Annealer::new(&model, params, Streams::new(3)).unwrap().run(&mut stop, &mut ()).unwrap();
    assert_eq!((calls, found.energies.len(), found.complete), (1, 64, false));
}

#[test]
fn dense_engine_says_what_it_cannot_take() {
    let params = AnnealingParams::default();
    let dense = |model: &Ising| {
        Annealer::with_engine(model, params.clone(), Streams::new(3), AnnealingEngine::Dense).map(|_| ()).unwrap_err()
    };
    let flat = Ising::builder(3).build().unwrap();
    assert!(matches!(dense(&flat), Error::NotApplicable { .. }));
    // Fields of 1e9 drown couplings of 1.
    let wide = Ising::builder(3).couplings([(0, 1, 1.0), (1, 2, -1.0)]).field(0, 1e9).build().unwrap();
    let wide = |params| Annealer::with_engine(&wide, params, Streams::new(3), AnnealingEngine::Dense).map(|_| ());
    let error = wide(AnnealingParams::default().with_range(0.1, 10.0)).unwrap_err();
    assert!(error.to_string().contains("at beta = 10"), "{error}");
    let large = Ising::builder((1 << 14) + 1).coupling(0, 1, 1.0).build().unwrap();
    assert!(matches!(dense(&large), Error::TooLarge { bound: 16384, .. }));
    // Auto takes another engine.
    assert_eq!(Annealer::new(&flat, params.clone(), Streams::new(3)).unwrap().engine(), AnnealingEngine::Multispin);
    assert_eq!(Annealer::new(&large, params.clone(), Streams::new(3)).unwrap().engine(), AnnealingEngine::Multispin);
}

#[test]
fn automatic_ranges_follow_the_rule() {
    // One spin in a field of 1.5: every change is 3.
    let one = Ising::builder(1).field(0, 1.5).build().unwrap();
    let (hot, cold) = automatic_range(&one, Streams::new(1));
    approx::assert_relative_eq!(hot, 2f64.ln() / 3.0, max_relative = 1e-14);
    approx::assert_relative_eq!(cold, 10f64.ln() / 3.0, max_relative = 1e-14);
    // A cubic ±J lattice: changes 0, 4, 8, 12; the mean square of those left, with weights 15 : 6 : 1, is 768 / 22.
    let glass = ea3();
    let (hot, cold) = automatic_range(&glass, Streams::new(1));
    approx::assert_relative_eq!(hot, 2f64.ln() / (768f64 / 22.0).sqrt(), max_relative = 0.03);
    approx::assert_relative_eq!(cold, 10_000f64.ln() / 4.0, max_relative = 1e-14);
    let annealer = Annealer::new(&glass, AnnealingParams::default(), Streams::new(1)).unwrap();
    assert_eq!(annealer.range(), (hot, cold));
}

fn ea3() -> Ising {
    let lattice = crate::Lattice::cubic(10, crate::Boundary::Periodic).unwrap();
    Ising::edwards_anderson(&lattice, crate::Disorder::plus_minus(), &mut Streams::new(1).stream(0)).unwrap()
}

#[test]
fn bits_are_chosen_for_sparse_integer_models() {
    let engine = |model: &Ising, reads| {
        let params = AnnealingParams::default().with_reads(reads);
        Annealer::new(model, params, Streams::new(1)).unwrap().engine()
    };
    let glass = ea3();
    assert_eq!(engine(&glass, 1), AnnealingEngine::Multispin);
    let mixed = Ising::builder(1000).couplings([(0, 1, 1.0), (1, 2, 0.3)]).build().unwrap();
    assert_eq!(engine(&mixed, 100), AnnealingEngine::SingleSpin);
    let params = AnnealingParams::default();
    let error = Annealer::with_engine(&mixed, params, Streams::new(1), AnnealingEngine::Multispin).unwrap_err();
    assert!(error.to_string().contains("coupling"), "{error}");
}

#[test]
fn engines_cool_a_lattice_to_the_same_energies() {
    let glass = ea3();
    let run = |engine, threads, reads| {
        let params = AnnealingParams::default().with_reads(reads).with_sweeps(100).with_threads(threads);
        Annealer::with_engine(&glass, params, Streams::new(1), engine).unwrap().run(&mut (), &mut ()).unwrap()
    };
    let stats = |energies: &[f64]| {
        let n = energies.len() as f64;
        let mean = energies.iter().sum::<f64>() / n;
        (mean, energies.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / n / (n - 1.0))
    };
    let bits = run(AnnealingEngine::Multispin, 1, 600);
    assert_eq!(bits, run(AnnealingEngine::Multispin, 3, 600));
    assert_eq!(bits.energies.len(), 600);
    let chains = run(AnnealingEngine::SingleSpin, 2, 40);
    // Orders of sweeps and the acceptance of ties differ: 1% of the energy.
    let ((a, va), (b, vb)) = (stats(&bits.energies), stats(&chains.energies));
    assert!((a - b).abs() < 4.0 * (va + vb).sqrt() + 0.01 * b.abs(), "{a} and {b}");
    approx::assert_abs_diff_eq!(bits.energy, glass.energy(&bits.spins), epsilon = 0.0);
}

#[test]
fn sure_ties_turn_free_spins_and_keep_the_others_in_law() {
    use crate::Simulation;
    use crate::mcmc::multispin::Replicas;
    // Spin 0 is free. Spin 2 hangs on spin 1 and on a field that cancels it when up.
    let model = Ising::builder(3).coupling(1, 2, 1.0).field(2, -1.0).build().unwrap();
    let new = || Replicas::new(&model, 512, Dynamics::Metropolis, 0.4, Streams::new(5), 0).unwrap().with_sure_ties();
    let mut replicas = new();
    let before: Vec<i8> = (0..512).map(|read| replicas.spins(read)[0]).collect();
    replicas.advance(1, &mut ());
    assert!((0..512).all(|read| replicas.spins(read)[0] == -before[read]));
    // The mean energy of the eight states.
    let (mut z, mut exact) = (0.0, 0.0);
    for state in 0..8 {
        let energy = model.energy(&Spins::from_state(state, 3));
        z += (-0.4 * energy).exp();
        exact += energy * (-0.4 * energy).exp();
    }
    exact /= z;
    let mut means = vec![0.0; 512];
    for _ in 0..1000 {
        replicas.advance(1, &mut ());
        means.iter_mut().zip(replicas.energies()).for_each(|(mean, energy)| *mean += energy / 1000.0);
    }
    let mean = means.iter().sum::<f64>() / 512.0;
    let variance = means.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 511.0;
    assert!((mean - exact).abs() < 4.0 * (variance / 512.0).sqrt(), "{mean} for {exact}");
}

#[test]
fn temperatures_of_any_range_have_equal_ratios() {
    let params = AnnealingParams::default().with_sweeps(3).with_range(1e-300, 1e10);
    let middle = params.beta((1e-300, 1e10), 1);
    approx::assert_relative_eq!(middle.log10(), -145.0, epsilon = 1e-9);
}
