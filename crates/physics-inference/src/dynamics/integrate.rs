//! The motion, by the integrators of the numerical core.

use linalg_core::integrate::{Bath, MidpointReport, baoab, implicit_midpoint_coupled, leapfrog, tao};
use rand::Rng;

use super::system::{HamiltonianSystem, State, check_step};
use crate::{Error, Result, check};

/// How the implicit equation of a step is solved.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct MidpointParams {
    /// Largest change of a coordinate in the last iteration. Default: 1e-13.
    pub tolerance: f64,
    /// Most iterations of a step. Default: 100.
    pub iterations: usize,
}

impl Default for MidpointParams {
    fn default() -> Self {
        Self { tolerance: 1e-13, iterations: 100 }
    }
}

impl<const D: usize> HamiltonianSystem<D> {
    /// Velocity Verlet for $`\sum p^2/2m + U`$; a negative `dt` goes back.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a `dt` of 0 or not finite, [`Error::NotFinite`] for a bad start or a motion that overflows,
    /// [`Error::Coincident`] for particles at one place without softening.
    ///
    /// # Panics
    /// When there are not `D` coordinates and momenta for every particle.
    pub fn verlet(&self, state: &mut State, dt: f64, steps: usize) -> Result<()> {
        check_step(dt)?;
        self.check_state(state)?;
        leapfrog(&mut state.positions, &mut state.momenta, &self.mass_of_coordinates(), dt, steps, |r, f| {
            self.potential_and_force(r, f);
        });
        self.check_end(state)
    }

    /// Langevin dynamics of $`\sum p^2/2m + U`$ with friction, and noise unless the temperature is 0.
    ///
    /// # Errors
    /// As [`Self::verlet`], and [`Error::Parameter`] for a negative friction or temperature.
    ///
    /// # Panics
    /// When there are not `D` coordinates and momenta for every particle.
    pub fn baoab<R: Rng + ?Sized>(
        &self,
        state: &mut State,
        dt: f64,
        steps: usize,
        bath: Bath,
        rng: &mut R,
    ) -> Result<()> {
        check::positive_parameter("dt", dt)?;
        check::not_negative_parameter("friction", bath.friction)?;
        check::not_negative_parameter("temperature", bath.temperature)?;
        self.check_state(state)?;
        let mass = self.mass_of_coordinates();
        let force = |r: &[f64], f: &mut [f64]| {
            self.potential_and_force(r, f);
        };
        baoab(&mut state.positions, &mut state.momenta, &mass, dt, steps, bath, force, rng);
        self.check_end(state)
    }

    /// The implicit midpoint rule for $`\tfrac12 P^T K(r)^{-1} P + U(r)`$.
    ///
    /// $`\dot r = V = K^{-1}P`$, $`\dot P_i = \tfrac12 V^T (\partial K/\partial r_i) V - \partial U/\partial r_i`$. An iteration
    /// factorises $`K`$, $`O(N^3)`$. A step that does not meet the tolerance is reported.
    ///
    /// # Errors
    /// As [`Self::verlet`], and [`Error::NotPositiveDefinite`] when the motion reaches a place where $`K`$ is no inertia; the
    /// state is then as it was before the run.
    ///
    /// # Panics
    /// When there are not `D` coordinates and momenta for every particle.
    pub fn implicit_midpoint(
        &self,
        state: &mut State,
        dt: f64,
        steps: usize,
        params: &MidpointParams,
    ) -> Result<MidpointReport> {
        let MidpointParams { tolerance, iterations } = *params;
        self.run_coupled(state, dt, |r, p, slope| {
            implicit_midpoint_coupled(r, p, dt, steps, tolerance, iterations, slope)
        })
    }

    /// Tao's explicit method for the same Hamiltonian; returns the largest distance of the two copies of the state.
    ///
    /// # Errors
    /// As [`Self::implicit_midpoint`], and [`Error::Parameter`] for an `omega` that is not above 0.
    ///
    /// # Panics
    /// When there are not `D` coordinates and momenta for every particle.
    pub fn tao(&self, state: &mut State, dt: f64, steps: usize, omega: f64) -> Result<f64> {
        check::positive_parameter("omega", omega)?;
        self.run_coupled(state, dt, |r, p, slope| tao(r, p, dt, steps, omega, slope))
    }

    #[allow(clippy::type_complexity)]
    fn run_coupled<T>(
        &self,
        state: &mut State,
        dt: f64,
        run: impl FnOnce(&mut [f64], &mut [f64], &mut dyn FnMut(&[f64], &[f64], &mut [f64], &mut [f64])) -> T,
    ) -> Result<T> {
        check_step(dt)?;
        self.check_state(state)?;
        let mut failure: Option<Error> = None;
        let mut slope = |r: &[f64], p: &[f64], v: &mut [f64], force: &mut [f64]| {
            v.copy_from_slice(p);
            if let Err(error) = self.velocities(r, v) {
                // NaN ends the iteration; the first cause is kept.
                failure.get_or_insert(error);
                v.fill(f64::NAN);
            }
            self.potential_and_force(r, force);
            let q = self.charges();
            self.pairs(r, |i, j, difference, k| {
                let product: f64 = (0..D).map(|d| v[D * i + d] * v[D * j + d]).sum();
                let along = -q[i] * q[j] * product * k * k * k;
                for d in 0..D {
                    force[D * i + d] += along * difference[d];
                    force[D * j + d] -= along * difference[d];
                }
                0.0
            });
        };
        let mut end = state.clone();
        let report = run(&mut end.positions, &mut end.momenta, &mut slope);
        if let Some(error) = failure {
            return Err(error);
        }
        self.check_end(&end)?;
        *state = end;
        Ok(report)
    }

    fn mass_of_coordinates(&self) -> Vec<f64> {
        self.masses().iter().flat_map(|&m| [m; D]).collect()
    }
}
