//! Linear algebra with symplectic rows `[x | z]`.

use linalg_core::gf2::{BitMatrix, BitVec};

/// `[z | x]` of `[x | z]`.
pub(super) fn swapped(row: &BitVec) -> BitVec {
    let n = row.len() / 2;
    let mut out = BitVec::zeros(row.len());
    for j in row.iter_ones() {
        out.set(if j < n { j + n } else { j - n }, true);
    }
    out
}

/// Whether two rows anticommute.
pub(super) fn anticommute(a: &BitVec, b_swapped: &BitVec) -> bool {
    a.dot(b_swapped)
}

/// Symplectic pairs that span what commutes with `basis`, beyond `basis`; `generators` are used to lower the weights.
///
/// `basis` is independent and commutes. Rows that are of one type, X or Z, stay so where the basis is: the null space of
/// a matrix of two blocks has vectors in one of the blocks, and only vectors of the same type are added.
pub(super) fn logicals(n: usize, basis: &[BitVec], generators: &[BitVec]) -> Vec<(BitVec, BitVec)> {
    let conjugate: Vec<BitVec> = basis.iter().map(swapped).collect();
    let commutant = BitMatrix::from_rows(2 * n, &conjugate).row_reduce().nullspace();
    // The first vectors independent of the basis and of each other.
    let stacked = BitMatrix::from_rows(2 * n, basis).stack(&commutant).transpose().row_reduce();
    let mut rest: Vec<BitVec> = stacked
        .pivots()
        .iter()
        .filter(|&&i| i >= basis.len())
        .map(|&i| commutant.row(i - basis.len()).to_bitvec())
        .collect();
    let mut pairs = Vec::new();
    while !rest.is_empty() {
        // Generators change no commutation relation: the weight is lowered once, when a vector is taken.
        let first = lighter(rest.remove(0), generators);
        let first_swapped = swapped(&first);
        // The form is nondegenerate on the quotient: a partner exists.
        let Some(at) = rest.iter().position(|v| anticommute(v, &first_swapped)) else { break };
        let second = lighter(rest.remove(at), generators);
        let second_swapped = swapped(&second);
        for v in &mut rest {
            let (with_first, with_second) = (anticommute(v, &first_swapped), anticommute(v, &second_swapped));
            if with_first {
                v.xor_assign(&second);
            }
            if with_second {
                v.xor_assign(&first);
            }
        }
        let x_weight = |v: &BitVec| v.iter_ones().filter(|&j| j < n).count();
        pairs.push(if x_weight(&first) >= x_weight(&second) { (first, second) } else { (second, first) });
    }
    pairs
}

/// Number of qubits of a symplectic row.
fn pauli_weight(row: &BitVec) -> usize {
    let n = row.len() / 2;
    row.iter_ones().filter(|&j| j < n || !row.get(j - n)).count()
}

/// Adds generators as long as one lowers the weight.
fn lighter(mut row: BitVec, generators: &[BitVec]) -> BitVec {
    let mut weight = pauli_weight(&row);
    loop {
        let before = weight;
        for generator in generators {
            row.xor_assign(generator);
            let new = pauli_weight(&row);
            if new < weight {
                weight = new;
            } else {
                row.xor_assign(generator);
            }
        }
        if weight == before {
            return row;
        }
    }
}

/// For each row of `basis` an operator that anticommutes with it alone; they commute with each other and with the
/// logical pairs.
pub(super) fn pure_errors(n: usize, basis: &[BitVec], pairs: &[(BitVec, BitVec)]) -> Vec<BitVec> {
    let conjugate: Vec<BitVec> = basis.iter().map(swapped).collect();
    let factored = BitMatrix::from_rows(2 * n, &conjugate).factor();
    let swapped_pairs: Vec<(BitVec, BitVec)> = pairs.iter().map(|(x, z)| (swapped(x), swapped(z))).collect();
    let mut errors: Vec<BitVec> = Vec::with_capacity(basis.len());
    for i in 0..basis.len() {
        let mut wanted = BitVec::zeros(basis.len());
        wanted.set(i, true);
        // The basis is independent, so that every syndrome has a solution.
        let mut error = factored.solve(&wanted).unwrap_or_else(|| BitVec::zeros(2 * n));
        for ((x, z), (x_swapped, z_swapped)) in pairs.iter().zip(&swapped_pairs) {
            let (with_x, with_z) = (anticommute(&error, x_swapped), anticommute(&error, z_swapped));
            if with_x {
                error.xor_assign(z);
            }
            if with_z {
                error.xor_assign(x);
            }
        }
        // Generator j anticommutes with pure error j alone.
        let error_swapped = swapped(&error);
        for j in 0..i {
            if anticommute(&errors[j], &error_swapped) {
                error.xor_assign(&basis[j]);
            }
        }
        errors.push(error);
    }
    errors
}
