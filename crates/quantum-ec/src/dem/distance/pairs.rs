//! All pairs of mechanisms by what they flip together.

/// Most pairs: 128 MiB.
const MAX_PAIRS: usize = 1 << 24;

/// Pairs of mechanisms in buckets of their hashes.
pub(super) struct Pairs {
    /// Pairs of bucket b are those from `starts[b]` to `starts[b + 1]`.
    starts: Vec<u32>,
    pairs: Vec<[u32; 2]>,
    shift: u32,
}

impl Pairs {
    /// The number of pairs of a list, if it is small enough.
    pub(super) fn count(n: usize) -> Option<usize> {
        let pairs = n.checked_mul(n.saturating_sub(1))? / 2;
        (1..=MAX_PAIRS).contains(&pairs).then_some(pairs)
    }

    /// All pairs of a list of hashes that add up by exclusive or; there must be a [`count`](Self::count).
    pub(super) fn new(hashes: &[u64]) -> Self {
        let n = Self::count(hashes.len()).unwrap_or(0);
        let shift = 64 - n.next_power_of_two().trailing_zeros().max(1);
        let each = || (0..hashes.len()).flat_map(|i| (0..i).map(move |j| [i as u32, j as u32]));
        let bucket = |pair: [u32; 2]| ((hashes[pair[0] as usize] ^ hashes[pair[1] as usize]) >> shift) as usize;
        let mut starts = vec![0u32; (1 << (64 - shift)) + 1];
        each().for_each(|pair| starts[bucket(pair) + 1] += 1);
        (1..starts.len()).for_each(|b| starts[b] += starts[b - 1]);
        let mut next = starts.clone();
        let mut pairs = vec![[0; 2]; n];
        for pair in each() {
            let place = &mut next[bucket(pair)];
            pairs[*place as usize] = pair;
            *place += 1;
        }
        Self { starts, pairs, shift }
    }

    /// Pairs that may have this sum; others of the bucket are among them.
    pub(super) fn candidates(&self, hash: u64) -> &[[u32; 2]] {
        let bucket = (hash >> self.shift) as usize;
        &self.pairs[self.starts[bucket] as usize..self.starts[bucket + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_is_in_the_bucket_of_its_sum() {
        let hashes: Vec<u64> = (1..40u64).map(|k| k.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        let pairs = Pairs::new(&hashes);
        for i in 0..hashes.len() {
            for j in 0..i {
                assert!(pairs.candidates(hashes[i] ^ hashes[j]).contains(&[i as u32, j as u32]));
            }
        }
        assert_eq!(
            (Pairs::count(0), Pairs::count(1), Pairs::count(3), Pairs::count(1 << 20)),
            (None, None, Some(3), None)
        );
    }
}
