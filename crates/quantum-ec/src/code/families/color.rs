//! Triangular colour codes.

use linalg_core::gf2::BitVec;

use super::surface::{Check, assemble};
use super::{check_odd, check_size};
use crate::code::css::CssCode;
use crate::error::Result;

/// The code with an X and a Z check on every face, and all qubits as the support of both logical operators.
fn faces(qubits: Vec<[f64; 3]>, faces: Vec<Check>, name: String) -> Result<CssCode> {
    let n = qubits.len();
    let again = faces.iter().map(|face| Check { qubits: face.qubits.clone(), position: face.position }).collect();
    let all = [BitVec::from_ones(n, 0..n)?];
    Ok(assemble(2, qubits, faces, again)?.with_logicals(&all, &all)?.with_name(name))
}

/// The triangular colour code on the hexagonal lattice, $`[[(3d^2 + 1)/4, 1, d]]`$ (Bombin, Martin-Delgado,
/// arXiv:quant-ph/0605138).
///
/// A triangle of the triangular lattice with sides of 3(d - 1)/2 bonds has a three-colouring; the sites of one colour are
/// the faces, those of the other two the qubits around them: six, or four at the boundary. Distance 3 is Steane's code.
///
/// # Errors
/// [`Error::Parameter`](crate::Error::Parameter) for an even d or one below 3.
pub fn color_666(d: usize) -> Result<CssCode> {
    check_size("distance", d, 3, |d| (3 * d * d).div_ceil(4))?;
    check_odd(d)?;
    let side = 3 * (d - 1) / 2;
    let position = |r: usize, c: usize| [c as f64 - r as f64 / 2.0, r as f64 * 0.75f64.sqrt(), 0.0];
    let sites = || (0..=side).flat_map(|r| (0..=r).map(move |c| (r, c)));
    let is_face = |r: usize, c: usize| (r + c) % 3 == 1;
    let mut index = vec![usize::MAX; (side + 1) * (side + 1)];
    let mut qubits = Vec::new();
    for (r, c) in sites().filter(|&(r, c)| !is_face(r, c)) {
        index[r * (side + 1) + c] = qubits.len();
        qubits.push(position(r, c));
    }
    let around = |r: usize, c: usize| {
        let (up, left) = (r.wrapping_sub(1), c.wrapping_sub(1));
        [(up, left), (up, c), (r, left), (r, c + 1), (r + 1, c), (r + 1, c + 1)]
    };
    let checks = sites().filter(|&(r, c)| is_face(r, c)).map(|(r, c)| Check {
        qubits: around(r, c)
            .into_iter()
            .filter(|&(a, b)| a <= side && b <= a)
            .map(|(a, b)| index[a * (side + 1) + b])
            .collect(),
        position: position(r, c),
    });
    let checks = checks.collect();
    faces(qubits, checks, format!("color-666:{d}"))
}

/// A point of the lattice of squares and octagons, in quarters of the distance between octagons.
type Point = (i64, i64);

/// The triangular colour code on the lattice of squares and octagons, $`[[(d^2 + 2d - 1)/2, 1, d]]`$ (Landahl,
/// Anderson, Rice, arXiv:1108.5738).
///
/// Octagons stand at the points (i, j) of the square lattice and have two colours, i + j even or odd; squares stand between
/// them and have the third. The triangle x > 0, y > 0, x + y < (d + 1)/2 cuts the octagons on its sides in half: on the
/// side y = 0 the even halves stay, on x = 0 the odd ones, and on the third side the halves of squares go.
///
/// # Errors
/// [`Error::Parameter`](crate::Error::Parameter) for an even d or one below 3.
pub fn color_488(d: usize) -> Result<CssCode> {
    check_size("distance", d, 3, |d| d * (d + 2) / 2)?;
    check_odd(d)?;
    let s = d.div_ceil(2) as i64;
    let inside = |x: i64, y: i64| x > 0 && y > 0 && x + y < 4 * s;
    let octagon = |i: i64, j: i64| {
        let corners = [(2, 1), (1, 2), (-1, 2), (-2, 1), (-2, -1), (-1, -2), (1, -2), (2, -1)];
        corners.map(|(x, y)| (4 * i + x, 4 * j + y))
    };
    let square = |i: i64, j: i64| [(1, 0), (0, 1), (-1, 0), (0, -1)].map(|(x, y)| (4 * i + 2 + x, 4 * j + 2 + y));
    let points = || (0..=s).flat_map(|i| (0..=s - i).map(move |j| (i, j)));
    let mut outlines: Vec<(Vec<Point>, Point)> = Vec::new();
    for (i, j) in points() {
        if i + j + 1 < s {
            outlines.push((square(i, j).to_vec(), (4 * i + 2, 4 * j + 2)));
        }
        let odd = (i + j) % 2 == 1;
        if (j == 0 && odd) || (i == 0 && !odd) {
            continue;
        }
        let corners: Vec<Point> = octagon(i, j).into_iter().filter(|&(x, y)| inside(x, y)).collect();
        // The octagon in the corner of 45 degrees keeps a single vertex, which is no qubit.
        if corners.len() >= 4 {
            outlines.push((corners, (4 * i, 4 * j)));
        }
    }
    let mut places: Vec<Point> = outlines.iter().flat_map(|(corners, _)| corners.iter().copied()).collect();
    places.sort_by_key(|&(x, y)| (y, x));
    places.dedup();
    let real = |(x, y): Point| [x as f64 / 4.0, y as f64 / 4.0, 0.0];
    let mut checks = Vec::with_capacity(outlines.len());
    for (corners, centre) in outlines {
        let mut qubits: Vec<usize> =
            corners.iter().filter_map(|&(x, y)| places.binary_search_by_key(&(y, x), |&(a, b)| (b, a)).ok()).collect();
        qubits.sort_unstable();
        checks.push(Check { qubits, position: real(centre) });
    }
    faces(places.into_iter().map(real).collect(), checks, format!("color-488:{d}"))
}
