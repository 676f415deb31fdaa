//! A spin in the magnetic field of moving charges.

use super::half::SpinHalf;
use crate::dynamics::cross;
use crate::{Result, check};

/// Charges with places, velocities and a softening length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MovingCharges<'a> {
    /// Charges.
    pub charges: &'a [f64],
    /// Places.
    pub positions: &'a [[f64; 3]],
    /// Velocities.
    pub velocities: &'a [[f64; 3]],
    /// Softening length.
    pub softening: f64,
}

impl MovingCharges<'_> {
    /// $`A(r) = \sum_n q_n v_n k(|r - r_n|)`$.
    ///
    /// # Panics
    /// When the lists differ in length.
    pub fn vector_potential(&self, r: &[f64; 3]) -> [f64; 3] {
        self.sum(r, |q, v, _, k| v.map(|v| q * k * v))
    }

    /// $`B = \nabla\times A = \sum_n q_n k^3\, v_n \times (r - r_n)`$, the law of Biot and Savart with a softened kernel.
    ///
    /// ```
    /// use physics_inference::spin::MovingCharges;
    ///
    /// // A unit charge at the origin moving along x; seen from y = 2, B = v/r² along z.
    /// let moving = MovingCharges {
    ///     charges: &[1.0],
    ///     positions: &[[0.0; 3]],
    ///     velocities: &[[0.5, 0.0, 0.0]],
    ///     softening: 0.0,
    /// };
    /// assert_eq!(moving.magnetic_field(&[0.0, 2.0, 0.0]), [0.0, 0.0, 0.125]);
    /// ```
    ///
    /// # Panics
    /// When the lists differ in length.
    pub fn magnetic_field(&self, r: &[f64; 3]) -> [f64; 3] {
        self.sum(r, |q, v, d, k| cross(v, d).map(|x| q * k * k * k * x))
    }

    fn sum(&self, r: &[f64; 3], term: impl Fn(f64, &[f64; 3], &[f64; 3], f64) -> [f64; 3]) -> [f64; 3] {
        let n = self.charges.len();
        assert!(
            self.positions.len() == n && self.velocities.len() == n,
            "{n} charges, {} positions, {} velocities",
            self.positions.len(),
            self.velocities.len()
        );
        let mut sum = [0.0; 3];
        for ((&q, place), v) in self.charges.iter().zip(self.positions).zip(self.velocities) {
            let d: [f64; 3] = std::array::from_fn(|a| r[a] - place[a]);
            let square: f64 = d.iter().map(|x| x * x).sum();
            let k = 1.0 / (square + self.softening * self.softening).sqrt();
            let part = term(q, v, &d, k);
            (0..3).for_each(|a| sum[a] += part[a]);
        }
        sum
    }
}

/// $`H = -\tfrac{\hbar q_b}{2 m_b}\,\sigma\cdot B - g\,\sigma\cdot\nu`$, without the constant.
///
/// In $`B`$ alone the Bloch vector precesses with the frequency $`q_b B/m_b`$. The text has no half in the magnetic term of
/// eqs. (103) to (107), and its sums run to M where N is meant. $`B`$ is a classical field.
///
/// ```
/// use physics_inference::spin::{PauliHamiltonian, SpinHalf};
///
/// // q B/m = 3: after a time of 2π/3 the spin is back.
/// let h = PauliHamiltonian::new(1.5, 0.5, 1.0)?.with_field([0.0, 0.0, 1.0])?;
/// let spin = SpinHalf::from_bloch([1.0, 0.0, 0.0])?;
/// let back = h.propagate(&spin, std::f64::consts::TAU / 3.0)?;
/// assert!((back.bloch()[0] - 1.0).abs() < 1e-15);
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PauliHamiltonian {
    charge: f64,
    mass: f64,
    hbar: f64,
    field: [f64; 3],
    measured: [f64; 3],
}

impl PauliHamiltonian {
    /// A binary with charge `q_b` and mass `m_b`, without fields.
    ///
    /// # Errors
    /// [`NotFinite`](crate::Error::NotFinite) for the charge, [`Parameter`](crate::Error::Parameter) for a mass or an ħ that is
    /// not above 0.
    pub fn new(charge: f64, mass: f64, hbar: f64) -> Result<Self> {
        check::finite("charge", &[charge])?;
        check::positive_parameter("mass", mass)?;
        check::positive_parameter("hbar", hbar)?;
        Ok(Self { charge, mass, hbar, field: [0.0; 3], measured: [0.0; 3] })
    }

    /// With the magnetic field $`B`$ at the binary's place.
    ///
    /// # Errors
    /// [`NotFinite`](crate::Error::NotFinite), which is also what a charge at the binary's place without softening gives.
    pub fn with_field(mut self, field: [f64; 3]) -> Result<Self> {
        check::finite("magnetic field", &field)?;
        self.field = field;
        Ok(self)
    }

    /// With the measurement term $`-g\,\sigma\cdot\nu`$.
    ///
    /// # Errors
    /// [`NotFinite`](crate::Error::NotFinite).
    pub fn with_measurement(mut self, g: f64, nu: [f64; 3]) -> Result<Self> {
        let measured = nu.map(|x| g * x);
        check::finite("measurement term", &measured)?;
        self.measured = measured;
        Ok(self)
    }

    /// The vector h of $`H = h\cdot\sigma`$.
    pub fn vector(&self) -> [f64; 3] {
        let factor = -0.5 * self.hbar * self.charge / self.mass;
        std::array::from_fn(|a| factor * self.field[a] - self.measured[a])
    }

    /// $`\langle H\rangle = h\cdot s`$, which its own motion conserves.
    pub fn energy(&self, spin: &SpinHalf) -> f64 {
        self.vector().iter().zip(spin.bloch()).map(|(h, s)| h * s).sum()
    }

    /// $`e^{-i H dt/\hbar}`$, exact for a constant field. For fields that move with the charges, a step between two half kicks of
    /// the charges is of second order (Strang).
    ///
    /// # Errors
    /// [`NotFinite`](crate::Error::NotFinite) for an angle that is not.
    pub fn propagate(&self, spin: &SpinHalf, dt: f64) -> Result<SpinHalf> {
        spin.propagate(self.vector(), dt / self.hbar)
    }
}
