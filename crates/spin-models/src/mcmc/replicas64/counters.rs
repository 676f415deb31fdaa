//! Sixty-four counters side by side: bit r of plane k is bit k of counter r.

/// Adds bits to 64 small counters; `PLANES` bits each, so that at most `2^PLANES - 1` words may be added.
#[inline]
pub(super) fn add_bit<const PLANES: usize>(planes: &mut [u64; PLANES], bit: u64) {
    let mut carry = bit;
    for plane in planes {
        (*plane, carry) = (*plane ^ carry, *plane & carry);
    }
}

/// The lanes whose counter equals `value`.
#[inline]
pub(super) fn equal<const PLANES: usize>(planes: &[u64; PLANES], value: u8) -> u64 {
    let mut lanes = u64::MAX;
    for (k, plane) in planes.iter().enumerate() {
        lanes &= if (value >> k) & 1 == 1 { *plane } else { !plane };
    }
    lanes
}

/// Adds many words to 64 large counters: one full adder a word on average.
///
/// A word waits at each level until its partner comes; the two and the sum of the level are then added, and the carry
/// goes one level up.
#[derive(Debug, Clone, Default)]
pub(super) struct BulkCounter {
    /// Sum bits and the word that waits, by level.
    levels: Vec<(u64, Option<u64>)>,
}

impl BulkCounter {
    /// Adds one bit to every counter.
    #[inline]
    pub fn add(&mut self, word: u64) {
        let mut carry = word;
        for (sum, waiting) in &mut self.levels {
            match waiting.take() {
                None => {
                    *waiting = Some(carry);
                    return;
                }
                Some(partner) => {
                    let half = *sum ^ partner;
                    (*sum, carry) = (half ^ carry, (*sum & partner) | (half & carry));
                }
            }
        }
        self.levels.push((0, Some(carry)));
    }

    /// The counters.
    pub fn counts(&self) -> [u64; 64] {
        let mut counts = [0; 64];
        for (k, &(sum, waiting)) in self.levels.iter().enumerate() {
            for (lane, count) in counts.iter_mut().enumerate() {
                let bits = ((sum >> lane) & 1) + ((waiting.unwrap_or(0) >> lane) & 1);
                *count += bits << k;
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;
    use linalg_core::rand::Rng;

    #[test]
    fn counters_count() {
        let mut rng = Streams::new(6).stream(0);
        for n_words in [0, 1, 2, 3, 15, 1000] {
            let mut bulk = BulkCounter::default();
            let mut small = [0; 4];
            let mut plain = [0; 64];
            for _ in 0..n_words {
                let word = rng.next_u64() & rng.next_u64();
                bulk.add(word);
                (0..64).for_each(|lane| plain[lane] += (word >> lane) & 1);
                if n_words <= 15 {
                    add_bit(&mut small, word);
                }
            }
            assert_eq!(bulk.counts(), plain);
            for value in 0..16u8 {
                let lanes = equal(&small, value);
                let expected = |lane: usize| n_words <= 15 && plain[lane] == u64::from(value);
                assert!(n_words > 15 || (0..64).all(|lane| ((lanes >> lane) & 1 == 1) == expected(lane)));
            }
        }
    }
}
