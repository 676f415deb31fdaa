//! The simulation of one sample, with all its temperatures in the bits of machine words.

use linalg_core::Streams;
use linalg_core::checkpoint::ContentHash;
use spin_models::mcmc::multispin::TemperingLadders;
use spin_models::mcmc::{Dynamics, Ladder, Observables, OverlapMoments, Overlaps, ReplicaPairs, WaveVectors};
use spin_models::{Boundary, Disorder, Ising, Lattice, Simulation};

use super::{Args, Failure};

/// Ladders of temperatures of one sample, compared in pairs. With 12 temperatures they fill two words.
const LADDERS: usize = 8;

/// Sweeps from one measurement to the next: the overlaps of the pairs take as long as several sweeps.
const INTERVAL: u64 = 20;

/// What all samples share.
#[derive(Debug, Clone)]
pub struct Plan {
    pub ladder: Ladder,
    /// Measured sweeps; as many come first.
    pub sweeps: u64,
    pub seed: u64,
}

impl Plan {
    /// Temperatures in geometric progression, hottest first.
    pub fn new(args: &Args) -> Result<Self, Failure> {
        let Args { coldest, hottest, .. } = *args;
        let range = coldest > 0.0 && coldest < hottest && hottest.is_finite();
        if !range {
            return Err(format!("temperatures from {coldest} to {hottest}, expected 0 < coldest < hottest").into());
        }
        let ladder = Ladder::geometric(1.0 / hottest, 1.0 / coldest, args.temperatures as usize)?;
        Ok(Self { ladder, sweeps: args.sweeps, seed: args.seed })
    }

    /// Everything that the samples of one size depend on.
    pub fn problem(&self, l: usize) -> u64 {
        let mut hash = ContentHash::new();
        hash.write_str("edwards_anderson 1").write_u64s(&[l as u64, self.seed, self.sweeps, INTERVAL, LADDERS as u64]);
        hash.write_f64s(self.ladder.betas()).finish()
    }

    /// The temperatures, hottest first.
    pub fn temperatures(&self) -> Vec<f64> {
        self.ladder.betas().iter().map(|beta| 1.0 / beta).collect()
    }
}

/// Thermal averages of one sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub number: u64,
    /// At every temperature, hottest first.
    pub moments: Vec<OverlapMoments>,
    pub energy_per_bond: Vec<f64>,
    pub swap_acceptance: Vec<f64>,
    /// `<q²>` at the lowest temperature in the parts [1/8, 1/4], [1/4, 1/2], [1/2, 1] of the run.
    pub windows: [f64; 3],
    pub round_trips: u64,
}

/// Simulates a sample, which its size, number and the seed fix.
pub fn simulate(plan: &Plan, l: usize, number: u64) -> Result<Sample, spin_models::Error> {
    let streams = Streams::new(plan.seed).child(l as u64).child(number);
    let lattice = Lattice::cubic(l, Boundary::Periodic)?;
    let model = Ising::edwards_anderson(&lattice, Disorder::plus_minus(), &mut streams.child(0).stream(0))?;
    let betas = plan.ladder.betas();
    let lanes = betas.len();
    let mut tempering = TemperingLadders::new(&model, betas, LADDERS, Dynamics::Metropolis, streams.child(1), 0)?;
    let empty = Overlaps::new(lattice.n_sites(), lanes)
        .with_links(lattice.edges())
        .with_wave_vectors(WaveVectors::of_lattice(&lattice)?);
    let total = 2 * plan.sweeps;
    tempering.advance(total / 8, &mut ());
    let mut windows = [f64::NAN; 3];
    let mut overlaps = empty.clone();
    let mut averages = Observables::new(lattice.n_sites(), LADDERS * lanes);
    let mut swept = total / 8;
    for (window, end) in windows.iter_mut().zip([total / 4, total / 2, total]) {
        (overlaps, averages) = (empty.clone(), Observables::new(lattice.n_sites(), LADDERS * lanes));
        let measurements = ((end - swept) / INTERVAL).max(1);
        tempering.run_pairs(measurements, INTERVAL, &mut averages, &mut overlaps, &mut ());
        *window = overlaps.lane(lanes - 1).moments().q2;
        swept = end;
    }
    let energy = |lane: usize| averages.lanes(LADDERS * lane..LADDERS * (lane + 1)).energy().value;
    let bonds = lattice.n_edges() as f64;
    Ok(Sample {
        number,
        moments: (0..lanes).map(|lane| overlaps.lane(lane).moments()).collect(),
        energy_per_bond: (0..lanes).map(|lane| energy(lane) / bonds).collect(),
        swap_acceptance: tempering.swap_acceptances(),
        windows,
        round_trips: tempering.round_trips(),
    })
}
