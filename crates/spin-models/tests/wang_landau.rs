//! Densities of states against exact ones, and bit for bit against themselves.

use std::ops::ControlFlow;

use linalg_core::checkpoint::Checkpoint;
use linalg_core::merge::{Merge, MergeError};
use linalg_core::rand::RngExt;
use linalg_core::stats::Estimate;
use linalg_core::{Observer, Streams};
use spin_models::exact::{Enumeration, kaufman};
use spin_models::mcmc::{DensityOfStates, EnergyGrid, Multicanonical, WangLandau, WangLandauParams, WangLandauSolver};
use spin_models::{
    Boundary, CachedModel, EnergyModel, Error, Ising, LogPartition, Progress, Quantities, SherringtonKirkpatrick,
    Solve, TransferMatrix,
};

/// Number of configurations of the 6 x 6 torus with k unsatisfied bonds, k = 0, 4, 6, 8, …, 36; the rest by symmetry.
const TORUS_6: [(u32, u64); 18] = [
    (0, 2),
    (4, 72),
    (6, 144),
    (8, 1620),
    (10, 6048),
    (12, 35148),
    (14, 159840),
    (16, 804078),
    (18, 3846576),
    (20, 17569080),
    (22, 71789328),
    (24, 260434986),
    (26, 808871328),
    (28, 2122173684),
    (30, 4616013408),
    (32, 8196905106),
    (34, 11674988208),
    (36, 13172279424),
];

fn measured<M: CachedModel + Sync + Clone>(
    model: M,
    params: WangLandauParams,
    sweeps: u64,
    seed: u64,
) -> DensityOfStates {
    let grid = EnergyGrid::found(&model, Streams::new(seed)).unwrap();
    measured_on(model, grid, params, sweeps, seed)
}

fn measured_on<M: CachedModel + Sync + Clone>(
    model: M,
    grid: EnergyGrid,
    params: WangLandauParams,
    sweeps: u64,
    seed: u64,
) -> DensityOfStates {
    let mut learning = WangLandau::new(model, grid, params, Streams::new(seed)).unwrap();
    learning.learn(&mut ()).unwrap();
    assert!(learning.converged(), "{learning:?}");
    let mut production = learning.multicanonical(Streams::new(seed).child(1)).unwrap();
    production.equilibrate(sweeps / 10, &mut ());
    production.run(sweeps, &mut ());
    production.density()
}

fn check(estimate: Estimate, exact: f64, what: &str) {
    let z = estimate.z_score(&Estimate::exact(exact));
    assert!(z.abs() < 5.0, "{what}: {estimate} for {exact}, z = {z}");
}

/// Every level within five of its own errors of the exact count, the root mean square of z below 2 (errors from 16
/// walkers scatter by 18%, and levels share fluctuations), and errors below `most`.
fn check_levels(density: &DensityOfStates, exact: &[(f64, f64)], most: f64) {
    let levels = density.levels();
    assert_eq!(levels.len(), exact.len());
    let mut squares = 0.0;
    for (level, &(energy, count)) in levels.iter().zip(exact) {
        approx::assert_abs_diff_eq!(level.energy, energy, epsilon = 1e-9);
        check(level.ln_g, count.ln(), &format!("ln g at {energy}"));
        assert!(level.ln_g.std_error.unwrap() < most, "{level:?}");
        squares += level.ln_g.z_score(&Estimate::exact(count.ln())).powi(2);
    }
    let rms = (squares / exact.len() as f64).sqrt();
    assert!((0.3..2.0).contains(&rms), "rms z = {rms}");
    // Σ g = 2^N by construction.
    let states: f64 = levels.iter().map(|level| level.ln_g.value.exp()).sum();
    approx::assert_relative_eq!(states, (density.n_spins() as f64).exp2(), max_relative = 1e-9);
}

