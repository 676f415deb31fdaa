use super::*;

/// Noisy bars: class 0 has a lit row, class 1 a lit column of 6 x 6 pixels; the first row, where labels stand, is dark.
fn bars(n: usize, seed: u64) -> (Vec<f32>, Vec<usize>) {
    let mut rng = Streams::new(seed).stream(0);
    let (mut rows, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..n {
        let label = usize::from(rng.random::<bool>());
        let line = rng.random_range(1..6u64) as usize;
        for k in 0..36 {
            let lit = k >= 6 && line == if label == 0 { k / 6 } else { k % 6 };
            let flip = k >= 6 && rng.random_range(0..20u64) == 0;
            rows.push(f32::from(u8::from(lit ^ flip)));
        }
        labels.push(label);
    }
    (rows, labels)
}

fn start() -> ForwardForward {
    ForwardForward::random(36, 2, &[60, 60], &mut Streams::new(1).stream(0)).unwrap()
}

fn errors(found: &[usize], labels: &[usize]) -> usize {
    found.iter().zip(labels).filter(|(a, b)| a != b).count()
}

#[test]
fn all_variants_learn_to_tell_rows_from_columns() {
    let (rows, labels) = bars(1000, 2);
    let (test, test_labels) = bars(400, 3);
    let variants = [
        Negatives::WrongLabel,
        Negatives::PredictedLabel,
        Negatives::Hybrid,
        Negatives::Generated { steps: 2, size: 0.1 },
    ];
    for negatives in variants {
        let params = ForwardForwardParams::default().negatives(negatives).epochs(40).batch(100).learning_rate(0.003);
        let mut trainer = ForwardForwardTrainer::new(start(), &rows, &labels, params).unwrap();
        let first = trainer.epoch().unwrap();
        trainer.run().unwrap();
        let net = trainer.network();
        let by_head = errors(&net.classify(&test, 1), &test_labels);
        // A twentieth of the pixels is noise; chance is 200.
        assert!(by_head < 40, "{negatives:?}: {by_head}");
        if negatives.supervised() {
            let by_goodness = errors(&net.classify_by_goodness(&test, 1), &test_labels);
            assert!(by_goodness < 40, "{negatives:?}: {by_goodness}");
            assert_eq!(net.classify(&test, 1), net.classify(&test, 3));
        }
        assert!(first.is_finite());
    }
}

#[test]
fn runs_do_not_depend_on_threads_and_go_on_bit_by_bit() {
    let (rows, labels) = bars(300, 4);
    let params = ForwardForwardParams::default().epochs(4).batch(130).image(6, 1);
    let new =
        |threads: usize| ForwardForwardTrainer::new(start(), &rows, &labels, params.clone().threads(threads)).unwrap();
    let (mut whole, mut half) = (new(1), new(3));
    whole.run().unwrap();
    (0..2).for_each(|_| assert!(half.epoch().unwrap() > 0.0));
    let checkpoint = half.checkpoint();
    let mut again = new(2);
    again.restore(&checkpoint).unwrap();
    again.run().unwrap();
    assert_eq!(again.network(), whole.network());
    let other = params.clone().seed(9);
    assert!(ForwardForwardTrainer::new(start(), &rows, &labels, other).unwrap().restore(&checkpoint).is_err());
}

/// Rows that hold their label in the places of labels train the same network as rows that hold nothing there, moved or not.
#[test]
fn labels_in_the_data_are_not_seen() {
    let (rows, labels) = bars(100, 7);
    let mut told = rows.clone();
    for (row, &label) in told.chunks_exact_mut(36).zip(&labels) {
        (row[label], row[1 - label]) = (1.0, 0.5);
    }
    let variants = [
        Negatives::WrongLabel,
        Negatives::PredictedLabel,
        Negatives::Hybrid,
        Negatives::Generated { steps: 2, size: 0.1 },
    ];
    for negatives in variants {
        for jitter in [0, 2] {
            let params = ForwardForwardParams::default().negatives(negatives).epochs(2).batch(50).image(6, jitter);
            let train = |rows: &[f32]| {
                let mut trainer = ForwardForwardTrainer::new(start(), rows, &labels, params.clone()).unwrap();
                trainer.run().unwrap();
                trainer.into_network()
            };
            assert_eq!(train(&told), train(&rows), "{negatives:?} {jitter}");
        }
    }
}

/// A weight of a dark pixel has no gradient, and its decay overflows: the loss before the step knows nothing of it.
#[test]
fn an_epoch_that_diverges_keeps_the_network_before_it() {
    let (rows, labels) = bars(20, 8);
    let mut start = start();
    start.parameters[3] = f32::MAX;
    let params = ForwardForwardParams::default().epochs(1).batch(20).learning_rate(1e3).l2(1e3);
    let mut trainer = ForwardForwardTrainer::new(start.clone(), &rows, &labels, params).unwrap();
    let error = trainer.run().unwrap_err().to_string();
    assert_eq!(error, "training diverged in update 1: a parameter is not finite; the state of update 0 was kept");
    assert_eq!(trainer.network(), &start);
}

#[test]
fn shifts_move_pixels() {
    let mut rng = Streams::new(5).stream(0);
    let mut from = vec![0.0; 25];
    from[12] = 1.0;
    let mut seen = [0; 25];
    for _ in 0..900 {
        let mut to = vec![9.0; 25];
        shifted(&from, 5, 1, &mut rng, &mut to);
        assert!((to.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        seen[to.iter().position(|&x| x > 0.5).unwrap()] += 1;
    }
    // Nine places, 100 times each, standard deviation 9.4.
    let places = [6, 7, 8, 11, 12, 13, 16, 17, 18];
    assert!(places.iter().all(|&k| (55..145).contains(&seen[k])) && seen.iter().sum::<i32>() == 900);
}

#[test]
fn bad_input_is_refused() {
    let (rows, labels) = bars(10, 6);
    let message = |rows: &[f32], labels: &[usize], params: ForwardForwardParams| {
        ForwardForwardTrainer::new(start(), rows, labels, params).unwrap_err().to_string()
    };
    let params = || ForwardForwardParams::default().batch(5);
    assert_eq!(message(&[], &[], params()), "data is empty");
    assert_eq!(message(&rows[1..], &labels, params()), "inputs: 359 values, expected 360");
    assert_eq!(message(&rows, &labels[1..], params()), "labels: 9 values, expected 10");
    let mut wrong = labels.clone();
    wrong[3] = 2;
    assert!(message(&rows, &wrong, params()).starts_with("row 3, entry 0 is 2"));
    assert!(message(&rows, &labels, params().batch(11)).contains("rows of a batch is 11"));
    assert!(message(&rows, &labels, params().image(7, 1)).contains("width of an image is 7"));
    assert!(message(&rows, &labels, params().learning_rate(f64::NAN)).contains("learning rate is NaN"));
    let schedule = Schedule::Linear { end: -1.0 };
    assert!(message(&rows, &labels, params().schedule(schedule)).contains("end of the learning rate is -1"));
    let mut bad = rows.clone();
    bad[2] = f32::NAN;
    assert_eq!(message(&bad, &labels, params()), "inputs[2] is NaN, expected a finite number");
    let mut rng = Streams::new(1).stream(0);
    assert!(ForwardForward::random(2, 2, &[3], &mut rng).is_err());
    assert!(ForwardForward::random(5, 2, &[], &mut rng).is_err());
}
