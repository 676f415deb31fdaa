//! Rows of lanes: the same number of L shots side by side.
//!
//! All arithmetic is a loop over `[f32; L]`, which the compiler turns into vector instructions. Every operation is rounded by
//! itself and in the same order for any L, so a shot gives the same bits in any lane of any width.

/// L numbers, a shot each.
pub(super) type Lane<const L: usize> = [f32; L];

/// L words, a shot each; signs of numbers in the highest bit.
pub(super) type Mask<const L: usize> = [u32; L];

/// The sign of a number.
pub(super) const SIGN: u32 = 1 << 31;

/// Rows start at this many bytes.
const ALIGNMENT: usize = 64;

/// Rows of `L` values, the first of which begins a cache line.
#[derive(Debug)]
pub(super) struct Rows<T, const L: usize> {
    data: Vec<T>,
    start: usize,
    n: usize,
}

impl<T: Copy + Default, const L: usize> Rows<T, L> {
    pub(super) fn new(n: usize) -> Self {
        let mut data = vec![T::default(); n * L + ALIGNMENT / size_of::<T>()];
        let start = data.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT / size_of::<T>());
        data.truncate(start + n * L);
        Self { data, start, n }
    }

    #[inline(always)]
    pub(super) fn get(&self) -> &[[T; L]] {
        self.data[self.start..self.start + self.n * L].as_chunks().0
    }

    #[inline(always)]
    pub(super) fn get_mut(&mut self) -> &mut [[T; L]] {
        self.data[self.start..self.start + self.n * L].as_chunks_mut().0
    }
}

impl<T: Copy + Default, const L: usize> Clone for Rows<T, L> {
    fn clone(&self) -> Self {
        let mut out = Self::new(self.n);
        out.get_mut().copy_from_slice(self.get());
        out
    }
}

#[inline(always)]
pub(super) fn map<A: Copy, B: Copy + Default, const L: usize>(a: &[A; L], f: impl Fn(A) -> B) -> [B; L] {
    let mut out = [B::default(); L];
    for l in 0..L {
        out[l] = f(a[l]);
    }
    out
}

#[inline(always)]
pub(super) fn zip<A: Copy, B: Copy, C: Copy + Default, const L: usize>(
    a: &[A; L],
    b: &[B; L],
    f: impl Fn(A, B) -> C,
) -> [C; L] {
    let mut out = [C::default(); L];
    for l in 0..L {
        out[l] = f(a[l], b[l]);
    }
    out
}

#[inline(always)]
pub(super) fn add<const L: usize>(a: &Lane<L>, b: &Lane<L>) -> Lane<L> {
    zip(a, b, |a, b| a + b)
}

#[inline(always)]
pub(super) fn sub<const L: usize>(a: &Lane<L>, b: &Lane<L>) -> Lane<L> {
    zip(a, b, |a, b| a - b)
}

#[inline(always)]
pub(super) fn bits<const L: usize>(a: &Lane<L>) -> Mask<L> {
    map(a, f32::to_bits)
}

#[inline(always)]
pub(super) fn xor<const L: usize>(a: &Mask<L>, b: &Mask<L>) -> Mask<L> {
    zip(a, b, |a, b| a ^ b)
}

#[inline(always)]
pub(super) fn or<const L: usize>(a: &Mask<L>, b: &Mask<L>) -> Mask<L> {
    zip(a, b, |a, b| a | b)
}

/// Replaces the lanes whose mask is all ones.
#[inline(always)]
pub(super) fn replace<const L: usize>(row: &mut Lane<L>, mask: &Mask<L>, with: f32) {
    for l in 0..L {
        row[l] = f32::from_bits(row[l].to_bits() & !mask[l] | with.to_bits() & mask[l]);
    }
}

/// Clears the lanes whose mask is all ones.
#[inline(always)]
pub(super) fn clear<const L: usize>(row: &mut Mask<L>, mask: &Mask<L>) {
    for l in 0..L {
        row[l] &= !mask[l];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_begin_cache_lines() {
        for n in [0, 1, 5, 1000] {
            let rows = Rows::<f32, 16>::new(n).clone();
            assert_eq!(rows.get().len(), n);
            assert!(n == 0 || rows.get().as_ptr().addr().is_multiple_of(ALIGNMENT));
        }
    }

    #[test]
    fn lanes_are_replaced_by_mask() {
        let mut row = [1.0, -2.0, 3.0];
        replace(&mut row, &[0, !0, 0], 7.5);
        assert_eq!(row.map(f32::to_bits), [1.0f32, 7.5, 3.0].map(f32::to_bits));
        let mut mask = [5, 6, 7];
        clear(&mut mask, &[!0, 0, !0]);
        assert_eq!(mask, [0, 6, 0]);
    }
}
