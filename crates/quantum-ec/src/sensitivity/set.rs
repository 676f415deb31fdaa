//! Sets of detectors and observables, with hashes that add up.

/// Marks observables among the numbers of detectors, and sorts them after those.
pub(super) const OBSERVABLE: u64 = 1 << 63;

/// Detectors and observables, ascending, and the sum of their hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Set {
    ids: Vec<u64>,
    hash: u64,
}

/// The finaliser of SplitMix64: sums of such numbers over different sets differ.
pub(crate) fn mix(id: u64) -> u64 {
    let id = (id ^ (id >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let id = (id ^ (id >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    id ^ (id >> 31)
}

impl Set {
    pub(super) fn of(ids: &[u64]) -> Self {
        let mut set = Self::default();
        ids.iter().for_each(|&id| set.toggle(id));
        set
    }

    pub(super) fn ids(&self) -> &[u64] {
        &self.ids
    }

    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.ids.clear();
        self.hash = 0;
    }

    pub(super) fn detectors(&self) -> &[u64] {
        detectors(&self.ids)
    }

    pub(super) fn contains(&self, id: u64) -> bool {
        self.ids.binary_search(&id).is_ok()
    }

    pub(super) fn toggle(&mut self, id: u64) {
        match self.ids.binary_search(&id) {
            Ok(at) => drop(self.ids.remove(at)),
            Err(at) => self.ids.insert(at, id),
        }
        self.hash ^= mix(id);
    }

    /// Adds another set; `scratch` is overwritten.
    pub(super) fn xor(&mut self, other: &Self, scratch: &mut Vec<u64>) {
        if other.ids.is_empty() {
            return;
        }
        if self.ids.is_empty() {
            self.ids.extend_from_slice(&other.ids);
        } else {
            sum(&self.ids, &other.ids, scratch);
            std::mem::swap(&mut self.ids, scratch);
        }
        self.hash ^= other.hash;
    }

    /// Becomes the sum of two sets.
    pub(super) fn set_to_sum(&mut self, a: &Self, b: &Self) {
        sum(&a.ids, &b.ids, &mut self.ids);
        self.hash = a.hash ^ b.hash;
    }

    /// Takes `by` from the numbers of all detectors.
    pub(super) fn shift_down(&mut self, by: u64) {
        let n = self.detectors().len();
        self.ids[..n].iter_mut().for_each(|id| *id -= by);
        self.hash = self.ids.iter().fold(0, |hash, &id| hash ^ mix(id));
    }

    /// Whether `other` is this set with its detectors moved up by `by`.
    pub(super) fn is_below(&self, other: &Self, by: u64) -> bool {
        let same = |(&a, &b): (&u64, &u64)| if a & OBSERVABLE == 0 { a.checked_add(by) == Some(b) } else { a == b };
        self.ids.len() == other.ids.len() && self.ids.iter().zip(&other.ids).all(same)
    }
}

/// The detectors among ascending numbers.
pub(super) fn detectors(ids: &[u64]) -> &[u64] {
    &ids[..ids.partition_point(|&id| id & OBSERVABLE == 0)]
}

/// The numbers of the observables among ascending numbers.
pub(super) fn observables(ids: &[u64]) -> impl Iterator<Item = u64> + '_ {
    ids[detectors(ids).len()..].iter().map(|id| id & !OBSERVABLE)
}

/// The sum of ascending lists.
pub(super) fn sum(a: &[u64], b: &[u64], out: &mut Vec<u64>) {
    out.clear();
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        let (x, y) = (a[i], b[j]);
        if x != y {
            out.push(x.min(y));
        }
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    out.extend_from_slice(&a[i..]);
    out.extend_from_slice(&b[j..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_hashes() {
        let (mut a, b) = (Set::of(&[3, 1, OBSERVABLE | 2, 7]), Set::of(&[7, 2, 3, OBSERVABLE]));
        let mut scratch = vec![99];
        a.xor(&b, &mut scratch);
        assert_eq!(a.ids(), [1, 2, OBSERVABLE, OBSERVABLE | 2]);
        assert_eq!(a, Set::of(&[1, 2, OBSERVABLE, OBSERVABLE | 2]));
        assert_eq!((a.detectors(), observables(a.ids()).collect::<Vec<_>>()), (&[1, 2][..], vec![0, 2]));
        let mut up = Set::of(&[11, 12, OBSERVABLE, OBSERVABLE | 2]);
        assert!(a.is_below(&up, 10) && !a.is_below(&up, 9) && !a.is_below(&b, 0));
        up.shift_down(10);
        assert_eq!(a, up);
        a.xor(&up, &mut scratch);
        assert_eq!(a, Set::default());
    }
}
