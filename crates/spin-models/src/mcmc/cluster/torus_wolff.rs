//! Single clusters on a uniform periodic lattice, 64 sites a word.

use std::borrow::Borrow;

use linalg_core::rand::{Rng, RngExt};

use super::bernoulli::Fraction;
use super::torus::UniformTorus;
use super::torus_swendsen_wang::pack_eight;
use crate::Result;
use crate::error::check_beta;
use crate::model::{CachedModel, EnergyModel, MarkovKernel, SweepStats};

/// Wolff's single-cluster algorithm for a [`UniformTorus`].
///
/// The lattice is covered with tiles of 64 sites, 8 x 8 in two dimensions and 4 x 4 x 4 in three. The bonds of a
/// tile are drawn, 64 at a time, when the cluster first comes near it, and the cluster is the flood fill of these
/// bonds, which shifts of words carry out for a whole tile. This is one cluster of the decomposition of
/// Swendsen and Wang, chosen by a uniform site: Wolff's rule. A sweep is one cluster.
///
/// Probabilities are rounded down by less than 2⁻⁶⁴. Cost: proportional to the tiles that the cluster touches;
/// memory 64 bytes a tile in up to three dimensions. Where clusters are much smaller than a tile, far above the critical
/// temperature, [`TorusSwendsenWang`](super::TorusSwendsenWang) or single flips cost less a spin.
///
/// Reference: Wolff, Phys. Rev. Lett. 62, 361 (1989).
///
/// ```
/// use linalg_core::rng::Streams;
/// use spin_models::MarkovKernel;
/// use spin_models::mcmc::cluster::{TorusWolff, UniformTorus};
///
/// // At this β every bond is active: the whole lattice turns.
/// let torus = UniformTorus::new(&[12, 9], 1.0)?;
/// let mut kernel = TorusWolff::new(&torus, 100.0)?;
/// let mut s = vec![1; 108];
/// let stats = kernel.sweep(&torus, 100.0, &mut s, &mut (), &mut Streams::new(1).stream(0));
/// assert_eq!(stats.flipped, 108);
/// assert_eq!(s, vec![-1; 108]);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct TorusWolff {
    tiling: Tiling,
}

/// The tiles for each number of dimensions.
#[derive(Debug, Clone)]
enum Tiling {
    One(Tiles<1>),
    Two(Tiles<2>),
    Three(Tiles<3>),
    Four(Tiles<4>),
}

impl Tiling {
    /// `extents`: lengths of the lattice, that of the rows first.
    fn new(extents: &[usize]) -> Self {
        // A torus has one to four lengths.
        match *extents {
            [a] => Self::One(Tiles::new([a])),
            [a, b] => Self::Two(Tiles::new([a, b])),
            [a, b, c] => Self::Three(Tiles::new([a, b, c])),
            [a, b, c, d] => Self::Four(Tiles::new([a, b, c, d])),
            _ => unreachable!("a torus of {} dimensions", extents.len()),
        }
    }

    fn of(torus: &UniformTorus) -> Self {
        Self::new(&torus.fastest_first().collect::<Vec<_>>())
    }

    fn extents(&self) -> &[usize] {
        match self {
            Self::One(tiles) => &tiles.extents,
            Self::Two(tiles) => &tiles.extents,
            Self::Three(tiles) => &tiles.extents,
            Self::Four(tiles) => &tiles.extents,
        }
    }
}

impl TorusWolff {
    /// A kernel with memory for `torus`.
    ///
    /// # Errors
    /// [`Error::Beta`](crate::Error::Beta) when `beta` is not finite or negative.
    pub fn new(torus: &UniformTorus, beta: f64) -> Result<Self> {
        check_beta(beta)?;
        Ok(Self { tiling: Tiling::of(torus) })
    }
}

