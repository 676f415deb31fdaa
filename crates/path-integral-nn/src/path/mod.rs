//! Paths as networks: four parametrisations with exact inverses, and networks as paths.
//!
//! A path $`x_0, x_1 \dots x_N`$ on times $`t_0 < \dots < t_N`$ is the output of a network with one hidden layer of width $`N`$:
//!
//! | parametrisation | activation | parameters mean |
//! |---|---|---|
//! | [`Parametrization::Relu`] | $`\max(0, t - t_{n-1})`$ | $`w_1`$ initial velocity, $`w_n/\Delta`$ the acceleration at $`t_{n-1}`$ |
//! | [`Parametrization::Step`] | a step in the middle of each interval | $`W_n = \sum_{k\le n} w_k`$: velocity at the middle |
//! | [`Parametrization::Cosine`] | $`\cos n\pi s`$, $`s = (t-t_0)/T`$ | amplitudes with free (Neumann) ends |
//! | [`Parametrization::Sine`] | the chord, and $`\sin n\pi s`$ | both ends, amplitudes with fixed (Dirichlet) ends |
//!
//! [`Network`] is any such network with ReLU units; [`Network::canonicalize`] brings it to knots and slopes.

mod grid;
mod network;
mod parametrization;

pub use grid::TimeGrid;
pub use network::{CanonicalNetwork, Network, Unit};
pub use parametrization::{Parametrization, PathNetwork};
