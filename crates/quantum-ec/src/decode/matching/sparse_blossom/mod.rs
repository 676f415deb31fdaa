//! Matching by growing regions on the graph itself.

mod again;
mod arcs;
mod blossom;
mod flood;
mod greedy;
mod paths;
mod queue;
mod state;
mod tree;

pub use arcs::{Arcs, NONE};
pub use queue::Queue;
pub use state::Solver;
