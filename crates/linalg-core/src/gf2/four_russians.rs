//! The method of four Russians: sums of rows through tables of all sums of a few rows.
//!
//! Everything rests on one operation, [`Combiner::add`]: to each of many rows add the combination of 64 basis rows
//! that a 64-bit selector names. The selectors are cut into bytes (nibbles when there are few rows), the 256 sums of
//! the basis rows of each byte are tabulated in Gray-code order with one addition each, and a row takes one table
//! entry a byte. Columns are done in blocks, so that the tables stay in the second-level cache.

use super::bitmatrix::BitMatrix;
use super::bitvec::{tail_mask, xor_words};

/// Words of a row in one block. Eight tables of 256 entries of this width take 1 MiB; half the width is 20 % slower
/// where the second-level cache has 2 MiB, twice the width no faster.
const BLOCK: usize = 64;

/// Below this number of rows adding the selected basis rows one by one is cheaper than any table: 32 additions a row
/// on average against 256 table entries and 16 additions a row.
const FEW_ROWS: usize = 16;

/// From this number of rows on tables of bytes (2048 entries, 8 additions a row) beat tables of nibbles.
const MANY_ROWS: usize = 224;

/// Which rows an elimination clears above and below a pivot.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Only the rows below: enough for the rank.
    Echelon,
    /// All other rows: the reduced row echelon form.
    Reduced,
}

/// Adds combinations of up to 64 basis rows to many rows; owns the tables.
pub(super) struct Combiner {
    tables: Vec<u64>,
}

impl Combiner {
    pub(super) fn new() -> Self {
        Self { tables: Vec::new() }
    }

    /// For every row i of `target` and every bit c of `selectors[i]` adds basis row c to row i.
    ///
    /// `target` holds `selectors.len()` rows of `stride` words, of which the words from `first` on take part; `basis`
    /// holds 64 rows of `stride - first` words. Basis rows outside `mask` are zero.
    pub(super) fn add(
        &mut self,
        target: &mut [u64],
        stride: usize,
        first: usize,
        selectors: &[u64],
        basis: &[u64],
        mask: u64,
    ) {
        let width = stride - first;
        debug_assert_eq!(target.len(), selectors.len() * stride);
        debug_assert_eq!(basis.len(), 64 * width);
        if width == 0 {
            return;
        }
        if selectors.len() < FEW_ROWS {
            for (row, &selector) in target.chunks_exact_mut(stride).zip(selectors) {
                let mut bits = selector & mask;
                while bits != 0 {
                    let c = bits.trailing_zeros() as usize;
                    bits &= bits - 1;
                    xor_words(&mut row[first..], &basis[c * width..][..width]);
                }
            }
        } else if selectors.len() < MANY_ROWS {
            self.add_tabulated::<4>(target, stride, first, selectors, basis, mask);
        } else {
            self.add_tabulated::<8>(target, stride, first, selectors, basis, mask);
        }
    }

    /// [`Self::add`] with tables of `2^BITS` entries.
    fn add_tabulated<const BITS: usize>(
        &mut self,
        target: &mut [u64],
        stride: usize,
        first: usize,
        selectors: &[u64],
        basis: &[u64],
        mask: u64,
    ) {
        let width = stride - first;
        // Digits of the selector without a basis row need no table.
        let digits: Vec<usize> = (0..64 / BITS).filter(|d| mask >> (d * BITS) & ((1 << BITS) - 1) != 0).collect();
        for start in (0..width).step_by(BLOCK) {
            let block = BLOCK.min(width - start);
            let entries = block << BITS;
            self.tables.clear();
            self.tables.resize(digits.len() * entries, 0);
            for (table, digit) in self.tables.chunks_exact_mut(entries).zip(&digits) {
                fill_table::<BITS>(table, &basis[digit * BITS * width + start..], width, block);
            }
            let mut tables = &self.tables[..];
            let mut digits = &digits[..];
            while !digits.is_empty() {
                let now = match digits.len() {
                    8.. => 8,
                    4.. => 4,
                    2.. => 2,
                    _ => 1,
                };
                let (these, rest) = tables.split_at(now * entries);
                let (group, other) = digits.split_at(now);
                let rows = target.chunks_exact_mut(stride).map(|row| &mut row[first + start..][..block]).zip(selectors);
                match now {
                    8 => add_entries::<BITS, 8>(rows, these, block, group),
                    4 => add_entries::<BITS, 4>(rows, these, block, group),
                    2 => add_entries::<BITS, 2>(rows, these, block, group),
                    _ => add_entries::<BITS, 1>(rows, these, block, group),
                }
                (tables, digits) = (rest, other);
            }
        }
    }
}

