//! How well can the next step of these binary series be predicted, and by how many numbers?
//!
//! Reads a table of 0/1 or ±1 (or of real numbers with `--binarize`), fits one model or all of them to the first steps and scores
//! one-step predictions on the rest. The Coulomb model places every series in space as a charged particle; without `--json` the
//! particles are drawn.
//!
//! ```text
//! cargo run --release --example predict_stream
//! cargo run --release --example predict_stream -- series.csv --model coulomb --json
//! cargo run --release --example predict_stream -- wind.csv --binarize quantile:4 --memory 1 --particles-out particles.csv
//! cargo run --release --example predict_stream -- series.csv --model coulomb:2 --against low-rank:4 --tune --train-fraction 0.5 --folds 4
//! ```
//!
//! The last line compares two models: the steps after the first half are four pieces, each predicted from all steps before it,
//! penalties are chosen on the last fifth of these, and the difference of the losses has the error of its own blocks of steps.
//!
//! Without a file the stream is drawn from charges in three dimensions (30 series, 6700 steps) and the loss of the true model is
//! printed beside the others. Expected: `coulomb` above it by about 0.001 with 210 numbers, `kinetic-ising` by about 0.004 with 930.

mod particles;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use linalg_core::Streams;
use linalg_core::stats::Estimate;
use physics_inference::cluster::SignedClustering;
use physics_inference::predict::generate::coulomb_stream;
use physics_inference::predict::{FitParams, ForwardReport, ForwardTest, LogLossReport, Model, Tuning, forward_chain};
use physics_inference::series::{Binarize, BitSeries, Correlations, SeriesError, Table};
use workspace_examples::exit;
use workspace_examples::figure;
use workspace_examples::json::Line;

use particles::Particle;

type Failure = Box<dyn std::error::Error>;

/// Prediction of binary series, one step ahead.
#[derive(Debug, Clone, Parser)]
#[command(name = "predict_stream", version)]
struct Args {
    /// Table of 0/1 or ±1, a column for each series, a header or none; a generated stream if left out.
    file: Option<PathBuf>,
    /// independent, self-markov, low-rank:K, kinetic-ising, linear-var, mixture, clusters, coulomb, sine; all if left out (coulomb
    /// with --json).
    #[arg(long)]
    model: Option<Model>,
    /// Share of the steps to learn from before anything is predicted.
    #[arg(long, default_value_t = 0.6)]
    train_fraction: f64,
    /// Pieces of the other steps; a model is fitted again before each, to all steps before it.
    #[arg(long, default_value_t = 1, value_name = "K")]
    folds: usize,
    /// Choose the penalty of every fit on the last fifth of its steps.
    #[arg(long)]
    tune: bool,
    /// Model to compare with: prints the test losses minus its own, with the error of the difference.
    #[arg(long, value_name = "MODEL")]
    against: Option<Model>,
    /// Seed of the generated stream and of random starts.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How real columns become bits: sign, threshold[:X], quantile[:K], bit-planes[:K], gray[:K].
    #[arg(long)]
    binarize: Option<Binarize>,
    /// Delayed copies of every series among the inputs.
    #[arg(long, default_value_t = 0)]
    memory: usize,
    /// Steps after which the past is forgotten; models then go on learning during the test.
    #[arg(long)]
    forget: Option<f64>,
    /// Correlation from which series form a cluster.
    #[arg(long, default_value_t = 0.5)]
    cluster_threshold: f64,
    /// Where to write the particles as name,cluster,sign,mass,charge,gain,x,y,z.
    #[arg(long, value_name = "FILE")]
    particles_out: Option<PathBuf>,
    /// Where to draw the particles; `target/figures/predict_stream.svg` by default.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// A shorter stream when none is given, and fewer starts.
    #[arg(long)]
    quick: bool,
    /// One JSON object for one model instead of the table and the drawing.
    #[arg(long)]
    json: bool,
}

/// The series, and the loss of the law they were drawn from if it is known.
struct Data {
    series: BitSeries,
    /// Steps to learn from before the first piece.
    start: usize,
    entropy: Option<f64>,
}

fn read(args: &Args) -> Result<Data, Failure> {
    let Some(file) = &args.file else {
        if args.binarize.is_some() {
            return Err("--binarize needs a file: the generated stream is binary".into());
        }
        let (n, steps) = if args.quick { (10, 1500) } else { (30, 6700) };
        let stream = coulomb_stream::<3, _>(n, steps, &mut Streams::new(args.seed).stream(0))?;
        let start = first_piece(steps, args)?;
        let entropy = Some(stream.conditional_entropy(start..steps));
        return Ok(Data { series: stream.series, start, entropy });
    };
    let fail = |error: physics_inference::Error| format!("{}: {error}", file.display());
    let table = Table::load(file).map_err(|error| match error {
        // These name the file themselves.
        physics_inference::Error::Series(SeriesError::Io { message }) => message,
        error => fail(error),
    })?;
    let series = match args.binarize {
        None => table.binary().map_err(fail)?,
        Some(scheme) => {
            let decoder = scheme.fit(&table).map_err(fail)?;
            decoder.check_levels(&table).map_err(fail)?;
            if !args.json {
                let kept =
                    if decoder.check_exact(&table).is_ok() { "numbers come back exactly" } else { "levels come back" };
                println!("{scheme}: {} columns, {} bits, {kept}", table.names().len(), decoder.n_bits());
            }
            decoder.encode(&table).map_err(fail)?
        }
    };
    let start = first_piece(series.n_steps(), args)?;
    Ok(Data { series, start, entropy: None })
}

/// Where the first piece to predict begins.
fn first_piece(steps: usize, args: &Args) -> Result<usize, Failure> {
    Ok(forward_chain(steps, args.train_fraction, args.folds)?[0].1.start)
}

