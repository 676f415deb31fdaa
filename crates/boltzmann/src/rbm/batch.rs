//! Many configurations at once, by matrix multiplication.

use linalg_core::gemm::{Matrix, MatrixMut, gemm};

use super::Rbm;
use crate::units::Unit;

impl<V: Unit, H: Unit> Rbm<V, H> {
    /// The hidden fields of a batch, a row each.
    ///
    /// # Panics
    /// If the slices do not hold the same number of rows.
    pub fn hidden_fields_batch(&self, v: &[f64], out: &mut [f64]) {
        let (nv, nh) = (self.visible_len(), self.hidden_len());
        let rows = rows(v, nv, out, nh);
        out.chunks_exact_mut(nh).for_each(|row| row.copy_from_slice(&self.hidden_bias));
        gemm(
            1.0,
            Matrix::row_major(v, rows, nv),
            Matrix::row_major(&self.weights, nh, nv).transposed(),
            1.0,
            MatrixMut::row_major(out, rows, nh),
        );
    }

    /// The visible fields of a batch, a row each.
    ///
    /// # Panics
    /// If the slices do not hold the same number of rows.
    pub fn visible_fields_batch(&self, h: &[f64], out: &mut [f64]) {
        let (nv, nh) = (self.visible_len(), self.hidden_len());
        let rows = rows(h, nh, out, nv);
        out.chunks_exact_mut(nv).for_each(|row| row.copy_from_slice(&self.visible_bias));
        gemm(
            1.0,
            Matrix::row_major(h, rows, nh),
            Matrix::row_major(&self.weights, nh, nv),
            1.0,
            MatrixMut::row_major(out, rows, nv),
        );
    }

    /// The free energies of a batch, a row of visible units each.
    ///
    /// Cost: 2 operations a weight and row.
    ///
    /// # Panics
    /// If `v` does not hold `out.len()` rows.
    pub fn free_energies(&self, v: &[f64], beta: f64, out: &mut [f64]) {
        const BLOCK: usize = 64;
        let (nv, nh) = (self.visible_len(), self.hidden_len());
        assert_eq!(v.len(), out.len() * nv, "{} visible numbers for {} rows of {nv}", v.len(), out.len());
        let mut fields = vec![0.0; BLOCK * nh];
        for (v, out) in v.chunks(BLOCK * nv).zip(out.chunks_mut(BLOCK)) {
            let fields = &mut fields[..out.len() * nh];
            self.hidden_fields_batch(v, fields);
            for ((v, fields), out) in v.chunks_exact(nv).zip(fields.chunks_exact(nh)).zip(out) {
                *out = self.free_energy_of_fields(v, fields, beta);
            }
        }
    }
}

fn rows(x: &[f64], width: usize, out: &[f64], out_width: usize) -> usize {
    let rows = x.len() / width;
    assert_eq!(x.len(), rows * width, "{} numbers for rows of {width}", x.len());
    assert_eq!(out.len(), rows * out_width, "{} numbers for {rows} rows of {out_width}", out.len());
    rows
}
