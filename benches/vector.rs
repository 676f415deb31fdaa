//! Many replicas with real couplings: attempted flips a second on every instruction set.
//!
//! `cargo bench --bench vector`; criterion prints Gelem/s, which is flips per nanosecond.

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use linalg_core::Streams;
use spin_models::mcmc::multispin::InstructionSet;
use spin_models::mcmc::vector::{VectorLadders, VectorReplicas};
use spin_models::mcmc::{Chain, Dynamics, HeatBath, Ladder, Metropolis, ParallelTempering, ParallelTemperingParams};
use spin_models::{Boundary, Disorder, Ising, Lattice, Simulation};

const SEED: u64 = 20_240_501;

/// Gaussian couplings on a cubic torus.
fn cubic(l: usize) -> Ising {
    let lattice = Lattice::cubic(l, Boundary::Periodic).expect("a valid lattice");
    Ising::edwards_anderson(&lattice, Disorder::gaussian(), &mut Streams::new(SEED).stream(0)).expect("a valid model")
}

/// Gaussian couplings on a random graph of degree 3.
fn random_graph(n: usize) -> Ising {
    let mut rng = Streams::new(SEED).stream(0);
    let graph = Lattice::random_regular(n, 3, &mut rng).expect("a valid graph");
    Ising::edwards_anderson(&graph, Disorder::gaussian(), &mut rng).expect("a valid model")
}

fn time(group: &mut BenchmarkGroup<'_, WallTime>, id: BenchmarkId, mut simulation: impl Simulation) {
    group.throughput(Throughput::Elements(10 * (simulation.n_spins() * simulation.n_lanes()) as u64));
    simulation.advance(100, &mut ());
    group.bench_function(id, |b| b.iter(|| black_box(simulation.advance(10, &mut ()))));
}

fn flips(c: &mut Criterion) {
    let mut group = c.benchmark_group("vector_flips");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1)).sample_size(20);
    let (model, streams) = (cubic(8), Streams::new(SEED));
    let single = "cubic8_beta0.9_chain";
    let chain = Chain::new(&model, Metropolis::default(), 0.9, streams, 0).expect("a temperature");
    time(&mut group, BenchmarkId::new(single, "metropolis"), chain);
    let chain = Chain::new(&model, HeatBath::default(), 0.9, streams, 0).expect("a temperature");
    time(&mut group, BenchmarkId::new(single, "heat_bath"), chain);
    for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
        for (name, dynamics) in [("metropolis", Dynamics::Metropolis), ("heat_bath", Dynamics::HeatBath)] {
            let replicas = VectorReplicas::new(&model, 64, dynamics, 0.9, streams, 0).expect("memory");
            let replicas = replicas.with_instructions(set).expect("an available set");
            time(&mut group, BenchmarkId::new(format!("cubic8_beta0.9_64_{name}"), set.name()), replicas);
        }
        let graph = random_graph(1000);
        let replicas = VectorReplicas::new(&graph, 64, Dynamics::Metropolis, 1.0, streams, 0).expect("memory");
        let replicas = replicas.with_instructions(set).expect("an available set");
        time(&mut group, BenchmarkId::new("regular3_1000_beta1_64_metropolis", set.name()), replicas);
        let betas: Vec<f64> = (1..=16).map(|t| 0.1 * f64::from(t)).collect();
        let ladders = VectorLadders::new(&model, &betas, 4, Dynamics::Metropolis, streams, 0).expect("memory");
        let ladders = ladders.with_instructions(set).expect("an available set");
        time(&mut group, BenchmarkId::new("cubic8_4_ladders_16_metropolis", set.name()), ladders);
    }
    let ladder = Ladder::linear(0.1, 1.6, 16).expect("temperatures");
    let params = ParallelTemperingParams::default().with_sets(2);
    let tempering = ParallelTempering::new(&model, Metropolis::default(), ladder, params, streams).expect("memory");
    time(&mut group, BenchmarkId::new("cubic8_2_ladders_16", "parallel_tempering"), tempering);
    let large = VectorReplicas::new(&cubic(32), 16, Dynamics::Metropolis, 0.9, streams, 0).expect("memory");
    time(&mut group, BenchmarkId::new("cubic32_beta0.9_16_metropolis", large.instructions().name()), large);
    group.finish();
}

criterion_group!(benches, flips);
criterion_main!(benches);
