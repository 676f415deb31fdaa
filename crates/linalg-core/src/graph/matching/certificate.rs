//! Proof that a matching is of least weight.

use thiserror::Error as ThisError;

use super::Matching;
use super::search::Search;

/// Dual variables that prove a perfect matching to be of least weight.
///
/// Vertices have duals of any sign, blossoms (odd sets of vertices, any two of them nested or disjoint) have positive
/// ones. All are doubled, which keeps them integers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Duals {
    vertices: Vec<i64>,
    /// `z_B > 0`, parents before their parts.
    blossoms: Vec<i64>,
    /// Entry v for vertex v, entry `n + b` for blossom b: the smallest blossom that properly contains it.
    parents: Vec<Option<usize>>,
}

/// Why a matching is not proved to be of least weight by the duals it came with.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum Violation {
    /// The matching belongs to a graph with another number of vertices or edges.
    #[error("the matching has {matching} {what}, expected {expected}")]
    Shape {
        /// What is counted.
        what: &'static str,
        /// Number in the matching.
        matching: usize,
        /// Number that follows from the graph.
        expected: usize,
    },
    /// A vertex whose mate or matched edge does not fit.
    #[error("the edge matched at vertex {vertex} is not one between it and its mate {mate}")]
    Mate {
        /// The vertex.
        vertex: usize,
        /// Its mate as stated.
        mate: usize,
    },
    /// The weights of the matched edges add up to something else.
    #[error("the matched edges weigh {sum}, the matching states {stated}")]
    Weight {
        /// Their sum.
        sum: i128,
        /// The weight as stated.
        stated: i64,
    },
    /// An edge of negative slack: the duals are not feasible.
    #[error("edge {edge} has slack {slack}, expected a number >= 0")]
    Slack {
        /// Position in the edge list.
        edge: usize,
        /// Its slack, doubled.
        slack: i128,
    },
    /// A set that is not a blossom, or one with a negative dual.
    #[error("blossom {blossom} has {size} vertices and dual {dual}, expected an odd number and a dual >= 0")]
    Blossom {
        /// Its position.
        blossom: usize,
        /// Number of vertices in it.
        size: usize,
        /// Its dual, doubled.
        dual: i64,
    },
    /// A bound on the weight of every perfect matching that the given one does not reach.
    #[error("twice the weight is {weight}, the duals only prove {bound}")]
    Gap {
        /// Twice the weight of the matching.
        weight: i128,
        /// Value of the duals, doubled.
        bound: i128,
    },
}

impl Duals {
    /// The duals of a finished search. Blossoms of dual 0 prove nothing and are left out.
    pub(super) fn new(n: usize, search: &Search) -> Self {
        let nodes = &search.laminar.nodes;
        let mut duals = Self {
            vertices: (0..n as u32).map(|v| search.dual(v)).collect(),
            blossoms: Vec::new(),
            parents: vec![None; n],
        };
        let is_root = |&b: &usize| search.laminar.is_alive(b as u32) && search.laminar.is_top(b as u32);
        let mut todo: Vec<(usize, Option<usize>)> = (n..nodes.len()).filter(is_root).map(|b| (b, None)).collect();
        while let Some((node, mut above)) = todo.pop() {
            if node < n {
                duals.parents[node] = above;
                continue;
            }
            if nodes[node].dual > 0 {
                duals.blossoms.push(nodes[node].dual);
                duals.parents.push(above);
                above = Some(duals.blossoms.len() - 1);
            }
            todo.extend(nodes[node].cycle.iter().map(|link| (link.node as usize, above)));
        }
        duals
    }

    /// `2 y_v` for every vertex.
    pub fn vertices(&self) -> &[i64] {
        &self.vertices
    }

    /// Number of blossoms with positive dual.
    pub fn n_blossoms(&self) -> usize {
        self.blossoms.len()
    }

    /// `2 z_b` of blossom `b`.
    ///
    /// # Panics
    /// If `b >= n_blossoms`.
    pub fn blossom_dual(&self, b: usize) -> i64 {
        self.blossoms[b]
    }

