//! Averages between and beyond the temperatures that were simulated.
//!
//! The energies of a run at β_0 know the averages at nearby β: every sample counts with the weight
//! $`e^{-(β - β_0) E}`$. Runs at several temperatures are joined by giving the sample n of all of them the weight
//!
//! ```math
//! w_n(β) = \frac{e^{-β E_n}}{Z(β) D(E_n)}, \qquad
//! D(E) = \sum_k c_k \, e^{-β_k E - \ln Z_k}, \qquad
//! Z_k = \sum_n u_n \frac{e^{-β_k E_n}}{D(E_n)} ,
//! ```
//!
//! where $`u_n = 1/g_k`$ for a run of statistical inefficiency $`g_k = 2τ_k`$ and $`c_k = N_k / g_k`$ is its number of
//! independent samples. The equations for the $`Z_k`$ say that a convex function is smallest.
//!
//! | type | data | |
//! |---|---|---|
//! | [`Mbar`] | series of energies and other observables | averages of all of them, with one series the single-histogram method |
//! | [`Wham`] | histograms of energies | ln Z, energy, heat capacity, density of states |
//!
//! References: Ferrenberg and Swendsen, Phys. Rev. Lett. 61, 2635 (1988) and 63, 1195 (1989); Kumar et al., J. Comput.
//! Chem. 13, 1011 (1992); Shirts and Chodera, J. Chem. Phys. 129, 124105 (2008).

mod equations;
mod mbar;
mod reweighted;
mod series;
mod wham;

#[cfg(test)]
mod tests;

pub use equations::{ReweightingParams, ReweightingReport};
pub use mbar::Mbar;
pub use reweighted::Reweighted;
pub use series::EnergySeries;
pub use wham::{EnergyHistogram, Wham};
