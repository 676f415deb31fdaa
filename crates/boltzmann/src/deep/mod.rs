//! Machines and networks of several layers.
//!
//! | type | for |
//! |---|---|
//! | [`DeepBeliefNet`] | stacked restricted machines: greedy pretraining, recognition, samples, a bound of the likelihood |
//! | [`Autoencoder`] | a stack unrolled into encoder and decoder, trained on by backpropagation |
//! | [`DeepBoltzmannMachine`] | layers coupled both ways: mean field, chains, greedy pretraining, training |
//! | [`Network`], [`NetworkTrainer`] | the feed-forward network behind it, with derivatives by hand |

mod autoencoder;
mod backprop;
mod belief;
mod boltzmann;
pub(crate) mod network;

pub use autoencoder::Autoencoder;
pub use backprop::{NetworkTrainer, NetworkTraining, Optimizer};
pub(crate) use backprop::{Rates, Step, normal};
pub use belief::{BeliefTraining, DeepBeliefNet};
pub use boltzmann::{DeepBoltzmannMachine, DeepBoltzmannTrainer, DeepBoltzmannTraining, DeepMeanField};
pub use network::{Activation, Loss, Network};
