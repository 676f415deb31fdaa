//! Densities of states with errors.

use linalg_core::Error as CoreError;
use linalg_core::checkpoint::{Checkpoint, CheckpointError, Reader, Writer};
use linalg_core::logspace::log_sum_exp;
use linalg_core::merge::{Merge, MergeError, Units};
use linalg_core::stats::Estimate;

use super::grid::EnergyGrid;
use super::walker::read_first;
use crate::Result;
use crate::error::check_beta;
use crate::model::LnZ;

const KIND: &str = "density of states 1";

/// Blocks of a walker at most; neighbours are joined when there are more.
const MOST_BLOCKS: usize = 16;

/// Visits, `Σ(E - E_k)`, `Σ(E - E_k)²`, `Σ|m|`, `Σm²`, `Σm⁴` of one walker at one level.
pub(super) type LevelSums = [f64; 6];

/// What a walker measured, in blocks of equal length in time but for the last.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Blocks {
    /// Rounds in a full block.
    length: u64,
    /// Rounds in the last block.
    filled: u64,
    blocks: Vec<Vec<LevelSums>>,
}

impl Blocks {
    pub fn new() -> Self {
        Self { length: 1, filled: 0, blocks: Vec::new() }
    }

    /// The block of a round that begins.
    pub fn next_round(&mut self, levels: usize) -> &mut [LevelSums] {
        if self.blocks.is_empty() || self.filled == self.length {
            if self.blocks.len() == MOST_BLOCKS {
                self.blocks = self.blocks.chunks(2).map(|pair| sum(levels, pair.iter())).collect();
                self.length *= 2;
            }
            self.blocks.push(vec![[0.0; 6]; levels]);
            self.filled = 0;
        }
        self.filled += 1;
        let last = self.blocks.len() - 1;
        &mut self.blocks[last]
    }

    pub fn write(&self, out: &mut Writer) {
        out.write_u64(self.length).write_u64(self.filled).write_usize(self.blocks.len());
        self.blocks.iter().for_each(|sums| {
            out.write_f64s(sums.as_flattened());
        });
    }

    pub fn read(levels: usize, from: &mut Reader<'_>) -> std::result::Result<Self, CheckpointError> {
        let at = from.position();
        let (length, filled, count) = (from.read_count()?, from.read_count()?, from.read_usize()?);
        if count > MOST_BLOCKS || length == 0 || filled > length {
            return Err(CheckpointError::Invalid { what: "number of blocks", at });
        }
        let blocks = (0..count).map(|_| read_sums(from, levels)).collect::<std::result::Result<_, _>>()?;
        Ok(Self { length, filled, blocks })
    }
}

/// The sum over blocks.
fn sum<'a>(levels: usize, blocks: impl Iterator<Item = &'a Vec<LevelSums>>) -> Vec<LevelSums> {
    let mut total = vec![[0.0; 6]; levels];
    for sums in blocks {
        for (total, sums) in total.iter_mut().zip(sums) {
            total.iter_mut().zip(sums).for_each(|(total, x)| *total += x);
        }
    }
    total
}

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
/// in `βw`, from the mean and the variance of the energies met there. All errors are the larger of two jackknife errors:
/// over the walkers, which is right however slowly they move but is itself rough, and over up to 16 blocks in time of
/// each walker. They are infinite for one walker, and blind to energies that no walker has reached, of which
/// [`refused`](Self::refused) counts the traces. Results of several machines with the same weights can be merged if
/// their units differ.
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
    pub(super) walkers: Vec<(u64, Blocks)>,
    pub(super) refused: u64,
    pub(super) round_trips: u64,
}

