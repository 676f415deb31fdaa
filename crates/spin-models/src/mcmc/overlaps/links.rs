//! Link overlaps by counting bits.

use std::collections::BTreeMap;

/// The bonds of a link overlap, sorted so that most of them are counted 64 at a time.
///
/// Bonds that join sites at the same distance in their numbers, as those of one direction of a lattice do, need a
/// shift, a mask and a population count; the others are looked up one by one.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Links {
    edges: Vec<(u32, u32)>,
    /// A distance, and a bit for each lower end of a bond of that length.
    shifts: Vec<(u32, Vec<u64>)>,
    rest: Vec<(u32, u32)>,
}

impl Links {
    /// # Panics
    /// If a site is not below `n_spins`, or a bond joins a site to itself.
    pub fn new(n_spins: usize, edges: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let narrow = |(i, j): (usize, usize)| {
            assert!(i < n_spins && j < n_spins && i != j, "link ({i}, {j}) of {n_spins} spins");
            (i as u32, j as u32)
        };
        let edges: Vec<(u32, u32)> = edges.into_iter().map(narrow).collect();
        let words = n_spins.div_ceil(64);
        let mut groups: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for &(i, j) in &edges {
            groups.entry(i.abs_diff(j)).or_default().push(i.min(j));
        }
        let (mut shifts, mut rest) = (Vec::new(), Vec::new());
        for (distance, ends) in groups {
            if 2 * ends.len() < words {
                rest.extend(ends.into_iter().map(|i| (i, i + distance)));
                continue;
            }
            let mut mask = vec![0u64; words];
            for i in ends {
                let (word, bit) = (i as usize / 64, 1 << (i % 64));
                if mask[word] & bit == 0 {
                    mask[word] |= bit;
                } else {
                    // A second bond between the same sites.
                    rest.push((i, i + distance));
                }
            }
            shifts.push((distance, mask));
        }
        Self { edges, shifts, rest }
    }

    pub fn edges(&self) -> &[(u32, u32)] {
        &self.edges
    }

    pub fn len(&self) -> usize {
        self.edges.len()
    }

    pub fn is_empty(&self) -> bool {
        self.edges.is_empty()
    }

    /// `Σ t_i t_j` over the bonds, where bit i of `differ` says that `t_i = -1`.
    pub fn sum(&self, differ: &[u64]) -> i64 {
        let mut unequal = 0u64;
        for (distance, mask) in &self.shifts {
            let (skip, bits) = (*distance as usize / 64, distance % 64);
            let above = &differ[skip..];
            for (w, (&low, &m)) in differ.iter().zip(mask).enumerate().take(above.len()) {
                let next = above.get(w + 1).copied().unwrap_or(0);
                // The second shift in two steps: a distance of 64 k must not shift by 64.
                let shifted = above[w] >> bits | next << 1 << (63 - bits);
                unequal += u64::from(((low ^ shifted) & m).count_ones());
            }
        }
        let bit = |i: u32| differ[i as usize / 64] >> (i % 64);
        unequal += self.rest.iter().map(|&(i, j)| (bit(i) ^ bit(j)) & 1).sum::<u64>();
        self.len() as i64 - 2 * unequal as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::{Boundary, Lattice};
    use linalg_core::Streams;
    use linalg_core::rand::RngExt;

    #[test]
    fn counted_bits_are_the_sum_over_bonds() {
        let mut rng = Streams::new(5).stream(0);
        let shapes: [Lattice; 6] = [
            Lattice::cubic(6, Boundary::Periodic).unwrap(),
            Lattice::square(8, Boundary::Periodic).unwrap(),
            Lattice::square(2, Boundary::Periodic).unwrap(),
            Lattice::triangular([5, 13], [Boundary::Periodic, Boundary::Free]).unwrap(),
            Lattice::chain(129, Boundary::Periodic).unwrap(),
            Lattice::random_regular(200, 3, &mut rng).unwrap(),
        ];
        for lattice in shapes {
            let n = lattice.n_sites();
            // Bonds in either direction, and one given twice.
            let edges = lattice.edges().map(|(i, j)| if i % 2 == 0 { (i, j) } else { (j, i) });
            let twice = lattice.edges().next().unwrap();
            let edges: Vec<(usize, usize)> = edges.chain([twice]).collect();
            let links = Links::new(n, edges.iter().copied());
            for _ in 0..20 {
                let t: Vec<i64> = (0..n).map(|_| if rng.random_bool(0.4) { -1 } else { 1 }).collect();
                let mut words = vec![0u64; n.div_ceil(64)];
                (0..n).filter(|&i| t[i] < 0).for_each(|i| words[i / 64] |= 1 << (i % 64));
                assert_eq!(links.sum(&words), edges.iter().map(|&(i, j)| t[i] * t[j]).sum::<i64>());
            }
        }
    }

    #[test]
    fn a_lattice_needs_no_lookups() {
        let lattice = Lattice::cubic(8, Boundary::Periodic).unwrap();
        let links = Links::new(512, lattice.edges());
        assert_eq!((links.shifts.len(), links.rest.len()), (6, 0));
    }
}
