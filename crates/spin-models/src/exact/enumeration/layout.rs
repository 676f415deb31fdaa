//! How configurations are cut into units and blocks.
//!
//! The spins are split in three: `low` spins number the entries of a block, `mid` spins the blocks of a unit, `top`
//! spins the units. With mid and top spins given, the energy of a block is a polynomial in the low spins, whose
//! coefficients are in turn polynomials in the mid spins. Units are the grains of parallel work.

use super::boltzmann::lowest;
use super::expand::{Level, clear_unset, expand, levels};

/// Low spins: a block of 2^11 weights and what goes with it fit in the first-level cache.
const LOW: usize = 11;

/// Mid spins: a unit is a few milliseconds of work.
const MID: usize = 10;

/// The structure of a model cut into blocks: which products exist, not their coefficients.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub low: usize,
    pub mid: usize,
    pub top: usize,
    /// Products of low spins alone: term and mask.
    inner: Vec<(usize, usize)>,
    inner_levels: Vec<Level>,
    /// Terms with other spins, by their low part; the first group is that of no low spin.
    groups: Vec<Group>,
    group_levels: Vec<Level>,
}

#[derive(Debug, Clone)]
struct Group {
    low: usize,
    terms: Vec<GroupTerm>,
    levels: Vec<Level>,
}

#[derive(Debug, Clone, Copy)]
struct GroupTerm {
    term: usize,
    mid: usize,
    top: u64,
}

/// Coefficients of the terms, `E = Σ c_a Π s_i`, and the energies of the low spins among themselves.
#[derive(Debug, Clone, Default)]
pub(super) struct Tables {
    pub coefficients: Vec<f64>,
    pub inner: Vec<f64>,
    /// The smallest of `inner`.
    pub lowest: f64,
}

/// Scratch space for expansions.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch {
    coefficients: Vec<f64>,
    products: Vec<f64>,
}

impl Scratch {
    /// `size` zeros, and as much space for products.
    fn zeros(&mut self, size: usize) -> (&mut [f64], &mut [f64]) {
        self.coefficients.clear();
        self.coefficients.resize(size, 0.0);
        self.products.resize(size, 0.0);
        (&mut self.coefficients, &mut self.products)
    }

    /// The same with whatever stands in the space.
    fn space(&mut self, size: usize) -> (&mut [f64], &mut [f64]) {
        self.coefficients.resize(size, 0.0);
        self.products.resize(size, 0.0);
        (&mut self.coefficients, &mut self.products)
    }
}

impl Layout {
    /// The layout of `n >= 1` spins with these products.
    pub fn new(n: usize, masks: &[u64]) -> Self {
        Self::with_block(n, masks, LOW, MID)
    }

    /// The same with another size of blocks and units.
    pub fn with_block(n: usize, masks: &[u64], low: usize, mid: usize) -> Self {
        let low = low.min(n);
        let mid = mid.min(n - low);
        let mut inner = Vec::new();
        let mut groups = vec![Group { low: 0, terms: Vec::new(), levels: Vec::new() }];
        let mut place = std::collections::BTreeMap::new();
        for (term, &mask) in masks.iter().enumerate() {
            let in_low = (mask & ((1 << low) - 1)) as usize;
            let in_mid = (mask >> low & ((1 << mid) - 1)) as usize;
            let in_top = mask >> low >> mid;
            if in_mid == 0 && in_top == 0 {
                inner.push((term, in_low));
            } else {
                place.entry(in_low).or_insert_with(Vec::new).push(GroupTerm { term, mid: in_mid, top: in_top });
            }
        }
        for (low, terms) in place {
            if low == 0 {
                groups[0].terms = terms;
            } else {
                groups.push(Group { low, terms, levels: Vec::new() });
            }
        }
        for group in &mut groups {
            group.levels = levels(group.terms.iter().map(|term| term.mid), mid);
        }
        let inner_levels = levels(inner.iter().map(|term| term.1), low);
        let group_levels = levels(groups.iter().map(|group| group.low), low);
        Self { low, mid, top: n - low - mid, inner, inner_levels, groups, group_levels }
    }

    /// Number of units.
    pub fn units(&self) -> u64 {
        1 << self.top
    }

    /// Number of states of a unit.
    pub fn unit_states(&self) -> u64 {
        1 << (self.low + self.mid)
    }

