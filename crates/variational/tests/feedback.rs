//! Feedback-set reduction against enumeration of the whole model.

mod common;

use approx::{assert_abs_diff_eq, assert_relative_eq};
use common::{configurations, stir, table};
use linalg_core::Streams;
use linalg_core::stats::Estimate;
use spin_models::rand::RngExt;
use spin_models::{Boundary, EnergyModel, Enumeration, Ising, LogPartition, Quantities, Solve, TransferMatrix};
use variational::autoregressive::{Made, MadeParams, Symmetric};
use variational::van::{Annealing, Trainer, TrainerParams, importance};
use variational::{Completed, Error, FeedbackReduction, Normalized};

/// A torus of 3 x 4 with random couplings and fields, and a loose end.
fn model(seed: u64) -> Ising {
    let torus = Ising::square(3, Boundary::Periodic, 1.0).unwrap();
    let mut rng = Streams::new(seed).stream(0);
    let mut uniform = || 2.0 * rng.random::<f64>() - 1.0;
    let couplings: Vec<_> = torus.couplings().map(|(i, j, _)| (i, j, uniform())).chain([(4, 9, 0.7)]).collect();
    let fields: Vec<f64> = (0..11).map(|_| uniform()).collect();
    Ising::builder(11).couplings(couplings).fields(fields).offset(0.5).build().unwrap()
}

#[test]
fn the_reduced_model_has_the_partition_function() {
    for seed in 0..5 {
        let model = model(seed);
        for beta in [0.3, 1.0, 30.0] {
            let exact = Enumeration::default().ln_z(&model, beta).unwrap().value;
            let greedy = FeedbackReduction::greedy_set(&model);
            assert!(greedy.len() <= 5, "{greedy:?}");
            // The greedy set, one in another order with more spins, and all.
            for set in [greedy, vec![8, 2, 0, 4, 6, 1, 10], (0..11).collect()] {
                let reduced = FeedbackReduction::new(&model, beta, &set).unwrap();
                let n = set.len();
                let energies: Vec<f64> = configurations(n).chunks_exact(n).map(|s| -beta * reduced.energy(s)).collect();
                assert_relative_eq!(linalg_core::logspace::log_sum_exp(&energies), exact, max_relative = 1e-12);
            }
        }
    }
}

#[test]
fn completed_distributions_are_normalised_and_exact_where_the_rest_is() {
    let (model, beta) = (model(3), 0.8);
    let set = FeedbackReduction::greedy_set(&model);
    let reduced = FeedbackReduction::new(&model, beta, &set).unwrap();
    let network = stir(Made::<f64>::new(set.len(), MadeParams::default()).unwrap(), 2);
    let completed = Completed::new(&reduced, network.clone()).unwrap();
    let q = table(&completed);
    assert_abs_diff_eq!(q.iter().sum::<f64>(), 1.0, epsilon = 1e-12);
    // βE + ln q depends on the spins of the set alone: the others are exact.
    for (row, q) in configurations(11).chunks_exact(11).zip(&q) {
        let kept: Vec<i8> = set.iter().map(|&i| row[i]).collect();
        let expected = beta * reduced.energy(&kept) + network.ln_prob(&kept);
        assert_abs_diff_eq!(beta * model.energy(row) + q.ln(), expected, epsilon = 1e-10);
        assert_abs_diff_eq!(completed.ln_prob(row), q.ln(), epsilon = 1e-12);
    }
    let exact = Enumeration::default().solve(&model, beta, Quantities::all(), &mut ()).unwrap();
    let last = |s: &[i8]| f64::from(s[10]);
    let estimate = importance(&completed, &model, beta, 40_000, Streams::new(4), 1, &[&last], &mut ()).unwrap();
    // Seed 4, 40 000 samples, 4 standard errors.
    let near = |a: Estimate, b: f64| assert!(a.z_score(&Estimate::exact(b)).abs() < 4.0, "{a} against {b}");
    near(estimate.ln_z, exact.ln_z.unwrap().value);
    near(estimate.energy, exact.energy.unwrap().value);
    near(estimate.observables[0], exact.magnetizations.unwrap()[10].value);
}

