//! Tensor networks against naive sums, the transfer matrix and published values.

use std::ops::ControlFlow;

use approx::{assert_abs_diff_eq, assert_relative_eq};
use linalg_core::Streams;
use linalg_core::gf2::BitVec;
use spin_models::rand::{Rng, RngExt};
use spin_models::{
    Boundary, Duplicates, EnergyModel, Enumeration, Error, InteractionModel, Ising, Lattice, LogPartition,
    PrepareLogPartition, Progress, Quantities, Reweight, Solve, Spins, TensorNetwork, TensorNetworkParams,
    TransferMatrix,
};

/// Sums over all states, term by term: ln Z, energy, magnetizations, means of interactions.
fn naive(model: &InteractionModel, beta: f64) -> (f64, f64, Vec<f64>, Vec<f64>) {
    let n = model.n_spins();
    let states: Vec<Vec<i8>> = (0..1u64 << n).map(|state| Spins::from_state(state, n).into_vec()).collect();
    let energies: Vec<f64> = states.iter().map(|s| model.energy(s)).collect();
    let lowest = energies.iter().copied().fold(f64::INFINITY, f64::min);
    let weights: Vec<f64> = energies.iter().map(|e| (-beta * (e - lowest)).exp()).collect();
    let z: f64 = weights.iter().sum();
    let mean = |f: &dyn Fn(usize) -> f64| weights.iter().enumerate().map(|(k, w)| w * f(k)).sum::<f64>() / z;
    let product =
        |k: usize, a: usize| -> f64 { model.term(a).iter().map(|&site| f64::from(states[k][site as usize])).product() };
    (
        z.ln() - beta * lowest,
        mean(&|k| energies[k]),
        (0..n).map(|i| mean(&|k| f64::from(states[k][i]))).collect(),
        (0..model.n_terms()).map(|a| mean(&|k| product(k, a))).collect(),
    )
}

fn below<R: Rng + ?Sized>(n: usize, rng: &mut R) -> usize {
    rng.random_range(0..n as u32) as usize
}

/// Interactions of zero to five sites, some of weight 0, some repeated; sites may be left alone.
fn random_model<R: Rng + ?Sized>(n: usize, n_terms: usize, rng: &mut R) -> InteractionModel {
    let terms: Vec<(Vec<usize>, f64)> = (0..n_terms)
        .map(|_| {
            let mut sites: Vec<usize> = (0..n).collect();
            let k = below(6.min(n + 1), rng);
            for i in 0..k {
                sites.swap(i, i + below(n - i, rng));
            }
            sites.truncate(k);
            let weight = if below(6, rng) == 0 { 0.0 } else { rng.random_range(-1.5..1.5) };
            (sites, weight)
        })
        .collect();
    InteractionModel::builder(n).terms(terms).offset(0.3).duplicates(Duplicates::Keep).build().unwrap()
}

fn agree(model: &InteractionModel, beta: f64, solver: &TensorNetwork) {
    let (ln_z, energy, magnetizations, interactions) = naive(model, beta);
    let scale = 1.0 + ln_z.abs();
    assert_abs_diff_eq!(solver.ln_z(model, beta).unwrap().value, ln_z, epsilon = 1e-12 * scale);
    let marginals = solver.marginals(model, beta, &mut ()).unwrap();
    assert_abs_diff_eq!(marginals.ln_z, ln_z, epsilon = 1e-12 * scale);
    // At large β the exponents carry errors of β |E| roundings, which means inherit.
    let epsilon = 1e-12 * (1.0 + beta);
    assert_abs_diff_eq!(marginals.energy, energy, epsilon = 10.0 * epsilon);
    assert_abs_diff_eq!(marginals.magnetizations[..], magnetizations[..], epsilon = epsilon);
    assert_abs_diff_eq!(marginals.interactions[..], interactions[..], epsilon = epsilon);
}

#[test]
fn random_models_of_any_order_agree_with_naive_sums() {
    let mut rng = Streams::new(41).stream(0);
    let solver = TensorNetwork::default();
    for trial in 0..40 {
        let n = 1 + below(14, &mut rng);
        let n_terms = below(2 * n + 2, &mut rng);
        let model = random_model(n, n_terms, &mut rng);
        let beta = [0.0, 0.3, 1.0, 4.0, 50.0][trial % 5];
        agree(&model, beta, &solver);
        // The same in slices.
        if let Ok(small) = solver.cost(&model) {
            let bytes = (small.log2_size.exp2() * 8.0 * 6.0) as usize;
            let sliced = TensorNetwork::new(TensorNetworkParams::default().with_memory_bytes(bytes));
            match sliced.ln_z(&model, beta) {
                Ok(value) => {
                    let whole = solver.ln_z(&model, beta).unwrap().value;
                    assert_abs_diff_eq!(value.value, whole, epsilon = 1e-12 * (1.0 + whole.abs()));
                }
                Err(error) => assert!(matches!(error, Error::TooLarge { .. }), "{error}"),
            }
        }
    }
}