    /// The vertices of blossom `b` in ascending order. Costs N times the depth of nesting.
    ///
    /// # Panics
    /// If `b >= n_blossoms`.
    pub fn blossom_vertices(&self, b: usize) -> Vec<usize> {
        assert!(b < self.n_blossoms(), "blossom {b} of {}", self.n_blossoms());
        let is_inside = |v: &usize| self.around(self.parents[*v]).any(|c| c == b);
        (0..self.vertices.len()).filter(is_inside).collect()
    }

    /// Twice the slack $`w_{uv} - y_u - y_v + \sum_{B \ni u, v} z_B`$ of edges, which need not be those of the matched
    /// graph: an edge of slack >= 0 can be added and the matching stays one of least weight.
    ///
    /// Costs the depth of nested blossoms for each edge.
    ///
    /// # Panics
    /// If an edge names a vertex beyond the end.
    ///
    /// ```
    /// use linalg_core::graph::matching::minimum_weight_perfect_matching;
    ///
    /// let matching = minimum_weight_perfect_matching(4, &[(0, 1, 5), (2, 3, 5)])?;
    /// // Matched edges have slack 0; of two light edges between the pairs at least one could be of use.
    /// assert_eq!(matching.duals.slacks(&[(0, 1, 5)]), [0]);
    /// let slacks = matching.duals.slacks(&[(1, 2, 1), (3, 0, 1)]);
    /// assert!(slacks.iter().sum::<i128>() == 2 * (1 + 1 - 5 - 5));
    /// # Ok::<(), linalg_core::Error>(())
    /// ```
    pub fn slacks(&self, edges: &[(usize, usize, i64)]) -> Vec<i128> {
        let (depth, sums) = self.nesting();
        edges.iter().map(|&edge| self.slack(edge, &depth, &sums)).collect()
    }

    /// For every blossom how many contain it, and twice the sum of its dual and theirs. Parents come first.
    fn nesting(&self) -> (Vec<usize>, Vec<i128>) {
        let n_blossoms = self.blossoms.len();
        let mut depth = vec![0; n_blossoms];
        let mut sums = vec![0i128; n_blossoms];
        for b in 0..n_blossoms {
            sums[b] = i128::from(self.blossoms[b]);
            if let Some(p) = self.parents[self.vertices.len() + b] {
                depth[b] = depth[p] + 1;
                sums[b] += sums[p];
            }
        }
        (depth, sums)
    }

    fn slack(&self, (u, v, w): (usize, usize, i64), depth: &[usize], sums: &[i128]) -> i128 {
        let ends = i128::from(self.vertices[u]) + i128::from(self.vertices[v]);
        2 * i128::from(w) - ends + self.shared(u, v, depth, sums)
    }

    /// A blossom and all that contain it, inside out.
    fn around(&self, blossom: Option<usize>) -> impl Iterator<Item = usize> {
        std::iter::successors(blossom, |&b| self.parents[self.vertices.len() + b])
    }

    /// `2 Σ z_B` over the blossoms that contain both vertices; `depth` counts the blossoms around each blossom.
    fn shared(&self, u: usize, v: usize, depth: &[usize], sums: &[i128]) -> i128 {
        let (mut a, mut b) = (self.parents[u], self.parents[v]);
        loop {
            let (Some(x), Some(y)) = (a, b) else { return 0 };
            if x == y {
                return sums[x];
            }
            let n = self.vertices.len();
            if depth[x] >= depth[y] {
                a = self.parents[n + x];
            }
            if depth[y] >= depth[x] {
                b = self.parents[n + y];
            }
        }
    }

