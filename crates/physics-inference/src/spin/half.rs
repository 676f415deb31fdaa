//! A spin ½ in a pure state.

use linalg_core::num_complex::Complex64;

use crate::{Error, Result, check};

/// A pure state of a spin ½.
///
/// ```
/// use physics_inference::spin::SpinHalf;
///
/// let up = SpinHalf::from_bloch([0.0, 0.0, 2.0])?; // normalised
/// assert_eq!(up.measure_prob([0.0, 0.0, 1.0])?, 1.0);
/// assert!((up.measure_prob([1.0, 0.0, 0.0])? - 0.5).abs() < 1e-15);
/// // A quarter turn about x takes z to −y.
/// let turned = up.propagate([1.0, 0.0, 0.0], std::f64::consts::FRAC_PI_4)?;
/// assert!((turned.bloch()[1] + 1.0).abs() < 1e-15);
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SpinHalf {
    state: [Complex64; 2],
}

/// How an axis across was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum AxisKind {
    /// The spin has a perpendicular part and fixes the axis up to its sign.
    Unique,
    /// The spin points along the third axis: every axis across is as good and the first one was taken.
    Fallback,
}

/// The measurement axis across a spin.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OrthogonalAxis {
    /// The unit vector ν, orthogonal to the spin and to the third axis.
    pub axis: [f64; 3],
    /// $`s_\perp = \sqrt{s_1^2 + s_2^2}`$.
    pub s_perp: f64,
    /// Whether the spin determined it.
    pub kind: AxisKind,
}

/// Perpendicular parts below this are rounding of a spin along the third axis.
const SMALLEST_PERPENDICULAR: f64 = 1e-14;

impl SpinHalf {
    /// From a state in C², which is normalised.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a component, [`Error::Parameter`] for a state of norm 0.
    pub fn from_state(state: [Complex64; 2]) -> Result<Self> {
        check::finite("component of the state", &state.map(|z| if z.re.is_finite() { z.im } else { z.re }))?;
        // Scaled first, so that no square overflows.
        let largest = state.iter().fold(0.0, |m: f64, z| m.max(z.re.abs()).max(z.im.abs()));
        if largest == 0.0 {
            return Err(Error::Parameter { what: "norm of the state", value: 0.0, expected: "a number > 0" });
        }
        let scaled = state.map(|z| z / largest);
        let norm = (scaled[0].norm_sqr() + scaled[1].norm_sqr()).sqrt();
        Ok(Self { state: scaled.map(|z| z / norm) })
    }

    /// From the direction of the spin; the length of `bloch` does not matter.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a component, [`Error::Parameter`] for a vector of length 0.
    pub fn from_bloch(bloch: [f64; 3]) -> Result<Self> {
        let [x, y, z] = unit("Bloch vector", bloch)?;
        // cos θ/2 = √((1 + z)/2); from the larger of the two, which loses no digits.
        if z >= 0.0 {
            let up = (0.5 * (1.0 + z)).sqrt();
            Self::from_state([up.into(), Complex64::new(x, y) / (2.0 * up)])
        } else {
            let down = (0.5 * (1.0 - z)).sqrt();
            Self::from_state([Complex64::new(x, -y) / (2.0 * down), down.into()])
        }
    }

    /// The normalised state; its phase means nothing.
    pub fn state(&self) -> [Complex64; 2] {
        self.state
    }

    /// The Bloch vector $`s = \langle\sigma\rangle`$, of length 1.
    pub fn bloch(&self) -> [f64; 3] {
        let [up, down] = self.state;
        let cross = up.conj() * down;
        [2.0 * cross.re, 2.0 * cross.im, up.norm_sqr() - down.norm_sqr()]
    }

    /// $`e^{-i\varphi\, h\cdot\sigma} = \cos(\varphi|h|) - i\,\hat h\cdot\sigma \sin(\varphi|h|)`$, exact for any angle: the Bloch vector
    /// turns by $`2\varphi|h|`$ about h.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a component of `h` or for φ times its length.
    pub fn propagate(&self, h: [f64; 3], phi: f64) -> Result<Self> {
        check::finite("component of the field", &h)?;
        let length = norm(h);
        let angle = phi * length;
        check::finite("angle", &[angle])?;
        if length == 0.0 {
            return Ok(*self);
        }
        let (sine, cosine) = angle.sin_cos();
        let [x, y, z] = h.map(|x| x / length * sine);
        let [up, down] = self.state;
        let minus_i = Complex64::new(0.0, -1.0);
        let turned = [
            cosine * up + minus_i * (z * up + Complex64::new(x, -y) * down),
            cosine * down + minus_i * (Complex64::new(x, y) * up - z * down),
        ];
        // Rounding of the norm must not add up over many steps.
        Self::from_state(turned)
    }

