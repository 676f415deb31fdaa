//! Partition functions: exact sums, bounds and estimates of ln Z.
//!
//! | item | for |
//! |---|---|
//! | [`exact_ln_z`], [`exact`] | a layer of few enough states (2²⁰ states of 784 x 20 units: some tenths of a second), and Gaussian layers in closed form |
//! | [`AnnealedImportance`] | 0/1 units of any number, from both ends; [`bennett`] joins the two |
//! | [`annealed_importance`] | the same for any units |
//! | [`Tap`] | mean-field expansions of first, second and third order for two-state units |
//! | [`LnZTrack`] | a machine that learns: reweighting from one update to the next |
//! | [`disagreements`] | values of several methods that cannot all be right |

mod agreement;
mod ais;
mod binary;
mod enumeration;
mod gaussian;
mod gray;
mod tap;
mod track;

pub use agreement::{Disagreement, disagreements};
pub use ais::{AisRun, AnnealedImportance, annealed_importance, bennett};
pub(crate) use enumeration::exact_precisions;
pub use enumeration::{Exact, MOST_STATES, exact, exact_ln_z};
pub use tap::{Tap, TapReport};
pub use track::LnZTrack;
