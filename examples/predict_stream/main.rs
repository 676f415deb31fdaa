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
//! ```
//!
//! Without a file the stream is drawn from charges in three dimensions (30 series, 6700 steps) and the loss of the true model is
//! printed beside the others. Expected: `coulomb` above it by about 0.001 with 210 numbers, `kinetic-ising` by about 0.004 with 930.

mod particles;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use linalg_core::Streams;
use physics_inference::cluster::{ClusterSet, SignedClustering};
use physics_inference::predict::generate::coulomb_stream;
use physics_inference::predict::{FitParams, Fitted, LogLossReport, Model, evaluate};
use physics_inference::series::{Binarize, BitSeries, Correlations, Table};
use workspace_examples::exit;
use workspace_examples::figure;
use workspace_examples::json::Line;

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
    /// Share of the steps to learn from.
    #[arg(long, default_value_t = 0.6)]
    train_fraction: f64,
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
    entropy: Option<f64>,
}

fn read(args: &Args) -> Result<Data, Failure> {
    let Some(file) = &args.file else {
        if args.binarize.is_some() {
            return Err("--binarize needs a file: the generated stream is binary".into());
        }
        let (n, steps) = if args.quick { (10, 1500) } else { (30, 6700) };
        let stream = coulomb_stream::<3, _>(n, steps, &mut Streams::new(args.seed).stream(0))?;
        let train = (args.train_fraction * steps as f64).round() as usize;
        let entropy = (train < steps).then(|| stream.conditional_entropy(train..steps));
        return Ok(Data { series: stream.series, entropy });
    };
    let fail = |error: physics_inference::Error| format!("{}: {error}", file.display());
    let table = Table::load(file).map_err(|error| error.to_string())?;
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
    Ok(Data { series, entropy: None })
}

fn run(args: Args) -> Result<(), Failure> {
    let data = read(&args)?;
    let (train, test) = data.series.split(args.train_fraction)?;
    // A column may vary in the whole and not in the part to learn from.
    train.check_varying().map_err(|error| format!("the training steps: {error}"))?;
    let pairs = Correlations::new(&train)?;
    let report = SignedClustering::default().threshold(args.cluster_threshold).hysteresis(0.0).run(&pairs, None)?;
    let clusters = report.set;
    let mut params = FitParams::default().lags(args.memory).seed(args.seed);
    if let Some(horizon) = args.forget {
        params = params.horizon(horizon);
    }
    if args.quick {
        params = params.starts(4, 1).max_iterations(100);
    }
    if args.json {
        let model = args.model.unwrap_or_else(|| Model::Coulomb(Default::default()));
        let (fitted, score) = measure(model, &train, &test, &clusters, &params)?;
        let line = Line::new()
            .text("model", &model.to_string())
            .count("parameters", score.parameters as u64)
            .number("train_log_loss", Some(fitted.train_log_loss))
            .number("test_log_loss", Some(score.mean))
            .number("test_std_error", Some(score.std_error))
            .number("seconds_per_step", Some(score.seconds_per_step));
        println!("{}", line.finish());
        return write_particles(&args, &fitted, &train, &clusters, &pairs);
    }
    let (n, frustrated) = (train.n_series(), report.frustrated.len());
    println!("{n} series, {} steps to learn from, {} to predict", train.n_steps(), test.n_steps());
    println!(
        "{} clusters, {} single series, {frustrated} of {} strong pairs frustrated",
        clusters.clusters().len(),
        clusters.n_singles(),
        report.edges
    );
    let models = args.model.map_or_else(Model::all, |model| vec![model]);
    println!("{:<16}{:>10}{:>12}{:>12}{:>10}{:>14}", "model", "numbers", "train", "test", "±", "s a step");
    for model in models {
        let (fitted, score) = measure(model, &train, &test, &clusters, &params)?;
        let mark = if fitted.converged { "" } else { "  not converged" };
        println!(
            "{model:<16}{:>10}{:>12.5}{:>12.5}{:>10.5}{:>14.2e}{mark}",
            score.parameters, fitted.train_log_loss, score.mean, score.std_error, score.seconds_per_step
        );
        write_particles(&args, &fitted, &train, &clusters, &pairs)?;
        if let Some(charges) = &fitted.charges {
            let file = match &args.svg {
                Some(file) => file.clone(),
                None => figure::path("predict_stream", "svg")?,
            };
            particles::draw(&particles::list(charges, &train, &clusters, &pairs), &file)?;
            println!("drawn: {}", file.display());
        }
    }
    if let Some(entropy) = data.entropy {
        println!("{:<16}{:>10}{:>12}{entropy:>12.5}", "true model", "", "");
    }
    Ok(())
}

fn measure(
    model: Model,
    train: &BitSeries,
    test: &BitSeries,
    clusters: &ClusterSet,
    params: &FitParams,
) -> Result<(Fitted, LogLossReport), Failure> {
    let mut fitted = model.fit(train, clusters, params)?;
    let score = evaluate(fitted.predictor.as_mut(), test)?;
    Ok((fitted, score))
}

fn write_particles(
    args: &Args,
    fitted: &Fitted,
    train: &BitSeries,
    clusters: &ClusterSet,
    pairs: &Correlations,
) -> Result<(), Failure> {
    let Some(file) = &args.particles_out else { return Ok(()) };
    match &fitted.charges {
        Some(charges) => particles::write(&particles::list(charges, train, clusters, pairs), file)
            .map_err(|error| format!("{}: {error}", file.display()).into()),
        None if args.model.is_some() => Err("--particles-out needs --model coulomb".into()),
        None => Ok(()),
    }
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
