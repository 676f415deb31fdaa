//! Plefka's expansion of the free energy at fixed magnetizations.

use super::graph::Graph;
use crate::{Error, Result};

/// Order in β to which the free energy at fixed magnetizations is expanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum PlefkaOrder {
    /// Naive mean field.
    First,
    /// Thouless, Anderson and Palmer: the Onsager reaction term.
    Second,
    /// Cubic terms of pairs and of triangles.
    Third,
}

/// Most triangles that the third order keeps: 24 bytes each.
const MOST_TRIANGLES: usize = 50_000_000;

/// The expansion of one model at one temperature.
#[derive(Debug)]
pub(super) struct Plefka<'a> {
    graph: &'a Graph,
    order: PlefkaOrder,
    /// `(i, j, k, β³JJJ)`.
    triangles: Vec<(u32, u32, u32, f64)>,
    /// The triangles at site i are `at_site[site_start[i] .. site_start[i + 1]]`.
    site_start: Vec<usize>,
    at_site: Vec<u32>,
}

impl<'a> Plefka<'a> {
    pub(super) fn new(graph: &'a Graph, order: PlefkaOrder) -> Result<Self> {
        let triangles = if order >= PlefkaOrder::Third {
            graph.triangles(MOST_TRIANGLES).ok_or(Error::TooLarge {
                method: "tap of third order",
                what: "number of triangles",
                value: MOST_TRIANGLES + 1,
                bound: MOST_TRIANGLES,
            })?
        } else {
            Vec::new()
        };
        let mut site_start = vec![0; if triangles.is_empty() { 0 } else { graph.n() + 1 }];
        let mut at_site = vec![0; 3 * triangles.len()];
        if !triangles.is_empty() {
            for &(i, j, k, _) in &triangles {
                [i, j, k].iter().for_each(|&site| site_start[site as usize + 1] += 1);
            }
            (0..graph.n()).for_each(|i| site_start[i + 1] += site_start[i]);
            let mut next = site_start.clone();
            for (t, &(i, j, k, _)) in triangles.iter().enumerate() {
                for site in [i, j, k] {
                    at_site[next[site as usize]] = t as u32;
                    next[site as usize] += 1;
                }
            }
        }
        Ok(Self { graph, order, triangles, site_start, at_site })
    }

