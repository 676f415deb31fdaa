//! Which operations run together, and in which arithmetic.

use super::program::{Kind, Program};

/// Largest block of a vector, as an exponent of two, on which several operations run in turn while it is in the cache.
const BLOCK_BITS: u32 = 14;

/// Bits of the index that all blocks contain, so that what is copied fills whole cache lines.
const LINE: u64 = 0b111;

/// Most operations a group has.
const GROUP: usize = 24;

/// Largest `ln` of what the entries may change between two looks at their size.
const GROWTH: f64 = 150.0;

/// Largest spread of `ln` entries that plain numbers hold beside [`GROWTH`] and the rounding margin.
const SPREAD: f64 = 600.0;

/// Operations that run together on blocks of the vector; one alone where it needs the whole vector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Group {
    pub first: u32,
    /// One past the last.
    pub end: u32,
    /// Whether the operations keep the size of the vector and act on blocks of it.
    pub local: bool,
    /// The bits of the index in which the entries of one block differ.
    pub free: u64,
    /// Bound of the change of `ln` entries.
    pub growth: f64,
    /// Whether the vector is scaled before.
    pub rescale: bool,
}

impl Group {
    pub(super) fn ops(&self) -> std::ops::Range<usize> {
        self.first as usize..self.end as usize
    }
}

/// Groups of a program at one temperature.
#[derive(Debug, Clone, Default)]
pub(super) struct Schedule {
    pub groups: Vec<Group>,
    /// Whether plain numbers could underflow where it matters.
    pub logarithmic: bool,
}

impl Schedule {
    /// The schedule for the exponents `βw` of all interactions; their signs do not matter.
    pub(super) fn new(program: &Program, exponents: &[f64]) -> Self {
        let logarithmic = spread(program, exponents) > SPREAD;
        let mut groups: Vec<Group> = Vec::new();
        for (k, op) in program.ops.iter().enumerate() {
            // In logarithms nothing grows out of range.
            let growth = if logarithmic {
                0.0
            } else {
                let members = program.members(op).iter();
                std::f64::consts::LN_2 + members.map(|m| exponents[m.interaction as usize].abs()).sum::<f64>()
            };
            let all = (1u64 << op.bits) - 1;
            let fits = |free: u64| (free & all).count_ones() <= BLOCK_BITS.min(u32::from(op.bits));
            let needed = if all.count_ones() <= BLOCK_BITS { all } else { op.mask | LINE };
            let local = matches!(op.kind, Kind::Replace | Kind::Diagonal) && fits(needed);
            match groups.last_mut() {
                Some(group)
                    if local
                        && group.local
                        && fits(group.free | needed)
                        && group.ops().len() < GROUP
                        && group.growth + growth <= GROWTH =>
                {
                    group.end += 1;
                    group.growth += growth;
                    group.free |= needed;
                }
                _ => {
                    let first = k as u32;
                    let free = if local { needed } else { all };
                    groups.push(Group { first, end: first + 1, local, free, growth, rescale: false });
                }
            }
        }
        for group in groups.iter_mut().filter(|group| group.local) {
            // Larger runs side by side, as far as there is room.
            let bits = u32::from(program.ops[group.first as usize].bits);
            while group.free.count_ones() < BLOCK_BITS.min(bits) {
                group.free |= group.free + 1;
            }
        }
        let mut since = 0.0;
        for group in &mut groups {
            group.rescale = since > 0.0 && since + group.growth > GROWTH;
            since = if group.rescale { group.growth } else { since + group.growth };
        }
        Self { groups, logarithmic }
    }

    /// Whether `λ`, changed by `since` after its last scaling, is scaled before it goes back through `group`.
    pub(super) fn rescale_back(since: f64, group: &Group) -> bool {
        since > 0.0 && since + group.growth > GROWTH
    }
}

/// Bound of the spread of what the future can make of an entry: `max_k 2 Σ |βw|` over the interactions that are
/// incomplete, but begun, at operation k, and those it applies.
///
/// An entry that is smaller than the largest by more than this can never matter.
fn spread(program: &Program, exponents: &[f64]) -> f64 {
    let mut change = vec![0.0; program.ops.len() + 1];
    for (a, span) in program.spans.iter().enumerate() {
        if let &Some((begin, end)) = span {
            // The operation that begins an interaction leaves it pending for the next.
            let from = (begin + 1).min(end);
            change[from as usize] += exponents[a].abs();
            change[end as usize + 1] -= exponents[a].abs();
        }
    }
    let (mut pending, mut most) = (0.0f64, 0.0f64);
    for x in change {
        pending += x;
        most = most.max(pending);
    }
    2.0 * most
}

#[cfg(test)]
mod tests {
    use super::super::interactions::{Sealed, ZeroCouplings};
    use super::super::program::Ordering;
    use super::*;
    use crate::Ising;

    fn chain(n: usize) -> Program {
        let model = Ising::builder(n).couplings((1..n).map(|i| (i - 1, i, 1.0))).field(n / 2, 1.0).build().unwrap();
        let interactions = model.interactions();
        let active = interactions.active(ZeroCouplings::Drop);
        let ordering = Ordering::new(&interactions, &active);
        Program::new(&interactions, active, ordering)
    }

    #[test]
    fn a_chain_has_one_bond_and_one_field_at_a_time() {
        let program = chain(50);
        let exponents = vec![3.0; 99];
        approx::assert_abs_diff_eq!(spread(&program, &exponents), 12.0, epsilon = 1e-12);
        assert!(!Schedule::new(&program, &exponents).logarithmic);
        assert!(Schedule::new(&program, &vec![151.0; 99]).logarithmic);
    }

    #[test]
    fn the_change_between_two_scalings_is_bounded() {
        let program = chain(500);
        for exponent in [0.1, 3.0, 40.0, 120.0] {
            let schedule = Schedule::new(&program, &vec![exponent; 999]);
            let mut since = 0.0;
            let mut next = 0;
            for group in &schedule.groups {
                since = if group.rescale { group.growth } else { since + group.growth };
                assert!(since <= GROWTH.max(2.0 * exponent + 1.0), "{since} at {exponent}");
                assert_eq!(group.ops().start, next);
                next = group.ops().end;
            }
            assert_eq!(next, program.ops.len());
        }
    }
}
