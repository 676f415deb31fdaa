//! At which error rate can the toric code no longer be decoded, read off a phase transition?
//!
//! Bit flips with probability p on the toric code make a spin model with one spin a plaquette: couplings K_p, negative where a
//! flip happened, at β = 1. Errors and spins together then follow one law, the Nishimori line: below the threshold the spins keep
//! the order of the error that happened, so that its class is known; above it they do not. The Binder cumulants of different
//! sizes cross at the threshold. All samples are simulated twice, from all spins up and from random spins: m² comes down in the one
//! and goes up in the other, and the two must have met: the last column says by how many percent they differ.
//!
//! ```text
//! cargo run --release --example nishimori
//! cargo run --release --example nishimori -- --sizes 8,12,16,24 --samples 8192 --sweeps 100000 --threads 4
//! cargo run --release --example nishimori -- --quick --json
//! ```
//!
//! Noise: independent bit flips, perfect measurements, decoded by the most likely class. Published thresholds are 0.1092 to
//! 0.1094 (the Nishimori point of the two-dimensional random-bond Ising model: Honecker, Picco and Pujol, Phys. Rev. Lett. 87,
//! 047201 (2001); Merz and Chalker, Phys. Rev. B 65, 054425 (2002)). Crossings of small sizes lie near it, not on it. The energy
//! of a bond is exactly K_p (2p - 1) on the line for every size, which checks the simulation.

mod report;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use linalg_core::stats::{Estimate, jackknife};
use linalg_core::{Observer, Streams};
use quantum_ec::code::{self, CssCode, Kind};
use quantum_ec::dem::Sampler;
use quantum_ec::noise::css_problem;
use quantum_ec::statmech::CosetModel;
use spin_models::mcmc::Dynamics;
use spin_models::mcmc::multispin::DisorderSamples;
use spin_models::{EnergyModel, Ising, Progress, Simulation};
use workspace_examples::exit;
use workspace_examples::progress::Bar;

/// Measurements at most.
const MEASUREMENTS: u64 = 400;

type Failure = Box<dyn std::error::Error>;

/// The threshold of the toric code as a phase transition.
#[derive(Debug, Clone, Parser)]
#[command(name = "nishimori", version)]
struct Args {
    /// Linear sizes, two or more.
    #[arg(long, value_delimiter = ',', default_values_t = [6, 8, 12])]
    sizes: Vec<usize>,
    /// Error rates.
    #[arg(long, value_delimiter = ',', default_values_t = [0.095, 0.1, 0.105, 0.11, 0.115, 0.12])]
    p: Vec<f64>,
    /// Samples of errors at every size and rate; 512 cost as much as one.
    #[arg(long, default_value_t = 8192, value_parser = clap::value_parser!(u64).range(2..=1_000_000))]
    samples: u64,
    /// Measured sweeps; as many come first.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    sweeps: u64,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads; the numbers do not depend on it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,
    /// Sizes 4, 6, 8 and 512 samples.
    #[arg(long)]
    quick: bool,
    /// Where to draw; `target/figures/nishimori.svg` by default.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// JSON objects, one a line, instead of the table.
    #[arg(long)]
    json: bool,
}

/// What was measured at one size and rate.
struct Point {
    l: usize,
    p: f64,
    binder: Estimate,
    /// Mean of -E/(K bonds) - (1 - 2p), zero on the line.
    identity: Estimate,
    /// m² from all spins up over m² from random spins, less one: zero in equilibrium but for thermal noise, which the samples of
    /// a block share.
    starts: f64,
}

/// The models of as many errors: the same couplings with other signs.
fn models(code: &CssCode, p: f64, samples: usize, streams: &Streams) -> Result<Vec<Ising>, Failure> {
    let problem = css_problem(code, Kind::X, vec![p; code.n_qubits()])?;
    // One spin a plaquette: all X stabilizers, although their product is the identity.
    let plaquettes: Vec<Vec<usize>> = code.hx().rows().map(|row| row.iter_ones().collect()).collect();
    let coset = CosetModel::with_generators(&problem, &plaquettes)?;
    let errors = Sampler::new(&problem).with_mechanisms().sample(samples, streams).mechanisms.ok_or("no mechanisms")?;
    let mut models = Vec::with_capacity(samples);
    for shot in 0..samples {
        let error = linalg_core::gf2::BitVec::from_words(errors.row(shot).to_vec(), problem.n_mechanisms())?;
        models.push(coset.with_representative(&error)?.to_ising()?);
    }
    Ok(models)
}

