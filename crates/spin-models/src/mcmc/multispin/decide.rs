//! Accepting or refusing 512 flips at once.
//!
//! # How
//! Every bit of a block has its own uniform number `u` and one of a few thresholds `p`; it flips where `u < p`. The
//! binary digits of `u` are drawn when they are asked for, the leading one first, and a bit stops asking as soon as its
//! digit differs from that of its threshold: half of the bits after each digit. Of 512 bits about four are left after
//! [`FIRST`] digits, and going on for those alone would cost another three or four draws of 512 bits each.
//!
//! So they wait. Blocks are decided in order, and as long as no two of them wait at the same bit position, the waiting
//! bits share one *pending* block, which draws further digits once for all of them. Each bit still uses only digits of
//! its own, and which blocks share is known before those digits are drawn: all numbers remain independent and uniform.
//! On a collision the pending block is settled first. On average eight blocks share.
//!
//! # In two steps
//! A batch of blocks without couplings between them is first *proposed* (by code that knows the lattice) and then
//! *decided* (by code that knows the thresholds). Spins are left as if every proposal had been refused in between.

use std::ops::Range;

use super::counter::{Counter, Source};
use super::generator::{Generator, Lanes};
use super::simd::{Block, Kernel, Simd, WORDS, Word};
use super::thresholds::{Comparison, DIGITS, Thresholds};

/// Blocks of a batch.
pub(super) const BATCH: usize = 32;

/// Largest number of classes.
pub(super) const CLASSES: usize = 8;

/// Digits that all blocks compare.
const FIRST: usize = 7;

/// Digits of a pending block between two looks whether any bit still waits.
const MORE: usize = 8;

/// Proposals for up to [`BATCH`] blocks.
pub(super) struct Batch {
    /// Places of the blocks among the spins.
    pub(super) at: [u32; BATCH],
    /// The spins before.
    pub(super) old: [Block; BATCH],
    /// Spins that are inverted with probability 1/2.
    pub(super) even: [Block; BATCH],
    /// Spins that are inverted with the probability of a class; no spin has two.
    pub(super) classes: [[Block; CLASSES]; BATCH],
    undecided: [Block; BATCH],
}

impl Batch {
    pub(super) fn new() -> Self {
        Self {
            at: [0; BATCH],
            old: [Block::ZERO; BATCH],
            even: [Block::ZERO; BATCH],
            classes: [[Block::ZERO; CLASSES]; BATCH],
            undecided: [Block::ZERO; BATCH],
        }
    }
}

/// Where the proposals for a batch come from.
pub(super) trait Proposals<const C: usize>: Clone {
    /// The next proposal: the spins if all is refused, those to be inverted with probability 1/2, and the classes.
    ///
    /// Called block by block, for every part of the blocks by a clone of its own. What the batch does not hold
    /// already is stored there.
    fn next<S: Simd>(
        &mut self,
        simd: S,
        k: usize,
        batch: &mut Batch,
        spins: &[Block],
        part: usize,
    ) -> Proposal<S::Word, C>;
}

/// See [`Proposals::next`].
pub(super) struct Proposal<W, const C: usize> {
    pub(super) refused: W,
    pub(super) even: W,
    pub(super) classes: [W; C],
}

/// Proposals that are in the batch, with the spins as if refused.
#[derive(Clone, Copy)]
pub(super) struct Stored;

impl<const C: usize> Proposals<C> for Stored {
    #[inline(always)]
    fn next<S: Simd>(
        &mut self,
        simd: S,
        k: usize,
        batch: &mut Batch,
        spins: &[Block],
        part: usize,
    ) -> Proposal<S::Word, C> {
        let mut classes = [simd.zero(); C];
        for (word, block) in classes.iter_mut().zip(&batch.classes[k]) {
            *word = simd.load(block, part);
        }
        let refused = simd.load(&spins[batch.at[k] as usize], part);
        Proposal { refused, even: simd.load(&batch.even[k], part), classes }
    }
}

/// Decides the first `n` blocks of a batch, in `C` classes, and counts the spins that change.
pub(super) struct Decide<'a, T, P, const C: usize> {
    pub(super) thresholds: T,
    pub(super) proposals: P,
    pub(super) batch: &'a mut Batch,
    pub(super) n: usize,
    pub(super) spins: &'a mut [Block],
    pub(super) generator: &'a mut Generator,
    pub(super) flips: &'a mut Counter,
}

impl<T: Thresholds<C>, P: Proposals<C>, const C: usize> Kernel for Decide<'_, T, P, C> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        for part in 0..S::PARTS {
            self.first_digits(simd, part);
        }
        let mut start = 0;
        while start < self.n {
            let mut pending = Pending::<S, C>::new(simd);
            let mut end = start;
            while end < self.n && pending.join(simd, &self.batch.undecided[end], &self.batch.classes[end]) {
                end += 1;
            }
            let accepted = pending.settle(simd, &self.thresholds, self.generator);
            self.apply(simd, start..end, &accepted);
            start = end;
        }
        let changes = Changes { batch: self.batch, n: self.n, spins: self.spins };
        self.flips.add(simd, changes);
    }
}

