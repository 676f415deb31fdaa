//! The Pfaffian of Fisher, Kasteleyn and Temperley.

use linalg_core::graph::planar::Embedding;
use linalg_core::graph::{Csr, components};
use linalg_core::logspace::ComplexLog;
use linalg_core::num_complex::Complex64;
use linalg_core::pfaffian::{pfaffian, pfaffian_complex};
use std::f64::consts::LN_2;

use super::NAME;
use super::prepared::{check_fields, embedding};
use crate::error::check_beta;
use crate::model::LnZ;
use crate::models::Ising;
use crate::{EnergyModel, Error, Result};

const MOST_HALVES: usize = 8192;

/// ln Z of a planar Ising model without fields as one dense Pfaffian.
///
/// ```math
/// Z = 2^N \prod_{e} \cosh K_e \; \mathrm{Pf}(A),
/// \qquad K_e = \beta J_e
/// ```
///
/// The even subgraphs of the high-temperature expansion are counted on the graph with a spanning forest contracted. A
/// walk around the forest meets the 2 (M - N + C) halves of the other edges in an order in which no two edges cross. A
/// pair of halves i < j has the entry $`A_{ij} = r_i r_j \prod_e \tanh K_e`$, the product over the path between them in
/// the forest, $`r_i r_j = \tanh K_e`$ for the halves of one edge e; these have 1 added to theirs. M edges, N sites, C
/// components.
///
/// This is the oracle of [`Planar`](super::Planar) for small systems: it shares nothing with it but the embedding.
/// $`O((M - N)^3)`$ time. Entries near ±1 cancel at low temperature: the relative error of Z is about $`10^{-16}`$ times
/// $`2^N \prod_e \cosh K_e / Z`$, so use it where βJ is at most about 1.
///
/// # Errors
/// [`Error::NotApplicable`] for fields, for graphs that are not planar, and where rounding leaves no positive number;
/// [`Error::Beta`]; [`Error::TooLarge`] beyond 8192 halves.
///
/// ```
/// use spin_models::Ising;
/// use spin_models::exact::planar::kasteleyn;
///
/// // A ring of three: Z = (2 cosh K)³ + (2 sinh K)³.
/// let ring = Ising::ring(3, 1.0)?;
/// let k = 0.7f64;
/// let expected = ((2.0 * k.cosh()).powi(3) + (2.0 * k.sinh()).powi(3)).ln();
/// assert!((kasteleyn(&ring, k)?.value - expected).abs() < 1e-14);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// # References
/// - M. E. Fisher, "On the dimer solution of planar Ising models", Journal of Mathematical Physics 7, 1776 (1966).
/// - P. W. Kasteleyn, "Dimer statistics and phase transitions", Journal of Mathematical Physics 4, 287 (1963).
pub fn kasteleyn(model: &Ising, beta: f64) -> Result<LnZ> {
    check_beta(beta)?;
    let contracted = Contracted::new(model)?;
    let k: Vec<f64> = super::scaled(model, beta);
    let t: Vec<f64> = k.iter().map(|k| k.tanh()).collect();
    let roots = |t: f64| (t.abs().sqrt(), t.abs().sqrt().copysign(t));
    let matrix = contracted.matrix(&t, 1.0, 0.0, roots);
    let pf = pfaffian(&matrix, contracted.order.len());
    if pf.sign <= 0 {
        return Err(Error::NotApplicable {
            solver: NAME,
            reason: format!("the dense Pfaffian has lost all digits at beta {beta}"),
        });
    }
    // ln(2 cosh K) = |K| + ln(1 + e^{-2|K|})
    let edges: f64 = k.iter().map(|k| k.abs() + (-2.0 * k.abs()).exp().ln_1p() - LN_2).sum();
    Ok(LnZ::exact(model.n_spins() as f64 * LN_2 + edges + pf.ln_abs - beta * model.offset()))
}

