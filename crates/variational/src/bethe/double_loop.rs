//! Minimisation of the Bethe free energy that always goes down.

use linalg_core::Observer;
use spin_models::Progress;

use super::combine::combine;
use super::messages::{End, Messages};
use super::params::BetheParams;

/// Most sweeps of one convex problem.
const INNER: u64 = 100;

/// How much better than the last outer step a convex problem is solved.
const INNER_TOLERANCE: f64 = 0.1;

impl Messages<'_> {
    /// What the factor of edge `e` sends to its site, from what the other sites send to it.
    fn sent(&self, e: usize, to_factor: &[f64]) -> f64 {
        let a = self.graph.factor_of(e);
        let coupling = self.beta * self.graph.weights()[a];
        self.graph.edges(a).filter(|&other| other != e).fold(coupling, |sum, other| combine(sum, to_factor[other]))
    }

    /// Double loop (Yuille, Neural Comput. 14, 1691 (2002); Heskes, NIPS 2002).
    ///
    /// The concave part `-Σ d_i Σ b_i ln b_i` of the Bethe free energy is replaced by its tangent at the last beliefs, of
    /// fields H'. What is left is convex. With λ the fields of sites on factors its dual is maximised site by site, exactly:
    ///
    /// `H_i = (β h_i + d_i H'_i + Σ_a u_{a→i}) / (1 + d_i)`, `λ_{i→a} = H_i - u_{a→i}`.
    ///
    /// At H = H' these are the equations of belief propagation.
    pub(super) fn run_double_loop(&mut self, params: &BetheParams, observer: &mut dyn Observer<Progress>) -> End {
        let graph = self.graph;
        let mut to_factor: Vec<f64> =
            (0..graph.n_edges()).map(|e| self.total[graph.site_of(e)] - self.to_site[e]).collect();
        let mut sent = Vec::new();
        let mut end = End { residual: f64::INFINITY, sweeps: 0 };
        while end.sweeps < params.max_sweeps && end.residual > params.tolerance {
            let before = self.total.clone();
            let enough = (INNER_TOLERANCE * end.residual.min(1.0)).max(0.1 * params.tolerance);
            for _ in 0..INNER {
                let mut change = 0.0f64;
                for (i, last) in before.iter().enumerate() {
                    let edges = graph.edges_of(i);
                    sent.clear();
                    sent.extend(edges.iter().map(|&e| self.sent(e as usize, &to_factor)));
                    let degree = edges.len() as f64;
                    let sum: f64 = sent.iter().sum();
                    let field = (self.beta * graph.fields()[i] + degree * last + sum) / (1.0 + degree);
                    change = change.max((field - self.total[i]).abs());
                    self.total[i] = field;
                    for (&e, u) in edges.iter().zip(&sent) {
                        to_factor[e as usize] = field - u;
                    }
                }
                end.sweeps += 1;
                if change <= enough || end.sweeps >= params.max_sweeps {
                    break;
                }
            }
            end.residual =
                self.total.iter().zip(&before).fold(0.0, |largest: f64, (new, old)| largest.max((new - old).abs()));
            let progress = Progress::new("double loop", end.sweeps, params.max_sweeps);
            if observer.observe(&progress).is_break() {
                break;
            }
        }
        self.to_site = (0..graph.n_edges()).map(|e| self.sent(e, &to_factor)).collect();
        self.sum_up();
        end
    }
}
