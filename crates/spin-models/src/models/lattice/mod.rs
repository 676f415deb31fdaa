//! Lattices and graphs: who is coupled to whom, and where the sites lie.

mod hypercubic;
mod on_lattice;
mod plane;
mod random;
mod recognize;
mod regular;
mod shape;
mod trees;

use std::f64::consts::PI;

use linalg_core::graph::{Csr, bipartition};

pub use shape::{Boundary, Shape};

use crate::{Error, Result};

/// A graph with positions and without couplings.
///
/// Sites are numbered from 0; edges keep the order and the direction in which they were made. Parallel edges stay
/// separate entries: a torus of length 2 has every bond of that direction twice. Edges of a site with itself do not
/// exist here.
///
/// Hypercubic lattices count sites row by row, the last direction fastest, and list edges site by site in this
/// order, for every site the bond to its successor in the last direction first:
///
/// ```text
/// 0 -0- 1 -2- 2        rectangle([2, 3], [Free, Free])
/// |     |     |        sites 0..6, site = row * 3 + column
/// 1     3     4        edges 0..7 in the order of their numbers here:
/// |     |     |        (0,1) (0,3) (1,2) (1,4) (2,5) (3,4) (4,5)
/// 3 -5- 4 -6- 5
/// ```
///
/// Memory is `O(N + M)` for N sites and M edges.
///
/// ```
/// use spin_models::{Boundary, Lattice};
///
/// let lattice = Lattice::rectangle([2, 3], [Boundary::Free, Boundary::Free])?;
/// let edges: Vec<_> = lattice.edges().collect();
/// assert_eq!(edges, [(0, 1), (0, 3), (1, 2), (1, 4), (2, 5), (3, 4), (4, 5)]);
/// assert_eq!(lattice.degree(4), 3);
/// assert_eq!(lattice.positions()[5], [2.0, 1.0, 0.0]);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked"))]
pub struct Lattice {
    edges: Vec<(u32, u32)>,
    positions: Vec<[f64; 3]>,
    degrees: Vec<u32>,
    shape: Option<Shape>,
}

/// What a file may hold.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    edges: Vec<(u32, u32)>,
    positions: Vec<[f64; 3]>,
    degrees: Vec<u32>,
    shape: Option<Shape>,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for Lattice {
    type Error = Error;

    fn try_from(unchecked: Unchecked) -> Result<Self> {
        let Unchecked { edges, positions, degrees, shape } = unchecked;
        let n = positions.len();
        let pairs = edges.iter().map(|&(i, j)| (i as usize, j as usize));
        let mut lattice = Self::from_edges(n, pairs)?.with_positions(positions)?;
        let foreign = |shape: &Shape| shape.n_sites() != n || shape.edges() != edges;
        if lattice.degrees != degrees || shape.as_ref().is_some_and(foreign) {
            let (what, value) = ("degrees and shape of a lattice", "others".to_owned());
            return Err(Error::Parameter { what, value, expected: "those of its edges" });
        }
        lattice.shape = shape;
        Ok(lattice)
    }
}

impl Lattice {
    /// A graph given by its edges, sites on a circle. `O(N + M)`.
    ///
    /// # Errors
    /// [`Error::NoSpins`] or [`Error::TooLarge`] for the number of sites, [`Error::SiteOutOfBounds`],
    /// [`Error::SelfCoupling`]: each names the offending edge.
    ///
    /// ```
    /// use spin_models::Lattice;
    ///
    /// let triangle = Lattice::from_edges(3, [(0, 1), (1, 2), (2, 0)])?;
    /// assert_eq!(triangle.n_edges(), 3);
    /// assert!(triangle.bipartition().is_none());
    /// assert!(Lattice::from_edges(3, [(0, 1), (2, 2)]).is_err());
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    pub fn from_edges(n_sites: usize, edges: impl IntoIterator<Item = (usize, usize)>) -> Result<Self> {
        super::duplicates::check_n_spins(n_sites)?;
        let mut list = Vec::new();
        for (entry, (i, j)) in edges.into_iter().enumerate() {
            if let Some(&site) = [i, j].iter().find(|&&site| site >= n_sites) {
                return Err(Error::SiteOutOfBounds { what: "edge", entry, site, n_spins: n_sites });
            }
            if i == j {
                return Err(Error::SelfCoupling { entry, site: i });
            }
            list.push((i as u32, j as u32));
        }
        Ok(Self::assemble(list, circle(n_sites), None))
    }

