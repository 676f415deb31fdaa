//! At which assumed temperature is a noisy image restored best?
//!
//! Images are drawn from an Ising model on a square lattice at inverse temperature B, and every pixel is reversed with
//! probability p. Whoever restores them knows p and guesses the inverse temperature β of the prior. Two estimates of every
//! pixel: the most probable image (MAP) and the sign of the marginal. Both come from exact transfer matrices, so that what the
//! figure shows is not the error of an algorithm; belief propagation stands beside them.
//!
//! The overlap of the marginals with the true image is largest at β = B, the Nishimori temperature: no estimate has fewer wrong
//! pixels on average than the signs of the true marginals (Nishimori, *Statistical Physics of Spin Glasses and Information
//! Processing* (2001), chapter 5). The example prints the loss at every other β with its error, image by image.
//!
//! ```text
//! cargo run --release --example denoise
//! cargo run --release --example denoise -- --size 12 --beta 0.6 --p 0.2 --images 1000 --json
//! cargo run --release --example denoise -- --quick
//! ```

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use linalg_core::Streams;
use linalg_core::stats::{Estimate, Running};
use spin_models::rand::RngExt;
use spin_models::{Boundary, Ising, Quantities, Solve, TransferMatrix};
use variational::Bethe;
use variational::posterior::{BitFlips, Posterior};
use workspace_examples::exit;
use workspace_examples::figure::{self, Curves, Points};
use workspace_examples::json::Line;

/// Restores noisy binary images at assumed temperatures.
#[derive(Debug, Parser)]
#[command(name = "denoise", version)]
struct Args {
    /// Linear size of an image.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(2..=20))]
    size: u16,
    /// Inverse temperature B that the images come from.
    #[arg(long, default_value_t = 0.6)]
    beta: f64,
    /// Probability that a pixel is reversed.
    #[arg(long, default_value_t = 0.2)]
    p: f64,
    /// Number of images.
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(2..))]
    images: u32,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Smaller and fewer images.
    #[arg(long)]
    quick: bool,
    /// Where to draw; `target/figures/denoise.svg` unless `--json` is given.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// One JSON object an assumed temperature and line instead of the table.
    #[arg(long)]
    json: bool,
}

/// Assumed inverse temperatures in units of the true one.
const RATIOS: [f64; 9] = [0.25, 0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0];

/// Place of the true temperature in that list.
const TRUE: usize = 4;

/// Overlaps at one assumed temperature.
#[derive(Default)]
struct Overlaps {
    marginals: Running,
    map: Running,
    bethe: Running,
    /// Overlap at the true temperature less this one, image by image.
    loss: Running,
}

fn signs(magnetizations: &[Estimate]) -> Vec<i8> {
    magnetizations.iter().map(|m| if m.value < 0.0 { -1 } else { 1 }).collect()
}

fn measure(args: &Args) -> Result<Vec<Overlaps>, Box<dyn std::error::Error>> {
    let size = usize::from(args.size);
    let prior = Ising::square(size, Boundary::Free, 1.0)?;
    let exact = TransferMatrix::default();
    let streams = Streams::new(args.seed);
    let images = exact.sample(&prior, args.beta, args.images as usize, &mut streams.stream(0))?;
    let mut rng = streams.stream(1);
    let mut rows: Vec<Overlaps> = RATIOS.iter().map(|_| Overlaps::default()).collect();
    for image in images {
        let seen: Vec<i8> = image.iter().map(|&s| if rng.random::<f64>() < args.p { -s } else { s }).collect();
        let overlap = |guess: &[i8]| image.overlap(guess);
        let mut by_marginals = Vec::new();
        for (row, ratio) in rows.iter_mut().zip(RATIOS) {
            let posterior = Posterior::new(prior.clone(), ratio * args.beta, BitFlips::new(seen.clone(), args.p)?)?;
            let model = posterior.to_ising()?;
            let marginals = exact.marginals(&model, 1.0, &mut ())?.magnetizations;
            let guess: Vec<i8> = marginals.iter().map(|&m| if m < 0.0 { -1 } else { 1 }).collect();
            by_marginals.push(overlap(&guess));
            row.marginals.push(overlap(&guess));
            row.map.push(overlap(&exact.ground_state(&model, &mut ())?.spins));
            let mut want = Quantities::default();
            want.magnetizations = true;
            let bethe = Bethe::default().solve(&model, 1.0, want, &mut ())?.magnetizations.unwrap_or_default();
            row.bethe.push(overlap(&signs(&bethe)));
        }
        let best = by_marginals[TRUE];
        rows.iter_mut().zip(&by_marginals).for_each(|(row, overlap)| row.loss.push(best - overlap));
    }
    Ok(rows)
}

