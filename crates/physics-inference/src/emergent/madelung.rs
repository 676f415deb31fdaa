//! The Madelung fluid.

use std::f64::consts::TAU;

use linalg_core::grid::{Ends, GridAxis};
use linalg_core::num_complex::Complex64;

use super::{Wave, check_density, n_points, point, volume};
use crate::{Error, Result};

/// Limits of a [`Madelung`] fluid.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct MadelungParams {
    /// Mass and ħ.
    pub wave: Wave,
    /// Density over its maximum below which a point is a node or, towards an open end, the tail; default $`10^{-6}`$.
    pub threshold: f64,
    /// Share of the largest stable time step; default 0.25.
    pub courant: f64,
    /// Share of the shortest wave on the grid that a filter of sixth differences takes away in a step; default 0.1.
    pub filter: f64,
}

impl MadelungParams {
    /// Default limits.
    pub fn new(wave: Wave) -> Self {
        Self { wave, threshold: 1e-6, courant: 0.25, filter: 0.1 }
    }

    /// Sets the threshold.
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }
}

/// Density $`p`$ and phase $`S = \epsilon F`$ of a fluid that obeys (16) and (17).
///
/// ```math
/// \partial_t p = -\nabla\cdot\left(p\,\tfrac{1}{m}\nabla S\right), \qquad
/// \partial_t S = -\tfrac{1}{2m}|\nabla S|^2 - V + \tfrac{\hbar^2}{2m}\tfrac{\nabla^2\sqrt p}{\sqrt p}
/// ```
///
/// Both are stepped as one field $`W = \frac12\ln p + iS/\hbar`$ with fourth-order differences and the classical Runge-Kutta rule;
/// no wave function is formed. A filter of sixth differences, of the same order as the differences, takes away waves as short as
/// the spacing: relative to a tail they would grow on their way out. Where the density falls below the threshold towards an open end, $`W`$ is continued by a parabola.
///
/// The fluid knows a phase that is defined at each point: it cannot pass through a node of the density, and
/// [`Error::NodeInDensity`] says so. On a ring the phase may have a mean slope. A fluid with a *single-valued* phase has none, and
/// no circulation on any loop; with any multivalued phase [`winding`](Self::winding) is any real number, and only the condition
/// (21) with (26) makes it an integer, for which a wave function exists.
///
/// ```
/// use linalg_core::grid::{Ends, GridAxis};
/// use physics_inference::emergent::{Madelung, MadelungParams, Wave, gaussian_packet};
/// # use physics_inference::linalg_core;
///
/// let axis = GridAxis::new(-5.0, 5.0, 100)?;
/// let psi = gaussian_packet(&[axis], &[1.0], 0.7, &[0.0]);
/// let params = MadelungParams::new(Wave::new(1.0, 1.0)?);
/// let mut fluid = Madelung::from_psi(&[axis], Ends::Zero, params, |x| 0.5 * x[0] * x[0], &psi)?;
/// fluid.evolve(1.0)?;
/// let mean: f64 = axis.points().zip(fluid.density()).map(|(x, p)| 0.1 * x * p).sum();
/// assert!((mean - 1f64.cos()).abs() < 1e-3);
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Madelung {
    axes: Vec<GridAxis>,
    ends: Ends,
    params: MadelungParams,
    potential: Vec<f64>,
    /// $`\frac12\ln p + iS/\hbar`$, $`S`$ without its mean slope.
    field: Vec<Complex64>,
    /// Mean slope of $`S/\hbar`$ along each axis.
    slope: Vec<f64>,
}

/// Steps beyond which an evolution is refused.
const MOST_STEPS: f64 = 1e9;
/// Points of a parabola through the end of a tail.
const TAIL: usize = 6;

