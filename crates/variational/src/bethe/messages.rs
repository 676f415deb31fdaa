//! The messages, their updates, and the schedules.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use linalg_core::{Observer, Streams};
use rand::RngExt;
use spin_models::Progress;

use super::combine::combine;
use super::factor_graph::FactorGraph;
use super::params::{BetheParams, Schedule};

/// Messages of factors to variables, as fields on the variables.
#[derive(Debug)]
pub(super) struct Messages<'a> {
    pub(super) graph: &'a FactorGraph,
    pub(super) beta: f64,
    /// `u_{a→i}` for every edge.
    pub(super) to_site: Vec<f64>,
    /// `H_i = β h_i + Σ_a u_{a→i}`.
    pub(super) total: Vec<f64>,
}

/// How an iteration ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    pub(super) residual: f64,
    pub(super) sweeps: u64,
}

/// The combination of all but one of `values` and `first`, for every one of them, into `out`.
///
/// Prefixes forwards, suffixes backwards: `2k` combinations.
pub(super) fn all_but_one(first: f64, values: &[f64], out: &mut [f64]) {
    let k = values.len();
    let mut prefix = first;
    for (out, &value) in out.iter_mut().zip(values) {
        *out = prefix;
        prefix = combine(prefix, value);
    }
    let mut suffix = f64::INFINITY;
    for i in (0..k).rev() {
        out[i] = combine(out[i], suffix);
        suffix = combine(suffix, values[i]);
    }
}

impl<'a> Messages<'a> {
    pub(super) fn new(graph: &'a FactorGraph, beta: f64, params: &BetheParams) -> Self {
        let mut rng = Streams::new(params.seed).fast_stream(0);
        let to_site = (0..graph.n_edges()).map(|_| params.noise * (2.0 * rng.random::<f64>() - 1.0)).collect();
        let mut messages = Self { graph, beta, to_site, total: Vec::new() };
        messages.sum_up();
        messages
    }

    /// Recomputes the total fields, which gather rounding while messages change one by one.
    pub(super) fn sum_up(&mut self) {
        let sum = |i: usize| self.graph.edges_of(i).iter().map(|&e| self.to_site[e as usize]).sum::<f64>();
        self.total = self.graph.fields().iter().enumerate().map(|(i, h)| self.beta * h + sum(i)).collect();
    }

    /// What the sites of factor `a` send to it.
    #[inline]
    pub(super) fn cavity(&self, a: usize, out: &mut Vec<f64>) {
        out.clear();
        let edges = self.graph.edges(a);
        out.extend(self.graph.sites(a).iter().zip(&self.to_site[edges]).map(|(&i, u)| self.total[i as usize] - u));
    }

    /// What factor `a` would send, from what it receives.
    #[inline]
    fn answer(&self, a: usize, cavity: &[f64], out: &mut Vec<f64>) {
        let coupling = self.beta * self.graph.weights()[a];
        out.clear();
        if let [first, second] = *cavity {
            out.extend([combine(coupling, second), combine(coupling, first)]);
        } else {
            out.resize(cavity.len(), 0.0);
            all_but_one(coupling, cavity, out);
        }
    }

    /// Replaces the messages of factor `a`; returns the largest undamped change.
    #[inline]
    fn send(&mut self, a: usize, new: &[f64], damping: f64) -> f64 {
        let mut largest = 0.0f64;
        for (e, &new) in self.graph.edges(a).zip(new) {
            let change = new - self.to_site[e];
            largest = largest.max(change.abs());
            let step = (1.0 - damping) * change;
            self.to_site[e] += step;
            self.total[self.graph.sites(a)[e - self.graph.edges(a).start] as usize] += step;
        }
        largest
    }

    pub(super) fn run(&mut self, params: &BetheParams, observer: &mut dyn Observer<Progress>) -> End {
        match params.schedule {
            Schedule::Residual => self.run_residual(params, observer),
            Schedule::DoubleLoop => self.run_double_loop(params, observer),
            schedule => self.run_sweeps(params, schedule, observer),
        }
    }

    fn run_sweeps(&mut self, params: &BetheParams, schedule: Schedule, observer: &mut dyn Observer<Progress>) -> End {
        let n = self.graph.n_factors();
        let (mut cavity, mut new) = (Vec::new(), Vec::new());
        let mut flooded = Vec::new();
        let mut end = End { residual: f64::INFINITY, sweeps: 0 };
        while end.sweeps < params.max_sweeps && end.residual > params.tolerance {
            end.residual = 0.0;
            if schedule == Schedule::Parallel {
                flooded.clear();
                for a in 0..n {
                    self.cavity(a, &mut cavity);
                    self.answer(a, &cavity, &mut new);
                    flooded.extend_from_slice(&new);
                }
                for a in 0..n {
                    let change = self.send(a, &flooded[self.graph.edges(a)], params.damping);
                    end.residual = end.residual.max(change);
                }
            } else {
                let backwards = end.sweeps % 2 == 1;
                for k in 0..n {
                    let a = if backwards { n - 1 - k } else { k };
                    self.cavity(a, &mut cavity);
                    self.answer(a, &cavity, &mut new);
                    end.residual = end.residual.max(self.send(a, &new, params.damping));
                }
            }
            self.sum_up();
            end.sweeps += 1;
            let progress = Progress::new("belief propagation", end.sweeps, params.max_sweeps);
            if observer.observe(&progress).is_break() {
                break;
            }
        }
        end
    }

