//! Shortest paths that end early, many times on one graph.

use linalg_core::graph::Csr;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::ControlFlow;

const NONE: u32 = u32::MAX;

/// Dijkstra's algorithm with memory that is cleared in no time.
#[derive(Debug)]
pub(super) struct Reach<'a> {
    graph: &'a Csr,
    weights: &'a [i64],
    /// The search that a vertex was last met in.
    stamp: Vec<u32>,
    search: u32,
    distance: Vec<i64>,
    /// The edge and the vertex a vertex was reached from.
    before: Vec<(u32, u32)>,
    heap: BinaryHeap<Reverse<(i64, u32)>>,
}

impl<'a> Reach<'a> {
    /// Weights must not be negative, and sums of two paths must not overflow.
    pub(super) fn new(graph: &'a Csr, weights: &'a [i64]) -> Self {
        let n = graph.n_vertices();
        Self {
            graph,
            weights,
            stamp: vec![0; n],
            search: 0,
            distance: vec![0; n],
            before: vec![(NONE, NONE); n],
            heap: BinaryHeap::new(),
        }
    }

    /// Shows vertices with their distances from `source`, nearest first, until told to stop.
    pub(super) fn from(&mut self, source: usize, mut show: impl FnMut(usize, i64) -> ControlFlow<()>) {
        self.search = self.search.wrapping_add(1);
        if self.search == 0 {
            self.stamp.fill(0);
            self.search = 1;
        }
        self.heap.clear();
        self.stamp[source] = self.search;
        self.distance[source] = 0;
        self.before[source] = (NONE, NONE);
        self.heap.push(Reverse((0, source as u32)));
        while let Some(Reverse((d, v))) = self.heap.pop() {
            let v = v as usize;
            if d > self.distance[v] {
                continue;
            }
            if show(v, d).is_break() {
                return;
            }
            for next in self.graph.neighbors(v) {
                let there = d + self.weights[next.edge];
                let u = next.vertex;
                if self.stamp[u] != self.search || there < self.distance[u] {
                    self.stamp[u] = self.search;
                    self.distance[u] = there;
                    self.before[u] = (next.edge as u32, v as u32);
                    self.heap.push(Reverse((there, u as u32)));
                }
            }
        }
    }

    /// The distance of a vertex that the last search showed.
    pub(super) fn distance(&self, v: usize) -> i64 {
        self.distance[v]
    }

    /// The edge through which the last search reached a vertex that it showed, and where from; `None` at its source.
    pub(super) fn before(&self, v: usize) -> Option<(usize, usize)> {
        let (edge, from) = self.before[v];
        (edge != NONE).then_some((edge as usize, from as usize))
    }
}
