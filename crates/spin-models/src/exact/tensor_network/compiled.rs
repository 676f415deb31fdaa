//! A model as a network with an order: only numbers are missing.

use linalg_core::Observer;
use linalg_core::tensor::{
    Contraction, ContractionProgress, Cost, Entry, Keep, Logarithm, MaxCount, Network, OrderParams, Tensor,
};
use linalg_core::tensor::{Shares, slice_to_budget};

use rand::{Rng, RngExt};

use super::NAME;
use super::params::TensorNetworkParams;
use super::tables::Tables;
use crate::exact::transfer_matrix::Marginals;
use crate::exact::transfer_matrix::ground_state::sums_are_exact;
use crate::exact::transfer_matrix::interactions::Interactions;
use crate::model::Progress;
use crate::spins::Spins;
use crate::{Error, Result};

#[derive(Debug, Clone)]
pub(super) struct Compiled {
    pub(super) interactions: Interactions,
    tables: Tables,
    /// `None` where no two sites interact.
    contraction: Option<Contraction>,
    pub(super) cost: Cost,
}

/// Below this magnitude beside 1 a sum of products may have lost terms: for the value alone, and for shares, where the
/// ranges of a tensor and of its adjoint multiply.
const SMALLEST: f64 = 1e-250;
const SMALLEST_SHARES: f64 = 1e-100;

impl Compiled {
    /// Finds the order and cuts it to the budget. Interactions of two or more sites are held where `all` or where their weight is not 0.
    pub(super) fn new(
        interactions: Interactions,
        all: bool,
        params: &TensorNetworkParams,
        order: &OrderParams,
        (keep, entry_bytes): (Keep, usize),
    ) -> Result<Self> {
        let weights = &interactions.weights;
        let tables = Tables::new(&interactions, &|a| all || weights[a] != 0.0)?;
        let mut cost = Cost { log2_flops: 0.0, log2_size: 0.0, log2_peak: 0.0 };
        let mut contraction = None;
        if !tables.tables.is_empty() {
            let legs = tables.tables.iter().map(|table| table.sites.clone()).collect();
            let network = Network::new(vec![2; interactions.n_spins], legs, Vec::new())?;
            let tree = order.find(&network)?;
            cost = tree.cost(&network);
            let sliced = match slice_to_budget(&network, &tree, entry_bytes, params.memory_bytes, keep) {
                Err(linalg_core::Error::MemoryBudget { least, budget }) => {
                    // The conversion saturates.
                    let (what, value) = ("least memory of any slicing in bytes", least as usize);
                    return Err(Error::TooLarge { solver: NAME, what, value, bound: budget });
                }
                other => other?,
            };
            contraction = Some(Contraction::with_slices(&network, &tree, &sliced)?);
        }
        Ok(Self { interactions, tables, contraction, cost })
    }

    pub(super) fn slices(&self) -> u64 {
        self.contraction.as_ref().map_or(1, Contraction::slices)
    }

    /// The weights at a temperature, some with the other sign.
    pub(super) fn scaled(&self, beta: f64, flipped: &dyn Fn(usize) -> bool) -> Result<Vec<f64>> {
        crate::error::check_beta(beta)?;
        let weights = &self.interactions.weights;
        let total = beta * weights.iter().map(|w| w.abs()).sum::<f64>() + beta * self.interactions.offset.abs();
        if !total.is_finite() {
            let value = format!("{total}");
            return Err(Error::Parameter { what: "beta times the sum of weights", value, expected: "a finite number" });
        }
        Ok(weights.iter().enumerate().map(|(a, &w)| if flipped(a) { -beta * w } else { beta * w }).collect())
    }

    /// What is not in the network: the offset, constants and sites without partners.
    fn ln_outside(&self, scaled: &[f64], beta: f64) -> f64 {
        let constants: f64 = self.tables.constants.iter().map(|&a| scaled[a]).sum();
        let alone = self.tables.alone.iter().map(|(_, fields)| {
            let field = fields.iter().map(|&a| scaled[a]).sum::<f64>().abs();
            field + (-2.0 * field).exp().ln_1p()
        });
        constants - beta * self.interactions.offset + alone.sum::<f64>()
    }