    /// The probability of +1 along an axis: $`(1 + s\cdot\nu)/2`$ with ν normalised.
    ///
    /// # Errors
    /// [`Error::NotFinite`] and [`Error::Parameter`] for an axis that is not finite or has length 0.
    pub fn measure_prob(&self, axis: [f64; 3]) -> Result<f64> {
        let axis = unit("measurement axis", axis)?;
        let along: f64 = self.bloch().iter().zip(axis).map(|(s, a)| s * a).sum();
        Ok((0.5 * (1.0 + along)).clamp(0.0, 1.0))
    }

    /// $`P(b = 1) = |\langle{+}|(\sigma\cdot\nu)|a\rangle|^2`$ of this state, eq. (88); ν is normalised, without which the
    /// probabilities of eq. (88) do not add up to 1.
    ///
    /// # Errors
    /// As [`Self::measure_prob`].
    pub fn outcome_prob(&self, nu: [f64; 3]) -> Result<f64> {
        let [x, y, z] = unit("measurement axis", nu)?;
        let [up, down] = self.state;
        Ok((z * up + Complex64::new(x, -y) * down).norm_sqr().min(1.0))
    }

    /// The axis across: $`\nu = (s_2, -s_1, 0)/s_\perp`$.
    ///
    /// Eqs. (125) and (126) repeat a line and leave out the norm: the second component is $`\nu_2`$, and eq. (127) equals
    /// $`1/s_\perp^2`$, not 1. For a spin along the third axis the axis is undefined; the first axis is taken and
    /// [`AxisKind::Fallback`] says so.
    ///
    /// ```
    /// use physics_inference::spin::{AxisKind, SpinHalf};
    ///
    /// let across = SpinHalf::from_bloch([0.48, -0.36, 0.8])?.orthogonal_axis();
    /// assert!((across.axis[0] + 0.6).abs() < 1e-15 && (across.axis[1] + 0.8).abs() < 1e-15);
    /// assert!((across.s_perp - 0.6).abs() < 1e-15 && across.kind == AxisKind::Unique);
    /// assert_eq!(SpinHalf::from_bloch([0.0, 0.0, 1.0])?.orthogonal_axis().kind, AxisKind::Fallback);
    /// # Ok::<(), physics_inference::Error>(())
    /// ```
    pub fn orthogonal_axis(&self) -> OrthogonalAxis {
        let s = self.bloch();
        let s_perp = s[0].hypot(s[1]);
        if s_perp <= SMALLEST_PERPENDICULAR {
            return OrthogonalAxis { axis: [1.0, 0.0, 0.0], s_perp, kind: AxisKind::Fallback };
        }
        OrthogonalAxis { axis: [s[1] / s_perp, -s[0] / s_perp, 0.0], s_perp, kind: AxisKind::Unique }
    }

    /// [`Self::orthogonal_axis`] where a fallback is not wanted.
    ///
    /// # Errors
    /// [`Error::Degenerate`] for a spin along the third axis.
    pub fn unique_axis(&self) -> Result<OrthogonalAxis> {
        let across = self.orthogonal_axis();
        match across.kind {
            AxisKind::Unique => Ok(across),
            AxisKind::Fallback => Err(Error::Degenerate { s_perp: across.s_perp }),
        }
    }
}

pub(super) fn norm(v: [f64; 3]) -> f64 {
    v[0].hypot(v[1]).hypot(v[2])
}

fn unit(what: &'static str, v: [f64; 3]) -> Result<[f64; 3]> {
    check::finite(what, &v)?;
    let largest = v.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    if largest == 0.0 {
        return Err(Error::Parameter { what, value: 0.0, expected: "a vector of length > 0" });
    }
    let scaled = v.map(|x| x / largest);
    let length = norm(scaled);
    Ok(scaled.map(|x| x / length))
}
