//! Proposals for the spins of one colour.

use std::ops::Range;

use super::super::decide::{Batch, CLASSES, Proposal, Proposals};
use super::super::local::{Candidates, MAX_DEGREE, Sum, candidates, compiled_classes, reference};
use super::super::simd::{Block, Kernel, Simd, Word};
use super::bonds::{Bonds, Lattice};
use super::geometry::DIMENSIONS;
use super::strings::Published;
use crate::mcmc::Dynamics;

/// Fills a batch with the proposals for some blocks of a colour.
pub(super) struct Propose<'a> {
    pub(super) lattice: &'a Lattice,
    pub(super) dynamics: Dynamics,
    pub(super) color: usize,
    /// Blocks of the string.
    pub(super) blocks: Range<usize>,
    /// The block with which `spins` begins.
    pub(super) first: usize,
    pub(super) spins: &'a mut [Block],
    pub(super) other: Other<'a>,
    pub(super) batch: &'a mut Batch,
}

/// The spins of the other colour.
#[derive(Clone, Copy)]
pub(super) enum Other<'a> {
    /// Of a plain lattice.
    Rows(Window<'a>),
    /// Of any other.
    String(&'a Published),
}

/// Rows of a plain lattice with the row before and the row after them.
#[derive(Clone, Copy)]
pub(super) struct Window<'a> {
    /// The first block of the rows.
    pub(super) first: usize,
    pub(super) before: &'a [Block],
    pub(super) rows: &'a [Block],
    pub(super) after: &'a [Block],
}

impl<'a> Window<'a> {
    /// Row `r`, where 0 is the row before.
    fn row(&self, r: usize) -> &'a [Block] {
        let width = self.before.len();
        match r.checked_sub(1) {
            None => self.before,
            Some(r) => self.rows.get(r * width..(r + 1) * width).unwrap_or(self.after),
        }
    }
}

impl Kernel for Propose<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        match self.dynamics {
            Dynamics::Metropolis => self.of_rule::<S, true>(simd),
            Dynamics::HeatBath => self.of_rule::<S, false>(simd),
        }
    }
}

impl Propose<'_> {
    #[inline(always)]
    fn of_rule<S: Simd, const METROPOLIS: bool>(&mut self, simd: S) {
        match self.other {
            // Made when they are decided.
            Other::Rows(_) => {}
            Other::String(other) => {
                let bonds = &self.lattice.colors[self.color];
                let string = String::new(self.lattice, bonds, other, self.blocks.start);
                match (self.lattice.geometry.dimension, bonds.present.is_empty()) {
                    (2, true) => self.surrounded::<S, _, METROPOLIS>(simd, Complete::<4>(string)),
                    (3, true) => self.surrounded::<S, _, METROPOLIS>(simd, Complete::<6>(string)),
                    (_, true) => self.surrounded::<S, _, METROPOLIS>(simd, Complete::<8>(string)),
                    (2, false) => self.surrounded::<S, _, METROPOLIS>(simd, Diluted::<4>(string)),
                    (3, false) => self.surrounded::<S, _, METROPOLIS>(simd, Diluted::<6>(string)),
                    (_, false) => self.surrounded::<S, _, METROPOLIS>(simd, Diluted::<8>(string)),
                }
            }
        }
    }

    #[inline(always)]
    fn surrounded<S: Simd, N: Neighborhood, const METROPOLIS: bool>(&mut self, simd: S, mut neighborhood: N) {
        let Batch { at, old: before, even, classes, .. } = &mut *self.batch;
        let first = self.blocks.start - self.first;
        let spins = &mut self.spins[first..self.blocks.end - self.first];
        let batch = at.iter_mut().zip(before).zip(even).zip(classes);
        for (k, (spins, (((at, before), even), classes))) in spins.iter_mut().zip(batch).enumerate() {
            *at = (first + k) as u32;
            for part in 0..S::PARTS {
                let old = simd.load(spins, part);
                let candidates = neighborhood.candidates::<S, METROPOLIS>(simd, old, part);
                simd.store(spins, part, candidates.refused);
                simd.store(before, part, old);
                simd.store(even, part, candidates.even);
                for (block, &class) in classes.iter_mut().zip(&candidates.classes).take(N::CLASSES) {
                    simd.store(block, part, class);
                }
            }
            neighborhood.advance();
        }
    }
}

