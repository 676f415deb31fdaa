//! Potentials: polynomials, closures, particles.

mod closure;
mod corrected;
mod particles;
mod polynomial;

use std::fmt;
use std::sync::Arc;

pub use closure::Closure;
pub(crate) use corrected::corrected;
pub use particles::Particles;
pub use polynomial::Polynomial;

use crate::error::{Error, Result, at_least_one, positive};

/// Step of central differences, relative to 1 + |x|.
const DIFFERENCE: f64 = 6e-6;

/// Step of differences of differences.
const SECOND_DIFFERENCE: f64 = 1e-4;

/// A potential energy $`V(x)`$ of $`d`$ coordinates.
///
/// Only [`value`](Self::value) is required. Missing derivatives are central differences with errors of about 1e-10 of the
/// scale (gradient) and 1e-7 (what needs two derivatives): fine for forces, which an accept step corrects, and for
/// estimators at the usual statistical errors. Points lie one after the other, `dim` numbers each, in all batch methods.
pub trait Potential: fmt::Debug + Send + Sync {
    /// Number of coordinates.
    fn dim(&self) -> usize {
        1
    }

    /// $`V(x)`$.
    fn value(&self, x: &[f64]) -> f64;

    /// $`\nabla V(x)`$ into `out`.
    fn gradient(&self, x: &[f64], out: &mut [f64]) {
        let mut point = x.to_vec();
        for i in 0..x.len() {
            let h = DIFFERENCE * (1.0 + x[i].abs());
            let (right, left) = (x[i] + h, x[i] - h);
            point[i] = right;
            let above = self.value(&point);
            point[i] = left;
            out[i] = (above - self.value(&point)) / (right - left);
            point[i] = x[i];
        }
    }

    /// $`\nabla\nabla V(x)\, v`$ into `out`.
    fn hessian_product(&self, x: &[f64], v: &[f64], out: &mut [f64]) {
        let size = v.iter().fold(0f64, |m, a| m.max(a.abs()));
        if size == 0.0 {
            return out.fill(0.0);
        }
        let h = SECOND_DIFFERENCE * (1.0 + x.iter().fold(0f64, |m, a| m.max(a.abs()))) / size;
        let moved = |sign: f64| x.iter().zip(v).map(|(x, v)| x + sign * h * v).collect::<Vec<_>>();
        let mut below = vec![0.0; x.len()];
        self.gradient(&moved(1.0), out);
        self.gradient(&moved(-1.0), &mut below);
        out.iter_mut().zip(&below).for_each(|(a, b)| *a = (*a - b) / (2.0 * h));
    }

    /// $`\nabla^2 V(x)`$.
    fn laplacian(&self, x: &[f64]) -> f64 {
        let (mut axis, mut column) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        let mut sum = 0.0;
        for i in 0..x.len() {
            axis[i] = 1.0;
            self.hessian_product(x, &axis, &mut column);
            sum += column[i];
            axis[i] = 0.0;
        }
        sum
    }

    /// Values at many points.
    ///
    /// # Panics
    /// When the lengths do not fit each other.
    fn values(&self, points: &[f64], out: &mut [f64]) {
        check_points(self.dim(), points.len(), out.len());
        points.chunks_exact(self.dim()).zip(out).for_each(|(x, v)| *v = self.value(x));
    }

    /// Gradients at many points.
    ///
    /// # Panics
    /// When the lengths differ.
    fn gradients(&self, points: &[f64], out: &mut [f64]) {
        assert!(points.len() == out.len(), "{} coordinates, room for {}", points.len(), out.len());
        let dim = self.dim();
        points.chunks_exact(dim).zip(out.chunks_exact_mut(dim)).for_each(|(x, g)| self.gradient(x, g));
    }

    /// $`V + a\,|\nabla V|^2 + b\,\nabla^2 V`$ in closed form, where there is one; else it is composed of the other methods.
    fn with_corrections(&self, _gradient_squared: f64, _laplacian: f64) -> Option<Arc<dyn Potential>> {
        None
    }

    /// An error if the potential is known or seen to have no lower bound.
    ///
    /// By default the values on the axes out to 1000 are compared: a fall that speeds up is reported.
    ///
    /// # Errors
    /// [`Error::UnboundedBelow`].
    fn check_bounded(&self) -> Result<()> {
        let mut point = vec![0.0; self.dim()];
        for axis in 0..self.dim() {
            for sign in [1.0, -1.0] {
                let mut at = |r: f64| {
                    point[axis] = sign * r;
                    let value = self.value(&point);
                    point[axis] = 0.0;
                    value
                };
                let [near, middle, far] = [at(10.0), at(100.0), at(1000.0)];
                if far < middle && middle < near && middle - far > 5.0 * (near - middle) {
                    let reason = format!("V falls from {near:e} to {far:e} between 10 and 1000 on axis {axis}");
                    return Err(Error::UnboundedBelow { reason });
                }
            }
        }
        Ok(())
    }
}

fn check_points(dim: usize, coordinates: usize, values: usize) {
    assert!(coordinates == dim * values, "{coordinates} coordinates for {values} points of {dim}");
}

/// A potential, a mass and $`\hbar`$: $`H = p^2/2m + V(x)`$.
///
/// ```
/// use path_integral_nn::{Polynomial, System};
///
/// let system = System::new(Polynomial::new(&[0.0, 0.0, 0.5, 0.0, 1.0])?)?; // x²/2 + x⁴
/// assert_eq!(system.potential().value(&[2.0]), 18.0);
/// assert_eq!((system.mass(), system.hbar()), (1.0, 1.0));
/// # Ok::<(), path_integral_nn::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct System {
    potential: Arc<dyn Potential>,
    mass: f64,
    hbar: f64,
}

impl System {
    /// Unit mass and $`\hbar = 1`$.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a potential of no coordinates; [`Error::UnboundedBelow`] from [`Potential::check_bounded`].
    pub fn new<P: Potential + 'static>(potential: P) -> Result<Self> {
        Self::from_shared(Arc::new(potential))
    }

    /// [`new`](Self::new) for a potential that is shared already.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_shared(potential: Arc<dyn Potential>) -> Result<Self> {
        at_least_one("number of coordinates", potential.dim())?;
        potential.check_bounded()?;
        Ok(Self { potential, mass: 1.0, hbar: 1.0 })
    }

    /// Another mass, the same for all coordinates; for different masses scale the coordinates by $`\sqrt{m_i/m}`$.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless positive and finite.
    pub fn with_mass(mut self, mass: f64) -> Result<Self> {
        self.mass = positive("mass", mass)?;
        Ok(self)
    }

    /// Another $`\hbar`$.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless positive and finite.
    pub fn with_hbar(mut self, hbar: f64) -> Result<Self> {
        self.hbar = positive("hbar", hbar)?;
        Ok(self)
    }

    /// The potential.
    pub fn potential(&self) -> &dyn Potential {
        &*self.potential
    }

    /// The potential, shared.
    pub fn shared_potential(&self) -> Arc<dyn Potential> {
        Arc::clone(&self.potential)
    }

    /// Number of coordinates.
    pub fn dim(&self) -> usize {
        self.potential.dim()
    }

    /// The mass $`m`$.
    pub fn mass(&self) -> f64 {
        self.mass
    }

    /// $`\hbar`$.
    pub fn hbar(&self) -> f64 {
        self.hbar
    }
}
