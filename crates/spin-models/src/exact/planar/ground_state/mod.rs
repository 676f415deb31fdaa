//! Exact ground states of planar spin glasses without fields.
//!
//! An elementary face is frustrated if an odd number of the couplings around it is negative. In every configuration
//! the couplings that are not satisfied, seen as edges of the dual graph, meet frustrated faces an odd number of times
//! and all others an even number of times; and every such set of edges belongs to a configuration and its mirror image.
//! With their moduli as weights,
//!
//! ```math
//! E(s) = -\sum_e |J_e| + 2 \sum_{e \text{ not satisfied}} |J_e| ,
//! ```
//!
//! so that a ground state is the lightest such set: a perfect matching of the frustrated faces by their distances. The
//! outer face is a face like all others.

mod join;
mod reach;
mod scale;
#[cfg(test)]
mod tests;

use linalg_core::Observer;
use linalg_core::graph::Csr;
use linalg_core::graph::planar::Faces;
use linalg_core::stats::Estimate;
use std::collections::VecDeque;

use super::prepared::{check_fields, embedding};
use crate::error::check_beta;
use crate::model::{GroundState, Progress, Quantities, Solution, Solve};
use crate::models::Ising;
use crate::{EnergyModel, Error, Result};

const NAME: &str = "ground-state";

/// Exact ground states of planar Ising models without fields, by matching frustrated faces.
///
/// The graph may be any planar one, connected or not, with any couplings; a square lattice that is periodic in one
/// direction is planar. [`find`](Self::find) gives a [`LowestState`], [`prepare`](Self::prepare) a plan for many sets
/// of couplings on one graph and for domain walls. As a method of `solve` the answer is the energy and the
/// magnetizations ±1 of the state found, at any β, and no ln Z.
///
/// Couplings are compared as 64-bit integers. Where they are multiples of a power of two that fits, which integers and
/// ±J are, the state is a ground state without reservation. Others are rounded, relative to the distances in the dual
/// graph by about $`10^{-12}`$, and [`LowestState::excess_bound`] says by how much at most the energy can be above the
/// lowest.
///
/// The matching is proved to be the lightest by its duals, see [`linalg_core::graph::matching`]. Time grows little
/// faster than the number of sites.
///
/// ```
/// use spin_models::{Ising, exact::planar::PlanarGroundState};
///
/// // Two plaquettes side by side, frustrated by a coupling on the left: it stays unsatisfied, or another one.
/// //   3 - 4 - 5
/// //   |   |   |
/// //   0 - 1 - 2
/// let bonds = [(0, 1), (1, 2), (3, 4), (4, 5), (0, 3), (1, 4), (2, 5)];
/// let glass = Ising::builder(6).couplings(bonds.map(|(i, j)| (i, j, if (i, j) == (0, 3) { -1.0 } else { 1.0 })));
/// let state = PlanarGroundState::default().find(&glass.build()?)?;
/// assert_eq!(state.energy, -5.0);
/// assert_eq!(state.excess_bound, 0.0);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// # References
/// - L. Bieche, R. Maynard, R. Rammal and J. P. Uhry, "On the ground states of the frustration model of a spin glass by
///   a matching method of graph theory", Journal of Physics A 13, 2553 (1980).
/// - F. Barahona, "On the computational complexity of Ising spin glass models", Journal of Physics A 15, 3241 (1982).
/// - C. K. Thomas and A. A. Middleton, "Matching Kasteleyn cities for spin glass ground states", Physical Review B 76,
///   220406 (2007).
#[derive(Debug, Clone, Default)]
pub struct PlanarGroundState {}

/// A configuration of lowest energy.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct LowestState {
    /// Its energy, the constant term included.
    pub energy: f64,
    /// The configuration. Of a connected graph the first spin is +1.
    pub spins: Vec<i8>,
    /// No configuration has an energy below `energy - excess_bound`, but for the rounding of the sum. 0 where the
    /// couplings were compared without rounding.
    pub excess_bound: f64,
    /// Number of frustrated faces, outer faces included.
    pub n_frustrated: usize,
    /// Number of matchings until the duals proved the last one.
    pub rounds: usize,
}

/// The change of a ground state when couplings are changed in sign.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct DomainWall {
    /// The lowest energy after the change minus that before.
    pub energy: f64,
    /// The two excess bounds together: `energy` is off by at most this.
    pub excess_bound: f64,
    /// The couplings that are satisfied before the change and not after, or the other way round, ascending. With
    /// several ground states on either side this depends on which were found.
    pub wall: Vec<usize>,
}

