//! Langevin dynamics with inertia.

use rand::Rng;

use super::{check_lengths, drift, kick};
use crate::rng::standard_normal;

/// A heat bath.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Bath {
    /// Friction $`\gamma`$, in units of an inverse time.
    pub friction: f64,
    /// Temperature $`k_B T`$, in units of energy.
    pub temperature: f64,
}

/// `steps` BAOAB steps of length `dt` of $`\dot p = f(q) - \gamma p + \sqrt{2 m \gamma k_B T}\,\eta`$.
///
/// Leimkuhler and Matthews, Appl. Math. Res. Express 2013, 34: averages over positions are exact for a harmonic force at
/// any stable `dt`, and of second order else. One force evaluation a step and one more.
///
/// ```
/// use linalg_core::Streams;
/// use linalg_core::integrate::{Bath, baoab};
///
/// let mut rng = Streams::new(1).stream(0);
/// let (mut q, mut p, mut sum) = ([0.0], [0.0], 0.0);
/// let bath = Bath { friction: 1.0, temperature: 0.5 };
/// for _ in 0..40_000 {
///     baoab(&mut q, &mut p, &[1.0], 0.5, 2, bath, |q, out| out[0] = -q[0], &mut rng);
///     sum += q[0] * q[0] / 40_000.0;
/// }
/// assert!((sum - 0.5).abs() < 0.03); // equipartition
/// ```
///
/// # Panics
/// When the slices differ in length.
#[allow(clippy::too_many_arguments)]
pub fn baoab<F, R>(
    q: &mut [f64],
    p: &mut [f64],
    mass: &[f64],
    dt: f64,
    steps: usize,
    bath: Bath,
    mut force: F,
    rng: &mut R,
) where
    F: FnMut(&[f64], &mut [f64]),
    R: Rng + ?Sized,
{
    check_lengths(q, p, mass);
    if steps == 0 {
        return;
    }
    let decay = (-bath.friction * dt).exp();
    let noise = (bath.temperature * (-(-2.0 * bath.friction * dt).exp_m1())).sqrt();
    let mut f = vec![0.0; q.len()];
    force(q, &mut f);
    kick(p, &f, 0.5 * dt);
    for step in 0..steps {
        drift(q, p, mass, 0.5 * dt);
        for (p, m) in p.iter_mut().zip(mass) {
            *p = decay * *p + noise * m.sqrt() * standard_normal(rng);
        }
        drift(q, p, mass, 0.5 * dt);
        force(q, &mut f);
        kick(p, &f, if step + 1 == steps { 0.5 * dt } else { dt });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Streams;
    use crate::integrate::leapfrog;
    use crate::stats::Binning;

    #[test]
    fn the_harmonic_variance_is_exact_at_a_large_step() {
        // dt = 1.5 of a stability limit of 2; z-score below 4, resolution 1 %.
        let mut rng = Streams::new(3).stream(0);
        let (mut q, mut p) = ([0.1, 0.2], [0.0, 0.0]);
        let bath = Bath { friction: 0.7, temperature: 0.8 };
        let mut squares = Binning::default();
        for _ in 0..200_000 {
            let f = |q: &[f64], out: &mut [f64]| (out[0], out[1]) = (-q[0], -3.0 * q[1]);
            baoab(&mut q, &mut p, &[1.0, 3.0], 1.5, 1, bath, f, &mut rng);
            squares.push(0.5 * (q[0] * q[0] + 3.0 * q[1] * q[1]));
        }
        let estimate = squares.estimate();
        let error = estimate.std_error.unwrap();
        assert!(error < 0.01 && (estimate.value - 0.8).abs() < 4.0 * error, "{estimate:?}");
    }

    #[test]
    fn without_friction_it_is_leapfrog() {
        let f = |q: &[f64], out: &mut [f64]| out[0] = -q[0].powi(3);
        let (mut a, mut b, mut c, mut d) = ([1.0], [0.2], [1.0], [0.2]);
        leapfrog(&mut a, &mut b, &[2.0], 0.1, 20, f);
        let bath = Bath { friction: 0.0, temperature: 1.0 };
        baoab(&mut c, &mut d, &[2.0], 0.1, 20, bath, f, &mut Streams::new(0).stream(0));
        assert!((a[0] - c[0]).abs() < 1e-14 && (b[0] - d[0]).abs() < 1e-14);
    }
}
