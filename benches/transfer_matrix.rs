//! Transfer matrix: ln Z and means of lattices, tori, and a prepared plan of the decoding kind.
//!
//! The elements of the throughput are the entries of state vectors touched by one evaluation of ln Z.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use linalg_core::gf2::BitVec;
use linalg_core::rng::SplitMix64;
use rand::Rng;
use spin_models::exact::homogeneous_torus;
use spin_models::{
    Duplicates, Enumeration, InteractionModel, Ising, LogPartition, LogPartitionPlan, PrepareLogPartition,
    TransferMatrix,
};

const SEED: u64 = 1;
const BETA: f64 = 1.0;

/// A square lattice of ±J bonds, periodic in both directions or in none.
fn plus_minus(rows: usize, columns: usize, periodic: bool) -> Ising {
    let mut rng = SplitMix64::new(SEED);
    let mut builder = Ising::builder(rows * columns);
    for r in 0..rows {
        for c in 0..columns {
            for (right, down) in [(1, 0), (0, 1)] {
                if periodic || r + down < rows && c + right < columns {
                    let other = (r + down) % rows * columns + (c + right) % columns;
                    let sign = if rng.next_u64() < 1 << 63 { -1.0 } else { 1.0 };
                    builder = builder.coupling(r * columns + c, other, sign);
                }
            }
        }
    }
    builder.build().expect("distinct bonds")
}

fn partition_function(c: &mut Criterion) {
    let mut group = c.benchmark_group("partition_function");
    group.sample_size(10).measurement_time(Duration::from_secs(4));
    let solver = TransferMatrix::default();
    let instances = [
        ("12x12_free", plus_minus(12, 12, false)),
        ("16x16_free", plus_minus(16, 16, false)),
        ("20x20_free", plus_minus(20, 20, false)),
        ("20x40_free", plus_minus(20, 40, false)),
        ("8x8_torus", plus_minus(8, 8, true)),
        ("10x10_torus", plus_minus(10, 10, true)),
    ];
    for (name, model) in &instances {
        group.throughput(Throughput::Elements(solver.frontier(model).cost() as u64));
        group.bench_with_input(BenchmarkId::new("transfer_matrix_ln_z", name), model, |b, model| {
            b.iter(|| solver.ln_z(black_box(model), BETA));
        });
        group.bench_with_input(BenchmarkId::new("transfer_matrix_marginals", name), model, |b, model| {
            b.iter(|| solver.marginals(black_box(model), BETA, &mut ()));
        });
    }
    let cold = &instances[0].1;
    group.throughput(Throughput::Elements(solver.frontier(cold).cost() as u64));
    group.bench_function(BenchmarkId::new("transfer_matrix_logarithms", "12x12_free"), |b| {
        b.iter(|| solver.ln_z(black_box(cold), 50.0));
    });
    group.finish();
}

fn homogeneous(c: &mut Criterion) {
    let mut group = c.benchmark_group("partition_function");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    for width in [8usize, 10] {
        group.bench_function(BenchmarkId::new("eigenvalues_torus", width), |b| {
            b.iter(|| homogeneous_torus(width, width, black_box(0.44), 0.44, 0.0));
        });
    }
    group.finish();
}

/// Bit flips on the distance-3 rotated surface code: nine mechanisms, four generators.
fn coset_model() -> InteractionModel {
    let generators: [&[usize]; 4] = [&[0, 1, 3, 4], &[4, 5, 7, 8], &[1, 2], &[6, 7]];
    let terms = (0..9).map(|j| {
        let p = 0.01 + 0.01 * j as f64;
        let sites = (0..4).filter(|&g| generators[g].contains(&j)).collect();
        (sites, 0.5 * ((1.0 - p) / p).ln())
    });
    InteractionModel::builder(4).terms(terms).duplicates(Duplicates::Keep).build().expect("sites in range")
}

fn plans(c: &mut Criterion) {
    let mut group = c.benchmark_group("partition_function");
    group.throughput(Throughput::Elements(512));
    let model = coset_model();
    let plans: [(&str, Box<dyn LogPartitionPlan>); 2] = [
        ("transfer_matrix_plan", TransferMatrix::default().prepare(&model).expect("small")),
        ("enumerate_plan", Enumeration::default().prepare(&model).expect("small")),
    ];
    let all: Vec<BitVec> = (0..512u32).map(|error| (0..9).map(|j| error >> j & 1 == 1).collect()).collect();
    for (name, mut plan) in plans {
        group.bench_function(BenchmarkId::new(name, "surface_d3_512_signs"), |b| {
            b.iter(|| all.iter().map(|flips| plan.ln_z_signed(flips, 1.0).map_or(0.0, |z| z.value)).sum::<f64>());
        });
    }
    group.finish();
}

criterion_group!(benches, partition_function, homogeneous, plans);
criterion_main!(benches);
