//! Solvers of two-body models for coset models.

use std::collections::HashMap;

use linalg_core::Observer;
use linalg_core::gf2::BitVec;
use spin_models::model::Reweight;
use spin_models::{
    EnergyModel, InteractionModel, Ising, LnZ, LogPartition, LogPartitionPlan, PrepareLogPartition, Progress,
};
use spin_models::{Error, Result};

/// A solver of [`Ising`] models for [`InteractionModel`]s whose terms have at most two spins.
///
/// Terms on the same spins become one coupling, whose value depends on the signs of all of them.
///
/// ```
/// use quantum_ec::decode::Pairwise;
/// use spin_models::{Duplicates, InteractionModel, LogPartition, Planar};
///
/// let builder = InteractionModel::builder(2).term(&[0, 1], 1.0).term(&[0, 1], -0.25);
/// let model = builder.duplicates(Duplicates::Keep).build()?;
/// let ln_z = Pairwise(Planar::default()).ln_z(&model, 2.0)?;
/// assert!((ln_z.value - (4.0 * 1.5f64.cosh()).ln()).abs() < 1e-14);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotApplicable`](spin_models::Error::NotApplicable) naming the first term of three or more spins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pairwise<S>(pub S);

impl<S: LogPartition<Ising>> LogPartition<InteractionModel> for Pairwise<S> {
    fn ln_z_observed(&self, model: &InteractionModel, beta: f64, observer: &mut dyn Observer<Progress>) -> Result<LnZ> {
        self.0.ln_z_observed(&model.to_ising()?, beta, observer)
    }
}

impl<S: PrepareLogPartition<Ising>> PrepareLogPartition<InteractionModel> for Pairwise<S> {
    fn prepare(&self, model: &InteractionModel) -> Result<Box<dyn LogPartitionPlan>> {
        // Terms of weight 0 count as couplings; a sum that happens to be 0 does as well.
        let ising = model.to_ising()?;
        let n_couplings = ising.n_couplings();
        let pairs: HashMap<(usize, usize), usize> =
            ising.couplings().enumerate().map(|(a, (i, j, _))| ((i, j), a)).collect();
        let place = |sites: &[u32]| match *sites {
            [] => Some(None),
            [i] => Some(Some(n_couplings + i as usize)),
            [i, j] => pairs.get(&(i as usize, j as usize)).map(|&a| Some(a)),
            _ => None,
        };
        let mut places = Vec::with_capacity(model.n_terms());
        for (a, (sites, _)) in model.terms().enumerate() {
            places.push(place(sites).ok_or_else(|| Error::NotApplicable {
                solver: "pairwise form",
                reason: format!("term {a} on sites {sites:?} is not a coupling"),
            })?);
        }
        let bare = {
            // The inner plan has the terms alone; constants are added here.
            let mut bare = Ising::builder(ising.n_spins()).couplings(ising.couplings());
            for (i, &h) in ising.fields().iter().enumerate() {
                bare = bare.field(i, h);
            }
            bare.build()?
        };
        Ok(Box::new(PairwisePlan {
            inner: self.0.prepare(&bare)?,
            weights: (0..model.n_interactions()).map(|a| model.weight(a)).collect(),
            summed: vec![0.0; bare.n_interactions()],
            none: BitVec::zeros(bare.n_interactions()),
            places,
            offset: model.offset(),
        }))
    }
}

struct PairwisePlan {
    inner: Box<dyn LogPartitionPlan>,
    weights: Vec<f64>,
    /// The interaction that each term is part of; `None` for constants.
    places: Vec<Option<usize>>,
    offset: f64,
    summed: Vec<f64>,
    none: BitVec,
}

impl LogPartitionPlan for PairwisePlan {
    fn n_interactions(&self) -> usize {
        self.weights.len()
    }

    fn ln_z_signed(&mut self, flips: &BitVec, beta: f64) -> Result<LnZ> {
        let n = self.weights.len();
        assert_eq!(flips.len(), n, "{} signs for {n} interactions", flips.len());
        self.summed.fill(0.0);
        let mut constant = -self.offset;
        for (a, (&w, place)) in self.weights.iter().zip(&self.places).enumerate() {
            let w = if flips.get(a) { -w } else { w };
            match *place {
                Some(place) => self.summed[place] += w,
                None => constant += w,
            }
        }
        self.inner.set_weights(&self.summed)?;
        let mut ln_z = self.inner.ln_z_signed(&self.none, beta)?;
        ln_z.value += beta * constant;
        Ok(ln_z)
    }

    fn set_weights(&mut self, weights: &[f64]) -> Result<()> {
        if weights.len() != self.weights.len() {
            return Err(Error::WrongLength { what: "weights", got: weights.len(), expected: self.weights.len() });
        }
        if let Some(entry) = weights.iter().position(|w| !w.is_finite()) {
            return Err(Error::NotFinite { what: "weight", entry, sites: Vec::new(), value: weights[entry] });
        }
        self.weights.copy_from_slice(weights);
        Ok(())
    }
}
