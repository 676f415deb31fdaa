//! The iterations behind all orders.

use linalg_core::{Observer, Streams};
use rand::RngExt;
use spin_models::{PairwiseModel, Progress};

use super::graph::Graph;
use super::params::{MeanFieldParams, Update};
use super::plefka::{Plefka, PlefkaOrder};
use crate::{Error, Result};
use linalg_core::cholesky::Cholesky;

/// Most spins for the linear response: a dense matrix.
const MOST_RESPONSE: usize = 4096;

/// Magnetizations of a mean-field theory with the free energy there.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct MeanFieldSolution {
    /// ln Z: a lower bound at first order, an approximation at the others.
    pub ln_z: f64,
    /// The mean energy, extensive, constant included; at higher orders the derivative of the expansion by β.
    pub energy: f64,
    /// The magnetizations.
    pub magnetizations: Vec<f64>,
    /// Whether the last sweep changed no magnetization by more than the tolerance.
    pub converged: bool,
    /// The largest change of a magnetization in the last sweep, undamped.
    pub residual: f64,
    /// Sweeps of the start that won.
    pub sweeps: u64,
}

/// Solves the equations of one order.
pub(super) fn solve<M: PairwiseModel + ?Sized>(
    model: &M,
    beta: f64,
    order: PlefkaOrder,
    params: &MeanFieldParams,
    observer: &mut dyn Observer<Progress>,
) -> Result<MeanFieldSolution> {
    params.validate()?;
    let graph = Graph::new(model, beta)?;
    let plefka = Plefka::new(&graph, order)?;
    let mut best: Option<MeanFieldSolution> = None;
    for start in 0..params.starts {
        let mut rng = Streams::new(params.seed).stream(start as u64);
        let spread = if start == 0 { 1e-3 } else { 1.0 };
        let near = |h: f64| if start == 0 { h.tanh() } else { 0.0 };
        let m: Vec<f64> = graph
            .fields
            .iter()
            .map(|&h| (near(h) + spread * (2.0 * rng.random::<f64>() - 1.0)).clamp(-1.0, 1.0))
            .collect();
        let (solution, stopped) = iterate(&plefka, &graph, beta, params, m, observer);
        let better = best.as_ref().is_none_or(|best| {
            best.ln_z.is_nan()
                || (solution.converged, solution.ln_z)
                    .partial_cmp(&(best.converged, best.ln_z))
                    .is_some_and(|o| o.is_gt())
        });
        if better {
            best = Some(solution);
        }
        if stopped {
            break;
        }
    }
    best.ok_or(Error::Stopped { method: "mean field", done: 0, total: params.max_sweeps })
}

fn iterate(
    plefka: &Plefka<'_>,
    graph: &Graph,
    beta: f64,
    params: &MeanFieldParams,
    mut m: Vec<f64>,
    observer: &mut dyn Observer<Progress>,
) -> (MeanFieldSolution, bool) {
    let n = m.len();
    let mut before = if params.update == Update::TimeIndexed { m.clone() } else { Vec::new() };
    let mut next = if params.update == Update::Sequential { Vec::new() } else { vec![0.0; n] };
    let (mut residual, mut sweeps, mut stopped) = (f64::INFINITY, 0, false);
    while sweeps < params.max_sweeps && residual > params.tolerance && !stopped {
        residual = 0.0;
        let mut change = |old: f64, field: f64| {
            let new = field.tanh();
            // A NaN stays: it ends the iteration, which has not converged.
            let change = (new - old).abs();
            if change > residual || change.is_nan() {
                residual = change;
            }
            params.damping * old + (1.0 - params.damping) * new
        };
        match params.update {
            Update::Sequential => {
                for i in 0..n {
                    m[i] = change(m[i], plefka.field(&m, i, m[i]));
                }
            }
            Update::Parallel => {
                for i in 0..n {
                    next[i] = change(m[i], plefka.field(&m, i, m[i]));
                }
                std::mem::swap(&mut m, &mut next);
            }
            Update::TimeIndexed => {
                for i in 0..n {
                    next[i] = change(m[i], plefka.field(&m, i, before[i]));
                }
                std::mem::swap(&mut before, &mut m);
                std::mem::swap(&mut m, &mut next);
            }
        }
        sweeps += 1;
        stopped = observer.observe(&Progress::new("iterating", sweeps, params.max_sweeps)).is_break();
    }
    let (value, energy) = plefka.functional(&m);
    let ln_z = value - beta * graph.offset;
    // At β = 0 the energy is its constant: all magnetizations are 0.
    let energy = graph.offset + if beta > 0.0 { energy / beta } else { 0.0 };
    let converged = residual <= params.tolerance;
    (MeanFieldSolution { ln_z, energy, magnetizations: m, converged, residual, sweeps }, stopped)
}

/// Connected correlations `∂m_i/∂(βh_j)` at the magnetizations of a solution, N x N row-major.
pub(super) fn linear_response<M: PairwiseModel + ?Sized>(
    model: &M,
    beta: f64,
    order: PlefkaOrder,
    m: &[f64],
) -> Result<Vec<f64>> {
    let n = model.n_spins();
    assert_eq!(m.len(), n, "{} magnetizations for {n} spins", m.len());
    if n > MOST_RESPONSE {
        return Err(Error::TooLarge {
            method: "linear response",
            what: "number of spins",
            value: n,
            bound: MOST_RESPONSE,
        });
    }
    let graph = Graph::new(model, beta)?;
    let hessian = Plefka::new(&graph, order)?.hessian(m);
    Cholesky::new(hessian, n).map(|factor| factor.inverse()).map_err(|_| Error::NotApplicable {
        method: "linear response",
        reason: "the free energy is no minimum at these magnetizations".to_owned(),
    })
}
