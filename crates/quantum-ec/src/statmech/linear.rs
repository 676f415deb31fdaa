//! Errors as free bits with syndromes that add up: the common form of all problems.

use std::collections::BTreeMap;

use linalg_core::gf2::{BitMatrix, BitVec};

use crate::error::{Error, Result};
use crate::problem::DecodingProblem;

/// A term `±K` of ln P, the sign being the parity of some bits of the error.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Term {
    /// The bits of the error, as the caller writes it.
    pub of_error: Vec<usize>,
    /// The free bits.
    pub of_bits: Vec<usize>,
    /// `K`.
    pub coupling: f64,
}

/// A distribution of errors `ln P(e) = constant + Σ (-1)^{f_a(e)} K_a` over free bits.
///
/// Bits that are fixed, by a probability 0 or 1, are not free; what no detector and no observable sees is summed over.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Linear {
    pub n_error_bits: usize,
    pub n_detectors: usize,
    pub n_observables: usize,
    /// What each free bit flips: detectors, then observables counted from `n_detectors` on; ascending.
    pub columns: Vec<Vec<usize>>,
    /// What each free bit is in the error.
    pub embedding: Vec<Vec<usize>>,
    /// Bits of the error whose parity tells each free bit, for errors that have all fixed parities of zero.
    pub tell: Vec<Vec<usize>>,
    /// What each bit of the error flips, free or not.
    pub flipped_by_bit: Vec<Vec<usize>>,
    pub terms: Vec<Term>,
    pub constant: f64,
    /// The error of all free bits zero.
    pub base: BitVec,
    /// What that error flips, detectors then observables.
    pub base_flips: BitVec,
    /// Parities that every error of positive probability has.
    pub fixed: Vec<(Vec<usize>, bool)>,
}

impl Linear {
    fn empty(n_error_bits: usize, n_detectors: usize, n_observables: usize) -> Self {
        Self {
            n_error_bits,
            n_detectors,
            n_observables,
            columns: Vec::new(),
            embedding: Vec::new(),
            tell: Vec::new(),
            flipped_by_bit: vec![Vec::new(); n_error_bits],
            terms: Vec::new(),
            constant: 0.0,
            base: BitVec::zeros(n_error_bits),
            base_flips: BitVec::zeros(n_detectors + n_observables),
            fixed: Vec::new(),
        }
    }

    /// Mechanisms that flip the same are one: their parity counts.
    pub fn of_problem(problem: &DecodingProblem) -> Self {
        let (n_detectors, n) = (problem.n_detectors(), problem.n_mechanisms());
        let mut all = Self::empty(n, n_detectors, problem.n_observables());
        let mut groups: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
        let mut members: Vec<(Vec<usize>, Vec<usize>)> = Vec::new();
        for j in 0..n {
            let mut column = problem.checks().column(j).to_vec();
            column.extend(problem.observables().column(j).iter().map(|o| n_detectors + o));
            if column.is_empty() {
                continue;
            }
            all.flipped_by_bit[j].clone_from(&column);
            let group = *groups.entry(column.clone()).or_insert(members.len());
            if group == members.len() {
                members.push((column, Vec::new()));
            }
            members[group].1.push(j);
        }
        for (column, group) in members {
            // Sums of positive numbers only: small probabilities keep their digits.
            let (mut even, mut odd) = (1.0, 0.0);
            for &j in &group {
                let p = problem.priors()[j];
                (even, odd) = (even * (1.0 - p) + odd * p, even * p + odd * (1.0 - p));
            }
            all.push_unit(column, vec![group[0]], group, even, odd);
        }
        all
    }

