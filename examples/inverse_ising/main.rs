//! Which couplings produced these spins?
//!
//! Reads samples (text or `.npy`, ±1 or 0 and 1), infers couplings and fields, and compares them with a model if one is given.
//!
//! ```text
//! cargo run --release --example inverse_ising -- samples.csv --method plm --json
//! cargo run --release --example inverse_ising -- samples.npy --truth model.sg
//! cargo run --release --example inverse_ising -- --model lattice --n 49 --count 5000
//! ```
//!
//! Without a file samples are drawn: the Sherrington-Kirkpatrick model at its transition, 50 spins, 50 000 samples, for which
//! the relative error of the couplings is about 0.13 for naive mean field, 0.06 for pseudolikelihood and for screening. The default
//! method is the ℓ1 path with thresholding.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use linalg_core::Streams;
use spin_models::inverse::{
    BoltzmannLearning, ClusterExpansion, ClusterReconstruction, Decimation, DrawParams, LocalParams, MaximumEntropy,
    MeanField, MultiInformation, PathParams, Penalty, Reconstruction, Samples, draw_samples, read_csv, read_npy,
};
use spin_models::{Boundary, Disorder, EnergyModel, Ising, Lattice, SherringtonKirkpatrick};
use workspace_examples::exit;
use workspace_examples::instance::{Format, Sign, read_file};
use workspace_examples::json::Line;

type Failure = Box<dyn std::error::Error>;

/// Methods by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Method {
    /// ℓ1 path, threshold, refit, chosen on held-out samples.
    Path,
    /// Pseudolikelihood.
    Plm,
    /// Interaction screening.
    Rise,
    /// Its logarithm.
    Logrise,
    /// Pseudolikelihood with couplings removed one by one.
    Decimation,
    /// Boltzmann learning.
    Boltzmann,
    /// Adaptive cluster expansion.
    Ace,
    /// Maximum entropy, exact, with standard errors; up to 25 spins.
    MaximumEntropy,
    /// Naive mean field.
    Nmf,
    /// Thouless, Anderson and Palmer.
    Tap,
    /// Bethe approximation.
    Bethe,
    /// Sessak and Monasson.
    SessakMonasson,
    /// Pairs as if alone.
    IndependentPair,
}

/// Models to draw samples from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Model {
    /// Sherrington-Kirkpatrick.
    Sk,
    /// ±J on a periodic square lattice of √n x √n.
    Lattice,
}

/// Couplings and fields from samples.
#[derive(Debug, Clone, Parser)]
#[command(name = "inverse_ising", version)]
struct Args {
    /// Samples, a line each (.npy: samples x spins); without a file they are drawn.
    samples: Option<PathBuf>,
    /// How couplings are inferred.
    #[arg(long, value_enum, default_value = "path")]
    method: Method,
    /// Strength of an ℓ1 penalty, for plm, rise and logrise.
    #[arg(long)]
    l1: Option<f64>,
    /// Strength of an ℓ2 penalty, for plm, rise, logrise and decimation, and of the prior of ace.
    #[arg(long, conflicts_with = "l1")]
    l2: Option<f64>,
    /// The ℓ1 penalty of Lokhov et al. (2018), for plm, rise and logrise.
    #[arg(long, conflicts_with_all = ["l1", "l2"])]
    published_penalty: bool,
    /// Leave fields out, for path, plm, rise and logrise.
    #[arg(long)]
    no_fields: bool,
    /// Standard errors; for other methods than plm, rise and logrise without ℓ1 those of maximum likelihood.
    #[arg(long)]
    errors: bool,
    /// How much of the multi-information pairs explain, I2/IN; up to 25 spins.
    #[arg(long)]
    information: bool,
    /// Largest derivative that counts as 0, for plm, rise and logrise.
    #[arg(long, default_value_t = 1e-7)]
    tolerance: f64,
    /// The model behind the samples, in a format of instance files, at β = 1.
    #[arg(long)]
    truth: Option<PathBuf>,
    /// Model to draw from where there is no file.
    #[arg(long, value_enum, default_value = "sk")]
    model: Model,
    /// Its inverse temperature.
    #[arg(long, default_value_t = 1.0)]
    beta: f64,
    /// Its spins.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(2..=5000))]
    n: u64,
    /// Samples to draw.
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    count: u64,
    /// Couplings printed.
    #[arg(long, default_value_t = 20)]
    show: usize,
    /// Threads, 0 for all.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Seed of the drawn model and samples.
    #[arg(long, default_value_t = 5)]
    seed: u64,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
    /// 16 spins and 3000 samples.
    #[arg(long)]
    quick: bool,
}

