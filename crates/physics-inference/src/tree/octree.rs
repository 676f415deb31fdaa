//! The tree and its evaluation.

use linalg_core::simd::widest;
use linalg_core::threads::for_pieces;

use super::curve::{bits, sorted};
use super::kernel::{Block, Far, LANES, Moments, Near};
use crate::{Error, Result, check};

/// Softening, accuracy and effort.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct OctreeParams {
    /// Softening length of the kernel, above 0. Default: 0.2.
    pub softening: f64,
    /// Largest ratio of a cell's radius to its distance at which the cell counts as a whole; 0 sums directly. Default: 0.33.
    ///
    /// The distance is that of the nearest point of a block of targets. Cells of side s have radii of about 0.75 s, so that 0.33
    /// is s/d = 0.44. The gradient of charges of random signs, at the charges themselves, is then off by 6e-4 to 1e-3 of its root
    /// mean square, at 0.3 by 5e-4 to 6e-4, at 0.375 by 1.1e-3 to 1.5e-3.
    pub opening: f64,
    /// Most sources of a cell that is not divided. Default: 16.
    pub leaf: usize,
    /// With fewer sources than this the sum is direct. Default: 600, about where both ways take the same time while places stay.
    pub direct_below: usize,
    /// Threads of an evaluation; results do not depend on them. Default: 1.
    pub threads: usize,
}

impl Default for OctreeParams {
    fn default() -> Self {
        Self { softening: 0.2, opening: 0.33, leaf: 16, direct_below: 600, threads: 1 }
    }
}

impl OctreeParams {
    /// Another softening length.
    #[must_use]
    pub fn softening(mut self, a: f64) -> Self {
        self.softening = a;
        self
    }

    /// Another opening angle.
    #[must_use]
    pub fn opening(mut self, angle: f64) -> Self {
        self.opening = angle;
        self
    }

    /// Another size of leaves.
    #[must_use]
    pub fn leaf(mut self, sources: usize) -> Self {
        self.leaf = sources;
        self
    }

    /// Another bound for direct sums.
    #[must_use]
    pub fn direct_below(mut self, sources: usize) -> Self {
        self.direct_below = sources;
        self
    }

    /// Another number of threads; 0 stands for all there are.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    fn validate(&self) -> Result<()> {
        check::positive_parameter("softening", self.softening)?;
        // Beyond 1 a block may lie inside a cell that is taken as a whole.
        if !(0.0..=1.0).contains(&self.opening) {
            return Err(Error::Parameter { what: "opening", value: self.opening, expected: "a number in [0, 1]" });
        }
        if self.leaf == 0 {
            return Err(Error::Parameter { what: "leaf", value: 0.0, expected: "at least 1" });
        }
        Ok(())
    }
}

/// A stretch of sources.
#[derive(Debug, Clone)]
struct Cell {
    first: u32,
    last: u32,
    /// The first of its parts, which follow each other; none for a leaf.
    parts: u32,
    n_parts: u32,
}

/// What a walk looks at, apart from the moments: many more cells are passed than summed.
#[derive(Debug, Clone, Copy)]
struct Ball<const D: usize> {
    centre: [f64; D],
    /// Distance from the edge of a block from which on the cell counts as a whole: its radius over the opening.
    reach: f64,
}

/// Sources with charges, ready to be evaluated anywhere.
///
/// The places of the sources are fixed at [`Self::new`], the charges can be exchanged at the cost of one pass
/// ([`Self::set_charges`]).
///
/// ```
/// use physics_inference::tree::{Octree, OctreeParams, Targets};
///
/// // Charges +1 and −1 at distance 2; a² = 0.25. On the axis at 3: 1/√(9.25) − 1/√(1.25).
/// let sources = [[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]];
/// let mut tree = Octree::new(&sources, OctreeParams::default().softening(0.5))?;
/// tree.set_charges(&[1.0, -1.0])?;
/// let mut phi = [0.0];
/// tree.potential(&Targets::new(&[[3.0, 0.0, 0.0]])?, &mut phi);
/// assert!((phi[0] - (9.25f64.sqrt().recip() - 1.25f64.sqrt().recip())).abs() < 1e-15);
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "super::saved::SavedTree", into = "super::saved::SavedTree")
)]
pub struct Octree<const D: usize = 3> {
    params: OctreeParams,
    /// `order[k]` is the source at place k of the curve.
    order: Vec<u32>,
    places: Vec<[f64; D]>,
    charges: Vec<f64>,
    /// Parents before their parts; the root first.
    cells: Vec<Cell>,
    balls: Vec<Ball<D>>,
    moments: Vec<Moments<D>>,
}

