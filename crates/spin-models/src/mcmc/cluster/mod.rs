//! Cluster algorithms: moves that turn many spins at once and still leave `exp(-βE)` invariant.
//!
//! | kernel | models | a sweep |
//! |---|---|---|
//! | [`Wolff`] | any [`Ising`](crate::Ising) | one cluster |
//! | [`SwendsenWang`] | any [`Ising`](crate::Ising) | one full decomposition |
//! | [`Niedermayer`] | any [`Ising`](crate::Ising) | one cluster |
//! | [`TorusWolff`] | [`UniformTorus`] | one cluster, 64 sites a word |
//! | [`TorusSwendsenWang`] | [`UniformTorus`] | one full decomposition, 64 sites a word |
//! | [`Houdayer`] | pairs of replicas of any [`PairwiseModel`](crate::PairwiseModel) | one overlap cluster a pair |
//!
//! A bond is *satisfied* when `J_ij s_i s_j > 0`. The Fortuin-Kasteleyn representation activates a satisfied bond
//! with probability
//!
//! ```math
//! p_{ij} = 1 - e^{-2 β |J_{ij}|}
//! ```
//!
//! and leaves unsatisfied bonds inactive; given the active bonds, every connected cluster is turned with
//! probability one half. Couplings of either sign obey the same rule. A field `h_i` is a coupling to one ghost spin
//! that is always up: a cluster that holds the ghost is never turned.
//!
//! On frustrated models the rules stay exact but the clusters percolate above the interesting temperatures and the
//! moves do little; [`Houdayer`] clusters are for those, below the percolation threshold of the lattice.
//!
//! References: Swendsen and Wang, Phys. Rev. Lett. 58, 86 (1987); Wolff, Phys. Rev. Lett. 62, 361 (1989);
//! Niedermayer, Phys. Rev. Lett. 61, 2026 (1988); Houdayer, Eur. Phys. J. B 22, 479 (2001); Zhu, Ochoa and
//! Katzgraber, Phys. Rev. Lett. 115, 077201 (2015).

mod bernoulli;
mod bond_table;
mod disjoint_sets;
mod draws;
mod estimators;
mod houdayer;
mod niedermayer;
mod swendsen_wang;
mod torus;
mod torus_swendsen_wang;
mod torus_wolff;
mod wolff;

#[cfg(test)]
mod transition;

pub use estimators::ClusterEstimate;
pub use houdayer::{Houdayer, HoudayerMove};
pub use niedermayer::Niedermayer;
pub use swendsen_wang::SwendsenWang;
pub use torus::UniformTorus;
pub use torus_swendsen_wang::TorusSwendsenWang;
pub(super) use torus_swendsen_wang::pack_eight;
pub use torus_wolff::TorusWolff;
pub use wolff::Wolff;
