//! Parallel tempering with a temperature in every lane.

use linalg_core::checkpoint::{CheckpointError, Reader, Writer};
use linalg_core::rng::Streams;

use super::couplings::RealModel;
use super::population::Population;
use super::rates::{Rate, Rates};
use super::sweep::{Energies, Group, Sweeps};
use crate::error::check_beta;
use crate::mcmc::multispin::InstructionSet;
use crate::mcmc::multispin::simd::FLOATS;
use crate::mcmc::multispin::tempering::exchange::Exchange;
use crate::mcmc::population_engine::{settings_of_population, simulation_of_population};
use crate::mcmc::saved_state::read_same_ladder;
use crate::mcmc::{Dynamics, Overlaps, ReplicaPairs, threads};
use crate::models::Ising;
use crate::{Error, Result};

const SOLVER: &str = "vector tempering";
const KIND: &str = "vector tempering 1";

/// Parallel tempering of one model with any couplings, 16 replicas side by side, each at a temperature of its own.
///
/// A ladder has a replica at every inverse temperature. After every sweep, or every few, neighbouring temperatures of
/// every second pair are exchanged with probability
///
/// ```math
/// \min\left(1, e^{(\beta_{t+1} - \beta_t)(E_{t+1} - E_t)}\right)
/// ```
///
/// the even and the odd pairs in turn, with energies summed in 64 bits from the spins. Replicas keep their lanes; the
/// temperatures move. All replicas have random numbers of their own.
///
/// Lane `t * n_ladders + l` of the [`Simulation`](crate::Simulation) is ladder l at temperature t, so that the lanes of one temperature
/// follow each other: [`Observables::lanes`](crate::mcmc::Observables::lanes). With K temperatures,
/// `16 / gcd(16, K)` ladders fill whole vectors; they are the unit of work of a thread.
///
/// Replicas, ladder by ladder, `16k ..` draw from stream k of `streams.child(unit)`, the exchanges of each unit of work
/// from a fast stream.
///
/// Reference: K. Hukushima and K. Nemoto, J. Phys. Soc. Jpn. 65, 1604 (1996).
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::mcmc::{Dynamics, Observables, vector::VectorLadders};
/// use spin_models::{Ising, Simulation};
///
/// // Two spins with J = √2: ⟨E⟩ = -√2 tanh √2β.
/// let pair = Ising::builder(2).coupling(0, 1, 2f64.sqrt()).build()?;
/// let betas = [0.2, 0.5, 1.0];
/// let mut ladders = VectorLadders::new(&pair, &betas, 64, Dynamics::HeatBath, Streams::new(4), 0)?;
/// let mut averages = Observables::new(2, 3 * 64);
/// ladders.advance(50, &mut ());
/// ladders.run(200, 1, &mut averages, &mut ());
///
/// for (t, beta) in betas.into_iter().enumerate() {
///     let energy = averages.lanes(64 * t..64 * (t + 1)).energy();
///     let exact = -2f64.sqrt() * (2f64.sqrt() * beta).tanh();
///     assert!((energy.value - exact).abs() < 4.0 * energy.std_error.unwrap());
/// }
/// assert!(ladders.round_trips() > 0);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct VectorLadders {
    population: Population,
    betas: Vec<f64>,
    temperatures: Vec<Rate>,
    units: Vec<Unit>,
    /// Groups and ladders of a unit; the last one may have fewer.
    groups: usize,
    ladders: usize,
    /// Sweeps between exchanges.
    interval: u64,
}

/// Ladders that fill whole groups, but for the last unit.
#[derive(Debug, Clone)]
struct Unit {
    /// Places are ladder by ladder; `walkers` says which replica of the unit is at a place.
    exchange: Exchange,
    /// The temperatures of its groups as they are now.
    rates: Vec<Rates>,
}

