//! Matching of long memories, a window of time after another.

use linalg_core::gf2::BitVec;

use super::{Matching, MatchingGraph};
use crate::decode::decoder::{Decoder, Prediction, check_syndrome};
use crate::error::{Error, Result};
use crate::shots::{ones, words_per_row};

/// Decodes windows of some layers of detectors each: the first are committed, the others are a buffer that is decoded
/// again in the next window.
///
/// In a window, edges to later layers end at an open boundary. Of the matching, edges with an end in the committed layers
/// are kept; their other ends, in the buffer or beyond, become defects of the next window or stop being some. Edges that
/// end in committed layers are settled with them and left out afterwards. The last window has no cut and is kept
/// whole.
///
/// The work is that of matching all windows, (commit + buffer)/commit times the shot. With a buffer of about the distance the
/// cut costs next to nothing in logical errors.
///
/// ```
/// use quantum_ec::decode::{Decoder, MatchingGraph, WindowedMatching};
///
/// // A line of detectors in time, open to the left: 0 -1- 1 -1- 2 -1- 3; boundary -1- 0.
/// let edges: Vec<_> = (0..4).map(|t: usize| (t, t.checked_sub(1), 1.0, if t == 0 { vec![0] } else { vec![] })).collect();
/// let graph = MatchingGraph::from_edges(4, 1, &edges)?;
/// let mut decoder = WindowedMatching::new(&graph, &[0, 1, 2, 3], 1, 2)?;
/// assert_eq!(decoder.n_windows(), 2);
/// // The defect in layer 2 could leave the first window by its cut; the partner appears in the second.
/// let prediction = decoder.decode(&"0011".parse()?)?;
/// assert_eq!((prediction.observables.to_string().as_str(), prediction.weight), ("0", 1.0));
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct WindowedMatching {
    graph: MatchingGraph,
    windows: Vec<Window>,
    /// The syndrome that is left.
    rest: Vec<u64>,
    local: Vec<u64>,
    chosen: Vec<usize>,
}

#[derive(Debug, Clone)]
struct Window {
    matching: Matching,
    /// Detectors, those of committed layers first.
    nodes: Vec<u32>,
    committed: usize,
    /// The edges of the whole graph.
    edges: Vec<u32>,
}

impl WindowedMatching {
    /// Windows of `commit + buffer` layers, a new one every `commit` layers; `layers` has the layer of every detector.
    ///
    /// Layers count from the least one. Memory is that of a matching decoder, (commit + buffer)/commit times.
    ///
    /// # Errors
    /// [`Error::WrongLength`] unless there is a layer for every detector, [`Error::Parameter`] if `commit` is 0.
    pub fn new(graph: &MatchingGraph, layers: &[i64], commit: usize, buffer: usize) -> Result<Self> {
        let n = graph.n_detectors();
        if layers.len() != n {
            return Err(Error::WrongLength { what: "layers of detectors", got: layers.len(), expected: n });
        }
        if commit == 0 {
            return Err(Error::Parameter { what: "commit", value: "0".into(), expected: "a number of layers from 1" });
        }
        // Layers without detectors do not count.
        let mut times = layers.to_vec();
        times.sort_unstable();
        times.dedup();
        let rank: Vec<usize> = layers.iter().map(|t| times.partition_point(|other| other < t)).collect();
        let mut by_layer: Vec<Vec<u32>> = vec![Vec::new(); times.len()];
        rank.iter().enumerate().for_each(|(v, &layer)| by_layer[layer].push(v as u32));
        let mut edges_of: Vec<Vec<u32>> = vec![Vec::new(); times.len()];
        for e in 0..graph.n_edges() {
            let (u, v) = graph.ends(e);
            edges_of[v.map_or(rank[u], |v| rank[u].min(rank[v]))].push(e as u32);
        }
        let mut place = vec![usize::MAX; n];
        let mut windows = Vec::new();
        let mut start = 0usize;
        loop {
            let end = times.len().min(start.saturating_add(commit).saturating_add(buffer));
            let last = end == times.len();
            let committed_end = if last { end } else { start + commit };
            let mut window =
                Builder { graph, place: &mut place, nodes: Vec::new(), list: Vec::new(), edges: Vec::new() };
            by_layer[start..end].iter().for_each(|layer| window.nodes.extend_from_slice(layer));
            let committed = by_layer[start..committed_end].iter().map(Vec::len).sum();
            windows.push(window.build(&edges_of[start..end], committed)?);
            if last {
                break;
            }
            start += commit;
        }
        let widest = windows.iter().map(|window| window.nodes.len()).max().unwrap_or(0);
        Ok(Self {
            graph: graph.clone(),
            windows,
            rest: vec![0; words_per_row(n)],
            local: vec![0; words_per_row(widest)],
            chosen: Vec::new(),
        })
    }

