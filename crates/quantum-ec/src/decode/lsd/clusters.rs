//! Clusters of checks that grow towards likely errors, and merge.

use super::super::belief_propagation::FactorGraph;
use super::super::osd::{Elimination, Offered, key};
use crate::shots::ones;

/// A check in no cluster.
const OUTSIDE: u32 = u32::MAX;

/// Disjoint clusters. A cluster is named by its root, one of its checks.
#[derive(Debug, Clone)]
pub(super) struct Clusters {
    /// A forest of checks.
    parent: Vec<u32>,
    size: Vec<u32>,
    /// By roots: rows without pivot whose syndrome bit is one.
    unexplained: Vec<i64>,
    /// By roots: a heap of the bits at its checks, some of which may have been taken already.
    candidates: Vec<Vec<u64>>,
    taken: Vec<bool>,
    active: Vec<u32>,
    /// Bits whose columns were sums of earlier ones, in the order they were met.
    pub(super) dependent: Vec<u32>,
}

impl Clusters {
    pub(super) fn new(graph: &FactorGraph) -> Self {
        let m = graph.n_detectors;
        Self {
            parent: vec![OUTSIDE; m],
            size: vec![0; m],
            unexplained: vec![0; m],
            candidates: vec![Vec::new(); m],
            taken: vec![false; graph.n_bits()],
            active: Vec::with_capacity(m),
            dependent: Vec::with_capacity(graph.n_bits()),
        }
    }

    /// A cluster for each one of the syndrome.
    pub(super) fn restart(&mut self, graph: &FactorGraph, posteriors: &[f32], syndrome: &[u64]) {
        self.parent.fill(OUTSIDE);
        self.taken.fill(false);
        self.dependent.clear();
        self.active.clear();
        for i in ones(syndrome) {
            self.add_check(graph, posteriors, i);
            self.unexplained[i] = 1;
            self.active.push(i as u32);
        }
    }

    pub(super) fn root(&mut self, i: u32) -> u32 {
        let mut i = i;
        while self.parent[i as usize] != i {
            let above = self.parent[self.parent[i as usize] as usize];
            self.parent[i as usize] = above;
            i = above;
        }
        i
    }

    fn add_check(&mut self, graph: &FactorGraph, posteriors: &[f32], i: usize) {
        self.parent[i] = i as u32;
        self.size[i] = 1;
        self.unexplained[i] = 0;
        self.candidates[i].clear();
        for &bit in graph.check(i) {
            if !self.taken[bit as usize] {
                push(&mut self.candidates[i], key(posteriors[bit as usize], bit));
            }
        }
    }

    fn merge(&mut self, a: u32, b: u32) -> u32 {
        if a == b {
            return a;
        }
        let (large, small) = if self.size[a as usize] >= self.size[b as usize] { (a, b) } else { (b, a) };
        self.parent[small as usize] = large;
        self.size[large as usize] += self.size[small as usize];
        self.unexplained[large as usize] += self.unexplained[small as usize];
        let mut moved = std::mem::take(&mut self.candidates[small as usize]);
        for &key in &moved {
            push(&mut self.candidates[large as usize], key);
        }
        moved.clear();
        // Memory stays where it was.
        self.candidates[small as usize] = moved;
        large
    }

    /// Adds the most likely bit at the border of a cluster; the root of what it has become, none if it has no border.
    fn grow(
        &mut self,
        graph: &FactorGraph,
        posteriors: &[f32],
        elimination: &mut Elimination,
        root: u32,
    ) -> Option<u32> {
        let bit = loop {
            let bit = pop(&mut self.candidates[root as usize])? as u32;
            if !self.taken[bit as usize] {
                break bit;
            }
        };
        self.taken[bit as usize] = true;
        let mut root = root;
        for &i in graph.bit(bit as usize) {
            if self.parent[i as usize] == OUTSIDE {
                self.add_check(graph, posteriors, i as usize);
            }
            let other = self.root(i);
            root = self.merge(root, other);
        }
        match elimination.offer(graph, bit) {
            Offered::Dependent => self.dependent.push(bit),
            Offered::Pivot { unexplained } => self.unexplained[root as usize] += unexplained,
        }
        Some(root)
    }

    /// Grows all clusters, a bit each in turn, until each explains its part of the syndrome. Whether all do.
    pub(super) fn grow_until_solved(
        &mut self,
        graph: &FactorGraph,
        posteriors: &[f32],
        elimination: &mut Elimination,
    ) -> bool {
        let mut active = std::mem::take(&mut self.active);
        let mut possible = true;
        while !active.is_empty() {
            for &root in &active {
                // Clusters that were merged in this round grow with their root only.
                if self.parent[root as usize] == root
                    && self.unexplained[root as usize] > 0
                    && self.grow(graph, posteriors, elimination, root).is_none()
                {
                    // A whole component, which no other cluster can reach.
                    possible = false;
                    self.unexplained[root as usize] = 0;
                }
            }
            for root in &mut active {
                *root = self.root(*root);
            }
            active.sort_unstable();
            active.dedup();
            active.retain(|&root| self.unexplained[root as usize] > 0);
        }
        self.active = active;
        possible
    }

    /// Grows every cluster by up to `n` bits.
    pub(super) fn grow_all(
        &mut self,
        graph: &FactorGraph,
        posteriors: &[f32],
        elimination: &mut Elimination,
        syndrome: &[u64],
        n: usize,
    ) {
        let mut active = std::mem::take(&mut self.active);
        active.clear();
        active.extend(ones(syndrome).map(|i| i as u32));
        for _ in 0..n {
            for root in &mut active {
                *root = self.root(*root);
            }
            active.sort_unstable();
            active.dedup();
            for &root in &active {
                if self.parent[root as usize] == root {
                    self.grow(graph, posteriors, elimination, root);
                }
            }
        }
        self.active = active;
    }
}

/// Adds to a heap with the least on top.
fn push(heap: &mut Vec<u64>, key: u64) {
    heap.push(key);
    let mut k = heap.len() - 1;
    while k > 0 && heap[(k - 1) / 2] > heap[k] {
        heap.swap(k, (k - 1) / 2);
        k = (k - 1) / 2;
    }
}

/// Takes the least from a heap.
fn pop(heap: &mut Vec<u64>) -> Option<u64> {
    let last = heap.len().checked_sub(1)?;
    heap.swap(0, last);
    let least = heap.pop();
    let mut k = 0;
    loop {
        let child = match (heap.get(2 * k + 1), heap.get(2 * k + 2)) {
            (Some(a), Some(b)) if b < a => 2 * k + 2,
            (Some(_), _) => 2 * k + 1,
            _ => return least,
        };
        if heap[k] <= heap[child] {
            return least;
        }
        heap.swap(k, child);
        k = child;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heaps_sort() {
        let mut heap = Vec::new();
        let keys: Vec<u64> = (0..200).map(|k| k * 7919 % 263).collect();
        keys.iter().for_each(|&key| push(&mut heap, key));
        let mut sorted = keys;
        sorted.sort_unstable();
        assert_eq!(std::iter::from_fn(|| pop(&mut heap)).collect::<Vec<_>>(), sorted);
        assert_eq!(pop(&mut heap), None);
    }
}