/// ln of the weight of each level at one temperature, and of their sum.
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
        let sums = self.total();
        self.known().map(|k| (self.grid.energy(self.first + k as i64), sums[k][0])).collect()
    }

    fn known(&self) -> impl Iterator<Item = usize> {
        (0..self.ln_weights.len()).filter(|&k| self.ln_weights[k] < f64::INFINITY)
    }

    /// The sums over all walkers.
    fn total(&self) -> Vec<LevelSums> {
        sum(self.ln_weights.len(), self.walkers.iter().flat_map(|(_, walker)| &walker.blocks))
    }

    /// Functions of the sums with their errors: of all sums, without each walker in turn, without each block.
    fn estimates<const K: usize>(&self, function: impl Fn(&[LevelSums]) -> [f64; K]) -> [Estimate; K] {
        let values = self.estimate_all(|sums| function(sums).to_vec());
        std::array::from_fn(|k| values[k])
    }

    fn estimate_all(&self, function: impl Fn(&[LevelSums]) -> Vec<f64>) -> Vec<Estimate> {
        let total = self.total();
        let without = |part: &[LevelSums]| {
            let mut rest = total.clone();
            for (rest, part) in rest.iter_mut().zip(part) {
                rest.iter_mut().zip(part).for_each(|(rest, x)| *rest -= x);
                // Of a level that was met in this part alone nothing but rounding is left.
                if rest[0] < 0.5 {
                    *rest = [0.0; 6];
                }
            }
            function(&rest)
        };
        let walkers: Vec<Vec<f64>> =
            self.walkers.iter().map(|(_, walker)| without(&sum(total.len(), walker.blocks.iter()))).collect();
        let blocks: Vec<Vec<f64>> =
            self.walkers.iter().flat_map(|(_, walker)| &walker.blocks).map(|block| without(block)).collect();
        let variance = |parts: &[Vec<f64>], k: usize| {
            let n = parts.len() as f64;
            let mean = parts.iter().map(|x| x[k]).sum::<f64>() / n;
            (n - 1.0) / n * parts.iter().map(|x| (x[k] - mean).powi(2)).sum::<f64>()
        };
        let estimate = |(k, value)| {
            let between = variance(&walkers, k);
            // A level that only one walker has met has no logarithm without it.
            if walkers.len() < 2 || !between.is_finite() {
                return Estimate::new(value, f64::INFINITY);
            }
            Estimate::new(value, between.max(variance(&blocks, k)).sqrt())
        };
        function(&total).into_iter().enumerate().map(estimate).collect()
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
    /// Cost: 17 W passes over the levels for W walkers, as for every average.
    pub fn levels(&self) -> Vec<LevelEstimate> {
        let ln_g = |sums: &[LevelSums]| -> Vec<f64> {
            let flat = self.reweighted(sums, 0.0);
            flat.ln_weights.iter().map(|x| x - flat.ln_total + self.ln_states()).collect()
        };
        let (total, estimates) = (self.total(), self.estimate_all(ln_g));
        let level = |k: usize| {
            let [count, first, second, ..] = total[k];
            LevelEstimate { energy: self.energy_at(k) + within(count, first, second).0, ln_g: estimates[k] }
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
            [self.reweighted(sums, beta).ln_total - self.reweighted(sums, 0.0).ln_total + self.ln_states()]
        };
        let [estimate] = self.estimates(ln_z);
        Ok(LnZ::estimate(estimate.value, estimate.std_error.unwrap_or(f64::INFINITY)))
    }

    /// `⟨E⟩`, extensive.
    ///
    /// # Errors
    /// As for [`ln_z`](Self::ln_z).
    pub fn energy(&self, beta: f64) -> Result<Estimate> {
        check_beta(beta.abs())?;
        let [energy] = self.estimates(|sums| [self.energy_moments(sums, beta).0]);
        Ok(energy)
    }

    /// `β² (⟨E²⟩ - ⟨E⟩²)`, extensive.
    ///
    /// # Errors
    /// As for [`ln_z`](Self::ln_z).
    pub fn heat_capacity(&self, beta: f64) -> Result<Estimate> {
        check_beta(beta.abs())?;
        let [capacity] = self.estimates(|sums| [beta * beta * self.energy_moments(sums, beta).1]);
        Ok(capacity)
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
        Ok(self.estimates(|sums| [3, 4, 5].map(|x: usize| self.mean(sums, beta, |k| sums[k][x] / sums[k][0]))))
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
        for (unit, walker) in &self.walkers {
            out.write_u64(*unit);
            walker.write(out);
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
        let (first, ln_weights) = (read_first(from)?, from.read_f64s()?);
        let (refused, round_trips) = (from.read_count()?, from.read_count()?);
        let (mut units, mut walkers) = (Units::new(), Vec::new());
        for _ in 0..from.read_usize()? {
            let unit = from.read_u64()?;
            let sums = Blocks::read(ln_weights.len(), from)?;
            if !units.insert(unit) || walkers.last().is_some_and(|(before, _)| *before > unit) {
                return Err(invalid("work unit"));
            }
            walkers.push((unit, sums));
        }
        Ok(Self { n_spins, problem, grid, first, ln_weights, units, walkers, refused, round_trips })
    }
}

fn read_sums(from: &mut Reader<'_>, levels: usize) -> std::result::Result<Vec<LevelSums>, CheckpointError> {
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
