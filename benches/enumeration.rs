//! Exact enumeration: ln Z, moments and ground states of all 2^N configurations.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use linalg_core::gf2::BitVec;
use linalg_core::rng::{Streams, standard_normal};
use spin_models::{
    Correlations, Enumeration, InteractionModel, Ising, LogPartition, PrepareLogPartition, Quantities,
    SherringtonKirkpatrick, Solve,
};

const SEED: u64 = 20_240_502;
const BETA: f64 = 0.8;

/// Sherrington-Kirkpatrick couplings with Gaussian fields: no symmetry.
fn dense(n: usize) -> Ising {
    let mut rng = Streams::new(SEED).stream(n as u64);
    let fields = (0..n).map(|_| standard_normal(&mut rng)).collect();
    let model = SherringtonKirkpatrick::gaussian(n, &mut rng).and_then(|model| model.with_fields(fields));
    model.and_then(|model| model.to_ising()).expect("finite couplings")
}

/// Four-body plaquettes and pairs on a strip of width 4, as decoding problems have them.
fn plaquettes(n: usize) -> InteractionModel {
    let mut rng = Streams::new(SEED).stream(n as u64);
    let mut builder = InteractionModel::builder(n);
    for i in 0..n - 5 {
        builder = builder.term(&[i, i + 1, i + 4, i + 5], standard_normal(&mut rng));
    }
    for i in 0..n - 4 {
        builder = builder.term(&[i, i + 4], standard_normal(&mut rng));
    }
    builder.build().expect("distinct terms")
}

fn partition_function(c: &mut Criterion) {
    let mut group = c.benchmark_group("partition_function");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    let enumeration = Enumeration::default();
    for n in [20, 24] {
        group.throughput(Throughput::Elements(1 << n));
        let model = dense(n);
        group.bench_with_input(BenchmarkId::new("enumerate_ln_z", n), &model, |b, model| {
            b.iter(|| enumeration.ln_z(black_box(model), BETA));
        });
        let want = Quantities::all().with_correlations(Correlations::All);
        group.bench_with_input(BenchmarkId::new("enumerate_all_pairs", n), &model, |b, model| {
            b.iter(|| enumeration.solve(black_box(model), BETA, want, &mut ()));
        });
        group.bench_with_input(BenchmarkId::new("enumerate_cumulants", n), &model, |b, model| {
            b.iter(|| enumeration.energy_cumulants(black_box(model), BETA, &mut ()));
        });
        group.bench_with_input(BenchmarkId::new("enumerate_ground_state", n), &model, |b, model| {
            b.iter(|| enumeration.ground_state(black_box(model)));
        });
        group.bench_with_input(BenchmarkId::new("enumerate_plaquettes", n), &plaquettes(n), |b, model| {
            b.iter(|| enumeration.ln_z(black_box(model), BETA));
        });
    }
    // What a decoder asks: many sign patterns of one small model.
    for n in [8, 12] {
        let model = plaquettes(n);
        let mut plan = enumeration.prepare(&model).expect("small enough");
        let mut rng = Streams::new(SEED).stream(0);
        let patterns: Vec<BitVec> = (0..16).map(|_| BitVec::random(model.n_terms(), &mut rng)).collect();
        group.throughput(Throughput::Elements(patterns.len() as u64));
        group.bench_with_input(BenchmarkId::new("enumerate_plan", n), &patterns, |b, patterns| {
            b.iter(|| {
                patterns.iter().map(|flips| plan.ln_z_signed(flips, 1.0).map_or(0.0, |ln_z| ln_z.value)).sum::<f64>()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, partition_function);
criterion_main!(benches);
