//! The lattice of Brascamp and Kunz (Journal of Mathematical Physics 15, 65 (1974)).

use std::f64::consts::PI;

use linalg_core::num_complex::Complex64;
use spin_models::Ising;

/// `rows` by `columns` spins, periodic along the rows, between a row of fixed spins +1 and one of fixed spins of
/// alternating sign; `columns` is even and at least 4.
///
/// A fixed row is one more site, with couplings of either sign. It need not be fixed: turning it over is the same as
/// turning all spins over, or as moving along by one site.
pub fn brascamp_kunz(rows: usize, columns: usize) -> Result<Ising, spin_models::Error> {
    let site = |r: usize, c: usize| r * columns + c % columns;
    let (equal, alternating) = (rows * columns, rows * columns + 1);
    let mut couplings = Vec::new();
    for r in 0..rows {
        for c in 0..columns {
            couplings.push((site(r, c), site(r, c + 1), 1.0));
            if r + 1 < rows {
                couplings.push((site(r, c), site(r + 1, c), 1.0));
            }
        }
    }
    for c in 0..columns {
        couplings.push((equal, site(0, c), 1.0));
        couplings.push((alternating, site(rows - 1, c), if c % 2 == 0 { 1.0 } else { -1.0 }));
    }
    Ising::builder(rows * columns + 2).couplings(couplings).build()
}

/// The zeros in exp(-2 K), other than 0: those of `1 + z² - z (cos θ_i + cos φ_j)` with z = sinh 2K,
/// θ_i = (2 i - 1) π / columns for i up to columns / 2 and φ_j = j π / (rows + 1) for j up to rows.
pub fn zeros(rows: usize, columns: usize) -> Vec<Complex64> {
    let mut zeros = Vec::new();
    for i in 1..=columns / 2 {
        for j in 1..=rows {
            let c = ((2 * i - 1) as f64 * PI / columns as f64).cos() + (j as f64 * PI / (rows + 1) as f64).cos();
            let z = Complex64::new(c / 2.0, (1.0 - c * c / 4.0).sqrt());
            for z in [z, z.conj()] {
                // sinh 2K = (1/x - x) / 2.
                let root = (z * z + 1.0).sqrt();
                zeros.extend([root - z, -root - z]);
            }
        }
    }
    zeros
}
