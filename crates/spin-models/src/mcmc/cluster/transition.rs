//! Exact transition matrices of the kernels, from every sequence of decisions they can meet.

use super::draws::{Draws, Threshold};
use crate::model::{CachedModel, EnergyModel};
use crate::models::{Duplicates, Ising};
use crate::spins::Spins;

/// Walks through all sequences of decisions, depth first, with their probabilities.
#[derive(Default)]
pub(super) struct AllPaths {
    /// The options taken so far and the options there are: `(taken, number)`.
    path: Vec<(u32, u32)>,
    depth: usize,
    weight: f64,
}

impl AllPaths {
    /// Calls `run` once for every path; `run` is given the decisions and afterwards `weigh` the path's probability.
    pub fn visit(mut run: impl FnMut(&mut Self) -> usize, mut weigh: impl FnMut(usize, f64)) {
        let mut paths = Self::default();
        loop {
            paths.depth = 0;
            paths.weight = 1.0;
            let outcome = run(&mut paths);
            assert_eq!(paths.depth, paths.path.len(), "the code decides differently on the same path");
            weigh(outcome, paths.weight);
            while paths.path.last().is_some_and(|&(taken, number)| taken + 1 == number) {
                paths.path.pop();
            }
            match paths.path.last_mut() {
                Some((taken, _)) => *taken += 1,
                None => return,
            }
        }
    }

    fn decide(&mut self, number: u32) -> u32 {
        if self.depth == self.path.len() {
            self.path.push((0, number));
        }
        let (taken, known) = self.path[self.depth];
        assert_eq!(known, number, "the code decides differently on the same path");
        self.depth += 1;
        taken
    }
}

impl Draws for AllPaths {
    fn happens(&mut self, threshold: Threshold) -> bool {
        let p = threshold.probability();
        // A certain decision is no branching.
        if p <= 0.0 || p >= 1.0 {
            return p >= 1.0;
        }
        let yes = self.decide(2) == 0;
        self.weight *= if yes { p } else { 1.0 - p };
        yes
    }

    fn below(&mut self, n: u32) -> u32 {
        self.weight /= f64::from(n);
        self.decide(n)
    }
}

fn state_of(s: &[i8]) -> usize {
    s.iter().enumerate().map(|(i, &spin)| usize::from(spin < 0) << i).sum()
}

/// Row `a`, column `b`: probability that a step leads from state `a` to state `b`.
///
/// Checks on the way that the cache stays that of the configuration.
pub(super) fn transition_matrix(
    model: &Ising,
    mut step: impl FnMut(&mut [i8], &mut Vec<f64>, &mut AllPaths),
) -> Vec<Vec<f64>> {
    let n = model.n_spins();
    (0..1usize << n)
        .map(|state| {
            let mut row = vec![0.0; 1 << n];
            let run = |draws: &mut AllPaths| {
                let mut s = Spins::from_state(state as u64, n).into_vec();
                let mut cache = model.cache(&s);
                step(&mut s, &mut cache, draws);
                for (kept, fresh) in cache.iter().zip(model.cache(&s)) {
                    approx::assert_abs_diff_eq!(*kept, fresh, epsilon = 1e-13);
                }
                state_of(&s)
            };
            AllPaths::visit(run, |outcome, weight| row[outcome] += weight);
            row
        })
        .collect()
}

/// The Boltzmann distribution over states.
pub(super) fn boltzmann(model: &Ising, beta: f64) -> Vec<f64> {
    let n = model.n_spins();
    let energies: Vec<f64> = (0..1u64 << n).map(|state| model.energy(&Spins::from_state(state, n))).collect();
    let lowest = energies.iter().copied().fold(f64::INFINITY, f64::min);
    let weights: Vec<f64> = energies.iter().map(|energy| (-beta * (energy - lowest)).exp()).collect();
    let z: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / z).collect()
}