impl Madelung {
    /// A fluid with density and single-valued phase on a grid.
    ///
    /// [`Ends::Zero`] are open ends, towards which the density falls; for one axis only. The potential is called with a point of
    /// as many coordinates as axes.
    ///
    /// # Errors
    /// For what is no density; [`Error::NotFinite`] for phase and potential; [`Error::NodeInDensity`] for a density below the
    /// threshold, on a ring anywhere and between open ends with more than the threshold on both sides; [`Error::Parameter`] for a
    /// threshold outside (0, 1), several axes with open ends, or fewer than 8 points of an axis.
    ///
    /// # Panics
    /// When there is not a density and a phase for each point.
    pub fn new<V: FnMut(&[f64]) -> f64>(
        axes: &[GridAxis],
        ends: Ends,
        params: MadelungParams,
        mut potential: V,
        p: &[f64],
        s: &[f64],
    ) -> Result<Self> {
        if axes.is_empty() || axes.len() > 3 || (axes.len() > 1 && ends == Ends::Zero) {
            let expected = "1 to 3, and 1 between open ends";
            return Err(Error::Parameter { what: "number of axes", value: axes.len() as f64, expected });
        }
        for axis in axes {
            if axis.n_points() < 8 {
                let value = axis.n_points() as f64;
                return Err(Error::Parameter { what: "points of an axis", value, expected: "at least 8" });
            }
        }
        if !(params.threshold > 0.0 && params.threshold < 1.0) {
            let value = params.threshold;
            return Err(Error::Parameter { what: "threshold", value, expected: "a number between 0 and 1" });
        }
        super::positive("courant", params.courant)?;
        if !(0.0..=1.0).contains(&params.filter) {
            return Err(Error::Parameter {
                what: "filter",
                value: params.filter,
                expected: "a number between 0 and 1",
            });
        }
        let n = n_points(axes);
        check_density(p, n)?;
        assert!(s.len() == n, "{} phases for {n} points", s.len());
        super::all_finite("phase", s)?;
        let potential: Vec<f64> = (0..n).map(|i| potential(&point(axes, i)[..axes.len()])).collect();
        super::all_finite("potential", &potential)?;
        let field: Vec<Complex64> = p
            .iter()
            .zip(s)
            .map(|(p, s)| Complex64::new(0.5 * p.max(f64::MIN_POSITIVE).ln(), s / params.wave.hbar))
            .collect();
        let mut this = Self { axes: axes.to_vec(), ends, params, potential, field, slope: vec![0.0; axes.len()] };
        let (first, last) = this.active()?;
        let mut field = std::mem::take(&mut this.field);
        this.continue_tails(&mut field, first, last);
        this.field = field;
        Ok(this)
    }

    /// The fluid of a wave function, (20): its density and its phase, followed from point to point.
    ///
    /// Neighbours whose values turn by more than a quarter of a circle are a node between grid points, or a phase that the grid
    /// does not resolve. On a ring or torus the phase may wind around; that is its mean slope.
    ///
    /// # Errors
    /// As [`Madelung::new`]; [`Error::NodeInDensity`] also for a node between points and for a vortex.
    ///
    /// # Panics
    /// When there are not as many values as points.
    pub fn from_psi<V: FnMut(&[f64]) -> f64>(
        axes: &[GridAxis],
        ends: Ends,
        params: MadelungParams,
        potential: V,
        psi: &[Complex64],
    ) -> Result<Self> {
        let n = n_points(axes);
        assert!(psi.len() == n, "{} values for {n} points", psi.len());
        let p: Vec<f64> = psi.iter().map(Complex64::norm_sqr).collect();
        let mut this = Self::new(axes, ends, params, potential, &p, &vec![0.0; n])?;
        let top = p.iter().copied().fold(0.0, f64::max);
        let (first, last) = this.active_of(&p.iter().map(|p| 0.5 * p.ln()).collect::<Vec<_>>())?;
        let node = |index: usize| Error::NodeInDensity { index, density: p[index] / top, threshold: params.threshold };
        let turn = |i: usize, j: usize| {
            let z = psi[i].conj() * psi[j];
            if z.re > 0.0 { Ok(z.arg()) } else { Err(node(if p[i] < p[j] { i } else { j })) }
        };
        // Along the lines of the first point, each axis after the other; row-major order fills predecessors first.
        let mut phase = vec![0.0; n];
        for i in 1..n {
            if axes.len() == 1 && !(first < i && i <= last) {
                continue;
            }
            let mut inner = n;
            let mut before = 0;
            for axis in axes {
                inner /= axis.n_points();
                if !(i / inner).is_multiple_of(axis.n_points()) {
                    before = inner;
                }
            }
            phase[i] = phase[i - before] + turn(i - before, i)?;
        }
        if ends == Ends::Periodic {
            this.take_slopes(&mut phase, &turn, &node)?;
        }
        this.field.iter_mut().zip(&phase).for_each(|(w, s)| w.im = *s);
        let mut field = std::mem::take(&mut this.field);
        this.continue_tails(&mut field, first, last);
        this.field = field;
        Ok(this)
    }

