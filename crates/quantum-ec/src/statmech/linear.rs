//! Errors as free bits with syndromes that add up: the common form of all problems.

use std::collections::BTreeMap;
use std::ops::Range;

use linalg_core::gf2::{BinaryCsc, BitMatrix, BitVec};

use spin_models::InteractionModel;

use crate::error::{Error, Result};
use crate::problem::DecodingProblem;
use crate::shots::ones;

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

/// What the distribution was made of.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Given {
    /// Probabilities of independent mechanisms.
    Mechanisms(Vec<f64>),
    /// Probabilities of I, X, Y, Z on every qubit.
    Qubits(Vec<[f64; 4]>),
    /// Errors that depend on each other.
    Correlated,
}

/// A distribution of errors `ln P(e) = constant + Σ (-1)^{f_a(e)} K_a` over free bits.
///
/// Bits that are fixed, by a probability 0 or 1, are not free; what no detector and no observable sees is summed over.
/// Of a qubit with exactly three possible Paulis none is fixed. The fourth gets a probability so small that all errors with
/// it, at most n e^{-50} times the least probability that a coset can have, are lost in rounding.
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
    pub given: Given,
    /// No coset of positive probability has a smaller ln P; `None` where linear relations tell those of probability 0.
    pub ln_least: Option<f64>,
}

