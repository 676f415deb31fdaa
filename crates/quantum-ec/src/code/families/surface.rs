//! Surface codes with boundaries.

use linalg_core::gf2::{BitMatrix, BitVec};

use super::check_size;
use crate::code::css::CssCode;
use crate::code::stabilizer::{Layout, StabilizerCode};
use crate::error::Result;

/// A check and where it is: its qubits and its position.
pub(super) struct Check {
    pub qubits: Vec<usize>,
    pub position: [f64; 3],
}

/// The CSS code of X checks and Z checks given with positions.
pub(super) fn assemble(dimension: usize, qubits: Vec<[f64; 3]>, x: Vec<Check>, z: Vec<Check>) -> Result<CssCode> {
    let n = qubits.len();
    let matrix = |checks: &[Check]| {
        let ones = checks.iter().enumerate().flat_map(|(i, check)| check.qubits.iter().map(move |&q| (i, q)));
        BitMatrix::from_ones(checks.len(), n, ones)
    };
    let code = CssCode::new(matrix(&x)?, matrix(&z)?)?;
    let checks = x.iter().chain(&z).map(|check| check.position).collect();
    Ok(code.with_layout(Layout { dimension, qubits, checks }))
}

/// The unrotated (planar) surface code $`[[d^2 + (d-1)^2, 1, d]]`$ (Bravyi, Kitaev, arXiv:quant-ph/9811052).
///
/// Sites (r, c) of a grid of 2d - 1 rows and columns: qubits where r + c is even, X checks where r is odd, Z checks where
/// c is odd. Logical X is the first row, logical Z the first column.
///
/// # Errors
/// [`Error::Parameter`](crate::Error::Parameter) for d below 2.
pub fn unrotated_surface(d: usize) -> Result<CssCode> {
    check_size("distance", d, 2, |d| 2 * d * d)?;
    let side = 2 * d - 1;
    let mut index = vec![usize::MAX; side * side];
    let mut qubits = Vec::new();
    for (r, c) in (0..side).flat_map(|r| (0..side).map(move |c| (r, c))).filter(|(r, c)| (r + c) % 2 == 0) {
        index[r * side + c] = qubits.len();
        qubits.push([c as f64, r as f64, 0.0]);
    }
    let (mut x, mut z) = (Vec::new(), Vec::new());
    for (r, c) in (0..side).flat_map(|r| (0..side).map(move |c| (r, c))).filter(|(r, c)| (r + c) % 2 == 1) {
        let around = [(r.wrapping_sub(1), c), (r, c.wrapping_sub(1)), (r, c + 1), (r + 1, c)];
        let inside = around.iter().filter(|(a, b)| *a < side && *b < side);
        let check =
            Check { qubits: inside.map(|(a, b)| index[a * side + b]).collect(), position: [c as f64, r as f64, 0.0] };
        if r % 2 == 1 { x.push(check) } else { z.push(check) }
    }
    let n = qubits.len();
    let row = BitVec::from_ones(n, (0..d).map(|j| index[2 * j]))?;
    let column = BitVec::from_ones(n, (0..d).map(|i| index[2 * i * side]))?;
    let code = assemble(2, qubits, x, z)?.with_logicals(&[row], &[column])?;
    Ok(code.with_name(format!("unrotated-surface:{d}")))
}

/// The rotated surface code $`[[d^2, 1, d]]`$ (Bombin, Martin-Delgado, arXiv:quant-ph/0703272; Horsman et al.,
/// arXiv:1111.4022).
///
/// Qubit i d + j stands in row i and column j; checks stand between four qubits, or between two at the boundary: X checks
/// above the first and below the last row, Z checks left and right. Logical X is the first column, logical Z the first
/// row.
///
/// # Errors
/// [`Error::Parameter`](crate::Error::Parameter) for d below 2.
pub fn rotated_surface(d: usize) -> Result<CssCode> {
    check_size("distance", d, 2, |d| d * d)?;
    let qubits: Vec<[f64; 3]> = (0..d * d).map(|q| [(q % d) as f64, (q / d) as f64, 0.0]).collect();
    let (mut x, mut z) = (Vec::new(), Vec::new());
    // The check at (i, j) stands above and left of qubit (i, j).
    for (i, j) in (0..=d).flat_map(|i| (0..=d).map(move |j| (i, j))) {
        let rows: Vec<usize> = [i.wrapping_sub(1), i].into_iter().filter(|&a| a < d).collect();
        let columns: Vec<usize> = [j.wrapping_sub(1), j].into_iter().filter(|&b| b < d).collect();
        let is_x = (i + j) % 2 == 1;
        let kept = match (rows.len(), columns.len()) {
            (2, 2) => true,
            (1, 2) => is_x,
            (2, 1) => !is_x,
            _ => false,
        };
        if kept {
            let qubits = rows.iter().flat_map(|a| columns.iter().map(move |b| a * d + b)).collect();
            let check = Check { qubits, position: [j as f64 - 0.5, i as f64 - 0.5, 0.0] };
            if is_x { x.push(check) } else { z.push(check) }
        }
    }
    let column = BitVec::from_ones(d * d, (0..d).map(|i| i * d))?;
    let row = BitVec::from_ones(d * d, 0..d)?;
    let code = assemble(2, qubits, x, z)?.with_logicals(&[column], &[row])?;
    Ok(code.with_name(format!("rotated-surface:{d}")))
}

/// The rotated XZZX code $`[[d^2, 1, d]]`$: the rotated surface code with X and Z exchanged on every other qubit, so that
/// every check in the bulk reads XZZX (Bonilla Ataides et al., arXiv:2009.07851).
///
/// # Errors
/// [`Error::Parameter`](crate::Error::Parameter) for d below 2.
pub fn xzzx(d: usize) -> Result<StabilizerCode> {
    let surface = rotated_surface(d)?.into_stabilizer();
    Ok(surface.hadamard((0..d * d).filter(|q| (q / d + q % d) % 2 == 1)).with_name(format!("xzzx:{d}")))
}
