use super::*;
use crate::partition::exact_ln_z;
use crate::train::Schedule;
use crate::units::{Bernoulli, Gaussian, Potts, Relu, Spin};
use linalg_core::checkpoint::Checkpoint;
use linalg_core::logspace::log_sum_exp;

fn bits(state: usize, n: usize) -> Vec<f64> {
    (0..n).map(|k| (state >> k & 1) as f64).collect()
}

/// Rows of four bits: pairs that are mostly equal, five times as often as not.
fn data() -> Vec<f64> {
    let mut rows = Vec::new();
    for state in 0..16usize {
        let copies =
            (1 + 4 * usize::from(state & 1 == state >> 1 & 1)) * (1 + 4 * usize::from(state >> 2 & 1 == state >> 3));
        (0..copies).for_each(|_| rows.extend(bits(state, 4)));
    }
    rows
}

fn start(scale: f64) -> Rbm<Bernoulli, Bernoulli> {
    Rbm::random(Bernoulli, Bernoulli, 4, 4, scale, &mut Streams::new(1).stream(0)).unwrap()
}

fn likelihood<V: Unit, H: Unit>(rbm: &Rbm<V, H>, data: &[f64]) -> f64 {
    let rows = data.chunks_exact(rbm.visible_len());
    let n = rows.len() as f64;
    rows.map(|v| -rbm.free_energy(v, 1.0)).sum::<f64>() / n - exact_ln_z(rbm, 1.0).unwrap()
}

fn train(data: &[f64], params: DenseParams) -> Rbm<Bernoulli, Bernoulli> {
    let mut trainer = DenseTrainer::new(start(0.3), data, params, Streams::new(2)).unwrap();
    trainer.run().unwrap();
    trainer.into_machine()
}

/// One update of every method moves the parameters along the exact gradient, up to noise or the error of the expansion.
#[test]
fn first_updates_follow_the_exact_gradient() {
    let data = data();
    let update = |method: DenseMethod| {
        let params = DenseParams::default().method(method).learning_rate(1.0, Schedule::Constant).chains(20_000);
        let mut trainer =
            DenseTrainer::new(start(0.3), &data, params.centring(Centring::None), Streams::new(3)).unwrap();
        // The chains come to the law of the machine before the update that is looked at.
        let machine = trainer.machine.clone();
        trainer.params.learning_rate = 0.0;
        trainer.advance(10).unwrap();
        trainer.params.learning_rate = 1.0;
        trainer.advance(1).unwrap();
        let moved = trainer.machine();
        let difference = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>();
        [
            difference(moved.weights(), machine.weights()),
            difference(moved.visible_bias(), machine.visible_bias()),
            difference(moved.hidden_bias(), machine.hidden_bias()),
        ]
        .concat()
    };
    let exact = update(DenseMethod::Exact);
    assert!(exact.iter().any(|g| g.abs() > 0.05));
    let largest =
        |method: DenseMethod| update(method).iter().zip(&exact).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    // 20 000 chains: a mean of numbers in 0 .. 1 has a standard deviation below 0.0036; 24 of them, 4.5 of it.
    let sampled = [
        DenseMethod::Persistent { sweeps: 1 },
        DenseMethod::ParallelTempering { betas: vec![0.5, 1.0] },
        DenseMethod::TrajectoryTempering { rate: 0.25 },
    ];
    for method in sampled {
        assert!(largest(method.clone()) < 0.016, "{method:?}");
    }
    // Couplings of 0.3: errors fall from order to order.
    let errors = [1, 2, 3].map(|order| largest(DenseMethod::MeanField { order, iterations: 1000 }));
    assert!(errors[0] < 0.05 && errors[1] < 0.003 && errors[2] < 0.001, "{errors:?}");
    assert!(errors[1] < errors[0], "{errors:?}");
}

#[test]
fn all_methods_come_near_the_exact_one() {
    let data = data();
    let params = || DenseParams::default().learning_rate(0.2, Schedule::Linear { end: 0.0 }).updates(1500);
    let best = likelihood(&train(&data, params()), &data);
    assert!(best > likelihood(&start(0.3), &data) + 0.3);
    let methods = [
        (DenseMethod::TrajectoryTempering { rate: 0.4 }, 0.02),
        (DenseMethod::MeanField { order: 2, iterations: 50 }, 0.1),
        (DenseMethod::MeanField { order: 3, iterations: 50 }, 0.1),
    ];
    for (method, gap) in methods {
        let found = likelihood(&train(&data, params().method(method.clone())), &data);
        assert!(found > best - gap && found < best + 0.01, "{method:?} {found} {best}");
    }
    let adam = params().stepper(Stepper::Adam).learning_rate(0.02, Schedule::Constant);
    assert!((likelihood(&train(&data, adam), &data) - best).abs() < 0.01);
}

