//! The graph of a matching decoder: edges, weights, observables.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::correlations::{Correlations, Mechanisms};
use super::decompose::components_of;
use super::sparse_blossom::Arcs;
use crate::dem::{Components, DetectorErrorModel, xor_probability};
use crate::error::{Error, Result};
use crate::problem::DecodingProblem;
use crate::shots::{ones, words_per_row};

/// Largest integer weight that is not rounded.
const EXACT: f64 = ((1u32 << 30) - 1) as f64;
/// Steps of the largest weight, if weights are rounded.
const STEPS: f64 = (1u32 << 28) as f64;
/// Weights must be finite and their sums, too.
const WEIGHT_BOUND: f64 = 1e100;
/// Nodes and arcs are numbered by 32 bits, one of which is taken.
const SIZE_BOUND: usize = 1 << 29;

/// Detectors as nodes, one boundary, weighted edges that flip observables.
///
/// Between two nodes, or a node and the boundary, there is one edge. Pieces of several mechanisms there are one edge with
/// the probability $`p (1-q) + q (1-p)`$; it flips the observables of the first, and how many disagreed is
/// counted.
///
/// ```
/// use quantum_ec::DetectorErrorModel;
/// use quantum_ec::decode::MatchingGraph;
///
/// let model: DetectorErrorModel = "
///     error(0.1) D0 L0
///     error(0.25) D0 D1
///     error(0.1) D1
///     error(0.5) D1 L0
/// ".parse()?;
/// let graph = MatchingGraph::from_model(&model)?;
/// assert_eq!((graph.n_edges(), graph.n_conflicts()), (3, 1));
/// assert_eq!(graph.ends(1), (0, Some(1)));
/// assert!((graph.weight(1) - 3f64.ln()).abs() < 1e-12);
/// assert!(graph.ends(2) == (1, None) && graph.weight(2).abs() < 1e-12);
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct MatchingGraph {
    n_detectors: usize,
    n_observables: usize,
    /// The number of detectors stands for the boundary.
    ends: Vec<(u32, u32)>,
    weights: Vec<f64>,
    /// Words of observables a row, a row an edge.
    masks: Vec<u64>,
    words: usize,
    conflicts: usize,
    mechanisms: Mechanisms,
    /// As the mechanisms say; empty for graphs made of edges.
    probabilities: Vec<f64>,
    /// Once they are asked for.
    correlations: Correlations,
    pub(super) scaled: Scaled,
}

/// An edge that is likelier once another is flipped.
#[derive(Debug, Clone, Copy)]
pub(super) struct Implied {
    pub ends: (u32, u32),
    pub edge: u32,
    /// The integer for its weight then.
    pub size: u32,
}

/// What the solver works on: non-negative integers, and what is flipped in advance.
#[derive(Debug, Clone)]
pub(super) struct Scaled {
    pub arcs: Arcs,
    /// Weights as integers, multiples of 4, so that halves of halves are integers.
    pub edges: Vec<(u32, u32, u32)>,
    /// Edge by edge, where its implied weights begin; empty if nothing is known.
    first_implied: Vec<u32>,
    implied: Vec<Implied>,
    /// What an integer weight of 4 stands for.
    pub step: f64,
    /// Whether weights are rounded.
    pub rounded: bool,
    /// Edges taken in advance, ascending.
    pub taken: Vec<u32>,
    /// The detectors they flip.
    pub detectors: Vec<u64>,
    /// The observables they flip.
    pub observables: Vec<u64>,
    /// Their weight, certain ones aside.
    pub weight: f64,
}

