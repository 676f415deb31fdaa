//! What Onsager's and Kaufman's solutions of the square lattice share.
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
mod momentum;

pub(super) use jet::{Jet, PAIRS};
pub(super) use momentum::{Couplings, Momentum};

use crate::{Error, Result};

/// Checks that a coupling is finite; `entry` counts them.
pub(super) fn check_coupling(entry: usize, value: f64) -> Result<()> {
    if value.is_finite() { Ok(()) } else { Err(Error::NotFinite { what: "coupling", entry, sites: Vec::new(), value }) }
}