#[test]
fn ladders_of_machines_grow_while_they_learn() {
    let data = data();
    let params = DenseParams::default()
        .method(DenseMethod::TrajectoryTempering { rate: 0.9 })
        .learning_rate(0.2, Schedule::Constant)
        .updates(1500);
    let mut trainer = DenseTrainer::new(start(0.1), &data, params, Streams::new(5)).unwrap();
    trainer.run().unwrap();
    assert!(trainer.trajectory().unwrap().machines().len() > 2);
}

/// A thousand exchanges of a machine with its own copy are all accepted; once it has moved far away, the next few hundred decide.
#[test]
fn ladders_grow_by_what_was_accepted_of_late() {
    let data = data();
    let params = DenseParams::default()
        .method(DenseMethod::TrajectoryTempering { rate: 0.5 })
        .learning_rate(0.0, Schedule::Constant)
        .chains(100);
    let mut trainer = DenseTrainer::new(start(0.1), &data, params, Streams::new(10)).unwrap();
    trainer.advance(20).unwrap();
    assert_eq!(trainer.trajectory().unwrap().machines().len(), 2);
    trainer.machine.parameters_mut().1.fill(20.0);
    trainer.advance(8).unwrap();
    assert_eq!(trainer.trajectory().unwrap().machines().len(), 3);
}

/// At the optimum of the exact gradient with decay, the likelihood's gradient by every weight is `l1 sign w` or `l2 w`.
#[test]
fn decays_balance_the_gradient() {
    let data = data();
    let params = || {
        DenseParams::default().learning_rate(0.3, Schedule::Linear { end: 0.0 }).updates(8000).centring(Centring::None)
    };
    let plain = train(&data, params());
    let gradient =
        |rbm: &Rbm<Bernoulli, Bernoulli>| rbm.statistics(&data, 1.0).minus(&exact(rbm, 1.0).unwrap().statistics);
    let l2 = train(&data, params().momentum(0.0, 0.02));
    for (g, w) in gradient(&l2).weights.iter().zip(l2.weights()) {
        assert!((g - 0.02 * w).abs() < 2e-4, "{g} {w}");
    }
    let l1 = train(&data, params().l1(0.01));
    for (g, w) in gradient(&l1).weights.iter().zip(l1.weights()) {
        // Weights that the decay holds at zero need less than all of it.
        let held = w.abs() < 0.01 && g.abs() < 0.012;
        assert!(held || (g - 0.01 * w.signum()).abs() < 1e-3, "{g} {w}");
    }
    let norm = |rbm: &Rbm<Bernoulli, Bernoulli>| rbm.weights().iter().map(|w| w.abs()).sum::<f64>();
    assert!(norm(&l1) < norm(&plain) && norm(&l2) < norm(&plain));
    // A strong pull brings the hidden means to their target.
    let sparse = train(&data, params().sparsity(0.1, 5.0));
    for mean in sparse.statistics(&data, 1.0).hidden {
        assert!((mean - 0.1).abs() < 0.03, "{mean}");
    }
}

/// Missing units, drawn many times, have the conditional law: their means against enumeration.
#[test]
fn missing_units_are_drawn_from_their_conditional_law() {
    let rbm = start(1.5);
    let nan = f64::NAN;
    let observed = [1.0, nan, 0.0, nan];
    let mut weights = Vec::new();
    for state in 0..4usize {
        let v = [1.0, (state & 1) as f64, 0.0, (state >> 1) as f64];
        weights.push(-rbm.free_energy(&v, 1.0));
    }
    let total = log_sum_exp(&weights);
    let exact = [1, 2].map(|bit| (0..4).filter(|s| s & bit != 0).map(|s| (weights[s] - total).exp()).sum::<f64>());
    let mut rng = Streams::new(6).fast_stream(0);
    let mut means = [0.0; 2];
    for _ in 0..20_000 {
        let mut row = observed;
        fill_missing(&rbm, &mut row, 20, &mut rng);
        assert!((row[0] - 1.0).abs() < 1e-12 && row[2].abs() < 1e-12);
        means[0] += row[1] / 20_000.0;
        means[1] += row[3] / 20_000.0;
    }
    // Standard deviation of a mean: at most 0.0036.
    assert!(means.iter().zip(exact).all(|(a, b)| (a - b).abs() < 0.016), "{means:?} {exact:?}");
    // Other units: whole Potts units, and Gaussian ones.
    let potts = Rbm::random(Potts::new(3).unwrap(), Spin, 2, 2, 0.5, &mut rng).unwrap();
    let mut row = [nan, nan, nan, 0.0, 1.0, 0.0];
    fill_missing(&potts, &mut row, 3, &mut rng);
    assert!(potts.check_data(&row).is_ok());
    let gaussian = Rbm::random(Gaussian::unit_variance(2), Spin, 2, 2, 0.5, &mut rng).unwrap();
    let mut row = [nan, 0.25];
    fill_missing(&gaussian, &mut row, 3, &mut rng);
    assert!(row[0].is_finite() && (row[1] - 0.25).abs() < 1e-12);
}