    /// A bit with probabilities `even` and `odd` of the parity of `of_error`, which `embedding` changes.
    fn push_unit(&mut self, column: Vec<usize>, embedding: Vec<usize>, of_error: Vec<usize>, even: f64, odd: f64) {
        if odd == 0.0 {
            self.constant += even.ln();
            self.fixed.push((of_error, false));
        } else if even == 0.0 {
            self.constant += odd.ln();
            self.fix_one(&column, &embedding);
            self.fixed.push((of_error, true));
        } else {
            let (even, odd) = (even.ln(), odd.ln());
            self.constant += 0.5 * (even + odd);
            self.tell.push(of_error.clone());
            self.terms.push(Term { of_error, of_bits: vec![self.columns.len()], coupling: 0.5 * (even - odd) });
            self.columns.push(column);
            self.embedding.push(embedding);
        }
    }

    fn fix_one(&mut self, column: &[usize], embedding: &[usize]) {
        for &row in column {
            self.base_flips.flip(row);
        }
        for &bit in embedding {
            self.base.flip(bit);
        }
    }

    /// Pauli errors `[x | z]` with a table `p_I, p_X, p_Y, p_Z` for each qubit.
    pub fn of_paulis(stabilizers: &BitMatrix, logicals: &BitMatrix, table: &[[f64; 4]]) -> Result<Self> {
        let n = table.len();
        for (what, got) in
            [("columns of the stabilizers", stabilizers.n_cols()), ("columns of the logicals", logicals.n_cols())]
        {
            if got != 2 * n {
                return Err(Error::WrongLength { what, got, expected: 2 * n });
            }
        }
        let mut all = Self::empty(2 * n, stabilizers.n_rows(), logicals.n_rows());
        let mut flipped_by: Vec<Vec<usize>> = vec![Vec::new(); 2 * n];
        for (row, operator) in stabilizers.rows().chain(logicals.rows()).enumerate() {
            for bit in operator.iter_ones() {
                // An X is seen by what has a Z there, and a Z by what has an X.
                flipped_by[if bit < n { bit + n } else { bit - n }].push(row);
            }
        }
        all.flipped_by_bit.clone_from(&flipped_by);
        for (qubit, row) in table.iter().enumerate() {
            check_row(qubit, row)?;
            let (x, z) = (std::mem::take(&mut flipped_by[qubit]), std::mem::take(&mut flipped_by[qubit + n]));
            all.push_qubit(qubit, n, x, z, row)?;
        }
        Ok(all)
    }

