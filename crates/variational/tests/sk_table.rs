//! Networks on ten Sherrington-Kirkpatrick instances, paired by instance; run by `.ci/long`.

use linalg_core::Streams;
use linalg_core::stats::{Estimate, Running};
use spin_models::io::{Format, Sign, read_instance};
use spin_models::{EnergyModel, Enumeration, Ising, LogPartition};
use variational::autoregressive::{Autoregressive, Made, MadeParams, Symmetric, TwoBody, TwoBodyParams};
use variational::van::{Annealing, Importance, Trainer, TrainerParams, importance};

const BETA: f64 = 1.0;
const NAMES: [&str; 4] = ["made:1:1", "made:2:3", "replica:0", "replica:1"];

fn instance(n: usize, k: usize) -> Ising {
    let file = format!("{}/tests/data/sk/sk{n}_{k}.txt", env!("CARGO_MANIFEST_DIR"));
    read_instance(&std::fs::read(file).unwrap()[..], Format::EdgeList, Sign::Coupling).unwrap().model
}

/// Anneals with a learning rate that falls in two steps.
fn trained<N: Autoregressive>(
    model: &Ising,
    network: N,
    rate: f64,
    steps: u64,
    first: f64,
    samples: usize,
) -> Importance {
    let mut trainer = Trainer::new(model, network, TrainerParams::default().threads(2)).unwrap();
    for (part, factor) in [(0.6, 1.0), (0.85, 0.3), (1.0, 0.1)] {
        trainer.set_learning_rate(first * factor).unwrap();
        let schedule = Annealing::Exponential { beta: BETA, rate };
        trainer.train(schedule, (steps as f64 * part) as u64, &mut ()).unwrap();
    }
    importance(trainer.network(), model, BETA, samples, Streams::new(99), 2, &[], &mut ()).unwrap()
}

fn all(model: &Ising, steps: u64, samples: usize) -> [Importance; 4] {
    let n = model.n_spins();
    let made = |depth, width| {
        let network = Symmetric::new(Made::<f32>::new(n, MadeParams::default().layers(depth, width)).unwrap());
        trained(model, network, 0.99, 2 * steps, 5e-3, samples)
    };
    let replica = |k: usize| {
        let params = TwoBodyParams::default().terms(k + 1);
        trained(model, TwoBody::<f32>::new(model, BETA, params).unwrap(), 0.0, steps, 1e-2, samples)
    };
    [made(1, 1), made(2, 3), replica(0), replica(1)]
}

/// Prints the relative gaps of the variational ln Z of every instance and their means.
fn table(n: usize, instances: usize, steps: u64, samples: usize, exact: impl Fn(&Ising) -> Option<f64>) -> [f64; 4] {
    let mut means = [Running::new(), Running::new(), Running::new(), Running::new()];
    println!("N = {n}, beta = {BETA}: relative gaps of ln Z");
    for k in 1..=instances {
        let model = instance(n, k);
        assert_eq!(model.n_spins(), n);
        let estimates = all(&model, steps, samples);
        // Without an exact value: that of the network with most effective samples.
        let best = estimates.iter().max_by(|a, b| a.ess.total_cmp(&b.ess)).map(|e| e.ln_z).unwrap();
        let reference = exact(&model).map_or(best, Estimate::exact);
        let gaps = [0, 1, 2, 3].map(|x: usize| 1.0 - estimates[x].ln_z_variational.value / reference.value);
        let ess = [0, 1, 2, 3].map(|x: usize| estimates[x].ess);
        println!(
            "{k}: ln Z {reference}, gaps {}",
            NAMES.iter().zip(gaps).map(|(n, g)| format!("{n} {g:.2e}")).collect::<Vec<_>>().join(", ")
        );
        println!("   effective samples {ess:.3?}");
        for (x, (mean, gap)) in means.iter_mut().zip(gaps).enumerate() {
            mean.push(gap);
            let z = estimates[x].ln_z.z_score(&reference);
            assert!(z.abs() < 4.5, "{}: {} against {reference}", NAMES[x], estimates[x].ln_z);
        }
    }
    for (name, mean) in NAMES.iter().zip(&means) {
        println!("{name}: mean {:.2e} +- {:.1e}", mean.mean(), mean.std_error());
    }
    means.map(|mean| mean.mean())
}

#[test]
#[ignore = "four networks trained on ten glasses, ten minutes; run by .ci/long"]
fn ten_instances_of_24_spins() {
    let exact = |model: &Ising| Some(Enumeration::default().ln_z(model, BETA).unwrap().value);
    let [_, made, two_body, replica] = table(24, 10, 400, 20_000, exact);
    assert!(replica < 4e-4 && two_body < 5e-4 && made < 8e-4, "{made} {two_body} {replica}");
}

#[test]
#[ignore = "four networks trained on ten glasses, half an hour; run by .ci/long"]
fn ten_instances_of_50_spins() {
    let [one_layer, _, two_body, replica] = table(50, 10, 400, 20_000, |_| None);
    assert!(replica < two_body && two_body < one_layer, "{one_layer} {two_body} {replica}");
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
