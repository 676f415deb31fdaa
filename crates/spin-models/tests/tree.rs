//! Message passing on forests against enumeration and closed forms.

use approx::{assert_abs_diff_eq, assert_relative_eq};
use linalg_core::Streams;
use linalg_core::gf2::BitVec;
use linalg_core::rand::{Rng, RngExt};
use linalg_core::rng::standard_normal;
use spin_models::{
    Correlations, Enumeration, Error, InteractionModel, Ising, LogPartition, PrepareLogPartition, Quantities, Solution,
    Solve, Tree,
};

/// A random recursive forest: site i hangs on an earlier site, or starts a component.
fn random_forest(n: usize, rng: &mut impl Rng, mut value: impl FnMut(&mut dyn Rng) -> f64) -> Ising {
    let mut label: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        label.swap(i, rng.random_range(0..=i as u32) as usize);
    }
    let mut builder = Ising::builder(n).offset(value(rng));
    for i in 1..n {
        if rng.random::<f64>() < 0.85 {
            let j = rng.random_range(0..i as u32) as usize;
            builder = builder.coupling(label[i], label[j], value(rng));
        }
    }
    for &site in &label {
        if rng.random::<f64>() < 0.7 {
            builder = builder.field(site, value(rng));
        }
    }
    builder.build().unwrap()
}

fn solve(solver: &dyn Solve<Ising>, model: &Ising, beta: f64, correlations: Correlations) -> Solution {
    solver.solve(model, beta, Quantities::all().with_correlations(correlations), &mut ()).unwrap()
}

fn compare(model: &Ising, beta: f64) {
    for correlations in [Correlations::All, Correlations::Coupled] {
        let tree = solve(&Tree::default(), model, beta, correlations);
        let sum = solve(&Enumeration::default(), model, beta, correlations);
        let [a, b] = [&tree, &sum].map(|s| s.ln_z.unwrap().value);
        assert_relative_eq!(a, b, max_relative = 1e-13, epsilon = 1e-13);
        let [a, b] = [&tree, &sum].map(|s| s.energy.unwrap().value);
        assert_relative_eq!(a, b, max_relative = 1e-12, epsilon = 1e-12);
        let [a, b] = [&tree, &sum].map(|s| s.magnetizations.as_ref().unwrap());
        for (a, b) in a.iter().zip(b) {
            assert_abs_diff_eq!(a.value, b.value, epsilon = 1e-12);
        }
        let [a, b] = [&tree, &sum].map(|s| s.correlations.as_ref().unwrap());
        assert_eq!(a.pairs, b.pairs);
        for (a, b) in a.values.iter().zip(&b.values) {
            assert_abs_diff_eq!(a.value, b.value, epsilon = 1e-12);
        }
        let [a, b] = [&tree, &sum].map(|s| s.ground_state.as_ref().unwrap());
        assert_relative_eq!(a.energy, b.energy, max_relative = 1e-14, epsilon = 1e-14);
        assert_eq!(a.degeneracy, b.degeneracy);
    }
}

#[test]
fn random_forests_agree_with_enumeration() {
    let mut rng = Streams::new(21).stream(0);
    for round in 0..60 {
        let n = 1 + round % 14;
        let real = random_forest(n, &mut rng, |rng| standard_normal(rng));
        let integer = random_forest(n, &mut rng, |rng| f64::from(rng.random_range(0..5u32)) - 2.0);
        for beta in [0.0, 0.3, 2.0, 50.0, 1e3] {
            compare(&real, beta);
            compare(&integer, beta);
        }
    }
}

#[test]
fn correlations_of_pairs_without_an_edge() {
    // Couplings of value 0 that would close cycles or join components.
    let model = Ising::builder(6)
        .couplings([(0, 1, 0.7), (0, 3, 0.0), (1, 2, -1.2), (2, 3, 0.4), (4, 5, 1.0), (3, 4, 0.0), (0, 2, 0.0)])
        .fields([0.1, 0.0, -0.3, 0.5, 0.2, 0.0])
        .build()
        .unwrap();
    for beta in [0.2, 1.0, 4.0] {
        compare(&model, beta);
    }
}

#[test]
fn couplings_that_close_cycles_are_named() {
    let model = Ising::builder(6)
        .couplings([(0, 1, 1.0), (4, 5, 1.0), (1, 2, 1.0), (0, 2, 0.0), (5, 3, 1.0), (2, 3, 1.0), (0, 4, 1.0)])
        .build()
        .unwrap();
    let error = Solve::check(&Tree::default(), &model, 1.0).unwrap_err();
    assert_eq!(error.to_string(), "tree does not apply: coupling 6 of sites 0 and 4 closes a cycle");
    assert!(matches!(Tree::default().ln_z(&model, 1.0), Err(Error::NotApplicable { solver: "tree", .. })));
    assert!(PrepareLogPartition::<Ising>::prepare(&Tree::default(), &model).is_err());
    let plaquette = InteractionModel::builder(3).term(&[0, 1], 1.0).term(&[2, 1, 0], 1.0).build().unwrap();
    let error = Solve::check(&Tree::default(), &plaquette, 1.0).unwrap_err();
    assert_eq!(error.to_string(), "tree does not apply: term 1 has 3 sites [0, 1, 2], at most 2 are possible");
    let forest = Ising::builder(2).coupling(0, 1, 1.0).build().unwrap();
    for beta in [f64::NAN, f64::INFINITY, -0.5] {
        assert!(matches!(Solve::check(&Tree::default(), &forest, beta), Err(Error::Beta { .. })));
    }
    let huge = Ising::builder(3).couplings([(0, 1, 1e308), (1, 2, 1e308)]).build().unwrap();
    assert!(matches!(Tree::default().ln_z(&huge, 1.0), Err(Error::NotApplicable { .. })));
    assert!(matches!(Tree::default().ln_z(&forest, 1e308), Err(Error::NotApplicable { .. })));
}

