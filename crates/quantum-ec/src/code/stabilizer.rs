//! Stabilizer codes from their generators.

use linalg_core::gf2::{BitMatrix, BitVec};

use super::symplectic;
use crate::error::{Error, Result};
use crate::pauli::{Pauli, PauliString};

/// Where qubits and checks lie, for drawings and for local generators.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Layout {
    /// Dimension of the lattice: further components are zero.
    pub dimension: usize,
    /// A position a qubit.
    pub qubits: Vec<[f64; 3]>,
    /// A position a generator.
    pub checks: Vec<[f64; 3]>,
}

/// A stabilizer code: the joint +1 eigenspace of commuting Pauli operators on n qubits.
///
/// With generators of rank r the code holds $`k = n - r`$ logical qubits. Generators may depend on each other; which
/// ones, is reported by [`relations`](Self::relations). The logical operators are k pairs that commute with all
/// generators and with each other, but for $`\bar X_i \bar Z_i = - \bar Z_i \bar X_i`$ (Gottesman,
/// arXiv:quant-ph/9705052).
///
/// Making a code takes about $`n^3/64`$ operations.
///
/// ```
/// use quantum_ec::StabilizerCode;
///
/// let code = StabilizerCode::from_text(&["ZZI", "IZZ", "ZIZ"])?;
/// assert_eq!((code.n_qubits(), code.n_logical(), code.n_generators()), (3, 1, 3));
/// assert_eq!(code.relations(), [[0, 1, 2]]);
/// assert_eq!(code.logical_x()[0].to_string(), "+XXX");
/// let error = StabilizerCode::from_text(&["ZZI", "XII"]).unwrap_err();
/// assert_eq!(error.to_string(), "generators 0 and 1 anticommute, expected generators that commute");
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct StabilizerCode {
    name: String,
    n_qubits: usize,
    generators: Vec<PauliString>,
    independent: Vec<usize>,
    relations: Vec<Vec<usize>>,
    logical_x: Vec<PauliString>,
    logical_z: Vec<PauliString>,
    layout: Option<Layout>,
}

impl StabilizerCode {
    /// The code of these generators on `n_qubits` qubits; without a generator all qubits are logical.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for a generator on another number of qubits, [`Error::Parameter`] for one with phase ±i,
    /// [`Error::NonCommuting`] naming a pair that anticommutes, [`Error::MinusIdentity`] if a product of generators
    /// is -1.
    pub fn new(n_qubits: usize, generators: Vec<PauliString>) -> Result<Self> {
        for generator in &generators {
            if generator.n_qubits() != n_qubits {
                return Err(Error::WrongLength {
                    what: "qubits of a generator",
                    got: generator.n_qubits(),
                    expected: n_qubits,
                });
            }
            if !generator.is_hermitian() {
                return Err(Error::Parameter {
                    what: "generator",
                    value: generator.to_string(),
                    expected: "a phase of + or -",
                });
            }
        }
        for (second, b) in generators.iter().enumerate() {
            if let Some(first) = generators[..second].iter().position(|a| !a.commutes_with(b)) {
                return Err(Error::NonCommuting { first, second });
            }
        }
        let rows: Vec<BitVec> = generators.iter().map(PauliString::to_symplectic).collect();
        let columns = BitMatrix::from_rows(2 * n_qubits, &rows).transpose().row_reduce();
        let relations: Vec<Vec<usize>> = columns.nullspace().rows().map(|row| row.iter_ones().collect()).collect();
        for relation in &relations {
            let mut product = PauliString::identity(n_qubits);
            relation.iter().for_each(|&i| product.mul_assign(&generators[i]));
            if product.phase() != 0 {
                return Err(Error::MinusIdentity { generators: relation.clone() });
            }
        }
        let independent = columns.pivots().to_vec();
        let basis: Vec<BitVec> = independent.iter().map(|&i| rows[i].clone()).collect();
        let pairs = symplectic::logicals(n_qubits, &basis, &rows);
        let operators = |pick: fn(&(BitVec, BitVec)) -> &BitVec| -> Result<Vec<PauliString>> {
            pairs.iter().map(|pair| PauliString::from_symplectic(pick(pair))).collect()
        };
        Ok(Self {
            name: String::new(),
            n_qubits,
            independent,
            relations,
            logical_x: operators(|pair| &pair.0)?,
            logical_z: operators(|pair| &pair.1)?,
            generators,
            layout: None,
        })
    }

