//! Against enumeration, bit-serial minimisation over rows, and published energies.

use super::super::tests::random_model;
use super::*;
use crate::{Boundary, Disorder, Enumeration, Lattice, Spins};
use linalg_core::Streams;
use linalg_core::rand::RngExt;

fn lowest_by_enumeration(model: &Ising) -> f64 {
    let n = model.n_spins();
    (0..1u64 << n).map(|state| model.energy(&Spins::from_state(state, n))).fold(f64::INFINITY, f64::min)
}

#[test]
fn random_planar_graphs_agree_with_enumeration() {
    let mut rng = Streams::new(501).stream(0);
    for round in 0..600 {
        let n = rng.random_range(1..13u32) as usize;
        let model = random_model(n, &mut rng);
        let state = PlanarGroundState::default().find(&model).unwrap();
        let expected = lowest_by_enumeration(&model);
        assert!((state.energy - expected).abs() < 1e-12, "round {round}: {} {expected} {model:?}", state.energy);
        assert!((model.energy(&state.spins) - state.energy).abs() < 1e-12);
        assert!(state.excess_bound < 1e-11);
        assert_eq!(state.spins[0], 1);
    }
}

/// The lowest energy of a strip by minimisation over one site after the other, for all values of the frontier.
fn lowest_of_strip(model: &Ising, width: usize) -> f64 {
    let n = model.n_spins();
    let mut best = vec![0.0f64; 1 << width];
    // Bit k of the frontier is the newest spin of column k; couplings to earlier sites are added when a site comes.
    for site in 0..n {
        let column = site % width;
        let mut next = vec![f64::INFINITY; 1 << width];
        for (frontier, &energy) in best.iter().enumerate() {
            if site < width && frontier >> column & 1 == 1 {
                continue;
            }
            for up in [0, 1] {
                let s = |k: usize| if frontier >> k & 1 == 1 { 1.0 } else { -1.0 };
                let here = if up == 1 { 1.0 } else { -1.0 };
                let (neighbors, couplings) = model.row(site);
                let added: f64 = (neighbors.iter().zip(couplings))
                    .filter(|(j, _)| (**j as usize) < site)
                    .map(|(&j, &coupling)| -coupling * here * s(j as usize % width))
                    .sum();
                let then = frontier & !(1 << column) | up << column;
                next[then] = next[then].min(energy + added);
            }
        }
        best = next;
    }
    best.into_iter().fold(f64::INFINITY, f64::min) + model.offset()
}

#[test]
fn square_lattices_agree_with_minimisation_over_rows() {
    let mut rng = Streams::new(502).stream(0);
    let shapes = [
        ([12, 12], [Boundary::Free; 2]),
        ([20, 10], [Boundary::Free; 2]),
        ([10, 10], [Boundary::Free, Boundary::Periodic]),
    ];
    for (lengths, boundaries) in shapes {
        let lattice = Lattice::rectangle(lengths, boundaries).unwrap();
        for disorder in [Disorder::plus_minus(), Disorder::gaussian()] {
            for _ in 0..3 {
                let model = Ising::edwards_anderson(&lattice, disorder, &mut rng).unwrap();
                let state = PlanarGroundState::default().find(&model).unwrap();
                let expected = lowest_of_strip(&model, lengths[1]);
                assert!((state.energy - expected).abs() < 1e-11, "{lengths:?}: {} {expected}", state.energy);
            }
        }
    }
}

#[test]
fn domain_walls_are_differences_of_lowest_energies() {
    let mut rng = Streams::new(503).stream(0);
    for round in 0..150 {
        let n = rng.random_range(2..12u32) as usize;
        let model = random_model(n, &mut rng);
        let plan = PlanarGroundState::default().prepare(&model).unwrap();
        let flipped: Vec<usize> = (0..model.n_couplings()).filter(|_| rng.random()).collect();
        let wall = plan.domain_wall(&flipped).unwrap();
        let couplings =
            model.couplings().enumerate().map(|(a, (i, j, x))| (i, j, if flipped.contains(&a) { -x } else { x }));
        let other = Ising::builder(n).couplings(couplings.collect::<Vec<_>>()).offset(0.5).build().unwrap();
        let expected = lowest_by_enumeration(&other) - lowest_by_enumeration(&model);
        assert!((wall.energy - expected).abs() < 1e-12, "round {round}: {} {expected}", wall.energy);
    }
}

#[test]
fn a_plan_takes_other_couplings() {
    let mut rng = Streams::new(504).stream(0);
    let lattice = Lattice::square(9, Boundary::Free).unwrap();
    let first = Ising::edwards_anderson(&lattice, Disorder::gaussian(), &mut rng).unwrap();
    let second = Ising::edwards_anderson(&lattice, Disorder::gaussian(), &mut rng).unwrap();
    let mut plan = PlanarGroundState::default().prepare(&first).unwrap();
    plan.set_couplings(&second.couplings().map(|(.., j)| j).collect::<Vec<_>>()).unwrap();
    assert_eq!(plan.find().unwrap(), PlanarGroundState::default().find(&second).unwrap());
    assert!(matches!(plan.set_couplings(&[1.0]), Err(Error::WrongLength { got: 1, expected: 144, .. })));
    let mut bad = vec![1.0; 144];
    bad[7] = f64::NAN;
    assert!(matches!(plan.set_couplings(&bad), Err(Error::NotFinite { entry: 7, .. })));
    assert!(matches!(plan.domain_wall(&[3, 3]), Err(Error::Parameter { .. })));
    assert!(matches!(plan.domain_wall(&[144]), Err(Error::Parameter { .. })));
}