    /// The same graph with these positions, which are for drawing: a shape, which tells how sites are numbered, stays.
    ///
    /// # Errors
    /// [`Error::WrongLength`], or [`Error::NotFinite`] naming the site.
    pub fn with_positions(mut self, positions: Vec<[f64; 3]>) -> Result<Self> {
        super::ising::check_positions(&positions, self.n_sites())?;
        self.positions = positions;
        Ok(self)
    }

    /// Puts checked parts together: edges are in bounds and without loops.
    pub(in crate::models) fn assemble(edges: Vec<(u32, u32)>, positions: Vec<[f64; 3]>, shape: Option<Shape>) -> Self {
        let mut degrees = vec![0u32; positions.len()];
        for &(i, j) in &edges {
            degrees[i as usize] += 1;
            degrees[j as usize] += 1;
        }
        Self { edges, positions, degrees, shape }
    }

    /// Number of sites N.
    pub fn n_sites(&self) -> usize {
        self.positions.len()
    }

    /// Number of edges M, parallel ones counted apart.
    pub fn n_edges(&self) -> usize {
        self.edges.len()
    }

    /// The edges in their order; on a hypercubic lattice from a site to its successor.
    pub fn edges(&self) -> impl ExactSizeIterator<Item = (usize, usize)> + '_ {
        self.edges.iter().map(|&(i, j)| (i as usize, j as usize))
    }

    pub(in crate::models) fn edge_list(&self) -> &[(u32, u32)] {
        &self.edges
    }

    /// Positions of the sites, for drawing; the unit is a typical bond length.
    ///
    /// On square lattices x is the column and y the row, so that a page with y downwards shows row 0 on top.
    pub fn positions(&self) -> &[[f64; 3]] {
        &self.positions
    }

    /// Lengths and boundaries of a hypercubic lattice; `None` for other graphs.
    pub fn shape(&self) -> Option<&Shape> {
        self.shape.as_ref()
    }

    /// Number of edges at site `i`, parallel ones counted apart.
    ///
    /// # Panics
    /// If `i` is not a site.
    pub fn degree(&self, i: usize) -> usize {
        self.degrees[i] as usize
    }

    /// A colouring of the sites with 0 and 1 such that every edge joins two colours, or `None` if there is none.
    ///
    /// The lowest site of every component has colour 0: on a square lattice this is the checkerboard. It exists
    /// exactly if no cycle is odd. `O(N + M)`.
    ///
    /// ```
    /// use spin_models::{Boundary, Lattice};
    ///
    /// let square = Lattice::square(3, Boundary::Free)?;
    /// assert_eq!(square.bipartition(), Some(vec![0, 1, 0, 1, 0, 1, 0, 1, 0]));
    /// assert_eq!(Lattice::square(3, Boundary::Periodic)?.bipartition(), None);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    pub fn bipartition(&self) -> Option<Vec<u8>> {
        // The edges of a lattice are in bounds: there is no error but an odd cycle.
        let graph = Csr::from_edges(self.n_sites(), self.edges()).ok()?;
        let sides = bipartition(&graph).ok()?;
        Some(sides.into_iter().map(u8::from).collect())
    }

    /// Neighbours of site i in `neighbors[start[i]..start[i + 1]]`, in the order of edges.
    fn rows(&self) -> (Vec<usize>, Vec<u32>) {
        let n = self.n_sites();
        let mut start = vec![0usize; n + 1];
        for i in 0..n {
            start[i + 1] = start[i] + self.degree(i);
        }
        let mut next = start.clone();
        let mut neighbors = vec![0u32; 2 * self.edges.len()];
        for &(i, j) in &self.edges {
            for (from, to) in [(i, j), (j, i)] {
                neighbors[next[from as usize]] = to;
                next[from as usize] += 1;
            }
        }
        (start, neighbors)
    }
}

