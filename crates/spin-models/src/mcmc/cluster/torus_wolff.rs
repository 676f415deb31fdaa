//! Single clusters on a uniform periodic lattice, 64 sites a word.

use linalg_core::rand::{Rng, RngExt};

use super::bernoulli::Fraction;
use super::torus::UniformTorus;
use super::torus_swendsen_wang::pack_eight;
use crate::Result;
use crate::error::check_beta;
use crate::model::{EnergyModel, MarkovKernel, SweepStats};

/// Wolff's single-cluster algorithm for a [`UniformTorus`].
///
/// The lattice is covered with tiles of 64 sites, 8 x 8 in two dimensions and 4 x 4 x 4 in three. The bonds of a
/// tile are drawn, 64 at a time, when the cluster first comes near it, and the cluster is the flood fill of these
/// bonds, which shifts of words carry out for a whole tile. This is one cluster of the decomposition of
/// Swendsen and Wang, chosen by a uniform site: Wolff's rule. A sweep is one cluster.
///
/// Probabilities are rounded down by less than 2⁻⁶⁴. Cost: proportional to the tiles that the cluster touches;
/// memory 64 bytes a tile at most. Where clusters are much smaller than a tile, far above the critical
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
        Ok(Self { tiling: Tiling::new(torus.extents()) })
    }
}

