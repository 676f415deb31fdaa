//! What the JSON formats share beside the model: metadata, positions, members kept as they are.

use std::collections::HashSet;
use std::io::Write;

use super::error::Parsed;
use super::instance::{Instance, Sign};
use super::json::{Document, Node, Value, escaped};
use crate::{Error, Ising, Result};

/// The member of the metadata with the positions of all spins.
const POSITIONS: &str = "positions";

/// Members of an object with their values as JSON text.
pub(super) type Members = Vec<(String, String)>;

/// Members of a metadata object, and positions if they are there for each of `n` spins.
pub(super) fn metadata(document: &Document, node: &Node, n: usize) -> (Members, Option<Vec<[f64; 3]>>) {
    let positions = node.get(POSITIONS).and_then(|list| positions(document, list, n));
    let kept = node.members().iter().filter(|member| positions.is_none() || member.key != POSITIONS);
    (kept.map(|member| (member.key.clone(), document.raw(&member.node).to_owned())).collect(), positions)
}

/// `[[x, y], …]` or `[[x, y, z], …]`. Anything else is somebody's own metadata.
fn positions(document: &Document, list: &Node, n: usize) -> Option<Vec<[f64; 3]>> {
    let Value::Array(points) = &list.value else { return None };
    let point = |node: &Node| {
        let Value::Array(numbers) = &node.value else { return None };
        let mut position = [0.0; 3];
        if !(2..=3).contains(&numbers.len()) {
            return None;
        }
        for (x, number) in position.iter_mut().zip(numbers) {
            *x = document.number(number).ok()?;
        }
        Some(position)
    };
    if points.len() == n { points.iter().map(point).collect() } else { None }
}

/// Members of the document that the reader does not know.
pub(super) fn others(document: &Document, known: &[&str]) -> Members {
    let unknown = document.root.members().iter().filter(|member| !known.contains(&member.key.as_str()));
    unknown.map(|member| (member.key.clone(), document.raw(&member.node).to_owned())).collect()
}

/// Refuses a linear coefficient other than 0 in a Max-Cut instance.
pub(super) fn refuse_field(document: &Document, coefficient: &Node, sign: Sign) -> Parsed<()> {
    if sign == Sign::MaxCut && document.number(coefficient)? != 0.0 {
        return Err(document.unexpected(coefficient, "0: a Max-Cut instance has no fields"));
    }
    Ok(())
}

/// Refuses to write fields as Max-Cut weights.
pub(super) fn check_fields(model: &Ising, sign: Sign, format: &'static str) -> Result<()> {
    match model.fields().iter().position(|&h| h != 0.0) {
        Some(site) if sign == Sign::MaxCut => {
            let what = format!("the field {:?} of spin {site}", model.fields()[site]);
            Err(Error::Unrepresentable { format, what })
        }
        _ => Ok(()),
    }
}

/// Refuses to write a pair twice, as readers do to read it.
pub(super) fn check_pairs(model: &Ising, format: &'static str) -> Result<()> {
    let mut seen = HashSet::new();
    match model.couplings().find(|&(i, j, _)| !seen.insert((i.min(j), i.max(j)))) {
        Some((i, j, _)) => {
            Err(Error::Unrepresentable { format, what: format!("a second coupling of spins {i} and {j}") })
        }
        None => Ok(()),
    }
}

/// Writes metadata and positions as one object, `first` (a name and JSON text) before them unless the metadata has
/// that name.
pub(super) fn write_members(writer: &mut impl Write, instance: &Instance, first: Option<(&str, String)>) -> Result<()> {
    let positions = instance.model.positions();
    let first = first.filter(|(name, _)| instance.metadata.iter().all(|(key, _)| key != name));
    let mut members: Vec<String> = first.into_iter().map(|(name, text)| format!("{}: {text}", escaped(name))).collect();
    let kept = instance.metadata.iter().filter(|(key, _)| positions.is_none() || key != POSITIONS);
    members.extend(kept.map(|(key, text)| format!("{}: {text}", escaped(key))));
    if let Some(positions) = positions {
        let points: Vec<String> = positions.iter().map(|[x, y, z]| format!("[{x:?}, {y:?}, {z:?}]")).collect();
        members.push(format!("\"{POSITIONS}\": [{}]", points.join(", ")));
    }
    write!(writer, "{{{}}}", members.join(", "))?;
    Ok(())
}
