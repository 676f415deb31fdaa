//! Multistate reweighting of recorded series.

use linalg_core::stats::Estimate;

use super::equations::{Equations, ReweightingParams, ReweightingReport, distinct};
use super::reweighted::{Blocks, Reweighted, jackknife};
use super::series::EnergySeries;
use crate::error::check_beta;
use crate::{Error, Result};

pub(super) const NAME: &str = "mbar";

/// Blocks of a series for its share of the errors, at most.
const MOST_BLOCKS: f64 = 64.0;

/// Blocks are this many autocorrelation times long.
const BLOCK_TIMES: f64 = 10.0;

/// A series must be this many autocorrelation times long before its errors are believed, as for `Observables`.
const LONG_ENOUGH: f64 = 50.0;

/// The multistate Bennett acceptance ratio: series of energies at several β joined into averages at any β.
///
/// Every sample is kept and counts with $`1/g`$ of its series, which weighs the series as their subsamples of independent
/// values would and wastes none. With one series this is the single-histogram method of Ferrenberg and Swendsen.
///
/// Errors are those of a jackknife over blocks of ten autocorrelation times of every series, to first order in what a
/// block contributes: the correlation in time, between observables and that through the $`\ln Z_k`$ is in them. A
/// series shorter than 50 of its autocorrelation times makes all errors infinite. They hold where there are data:
/// [`effective_samples`](Reweighted::effective_samples) tells.
///
/// Cost: `O(D K²)` an iteration for D different energies and K series, few for a discrete spectrum; `O(n)` for n samples
/// and an inverse temperature. Reference: Shirts and Chodera, J. Chem. Phys. 129, 124105 (2008).
///
/// ```
/// use spin_models::mcmc::{EnergySeries, Mbar, ReweightingParams};
///
/// // Two levels of energy 0 and 1, each with one state: at β = 0 half the samples have energy 1.
/// let energies: Vec<f64> = (0..1000u32).map(|k| f64::from(k.wrapping_mul(2654435761) >> 31)).collect();
/// let share = energies.iter().sum::<f64>() / 1000.0;
/// let mbar = Mbar::new(vec![EnergySeries::new(0.0, energies)?], &ReweightingParams::default())?;
/// let at = mbar.at(0.5)?;
/// // share e^-β / (1 - share + share e^-β)
/// let weight = share * (-0.5f64).exp();
/// assert!((at.energy().value - weight / (1.0 - share + weight)).abs() < 1e-12);
/// assert!((mbar.ln_z_difference(0.0, 0.5)?.value - (1.0 - share + weight).ln()).abs() < 1e-12);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Mbar {
    pub(super) series: Vec<EnergySeries>,
    pub(super) equations: Equations,
    /// Statistical inefficiency of each series.
    pub(super) inefficiencies: Vec<f64>,
    /// For each series the number of the energy of each sample.
    pub(super) places: Vec<Vec<u32>>,
    /// For each series, the ends of its blocks and how each block moves the `ln Z_k`.
    pub(super) blocks: Vec<Blocks>,
    /// Whether all series are long enough.
    pub(super) believable: bool,
}

