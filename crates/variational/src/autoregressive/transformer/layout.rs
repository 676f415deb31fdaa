//! Where the parameters of a transformer lie.

use std::ops::Range;

/// Tokens: spin up, spin down, and the one before the first spin.
pub(super) const TOKENS: usize = 3;
pub(super) const START: usize = 2;

/// A linear map `x @ w + b`: w is inputs x outputs, row-major.
#[derive(Debug, Clone)]
pub(super) struct Linear {
    pub inputs: usize,
    pub outputs: usize,
    pub weight: Range<usize>,
    pub bias: Range<usize>,
}

/// Gain and shift of a layer norm.
#[derive(Debug, Clone)]
pub(super) struct Norm {
    pub gain: Range<usize>,
    pub shift: Range<usize>,
}

/// One block.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub norm_1: Norm,
    pub attention: Linear,
    pub mix: Linear,
    pub norm_2: Norm,
    pub expand: Linear,
    pub contract: Linear,
}

/// All parameters, in this order.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub token: Range<usize>,
    pub position: Range<usize>,
    pub blocks: Vec<Block>,
    pub norm: Norm,
    /// The single-bit head; none when the output is tied to the embedding.
    pub head: Option<Linear>,
    /// What each number beside the spins adds to every site, a row of D for each.
    pub globals: Range<usize>,
    pub len: usize,
}

struct Allocator(usize);

impl Allocator {
    fn take(&mut self, size: usize) -> Range<usize> {
        self.0 += size;
        self.0 - size..self.0
    }

    fn linear(&mut self, inputs: usize, outputs: usize) -> Linear {
        Linear { inputs, outputs, weight: self.take(inputs * outputs), bias: self.take(outputs) }
    }

    fn norm(&mut self, dim: usize) -> Norm {
        Norm { gain: self.take(dim), shift: self.take(dim) }
    }
}

impl Layout {
    pub fn new(n: usize, dim: usize, layers: usize, tied: bool, globals: usize) -> Self {
        let mut at = Allocator(0);
        let (token, position) = (at.take(TOKENS * dim), at.take(n * dim));
        let block = |_| Block {
            norm_1: at.norm(dim),
            attention: at.linear(dim, 3 * dim),
            mix: at.linear(dim, dim),
            norm_2: at.norm(dim),
            expand: at.linear(dim, 4 * dim),
            contract: at.linear(4 * dim, dim),
        };
        let blocks = (0..layers).map(block).collect();
        let norm = at.norm(dim);
        let head = (!tied).then(|| at.linear(dim, 1));
        let globals = at.take(globals * dim);
        Self { token, position, blocks, norm, head, globals, len: at.0 }
    }
}
