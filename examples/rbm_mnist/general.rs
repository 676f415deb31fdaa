//! Machines with other units than 0/1, and methods that only the general trainer has.

use std::fs::File;
use std::io::BufWriter;
use std::time::Instant;

use boltzmann::io::{self, static_binarisation};
use boltzmann::partition::{AnnealedImportance, annealed_importance, exact_ln_z};
use boltzmann::train::{Centring, DenseParams, DenseTrainer};
use boltzmann::units::{Unit, UnitKind};
use boltzmann::{BitRows, Error, Rbm};
use linalg_core::Streams;
use linalg_core::checkpoint::Checkpoint;
use linalg_core::stats::Running;
use workspace_examples::binary_images::Binarisation;
use workspace_examples::grey_images::GreyImages;
use workspace_examples::json::Line;

use crate::args::{Args, dense_method};

type Failure = Box<dyn std::error::Error>;
type Machine = Rbm<UnitKind, UnitKind>;

/// Rows in the alphabet of the visible units, and the fields of free units that have their means.
struct Rows {
    train: Vec<f64>,
    test: Vec<f64>,
    base: Vec<f64>,
}

fn bits(images: &GreyImages, rule: Binarisation, seed: u64) -> Result<BitRows, Failure> {
    let array = images.to_idx();
    Ok(match rule {
        Binarisation::Static => static_binarisation(&array, seed)?,
        Binarisation::Threshold => array.threshold(128)?,
    })
}

fn means(rows: &[f64], n: usize) -> Vec<f64> {
    let mut means = vec![0.0; n];
    for row in rows.chunks_exact(n) {
        means.iter_mut().zip(row).for_each(|(mean, x)| *mean += x);
    }
    let count = (rows.len() / n) as f64;
    means.iter_mut().for_each(|mean| *mean /= count);
    means
}

fn rows(kind: &UnitKind, train: &GreyImages, test: &GreyImages, rule: Binarisation) -> Result<Rows, Failure> {
    let n = train.n_pixels();
    let levels = |images: &GreyImages, q: usize| -> Vec<f64> {
        let level = |x: &f32| ((x * 255.0).round() as usize * q / 256).min(q - 1);
        images.pixels.iter().flat_map(|x| (0..q).map(move |a| f64::from(u8::from(a == level(x))))).collect()
    };
    let binary = |low: f64| -> Result<[Vec<f64>; 2], Failure> {
        let rows = |bits: BitRows| -> Vec<f64> {
            bits.to_f64(0..bits.n_rows()).iter().map(|x| if *x > 0.5 { 1.0 } else { low }).collect()
        };
        Ok([rows(bits(train, rule, 0)?), rows(bits(test, rule, 1 << 40)?)])
    };
    let clipped = |p: f64| p.clamp(1e-3, 1.0 - 1e-3);
    let logit = |p: f64| (clipped(p) / (1.0 - clipped(p))).ln();
    match kind {
        UnitKind::Bernoulli(_) => {
            let [train, test] = binary(0.0)?;
            let base = means(&train, n).into_iter().map(logit).collect();
            Ok(Rows { train, test, base })
        }
        UnitKind::Spin(_) => {
            let [train, test] = binary(-1.0)?;
            let base = means(&train, n).into_iter().map(|m| 0.5 * logit(0.5 * (1.0 + m))).collect();
            Ok(Rows { train, test, base })
        }
        UnitKind::Potts(potts) => {
            let (train, test) = (levels(train, potts.q()), levels(test, potts.q()));
            let base = means(&train, n * potts.q()).into_iter().map(|p| clipped(p).ln()).collect();
            Ok(Rows { train, test, base })
        }
        UnitKind::Binomial(binomial) => {
            let top = f64::from(binomial.trials());
            let counts = |images: &GreyImages| images.pixels.iter().map(|&x| (top * f64::from(x)).round()).collect();
            let (train, test): (Vec<f64>, Vec<f64>) = (counts(train), counts(test));
            let base = means(&train, n).into_iter().map(|m| logit(m / top)).collect();
            Ok(Rows { train, test, base })
        }
        UnitKind::Gaussian(_) => {
            // Pixels less their means, over the root mean square of all of them.
            let grey = |images: &GreyImages| images.pixels.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
            let (mut train, mut test) = (grey(train), grey(test));
            let mean = means(&train, n);
            for row in train.chunks_exact_mut(n).chain(test.chunks_exact_mut(n)) {
                row.iter_mut().zip(&mean).for_each(|(x, m)| *x -= m);
            }
            let scale = (train.iter().map(|x| x * x).sum::<f64>() / train.len() as f64).sqrt().max(1e-12);
            train.iter_mut().chain(&mut test).for_each(|x| *x /= scale);
            Ok(Rows { train, test, base: vec![0.0; n] })
        }
        _ => Err("visible units must be bernoulli, spin, gaussian, potts:Q or binomial:N".into()),
    }
}

/// The mean squared distance of rows from the visible means of one reconstruction.
fn reconstruction_error(machine: &Machine, rows: &[f64], streams: Streams) -> f64 {
    let n = machine.visible_len();
    let mut rng = streams.fast_stream(0);
    let (mut h, mut mean) = (vec![0.0; machine.hidden_len()], vec![0.0; n]);
    let mut sum = Running::new();
    for v in rows.chunks_exact(n).take(500) {
        machine.sample_hidden(v, 1.0, &mut h, &mut rng);
        machine.visible_mean(&h, 1.0, &mut mean);
        sum.push(mean.iter().zip(v).map(|(a, b)| (a - b) * (a - b)).sum());
    }
    sum.mean()
}

