//! Cluster updates at the critical point: nanoseconds per site of a decomposition, per turned spin of Wolff clusters,
//! and per site of an exchange of overlap clusters.
//!
//! Elements are sites for `swendsen_wang` and `houdayer` and turned spins for `wolff`: the reciprocal of the throughput
//! is the figure to compare. Each measurement of Wolff clusters times as many clusters as turn the number of spins
//! asked for, since their sizes differ by orders of magnitude.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use linalg_core::Streams;
use linalg_core::rand::RngExt;
use spin_models::mcmc::Metropolis;
use spin_models::mcmc::cluster::{Houdayer, SwendsenWang, TorusSwendsenWang, TorusWolff, UniformTorus, Wolff};
use spin_models::{CachedModel, EnergyModel, Ising, Lattice, MarkovKernel, Spins};

const SQUARE: f64 = 0.440_686_793_509_771_5;
const CUBIC: f64 = 0.221_654_626;

/// Sweeps of Swendsen-Wang before anything is timed, from all spins up.
const EQUILIBRATION: usize = 30;

fn equilibrated(torus: &UniformTorus, beta: f64) -> Spins {
    let mut kernel = TorusSwendsenWang::new(torus, beta).expect("a finite beta");
    let mut spins = Spins::up(torus.n_spins());
    let mut rng = Streams::new(1).fast_stream(0);
    for _ in 0..EQUILIBRATION {
        kernel.sweep(torus, beta, &mut spins, &mut (), &mut rng);
    }
    spins
}

/// Time of clusters that turn `iterations * unit` spins, scaled to exactly that number.
fn time_turned(iterations: u64, unit: u64, mut turn: impl FnMut() -> u64) -> Duration {
    let wanted = iterations * unit;
    let mut turned = 0;
    let start = Instant::now();
    while turned < wanted {
        turned += turn();
    }
    start.elapsed().mul_f64(wanted as f64 / turned as f64)
}

fn torus(c: &mut Criterion) {
    let mut group = c.benchmark_group("cluster_updates");
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    let square = [128, 512, 1024].map(|l| (format!("square_L{l}"), vec![l, l], SQUARE));
    let cubic = [32, 128].map(|l| (format!("cubic_L{l}"), vec![l, l, l], CUBIC));
    for (name, lengths, beta) in square.into_iter().chain(cubic) {
        let model = UniformTorus::new(&lengths, 1.0).expect("a lattice");
        let n = model.n_spins() as u64;
        let start = equilibrated(&model, beta);
        let mut rng = Streams::new(2).fast_stream(0);
        group.throughput(Throughput::Elements(n));
        group.bench_function(BenchmarkId::new("swendsen_wang", &name), |b| {
            let mut kernel = TorusSwendsenWang::new(&model, beta).expect("a finite beta");
            let mut spins = start.clone();
            b.iter(|| black_box(kernel.sweep(&model, beta, &mut spins, &mut (), &mut rng)));
        });
        // As many turned spins as there are sites in an iteration.
        group.bench_function(BenchmarkId::new("wolff", &name), |b| {
            let mut kernel = TorusWolff::new(&model, beta).expect("a finite beta");
            let mut spins = start.clone();
            b.iter_custom(|iterations| {
                time_turned(iterations, n, || kernel.sweep(&model, beta, &mut spins, &mut (), &mut rng).flipped)
            });
        });
    }
    group.finish();
}

/// The kernels for any graph, with their local fields, on the square lattice.
fn graph(c: &mut Criterion) {
    let mut group = c.benchmark_group("cluster_updates");
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    let torus = UniformTorus::new(&[128, 128], 1.0).expect("a lattice");
    let model = torus.to_ising().expect("finite couplings");
    let n = model.n_spins() as u64;
    let start = equilibrated(&torus, SQUARE);
    let mut rng = Streams::new(3).fast_stream(0);
    group.throughput(Throughput::Elements(n));
    group.bench_function("graph_swendsen_wang/square_L128", |b| {
        let mut kernel = SwendsenWang::new(&model, SQUARE).expect("a finite beta");
        let mut spins = start.clone();
        let mut cache = model.cache(&spins);
        b.iter(|| black_box(kernel.sweep(&model, SQUARE, &mut spins, &mut cache, &mut rng)));
    });
    group.bench_function("graph_wolff/square_L128", |b| {
        let mut kernel = Wolff::new(&model, SQUARE).expect("a finite beta");
        let mut spins = start.clone();
        let mut cache = model.cache(&spins);
        b.iter_custom(|iterations| {
            time_turned(iterations, n, || kernel.sweep(&model, SQUARE, &mut spins, &mut cache, &mut rng).flipped)
        });
    });
    group.finish();
}

/// A spin glass on a random 3-regular graph, N = 4096, ±J, near its transition (β = atanh(1/√2) = 0.8814).
fn houdayer(c: &mut Criterion) {
    let mut group = c.benchmark_group("cluster_updates");
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    let n = 4096;
    let beta = 0.88;
    let mut rng = Streams::new(4).fast_stream(0);
    let lattice = Lattice::random_regular(n, 3, &mut rng).expect("a graph");
    let signs: Vec<f64> = lattice.edges().map(|_| if rng.random::<bool>() { 1.0 } else { -1.0 }).collect();
    let model = Ising::on_lattice(&lattice, &signs).expect("finite couplings");
    let mut replicas: Vec<Vec<i8>> = (0..2).map(|_| Spins::random(n, &mut rng).into_vec()).collect();
    let mut caches: Vec<Vec<f64>> = replicas.iter().map(|spins| model.cache(spins)).collect();
    let mut metropolis = Metropolis::default();
    for _ in 0..200 {
        for (spins, cache) in replicas.iter_mut().zip(&mut caches) {
            metropolis.sweep(&model, beta, spins, cache, &mut rng);
        }
    }
    group.throughput(Throughput::Elements(n as u64));
    let mut kernel = Houdayer::isoenergetic();
    group.bench_function("houdayer/regular3_N4096", |b| {
        b.iter(|| {
            // New replicas now and then: the move itself keeps the overlap.
            black_box(kernel.replicas(&model, &mut replicas, &mut caches, &mut rng))
        });
    });
    group.finish();
}

criterion_group!(benches, torus, graph, houdayer);
criterion_main!(benches);
