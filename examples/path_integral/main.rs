//! What are the ground-state energy, the gap and the density of a particle in this potential, from paths?
//!
//! A polynomial potential, an ensemble, a rule, a sampler; energies and moments come with control variates. The reference
//! values stand beside them: the lattice value of the same time step, which the error bars are about, and the continuum; a dash
//! where the paths have other averages, as between fixed ends, in short projections and for the gap at high temperatures.
//!
//! ```text
//! cargo run --release --example path_integral
//! cargo run --release --example path_integral -- --potential 0,0,0.5,0,1 --slices 64 --time 8 --sampler hmc-reference --samples 20000 --json
//! cargo run --release --example path_integral -- --ensemble periodic --beta 4 --slices 40 --rule trapezoid
//! cargo run --release --example path_integral -- --samples 50000000 --checkpoint run.bin --resume
//! ```
//!
//! The defaults (x²/2 + x⁴) take about five seconds on two cores. Expected: E = 0.80377 within 1e-4, 0.80369 being the
//! value of the lattice; gap 1.9341; ⟨x²⟩ = 0.25715.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use linalg_core::stats::Estimate;
use path_integral_nn::estimate::{Measured, Observables, ObservablesParams, Report};
use path_integral_nn::exact::{Spectrum, TransferMatrix};
use path_integral_nn::sampler::{Chains, ChainsParams, LANES, Method, Target};
use path_integral_nn::{Action, Ends, Ensemble, Polynomial, ReferenceOscillator, Rule, System};
use workspace_examples::exit;
use workspace_examples::figure::{self, Curves, Points};
use workspace_examples::json::Line;

mod state;

use state::Run;

type Failure = Box<dyn std::error::Error>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Paths {
    Periodic,
    GroundState,
    FixedEnds,
}

fn rule(name: &str) -> Result<Rule, String> {
    let names = Rule::ALL.map(Rule::name).join(", ");
    Rule::from_name(name).ok_or_else(|| format!("expected one of {names}"))
}

fn method(name: &str) -> Result<Method, String> {
    let names = Method::ALL.map(Method::name).join(", ");
    Method::from_name(name).ok_or_else(|| format!("expected one of {names}"))
}

/// Energies, gap and density of one particle, by sampling paths.
#[derive(Debug, Clone, Parser)]
#[command(name = "path_integral", version)]
struct Args {
    /// Coefficients of the potential from x⁰ up.
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true, default_value = "0,0,0.5,0,1")]
    potential: Vec<f64>,
    /// Which paths.
    #[arg(long, value_enum, default_value = "ground-state")]
    ensemble: Paths,
    /// trapezoid, midpoint, midpoint-corrected, takahashi-imada.
    #[arg(long, value_parser = rule, default_value = "takahashi-imada")]
    rule: Rule,
    /// metropolis, staging, pcn, hmc, hmc-reference, independence, langevin.
    #[arg(long, value_parser = method, default_value = "hmc-reference")]
    sampler: Method,
    /// Length of the paths; for closed paths ħβ.
    #[arg(long, default_value_t = 16.0)]
    time: f64,
    /// Inverse temperature of closed paths, instead of --time.
    #[arg(long)]
    beta: Option<f64>,
    /// Time steps.
    #[arg(long, default_value_t = 160)]
    slices: usize,
    /// Paths measured, over all chains.
    #[arg(long, default_value_t = 800_000, value_parser = clap::value_parser!(u64).range(1000..=100_000_000))]
    samples: u64,
    /// Chains, in groups of 16.
    #[arg(long, default_value_t = 32)]
    chains: usize,
    /// Mass.
    #[arg(long, default_value_t = 1.0)]
    mass: f64,
    /// ħ.
    #[arg(long, default_value_t = 1.0)]
    hbar: f64,
    /// Fixed ends: where paths begin.
    #[arg(long, default_value_t = 0.0, allow_hyphen_values = true)]
    from: f64,
    /// Fixed ends: where paths end.
    #[arg(long, default_value_t = 0.0, allow_hyphen_values = true)]
    to: f64,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads; the numbers do not depend on it.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Keep the run in this file: written every half minute and at the end.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Go on from the file of --checkpoint, if it is there: the same numbers as without the stop. --samples may have grown.
    #[arg(long, requires = "checkpoint")]
    resume: bool,
    /// 20000 paths.
    #[arg(long)]
    quick: bool,
    /// Where to draw ψ²; `target/figures/path_integral.svg` by default.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// One JSON object instead of the table and the figure.
    #[arg(long)]
    json: bool,
}

