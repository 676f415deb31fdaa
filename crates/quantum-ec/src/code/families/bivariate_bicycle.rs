//! Bivariate bicycle codes.

use super::lifted_product;
use crate::code::css::CssCode;
use crate::code::stabilizer::Layout;
use crate::error::{Error, Result};

/// A published code: n, k, d, then l, m, and the exponents (of x, of y) in A and in B.
type Published = ([usize; 3], [usize; 2], [(usize, usize); 3], [(usize, usize); 3]);

/// Table 3 of Bravyi, Cross, Gambetta, Maslov, Rall, Yoder, arXiv:2308.07915 (Nature 627, 778 (2024)). The distance of the
/// last is an upper bound.
#[rustfmt::skip]
pub const BIVARIATE_BICYCLES: [Published; 6] = [
    ([72, 12, 6], [6, 6], [(3, 0), (0, 1), (0, 2)], [(0, 3), (1, 0), (2, 0)]),
    ([90, 8, 10], [15, 3], [(9, 0), (0, 1), (0, 2)], [(0, 0), (2, 0), (7, 0)]),
    ([108, 8, 10], [9, 6], [(3, 0), (0, 1), (0, 2)], [(0, 3), (1, 0), (2, 0)]),
    ([144, 12, 12], [12, 6], [(3, 0), (0, 1), (0, 2)], [(0, 3), (1, 0), (2, 0)]),
    ([288, 12, 18], [12, 12], [(3, 0), (0, 2), (0, 7)], [(0, 3), (1, 0), (2, 0)]),
    ([360, 12, 24], [30, 6], [(9, 0), (0, 1), (0, 2)], [(0, 3), (25, 0), (26, 0)]),
];

/// The code of two polynomials over $`\mathbb Z_l \times \mathbb Z_m`$ (Bravyi et al., arXiv:2308.07915):
/// $`H_x = [A | B]`$ and $`H_z = [B^T | A^T]`$ with $`x = S_l \otimes I_m`$ and $`y = I_l \otimes S_m`$, S being cyclic
/// shifts. Terms are exponents (of x, of y).
///
/// The positions are those of a torus: the first l m qubits at half-integer x, the others at half-integer y.
///
/// # Errors
/// As [`lifted_product`].
///
/// ```
/// use quantum_ec::code::bivariate_bicycle;
///
/// // The toric code: A = 1 + x, B = 1 + y.
/// let code = bivariate_bicycle(4, 4, &[(0, 0), (1, 0)], &[(0, 0), (0, 1)])?;
/// assert_eq!((code.n_qubits(), code.n_logical()), (32, 2));
/// # Ok::<(), quantum_ec::Error>(())
/// ```
pub fn bivariate_bicycle(l: usize, m: usize, a: &[(usize, usize)], b: &[(usize, usize)]) -> Result<CssCode> {
    let ring = |terms: &[(usize, usize)]| vec![vec![terms.iter().map(|&(x, y)| vec![x, y]).collect()]];
    let code = lifted_product(&[l, m], &ring(a), &ring(b))?;
    let places = |dx: f64, dy: f64| (0..l * m).map(move |g| [(g / m) as f64 + dx, (g % m) as f64 + dy, 0.0]);
    Ok(code.with_layout(Layout {
        dimension: 2,
        qubits: places(0.5, 0.0).chain(places(0.0, 0.5)).collect(),
        checks: places(0.0, 0.0).chain(places(0.5, 0.5)).collect(),
    }))
}

/// The published code [[n, k, d]] of [`BIVARIATE_BICYCLES`].
///
/// # Errors
/// [`Error::UnknownName`] for other numbers, with the list.
pub fn published_bivariate_bicycle(n: usize, k: usize, d: usize) -> Result<CssCode> {
    let Some((_, [l, m], a, b)) = BIVARIATE_BICYCLES.iter().find(|row| row.0 == [n, k, d]) else {
        let known: Vec<String> = BIVARIATE_BICYCLES.iter().map(|([n, k, d], ..)| format!("{n},{k},{d}")).collect();
        return Err(Error::UnknownName {
            what: "bivariate bicycle code",
            name: format!("{n},{k},{d}"),
            known: known.join(" or "),
        });
    };
    Ok(bivariate_bicycle(*l, *m, a, b)?.with_name(format!("bb:{n},{k},{d}")))
}