    /// The low spin of every row after the first, if all these products are single spins.
    pub fn single_spins(&self) -> Option<Vec<usize>> {
        let single = |group: &Group| (group.low.count_ones() == 1).then(|| group.low.ilog2() as usize);
        self.groups[1..].iter().map(single).collect()
    }

    /// Fills the tables for these coefficients.
    pub fn load(&self, coefficients: &[f64], tables: &mut Tables, scratch: &mut Scratch) {
        let size = 1 << self.low;
        tables.coefficients.clear();
        tables.coefficients.extend_from_slice(coefficients);
        let (sums, products) = scratch.zeros(size);
        for &(term, mask) in &self.inner {
            sums[mask] += coefficients[term];
        }
        tables.inner.resize(size, 0.0);
        expand(sums, &self.inner_levels, &mut tables.inner, products);
        tables.lowest = lowest(&tables.inner);
    }

    /// The coefficients of all blocks of a unit: row by row, 2^mid numbers each.
    pub fn rows(&self, tables: &Tables, unit: u64, scratch: &mut Scratch, rows: &mut Vec<f64>) {
        let size = 1 << self.mid;
        rows.resize(self.groups.len() * size, 0.0);
        for (group, row) in self.groups.iter().zip(rows.chunks_exact_mut(size)) {
            let (sums, products) = scratch.zeros(size);
            for term in &group.terms {
                let coefficient = tables.coefficients[term.term];
                sums[term.mid] +=
                    if (term.top & unit).count_ones().is_multiple_of(2) { coefficient } else { -coefficient };
            }
            expand(sums, &group.levels, row, products);
        }
    }

    /// No state of the block has a lower energy.
    pub fn bound(&self, tables: &Tables, rows: &[f64], block: usize) -> f64 {
        let size = 1 << self.mid;
        let reach: f64 = (1..self.groups.len()).map(|g| rows[g * size + block].abs()).sum();
        rows[block] - reach + tables.lowest
    }

    /// The energies of the states of a block. What stands in the scratch space does not matter.
    pub fn energies(&self, tables: &Tables, rows: &[f64], block: usize, scratch: &mut Scratch, out: &mut [f64]) {
        let size = 1 << self.mid;
        let (coefficients, products) = scratch.space(1 << self.low);
        clear_unset(coefficients, &self.group_levels);
        for (group, row) in self.groups.iter().zip(rows.chunks_exact(size)) {
            coefficients[group.low] = row[block];
        }
        expand(coefficients, &self.group_levels, out, products);
        for (energy, inner) in out.iter_mut().zip(&tables.inner) {
            *energy += inner;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_hold_the_energies_of_all_states() {
        let masks: [u64; 9] = [0, 0b1, 0b11, 0b101_1010, 0b110_0000, 0b11_1000, 0b100_0001, 0b101, 0b10_0100];
        let coefficients: Vec<f64> = (0..9).map(|k| f64::from(k * k) - 20.0).collect();
        for (low, mid) in [(7, 0), (3, 2), (3, 4), (2, 1), (1, 1), (9, 9)] {
            let layout = Layout::with_block(7, &masks, low, mid);
            let (mut tables, mut rows) = (Tables::default(), Vec::new());
            let mut scratch = Scratch::default();
            layout.load(&coefficients, &mut tables, &mut scratch);
            let mut out = vec![0.0; 1 << layout.low];
            for unit in 0..layout.units() {
                layout.rows(&tables, unit, &mut scratch, &mut rows);
                for block in 0..1 << layout.mid {
                    layout.energies(&tables, &rows, block, &mut scratch, &mut out);
                    let bound = layout.bound(&tables, &rows, block);
                    for (k, &energy) in out.iter().enumerate() {
                        let state = (unit << layout.mid | block as u64) << layout.low | k as u64;
                        let sign = |mask: u64| if (mask & state).count_ones().is_multiple_of(2) { 1.0 } else { -1.0 };
                        let direct: f64 = masks.iter().zip(&coefficients).map(|(&mask, c)| c * sign(mask)).sum();
                        approx::assert_abs_diff_eq!(energy, direct, epsilon = 0.0);
                        assert!(energy >= bound);
                    }
                }
            }
        }
    }
}
