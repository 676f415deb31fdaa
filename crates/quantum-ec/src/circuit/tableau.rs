//! The inverse tableau of a stabilizer state, by rows for gates and by columns for collapses.

use super::clifford::SignedPair;
use crate::pauli::Pauli;
use crate::shots::ones;
use linalg_core::gf2::transpose_block;

/// Words that are worked on together.
const LANES: usize = 4;

/// A Pauli operator `sign · Π i^{xz} X^x Z^z` on all qubits: words of x, then words of z.
#[derive(Debug, Clone, Default)]
pub(super) struct Image {
    bits: Vec<u64>,
    pub negative: bool,
    spare: Vec<u64>,
}

impl Image {
    /// The first qubit with X or Y.
    fn first_x(&self) -> Option<usize> {
        let x = &self.bits[..self.bits.len() / 2];
        let word = x.iter().position(|&word| word != 0)?;
        Some(64 * word + x[word].trailing_zeros() as usize)
    }

    /// Whether it is ± a product of Z, which the state |0⟩ has for certain.
    pub(super) fn is_certain(&self) -> bool {
        self.first_x().is_none()
    }

    fn bits_of(&self, q: usize) -> (bool, bool) {
        let bit = |words: &[u64]| words[q / 64] >> (q % 64) & 1 == 1;
        let (x, z) = self.bits.split_at(self.bits.len() / 2);
        (bit(x), bit(z))
    }
}

/// Multiplies from the right; the power of i, modulo 4, that comes out beside the signs.
fn times(left: &mut [u64], right: &[u64]) -> u32 {
    let (x, z) = left.split_at_mut(left.len() / 2);
    let (a, b) = right.split_at(right.len() / 2);
    // A counter modulo 4 in two bits, for every bit of the lanes.
    let (mut ones, mut twos) = ([0u64; LANES], [0u64; LANES]);
    let right = a.chunks_exact(LANES).zip(b.chunks_exact(LANES));
    for ((x, z), (a, b)) in x.chunks_exact_mut(LANES).zip(z.chunks_exact_mut(LANES)).zip(right) {
        for k in 0..LANES {
            let (product_x, product_z, crossing) = (x[k] ^ a[k], z[k] ^ b[k], x[k] & b[k]);
            let anti = crossing ^ (z[k] & a[k]);
            // Anticommuting factors give i for XY, YZ, ZX and -i for the others.
            let minus = product_x ^ product_z ^ crossing;
            twos[k] ^= (ones[k] ^ minus) & anti;
            ones[k] ^= anti;
            (x[k], z[k]) = (product_x, product_z);
        }
    }
    let count = |counter: [u64; LANES]| counter.iter().map(|word| word.count_ones()).sum::<u32>();
    (count(ones) + 2 * count(twos)) % 4
}

/// The images $`U^\dagger X_q U`$ and $`U^\dagger Z_q U`$ at 2q and 2q + 1.
#[derive(Debug, Clone)]
pub(super) struct Tableau {
    n: usize,
    /// Words of x of a row.
    words: usize,
    rows: Vec<u64>,
    /// A bit a row.
    signs: Vec<u64>,
    /// What holds at present: the rows, or the columns.
    by_columns: bool,
    columns: Columns,
}

/// For every qubit of the side of |0⟩ the bits of all rows: a word for each qubit of the first 64 rows, then of the next.
#[derive(Debug, Clone, Default)]
struct Columns {
    x: Vec<u64>,
    z: Vec<u64>,
}

impl Tableau {
    pub(super) fn new(n: usize) -> Self {
        let words = n.div_ceil(64).next_multiple_of(LANES);
        let mut rows = vec![0; 4 * n * words];
        for q in 0..n {
            rows[4 * q * words + q / 64] |= 1 << (q % 64);
            rows[(4 * q + 3) * words + q / 64] |= 1 << (q % 64);
        }
        let signs = vec![0; (2 * n).div_ceil(64)];
        Self { n, words, rows, signs, by_columns: false, columns: Columns::default() }
    }

