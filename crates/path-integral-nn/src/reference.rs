//! The quadratic reference action: exact draws and solves in O(N).

use linalg_core::quadrature::GaussHermite;
use linalg_core::rng::{Streams, standard_normal};

use crate::action::{Action, LANES};
use crate::ensemble::{Ends, Kind};
use crate::error::{Error, Result, all_finite};
use crate::potential::System;
use linalg_core::simd::{Work, widest};

/// An oscillator that resembles a system: $`V(x) \approx m\Omega^2 (x-c)^2/2`$ + constant.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ReferenceOscillator {
    /// The frequency $`\Omega`$.
    pub frequency: f64,
    /// The centre $`c`$ of every coordinate.
    pub center: f64,
}

/// Points of the quadrature over a Gaussian in one dimension.
const QUADRATURE: usize = 48;

/// Points drawn for Gaussians in more dimensions.
const DRAWN: usize = 2048;

impl ReferenceOscillator {
    /// Checks the numbers.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a negative or NaN frequency, [`Error::NotFinite`] for the centre.
    pub fn new(frequency: f64, center: f64) -> Result<Self> {
        if !(frequency.is_finite() && frequency >= 0.0) {
            let expected = "a finite number >= 0; for an inverted potential take ReferenceOscillator::variational";
            return Err(Error::Parameter { what: "reference frequency", value: frequency, expected });
        }
        all_finite("centre of the reference", &[center])?;
        Ok(Self { frequency, center })
    }

    /// The Gaussian of least energy: $`\min_{s, c} \frac{\hbar^2 d}{8 m s} + \langle V\rangle_{N(c, s)}`$, $`s = \hbar/2m\Omega`$.
    ///
    /// At the minimum $`m\Omega^2 = \langle V''\rangle`$. It exists for every potential that is bounded below and grows,
    /// double wells included, where the curvature at the centre is negative. One coordinate is integrated by Gauss and
    /// Hermite, more of them over 2048 fixed points.
    ///
    /// ```
    /// use path_integral_nn::{Polynomial, ReferenceOscillator, System};
    ///
    /// // x²/2 + x⁴: Ω² = 1 + 12 ⟨x²⟩ = 1 + 6/Ω has the root Ω = 2.
    /// let system = System::new(Polynomial::new(&[0.0, 0.0, 0.5, 0.0, 1.0])?)?;
    /// let reference = ReferenceOscillator::variational(&system)?;
    /// assert!((reference.frequency - 2.0).abs() < 1e-6 && reference.center.abs() < 1e-6);
    /// # Ok::<(), path_integral_nn::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotFinite`] when the potential is not finite near its minimum; [`Error::NotApplicable`] when no width is
    /// best, as for a free particle.
    pub fn variational(system: &System) -> Result<Self> {
        Self::least(system, 0.0, |point| system.potential().value(point))
    }

    /// The same on the lattice of an action, with its rule's potential: what [`Target::variational`](crate::sampler::Target::variational)
    /// takes.
    ///
    /// On long paths of step $`\Delta`$ the reference has $`s = \hbar/(2m\Omega\sqrt{1+\Omega^2\Delta^2/4})`$ and the energy
    /// $`\hbar\theta/2\Delta`$ a coordinate, $`\sinh(\theta/2) = \Omega\Delta/2`$; the bound of Gibbs and Bogoliubov is
    /// $`\hbar\theta/2\Delta - m\Omega^2 s/2 + \langle V\rangle`$, with the minimum at $`m\Omega^2 = \langle V''\rangle`$ again. On coarse lattices this keeps
    /// the acceptance of proposals from the reference up.
    ///
    /// ```
    /// use path_integral_nn::{Action, Ensemble, Polynomial, ReferenceOscillator, Rule, System};
    ///
    /// // x²/2 + x⁴ at Δ = 1/2: Ω² = 1 + 6/(Ω √(1 + Ω²/16)) has the root 1.94343.
    /// let system = System::new(Polynomial::new(&[0.0, 0.0, 0.5, 0.0, 1.0])?)?;
    /// let action = Action::new(&system, &Ensemble::periodic(8.0, 16)?, Rule::Trapezoid)?;
    /// let omega = ReferenceOscillator::variational_on(&action)?.frequency;
    /// let root = 1.0 + 6.0 / (omega * (1.0 + omega * omega / 16.0).sqrt());
    /// assert!((omega * omega - root).abs() < 1e-5 && (omega - 1.94343).abs() < 1e-4);
    /// # Ok::<(), path_integral_nn::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`variational`](Self::variational).
    pub fn variational_on(action: &Action) -> Result<Self> {
        Self::least(action.system(), action.ensemble().step(), |point| action.effective_potential().value(point))
    }