    /// Splits the winding of a phase on a torus from the phase, and looks for vortices on all links.
    fn take_slopes(
        &mut self,
        phase: &mut [f64],
        turn: &dyn Fn(usize, usize) -> Result<f64>,
        node: &dyn Fn(usize) -> Error,
    ) -> Result<()> {
        let n = phase.len();
        let mut inner = n;
        for (a, axis) in self.axes.iter().enumerate() {
            let length = axis.n_points();
            inner /= length;
            let mut winding = None;
            for i in 0..n {
                let here = i / inner % length;
                let closing = here + 1 == length;
                let next = if closing { i - here * inner } else { i + inner };
                let turns = ((phase[i] + turn(i, next)? - phase[next]) / TAU).round();
                let expected = if closing { *winding.get_or_insert(turns) } else { 0.0 };
                if (turns - expected).abs() > 0.5 {
                    return Err(node(i));
                }
            }
            self.slope[a] = winding.unwrap_or(0.0) * TAU / (axis.spacing() * length as f64);
        }
        for (i, s) in phase.iter_mut().enumerate() {
            let x = point(&self.axes, i);
            *s -= self.slope.iter().zip(x).map(|(k, x)| k * x).sum::<f64>();
        }
        Ok(())
    }

    /// Mean slope of the phase along each axis in turns of $`2\pi\hbar`$ around the ring: the circulation in quanta.
    pub fn winding(&self) -> Vec<f64> {
        let turns = |(k, axis): (&f64, &GridAxis)| k * axis.spacing() * axis.n_points() as f64 / TAU;
        self.slope.iter().zip(&self.axes).map(turns).collect()
    }

    /// Sets the winding along each axis of a ring or torus, any real numbers; zeros make the phase single-valued.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a winding, [`Error::Parameter`] for one that is not zero between open ends.
    ///
    /// # Panics
    /// When there is not a number for each axis.
    pub fn set_winding(&mut self, winding: &[f64]) -> Result<()> {
        assert!(winding.len() == self.axes.len(), "{} windings for {} axes", winding.len(), self.axes.len());
        super::all_finite("winding", winding)?;
        if let Some(w) = winding.iter().find(|w| **w != 0.0 && self.ends == Ends::Zero) {
            return Err(Error::Parameter { what: "winding", value: *w, expected: "0 between open ends" });
        }
        for ((slope, w), axis) in self.slope.iter_mut().zip(winding).zip(&self.axes) {
            *slope = w * TAU / (axis.spacing() * axis.n_points() as f64);
        }
        Ok(())
    }

    /// The density on the grid.
    pub fn density(&self) -> Vec<f64> {
        self.field.iter().map(|w| (2.0 * w.re).exp()).collect()
    }

