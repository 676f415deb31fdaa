//! Ising models on any graph.

use linalg_core::checkpoint::ContentHash;

use super::batch_energies::{MOST_SPINS, Terms};
use super::duplicates::{Collected, Duplicates, check_n_spins, collect_pairs};
#[cfg(feature = "serde")]
use super::duplicates::{contradiction, restore_pairs};
use crate::model::{CachedModel, EnergyModel, PairwiseModel, Reweight};
use crate::spins::signed_sum;
use crate::{Error, Result};

/// An Ising model on any graph, with fields and a constant.
///
/// ```math
/// E(s) = c - \sum_{(i,j)} J_{ij} s_i s_j - \sum_i h_i s_i
/// ```
///
/// every pair once. Positive couplings are ferromagnetic. Couplings keep the order in which they were given; the
/// adjacency is stored as compressed rows, so that a flip costs `O(degree)`.
///
/// As a [`Reweight`] model its interactions are the couplings `0 .. n_couplings` in this order, then the fields
/// `n_couplings .. n_couplings + n_spins` in order of sites.
///
/// ```
/// use spin_models::{EnergyModel, Ising};
///
/// // Three spins in a ring, one bond negative: one bond stays unsatisfied.
/// let ring = Ising::builder(3).coupling(0, 1, 1.0).coupling(1, 2, 1.0).coupling(0, 2, -1.0).build()?;
/// assert_eq!(ring.energy(&[1, 1, 1]), -1.0);
/// assert_eq!(ring.delta_energy(&[1, 1, 1], 1), 4.0);
/// assert_eq!(ring.couplings().collect::<Vec<_>>()[2], (0, 2, -1.0));
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked"))]
pub struct Ising {
    offset: f64,
    fields: Vec<f64>,
    pairs: Vec<(u32, u32)>,
    couplings: Vec<f64>,
    row_start: Vec<usize>,
    neighbor: Vec<u32>,
    neighbor_coupling: Vec<f64>,
    /// Where coupling `a` stands in the rows of its two ends.
    half_edges: Vec<[usize; 2]>,
    positions: Option<Vec<[f64; 3]>>,
}

/// What a file may hold.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    offset: f64,
    fields: Vec<f64>,
    pairs: Vec<(u32, u32)>,
    couplings: Vec<f64>,
    row_start: Vec<usize>,
    neighbor: Vec<u32>,
    neighbor_coupling: Vec<f64>,
    half_edges: Vec<[usize; 2]>,
    positions: Option<Vec<[f64; 3]>>,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for Ising {
    type Error = Error;

    fn try_from(unchecked: Unchecked) -> Result<Self> {
        let n = unchecked.fields.len();
        check_n_spins(n)?;
        if !unchecked.offset.is_finite() {
            let value = unchecked.offset;
            return Err(Error::NotFinite { what: "offset", entry: 0, sites: Vec::new(), value });
        }
        if let Some(entry) = unchecked.fields.iter().position(|h| !h.is_finite()) {
            let value = unchecked.fields[entry];
            return Err(Error::NotFinite { what: "field", entry, sites: vec![entry], value });
        }
        if let Some(positions) = &unchecked.positions {
            check_positions(positions, n)?;
        }
        let collected = restore_pairs(n, &unchecked.pairs, &unchecked.couplings)?;
        let model = Self::assemble(unchecked.offset, unchecked.fields, collected, unchecked.positions);
        let same = model.pairs == unchecked.pairs
            && model.row_start == unchecked.row_start
            && model.neighbor == unchecked.neighbor
            && model.neighbor_coupling == unchecked.neighbor_coupling
            && model.half_edges == unchecked.half_edges;
        if same { Ok(model) } else { Err(contradiction("rows of neighbours", "those of the couplings")) }
    }
}

/// Collects couplings and fields and checks them when it builds the [`Ising`] model.
///
/// ```
/// use spin_models::{Duplicates, Error, Ising};
///
/// let twice = Ising::builder(2).coupling(0, 1, 1.0).coupling(1, 0, 1.0);
/// assert!(matches!(twice.clone().build(), Err(Error::Duplicate { entry: 1, first: 0, .. })));
/// let summed = twice.duplicates(Duplicates::Sum).build()?;
/// assert_eq!(summed.couplings().next(), Some((0, 1, 2.0)));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct IsingBuilder {
    n_spins: usize,
    offset: f64,
    fields: Vec<(usize, f64)>,
    couplings: Vec<(usize, usize, f64)>,
    duplicates: Duplicates,
    positions: Option<Vec<[f64; 3]>>,
}

