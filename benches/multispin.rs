//! Packed engines: attempted flips a second on every instruction set.
//!
//! `cargo bench --bench multispin`; criterion prints Gelem/s, which is flips per nanosecond. Measurements and exchanges are
//! inside where the name says so, set-up never.

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use linalg_core::Streams;
use spin_models::mcmc::multispin::{
    DisorderSamples, HypercubicLattice, InstructionSet, Replicas, SquareLattice, TemperingLadders,
};
use spin_models::mcmc::{Dynamics, Observables};
use spin_models::{Boundary, Disorder, Ising, Lattice, Simulation};

const SEED: u64 = 20_240_501;

/// The transition of the square lattice, ln(1 + √2) / 2.
const CRITICAL: f64 = 0.440_686_793_509_771_5;

/// That of the simple cubic lattice (A. M. Ferrenberg, J. Xu and D. P. Landau, Phys. Rev. E 97, 043301 (2018)).
const CRITICAL_CUBIC: f64 = 0.221_654_6;

fn glass(lattice: &Lattice, sample: u64) -> Ising {
    let mut rng = Streams::new(SEED).stream(sample);
    Ising::edwards_anderson(lattice, Disorder::plus_minus(), &mut rng).expect("a valid model")
}

fn cubic(l: usize) -> Lattice {
    Lattice::cubic(l, Boundary::Periodic).expect("a valid lattice")
}

fn square(l: usize) -> Lattice {
    Lattice::square(l, Boundary::Periodic).expect("a valid lattice")
}

fn group<'a>(c: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = c.benchmark_group(name);
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_millis(1500)).sample_size(20);
    group
}

/// Times sweeps on every instruction set, about a million updates a call.
fn time<T: Simulation>(group: &mut BenchmarkGroup<'_, WallTime>, id: &str, new: impl Fn(InstructionSet) -> T) {
    for set in InstructionSet::ALL.into_iter().rev().filter(|set| set.is_available()) {
        let mut simulation = new(set);
        let updates = (simulation.n_spins() * simulation.n_lanes()) as u64;
        let sweeps = ((1 << 20) / updates).max(1);
        simulation.advance(20, &mut ());
        group.throughput(Throughput::Elements(sweeps * updates));
        group.bench_function(BenchmarkId::new(id, set.name()), |b| {
            b.iter(|| black_box(simulation.advance(sweeps, &mut ())));
        });
    }
}

fn lattices(c: &mut Criterion) {
    let mut group = group(c, "multispin_lattice");
    for dynamics in [Dynamics::Metropolis, Dynamics::HeatBath] {
        let lengths: &[usize] = if dynamics == Dynamics::Metropolis { &[64, 1000, 1024, 4096] } else { &[1024] };
        for &l in lengths {
            time(&mut group, &format!("{dynamics:?}/{l}"), |set| {
                let lattice = SquareLattice::torus([l, l], 1.0, dynamics, CRITICAL, Streams::new(SEED), 0);
                let mut lattice = lattice.expect("an even lattice").with_instructions(set).expect("available");
                lattice.set_spins(&vec![1; l * l]);
                lattice
            });
        }
    }
    let free = Lattice::square(512, Boundary::Free).expect("a valid lattice");
    for (name, model) in [("plus_minus/512", glass(&square(512), 0)), ("free_plus_minus/512", glass(&free, 0))] {
        time(&mut group, name, |set| {
            let lattice = SquareLattice::new(&model, [512, 512], Dynamics::Metropolis, 1.0, Streams::new(SEED), 0);
            lattice.expect("a square lattice").with_instructions(set).expect("available")
        });
    }
    group.finish();
}

/// One lattice on one and two threads, about 40 million updates a call.
fn threads(c: &mut Criterion) {
    let mut group = group(c, "multispin_threads");
    let lengths: [&[usize]; 6] =
        [&[1024, 1024], &[2048, 2048], &[4096, 4096], &[4000, 4000], &[128, 128, 128], &[256, 256, 256]];
    for lengths in lengths {
        for threads in [1, 2] {
            let (dynamics, streams) = (Dynamics::Metropolis, Streams::new(SEED));
            let beta = if lengths.len() == 2 { CRITICAL } else { CRITICAL_CUBIC };
            let lattice = HypercubicLattice::torus(lengths, 1.0, dynamics, beta, streams, 0);
            let mut lattice = lattice.expect("even lengths").with_threads(threads);
            let n = lattice.n_spins() as u64;
            let sweeps = (40_000_000 / n).max(1);
            lattice.advance(20, &mut ());
            group.throughput(Throughput::Elements(sweeps * n));
            let lengths: Vec<String> = lengths.iter().map(usize::to_string).collect();
            let id = BenchmarkId::new(lengths.join("x"), threads);
            group.bench_function(id, |b| b.iter(|| black_box(lattice.advance(sweeps, &mut ()))));
        }
    }
    group.finish();
}

