//! Codes on tori.

use linalg_core::gf2::BitVec;

use super::check_size;
use super::surface::{Check, assemble};
use crate::code::css::CssCode;
use crate::error::Result;

/// The toric code $`[[2L^2, 2, L]]`$ (Kitaev, arXiv:quant-ph/9707021).
///
/// Qubits on the edges of an L by L square lattice with periodic boundaries: edge 2v leaves vertex v to the right, edge
/// 2v + 1 downwards. X checks on vertices, Z checks on faces; the product of all checks of a kind is 1.
///
/// # Errors
/// [`Error::Parameter`](crate::Error::Parameter) for L below 2.
pub fn toric(l: usize) -> Result<CssCode> {
    check_size("length", l, 2, |l| 2 * l * l)?;
    let right = |r: usize, c: usize| 2 * (r % l * l + c % l);
    let down = |r: usize, c: usize| right(r, c) + 1;
    let sites = || (0..l).flat_map(|r| (0..l).map(move |c| (r, c)));
    let qubits =
        sites().flat_map(|(r, c)| [[c as f64 + 0.5, r as f64, 0.0], [c as f64, r as f64 + 0.5, 0.0]]).collect();
    let x = sites().map(|(r, c)| Check {
        qubits: vec![right(r, c), right(r, c + l - 1), down(r, c), down(r + l - 1, c)],
        position: [c as f64, r as f64, 0.0],
    });
    let z = sites().map(|(r, c)| Check {
        qubits: vec![right(r, c), right(r + 1, c), down(r, c), down(r, c + 1)],
        position: [c as f64 + 0.5, r as f64 + 0.5, 0.0],
    });
    let n = 2 * l * l;
    let line = |edge: &dyn Fn(usize) -> usize| BitVec::from_ones(n, (0..l).map(edge));
    // Z on a closed line of edges; X on the edges that a closed line of the dual lattice crosses.
    let z_logicals = [line(&|c| right(0, c))?, line(&|r| down(r, 0))?];
    let x_logicals = [line(&|r| right(r, 0))?, line(&|c| down(0, c))?];
    let code = assemble(2, qubits, x.collect(), z.collect())?.with_logicals(&x_logicals, &z_logicals)?;
    Ok(code.with_name(format!("toric:{l}")))
}

/// The three-dimensional toric code $`[[3L^3, 3, L]]`$ (Dennis, Kitaev, Landahl, Preskill, arXiv:quant-ph/0110143,
/// section on higher dimensions; Castelnovo, Chamon, arXiv:0804.3591).
///
/// Qubits on the edges of a cubic lattice with periodic boundaries: edge 3v + a leaves vertex v along axis a. X checks of
/// weight 6 on vertices, Z checks of weight 4 on faces. Logical Z is a line of length L, logical X a plane of L² edges.
///
/// # Errors
/// [`Error::Parameter`](crate::Error::Parameter) for L below 2.
pub fn toric_3d(l: usize) -> Result<CssCode> {
    check_size("length", l, 2, |l| 3usize.saturating_mul(l.saturating_mul(l).saturating_mul(l)))?;
    let vertex = |v: [usize; 3]| (v[0] % l * l + v[1] % l) * l + v[2] % l;
    let step = |mut v: [usize; 3], axis: usize, by: usize| {
        v[axis] += by;
        v
    };
    let edge = |v: [usize; 3], axis: usize| 3 * vertex(v) + axis;
    let sites: Vec<[usize; 3]> = (0..l * l * l).map(|v| [v / (l * l), v / l % l, v % l]).collect();
    let at = |v: [usize; 3], shift: [f64; 3]| [0, 1, 2].map(|a| v[a] as f64 + shift[a]);
    let half = |axes: &[usize]| [0, 1, 2].map(|a| if axes.contains(&a) { 0.5 } else { 0.0 });
    let qubits = sites.iter().flat_map(|&v| [0, 1, 2].map(|a| at(v, half(&[a])))).collect();
    let x = sites.iter().map(|&v| Check {
        qubits: (0..3).flat_map(|a| [edge(v, a), edge(step(v, a, l - 1), a)]).collect(),
        position: at(v, [0.0; 3]),
    });
    let z = sites.iter().flat_map(|&v| {
        [(0, 1), (0, 2), (1, 2)].map(|(a, b)| Check {
            qubits: vec![edge(v, a), edge(step(v, b, 1), a), edge(v, b), edge(step(v, a, 1), b)],
            position: at(v, half(&[a, b])),
        })
    });
    let n = 3 * l * l * l;
    let mut lines = Vec::new();
    let mut planes = Vec::new();
    for a in 0..3 {
        lines.push(BitVec::from_ones(n, (0..l).map(|t| edge(step([0; 3], a, t), a)))?);
        let (b, c) = ((a + 1) % 3, (a + 2) % 3);
        let plane = (0..l * l).map(|t| edge(step(step([0; 3], b, t / l), c, t % l), a));
        planes.push(BitVec::from_ones(n, plane)?);
    }
    let code = assemble(3, qubits, x.collect(), z.collect())?.with_logicals(&planes, &lines)?;
    Ok(code.with_name(format!("toric-3d:{l}")))
}
