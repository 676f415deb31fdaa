//! Noise temperature of stochastic gradient descent.
//!
//! Near a minimum with curvature $`H`$ and single-sample gradient covariance $`C`$, descent with step $`\eta`$ and batches of
//! $`B`$ samples (drawn with replacement) is $`w \leftarrow w - \eta(Hw + \xi)`$, $`\mathrm{cov}\,\xi = C/B`$: mobility $`\gamma = \eta`$,
//! diffusion $`D = \eta^2 C/2B`$ a step. In the eigenbasis of $`H`$ its stationary covariance is
//!
//! ```math
//! \Sigma_{ij} = \frac{\eta C_{ij}/B}{h_i + h_j - \eta h_i h_j},
//! ```
//!
//! that of the Fokker-Planck equation without the last term: on one axis a factor of $`1/(1 - \eta h/2)`$ between the two.
//!
//! ```
//! use physics_inference::emergent::sgd::stationary_variance;
//!
//! let (descent, diffusion) = stationary_variance(0.1, 1.0, 4.0, 8)?;
//! assert!((descent - 0.026315789474).abs() < 1e-12 && (diffusion - 0.025).abs() < 1e-15);
//! # Ok::<(), physics_inference::Error>(())
//! ```

use linalg_core::Streams;
use linalg_core::eigen::symmetric_eigen;
use linalg_core::optim::LbfgsParams;
use linalg_core::rand::RngExt;
use linalg_core::stats::{Estimate, Running};
use linalg_core::threads::{count, for_pieces};

use super::{FpParams, all_finite, positive};
use crate::{Error, Result};

/// Stationary variance of descent on $`\frac h2 w^2`$ with gradient variance `variance` a sample, and what
/// $`D/\gamma h`$ predicts.
///
/// # Errors
/// [`Error::Parameter`] for a step, curvature or batch that is not positive, or for $`\eta h \ge 2`$, where descent diverges.
pub fn stationary_variance(eta: f64, h: f64, variance: f64, batch: usize) -> Result<(f64, f64)> {
    let fp = FpParams::of_sgd(positive("step", eta)?, variance, batch)?;
    if positive("curvature", h)? * eta >= 2.0 {
        return Err(Error::Parameter { what: "step times curvature", value: eta * h, expected: "less than 2" });
    }
    let diffusion = fp.d / (fp.gamma * h);
    Ok((diffusion / (1.0 - 0.5 * eta * h), diffusion))
}

/// A loss that is a mean over samples.
pub trait SampleLoss: Sync {
    /// Number of parameters.
    fn n_parameters(&self) -> usize;

    /// Number of samples.
    fn n_samples(&self) -> usize;

    /// Writes the gradient of one sample's loss and returns the loss; regularisation is part of each sample's.
    fn gradient(&self, w: &[f64], sample: usize, out: &mut [f64]) -> f64;

    /// Writes the mean gradient and returns the mean loss.
    fn full_gradient(&self, w: &[f64], out: &mut [f64]) -> f64 {
        let (n, mut one, mut loss) = (self.n_samples() as f64, vec![0.0; out.len()], 0.0);
        out.fill(0.0);
        for sample in 0..self.n_samples() {
            loss += self.gradient(w, sample, &mut one) / n;
            out.iter_mut().zip(&one).for_each(|(o, g)| *o += g / n);
        }
        loss
    }
}

/// Inputs and targets of a regression.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Regression {
    inputs: Vec<f64>,
    targets: Vec<f64>,
    n_inputs: usize,
}

impl Regression {
    /// Samples: rows of `n_inputs` numbers and a target each.
    ///
    /// # Errors
    /// [`linalg_core::Error::Empty`] for no samples, [`Error::NotFinite`].
    ///
    /// # Panics
    /// When there are not `n_inputs` numbers for each target.
    pub fn new(inputs: Vec<f64>, targets: Vec<f64>, n_inputs: usize) -> Result<Self> {
        if targets.is_empty() {
            return Err(linalg_core::Error::Empty { what: "samples" }.into());
        }
        let (numbers, rows) = (inputs.len(), targets.len());
        assert!(numbers == n_inputs * rows, "{numbers} inputs for {rows} rows of {n_inputs}");
        all_finite("input", &inputs)?;
        all_finite("target", &targets)?;
        Ok(Self { inputs, targets, n_inputs })
    }

    /// Number of samples.
    pub fn n_samples(&self) -> usize {
        self.targets.len()
    }