/// For a [`UniformTorus`], owned or borrowed.
impl<M: CachedModel<Cache = ()> + Borrow<UniformTorus>> MarkovKernel<M> for TorusWolff {
    /// Grows and turns one cluster; `flipped` is its size. The mean of `flipped / N` is $`⟨m^2⟩`$.
    ///
    /// # Panics
    /// If `s` has the wrong length, or `beta` is NaN or negative.
    fn sweep<R: Rng + ?Sized>(
        &mut self,
        model: &M,
        beta: f64,
        s: &mut [i8],
        _cache: &mut (),
        rng: &mut R,
    ) -> SweepStats {
        let model = model.borrow();
        let n = model.n_spins();
        assert_eq!(s.len(), n, "{} spins for a model of {n}", s.len());
        assert!(beta >= 0.0, "beta is {beta}, expected a number >= 0");
        if !model.fastest_first().eq(self.tiling.extents().iter().copied()) {
            self.tiling = Tiling::of(model);
        }
        let active = Fraction::activation(beta, model.coupling());
        let seed = rng.random_range(0..n as u32) as usize;
        let flipped = match &mut self.tiling {
            Tiling::One(tiles) => tiles.turn_cluster(seed, active, s, rng),
            Tiling::Two(tiles) => tiles.turn_cluster(seed, active, s, rng),
            Tiling::Three(tiles) => tiles.turn_cluster(seed, active, s, rng),
            Tiling::Four(tiles) => tiles.turn_cluster(seed, active, s, rng),
        };
        SweepStats { attempted: 1, accepted: 1, flipped, clusters: 1 }
    }
}

/// A tile and what is known of it in the growth of one cluster; a line of the cache up to three dimensions.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Tile<const D: usize> {
    /// Its coordinates among the tiles.
    x: [u32; D],
    /// The growth in which the spins were read, an even number; one more when the bonds are drawn, too.
    epoch: u32,
    /// Spins as bits, 1 is down.
    down: u64,
    /// Active bonds to the next site up each direction; also those that leave the tile.
    bonds: [u64; D],
    /// Sites found to be in the cluster.
    cluster: u64,
    /// Sites through which the cluster came in and which have not been followed.
    entered: u64,
}

/// A lattice in tiles of 64 sites; the last tile of a direction may be narrower.
#[derive(Debug, Clone)]
struct Tiles<const D: usize> {
    extents: [usize; D],
    /// Distances of neighbouring sites in the order of the lattice.
    strides: [usize; D],
    /// Number of tiles in each direction.
    counts: [u32; D],
    /// Distances of neighbouring tiles, and of the last tile of a direction from the first.
    steps: [usize; D],
    wraps: [usize; D],
    /// Widths of the last tile of each direction.
    last_widths: [u32; D],
    /// Places of the rows of a full tile, from its first site.
    rows: Vec<usize>,
    tiles: Vec<Tile<D>>,
    /// Tiles with drawn bonds.
    touched: Vec<u32>,
    /// Tiles with entered sites.
    queue: Vec<u32>,
    epoch: u32,
}

/// Logarithms of the widths of a full tile; they add up to 6.
const fn log_widths<const D: usize>() -> [u32; D] {
    let mut log_widths = [6 / D as u32; D];
    // Four directions: 4 x 4 x 2 x 2.
    if D == 4 {
        log_widths[0] = 2;
        log_widths[1] = 2;
    }
    log_widths
}

/// Distances in bits between neighbours of a tile.
const fn shifts<const D: usize>() -> [u32; D] {
    let mut shifts = [0; D];
    let mut axis = 1;
    while axis < D {
        shifts[axis] = shifts[axis - 1] + log_widths::<D>()[axis - 1];
        axis += 1;
    }
    let mut axis = 0;
    while axis < D {
        shifts[axis] = 1 << shifts[axis];
        axis += 1;
    }
    shifts
}

