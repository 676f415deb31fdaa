//! Symmetries of a code on the bits of a model.

use super::subject::{CodeNoise, Subject};
use crate::code::Symmetry;
use crate::error::{Error, Result};

/// A symmetry as a linear map of syndrome and logical bits over GF(2).
#[derive(Debug, Clone)]
pub(super) struct Action {
    /// For every bit of the syndrome, the bits of the image that it flips: those of the syndrome, then the logical ones.
    syndrome: Vec<Vec<usize>>,
    /// For every logical bit, the logical bits of the image that it flips.
    logical: Vec<Vec<usize>>,
}

impl Action {
    /// The symmetries of code and noise, the identity first, at most `most`.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] unless the subject is a code under independent noise.
    pub fn all(subject: &Subject, most: usize) -> Result<Vec<Self>> {
        let (Some(code), Some(basis), Some(CodeNoise::Named { noise, low, high })) =
            (subject.code(), subject.basis(), subject.noise())
        else {
            let reason = format!("{} is not a code under independent noise", subject.name());
            return Err(Error::NotApplicable { method: "average over symmetries", reason });
        };
        let mut balanced = true;
        for p in [*low, *high] {
            let row = noise.table(1, p)?.row(0);
            balanced &= row[1].total_cmp(&row[3]).is_eq();
        }
        let (r, m) = (basis.n_syndrome(), basis.n_logical_bits());
        let of = |symmetry: &Symmetry| {
            // Bits of the image of the error with this one bit.
            let image = |bit: usize| -> Result<Vec<usize>> {
                let mut bits = vec![0; r + m];
                bits[bit] = 1;
                let error = basis.error(&bits[..r], &bits[r..], &vec![0; r])?;
                let (mut syndrome, mut logical, mut gauge) = (vec![0; r], vec![0; m], vec![0; r]);
                basis.coordinates(&symmetry.apply(&error), &mut syndrome, &mut logical, &mut gauge);
                let all = syndrome.iter().chain(&logical).enumerate();
                Ok(all.filter(|(_, bit)| **bit != 0).map(|(i, _)| i).collect())
            };
            let logical = (r..r + m).map(|bit| Ok(image(bit)?.into_iter().map(|i| i - r).collect()));
            Ok(Self { syndrome: (0..r).map(image).collect::<Result<_>>()?, logical: logical.collect::<Result<_>>()? })
        };
        code.symmetries(most).iter().filter(|symmetry| balanced || !symmetry.exchanges()).map(of).collect()
    }

    /// Appends the image of a syndrome; the logical bits that it flips are added to `class`, a number of bits.
    pub fn syndrome(&self, row: &[i8], out: &mut Vec<i8>) -> usize {
        let start = out.len();
        out.resize(start + row.len(), 1);
        let mut class = 0;
        for (bits, _) in self.syndrome.iter().zip(row).filter(|(_, sign)| **sign < 0) {
            for &bit in bits {
                match bit.checked_sub(row.len()) {
                    None => out[start + bit] = -out[start + bit],
                    Some(j) => class ^= 1 << j,
                }
            }
        }
        class
    }

    /// The image of logical bits, as a number.
    pub fn logical(&self, class: usize) -> usize {
        let set = self.logical.iter().enumerate().filter(|(j, _)| class >> j & 1 == 1);
        set.fold(0, |image, (_, bits)| bits.iter().fold(image, |image, j| image ^ 1 << j))
    }
}
