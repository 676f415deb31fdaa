//! A model read as rows of a square lattice.

use super::NAME;
use super::chain::Row;
use crate::models::{Boundary, Ising, Shape};
use crate::{EnergyModel, Error, Result};

/// Where a coupling stands: in a row, or between a row and the next.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Within(usize, usize),
    Below(usize, usize),
}

/// Rows of `width` sites, along the shorter side.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Grid {
    pub(super) height: usize,
    pub(super) width: usize,
    couplings: Vec<Place>,
    /// Whether rows of the grid are columns of the lattice.
    turned: bool,
}

impl Grid {
    /// Rows run along the shorter side.
    pub(super) fn new(model: &Ising) -> Result<Self> {
        let refused = |reason: String| Error::NotApplicable { solver: NAME, reason };
        let n = model.n_spins();
        let Some(shape) = Shape::recognize(n, model.couplings().map(|(i, j, _)| (i, j))) else {
            return Err(refused(format!(
                "the {} couplings of {n} spins are not those of one square lattice numbered row by row",
                model.n_couplings()
            )));
        };
        if let Some(direction) = shape.boundaries().iter().position(|&b| b == Boundary::Periodic) {
            return Err(refused(format!("direction {direction} is periodic, expected free boundaries")));
        }
        let &[rows, columns] = shape.lengths() else { unreachable!("a shape of two directions") };
        let turned = columns > rows;
        let place = |(i, j, _): (usize, usize, f64)| {
            let (first, second) = (i.min(j), i.max(j));
            let (row, column) = (first / columns, first % columns);
            let (a, b) = if turned { (column, row) } else { (row, column) };
            if (second - first == columns) == turned && columns > 1 { Place::Within(a, b) } else { Place::Below(a, b) }
        };
        let (height, width) = if turned { (columns, rows) } else { (rows, columns) };
        Ok(Self { height, width, couplings: model.couplings().map(place).collect(), turned })
    }

    /// The same lattice with rows along the longer side.
    pub(super) fn other(&self) -> Self {
        let other = |&place: &Place| match place {
            Place::Within(r, c) => Place::Below(c, r),
            Place::Below(r, c) => Place::Within(c, r),
        };
        let couplings = self.couplings.iter().map(other).collect();
        Self { height: self.width, width: self.height, couplings, turned: !self.turned }
    }

    /// Couplings within rows: number, row, place in the row.
    pub(super) fn within(&self) -> impl Iterator<Item = (usize, usize, usize)> + '_ {
        self.couplings.iter().enumerate().filter_map(|(a, &place)| match place {
            Place::Within(r, c) => Some((a, r, c)),
            Place::Below(..) => None,
        })
    }

    /// The site at a place of a row.
    pub(super) fn site(&self, r: usize, c: usize) -> usize {
        if self.turned { c * self.height + r } else { r * self.width + c }
    }

    /// The rows and the couplings below each, from the scaled couplings and fields.
    pub(super) fn rows(&self, couplings: &[f64], fields: &[f64]) -> (Vec<Row>, Vec<Vec<f64>>) {
        let row = Row { bonds: vec![0.0; self.width - 1], fields: vec![0.0; self.width] };
        let mut rows = vec![row; self.height];
        let mut below = vec![vec![0.0; self.width]; self.height];
        for (&place, &k) in self.couplings.iter().zip(couplings) {
            match place {
                Place::Within(r, c) => rows[r].bonds[c] = k,
                Place::Below(r, c) => below[r][c] = k,
            }
        }
        for (r, row) in rows.iter_mut().enumerate() {
            for (c, h) in row.fields.iter_mut().enumerate() {
                *h = fields[self.site(r, c)];
            }
        }
        (rows, below)
    }
}