impl VectorLadders {
    /// `n_ladders` ladders of the inverse temperatures `betas`, with random spins; exchanges after every sweep.
    ///
    /// # Errors
    /// [`Error::Beta`] for a value that is not finite or negative; [`Error::Parameter`] for no value, values that do not
    /// ascend, or no ladder; [`Error::TooLarge`] if the memory is not there, before any of it is taken.
    ///
    /// ```
    /// use linalg_core::Streams;
    /// use spin_models::Ising;
    /// use spin_models::mcmc::{Dynamics, vector::VectorLadders};
    ///
    /// let pair = Ising::builder(2).coupling(0, 1, 0.3).build()?;
    /// let refused = |betas: &[f64]| {
    ///     VectorLadders::new(&pair, betas, 1, Dynamics::HeatBath, Streams::new(1), 0).unwrap_err().to_string()
    /// };
    /// assert_eq!(refused(&[]), "number of temperatures is 0, expected at least 1");
    /// assert_eq!(refused(&[0.1, 0.3, 0.2]), "beta is 0.2 at position 2 after 0.3, expected larger than the one before");
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    pub fn new(
        model: &Ising,
        betas: &[f64],
        n_ladders: usize,
        dynamics: Dynamics,
        streams: Streams,
        unit: u64,
    ) -> Result<Self> {
        let k = betas.len();
        let parameter = |what, value, expected| Err(Error::Parameter { what, value, expected });
        if k == 0 {
            return parameter("number of temperatures", "0".into(), "at least 1");
        }
        betas.iter().try_for_each(|&beta| check_beta(beta))?;
        if let Some(t) = (1..k).find(|&t| betas[t] <= betas[t - 1]) {
            let value = format!("{} at position {t} after {}", betas[t], betas[t - 1]);
            return parameter("beta", value, "larger than the one before");
        }
        if n_ladders == 0 {
            return parameter("number of ladders", "0".into(), "at least 1");
        }
        let Some(n_replicas) = n_ladders.checked_mul(k).filter(|n| u32::try_from(*n).is_ok()) else {
            return parameter("number of ladders", n_ladders.to_string(), "fewer than 2^32 replicas in all");
        };
        let streams = streams.child(unit);
        let population = Population::new(SOLVER, model, n_replicas, dynamics, streams)?;
        let temperatures: Vec<Rate> = betas.iter().map(|&beta| Rate::new(&population.model, dynamics, beta)).collect();
        let ladders = FLOATS >> k.trailing_zeros().min(FLOATS.trailing_zeros());
        let groups = ladders * k / FLOATS;
        let units = (0..population.groups.len().div_ceil(groups))
            .map(|unit| {
                let replicas = (ladders * k).min(n_replicas - unit * ladders * k);
                let exchange = Exchange::new(streams.fast_stream(unit as u64), k, replicas);
                let mut unit = Unit { exchange, rates: Vec::new() };
                unit.set_rates(&temperatures);
                unit
            })
            .collect();
        Ok(Self { population, betas: betas.to_vec(), temperatures, units, groups, ladders, interval: 1 })
    }

    /// Exchanges after every `interval` sweeps, counted from the start.
    ///
    /// # Errors
    /// [`Error::Parameter`] for 0.
    pub fn with_swap_interval(mut self, interval: u64) -> Result<Self> {
        if interval == 0 {
            let what = "swap interval";
            return Err(Error::Parameter { what, value: "0".into(), expected: "at least 1 sweep" });
        }
        self.interval = interval;
        Ok(self)
    }

    settings_of_population!("`16 / gcd(16, K)` ladders or more");

    /// The inverse temperatures of a ladder.
    pub fn betas(&self) -> &[f64] {
        &self.betas
    }

    /// Number of ladders.
    pub fn n_ladders(&self) -> usize {
        self.population.n_replicas / self.betas.len()
    }

    /// The replica that is at a lane now.
    fn replica(&self, lane: usize) -> usize {
        assert!(lane < self.population.n_replicas, "lane {lane} of {}", self.population.n_replicas);
        let k = self.betas.len();
        let place = lane % self.n_ladders() * k + lane / self.n_ladders();
        let per_unit = self.ladders * k;
        let walker = self.units[place / per_unit].exchange.walkers[place % per_unit];
        place / per_unit * per_unit + walker as usize
    }

    /// The configuration of a lane. `O(N)`.
    ///
    /// # Panics
    /// If `lane` is not a lane.
    pub fn spins(&self, lane: usize) -> Vec<i8> {
        self.population.spins(self.replica(lane))
    }

    /// Replaces the configuration of a lane; values below 0 are down.
    ///
    /// # Panics
    /// If `lane` is not a lane or `s` has the wrong length.
    pub fn set_spins(&mut self, lane: usize, s: &[i8]) {
        self.population.set_spins(self.replica(lane), s);
    }

    /// The energies of all lanes, summed in 64 bits.
    pub fn energies(&self) -> Vec<f64> {
        self.by_lane(&self.population.energies())
    }

    /// The sums of the spins of all lanes.
    pub fn magnetizations(&self) -> Vec<i64> {
        self.by_lane(&self.population.magnetizations())
    }

    fn by_lane<T: Copy>(&self, of_replicas: &[T]) -> Vec<T> {
        (0..of_replicas.len()).map(|lane| of_replicas[self.replica(lane)]).collect()
    }

    /// How often a replica went from the hottest temperature to the coldest and back, in all ladders.
    pub fn round_trips(&self) -> u64 {
        self.units.iter().map(|unit| unit.exchange.round_trips).sum()
    }

    /// Accepted over proposed exchanges of temperatures t and t + 1; NaN before the first.
    pub fn swap_acceptances(&self) -> Vec<f64> {
        let sum = |of: fn(&Exchange) -> &Vec<u64>, t: usize| -> u64 {
            self.units.iter().map(|unit| of(&unit.exchange)[t]).sum()
        };
        let ratio = |t| sum(|e| &e.accepted, t) as f64 / sum(|e| &e.proposed, t) as f64;
        (0..self.betas.len() - 1).map(ratio).collect()
    }