impl IsingBuilder {
    /// Adds `-J s_i s_j` to the energy. Checked by [`build`](Self::build).
    pub fn coupling(mut self, i: usize, j: usize, coupling: f64) -> Self {
        self.couplings.push((i, j, coupling));
        self
    }

    /// Adds many couplings `(i, j, J)`.
    pub fn couplings(mut self, couplings: impl IntoIterator<Item = (usize, usize, f64)>) -> Self {
        self.couplings.extend(couplings);
        self
    }

    /// Adds `-h s_i` to the energy; fields on one site add up.
    pub fn field(mut self, i: usize, field: f64) -> Self {
        self.fields.push((i, field));
        self
    }

    /// Adds fields on the sites 0, 1, ….
    pub fn fields(mut self, fields: impl IntoIterator<Item = f64>) -> Self {
        self.fields.extend(fields.into_iter().enumerate());
        self
    }

    /// Adds a constant to the energy.
    pub fn offset(mut self, offset: f64) -> Self {
        self.offset += offset;
        self
    }

    /// What to do with a pair given twice; refuse it by default.
    pub fn duplicates(mut self, duplicates: Duplicates) -> Self {
        self.duplicates = duplicates;
        self
    }

    /// Positions of the sites, for drawing.
    pub fn positions(mut self, positions: Vec<[f64; 3]>) -> Self {
        self.positions = Some(positions);
        self
    }

    /// Checks everything and builds the model. `O(N + M log M)`.
    ///
    /// # Errors
    /// [`Error::NoSpins`], [`Error::SiteOutOfBounds`], [`Error::SelfCoupling`], [`Error::NotFinite`],
    /// [`Error::Duplicate`], [`Error::WrongLength`] for positions: each names the offending entry.
    pub fn build(self) -> Result<Ising> {
        let n = self.n_spins;
        check_n_spins(n)?;
        if !self.offset.is_finite() {
            return Err(Error::NotFinite { what: "offset", entry: 0, sites: Vec::new(), value: self.offset });
        }
        let mut fields = vec![0.0; n];
        for (entry, &(site, field)) in self.fields.iter().enumerate() {
            if site >= n {
                return Err(Error::SiteOutOfBounds { what: "field", entry, site, n_spins: n });
            }
            fields[site] += field;
            if !fields[site].is_finite() {
                return Err(Error::NotFinite { what: "field", entry, sites: vec![site], value: fields[site] });
            }
        }
        if let Some(positions) = &self.positions {
            check_positions(positions, n)?;
        }
        let collected = collect_pairs(n, &self.couplings, self.duplicates)?;
        Ok(Ising::assemble(self.offset, fields, collected, self.positions))
    }
}

pub(super) fn check_positions(positions: &[[f64; 3]], n: usize) -> Result<()> {
    if positions.len() != n {
        return Err(Error::WrongLength { what: "positions", got: positions.len(), expected: n });
    }
    for (entry, position) in positions.iter().enumerate() {
        if let Some(&value) = position.iter().find(|x| !x.is_finite()) {
            return Err(Error::NotFinite { what: "position", entry, sites: vec![entry], value });
        }
    }
    Ok(())
}

impl Ising {
    /// Starts a model of `n_spins` spins without couplings.
    pub fn builder(n_spins: usize) -> IsingBuilder {
        IsingBuilder {
            n_spins,
            offset: 0.0,
            fields: Vec::new(),
            couplings: Vec::new(),
            duplicates: Duplicates::default(),
            positions: None,
        }
    }

    fn assemble(
        offset: f64,
        fields: Vec<f64>,
        collected: Collected<(u32, u32)>,
        positions: Option<Vec<[f64; 3]>>,
    ) -> Self {
        let pairs = collected.keys;
        let mut row_start = vec![0usize; fields.len() + 1];
        for &(i, j) in &pairs {
            row_start[i as usize + 1] += 1;
            row_start[j as usize + 1] += 1;
        }
        for i in 0..fields.len() {
            row_start[i + 1] += row_start[i];
        }
        let mut next = row_start.clone();
        let mut neighbor = vec![0u32; 2 * pairs.len()];
        let mut neighbor_coupling = vec![0.0; 2 * pairs.len()];
        let mut half_edges = Vec::with_capacity(pairs.len());
        for (&(i, j), &coupling) in pairs.iter().zip(&collected.weights) {
            let places = [next[i as usize], next[j as usize]];
            next[i as usize] += 1;
            next[j as usize] += 1;
            neighbor[places[0]] = j;
            neighbor[places[1]] = i;
            neighbor_coupling[places[0]] = coupling;
            neighbor_coupling[places[1]] = coupling;
            half_edges.push(places);
        }
        Self {
            offset,
            fields,
            pairs,
            couplings: collected.weights,
            row_start,
            neighbor,
            neighbor_coupling,
            half_edges,
            positions,
        }
    }

