//! The fast update against the definition of the gradient, and the law of the chains.

use super::*;
use crate::Rbm;
use crate::Statistics;
use crate::partition::Tap;
use crate::train::Schedule;
use crate::units::Bernoulli;
use linalg_core::checkpoint::Checkpoint;
use linalg_core::logspace::log_sum_exp;
use linalg_core::optim::{Adam, AdamParams};
use linalg_core::rng::standard_normal;

fn random_data(rows: usize, columns: usize, seed: u64) -> BitRows {
    let mut rng = Streams::new(seed).stream(0);
    let bytes: Vec<u8> = (0..rows * columns).map(|_| u8::from(rng.random_range(0..3u64) == 0)).collect();
    BitRows::from_bytes(&bytes, columns).unwrap()
}

fn random_machine(nv: usize, nh: usize, scale: f64) -> Rbm<Bernoulli, Bernoulli> {
    let mut rng = Streams::new(17).stream(0);
    let mut normals = |n: usize| (0..n).map(|_| scale * standard_normal(&mut rng)).collect::<Vec<_>>();
    let (w, a, b) = (normals(nv * nh), normals(nv), normals(nh));
    Rbm::new(Bernoulli, Bernoulli, w, a, b).unwrap()
}

fn rows(shards: &[Shard], n: usize) -> Vec<f64> {
    let words: Vec<u64> = shards.iter().flat_map(|s| (0..s.n).flat_map(|c| s.visible(c).to_vec())).collect();
    let rows = BitRows::from_words(words, n);
    rows.to_f64(0..rows.n_rows())
}

fn methods() -> Vec<Method> {
    vec![
        Method::ContrastiveDivergence { sweeps: 2 },
        Method::Persistent { sweeps: 1 },
        Method::FastPersistent { sweeps: 1, decay: 0.9, rate: 0.01 },
        Method::ParallelTempering { betas: vec![0.3, 0.7, 1.0], sweeps: 1 },
        Method::TrajectoryTempering { rate: 0.9999, sweeps: 1 },
    ]
}

/// The gradient that the states of the trainer give at a machine, plain; those of its last update.
fn gradient_of(trainer: &Trainer<'_>, old: &Rbm<Bernoulli, Bernoulli>) -> Statistics {
    let nv = old.n_visible();
    let negative = old.statistics(&rows(&trainer.chains[trainer.first_learning()..], nv), 1.0);
    old.statistics(&rows(&trainer.batch, nv), 1.0).minus(&negative)
}

#[test]
fn an_update_is_a_step_along_the_gradient() {
    let (nv, nh) = (70, 67);
    let data = random_data(90, nv, 1);
    let start = PackedRbm::new(&random_machine(nv, nh, 0.1)).unwrap();
    for method in methods() {
        for centred in [false, true] {
            let params = TrainingParams::default()
                .method(method.clone())
                .schedule(Schedule::Constant)
                .learning_rate(0.1)
                .decay(0.01, 0.002)
                .batch(40)
                .chains(24)
                .centred(centred);
            let mut trainer = Trainer::new(&data, start.clone(), params).unwrap();
            trainer.advance(1).unwrap();
            let old = start.to_rbm().unwrap();
            let new = trainer.machine().to_rbm().unwrap();
            let positive = old.statistics(&rows(&trainer.batch, nv), 1.0);
            let learning = if trainer.first_learning() > 0 {
                // Exchanges move states after the statistics were taken: those of the columns count.
                let mut bytes = Vec::new();
                for shard in &trainer.chains[trainer.first_learning()..] {
                    (0..shard.n).for_each(|c| bytes.extend(shard.columns.iter().map(|bits| (bits >> c & 1) as u8)));
                }
                bytes.into_iter().map(f64::from).collect()
            } else {
                rows(&trainer.chains[trainer.first_learning()..], nv)
            };
            let negative = old.statistics(&learning, 1.0);
            let mut gradient = positive.minus(&negative);
            if centred {
                let c: Vec<f64> = trainer.offsets.iter().map(|&x| f64::from(x)).collect();
                let d: Vec<f64> = trainer.states.iter().flat_map(|s| s.offsets.0).take(nh).map(f64::from).collect();
                gradient = gradient.centred(&c, &d);
                // The offsets moved a hundredth of the way from 1/2 to the mean of the batch.
                assert!((d[3] - (0.5 + 0.01 * (positive.hidden[3] - 0.5))).abs() < 1e-6);
            }
            for k in 0..nv * nh {
                let w = old.weights()[k];
                let expected = w + 0.1 * (gradient.weights[k] - 0.01 * w - 0.002 * w.signum());
                assert!((new.weights()[k] - expected).abs() < 2e-6, "{method:?} {centred} weight {k}");
            }
            for (k, gradient) in gradient.visible.iter().enumerate() {
                let expected = old.visible_bias()[k] + 0.1 * gradient;
                assert!((new.visible_bias()[k] - expected).abs() < 2e-5, "{method:?} {centred} visible bias {k}");
            }
            for (k, gradient) in gradient.hidden.iter().enumerate() {
                let expected = old.hidden_bias()[k] + 0.1 * gradient;
                assert!((new.hidden_bias()[k] - expected).abs() < 2e-5, "{method:?} {centred} hidden bias {k}");
            }
            // Units that fill up the last panels stay what they are.
            assert!(trainer.machine.panels[1].weights.iter().all(|row| row.0[3..].iter().all(|x| x.abs() < 1e-30)));
            assert!(trainer.machine.panels.iter().all(|p| p.weights[nv..].iter().all(|row| *row == Row::ZERO)));
        }
    }
}

