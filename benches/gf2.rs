//! Linear algebra over GF(2): rank of random dense matrices and products.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use linalg_core::gf2::BitMatrix;
use linalg_core::rng::Streams;
use std::hint::black_box;
use std::time::Duration;

const SEED: u64 = 20_240_501;

fn random(n: usize) -> BitMatrix {
    BitMatrix::random(n, n, &mut Streams::new(SEED).stream(n as u64))
}

fn rank(c: &mut Criterion) {
    let mut group = c.benchmark_group("gf2_rank");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    for n in [1024, 4096, 8192] {
        let matrix = random(n);
        group.throughput(Throughput::Elements((n * n) as u64));
        group.bench_with_input(BenchmarkId::new("four_russians", n), &matrix, |b, m| {
            b.iter(|| black_box(m).rank());
        });
    }
    let matrix = random(1024);
    group.throughput(Throughput::Elements(1024 * 1024));
    group.bench_with_input(BenchmarkId::new("naive", 1024), &matrix, |b, m| {
        b.iter(|| black_box(m).rank_naive());
    });
    group.finish();
}

fn row_reduce(c: &mut Criterion) {
    let mut group = c.benchmark_group("gf2_row_reduce");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    for n in [1024, 4096] {
        let matrix = random(n);
        group.throughput(Throughput::Elements((n * n) as u64));
        group.bench_with_input(BenchmarkId::new("reduced", n), &matrix, |b, m| {
            b.iter(|| black_box(m).row_reduce());
        });
        group.bench_with_input(BenchmarkId::new("with_transform", n), &matrix, |b, m| {
            b.iter(|| black_box(m).factor());
        });
    }
    group.finish();
}

fn multiplication(c: &mut Criterion) {
    let mut group = c.benchmark_group("gf2_multiplication");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    for n in [1024, 4096] {
        let left = random(n);
        let right = left.transpose();
        group.throughput(Throughput::Elements((n * n) as u64));
        group.bench_with_input(BenchmarkId::new("four_russians", n), &(left, right), |b, (l, r)| {
            b.iter(|| black_box(l).mul(black_box(r)));
        });
    }
    let matrix = random(4096);
    group.throughput(Throughput::Elements(4096 * 4096));
    group.bench_with_input(BenchmarkId::new("transpose", 4096), &matrix, |b, m| {
        b.iter(|| black_box(m).transpose());
    });
    group.finish();
}

criterion_group!(benches, rank, row_reduce, multiplication);
criterion_main!(benches);