impl MarkovKernel<UniformTorus> for TorusWolff {
    /// Grows and turns one cluster; `flipped` is its size. The mean of `flipped / N` is $`⟨m^2⟩`$.
    ///
    /// # Panics
    /// If `s` has the wrong length, or `beta` is NaN or negative.
    fn sweep<R: Rng + ?Sized>(
        &mut self,
        model: &UniformTorus,
        beta: f64,
        s: &mut [i8],
        _cache: &mut (),
        rng: &mut R,
    ) -> SweepStats {
        let n = model.n_spins();
        assert_eq!(s.len(), n, "{} spins for a model of {n}", s.len());
        assert!(beta >= 0.0, "beta is {beta}, expected a number >= 0");
        if self.tiling.extents() != model.extents() {
            self.tiling = Tiling::new(model.extents());
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

/// What is known of a tile in the growth of one cluster.
#[derive(Debug, Clone, Copy)]
struct Tile<const D: usize> {
    /// The growth in which the rest was written.
    epoch: u32,
    drawn: bool,
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
        let mut strides = [1; D];
        for axis in 1..D {
            strides[axis] = strides[axis - 1] * extents[axis - 1];
        }
        // At most 2^31 sites: the numbers of tiles fit.
        let counts: [u32; D] = std::array::from_fn(|axis| extents[axis].div_ceil(1 << Self::LOG_WIDTHS[axis]) as u32);
        let blank = Tile { epoch: 0, drawn: false, down: 0, bonds: [0; D], cluster: 0, entered: 0 };
        let tiles = vec![blank; counts.iter().map(|&count| count as usize).product()];
        Self { extents, strides, counts, tiles, touched: Vec::new(), queue: Vec::new(), epoch: 0 }
    }

    /// Grows the cluster of `seed`, turns it and returns its size.
    fn turn_cluster<R: Rng + ?Sized>(&mut self, seed: usize, active: Fraction, s: &mut [i8], rng: &mut R) -> u64 {
        if self.epoch == u32::MAX {
            self.tiles.iter_mut().for_each(|tile| tile.epoch = 0);
            self.epoch = 0;
        }
        self.epoch += 1;
        self.touched.clear();
        let (mut tile, mut site, mut tiles_before) = (0, 0, 1);
        for axis in 0..D {
            let x = seed / self.strides[axis] % self.extents[axis];
            tile += (x >> Self::LOG_WIDTHS[axis]) * tiles_before;
            site += (x & ((1 << Self::LOG_WIDTHS[axis]) - 1)) << Self::SHIFTS[axis].trailing_zeros();
            tiles_before *= self.counts[axis] as usize;
        }
        self.draw(tile, active, s, rng);
        self.enter(tile, 1 << site);
        // The last tile first: it is likely to be at hand, and few come twice.
        while let Some(tile) = self.queue.pop() {
            self.follow(tile as usize, active, s, rng);
        }
        self.touched.iter().map(|&tile| self.turn_tile(tile as usize, s)).sum()
    }

    /// The coordinates of a tile among the tiles.
    #[inline]
    fn coordinates(&self, tile: usize) -> [u32; D] {
        let mut rest = tile as u32;
        std::array::from_fn(|axis| {
            let x = rest % self.counts[axis];
            rest /= self.counts[axis];
            x
        })
    }

    /// The width in direction `axis` of the tiles with the coordinate `x` there.
    #[inline]
    fn width(&self, axis: usize, x: u32) -> usize {
        let full = 1 << Self::LOG_WIDTHS[axis];
        full.min(self.extents[axis] - ((x as usize) << Self::LOG_WIDTHS[axis]))
    }

    /// Bits from the first to the last site of a tile along `axis`.
    #[inline]
    fn across(&self, axis: usize, x: u32) -> u32 {
        Self::SHIFTS[axis] * (self.width(axis, x) as u32 - 1)
    }

    /// The next tile up a direction, around the lattice.
    #[inline]
    fn up(&self, tile: usize, axis: usize, x: u32) -> usize {
        let step = self.tile_stride(axis);
        if x + 1 == self.counts[axis] { tile - step * x as usize } else { tile + step }
    }

    /// The next tile down a direction, and its coordinate.
    #[inline]
    fn down(&self, tile: usize, axis: usize, x: u32) -> (usize, u32) {
        let step = self.tile_stride(axis);
        let last = self.counts[axis] - 1;
        if x == 0 { (tile + step * last as usize, last) } else { (tile - step, x - 1) }
    }

    #[inline]
    fn tile_stride(&self, axis: usize) -> usize {
        self.counts[..axis].iter().map(|&count| count as usize).product()
    }

    /// Calls `visit` with the first bit and the place in the lattice of every row of a tile.
    #[inline]
    fn for_rows(&self, tile: usize, mut visit: impl FnMut(u32, std::ops::Range<usize>)) {
        let x = self.coordinates(tile);
        let width: [usize; D] = std::array::from_fn(|axis| self.width(axis, x[axis]));
        let corner: usize =
            (0..D).map(|axis| ((x[axis] as usize) << Self::LOG_WIDTHS[axis]) * self.strides[axis]).sum();
        for row in 0..64 / Self::ROW {
            let bit = row * Self::ROW;
            let mut start = corner;
            let mut inside = true;
            for axis in 1..D {
                let y = bit >> Self::SHIFTS[axis].trailing_zeros() & ((1 << Self::LOG_WIDTHS[axis]) - 1);
                inside &= y < width[axis];
                start += y * self.strides[axis];
            }
            if inside {
                visit(bit as u32, start..start + width[0]);
            }
        }
    }

    /// The spins of a tile, read once a growth.
    #[inline]
    fn pack(&mut self, tile: usize, s: &[i8]) -> u64 {
        if self.tiles[tile].epoch == self.epoch {
            return self.tiles[tile].down;
        }
        let mut down = 0;
        self.for_rows(tile, |bit, sites| down |= pack_row(&s[sites]) << bit);
        self.tiles[tile] = Tile { epoch: self.epoch, drawn: false, down, bonds: [0; D], cluster: 0, entered: 0 };
        down
    }

    /// Draws the bonds of a tile, once a growth.
    #[inline]
    fn draw<R: Rng + ?Sized>(&mut self, tile: usize, active: Fraction, s: &[i8], rng: &mut R) {
        if self.tiles[tile].epoch == self.epoch && self.tiles[tile].drawn {
            return;
        }
        let down = self.pack(tile, s);
        let x = self.coordinates(tile);
        let inside = self.inside(x);
        let mut bonds = [0; D];
        for axis in 0..D {
            let next = self.pack(self.up(tile, axis, x[axis]), s);
            let across = self.across(axis, x[axis]);
            let last = Self::FIRST[axis] << across;
            let neighbor = (down >> Self::SHIFTS[axis] & !last) | (next & Self::FIRST[axis]) << across;
            bonds[axis] = active.choose(!(down ^ neighbor) & inside, rng);
        }
        let tile_state = &mut self.tiles[tile];
        tile_state.bonds = bonds;
        tile_state.drawn = true;
        self.touched.push(tile as u32);
    }

    /// The sites of a tile that lie in the lattice.
    #[inline]
    fn inside(&self, x: [u32; D]) -> u64 {
        let mut inside = !0;
        for axis in 0..D {
            let (width, full) = (self.width(axis, x[axis]), 1 << Self::LOG_WIDTHS[axis]);
            if width < full {
                inside &= (0..width).fold(0, |mask, y| mask | Self::FIRST[axis] << (Self::SHIFTS[axis] as usize * y));
            }
        }
        inside
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
        let x = self.coordinates(tile);
        let across: [u32; D] = std::array::from_fn(|axis| self.across(axis, x[axis]));
        let state = &mut self.tiles[tile];
        let bonds = state.bonds;
        let within: [u64; D] = std::array::from_fn(|axis| bonds[axis] & !(Self::FIRST[axis] << across[axis]));
        // What was found before is closed under the bonds within: the new sites cannot meet it.
        let mut new = state.entered;
        loop {
            let mut more = new;
            for _ in 0..2 {
                for axis in 0..D {
                    let shift = Self::SHIFTS[axis];
                    more |= (more & within[axis]) << shift | (more >> shift & within[axis]);
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
    for (k, eight) in spins.chunks_mut(8).enumerate() {
        // Byte k of `spread` is not 0 where bit k is set; then every byte is brought to 0 or 0xfe.
        let spread = (bits >> (8 * k) & 0xff).wrapping_mul(0x0101_0101_0101_0101) & 0x8040_2010_0804_0201;
        let set = (spread & 0x7f7f_7f7f_7f7f_7f7f).wrapping_add(0x7f7f_7f7f_7f7f_7f7f) | spread;
        let turns = (set >> 7 & 0x0101_0101_0101_0101).wrapping_mul(0xfe).to_le_bytes();
        // 1 and -1 differ in all bits but the lowest.
        for (spin, turn) in eight.iter_mut().zip(turns) {
            *spin ^= turn as i8;
        }
    }
}