/// Places at which a potential is wanted, sorted once and used for any number of trees and charges.
#[derive(Debug, Clone)]
pub struct Targets<const D: usize = 3> {
    order: Vec<u32>,
    blocks: Vec<Block<D>>,
}

impl<const D: usize> Targets<D> {
    /// Sorts the targets into blocks. $`O(M \log M)`$.
    ///
    /// # Errors
    /// [`Error::NotFinite`] with the number of the target, [`Error::Parameter`] for 2³² or more of them.
    pub fn new(points: &[[f64; D]]) -> Result<Self> {
        check::points("position of target", points)?;
        check_count("targets", points.len())?;
        let order: Vec<u32> = sorted(points).into_iter().map(|(_, i)| i).collect();
        let block = |chunk: &[u32]| {
            let mut block = Block {
                place: [[0.0; LANES]; D],
                centre: [0.0; D],
                radius: 0.0,
                potential: [0.0; LANES],
                gradient: [[0.0; LANES]; D],
            };
            for lane in 0..LANES {
                let point = points[chunk[lane.min(chunk.len() - 1)] as usize];
                (0..D).for_each(|a| block.place[a][lane] = point[a]);
            }
            for a in 0..D {
                let (low, high) = block.place[a]
                    .iter()
                    .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)));
                block.centre[a] = 0.5 * low + 0.5 * high;
            }
            block.radius = (0..LANES)
                .map(|lane| (0..D).map(|a| (block.place[a][lane] - block.centre[a]).powi(2)).sum::<f64>())
                .fold(0.0, f64::max)
                .sqrt();
            block
        };
        let blocks = order.chunks(LANES).map(block).collect();
        Ok(Self { order, blocks })
    }

    /// Number of targets.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

impl<const D: usize> Octree<D> {
    /// Builds the tree over the places of the sources; all charges are 0. $`O(N \log N)`$.
    ///
    /// Any number of sources may share a place.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a softening that is not above 0, an opening outside `[0, 1]`, an empty leaf, or 2³² sources or
    /// more; [`Error::NotFinite`] with the number of the source.
    pub fn new(sources: &[[f64; D]], params: OctreeParams) -> Result<Self> {
        params.validate()?;
        check::points("position of source", sources)?;
        check_count("sources", sources.len())?;
        let keys = sorted(sources);
        let places: Vec<[f64; D]> = keys.iter().map(|&(_, i)| sources[i as usize]).collect();
        let order = keys.iter().map(|&(_, i)| i).collect();
        let charges = vec![0.0; places.len()];
        let mut tree =
            Self { params, order, charges, places, cells: Vec::new(), balls: Vec::new(), moments: Vec::new() };
        if !tree.is_direct() {
            tree.divide(&keys);
        }
        Ok(tree)
    }

    /// Number of sources.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether sums are direct, for lack of sources.
    pub fn is_direct(&self) -> bool {
        self.len() < self.params.direct_below.max(1)
    }

    /// Softening, accuracy and effort.
    pub fn params(&self) -> &OctreeParams {
        &self.params
    }

    /// Places and charges in the order in which they were given.
    #[cfg(feature = "serde")]
    pub(super) fn in_order(&self) -> (Vec<[f64; D]>, Vec<f64>) {
        let (mut places, mut charges) = (vec![[0.0; D]; self.len()], vec![0.0; self.len()]);
        for (k, &i) in self.order.iter().enumerate() {
            (places[i as usize], charges[i as usize]) = (self.places[k], self.charges[k]);
        }
        (places, charges)
    }

