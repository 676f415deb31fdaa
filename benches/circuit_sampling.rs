//! Shots a second from circuits, and the time of a reference sample.
//!
//! `cargo bench --bench circuit_sampling`; criterion prints elements a second, which are shots. The circuits are memories of the
//! rotated surface code over d rounds with uniform noise; building the sampler is not timed.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use linalg_core::Streams;
use quantum_ec::Circuit;
use quantum_ec::circuit::{CircuitNoise, CircuitSampler, Memory};

fn memory(distance: usize, p: f64) -> Circuit {
    let clean = Memory::RotatedSurfaceX.circuit(distance, distance as u64).expect("a distance above 1");
    CircuitNoise::uniform(p).expect("a probability").apply(&clean).expect("a probability")
}

fn shots(c: &mut Criterion) {
    let mut group = c.benchmark_group("circuit_sampling");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_millis(1500)).sample_size(20);
    for d in [5, 13, 21] {
        for p in [0.001, 0.01] {
            let sampler = CircuitSampler::new(&memory(d, p)).expect("a small circuit");
            let n = 8 * CircuitSampler::UNIT;
            group.throughput(Throughput::Elements(n as u64));
            group.bench_function(BenchmarkId::new(format!("rotated/{d}"), p), |b| {
                b.iter(|| black_box(sampler.sample(n, &Streams::new(1))));
            });
        }
    }
    group.finish();
}

fn reference(c: &mut Criterion) {
    let mut group = c.benchmark_group("reference_sample");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_millis(1500)).sample_size(10);
    for d in [5, 13] {
        let circuit = memory(d, 0.001);
        group.bench_function(BenchmarkId::new("rotated", d), |b| {
            b.iter(|| black_box(circuit.reference_sample().expect("a small circuit")));
        });
    }
    group.finish();
}

criterion_group!(benches, shots, reference);
criterion_main!(benches);
