//! What is known about a model before its weights.

use linalg_core::graph::planar::Embedding;
use linalg_core::graph::{Csr, components, planar};
use std::cell::RefCell;
use std::collections::VecDeque;

use super::cells::Cells;
use super::elimination::{Checked, Eliminated, Walls, eliminate, eliminate_jets, wall_probabilities};
use super::number::CarefulSum;
use super::program::Program;
use super::torus::{SECTORS, Torus};
use super::{NAME, stopped};
use crate::model::{EnergyModel, Kind, LnZ, Progress};
use crate::models::{Ising, Shape};
use crate::{Error, Result};
use linalg_core::Observer;

/// Sums of weights beyond this are rounded by more than their fractional part.
const LARGEST: f64 = 1e15;

/// A configuration of low energy, relative to which walls are counted.
#[derive(Debug, Clone)]
pub(super) struct Configuration {
    pub spins: Vec<i8>,
    /// The logarithms of the weights of walls through all sides.
    pub exponents: Vec<f64>,
}

/// The graph of a model, its cells and the order of elimination.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    pub graph: Csr,
    n_components: usize,
    cells: Cells,
    program: Program,
    torus: Option<Torus>,
}

/// Refuses fields, which no planar method can take.
pub(super) fn check_fields(model: &Ising) -> Result<()> {
    match model.fields().iter().position(|&h| h != 0.0) {
        None => Ok(()),
        Some(site) => Err(Error::NotApplicable {
            solver: NAME,
            reason: format!("site {site} has the field {}, expected no fields", model.fields()[site]),
        }),
    }
}

/// Refuses couplings `K = βJ` whose sums lose their fractional part.
pub(super) fn check_scaled(k: &[f64]) -> Result<()> {
    match k.iter().position(|x| x.abs() > LARGEST) {
        None => Ok(()),
        Some(entry) => Err(Error::Parameter {
            what: "beta * coupling",
            value: format!("{} at coupling {entry}", k[entry]),
            expected: "at most 1e15 in modulus",
        }),
    }
}

impl Prepared {
    pub(super) fn new(model: &Ising) -> Result<Self> {
        check_fields(model)?;
        let n = model.n_spins();
        let graph = Csr::from_edges(n, model.couplings().map(|(i, j, _)| (i, j)))?;
        let shape = || Shape::recognize(n, graph.edges().iter().copied());
        let given = model.positions().map(|positions| positions.iter().map(|p| [p[0], p[1]]).collect::<Vec<_>>());
        let embedding = embedding(model, &graph);
        let positions = given.or_else(|| {
            let shape = shape()?;
            Some(shape.positions().iter().map(|p| [p[0], p[1]]).collect())
        });
        let n_components = components(&graph).count();
        let (cells, torus) = match embedding {
            Ok(embedding) => (Cells::of_plane(&graph, &embedding), None),
            Err(error) => match shape().and_then(|shape| Torus::new(&shape, &graph)) {
                Some((cells, torus)) => (cells, Some(torus)),
                None => return Err(error),
            },
        };
        let frozen = torus.as_ref().map_or_else(|| vec![false; cells.n_sides], |torus| torus.frozen(cells.n_sides));
        let program = Program::new(&cells, positions.as_deref(), &frozen);
        Ok(Self { graph, n_components, cells, program, torus })
    }

    /// Number of elimination steps.
    fn n_steps(&self) -> u64 {
        self.program.up.len() as u64
    }

    pub(super) fn torus(&self) -> Option<&Torus> {
        self.torus.as_ref()
    }

    /// The halves of every cell.
    pub(super) fn cell_halves(&self) -> &[Vec<u32>] {
        &self.cells.halves
    }

    pub(super) fn is_torus(&self) -> bool {
        self.torus.is_some()
    }

    pub(super) fn n_components(&self) -> usize {
        self.n_components
    }

    /// Number of sides of walls, the couplings first, then those that cost nothing.
    pub(super) fn n_sides(&self) -> usize {
        self.cells.n_sides
    }

    /// Couplings that lie on no cycle.
    pub(super) fn bridges(&self) -> &[usize] {
        &self.cells.bridges
    }

    pub(super) fn program(&self) -> &Program {
        &self.program
    }