    /// The minimum at a time step, 0 for the continuum.
    fn least(system: &System, step: f64, potential: impl Fn(&[f64]) -> f64) -> Result<Self> {
        let dim = system.dim();
        let nodes: Vec<(Vec<f64>, f64)> = if dim == 1 {
            let rule = GaussHermite::new(QUADRATURE)?;
            rule.nodes().iter().zip(rule.weights()).map(|(x, w)| (vec![*x], *w)).collect()
        } else {
            let mut rng = Streams::new(0x5eed).stream(0);
            let half: Vec<Vec<f64>> =
                (0..DRAWN / 2).map(|_| (0..dim).map(|_| standard_normal(&mut rng)).collect()).collect();
            let mirrored = half.iter().map(|x| x.iter().map(|x| -x).collect());
            half.iter().cloned().chain(mirrored).map(|x| (x, 1.0 / DRAWN as f64)).collect()
        };
        let (mass, hbar) = (system.mass(), system.hbar());
        let frequency_of = |width: f64| {
            let continuum = hbar / (2.0 * mass * width * width);
            (2.0 * continuum * continuum / (1.0 + (1.0 + (step * continuum).powi(2)).sqrt())).sqrt()
        };
        let kinetic = |width: f64| {
            let frequency = frequency_of(width);
            let angle = 2.0 * (0.5 * frequency * step).asinh();
            let ground = if step > 0.0 { 0.5 * hbar * angle / step } else { 0.5 * hbar * frequency };
            dim as f64 * (ground - 0.5 * mass * (frequency * width).powi(2))
        };
        let energy = |ln_width: f64, center: f64| {
            let width = ln_width.exp();
            let mut sum = kinetic(width);
            let mut point = vec![0.0; dim];
            for (node, weight) in &nodes {
                point.iter_mut().zip(node).for_each(|(to, x)| *to = center + width * x);
                sum += weight * potential(&point);
            }
            sum
        };
        let here = energy(0.0, 0.0);
        all_finite("mean potential of a Gaussian", &[here])?;
        // Widths from 1e-6 to 1e6, then a golden section; centres by Newton's method, as one number for all coordinates.
        let (mut ln_width, mut center) = (0.0f64, 0.0f64);
        for round in 0..60 {
            let reach = if round == 0 { 14.0 } else { 1.0 };
            let points = if round == 0 { 281 } else { 21 };
            let best = (0..points)
                .map(|k| ln_width - reach + 2.0 * reach * f64::from(k) / f64::from(points - 1))
                .filter(|l| energy(*l, center).is_finite())
                .min_by(|a, b| energy(*a, center).total_cmp(&energy(*b, center)))
                .unwrap_or(ln_width);
            let cell = 2.0 * reach / f64::from(points - 1);
            if round == 0 && (best.abs() - reach).abs() < 1.5 * cell {
                let reason = "no Gaussian has the least energy: give the reference oscillator yourself";
                return Err(Error::NotApplicable { what: "the variational reference", reason });
            }
            let width = golden(best - cell, best + cell, |l| energy(l, center));
            let h = 1e-3 * width.exp();
            let [left, middle, right] = [-h, 0.0, h].map(|d| energy(width, center + d));
            let (slope, curvature) = ((right - left) / (2.0 * h), (right - 2.0 * middle + left) / (h * h));
            let step = if curvature > 1e-8 { -slope / curvature } else { -slope.signum() * width.exp() };
            let step = if slope.abs() * h < 1e-11 * (1.0 + middle.abs()) { 0.0 } else { step };
            let step = step.clamp(-2.0 * width.exp(), 2.0 * width.exp());
            let settled = (width - ln_width).abs() < 1e-9 && step.abs() < 1e-7 * width.exp();
            (ln_width, center) = (width, center + step);
            if settled {
                break;
            }
        }
        Self::new(frequency_of(ln_width.exp()), center)
    }
}