    fn push_qubit(&mut self, q: usize, n: usize, x: Vec<usize>, z: Vec<usize>, row: &[f64; 4]) -> Result<()> {
        let [i_, x_, y_, z_] = *row;
        let (bit_x, bit_z) = (vec![q], vec![q + n]);
        let both = vec![q, q + n];
        // What is not seen at all is summed over.
        match (x.is_empty(), z.is_empty(), x == z) {
            (true, true, _) => return Ok(()),
            (true, false, _) => {
                self.push_unit(z, bit_z.clone(), bit_z, i_ + x_, y_ + z_);
                return Ok(());
            }
            (false, true, _) => {
                self.push_unit(x, bit_x.clone(), bit_x, i_ + z_, x_ + y_);
                return Ok(());
            }
            (false, false, true) => {
                self.push_unit(x, bit_x, both, i_ + y_, x_ + z_);
                return Ok(());
            }
            _ => {}
        }
        let y = symmetric_difference(&x, &z);
        let support: Vec<usize> = (0..4).filter(|&k| row[k] > 0.0).collect();
        // The error of each Pauli: what it flips, and its bits.
        let errors: [(&[usize], &[usize]); 4] = [(&[], &[]), (&x, &bit_x), (&y, &both), (&z, &bit_z)];
        match support[..] {
            [only] => {
                let (column, bits) = errors[only];
                self.constant += row[only].ln();
                self.fix_one(column, bits);
                self.fixed.push((bit_x.clone(), bits.contains(&q)));
                self.fixed.push((bit_z.clone(), bits.contains(&(q + n))));
            }
            [first, second] => {
                // One bit: whether the error is the second one. It is told by a bit in which the two differ.
                let column = symmetric_difference(errors[first].0, errors[second].0);
                let bits = symmetric_difference(errors[first].1, errors[second].1);
                let value = |k: usize, f: &[usize]| f.iter().filter(|b| errors[k].1.contains(b)).count() % 2 == 1;
                let tell = vec![bits[0]];
                let fixed = match bits[..] {
                    [_, _] => both.clone(),
                    [b] if b == q => bit_z.clone(),
                    _ => bit_x.clone(),
                };
                let fixed_value = value(first, &fixed);
                if value(first, &tell) {
                    // The base is the one without the telling bit.
                    self.fix_one(errors[second].0, errors[second].1);
                    self.push_unit(column, bits, tell, row[second], row[first]);
                } else {
                    self.fix_one(errors[first].0, errors[first].1);
                    self.push_unit(column, bits, tell, row[first], row[second]);
                }
                self.fixed.push((fixed, fixed_value));
            }
            [_, _, _] => {
                let missing = "IXYZ".as_bytes()[(0..4).find(|k| !support.contains(k)).unwrap_or(0)] as char;
                return Err(Error::NotApplicable {
                    method: "coset model",
                    reason: format!(
                        "qubit {q} has probability 0 for {missing} alone: the others are not independent mechanisms"
                    ),
                });
            }
            _ => {
                let [l_i, l_x, l_y, l_z] = row.map(f64::ln);
                let largest = [l_i, l_x, l_y, l_z].into_iter().fold(0.0, |m: f64, l| m.max(l.abs()));
                self.constant += 0.25 * (l_i + l_x + l_y + l_z);
                let bit = self.columns.len();
                self.columns.extend([x, z]);
                self.embedding.extend([bit_x.clone(), bit_z.clone()]);
                self.tell.extend([bit_x.clone(), bit_z.clone()]);
                let couplings = [
                    (bit_x, vec![bit], 0.25 * ((l_i - l_x) + (l_z - l_y))),
                    (bit_z, vec![bit + 1], 0.25 * ((l_i - l_z) + (l_x - l_y))),
                    (both, vec![bit, bit + 1], 0.25 * ((l_i - l_x) + (l_y - l_z))),
                ];
                for (of_error, of_bits, coupling) in couplings {
                    // Independent X and Z errors have no third coupling, but for rounding.
                    if coupling.abs() > 4.0 * f64::EPSILON * largest {
                        self.terms.push(Term { of_error, of_bits, coupling });
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether an error has positive probability.
    pub fn is_possible(&self, error: &BitVec) -> bool {
        self.fixed.iter().all(|(bits, value)| parity(error, bits) == *value)
    }

    /// The matrix of detectors and observables by free bits.
    pub fn stacked(&self) -> BitMatrix {
        let mut matrix = BitMatrix::zeros(self.n_detectors + self.n_observables, self.columns.len());
        for (j, column) in self.columns.iter().enumerate() {
            for &i in column {
                matrix.flip(i, j);
            }
        }
        matrix
    }
}

pub(super) fn parity(error: &BitVec, bits: &[usize]) -> bool {
    bits.iter().fold(false, |sum, &bit| sum ^ error.get(bit))
}

pub(super) fn check_row(qubit: usize, row: &[f64; 4]) -> Result<()> {
    if let Some(&value) = row.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        return Err(Error::Probability {
            what: "a Pauli of qubit",
            index: qubit,
            value,
            expected: "a number from 0 to 1",
        });
    }
    let value: f64 = row.iter().sum();
    if (value - 1.0).abs() > 1e-9 {
        return Err(Error::Probability {
            what: "any Pauli of qubit",
            index: qubit,
            value,
            expected: "1, the sum of a row",
        });
    }
    Ok(())
}

/// What is in one of two ascending lists.
pub(super) fn symmetric_difference(a: &[usize], b: &[usize]) -> Vec<usize> {
    let mut out = Vec::with_capacity(a.len() + b.len());
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        if j == b.len() || i < a.len() && a[i] < b[j] {
            out.push(a[i]);
            i += 1;
        } else if i == a.len() || b[j] < a[i] {
            out.push(b[j]);
            j += 1;
        } else {
            (i, j) = (i + 1, j + 1);
        }
    }
    out
}
