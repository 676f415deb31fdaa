// Equality is meant where it stands: same bits, exact zeros. Loops run over dimensions of several lists.
#![allow(clippy::float_cmp, clippy::needless_range_loop)]

use approx::assert_abs_diff_eq;
use linalg_core::Streams;
use linalg_core::optim::LbfgsParams;
use linalg_core::optim::finite_difference;
use linalg_core::rng::standard_normal;
use proptest::prelude::*;
use rand::RngExt;

use super::*;
use crate::Error;
use crate::coulomb::{CoulombCovariance, FitParams};

const MASSES: [f64; 3] = [2.0, 1.5, 3.0];
const CHARGES: [f64; 3] = [1.0, -1.0, 1.0];
const PLACES: [[f64; 3]; 3] = [[0.0, 0.0, 0.0], [3.0, 0.0, 0.0], [0.0, 4.0, 0.0]];
const VELOCITIES: [[f64; 3]; 3] = [[0.1, 0.2, 0.0], [0.3, 0.2, 0.0], [0.1, -0.1, -0.3]];
const MOMENTS: [f64; 9] = [2.0, -0.2, 0.3, -0.2, 1.5, -0.1, 0.3, -0.1, 3.0];

fn case_a(sign: Sign) -> HamiltonianSystem {
    HamiltonianSystem::new(MASSES.to_vec(), CHARGES.to_vec(), 0.2, sign).unwrap()
}

fn largest(values: &[f64], before: &[f64]) -> f64 {
    values.iter().zip(before).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()))
}

#[test]
fn the_reference_run_of_the_exact_hamiltonian() {
    for (sign, energy, error) in [
        (Sign::Electrodynamics { eps2: 0.5 }, 0.14323672393804188, 5.327362617157938e-06),
        (Sign::LossAsEnergy { eps2: 0.5 }, 0.4259838835818083, 3.5495692857212546e-07),
    ] {
        let system = case_a(sign);
        // The reference takes its momenta K v from the kernel without softening and moves with it.
        let raw = CoulombCovariance::new(MASSES.to_vec(), CHARGES.to_vec(), PLACES.to_vec(), 0.0).unwrap();
        let mut state = State::new(&PLACES, &raw.momenta(&VELOCITIES));
        let start = system.conserved(&state, Kinetics::Darwin).unwrap();
        assert_abs_diff_eq!(start.energy, energy, epsilon = 1e-15);
        let (mut worst, mut turned, mut pushed) = (0.0f64, 0.0f64, 0.0f64);
        for _ in 0..3000 {
            let report = system.implicit_midpoint(&mut state, 0.02, 1, &MidpointParams::default()).unwrap();
            assert!(report.converged, "{report:?}");
            let now = system.conserved(&state, Kinetics::Darwin).unwrap();
            worst = worst.max((now.energy - start.energy).abs());
            turned = turned.max(largest(&now.angular_momentum, &start.angular_momentum));
            pushed = pushed.max(largest(&now.momentum, &start.momentum));
        }
        eprintln!("{worst:e} (reference {error:e}), angular momentum {turned:e}, momentum {pushed:e}");
        // The iteration stops at 1e-13, which the errors repeat over 3000 steps.
        assert_abs_diff_eq!(worst, error, epsilon = 1e-10);
        assert!(turned < 1e-11 && pushed < 1e-12, "{turned:e} {pushed:e}");
    }
}

#[test]
fn tao_follows_the_implicit_rule() {
    let system = case_a(Sign::Electrodynamics { eps2: 0.5 });
    let start = system.state(&PLACES, &VELOCITIES, Kinetics::Darwin).unwrap();
    let (mut a, mut b) = (start.clone(), start.clone());
    system.implicit_midpoint(&mut a, 0.005, 1000, &MidpointParams::default()).unwrap();
    let apart = system.tao(&mut b, 0.005, 1000, 5.0).unwrap();
    assert!(apart < 1e-2, "{apart}");
    assert!(largest(&a.positions, &b.positions) < 1e-3, "{}", largest(&a.positions, &b.positions));
    let energy = |s: &State| system.conserved(s, Kinetics::Darwin).unwrap().energy;
    assert!((energy(&b) - energy(&start)).abs() < 1e-4);
}

