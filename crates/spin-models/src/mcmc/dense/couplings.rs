//! The couplings of a dense model, cut into tiles.

use crate::model::PairwiseModel;

/// Spins of a block, and the width of a tile.
pub(crate) const BLOCK: usize = 64;

/// 64 numbers of 32 bits: four registers of 512 bits.
#[repr(C, align(64))]
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row(pub [f32; BLOCK]);

impl Row {
    pub const ZERO: Self = Self([0.0; BLOCK]);
}

/// Twice the couplings of all pairs in 32 bits, in units of the largest coupling or field.
///
/// The tile of blocks b and c holds the couplings of the 64 spins of b with the 64 spins of c, 16 KiB in a row: a tile
/// stays in the first-level cache while all replicas of a group use it.
#[derive(Debug, Clone)]
pub(crate) struct DenseCouplings {
    pub n: usize,
    pub blocks: usize,
    /// Row `r` of tile (b, c) at `(b * blocks + c) * BLOCK + r`. Zero beyond the last spin.
    tiles: Vec<Row>,
    /// The external fields, in the same unit.
    pub external: Vec<Row>,
    /// The unit.
    pub unit: f64,
    /// Bound of all local fields, in the unit.
    pub largest_field: f64,
}

impl DenseCouplings {
    /// `None` for a model without couplings and fields, or whose numbers cannot be scaled.
    ///
    /// `O(N²)` time and memory.
    pub fn new<M: PairwiseModel + ?Sized>(model: &M) -> Option<Self> {
        let n = model.n_spins();
        let blocks = n.div_ceil(BLOCK);
        let (mut unit, mut largest_field) = (0.0f64, 0.0f64);
        for i in 0..n {
            unit = unit.max(model.field(i).abs());
            let mut sum = model.field(i).abs();
            for (_, coupling) in model.neighbors(i) {
                unit = unit.max(coupling.abs());
                sum += coupling.abs();
            }
            largest_field = largest_field.max(sum);
        }
        largest_field /= unit;
        if !(unit.is_normal() && largest_field.is_finite()) {
            return None;
        }
        let mut tiles = vec![Row::ZERO; blocks * blocks * BLOCK];
        let mut external = vec![Row::ZERO; blocks];
        for i in 0..n {
            external[i / BLOCK].0[i % BLOCK] = (model.field(i) / unit) as f32;
            for (j, coupling) in model.neighbors(i) {
                let row = (i / BLOCK * blocks + j / BLOCK) * BLOCK + i % BLOCK;
                tiles[row].0[j % BLOCK] = (2.0 * (coupling / unit)) as f32;
            }
        }
        Some(Self { n, blocks, tiles, external, unit, largest_field })
    }

    /// The 64 rows of tile (b, c).
    #[inline(always)]
    pub fn tile(&self, b: usize, c: usize) -> &[Row; BLOCK] {
        let at = (b * self.blocks + c) * BLOCK;
        self.tiles[at..at + BLOCK].first_chunk().expect("a tile has 64 rows")
    }
}
