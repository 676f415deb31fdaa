//! Blocks of weights from energies: one exponential a state, safe at every β and for every model.

use super::boltzmann::{lowest, weigh};
use super::expand::fold;
use super::layout::{Layout, Scratch, Tables};
use super::sums::{Sums, UnitSums, Want};

/// Above this exponent a weight is 0 in `f64`.
const NEGLIGIBLE: f64 = 746.0;

/// Where energies of blocks come from.
pub(super) trait BlockEnergies {
    /// Prepares for the blocks of a unit.
    fn begin(&mut self, unit: u64);

    /// Writes the energies of a block. `false` if all its weights are known to vanish; `out` is then undefined.
    fn fill(&mut self, block: usize, out: &mut [f64]) -> bool;
}

/// Scratch space of a unit.
#[derive(Debug, Default)]
pub(super) struct UnitWork {
    block: Vec<f64>,
    sums: UnitSums,
}

/// Sums over one unit, with weights relative to the lowest energy met in it.
pub(super) fn unit_sums(
    source: &mut impl BlockEnergies,
    layout: &Layout,
    unit: u64,
    beta: f64,
    want: Want,
    work: &mut UnitWork,
) -> Sums {
    let size = 1 << layout.mid;
    source.begin(unit);
    let mut sums = Sums::new(layout, want);
    work.block.resize(1 << layout.low, 0.0);
    let UnitSums { blocks, spins } = &mut work.sums;
    blocks.clear();
    blocks.resize(size, 0.0);
    spins.clear();
    if want == Want::Moments {
        spins.resize(layout.low * size, 0.0);
    }
    let mut down = [0.0; 64];
    let down = &mut down[..layout.low];
    for b in 0..size {
        if !source.fill(b, &mut work.block) {
            continue;
        }
        let minimum = lowest(&work.block);
        if minimum < sums.reference {
            let factor = sums.lower_reference(minimum, beta);
            blocks[..b].iter_mut().for_each(|x| *x *= factor);
            for row in spins.chunks_exact_mut(size) {
                row[..b].iter_mut().for_each(|x| *x *= factor);
            }
        } else if beta * (minimum - sums.reference) > NEGLIGIBLE {
            continue;
        }
        let of = weigh(&mut work.block, sums.reference, beta);
        sums.of.add(of);
        blocks[b] = of.weight;
        if want == Want::Moments {
            for (sum, weight) in sums.table.iter_mut().zip(&work.block) {
                *sum += weight;
            }
            let total = fold(&mut work.block, down);
            for (row, down) in spins.chunks_exact_mut(size).zip(&*down) {
                row[b] = total - 2.0 * down;
            }
        }
    }
    if want == Want::Moments {
        sums.absorb_blocks(layout, unit, &mut work.sums);
    } else if sums.reference.is_finite() {
        sums.of.weight = fold(blocks, &mut [0.0; 64][..layout.mid]);
    }
    sums
}

/// Energies of a model given by its terms, relative to an origin.
#[derive(Debug)]
pub(super) struct TermEnergies<'a> {
    pub layout: &'a Layout,
    pub tables: &'a Tables,
    /// Remainders of the coefficients, when `tables` holds only their exactly summable parts.
    pub remainders: Option<&'a Tables>,
    /// What is subtracted from the sums over `tables` and over `remainders`.
    pub origin: [f64; 2],
    /// Blocks that lie above this energy altogether are left out.
    pub ceiling: f64,
    pub work: &'a mut TermWork,
}

/// Scratch space of [`TermEnergies`].
#[derive(Debug, Default)]
pub(super) struct TermWork {
    scratch: Scratch,
    rows: [Vec<f64>; 2],
    block: Vec<f64>,
}

impl BlockEnergies for TermEnergies<'_> {
    fn begin(&mut self, unit: u64) {
        let TermWork { scratch, rows: [rows, remainder_rows], .. } = &mut *self.work;
        self.layout.rows(self.tables, unit, scratch, rows);
        if let Some(remainders) = self.remainders {
            self.layout.rows(remainders, unit, scratch, remainder_rows);
        }
    }

    fn fill(&mut self, block: usize, out: &mut [f64]) -> bool {
        let TermWork { scratch, rows: [rows, remainder_rows], block: remainder } = &mut *self.work;
        if self.layout.bound(self.tables, rows, block) - self.origin[0] > self.ceiling {
            return false;
        }
        self.layout.energies(self.tables, rows, block, scratch, out);
        let [origin, remainder_origin] = self.origin;
        match self.remainders {
            None if origin == 0.0 => {}
            None => out.iter_mut().for_each(|energy| *energy -= origin),
            Some(tables) => {
                remainder.resize(out.len(), 0.0);
                self.layout.energies(tables, remainder_rows, block, scratch, remainder);
                for (energy, remainder) in out.iter_mut().zip(&*remainder) {
                    *energy = (*energy - origin) + (remainder - remainder_origin);
                }
            }
        }
        true
    }
}
