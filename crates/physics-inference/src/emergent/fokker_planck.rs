//! Finite volumes for the Fokker-Planck equation.

use linalg_core::grid::{Ends, GridAxis};
use linalg_core::tridiagonal;

use super::{EntropyProduction, FpParams, check_density, n_points, point, volume};
use crate::{Error, Result};

/// Expected events of a chunk of uniformisation: $`e^{-400}`$ is still a number.
const EVENTS: f64 = 400.0;
/// Expected events beyond which uniformisation is refused.
const MOST_EVENTS: f64 = 1e9;

/// $`\partial_t p = \nabla\cdot(D\nabla p - \gamma p\nabla F)`$ on a grid of one to three axes, (1) with (3).
///
/// Scharfetter and Gummel's fluxes: between cells $`i`$ and $`i+1`$ with $`\Delta = -\gamma(F_{i+1} - F_i)/D`$ flow
/// $`\frac{D}{h}[B(\Delta)p_i - B(-\Delta)p_{i+1}]`$, $`B(z) = z/(e^z - 1)`$. The equation becomes a Markov chain of jumps
/// between neighbours: densities stay positive, mass is kept, $`e^{\gamma F/D}`$ is stationary to rounding, errors are
/// $`O(h^2)`$. Cells are centred at the points of the axes.
///
/// The equation is irreversible: any start decays to $`e^{\gamma F/D}`$ and nothing oscillates, unlike under the Schrödinger
/// equation that the paper puts in its place for long times.
///
/// [`Ends::Zero`] means walls here, through which nothing flows; [`Ends::Periodic`] a ring or torus.
///
/// ```
/// use linalg_core::grid::{Ends, GridAxis};
/// use physics_inference::emergent::{FokkerPlanck, FpParams};
/// # use physics_inference::linalg_core;
///
/// let axis = GridAxis::new(-4.0, 4.0, 80)?;
/// let fp = FokkerPlanck::new(&[axis], Ends::Zero, FpParams::new(0.3, 0.8)?, |q| -0.5 * q[0] * q[0])?;
/// let mut p = vec![0.0; 80];
/// p[60] = 10.0; // all mass in one cell of width 0.1
/// fp.propagate(&mut p, 20.0)?;
/// let difference: f64 = p.iter().zip(fp.equilibrium()).map(|(a, b)| 0.1 * (a - b).abs()).sum();
/// assert!(difference < 1e-6);
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FokkerPlanck {
    axes: Vec<GridAxis>,
    ends: Ends,
    params: FpParams,
    free_energy: Vec<f64>,
    /// For each axis and cell the rates of jumps to the next cell and back from it; 0 through a wall.
    rates: Vec<Vec<[f64; 2]>>,
}

/// $`z/(e^z - 1)`$.
fn bernoulli(z: f64) -> f64 {
    if z == 0.0 {
        1.0
    } else if z > 700.0 {
        0.0
    } else {
        z / z.exp_m1()
    }
}

impl FokkerPlanck {
    /// Tabulates the free energy; it is called with a point of as many coordinates as axes.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a number of axes outside 1 to 3, [`Error::NotFinite`] for a free energy that is not finite
    /// (`index` counts points, row-major).
    pub fn new<F: FnMut(&[f64]) -> f64>(
        axes: &[GridAxis],
        ends: Ends,
        params: FpParams,
        free_energy: F,
    ) -> Result<Self> {
        if !(1..=3).contains(&axes.len()) {
            return Err(Error::Parameter { what: "number of axes", value: axes.len() as f64, expected: "1 to 3" });
        }
        let mut this = Self { axes: axes.to_vec(), ends, params, free_energy: Vec::new(), rates: Vec::new() };
        this.set_free_energy(free_energy)?;
        Ok(this)
    }

