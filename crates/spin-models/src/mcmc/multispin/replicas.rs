//! Many replicas of one instance at one temperature.

use linalg_core::rng::Streams;

use super::local::effective;
use super::population::{Cut, Population};
use super::simd::{BITS, InstructionSet};
use super::sweep::{Sweeps, Table};
use super::units::IntegerModel;
use crate::Result;
use crate::error::check_beta;
use crate::mcmc::population_engine::{settings_of_population, simulation_of_population, state_at_one_temperature};
use crate::mcmc::{Dynamics, threads};
use crate::model::EnergyModel;
use crate::models::Ising;

const SOLVER: &str = "packed replicas";
const KIND: &str = "packed replicas 1";

/// Many independent replicas of one model at one temperature, 512 of them in a block of bits.
///
/// For every graph and all couplings and fields that are integer multiples of one number: ±J, diluted, fields of
/// ±J, 2J, …. At a site they may sum up to 16 units, absolutely. Sites are updated colour by colour; every replica
/// draws random numbers of its own, so the replicas are independent chains. A site of 512 replicas costs 27 to 32 ns
/// with AVX-512, see the [module](super); fewer than 257 replicas share their blocks among sites.
///
/// Replicas `512k ..` draw from stream k of `streams.child(unit)`.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::mcmc::{Dynamics, Observables, multispin::Replicas};
/// use spin_models::{Ising, Simulation};
///
/// // Two spins with J = 1 and a field 1 on the first: E is -2, 0, 0, 2 for ↑↑, ↑↓, ↓↓, ↓↑.
/// let pair = Ising::builder(2).coupling(0, 1, 1.0).field(0, 1.0).build()?;
/// let mut replicas = Replicas::new(&pair, 512, Dynamics::HeatBath, 0.5, Streams::new(7), 0)?;
/// let mut averages = Observables::new(2, 512);
/// replicas.advance(20, &mut ());
/// replicas.run(200, 1, &mut averages, &mut ());
///
/// let e = 1f64.exp();
/// let exact = -2.0 * (e - 1.0 / e) / (e + 2.0 + 1.0 / e);
/// let energy = averages.energy();
/// assert!((energy.value - exact).abs() < 4.0 * energy.std_error.unwrap());
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Replicas {
    pub(super) population: Population,
    beta: f64,
    table: Table,
    sure_ties: bool,
}

impl Replicas {
    /// Replicas with random spins.
    ///
    /// Time and memory `O(N R + M)` for R replicas and M couplings.
    ///
    /// # Errors
    /// [`Error::Beta`](crate::Error::Beta); [`Error::Parameter`](crate::Error::Parameter) for no replicas;
    /// [`Error::NotApplicable`](crate::Error::NotApplicable) naming a coupling or field that
    /// is no multiple of the smallest one, or a site at which they sum up to more than 16; [`Error::TooLarge`](crate::Error::TooLarge) if the
    /// memory is not there, before any of it is taken.
    ///
    /// ```
    /// use linalg_core::Streams;
    /// use spin_models::Ising;
    /// use spin_models::mcmc::{Dynamics, multispin::Replicas};
    ///
    /// let model = Ising::builder(3).coupling(0, 1, 1.0).coupling(1, 2, -2.5).build()?;
    /// let error = Replicas::new(&model, 64, Dynamics::Metropolis, 1.0, Streams::new(1), 0).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "packed replicas does not apply: coupling 1 (sites 1 and 2) is -2.5, not a multiple of 1, the absolute \
    ///      value of coupling 0"
    /// );
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    pub fn new(
        model: &Ising,
        n_replicas: usize,
        dynamics: Dynamics,
        beta: f64,
        streams: Streams,
        unit: u64,
    ) -> Result<Self> {
        check_beta(beta)?;
        let integers = IntegerModel::new(model, SOLVER)?;
        let cut = Cut::new(n_replicas, BITS);
        let population = Population::new(SOLVER, integers, model.content_hash(), dynamics, cut, streams.child(unit))?;
        let table = Table::uniform(&population.packing, effective(dynamics, beta, population.packing.model.unit), beta);
        Ok(Self { population, beta, table, sure_ties: false })
    }

