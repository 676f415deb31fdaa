//! Positions for a measured covariance.

use linalg_core::eigen::symmetric_eigen;
use linalg_core::optim::{LbfgsParams, Report};
use linalg_core::rng::standard_normal;
use rand::Rng;

use super::CoulombCovariance;
use crate::{Error, Result, check};

/// Positions by classical scaling (Torgerson, Psychometrika 17, 401 (1952)) of the distances that the covariances ask for.
///
/// A pair asks for $`k(r_{ij}) = S_{ij}/(q_i q_j)`$. Values below `floor`, negative ones (signs that the charges cannot make)
/// among them, count as `floor`, values above $`1/a`$ as $`1/a`$. The squared distances, doubly centred, are minus twice a
/// matrix of scalar products, whose leading `D` eigenvectors give the coordinates. Exact when the distances are those of
/// points in `D` dimensions. $`O(N^3)`$.
///
/// # Errors
/// [`Error::NotFinite`] for a charge or a moment, [`Error::Entry`] for a charge of 0, [`Error::Parameter`] for `floor` ≤ 0 or a
/// bad softening, and [`Error::AllEqual`] when more than D + 1 variables all ask for one distance, which leaves no direction to
/// prefer.
///
/// # Panics
/// When `s` does not have n² entries.
pub fn torgerson<const D: usize>(charges: &[f64], s: &[f64], softening: f64, floor: f64) -> Result<Vec<[f64; D]>> {
    let n = charges.len();
    assert_eq!(s.len(), n * n, "{} second moments for {n} particles", s.len());
    check::finite("charge", charges)?;
    check::finite("second moment", s)?;
    check::positive_parameter("floor", floor)?;
    check::not_negative_parameter("softening", softening)?;
    charged(charges)?;
    let wanted = |i: usize, j: usize| 0.5 * (s[i * n + j] + s[j * n + i]) / (charges[i] * charges[j]);
    if n > D + 1 {
        let first = wanted(1, 0);
        let equal = |i: usize, j: usize| (wanted(i, j) - first).abs() <= 1e-12 * first.abs();
        if (0..n).all(|i| (0..i).all(|j| equal(i, j))) {
            return Err(Error::AllEqual { particles: n, value: first, dimension: D });
        }
    }
    let mut squares = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..i {
            let kernel = wanted(i, j).max(floor);
            let square = (1.0 / (kernel * kernel) - softening * softening).max(0.0);
            (squares[i * n + j], squares[j * n + i]) = (square, square);
        }
    }
    let means: Vec<f64> = squares.chunks_exact(n.max(1)).map(|row| row.iter().sum::<f64>() / n as f64).collect();
    let mean = means.iter().sum::<f64>() / n.max(1) as f64;
    for i in 0..n {
        for j in 0..n {
            squares[i * n + j] = -0.5 * (squares[i * n + j] - means[i] - means[j] + mean);
        }
    }
    let eigen = symmetric_eigen(&squares, n)?;
    let mut positions = vec![[0.0; D]; n];
    for d in 0..D.min(n) {
        let k = n - 1 - d;
        let length = eigen.values[k].max(0.0).sqrt();
        positions.iter_mut().zip(eigen.vector(k)).for_each(|(r, x)| r[d] = length * x);
    }
    Ok(positions)
}

/// An error at the first charge of 0, by which a covariance cannot be divided.
fn charged(charges: &[f64]) -> Result<()> {
    match charges.iter().position(|&q| q == 0.0) {
        Some(index) => Err(Error::Entry { what: "charge", index, value: 0.0, expected: "a number that is not 0" }),
        None => Ok(()),
    }
}

/// What [`CoulombCovariance::fit_positions`] minimises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Objective {
    /// The Gaussian loss; $`O(N^3)`$ an evaluation.
    Exact,
    /// The loss to second order; $`O(N^2)`$ an evaluation.
    Order2,
}

/// How positions are fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct FitParams {
    /// What is minimised. Default: the exact loss.
    pub objective: Objective,
    /// Starts: classical scaling, then the same with larger disorder. Default: 4.
    pub starts: usize,
    /// Least kernel that classical scaling aims at, as a part of the largest one. Default: 0.02.
    pub floor: f64,
    /// The minimiser. Default: 500 iterations at a gradient of 1e-9.
    pub minimizer: LbfgsParams,
}

impl Default for FitParams {
    fn default() -> Self {
        let minimizer = LbfgsParams::default().gradient_tolerance(1e-9).max_iterations(500);
        Self { objective: Objective::Exact, starts: 4, floor: 0.02, minimizer }
    }
}

impl FitParams {
    /// Another objective.
    #[must_use]
    pub fn objective(mut self, objective: Objective) -> Self {
        self.objective = objective;
        self
    }

    /// Another number of starts.
    #[must_use]
    pub fn starts(mut self, starts: usize) -> Self {
        self.starts = starts;
        self
    }