/// Points are those of the expansion in `f64`, and the step goes along the difference of data and their averages.
#[test]
fn mean_field_steps_follow_the_expansion() {
    let (nv, nh) = (70, 67);
    let data = random_data(90, nv, 6);
    let rbm = random_machine(nv, nh, 0.1);
    for order in 1..=3 {
        let params = TrainingParams::default()
            .method(Method::MeanField { order, iterations: 7, points: 3 })
            .schedule(Schedule::Constant)
            .learning_rate(0.5)
            .batch(40)
            .centred(false);
        let mut trainer = Trainer::new(&data, PackedRbm::new(&rbm).unwrap(), params).unwrap();
        let old = trainer.machine().to_rbm().unwrap();
        let flat =
            |rows: &[Row], n: usize| -> Vec<f64> { rows.iter().flat_map(|row| row.0).take(n).map(f64::from).collect() };
        let tap = Tap::new(order).unwrap().iteration(0.5, 0.0, 7);
        let mut model = Statistics::zeros(nv, nh);
        let exact: Vec<_> = (trainer.points.iter())
            .map(|point| {
                let report = tap.solve_from(&old, 1.0, &flat(&point.visible, nv), &flat(&point.hidden, nh)).unwrap();
                model.add_scaled(1.0 / 3.0, &tap.statistics(&old, 1.0, &report).unwrap());
                report
            })
            .collect();
        trainer.advance(1).unwrap();
        for (point, exact) in trainer.points.iter().zip(&exact) {
            let found = [flat(&point.visible, nv), flat(&point.hidden, nh)].concat();
            assert!(found.iter().zip(exact.visible.iter().chain(&exact.hidden)).all(|(a, b)| (a - b).abs() < 2e-5));
            // Nothing stands where there is no unit.
            assert!(point.hidden[1].0[3..].iter().chain(&point.visible[1].0[6..]).all(|x| x.abs() < 1e-30));
        }
        let gradient = old.statistics(&rows(&trainer.batch, nv), 1.0).minus(&model);
        let new = trainer.machine().to_rbm().unwrap();
        let lists = [
            (new.weights(), old.weights(), &gradient.weights),
            (new.visible_bias(), old.visible_bias(), &gradient.visible),
            (new.hidden_bias(), old.hidden_bias(), &gradient.hidden),
        ];
        for (new, old, gradient) in lists {
            for ((x, old), g) in new.iter().zip(old).zip(gradient) {
                assert!((x - old - 0.5 * g).abs() < 2e-5, "order {order}: {} {}", x - old, 0.5 * g);
            }
        }
    }
}