/// 16 walkers, 20000 sweeps each. The 4 x 4 torus has 15 levels; two of its grid, at ∓28, are empty.
#[test]
fn the_torus_of_4() {
    let model = Ising::square(4, Boundary::Periodic, 1.0).unwrap();
    let levels = Enumeration::default().density_of_states(&model, &mut ()).unwrap();
    let exact: Vec<(f64, f64)> = levels.iter().map(|level| (level.energy, level.count as f64)).collect();
    assert_eq!(exact.len(), 15);
    let density = measured(&model, WangLandauParams::default().with_walkers(16).with_final_step(1e-4), 20_000, 1);
    check_levels(&density, &exact, 0.03);
    assert_eq!(density.refused(), 0);
    assert!(density.round_trips() > 1000);
    // Visits are flat within a few percent.
    let visits: Vec<f64> = density.histogram().iter().map(|level| level.1).collect();
    let mean = visits.iter().sum::<f64>() / visits.len() as f64;
    assert!(visits.iter().all(|visits| (visits / mean - 1.0).abs() < 0.15), "{visits:?}");
    for beta in [-0.3, 0.0, 0.2, 0.44, 1.0, 3.0] {
        if beta >= 0.0 {
            let ln_z = density.ln_z(beta).unwrap();
            let exact = kaufman::ln_z(4, 4, beta).unwrap();
            check(Estimate::new(ln_z.value, ln_z.std_error.unwrap().max(1e-12)), exact, "ln Z");
        }
        // Enumeration by levels serves negative β too.
        let weight = |(energy, count): &(f64, f64)| count * (-beta * energy).exp();
        let z: f64 = exact.iter().map(weight).sum();
        let mean = exact.iter().map(|level| weight(level) * level.0).sum::<f64>() / z;
        let square = exact.iter().map(|level| weight(level) * (level.0 - mean).powi(2)).sum::<f64>() / z;
        check(density.energy(beta).unwrap(), mean, "energy");
        check(density.heat_capacity(beta).unwrap(), beta * beta * square, "heat capacity");
    }
    // Moments of the magnetization at the critical temperature of the infinite lattice, from the exact sum.
    let moments = density.magnetization_moments(0.440_686_793_509_771_5).unwrap();
    for (moment, exact) in
        moments.into_iter().zip([0.843_860_444_813_420_2, 0.761_358_908_568_672_6, 0.665_691_213_267_369_6])
    {
        check(moment, exact, "moment of m");
    }
}

/// 16 walkers, 30000 sweeps each: 33 levels, the counts of the exact transfer calculation.
#[test]
fn the_torus_of_6() {
    let model = Ising::square(6, Boundary::Periodic, 1.0).unwrap();
    let mut exact: Vec<(f64, f64)> =
        TORUS_6.iter().map(|&(k, count)| (2.0 * f64::from(k) - 72.0, count as f64)).collect();
    let mirrored: Vec<(f64, f64)> = exact.iter().rev().skip(1).map(|&(energy, count)| (-energy, count)).collect();
    exact.extend(mirrored);
    assert!((exact.iter().map(|level| level.1).sum::<f64>() - 36f64.exp2()).abs() < 0.5);
    let density = measured(&model, WangLandauParams::default().with_walkers(16).with_final_step(1e-4), 30_000, 2);
    check_levels(&density, &exact, 0.15);
}

/// L = 8: ln Z, energy and heat capacity against Kaufman at five temperatures, errors of ln Z below 0.1.
#[test]
fn the_torus_of_8_reweights_to_kaufman() {
    let model = Ising::square(8, Boundary::Periodic, 1.0).unwrap();
    let density = measured(&model, WangLandauParams::default().with_final_step(1e-4), 40_000, 3);
    for beta in [0.2, 0.4, 0.440_686_793_509_771_5, 0.5, 1.0] {
        let ln_z = density.ln_z(beta).unwrap();
        assert!(ln_z.std_error.unwrap() < 0.1, "{ln_z:?}");
        let exact = kaufman::ln_z(8, 8, beta).unwrap();
        check(Estimate::new(ln_z.value, ln_z.std_error.unwrap()), exact, "ln Z");
        let energy = 64.0 * kaufman::energy_per_site(8, 8, beta).unwrap();
        check(density.energy(beta).unwrap(), energy, "energy");
        let capacity = 64.0 * kaufman::specific_heat(8, 8, beta).unwrap();
        check(density.heat_capacity(beta).unwrap(), capacity, "heat capacity");
    }
}

/// ±J with fields ±1/2 on 14 sites: the levels of enumeration.
fn glass() -> Ising {
    let mut rng = Streams::new(5).stream(0);
    let mut sign = || if rng.random::<bool>() { 1.0 } else { -1.0 };
    let mut builder = Ising::builder(14);
    for i in 0..14 {
        for j in [(i + 1) % 14, (i + 4) % 14] {
            builder = builder.coupling(i, j, sign());
        }
        builder = builder.field(i, 0.5 * sign());
    }
    builder.build().unwrap()
}

