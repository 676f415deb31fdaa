//! What a population gives, and several of them together.

use linalg_core::stats::Estimate;

use super::super::Ladder;
use crate::model::{LnZ, PairCorrelations};
use crate::{Error, Result, Spins};

/// The population at one temperature.
///
/// Errors come from the families: replicas that descend from one starting replica count as one observation, whatever
/// they have in common. For a mean over the population
///
/// ```math
/// σ^2 = \frac{1}{1 - \sum_i ν_i^2} \frac{1}{R^2} \sum_i \Bigl(\sum_{j \in i} (f_j - \bar f)\Bigr)^2
/// ```
///
/// with `ν_i` the share of family i, and for ln Z `(Σν² - Σν_0²) / (1 - Σν²)` with the shares `ν_0` at the start, which is
/// exact for one step from the start apart from the rounding of resampling. Both are infinite when one family is left,
/// and not to be trusted when `ρ_t` comes within a factor of ten of R.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PopulationStep {
    /// Inverse temperature.
    pub beta: f64,
    /// ln Z.
    pub ln_z: LnZ,
    /// Mean energy, extensive.
    pub energy: Estimate,
    /// Variance of the energy; the heat capacity is `β²` of it.
    pub energy_variance: Estimate,
    /// `⟨|m|⟩` with m the magnetization per spin.
    pub abs_magnetization: Estimate,
    /// `⟨m²⟩`.
    pub magnetization_2: Estimate,
    /// `⟨m⁴⟩`.
    pub magnetization_4: Estimate,
    /// Mean-square family size `ρ_t = Σ_i n_i² / R = R Σ_i ν_i²`: 1 at first, R when all descend from one. A run is
    /// worth about `R / ρ_t` independent replicas.
    pub rho_t: f64,
    /// Share of the largest family.
    pub largest_family: f64,
}

impl PopulationStep {
    /// The numbers that a checkpoint keeps.
    pub(super) fn numbers(&self) -> [f64; 15] {
        let error = |estimate: &Estimate| estimate.std_error.unwrap_or(f64::NAN);
        let [e, v, a, m2, m4] = self.means();
        [
            self.beta,
            self.ln_z.value,
            self.ln_z.std_error.unwrap_or(f64::NAN),
            e.value,
            error(e),
            v.value,
            error(v),
            a.value,
            error(a),
            m2.value,
            error(m2),
            m4.value,
            error(m4),
            self.rho_t,
            self.largest_family,
        ]
    }

    pub(super) fn from_numbers(x: &[f64; 15]) -> Self {
        Self {
            beta: x[0],
            ln_z: LnZ::estimate(x[1], x[2]),
            energy: Estimate::new(x[3], x[4]),
            energy_variance: Estimate::new(x[5], x[6]),
            abs_magnetization: Estimate::new(x[7], x[8]),
            magnetization_2: Estimate::new(x[9], x[10]),
            magnetization_4: Estimate::new(x[11], x[12]),
            rho_t: x[13],
            largest_family: x[14],
        }
    }

    fn means(&self) -> [&Estimate; 5] {
        [&self.energy, &self.energy_variance, &self.abs_magnetization, &self.magnetization_2, &self.magnetization_4]
    }
}

/// What one [`PopulationAnnealing`](super::PopulationAnnealing) run gives, or several together.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PopulationRun {
    /// Replicas, over all runs.
    pub population: usize,
    /// Variance of ln Z at the start, which is in that of every step; 0 from β = 0.
    pub start_variance: f64,
    /// From the start to the last temperature reached.
    pub steps: Vec<PopulationStep>,
    /// `⟨s_i⟩` at the last temperature.
    pub magnetizations: Vec<Estimate>,
    /// `⟨s_i s_j⟩` at the last temperature, for the pairs asked for.
    pub correlations: PairCorrelations,
    /// The lowest energy met at the end of a temperature.
    pub best_energy: f64,
    /// A configuration that has it.
    pub best_spins: Spins,
}

