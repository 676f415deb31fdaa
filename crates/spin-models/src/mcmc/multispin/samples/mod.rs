//! Many samples of the disorder, one bit each, with shared random numbers.

mod sweep;

use linalg_core::checkpoint::ContentHash;
use linalg_core::rng::Streams;

use super::local::effective;
use super::memory;
use super::population::{Cut, Population, Unit};
use super::simd::{BITS, Block, InstructionSet, WORDS};
use super::sweep::fractions;
use super::units::IntegerModel;
use crate::error::check_beta;
use crate::mcmc::population_engine::{settings_of_population, simulation_of_population, state_at_one_temperature};
use crate::mcmc::{Dynamics, threads};
use crate::model::EnergyModel;
use crate::models::Ising;
use crate::{Error, Result};
use sweep::{Energies, Sweeps};

const SOLVER: &str = "packed samples";
const KIND: &str = "packed samples 1";

/// One replica each of many models that differ in the signs of their couplings and fields, 512 of them in a block of bits.
///
/// The samples of a block share one random number a spin update. Each sample by itself is a correct chain, so averages over
/// time, and over samples, are right; but the thermal noise of different samples is not independent, and an error of a mean
/// over samples must come from the scatter of samples, whose disorder is independent, not from adding up thermal errors. What
/// the samples of a block share is not in that scatter either: where thermal noise is not negligible, compare several blocks.
/// Replicas of the *same* model would fall into the same configuration and stay together: for those there is
/// [`Replicas`](super::Replicas). For overlaps take two simulations of the same samples with different seeds or units.
///
/// In return an update costs a few logical operations for 512 samples. With fewer the rest of the block is wasted.
///
/// Samples `512k ..` draw from stream k of `streams.child(unit)`.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::mcmc::{Dynamics, Observables, multispin::DisorderSamples};
/// use spin_models::{Ising, Simulation};
///
/// // Rings of three ±J bonds: unfrustrated ones have E = -3 in two states and 1 in six, the others E = -1 in six and 3 in two.
/// let ring = |signs: [f64; 3]| {
///     let [a, b, c] = signs;
///     Ising::builder(3).couplings([(0, 1, a), (1, 2, b), (0, 2, c)]).build()
/// };
/// let samples = [ring([1.0, 1.0, 1.0])?, ring([1.0, -1.0, 1.0])?];
/// let mut simulation = DisorderSamples::new(&samples, Dynamics::HeatBath, 0.5, Streams::new(2), 0)?;
/// let mut averages = Observables::new(3, 2);
/// simulation.advance(20, &mut ());
/// simulation.run(20_000, 1, &mut averages, &mut ());
///
/// let q = 2f64.exp();
/// for (sample, exact) in [(0, (-3.0 * q + 3.0) / (q + 3.0)), (1, (3.0 - 3.0 * q) / (1.0 + 3.0 * q))] {
///     let energy = averages.lane(sample).energy();
///     assert!((energy.value - exact).abs() < 4.0 * energy.std_error.unwrap());
/// }
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct DisorderSamples {
    /// The spins; the signs of its model are those of the first sample.
    population: Population,
    beta: f64,
    fractions: Vec<Vec<u64>>,
    /// Places of the neighbours of all sites, link by link.
    links: Vec<u32>,
    /// For every unit and link, the samples in which it is negative.
    signs: Vec<Vec<Block>>,
    offsets: Vec<f64>,
}

impl DisorderSamples {
    /// A replica of every sample, with random spins.
    ///
    /// Time and memory `O((N + M) S)` for S samples.
    ///
    /// # Errors
    /// [`Error::Beta`]; [`Error::Parameter`] for no samples; [`Error::NotApplicable`] naming the sample and the coupling or
    /// field that is absolutely not as in the first sample, and for the first sample itself as
    /// [`Replicas::new`](super::Replicas::new); [`Error::TooLarge`] if the memory is not there.
    ///
    /// ```
    /// use linalg_core::Streams;
    /// use spin_models::Ising;
    /// use spin_models::mcmc::{Dynamics, multispin::DisorderSamples};
    ///
    /// let samples = [
    ///     Ising::builder(3).couplings([(0, 1, 1.0), (1, 2, -1.0)]).build()?,
    ///     Ising::builder(3).couplings([(0, 1, 1.0), (0, 2, 1.0)]).build()?,
    /// ];
    /// let error = DisorderSamples::new(&samples, Dynamics::HeatBath, 1.0, Streams::new(1), 0).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "packed samples does not apply: coupling 1 of sample 1 joins sites 0 and 2 with the absolute value 1, in sample \
    ///      0 sites 1 and 2 with 1"
    /// );
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    pub fn new(samples: &[Ising], dynamics: Dynamics, beta: f64, streams: Streams, unit: u64) -> Result<Self> {
        check_beta(beta)?;
        let Some(first) = samples.first() else {
            return Err(Error::Parameter { what: "number of samples", value: "0".into(), expected: "at least 1" });
        };
        let model = IntegerModel::new(first, SOLVER)?;
        let n_fields = if first.has_fields() { model.n_spins } else { 0 };
        let n_units = samples.len().div_ceil(BITS);
        let n_links = 2 * model.n_bonds() as u128 + model.interactions() as u128;
        memory::check(SOLVER, (n_units * size_of::<Block>()) as u128 * (n_links + model.n_spins as u128))?;
        let cut = Cut { n_replicas: samples.len(), per_unit: BITS, words: WORDS };
        let mut hash = ContentHash::new();
        hash.write_str("samples");
        samples.iter().for_each(|sample| {
            hash.write_u64(sample.content_hash());
        });
        let population = Population::new(SOLVER, model, hash.finish(), dynamics, cut, streams.child(unit))?;
        let model = &population.packing.model;
        let (links, interactions): (Vec<u32>, Vec<u32>) = population.packing.interactions().into_iter().unzip();
        let mut signs = Vec::with_capacity(n_units);
        for (unit, samples) in samples.chunks(BITS).enumerate() {
            let mut negative = memory::blocks(SOLVER, model.couplings.len() + n_fields)?;
            for (bit, sample) in samples.iter().enumerate() {
                compare(model, sample, BITS * unit + bit)?;
                let couplings = sample.couplings().map(|(.., coupling)| coupling).filter(|&coupling| coupling != 0.0);
                let fields = sample.fields().iter().copied().take(n_fields);
                for (block, value) in negative.iter_mut().zip(couplings.chain(fields)) {
                    block.set_bit(bit, value < 0.0);
                }
            }
            signs.push(interactions.iter().map(|&interaction| negative[interaction as usize]).collect());
        }
        let offsets = samples.iter().map(Ising::offset).collect();
        let mut simulation = Self { population, beta, fractions: Vec::new(), links, signs, offsets };
        simulation.set_beta(beta)?;
        Ok(simulation)
    }