/// The sites of a full tile whose coordinate is 0, for each direction.
const fn first_faces<const D: usize>() -> [u64; D] {
    let mut faces = [0; D];
    let mut axis = 0;
    while axis < D {
        let (shift, log_width) = (shifts::<D>()[axis], log_widths::<D>()[axis]);
        let mut site = 0u32;
        while site < 64 {
            if (site / shift) & ((1 << log_width) - 1) == 0 {
                faces[axis] |= 1 << site;
            }
            site += 1;
        }
        axis += 1;
    }
    faces
}

impl<const D: usize> Tiles<D> {
    const LOG_WIDTHS: [u32; D] = log_widths();
    const SHIFTS: [u32; D] = shifts();
    const FIRST: [u64; D] = first_faces();
    /// Sites of a row of a tile.
    const ROW: usize = 1 << Self::LOG_WIDTHS[0];

    fn new(extents: [usize; D]) -> Self {
        // At most 2^31 sites: the numbers of tiles fit.
        let counts: [u32; D] = std::array::from_fn(|axis| extents[axis].div_ceil(1 << Self::LOG_WIDTHS[axis]) as u32);
        let (mut strides, mut steps) = ([1; D], [1; D]);
        for axis in 1..D {
            strides[axis] = strides[axis - 1] * extents[axis - 1];
            steps[axis] = steps[axis - 1] * counts[axis - 1] as usize;
        }
        let rows = (0..64).step_by(Self::ROW).map(|site| (1..D).map(|axis| Self::at(site, axis) * strides[axis]).sum());
        let tile = |index: usize| {
            let x = std::array::from_fn(|axis| (index / steps[axis] % counts[axis] as usize) as u32);
            Tile { x, epoch: 0, down: 0, bonds: [0; D], cluster: 0, entered: 0 }
        };
        Self {
            extents,
            strides,
            counts,
            steps,
            wraps: std::array::from_fn(|axis| steps[axis] * (counts[axis] as usize - 1)),
            last_widths: std::array::from_fn(|axis| ((extents[axis] - 1) as u32 & Self::mask(axis)) + 1),
            rows: rows.collect(),
            tiles: (0..counts.iter().map(|&count| count as usize).product()).map(tile).collect(),
            touched: Vec::new(),
            queue: Vec::new(),
            epoch: 0,
        }
    }

    /// The width of a full tile less one.
    #[inline]
    const fn mask(axis: usize) -> u32 {
        (1 << Self::LOG_WIDTHS[axis]) - 1
    }

    /// The coordinate in direction `axis` of a site of a tile.
    #[inline]
    const fn at(site: usize, axis: usize) -> usize {
        site >> Self::SHIFTS[axis].trailing_zeros() & Self::mask(axis) as usize
    }

    /// Grows the cluster of `seed`, turns it and returns its size.
    fn turn_cluster<R: Rng + ?Sized>(&mut self, seed: usize, active: Fraction, s: &mut [i8], rng: &mut R) -> u64 {
        if self.epoch >= u32::MAX - 1 {
            self.tiles.iter_mut().for_each(|tile| tile.epoch = 0);
            self.epoch = 0;
        }
        self.epoch += 2;
        self.touched.clear();
        let (mut tile, mut site) = (0, 0);
        for axis in 0..D {
            let x = seed / self.strides[axis] % self.extents[axis];
            tile += (x >> Self::LOG_WIDTHS[axis]) * self.steps[axis];
            site += (x & Self::mask(axis) as usize) << Self::SHIFTS[axis].trailing_zeros();
        }
        self.draw(tile, active, s, rng);
        self.enter(tile, 1 << site);
        // The last tile first: it is likely to be at hand, and few come twice.
        while let Some(tile) = self.queue.pop() {
            self.follow(tile as usize, active, s, rng);
        }
        self.touched.iter().map(|&tile| self.turn_tile(tile as usize, s)).sum()
    }

    /// The width in direction `axis` of the tiles with the coordinate `x` there.
    #[inline]
    fn width(&self, axis: usize, x: u32) -> u32 {
        if x + 1 == self.counts[axis] { self.last_widths[axis] } else { 1 << Self::LOG_WIDTHS[axis] }
    }