    /// The other two sites of the triangles at `i` with their product of couplings.
    fn triangles_at(&self, i: usize) -> impl Iterator<Item = (usize, usize, f64)> + '_ {
        let range = if self.site_start.is_empty() { 0..0 } else { self.site_start[i]..self.site_start[i + 1] };
        self.at_site[range].iter().map(move |&t| {
            let (a, b, c, product) = self.triangles[t as usize];
            let (j, k) = if a as usize == i {
                (b, c)
            } else if b as usize == i {
                (a, c)
            } else {
                (a, b)
            };
            (j as usize, k as usize, product)
        })
    }

    /// The argument of the tanh in the stationarity condition of site `i`; `own` stands for `m_i` in reaction terms.
    #[inline]
    pub(super) fn field(&self, m: &[f64], i: usize, own: f64) -> f64 {
        let (neighbors, couplings) = self.graph.row(i);
        let mut field = self.graph.fields[i];
        match self.order {
            PlefkaOrder::First => {
                for (&j, &k) in neighbors.iter().zip(couplings) {
                    field += k * m[j as usize];
                }
            }
            PlefkaOrder::Second => {
                let mut reaction = 0.0;
                for (&j, &k) in neighbors.iter().zip(couplings) {
                    let mj = m[j as usize];
                    field += k * mj;
                    reaction += k * k * (1.0 - mj * mj);
                }
                field -= own * reaction;
            }
            PlefkaOrder::Third => {
                let (mut reaction, mut cubic) = (0.0, 0.0);
                for (&j, &k) in neighbors.iter().zip(couplings) {
                    let mj = m[j as usize];
                    let width = 1.0 - mj * mj;
                    field += k * mj;
                    reaction += k * k * width;
                    cubic += k * k * k * mj * width;
                }
                for (j, k, product) in self.triangles_at(i) {
                    reaction += 2.0 * product * (1.0 - m[j] * m[j]) * (1.0 - m[k] * m[k]);
                }
                field += 2.0 / 3.0 * (1.0 - 3.0 * own * own) * cubic - own * reaction;
            }
        }
        field
    }

    /// `(-βG(m), β⟨E⟩ without the constant)`, by order of the expansion.
    pub(super) fn functional(&self, m: &[f64]) -> (f64, f64) {
        let mut value: f64 = m.iter().map(|&m| entropy(m)).sum();
        let field: f64 = self.graph.fields.iter().zip(m).map(|(h, m)| h * m).sum();
        let mut orders = [0.0; 3];
        for (i, j, k) in self.graph.pairs() {
            let (mi, mj) = (m[i], m[j]);
            let widths = (1.0 - mi * mi) * (1.0 - mj * mj);
            orders[0] += k * mi * mj;
            orders[1] += 0.5 * k * k * widths;
            orders[2] += 2.0 / 3.0 * k * k * k * mi * mj * widths;
        }
        for &(i, j, k, product) in &self.triangles {
            orders[2] += product * [i, j, k].iter().map(|&s| 1.0 - m[s as usize] * m[s as usize]).product::<f64>();
        }
        let kept = match self.order {
            PlefkaOrder::First => 1,
            PlefkaOrder::Second => 2,
            PlefkaOrder::Third => 3,
        };
        value += field;
        let mut energy = -field;
        for (power, term) in orders.iter().enumerate().take(kept) {
            value += term;
            energy -= (power + 1) as f64 * term;
        }
        (value, energy)
    }

    /// `-∂²(-βG)/∂m_i∂m_j`, dense and row-major: the inverse of the connected correlations.
    pub(super) fn hessian(&self, m: &[f64]) -> Vec<f64> {
        let n = m.len();
        let mut matrix = vec![0.0; n * n];
        for i in 0..n {
            // A site frozen at ±1 has no fluctuations; the bound keeps its row finite.
            matrix[i * n + i] = 1.0 / (1.0 - m[i] * m[i]).max(1e-300);
        }
        for (i, j, k) in self.graph.pairs() {
            let (mi, mj) = (m[i], m[j]);
            let (wi, wj) = (1.0 - mi * mi, 1.0 - mj * mj);
            let mut off = -k;
            if self.order >= PlefkaOrder::Second {
                off -= 2.0 * k * k * mi * mj;
                matrix[i * n + i] += k * k * wj;
                matrix[j * n + j] += k * k * wi;
            }
            if self.order >= PlefkaOrder::Third {
                let cube = k * k * k;
                off -= 2.0 / 3.0 * cube * (1.0 - 3.0 * mi * mi) * (1.0 - 3.0 * mj * mj);
                matrix[i * n + i] += 4.0 * cube * mi * mj * wj;
                matrix[j * n + j] += 4.0 * cube * mi * mj * wi;
            }
            matrix[i * n + j] += off;
            matrix[j * n + i] += off;
        }
        for &(i, j, k, product) in &self.triangles {
            for (a, b, c) in [(i, j, k), (j, k, i), (k, i, j)] {
                let (a, b, c) = (a as usize, b as usize, c as usize);
                let (wb, wc) = (1.0 - m[b] * m[b], 1.0 - m[c] * m[c]);
                matrix[a * n + a] += 2.0 * product * wb * wc;
                matrix[a * n + b] -= 4.0 * product * m[a] * m[b] * wc;
                matrix[b * n + a] -= 4.0 * product * m[a] * m[b] * wc;
            }
        }
        matrix
    }
}

/// Entropy of a spin of magnetization `m`, natural logarithm.
fn entropy(m: f64) -> f64 {
    let term = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
    term(0.5 * (1.0 + m)) + term(0.5 * (1.0 - m))
}