    settings_of_population!("512 samples");

    /// Goes to another temperature; the configurations stay.
    ///
    /// # Errors
    /// [`Error::Beta`] unless `beta` is finite and not negative.
    pub fn set_beta(&mut self, beta: f64) -> Result<()> {
        check_beta(beta)?;
        let Population { packing, dynamics, .. } = &self.population;
        let of_degree =
            |degree| fractions(effective(*dynamics, beta, packing.model.unit), beta, packing.model.unit, degree);
        self.fractions = (0..=packing.max_degree()).map(of_degree).collect();
        self.beta = beta;
        Ok(())
    }

    /// The configuration of one sample. `O(N)`.
    ///
    /// # Panics
    /// If `sample` is not below their number.
    pub fn spins(&self, sample: usize) -> Vec<i8> {
        self.population.spins(sample)
    }

    /// Replaces the configuration of one sample; values below 0 are down.
    ///
    /// # Panics
    /// If `sample` is not below their number or `s` has the wrong length.
    pub fn set_spins(&mut self, sample: usize, s: &[i8]) {
        self.population.set_spins(sample, s);
    }

    /// The energies of all samples.
    pub fn energies(&self) -> Vec<f64> {
        let Self { population, links, signs, .. } = self;
        let unit = population.packing.model.unit;
        let of_unit = |(unit, signs): (&Unit, &Vec<Block>)| {
            let energies = Energies { packing: &population.packing, links, signs, spins: &unit.spins };
            population.instructions.run(energies)
        };
        let energies = population.units.iter().zip(signs).flat_map(of_unit);
        energies.zip(&self.offsets).map(|(energy, offset)| offset + unit * energy as f64).collect()
    }

    /// The sums of the spins of all samples.
    pub fn magnetizations(&self) -> Vec<i64> {
        self.population.magnetizations()
    }

    state_at_one_temperature!();

    fn sweep(&mut self, sweeps: u64) -> u64 {
        let Self { population, beta, fractions, links, signs, .. } = self;
        population.sweeps += sweeps;
        let (packing, instructions, threads) =
            (&population.packing, population.instructions, population.threads(sweeps));
        let dynamics = effective(population.dynamics, *beta, packing.model.unit);
        let mut units: Vec<(&mut Unit, &Vec<Block>)> = population.units.iter_mut().zip(signs.iter()).collect();
        threads::sum_over(threads, &mut units, |(unit, signs)| {
            let (spins, generator, counted) = (&mut unit.spins[..], &mut unit.generator, &unit.used);
            instructions.run(Sweeps { packing, links, signs, dynamics, fractions, spins, generator, counted, sweeps })
        })
    }
}

/// Whether a sample differs from the first only in signs.
fn compare(first: &IntegerModel, sample: &Ising, number: usize) -> Result<()> {
    let refuse = |reason| Err(Error::NotApplicable { solver: SOLVER, reason });
    let (got, expected) = (sample.fields().len(), first.n_spins);
    if got != expected {
        return refuse(format!("sample {number} has {got} spins, sample 0 has {expected}"));
    }
    let differs = |a: f64, b: f64| (a.abs() - b.abs()).abs() > 1e-9 * b.abs();
    let mut expected = first.couplings.iter();
    for (entry, (i, j, coupling)) in sample.couplings().enumerate().filter(|&(_, (.., coupling))| coupling != 0.0) {
        let Some(&(k, l, units)) = expected.next() else {
            return refuse(format!(
                "coupling {entry} of sample {number} joins sites {i} and {j}, sample 0 has only {} couplings",
                first.couplings.len()
            ));
        };
        let value = first.unit * f64::from(units);
        if (i, j) != (k as usize, l as usize) || differs(coupling, value) {
            return refuse(format!(
                "coupling {entry} of sample {number} joins sites {i} and {j} with the absolute value {}, in sample 0 \
                 sites {k} and {l} with {}",
                coupling.abs(),
                value.abs()
            ));
        }
    }
    let missing = expected.len();
    if missing > 0 {
        let there = first.couplings.len() - missing;
        return refuse(format!("sample {number} has {there} couplings, sample 0 has {}", first.couplings.len()));
    }
    for (site, (&field, &units)) in sample.fields().iter().zip(&first.fields).enumerate() {
        let value = first.unit * f64::from(units);
        if differs(field, value) {
            return refuse(format!(
                "the field of site {site} of sample {number} has the absolute value {}, in sample 0 {}",
                field.abs(),
                value.abs()
            ));
        }
    }
    Ok(())
}

simulation_of_population!(DisorderSamples);
