//! Plaquettes, edges and sites with their counting numbers.

use std::collections::{HashMap, HashSet};

use spin_models::{EnergyModel, Ising};

use crate::{Error, Result};

/// Most pairs of couplings at one site that are looked through.
const LARGEST: usize = 1 << 32;

pub(super) struct Edge {
    /// The smaller site first.
    pub sites: [usize; 2],
    pub coupling: f64,
    /// Plaquettes with this edge, and which of their sides it is.
    pub plaquettes: Vec<(usize, usize)>,
}

pub(super) struct Plaquette {
    /// In cyclic order; side k joins sites k and k + 1.
    pub sites: [usize; 4],
    pub edges: [usize; 4],
}

impl Plaquette {
    /// Which end of its edge the site at the beginning of side `k` is.
    pub fn first_end(&self, edges: &[Edge], k: usize) -> usize {
        usize::from(edges[self.edges[k]].sites[0] != self.sites[k])
    }
}

/// The regions of a model.
pub(super) struct Regions {
    pub fields: Vec<f64>,
    pub offset: f64,
    pub edges: Vec<Edge>,
    pub plaquettes: Vec<Plaquette>,
    /// Counting number of every site.
    pub counts: Vec<f64>,
}

impl Regions {
    /// The regions of these plaquettes; sides without a coupling have coupling 0.
    pub fn new(model: &Ising, plaquettes: &[[usize; 4]]) -> Result<Self> {
        let n = model.n_spins();
        let mut index: HashMap<[usize; 2], usize> = HashMap::new();
        let mut edges: Vec<Edge> = Vec::new();
        let mut edge = |i: usize, j: usize, coupling: f64| {
            let sites = [i.min(j), i.max(j)];
            let at = *index.entry(sites).or_insert(edges.len());
            if at == edges.len() {
                edges.push(Edge { sites, coupling: 0.0, plaquettes: Vec::new() });
            }
            edges[at].coupling += coupling;
            at
        };
        for (i, j, coupling) in model.couplings() {
            edge(i, j, coupling);
        }
        let mut list = Vec::with_capacity(plaquettes.len());
        for &sites in plaquettes {
            let distinct = (0..4).all(|k| sites[k] < n && sites[k + 1..].iter().all(|&other| other != sites[k]));
            if !distinct {
                let value = format!("{sites:?}");
                return Err(Error::Parameter {
                    what: "plaquette",
                    value,
                    expected: "four distinct sites of the model",
                });
            }
            let own = [0, 1, 2, 3].map(|k| edge(sites[k], sites[(k + 1) % 4], 0.0));
            list.push(Plaquette { sites, edges: own });
        }
        let mut diagonals = HashSet::new();
        for (p, plaquette) in list.iter().enumerate() {
            for (k, &e) in plaquette.edges.iter().enumerate() {
                edges[e].plaquettes.push((p, k));
            }
            let [a, b, c, d] = plaquette.sites;
            for pair in [[a.min(c), a.max(c)], [b.min(d), b.max(d)]] {
                if index.contains_key(&pair) || !diagonals.insert(pair) {
                    let reason = format!("plaquette {p} shares its diagonal {pair:?} with another region");
                    return Err(Error::NotApplicable { method: super::NAME, reason });
                }
            }
        }
        // A site counts 1 in all: 1 for each plaquette, 1 - (plaquettes) for each edge, and the rest for itself.
        let mut counts = vec![1.0; n];
        for plaquette in &list {
            plaquette.sites.iter().for_each(|&i| counts[i] -= 1.0);
        }
        for edge in &edges {
            for &i in &edge.sites {
                counts[i] -= 1.0 - edge.plaquettes.len() as f64;
            }
        }
        let fields = model.fields().to_vec();
        Ok(Self { fields, offset: model.offset(), edges, plaquettes: list, counts })
    }
}

/// The squares of a graph of couplings: cycles of four sites without a chord, such that no two share a diagonal.
///
/// On a square lattice these are its faces. Where squares exclude each other, those of smaller sites are kept.
///
/// ```
/// use spin_models::{Boundary, Ising};
/// use variational::mean_field::squares;
///
/// assert_eq!(squares(&Ising::square(3, Boundary::Free, 1.0)?)?.len(), 4);
/// assert_eq!(squares(&Ising::square(6, Boundary::Periodic, 1.0)?)?.len(), 36);
/// assert_eq!(squares(&Ising::ring(5, 1.0)?)?.len(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::TooLarge`] for graphs with more than 2³² paths of two couplings.
pub fn squares(model: &Ising) -> Result<Vec<[usize; 4]>> {
    let n = model.n_spins();
    let neighbours: Vec<Vec<usize>> = (0..n)
        .map(|i| {
            let mut row: Vec<usize> = model.row(i).0.iter().map(|&j| j as usize).filter(|&j| j != i).collect();
            row.sort_unstable();
            row.dedup();
            row
        })
        .collect();
    let paths = neighbours.iter().map(|row| row.len().saturating_mul(row.len())).fold(0usize, usize::saturating_add);
    if paths > LARGEST {
        let (method, what) = (super::NAME, "number of paths of two couplings");
        return Err(Error::TooLarge { method, what, value: paths, bound: LARGEST });
    }
    let adjacent = |i: usize, j: usize| neighbours[i].binary_search(&j).is_ok();
    let mut found = Vec::new();
    let mut diagonals = HashSet::new();
    // For the smallest site a of a square: the middles of the paths from a to c.
    let mut middles: Vec<Vec<usize>> = vec![Vec::new(); n];
    for a in 0..n {
        let mut ends = Vec::new();
        for &b in &neighbours[a] {
            for &c in neighbours[b].iter().filter(|&&c| c > a && b > a && !adjacent(a, c)) {
                if middles[c].is_empty() {
                    ends.push(c);
                }
                middles[c].push(b);
            }
        }
        ends.sort_unstable();
        for c in ends {
            let between = std::mem::take(&mut middles[c]);
            for (k, &b) in between.iter().enumerate() {
                for &d in &between[k + 1..] {
                    let pairs = [[a.min(c), a.max(c)], [b.min(d), b.max(d)]];
                    if !adjacent(b, d) && pairs.iter().all(|pair| !diagonals.contains(pair)) {
                        diagonals.extend(pairs);
                        found.push([a, b, c, d]);
                    }
                }
            }
        }
    }
    Ok(found)
}
