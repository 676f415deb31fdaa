//! Flip probabilities as binary fractions, compared bit by bit.

use std::ops::Range;

use super::generator::Lanes;
use super::simd::{BITS, Block, Simd, Word};

/// Binary digits of a probability.
pub(super) const DIGITS: usize = 64;

/// The largest binary fraction of 64 digits that is not above `p`, as an integer.
///
/// `p - 2^-64 < fraction <= p` for every `p` in `[0, 1]`. For `p >= 2^-11` the digits hold the `f64` exactly; `p = 1`
/// becomes `1 - 2^-64`.
pub(super) fn binary_fraction(p: f64) -> u64 {
    // The product is exact, and the conversion truncates and saturates.
    (p * 2f64.powi(64)) as u64
}

/// A comparison of uniform numbers with thresholds that is under way, the leading digits first.
///
/// The first digit in which the two differ decides: where the threshold has the 1, the number is smaller.
#[derive(Clone, Copy)]
pub(super) struct Comparison<W> {
    /// Bits whose digits have agreed so far.
    pub(super) undecided: W,
    /// Bits decided for the smaller number. Meaningless where undecided.
    pub(super) below: W,
}

impl<W: Word> Comparison<W> {
    #[inline(always)]
    fn digit(&mut self, threshold: W, digit: W) {
        self.below = self.undecided.select(threshold, self.below);
        self.undecided = self.undecided.where_equal(threshold, digit);
    }
}

/// Thresholds of `C` classes of bits.
pub(super) trait Thresholds<const C: usize> {
    /// What the classes of one block are turned into.
    type Prepared<W: Word>;

    fn prepare<S: Simd>(&self, simd: S, classes: &[S::Word; C]) -> Self::Prepared<S::Word>;

    /// Leading digits that are 0 in all thresholds.
    fn leading_zeros(&self) -> usize;

    /// Compares one more digit.
    fn compare<S: Simd>(
        &self,
        simd: S,
        part: usize,
        prepared: &Self::Prepared<S::Word>,
        digit: usize,
        bits: S::Word,
        comparison: &mut Comparison<S::Word>,
    );

    /// Compares the digits of a range with fresh random bits.
    #[inline(always)]
    fn compare_all<S: Simd>(
        &self,
        simd: S,
        part: usize,
        prepared: &Self::Prepared<S::Word>,
        digits: Range<usize>,
        lanes: &mut Lanes<S::Word>,
        comparison: &mut Comparison<S::Word>,
    ) {
        for digit in digits {
            let bits = lanes.next();
            self.compare(simd, part, prepared, digit, bits, comparison);
        }
    }
}

/// One threshold a class, the same for all bits.
#[derive(Debug, Clone)]
pub(super) struct Uniform {
    /// Bit `c` of entry `k` is digit `k` of the threshold of class `c`.
    digits: [usize; DIGITS],
    leading_zeros: usize,
}

impl Uniform {
    /// # Panics
    /// If there are more than 16 classes.
    pub(super) fn new(fractions: &[u64]) -> Self {
        assert!(fractions.len() <= 16, "{} classes, at most 16", fractions.len());
        let digit = |k: usize| {
            let of_class = |(c, &fraction): (usize, &u64)| ((fraction >> (DIGITS - 1 - k) & 1) as usize) << c;
            fractions.iter().enumerate().map(of_class).sum()
        };
        let leading_zeros = fractions.iter().map(|fraction| fraction.leading_zeros() as usize).min();
        Self { digits: std::array::from_fn(digit), leading_zeros: leading_zeros.unwrap_or(DIGITS) }
    }
}

/// [`Uniform`] with the unions of classes of all `T` subsets at hand; `T` is `2^C`, or 1 to form them when needed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subsets<'a, const T: usize>(pub(super) &'a Uniform);

