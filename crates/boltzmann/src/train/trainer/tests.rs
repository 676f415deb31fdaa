//! The fast update against the definition of the gradient, and the law of the chains.

use super::*;
use crate::Rbm;
use crate::train::Schedule;
use crate::units::Bernoulli;
use linalg_core::logspace::log_sum_exp;
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
    ]
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

#[test]
fn threads_and_interruptions_change_nothing() {
    let data = random_data(100, 70, 2);
    for method in methods() {
        let params = TrainingParams::default().method(method).batch(30).chains(40).momentum(0.5).epochs(4);
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
        assert!(one.machine() == three.machine() && one.machine() == resumed.machine());
        assert!(one.machine() != &start);
        assert_eq!(one.checkpoint(), resumed.checkpoint());
        // Another run does not take it, and stays what it is.
        let mut other = Trainer::new(&data, start, params.seed(9)).unwrap();
        assert!(other.restore(&Checkpoint::from_bytes(&saved).unwrap()).is_err());
        assert_eq!(other.updates(), 0);
    }
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
        let ln_weights: Vec<f64> = (0..16)
            .map(|state| {
                let v: Vec<f64> = (0..4).map(|k| f64::from(state >> k & 1)).collect();
                -beta * rbm.free_energy(&v, *beta)
            })
            .collect();
        let ln_z = log_sum_exp(&ln_weights);
        let distance: f64 = ln_weights
            .iter()
            .zip(counts)
            .map(|(w, count)| 0.5 * ((w - ln_z).exp() - count / f64::from(rounds * 64)).abs())
            .sum();
        // 204 800 samples: independent ones would come to 0.004 on average.
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
    let other = PackedRbm::new(&random_machine(11, 5, 0.1)).unwrap();
    let error = Trainer::new(&data, other, base()).unwrap_err();
    assert_eq!(error.to_string(), "columns of the data: 10 values, expected 11");
}