/// Steps of Adam on weights and both biases, against the same in `f64`.
#[test]
fn steps_can_be_those_of_adam() {
    let (nv, nh) = (70, 67);
    let data = random_data(90, nv, 7);
    let start = PackedRbm::new(&random_machine(nv, nh, 0.1)).unwrap();
    let params = TrainingParams::default()
        .stepper(Stepper::Adam)
        .schedule(Schedule::Cooldown { from: 0.5, end: 0.0 })
        .learning_rate(0.01)
        .decay(0.05, 0.0)
        .batch(40)
        .chains(24)
        .epochs(3)
        .centred(false);
    let mut trainer = Trainer::new(&data, start, params).unwrap();
    let adam = |n: usize| Adam::new(AdamParams::default(), n).unwrap();
    let mut adams = [adam(nv * nh), adam(nv), adam(nh)];
    let first = trainer.machine().to_rbm().unwrap();
    let mut exact = [first.weights().to_vec(), first.visible_bias().to_vec(), first.hidden_bias().to_vec()];
    for rate in [0.01, 0.01, 0.01, 0.01, 0.01 * 2.0 / 3.0, 0.01 / 3.0] {
        let old = trainer.machine().to_rbm().unwrap();
        assert!((trainer.learning_rate() - rate).abs() < 1e-12);
        trainer.advance(1).unwrap();
        let mut gradient = gradient_of(&trainer, &old);
        gradient.weights.iter_mut().zip(old.weights()).for_each(|(g, w)| *g -= 0.05 * w);
        let lists = [gradient.weights, gradient.visible, gradient.hidden];
        for ((adam, exact), gradient) in adams.iter_mut().zip(&mut exact).zip(lists) {
            let down: Vec<f64> = gradient.iter().map(|g| -g).collect();
            adam.set_learning_rate(rate).unwrap();
            adam.step(exact, &down).unwrap();
        }
    }
    let new = trainer.machine().to_rbm().unwrap();
    let found = [new.weights(), new.visible_bias(), new.hidden_bias()];
    for (found, exact) in found.into_iter().zip(&exact) {
        // Where a gradient is near 0 its rounding decides the first steps: nearly all agree.
        let far = found.iter().zip(exact).filter(|(a, b)| (*a - *b).abs() > 2e-4).count();
        assert!(far * 100 <= found.len(), "{far} of {}", found.len());
    }
}

#[test]
fn threads_and_interruptions_change_nothing() {
    let data = random_data(100, 70, 2);
    let mean_field = Method::MeanField { order: 2, iterations: 4, points: 5 };
    for (k, method) in methods().into_iter().chain([mean_field]).enumerate() {
        let stepper = if k % 2 == 0 { Stepper::Adam } else { Stepper::Gradient };
        let params =
            TrainingParams::default().method(method).stepper(stepper).batch(30).chains(40).momentum(0.5).epochs(4);
        let start = PackedRbm::new(&random_machine(70, 130, 0.1)).unwrap();
        let mut one = Trainer::new(&data, start.clone(), params.clone()).unwrap();
        let mut three = Trainer::new(&data, start.clone(), params.clone().threads(3)).unwrap();
        one.run(&mut ()).unwrap();
        three.advance(5).unwrap();
        let saved = three.checkpoint().to_bytes();
        let mut resumed = Trainer::new(&data, start.clone(), params.clone().threads(2)).unwrap();
        resumed.restore(&Checkpoint::from_bytes(&saved).unwrap()).unwrap();
        assert_eq!(resumed.updates(), 5);
        resumed.run(&mut ()).unwrap();
        three.run(&mut ()).unwrap();
        assert_eq!(one.updates(), 12);
        assert_eq!(one.ladder().len() > 1, matches!(one.params.method, Method::TrajectoryTempering { .. }));
        assert_eq!(one.ladder(), resumed.ladder());
        assert!(one.machine() == three.machine() && one.machine() == resumed.machine());
        assert!(one.machine() != &start);
        assert_eq!(one.checkpoint(), resumed.checkpoint());
        // Another run does not take it, and stays what it is.
        let mut other = Trainer::new(&data, start, params.seed(9)).unwrap();
        assert!(other.restore(&Checkpoint::from_bytes(&saved).unwrap()).is_err());
        assert_eq!(other.updates(), 0);
    }
}

