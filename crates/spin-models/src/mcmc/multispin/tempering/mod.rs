//! Parallel tempering with a temperature in every bit.

pub(in crate::mcmc) mod exchange;

use linalg_core::checkpoint::{CheckpointError, Reader, Writer};
use linalg_core::rng::Streams;

use super::local::pulls;
use super::measure::Energies;
use super::population::{Cut, Population, Unit};
use super::simd::{BITS, Block, InstructionSet};
use super::sweep::{Sweeps, Table};
use super::units::IntegerModel;
use crate::error::check_beta;
use crate::mcmc::population_engine::{settings_of_population, simulation_of_population};
use crate::mcmc::saved_state::read_same_ladder;
use crate::mcmc::{Dynamics, threads};
use crate::model::EnergyModel;
use crate::models::Ising;
use crate::{Error, Result};
use exchange::{Exchange, Swap};

const SOLVER: &str = "packed tempering";
const KIND: &str = "packed tempering 1";

/// Parallel tempering of one model with whole ladders of temperatures in a block of bits.
///
/// A ladder has a replica at every inverse temperature. With K of them a block holds `⌊512 / K⌋` ladders, each bit with
/// the flip probabilities of its own temperature and random numbers of its own. After every sweep, or every few,
/// neighbouring temperatures of every second pair exchange their configurations with probability
///
/// ```math
/// \min\left(1, e^{(\beta_{t+1} - \beta_t)(E_{t+1} - E_t)}\right)
/// ```
///
/// the even and the odd pairs in turn; a configuration moves to the neighbouring bit, the temperature of a bit stays.
/// Replicas that shared random numbers would keep their own law, but not be independent of each other as the exchange
/// requires, so nothing is shared.
///
/// Models as for [`Replicas`](super::Replicas). Lane `t * n_ladders + l` of the
/// [`Simulation`](crate::Simulation) is ladder l at temperature t, so that the lanes of one temperature follow each other:
/// [`Observables::lanes`](crate::mcmc::Observables::lanes).
///
/// Ladders `k ⌊512 / K⌋ ..` draw from stream k of `streams.child(unit)`, their exchanges from its fast stream k.
///
/// Reference: K. Hukushima and K. Nemoto, J. Phys. Soc. Jpn. 65, 1604 (1996).
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::mcmc::{Dynamics, Observables, multispin::TemperingLadders};
/// use spin_models::{Ising, Simulation};
///
/// // Three spins in a frustrated ring: E is -1 in six states and 3 in two.
/// let ring = Ising::builder(3).coupling(0, 1, 1.0).coupling(1, 2, 1.0).coupling(0, 2, -1.0).build()?;
/// let betas = [0.2, 0.5, 1.0];
/// let mut ladders = TemperingLadders::new(&ring, &betas, 170, Dynamics::HeatBath, Streams::new(4), 0)?;
/// let mut averages = Observables::new(3, 3 * 170);
/// ladders.advance(50, &mut ());
/// ladders.run(200, 1, &mut averages, &mut ());
///
/// for (t, beta) in betas.into_iter().enumerate() {
///     let excited = 1.0 / (1.0 + 3.0 * (4.0 * beta).exp());
///     let energy = averages.lanes(170 * t..170 * (t + 1)).energy();
///     assert!((energy.value - (4.0 * excited - 1.0)).abs() < 4.0 * energy.std_error.unwrap());
/// }
/// assert!(ladders.round_trips() > 0);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct TemperingLadders {
    pub(super) population: Population,
    betas: Vec<f64>,
    table: Table,
    /// One for every unit.
    exchanges: Vec<Exchange>,
    /// Bits at β = 0, if Metropolis has any: there every spin flips with probability 1/2.
    free: Option<Block>,
    /// Sweeps between exchanges.
    interval: u64,
}

