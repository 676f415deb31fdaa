//! Mechanisms of many detectors as sums of pieces with at most two.

use std::collections::HashMap;

use super::mechanisms::Mechanisms;
use super::model::Item;
use super::set::{OBSERVABLE, detectors, sum};
use crate::error::{Error, Result};

/// Steps of the search for the pieces of one mechanism.
const MAX_STEPS: u32 = 100_000;

/// The mechanisms with one or two detectors, by their detectors: observables and the logarithm of the probability.
pub(super) struct Pieces {
    known: HashMap<[u64; 2], Vec<(Vec<u64>, f64)>>,
}

/// In place of the second detector of a piece that has one.
const NONE: u64 = u64::MAX;

impl Pieces {
    /// Gathers them from all parts of a model; those of blocks also a period earlier and later, and in the first
    /// repetition.
    pub(super) fn new(items: &[Item]) -> Self {
        let mut pieces = Self { known: HashMap::new() };
        pieces.gather(items, &[0], false);
        pieces.gather(items, &[0], true);
        pieces
    }

    /// First those that do not fall into two, then those whose halves are no errors themselves.
    fn gather(&mut self, items: &[Item], shifts: &[i128], divisible: bool) {
        for item in items {
            match item {
                Item::Errors(errors) => self.add(errors, shifts, divisible),
                Item::Annotation(_) => {}
                Item::Block { count, items, detectors } => {
                    let period = i128::from(*detectors);
                    let first = -period * i128::from(count - 1);
                    let inside = [0, period, -period, first, first + period, first - period];
                    let mut all: Vec<i128> = shifts.iter().flat_map(|a| inside.iter().map(move |b| a + b)).collect();
                    all.sort_unstable();
                    all.dedup();
                    self.gather(items, &all, divisible);
                }
            }
        }
    }

    fn add(&mut self, errors: &Mechanisms, shifts: &[i128], divisible: bool) {
        for (ids, probability, hint) in errors.sorted() {
            let list = detectors(ids);
            let halves_known = |hint: &[Vec<u64>]| hint.iter().all(|piece| self.is_known(piece));
            if list.is_empty() || list.len() > 2 || hint.is_some() != divisible || hint.is_some_and(halves_known) {
                continue;
            }
            for shift in shifts {
                let moved = |id: u64| u64::try_from(i128::from(id) + shift).ok();
                let Some(a) = moved(list[0]) else { continue };
                let Some(b) = list.get(1).map_or(Some(NONE), |&b| moved(b)) else { continue };
                let observables = &ids[list.len()..];
                let entries = self.known.entry([a, b]).or_default();
                // What only flags make possible has probability 0, and is chosen last.
                let weight = probability.max(f64::MIN_POSITIVE).ln();
                match entries.iter_mut().find(|(other, _)| other == observables) {
                    Some((_, old)) => *old = old.max(weight),
                    None => entries.push((observables.to_vec(), weight)),
                }
            }
        }
    }

    /// The pieces of a symptom: itself, if it has at most two detectors and does not fall into errors of one; those of the channel it comes from if each is an error of its own, else the most probable
    /// ones that cover it, else those of the channel.
    pub(super) fn of(&self, ids: &[u64], hint: Option<&[Vec<u64>]>) -> Result<Vec<Vec<u64>>> {
        if let Some(hint) = hint
            && hint.iter().all(|piece| self.is_known(piece))
        {
            return Ok(hint.to_vec());
        }
        let list = detectors(ids);
        if list.len() <= 2 {
            return Ok(vec![ids.to_vec()]);
        }
        let mut search = Search { pieces: self, best: None, chosen: Vec::new(), steps: MAX_STEPS };
        search.cover(&mut list.to_vec(), &ids[list.len()..], 0.0);
        if let Some((_, found)) = search.best {
            return Ok(found);
        }
        if let Some(hint) = hint {
            return Ok(hint.to_vec());
        }
        let name = |&id: &u64| match id & OBSERVABLE {
            0 => format!(" D{id}"),
            _ => format!(" L{}", id & !OBSERVABLE),
        };
        let symptom: String = ids.iter().map(name).collect();
        let reason = format!("no errors of one or two detectors add up to the mechanism{symptom}");
        Err(Error::NotApplicable { method: "decomposition into graphlike errors", reason })
    }

    fn is_known(&self, piece: &[u64]) -> bool {
        let list = detectors(piece);
        let Some(&a) = list.first() else { return false };
        let b = list.get(1).copied().unwrap_or(NONE);
        self.known.get(&[a, b]).is_some_and(|entries| entries.iter().any(|(o, _)| *o == piece[list.len()..]))
    }
}

struct Search<'a> {
    pieces: &'a Pieces,
    best: Option<(f64, Vec<Vec<u64>>)>,
    chosen: Vec<Vec<u64>>,
    steps: u32,
}

impl Search<'_> {
    /// Covers the detectors left, the lowest first, so that the observables left add up too.
    fn cover(&mut self, left: &mut Vec<u64>, observables: &[u64], weight: f64) {
        if self.steps == 0 || self.best.as_ref().is_some_and(|(best, _)| *best >= weight) {
            return;
        }
        self.steps -= 1;
        if left.is_empty() {
            if observables.is_empty() {
                self.best = Some((weight, self.chosen.clone()));
            }
            return;
        }
        let lowest = left.remove(0);
        for at in 0..=left.len() {
            let partner = left.get(at).copied();
            let Some(entries) = self.pieces.known.get(&[lowest, partner.unwrap_or(NONE)]) else { continue };
            if partner.is_some() {
                left.remove(at);
            }
            for (flipped, ln_p) in entries {
                let mut rest = Vec::new();
                sum(observables, flipped, &mut rest);
                self.chosen.push([lowest].into_iter().chain(partner).chain(flipped.iter().copied()).collect());
                self.cover(left, &rest, weight + ln_p);
                self.chosen.pop();
            }
            if let Some(partner) = partner {
                left.insert(at, partner);
            }
        }
        left.insert(0, lowest);
    }
}
