//! Fitting all steps of a series at once.

use linalg_core::Streams;
use linalg_core::optim::LbfgsParams;

use crate::series::{BitSeries, decay};
use crate::{Error, Result};

use super::batch::{Batch, Gradients};
use super::field::FieldPredictor;
use super::starts::Surrogate;
use super::{Coupling, DenseCoupling, Link, Units};

/// Largest number of free couplings for which the search for starts is worth a fit of them.
const LARGEST_SURROGATE: usize = 1 << 20;

/// How a fit is done.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct FitParams {
    /// Penalty $`\frac\lambda2 \lvert\theta\rvert^2`$ on all numbers but h, beside the mean loss of a step summed over variables;
    /// default 1e-6.
    pub l2: f64,
    /// Memory in steps: a step of age k weighs $`(1 - 1/H)^k`$; default infinite.
    pub horizon: f64,
    /// Delayed copies of every unit among the inputs; default 0.
    pub lags: usize,
    /// Iterations of L-BFGS; default 400.
    pub max_iterations: usize,
    /// Starts of a loss with many minima; default 24.
    pub starts: usize,
    /// Starts that are followed on the loss itself; default 2.
    pub followed: usize,
    /// Seed of the starts; default 1.
    pub seed: u64,
}

impl Default for FitParams {
    fn default() -> Self {
        Self { l2: 1e-6, horizon: f64::INFINITY, lags: 0, max_iterations: 400, starts: 24, followed: 2, seed: 1 }
    }
}

impl FitParams {
    /// Sets the penalty.
    pub fn l2(mut self, lambda: f64) -> Self {
        self.l2 = lambda;
        self
    }

    /// Sets the memory.
    pub fn horizon(mut self, steps: f64) -> Self {
        self.horizon = steps;
        self
    }

    /// Sets the number of delayed copies.
    pub fn lags(mut self, lags: usize) -> Self {
        self.lags = lags;
        self
    }

    /// Sets the number of iterations.
    pub fn max_iterations(mut self, iterations: usize) -> Self {
        self.max_iterations = iterations;
        self
    }

    /// Sets the number of starts, and how many of them are followed.
    pub fn starts(mut self, starts: usize, followed: usize) -> Self {
        (self.starts, self.followed) = (starts, followed);
        self
    }

    /// Sets the seed of the starts.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

/// A fitted predictor and how the fit went.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Fit<C> {
    /// The predictor, which has seen the series and predicts the step after it.
    pub predictor: FieldPredictor<C>,
    /// Mean of -ln p a variable and step over the series, with the weights of the fit.
    pub train_log_loss: f64,
    /// Whether the search met its tolerance.
    pub converged: bool,
    /// Iterations on the loss itself, all starts together.
    pub iterations: usize,
    /// Penalised loss of each start that was followed to its end, the lowest first.
    pub minima: Vec<f64>,
}

