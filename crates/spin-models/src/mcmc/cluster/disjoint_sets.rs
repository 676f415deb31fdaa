//! Disjoint sets in a flat array: the labelling of clusters.
//!
//! `parent[k] <= k` always holds, so that one ascending pass finds every root.

/// Joins the sets of `a` and `b`, the larger root under the smaller.
///
/// Rem's algorithm (Dijkstra, *A Discipline of Programming*, 1976): both paths are followed in one loop and
/// shortened on the way, which has fewer unpredictable branches than two finds.
#[inline]
pub(super) fn union(parent: &mut [u32], a: u32, b: u32) {
    let (mut a, mut b) = (a as usize, b as usize);
    loop {
        let (parent_a, parent_b) = (parent[a], parent[b]);
        if parent_a == parent_b {
            return;
        }
        if parent_a < parent_b {
            parent[b] = parent_a;
            if b == parent_b as usize {
                return;
            }
            b = parent_b as usize;
        } else {
            parent[a] = parent_b;
            if a == parent_a as usize {
                return;
            }
            a = parent_a as usize;
        }
    }
}

/// Points every element at its root, the smallest element of its set, and counts the sets.
pub(super) fn flatten(parent: &mut [u32]) -> usize {
    let mut sets = 0;
    for k in 0..parent.len() {
        let up = parent[k] as usize;
        sets += usize::from(up == k);
        parent[k] = parent[up];
    }
    sets
}

#[cfg(test)]
mod tests {
    use linalg_core::rand::RngExt;
    use linalg_core::rng::Streams;

    use super::*;

    #[test]
    fn sets_are_those_of_repeated_relabelling() {
        let mut rng = Streams::new(11).stream(0);
        for round in 0..200 {
            let n = 1 + round % 40;
            let mut parent: Vec<u32> = (0..n).collect();
            let mut slow = parent.clone();
            for _ in 0..rng.random_range(0..2 * n) {
                let (a, b) = (rng.random_range(0..n), rng.random_range(0..n));
                union(&mut parent, a, b);
                let (from, to) = (slow[a as usize].max(slow[b as usize]), slow[a as usize].min(slow[b as usize]));
                slow.iter_mut().filter(|label| **label == from).for_each(|label| *label = to);
            }
            let sets = flatten(&mut parent);
            assert_eq!(parent, slow);
            assert_eq!(sets, (0..n).filter(|&k| slow[k as usize] == k).count());
        }
    }
}
