//! Sweeps of many samples that share their random numbers.

use super::super::counter::Counter;
use super::super::decide::CLASSES;
use super::super::generator::Generator;
use super::super::local::{MAX_DEGREE, candidates, n_classes, reference};
use super::super::packing::{Packing, Segment};
use super::super::simd::{Block, Kernel, Simd, WORDS, Word};
use crate::mcmc::Dynamics;

/// A number of sweeps of one unit; returns how many spins changed.
pub(super) struct Sweeps<'a> {
    pub(super) packing: &'a Packing,
    /// Places of the neighbours, link by link.
    pub(super) links: &'a [u32],
    /// The samples in which a link is negative.
    pub(super) signs: &'a [Block],
    pub(super) dynamics: Dynamics,
    /// Binary fractions of the classes, by degree.
    pub(super) fractions: &'a [Vec<u64>],
    pub(super) spins: &'a mut [Block],
    pub(super) generator: &'a mut Generator,
    /// Bits whose changes are counted.
    pub(super) counted: &'a Block,
    pub(super) sweeps: u64,
}

impl Kernel for Sweeps<'_> {
    type Output = u64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> u64 {
        let Self { packing, links, signs, dynamics, fractions, spins, generator, counted, sweeps } = self;
        let mut flips = Counter::new();
        for _ in 0..sweeps {
            for segment in &packing.segments {
                let range = segment.links..segment.links + segment.blocks.len() * segment.degree;
                let (links, signs, flips) = (&links[range.clone()], &signs[range], &mut flips);
                let fractions = &fractions[segment.degree];
                match dynamics {
                    Dynamics::Metropolis => {
                        simd.call(OfSegment::<true> { segment, links, signs, fractions, spins, generator, flips });
                    }
                    Dynamics::HeatBath => {
                        simd.call(OfSegment::<false> { segment, links, signs, fractions, spins, generator, flips });
                    }
                }
            }
        }
        flips.take_total(simd, counted)
    }
}

/// Sites that draw their random numbers together.
const SITES: usize = 2 * WORDS;

struct OfSegment<'a, const METROPOLIS: bool> {
    segment: &'a Segment,
    links: &'a [u32],
    signs: &'a [Block],
    fractions: &'a [u64],
    spins: &'a mut [Block],
    generator: &'a mut Generator,
    flips: &'a mut Counter,
}

impl<const METROPOLIS: bool> Kernel for OfSegment<'_, METROPOLIS> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        match self.segment.degree {
            0 => self.without_links(simd),
            2 => self.of_degree::<S, 2>(simd),
            3 => self.of_degree::<S, 3>(simd),
            4 => self.of_degree::<S, 4>(simd),
            5 => self.of_degree::<S, 5>(simd),
            6 => self.of_degree::<S, 6>(simd),
            degree => self.of_sites(simd, self.links.chunks_exact(degree).zip(self.signs.chunks_exact(degree))),
        }
    }
}

/// Which random numbers are accepted: a word a site, with all bits set or none.
struct Accepted {
    even: [u64; SITES],
    classes: [[u64; SITES]; CLASSES],
}

