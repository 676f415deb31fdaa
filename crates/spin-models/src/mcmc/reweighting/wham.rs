//! Multistate reweighting of histograms.

use linalg_core::stats::Estimate;

use super::equations::{AtBeta, Equations, ReweightingParams, ReweightingReport};
use crate::error::check_beta;
use crate::{Error, Result};

const NAME: &str = "wham";

/// A histogram of energies at one inverse temperature.
///
/// ```
/// use spin_models::mcmc::EnergyHistogram;
///
/// let histogram = EnergyHistogram::from_energies(0.4, &[-4.0, -4.0, 0.0, 4.1], 0.5)?;
/// assert_eq!(histogram.bins(), [(-4.0, 2), (0.0, 1), (4.0, 1)]);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EnergyHistogram {
    beta: f64,
    bins: Vec<(f64, u64)>,
    inefficiency: f64,
}

impl EnergyHistogram {
    /// Counts by energy, in any order; bins of equal energy are added. The histograms of one [`Wham`] should share their
    /// energies.
    ///
    /// # Errors
    /// [`Error::Beta`], [`Error::NotFinite`] for an energy, [`Error::Parameter`] without any count.
    pub fn new(beta: f64, bins: impl IntoIterator<Item = (f64, u64)>) -> Result<Self> {
        check_beta(beta)?;
        let mut bins: Vec<(f64, u64)> = bins.into_iter().collect();
        if let Some(entry) = bins.iter().position(|(energy, _)| !energy.is_finite()) {
            return Err(Error::NotFinite { what: "energy", entry, sites: Vec::new(), value: bins[entry].0 });
        }
        bins.retain(|&(_, count)| count > 0);
        // Adding zero makes -0 and 0 one energy.
        bins.iter_mut().for_each(|bin| bin.0 += 0.0);
        bins.sort_by(|a, b| a.0.total_cmp(&b.0));
        bins.dedup_by(|later, first| {
            let same = later.0.to_bits() == first.0.to_bits();
            first.1 = first.1.saturating_add(if same { later.1 } else { 0 });
            same
        });
        if bins.is_empty() {
            let (what, expected) = ("number of energies", "at least 1");
            return Err(Error::Parameter { what, value: "0".into(), expected });
        }
        Ok(Self { beta, bins, inefficiency: 1.0 })
    }

    /// Counts energies in bins centred on the multiples of `width`; a width of 0 keeps every energy as it is.
    ///
    /// Within a bin the Boltzmann factor is that of the center: the error of ln Z is of order
    /// $`(β - β_0)^2 \mathrm{width}^2 / 24`$.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`Error::Parameter`] for a width that is negative or not finite.
    pub fn from_energies(beta: f64, energies: &[f64], width: f64) -> Result<Self> {
        if !(width >= 0.0 && width.is_finite()) {
            let expected = "a finite number >= 0";
            return Err(Error::Parameter { what: "bin width", value: width.to_string(), expected });
        }
        let center = |e: &f64| if width > 0.0 { (e / width).round() * width } else { *e };
        Self::new(beta, energies.iter().map(|e| (center(e), 1)))
    }

    /// Sets the statistical inefficiency $`g = 2τ`$ of the counts; 1 by default, for independent ones.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a number below 1 or not finite.
    pub fn with_inefficiency(mut self, inefficiency: f64) -> Result<Self> {
        if !(inefficiency >= 1.0 && inefficiency.is_finite()) {
            let (what, expected) = ("statistical inefficiency", "a finite number >= 1");
            return Err(Error::Parameter { what, value: inefficiency.to_string(), expected });
        }
        self.inefficiency = inefficiency;
        Ok(self)
    }

    /// The inverse temperature.
    pub fn beta(&self) -> f64 {
        self.beta
    }

    /// Energies, ascending, and their counts.
    pub fn bins(&self) -> &[(f64, u64)] {
        &self.bins
    }

    /// All counts.
    pub fn count(&self) -> f64 {
        self.bins.iter().map(|&(_, count)| count as f64).sum()
    }
}