    /// Number of windows.
    pub fn n_windows(&self) -> usize {
        self.windows.len()
    }
}

struct Builder<'a> {
    graph: &'a MatchingGraph,
    place: &'a mut [usize],
    nodes: Vec<u32>,
    list: Vec<(usize, Option<usize>, f64, Vec<usize>)>,
    edges: Vec<u32>,
}

impl Builder<'_> {
    /// The window of its nodes; `edges` begin in its layers.
    fn build(mut self, edges: &[Vec<u32>], committed: usize) -> Result<Window> {
        for (k, &v) in self.nodes.iter().enumerate() {
            self.place[v as usize] = k;
        }
        // Of all ways from a node to the boundary or through the cut, the lightest.
        let mut outward: Vec<Option<u32>> = vec![None; self.nodes.len()];
        for &e in edges.iter().flatten() {
            let (u, v) = self.graph.ends(e as usize);
            let inside = |v: usize| Some(self.place[v]).filter(|k| *k != usize::MAX);
            match (inside(u), v.and_then(inside)) {
                (Some(a), Some(b)) => self.push(e, a, Some(b)),
                (Some(a), None) | (None, Some(a)) => {
                    let lighter = |other: u32| self.graph.weight(e as usize) < self.graph.weight(other as usize);
                    if outward[a].is_none_or(lighter) {
                        outward[a] = Some(e);
                    }
                }
                (None, None) => {}
            }
        }
        for (a, e) in outward.into_iter().enumerate() {
            if let Some(e) = e {
                self.push(e, a, None);
            }
        }
        for &v in &self.nodes {
            self.place[v as usize] = usize::MAX;
        }
        let matching = Matching::new(MatchingGraph::from_edges(self.nodes.len(), 0, &self.list)?);
        Ok(Window { matching, nodes: self.nodes, committed, edges: self.edges })
    }

    fn push(&mut self, edge: u32, a: usize, b: Option<usize>) {
        self.list.push((a, b, self.graph.weight(edge as usize), Vec::new()));
        self.edges.push(edge);
    }
}

impl Decoder for WindowedMatching {
    fn n_detectors(&self) -> usize {
        self.graph.n_detectors()
    }

    fn n_observables(&self) -> usize {
        self.graph.n_observables()
    }

    /// # Errors
    /// As [`Matching`]'s, naming the detectors of the window.
    fn decode_into(&mut self, syndrome: &[u64], out: &mut Prediction) -> Result<()> {
        check_syndrome(syndrome, self.graph.n_detectors());
        self.rest.copy_from_slice(syndrome);
        let n = self.graph.n_observables();
        if out.observables.len() == n {
            out.observables.clear();
        } else {
            out.observables = BitVec::zeros(n);
        }
        out.weight = 0.0;
        out.ln_class.clear();
        out.probabilities.clear();
        for window in &mut self.windows {
            let words = words_per_row(window.nodes.len());
            let local = &mut self.local[..words];
            local.fill(0);
            for (k, &v) in window.nodes.iter().enumerate() {
                local[k / 64] |= (self.rest[v as usize / 64] >> (v % 64) & 1) << (k % 64);
            }
            if let Err(error) = window.matching.decode_edges(local, &mut self.chosen) {
                return Err(match error {
                    Error::ImpossibleSyndrome { checks } => Error::ImpossibleSyndrome {
                        checks: checks.into_iter().map(|k| window.nodes[k] as usize).collect(),
                    },
                    other => other,
                });
            }
            for &e in &self.chosen {
                let (a, b) = window.matching.graph().ends(e);
                if a >= window.committed && b.is_none_or(|b| b >= window.committed) {
                    continue;
                }
                let edge = window.edges[e] as usize;
                let (u, v) = self.graph.ends(edge);
                for x in std::iter::once(u).chain(v) {
                    self.rest[x / 64] ^= 1 << (x % 64);
                }
                ones(self.graph.mask(edge as u32)).for_each(|i| out.observables.flip(i));
                let weight = self.graph.weight(edge);
                out.weight += if weight.is_finite() { weight } else { 0.0 };
            }
        }
        Ok(())
    }
}
