//! Chains, square and cubic lattices, and their likes in any dimension.

use super::{Boundary, Lattice, Shape, circle};
use crate::Result;

impl Lattice {
    /// A chain of `n` sites on a line.
    ///
    /// ```text
    /// 0 - 1 - 2 - 3        free: n - 1 bonds;  periodic: one more, (3,0)
    /// ```
    ///
    /// # Errors
    /// As [`Shape::new`].
    pub fn chain(n: usize, boundary: Boundary) -> Result<Self> {
        Self::hypercubic(&[n], &[boundary])
    }

    /// The periodic chain, drawn on a circle.
    ///
    /// # Errors
    /// As [`Shape::new`]: a ring has at least 2 sites, and 2 sites have two parallel bonds.
    pub fn ring(n: usize) -> Result<Self> {
        let mut ring = Self::chain(n, Boundary::Periodic)?;
        ring.positions = circle(n);
        Ok(ring)
    }

    /// The square lattice of `l` by `l` sites with the same boundary in both directions.
    ///
    /// ```
    /// use spin_models::{Boundary, Lattice};
    ///
    /// assert_eq!(Lattice::square(4, Boundary::Free)?.n_edges(), 24); // 2 l (l - 1)
    /// assert_eq!(Lattice::square(4, Boundary::Periodic)?.n_edges(), 32); // 2 l²
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Shape::new`].
    pub fn square(l: usize, boundary: Boundary) -> Result<Self> {
        Self::rectangle([l, l], [boundary, boundary])
    }

    /// A rectangle of the square lattice, `[rows, columns]`; site (r, c) is `r * columns + c`.
    ///
    /// ```text
    /// 0 - 1 - 2 - 3 -        [2, 4] with boundaries [Free, Periodic]:
    /// |   |   |   |          rows end freely, columns close around the width:
    /// 4 - 5 - 6 - 7 -        3 is a neighbour of 0, 7 of 4
    /// ```
    ///
    /// # Errors
    /// As [`Shape::new`].
    pub fn rectangle(lengths: [usize; 2], boundaries: [Boundary; 2]) -> Result<Self> {
        Self::hypercubic(&lengths, &boundaries)
    }

    /// The cubic lattice of `l³` sites with the same boundary in all directions.
    ///
    /// # Errors
    /// As [`Shape::new`].
    pub fn cubic(l: usize, boundary: Boundary) -> Result<Self> {
        Self::hypercubic(&[l; 3], &[boundary; 3])
    }

    /// A hypercubic lattice with its own length and boundary in every direction.
    ///
    /// Sites count the last direction fastest. In every periodic direction each site has one bond to its successor:
    /// length 2 gives two parallel bonds, kept as two edges. `O(d N)`.
    ///
    /// ```
    /// use spin_models::{Boundary, Lattice};
    ///
    /// let tesseract = Lattice::hypercubic(&[2; 4], &[Boundary::Free; 4])?;
    /// assert_eq!((tesseract.n_sites(), tesseract.n_edges()), (16, 32));
    /// let torus = Lattice::hypercubic(&[2; 2], &[Boundary::Periodic; 2])?;
    /// assert_eq!((torus.n_edges(), torus.degree(0)), (8, 4));
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Shape::new`].
    ///
    /// # Panics
    /// If `lengths.len() != boundaries.len()`.
    pub fn hypercubic(lengths: &[usize], boundaries: &[Boundary]) -> Result<Self> {
        let shape = Shape::new(lengths, boundaries)?;
        Ok(Self::assemble(shape.edges(), shape.positions(), Some(shape)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::lattice::distance_squared;
    use Boundary::{Free, Periodic};

    /// Bonds by brute force: every pair of sites, every direction and both signs of the step.
    fn bonds_between(shape: &Shape, i: usize, j: usize) -> usize {
        let (a, b) = (shape.coordinates(i), shape.coordinates(j));
        (0..shape.dimension())
            .filter(|&k| (0..shape.dimension()).all(|m| m == k || a[m] == b[m]))
            .map(|k| {
                let length = shape.lengths()[k];
                [(a[k], b[k]), (b[k], a[k])]
                    .into_iter()
                    .filter(|&(x, y)| match shape.boundaries()[k] {
                        Free => x + 1 == y,
                        Periodic => (x + 1) % length == y,
                    })
                    .count()
            })
            .sum()
    }

    #[test]
    fn bonds_are_those_of_the_definition() {
        let cases: [(&[usize], &[Boundary]); 7] = [
            (&[5], &[Free]),
            (&[2], &[Periodic]),
            (&[3, 4], &[Free, Periodic]),
            (&[4, 3], &[Free, Free]),
            (&[2, 3], &[Periodic, Periodic]),
            (&[3, 1, 2], &[Periodic, Free, Periodic]),
            (&[2, 3, 2, 2], &[Free, Periodic, Periodic, Free]),
        ];
        for (lengths, boundaries) in cases {
            let lattice = Lattice::hypercubic(lengths, boundaries).unwrap();
            let shape = lattice.shape().unwrap();
            let n = lattice.n_sites();
            let mut found = vec![0usize; n * n];
            for (i, j) in lattice.edges() {
                found[i * n + j] += 1;
                found[j * n + i] += 1;
            }
            for i in 0..n {
                for j in 0..n {
                    let expected = if i == j { 0 } else { bonds_between(shape, i, j) };
                    assert_eq!(found[i * n + j], expected, "{lengths:?} {boundaries:?}: sites {i}, {j}");
                }
                assert_eq!(found[i * n..(i + 1) * n].iter().sum::<usize>(), lattice.degree(i));
            }
        }
    }

    #[test]
    fn edges_are_listed_site_by_site_the_last_direction_first() {
        let torus = Lattice::square(3, Periodic).unwrap();
        let edges: Vec<_> = torus.edges().take(6).collect();
        assert_eq!(edges, [(0, 1), (0, 3), (1, 2), (1, 4), (2, 0), (2, 5)]);
        let cube = Lattice::cubic(2, Free).unwrap();
        assert_eq!(cube.edges().take(3).collect::<Vec<_>>(), [(0, 1), (0, 2), (0, 4)]);
    }

    #[test]
    fn bonds_inside_have_unit_length() {
        for lattice in [Lattice::square(4, Free), Lattice::cubic(3, Free), Lattice::ring(7)] {
            let lattice = lattice.unwrap();
            for (i, j) in lattice.edges() {
                let squared = distance_squared(lattice.positions()[i], lattice.positions()[j]);
                approx::assert_relative_eq!(squared, 1.0, epsilon = 1e-12);
            }
        }
    }
}
