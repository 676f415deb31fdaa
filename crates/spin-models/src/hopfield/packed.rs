//! Patterns as bits, and sums of integers with their signs.
//!
//! Bit 1 is spin -1. Rows by pattern serve overlaps, rows by spin serve fields.

use linalg_core::gf2::{BitMatrix, BitVec};
use linalg_core::simd::{Work, widest};

use super::Patterns;

const WORD: usize = 64;
/// Spins whose fields are summed side by side: their rows of a thousand patterns fit into the first cache.
const BLOCK: usize = 128;

/// The two packed forms of patterns.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(from = "BitMatrix", into = "BitMatrix"))]
pub(super) struct Packed {
    by_pattern: BitMatrix,
    by_spin: BitMatrix,
}

/// Bits of 64 spins a word.
fn pack(s: &[i8]) -> Vec<u64> {
    let word = |chunk: &[i8]| chunk.iter().enumerate().fold(0, |word, (k, &s)| word | u64::from(s < 0) << k);
    s.chunks(WORD).map(word).collect()
}

/// From rows by pattern.
impl From<BitMatrix> for Packed {
    fn from(by_pattern: BitMatrix) -> Self {
        let by_spin = by_pattern.transpose();
        Self { by_pattern, by_spin }
    }
}

impl From<Packed> for BitMatrix {
    fn from(packed: Packed) -> Self {
        packed.by_pattern
    }
}

impl Packed {
    pub(super) fn new(patterns: &Patterns) -> Self {
        let n = patterns.n_spins();
        let row = |pattern: &[i8]| {
            BitVec::from_words(pack(pattern), n).unwrap_or_else(|error| unreachable!("whole rows: {error}"))
        };
        let rows: Vec<BitVec> = patterns.iter().map(row).collect();
        BitMatrix::from_rows(n, &rows).into()
    }

    pub(super) fn n_spins(&self) -> usize {
        self.by_pattern.n_cols()
    }

    pub(super) fn n_patterns(&self) -> usize {
        self.by_pattern.n_rows()
    }

    /// `ξ_i^μ`.
    pub(super) fn sign(&self, mu: usize, i: usize) -> i8 {
        1 - 2 * i8::from(self.by_pattern.get(mu, i))
    }

    /// The words of spin `i`, a bit for each pattern.
    pub(super) fn spin(&self, i: usize) -> &[u64] {
        self.by_spin.row(i).words()
    }

    /// `Σ_i ξ_i^μ s_i` for every pattern.
    pub(super) fn sums(&self, s: &[i8]) -> Vec<i32> {
        assert_eq!(s.len(), self.n_spins(), "{} spins for a model of {}", s.len(), self.n_spins());
        let s = pack(s);
        let n = self.n_spins() as i32;
        let differ = |row: &[u64]| widest(Distance { a: row, b: &s }) as i32;
        self.by_pattern.rows().map(|row| n - 2 * differ(row.words())).collect()
    }

    /// `Σ_μ ξ_i^μ values[μ]`.
    pub(super) fn signed_sum(&self, i: usize, values: &[i32]) -> i32 {
        widest(SignedSum { words: self.spin(i), values })
    }

    /// `values[μ] += a ξ_i^μ`.
    pub(super) fn add_signed(&self, i: usize, a: i32, values: &mut [i32]) {
        widest(AddSigned { words: self.spin(i), a, values });
    }

    /// Calls `each(i, Σ_μ ξ_i^μ values[μ])` for all spins.
    ///
    /// Eight patterns have 256 sign combinations: their sums are tabulated once, and a spin costs a table look-up for
    /// eight patterns. The tables of 64 patterns fit into the first cache.
    pub(super) fn signed_sums(&self, values: &[i32], mut each: impl FnMut(usize, i32)) {
        let n = self.n_spins();
        if n < 1024 {
            (0..n).for_each(|i| each(i, self.signed_sum(i, values)));
            return;
        }
        let tables: Vec<Tables> = values.chunks(WORD).map(tabulate).collect();
        let mut block = [0i32; BLOCK];
        for first in (0..n).step_by(BLOCK) {
            let size = BLOCK.min(n - first);
            block.fill(0);
            for (k, tables) in tables.iter().enumerate() {
                for (j, sum) in block[..size].iter_mut().enumerate() {
                    let bytes = self.by_spin.row(first + j).words()[k].to_le_bytes();
                    *sum += tables.iter().zip(bytes).map(|(table, byte)| table[usize::from(byte)]).sum::<i32>();
                }
            }
            block[..size].iter().enumerate().for_each(|(j, &sum)| each(first + j, sum));
        }
    }
}