/// The minimum of a function with one valley.
fn golden(mut a: f64, mut b: f64, mut f: impl FnMut(f64) -> f64) -> f64 {
    let ratio = 0.5 * (5f64.sqrt() - 1.0);
    let (mut x, mut y) = (b - ratio * (b - a), a + ratio * (b - a));
    let (mut fx, mut fy) = (f(x), f(y));
    while b - a > 1e-8 {
        if fx < fy {
            (b, y, fy) = (y, x, fx);
            x = b - ratio * (b - a);
            fx = f(x);
        } else {
            (a, x, fx) = (x, y, fy);
            y = a + ratio * (b - a);
            fy = f(y);
        }
    }
    0.5 * (a + b)
}

/// $`S_{\mathrm{ref}} = \frac12 (x-\mu)^T A\, (x-\mu)`$ + constant, factorised: $`A = L D L^T`$ in O(N).
///
/// $`A`$ is tridiagonal, with corners for closed paths, the same for every coordinate; $`\mu`$ takes fixed ends and trial states
/// into account.
#[derive(Debug, Clone)]
pub struct GaussianReference {
    oscillator: ReferenceOscillator,
    /// $`1/d_n`$.
    inverse: Vec<f64>,
    /// $`-L_{n+1,n}`$ for the chain, without the last row of closed paths.
    chain: Vec<f64>,
    /// $`-L_{N-1,n}`$ for closed paths; empty else.
    border: Vec<f64>,
    /// $`m\Omega^2`$ times the weight of each point.
    pub(crate) springs: Vec<f64>,
    mean: Vec<f64>,
    ln_z: f64,
    hbar: f64,
}

impl GaussianReference {
    /// Sets up the reference of an action.
    ///
    /// # Errors
    /// [`Error::Parameter`] when the frequency is 0 and nothing else holds the paths: closed paths and free ends.
    pub fn new(action: &Action, oscillator: ReferenceOscillator) -> Result<Self> {
        let ReferenceOscillator { frequency, center } =
            ReferenceOscillator::new(oscillator.frequency, oscillator.center)?;
        let (system, ensemble) = (action.system(), action.ensemble());
        let (n, dim, hbar) = (ensemble.n_points(), system.dim(), system.hbar());
        let held = matches!(ensemble.kind, Kind::FixedEnds { .. } | Kind::GroundState(Ends::Gaussian { .. }));
        if frequency == 0.0 && !held {
            let expected = "a number > 0 for closed paths and free ends";
            return Err(Error::Parameter { what: "reference frequency", value: frequency, expected });
        }
        let stiffness = system.mass() / ensemble.step();
        let springs: Vec<f64> =
            action.point_weights().iter().map(|w| w * system.mass() * frequency * frequency).collect();
        let mut diagonal = springs.clone();
        // Right-hand side of A μ = b, and the constant ½ Σ k c² of all springs.
        let mut right: Vec<f64> = springs.iter().flat_map(|k| vec![k * center; dim]).collect();
        let mut constant = 0.5 * springs.iter().sum::<f64>() * center * center * dim as f64;
        for link in 0..n - 1 {
            diagonal[link] += stiffness;
            diagonal[link + 1] += stiffness;
        }
        let closed = ensemble.is_periodic() && n > 1;
        if closed {
            diagonal[0] += stiffness;
            diagonal[n - 1] += stiffness;
        }
        match &ensemble.kind {
            Kind::FixedEnds { from, to } => {
                for (point, end) in [(0, from), (n - 1, to)] {
                    diagonal[point] += stiffness;
                    for (c, x) in end.iter().enumerate() {
                        right[point * dim + c] += stiffness * x;
                        constant += 0.5 * stiffness * x * x;
                    }
                }
            }
            Kind::GroundState(Ends::Gaussian { frequency, center }) => {
                let strength = system.mass() * frequency;
                for point in [0, n - 1] {
                    diagonal[point] += strength;
                    for c in 0..dim {
                        right[point * dim + c] += strength * center;
                        constant += 0.5 * strength * center * center;
                    }
                }
            }
            _ => {}
        }
        let mut this = Self {
            oscillator: ReferenceOscillator { frequency, center },
            inverse: vec![0.0; n],
            chain: vec![0.0; n],
            border: Vec::new(),
            springs,
            mean: Vec::new(),
            ln_z: 0.0,
            hbar,
        };
        let ln_determinant = this.factorise(&diagonal, stiffness, closed);
        let mut mean = right.clone();
        this.solve(&mut mean, dim);
        let least = constant - 0.5 * mean.iter().zip(&right).map(|(a, b)| a * b).sum::<f64>();
        this.mean = mean;
        let tau = std::f64::consts::TAU;
        let measure = 0.5 * ensemble.slices() as f64 * (stiffness / (tau * hbar)).ln();
        let gauss = 0.5 * n as f64 * (tau * hbar).ln() - 0.5 * ln_determinant;
        this.ln_z = dim as f64 * (measure + gauss) - least / hbar;
        Ok(this)
    }