    fn row(&self, r: usize) -> &[u64] {
        &self.rows[2 * r * self.words..2 * (r + 1) * self.words]
    }

    fn row_mut(&mut self, r: usize) -> &mut [u64] {
        &mut self.rows[2 * r * self.words..2 * (r + 1) * self.words]
    }

    fn sign(&self, r: usize) -> bool {
        self.signs[r / 64] >> (r % 64) & 1 == 1
    }

    fn flip_sign(&mut self, r: usize, flip: bool) {
        self.signs[r / 64] ^= u64::from(flip) << (r % 64);
    }

    /// A Pauli matrix on a qubit.
    pub(super) fn pauli(&mut self, pauli: Pauli, q: usize) {
        self.flip_sign(2 * q, !pauli.commutes_with(Pauli::X));
        self.flip_sign(2 * q + 1, !pauli.commutes_with(Pauli::Z));
    }

    /// The image of a product of matrices on different qubits.
    pub(super) fn image(&self, factors: impl IntoIterator<Item = (u32, Pauli)>, out: &mut Image) {
        let Image { bits, negative, spare } = out;
        bits.clear();
        bits.resize(2 * self.words, 0);
        *negative = false;
        let mut power = 0;
        for (q, pauli) in factors {
            let (x, z) = pauli.bits();
            power += u32::from(x && z);
            for (_, r) in [(x, 2 * q as usize), (z, 2 * q as usize + 1)].into_iter().filter(|(present, _)| *present) {
                let row = if self.by_columns {
                    self.gather(r, spare);
                    &spare[..]
                } else {
                    self.row(r)
                };
                power += times(bits, row);
                *negative ^= self.sign(r);
            }
        }
        debug_assert!(power.is_multiple_of(2), "the image of a Hermitian operator is one");
        *negative ^= power & 2 == 2;
    }

    /// A row out of the columns.
    fn gather(&self, r: usize, out: &mut Vec<u64>) {
        out.clear();
        out.resize(2 * self.words, 0);
        let (x, z) = out.split_at_mut(self.words);
        for (out, bits) in [(x, &self.columns.x), (z, &self.columns.z)] {
            let block = &bits[r / 64 * self.n..(r / 64 + 1) * self.n];
            for (out, words) in out.iter_mut().zip(block.chunks(64)) {
                *out = words.iter().rev().fold(0, |bits, word| bits << 1 | word >> (r % 64) & 1);
            }
        }
    }