/// Draws a model and samples of it.
fn draw(args: &Args) -> Result<(Ising, Samples), Failure> {
    if !(args.beta.is_finite() && args.beta >= 0.0) {
        return Err(format!("--beta is {}, expected a finite number >= 0", args.beta).into());
    }
    let streams = Streams::new(args.seed);
    let n = args.n as usize;
    let unit = match args.model {
        Model::Sk => SherringtonKirkpatrick::gaussian(n, &mut streams.stream(0))?.to_ising()?,
        Model::Lattice => {
            let l = n.isqrt();
            if l * l != n || l < 3 {
                return Err(format!("--n is {n}, expected the square of a number >= 3 for a lattice").into());
            }
            let lattice = Lattice::square(l, Boundary::Periodic)?;
            Ising::edwards_anderson(&lattice, Disorder::plus_minus(), &mut streams.stream(0))?
        }
    };
    let model = Ising::builder(n).couplings(unit.couplings().map(|(i, j, x)| (i, j, args.beta * x))).build()?;
    let params = DrawParams::default().chains(500).threads(args.threads);
    let samples = draw_samples(&model, args.count as usize, &params, streams.child(1))?;
    Ok((model, samples))
}

fn read(path: &PathBuf) -> Result<Samples, Failure> {
    let name = path.display();
    let file = File::open(path).map_err(|error| format!("{name}: {error}"))?;
    let npy = path.extension().is_some_and(|extension| extension == "npy");
    let samples = if npy { read_npy(BufReader::new(file)) } else { read_csv(BufReader::new(file)) };
    samples.map_err(|error| format!("{name}: {error}").into())
}

fn infer(args: &Args, samples: &Samples) -> Result<(Reconstruction, Option<ClusterReconstruction>), Failure> {
    let local = |params: LocalParams| {
        let params = params.tolerance(args.tolerance).errors(args.errors);
        let params = params.fields(!args.no_fields).threads(args.threads);
        match (args.l1, args.l2, args.published_penalty) {
            (Some(l1), ..) => params.penalty(Penalty::L1(l1)),
            (_, Some(l2), _) => params.penalty(Penalty::L2(l2)),
            (.., true) => params.published_penalty(),
            _ => params,
        }
        .reconstruct(samples)
    };
    let found = match args.method {
        Method::Path => PathParams::default().fields(!args.no_fields).threads(args.threads).reconstruct(samples)?.0,
        Method::Plm => local(LocalParams::pseudolikelihood())?,
        Method::Rise => local(LocalParams::interaction_screening())?,
        Method::Logrise => local(LocalParams::log_interaction_screening())?,
        Method::Decimation => {
            let params = Decimation::default().threads(args.threads);
            args.l2.map_or(params.clone(), |l2| params.l2(l2)).reconstruct(samples)?.0
        }
        Method::Boltzmann => BoltzmannLearning::default()
            .streams(Streams::new(args.seed).child(2))
            .threads(args.threads)
            .reconstruct_samples(samples)?,
        Method::Ace => {
            let params = ClusterExpansion::default().streams(Streams::new(args.seed).child(3)).threads(args.threads);
            let found = args.l2.map_or(params.clone(), |l2| params.prior(l2)).reconstruct(samples)?;
            return Ok((found.reconstruction.clone(), Some(found)));
        }
        Method::MaximumEntropy => {
            let model = MaximumEntropy::pairs(samples.n_spins())?.fit(samples)?;
            model.to_reconstruction()?.scored(samples, args.threads)?
        }
        Method::Nmf => MeanField::Naive.reconstruct(samples)?,
        Method::Tap => MeanField::Tap.reconstruct(samples)?,
        Method::Bethe => MeanField::Bethe.reconstruct(samples)?,
        Method::SessakMonasson => MeanField::SessakMonasson.reconstruct(samples)?,
        Method::IndependentPair => MeanField::IndependentPair.reconstruct(samples)?,
    };
    Ok((found, None))
}

