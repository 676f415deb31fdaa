use std::ops::ControlFlow;

use approx::assert_abs_diff_eq;
use linalg_core::Streams;
use linalg_core::gf2::BitVec;
use rand::RngExt;

use crate::{
    BoundaryMps, Duplicates, Enumeration, Error, InteractionModel, Kind, LogPartition, PrepareLogPartition, Progress,
    TransferMatrix,
};

/// The spins of the checks around each qubit of an unrotated surface code, those of X checks first.
fn unrotated(d: usize) -> (usize, Vec<[Vec<usize>; 2]>) {
    let side = 2 * d - 1;
    let number = |r: usize, c: usize| (r * side + c) / 2;
    let mut qubits = Vec::new();
    for (r, c) in (0..side).flat_map(|r| (0..side).map(move |c| (r, c))).filter(|(r, c)| (r + c) % 2 == 0) {
        let around = [(r.wrapping_sub(1), c), (r + 1, c), (r, c.wrapping_sub(1)), (r, c + 1)];
        let mut of_kind = [Vec::new(), Vec::new()];
        for (a, b) in around.into_iter().filter(|(a, b)| *a < side && *b < side) {
            of_kind[(a + 1) % 2].push(number(a, b));
        }
        qubits.push(of_kind);
    }
    (side * side / 2, qubits)
}

fn rotated(d: usize) -> (usize, Vec<[Vec<usize>; 2]>) {
    let mut qubits = vec![[Vec::new(), Vec::new()]; d * d];
    let mut n = 0;
    for (i, j) in (0..=d).flat_map(|i| (0..=d).map(move |j| (i, j))) {
        let rows: Vec<usize> = [i.wrapping_sub(1), i].into_iter().filter(|&a| a < d).collect();
        let columns: Vec<usize> = [j.wrapping_sub(1), j].into_iter().filter(|&b| b < d).collect();
        let odd = (i + j) % 2;
        if rows.len() + columns.len() == 4
            || (rows.len() == 1 && columns.len() == 2 && odd == 1)
            || (rows.len() == 2 && columns.len() == 1 && odd == 0)
        {
            for &a in &rows {
                for &b in &columns {
                    qubits[a * d + b][odd].push(n);
                }
            }
            n += 1;
        }
    }
    (n, qubits)
}

/// Three couplings a qubit with signs of an error rate p.
fn coset((n, qubits): (usize, Vec<[Vec<usize>; 2]>), bias: f64, seed: u64) -> InteractionModel {
    let mut rng = Streams::new(seed).stream(0);
    let mut terms = Vec::new();
    for [x, z] in qubits {
        let both = x.iter().chain(&z).copied().collect();
        for (sites, k) in [(x, 0.7), (z, 0.7 * bias), (both, 0.7)] {
            terms.push((sites, if rng.random::<f64>() < 0.15 { -k } else { k }));
        }
    }
    InteractionModel::builder(n).terms(terms).duplicates(Duplicates::Keep).build().unwrap()
}

#[test]
fn small_surface_codes_are_exact() {
    for (k, code) in [unrotated(3), rotated(3), unrotated(5), rotated(5), rotated(6)].into_iter().enumerate() {
        for bias in [1.0, 0.2] {
            let model = coset(code.clone(), bias, k as u64);
            let exact = TransferMatrix::default().ln_z(&model, 1.0).unwrap().value;
            let report = BoundaryMps::new(128).contract_interactions(&model, 1.0, &mut ()).unwrap();
            assert_abs_diff_eq!(report.ln_z.value, exact, epsilon = 1e-10);
            assert_eq!(report.ln_z.kind, Kind::Exact, "{report:?}");
        }
    }
}

/// With few states the error is of second order: far below what the plain overlap has.
#[test]
fn errors_converge_in_chi() {
    let model = coset(unrotated(7), 1.0, 3);
    let exact = TransferMatrix::default().ln_z(&model, 1.0).unwrap().value;
    for (chi, bound) in [(4, 0.3), (8, 1e-3), (16, 1e-7), (32, 1e-10)] {
        let report = BoundaryMps::new(chi).contract_interactions(&model, 1.0, &mut ()).unwrap();
        let error = (report.ln_z.value - exact).abs();
        assert!(error < bound, "chi = {chi}: error {error:e}, {report:?}");
        assert!(error <= 10.0 * report.difference.unwrap() + 1e-12, "{report:?}");
        assert!(report.bond_dimension <= chi);
        if chi < 32 {
            assert!(matches!(report.ln_z.kind, Kind::Approximation { converged: true, residual } if residual > 1e-14));
        }
    }
}

/// Any graph that lies in the plane, in any numbering: a honeycomb-like lattice with fields, three-spin terms, a tree,
/// parts that are not connected, spins without terms.
#[test]
fn other_models_agree_with_enumeration() {
    let mut rng = Streams::new(8).stream(0);
    let mut models = Vec::new();
    // Triangles of a strip, and two fields.
    let triangles = (0..16).map(|i| (vec![i, i + 1, i + 2], rng.random_range(-1.0..1.0)));
    let builder = InteractionModel::builder(18).terms(triangles.collect::<Vec<_>>());
    models.push(builder.term(&[3], 0.4).term(&[9], -0.8).term(&[], 0.3).offset(0.7).build().unwrap());
    // A ring and a star, with numbers mixed, and two spins alone.
    let ring = (0..7).map(|i| (vec![2 * i, 2 * ((i + 1) % 7)], rng.random_range(-1.0..1.0)));
    let builder = InteractionModel::builder(18).terms(ring.collect::<Vec<_>>());
    let star = (0..5).map(|i| (vec![13, 2 * i + 1], rng.random_range(-1.0..1.0)));
    models.push(builder.terms(star.collect::<Vec<_>>()).term(&[15], 0.6).build().unwrap());
    // One term, and none.
    models.push(InteractionModel::builder(5).term(&[0, 1, 2, 3, 4], -0.9).build().unwrap());
    models.push(InteractionModel::builder(3).build().unwrap());
    for model in models {
        for beta in [0.0, 0.4, 1.3] {
            let exact = Enumeration::default().ln_z(&model, beta).unwrap().value;
            let ours = BoundaryMps::new(16).ln_z(&model, beta).unwrap();
            assert_abs_diff_eq!(ours.value, exact, epsilon = 1e-11);
        }
    }
}