    /// Bits from the first to the last site of a tile along `axis`.
    #[inline]
    fn across(&self, axis: usize, x: u32) -> u32 {
        Self::SHIFTS[axis] * (self.width(axis, x) - 1)
    }

    /// The next tile up a direction, around the lattice.
    #[inline]
    fn up(&self, tile: usize, axis: usize, x: u32) -> usize {
        if x + 1 == self.counts[axis] { tile - self.wraps[axis] } else { tile + self.steps[axis] }
    }

    /// The next tile down a direction, and its coordinate.
    #[inline]
    fn down(&self, tile: usize, axis: usize, x: u32) -> (usize, u32) {
        if x == 0 { (tile + self.wraps[axis], self.counts[axis] - 1) } else { (tile - self.steps[axis], x - 1) }
    }

    /// Calls `visit` with the first bit and the place in the lattice of every row of a tile.
    #[inline(always)]
    fn for_rows(&self, tile: usize, mut visit: impl FnMut(usize, std::ops::Range<usize>)) {
        let x = self.tiles[tile].x;
        let corner: usize =
            (0..D).map(|axis| ((x[axis] as usize) << Self::LOG_WIDTHS[axis]) * self.strides[axis]).sum();
        let width: [u32; D] = std::array::from_fn(|axis| self.width(axis, x[axis]));
        if (0..D).all(|axis| width[axis] > Self::mask(axis)) {
            for (k, &row) in self.rows.iter().enumerate() {
                visit(k * Self::ROW, corner + row..corner + row + Self::ROW);
            }
        } else {
            for (k, &row) in self.rows.iter().enumerate() {
                if (1..D).all(|axis| Self::at(k * Self::ROW, axis) < width[axis] as usize) {
                    visit(k * Self::ROW, corner + row..corner + row + width[0] as usize);
                }
            }
        }
    }

    /// The spins of a tile, read once a growth.
    #[inline]
    fn pack(&mut self, tile: usize, s: &[i8]) -> u64 {
        if self.tiles[tile].epoch | 1 == self.epoch | 1 {
            return self.tiles[tile].down;
        }
        let mut down = 0;
        self.for_rows(tile, |bit, sites| down |= pack_row(&s[sites]) << bit);
        let state = &mut self.tiles[tile];
        (state.epoch, state.down) = (self.epoch, down);
        (state.cluster, state.entered) = (0, 0);
        down
    }

    /// Draws the bonds of a tile, once a growth.
    #[inline]
    fn draw<R: Rng + ?Sized>(&mut self, tile: usize, active: Fraction, s: &[i8], rng: &mut R) {
        if self.tiles[tile].epoch == self.epoch | 1 {
            return;
        }
        let down = self.pack(tile, s);
        let x = self.tiles[tile].x;
        let mut inside = !0;
        let satisfied = std::array::from_fn(|axis| {
            let next = self.pack(self.up(tile, axis, x[axis]), s);
            let across = self.across(axis, x[axis]);
            let last = Self::FIRST[axis] << across;
            if self.width(axis, x[axis]) <= Self::mask(axis) {
                // All sites up to the last of a narrower tile.
                inside &= (0..=across).step_by(Self::SHIFTS[axis] as usize).fold(0, |m, y| m | Self::FIRST[axis] << y);
            }
            let neighbor = (down >> Self::SHIFTS[axis] & !last) | (next & Self::FIRST[axis]) << across;
            !(down ^ neighbor)
        });
        let bonds = active.choose_each(satisfied.map(|bonds| bonds & inside), rng);
        let state = &mut self.tiles[tile];
        (state.bonds, state.epoch) = (bonds, self.epoch | 1);
        self.touched.push(tile as u32);
    }

    /// Lets the cluster into a tile whose bonds are drawn.
    #[inline]
    fn enter(&mut self, tile: usize, sites: u64) {
        let state = &mut self.tiles[tile];
        let new = sites & !state.cluster;
        if new != 0 {
            if state.entered == 0 {
                self.queue.push(tile as u32);
            }
            state.entered |= new;
        }
    }

