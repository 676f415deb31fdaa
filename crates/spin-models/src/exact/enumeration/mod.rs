//! Sums over all configurations.
//!
//! How the sum is organised, from the outside in:
//!
//! - [`symmetry`]: flips that leave the energy unchanged; one spin of each is fixed, which halves the work.
//! - [`layout`]: the other spins are cut into blocks of 2^11 states and units of 2^10 blocks.
//! - [`engine`]: chooses between [`linear`] (weights by multiplication, while all of them are far inside the range of
//!   `f64`) and [`energies`] (one exponential a state, relative to the lowest energy).
//! - [`sums`]: the sums over units are added pairwise; moments of all spins and pairs come out of the same pass.
//! - [`drive`]: the loop over units, with reports; parallel with the `rayon` feature.

mod boltzmann;
mod density;
mod discrete;
mod distribution;
mod drive;
mod energies;
mod engine;
mod enumerable;
mod expand;
mod generic;
mod ground;
mod layout;
mod linear;
mod plan;
mod sums;
mod symmetry;
mod terms;

use linalg_core::Observer;
use linalg_core::stats::Estimate;

pub use density::EnergyLevel;
pub use discrete::DiscreteSums;
pub use distribution::Distribution;
pub use enumerable::{Enumerable, GrayCode};

use crate::error::check_beta;
use crate::model::{
    Correlations, DiscreteModel, EnergyModel, GroundState, LnZ, LogPartition, LogPartitionPlan, PairCorrelations,
    PrepareLogPartition, Progress, Quantities, Solution, Solve,
};
use crate::models::{InteractionModel, Ising, Potts};
use crate::{Error, Result};
pub(super) use engine::TIE;
use engine::{Ask, Engine, Totals};
use generic::Walk;
use sums::Want;
use terms::Terms;
pub(super) use terms::commensurate;

/// The name of the method in errors and lists.
const NAME: &str = "enumerate";

/// No bound on the number of spins can be set higher: 2^40 states take a quarter of an hour at best.
const MOST_SPINS: usize = 40;

/// Sums over all `2^N` configurations: the oracle for everything else.
///
/// ```math
/// \ln Z = \ln \sum_s e^{-\beta E(s)}, \qquad \langle A \rangle = \frac{1}{Z} \sum_s A(s) \, e^{-\beta E(s)}
/// ```
///
/// Answers are exact up to rounding at every β: ln Z to about 1e-14 relative, averages to about 1e-13 absolute. Which
/// models it takes, and how fast, is said by [`Enumerable`]. With the `rayon` feature the sum runs on all cores, bit
/// for bit with the same result.
///
/// Cost: `O(2^N)` time, one nanosecond a state and less for Ising models; `O(1)` memory beside the model. Every
/// independent spin flip symmetry (no fields: the global flip) halves the time. No more than
/// [`max_spins`](Self::with_max_spins) spins are taken, 32 by default.
///
/// An observer hears of the progress several times a second; a stop ends with [`Error::Stopped`].
///
/// ```
/// use spin_models::{Correlations, Enumeration, Ising, Quantities, Solve};
///
/// // Three spins in a ring with one negative bond: six of eight states are ground states.
/// let ring = Ising::builder(3).coupling(0, 1, 1.0).coupling(1, 2, 1.0).coupling(0, 2, -1.0).build()?;
/// let want = Quantities::all().with_correlations(Correlations::All);
/// let solution = Enumeration::default().solve(&ring, 1.0, want, &mut ())?;
///
/// let (low, high) = (1f64.exp(), (-3f64).exp());
/// let z = 6.0 * low + 2.0 * high;
/// assert!((solution.ln_z.unwrap().value - z.ln()).abs() < 1e-14);
/// assert!((solution.energy.unwrap().value - (-6.0 * low + 6.0 * high) / z).abs() < 1e-14);
/// assert_eq!(solution.ground_state.unwrap().degeneracy, Some(6.0));
/// let pairs = solution.correlations.unwrap();
/// assert_eq!(pairs.pairs, [(0, 1), (0, 2), (1, 2)]);
/// assert!((pairs.values[0].value - 2.0 * (low - high) / z).abs() < 1e-14);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Enumeration {
    max_spins: usize,
}

impl Default for Enumeration {
    /// At most 32 spins.
    fn default() -> Self {
        Self { max_spins: 32 }
    }
}