    /// Replaces the free energy, for one that depends on time; O(n).
    ///
    /// # Errors
    /// As [`FokkerPlanck::new`]; nothing is changed then.
    pub fn set_free_energy<F: FnMut(&[f64]) -> f64>(&mut self, mut free_energy: F) -> Result<()> {
        let n = n_points(&self.axes);
        let mut values = Vec::with_capacity(n);
        for index in 0..n {
            let value = free_energy(&point(&self.axes, index)[..self.axes.len()]);
            if !value.is_finite() {
                return Err(Error::NotFinite { what: "free energy", index, value });
            }
            values.push(value);
        }
        let FpParams { d, gamma } = self.params;
        let mut inner = n;
        let mut new = Vec::with_capacity(self.axes.len());
        for axis in &self.axes {
            let (length, unit) = (axis.n_points(), d / axis.spacing().powi(2));
            inner /= length;
            let rates = (0..n).map(|i| {
                let here = i / inner % length;
                let last = here + 1 == length;
                // A ring of one cell has no neighbour.
                if length == 1 || (last && self.ends == Ends::Zero) {
                    return [0.0; 2];
                }
                let next = if last { i - here * inner } else { i + inner };
                let delta = -gamma * (values[next] - values[i]) / d;
                [unit * bernoulli(delta), unit * bernoulli(-delta)]
            });
            new.push(rates.collect::<Vec<_>>());
        }
        if let Some(index) = new.iter().flatten().position(|rate| !rate.iter().all(|r| r.is_finite())) {
            // Too steep for numbers: the difference over D overflows.
            return Err(Error::NotFinite { what: "rate of a jump from cell", index: index % n, value: f64::INFINITY });
        }
        self.rates = new;
        self.free_energy = values;
        Ok(())
    }

    /// The axes.
    pub fn axes(&self) -> &[GridAxis] {
        &self.axes
    }

    /// Diffusion and mobility.
    pub fn params(&self) -> FpParams {
        self.params
    }

    /// The free energy on the grid.
    pub fn free_energy(&self) -> &[f64] {
        &self.free_energy
    }

    /// The stationary density $`e^{\gamma F/D}/Z`$ on the grid, of integral 1.
    pub fn equilibrium(&self) -> Vec<f64> {
        let exponent = |f: f64| self.params.gamma * f / self.params.d;
        let top = self.free_energy.iter().map(|&f| exponent(f)).fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = self.free_energy.iter().map(|&f| (exponent(f) - top).exp()).collect();
        let total = weights.iter().sum::<f64>() * volume(&self.axes);
        weights.iter().map(|w| w / total).collect()
    }

    /// Calls `edge(i, j, up, down)` for neighbours with the rates $`i \to j`$ and $`j \to i`$.
    fn for_edges(&self, mut edge: impl FnMut(usize, usize, f64, f64)) {
        let n = n_points(&self.axes);
        let mut inner = n;
        for (axis, rates) in self.axes.iter().zip(&self.rates) {
            let length = axis.n_points();
            inner /= length;
            for (i, &[up, down]) in rates.iter().enumerate() {
                let here = i / inner % length;
                let next = if here + 1 == length { i - here * inner } else { i + inner };
                if up != 0.0 || down != 0.0 {
                    edge(i, next, up, down);
                }
            }
        }
    }

    /// Time derivative of a density.
    ///
    /// # Errors
    /// As [`propagate`](Self::propagate).
    ///
    /// # Panics
    /// When there are not as many densities as points.
    pub fn rate(&self, p: &[f64]) -> Result<Vec<f64>> {
        check_density(p, n_points(&self.axes))?;
        let mut out = vec![0.0; p.len()];
        self.for_edges(|i, j, up, down| {
            let flow = up * p[i] - down * p[j];
            out[i] -= flow;
            out[j] += flow;
        });
        Ok(out)
    }

    /// Evolves a density by a time `t`, exact in time for the grid.
    ///
    /// Uniformisation (Jensen, Skand. Aktuarietidskr. 36, 87 (1953)): with Λ the largest rate out of a cell,
    /// $`p(t) = \sum_k \mathrm{Poisson}(k; \Lambda t)\,P^k p`$, $`P`$ stochastic. All terms are positive: nothing cancels. About
    /// $`1.4\,\Lambda t`$ products of a sparse matrix with a vector, $`\Lambda \approx 2 D \sum_a h_a^{-2}`$.
    ///
    /// # Errors
    /// [`Error::NotFinite`], [`Error::Parameter`] or an empty density for what is no density, or a time that is negative, not
    /// finite, or takes more than 10⁹ jumps of the fastest cell.
    ///
    /// # Panics
    /// When there are not as many densities as points.
    pub fn propagate(&self, p: &mut [f64], t: f64) -> Result<()> {
        check_density(p, n_points(&self.axes))?;
        if !(t.is_finite() && t >= 0.0) {
            return Err(Error::Parameter { what: "time", value: t, expected: "a finite number >= 0" });
        }
        let n = p.len();
        let mut out = vec![0.0; n];
        self.for_edges(|i, j, up, down| {
            out[i] += up;
            out[j] += down;
        });
        let largest = out.iter().copied().fold(0.0, f64::max);
        if largest * t > MOST_EVENTS {
            let expected = "less than 1e9 jumps; implicit steps serve longer times";
            return Err(Error::Parameter { what: "time", value: t, expected });
        }
        let chunks = (largest * t / EVENTS).ceil();
        if chunks == 0.0 {
            return Ok(());
        }
        let mean = largest * t / chunks;
        let mut weights = vec![(-mean).exp()];
        loop {
            let k = weights.len() as f64;
            let weight = weights[weights.len() - 1] * mean / k;
            if k > mean && weight < 1e-20 {
                break;
            }
            weights.push(weight);
        }
        let total: f64 = weights.iter().sum();
        let stay: Vec<f64> = out.iter().map(|o| 1.0 - o / largest).collect();
        let (mut now, mut next, mut sum) = (p.to_vec(), vec![0.0; n], vec![0.0; n]);
        for _ in 0..chunks as u64 {
            sum.fill(0.0);
            for (k, weight) in weights.iter().enumerate() {
                if k > 0 {
                    next.iter_mut().zip(&now).zip(&stay).for_each(|((to, from), s)| *to = s * from);
                    self.for_edges(|i, j, up, down| {
                        next[j] += up / largest * now[i];
                        next[i] += down / largest * now[j];
                    });
                    std::mem::swap(&mut now, &mut next);
                }
                sum.iter_mut().zip(&now).for_each(|(s, x)| *s += weight / total * x);
            }
            now.copy_from_slice(&sum);
        }
        p.copy_from_slice(&now);
        Ok(())
    }

