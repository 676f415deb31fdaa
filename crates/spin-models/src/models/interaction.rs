//! Models with interactions of any number of spins.

use linalg_core::checkpoint::ContentHash;

#[cfg(feature = "serde")]
use super::duplicates::contradiction;
use super::duplicates::{Collected, Duplicates, check_n_spins, collect_terms};
use super::ising::Ising;
use crate::model::{CachedModel, EnergyModel, Reweight};
use crate::{Error, Result};

/// A model of k-body products, any k from 0.
///
/// ```math
/// E(s) = c - \sum_a w_a \prod_{i \in a} s_i
/// ```
///
/// [`Ising`] is its two-body case; the coset models of decoding are of this kind. Terms keep the order in which they
/// were given, which is also their number as [`Reweight`] interactions. A term without sites contributes `-w`.
///
/// ```
/// use spin_models::{EnergyModel, InteractionModel};
///
/// let plaquette = InteractionModel::builder(4).term(&[0, 1, 2, 3], 1.0).term(&[], 0.5).build()?;
/// assert_eq!(plaquette.energy(&[1, 1, 1, 1]), -1.5);
/// assert_eq!(plaquette.delta_energy(&[1, 1, 1, 1], 2), 2.0);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked"))]
pub struct InteractionModel {
    n_spins: usize,
    offset: f64,
    weights: Vec<f64>,
    term_start: Vec<usize>,
    term_sites: Vec<u32>,
    site_start: Vec<usize>,
    site_terms: Vec<u32>,
}

/// What a file may hold.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    n_spins: usize,
    offset: f64,
    weights: Vec<f64>,
    term_start: Vec<usize>,
    term_sites: Vec<u32>,
    site_start: Vec<usize>,
    site_terms: Vec<u32>,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for InteractionModel {
    type Error = Error;

    fn try_from(unchecked: Unchecked) -> Result<Self> {
        let Unchecked { n_spins, offset, weights, term_start, term_sites, site_start, site_terms } = unchecked;
        check_n_spins(n_spins)?;
        if !offset.is_finite() {
            return Err(Error::NotFinite { what: "offset", entry: 0, sites: Vec::new(), value: offset });
        }
        for (what, got, expected) in [
            ("starts of terms", term_start.len(), weights.len() + 1),
            ("starts of the terms of sites", site_start.len(), n_spins + 1),
        ] {
            if got != expected {
                return Err(Error::WrongLength { what, got, expected });
            }
        }
        let ascending = term_start.is_sorted() && term_start[0] == 0 && term_start[weights.len()] == term_sites.len();
        if !ascending {
            return Err(contradiction("starts of terms", "numbers from 0 to that of all sites, ascending"));
        }
        let terms = term_start.windows(2).zip(&weights).map(|(ends, &weight)| {
            let sites = term_sites[ends[0]..ends[1]].iter().map(|&site| site as usize);
            (sites.collect::<Vec<usize>>(), weight)
        });
        let collected = collect_terms(n_spins, terms.collect(), Duplicates::Keep)?;
        let model = Self::assemble(n_spins, offset, collected);
        let same = model.term_sites == term_sites && model.site_start == site_start && model.site_terms == site_terms;
        if same { Ok(model) } else { Err(contradiction("sites of terms", "ascending sites, and their terms")) }
    }
}

/// Collects terms and checks them when it builds the [`InteractionModel`].
#[derive(Debug, Clone)]
pub struct InteractionBuilder {
    n_spins: usize,
    offset: f64,
    terms: Vec<(Vec<usize>, f64)>,
    duplicates: Duplicates,
}

impl InteractionBuilder {
    /// Adds `-w Π s_i` over these sites to the energy. Checked by [`build`](Self::build).
    pub fn term(mut self, sites: &[usize], weight: f64) -> Self {
        self.terms.push((sites.to_vec(), weight));
        self
    }

    /// Adds many terms.
    pub fn terms(mut self, terms: impl IntoIterator<Item = (Vec<usize>, f64)>) -> Self {
        self.terms.extend(terms);
        self
    }

    /// Adds a constant to the energy.
    pub fn offset(mut self, offset: f64) -> Self {
        self.offset += offset;
        self
    }