    /// Checks feasibility and returns the lower bound on twice the weight of any perfect matching.
    fn bound(&self, edges: &[(usize, usize, i64)]) -> Result<i128, Violation> {
        let n = self.vertices.len();
        let n_blossoms = self.blossoms.len();
        for b in 0..n_blossoms {
            if let Some(p) = self.parents[n + b].filter(|&p| p >= b) {
                return Err(Violation::Shape { what: "blossoms before blossom", matching: b, expected: p + 1 });
            }
        }
        let (depth, sums) = self.nesting();
        let mut sizes = vec![0; n_blossoms];
        for v in 0..n {
            if let Some(b) = self.parents[v] {
                sizes[b] += 1;
            }
        }
        for b in (0..n_blossoms).rev() {
            if let Some(p) = self.parents[n + b] {
                sizes[p] += sizes[b];
            }
        }
        let mut bound: i128 = self.vertices.iter().map(|&y| i128::from(y)).sum();
        for (blossom, (&size, &dual)) in sizes.iter().zip(&self.blossoms).enumerate() {
            if size % 2 == 0 || dual < 0 {
                return Err(Violation::Blossom { blossom, size, dual });
            }
            bound -= i128::from(dual) * (size as i128 / 2);
        }
        for (edge, &(u, v, w)) in edges.iter().enumerate() {
            if u == v {
                continue;
            }
            let slack = self.slack((u, v, w), &depth, &sums);
            if slack < 0 {
                return Err(Violation::Slack { edge, slack });
            }
        }
        Ok(bound)
    }
}

impl Matching {
    /// Proves that this is a perfect matching of least weight of the graph with these edges.
    ///
    /// Takes nothing from the search but its result. Every perfect matching x and all duals with
    /// $`z_B \ge 0`$ and slacks $`s_{uv} = w_{uv} - y_u - y_v + \sum_{B \ni u, v} z_B \ge 0`$ satisfy
    ///
    /// ```math
    /// \sum_e w_e x_e \ge \sum_v y_v - \sum_B z_B \frac{|B| - 1}{2} ,
    /// ```
    ///
    /// because a perfect matching has at most $`(|B| - 1) / 2`$ edges inside an odd set B. So equality proves that
    /// nothing is lighter. Sums are in 128 bits. Costs O(N + M) times the depth of nested blossoms.
    ///
    /// # Errors
    /// A [`Violation`] says what is wrong first: the matching, the feasibility of the duals, or a gap between the two.
    ///
    /// # Panics
    /// If an edge names a vertex beyond the end.
    ///
    /// ```
    /// use linalg_core::graph::matching::{Violation, minimum_weight_perfect_matching};
    ///
    /// let mut edges = vec![(0, 1, 5), (1, 2, 1), (2, 3, 5), (3, 0, 1)];
    /// let matching = minimum_weight_perfect_matching(4, &edges)?;
    /// assert_eq!(matching.weight, 2);
    /// assert_eq!(matching.verify(&edges), Ok(()));
    /// // It is not the lightest in another graph.
    /// (edges[0].2, edges[2].2) = (0, 0);
    /// assert!(matches!(matching.verify(&edges), Err(Violation::Slack { edge: 0, .. })));
    /// # Ok::<(), linalg_core::Error>(())
    /// ```
    pub fn verify(&self, edges: &[(usize, usize, i64)]) -> Result<(), Violation> {
        let n = self.mate.len();
        let shapes = [
            ("vertex duals", self.duals.vertices.len(), n),
            ("parents", self.duals.parents.len(), n + self.duals.blossoms.len()),
            ("edges", 2 * self.edges.len(), n),
        ];
        for (what, matching, expected) in shapes {
            if matching != expected {
                return Err(Violation::Shape { what, matching, expected });
            }
        }
        if let Some(&b) = self.duals.parents.iter().flatten().max() {
            let n_blossoms = self.duals.blossoms.len();
            if b >= n_blossoms {
                return Err(Violation::Shape { what: "blossoms named", matching: b + 1, expected: n_blossoms });
            }
        }
        let mut seen = vec![false; n];
        let mut sum = 0i128;
        for &e in &self.edges {
            let Some(&(u, v, w)) = edges.get(e) else {
                return Err(Violation::Shape { what: "edges in the graph", matching: e + 1, expected: edges.len() });
            };
            for (vertex, mate) in [(u, v), (v, u)] {
                if self.mate[vertex] != mate || vertex == mate || std::mem::replace(&mut seen[vertex], true) {
                    return Err(Violation::Mate { vertex, mate: self.mate[vertex] });
                }
            }
            sum += i128::from(w);
        }
        if sum != i128::from(self.weight) {
            return Err(Violation::Weight { sum, stated: self.weight });
        }
        let bound = self.duals.bound(edges)?;
        if 2 * sum != bound {
            return Err(Violation::Gap { weight: 2 * sum, bound });
        }
        Ok(())
    }
}
