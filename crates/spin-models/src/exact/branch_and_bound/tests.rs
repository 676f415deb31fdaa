//! Against enumeration and matching; stops; bad models.

use std::ops::ControlFlow;

use linalg_core::Streams;
use linalg_core::rand::RngExt;
use linalg_core::stats::Running;

use super::*;
use crate::exact::planar::PlanarGroundState;
use crate::{EnergyModel, Enumeration, SherringtonKirkpatrick};

#[test]
fn small_models_agree_with_enumeration() {
    let mut rng = Streams::new(71).stream(0);
    let counting = BranchAndBound::new(BranchAndBoundParams::default().with_max_ground_states(1 << 14));
    for round in 0..200 {
        let n = rng.random_range(1..13u32) as usize;
        let density = [0.15, 0.5, 1.0][round % 3];
        // Whole numbers, so that there are ties; every other model has real couplings.
        let exact = round % 2 == 0;
        let mut draw = || {
            let x: f64 = rng.random_range(-2.0..2.0);
            if exact { 0.25 * x.round() } else { x }
        };
        let mut couplings = Vec::new();
        for (i, j) in (0..n).flat_map(|j| (0..j).map(move |i| (i, j))) {
            let (keep, coupling) = (draw(), draw());
            if (keep + 2.0) / 4.0 <= density {
                couplings.push((i, j, coupling));
            }
        }
        let fields: Vec<f64> = (0..n).map(|_| if round % 5 < 2 { draw() } else { 0.0 }).collect();
        let model = Ising::builder(n).couplings(couplings).fields(fields).offset(0.5).build().unwrap();
        let expected = Enumeration::default().ground_state(&model).unwrap();
        let one = BranchAndBound::default().find(&model).unwrap();
        let all = counting.find(&model).unwrap();
        for found in [&one, &all] {
            assert!(found.complete, "round {round}");
            approx::assert_abs_diff_eq!(found.energy, expected.energy, epsilon = 1e-13);
            approx::assert_abs_diff_eq!(found.energy, model.energy(&found.spins), epsilon = 0.0);
        }
        assert_eq!((one.degeneracy, one.ground_states.len()), (None, 0));
        assert_eq!(all.degeneracy, expected.degeneracy, "round {round}: {model:?}");
        let mut states = all.ground_states.clone();
        assert!(states.iter().all(|s| (model.energy(s) - expected.energy).abs() < 1e-13));
        states.sort();
        states.dedup();
        assert_eq!(Some(states.len() as f64), expected.degeneracy);
    }
}

#[test]
fn dense_models_agree_with_enumeration() {
    let counting = BranchAndBound::new(BranchAndBoundParams::default().with_max_ground_states(3));
    for seed in 0..3 {
        let mut rng = Streams::new(72).stream(seed);
        for n in [20, 23] {
            let glass = SherringtonKirkpatrick::plus_minus(n, &mut rng).unwrap();
            let (found, expected) = (
                counting.find(&glass).unwrap(),
                Enumeration::default().ground_state(&glass.to_ising().unwrap()).unwrap(),
            );
            approx::assert_abs_diff_eq!(found.energy, expected.energy, epsilon = 1e-12);
            assert_eq!(found.degeneracy, expected.degeneracy);
            let kept = 3.min(found.degeneracy.unwrap() as usize);
            assert_eq!(found.ground_states.len(), kept);
            let fields = (0..n).map(|_| rng.random_range(-1.0..1.0)).collect();
            let glass = SherringtonKirkpatrick::gaussian(n, &mut rng).unwrap().with_fields(fields).unwrap();
            let (found, expected) = (
                counting.find(&glass).unwrap(),
                Enumeration::default().ground_state(&glass.to_ising().unwrap()).unwrap(),
            );
            approx::assert_abs_diff_eq!(found.energy, expected.energy, epsilon = 1e-12);
            assert_eq!((found.degeneracy, &found.spins), (Some(1.0), &expected.spins));
        }
    }
}

