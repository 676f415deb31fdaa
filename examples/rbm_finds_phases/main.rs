//! Does a machine that has only seen spin configurations know where the phase transition is?
//!
//! Draws configurations of the square-lattice Ising model at temperatures around T_c = 2.26919 by Swendsen and Wang's algorithm.
//! Principal components of all of them together: the first is the magnetisation, found without being told, and the second is
//! small. A restricted machine for each temperature: its singular values, of which one leaves the others below T_c, and what it
//! draws itself, compared with the data by magnetisation and energy. (L. Wang, Phys. Rev. B 94, 195105 (2016); G. Torlai and R. G. Melko, Phys. Rev. B 94,
//! 165134 (2016).)
//!
//! ```sh
//! cargo run --release --example rbm_finds_phases
//! ```

use std::process::ExitCode;

use boltzmann::train::{Method, Schedule, Trainer, TrainingParams};
use boltzmann::{BitRows, GibbsChains, PackedRbm};
use clap::Parser;
use linalg_core::Streams;
use linalg_core::eigen::symmetric_eigen;
use linalg_core::stats::Running;
use spin_models::MarkovKernel;
use spin_models::mcmc::cluster::{TorusSwendsenWang, UniformTorus};
use workspace_examples::exit;
use workspace_examples::figure::{self, Curves, Points};
use workspace_examples::json::Line;

/// Learns Ising configurations at temperatures around the critical one.
#[derive(Debug, Parser)]
struct Args {
    /// Side of the lattice.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(3..=64))]
    size: u32,
    /// Temperatures, evenly from 1.5 to 3.5.
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u32).range(2..=101))]
    temperatures: u32,
    /// Configurations at each temperature.
    #[arg(long, default_value_t = 10_000)]
    samples: usize,
    /// Number of hidden units.
    #[arg(long, default_value_t = 144)]
    hidden: usize,
    /// Passes of training through the configurations.
    #[arg(long, default_value_t = 200)]
    epochs: u64,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads, 0 for all; the numbers do not depend on it.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// One line of JSON a temperature.
    #[arg(long)]
    json: bool,
    /// A small lattice and few configurations.
    #[arg(long)]
    quick: bool,
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}

/// Modulus of the magnetisation and energy, each per spin.
fn observables(spins: impl Fn(usize) -> f64, l: usize) -> (f64, f64) {
    let n = l * l;
    let (mut m, mut e) = (0.0, 0.0);
    for k in 0..n {
        let (x, y) = (k % l, k / l);
        m += spins(k);
        e -= spins(k) * (spins(y * l + (x + 1) % l) + spins((y + 1) % l * l + x));
    }
    ((m / n as f64).abs(), e / n as f64)
}

struct Row {
    temperature: f64,
    data: [Running; 2],
    drawn: [Running; 2],
    components: [f64; 2],
    singular_values: [f64; 2],
}

fn measure(rows: &BitRows, l: usize) -> [Running; 2] {
    let mut all = [Running::new(), Running::new()];
    for row in 0..rows.n_rows() {
        let (m, e) = observables(|k| if rows.get(row, k) { 1.0 } else { -1.0 }, l);
        all[0].push(m);
        all[1].push(e);
    }
    all
}