    /// Returns the logarithm of the determinant.
    fn factorise(&mut self, diagonal: &[f64], stiffness: f64, closed: bool) -> f64 {
        let n = diagonal.len();
        let mut d = diagonal.to_vec();
        let chain_end = if closed { n - 1 } else { n };
        for k in 0..chain_end.saturating_sub(1) {
            self.chain[k] = stiffness / d[k];
            d[k + 1] -= stiffness * self.chain[k];
        }
        if closed {
            self.border = vec![0.0; n - 1];
            let mut carried = 0.0;
            for k in 0..n - 1 {
                // Row N-1 of A has -stiffness in columns 0 and N-2 (both, if they coincide).
                let entry = stiffness * (f64::from(u8::from(k == 0)) + f64::from(u8::from(k == n - 2)));
                let row = entry + carried;
                self.border[k] = row / d[k];
                carried = row * self.chain[k];
                d[n - 1] -= row * self.border[k];
            }
        }
        self.inverse = d.iter().map(|d| 1.0 / d).collect();
        d.iter().map(|d| d.ln()).sum()
    }

    /// The chain, the border, the inverse pivots and the springs.
    #[inline(always)]
    pub(crate) fn factors(&self) -> (&[f64], &[f64], &[f64], &[f64]) {
        (&self.chain, &self.border, &self.inverse, &self.springs)
    }

    /// The oscillator.
    #[inline(always)]
    pub fn oscillator(&self) -> ReferenceOscillator {
        self.oscillator
    }

    /// The mean path $`\mu`$, coordinate by coordinate in each point.
    #[inline(always)]
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// $`\ln Z_{\mathrm{ref}}`$, with the measure $`\prod (m/2\pi\hbar\Delta)^{d/2}`$ of the kernel.
    pub fn ln_z(&self) -> f64 {
        self.ln_z
    }

    /// Number of points of a path.
    pub fn n_points(&self) -> usize {
        self.inverse.len()
    }

    /// $`A^{-1} g`$ in place, for any number of columns.
    ///
    /// # Panics
    /// When the length is not a multiple of the number of points.
    pub fn solve(&self, g: &mut [f64], cols: usize) {
        assert!(g.len() == self.n_points() * cols, "{} numbers for {} points of {cols}", g.len(), self.n_points());
        self.columns(g, cols, true);
    }