#[test]
fn lattices_agree_with_matching() {
    for seed in 0..3 {
        let model = Ising::plus_minus_splitmix(6, 6, seed).unwrap();
        let expected = PlanarGroundState::default().find(&model).unwrap().energy;
        let found = BranchAndBound::default().find(&model).unwrap();
        approx::assert_abs_diff_eq!(found.energy, expected, epsilon = 0.0);
        let solution = BranchAndBound::default().solve(&model, 1.0, Quantities::all(), &mut ()).unwrap();
        approx::assert_abs_diff_eq!(solution.ground_state.unwrap().energy, expected, epsilon = 0.0);
    }
}

#[test]
fn mean_energy_of_the_reference() {
    // 200 samples of 16 spins by enumeration elsewhere: -0.63905 with a standard error near 0.0058.
    let mut energies = Running::default();
    for k in 0..200 {
        let glass = SherringtonKirkpatrick::gaussian(16, &mut Streams::new(73).stream(k)).unwrap();
        energies.push(BranchAndBound::default().find(&glass).unwrap().energy / 16.0);
    }
    let error = (energies.variance() / 200.0).sqrt();
    let z = (energies.mean() + 0.639_050_126_075_774_6) / (2f64.sqrt() * error);
    assert!(z.abs() < 4.0, "{} ± {error}", energies.mean());
}

#[test]
fn fifty_spins() {
    let glass = SherringtonKirkpatrick::gaussian(50, &mut Streams::new(1).stream(0)).unwrap();
    let found = BranchAndBound::default().find(&glass).unwrap();
    assert!(found.complete);
    // No pair of spins can be turned over for less.
    let (energy, mut s) = (glass.energy(&found.spins), found.spins.clone());
    for (i, j) in (0..50).flat_map(|i| (0..=i).map(move |j| (i, j))) {
        s[i] = -s[i];
        s[j] = if i == j { s[j] } else { -s[j] };
        assert!(glass.energy(&s) > energy);
        s.copy_from_slice(&found.spins);
    }
    // Another gauge and order of the sites: the same energy.
    let place = |i: usize| (7 * i + 3) % 50;
    let sign = |i: usize| if i.is_multiple_of(3) { -1.0 } else { 1.0 };
    let mut matrix = vec![0.0; 2500];
    for (i, j) in (0..50).flat_map(|i| (0..50).map(move |j| (i, j))) {
        matrix[place(i) * 50 + place(j)] = sign(i) * sign(j) * glass.row(i)[j];
    }
    let turned = SherringtonKirkpatrick::from_couplings(50, &matrix).unwrap();
    approx::assert_abs_diff_eq!(BranchAndBound::default().find(&turned).unwrap().energy, energy, epsilon = 1e-12);
}