    /// Number of coupled pairs; a coupling of value 0 counts.
    pub fn n_couplings(&self) -> usize {
        self.couplings.len()
    }

    /// The couplings `(i, j, J_ij)` with `i < j`, in the order in which they were given.
    pub fn couplings(&self) -> impl ExactSizeIterator<Item = (usize, usize, f64)> + '_ {
        self.pairs.iter().zip(&self.couplings).map(|(&(i, j), &coupling)| (i as usize, j as usize, coupling))
    }

    /// The fields `h_i`.
    pub fn fields(&self) -> &[f64] {
        &self.fields
    }

    /// Whether any field differs from 0.
    pub fn has_fields(&self) -> bool {
        self.fields.iter().any(|&h| h != 0.0)
    }

    /// The constant term of the energy.
    pub fn offset(&self) -> f64 {
        self.offset
    }

    /// Number of couplings at site `i`.
    ///
    /// # Panics
    /// If `i` is not a site.
    pub fn degree(&self, i: usize) -> usize {
        self.row_start[i + 1] - self.row_start[i]
    }

    /// The neighbours of `i` and the couplings to them, as parallel slices.
    ///
    /// # Panics
    /// If `i` is not a site.
    #[inline]
    pub fn row(&self, i: usize) -> (&[u32], &[f64]) {
        let range = self.row_start[i]..self.row_start[i + 1];
        (&self.neighbor[range.clone()], &self.neighbor_coupling[range])
    }

    /// Positions of the sites, where they are known.
    pub fn positions(&self) -> Option<&[[f64; 3]]> {
        self.positions.as_deref()
    }

    /// The same model with these positions.
    ///
    /// # Errors
    /// [`Error::WrongLength`] or [`Error::NotFinite`], naming the site.
    pub fn with_positions(mut self, positions: Vec<[f64; 3]>) -> Result<Self> {
        check_positions(&positions, self.fields.len())?;
        self.positions = Some(positions);
        Ok(self)
    }

    /// The local field `h_i + Σ_j J_ij s_j`.
    ///
    /// # Panics
    /// If `s` has the wrong length or `i` is not a site.
    #[inline]
    pub fn local_field(&self, s: &[i8], i: usize) -> f64 {
        check_len(s, self.fields.len());
        let (neighbors, couplings) = self.row(i);
        let sum: f64 = neighbors.iter().zip(couplings).map(|(&j, &coupling)| coupling * f64::from(s[j as usize])).sum();
        self.fields[i] + sum
    }

    /// The gauge transform `J_ij → J_ij t_i t_j`, `h_i → h_i t_i`: `E'(s) = E(s t)`, so Z is unchanged.
    ///
    /// ```
    /// use spin_models::{EnergyModel, Ising};
    ///
    /// let pair = Ising::builder(2).coupling(0, 1, 1.0).field(1, 0.5).build()?;
    /// let turned = pair.gauge_transform(&[1, -1]);
    /// assert_eq!(turned.energy(&[1, -1]), pair.energy(&[1, 1]));
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Panics
    /// If `t` has the wrong length.
    pub fn gauge_transform(&self, t: &[i8]) -> Self {
        check_len(t, self.fields.len());
        let mut turned = self.clone();
        for (a, &(i, j)) in self.pairs.iter().enumerate() {
            turned.put_coupling(a, self.couplings[a] * f64::from(t[i as usize] * t[j as usize]));
        }
        for (field, &sign) in turned.fields.iter_mut().zip(t) {
            // No field stays +0: -0 would be another model to a content hash.
            *field = *field * f64::from(sign) + 0.0;
        }
        turned
    }

    fn put_coupling(&mut self, a: usize, coupling: f64) {
        self.couplings[a] = coupling;
        for place in self.half_edges[a] {
            self.neighbor_coupling[place] = coupling;
        }
    }
}

#[inline]
fn check_len(s: &[i8], n: usize) {
    assert_eq!(s.len(), n, "{} spins for a model of {n}", s.len());
}

impl EnergyModel for Ising {
    fn n_spins(&self) -> usize {
        self.fields.len()
    }

    fn energy(&self, s: &[i8]) -> f64 {
        check_len(s, self.fields.len());
        let pairs: f64 = self
            .pairs
            .iter()
            .zip(&self.couplings)
            .map(|(&(i, j), &coupling)| coupling * f64::from(s[i as usize] * s[j as usize]))
            .sum();
        let fields: f64 = self.fields.iter().zip(s).map(|(&h, &s)| h * f64::from(s)).sum();
        self.offset - pairs - fields
    }