    /// `steps` implicit Euler steps of length `dt`, an axis after the other: $`\prod_a (1 - dt\,A_a)^{-1}`$.
    ///
    /// Positive, mass conserving and with the exact equilibrium for any `dt`; first order in it. O(n) a step whatever the
    /// spacing, for long times on fine grids.
    ///
    /// # Errors
    /// As [`propagate`](Self::propagate).
    ///
    /// # Panics
    /// When there are not as many densities as points.
    pub fn implicit(&self, p: &mut [f64], dt: f64, steps: usize) -> Result<()> {
        let n = n_points(&self.axes);
        check_density(p, n)?;
        if !(dt.is_finite() && dt >= 0.0) {
            return Err(Error::Parameter { what: "time step", value: dt, expected: "a finite number >= 0" });
        }
        let (mut lower, mut diagonal, mut upper, mut rhs, mut scratch) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..steps {
            let mut inner = n;
            for (axis, rates) in self.axes.iter().zip(&self.rates) {
                let length = axis.n_points();
                inner /= length;
                for first in (0..n).filter(|i| (i / inner).is_multiple_of(length)) {
                    let rate = |k: usize| rates[first + k * inner];
                    [&mut lower, &mut diagonal, &mut upper, &mut rhs].into_iter().for_each(Vec::clear);
                    for k in 0..length {
                        let [up, down] = rate(k);
                        let [from_before, to_before] = rate((k + length - 1) % length);
                        lower.push(-dt * from_before);
                        diagonal.push(1.0 + dt * (up + to_before));
                        upper.push(-dt * down);
                        rhs.push(p[first + k * inner]);
                    }
                    match self.ends {
                        Ends::Zero => tridiagonal::solve(&lower, &diagonal, &upper, &mut rhs, &mut scratch),
                        Ends::Periodic => tridiagonal::solve_cyclic(&lower, &diagonal, &upper, &mut rhs, &mut scratch),
                    }
                    rhs.iter().enumerate().for_each(|(k, x)| p[first + k * inner] = *x);
                }
            }
        }
        Ok(())
    }

