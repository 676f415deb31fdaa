//! The fast core: binary machines with `f32` weights in panels, 64 random numbers at a time, bits as masks.
//!
//! Every product of a machine with 0/1 units has a binary side. A product is then a sum of the rows of the weights that
//! belong to the set bits: no multiplication, and the cost follows the number of ones. Rows are cut into panels of 64
//! numbers, which stay in registers while they are summed. Sums run over bits in ascending order for every
//! number by itself, so the results do not depend on threads, batches or the width of the vectors.
#![allow(clippy::needless_range_loop, reason = "loops over indices of fixed length are what vectorises")]

pub(crate) mod bits;
pub(crate) mod lanes;
pub(crate) mod math;
mod matrix;
pub(crate) mod mean_field;
pub(crate) mod shard;
mod upward;

pub use bits::BitRows;
pub(crate) use lanes::Lanes;
pub use matrix::PackedRbm;
pub(crate) use matrix::{Panel, means, sample_mask};

/// Numbers in a panel, bits in a mask.
pub(crate) const WIDTH: usize = 64;

/// Chains, or rows of a batch, that share a generator: the unit of parallel work.
pub(crate) const SHARD: usize = 16;

/// 64 numbers, on a cache line of their own.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(64))]
pub(crate) struct Row(pub [f32; WIDTH]);

impl Row {
    pub(crate) const ZERO: Self = Self([0.0; WIDTH]);
}

/// Cuts numbers into rows, the last one filled up.
pub(crate) fn rows_of(values: impl IntoIterator<Item = f32>, fill: f32) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (k, x) in values.into_iter().enumerate() {
        if k % WIDTH == 0 {
            rows.push(Row([fill; WIDTH]));
        }
        rows[k / WIDTH].0[k % WIDTH] = x;
    }
    rows
}

/// The bits of mask `k` of a layer of `n` units that stand for units.
pub(crate) fn valid(n: usize, k: usize) -> u64 {
    let left = n.saturating_sub(k * WIDTH);
    if left >= WIDTH { u64::MAX } else { (1 << left) - 1 }
}