    fn lane_beta(&self, lane: usize) -> f64 {
        self.betas[lane / self.n_ladders()]
    }

    fn write(&self, state: &mut Writer) {
        state.write_f64s(&self.betas).write_u64(self.interval);
        self.population.write(state);
        self.units.iter().for_each(|unit| unit.exchange.write(state));
    }

    fn read(&self, reader: &mut Reader<'_>) -> std::result::Result<(Population, Vec<Unit>), CheckpointError> {
        read_same_ladder(reader, &self.betas, self.interval)?;
        let population = self.population.read(reader)?;
        let mut units = self.units.clone();
        for unit in &mut units {
            unit.exchange = unit.exchange.read(reader)?;
            unit.set_rates(&self.temperatures);
        }
        Ok((population, units))
    }

    fn adopt(&mut self, state: (Population, Vec<Unit>)) -> Result<()> {
        (self.population, self.units) = state;
        Ok(())
    }

    fn sweep(&mut self, sweeps: u64) -> u64 {
        let Self { population, betas, temperatures, units, groups, interval, .. } = self;
        let start = population.sweeps;
        let threads = population.threads(sweeps);
        population.sweeps += sweeps;
        let job = Job {
            model: &population.model,
            dynamics: population.dynamics,
            instructions: population.instructions,
            betas,
            temperatures,
            interval: *interval,
        };
        let groups = population.groups.chunks_mut(*groups);
        let mut parts: Vec<_> = units.iter_mut().zip(groups).collect();
        threads::sum_over(threads, &mut parts, |(unit, groups)| job.run(unit, groups, start, sweeps))
    }
}

impl Unit {
    /// Gives every lane the temperature at which it is.
    fn set_rates(&mut self, temperatures: &[Rate]) {
        let walkers = &self.exchange.walkers;
        // Lanes without a replica go along with the first temperature.
        let mut of_lane = vec![temperatures[0]; walkers.len().next_multiple_of(FLOATS)];
        for (place, &walker) in walkers.iter().enumerate() {
            of_lane[walker as usize] = temperatures[place % temperatures.len()];
        }
        self.rates = of_lane.chunks_exact(FLOATS).map(|rates| Rates::new(|lane| rates[lane])).collect();
    }
}

/// What all units have in common.
struct Job<'a> {
    model: &'a RealModel,
    dynamics: Dynamics,
    instructions: InstructionSet,
    betas: &'a [f64],
    temperatures: &'a [Rate],
    interval: u64,
}

impl Job<'_> {
    fn run(&self, unit: &mut Unit, groups: &mut [Group], start: u64, sweeps: u64) -> u64 {
        let &Self { model, dynamics, instructions, betas, temperatures, interval } = self;
        let mut flips = 0;
        let mut at = start;
        while at < start + sweeps {
            let until = (at / interval + 1).saturating_mul(interval).min(start + sweeps);
            let sweeps = until - at;
            for (group, rates) in groups.iter_mut().zip(&unit.rates) {
                flips += instructions.run(Sweeps { model, dynamics, rates, group, sweeps });
            }
            at = until;
            if at.is_multiple_of(interval) && betas.len() > 1 {
                let energies = |group: &Group| instructions.run(Energies { model, spins: &group.spins });
                let of_replicas: Vec<f64> = groups.iter().flat_map(energies).collect();
                let walkers = &unit.exchange.walkers;
                let mut energies: Vec<f64> = walkers.iter().map(|&walker| of_replicas[walker as usize]).collect();
                let parity = (at / interval % 2) as usize;
                if !unit.exchange.propose(betas, &mut energies, 1.0, parity).is_empty() {
                    unit.set_rates(temperatures);
                }
            }
        }
        flips
    }
}

simulation_of_population!(VectorLadders);

/// At every temperature the ladders 0 and 1, 2 and 3, … are a pair each, chains of their own. Two ladders never exchange,
/// so their replicas are independent.
impl ReplicaPairs for VectorLadders {
    fn measure_overlaps(&self, into: &mut Overlaps) {
        let (lanes, n) = (self.betas.len(), self.n_ladders());
        assert_eq!(into.n_lanes(), lanes, "overlaps of {} lanes for {lanes} temperatures", into.n_lanes());
        assert!(n >= 2, "overlaps need two ladders, there is {n}");
        for lane in 0..lanes {
            for (pair, first) in (0..n - 1).step_by(2).enumerate() {
                let [a, b] =
                    [first, first + 1].map(|ladder| self.population.packed_spins(self.replica(lane * n + ladder)));
                into.record_pair_words(lane, pair, &a, &b);
            }
        }
    }
}
