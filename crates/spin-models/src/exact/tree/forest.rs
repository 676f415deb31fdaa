//! An order of the sites in which parents come before their children.

use linalg_core::graph::UnionFind;

use super::NAME;
use crate::model::EnergyModel;
use crate::models::Ising;
use crate::{Error, Result};

/// A forest with a root in every component.
#[derive(Debug, Clone)]
pub(super) struct Forest {
    /// Sites, parents before children.
    pub order: Vec<u32>,
    /// The parent of every site; a root is its own.
    pub parent: Vec<u32>,
    /// The coupling to the parent; 0 for roots.
    pub coupling: Vec<f64>,
    /// Edges between a site and its root.
    pub depth: Vec<u32>,
}

impl Forest {
    /// Couplings other than 0 are edges; the first that closes a cycle is an error.
    pub fn of(model: &Ising) -> Result<Self> {
        let n = model.n_spins();
        let mut components = UnionFind::new(n);
        for (a, (i, j, coupling)) in model.couplings().enumerate() {
            if coupling != 0.0 && !components.union(i, j) {
                let reason = format!("coupling {a} of sites {i} and {j} closes a cycle");
                return Err(Error::NotApplicable { solver: NAME, reason });
            }
        }
        let mut forest =
            Self { order: Vec::with_capacity(n), parent: vec![u32::MAX; n], coupling: vec![0.0; n], depth: vec![0; n] };
        for root in 0..n as u32 {
            if forest.parent[root as usize] == u32::MAX {
                forest.parent[root as usize] = root;
                forest.grow(model, root);
            }
        }
        Ok(forest)
    }

    /// Adds the component of a root, nearest sites first.
    fn grow(&mut self, model: &Ising, root: u32) {
        let mut next = self.order.len();
        self.order.push(root);
        while let Some(&site) = self.order.get(next) {
            next += 1;
            let (neighbors, couplings) = model.row(site as usize);
            for (&child, &coupling) in neighbors.iter().zip(couplings) {
                let place = child as usize;
                if coupling != 0.0 && self.parent[place] == u32::MAX {
                    self.parent[place] = site;
                    self.coupling[place] = coupling;
                    self.depth[place] = self.depth[site as usize] + 1;
                    self.order.push(child);
                }
            }
        }
    }

    /// Whether the site is a root.
    pub fn is_root(&self, i: usize) -> bool {
        self.parent[i] as usize == i
    }

    /// The parent of a site that is not a root.
    pub fn parent_of(&self, i: usize) -> usize {
        self.parent[i] as usize
    }

    /// Sites that are not roots, children before parents.
    pub fn upwards(&self) -> impl Iterator<Item = usize> + '_ {
        self.order.iter().rev().map(|&i| i as usize).filter(|&i| !self.is_root(i))
    }

    /// Sites that are not roots, parents before children.
    pub fn downwards(&self) -> impl Iterator<Item = usize> + '_ {
        self.order.iter().map(|&i| i as usize).filter(|&i| !self.is_root(i))
    }
}
