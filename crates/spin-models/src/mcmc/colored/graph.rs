//! A model whose sites are sorted by colour.

use std::ops::Range;
use std::sync::atomic::{AtomicI8, Ordering};

use linalg_core::checkpoint::ContentHash;

use super::SOLVER;
use crate::mcmc::Coloring;
use crate::mcmc::multispin::memory;
use crate::models::Ising;
use crate::{EnergyModel, Error, Result};

/// Fields and couplings by place: the sites of the first class, those of the second, and so on.
#[derive(Debug, Clone)]
pub(super) struct Graph {
    /// The site of every place.
    pub(super) sites: Vec<u32>,
    /// The first place of every class, and the number of places.
    pub(super) class_start: Vec<usize>,
    fields: Vec<f64>,
    row_start: Vec<usize>,
    /// The places of the neighbours with the couplings.
    neighbors: Vec<u32>,
    couplings: Vec<f64>,
    offset: f64,
}

impl Graph {
    pub(super) fn new(model: &Ising, coloring: &Coloring) -> Result<Self> {
        let n = model.n_spins();
        if coloring.n_sites() != n {
            return Err(Error::WrongLength { what: "sites of the colouring", got: coloring.n_sites(), expected: n });
        }
        let entries = 2 * model.n_couplings() as u128;
        memory::check(SOLVER, entries * 12 + n as u128 * 29)?;
        let mut sites = Vec::with_capacity(n);
        let mut class_start = vec![0];
        let mut place = vec![0; n];
        let mut color = vec![0; n];
        for (k, class) in coloring.classes().enumerate() {
            for &i in class {
                (place[i as usize], color[i as usize]) = (sites.len() as u32, k);
                sites.push(i);
            }
            class_start.push(sites.len());
        }
        let mut graph = Self {
            fields: sites.iter().map(|&i| model.fields()[i as usize]).collect(),
            row_start: Vec::with_capacity(n + 1),
            neighbors: Vec::with_capacity(entries as usize),
            couplings: Vec::with_capacity(entries as usize),
            offset: model.offset(),
            sites,
            class_start,
        };
        graph.row_start.push(0);
        for k in 0..n {
            let i = graph.sites[k] as usize;
            let (neighbors, couplings) = model.row(i);
            for (&j, &coupling) in neighbors.iter().zip(couplings).filter(|&(_, &coupling)| coupling != 0.0) {
                let j = j as usize;
                if color[i] == color[j] {
                    let (i, j) = (i.min(j), i.max(j));
                    let reason = format!("sites {i} and {j} are coupled and in the same class of the colouring");
                    return Err(Error::NotApplicable { solver: SOLVER, reason });
                }
                graph.neighbors.push(place[j]);
                graph.couplings.push(coupling);
            }
            graph.row_start.push(graph.neighbors.len());
        }
        Ok(graph)
    }

    pub(super) fn n(&self) -> usize {
        self.sites.len()
    }

    /// Numbers read to update some places: a measure of the time it takes.
    pub(super) fn work(&self, places: &Range<usize>) -> usize {
        4 * places.len() + self.row_start[places.end] - self.row_start[places.start]
    }

    /// `Σ_j J_ij s_j`.
    #[inline]
    fn pull(&self, place: usize, spins: &SharedSpins) -> f64 {
        let row = self.row_start[place]..self.row_start[place + 1];
        let (neighbors, couplings) = (&self.neighbors[row.clone()], &self.couplings[row]);
        neighbors.iter().zip(couplings).map(|(&j, &coupling)| coupling * f64::from(spins.get(j as usize))).sum()
    }

    /// `h_i + Σ_j J_ij s_j`.
    #[inline]
    pub(super) fn local_field(&self, place: usize, spins: &SharedSpins) -> f64 {
        self.fields[place] + self.pull(place, spins)
    }

    /// The energy of some places, with half of that of their couplings.
    pub(super) fn energy(&self, places: Range<usize>, spins: &SharedSpins) -> f64 {
        let of_place = |k| -f64::from(spins.get(k)) * (self.fields[k] + 0.5 * self.pull(k, spins));
        places.map(of_place).sum()
    }

    pub(super) fn offset(&self) -> f64 {
        self.offset
    }

    /// Of the classes, to go with the hash of the model.
    pub(super) fn content_hash(&self, model: u64) -> u64 {
        let mut hash = ContentHash::new();
        hash.write_str("coloured").write_u64(model).write_usizes(&self.class_start);
        self.sites.iter().for_each(|&i| {
            hash.write_u64(i.into());
        });
        hash.finish()
    }
}

/// Spins by place that several threads read and write, no two of them writing the same, and none reading what another
/// writes: that would be a coupling within a class.
#[derive(Debug)]
pub(super) struct SharedSpins(Vec<AtomicI8>);

impl SharedSpins {
    pub(super) fn new(spins: impl Iterator<Item = i8>) -> Self {
        Self(spins.map(AtomicI8::new).collect())
    }

    #[inline]
    pub(super) fn get(&self, place: usize) -> i8 {
        // The barrier between two classes orders all accesses.
        self.0[place].load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn set(&self, place: usize, spin: i8) {
        self.0[place].store(spin, Ordering::Relaxed);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = i8> + '_ {
        self.0.iter().map(|spin| spin.load(Ordering::Relaxed))
    }
}

impl Clone for SharedSpins {
    fn clone(&self) -> Self {
        Self::new(self.iter())
    }
}