#[test]
fn the_zero_temperature_limit_of_the_partition_function() {
    let model = Ising::plus_minus_splitmix(24, 24, 3).unwrap();
    let energy = PlanarGroundState::default().find(&model).unwrap().energy;
    // ln Z + β E0 tends to the entropy of the ground states: its slope is the mean energy above the lowest.
    let entropy = |beta: f64| {
        let ln_z = crate::LogPartition::ln_z(&crate::Planar::default(), &model, beta).unwrap().value;
        ln_z + beta * energy
    };
    let (warm, cold) = (entropy(12.0), entropy(16.0));
    assert!((warm - cold).abs() < 1e-6, "{warm} {cold}");
    assert!(cold > std::f64::consts::LN_2 && cold < 0.2 * 576.0, "{cold}");
}

#[test]
fn what_does_not_apply_is_refused() {
    let solver = PlanarGroundState::default();
    let field = Ising::builder(3).coupling(0, 1, 1.0).field(2, 0.1).build().unwrap();
    let text = solver.find(&field).unwrap_err().to_string();
    assert_eq!(text, "ground-state does not apply: site 2 has the field 0.1, expected no fields");
    let text = solver.check(&Ising::complete(5, 1.0).unwrap(), 1.0).unwrap_err().to_string();
    assert!(text.starts_with("ground-state does not apply: the graph is not planar: sites 3 and 4"), "{text}");
    let torus = Ising::square(4, Boundary::Periodic, 1.0).unwrap();
    assert!(matches!(solver.find(&torus), Err(Error::NotApplicable { solver: "ground-state", .. })));
    let lattice = Ising::square(8, Boundary::Free, 1.0).unwrap();
    assert!(matches!(solver.check(&lattice, f64::NAN), Err(Error::Beta { .. })));
    let mut stop = |_: &Progress| std::ops::ControlFlow::Break(());
    assert!(matches!(solver.find_observed(&lattice, &mut stop), Err(Error::Stopped { solver: "ground-state", .. })));
}

#[test]
fn extreme_couplings() {
    // Without couplings, of one site, and of very different sizes.
    let solver = PlanarGroundState::default();
    let empty = Ising::builder(3).offset(2.0).build().unwrap();
    let state = solver.find(&empty).unwrap();
    assert_eq!((state.spins, state.n_frustrated), (vec![1, 1, 1], 0));
    for (a, b, c) in [(1e300, -1e-300, 1.0), (1e-310, -1e-310, 1e-310), (-1e300, 1e300, 1e300), (0.0, -0.0, -1.0)] {
        let ring = Ising::builder(3).couplings([(0, 1, a), (1, 2, b), (0, 2, c)]).build().unwrap();
        let state = solver.find(&ring).unwrap();
        let expected = lowest_by_enumeration(&ring);
        assert!(state.energy - expected <= state.excess_bound, "{a} {b} {c}: {state:?} {expected}");
    }
    let ring = Ising::ring(20_001, -1.0).unwrap();
    assert!((solver.find(&ring).unwrap().energy + 19_999.0).abs() < 1e-9);
}

#[test]
fn solves_through_the_trait() {
    let model = Ising::plus_minus_splitmix(4, 4, 1).unwrap();
    let solution = PlanarGroundState::default().solve(&model, 1.0, Quantities::all(), &mut ()).unwrap();
    let spins = solution.ground_state.unwrap().spins;
    let expected = lowest_by_enumeration(&model);
    assert!(solution.ln_z.is_none());
    assert!((solution.energy.unwrap().value - expected).abs() < 1e-12);
    assert!(solution.magnetizations.unwrap().iter().zip(&spins).all(|(m, &s)| (m.value - f64::from(s)).abs() < 1e-15));
    // The mean energy of a cold system from above.
    let cold = Solve::solve(&Enumeration::default(), &model, 20.0, Quantities::all(), &mut ()).unwrap();
    assert!((cold.energy.unwrap().value - expected).abs() < 1e-6);
}

#[test]
fn large_lattices_have_the_known_energy_per_bond() {
    // Free ±J lattices: e = -1.4019 + 0.7 / L about; 7 sites in 1000 either way.
    let model = Ising::plus_minus_splitmix(64, 64, 1).unwrap();
    let state = PlanarGroundState::default().find(&model).unwrap();
    let boundary_corrected = state.energy / model.n_couplings() as f64 * 2.0;
    assert!((boundary_corrected + 1.402).abs() < 0.06, "{boundary_corrected}");
}
