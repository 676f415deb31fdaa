//! Parts of the state vector on which several operations run while they are in the cache.

use super::program::{Kind, Op};
use super::table::{TILE, Table};

/// An operation as the kernels see it: on the bits of one block.
#[derive(Debug, Clone)]
pub(super) struct Step<V> {
    pub op: Op,
    /// What each bit of the index contributes to the pattern; see [`Op`].
    pub columns: Vec<u16>,
    pub table: Table<V>,
}

impl<V: Copy + Default> Step<V> {
    pub(super) fn new() -> Self {
        Self { op: Op::nothing(), columns: Vec::new(), table: Table::default() }
    }

    /// Takes an operation on the whole vector over to a block with the `free` bits of its index.
    pub(super) fn set(&mut self, op: &Op, columns: &[u16], free: u64) {
        self.op = *op;
        self.columns.clear();
        if free.count_ones() == u32::from(op.bits) {
            self.columns.extend_from_slice(columns);
            return;
        }
        self.op.bits = free.count_ones() as u8;
        self.op.slot = (free & ((1 << op.slot) - 1)).count_ones() as u8;
        let replaced = if op.kind == Kind::Replace { Some(op.slot as usize) } else { None };
        for bit in ones(free).filter(|&bit| Some(bit) != replaced) {
            // The index of a `Replace` is without the bit that is replaced.
            let column = if replaced.is_some_and(|slot| slot < bit) { bit - 1 } else { bit };
            self.columns.push(columns[column]);
        }
    }
}

/// Positions of the ones, ascending.
fn ones(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (word != 0).then(|| word.trailing_zeros() as usize)?;
        word &= word - 1;
        Some(bit)
    })
}

/// The division of a vector into blocks of entries that differ in some bits of their index alone.
#[derive(Debug, Clone)]
pub(super) struct Blocks {
    free: u64,
    length: usize,
    /// Entries that lie side by side.
    run: usize,
    /// Where each run of a block starts.
    offsets: Vec<usize>,
}

impl Blocks {
    /// Blocks of a vector of `length` entries whose index varies in the `free` bits.
    pub(super) fn new(free: u64, length: usize) -> Self {
        let run = 1 << free.trailing_ones();
        let mut offsets = vec![0];
        for bit in ones(free & !(run as u64 - 1)) {
            offsets.extend_from_within(..);
            let half = offsets.len() / 2;
            offsets[half..].iter_mut().for_each(|offset| *offset |= 1 << bit);
        }
        Self { free, length, run, offsets }
    }

    /// Entries of a block.
    pub(super) fn size(&self) -> usize {
        self.run * self.offsets.len()
    }

    /// The first entry of each block.
    pub(super) fn bases(&self) -> impl Iterator<Item = usize> + use<> {
        let (free, length) = (self.free as usize, self.length);
        let mut next = Some(0usize);
        std::iter::from_fn(move || {
            let base = next?;
            let after = ((base | free) + 1) & !free;
            next = (after < length).then_some(after);
            Some(base)
        })
    }

    /// Copies a block out of the vector.
    pub(super) fn gather<V: Copy>(&self, v: &[V], base: usize, block: &mut [V]) {
        for (&offset, run) in self.offsets.iter().zip(block.chunks_exact_mut(self.run)) {
            let start = base | offset;
            copy_run(&v[start..start + self.run], run);
        }
    }

    /// Copies a block back.
    pub(super) fn scatter<V: Copy>(&self, block: &[V], base: usize, v: &mut [V]) {
        for (&offset, run) in self.offsets.iter().zip(block.chunks_exact(self.run)) {
            let start = base | offset;
            copy_run(run, &mut v[start..start + self.run]);
        }
    }

    /// Whether a block lies side by side, so that no copy is needed.
    pub(super) fn contiguous(&self) -> bool {
        self.offsets.len() == 1
    }

    /// The block of an entry and its place there.
    pub(super) fn locate(&self, index: usize) -> (usize, usize) {
        let free = self.free;
        let place = ones(free).enumerate().fold(0, |place, (k, bit)| place | (index >> bit & 1) << k);
        (index & !(free as usize), place)
    }

    /// The entry at a place of a block: the inverse of [`locate`](Self::locate).
    pub(super) fn entry(&self, base: usize, place: usize) -> usize {
        ones(self.free).enumerate().fold(base, |index, (k, bit)| index | (place >> k & 1) << bit)
    }
}

/// Copies a run; those of one cache line without a call.
#[inline(always)]
fn copy_run<V: Copy>(from: &[V], to: &mut [V]) {
    match (<&[V; TILE]>::try_from(from), <&mut [V; TILE]>::try_from(&mut *to)) {
        (Ok(from), Ok(to)) => *to = *from,
        _ => to.copy_from_slice(from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_the_vector_once() {
        let v: Vec<usize> = (0..1 << 7).collect();
        for free in [0b000_0111u64, 0b101_0011, 0b111_1111, 0b100_0000, 0b011_0000] {
            let blocks = Blocks::new(free, v.len());
            let mut seen = vec![0; v.len()];
            let mut copy = vec![0; v.len()];
            let mut block = vec![0; blocks.size()];
            for base in blocks.bases() {
                blocks.gather(&v, base, &mut block);
                for (place, &index) in block.iter().enumerate() {
                    seen[index] += 1;
                    assert_eq!(blocks.locate(index), (base, place));
                    assert_eq!(blocks.entry(base, place), index);
                }
                blocks.scatter(&block, base, &mut copy);
            }
            assert!(seen.iter().all(|&times| times == 1));
            assert_eq!(copy, v);
        }
    }
}
