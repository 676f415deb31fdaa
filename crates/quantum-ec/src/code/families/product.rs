//! Products of two matrices over a group ring.

use linalg_core::gf2::BitMatrix;

use crate::code::css::CssCode;
use crate::error::{Error, Result};

/// A matrix over the ring $`\mathbb F_2[\mathbb Z_{l_1} \times \mathbb Z_{l_2} \times \dots]`$: entry `[i][j]` is a
/// polynomial, the list of the exponent vectors of its terms.
pub type RingMatrix = [Vec<Vec<Vec<usize>>>];

/// The lifted product of two matrices over a commutative group ring (Panteleev, Kalachev, arXiv:2012.04068).
///
/// With $`A`$ of $`m_A \times n_A`$ and $`B`$ of $`m_B \times n_B`$ entries and $`*`$ the transpose with inverted
/// exponents,
///
/// ```math
/// H_x = [A \otimes I_{m_B} \;|\; I_{m_A} \otimes B], \qquad H_z = [I_{n_A} \otimes B^* \;|\; A^* \otimes I_{n_B}],
/// ```
///
/// every entry then replaced by its matrix of permutations of the group. `orders` are the $`l_i`$; without one the ring
/// is $`\mathbb F_2`$. One by one matrices over a cyclic group give generalised bicycle codes, over the product of two
/// bivariate bicycles.
///
/// # Errors
/// [`Error::Parameter`] for an order 0 or an empty matrix, [`Error::WrongLength`] for rows of different lengths or another
/// number of exponents than orders, [`Error::TooLarge`] beyond 20000 qubits.
///
/// ```
/// use quantum_ec::code::lifted_product;
///
/// // 1 + x + x^14 + x^16 + x^22 and 1 + x^3 + x^13 + x^20 + x^42 over the cyclic group of order 63.
/// let polynomial = |exponents: &[usize]| vec![vec![exponents.iter().map(|&e| vec![e]).collect()]];
/// let (a, b) = (polynomial(&[0, 1, 14, 16, 22]), polynomial(&[0, 3, 13, 20, 42]));
/// let code = lifted_product(&[63], &a, &b)?;
/// assert_eq!((code.n_qubits(), code.n_logical()), (126, 28));
/// # Ok::<(), quantum_ec::Error>(())
/// ```
pub fn lifted_product(orders: &[usize], a: &RingMatrix, b: &RingMatrix) -> Result<CssCode> {
    let group = orders.iter().try_fold(1usize, |product, &l| product.checked_mul(l)).unwrap_or(usize::MAX);
    if group == 0 {
        return Err(Error::Parameter { what: "order of a cyclic group", value: "0".into(), expected: "at least 1" });
    }
    let (ma, na) = shape(orders, a)?;
    let (mb, nb) = shape(orders, b)?;
    let n = na.saturating_mul(mb).saturating_add(ma.saturating_mul(nb)).saturating_mul(group);
    let largest = n.max(ma.saturating_mul(mb).max(na.saturating_mul(nb)).saturating_mul(group));
    if largest > super::MAX_QUBITS {
        let bound = super::MAX_QUBITS;
        return Err(Error::TooLarge {
            method: "lifted product",
            what: "number of qubits or checks",
            value: largest,
            bound,
        });
    }
    let mut x = Block { group, orders, ones: vec![] };
    for (i, row) in a.iter().enumerate() {
        for (j, entry) in row.iter().enumerate() {
            for k in 0..mb {
                x.add(i * mb + k, j * mb + k, entry, false);
            }
        }
    }
    for i in 0..ma {
        for (k, row) in b.iter().enumerate() {
            for (l, entry) in row.iter().enumerate() {
                x.add(i * mb + k, na * mb + i * nb + l, entry, false);
            }
        }
    }
    let mut z = Block { group, orders, ones: vec![] };
    for j in 0..na {
        for (k, row) in b.iter().enumerate() {
            for (l, entry) in row.iter().enumerate() {
                z.add(j * nb + l, j * mb + k, entry, true);
            }
        }
    }
    for (i, row) in a.iter().enumerate() {
        for (j, entry) in row.iter().enumerate() {
            for l in 0..nb {
                z.add(j * nb + l, na * mb + i * nb + l, entry, true);
            }
        }
    }
    CssCode::new(x.matrix(ma * mb, n), z.matrix(na * nb, n))
}

/// Rows and columns of a matrix over the ring.
fn shape(orders: &[usize], matrix: &RingMatrix) -> Result<(usize, usize)> {
    let columns = matrix.first().map_or(0, Vec::len);
    if columns == 0 {
        return Err(Error::Parameter {
            what: "matrix",
            value: "empty".into(),
            expected: "a row and a column at least",
        });
    }
    for row in matrix {
        if row.len() != columns {
            return Err(Error::WrongLength { what: "entries of a row", got: row.len(), expected: columns });
        }
        for term in row.iter().flatten() {
            if term.len() != orders.len() {
                return Err(Error::WrongLength {
                    what: "exponents of a term",
                    got: term.len(),
                    expected: orders.len(),
                });
            }
        }
    }
    Ok((matrix.len(), columns))
}

/// A matrix of permutation matrices under construction.
struct Block<'a> {
    group: usize,
    orders: &'a [usize],
    ones: Vec<(usize, usize)>,
}

impl Block<'_> {
    /// Adds the matrix of a polynomial: row g has ones in the columns g + e, or g - e if inverted.
    fn add(&mut self, row: usize, column: usize, polynomial: &[Vec<usize>], inverted: bool) {
        for g in 0..self.group {
            for term in polynomial {
                // Mixed-radix digits, the last order the fastest.
                let (mut rest, mut place, mut h) = (g, 1, 0);
                for (&l, &e) in self.orders.iter().zip(term).rev() {
                    let e = if inverted { l - e % l } else { e % l };
                    h += (rest % l + e) % l * place;
                    rest /= l;
                    place *= l;
                }
                self.ones.push((row * self.group + g, column * self.group + h));
            }
        }
    }

    /// Equal terms cancel.
    fn matrix(&self, n_rows: usize, n: usize) -> BitMatrix {
        let mut out = BitMatrix::zeros(n_rows * self.group, n);
        self.ones.iter().for_each(|&(i, j)| out.flip(i, j));
        out
    }
}

/// The hypergraph product of two parity check matrices (Tillich, Zémor, arXiv:0903.0566).
///
/// With $`H_1`$ of $`m_1 \times n_1`$ and $`H_2`$ of $`m_2 \times n_2`$ there are $`n_1 n_2 + m_1 m_2`$ qubits,
///
/// ```math
/// H_x = [H_1 \otimes I_{n_2} \;|\; I_{m_1} \otimes H_2^T], \qquad H_z = [I_{n_1} \otimes H_2 \;|\; H_1^T \otimes I_{m_2}],
/// ```
///
/// and $`k_1 k_2 + k_1^T k_2^T`$ logical qubits, $`k`$ and $`k^T`$ being the dimensions of the null spaces of $`H`$ and
/// $`H^T`$. Two repetition codes give the unrotated surface code, two cycles the toric code.
///
/// # Errors
/// As [`lifted_product`].
pub fn hypergraph_product(h1: &BitMatrix, h2: &BitMatrix) -> Result<CssCode> {
    let entries = |h: &BitMatrix| -> Vec<Vec<Vec<Vec<usize>>>> {
        h.rows().map(|row| row.iter().map(|bit| if bit { vec![vec![]] } else { vec![] }).collect()).collect()
    };
    lifted_product(&[], &entries(h1), &entries(&h2.transpose()))
}
