//! Densities of states with errors.

use linalg_core::Error as CoreError;
use linalg_core::checkpoint::{Checkpoint, CheckpointError, Reader, Writer};
use linalg_core::logspace::log_sum_exp;
use linalg_core::merge::{Merge, MergeError, Units};
use linalg_core::stats::Estimate;

use super::grid::EnergyGrid;
use crate::Result;
use crate::error::check_beta;
use crate::model::LnZ;

const KIND: &str = "density of states 1";

/// Visits, `Σ(E - E_k)`, `Σ(E - E_k)²`, `Σ|m|`, `Σm²`, `Σm⁴` of one walker at one level.
pub(super) type LevelSums = [f64; 6];

/// The number of configurations of one energy.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LevelEstimate {
    /// The energy of the level, or the mean energy in the bin.
    pub energy: f64,
    /// ln g.
    pub ln_g: Estimate,
}

/// Histograms of independent walkers with one set of weights: ln g(E), and from it averages at every temperature.
///
/// ```math
/// g(E) ∝ H(E)\, e^{S(E)}, \qquad \sum_E g(E) = 2^N, \qquad Z(β) = \sum_E g(E)\, e^{-βE}
/// ```
///
/// with the visits H and the weights `exp(-S)`. Within bins of width w the mean of `exp(-βE)` is taken to second order
/// in `βw`, from the mean and the variance of the energies met there. All errors are delete-one jackknife errors over the
/// walkers: infinite for one walker, rough for fewer than eight, and blind to energies that no walker has reached, of
/// which [`refused`](Self::refused) counts the traces. Results of several machines with the same weights can be merged
/// if their units differ.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DensityOfStates {
    pub(super) n_spins: usize,
    pub(super) problem: u64,
    pub(super) grid: EnergyGrid,
    pub(super) first: i64,
    /// S; infinite where there is no level.
    pub(super) ln_weights: Vec<f64>,
    pub(super) units: Units,
    /// Walkers by ascending unit.
    pub(super) walkers: Vec<(u64, Vec<LevelSums>)>,
    pub(super) refused: u64,
    pub(super) round_trips: u64,
}

/// What a temperature weighs: ln of the weight, energy and its square within the level.
struct Reweighted {
    ln_weights: Vec<f64>,
    ln_total: f64,
}

impl DensityOfStates {
    /// Number of spins.
    pub fn n_spins(&self) -> usize {
        self.n_spins
    }

    /// Number of walkers.
    pub fn n_walkers(&self) -> usize {
        self.walkers.len()
    }

    /// The work units done.
    pub fn units(&self) -> &Units {
        &self.units
    }

    /// Proposals to energies that have no weight; 0 if all levels were known when the weights were learnt.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Times that a walker went from the lowest level to the highest and back to the lowest, over all walkers.
    pub fn round_trips(&self) -> u64 {
        self.round_trips
    }

    /// Visits of every level in ascending order of the energy: about equal where the weights are good.
    pub fn histogram(&self) -> Vec<(f64, f64)> {
        let sums = self.total(None);
        self.known().map(|k| (self.grid.energy(self.first + k as i64), sums[k][0])).collect()
    }

    fn known(&self) -> impl Iterator<Item = usize> {
        (0..self.ln_weights.len()).filter(|&k| self.ln_weights[k] < f64::INFINITY)
    }

    /// The sums over all walkers but one.
    fn total(&self, without: Option<usize>) -> Vec<LevelSums> {
        let mut total = vec![[0.0; 6]; self.ln_weights.len()];
        for (w, (_, sums)) in self.walkers.iter().enumerate() {
            if Some(w) != without {
                for (total, sums) in total.iter_mut().zip(sums) {
                    total.iter_mut().zip(sums).for_each(|(total, x)| *total += x);
                }
            }
        }
        total
    }

    /// A function of the sums with its jackknife error over the walkers.
    fn estimate(&self, function: impl Fn(&[LevelSums]) -> f64) -> Estimate {
        let value = function(&self.total(None));
        let n = self.walkers.len() as f64;
        if self.walkers.len() < 2 {
            return Estimate::new(value, f64::INFINITY);
        }
        let without: Vec<f64> = (0..self.walkers.len()).map(|w| function(&self.total(Some(w)))).collect();
        let mean = without.iter().sum::<f64>() / n;
        let variance = (n - 1.0) / n * without.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
        // A level that only one walker has met has no logarithm without it.
        Estimate::new(value, if variance.is_finite() { variance.sqrt() } else { f64::INFINITY })
    }

