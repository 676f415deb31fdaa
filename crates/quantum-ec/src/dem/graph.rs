//! Decoding graphs: pieces that flip one or two detectors.

use std::collections::HashMap;

use super::components::Components;
use super::merge::xor_probability;
use super::model::DetectorErrorModel;
use crate::error::{Error, Result};

/// An edge of a decoding graph.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Edge {
    /// Its ends, ascending; the second is [`DecodingGraph::boundary`] if one detector only is flipped.
    pub nodes: [usize; 2],
    /// Observables flipped, ascending.
    pub observables: Vec<usize>,
    /// Probability that it is flipped, its pieces taken as independent.
    pub probability: f64,
    /// The mechanisms with a piece here, ascending.
    pub mechanisms: Vec<usize>,
}

/// Detectors as nodes with one more for the boundary, error components as edges.
///
/// Components between the same nodes with the same observables are one edge; with other observables they are parallel
/// edges.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DecodingGraph {
    /// Number of detectors.
    pub n_detectors: usize,
    /// Number of observables.
    pub n_observables: usize,
    /// The edges, in order of first appearance.
    pub edges: Vec<Edge>,
    /// Mechanisms with a piece that flips observables and no detector: no edge shows it.
    pub undetectable: Vec<usize>,
}

impl DecodingGraph {
    /// The node of the boundary, after all detectors.
    pub fn boundary(&self) -> usize {
        self.n_detectors
    }
}

impl DetectorErrorModel {
    /// The graph of all components.
    ///
    /// ```
    /// use quantum_ec::DetectorErrorModel;
    ///
    /// let model: DetectorErrorModel = "
    ///     error(0.1) D0 L0
    ///     error(0.2) D0 D1
    ///     error(0.5) D1 ^ D1 D0
    /// ".parse()?;
    /// let graph = model.to_graph()?;
    /// assert_eq!(graph.edges.len(), 3);
    /// assert_eq!((graph.edges[0].nodes, graph.boundary()), ([0, 2], 2));
    /// assert_eq!((graph.edges[1].probability, &graph.edges[1].mechanisms), (0.5, &vec![1, 2]));
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotApplicable`] naming the first mechanism with a component of three detectors or more; as
    /// [`to_components`](Self::to_components).
    pub fn to_graph(&self) -> Result<DecodingGraph> {
        self.to_components()?.to_graph()
    }
}

impl Components {
    /// The graph of these components.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] naming the first mechanism with a component of three detectors or more.
    pub fn to_graph(&self) -> Result<DecodingGraph> {
        let mut known: HashMap<([usize; 2], &[usize]), usize> = HashMap::new();
        let mut edges: Vec<Edge> = Vec::new();
        let mut undetectable = Vec::new();
        for component in &self.list {
            let nodes = match component.detectors[..] {
                [] => {
                    if !component.observables.is_empty() && undetectable.last() != Some(&component.mechanism) {
                        undetectable.push(component.mechanism);
                    }
                    continue;
                }
                [a] => [a, self.n_detectors],
                [a, b] => [a, b],
                _ => {
                    let (n, mechanism) = (component.detectors.len(), component.mechanism);
                    let reason =
                        format!("mechanism {mechanism} has a component that flips {n} detectors, a graph takes 2");
                    return Err(Error::NotApplicable { method: "decoding graph", reason });
                }
            };
            let p = component.probability;
            let at = *known.entry((nodes, &component.observables)).or_insert(edges.len());
            match edges.get_mut(at) {
                None => edges.push(Edge {
                    nodes,
                    observables: component.observables.clone(),
                    probability: p,
                    mechanisms: vec![component.mechanism],
                }),
                Some(edge) => {
                    edge.probability = xor_probability(edge.probability, p);
                    if edge.mechanisms.last() != Some(&component.mechanism) {
                        edge.mechanisms.push(component.mechanism);
                    }
                }
            }
        }
        Ok(DecodingGraph { n_detectors: self.n_detectors, n_observables: self.n_observables, edges, undetectable })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hyperedges_and_undetectable_errors_are_named() {
        let read = |text: &str| text.parse::<DetectorErrorModel>().unwrap().to_graph();
        assert_eq!(
            read("error(0.1) D0\nerror(0.1) D0 D1 D2 ^ D1").unwrap_err().to_string(),
            "decoding graph does not apply: mechanism 1 has a component that flips 3 detectors, a graph takes 2"
        );
        let graph = read("error(0.1) D0 D0\nerror(0.1) L1 ^ D0 ^ L1\nerror(0.2) D0 L1").unwrap();
        assert_eq!(graph.undetectable, [1]);
        assert_eq!(graph.edges.iter().map(|e| e.mechanisms.clone()).collect::<Vec<_>>(), [[1], [2]]);
    }
}