fn run(mut args: Args) -> Result<(), Failure> {
    if args.quick {
        args.samples = args.samples.min(20_000);
    }
    let system = System::new(Polynomial::new(&args.potential)?)?.with_mass(args.mass)?.with_hbar(args.hbar)?;
    let start = Instant::now();
    let oscillator = ReferenceOscillator::variational(&system)?;
    let time = match (args.ensemble, args.beta) {
        (Paths::Periodic, Some(beta)) => args.hbar * beta,
        (_, Some(_)) => return Err("--beta is for --ensemble periodic; other ensembles take --time".into()),
        (_, None) => args.time,
    };
    let ensemble = match args.ensemble {
        Paths::Periodic => Ensemble::periodic(time, args.slices)?,
        Paths::GroundState => {
            let ends = Ends::Gaussian { frequency: oscillator.frequency, center: oscillator.center };
            Ensemble::ground_state(time, args.slices)?.with_ends(ends)?
        }
        Paths::FixedEnds => Ensemble::fixed_ends(time, args.slices, &[args.from], &[args.to])?,
    };
    let target = Target::new(&Action::new(&system, &ensemble, args.rule)?, oscillator)?;
    let params = ChainsParams::default().chains(args.chains).seed(args.seed).threads(args.threads);
    let chains = Chains::new(&target, args.sampler, params)?;
    let steps = args.samples.div_ceil(chains.n_chains() as u64);
    // Not a function of the samples asked for, which may grow when a run is resumed.
    let mut measure = ObservablesParams::default();
    let mut margin = args.slices as f64 / 4.0;
    if let Some(window) = window(&args, &system, &ensemble)? {
        margin = window.start as f64;
        measure = measure.window(window);
    }
    let known = Known::new(&args, &system, oscillator, time, margin * ensemble.step());
    let observables = vec![Observables::new(&target, measure)?; chains.n_chains() / LANES];
    let mut state = Run { chains, observables, warm: (steps / 10).max(200), before: 0.0 };
    if let Some(file) = args.checkpoint.as_ref().filter(|file| args.resume && file.exists()) {
        state.load(file)?;
    }
    state.finish(steps, args.checkpoint.as_ref(), start)?;
    let Run { chains, observables, before, .. } = state;
    let report = Report::new(&observables)?;
    let seconds = before + start.elapsed().as_secs_f64();
    // Too short a window for two lags: no gap, not a failure of the rest.
    let gap = report.correlators.gap().ok();
    if args.json {
        let gap = gap.filter(|_| known.gap);
        let (energy, x2) = (report.energy.estimate, report.x2.estimate);
        let line = Line::new()
            .number("energy", Some(energy.value))
            .number("energy_std_error", energy.std_error)
            .number("gap", gap.map(|g| g.value))
            .number("gap_std_error", gap.and_then(|g| g.std_error))
            .number("x2", Some(x2.value))
            .number("x2_std_error", x2.std_error)
            .number("x4", Some(report.x4.estimate.value))
            .number("tau_energy", Some(report.energy.plain.tau))
            .number("ess", Some(report.energy.plain.effective_sample_size()))
            .number("force_evaluations", Some(chains.force_evaluations()))
            .number("seconds", Some(seconds));
        println!("{}", line.finish());
        return Ok(());
    }
    print_table(&args, &system, &ensemble, &report, gap, &known)?;
    println!(
        "{} paths, acceptance {:.3}, tau of the energy {:.2}, effective samples {:.0}, {:.2e} force evaluations, {seconds:.2} s",
        report.samples,
        chains.acceptance(),
        report.energy.plain.tau,
        report.energy.plain.effective_sample_size(),
        chains.force_evaluations(),
    );
    draw(&args, &system, &report, &known)
}

