//! From gates to factors over the values of qubits between them.

use linalg_core::num_complex::Complex64;
use linalg_core::tensor::Leg;

use super::circuit::Circuit;
use super::unitary::{exchanged, kronecker, product};

/// Entries up to this modulus are zeros with rounding errors.
const ZERO: f64 = 1e-15;

/// A table over some legs, the last leg fastest.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Factor {
    pub(super) legs: Vec<Leg>,
    pub(super) table: Vec<Complex64>,
    /// The operation that it ends with.
    pub(super) operation: usize,
}

/// The leg that has the value of a qubit; where flipped it has the other one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wire {
    pub(super) leg: Leg,
    pub(super) flipped: bool,
}

/// An amplitude as a sum of products of factors.
///
/// Leg q below the number of qubits is the value of qubit q at the beginning, 0. Diagonal gates leave a qubit its leg; X and Y
/// flip it; gates that exchange qubits exchange their legs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PathSum {
    pub(super) n_legs: usize,
    pub(super) factors: Vec<Factor>,
    pub(super) outputs: Vec<Wire>,
}

impl PathSum {
    /// The factors of a circuit, gates of one qubit joined with what comes after them.
    pub(super) fn new(circuit: &Circuit) -> Self {
        let n = circuit.n_qubits();
        let wires = (0..n as Leg).map(|leg| Wire { leg, flipped: false }).collect();
        let mut builder = Builder { n_legs: n, factors: Vec::new(), wires, pending: vec![None; n], operation: 0 };
        for (k, operation) in circuit.operations().iter().enumerate() {
            builder.operation = k;
            let matrix = operation.gate().matrix();
            match *operation.qubits() {
                [q] => builder.one(q, &matrix),
                [a, b] => builder.two(a, b, &matrix),
                _ => unreachable!("gates have one or two qubits"),
            }
        }
        for q in 0..n {
            builder.flush(q);
            if (builder.wires[q].leg as usize) < n {
                // Beginning and end need legs of their own: either may be given.
                builder.copy(q);
            }
        }
        Self { n_legs: builder.n_legs, factors: builder.factors, outputs: builder.wires }
    }
}

/// Takes a gate if it has some form.
type Attempt = fn(&mut Builder, usize, usize, &[Complex64]) -> bool;

struct Builder {
    n_legs: usize,
    factors: Vec<Factor>,
    wires: Vec<Wire>,
    /// Matrices of one qubit that no factor has yet.
    pending: Vec<Option<Vec<Complex64>>>,
    operation: usize,
}

impl Builder {
    fn new_leg(&mut self) -> Leg {
        self.n_legs += 1;
        self.n_legs as Leg - 1
    }

    fn add(&mut self, legs: Vec<Leg>, entry: impl Fn(usize) -> Complex64) {
        let table = (0..1 << legs.len()).map(entry).collect();
        self.factors.push(Factor { legs, table, operation: self.operation });
    }

    fn one(&mut self, q: usize, matrix: &[Complex64]) {
        self.pending[q] = Some(match self.pending[q].take() {
            None => matrix.to_vec(),
            Some(before) => product(matrix, &before, 2),
        });
    }

    /// Turns the pending matrix of a qubit into a factor.
    fn flush(&mut self, q: usize) {
        let Some(matrix) = self.pending[q].take() else { return };
        let Wire { leg, flipped } = self.wires[q];
        let zero = |k: usize| matrix[k].norm() <= ZERO;
        let bit = |value: usize| value ^ usize::from(flipped);
        if zero(1) && zero(2) {
            self.add(vec![leg], |v| matrix[3 * bit(v)]);
        } else if zero(0) && zero(3) {
            self.add(vec![leg], |v| matrix[2 - bit(v)]);
            self.wires[q].flipped = !flipped;
        } else {
            let new = self.new_leg();
            self.add(vec![new, leg], |k| matrix[k / 2 * 2 + bit(k % 2)]);
            self.wires[q] = Wire { leg: new, flipped: false };
        }
    }

    fn copy(&mut self, q: usize) {
        let Wire { leg, flipped } = self.wires[q];
        let new = self.new_leg();
        let same = |k: usize| k / 2 == (k % 2) ^ usize::from(flipped);
        self.add(vec![new, leg], |k| if same(k) { Complex64::ONE } else { Complex64::ZERO });
        self.wires[q] = Wire { leg: new, flipped: false };
    }

    fn two(&mut self, a: usize, b: usize, matrix: &[Complex64]) {
        // A gate that exchanges its qubits may be simple but for that.
        let rows = |order: [usize; 4]| -> Vec<Complex64> {
            order.iter().flat_map(|&row| matrix[4 * row..4 * row + 4].iter().copied()).collect()
        };
        let choices = [(rows([0, 1, 2, 3]), false), (rows([0, 2, 1, 3]), true)];
        let steps: [Attempt; 3] = [Self::diagonal, Self::controlled, Self::separable];
        for step in steps {
            for (matrix, exchange) in &choices {
                if step(self, a, b, matrix) {
                    if *exchange {
                        self.wires.swap(a, b);
                        self.pending.swap(a, b);
                    }
                    return;
                }
            }
        }
        let matrix = self.absorb([a, b], matrix);
        let (x, y) = (self.wires[a], self.wires[b]);
        let (new_x, new_y) = (self.new_leg(), self.new_leg());
        self.add(vec![new_x, new_y, x.leg, y.leg], |k| {
            let column = (k % 4) ^ (2 * usize::from(x.flipped) + usize::from(y.flipped));
            matrix[k / 4 * 4 + column]
        });
        self.wires[a] = Wire { leg: new_x, flipped: false };
        self.wires[b] = Wire { leg: new_y, flipped: false };
    }

