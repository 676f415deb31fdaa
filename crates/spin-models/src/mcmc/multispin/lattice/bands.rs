//! Parts of a lattice that are updated by one thread each.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::super::simd::{BITS, Block};
use super::bonds::Lattice;
use super::propose::{Other, Window};
use super::strings::Published;
use super::sweep::STRIPE;

/// A range of blocks of both colours, with a copy of what its sites read of other bands.
///
/// Bands are whole stripes, and whole rows where the lattice is [plain](Lattice::is_plain).
#[derive(Debug, Clone)]
pub(super) struct Band {
    pub(super) blocks: Range<usize>,
    /// Blocks that are read of the bands before and after.
    reach: usize,
    views: [View; 2],
}

/// What the other colour reads of one.
#[derive(Debug, Clone)]
enum View {
    /// The rows before and after those of the band.
    Rows { before: Vec<Block>, after: Vec<Block> },
    /// All of them.
    String(Published),
}

impl Band {
    /// Cuts a lattice into at most `n` bands, as equal as they can be.
    pub(super) fn cut(lattice: &Lattice, n: usize) -> Vec<Self> {
        let total = lattice.geometry.blocks();
        let reach = reach(lattice);
        let piece = if lattice.is_plain() { least_common_multiple(STRIPE, reach) } else { STRIPE };
        let pieces = total.div_ceil(piece);
        // Fewer if one would be shorter than what is read of it.
        let cuts = |n: usize| (0..=n).map(move |k| (k * pieces / n * piece).min(total));
        let fits = |&n: &usize| n == 1 || cuts(n).zip(cuts(n).skip(1)).all(|(start, end)| end - start >= reach);
        let n = (1..=n.min(pieces)).rev().find(fits).unwrap_or(1);
        cuts(n).zip(cuts(n).skip(1)).map(|(start, end)| Self::new(lattice, start..end)).collect()
    }

    fn new(lattice: &Lattice, blocks: Range<usize>) -> Self {
        let reach = reach(lattice).min(blocks.len());
        let view = || {
            if lattice.is_plain() {
                View::Rows { before: vec![Block::ZERO; reach], after: vec![Block::ZERO; reach] }
            } else {
                View::String(Published::new(lattice.geometry, blocks.clone()))
            }
        };
        Self { views: [view(), view()], reach, blocks }
    }

    /// The stripes of the band.
    pub(super) fn stripes(&self) -> Range<usize> {
        self.blocks.start / STRIPE..self.blocks.end.div_ceil(STRIPE)
    }

    /// How sites see those of colour `color`, of which `own` are the spins of this band.
    pub(super) fn other<'a>(&'a self, color: usize, own: &'a [Block]) -> Other<'a> {
        match &self.views[color] {
            View::Rows { before, after } => Other::Rows(Window { first: self.blocks.start, before, rows: own, after }),
            View::String(published) => Other::String(published),
        }
    }

    /// Brings the view of a colour up to date, for the only band of a lattice.
    pub(super) fn publish(&mut self, color: usize, own: &[Block]) {
        let reach = self.reach;
        self.views[color].copy(own);
        self.views[color].surround(&own[own.len() - reach..], &own[..reach]);
    }

    /// The same for every band.
    pub(super) fn publish_all(bands: &mut [Self], spins: &[Vec<Block>; 2]) {
        let ends: Vec<Range<usize>> = bands.iter().map(|band| band.blocks.clone()).collect();
        for (k, band) in bands.iter_mut().enumerate() {
            let [before, after] = neighbors(k, ends.len()).map(|k| ends[k].clone());
            for (view, spins) in band.views.iter_mut().zip(spins) {
                view.copy(&spins[band.blocks.clone()]);
                let (end, start) = (before.end, after.start);
                view.surround(&spins[end - band.reach..end], &spins[start..start + band.reach]);
            }
        }
    }

    /// The first half of bringing a view up to date where there are several bands: shows the others what they read.
    pub(super) fn give(&mut self, color: usize, own: &[Block], edges: &Edges) {
        let reach = self.reach;
        put(&edges.first, &own[..reach]);
        put(&edges.last, &own[own.len() - reach..]);
        self.views[color].copy(own);
    }

    /// The second half, after all have done the first: looks at the others.
    pub(super) fn take(&mut self, color: usize, before: &Edges, after: &Edges) {
        let (before, after) = (lock(&before.last), lock(&after.first));
        self.views[color].surround(&before, &after);
    }
}

/// The bands before and after one of `n`.
pub(super) fn neighbors(k: usize, n: usize) -> [usize; 2] {
    [(k + n - 1) % n, (k + 1) % n]
}

impl View {
    fn copy(&mut self, own: &[Block]) {
        if let Self::String(published) = self {
            published.copy(own);
        }
    }

    fn surround(&mut self, last_before: &[Block], first_after: &[Block]) {
        match self {
            Self::Rows { before, after } => {
                before.copy_from_slice(last_before);
                after.copy_from_slice(first_after);
            }
            Self::String(published) => published.surround(last_before, first_after),
        }
    }
}

/// The blocks at both ends of a band and of one colour, to be read by the neighbours. Nobody has to wait for a lock:
/// barriers keep writing and reading apart.
#[derive(Default)]
pub(super) struct Edges {
    first: Mutex<Vec<Block>>,
    last: Mutex<Vec<Block>>,
}

fn lock(edge: &Mutex<Vec<Block>>) -> std::sync::MutexGuard<'_, Vec<Block>> {
    edge.lock().unwrap_or_else(PoisonError::into_inner)
}

fn put(edge: &Mutex<Vec<Block>>, blocks: &[Block]) {
    let mut edge = lock(edge);
    edge.clear();
    edge.extend_from_slice(blocks);
}

/// Blocks that may be read before and after a band: a row, or as many as hold one wherever it begins.
fn reach(lattice: &Lattice) -> usize {
    let blocks = lattice.geometry.margin().div_ceil(BITS);
    if lattice.is_plain() { blocks } else { blocks + 1 }
}

fn least_common_multiple(a: usize, b: usize) -> usize {
    let (mut x, mut y) = (a, b);
    while y > 0 {
        (x, y) = (y, x % y);
    }
    a / x * b
}
