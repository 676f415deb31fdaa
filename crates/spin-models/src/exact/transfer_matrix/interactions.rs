//! The two model types in one form.

use crate::model::Reweight;
use crate::models::{InteractionModel, Ising};

/// A model as a list of weighted site sets, numbered as its [`Reweight`] interactions.
#[derive(Debug, Clone)]
pub struct Interactions {
    pub(in crate::exact) n_spins: usize,
    pub(in crate::exact) offset: f64,
    pub(in crate::exact) weights: Vec<f64>,
    start: Vec<usize>,
    sites: Vec<u32>,
    pub(super) positions: Option<Vec<[f64; 3]>>,
}

impl Interactions {
    fn new<'a>(n_spins: usize, offset: f64, terms: impl Iterator<Item = (&'a [u32], f64)>) -> Self {
        let mut all = Self { n_spins, offset, weights: Vec::new(), start: vec![0], sites: Vec::new(), positions: None };
        for (sites, weight) in terms {
            all.sites.extend_from_slice(sites);
            all.start.push(all.sites.len());
            all.weights.push(weight);
        }
        all
    }

    pub(in crate::exact) fn len(&self) -> usize {
        self.weights.len()
    }

    pub(in crate::exact) fn sites(&self, a: usize) -> &[u32] {
        &self.sites[self.start[a]..self.start[a + 1]]
    }

    /// The coupled pairs, in the model's order, with the number of their interaction.
    pub(in crate::exact) fn pairs(&self) -> impl Iterator<Item = (usize, (usize, usize))> + '_ {
        (0..self.len()).filter_map(|a| match *self.sites(a) {
            [i, j] => Some((a, (i as usize, j as usize))),
            _ => None,
        })
    }

    /// The interactions a program has to hold: a field of value 0 breaks no symmetry, and a coupling of value 0
    /// costs nothing where `keep` does not ask for it.
    pub(super) fn active(&self, keep: ZeroCouplings) -> Vec<bool> {
        (0..self.len())
            .map(|a| self.weights[a] != 0.0 || keep == ZeroCouplings::Keep && self.sites(a).len() > 1)
            .collect()
    }
}

/// Whether couplings of value 0 stay in the program: their correlations or later values may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ZeroCouplings {
    Keep,
    Drop,
}

pub trait Sealed {
    /// A copy in the common form.
    fn interactions(&self) -> Interactions;
}

/// A model that [`TransferMatrix`](super::TransferMatrix) can take: [`Ising`] and [`InteractionModel`]. Sealed.
pub trait FrontierModel: Reweight + Sealed {}

impl FrontierModel for Ising {}
impl FrontierModel for InteractionModel {}

impl Sealed for Ising {
    fn interactions(&self) -> Interactions {
        let pairs: Vec<([u32; 2], f64)> = self.couplings().map(|(i, j, w)| ([i as u32, j as u32], w)).collect();
        let fields: Vec<([u32; 1], f64)> = self.fields().iter().enumerate().map(|(i, &h)| ([i as u32], h)).collect();
        let terms =
            pairs.iter().map(|(sites, w)| (&sites[..], *w)).chain(fields.iter().map(|(site, h)| (&site[..], *h)));
        let mut all = Interactions::new(fields.len(), self.offset(), terms);
        all.positions = self.positions().map(<[_]>::to_vec);
        all
    }
}

impl Sealed for InteractionModel {
    fn interactions(&self) -> Interactions {
        use crate::model::EnergyModel;
        Interactions::new(self.n_spins(), self.offset(), self.terms())
    }
}
