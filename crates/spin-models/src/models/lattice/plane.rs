//! Triangular and honeycomb lattices.

use super::{Boundary, Lattice, check_size};
use crate::{Error, Result};

/// The row or column after `x`, if the boundary allows it.
fn successor(x: usize, length: usize, boundary: Boundary) -> Option<usize> {
    match boundary {
        _ if x + 1 < length => Some(x + 1),
        Boundary::Periodic => Some(0),
        Boundary::Free => None,
    }
}

/// The row or column before `x`, if the boundary allows it.
fn predecessor(x: usize, length: usize, boundary: Boundary) -> Option<usize> {
    match (x, boundary) {
        (0, Boundary::Free) => None,
        (0, Boundary::Periodic) => Some(length - 1),
        _ => Some(x - 1),
    }
}

fn check_lengths(what: &'static str, lengths: [usize; 2]) -> Result<()> {
    match lengths.iter().position(|&length| length == 0) {
        None => Ok(()),
        Some(k) => Err(Error::Parameter { what, value: format!("0 in direction {k}"), expected: "at least 1" }),
    }
}

impl Lattice {
    /// The triangular lattice as a rhombus of `[rows, columns]`; site (r, c) is `r * columns + c`.
    ///
    /// Six neighbours inside. For every site in order: the bonds to (r, c+1), (r+1, c) and (r+1, c-1). Periodic
    /// directions close the rhombus to a torus.
    ///
    /// ```text
    /// 0 --- 1 --- 2
    ///  \   / \   / \          site (r, c) at x = c + r/2, y = r √3/2
    ///   3 --- 4 --- 5
    /// ```
    ///
    /// `O(N)`.
    ///
    /// ```
    /// use spin_models::{Boundary, Lattice};
    ///
    /// let torus = Lattice::triangular([4, 4], [Boundary::Periodic; 2])?;
    /// assert_eq!((torus.n_edges(), torus.degree(5)), (48, 6));
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Parameter`] for a length of 0, or below 2 in a periodic direction, where a site would be its own
    /// neighbour; [`Error::TooLarge`].
    pub fn triangular(lengths: [usize; 2], boundaries: [Boundary; 2]) -> Result<Self> {
        // The same refusals as for the square lattice, whose bonds are among these.
        super::Shape::new(&lengths, &boundaries)?;
        let [rows, columns] = lengths;
        let mut edges = Vec::new();
        let mut positions = Vec::with_capacity(rows * columns);
        for r in 0..rows {
            for c in 0..columns {
                let site = (r * columns + c) as u32;
                let at = |r: usize, c: usize| (r * columns + c) as u32;
                if let Some(right) = successor(c, columns, boundaries[1]) {
                    edges.push((site, at(r, right)));
                }
                if let Some(below) = successor(r, rows, boundaries[0]) {
                    edges.push((site, at(below, c)));
                    if let Some(left) = predecessor(c, columns, boundaries[1]) {
                        edges.push((site, at(below, left)));
                    }
                }
                positions.push([c as f64 + 0.5 * r as f64, r as f64 * 0.75f64.sqrt(), 0.0]);
            }
        }
        Ok(Self::assemble(edges, positions, None))
    }

    /// The honeycomb lattice with `[rows, columns]` cells of two sites; cell (r, c) holds the sites
    /// A = `2 (r * columns + c)` and B = A + 1.
    ///
    /// Three neighbours inside. For every cell in order: the bonds A-B, B to the A of (r, c+1), B to the A of
    /// (r+1, c). One periodic cell has all three bonds between its two sites, kept as parallel edges.
    ///
    /// ```text
    ///   A     A
    ///    \   / \          bonds of unit length, angles of 120°
    ///     B-'   B         cell (r, c): A at x = √3 (c + r/2), y = 3r/2;
    ///     |     |                      B at A + (√3/2, 1/2)
    ///     A     A
    /// ```
    ///
    /// `O(N)`.
    ///
    /// ```
    /// use spin_models::{Boundary, Lattice};
    ///
    /// let torus = Lattice::honeycomb([3, 3], [Boundary::Periodic; 2])?;
    /// assert_eq!((torus.n_sites(), torus.n_edges(), torus.degree(7)), (18, 27, 3));
    /// assert!(torus.bipartition().is_some());
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Parameter`] for a length of 0, [`Error::TooLarge`].
    pub fn honeycomb(lengths: [usize; 2], boundaries: [Boundary; 2]) -> Result<Self> {
        check_lengths("lattice length", lengths)?;
        let [rows, columns] = lengths;
        check_size("lattice", rows.checked_mul(columns).and_then(|cells| cells.checked_mul(2)))?;
        let root3 = 3f64.sqrt();
        let mut edges = Vec::new();
        let mut positions = Vec::with_capacity(2 * rows * columns);
        for r in 0..rows {
            for c in 0..columns {
                let at = |r: usize, c: usize| (2 * (r * columns + c)) as u32;
                let (a, b) = (at(r, c), at(r, c) + 1);
                edges.push((a, b));
                if let Some(right) = successor(c, columns, boundaries[1]) {
                    edges.push((b, at(r, right)));
                }
                if let Some(below) = successor(r, rows, boundaries[0]) {
                    edges.push((b, at(below, c)));
                }
                let (x, y) = (root3 * (c as f64 + 0.5 * r as f64), 1.5 * r as f64);
                positions.extend([[x, y, 0.0], [x + 0.5 * root3, y + 0.5, 0.0]]);
            }
        }
        Ok(Self::assemble(edges, positions, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::lattice::distance_squared;
    use Boundary::{Free, Periodic};

    /// With free boundaries the bonds are exactly the pairs at unit distance.
    #[test]
    fn bonds_are_the_pairs_at_unit_distance() {
        for lattice in [Lattice::triangular([4, 5], [Free; 2]), Lattice::honeycomb([3, 4], [Free; 2])] {
            let lattice = lattice.unwrap();
            let mut edges: Vec<_> = lattice.edges().map(|(i, j)| (i.min(j), i.max(j))).collect();
            edges.sort_unstable();
            let positions = lattice.positions();
            let near: Vec<_> = (0..lattice.n_sites())
                .flat_map(|i| (i + 1..lattice.n_sites()).map(move |j| (i, j)))
                .filter(|&(i, j)| distance_squared(positions[i], positions[j]) < 1.0 + 1e-9)
                .collect();
            assert_eq!(edges, near);
            for &(i, j) in &edges {
                approx::assert_relative_eq!(distance_squared(positions[i], positions[j]), 1.0, epsilon = 1e-12);
            }
        }
    }

    #[test]
    fn tori_are_regular() {
        for (rows, columns) in [(2, 2), (3, 4), (5, 2)] {
            let triangular = Lattice::triangular([rows, columns], [Periodic; 2]).unwrap();
            assert!((0..rows * columns).all(|i| triangular.degree(i) == 6));
            let honeycomb = Lattice::honeycomb([rows, columns], [Periodic; 2]).unwrap();
            assert!((0..2 * rows * columns).all(|i| honeycomb.degree(i) == 3));
        }
        let smallest = Lattice::honeycomb([1, 1], [Periodic; 2]).unwrap();
        assert_eq!(smallest.edges().collect::<Vec<_>>(), [(0, 1), (1, 0), (1, 0)]);
        assert!(Lattice::triangular([1, 4], [Periodic; 2]).is_err());
        assert!(Lattice::triangular([4, 0], [Free; 2]).is_err());
        assert!(Lattice::honeycomb([0, 1], [Free; 2]).is_err());
        assert!(Lattice::honeycomb([usize::MAX, 2], [Free; 2]).is_err());
    }

    /// A torus is the same seen from every site: shifting by a row or a column maps edges to edges.
    #[test]
    fn tori_are_translation_invariant() {
        let (rows, columns) = (3, 4);
        let lattice = Lattice::triangular([rows, columns], [Periodic; 2]).unwrap();
        let sorted = |map: &dyn Fn(usize) -> usize| {
            let mut edges: Vec<_> = lattice.edges().map(|(i, j)| (map(i).min(map(j)), map(i).max(map(j)))).collect();
            edges.sort_unstable();
            edges
        };
        let same = sorted(&|i| i);
        assert_eq!(same, sorted(&|i| (i + columns) % (rows * columns)));
        assert_eq!(same, sorted(&|i| i / columns * columns + (i % columns + 1) % columns));
    }
}