    /// Another minimiser.
    #[must_use]
    pub fn minimizer(mut self, minimizer: LbfgsParams) -> Self {
        self.minimizer = minimizer;
        self
    }
}

/// Fitted positions.
#[derive(Debug, Clone)]
pub struct Fit<const D: usize = 3> {
    /// The covariance with the positions of the best start.
    pub covariance: CoulombCovariance<D>,
    /// The objective there.
    pub loss: f64,
    /// The objective at the end of every start; infinite for one without a valid covariance.
    pub losses: Vec<f64>,
    /// The minimiser's report for the best start.
    pub report: Report,
}

impl<const D: usize> CoulombCovariance<D> {
    /// Positions that fit the second moments `s`; masses, charges and softening stay.
    ///
    /// Starts from [`torgerson`] with a disorder of 1 % of the spread of the points (coordinates that classical scaling left
    /// at 0 would stay there, since no force leads out of a plane), later starts with 50 %. Minimised by L-BFGS; where the
    /// covariance is not positive definite the exact loss counts as infinite. The positions of `self` are not used.
    ///
    /// ```
    /// use linalg_core::Streams;
    /// use physics_inference::coulomb::{CoulombCovariance, FitParams};
    ///
    /// let at = vec![[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]];
    /// let truth = CoulombCovariance::new(vec![1.0; 3], vec![1.0, -1.0, 1.0], at, 0.0)?;
    /// let blank = truth.with_positions(vec![[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])?;
    /// let fit = blank.fit_positions(&truth.matrix(), &FitParams::default(), &mut Streams::new(1).stream(0))?;
    /// assert!((fit.covariance.matrix()[1] + 1.0 / 3.0).abs() < 1e-6);
    /// # Ok::<(), physics_inference::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`torgerson`]; [`Error::Parameter`] for no start; [`Error::NotPositiveDefinite`] when no start has a valid
    /// covariance (a [`Self::safe_softening`] excludes that); [`Error::Core`] from the minimiser.
    ///
    /// # Panics
    /// When `s` does not have n² entries.
    pub fn fit_positions<R: Rng + ?Sized>(&self, s: &[f64], params: &FitParams, rng: &mut R) -> Result<Fit<D>> {
        let n = self.len();
        self.check_moments(s)?;
        if params.starts == 0 {
            return Err(Error::Parameter { what: "starts", value: 0.0, expected: "at least 1" });
        }
        charged(self.charges())?;
        let mut largest = 0.0f64;
        for i in 0..n {
            for j in 0..i {
                largest = largest.max((s[i * n + j] / (self.charges()[i] * self.charges()[j])).abs());
            }
        }
        let floor = params.floor * if largest > 0.0 { largest } else { 1.0 };
        let start = torgerson::<D>(self.charges(), s, self.softening(), floor)?;
        let square: f64 = start.iter().flatten().map(|x| x * x).sum();
        let spread = (square / (n * D).max(1) as f64).sqrt().max(1e-3 / floor.max(1.0));
        let mut best: Option<Report> = None;
        let mut losses = Vec::with_capacity(params.starts);
        let mut refused = None;
        for number in 0..params.starts {
            let disorder = spread * if number == 0 { 0.01 } else { 0.5 };
            let x0: Vec<f64> = start.iter().flatten().map(|x| x + disorder * standard_normal(rng)).collect();
            let value = |x: &[f64], gradient: &mut [f64]| match self.objective_at(x, s, params.objective) {
                Ok((loss, slope)) => {
                    gradient.iter_mut().zip(slope.iter().flatten()).for_each(|(to, from)| *to = *from);
                    loss
                }
                Err(_) => f64::INFINITY,
            };
            if let Err(error) = self.objective_at(&x0, s, params.objective) {
                losses.push(f64::INFINITY);
                refused = Some(error);
                continue;
            }
            let report = params.minimizer.minimize(value, &x0, &mut ())?;
            losses.push(report.value);
            if best.as_ref().is_none_or(|b| report.value < b.value) {
                best = Some(report);
            }
        }
        let Some(report) = best else {
            return Err(refused.unwrap_or(Error::Parameter { what: "starts", value: 0.0, expected: "at least 1" }));
        };
        let covariance = self.with_positions(unflatten(&report.x))?;
        Ok(Fit { covariance, loss: report.value, losses, report })
    }

    fn objective_at(&self, x: &[f64], s: &[f64], objective: Objective) -> Result<(f64, Vec<[f64; D]>)> {
        let there = self.with_positions(unflatten(x))?;
        match objective {
            Objective::Exact => there.grad_positions_exact(s),
            Objective::Order2 => there.grad_positions_order2(s),
        }
    }
}

/// Points from flat coordinates.
pub(crate) fn unflatten<const D: usize>(x: &[f64]) -> Vec<[f64; D]> {
    x.chunks_exact(D).map(|r| std::array::from_fn(|d| r[d])).collect()
}