/// Signs, weights, and signs again: what is kept from call to call is what a new plan finds.
#[test]
fn plans_follow_signs_and_weights() {
    let mut model = coset(unrotated(4), 1.0, 5);
    let mut plan = BoundaryMps::new(64).prepare(&model).unwrap();
    let n = plan.n_interactions();
    let mut rng = Streams::new(6).stream(0);
    for round in 0..12 {
        let mut flips = BitVec::zeros(n);
        // Few flips leave boundaries as they were.
        (0..round % 4).for_each(|_| flips.flip(rng.random_range(0..n)));
        let terms = model.terms().enumerate();
        let flipped = terms
            .map(|(a, (sites, w))| (sites.iter().map(|&s| s as usize).collect(), if flips.get(a) { -w } else { w }));
        let flipped = InteractionModel::builder(24)
            .terms(flipped.collect::<Vec<_>>())
            .duplicates(Duplicates::Keep)
            .build()
            .unwrap();
        let exact = TransferMatrix::default().ln_z(&flipped, 0.9).unwrap().value;
        assert_abs_diff_eq!(plan.ln_z_signed(&flips, 0.9).unwrap().value, exact, epsilon = 1e-10);
        if round % 5 == 4 {
            let weights: Vec<f64> = (0..n).map(|_| rng.random_range(-1.0..1.0)).collect();
            plan.set_weights(&weights).unwrap();
            let terms = model.terms().zip(&weights);
            let terms: Vec<(Vec<usize>, f64)> =
                terms.map(|((sites, _), &w)| (sites.iter().map(|&s| s as usize).collect(), w)).collect();
            model = InteractionModel::builder(24).terms(terms).duplicates(Duplicates::Keep).build().unwrap();
        }
    }
    assert!(matches!(plan.set_weights(&[0.0; 3]), Err(Error::WrongLength { got: 3, .. })));
}

#[test]
fn given_places_are_used() {
    let model = coset(unrotated(4), 1.0, 5);
    let places: Vec<[f64; 2]> = (0..49).filter(|k| k % 2 == 1).map(|k| [(k % 7) as f64, (k / 7) as f64]).collect();
    let exact = TransferMatrix::default().ln_z(&model, 1.0).unwrap().value;
    let mut plan = BoundaryMps::new(64).prepare_in_plane(&model, &places).unwrap();
    let none = BitVec::zeros(plan.n_interactions());
    assert_abs_diff_eq!(plan.ln_z_signed(&none, 1.0).unwrap().value, exact, epsilon = 1e-10);
    let solver = BoundaryMps::new(4);
    assert!(matches!(
        solver.prepare_in_plane(&model, &places[1..]),
        Err(Error::WrongLength { got: 23, expected: 24, .. })
    ));
    let mut wrong = places;
    wrong[7][1] = f64::NAN;
    assert!(matches!(solver.prepare_in_plane(&model, &wrong), Err(Error::NotFinite { entry: 7, .. })));
}

#[test]
fn bad_input_is_refused() {
    let model = coset(unrotated(3), 1.0, 1);
    let solver = BoundaryMps::new(4);
    for beta in [f64::NAN, f64::INFINITY, -1.0] {
        assert!(matches!(solver.ln_z(&model, beta), Err(Error::Beta { .. })));
    }
    assert!(matches!(solver.ln_z(&model, 1e308), Err(Error::Parameter { .. })));
    // Every pair of 40 spins: no plane.
    let pairs: Vec<(Vec<usize>, f64)> = (0..40).flat_map(|i| (0..i).map(move |j| (vec![j, i], 0.1))).collect();
    let dense = InteractionModel::builder(40).terms(pairs).build().unwrap();
    assert!(matches!(solver.ln_z(&dense, 1.0), Err(Error::NotApplicable { .. })));
    let mut stop = |event: &Progress| if event.done < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
    let stopped = solver.ln_z_observed(&model, 1.0, &mut stop);
    assert!(matches!(stopped, Err(Error::Stopped { done: 3, .. })), "{stopped:?}");
}

/// So cold that unlikely signs leave nothing: a number comes back, and says what it is.
#[test]
fn cold_models_are_right_or_say_so() {
    let model = coset(unrotated(5), 1.0, 2);
    let mut colder = 0;
    for beta in [2.0, 5.0, 20.0, 100.0] {
        let exact = TransferMatrix::default().ln_z(&model, beta).unwrap().value;
        let ours = BoundaryMps::new(64).ln_z(&model, beta).unwrap();
        match ours.kind {
            Kind::Approximation { converged: false, .. } => assert!(ours.value.is_finite()),
            Kind::Approximation { residual, .. } => {
                assert_abs_diff_eq!(ours.value, exact, epsilon = 1e-9 * exact.abs() + 10.0 * residual)
            }
            _ => assert_abs_diff_eq!(ours.value, exact, epsilon = 1e-9 * exact.abs()),
        }
        colder += u32::from(matches!(ours.kind, Kind::Approximation { converged: false, .. }));
    }
    // Signs of errors cannot be satisfied: some beta has to leave nothing.
    assert!(colder > 0);
}
