//! Factor graphs of ±1 variables with product interactions.

use spin_models::{EnergyModel, InteractionModel, Ising, PairwiseModel, SherringtonKirkpatrick};

use crate::{Error, Result};

/// Variables of ±1 and factors $`e^{w_a \prod_{i \in a} s_i}`$ of any size from 2, with fields and a constant.
///
/// ```math
/// E(s) = c - \sum_i h_i s_i - \sum_a w_a \prod_{i \in a} s_i
/// ```
///
/// The edges are numbered factor by factor: those of factor a are `edges(a)`, one for each of its sites in order.
///
/// ```
/// use variational::bethe::FactorGraph;
///
/// let graph = FactorGraph::new(3, vec![0.0; 3], [(vec![0, 1, 2], 1.0)], 0.0)?;
/// assert_eq!((graph.n_spins(), graph.n_factors(), graph.n_edges()), (3, 1, 3));
/// # Ok::<(), variational::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FactorGraph {
    offset: f64,
    fields: Vec<f64>,
    weights: Vec<f64>,
    /// Edges of factor a: `factor_start[a] .. factor_start[a + 1]`.
    factor_start: Vec<u32>,
    /// The site of every edge.
    sites: Vec<u32>,
    /// The edges at site i: `site_edges[site_start[i] .. site_start[i + 1]]`.
    site_start: Vec<u32>,
    site_edges: Vec<u32>,
    /// The factor of every edge.
    factors: Vec<u32>,
}

impl FactorGraph {
    /// A graph from fields and factors `(sites, weight)`.
    ///
    /// Factors of one site become fields, those of none constants.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a number that is not finite; [`Error::NotApplicable`] for a site out of bounds or twice
    /// in a factor; [`Error::WrongLength`] for the fields; [`Error::TooLarge`] from 2³² edges on.
    pub fn new<S: AsRef<[usize]>>(
        n_spins: usize,
        fields: Vec<f64>,
        factors: impl IntoIterator<Item = (S, f64)>,
        offset: f64,
    ) -> Result<Self> {
        if fields.len() != n_spins {
            return Err(Error::WrongLength { what: "fields", got: fields.len(), expected: n_spins });
        }
        let mut graph = Self {
            offset,
            fields,
            weights: Vec::new(),
            factor_start: vec![0],
            sites: Vec::new(),
            site_start: Vec::new(),
            site_edges: Vec::new(),
            factors: Vec::new(),
        };
        for (a, (sites, weight)) in factors.into_iter().enumerate() {
            let sites = sites.as_ref();
            if !weight.is_finite() {
                return Err(Error::NotFinite { what: "weight of factor", index: a, value: weight });
            }
            let mut seen = sites.to_vec();
            seen.sort_unstable();
            if seen.windows(2).any(|pair| pair[0] == pair[1]) || seen.last().is_some_and(|&last| last >= n_spins) {
                let reason = format!("factor {a} has sites {sites:?}, expected different ones below {n_spins}");
                return Err(Error::NotApplicable { method: "factor graph", reason });
            }
            match *sites {
                [] => graph.offset -= weight,
                [i] => graph.fields[i] += weight,
                _ => graph.push(sites.iter().map(|&i| i as u32), weight),
            }
        }
        graph.finish()
    }

    /// The graph of a pairwise model: a factor for every coupled pair, in order of sites. `O(N + M)`.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for couplings, fields or energies that are not finite.
    pub fn pairwise<M: PairwiseModel + ?Sized>(model: &M) -> Result<Self> {
        let graph = crate::mean_field::graph::Graph::new(model, 1.0)?;
        let pairs: Vec<([usize; 2], f64)> = graph.pairs().map(|(i, j, k)| ([i, j], k)).collect();
        Self::new(graph.n(), graph.fields, pairs, graph.offset)
    }

    fn push(&mut self, sites: impl Iterator<Item = u32>, weight: f64) {
        let a = self.weights.len() as u32;
        for site in sites {
            self.sites.push(site);
            self.factors.push(a);
        }
        self.weights.push(weight);
        self.factor_start.push(self.sites.len() as u32);
    }

