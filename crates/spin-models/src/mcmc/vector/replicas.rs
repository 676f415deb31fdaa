//! Many replicas at one temperature.

use linalg_core::rng::Streams;

use super::population::Population;
use super::rates::{Rate, Rates};
use super::sweep::Sweeps;
use crate::Result;
use crate::error::check_beta;
use crate::mcmc::multispin::InstructionSet;
use crate::mcmc::population_engine::{settings_of_population, simulation_of_population, state_at_one_temperature};
use crate::mcmc::{Dynamics, Overlaps, ReplicaPairs, threads};
use crate::models::Ising;

const SOLVER: &str = "vector replicas";
const KIND: &str = "vector replicas 1";

/// Many independent replicas of one model with any couplings at one temperature, 16 of them side by side.
///
/// Sites are updated colour by colour; every replica draws random numbers of its own, so the replicas are independent
/// chains. A number of replicas that is no multiple of 16 costs as much as the next one that is.
///
/// Replicas `16k ..` draw from stream k of `streams.child(unit)`.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::mcmc::{Dynamics, Observables, vector::VectorReplicas};
/// use spin_models::{Ising, Simulation};
///
/// // A path of three spins with J = 1 and √2: ⟨E⟩ = -tanh β - √2 tanh √2β.
/// let path = Ising::builder(3).coupling(0, 1, 1.0).coupling(1, 2, 2f64.sqrt()).build()?;
/// let mut replicas = VectorReplicas::new(&path, 256, Dynamics::HeatBath, 0.5, Streams::new(7), 0)?;
/// let mut averages = Observables::new(3, 256);
/// replicas.advance(20, &mut ());
/// replicas.run(200, 1, &mut averages, &mut ());
///
/// let exact = -0.5f64.tanh() - 2f64.sqrt() * 0.5f64.sqrt().tanh();
/// let energy = averages.energy();
/// assert!((energy.value - exact).abs() < 4.0 * energy.std_error.unwrap());
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct VectorReplicas {
    population: Population,
    beta: f64,
    rates: Rates,
}

impl VectorReplicas {
    /// Replicas with random spins.
    ///
    /// Time and memory `O(N R + M)` for R replicas and M couplings: 4 bytes a spin.
    ///
    /// # Errors
    /// [`Error::Beta`](crate::Error::Beta); [`Error::Parameter`](crate::Error::Parameter) for no replicas;
    /// [`Error::TooLarge`](crate::Error::TooLarge) if the memory is not there, before any of it is taken.
    ///
    /// ```
    /// use linalg_core::Streams;
    /// use spin_models::Ising;
    /// use spin_models::mcmc::{Dynamics, vector::VectorReplicas};
    ///
    /// let pair = Ising::builder(2).coupling(0, 1, 0.7).build()?;
    /// let refused = |replicas, beta| {
    ///     VectorReplicas::new(&pair, replicas, Dynamics::Metropolis, beta, Streams::new(1), 0).unwrap_err().to_string()
    /// };
    /// assert_eq!(refused(0, 1.0), "number of replicas is 0, expected at least 1");
    /// assert_eq!(refused(1, f64::NAN), "beta is NaN, expected a finite number >= 0");
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
        let population = Population::new(SOLVER, model, n_replicas, dynamics, streams.child(unit))?;
        let rate = Rate::new(&population.model, dynamics, beta);
        Ok(Self { population, beta, rates: Rates::new(|_| rate) })
    }

    settings_of_population!("at least 16 replicas");

    /// Goes to another temperature; the configurations stay.
    ///
    /// # Errors
    /// [`Error::Beta`](crate::Error::Beta) unless `beta` is finite and not negative.
    pub fn set_beta(&mut self, beta: f64) -> Result<()> {
        check_beta(beta)?;
        self.beta = beta;
        let rate = Rate::new(&self.population.model, self.population.dynamics, beta);
        self.rates = Rates::new(|_| rate);
        Ok(())
    }

    /// The configuration of a replica. `O(N)`.
    ///
    /// # Panics
    /// If `replica` is not a replica.
    pub fn spins(&self, replica: usize) -> Vec<i8> {
        self.population.spins(replica)
    }

    /// Replaces the configuration of a replica; values below 0 are down.
    ///
    /// # Panics
    /// If `replica` is not a replica or `s` has the wrong length.
    pub fn set_spins(&mut self, replica: usize, s: &[i8]) {
        self.population.set_spins(replica, s);
    }

    /// The energies of all replicas, summed in 64 bits. `O(M)` for 16 of them.
    pub fn energies(&self) -> Vec<f64> {
        self.population.energies()
    }

    /// The sums of the spins of all replicas.
    pub fn magnetizations(&self) -> Vec<i64> {
        self.population.magnetizations()
    }

    state_at_one_temperature!();

    fn sweep(&mut self, sweeps: u64) -> u64 {
        let Self { population, rates, .. } = self;
        let threads = population.threads(sweeps);
        population.sweeps += sweeps;
        let (model, dynamics, instructions) = (&population.model, population.dynamics, population.instructions);
        threads::sum_over(threads, &mut population.groups, |group| {
            instructions.run(Sweeps { model, dynamics, rates, group, sweeps })
        })
    }
}

simulation_of_population!(VectorReplicas);

/// The replicas 0 and 1, 2 and 3, … are a pair each, chains of their own in the only lane of the overlaps.
impl ReplicaPairs for VectorReplicas {
    fn measure_overlaps(&self, into: &mut Overlaps) {
        let n = self.population.n_replicas;
        assert_eq!(into.n_lanes(), 1, "overlaps of {} lanes for one temperature", into.n_lanes());
        assert!(n >= 2, "overlaps need two replicas, there is {n}");
        for (pair, first) in (0..n - 1).step_by(2).enumerate() {
            let [a, b] = [first, first + 1].map(|replica| self.population.packed_spins(replica));
            into.record_pair_words(0, pair, &a, &b);
        }
    }
}