impl<const METROPOLIS: bool> OfSegment<'_, METROPOLIS> {
    #[inline(always)]
    fn of_degree<S: Simd, const D: usize>(&mut self, simd: S) {
        // Arrays: the length is known to the compiler.
        let (links, signs) = (self.links.as_chunks::<D>().0, self.signs.as_chunks::<D>().0);
        self.of_sites(simd, links.iter().zip(signs));
    }

    #[inline(always)]
    fn of_sites<'b, S: Simd, L, N>(&mut self, simd: S, mut sites: impl ExactSizeIterator<Item = (&'b L, &'b N)>)
    where
        L: AsRef<[u32]> + ?Sized + 'b,
        N: AsRef<[Block]> + ?Sized + 'b,
    {
        let spins = &mut *self.spins;
        let mut accepted = Accepted { even: [0; SITES], classes: [[0; SITES]; CLASSES] };
        let mut changed = [Block::ZERO; SITES];
        let mut at = self.segment.blocks.start;
        while sites.len() > 0 {
            let n = sites.len().min(SITES);
            draw(simd, self.generator, self.fractions, &mut accepted);
            for (k, changed) in changed.iter_mut().enumerate().take(n) {
                let Some((links, signs)) = sites.next() else { break };
                let (links, signs) = (links.as_ref(), signs.as_ref());
                let degree = links.len();
                let mut new = Block::ZERO;
                for part in 0..S::PARTS {
                    let old = simd.load(&spins[at], part);
                    let mut votes = [simd.zero(); MAX_DEGREE];
                    for k in 0..degree {
                        let neighbor = simd.load(&spins[links[k] as usize], part);
                        let sign = simd.load(&signs[k], part);
                        votes[k] = neighbor.xor3(sign, reference::<S, METROPOLIS>(simd, old));
                    }
                    let candidates = candidates::<S, METROPOLIS>(simd, degree, old, &votes);
                    let mut accept = candidates.even & simd.splat(accepted.even[k]);
                    for c in 0..n_classes(degree) {
                        accept = accept.or_and(candidates.classes[c], simd.splat(accepted.classes[c][k]));
                    }
                    let result = candidates.refused ^ accept;
                    simd.store(&mut new, part, result);
                    simd.store(changed, part, old ^ result);
                }
                spins[at] = new;
                at += 1;
            }
            self.flips.add(simd, &changed[..n]);
        }
    }

    /// Sites of degree 0 flip with probability 1/2.
    #[inline(always)]
    fn without_links<S: Simd>(&mut self, simd: S) {
        let mut accepted = Accepted { even: [0; SITES], classes: [[0; SITES]; CLASSES] };
        for sites in self.spins[self.segment.blocks.clone()].chunks_mut(SITES) {
            draw(simd, self.generator, &[], &mut accepted);
            for (block, &even) in sites.iter_mut().zip(&accepted.even) {
                *self.flips.next() = Block([even; WORDS]);
                self.flips.push(simd);
                block.0.iter_mut().for_each(|word| *word ^= even);
            }
        }
    }
}

/// Draws a random number for each of the next sites.
#[inline(always)]
fn draw<S: Simd>(simd: S, generator: &mut Generator, fractions: &[u64], accepted: &mut Accepted) {
    for half in 0..SITES / WORDS {
        let mut numbers = Block::ZERO;
        for part in 0..S::PARTS {
            let mut lanes = generator.load(simd, part);
            simd.store(&mut numbers, part, lanes.next());
            generator.store(simd, part, &lanes);
        }
        below(simd, &numbers, 1 << 63, &mut accepted.even, half);
        for (words, &fraction) in accepted.classes.iter_mut().zip(fractions) {
            below(simd, &numbers, fraction, words, half);
        }
    }
}

/// Which numbers are below a bound.
#[inline(always)]
fn below<S: Simd>(simd: S, numbers: &Block, bound: u64, words: &mut [u64; SITES], half: usize) {
    let mut block = Block::ZERO;
    for part in 0..S::PARTS {
        simd.store(&mut block, part, simd.load(numbers, part).below(simd.splat(bound)));
    }
    words[half * WORDS..(half + 1) * WORDS].copy_from_slice(&block.0);
}

/// Energies of the samples of one unit, without constants, in units of the models.
pub(super) struct Energies<'a> {
    pub(super) packing: &'a Packing,
    pub(super) links: &'a [u32],
    pub(super) signs: &'a [Block],
    pub(super) spins: &'a [Block],
}

impl Kernel for Energies<'_> {
    type Output = Vec<i64>;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Vec<i64> {
        let mut couplings = Counter::new();
        let mut fields = Counter::new();
        for segment in &self.packing.segments {
            for (k, at) in segment.blocks.clone().enumerate() {
                let first = segment.links + k * segment.degree;
                let links = self.links[first..].iter().zip(&self.signs[first..]).take(segment.degree);
                for (k, (&link, sign)) in links.enumerate() {
                    let is_field = k + segment.fields >= segment.degree;
                    if !is_field && !segment.counts {
                        continue;
                    }
                    let counter = if is_field { &mut fields } else { &mut couplings };
                    for part in 0..S::PARTS {
                        let neighbor = simd.load(&self.spins[link as usize], part);
                        let sign = simd.load(sign, part);
                        let own = simd.load(&self.spins[at], part);
                        simd.store(counter.next(), part, own.xor3(neighbor, sign));
                    }
                    counter.push(simd);
                }
            }
        }
        let total = self.packing.model.interactions() as i64;
        let (couplings, fields) = (couplings.counts(simd), fields.counts(simd));
        let energy = |(c, f): (&u64, &u64)| 2 * (c / self.packing.ends() + f) as i64 - total;
        couplings.iter().zip(&fields).map(energy).collect()
    }
}
