//! Vertical counters: how often each of 512 bits was set in a stream of blocks.

use super::simd::{BITS, Block, Simd, Word};

/// Blocks that are added up at once.
const BATCH: usize = 16;

/// Digits that a batch reaches before its carry ripples on.
const LEVELS: usize = BATCH.ilog2() as usize;

/// Digits of a count: enough for 2^56 blocks.
const DIGITS: usize = 56;

/// Blocks to be counted.
pub(super) trait Source {
    fn len(&self) -> usize;

    /// Part `part` of block `k`.
    fn load<S: Simd>(&self, simd: S, k: usize, part: usize) -> S::Word;
}

impl Source for &[Block] {
    #[inline(always)]
    fn len(&self) -> usize {
        <[Block]>::len(self)
    }

    #[inline(always)]
    fn load<S: Simd>(&self, simd: S, k: usize, part: usize) -> S::Word {
        simd.load(&self[k], part)
    }
}

/// Counts set bits, position by position, with about three logical operations a block.
///
/// Sixteen blocks are reduced by a tree of full adders to the digits 1, 2, 4, 8 and one carry, which ripples through
/// the higher digits.
pub(super) struct Counter {
    batch: [Block; BATCH],
    filled: usize,
    digits: [Block; DIGITS],
    /// Blocks counted.
    n: u64,
}

impl Counter {
    pub(super) fn new() -> Self {
        Self { batch: [Block::ZERO; BATCH], filled: 0, digits: [Block::ZERO; DIGITS], n: 0 }
    }

    /// Space for the parts of the next block; then call [`push`](Self::push).
    #[inline(always)]
    pub(super) fn next(&mut self) -> &mut Block {
        &mut self.batch[self.filled]
    }

    /// Counts the block put in [`next`](Self::next).
    #[inline(always)]
    pub(super) fn push<S: Simd>(&mut self, simd: S) {
        self.filled += 1;
        self.n += 1;
        if self.filled == BATCH {
            reduce(simd, &mut self.digits, &&self.batch[..], 0);
            self.filled = 0;
        }
    }

    /// Counts many blocks; fastest in multiples of 16.
    #[inline(always)]
    pub(super) fn add<S: Simd, B: Source>(&mut self, simd: S, blocks: B) {
        let n = blocks.len();
        let batches = n / BATCH;
        for batch in 0..batches {
            reduce(simd, &mut self.digits, &blocks, batch * BATCH);
        }
        self.n += (batches * BATCH) as u64;
        for k in batches * BATCH..n {
            for part in 0..S::PARTS {
                let word = blocks.load(simd, k, part);
                simd.store(self.next(), part, word);
            }
            self.push(simd);
        }
    }

    #[inline(always)]
    fn complete<S: Simd>(&mut self, simd: S) {
        if self.filled > 0 {
            self.batch[self.filled..].fill(Block::ZERO);
            self.filled = 0;
            reduce(simd, &mut self.digits, &&self.batch[..], 0);
        }
    }

    /// The sum of the counts of the bits set in `mask`; starts anew.
    #[inline(always)]
    pub(super) fn take_total<S: Simd>(&mut self, simd: S, mask: &Block) -> u64 {
        self.complete(simd);
        let mut total = 0;
        for (k, digit) in self.digits.iter_mut().enumerate() {
            if self.n >> k == 0 {
                break;
            }
            for (word, mask) in digit.0.iter().zip(&mask.0) {
                total += u64::from((word & mask).count_ones()) << k;
            }
            *digit = Block::ZERO;
        }
        self.n = 0;
        total
    }

    /// The counts.
    #[inline(always)]
    pub(super) fn counts<S: Simd>(mut self, simd: S) -> [u64; BITS] {
        self.complete(simd);
        let mut counts = [0; BITS];
        for (word, counts) in counts.chunks_exact_mut(64).enumerate() {
            let mut matrix = [0; 64];
            for (row, digit) in matrix.iter_mut().zip(&self.digits) {
                *row = digit.0[word];
            }
            transpose(&mut matrix);
            counts.copy_from_slice(&matrix);
        }
        counts
    }
}