/// Total variation between counts of the visible states and their law.
fn distance(rbm: &Rbm<Bernoulli, Bernoulli>, beta: f64, counts: &[f64]) -> f64 {
    let ln_weights: Vec<f64> = (0..counts.len())
        .map(|state| {
            let v: Vec<f64> = (0..rbm.n_visible()).map(|k| f64::from(u8::from(state >> k & 1 == 1))).collect();
            -beta * rbm.free_energy(&v, beta)
        })
        .collect();
    let (ln_z, total) = (log_sum_exp(&ln_weights), counts.iter().sum::<f64>());
    ln_weights.iter().zip(counts).map(|(w, count)| 0.5 * ((w - ln_z).exp() - count / total).abs()).sum()
}

/// Without learning the chains of an earlier and of the present machine have the law of each.
#[test]
fn chains_along_the_trajectory_have_their_laws() {
    let machines = [random_machine(4, 3, 0.8), random_machine(4, 3, 1.6)];
    let data = random_data(16, 4, 3);
    let params = TrainingParams::default()
        .method(Method::TrajectoryTempering { rate: 0.0, sweeps: 1 })
        .learning_rate(0.0)
        .batch(16)
        .chains(64);
    let mut trainer = Trainer::new(&data, PackedRbm::new(&machines[1]).unwrap(), params).unwrap();
    trainer.ladder[0] = PackedRbm::new(&machines[0]).unwrap();
    trainer.advance(50).unwrap();
    let mut counts = [[0.0; 16]; 2];
    for _ in 0..3200 {
        trainer.advance(1).unwrap();
        for (k, shard) in trainer.chains.iter().enumerate() {
            (0..shard.n).for_each(|c| counts[k / 4][shard.visible(c)[0] as usize] += 1.0);
        }
    }
    for (machine, counts) in machines.iter().zip(&counts) {
        let distance = distance(machine, 1.0, counts);
        assert!(distance < 0.01, "{distance}");
    }
    let [accepted, tried] = trainer.exchanged;
    assert!(accepted > tried / 10 && accepted < tried);
    assert_eq!(trainer.ladder().len(), 1);
}

/// Without learning the chains sample the joint law at every temperature.
#[test]
fn tempered_chains_have_the_joint_law() {
    let rbm = random_machine(4, 3, 1.2);
    let data = random_data(16, 4, 3);
    let betas = vec![0.2, 0.6, 1.0];
    let params = TrainingParams::default()
        .method(Method::ParallelTempering { betas: betas.clone(), sweeps: 1 })
        .learning_rate(0.0)
        .batch(16)
        .chains(64);
    let mut trainer = Trainer::new(&data, PackedRbm::new(&rbm).unwrap(), params).unwrap();
    trainer.advance(50).unwrap();
    let mut counts = vec![[0.0; 16]; 3];
    let rounds = 3200;
    for _ in 0..rounds {
        trainer.advance(1).unwrap();
        for (k, shard) in trainer.chains.iter().enumerate() {
            (0..shard.n).for_each(|c| counts[k / 4][shard.visible(c)[0] as usize] += 1.0);
        }
    }
    for (beta, counts) in betas.iter().zip(&counts) {
        // 204 800 samples: independent ones would come to 0.004 on average.
        let distance = distance(&rbm, *beta, counts);
        assert!(distance < 0.01, "{distance} at {beta}");
    }
    let [accepted, tried] = trainer.exchanged;
    assert!(accepted > tried / 10 && accepted < tried);
}

#[test]
fn divergence_keeps_the_last_good_machine() {
    let data = random_data(64, 10, 4);
    let params = TrainingParams::default().learning_rate(1e3).decay(1e3, 0.0).schedule(Schedule::Constant).batch(16);
    let start = PackedRbm::new(&random_machine(10, 5, 0.1)).unwrap();
    let mut trainer = Trainer::new(&data, start, params).unwrap();
    let error = trainer.run(&mut ()).unwrap_err();
    assert!(matches!(error, Error::Diverged { update, kept, .. } if kept < update), "{error}");
    assert_eq!(trainer.machine().not_finite(), None);
}