    /// Sixteen configurations at a time; the same bits as [`energy`](EnergyModel::energy).
    fn energies(&self, batch: &[i8], out: &mut [f64]) {
        let n = self.fields.len();
        assert_eq!(batch.len(), out.len() * n, "{} spins for {} rows of {n}", batch.len(), out.len());
        if n > MOST_SPINS || out.len() < 4 {
            batch.chunks_exact(n.max(1)).zip(out).for_each(|(row, energy)| *energy = self.energy(row));
            return;
        }
        let Self { offset, fields, pairs, couplings, .. } = self;
        Terms { offset: *offset, fields, pairs, couplings }.energies(batch, out);
    }

    fn delta_energy(&self, s: &[i8], i: usize) -> f64 {
        2.0 * f64::from(s[i]) * self.local_field(s, i)
    }

    /// Of couplings in their order, fields and offset; positions do not count.
    fn content_hash(&self) -> u64 {
        let mut hash = ContentHash::new();
        hash.write_str("ising").write_f64(self.offset).write_f64s(&self.fields).write_f64s(&self.couplings);
        for &(i, j) in &self.pairs {
            hash.write_u64(u64::from(i) << 32 | u64::from(j));
        }
        hash.finish()
    }
}

impl CachedModel for Ising {
    /// The local fields `h_i + Σ_j J_ij s_j`.
    type Cache = Vec<f64>;

    fn cache(&self, s: &[i8]) -> Vec<f64> {
        check_len(s, self.fields.len());
        (0..s.len()).map(|i| self.local_field(s, i)).collect()
    }

    #[inline]
    fn delta_cached(&self, cache: &Vec<f64>, s: &[i8], i: usize) -> f64 {
        2.0 * f64::from(s[i]) * cache[i]
    }

    #[inline]
    fn flip(&self, cache: &mut Vec<f64>, s: &mut [i8], i: usize) {
        s[i] = -s[i];
        let change = 2.0 * f64::from(s[i]);
        let (neighbors, couplings) = self.row(i);
        for (&j, &coupling) in neighbors.iter().zip(couplings) {
            cache[j as usize] += change * coupling;
        }
    }

    /// `c - ½ Σ s_i (h_i + field_i)`: every pair appears twice in the local fields, every field once.
    fn energy_cached(&self, cache: &Vec<f64>, s: &[i8]) -> f64 {
        check_len(s, self.fields.len());
        self.offset - 0.5 * signed_sum(s, cache, &self.fields)
    }
}

impl PairwiseModel for Ising {
    fn field(&self, i: usize) -> f64 {
        self.fields[i]
    }

    fn neighbors(&self, i: usize) -> impl Iterator<Item = (usize, f64)> {
        let (neighbors, couplings) = self.row(i);
        neighbors.iter().zip(couplings).map(|(&j, &coupling)| (j as usize, coupling))
    }
}

impl Reweight for Ising {
    fn n_interactions(&self) -> usize {
        self.couplings.len() + self.fields.len()
    }

    fn weight(&self, a: usize) -> f64 {
        if a < self.couplings.len() { self.couplings[a] } else { self.fields[a - self.couplings.len()] }
    }