    /// Entropy production (5) of the discrete equation.
    ///
    /// The sum over faces of flux times the drop of $`\ln p`$, cut into the part of $`D\nabla p`$ and that of
    /// $`\gamma p\nabla F`$. `total` is exactly the time derivative of the discrete entropy; the parts are those of (5) up to
    /// $`O(h^2)`$. `diffusion` is never negative, and in equilibrium the two cancel.
    ///
    /// # Errors
    /// As [`propagate`](Self::propagate); a cell of density 0 beside one that is not has no finite rate and is refused
    /// as [`Error::NodeInDensity`].
    ///
    /// # Panics
    /// When there are not as many densities as points.
    pub fn entropy_production(&self, p: &[f64]) -> Result<EntropyProduction> {
        check_density(p, n_points(&self.axes))?;
        let (mut diffusion, mut learning, mut bad) = (0.0, 0.0, None);
        self.for_edges(|i, j, up, down| {
            if p[i] == 0.0 && p[j] == 0.0 {
                return;
            }
            if p[i] == 0.0 || p[j] == 0.0 {
                bad.get_or_insert(if p[i] == 0.0 { i } else { j });
                return;
            }
            // B(±Δ) = b ∓ Δ/2: the even part diffuses, the odd part drifts.
            let (even, odd) = (0.5 * (up + down), 0.5 * (up - down));
            let drop = p[i].ln() - p[j].ln();
            diffusion += even * (p[i] - p[j]) * drop;
            learning += odd * (p[i] + p[j]) * drop;
        });
        if let Some(index) = bad {
            return Err(Error::NodeInDensity { index, density: 0.0, threshold: f64::MIN_POSITIVE });
        }
        let v = volume(&self.axes);
        Ok(EntropyProduction { total: v * (diffusion + learning), diffusion: v * diffusion, learning: v * learning })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emergent::entropy;

    fn gaussian(axis: GridAxis, mean: f64, variance: f64) -> Vec<f64> {
        let raw: Vec<f64> = axis.points().map(|x| (-(x - mean).powi(2) / (2.0 * variance)).exp()).collect();
        let total = raw.iter().sum::<f64>() * axis.spacing();
        raw.iter().map(|x| x / total).collect()
    }

    fn moments(axis: GridAxis, p: &[f64]) -> (f64, f64) {
        let h = axis.spacing();
        let mean: f64 = axis.points().zip(p).map(|(x, p)| x * p * h).sum();
        (mean, axis.points().zip(p).map(|(x, p)| (x - mean).powi(2) * p * h).sum())
    }

    #[test]
    fn mass_positivity_and_equilibrium() {
        let axis = GridAxis::new(-3.0, 3.0, 40).unwrap();
        let other = GridAxis::new(-2.0, 2.5, 25).unwrap();
        let params = FpParams::new(0.3, 0.8).unwrap();
        for axes in [&[axis][..], &[axis, other], &[GridAxis::new(0.0, 1.0, 5).unwrap(); 3]] {
            for ends in [Ends::Zero, Ends::Periodic] {
                // Steep enough for cell Péclet numbers of some ten.
                let f = |q: &[f64]| -q.iter().map(|x| 4.0 * (x * x - 1.0).powi(2) + 0.3 * x).sum::<f64>();
                let fp = FokkerPlanck::new(axes, ends, params, f).unwrap();
                let n = n_points(axes);
                let unit = volume(axes);
                let equilibrium = fp.equilibrium();
                assert!((equilibrium.iter().sum::<f64>() * unit - 1.0).abs() < 1e-14);
                let mut still = equilibrium.clone();
                fp.propagate(&mut still, 0.05).unwrap();
                fp.implicit(&mut still, 10.0, 5).unwrap();
                let top = equilibrium.iter().copied().fold(0.0, f64::max);
                assert!(still.iter().zip(&equilibrium).all(|(a, b)| (a - b).abs() < 1e-12 * top));
                for kind in 0..2 {
                    let mut p = vec![0.0; n];
                    p[n / 3] = 1.0 / unit;
                    match kind {
                        0 => fp.propagate(&mut p, 0.01).unwrap(),
                        _ => fp.implicit(&mut p, 0.3, 3).unwrap(),
                    }
                    assert!(p.iter().all(|x| *x >= 0.0));
                    let mass = p.iter().sum::<f64>() * unit;
                    assert!((mass - 1.0).abs() < 1e-14, "{mass}");
                }
            }
        }
    }

    #[test]
    fn second_order_towards_the_ornstein_uhlenbeck_process() {
        // Mean e^{-γt}, variance D/γ + (σ² - D/γ) e^{-2γt}.
        let (d, gamma, t) = (0.3, 0.8, 0.5f64);
        let mut last = None;
        for n in [60, 120, 240] {
            let axis = GridAxis::new(-6.0, 6.0, n).unwrap();
            let fp = FokkerPlanck::new(&[axis], Ends::Zero, FpParams::new(d, gamma).unwrap(), |q| -0.5 * q[0] * q[0])
                .unwrap();
            let mut p = gaussian(axis, 1.0, 0.5);
            fp.propagate(&mut p, t).unwrap();
            let (decay, rest) = ((-gamma * t).exp(), d / gamma);
            let exact = gaussian(axis, decay, rest + (0.5 - rest) * decay * decay);
            let error = p.iter().zip(exact).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            if let Some(before) = last {
                let ratio: f64 = before / error;
                assert!((ratio - 4.0).abs() < 0.3, "{n}: {ratio}");
            }
            last = Some(error);
        }
        assert!(last.unwrap() < 1e-3);
    }

    #[test]
    fn two_axes_are_a_product() {
        let axes = [GridAxis::new(-4.0, 4.0, 40).unwrap(), GridAxis::new(-3.0, 3.0, 30).unwrap()];
        let params = FpParams::new(0.3, 0.8).unwrap();
        let (f, g) = (|x: f64| -0.5 * x * x, |x: f64| -0.25 * x.powi(4));
        let both = FokkerPlanck::new(&axes, Ends::Zero, params, |q| f(q[0]) + g(q[1])).unwrap();
        let one = FokkerPlanck::new(&axes[..1], Ends::Zero, params, |q| f(q[0])).unwrap();
        let two = FokkerPlanck::new(&axes[1..], Ends::Zero, params, |q| g(q[0])).unwrap();
        let (mut a, mut b) = (gaussian(axes[0], 1.0, 0.3), gaussian(axes[1], -0.5, 0.2));
        let mut p: Vec<f64> = a.iter().flat_map(|x| b.iter().map(move |y| x * y)).collect();
        both.propagate(&mut p, 0.7).unwrap();
        one.propagate(&mut a, 0.7).unwrap();
        two.propagate(&mut b, 0.7).unwrap();
        for (i, x) in a.iter().enumerate() {
            for (j, y) in b.iter().enumerate() {
                assert!((p[i * 30 + j] - x * y).abs() < 1e-13);
            }
        }
    }

    #[test]
    fn the_arrow_of_time() {
        // Problem 4: drift -q from 1 has the mean e^{-2} at t = 2.
        let axis = GridAxis::new(-7.0, 7.0, 350).unwrap();
        let params = FpParams::new(0.405, 1.0).unwrap();
        let fp = FokkerPlanck::new(&[axis], Ends::Zero, params, |q| -0.5 * q[0] * q[0]).unwrap();
        let mut p = gaussian(axis, 1.0, 0.81);
        fp.propagate(&mut p, 2.0).unwrap();
        let (mean, _) = moments(axis, &p);
        // The spacing of 0.04 costs 2e-4.
        assert!((mean - (-2f64).exp()).abs() < 4e-4, "{mean}");
        // The implicit steps arrive there to first order.
        let mut q = gaussian(axis, 1.0, 0.81);
        fp.implicit(&mut q, 0.002, 1000).unwrap();
        assert!((moments(axis, &q).0 - mean).abs() < 1e-3);
    }

    #[test]
    fn production_is_the_derivative_of_the_entropy() {
        let axis = GridAxis::new(-6.0, 6.0, 150).unwrap();
        let fp = FokkerPlanck::new(&[axis], Ends::Zero, FpParams::new(0.3, 0.8).unwrap(), |q| {
            -0.5 * q[0] * q[0] + 0.2 * (2.0 * q[0]).sin()
        })
        .unwrap();
        let mut p = gaussian(axis, 0.5, 0.8);
        let step = 1e-4;
        let before = entropy(&[axis], &p).unwrap();
        fp.propagate(&mut p, step).unwrap();
        let production = fp.entropy_production(&p).unwrap();
        fp.propagate(&mut p, step).unwrap();
        let slope = (entropy(&[axis], &p).unwrap() - before) / (2.0 * step);
        assert!((slope - production.total).abs() < 1e-6, "{slope} {production:?}");
        assert!(production.diffusion > 0.0 && production.learning < 0.0);
        let still = fp.entropy_production(&fp.equilibrium()).unwrap();
        assert!(still.total.abs() < 1e-12 && still.diffusion > 0.1);
    }

    #[test]
    fn bad_input() {
        let axis = GridAxis::new(-1.0, 1.0, 4).unwrap();
        let params = FpParams::new(1.0, 1.0).unwrap();
        assert!(FokkerPlanck::new(&[], Ends::Zero, params, |_| 0.0).is_err());
        assert!(FokkerPlanck::new(&[axis], Ends::Zero, params, |_| f64::NAN).is_err());
        let fp = FokkerPlanck::new(&[axis], Ends::Zero, params, |_| 0.0).unwrap();
        for bad in [[0.0; 4], [1.0, f64::NAN, 0.0, 0.0], [1.0, -1.0, 0.0, 0.0]] {
            assert!(fp.propagate(&mut bad.clone(), 1.0).is_err() && fp.implicit(&mut bad.clone(), 1.0, 1).is_err());
        }
        assert!(FokkerPlanck::new(&[axis], Ends::Zero, params, |x| 1e308 * x[0].signum()).is_err());
        for t in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
            assert!(fp.propagate(&mut [1.0; 4], t).is_err());
        }
        let holes = fp.entropy_production(&[1.0, 0.0, 1.0, 1.0]);
        assert!(matches!(holes, Err(Error::NodeInDensity { index: 1, .. })));
    }
}
