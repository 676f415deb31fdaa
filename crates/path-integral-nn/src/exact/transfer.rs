//! The transfer matrix of a discretised action on a grid.

use linalg_core::eigen::{SymmetricEigen, symmetric_eigen};
use linalg_core::grid::GridAxis;

use super::extent;
use crate::action::Rule;
use crate::error::{Error, Result, at_least_one, positive};
use crate::potential::System;

/// Grid points of the automatic grid.
const POINTS: usize = 320;

/// What a discretised action says without statistical error, for one coordinate.
///
/// The kernel of one step, $`\sqrt{m/2\pi\hbar\Delta}\,e^{-m(x-y)^2/2\hbar\Delta}`$ times the factor of the rule, on equidistant points; the
/// sum over points converges exponentially. These are the values a Monte Carlo run of the same step must give: only
/// the step's own error separates them from the continuum.
///
/// ```
/// use path_integral_nn::exact::TransferMatrix;
/// use path_integral_nn::{Polynomial, Rule, System};
///
/// let system = System::new(Polynomial::new(&[0.0, 0.0, 0.5, 0.0, 1.0])?)?;
/// let lattice = TransferMatrix::new(&system, Rule::Trapezoid, 0.1)?;
/// assert!((lattice.energy(0) - 0.8017443262).abs() < 1e-9);
/// assert!((lattice.average(|x| x * x) - 0.2564549051).abs() < 1e-9);
/// # Ok::<(), path_integral_nn::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct TransferMatrix {
    system: System,
    rule: Rule,
    step: f64,
    points: Vec<f64>,
    spacing: f64,
    eigen: SymmetricEigen,
}

impl TransferMatrix {
    /// On a grid that reaches where the ground state vanishes and is fine enough for the step.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] for more than one coordinate or a potential that does not confine, [`Error::Parameter`]
    /// for a step that is not positive and finite or so short that the grid would have more than 2000 points.
    pub fn new(system: &System, rule: Rule, step: f64) -> Result<Self> {
        positive("step", step)?;
        let (low, high) = extent(system)?;
        // A Gaussian of width σ is summed to 1e-16 at a spacing of 0.7 σ.
        let width = (system.hbar() * step / system.mass()).sqrt();
        let needed = ((high - low) / (0.6 * width)).ceil();
        if needed > 2000.0 {
            let expected = "longer: the grid would need more than 2000 points";
            return Err(Error::Parameter { what: "step", value: step, expected });
        }
        Self::on(system, rule, step, GridAxis::new(low, high, POINTS.max(needed as usize))?)
    }

    /// On a given grid.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] for more than one coordinate, [`Error::NotFinite`] for the potential on the grid.
    pub fn on(system: &System, rule: Rule, step: f64, axis: GridAxis) -> Result<Self> {
        positive("step", step)?;
        if system.dim() != 1 {
            let reason = "it is there for one coordinate";
            return Err(Error::NotApplicable { what: "the transfer matrix", reason });
        }
        let points: Vec<f64> = axis.points().collect();
        let spacing = axis.spacing();
        let n = points.len();
        let mut matrix = vec![0.0; n * n];
        let kernel = Kernel::new(system, rule, step);
        for i in 0..n {
            for j in 0..=i {
                let value = spacing * kernel.at(points[i], points[j]);
                (matrix[i * n + j], matrix[j * n + i]) = (value, value);
            }
        }
        let mut eigen = symmetric_eigen(&matrix, n)?;
        // Descending: the ground state first.
        eigen.values.reverse();
        let rows: Vec<f64> = eigen.vectors.chunks_exact(n).rev().flatten().copied().collect();
        eigen.vectors = rows;
        if eigen.values[0] <= 0.0 {
            return Err(Error::NotFinite { what: "energy", index: 0, value: f64::NAN });
        }
        Ok(Self { system: system.clone(), rule, step, points, spacing, eigen })
    }

    /// $`E_k = -\hbar\ln\lambda_k/\Delta`$; NaN where an eigenvalue is lost in rounding.
    ///
    /// # Panics
    /// When there are not so many states.
    pub fn energy(&self, k: usize) -> f64 {
        -self.system.hbar() * self.eigen.values[k].ln() / self.step
    }

