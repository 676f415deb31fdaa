//! The shortest error made of pieces that flip one or two detectors, exactly.

use std::collections::{BTreeSet, HashSet};

use super::{UndetectableError, xor};
use crate::dem::components::Components;

/// What a search over the pieces with at most two detectors finds; made by [`Components::shortest_graphlike_error`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct GraphlikeDistance {
    /// A shortest error, its members in the numbers of [`Components::list`]; `None` if no observable can be flipped without
    /// a detector.
    pub error: Option<UndetectableError>,
    /// Pieces left out because they flip three detectors or more.
    pub ignored: usize,
}

impl Components {
    /// The fewest pieces of at most two detectors that flip an observable and no detector.
    ///
    /// Pieces are edges between detectors and one node for the boundary. For each observable the graph is doubled: a node
    /// stands for a detector and the parity of the observable on the way there, and the shortest way from a node to its
    /// double is the answer. Ways go through an edge that flips the observable, so one breadth-first search from an end of
    /// each is enough, to half the depth of the best; what was a start is left out afterwards. Exact, every piece counted
    /// once; pieces of probability zero do not exist.
    ///
    /// Cost: $`O(O\, V_o (V + E))`$ with O observables and $`V_o`$ nodes at edges that flip one, in practice near a
    /// few searches each.
    ///
    /// ```
    /// use quantum_ec::DetectorErrorModel;
    ///
    /// // D0 - D1 - boundary, the observable on the edge to D0.
    /// let model: DetectorErrorModel = "
    ///     error(0.1) D0 L0
    ///     error(0.1) D0 D1
    ///     error(0.1) D1
    ///     error(0.1) D0 D1 D2
    /// ".parse()?;
    /// let found = model.to_components()?.shortest_graphlike_error();
    /// assert_eq!(found.error.unwrap().members, [0, 1, 2]);
    /// assert_eq!(found.ignored, 1);
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    pub fn shortest_graphlike_error(&self) -> GraphlikeDistance {
        let mut seen = HashSet::new();
        let mut ignored = 0;
        let mut edges: Vec<Edge<'_>> = Vec::new();
        let mut error = None;
        for (member, component) in self.list.iter().enumerate() {
            let ends = match component.detectors[..] {
                _ if component.probability == 0.0 => continue,
                [] => {
                    if !component.observables.is_empty() && error.is_none() {
                        let observables = component.observables.clone();
                        error = Some(UndetectableError { members: vec![member], observables });
                    }
                    continue;
                }
                [a] => [a, self.n_detectors],
                [a, b] => [a, b],
                _ => {
                    ignored += 1;
                    continue;
                }
            };
            if seen.insert((ends, &component.observables)) {
                edges.push(Edge { ends, observables: &component.observables, member });
            }
        }
        if error.is_none() {
            error = Search::new(self.n_detectors + 1, edges).run();
        }
        GraphlikeDistance { error, ignored }
    }
}

struct Edge<'a> {
    ends: [usize; 2],
    observables: &'a [usize],
    member: usize,
}

struct Search<'a> {
    edges: Vec<Edge<'a>>,
    /// The edges at node v are `incident[starts[v]..starts[v + 1]]`.
    starts: Vec<usize>,
    incident: Vec<usize>,
    /// Whether edges flip the observable at hand.
    odd: Vec<bool>,
    removed: Vec<bool>,
    /// Depth and edge to the parent of a doubled node; valid if the search number is the present one.
    reached: Vec<Reached>,
    number: u32,
    best: usize,
    found: Option<Vec<usize>>,
}

#[derive(Clone, Copy, Default)]
struct Reached {
    number: u32,
    depth: u32,
    edge: usize,
}

impl<'a> Search<'a> {
    fn new(n_nodes: usize, edges: Vec<Edge<'a>>) -> Self {
        let mut starts = vec![0; n_nodes + 1];
        for edge in &edges {
            edge.ends.iter().for_each(|&v| starts[v + 1] += 1);
        }
        for v in 0..n_nodes {
            starts[v + 1] += starts[v];
        }
        let mut next = starts.clone();
        let mut incident = vec![0; 2 * edges.len()];
        for (k, edge) in edges.iter().enumerate() {
            for &v in &edge.ends {
                incident[next[v]] = k;
                next[v] += 1;
            }
        }
        Self {
            odd: vec![false; edges.len()],
            edges,
            starts,
            incident,
            removed: vec![false; n_nodes],
            reached: vec![Reached::default(); 2 * n_nodes],
            number: 0,
            best: usize::MAX,
            found: None,
        }
    }

    fn run(mut self) -> Option<UndetectableError> {
        let observables: BTreeSet<usize> = self.edges.iter().flat_map(|e| e.observables).copied().collect();
        for observable in observables {
            self.removed.fill(false);
            for (odd, edge) in self.odd.iter_mut().zip(&self.edges) {
                *odd = edge.observables.binary_search(&observable).is_ok();
            }
            // The boundary has the most edges: it goes first.
            for k in (0..self.edges.len()).rev() {
                let [a, b] = self.edges[k].ends;
                if self.odd[k] && b + 1 == self.removed.len() && !self.removed[b] {
                    self.from(b);
                } else if self.odd[k] && !self.removed[a] && !self.removed[b] {
                    self.from(a);
                }
            }
        }
        let found = self.found?;
        let flipped = found.iter().fold(Vec::new(), |sum, &k| xor(&sum, self.edges[k].observables));
        let mut members: Vec<usize> = found.into_iter().map(|k| self.edges[k].member).collect();
        members.sort_unstable();
        Some(UndetectableError { members, observables: flipped })
    }

