//! The {E, L, S} decomposition: pure errors, logical operators, stabilizers.

use linalg_core::gf2::BitVec;

use super::stabilizer::StabilizerCode;
use super::symplectic;
use crate::error::{Error, Result};
use crate::pauli::PauliString;
use crate::shots::{ones, words_per_row};

/// The coordinates of an error: what it does to the checks, to the logical qubits, and nothing at all.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Coordinates {
    /// γ: bit i tells whether the error anticommutes with independent generator i.
    pub syndrome: BitVec,
    /// β: bits $`\beta^x_0, \dots, \beta^x_{k-1}, \beta^z_0, \dots, \beta^z_{k-1}`$; $`\beta^x_i`$ tells whether the
    /// error anticommutes with logical $`X_i`$, so that it holds logical $`Z_i`$.
    pub logical: BitVec,
    /// α: bit i tells whether the error anticommutes with pure error i, so that it holds generator i.
    pub gauge: BitVec,
}

impl Coordinates {
    /// $`\sum_j \beta_j 2^j`$; `None` beyond 64 bits.
    ///
    /// This is not the number of the class in a decoder: decoders number classes by [`applied`](Self::applied), the same
    /// bits with the halves exchanged, which [`decoder_class`](Self::decoder_class) gives.
    pub fn class_index(&self) -> Option<u64> {
        index(&self.logical)
    }

    /// The number of the class in a decoder, $`\sum_j a_j 2^j`$ with a the bits of [`applied`](Self::applied); `None` beyond
    /// 64 bits.
    ///
    /// ```
    /// use quantum_ec::{Decomposition, StabilizerCode};
    ///
    /// let basis = Decomposition::new(&StabilizerCode::from_text(&["ZZI", "IZZ"])?);
    /// // Logical X: it anticommutes with logical Z, bit 1 of β.
    /// let all = basis.decompose(&"XXX".parse()?);
    /// assert_eq!((all.decoder_class(), all.class_index()), (Some(1), Some(2)));
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    pub fn decoder_class(&self) -> Option<u64> {
        index(&self.applied())
    }

    /// The logical operators that the error holds: bit i for logical $`X_i`$, bit k + i for logical $`Z_i`$. The same
    /// bits as β with the halves exchanged.
    pub fn applied(&self) -> BitVec {
        let k = self.logical.len() / 2;
        (0..2 * k).map(|j| self.logical.get((j + k) % (2 * k))).collect()
    }
}

/// The number with these bits, the first the lowest.
fn index(bits: &BitVec) -> Option<u64> {
    match bits.words() {
        [] => Some(0),
        [word] => Some(*word),
        _ => None,
    }
}

/// A basis of all Pauli operators that suits a code: pure errors, logical operators and generators.
///
/// There are r independent generators $`g_i`$, r pure errors $`e_i`$ and k logical pairs; all commute except
///
/// ```math
/// e_i\, g_i = - g_i\, e_i, \qquad l^x_i\, l^z_i = - l^z_i\, l^x_i .
/// ```
///
/// Every error is, up to a phase, a product
///
/// ```math
/// E = \prod_i e_i^{\gamma_i} \prod_i (l^z_i)^{\beta^x_i} (l^x_i)^{\beta^z_i} \prod_i g_i^{\alpha_i},
/// ```
///
/// where γ, β and α tell with which $`g`$, $`l`$ and $`e`$ it anticommutes. (The slides print α of one line as γ.)
/// Both directions add a row of words for each one of their input: at most $`2n \cdot (2n/64 + 3)`$ operations.
///
/// ```
/// use quantum_ec::{Decomposition, StabilizerCode};
///
/// let code = StabilizerCode::from_text(&["ZZI", "IZZ"])?;
/// let basis = Decomposition::new(&code);
/// let flip = basis.decompose(&"XII".parse()?);
/// assert_eq!(flip.syndrome.to_string(), "10");
/// let all = basis.decompose(&"XXX".parse()?);
/// // Undetected, and it anticommutes with logical Z: logical X was applied.
/// assert_eq!((all.syndrome.to_string(), all.logical.to_string(), all.applied().to_string()),
///     ("00".into(), "01".into(), "10".into()));
/// assert_eq!(basis.compose(&all)?.letters(), "XXX");
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Decomposition {
    n_qubits: usize,
    independent: Vec<usize>,
    relations: Vec<Vec<usize>>,
    generators: Vec<PauliString>,
    pure_errors: Vec<PauliString>,
    logical_x: Vec<PauliString>,
    logical_z: Vec<PauliString>,
    /// A row for X and one for Z on each qubit: words of γ, then β, then α.
    forth: Vec<u64>,
    /// A row for each bit of γ, β, α: words of x, then z.
    back: Vec<u64>,
}