    /// Follows the cluster from the entered sites of a tile to the sites around it.
    fn follow<R: Rng + ?Sized>(&mut self, tile: usize, active: Fraction, s: &[i8], rng: &mut R) {
        let x = self.tiles[tile].x;
        let across: [u32; D] = std::array::from_fn(|axis| self.across(axis, x[axis]));
        let state = &mut self.tiles[tile];
        let bonds = state.bonds;
        let within: [u64; D] = std::array::from_fn(|axis| bonds[axis] & !(Self::FIRST[axis] << across[axis]));
        // What was found before is closed under the bonds within: the new sites cannot meet it.
        let mut new = state.entered;
        loop {
            let mut more = new;
            for _ in 0..2 {
                for (bonds, shift) in within.iter().zip(Self::SHIFTS) {
                    more |= (more & bonds) << shift | (more >> shift & bonds);
                }
            }
            if more == new {
                break;
            }
            new = more;
        }
        state.cluster |= new;
        state.entered = 0;
        for axis in 0..D {
            let first = Self::FIRST[axis];
            let leaving = new & bonds[axis] & first << across[axis];
            if leaving != 0 {
                let up = self.up(tile, axis, x[axis]);
                self.draw(up, active, s, rng);
                self.enter(up, leaving >> across[axis]);
            }
            let leaving = new & first;
            if leaving != 0 {
                let (down, y) = self.down(tile, axis, x[axis]);
                self.draw(down, active, s, rng);
                // The bond belongs to the site below.
                let sites = leaving << self.across(axis, y) & self.tiles[down].bonds[axis];
                self.enter(down, sites);
            }
        }
    }

    /// Turns the cluster's spins of a tile.
    #[inline]
    fn turn_tile(&self, tile: usize, s: &mut [i8]) -> u64 {
        let cluster = self.tiles[tile].cluster;
        if cluster != 0 {
            self.for_rows(tile, |bit, sites| turn_row(&mut s[sites], cluster >> bit));
        }
        u64::from(cluster.count_ones())
    }
}

/// The sign bits of up to 64 spins.
#[inline]
fn pack_row(spins: &[i8]) -> u64 {
    match *spins {
        [a, b, c, d, e, f, g, h] => pack_eight([a, b, c, d, e, f, g, h]),
        [a, b, c, d] => pack_eight([a, b, c, d, 0, 0, 0, 0]),
        _ => spins.iter().enumerate().fold(0, |word, (k, &spin)| word | u64::from(spin < 0) << k),
    }
}

/// Turns the spins whose bits are set.
#[inline]
fn turn_row(spins: &mut [i8], bits: u64) {
    if let Ok(eight) = <&mut [i8; 8]>::try_from(&mut *spins) {
        *eight = turn_eight(*eight, bits);
        return;
    }
    for (k, part) in spins.chunks_mut(8).enumerate() {
        let mut eight = [0; 8];
        eight[..part.len()].copy_from_slice(part);
        part.copy_from_slice(&turn_eight(eight, bits >> (8 * k))[..part.len()]);
    }
}

#[inline]
fn turn_eight(spins: [i8; 8], bits: u64) -> [i8; 8] {
    // Byte k of `spread` is not 0 where bit k is set; its highest bit is brought there and then filled down.
    let spread = (bits & 0xff).wrapping_mul(0x0101_0101_0101_0101) & 0x8040_2010_0804_0201;
    let set = spread.wrapping_add(0x007f_7f7f_7f7f_7f7f) >> 7 & 0x0101_0101_0101_0101;
    // 1 and -1 differ in all bits but the lowest.
    let turned = u64::from_le_bytes(spins.map(|spin| spin as u8)) ^ set.wrapping_mul(0xfe);
    turned.to_le_bytes().map(|byte| byte as i8)
}

