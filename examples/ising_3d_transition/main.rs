//! Where is the transition of the three-dimensional Ising model, and does its magnetization scale?
//!
//! Swendsen-Wang on L x L x L tori at three inverse temperatures near the transition for every L, joined by
//! multi-histogram reweighting into curves. The Binder cumulants U = 1 - <m⁴>/3<m²>² of different sizes cross near K_c,
//! at a K that approaches it as L^(-1/ν-ω); a fit of that form to the crossings of successive sizes extrapolates. With
//! ν and β/ν from the conformal bootstrap, |m| L^(β/ν) against (K - K_c) L^(1/ν) falls on one curve.
//!
//! ```text
//! cargo run --release --example ising_3d_transition
//! cargo run --release --example ising_3d_transition -- --sizes 8,16,32 --sweeps 50000 --threads 4
//! cargo run --release --example ising_3d_transition -- --quick --json
//! ```
//!
//! The defaults take about 20 s on one core. Crossings are printed beside K_c = 0.22165463 (Ferrenberg, Xu and Landau,
//! Phys. Rev. E 97, 043301 (2018)), those of small sizes above it by their corrections to scaling; the extrapolated
//! value agrees within its error. Exponents: Kos, Poland, Simmons-Duffin and Vichi, JHEP 08, 036 (2016).

mod analysis;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use linalg_core::Streams;
use spin_models::mcmc::cluster::{TorusSwendsenWang, UniformTorus};
use spin_models::mcmc::{Chain, EnergySeries, Mbar, ReweightingParams};
use spin_models::{Progress, Simulation};
use workspace_examples::exit;
use workspace_examples::progress::Bar;

/// Critical coupling of the simple cubic lattice.
const K_C: f64 = 0.221_654_63;
/// Correlation-length exponent.
const NU: f64 = 0.629_971;
/// β/ν, the scaling dimension of the spin.
const BETA_OVER_NU: f64 = 0.518_149;
/// Leading exponent of the corrections to scaling.
const OMEGA: f64 = 0.829_68;
/// Binder cumulant of the cubic torus at the transition.
const BINDER: f64 = 0.465_48;
/// Simulated values of the scaling variable (K - K_c) L^(1/ν).
const POINTS: [f64; 3] = [-0.4, 0.0, 0.4];

type Failure = Box<dyn std::error::Error>;

/// Binder crossing and data collapse of the three-dimensional Ising model.
#[derive(Debug, Clone, Parser)]
#[command(name = "ising_3d_transition", version)]
struct Args {
    /// Linear sizes, two or more.
    #[arg(long, value_delimiter = ',', default_values_t = [6, 8, 12, 16])]
    sizes: Vec<usize>,
    /// Measured sweeps, full decompositions, at each inverse temperature; a tenth as many come first.
    #[arg(long, default_value_t = 40_000, value_parser = clap::value_parser!(u64).range(200..))]
    sweeps: u64,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads; the numbers do not depend on it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1024))]
    threads: u64,
    /// Sizes 4, 6, 8 and short chains.
    #[arg(long)]
    quick: bool,
    /// Where to draw; `target/figures/ising_3d_transition.svg` by default. The collapse goes beside it.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// JSON objects, one a line, instead of the tables.
    #[arg(long)]
    json: bool,
}

/// One size, joined over its temperatures.
struct Size {
    l: usize,
    mbar: Mbar,
}

impl Size {
    /// L^(1/ν): how fast curves steepen.
    fn scale(&self) -> f64 {
        (self.l as f64).powf(1.0 / NU)
    }
}

fn simulate(args: &Args, unit: u64) -> Result<EnergySeries, spin_models::Error> {
    let l = args.sizes[unit as usize / POINTS.len()];
    let k = K_C + POINTS[unit as usize % POINTS.len()] / (l as f64).powf(1.0 / NU);
    let torus = UniformTorus::new(&[l; 3], 1.0)?;
    let kernel = TorusSwendsenWang::new(&torus, k)?;
    let mut chain = Chain::new(&torus, kernel, k, Streams::new(args.seed), unit)?;
    chain.advance(args.sweeps / 10, &mut ());
    let mut rows: [Vec<f64>; 4] = Default::default();
    for _ in 0..args.sweeps {
        chain.advance(1, &mut ());
        let m = chain.spins().magnetization_per_spin();
        let values = [chain.energy(), m.abs(), m * m, m.powi(4)];
        rows.iter_mut().zip(values).for_each(|(row, x)| row.push(x));
    }
    let [energies, abs, square, fourth] = rows;
    EnergySeries::new(k, energies)?.with_observable(abs)?.with_observable(square)?.with_observable(fourth)
}

/// All chains, shared out to the threads; each has its own stream.
fn simulate_all(args: &Args) -> Result<Vec<EnergySeries>, Failure> {
    let units = (args.sizes.len() * POINTS.len()) as u64;
    let mut bar = Bar::new("Swendsen-Wang");
    let (send, receive) = std::sync::mpsc::channel();
    let mut results: Vec<Option<Result<EnergySeries, spin_models::Error>>> = (0..units).map(|_| None).collect();
    std::thread::scope(|scope| {
        for worker in 0..args.threads.min(units) {
            let send = send.clone();
            scope.spawn(move || {
                // The largest sizes come last in the list and take longest: begin with them.
                for unit in (0..units).rev().skip(worker as usize).step_by(args.threads as usize) {
                    if send.send((unit, simulate(args, unit))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        for (done, (unit, result)) in receive.iter().enumerate() {
            results[unit as usize] = Some(result);
            let _ = linalg_core::Observer::observe(&mut bar, &Progress::new("chains", done as u64 + 1, units));
        }
    });
    bar.finish();
    let series = results.into_iter().flatten().collect::<Result<Vec<EnergySeries>, _>>()?;
    Ok(series)
}

fn run(mut args: Args) -> Result<(), Failure> {
    if args.quick {
        (args.sizes, args.sweeps) = (vec![4, 6, 8], args.sweeps.min(4000));
    }
    args.sizes.sort_unstable();
    args.sizes.dedup();
    if args.sizes.len() < 2 || args.sizes[0] < 2 {
        return Err(format!("--sizes is {:?}, expected two or more different sizes of at least 2", args.sizes).into());
    }
    let mut series = simulate_all(&args)?.into_iter();
    let mut sizes = Vec::new();
    for &l in &args.sizes {
        let mbar = Mbar::new(series.by_ref().take(POINTS.len()).collect(), &ReweightingParams::default())?;
        if !mbar.report().converged {
            eprintln!("L = {l}: reweighting has not converged, residual {:.1e}", mbar.report().residual);
        }
        sizes.push(Size { l, mbar });
    }
    report::curves(&args, &sizes)?;
    let crossings = analysis::crossings(&sizes)?;
    report::crossings(&args, &crossings, &analysis::extrapolate(&sizes, &crossings, args.seed)?);
    report::collapse(&args, &sizes)?;
    report::draw(&args, &sizes)
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
