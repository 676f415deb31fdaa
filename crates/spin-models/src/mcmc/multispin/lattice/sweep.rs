//! Sweeps over both colours.

use super::super::counter::Counter;
use super::super::decide::{BATCH, Batch, CLASSES, Decide, Stored};
use super::super::generator::Generator;
use super::super::local::probability;
use super::super::simd::{Block, Kernel, Simd};
use super::super::thresholds::{Subsets, Uniform, binary_fraction};
use super::bands::Band;
use super::bonds::Lattice;
use super::propose::{FromRows, OF_ANY, OF_FOUR, Other, Propose, Rows, String};
use super::strings::Published;
use crate::mcmc::Dynamics;

/// Blocks of one colour that are updated with one generator: the unit of parallel work.
pub(super) const STRIPE: usize = 256;

/// What all updates have in common.
#[derive(Clone, Copy)]
pub(super) struct Update<'a> {
    pub(super) lattice: &'a Lattice,
    pub(super) dynamics: Dynamics,
    pub(super) thresholds: &'a Uniform,
}

/// Thresholds of the classes in which the sites of a lattice are decided.
pub(super) fn thresholds(lattice: &Lattice, dynamics: Dynamics, beta: f64) -> Uniform {
    let step = if lattice.is_diluted() { 1 } else { 2 };
    let pulls = (1..=lattice.geometry.directions()).rev().step_by(step);
    let fraction = |pull| binary_fraction(probability(dynamics, beta, lattice.unit, pull));
    Uniform::new(&pulls.map(fraction).collect::<Vec<_>>())
}

impl Update<'_> {
    /// Updates the spins of one colour from block `first` on.
    // Separate borrows of the parts of a simulation.
    #[allow(clippy::too_many_arguments)]
    #[inline(always)]
    fn half<S: Simd>(
        self,
        simd: S,
        color: usize,
        first: usize,
        spins: &mut [Block],
        other: Other<'_>,
        generator: &mut Generator,
        scratch: &mut Scratch,
    ) {
        let Self { lattice, dynamics, thresholds } = self;
        let Scratch { batch, flips } = scratch;
        let mut done = 0;
        while done < spins.len() {
            let n = BATCH.min(spins.len() - done);
            let blocks = first + done..first + done + n;
            macro_rules! decide {
                ($thresholds:expr, $proposals:expr, $classes:expr) => {{
                    let (thresholds, proposals) = ($thresholds, $proposals);
                    simd.call(Decide::<_, _, { $classes }> { thresholds, proposals, batch, n, spins, generator, flips })
                }};
            }
            match (other, dynamics) {
                (Other::Rows(other), Dynamics::Metropolis) => {
                    let rows = Rows::new(lattice, color, other, blocks.start);
                    decide!(Subsets::<4>(thresholds), FromRows::<true>::new(rows, done), OF_FOUR);
                }
                (Other::Rows(other), Dynamics::HeatBath) => {
                    let rows = Rows::new(lattice, color, other, blocks.start);
                    decide!(Subsets::<4>(thresholds), FromRows::<false>::new(rows, done), OF_FOUR);
                }
                (Other::String(_), _) => {
                    simd.call(Propose { lattice, dynamics, color, blocks, first, spins, other, batch });
                    match (lattice.geometry.dimension, lattice.is_diluted()) {
                        (2, false) => decide!(Subsets::<4>(thresholds), Stored, OF_FOUR),
                        (3, false) => decide!(Subsets::<8>(thresholds), Stored, 3),
                        (2, true) | (_, false) => decide!(Subsets::<1>(thresholds), Stored, OF_ANY),
                        (_, true) => decide!(Subsets::<1>(thresholds), Stored, CLASSES),
                    }
                }
            }
            done += n;
        }
    }

    /// Updates the spins of one colour stripe by stripe, from block `first` on.
    // Separate borrows of the parts of a simulation.
    #[allow(clippy::too_many_arguments)]
    #[inline(always)]
    fn stripes<S: Simd>(
        self,
        simd: S,
        color: usize,
        first: usize,
        spins: &mut [Block],
        other: Other<'_>,
        generators: &mut [Generator],
        scratch: &mut Scratch,
    ) {
        for (k, (spins, generator)) in spins.chunks_mut(STRIPE).zip(generators).enumerate() {
            self.half(simd, color, first + k * STRIPE, spins, other, generator, scratch);
        }
    }
}