    /// The phase $`S`$ on the grid, the mean slope included: on a ring it jumps at the seam by $`2\pi\hbar`$ times the winding.
    pub fn phase(&self) -> Vec<f64> {
        let linear = |i: usize| self.slope.iter().zip(point(&self.axes, i)).map(|(k, x)| k * x).sum::<f64>();
        self.field.iter().enumerate().map(|(i, w)| self.params.wave.hbar * (w.im + linear(i))).collect()
    }

    /// $`\int p`$.
    pub fn mass(&self) -> f64 {
        self.density().iter().sum::<f64>() * volume(&self.axes)
    }

    /// Velocity $`u = \nabla S/m`$ along an axis, (18).
    ///
    /// # Panics
    /// When there is no such axis.
    pub fn velocity(&self, axis: usize) -> Vec<f64> {
        let scale = self.params.wave.hbar / self.params.wave.mass;
        let n = self.field.len();
        (0..n).map(|i| scale * (self.derivatives(&self.field, i, axis).0.im + self.slope[axis])).collect()
    }

    /// Quantum potential $`Q = -\frac{\hbar^2}{2m}\nabla^2\sqrt p/\sqrt p`$ on the grid.
    pub fn quantum_potential(&self) -> Vec<f64> {
        let Wave { mass, hbar } = self.params.wave;
        let at = |i: usize| {
            let part = |a: usize| {
                let (first, second) = self.derivatives(&self.field, i, a);
                second.re + first.re * first.re
            };
            -hbar * hbar / (2.0 * mass) * (0..self.axes.len()).map(part).sum::<f64>()
        };
        (0..self.field.len()).map(at).collect()
    }

    /// Circulation $`\oint u\cdot dl`$ along a closed loop of points, each next to the one before.
    ///
    /// Zero for every loop that does not go around a ring, whatever the state: the phase is a function. A loop around a ring
    /// counts its winding, any real number of quanta.
    ///
    /// # Panics
    /// For a point beyond the end.
    pub fn circulation(&self, points: &[usize]) -> f64 {
        let mut sum = 0.0;
        for (&i, &j) in points.iter().zip(points.iter().cycle().skip(1)) {
            sum += self.field[j].im - self.field[i].im;
            let (x, y) = (point(&self.axes, i), point(&self.axes, j));
            for (a, axis) in self.axes.iter().enumerate() {
                let period = axis.spacing() * axis.n_points() as f64;
                let mut step = y[a] - x[a];
                // A step across the seam is short.
                if self.ends == Ends::Periodic {
                    step -= period * (step / period).round();
                }
                sum += self.slope[a] * step;
            }
        }
        self.params.wave.hbar / self.params.wave.mass * sum
    }

    /// The wave function $`\sqrt p\,e^{iS/\hbar}`$, (20).
    ///
    /// # Errors
    /// [`Error::NodeInDensity`], and [`Error::Parameter`] for a winding that is not an integer: no single-valued wave function has
    /// this phase.
    pub fn to_psi(&self) -> Result<Vec<Complex64>> {
        self.active()?;
        for value in self.winding() {
            if (value - value.round()).abs() > 1e-9 {
                return Err(Error::Parameter { what: "winding", value, expected: "an integer" });
            }
        }
        let linear = |i: usize| self.slope.iter().zip(point(&self.axes, i)).map(|(k, x)| k * x).sum::<f64>();
        Ok(self.field.iter().enumerate().map(|(i, w)| Complex64::from_polar(w.re.exp(), w.im + linear(i))).collect())
    }