/// The weighted histogram analysis method: histograms of energies at several β joined into ln Z and the density of states.
///
/// The same weights as those of [`Mbar`](super::Mbar), from counts. Errors take the counts of a histogram as a multinomial
/// sample of $`N/g`$ independent energies, to first order; what is correlated beyond g is for `Mbar` to tell.
///
/// References: Ferrenberg and Swendsen, Phys. Rev. Lett. 63, 1195 (1989); Kumar et al., J. Comput. Chem. 13, 1011 (1992).
///
/// ```
/// use spin_models::mcmc::{EnergyHistogram, ReweightingParams, Wham};
///
/// // The counts that two spins with J = 1 would have on average: E = -1 and 1, twice each.
/// let histogram = |beta: f64| {
///     let up = (2000.0 * beta.exp() / (2.0 * beta.cosh())).round() as u64;
///     EnergyHistogram::new(beta, [(-1.0, up), (1.0, 2000 - up)])
/// };
/// let wham = Wham::new(&[histogram(0.0)?, histogram(0.5)?], &ReweightingParams::default())?;
/// let energy = wham.energy(0.3)?;
/// assert!((energy.value + 0.3f64.tanh()).abs() < 0.001);
/// // Four states in all: ln g = ln 2 at both energies.
/// let density = wham.ln_density_of_states(4f64.ln());
/// assert!((density[0].1.value - 2f64.ln()).abs() < 0.001);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Wham {
    equations: Equations,
    /// For each histogram its inefficiency and `(number of the energy, count)`.
    histograms: Vec<(f64, Vec<(u32, f64)>)>,
}

impl Wham {
    /// Joins histograms, in any order of β; several may have the same.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no histogram or a bad tolerance, [`Error::NoOverlap`] with the two β between which
    /// nothing connects the histograms.
    pub fn new(histograms: &[EnergyHistogram], params: &ReweightingParams) -> Result<Self> {
        if histograms.is_empty() {
            let (what, expected) = ("number of histograms", "at least 1");
            return Err(Error::Parameter { what, value: "0".into(), expected });
        }
        let mut sorted: Vec<&EnergyHistogram> = histograms.iter().collect();
        sorted.sort_by(|a, b| a.beta.total_cmp(&b.beta));
        let mut energies: Vec<f64> = sorted.iter().flat_map(|h| h.bins.iter().map(|bin| bin.0)).collect();
        energies.sort_by(f64::total_cmp);
        energies.dedup_by(|a, b| a.to_bits() == b.to_bits());
        let mean = |h: &EnergyHistogram| h.bins.iter().map(|&(e, n)| e * (n as f64 / h.count())).sum::<f64>();
        let means: Vec<f64> = sorted.iter().map(|h| mean(h)).collect();
        let reference = means.iter().sum::<f64>() / means.len() as f64;
        let mut weights = vec![0.0; energies.len()];
        let mut counted = Vec::new();
        for histogram in &sorted {
            let mut e = 0;
            let place = |&(energy, count): &(f64, u64)| {
                // Both lists ascend.
                while energies[e].to_bits() != energy.to_bits() {
                    e += 1;
                }
                weights[e] += count as f64 / histogram.inefficiency;
                (e as u32, count as f64)
            };
            let bins = histogram.bins.iter().map(place).collect();
            counted.push((histogram.inefficiency, bins));
        }
        let states: Vec<(f64, f64, f64)> =
            sorted.iter().zip(&means).map(|(h, mean)| (h.beta, h.count() / h.inefficiency, mean - reference)).collect();
        energies.iter_mut().for_each(|energy| *energy -= reference);
        let equations = Equations::solve(NAME, &states, (energies, weights), reference, params)?;
        Ok(Self { equations, histograms: counted })
    }

    /// How the equations were solved, and how well the histograms overlap.
    pub fn report(&self) -> &ReweightingReport {
        &self.equations.report
    }

    /// Variance of a quantity from what a unit of mass at each energy adds to it, the answer of the ln Z_k left out.
    fn error(&self, own: &[f64], response: &[f64]) -> f64 {
        self.error_with(own, response, &self.moved())
    }

    /// What a unit of mass at each energy does to the ln Z_k: a row for each energy.
    fn moved(&self) -> Vec<f64> {
        let equations = &self.equations;
        let mut p = vec![0.0; equations.n_states()];
        let rows = (0..equations.energies.len()).flat_map(|e| {
            equations.posterior(e, &mut p);
            equations.moved(&p)
        });
        rows.collect()
    }

    fn error_with(&self, own: &[f64], response: &[f64], moved: &[f64]) -> f64 {
        let rows = moved.chunks_exact(response.len());
        let answer = rows.map(|row| row.iter().zip(response).map(|(a, b)| a * b).sum::<f64>());
        let full: Vec<f64> = own.iter().zip(answer).map(|(own, answer)| own + answer).collect();
        let mut variance = 0.0;
        for (g, bins) in &self.histograms {
            let n: f64 = bins.iter().map(|bin| bin.1).sum();
            let mean = bins.iter().map(|&(e, count)| count / n * full[e as usize]).sum::<f64>();
            variance += bins.iter().map(|&(e, count)| count * (full[e as usize] - mean).powi(2)).sum::<f64>() / g;
        }
        if variance.is_finite() { variance.sqrt() } else { f64::INFINITY }
    }