    /// Numbers of a row.
    pub fn n_inputs(&self) -> usize {
        self.n_inputs
    }

    /// A row of inputs.
    ///
    /// # Panics
    /// When there is no such sample.
    pub fn input(&self, sample: usize) -> &[f64] {
        &self.inputs[sample * self.n_inputs..(sample + 1) * self.n_inputs]
    }

    /// The targets.
    pub fn targets(&self) -> &[f64] {
        &self.targets
    }
}

/// $`\frac12(w\cdot x - y)^2 + \frac\lambda2|w|^2`$.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LinearModel {
    /// The samples.
    pub data: Regression,
    /// λ.
    pub ridge: f64,
}

impl SampleLoss for LinearModel {
    fn n_parameters(&self) -> usize {
        self.data.n_inputs
    }

    fn n_samples(&self) -> usize {
        self.data.n_samples()
    }

    fn gradient(&self, w: &[f64], sample: usize, out: &mut [f64]) -> f64 {
        let x = self.data.input(sample);
        let error = x.iter().zip(w).map(|(x, w)| x * w).sum::<f64>() - self.data.targets[sample];
        out.iter_mut().zip(x).zip(w).for_each(|((o, x), w)| *o = error * x + self.ridge * w);
        0.5 * error * error + 0.5 * self.ridge * w.iter().map(|w| w * w).sum::<f64>()
    }
}

/// A network with one hidden layer of tanh units and one linear output, squared error and ridge.
///
/// Parameters: for each hidden unit its weights and its bias, then the output's weights and its bias. A 2-4-1 network has 17.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SmallMlp {
    /// The samples.
    pub data: Regression,
    /// Hidden units.
    pub hidden: usize,
    /// λ of $`\frac\lambda2|w|^2`$ over all parameters.
    pub ridge: f64,
}

impl SampleLoss for SmallMlp {
    fn n_parameters(&self) -> usize {
        self.hidden * (self.data.n_inputs + 2) + 1
    }

    fn n_samples(&self) -> usize {
        self.data.n_samples()
    }

    fn gradient(&self, w: &[f64], sample: usize, out: &mut [f64]) -> f64 {
        let (x, width) = (self.data.input(sample), self.data.n_inputs + 1);
        let (first, last) = w.split_at(self.hidden * width);
        let (d_first, d_last) = out.split_at_mut(self.hidden * width);
        let mut error = last[self.hidden] - self.data.targets[sample];
        for (j, row) in first.chunks_exact(width).enumerate() {
            let sum = row[width - 1] + row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
            d_last[j] = sum.tanh();
            error += last[j] * d_last[j];
        }
        for (j, row) in d_first.chunks_exact_mut(width).enumerate() {
            let unit = d_last[j];
            let back = error * last[j] * (1.0 - unit * unit);
            row.iter_mut().zip(x).for_each(|(d, x)| *d = back * x);
            row[width - 1] = back;
            d_last[j] = error * unit;
        }
        d_last[self.hidden] = error;
        out.iter_mut().zip(w).for_each(|(o, w)| *o += self.ridge * w);
        0.5 * error * error + 0.5 * self.ridge * w.iter().map(|w| w * w).sum::<f64>()
    }
}

/// A minimum with its curvature and its gradient noise.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Calibration {
    /// The minimum.
    pub minimum: Vec<f64>,
    /// Largest component of the gradient there.
    pub gradient: f64,
    /// Eigenvalues of the Hessian, ascending.
    pub curvatures: Vec<f64>,
    /// Covariance $`C`$ of the gradients of single samples, in the eigenbasis of the Hessian, row-major.
    pub noise: Vec<f64>,
}