#[test]
fn interaction_models_of_pairs_are_taken() {
    let model = InteractionModel::builder(3)
        .term(&[0, 1], 1.0)
        .term(&[], 0.5)
        .term(&[2], -0.3)
        .term(&[1, 2], 0.8)
        .build()
        .unwrap();
    let [a, b] =
        [Tree::default().ln_z(&model, 0.9).unwrap().value, Enumeration::default().ln_z(&model, 0.9).unwrap().value];
    assert_abs_diff_eq!(a, b, epsilon = 1e-14);
    let mut plan = PrepareLogPartition::<InteractionModel>::prepare(&Tree::default(), &model).unwrap();
    let mut oracle = Enumeration::default().prepare(&model).unwrap();
    let flips = BitVec::from_bools(&[true, true, false, false]);
    let [a, b] = [&mut plan, &mut oracle].map(|plan| plan.ln_z_signed(&flips, 2.0).unwrap().value);
    assert_abs_diff_eq!(a, b, epsilon = 1e-14);
    plan.set_weights(&[0.1, 0.2, 0.3, -2.0]).unwrap();
    oracle.set_weights(&[0.1, 0.2, 0.3, -2.0]).unwrap();
    let [a, b] = [&mut plan, &mut oracle].map(|plan| plan.ln_z_signed(&flips, 2.0).unwrap().value);
    assert_abs_diff_eq!(a, b, epsilon = 1e-14);
}

#[test]
fn long_chain() {
    // ln Z = ln 2 + (N - 1) ln 2cosh βJ, ⟨s_i s_{i+1}⟩ = tanh βJ; alternating signs are a gauge transform.
    let n = 1_000_000;
    let model =
        Ising::builder(n).couplings((1..n).map(|i| (i - 1, i, if i % 3 == 0 { -0.75 } else { 0.75 }))).build().unwrap();
    for beta in [0.0, 0.4, 1e3] {
        let solution = solve(&Tree::default(), &model, beta, Correlations::Coupled);
        let bond = beta * 0.75 + (-2.0 * beta * 0.75f64).exp().ln_1p();
        let exact = 2f64.ln() + (n - 1) as f64 * bond;
        assert_relative_eq!(solution.ln_z.unwrap().value, exact, max_relative = 1e-14);
        let energy = -0.75 * (n - 1) as f64 * (0.75 * beta).tanh();
        assert_relative_eq!(solution.energy.unwrap().value, energy, max_relative = 1e-14);
        assert!(solution.magnetizations.unwrap().iter().all(|m| m.value == 0.0));
        let pairs = solution.correlations.unwrap();
        assert_eq!(pairs.pairs[2], (2, 3));
        assert_relative_eq!(pairs.values[2].value, -(0.75 * beta).tanh(), max_relative = 1e-14);
        let ground = solution.ground_state.unwrap();
        assert_relative_eq!(ground.energy, -0.75 * (n - 1) as f64, max_relative = 1e-12);
        assert_eq!(ground.degeneracy, Some(2.0));
    }
    // 2^N configurations are more than f64 counts.
    let free = Ising::builder(n).build().unwrap();
    let solution = solve(&Tree::default(), &free, 1.0, Correlations::None);
    assert_eq!(solution.ground_state.unwrap().degeneracy, None);
    assert_relative_eq!(solution.ln_z.unwrap().value, n as f64 * 2f64.ln(), max_relative = 1e-15);
    let want = Quantities::all().with_correlations(Correlations::All);
    assert!(matches!(
        Tree::default().solve(&free, 1.0, want, &mut ()),
        Err(Error::TooLarge { solver: "tree", bound: 10_000, .. })
    ));
}

#[test]
fn star_in_a_field() {
    // Hub 0 with N - 1 leaves: Z = Σ_s e^{βh s} (2 cosh β(J s + h))^{N-1}.
    let (n, coupling, field, beta) = (100_000, 0.3, 0.02, 1.7f64);
    let model = Ising::builder(n)
        .couplings((1..n).map(|i| (0, i, coupling)))
        .fields(std::iter::repeat_n(field, n))
        .build()
        .unwrap();
    let solution = solve(&Tree::default(), &model, beta, Correlations::None);
    let ln =
        [1.0, -1.0].map(|s| beta * field * s + (n - 1) as f64 * (2.0 * (beta * (coupling * s + field)).cosh()).ln());
    let exact = linalg_core::logspace::log_sum_exp(&ln);
    assert_relative_eq!(solution.ln_z.unwrap().value, exact, max_relative = 1e-14);
    let hub = (0.5 * (ln[0] - ln[1])).tanh();
    assert_abs_diff_eq!(solution.magnetizations.unwrap()[0].value, hub, epsilon = 1e-12);
}