    /// Evolves by a time `t` in steps of its own, $`O(h^2 m/\hbar)`$ long; returns how many.
    ///
    /// # Errors
    /// [`Error::NodeInDensity`] when a node forms: the fluid ends there, the Schrödinger equation does not.
    /// [`Error::Parameter`] for a time that is negative, not finite or longer than 10⁹ steps.
    pub fn evolve(&mut self, t: f64) -> Result<usize> {
        if !(t.is_finite() && t >= 0.0) {
            return Err(Error::Parameter { what: "time", value: t, expected: "a finite number >= 0" });
        }
        let Wave { mass, hbar } = self.params.wave;
        let stiffness: f64 = self.axes.iter().map(|axis| axis.spacing().powi(-2)).sum();
        let steps = (t * stiffness * hbar / (mass * self.params.courant)).ceil();
        if steps > MOST_STEPS {
            return Err(Error::Parameter { what: "time", value: t, expected: "less than 1e9 steps of the fluid" });
        }
        let dt = t / steps.max(1.0);
        for _ in 0..steps as usize {
            self.runge_kutta(dt)?;
        }
        Ok(steps as usize)
    }

    fn runge_kutta(&mut self, dt: f64) -> Result<()> {
        let (first, last) = self.active()?;
        let start = self.field.clone();
        let mut sum = vec![Complex64::new(0.0, 0.0); start.len()];
        let mut stage = start.clone();
        for (share, weight) in [(0.5, 1.0), (0.5, 2.0), (1.0, 2.0), (0.0, 1.0)] {
            let rate = self.rate(&stage, first, last);
            sum.iter_mut().zip(&rate).for_each(|(s, r)| *s += weight * r);
            stage.iter_mut().zip(&start).zip(&rate).for_each(|((w, s), r)| *w = s + share * dt * r);
            self.continue_tails(&mut stage, first, last);
        }
        let mut next: Vec<Complex64> = start.iter().zip(&sum).map(|(w, s)| w + dt / 6.0 * s).collect();
        for axis in 0..self.axes.len() {
            self.smooth(&mut next, axis, first, last);
        }
        self.continue_tails(&mut next, first, last);
        let turned =
            |i: usize| i > first && i <= last && (next[i].im - next[i - 1].im).abs() > 0.5 * std::f64::consts::PI;
        if let Some(index) = (0..next.len()).find(|&i| !next[i].is_finite() || (self.axes.len() == 1 && turned(i))) {
            let top = start.iter().map(|w| w.re).fold(f64::NEG_INFINITY, f64::max);
            let density = (2.0 * (start[index].re - top)).exp();
            return Err(Error::NodeInDensity { index, density, threshold: self.params.threshold });
        }
        self.field = next;
        Ok(())
    }

    /// First and second derivative of a field along an axis, fourth order; open ends look no further than the grid.
    fn derivatives(&self, w: &[Complex64], i: usize, axis: usize) -> (Complex64, Complex64) {
        let inner: usize = self.axes[axis + 1..].iter().map(GridAxis::n_points).product();
        let (length, h) = (self.axes[axis].n_points(), self.axes[axis].spacing());
        let here = i / inner % length;
        let base = i - here * inner;
        let here = match self.ends {
            Ends::Periodic => here,
            Ends::Zero => here.clamp(2, length - 3),
        };
        let at = |k: usize| w[base + (here + length + k - 2) % length * inner];
        let (a, b, c, d, e) = (at(0), at(1), at(2), at(3), at(4));
        ((8.0 * (d - b) - (e - a)) / (12.0 * h), (16.0 * (b + d) - (a + e) - 30.0 * c) / (12.0 * h * h))
    }

    /// Adds sixth differences along an axis; towards open ends up to three points from the tail. A parabola is not changed.
    fn smooth(&self, w: &mut [Complex64], axis: usize, first: usize, last: usize) {
        let inner: usize = self.axes[axis + 1..].iter().map(GridAxis::n_points).product();
        let length = self.axes[axis].n_points();
        let old = w.to_vec();
        for (i, w) in w.iter_mut().enumerate() {
            if self.ends == Ends::Zero && (i < first + 3 || i + 3 > last) {
                continue;
            }
            let here = i / inner % length;
            let base = i - here * inner;
            let at = |k: usize| old[base + (here + length + k - 3) % length * inner];
            let sixth = at(0) + at(6) - 6.0 * (at(1) + at(5)) + 15.0 * (at(2) + at(4)) - 20.0 * at(3);
            *w += self.params.filter / 64.0 * sixth;
        }
    }