    fn tensors<T: Entry>(&self, scaled: &[f64], entry: impl Fn(f64) -> T) -> Vec<Tensor<T>> {
        let mut exponents = Vec::new();
        let make = |table: &super::tables::Table| {
            table.exponents(&|a| scaled[a], &mut exponents);
            let largest = exponents.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let data = exponents.iter().map(|&e| entry(e - largest)).collect();
            Tensor::new(table.sites.clone(), vec![2; table.sites.len()], data).with_ln_scale(largest)
        };
        self.tables.tables.iter().map(make).collect()
    }

    pub(super) fn ln_z(&self, scaled: &[f64], beta: f64, observer: &mut dyn Observer<Progress>) -> Result<f64> {
        let outside = self.ln_outside(scaled, beta);
        let Some(contraction) = &self.contraction else { return Ok(outside) };
        let mut report = reporter(observer);
        let value = contraction.run_observed(&self.tensors(scaled, f64::exp), &mut report).map_err(stopped)?;
        if value.smallest >= SMALLEST {
            return Ok(outside + value.tensor.ln_scale() + value.tensor.data()[0].ln());
        }
        let value = contraction.run_observed(&self.tensors(scaled, Logarithm), &mut report).map_err(stopped)?;
        Ok(outside + value.tensor.ln_scale() + value.tensor.data()[0].0)
    }