impl Decomposition {
    /// The basis of a code, with the code's own logical operators; about $`n^3/64`$ operations.
    pub fn new(code: &StabilizerCode) -> Self {
        let n = code.n_qubits();
        let generators: Vec<PauliString> = code.independent().iter().map(|&i| code.generators()[i].clone()).collect();
        let rows: Vec<BitVec> = generators.iter().map(PauliString::to_symplectic).collect();
        let pairs: Vec<(BitVec, BitVec)> = code
            .logical_x()
            .iter()
            .zip(code.logical_z())
            .map(|(x, z)| (x.to_symplectic(), z.to_symplectic()))
            .collect();
        let half = |row: &BitVec, z: usize| -> BitVec { (0..n).map(|j| row.get(z * n + j)).collect() };
        let pure_errors = symplectic::pure_errors(n, &rows, &pairs)
            .iter()
            .map(|row| PauliString::from_bits(half(row, 0), half(row, 1)))
            .collect();
        let mut out = Self {
            n_qubits: n,
            independent: code.independent().to_vec(),
            relations: code.relations().to_vec(),
            generators,
            pure_errors,
            logical_x: code.logical_x().to_vec(),
            logical_z: code.logical_z().to_vec(),
            forth: Vec::new(),
            back: Vec::new(),
        };
        out.fill();
        out
    }

    fn fill(&mut self) {
        let (n, r, k) = (self.n_qubits, self.rank(), self.n_logical());
        let [wr, wk, wn] = [r, 2 * k, n].map(words_per_row);
        let width = 2 * wr + wk;
        let mut forth = vec![0u64; 2 * n * width];
        let logical = self.logical_x.iter().chain(&self.logical_z);
        let tests = (self.generators.iter().enumerate())
            .chain(logical.enumerate().map(|(i, l)| (64 * wr + i, l)))
            .chain(self.pure_errors.iter().enumerate().map(|(i, e)| (64 * (wr + wk) + i, e)));
        for (bit, operator) in tests {
            // X on qubit j anticommutes where the operator has a z bit.
            for j in operator.z().iter_ones() {
                forth[j * width + bit / 64] |= 1 << (bit % 64);
            }
            for j in operator.x().iter_ones() {
                forth[(n + j) * width + bit / 64] |= 1 << (bit % 64);
            }
        }
        let mut back = Vec::with_capacity((2 * r + 2 * k) * 2 * wn);
        let factors = self.pure_errors.iter().chain(&self.logical_z).chain(&self.logical_x).chain(&self.generators);
        for operator in factors {
            back.extend_from_slice(operator.x().words());
            back.extend_from_slice(operator.z().words());
        }
        (self.forth, self.back) = (forth, back);
    }

    /// Number of physical qubits.
    pub fn n_qubits(&self) -> usize {
        self.n_qubits
    }

    /// Number of independent generators r.
    pub fn rank(&self) -> usize {
        self.generators.len()
    }

    /// Number of logical qubits k.
    pub fn n_logical(&self) -> usize {
        self.logical_x.len()
    }

    /// The independent generators.
    pub fn generators(&self) -> &[PauliString] {
        &self.generators
    }

    /// Which generators of the code these are.
    pub fn independent(&self) -> &[usize] {
        &self.independent
    }

    /// The pure errors, one for each independent generator.
    pub fn pure_errors(&self) -> &[PauliString] {
        &self.pure_errors
    }

    /// The logical X operators.
    pub fn logical_x(&self) -> &[PauliString] {
        &self.logical_x
    }

    /// The logical Z operators.
    pub fn logical_z(&self) -> &[PauliString] {
        &self.logical_z
    }

