//! Single-spin Monte Carlo: attempted flips a second of every kernel.
//!
//! `cargo bench --bench monte_carlo`; criterion prints Gelem/s, which is flips per nanosecond.

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use linalg_core::Streams;
use spin_models::mcmc::{Chain, ColoredChain, Coloring, Dynamics, HeatBath, Metropolis, Observables, Order};
use spin_models::{Boundary, CachedModel, Disorder, Ising, Lattice, MarkovKernel, SherringtonKirkpatrick, Simulation};

const SEED: u64 = 20_240_501;

fn square(l: usize) -> Ising {
    Ising::square(l, Boundary::Periodic, 1.0).expect("a valid lattice")
}

/// A ±J model on a random graph of degree 3, at the spin-glass transition of that ensemble, β = atanh(1/√2).
fn random_graph(n: usize) -> (Ising, f64) {
    let mut rng = Streams::new(SEED).stream(0);
    let graph = Lattice::random_regular(n, 3, &mut rng).expect("a valid graph");
    let model = Ising::edwards_anderson(&graph, Disorder::plus_minus(), &mut rng).expect("a valid model");
    (model, 0.5f64.sqrt().atanh())
}

fn time<M: CachedModel, K: MarkovKernel<M> + Clone>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    id: BenchmarkId,
    model: M,
    kernel: K,
    beta: f64,
) {
    group.throughput(Throughput::Elements(model.n_spins() as u64));
    let mut chain = Chain::new(model, kernel, beta, Streams::new(SEED), 0).expect("a valid temperature");
    chain.advance(300, &mut ());
    group.bench_function(id, |b| b.iter(|| black_box(chain.advance(1, &mut ()))));
}

fn spin_flips(c: &mut Criterion) {
    let mut group = c.benchmark_group("spin_flips");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2)).sample_size(30);
    for l in [64, 256] {
        let model = square(l);
        let checkerboard = Coloring::checkerboard(&model).expect("an even lattice");
        let orders = [
            ("sequential", Order::Sequential),
            ("random", Order::Random),
            ("checkerboard", Order::Colored(checkerboard)),
        ];
        for (name, order) in orders {
            let id = |kernel: &str| BenchmarkId::new(format!("{kernel}_{name}_square"), l);
            time(&mut group, id("metropolis"), &model, Metropolis::new(order.clone()), 0.44);
            time(&mut group, id("heat_bath"), &model, HeatBath::new(order), 0.44);
        }
    }
    let (glass, beta) = random_graph(4096);
    time(&mut group, BenchmarkId::new("metropolis_regular3", 4096), &glass, Metropolis::default(), beta);
    time(&mut group, BenchmarkId::new("heat_bath_regular3", 4096), &glass, HeatBath::default(), beta);
    let dense = SherringtonKirkpatrick::gaussian(1000, &mut Streams::new(SEED).stream(1)).expect("a valid model");
    for beta in [0.5, 2.0] {
        let id = BenchmarkId::new(format!("metropolis_sk_beta{beta}"), 1000);
        time(&mut group, id, &dense, Metropolis::default(), beta);
    }
    group.finish();
}

/// One chain of a Gaussian glass: with local fields kept, and coloured on one and two threads; 200000 updates a call.
fn threads(c: &mut Criterion) {
    let mut group = c.benchmark_group("threads");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2)).sample_size(30);
    for l in [12, 16, 24, 32, 64] {
        let lattice = Lattice::cubic(l, Boundary::Periodic).expect("a valid lattice");
        let mut rng = Streams::new(SEED).stream(2);
        let model = Ising::edwards_anderson(&lattice, Disorder::gaussian(), &mut rng).expect("a valid model");
        let coloring = Coloring::checkerboard(&model).expect("an even lattice");
        let streams = Streams::new(SEED);
        let chain = Chain::new(&model, Metropolis::default(), 1.0, streams, 0).expect("a temperature");
        let colored = ColoredChain::new(&model, &coloring, Dynamics::Metropolis, 1.0, streams, 0);
        let colored = colored.expect("a checkerboard");
        let simulations: [(&str, Box<dyn Simulation>); 3] = [
            ("chain", Box::new(chain)),
            ("coloured_1", Box::new(colored.clone())),
            ("coloured_2", Box::new(colored.with_threads(2))),
        ];
        let n = model.fields().len() as u64;
        let sweeps = (200_000 / n).max(1);
        group.throughput(Throughput::Elements(sweeps * n));
        for (name, mut simulation) in simulations {
            simulation.advance(100, &mut ());
            let id = BenchmarkId::new(format!("{name}_cubic_gaussian"), l);
            group.bench_function(id, |b| b.iter(|| black_box(simulation.advance(sweeps, &mut ()))));
        }
    }
    group.finish();
}

fn measurement(c: &mut Criterion) {
    let mut group = c.benchmark_group("measurement");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2)).sample_size(30);
    let model = square(64);
    group.throughput(Throughput::Elements(4096));
    let mut chain = Chain::new(&model, Metropolis::default(), 0.44, Streams::new(SEED), 0).expect("a temperature");
    let shapes = [
        ("totals", Observables::new(4096, 1)),
        ("sites_and_pairs", Observables::new(4096, 1).with_sites().with_coupled_pairs(&model)),
    ];
    for (name, mut averages) in shapes {
        group.bench_function(BenchmarkId::new("chain_square64", name), |b| b.iter(|| chain.measure(&mut averages)));
    }
    group.finish();
}

criterion_group!(benches, spin_flips, threads, measurement);
criterion_main!(benches);
