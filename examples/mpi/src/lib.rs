//! Parallel tempering with replicas on several ranks.
//!
//! Every rank holds some of the replicas and sweeps them. For a round of exchanges all ranks gather the energies, eight bytes a
//! replica whatever the size of the lattice, and every rank draws the same exchanges from the same generator: temperatures move,
//! configurations stay, and no rank decides for the others. The numbers are those of `spin_models::mcmc::ParallelTempering` in one
//! process, bit for bit, on any number of ranks.
//!
//! What is gathered goes through a [`Transport`]: [`Threads`] of one process, which the tests use, or MPI with the feature `mpi`.

#[cfg(feature = "mpi")]
mod over_mpi;
mod tempering;
mod transport;

#[cfg(feature = "mpi")]
pub use over_mpi::OverMpi;
pub use tempering::RankedTempering;
pub use transport::{Threads, Transport};
