//! The memory experiment of the repetition code.

use super::Writer;
use crate::circuit::gate::Gate;
use crate::circuit::model::Circuit;
use crate::error::Result;

/// Data on even qubits, checks on odd ones.
pub(super) fn memory(distance: usize, rounds: u64) -> Result<Circuit> {
    let (n, checks) = (2 * distance as u32 - 1, distance - 1);
    let data: Vec<u32> = (0..n).step_by(2).collect();
    let ancillas: Vec<u32> = (1..n).step_by(2).collect();
    let cycle = |writer: &mut Writer| -> Result<()> {
        writer.tick()?;
        writer.pairs(Gate::Cx, &ancillas.iter().map(|&a| (a - 1, a)).collect::<Vec<_>>())?;
        writer.tick()?;
        writer.pairs(Gate::Cx, &ancillas.iter().map(|&a| (a + 1, a)).collect::<Vec<_>>())?;
        writer.tick()?;
        writer.gate(Gate::Mr, &ancillas)
    };
    let place = |k: usize| (2 * k + 1) as f64;

    let mut writer = Writer::default();
    writer.gate(Gate::R, &(0..n).collect::<Vec<_>>())?;
    cycle(&mut writer)?;
    for k in 0..checks {
        writer.detector(&[place(k), 0.0], [checks - k])?;
    }
    let mut body = Writer::default();
    cycle(&mut body)?;
    body.shift(&[0.0, 1.0])?;
    for k in 0..checks {
        body.detector(&[place(k), 0.0], [checks - k, 2 * checks - k])?;
    }
    writer.repeat(rounds - 1, body.circuit)?;
    writer.gate(Gate::M, &data)?;
    for k in 0..checks {
        writer.detector(&[place(k), 1.0], [distance - 1 - k, distance - k, distance + checks - k])?;
    }
    writer.observable(0, [1])?;
    Ok(writer.circuit)
}
