//! Variational autoregressive networks: training, importance sampling, Markov chains.
//!
//! Minimising the variational free energy $`\langle \beta E + \ln q \rangle_q`$ is minimising the Kullback-Leibler
//! divergence $`D(q \Vert p)`$, since the two differ by ln Z. After training every sample has a known probability, so that
//! what the network got wrong can be weighed out: [`importance`], [`NeuralMcmc`].

mod global_move;
mod importance;
mod natural;
mod neural_mcmc;
mod pieces;
mod schedule;
mod solver;
mod trainer;

pub use global_move::GlobalMove;
pub use importance::{Importance, Observable, importance};
pub use natural::{NaturalParams, natural_direction};
pub use neural_mcmc::{NeuralChain, NeuralMcmc};
pub use schedule::Annealing;
pub use solver::{Van, VanParams};
pub use trainer::{Optimizer, Step, Trainer, TrainerParams};