fn run(mut args: Args) -> Result<(), Box<dyn std::error::Error>> {
    if args.quick {
        (args.size, args.temperatures, args.samples, args.hidden, args.epochs) = (6, 5, 2000, 36, 100);
    }
    let l = args.size as usize;
    let n = l * l;
    let streams = Streams::new(args.seed);
    let torus = UniformTorus::new(&[l, l], 1.0)?;
    let temperature = |k: u32| 1.5 + 2.0 * f64::from(k) / f64::from(args.temperatures - 1);
    let mut data = Vec::new();
    for k in 0..args.temperatures {
        let beta = 1.0 / temperature(k);
        let mut kernel = TorusSwendsenWang::new(&torus, beta)?;
        let mut rng = streams.child(1).stream(u64::from(k));
        let mut spins = vec![1i8; n];
        let mut bytes = Vec::with_capacity(args.samples * n);
        (0..100).for_each(|_| {
            kernel.sweep(&torus, beta, &mut spins, &mut (), &mut rng);
        });
        for _ in 0..args.samples {
            (0..3).for_each(|_| {
                kernel.sweep(&torus, beta, &mut spins, &mut (), &mut rng);
            });
            bytes.extend(spins.iter().map(|&s| u8::from(s > 0)));
        }
        data.push(BitRows::from_bytes(&bytes, n)?);
    }
    // Principal components of all temperatures together.
    let mut covariance = vec![0.0; n * n];
    let total = (data.len() * args.samples) as f64;
    for rows in &data {
        for row in 0..rows.n_rows() {
            let s: Vec<f64> = rows.row_f64(row).iter().map(|x| 2.0 * x - 1.0).collect();
            for (i, line) in covariance.chunks_exact_mut(n).enumerate() {
                line.iter_mut().zip(&s).for_each(|(c, x)| *c += s[i] * x / total);
            }
        }
    }
    let eigen = symmetric_eigen(&covariance, n)?;
    let uniform = (eigen.vector(n - 1).iter().sum::<f64>() / (n as f64).sqrt()).abs();
    if !args.json {
        println!("first component against the magnetisation: cosine {uniform:.5}");
        println!(
            "{:>6} {:>8} {:>8} {:>8} {:>17} {:>17} {:>8} {:>8}",
            "T", "|m|", "|p1|", "|p2|", "|m| of machine", "e (of machine)", "w1", "w2"
        );
    }
    let mut rows = Vec::new();
    for (k, samples) in data.iter().enumerate() {
        let mut components = [0.0; 2];
        for row in 0..samples.n_rows() {
            let s: Vec<f64> = samples.row_f64(row).iter().map(|x| 2.0 * x - 1.0).collect();
            for (c, component) in components.iter_mut().enumerate() {
                let along: f64 = eigen.vector(n - 1 - c).iter().zip(&s).map(|(a, b)| a * b).sum();
                *component += along.abs() / (n as f64).sqrt() / samples.n_rows() as f64;
            }
        }
        let start = PackedRbm::for_data(samples, args.hidden, 0.01, &mut streams.child(2).stream(k as u64))?;
        let params = TrainingParams::default()
            .method(Method::Persistent { sweeps: 5 })
            .epochs(args.epochs)
            .batch(100.min(args.samples))
            .chains(100)
            .learning_rate(0.03)
            .schedule(Schedule::Linear { end: 0.0 })
            .seed(args.seed.wrapping_add(k as u64))
            .threads(args.threads);
        let mut trainer = Trainer::new(samples, start, params)?;
        trainer.run(&mut ())?;
        let machine = trainer.machine();
        // Chains from the data: the machine has both signs of the magnetisation, which chains do not pass between.
        let starts: Vec<u8> = samples.to_f64(0..args.samples.min(1000)).iter().map(|&x| x as u8).collect();
        let mut chains =
            GibbsChains::at_rows(machine, &BitRows::from_bytes(&starts, n)?, streams.child(3).child(k as u64))?;
        chains.advance(machine, 500, args.threads);
        let values = machine.to_rbm()?.singular_values()?;
        let row = Row {
            temperature: temperature(k as u32),
            data: measure(samples, l),
            drawn: measure(&chains.visible(), l),
            components,
            singular_values: [values[0], values.get(1).copied().unwrap_or(0.0)],
        };
        print(&row, args.json);
        rows.push(row);
    }
    draw(&rows, &args)
}

fn print(row: &Row, json: bool) {
    let [m, e] = &row.data;
    let [drawn_m, drawn_e] = &row.drawn;
    let ([p1, p2], [w1, w2]) = (row.components, row.singular_values);
    if json {
        let line = Line::new().number("temperature", Some(row.temperature)).number("abs_magnetization", Some(m.mean()));
        let line = line.number("energy_per_spin", Some(e.mean())).number("p1", Some(p1)).number("p2", Some(p2));
        let line = line.number("machine_abs_magnetization", Some(drawn_m.mean()));
        let line = line.number("machine_abs_magnetization_std_error", Some(drawn_m.std_error()));
        let line = line.number("machine_energy_per_spin", Some(drawn_e.mean()));
        println!("{}", line.numbers("singular_values", Some(&[w1, w2])).finish());
    } else {
        let (t, dm) = (row.temperature, drawn_m.std_error());
        println!(
            "{t:>6.3} {:>8.4} {p1:>8.4} {p2:>8.4} {:>8.4} ± {dm:.4} {:>8.4} {:>8.4} {w1:>8.3} {w2:>8.3}",
            m.mean(),
            drawn_m.mean(),
            e.mean(),
            drawn_e.mean(),
        );
    }
}

fn draw(rows: &[Row], args: &Args) -> Result<(), Box<dyn std::error::Error>> {
    let line = |f: &dyn Fn(&Row) -> f64| rows.iter().map(|row| (row.temperature, f(row))).collect::<Vec<_>>();
    let curves = Curves {
        title: format!("Ising configurations, {l} x {l}, {} hidden units", args.hidden, l = args.size),
        x_label: "T".to_owned(),
        y_label: "per spin".to_owned(),
        lines: vec![
            ("|m| of the data".to_owned(), line(&|row| row.data[0].mean())),
            ("first component".to_owned(), line(&|row| row.components[0])),
            ("second component".to_owned(), line(&|row| row.components[1])),
            ("critical temperature".to_owned(), vec![(2.269_185, 0.0), (2.269_185, 1.0)]),
        ],
        points: vec![Points {
            name: "|m| of the machine".to_owned(),
            points: rows.iter().map(|row| (row.temperature, row.drawn[0].mean(), row.drawn[0].std_error())).collect(),
        }],
        ..Curves::default()
    };
    let file = figure::path("rbm_finds_phases", "svg")?;
    curves.write_svg(&file)?;
    curves.write_csv(&file.with_extension("csv"))?;
    eprintln!("drawn to {}", file.display());
    Ok(())
}