fn run(args: Args) -> Result<(), Failure> {
    if args.particles_out.is_some() && args.model.is_some_and(|model| !matches!(model, Model::Coulomb(_))) {
        return Err("--particles-out needs --model coulomb".into());
    }
    let Data { series, start, entropy } = read(&args)?;
    let train = series.steps(0..start);
    // A column may vary in the whole and not in the part to learn from.
    train.check_varying().map_err(|error| format!("the training steps: {error}"))?;
    let clustering = SignedClustering::default().threshold(args.cluster_threshold).hysteresis(0.0);
    let clusters = clustering.run(&Correlations::new(&train)?, None)?;
    let test = forward_test(&args, clustering);
    let reference = match args.against {
        Some(model) => Some(test.run(model, &series, &mut ())?.loss),
        None => None,
    };
    let difference = |loss: &LogLossReport| reference.as_ref().map(|other| loss.minus(other)).transpose();
    if args.json {
        let model = args.model.unwrap_or_else(|| Model::Coulomb(Default::default()));
        let report = test.run(model, &series, &mut ())?;
        let line = json(&args, model, &report, reference.as_ref().zip(difference(&report.loss)?));
        println!("{}", line.finish());
        return write_particles(&args, &report, &series, clustering);
    }
    let (n, frustrated) = (series.n_series(), clusters.frustrated.len());
    println!("{n} series, {start} steps to learn from, {} to predict", series.n_steps() - start);
    println!(
        "{} clusters, {} single series, {frustrated} of {} strong pairs frustrated",
        clusters.set.clusters().len(),
        clusters.set.n_singles(),
        clusters.edges
    );
    let models = args.model.map_or_else(Model::all, |model| vec![model]);
    print!("{:<16}{:>10}{:>12}{:>12}{:>10}{:>14}", "model", "numbers", "train", "test", "±", "s a step");
    println!("{}", args.against.map_or(String::new(), |model| format!("  test minus {model}")));
    for model in models {
        let report = test.run(model, &series, &mut ())?;
        let loss = &report.loss;
        print!(
            "{model:<16}{:>10}{:>12.5}{:>12.5}{:>10.5}{:>14.2e}",
            loss.parameters,
            report.train_log_loss(),
            loss.mean,
            loss.std_error,
            loss.seconds_per_step
        );
        if let Some(Estimate { value, std_error, .. }) = difference(loss)? {
            print!("  {value:+.5} ± {:.5}", std_error.unwrap_or(f64::NAN));
        }
        println!("{}", if report.converged() { "" } else { "  not converged" });
        write_particles(&args, &report, &series, clustering)?;
        if let Some(particles) = particles_of(&report, &series, clustering)? {
            let file = match &args.svg {
                Some(file) => file.clone(),
                None => figure::path("predict_stream", "svg")?,
            };
            particles::draw(&particles, &file)?;
            println!("drawn: {}", file.display());
        }
    }
    if let Some(entropy) = entropy {
        println!("{:<16}{:>10}{:>12}{entropy:>12.5}", "true model", "", "");
    }
    Ok(())
}

/// What the arguments ask for.
fn forward_test(args: &Args, clustering: SignedClustering) -> ForwardTest {
    let mut params = FitParams::default().lags(args.memory).seed(args.seed);
    if let Some(horizon) = args.forget {
        params = params.horizon(horizon);
    }
    if args.quick {
        params = params.starts(4, 1).max_iterations(100);
    }
    let test = ForwardTest::default().first(args.train_fraction).folds(args.folds).clustering(clustering).fit(params);
    if args.tune { test.tuning(Tuning::default()) } else { test }
}

fn json(args: &Args, model: Model, report: &ForwardReport, other: Option<(&LogLossReport, Estimate)>) -> Line {
    let loss = &report.loss;
    let mut line = Line::new()
        .text("model", &model.to_string())
        .count("parameters", loss.parameters as u64)
        .number("train_log_loss", Some(report.train_log_loss()))
        .number("test_log_loss", Some(loss.mean))
        .number("test_std_error", Some(loss.std_error))
        .number("seconds_per_step", Some(loss.seconds_per_step))
        .flag("converged", report.converged())
        .count("folds", args.folds as u64);
    if args.tune {
        let penalties: Vec<f64> = report.pieces.iter().map(|piece| piece.penalty).collect();
        line = line.numbers("penalties", Some(&penalties));
    }
    if let (Some(model), Some((loss, difference))) = (args.against, other) {
        line = line
            .text("against", &model.to_string())
            .number("against_test_log_loss", Some(loss.mean))
            .number("difference", Some(difference.value))
            .number("difference_std_error", difference.std_error);
    }
    line
}

/// The charges of the last fit, with masses and clusters of its steps.
fn particles_of(
    report: &ForwardReport,
    series: &BitSeries,
    clustering: SignedClustering,
) -> Result<Option<Vec<Particle>>, Failure> {
    let Some((piece, charges)) = report.pieces.last().and_then(|p| Some((p, p.fitted.charges.as_ref()?))) else {
        return Ok(None);
    };
    let train = series.steps(piece.train.clone());
    let pairs = Correlations::new(&train)?;
    let clusters = clustering.run(&pairs, None)?.set;
    Ok(Some(particles::list(charges, &train, &clusters, &pairs)))
}

fn write_particles(
    args: &Args,
    report: &ForwardReport,
    series: &BitSeries,
    clustering: SignedClustering,
) -> Result<(), Failure> {
    if let Some(file) = &args.particles_out
        && let Some(particles) = particles_of(report, series, clustering)?
    {
        particles::write(&particles, file).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