    /// Adds what [`correlations`](Self::correlations) needs.
    pub(super) fn prepare_correlations(&mut self) {
        self.program.prepare_down();
    }

    /// The configuration to which walls are relative, for the couplings `K = βJ`.
    pub(super) fn configuration(&self, k: &[f64]) -> Result<Configuration> {
        let (spins, _) = self.reference(k)?;
        let exponents = self.exponents(k, &spins);
        Ok(Configuration { spins, exponents })
    }

    /// ln Z of the couplings `K = βJ`, without the constant term.
    pub(super) fn ln_z(&self, k: &[f64], observer: &mut dyn Observer<Progress>) -> Result<LnZ> {
        let (spins, mut sum) = self.reference(k)?;
        let exponents = self.exponents(k, &spins);
        let total = self.n_steps();
        let Checked { value: Eliminated { ln_weight, loss }, difference } = reported(total, observer, |report| {
            eliminate(&self.program, &exponents, self.torus.as_ref(), sum.value().abs(), report)
        })?;
        sum.add(ln_weight);
        Ok(judged(sum.value(), difference.max(loss / sum.value().abs().max(1.0))))
    }

    /// ln Z as above, and the coefficients of its change when all K grow in proportion: `[ln Z, t, t²]`.
    pub(super) fn jet(&self, k: &[f64], observer: &mut dyn Observer<Progress>) -> Result<(LnZ, [f64; 3])> {
        let (spins, mut value) = self.reference(k)?;
        let exponents = self.exponents(k, &spins);
        let total = self.n_steps();
        let Checked { value: (weights, loss), difference } = reported(total, observer, |report| {
            eliminate_jets(&self.program, &exponents, self.torus.as_ref(), value.value().abs(), report)
        })?;
        let (mut first, mut second) = (CarefulSum::default(), CarefulSum::default());
        value.add(weights[0]);
        first.add(weights[1]);
        second.add(weights[2]);
        for (&(i, j), &k) in self.graph.edges().iter().zip(k) {
            first.add(k * f64::from(spins[i] * spins[j]));
        }
        for &bridge in &self.cells.bridges {
            // ln(1 + e^x) from the side that does not overflow.
            let x = exponents[bridge];
            let small = (-x.abs()).exp();
            let wall = if x > 0.0 { 1.0 } else { small } / (1.0 + small);
            first.add(x * wall);
            second.add(0.5 * x * x * small / (1.0 + small).powi(2));
        }
        let coefficients = [value.value(), first.value(), second.value()];
        Ok((judged(coefficients[0], difference.max(loss / coefficients[0].abs().max(1.0))), coefficients))
    }

    /// ln Z as above, and the correlation of every coupled pair.
    ///
    /// # Panics
    /// Before `prepare_correlations`.
    pub(super) fn correlations(&self, k: &[f64], observer: &mut dyn Observer<Progress>) -> Result<(LnZ, Vec<f64>)> {
        let (spins, mut sum) = self.reference(k)?;
        let exponents = self.exponents(k, &spins);
        let rounds = if self.is_torus() { SECTORS as u64 } else { 1 };
        let total = self.n_steps() + rounds * self.program.down.as_ref().map_or(0, Vec::len) as u64;
        let Checked { value: Walls { ln_weight, probabilities: walls, loss, .. }, difference } =
            reported(total, observer, |report| {
                wall_probabilities(&self.program, self.torus.as_ref(), &exponents, sum.value().abs(), report)
            })?;
        sum.add(ln_weight);
        let mut values: Vec<f64> = (self.graph.edges().iter().zip(&walls))
            .map(|(&(i, j), &wall)| f64::from(spins[i] * spins[j]) * (1.0 - 2.0 * wall))
            .collect();
        for &bridge in &self.cells.bridges {
            values[bridge] = k[bridge].tanh();
        }
        Ok((judged(sum.value(), difference.max(loss / sum.value().abs().max(1.0))), values))
    }

