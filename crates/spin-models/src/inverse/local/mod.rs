//! Estimators that ask of every spin how the others determine it.

mod columns;
mod decimation;
mod errors;
mod newton;
mod pairwise;
mod path;
mod real;
mod score;

pub use decimation::{Decimation, DecimationStep};
pub use path::{PathParams, PathPoint};
pub use score::pseudo_log_likelihood;

pub(super) use columns::{Columns, Evaluation, Neighborhood, evaluate as evaluate_losses, hessian as loss_hessian};
pub(super) use newton::{Fit, Losses, Settings, minimize};

use super::{Moments, Reconstruction, Samples};
use crate::{Error, Result};

/// What is minimised for each spin, with `u = s_i (Σ_j J_ij s_j + h_i)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Loss {
    /// `⟨ln(1 + e^{-2u})⟩`, the negative log-likelihood of the spin given the others (Besag 1975).
    PseudoLikelihood,
    /// `⟨e^{-u}⟩`: its average weighs the samples so that the spin is independent of the others at the true parameters
    /// (Vuffray et al. 2016).
    InteractionScreening,
    /// `ln ⟨e^{-u}⟩`.
    LogInteractionScreening,
}

/// What is added to the loss of a spin; fields are free.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Penalty {
    /// Nothing.
    None,
    /// `λ Σ |J_ij|`.
    L1(f64),
    /// `λ Σ |J_ij|` with `λ = c √(ln(N²/ε)/M)`, ε = 0.05: the strength for which the estimators are proven to find the graph.
    L1Rate(f64),
    /// `λ/2 Σ J_ij²`.
    L2(f64),
}

/// Probability of a wrong graph in the rate of the penalty.
const FAILURE: f64 = 0.05;

impl Penalty {
    /// Strengths of ℓ1 and ℓ2 for M samples of N spins.
    pub(super) fn strengths(self, n_spins: usize, n_samples: f64) -> (f64, f64) {
        match self {
            Self::None => (0.0, 0.0),
            Self::L1(strength) => (strength, 0.0),
            Self::L1Rate(c) => (c * ((n_spins as f64).powi(2) / FAILURE).ln().sqrt() / n_samples.sqrt(), 0.0),
            Self::L2(strength) => (0.0, strength),
        }
    }

    pub(super) fn validate(self) -> Result<()> {
        match self {
            Self::None => Ok(()),
            Self::L1(strength) | Self::L1Rate(strength) | Self::L2(strength) => {
                check_range("strength of the penalty", strength, 0.0, f64::MAX, "a finite number >= 0")
            }
        }
    }
}

/// Parameters of the estimators that fit one spin given the others: pseudolikelihood and interaction screening.
///
/// For each spin a convex function of its couplings and its field is minimised, and `J_ij` is the mean of what the fits of
/// i and j say. At the true parameters and with unlimited samples all three losses are at their minimum.
///
/// Cost: some ten passes over the different samples, each two products of matrices, `4 M N²` operations in all.
///
/// ```
/// use spin_models::inverse::{LocalParams, Samples};
///
/// // The law of two spins with J = 0.3, h = (0.1, 0): e^{J s s' + h s} for ++, -+, +-, --.
/// let law = [0.4f64, -0.4, -0.2, 0.2].map(f64::exp);
/// let samples = Samples::from_states(2, &law)?;
/// for params in [LocalParams::pseudolikelihood(), LocalParams::interaction_screening()] {
///     let found = params.reconstruct(&samples)?;
///     assert!((found.coupling(0, 1) - 0.3).abs() < 1e-6 && (found.fields[0] - 0.1).abs() < 1e-6);
/// }
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// References: J. Besag, The Statistician 24, 179 (1975); P. Ravikumar, M. Wainwright and J. Lafferty, Ann. Stat. 38, 1287
/// (2010); E. Aurell and M. Ekeberg, Phys. Rev. Lett. 108, 090201 (2012); M. Vuffray, S. Misra, A. Lokhov and M. Chertkov,
/// NIPS (2016); A. Lokhov, M. Vuffray, S. Misra and M. Chertkov, Sci. Adv. 4, e1700791 (2018).
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct LocalParams {
    /// What is minimised.
    pub loss: Loss,
    /// What is added to it; default none.
    pub penalty: Penalty,
    /// Whether there are fields; default yes.
    pub fields: bool,
    /// Largest derivative that counts as 0; default 1e-7. Without penalty another step must be small, too: where
    /// couplings are infinite derivatives fall to any tolerance.
    pub tolerance: f64,
    /// Largest number of steps of a spin; default 200.
    pub max_iterations: usize,
    /// Whether standard errors are computed, at `M N³` operations; default no.
    pub errors: bool,
    /// Threads, 0 for all there are; the results do not depend on it. Default 0.
    pub threads: usize,
}

impl LocalParams {
    fn new(loss: Loss) -> Self {
        let (penalty, fields, errors) = (Penalty::None, true, false);
        Self { loss, penalty, fields, tolerance: 1e-7, max_iterations: 200, errors, threads: 0 }
    }

