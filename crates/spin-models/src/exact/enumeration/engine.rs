//! Sums over all states of a model given by its terms: which kernel, in which units of energy.

use linalg_core::Observer;

use super::NAME;
use super::drive::Job;
use super::energies::{TermEnergies, TermWork, UnitWork, unit_sums};
use super::ground::{Lowest, lowest_level};
use super::layout::{Layout, Scratch, Tables};
use super::linear::{Linear, LinearWork};
use super::sums::{PairwiseSum, SpinMoments, Sums, Want};
use super::symmetry::Symmetry;
use super::terms::{Terms, commensurate, split};
use crate::model::Progress;
use crate::{Error, Result};

/// Up to this value of `β Σ|w|` the weights `e^{-βE}` and all their partial products are multiplied as they are.
///
/// To turn a low spin down costs a factor `e^{2βc}`, and a block summed with these factors before its first weight joins
/// reaches `e^{2βΣ|w|}` times its 2^11 states: `e^{680 + 7.7} = 1e298`. Sums over 2^40 states have `e^{340 + 27.8}`.
const LINEAR_RANGE: f64 = 340.0;

/// Energies that differ by less than this fraction of `Σ|w|` count as equal, unless all energies are exact.
///
/// About 60 roundings of the largest energy, and far below the spacing of levels that differ.
pub(in crate::exact) const TIE: f64 = 1.0 / (1u64 << 46) as f64;

/// What to compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// ln Z.
    LnZ,
    /// ln Z, the mean energy, spins and pairs.
    Moments,
    /// ln Z, the mean energy and its variance.
    Cumulants,
}

impl Ask {
    fn sums(self) -> Want {
        if self == Self::Moments { Want::Moments } else { Want::Weights }
    }
}

/// Sums whose energies are `origin + unit * E`, the constant of the model left out.
struct RelativeSums {
    sums: Sums,
    origin: f64,
    unit: f64,
}

/// Answers; what was not asked for may be `None`.
#[derive(Debug, Clone)]
pub(super) struct Totals {
    pub ln_z: f64,
    pub energy: Option<f64>,
    pub variance: Option<f64>,
    pub moments: Option<Moments>,
    /// Where the computation needed it.
    pub lowest: Option<Lowest>,
}

/// Averages over the full model, with the symmetry put back.
#[derive(Debug, Clone)]
pub(super) struct Moments {
    symmetry: Symmetry,
    kept: SpinMoments,
}

impl Moments {
    /// `⟨Π s_i⟩` of one or two spins, given by their mask.
    fn of(&self, product: u64) -> f64 {
        if !self.symmetry.is_invariant(product) {
            return 0.0;
        }
        let kept = self.symmetry.restrict(product);
        match kept.count_ones() {
            0 => 1.0,
            1 => self.kept.spins[kept.ilog2() as usize],
            _ => {
                let n = self.kept.spins.len();
                self.kept.pairs[kept.trailing_zeros() as usize * n + kept.ilog2() as usize]
            }
        }
    }

    /// `⟨s_i⟩`.
    pub fn spin(&self, i: usize) -> f64 {
        self.of(1 << i)
    }

    /// `⟨s_i s_j⟩`.
    pub fn pair(&self, i: usize, j: usize) -> f64 {
        if i == j { 1.0 } else { self.of(1 << i | 1 << j) }
    }
}

/// A model prepared for enumeration, with its memory.
#[derive(Debug)]
pub(super) struct Engine {
    terms: Terms,
    reduce: bool,
    /// Terms that have sites and a weight other than 0; the structure below is theirs.
    active: Vec<usize>,
    pub symmetry: Symmetry,
    pub layout: Layout,
    tables: Tables,
    remainders: Tables,
    scratch: Scratch,
    linear_work: LinearWork,
    work: (UnitWork, TermWork),
}

fn is_active(terms: &Terms, a: usize) -> bool {
    terms.masks[a] != 0 && terms.weights[a] != 0.0
}

impl Engine {
    /// Prepares the model; `reduce` says whether to sum over one state of every symmetry class only.
    pub fn new(terms: Terms, reduce: bool) -> Self {
        let mut engine = Self {
            reduce,
            active: Vec::new(),
            symmetry: Symmetry::none(terms.n),
            layout: Layout::new(terms.n, &[]),
            tables: Tables::default(),
            remainders: Tables::default(),
            scratch: Scratch::default(),
            linear_work: LinearWork::default(),
            work: Default::default(),
            terms,
        };
        engine.rebuild();
        engine
    }