/// Finds a minimum from a start and measures curvature (differences of the gradient) and noise there. O(n d²) and an
/// eigenproblem of d rows.
///
/// # Errors
/// Those of the minimiser; [`Error::Parameter`] for a curvature that is not positive: there is no stationary state around such a
/// point (add a ridge).
///
/// # Panics
/// When the start has not a number for each parameter.
pub fn calibrate<M: SampleLoss>(model: &M, start: &[f64]) -> Result<Calibration> {
    let d = model.n_parameters();
    assert!(start.len() == d, "{} numbers for {d} parameters", start.len());
    let search = LbfgsParams::default().gradient_tolerance(1e-10).value_tolerance(0.0).max_iterations(20_000);
    let report = search.minimize(|w, g| model.full_gradient(w, g), start, &mut ())?;
    let minimum = report.x;
    let mut slope = vec![0.0; d];
    model.full_gradient(&minimum, &mut slope);
    let gradient = slope.iter().fold(0.0, |top: f64, g| top.max(g.abs()));
    let step = 1e-5;
    let mut hessian = vec![0.0; d * d];
    let (mut w, mut above, mut below) = (minimum.clone(), vec![0.0; d], vec![0.0; d]);
    for k in 0..d {
        w[k] = minimum[k] + step;
        model.full_gradient(&w, &mut above);
        w[k] = minimum[k] - step;
        model.full_gradient(&w, &mut below);
        w[k] = minimum[k];
        for j in 0..d {
            let part = (above[j] - below[j]) / (4.0 * step);
            hessian[k * d + j] += part;
            hessian[j * d + k] += part;
        }
    }
    let eigen = symmetric_eigen(&hessian, d)?;
    if eigen.values[0] <= 0.0 {
        let value = eigen.values[0];
        return Err(Error::Parameter { what: "smallest curvature at the minimum", value, expected: "a number > 0" });
    }
    let n = model.n_samples();
    let mut noise = vec![0.0; d * d];
    let mut one = vec![0.0; d];
    for sample in 0..n {
        model.gradient(&minimum, sample, &mut one);
        let turned: Vec<f64> = (0..d)
            .map(|k| eigen.vector(k).iter().zip(one.iter().zip(&slope)).map(|(v, (g, mean))| v * (g - mean)).sum())
            .collect();
        for i in 0..d {
            for j in 0..d {
                noise[i * d + j] += turned[i] * turned[j] / n as f64;
            }
        }
    }
    Ok(Calibration { minimum, gradient, curvatures: eigen.values, noise })
}

impl Calibration {
    /// Trace of the stationary covariance of descent, and what the Fokker-Planck equation predicts.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a step or batch that is not positive, or a step at which the largest curvature diverges.
    pub fn spread(&self, eta: f64, batch: usize) -> Result<(f64, f64)> {
        let d = self.curvatures.len();
        let (mut descent, mut diffusion) = (0.0, 0.0);
        for (k, h) in self.curvatures.iter().enumerate() {
            let noise = self.noise[k * d + k];
            // A direction without noise does not spread.
            if noise > 0.0 {
                let (a, b) = stationary_variance(eta, *h, noise, batch)?;
                descent += a;
                diffusion += b;
            }
        }
        Ok((descent, diffusion))
    }

    /// Mobility and the mean diffusion of a parameter, $`\eta^2\,\mathrm{tr}\,C/2Bd`$ a step.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a step that is not positive, an empty batch or no noise.
    pub fn fp(&self, eta: f64, batch: usize) -> Result<FpParams> {
        let d = self.curvatures.len();
        let trace: f64 = self.noise.iter().step_by(d + 1).sum();
        FpParams::of_sgd(positive("step", eta)?, trace / d as f64, batch)
    }
}

/// An ensemble of descents around a minimum.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct EnsembleParams {
    /// Step η.
    pub eta: f64,
    /// Samples of a batch, drawn with replacement.
    pub batch: usize,
    /// Runs; default 200.
    pub runs: usize,
    /// Steps before measuring; default 2000.
    pub warm_up: usize,
    /// Measured steps; default 2000.
    pub steps: usize,
    /// Threads, 0 for all; default 1. Numbers do not depend on it.
    pub threads: usize,
}

impl EnsembleParams {
    /// 200 runs of 2000 and 2000 steps.
    pub fn new(eta: f64, batch: usize) -> Self {
        Self { eta, batch, runs: 200, warm_up: 2000, steps: 2000, threads: 1 }
    }

    /// Sets the number of runs.
    pub fn runs(mut self, runs: usize) -> Self {
        self.runs = runs;
        self
    }

    /// Sets the steps before measuring and those measured.
    pub fn steps(mut self, warm_up: usize, steps: usize) -> Self {
        (self.warm_up, self.steps) = (warm_up, steps);
        self
    }

    /// Sets the number of threads.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }
}

/// What an ensemble of descents shows, errors from the scatter over runs.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Measured {
    /// Mobility: the slope of displacements against the mean gradient.
    pub gamma: Estimate,
    /// Diffusion a parameter and step: half the variance of what the mean gradient does not explain.
    pub d: Estimate,
    /// Trace of the covariance around the minimum.
    pub spread: Estimate,
    /// The last position of each run, row-major.
    pub last: Vec<f64>,
}

