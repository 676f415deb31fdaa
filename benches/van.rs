//! One training step of a variational autoregressive network: 1000 samples, their gradient, one step of Adam.
//!
//! `benches/compare/variational.py` times PyTorch on the same steps.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use linalg_core::Streams;
use spin_models::{Boundary, Ising, SherringtonKirkpatrick};
use variational::autoregressive::{Activation, Autoregressive, Made, MadeParams, Symmetric, TwoBody, TwoBodyParams};
use variational::van::{Trainer, TrainerParams};

const BATCH: usize = 1000;

fn step<N: Autoregressive>(c: &mut Criterion, name: &str, model: &Ising, network: &N) {
    let mut group = c.benchmark_group("van_step");
    group.sample_size(10).measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(300));
    group.throughput(Throughput::Elements(BATCH as u64));
    for threads in [1, 2] {
        let params = TrainerParams::default().batch(BATCH).threads(threads);
        let mut trainer = Trainer::new(model, network.clone(), params).expect("the sizes fit");
        group.bench_function(BenchmarkId::new(name, threads), |bencher| {
            bencher.iter(|| trainer.step(0.44).expect("finite energies"));
        });
    }
    group.finish();
}

fn all(c: &mut Criterion) {
    let made = |n, params| Made::<f32>::new(n, params).expect("valid sizes");
    let base = MadeParams::default();
    let sk = SherringtonKirkpatrick::gaussian(20, &mut Streams::new(1).stream(0)).and_then(|sk| sk.to_ising());
    let sk = sk.expect("a model of 20 spins");
    step(c, "sk20_made_1_1", &sk, &Symmetric::new(made(20, base)));
    for l in [8, 16] {
        let torus = Ising::square(l, Boundary::Periodic, 1.0).expect("a torus");
        let (n, params) = (l * l, base.layers(3, 4));
        step(c, &format!("l{l}_made_3_4"), &torus, &Symmetric::new(made(n, params)));
        let odd = params.activation(Activation::Tanh).bias(false);
        step(c, &format!("l{l}_made_3_4_odd"), &torus, &Symmetric::new(made(n, odd)));
        let two_body = TwoBody::<f32>::new(&torus, 0.44, TwoBodyParams::default()).expect("a finite beta");
        step(c, &format!("l{l}_two_body"), &torus, &two_body);
    }
}

criterion_group!(benches, all);
criterion_main!(benches);
