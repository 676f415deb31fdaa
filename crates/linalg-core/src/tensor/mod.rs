//! Tensor networks: dense tensors, contraction orders, slicing, contraction and its derivatives.
//!
//! A [`Network`] says which tensors share which legs; a leg of more than two tensors is a hyperedge. A [`Simplification`]
//! contracts the pairs whose product is no larger than they are, [`OrderParams`]
//! finds a [`ContractionTree`], [`slice_to_budget`] cuts it to a memory budget, and [`Contraction`] carries it out on
//! [`Tensor`]s of `f64`, `Complex64`, logarithms ([`Logarithm`]) or exponents ([`MaxPlus`], and [`MaxCount`] with their
//! multiplicities). Each pair is contracted as a
//! batched matrix product, through [`gemm`](mod@crate::gemm), or in place where one tensor is small. Every tensor has its
//! scale apart, so that products of any number of them stay in range.

mod anneal;
mod contraction;
mod dense;
mod entry;
mod gather;
mod greedy;
mod maximum;
mod network;
mod order;
mod pair;
mod parallel;
mod sample;
mod simplify;
mod slicing;
#[cfg(test)]
mod tests;
mod trace;
mod tree;

pub use contraction::{Contraction, ContractionProgress, Shares, Value};
pub use dense::{Leg, Tensor};
pub use entry::{Entry, Logarithm, MaxCount, MaxPlus, Weight};
pub use maximum::Maximum;
pub use network::Network;
pub use order::OrderParams;
pub use sample::Samples;
pub use simplify::Simplification;
pub use slicing::{Keep, slice_to_budget};
pub use tree::{ContractionTree, Cost};