impl<C: Coupling> FieldPredictor<C> {
    /// Fits h, s and the couplings to all steps of a series by L-BFGS.
    ///
    /// Couplings with many minima ([`Coupling::needs_starts`]) are first fitted to free couplings: these have one minimum, and
    /// around it the loss is nearly a quadratic form in J (its Fisher matrix), which costs $`O(U V^2)`$ a value and no pass over the
    /// steps. Of `starts` starts on it, one from the free couplings themselves ([`Coupling::approach`]) and the others random, the
    /// best `followed` go on with the loss itself.
    ///
    /// # Errors
    /// [`SeriesError::TooShort`](crate::series::SeriesError::TooShort), [`Error::Parameter`] for the parameters, errors of the
    /// minimiser.
    ///
    /// # Panics
    /// If units and series differ in the number of variables, or the coupling does not fit the units and lags.
    pub fn fit(
        coupling: C,
        units: &Units,
        link: Link,
        own: bool,
        series: &BitSeries,
        params: &FitParams,
    ) -> Result<Fit<C>> {
        let (m, n) = (units.n_variables(), series.n_series());
        assert_eq!(m, n, "units of {m} variables for {n} series");
        if !(params.l2 >= 0.0 && params.l2.is_finite()) {
            let value = params.l2;
            return Err(Error::Parameter { what: "penalty", value, expected: "not negative and finite" });
        }
        if params.starts == 0 || params.followed == 0 {
            return Err(Error::Parameter { what: "number of starts", value: 0.0, expected: "at least 1" });
        }
        let mut batch = Batch::new(series, units, params.lags, link, decay(params.horizon)?)?;
        let mut predictor = Self::new(coupling, units.clone(), params.lags, link, own);
        // The best h without couplings.
        for i in 0..m {
            let mean = series.mean(i).clamp(-0.999, 0.999);
            predictor.base[i] = if link == Link::Tanh { mean.atanh() } else { mean };
        }
        let mut starts = vec![(predictor.base.clone(), predictor.coupling.parameters().to_vec())];
        if predictor.coupling.needs_starts() {
            starts = find_starts(&mut batch, &predictor, params)?;
        }
        let mut best: Option<(f64, Vec<f64>, bool)> = None;
        let (mut iterations, mut minima) = (0, Vec::new());
        for (base, theta) in starts {
            let mut x = base;
            x.extend(theta);
            let report = descend(&mut batch, &mut predictor, &x, params)?;
            iterations += report.iterations;
            minima.push(report.value);
            if best.as_ref().is_none_or(|b| report.value < b.0) {
                best = Some((report.value, report.x, report.converged));
            }
        }
        minima.sort_by(f64::total_cmp);
        let (_, x, converged) = best.unwrap_or_else(|| unreachable!("at least one start"));
        predictor.set(&x);
        let fields = batch.fields(predictor.fields(), predictor.own_couplings(), &predictor.full_matrix());
        if let Link::Linear { clip } = &mut predictor.link {
            // The clip is a number like the others: the best of a grid on the training steps.
            let grid = [1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.02, 0.03, 0.05, 0.1];
            let loss = |clip: f64| batch.log_loss(Link::Linear { clip }, &fields);
            *clip = grid.into_iter().min_by(|a, b| loss(*a).total_cmp(&loss(*b))).unwrap_or(0.01);
        }
        let train_log_loss = batch.log_loss(predictor.link, &fields);
        let mut step = vec![0; m];
        for t in series.n_steps() - 1 - params.lags..series.n_steps() {
            series.step_into(t, &mut step);
            predictor.warm_up(&step);
        }
        Ok(Fit { predictor, train_log_loss, converged, iterations, minima })
    }

    /// Sets h, s, own couplings and θ from one slice.
    fn set(&mut self, x: &[f64]) {
        let n = self.base.len();
        self.base.copy_from_slice(&x[..n]);
        self.coupling.parameters_mut().copy_from_slice(&x[n..]);
    }

    /// J with the own couplings of compound units; empty without any.
    fn full_matrix(&self) -> Vec<f64> {
        if self.coupling.parameters().is_empty() && self.compound.is_empty() {
            return Vec::new();
        }
        let (u, v) = self.coupling.shape();
        let mut matrix = vec![0.0; u * v];
        self.coupling.matrix(&mut matrix);
        let own = &self.base[self.compound_start()..];
        self.compound.iter().zip(own).for_each(|(&k, d)| matrix[k * v + k] += d);
        matrix
    }
}

impl<C> Fit<C> {
    /// Lets the predictor go on learning after the series, with the masses of its last steps.
    ///
    /// # Errors
    /// Of [`FieldPredictor::learning`].
    pub fn learning(self, series: &BitSeries, params: super::FrictionParams) -> Result<FieldPredictor<C>>
    where
        C: Coupling,
    {
        let mut predictor = self.predictor.learning(params.seen(series.n_steps() as f64))?;
        let mut step = vec![0; series.n_series()];
        // A few hundred steps settle the masses; the history ends as the series does.
        for t in series.n_steps().saturating_sub(500)..series.n_steps() {
            series.step_into(t, &mut step);
            predictor.warm_up(&step);
        }
        Ok(predictor)
    }
}