/// A third of the units missing at random: what is learned from the rest is near what is learned from all.
#[test]
fn machines_learn_from_incomplete_rows() {
    let whole = data();
    let mut rng = Streams::new(7).fast_stream(0);
    let holes: Vec<f64> = whole.iter().map(|&x| if rng.random_range(0..3u64) == 0 { f64::NAN } else { x }).collect();
    let params = || DenseParams::default().learning_rate(0.2, Schedule::Linear { end: 0.0 }).updates(1500).missing(2);
    let found = likelihood(&train(&holes, params()), &whole);
    let best = likelihood(&train(&whole, params()), &whole);
    let independent = -4.0 * 2f64.ln();
    assert!(best > independent + 0.25 && found > independent + 0.6 * (best - independent), "{found} {best}");
    let refused = DenseTrainer::new(start(0.3), &holes, DenseParams::default(), Streams::new(1));
    assert!(refused.is_err_and(|error| error.to_string().contains("is NaN, expected 0 or 1")));
}

/// Every method, killed after 25 updates and gone on with from bytes: the same machine, bit by bit.
#[test]
fn a_run_goes_on_bit_by_bit() {
    let data = data();
    let methods = [
        DenseMethod::Exact,
        DenseMethod::ContrastiveDivergence { sweeps: 2 },
        DenseMethod::Persistent { sweeps: 1 },
        DenseMethod::ParallelTempering { betas: vec![0.3, 0.7, 1.0] },
        DenseMethod::TrajectoryTempering { rate: 0.9 },
        DenseMethod::MeanField { order: 2, iterations: 5 },
    ];
    for method in methods {
        for stepper in [Stepper::Gradient, Stepper::Adam] {
            let params = DenseParams::default()
                .method(method.clone())
                .stepper(stepper)
                .momentum(0.5, 0.01)
                .learning_rate(0.05, Schedule::Exponential { end: 0.1 })
                .batch(20)
                .chains(10)
                .updates(60);
            let new = |seed: u64| DenseTrainer::new(start(0.7), &data, params.clone(), Streams::new(seed)).unwrap();
            let (mut whole, mut first, mut second) = (new(3), new(3), new(3));
            whole.run().unwrap();
            first.advance(25).unwrap();
            let saved = first.checkpoint().to_bytes();
            drop(first);
            second.restore(&Checkpoint::from_bytes(&saved).unwrap()).unwrap();
            assert_eq!(second.updates(), 25);
            second.run().unwrap();
            assert_eq!(whole.machine(), second.machine(), "{method:?} {stepper:?}");
            assert_eq!(whole.checkpoint(), second.checkpoint());
            if let Some(ladder) = whole.trajectory() {
                assert!(ladder.machines().len() > 2);
            }
            // Another run does not take it, and stays what it is.
            let mut other = new(4);
            assert!(other.restore(&Checkpoint::from_bytes(&saved).unwrap()).is_err());
            assert_eq!((other.updates(), other.machine()), (0, &start(0.7)));
        }
    }
}

