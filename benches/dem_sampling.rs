//! Shots a second from a detector error model.
//!
//! `cargo bench --bench dem_sampling`; criterion prints elements a second, which are shots. The models are those of the
//! toric code over L rounds with faulty data and measurements; building the sampler is not timed.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use linalg_core::Streams;
use linalg_core::gf2::BinaryCsc;
use quantum_ec::dem::Sampler;
use quantum_ec::noise::phenomenological;

/// Bits on the edges of an L x L torus, a check at every vertex; observables: one row of vertical and one column of
/// horizontal edges.
fn toric(l: usize) -> (BinaryCsc, BinaryCsc) {
    let vertex = |x: usize, y: usize| x % l * l + y % l;
    let (mut checks, mut logicals) = (Vec::new(), Vec::new());
    for x in 0..l {
        for y in 0..l {
            checks.push([vertex(x, y), vertex(x + 1, y)]);
            logicals.push(if x == 0 { vec![0] } else { vec![] });
            checks.push([vertex(x, y), vertex(x, y + 1)]);
            logicals.push(if y == 0 { vec![1] } else { vec![] });
        }
    }
    let checks = BinaryCsc::from_columns(l * l, checks).expect("vertices of the torus");
    (checks, BinaryCsc::from_columns(2, logicals).expect("two observables"))
}

fn shots(c: &mut Criterion) {
    let mut group = c.benchmark_group("dem_sampling");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_millis(1500)).sample_size(20);
    for l in [5, 13, 21] {
        let (checks, logicals) = toric(l);
        for p in [0.001, 0.01] {
            let model = phenomenological(&checks, &logicals, l as u64, p, p).expect("a valid model");
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
