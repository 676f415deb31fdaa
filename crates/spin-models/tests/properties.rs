//! Properties that hold for every instance: exact methods agree where two apply, Z does not change under gauge
//! transformations, ln Z is convex and its slope is the energy.

use approx::assert_relative_eq;
use proptest::prelude::*;
use spin_models::exact::Kaufman;
use spin_models::{
    Boundary, Correlations, Duplicates, Enumeration, InteractionModel, Ising, LogPartition, Quantities, Solution,
    Solve, Spins, TransferMatrix, Tree,
};

/// Any Ising model of 1 to 10 spins; couplings of very different sizes, zeros included.
fn any_ising() -> impl Strategy<Value = Ising> {
    let weight = prop_oneof![Just(0.0), Just(1.0), Just(-1.0), -2.0..2.0f64, -1e-8..1e-8f64];
    (1usize..=10).prop_flat_map(move |n| {
        let pair = (0..n, 0..n, weight.clone());
        let couplings = proptest::collection::vec(pair, 0..2 * n);
        let fields = proptest::collection::vec(weight.clone(), n);
        (couplings, fields, -3.0..3.0f64).prop_map(move |(couplings, fields, offset)| {
            let couplings = couplings.into_iter().filter(|(i, j, _)| i != j);
            let builder = Ising::builder(n).couplings(couplings).fields(fields).offset(offset);
            builder.duplicates(Duplicates::Sum).build().expect("finite weights on distinct sites")
        })
    })
}

/// A random tree with couplings and fields; parent of site i among 0 .. i.
fn any_tree() -> impl Strategy<Value = Ising> {
    (1usize..=12).prop_flat_map(|n| {
        let parents = proptest::collection::vec(any::<prop::sample::Index>(), n - 1);
        let couplings = proptest::collection::vec(-2.0..2.0f64, n - 1);
        let fields = proptest::collection::vec(-1.0..1.0f64, n);
        (parents, couplings, fields).prop_map(move |(parents, couplings, fields)| {
            let edges = parents.iter().zip(couplings).enumerate().map(|(k, (p, j))| (p.index(k + 1), k + 1, j));
            Ising::builder(n).couplings(edges).fields(fields).build().expect("a tree")
        })
    })
}

fn all<S: Solve<Ising>>(solver: &S, model: &Ising, beta: f64) -> Solution {
    let want = Quantities::all().with_correlations(Correlations::Coupled);
    solver.solve(model, beta, want, &mut ()).expect("applies")
}

/// ln Z to 1e-12 relative; averages to 1e-11 of their scale, since they are ratios of sums.
fn assert_same(a: &Solution, b: &Solution) {
    let ln_z = |solution: &Solution| solution.ln_z.expect("asked for").value;
    assert_relative_eq!(ln_z(a), ln_z(b), max_relative = 1e-12, epsilon = 1e-12);
    let energy = |solution: &Solution| solution.energy.expect("asked for").value;
    assert_relative_eq!(energy(a), energy(b), max_relative = 1e-11, epsilon = 1e-11);
    let m = |solution: &Solution| solution.magnetizations.clone().expect("asked for");
    for (x, y) in m(a).iter().zip(m(b)) {
        assert_relative_eq!(x.value, y.value, epsilon = 1e-11);
    }
    let c = |solution: &Solution| solution.correlations.clone().expect("asked for");
    let (c, d) = (c(a), c(b));
    assert_eq!(c.pairs, d.pairs);
    for (x, y) in c.values.iter().zip(&d.values) {
        assert_relative_eq!(x.value, y.value, epsilon = 1e-11);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn enumeration_is_the_transfer_matrix(model in any_ising(), beta in 0.0..3.0f64) {
        assert_same(&all(&Enumeration::default(), &model, beta), &all(&TransferMatrix::default(), &model, beta));
    }

    #[test]
    fn trees_three_ways(model in any_tree(), beta in 0.0..3.0f64) {
        let tree = all(&Tree::default(), &model, beta);
        assert_same(&tree, &all(&Enumeration::default(), &model, beta));
        assert_same(&tree, &all(&TransferMatrix::default(), &model, beta));
    }

    #[test]
    fn pairwise_and_k_body_forms_agree(model in any_ising(), beta in 0.0..3.0f64) {
        let k_body = InteractionModel::from(&model);
        let a = Enumeration::default().ln_z(&model, beta).unwrap().value;
        let b = Enumeration::default().ln_z(&k_body, beta).unwrap().value;
        let c = TransferMatrix::default().ln_z(&k_body, beta).unwrap().value;
        assert_relative_eq!(a, b, max_relative = 1e-12, epsilon = 1e-12);
        assert_relative_eq!(a, c, max_relative = 1e-12, epsilon = 1e-12);
    }

    #[test]
    fn gauge_invariance(model in any_ising(), state in any::<u64>(), beta in 0.0..3.0f64) {
        let t = Spins::from_state(state, model.fields().len());
        let turned = model.gauge_transform(&t);
        let a = TransferMatrix::default().ln_z(&model, beta).unwrap().value;
        let b = TransferMatrix::default().ln_z(&turned, beta).unwrap().value;
        assert_relative_eq!(a, b, max_relative = 1e-12, epsilon = 1e-12);
    }

    #[test]
    fn slope_of_ln_z_is_minus_the_energy(model in any_ising(), beta in 0.1..2.0f64) {
        let solver = Enumeration::default();
        let ln_z = |beta| solver.ln_z(&model, beta).unwrap().value;
        let h = 1e-4;
        let energy = all(&solver, &model, beta).energy.unwrap().value;
        // Central difference: the third cumulant of the energy times h²/6, at most about 1e-5 here.
        assert_relative_eq!((ln_z(beta - h) - ln_z(beta + h)) / (2.0 * h), energy, epsilon = 1e-4);
        // Convexity, up to rounding.
        prop_assert!(ln_z(beta + h) + ln_z(beta - h) >= 2.0 * ln_z(beta) - 1e-11);
    }

    #[test]
    fn tori_four_ways(rows in 1usize..=4, columns in 2usize..=4, k in 0.01..1.5f64) {
        // A torus of one row has self-couplings; kaufman counts them, a model cannot.
        prop_assume!(rows > 1);
        let model = Ising::rectangle([rows, columns], [Boundary::Periodic; 2], 1.0).unwrap();
        let exact = Kaufman::isotropic(rows, columns, 1.0).unwrap().at(k).unwrap().ln_z;
        let enumerated = Enumeration::default().ln_z(&model, k).unwrap().value;
        let transferred = TransferMatrix::default().ln_z(&model, k).unwrap().value;
        assert_relative_eq!(exact, enumerated, max_relative = 1e-12);
        assert_relative_eq!(exact, transferred, max_relative = 1e-12);
    }
}
