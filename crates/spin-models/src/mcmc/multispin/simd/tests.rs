//! Every operation of every instruction set against plain integers.

use linalg_core::rand::{Rng, RngExt};
use linalg_core::rng::Streams;

use super::*;

/// Results of all operations on some blocks.
struct Operations<'a> {
    a: &'a Block,
    b: &'a Block,
    c: &'a Block,
    words: &'a [u64],
    at: usize,
    blocks: &'a [Block],
    index: &'a [u32; WORDS],
}

impl Kernel for Operations<'_> {
    type Output = (Vec<Block>, Vec<bool>);

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Self::Output {
        const RESULTS: usize = 37;
        let mut results = vec![Block::ZERO; RESULTS];
        let mut zeros = Vec::new();
        for part in 0..S::PARTS {
            let [a, b, c] = [self.a, self.b, self.c].map(|block| simd.load(block, part));
            let words = [
                a & b,
                a | b,
                a ^ b,
                a.and_not(b),
                a.add(b),
                a.shl(0),
                a.shl(1),
                a.shl(17),
                a.shl(63),
                a.shr(0),
                a.shr(1),
                a.shr(37),
                a.shr(63),
                a.rotate_left(1),
                a.rotate_left(23),
                a.rotate_left(45),
                a.rotate_left(63),
                a.below(b),
                a.below(a),
                a.select(b, c),
                a.where_equal(b, c),
                a.xor3(b, c),
                a.full_adder(b, c).0,
                a.full_adder(b, c).1,
                a.half_adder(b).0,
                a.half_adder(b).1,
                a.or3(b, c),
                a.or_and(b, c),
                simd.zero(),
                simd.ones(),
                simd.splat(self.a.0[0]),
                simd.load_at(self.words, self.at, part),
                simd.preceding(self.b, self.a, part),
                simd.following(self.a, self.b, part),
                simd.gather(self.blocks, self.index, part),
                simd.call(Sum(a, b)),
                b,
            ];
            for (result, word) in results.iter_mut().zip(words) {
                simd.store(result, part, word);
            }
            zeros.extend([a.is_zero(), simd.zero().is_zero()]);
        }
        (results, zeros)
    }
}

/// A kernel called from a kernel.
struct Sum<W>(W, W);

impl<W: Word> Kernel for Sum<W> {
    type Output = W;

    #[inline(always)]
    fn run<S: Simd>(self, _simd: S) -> W {
        self.0.add(self.1)
    }
}

/// The same on single words, written down once more.
fn expected(operations: &Operations<'_>) -> Vec<Block> {
    let Operations { a, b, c, words, at, blocks, index } = operations;
    let each = |f: &dyn Fn(u64, u64, u64) -> u64| Block(std::array::from_fn(|k| f(a.0[k], b.0[k], c.0[k])));
    let full = |condition: bool| if condition { u64::MAX } else { 0 };
    let bitwise = |f: fn(bool, bool, bool) -> bool| {
        each(&|a, b, c| (0..64).map(|k| u64::from(f(a >> k & 1 == 1, b >> k & 1 == 1, c >> k & 1 == 1)) << k).sum())
    };
    vec![
        bitwise(|a, b, _| a && b),
        bitwise(|a, b, _| a || b),
        bitwise(|a, b, _| a != b),
        bitwise(|a, b, _| a && !b),
        each(&|a, b, _| a.wrapping_add(b)),
        **a,
        each(&|a, _, _| a << 1),
        each(&|a, _, _| a << 17),
        each(&|a, _, _| a << 63),
        **a,
        each(&|a, _, _| a >> 1),
        each(&|a, _, _| a >> 37),
        each(&|a, _, _| a >> 63),
        each(&|a, _, _| a.rotate_left(1)),
        each(&|a, _, _| a.rotate_left(23)),
        each(&|a, _, _| a.rotate_left(45)),
        each(&|a, _, _| a.rotate_left(63)),
        each(&|a, b, _| full(a < b)),
        Block::ZERO,
        bitwise(|a, b, c| if a { b } else { c }),
        bitwise(|a, b, c| a && b == c),
        bitwise(|a, b, c| a ^ b ^ c),
        bitwise(|a, b, c| a ^ b ^ c),
        bitwise(|a, b, c| u8::from(a) + u8::from(b) + u8::from(c) >= 2),
        bitwise(|a, b, _| a ^ b),
        bitwise(|a, b, _| a && b),
        bitwise(|a, b, c| a || b || c),
        bitwise(|a, b, c| a || (b && c)),
        Block::ZERO,
        Block::ONES,
        Block([a.0[0]; WORDS]),
        Block(std::array::from_fn(|k| words[at + k])),
        Block(std::array::from_fn(|k| if k == 0 { b.0[7] } else { a.0[k - 1] })),
        Block(std::array::from_fn(|k| if k == 7 { b.0[0] } else { a.0[k + 1] })),
        Block(std::array::from_fn(|k| blocks[index[k] as usize / 8].0[index[k] as usize % 8])),
        each(&|a, b, _| a.wrapping_add(b)),
        **b,
    ]
}