/// Entry x of the table becomes the sum of the basis rows named by the bits of x, each entry from its predecessor in
/// Gray-code order by one addition.
fn fill_table<const BITS: usize>(table: &mut [u64], basis: &[u64], width: usize, block: usize) {
    let mut previous = 0;
    for k in 1..1usize << BITS {
        let gray = k ^ (k >> 1);
        let row = &basis[k.trailing_zeros() as usize * width..][..block];
        let (low, high) = table.split_at_mut(previous.max(gray) * block);
        let (from, to) = if previous < gray {
            (&low[previous * block..][..block], &mut high[..block])
        } else {
            (&high[..block], &mut low[gray * block..][..block])
        };
        for ((t, f), r) in to.iter_mut().zip(from).zip(row) {
            *t = f ^ r;
        }
        previous = gray;
    }
}

/// Adds to every row its entry of each of `N` tables.
#[inline]
fn add_entries<'a, const BITS: usize, const N: usize>(
    rows: impl Iterator<Item = (&'a mut [u64], &'a u64)>,
    tables: &[u64],
    block: usize,
    digits: &[usize],
) {
    let entries = block << BITS;
    let tables: [&[u64]; N] = std::array::from_fn(|k| &tables[k * entries..][..entries]);
    let shifts: [usize; N] = std::array::from_fn(|k| digits[k] * BITS);
    for (row, &selector) in rows {
        let picked: [&[u64]; N] = std::array::from_fn(|k| {
            let x = (selector >> shifts[k]) as usize & ((1 << BITS) - 1);
            &tables[k][x * block..][..block]
        });
        add_rows(row, picked);
    }
}

/// Adds `N` rows to one, in steps that the compiler turns into vector instructions.
#[inline]
fn add_rows<const N: usize>(row: &mut [u64], picked: [&[u64]; N]) {
    const STEP: usize = 8;
    let (steps, rest) = row.as_chunks_mut::<STEP>();
    let done = STEP * steps.len();
    let chunks: [&[[u64; STEP]]; N] = picked.map(|p| &p.as_chunks::<STEP>().0[..steps.len()]);
    for (j, step) in steps.iter_mut().enumerate() {
        let mut sum = *step;
        for chunk in &chunks {
            for (s, x) in sum.iter_mut().zip(&chunk[j]) {
                *s ^= x;
            }
        }
        *step = sum;
    }
    for (j, word) in rest.iter_mut().enumerate() {
        for p in &picked {
            *word ^= p[done + j];
        }
    }
}

/// Up to 64 independent rows of a 64-column strip, in reduced row echelon form.
struct StripBasis {
    /// The reduced row whose pivot is column c, zero if there is none.
    value: [u64; 64],
    /// Which of the rows found add up to it: bit k is the k-th row found.
    combination: [u64; 64],
    /// The pivot columns.
    pivots: u64,
    /// The rows found, ascending.
    found: Vec<usize>,
}

impl StripBasis {
    fn new() -> Self {
        Self { value: [0; 64], combination: [0; 64], pivots: 0, found: Vec::with_capacity(64) }
    }

    /// Takes row `i`, whose strip is `value`, into the basis if it is independent of it.
    fn offer(&mut self, i: usize, mut value: u64) {
        let mut combination = 0;
        let mut hits = value & self.pivots;
        while hits != 0 {
            let c = hits.trailing_zeros() as usize;
            hits &= hits - 1;
            value ^= self.value[c];
            combination ^= self.combination[c];
        }
        if value == 0 {
            return;
        }
        combination |= 1 << self.found.len();
        self.found.push(i);
        let pivot = value.trailing_zeros();
        let mut others = self.pivots;
        while others != 0 {
            let c = others.trailing_zeros() as usize;
            others &= others - 1;
            if self.value[c] >> pivot & 1 == 1 {
                self.value[c] ^= value;
                self.combination[c] ^= combination;
            }
        }
        self.value[pivot as usize] = value;
        self.combination[pivot as usize] = combination;
        self.pivots |= 1 << pivot;
    }
}