/// Classes of sites with four neighbours.
pub(super) const OF_FOUR: usize = 2;

/// Classes of sites with up to four neighbours.
pub(super) const OF_ANY: usize = 4;

/// The surroundings of one block after the other.
trait Neighborhood {
    const CLASSES: usize;

    fn candidates<S: Simd, const METROPOLIS: bool>(&self, simd: S, old: S::Word, part: usize) -> Candidates<S::Word>;

    /// Moves on to the next block.
    fn advance(&mut self);
}

/// Of a lattice whose rows are whole blocks.
#[derive(Clone)]
pub(super) struct Rows<'a> {
    other: Window<'a>,
    negative: bool,
    /// The rows before, here, after, and how the last of them is counted in the window.
    rows: [&'a [Block]; 3],
    r: usize,
    /// Block of the row.
    k: usize,
    /// Whether the side neighbours stand one place before.
    side_before: bool,
}

impl<'a> Rows<'a> {
    /// Around a block of the lattice.
    pub(super) fn new(lattice: &Lattice, color: usize, other: Window<'a>, block: usize) -> Self {
        let width = other.before.len();
        let side_before = (block / width + color).is_multiple_of(2);
        let (r, k) = ((block - other.first) / width, block % width);
        let rows = [r, r + 1, r + 2].map(|r| other.row(r));
        Self { other, negative: lattice.antiferromagnetic, rows, r: r + 2, k, side_before }
    }

    /// The neighbours of a block, in the four directions.
    #[inline(always)]
    pub(super) fn neighbors<S: Simd>(&self, simd: S, part: usize) -> [S::Word; 4] {
        let [before, here, after] = self.rows;
        let k = self.k;
        let center = &here[k];
        let side = if self.side_before {
            let previous = &here[if k == 0 { here.len() - 1 } else { k - 1 }];
            simd.load(center, part).shl(1) | simd.preceding(previous, center, part).shr(63)
        } else {
            let next = &here[if k + 1 == here.len() { 0 } else { k + 1 }];
            simd.load(center, part).shr(1) | simd.following(center, next, part).shl(63)
        };
        [simd.load(&before[k], part), simd.load(&after[k], part), simd.load(center, part), side]
    }

    #[inline(always)]
    pub(super) fn next(&mut self) {
        self.k += 1;
        if self.k == self.other.before.len() {
            self.k = 0;
            self.r += 1;
            self.side_before = !self.side_before;
            self.rows = [self.rows[1], self.rows[2], self.other.row(self.r)];
        }
    }
}

/// Proposals made when they are decided.
#[derive(Clone)]
pub(super) struct FromRows<'a, const METROPOLIS: bool> {
    rows: Rows<'a>,
    /// Place of the next block among the spins.
    at: usize,
}

impl<'a, const METROPOLIS: bool> FromRows<'a, METROPOLIS> {
    pub(super) fn new(rows: Rows<'a>, at: usize) -> Self {
        Self { rows, at }
    }
}

impl<const METROPOLIS: bool> Proposals<OF_FOUR> for FromRows<'_, METROPOLIS> {
    #[inline(always)]
    fn next<S: Simd>(
        &mut self,
        simd: S,
        k: usize,
        batch: &mut Batch,
        spins: &[Block],
        part: usize,
    ) -> Proposal<S::Word, OF_FOUR> {
        let old = simd.load(&spins[self.at], part);
        let Candidates { refused, even, classes } = self.rows.candidates::<S, METROPOLIS>(simd, old, part);
        batch.at[k] = self.at as u32;
        simd.store(&mut batch.old[k], part, old);
        let classes = [classes[0], classes[1]];
        for (block, class) in batch.classes[k].iter_mut().zip(classes) {
            simd.store(block, part, class);
        }
        self.rows.advance();
        self.at += 1;
        Proposal { refused, even, classes }
    }
}

