//! A particle in given fields.

use crate::{Result, check};

/// Boris' rotation for one particle in given fields $`E(r)`$ and $`B(r)`$.
///
/// Half a kick by $`E`$, a rotation of the velocity about $`B`$ by the angle $`2\arctan(q|B|dt/2m)`$, half a kick, drift (H. Qin et
/// al., Phys. Plasmas 20, 084503 (2013)). It preserves volume but is not symplectic, and it knows velocities only: where the
/// vector potential belongs to the moving particles themselves, use [`super::HamiltonianSystem::implicit_midpoint`].
///
/// ```
/// use physics_inference::dynamics::Boris;
///
/// // No electric field: the speed stays to rounding.
/// let boris = Boris::new(1.0, 2.0)?;
/// let (mut r, mut v) = ([0.0; 3], [0.3, 0.0, 0.4]);
/// boris.run(&mut r, &mut v, 0.1, 1000, |_| ([0.0; 3], [0.0, 0.0, 1.5]));
/// assert!((v[0] * v[0] + v[1] * v[1] - 0.09).abs() < 1e-13 && v[2] == 0.4);
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Boris {
    charge: f64,
    mass: f64,
}

impl Boris {
    /// A particle of this charge and mass.
    ///
    /// # Errors
    /// [`NotFinite`](crate::Error::NotFinite) for the charge, [`Parameter`](crate::Error::Parameter) for a mass that is not above 0.
    pub fn new(charge: f64, mass: f64) -> Result<Self> {
        check::finite("charge", &[charge])?;
        check::positive_parameter("mass", mass)?;
        Ok(Self { charge, mass })
    }

    /// `steps` steps: drift by half a step, kick and rotate, drift; `fields(r)` gives $`E`$ and $`B`$ there.
    pub fn run<F>(&self, r: &mut [f64; 3], v: &mut [f64; 3], dt: f64, steps: usize, mut fields: F)
    where
        F: FnMut(&[f64; 3]) -> ([f64; 3], [f64; 3]),
    {
        let half = 0.5 * dt * self.charge / self.mass;
        let drift = |r: &mut [f64; 3], v: &[f64; 3], dt: f64| (0..3).for_each(|d| r[d] += dt * v[d]);
        for _ in 0..steps {
            drift(r, v, 0.5 * dt);
            let (e, b) = fields(r);
            (0..3).for_each(|d| v[d] += half * e[d]);
            let t = b.map(|x| half * x);
            let scale = 2.0 / (1.0 + t.iter().map(|x| x * x).sum::<f64>());
            let turned = cross(v, &t);
            let between: [f64; 3] = std::array::from_fn(|d| v[d] + turned[d]);
            let turned = cross(&between, &t.map(|x| scale * x));
            (0..3).for_each(|d| v[d] += turned[d] + half * e[d]);
            drift(r, v, 0.5 * dt);
        }
    }
}

/// Vector product.
pub(crate) fn cross(a: &[f64; 3], b: &[f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}