impl Mbar {
    /// Joins series, in any order of β; several may have the same.
    ///
    /// Non-convergence is a field of the [`report`](Self::report).
    ///
    /// # Errors
    /// [`Error::Parameter`] for no series or a bad tolerance, [`Error::WrongLength`] for series with different numbers
    /// of observables, [`Error::NoOverlap`] with the two β between which nothing connects the series.
    pub fn new(mut series: Vec<EnergySeries>, params: &ReweightingParams) -> Result<Self> {
        let Some(first) = series.first() else {
            let (what, expected) = ("number of series", "at least 1");
            return Err(Error::Parameter { what, value: "0".into(), expected });
        };
        let expected = first.n_observables();
        if let Some(other) = series.iter().find(|other| other.n_observables() != expected) {
            return Err(Error::WrongLength { what: "observables of a series", got: other.n_observables(), expected });
        }
        let total = series.iter().map(EnergySeries::len).fold(0usize, usize::saturating_add);
        let bound = u32::MAX as usize;
        if total > bound {
            return Err(Error::TooLarge { solver: NAME, what: "number of samples", value: total, bound });
        }
        series.sort_by(|a, b| a.beta.total_cmp(&b.beta));
        let taus: Vec<f64> = series.iter().map(EnergySeries::autocorrelation_time).collect();
        let inefficiencies: Vec<f64> = taus.iter().map(|tau| 2.0 * tau).collect();
        let mean = |series: &EnergySeries| series.energies.iter().sum::<f64>() / series.len() as f64;
        let means: Vec<f64> = series.iter().map(mean).collect();
        let reference = means.iter().sum::<f64>() / means.len() as f64;
        let shifted: Vec<f64> = series.iter().flat_map(|s| s.energies.iter().map(|e| e - reference)).collect();
        let shares = series.iter().zip(&inefficiencies);
        let weights: Vec<f64> = shares.flat_map(|(s, g)| std::iter::repeat_n(1.0 / g, s.len())).collect();
        let (energies, sums, place) = distinct(&shifted, &weights);
        let states: Vec<(f64, f64, f64)> = (0..series.len())
            .map(|k| (series[k].beta, series[k].len() as f64 / inefficiencies[k], means[k] - reference))
            .collect();
        let equations = Equations::solve(NAME, &states, (energies, sums), reference, params)?;
        let mut rest = place.as_slice();
        let mut places = Vec::new();
        for s in &series {
            let (mine, others) = rest.split_at(s.len());
            places.push(mine.to_vec());
            rest = others;
        }
        let believable = series.iter().zip(&taus).all(|(s, tau)| s.len() as f64 >= LONG_ENOUGH * tau);
        let blocks = (0..series.len())
            .map(|k| {
                let n = series[k].len();
                let wanted = (n as f64 / (BLOCK_TIMES * taus[k])).clamp(1.0, MOST_BLOCKS) as usize;
                let ends: Vec<usize> = (1..=wanted).map(|b| n * b / wanted).collect();
                Blocks::new(&equations, &places[k], ends, inefficiencies[k])
            })
            .collect();
        Ok(Self { series, equations, inefficiencies, places, blocks, believable })
    }

    /// How the equations were solved, and how well the series overlap.
    pub fn report(&self) -> &ReweightingReport {
        &self.equations.report
    }

    /// The inverse temperatures of the series, ascending.
    pub fn betas(&self) -> &[f64] {
        &self.equations.betas
    }

    /// The statistical inefficiency $`2τ`$ of each series, in the order of [`betas`](Self::betas).
    pub fn inefficiencies(&self) -> &[f64] {
        &self.inefficiencies
    }

    /// $`\ln Z(β_{\mathrm{to}}) - \ln Z(β_{\mathrm{from}})`$.
    ///
    /// # Errors
    /// [`Error::Beta`].
    pub fn ln_z_difference(&self, from: f64, to: f64) -> Result<Estimate> {
        check_beta(from)?;
        check_beta(to)?;
        let ends = [from, to].map(|beta| self.equations.at(beta));
        // What a unit of mass at an energy adds to the difference, before the ln Z_k answer.
        let own: Vec<f64> = ends[1].per_mass.iter().zip(&ends[0].per_mass).map(|(b, a)| b - a).collect();
        let sums: Vec<f64> = own.iter().zip(&self.equations.weights).map(|(x, u)| x * u).collect();
        let response = self.equations.response(&sums, 1);
        let value = ends[1].ln_z - ends[0].ln_z - (to - from) * self.equations.reference;
        let groups: Vec<Vec<f64>> = (0..self.series.len())
            .map(|k| {
                let u = 1.0 / self.inefficiencies[k];
                let place = &self.places[k];
                let own = self.blocks[k].sums(|n| u * own[place[n] as usize]);
                let moved = self.blocks[k].answers(&response);
                own.iter().zip(moved).map(|(a, b)| a + b).collect()
            })
            .collect();
        let rows: Vec<Vec<Vec<f64>>> =
            groups.into_iter().map(|blocks| blocks.into_iter().map(|x| vec![x]).collect()).collect();
        Ok(self.judged(jackknife(&[value], &rows, &|means| means[0])))
    }

    /// Averages at an inverse temperature.
    ///
    /// # Errors
    /// [`Error::Beta`].
    pub fn at(&self, beta: f64) -> Result<Reweighted> {
        check_beta(beta)?;
        Ok(Reweighted::new(self, beta))
    }

    /// An estimate with an infinite error where errors cannot be believed.
    pub(super) fn judged(&self, estimate: Estimate) -> Estimate {
        if self.believable { estimate } else { Estimate::new(estimate.value, f64::INFINITY) }
    }
}