#[test]
fn a_stop_leaves_a_bound() {
    let glass = SherringtonKirkpatrick::gaussian(40, &mut Streams::new(5).stream(0)).unwrap();
    let (mut calls, mut last) = (0u64, 0);
    let mut watch = |progress: &Progress| {
        calls += 1;
        assert!(progress.done >= last && progress.done <= progress.total, "{progress:?}");
        last = progress.done;
        ControlFlow::Continue(())
    };
    let exact = BranchAndBound::default().find_observed(&glass, &mut watch).unwrap();
    assert!(calls >= 39 && last == 40 * STEPS);
    let mut bounds = Vec::new();
    for stop in [0, 10, 30, calls - 2] {
        let mut count = 0;
        let mut observer = |_: &Progress| {
            count += 1;
            if count > stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let found = BranchAndBound::default().find_observed(&glass, &mut observer).unwrap();
        assert!(!found.complete && found.degeneracy.is_none());
        assert!(found.lower_bound <= exact.energy && exact.energy <= found.energy);
        assert!((found.energy - glass.energy(&found.spins)).abs() < f64::MIN_POSITIVE);
        bounds.push(found.lower_bound);
    }
    assert!(bounds.is_sorted(), "{bounds:?}");
    let ising = glass.to_ising().unwrap();
    let mut stop = |_: &Progress| ControlFlow::Break(());
    let stopped = BranchAndBound::default().solve(&ising, 1.0, Quantities::all(), &mut stop);
    assert!(matches!(stopped, Err(Error::Stopped { solver: NAME, .. })));
}

/// A model with what is given, checked by nobody.
struct Raw(Vec<Vec<(usize, f64)>>, f64);

impl EnergyModel for Raw {
    fn n_spins(&self) -> usize {
        self.0.len()
    }

    fn energy(&self, _: &[i8]) -> f64 {
        0.0
    }

    fn delta_energy(&self, _: &[i8], _: usize) -> f64 {
        0.0
    }
}

impl PairwiseModel for Raw {
    fn field(&self, _: usize) -> f64 {
        self.1
    }

    fn neighbors(&self, i: usize) -> impl Iterator<Item = (usize, f64)> {
        self.0[i].iter().copied()
    }
}

#[test]
fn refused_before_any_work() {
    let find = |rows: Vec<Vec<(usize, f64)>>, field| BranchAndBound::default().find(&Raw(rows, field));
    assert!(matches!(find(vec![], 0.0), Err(Error::NoSpins)));
    assert!(matches!(find(vec![vec![]], f64::NAN), Err(Error::NotFinite { what: "field", .. })));
    assert!(matches!(find(vec![vec![(0, 1.0)]], 0.0), Err(Error::SelfCoupling { site: 0, .. })));
    assert!(matches!(find(vec![vec![(2, 1.0)], vec![]], 0.0), Err(Error::SiteOutOfBounds { site: 2, .. })));
    let infinite = find(vec![vec![(1, f64::INFINITY)], vec![(0, 1.0)]], 0.0);
    assert!(matches!(infinite, Err(Error::NotFinite { what: "coupling", .. })));
    let lopsided = find(vec![vec![(1, 1.0)], vec![(0, 2.0)]], 0.0);
    assert!(matches!(lopsided, Err(Error::Parameter { what: "coupling", .. })));
    assert!(matches!(find(vec![vec![(1, 1e308)], vec![(0, 1e308)]], 0.0), Err(Error::NotApplicable { .. })));
    let ring = Ising::builder(200).couplings((0..200).map(|i| (i, (i + 1) % 200, 1.0))).build().unwrap();
    let solver = BranchAndBound::default();
    let refused = solver.check(&ring, 1.0);
    assert!(matches!(refused, Err(Error::TooLarge { solver: NAME, value: 200, bound: 64, .. })));
    assert!(matches!(solver.check(&ring, f64::NAN), Err(Error::Beta { .. })));
    // Many small parts are not too large.
    let pairs = Ising::builder(200).couplings((0..100).map(|i| (2 * i, 2 * i + 1, -1.0))).build().unwrap();
    let counting = BranchAndBound::new(BranchAndBoundParams::default().with_max_ground_states(5));
    let found = counting.find(&pairs).unwrap();
    assert_eq!((found.energy, found.degeneracy, found.ground_states.len()), (-100.0, Some(2f64.powi(100)), 5));
}

#[test]
#[ignore = "Sherrington-Kirkpatrick instances to N = 60 with their times, 12 s; run by .ci/long"]
fn dense_instances_to_sixty_spins() {
    for (n, seeds) in [(30, 5), (40, 5), (50, 5), (60, 3)] {
        for plus_minus in [false, true] {
            for seed in 0..seeds {
                let rng = &mut Streams::new(seed).stream(0);
                let glass = if plus_minus {
                    SherringtonKirkpatrick::plus_minus(n, rng)
                } else {
                    SherringtonKirkpatrick::gaussian(n, rng)
                };
                let start = std::time::Instant::now();
                let found = BranchAndBound::default().find(&glass.unwrap()).unwrap();
                let seconds = start.elapsed().as_secs_f64();
                assert!(found.complete && found.nodes < 200_000_000, "{} nodes", found.nodes);
                let energy = found.energy / n as f64;
                println!("{n} ±1: {plus_minus} seed {seed}: {energy:.6}, {} nodes, {seconds:.3} s", found.nodes);
            }
        }
    }
}