    /// What to do with a set of sites given twice; refuse it by default.
    pub fn duplicates(mut self, duplicates: Duplicates) -> Self {
        self.duplicates = duplicates;
        self
    }

    /// Checks everything and builds the model. Linear in the input size, sorting within terms apart.
    ///
    /// # Errors
    /// [`Error::NoSpins`], [`Error::SiteOutOfBounds`], [`Error::SelfCoupling`] for a site twice in one term,
    /// [`Error::NotFinite`], [`Error::Duplicate`]: each names the offending entry.
    pub fn build(self) -> Result<InteractionModel> {
        check_n_spins(self.n_spins)?;
        if !self.offset.is_finite() {
            return Err(Error::NotFinite { what: "offset", entry: 0, sites: Vec::new(), value: self.offset });
        }
        let collected = collect_terms(self.n_spins, self.terms, self.duplicates)?;
        Ok(InteractionModel::assemble(self.n_spins, self.offset, collected))
    }
}

impl InteractionModel {
    /// Starts a model of `n_spins` spins without terms.
    pub fn builder(n_spins: usize) -> InteractionBuilder {
        InteractionBuilder { n_spins, offset: 0.0, terms: Vec::new(), duplicates: Duplicates::default() }
    }

    fn assemble(n_spins: usize, offset: f64, collected: Collected<Vec<u32>>) -> Self {
        let mut term_start = vec![0];
        let mut term_sites = Vec::new();
        let mut site_start = vec![0usize; n_spins + 1];
        for sites in &collected.keys {
            term_sites.extend_from_slice(sites);
            term_start.push(term_sites.len());
            for &site in sites {
                site_start[site as usize + 1] += 1;
            }
        }
        for i in 0..n_spins {
            site_start[i + 1] += site_start[i];
        }
        let mut next = site_start.clone();
        let mut site_terms = vec![0u32; term_sites.len()];
        for (a, sites) in collected.keys.iter().enumerate() {
            for &site in sites {
                site_terms[next[site as usize]] = a as u32;
                next[site as usize] += 1;
            }
        }
        Self { n_spins, offset, weights: collected.weights, term_start, term_sites, site_start, site_terms }
    }

    /// Number of terms.
    pub fn n_terms(&self) -> usize {
        self.weights.len()
    }

    /// The terms `(sites, weight)`, sites ascending, in the order in which they were given.
    pub fn terms(&self) -> impl ExactSizeIterator<Item = (&[u32], f64)> + '_ {
        (0..self.weights.len()).map(|a| (self.term(a), self.weights[a]))
    }

    /// The sites of term `a`, ascending.
    ///
    /// # Panics
    /// If `a` is not a term.
    pub fn term(&self, a: usize) -> &[u32] {
        &self.term_sites[self.term_start[a]..self.term_start[a + 1]]
    }

    /// The numbers of the terms that contain site `i`, ascending.
    ///
    /// # Panics
    /// If `i` is not a site.
    pub fn terms_of(&self, i: usize) -> &[u32] {
        &self.site_terms[self.site_start[i]..self.site_start[i + 1]]
    }

    /// The constant of the energy; terms without sites come on top.
    pub fn offset(&self) -> f64 {
        self.offset
    }

    /// The largest number of sites in a term; 0 without terms.
    pub fn max_order(&self) -> usize {
        (0..self.n_terms()).map(|a| self.term(a).len()).max().unwrap_or(0)
    }

    /// The same energy as an [`Ising`] model, when no term has more than two sites. Terms kept on one pair add up.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] naming the first term of three or more sites.
    pub fn to_ising(&self) -> Result<Ising> {
        let mut builder = Ising::builder(self.n_spins).offset(self.offset).duplicates(Duplicates::Sum);
        for (a, (sites, weight)) in self.terms().enumerate() {
            builder = match *sites {
                [] => builder.offset(-weight),
                [i] => builder.field(i as usize, weight),
                [i, j] => builder.coupling(i as usize, j as usize, weight),
                _ => {
                    let reason = format!("term {a} has {} sites {sites:?}, at most 2 are possible", sites.len());
                    return Err(Error::NotApplicable { solver: "pairwise form", reason });
                }
            };
        }
        builder.build()
    }

    fn product(&self, a: usize, s: &[i8]) -> i8 {
        self.term(a).iter().fold(1, |product, &site| product * s[site as usize])
    }

    fn check_len(&self, s: &[i8]) {
        assert_eq!(s.len(), self.n_spins, "{} spins for a model of {}", s.len(), self.n_spins);
    }
}

