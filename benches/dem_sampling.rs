//! Shots a second from a detector error model.
//!
//! `cargo bench --bench dem_sampling`; criterion prints elements a second, which are shots. The models are those of the
//! toric code over L rounds with faulty data and measurements; building the sampler is not timed.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use linalg_core::Streams;
use quantum_ec::code::{self, Kind};
use quantum_ec::dem::Sampler;
use quantum_ec::noise::{css_problem, phenomenological};

fn shots(c: &mut Criterion) {
    let mut group = c.benchmark_group("dem_sampling");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_millis(1500)).sample_size(20);
    for l in [5, 13, 21] {
        let code = code::toric(l).expect("a small code");
        for p in [0.001, 0.01] {
            let sector = css_problem(&code, Kind::X, vec![p; code.n_qubits()]).expect("a rate for each qubit");
            let model = phenomenological(sector.checks(), sector.observables(), l as u64, p, p).expect("a valid model");
            let sampler = Sampler::of_model(&model).expect("a small model");
            let n = 8 * Sampler::UNIT;
            group.throughput(Throughput::Elements(n as u64));
            group.bench_function(BenchmarkId::new(format!("toric/{l}"), p), |b| {
                b.iter(|| black_box(sampler.sample(n, &Streams::new(1))));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, shots);
criterion_main!(benches);