fn measure(args: &Args, l: usize, p: f64, unit: u64) -> Result<Point, Failure> {
    let streams = Streams::new(args.seed).child(unit);
    let code = CssCode::from_stabilizer(&code::parse(&format!("toric:{l}"))?).ok_or("the toric code is CSS")?;
    let samples = args.samples as usize;
    let models = models(&code, p, samples, &streams.child(0))?;
    let (n, bonds) = (models[0].n_spins(), models[0].n_couplings());
    let up = vec![1; n];
    let sum_of_couplings = |model: &Ising| model.couplings().map(|(.., j)| j).sum::<f64>();
    let offsets: Vec<f64> = models.iter().map(|model| model.energy(&up) + sum_of_couplings(model)).collect();
    let k = 0.5 * ((1.0 - p) / p).ln();
    let interval = args.sweeps.div_ceil(MEASUREMENTS);
    let rounds = args.sweeps / interval;
    // m², m⁴ and the mean bond over both starts, and half the difference of m².
    let mut means = vec![[0.0; 4]; samples];
    for (start, sign) in [(1, -1.0), (2, 1.0)] {
        let mut simulation = DisorderSamples::new(&models, Dynamics::HeatBath, 1.0, streams.child(start), 0)?
            .with_threads(usize::from(args.threads));
        if start == 2 {
            (0..samples).for_each(|sample| simulation.set_spins(sample, &up));
        }
        simulation.advance(args.sweeps, &mut ());
        for _ in 0..rounds {
            simulation.advance(interval, &mut ());
            let observed = simulation.magnetizations().into_iter().zip(simulation.energies());
            for ((mean, (m, energy)), offset) in means.iter_mut().zip(observed).zip(&offsets) {
                let m2 = (m as f64 / n as f64).powi(2);
                let bond = -(energy - offset) / (k * bonds as f64);
                for (sum, x) in mean.iter_mut().zip([m2 / 2.0, m2 * m2 / 2.0, bond / 2.0, sign * m2 / 2.0]) {
                    *sum += x / rounds as f64;
                }
            }
        }
    }
    // Thermal noise is shared among the samples of a block, disorder is not: errors from the scatter of samples.
    let rows: Vec<f64> = means.iter().flatten().copied().collect();
    let estimate = |function: &dyn Fn(&[f64]) -> f64| {
        jackknife(&rows, 4, function).map(|found| Estimate::new(found.value, found.std_error))
    };
    let binder = estimate(&|means| 1.0 - means[1] / (3.0 * means[0] * means[0]))?;
    let identity = estimate(&|means| means[2] - (1.0 - 2.0 * p))?;
    let [random, up] = [-1.0, 1.0].map(|sign| means.iter().map(|mean| mean[0] + sign * mean[3]).sum::<f64>());
    Ok(Point { l, p, binder, identity, starts: up / random - 1.0 })
}

fn run(mut args: Args) -> Result<(), Failure> {
    if args.quick {
        (args.sizes, args.samples, args.sweeps) = (vec![4, 6, 8], args.samples.min(512), args.sweeps.min(4000));
    }
    args.sizes.sort_unstable();
    args.sizes.dedup();
    if args.sizes.len() < 2 || args.sizes[0] < 3 {
        return Err(format!("--sizes is {:?}, expected two or more different sizes of at least 3", args.sizes).into());
    }
    if args.p.len() < 3 || args.p.iter().any(|p| !(*p > 0.0 && *p < 0.5)) {
        return Err(format!("--p is {:?}, expected three or more rates between 0 and 1/2", args.p).into());
    }
    let mut bar = Bar::new("sizes and rates");
    let total = (args.sizes.len() * args.p.len()) as u64;
    let mut points = Vec::new();
    for &l in &args.sizes {
        for &p in &args.p {
            points.push(measure(&args, l, p, points.len() as u64)?);
            if let ControlFlow::Break(()) = bar.observe(&Progress::new("points", points.len() as u64, total)) {
                break;
            }
        }
    }
    bar.finish();
    report::report(&args, &points)
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