/// Z at a complex inverse temperature, as in [`kasteleyn`].
///
/// Fisher zeros are the β at which it vanishes. The value is a polynomial in tanh K times a known factor, so the phase
/// is that of Z itself, without branches.
///
/// # Errors
/// As [`kasteleyn`]; [`Error::Parameter`] for a β with NaN or infinite parts.
///
/// ```
/// use linalg_core::num_complex::Complex64;
/// use spin_models::Ising;
/// use spin_models::exact::planar::kasteleyn_complex;
///
/// // Two spins: Z = 4 cosh K vanishes at K = iπ/2; halfway there it is 4 / √2.
/// let pair = Ising::builder(2).coupling(0, 1, 1.0).build()?;
/// let z = kasteleyn_complex(&pair, Complex64::new(0.0, std::f64::consts::FRAC_PI_4))?.to_complex();
/// assert!((z - 8f64.sqrt()).norm() < 1e-14);
/// # Ok::<(), spin_models::Error>(())
/// ```
pub fn kasteleyn_complex(model: &Ising, beta: Complex64) -> Result<ComplexLog> {
    if !beta.is_finite() {
        return Err(Error::Parameter { what: "beta", value: beta.to_string(), expected: "finite parts" });
    }
    let contracted = Contracted::new(model)?;
    let k: Vec<Complex64> = model.couplings().map(|(_, _, j)| beta * j).collect();
    // tanh K = (e^{2K} - 1) / (e^{2K} + 1), from the side that does not overflow.
    let tanh = |k: Complex64| {
        let side = if k.re < 0.0 { -1.0 } else { 1.0 };
        let x = (-2.0 * side * k).exp();
        (Complex64::ONE - x) / (Complex64::ONE + x) * side
    };
    let t: Vec<Complex64> = k.iter().map(|&k| tanh(k)).collect();
    let roots = |t: Complex64| (t.sqrt(), t.sqrt());
    let matrix = contracted.matrix(&t, Complex64::ONE, Complex64::ZERO, roots);
    let mut z = pfaffian_complex(&matrix, contracted.order.len());
    z *= ComplexLog::new(model.n_spins() as f64 * LN_2 - beta.re * model.offset(), -beta.im * model.offset());
    for &k in &k {
        let side = if k.re < 0.0 { -k } else { k };
        z *= ComplexLog::new(side.re - LN_2, side.im) * ComplexLog::from(Complex64::ONE + (-2.0 * side).exp());
    }
    Ok(z)
}

/// A graph with a spanning forest contracted.
struct Contracted {
    graph: Csr,
    embedding: Embedding,
    in_forest: Vec<bool>,
    /// Halves of the other edges in the order of a walk around the forest.
    order: Vec<usize>,
}

impl Contracted {
    fn new(model: &Ising) -> Result<Self> {
        check_fields(model)?;
        let graph = Csr::from_edges(model.n_spins(), model.couplings().map(|(i, j, _)| (i, j)))?;
        let embedding = embedding(model, &graph)?;
        let mut in_forest = vec![false; graph.n_edges()];
        for edge in linalg_core::graph::spanning_forest(&graph) {
            in_forest[edge] = true;
        }
        let n_halves = 2 * (graph.n_edges() + components(&graph).count() - graph.n_vertices());
        if n_halves > MOST_HALVES {
            return Err(Error::TooLarge {
                solver: "kasteleyn",
                what: "number of halves of edges beyond a spanning forest",
                value: n_halves,
                bound: MOST_HALVES,
            });
        }
        let mut order = Vec::with_capacity(n_halves);
        let mut seen = vec![false; 2 * graph.n_edges()];
        for first in 0..seen.len() {
            // A walk that starts anywhere meets every half of its component.
            let mut h = first;
            while !seen[h] {
                seen[h] = true;
                if in_forest[h / 2] {
                    h = Embedding::twin(h);
                } else {
                    order.push(h);
                }
                h = embedding.next_around(h);
            }
        }
        Ok(Self { graph, embedding, in_forest, order })
    }

    /// The skew matrix; `roots` splits the weight of an edge between its first and its second half.
    fn matrix<T: Copy + std::ops::Mul<Output = T> + std::ops::Add<Output = T>>(
        &self,
        t: &[T],
        one: T,
        zero: T,
        roots: impl Fn(T) -> (T, T),
    ) -> Vec<T> {
        let n = self.order.len();
        let mut root = vec![zero; n];
        let mut first = vec![usize::MAX; self.graph.n_edges()];
        let mut matrix = vec![zero; n * n];
        for (k, &h) in self.order.iter().enumerate() {
            let (a, b) = roots(t[h / 2]);
            if first[h / 2] == usize::MAX {
                first[h / 2] = k;
                root[k] = a;
            } else {
                root[k] = b;
                matrix[first[h / 2] * n + k] = one;
            }
        }
        let mut along = vec![zero; self.graph.n_vertices()];
        for i in 0..n {
            // Products along the paths of the forest from the tail of half i.
            along.fill(zero);
            let start = self.embedding.tail(self.order[i]);
            along[start] = one;
            let mut stack = vec![(start, usize::MAX)];
            while let Some((v, from)) = stack.pop() {
                for next in self.graph.neighbors(v) {
                    if self.in_forest[next.edge] && next.edge != from {
                        along[next.vertex] = along[v] * t[next.edge];
                        stack.push((next.vertex, next.edge));
                    }
                }
            }
            for j in i + 1..n {
                let there = along[self.embedding.tail(self.order[j])];
                matrix[i * n + j] = matrix[i * n + j] + root[i] * there * root[j];
            }
        }
        matrix
    }
}
