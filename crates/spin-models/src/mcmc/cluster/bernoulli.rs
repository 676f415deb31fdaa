//! Sixty-four independent decisions a word.

use linalg_core::rand::Rng;

/// A probability as a binary fraction of 64 bits.
///
/// Rounded down by less than 2⁻⁶⁴; a probability of 1 is kept apart, as it has no such fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fraction {
    bits: u64,
    certain: bool,
}

impl Fraction {
    /// From a probability in 0..=1.
    pub fn new(probability: f64) -> Self {
        // 2^64 is a power of two: the product is exact and the cast cuts only below 2^-64.
        Self { bits: (probability * 18_446_744_073_709_551_616.0) as u64, certain: probability >= 1.0 }
    }

    /// The activation probability `1 - exp(-2βJ)` of a satisfied bond.
    pub fn activation(beta: f64, coupling: f64) -> Self {
        let exponent = 2.0 * beta * coupling;
        Self::new(if exponent.is_nan() { 0.0 } else { -(-exponent).exp_m1() })
    }

    /// Sets each bit of `wanted` with this probability, independently; other bits are 0.
    ///
    /// The bits of a uniform number and of the probability are compared from the highest on, in all lanes at once;
    /// a lane is decided at the first difference. About `log2(ones) + 4/3` words are drawn.
    #[inline]
    pub fn choose<R: Rng + ?Sized>(self, wanted: u64, rng: &mut R) -> u64 {
        if self.certain {
            return wanted;
        }
        let (mut undecided, mut chosen, mut bits) = (wanted, 0, self.bits);
        while undecided != 0 && bits != 0 {
            let random = rng.next_u64();
            if bits >> 63 == 1 {
                chosen |= undecided & !random;
                undecided &= random;
            } else {
                undecided &= !random;
            }
            bits <<= 1;
        }
        chosen
    }

    /// [`choose`](Self::choose) for several words in one loop, which ends when all are decided.
    #[inline]
    pub fn choose_each<const K: usize, R: Rng + ?Sized>(self, wanted: [u64; K], rng: &mut R) -> [u64; K] {
        if self.certain {
            return wanted;
        }
        let (mut undecided, mut chosen, mut bits) = (wanted, [0; K], self.bits);
        while undecided.iter().any(|&word| word != 0) && bits != 0 {
            for k in 0..K {
                let random = rng.next_u64();
                if bits >> 63 == 1 {
                    chosen[k] |= undecided[k] & !random;
                    undecided[k] &= random;
                } else {
                    undecided[k] &= !random;
                }
            }
            bits <<= 1;
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use linalg_core::rng::Streams;

    use super::*;

    #[test]
    fn ends_are_exact() {
        let mut rng = Streams::new(1).stream(0);
        assert_eq!(Fraction::new(0.0).choose(!0, &mut rng), 0);
        assert_eq!(Fraction::new(1.0).choose(0b1011, &mut rng), 0b1011);
        assert_eq!(Fraction::activation(1e308, 1e308).choose(!0, &mut rng), !0);
        assert_eq!(Fraction::activation(0.0, 1.0).choose(!0, &mut rng), 0);
        assert_eq!(Fraction::activation(f64::INFINITY, 0.0).choose(!0, &mut rng), 0);
    }

    /// Each lane: |z| < 4.5 over 20000 words (64 lanes, six probabilities: one false alarm in 400 seeds); lanes in
    /// pairs: their product has mean p², |z| < 4.5.
    #[test]
    fn lanes_have_the_probability_and_are_independent() {
        let words = 20_000;
        for (k, p) in [0.5858, 0.358, 0.01, 0.99, 0.5, 1.0 / 3.0].into_iter().enumerate() {
            let mut rng = Streams::new(2).stream(k as u64);
            let wanted = 0xffff_ffff_ffff_fff5;
            let mut ones = [0u32; 64];
            let mut neighbours = 0u32;
            for _ in 0..words {
                let word = Fraction::new(p).choose(wanted, &mut rng);
                assert_eq!(word & !wanted, 0);
                for (lane, count) in ones.iter_mut().enumerate() {
                    *count += (word >> lane & 1) as u32;
                }
                neighbours += (word & (word >> 1) & 0x5555_5555_5555_5550).count_ones();
            }
            let z = |count: f64, n: f64, p: f64| (count - n * p) / (n * p * (1.0 - p)).sqrt();
            for lane in (0..64).filter(|lane| wanted >> lane & 1 == 1) {
                assert!(z(f64::from(ones[lane]), f64::from(words), p).abs() < 4.5, "lane {lane} at {p}");
            }
            assert!(z(f64::from(neighbours), f64::from(words) * 30.0, p * p).abs() < 4.5, "pairs at {p}");
        }
    }
}
