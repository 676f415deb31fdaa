//! Errors as bits: syndrome, logical class, stabilizer part.

use linalg_core::Streams;
use linalg_core::gf2::{BitMatrix, BitVec};
use linalg_core::rand::RngExt;

use crate::code::{Decomposition, StabilizerCode};
use crate::error::Result;
use crate::pauli::PauliString;
use crate::shots::{ones, words_per_row};

/// Random orders of the qubits tried for light pure errors.
const TRIALS: usize = 96;

/// The {E, L, S} basis of a code for a network: generators in the order of their positions, light pure errors, and the
/// logical operators that an error applies in the order of a decoder's observables.
///
/// Every error is a product of pure errors $`e_i^{\gamma_i}`$, logical operators $`l_j^{\beta_j}`$ and generators
/// $`g_i^{\alpha_i}`$, and (γ, β, α) is a bijection of all Paulis without phase. The logical bits depend on the choice of
/// pure errors by a linear function of the syndrome, which a network would have to learn: light ones near their check
/// keep it local. They are searched for by Gaussian elimination with the qubits in random order.
///
/// ```
/// use quantum_ec::{code, neural::Basis};
///
/// let code = code::parse("rotated-surface:3")?;
/// let basis = Basis::new(&code);
/// assert_eq!((basis.n_syndrome(), basis.n_logical_bits(), basis.n_gauge()), (8, 2, 8));
/// let (mut syndrome, mut logical, mut gauge) = (vec![0; 8], vec![0; 2], vec![0; 8]);
/// let error = "XIIIYIIIZ".parse()?;
/// basis.coordinates(&error, &mut syndrome, &mut logical, &mut gauge);
/// assert_eq!(basis.error(&syndrome, &logical, &gauge)?.letters(), error.letters());
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Basis {
    decomposition: Decomposition,
    /// Number in the decomposition of the generator that is bit i here.
    order: Vec<usize>,
    /// For every pure error of the decomposition, the coordinates β and α of the light one, as words.
    light: Vec<Vec<u64>>,
    /// Words x, then z, of light pure errors, of logical operators, of generators; in the order of the bits here.
    rows: Vec<Vec<u64>>,
}

impl Basis {
    /// The basis of a code.
    pub fn new(code: &StabilizerCode) -> Self {
        let decomposition = Decomposition::new(code);
        let mut order: Vec<usize> = (0..decomposition.rank()).collect();
        if let Some(layout) = code.layout() {
            let at = |i: usize| layout.checks[decomposition.independent()[i]];
            order.sort_by(|&a, &b| {
                let ([xa, ya, za], [xb, yb, zb]) = (at(a), at(b));
                za.total_cmp(&zb).then(ya.total_cmp(&yb)).then(xa.total_cmp(&xb)).then(a.cmp(&b))
            });
        }
        let errors = light_pure_errors(&decomposition);
        let [wr, wk, _] = decomposition.words();
        let words = |error: &PauliString| [error.x().words(), error.z().words()].concat();
        let light = errors
            .iter()
            .map(|error| {
                let mut out = vec![0; 2 * wr + wk];
                decomposition.decompose_into(error.x().words(), error.z().words(), &mut out);
                out.split_off(wr)
            })
            .collect();
        let operators = (order.iter().map(|&i| &errors[i]))
            .chain(decomposition.logical_x())
            .chain(decomposition.logical_z())
            .chain(order.iter().map(|&i| &decomposition.generators()[i]));
        let rows = operators.map(words).collect();
        Self { decomposition, order, light, rows }
    }

    /// Bits of a syndrome: independent generators.
    pub fn n_syndrome(&self) -> usize {
        self.order.len()
    }

    /// Logical bits, 2k: logical X of every logical qubit, then logical Z.
    pub fn n_logical_bits(&self) -> usize {
        2 * self.decomposition.n_logical()
    }

    /// Bits of the stabilizer part, as many as those of a syndrome.
    pub fn n_gauge(&self) -> usize {
        self.order.len()
    }

    /// The decomposition underneath.
    pub fn decomposition(&self) -> &Decomposition {
        &self.decomposition
    }

    /// For every bit of the syndrome and of the stabilizer part, the generator of the code that it belongs to.
    pub fn generators(&self) -> Vec<usize> {
        self.order.iter().map(|&i| self.decomposition.independent()[i]).collect()
    }