    fn reweighted(&self, sums: &[LevelSums], beta: f64) -> Reweighted {
        let ln_weight = |k: usize| {
            let [count, first, second, ..] = sums[k];
            if count <= 0.0 || self.ln_weights[k] >= f64::INFINITY {
                return f64::NEG_INFINITY;
            }
            let (mean, variance) = within(count, first, second);
            count.ln() + self.ln_weights[k] - beta * (self.energy_at(k) + mean) + 0.5 * beta * beta * variance
        };
        let ln_weights: Vec<f64> = (0..sums.len()).map(ln_weight).collect();
        let ln_total = log_sum_exp(&ln_weights);
        Reweighted { ln_weights, ln_total }
    }

    fn energy_at(&self, k: usize) -> f64 {
        self.grid.energy(self.first + k as i64)
    }

    fn mean(&self, sums: &[LevelSums], beta: f64, value: impl Fn(usize) -> f64) -> f64 {
        let reweighted = self.reweighted(sums, beta);
        let terms = reweighted.ln_weights.iter().enumerate().filter(|(_, ln_weight)| **ln_weight > f64::NEG_INFINITY);
        terms.map(|(k, ln_weight)| (ln_weight - reweighted.ln_total).exp() * value(k)).sum()
    }

    fn ln_states(&self) -> f64 {
        self.n_spins as f64 * std::f64::consts::LN_2
    }

    /// ln g of every level that was met, energies ascending, normalised to `Σ g = 2^N`.
    ///
    /// Cost: W passes over the levels for W walkers.
    pub fn levels(&self) -> Vec<LevelEstimate> {
        let ln_g = |sums: &[LevelSums]| -> Vec<f64> {
            let flat = self.reweighted(sums, 0.0);
            flat.ln_weights.iter().map(|x| x - flat.ln_total + self.ln_states()).collect()
        };
        let total = self.total(None);
        let all = ln_g(&total);
        let without: Vec<Vec<f64>> = (0..self.walkers.len()).map(|w| ln_g(&self.total(Some(w)))).collect();
        let n = without.len() as f64;
        let level = |k: usize| {
            let mean = without.iter().map(|x| x[k]).sum::<f64>() / n;
            let variance = (n - 1.0) / n * without.iter().map(|x| (x[k] - mean).powi(2)).sum::<f64>();
            let error = if without.len() > 1 && variance.is_finite() { variance.sqrt() } else { f64::INFINITY };
            let [count, first, second, ..] = total[k];
            let energy = self.energy_at(k) + within(count, first, second).0;
            LevelEstimate { energy, ln_g: Estimate::new(all[k], error) }
        };
        self.known().filter(|&k| total[k][0] > 0.0).map(level).collect()
    }

    /// ln Z at any β, negative ones included.
    ///
    /// # Errors
    /// [`Error::Beta`](crate::Error::Beta) unless β is finite.
    pub fn ln_z(&self, beta: f64) -> Result<LnZ> {
        check_beta(beta.abs())?;
        let ln_z = |sums: &[LevelSums]| {
            self.reweighted(sums, beta).ln_total - self.reweighted(sums, 0.0).ln_total + self.ln_states()
        };
        let estimate = self.estimate(ln_z);
        Ok(LnZ::estimate(estimate.value, estimate.std_error.unwrap_or(f64::INFINITY)))
    }

    /// `⟨E⟩`, extensive.
    ///
    /// # Errors
    /// As for [`ln_z`](Self::ln_z).
    pub fn energy(&self, beta: f64) -> Result<Estimate> {
        check_beta(beta.abs())?;
        Ok(self.estimate(|sums| self.energy_moments(sums, beta).0))
    }

    /// `β² (⟨E²⟩ - ⟨E⟩²)`, extensive.
    ///
    /// # Errors
    /// As for [`ln_z`](Self::ln_z).
    pub fn heat_capacity(&self, beta: f64) -> Result<Estimate> {
        check_beta(beta.abs())?;
        Ok(self.estimate(|sums| beta * beta * self.energy_moments(sums, beta).1))
    }

    /// Mean and variance of the energy; within a bin the weight `exp(-βE)` shifts the mean by `-β` times the variance.
    fn energy_moments(&self, sums: &[LevelSums], beta: f64) -> (f64, f64) {
        let in_level = |k: usize| {
            let (mean, variance) = within(sums[k][0], sums[k][1], sums[k][2]);
            (self.energy_at(k) + mean - beta * variance, variance)
        };
        let mean = self.mean(sums, beta, |k| in_level(k).0);
        let variance = self.mean(sums, beta, |k| {
            let (energy, variance) = in_level(k);
            (energy - mean).powi(2) + variance
        });
        (mean, variance)
    }