impl Neighborhood for Rows<'_> {
    const CLASSES: usize = OF_FOUR;

    #[inline(always)]
    fn candidates<S: Simd, const METROPOLIS: bool>(&self, simd: S, old: S::Word, part: usize) -> Candidates<S::Word> {
        let mut votes = [simd.zero(); MAX_DEGREE];
        let sign = simd.splat(u64::from(self.negative).wrapping_neg()) ^ reference::<S, METROPOLIS>(simd, old);
        for (vote, neighbor) in votes.iter_mut().zip(self.neighbors(simd, part)) {
            *vote = neighbor ^ sign;
        }
        candidates::<S, METROPOLIS>(simd, 4, old, &votes)
    }

    #[inline(always)]
    fn advance(&mut self) {
        self.next();
    }
}

/// Of any lattice.
pub(super) struct String<'a> {
    bonds: &'a Bonds,
    other: &'a Published,
    negative: bool,
    pitch: isize,
    /// Along each axis but the last, how far neighbours are, and around its ends.
    distances: [[isize; 2]; DIMENSIONS - 1],
    block: usize,
}

impl<'a> String<'a> {
    pub(super) fn new(lattice: &Lattice, bonds: &'a Bonds, other: &'a Published, block: usize) -> Self {
        let geometry = lattice.geometry;
        let mut distances = [[0; 2]; DIMENSIONS - 1];
        for (axis, distances) in distances.iter_mut().enumerate().take(geometry.dimension - 1) {
            let (length, distance) = geometry.axis(axis);
            *distances = [distance as isize, ((length - 1) * distance) as isize];
        }
        let pitch = geometry.pitch() as isize;
        Self { bonds, other, negative: lattice.antiferromagnetic, pitch, distances, block }
    }

    /// The neighbours of a block in all directions, inverted where the coupling is negative; and its sites.
    ///
    /// For lattices of `DIRECTIONS / 2` dimensions.
    #[inline(always)]
    pub(super) fn votes<S: Simd, const DIRECTIONS: usize>(
        &self,
        simd: S,
        part: usize,
    ) -> ([S::Word; DIRECTIONS], S::Word) {
        let Self { other, block, pitch, .. } = *self;
        let side = &self.bonds.side[block];
        let places = [
            simd.load(&side[0], part),
            simd.load(&side[1], part),
            simd.load(&side[2], part),
            simd.load(&side[3], part),
        ];
        let from_side = (places[0] & other.load(simd, block, -1, part))
            .or_and(places[1], other.load(simd, block, 1, part))
            .or_and(places[2], other.load(simd, block, pitch - 1, part))
            .or_and(places[3], other.load(simd, block, 1 - pitch, part));
        let mut votes = [from_side; DIRECTIONS];
        for axis in 0..DIRECTIONS / 2 - 1 {
            let [distance, around] = self.distances[axis];
            let mut before = other.load(simd, block, -distance, part);
            let mut after = other.load(simd, block, distance, part);
            // Around the ends of the first axis the string is closed.
            if axis > 0 {
                let [begin, end] = &self.bonds.ends[block * (DIRECTIONS / 2 - 2) + axis - 1];
                before = simd.load(begin, part).select(other.load(simd, block, around, part), before);
                after = simd.load(end, part).select(other.load(simd, block, -around, part), after);
            }
            votes[2 * axis] = before;
            votes[2 * axis + 1] = after;
        }
        votes[DIRECTIONS - 2] = other.load(simd, block, 0, part);
        match self.bonds.negative.get(block * DIRECTIONS..(block + 1) * DIRECTIONS) {
            Some(negative) => {
                for (vote, negative) in votes.iter_mut().zip(negative) {
                    *vote = *vote ^ simd.load(negative, part);
                }
            }
            None => {
                let sign = simd.splat(u64::from(self.negative).wrapping_neg());
                for vote in &mut votes {
                    *vote = *vote ^ sign;
                }
            }
        }
        (votes, places[0].or3(places[1], places[2]) | places[3])
    }