    /// Metropolis accepts ties for certain, which lets the walls of a frustrated model move twice as fast. Free spins turn
    /// in every sweep, so that measurements would see them alternate: for annealing. Not part of checkpoints.
    pub(in crate::mcmc) fn with_sure_ties(mut self) -> Self {
        self.sure_ties = true;
        self
    }

    settings_of_population!("512 replicas");

    /// Goes to another temperature; the configurations stay. Simulated annealing is a loop over this.
    ///
    /// # Errors
    /// [`Error::Beta`](crate::Error::Beta) unless `beta` is finite and not negative.
    pub fn set_beta(&mut self, beta: f64) -> Result<()> {
        check_beta(beta)?;
        self.beta = beta;
        let Population { packing, dynamics, .. } = &self.population;
        self.table = Table::uniform(packing, effective(*dynamics, beta, packing.model.unit), beta);
        Ok(())
    }

    /// The configuration of one replica. `O(N)`.
    ///
    /// # Panics
    /// If `replica` is not below their number.
    pub fn spins(&self, replica: usize) -> Vec<i8> {
        self.population.spins(replica)
    }

    /// Replaces the configuration of one replica; values below 0 are down.
    ///
    /// # Panics
    /// If `replica` is not below their number or `s` has the wrong length.
    pub fn set_spins(&mut self, replica: usize, s: &[i8]) {
        self.population.set_spins(replica, s);
    }

    /// The energies of all replicas. `O(M)` logical operations for 512 of them.
    pub fn energies(&self) -> Vec<f64> {
        let model = &self.population.packing.model;
        self.population.energies().into_iter().map(|energy| model.energy(energy)).collect()
    }

    /// The sums of the spins of all replicas.
    pub fn magnetizations(&self) -> Vec<i64> {
        self.population.magnetizations()
    }

    /// Overlaps of replicas 2k and 2k + 1, for every k: of spins, `q = Σ s_i t_i / N`, and of links,
    /// `q_l = Σ s_i s_j t_i t_j / M` over the couplings, each as often as its absolute value in units of the smallest.
    ///
    /// Without couplings `q_l` is 1. The pairs are independent of each other.
    ///
    /// ```
    /// use linalg_core::Streams;
    /// use spin_models::Ising;
    /// use spin_models::mcmc::{Dynamics, multispin::Replicas};
    ///
    /// let chain = Ising::builder(4).couplings([(0, 1, 1.0), (1, 2, 1.0), (2, 3, 1.0)]).build()?;
    /// let mut replicas = Replicas::new(&chain, 2, Dynamics::HeatBath, 1.0, Streams::new(1), 0)?;
    /// replicas.set_spins(0, &[1, 1, 1, 1]);
    /// replicas.set_spins(1, &[1, 1, 1, -1]);
    /// let [(q, link)] = replicas.pair_overlaps()[..] else { panic!("one pair") };
    /// assert!((q - 0.5).abs() < 1e-15 && (link - 1.0 / 3.0).abs() < 1e-15);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    pub fn pair_overlaps(&self) -> Vec<(f64, f64)> {
        let with_next = self.population.overlaps(1);
        let (pairs, _) = with_next.as_chunks::<2>();
        pairs.iter().map(|pair| pair[0]).collect()
    }

    state_at_one_temperature!();

    fn sweep(&mut self, sweeps: u64) -> u64 {
        let Self { population, beta, table, sure_ties } = self;
        let sure_ties = *sure_ties;
        population.sweeps += sweeps;
        let (packing, instructions, threads) =
            (&population.packing, population.instructions, population.threads(sweeps));
        let dynamics = effective(population.dynamics, *beta, packing.model.unit);
        threads::sum_over(threads, &mut population.units, |unit| {
            let (spins, generator, counted) = (&mut unit.spins, &mut unit.generator, &unit.used);
            instructions.run(Sweeps {
                packing,
                dynamics,
                table,
                spins,
                generator,
                counted,
                free: None,
                sure_ties,
                sweeps,
            })
        })
    }
}

simulation_of_population!(Replicas);