    /// The coordinates of an error as bits.
    ///
    /// # Panics
    /// If the error or a slice has another length.
    pub fn coordinates(&self, error: &PauliString, syndrome: &mut [u8], logical: &mut [u8], gauge: &mut [u8]) {
        let mut words = vec![0; self.decomposition.words().iter().sum()];
        self.coordinates_of_words(error.x().words(), error.z().words(), &mut words);
        let [wr, wk, _] = self.decomposition.words();
        let k = self.decomposition.n_logical();
        let bit = |words: &[u64], i: usize| (words[i / 64] >> (i % 64) & 1) as u8;
        assert_eq!(
            [syndrome.len(), logical.len(), gauge.len()],
            [self.n_syndrome(), 2 * k, self.n_gauge()],
            "bits of syndrome, class and stabilizer part"
        );
        for (j, &i) in self.order.iter().enumerate() {
            (syndrome[j], gauge[j]) = (bit(&words, i), bit(&words[wr + wk..], i));
        }
        for (j, bit_of) in logical.iter_mut().enumerate() {
            *bit_of = bit(&words[wr..], (j + k) % (2 * k));
        }
    }

    /// The coordinates of an error as ±1, bit 0 being +1; `words` is scratch.
    pub(super) fn signs(
        &self,
        x: &[u64],
        z: &[u64],
        words: &mut [u64],
        syndrome: &mut [i8],
        logical: &mut [i8],
        gauge: &mut [i8],
    ) {
        self.coordinates_of_words(x, z, words);
        let [wr, wk, _] = self.decomposition.words();
        let k = self.decomposition.n_logical();
        let sign = |words: &[u64], i: usize| 1 - 2 * (words[i / 64] >> (i % 64) & 1) as i8;
        for (j, &i) in self.order.iter().enumerate() {
            (syndrome[j], gauge[j]) = (sign(words, i), sign(&words[wr + wk..], i));
        }
        for (j, l) in logical.iter_mut().enumerate() {
            *l = sign(&words[wr..], (j + k) % (2 * k));
        }
    }

    /// The words of γ, β, α in the order of the decomposition, with respect to the light pure errors.
    fn coordinates_of_words(&self, x: &[u64], z: &[u64], out: &mut [u64]) {
        self.decomposition.decompose_into(x, z, out);
        let (syndrome, rest) = out.split_at_mut(self.decomposition.words()[0]);
        for i in ones(syndrome) {
            rest.iter_mut().zip(&self.light[i]).for_each(|(a, b)| *a ^= b);
        }
    }

    /// The error with these coordinates, with phase 0.
    ///
    /// # Errors
    /// None for slices of the right lengths.
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn error(&self, syndrome: &[u8], logical: &[u8], gauge: &[u8]) -> Result<PauliString> {
        assert_eq!(
            [syndrome.len(), logical.len(), gauge.len()],
            [self.n_syndrome(), self.n_logical_bits(), self.n_gauge()],
            "bits of syndrome, class and stabilizer part"
        );
        let wn = words_per_row(self.decomposition.n_qubits());
        let mut out = vec![0u64; 2 * wn];
        for (row, _) in self.rows.iter().zip(syndrome.iter().chain(logical).chain(gauge)).filter(|(_, b)| **b != 0) {
            out.iter_mut().zip(row).for_each(|(a, b)| *a ^= b);
        }
        let n = self.decomposition.n_qubits();
        let z = BitVec::from_words(out.split_off(wn), n)?;
        Ok(PauliString::from_bits(BitVec::from_words(out, n)?, z))
    }

    /// Words x, then z, of what bit `bit` of (γ, β, α) stands for.
    pub(super) fn row(&self, bit: usize) -> &[u64] {
        &self.rows[bit]
    }

    /// The bits here of the syndrome of all generators of the code.
    ///
    /// # Errors
    /// [`Error::ImpossibleSyndrome`](crate::Error::ImpossibleSyndrome) where dependent generators contradict each other.
    pub fn reduce(&self, syndrome: &BitVec) -> Result<Vec<u8>> {
        let independent = self.decomposition.reduce_syndrome(syndrome)?;
        Ok(self.order.iter().map(|&i| u8::from(independent.get(i))).collect())
    }
}