/// One lattice in three and four dimensions.
fn hypercubic(c: &mut Criterion) {
    let mut group = group(c, "multispin_hypercubic");
    let lengths: [&[usize]; 4] = [&[64; 3], &[128; 3], &[100; 3], &[32; 4]];
    for lengths in lengths {
        let name: Vec<String> = lengths.iter().map(usize::to_string).collect();
        let name = name.join("x");
        let streams = Streams::new(SEED);
        time(&mut group, &format!("ferromagnet/{name}"), |set| {
            let beta = if lengths.len() == 3 { CRITICAL_CUBIC } else { 0.15 };
            let lattice = HypercubicLattice::torus(lengths, 1.0, Dynamics::Metropolis, beta, streams, 0);
            lattice.expect("even lengths").with_instructions(set).expect("available")
        });
    }
    let model = glass(&cubic(64), 0);
    time(&mut group, "plus_minus/64x64x64", |set| {
        let lattice = HypercubicLattice::new(&model, [64; 3], Dynamics::Metropolis, 0.9, Streams::new(SEED), 0);
        lattice.expect("a cubic lattice").with_instructions(set).expect("available")
    });
    group.finish();
}

fn replicas(c: &mut Criterion) {
    let mut group = group(c, "multispin_replicas");
    let random = Lattice::random_regular(1000, 3, &mut Streams::new(SEED).stream(0)).expect("a valid graph");
    let instances = [("square/16", square(16), 0.8), ("cubic/8", cubic(8), 0.9), ("regular3/1000", random, 0.9)];
    for (name, lattice, beta) in instances {
        let model = glass(&lattice, 0);
        for n in [512, 64] {
            time(&mut group, &format!("{name}/{n}"), |set| {
                let replicas = Replicas::new(&model, n, Dynamics::Metropolis, beta, Streams::new(SEED), 0);
                replicas.expect("integer couplings").with_instructions(set).expect("available")
            });
        }
    }
    group.finish();
}

fn samples(c: &mut Criterion) {
    let mut group = group(c, "multispin_samples");
    for (name, lattice, beta) in
        [("square/16", square(16), 0.8), ("square/32", square(32), 0.8), ("cubic/8", cubic(8), 0.9)]
    {
        let samples: Vec<Ising> = (0..512).map(|sample| glass(&lattice, sample)).collect();
        time(&mut group, name, |set| {
            let simulation = DisorderSamples::new(&samples, Dynamics::Metropolis, beta, Streams::new(SEED), 0);
            simulation.expect("integer couplings").with_instructions(set).expect("available")
        });
    }
    group.finish();
}

/// With an exchange of all temperatures after every sweep.
fn tempering(c: &mut Criterion) {
    let mut group = group(c, "multispin_tempering");
    for (l, temperatures) in [(8, 32), (10, 24)] {
        let model = glass(&cubic(l), 0);
        // Temperatures 0.4 to 2.5 in equal ratios.
        let beta = |t: usize| 1.0 / (2.5 * (0.4f64 / 2.5).powf(t as f64 / (temperatures - 1) as f64));
        let betas: Vec<f64> = (0..temperatures).map(beta).collect();
        let ladders = 512 / temperatures;
        time(&mut group, &format!("cubic/{l}/{temperatures}"), |set| {
            let ladders = TemperingLadders::new(&model, &betas, ladders, Dynamics::Metropolis, Streams::new(SEED), 0);
            ladders.expect("integer couplings").with_instructions(set).expect("available")
        });
    }
    group.finish();
}

fn measurements(c: &mut Criterion) {
    let mut group = group(c, "multispin_measure");
    let model = glass(&cubic(8), 0);
    for set in InstructionSet::ALL.into_iter().rev().filter(|set| set.is_available()) {
        let replicas = Replicas::new(&model, 512, Dynamics::Metropolis, 0.9, Streams::new(SEED), 0);
        let mut replicas = replicas.expect("integer couplings").with_instructions(set).expect("available");
        replicas.advance(20, &mut ());
        group.throughput(Throughput::Elements(512 * 512));
        group.bench_function(BenchmarkId::new("energies", set.name()), |b| b.iter(|| black_box(replicas.energies())));
        let mut averages = Observables::new(512, 512);
        group.bench_function(BenchmarkId::new("record", set.name()), |b| b.iter(|| replicas.measure(&mut averages)));
    }
    group.finish();
}

criterion_group!(benches, lattices, threads, hypercubic, replicas, samples, tempering, measurements);
criterion_main!(benches);
