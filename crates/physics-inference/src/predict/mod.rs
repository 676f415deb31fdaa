//! Prediction of the next step of M binary series from the present one.
//!
//! All models are one formula with different couplings. A variable $`b_i = \pm1`$ feels
//!
//! ```math
//! f_i(t) = h_i + s_i b_i(t) + q_i \sum_v J_{u(i) v}\, z_v(t), \qquad E[b_i(t+1)] = \tanh f_i(t),
//! ```
//!
//! where $`z`$ are the variables themselves or the means of signed clusters ([`Units`]), with delayed copies if asked for.
//!
//! | model | couplings J | numbers for M variables |
//! |---|---|---|
//! | `independent` | none, and s = 0 | M |
//! | `self-markov` | none | 2 M |
//! | `low-rank:K` | $`U V^T`$ | 2 M + 2 K M |
//! | `coulomb` | $`g_u q_v/\sqrt{\lvert r_u-r_v\rvert^2+a^2}`$ | 2 M + 5 M in three dimensions |
//! | `coulomb:C` | the same with C charges and gains, each pair with a learned a | 2 M + (3 + 2 C) M + C |
//! | `kinetic-ising` | free | M + M² |
//! | `linear-var` | free, the mean itself is linear | M + M² |
//! | `sine` | free, sine in place of tanh | M + M² |
//! | `mixture` | free between N clusters and B single variables | 2 M + (N+B)² |
//! | `clusters` | free between the N clusters | 2 M + N² |
//!
//! Bryan and Pressé, "Mapping general inference to physics" (2024), draw `kinetic-ising`, `mixture` and `clusters` as the three
//! networks of their first figure.

mod batch;
mod coulomb;
mod coupling;
mod field;
mod fit;
mod forward;
pub mod generate;
mod learner;
mod link;
mod model;
mod report;
mod starts;
#[cfg(test)]
mod tests;
mod tune;
mod units;

pub use coulomb::{CoulombCoupling, CoulombParams, CoulombPredictor, DirectSum, Geometry, PairPotential, TreeSum};
pub use coupling::{Coupling, DenseCoupling, LowRankCoupling, NoCoupling};
pub use field::{FieldPredictor, KineticIsing, LowRank, SelfMarkov};
pub use fit::{Fit, FitParams};
pub use forward::{ForwardPiece, ForwardReport, ForwardTest, forward_chain};
pub use learner::{FrictionParams, Learner};
pub use link::Link;
pub use model::{Fitted, Model};
pub use report::{LogLossReport, OnlinePredictor, evaluate};
pub use tune::{Tuned, Tuning};
pub use units::{Singles, Units};