#[test]
fn a_glass_with_fields_has_the_levels_of_enumeration() {
    let model = glass();
    let levels = Enumeration::default().density_of_states(&model, &mut ()).unwrap();
    let exact: Vec<(f64, f64)> = levels.iter().map(|level| (level.energy, level.count as f64)).collect();
    let density = measured(&model, WangLandauParams::default().with_walkers(16).with_final_step(1e-4), 30_000, 4);
    check_levels(&density, &exact, 0.1);
}

/// Gaussian couplings in bins: ln Z, energy and heat capacity of enumeration, down to where βw = 1/2.
#[test]
fn real_energies_in_bins_reweight_to_enumeration() {
    let model = SherringtonKirkpatrick::gaussian(12, &mut Streams::new(1).stream(0)).unwrap();
    let density = measured(&model, WangLandauParams::default().with_walkers(16).with_final_step(1e-4), 40_000, 5);
    let grid = EnergyGrid::found(&model, Streams::new(5)).unwrap();
    for beta in [0.3, 1.0, 0.5 / grid.spacing()] {
        let exact = Enumeration::default().energy_cumulants(&model, beta, &mut ()).unwrap();
        let ln_z = density.ln_z(beta).unwrap();
        check(Estimate::new(ln_z.value, ln_z.std_error.unwrap()), exact.ln_z, "ln Z");
        check(density.energy(beta).unwrap(), exact.mean, "energy");
        check(density.heat_capacity(beta).unwrap(), exact.heat_capacity(), "heat capacity");
        assert!(ln_z.std_error.unwrap() < 0.05);
    }
}