#[cfg(test)]
mod tests {
    use linalg_core::rng::Streams;

    use super::*;
    use crate::spins::Spins;

    #[test]
    fn tiles_are_boxes_of_64_sites() {
        assert_eq!((shifts::<1>(), first_faces::<1>()), ([1], [1]));
        assert_eq!((shifts::<2>(), first_faces::<2>()), ([1, 8], [0x0101_0101_0101_0101, 0xff]));
        assert_eq!(shifts::<3>(), [1, 4, 16]);
        assert_eq!(first_faces::<3>(), [0x1111_1111_1111_1111, 0x000f_000f_000f_000f, 0xffff]);
        assert_eq!(shifts::<4>(), [1, 4, 16, 32]);
        assert_eq!(log_widths::<4>().iter().sum::<u32>(), 6);
    }

    #[test]
    fn rows_are_packed_and_turned() {
        let mut rng = Streams::new(8).stream(0);
        for n in [1, 2, 3, 4, 5, 7, 8, 9, 33, 64] {
            let mut s = Spins::random(n, &mut rng);
            let before = pack_row(&s);
            for (k, &spin) in s.iter().enumerate() {
                assert_eq!(before >> k & 1 == 1, spin < 0);
            }
            let turns = rng.next_u64() & (!0 >> (64 - n));
            turn_row(&mut s, turns);
            assert_eq!(pack_row(&s), before ^ turns);
            assert!(Spins::from_signs(&s).is_ok());
        }
    }

    /// With every satisfied bond active the cluster is a domain; that of a flood fill.
    #[test]
    fn clusters_are_domains() {
        let shapes: [&[usize]; 13] = [
            &[2],
            &[65],
            &[200],
            &[2, 2],
            &[5, 3],
            &[9, 17],
            &[8, 16],
            &[3, 40],
            &[2, 2, 2],
            &[3, 4, 5],
            &[9, 5, 6],
            &[3, 2, 4, 3],
            &[5, 6, 2, 3],
        ];
        for lengths in shapes {
            let torus = UniformTorus::new(lengths, 1.0).unwrap();
            let graph = torus.to_ising().unwrap();
            let mut kernel = TorusWolff::new(&torus, 1e9).unwrap();
            let mut rng = Streams::new(9).stream(0);
            for _ in 0..40 {
                let before = Spins::random(torus.n_spins(), &mut rng);
                let mut s = before.clone();
                let stats = kernel.sweep(&torus, 1e9, &mut s, &mut (), &mut rng);
                let turned: Vec<usize> = (0..s.len()).filter(|&i| s[i] != before[i]).collect();
                assert_eq!(stats.flipped, turned.len() as u64, "{lengths:?}");
                let mut domain = vec![false; s.len()];
                let mut queue = vec![turned[0]];
                while let Some(i) = queue.pop() {
                    if !std::mem::replace(&mut domain[i], true) {
                        queue.extend(graph.row(i).0.iter().map(|&j| j as usize).filter(|&j| before[j] == before[i]));
                    }
                }
                assert!((0..s.len()).all(|i| domain[i] == (s[i] != before[i])), "{lengths:?}");
            }
        }
    }

    #[test]
    fn epochs_begin_anew_after_the_last() {
        let torus = UniformTorus::new(&[20, 20], 1.0).unwrap();
        let mut kernel = TorusWolff::new(&torus, 0.4).unwrap();
        let mut fresh = kernel.clone();
        let (mut s, mut t) = (Spins::up(400), Spins::up(400));
        if let Tiling::Two(tiles) = &mut kernel.tiling {
            tiles.epoch = u32::MAX - 7;
        }
        let (mut a, mut b) = (Streams::new(1).stream(0), Streams::new(1).stream(0));
        for _ in 0..10 {
            kernel.sweep(&torus, 0.4, &mut s, &mut (), &mut a);
            fresh.sweep(&torus, 0.4, &mut t, &mut (), &mut b);
            assert_eq!(s, t);
        }
    }
}
