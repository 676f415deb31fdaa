//! Signs learned by a machine, and predicted slice by slice.

use boltzmann::io::NpyArray;
use boltzmann::partition::exact_ln_z;
use boltzmann::train::{Method, Schedule, Trainer, TrainingParams};
use boltzmann::{BitRows, GibbsChains, PackedRbm};
use linalg_core::Streams;
use linalg_core::stats::{Estimate, Running};
use physics_inference::cluster::ClusterSet;
use physics_inference::predict::{FitParams, Model, evaluate};
use physics_inference::series::BitSeries;

use crate::Failure;

/// Time slices of a window.
const WINDOW: usize = 4;

/// What a machine learned.
pub struct Machine {
    /// Mean product of signs by lag in time, of its own samples.
    pub signs: Vec<Estimate>,
    /// Mean log-likelihood of windows that it has not seen, in nats a site.
    pub likelihood: f64,
}

/// Trains on windows of the first nine tenths of the configurations.
pub fn machine(fields: &NpyArray, hidden: usize, epochs: u64, seed: u64, streams: Streams) -> Result<Machine, Failure> {
    let (samples, time, space) = (fields.shape[0], fields.shape[1], fields.shape[2]);
    let n = WINDOW * space;
    // Windows do not overlap; what is left at the end of a configuration is not used.
    let bytes = |range: std::ops::Range<usize>| -> Vec<u8> {
        let configurations = fields.data.chunks_exact(time * space).skip(range.start).take(range.len());
        configurations.flat_map(|phi| phi.chunks_exact(n)).flatten().map(|&x| u8::from(x > 0.0)).collect()
    };
    let seen = samples * 9 / 10;
    let (train, test) = (BitRows::from_bytes(&bytes(0..seen), n)?, BitRows::from_bytes(&bytes(seen..samples), n)?);
    let start = PackedRbm::for_data(&train, hidden, 0.1, &mut streams.stream(0))?;
    let params = TrainingParams::default()
        .method(Method::Persistent { sweeps: 2 })
        .learning_rate(0.1)
        .schedule(Schedule::Linear { end: 0.0 })
        .epochs(epochs)
        .chains(256)
        .seed(seed);
    let mut trainer = Trainer::new(&train, start, params)?;
    trainer.run(&mut ())?;
    let machine = trainer.machine();
    let ln_z = exact_ln_z(&machine.to_rbm()?, 1.0)?;
    let likelihood = -machine.free_energies(&test).iter().sum::<f64>() / test.n_rows() as f64 - ln_z;
    let mut chains = GibbsChains::at_rows(machine, &test, streams.child(1))?;
    chains.advance(machine, 200, 1);
    let drawn = chains.visible();
    let mut sums = [Running::new(); WINDOW];
    for row in 0..drawn.n_rows() {
        let s: Vec<f64> = drawn.row_f64(row).iter().map(|x| 2.0 * x - 1.0).collect();
        for (lag, sum) in sums.iter_mut().enumerate() {
            let pairs = n - lag * space;
            sum.push((0..pairs).map(|k| s[k] * s[k + lag * space]).sum::<f64>() / pairs as f64);
        }
    }
    Ok(Machine { signs: sums.iter().map(Running::estimate).collect(), likelihood: likelihood / n as f64 })
}

/// Held-out loss of one predictor.
pub struct Loss {
    /// Name of the model.
    pub model: String,
    /// Free numbers.
    pub parameters: usize,
    /// Mean of -ln p, in nats a sign.
    pub loss: Estimate,
}

/// Fits predictors to the first slices of the stream and scores them on as many more.
pub fn predict(fields: &NpyArray, slices: usize) -> Result<Vec<Loss>, Failure> {
    let space = fields.shape[2];
    let signs: Vec<i8> = fields.data[..2 * slices * space].iter().map(|&x| if x > 0.0 { 1 } else { -1 }).collect();
    let (train, test) = BitSeries::from_rows(space, &signs)?.split(0.5)?;
    let alone = ClusterSet::singles(space);
    let mut losses = Vec::new();
    for name in ["independent", "self-markov", "coulomb", "kinetic-ising"] {
        let model: Model = name.parse()?;
        let mut fitted = model.fit(&train, &alone, &FitParams::default().starts(4, 1).max_iterations(100))?;
        let report = evaluate(fitted.predictor.as_mut(), &test)?;
        let loss = Estimate::new(report.mean, report.std_error);
        losses.push(Loss { model: name.to_owned(), parameters: report.parameters, loss });
    }
    Ok(losses)
}