impl<const C: usize, const T: usize> Thresholds<C> for Subsets<'_, T> {
    type Prepared<W: Word> = ([W; T], [W; C]);

    #[inline(always)]
    fn leading_zeros(&self) -> usize {
        self.0.leading_zeros
    }

    #[inline(always)]
    fn prepare<S: Simd>(&self, simd: S, classes: &[S::Word; C]) -> Self::Prepared<S::Word> {
        let mut unions = [simd.zero(); T];
        if T > 1 {
            for (c, &class) in classes.iter().enumerate() {
                for k in 0..1 << c {
                    unions[1 << c | k] = unions[k] | class;
                }
            }
        }
        (unions, *classes)
    }

    #[inline(always)]
    fn compare<S: Simd>(
        &self,
        simd: S,
        _part: usize,
        (unions, classes): &Self::Prepared<S::Word>,
        digit: usize,
        bits: S::Word,
        comparison: &mut Comparison<S::Word>,
    ) {
        let subset = self.0.digits[digit];
        let undecided = comparison.undecided;
        if !S::Word::TERNARY {
            // Without instructions of three operands, digits that are equal in all classes are worth a branch, which
            // goes the same way every time.
            if subset == 0 {
                comparison.below = comparison.below.and_not(undecided);
                comparison.undecided = undecided.and_not(bits);
                return;
            }
            if subset + 1 == 1 << C {
                comparison.below = comparison.below | undecided;
                comparison.undecided = undecided & bits;
                return;
            }
        }
        let threshold = if T > 1 {
            unions[subset]
        } else {
            let mut union = simd.zero();
            for (c, &class) in classes.iter().enumerate() {
                let chosen = (subset as u64 >> c & 1).wrapping_neg();
                union = union.or_and(class, simd.splat(chosen));
            }
            union
        };
        comparison.digit(threshold, bits);
    }
}

/// Thresholds that differ from bit to bit.
#[derive(Debug, Clone)]
pub(super) struct PerBit {
    n_classes: usize,
    leading_zeros: usize,
    /// Digit `k` of class `c` at `k * n_classes + c`.
    digits: Vec<Block>,
}

impl PerBit {
    /// Thresholds `fraction(class, bit)`.
    pub(super) fn new(n_classes: usize, fraction: impl Fn(usize, usize) -> u64) -> Self {
        let mut digits = vec![Block::ZERO; DIGITS * n_classes];
        let mut leading_zeros = DIGITS;
        for c in 0..n_classes {
            for bit in 0..BITS {
                let fraction = fraction(c, bit);
                leading_zeros = leading_zeros.min(fraction.leading_zeros() as usize);
                for k in 0..DIGITS {
                    digits[k * n_classes + c].set_bit(bit, fraction >> (DIGITS - 1 - k) & 1 == 1);
                }
            }
        }
        Self { n_classes, leading_zeros, digits }
    }
}

impl<const C: usize> Thresholds<C> for &PerBit {
    type Prepared<W: Word> = [W; C];

    #[inline(always)]
    fn leading_zeros(&self) -> usize {
        self.leading_zeros
    }

    #[inline(always)]
    fn prepare<S: Simd>(&self, _simd: S, classes: &[S::Word; C]) -> Self::Prepared<S::Word> {
        *classes
    }

    #[inline(always)]
    fn compare<S: Simd>(
        &self,
        simd: S,
        part: usize,
        classes: &Self::Prepared<S::Word>,
        digit: usize,
        bits: S::Word,
        comparison: &mut Comparison<S::Word>,
    ) {
        let digits = &self.digits[digit * self.n_classes..][..self.n_classes];
        let mut threshold = simd.zero();
        for (&class, block) in classes.iter().zip(digits) {
            threshold = threshold.or_and(class, simd.load(block, part));
        }
        comparison.digit(threshold, bits);
    }
}

#[cfg(test)]
mod tests {
    use super::super::simd::{InstructionSet, Kernel};
    use super::*;

    #[test]
    fn probabilities_are_rounded_down_by_less_than_the_last_digit() {
        let unit = 2f64.powi(-64);
        let mut worst = 0f64;
        let grid = (0..=1000).map(|k| f64::from(k) / 1000.0);
        let small = (0..200).map(|k| 0.73 * 2f64.powi(-k)).chain((0..100).map(|k| (-0.37 * f64::from(k)).exp()));
        for p in grid.chain(small).chain([1.0 - f64::EPSILON / 2.0, f64::MIN_POSITIVE, 0.0, 1.0]) {
            let fraction = binary_fraction(p);
            // Exact in integers: p = mantissa 2^-shift.
            let (mantissa, shift) = exact(p);
            let error = if shift >= 64 {
                // The fraction is the mantissa without its last shift - 64 digits.
                let dropped = (shift - 64).min(127);
                assert_eq!(u128::from(fraction), mantissa >> dropped, "{p}");
                (mantissa - ((mantissa >> dropped) << dropped)) as f64 * 2f64.powi(-(shift as i32))
            } else {
                let scaled = mantissa << (64 - shift);
                assert_eq!(fraction, u64::try_from(scaled).unwrap_or(u64::MAX), "{p}");
                (scaled - u128::from(fraction)) as f64 * unit
            };
            assert!((0.0..=unit).contains(&error), "{p}: {error:e}");
            worst = worst.max(error);
        }
        // Probability 1 is off by the last digit; the bound asked for is 2^-32.
        assert!(worst <= unit && worst < 2f64.powi(-32));
    }