    /// `⟨|m|⟩`, `⟨m²⟩` and `⟨m⁴⟩` of the magnetization per spin.
    ///
    /// # Errors
    /// As for [`ln_z`](Self::ln_z).
    pub fn magnetization_moments(&self, beta: f64) -> Result<[Estimate; 3]> {
        check_beta(beta.abs())?;
        Ok([3, 4, 5].map(|moment: usize| self.estimate(|sums| self.mean(sums, beta, |k| sums[k][moment] / sums[k][0]))))
    }

    /// Everything, for another machine to merge.
    pub fn checkpoint(&self) -> Checkpoint {
        let mut state = Writer::new();
        self.write(&mut state);
        Checkpoint::new(KIND, self.problem, state)
    }

    fn write(&self, out: &mut Writer) {
        out.write_usize(self.n_spins).write_f64s(&self.grid.numbers()).write_i64(self.first);
        out.write_f64s(&self.ln_weights).write_u64(self.refused).write_u64(self.round_trips);
        out.write_usize(self.walkers.len());
        for (unit, sums) in &self.walkers {
            out.write_u64(*unit).write_f64s(sums.as_flattened());
        }
    }

    /// Reads what [`checkpoint`](Self::checkpoint) wrote.
    ///
    /// # Errors
    /// When it is damaged or something else.
    pub fn from_checkpoint(from: &Checkpoint) -> Result<Self> {
        let read = || {
            let mut reader = from.open(KIND, from.problem)?;
            let density = Self::read(&mut reader, from.problem)?;
            reader.finish()?;
            Ok::<_, CheckpointError>(density)
        };
        Ok(read().map_err(CoreError::from)?)
    }

    fn read(from: &mut Reader<'_>, problem: u64) -> std::result::Result<Self, CheckpointError> {
        let at = from.position();
        let invalid = |what| CheckpointError::Invalid { what, at };
        let n_spins = from.read_usize()?;
        let mut numbers = [0.0; 5];
        from.read_f64s_into(&mut numbers)?;
        let grid = EnergyGrid::from_numbers(&numbers).map_err(|_| invalid("energy grid"))?;
        let (first, ln_weights) = (from.read_i64()?, from.read_f64s()?);
        let (refused, round_trips) = (from.read_u64()?, from.read_u64()?);
        let (mut units, mut walkers) = (Units::new(), Vec::new());
        for _ in 0..from.read_usize()? {
            let unit = from.read_u64()?;
            let sums = read_sums(from, ln_weights.len())?;
            if !units.insert(unit) || walkers.last().is_some_and(|(before, _)| *before > unit) {
                return Err(invalid("work unit"));
            }
            walkers.push((unit, sums));
        }
        Ok(Self { n_spins, problem, grid, first, ln_weights, units, walkers, refused, round_trips })
    }
}

pub(super) fn read_sums(from: &mut Reader<'_>, levels: usize) -> std::result::Result<Vec<LevelSums>, CheckpointError> {
    let at = from.position();
    let numbers = from.read_f64s()?;
    let (sums, rest) = numbers.as_chunks::<6>();
    if !rest.is_empty() || sums.len() != levels {
        return Err(CheckpointError::Length { at, expected: 6 * levels, found: numbers.len() as u64 });
    }
    Ok(sums.to_vec())
}

/// Mean and variance within a level, from the level.
fn within(count: f64, first: f64, second: f64) -> (f64, f64) {
    if count <= 0.0 {
        return (0.0, 0.0);
    }
    let mean = first / count;
    (mean, (second / count - mean * mean).max(0.0))
}

impl Merge for DensityOfStates {
    fn merge(&mut self, other: &Self) -> std::result::Result<(), MergeError> {
        if self.problem != other.problem {
            return Err(MergeError::Problem { expected: self.problem, found: other.problem });
        }
        if self.ln_weights.len() != other.ln_weights.len() {
            let (expected, found) = (self.ln_weights.len(), other.ln_weights.len());
            return Err(MergeError::Shape { what: "number of levels", expected, found });
        }
        self.units.merge(&other.units)?;
        self.walkers.extend(other.walkers.iter().cloned());
        self.walkers.sort_by_key(|(unit, _)| *unit);
        self.refused += other.refused;
        self.round_trips += other.round_trips;
        Ok(())
    }
}
