//! Sixty-four biased coins at once.

use linalg_core::rand::Rng;

/// A probability as a 64-bit fraction: `p = threshold / 2^64`, or certainty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coin {
    Never,
    Always,
    Biased(u64),
}

impl Coin {
    /// Rounds `p` to 64 bits.
    pub fn new(p: f64) -> Self {
        const SCALE: f64 = 18_446_744_073_709_551_616.0;
        if p >= 1.0 {
            return Self::Always;
        }
        // The cast saturates; NaN gives 0.
        match (p * SCALE).round() as u64 {
            0 => Self::Never,
            threshold => Self::Biased(threshold),
        }
    }
}

/// Rounds made before the first look whether lanes are left: cheaper than a look after every round.
const BLIND_ROUNDS: usize = 8;

/// Tosses the coins of `G` groups of lanes: group `g` has probability `thresholds[g] / 2^64` and the lanes `lanes[g]`.
///
/// Every lane compares its own uniform number, made of the same bit of successive random words, with its threshold,
/// from the highest bit down, and drops out at the first difference. Half of the lanes drop out a word, so that seven
/// or eight words decide all 64.
#[inline]
pub(super) fn toss<const G: usize, R: Rng + ?Sized>(mut thresholds: [u64; G], lanes: [u64; G], rng: &mut R) -> u64 {
    let mut undecided = lanes.iter().fold(0, |all, lanes| all | lanes);
    let mut heads = 0;
    let mut round = |undecided: &mut u64| {
        let random = rng.next_u64();
        let mut threshold = 0;
        for (left, lanes) in thresholds.iter_mut().zip(lanes) {
            // All ones where the highest bit is set.
            threshold |= ((*left as i64 >> 63) as u64) & lanes;
            *left <<= 1;
        }
        heads |= *undecided & threshold & !random;
        *undecided &= !(threshold ^ random);
    };
    for _ in 0..BLIND_ROUNDS {
        round(&mut undecided);
    }
    // After 64 equal bits the number is not below the threshold.
    let mut rounds = BLIND_ROUNDS;
    while undecided != 0 && rounds < 64 {
        round(&mut undecided);
        rounds += 1;
    }
    heads
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;

    #[test]
    fn frequencies_and_independence() {
        // 2·10⁵ tosses of 64 coins, seed 1: 128 frequencies within 4.5 standard deviations, and 63 + 1 covariances of
        // neighbouring lanes and of successive tosses.
        let n = 200_000;
        let mut rng = Streams::new(1).fast_stream(0);
        let (low, high) = (0x0000_0000_ffff_ffff, 0xffff_ffff_0000_0000);
        for (p, q) in [(0.5, 1e-3), ((-0.8f64).exp(), 0.9), (1.0 - 1e-4, 0.125)] {
            let threshold = |p| match Coin::new(p) {
                Coin::Biased(threshold) => threshold,
                other => panic!("{other:?}"),
            };
            let (mut ones, mut both, mut again, mut previous) = ([0u32; 64], [0u32; 64], [0u32; 64], 0u64);
            for _ in 0..n {
                let heads = toss([threshold(p), threshold(q)], [low, high], &mut rng);
                for lane in 0..64 {
                    ones[lane] += (heads >> lane) as u32 & 1;
                    both[lane] += ((heads & heads.rotate_right(1)) >> lane) as u32 & 1;
                    again[lane] += ((heads & previous) >> lane) as u32 & 1;
                }
                previous = heads;
            }
            let probability = |lane: usize| if lane < 32 { p } else { q };
            let check = |count: u32, expected: f64, what: &str, lane: usize| {
                let deviation = (f64::from(n) * expected * (1.0 - expected)).sqrt();
                let z = (f64::from(count) - f64::from(n) * expected) / deviation;
                // A Poisson count of mean 0.2 has no Gaussian tail: two more are allowed.
                assert!(z.abs() < 4.5 || f64::from(count) < f64::from(n) * expected + 4.0, "{what} {lane}: z = {z}");
            };
            for lane in 0..64 {
                let (mine, next) = (probability(lane), probability((lane + 1) % 64));
                check(ones[lane], mine, "lane", lane);
                check(both[lane], mine * next, "neighbours", lane);
                // Successive pairs overlap; the variance is larger by less than a factor of three.
                let expected = mine * mine;
                let deviation = (3.0 * f64::from(n) * expected * (1.0 - expected)).sqrt() + 2.0;
                assert!((f64::from(again[lane]) - f64::from(n) * expected).abs() < 4.0 * deviation);
            }
        }
    }

    #[test]
    fn ends_and_absent_lanes() {
        assert_eq!(Coin::new(1.0), Coin::Always);
        assert_eq!(Coin::new(0.0), Coin::Never);
        assert_eq!(Coin::new(1e-30), Coin::Never);
        assert_eq!(Coin::new(f64::NAN), Coin::Never);
        assert_eq!(Coin::new(0.5), Coin::Biased(1 << 63));
        let mut rng = Streams::new(1).fast_stream(1);
        for _ in 0..1000 {
            assert_eq!(toss([1 << 63], [0xff], &mut rng) & !0xff, 0);
        }
        assert_eq!(toss([], [], &mut rng), 0);
    }
}