/// L-BFGS on the loss over all steps.
fn descend<C: Coupling>(
    batch: &mut Batch<'_>,
    predictor: &mut FieldPredictor<C>,
    x: &[f64],
    params: &FitParams,
) -> Result<linalg_core::optim::Report> {
    let (m, start, n_base) = (predictor.units.n_variables(), predictor.compound_start(), predictor.base.len());
    let v = batch.n_inputs();
    let mut by_matrix = Vec::new();
    let objective = |x: &[f64], gradient: &mut [f64]| {
        predictor.set(x);
        let matrix = predictor.full_matrix();
        by_matrix.resize(matrix.len(), 0.0);
        let (by_base, by_theta) = gradient.split_at_mut(n_base);
        let (by_h, rest) = by_base.split_at_mut(m);
        let (by_s, by_own) = rest.split_at_mut(start - m);
        let by = Gradients { h: by_h, s: by_s, j: &mut by_matrix };
        let mut value = batch.evaluate(predictor.fields(), predictor.own_couplings(), &matrix, by);
        if !matrix.is_empty() {
            by_own.iter_mut().zip(&predictor.compound).for_each(|(by, &k)| *by = by_matrix[k * v + k]);
            predictor.coupling.pull_back(&by_matrix, by_theta);
        }
        for (by, x) in gradient[m..].iter_mut().zip(&x[m..]) {
            value += 0.5 * params.l2 * x * x;
            *by += params.l2 * x;
        }
        value
    };
    let search = LbfgsParams::default()
        .memory(20)
        .max_iterations(params.max_iterations)
        .max_evaluations(4 * params.max_iterations + 100)
        .gradient_tolerance(1e-6)
        .value_tolerance(1e-10);
    Ok(search.minimize(objective, x, &mut ())?)
}