#[test]
fn all_instruction_sets_do_the_same() {
    let mut rng = Streams::new(1).stream(0);
    for round in 0..200 {
        let mut block = |round: u32| {
            Block(std::array::from_fn(|k| match (round + k as u32) % 8 {
                0 => 0,
                1 => u64::MAX,
                2 => 1 << 63,
                _ => rng.next_u64(),
            }))
        };
        let (a, b, c) = (block(round), block(round / 8), block(round + 3));
        let a = if round == 7 { Block::ZERO } else { a };
        let blocks: Vec<Block> = (0..6).map(|k| block(k + 3)).collect();
        let words: Vec<u64> = blocks.iter().flat_map(|block| block.0).collect();
        let index = std::array::from_fn(|_| rng.random_range(0..48));
        let at = rng.random_range(0..=40);
        for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
            let operations = || Operations { a: &a, b: &b, c: &c, words: &words, at, blocks: &blocks, index: &index };
            let expected = expected(&operations());
            let (results, zeros) = set.run(operations());
            for (k, (result, expected)) in results.iter().zip(&expected).enumerate() {
                assert_eq!(result, expected, "operation {k} of {set:?}");
            }
            let parts = zeros.chunks(2).map(|pair| (pair[0], pair[1]));
            let width = WORDS / (zeros.len() / 2);
            for (words, zero) in a.0.chunks(width).zip(parts) {
                assert_eq!(zero, (words.iter().all(|&word| word == 0), true), "{set:?}");
            }
        }
    }
}

/// Results of all operations on some numbers.
struct NumberOperations<'a> {
    a: &'a Floats,
    b: &'a Floats,
    block: &'a Block,
}

impl Kernel for NumberOperations<'_> {
    type Output = (Vec<Floats>, Vec<u32>);

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Self::Output {
        let mut results = vec![Floats([0.0; FLOATS]); 12];
        let mut masks = vec![0; 5];
        for part in 0..S::PARTS {
            let first = FLOATS / S::PARTS * part;
            let [a, b] = [self.a, self.b].map(|floats| simd.load_floats(floats, part));
            let mask = simd.mask(self.block.0[0] as u32 >> first);
            let numbers = [
                a.add(b),
                a.sub(b),
                a.mul(b),
                a.min(b),
                a.max(b),
                a.abs(),
                a.with_sign_of(b),
                a.negate_where(mask),
                a.or_where_not(mask, b),
                a.lower_exponent(b),
                simd.whole_numbers(simd.load(self.block, part)),
                simd.splat_float(self.a.0[3]),
            ];
            for (result, number) in results.iter_mut().zip(numbers) {
                simd.store_floats(result, part, number);
            }
            let below = a.below(b);
            let of_part = [mask, below, b.below(a), mask & below, mask | below];
            masks.iter_mut().zip(of_part).for_each(|(bits, mask)| *bits |= mask.bits() << first);
        }
        (results, masks)
    }
}