    /// Words of γ, of β and of α, as [`decompose_into`](Self::decompose_into) writes them one after the other.
    pub fn words(&self) -> [usize; 3] {
        [self.rank(), 2 * self.n_logical(), self.rank()].map(words_per_row)
    }

    /// The coordinates of an error given by the words of its x and z bits, without allocation.
    ///
    /// # Panics
    /// If a slice has another number of words than its bits need.
    pub fn decompose_into(&self, x: &[u64], z: &[u64], out: &mut [u64]) {
        let (words, width) = (words_per_row(self.n_qubits), self.words().iter().sum::<usize>());
        assert!(x.len() == words && z.len() == words, "{} and {} words for {words}", x.len(), z.len());
        assert_eq!(out.len(), width, "{} words for {width}", out.len());
        out.fill(0);
        let (x_rows, z_rows) = self.forth.split_at(self.n_qubits * width);
        add_rows(x_rows, x, out);
        add_rows(z_rows, z, out);
    }

    /// The coordinates of an error; its phase does not matter.
    ///
    /// # Panics
    /// If the error acts on another number of qubits.
    pub fn decompose(&self, error: &PauliString) -> Coordinates {
        assert_eq!(error.n_qubits(), self.n_qubits, "an error on {} of {} qubits", error.n_qubits(), self.n_qubits);
        let [wr, wk, _] = self.words();
        let mut out = vec![0; 2 * wr + wk];
        self.decompose_into(error.x().words(), error.z().words(), &mut out);
        let vector = |words: &[u64], len| BitVec::from_words(words.to_vec(), len).unwrap_or_default();
        Coordinates {
            syndrome: vector(&out[..wr], self.rank()),
            logical: vector(&out[wr..wr + wk], 2 * self.n_logical()),
            gauge: vector(&out[wr + wk..], self.rank()),
        }
    }

    /// The error with these coordinates, with phase 0.
    ///
    /// # Errors
    /// [`Error::WrongLength`] if a coordinate has another number of bits.
    pub fn compose(&self, coordinates: &Coordinates) -> Result<PauliString> {
        let (r, k, wn) = (self.rank(), self.n_logical(), words_per_row(self.n_qubits));
        let lists = [
            ("bits of the syndrome", &coordinates.syndrome, r),
            ("bits of the logical class", &coordinates.logical, 2 * k),
            ("bits of the gauge", &coordinates.gauge, r),
        ];
        let mut out = vec![0; 2 * wn];
        let mut rows = &self.back[..];
        for (what, bits, expected) in lists {
            if bits.len() != expected {
                return Err(Error::WrongLength { what, got: bits.len(), expected });
            }
            let (these, rest) = rows.split_at(expected * 2 * wn);
            add_rows(these, bits.words(), &mut out);
            rows = rest;
        }
        let z = BitVec::from_words(out.split_off(wn), self.n_qubits)?;
        Ok(PauliString::from_bits(BitVec::from_words(out, self.n_qubits)?, z))
    }

    /// γ from the syndrome of all generators of the code, dependent ones included.
    ///
    /// # Errors
    /// [`Error::WrongLength`], and [`Error::ImpossibleSyndrome`] naming generators that multiply to 1 but whose
    /// bits add up to one.
    pub fn reduce_syndrome(&self, syndrome: &BitVec) -> Result<BitVec> {
        let expected = self.independent.len() + self.relations.len();
        if syndrome.len() != expected {
            return Err(Error::WrongLength { what: "bits of the syndrome", got: syndrome.len(), expected });
        }
        let odd = |set: &&Vec<usize>| set.iter().filter(|&&i| syndrome.get(i)).count() % 2 == 1;
        match self.relations.iter().find(odd) {
            Some(checks) => Err(Error::ImpossibleSyndrome { checks: checks.clone() }),
            None => Ok(self.independent.iter().map(|&i| syndrome.get(i)).collect()),
        }
    }
}

/// Adds to `out` the rows named by the ones of `bits`.
fn add_rows(rows: &[u64], bits: &[u64], out: &mut [u64]) {
    let width = out.len();
    for j in ones(bits) {
        for (o, &w) in out.iter_mut().zip(&rows[j * width..(j + 1) * width]) {
            *o ^= w;
        }
    }
}