/// Memory for the work of one thread.
pub(super) struct Scratch {
    batch: Batch,
    flips: Counter,
}

impl Scratch {
    pub(super) fn new() -> Self {
        Self { batch: Batch::new(), flips: Counter::new() }
    }
}

/// One update of one colour of a band, or of a part of it; returns how many spins changed.
pub(super) struct Half<'a> {
    pub(super) update: Update<'a>,
    pub(super) color: usize,
    /// The first block: the beginning of a stripe.
    pub(super) first: usize,
    pub(super) spins: &'a mut [Block],
    pub(super) other: Other<'a>,
    /// Those of the stripes.
    pub(super) generators: &'a mut [Generator],
    pub(super) scratch: &'a mut Scratch,
}

impl Kernel for Half<'_> {
    type Output = u64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> u64 {
        let Self { update, color, first, spins, other, generators, scratch } = self;
        update.stripes(simd, color, first, spins, other, generators, scratch);
        scratch.flips.take_total(simd, &Block::ONES)
    }
}

/// Whole sweeps of a lattice in one band; returns how many spins changed.
pub(super) struct Sweeps<'a> {
    pub(super) update: Update<'a>,
    pub(super) spins: &'a mut [Vec<Block>; 2],
    pub(super) band: &'a mut Band,
    pub(super) generators: &'a mut [Generator],
    pub(super) scratch: &'a mut Scratch,
    pub(super) sweeps: u64,
}

impl Kernel for Sweeps<'_> {
    type Output = u64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> u64 {
        let Self { update, spins: [a, b], band, generators, scratch, sweeps } = self;
        for _ in 0..sweeps {
            update.stripes(simd, 0, 0, a, band.other(1, b), generators, scratch);
            band.publish(0, a);
            update.stripes(simd, 1, 0, b, band.other(0, a), generators, scratch);
            band.publish(1, b);
        }
        scratch.flips.take_total(simd, &Block::ONES)
    }
}

/// Counts unsatisfied bonds.
pub(super) struct Unsatisfied<'a> {
    pub(super) lattice: &'a Lattice,
    /// The first block.
    pub(super) first: usize,
    /// Spins of colour 0.
    pub(super) spins: &'a [Block],
    /// The other colour.
    pub(super) other: Other<'a>,
}

impl Kernel for Unsatisfied<'_> {
    type Output = u64;

    /// Every bond has one end of each colour: those of colour 0 are all.
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> u64 {
        let mut counter = Counter::new();
        match self.other {
            Other::Rows(other) => {
                let sign = simd.splat(u64::from(self.lattice.antiferromagnetic).wrapping_neg());
                let mut rows = Rows::new(self.lattice, 0, other, self.first);
                for block in self.spins {
                    for k in 0..4 {
                        for part in 0..S::PARTS {
                            let neighbor = rows.neighbors(simd, part)[k];
                            simd.store(counter.next(), part, simd.load(block, part) ^ neighbor ^ sign);
                        }
                        counter.push(simd);
                    }
                    rows.next();
                }
            }
            Other::String(other) => match self.lattice.geometry.dimension {
                2 => self.of_string::<S, 4>(simd, other, &mut counter),
                3 => self.of_string::<S, 6>(simd, other, &mut counter),
                _ => self.of_string::<S, 8>(simd, other, &mut counter),
            },
        }
        counter.take_total(simd, &Block::ONES)
    }
}

impl Unsatisfied<'_> {
    #[inline(always)]
    fn of_string<S: Simd, const DIRECTIONS: usize>(&self, simd: S, other: &Published, counter: &mut Counter) {
        for (k, block) in self.spins.iter().enumerate() {
            let string = String::new(self.lattice, &self.lattice.colors[0], other, self.first + k);
            let mut unsatisfied = [Block::ZERO; DIRECTIONS];
            for part in 0..S::PARTS {
                let spins = simd.load(block, part);
                let (votes, sites) = string.votes::<S, DIRECTIONS>(simd, part);
                let bonds = string.present::<S, DIRECTIONS>(simd, part).unwrap_or([sites; DIRECTIONS]);
                for ((unsatisfied, vote), bonds) in unsatisfied.iter_mut().zip(votes).zip(bonds) {
                    simd.store(unsatisfied, part, (spins ^ vote) & bonds);
                }
            }
            counter.add(simd, &unsatisfied[..]);
        }
    }
}
