//! Errors of equal symptom, merged as they come.

use super::set::Set;
use crate::dem::xor_probability;

/// Symptoms with their probabilities. Two errors with the same symptom are one with $`p (1-q) + q (1-p)`$.
#[derive(Debug, Default)]
pub(super) struct Mechanisms {
    entries: Vec<Entry>,
    ids: Vec<u64>,
    /// Places of entries plus one, by hash with open addressing; a power of two of them.
    table: Vec<u32>,
    hints: Vec<(u32, Vec<Vec<u64>>)>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    hash: u64,
    start: usize,
    len: u32,
    /// Whether an error of this symptom does not fall into two pieces of one detector each.
    whole: bool,
    probability: f64,
}

impl Mechanisms {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Numbers held in memory.
    pub(super) fn size(&self) -> usize {
        self.ids.len() + self.entries.len()
    }

    /// Adds an error. With `keep_hint`, remembers how its parts make pieces of at most two detectors, or
    /// of one if it flips two.
    pub(super) fn add(&mut self, set: &Set, probability: f64, parts: &[&Set], keep_hint: bool) {
        if 2 * (self.entries.len() + 1) > self.table.len() {
            self.grow();
        }
        let mask = self.table.len() - 1;
        let mut at = set.hash() as usize & mask;
        loop {
            match self.table[at] {
                0 => break,
                place => {
                    let entry = &mut self.entries[place as usize - 1];
                    if entry.hash == set.hash() && self.ids[entry.start..entry.start + entry.len as usize] == *set.ids()
                    {
                        entry.probability = xor_probability(entry.probability, probability);
                        entry.whole = entry.whole || set.detectors().len() == 2 && keep_hint && halves(parts).is_none();
                        return;
                    }
                }
            }
            at = (at + 1) & mask;
        }
        let hint = match set.detectors().len() {
            2 if keep_hint => halves(parts),
            3.. if keep_hint => pieces(parts, 2),
            _ => None,
        };
        let whole = hint.is_none();
        self.hints.extend(hint.map(|pieces| (self.entries.len() as u32, pieces)));
        let (start, len) = (self.ids.len(), set.ids().len() as u32);
        self.entries.push(Entry { hash: set.hash(), start, len, whole, probability });
        self.ids.extend_from_slice(set.ids());
        self.table[at] = self.entries.len() as u32;
    }

    fn grow(&mut self) {
        let size = (4 * self.entries.len()).next_power_of_two().max(64);
        self.table.clear();
        self.table.resize(size, 0);
        for (place, entry) in self.entries.iter().enumerate() {
            let mut at = entry.hash as usize & (size - 1);
            while self.table[at] != 0 {
                at = (at + 1) & (size - 1);
            }
            self.table[at] = place as u32 + 1;
        }
    }

    fn ids_of(&self, place: usize) -> &[u64] {
        let entry = &self.entries[place];
        &self.ids[entry.start..entry.start + entry.len as usize]
    }

    /// Symptoms and probabilities in the order of the symptoms, with the pieces remembered.
    pub(super) fn sorted(&self) -> impl Iterator<Item = (&[u64], f64, Option<&[Vec<u64>]>)> {
        let mut order: Vec<u32> = (0..self.entries.len() as u32).collect();
        order.sort_unstable_by(|&a, &b| self.ids_of(a as usize).cmp(self.ids_of(b as usize)));
        order.into_iter().map(|place| {
            let hint = if self.entries[place as usize].whole { None } else { self.hint(place) };
            (self.ids_of(place as usize), self.entries[place as usize].probability, hint)
        })
    }

    fn hint(&self, place: u32) -> Option<&[Vec<u64>]> {
        // Hints are added in the order of places.
        let at = self.hints.binary_search_by_key(&place, |(place, _)| *place).ok()?;
        Some(&self.hints[at].1)
    }
}

/// Two groups of parts that flip one detector each.
fn halves(parts: &[&Set]) -> Option<Vec<Vec<u64>>> {
    pieces(parts, 1).filter(|pieces| pieces.len() == 2)
}

/// Groups of parts whose sums have at most so many detectors each; the fewest groups of at most four parts, or every
/// part alone. None if there are no parts: random detectors come without.
fn pieces(parts: &[&Set], most: usize) -> Option<Vec<Vec<u64>>> {
    let parts: Vec<&Set> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    let n = parts.len();
    if n == 0 {
        return None;
    }
    let mut best: Option<Vec<Vec<u64>>> = None;
    let mut consider = |groups: &[usize]| {
        let count = groups.iter().max().map_or(0, |g| g + 1);
        let mut sums = vec![Set::default(); count];
        let mut scratch = Vec::new();
        for (&group, part) in groups.iter().zip(&parts) {
            sums[group].xor(part, &mut scratch);
        }
        let good = sums.iter().all(|sum| sum.detectors().len() <= most);
        // A piece that flips observables alone is no edge.
        let good = good && sums.iter().all(|sum| sum.is_empty() || !sum.detectors().is_empty());
        if good && best.as_ref().is_none_or(|best| best.len() > count) {
            best = Some(sums.iter().filter(|sum| !sum.is_empty()).map(|sum| sum.ids().to_vec()).collect());
        }
    };
    if n > 4 {
        consider(&(0..n).collect::<Vec<_>>());
    } else {
        // Restricted growth strings: all partitions of at most four parts.
        let mut groups = vec![0; n];
        loop {
            consider(&groups);
            let Some(k) = (1..n).rev().find(|&k| groups[k] <= groups[..k].iter().copied().max().unwrap_or(0)) else {
                break;
            };
            groups[k] += 1;
            groups[k + 1..].fill(0);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::super::set::OBSERVABLE;
    use super::*;

    #[test]
    fn equal_symptoms_are_one_error() {
        let mut all = Mechanisms::default();
        for k in 0..1000u64 {
            all.add(&Set::of(&[k % 300, 500 + k % 7]), 0.25, &[], false);
        }
        let distinct: std::collections::BTreeSet<_> = (0..1000u64).map(|k| (k % 300, 500 + k % 7)).collect();
        assert_eq!(all.len(), distinct.len());
        let (ids, p, _) = all.sorted().next().unwrap();
        assert!(ids == [0, 500] && (p - 0.25).abs() < 1e-15);
        assert!(all.sorted().zip(all.sorted().skip(1)).all(|(a, b)| a.0 < b.0));
        all.add(&Set::of(&[500, 0]), 0.5, &[], false);
        assert!((all.sorted().next().unwrap().1 - 0.5).abs() < 1e-15);
    }

    #[test]
    fn parts_make_pieces() {
        let [a, b, c] = [[0, 1], [5, OBSERVABLE], [1, 2]].map(|ids| Set::of(&ids));
        // a and c together flip D0 and D2: two pieces are enough.
        assert_eq!(pieces(&[&a, &b, &c], 2), Some(vec![vec![0, 2], vec![5, OBSERVABLE]]));
        assert_eq!(halves(&[&Set::of(&[4]), &b]), Some(vec![vec![4], vec![5, OBSERVABLE]]));
        assert_eq!(halves(&[&a, &c]), None);
        assert_eq!(pieces(&[&Set::of(&[0, 1, 2])], 2), None);
        assert_eq!((pieces(&[], 2), pieces(&[&Set::default()], 2)), (None, None));
    }
}