#[test]
fn forces_against_differences() {
    for sign in [
        Sign::LossAsEnergy { eps2: 0.5 },
        Sign::Electrodynamics { eps2: 0.7 },
        Sign::Kratzer { moments: MOMENTS.to_vec() },
    ] {
        let system = case_a(sign);
        let check = finite_difference::check_gradient(
            |r, out| {
                let value = system.potential_and_force(r, out);
                out.iter_mut().for_each(|f| *f = -*f);
                value
            },
            PLACES.as_flattened(),
        )
        .unwrap();
        assert!(check.relative_error < 1e-8, "{check:?}");
    }
}

#[test]
fn the_kratzer_potential_is_the_second_order_loss() {
    let system = case_a(Sign::Kratzer { moments: MOMENTS.to_vec() });
    let k = system.covariance(PLACES.as_flattened()).unwrap();
    let constant: f64 =
        (0..3).map(|i| 0.5 * ((std::f64::consts::TAU * MASSES[i]).ln() + MOMENTS[4 * i] / MASSES[i])).sum();
    let loss = k.loss_order2(&MOMENTS).unwrap();
    assert_abs_diff_eq!(system.potential(PLACES.as_flattened()), loss - constant, epsilon = 1e-14);
}

/// Three bodies bound by reading (A), with the period of the stiffest motion.
fn bound() -> (HamiltonianSystem, State, f64) {
    let system =
        HamiltonianSystem::new(vec![1.0, 1.3, 0.8], vec![1.0; 3], 1.0, Sign::LossAsEnergy { eps2: 1.0 }).unwrap();
    let at = [[0.2, 0.0, 0.0], [-0.15, 0.05, 0.0], [0.0, -0.2, 0.05]];
    let p = [[0.0, 0.15, 0.0], [-0.1, -0.1, 0.05], [0.1, -0.05, -0.05]];
    let state = State::new(&at, &p);
    let period = system.shortest_period().unwrap();
    (system, state, period)
}

#[test]
fn verlet_has_no_drift_and_can_be_reversed() {
    // Claim C1: 1e5 steps of T_min/200.
    let (system, start, period) = bound();
    let mut state = start.clone();
    let dt = period / 200.0;
    let energy = |s: &State| system.conserved(s, Kinetics::Newton).unwrap().energy;
    let e0 = energy(&start);
    let mut means = Vec::new();
    let mut widest = 0.0f64;
    // 50 blocks of 2000 steps.
    for _ in 0..50 {
        let mut sum = 0.0;
        for _ in 0..200 {
            system.verlet(&mut state, dt, 10).unwrap();
            let e = energy(&state);
            sum += e / 200.0;
            widest = widest.max((e - e0).abs());
        }
        means.push(sum);
    }
    // Slope of the block means by least squares, over the whole run, with its error from the scatter.
    let n = means.len() as f64;
    let mean = means.iter().sum::<f64>() / n;
    let at = |k: usize| (k as f64 + 0.5) / n - 0.5;
    let square: f64 = (0..means.len()).map(|k| at(k).powi(2)).sum();
    let drift = means.iter().enumerate().map(|(k, e)| at(k) * (e - mean)).sum::<f64>() / square;
    let rest: f64 = means.iter().enumerate().map(|(k, e)| (e - mean - drift * at(k)).powi(2)).sum();
    let error = (rest / (n - 2.0) / square).sqrt();
    eprintln!("relative drift {:.1e} ± {:.1e}, largest error {:.1e}", drift / e0, error / e0.abs(), widest / e0.abs());
    assert!((drift / e0).abs() < 1e-6 && drift.abs() < 4.0 * error, "{drift:e} ± {error:e}");
    let there = state.clone();
    system.verlet(&mut state, -dt, 100_000).unwrap();
    let back = largest(&state.positions, &start.positions).max(largest(&state.momenta, &start.momenta));
    eprintln!("reversal {back:.1e}, distance travelled {:.1e}", largest(&there.positions, &start.positions));
    assert!(back < 1e-10, "{back:e}");
}

