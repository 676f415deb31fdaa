//! Charges that move: Hamiltonians, integrators and what they conserve.
//!
//! With the potential $`V = \varepsilon^2 \sum_{i<j} q_i q_j k(r_{ij})`$ and the kinetic energy $`T = \tfrac12 P^T K(r)^{-1} P`$,
//! Bryan and Pressé's loss is, up to constants, $`T - V`$ (their eqs. (67) to (70)): the *Lagrangian* of charges with
//! instantaneous magnetic interaction, and not their Hamiltonian. Two consistent readings follow, and both are here:
//!
//! | [`Sign`] | energy | like charges | conserved by the motion |
//! |---|---|---|---|
//! | `LossAsEnergy` (A) | $`T + U`$, $`U = -V`$ | attract | the loss |
//! | `Electrodynamics` (B) | $`T + V`$ | repel | the energy; the loss $`T - V`$ moves |
//! | `Kratzer` | $`T + \tfrac14 \sum_{i\ne j} (K_{ij}^2 - 2K_{ij}S_{ij})/(m_i m_j)`$ | as the data say | the second-order loss |
//!
//! Comparing coefficients, $`1/4\pi\varepsilon_0 = \varepsilon^2`$ and $`\mu_0/4\pi = 1`$, so that the speed of light is ε:
//! magnetic terms are small only for $`|v| \ll \varepsilon`$.
//!
//! What is conserved is not learned: in reading (A) the loss cannot fall for good. Learning takes friction
//! ([`HamiltonianSystem::baoab`]) or the proximal step of the text's own prior ([`ProximalStep`]).
//!
//! | integrator | for |
//! |---|---|
//! | [`HamiltonianSystem::verlet`] | $`T = \sum p^2/2m`$, separable |
//! | [`HamiltonianSystem::implicit_midpoint`] | $`T = \tfrac12 P^T K^{-1} P`$ |
//! | [`HamiltonianSystem::tao`] | the same, explicit, in an extended phase space |
//! | [`HamiltonianSystem::baoab`] | $`T = \sum p^2/2m`$ with friction and noise |
//! | [`HamiltonianSystem::verlet_with_spins`] | the first with spins ½ at fixed places in the field of the charges |
//! | [`Boris`] | one particle in *given* fields; with the fields of the particles themselves it is not symplectic |

mod boris;
mod integrate;
mod proximal;
mod system;

#[cfg(test)]
mod tests;

pub use boris::Boris;
pub(crate) use boris::cross;
pub use integrate::MidpointParams;
pub use linalg_core::integrate::{Bath, MidpointReport};
pub use proximal::{ProximalReport, ProximalStep};
pub use system::{Conserved, HamiltonianSystem, Kinetics, Sign, State};
