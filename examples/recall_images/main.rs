//! Does a Hopfield network complete pictures, and does its energy fall meanwhile?
//!
//! Pictures are stored in the couplings of ±1 units, one a pixel. Each is then damaged: some pixels flipped, some rows blackened. From there the
//! units follow their fields one after another, in random order, until none wants to turn. Every row of the PNG is one picture: damaged, some steps of
//! the recall, and the original in the last column. The energy never rises at zero temperature.
//!
//! Digits look alike, so that Hebb's rule mixes them; the projection rule takes their overlaps out, and the energies of higher order tell
//! them apart by steepness.
//!
//! ```text
//! cargo run --release --example recall_images
//! cargo run --release --example recall_images -- --rule hebb
//! cargo run --release --example recall_images -- --mnist data/mnist --store 20 --rule exponential
//! cargo run --release --example recall_images -- --quick --json
//! ```
//!
//! Expected: all ten built-in digits come back with the projection rule (overlap 1) in four to eight sweeps in random order; with Hebb's rule none
//! does. A second at most.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use linalg_core::Streams;
use linalg_core::rand::RngExt;
use spin_models::hopfield::{
    DenseMemory, Glauber, Hopfield, Interaction, Network, Patterns, Update, pseudo_inverse, storkey,
};
use spin_models::{EnergyModel, Spins};
use workspace_examples::binary_images::glyph;
use workspace_examples::exit;
use workspace_examples::figure::{self, Curves};
use workspace_examples::grey_images::GreyImages;
use workspace_examples::image::Image;
use workspace_examples::json::Line;

type Failure = Box<dyn std::error::Error>;

/// Frames a sweep.
const STEPS: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Rule {
    Hebb,
    Projection,
    Storkey,
    /// Third power of the overlaps.
    Cubic,
    Exponential,
}

/// Pictures stored, damaged and recalled.
#[derive(Debug, Parser)]
#[command(name = "recall_images", version)]
struct Args {
    /// Directory of MNIST's training files instead of the built-in digits.
    #[arg(long, value_name = "DIRECTORY")]
    mnist: Option<PathBuf>,
    /// Pictures to store: at most the ten digits, or as many as the file has.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    store: u32,
    /// How they are stored.
    #[arg(long, value_enum, default_value = "projection")]
    rule: Rule,
    /// Fraction of the pixels that is flipped.
    #[arg(long, default_value_t = 0.2)]
    flip: f64,
    /// Fraction of the rows that is blackened, from below.
    #[arg(long, default_value_t = 0.2)]
    hide: f64,
    /// Inverse temperature; zero temperature without it.
    #[arg(long)]
    beta: Option<f64>,
    /// Most sweeps.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    sweeps: u32,
    /// Pixels of a dot of the built-in digits, in both directions.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=40))]
    scale: u32,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Dots of two pixels.
    #[arg(long)]
    quick: bool,
    /// Where to draw the energies; `target/figures/recall_images.svg` by default. The pictures go beside it, as PNG.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// JSON objects, one a line, instead of the table.
    #[arg(long)]
    json: bool,
}

/// One recall: states and energies per spin at equal steps.
struct Run {
    frames: Vec<Vec<i8>>,
    energies: Vec<f64>,
    settled: bool,
}

/// Flips pixels and blackens the lowest rows.
fn damage(args: &Args, pattern: &[i8], (width, height): (usize, usize), unit: u64) -> Spins {
    let mut rng = Streams::new(args.seed).stream(2 * unit);
    let visible = height - (args.hide * height as f64).round() as usize;
    let pixel = |(k, &s): (usize, &i8)| match (k / width < visible, rng.random_bool(args.flip)) {
        (false, _) => -1,
        (true, true) => -s,
        (true, false) => s,
    };
    let signs: Vec<i8> = pattern.iter().enumerate().map(pixel).collect();
    Spins::from_signs(&signs).unwrap_or_else(|error| unreachable!("{error}"))
}

/// Whether no spin is against its field.
fn stable<M: Network + EnergyModel>(model: &M, cache: &M::Cache, s: &[i8]) -> bool {
    (0..s.len()).all(|i| f64::from(s[i]) * model.local_field(cache, s, i) >= 0.0)
}

fn recall<M>(args: &Args, model: &M, start: &[i8], unit: u64) -> Result<Run, Failure>
where
    M: Network + EnergyModel,
{
    let mut rng = Streams::new(args.seed).stream(2 * unit + 1);
    let dynamics = Glauber::new(Update::RandomSequential, args.beta.unwrap_or(f64::INFINITY))?;
    let n = start.len();
    let mut s = start.to_vec();
    let mut cache = model.prepare(&s);
    let per_spin = |s: &[i8]| model.energy(s) / n as f64;
    let (mut frames, mut energies) = (vec![s.clone()], vec![per_spin(&s)]);
    let mut settled = stable(model, &cache, &s);
    for _ in 0..args.sweeps as usize * STEPS {
        if settled && args.beta.is_none() {
            break;
        }
        dynamics.attempts(model, n.div_ceil(STEPS) as u64, &mut s, &mut cache, &mut rng);
        frames.push(s.clone());
        energies.push(per_spin(&s));
        // Of the state that is reported, also where the sweeps end here.
        settled = stable(model, &cache, &s);
    }
    Ok(Run { frames, energies, settled })
}