    /// $`E_1 - E_0`$.
    pub fn gap(&self) -> f64 {
        self.energy(1) - self.energy(0)
    }

    /// The grid points.
    pub fn points(&self) -> &[f64] {
        &self.points
    }

    /// Eigenvector `k` at the grid points, normalised as a function.
    ///
    /// # Panics
    /// When there are not so many states.
    pub fn wave_function(&self, k: usize) -> Vec<f64> {
        let n = self.points.len();
        let scale = 1.0 / self.spacing.sqrt();
        self.eigen.vectors[k * n..(k + 1) * n].iter().map(|x| x * scale).collect()
    }

    /// The average of a function of a point of the path, on a path of infinite length.
    pub fn average<F: Fn(f64) -> f64>(&self, f: F) -> f64 {
        let n = self.points.len();
        self.eigen.vectors[..n].iter().zip(&self.points).map(|(p, &x)| p * p * f(x)).sum()
    }

    /// The average of a function of the middle of a segment, on a path of infinite length.
    pub fn average_at_midpoints<F: Fn(f64) -> f64>(&self, f: F) -> f64 {
        let kernel = Kernel::new(&self.system, self.rule, self.step);
        let phi = &self.eigen.vectors[..self.points.len()];
        let mut sum = 0.0;
        for (a, &x) in phi.iter().zip(&self.points) {
            for (b, &y) in phi.iter().zip(&self.points) {
                if (a * b).abs() > 1e-30 {
                    sum += a * b * self.spacing * kernel.at(x, y) * f(0.5 * (x + y));
                }
            }
        }
        sum / self.eigen.values[0]
    }

    /// $`\langle f(x_0)\, f(x_n)\rangle`$ on a path of infinite length.
    pub fn correlator<F: Fn(f64) -> f64>(&self, f: F, steps: usize) -> f64 {
        let n = self.points.len();
        let lowest = self.eigen.values[0];
        let mut sum = 0.0;
        for (k, value) in self.eigen.values.iter().enumerate() {
            let factor = (value / lowest).powi(steps as i32);
            if factor.abs() < 1e-20 {
                break;
            }
            let row = &self.eigen.vectors[k * n..(k + 1) * n];
            let ground = &self.eigen.vectors[..n];
            let element: f64 = row.iter().zip(ground).zip(&self.points).map(|((a, b), &x)| a * b * f(x)).sum();
            sum += factor * element * element;
        }
        sum
    }

    /// $`\ln Z`$ of a ring of `slices`.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no slices.
    pub fn ln_z(&self, slices: usize) -> Result<f64> {
        at_least_one("number of slices", slices)?;
        let lowest = self.eigen.values[0];
        let sum: f64 = self.eigen.values.iter().map(|v| (v / lowest).powi(slices as i32)).sum();
        Ok(slices as f64 * lowest.ln() + sum.ln())
    }

    /// The average of a function of a point of a ring of `slices`.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no slices.
    pub fn periodic_average<F: Fn(f64) -> f64>(&self, slices: usize, f: F) -> Result<f64> {
        at_least_one("number of slices", slices)?;
        let n = self.points.len();
        let lowest = self.eigen.values[0];
        let (mut sum, mut z) = (0.0, 0.0);
        for (k, value) in self.eigen.values.iter().enumerate() {
            let weight = (value / lowest).powi(slices as i32);
            let row = &self.eigen.vectors[k * n..(k + 1) * n];
            z += weight;
            sum += weight * row.iter().zip(&self.points).map(|(p, &x)| p * p * f(x)).sum::<f64>();
        }
        Ok(sum / z)
    }