    /// The images of generators become products of what they were; those that stay are not touched.
    pub(super) fn unitary(&mut self, images: &[SignedPair], qubits: &[usize]) {
        self.use_rows();
        let place = |k: usize| 2 * qubits[k / 2] + k % 2;
        let generator = |k: usize| {
            let mut paulis = [Pauli::I; 2];
            paulis[k / 2] = [Pauli::X, Pauli::Z][k % 2];
            paulis
        };
        let changed: [bool; 4] = std::array::from_fn(|k| images.get(k).is_some_and(|i| i.paulis != generator(k)));
        // The generators in an image, as bits.
        let mask = |image: &SignedPair| {
            let [(a, b), (c, d)] = image.paulis.map(Pauli::bits);
            [a, b, c, d].into_iter().enumerate().fold(0, |mask, (k, bit)| mask | usize::from(bit) << k)
        };
        let all = (0..4).fold(0, |mask, k| mask | usize::from(changed[k]) << k);
        // A changed generator times unchanged ones can be multiplied in place.
        if images.iter().enumerate().all(|(k, image)| !changed[k] || mask(image) & all == 1 << k) {
            for (k, image) in images.iter().enumerate() {
                let own = place(k);
                let mut power = 0;
                if changed[k] {
                    for (j, pauli) in image.paulis.iter().enumerate() {
                        // Y = i X Z = -i Z X: the own generator comes first.
                        let first_is_z = k == 2 * j + 1;
                        power += if *pauli == Pauli::Y { if first_is_z { 3 } else { 1 } } else { 0 };
                    }
                    for j in (0..4).filter(|&j| j != k && mask(image) >> j & 1 == 1) {
                        let other = place(j);
                        let width = 2 * self.words;
                        let ranges = [own, other].map(|r| r * width..(r + 1) * width);
                        let Ok([left, right]) = self.rows.get_disjoint_mut(ranges) else { continue };
                        power += times(left, right);
                        let sign = self.sign(other);
                        self.flip_sign(own, sign);
                    }
                }
                self.flip_sign(own, power & 2 == 2);
            }
            // Signs of images are those of the new generators: only now.
            images.iter().enumerate().for_each(|(k, image)| self.flip_sign(place(k), image.negative));
            return;
        }
        if let ([first, second], &[q]) = (images, qubits)
            && [first.paulis[0], second.paulis[0]] == [Pauli::Z, Pauli::X]
        {
            let width = 2 * self.words;
            let (x, z) = self.rows[2 * q * width..2 * (q + 1) * width].split_at_mut(width);
            x.swap_with_slice(z);
            let [was_x, was_z] = [self.sign(2 * q), self.sign(2 * q + 1)];
            self.flip_sign(2 * q, was_x ^ was_z ^ first.negative);
            self.flip_sign(2 * q + 1, was_x ^ was_z ^ second.negative);
            return;
        }
        let mut new: [Image; 4] = Default::default();
        for (k, image) in images.iter().enumerate().filter(|(k, _)| changed[*k]) {
            self.image(qubits.iter().zip(image.paulis).map(|(&q, pauli)| (q as u32, pauli)), &mut new[k]);
        }
        // Only now: images are products of the old ones.
        for (k, (image, new)) in images.iter().zip(new).enumerate() {
            let r = place(k);
            if changed[k] {
                self.row_mut(r).copy_from_slice(&new.bits);
                let sign = self.sign(r) ^ new.negative;
                self.flip_sign(r, sign);
            }
            self.flip_sign(r, image.negative);
        }
    }

    /// A square root of a product, with the sign: what anticommutes with it gets a factor ± i times the product.
    pub(super) fn rotate(&mut self, factors: &[(u32, Pauli)], negative: bool) {
        self.use_rows();
        let mut image = Image::default();
        self.image(factors.iter().copied(), &mut image);
        for &(q, pauli) in factors {
            for (k, generator) in [Pauli::X, Pauli::Z].into_iter().enumerate() {
                if !pauli.commutes_with(generator) {
                    let r = 2 * q as usize + k;
                    let mut row = image.bits.clone();
                    let power = 1 + times(&mut row, self.row(r));
                    self.row_mut(r).copy_from_slice(&row);
                    self.flip_sign(r, image.negative ^ negative ^ (power & 2 == 2));
                }
            }
        }
    }

    /// Makes an uncertain operator, given by its image, have an eigenvalue, true for -1.
    pub(super) fn collapse(&mut self, image: &Image, result: bool) {
        let Some(pivot) = image.first_x() else { return };
        self.use_columns();
        let Self { n, signs, columns, .. } = self;
        // On the side of |0⟩: CX from the pivot to all other X of the image, which then has one X.
        let (_, mut turn) = image.bits_of(pivot);
        let mut negative = image.negative;
        for q in ones(&image.bits[..image.bits.len() / 2]).filter(|&q| q != pivot) {
            columns.controlled_x(*n, pivot, q, signs);
            let (_, z) = image.bits_of(q);
            negative ^= z & turn;
            turn ^= z;
        }
        // What is measured is now ± X or ± Y of the pivot, with Z of others, which |0⟩ has for certain. The turn from Y to X
        // leaves |0⟩ alone, too. After H, it is Z of the pivot, and a flip of that qubit makes its sign the result.
        let flip = negative != result;
        for (block, sign) in signs.iter_mut().enumerate() {
            let (x, z) = (&mut columns.x[block * *n + pivot], &mut columns.z[block * *n + pivot]);
            if turn {
                // S† X S = -Y, S† Y S = X.
                *sign ^= *x & !*z;
                *z ^= *x;
            }
            *sign ^= *x & *z;
            std::mem::swap(x, z);
            if flip {
                *sign ^= *z;
            }
        }
    }

