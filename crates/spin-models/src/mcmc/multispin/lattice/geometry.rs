//! The two colours of a square lattice as strings of bits.

use super::super::simd::{BITS, Block};
use crate::{Error, Result};

/// Directions of bonds as a packed site sees them, in this order everywhere: the row before, the row after, the
/// neighbour at the same place of its string, and the other neighbour of the same row.
pub(super) const BEFORE: usize = 0;
pub(super) const AFTER: usize = 1;
pub(super) const CENTER: usize = 2;
pub(super) const SIDE: usize = 3;

/// A rectangle of sites, `columns` to a row.
///
/// Site (r, c) has the colour (r + c) mod 2, and all neighbours the other one. The sites of a colour form a string,
/// `pitch = ⌈columns / 2⌉` bits a row: (r, c) is bit `r * pitch + c / 2`.
///
/// ```text
/// r = 0   a0 b0 a1 b1 a2 b2        The neighbours of a4 at (1, 3): a row before and after b1 and b7,
/// r = 1   b3 a3 b4 a4 b5 a5        at the same place b4, at the side b5.
/// r = 2   a6 b6 a7 b7 a8 b8
/// ```
///
/// In a row the neighbour at the same place stands after a site in an even column, before one in an odd column; the
/// side neighbour is one place before or after it in the string, at the ends of a periodic row `pitch - 1` places
/// the other way. Rows before and after are `pitch` places away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Geometry {
    pub(super) rows: usize,
    pub(super) columns: usize,
}

/// A site in its string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) color: usize,
    pub(super) bit: usize,
}

impl Geometry {
    pub(super) fn new([rows, columns]: [usize; 2], solver: &'static str) -> Result<Self> {
        if rows == 0 || columns == 0 {
            return Err(Error::NoSpins);
        }
        let bound = 1 << 40;
        match rows.checked_mul(columns) {
            Some(n) if n <= bound => Ok(Self { rows, columns }),
            n => {
                let value = n.unwrap_or(usize::MAX);
                Err(Error::TooLarge { solver, what: "number of spins", value, bound })
            }
        }
    }

    pub(super) fn n_sites(&self) -> usize {
        self.rows * self.columns
    }

    pub(super) fn pitch(&self) -> usize {
        self.columns.div_ceil(2)
    }

    /// Bits of a string, those that stand for no site included.
    pub(super) fn bits(&self) -> usize {
        self.rows * self.pitch()
    }

    /// Blocks of a string.
    pub(super) fn blocks(&self) -> usize {
        self.bits().div_ceil(BITS)
    }

    /// Largest distance of neighbours in their strings.
    pub(super) fn margin(&self) -> usize {
        self.pitch()
    }

    pub(super) fn place(&self, site: usize) -> Place {
        let (r, c) = (site / self.columns, site % self.columns);
        Place { color: (r + c) % 2, bit: r * self.pitch() + c / 2 }
    }

    /// The site of a bit, unless the bit is one too many of a row.
    pub(super) fn site(&self, color: usize, bit: usize) -> Option<usize> {
        let r = bit / self.pitch();
        let c = 2 * (bit % self.pitch()) + (r + color) % 2;
        (r < self.rows && c < self.columns).then_some(r * self.columns + c)
    }

    /// In which direction of `i` its neighbour `j` lies, and whether the bond closes a row or column; `None` if they
    /// are no neighbours, or have the same colour because the number of rows or columns is odd.
    ///
    /// In a row or column of two sites there is one bond, which closes nothing.
    pub(super) fn direction(&self, i: usize, j: usize) -> Option<(usize, bool)> {
        let w = self.columns;
        let ((r, c), (s, d)) = ((i / w, i % w), (j / w, j % w));
        let closes = |a: usize, b: usize, n: usize| n > 2 && n.is_multiple_of(2) && a.abs_diff(b) == n - 1;
        if c == d {
            match (r, s) {
                _ if s == r + 1 => Some((AFTER, false)),
                _ if r == s + 1 => Some((BEFORE, false)),
                _ if closes(r, s, self.rows) => Some((if r > s { AFTER } else { BEFORE }, true)),
                _ => None,
            }
        } else if r == s {
            // The neighbour at the same place stands at the odd column after an even one.
            match (c, d) {
                _ if c.abs_diff(d) == 1 => Some((if c / 2 == d / 2 { CENTER } else { SIDE }, false)),
                _ if closes(c, d, w) => Some((SIDE, true)),
                _ => None,
            }
        } else {
            None
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
        for lengths in [[1, 1], [1, 6], [4, 4], [3, 5], [6, 2], [2, 7]] {
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
        let geometry = Geometry::new([4, 6], "test").unwrap();
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
        let odd = Geometry::new([3, 5], "test").unwrap();
        assert_eq!((odd.direction(0, 4), odd.direction(0, 10)), (None, None));
    }
}