    /// A configuration of low energy, and ln of: its weight, twice for every component, and bridges.
    ///
    /// Only the range of the numbers depends on it, not the result.
    fn reference(&self, k: &[f64]) -> Result<(Vec<i8>, CarefulSum)> {
        let graph = &self.graph;
        check_scaled(k)?;
        let mut spins = vec![0i8; graph.n_vertices()];
        let mut queue = VecDeque::new();
        for root in 0..spins.len() {
            if spins[root] != 0 {
                continue;
            }
            spins[root] = 1;
            queue.push_back(root);
            while let Some(v) = queue.pop_front() {
                for next in graph.neighbors(v) {
                    if spins[next.vertex] == 0 {
                        spins[next.vertex] = if k[next.edge] < 0.0 { -spins[v] } else { spins[v] };
                        queue.push_back(next.vertex);
                    }
                }
            }
        }
        for _ in 0..20 {
            let mut changed = false;
            for v in 0..spins.len() {
                let field: f64 = graph.neighbors(v).iter().map(|n| k[n.edge] * f64::from(spins[n.vertex])).sum();
                if field * f64::from(spins[v]) < 0.0 {
                    spins[v] = -spins[v];
                    changed = true;
                }
            }
            if !changed {
                break;
            }
        }
        let mut sum = CarefulSum::default();
        sum.add(self.n_components as f64 * std::f64::consts::LN_2);
        for (&(i, j), &k) in graph.edges().iter().zip(k) {
            sum.add(k * f64::from(spins[i] * spins[j]));
        }
        for &bridge in &self.cells.bridges {
            let (i, j) = graph.edges()[bridge];
            // ln(1 + e^x) from the side that does not overflow: the reference may leave a bridge unsatisfied.
            let x = -2.0 * k[bridge] * f64::from(spins[i] * spins[j]);
            sum.add(x.max(0.0));
            sum.add((-x.abs()).exp().ln_1p());
        }
        Ok((spins, sum))
    }

    /// The logarithms of the weights of walls through all sides.
    fn exponents(&self, k: &[f64], spins: &[i8]) -> Vec<f64> {
        let mut exponents = vec![0.0; self.cells.n_sides];
        for ((x, &(i, j)), &k) in exponents.iter_mut().zip(self.graph.edges()).zip(k) {
            *x = -2.0 * k * f64::from(spins[i] * spins[j]);
        }
        exponents
    }
}

/// Why an elimination has no result.
fn unfinished(halted: bool, reached: u64, total: u64) -> Error {
    if halted {
        return stopped(reached, total);
    }
    let reason = "3840 bits do not suffice: the temperature is too low".into();
    Error::NotApplicable { solver: NAME, reason }
}

/// Runs an elimination of some steps that reports each and may be stopped.
fn reported<T>(
    total: u64,
    observer: &mut dyn Observer<Progress>,
    run: impl FnOnce(&RefCell<dyn FnMut(usize) -> bool + '_>) -> Option<T>,
) -> Result<T> {
    let (mut reached, mut halted) = (0, false);
    let report = RefCell::new(|step: usize| {
        reached = step as u64;
        halted = !go_on(observer, "eliminating", reached, total);
        !halted
    });
    run(&report).ok_or_else(|| unfinished(halted, reached, total))
}

/// Reports now and then; whether to go on.
fn go_on(observer: &mut dyn Observer<Progress>, stage: &'static str, done: u64, total: u64) -> bool {
    !done.is_multiple_of(256) || observer.observe(&Progress::new(stage, done, total)).is_continue()
}

/// An exact value, unless even the last two runs differ.
fn judged(value: f64, difference: f64) -> LnZ {
    let mut ln_z = LnZ::exact(value);
    if difference > 1e-11 {
        ln_z.kind = Kind::Approximation { converged: false, residual: difference };
    }
    ln_z
}

/// The embedding of the model's drawing, or any if there is none.
pub(super) fn embedding(model: &Ising, graph: &Csr) -> Result<Embedding> {
    if let Some(positions) = model.positions() {
        let plane: Vec<[f64; 2]> = positions.iter().map(|p| [p[0], p[1]]).collect();
        if let Ok(embedding) = planar::embed_drawing(graph, &plane) {
            return Ok(embedding);
        }
    }
    planar::embed(graph).map_err(|error| {
        let reason = match error {
            linalg_core::Error::NotPlanar { edge: (i, j) } => {
                format!("the graph is not planar: sites {i} and {j} cannot be joined without a crossing")
            }
            other => other.to_string(),
        };
        Error::NotApplicable { solver: NAME, reason }
    })
}
