//! The matching decoder.

use linalg_core::gf2::BitVec;

use super::graph::{Implied, MatchingGraph};
use super::sparse_blossom::Solver;
use crate::decode::decoder::{BatchReport, Decoder, Prediction, check_batch, check_syndrome};
use crate::dem::DetectorErrorModel;
use crate::error::{Error, Result};
use crate::problem::DecodingProblem;
use crate::shots::{ShotsMut, ShotsRef, ones};

/// Minimum-weight perfect matching; see the [module](super) for method and exactness.
///
/// With [`correlated`](Self::correlated) a shot is matched twice: the edges of the first matching lower the weights of
/// those that mechanisms flip together with them, as $`p_{ab}/p_a`$ says, and the second matching counts. The weight
/// reported is always that of the edges before any of this.
///
/// Time grows about linearly with the number of defects below threshold. Memory is about 70 bytes an edge, 60 a detector and 20
/// a mechanism, twice as much with correlations.
///
/// ```
/// use quantum_ec::decode::{Decoder, Matching};
/// use quantum_ec::DetectorErrorModel;
///
/// // The repetition code of three bits, measured once; the observable is the first bit.
/// let model: DetectorErrorModel = "error(0.1) D0 L0\nerror(0.1) D0 D1\nerror(0.2) D1".parse()?;
/// let mut matching = Matching::from_model(&model)?;
/// let prediction = matching.decode(&"10".parse()?)?;
/// assert_eq!(prediction.observables.to_string(), "1");
/// assert!((prediction.weight - 9f64.ln()).abs() < 1e-12);
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Matching {
    pub(super) graph: MatchingGraph,
    solver: Solver,
    correlated: bool,
    defects: Vec<u32>,
    edges: Vec<u32>,
    /// Edges of the first matching.
    given: Vec<u32>,
    /// Edges with lower weights in the second matching that regions overlap on.
    overlaps: Vec<Implied>,
    /// Those of them whose weights were changed.
    changed: Vec<u32>,
    /// Edges of the matching that are as light as can be, so that regions at their ends could be made smaller.
    settled: Vec<u32>,
    /// Edges of the matching, while edges are looked up.
    chosen: Vec<bool>,
    /// The lower weights of edges that have one in this shot.
    lower: Vec<u32>,
    row: Vec<u64>,
}

impl Matching {
    /// The decoder of a graph.
    pub fn new(graph: MatchingGraph) -> Self {
        let solver = Solver::new(graph.n_detectors());
        let row = vec![0; graph.scaled.observables.len()];
        Self {
            solver,
            correlated: false,
            defects: Vec::new(),
            edges: Vec::new(),
            given: Vec::new(),
            overlaps: Vec::new(),
            changed: Vec::new(),
            settled: Vec::new(),
            chosen: Vec::new(),
            lower: Vec::new(),
            row,
            graph,
        }
    }

    /// The decoder of a detector error model.
    ///
    /// # Errors
    /// As [`MatchingGraph::from_model`].
    pub fn from_model(model: &DetectorErrorModel) -> Result<Self> {
        MatchingGraph::from_model(model).map(Self::new)
    }

    /// The decoder of a problem.
    ///
    /// # Errors
    /// As [`MatchingGraph::from_problem`].
    pub fn from_problem(problem: &DecodingProblem) -> Result<Self> {
        MatchingGraph::from_problem(problem).map(Self::new)
    }

    /// Whether every shot is matched a second time with the weights that the first matching implies.
    pub fn correlated(mut self, correlated: bool) -> Self {
        self.correlated = correlated;
        if correlated {
            self.graph.correlate();
            self.chosen.resize(self.graph.n_edges(), false);
            self.lower.resize(self.graph.n_edges(), u32::MAX);
        }
        self
    }

    /// The graph.
    pub fn graph(&self) -> &MatchingGraph {
        &self.graph
    }

    /// Other weights; see [`MatchingGraph::set_weights`].
    ///
    /// # Errors
    /// As [`MatchingGraph::set_weights`].
    pub fn set_weights(&mut self, weights: &[f64]) -> Result<()> {
        self.graph.set_weights(weights)
    }

