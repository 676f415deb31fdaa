//! Networks on ten Sherrington-Kirkpatrick instances, paired by instance; run by `.ci/long`.

use linalg_core::Streams;
use linalg_core::stats::{Estimate, Running};
use spin_models::io::{Format, Sign, read_instance};
use spin_models::{EnergyModel, Enumeration, Ising, LogPartition, SherringtonKirkpatrick};
use variational::autoregressive::{Autoregressive, Made, MadeParams, Symmetric, TwoBody, TwoBodyParams};
use variational::van::{Annealing, Importance, Trainer, TrainerParams, importance};

const BETA: f64 = 1.0;
const NAMES: [&str; 5] = ["made:1:1", "made:2:3", "two-body", "replica:1", "replica:2"];

/// Instances of 24 and 50 spins are files; larger ones come from the rule of the crate, seed 1000 N + k.
fn instance(n: usize, k: usize) -> Ising {
    if n > 50 {
        let mut rng = Streams::new(1000 * n as u64 + k as u64).stream(0);
        return SherringtonKirkpatrick::gaussian(n, &mut rng).unwrap().to_ising().unwrap();
    }
    let file = format!("{}/tests/data/sk/sk{n}_{k}.txt", env!("CARGO_MANIFEST_DIR"));
    read_instance(&std::fs::read(file).unwrap()[..], Format::EdgeList, Sign::Coupling).unwrap().model
}

/// Anneals with a learning rate that falls to 0 along half a cosine.
fn trained<N: Autoregressive>(
    model: &Ising,
    network: N,
    rate: f64,
    steps: u64,
    first: f64,
    samples: usize,
) -> Importance {
    let mut trainer = Trainer::new(model, network, TrainerParams::default().threads(2)).unwrap();
    for step in 0..steps {
        let t = step as f64 / steps as f64;
        trainer.set_learning_rate(0.5 * first * (1.0 + (std::f64::consts::PI * t).cos())).unwrap();
        trainer.train(Annealing::Exponential { beta: BETA, rate }, step + 1, &mut ()).unwrap();
    }
    importance(trainer.network(), model, BETA, samples, Streams::new(99), 2, &[], &mut ()).unwrap()
}

fn all(model: &Ising, steps: u64, samples: usize) -> [Importance; 5] {
    let n = model.n_spins();
    let made = |depth, width| {
        let network = Symmetric::new(Made::<f32>::new(n, MadeParams::default().layers(depth, width)).unwrap());
        trained(model, network, 0.99, 2 * steps, 5e-3, samples)
    };
    let replica = |k: usize| {
        let params = TwoBodyParams::default().terms(k + 1);
        trained(model, TwoBody::<f32>::new(model, BETA, params).unwrap(), 0.0, steps, 2e-2, samples)
    };
    [made(1, 1), made(2, 3), replica(0), replica(1), replica(2)]
}

/// Prints the relative gaps of the variational ln Z of every instance, to the true value and to the best of the networks, and their means.
fn table(
    n: usize,
    instances: usize,
    steps: u64,
    samples: usize,
    exact: impl Fn(&Ising) -> Option<f64>,
) -> [[f64; 5]; 2] {
    let mut means = [(); 5].map(|()| [Running::new(), Running::new()]);
    println!("N = {n}, beta = {BETA}: relative gaps of ln Z");
    for k in 1..=instances {
        let model = instance(n, k);
        assert_eq!(model.n_spins(), n);
        let estimates = all(&model, steps, samples);
        // Without an exact value: that of the network with most effective samples.
        let best = estimates.iter().max_by(|a, b| a.ess.total_cmp(&b.ess)).map(|e| e.ln_z).unwrap();
        let reference = exact(&model).map_or(best, Estimate::exact);
        let bounds = estimates.each_ref().map(|e| e.ln_z_variational.value);
        let highest = bounds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let gaps = bounds.map(|bound| 1.0 - bound / reference.value);
        let ess = estimates.each_ref().map(|e| e.ess);
        println!(
            "{k}: ln Z {reference}, gaps {}",
            NAMES.iter().zip(gaps).map(|(n, g)| format!("{n} {g:.2e}")).collect::<Vec<_>>().join(", ")
        );
        println!("   effective samples {ess:.3?}");
        for (x, (mean, gap)) in means.iter_mut().zip(gaps).enumerate() {
            mean[0].push(gap);
            mean[1].push(1.0 - bounds[x] / highest);
            let z = estimates[x].ln_z.z_score(&reference);
            assert!(z.abs() < 4.5, "{}: {} against {reference}", NAMES[x], estimates[x].ln_z);
        }
    }
    for (name, [gap, to_best]) in NAMES.iter().zip(&means) {
        let (mean, error) = (gap.mean(), gap.std_error());
        println!("{name}: mean {mean:.2e} +- {error:.1e}, to the best network {:.2e}", to_best.mean());
    }
    [0, 1].map(|which: usize| means.each_ref().map(|mean| mean[which].mean()))
}

#[test]
#[ignore = "five networks trained on ten glasses, five minutes; run by .ci/long"]
fn ten_instances_of_24_spins() {
    let exact = |model: &Ising| Some(Enumeration::default().ln_z(model, BETA).unwrap().value);
    let [[_, made, two_body, one, two], _] = table(24, 10, 1500, 20_000, exact);
    assert!(two < 2e-4 && one < 2.5e-4 && two_body < 4e-4 && made < 8e-4, "{made} {two_body} {one} {two}");
}

#[test]
#[ignore = "five networks trained on ten glasses, a quarter of an hour; run by .ci/long"]
fn ten_instances_of_50_spins() {
    let [[one_layer, _, two_body, one, two], [.., to_best, _]] = table(50, 10, 1500, 20_000, |_| None);
    assert!(two < one && one < two_body && two_body < one_layer, "{one_layer} {two_body} {one} {two}");
    assert!(one < 3.5e-4 && to_best < 1e-4, "{one} {to_best}");
}

#[test]
#[ignore = "five networks trained on ten glasses of 100 spins, an hour; run by .ci/long"]
fn ten_instances_of_100_spins() {
    let [[one_layer, .., one, two], _] = table(100, 10, 1000, 20_000, |_| None);
    assert!(two < one && one < one_layer, "{one_layer} {one} {two}");
}

#[test]
#[ignore = "five networks trained on three glasses of 200 spins, two hours; run by .ci/long"]
fn three_instances_of_200_spins() {
    let [[one_layer, _, two_body, one, two], _] = table(200, 3, 600, 20_000, |_| None);
    // After so few steps more terms are no better yet; all pairwise forms are ahead of one dense layer.
    assert!([two_body, one, two].iter().all(|gap| *gap < one_layer), "{one_layer} {two_body} {one} {two}");
}

#[test]
fn files_are_complete_and_follow_the_law() {
    for n in [24, 50] {
        for k in 1..=10 {
            let model = instance(n, k);
            assert_eq!(model.n_couplings(), n * (n - 1) / 2);
            let square: f64 = model.couplings().map(|(_, _, j)| j * j).sum::<f64>() / model.n_couplings() as f64;
            // Relative deviation of a variance from m normal numbers: √(2/m).
            let deviation = (square * n as f64 - 1.0) / (2.0 / model.n_couplings() as f64).sqrt();
            assert!(deviation.abs() < 4.0, "{n} {k}: {deviation}");
        }
    }
}