#[test]
fn each_reading_conserves_its_own_energy() {
    // Two like charges, 20 000 steps. (A): bound, the loss stays. (B): they part, the energy stays and the loss moves.
    let range = |sign: Sign, places: [[f64; 3]; 2]| {
        let system = HamiltonianSystem::new(vec![1.0, 2.0], vec![1.0, 1.0], 0.2, sign).unwrap();
        let mut state = system.state(&places, &[[0.0, 0.3, 0.0], [0.0, -0.15, 0.0]], Kinetics::Newton).unwrap();
        let mut bounds = [[f64::INFINITY, f64::NEG_INFINITY]; 2];
        for _ in 0..2000 {
            let now = system.conserved(&state, Kinetics::Newton).unwrap();
            for (bounds, value) in bounds.iter_mut().zip([now.energy, now.loss]) {
                *bounds = [bounds[0].min(value), bounds[1].max(value)];
            }
            system.verlet(&mut state, 5e-4, 10).unwrap();
        }
        bounds.map(|b| b[1] - b[0])
    };
    let places = [[0.0; 3], [0.8, 0.0, 0.0]];
    let [energy, loss] = range(Sign::Electrodynamics { eps2: 0.5 }, places);
    eprintln!("(B): energy within {energy:.1e}, loss within {loss:.2}");
    assert!(energy < 1e-6 && loss > 0.5, "{energy:e} {loss}");
    let [energy, loss] = range(Sign::LossAsEnergy { eps2: 0.5 }, places);
    eprintln!("(A): loss within {loss:.1e}");
    assert!(loss < 1e-5 && (energy - loss).abs() < 1e-15, "{energy:e} {loss:e}");
}

#[test]
fn friction_lowers_the_loss_and_its_absence_does_not() {
    let system = case_a(Sign::Kratzer { moments: MOMENTS.to_vec() });
    let start = system.state(&PLACES, &[[0.0; 3]; 3], Kinetics::Newton).unwrap();
    let mut rng = Streams::new(1).stream(0);
    let end = |friction: f64, rng: &mut _| {
        let mut state = start.clone();
        system.baoab(&mut state, 0.2, 20_000, Bath { friction, temperature: 0.0 }, rng).unwrap();
        system.potential(&state.positions)
    };
    let before = system.potential(&start.positions);
    let (with, without) = (end(0.05, &mut rng), end(0.0, &mut rng));
    assert!(with < before && with < without, "{before} {with} {without}");
}

#[test]
fn boris_in_given_fields() {
    // A turn about a uniform field takes 2π m/(q B).
    let boris = Boris::new(2.0, 0.5).unwrap();
    let (mut r, mut v) = ([0.0; 3], [1.0, 0.0, 0.0]);
    let steps = 4000;
    let dt = std::f64::consts::TAU * 0.5 / (2.0 * 3.0) / f64::from(steps);
    boris.run(&mut r, &mut v, dt, steps as usize, |_| ([0.0; 3], [0.0, 0.0, 3.0]));
    assert!((v[0] - 1.0).abs() < 1e-10 && v[1].abs() < 2e-5 && r.iter().all(|x| x.abs() < 1e-5), "{r:?} {v:?}");
    // Drift E × B/B²: from the drift velocity nothing else remains.
    let (mut r, mut v) = ([0.0; 3], [0.0, -0.2, 0.0]);
    boris.run(&mut r, &mut v, 0.01, 1000, |_| ([0.6, 0.0, 0.0], [0.0, 0.0, 3.0]));
    assert!((r[1] + 2.0).abs() < 1e-12 && r[0].abs() < 1e-12, "{r:?}");
    assert!(matches!(Boris::new(1.0, 0.0), Err(Error::Parameter { what: "mass", .. })));
    assert!(matches!(Boris::new(f64::NAN, 1.0), Err(Error::NotFinite { what: "charge", .. })));
}