/// Sums over one run.
#[derive(Clone, Default)]
struct Run {
    along: f64,
    slopes: f64,
    squares: f64,
    spread: f64,
    count: f64,
    last: Vec<f64>,
}

/// Runs descents from the minimum; run `k` draws from fast stream `k`.
///
/// The mean gradient is computed at every measured step: a step costs as much as all samples.
///
/// # Errors
/// [`Error::Parameter`] for a step or batch that is not positive, fewer than two runs or no measured steps,
/// [`Error::NotFinite`] for runs that diverge.
pub fn measure<M: SampleLoss>(
    model: &M,
    at: &Calibration,
    params: EnsembleParams,
    streams: Streams,
) -> Result<Measured> {
    positive("step", params.eta)?;
    positive("batch", params.batch as f64)?;
    positive("measured steps", params.steps as f64)?;
    if params.runs < 2 {
        return Err(Error::Parameter { what: "runs", value: params.runs as f64, expected: "at least 2" });
    }
    let d = model.n_parameters();
    let mut runs = vec![Run::default(); params.runs];
    for_pieces(count(params.threads), &mut runs, |first, piece| {
        for (k, run) in piece.iter_mut().enumerate() {
            descend(model, at, params, run, &mut streams.fast_stream((first + k) as u64), d);
        }
    });
    let last: Vec<f64> = runs.iter().flat_map(|run| run.last.iter().copied()).collect();
    all_finite("parameter", &last)?;
    let (mut gamma, mut diffusion, mut spread) = (Running::new(), Running::new(), Running::new());
    let (mut slopes, mut along) = (0.0, 0.0);
    for run in &runs {
        slopes += run.slopes;
        along += run.along;
        spread.push(run.spread / run.count);
    }
    let slope = along / slopes;
    for run in &runs {
        // The ratio of the sums, with the scatter of its linearised terms.
        gamma.push((run.along - slope * run.slopes) * params.runs as f64 / slopes);
        let rest = run.squares - 2.0 * slope * run.along + slope * slope * run.slopes;
        diffusion.push(rest / (2.0 * d as f64 * run.count));
    }
    let gamma = Estimate::new(slope, gamma.std_error());
    Ok(Measured { gamma, d: diffusion.estimate(), spread: spread.estimate(), last })
}