    pub(super) fn marginals(
        &self,
        scaled: &[f64],
        beta: f64,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Marginals> {
        let n = self.interactions.n_spins;
        let mut ln_z = self.ln_outside(scaled, beta);
        let mut tables: Vec<Vec<f64>> = Vec::new();
        if let Some(contraction) = &self.contraction {
            let mut report = reporter(observer);
            let Shares { value, leaves } =
                contraction.shares(&self.tensors(scaled, f64::exp), &mut report).map_err(stopped)?;
            if value.smallest >= SMALLEST_SHARES {
                ln_z += value.tensor.ln_scale() + value.tensor.data()[0].ln();
                tables = leaves;
            } else {
                let Shares { value, leaves } =
                    contraction.shares(&self.tensors(scaled, Logarithm), &mut report).map_err(stopped)?;
                ln_z += value.tensor.ln_scale() + value.tensor.data()[0].0;
                tables = leaves.iter().map(|leaf| leaf.iter().map(|x| x.0.exp()).collect()).collect();
            }
        }
        let mut magnetizations = vec![0.0; n];
        for (magnetization, place) in magnetizations.iter_mut().zip(&self.tables.place) {
            if let &Some((t, position)) = place {
                let table = &self.tables.tables[t as usize];
                *magnetization = table.mean(table.bit(position as usize), &tables[t as usize]);
            }
        }
        for (site, fields) in &self.tables.alone {
            magnetizations[*site as usize] = fields.iter().map(|&a| scaled[a]).sum::<f64>().tanh();
        }
        // What no table holds has no sites, or one, or was left out with weight 0 and is not asked for.
        let mut interactions: Vec<f64> = (0..self.interactions.len())
            .map(|a| match *self.interactions.sites(a) {
                [] => 1.0,
                [site] => magnetizations[site as usize],
                _ => 0.0,
            })
            .collect();
        for (table, p) in self.tables.tables.iter().zip(&tables) {
            for &(a, mask) in table.terms.iter().filter(|&&(_, mask)| mask.count_ones() > 1) {
                interactions[a] = table.mean(mask, p);
            }
        }
        let sum: f64 = interactions.iter().zip(&self.interactions.weights).map(|(mean, w)| mean * w).sum();
        Ok(Marginals { ln_z, energy: self.interactions.offset - sum, magnetizations, interactions })
    }
}

impl Compiled {
    /// Independent configurations from the Boltzmann distribution.
    pub(super) fn sample<R: Rng + ?Sized>(
        &self,
        scaled: &[f64],
        n_samples: usize,
        observer: &mut dyn Observer<Progress>,
        rng: &mut R,
    ) -> Result<Vec<Spins>> {
        let mut rows = vec![vec![1i8; self.interactions.n_spins]; n_samples];
        if let Some(contraction) = &self.contraction {
            let mut report = reporter(observer);
            let linear = contraction.samples(&self.tensors(scaled, f64::exp), n_samples, &mut report, rng);
            let samples = match linear {
                Ok(samples) if samples.smallest >= SMALLEST_SHARES => samples,
                // Too small for plain numbers, down to nothing.
                Ok(_) | Err(linalg_core::Error::ZeroWeight) => {
                    let logarithms = self.tensors(scaled, Logarithm);
                    contraction.samples(&logarithms, n_samples, &mut report, rng).map_err(stopped)?
                }
                Err(error) => return Err(stopped(error)),
            };
            for (row, place) in rows.iter_mut().zip(&samples.places) {
                for (spin, &value) in row.iter_mut().zip(place) {
                    *spin = if value == 0 { 1 } else { -1 };
                }
            }
        }
        for (site, fields) in &self.tables.alone {
            let field: f64 = fields.iter().map(|&a| scaled[a]).sum();
            let up = 1.0 / (1.0 + (-2.0 * field).exp());
            for row in &mut rows {
                row[*site as usize] = if rng.random::<f64>() < up { 1 } else { -1 };
            }
        }
        rows.iter().map(|row| Spins::from_signs(row)).collect()
    }
}

/// A configuration of lowest energy and the number of them.
pub(super) struct Lowest {
    pub(super) spins: Vec<i8>,
    pub(super) degeneracy: Option<f64>,
}

impl Compiled {
    /// The largest exponent `Σ w Π s`, with its multiplicity where all sums are exact and it fits `f64`.
    pub(super) fn lowest(&self, observer: &mut dyn Observer<Progress>) -> Result<Lowest> {
        let weights = &self.interactions.weights;
        let mut spins = vec![1; self.interactions.n_spins];
        let mut ln_count = 0.0;
        if let Some(contraction) = &self.contraction {
            let mut exponents = Vec::new();
            let make = |table: &super::tables::Table| {
                table.exponents(&|a| weights[a], &mut exponents);
                let data = exponents.iter().copied().map(MaxCount::one).collect();
                Tensor::new(table.sites.clone(), vec![2; table.sites.len()], data)
            };
            let tensors: Vec<_> = self.tables.tables.iter().map(make).collect();
            let best = contraction.maximum(&tensors, &mut reporter(observer)).map_err(stopped)?;
            ln_count = best.ln_count;
            for (spin, &value) in spins.iter_mut().zip(&best.place) {
                *spin = if value == 0 { 1 } else { -1 };
            }
        }
        for (site, fields) in &self.tables.alone {
            let field: f64 = fields.iter().map(|&a| weights[a]).sum();
            spins[*site as usize] = if field < 0.0 { -1 } else { 1 };
            ln_count += if field == 0.0 { std::f64::consts::LN_2 } else { 0.0 };
        }
        let count = ln_count.exp();
        // A logarithm has no more digits than tell an integer apart up to 2^40.
        let count = if count < 2f64.powi(40) { count.round() } else { count };
        let degeneracy = (sums_are_exact(weights) && count.is_finite()).then_some(count);
        Ok(Lowest { spins, degeneracy })
    }
}

fn reporter<'a>(
    observer: &'a mut dyn Observer<Progress>,
) -> impl FnMut(&ContractionProgress) -> std::ops::ControlFlow<()> + 'a {
    move |event| observer.observe(&Progress::new("contracting", event.done, event.total))
}

fn stopped(error: linalg_core::Error) -> Error {
    match error {
        linalg_core::Error::Stopped { done, total, .. } => Error::Stopped { solver: NAME, done, total },
        other => other.into(),
    }
}