    fn use_columns(&mut self) {
        if self.by_columns {
            return;
        }
        self.by_columns = true;
        let Self { n, rows, columns, words, .. } = self;
        let blocks = (2 * *n).div_ceil(64);
        for (part, bits) in [&mut columns.x, &mut columns.z].into_iter().enumerate() {
            bits.resize(blocks * *n, 0);
            for (block, bits) in bits.chunks_exact_mut((*n).max(1)).enumerate() {
                for (at, bits) in bits.chunks_mut(64).enumerate() {
                    let row = |r: usize| if r < 2 * *n { rows[(2 * r + part) * *words + at] } else { 0 };
                    let mut square: [u64; 64] = std::array::from_fn(|k| row(64 * block + k));
                    transpose_block(&mut square);
                    bits.copy_from_slice(&square[..bits.len()]);
                }
            }
        }
    }

    fn use_rows(&mut self) {
        if !self.by_columns {
            return;
        }
        self.by_columns = false;
        let Self { n, rows, columns, words, .. } = self;
        for (part, bits) in [&columns.x, &columns.z].into_iter().enumerate() {
            for (block, bits) in bits.chunks_exact((*n).max(1)).enumerate() {
                for (at, bits) in bits.chunks(64).enumerate() {
                    let mut square = [0; 64];
                    square[..bits.len()].copy_from_slice(bits);
                    transpose_block(&mut square);
                    for (r, word) in (64 * block..2 * *n).zip(square) {
                        rows[(2 * r + part) * *words + at] = word;
                    }
                }
            }
        }
    }

    /// Generators of the stabilizer group of the state, with their signs; `None` if they have more factors than `most`
    /// together.
    pub(super) fn stabilizers(&mut self, most: usize) -> Option<Vec<Stabilizer>> {
        self.use_columns();
        let mut list = Vec::with_capacity(self.n);
        let mut left = most;
        let mut column = Vec::new();
        for i in 0..self.n {
            column.clear();
            column.extend(self.columns.x.iter().skip(i).step_by(self.n));
            // U Z_i U† holds X_q where the image of Z_q holds X_i, and Z_q where that of X_q does.
            let mut factors: Vec<(u32, Pauli)> = Vec::new();
            for r in ones(&column) {
                let (q, pauli) = ((r / 2) as u32, if r % 2 == 0 { Pauli::Z } else { Pauli::X });
                match factors.last_mut() {
                    Some((last, both)) if *last == q => *both = Pauli::Y,
                    _ => factors.push((q, pauli)),
                }
            }
            left = left.checked_sub(factors.len())?;
            list.push(Stabilizer { factors, negative: false });
        }
        self.use_rows();
        let mut image = Image::default();
        for stabilizer in &mut list {
            self.image(stabilizer.factors.iter().copied(), &mut image);
            stabilizer.negative = image.negative;
        }
        Some(list)
    }

    /// Whether the state has all these.
    pub(super) fn is_stabilized_by(&mut self, list: &[Stabilizer]) -> bool {
        self.use_rows();
        let mut image = Image::default();
        list.iter().all(|stabilizer| {
            self.image(stabilizer.factors.iter().copied(), &mut image);
            image.is_certain() && image.negative == stabilizer.negative
        })
    }
}

/// A Pauli operator with an eigenvalue for certain, -1 if it is negative.
#[derive(Debug, Clone)]
pub(super) struct Stabilizer {
    factors: Vec<(u32, Pauli)>,
    negative: bool,
}

impl Columns {
    /// Conjugates all rows by CX.
    fn controlled_x(&mut self, n: usize, control: usize, target: usize, signs: &mut [u64]) {
        let blocks = self.x.chunks_exact_mut(n).zip(self.z.chunks_exact_mut(n));
        for (sign, (x, z)) in signs.iter_mut().zip(blocks) {
            *sign ^= x[control] & z[target] & !(x[target] ^ z[control]);
            x[target] ^= x[control];
            z[control] ^= z[target];
        }
    }
}