    /// Turns independent normal numbers into a draw of the deviation $`x - \mu`$, in place.
    ///
    /// # Panics
    /// As [`solve`](Self::solve).
    pub fn color(&self, xi: &mut [f64], cols: usize) {
        assert!(xi.len() == self.n_points() * cols, "{} numbers for {} points of {cols}", xi.len(), self.n_points());
        for (row, inverse) in xi.chunks_exact_mut(cols).zip(&self.inverse) {
            let scale = (self.hbar * inverse).sqrt();
            row.iter_mut().for_each(|x| *x *= scale);
        }
        self.columns(xi, cols, false);
    }

    /// $`\frac12 y^T A\, y`$ by $`L D L^T`$ for one path, $`y = x - \mu`$.
    #[cfg(test)]
    pub(crate) fn quadratic(&self, y: &[f64]) -> f64 {
        let n = self.n_points();
        let mut sum = 0.0;
        for k in 0..n {
            let mut z = y[k];
            if k + 1 < n {
                z -= self.chain[k] * y[k + 1];
                if !self.border.is_empty() {
                    z -= self.border[k] * y[n - 1];
                }
            }
            sum += 0.5 * z * z / self.inverse[k];
        }
        sum
    }

    /// Back substitution, after forward substitution and division by D if `both`.
    fn columns(&self, data: &mut [f64], cols: usize, both: bool) {
        let full = cols / LANES * LANES;
        for first in (0..full).step_by(LANES) {
            widest(Substitute::<LANES> { reference: self, data, cols, first, both });
        }
        for first in full..cols {
            widest(Substitute::<1> { reference: self, data, cols, first, both });
        }
    }
}

/// Substitution in `W` columns.
struct Substitute<'a, const W: usize> {
    reference: &'a GaussianReference,
    data: &'a mut [f64],
    cols: usize,
    first: usize,
    both: bool,
}