fn descend<M: SampleLoss, R: linalg_core::rand::Rng>(
    model: &M,
    at: &Calibration,
    params: EnsembleParams,
    run: &mut Run,
    rng: &mut R,
    d: usize,
) {
    let mut w = at.minimum.clone();
    let (mut one, mut sum, mut mean) = (vec![0.0; d], vec![0.0; d], vec![0.0; d]);
    for step in 0..params.warm_up + params.steps {
        sum.fill(0.0);
        for _ in 0..params.batch {
            model.gradient(&w, rng.random_range(0..model.n_samples() as u64) as usize, &mut one);
            sum.iter_mut().zip(&one).for_each(|(s, g)| *s += g);
        }
        let scale = -params.eta / params.batch as f64;
        if step >= params.warm_up {
            model.full_gradient(&w, &mut mean);
            for k in 0..d {
                let move_ = scale * sum[k];
                run.along -= move_ * mean[k];
                run.slopes += mean[k] * mean[k];
                run.squares += move_ * move_;
                run.spread += (w[k] - at.minimum[k]).powi(2);
            }
            run.count += 1.0;
        }
        w.iter_mut().zip(&sum).for_each(|(w, s)| *w += scale * s);
    }
    run.last = w;
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::optim::finite_difference::check_gradient;
    use linalg_core::rng::standard_normal;

    fn data(n_inputs: usize, n: usize, noise: f64) -> Regression {
        let mut rng = Streams::new(4).stream(0);
        let inputs: Vec<f64> = (0..n * n_inputs).map(|_| standard_normal(&mut rng)).collect();
        let targets = inputs
            .chunks(n_inputs)
            .map(|x| (1.5 * x[0]).tanh() - 0.7 * x[n_inputs - 1] + noise * standard_normal(&mut rng))
            .collect();
        Regression::new(inputs, targets, n_inputs).unwrap()
    }

    #[test]
    fn a_quadratic() {
        // The table of the specification, and a Monte Carlo of 2000 chains to 4 standard errors.
        let (descent, diffusion) = stationary_variance(0.1, 1.0, 4.0, 8).unwrap();
        assert!((descent / diffusion - 1.0526315789).abs() < 1e-10);
        let mut rng = Streams::new(2).fast_stream(0);
        let sample: Running = (0..2000)
            .map(|_| (0..150).fold(0.0, |w, _| w - 0.1 * (w + 0.5f64.sqrt() * standard_normal(&mut rng))))
            .collect();
        assert!((sample.variance() / descent - 1.0).abs() < 4.0 * (2.0f64 / 2000.0).sqrt());
    }

    #[test]
    fn gradients() {
        let mlp = SmallMlp { data: data(2, 12, 0.3), hidden: 4, ridge: 0.05 };
        assert_eq!(mlp.n_parameters(), 17);
        let w: Vec<f64> = (0..17).map(|k| (1.1 * f64::from(k)).sin()).collect();
        let check = check_gradient(|w, g| mlp.full_gradient(w, g), &w).unwrap();
        assert!(check.relative_error < 1e-6, "{check:?}");
        let linear = LinearModel { data: data(3, 12, 0.3), ridge: 0.1 };
        assert!(check_gradient(|w, g| linear.full_gradient(w, g), &w[..3]).unwrap().relative_error < 1e-6);
    }

    fn agree<M: SampleLoss>(model: &M, start: &[f64], params: EnsembleParams) {
        let at = calibrate(model, start).unwrap();
        assert!(at.gradient < 1e-8, "{}", at.gradient);
        let measured = measure(model, &at, params, Streams::new(8)).unwrap();
        let (descent, diffusion) = at.spread(params.eta, params.batch).unwrap();
        let fp = at.fp(params.eta, params.batch).unwrap();
        println!(
            "gamma {} ({}), D {} ({:e}), spread {} (descent {descent:e}, diffusion {diffusion:e})",
            measured.gamma, fp.gamma, measured.d, fp.d, measured.spread
        );
        assert!(measured.gamma.z_score(&fp.gamma.into()).abs() < 4.0);
        // Targets of the specification: 3 %. The noise of a network changes with the place.
        assert!((measured.d.value / fp.d - 1.0).abs() < 0.03);
        assert!((measured.spread.value / descent - 1.0).abs() < 0.03);
    }

    #[test]
    fn a_linear_model() {
        let model = LinearModel { data: data(3, 64, 0.5), ridge: 0.0 };
        agree(&model, &[0.0; 3], EnsembleParams::new(0.05, 8).runs(100).steps(400, 1500));
    }

    #[test]
    fn a_network() {
        let model = SmallMlp { data: data(2, 32, 0.3), hidden: 4, ridge: 0.05 };
        let start: Vec<f64> = (0..17).map(|k| (2.3 * f64::from(k)).sin()).collect();
        agree(&model, &start, EnsembleParams::new(0.02, 8).runs(100).steps(4000, 3000).threads(2));
    }

    #[test]
    fn bad_input() {
        assert!(stationary_variance(0.1, 20.0, 1.0, 1).is_err() && stationary_variance(0.1, 1.0, 1.0, 0).is_err());
        assert!(Regression::new(vec![], vec![], 2).is_err() && Regression::new(vec![f64::NAN], vec![0.0], 1).is_err());
        // Two equal columns: a flat direction.
        let twice = Regression::new(vec![1.0, 1.0, 2.0, 2.0], vec![1.0, 0.0], 2).unwrap();
        let flat = LinearModel { data: twice, ridge: 0.0 };
        assert!(
            calibrate(&flat, &[0.0; 2]).is_err_and(|e| matches!(e, Error::Parameter { .. })) || {
                // Rounding may leave a tiny positive curvature: then the spread is huge instead.
                calibrate(&flat, &[0.0; 2]).unwrap().curvatures[0] < 1e-8
            }
        );
        let model = LinearModel { data: data(3, 8, 0.5), ridge: 0.0 };
        let at = calibrate(&model, &[0.0; 3]).unwrap();
        let run = |params| measure(&model, &at, params, Streams::new(0));
        assert!(run(EnsembleParams::new(0.0, 8)).is_err() && run(EnsembleParams::new(0.1, 0)).is_err());
        assert!(
            run(EnsembleParams::new(0.1, 8).runs(1)).is_err() && run(EnsembleParams::new(0.1, 8).steps(0, 0)).is_err()
        );
        assert!(matches!(run(EnsembleParams::new(50.0, 1).runs(2)), Err(Error::NotFinite { .. })));
    }
}