#[test]
fn proximal_steps_of_case_a() {
    let mut k = CoulombCovariance::new(MASSES.to_vec(), CHARGES.to_vec(), PLACES.to_vec(), 0.0).unwrap();
    let first = k.clone();
    let rule = ProximalStep::default();
    let mut losses = vec![k.loss_exact(&MOMENTS).unwrap()];
    for _ in 0..400 {
        let (next, report) = rule.step(&k, &MOMENTS).unwrap();
        assert!(report.accepted && report.converged, "{report:?}");
        losses.push(report.loss);
        k = next;
    }
    assert_abs_diff_eq!(losses[0], 5.345152380, epsilon = 5e-10);
    assert_abs_diff_eq!(losses[1], 5.345119379, epsilon = 5e-10);
    assert_abs_diff_eq!(losses[2], 5.345086917, epsilon = 5e-10);
    // 5.3419394696, cut and not rounded in the reference.
    assert_abs_diff_eq!(losses[400], 5.341939469, epsilon = 1e-9);
    let minimizer = LbfgsParams::default().gradient_tolerance(1e-10).max_iterations(2000);
    eprintln!("{:.12} {:.12} {:.12}", losses[1], losses[2], losses[400]);
    let params = FitParams::default().starts(6).minimizer(minimizer);
    let fit = first.fit_positions(&MOMENTS, &params, &mut Streams::new(3).stream(0)).unwrap();
    // The floor is K = S, which would take r₁₂ = 5, r₁₃ = 10/3 and r₂₃ = 10: no triangle. Positions end 4.4e-5 above it.
    let entropy = linalg_core::cholesky::Cholesky::new(MOMENTS.to_vec(), 3).unwrap().ln_det();
    let floor = 0.5 * (3.0 * (std::f64::consts::TAU.ln() + 1.0) + entropy);
    assert_abs_diff_eq!(floor, 5.340599040, epsilon = 5e-10);
    assert_abs_diff_eq!(fit.loss, 5.340643195, epsilon = 1e-8);
    assert!(losses.iter().all(|&loss| loss > fit.loss));
}

/// A random problem: masses, charges and places of four particles, and second moments of others.
fn problem(seed: u64, spread: f64) -> (CoulombCovariance, Vec<f64>) {
    let mut rng = Streams::new(seed).stream(0);
    let mut one = |spread: f64| {
        let masses: Vec<f64> = (0..4).map(|_| rng.random_range(0.5..2.0)).collect();
        let charges: Vec<f64> = (0..4).map(|_| if rng.random() { 1.0 } else { -1.0 }).collect();
        let places = (0..4).map(|_| std::array::from_fn(|_| spread * standard_normal(&mut rng))).collect();
        CoulombCovariance::new(masses, charges, places, 2.01).unwrap()
    };
    let k = one(spread);
    let s = one(1.0).matrix();
    (k, s)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_proximal_step_never_raises_loss_or_objective(
        seed in 0u64..1000, spread in 0.01f64..20.0, ln_strength in -12.0f64..4.0,
    ) {
        let (mut k, s) = problem(seed, spread);
        let rule = ProximalStep::default().strength(ln_strength.exp());
        for _ in 0..5 {
            let (next, report) = rule.step(&k, &s).unwrap();
            prop_assert!(report.objective <= report.loss_before && report.loss <= report.objective);
            prop_assert!((next.loss_exact(&s).unwrap() - report.loss).abs() < 1e-12);
            prop_assert!(report.evaluations <= rule.evaluations);
            k = next;
        }
    }

    #[test]
    fn verlet_conserves_momenta(seed in 0u64..1000) {
        let (k, s) = problem(seed, 1.0);
        let system = HamiltonianSystem::new(
            k.masses().to_vec(), k.charges().to_vec(), k.softening(), Sign::Kratzer { moments: s },
        ).unwrap();
        let mut state = system.state(k.positions(), &[[0.1, 0.2, -0.1]; 4], Kinetics::Newton).unwrap();
        let before = system.conserved(&state, Kinetics::Newton).unwrap();
        system.verlet(&mut state, 0.05, 200).unwrap();
        let after = system.conserved(&state, Kinetics::Newton).unwrap();
        prop_assert!(largest(&before.momentum, &after.momentum) < 1e-12);
        prop_assert!(largest(&before.angular_momentum, &after.angular_momentum) < 1e-11);
        prop_assert!((before.energy - after.energy).abs() < 1e-3);
    }
}