/// What still mixes with the ground state, relative to it, must be less than this for its values to be those of the paths.
const LEAST: f64 = 1e-4;

/// Which reference values the paths have.
struct Known {
    /// Energy and moments in the window.
    averages: bool,
    /// The mixed energy at the ends.
    mixed: bool,
    /// Whether correlators fall with the gap.
    gap: bool,
    /// The gap and the density, of the ground state.
    ground_state: bool,
}

impl Known {
    /// Paths of length `time`, measured from `margin` after an end.
    fn new(args: &Args, system: &System, oscillator: ReferenceOscillator, time: f64, margin: f64) -> Self {
        let Ok(spectrum) = Spectrum::new(system) else {
            return Self { averages: false, mixed: false, gap: false, ground_state: false };
        };
        let decay = |k: usize, t: f64| (-(spectrum.energy(k) - spectrum.energy(0)) * t / args.hbar).exp();
        match args.ensemble {
            Paths::Periodic => {
                // Averages are thermal ones.
                let cold = decay(1, time) < LEAST;
                Self { averages: true, mixed: false, gap: cold, ground_state: cold }
            }
            Paths::GroundState => {
                let strength = 0.5 * args.mass * oscillator.frequency / args.hbar;
                let trial = |x: &[f64]| (-strength * (x[0] - oscillator.center).powi(2)).exp();
                let overlap = |k: usize| {
                    let psi = spectrum.points().iter().zip(spectrum.wave_function(k));
                    psi.map(|(x, p)| p * trial(x)).sum::<f64>()
                };
                let states = (1..spectrum.energies().len()).take_while(|&k| decay(k, margin) > 1e-2 * LEAST);
                let shares: Vec<(usize, f64)> = states.map(|k| (k, (overlap(k) / overlap(0)).abs())).collect();
                let settled = shares.iter().map(|(k, c)| c * decay(*k, margin)).sum::<f64>() < LEAST;
                let mixed = shares.iter().map(|(k, c)| c * c * decay(*k, time)).sum::<f64>() < LEAST;
                Self { averages: settled, mixed, gap: settled, ground_state: settled }
            }
            Paths::FixedEnds => {
                let gap = decay(1, margin) < LEAST;
                Self { averages: false, mixed: false, gap, ground_state: false }
            }
        }
    }
}

/// The middle of a projection: from where what is left of the first state that mixes with the ground state is 1e-6, at least the
/// middle half.
fn window(args: &Args, system: &System, ensemble: &Ensemble) -> Result<Option<std::ops::Range<usize>>, Failure> {
    if args.ensemble != Paths::GroundState {
        return Ok(None);
    }
    let spectrum = Spectrum::new(system)?;
    let even = args.potential.iter().skip(1).step_by(2).all(|c| *c == 0.0);
    let gap = spectrum.energy(if even { 2 } else { 1 }) - spectrum.energy(0);
    let margin = (1e6f64.ln() * args.hbar / gap / ensemble.step()).ceil() as usize;
    let n = ensemble.n_points();
    let margin = margin.min(n / 4);
    Ok(Some(margin..n - margin))
}

