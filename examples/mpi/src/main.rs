//! Are replicas on several processes worth it for a spin glass that one process cannot hold in its cache?
//!
//! Parallel tempering of a three-dimensional glass, ±J or Gaussian, over MPI. With `--alone` the same run by spin-models in one
//! process: the output is the same, byte for byte. `./run` does both and compares.
//!
//! ```text
//! mpirun -n 4 target/release/tempering-over-mpi --l 8 --temperatures 16 --measurements 500
//! target/release/tempering-over-mpi --alone --l 8 --temperatures 16 --measurements 500
//! ```

use std::process::ExitCode;

use linalg_core::Streams;
use linalg_core::checkpoint::ContentHash;
use spin_models::mcmc::{Ladder, Metropolis, Observables, ParallelTempering, ParallelTemperingParams};
use spin_models::{Boundary, Disorder, Ising, Lattice, Simulation};

type Failure = Box<dyn std::error::Error>;

/// What both runs share.
struct Setting {
    l: usize,
    temperatures: usize,
    sets: usize,
    measurements: u64,
    interval: u64,
    seed: u64,
    gaussian: bool,
    alone: bool,
}

const USAGE: &str = "options: --l N (8), --temperatures N (16), --sets N (1), --measurements N (500), --interval N (2), --seed N (1), \
                     --gaussian, --alone";

impl Setting {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut setting = Self {
            l: 8,
            temperatures: 16,
            sets: 1,
            measurements: 500,
            interval: 2,
            seed: 1,
            gaussian: false,
            alone: false,
        };
        while let Some(word) = words.next() {
            let mut number = |least: u64, most: u64| -> Result<u64, Failure> {
                let value = words.next().ok_or_else(|| format!("{word} needs a number"))?;
                let found = value.parse().ok().filter(|found| (least..=most).contains(found));
                found.ok_or_else(|| {
                    format!("{word} is {value:?}, expected a whole number from {least} to {most}").into()
                })
            };
            match word.as_str() {
                "--l" => setting.l = number(2, 1024)? as usize,
                "--temperatures" => setting.temperatures = number(2, 65_536)? as usize,
                "--sets" => setting.sets = number(1, 1024)? as usize,
                "--measurements" => setting.measurements = number(1, u64::MAX)?,
                "--interval" => setting.interval = number(1, u64::MAX)?,
                "--seed" => setting.seed = number(0, u64::MAX)?,
                "--gaussian" => setting.gaussian = true,
                "--alone" => setting.alone = true,
                _ => return Err(format!("{word:?} is no option; {USAGE}").into()),
            }
        }
        Ok(setting)
    }

    fn model(&self) -> Result<Ising, Failure> {
        let disorder = if self.gaussian { Disorder::gaussian() } else { Disorder::plus_minus() };
        let lattice = Lattice::cubic(self.l, Boundary::Periodic)?;
        Ok(Ising::edwards_anderson(&lattice, disorder, &mut self.streams().child(0).stream(0))?)
    }

    fn streams(&self) -> Streams {
        Streams::new(self.seed)
    }

    fn ladder(&self) -> Result<Ladder, Failure> {
        Ok(Ladder::geometric(0.5, 1.2, self.temperatures)?)
    }

    fn params(&self) -> ParallelTemperingParams {
        ParallelTemperingParams::default().with_sets(self.sets)
    }
}

/// A line a temperature; floats with all their digits.
fn report(betas: &[f64], averages: &Observables, acceptances: &[f64], round_trips: u64, replicas: &[usize]) {
    for (lane, beta) in betas.iter().enumerate() {
        let (e, m) = (averages.lane(lane).energy_per_spin(), averages.lane(lane).abs_magnetization());
        let accepted = acceptances.get(lane).copied().unwrap_or(f64::NAN);
        println!(
            "beta {beta:?} energy {:?} +- {:?} |m| {:?} +- {:?} accepted {accepted:?}",
            e.value,
            e.std_error.unwrap_or(f64::NAN),
            m.value,
            m.std_error.unwrap_or(f64::NAN)
        );
    }
    let hash = ContentHash::new().write_usizes(replicas).finish();
    println!("round trips {round_trips}, permutation {hash:016x}");
}

fn alone(setting: &Setting) -> Result<(), Failure> {
    let model = setting.model()?;
    let (ladder, params) = (setting.ladder()?, setting.params());
    let betas = ladder.betas().to_vec();
    let mut tempering =
        ParallelTempering::new(&model, Metropolis::default(), ladder, params, setting.streams().child(1))?;
    let mut averages = Observables::new(setting.l.pow(3), betas.len());
    tempering.run(setting.measurements, setting.interval, &mut averages, &mut ());
    let slots = (0..betas.len()).flat_map(|k| (0..setting.sets).map(move |set| (k, set)));
    let replicas: Vec<usize> = slots.map(|(k, set)| tempering.replica(k, set)).collect();
    report(&betas, &averages, &tempering.swap_acceptances(), tempering.round_trips(), &replicas);
    Ok(())
}

#[cfg(feature = "mpi")]
fn ranked(setting: &Setting) -> Result<(), Failure> {
    use tempering_over_mpi::{OverMpi, RankedTempering, Transport};

    let universe = mpi::initialize().ok_or("MPI was not initialised")?;
    let transport = OverMpi(universe.world());
    let first = transport.rank() == 0;
    if first {
        eprintln!("{} ranks", transport.ranks());
    }
    let model = setting.model()?;
    let (ladder, params) = (setting.ladder()?, setting.params());
    let betas = ladder.betas().to_vec();
    let streams = setting.streams().child(1);
    let mut tempering = RankedTempering::new(&model, Metropolis::default(), ladder, &params, streams, transport);
    let mut averages = Observables::new(setting.l.pow(3), betas.len());
    tempering.run(setting.measurements, setting.interval, &mut averages);
    if first {
        let exchange = tempering.exchange();
        report(&betas, &averages, &exchange.acceptances(), exchange.round_trips(), exchange.replicas());
    }
    Ok(())
}

#[cfg(not(feature = "mpi"))]
fn ranked(_: &Setting) -> Result<(), Failure> {
    Err("built without the feature `mpi`; `./run` says what it needs, `--alone` works".into())
}

fn main() -> ExitCode {
    let result = Setting::parse(std::env::args().skip(1)).and_then(|s| if s.alone { alone(&s) } else { ranked(&s) });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