    /// $`\partial_t W = \frac{i\hbar}{2m}(\nabla^2 W + (\nabla W)^2) - \frac i\hbar V`$: real and imaginary part are (16) and (17).
    fn rate(&self, w: &[Complex64], first: usize, last: usize) -> Vec<Complex64> {
        let Wave { mass, hbar } = self.params.wave;
        let mut rate = vec![Complex64::new(0.0, 0.0); w.len()];
        for (i, out) in rate.iter_mut().enumerate().take(last + 1).skip(first) {
            let mut sum = Complex64::new(0.0, 0.0);
            for (axis, slope) in self.slope.iter().enumerate() {
                let (first, second) = self.derivatives(w, i, axis);
                let gradient = first + Complex64::new(0.0, *slope);
                sum += second + gradient * gradient;
            }
            *out = Complex64::new(0.0, hbar / (2.0 * mass)) * sum - Complex64::new(0.0, self.potential[i] / hbar);
        }
        rate
    }

    fn active(&self) -> Result<(usize, usize)> {
        self.active_of(&self.field.iter().map(|w| w.re).collect::<Vec<_>>())
    }

    /// First and last point with a density above the threshold; an error for one below it between them.
    fn active_of(&self, half_log: &[f64]) -> Result<(usize, usize)> {
        let n = half_log.len();
        let top = half_log.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let floor = top + 0.5 * self.params.threshold.ln();
        let (first, last) = match self.ends {
            Ends::Periodic => (0, n - 1),
            Ends::Zero => {
                let above = |x: &f64| *x > floor;
                (half_log.iter().position(above).unwrap_or(0), half_log.iter().rposition(above).unwrap_or(n - 1))
            }
        };
        match (first..=last).find(|&i| half_log[i].is_nan() || half_log[i] <= floor) {
            Some(index) => {
                let density = (2.0 * (half_log[index] - top)).exp();
                Err(Error::NodeInDensity { index, density, threshold: self.params.threshold })
            }
            None => Ok((first, last)),
        }
    }

    /// Continues a field beyond the active points by parabolas through the last ones (least squares).
    fn continue_tails(&self, w: &mut [Complex64], first: usize, last: usize) {
        let n = w.len();
        if self.ends == Ends::Periodic || last + 1 < first + TAIL {
            return;
        }
        let middle = 0.5 * (TAIL - 1) as f64;
        let linear = |t: f64| t - middle;
        // Orthogonal to the linear and constant polynomials on 0 to 5.
        let square = |t: f64| (t - middle).powi(2) - 35.0 / 12.0;
        let mut fit = |points: [usize; TAIL], targets: &mut dyn Iterator<Item = (usize, f64)>| {
            let (mut c0, mut c1, mut c2) =
                (Complex64::new(0.0, 0.0), Complex64::new(0.0, 0.0), Complex64::new(0.0, 0.0));
            for (t, &i) in points.iter().enumerate() {
                let t = t as f64;
                c0 += w[i] / TAIL as f64;
                c1 += w[i] * linear(t) / 17.5;
                c2 += w[i] * square(t) / (112.0 / 3.0);
            }
            // A parabola that turns upwards is no tail.
            let mut highest = w[points[0]].re;
            for (i, t) in targets {
                w[i] = c0 + c1 * linear(t) + c2 * square(t);
                w[i].re = w[i].re.min(highest);
                highest = w[i].re;
            }
        };
        fit(std::array::from_fn(|t| first + t), &mut (0..first).rev().map(|i| (i, i as f64 - first as f64)));
        fit(std::array::from_fn(|t| last - t), &mut (last + 1..n).map(|i| (i, last as f64 - i as f64)));
    }
}

#[cfg(test)]
mod tests;