/// The pictures as patterns, with width and height.
fn pictures(args: &Args) -> Result<(Patterns, (usize, usize)), Failure> {
    let store = args.store as usize;
    let (pixels, size): (Vec<u8>, (usize, usize)) = match &args.mnist {
        Some(directory) => {
            let images = GreyImages::from_directory(directory, "train")?;
            if store > images.len() {
                return Err(format!("--store is {store}, expected at most {} pictures", images.len()).into());
            }
            let images = images.first(store);
            (images.pixels.iter().map(|x| (255.0 * x) as u8).collect(), images.size)
        }
        None if store > 10 => return Err(format!("--store is {store}, expected at most the 10 digits").into()),
        None => {
            let glyphs: Vec<_> = (0..store).map(|label| glyph(label, args.scale as usize)).collect();
            (glyphs.iter().flat_map(|(pixels, _)| pixels.iter().copied()).collect(), glyphs[0].1)
        }
    };
    Ok((Patterns::from_images(&pixels, size.0 * size.1, 128)?, size))
}

fn run(mut args: Args) -> Result<(), Failure> {
    if args.quick {
        args.scale = args.scale.min(2);
    }
    for (what, value) in [("--flip", args.flip), ("--hide", args.hide)] {
        if !(0.0..=1.0).contains(&value) {
            return Err(format!("{what} is {value}, expected a number from 0 to 1").into());
        }
    }
    let (patterns, size) = pictures(&args)?;
    let starts: Vec<Spins> =
        patterns.iter().zip(0..).map(|(pattern, unit)| damage(&args, pattern, size, unit)).collect();
    let units = || starts.iter().zip(0..);
    let runs = match args.rule {
        Rule::Hebb => {
            let model = Hopfield::new(&patterns)?;
            units().map(|(start, unit)| recall(&args, &model, start, unit)).collect::<Result<Vec<_>, _>>()
        }
        Rule::Projection | Rule::Storkey => {
            let model = if args.rule == Rule::Storkey { storkey(&patterns)? } else { pseudo_inverse(&patterns)? };
            units().map(|(start, unit)| recall(&args, &model, start, unit)).collect()
        }
        Rule::Cubic | Rule::Exponential => {
            let cubic = Interaction::Power(3);
            let kind = if args.rule == Rule::Cubic { cubic } else { Interaction::Exponential { lambda: 1.0 } };
            let model = DenseMemory::new(&patterns, kind)?;
            units().map(|(start, unit)| recall(&args, &model, start, unit)).collect()
        }
    }?;
    report(&args, &patterns, size, &runs)
}

fn report(args: &Args, patterns: &Patterns, size: (usize, usize), runs: &[Run]) -> Result<(), Failure> {
    let mut curves = Curves {
        title: format!("Recall of {} damaged pictures, {:?} rule", runs.len(), args.rule),
        x_label: "sweeps".to_owned(),
        y_label: "energy per pixel".to_owned(),
        ..Curves::default()
    };
    if !args.json {
        println!("{} pictures of {} x {} pixels, {:?} rule", runs.len(), size.0, size.1, args.rule);
        println!(
            "{:>8} {:>9} {:>9} {:>12} {:>12} {:>8} {:>8}",
            "picture", "overlap", "at end", "energy", "at end", "sweeps", "settled"
        );
    }
    let columns = runs.iter().map(|run| run.frames.len()).max().unwrap_or(1).clamp(2, 9);
    let mut tiles = Vec::new();
    let tile = |s: &[i8]| s.iter().map(|&s| if s > 0 { 255 } else { 0 }).collect::<Vec<u8>>();
    let mut recalled = 0;
    for (mu, run) in runs.iter().enumerate() {
        let last = run.frames.len() - 1;
        let overlaps: Vec<f64> = run.frames.iter().map(|s| patterns.overlap(mu, s)).collect();
        recalled += usize::from(overlaps[last] > 0.99);
        let sweeps = last as f64 / STEPS as f64;
        if args.json {
            let line = Line::new().count("picture", mu as u64).numbers("overlaps", Some(&overlaps));
            let line = line.numbers("energies_per_spin", Some(&run.energies)).flag("settled", run.settled);
            println!("{}", line.finish());
        } else {
            let (from, to) = (run.energies[0], run.energies[last]);
            let settled = if run.settled { "yes" } else { "no" };
            println!(
                "{mu:>8} {:>9.4} {:>9.4} {from:>12.5} {to:>12.5} {sweeps:>8.2} {settled:>8}",
                overlaps[0], overlaps[last]
            );
        }
        if args.beta.is_none() {
            // Rounding of an energy of the order of one.
            let rise = run.energies.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::NEG_INFINITY, f64::max);
            if rise > 1e-12 {
                return Err(format!("the energy of picture {mu} rose by {rise} a pixel at zero temperature").into());
            }
        }
        let curve = run.energies.iter().enumerate().map(|(k, &e)| (k as f64 / STEPS as f64, e));
        curves.lines.push((format!("picture {mu}"), curve.collect()));
        // Frames at equal distances, the last one held by recalls that ended early.
        for k in 0..columns {
            let frames = runs.iter().map(|run| run.frames.len()).max().unwrap_or(1);
            let frame = k * (frames - 1) / (columns - 1);
            tiles.push(tile(&run.frames[frame.min(last)]));
        }
        tiles.push(tile(patterns.pattern(mu)));
    }
    let svg = match &args.svg {
        Some(file) => file.clone(),
        None => figure::path("recall_images", "svg")?,
    };
    curves.write_svg(&svg)?;
    let png = svg.with_extension("png");
    Image::tiles(&tiles, size.0, size.1, columns + 1).write_png(&png)?;
    if !args.json {
        println!("{recalled} of {} recalled; drawn to {} and {}", runs.len(), svg.display(), png.display());
    }
    Ok(())
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