/// A row of probabilities counts as its draws would on average: the gradient of many draws tends to it.
#[test]
fn probabilities_are_means_of_draws() {
    let data = [0.25, 0.5, 1.0, 0.0];
    // One hidden unit that the data do not move: the mean of its product with a pixel is linear in the row.
    let free = Rbm::new(Bernoulli, Bernoulli, vec![0.0; 4], vec![0.0; 4], vec![0.3]).unwrap();
    let params = || DenseParams::default().learning_rate(1.0, Schedule::Constant).centring(Centring::None).updates(1);
    let mut trainer = DenseTrainer::new(free.clone(), &data, params().probabilities(true), Streams::new(1)).unwrap();
    trainer.run().unwrap();
    let p = linalg_core::logspace::sigmoid(0.3);
    for (k, x) in data.iter().enumerate() {
        assert!((trainer.machine().visible_bias()[k] - (x - 0.5)).abs() < 1e-14);
        assert!((trainer.machine().weights()[k] - p * (x - 0.5)).abs() < 1e-14);
    }
    let refused = |data: &[f64], params| DenseTrainer::new(free.clone(), data, params, Streams::new(1)).err().unwrap();
    assert!(refused(&data, params()).to_string().starts_with("row 0, entry 0 is 0.25, expected 0 or 1"));
    let error = refused(&[0.5, 0.5, 0.5, 1.5], params().probabilities(true)).to_string();
    assert_eq!(error, "row 0, entry 3 is 1.5, expected 0 to 1");
    let spins = Rbm::random(Spin, Bernoulli, 4, 1, 0.1, &mut Streams::new(1).stream(0)).unwrap();
    let error = DenseTrainer::new(spins, &data, params().probabilities(true), Streams::new(1)).err().unwrap();
    assert!(error.to_string().contains("the visible units are not Bernoulli"));
}

#[test]
fn bad_parameters_are_refused() {
    let data = data();
    let message =
        |params: DenseParams| DenseTrainer::new(start(0.1), &data, params, Streams::new(1)).err().unwrap().to_string();
    let method = |method| DenseParams::default().method(method);
    assert!(message(method(DenseMethod::MeanField { order: 4, iterations: 5 })).contains("order is 4"));
    assert!(message(method(DenseMethod::MeanField { order: 2, iterations: 0 })).contains("iterations is 0"));
    assert!(message(method(DenseMethod::TrajectoryTempering { rate: 1.0 })).contains("rate of exchanges is 1"));
    assert!(message(method(DenseMethod::Persistent { sweeps: 0 })).contains("sweeps an update is 0"));
    assert!(message(DenseParams::default().l1(f64::NAN)).contains("l1 decay is NaN"));
    let schedule = |schedule| DenseParams::default().learning_rate(0.1, schedule);
    assert!(message(schedule(Schedule::Linear { end: -1.0 })).contains("end of the learning rate is -1"));
    assert!(message(schedule(Schedule::Exponential { end: f64::NAN })).contains("end of the learning rate is NaN"));
    assert!(message(DenseParams::default().sparsity(f64::INFINITY, 1.0)).contains("target of hidden means is inf"));
    assert!(message(DenseParams::default().missing(0)).contains("sweeps of missing units is 0"));
    let units = Gaussian::unit_variance(4);
    let gaussian = Rbm::random(units, Bernoulli, 4, 2, 0.1, &mut Streams::new(1).stream(0)).unwrap();
    let params = method(DenseMethod::MeanField { order: 2, iterations: 5 });
    let error = DenseTrainer::new(gaussian, &data, params, Streams::new(1)).err().unwrap();
    assert!(error.to_string().contains("TAP does not apply"));
}

/// Rectified units have no bound that holds them: steps that are too large end with an error and the last good machine.
#[test]
fn divergence_is_reported() {
    let mut rng = Streams::new(8).stream(0);
    let data: Vec<f64> = (0..60).map(|k| f64::from(k % 7) - 3.0).collect();
    let units = Gaussian::unit_variance(3);
    let start = Rbm::random(units, Relu::new(1.0, 0.0).unwrap(), 3, 4, 0.1, &mut rng).unwrap();
    for method in [DenseMethod::Persistent { sweeps: 1 }, DenseMethod::ContrastiveDivergence { sweeps: 1 }] {
        let params = DenseParams::default().method(method).learning_rate(30.0, Schedule::Constant).updates(2000);
        let mut trainer = DenseTrainer::new(start.clone(), &data, params, Streams::new(9)).unwrap();
        let error = trainer.run().unwrap_err().to_string();
        assert!(error.starts_with("training diverged in update"), "{error}");
        let machine = trainer.machine();
        assert!(machine.weights().iter().chain(machine.hidden_bias()).all(|x| x.is_finite()));
    }
}

