//! Integrators of Hamilton's equations and of Langevin dynamics over flat slices.
//!
//! For $`\dot q = p/m`$, $`\dot p = f(q)`$ with a mass for every coordinate:
//!
//! | name | is |
//! |---|---|
//! | [`leapfrog`] | kick-drift-kick (velocity Verlet): second order, reversible, preserves volume |
//! | [`position_verlet`] | drift-kick-drift: the same order, forces in the middle of the step |
//! | [`implicit_midpoint`] | second order, preserves every quadratic invariant, an iteration a step |
//! | [`implicit_midpoint_coupled`] | the same rule for Hamiltonians that are not separable |
//! | [`tao`] | explicit for such Hamiltonians, in an extended phase space |
//! | [`baoab`] | Langevin dynamics: half kick, half drift, exact friction and noise, half drift, half kick |
//!
//! The force is a closure `force(q, out)` that writes $`-\partial U/\partial q`$.

mod coupled;
mod hamiltonian;
mod langevin;

pub use coupled::{implicit_midpoint_coupled, tao};
pub use hamiltonian::{MidpointReport, implicit_midpoint, leapfrog, position_verlet};
pub use langevin::{Bath, baoab};

/// One length for all slices.
fn check_lengths(q: &[f64], p: &[f64], mass: &[f64]) {
    assert!(
        q.len() == p.len() && q.len() == mass.len(),
        "{} positions, {} momenta, {} masses",
        q.len(),
        p.len(),
        mass.len()
    );
}

/// `p += dt f`.
fn kick(p: &mut [f64], force: &[f64], dt: f64) {
    p.iter_mut().zip(force).for_each(|(p, f)| *p += dt * f);
}

/// `q += dt p / m`.
fn drift(q: &mut [f64], p: &[f64], mass: &[f64], dt: f64) {
    q.iter_mut().zip(p).zip(mass).for_each(|((q, p), m)| *q += dt * p / m);
}