    /// The mean of the virial energy on this lattice, on a ring of `slices` or on an infinite path: $`-\hbar\,\partial_\Delta`$ of
    /// $`\ln Z/N`$ or of $`\ln\lambda_0`$, by differences of four transfer matrices.
    ///
    /// # Errors
    /// As [`new`](Self::new) and [`ln_z`](Self::ln_z).
    pub fn virial_energy(&self, slices: Option<usize>) -> Result<f64> {
        let n = self.points.len();
        let axis = GridAxis::new(self.points[0], self.points[0] + n as f64 * self.spacing, n)?;
        let h = 1e-3 * self.step;
        let ln_z = |step: f64| -> Result<f64> {
            let other = Self::on(&self.system, self.rule, step, axis)?;
            match slices {
                Some(slices) => Ok(other.ln_z(slices)? / slices as f64),
                None => Ok(other.eigen.values[0].ln()),
            }
        };
        let (near, far) =
            (ln_z(self.step + h)? - ln_z(self.step - h)?, ln_z(self.step + 2.0 * h)? - ln_z(self.step - 2.0 * h)?);
        Ok(-self.system.hbar() * (8.0 * near - far) / (12.0 * h))
    }

    /// $`\langle x^p\rangle`$ by the estimator of the rule, on a ring of `slices` or on an infinite path.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no slices.
    pub fn moment(&self, power: i32, slices: Option<usize>) -> Result<f64> {
        let correction = match self.rule {
            Rule::TakahashiImada => self.step * self.step / (12.0 * self.system.mass()),
            _ => 0.0,
        };
        let f = |x: f64| {
            let mut slope = [0.0];
            self.system.potential().gradient(&[x], &mut slope);
            x.powi(power) + correction * slope[0] * f64::from(power) * x.powi(power - 1)
        };
        match slices {
            Some(slices) => self.periodic_average(slices, f),
            None => Ok(self.average(f)),
        }
    }

    /// The kernel $`\langle x\vert\dots\vert y\rangle`$ of `steps` steps between any two points.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no steps.
    pub fn kernel(&self, steps: usize, x: f64, y: f64) -> Result<f64> {
        at_least_one("number of steps", steps)?;
        let kernel = Kernel::new(&self.system, self.rule, self.step);
        if steps == 1 {
            return Ok(kernel.at(x, y));
        }
        let n = self.points.len();
        let ends: [Vec<f64>; 2] = [x, y].map(|end| self.points.iter().map(|&z| kernel.at(end, z)).collect());
        let mut sum = 0.0;
        for (k, value) in self.eigen.values.iter().enumerate() {
            let row = &self.eigen.vectors[k * n..(k + 1) * n];
            let dot = |end: &[f64]| row.iter().zip(end).map(|(a, b)| a * b).sum::<f64>();
            sum += value.powi(steps as i32 - 2) * dot(&ends[0]) * dot(&ends[1]);
        }
        Ok(sum * self.spacing)
    }
}

/// The kernel of one step.
struct Kernel<'a> {
    system: &'a System,
    rule: Rule,
    step: f64,
    effective: std::sync::Arc<dyn crate::potential::Potential>,
}

impl<'a> Kernel<'a> {
    fn new(system: &'a System, rule: Rule, step: f64) -> Self {
        Self { system, rule, step, effective: rule.effective_potential(system, step) }
    }