impl MatchingGraph {
    /// The graph of a list of edges `(detector, other detector or the boundary, weight, observables)`.
    ///
    /// Of several edges between the same nodes the lightest is used, the first among equals. Weights may be negative;
    /// $`+\infty`$ is never taken, $`-\infty`$ always.
    ///
    /// ```
    /// use quantum_ec::decode::{Matching, MatchingGraph};
    ///
    /// // boundary --3-- 0 --4-- 1 --2-- boundary
    /// let edges = [(0, None, 3.0, vec![0]), (0, Some(1), 4.0, vec![]), (1, None, 2.0, vec![])];
    /// let mut matching = Matching::new(MatchingGraph::from_edges(2, 1, &edges)?);
    /// let mut edges = Vec::new();
    /// assert_eq!(matching.decode_edges(&[0b11], &mut edges)?, 4.0);
    /// assert_eq!(edges, [1]);
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::OutOfBounds`] for a detector or an observable beyond its number; [`Error::NotApplicable`] naming the detector
    /// of a loop; [`Error::Parameter`] for a weight that is NaN or finite and beyond 10¹⁰⁰; [`Error::TooLarge`].
    pub fn from_edges(
        n_detectors: usize,
        n_observables: usize,
        edges: &[(usize, Option<usize>, f64, Vec<usize>)],
    ) -> Result<Self> {
        check_size("number of detectors", n_detectors)?;
        check_size("number of edges", edges.len())?;
        let mut builder = Builder::new(n_detectors, n_observables);
        for (u, v, weight, observables) in edges {
            for index in [Some(*u), *v].into_iter().flatten() {
                if index >= n_detectors {
                    return Err(Error::OutOfBounds { what: "detector", index, bound: n_detectors });
                }
            }
            if let Some(&index) = observables.iter().find(|i| **i >= n_observables) {
                return Err(Error::OutOfBounds { what: "observable", index, bound: n_observables });
            }
            if *v == Some(*u) {
                let reason = format!("an edge joins detector {u} to itself");
                return Err(Error::NotApplicable { method: "matching", reason });
            }
            check_weight(*weight)?;
            let (edge, new) = builder.edge(*u, v.unwrap_or(n_detectors), observables);
            if new {
                builder.values.push(*weight);
            } else if *weight < builder.values[edge] {
                builder.values[edge] = *weight;
                builder.replace_observables(edge);
            }
        }
        let weights = std::mem::take(&mut builder.values);
        builder.finish(weights, Vec::new())
    }

    /// The graph of a detector error model: every piece between separators is an edge with the probability of its
    /// mechanism.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] naming the first mechanism with a piece of three detectors or more; [`Error::TooLarge`].
    pub fn from_model(model: &DetectorErrorModel) -> Result<Self> {
        model.check_size("matching on a detector error model")?;
        let mut builder = Builder::new(model.n_detectors() as usize, model.n_observables() as usize);
        model
            .each_component(|mechanism, p, detectors, observables| builder.add(mechanism, p, detectors, observables))?;
        builder.finish_probabilities()
    }

    /// The graph of a problem. A mechanism that flips more than two detectors is split into edges that other mechanisms
    /// make and that flip the same observables together.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] naming the first mechanism that cannot be split; [`Error::TooLarge`].
    pub fn from_problem(problem: &DecodingProblem) -> Result<Self> {
        Self::from_components(&components_of(problem)?)
    }

    /// The graph of error components.
    ///
    /// # Errors
    /// As [`from_model`](Self::from_model).
    pub fn from_components(components: &Components) -> Result<Self> {
        check_size("number of detectors", components.n_detectors)?;
        check_size("number of components", components.list.len())?;
        let mut builder = Builder::new(components.n_detectors, components.n_observables);
        for component in &components.list {
            builder.add(component.mechanism, component.probability, &component.detectors, &component.observables)?;
        }
        builder.finish_probabilities()
    }

    /// Works out what edges say of others; see [`implied_by`](Self::implied_by).
    pub(super) fn correlate(&mut self) {
        if !self.probabilities.is_empty() {
            self.correlations = Correlations::new(&self.mechanisms, &self.probabilities);
            self.scale_implied();
        }
    }

    /// Number of detectors.
    pub fn n_detectors(&self) -> usize {
        self.n_detectors
    }

    /// Number of observables.
    pub fn n_observables(&self) -> usize {
        self.n_observables
    }

    /// Number of edges, parallel ones merged, in the order of first appearance.
    pub fn n_edges(&self) -> usize {
        self.ends.len()
    }

    /// How many pieces were merged into an edge that flips other observables.
    pub fn n_conflicts(&self) -> usize {
        self.conflicts
    }

    /// The ends of an edge; `None` is the boundary.
    ///
    /// # Panics
    /// If there is no such edge.
    pub fn ends(&self, edge: usize) -> (usize, Option<usize>) {
        let (u, v) = self.ends[edge];
        (u as usize, (v as usize != self.n_detectors).then_some(v as usize))
    }

    /// The weight of an edge before rounding.
    ///
    /// # Panics
    /// If there is no such edge.
    pub fn weight(&self, edge: usize) -> f64 {
        self.weights[edge]
    }

    /// All weights.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The observables of an edge, ascending.
    ///
    /// # Panics
    /// If there is no such edge.
    pub fn observables(&self, edge: usize) -> impl Iterator<Item = usize> + '_ {
        ones(self.mask(edge as u32))
    }

    /// The edges that the mechanism with this number is part of, in the order of its pieces; none for graphs that were made
    /// of edges.
    pub fn edges_of_mechanism(&self, mechanism: usize) -> &[u32] {
        self.mechanisms.edges_of(mechanism)
    }

    /// The largest error of one weight by rounding; 0 if all are integers below 2³⁰.
    pub fn rounding(&self) -> f64 {
        if self.scaled.rounded { self.scaled.step / 2.0 } else { 0.0 }
    }

    /// Other weights for the same edges. The memory is used again; O(edges).
    ///
    /// Edges correlated by mechanisms keep the correlations of the probabilities that the graph was built with.
    ///
    /// # Errors
    /// [`Error::WrongLength`], and [`Error::Parameter`] for weights as in [`from_edges`](Self::from_edges); the weights are
    /// then unchanged.
    pub fn set_weights(&mut self, weights: &[f64]) -> Result<()> {
        if weights.len() != self.n_edges() {
            return Err(Error::WrongLength { what: "weights", got: weights.len(), expected: self.n_edges() });
        }
        weights.iter().try_for_each(|&weight| check_weight(weight))?;
        self.weights.copy_from_slice(weights);
        self.scale();
        Ok(())
    }

    pub(in crate::decode) fn arcs(&self) -> &Arcs {
        &self.scaled.arcs
    }

    /// The observables of what is taken in advance.
    pub(in crate::decode) fn observables_in_advance(&self) -> &[u64] {
        &self.scaled.observables
    }

    /// The weight of what is taken in advance.
    pub(in crate::decode) fn weight_in_advance(&self) -> f64 {
        self.scaled.weight
    }

    /// The defects of a syndrome, once what is taken in advance has been taken off.
    pub(in crate::decode) fn find_defects(&self, syndrome: &[u64], defects: &mut Vec<u32>) -> Result<()> {
        defects.clear();
        for (k, (&word, &taken)) in syndrome.iter().zip(&self.scaled.detectors).enumerate() {
            let mut rest = word ^ taken;
            while rest != 0 {
                defects.push(64 * k as u32 + rest.trailing_zeros());
                rest &= rest - 1;
            }
        }
        match defects.last() {
            Some(&last) if last as usize >= self.n_detectors => {
                Err(Error::OutOfBounds { what: "detector", index: last as usize, bound: self.n_detectors })
            }
            _ => Ok(()),
        }
    }

    /// Why a defect has no partner: its part of the graph has no boundary and an odd number of defects.
    pub(in crate::decode) fn explain(&self, syndrome: &[u64], defect: u32) -> Error {
        let arcs = &self.scaled.arcs;
        let mut seen = vec![false; self.n_detectors + 1];
        let mut checks = vec![defect as usize];
        seen[defect as usize] = true;
        let mut at = 0;
        while let Some(&u) = checks.get(at) {
            let (from, to) = arcs.range(u as u32);
            for arc in arcs.slice(from, to) {
                if !std::mem::replace(&mut seen[arc.to as usize], true) {
                    checks.push(arc.to as usize);
                }
            }
            at += 1;
        }
        checks.sort_unstable();
        let odd = checks.iter().filter(|&&c| syndrome[c / 64] >> (c % 64) & 1 == 1).count() % 2 == 1;
        if odd {
            return Error::ImpossibleSyndrome { checks };
        }
        let reason =
            format!("the detectors {checks:?} hold an odd number of defects once certain errors are taken off");
        Error::NotApplicable { method: "matching", reason }
    }

    pub(in crate::decode) fn mask(&self, edge: u32) -> &[u64] {
        &self.masks[edge as usize * self.words..(edge as usize + 1) * self.words]
    }

    /// What an edge in the solver's answer adds to the weight.
    #[inline]
    pub(in crate::decode) fn cost(&self, edge: u32) -> f64 {
        self.weights[edge as usize].abs()
    }

    /// Another finite and non-negative weight for an edge that has one, no heavier than the heaviest.
    pub(super) fn replace_weight(&mut self, edge: usize, weight: f64) {
        self.weights[edge] = weight;
        self.set_integer(edge as u32, integer(weight, self.scaled.step));
    }

    /// Another integer for the weight of an edge, in this matching only.
    pub(super) fn set_integer(&mut self, edge: u32, size: u32) {
        self.scaled.edges[edge as usize].2 = size;
        self.scaled.arcs.set_weight(self.ends[edge as usize], edge, size);
    }

    /// The edges that are more likely because this one was flipped, with lower integers for their weights. Edges that are
    /// likelier than not are left out.
    #[inline]
    pub(super) fn implied_by(&self, edge: u32) -> &[Implied] {
        match self.scaled.first_implied.get(edge as usize..edge as usize + 2) {
            Some(&[from, to]) => &self.scaled.implied[from as usize..to as usize],
            _ => &[],
        }
    }

    /// Takes back what [`set_integer`](Self::set_integer) did to an edge.
    pub(super) fn restore(&mut self, edge: u32) {
        self.set_integer(edge, integer(self.weights[edge as usize], self.scaled.step));
    }

    /// Integers for all weights.
    fn scale(&mut self) {
        let Self { scaled, weights, ends, masks, words, .. } = self;
        let finite = || weights.iter().map(|w| w.abs()).filter(|w| w.is_finite());
        let heaviest = finite().fold(0.0, f64::max);
        scaled.rounded = heaviest > EXACT || finite().any(|w| w.fract() != 0.0);
        scaled.step = if scaled.rounded { heaviest / STEPS } else { 1.0 };
        scaled.taken.clear();
        scaled.detectors.fill(0);
        scaled.observables.fill(0);
        scaled.weight = 0.0;
        scaled.edges.clear();
        for (e, (&(u, v), &weight)) in ends.iter().zip(weights.iter()).enumerate() {
            let size = if weight.is_finite() { integer(weight.abs(), scaled.step) } else { 0 };
            scaled.edges.push((u, v, size));
            if weight < 0.0 {
                scaled.taken.push(e as u32);
                for node in [u, v] {
                    // The bit of the boundary may lie beyond the last word; it is nobody's defect.
                    if let Some(word) = scaled.detectors.get_mut(node as usize / 64) {
                        *word ^= 1 << (node % 64);
                    }
                }
                for (word, mask) in scaled.observables.iter_mut().zip(&masks[e * *words..]) {
                    *word ^= mask;
                }
                if weight.is_finite() {
                    scaled.weight += weight;
                }
            }
        }
        if !self.n_detectors.is_multiple_of(64)
            && let Some(last) = scaled.detectors.last_mut()
        {
            *last &= (1 << (self.n_detectors % 64)) - 1;
        }
        scaled.arcs.rebuild(self.n_detectors, &scaled.edges, |e| weights[e].is_finite());
        self.scale_implied();
    }

    /// Integers for implied weights, where they are lower than those of their edges.
    fn scale_implied(&mut self) {
        let Self { scaled, weights, correlations, .. } = self;
        scaled.first_implied.clear();
        scaled.implied.clear();
        for given in 0..correlations.n_edges() {
            scaled.first_implied.push(scaled.implied.len() as u32);
            for &(edge, weight) in correlations.implied_by(given) {
                let base = weights[edge as usize];
                let (u, v, now) = scaled.edges[edge as usize];
                let size = integer(weight, scaled.step);
                if base >= 0.0 && base.is_finite() && size < now {
                    scaled.implied.push(Implied { ends: (u, v), edge, size });
                }
            }
        }
        scaled.first_implied.push(scaled.implied.len() as u32);
    }
}

/// A weight in units of the solver.
fn integer(weight: f64, step: f64) -> u32 {
    // All are zero where the step is.
    // Implied weights may be far above the heaviest edge; the largest integer stands for all of them.
    if step > 0.0 { 4 * (weight / step).round().min(f64::from(u32::MAX / 4)) as u32 } else { 0 }
}

fn check_weight(weight: f64) -> Result<()> {
    if weight.is_infinite() || weight.abs() <= WEIGHT_BOUND {
        return Ok(());
    }
    let expected = "an infinity or a number up to 1e100 in absolute value";
    Err(Error::Parameter { what: "weight of an edge", value: weight.to_string(), expected })
}

fn check_size(what: &'static str, value: usize) -> Result<()> {
    if value < SIZE_BOUND {
        return Ok(());
    }
    Err(Error::TooLarge { method: "matching", what, value, bound: SIZE_BOUND - 1 })
}

/// Hash of a pair of nodes: one multiplication each.
#[derive(Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        // The table looks at the lowest and at the highest bits.
        self.0 ^ self.0 >> 32
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u32(u32::from(byte)));
    }

    fn write_u32(&mut self, x: u32) {
        self.0 = (self.0.rotate_left(5) ^ u64::from(x)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

/// Edges as they are found.
struct Builder {
    n_detectors: usize,
    n_observables: usize,
    known: HashMap<(u32, u32), u32, BuildHasherDefault<Mix>>,
    ends: Vec<(u32, u32)>,
    /// Probabilities or weights.
    values: Vec<f64>,
    masks: Vec<u64>,
    words: usize,
    row: Vec<u64>,
    conflicts: usize,
    mechanisms: Mechanisms,
}

impl Builder {
    fn new(n_detectors: usize, n_observables: usize) -> Self {
        let words = words_per_row(n_observables);
        Self {
            n_detectors,
            n_observables,
            known: HashMap::default(),
            ends: Vec::new(),
            values: Vec::new(),
            masks: Vec::new(),
            words,
            row: vec![0; words],
            conflicts: 0,
            mechanisms: Mechanisms::none(),
        }
    }

    /// A piece of a mechanism; the mechanisms come in ascending order.
    fn add(&mut self, mechanism: usize, p: f64, detectors: &[usize], observables: &[usize]) -> Result<()> {
        let (u, v) = match *detectors {
            [] => return Ok(()),
            [a] => (a, self.n_detectors),
            [a, b] => (a, b),
            _ => {
                let n = detectors.len();
                let reason =
                    format!("mechanism {mechanism} has a component that flips {n} detectors, an edge flips 1 or 2");
                return Err(Error::NotApplicable { method: "matching", reason });
            }
        };
        let (edge, new) = self.edge(u, v, observables);
        if new {
            check_size("number of edges", edge)?;
            self.values.push(p);
        } else {
            self.values[edge] = xor_probability(self.values[edge], p);
        }
        self.mechanisms.push(mechanism, p, edge as u32);
        Ok(())
    }

    /// The graph, if the values are probabilities.
    fn finish_probabilities(mut self) -> Result<MatchingGraph> {
        let probabilities = std::mem::take(&mut self.values);
        let weights = probabilities.iter().map(|p| (-p).ln_1p() - p.ln()).collect();
        self.finish(weights, probabilities)
    }

    /// The edge between two nodes, and whether it is new.
    fn edge(&mut self, u: usize, v: usize, observables: &[usize]) -> (usize, bool) {
        self.row.fill(0);
        for &i in observables {
            self.row[i / 64] ^= 1 << (i % 64);
        }
        let ends = (u.min(v) as u32, u.max(v) as u32);
        let next = self.ends.len();
        let edge = *self.known.entry(ends).or_insert(next as u32) as usize;
        if edge == next {
            self.ends.push(ends);
            self.masks.extend_from_slice(&self.row);
            return (edge, true);
        }
        self.conflicts += usize::from(self.masks[edge * self.words..(edge + 1) * self.words] != self.row);
        (edge, false)
    }

    /// Gives an edge the observables that [`edge`](Self::edge) was asked for last.
    fn replace_observables(&mut self, edge: usize) {
        self.masks[edge * self.words..(edge + 1) * self.words].copy_from_slice(&self.row);
    }

    fn finish(self, weights: Vec<f64>, probabilities: Vec<f64>) -> Result<MatchingGraph> {
        let scaled = Scaled {
            arcs: Arcs::new(self.n_detectors, &[], |_| true),
            edges: Vec::new(),
            first_implied: Vec::new(),
            implied: Vec::new(),
            step: 1.0,
            rounded: false,
            taken: Vec::new(),
            detectors: vec![0; words_per_row(self.n_detectors)],
            observables: vec![0; self.words],
            weight: 0.0,
        };
        let mut graph = MatchingGraph {
            n_detectors: self.n_detectors,
            n_observables: self.n_observables,
            ends: self.ends,
            weights,
            masks: self.masks,
            words: self.words,
            conflicts: self.conflicts,
            mechanisms: self.mechanisms,
            probabilities,
            correlations: Correlations::none(),
            scaled,
        };
        graph.scale();
        Ok(graph)
    }
}