    /// Number of cells; 0 when sums are direct.
    pub fn n_cells(&self) -> usize {
        self.cells.len()
    }

    /// Bytes held by the tree.
    pub fn bytes(&self) -> usize {
        self.order.capacity() * size_of::<u32>()
            + self.places.capacity() * size_of::<[f64; D]>()
            + self.charges.capacity() * size_of::<f64>()
            + self.cells.capacity() * size_of::<Cell>()
            + self.balls.capacity() * size_of::<Ball<D>>()
            + self.moments.capacity() * size_of::<Moments<D>>()
    }

    // Sources at one place are told from close ones bit by bit.
    #[allow(clippy::float_cmp)]
    fn divide(&mut self, keys: &[(u64, u32)]) {
        let mut levels = vec![0u32];
        self.cells.push(Cell { first: 0, last: keys.len() as u32, parts: 0, n_parts: 0 });
        let mut next = 0;
        while next < self.cells.len() {
            let (first, last) = (self.cells[next].first as usize, self.cells[next].last as usize);
            let mut level = levels[next];
            while last - first > self.params.leaf && level < bits::<D>() {
                level += 1;
                let shift = D as u32 * (bits::<D>() - level);
                if keys[first].0 >> shift == keys[last - 1].0 >> shift {
                    // All in one part: go on there.
                    continue;
                }
                self.cells[next].parts = self.cells.len() as u32;
                let mut start = first;
                while start < last {
                    let part = keys[start].0 >> shift;
                    let end = start + keys[start..last].partition_point(|key| key.0 >> shift == part);
                    self.cells.push(Cell { first: start as u32, last: end as u32, parts: 0, n_parts: 0 });
                    levels.push(level);
                    start = end;
                }
                self.cells[next].n_parts = self.cells.len() as u32 - self.cells[next].parts;
                break;
            }
            next += 1;
        }
        for cell in &self.cells {
            let places = &self.places[cell.first as usize..cell.last as usize];
            let mut centre = [0.0; D];
            for place in places {
                (0..D).for_each(|a| centre[a] += place[a] / places.len() as f64);
            }
            let square = |place: &[f64; D]| (0..D).map(|a| (place[a] - centre[a]).powi(2)).sum::<f64>();
            // Sources at one place have no extent, whatever rounding makes of their mean.
            let mut reach = 0.0;
            if places.iter().all(|place| place == &places[0]) {
                centre = places[0];
            } else {
                // Infinite for an opening of 0.
                reach = places.iter().map(square).fold(0.0, f64::max).sqrt() / self.params.opening;
            }
            self.balls.push(Ball { centre, reach });
            self.moments.push(Moments::new(centre));
        }
    }

    /// New charges, in the order of the sources. $`O(N)`$.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a charge; the tree keeps its old ones then.
    ///
    /// # Panics
    /// When there is not one charge for every source.
    pub fn set_charges(&mut self, charges: &[f64]) -> Result<()> {
        assert_eq!(charges.len(), self.len(), "{} charges for {} sources", charges.len(), self.len());
        check::finite("charge", charges)?;
        self.charges.iter_mut().zip(&self.order).for_each(|(to, &i)| *to = charges[i as usize]);
        for index in (0..self.cells.len()).rev() {
            let cell = &self.cells[index];
            let (before, parts) = self.moments.split_at_mut(index + 1);
            let moments = &mut before[index];
            moments.clear();
            if cell.n_parts > 0 {
                let start = cell.parts as usize - index - 1;
                parts[start..start + cell.n_parts as usize].iter().for_each(|part| moments.add(part));
            } else {
                let range = cell.first as usize..cell.last as usize;
                for (place, &charge) in self.places[range.clone()].iter().zip(&self.charges[range]) {
                    moments.add_charge(place, charge);
                }
            }
            moments.finish();
        }
        Ok(())
    }

