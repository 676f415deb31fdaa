//! The losses of all spins, a unit of spins after another.

use linalg_core::threads;

use super::super::Moments;
use super::Loss;
use super::columns::{Columns, Evaluation, Neighborhood, evaluate_first, hessian};
use super::newton::{Fit, Losses, Minimization, Settings};
use super::real::Real;

/// Spins whose losses are computed together; the products of matrices are then large enough.
const UNIT: usize = 16;
/// Samples for the first Hessian: at least so many, and so many for each variable.
const FIRST: usize = 1024;
const FIRST_PER_VARIABLE: usize = 32;
/// Samples of a first, rough solution, in units of those of the first Hessian, and its tolerance.
const PART: usize = 4;
const ROUGH: f64 = 3e-3;
/// Tolerance of a solution in single precision, whose derivatives are rounded by some 1e-8.
const SINGLE: f64 = 3e-7;

/// Precision of the loops over samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Precision {
    Single,
    Double,
}

/// Some spins with one loss.
struct Unit<'a> {
    columns: &'a Columns,
    moments: &'a Moments,
    loss: Loss,
    neighborhoods: &'a [Neighborhood],
    /// Samples of a Hessian at effort 0.
    first: usize,
    /// Samples of the loss.
    used: usize,
    precision: Precision,
}

impl Losses for Unit<'_> {
    fn is_penalized(&self, problem: usize, variable: usize) -> bool {
        let neighborhood = &self.neighborhoods[problem];
        neighborhood.variables[variable] != neighborhood.spin
    }

    fn evaluate(&self, requests: &[(usize, &[f64])]) -> Vec<Evaluation> {
        let problems: Vec<(&Neighborhood, &[f64])> =
            requests.iter().map(|&(problem, point)| (&self.neighborhoods[problem], point)).collect();
        match self.precision {
            Precision::Single => evaluate_first::<f32>(self.columns, self.loss, &problems, self.used),
            Precision::Double => evaluate_first::<f64>(self.columns, self.loss, &problems, self.used),
        }
    }

    fn hessian(&self, problem: usize, point: &[f64], effort: u32) -> Vec<f64> {
        let neighborhood = &self.neighborhoods[problem];
        if point.iter().all(|x| x.abs() <= 0.0) {
            return self.hessian_at_origin(neighborhood);
        }
        let n_samples = (self.first << effort.min(40)).min(self.used);
        match self.precision {
            Precision::Single => hessian::<f32>(self.columns, self.loss, neighborhood, point, n_samples),
            Precision::Double => hessian::<f64>(self.columns, self.loss, neighborhood, point, n_samples),
        }
    }

    fn full_effort(&self) -> u32 {
        self.used.div_ceil(self.first).next_power_of_two().trailing_zeros()
    }

    fn noise(&self) -> f64 {
        match self.precision {
            Precision::Single => f32::NOISE,
            Precision::Double => f64::NOISE,
        }
    }
}

impl Unit<'_> {
    /// There all losses have the second derivatives `⟨x_j x_k⟩`, and their logarithm less.
    fn hessian_at_origin(&self, neighborhood: &Neighborhood) -> Vec<f64> {
        let own = neighborhood.spin;
        // The variable of the field multiplies 1.
        let mean = |j: usize, k: usize| match (j == own, k == own) {
            (true, true) => 1.0,
            (true, false) => self.moments.magnetizations()[k],
            (false, true) => self.moments.magnetizations()[j],
            (false, false) => self.moments.correlation(j, k),
        };
        let score = |j: usize| {
            if j == own { self.moments.magnetizations()[own] } else { self.moments.correlation(j, own) }
        };
        let log = self.loss == Loss::LogInteractionScreening;
        let variables = &neighborhood.variables;
        let entry = |j: usize, k: usize| mean(j, k) - if log { score(j) * score(k) } else { 0.0 };
        variables.iter().flat_map(|&j| variables.iter().map(move |&k| (j, k))).map(|(j, k)| entry(j, k)).collect()
    }
}

/// The spins of a unit, their starts and what comes of them.
type Item<'a> = (&'a [Neighborhood], Vec<Vec<f64>>, Vec<Fit>);

/// Minimises the loss of every neighborhood from `starts`; units of spins are divided among threads.
///
/// Of many samples a part gives a rough solution first, where the starts are not better; then all of them come to the limits of
/// single precision, and the last steps are in double precision.
///
/// What a unit is does not depend on the number of threads, so that neither do the results.
pub(in super::super) fn fit(
    columns: &Columns,
    moments: &Moments,
    loss: Loss,
    neighborhoods: &[Neighborhood],
    starts: Vec<Vec<f64>>,
    settings: Settings,
    n_threads: usize,
) -> Vec<Fit> {
    let n = neighborhoods.len();
    // An even number of nearly equal units.
    let units = n.div_ceil(UNIT).next_multiple_of(2).min(n);
    let largest = neighborhoods.iter().map(|neighborhood| neighborhood.variables.len()).max().unwrap_or(0);
    let first = FIRST.max(FIRST_PER_VARIABLE * largest);
    let mut starts = starts.into_iter();
    let mut items: Vec<Item<'_>> = (0..units)
        .map(|k| {
            let (from, to) = (k * n / units, (k + 1) * n / units);
            (&neighborhoods[from..to], starts.by_ref().take(to - from).collect(), Vec::new())
        })
        .collect();
    threads::for_each(threads::count(n_threads), &mut items, |(neighborhoods, starts, fits)| {
        let starts = std::mem::take(starts);
        let unit = |used, precision| Unit { columns, moments, loss, neighborhoods, first, used, precision };
        // Half of the iterations are left to the exact losses, whatever rounding does to the others.
        let rough = |tolerance: f64| Settings {
            tolerance: settings.tolerance.max(tolerance),
            max_iterations: settings.max_iterations / 2,
            ..settings
        };
        let part = PART * first.next_multiple_of(64);
        let new = starts.iter().flatten().all(|x| x.abs() <= 0.0);
        let mut minimization = Minimization::new(starts);
        if part < columns.n_samples / 2 {
            if new {
                minimization.run(&unit(part, Precision::Single), rough(ROUGH));
                minimization.forget();
            }
            minimization.run(&unit(columns.n_samples, Precision::Single), rough(SINGLE));
        }
        let exact = unit(columns.n_samples, Precision::Double);
        minimization.run(&exact, settings);
        minimization.settle(&exact, settings);
        *fits = minimization.into_fits(settings);
    });
    items.into_iter().flat_map(|item| item.2).collect()
}