    /// Error of a mean whose deviation at each energy is given.
    fn error_of_mean(&self, at: &AtBeta, deviation: &dyn Fn(f64) -> f64) -> f64 {
        let energies = self.equations.energies.iter();
        let own: Vec<f64> = energies.zip(&at.per_mass).map(|(&e, w)| w * deviation(e)).collect();
        let sums: Vec<f64> = own.iter().zip(&self.equations.weights).map(|(x, u)| x * u).collect();
        self.error(&own, &self.equations.response(&sums, 1))
    }

    fn mean(&self, at: &AtBeta, quantity: &dyn Fn(f64) -> f64) -> f64 {
        let points = self.equations.energies.iter().zip(&self.equations.weights).zip(&at.per_mass);
        points.map(|((&e, u), w)| u * w * quantity(e)).sum()
    }

    /// $`\ln Z(β_{\mathrm{to}}) - \ln Z(β_{\mathrm{from}})`$.
    ///
    /// # Errors
    /// [`Error::Beta`].
    pub fn ln_z_difference(&self, from: f64, to: f64) -> Result<Estimate> {
        check_beta(from)?;
        check_beta(to)?;
        let [a, b] = [from, to].map(|beta| self.equations.at(beta));
        let own: Vec<f64> = b.per_mass.iter().zip(&a.per_mass).map(|(b, a)| b - a).collect();
        let sums: Vec<f64> = own.iter().zip(&self.equations.weights).map(|(x, u)| x * u).collect();
        let error = self.error(&own, &self.equations.response(&sums, 1));
        Ok(Estimate::new(b.ln_z - a.ln_z - (to - from) * self.equations.reference, error))
    }

    /// The mean energy ⟨E⟩, extensive.
    ///
    /// # Errors
    /// [`Error::Beta`].
    pub fn energy(&self, beta: f64) -> Result<Estimate> {
        check_beta(beta)?;
        let at = self.equations.at(beta);
        let mean = self.mean(&at, &|e| e);
        Ok(Estimate::new(mean + self.equations.reference, self.error_of_mean(&at, &|e| e - mean)))
    }

    /// The heat capacity $`β^2 (⟨E^2⟩ - ⟨E⟩^2)`$, extensive.
    ///
    /// # Errors
    /// [`Error::Beta`].
    pub fn heat_capacity(&self, beta: f64) -> Result<Estimate> {
        check_beta(beta)?;
        let at = self.equations.at(beta);
        let mean = self.mean(&at, &|e| e);
        let variance = self.mean(&at, &|e| (e - mean).powi(2));
        let error = self.error_of_mean(&at, &|e| (e - mean).powi(2) - variance);
        let factor = beta * beta;
        Ok(Estimate::new(factor * variance, factor * error))
    }

    /// How many independent samples at this temperature would know a mean as well; see
    /// [`Reweighted::effective_samples`](super::Reweighted::effective_samples).
    ///
    /// # Errors
    /// [`Error::Beta`].
    pub fn effective_samples(&self, beta: f64) -> Result<f64> {
        check_beta(beta)?;
        let at = self.equations.at(beta);
        let squares = |(g, bins): &(f64, Vec<(u32, f64)>)| {
            bins.iter().map(|&(e, count)| count * at.per_mass[e as usize].powi(2)).sum::<f64>() / g
        };
        Ok(1.0 / self.histograms.iter().map(squares).sum::<f64>())
    }

    /// The logarithm of the number of states of each energy that was seen, ascending, such that all numbers add up to
    /// $`e^{\text{ln\_states}}`$: N ln 2 for N spins, if the histograms reach to β = 0.
    ///
    /// Cost `O(D² K + D K²)` for the errors of D energies and K histograms, memory `O(D K)`.
    pub fn ln_density_of_states(&self, ln_states: f64) -> Vec<(f64, Estimate)> {
        let equations = &self.equations;
        let (n, k) = (equations.energies.len(), equations.n_states());
        // At β = 0 the weight of an energy is its share of the states.
        let at = equations.at(0.0);
        let all: Vec<f64> = at.per_mass.iter().zip(&equations.weights).map(|(w, u)| w * u).collect();
        let total = equations.response(&all, 1);
        let mut p = vec![0.0; k];
        let moved = self.moved();
        let of = |e: usize| {
            equations.posterior(e, &mut p);
            let response: Vec<f64> = p.iter().zip(&total).map(|(a, b)| a - b).collect();
            let mut own: Vec<f64> = at.per_mass.iter().map(|w| -w).collect();
            own[e] += 1.0 / equations.weights[e];
            let ln_g = equations.weights[e].ln() - equations.ln_d[e] - at.ln_z + ln_states;
            (equations.energies[e] + equations.reference, Estimate::new(ln_g, self.error_with(&own, &response, &moved)))
        };
        (0..n).map(of).collect()
    }
}