    /// The weight of the most likely set of edges with this syndrome, and the edges, numbered as in the
    /// [`graph`](Self::graph), ascending.
    ///
    /// ```
    /// use quantum_ec::decode::{Matching, MatchingGraph};
    ///
    /// // A negative weight is taken unless the syndrome speaks against it.
    /// let edges = [(0, None, 1.0, vec![]), (0, Some(1), -2.0, vec![]), (1, None, 1.5, vec![])];
    /// let mut matching = Matching::new(MatchingGraph::from_edges(2, 0, &edges)?);
    /// let mut edges = Vec::new();
    /// assert_eq!(matching.decode_edges(&[0b00], &mut edges)?, 0.0);
    /// assert_eq!(matching.decode_edges(&[0b01], &mut edges)?, -0.5);
    /// assert_eq!(edges, [1, 2]);
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Decoder::decode_into`].
    ///
    /// # Panics
    /// If `syndrome` has another number of words than the detectors need.
    pub fn decode_edges(&mut self, syndrome: &[u64], edges: &mut Vec<usize>) -> Result<f64> {
        let weight = self.matched(syndrome)?;
        // Twice is not at all.
        self.edges.extend_from_slice(&self.graph.scaled.taken);
        self.edges.sort_unstable();
        edges.clear();
        edges.extend(self.edges.chunk_by(|x, y| x == y).filter(|c| c.len() % 2 == 1).map(|c| c[0] as usize));
        Ok(weight)
    }

    /// Decodes with some edges at weight 0: those that are known to have been flipped with probability 1/2 in this shot.
    /// `erased` lists them in any order.
    ///
    /// The cost is that of the shot and of the erased edges, or O(all edges) where an edge of infinite weight is
    /// among them.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`] for an edge beyond their number; as [`Decoder::decode_into`].
    ///
    /// # Panics
    /// If `syndrome` has another number of words than the detectors need.
    pub fn decode_erased(&mut self, syndrome: &[u64], erased: &[usize], out: &mut Prediction) -> Result<()> {
        let bound = self.graph.n_edges();
        if let Some(&index) = erased.iter().find(|e| **e >= bound) {
            return Err(Error::OutOfBounds { what: "edge", index, bound });
        }
        let weight = |&e: &usize| self.graph.weight(e);
        if erased.iter().map(weight).any(|w| w < 0.0 || w.is_infinite()) {
            // What is taken in advance changes, or the arcs do.
            let mut weights = self.graph.weights().to_vec();
            erased.iter().for_each(|&e| weights[e] = 0.0);
            let mut graph = self.graph.clone();
            graph.set_weights(&weights)?;
            std::mem::swap(&mut self.graph, &mut graph);
            let result = self.decode_into(syndrome, out);
            self.graph = graph;
            return result;
        }
        let before: Vec<f64> = erased.iter().map(weight).collect();
        erased.iter().for_each(|&e| self.graph.replace_weight(e, 0.0));
        let result = self.decode_into(syndrome, out);
        erased.iter().zip(before).rev().for_each(|(&e, weight)| self.graph.replace_weight(e, weight));
        result
    }

    /// Matches a shot; its edges, apart from those taken in advance, are then in `self.edges`, and the weight is returned.
    fn matched(&mut self, syndrome: &[u64]) -> Result<f64> {
        check_syndrome(syndrome, self.graph.n_detectors());
        self.graph.find_defects(syndrome, &mut self.defects)?;
        self.match_defects(syndrome)?;
        if self.correlated && !self.edges.is_empty() {
            self.match_again(syndrome)?;
        }
        let graph = &self.graph;
        Ok(self.edges.iter().fold(graph.scaled.weight, |sum, &edge| sum + graph.cost(edge)))
    }

    /// Matches the defects; edges into `self.edges`. The solver keeps its regions if it is to be asked about them.
    fn match_defects(&mut self, syndrome: &[u64]) -> Result<()> {
        self.edges.clear();
        self.solver.clear();
        if self.defects.is_empty() {
            return Ok(());
        }
        let solved = self.solver.solve(&self.graph.scaled.arcs, &self.defects);
        self.list_edges(solved, syndrome)
    }

    /// The edges of a solution into `self.edges`, or why there is none.
    fn list_edges(&mut self, solved: bool, syndrome: &[u64]) -> Result<()> {
        self.edges.clear();
        if solved {
            let edges = &mut self.edges;
            self.solver.for_each_edge(|edge| edges.push(edge));
            return Ok(());
        }
        match self.solver.stuck() {
            Some(defect) => Err(self.graph.explain(syndrome, defect)),
            None => unreachable!("a solver that fails has a defect without partner"),
        }
    }

    /// The second matching, with the weights that the first implies.
    ///
    /// A weight that is lowered changes the best matching only if the edge is not in it and if the regions around its ends
    /// overlap on the shorter edge. Weights of other edges need not be touched: lowering an edge of the matching
    /// helps no other matching more, and the regions of the others stay a proof. Where regions do overlap, pairs
    /// give way whose own edge got lighter, too: smaller regions prove them then. What overlaps still is changed and
    /// the regions there matched again, until nothing does.
    fn match_again(&mut self, syndrome: &[u64]) -> Result<()> {
        self.given.clear();
        self.given.extend_from_slice(&self.edges);
        self.find_overlaps();
        if self.overlaps.is_empty() {
            return Ok(());
        }
        for &edge in &self.given {
            for implied in self.graph.implied_by(edge) {
                let lower = &mut self.lower[implied.edge as usize];
                *lower = implied.size.min(*lower);
            }
        }
        let result = self.match_overlaps(syndrome);
        for &edge in &self.given {
            self.graph.implied_by(edge).iter().for_each(|implied| self.lower[implied.edge as usize] = u32::MAX);
        }
        for &edge in &self.changed {
            self.graph.restore(edge);
        }
        self.changed.clear();
        result
    }

    /// The edges outside of the matching on which regions would overlap if they had the weights that the first matching
    /// implies.
    fn find_overlaps(&mut self) {
        let Self { graph, solver, edges, given, overlaps, chosen, .. } = self;
        overlaps.clear();
        edges.iter().for_each(|&edge| chosen[edge as usize] = true);
        for &edge in given.iter() {
            for implied in graph.implied_by(edge) {
                if solver.overlap(implied.ends, implied.size)
                    && !chosen[implied.edge as usize]
                    && implied.size < graph.scaled.edges[implied.edge as usize].2
                {
                    overlaps.push(*implied);
                }
            }
        }
        edges.iter().for_each(|&edge| chosen[edge as usize] = false);
    }

    /// Matches until no overlaps are left; weights that had to be changed are listed.
    fn match_overlaps(&mut self, syndrome: &[u64]) -> Result<()> {
        while !self.overlaps.is_empty() {
            let Self { graph, solver, overlaps, lower, changed, settled, .. } = &mut *self;
            let edges = &graph.scaled.edges;
            let least = |edge: u32| lower[edge as usize].min(edges[edge as usize].2);
            overlaps.iter().for_each(|overlap| solver.give_way(overlap.ends, overlap.size, least));
            settled.clear();
            solver.settle(least, settled);
            let before = changed.len();
            for &Implied { ends, edge, size } in overlaps.iter() {
                if solver.overlap(ends, size) && size < graph.scaled.edges[edge as usize].2 {
                    graph.set_integer(edge, size);
                    changed.push(edge);
                }
            }
            if changed.len() == before {
                break;
            }
            for &edge in &changed[before..] {
                let (u, v, _) = graph.scaled.edges[edge as usize];
                solver.give_up(u);
                solver.give_up(v);
            }
            for &edge in settled.iter() {
                graph.set_integer(edge, lower[edge as usize].min(graph.scaled.edges[edge as usize].2));
                changed.push(edge);
            }
            let solved = solver.solve_again(&graph.scaled.arcs);
            self.list_edges(solved, syndrome)?;
            self.find_overlaps();
        }
        Ok(())
    }
}