/// The best starts on the quadratic form around free couplings.
fn find_starts<C: Coupling>(
    batch: &mut Batch<'_>,
    predictor: &FieldPredictor<C>,
    params: &FitParams,
) -> Result<Vec<(Vec<f64>, Vec<f64>)>> {
    let (u, v) = predictor.coupling.shape();
    let mut draw = predictor.coupling.clone();
    let streams = Streams::new(params.seed);
    if u * v > LARGEST_SURROGATE || u == 0 {
        let random = (0..params.followed as u64).map(|k| {
            draw.randomize(&mut streams.stream(k));
            (predictor.base.clone(), draw.parameters().to_vec())
        });
        return Ok(random.collect());
    }
    let units = predictor.units.clone();
    let mut free = FieldPredictor::new(DenseCoupling::new(u, v), units, predictor.lags, predictor.link, predictor.own);
    let mut x = predictor.base.clone();
    x.resize(x.len() + free.coupling.parameters().len(), 0.0);
    // A little more penalty than asked for: directions that the data leave open must not run away.
    let firm = params.l2(params.l2.max(1e-4));
    let report = descend(batch, &mut free, &x, &firm)?;
    free.set(&report.x);
    let surrogate = Surrogate::new(batch, &free);
    let mut found = Vec::with_capacity(params.starts);
    let couplings = free.full_matrix();
    for k in 0..params.starts as u64 {
        draw.randomize(&mut streams.stream(k));
        // The first start is made from the free couplings where the form knows how; what it leaves open is random.
        if k == 0 && !couplings.is_empty() {
            draw.approach(&couplings);
        }
        found.push(surrogate.minimize(&mut draw, params.max_iterations)?);
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found.truncate(params.followed);
    Ok(found.into_iter().map(|(_, theta)| (free.base.clone(), theta)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::generate::kinetic_ising_stream;
    use crate::predict::{NoCoupling, OnlinePredictor, evaluate};
    use linalg_core::optim::finite_difference::check_gradient;

    fn stream(n: usize, steps: usize) -> BitSeries {
        let mut rng = Streams::new(6).stream(0);
        let h: Vec<f64> = (0..n).map(|i| 0.1 * i as f64 - 0.1).collect();
        let j: Vec<f64> = (0..n * n).map(|k| 0.3 * (k as f64 * 1.7).sin()).collect();
        kinetic_ising_stream(&h, &j, steps, &mut rng).unwrap()
    }

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let series = stream(5, 700);
        let set = crate::cluster::ClusterSet::new(
            5,
            vec![crate::cluster::Cluster { members: vec![1, 3, 4], signs: vec![1, -1, 1], mean_abs_rho: 1.0 }],
        );
        for units in [Units::variables(5), Units::clusters(&set, super::super::Singles::Coupled)] {
            for link in [Link::Tanh, Link::Sine, Link::Linear { clip: 0.01 }] {
                let u = units.n_units();
                let mut batch = Batch::new(&series, &units, 1, link, 0.99).unwrap();
                let predictor = FieldPredictor::new(DenseCoupling::new(u, 2 * u), units.clone(), 1, link, true);
                let n = predictor.n_parameters() - usize::from(matches!(link, Link::Linear { .. }));
                let x: Vec<f64> = (0..n).map(|k| 0.2 * (k as f64 * 0.9).cos()).collect();
                let (start, n_base, v) = (predictor.compound_start(), predictor.base.len(), batch.n_inputs());
                let mut predictor = predictor;
                let objective = |x: &[f64], gradient: &mut [f64]| {
                    predictor.set(x);
                    let matrix = predictor.full_matrix();
                    let mut by = vec![0.0; matrix.len()];
                    let (by_base, by_theta) = gradient.split_at_mut(n_base);
                    let (h, rest) = by_base.split_at_mut(5);
                    let (s, own) = rest.split_at_mut(start - 5);
                    let out = Gradients { h, s, j: &mut by };
                    let value = batch.evaluate(predictor.fields(), predictor.own_couplings(), &matrix, out);
                    own.iter_mut().zip(&predictor.compound).for_each(|(o, &k)| *o = by[k * v + k]);
                    predictor.coupling.pull_back(&by, by_theta);
                    value
                };
                let check = check_gradient(objective, &x).unwrap();
                assert!(check.relative_error < 1e-6, "{link:?} {check:?}");
            }
        }
    }

    #[test]
    fn independent_probabilities_are_the_frequencies() {
        let series = stream(3, 400);
        let params = FitParams::default().l2(0.0);
        let fit = FieldPredictor::fit(NoCoupling::new(3, 3), &Units::variables(3), Link::Tanh, false, &series, &params);
        let mut fit = fit.unwrap();
        let mut p = [0.0; 3];
        fit.predictor.predict(&mut p);
        for (i, p) in p.iter().enumerate() {
            // Outcomes are the steps from the second on.
            let up = (1..400).filter(|&t| series.get(i, t) > 0).count() as f64 / 399.0;
            // The search stops when the loss settles to 1e-10.
            assert!((p - up).abs() < 1e-4, "{p} {up}");
        }
    }

    #[test]
    fn fitted_and_online_losses_agree() {
        let series = stream(4, 500);
        let units = Units::variables(4);
        let params = FitParams::default();
        let fit = FieldPredictor::fit(DenseCoupling::new(4, 4), &units, Link::Tanh, true, &series, &params).unwrap();
        assert!(fit.converged);
        // The online loss over the same steps, from a predictor that has seen the first one.
        let mut predictor = fit.predictor.clone();
        let mut step = vec![0; 4];
        series.step_into(0, &mut step);
        predictor.observe(&step);
        let report = evaluate(&mut predictor, &series.steps(1..500)).unwrap();
        assert!((report.mean - fit.train_log_loss).abs() < 1e-12);
        assert_eq!(report.parameters, 20);
    }
}