/// Two Gaussian layers: too large couplings are refused at first, and stop a run that comes to them, with the last machine that has a law.
#[test]
fn gaussian_layers_without_a_bound_are_refused() {
    let units = || Gaussian::unit_variance(2);
    let machine = |w: f64| Rbm::new(units(), units(), vec![w, 0.0, 0.0, 0.1], vec![0.0; 2], vec![0.0; 2]).unwrap();
    // Variance 25 along one axis: more than the couplings below the bound give, so that they grow.
    let data = [5.0, 0.0, -5.0, 0.0, 0.0, 1.0, 0.0, -1.0];
    let params = || {
        let method = DenseMethod::ContrastiveDivergence { sweeps: 1 };
        DenseParams::default().method(method).learning_rate(0.05, Schedule::Constant).updates(2000)
    };
    let error = DenseTrainer::new(machine(1.1), &data, params(), Streams::new(1)).err().unwrap();
    assert!(matches!(error, Error::Unbounded { eigenvalue } if (eigenvalue - 1.21).abs() < 1e-12), "{error}");
    let mut trainer = DenseTrainer::new(machine(0.5), &data, params(), Streams::new(1)).unwrap();
    let error = trainer.run().unwrap_err();
    assert!(matches!(error, Error::Unbounded { eigenvalue } if eigenvalue >= 1.0), "{error}");
    assert!(error.to_string().contains("the largest eigenvalue of"));
    assert!(trainer.machine().normalisability().unwrap().unwrap() < 1.0 && trainer.updates() > 0);
}

/// One Gaussian unit without couplings learns the mean and the variance of its data; with a hidden unit, two humps of their own width.
#[test]
fn precisions_are_learned() {
    let data = [1.0, 2.0, 3.0, 6.0];
    let params = || DenseParams::default().learning_rate(0.1, Schedule::Constant).precision_rate(0.3).updates(3000);
    let free = Rbm::new(Gaussian::unit_variance(1), Bernoulli, vec![0.0], vec![0.0], vec![0.0]).unwrap();
    let mut trainer = DenseTrainer::new(free, &data, params().centring(Centring::None), Streams::new(1)).unwrap();
    trainer.advance(1).unwrap();
    // ⟨v²/2⟩ is 6.25 in the data and 1/2 in the model, γ = 1.
    let first = trainer.machine().visible().precisions()[0];
    assert!((first.ln() - 0.1 * 0.3 * (0.5 - 6.25)).abs() < 1e-12, "{first}");

    // Humps at ±1 with a standard deviation of 1/2: γ near 4. At the optimum ⟨v²⟩ is that of the data.
    let mut rng = Streams::new(5).stream(0);
    let humps: Vec<f64> =
        (0..400).map(|k| f64::from(2 * (k % 2) - 1) + 0.5 * linalg_core::rng::standard_normal(&mut rng)).collect();
    let squares = 0.5 * humps.iter().map(|x| x * x).sum::<f64>() / 400.0;
    let exact = params().learning_rate(0.3, Schedule::Linear { end: 0.0 }).updates(4000).precision_rate(0.3);
    let persistent = exact.clone().method(DenseMethod::Persistent { sweeps: 3 }).chains(1000).updates(1500);
    for (params, bound) in [(exact, 1e-4), (persistent, 0.03)] {
        let begin = Rbm::new(Gaussian::unit_variance(1), Spin, vec![0.7], vec![0.0], vec![0.0]).unwrap();
        let new = || DenseTrainer::new(begin.clone(), &humps, params.clone(), Streams::new(2)).unwrap();
        let mut trainer = new();
        trainer.advance(7).unwrap();
        let mut again = new();
        again.restore(&trainer.checkpoint()).unwrap();
        assert_eq!(again.machine(), trainer.machine());
        trainer.run().unwrap();
        let gamma = trainer.machine().visible().precisions()[0];
        let model = exact_precisions(trainer.machine(), 1.0).unwrap()[0];
        assert!((model / squares - 1.0).abs() < bound && (gamma - 4.0).abs() < 1.0, "{gamma} {model} {squares}");
    }
}

#[test]
fn precisions_that_cannot_be_learned_are_refused() {
    let data = data();
    let params = DenseParams::default().precision_rate(0.1);
    let error = DenseTrainer::new(start(0.3), &data, params.clone(), Streams::new(1)).unwrap_err().to_string();
    assert!(error.contains("the visible units have none"), "{error}");
    let gaussian = Rbm::random(Gaussian::unit_variance(4), Spin, 4, 2, 0.1, &mut Streams::new(1).stream(0)).unwrap();
    let ladder = params.clone().method(DenseMethod::TrajectoryTempering { rate: 0.25 });
    assert!(DenseTrainer::new(gaussian.clone(), &data, ladder, Streams::new(1)).is_err());
    assert!(DenseTrainer::new(gaussian, &data, params.precision_rate(f64::NAN), Streams::new(1)).is_err());
}