/// ln Z and the first two cumulants of the energy.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EnergyCumulants {
    /// ln Z.
    pub ln_z: f64,
    /// `⟨E⟩ = -∂ ln Z/∂β`.
    pub mean: f64,
    /// `⟨E²⟩ - ⟨E⟩² = ∂² ln Z/∂β²`.
    pub variance: f64,
    /// The inverse temperature.
    pub beta: f64,
}

impl EnergyCumulants {
    /// The heat capacity `C = β² (⟨E²⟩ - ⟨E⟩²)`, extensive.
    pub fn heat_capacity(&self) -> f64 {
        self.beta * self.beta * self.variance
    }

    /// The entropy `S = ln Z + β⟨E⟩`, extensive.
    pub fn entropy(&self) -> f64 {
        self.ln_z + self.beta * self.mean
    }
}

impl Enumeration {
    /// Takes models of up to this many spins; 40 at most, 32 by default. For [`DiscreteModel`]s the bound is on
    /// the number of configurations, `2^max_spins`.
    pub fn with_max_spins(mut self, max_spins: usize) -> Self {
        self.max_spins = max_spins;
        self
    }

    fn check_bound(&self) -> Result<()> {
        if self.max_spins > MOST_SPINS {
            let value = self.max_spins.to_string();
            return Err(Error::Parameter { what: "max_spins", value, expected: "at most 40" });
        }
        Ok(())
    }

    fn check_size(&self, n: usize) -> Result<()> {
        self.check_bound()?;
        if n > self.max_spins {
            let bound = self.max_spins;
            return Err(Error::TooLarge { solver: NAME, what: "number of spins", value: n, bound });
        }
        if n == 0 { Err(Error::NoSpins) } else { Ok(()) }
    }