impl From<&Ising> for InteractionModel {
    /// Couplings in their order, then every site that has a field.
    fn from(ising: &Ising) -> Self {
        let pairs = ising.couplings().map(|(i, j, coupling)| (vec![i as u32, j as u32], coupling));
        let fields = ising.fields().iter().enumerate().filter(|&(_, &h)| h != 0.0);
        let (keys, weights) = pairs.chain(fields.map(|(i, &h)| (vec![i as u32], h))).unzip();
        Self::assemble(ising.n_spins(), ising.offset(), Collected { keys, weights })
    }
}

impl EnergyModel for InteractionModel {
    fn n_spins(&self) -> usize {
        self.n_spins
    }

    fn energy(&self, s: &[i8]) -> f64 {
        self.check_len(s);
        let sum: f64 = (0..self.n_terms()).map(|a| self.weights[a] * f64::from(self.product(a, s))).sum();
        self.offset - sum
    }

    fn delta_energy(&self, s: &[i8], i: usize) -> f64 {
        self.check_len(s);
        let sum: f64 =
            self.terms_of(i).iter().map(|&a| self.weights[a as usize] * f64::from(self.product(a as usize, s))).sum();
        2.0 * sum
    }

    /// Of the terms in their order and the offset.
    fn content_hash(&self) -> u64 {
        let mut hash = ContentHash::new();
        hash.write_str("interactions").write_usizes(&[self.n_spins]).write_f64(self.offset);
        hash.write_f64s(&self.weights).write_usizes(&self.term_start);
        for &site in &self.term_sites {
            hash.write_u64(u64::from(site));
        }
        hash.finish()
    }
}

impl CachedModel for InteractionModel {
    /// The products `Π_{i∈a} s_i` of all terms, ±1: exact after any number of flips.
    type Cache = Vec<i8>;

    fn cache(&self, s: &[i8]) -> Vec<i8> {
        self.check_len(s);
        (0..self.n_terms()).map(|a| self.product(a, s)).collect()
    }

    fn delta_cached(&self, cache: &Vec<i8>, _s: &[i8], i: usize) -> f64 {
        let sum: f64 = self.terms_of(i).iter().map(|&a| self.weights[a as usize] * f64::from(cache[a as usize])).sum();
        2.0 * sum
    }

    fn flip(&self, cache: &mut Vec<i8>, s: &mut [i8], i: usize) {
        s[i] = -s[i];
        for &a in self.terms_of(i) {
            cache[a as usize] = -cache[a as usize];
        }
    }

    /// The weighted sum of the kept products; no spins are read.
    fn energy_cached(&self, cache: &Vec<i8>, _s: &[i8]) -> f64 {
        self.offset - self.weights.iter().zip(cache).map(|(&w, &product)| w * f64::from(product)).sum::<f64>()
    }
}

impl Reweight for InteractionModel {
    fn n_interactions(&self) -> usize {
        self.weights.len()
    }

    fn weight(&self, a: usize) -> f64 {
        self.weights[a]
    }

