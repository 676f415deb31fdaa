//! The memory experiment of the hexagonal colour code.

use std::collections::HashMap;

use super::Writer;
use crate::circuit::gate::Gate;
use crate::circuit::model::Circuit;
use crate::error::Result;

/// Twice the coordinate x, and y.
type Place = (i64, i64);

/// Steps from a check to its data, in time order.
const ORDER: [Place; 6] = [(2, 0), (1, 1), (1, -1), (-2, 0), (-1, 1), (-1, -1)];

/// One ancilla a face; every round the bases turn X to Y to Z to X, so that all three kinds of checks are measured in
/// turns.
pub(super) fn memory(distance: usize, rounds: u64) -> Result<Circuit> {
    let width = (distance + (distance - 1) / 2) as i64;
    let places: Vec<Place> = (0..width).flat_map(|y| (0..width - y).map(move |k| (2 * k + y, y))).collect();
    let is_check = |&(x, y): &Place| ((x - y) / 2 - y).rem_euclid(3) == 2;
    let qubits: HashMap<Place, u32> = places.iter().zip(0..).map(|(&place, qubit)| (place, qubit)).collect();
    let (checks, data): (Vec<Place>, Vec<Place>) = places.iter().copied().partition(is_check);
    let data_rank: HashMap<Place, usize> = data.iter().zip(0..).map(|(&place, k)| (place, k)).collect();
    let numbers = |list: &[Place]| list.iter().map(|place| qubits[place]).collect::<Vec<_>>();
    let mut by_column = checks.clone();
    by_column.sort_unstable();
    let n = checks.len();

    let cycle = |writer: &mut Writer| -> Result<()> {
        writer.tick()?;
        writer.gate(Gate::CXyz, &numbers(&data))?;
        for (dx, dy) in ORDER {
            let pairs: Vec<(u32, u32)> = by_column
                .iter()
                .filter(|(x, y)| data_rank.contains_key(&(x + dx, y + dy)))
                .map(|&(x, y)| (qubits[&(x + dx, y + dy)], qubits[&(x, y)]))
                .collect();
            writer.tick()?;
            writer.pairs(Gate::Cx, &pairs)?;
        }
        writer.tick()?;
        writer.gate(Gate::Mr, &numbers(&checks))
    };
    let at = |(x, y): Place, t: f64| [x as f64 / 2.0, y as f64, t];

    let mut writer = Writer::default();
    for &(x, y) in &places {
        writer.coordinates(&[x as f64 / 2.0, y as f64], qubits[&(x, y)])?;
    }
    writer.gate(Gate::R, &numbers(&places))?;
    let mut head = Writer::default();
    cycle(&mut head)?;
    writer.repeat(2, head.circuit)?;
    for (k, &place) in checks.iter().enumerate() {
        writer.detector(&at(place, 0.0), [n - k, 2 * n - k])?;
    }
    let mut body = Writer::default();
    cycle(&mut body)?;
    body.shift(&[0.0, 0.0, 1.0])?;
    for (k, &place) in checks.iter().enumerate() {
        body.detector(&at(place, 0.0), [n - k, 2 * n - k, 3 * n - k])?;
    }
    writer.repeat(rounds - 2, body.circuit)?;
    // The basis in which the data is after so many turns, and the rounds whose checks make up those of that basis.
    let (measure, earlier): (Gate, &[usize]) = match rounds % 3 {
        0 => (Gate::M, &[0]),
        1 => (Gate::Mx, &[1]),
        _ => (Gate::My, &[0, 1]),
    };
    writer.gate(measure, &numbers(&data))?;
    for (k, &(x, y)) in checks.iter().enumerate() {
        let mut records: Vec<usize> =
            ORDER.iter().filter_map(|(dx, dy)| data_rank.get(&(x + dx, y + dy)).map(|k| data.len() - k)).collect();
        records.sort_unstable();
        records.extend(earlier.iter().map(|round| data.len() + round * n + n - k));
        writer.detector(&at((x, y), 1.0), records)?;
    }
    let logical = (1..=data.len()).filter(|back| data[data.len() - back].1 == 0);
    writer.observable(0, logical)?;
    Ok(writer.circuit)
}
