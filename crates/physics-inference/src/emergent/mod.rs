//! Learning as diffusion, as a Madelung fluid and as Schrödinger dynamics, and tests that tell them apart.
//!
//! A laboratory for the claims of Katsnelson and Vanchurin, "Emergent Quantumness in Neural Networks", Found. Phys. 51, 94
//! (2021), arXiv:2012.05082. Equation numbers are that paper's.
//!
//! | part of the theory | here |
//! |---|---|
//! | (a) trainable variables diffuse, (1) to (3) | [`FokkerPlanck`], [`langevin_ensemble`], [`sgd`] |
//! | (b) entropy and its production, (4) to (6) | [`entropy`], [`entropy_production`], [`fisher_information`], [`entropy_balance`] |
//! | (c) the functional, Madelung fluid and Schrödinger dynamics, (7) to (20) | [`Functional`], [`QuantumMap`], [`Schroedinger`], [`Madelung`], [`Ring`], [`vortex`] |
//! | (d) grand canonical ensemble of hidden neurons, (21) to (35) | [`GrandCanonical`], [`BirthDeath`], [`thermodynamics`], [`losses`] |
//! | (e) preparation and measurement, (41) to (56) | [`DensityMatrix`], [`Povm`], [`prepare`], [`effective_povm`], [`lie_algebra_dimension`] |
//! | (f) neurons added and removed, section 6.1 | [`neurons`] |
//! | (g) which description a measured ensemble follows | [`Diagnose`] |
//!
//! **(c) does not follow from (a).** The step from the diffusion (1) to the fluid (16), (17) is a variational postulate: a
//! functional is assumed to be stationary. [`Diagnose`] is there to test it on ensembles of training runs. What the theory
//! leaves open or gets wrong is visible in the interface:
//!
//! 1. Varying ħ in (9) asks for a Fisher information of zero: a uniform density. Here ħ is a parameter, see [`QuantumMap`]. What
//!    does hold is $`D I_F + \gamma \int p\,\nabla^2 F = 0`$ for the stationary density of (1), see [`EntropyProduction`].
//! 2. The current velocity of (9) is $`2\gamma\nabla F`$, the drift of (3) is $`\gamma\nabla F`$:
//!    [`QuantumMap::current_velocity`] and [`QuantumMap::drift_velocity`]. No scaling of $`F`$ removes the factor.
//! 3. $`m > 0`$ needs $`\gamma > 0`$, so that $`F`$ grows along the drift. A free energy that falls would have a negative mass.
//! 4. (1) is irreversible, (19) is reversible. An ensemble started at 1 with drift $`-q`$ has the mean $`e^{-2}`$ at $`t = 2`$ under
//!    the one and $`\cos 2`$ under the other.
//! 5. A Madelung fluid with a single-valued phase has no circulation; one with any multivalued phase has any real circulation.
//!    Only (21) with (26) makes it an integer, see [`Madelung::winding`].
//!
//! The vector potential of (39) is a gradient: there is no magnetic field, and on a [`Ring`] an integer flux has no effect.

mod density_matrix;
mod diagnose;
mod entropy;
mod fokker_planck;
mod functional;
mod grand_canonical;
mod hamilton_jacobi;
mod langevin;
pub mod losses;
mod madelung;
mod matrix;
pub mod neurons;
mod parameters;
mod povm;
mod ring;
mod schroedinger;
pub mod sgd;
pub mod thermodynamics;
pub mod vortex;

pub use density_matrix::DensityMatrix;
pub use diagnose::{Comparison, Description, Diagnose, Score, Setup, Snapshot, Verdict};
pub use entropy::{
    EntropyBalance, EntropyProduction, entropy, entropy_balance, entropy_production, fisher_information,
};
pub use fokker_planck::FokkerPlanck;
pub use functional::{Action, Functional, FunctionalRate};
pub use grand_canonical::{
    BirthDeath, GrandCanonical, HiddenEnergy, IndependentNeurons, Moments, NumberEntropy, Sampled,
};
pub use hamilton_jacobi::classical_flow;
pub use langevin::{LangevinParams, langevin_ensemble};
pub use madelung::{Madelung, MadelungParams};
pub use parameters::{FpParams, QuantumMap, Wave};
pub use povm::{Povm, effective_povm, hopping_hamiltonian, lie_algebra_dimension, prepare, unitary};
pub use ring::Ring;
pub use schroedinger::{Schroedinger, gaussian_moments, gaussian_packet};

use crate::{Error, Result};
use linalg_core::grid::GridAxis;

/// Total number of points of axes.
fn n_points(axes: &[GridAxis]) -> usize {
    axes.iter().map(GridAxis::n_points).product()
}

/// Volume of a cell.
fn volume(axes: &[GridAxis]) -> f64 {
    axes.iter().map(GridAxis::spacing).product()
}

/// Coordinates of a point of a row-major grid, the last axis fastest; the first `axes.len()` numbers count.
fn point(axes: &[GridAxis], index: usize) -> [f64; 3] {
    let (mut rest, mut x) = (index, [0.0; 3]);
    for (a, axis) in axes.iter().enumerate().rev() {
        let n = axis.n_points();
        x[a] = axis.points().next().unwrap_or(0.0) + (rest % n) as f64 * axis.spacing();
        rest /= n;
    }
    x
}

/// Errors unless every number is finite, not negative, and one is positive; panics for a wrong length.
fn check_density(p: &[f64], n: usize) -> Result<()> {
    assert!(p.len() == n, "{} densities for {n} points", p.len());
    if let Some(index) = p.iter().position(|x| !x.is_finite()) {
        return Err(Error::NotFinite { what: "density", index, value: p[index] });
    }
    if let Some(x) = p.iter().find(|x| **x < 0.0) {
        return Err(Error::Parameter { what: "density", value: *x, expected: "numbers >= 0" });
    }
    if !p.iter().any(|x| *x > 0.0) {
        return Err(linalg_core::Error::Empty { what: "density" }.into());
    }
    Ok(())
}

/// Errors unless the number is positive and finite.
fn positive(what: &'static str, value: f64) -> Result<f64> {
    if value > 0.0 && value.is_finite() {
        Ok(value)
    } else {
        Err(Error::Parameter { what, value, expected: "a finite number > 0" })
    }
}

/// Errors unless the number is finite.
fn finite(what: &'static str, value: f64) -> Result<f64> {
    if value.is_finite() { Ok(value) } else { Err(Error::NotFinite { what, index: 0, value }) }
}

/// Errors unless all numbers are finite.
fn all_finite(what: &'static str, values: &[f64]) -> Result<()> {
    match values.iter().position(|x| !x.is_finite()) {
        Some(index) => Err(Error::NotFinite { what, index, value: values[index] }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_promised_to_move_between_threads() {
        fn sent<T: Send + Sync>() {}
        sent::<super::FokkerPlanck>();
        sent::<super::Schroedinger>();
        sent::<super::Madelung>();
        sent::<super::GrandCanonical<super::IndependentNeurons>>();
        sent::<super::Diagnose>();
        sent::<super::Povm>();
        sent::<super::neurons::OutputLayer>();
    }
}