/// Brings the matrix to (reduced) row echelon form with pivots among the first `pivot_columns` columns; the other
/// columns are carried along. Returns the pivot columns.
///
/// A strip of 64 columns at a time: independent rows of the strip are found among the rows without a pivot, reduced
/// among themselves, moved up, and then added to all other rows at once. What must be added to a row is read off its
/// own bits at the pivot columns, because the pivot rows are a unit matrix there.
pub(super) fn eliminate(matrix: &mut BitMatrix, pivot_columns: usize, form: Form) -> Vec<usize> {
    let (n_rows, stride) = (matrix.n_rows(), matrix.stride());
    let words = matrix.all_words_mut();
    let mut combiner = Combiner::new();
    let mut pivots = Vec::new();
    let mut basis = Vec::new();
    let mut originals = Vec::new();
    let mut selectors = vec![0; n_rows];
    for strip in 0..pivot_columns.div_ceil(64) {
        let rank = pivots.len();
        if rank == n_rows {
            break;
        }
        let columns = if strip == pivot_columns / 64 { tail_mask(pivot_columns) } else { u64::MAX };
        let mut found = StripBasis::new();
        for i in rank..n_rows {
            found.offer(i, words[i * stride + strip] & columns);
            if found.pivots == columns {
                break;
            }
        }
        let n_found = found.found.len();
        if n_found == 0 {
            continue;
        }

        // The pivot rows, reduced among themselves; row c of `basis` is that with its pivot in column c of the strip.
        let width = stride - strip;
        originals.clear();
        originals.resize(64 * width, 0);
        for (to, &i) in originals.chunks_exact_mut(width).zip(&found.found) {
            to.copy_from_slice(&words[i * stride + strip..][..width]);
        }
        basis.clear();
        basis.resize(64 * width, 0);
        let used = u64::MAX >> (64 - n_found);
        combiner.add(&mut basis, width, 0, &found.combination, &originals, used);

        // They go to the rows from `rank` on; the rows in their way fill the gaps they leave.
        let top = rank + n_found;
        let below = found.found.iter().copied().filter(|&i| i >= top);
        let displaced = (rank..top).filter(|i| found.found.binary_search(i).is_err());
        for (gap, i) in below.zip(displaced) {
            words.copy_within(i * stride + strip..(i + 1) * stride, gap * stride + strip);
        }
        for (i, selector) in selectors.iter_mut().enumerate() {
            *selector = words[i * stride + strip];
        }
        let mut remaining = found.pivots;
        for i in rank..top {
            let c = remaining.trailing_zeros() as usize;
            remaining &= remaining - 1;
            pivots.push(64 * strip + c);
            words[i * stride + strip..(i + 1) * stride].copy_from_slice(&basis[c * width..][..width]);
            selectors[i] = 0;
        }

        let from = match form {
            Form::Echelon => top,
            Form::Reduced => 0,
        };
        let (rows, selectors) = (&mut words[from * stride..], &selectors[from..]);
        combiner.add(rows, stride, strip, selectors, &basis, found.pivots);
    }
    pivots
}

/// The product `a b`.
pub(super) fn multiply(a: &BitMatrix, b: &BitMatrix) -> BitMatrix {
    let mut product = BitMatrix::zeros(a.n_rows(), b.n_cols());
    let stride = b.stride();
    let mut combiner = Combiner::new();
    let mut basis = vec![0; 64 * stride];
    let mut selectors = vec![0; a.n_rows()];
    for strip in 0..a.stride() {
        let rows = 64.min(b.n_rows() - 64 * strip);
        let (used, unused) = basis.split_at_mut(rows * stride);
        used.copy_from_slice(&b.all_words()[64 * strip * stride..][..rows * stride]);
        unused.fill(0);
        for (i, selector) in selectors.iter_mut().enumerate() {
            *selector = a.all_words()[i * a.stride() + strip];
        }
        let mask = u64::MAX >> (64 - rows);
        combiner.add(product.all_words_mut(), stride, 0, &selectors, &basis, mask);
    }
    product
}
