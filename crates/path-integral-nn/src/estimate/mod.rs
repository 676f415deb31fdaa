//! What a run says: energies, moments, gap, densities, each with its error.
//!
//! [`Observables`] is the [`Measurement`](crate::sampler::Measurement) of one block of chains; [`Report`] evaluates them together.
//!
//! | quantity | estimator |
//! |---|---|
//! | energy | $`U + \Delta\,\partial_\Delta U + \tfrac12 x\cdot\nabla U`$ with the rule's potential $`U`$: virial, $`V + xV'/2`$ for the plain rules |
//! | thermodynamic energy | $`d\hbar/2\Delta - m(x_n-x_{n-1})^2/2\Delta^2 + \dots`$: the same mean, a variance that grows as $`1/\Delta`$ |
//! | mixed energy | $`H\psi_T/\psi_T`$ at the ends of a projection with a trial state |
//! | moments | $`O + (\Delta^2/12m)\,\nabla V\cdot\nabla O`$ for Takahashi and Imada's rule, else $`O`$ |
//! | gap | two operators, $`u`$ and $`u^3`$, by the generalised eigenvalue problem, with control variates at its two lags |
//!
//! # Control variates
//!
//! For every function $`g`$ and every weight $`a_n`$ the equation of motion says
//! $`\langle a_0\, g'(x_m) - g(x_m)\sum_n a_n\, \partial_{m+n} S/\hbar\rangle = 0`$, exactly, on the lattice, at any step. With
//! $`a_n = e^{-\kappa\Delta|n|}`$ the noise of the kinetic term telescopes away, and the left-hand sides are smooth functionals of the path that
//! resemble the fluctuations of $`\int O\,dt`$. Energies and moments are reported with the best combination of twelve of them
//! (sixteen for potentials without symmetry) taken off: the variance of the energy of $`x^2/2 + x^4`$ falls by a factor of
//! about 1000, that of an oscillator to nothing. The same identity with $`g`$ and the weights a lag apart does it for correlators: the
//! variance of the gap falls by a factor of about 140. The plain estimates stay beside them.
//!
//! Measurements of long runs have [checkpoints](Observables::checkpoint), those of several runs are
//! [merged](linalg_core::merge::Merge).

mod correlator;
mod kernels;
mod observables;
mod regression;
mod report;
mod saved;

pub use correlator::Correlators;
pub use observables::{Observables, ObservablesParams};
pub use report::{Measured, Report};
