//! The Hopfield model near saturation: replica-symmetric theory of Amit, Gutfreund and Sompolinsky.

mod lines;
mod solution;

pub use lines::{
    Capacity, almeida_thouless_retrieval_temperature, retrieval_capacity, retrieval_temperature,
    spin_glass_temperature, thermodynamic_temperature,
};
pub use solution::{AmitGutfreundSompolinsky, HopfieldState};
