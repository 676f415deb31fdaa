//! Sweeps over a packed model.

use std::ops::Range;

use super::counter::Counter;
use super::decide::{BATCH, Batch, Decide, Stored};
use super::generator::Generator;
use super::local::{MAX_DEGREE, candidates, compiled_classes, n_classes, probability, reference};
use super::packing::{Link, Links, Packing, Segment};
use super::simd::{Block, Kernel, Simd};
use super::thresholds::{PerBit, Subsets, Uniform, binary_fraction};
use crate::mcmc::Dynamics;

/// The thresholds of all degrees: of every bit the same, or of each its own.
#[derive(Debug, Clone)]
pub(super) enum Table {
    Uniform(Vec<Uniform>),
    PerBit(Vec<PerBit>),
}

/// Binary fractions of the classes of a degree: class `c` is pulled by `degree - 2c` units.
pub(super) fn fractions(dynamics: Dynamics, beta: f64, unit: f64, degree: usize) -> Vec<u64> {
    (0..n_classes(degree)).map(|c| binary_fraction(probability(dynamics, beta, unit, degree - 2 * c))).collect()
}

impl Table {
    /// One temperature for all bits.
    pub(super) fn uniform(packing: &Packing, dynamics: Dynamics, beta: f64) -> Self {
        let of_degree = |degree| Uniform::new(&fractions(dynamics, beta, packing.model.unit, degree));
        Self::Uniform((0..=packing.max_degree()).map(of_degree).collect())
    }

    /// The temperature of every bit of a block.
    pub(super) fn per_bit(packing: &Packing, dynamics: Dynamics, betas: &[f64]) -> Self {
        let of_degree = |degree| {
            let fractions: Vec<Vec<u64>> =
                betas.iter().map(|&beta| fractions(dynamics, beta, packing.model.unit, degree)).collect();
            PerBit::new(n_classes(degree), |class, bit| fractions[bit][class])
        };
        Self::PerBit((0..=packing.max_degree()).map(of_degree).collect())
    }

    /// Decides a batch of proposals for sites of one degree.
    // Separate borrows of the parts of a simulation.
    #[allow(clippy::too_many_arguments)]
    #[inline(always)]
    fn decide<S: Simd>(
        &self,
        simd: S,
        degree: usize,
        batch: &mut Batch,
        n: usize,
        spins: &mut [Block],
        generator: &mut Generator,
        flips: &mut Counter,
    ) {
        macro_rules! decide {
            ($thresholds:expr, $classes:literal) => {{
                let thresholds = $thresholds;
                simd.call(Decide::<_, _, $classes> { thresholds, proposals: Stored, batch, n, spins, generator, flips })
            }};
        }
        match self {
            Self::Uniform(table) => {
                let table = &table[degree];
                match compiled_classes(degree) {
                    2 => decide!(Subsets::<4>(table), 2),
                    3 => decide!(Subsets::<8>(table), 3),
                    4 => decide!(Subsets::<1>(table), 4),
                    _ => decide!(Subsets::<1>(table), 8),
                }
            }
            Self::PerBit(table) => {
                let table = &table[degree];
                match compiled_classes(degree) {
                    2 => decide!(table, 2),
                    3 => decide!(table, 3),
                    4 => decide!(table, 4),
                    _ => decide!(table, 8),
                }
            }
        }
    }
}

/// A number of sweeps of the replicas in one set of blocks; returns how many spins changed.
pub(super) struct Sweeps<'a> {
    pub(super) packing: &'a Packing,
    pub(super) dynamics: Dynamics,
    pub(super) table: &'a Table,
    pub(super) spins: &'a mut [Block],
    pub(super) generator: &'a mut Generator,
    /// Bits whose changes are counted.
    pub(super) counted: &'a Block,
    /// Bits at β = 0, if there are any.
    pub(super) free: Option<&'a Block>,
    /// Whether Metropolis accepts ties for certain.
    pub(super) sure_ties: bool,
    pub(super) sweeps: u64,
}

impl Kernel for Sweeps<'_> {
    type Output = u64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> u64 {
        let Self { packing, dynamics, table, spins, generator, counted, free, sure_ties, sweeps } = self;
        let mut flips = Counter::new();
        let mut batch = Batch::new();
        for _ in 0..sweeps {
            for segment in &packing.segments {
                let mut start = segment.blocks.start;
                while start < segment.blocks.end {
                    let end = (start + BATCH).min(segment.blocks.end);
                    let blocks = start..end;
                    let (links, batch) = (&packing.links, &mut batch);
                    simd.call(Propose { dynamics, segment, blocks, links, free, sure_ties, spins, batch });
                    table.decide(simd, segment.degree, batch, end - start, spins, generator, &mut flips);
                    start = end;
                }
            }
        }
        flips.take_total(simd, counted)
    }
}

