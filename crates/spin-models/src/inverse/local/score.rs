//! How well couplings predict every spin from the others.

use linalg_core::threads;

use super::super::Samples;
use super::Loss;
use super::columns::{Columns, Neighborhood, values};
use crate::{Error, Result};

/// Spins that share the products of matrices.
const UNIT: usize = 16;

/// The mean over spins and samples of `ln P(s_i | the others) = -ln(1 + e^{-2u})`, `u = s_i (Σ J_ij s_j + h_i)`.
///
/// On samples that were not learned from this is the measure for choosing among models whose partition functions are out of
/// reach. Spins that nothing is known of score `-ln 2`.
///
/// `couplings`: n x n, row-major, the diagonal is not read; row i is used for spin i. `O(M N²)`; `threads` 0 stands for all.
///
/// ```
/// use spin_models::inverse::{Samples, pseudo_log_likelihood};
///
/// let samples = Samples::from_spins(2, &[1, 1, -1, -1, 1, -1])?;
/// let score = pseudo_log_likelihood(&samples, &[0.0, 0.5, 0.5, 0.0], &[0.0, 0.0], 1)?;
/// let expected = -(2.0 * (-1f64).exp().ln_1p() + 1f64.exp().ln_1p()) / 3.0;
/// assert!((score - expected).abs() < 1e-14);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// # Errors
/// [`Error::WrongLength`].
pub fn pseudo_log_likelihood(samples: &Samples, couplings: &[f64], fields: &[f64], threads: usize) -> Result<f64> {
    let n = samples.n_spins();
    for (what, got, expected) in [("couplings", couplings.len(), n * n), ("fields", fields.len(), n)] {
        if got != expected {
            return Err(Error::WrongLength { what, got, expected });
        }
    }
    Ok(score(&Columns::new(samples), couplings, fields, threads))
}

pub(super) fn score(columns: &Columns, couplings: &[f64], fields: &[f64], n_threads: usize) -> f64 {
    let n = columns.n_spins;
    let mut units: Vec<(usize, f64)> = (0..n).step_by(UNIT).map(|first| (first, 0.0)).collect();
    threads::for_each(threads::count(n_threads), &mut units, |(first, sum)| {
        let spins: Vec<Neighborhood> =
            (*first..(*first + UNIT).min(n)).map(|spin| Neighborhood { spin, variables: (0..n).collect() }).collect();
        let point = |spin: usize| {
            let mut row = couplings[spin * n..(spin + 1) * n].to_vec();
            row[spin] = fields[spin];
            row
        };
        let points: Vec<Vec<f64>> = spins.iter().map(|neighborhood| point(neighborhood.spin)).collect();
        let problems: Vec<(&Neighborhood, &[f64])> = spins.iter().zip(points.iter().map(|x| &x[..])).collect();
        *sum = values(columns, Loss::PseudoLikelihood, &problems).iter().sum();
    });
    -units.iter().map(|unit| unit.1).sum::<f64>() / n as f64
}