    /// `p = mantissa * 2^-shift`.
    fn exact(p: f64) -> (u128, u32) {
        let bits = p.to_bits();
        let (exponent, fraction) = ((bits >> 52) as u32, u128::from(bits & ((1 << 52) - 1)));
        if exponent == 0 { (fraction, 1074) } else { (fraction | 1 << 52, 1075 - exponent) }
    }

    /// Compares with numbers whose digits are given instead of drawn.
    struct Compare<'a, T, const C: usize> {
        thresholds: &'a T,
        classes: [Block; C],
        digits: &'a [Block],
    }

    impl<T: Thresholds<C>, const C: usize> Kernel for Compare<'_, T, C> {
        type Output = (Block, Block);

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> (Block, Block) {
            let (mut below, mut undecided) = (Block::ZERO, Block::ZERO);
            for part in 0..S::PARTS {
                let mut classes = [simd.zero(); C];
                for (word, block) in classes.iter_mut().zip(&self.classes) {
                    *word = simd.load(block, part);
                }
                let prepared = self.thresholds.prepare(simd, &classes);
                let all = classes.iter().fold(simd.zero(), |all, &class| all | class);
                let mut comparison = Comparison { undecided: all, below: simd.zero() };
                for (k, digit) in self.digits.iter().enumerate() {
                    let digit = simd.load(digit, part);
                    self.thresholds.compare(simd, part, &prepared, k, digit, &mut comparison);
                }
                simd.store(&mut below, part, comparison.below.and_not(comparison.undecided));
                simd.store(&mut undecided, part, comparison.undecided);
            }
            (below, undecided)
        }
    }

    /// Numbers of eight digits, one of the 256 for each of two classes in the 512 bits.
    fn all_numbers() -> ([Block; 2], Vec<Block>) {
        let mut classes = [Block::ZERO; 2];
        let mut digits = vec![Block::ZERO; 8];
        for bit in 0..BITS {
            classes[bit / 256].set_bit(bit, true);
            for (k, digit) in digits.iter_mut().enumerate() {
                digit.set_bit(bit, (bit % 256) >> (7 - k) & 1 == 1);
            }
        }
        (classes, digits)
    }

    fn check(result: (Block, Block), first: u64, second: u64, what: &str) {
        for bit in 0..BITS {
            let (number, threshold) = ((bit % 256) as u64, if bit < 256 { first } else { second });
            assert_eq!(result.0.bit(bit), number < threshold, "{number} < {threshold}, {what}");
            assert_eq!(result.1.bit(bit), number == threshold, "{number} = {threshold}, {what}");
        }
    }

    #[test]
    fn all_numbers_are_compared_right() {
        let (classes, digits) = all_numbers();
        for first in 0..256 {
            for second in [0, 1, 37, 64, 100, 128, 200, 255, first] {
                let uniform = Uniform::new(&[first << 56, second << 56]);
                let per_bit = PerBit::new(2, |class, _| [first, second][class] << 56);
                let table = Subsets::<4>(&uniform);
                let loops = Subsets::<1>(&uniform);
                for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
                    let digits = &digits;
                    check(set.run(Compare { thresholds: &table, classes, digits }), first, second, "table");
                    check(set.run(Compare { thresholds: &loops, classes, digits }), first, second, "unions");
                    check(set.run(Compare { thresholds: &&per_bit, classes, digits }), first, second, "a bit each");
                }
                let zeros = Thresholds::<2>::leading_zeros(&table);
                assert_eq!(zeros, Thresholds::<2>::leading_zeros(&&per_bit));
                assert_eq!(zeros, (first << 56).leading_zeros().min((second << 56).leading_zeros()) as usize);
            }
        }
    }

    #[test]
    fn bits_have_thresholds_of_their_own() {
        let (_, digits) = all_numbers();
        let classes = [Block::ONES];
        let per_bit = PerBit::new(1, |_, bit| ((bit * 7) as u64 % 256) << 56);
        for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
            let (below, _) = set.run(Compare { thresholds: &&per_bit, classes, digits: &digits });
            for bit in 0..BITS {
                assert_eq!(below.bit(bit), bit % 256 < (bit * 7) % 256);
            }
        }
    }
}