#[inline(always)]
fn reduce<S: Simd, B: Source>(simd: S, digits: &mut [Block; DIGITS], blocks: &B, first: usize) {
    for part in 0..S::PARTS {
        // words[k] has weight 2^level; each level halves their number.
        let mut words = [simd.zero(); BATCH];
        for (k, word) in words.iter_mut().enumerate() {
            *word = blocks.load(simd, first + k, part);
        }
        for (level, block) in digits.iter_mut().enumerate().take(LEVELS) {
            let mut digit = simd.load(block, part);
            for k in 0..BATCH >> (level + 1) {
                (digit, words[k]) = digit.full_adder(words[2 * k], words[2 * k + 1]);
            }
            simd.store(block, part, digit);
        }
        let mut carry = words[0];
        for block in &mut digits[LEVELS..] {
            if carry.is_zero() {
                break;
            }
            let (digit, next) = simd.load(block, part).half_adder(carry);
            simd.store(block, part, digit);
            carry = next;
        }
    }
}

/// Transposes 64 x 64 bits: bit `j` of row `i` becomes bit `i` of row `j`.
///
/// Squares of half the size are exchanged, from 32 down to 1; six rounds of 32 exchanges.
pub(super) fn transpose(rows: &mut [u64; 64]) {
    let mut size = 32;
    let mut mask = 0x0000_0000_ffff_ffffu64;
    while size > 0 {
        let mut i = 0;
        while i < 64 {
            let other = i + size;
            let swap = (rows[i] >> size ^ rows[other]) & mask;
            rows[i] ^= swap << size;
            rows[other] ^= swap;
            i = (other + 1) & !size;
        }
        size /= 2;
        mask ^= mask << size;
    }
}

#[cfg(test)]
mod tests {
    use super::super::simd::{InstructionSet, Kernel};
    use super::*;
    use linalg_core::rand::Rng;
    use linalg_core::rng::Streams;

    struct Count<'a>(&'a [Block], &'a Block);

    impl Kernel for Count<'_> {
        type Output = ([u64; BITS], u64, u64);

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> Self::Output {
            let mut counter = Counter::new();
            counter.add(simd, self.0);
            let total = counter.take_total(simd, self.1);
            let empty = counter.take_total(simd, self.1);
            let mut one_by_one = Counter::new();
            for block in self.0 {
                *one_by_one.next() = *block;
                one_by_one.push(simd);
            }
            (one_by_one.counts(simd), total, empty)
        }
    }

    #[test]
    fn counts_are_sums_of_bits() {
        let mut rng = Streams::new(2).stream(0);
        let mut mask = Block::ONES;
        mask.0[3] = 0xffff;
        for n in [0, 1, 15, 16, 17, 100, 1000] {
            let blocks: Vec<Block> = (0..n).map(|_| Block(std::array::from_fn(|_| rng.next_u64()))).collect();
            let expected: Vec<u64> =
                (0..BITS).map(|k| blocks.iter().map(|block| u64::from(block.bit(k))).sum()).collect();
            let sum: u64 = expected.iter().enumerate().filter(|&(k, _)| mask.bit(k)).map(|(_, count)| count).sum();
            for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
                let (counts, total, empty) = set.run(Count(&blocks, &mask));
                assert_eq!(&counts[..], &expected[..], "{n} blocks, {set:?}");
                assert_eq!((total, empty), (sum, 0), "{n} blocks, {set:?}");
            }
        }
    }

    #[test]
    fn carries_reach_the_highest_digit_needed() {
        let blocks = vec![Block::ONES; 70_000];
        let (counts, total, _) = InstructionSet::detect().run(Count(&blocks, &Block::ONES));
        assert!(counts.iter().all(|&count| count == 70_000));
        assert_eq!(total, 512 * 70_000);
    }

    #[test]
    fn transposition_exchanges_rows_and_columns() {
        let mut rng = Streams::new(2).stream(1);
        let rows: [u64; 64] = std::array::from_fn(|_| rng.next_u64());
        let mut columns = rows;
        transpose(&mut columns);
        for (i, row) in rows.iter().enumerate() {
            for (j, column) in columns.iter().enumerate() {
                assert_eq!(row >> j & 1, column >> i & 1);
            }
        }
    }
}