/// Sites on a circle, unit distance between successive ones.
fn circle(n: usize) -> Vec<[f64; 3]> {
    let radius = if n < 2 { 0.0 } else { 0.5 / (PI / n as f64).sin() };
    (0..n)
        .map(|k| {
            let angle = 2.0 * PI * k as f64 / n as f64;
            [radius * angle.cos(), radius * angle.sin(), 0.0]
        })
        .collect()
}

/// Refuses more sites than `u32` can number.
fn check_size(constructor: &'static str, n_sites: Option<usize>) -> Result<usize> {
    let bound = u32::MAX as usize;
    match n_sites {
        Some(n) if n <= bound => Ok(n),
        _ => {
            let value = n_sites.unwrap_or(usize::MAX);
            Err(Error::TooLarge { solver: constructor, what: "number of sites", value, bound })
        }
    }
}

/// Squared distance of two positions.
#[cfg(test)]
fn distance_squared(a: [f64; 3], b: [f64; 3]) -> f64 {
    (0..3).map(|k| (a[k] - b[k]).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colourings_are_proper_wherever_cycles_are_even() {
        let even = Lattice::square(4, Boundary::Periodic).unwrap();
        let colour = even.bipartition().unwrap();
        assert!(even.edges().all(|(i, j)| colour[i] != colour[j]));
        // Two components, one of them odd.
        let mixed = Lattice::from_edges(5, [(0, 1), (2, 3), (3, 4), (4, 2)]).unwrap();
        assert_eq!(mixed.bipartition(), None);
        let isolated = Lattice::from_edges(3, [(2, 1)]).unwrap();
        assert_eq!(isolated.bipartition(), Some(vec![0, 0, 1]));
    }

    #[test]
    fn bad_graphs_are_refused() {
        let text = |n, edges: &[(usize, usize)]| Lattice::from_edges(n, edges.to_vec()).unwrap_err().to_string();
        assert_eq!(text(0, &[]), "a model needs at least one spin");
        assert_eq!(text(2, &[(0, 1), (1, 2)]), "edge 1: site 2 is out of bounds for 2 spins");
        assert_eq!(text(2, &[(1, 1)]), "coupling 0 ties site 1 to itself");
        let lattice = Lattice::from_edges(2, [(0, 1)]).unwrap();
        assert!(lattice.clone().with_positions(vec![[0.0; 3]]).is_err());
        assert!(lattice.with_positions(vec![[0.0; 3], [f64::NAN, 0.0, 0.0]]).is_err());
    }

    #[test]
    fn circle_has_unit_steps() {
        for n in [2, 3, 7, 100] {
            let points = circle(n);
            for k in 0..n - 1 {
                approx::assert_relative_eq!(distance_squared(points[k], points[k + 1]), 1.0, epsilon = 1e-12);
            }
        }
        assert_eq!(circle(1).len(), 1);
    }

    #[cfg(feature = "serde")]
    #[test]
    fn files_hold_what_can_be_built() {
        for lattice in [Lattice::square(2, Boundary::Periodic).unwrap(), Lattice::from_edges(4, [(3, 1)]).unwrap()] {
            let file = |change: fn(&mut Unchecked)| {
                let Lattice { edges, positions, degrees, shape } = lattice.clone();
                let mut unchecked = Unchecked { edges, positions, degrees, shape };
                change(&mut unchecked);
                Lattice::try_from(unchecked)
            };
            assert_eq!(file(|_| {}).unwrap(), lattice);
            let changes: [fn(&mut Unchecked); 5] = [
                |file| file.edges[0].1 = 77,
                |file| file.edges[0] = (1, 1),
                |file| file.positions[0][1] = f64::NAN,
                |file| file.degrees[0] += 1,
                |file| file.shape = Some(Shape::new(&[1 << 20, 1 << 11], &[Boundary::Free; 2]).unwrap()),
            ];
            for (k, change) in changes.into_iter().enumerate() {
                assert!(file(change).is_err(), "change {k}");
            }
        }
    }
}
