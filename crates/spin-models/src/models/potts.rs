//! Potts models.

use super::duplicates::{Collected, Duplicates, check_n_spins, collect_pairs};
#[cfg(feature = "serde")]
use super::duplicates::{contradiction, restore_pairs};
use crate::model::DiscreteModel;
use crate::{Error, Result};

/// A q-state Potts model on any graph, with a field for every state of every site.
///
/// ```math
/// E(s) = -\sum_{(i,j)} J_{ij}\, \delta(s_i, s_j) - \sum_i h_i(s_i)
/// ```
///
/// With q = 2, `δ = (1 + σσ')/2`: a Potts coupling J is an Ising coupling J/2 and a constant -J/2.
///
/// ```
/// use spin_models::{DiscreteModel, Potts};
///
/// let pair = Potts::builder(2, 3).coupling(0, 1, 1.5).field(0, 2, 0.25).build()?;
/// assert_eq!(pair.energy(&[2, 2]), -1.75);
/// assert_eq!(pair.delta_energy(&[2, 2], 0, 1), 1.75);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked"))]
pub struct Potts {
    n_sites: usize,
    n_states: usize,
    fields: Vec<f64>,
    pairs: Vec<(u32, u32)>,
    couplings: Vec<f64>,
    row_start: Vec<usize>,
    rows: Vec<(u32, f64)>,
}

/// What a file may hold.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    n_sites: usize,
    n_states: usize,
    fields: Vec<f64>,
    pairs: Vec<(u32, u32)>,
    couplings: Vec<f64>,
    row_start: Vec<usize>,
    rows: Vec<(u32, f64)>,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for Potts {
    type Error = Error;

    fn try_from(unchecked: Unchecked) -> Result<Self> {
        let (n, q) = (unchecked.n_sites, unchecked.n_states);
        check_size(n, q)?;
        if n.checked_mul(q) != Some(unchecked.fields.len()) {
            let (got, expected) = (unchecked.fields.len(), n.saturating_mul(q));
            return Err(Error::WrongLength { what: "fields", got, expected });
        }
        if let Some(entry) = unchecked.fields.iter().position(|h| !h.is_finite()) {
            let value = unchecked.fields[entry];
            return Err(Error::NotFinite { what: "field", entry, sites: vec![entry / q], value });
        }
        let collected = restore_pairs(n, &unchecked.pairs, &unchecked.couplings)?;
        let model = Self::assemble(n, q, unchecked.fields, collected);
        let same =
            model.pairs == unchecked.pairs && model.row_start == unchecked.row_start && model.rows == unchecked.rows;
        if same { Ok(model) } else { Err(contradiction("rows of neighbours", "those of the couplings")) }
    }
}

/// Collects couplings and fields and checks them when it builds the [`Potts`] model.
#[derive(Debug, Clone)]
pub struct PottsBuilder {
    n_sites: usize,
    n_states: usize,
    fields: Vec<(usize, usize, f64)>,
    couplings: Vec<(usize, usize, f64)>,
    duplicates: Duplicates,
}

impl PottsBuilder {
    /// Adds `-J δ(s_i, s_j)` to the energy. Checked by [`build`](Self::build).
    pub fn coupling(mut self, i: usize, j: usize, coupling: f64) -> Self {
        self.couplings.push((i, j, coupling));
        self
    }

    /// Adds many couplings `(i, j, J)`.
    pub fn couplings(mut self, couplings: impl IntoIterator<Item = (usize, usize, f64)>) -> Self {
        self.couplings.extend(couplings);
        self
    }

    /// Adds `-h` to the energy of site `i` in state `state`; repeated fields add up.
    pub fn field(mut self, i: usize, state: usize, field: f64) -> Self {
        self.fields.push((i, state, field));
        self
    }

    /// What to do with a pair given twice; refuse it by default.
    pub fn duplicates(mut self, duplicates: Duplicates) -> Self {
        self.duplicates = duplicates;
        self
    }

    /// Checks everything and builds the model.
    ///
    /// # Errors
    /// [`Error::NoSpins`], [`Error::Parameter`] for fewer than 1 or more than 256 states,
    /// [`Error::SiteOutOfBounds`], [`Error::SelfCoupling`], [`Error::NotFinite`], [`Error::Duplicate`].
    pub fn build(self) -> Result<Potts> {
        let (n, q) = (self.n_sites, self.n_states);
        check_size(n, q)?;
        let mut fields = vec![0.0; n * q];
        for (entry, &(site, state, field)) in self.fields.iter().enumerate() {
            if site >= n {
                return Err(Error::SiteOutOfBounds { what: "field", entry, site, n_spins: n });
            }
            if state >= q {
                let value = format!("{state} in field {entry}");
                return Err(Error::Parameter { what: "state", value, expected: "a state below the number of states" });
            }
            fields[site * q + state] += field;
            if !fields[site * q + state].is_finite() {
                return Err(Error::NotFinite { what: "field", entry, sites: vec![site], value: field });
            }
        }
        let collected = collect_pairs(n, &self.couplings, self.duplicates)?;
        Ok(Potts::assemble(n, q, fields, collected))
    }
}

fn check_size(n: usize, q: usize) -> Result<()> {
    check_n_spins(n)?;
    if !(1..=256).contains(&q) {
        return Err(Error::Parameter { what: "number of states", value: q.to_string(), expected: "1 to 256" });
    }
    Ok(())
}