    fn at(&self, x: f64, y: f64) -> f64 {
        let v = |x: f64| self.effective.value(&[x]);
        let potential = if self.rule.at_midpoints() { v(0.5 * (x + y)) } else { 0.5 * (v(x) + v(y)) };
        let free = super::free_kernel(self.system.mass(), self.system.hbar(), self.step, x, y);
        free * (-self.step * potential / self.system.hbar()).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Polynomial;
    use crate::exact::OscillatorLattice;

    fn quartic() -> System {
        System::new(Polynomial::new(&[0.0, 0.0, 0.5, 0.0, 1.0]).unwrap()).unwrap()
    }

    #[test]
    fn the_table_of_lattice_values() {
        for (rule, step, expected) in [
            (Rule::Trapezoid, 0.5, [0.7636025003, 1.8032831440, 0.2419336950, 0.1519840855]),
            (Rule::Trapezoid, 0.25, [0.7919062143, 1.8945529650, 0.2529374570, 0.1723023705]),
            (Rule::Trapezoid, 0.1, [0.8017443262, 1.9272941811, 0.2564549051, 0.1804310026]),
            (Rule::Trapezoid, 0.05, [0.8032586685, 1.9323934668, 0.2569753348, 0.1817543529]),
            (Rule::Midpoint, 0.1, [0.7574476959, 1.8851005721, 0.2643969164, 0.1917605406]),
        ] {
            let lattice = TransferMatrix::new(&quartic(), rule, step).unwrap();
            let got = [lattice.energy(0), lattice.gap(), lattice.average(|x| x * x), lattice.average(|x| x.powi(4))];
            for (a, b) in got.iter().zip(expected) {
                assert!((a - b).abs() < 1.01e-10, "{rule:?} {step}: {got:?}");
            }
        }
    }

    #[test]
    fn the_table_of_rings() {
        let virial = |x: f64| 0.5 * x * x + x.powi(4) + 0.5 * x * (x + 4.0 * x.powi(3));
        for (slices, expected) in [
            (40, [0.2566360848, 0.1806567637, 0.7986063761, -3.2065286874]),
            (20, [0.2546115772, 0.1758108345, 0.7820440808, -3.1834150656]),
        ] {
            let lattice = TransferMatrix::new(&quartic(), Rule::Trapezoid, 4.0 / f64::from(slices)).unwrap();
            let n = slices as usize;
            let average = |f: fn(f64) -> f64| lattice.periodic_average(n, f).unwrap();
            let got = [
                average(|x| x * x),
                average(|x| x.powi(4)),
                lattice.periodic_average(n, virial).unwrap(),
                lattice.ln_z(n).unwrap(),
            ];
            for (a, b) in got.iter().zip(expected) {
                assert!((a - b).abs() < 1.01e-10, "{slices}: {got:?}");
            }
        }
    }

    #[test]
    fn orders_of_convergence() {
        // log₂ of the ratio of errors of E₀ when the step is halved.
        let exact = 0.803_770_651_234_273_8;
        for (rule, order) in
            [(Rule::Midpoint, 1.0), (Rule::MidpointCorrected, 2.0), (Rule::Trapezoid, 2.0), (Rule::TakahashiImada, 4.0)]
        {
            let error = |step| TransferMatrix::new(&quartic(), rule, step).unwrap().energy(0) - exact;
            let rate = (error(0.1f64) / error(0.05)).log2();
            assert!((rate - order).abs() < 0.25, "{rule:?}: {rate}");
        }
        let errors = [0.2, 0.1, 0.05]
            .map(|step| TransferMatrix::new(&quartic(), Rule::TakahashiImada, step).unwrap().energy(0) - exact);
        for (a, b) in errors.iter().zip([-2.28e-4, -1.56e-5, -1.0e-6]) {
            assert!((a / b - 1.0f64).abs() < 0.02, "{errors:?}");
        }
        let corrected = [0.2, 0.1, 0.05].map(|step| {
            (TransferMatrix::new(&quartic(), Rule::MidpointCorrected, step).unwrap().energy(0) - exact).abs()
        });
        for (a, b) in corrected.iter().zip([0.00593, 0.00180, 0.00050]) {
            assert!((a / b - 1.0f64).abs() < 0.02, "{corrected:?}");
        }
    }

    #[test]
    fn kernels_of_the_oscillator() {
        let system = System::new(Polynomial::oscillator(1.0, 1.0).unwrap()).unwrap();
        for rule in [Rule::Midpoint, Rule::Trapezoid] {
            for n in [2usize, 8, 64] {
                let step = 1.5 / n as f64;
                let exact = OscillatorLattice::new(1.0, 1.0, 1.0, rule, step).unwrap();
                let lattice = TransferMatrix::new(&system, rule, step).unwrap();
                let got = lattice.kernel(n, 0.3, -0.5).unwrap();
                assert!((got - exact.kernel(n, 0.3, -0.5).unwrap()).abs() < 1e-11, "{rule:?} {n}: {got}");
                assert!((lattice.energy(0) - exact.ground_state_energy()).abs() < 1e-11);
                assert!((lattice.correlator(|x| x, 5) - exact.correlator(5)).abs() < 1e-11);
                let middle = lattice.average_at_midpoints(|x| x * x);
                assert!((middle - 0.5 * (exact.x_squared() + exact.correlator(1))).abs() < 1e-11);
            }
        }
    }
}