impl<T: Thresholds<C>, P: Proposals<C>, const C: usize> Decide<'_, T, P, C> {
    #[inline(always)]
    fn first_digits<S: Simd>(&mut self, simd: S, part: usize) {
        let thresholds = &self.thresholds;
        let zeros = thresholds.leading_zeros().min(FIRST);
        let mut lanes = self.generator.load(simd, part);
        let mut proposals = self.proposals.clone();
        for k in 0..self.n.min(BATCH) {
            let Proposal { refused, even, classes } = proposals.next(simd, k, self.batch, self.spins, part);
            let mut all = classes[0];
            for &class in &classes[1..] {
                all = all | class;
            }
            let prepared = thresholds.prepare(simd, &classes);
            let first = lanes.next();
            // One digit decides for 1/2.
            let mut comparison = Comparison { undecided: all, below: even.and_not(first) };
            if zeros == 0 {
                thresholds.compare(simd, part, &prepared, 0, first, &mut comparison);
            } else {
                comparison.undecided = all.and_not(first);
                for _ in 1..zeros {
                    comparison.undecided = comparison.undecided.and_not(lanes.next());
                }
            }
            thresholds.compare_all(simd, part, &prepared, zeros.max(1)..FIRST, &mut lanes, &mut comparison);
            let accepted = comparison.below.and_not(comparison.undecided);
            simd.store(&mut self.spins[self.batch.at[k] as usize], part, refused ^ accepted);
            simd.store(&mut self.batch.undecided[k], part, comparison.undecided);
        }
        self.generator.store(simd, part, &lanes);
    }

    /// Inverts the accepted among the spins of some blocks that wait.
    #[inline(always)]
    fn apply<S: Simd>(&mut self, simd: S, blocks: Range<usize>, accepted: &[S::Word; WORDS]) {
        let Batch { at, undecided, .. } = &*self.batch;
        for (&at, undecided) in at[blocks.clone()].iter().zip(&undecided[blocks]) {
            for (part, &accepted) in accepted.iter().enumerate().take(S::PARTS) {
                let change = accepted & simd.load(undecided, part);
                flip(simd, &mut self.spins[at as usize], part, change);
            }
        }
    }
}

/// Spins that are not what they were.
struct Changes<'a> {
    batch: &'a Batch,
    n: usize,
    spins: &'a [Block],
}

impl Source for Changes<'_> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.n
    }

    #[inline(always)]
    fn load<S: Simd>(&self, simd: S, k: usize, part: usize) -> S::Word {
        let new = simd.load(&self.spins[self.batch.at[k] as usize], part);
        new ^ simd.load(&self.batch.old[k], part)
    }
}

#[inline(always)]
fn flip<S: Simd>(simd: S, block: &mut Block, part: usize, change: S::Word) {
    let new = simd.load(block, part) ^ change;
    simd.store(block, part, new);
}

/// Waiting bits of several blocks, at most one at each position.
struct Pending<S: Simd, const C: usize> {
    undecided: [S::Word; WORDS],
    classes: [[S::Word; C]; WORDS],
}

impl<S: Simd, const C: usize> Pending<S, C> {
    #[inline(always)]
    fn new(simd: S) -> Self {
        Self { undecided: [simd.zero(); WORDS], classes: [[simd.zero(); C]; WORDS] }
    }

    /// Adds the waiting bits of a block, unless one of the positions is taken.
    #[inline(always)]
    fn join(&mut self, simd: S, undecided: &Block, classes: &[Block; CLASSES]) -> bool {
        let mut taken = simd.zero();
        for part in 0..S::PARTS {
            taken = taken | (self.undecided[part] & simd.load(undecided, part));
        }
        if !taken.is_zero() {
            return false;
        }
        for part in 0..S::PARTS {
            let waiting = simd.load(undecided, part);
            self.undecided[part] = self.undecided[part] | waiting;
            for (pending, class) in self.classes[part].iter_mut().zip(classes) {
                *pending = pending.or_and(simd.load(class, part), waiting);
            }
        }
        true
    }