    /// Pseudolikelihood maximisation, PLM.
    pub fn pseudolikelihood() -> Self {
        Self::new(Loss::PseudoLikelihood)
    }

    /// The interaction screening estimator, RISE (without penalty ISE).
    pub fn interaction_screening() -> Self {
        Self::new(Loss::InteractionScreening)
    }

    /// Its logarithm, logRISE. Without penalty it has the same minimum.
    pub fn log_interaction_screening() -> Self {
        Self::new(Loss::LogInteractionScreening)
    }

    /// Sets the penalty.
    pub fn penalty(mut self, penalty: Penalty) -> Self {
        self.penalty = penalty;
        self
    }

    /// Sets the ℓ1 penalty with which the graph is found from the fewest samples according to Lokhov et al.: rates 0.2, 0.4
    /// and 0.8 for pseudolikelihood (then RPLE), RISE and logRISE, the defaults of the authors' `GraphicalModelLearning.jl`.
    pub fn published_penalty(self) -> Self {
        let rate = match self.loss {
            Loss::PseudoLikelihood => 0.2,
            Loss::InteractionScreening => 0.4,
            Loss::LogInteractionScreening => 0.8,
        };
        self.penalty(Penalty::L1Rate(rate))
    }

    /// Sets whether there are fields.
    pub fn fields(mut self, fields: bool) -> Self {
        self.fields = fields;
        self
    }

    /// Sets the tolerance of derivatives.
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Sets the largest number of steps.
    pub fn max_iterations(mut self, iterations: usize) -> Self {
        self.max_iterations = iterations;
        self
    }

    /// Sets whether standard errors are computed.
    pub fn errors(mut self, errors: bool) -> Self {
        self.errors = errors;
        self
    }

    /// Sets the number of threads.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// The name used in reports: `plm`, `rise`, `logrise`, and `rple` for pseudolikelihood with ℓ1.
    pub fn name(&self) -> &'static str {
        match (self.loss, self.penalty) {
            (Loss::PseudoLikelihood, Penalty::L1(_) | Penalty::L1Rate(_)) => "rple",
            (Loss::PseudoLikelihood, _) => "plm",
            (Loss::InteractionScreening, _) => "rise",
            (Loss::LogInteractionScreening, _) => "logrise",
        }
    }

    /// Couplings between all pairs.
    ///
    /// # Errors
    /// [`Error::Parameter`]; [`Error::ConstantSpin`]; without penalty also [`Error::PerfectCorrelation`] naming the pair,
    /// [`Error::TooFewSamples`] for fewer different samples than parameters of a spin, and [`Error::Separable`] naming a spin
    /// that a combination of the others predicts without mistake, where it is not 0.
    pub fn reconstruct(&self, samples: &Samples) -> Result<Reconstruction> {
        let n = samples.n_spins();
        let everyone: Vec<Vec<usize>> = (0..n).map(|_| (0..n).collect()).collect();
        self.run(samples, everyone)
    }

    /// Couplings between these pairs only, the others being 0.
    ///
    /// ```
    /// use spin_models::inverse::{LocalParams, Samples};
    ///
    /// let samples = Samples::from_states(3, &[4.0, 1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 4.0])?;
    /// let found = LocalParams::pseudolikelihood().reconstruct_on(&samples, &[(0, 1), (1, 2)])?;
    /// assert_eq!(found.coupling(0, 2), 0.0);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`reconstruct`](Self::reconstruct); [`Error::SiteOutOfBounds`] and [`Error::SelfCoupling`] for bad pairs.
    pub fn reconstruct_on(&self, samples: &Samples, pairs: &[(usize, usize)]) -> Result<Reconstruction> {
        let n_spins = samples.n_spins();
        let mut neighbors: Vec<Vec<usize>> = (0..n_spins).map(|i| vec![i]).collect();
        for (entry, &(i, j)) in pairs.iter().enumerate() {
            for site in [i, j] {
                if site >= n_spins {
                    return Err(Error::SiteOutOfBounds { what: "pair", entry, site, n_spins });
                }
            }
            if i == j {
                return Err(Error::SelfCoupling { entry, site: i });
            }
            neighbors[i].push(j);
            neighbors[j].push(i);
        }
        for list in &mut neighbors {
            list.sort_unstable();
            list.dedup();
        }
        self.run(samples, neighbors)
    }

    fn run(&self, samples: &Samples, neighbors: Vec<Vec<usize>>) -> Result<Reconstruction> {
        let problem = LocalProblem::new(self, samples)?;
        let neighborhoods = problem.neighborhoods(neighbors);
        let starts = neighborhoods.iter().map(|neighborhood| vec![0.0; neighborhood.variables.len()]).collect();
        let (l1, l2) = self.penalty.strengths(samples.n_spins(), samples.effective_number());
        if l1 <= 0.0 && l2 <= 0.0 {
            let needed = neighborhoods.iter().map(|neighborhood| neighborhood.variables.len()).max().unwrap_or(0);
            super::check_different(self.name(), problem.columns.n_samples, needed)?;
        }
        let fits = problem.fit(&neighborhoods, starts, l1, l2)?;
        let mut found = problem.reconstruction(self.name(), &neighborhoods, &fits);
        found.score = Some(problem.score(&found));
        if l1 > 0.0 {
            found.l1 = Some(l1);
        } else if self.errors {
            let points: Vec<&[f64]> = fits.iter().map(|fit| &fit.point[..]).collect();
            let number = samples.effective_number();
            let (couplings, fields) = errors::errors(&problem.columns, self.loss, &neighborhoods, &points, l2, number)?;
            found.coupling_errors = Some(couplings);
            found.field_errors = Some(fields);
        }
        Ok(found)
    }

    fn validate(&self) -> Result<()> {
        self.penalty.validate()?;
        check_range("tolerance", self.tolerance, 0.0, f64::MAX, "a finite number >= 0")
    }
}

