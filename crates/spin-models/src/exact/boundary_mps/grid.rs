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

/// Rows of `width` sites, no shorter than there are columns.
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
        for (site, &h) in fields.iter().enumerate() {
            let (r, c) = if self.turned {
                (site % self.height, site / self.height)
            } else {
                (site / self.width, site % self.width)
            };
            rows[r].fields[c] = h;
        }
        (rows, below)
    }
}
