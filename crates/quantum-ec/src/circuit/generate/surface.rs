//! Memory experiments of surface codes.

use std::collections::HashMap;

use super::Writer;
use crate::circuit::gate::Gate;
use crate::circuit::model::Circuit;
use crate::error::Result;

type Place = (i64, i64);

/// Where qubits are and in which order a check meets its data.
struct Layout {
    distance: i64,
    data: Vec<Place>,
    /// Checks of X and of Z.
    checks: [Vec<Place>; 2],
    /// Steps from a check to its data, for X and for Z.
    orders: [[Place; 4]; 2],
    /// The number of the qubit at a place.
    number: fn(i64, Place) -> i64,
    /// Data of the logical operator X, or Z.
    logical: fn(bool, Place) -> bool,
}

/// Data on odd coordinates, checks on even ones.
pub(super) fn rotated(distance: usize, rounds: u64, x_basis: bool) -> Result<Circuit> {
    let d = distance as i64;
    let data = (0..d).flat_map(|y| (0..d).map(move |x| (2 * x + 1, 2 * y + 1))).collect();
    let mut checks = [vec![], vec![]];
    for (x, y) in (0..=d).flat_map(|x| (0..=d).map(move |y| (x, y))) {
        let is_x = (x + y) % 2 != 0;
        // Checks of Z leave out the lower and upper edge, those of X the others.
        let missing = if is_x { x == 0 || x == d } else { y == 0 || y == d };
        if !missing {
            checks[usize::from(!is_x)].push((2 * x, 2 * y));
        }
    }
    Layout {
        distance: d,
        data,
        checks,
        orders: [[(1, 1), (-1, 1), (1, -1), (-1, -1)], [(1, 1), (1, -1), (-1, 1), (-1, -1)]],
        number: |d, (x, y)| x + (y - x % 2) / 2 * (2 * d + 1),
        logical: |x_basis, (x, y)| if x_basis { x == 1 } else { y == 1 },
    }
    .memory(rounds, x_basis)
}

/// A square grid of data and checks in turns.
pub(super) fn unrotated(distance: usize, rounds: u64, x_basis: bool) -> Result<Circuit> {
    let d = distance as i64;
    let width = 2 * d - 1;
    let (mut data, mut checks) = (vec![], [vec![], vec![]]);
    for (x, y) in (0..width).flat_map(|x| (0..width).map(move |y| (x, y))) {
        match (x % 2, y % 2) {
            (1, 0) => checks[0].push((x, y)),
            (0, 1) => checks[1].push((x, y)),
            _ => data.push((x, y)),
        }
    }
    let order = [(1, 0), (0, 1), (0, -1), (-1, 0)];
    Layout {
        distance: d,
        data,
        checks,
        orders: [order, order],
        number: |d, (x, y)| x + y * (2 * d - 1),
        logical: |x_basis, (x, y)| if x_basis { x == 0 } else { y == 0 },
    }
    .memory(rounds, x_basis)
}

impl Layout {
    fn qubit(&self, place: Place) -> u32 {
        (self.number)(self.distance, place) as u32
    }

    /// Places with their qubits, in the order of qubits.
    fn sorted<'a>(&self, places: impl IntoIterator<Item = &'a Place>) -> Vec<(u32, Place)> {
        let mut list: Vec<_> = places.into_iter().map(|&place| (self.qubit(place), place)).collect();
        list.sort_unstable();
        list
    }

    fn memory(&self, rounds: u64, x_basis: bool) -> Result<Circuit> {
        let numbers = |list: &[(u32, Place)]| list.iter().map(|&(qubit, _)| qubit).collect::<Vec<_>>();
        let ranks = |list: &[(u32, Place)]| -> HashMap<Place, usize> {
            list.iter().enumerate().map(|(k, &(_, place))| (place, k)).collect()
        };
        let data = self.sorted(&self.data);
        let ancillas = self.sorted(self.checks.iter().flatten());
        let x_checks = numbers(&self.sorted(&self.checks[0]));
        let data_rank = ranks(&data);
        let check_rank = ranks(&ancillas);
        let n_checks = ancillas.len();

        let cycle = |writer: &mut Writer| -> Result<()> {
            writer.tick()?;
            writer.gate(Gate::H, &x_checks)?;
            for step in 0..4 {
                let mut pairs = Vec::new();
                for (side, checks) in self.checks.iter().enumerate() {
                    let (dx, dy) = self.orders[side][step];
                    for &(x, y) in checks {
                        let neighbour = (x + dx, y + dy);
                        if data_rank.contains_key(&neighbour) {
                            let (check, neighbour) = (self.qubit((x, y)), self.qubit(neighbour));
                            pairs.push(if side == 0 { (check, neighbour) } else { (neighbour, check) });
                        }
                    }
                }
                writer.tick()?;
                writer.pairs(Gate::Cx, &pairs)?;
            }
            writer.tick()?;
            writer.gate(Gate::H, &x_checks)?;
            writer.tick()?;
            writer.gate(Gate::Mr, &numbers(&ancillas))
        };
        // Checks of the basis that is prepared, by column.
        let mut chosen = self.checks[usize::from(!x_basis)].clone();
        chosen.sort_unstable();
        let at = |(x, y): Place, t: f64| [x as f64, y as f64, t];

        let mut writer = Writer::default();
        for &(qubit, (x, y)) in &self.sorted(self.data.iter().chain(self.checks.iter().flatten())) {
            writer.coordinates(&[x as f64, y as f64], qubit)?;
        }
        writer.gate(if x_basis { Gate::Rx } else { Gate::R }, &numbers(&data))?;
        writer.gate(Gate::R, &numbers(&ancillas))?;
        cycle(&mut writer)?;
        for &place in &chosen {
            writer.detector(&at(place, 0.0), [n_checks - check_rank[&place]])?;
        }
        let mut body = Writer::default();
        cycle(&mut body)?;
        body.shift(&[0.0, 0.0, 1.0])?;
        for (k, &(_, place)) in ancillas.iter().enumerate() {
            body.detector(&at(place, 0.0), [n_checks - k, 2 * n_checks - k])?;
        }
        writer.repeat(rounds - 1, body.circuit)?;
        writer.gate(if x_basis { Gate::Mx } else { Gate::M }, &numbers(&data))?;
        for &(x, y) in &chosen {
            let mut records: Vec<usize> = self.orders[usize::from(!x_basis)]
                .iter()
                .filter_map(|(dx, dy)| data_rank.get(&(x + dx, y + dy)).map(|k| data.len() - k))
                .collect();
            records.sort_unstable();
            records.push(data.len() + n_checks - check_rank[&(x, y)]);
            writer.detector(&at((x, y), 1.0), records)?;
        }
        let logical = (1..=data.len()).filter(|back| (self.logical)(x_basis, data[data.len() - back].1));
        writer.observable(0, logical)?;
        Ok(writer.circuit)
    }
}
