//! What belief propagation says: marginals, the Bethe free energy, and the response to fields.

use linalg_core::logspace::ln_2cosh;

use super::combine::{combine, combine_slope, ln_factor};
use super::factor_graph::FactorGraph;
use super::messages::{End, Messages};

/// A fixed point of belief propagation, or the last messages where there was none.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct BetheSolution {
    /// The Bethe approximation of ln Z; exact on trees. Not to be trusted unless converged.
    pub ln_z: f64,
    /// The mean energy of the beliefs, extensive, constant included.
    pub energy: f64,
    /// The magnetizations.
    pub magnetizations: Vec<f64>,
    /// The mean product of the spins of every factor, in the order of the factors.
    pub products: Vec<f64>,
    /// Whether the last sweep changed no message by more than the tolerance.
    pub converged: bool,
    /// The largest change of a message in the last sweep, undamped.
    pub residual: f64,
    /// Sweeps done.
    pub sweeps: u64,
    /// `H_i`, the effective field of every site.
    total: Vec<f64>,
    /// `u_{a→i}` for every edge.
    to_site: Vec<f64>,
    beta: f64,
}

/// How spins answer to a field on one site.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Response {
    /// `∂m_i/∂(βh_k)`: the connected correlations with site k.
    pub values: Vec<f64>,
    /// Whether the linear equations were solved to the tolerance.
    pub converged: bool,
    /// The largest change in the last sweep; infinite or NaN where the sweeps grew beyond all numbers.
    pub residual: f64,
}

/// ln Z from the messages.
///
/// ```math
/// \ln Z = \sum_i (1 - d_i) \ln 2\cosh H_i + \sum_a \ln \sum_{s_a} e^{\beta w_a \prod s + \sum_i h_{i \to a} s_i}
/// ```
///
/// the Bethe free energy at a fixed point, with its entropies weighted by the beliefs. Its derivatives by the messages
/// vanish there, so that an error ε of the messages leaves an error of order ε².
fn ln_z(messages: &Messages<'_>) -> f64 {
    let graph = messages.graph;
    let mut value = -messages.beta * graph.offset();
    for (i, &field) in messages.total.iter().enumerate() {
        value += (1.0 - graph.edges_of(i).len() as f64) * ln_2cosh(field);
    }
    let mut cavity = Vec::new();
    for (a, &weight) in graph.weights().iter().enumerate() {
        messages.cavity(a, &mut cavity);
        let together = cavity.iter().copied().fold(f64::INFINITY, combine);
        value += ln_factor(messages.beta * weight, together, cavity.iter().map(|&h| ln_2cosh(h)).sum());
    }
    value
}

impl BetheSolution {
    pub(super) fn new(messages: Messages<'_>, end: End, tolerance: f64) -> Self {
        let graph = messages.graph;
        let ln_z = ln_z(&messages);
        let magnetizations: Vec<f64> = messages.total.iter().map(|h| h.tanh()).collect();
        let mut energy = graph.offset() - graph.fields().iter().zip(&magnetizations).map(|(h, m)| h * m).sum::<f64>();
        let mut cavity = Vec::new();
        let mut products = Vec::with_capacity(graph.n_factors());
        for (a, &weight) in graph.weights().iter().enumerate() {
            messages.cavity(a, &mut cavity);
            let together = cavity.iter().copied().fold(f64::INFINITY, combine);
            let product = (messages.beta * weight + together).tanh();
            energy -= weight * product;
            products.push(product);
        }
        Self {
            ln_z,
            energy,
            magnetizations,
            products,
            converged: end.residual <= tolerance,
            residual: end.residual,
            sweeps: end.sweeps,
            beta: messages.beta,
            total: messages.total,
            to_site: messages.to_site,
        }
    }

