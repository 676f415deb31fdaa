//! Removing couplings one by one.

use super::super::{Reconstruction, Samples};
use super::{LocalParams, LocalProblem, Loss, Penalty};
use crate::Result;

/// Pseudolikelihood with decimation: the smallest couplings are removed step by step, and the graph with the largest tilted
/// pseudolikelihood is kept.
///
/// ```math
/// L_t(x) = L(x) - x L_{\max} - (1 - x) L_{\min}
/// ```
///
/// where x is the share of couplings left, `L_max` the pseudolikelihood with all and `L_min` that with none (fields only). L
/// hardly falls while couplings are removed that are not there, so that `L_t` rises until the others begin to go. At
/// both ends `L_t = 0`; in a tie the larger graph is kept.
///
/// Cost: a fit of pseudolikelihood for every step, on ever fewer couplings.
///
/// ```
/// use spin_models::inverse::{Decimation, Samples};
///
/// // The chain 0 - 1 - 2 with J = 1: e^{s_0 s_1 + s_1 s_2} for the eight configurations.
/// let weight = |k: usize| {
///     let s = [0, 1, 2].map(|i| 1.0 - 2.0 * ((k >> i) & 1) as f64);
///     (s[0] * s[1] + s[1] * s[2]).exp()
/// };
/// let samples = Samples::from_states(3, &(0..8).map(weight).collect::<Vec<_>>())?;
/// let (found, _) = Decimation::default().reconstruct(&samples)?;
/// let pairs: Vec<_> = found.pairs(0.0).iter().map(|&(i, j, _)| (i, j)).collect();
/// assert_eq!(pairs, [(0, 1), (1, 2)]);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// Reference: A. Decelle and F. Ricci-Tersenghi, Phys. Rev. Lett. 112, 070603 (2014).
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Decimation {
    /// Share of the couplings left that a step removes, at least one; default 0.05.
    pub share: f64,
    /// Strength of an ℓ2 penalty that keeps all couplings finite in the first steps; default 1e-4.
    pub l2: f64,
    /// Threads, 0 for all; default 0.
    pub threads: usize,
}

/// A step of a decimation.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct DecimationStep {
    /// Couplings left.
    pub couplings: usize,
    /// Pseudo-log-likelihood of a spin.
    pub score: f64,
    /// The tilted one.
    pub tilted: f64,
}

impl Default for Decimation {
    fn default() -> Self {
        Self { share: 0.05, l2: 1e-4, threads: 0 }
    }
}

impl Decimation {
    /// Sets the share removed in a step.
    pub fn share(mut self, share: f64) -> Self {
        self.share = share;
        self
    }

    /// Sets the strength of ℓ2.
    pub fn l2(mut self, strength: f64) -> Self {
        self.l2 = strength;
        self
    }

    /// Sets the number of threads.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// The couplings of the best graph, fitted on it, and all steps.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter); [`Error::ConstantSpin`](crate::Error::ConstantSpin), and with `l2 = 0`
    /// all that [`LocalParams::reconstruct`] reports.
    pub fn reconstruct(&self, samples: &Samples) -> Result<(Reconstruction, Vec<DecimationStep>)> {
        super::check_range("share", self.share, f64::MIN_POSITIVE, 1.0, "0 < share <= 1")?;
        let penalty = if self.l2 > 0.0 { Penalty::L2(self.l2) } else { Penalty::None };
        let params = LocalParams::new(Loss::PseudoLikelihood).penalty(penalty).threads(self.threads).tolerance(1e-6);
        super::check_range("l2", self.l2, 0.0, f64::MAX, "a finite number >= 0")?;
        let problem = LocalProblem::new(&params, samples)?;
        let n = samples.n_spins();
        let mut present: Vec<bool> = (0..n * n).map(|k| k / n != k % n).collect();
        let mut last = vec![0.0; n * n];
        let mut fields = vec![0.0; n];
        let mut steps: Vec<DecimationStep> = Vec::new();
        let mut graphs = Vec::new();
        loop {
            let lists = (0..n).map(|i| (0..n).filter(|&j| j == i || present[i * n + j]).collect()).collect();
            let neighborhoods = problem.neighborhoods(lists);
            let start = |i: usize, j: usize| if i == j { fields[i] } else { last[i * n + j] };
            let starts = neighborhoods
                .iter()
                .map(|neighborhood| neighborhood.variables.iter().map(|&j| start(neighborhood.spin, j)).collect())
                .collect();
            let fits = problem.fit(&neighborhoods, starts, 0.0, self.l2)?;
            let mut found = problem.reconstruction("decimation", &neighborhoods, &fits);
            let score = problem.score(&found);
            found.score = Some(score);
            let pairs: Vec<(usize, usize)> =
                (0..n * n).map(|k| (k / n, k % n)).filter(|&(i, j)| i < j && present[i * n + j]).collect();
            steps.push(DecimationStep { couplings: pairs.len(), score, tilted: 0.0 });
            last.clone_from(&found.couplings);
            fields.clone_from(&found.fields);
            let mut order = pairs.clone();
            order.sort_by(|a, b| last[a.0 * n + a.1].abs().total_cmp(&last[b.0 * n + b.1].abs()));
            let removed = ((self.share * order.len() as f64) as usize).max(1);
            graphs.push(found);
            if order.is_empty() {
                break;
            }
            for &(i, j) in order.iter().take(removed) {
                present[i * n + j] = false;
                present[j * n + i] = false;
                last[i * n + j] = 0.0;
                last[j * n + i] = 0.0;
            }
        }
        let (most, least) = (steps[0].score, steps[steps.len() - 1].score);
        let all = steps[0].couplings.max(1) as f64;
        for step in &mut steps {
            let share = step.couplings as f64 / all;
            step.tilted = step.score - share * most - (1.0 - share) * least;
        }
        // The last of equal ones, here that with the most couplings: both ends of the row have L_t = 0.
        let best = (0..steps.len()).rev().max_by(|&a, &b| steps[a].tilted.total_cmp(&steps[b].tilted)).unwrap_or(0);
        Ok((graphs.swap_remove(best), steps))
    }
}
