//! Random models: laws of the couplings and the ensembles of the literature.

mod diluted;
mod disorder;
mod edwards_anderson;
mod mattis;
mod splitmix;
mod viana_bray;

pub use disorder::Disorder;