impl PopulationRun {
    /// The last temperature reached.
    pub fn last(&self) -> &PopulationStep {
        &self.steps[self.steps.len() - 1]
    }

    /// The temperatures, for further runs at the same ones.
    ///
    /// # Errors
    /// None for the runs of this crate, whose temperatures ascend.
    pub fn ladder(&self) -> Result<Ladder> {
        Ladder::new(self.steps.iter().map(|step| step.beta).collect())
    }

    /// Several independent runs at the same temperatures as one.
    ///
    /// Run r with `R_r` replicas and the estimate `Z_r` has weight `w_r ∝ R_r Z_r`, at each temperature its own:
    ///
    /// ```math
    /// Z = \frac{\sum_r R_r Z_r}{\sum_r R_r}, \qquad \langle f \rangle = \sum_r w_r f_r .
    /// ```
    ///
    /// Z is unbiased, and the bias of an average falls with the number of runs, as it would in one larger population,
    /// which a plain mean over the runs does not do. Errors are the larger of those of the families and, from four runs
    /// on, of the spread of the runs. Families of different runs are different families in `rho_t`. The error of ln Z at
    /// the start is taken as common to the runs, of which it is where they have one [`PopulationStart`]: the largest is
    /// added, as more runs do not know the start better.
    ///
    /// [`PopulationStart`]: super::PopulationStart
    ///
    /// Reference: J. Machta, Phys. Rev. E 82, 026704 (2010); W. Wang, J. Machta and H. G. Katzgraber, Phys. Rev. E 92,
    /// 063307 (2015).
    ///
    /// # Errors
    /// [`Error::Parameter`] for no run, or for a run at other temperatures, with its number and the position;
    /// [`Error::WrongLength`] for runs of other lengths, other numbers of spins or of pairs.
    pub fn combine(runs: &[Self]) -> Result<Self> {
        let Some(first) = runs.first() else {
            return Err(Error::Parameter { what: "runs", value: "none".to_owned(), expected: "at least one" });
        };
        for (number, run) in runs.iter().enumerate() {
            for (what, got, expected) in [
                ("temperatures of a run", run.steps.len(), first.steps.len()),
                ("magnetizations of a run", run.magnetizations.len(), first.magnetizations.len()),
                ("correlations of a run", run.correlations.values.len(), first.correlations.values.len()),
            ] {
                if got != expected {
                    return Err(Error::WrongLength { what, got, expected });
                }
            }
            let pair = run.steps.iter().zip(&first.steps).map(|(a, b)| (a.beta, b.beta));
            if let Some((k, (beta, expected))) = pair.enumerate().find(|(_, (a, b))| a.to_bits() != b.to_bits()) {
                let value = format!("{beta} at position {k} of run {number}, {expected} in run 0");
                return Err(Error::Parameter { what: "beta", value, expected: "the same in all runs" });
            }
            if run.correlations.pairs != first.correlations.pairs {
                let value = format!("others in run {number}");
                return Err(Error::Parameter { what: "pairs", value, expected: "the same in all runs" });
            }
        }
        let steps = (0..first.steps.len()).map(|k| Weights::at(runs, k).step(runs, k)).collect();
        let last = Weights::at(runs, first.steps.len() - 1);
        let means = |values: &dyn Fn(&Self) -> &[Estimate], n: usize| -> Vec<Estimate> {
            (0..n).map(|i| last.mean(&runs.iter().map(|run| values(run)[i]).collect::<Vec<_>>())).collect()
        };
        let best = runs.iter().min_by(|a, b| a.best_energy.total_cmp(&b.best_energy)).unwrap_or(first);
        Ok(Self {
            population: runs.iter().map(|run| run.population).sum(),
            start_variance: runs.iter().map(|run| run.start_variance).fold(0.0, f64::max),
            steps,
            magnetizations: means(&|run| &run.magnetizations, first.magnetizations.len()),
            correlations: PairCorrelations {
                pairs: first.correlations.pairs.clone(),
                values: means(&|run| &run.correlations.values, first.correlations.values.len()),
            },
            best_energy: best.best_energy,
            best_spins: best.best_spins.clone(),
        })
    }
}