#[test]
fn plus_minus_instances_have_the_reference_values() {
    for (l, seed, beta, expected) in [
        (8, 1, 0.5, 57.610_429_427_990_54),
        (8, 1, 1.0, 89.107_044_843_298_43),
        (8, 1, 2.0, 164.427_135_346_105_13),
        (8, 2026, 0.5, 57.282_052_725_043_13),
        (8, 2026, 1.0, 87.642_175_157_294_18),
        (8, 2026, 2.0, 162.820_816_319_988_2),
        (16, 1, 1.0, 369.040_630_203_976_85),
    ] {
        let model = Ising::plus_minus_splitmix(l, l, seed).unwrap();
        let ln_z = TensorNetwork::default().ln_z(&model, beta).unwrap();
        assert_relative_eq!(ln_z.value, expected, max_relative = 1e-13);
    }
}

/// At β = 50 the entries of one tensor span hundreds of orders of magnitude beyond those of `f64`.
#[test]
fn low_temperatures_agree_with_the_transfer_matrix() {
    let model = Ising::plus_minus_splitmix(8, 8, 1).unwrap();
    let exact = TransferMatrix::default().marginals(&model, 50.0, &mut ()).unwrap();
    let ours = TensorNetwork::default().marginals(&model, 50.0, &mut ()).unwrap();
    assert_relative_eq!(ours.ln_z, exact.ln_z, max_relative = 1e-13);
    assert_relative_eq!(ours.energy, exact.energy, max_relative = 1e-10);
    assert_abs_diff_eq!(ours.interactions[..], exact.interactions[..], epsilon = 1e-9);
}

#[test]
fn random_regular_graphs_agree_with_the_transfer_matrix() {
    let mut rng = Streams::new(42).stream(0);
    let lattice = Lattice::random_regular(60, 3, &mut rng).unwrap();
    let plain = Ising::plus_minus_splitmix_on(&lattice, 5).unwrap();
    let fields: Vec<f64> = (0..60).map(|_| rng.random_range(-0.5..0.5)).collect();
    let model = Ising::builder(60).couplings(plain.couplings()).fields(fields).build().unwrap();
    let exact = TransferMatrix::default().marginals(&model, 0.9, &mut ()).unwrap();
    let want = Quantities::all();
    let ours = TensorNetwork::default().solve(&model, 0.9, want, &mut ()).unwrap();
    assert_relative_eq!(ours.ln_z.unwrap().value, exact.ln_z, max_relative = 1e-13);
    assert_relative_eq!(ours.energy.unwrap().value, exact.energy, max_relative = 1e-12);
    let magnetizations: Vec<f64> = ours.magnetizations.unwrap().iter().map(|m| m.value).collect();
    assert_abs_diff_eq!(magnetizations[..], exact.magnetizations[..], epsilon = 1e-12);
    let correlations = ours.correlations.unwrap();
    assert_eq!(correlations.pairs.len(), 90);
    for (a, value) in correlations.values.iter().enumerate() {
        assert_abs_diff_eq!(value.value, exact.interactions[a], epsilon = 1e-12);
    }
    // In slices: 64 KiB do not hold all intermediates.
    let params = TensorNetworkParams::default().with_memory_bytes(1 << 16);
    let sliced = TensorNetwork::new(params).marginals(&model, 0.9, &mut ()).unwrap();
    assert_relative_eq!(sliced.ln_z, exact.ln_z, max_relative = 1e-13);
    assert_abs_diff_eq!(sliced.magnetizations[..], exact.magnetizations[..], epsilon = 1e-12);
}

#[test]
fn plans_follow_signs_and_weights() {
    let mut rng = Streams::new(43).stream(0);
    let mut model = random_model(10, 16, &mut rng);
    let mut plan = TensorNetwork::default().prepare(&model).unwrap();
    assert_eq!(plan.n_interactions(), 16);
    for round in 0..6 {
        let mut flips = BitVec::zeros(16);
        let mut flipped = model.clone();
        for a in (0..16).filter(|_| rng.random::<bool>()).collect::<Vec<_>>() {
            flips.set(a, true);
            flipped.set_weight(a, -model.weight(a)).unwrap();
        }
        let beta = 0.2 * f64::from(round);
        assert_abs_diff_eq!(plan.ln_z_signed(&flips, beta).unwrap().value, naive(&flipped, beta).0, epsilon = 1e-11);
        let weights: Vec<f64> = (0..16).map(|_| rng.random_range(-1.0..1.0)).collect();
        for (a, &weight) in weights.iter().enumerate() {
            model.set_weight(a, weight).unwrap();
        }
        plan.set_weights(&weights).unwrap();
    }
    assert!(matches!(plan.set_weights(&[0.0; 3]), Err(Error::WrongLength { got: 3, expected: 16, .. })));
    assert!(matches!(plan.set_weights(&[f64::NAN; 16]), Err(Error::NotFinite { entry: 0, .. })));
}