    fn rebuild(&mut self) {
        self.active = (0..self.terms.masks.len()).filter(|&a| is_active(&self.terms, a)).collect();
        let masks = || self.active.iter().map(|&a| self.terms.masks[a]);
        self.symmetry = if self.reduce { Symmetry::of(self.terms.n, masks()) } else { Symmetry::none(self.terms.n) };
        let kept: Vec<u64> = masks().map(|mask| self.symmetry.restrict(mask)).collect();
        self.layout = Layout::new(self.symmetry.kept.len(), &kept);
    }

    /// Replaces the weights; the structure changes only when other weights vanish than before.
    pub fn set_weights(&mut self, weights: impl Iterator<Item = f64>) {
        for (mine, weight) in self.terms.weights.iter_mut().zip(weights) {
            *mine = weight;
        }
        let mut active = self.active.iter().copied().peekable();
        let same = (0..self.terms.masks.len())
            .all(|a| is_active(&self.terms, a) == active.next_if(|&next| next == a).is_some());
        if !same {
            self.rebuild();
        }
    }

    /// The part of the energy that no spin changes.
    pub fn constant(&self) -> f64 {
        self.terms.constant()
    }

    /// Weights of the active terms.
    pub fn weights(&self) -> Vec<f64> {
        self.active.iter().map(|&a| self.terms.weights[a]).collect()
    }

    /// `Σ|w|` over the terms with sites: no energy is further from the constant.
    pub fn total_weight(&self) -> f64 {
        self.terms.total_weight()
    }

    /// Refuses energies that overflow.
    pub fn check_range(&self, beta: f64, ask: Ask) -> Result<()> {
        check_range(&self.terms, beta, ask)
    }

    /// Loads weights into one of the tables; energies have the opposite sign.
    fn load(layout: &Layout, weights: &[f64], tables: &mut Tables, scratch: &mut Scratch) {
        let coefficients: Vec<f64> = weights.iter().map(|w| -w).collect();
        layout.load(&coefficients, tables, scratch);
    }

    /// The lowest level. The energy tables are left loaded with exact integers where these exist.
    pub fn lowest(&mut self, observer: &mut dyn Observer<Progress>) -> Result<Lowest> {
        self.check_range(0.0, Ask::LnZ)?;
        let weights = self.weights();
        let (weights, tolerance) = match commensurate(&weights) {
            Some(exact) => (exact.weights, 0.0),
            None => (weights, TIE * self.total_weight()),
        };
        Self::load(&self.layout, &weights, &mut self.tables, &mut self.scratch);
        lowest_level(&self.layout, &self.tables, tolerance, observer)
    }

    /// `E(s) - constant` of a kept state, for any weights of the active terms.
    fn energy_of(&self, weights: &[f64], state: u64) -> f64 {
        let sign = |a: usize| {
            let kept = self.symmetry.restrict(self.terms.masks[a]);
            if (kept & state).count_ones().is_multiple_of(2) { -1.0 } else { 1.0 }
        };
        self.active.iter().zip(weights).map(|(&a, w)| w * sign(a)).sum()
    }

    /// Computes what is asked for.
    pub fn totals(&mut self, beta: f64, ask: Ask, observer: &mut dyn Observer<Progress>) -> Result<Totals> {
        self.check_range(beta, ask)?;
        let (relative, lowest) = if beta * self.total_weight() <= LINEAR_RANGE {
            (self.warm_sums(beta, ask, observer)?, None)
        } else {
            let lowest = self.lowest(observer)?;
            (self.cold_sums(beta, ask, lowest, observer)?, Some(lowest))
        };
        let RelativeSums { sums, origin, unit } = relative;
        let constant = self.constant();
        let reference = origin + unit * sums.reference;
        let excess = sums.of.energy / sums.of.weight;
        let classes = self.symmetry.generators.len() as f64 * std::f64::consts::LN_2;
        let ln_z = ln_z(beta, self.terms.n, sums.of.weight.ln() + classes, reference + constant);
        let variance = unit * unit * (sums.of.square / sums.of.weight - excess * excess);
        let energy = (ask != Ask::LnZ).then_some(reference + unit * excess + constant);
        let moments = sums.into_moments(&self.layout).map(|kept| Moments { symmetry: self.symmetry.clone(), kept });
        Ok(Totals { ln_z, energy, variance: (ask == Ask::Cumulants).then_some(variance.max(0.0)), moments, lowest })
    }