impl TemperingLadders {
    /// `n_ladders` ladders of the inverse temperatures `betas`, with random spins; exchanges after every sweep.
    ///
    /// # Errors
    /// [`Error::Beta`] for a value that is not finite or negative; [`Error::Parameter`] for no value, more than 512, values
    /// that do not ascend, or no ladder; [`Error::NotApplicable`] and [`Error::TooLarge`] as
    /// [`Replicas::new`](super::Replicas::new).
    ///
    /// ```
    /// use linalg_core::Streams;
    /// use spin_models::Ising;
    /// use spin_models::mcmc::{Dynamics, multispin::TemperingLadders};
    ///
    /// let pair = Ising::builder(2).coupling(0, 1, 1.0).build()?;
    /// let refused = |betas: &[f64]| {
    ///     TemperingLadders::new(&pair, betas, 1, Dynamics::HeatBath, Streams::new(1), 0).unwrap_err().to_string()
    /// };
    /// assert_eq!(refused(&[]), "number of temperatures is 0, expected 1 to 512");
    /// assert_eq!(refused(&[0.1, 0.3, 0.2]), "beta is 0.2 at position 2 after 0.3, expected larger than the one before");
    /// assert_eq!(refused(&[0.1, f64::NAN]), "beta is NaN, expected a finite number >= 0");
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
        if k == 0 || k > BITS {
            return parameter("number of temperatures", k.to_string(), "1 to 512");
        }
        betas.iter().try_for_each(|&beta| check_beta(beta))?;
        if let Some(t) = (1..k).find(|&t| betas[t] <= betas[t - 1]) {
            let value = format!("{} at position {t} after {}", betas[t], betas[t - 1]);
            return parameter("beta", value, "larger than the one before");
        }
        if n_ladders == 0 {
            return parameter("number of ladders", "0".into(), "at least 1");
        }
        let Some(n_replicas) = n_ladders.checked_mul(k) else {
            return parameter("number of ladders", n_ladders.to_string(), "fewer than the memory has bits");
        };
        let integers = IntegerModel::new(model, SOLVER)?;
        let cut = Cut::new(n_replicas, BITS / k * k);
        let streams = streams.child(unit);
        let population = Population::new(SOLVER, integers, model.content_hash(), dynamics, cut, streams)?;
        let bits = 64 * population.packing.words;
        let of_bits: Vec<f64> = (0..BITS).map(|bit| betas[bit % bits % k]).collect();
        let table = Table::per_bit(&population.packing, dynamics, &of_bits);
        let exchange = |unit| Exchange::new(streams.fast_stream(unit as u64), k, population.replicas_of(unit));
        let exchanges = (0..population.units.len()).map(exchange).collect();
        let mut free = None;
        let unit = population.packing.model.unit;
        if !pulls(of_bits[0], unit) && dynamics == Dynamics::Metropolis {
            let free = free.insert(Block::ZERO);
            (0..BITS).for_each(|bit| free.set_bit(bit, !pulls(of_bits[bit], unit)));
        }
        Ok(Self { population, betas: betas.to_vec(), table, exchanges, free, interval: 1 })
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

    settings_of_population!("`⌊512 / K⌋` ladders");

    /// The inverse temperatures of a ladder.
    pub fn betas(&self) -> &[f64] {
        &self.betas
    }

    /// Number of ladders.
    pub fn n_ladders(&self) -> usize {
        self.population.n_replicas / self.betas.len()
    }