#[test]
fn a_network_on_the_set_does_better_than_one_on_all_spins() {
    // Couplings ±1 on a torus, at a temperature where one layer has to learn.
    let beta = 1.0;
    let mut rng = Streams::new(8).stream(0);
    let plain = Ising::square(6, Boundary::Periodic, 1.0).unwrap();
    let signs: Vec<_> = plain.couplings().map(|(i, j, _)| (i, j, if rng.random() { 1.0 } else { -1.0 })).collect();
    let torus = Ising::builder(36).couplings(signs).build().unwrap();
    let set = FeedbackReduction::greedy_set(&torus);
    assert!(set.len() <= 16, "{}", set.len());
    let reduced = FeedbackReduction::new(&torus, beta, &set).unwrap();
    let exact = TransferMatrix::default().ln_z(&torus, beta).unwrap().value;
    let params = TrainerParams::default().batch(500).learning_rate(0.01).threads(2);
    let schedule = Annealing::Exponential { beta, rate: 0.97 };
    fn gap<M: EnergyModel + Sync>(
        model: &M,
        exact: f64,
        beta: f64,
        params: TrainerParams,
        schedule: Annealing,
    ) -> (f64, f64) {
        let network = Symmetric::new(Made::<f32>::new(model.n_spins(), MadeParams::default()).unwrap());
        let mut trainer = Trainer::new(model, network, params).unwrap();
        trainer.train(schedule, 250, &mut ()).unwrap();
        let estimate = importance(trainer.network(), model, beta, 20_000, Streams::new(5), 2, &[], &mut ()).unwrap();
        assert!(estimate.ln_z.z_score(&Estimate::exact(exact)).abs() < 4.0, "{} against {exact}", estimate.ln_z);
        (exact - estimate.ln_z_variational.value, estimate.ess)
    }
    let all = gap(&torus, exact, beta, params, schedule);
    let kept = gap(&reduced, exact, beta, params, schedule);
    println!("6 x 6 torus: gaps {all:?} on 36 spins, {kept:?} on {}", set.len());
    assert!(kept.0 < 0.7 * all.0 && kept.1 > all.1, "{all:?} {kept:?}");
}

#[test]
fn bad_sets_are_named() {
    let ring = Ising::ring(4, 1.0).unwrap();
    let refuse = |beta, set: &[usize]| FeedbackReduction::new(&ring, beta, set).unwrap_err().to_string();
    assert_eq!(refuse(1.0, &[]), "feedback set is empty, expected at least one spin");
    assert_eq!(refuse(1.0, &[1, 1]), "feedback set is spin 1 at place 1, expected distinct spins of the model");
    assert_eq!(refuse(1.0, &[4]), "feedback set is spin 4 at place 0, expected distinct spins of the model");
    assert_eq!(refuse(0.0, &[0]), "beta is 0, expected a number above 0");
    assert!(refuse(f64::NAN, &[0]).starts_with("beta is NaN"));
    let two = Ising::builder(6)
        .couplings([(0, 1, 1.0), (1, 2, 1.0), (2, 0, 1.0), (3, 4, 1.0), (4, 5, 1.0), (5, 3, 1.0)])
        .build()
        .unwrap();
    assert!(matches!(FeedbackReduction::new(&two, 1.0, &[0]), Err(Error::NotApplicable { .. })));
    assert_eq!(FeedbackReduction::greedy_set(&two).len(), 2);
    assert_eq!(FeedbackReduction::greedy_set(&Ising::builder(3).build().unwrap()), [0; 0]);
    let reduced = FeedbackReduction::new(&ring, 1.0, &[0]).unwrap();
    let wrong = Completed::new(&reduced, Made::<f64>::new(2, MadeParams::default()).unwrap());
    assert!(matches!(wrong, Err(Error::WrongLength { got: 2, expected: 1, .. })));
    assert_ne!(reduced.content_hash(), FeedbackReduction::new(&ring, 1.1, &[0]).unwrap().content_hash());
}