#[test]
fn a_tree_of_many_spins_keeps_its_scale() {
    let n = 20_000;
    let chain = Ising::builder(n).couplings((1..n).map(|i| (i - 1, i, 1.0))).build().unwrap();
    let ln_z = TensorNetwork::default().ln_z(&chain, 3.0).unwrap().value;
    let exact = 2f64.ln() + (n - 1) as f64 * (2.0 * 3f64.cosh()).ln();
    assert_relative_eq!(ln_z, exact, max_relative = 1e-12);
}

#[test]
fn bad_input_is_refused_before_any_work() {
    let model = Ising::plus_minus_splitmix(6, 6, 1).unwrap();
    let solver = TensorNetwork::default();
    for beta in [f64::NAN, f64::INFINITY, -1.0] {
        assert!(matches!(solver.ln_z(&model, beta), Err(Error::Beta { .. })));
    }
    assert!(matches!(solver.ln_z(&model, 1e308), Err(Error::Parameter { .. })));
    let square = Ising::plus_minus_splitmix(3, 3, 1).unwrap();
    let tight = TensorNetwork::new(TensorNetworkParams::default().with_memory_bytes(10));
    match tight.ln_z(&square, 1.0) {
        Err(Error::TooLarge { value, bound: 10, .. }) => {
            // The least that is reported is enough.
            let enough = TensorNetwork::new(TensorNetworkParams::default().with_memory_bytes(value));
            let whole = solver.ln_z(&square, 1.0).unwrap().value;
            assert_relative_eq!(enough.ln_z(&square, 1.0).unwrap().value, whole, max_relative = 1e-12);
        }
        other => panic!("{other:?}"),
    }
    let wide = InteractionModel::builder(30).term(&(0..25).collect::<Vec<_>>(), 1.0).build().unwrap();
    assert!(matches!(solver.ln_z(&wide, 1.0), Err(Error::TooLarge { value: 25, bound: 20, .. })));
    let mut seen = 0;
    let mut stop = |event: &Progress| {
        seen = event.done;
        if event.done < 5 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    assert!(matches!(solver.ln_z_observed(&model, 1.0, &mut stop), Err(Error::Stopped { done: 5, .. })));
    assert_eq!(seen, 5);
}

#[test]
fn ground_states_of_small_models_agree_with_enumeration() {
    let mut rng = Streams::new(44).stream(0);
    for trial in 0..40 {
        let n = 1 + below(10, &mut rng);
        let mut model = random_model(n, trial % 15, &mut rng);
        // Integers, so that energies are equal or not.
        for a in 0..model.n_terms() {
            model.set_weight(a, f64::from(rng.random_range(-2..=2))).unwrap();
        }
        let exact = Enumeration::default().ground_state(&model).unwrap();
        for bytes in [1 << 30, 400] {
            let solver = TensorNetwork::new(TensorNetworkParams::default().with_memory_bytes(bytes));
            match solver.ground_state(&model, &mut ()) {
                Ok(ours) => {
                    assert_abs_diff_eq!(ours.energy, exact.energy, epsilon = 1e-12);
                    assert_abs_diff_eq!(ours.energy, model.energy(&ours.spins), epsilon = 1e-12);
                    assert_eq!(ours.degeneracy, exact.degeneracy, "{model:?}");
                }
                Err(error) => assert!(bytes == 400 && matches!(error, Error::TooLarge { .. }), "{error}"),
            }
        }
    }
}

#[test]
fn ground_states_of_lattices_agree_with_the_transfer_matrix() {
    for seed in [1, 2026] {
        let model = Ising::plus_minus_splitmix(8, 8, seed).unwrap();
        let exact = TransferMatrix::default().ground_state(&model, &mut ()).unwrap();
        let ours = TensorNetwork::default().ground_state(&model, &mut ()).unwrap();
        assert_abs_diff_eq!(ours.energy, exact.energy, epsilon = 1e-12);
        assert_eq!(ours.degeneracy, exact.degeneracy);
        // 16 KiB hold a tenth of all intermediates.
        let params = TensorNetworkParams::default().with_memory_bytes(1 << 14);
        assert!(TensorNetwork::new(params.clone()).cost(&model).unwrap().slices >= 1);
        let sliced = TensorNetwork::new(params).ground_state(&model, &mut ());
        match sliced {
            Ok(sliced) => assert_eq!((sliced.energy, sliced.degeneracy), (ours.energy, ours.degeneracy)),
            Err(error) => assert!(matches!(error, Error::TooLarge { .. }), "{error}"),
        }
    }
    // Real couplings on a random graph: unique up to a flip, and not counted.
    let mut rng = Streams::new(45).stream(0);
    let lattice = Lattice::random_regular(50, 3, &mut rng).unwrap();
    let couplings: Vec<_> = lattice.edges().map(|(i, j)| (i, j, rng.random_range(-1.0..1.0))).collect();
    let model = Ising::builder(50).couplings(couplings).build().unwrap();
    let exact = TransferMatrix::default().ground_state(&model, &mut ()).unwrap();
    let ours = TensorNetwork::default().ground_state(&model, &mut ()).unwrap();
    assert_abs_diff_eq!(ours.energy, exact.energy, epsilon = 1e-12);
    assert_eq!(ours.degeneracy, None);
    let signs: Vec<i8> = ours.spins.iter().zip(&exact.spins).map(|(a, b)| a * b).collect();
    assert!(signs.iter().all(|&s| s == signs[0]), "{signs:?}");
}

#[test]
fn a_strip_of_many_spins_keeps_its_scale() {
    let (width, length) = (4, 5000);
    let lattice = Lattice::rectangle([length, width], [Boundary::Free; 2]).unwrap();
    let model = Ising::plus_minus_splitmix_on(&lattice, 1).unwrap();
    let ours = TensorNetwork::default().ln_z(&model, 2.0).unwrap().value;
    let exact = TransferMatrix::default().ln_z(&model, 2.0).unwrap().value;
    assert_relative_eq!(ours, exact, max_relative = 1e-12);
}

/// Counts of all states against their probabilities: χ² with ν degrees of freedom, within 4 σ of its mean.
#[test]
fn samples_follow_the_boltzmann_distribution() {
    let mut rng = Streams::new(46).stream(0);
    let count = 20_000;
    for (n, n_terms) in [(1, 2), (5, 7), (7, 12), (8, 5)] {
        let model = random_model(n, n_terms, &mut rng);
        for beta in [0.5, 300.0] {
            let ln_z = naive(&model, beta).0;
            for bytes in [1 << 30, 700] {
                let solver = TensorNetwork::new(TensorNetworkParams::default().with_memory_bytes(bytes));
                let rows = match solver.sample(&model, beta, count, &mut rng) {
                    Ok(rows) => rows,
                    Err(error) => {
                        assert!(bytes == 700 && matches!(error, Error::TooLarge { .. }), "{error}");
                        continue;
                    }
                };
                let mut counts = vec![0u32; 1 << n];
                for row in &rows {
                    counts[row.iter().enumerate().map(|(i, &s)| usize::from(s < 0) << i).sum::<usize>()] += 1;
                }
                let (mut chi_squared, mut freedom) = (0.0, -1.0f64);
                let mut rare = (0.0, 0.0);
                for (state, &seen) in counts.iter().enumerate() {
                    let energy = model.energy(&Spins::from_state(state as u64, n));
                    let expected = (-beta * energy - ln_z).exp() * count as f64;
                    if expected > 5.0 {
                        chi_squared += (f64::from(seen) - expected).powi(2) / expected;
                        freedom += 1.0;
                    } else {
                        rare = (rare.0 + expected, rare.1 + f64::from(seen));
                    }
                }
                // Poisson: five standard deviations, and a few where none are expected.
                assert!(rare.1 <= rare.0 + 5.0 * rare.0.sqrt() + 5.0, "{} rare states for {}", rare.1, rare.0);
                let bound = freedom.max(0.0) + 4.0 * (2.0 * freedom.max(1.0)).sqrt() + 1.0;
                assert!(chi_squared < bound, "χ² = {chi_squared}, ν = {freedom}, β = {beta}, n = {n}, {bytes} bytes");
            }
        }
    }
}

/// On a lattice with three-body terms and fields: the means within 5 standard errors; the stream fixes the samples.
#[test]
fn samples_of_a_lattice_have_the_means() {
    let mut rng = Streams::new(47).stream(0);
    let mut builder = InteractionModel::builder(64);
    for i in 0..64 {
        builder = builder.term(&[i], rng.random_range(-0.5..0.5));
        if i % 8 < 7 && i < 56 {
            builder = builder.term(&[i, i + 1, i + 8], rng.random_range(-1.0..1.0));
        }
    }
    let model = builder.build().unwrap();
    let solver = TensorNetwork::default();
    let count = 4000;
    let draw = || solver.sample(&model, 0.8, count, &mut Streams::new(48).stream(0)).unwrap();
    let rows = draw();
    assert_eq!(rows, draw());
    let exact = solver.marginals(&model, 0.8, &mut ()).unwrap();
    for i in 0..64 {
        let mean = rows.iter().map(|row| f64::from(row[i])).sum::<f64>() / count as f64;
        let sigma = ((1.0 - exact.magnetizations[i].powi(2)) / count as f64).sqrt();
        assert!((mean - exact.magnetizations[i]).abs() < 5.0 * sigma, "site {i}: {mean}, {}", exact.magnetizations[i]);
    }
    let energies: Vec<f64> = rows.iter().map(|row| model.energy(row)).collect();
    let mean = energies.iter().sum::<f64>() / count as f64;
    let variance = energies.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / (count - 1) as f64;
    let z = (mean - exact.energy) / (variance / count as f64).sqrt();
    assert!(z.abs() < 4.0, "z = {z}");
    let mut stop = |_: &Progress| ControlFlow::Break(());
    let stopped = solver.sample_observed(&model, 0.8, 1, &mut stop, &mut rng);
    assert!(matches!(stopped, Err(Error::Stopped { done: 1, .. })));
}

/// A tree of 10⁵ spins with a few more bonds and a ladder: no order that takes quadratic time, no underflow.
#[test]
fn sparse_graphs_of_many_spins_take_linear_time() {
    let mut rng = Streams::new(49).stream(0);
    let n = 100_000;
    let parents: Vec<usize> = (1..n).map(|i| below(i, &mut rng)).collect();
    let mut couplings: Vec<(usize, usize, f64)> =
        (1..n).map(|i| (parents[i - 1], i, rng.random_range(-2.0..2.0))).collect();
    // Loops without common bonds: the high-temperature series has a factor `1 + Π tanh` for each.
    let mut on_a_loop = vec![false; n];
    let mut exact = n as f64 * 2f64.ln() + couplings.iter().map(|(.., j)| j.cosh().ln()).sum::<f64>();
    let mut n_loops = 0;
    for _ in 0..1000 {
        let (first, second) = (below(n, &mut rng), below(n, &mut rng));
        let (mut i, mut j, mut path) = (first, second, Vec::new());
        while i != j {
            let deeper = if i > j { &mut i } else { &mut j };
            path.push(*deeper);
            *deeper = parents[*deeper - 1];
        }
        if path.len() < 2 || path.iter().any(|&i| on_a_loop[i]) {
            continue;
        }
        path.iter().for_each(|&i| on_a_loop[i] = true);
        let product: f64 = path.iter().map(|&i| couplings[i - 1].2.tanh()).product();
        exact += 1f64.cosh().ln() + (1f64.tanh() * product).ln_1p();
        couplings.push((first.min(second), first.max(second), 1.0));
        n_loops += 1;
    }
    assert!(n_loops >= 5, "{n_loops} loops");
    let cactus = Ising::builder(n).couplings(couplings).build().unwrap();
    assert_relative_eq!(TensorNetwork::default().ln_z(&cactus, 1.0).unwrap().value, exact, max_relative = 1e-12);
    let lattice = Lattice::rectangle([10_000, 2], [Boundary::Free; 2]).unwrap();
    let ladder = Ising::plus_minus_splitmix_on(&lattice, 1).unwrap();
    let exact = TransferMatrix::default().ln_z(&ladder, 3.0).unwrap().value;
    assert_relative_eq!(TensorNetwork::default().ln_z(&ladder, 3.0).unwrap().value, exact, max_relative = 1e-12);
}

#[test]
fn a_count_beside_much_larger_ones_is_right_or_absent() {
    // One ground state; with the centre turned there are 2^3000 states of a higher energy.
    for leaves in [40, 500, 3000] {
        let builder =
            (1..=leaves).fold(Ising::builder(leaves + 1), |b, leaf| b.coupling(0, leaf, 1.0).field(leaf, 1.0));
        let found = TensorNetwork::default().ground_state(&builder.build().unwrap(), &mut ()).unwrap();
        assert!(found.degeneracy.is_none_or(|count| (count - 1.0).abs() < 1e-12), "{leaves}: {:?}", found.degeneracy);
        assert!(leaves > 40 || found.degeneracy == Some(1.0));
    }
}
