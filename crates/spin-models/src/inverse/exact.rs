//! Exponential families of spins by summing all configurations.

use linalg_core::walsh_hadamard;

use crate::model::EnergyModel;
use crate::models::Ising;
use crate::{Error, Result};

/// Largest number of spins: a table of 2^25 numbers takes 256 MB.
pub(super) const LARGEST: usize = 25;

/// Refuses more spins than a table holds.
pub(super) fn check_size(solver: &'static str, n_spins: usize) -> Result<()> {
    if n_spins > LARGEST {
        return Err(Error::TooLarge { solver, what: "number of spins", value: n_spins, bound: LARGEST });
    }
    Ok(())
}

/// Probabilities of all configurations and `ln Z` of `e^{Σ λ_a Π_{i∈a} s_i}`; sets of spins are masks, spin i of
/// configuration k is `1 - 2 b_i`, b the bits of k. `n 2^n` operations.
pub(super) fn probabilities(n_spins: usize, masks: &[u32], parameters: &[f64]) -> (Vec<f64>, f64) {
    let mut table = vec![0.0; 1 << n_spins];
    for (&mask, &x) in masks.iter().zip(parameters) {
        table[mask as usize] += x;
    }
    walsh_hadamard(&mut table);
    let largest = table.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    // Sums of sums: rounding stays that of a block.
    for block in table.chunks_mut(1024) {
        let mut part = 0.0;
        for x in block {
            *x = linalg_core::simd::exp(*x - largest);
            part += *x;
        }
        sum += part;
    }
    table.iter_mut().for_each(|p| *p /= sum);
    (table, largest + sum.ln())
}

/// All moments: `⟨Π_{i∈a} s_i⟩` at place a. The table of probabilities is used up.
pub(super) fn moments(mut probabilities: Vec<f64>) -> Vec<f64> {
    walsh_hadamard(&mut probabilities);
    probabilities
}

/// Probabilities of a model at β = 1.
pub(super) fn probabilities_of(model: &Ising) -> Result<Vec<f64>> {
    check_size("a table of all configurations", model.n_spins())?;
    let fields = model.fields().iter().enumerate().map(|(i, &h)| (1u32 << i, h));
    let (masks, parameters): (Vec<u32>, Vec<f64>) =
        model.couplings().map(|(i, j, x)| ((1u32 << i) | (1 << j), x)).chain(fields).unzip();
    Ok(probabilities(model.n_spins(), &masks, &parameters).0)
}
