//! Simulated annealing: attempted flips a second of every engine, planning and the final descent included.
//!
//! `cargo bench --bench annealing`; criterion prints Gelem/s, which is flips per nanosecond. Ranges of β are those of
//! `benches/compare/annealing.py`. Reads are short: at full length a smaller part of the time goes to planning.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use linalg_core::Streams;
use spin_models::mcmc::{Annealer, AnnealingEngine, AnnealingParams};
use spin_models::{Boundary, CachedModel, Disorder, Ising, Lattice, PairwiseModel, SherringtonKirkpatrick};

const SEED: u64 = 20_240_501;
const SWEEPS: u64 = 200;

fn time<M: PairwiseModel + CachedModel + Sync>(
    c: &mut Criterion,
    name: &str,
    model: &M,
    engine: AnnealingEngine,
    reads: u64,
    range: (f64, f64),
) {
    let mut group = c.benchmark_group("annealing");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3)).sample_size(10);
    group.throughput(Throughput::Elements(reads * SWEEPS * model.n_spins() as u64));
    let params = AnnealingParams::default().with_reads(reads).with_sweeps(SWEEPS).with_range(range.0, range.1);
    group.bench_function(BenchmarkId::new(format!("{}_{name}", engine.name()), reads), |b| {
        b.iter(|| {
            let annealer =
                Annealer::with_engine(model, params.clone(), Streams::new(SEED), engine).expect("it applies");
            black_box(annealer.run(&mut (), &mut ()).expect("there is memory").energy)
        });
    });
    group.finish();
}

fn annealing(c: &mut Criterion) {
    let mut rng = Streams::new(SEED).stream(0);
    let sk = SherringtonKirkpatrick::gaussian(1000, &mut rng).expect("a valid model");
    for reads in [1, 16] {
        time(c, "sk1000", &sk, AnnealingEngine::Dense, reads, (0.2, 20.0));
    }
    time(c, "sk1000", &sk, AnnealingEngine::SingleSpin, 1, (0.2, 20.0));
    let cubic = Lattice::cubic(10, Boundary::Periodic).expect("a valid lattice");
    let glass = Ising::edwards_anderson(&cubic, Disorder::plus_minus(), &mut rng).expect("a valid model");
    time(c, "cubic10", &glass, AnnealingEngine::SingleSpin, 4, (0.1, 4.0));
    for reads in [64, 512] {
        time(c, "cubic10", &glass, AnnealingEngine::Multispin, reads, (0.1, 4.0));
    }
}

criterion_group!(benches, annealing);
criterion_main!(benches);