#[test]
fn bad_parameters_are_refused() {
    let data = random_data(20, 10, 5);
    let machine = || PackedRbm::new(&random_machine(10, 5, 0.1)).unwrap();
    let message = |params: TrainingParams| Trainer::new(&data, machine(), params).unwrap_err().to_string();
    let base = || TrainingParams::default().batch(10);
    assert_eq!(
        message(TrainingParams::default()),
        "rows of a batch is 128, expected 1 to the number of rows of the data"
    );
    assert_eq!(message(base().chains(0)), "number of chains is 0, expected 1 to 16777216");
    assert_eq!(message(base().learning_rate(f64::NAN)), "learning rate is NaN, expected 0 to 1000");
    assert!(message(base().method(Method::Persistent { sweeps: 0 })).contains("sweeps an update is 0"));
    let betas = vec![0.5, 0.9];
    assert!(
        message(base().method(Method::ParallelTempering { betas, sweeps: 1 })).contains("ascending from >= 0 to 1")
    );
    let message_of = |method| message(base().method(method));
    assert!(message_of(Method::MeanField { order: 4, iterations: 3, points: 1 }).contains("order is 4"));
    assert!(message_of(Method::MeanField { order: 2, iterations: 0, points: 1 }).contains("iterations is 0"));
    assert!(message_of(Method::MeanField { order: 2, iterations: 3, points: 0 }).contains("number of points is 0"));
    assert!(
        message_of(Method::TrajectoryTempering { rate: 1.0, sweeps: 1 }).contains("smallest rate of exchanges is 1")
    );
    assert!(
        message(base().schedule(Schedule::Cooldown { from: 1.0, end: 0.0 })).contains("before the rate falls is 1")
    );
    let other = PackedRbm::new(&random_machine(11, 5, 0.1)).unwrap();
    let error = Trainer::new(&data, other, base()).unwrap_err();
    assert_eq!(error.to_string(), "columns of the data: 10 values, expected 11");
}

#[test]
fn progress_tells_the_rate_of_the_last_update() {
    let data = random_data(64, 10, 4);
    let params = TrainingParams::default().learning_rate(0.08).epochs(2).batch(32);
    let mut trainer = Trainer::new(&data, PackedRbm::new(&random_machine(10, 5, 0.1)).unwrap(), params).unwrap();
    // Four updates, at 1, 3/4, 1/2 and 1/4 of the first rate.
    for expected in [0.06, 0.02] {
        trainer.epoch().unwrap();
        assert!((trainer.progress().learning_rate - expected).abs() < 1e-15);
    }
    assert!(trainer.learning_rate().abs() < 1e-15);
}

/// Two kinds of rows, equally many, with weights 3 and 1: the machine learns 3/4 and 1/4.
#[test]
fn rows_count_as_much_as_their_weights() {
    let data = BitRows::from_bytes(&[0, 0, 1, 1].repeat(64), 2).unwrap();
    let weights: Vec<f64> = [3.0, 1.0].repeat(64);
    let start = PackedRbm::for_data(&data, 2, 0.1, &mut Streams::new(0).stream(0)).unwrap();
    let params = TrainingParams::default().epochs(10_000).learning_rate(0.2);
    let new = |weights: &[f64]| {
        let trainer = Trainer::new(&data, start.clone(), params.clone()).unwrap();
        trainer.with_row_weights(crate::train::RowWeights::new(weights).unwrap())
    };
    let mut trainer = new(&weights).unwrap();
    trainer.advance(17).unwrap();
    let early = trainer.checkpoint();
    trainer.run(&mut ()).unwrap();
    let machine = trainer.machine().to_rbm().unwrap();
    let ln_z = crate::partition::exact_ln_z(&machine, 1.0).unwrap();
    for (row, law) in [([0.0, 0.0], 0.75f64), ([1.0, 1.0], 0.25)] {
        let ln_p = -machine.free_energy(&row, 1.0) - ln_z;
        assert!((ln_p - law.ln()).abs() < 0.15, "{ln_p} {}", law.ln());
    }
    // Bit by bit after an interruption; not with other weights.
    let mut resumed = new(&weights).unwrap();
    resumed.restore(&early).unwrap();
    resumed.run(&mut ()).unwrap();
    assert_eq!(resumed.machine(), trainer.machine());
    assert!(new(&[1.0; 128]).unwrap().restore(&early).is_err());
    assert_eq!(new(&[1.0; 3]).unwrap_err().to_string(), "row weights: 3 values, expected 128");
}
