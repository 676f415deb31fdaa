//! A machine that has seen nothing but samples, as one more solver.

use boltzmann::partition::{AisRun, bennett, exact_ln_z};
use boltzmann::train::{Method, Schedule, Trainer, TrainingParams};
use boltzmann::{BitRows, GibbsChains, PackedRbm};
use linalg_core::stats::{Estimate, Running};
use linalg_core::{Observer, Streams};
use spin_models::mcmc::{HeatBath, Ladder, ParallelTempering, ParallelTemperingParams};
use spin_models::{
    Correlations, EnergyModel, Error, Ising, LnZ, PairCorrelations, Progress, Quantities, Result, Simulation, Solution,
    Solve,
};

/// Sweeps of tempering between two configurations of the data.
const INTERVAL: u64 = 5;

/// Independent sets of replicas.
const SETS: usize = 8;

/// Sweeps of the machine's own chains, which start at data.
const MACHINE_SWEEPS: u64 = 100;

/// Draws configurations, trains a restricted machine on half of them, and asks it for the answers.
///
/// ln Z comes from Bennett's ratio between the machine, whose own partition function is summed exactly, and the half of the
/// data that it has not seen. Correlations are those of the machine's own samples: nothing corrects them.
pub struct Learned {
    /// Configurations for training, and as many to compare with.
    pub samples: usize,
    /// Hidden units.
    pub hidden: usize,
    /// Passes of training.
    pub epochs: u64,
    /// Seed.
    pub seed: u64,
}

impl Learned {
    /// Configurations by parallel tempering from β = 0, a row each.
    fn draw(&self, model: &Ising, beta: f64, observer: &mut dyn Observer<Progress>) -> Result<Vec<i8>> {
        let ladder = Ladder::linear(0.0, beta, 8)?;
        let params = ParallelTemperingParams::default().with_sets(SETS);
        let streams = Streams::new(self.seed).child(0);
        let mut tempering = ParallelTempering::new(model, HeatBath::default(), ladder, params, streams)?;
        tempering.advance(500, &mut ());
        let records = (2 * self.samples).div_ceil(SETS);
        let mut rows = Vec::with_capacity(records * SETS * model.n_spins());
        for record in 0..records {
            tempering.advance(INTERVAL, &mut ());
            (0..SETS).for_each(|set| rows.extend_from_slice(&tempering.spins(7, set)));
            if observer.observe(&Progress::new("sampling", record as u64, records as u64)).is_break() {
                return Err(Error::Stopped { solver: NAME, done: record as u64, total: records as u64 });
            }
        }
        Ok(rows)
    }

    fn train(&self, rows: &BitRows) -> boltzmann::Result<PackedRbm> {
        let streams = Streams::new(self.seed).child(1);
        let start = PackedRbm::for_data(rows, self.hidden, 0.1, &mut streams.stream(0))?;
        let params = TrainingParams::default()
            .method(Method::Persistent { sweeps: 2 })
            .learning_rate(0.1)
            .schedule(Schedule::Linear { end: 0.0 })
            .epochs(self.epochs)
            .chains(256)
            .seed(self.seed);
        let mut trainer = Trainer::new(rows, start, params)?;
        trainer.run(&mut ())?;
        Ok(trainer.into_machine())
    }
}

const NAME: &str = "rbm";

fn failed(error: boltzmann::Error) -> Error {
    Error::solver(NAME, error)
}

/// Bit 1 is spin +1.
fn bits(spins: &[i8], n: usize) -> Result<BitRows> {
    BitRows::from_bytes(&spins.iter().map(|&s| u8::from(s > 0)).collect::<Vec<_>>(), n).map_err(failed)
}

fn spins(rows: &BitRows) -> Vec<i8> {
    rows.to_f64(0..rows.n_rows()).iter().map(|&x| if x > 0.5 { 1 } else { -1 }).collect()
}

/// Means of products over rows that are independent.
fn products(rows: &[i8], n: usize, pairs: &[(usize, usize)]) -> Vec<Estimate> {
    let count = (rows.len() / n) as f64;
    let mean = |&(i, j): &(usize, usize)| {
        let sum: i64 = rows.chunks_exact(n).map(|s| i64::from(s[i] * s[j])).sum();
        let mean = sum as f64 / count;
        Estimate::new(mean, ((1.0 - mean * mean).max(1.0 / count) / count).sqrt())
    };
    pairs.iter().map(mean).collect()
}

/// Bennett's ratio of all rows; its error from the spread of the sets of replicas, which know nothing of each other: rows of one
/// set are correlated, and the machine's own chains begin at them.
fn joined(forward: &[f64], backward: &[f64]) -> Result<LnZ> {
    let ratio = |offset: usize, step: usize| {
        let pick = |rows: &[f64]| rows.iter().copied().skip(offset).step_by(step).collect();
        let forward = AisRun { ln_weights: pick(forward), reverse: false };
        bennett(&forward, &AisRun { ln_weights: pick(backward), reverse: true }).map_err(failed)
    };
    let all = ratio(0, 1)?;
    let mut sets = Running::new();
    for set in 0..SETS {
        sets.push(ratio(set, SETS)?.value);
    }
    Ok(LnZ::estimate(all.value, sets.std_error().max(all.std_error.unwrap_or(0.0))))
}

impl Solve<Ising> for Learned {
    fn name(&self) -> &'static str {
        NAME
    }

    fn solve(
        &self,
        model: &Ising,
        beta: f64,
        want: Quantities,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Solution> {
        let n = model.n_spins();
        let rows = self.draw(model, beta, observer)?;
        let (seen, unseen) = rows.split_at(self.samples * n);
        // Without fields a configuration and its mirror image are equally likely: both are data.
        let both: Vec<i8> = seen.iter().copied().chain(seen.iter().map(|s| -s)).collect();
        let machine = self.train(&bits(&both, n)?).map_err(failed)?;
        let rbm = machine.to_rbm().map_err(failed)?;
        let ln_z_machine = exact_ln_z(&rbm, 1.0).map_err(failed)?;
        let start = bits(unseen, n)?;
        let mut chains = GibbsChains::at_rows(&machine, &start, Streams::new(self.seed).child(2)).map_err(failed)?;
        chains.advance(&machine, MACHINE_SWEEPS, 1);
        let drawn = spins(&chains.visible());
        // ln of weight over probability of the machine: its mean over the machine's samples is Z, that of the inverse over the
        // data is 1/Z.
        let work = |rows: &[i8]| -> Result<Vec<f64>> {
            let free = machine.free_energies(&bits(rows, n)?);
            let ln_weights = rows.chunks_exact(n).zip(free).map(|(s, f)| -beta * model.energy(s) + f + ln_z_machine);
            Ok(ln_weights.collect())
        };
        let mut solution = Solution::default();
        solution.ln_z = Some(joined(&work(&drawn)?, &work(unseen)?)?);
        let pairs: Vec<(usize, usize)> = match want.correlations {
            Correlations::Coupled => model.couplings().map(|(i, j, _)| (i, j)).collect(),
            Correlations::All => (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))).collect(),
            _ => Vec::new(),
        };
        let values = products(&drawn, n, &pairs);
        solution.correlations = Some(PairCorrelations { pairs, values });
        Ok(solution)
    }
}
