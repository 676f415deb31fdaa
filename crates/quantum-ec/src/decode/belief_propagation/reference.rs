//! Belief propagation as in a textbook: dense, in double precision, one message after the other.

use linalg_core::gf2::BitVec;

use super::{BpMethod, BpParams, Scaling, Schedule};
use crate::problem::DecodingProblem;

struct Dense<'a> {
    h: Vec<Vec<bool>>,
    syndrome: &'a BitVec,
    params: &'a BpParams,
    /// From checks.
    u: Vec<Vec<f64>>,
    /// To checks.
    v: Vec<Vec<f64>>,
}

impl Dense<'_> {
    fn message(&self, i: usize, j: usize, t: i32) -> f64 {
        let others = || (0..self.h[i].len()).filter(|&k| k != j && self.h[i][k]).map(|k| self.v[i][k]);
        let sign = if self.syndrome.get(i) { -1.0 } else { 1.0 };
        match self.params.method {
            BpMethod::SumProduct => sign * others().reduce(box_plus).expect("two bits at every check"),
            BpMethod::MinSum => {
                let sign = sign * others().map(f64::signum).product::<f64>();
                let size = others().map(f64::abs).fold(8192.0, f64::min);
                sign * match self.params.scaling {
                    Scaling::Adaptive => size * (1.0 - 0.5f64.powi(t)),
                    Scaling::Factor(x) => size * x,
                    Scaling::Offset(x) => (size - x).max(0.0),
                }
            }
        }
    }

    /// One iteration of all checks, then of all bits, whose last posteriors count by `memory`.
    #[allow(clippy::needless_range_loop, reason = "indices as in the formulas")]
    fn flood(&mut self, prior: &[f64], posterior: &mut [f64], memory: impl Fn(usize) -> f64, t: i32) {
        let (m, n) = (self.h.len(), prior.len());
        let message = |i: usize, j: usize| if self.h[i][j] { self.message(i, j, t) } else { 0.0 };
        self.u = (0..m).map(|i| (0..n).map(|j| message(i, j)).collect()).collect();
        for j in 0..n {
            let checks: Vec<usize> = (0..m).filter(|&i| self.h[i][j]).collect();
            let base = prior[j] + memory(j) * (posterior[j] - prior[j]);
            posterior[j] = base + checks.iter().map(|&i| self.u[i][j]).sum::<f64>();
            for &i in &checks {
                let others: f64 = checks.iter().filter(|&&l| l != i).map(|&l| self.u[l][j]).sum();
                self.v[i][j] = base + others;
            }
        }
    }
}

/// The posteriors at the end of legs of `params.iterations` each, by the strengths of every leg: messages begin anew, posteriors
/// are remembered.
pub(super) fn relayed(
    problem: &DecodingProblem,
    syndrome: &BitVec,
    params: &BpParams,
    legs: &[Vec<f64>],
) -> Vec<Vec<f64>> {
    let (m, n) = (problem.n_detectors(), problem.n_mechanisms());
    let h: Vec<Vec<bool>> = (0..m).map(|i| (0..n).map(|j| problem.checks().column(j).contains(&i)).collect()).collect();
    let prior: Vec<f64> = (0..n).map(|j| problem.weight(j)).collect();
    let mut posterior = prior.clone();
    let leg = |strengths: &Vec<f64>| {
        let mut b = Dense { h: h.clone(), syndrome, params, u: vec![vec![0.0; n]; m], v: vec![prior.clone(); m] };
        for t in 1..=params.iterations as i32 {
            b.flood(&prior, &mut posterior, |j| strengths[j], t);
        }
        posterior.clone()
    };
    legs.iter().map(leg).collect()
}

/// $`2 \operatorname{artanh}(\tanh(a/2) \tanh(b/2))`$ without saturation.
fn box_plus(a: f64, b: f64) -> f64 {
    let least = a.signum() * b.signum() * a.abs().min(b.abs());
    least + (-(a + b).abs()).exp().ln_1p() - (-(a - b).abs()).exp().ln_1p()
}

/// The posteriors after all iterations, without early stopping.
#[allow(clippy::needless_range_loop, reason = "indices as in the formulas")]
pub(super) fn posteriors(problem: &DecodingProblem, syndrome: &BitVec, params: &BpParams) -> Vec<f64> {
    let (m, n) = (problem.n_detectors(), problem.n_mechanisms());
    let h: Vec<Vec<bool>> = (0..m).map(|i| (0..n).map(|j| problem.checks().column(j).contains(&i)).collect()).collect();
    let prior: Vec<f64> = (0..n).map(|j| problem.weight(j)).collect();
    let checks_of = |j: usize| (0..m).filter(|&i| h[i][j]).collect::<Vec<_>>();
    let mut b = Dense { h: h.clone(), syndrome, params, u: vec![vec![0.0; n]; m], v: vec![prior.clone(); m] };
    let mut posterior = prior.clone();
    for t in 1..=params.iterations as i32 {
        match params.schedule {
            Schedule::Flooding => b.flood(&prior, &mut posterior, |_| params.memory, t),
            Schedule::Layered => {
                for i in 0..m {
                    for j in (0..n).filter(|&j| h[i][j]) {
                        let others: f64 = checks_of(j).iter().filter(|&&l| l != i).map(|&l| b.u[l][j]).sum();
                        b.v[i][j] = prior[j] + others;
                    }
                    for j in (0..n).filter(|&j| h[i][j]) {
                        b.u[i][j] = b.message(i, j, t);
                    }
                }
            }
            Schedule::Serial => {
                for j in 0..n {
                    for &i in &checks_of(j) {
                        b.u[i][j] = b.message(i, j, t);
                    }
                    for &i in &checks_of(j) {
                        let others: f64 = checks_of(j).iter().filter(|&&l| l != i).map(|&l| b.u[l][j]).sum();
                        b.v[i][j] = prior[j] + others;
                    }
                }
            }
            Schedule::Random => unreachable!("the order is not known here"),
        }
        if params.schedule != Schedule::Flooding {
            for j in 0..n {
                posterior[j] = prior[j] + checks_of(j).iter().map(|&i| b.u[i][j]).sum::<f64>();
            }
        }
    }
    posterior
}
