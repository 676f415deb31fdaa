//! Transposition in 64 x 64 blocks.

use super::bitmatrix::BitMatrix;

/// Transposes a 64 x 64 block: bit j of word i goes to bit i of word j.
///
/// In step s the off-diagonal squares of side s of every diagonal square of side 2 s are exchanged, for s = 32, 16, …, 1:
/// 192 exchanges of two words.
///
/// ```
/// use linalg_core::gf2::transpose_block;
///
/// let mut block = [0; 64];
/// block[3] = 1 << 7 | 1;
/// transpose_block(&mut block);
/// assert_eq!((block[0], block[7]), (1 << 3, 1 << 3));
/// ```
pub fn transpose_block(block: &mut [u64; 64]) {
    let mut side = 32;
    // The columns of the left half of every square of side 2 s.
    let mut left = u64::MAX >> 32;
    while side != 0 {
        let mut i = 0;
        while i < 64 {
            let swap = ((block[i] >> side) ^ block[i + side]) & left;
            block[i] ^= swap << side;
            block[i + side] ^= swap;
            // The next row in the upper half of its square.
            i = (i + side + 1) & !side;
        }
        side /= 2;
        left ^= left << side;
    }
}

pub(super) fn transpose(matrix: &BitMatrix) -> BitMatrix {
    let mut out = BitMatrix::zeros(matrix.n_cols(), matrix.n_rows());
    let (from, to) = (matrix.stride(), out.stride());
    let source = matrix.all_words();
    let target = out.all_words_mut();
    let mut block = [0; 64];
    for row_block in 0..to {
        let n_rows = 64.min(matrix.n_rows() - 64 * row_block);
        for column_block in 0..from {
            block.fill(0);
            for (k, word) in block.iter_mut().take(n_rows).enumerate() {
                *word = source[(64 * row_block + k) * from + column_block];
            }
            transpose_block(&mut block);
            let n_cols = 64.min(matrix.n_cols() - 64 * column_block);
            for (k, &word) in block.iter().take(n_cols).enumerate() {
                target[(64 * column_block + k) * to + row_block] = word;
            }
        }
    }
    out
}