    /// How far the messages of factor `a` are from what it would send.
    fn residual(&self, a: usize, cavity: &mut Vec<f64>, new: &mut Vec<f64>) -> f64 {
        self.cavity(a, cavity);
        self.answer(a, cavity, new);
        let old = &self.to_site[self.graph.edges(a)];
        new.iter().zip(old).fold(0.0, |largest: f64, (new, old)| largest.max((new - old).abs()))
    }

    fn run_residual(&mut self, params: &BetheParams, observer: &mut dyn Observer<Progress>) -> End {
        let n = self.graph.n_factors();
        let (mut cavity, mut new) = (Vec::new(), Vec::new());
        let mut queue = Queue::new((0..n).map(|a| self.residual(a, &mut cavity, &mut new)).collect());
        let mut end = End { residual: f64::INFINITY, sweeps: 0 };
        let mut updates = 0u64;
        loop {
            let Some((largest, a)) = queue.largest() else {
                end.residual = 0.0;
                break;
            };
            end.residual = largest;
            if largest <= params.tolerance || end.sweeps >= params.max_sweeps {
                break;
            }
            self.cavity(a, &mut cavity);
            self.answer(a, &cavity, &mut new);
            self.send(a, &new, params.damping);
            queue.set(a, if params.damping > 0.0 { self.residual(a, &mut cavity, &mut new) } else { 0.0 });
            for &site in self.graph.sites(a) {
                for &e in self.graph.edges_of(site as usize) {
                    let b = self.graph.factor_of(e as usize);
                    if b != a {
                        queue.set(b, self.residual(b, &mut cavity, &mut new));
                    }
                }
            }
            updates += 1;
            if updates.is_multiple_of(n as u64) {
                end.sweeps += 1;
                self.sum_up();
                let progress = Progress::new("belief propagation", end.sweeps, params.max_sweeps);
                if observer.observe(&progress).is_break() {
                    break;
                }
            }
        }
        if n > 0 && !updates.is_multiple_of(n as u64) {
            end.sweeps += 1;
        }
        self.sum_up();
        end
    }
}

/// Entries of the queue a factor, at most.
const ENTRIES: usize = 4;

/// Factors by their residuals, the largest first.
#[derive(Debug)]
struct Queue {
    residuals: Vec<f64>,
    /// Every factor with its residual, among entries that a later change has overtaken.
    heap: BinaryHeap<Waiting>,
}

impl Queue {
    fn new(residuals: Vec<f64>) -> Self {
        let mut queue = Self { heap: BinaryHeap::new(), residuals };
        queue.rebuild();
        queue
    }

    fn rebuild(&mut self) {
        self.heap.clear();
        self.heap.extend(self.residuals.iter().enumerate().map(|(a, &residual)| Waiting(residual, a)));
    }

    fn set(&mut self, a: usize, residual: f64) {
        self.residuals[a] = residual;
        // A large residual on top can hold back any number of overtaken entries: without this they would fill the memory.
        if self.heap.len() < ENTRIES * self.residuals.len() {
            self.heap.push(Waiting(residual, a));
        } else {
            self.rebuild();
        }
    }

    fn largest(&mut self) -> Option<(f64, usize)> {
        while self.heap.peek().is_some_and(|top| top.0.total_cmp(&self.residuals[top.1]).is_ne()) {
            self.heap.pop();
        }
        self.heap.peek().map(|top| (top.0, top.1))
    }
}

/// A factor in the queue, the largest residual first.
#[derive(Debug)]
struct Waiting(f64, usize);

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0).then(other.1.cmp(&self.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The factor of the largest residual, the first of equal ones, after any changes; and no more entries than four a factor.
    #[test]
    fn the_queue_stays_small_and_in_order() {
        let mut rng = Streams::new(1).fast_stream(0);
        let mut queue = Queue::new(vec![0.5; 7]);
        assert_eq!(queue.largest().unwrap().1, 0);
        for step in 0..5000 {
            // Mostly falling, so that few entries are ever looked at; every second step does not look.
            let (a, residual) = (rng.random_range(0..7u64) as usize, rng.random::<f64>() / f64::from(step + 1));
            queue.set(a, residual);
            assert!(queue.heap.len() <= ENTRIES * 7);
            if step % 2 == 0 {
                let (largest, a) = queue.largest().unwrap();
                let first = (0..7).rev().max_by(|&a, &b| queue.residuals[a].total_cmp(&queue.residuals[b])).unwrap();
                assert_eq!((largest.to_bits(), a), (queue.residuals[first].to_bits(), first));
            }
        }
        assert!(Queue::new(Vec::new()).largest().is_none());
    }
}
