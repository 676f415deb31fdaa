//! Energies of many configurations of an Ising model at once: configurations side by side in the lanes of vectors.

use linalg_core::simd::{Work, widest};

/// Configurations side by side.
const LANES: usize = 16;

/// Most spins for which this pays: the lanes of all spins (128 bytes each) should stay in the cache.
pub(super) const MOST_SPINS: usize = 8192;

/// The terms of a model.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms<'a> {
    pub offset: f64,
    pub fields: &'a [f64],
    pub pairs: &'a [(u32, u32)],
    pub couplings: &'a [f64],
}

impl Terms<'_> {
    /// Energies of rows of spins, the same bits as one by one: every lane adds its terms in their order.
    pub(super) fn energies(self, batch: &[i8], out: &mut [f64]) {
        let n = self.fields.len();
        let mut lanes = vec![[0.0; LANES]; n];
        for (rows, energies) in batch.chunks(n * LANES).zip(out.chunks_mut(LANES)) {
            widest(Block { terms: self, rows, lanes: &mut lanes, energies });
        }
    }
}

/// At most [`LANES`] configurations.
struct Block<'a> {
    terms: Terms<'a>,
    rows: &'a [i8],
    lanes: &'a mut [[f64; LANES]],
    energies: &'a mut [f64],
}

impl Work for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Terms { offset, fields, pairs, couplings } = self.terms;
        // Lanes without a configuration keep what they had and are not looked at.
        for (k, row) in self.rows.chunks_exact(fields.len()).enumerate() {
            for (lanes, &s) in self.lanes.iter_mut().zip(row) {
                lanes[k] = f64::from(s);
            }
        }
        let (mut coupled, mut fielded) = ([0.0; LANES], [0.0; LANES]);
        for (&(i, j), &coupling) in pairs.iter().zip(couplings) {
            let (a, b) = (&self.lanes[i as usize], &self.lanes[j as usize]);
            for k in 0..LANES {
                coupled[k] += coupling * (a[k] * b[k]);
            }
        }
        for (lanes, &field) in self.lanes.iter().zip(fields) {
            for k in 0..LANES {
                fielded[k] += field * lanes[k];
            }
        }
        for (k, energy) in self.energies.iter_mut().enumerate() {
            *energy = offset - coupled[k] - fielded[k];
        }
    }
}

#[cfg(test)]
mod tests {
    use linalg_core::Streams;
    use linalg_core::rand::RngExt;

    use crate::{EnergyModel, Ising, Spins};

    #[test]
    fn a_batch_has_the_bits_of_single_energies() {
        let mut rng = Streams::new(5).stream(0);
        for n in [1, 2, 7, 20, 65] {
            let mut builder = Ising::builder(n).offset(rng.random_range(-1.0..1.0));
            for i in 0..n {
                builder = builder.field(i, rng.random_range(-1.0..1.0));
                for j in 0..i {
                    builder = builder.coupling(i, j, rng.random_range(-1.0..1.0));
                }
            }
            let model = builder.build().unwrap();
            for rows in [0, 1, 15, 16, 17, 40] {
                let batch: Vec<i8> = (0..rows).flat_map(|_| Spins::random(n, &mut rng).to_vec()).collect();
                let mut energies = vec![f64::NAN; rows];
                model.energies(&batch, &mut energies);
                for (row, energy) in batch.chunks_exact(n).zip(&energies) {
                    assert_eq!(energy.to_bits(), model.energy(row).to_bits(), "{n} spins, {rows} rows");
                }
            }
        }
    }
}
