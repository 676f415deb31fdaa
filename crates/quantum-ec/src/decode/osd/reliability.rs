//! Bits in the order of their posteriors.

/// Bits sorted as far as they are asked for, the most negative posterior first, equal ones by number.
#[derive(Debug, Clone)]
pub(crate) struct Reliability {
    keys: Vec<u64>,
    sorted: usize,
    next: usize,
}

/// Bits sorted at a time.
const CHUNK: usize = 512;

/// A posterior and a bit as one number, in the order of the posteriors, then of the bits.
pub(crate) fn key(posterior: f32, bit: u32) -> u64 {
    // Adding zero makes -0 equal to 0. Floats order like integers once negative ones are complemented.
    let bits = (posterior + 0.0).to_bits();
    let ordered = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
    u64::from(ordered) << 32 | u64::from(bit)
}

impl Reliability {
    pub(crate) fn new(n: usize) -> Self {
        Self { keys: Vec::with_capacity(n), sorted: 0, next: 0 }
    }

    pub(crate) fn restart(&mut self, posteriors: &[f32]) {
        self.keys.clear();
        self.keys.extend(posteriors.iter().enumerate().map(|(bit, &x)| key(x, bit as u32)));
        (self.sorted, self.next) = (0, 0);
    }
}

impl Iterator for Reliability {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if self.next == self.sorted {
            let rest = &mut self.keys[self.sorted..];
            let take = CHUNK.max(self.sorted).min(rest.len());
            if take < rest.len() {
                rest.select_nth_unstable(take);
            }
            rest[..take].sort_unstable();
            self.sorted += take;
        }
        let key = self.keys.get(self.next)?;
        self.next += 1;
        Some(*key as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_that_of_a_stable_sort() {
        let posteriors: Vec<f32> = (0..3000u32).map(|k| f32::from(((k * 7919) % 501) as i16 - 250) / 8.0).collect();
        let mut expected: Vec<u32> = (0..3000).collect();
        expected.sort_by(|&a, &b| posteriors[a as usize].total_cmp(&posteriors[b as usize]));
        let mut reliability = Reliability::new(3000);
        for _ in 0..2 {
            reliability.restart(&posteriors);
            assert_eq!(reliability.by_ref().collect::<Vec<_>>(), expected);
        }
        assert_eq!(key(-0.0, 3), key(0.0, 3));
    }
}
