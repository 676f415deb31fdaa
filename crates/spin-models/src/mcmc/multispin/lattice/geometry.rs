//! The two colours of a hypercubic lattice as strings of bits.

use super::super::simd::{BITS, Block};
use crate::{Error, Result};

/// Most dimensions.
pub(super) const DIMENSIONS: usize = 4;

/// A box of sites in two to four dimensions; the sites with the same coordinates but for the last form a row.
///
/// A site has the colour of the parity of the sum of its coordinates, and all neighbours the other one. The sites of a
/// colour form a string, row by row and `pitch = ⌈columns / 2⌉` bits a row: column c of row r is bit
/// `r * pitch + c / 2`. In two dimensions:
///
/// ```text
/// r = 0   a0 b0 a1 b1 a2 b2        The neighbours of a4 at (1, 3): a row before and after b1 and b7,
/// r = 1   b3 a3 b4 a4 b5 a5        at the same place b4, at the side b5.
/// r = 2   a6 b6 a7 b7 a8 b8
/// ```
///
/// In a row the neighbour at the same place stands after a site whose column has the parity of an even row, before one
/// of the other parity; the side neighbour is one place before or after it in the string, at the ends of a periodic row
/// `pitch - 1` places the other way. Neighbours of other rows are a fixed distance away along each axis, and another one
/// around its ends.
///
/// Directions of bonds, in this order everywhere: for every axis but the last, the first axis in front, the neighbour
/// before and the one after; then the neighbour at the same place of its string, and the other neighbour of the same row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Geometry {
    /// With ones in front.
    lengths: [usize; DIMENSIONS],
    pub(super) dimension: usize,
}

/// A site in its string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) color: usize,
    pub(super) bit: usize,
}

impl Geometry {
    pub(super) fn new(lengths: &[usize], solver: &'static str) -> Result<Self> {
        let dimension = lengths.len();
        if !(2..=DIMENSIONS).contains(&dimension) {
            let (what, expected) = ("dimension of the lattice", "2, 3 or 4");
            return Err(Error::Parameter { what, value: dimension.to_string(), expected });
        }
        if lengths.contains(&0) {
            return Err(Error::NoSpins);
        }
        let bound = 1 << 40;
        match lengths.iter().try_fold(1usize, |n, &length| n.checked_mul(length)) {
            Some(n) if n <= bound => {
                let mut all = [1; DIMENSIONS];
                all[DIMENSIONS - dimension..].copy_from_slice(lengths);
                Ok(Self { lengths: all, dimension })
            }
            n => {
                let value = n.unwrap_or(usize::MAX);
                Err(Error::TooLarge { solver, what: "number of spins", value, bound })
            }
        }
    }

    pub(super) fn lengths(&self) -> &[usize] {
        &self.lengths[DIMENSIONS - self.dimension..]
    }

    pub(super) fn n_sites(&self) -> usize {
        self.lengths.iter().product()
    }

    pub(super) fn columns(&self) -> usize {
        self.lengths[DIMENSIONS - 1]
    }

    pub(super) fn rows(&self) -> usize {
        self.lengths[..DIMENSIONS - 1].iter().product()
    }

    /// Directions of bonds.
    pub(super) fn directions(&self) -> usize {
        2 * self.dimension
    }

    pub(super) fn pitch(&self) -> usize {
        self.columns().div_ceil(2)
    }

    /// Bits of a string, those that stand for no site included.
    pub(super) fn bits(&self) -> usize {
        self.rows() * self.pitch()
    }

    /// Blocks of a string.
    pub(super) fn blocks(&self) -> usize {
        self.bits().div_ceil(BITS)
    }

    /// Length of an axis but the last, and the distance of neighbours along it in their strings.
    pub(super) fn axis(&self, axis: usize) -> (usize, usize) {
        let lengths = self.lengths();
        (lengths[axis], lengths[axis + 1..self.dimension - 1].iter().product::<usize>() * self.pitch())
    }

    /// Largest distance of neighbours in their strings.
    pub(super) fn margin(&self) -> usize {
        self.axis(0).1
    }

    /// Coordinate of a row along an axis but the last.
    pub(super) fn coordinate(&self, row: usize, axis: usize) -> usize {
        let (length, distance) = self.axis(axis);
        row / (distance / self.pitch()) % length
    }

    /// Sum of the coordinates of a row, modulo 2.
    pub(super) fn parity(&self, row: usize) -> usize {
        (0..self.dimension - 1).map(|axis| self.coordinate(row, axis)).sum::<usize>() % 2
    }

    pub(super) fn place(&self, site: usize) -> Place {
        let (r, c) = (site / self.columns(), site % self.columns());
        Place { color: (self.parity(r) + c) % 2, bit: r * self.pitch() + c / 2 }
    }

    /// The site of a bit, unless the bit is one too many of a row.
    pub(super) fn site(&self, color: usize, bit: usize) -> Option<usize> {
        let r = bit / self.pitch();
        let c = 2 * (bit % self.pitch()) + (self.parity(r) + color) % 2;
        (r < self.rows() && c < self.columns()).then_some(r * self.columns() + c)
    }

