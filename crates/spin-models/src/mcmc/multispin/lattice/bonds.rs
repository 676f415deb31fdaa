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
    pub(super) negative: Vec<[Block; 4]>,
    /// For every block and direction the sites that have a bond; empty if all sites have four.
    pub(super) present: Vec<[Block; 4]>,
    /// Sites by the place of their side neighbour: one before them, one after, `pitch - 1` after, `pitch - 1` before.
    /// Empty for a plain lattice, whose rows are a whole number of blocks.
    pub(super) side: Vec<[Block; 4]>,
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
        hash.write_usizes(&[self.geometry.rows, self.geometry.columns]).write_f64s(&[self.unit, self.offset]);
        hash.write_u64(self.n_bonds).write_u64(self.antiferromagnetic.into());
        for bonds in &self.colors {
            for block in bonds.negative.iter().chain(&bonds.present).flatten() {
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
        let plain = (geometry.columns / 2).is_multiple_of(BITS);
        // The spins; and their copy for reading, and four strings of places.
        Self::check_memory(geometry, if plain { 1 } else { 6 })?;
        let side = |color| if plain { Vec::new() } else { sides(geometry, color) };
        let colors = [0, 1].map(|color| Bonds { negative: Vec::new(), present: Vec::new(), side: side(color) });
        let n_bonds = 2 * geometry.n_sites() as u64;
        Ok(Self { geometry, unit: j.abs(), offset: 0.0, n_bonds, antiferromagnetic: j < 0.0, colors })
    }

    /// The bonds of a model; those of value 0 are absent.
    pub(super) fn new(model: &Ising, lengths: [usize; 2]) -> Result<Self> {
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
        // Signs and presence in four directions besides.
        Self::check_memory(self.geometry, 14)?;
        let geometry = self.geometry;
        let blocks = geometry.blocks();
        let mut present = [0, 1].map(|_| vec![[Block::ZERO; 4]; blocks]);
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
                    let [rows, columns] = [geometry.rows, geometry.columns];
                    let reason = format!(
                        "coupling {entry} joins sites {i} and {j}, which are no neighbours of different colour on \
                         {rows} x {columns} sites"
                    );
                    return Err(Error::NotApplicable { solver: SOLVER, reason });
                };
                let place = geometry.place(here);
                let (block, bit) = (place.bit / BITS, place.bit % BITS);
                present[place.color][block][direction].set_bit(bit, true);
                negative[place.color][block][direction].set_bit(bit, coupling < 0.0);
            }
            signs[usize::from(coupling < 0.0)] = true;
            self.n_bonds += 1;
        }
        let complete = self.n_bonds == 2 * geometry.n_sites() as u64;
        let mixed = signs == [true, true];
        self.antiferromagnetic = signs == [false, true];
        if complete && !mixed {
            return Ok(());
        }
        for (color, (present, negative)) in present.into_iter().zip(negative).enumerate() {
            let bonds = &mut self.colors[color];
            bonds.side = sides(geometry, color);
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
        let c = site % geometry.columns;
        let place = match c {
            0 => 2,
            _ if c + 1 == geometry.columns && c % 2 == 1 => 3,
            _ if c.is_multiple_of(2) => 0,
            _ => 1,
        };
        sides[bit / BITS][place].set_bit(bit % BITS, true);
    }
    sides
}