    /// The shortest way from a node to its double that is shorter than the best; then leaves the node out.
    fn from(&mut self, start: usize) {
        self.number += 1;
        let number = self.number;
        self.reached[2 * start] = Reached { number, depth: 0, edge: usize::MAX };
        let mut frontier = vec![2 * start];
        let mut depth = 0;
        // A way of length l meets its mirror image after half of it, rounded up.
        while !frontier.is_empty() && depth < (self.best / 2).min(u32::MAX as usize) as u32 {
            depth += 1;
            let mut next = Vec::new();
            for doubled in frontier {
                let (v, parity) = (doubled / 2, doubled % 2);
                for at in self.starts[v]..self.starts[v + 1] {
                    let k = self.incident[at];
                    let [a, b] = self.edges[k].ends;
                    let w = if a == v { b } else { a };
                    let to = 2 * w + (parity ^ usize::from(self.odd[k]));
                    if self.removed[w] || self.reached[to].number == number {
                        continue;
                    }
                    self.reached[to] = Reached { number, depth, edge: k };
                    next.push(to);
                    let mirror = self.reached[to ^ 1];
                    if mirror.number == number && ((mirror.depth + depth) as usize) < self.best {
                        self.best = (mirror.depth + depth) as usize;
                        self.found = Some(self.way(to, start));
                    }
                }
            }
            frontier = next;
        }
        self.removed[start] = true;
    }

    /// The edges from the start to a doubled node and to its mirror image; common ones cancel.
    fn way(&self, to: usize, start: usize) -> Vec<usize> {
        let mut used = BTreeSet::new();
        for mut at in [to, to ^ 1] {
            while at != 2 * start {
                let k = self.reached[at].edge;
                if !used.remove(&k) {
                    used.insert(k);
                }
                let [a, b] = self.edges[k].ends;
                let v = if a == at / 2 { b } else { a };
                at = 2 * v + ((at % 2) ^ usize::from(self.odd[k]));
            }
        }
        used.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dem::DetectorErrorModel;
    use linalg_core::rand::RngExt;
    use linalg_core::rng::Streams;

    fn components(text: &str) -> Components {
        text.parse::<DetectorErrorModel>().unwrap().to_components().unwrap()
    }

    /// By trying all sets of pieces.
    fn oracle(components: &Components) -> Option<usize> {
        let list: Vec<_> = components.list.iter().filter(|c| c.detectors.len() <= 2).collect();
        let sums = (1u32..1 << list.len()).filter_map(|set| {
            let chosen = (0..list.len()).filter(|k| set >> k & 1 == 1);
            let (detectors, observables) = chosen.fold((Vec::new(), Vec::new()), |(d, o), k| {
                (xor(&d, &list[k].detectors), xor(&o, &list[k].observables))
            });
            (detectors.is_empty() && !observables.is_empty()).then_some(set.count_ones() as usize)
        });
        sums.min()
    }

    #[test]
    fn random_graphs_agree_with_enumeration() {
        let mut rng = Streams::new(3).stream(0);
        let (mut some, mut lengths) = (0, BTreeSet::new());
        for _ in 0..400 {
            let n = rng.random_range(2..7u64);
            let mut text = String::new();
            for _ in 0..rng.random_range(3..13u64) {
                let (a, b) = (rng.random_range(0..=n), rng.random_range(0..n));
                text += "error(0.1)";
                for d in [a, b] {
                    if d < n {
                        text += &format!(" D{d}");
                    }
                }
                for o in 0..2 {
                    if rng.random::<f64>() < 0.2 {
                        text += &format!(" L{o}");
                    }
                }
                text += "\n";
            }
            let components = components(&text);
            let found = components.shortest_graphlike_error().error;
            let expected = oracle(&components);
            assert_eq!(found.as_ref().map(UndetectableError::weight), expected, "{text}");
            let Some(found) = found else { continue };
            some += 1;
            lengths.insert(found.weight());
            let (detectors, observables) = found.members.iter().fold((Vec::new(), Vec::new()), |(d, o), &k| {
                (xor(&d, &components.list[k].detectors), xor(&o, &components.list[k].observables))
            });
            assert_eq!((detectors, observables), (Vec::new(), found.observables.clone()), "{text}");
        }
        assert!(some > 100 && lengths.len() >= 4, "{some} {lengths:?}");
    }

    #[test]
    fn no_error_and_no_probability() {
        let none = components("error(0.1) D0 D1\nerror(0.1) D1 L0\nerror(0) D1\nerror(0) L0\ndetector D9");
        assert_eq!(none.shortest_graphlike_error(), GraphlikeDistance { error: None, ignored: 0 });
        assert_eq!(components("").shortest_graphlike_error().error, None);
        let one = components("error(0.1) D0 L0\nerror(0.1) D0\nerror(0.2) D0 L0 D1 ^ D1 ^ L2");
        let found = one.shortest_graphlike_error().error.unwrap();
        assert_eq!((found.members, found.observables), (vec![4], vec![2]));
    }
}
