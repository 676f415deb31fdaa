//! Probabilities of bonds, computed once and checked against the model at every use.

use crate::models::Ising;

/// One entry for each bond, computed from β, the coupling and a parameter of the algorithm.
///
/// An entry remembers the coupling it was made for. When the model has another value there, because its weights
/// were changed or another model was passed, the entry is made anew: a stale table cannot bias a chain.
#[derive(Debug, Clone)]
pub(super) struct BondTable<E> {
    make: fn(f64, f64, f64) -> E,
    beta: f64,
    parameter: f64,
    entries: Vec<(f64, E)>,
}

impl<E: Copy> BondTable<E> {
    /// A table whose entry for a coupling `J` is `make(beta, J, parameter)`.
    pub fn new(beta: f64, parameter: f64, make: fn(f64, f64, f64) -> E) -> Self {
        Self { make, beta, parameter, entries: Vec::new() }
    }

    /// Makes the table one for `len` couplings at this β, unless its β and length say that it is already.
    pub fn prepare<I: Iterator<Item = f64>>(&mut self, beta: f64, len: usize, couplings: impl FnOnce() -> I) {
        if self.beta.to_bits() != beta.to_bits() || self.entries.len() != len {
            self.beta = beta;
            self.entries.clear();
            self.entries.extend(couplings().map(|coupling| (coupling, (self.make)(beta, coupling, self.parameter))));
        }
    }

    /// The entry of bond `k`, whose coupling is `coupling`.
    #[inline]
    pub fn get(&mut self, k: usize, coupling: f64) -> E {
        let entry = &mut self.entries[k];
        if entry.0.to_bits() != coupling.to_bits() {
            *entry = (coupling, (self.make)(self.beta, coupling, self.parameter));
        }
        entry.1
    }
}

/// A [`BondTable`] in the order of the rows of an [`Ising`] model: the couplings of site 0, its field, site 1, ….
#[derive(Debug, Clone)]
pub(super) struct RowTable<E> {
    start: Vec<usize>,
    bonds: BondTable<E>,
}

impl<E: Copy> RowTable<E> {
    pub fn new(beta: f64, parameter: f64, make: fn(f64, f64, f64) -> E) -> Self {
        Self { start: Vec::new(), bonds: BondTable::new(beta, parameter, make) }
    }

    /// Makes the table one for `model` at `beta`; `O(1)` when it is already.
    pub fn prepare(&mut self, model: &Ising, beta: f64) {
        let n = model.fields().len();
        let len = n + 2 * model.n_couplings();
        if self.start.len() != n + 1 {
            self.lay_out(model);
        }
        self.bonds
            .prepare(beta, len, || (0..n).flat_map(|i| model.row(i).1.iter().copied().chain([model.fields()[i]])));
    }

    fn lay_out(&mut self, model: &Ising) {
        self.start.clear();
        self.start.push(0);
        for i in 0..model.fields().len() {
            self.start.push(self.start[i] + model.degree(i) + 1);
        }
    }

    /// Where the row of site `i` begins; its couplings follow, then its field.
    #[inline]
    pub fn row_start(&mut self, model: &Ising, i: usize) -> usize {
        // Another graph with as many spins and couplings: entries check themselves, places are checked here.
        if self.start[i + 1] - self.start[i] != model.degree(i) + 1 {
            self.lay_out(model);
        }
        self.start[i]
    }

    #[inline]
    pub fn get(&mut self, k: usize, coupling: f64) -> E {
        self.bonds.get(k, coupling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_follow_beta_and_couplings() {
        let mut table = BondTable::new(1.0, 10.0, |beta, coupling, parameter| beta * coupling + parameter);
        let mut value = |beta: f64, k, coupling| {
            table.prepare(beta, 2, || [1.0, 2.0].into_iter());
            table.get(k, coupling)
        };
        approx::assert_relative_eq!(value(1.0, 1, 2.0), 12.0);
        approx::assert_relative_eq!(value(3.0, 1, 2.0), 16.0);
        approx::assert_relative_eq!(value(3.0, 1, -2.0), 4.0);
        approx::assert_relative_eq!(value(3.0, 1, 2.0), 16.0);
    }

    #[test]
    fn rows_follow_the_graph() {
        let star = Ising::builder(4).couplings([(0, 1, 1.0), (0, 2, 2.0), (0, 3, 3.0)]).fields([9.0; 4]);
        let path = Ising::builder(4).couplings([(0, 1, 1.0), (1, 2, 2.0), (2, 3, 3.0)]).fields([9.0; 4]);
        let mut table = RowTable::new(1.0, 0.0, |beta, coupling, _| beta * coupling);
        for model in [star.build().unwrap(), path.build().unwrap()] {
            table.prepare(&model, 2.0);
            // Last row first, so that a layout of the other graph would be met.
            for i in (0..4).rev() {
                let start = table.row_start(&model, i);
                for (k, &coupling) in model.row(i).1.iter().enumerate() {
                    approx::assert_relative_eq!(table.get(start + k, coupling), 2.0 * coupling);
                }
                approx::assert_relative_eq!(table.get(start + model.degree(i), 9.0), 18.0);
            }
        }
    }
}