fn likelihoods(machine: &Machine, rows: &[f64]) -> Running {
    let mut energies = vec![0.0; rows.len() / machine.visible_len()];
    machine.free_energies(rows, 1.0, &mut energies);
    let mut running = Running::new();
    energies.into_iter().for_each(|f| running.push(-f));
    running
}

/// Trains in `f64` and evaluates, exactly where a layer is small enough or Gaussian.
pub fn run(args: &Args) -> Result<(), Failure> {
    if args.statistics || args.figures.is_some() {
        return Err("--statistics and --figures are for 0/1 units and the fast methods".into());
    }
    let (train, test) = match &args.data {
        Some(directory) => {
            (GreyImages::from_directory(directory, "train")?, GreyImages::from_directory(directory, "t10k")?)
        }
        None => {
            let n = if args.quick { 1000 } else { 20_000 };
            (GreyImages::digits(n, 0, 0), GreyImages::digits(1000, 0, 1))
        }
    };
    let visible = UnitKind::parse(&args.visible, train.n_pixels())?;
    let hidden = UnitKind::parse(&args.hidden_units, args.hidden)?;
    let rows = rows(&visible, &train, &test, args.binarisation)?;
    let streams = Streams::new(args.seed);
    let mut rng = streams.child(1).stream(0);
    let mut start = Machine::random(visible, hidden, train.n_pixels(), args.hidden, args.initial, &mut rng)?;
    start.parameters_mut().1.copy_from_slice(&rows.base);
    let per_epoch = (train.len() / args.batch.clamp(1, train.len())) as u64;
    let params = DenseParams::default()
        .method(dense_method(&args.method)?)
        .learning_rate(args.learning_rate, args.schedule()?)
        .stepper(args.stepper())
        .updates(args.epochs * per_epoch)
        .batch(args.batch.min(train.len()))
        .chains(args.chains)
        .momentum(args.momentum, args.l2)
        .centring(if args.plain { Centring::None } else { Centring::Data })
        .precision_rate(args.precision_rate);
    let mut trainer = DenseTrainer::new(start, &rows.train, params, streams.child(2))?;
    if let Some(file) = &args.resume {
        trainer.restore(&Checkpoint::load(file)?)?;
    }
    let mut seconds = 0.0;
    for epoch in trainer.updates() / per_epoch + 1..=args.epochs {
        let clock = Instant::now();
        trainer.advance(per_epoch)?;
        let epoch_seconds = clock.elapsed().as_secs_f64();
        seconds += epoch_seconds;
        let error = reconstruction_error(trainer.machine(), &rows.test, streams.child(3));
        if args.json {
            let line = Line::new().count("epoch", epoch).number("epoch_seconds", Some(epoch_seconds));
            let line = line.number("pseudo_log_likelihood", None).number("reconstruction_error", Some(error));
            println!("{}", line.finish());
        } else {
            println!("{epoch:>6} {epoch_seconds:>9.3} s, reconstruction error {error:.3}");
        }
        if let Some(file) = &args.checkpoint {
            trainer.checkpoint().save(file)?;
        }
    }
    let machine = trainer.machine();
    if let Some(file) = &args.weights {
        io::write_weights(machine, &mut BufWriter::new(File::create(file)?))?;
    }
    let (ln_z, error, exact) = match exact_ln_z(machine, 1.0) {
        Ok(ln_z) => (ln_z, 0.0, true),
        Err(Error::TooLarge { .. } | Error::NotApplicable { .. }) => {
            let effort = AnnealedImportance::new(args.ais_temperatures.unwrap_or(500), args.ais_chains.unwrap_or(20))?;
            let estimate = annealed_importance(machine, &rows.base, &effort, streams.child(4))?.estimate();
            (estimate.value, estimate.std_error.unwrap_or(f64::INFINITY), false)
        }
        Err(error) => return Err(error.into()),
    };
    let (train, test) = (likelihoods(machine, &rows.train), likelihoods(machine, &rows.test));
    let (kind, test_error) = (if exact { "exact" } else { "estimated" }, test.std_error().hypot(error));
    let names = [machine.visible().name(), machine.hidden().name()];
    if args.json {
        let line = Line::new()
            .text("visible", names[0])
            .text("hidden_units", names[1])
            .number("ln_z", Some(ln_z))
            .number("ln_z_std_error", Some(error))
            .flag("exact", exact)
            .number("train_log_likelihood", Some(train.mean() - ln_z))
            .number("test_log_likelihood", Some(test.mean() - ln_z))
            .number("test_std_error", Some(test_error))
            .number("seconds", Some(seconds));
        println!("{}", line.finish());
    } else {
        println!("{} and {} units: ln Z = {ln_z:.4} ± {error:.4} ({kind})", names[0], names[1]);
        let (train, test) = (train.mean() - ln_z, test.mean() - ln_z);
        println!("test: {test:.3} ± {test_error:.3} nats an image, train: {train:.3}; {seconds:.1} s of training");
    }
    Ok(())
}