impl Decoder for Matching {
    fn n_detectors(&self) -> usize {
        self.graph.n_detectors()
    }

    fn n_observables(&self) -> usize {
        self.graph.n_observables()
    }

    /// # Errors
    /// [`Error::ImpossibleSyndrome`] naming the detectors of a part of the graph without boundary that holds an odd number
    /// of defects; [`Error::NotApplicable`] likewise, if errors of probability 1 make it odd; [`Error::OutOfBounds`] for a
    /// bit beyond the detectors.
    fn decode_into(&mut self, syndrome: &[u64], out: &mut Prediction) -> Result<()> {
        out.weight = self.matched(syndrome)?;
        out.ln_class.clear();
        out.probabilities.clear();
        let n = self.graph.n_observables();
        if out.observables.len() == n {
            out.observables.clear();
        } else {
            out.observables = BitVec::zeros(n);
        }
        self.flip_observables();
        ones(&self.row).for_each(|i| out.observables.set(i, true));
        Ok(())
    }

    fn decode_erased_into(&mut self, syndrome: &[u64], erased: &[u64], out: &mut Prediction) -> Result<()> {
        let of_mechanism = |m| self.graph.edges_of_mechanism(m).iter().map(|&e| e as usize);
        let edges: Vec<usize> = ones(erased).flat_map(of_mechanism).collect();
        self.decode_erased(syndrome, &edges, out)
    }

    fn decode_batch(&mut self, shots: ShotsRef<'_>, out: &mut ShotsMut<'_>) -> Result<BatchReport> {
        check_batch(self.n_detectors(), self.n_observables(), shots, out);
        let mut report = BatchReport::default();
        // The last row that was decoded: the same again has the same answer, which is in `self.row`.
        let mut last: Option<&[u64]> = None;
        for shot in 0..shots.n_shots() {
            let syndrome = shots.row(shot);
            if last != Some(syndrome) {
                last = None;
                let done =
                    self.graph.find_defects(syndrome, &mut self.defects).and_then(|()| self.match_defects(syndrome));
                let done = match done {
                    Ok(()) if self.correlated && !self.edges.is_empty() => self.match_again(syndrome),
                    done => done,
                };
                if let Err(error) = done {
                    out.row_mut(shot).fill(0);
                    report.failures.push((shot, error));
                    continue;
                }
                self.flip_observables();
                last = Some(syndrome);
            }
            out.row_mut(shot).copy_from_slice(&self.row);
            report.decoded += 1;
        }
        Ok(report)
    }
}

impl Matching {
    /// The observables of the edges found and of those taken in advance, into `self.row`.
    fn flip_observables(&mut self) {
        self.row.copy_from_slice(&self.graph.scaled.observables);
        for &edge in &self.edges {
            for (word, mask) in self.row.iter_mut().zip(self.graph.mask(edge)) {
                *word ^= mask;
            }
        }
    }
}
