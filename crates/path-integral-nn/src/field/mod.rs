//! Scalar fields on periodic lattices of any dimension.
//!
//! $`S = a_t a_s^{d}\sum_x \bigl[\tfrac12(\partial\phi)^2 + \tfrac12 m^2\phi^2 + g\phi^4\bigr]`$ with forward differences; the first axis is time. The
//! standard rule takes the terms at the sites, the other one averages neighbouring times: the midpoint of a path, for a field.

mod binder;
mod cluster;
mod hmc;
mod lattice;
mod transition;

pub use binder::{BinderRun, bare_mass_squared, renormalised_mass_squared};
pub use cluster::{ClusterMoments, FieldCluster};
pub use hmc::{FieldHmc, FieldHmcParams};
pub use lattice::{FieldRule, ScalarField};
pub use transition::{Transition, continuum_coupling, renormalised_coupling, transition};