    /// In which direction of `i` its neighbour `j` lies, and whether the bond closes a row or another line; `None` if
    /// they are no neighbours, or have the same colour because the length of the line is odd.
    ///
    /// In a line of two sites there is one bond, which closes nothing.
    pub(super) fn direction(&self, i: usize, j: usize) -> Option<(usize, bool)> {
        let w = self.columns();
        let ((r, c), (s, d)) = ((i / w, i % w), (j / w, j % w));
        let closes = |a: usize, b: usize, n: usize| n > 2 && n.is_multiple_of(2) && a.abs_diff(b) == n - 1;
        let (center, side) = (self.directions() - 2, self.directions() - 1);
        if r == s {
            // The neighbour at the same place stands at the odd column after an even one.
            return match (c, d) {
                _ if c.abs_diff(d) == 1 => Some((if c / 2 == d / 2 { center } else { side }, false)),
                _ if closes(c, d, w) => Some((side, true)),
                _ => None,
            };
        }
        let mut differing =
            (0..self.dimension - 1).filter(|&axis| self.coordinate(r, axis) != self.coordinate(s, axis));
        let (Some(axis), None, true) = (differing.next(), differing.next(), c == d) else { return None };
        let (a, b) = (self.coordinate(r, axis), self.coordinate(s, axis));
        let (before, after) = (2 * axis, 2 * axis + 1);
        match self.axis(axis).0 {
            _ if b == a + 1 => Some((after, false)),
            _ if a == b + 1 => Some((before, false)),
            n if closes(a, b, n) => Some((if a > b { after } else { before }, true)),
            _ => None,
        }
    }
}

/// Sets bit `k` of a string.
pub(super) fn set(string: &mut [Block], k: usize, value: bool) {
    string[k / BITS].set_bit(k % BITS, value);
}

/// Bit `k` of a string.
pub(super) fn get(string: &[Block], k: usize) -> bool {
    string[k / BITS].bit(k % BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_sites_are_inverse() {
        let lengths: [&[usize]; 10] = [
            &[1, 1],
            &[1, 6],
            &[4, 4],
            &[3, 5],
            &[6, 2],
            &[2, 7],
            &[2, 3, 5],
            &[4, 1, 3],
            &[2, 4, 2, 6],
            &[3, 2, 5, 3],
        ];
        for lengths in lengths {
            let geometry = Geometry::new(lengths, "test").unwrap();
            let mut seen = 0;
            for color in 0..2 {
                for bit in 0..geometry.bits() {
                    if let Some(site) = geometry.site(color, bit) {
                        assert_eq!(geometry.place(site), Place { color, bit });
                        seen += 1;
                    }
                }
            }
            assert_eq!(seen, geometry.n_sites(), "{lengths:?}");
        }
    }

    #[test]
    fn the_drawing_is_right() {
        const BEFORE: usize = 0;
        const AFTER: usize = 1;
        const CENTER: usize = 2;
        const SIDE: usize = 3;
        let geometry = Geometry::new(&[4, 6], "test").unwrap();
        let site = 6 + 3;
        assert_eq!(geometry.place(site), Place { color: 0, bit: 4 });
        let bit = |neighbor: usize| geometry.place(neighbor).bit;
        assert_eq!((geometry.direction(site, 3), bit(3)), (Some((BEFORE, false)), 1));
        assert_eq!((geometry.direction(site, 15), bit(15)), (Some((AFTER, false)), 7));
        assert_eq!((geometry.direction(site, 8), bit(8)), (Some((CENTER, false)), 4));
        assert_eq!((geometry.direction(site, 10), bit(10)), (Some((SIDE, false)), 5));
        // Around the ends.
        assert_eq!(geometry.direction(6, 11), Some((SIDE, true)));
        assert_eq!(geometry.direction(11, 6), Some((SIDE, true)));
        assert_eq!(geometry.direction(1, 19), Some((BEFORE, true)));
        assert_eq!(geometry.direction(19, 1), Some((AFTER, true)));
        for (i, j) in [(0, 2), (0, 7), (0, 0), (0, 13)] {
            assert_eq!(geometry.direction(i, j), None);
        }
        let odd = Geometry::new(&[3, 5], "test").unwrap();
        assert_eq!((odd.direction(0, 4), odd.direction(0, 10)), (None, None));
    }

    #[test]
    fn directions_lead_to_the_neighbours() {
        let lengths: [&[usize]; 4] = [&[4, 6], &[4, 2, 6], &[2, 4, 6], &[4, 2, 6, 4]];
        for lengths in lengths {
            let geometry = Geometry::new(lengths, "test").unwrap();
            let n = geometry.n_sites();
            let mut stride = n;
            for (axis, &length) in lengths.iter().enumerate() {
                stride /= length;
                for site in 0..n {
                    let x = site / stride % length;
                    let next = if x + 1 < length { site + stride } else { site - x * stride };
                    let (forward, backward) = (geometry.direction(site, next), geometry.direction(next, site));
                    let closes = x + 1 == length && length > 2;
                    if axis + 1 == lengths.len() {
                        let direction = 2 * axis + usize::from(x % 2 == 1);
                        assert_eq!((forward, backward), (Some((direction, closes)), Some((direction, closes))));
                    } else if x + 1 < length || length > 2 {
                        assert_eq!(forward, Some((2 * axis + 1, closes)), "{lengths:?}: {site} -> {next}");
                        assert_eq!(backward, Some((2 * axis, closes)));
                    }
                    assert_ne!(geometry.place(site).color, geometry.place(next).color);
                }
            }
            // Each site has that many neighbours, no more.
            let degree = lengths.iter().map(|&length| length.min(3) - 1).sum();
            for i in 0..n {
                assert_eq!((0..n).filter(|&j| geometry.direction(i, j).is_some()).count(), degree);
            }
        }
    }
}