    fn finish(mut self) -> Result<Self> {
        if u32::try_from(self.sites.len().max(self.fields.len())).is_err() {
            let value = self.sites.len();
            return Err(Error::TooLarge {
                method: "factor graph",
                what: "number of edges",
                value,
                bound: u32::MAX as usize,
            });
        }
        if let Some(index) = self.fields.iter().position(|h| !h.is_finite()) {
            return Err(Error::NotFinite { what: "field of site", index, value: self.fields[index] });
        }
        if !self.offset.is_finite() {
            return Err(Error::NotFinite { what: "constant of the energy", index: 0, value: self.offset });
        }
        let n = self.fields.len();
        self.site_start = vec![0; n + 1];
        for &site in &self.sites {
            self.site_start[site as usize + 1] += 1;
        }
        for i in 0..n {
            self.site_start[i + 1] += self.site_start[i];
        }
        let mut next = self.site_start.clone();
        self.site_edges = vec![0; self.sites.len()];
        for (edge, &site) in self.sites.iter().enumerate() {
            self.site_edges[next[site as usize] as usize] = edge as u32;
            next[site as usize] += 1;
        }
        Ok(self)
    }

    /// Number of variables.
    pub fn n_spins(&self) -> usize {
        self.fields.len()
    }

    /// Number of factors of two and more sites.
    pub fn n_factors(&self) -> usize {
        self.weights.len()
    }

    /// Number of edges between factors and variables.
    pub fn n_edges(&self) -> usize {
        self.sites.len()
    }

    /// The constant of the energy.
    pub fn offset(&self) -> f64 {
        self.offset
    }

    /// The fields.
    pub fn fields(&self) -> &[f64] {
        &self.fields
    }

    /// The weights of the factors.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The edges of factor `a`.
    ///
    /// # Panics
    /// If `a` is not a factor.
    #[inline]
    pub fn edges(&self, a: usize) -> std::ops::Range<usize> {
        self.factor_start[a] as usize..self.factor_start[a + 1] as usize
    }

    /// The sites of factor `a`.
    ///
    /// # Panics
    /// If `a` is not a factor.
    #[inline]
    pub fn sites(&self, a: usize) -> &[u32] {
        &self.sites[self.edges(a)]
    }

    /// The edges at site `i`.
    ///
    /// # Panics
    /// If `i` is not a site.
    #[inline]
    pub fn edges_of(&self, i: usize) -> &[u32] {
        &self.site_edges[self.site_start[i] as usize..self.site_start[i + 1] as usize]
    }

    /// The site of edge `e`.
    ///
    /// # Panics
    /// If `e` is not an edge.
    #[inline]
    pub fn site_of(&self, e: usize) -> usize {
        self.sites[e] as usize
    }

    /// The factor of edge `e`.
    ///
    /// # Panics
    /// If `e` is not an edge.
    #[inline]
    pub fn factor_of(&self, e: usize) -> usize {
        self.factors[e] as usize
    }
}

/// A model that can be written as a [`FactorGraph`]: what [`Bethe`](super::Bethe) solves.
pub trait ToFactorGraph: EnergyModel {
    /// The factor graph of this energy.
    ///
    /// # Errors
    /// When the energy has no such form, or holds numbers that are not finite.
    fn to_factor_graph(&self) -> Result<FactorGraph>;
}

impl ToFactorGraph for Ising {
    /// Couplings in their order.
    fn to_factor_graph(&self) -> Result<FactorGraph> {
        let pairs = self.couplings().map(|(i, j, coupling)| ([i, j], coupling));
        FactorGraph::new(self.n_spins(), self.fields().to_vec(), pairs, self.offset())
    }
}

impl ToFactorGraph for SherringtonKirkpatrick {
    fn to_factor_graph(&self) -> Result<FactorGraph> {
        FactorGraph::pairwise(self)
    }
}

impl ToFactorGraph for InteractionModel {
    /// Terms of two and more sites in their order.
    fn to_factor_graph(&self) -> Result<FactorGraph> {
        let terms = self.terms().map(|(sites, w)| (sites.iter().map(|&i| i as usize).collect::<Vec<_>>(), w));
        FactorGraph::new(self.n_spins(), vec![0.0; self.n_spins()], terms, self.offset())
    }
}