    /// The belief of a factor: probabilities of its `2^k` configurations, bit j of the index set where site j of the
    /// factor is -1.
    ///
    /// # Panics
    /// If `a` is not a factor, if it has more than 20 sites, or if `graph` is not the one that was solved.
    pub fn factor_belief(&self, graph: &FactorGraph, a: usize) -> Vec<f64> {
        self.check(graph);
        let edges = graph.edges(a);
        assert!(edges.len() <= 20, "factor {a} has {} sites, at most 20", edges.len());
        let cavity: Vec<f64> =
            graph.sites(a).iter().zip(&self.to_site[edges]).map(|(&i, u)| self.total[i as usize] - u).collect();
        let coupling = self.beta * graph.weights()[a];
        let ln_weight = |state: usize| {
            let sign = |j: usize| if state >> j & 1 == 1 { -1.0 } else { 1.0 };
            let product: f64 = (0..cavity.len()).map(sign).product();
            coupling * product + cavity.iter().enumerate().map(|(j, h)| h * sign(j)).sum::<f64>()
        };
        let mut belief: Vec<f64> = (0..1 << cavity.len()).map(ln_weight).collect();
        linalg_core::logspace::log_normalize(&mut belief);
        belief.iter_mut().for_each(|p| *p = p.exp());
        belief
    }

    /// Susceptibility propagation: the linearised messages answer to a field on site `k`.
    ///
    /// ```math
    /// \chi_{ik} = \frac{\partial m_i}{\partial (\beta h_k)} = \langle s_i s_k \rangle - \langle s_i \rangle \langle s_k \rangle
    /// ```
    ///
    /// on trees; on other graphs the approximation that goes beyond the beliefs, since pairs that share no factor have
    /// one, too (Mézard and Mora, J. Physiol. Paris 103, 107 (2009)). Where the messages are no stable fixed point the answer
    /// grows from sweep to sweep, and has not converged. Cost: `O(edges)` a sweep, quadratic in the size of a factor.
    ///
    /// # Panics
    /// If `k` is not a site or `graph` is not the one that was solved.
    pub fn response(&self, graph: &FactorGraph, k: usize, tolerance: f64, max_sweeps: u64) -> Response {
        self.check(graph);
        assert!(k < graph.n_spins(), "site {k} of {} spins", graph.n_spins());
        // slopes[row(a) + j * size + i]: how the message to site i changes with what site j sends.
        let mut slopes = Vec::new();
        for (a, &weight) in graph.weights().iter().enumerate() {
            let edges = graph.edges(a);
            let cavity: Vec<f64> = graph
                .sites(a)
                .iter()
                .zip(&self.to_site[edges.clone()])
                .map(|(&i, u)| self.total[i as usize] - u)
                .collect();
            for j in 0..cavity.len() {
                for i in 0..cavity.len() {
                    let others = cavity.iter().enumerate().filter(|&(l, _)| l != i && l != j).map(|(_, &h)| h);
                    let rest = others.fold(self.beta * weight, combine);
                    slopes.push(if i == j { 0.0 } else { combine_slope(rest, cavity[j]) });
                }
            }
        }
        let mut message = vec![0.0; graph.n_edges()];
        let mut total = vec![0.0; graph.n_spins()];
        total[k] = 1.0;
        let (mut residual, mut sweeps) = (f64::INFINITY, 0);
        while sweeps < max_sweeps && residual > tolerance && (sweeps == 0 || residual.is_finite()) {
            residual = 0.0;
            let mut base = 0;
            let mut cavity = Vec::new();
            // Factors forwards and backwards would need the bases of both directions; forwards is enough here.
            for a in 0..graph.n_factors() {
                let edges = graph.edges(a);
                let size = edges.len();
                let sites = graph.sites(a);
                cavity.clear();
                cavity.extend(sites.iter().zip(&message[edges.clone()]).map(|(&i, u)| total[i as usize] - u));
                for (i, e) in edges.enumerate() {
                    let new: f64 = (0..size).map(|j| slopes[base + j * size + i] * cavity[j]).sum();
                    let change = (new - message[e]).abs();
                    // A NaN stays: it ends the iteration, which has not converged.
                    if change > residual || change.is_nan() {
                        residual = change;
                    }
                    total[sites[i] as usize] += new - message[e];
                    message[e] = new;
                }
                base += size * size;
            }
            sweeps += 1;
        }
        let values = total.iter().zip(&self.magnetizations).map(|(h, m)| h * (1.0 - m * m)).collect();
        Response { values, converged: residual <= tolerance, residual }
    }

    fn check(&self, graph: &FactorGraph) {
        assert!(
            graph.n_edges() == self.to_site.len() && graph.n_spins() == self.total.len(),
            "a solution of {} spins and {} edges for a graph of {} and {}",
            self.total.len(),
            self.to_site.len(),
            graph.n_spins(),
            graph.n_edges()
        );
    }
}