    fn set_weight(&mut self, a: usize, weight: f64) -> Result<()> {
        if !weight.is_finite() {
            let sites = self.term(a).iter().map(|&site| site as usize).collect();
            return Err(Error::NotFinite { what: "weight", entry: a, sites, value: weight });
        }
        self.weights[a] = weight;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Spins;

    #[test]
    fn two_body_case_is_ising_both_ways() {
        let ising =
            Ising::builder(3).coupling(0, 1, 0.7).coupling(1, 2, -0.2).field(1, 0.4).offset(-1.5).build().unwrap();
        let model = InteractionModel::from(&ising);
        for state in 0..8 {
            let s = Spins::from_state(state, 3);
            approx::assert_abs_diff_eq!(model.energy(&s), ising.energy(&s), epsilon = 1e-15);
        }
        assert_eq!(model.to_ising().unwrap(), ising);
    }

    #[test]
    fn cache_follows_flips_for_all_orders() {
        let model = InteractionModel::builder(4)
            .term(&[], 0.25)
            .term(&[3], -0.5)
            .term(&[0, 2], 1.5)
            .term(&[0, 1, 3], -0.75)
            .term(&[3, 2, 1, 0], 2.0)
            .build()
            .unwrap();
        let mut s = [1, -1, -1, 1];
        let mut cache = model.cache(&s);
        for i in [0, 3, 1, 2, 2, 0] {
            let before = model.energy(&s);
            let delta = model.delta_cached(&cache, &s, i);
            approx::assert_abs_diff_eq!(delta, model.delta_energy(&s, i), epsilon = 1e-15);
            model.flip(&mut cache, &mut s, i);
            approx::assert_abs_diff_eq!(model.energy(&s) - before, delta, epsilon = 1e-14);
            assert_eq!(cache, model.cache(&s));
            approx::assert_abs_diff_eq!(model.energy_cached(&cache, &s), model.energy(&s), epsilon = 1e-15);
        }
    }

    #[test]
    fn terms_on_the_same_sites_can_be_kept_apart() {
        let builder = InteractionModel::builder(2).term(&[0, 1], 1.0).term(&[1, 0], 0.5).term(&[0], 0.25);
        let mut model = builder.term(&[0], -0.75).duplicates(Duplicates::Keep).build().unwrap();
        assert_eq!(model.n_terms(), 4);
        approx::assert_abs_diff_eq!(model.energy(&[1, 1]), -1.0, epsilon = 1e-15);
        model.set_weight(1, -0.5).unwrap();
        approx::assert_abs_diff_eq!(model.delta_energy(&[1, 1], 0), 0.0, epsilon = 1e-15);
        let ising = model.to_ising().unwrap();
        assert_eq!(ising.couplings().collect::<Vec<_>>(), [(0, 1, 0.5)]);
        assert_eq!(ising.fields(), [-0.5, 0.0]);
    }

    #[test]
    fn bad_terms_are_named() {
        let refuse = |builder: InteractionBuilder| builder.build().unwrap_err().to_string();
        let base = || InteractionModel::builder(3);
        assert_eq!(refuse(base().term(&[0, 1, 0], 1.0)), "coupling 0 ties site 0 to itself");
        assert_eq!(refuse(base().term(&[0, 1, 3], 1.0)), "term 0: site 3 is out of bounds for 3 spins");
        assert_eq!(
            refuse(base().term(&[0, 1, 2], 1.0).term(&[2, 1, 0], 1.0)),
            "term 1 repeats term 0, sites [0, 1, 2]"
        );
        let error = base().term(&[0, 1, 2], 1.0).build().unwrap().to_ising().unwrap_err().to_string();
        assert_eq!(error, "pairwise form does not apply: term 0 has 3 sites [0, 1, 2], at most 2 are possible");
    }

    #[cfg(feature = "serde")]
    #[test]
    fn files_hold_what_can_be_built() {
        let builder = InteractionModel::builder(3).term(&[0, 1], 1.0).term(&[], 0.5).term(&[2, 0, 1], 0.25);
        let model = builder.term(&[1, 0], -0.75).duplicates(Duplicates::Keep).build().unwrap();
        let file = |change: fn(&mut Unchecked)| {
            let InteractionModel { n_spins, offset, weights, term_start, term_sites, site_start, site_terms } =
                model.clone();
            let mut unchecked = Unchecked { n_spins, offset, weights, term_start, term_sites, site_start, site_terms };
            change(&mut unchecked);
            InteractionModel::try_from(unchecked)
        };
        assert_eq!(file(|_| {}).unwrap(), model);
        let changes: [fn(&mut Unchecked); 9] = [
            |file| file.n_spins = u32::MAX as usize,
            |file| file.offset = f64::INFINITY,
            |file| file.weights[0] = f64::NAN,
            |file| file.weights.clear(),
            |file| file.term_start[1] = 7,
            |file| file.term_start[4] = 700,
            |file| file.term_sites[0] = 77,
            |file| file.term_sites.swap(0, 1),
            |file| file.site_terms[0] = 77,
        ];
        for (k, change) in changes.into_iter().enumerate() {
            assert!(file(change).is_err(), "change {k}");
        }
    }
}