    /// Sums with energies as they are: no weight leaves the range of `f64`.
    fn warm_sums(&mut self, beta: f64, ask: Ask, observer: &mut dyn Observer<Progress>) -> Result<RelativeSums> {
        let weights = self.weights();
        Self::load(&self.layout, &weights, &mut self.tables, &mut self.scratch);
        let sums = match Linear::new(&self.layout, &self.tables, beta) {
            Some(linear) if ask != Ask::Cumulants => {
                linear_sums(&self.layout, &linear, beta, ask.sums(), &mut self.linear_work, observer)?
            }
            _ => self.energy_sums(beta, [0.0; 2], f64::INFINITY, false, ask.sums(), observer)?,
        };
        Ok(RelativeSums { sums, origin: 0.0, unit: 1.0 })
    }

    /// Sums over exact differences from the lowest energy.
    fn cold_sums(
        &mut self,
        beta: f64,
        ask: Ask,
        lowest: Lowest,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<RelativeSums> {
        let weights = self.weights();
        let (unit, first, second) = match commensurate(&weights) {
            Some(exact) => (exact.unit, exact.weights, Vec::new()),
            None => {
                let (first, second) = split(&weights);
                (1.0, first, second)
            }
        };
        let origin = [&first, &second].map(|weights| self.energy_of(weights, lowest.state));
        Self::load(&self.layout, &first, &mut self.tables, &mut self.scratch);
        if !second.is_empty() {
            Self::load(&self.layout, &second, &mut self.remainders, &mut self.scratch);
        }
        // Remainders and the rounding of bounds come on top of what may be left out.
        let slack = 2.0 * second.iter().map(|w| w.abs()).sum::<f64>() + 64.0 * TIE * self.total_weight() / unit;
        let ceiling = self.negligible(ask) / (beta * unit) + slack;
        let sums = self.energy_sums(beta * unit, origin, ceiling, !second.is_empty(), ask.sums(), observer)?;
        Ok(RelativeSums { sums, origin: unit * (origin[0] + origin[1]), unit })
    }

    /// Above this exponent a weight may be left out.
    ///
    /// All 2^N of them together change sums of weights by less than `e^{-40} = 4e-18` then. The variance of the energy
    /// may be made of small weights alone: nothing but those that vanish in `f64` is left out.
    fn negligible(&self, ask: Ask) -> f64 {
        match ask {
            Ask::LnZ | Ask::Moments => 40.0 + self.terms.n as f64 * std::f64::consts::LN_2,
            Ask::Cumulants => 750.0,
        }
    }

    /// Sums with one exponential a state over the energies in the tables.
    fn energy_sums(
        &mut self,
        beta: f64,
        origin: [f64; 2],
        ceiling: f64,
        with_remainders: bool,
        want: Want,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Sums> {
        let Self { layout, tables, remainders, work, .. } = self;
        let (layout, tables, remainders) = (&*layout, &*tables, with_remainders.then_some(&*remainders));
        let unit = |unit, _: &PairwiseSum, (unit_work, work): &mut (UnitWork, TermWork)| {
            let mut source = TermEnergies { layout, tables, remainders, origin, ceiling, work };
            unit_sums(&mut source, layout, unit, beta, want, unit_work)
        };
        let mut sum = PairwiseSum::new(beta);
        job(layout).run(&mut sum, work, observer, unit, |sums, sum| sum.push(sums))?;
        Ok(sum.finish().expect("there is at least one unit"))
    }
}

/// Refuses energies that overflow; linear in the number of terms.
pub(super) fn check_range(terms: &Terms, beta: f64, ask: Ask) -> Result<()> {
    let largest = terms.total_weight() + terms.constant().abs();
    let power = if ask == Ask::Cumulants { largest.max(1.0) } else { 1.0 };
    if (8.0 * beta.max(1.0) * largest * power).is_finite() {
        return Ok(());
    }
    let reason = format!("energies up to {largest} at beta {beta} are beyond the range of f64");
    Err(Error::NotApplicable { solver: NAME, reason })
}

/// ln Z from the logarithm of the sum of weights and the energy of weight 1; `N ln 2` to the last bit at β = 0.
fn ln_z(beta: f64, n: usize, ln_sum: f64, reference: f64) -> f64 {
    if beta == 0.0 { n as f64 * std::f64::consts::LN_2 } else { ln_sum - beta * reference }
}

impl Totals {
    /// Of sums over all states of the full model, by energies.
    pub fn of_sums(sums: Sums, layout: &Layout, beta: f64) -> Self {
        let n = layout.low + layout.mid + layout.top;
        let excess = sums.of.energy / sums.of.weight;
        let ln_z = ln_z(beta, n, sums.of.weight.ln(), sums.reference);
        let (energy, variance) = (sums.reference + excess, sums.of.square / sums.of.weight - excess * excess);
        let kept = sums.into_moments(layout);
        let moments = kept.map(|kept| Moments { symmetry: Symmetry::none(n), kept });
        Self { ln_z, energy: Some(energy), variance: Some(variance.max(0.0)), moments, lowest: None }
    }
}

fn job(layout: &Layout) -> Job {
    Job { stage: "enumerating", units: layout.units(), unit_states: layout.unit_states() }
}

fn linear_sums(
    layout: &Layout,
    linear: &Linear<'_>,
    beta: f64,
    want: Want,
    work: &mut LinearWork,
    observer: &mut dyn Observer<Progress>,
) -> Result<Sums> {
    let mut sum = PairwiseSum::new(beta);
    let unit = |unit, _: &PairwiseSum, work: &mut LinearWork| linear.unit(unit, want, work);
    job(layout).run(&mut sum, work, observer, unit, |sums, sum| sum.push(sums))?;
    Ok(sum.finish().expect("there is at least one unit"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SherringtonKirkpatrick;
    use linalg_core::Streams;

    /// 23 spins: four units.
    fn terms() -> Terms {
        let mut rng = Streams::new(31).stream(0);
        let model = SherringtonKirkpatrick::gaussian(23, &mut rng).unwrap();
        let fields = (0..23).map(|i| 0.05 * f64::from(i)).collect();
        Terms::of_ising(&model.with_fields(fields).unwrap().to_ising().unwrap())
    }

    fn bits(totals: &Totals) -> Vec<u64> {
        let mut bits = vec![totals.ln_z.to_bits(), totals.energy.unwrap_or(0.0).to_bits()];
        if let Some(moments) = &totals.moments {
            bits.extend((0..23).map(|i| moments.spin(i).to_bits()));
            bits.extend((0..23).flat_map(|j| (0..j).map(move |i| (i, j))).map(|(i, j)| moments.pair(i, j).to_bits()));
        }
        bits
    }

    #[test]
    fn units_in_order_are_the_sum_bit_for_bit() {
        // The job below is the sequential one; with the rayon feature the engine's own runs in parallel.
        let mut engine = Engine::new(terms(), true);
        let beta = 0.6;
        let totals = engine.totals(beta, Ask::Moments, &mut ()).unwrap();
        let linear = Linear::new(&engine.layout, &engine.tables, beta).unwrap();
        let mut sum = PairwiseSum::new(beta);
        for unit in 0..engine.layout.units() {
            sum.push(linear.unit(unit, Want::Moments, &mut LinearWork::default()));
        }
        let again = Totals::of_sums(sum.finish().unwrap(), &engine.layout, beta);
        assert_eq!(engine.layout.units(), 4);
        assert_eq!(bits(&totals)[2..], bits(&again)[2..]);
        assert_eq!(totals.ln_z.to_bits(), (again.ln_z - beta * engine.constant()).to_bits());
    }

    #[cfg(feature = "rayon")]
    #[test]
    fn threads_do_not_change_a_bit() {
        let answers = [1, 2, 5].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut engine = Engine::new(terms(), true);
                let mut answers = Vec::new();
                for (beta, ask) in [(0.6, Ask::Moments), (0.6, Ask::Cumulants), (40.0, Ask::Moments), (40.0, Ask::LnZ)]
                {
                    answers.extend(bits(&engine.totals(beta, ask, &mut ()).unwrap()));
                }
                answers
            })
        });
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0], answers[2]);
    }
}