/// Fills a batch with the proposals for some blocks of a segment.
struct Propose<'a> {
    dynamics: Dynamics,
    segment: &'a Segment,
    blocks: Range<usize>,
    links: &'a Links,
    free: Option<&'a Block>,
    sure_ties: bool,
    spins: &'a mut [Block],
    batch: &'a mut Batch,
}

impl Kernel for Propose<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let degree = self.segment.degree;
        let first = self.segment.links + (self.blocks.start - self.segment.blocks.start) * degree;
        match self.links {
            Links::Wide(links) => self.of_links(simd, &links[first..]),
            Links::Narrow(links) => self.of_links(simd, &links[first..]),
        }
    }
}

impl Propose<'_> {
    #[inline(always)]
    fn of_links<S: Simd, L: Vote>(&mut self, simd: S, links: &[L]) {
        match self.dynamics {
            Dynamics::Metropolis => self.of_rule::<S, L, true>(simd, links),
            Dynamics::HeatBath => self.of_rule::<S, L, false>(simd, links),
        }
    }

    #[inline(always)]
    fn of_rule<S: Simd, L: Vote, const METROPOLIS: bool>(&mut self, simd: S, links: &[L]) {
        match self.segment.degree {
            2 => self.of_degree::<S, L, METROPOLIS>(simd, 2, links),
            3 => self.of_degree::<S, L, METROPOLIS>(simd, 3, links),
            4 => self.of_degree::<S, L, METROPOLIS>(simd, 4, links),
            5 => self.of_degree::<S, L, METROPOLIS>(simd, 5, links),
            6 => self.of_degree::<S, L, METROPOLIS>(simd, 6, links),
            degree => self.of_degree::<S, L, METROPOLIS>(simd, degree, links),
        }
    }

    #[inline(always)]
    fn of_degree<S: Simd, L: Vote, const METROPOLIS: bool>(&mut self, simd: S, degree: usize, links: &[L]) {
        let batch = &mut *self.batch;
        for (k, at) in self.blocks.clone().enumerate() {
            batch.at[k] = at as u32;
            let links = &links[k * degree..][..degree];
            let used = if at + 1 == self.segment.blocks.end { &self.segment.last } else { &Block::ONES };
            for part in 0..S::PARTS {
                let old = simd.load(&self.spins[at], part);
                let mut votes = [simd.zero(); MAX_DEGREE];
                for (vote, link) in votes.iter_mut().zip(links).take(degree) {
                    *vote = link.vote(simd, self.spins, part) ^ reference::<S, METROPOLIS>(simd, old);
                }
                let mut candidates = candidates::<S, METROPOLIS>(simd, degree, old, &votes);
                if let Some(free) = self.free {
                    candidates = candidates.or_even(simd.load(free, part), old);
                }
                if METROPOLIS && self.sure_ties {
                    candidates = candidates.even_for_sure(simd);
                }
                if L::SHARED {
                    candidates = candidates.only(simd.load(used, part), old);
                }
                simd.store(&mut self.spins[at], part, candidates.refused);
                simd.store(&mut batch.old[k], part, old);
                simd.store(&mut batch.even[k], part, candidates.even);
                for (block, &class) in
                    batch.classes[k].iter_mut().zip(&candidates.classes).take(compiled_classes(degree))
                {
                    simd.store(block, part, class);
                }
            }
        }
    }
}

/// Where a neighbour is.
trait Vote {
    /// Whether several sites share a block.
    const SHARED: bool;

    /// The spins of the neighbour, inverted where the coupling is negative.
    fn vote<S: Simd>(&self, simd: S, spins: &[Block], part: usize) -> S::Word;
}

impl Vote for u32 {
    const SHARED: bool = false;

    #[inline(always)]
    fn vote<S: Simd>(&self, simd: S, spins: &[Block], part: usize) -> S::Word {
        const SIGNS: [Block; 2] = [Block::ZERO, Block::ONES];
        let link = *self as usize;
        simd.load(&spins[link / 2], part) ^ simd.load(&SIGNS[link % 2], part)
    }
}

impl Vote for Link {
    const SHARED: bool = true;

    #[inline(always)]
    fn vote<S: Simd>(&self, simd: S, spins: &[Block], part: usize) -> S::Word {
        simd.gather(spins, &self.index, part) ^ simd.load(&self.sign, part)
    }
}