/// Pure errors of low weight with the syndromes of those of the decomposition.
fn light_pure_errors(basis: &Decomposition) -> Vec<PauliString> {
    let (n, r) = (basis.n_qubits(), basis.rank());
    let mut best: Vec<PauliString> = basis.pure_errors().to_vec();
    let mut rng = Streams::new(0).stream(0);
    let mut qubits: Vec<usize> = (0..n).collect();
    for _ in 0..TRIALS {
        for i in (1..n).rev() {
            qubits.swap(i, rng.random_range(0..=i as u32) as usize);
        }
        // Columns X, Z of each qubit in this order.
        let ones = basis.generators().iter().enumerate().flat_map(|(i, g)| {
            let seen =
                qubits.iter().enumerate().flat_map(move |(c, &q)| [(2 * c, g.z().get(q)), (2 * c + 1, g.x().get(q))]);
            seen.filter(|(_, seen)| *seen).map(move |(c, _)| (i, c))
        });
        let Ok(matrix) = BitMatrix::from_ones(r, 2 * n, ones) else { return best };
        let factored = matrix.factor();
        let (pivots, transform) = (factored.reduced().pivots(), factored.transform());
        for (i, best) in best.iter_mut().enumerate() {
            let (mut x, mut z) = (BitVec::zeros(n), BitVec::zeros(n));
            for (_, &column) in pivots.iter().enumerate().filter(|(row, _)| transform.get(*row, i)) {
                if column % 2 == 0 { x.set(qubits[column / 2], true) } else { z.set(qubits[column / 2], true) }
            }
            let error = PauliString::from_bits(x, z);
            if error.weight() < best.weight() {
                *best = error;
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::parse;

    #[test]
    fn coordinates_are_a_bijection() {
        for name in ["rotated-surface:3", "unrotated-surface:5", "five-qubit", "toric:3", "bb:72,12,6", "color-666:5"] {
            let code = parse(name).unwrap();
            let basis = Basis::new(&code);
            let (r, k) = (basis.n_syndrome(), basis.n_logical_bits());
            let mut rng = Streams::new(7).stream(0);
            for _ in 0..40 {
                let error = PauliString::random(code.n_qubits(), &mut rng);
                let (mut syndrome, mut logical, mut gauge) = (vec![0; r], vec![0; k], vec![0; r]);
                basis.coordinates(&error, &mut syndrome, &mut logical, &mut gauge);
                assert_eq!(basis.error(&syndrome, &logical, &gauge).unwrap().letters(), error.letters());
                assert_eq!(basis.reduce(&code.syndrome(&error)).unwrap(), syndrome, "{name}");
                // From bits to an error and back.
                let mut bits = |n: usize| (0..n).map(|_| u8::from(rng.random::<bool>())).collect::<Vec<u8>>();
                let wanted = (bits(r), bits(k), bits(r));
                let error = basis.error(&wanted.0, &wanted.1, &wanted.2).unwrap();
                basis.coordinates(&error, &mut syndrome, &mut logical, &mut gauge);
                assert_eq!((syndrome, logical, gauge), wanted, "{name}");
            }
        }
    }

    #[test]
    fn logical_bits_are_what_is_applied() {
        let code = parse("rotated-surface:3").unwrap();
        let basis = Basis::new(&code);
        let (mut syndrome, mut logical, mut gauge) = (vec![0; 8], vec![0; 2], vec![0; 8]);
        for (operator, expected) in [(&code.logical_x()[0], [1, 0]), (&code.logical_z()[0], [0, 1])] {
            basis.coordinates(operator, &mut syndrome, &mut logical, &mut gauge);
            assert_eq!((&syndrome, &logical[..]), (&vec![0; 8], &expected[..]));
            let applied = basis.decomposition().decompose(operator).applied();
            assert_eq!(applied.iter().map(u8::from).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn pure_errors_lead_to_the_nearest_boundary() {
        // Distance 5: no check is further than two qubits from a boundary of its kind.
        for name in ["rotated-surface:5", "unrotated-surface:5"] {
            let errors = light_pure_errors(&Decomposition::new(&parse(name).unwrap()));
            assert!(errors.iter().all(|error| error.weight() <= 3), "{name}");
        }
    }
}
