//! Potentials and forces of many charges: a tree with octupoles.
//!
//! For sources with signed charges $`c_n`$ at $`y_n`$ and any targets $`x_i`$, [`Octree`] computes
//!
//! ```math
//! \phi(x_i) = \sum_n c_n\,k(|x_i - y_n|), \qquad \nabla\phi(x_i), \qquad k(r) = \frac{1}{\sqrt{r^2 + a^2}}
//! ```
//!
//! in $`O((N + M) \log N)`$ time and $`O(N + M)`$ memory, in any number of dimensions `D`.
//!
//! Sources are sorted along a Hilbert curve; every cell of the tree is a stretch of it. A cell is replaced by its charge,
//! dipole, quadrupole and octupole about the mean place of its particles: charges of both signs have no centre of charge, and the
//! mean place does not change with the charges. Targets come in blocks of 16 neighbours on the curve; a block shares one walk down
//! the tree. A cell is taken as a whole when its radius is at most [`OctreeParams::opening`] times its distance from the
//! block; cells of three sources or fewer are summed directly all the same. Relative to the root mean square of the field, the default
//! opening leaves errors of 1e-4 to 3.5e-4 in the potential and of 6e-4 to 1e-3 in the gradient for charges of random signs (10⁴ to
//! 10⁵ sources that are the targets, too, `docs/benchmarks/physics-inference.md`). With few sources the sum is direct and exact.
//!
//! A source at the place of a target counts with $`c_n/a`$: who wants no self-interaction subtracts it.

mod curve;
mod kernel;
mod octree;
#[cfg(feature = "serde")]
mod saved;

#[cfg(test)]
mod tests;

pub use octree::{Octree, OctreeParams, Targets};
