//! Two Gaussian layers in closed form.

use std::f64::consts::PI;

use crate::rbm::dot;
use crate::units::Unit;
use crate::{Error, Rbm, Result};

/// ln Z of a machine with two Gaussian layers, `None` for others.
///
/// With $`K = \begin{pmatrix} \Gamma_v & -W^T \\ -W & \Gamma_h \end{pmatrix}`$ and the fields $`c = (a, b)`$:
/// $`\ln Z = \tfrac n2 \ln\tfrac{2\pi}{\beta} - \tfrac12 \ln\det K + \tfrac\beta2 c\, K^{-1} c - \beta E_0`$, by the Cholesky
/// factor of the Schur complement $`\Gamma_h - W \Gamma_v^{-1} W^T`$.
pub(super) fn ln_z<V: Unit, H: Unit>(rbm: &Rbm<V, H>, beta: f64) -> Result<Option<f64>> {
    let Some(eigenvalue) = rbm.normalisability()? else { return Ok(None) };
    if eigenvalue.is_nan() || eigenvalue >= 1.0 {
        return Err(Error::Unbounded { eigenvalue });
    }
    let (nv, nh) = (rbm.n_visible(), rbm.n_hidden());
    let precision = |unit: &dyn Unit, i: usize| unit.precision(i).unwrap_or(f64::NAN);
    let gamma_v: Vec<f64> = (0..nv).map(|i| precision(rbm.visible(), i)).collect();
    let rows: Vec<&[f64]> = rbm.weights().chunks_exact(nv).collect();
    let scaled: Vec<Vec<f64>> = rows.iter().map(|row| row.iter().zip(&gamma_v).map(|(w, g)| w / g).collect()).collect();
    // Cholesky factor of the complement, row by row, and the solution of L y = b + W Γ_v^{-1} a.
    let mut factor = vec![0.0; nh * nh];
    let mut y = vec![0.0; nh];
    let mut ln_det: f64 = gamma_v.iter().map(|g| g.ln()).sum();
    for i in 0..nh {
        for j in 0..=i {
            let diagonal = if i == j { precision(rbm.hidden(), i) } else { 0.0 };
            let (row_i, row_j) = (&factor[i * nh..i * nh + j], &factor[j * nh..j * nh + j]);
            let entry = diagonal - dot(rows[i], &scaled[j]) - dot(row_i, row_j);
            factor[i * nh + j] = if i == j { entry.sqrt() } else { entry / factor[j * nh + j] };
        }
        let pivot = factor[i * nh + i];
        if pivot.is_nan() || pivot <= 0.0 {
            return Err(Error::Unbounded { eigenvalue });
        }
        ln_det += 2.0 * pivot.ln();
        let right = rbm.hidden_bias()[i] + dot(&scaled[i], rbm.visible_bias());
        y[i] = (right - dot(&factor[i * nh..i * nh + i], &y[..i])) / pivot;
    }
    let quadratic = dot(&y, &y) + rbm.visible_bias().iter().zip(&gamma_v).map(|(a, g)| a * a / g).sum::<f64>();
    let n = (nv + nh) as f64;
    Ok(Some(0.5 * (n * (2.0 * PI / beta).ln() - ln_det + beta * quadratic) - beta * rbm.offset()))
}