/// Runs from which the spread between them is believed.
const ENOUGH_RUNS: usize = 4;

/// The weights of the runs at one temperature, and `Σw²`.
struct Weights {
    weights: Vec<f64>,
    ln_z: f64,
    squares: f64,
}

impl Weights {
    fn at(runs: &[PopulationRun], k: usize) -> Self {
        let largest = runs.iter().map(|run| run.steps[k].ln_z.value).fold(f64::NEG_INFINITY, f64::max);
        let z = |run: &PopulationRun| run.population as f64 * (run.steps[k].ln_z.value - largest).exp();
        let total: f64 = runs.iter().map(z).sum();
        let weights: Vec<f64> = runs.iter().map(|run| z(run) / total).collect();
        let population: f64 = runs.iter().map(|run| run.population as f64).sum();
        let squares = weights.iter().map(|w| w * w).sum();
        Self { weights, ln_z: largest + (total / population).ln(), squares }
    }

    fn mean(&self, values: &[Estimate]) -> Estimate {
        let mean: f64 = self.weights.iter().zip(values).map(|(w, x)| w * x.value).sum();
        let (mut within, mut between) = (0.0, 0.0);
        for (w, x) in self.weights.iter().zip(values) {
            within += (w * x.std_error.unwrap_or(f64::INFINITY)).powi(2);
            between += (w * (x.value - mean)).powi(2);
        }
        Estimate::new(mean, self.larger(within, between).sqrt())
    }

    /// Of the variance from families and the spread, the latter as a sum that is still to be divided by `1 - Σw²`.
    fn larger(&self, within: f64, between: f64) -> f64 {
        if self.weights.len() < ENOUGH_RUNS {
            return within;
        }
        let between = between / (1.0 - self.squares);
        // One run left with a single family among many others must not make the error infinite.
        if within.is_finite() { within.max(between) } else { between }
    }

    fn step(&self, runs: &[PopulationRun], k: usize) -> PopulationStep {
        let steps: Vec<&PopulationStep> = runs.iter().map(|run| &run.steps[k]).collect();
        let mean = |value: &dyn Fn(&PopulationStep) -> Estimate| -> Estimate {
            self.mean(&steps.iter().map(|step| value(step)).collect::<Vec<_>>())
        };
        let population: f64 = runs.iter().map(|run| run.population as f64).sum();
        let (mut within, mut between, mut rho_t, mut largest, mut start) = (0.0, 0.0, 0.0, 0f64, 0f64);
        for ((run, step), w) in runs.iter().zip(&steps).zip(&self.weights) {
            let since_start = step.ln_z.std_error.unwrap_or(f64::INFINITY).powi(2) - run.start_variance;
            within += w * w * since_start.max(0.0);
            start = start.max(run.start_variance);
            between += (w - run.population as f64 / population).powi(2);
            rho_t += w * w * step.rho_t / run.population as f64;
            largest = largest.max(w * step.largest_family);
        }
        let energy = mean(&|step| step.energy);
        // The variance of a mixture has that of the means in it.
        let energy_variance = mean(&|step| Estimate {
            value: step.energy_variance.value + (step.energy.value - energy.value).powi(2),
            ..step.energy_variance
        });
        PopulationStep {
            beta: steps[0].beta,
            ln_z: LnZ::estimate(self.ln_z, (start + self.larger(within, between)).sqrt()),
            energy,
            energy_variance,
            abs_magnetization: mean(&|step| step.abs_magnetization),
            magnetization_2: mean(&|step| step.magnetization_2),
            magnetization_4: mean(&|step| step.magnetization_4),
            rho_t: population * rho_t,
            largest_family: largest,
        }
    }
}