fn run(mut args: Args) -> Result<(), Failure> {
    if args.quick {
        (args.n, args.count) = (args.n.min(16), args.count.min(3000));
    }
    let (drawn, samples) = match &args.samples {
        Some(path) => (None, read(path)?),
        None => {
            let (model, samples) = draw(&args)?;
            (Some(model), samples)
        }
    };
    let truth = match &args.truth {
        Some(path) => Some(read_file(path, Format::Auto, Sign::Coupling)?.model),
        None => drawn,
    };
    if let Some(truth) = &truth
        && truth.n_spins() != samples.n_spins()
    {
        return Err(format!("the true model has {} spins, samples have {}", truth.n_spins(), samples.n_spins()).into());
    }
    let start = Instant::now();
    let (mut found, clusters) = infer(&args, &samples)?;
    let seconds = start.elapsed().as_secs_f64();
    if args.errors && found.coupling_errors.is_none() {
        found = found.with_fisher_errors(&samples)?;
    }
    let information = if args.information { Some(MultiInformation::of(&samples)?) } else { None };
    let comparison = truth.as_ref().map(|truth| found.compare(truth)).transpose()?;
    let pairs = found.pairs(0.0);
    if args.json {
        let line = Line::new()
            .text("method", &found.method)
            .count("n_spins", found.n_spins as u64)
            .count("samples", samples.len() as u64)
            .pairs("couplings", Some(&pairs))
            .numbers("fields", Some(&found.fields))
            .number("relative_error", comparison.map(|comparison| comparison.relative_error))
            .number("largest_error", comparison.map(|comparison| comparison.largest_error))
            .number("field_error", comparison.map(|comparison| comparison.field_error))
            .number("score", found.score)
            .number("l1", found.l1)
            .number("threshold", found.threshold)
            .count("iterations", found.iterations as u64)
            .number("residual", Some(found.residual))
            .flag("converged", found.converged)
            .numbers("coupling_errors", found.coupling_errors.as_deref())
            .numbers("field_errors", found.field_errors.as_deref())
            .number("cross_entropy", clusters.as_ref().map(|clusters| clusters.cross_entropy))
            .number("cluster_threshold", clusters.as_ref().map(|clusters| clusters.threshold))
            .number("multi_information", information.map(|information| information.total()))
            .number("explained_by_pairs", information.map(|information| information.explained()))
            .number("seconds", Some(seconds));
        println!("{}", line.finish());
        return Ok(());
    }
    println!("{} samples of {} spins, method {}: {seconds:.3} s", samples.len(), found.n_spins, found.method);
    if !found.converged {
        println!("not converged: residual {:.2e} after {} iterations", found.residual, found.iterations);
    }
    if let Some(score) = found.score {
        println!("pseudo-log-likelihood of a spin: {score:.5} (independent of everything: {:.5})", -2f64.ln());
    }
    if let (Some(l1), Some(threshold)) = (found.l1, found.threshold) {
        println!("chosen: penalty {l1:.4}, threshold {threshold:.4}, {} couplings", pairs.len());
    }
    if let Some(clusters) = &clusters {
        let largest = clusters.clusters.last().map_or(0, |cluster| cluster.spins.len());
        println!(
            "threshold {:.3e}: {} clusters of up to {largest} spins, cross-entropy {:.4} nats; end: {:?}",
            clusters.threshold,
            clusters.clusters.len(),
            clusters.cross_entropy,
            clusters.end
        );
    }
    if let Some(information) = information {
        println!(
            "multi-information {:.4} nats, of which pairs explain I2/IN = {:.4}",
            information.total(),
            information.explained()
        );
    }
    if let Some(comparison) = comparison {
        println!(
            "relative error of the couplings {:.4}, largest {:.4}; of the fields {:.4} (rms)",
            comparison.relative_error, comparison.largest_error, comparison.field_error
        );
    }
    let mut largest = pairs;
    largest.sort_by(|a, b| b.2.abs().total_cmp(&a.2.abs()));
    println!("{:>6}{:>6}{:>12}{:>12}", "i", "j", "J", "error");
    for (i, j, coupling) in largest.iter().take(args.show) {
        let error = found.coupling_errors.as_ref().map(|errors| errors[i * found.n_spins + j]);
        let error = error.map_or("-".to_owned(), |error| format!("{error:.4}"));
        println!("{i:>6}{j:>6}{coupling:>12.4}{error:>12}");
    }
    Ok(())
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