impl PlanarGroundState {
    /// A ground state.
    ///
    /// # Errors
    /// Before any work: [`Error::NotApplicable`] names the first site with a field, or the first coupling, in the order
    /// of the model, that cannot be drawn without a crossing.
    pub fn find(&self, model: &Ising) -> Result<LowestState> {
        self.find_observed(model, &mut ())
    }

    /// A ground state, with reports after every matching.
    ///
    /// # Errors
    /// As [`find`](Self::find); [`Error::Stopped`] when the observer says stop.
    pub fn find_observed(&self, model: &Ising, observer: &mut dyn Observer<Progress>) -> Result<LowestState> {
        self.prepare(model)?.find_observed(observer)
    }

    /// Keeps the embedding for other couplings on the same graph. Linear in the size of the model, without positions
    /// about 5 times as long.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub fn prepare(&self, model: &Ising) -> Result<PlanarGroundStatePlan> {
        PlanarGroundStatePlan::new(model).map_err(|error| match error {
            Error::NotApplicable { reason, .. } => Error::NotApplicable { solver: NAME, reason },
            other => other,
        })
    }
}

/// A planar graph with its dual, ready for ground states of any couplings.
#[derive(Debug, Clone)]
pub struct PlanarGroundStatePlan {
    graph: Csr,
    faces: Faces,
    dual: Csr,
    couplings: Vec<f64>,
    offset: f64,
}

impl PlanarGroundStatePlan {
    fn new(model: &Ising) -> Result<Self> {
        check_fields(model)?;
        let graph = Csr::from_edges(model.n_spins(), model.couplings().map(|(i, j, _)| (i, j)))?;
        let embedding = embedding(model, &graph)?;
        let faces = embedding.faces();
        let dual = embedding.dual(&faces);
        let couplings = model.couplings().map(|(.., j)| j).collect();
        Ok(Self { graph, faces, dual, couplings, offset: model.offset() })
    }

    /// The couplings, in the order of the model.
    pub fn couplings(&self) -> &[f64] {
        &self.couplings
    }

    /// Other couplings on the same graph.
    ///
    /// # Errors
    /// [`Error::WrongLength`]; [`Error::NotFinite`] names the coupling.
    pub fn set_couplings(&mut self, couplings: &[f64]) -> Result<()> {
        if couplings.len() != self.couplings.len() {
            return Err(Error::WrongLength { what: "couplings", got: couplings.len(), expected: self.couplings.len() });
        }
        if let Some(entry) = couplings.iter().position(|j| !j.is_finite()) {
            let (i, j) = self.graph.edges()[entry];
            return Err(Error::NotFinite { what: "coupling", entry, sites: vec![i, j], value: couplings[entry] });
        }
        self.couplings.copy_from_slice(couplings);
        Ok(())
    }

    /// A ground state of the current couplings.
    ///
    /// # Errors
    /// [`Error::Numerics`] beyond $`2^{30}`$ frustrated faces or candidate pairs.
    pub fn find(&self) -> Result<LowestState> {
        self.find_observed(&mut ())
    }

    /// A ground state, with reports after every matching.
    ///
    /// # Errors
    /// As [`find`](Self::find); [`Error::Stopped`] when the observer says stop.
    pub fn find_observed(&self, observer: &mut dyn Observer<Progress>) -> Result<LowestState> {
        self.lowest(&self.couplings, observer)
    }

