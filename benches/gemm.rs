//! Matrix multiplication through `linalg_core::gemm`, square and skinny; criterion prints operations per second.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use linalg_core::gemm::{GemmScalar, Matrix, MatrixMut, gemm};
use linalg_core::num_complex::Complex64;

/// m, k, n.
const SHAPES: [[usize; 3]; 10] = [
    [8, 8, 8],
    [16, 16, 16],
    [32, 32, 32],
    [64, 64, 64],
    [128, 128, 128],
    [256, 256, 256],
    [1024, 1024, 1024],
    [4096, 4, 4],
    [1024, 16, 16],
    [16, 1024, 16],
];

fn one_type<T: GemmScalar>(c: &mut Criterion, name: &str, operations: u64, value: T) {
    let mut group = c.benchmark_group(format!("gemm_{name}"));
    group.sample_size(10).measurement_time(Duration::from_secs(1)).warm_up_time(Duration::from_millis(300));
    for [m, k, n] in SHAPES {
        let (a, b, mut out) = (vec![value; m * k], vec![value; k * n], vec![T::ZERO; m * n]);
        group.throughput(Throughput::Elements(operations * (m * k * n) as u64));
        group.bench_function(BenchmarkId::from_parameter(format!("{m}x{k}x{n}")), |bencher| {
            bencher.iter(|| {
                let (a, b) = (Matrix::row_major(black_box(&a), m, k), Matrix::row_major(black_box(&b), k, n));
                gemm(T::ONE, a, b, T::ZERO, MatrixMut::row_major(&mut out, m, n));
            });
        });
    }
    group.finish();
}

fn all(c: &mut Criterion) {
    one_type(c, "f32", 2, 1.0f32);
    one_type(c, "f64", 2, 1.0f64);
    one_type(c, "complex64", 8, Complex64::new(0.8, 0.6));
}

criterion_group!(benches, all);
criterion_main!(benches);
