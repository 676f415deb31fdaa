//! Partition functions of planar spin glasses: ±J square lattices with free boundaries.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use linalg_core::Streams;
use linalg_core::gf2::BitVec;
use spin_models::exact::planar::{PlanarGroundState, PlanarSampler};
use spin_models::{Boundary, Disorder, Ising, Lattice, LogPartition, Planar, PrepareLogPartition, Quantities, Solve};
use std::hint::black_box;
use std::time::Duration;

fn ln_z(c: &mut Criterion) {
    let mut group = c.benchmark_group("planar_ln_z");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    for l in [16, 32, 64, 128, 256] {
        let model = Ising::plus_minus_splitmix(l, l, 1).expect("a lattice");
        for beta in [0.5, 1.0] {
            group.throughput(Throughput::Elements((l * l) as u64));
            group.bench_with_input(BenchmarkId::new(format!("pm_j_beta_{beta}"), l), &model, |b, model| {
                b.iter(|| Planar::default().ln_z(black_box(model), beta).expect("planar"));
            });
        }
    }
    group.finish();
}

fn plan(c: &mut Criterion) {
    let mut group = c.benchmark_group("planar_plan");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    for l in [8, 16, 32, 64] {
        let model = Ising::plus_minus_splitmix(l, l, 1).expect("a lattice");
        let mut plan = Planar::default().prepare(&model).expect("planar");
        let flips = BitVec::zeros(plan.n_interactions());
        group.throughput(Throughput::Elements((l * l) as u64));
        group.bench_function(BenchmarkId::new("ln_z_signed", l), |b| {
            b.iter(|| plan.ln_z_signed(black_box(&flips), 1.0).expect("planar"));
        });
    }
    group.finish();
}

fn correlations(c: &mut Criterion) {
    let mut group = c.benchmark_group("planar_correlations");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    for l in [16, 32, 64] {
        let model = Ising::plus_minus_splitmix(l, l, 1).expect("a lattice");
        group.throughput(Throughput::Elements((l * l) as u64));
        group.bench_with_input(BenchmarkId::new("solve", l), &model, |b, model| {
            b.iter(|| Planar::default().solve(black_box(model), 1.0, Quantities::all(), &mut ()).expect("planar"));
        });
    }
    group.finish();
}

fn sampling(c: &mut Criterion) {
    let mut group = c.benchmark_group("planar_sampling");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    for l in [16, 32, 64] {
        let model = Ising::plus_minus_splitmix(l, l, 1).expect("a lattice");
        let sampler = PlanarSampler::new(&Planar::default(), &model, 1.0).expect("planar");
        let mut rng = Streams::new(1).stream(l as u64);
        group.throughput(Throughput::Elements(1));
        group.bench_with_input(BenchmarkId::new("pm_j_beta_1", l), &sampler, |b, sampler| {
            b.iter(|| sampler.sample(&mut rng).expect("digits"));
        });
    }
    group.finish();
}

fn torus_correlations(c: &mut Criterion) {
    let mut group = c.benchmark_group("planar_torus_correlations");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    for l in [16, 32] {
        let lattice = Lattice::square(l, Boundary::Periodic).expect("a lattice");
        let mut rng = Streams::new(1).stream(l as u64);
        let model = Ising::edwards_anderson(&lattice, Disorder::plus_minus(), &mut rng).expect("a lattice");
        group.throughput(Throughput::Elements((l * l) as u64));
        group.bench_with_input(BenchmarkId::new("solve", l), &model, |b, model| {
            b.iter(|| Planar::default().solve(black_box(model), 1.0, Quantities::all(), &mut ()).expect("planar"));
        });
    }
    group.finish();
}

fn ground_state(c: &mut Criterion) {
    let mut group = c.benchmark_group("planar_ground_state");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    for l in [16, 32, 64, 140, 200] {
        let lattice = Lattice::square(l, Boundary::Free).expect("a lattice");
        for (name, disorder) in [("pm_j", Disorder::plus_minus()), ("gaussian", Disorder::gaussian())] {
            let mut rng = Streams::new(1).stream(l as u64);
            let model = Ising::edwards_anderson(&lattice, disorder, &mut rng).expect("a lattice");
            let plan = PlanarGroundState::default().prepare(&model).expect("planar");
            group.throughput(Throughput::Elements((l * l) as u64));
            group.bench_with_input(BenchmarkId::new(name, l), &plan, |b, plan| {
                b.iter(|| plan.find().expect("a ground state"));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, ln_z, plan, correlations, torus_correlations, sampling, ground_state);
criterion_main!(benches);
