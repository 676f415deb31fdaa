//! Which bonds a lattice has, as bit strings beside those of the spins.

use linalg_core::checkpoint::ContentHash;

use super::super::memory;
use super::super::simd::{BITS, Block};
use super::SOLVER;
use super::geometry::{Geometry, set};
use crate::models::Ising;
use crate::{Error, Result};

/// The bonds of the sites of one colour.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bonds {
    /// For every block and direction the sites whose bond is negative; empty if all bonds have one sign.
    pub(super) negative: Vec<Block>,
    /// For every block and direction the sites that have a bond; empty if all sites have all.
    pub(super) present: Vec<Block>,
    /// Sites by the place of their side neighbour: one before them, one after, `pitch - 1` after, `pitch - 1` before.
    /// Empty for a plain lattice, whose rows are a whole number of blocks.
    pub(super) side: Vec<[Block; 4]>,
    /// For every block and every axis between the first and the last, the sites at the beginning and at the end of it.
    pub(super) ends: Vec<[Block; 2]>,
}

/// The bonds of a lattice.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lattice {
    pub(super) geometry: Geometry,
    /// The absolute value of all couplings.
    pub(super) unit: f64,
    pub(super) offset: f64,
    pub(super) n_bonds: u64,
    /// Whether all bonds are negative; of no meaning if they differ.
    pub(super) antiferromagnetic: bool,
    pub(super) colors: [Bonds; 2],
}

impl Lattice {
    /// Whether rows are a whole number of blocks and all bonds are there, with one sign.
    pub(super) fn is_plain(&self) -> bool {
        self.colors[0].side.is_empty()
    }

    /// Whether bonds are missing.
    pub(super) fn is_diluted(&self) -> bool {
        !self.colors[0].present.is_empty()
    }

    pub(super) fn content_hash(&self) -> u64 {
        let mut hash = ContentHash::new();
        hash.write_usizes(self.geometry.lengths()).write_f64s(&[self.unit, self.offset]);
        hash.write_u64(self.n_bonds).write_u64(self.antiferromagnetic.into());
        for bonds in &self.colors {
            for block in bonds.negative.iter().chain(&bonds.present) {
                hash.write_u64s(&block.0);
            }
        }
        hash.finish()
    }

    /// Clears the bits of a string that stand for no site.
    pub(super) fn clear_unused(&self, color: usize, string: &mut [Block]) {
        let geometry = self.geometry;
        let unused = (0..string.len() * BITS).filter(|&bit| geometry.site(color, bit).is_none());
        if !self.is_plain() {
            unused.for_each(|bit| set(string, bit, false));
        }
    }

    /// Refuses more memory than there is: `strings` bits a site.
    fn check_memory(geometry: Geometry, strings: u128) -> Result<()> {
        memory::check(SOLVER, 2 * strings * (geometry.blocks() * size_of::<Block>()) as u128)
    }

    /// All bonds `j` of a torus.
    pub(super) fn torus(geometry: Geometry, j: f64) -> Result<Self> {
        let plain = geometry.dimension == 2 && (geometry.columns() / 2).is_multiple_of(BITS);
        // The spins; and their copy for reading, and strings of places.
        Self::check_memory(geometry, if plain { 1 } else { 2 + places(geometry) })?;
        let colors = [0, 1].map(|color| {
            let (side, ends) = if plain { Default::default() } else { (sides(geometry, color), ends(geometry)) };
            Bonds { negative: Vec::new(), present: Vec::new(), side, ends }
        });
        let n_bonds = geometry.dimension as u64 * geometry.n_sites() as u64;
        Ok(Self { geometry, unit: j.abs(), offset: 0.0, n_bonds, antiferromagnetic: j < 0.0, colors })
    }

    /// The bonds of a model; those of value 0 are absent.
    pub(super) fn new(model: &Ising, lengths: &[usize]) -> Result<Self> {
        let geometry = Geometry::new(lengths, SOLVER)?;
        let (got, expected) = (model.fields().len(), geometry.n_sites());
        if got != expected {
            return Err(Error::WrongLength { what: "spins of the model for the lattice", got, expected });
        }
        let refuse = |reason| Err(Error::NotApplicable { solver: SOLVER, reason });
        if let Some((site, field)) = model.fields().iter().enumerate().find(|&(_, &field)| field != 0.0) {
            return refuse(format!("site {site} has the field {field}, only fields of 0 are possible"));
        }
        let mut bonds = model.couplings().enumerate().filter(|&(_, (.., coupling))| coupling != 0.0);
        let Some((first, (.., unit))) = bonds.next() else {
            let mut lattice = Self::torus(geometry, 1.0)?;
            lattice.set_bonds(model)?;
            return Ok(lattice);
        };
        let unit = unit.abs();
        for (entry, (i, j, coupling)) in bonds {
            if (coupling.abs() - unit).abs() > 1e-9 * unit {
                return refuse(format!(
                    "coupling {entry} (sites {i} and {j}) is {coupling}, coupling {first} has the absolute value \
                     {unit}; all must have the same"
                ));
            }
        }
        let mut lattice = Self::torus(geometry, unit)?;
        lattice.set_bonds(model)?;
        Ok(lattice)
    }