/// The enhanced gradient moves the weights by the difference of the covariances; and it learns what the others learn.
#[test]
fn enhanced_gradients_follow_covariances() {
    let data = data();
    let machine = start(0.3);
    let (of_data, of_model) = (machine.statistics(&data, 1.0), exact(&machine, 1.0).unwrap().statistics);
    let covariance = |s: &Statistics, j: usize, k: usize| s.weights[4 * j + k] - s.hidden[j] * s.visible[k];
    let gradient = of_data.enhanced(&of_model);
    for (j, row) in gradient.weights.chunks(4).enumerate() {
        for (k, g) in row.iter().enumerate() {
            assert!((g - covariance(&of_data, j, k) + covariance(&of_model, j, k)).abs() < 1e-14);
        }
    }
    let params =
        |centring| DenseParams::default().learning_rate(0.3, Schedule::Constant).updates(3000).centring(centring);
    let enhanced = likelihood(&train(&data, params(Centring::Enhanced)), &data);
    let centred = likelihood(&train(&data, params(Centring::Data)), &data);
    assert!((enhanced - centred).abs() < 0.02 && enhanced > -4.0 * 2f64.ln() + 0.3, "{enhanced} {centred}");
}

/// A row of weight 3 is three rows: the same machine to rounding, by the exact gradient; and with batches the same law in the mean.
#[test]
fn a_row_counts_as_often_as_its_weight() {
    let few = [0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0];
    let repeats = [3.0, 1.0, 2.0];
    let repeated: Vec<f64> = (few.chunks_exact(3).zip(repeats))
        .flat_map(|(row, count)| (0..count as usize).flat_map(move |_| row.iter().copied()))
        .collect();
    let start = || Rbm::random(Bernoulli, Bernoulli, 3, 2, 0.5, &mut Streams::new(4).stream(0)).unwrap();
    for centring in [Centring::None, Centring::Data, Centring::Enhanced] {
        let params = DenseParams::default().centring(centring).learning_rate(0.5, Schedule::Constant).updates(50);
        let weights = RowWeights::new(&repeats).unwrap();
        let new = |data, weights: Option<RowWeights>| {
            let trainer = DenseTrainer::new(start(), data, params.clone(), Streams::new(1)).unwrap();
            if let Some(weights) = weights { trainer.with_row_weights(weights).unwrap() } else { trainer }
        };
        let (mut weighted, mut plain) = (new(&few[..], Some(weights.clone())), new(&repeated[..], None));
        weighted.run().unwrap();
        plain.run().unwrap();
        for (a, b) in weighted.machine().weights().iter().zip(plain.machine().weights()) {
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
        // A checkpoint of other weights, or of none, is of another run.
        assert!(new(&few[..], None).restore(&weighted.checkpoint()).is_err());
        new(&few[..], Some(weights)).restore(&weighted.checkpoint()).unwrap();
        let wrong = RowWeights::new(&[1.0; 4]).unwrap();
        let error = new(&few[..], None).with_row_weights(wrong).unwrap_err().to_string();
        assert_eq!(error, "row weights: 4 values, expected 3");
    }
    // Contrastive divergence of all rows, and batches drawn by the weights: at the optimum of one free unit the mean is that of the law.
    let one = [0.0, 1.0];
    for batch in [None, Some(2)] {
        let mut params = DenseParams::default()
            .method(DenseMethod::ContrastiveDivergence { sweeps: 1 })
            .learning_rate(0.05, Schedule::Linear { end: 0.0 })
            .updates(20_000);
        params.batch = batch;
        let machine = Rbm::new(Bernoulli, Bernoulli, vec![0.0], vec![0.0], vec![0.0]).unwrap();
        let mut trainer = DenseTrainer::new(machine, &one, params, Streams::new(2)).unwrap();
        trainer = trainer.with_row_weights(RowWeights::new(&[1.0, 3.0]).unwrap()).unwrap();
        trainer.run().unwrap();
        let mean = exact(trainer.machine(), 1.0).unwrap().statistics.visible[0];
        // The rate falls to 0 over 20 000 updates: what is left of the noise is below 0.02.
        assert!((mean - 0.75).abs() < 0.04, "{batch:?}: {mean}");
    }
}