#[test]
fn all_instruction_sets_do_the_same_with_numbers() {
    let mut rng = Streams::new(2).stream(0);
    let special =
        [0.0, -0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MIN_POSITIVE, f32::MAX, 1.0, 12_582_912.0, 1e-40];
    for _ in 0..500 {
        let mut floats = || {
            Floats(std::array::from_fn(|_| match rng.random_range(0..4) {
                0 => special[rng.random_range(0..special.len())],
                _ => rng.random_range(-2.0..2.0),
            }))
        };
        let (a, b) = (floats(), floats());
        let block = Block(std::array::from_fn(|_| rng.next_u64()));
        let each = |f: &dyn Fn(f32, f32, usize) -> f32| -> Vec<f32> {
            a.0.into_iter().zip(b.0).enumerate().map(|(k, (a, b))| f(a, b, k)).collect()
        };
        let bit = |k: usize| block.0[0] >> k & 1 == 1;
        let half = |k: usize| (block.0[k / 2] >> (32 * (k % 2))) as u32;
        let expected = [
            each(&|a, b, _| a + b),
            each(&|a, b, _| a - b),
            each(&|a, b, _| a * b),
            each(&|a, b, _| if a < b { a } else { b }),
            each(&|a, b, _| if a > b { a } else { b }),
            each(&|a, _, _| a.abs()),
            each(&|a, b, _| a.copysign(b)),
            each(&|a, _, k| if bit(k) { -a } else { a }),
            each(&|a, b, k| if bit(k) { a } else { b }),
            each(&|a, b, _| f32::from_bits(a.to_bits().wrapping_sub(b.to_bits() << 23))),
            each(&|_, _, k| (half(k) >> 1) as f32),
            vec![a.0[3]; FLOATS],
        ];
        let mask = |f: &dyn Fn(usize) -> bool| -> u32 { (0..FLOATS).map(|k| u32::from(f(k)) << k).sum() };
        let below = |k: usize| a.0[k] < b.0[k];
        let expected_masks = [
            mask(&bit),
            mask(&below),
            mask(&|k| b.0[k] < a.0[k]),
            mask(&|k| bit(k) && below(k)),
            mask(&|k| bit(k) || below(k)),
        ];
        let operations = || NumberOperations { a: &a, b: &b, block: &block };
        let sets = InstructionSet::ALL.into_iter().filter(|set| set.is_available());
        let results = sets.map(|set| set.run(operations()));
        for (set, (results, masks)) in results.enumerate() {
            for (k, (result, expected)) in results.iter().zip(&expected).enumerate() {
                // Which NaN it is does not matter.
                let bits = |x: &f32| if x.is_nan() { f32::NAN.to_bits() } else { x.to_bits() };
                let same = result.0.iter().map(bits).eq(expected.iter().map(bits));
                assert!(same, "operation {k} of set {set}: {result:?}, expected {expected:?} of {a:?} and {b:?}");
            }
            assert_eq!(masks, expected_masks);
        }
    }
}

#[test]
fn bits_of_blocks_are_counted_from_the_first_word() {
    let mut block = Block::ZERO;
    block.set_bit(64, true);
    assert_eq!(block, Block([0, 1, 0, 0, 0, 0, 0, 0]));
    assert!(block.bit(64) && !block.bit(0) && block.count_ones() == 1);
    block.set_bit(64, false);
    assert_eq!(block, Block::ZERO);
}

#[test]
fn absent_instructions_are_refused() {
    for set in InstructionSet::ALL {
        assert_eq!(set.check().is_ok(), set.is_available());
    }
    assert_eq!(InstructionSet::Portable.name(), "portable");
}
