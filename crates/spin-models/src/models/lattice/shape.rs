//! Lengths and boundaries of hypercubic lattices.

use super::check_size;
use crate::{Error, Result};

/// How a lattice ends in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Boundary {
    /// Sites at the end have no neighbour beyond.
    Free,
    /// The last site is a neighbour of the first.
    Periodic,
}

/// Lengths and boundaries of a hypercubic lattice; sites are numbered row by row, the last direction fastest.
///
/// ```
/// use spin_models::{Boundary, Shape};
///
/// let shape = Shape::new(&[4, 3], &[Boundary::Free, Boundary::Periodic])?;
/// assert_eq!(shape.n_sites(), 12);
/// assert_eq!(shape.site(&[2, 1]), 7);
/// assert_eq!(shape.coordinates(7), [2, 1]);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked"))]
pub struct Shape {
    lengths: Vec<usize>,
    boundaries: Vec<Boundary>,
}

/// What a file may hold.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    lengths: Vec<usize>,
    boundaries: Vec<Boundary>,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for Shape {
    type Error = Error;

    fn try_from(unchecked: Unchecked) -> Result<Self> {
        let (got, expected) = (unchecked.boundaries.len(), unchecked.lengths.len());
        if got != expected {
            return Err(Error::WrongLength { what: "boundaries", got, expected });
        }
        Self::new(&unchecked.lengths, &unchecked.boundaries)
    }
}

impl Shape {
    /// Checks lengths and boundaries, one of each a direction.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no direction, a length of 0, or length 1 in a periodic direction, where every bond
    /// would join a site to itself; [`Error::TooLarge`] for more than `u32::MAX` sites.
    ///
    /// # Panics
    /// If `lengths.len() != boundaries.len()`.
    pub fn new(lengths: &[usize], boundaries: &[Boundary]) -> Result<Self> {
        assert_eq!(lengths.len(), boundaries.len(), "{} lengths with {} boundaries", lengths.len(), boundaries.len());
        if lengths.is_empty() {
            return Err(Error::Parameter { what: "dimension", value: "0".into(), expected: "at least 1" });
        }
        for (direction, (&length, &boundary)) in lengths.iter().zip(boundaries).enumerate() {
            let value = || format!("{length} in direction {direction}");
            match (length, boundary) {
                (0, _) => {
                    return Err(Error::Parameter { what: "lattice length", value: value(), expected: "at least 1" });
                }
                (1, Boundary::Periodic) => {
                    let expected = "at least 2 where periodic, or a site is its own neighbour";
                    return Err(Error::Parameter { what: "lattice length", value: value(), expected });
                }
                _ => {}
            }
        }
        check_size("lattice", lengths.iter().try_fold(1usize, |product, &length| product.checked_mul(length)))?;
        Ok(Self { lengths: lengths.to_vec(), boundaries: boundaries.to_vec() })
    }

    /// Number of directions.
    pub fn dimension(&self) -> usize {
        self.lengths.len()
    }

    /// Length in every direction; `[rows, columns]` in two dimensions.
    pub fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// Boundary in every direction.
    pub fn boundaries(&self) -> &[Boundary] {
        &self.boundaries
    }

    /// Number of sites, the product of the lengths.
    pub fn n_sites(&self) -> usize {
        self.lengths.iter().product()
    }

    /// The number of the site with these coordinates.
    ///
    /// # Panics
    /// If the number of coordinates is not the dimension, or one is not below its length.
    pub fn site(&self, coordinates: &[usize]) -> usize {
        let d = self.dimension();
        assert_eq!(coordinates.len(), d, "{} coordinates in {d} dimensions", coordinates.len());
        coordinates.iter().zip(&self.lengths).fold(0, |site, (&x, &length)| {
            assert!(x < length, "coordinate {x} in a direction of length {length}");
            site * length + x
        })
    }

    /// The coordinates of a site: `[row, column]` in two dimensions.
    ///
    /// # Panics
    /// If `site` is not below the number of sites.
    pub fn coordinates(&self, site: usize) -> Vec<usize> {
        assert!(site < self.n_sites(), "site {site} of {}", self.n_sites());
        let mut rest = site;
        let mut coordinates = vec![0; self.dimension()];
        for (x, &length) in coordinates.iter_mut().zip(&self.lengths).rev() {
            *x = rest % length;
            rest /= length;
        }
        coordinates
    }

