//! Closed forms for the square lattice: Onsager's infinite one, Kaufman's torus.
//!
//! Both are sums over the momenta of one row. A momentum ω enters through
//!
//! ```math
//! D = \cosh 2K \cosh 2K' - \sinh 2K - \sinh 2K' \cos\omega, \qquad P = D + 2 \sinh 2K ,
//! ```
//!
//! with K the coupling along the transfer direction and K' the one within the row. In terms of Onsager's γ, defined
//! by $`\cosh\gamma = \coth 2K \cosh 2K' - \sinh 2K' \cos\omega / \sinh 2K`$, these are
//! $`\sqrt P \pm \sqrt D = \sqrt{2 \sinh 2K}\, e^{\pm\gamma/2}`$, but they stay finite at K = 0, and nothing cancels
//! in them near the critical point. Derivatives are carried along to second order.

mod jet;
mod kaufman;
mod momentum;
mod onsager;

pub use kaufman::{Kaufman, TorusSums};
pub use onsager::{BulkSums, CRITICAL_COUPLING, Onsager};