    /// The code of generators written as text, such as `XZZXI`.
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`Error::PauliText`].
    pub fn from_text(generators: &[&str]) -> Result<Self> {
        let generators = generators.iter().map(|text| text.parse()).collect::<Result<Vec<PauliString>>>()?;
        Self::new(generators.first().map_or(0, PauliString::n_qubits), generators)
    }

    /// The same code under this name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The same code with positions.
    ///
    /// # Panics
    /// If there is not one position a qubit and a generator.
    #[must_use]
    pub fn with_layout(mut self, layout: Layout) -> Self {
        assert_eq!(layout.qubits.len(), self.n_qubits, "{} positions of qubits", layout.qubits.len());
        assert_eq!(layout.checks.len(), self.generators.len(), "{} positions of checks", layout.checks.len());
        self.layout = Some(layout);
        self
    }

    /// The same code with these logical operators.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for another number than k of either, or another number of qubits; [`Error::Parameter`] for an
    /// operator with phase ±i; [`Error::NotApplicable`] naming what has the wrong commutation relation.
    pub fn with_logicals(mut self, logical_x: Vec<PauliString>, logical_z: Vec<PauliString>) -> Result<Self> {
        let k = self.n_logical();
        for (what, list) in [("logical X operators", &logical_x), ("logical Z operators", &logical_z)] {
            if list.len() != k {
                return Err(Error::WrongLength { what, got: list.len(), expected: k });
            }
            if let Some(bad) = list.iter().find(|l| l.n_qubits() != self.n_qubits) {
                return Err(Error::WrongLength {
                    what: "qubits of a logical operator",
                    got: bad.n_qubits(),
                    expected: self.n_qubits,
                });
            }
            if let Some(bad) = list.iter().find(|l| !l.is_hermitian()) {
                return Err(Error::Parameter {
                    what: "logical operator",
                    value: bad.to_string(),
                    expected: "a phase of + or -",
                });
            }
        }
        let wrong = |reason: String| Error::NotApplicable { method: "list of logical operators", reason };
        for (kind, list) in [("X", &logical_x), ("Z", &logical_z)] {
            for (i, logical) in list.iter().enumerate() {
                if let Some(g) = self.generators.iter().position(|g| !g.commutes_with(logical)) {
                    return Err(wrong(format!("logical {kind} {i} anticommutes with generator {g}")));
                }
                if let Some(j) = list.iter().position(|other| !other.commutes_with(logical)) {
                    return Err(wrong(format!("logical {kind} {i} anticommutes with logical {kind} {j}")));
                }
            }
        }
        for (i, x) in logical_x.iter().enumerate() {
            for (j, z) in logical_z.iter().enumerate() {
                if x.commutes_with(z) == (i == j) {
                    let verb = if i == j { "commutes" } else { "anticommutes" };
                    return Err(wrong(format!("logical X {i} {verb} with logical Z {j}")));
                }
            }
        }
        (self.logical_x, self.logical_z) = (logical_x, logical_z);
        Ok(self)
    }

    /// The code after a Hadamard gate on each of `qubits`: X and Z change places there. It has no name, unless there are no
    /// `qubits`.
    ///
    /// # Panics
    /// If there is no such qubit.
    #[must_use]
    pub fn hadamard(mut self, qubits: impl IntoIterator<Item = usize>) -> Self {
        let qubits: Vec<usize> = qubits.into_iter().collect();
        if !qubits.is_empty() {
            // Another code than the one that the name stands for.
            self.name.clear();
        }
        let all = [&mut self.generators, &mut self.logical_x, &mut self.logical_z];
        for operator in all.into_iter().flatten() {
            for &q in &qubits {
                match operator.get(q) {
                    Pauli::X => operator.set(q, Pauli::Z),
                    Pauli::Z => operator.set(q, Pauli::X),
                    // H Y H = -Y.
                    Pauli::Y => *operator = operator.clone().with_phase(operator.phase() + 2),
                    Pauli::I => {}
                }
            }
        }
        self
    }

    /// The name, as [`parse`](super::parse) takes it; empty for a code that has none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of physical qubits.
    pub fn n_qubits(&self) -> usize {
        self.n_qubits
    }

    /// Number of logical qubits.
    pub fn n_logical(&self) -> usize {
        self.n_qubits - self.independent.len()
    }

    /// Number of generators, dependent ones included: bits of a syndrome.
    pub fn n_generators(&self) -> usize {
        self.generators.len()
    }

    /// Rank of the generators.
    pub fn rank(&self) -> usize {
        self.independent.len()
    }

    /// The generators in the order given.
    pub fn generators(&self) -> &[PauliString] {
        &self.generators
    }

    /// The first generators that are independent, ascending: those that are no product of generators before them.
    pub fn independent(&self) -> &[usize] {
        &self.independent
    }

    /// Sets of generators that multiply to 1, one for each dependent generator, which is the last of its set.
    pub fn relations(&self) -> &[Vec<usize>] {
        &self.relations
    }

    /// The logical X operators.
    pub fn logical_x(&self) -> &[PauliString] {
        &self.logical_x
    }

    /// The logical Z operators.
    pub fn logical_z(&self) -> &[PauliString] {
        &self.logical_z
    }

    /// The positions, where the family has them.
    pub fn layout(&self) -> Option<&Layout> {
        self.layout.as_ref()
    }

    /// The generators as symplectic rows `[x | z]`.
    pub fn symplectic(&self) -> BitMatrix {
        let rows: Vec<BitVec> = self.generators.iter().map(PauliString::to_symplectic).collect();
        BitMatrix::from_rows(2 * self.n_qubits, &rows)
    }

    /// The syndrome of an error: bit i tells whether it anticommutes with generator i.
    ///
    /// # Panics
    /// If the error acts on another number of qubits.
    pub fn syndrome(&self, error: &PauliString) -> BitVec {
        self.generators.iter().map(|g| !g.commutes_with(error)).collect()
    }

    /// Whether an operator is a product of generators, up to its phase.
    ///
    /// # Panics
    /// If the operator acts on another number of qubits.
    pub fn is_stabilizer(&self, operator: &PauliString) -> bool {
        let all = self.generators.iter().chain(&self.logical_x).chain(&self.logical_z);
        all.into_iter().all(|g| g.commutes_with(operator))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_with_minus_one_are_refused() {
        let error = StabilizerCode::from_text(&["XX", "ZZ", "YY"]).unwrap_err();
        assert_eq!(error.to_string(), "the generators [0, 1, 2] multiply to -1, expected +1");
        let bell = StabilizerCode::from_text(&["XX", "ZZ", "-YY"]).unwrap();
        assert_eq!((bell.n_logical(), bell.relations()), (0, &[vec![0, 1, 2]][..]));
        let error = StabilizerCode::from_text(&["XX", "-XX"]).unwrap_err();
        assert!(matches!(error, Error::MinusIdentity { generators } if generators == [0, 1]));
    }

    #[test]
    fn bad_generators_are_named() {
        let message = |texts: &[&str]| StabilizerCode::from_text(texts).unwrap_err().to_string();
        assert_eq!(message(&["XX", "X"]), "qubits of a generator: 1 given, 2 expected");
        assert_eq!(message(&["iXX"]), "generator is +iXX, expected a phase of + or -");
        assert_eq!(message(&["XQ"]), "character 2 is 'Q', expected one of I, X, Y, Z, _");
    }

    #[test]
    fn no_generators_and_no_qubits_are_codes() {
        let free = StabilizerCode::new(2, Vec::new()).unwrap();
        assert_eq!((free.n_logical(), free.logical_x().len()), (2, 2));
        assert!(free.is_stabilizer(&"II".parse().unwrap()) && !free.is_stabilizer(&"IX".parse().unwrap()));
        assert_eq!(StabilizerCode::new(0, Vec::new()).unwrap().n_logical(), 0);
        // The identity is a dependent generator.
        assert_eq!(StabilizerCode::from_text(&["II"]).unwrap().relations(), [[0]]);
    }

    #[test]
    fn logicals_of_another_code_are_refused() {
        let code = StabilizerCode::from_text(&["ZZI", "IZZ"]).unwrap();
        let paulis = |text: &str| vec![text.parse::<PauliString>().unwrap()];
        let message = |x: &str, z: &str| code.clone().with_logicals(paulis(x), paulis(z)).unwrap_err().to_string();
        assert!(message("XII", "ZII").ends_with("logical X 0 anticommutes with generator 0"));
        assert!(message("XXX", "ZZI").ends_with("logical X 0 commutes with logical Z 0"));
        assert_eq!(message("XX", "ZZI"), "qubits of a logical operator: 2 given, 3 expected");
        assert!(message("YXI", "IIZ").ends_with("logical X 0 anticommutes with generator 1"));
        assert!(code.clone().with_logicals(paulis("YYX"), paulis("IIZ")).is_ok());
        assert_eq!(message("iXXX", "ZII"), "logical operator is +iXXX, expected a phase of + or -");
        assert!(code.clone().with_logicals(paulis("-XXX"), paulis("ZII")).is_ok());
    }
}