impl Potts {
    fn assemble(n: usize, q: usize, fields: Vec<f64>, collected: Collected<(u32, u32)>) -> Self {
        let pairs = collected.keys;
        let mut row_start = vec![0usize; n + 1];
        for &(i, j) in &pairs {
            row_start[i as usize + 1] += 1;
            row_start[j as usize + 1] += 1;
        }
        for i in 0..n {
            row_start[i + 1] += row_start[i];
        }
        let mut next = row_start.clone();
        let mut rows = vec![(0u32, 0.0); 2 * pairs.len()];
        for (&(i, j), &coupling) in pairs.iter().zip(&collected.weights) {
            for (from, to) in [(i, j), (j, i)] {
                rows[next[from as usize]] = (to, coupling);
                next[from as usize] += 1;
            }
        }
        Self { n_sites: n, n_states: q, fields, pairs, couplings: collected.weights, row_start, rows }
    }

    /// Starts a model of `n_sites` sites with `n_states` states each.
    pub fn builder(n_sites: usize, n_states: usize) -> PottsBuilder {
        PottsBuilder { n_sites, n_states, fields: Vec::new(), couplings: Vec::new(), duplicates: Duplicates::default() }
    }

    /// The couplings `(i, j, J_ij)` with `i < j`, in the order in which they were given.
    pub fn couplings(&self) -> impl ExactSizeIterator<Item = (usize, usize, f64)> + '_ {
        self.pairs.iter().zip(&self.couplings).map(|(&(i, j), &coupling)| (i as usize, j as usize, coupling))
    }

    /// The fields of site `i`, one for each state.
    ///
    /// # Panics
    /// If `i` is not a site.
    pub fn fields_of(&self, i: usize) -> &[f64] {
        &self.fields[i * self.n_states..(i + 1) * self.n_states]
    }

    /// The neighbours of `i` with their couplings.
    ///
    /// # Panics
    /// If `i` is not a site.
    pub fn neighbors(&self, i: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.rows[self.row_start[i]..self.row_start[i + 1]].iter().map(|&(j, coupling)| (j as usize, coupling))
    }

    fn check(&self, s: &[u8]) {
        assert_eq!(s.len(), self.n_sites, "{} states for a model of {} sites", s.len(), self.n_sites);
    }
}

impl DiscreteModel for Potts {
    fn n_sites(&self) -> usize {
        self.n_sites
    }

    fn n_states(&self, i: usize) -> usize {
        assert!(i < self.n_sites, "site {i} of {}", self.n_sites);
        self.n_states
    }

    fn energy(&self, s: &[u8]) -> f64 {
        self.check(s);
        let pairs: f64 = self.couplings().filter(|&(i, j, _)| s[i] == s[j]).map(|(_, _, coupling)| coupling).sum();
        let fields: f64 = s.iter().enumerate().map(|(i, &state)| self.fields_of(i)[state as usize]).sum();
        -pairs - fields
    }

    fn delta_energy(&self, s: &[u8], i: usize, new: u8) -> f64 {
        self.check(s);
        let old = s[i];
        if new == old {
            return 0.0;
        }
        let fields = self.fields_of(i);
        let mut delta = fields[old as usize] - fields[new as usize];
        for (j, coupling) in self.neighbors(i) {
            if s[j] == old {
                delta += coupling;
            } else if s[j] == new {
                delta -= coupling;
            }
        }
        delta
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delta_is_the_difference_of_energies() {
        let model = Potts::builder(4, 3)
            .couplings([(0, 1, 1.0), (1, 2, -0.5), (2, 3, 0.25), (0, 3, 2.0)])
            .field(1, 2, 0.75)
            .field(3, 0, -1.25)
            .build()
            .unwrap();
        for code in 0..81u32 {
            let s: Vec<u8> = (0..4).map(|i| ((code / 3u32.pow(i)) % 3) as u8).collect();
            for i in 0..4 {
                for new in 0..3 {
                    let mut t = s.clone();
                    t[i] = new;
                    let difference = model.energy(&t) - model.energy(&s);
                    approx::assert_abs_diff_eq!(model.delta_energy(&s, i, new), difference, epsilon = 1e-14);
                }
            }
        }
    }

    #[test]
    fn too_many_states_are_refused() {
        assert!(Potts::builder(2, 257).build().is_err());
        assert!(Potts::builder(2, 0).build().is_err());
        assert!(Potts::builder(2, 256).build().is_ok());
    }

    #[cfg(feature = "serde")]
    #[test]
    fn files_hold_what_can_be_built() {
        let model = Potts::builder(3, 3).couplings([(2, 0, 1.0), (1, 2, -0.5)]).field(1, 2, 0.75).build().unwrap();
        let file = |change: fn(&mut Unchecked)| {
            let Potts { n_sites, n_states, fields, pairs, couplings, row_start, rows } = model.clone();
            let mut unchecked = Unchecked { n_sites, n_states, fields, pairs, couplings, row_start, rows };
            change(&mut unchecked);
            Potts::try_from(unchecked)
        };
        assert_eq!(file(|_| {}).unwrap(), model);
        let changes: [fn(&mut Unchecked); 6] = [
            |file| file.n_sites = 4,
            |file| file.n_states = 300,
            |file| file.fields[0] = f64::NAN,
            |file| file.pairs[0].1 = 77,
            |file| file.row_start[1] += 1,
            |file| file.rows[0].0 = 77,
        ];
        for (k, change) in changes.into_iter().enumerate() {
            assert!(file(change).is_err(), "change {k}");
        }
    }
}