fn print_table(
    args: &Args,
    system: &System,
    ensemble: &Ensemble,
    report: &Report,
    gap: Option<Estimate>,
    known: &Known,
) -> Result<(), Failure> {
    let lattice = TransferMatrix::new(system, args.rule, ensemble.step())?;
    let continuum = Spectrum::new(system)?;
    let ring = (args.ensemble == Paths::Periodic).then_some(args.slices);
    let beta = ensemble.time() / args.hbar;
    let thermal = |f: fn(f64) -> f64| {
        let weights: Vec<f64> =
            continuum.energies().iter().map(|e| (-beta * (e - continuum.energy(0))).exp()).collect();
        let kept = (0..weights.len()).take_while(|&k| weights[k] > 1e-18);
        let sum: f64 = kept.map(|k| weights[k] * continuum.average(k, |x| f(x[0]))).sum();
        sum / weights.iter().sum::<f64>()
    };
    let average = |f: fn(f64) -> f64| if ring.is_some() { thermal(f) } else { continuum.average(0, |x| f(x[0])) };
    let energy = if ring.is_some() { continuum.thermal_energy(beta) } else { continuum.energy(0) };
    println!("{:<22}{:>14}{:>12}{:>16}{:>16}", "", "paths", "±", "this lattice", "continuum");
    let row = |name: &str, got: Estimate, lattice: Option<f64>, exact: Option<f64>| {
        let text = |x: Option<f64>| x.map_or("-".to_owned(), |x| format!("{x:.8}"));
        let error = got.std_error.map_or("-".to_owned(), |e| format!("{e:.1e}"));
        println!("{name:<22}{:>14.8}{error:>12}{:>16}{:>16}", got.value, text(lattice), text(exact));
    };
    let plain = |m: &Measured| m.plain.estimate();
    let if_known = |known: bool, value: f64| known.then_some(value);
    let (of_lattice, exact) =
        (if_known(known.averages, lattice.virial_energy(ring)?), if_known(known.averages, energy));
    row("energy", report.energy.estimate, of_lattice, exact);
    row("  without variates", plain(&report.energy), of_lattice, exact);
    row("  thermodynamic", plain(&report.thermodynamic_energy), of_lattice, exact);
    if let Some(mixed) = &report.mixed_energy {
        row("  mixed, at the ends", mixed.estimate, None, if_known(known.mixed, energy));
    }
    if let Some(gap) = gap {
        let of_continuum = continuum.energy(1) - continuum.energy(0);
        let known = known.ground_state;
        row("gap", gap, if_known(known, lattice.gap()), if_known(known, of_continuum));
    }
    let square: fn(f64) -> f64 = |x| x * x;
    let fourth: fn(f64) -> f64 = |x| x.powi(4);
    for (name, power, f, got) in [("<x^2>", 2, square, &report.x2), ("<x^4>", 4, fourth, &report.x4)] {
        let exact = average(f);
        let of_lattice = if_known(known.averages, lattice.moment(power, ring)?);
        row(name, got.estimate, of_lattice, if_known(known.averages, exact));
    }
    println!("control variates divide the variance of the energy by {:.0}", report.energy.gain());
    Ok(())
}

fn draw(args: &Args, system: &System, report: &Report, known: &Known) -> Result<(), Failure> {
    let spectrum = Spectrum::new(system)?;
    let range: Vec<(f64, f64)> = report.density.iter().copied().filter(|(_, h)| *h > 0.0).collect();
    let (low, high) = (range.first().map_or(-1.0, |p| p.0), range.last().map_or(1.0, |p| p.0));
    let psi = spectrum.points().iter().zip(spectrum.wave_function(0));
    let exact: Vec<(f64, f64)> = psi.map(|(x, p)| (x[0], p * p)).filter(|(x, _)| (low..=high).contains(x)).collect();
    let curves = Curves {
        title: format!(
            "Density{}, V = {:?}",
            if known.ground_state { " of the ground state" } else { "" },
            args.potential
        ),
        x_label: "x".into(),
        y_label: if known.ground_state { "ψ²" } else { "density" }.into(),
        lines: if known.ground_state { vec![("grid solution".into(), exact)] } else { Vec::new() },
        points: vec![Points { name: "paths".into(), points: range.into_iter().map(|(x, h)| (x, h, 0.0)).collect() }],
        ..Curves::default()
    };
    let file = match &args.svg {
        Some(file) => file.clone(),
        None => figure::path("path_integral", "svg")?,
    };
    curves.write_svg(&file)?;
    println!("drawn: {}", file.display());
    Ok(())
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