impl Linear {
    fn empty(n_error_bits: usize, n_detectors: usize, n_observables: usize, given: Given) -> Self {
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
            given,
            ln_least: None,
        }
    }

    /// The mechanisms of a problem.
    pub fn of_problem(problem: &DecodingProblem) -> Self {
        let n_detectors = problem.n_detectors();
        let columns = stacked_columns(problem.checks(), problem.observables()).collect();
        Self::of_mechanisms(columns, n_detectors, problem.n_observables(), problem.priors().to_vec())
    }

    /// Mechanisms that flip the same are one: their parity counts.
    fn of_mechanisms(columns: Vec<Vec<usize>>, n_detectors: usize, n_observables: usize, priors: Vec<f64>) -> Self {
        let mut all = Self::empty(priors.len(), n_detectors, n_observables, Given::Correlated);
        let mut groups: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
        let mut members: Vec<(Vec<usize>, Vec<usize>)> = Vec::new();
        for (j, column) in columns.iter().enumerate().filter(|(_, column)| !column.is_empty()) {
            let group = *groups.entry(column.clone()).or_insert(members.len());
            if group == members.len() {
                members.push((column.clone(), Vec::new()));
            }
            members[group].1.push(j);
        }
        for (column, group) in members {
            // Sums of positive numbers only: small probabilities keep their digits.
            let (mut even, mut odd) = (1.0, 0.0);
            for &j in &group {
                let p = priors[j];
                (even, odd) = (even * (1.0 - p) + odd * p, even * p + odd * (1.0 - p));
            }
            all.push_unit(column, vec![group[0]], group, even, odd);
        }
        all.flipped_by_bit = columns;
        all.given = Given::Mechanisms(priors);
        all
    }

    /// Mechanisms, qubits, or nothing that could be erased.
    pub fn n_erasable(&self) -> usize {
        match &self.given {
            Given::Mechanisms(priors) => priors.len(),
            Given::Qubits(table) => table.len(),
            Given::Correlated => self.n_error_bits,
        }
    }

    /// Mechanisms that depend on each other, spin +1 of a model being a mechanism that did not happen; nothing is merged and
    /// nothing left out.
    pub fn of_correlated(
        columns: Vec<Vec<usize>>,
        n_detectors: usize,
        n_observables: usize,
        errors: &InteractionModel,
        ln_z: f64,
    ) -> Self {
        let n = columns.len();
        let mut all = Self::empty(n, n_detectors, n_observables, Given::Correlated);
        all.constant = -errors.offset() - ln_z;
        all.tell = (0..n).map(|j| vec![j]).collect();
        all.embedding.clone_from(&all.tell);
        for (sites, coupling) in errors.terms() {
            let bits: Vec<usize> = sites.iter().map(|&site| site as usize).collect();
            if bits.is_empty() {
                all.constant += coupling;
            } else if coupling != 0.0 {
                all.terms.push(Term { of_error: bits.clone(), of_bits: bits, coupling });
            }
        }
        all.flipped_by_bit.clone_from(&columns);
        all.columns = columns;
        all
    }

    /// The same with some of the observables alone.
    pub fn with_observables(&self, range: Range<usize>) -> Result<Self> {
        let (n_detectors, n_observables) = (self.n_detectors, range.len());
        let kept = |column: &Vec<usize>| -> Vec<usize> {
            let place = |&row: &usize| match row.checked_sub(n_detectors) {
                None => Some(row),
                Some(o) => range.contains(&o).then(|| n_detectors + o - range.start),
            };
            column.iter().filter_map(place).collect()
        };
        let columns: Vec<Vec<usize>> = self.flipped_by_bit.iter().map(kept).collect();
        match &self.given {
            Given::Mechanisms(priors) => Ok(Self::of_mechanisms(columns, n_detectors, n_observables, priors.clone())),
            Given::Qubits(table) => Self::of_qubits(columns, n_detectors, n_observables, table.clone()),
            // Every mechanism is a free bit.
            Given::Correlated => Ok(Self {
                n_observables,
                columns: columns.clone(),
                flipped_by_bit: columns,
                base_flips: BitVec::zeros(n_detectors + n_observables),
                ..self.clone()
            }),
        }
    }

    /// The same with mechanisms of probability 1/2, or with qubits of probability 1/4 for every Pauli, where `erased` is
    /// set. `None` for errors that depend on each other.
    pub fn erased(&self, erased: &[u64]) -> Option<Result<Self>> {
        match &self.given {
            Given::Mechanisms(priors) => {
                let mut priors = priors.clone();
                ones(erased).for_each(|j| priors[j] = 0.5);
                let columns = self.flipped_by_bit.clone();
                Some(Ok(Self::of_mechanisms(columns, self.n_detectors, self.n_observables, priors)))
            }
            Given::Qubits(table) => {
                let mut table = table.clone();
                ones(erased).for_each(|q| table[q] = [0.25; 4]);
                Some(Self::of_qubits(self.flipped_by_bit.clone(), self.n_detectors, self.n_observables, table))
            }
            Given::Correlated => None,
        }
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
            let coupling = 0.5 * (even - odd);
            // Probabilities of one half have no term.
            if coupling != 0.0 {
                self.terms.push(Term { of_error, of_bits: vec![self.columns.len()], coupling });
            }
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
        let mut flipped_by: Vec<Vec<usize>> = vec![Vec::new(); 2 * n];
        for (row, operator) in stabilizers.rows().chain(logicals.rows()).enumerate() {
            for bit in operator.iter_ones() {
                // An X is seen by what has a Z there, and a Z by what has an X.
                flipped_by[if bit < n { bit + n } else { bit - n }].push(row);
            }
        }
        Self::of_qubits(flipped_by, stabilizers.n_rows(), logicals.n_rows(), table.to_vec())
    }

    /// What X of every qubit flips, then what Z of every qubit flips.
    fn of_qubits(
        flipped_by: Vec<Vec<usize>>,
        n_detectors: usize,
        n_observables: usize,
        table: Vec<[f64; 4]>,
    ) -> Result<Self> {
        let n = table.len();
        let mut all = Self::empty(2 * n, n_detectors, n_observables, Given::Correlated);
        table.iter().enumerate().try_for_each(|(qubit, row)| check_row(qubit, row))?;
        let ln_least = ln_least(&table);
        for (qubit, row) in table.iter().enumerate() {
            all.push_qubit(qubit, n, flipped_by[qubit].clone(), flipped_by[qubit + n].clone(), row, ln_least);
        }
        all.flipped_by_bit = flipped_by;
        all.given = Given::Qubits(table);
        Ok(all)
    }

    fn push_qubit(&mut self, q: usize, n: usize, x: Vec<usize>, z: Vec<usize>, row: &[f64; 4], ln_least: f64) {
        let [i_, x_, y_, z_] = *row;
        let (bit_x, bit_z) = (vec![q], vec![q + n]);
        let both = vec![q, q + n];
        // What is not seen at all is summed over.
        match (x.is_empty(), z.is_empty(), x == z) {
            (true, true, _) => return,
            (true, false, _) => {
                self.push_unit(z, bit_z.clone(), bit_z, i_ + x_, y_ + z_);
                return;
            }
            (false, true, _) => {
                self.push_unit(x, bit_x.clone(), bit_x, i_ + z_, x_ + y_);
                return;
            }
            (false, false, true) => {
                self.push_unit(x, bit_x, both, i_ + y_, x_ + z_);
                return;
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
            _ => {
                // Three of four Paulis: what never happens is so rare that no probability has a digit of it.
                if support.len() == 3 {
                    self.ln_least = Some(ln_least);
                }
                let ln_never = ln_least - RARER;
                let [l_i, l_x, l_y, l_z] = row.map(|p| if p > 0.0 { p.ln() } else { ln_never });
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

/// What each mechanism flips: detectors, then observables counted from their number on.
pub(super) fn stacked_columns<'a>(
    checks: &'a BinaryCsc,
    observables: &'a BinaryCsc,
) -> impl Iterator<Item = Vec<usize>> + 'a {
    let n_detectors = checks.n_rows();
    checks.columns().zip(observables.columns()).map(move |(detectors, observables)| {
        detectors.iter().copied().chain(observables.iter().map(|o| n_detectors + o)).collect()
    })
}

pub(super) fn parity(error: &BitVec, bits: &[usize]) -> bool {
    bits.iter().fold(false, |sum, &bit| sum ^ error.get(bit))
}

/// By how much, as a logarithm, errors that never happen are rarer than all others together: e^{-50}.
pub(super) const RARER: f64 = 50.0;

/// A bound from below on ln P of every coset of positive probability, less the logarithm of the number of qubits.
fn ln_least(table: &[[f64; 4]]) -> f64 {
    let least = |row: &[f64; 4]| row.iter().filter(|p| **p > 0.0).fold(1.0, |least: f64, p| least.min(*p)).ln();
    table.iter().map(least).sum::<f64>() - (table.len() as f64).ln().max(0.0)
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
