//! Hidden neurons that come and go.
//!
//! Section 6.1 of the paper states the goal only: remove neurons where the loss rises least, add them where it falls most, or let
//! their number change by itself. The definitions here are ours.
//!
//! | name | is |
//! |---|---|
//! | [`OutputLayer`] | a linear output refitted exactly when a neuron goes or comes, by updates of rank one |
//! | [`Neuron`], [`grow`], [`prune`] | neurogenesis and neurodegeneration on a network of tanh units |
//! | [`BirthDeathTraining`] | training with births and deaths at a chemical potential: $`N(t)`$, $`\Delta N`$, jumps of $`F`$ |
//! | [`optimality`] | test loss against $`\Delta N`$ at equal mean $`N`$ |

mod output_layer;
mod training;
mod unit;

pub use output_layer::OutputLayer;
pub use training::{BirthDeathTraining, Jump, Optimality, Rung, Trace, optimality};
pub use unit::{Grown, Neuron, grow, prune};