fn print(args: &Args, rows: &[Overlaps]) {
    if !args.json {
        println!(
            "{} images of {} x {} at B = {}, {} of the pixels reversed: overlap {:.4} before",
            args.images,
            args.size,
            args.size,
            args.beta,
            args.p,
            1.0 - 2.0 * args.p
        );
        println!("{:>7} {:>18} {:>18} {:>18} {:>22}", "β / B", "marginals", "MAP", "Bethe", "loss against β = B");
    }
    for (row, ratio) in rows.iter().zip(RATIOS) {
        if args.json {
            let line = Line::new()
                .number("assumed_beta", Some(ratio * args.beta))
                .number("overlap", Some(row.marginals.mean()))
                .number("overlap_std_error", Some(row.marginals.std_error()))
                .number("overlap_map", Some(row.map.mean()))
                .number("overlap_bethe", Some(row.bethe.mean()))
                .number("loss", Some(row.loss.mean()))
                .number("loss_std_error", Some(row.loss.std_error()));
            println!("{}", line.finish());
        } else {
            println!(
                "{ratio:>7} {:>18} {:>18} {:>18} {:>22}",
                row.marginals.estimate().to_string(),
                row.map.estimate().to_string(),
                row.bethe.estimate().to_string(),
                row.loss.estimate().to_string(),
            );
        }
    }
}

fn draw(args: &Args, rows: &[Overlaps]) -> Result<(), Box<dyn std::error::Error>> {
    let file = match &args.svg {
        Some(file) => file.clone(),
        None if args.json => return Ok(()),
        None => figure::path("denoise", "svg")?,
    };
    let points = |name: &str, of: fn(&Overlaps) -> &Running| {
        let points = rows.iter().zip(RATIOS).map(|(row, ratio)| (ratio, of(row).mean(), of(row).std_error()));
        Points { name: name.to_owned(), points: points.collect() }
    };
    let before = 1.0 - 2.0 * args.p;
    let top = rows.iter().map(|row| row.marginals.mean()).fold(before, f64::max);
    let curves = Curves {
        title: format!("Restoring {} x {} images at B = {}, p = {}", args.size, args.size, args.beta, args.p),
        x_label: "assumed β / B".to_owned(),
        y_label: "overlap with the true image".to_owned(),
        lines: vec![("Nishimori temperature".to_owned(), vec![(1.0, before), (1.0, top)])],
        points: vec![
            points("marginals", |row| &row.marginals),
            points("MAP", |row| &row.map),
            points("Bethe", |row| &row.bethe),
        ],
        ..Curves::default()
    };
    curves.write_svg(&file)?;
    eprintln!("drawn to {}", file.display());
    Ok(())
}

fn denoise(mut args: Args) -> Result<(), Box<dyn std::error::Error>> {
    if !(args.beta.is_finite() && args.beta > 0.0) {
        return Err(format!("beta is {}, expected a finite number above 0", args.beta).into());
    }
    if args.quick {
        (args.size, args.images) = (args.size.min(6), args.images.min(40));
    }
    let rows = measure(&args)?;
    print(&args, &rows);
    draw(&args, &rows)
}

fn main() -> ExitCode {
    exit::report(denoise(Args::parse()))
}