#[test]
fn threads_and_checkpoints_do_not_change_the_numbers() {
    let model = SherringtonKirkpatrick::gaussian(10, &mut Streams::new(2).stream(0)).unwrap();
    let grid = EnergyGrid::found(&model, Streams::new(1)).unwrap();
    let new = |threads, seed| {
        let params = WangLandauParams::default().with_walkers(3).with_threads(threads).with_final_step(1e-3);
        WangLandau::new(&model, grid, params, Streams::new(seed)).unwrap()
    };
    let mut one = new(1, 7);
    one.learn(&mut ()).unwrap();
    let mut two = new(2, 7);
    let mut rounds = 0;
    let mut stop = |_: &Progress| {
        rounds += 1;
        if rounds == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    two.learn(&mut stop).unwrap();
    assert!(!two.converged());
    let saved = Checkpoint::from_bytes(&two.checkpoint().to_bytes()).unwrap();
    let mut three = new(3, 99);
    three.restore(&saved).unwrap();
    two.learn(&mut ()).unwrap();
    three.learn(&mut ()).unwrap();
    assert_eq!(one.weights(), two.weights());
    assert_eq!(one.checkpoint(), three.checkpoint());
    assert_ne!(one.weights(), new(1, 7).weights());
    // The production run.
    let production = |threads, units| {
        Multicanonical::new(&model, one.weights(), units, Streams::new(8)).unwrap().with_threads(threads)
    };
    let mut whole = production(1, 0..4);
    whole.run(3000, &mut ());
    let mut parts = production(3, 0..4);
    parts.run(1000, &mut ());
    let saved = parts.checkpoint();
    // Caches are refreshed where a run begins, so the same pieces give the same bits.
    let mut again = production(2, 0..4);
    again.restore(&saved).unwrap();
    parts.run(2000, &mut ());
    again.run(2000, &mut ());
    assert_eq!(parts.density(), again.density());
    for (a, b) in whole.density().levels().iter().zip(parts.density().levels()) {
        approx::assert_relative_eq!(a.ln_g.value, b.ln_g.value, max_relative = 1e-9);
    }
    // Two machines with two walkers each are one with four.
    let mut first = production(1, 0..2);
    let mut second = production(1, 2..4);
    first.run(3000, &mut ());
    second.run(3000, &mut ());
    let mut merged = DensityOfStates::from_checkpoint(&second.density().checkpoint()).unwrap();
    merged.merge(&first.density()).unwrap();
    assert_eq!(merged, whole.density());
    assert!(matches!(merged.merge(&first.density()), Err(MergeError::OverlappingUnits { unit: 0 })));
    let other = Multicanonical::new(&model, new(1, 7).weights(), 4..5, Streams::new(8)).unwrap();
    assert!(matches!(merged.merge(&other.density()), Err(MergeError::Problem { .. })));
    // Another instance, other units, damage.
    assert!(production(1, 1..5).restore(&saved).is_err());
    let another = SherringtonKirkpatrick::gaussian(10, &mut Streams::new(3).stream(0)).unwrap();
    let params = WangLandauParams::default().with_walkers(3);
    assert!(WangLandau::new(&another, grid, params, Streams::new(7)).unwrap().restore(&two.checkpoint()).is_err());
    for cut in [0, 8, saved.payload.len() / 2, saved.payload.len() - 1] {
        let mut short = saved.clone();
        short.payload.truncate(cut);
        let before = again.density();
        assert!(again.restore(&short).is_err());
        assert_eq!(again.density(), before);
    }
}

/// A level of one configuration among 2^14, which exploration does not meet: the schedule starts again when a walker
/// does.
#[test]
fn levels_met_late_are_taken_in() {
    // The parity of the number of up spins, and a hole where all are up.
    #[derive(Debug, Clone)]
    struct Hole;
    impl EnergyModel for Hole {
        fn n_spins(&self) -> usize {
            14
        }
        fn energy(&self, s: &[i8]) -> f64 {
            let up = s.iter().filter(|&&s| s == 1).count();
            if up == 14 { -5.0 } else { (up % 2) as f64 }
        }
        fn delta_energy(&self, s: &[i8], i: usize) -> f64 {
            let mut flipped = s.to_vec();
            flipped[i] = -flipped[i];
            self.energy(&flipped) - self.energy(s)
        }
    }
    let model = spin_models::Uncached(Hole);
    let grid = EnergyGrid::levels(0.0, 1.0).unwrap();
    let params = WangLandauParams::default().with_walkers(1).with_final_step(1e-4);
    let mut learning = WangLandau::new(&model, grid, params, Streams::new(6)).unwrap();
    assert_eq!(learning.n_levels(), 2);
    learning.learn(&mut ()).unwrap();
    assert!(learning.converged());
    assert_eq!(learning.n_levels(), 3);
    let mut production = Multicanonical::new(&model, learning.weights(), 0..8, Streams::new(7)).unwrap();
    production.run(100_000, &mut ());
    let levels = production.density().levels();
    assert_eq!(levels.len(), 3);
    for (level, (energy, count)) in levels.iter().zip([(-5.0, 1.0), (0.0, 8191.0), (1.0, 8192.0)]) {
        approx::assert_abs_diff_eq!(level.energy, energy, epsilon = 1e-12);
        check(level.ln_g, f64::ln(count), "ln g");
    }
}

#[test]
fn the_solver_agrees_with_exact_methods() {
    let ln_z = |solution: &spin_models::Solution| {
        let ln_z = solution.ln_z.unwrap();
        Estimate::new(ln_z.value, ln_z.std_error.unwrap())
    };
    let solver = WangLandauSolver::default().with_sweeps(20_000).with_seed(1).quick();
    let model = glass();
    for beta in [0.0, 0.5, 3.0] {
        let solution = solver.solve(&model, beta, Quantities::all(), &mut ()).unwrap();
        let exact = Enumeration::default().energy_cumulants(&model, beta, &mut ()).unwrap();
        let estimate = ln_z(&solution);
        assert!((estimate.value - exact.ln_z).abs() < 5.0 * estimate.std_error.unwrap() + 1e-12);
        check(solution.energy.unwrap(), exact.mean, "energy");
    }
    // ±J on 6 x 6 against the transfer matrix, and real couplings at a β that asks for finer bins.
    let mut rng = Streams::new(9).stream(0);
    let mut builder = Ising::builder(36);
    for i in 0..36usize {
        if i % 6 < 5 {
            builder = builder.coupling(i, i + 1, if rng.random::<bool>() { 1.0 } else { -1.0 });
        }
        if i < 30 {
            builder = builder.coupling(i, i + 6, if rng.random::<bool>() { 1.0 } else { -1.0 });
        }
    }
    let model = builder.build().unwrap();
    let solution = solver.solve(&model, 2.0, Quantities::all(), &mut ()).unwrap();
    check(ln_z(&solution), TransferMatrix::default().ln_z(&model, 2.0).unwrap().value, "±J");
    let real =
        Ising::builder(8).couplings((0..8).map(|i| (i, (i + 1) % 8, (1.0 + i as f64).sqrt().sin()))).build().unwrap();
    let solution = solver.solve(&real, 8.0, Quantities::all(), &mut ()).unwrap();
    let exact = Enumeration::default().energy_cumulants(&real, 8.0, &mut ()).unwrap();
    check(ln_z(&solution), exact.ln_z, "real couplings");
    check(solution.energy.unwrap(), exact.mean, "real couplings");
    assert_eq!(
        solver.solve(&real, 8.0, Quantities::all(), &mut ()).unwrap(),
        solver.clone().with_threads(3).solve(&real, 8.0, Quantities::all(), &mut ()).unwrap()
    );
}

#[test]
fn ends_stops_and_bad_input() {
    let model = glass();
    let grid = EnergyGrid::found(&model, Streams::new(1)).unwrap();
    let new = |grid, params| WangLandau::new(&model, grid, params, Streams::new(1));
    let good = WangLandauParams::default;
    assert!(matches!(new(grid, good().with_walkers(0)), Err(Error::Parameter { what: "walkers", .. })));
    assert!(matches!(new(grid, good().with_threads(0)), Err(Error::Parameter { .. })));
    for step in [0.0, -1.0, 2.0, f64::NAN] {
        assert!(matches!(new(grid, good().with_final_step(step)), Err(Error::Parameter { what: "final step", .. })));
    }
    // Half of the energies lie between these levels; no configuration is in this range; too many bins.
    let wrong = EnergyGrid::levels(0.3, 7.0).unwrap();
    assert!(matches!(new(wrong, good()), Err(Error::NotApplicable { .. })));
    let empty = grid.within(1000.0, 2000.0).unwrap();
    assert!(matches!(new(empty, good()), Err(Error::NotApplicable { .. })));
    let fine = EnergyGrid::bins(0.0, 1e-7).unwrap();
    assert!(matches!(new(fine, good()), Err(Error::TooLarge { .. })));
    // Too few sweeps end without convergence, which is no error.
    let mut short = new(grid, good().with_max_sweeps(10)).unwrap();
    short.learn(&mut ()).unwrap();
    assert!(!short.converged() && short.sweeps() == 10);
    // One walker cannot tell its error; no measurement is no number.
    let density = measured(&model, good().with_walkers(1).with_final_step(1e-3), 100, 1);
    assert_eq!(density.ln_z(1.0).unwrap().std_error, Some(f64::INFINITY));
    assert!(density.ln_z(f64::NAN).is_err() && density.energy(f64::INFINITY).is_err());
    let nothing = Multicanonical::new(&model, short.weights(), 0..2, Streams::new(1)).unwrap();
    assert!(nothing.density().levels().is_empty());
    assert!(nothing.density().ln_z(1.0).unwrap().value.is_nan());
    assert!(Multicanonical::new(&model, short.weights(), 2..2, Streams::new(1)).is_err());
    // A model without interactions has one level.
    let free = Ising::builder(3).offset(1.5).build().unwrap();
    let solution = WangLandauSolver::default().with_sweeps(10).solve(&free, 2.0, Quantities::all(), &mut ()).unwrap();
    approx::assert_abs_diff_eq!(solution.ln_z.unwrap().value, 3.0 * 2f64.ln() - 3.0, epsilon = 1e-12);
    // A window keeps its walkers inside.
    let window = grid.within(-10.0, 4.0).unwrap();
    let inside = measured_on(&model, window, good().with_final_step(1e-3), 100, 2);
    assert!(inside.levels().iter().all(|level| (-10.0..=4.0).contains(&level.energy)));
    let solver = WangLandauSolver::default();
    let solve = |solver: &WangLandauSolver, beta, observer: &mut dyn Observer<Progress>| {
        solver.solve(&model, beta, Quantities::all(), observer)
    };
    assert!(matches!(solve(&solver, f64::NAN, &mut ()), Err(Error::Beta { .. })));
    assert!(matches!(solve(&solver.clone().with_walkers(0), 1.0, &mut ()), Err(Error::Parameter { .. })));
    assert!(matches!(solve(&solver.clone().with_sweeps(0), 1.0, &mut ()), Err(Error::Parameter { .. })));
    let stop_at = |stage: &'static str| {
        move |progress: &Progress| {
            if progress.stage == stage { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    };
    let solver = solver.quick();
    for stage in ["learning", "equilibrating"] {
        assert!(matches!(solve(&solver, 1.0, &mut stop_at(stage)), Err(Error::Stopped { .. })));
    }
    assert!(solve(&solver, 1.0, &mut stop_at("measuring")).unwrap().ln_z.is_some());
}
