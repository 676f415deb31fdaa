//! Better solutions than the one without free columns.

use super::elimination::Elimination;
use super::params::OsdOrder;
use crate::decode::belief_propagation::FactorGraph;
use crate::shots::{ones, words_per_row};

/// Memory of a search.
#[derive(Debug, Clone, Default)]
pub(crate) struct Search {
    /// The weight of the pivot of each row, 0 without one.
    weights: Vec<f64>,
    /// Reduced columns of the first free bits.
    reduced: Vec<u64>,
    sum: Vec<u64>,
    best: Best,
}

#[derive(Debug, Clone, Default)]
struct Best {
    /// Weight gained, at most 0.
    change: f64,
    free: Vec<u32>,
    pattern: Vec<u64>,
}

impl Search {
    /// Changes `bits`, the solution without free columns, by the pattern of free columns that makes its weight least; of
    /// equally heavy ones the first stays.
    pub(crate) fn improve(
        &mut self,
        graph: &FactorGraph,
        elimination: &Elimination,
        free: &[u32],
        order: OsdOrder,
        bits: &mut Vec<u32>,
    ) {
        let words = words_per_row(graph.n_detectors);
        self.weights.clear();
        let weight = |row| elimination.owner(row).map_or(0.0, |bit| graph.weights[bit as usize]);
        self.weights.extend((0..graph.n_detectors).map(weight));
        self.sum.clear();
        self.sum.resize(words, 0);
        self.best.change = 0.0;
        self.best.free.clear();
        self.best.pattern.clear();
        self.best.pattern.resize(words, 0);
        match order {
            OsdOrder::Zero => {}
            OsdOrder::CombinationSweep(order) => self.sweep(graph, elimination, free, order, words),
            OsdOrder::Exhaustive(order) => self.exhaust(graph, elimination, free, order, words),
        }
        if self.best.free.is_empty() {
            return;
        }
        bits.clear();
        bits.extend_from_slice(&self.best.free);
        let solution = elimination.reduced_syndrome().iter().zip(&self.best.pattern);
        for (word, (a, b)) in solution.enumerate() {
            bits.extend(ones(&[a ^ b]).filter_map(|place| elimination.owner(64 * word + place)));
        }
    }

    /// Every free column alone, and every pair of the first `order`.
    fn sweep(&mut self, graph: &FactorGraph, elimination: &Elimination, free: &[u32], order: usize, words: usize) {
        let first = &free[..order.min(free.len())];
        self.tabulate(graph, elimination, first, words);
        for &bit in free {
            elimination.reduce(graph, bit, &mut self.sum);
            self.try_pattern(graph, elimination, &[bit]);
        }
        for a in 0..first.len() {
            for b in a + 1..first.len() {
                let (x, y) = (&self.reduced[a * words..(a + 1) * words], &self.reduced[b * words..(b + 1) * words]);
                self.sum.iter_mut().zip(x.iter().zip(y)).for_each(|(sum, (x, y))| *sum = x ^ y);
                self.try_pattern(graph, elimination, &[first[a], first[b]]);
            }
        }
    }

    /// Every pattern of the first `order` free columns, each one column away from the last.
    fn exhaust(&mut self, graph: &FactorGraph, elimination: &Elimination, free: &[u32], order: usize, words: usize) {
        let first = &free[..order.min(free.len())];
        self.tabulate(graph, elimination, first, words);
        let mut chosen = [0u32; OsdOrder::MOST_EXHAUSTIVE];
        let mut gray = 0u64;
        for step in 1..1u64 << first.len() {
            let k = step.trailing_zeros() as usize;
            gray ^= 1 << k;
            let column = &self.reduced[k * words..(k + 1) * words];
            self.sum.iter_mut().zip(column).for_each(|(sum, x)| *sum ^= x);
            let mut n = 0;
            for k in ones(&[gray]) {
                chosen[n] = first[k];
                n += 1;
            }
            self.try_pattern(graph, elimination, &chosen[..n]);
        }
    }

    fn tabulate(&mut self, graph: &FactorGraph, elimination: &Elimination, first: &[u32], words: usize) {
        self.reduced.clear();
        self.reduced.resize(first.len() * words, 0);
        for (k, &bit) in first.iter().enumerate() {
            elimination.reduce(graph, bit, &mut self.reduced[k * words..(k + 1) * words]);
        }
    }

    /// Takes the pattern whose reduced sum is in `self.sum`, if it is lighter than the best.
    fn try_pattern(&mut self, graph: &FactorGraph, elimination: &Elimination, free: &[u32]) {
        let solution = elimination.reduced_syndrome();
        let mut change: f64 = free.iter().map(|&bit| graph.weights[bit as usize]).sum();
        // What leaves the solution, then what enters it: the second is the longer list and can be cut short.
        for (word, (sum, solution)) in self.sum.iter().zip(solution).enumerate() {
            ones(&[sum & solution]).for_each(|place| change -= self.weights[64 * word + place]);
        }
        for (word, (sum, solution)) in self.sum.iter().zip(solution).enumerate() {
            if change >= self.best.change {
                return;
            }
            ones(&[sum & !solution]).for_each(|place| change += self.weights[64 * word + place]);
        }
        if change < self.best.change {
            self.best.change = change;
            self.best.free.clear();
            self.best.free.extend_from_slice(free);
            self.best.pattern.copy_from_slice(&self.sum);
        }
    }
}
