//! Numbers that networks must reach after minutes of training; run by `.ci/long`.

use linalg_core::Streams;
use linalg_core::stats::Estimate;
use spin_models::exact::kaufman;
use spin_models::{Boundary, Enumeration, Ising, LogPartition, SherringtonKirkpatrick};
use variational::autoregressive::{
    Autoregressive, Made, MadeParams, PixelCnn, PixelCnnParams, Symmetric, TwoBody, TwoBodyParams,
};
use variational::van::{Annealing, Importance, NaturalParams, Trainer, TrainerParams, importance};

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
#[ignore = "600 steps and 20 000 samples, a minute; run by .ci/long"]
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
#[ignore = "four trainings of two networks, minutes; run by .ci/long"]
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
#[ignore = "networks trained on 50 spins, minutes; run by .ci/long"]
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

#[test]
#[ignore = "600 steps of a convolutional network, minutes; run by .ci/long"]
fn convolutions_on_the_torus_of_64_spins() {
    let params = PixelCnnParams::default().layers(3, 8, 7);
    let (model, beta) = (Ising::square(8, Boundary::Periodic, 1.0).unwrap(), 0.44);
    let network = Symmetric::new(PixelCnn::<f32>::new(8, 8, params).unwrap());
    let mut trainer = Trainer::new(&model, network, TrainerParams::default().threads(2)).unwrap();
    for (steps, rate) in [(360, 5e-3), (510, 1.5e-3), (600, 5e-4)] {
        trainer.set_learning_rate(rate).unwrap();
        trainer.train(Annealing::Exponential { beta, rate: 0.99 }, steps, &mut ()).unwrap();
    }
    let estimate = importance(trainer.network(), &model, beta, 20_000, Streams::new(99), 2, &[], &mut ()).unwrap();
    let exact = kaufman::ln_z(8, 8, beta).unwrap();
    let relative = print("8 x 8 torus, pixelcnn:3:8:7, 600 steps", &estimate, exact);
    assert!(relative < 2e-3 && estimate.ess > 0.5, "{relative}, {}", estimate.ess);
    assert!(estimate.ln_z.z_score(&Estimate::exact(exact)).abs() < 4.0, "{}", estimate.ln_z);
}

#[test]
#[ignore = "two trainings in double precision, a minute; run by .ci/long"]
fn natural_gradients_on_a_spin_glass() {
    // One layer on 20 spins at β = 1: as many steps of Adam for comparison.
    let model = SherringtonKirkpatrick::gaussian(20, &mut Streams::new(7).stream(0)).unwrap().to_ising().unwrap();
    let exact = Enumeration::default().ln_z(&model, 1.0).unwrap().value;
    let run = |name: &str, params: TrainerParams| {
        let network = Symmetric::new(Made::<f64>::new(20, MadeParams::default()).unwrap());
        let mut trainer = Trainer::new(&model, network, params.batch(500).threads(2)).unwrap();
        let start = std::time::Instant::now();
        trainer.train(Annealing::Exponential { beta: 1.0, rate: 0.9 }, 150, &mut ()).unwrap();
        println!("{name}: {:.1} ms a step", 1e3 * start.elapsed().as_secs_f64() / 150.0);
        let estimate = importance(trainer.network(), &model, 1.0, 50_000, Streams::new(9), 2, &[], &mut ()).unwrap();
        print(name, &estimate, exact)
    };
    let natural = NaturalParams::default().learning_rate(0.2).damping(1e-3);
    let natural = run("natural, 150 steps", TrainerParams::default().natural(natural).clip(f64::INFINITY));
    let adam = run("Adam 0.01, 150 steps", TrainerParams::default().learning_rate(0.01));
    assert!(natural < adam && natural < 2e-3, "{natural} {adam}");
}