/// Rows sum to one and `π_a P_ab = π_b P_ba`, to 1e-12; stationarity follows.
pub(super) fn assert_reversible(distribution: &[f64], matrix: &[Vec<f64>]) {
    for (a, row) in matrix.iter().enumerate() {
        approx::assert_abs_diff_eq!(row.iter().sum::<f64>(), 1.0, epsilon = 1e-12);
        for (b, &p) in row.iter().enumerate() {
            approx::assert_abs_diff_eq!(distribution[a] * p, distribution[b] * matrix[b][a], epsilon = 1e-12);
        }
    }
}

pub(super) fn assert_detailed_balance(model: &Ising, beta: f64, matrix: &[Vec<f64>]) {
    let distribution = boltzmann(model, beta);
    assert_reversible(&distribution, matrix);
    for b in 0..matrix.len() {
        let next: f64 = (0..matrix.len()).map(|a| distribution[a] * matrix[a][b]).sum();
        approx::assert_abs_diff_eq!(next, distribution[b], epsilon = 1e-12);
    }
}

/// Every state can be reached from every other.
pub(super) fn assert_irreducible(matrix: &[Vec<f64>]) {
    for start in 0..matrix.len() {
        let mut reached = vec![false; matrix.len()];
        let mut queue = vec![start];
        while let Some(a) = queue.pop() {
            if !std::mem::replace(&mut reached[a], true) {
                queue.extend((0..matrix.len()).filter(|&b| matrix[a][b] > 0.0));
            }
        }
        assert!(reached.iter().all(|&r| r), "from state {start} only {reached:?}");
    }
}

/// Small models with everything that can go wrong: frustration, fields of both signs, a coupling of 0, an isolated
/// spin, a torus of length 2, a single spin.
pub(super) fn frustrated_models() -> Vec<(Ising, f64)> {
    let triangle = Ising::builder(3).couplings([(0, 1, 1.0), (1, 2, 1.0), (0, 2, -1.0)]);
    let complete = Ising::builder(4)
        .couplings([(0, 1, 0.6), (0, 2, -0.9), (0, 3, 0.3), (1, 2, 0.0), (1, 3, -0.4), (2, 3, 1.1)])
        .fields([0.5, 0.0, -0.7, 0.2])
        .offset(3.0);
    let isolated = Ising::builder(4).couplings([(0, 1, -0.8), (1, 3, 0.5)]).field(2, 0.0);
    let ladder =
        [(0, 1, 1.0), (1, 0, 1.0), (2, 3, 1.0), (3, 2, 1.0), (0, 2, 1.0), (2, 0, 1.0), (1, 3, 1.0), (3, 1, 1.0)];
    let torus = Ising::builder(4).couplings(ladder).duplicates(Duplicates::Sum).field(1, -0.6);
    let single = Ising::builder(1).field(0, -0.4);
    let free = Ising::builder(1);
    [(triangle, 0.7), (complete, 0.8), (isolated, 1.3), (torus, 0.3), (single, 0.9), (free, 1.0)]
        .into_iter()
        .map(|(builder, beta)| (builder.build().unwrap(), beta))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_all_and_weighted() {
        // A die of three; on 2 a coin of 1/4.
        let mut outcomes = [0.0; 4];
        AllPaths::visit(
            |draws| match draws.below(3) {
                2 if draws.happens(Threshold::new(0.25)) => 3,
                side => side as usize,
            },
            |outcome, weight| outcomes[outcome] += weight,
        );
        for (p, expected) in outcomes.into_iter().zip([1.0 / 3.0, 1.0 / 3.0, 0.25, 1.0 / 12.0]) {
            approx::assert_abs_diff_eq!(p, expected, epsilon = 1e-15);
        }
    }

    #[test]
    #[should_panic(expected = "assert_abs_diff_eq")]
    fn a_biased_step_is_noticed() {
        let (model, beta) = frustrated_models().swap_remove(0);
        let matrix = transition_matrix(&model, |s, cache, draws| {
            let i = draws.below(3) as usize;
            let delta = model.delta_cached(cache, s, i);
            if draws.happens(Threshold::new((-1.01 * beta * delta).exp())) {
                model.flip(cache, s, i);
            }
        });
        assert_detailed_balance(&model, beta, &matrix);
    }
}
