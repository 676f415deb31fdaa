//! Weighted sums over parts of the configurations, and how they are put together.

use linalg_core::walsh_hadamard;

use super::boltzmann::WeightSums;
use super::expand::fold;
use super::layout::Layout;

/// What is summed beside the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// Weights alone: ln Z. Sums of energies come along where they cost nothing.
    Weights,
    /// Energies, all spins and all pairs too.
    Moments,
}

/// Sums over some configurations, with weights `e^{-β(E - reference)}`.
#[derive(Debug, Clone)]
pub(super) struct Sums {
    /// The energy of weight 1; infinite as long as nothing was summed.
    pub reference: f64,
    /// Weights, and weights times powers of the energy above the reference.
    pub of: WeightSums,
    /// The weight of every state of the low spins. Empty if only weights are wanted, as are the others.
    pub table: Vec<f64>,
    /// Sums over s_i for spins from the first mid spin on; the low ones are in the table.
    spins: Vec<f64>,
    /// Sums over s_i s_j, n x n, for j from the first mid spin on and i < j.
    pairs: Vec<f64>,
}

/// Sums over one unit, block by block.
#[derive(Debug, Clone, Default)]
pub(super) struct UnitSums {
    /// The weight of every block.
    pub blocks: Vec<f64>,
    /// For every low spin and block, the sum over the spin: 2^mid numbers a spin.
    pub spins: Vec<f64>,
}

/// First and second moments of all spins.
#[derive(Debug, Clone)]
pub(super) struct SpinMoments {
    pub spins: Vec<f64>,
    /// n x n; entries i < j.
    pub pairs: Vec<f64>,
}

impl Sums {
    /// Nothing summed yet.
    pub fn new(layout: &Layout, want: Want) -> Self {
        let (high, n) = (layout.mid + layout.top, layout.low + layout.mid + layout.top);
        let of = |len| if want == Want::Moments { vec![0.0; len] } else { Vec::new() };
        Self {
            reference: f64::INFINITY,
            of: WeightSums::default(),
            table: of(1 << layout.low),
            spins: of(high),
            pairs: of(n * n),
        }
    }

    /// Lowers the energy of weight 1; `beta` must be that of the weights. Returns the factor of the weights.
    pub fn lower_reference(&mut self, reference: f64, beta: f64) -> f64 {
        let shift = self.reference - reference;
        self.reference = reference;
        if shift.is_infinite() {
            return 0.0;
        }
        let factor = (-beta * shift).exp();
        self.of = self.of.shifted(shift, factor);
        for x in self.table.iter_mut().chain(&mut self.spins).chain(&mut self.pairs) {
            *x *= factor;
        }
        factor
    }

    /// Adds the sums over other configurations at the same β.
    pub fn merge(&mut self, mut other: Self, beta: f64) {
        if other.reference.is_infinite() {
            return;
        }
        if self.reference.is_infinite() {
            *self = other;
            return;
        }
        if other.reference < self.reference {
            self.lower_reference(other.reference, beta);
        } else if self.reference < other.reference {
            other.lower_reference(self.reference, beta);
        }
        self.of.add(other.of);
        for (mine, others) in
            [(&mut self.table, other.table), (&mut self.spins, other.spins), (&mut self.pairs, other.pairs)]
        {
            for (x, y) in mine.iter_mut().zip(others) {
                *x += y;
            }
        }
    }

    /// Adds the sums of a unit's blocks, which are used up.
    pub fn absorb_blocks(&mut self, layout: &Layout, unit: u64, blocks: &mut UnitSums) {
        let Layout { low, mid, top, .. } = *layout;
        let (n, size) = (low + mid + top, 1 << mid);
        let top_sign = |t: usize| if unit >> t & 1 == 0 { 1.0 } else { -1.0 };
        let mut down = [0.0; 64];
        for (l, row) in blocks.spins.chunks_exact_mut(size).enumerate() {
            let total = fold(row, &mut down[..mid]);
            let pairs = &mut self.pairs[l * n + low..(l + 1) * n];
            for (pair, down) in pairs.iter_mut().zip(&down[..mid]) {
                *pair += total - 2.0 * down;
            }
            for (t, pair) in pairs[mid..].iter_mut().enumerate() {
                *pair += top_sign(t) * total;
            }
        }
        walsh_hadamard(&mut blocks.blocks);
        let moments = &blocks.blocks;
        for b in 0..mid {
            self.spins[b] += moments[1 << b];
            for c in b + 1..mid {
                self.pairs[(low + b) * n + low + c] += moments[1 << b | 1 << c];
            }
            for t in 0..top {
                self.pairs[(low + b) * n + low + mid + t] += top_sign(t) * moments[1 << b];
            }
        }
        for t in 0..top {
            self.spins[mid + t] += top_sign(t) * moments[0];
            for u in t + 1..top {
                self.pairs[(low + mid + t) * n + low + mid + u] += top_sign(t) * top_sign(u) * moments[0];
            }
        }
    }

    /// Averages of spins and pairs; `None` if only weights were summed.
    pub fn into_moments(mut self, layout: &Layout) -> Option<SpinMoments> {
        if self.table.is_empty() {
            return None;
        }
        let Layout { low, mid, top, .. } = *layout;
        let n = low + mid + top;
        walsh_hadamard(&mut self.table);
        let mut spins: Vec<f64> = (0..low).map(|i| self.table[1 << i]).collect();
        spins.extend(&self.spins);
        for i in 0..low {
            for j in i + 1..low {
                self.pairs[i * n + j] = self.table[1 << i | 1 << j];
            }
        }
        let weight = self.table[0];
        for x in spins.iter_mut().chain(&mut self.pairs) {
            // Rounding can leave a frozen spin an ulp beyond 1.
            *x = (*x / weight).clamp(-1.0, 1.0);
        }
        Some(SpinMoments { spins, pairs: self.pairs })
    }
}

/// Adds sums pairwise in the order in which they come, so that rounding grows with the logarithm of their number.
#[derive(Debug)]
pub(super) struct PairwiseSum {
    beta: f64,
    /// Sums of 2^level units, levels decreasing.
    parts: Vec<(u32, Sums)>,
}

impl PairwiseSum {
    pub fn new(beta: f64) -> Self {
        Self { beta, parts: Vec::new() }
    }

    pub fn push(&mut self, sums: Sums) {
        let (mut level, mut sums) = (0, sums);
        while let Some((_, mut earlier)) = self.parts.pop_if(|part| part.0 == level) {
            earlier.merge(sums, self.beta);
            sums = earlier;
            level += 1;
        }
        self.parts.push((level, sums));
    }

    /// The sum of all; `None` before the first.
    pub fn finish(mut self) -> Option<Sums> {
        let (_, mut sums) = self.parts.pop()?;
        while let Some((_, mut earlier)) = self.parts.pop() {
            earlier.merge(sums, self.beta);
            sums = earlier;
        }
        Some(sums)
    }
}