    /// Sums for any model: by terms where it has them, else by walking through its states.
    fn totals<M: Enumerable + ?Sized>(
        &self,
        model: &M,
        beta: f64,
        ask: Ask,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<(Totals, Option<Engine>)> {
        check_beta(beta)?;
        self.check_size(model.n_spins())?;
        if let Some(interactions) = model.interactions() {
            let mut engine = Engine::new(Terms::of_interactions(&interactions), true);
            let totals = engine.totals(beta, ask, observer)?;
            return Ok((totals, Some(engine)));
        }
        let want = if ask == Ask::Moments { Want::Moments } else { Want::Weights };
        let (sums, layout) = Walk::new(model).sums(beta, want, observer)?;
        Ok((Totals::of_sums(sums, &layout, beta), None))
    }

    /// The lowest energy, one configuration that has it, and how many do.
    ///
    /// Energies are compared exactly when all weights are integer multiples of one number (integers, ±J, dyadic
    /// fractions) and their sums fit in 51 bits. Otherwise energies up to `2^-46 Σ|w| = 1.4e-14 Σ|w|` above the
    /// lowest count as equal; for models without terms, `2^-46 max|E|`. Blocks of states whose bound is too high are
    /// skipped, so that this is usually much faster than a sum.
    ///
    /// ```
    /// use spin_models::{Enumeration, Ising};
    ///
    /// let triangle = Ising::builder(3).couplings([(0, 1, -0.1), (1, 2, -0.1), (0, 2, -0.1)]).build()?;
    /// let ground = Enumeration::default().ground_state(&triangle)?;
    /// assert_eq!((ground.energy, ground.degeneracy), (-0.1, Some(6.0)));
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::TooLarge`] for more than `max_spins` spins, [`Error::NotApplicable`] if energies overflow.
    pub fn ground_state<M: Enumerable + ?Sized>(&self, model: &M) -> Result<GroundState> {
        self.ground_state_observed(model, &mut ())
    }

    /// The same with progress reports.
    ///
    /// # Errors
    /// As [`ground_state`](Self::ground_state), and [`Error::Stopped`].
    pub fn ground_state_observed<M: Enumerable + ?Sized>(
        &self,
        model: &M,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<GroundState> {
        self.check_size(model.n_spins())?;
        match model.interactions() {
            Some(interactions) => {
                let mut engine = Engine::new(Terms::of_interactions(&interactions), true);
                let lowest = engine.lowest(observer)?;
                Ok(ground_state_of(model, &engine, lowest))
            }
            None => generic::ground_state(model, observer),
        }
    }

    /// ln Z, the mean energy and its variance, for entropies and heat capacities.
    ///
    /// The variance is summed relative to the lowest energy: at low temperature it is right to relative accuracy,
    /// however small. Costs an exponential a state, some 5 ns.
    ///
    /// ```
    /// use spin_models::{Enumeration, Ising};
    ///
    /// // Two levels ∓h: C = (βh)² / cosh²(βh).
    /// let spin = Ising::builder(1).field(0, 2.0).build()?;
    /// let cumulants = Enumeration::default().energy_cumulants(&spin, 10.0, &mut ())?;
    /// let exact = (20.0 / 20f64.cosh()).powi(2);
    /// assert!((cumulants.heat_capacity() / exact - 1.0).abs() < 1e-13);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Beta`] for a negative or infinite β or NaN, [`Error::TooLarge`], [`Error::NotApplicable`] if
    /// energies or their squares overflow, [`Error::Stopped`].
    pub fn energy_cumulants<M: Enumerable + ?Sized>(
        &self,
        model: &M,
        beta: f64,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<EnergyCumulants> {
        let (totals, _) = self.totals(model, beta, Ask::Cumulants, observer)?;
        let (mean, variance) = (totals.energy.unwrap_or(f64::NAN), totals.variance.unwrap_or(f64::NAN));
        Ok(EnergyCumulants { ln_z: totals.ln_z, mean, variance, beta })
    }

    /// The probabilities of all configurations, for at most 24 spins.
    ///
    /// # Errors
    /// [`Error::Beta`], [`Error::TooLarge`], [`Error::NotApplicable`] if energies overflow.
    pub fn distribution<M: Enumerable + ?Sized>(&self, model: &M, beta: f64) -> Result<Distribution> {
        check_beta(beta)?;
        self.check_size(model.n_spins())?;
        Distribution::of(model, beta, &mut ())
    }

    /// How many configurations have which energy, energies ascending.
    ///
    /// Exact when all weights are integer multiples of one number and `Σ|w|` is less than 2^24 of it: a histogram,
    /// 2 ns a state. Otherwise for at most 24 spins, by sorting; energies up to `2^-46 max|E|` above the first of a
    /// level count with it.
    ///
    /// ```
    /// use spin_models::{Enumeration, Ising};
    ///
    /// let ring = Ising::builder(3).couplings([(0, 1, 0.5), (1, 2, 0.5), (0, 2, 0.5)]).build()?;
    /// let levels = Enumeration::default().density_of_states(&ring, &mut ())?;
    /// let levels: Vec<_> = levels.iter().map(|level| (level.energy, level.count)).collect();
    /// assert_eq!(levels, [(-1.5, 2), (0.5, 6)]);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::TooLarge`] for too many spins or levels, [`Error::Stopped`].
    pub fn density_of_states<M: Enumerable + ?Sized>(
        &self,
        model: &M,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Vec<EnergyLevel>> {
        self.check_size(model.n_spins())?;
        density::density_of_states(model, observer)
    }

    /// Sums over all configurations of sites with any alphabet.
    ///
    /// Takes at most `2^max_spins` configurations; the cost of each is that of
    /// [`delta_energy`](DiscreteModel::delta_energy) and an exponential.
    ///
    /// ```
    /// use spin_models::{Enumeration, Potts};
    ///
    /// // Two sites of three states: 3 states of energy -1, 6 of energy 0.
    /// let pair = Potts::builder(2, 3).coupling(0, 1, 1.0).build()?;
    /// let sums = Enumeration::default().discrete(&pair, 1.0, &mut ())?;
    /// let z = 3.0 * 1f64.exp() + 6.0;
    /// assert!((sums.ln_z.value - z.ln()).abs() < 1e-14);
    /// assert!((sums.energy + 3.0 * 1f64.exp() / z).abs() < 1e-14);
    /// assert!((sums.marginals[1][2] - 1.0 / 3.0).abs() < 1e-15);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Beta`], [`Error::TooLarge`], [`Error::NoSpins`], [`Error::Parameter`] for a site without states or
    /// with more than 256, [`Error::Stopped`].
    pub fn discrete(
        &self,
        model: &dyn DiscreteModel,
        beta: f64,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<DiscreteSums> {
        check_beta(beta)?;
        self.check_bound()?;
        discrete::discrete_sums(model, beta, self.max_spins, observer)
    }
}

fn ground_state_of<M: EnergyModel + ?Sized>(model: &M, engine: &Engine, lowest: ground::Lowest) -> GroundState {
    let spins = engine.symmetry.spins(lowest.state);
    let classes = (1u64 << engine.symmetry.generators.len()) as f64;
    GroundState { energy: model.energy(&spins), degeneracy: Some(lowest.count as f64 * classes), spins }
}

/// The pairs whose correlations are asked for.
fn pairs<M: Enumerable + ?Sized>(model: &M, correlations: Correlations) -> Vec<(usize, usize)> {
    if correlations == Correlations::None {
        return Vec::new();
    }
    let n = model.n_spins();
    match model.interactions().filter(|_| correlations == Correlations::Coupled) {
        Some(interactions) => interactions
            .terms()
            .filter_map(|(sites, _)| match *sites {
                [i, j] => Some((i as usize, j as usize)),
                _ => None,
            })
            .collect(),
        None => (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))).collect(),
    }
}

impl<M: Enumerable + ?Sized> LogPartition<M> for Enumeration {
    fn ln_z_observed(&self, model: &M, beta: f64, observer: &mut dyn Observer<Progress>) -> Result<LnZ> {
        Ok(LnZ::exact(self.totals(model, beta, Ask::LnZ, observer)?.0.ln_z))
    }
}

impl<M: Enumerable + ?Sized> Solve<M> for Enumeration {
    fn name(&self) -> &'static str {
        NAME
    }

    /// Linear in the number of terms.
    fn check(&self, model: &M, beta: f64) -> Result<()> {
        check_beta(beta)?;
        self.check_size(model.n_spins())?;
        match model.interactions() {
            Some(interactions) => engine::check_range(&Terms::of_interactions(&interactions), beta, Ask::LnZ),
            None => Ok(()),
        }
    }

    /// [`Correlations::Coupled`] are those of the two-site terms in their order; for models without terms, all pairs.
    /// The ground state is given for models with terms.
    fn solve(&self, model: &M, beta: f64, want: Quantities, observer: &mut dyn Observer<Progress>) -> Result<Solution> {
        let moments = want.energy || want.magnetizations || want.correlations != Correlations::None;
        let ask = if moments { Ask::Moments } else { Ask::LnZ };
        let (totals, mut engine) = self.totals(model, beta, ask, observer)?;
        let ground_state = match (&mut engine, totals.lowest) {
            (Some(engine), Some(lowest)) => Some(ground_state_of(model, engine, lowest)),
            (Some(engine), None) => {
                let lowest = engine.lowest(observer)?;
                Some(ground_state_of(model, engine, lowest))
            }
            (None, _) => None,
        };
        let moments = totals.moments.as_ref();
        let correlations = moments.filter(|_| want.correlations != Correlations::None).map(|moments| {
            let pairs = pairs(model, want.correlations);
            let values = pairs.iter().map(|&(i, j)| Estimate::exact(moments.pair(i, j))).collect();
            PairCorrelations { pairs, values }
        });
        Ok(Solution {
            ln_z: Some(LnZ::exact(totals.ln_z)),
            energy: totals.energy.map(Estimate::exact),
            magnetizations: moments
                .map(|moments| (0..model.n_spins()).map(|i| Estimate::exact(moments.spin(i))).collect()),
            correlations,
            ground_state,
        })
    }
}

impl PrepareLogPartition<Ising> for Enumeration {
    fn prepare(&self, model: &Ising) -> Result<Box<dyn LogPartitionPlan>> {
        self.check_size(model.n_spins())?;
        Ok(Box::new(plan::EnumerationPlan::new(Terms::of_ising(model))))
    }
}

impl PrepareLogPartition<InteractionModel> for Enumeration {
    fn prepare(&self, model: &InteractionModel) -> Result<Box<dyn LogPartitionPlan>> {
        self.check_size(model.n_spins())?;
        Ok(Box::new(plan::EnumerationPlan::new(Terms::of_interactions(model))))
    }
}

impl LogPartition<dyn DiscreteModel + '_> for Enumeration {
    fn ln_z_observed(
        &self,
        model: &(dyn DiscreteModel + '_),
        beta: f64,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<LnZ> {
        Ok(self.discrete(model, beta, observer)?.ln_z)
    }
}

impl LogPartition<Potts> for Enumeration {
    fn ln_z_observed(&self, model: &Potts, beta: f64, observer: &mut dyn Observer<Progress>) -> Result<LnZ> {
        Ok(self.discrete(model, beta, observer)?.ln_z)
    }
}
