use super::*;
use linalg_core::rand::RngExt;

/// Noisy bars: class 0 has a lit row, class 1 a lit column of 5 x 5 pixels.
fn bars(n: usize, seed: u64) -> (Vec<f32>, Vec<usize>) {
    let mut rng = Streams::new(seed).stream(0);
    let (mut rows, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..n {
        let label = usize::from(rng.random::<bool>());
        let line = rng.random_range(0..5u64) as usize;
        for k in 0..25 {
            let lit = line == if label == 0 { k / 5 } else { k % 5 };
            rows.push(f32::from(u8::from(lit ^ (rng.random_range(0..20u64) == 0))));
        }
        labels.push(label);
    }
    (rows, labels)
}

fn net(lateral: bool) -> RecurrentForwardForward {
    RecurrentForwardForward::random(25, 2, &[50, 40], lateral, &mut Streams::new(1).stream(0)).unwrap()
}

/// One input and one hidden unit, two classes, one step, by hand: all states have length √n, so the input is 1, the unit 1 after the pass
/// upwards, and the label (√2, 0); with weights 2 (below), -3 (itself), √2 (above) the field is 2 - 3 + 2 = 1.
#[test]
fn one_step_by_hand() {
    let mut rng = Streams::new(1).stream(0);
    let mut net = RecurrentForwardForward::random(1, 2, &[1], true, &mut rng).unwrap().with_steps(1);
    net.parameters = vec![2.0, -3.0, std::f32::consts::SQRT_2, 0.0, 0.0];
    let mut seen = Vec::new();
    net.steps(&net.parameters, &[1.0], &[0], |step, k, heard, y| {
        seen.push((step, k));
        let expected = [1.0, 1.0, std::f32::consts::SQRT_2, 0.0];
        assert!(heard.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6));
        assert!((y[0] - 1.0).abs() < 1e-6);
    });
    assert_eq!(seen, [(0, 0)]);
    // The label on top is what tells the classes apart: label 0 gives 1, label 1 nothing.
    assert_eq!(net.classify(&[5.0]), [0]);
}

/// The derivatives of each step's own loss by the parameters of its layer, against finite differences in `f64`. With one step the states
/// before it are fixed by the row and the label alone but for the pass upwards, whose derivative is not taken: a difference of the loss
/// with states held.
#[test]
fn derivatives_are_those_of_each_layer_and_step() {
    for lateral in [false, true] {
        let mut rng = Streams::new(2).stream(0);
        let net = RecurrentForwardForward::random(4, 3, &[6, 5], lateral, &mut rng).unwrap().with_steps(3);
        let parameters: Vec<f64> = (0..net.parameters.len()).map(|_| 0.6 * standard_normal(&mut rng)).collect();
        let mut inputs: Vec<f64> = (0..8).map(|_| standard_normal(&mut rng)).collect();
        inputs.chunks_exact_mut(4).for_each(normalise);
        let labels = [2, 0];
        for data in [true, false] {
            let mut gradient = vec![0.0; parameters.len()];
            let loss =
                net.loss(&parameters, &inputs, &labels, Phase { data, threshold: 1.2, weight: 0.5 }, &mut gradient);
            // What each layer heard at each step, and the loss as a function of the parameters with that held.
            let mut heard_by = Vec::new();
            net.steps(&parameters, &inputs, &labels, |_, k, heard, _| heard_by.push((k, heard.to_vec())));
            let value = |x: &[f64]| {
                let mut sum = 0.0;
                for (k, heard) in &heard_by {
                    let start: usize = net.lengths()[..*k].iter().sum();
                    let y = net.respond(*k, &x[start..][..net.lengths()[*k]], heard, 2);
                    for row in y.chunks_exact(net.sizes[k + 1]) {
                        let excess = goodness(row) - 1.2 * row.len() as f64;
                        sum += 0.5 / 3.0 * softplus(if data { -excess } else { excess });
                    }
                }
                sum
            };
            assert!((value(&parameters) - loss).abs() < 1e-12);
            let numeric = linalg_core::optim::finite_difference::gradient(value, &parameters);
            assert!(gradient.iter().zip(&numeric).all(|(a, b)| (a - b).abs() < 1e-7));
        }
    }
}

#[test]
fn networks_learn_to_tell_rows_from_columns_and_runs_go_on_bit_by_bit() {
    let (rows, labels) = bars(600, 2);
    let (test, test_labels) = bars(300, 3);
    for lateral in [false, true] {
        let params = RecurrentParams::default().epochs(30).batch(50).learning_rate(0.003).seed(4);
        let new = || RecurrentTrainer::new(net(lateral), &rows, &labels, params.clone()).unwrap();
        let (mut whole, mut half) = (new(), new());
        let errors = |trainer: &RecurrentTrainer<'_>| {
            trainer.network().classify(&test).iter().zip(&test_labels).filter(|(a, b)| a != b).count()
        };
        let before = errors(&whole);
        whole.run().unwrap();
        // A twentieth of the pixels is noise; chance is 150.
        let after = errors(&whole);
        assert!(after < 45 && before > 90, "{lateral}: {before} {after}");
        half.epoch().unwrap();
        let saved = half.checkpoint().to_bytes();
        let mut again = new();
        again.restore(&Checkpoint::from_bytes(&saved).unwrap()).unwrap();
        again.run().unwrap();
        assert_eq!(again.network(), whole.network());
        let mut other = RecurrentTrainer::new(net(!lateral), &rows, &labels, params.clone()).unwrap();
        assert!(other.restore(&Checkpoint::from_bytes(&saved).unwrap()).is_err());
    }
}

/// Activities of 3e38 have a finite goodness in `f64` and a gradient over eight steps that `f32` cannot hold.
#[test]
fn an_epoch_that_diverges_keeps_the_network_before_it() {
    let mut start = net(false);
    start.parameters[0] = 3e38;
    let mut trainer =
        RecurrentTrainer::new(start.clone(), &[1.0; 25], &[0], RecurrentParams::default().epochs(1).batch(1)).unwrap();
    let error = trainer.run().unwrap_err().to_string();
    assert_eq!(error, "training diverged in update 1: a parameter is not finite; the state of update 0 was kept");
    assert_eq!(trainer.network(), &start);
}

#[test]
fn bad_input_is_refused() {
    let (rows, labels) = bars(10, 6);
    let message = |rows: &[f32], labels: &[usize], params: RecurrentParams| {
        RecurrentTrainer::new(net(true), rows, labels, params).unwrap_err().to_string()
    };
    let params = || RecurrentParams::default().batch(5);
    assert_eq!(message(&[], &[], params()), "data is empty");
    assert_eq!(message(&rows[1..], &labels, params()), "inputs: 249 values, expected 250");
    assert!(message(&rows, &[2; 10], params()).starts_with("row 0, entry 0 is 2"));
    assert!(message(&rows, &labels, params().batch(11)).contains("rows of a batch is 11"));
    assert!(message(&rows, &labels, params().threshold(f64::NAN)).contains("threshold is NaN"));
    let schedule = Schedule::Exponential { end: -1.0 };
    assert!(message(&rows, &labels, params().schedule(schedule)).contains("end of the learning rate is -1"));
    let mut rng = Streams::new(1).stream(0);
    assert!(RecurrentForwardForward::random(5, 2, &[], true, &mut rng).is_err());
    assert!(RecurrentForwardForward::random(5, 1, &[3], true, &mut rng).is_err());
}