/// Sums of eight values with the signs of a byte, eight bytes of a word.
type Tables = [[i32; 256]; 8];

fn tabulate(values: &[i32]) -> Tables {
    let mut tables = [[0; 256]; 8];
    for (table, values) in tables.iter_mut().zip(values.chunks(8)) {
        table[0] = values.iter().sum();
        for byte in 1..256usize {
            let flipped = values.get(byte.trailing_zeros() as usize).copied().unwrap_or(0);
            table[byte] = table[byte & (byte - 1)] - 2 * flipped;
        }
    }
    tables
}

/// Bits in which two rows differ.
struct Distance<'a> {
    a: &'a [u64],
    b: &'a [u64],
}

impl Work for Distance<'_> {
    type Output = u64;

    #[inline(always)]
    fn run(self) -> u64 {
        self.a.iter().zip(self.b).map(|(a, b)| u64::from((a ^ b).count_ones())).sum()
    }
}

/// 0 for a clear bit, -1 for a set one: `(v ^ mask) - mask` is the value with its sign.
#[inline(always)]
fn mask(half: u32, k: usize) -> i32 {
    -((half >> k & 1) as i32)
}

struct SignedSum<'a> {
    words: &'a [u64],
    values: &'a [i32],
}

impl Work for SignedSum<'_> {
    type Output = i32;

    #[inline(always)]
    fn run(self) -> i32 {
        let (rows, rest) = self.values.as_chunks::<32>();
        let mut sums = [0i32; 32];
        for (half, row) in rows.iter().enumerate() {
            let bits = (self.words[half / 2] >> (32 * (half % 2))) as u32;
            for k in 0..32 {
                let mask = mask(bits, k);
                sums[k] += (row[k] ^ mask) - mask;
            }
        }
        let mut sum: i32 = sums.iter().sum();
        if !rest.is_empty() {
            let bits = (self.words[rows.len() / 2] >> (32 * (rows.len() % 2))) as u32;
            for (k, value) in rest.iter().enumerate() {
                let mask = mask(bits, k);
                sum += (value ^ mask) - mask;
            }
        }
        sum
    }
}

struct AddSigned<'a> {
    words: &'a [u64],
    a: i32,
    values: &'a mut [i32],
}

impl Work for AddSigned<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (rows, rest) = self.values.as_chunks_mut::<32>();
        let n_rows = rows.len();
        for (half, row) in rows.iter_mut().enumerate() {
            let bits = (self.words[half / 2] >> (32 * (half % 2))) as u32;
            for (k, value) in row.iter_mut().enumerate() {
                let mask = mask(bits, k);
                *value += (self.a ^ mask) - mask;
            }
        }
        if !rest.is_empty() {
            let bits = (self.words[n_rows / 2] >> (32 * (n_rows % 2))) as u32;
            for (k, value) in rest.iter_mut().enumerate() {
                let mask = mask(bits, k);
                *value += (self.a ^ mask) - mask;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Spins;
    use linalg_core::Streams;

    /// Sizes around the ends of words and blocks, against plain loops.
    #[test]
    fn packed_sums_are_plain_sums() {
        let mut rng = Streams::new(3).stream(0);
        for (n, p) in [(1, 1), (5, 0), (63, 31), (64, 32), (65, 33), (130, 64), (1024, 65), (1200, 100), (2000, 8)] {
            let patterns = Patterns::random(n, p, &mut rng).unwrap();
            let packed = Packed::new(&patterns);
            let s = Spins::random(n, &mut rng);
            let mut sums = packed.sums(&s);
            let plain: Vec<i32> =
                patterns.iter().map(|x| x.iter().zip(&*s).map(|(&x, &s)| i32::from(x * s)).sum()).collect();
            assert_eq!(sums, plain, "N = {n}, P = {p}");
            let field = |i: usize| (0..p).map(|mu| i32::from(patterns.pattern(mu)[i]) * plain[mu]).sum::<i32>();
            let mut visited = 0;
            packed.signed_sums(&sums, |i, sum| {
                assert_eq!((i, sum), (visited, field(i)), "N = {n}, P = {p}");
                visited += 1;
            });
            assert_eq!(visited, n);
            for i in [0, n / 2, n - 1] {
                assert_eq!(packed.signed_sum(i, &plain), field(i), "N = {n}, P = {p}");
                let before = sums.clone();
                packed.add_signed(i, 7, &mut sums);
                for mu in 0..p {
                    assert_eq!(sums[mu] - before[mu], 7 * i32::from(packed.sign(mu, i)));
                    assert_eq!(packed.sign(mu, i), patterns.pattern(mu)[i]);
                }
            }
        }
    }
}