    /// The bonds of a block that exist, in all directions.
    #[inline(always)]
    pub(super) fn present<S: Simd, const DIRECTIONS: usize>(
        &self,
        simd: S,
        part: usize,
    ) -> Option<[S::Word; DIRECTIONS]> {
        let present = self.bonds.present.get(self.block * DIRECTIONS..(self.block + 1) * DIRECTIONS)?;
        let mut words = [simd.zero(); DIRECTIONS];
        for (word, block) in words.iter_mut().zip(present) {
            *word = simd.load(block, part);
        }
        Some(words)
    }
}

/// Of a lattice with all bonds, `DEGREE` at a site.
struct Complete<'a, const DEGREE: usize>(String<'a>);

impl<const DEGREE: usize> Neighborhood for Complete<'_, DEGREE> {
    const CLASSES: usize = compiled_classes(DEGREE);

    #[inline(always)]
    fn candidates<S: Simd, const METROPOLIS: bool>(&self, simd: S, old: S::Word, part: usize) -> Candidates<S::Word> {
        let (all, sites) = self.0.votes::<S, DEGREE>(simd, part);
        let mut votes = [simd.zero(); MAX_DEGREE];
        for (vote, one) in votes.iter_mut().zip(all) {
            *vote = one ^ reference::<S, METROPOLIS>(simd, old);
        }
        candidates::<S, METROPOLIS>(simd, DEGREE, old, &votes).only(sites, old)
    }

    #[inline(always)]
    fn advance(&mut self) {
        self.0.block += 1;
    }
}

/// Of a lattice without some of its bonds, up to `DEGREE` at a site. Its classes are pulled by `DEGREE`, `DEGREE - 1`, ….
struct Diluted<'a, const DEGREE: usize>(String<'a>);

impl<const DEGREE: usize> Neighborhood for Diluted<'_, DEGREE> {
    const CLASSES: usize = if DEGREE > OF_ANY { CLASSES } else { OF_ANY };

    #[inline(always)]
    fn candidates<S: Simd, const METROPOLIS: bool>(&self, simd: S, old: S::Word, part: usize) -> Candidates<S::Word> {
        let (votes, sites) = self.0.votes::<S, DEGREE>(simd, part);
        let present = self.0.present(simd, part).unwrap_or([sites; DEGREE]);
        let mut bonds = [simd.zero(); MAX_DEGREE];
        let mut against = [simd.zero(); MAX_DEGREE];
        for k in 0..DEGREE {
            bonds[k] = present[k];
            against[k] = (votes[k] ^ reference::<S, METROPOLIS>(simd, old)) & present[k];
        }
        let degree = Sum::of(simd, DEGREE, &bonds);
        let against = Sum::of(simd, DEGREE, &against);
        let zero = simd.zero();
        let (mut even, mut most, mut classes) = (zero, zero, Candidates::none(simd, old).classes);
        for d in 0..=DEGREE {
            let of_degree = degree.equals(simd, d);
            for a in 0..=d {
                let here = of_degree & against.equals(simd, a);
                if 2 * a > d {
                    most = most | here;
                }
                // Pulled by d - 2a, up or down.
                let pull = d.abs_diff(2 * a);
                if pull == 0 {
                    even = even | here;
                } else if 2 * a < d || !METROPOLIS {
                    classes[DEGREE - pull] = classes[DEGREE - pull] | here;
                }
            }
        }
        let refused = if METROPOLIS { old ^ most } else { most };
        Candidates { refused, even, classes }.only(sites, old)
    }

    #[inline(always)]
    fn advance(&mut self) {
        self.0.block += 1;
    }
}
