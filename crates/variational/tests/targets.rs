//! Numbers that networks must reach after minutes of training; run by `.ci/long`.

use linalg_core::Streams;
use linalg_core::stats::Estimate;
use spin_models::exact::kaufman;
use spin_models::{Boundary, Enumeration, Ising, LogPartition, SherringtonKirkpatrick};
use variational::autoregressive::{Autoregressive, TwoBody, TwoBodyParams};
use variational::van::{Annealing, Importance, Trainer, TrainerParams, importance};

/// Trains at one temperature with a learning rate that falls in two steps.
fn trained<N: Autoregressive>(model: &Ising, network: N, beta: f64, steps: u64, samples: usize) -> Importance {
    let mut trainer = Trainer::new(model, network, TrainerParams::default().threads(2)).unwrap();
    for (part, rate) in [(0.6, 1e-2), (0.85, 3e-3), (1.0, 1e-3)] {
        trainer.set_learning_rate(rate).unwrap();
        trainer.train(Annealing::Constant { beta }, (steps as f64 * part) as u64, &mut ()).unwrap();
    }
    importance(trainer.network(), model, beta, samples, Streams::new(99), 2, &[], &mut ()).unwrap()
}

fn print(name: &str, estimate: &Importance, exact: f64) -> f64 {
    let relative = (exact - estimate.ln_z_variational.value) / exact;
    println!(
        "{name}: relative error {relative:.2e}, importance {} ({exact:.6}), ess {:.3}",
        estimate.ln_z, estimate.ess
    );
    relative
}

#[test]
#[ignore = "a minute; run by .ci/long"]
fn two_body_on_the_torus_of_64_spins() {
    // made:3:4 of Wu, Wang and Zhang in PyTorch: 0.26 after 50 steps.
    let (model, beta) = (Ising::square(8, Boundary::Periodic, 1.0).unwrap(), 0.44);
    let network = TwoBody::<f32>::new(&model, beta, TwoBodyParams::default()).unwrap();
    let estimate = trained(&model, network, beta, 600, 20_000);
    let exact = kaufman::ln_z(8, 8, beta).unwrap();
    let relative = print("8 x 8 torus, two-body, 600 steps", &estimate, exact);
    assert!(relative < 2e-3 && estimate.ess > 0.5, "{relative}, {}", estimate.ess);
    assert!(estimate.ln_z.z_score(&Estimate::exact(exact)).abs() < 4.0, "{}", estimate.ln_z);
}

#[test]
#[ignore = "minutes; run by .ci/long"]
fn replica_forms_on_spin_glasses() {
    let model = SherringtonKirkpatrick::gaussian(20, &mut Streams::new(7).stream(0)).unwrap().to_ising().unwrap();
    for beta in [1.0, 2.0] {
        let exact = Enumeration::default().ln_z(&model, beta).unwrap().value;
        for terms in [1, 2] {
            let network = TwoBody::<f32>::new(&model, beta, TwoBodyParams::default().terms(terms)).unwrap();
            let estimate = trained(&model, network, beta, 600, 50_000);
            let relative = print(&format!("SK 20, beta {beta}, K = {terms}"), &estimate, exact);
            assert!(relative < 2e-3, "{relative}");
            assert!(estimate.ln_z.z_score(&Estimate::exact(exact)).abs() < 4.0, "{}", estimate.ln_z);
        }
    }
}

#[test]
#[ignore = "minutes; run by .ci/long"]
fn replica_forms_on_50_spins() {
    // No exact value: the gap of the variational ln Z to the importance-sampled one of the same network.
    let model = SherringtonKirkpatrick::gaussian(50, &mut Streams::new(1).stream(0)).unwrap().to_ising().unwrap();
    for terms in [1, 2] {
        let network = TwoBody::<f32>::new(&model, 1.0, TwoBodyParams::default().terms(terms)).unwrap();
        let estimate = trained(&model, network, 1.0, 400, 20_000);
        let relative = print(&format!("SK 50, beta 1, K = {terms}"), &estimate, estimate.ln_z.value);
        assert!(relative < 1e-3, "{relative}");
    }
}