    /// Replica at a lane: replicas are numbered ladder by ladder.
    pub(super) fn replica(&self, lane: usize) -> usize {
        assert!(lane < self.population.n_replicas, "lane {lane} of {}", self.population.n_replicas);
        lane % self.n_ladders() * self.betas.len() + lane / self.n_ladders()
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

    /// The energies of all lanes.
    pub fn energies(&self) -> Vec<f64> {
        let model = &self.population.packing.model;
        self.by_lane(&self.population.energies(), |&energy| model.energy(energy))
    }

    /// The sums of the spins of all lanes.
    pub fn magnetizations(&self) -> Vec<i64> {
        self.by_lane(&self.population.magnetizations(), |&m| m)
    }

    fn by_lane<T, U>(&self, of_replicas: &[T], value: impl Fn(&T) -> U) -> Vec<U> {
        (0..of_replicas.len()).map(|lane| value(&of_replicas[self.replica(lane)])).collect()
    }

    /// Overlaps `(q, q_l)` of spins and of links between two ladders, for every temperature a list of pairs; see
    /// [`Replicas::pair_overlaps`](super::Replicas::pair_overlaps).
    ///
    /// Two ladders never exchange, so their replicas are independent. Paired are the ladders 0 and 1, 2 and 3, … of every
    /// block of `⌊512 / K⌋`; the last one of an odd number stays alone.
    pub fn pair_overlaps(&self) -> Vec<Vec<(f64, f64)>> {
        let k = self.betas.len();
        let with_next_ladder = self.population.overlaps(k);
        let per_unit = self.population.per_unit / k;
        let firsts = |unit: usize| {
            let ladders = self.population.replicas_of(unit) / k;
            (0..ladders / 2).map(move |pair| unit * per_unit + 2 * pair)
        };
        let firsts: Vec<usize> = (0..self.population.units.len()).flat_map(firsts).collect();
        (0..k).map(|t| firsts.iter().map(|first| with_next_ladder[first * k + t]).collect()).collect()
    }

    /// How often a configuration went from the hottest temperature to the coldest and back, in all ladders.
    pub fn round_trips(&self) -> u64 {
        self.exchanges.iter().map(|exchange| exchange.round_trips).sum()
    }

    /// Accepted over proposed exchanges of temperatures t and t + 1; NaN before the first.
    pub fn swap_acceptances(&self) -> Vec<f64> {
        let sum = |of: fn(&Exchange) -> &Vec<u64>, t: usize| -> u64 { self.exchanges.iter().map(|e| of(e)[t]).sum() };
        let ratio = |t| sum(|e| &e.accepted, t) as f64 / sum(|e| &e.proposed, t) as f64;
        (0..self.betas.len() - 1).map(ratio).collect()
    }

    fn lane_beta(&self, lane: usize) -> f64 {
        self.betas[lane / self.n_ladders()]
    }

    fn write(&self, state: &mut Writer) {
        state.write_f64s(&self.betas).write_u64(self.interval);
        self.population.write(state);
        self.exchanges.iter().for_each(|exchange| exchange.write(state));
    }

    fn read(&self, reader: &mut Reader<'_>) -> std::result::Result<(Population, Vec<Exchange>), CheckpointError> {
        read_same_ladder(reader, &self.betas, self.interval)?;
        let population = self.population.read(reader)?;
        let exchanges = self.exchanges.iter().map(|exchange| exchange.read(reader)).collect::<Vec<_>>();
        Ok((population, exchanges.into_iter().collect::<std::result::Result<_, _>>()?))
    }

    fn adopt(&mut self, state: (Population, Vec<Exchange>)) -> Result<()> {
        (self.population, self.exchanges) = state;
        Ok(())
    }

    fn sweep(&mut self, sweeps: u64) -> u64 {
        let Self { population, betas, table, exchanges, free, interval } = self;
        let start = population.sweeps;
        population.sweeps += sweeps;
        let (packing, dynamics, instructions) = (&population.packing, population.dynamics, population.instructions);
        let (betas, table, free, interval) = (&*betas, &*table, free.as_ref(), *interval);
        let threads = population.threads(sweeps);
        let mut units: Vec<(&mut Unit, &mut Exchange)> = population.units.iter_mut().zip(exchanges).collect();
        threads::sum_over(threads, &mut units, |(unit, exchange)| {
            let mut flips = 0;
            let mut at = start;
            while at < start + sweeps {
                let until = (at / interval + 1).saturating_mul(interval).min(start + sweeps);
                let (spins, generator, counted) = (&mut unit.spins, &mut unit.generator, &unit.used);
                let sweeps = until - at;
                flips += instructions.run(Sweeps {
                    packing,
                    dynamics,
                    table,
                    spins,
                    generator,
                    counted,
                    free,
                    sure_ties: false,
                    sweeps,
                });
                at = until;
                if at % interval == 0 && betas.len() > 1 {
                    let energies = instructions.run(Energies { packing, spins: &unit.spins });
                    let mut energies: Vec<f64> = energies.into_iter().map(|energy| energy as f64).collect();
                    energies.truncate(exchange.n_replicas());
                    let parity = (at / interval % 2) as usize;
                    let places = exchange.propose(betas, &mut energies, packing.model.unit, parity);
                    let mask = Swap::mask(&places, packing.words);
                    instructions.run(Swap { spins: &mut unit.spins, mask: &mask });
                }
            }
            flips
        })
    }
}

simulation_of_population!(TemperingLadders);