    /// What it costs to change the sign of these couplings, named by their positions in the model: the difference of
    /// two ground-state energies.
    ///
    /// Changing all bonds between two columns of a lattice that is periodic in that direction exchanges periodic and
    /// antiperiodic boundary conditions.
    ///
    /// # Errors
    /// As [`find`](Self::find); [`Error::Parameter`] for a coupling beyond the end or named twice.
    ///
    /// ```
    /// use spin_models::{Boundary, Ising, exact::planar::PlanarGroundState};
    ///
    /// // A ferromagnet on a cylinder of 3 rows and circumference 4: a wall cuts one bond in each row.
    /// let cylinder = Ising::rectangle([3, 4], [Boundary::Free, Boundary::Periodic], 1.0)?;
    /// let seam: Vec<usize> = (cylinder.couplings().enumerate())
    ///     .filter(|(_, (i, j, _))| i / 4 == j / 4 && j - i == 3)
    ///     .map(|(bond, _)| bond)
    ///     .collect();
    /// assert_eq!(seam.len(), 3);
    /// let wall = PlanarGroundState::default().prepare(&cylinder)?.domain_wall(&seam)?;
    /// assert_eq!(wall.energy, 6.0);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    pub fn domain_wall(&self, flipped: &[usize]) -> Result<DomainWall> {
        let mut couplings = self.couplings.clone();
        let mut changed = vec![false; couplings.len()];
        for &bond in flipped {
            if bond >= changed.len() || std::mem::replace(&mut changed[bond], true) {
                return Err(Error::Parameter {
                    what: "coupling to change",
                    value: bond.to_string(),
                    expected: "a position in the list of couplings, each once",
                });
            }
            couplings[bond] = -couplings[bond];
        }
        let before = self.lowest(&self.couplings, &mut ())?;
        let after = self.lowest(&couplings, &mut ())?;
        let differs = |(bond, &(i, j)): (usize, &(usize, usize))| {
            let turned = before.spins[i] * before.spins[j] != after.spins[i] * after.spins[j];
            (turned != changed[bond]).then_some(bond)
        };
        // Differences of single terms: large energies do not cancel.
        let wall: Vec<usize> = self.graph.edges().iter().enumerate().filter_map(differs).collect();
        let energy = (wall.iter())
            .map(|&bond| {
                let (i, j) = self.graph.edges()[bond];
                2.0 * self.couplings[bond] * f64::from(before.spins[i] * before.spins[j])
            })
            .sum();
        Ok(DomainWall { energy, excess_bound: before.excess_bound + after.excess_bound, wall })
    }

    fn lowest(&self, couplings: &[f64], observer: &mut dyn Observer<Progress>) -> Result<LowestState> {
        let frustrated: Vec<bool> = (self.faces.walks())
            .map(|walk| walk.iter().filter(|&&h| couplings[h / 2] < 0.0).count() % 2 == 1)
            .collect();
        let moduli: Vec<f64> = couplings.iter().map(|j| j.abs()).collect();
        let scaled = scale::scale(&self.dual, &moduli)?;
        let mut done = 0;
        let mut go_on = |rounds: usize| {
            done = rounds as u64;
            observer.observe(&Progress::new("matching", done, done + 1)).is_continue()
        };
        let Some(join) = join::lightest_join(&self.dual, &scaled.weights, &frustrated, &mut go_on)? else {
            return Err(Error::Stopped { solver: NAME, done, total: done + 1 });
        };
        let spins = self.spins(couplings, &join.edges);
        let mut bonds = super::number::CarefulSum::default();
        for (&(i, j), &coupling) in self.graph.edges().iter().zip(couplings) {
            bonds.add(coupling * f64::from(spins[i] * spins[j]));
        }
        Ok(LowestState {
            energy: self.offset - bonds.value(),
            spins,
            excess_bound: scaled.excess,
            n_frustrated: frustrated.iter().filter(|&&f| f).count(),
            rounds: join.rounds,
        })
    }

    /// The configuration in which these couplings and no others are not satisfied.
    fn spins(&self, couplings: &[f64], unsatisfied: &[bool]) -> Vec<i8> {
        let mut spins = vec![0i8; self.graph.n_vertices()];
        let mut queue = VecDeque::new();
        for root in 0..spins.len() {
            if spins[root] != 0 {
                continue;
            }
            spins[root] = 1;
            queue.push_back(root);
            while let Some(v) = queue.pop_front() {
                for next in self.graph.neighbors(v) {
                    let opposite = (couplings[next.edge] < 0.0) != unsatisfied[next.edge];
                    let value = if opposite { -spins[v] } else { spins[v] };
                    if spins[next.vertex] == 0 {
                        spins[next.vertex] = value;
                        queue.push_back(next.vertex);
                    }
                    debug_assert_eq!(spins[next.vertex], value, "a cycle crosses the join an odd number of times");
                }
            }
        }
        spins
    }
}

impl Solve<Ising> for PlanarGroundState {
    fn name(&self) -> &'static str {
        NAME
    }

    /// Tests planarity; linear in the size of the model but for sorting.
    fn check(&self, model: &Ising, beta: f64) -> Result<()> {
        check_beta(beta)?;
        self.prepare(model).map(|_| ())
    }

    /// The same for every β. There is no ln Z, and no error bar: see [`LowestState::excess_bound`].
    fn solve(
        &self,
        model: &Ising,
        beta: f64,
        want: Quantities,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Solution> {
        check_beta(beta)?;
        let state = self.find_observed(model, observer)?;
        let magnetizations = state.spins.iter().map(|&s| Estimate::exact(f64::from(s))).collect();
        let ground_state = GroundState { energy: state.energy, degeneracy: None, spins: state.spins };
        Ok(Solution {
            energy: Some(Estimate::exact(state.energy)),
            magnetizations: want.magnetizations.then_some(magnetizations),
            ground_state: Some(ground_state),
            ..Solution::default()
        })
    }
}