    /// Positions for drawing, unit distance between neighbours.
    ///
    /// The last direction is x, the one before y, the one before z. Higher ones repeat the lattice side by side along
    /// x, then y, then z, one unit apart.
    pub fn positions(&self) -> Vec<[f64; 3]> {
        let d = self.dimension();
        // steps[k]: how far one unit of the k-th direction from the last moves along axis k mod 3.
        let mut steps = vec![1usize; d];
        for k in 3..d {
            steps[k] = steps[k - 3].saturating_mul(self.lengths[d - 1 - (k - 3)] + 1);
        }
        (0..self.n_sites())
            .map(|site| {
                let mut position = [0.0; 3];
                for (k, &x) in self.coordinates(site).iter().rev().enumerate() {
                    position[k % 3] += steps[k] as f64 * x as f64;
                }
                position
            })
            .collect()
    }

    /// Bonds site by site, for every site the last direction first; each from a site to its successor.
    pub(super) fn edges(&self) -> Vec<(u32, u32)> {
        let d = self.dimension();
        let mut strides = vec![1usize; d];
        for k in (0..d - 1).rev() {
            strides[k] = strides[k + 1] * self.lengths[k + 1];
        }
        let mut edges = Vec::new();
        let mut at = vec![0usize; d];
        for site in 0..self.n_sites() {
            for k in (0..d).rev() {
                let next = if at[k] + 1 < self.lengths[k] {
                    site + strides[k]
                } else if self.boundaries[k] == Boundary::Periodic {
                    site - at[k] * strides[k]
                } else {
                    continue;
                };
                edges.push((site as u32, next as u32));
            }
            for k in (0..d).rev() {
                at[k] += 1;
                if at[k] < self.lengths[k] {
                    break;
                }
                at[k] = 0;
            }
        }
        edges
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Boundary::{Free, Periodic};

    #[test]
    fn sites_and_coordinates_are_inverse() {
        let shape = Shape::new(&[2, 3, 1, 4], &[Free; 4]).unwrap();
        for site in 0..shape.n_sites() {
            assert_eq!(shape.site(&shape.coordinates(site)), site);
        }
        let positions = Shape::new(&[2, 2, 2, 2, 2, 2, 2], &[Free; 7]).unwrap().positions();
        let mut seen: Vec<_> = positions.iter().map(|p| p.map(|x| x as i64)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 128, "two sites on one place");
    }

    #[test]
    fn bad_shapes_are_refused() {
        let text = |lengths: &[usize], b: &[Boundary]| Shape::new(lengths, b).unwrap_err().to_string();
        assert_eq!(text(&[], &[]), "dimension is 0, expected at least 1");
        assert_eq!(text(&[3, 0], &[Free; 2]), "lattice length is 0 in direction 1, expected at least 1");
        assert_eq!(
            text(&[1, 3], &[Periodic, Free]),
            "lattice length is 1 in direction 0, expected at least 2 where periodic, or a site is its own neighbour"
        );
        assert!(text(&[1 << 20, 1 << 20], &[Free; 2]).starts_with("lattice: number of sites is 1099511627776"));
        assert!(text(&[usize::MAX, 3], &[Free; 2]).starts_with("lattice: number of sites is"));
        assert!(Shape::new(&[1, 1], &[Free; 2]).is_ok());
    }

    #[cfg(feature = "serde")]
    #[test]
    fn files_hold_what_can_be_built() {
        let file = |lengths: &[usize], boundaries: &[Boundary]| {
            Shape::try_from(Unchecked { lengths: lengths.to_vec(), boundaries: boundaries.to_vec() })
        };
        assert_eq!(file(&[3, 4], &[Free; 2]).unwrap(), Shape::new(&[3, 4], &[Free; 2]).unwrap());
        assert!(matches!(file(&[3, 4], &[Free]), Err(Error::WrongLength { got: 1, expected: 2, .. })));
        assert!(file(&[3, 0], &[Free; 2]).is_err());
    }
}