    fn set_weight(&mut self, a: usize, weight: f64) -> Result<()> {
        let m = self.couplings.len();
        if !weight.is_finite() {
            let sites = if a < m { vec![self.pairs[a].0 as usize, self.pairs[a].1 as usize] } else { vec![a - m] };
            return Err(Error::NotFinite { what: "weight", entry: a, sites, value: weight });
        }
        if a < m {
            self.put_coupling(a, weight)
        } else {
            self.fields[a - m] = weight
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Ising {
        Ising::builder(3)
            .coupling(2, 0, 0.5)
            .coupling(0, 1, -1.25)
            .fields([0.1, 0.0, -0.3])
            .offset(2.0)
            .build()
            .unwrap()
    }

    #[test]
    fn bad_entries_are_named() {
        let refuse = |builder: IsingBuilder| builder.build().unwrap_err().to_string();
        assert_eq!(refuse(Ising::builder(0)), "a model needs at least one spin");
        assert_eq!(
            refuse(Ising::builder(3).coupling(0, 1, 1.0).coupling(2, 2, 1.0)),
            "coupling 1 ties site 2 to itself"
        );
        assert_eq!(
            refuse(Ising::builder(3).coupling(0, 1, f64::NAN)),
            "coupling 0 (sites [0, 1]) is NaN, expected a finite number"
        );
        assert_eq!(
            refuse(Ising::builder(3).coupling(0, 1, f64::NEG_INFINITY)),
            "coupling 0 (sites [0, 1]) is -inf, expected a finite number"
        );
        assert_eq!(refuse(Ising::builder(3).coupling(0, 7, 1.0)), "coupling 0: site 7 is out of bounds for 3 spins");
        assert_eq!(
            refuse(Ising::builder(3).coupling(0, 1, 1.0).coupling(1, 0, 2.0)),
            "coupling 1 repeats coupling 0, sites [0, 1]"
        );
        assert_eq!(
            refuse(Ising::builder(2).field(1, f64::INFINITY)),
            "field 0 (sites [1]) is inf, expected a finite number"
        );
        assert_eq!(
            refuse(Ising::builder(2).coupling(0, 1, f64::MAX).coupling(0, 1, f64::MAX).duplicates(Duplicates::Sum)),
            "coupling 1 (sites [0, 1]) is inf, expected a finite number"
        );
    }

    #[test]
    fn cache_follows_flips() {
        let model = three();
        let mut s = [1, -1, 1];
        let mut cache = model.cache(&s);
        for i in [0, 2, 0, 1, 1, 2, 0] {
            let before = model.energy(&s);
            let delta = model.delta_cached(&cache, &s, i);
            approx::assert_abs_diff_eq!(delta, model.delta_energy(&s, i), epsilon = 1e-14);
            model.flip(&mut cache, &mut s, i);
            approx::assert_abs_diff_eq!(model.energy(&s) - before, delta, epsilon = 1e-14);
            approx::assert_abs_diff_eq!(model.energy_cached(&cache, &s), model.energy(&s), epsilon = 1e-14);
        }
        for (kept, fresh) in cache.iter().zip(model.cache(&s)) {
            approx::assert_abs_diff_eq!(*kept, fresh, epsilon = 1e-14);
        }
    }

    #[test]
    fn reweighting_reaches_both_ends() {
        let mut model = three();
        model.set_weight(1, 4.0).unwrap();
        model.set_weight(2, -7.0).unwrap();
        let fresh = Ising::builder(3)
            .coupling(2, 0, 0.5)
            .coupling(0, 1, 4.0)
            .fields([-7.0, 0.0, -0.3])
            .offset(2.0)
            .build()
            .unwrap();
        assert_eq!(model, fresh);
        assert!(model.set_weight(1, f64::NAN).is_err());
        assert_eq!(model, fresh);
    }

    #[test]
    fn batch_energies_are_the_energies() {
        let model = three();
        let batch = [1, 1, 1, -1, 1, 1, 1, -1, -1];
        let mut out = [0.0; 3];
        model.energies(&batch, &mut out);
        for (row, energy) in batch.chunks(3).zip(out) {
            approx::assert_abs_diff_eq!(energy, model.energy(row), epsilon = 0.0);
        }
    }

    #[cfg(feature = "serde")]
    #[test]
    fn files_hold_what_can_be_built() {
        let lattice = crate::models::Lattice::square(3, crate::models::Boundary::Periodic).unwrap();
        let parallel = Ising::builder(2).couplings([(1, 0, 0.5), (0, 1, 0.25)]).duplicates(Duplicates::Keep);
        for model in [three(), Ising::ferromagnet(&lattice, -0.5).unwrap(), parallel.build().unwrap()] {
            let file = |change: fn(&mut Unchecked)| {
                let Ising { offset, fields, pairs, couplings, .. } = model.clone();
                let Ising { row_start, neighbor, neighbor_coupling, half_edges, positions, .. } = model.clone();
                let mut unchecked = Unchecked {
                    offset,
                    fields,
                    pairs,
                    couplings,
                    row_start,
                    neighbor,
                    neighbor_coupling,
                    half_edges,
                    positions,
                };
                change(&mut unchecked);
                Ising::try_from(unchecked)
            };
            assert_eq!(file(|_| {}).unwrap(), model);
            let changes: [fn(&mut Unchecked); 9] = [
                |file| file.offset = f64::NAN,
                |file| file.fields[0] = f64::INFINITY,
                |file| file.pairs[0].1 = 77,
                |file| file.pairs[0] = (1, 1),
                |file| file.couplings[0] = f64::NAN,
                |file| file.couplings.push(1.0),
                |file| file.neighbor[0] = 77,
                |file| file.neighbor_coupling[1] += 1.0,
                |file| file.positions = Some(vec![[0.0; 3]]),
            ];
            for (k, change) in changes.into_iter().enumerate() {
                assert!(file(change).is_err(), "change {k}");
            }
        }
    }
}