    /// The matrix with the pending ones before it, which are used up.
    fn absorb(&mut self, qubits: [usize; 2], matrix: &[Complex64]) -> Vec<Complex64> {
        let identity = || vec![Complex64::ONE, Complex64::ZERO, Complex64::ZERO, Complex64::ONE];
        let [before, other] = qubits.map(|q| self.pending[q].take().unwrap_or_else(identity));
        product(matrix, &kronecker(&before, &other), 4)
    }

    /// A coupling of the two legs.
    fn diagonal(&mut self, a: usize, b: usize, matrix: &[Complex64]) -> bool {
        if (0..16).any(|k| k / 4 != k % 4 && matrix[k].norm() > ZERO) {
            return false;
        }
        self.flush(a);
        self.flush(b);
        let (x, y) = (self.wires[a], self.wires[b]);
        let flip = 2 * usize::from(x.flipped) + usize::from(y.flipped);
        self.add(vec![x.leg, y.leg], |k| matrix[5 * (k ^ flip)]);
        true
    }

    /// One qubit keeps its value, and the other is changed accordingly.
    fn controlled(&mut self, a: usize, b: usize, matrix: &[Complex64]) -> bool {
        let keeps = |matrix: &[Complex64]| (0..16).all(|k| k / 8 == k % 4 / 2 || matrix[k].norm() <= ZERO);
        let (a, b, matrix) = if keeps(matrix) {
            (a, b, matrix.to_vec())
        } else if keeps(&exchanged(matrix)) {
            (b, a, exchanged(matrix))
        } else {
            return false;
        };
        self.flush(a);
        let matrix = match self.pending[b].take() {
            None => matrix,
            Some(before) => {
                let identity = [Complex64::ONE, Complex64::ZERO, Complex64::ZERO, Complex64::ONE];
                product(&matrix, &kronecker(&identity, &before), 4)
            }
        };
        let (x, y) = (self.wires[a], self.wires[b]);
        let new = self.new_leg();
        self.add(vec![x.leg, new, y.leg], |k| {
            let control = (k / 4) ^ usize::from(x.flipped);
            let (row, column) = (k / 2 % 2, (k % 2) ^ usize::from(y.flipped));
            matrix[(2 * control + row) * 4 + 2 * control + column]
        });
        self.wires[b] = Wire { leg: new, flipped: false };
        true
    }

    /// A sum of one or two products of matrices of one qubit.
    fn separable(&mut self, a: usize, b: usize, matrix: &[Complex64]) -> bool {
        let terms = match separate(matrix) {
            Some(terms) if terms.len() <= 2 => terms,
            _ => return false,
        };
        if let [(x, y)] = &terms[..] {
            self.one(a, x);
            self.one(b, y);
            return true;
        }
        let bond = self.new_leg();
        for (side, q) in [a, b].into_iter().enumerate() {
            let before = self.pending[q].take();
            let matrices: Vec<Vec<Complex64>> = terms
                .iter()
                .map(|(x, y)| {
                    let own = if side == 0 { x } else { y };
                    before.as_ref().map_or_else(|| own.clone(), |before| product(own, before, 2))
                })
                .collect();
            let Wire { leg, flipped } = self.wires[q];
            let new = self.new_leg();
            self.add(vec![bond, new, leg], |k| matrices[k / 4][(k % 4) ^ usize::from(flipped)]);
            self.wires[q] = Wire { leg: new, flipped: false };
        }
        true
    }
}

type Term = (Vec<Complex64>, Vec<Complex64>);

/// A matrix of two qubits as a sum of products, as few as there can be; by elimination with the largest pivot. `None` for more
/// than two.
fn separate(matrix: &[Complex64]) -> Option<Vec<Term>> {
    // Rows: both digits of the first qubit, columns: of the second.
    let entry = |k: usize| {
        let (first, second) = (k / 4, k % 4);
        matrix[(first / 2 * 2 + second / 2) * 4 + first % 2 * 2 + second % 2]
    };
    let mut rest: Vec<Complex64> = (0..16).map(entry).collect();
    let mut terms = Vec::new();
    loop {
        let pivot = (0..16).max_by(|&p, &q| rest[p].norm_sqr().total_cmp(&rest[q].norm_sqr())).unwrap_or(0);
        if rest[pivot].norm() <= ZERO {
            return Some(terms);
        }
        if terms.len() == 2 {
            return None;
        }
        let (row, col) = (pivot / 4, pivot % 4);
        let x: Vec<Complex64> = (0..4).map(|i| rest[4 * i + col]).collect();
        let y: Vec<Complex64> = (0..4).map(|j| rest[4 * row + j] / rest[pivot]).collect();
        for (k, entry) in rest.iter_mut().enumerate() {
            *entry -= x[k / 4] * y[k % 4];
        }
        terms.push((x, y));
    }
}