    /// The potential at the targets, in their order.
    ///
    /// # Panics
    /// When `potential` does not have one element for every target.
    pub fn potential(&self, targets: &Targets<D>, potential: &mut [f64]) {
        self.evaluate::<false>(targets, potential, &mut []);
    }

    /// Potential and gradient at the targets, in their order.
    ///
    /// # Panics
    /// When an output does not have one element for every target.
    pub fn potential_and_gradient(&self, targets: &Targets<D>, potential: &mut [f64], gradient: &mut [[f64; D]]) {
        assert_eq!(gradient.len(), targets.len(), "{} gradients for {} targets", gradient.len(), targets.len());
        self.evaluate::<true>(targets, potential, gradient);
    }

    fn evaluate<const GRADIENT: bool>(&self, targets: &Targets<D>, potential: &mut [f64], gradient: &mut [[f64; D]]) {
        assert_eq!(potential.len(), targets.len(), "{} potentials for {} targets", potential.len(), targets.len());
        let mut blocks = targets.blocks.clone();
        for_pieces(linalg_core::threads::count(self.params.threads), &mut blocks, |_, blocks| {
            let mut walk = Walk::default();
            blocks.iter_mut().for_each(|block| self.sum::<GRADIENT>(block, &mut walk));
        });
        for (block, places) in blocks.iter().zip(targets.order.chunks(LANES)) {
            for (lane, &i) in places.iter().enumerate() {
                potential[i as usize] = block.potential[lane];
                if GRADIENT {
                    gradient[i as usize] = std::array::from_fn(|a| block.gradient[a][lane]);
                }
            }
        }
    }

    /// Walks down the tree for a block and adds what it meets.
    fn sum<const GRADIENT: bool>(&self, block: &mut Block<D>, walk: &mut Walk) {
        let softening2 = self.params.softening * self.params.softening;
        walk.stack.clear();
        walk.far.clear();
        walk.near.clear();
        if self.is_direct() {
            walk.near.push((0, self.len() as u32));
        } else {
            walk.stack.push(0);
        }
        while let Some(index) = walk.stack.pop() {
            let (cell, ball) = (&self.cells[index as usize], &self.balls[index as usize]);
            let square: f64 = (0..D).map(|a| (ball.centre[a] - block.centre[a]).powi(2)).sum();
            let least = ball.reach + block.radius;
            // False for NaN and for what overflows: then it is opened.
            let whole = ball.reach == 0.0 || square > least * least;
            if whole && cell.last - cell.first > FEW {
                walk.far.push(index);
            } else if !whole && cell.n_parts > 0 {
                walk.stack.extend((cell.parts..cell.parts + cell.n_parts).rev());
            } else {
                // Cells that follow each other on the curve are one stretch.
                match walk.near.last_mut() {
                    Some(stretch) if stretch.1 == cell.first => stretch.1 = cell.last,
                    _ => walk.near.push((cell.first, cell.last)),
                }
            }
        }
        let (places, charges) = (&self.places, &self.charges);
        widest(Near::<D, GRADIENT> { block, places, charges, stretches: &walk.near, softening2 });
        widest(Far::<D, GRADIENT> { block, moments: &self.moments, list: &walk.far, softening2 });
    }
}

/// With so few sources a cell is summed directly: an octupole takes the time of three or four.
const FEW: u32 = 3;

/// Scratch of a thread.
#[derive(Debug, Default)]
struct Walk {
    stack: Vec<u32>,
    /// Cells to be taken as a whole.
    far: Vec<u32>,
    /// Stretches of sources to be summed directly.
    near: Vec<(u32, u32)>,
}

fn check_count(what: &'static str, n: usize) -> Result<()> {
    if u32::try_from(n).is_ok_and(|n| n < u32::MAX) {
        Ok(())
    } else {
        Err(Error::Parameter { what, value: n as f64, expected: "fewer than 2^32" })
    }
}
