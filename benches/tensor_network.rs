//! Exact partition functions by tensor networks: order and contraction together, and the contraction alone; samples;
//! boundary matrix product states.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use linalg_core::Streams;
use linalg_core::gf2::BitVec;
use spin_models::{Boundary, BoundaryMps, Ising, Lattice, LogPartition, PrepareLogPartition, TensorNetwork};

const SEED: u64 = 20_240_504;
const BETA: f64 = 1.0;

fn signs_on(lattice: &Lattice) -> Ising {
    Ising::plus_minus_splitmix_on(lattice, 1).expect("finite couplings")
}

fn instances() -> Vec<(&'static str, Ising)> {
    let square = |l| Ising::plus_minus_splitmix(l, l, 1).expect("a lattice");
    let box_of = |sides: &[usize]| {
        let free = vec![Boundary::Free; sides.len()];
        signs_on(&Lattice::hypercubic(sides, &free).expect("a lattice"))
    };
    let mut rng = Streams::new(SEED).stream(0);
    let regular = Lattice::random_regular(100, 3, &mut rng).expect("a graph");
    vec![
        ("square_8", square(8)),
        ("square_16", square(16)),
        ("ladder_4x64", box_of(&[4, 64])),
        ("cubic_4x4x8", box_of(&[4, 4, 8])),
        ("regular_100", signs_on(&regular)),
    ]
}

fn tensor_network(c: &mut Criterion) {
    let mut group = c.benchmark_group("partition_function_tensor_network");
    group.sample_size(10).measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_millis(500));
    for (name, model) in instances() {
        let solver = TensorNetwork::default();
        group.bench_function(BenchmarkId::new("order_and_contraction", name), |bencher| {
            bencher.iter(|| solver.ln_z(&model, BETA).expect("within the budget").value);
        });
        let mut plan = solver.prepare(&model).expect("within the budget");
        let flips = BitVec::zeros(plan.n_interactions());
        group.bench_function(BenchmarkId::new("prepared", name), |bencher| {
            bencher.iter(|| plan.ln_z_signed(&flips, BETA).expect("finite").value);
        });
    }
    group.finish();
}

const SAMPLES: usize = 1000;

fn samples(c: &mut Criterion) {
    let mut group = c.benchmark_group("samples_tensor_network");
    group.sample_size(10).measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_millis(500));
    let model = Ising::plus_minus_splitmix(16, 16, 1).expect("a lattice");
    let solver = TensorNetwork::default();
    let mut rng = Streams::new(SEED).stream(1);
    group.throughput(Throughput::Elements(SAMPLES as u64));
    group.bench_function(BenchmarkId::new("square_16", SAMPLES), |bencher| {
        bencher.iter(|| solver.sample(&model, BETA, SAMPLES, &mut rng).expect("within the budget"));
    });
    group.finish();
}

fn boundary_mps(c: &mut Criterion) {
    let mut group = c.benchmark_group("partition_function_boundary_mps");
    group.sample_size(10).measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_millis(500));
    for l in [16, 32, 48] {
        let model = Ising::plus_minus_splitmix(l, l, 1).expect("a lattice");
        for chi in [16, 32] {
            let solver = BoundaryMps::new(chi);
            group.bench_function(BenchmarkId::new(format!("square_{l}"), chi), |bencher| {
                bencher.iter(|| solver.ln_z(&model, BETA).expect("a rectangle").value);
            });
        }
    }
    let model = Ising::plus_minus_splitmix(32, 32, 1).expect("a lattice");
    group.bench_function(BenchmarkId::new("means_square_32", 16), |bencher| {
        bencher.iter(|| BoundaryMps::new(16).marginals(&model, BETA, &mut ()).expect("a rectangle").energy);
    });
    group.finish();
}

criterion_group!(benches, tensor_network, samples, boundary_mps);
criterion_main!(benches);
