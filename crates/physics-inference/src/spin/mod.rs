//! Binary variables as spins ½.
//!
//! A binary variable b = ±1 coupled to Gaussian clusters x is measured on a spin that has turned by an angle linear in x
//! (Bryan and Pressé, eqs. (87) to (130)). With $`g(x) = w\cdot x`$ and $`H = -g\,\nu\cdot\sigma`$,
//!
//! ```math
//! P(b) = |\langle b|(\sigma\cdot\nu)\,U|a\rangle|^2, \qquad U = e^{i (dt/\hbar)\, g\, \nu\cdot\sigma}
//! ```
//!
//! is normalised if and only if $`|\nu| = 1`$ and $`U`$ is unitary, so that rotations are exact here and never the first-order
//! $`1 - i H dt/\hbar`$ of eq. (89), whose norm is $`1 + dt^2\langle H^2\rangle/\hbar^2`$. For the axis across,
//! $`\nu = (s_2, -s_1, 0)/s_\perp`$, everything is known in closed form:
//!
//! ```math
//! E[b|x] = -s_3\cos\theta + s_\perp\sin\theta, \quad \theta = \frac{2 g(x)\,dt}{\hbar}, \qquad
//! \operatorname{Cov}[b, x] = s_\perp\, e^{-2 (dt/\hbar)^2 w^T K w}\, \frac{2\,dt}{\hbar}\, K w
//! ```
//!
//! For a pure state $`E[b|x] = \sin(\varphi_0 + \theta)`$: a regression with a *sine link* in place of tanh, with the same first
//! order, and not monotone once the angle passes π/2. A state in C² has four real numbers, of which norm and phase are not
//! observable: two are left, those of the Bloch vector.
//!
//! The Pauli Hamiltonian is adopted as $`H = -\tfrac{\hbar q_b}{2 m_b}\sigma\cdot B - (\sigma\cdot\nu)\,g(x)`$: the magnetic term
//! of eqs. (103) to (107) has a half and this sign, and exists only if the momentum is an operator; for a number,
//! $`(p\cdot\sigma)^2 = p^2`$. See [`PauliHamiltonian`], and [`HamiltonianSystem::verlet_with_spins`](crate::dynamics::HamiltonianSystem::verlet_with_spins)
//! for spins among charges that move.

mod driver;
mod half;
mod link;
mod pauli;

#[cfg(test)]
mod tests;

pub use driver::BinarySpin;
pub use half::{AxisKind, OrthogonalAxis, SpinHalf};
pub use link::{LogisticUnit, SinePrediction, SpinUnit};
pub use pauli::{MovingCharges, PauliHamiltonian};