    /// Compares digits until all bits are decided; the bits accepted.
    #[inline(always)]
    fn settle<T: Thresholds<C>>(mut self, simd: S, thresholds: &T, generator: &mut Generator) -> [S::Word; WORDS] {
        let mut below = [simd.zero(); WORDS];
        let mut digits = FIRST;
        loop {
            let until = (digits + MORE).min(DIGITS);
            let mut left = simd.zero();
            for (part, below) in below.iter_mut().enumerate().take(S::PARTS) {
                let mut lanes: Lanes<S::Word> = generator.load(simd, part);
                let prepared = thresholds.prepare(simd, &self.classes[part]);
                let mut comparison = Comparison { undecided: self.undecided[part], below: *below };
                thresholds.compare_all(simd, part, &prepared, digits..until, &mut lanes, &mut comparison);
                generator.store(simd, part, &lanes);
                self.undecided[part] = comparison.undecided;
                // If all digits are equal, the number is not below.
                *below = comparison.below.and_not(comparison.undecided);
                left = left | comparison.undecided;
            }
            digits = until;
            if left.is_zero() || digits == DIGITS {
                return below;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::simd::{BITS, InstructionSet};
    use super::super::thresholds::{Subsets, Uniform, binary_fraction};
    use super::*;
    use linalg_core::rng::Streams;

    const P: [f64; 2] = [0.3, 0.013];

    /// Half of the bits of every block are of class 0, a quarter of class 1, one in eight is even.
    fn batch() -> Batch {
        let mut batch = Batch::new();
        for k in 0..BATCH {
            batch.at[k] = k as u32;
            batch.classes[k][0] = Block([0x5555_5555_5555_5555; WORDS]);
            batch.classes[k][1] = Block([0x2222_2222_2222_2222; WORDS]);
            batch.even[k] = Block([0x8080_8080_8080_8080; WORDS]);
        }
        batch
    }

    struct Run {
        set: InstructionSet,
        generator: Generator,
        counter: Counter,
    }

    impl Run {
        fn new(set: InstructionSet) -> Self {
            Self { set, generator: Generator::new(&mut Streams::new(8).stream(0)), counter: Counter::new() }
        }

        /// Decides a batch of blocks that are all up.
        fn next(&mut self) -> Vec<Block> {
            let mut spins = vec![Block::ZERO; BATCH];
            let uniform = Uniform::new(&P.map(binary_fraction));
            self.set.run(Decide::<_, _, 2> {
                thresholds: Subsets::<4>(&uniform),
                proposals: Stored,
                batch: &mut batch(),
                n: BATCH,
                spins: &mut spins,
                generator: &mut self.generator,
                flips: &mut self.counter,
            });
            spins
        }
    }

    #[test]
    fn rates_are_the_probabilities_and_blocks_independent() {
        const BATCHES: u64 = 2000;
        for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
            let mut run = Run::new(set);
            let mut flips = [0u64; 4];
            // Joint flips of neighbouring blocks at the same bits of class 0, whose late digits may be drawn together.
            let mut joint = [0u64; 4];
            for _ in 0..BATCHES {
                let spins = run.next();
                for (k, block) in spins.iter().enumerate() {
                    for word in block.0 {
                        let of = |mask: u64| u64::from((word & mask).count_ones());
                        flips[0] += of(0x5555_5555_5555_5555);
                        flips[1] += of(0x2222_2222_2222_2222);
                        flips[2] += of(0x8080_8080_8080_8080);
                        flips[3] += of(0x0808_0808_0808_0808);
                    }
                    for (d, joint) in joint.iter_mut().enumerate() {
                        let other = &spins[(k + d + 1) % BATCH];
                        for (a, b) in block.0.iter().zip(&other.0) {
                            *joint += u64::from((a & b & 0x5555_5555_5555_5555).count_ones());
                        }
                    }
                }
            }
            let n = (BATCHES * BATCH as u64) as f64 * BITS as f64;
            let z = |count: u64, n: f64, p: f64| (count as f64 - n * p) / (n * p * (1.0 - p)).sqrt();
            assert!(z(flips[0], n / 2.0, P[0]).abs() < 4.0, "{set:?} {flips:?}");
            assert!(z(flips[1], n / 4.0, P[1]).abs() < 4.0, "{set:?} {flips:?}");
            assert!(z(flips[2], n / 8.0, 0.5).abs() < 4.0, "{set:?} {flips:?}");
            assert_eq!(flips[3], 0);
            for joint in joint {
                assert!(z(joint, n / 2.0, P[0] * P[0]).abs() < 4.0, "{set:?}: {joint} joint flips");
            }
            let counted = set.run(Total(&mut run.counter));
            assert_eq!(counted, flips.iter().sum::<u64>());
        }
    }

    struct Total<'a>(&'a mut Counter);

    impl Kernel for Total<'_> {
        type Output = u64;

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> u64 {
            self.0.take_total(simd, &Block::ONES)
        }
    }

    #[test]
    fn certain_classes_always_and_impossible_ones_never_flip() {
        let uniform = Uniform::new(&[1.0, 0.0].map(binary_fraction));
        for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
            let mut run = Run::new(set);
            for _ in 0..50 {
                let mut spins = vec![Block::ZERO; BATCH];
                set.run(Decide::<_, _, 2> {
                    thresholds: Subsets::<4>(&uniform),
                    proposals: Stored,
                    batch: &mut batch(),
                    n: 5,
                    spins: &mut spins,
                    generator: &mut run.generator,
                    flips: &mut run.counter,
                });
                for (k, block) in spins.iter().enumerate() {
                    for word in block.0 {
                        let (ones, twos) = (word & 0x5555_5555_5555_5555, word & 0x2222_2222_2222_2222);
                        assert_eq!((ones, twos), (if k < 5 { 0x5555_5555_5555_5555 } else { 0 }, 0));
                    }
                }
            }
        }
    }
}