    /// Replaces all bonds by those of a model.
    fn set_bonds(&mut self, model: &Ising) -> Result<()> {
        let geometry = self.geometry;
        let directions = geometry.directions();
        // Signs and presence in all directions besides.
        Self::check_memory(geometry, 2 + places(geometry) + 2 * directions as u128)?;
        let mut present = [0, 1].map(|_| vec![Block::ZERO; directions * geometry.blocks()]);
        let mut negative = present.clone();
        let mut signs = [false; 2];
        self.n_bonds = 0;
        self.offset = model.offset();
        for (entry, (i, j, coupling)) in model.couplings().enumerate() {
            if coupling == 0.0 {
                continue;
            }
            for (here, there) in [(i, j), (j, i)] {
                let Some((direction, _)) = geometry.direction(here, there) else {
                    let lengths: Vec<String> = geometry.lengths().iter().map(usize::to_string).collect();
                    let lengths = lengths.join(" x ");
                    let reason = format!(
                        "coupling {entry} joins sites {i} and {j}, which are no neighbours of different colour on \
                         {lengths} sites"
                    );
                    return Err(Error::NotApplicable { solver: SOLVER, reason });
                };
                let place = geometry.place(here);
                let (block, bit) = (place.bit / BITS * directions + direction, place.bit % BITS);
                present[place.color][block].set_bit(bit, true);
                negative[place.color][block].set_bit(bit, coupling < 0.0);
            }
            signs[usize::from(coupling < 0.0)] = true;
            self.n_bonds += 1;
        }
        let complete = self.n_bonds == geometry.dimension as u64 * geometry.n_sites() as u64;
        let mixed = signs == [true, true];
        self.antiferromagnetic = signs == [false, true];
        if complete && !mixed {
            return Ok(());
        }
        for (color, (present, negative)) in present.into_iter().zip(negative).enumerate() {
            let bonds = &mut self.colors[color];
            (bonds.side, bonds.ends) = (sides(geometry, color), ends(geometry));
            if mixed {
                bonds.negative = negative;
            }
            if !complete {
                bonds.present = present;
            }
        }
        Ok(())
    }
}

/// Where the side neighbours of a colour stand; see [`Bonds::side`].
fn sides(geometry: Geometry, color: usize) -> Vec<[Block; 4]> {
    let mut sides = vec![[Block::ZERO; 4]; geometry.blocks()];
    for bit in 0..geometry.bits() {
        let Some(site) = geometry.site(color, bit) else { continue };
        let c = site % geometry.columns();
        let place = match c {
            0 => 2,
            _ if c + 1 == geometry.columns() && c % 2 == 1 => 3,
            _ if c.is_multiple_of(2) => 0,
            _ => 1,
        };
        sides[bit / BITS][place].set_bit(bit % BITS, true);
    }
    sides
}

/// Strings of [`sides`] and [`ends`].
fn places(geometry: Geometry) -> u128 {
    4 + 2 * (geometry.dimension as u128 - 2)
}

/// The ends of the inner axes; see [`Bonds::ends`].
fn ends(geometry: Geometry) -> Vec<[Block; 2]> {
    let inner = geometry.dimension - 2;
    let mut ends = vec![[Block::ZERO; 2]; inner * geometry.blocks()];
    if inner == 0 {
        return ends;
    }
    for bit in 0..geometry.bits() {
        let row = bit / geometry.pitch();
        for axis in 1..=inner {
            let (length, x) = (geometry.axis(axis).0, geometry.coordinate(row, axis));
            let [begin, end] = &mut ends[bit / BITS * inner + axis - 1];
            begin.set_bit(bit % BITS, x == 0);
            end.set_bit(bit % BITS, x + 1 == length);
        }
    }
    ends
}