#[cfg(feature = "serde")]
#[test]
fn a_saved_run_continues_bit_for_bit() {
    let (system, mut state, period) = bound();
    system.verlet(&mut state, period / 100.0, 50).unwrap();
    let text = serde_json::to_string(&(&system, &state)).unwrap();
    let (again, mut resumed): (HamiltonianSystem, State) = serde_json::from_str(&text).unwrap();
    assert!(again == system && resumed == state);
    system.verlet(&mut state, period / 100.0, 50).unwrap();
    again.verlet(&mut resumed, period / 100.0, 50).unwrap();
    assert_eq!(state, resumed);
    // What would not be accepted from a caller is not accepted from a file.
    for (from, to) in [("\"softening\":1.0", "\"softening\":-1.0"), ("[1.0,1.3,0.8]", "[1.0,1.3]")] {
        assert!(
            text.contains(from)
                && serde_json::from_str::<(HamiltonianSystem, State)>(&text.replacen(from, to, 1)).is_err()
        );
    }
}

#[test]
fn bad_input() {
    let make = |m: f64, q: f64, a: f64, eps2: f64| {
        HamiltonianSystem::<3>::new(vec![1.0, m], vec![1.0, q], a, Sign::Electrodynamics { eps2 })
    };
    assert!(matches!(make(-1.0, 1.0, 0.0, 1.0), Err(Error::Entry { what: "mass", index: 1, .. })));
    assert!(matches!(make(1.0, f64::NAN, 0.0, 1.0), Err(Error::NotFinite { what: "charge", index: 1, .. })));
    assert!(matches!(make(1.0, 1.0, f64::NAN, 1.0), Err(Error::Parameter { what: "softening", .. })));
    assert!(matches!(make(1.0, 1.0, 0.0, 0.0), Err(Error::Parameter { what: "eps2", .. })));
    let system = make(1.0, 1.0, 0.0, 1.0).unwrap();
    let mut same = State::new(&[[1.0; 3], [1.0; 3]], &[[0.0; 3]; 2]);
    assert!(matches!(system.verlet(&mut same, 0.1, 1), Err(Error::Coincident { first: 0, second: 1, .. })));
    let mut apart = State::new(&[[1.0; 3], [2.0; 3]], &[[0.0; 3]; 2]);
    assert!(matches!(system.verlet(&mut apart, f64::NAN, 1), Err(Error::Parameter { what: "dt", .. })));
    // Unit charges closer than a mass allows have no inertia.
    let mut close = State::new(&[[0.0; 3], [0.5, 0.0, 0.0]], &[[1.0; 3]; 2]);
    let before = close.clone();
    let result = system.implicit_midpoint(&mut close, 0.1, 1, &MidpointParams::default());
    assert!(matches!(result, Err(Error::NotPositiveDefinite { row: 1, .. })) && close == before);
    let hot = Bath { friction: -1.0, temperature: 0.0 };
    let result = system.baoab(&mut apart, 0.1, 1, hot, &mut Streams::new(1).stream(0));
    assert!(matches!(result, Err(Error::Parameter { what: "friction", .. })));
    let k = CoulombCovariance::new(vec![1.0], vec![1.0], vec![[0.0; 3]], 0.0).unwrap();
    assert!(matches!(ProximalStep::default().strength(0.0).step(&k, &[1.0]), Err(Error::Parameter { .. })));
}
