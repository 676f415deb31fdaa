//! Restricted Boltzmann machines of 784 x 500 units: an update, a sweep, an exact ln Z. Throughput in rows of a batch, sweeps of
//! a chain, states.

use std::hint::black_box;
use std::time::Duration;

use boltzmann::partition::exact_ln_z;
use boltzmann::train::{Method, Trainer, TrainingParams};
use boltzmann::{BitRows, GibbsChains, PackedRbm};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use linalg_core::Streams;
use linalg_core::rand::RngExt;

/// Rows of 784 bits of which about 13 % are set, as in digits.
fn data(rows: usize) -> BitRows {
    let mut rng = Streams::new(1).stream(0);
    let bytes: Vec<u8> = (0..rows * 784).map(|_| u8::from(rng.random_range(0..100u64) < 13)).collect();
    BitRows::from_bytes(&bytes, 784).expect("bits")
}

fn machine(data: &BitRows, n_hidden: usize) -> PackedRbm {
    PackedRbm::for_data(data, n_hidden, 0.01, &mut Streams::new(2).stream(0)).expect("a machine")
}

fn cd_step(c: &mut Criterion) {
    let data = data(1280);
    let mut group = c.benchmark_group("cd_step");
    group.sample_size(20).measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_millis(500));
    group.throughput(Throughput::Elements(128));
    let methods = [
        ("cd1", Method::ContrastiveDivergence { sweeps: 1 }),
        ("pcd1", Method::Persistent { sweeps: 1 }),
        ("fast_pcd", Method::FastPersistent { sweeps: 1, decay: 0.95, rate: 0.01 }),
    ];
    for (name, method) in methods {
        let params = TrainingParams::default().method(method).learning_rate(0.001).epochs(1 << 40);
        let mut trainer = Trainer::new(&data, machine(&data, 500), params).expect("parameters");
        group.bench_function(BenchmarkId::new(name, "784x500x128"), |bencher| {
            bencher.iter(|| trainer.advance(1).expect("an update"));
        });
    }
    group.finish();
}

fn gibbs(c: &mut Criterion) {
    let data = data(128);
    let machine = machine(&data, 500);
    let mut group = c.benchmark_group("gibbs_sweep");
    group.sample_size(20).measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_millis(500));
    // Sweeps between two looks at the chains; threads start and end with a call.
    for (n, sweeps) in [(128usize, 1u64), (128, 20), (1024, 1), (1024, 20)] {
        group.throughput(Throughput::Elements(n as u64 * sweeps));
        let mut chains = GibbsChains::new(&machine, n, Streams::new(3)).expect("chains");
        chains.advance(&machine, 10, 1);
        for threads in [1, 2] {
            group.bench_function(BenchmarkId::new(format!("{n}x{sweeps}"), threads), |bencher| {
                bencher.iter(|| chains.advance(black_box(&machine), sweeps, threads));
            });
        }
    }
    group.finish();
}

fn exact(c: &mut Criterion) {
    let machine = machine(&data(16), 12).to_rbm().expect("finite weights");
    let mut group = c.benchmark_group("rbm_exact_ln_z");
    group.sample_size(10).measurement_time(Duration::from_secs(2));
    group.throughput(Throughput::Elements(1 << 12));
    group.bench_function("784x12", |bencher| bencher.iter(|| exact_ln_z(black_box(&machine), 1.0)));
    group.finish();
}

criterion_group!(benches, cd_step, gibbs, exact);
criterion_main!(benches);