fn check_range(what: &'static str, value: f64, low: f64, high: f64, expected: &'static str) -> Result<()> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(Error::Parameter { what, value: value.to_string(), expected })
}

/// Data prepared for fits, of which there may be many.
struct LocalProblem<'a> {
    params: &'a LocalParams,
    columns: Columns,
    moments: Moments,
    /// Number of samples that errors refer to.
    number: f64,
}

impl<'a> LocalProblem<'a> {
    /// # Errors
    /// [`Error::Parameter`], [`Error::ConstantSpin`].
    fn new(params: &'a LocalParams, samples: &Samples) -> Result<Self> {
        params.validate()?;
        let moments = Moments::of_samples(samples);
        match moments.check() {
            // A penalty keeps couplings finite, but not fields.
            Err(Error::PerfectCorrelation { .. }) if params.penalty.strengths(1, 1.0) != (0.0, 0.0) => {}
            other => other?,
        }
        Ok(Self { params, columns: Columns::new(samples), moments, number: samples.effective_number() })
    }

    /// Lists of neighbours with or without the spin itself, which stands for the field.
    fn neighborhoods(&self, neighbors: Vec<Vec<usize>>) -> Vec<Neighborhood> {
        self.neighborhoods_of(neighbors.into_iter().enumerate())
    }

    /// The same for some spins.
    fn neighborhoods_of(&self, neighbors: impl Iterator<Item = (usize, Vec<usize>)>) -> Vec<Neighborhood> {
        let keep = |spin: usize, list: Vec<usize>| -> Vec<usize> {
            list.into_iter().filter(|&j| j != spin || self.params.fields).collect()
        };
        neighbors.map(|(spin, list)| Neighborhood { spin, variables: keep(spin, list) }).collect()
    }

    /// The losses at parameters, without penalties.
    fn losses(&self, problems: &[(&Neighborhood, &[f64])]) -> Vec<f64> {
        columns::values(&self.columns, self.params.loss, problems)
    }

    /// # Errors
    /// [`Error::Separable`].
    fn fit(&self, neighborhoods: &[Neighborhood], starts: Vec<Vec<f64>>, l1: f64, l2: f64) -> Result<Vec<Fit>> {
        let LocalParams { loss, tolerance, max_iterations, threads, .. } = *self.params;
        let settings = Settings { l1, l2, tolerance, max_iterations };
        let fits = pairwise::fit(&self.columns, &self.moments, loss, neighborhoods, starts, settings, threads);
        match fits.iter().position(|fit| fit.separable) {
            Some(k) => Err(Error::Separable { method: self.params.name(), spin: neighborhoods[k].spin }),
            None => Ok(fits),
        }
    }

    fn reconstruction(&self, name: &str, neighborhoods: &[Neighborhood], fits: &[Fit]) -> Reconstruction {
        let n = neighborhoods.len();
        let mut couplings = vec![0.0; n * n];
        let mut fields = vec![0.0; n];
        for (neighborhood, fit) in neighborhoods.iter().zip(fits) {
            let i = neighborhood.spin;
            for (&j, &x) in neighborhood.variables.iter().zip(&fit.point) {
                if j == i {
                    fields[i] = x;
                } else {
                    couplings[i * n + j] += 0.5 * x;
                    couplings[j * n + i] += 0.5 * x;
                }
            }
        }
        let mut found = Reconstruction::new(name, couplings, fields);
        found.iterations = fits.iter().map(|fit| fit.iterations).max().unwrap_or(0);
        found.residual =
            fits.iter().map(|fit| fit.residual).fold(0.0, |a: f64, b| if b.is_nan() { b } else { a.max(b) });
        found.converged = fits.iter().all(|fit| fit.converged);
        found
    }

    fn score(&self, found: &Reconstruction) -> f64 {
        score::score(&self.columns, &found.couplings, &found.fields, self.params.threads)
    }
}

#[cfg(test)]
mod tests;
