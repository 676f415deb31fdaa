//! Localised statistics decoding behind belief propagation.

mod clusters;

#[cfg(test)]
mod tests;

use clusters::Clusters;

use super::belief_propagation::{BpParams, FactorGraph, Rescue, Rescued, decode_by_inner};
use super::osd::{Elimination, OsdOrder, Search};
use crate::error::{Error, Result};
use crate::problem::DecodingProblem;

/// Belief propagation, then localised statistics decoding where it does not converge.
///
/// Every one of the syndrome begins a cluster. In turn, each cluster that cannot explain its part of the syndrome takes the
/// bit at its border with the least posterior, and the checks of this bit; clusters that meet become one. One
/// elimination serves all: columns of different clusters never meet in it. Order 0 predicts the solution on the bits that were
/// independent when they were taken. At a higher order w each cluster takes up to w more bits and is then searched by itself
/// by a combination sweep of order w, see [`OsdOrder::CombinationSweep`]. Every prediction has the syndrome.
///
/// The work grows with the sizes of the clusters, not with the size of the code.
///
/// ```
/// use linalg_core::gf2::BinaryCsc;
/// use quantum_ec::decode::{BpLsd, BpParams, Decoder};
/// use quantum_ec::DecodingProblem;
///
/// // Two pairs of equal bits, far apart: two clusters of one bit each.
/// let checks = BinaryCsc::from_columns(2, [[0], [0], [1], [1]])?;
/// let observables = BinaryCsc::from_columns(1, [vec![0], vec![0], vec![], vec![]])?;
/// let problem = DecodingProblem::new(checks, observables, vec![0.1; 4])?;
/// let mut decoder = BpLsd::new(&problem, BpParams::default(), 0)?;
/// let prediction = decoder.decode(&"11".parse()?)?;
/// assert_eq!(decoder.chosen().to_string(), "1010");
/// assert_eq!(prediction.observables.to_string(), "1");
/// # Ok::<(), quantum_ec::Error>(())
/// ```
///
/// # References
/// - T. Hillmann et al., Nat. Commun. 16, 8214 (2025), arXiv:2406.18655.
#[derive(Debug, Clone)]
pub struct BpLsd {
    inner: Rescued<Lsd>,
    order: usize,
}

impl BpLsd {
    /// A decoder of a problem.
    ///
    /// # Errors
    /// As [`BpParams::check`], and [`OsdOrder::check`] of a combination sweep.
    pub fn new(problem: &DecodingProblem, params: BpParams, order: usize) -> Result<Self> {
        OsdOrder::CombinationSweep(order).check()?;
        let inner = Rescued::new(problem, params, |graph| Ok(Lsd::new(graph, order)))?;
        Ok(Self { inner, order })
    }

    /// The order of the search within clusters.
    pub fn order(&self) -> usize {
        self.order
    }
}

decode_by_inner!(BpLsd);

#[derive(Debug, Clone)]
struct Lsd {
    order: usize,
    elimination: Elimination,
    clusters: Clusters,
    posteriors: Vec<f32>,
    /// Free bits and their clusters.
    free: Vec<(u32, u32)>,
    of_cluster: Vec<u32>,
    all: Vec<u32>,
    changed: Vec<u32>,
    search: Search,
}

impl Lsd {
    fn new(graph: &FactorGraph, order: usize) -> Self {
        let n = graph.n_bits();
        Self {
            order,
            elimination: Elimination::new(graph.n_detectors),
            clusters: Clusters::new(graph),
            posteriors: Vec::with_capacity(n),
            free: Vec::with_capacity(n),
            of_cluster: Vec::with_capacity(n),
            all: Vec::with_capacity(n),
            changed: Vec::with_capacity(n),
            search: Search::default(),
        }
    }

    /// The best pattern of free bits of every cluster; clusters do not see each other.
    fn search(&mut self, graph: &FactorGraph, bits: &mut Vec<u32>) {
        self.free.clear();
        for k in 0..self.clusters.dependent.len() {
            let bit = self.clusters.dependent[k];
            let root = self.clusters.root(graph.bit(bit as usize)[0]);
            self.free.push((root, k as u32));
        }
        self.free.sort_unstable();
        self.all.clone_from(bits);
        for cluster in self.free.chunk_by(|a, b| a.0 == b.0) {
            self.of_cluster.clear();
            self.of_cluster.extend(cluster.iter().map(|&(_, k)| self.clusters.dependent[k as usize]));
            self.changed.clone_from(&self.all);
            let order = OsdOrder::CombinationSweep(self.order);
            self.search.improve(graph, &self.elimination, &self.of_cluster, order, &mut self.changed);
            exchange(bits, &self.all, &self.changed);
        }
    }
}

/// Changes `bits` as `to` differs from `from`.
fn exchange(bits: &mut Vec<u32>, from: &[u32], to: &[u32]) {
    bits.retain(|bit| !from.contains(bit) || to.contains(bit));
    bits.extend(to.iter().filter(|bit| !from.contains(bit)));
}

impl Rescue for Lsd {
    fn rescue(
        &mut self,
        graph: &FactorGraph,
        syndrome: &[u64],
        posteriors: &dyn Fn(&mut Vec<f32>),
        bits: &mut Vec<u32>,
    ) -> Result<()> {
        posteriors(&mut self.posteriors);
        self.elimination.restart(syndrome);
        self.clusters.restart(graph, &self.posteriors, syndrome);
        let solved = self.clusters.grow_until_solved(graph, &self.posteriors, &mut self.elimination);
        if !solved {
            let checks = self.elimination.contradiction().unwrap_or_default();
            return Err(Error::ImpossibleSyndrome { checks });
        }
        if self.order > 0 {
            self.clusters.grow_all(graph, &self.posteriors, &mut self.elimination, syndrome, self.order);
        }
        self.elimination.solution(bits);
        if self.order > 0 {
            self.search(graph, bits);
        }
        bits.sort_unstable();
        Ok(())
    }
}