impl<const W: usize> Work for Substitute<'_, W> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { reference, data, cols, first, both } = self;
        let (chain, border, inverse) = (&reference.chain[..], &reference.border[..], &reference.inverse[..]);
        let n = inverse.len();
        let row = |data: &[f64], k: usize| -> [f64; W] {
            let start = k * cols + first;
            let mut out = [0.0; W];
            out.copy_from_slice(&data[start..start + W]);
            out
        };
        if both {
            let (mut carry, mut bordered) = ([0.0; W], [0.0; W]);
            for k in 0..n {
                let mut y = row(data, k);
                let scale = if k > 0 { chain[k - 1] } else { 0.0 };
                for l in 0..W {
                    y[l] += scale * carry[l];
                }
                if k + 1 == n {
                    for l in 0..W {
                        y[l] += bordered[l];
                    }
                } else if !border.is_empty() {
                    for l in 0..W {
                        bordered[l] += border[k] * y[l];
                    }
                }
                carry = y;
                let start = k * cols + first;
                for l in 0..W {
                    data[start + l] = y[l] * inverse[k];
                }
            }
        }
        let last = row(data, n - 1);
        let mut carry = last;
        for k in (0..n - 1).rev() {
            let mut x = row(data, k);
            for l in 0..W {
                x[l] += chain[k] * carry[l];
            }
            if !border.is_empty() {
                for l in 0..W {
                    x[l] += border[k] * last[l];
                }
            }
            carry = x;
            let start = k * cols + first;
            data[start..start + W].copy_from_slice(&x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ensemble, Polynomial, Rule};

    fn actions() -> Vec<(Action, ReferenceOscillator)> {
        let system = System::new(Polynomial::oscillator(1.3, 0.9).unwrap()).unwrap();
        let system = system.with_mass(1.3).unwrap().with_hbar(0.7).unwrap();
        let ends = Ends::Gaussian { frequency: 1.1, center: 0.4 };
        let mut all = vec![];
        for n in [1, 2, 3, 4, 17] {
            all.push(Ensemble::periodic(2.0, n).unwrap());
            all.push(Ensemble::ground_state(2.0, n).unwrap());
            all.push(Ensemble::ground_state(2.0, n).unwrap().with_ends(ends).unwrap());
            all.push(Ensemble::fixed_ends(2.0, n + 1, &[0.3], &[-0.5]).unwrap());
        }
        let action = |e: Ensemble| Action::new(&system, &e, Rule::Trapezoid).unwrap();
        all.into_iter().map(|e| (action(e), ReferenceOscillator { frequency: 0.9, center: 0.0 })).collect()
    }

    #[test]
    fn the_oscillator_is_its_own_reference() {
        // S = ½ yᵀAy + const for the trapezoid of an oscillator, and A μ = b: the gradient of S is A (x - μ).
        for (action, oscillator) in actions() {
            let reference = GaussianReference::new(&action, oscillator).unwrap();
            let n = reference.n_points();
            let path: Vec<f64> = (0..n).map(|i| (2.3 * i as f64).cos()).collect();
            let mut g = vec![0.0; n];
            action.gradient(&path, &mut g);
            reference.solve(&mut g, 1);
            let mean = reference.mean();
            for k in 0..n {
                assert!((g[k] - (path[k] - mean[k])).abs() < 1e-11, "{action:?}: {g:?}");
            }
            let y: Vec<f64> = path.iter().zip(mean).map(|(x, m)| x - m).collect();
            let difference = action.value(&path) - action.value(mean);
            assert!((reference.quadratic(&y) - difference).abs() < 1e-11 * (1.0 + difference.abs()));
        }
    }

    #[test]
    fn draws_have_the_covariance() {
        // yᵀAy/ħ of a draw is the sum of squares of its normals, whatever they are.
        for (action, oscillator) in actions() {
            let reference = GaussianReference::new(&action, oscillator).unwrap();
            let n = reference.n_points();
            let xi: Vec<f64> = (0..n).map(|i| (1.1 * i as f64 + 0.3).sin()).collect();
            let mut y = xi.clone();
            reference.color(&mut y, 1);
            let squares = 0.5 * 0.7 * xi.iter().map(|x| x * x).sum::<f64>();
            assert!((reference.quadratic(&y) - squares).abs() < 1e-11 * (1.0 + squares));
        }
    }

    #[test]
    fn columns_are_independent() {
        for (action, oscillator) in actions() {
            let reference = GaussianReference::new(&action, oscillator).unwrap();
            let n = reference.n_points();
            for cols in [1, 3, LANES, 2 * LANES + 5] {
                let data: Vec<f64> = (0..n * cols).map(|i| (0.7 * i as f64).sin()).collect();
                let (mut solved, mut colored) = (data.clone(), data.clone());
                reference.solve(&mut solved, cols);
                reference.color(&mut colored, cols);
                for c in 0..cols {
                    let column: Vec<f64> = (0..n).map(|k| data[k * cols + c]).collect();
                    let (mut a, mut b) = (column.clone(), column);
                    reference.solve(&mut a, 1);
                    reference.color(&mut b, 1);
                    for k in 0..n {
                        assert_eq!(solved[k * cols + c].to_bits(), a[k].to_bits());
                        assert_eq!(colored[k * cols + c].to_bits(), b[k].to_bits());
                    }
                }
            }
        }
    }

    #[test]
    fn variational_frequencies() {
        let of = |c: &[f64]| ReferenceOscillator::variational(&System::new(Polynomial::new(c).unwrap()).unwrap());
        assert!((of(&[0.0, 0.0, 4.5]).unwrap().frequency - 3.0).abs() < 1e-6);
        // A shifted oscillator, and a double well: Ω² = -4 + 12/(2Ω), of positive root.
        let shifted = of(&[1.125, -1.5, 0.5]).unwrap();
        assert!((shifted.frequency - 1.0).abs() < 1e-6 && (shifted.center - 1.5).abs() < 1e-5, "{shifted:?}");
        let well = of(&[0.0, 0.0, -2.0, 0.0, 1.0]).unwrap();
        let residual = well.frequency.powi(2) + 4.0 - 6.0 / well.frequency;
        assert!(well.center.abs() < 1e-6 && residual.abs() < 1e-5, "{well:?}");
        assert!(matches!(of(&[1.0]), Err(Error::NotApplicable { .. })));
        assert!(ReferenceOscillator::new(-1.0, 0.0).is_err() && ReferenceOscillator::new(f64::NAN, 0.0).is_err());
    }
}
