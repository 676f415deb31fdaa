//! Quadratic polynomials of spins or bits, as the JSON formats write them.

use super::instance::Sign;
use crate::models::Duplicates;
use crate::{Ising, Result};

/// The alphabet of a file's variables.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Domain {
    /// -1, +1.
    Spin,
    /// 0, 1.
    Boolean,
}

/// `offset + Σ l_i x_i + Σ q_ij x_i x_j` with the numbers of the file.
pub(super) struct Polynomial {
    pub n: usize,
    pub domain: Domain,
    pub offset: f64,
    pub linear: Vec<(usize, f64)>,
    pub quadratic: Vec<(usize, usize, f64)>,
}

impl Polynomial {
    /// The model: the numbers are taken with `sign`, the offset as it is.
    ///
    /// Bits are `x = (1 + s)/2`: with `J' x x' + h' x` in the energy with a minus sign, `J = J'/4`,
    /// `h_i = h'_i/2 + Σ_j J'_ij/4`, and the constant is `c - Σ h'/2 - Σ J'/4`.
    pub fn into_ising(self, sign: Sign) -> Result<Ising> {
        let builder = Ising::builder(self.n).offset(self.offset).duplicates(Duplicates::Sum);
        let linear = self.linear.into_iter().map(|(i, l)| (i, sign.apply(l)));
        let quadratic = self.quadratic.into_iter().map(|(i, j, q)| (i, j, sign.apply(q)));
        match self.domain {
            Domain::Spin => linear.fold(builder, |builder, (i, h)| builder.field(i, h)).couplings(quadratic).build(),
            Domain::Boolean => {
                let builder = linear.fold(builder, |builder, (i, h)| builder.field(i, 0.5 * h).offset(-0.5 * h));
                quadratic
                    .fold(builder, |builder, (i, j, coupling)| {
                        let quarter = 0.25 * coupling;
                        builder.coupling(i, j, quarter).field(i, quarter).field(j, quarter).offset(-quarter)
                    })
                    .build()
            }
        }
    }
}
