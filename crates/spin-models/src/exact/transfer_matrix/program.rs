//! From a model to a list of operations on the state vector.

use super::graph::Graph;
use super::interactions::Interactions;
use super::order::{Size, Symbolic};

/// Independent sign patterns one operation distinguishes at most: its table has `2^MAX_RANK` rows.
pub(super) const MAX_RANK: usize = 8;

/// What an operation does to the vector `ψ(u)` over the spins of the frontier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `ψ'(t, u) = f(t, u) ψ(u)`: site `t` enters as the highest bit.
    Add,
    /// `ψ'(t, u) = Σ_s f(t, s, u) ψ(s, u)`: site `t` takes the bit of `s`, which is summed out.
    Replace,
    /// `ψ'(u) = f(u) ψ(u)`.
    Diagonal,
    /// `ψ'(u) = Σ_s ψ(s, u)`: the bits above `s` move down by one.
    Remove,
}

/// One operation. Bit value 0 of the index is spin +1.
///
/// The factors depend on `u` through at most [`MAX_RANK`] parities of index bits, the pattern. Bit j of the index,
/// without the bit of `s` in a `Replace`, contributes column j to the pattern, by exclusive or.
#[derive(Debug, Clone, Copy)]
pub(super) struct Op {
    pub kind: Kind,
    /// The bit that is replaced or removed.
    pub slot: u8,
    /// Bits of the vector before.
    pub bits: u8,
    /// Number of parities.
    pub rank: u8,
    /// The bits of the index on which the operation depends.
    pub mask: u64,
    /// The site that enters, for `Add` and `Replace`.
    pub entering: u32,
    columns: u32,
    members: (u32, u32),
}

impl Op {
    /// An operation that changes nothing.
    pub(super) fn nothing() -> Self {
        let (kind, slot, bits, rank, mask) = (Kind::Diagonal, 0, 0, 0, 0);
        Self { kind, slot, bits, rank, mask, entering: NOWHERE, columns: 0, members: (0, 0) }
    }

    /// Bits of the vector after the operation.
    pub(super) fn bits_after(&self) -> usize {
        match self.kind {
            Kind::Add => self.bits as usize + 1,
            Kind::Replace | Kind::Diagonal => self.bits as usize,
            Kind::Remove => self.bits as usize - 1,
        }
    }

    /// Bits of the index that the columns refer to.
    fn n_columns(&self) -> usize {
        match self.kind {
            Kind::Add | Kind::Diagonal => self.bits as usize,
            Kind::Replace => self.bits as usize - 1,
            Kind::Remove => 0,
        }
    }
}

/// An interaction whose factor an operation applies: `exp(β w t^a s^b χ)` with χ the sign of some pattern bits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    pub interaction: u32,
    /// The pattern bits whose parity is the sign of the interaction.
    pub pattern: u16,
    /// Whether the site that leaves is part of it.
    pub with_leaving: bool,
}

/// A site that couples to no other: a factor `2 cosh β(h + …)`.
#[derive(Debug, Clone)]
pub(super) struct Scalar {
    pub site: u32,
    pub terms: Vec<u32>,
}

/// The order of all sites that enter the vector, and what is treated apart.
#[derive(Debug, Clone)]
pub(super) struct Ordering {
    /// Sites in the order in which they enter.
    pub order: Vec<u32>,
    /// Component of each site.
    pub component: Vec<u32>,
    /// One site of each component whose interactions are all even: it is held at +1, Z doubled.
    pub pinned: Vec<u32>,
    pub size: Size,
}

const NOWHERE: u32 = u32::MAX;

impl Ordering {
    pub(super) fn new(interactions: &Interactions, active: &[bool]) -> Self {
        let graph = Graph::new(interactions, active);
        let components = graph.components();
        let mut component = vec![0u32; interactions.n_spins];
        for (c, sites) in components.iter().enumerate() {
            for &site in sites {
                component[site as usize] = c as u32;
            }
        }
        let mut even = vec![true; components.len()];
        for a in (0..interactions.len()).filter(|&a| active[a]) {
            if let [first, ..] = *interactions.sites(a) {
                even[component[first as usize] as usize] &= interactions.sites(a).len().is_multiple_of(2);
            }
        }
        let mut symbolic = Symbolic::new(&graph);
        let mut all = Self { order: Vec::new(), component, pinned: Vec::new(), size: Size { width: 0, cost: 0.0 } };
        for (sites, even) in components.iter().zip(even) {
            if sites.len() == 1 {
                continue;
            }
            let mut order = if sites.len() == 2 {
                sites.clone()
            } else {
                symbolic.best_order(sites, interactions.positions.as_deref())
            };
            if even {
                let pinned = symbolic.costliest(&order);
                all.pinned.push(order.remove(pinned));
            }
            let size = symbolic.size(&order);
            all.size = Size { width: all.size.width.max(size.width), cost: all.size.cost + size.cost };
            all.order.extend(order);
        }
        all
    }
}

/// A compiled model: operations, and what is not part of the vector.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub ops: Vec<Op>,
    columns: Vec<u16>,
    members: Vec<Member>,
    pub scalars: Vec<Scalar>,
    /// Interactions without sites.
    pub constants: Vec<u32>,
    pub ordering: Ordering,
    pub active: Vec<bool>,
    /// Operations between which an interaction is incomplete while one of its sites is in the frontier, and the one
    /// that applies it.
    pub spans: Vec<Option<(u32, u32)>>,
    /// Most bits of the vector.
    pub width: usize,
    /// Entries touched by all operations.
    pub cost: f64,
}

impl Program {
    pub(super) fn columns(&self, op: &Op) -> &[u16] {
        &self.columns[op.columns as usize..op.columns as usize + op.n_columns()]
    }

    pub(super) fn members(&self, op: &Op) -> &[Member] {
        &self.members[op.members.0 as usize..op.members.1 as usize]
    }

    /// Compiles a model; at most 63 sites may be in the frontier at a time.
    pub(super) fn new(interactions: &Interactions, active: Vec<bool>, ordering: Ordering) -> Self {
        Compiler::new(interactions, active, ordering).run()
    }
}

struct Compiler<'a> {
    interactions: &'a Interactions,
    program: Program,
    /// Place of a site in the order; sites outside the order are nowhere.
    place: Vec<u32>,
    /// Sites of the frontier by bit.
    slots: Vec<u32>,
    slot_of: Vec<u8>,
    /// Operation with which a site entered.
    entered: Vec<u32>,
}

impl<'a> Compiler<'a> {
    fn new(interactions: &'a Interactions, active: Vec<bool>, ordering: Ordering) -> Self {
        let n = interactions.n_spins;
        let mut place = vec![NOWHERE; n];
        for &site in &ordering.order {
            place[site as usize] = 0;
        }
        // A partner of a pinned site may be left without partners.
        let mut partner = vec![false; n];
        for a in (0..interactions.len()).filter(|&a| active[a]) {
            let in_order = || interactions.sites(a).iter().filter(|&&site| place[site as usize] != NOWHERE);
            if in_order().count() > 1 {
                in_order().for_each(|&site| partner[site as usize] = true);
            }
        }
        let mut ordering = ordering;
        ordering.order.retain(|&site| partner[site as usize]);
        place.fill(NOWHERE);
        for (k, &site) in ordering.order.iter().enumerate() {
            place[site as usize] = k as u32;
        }
        let program = Program {
            ops: Vec::new(),
            columns: Vec::new(),
            members: Vec::new(),
            scalars: Vec::new(),
            constants: Vec::new(),
            spans: vec![None; interactions.len()],
            active,
            ordering,
            width: 0,
            cost: 0.0,
        };
        Self { interactions, program, place, slots: Vec::new(), slot_of: vec![0; n], entered: vec![0; n] }
    }

    fn run(mut self) -> Program {
        let order = self.program.ordering.order.clone();
        let mut scalar_of = vec![NOWHERE; self.interactions.n_spins];
        let mut pinned = vec![false; self.interactions.n_spins];
        for &site in &self.program.ordering.pinned {
            pinned[site as usize] = true;
        }
        for site in 0..self.interactions.n_spins {
            if self.place[site] == NOWHERE && !pinned[site] {
                scalar_of[site] = self.program.scalars.len() as u32;
                self.program.scalars.push(Scalar { site: site as u32, terms: Vec::new() });
            }
        }
        let mut complete: Vec<Vec<u32>> = vec![Vec::new(); order.len()];
        let mut departure: Vec<u32> = (0..order.len() as u32).collect();
        for a in (0..self.interactions.len()).filter(|&a| self.program.active[a]) {
            let sites = self.interactions.sites(a);
            let last = sites.iter().map(|&site| self.place[site as usize]).filter(|&k| k != NOWHERE).max();
            match last {
                Some(k) => {
                    complete[k as usize].push(a as u32);
                    for &site in sites.iter().filter(|&&site| self.place[site as usize] != NOWHERE) {
                        let own = &mut departure[self.place[site as usize] as usize];
                        *own = k.max(*own);
                    }
                }
                None => match sites.iter().find(|&&site| scalar_of[site as usize] != NOWHERE) {
                    Some(&site) => {
                        self.program.scalars[scalar_of[site as usize] as usize].terms.push(a as u32);
                    }
                    None => self.program.constants.push(a as u32),
                },
            }
        }
        let mut leavers: Vec<Vec<u32>> = vec![Vec::new(); order.len()];
        for (k, &site) in order.iter().enumerate() {
            leavers[departure[k] as usize].push(site);
        }
        for (k, &site) in order.iter().enumerate() {
            self.step(site, &complete[k], &leavers[k]);
        }
        self.program
    }

    /// The bits of the sites of `a` that are in the frontier, `without` apart.
    fn mask(&self, a: u32, without: &[u32]) -> u64 {
        self.interactions
            .sites(a as usize)
            .iter()
            .filter(|&&site| self.place[site as usize] != NOWHERE && !without.contains(&site))
            .fold(0, |mask, &site| mask | 1 << self.slot_of[site as usize])
    }

    fn contains(&self, a: u32, site: u32) -> bool {
        self.interactions.sites(a as usize).contains(&site)
    }

    /// Site `t` enters, with all interactions that it completes; then the sites in `leavers` leave.
    fn step(&mut self, t: u32, terms: &[u32], leavers: &[u32]) {
        let replaced = leavers.iter().copied().filter(|&s| s != t).find_map(|s| {
            let mut group = Group::default();
            let fits =
                terms.iter().filter(|&&a| self.contains(a, s)).all(|&a| group.push(a, self.mask(a, &[s, t]), true));
            fits.then_some((s, group))
        });
        let mut rest: Vec<(u64, u32)>;
        match replaced {
            Some((s, mut group)) => {
                rest = terms.iter().filter(|&&a| !self.contains(a, s)).map(|&a| (self.mask(a, &[t]), a)).collect();
                rest.sort_unstable();
                rest.retain(|&(mask, a)| !group.push(a, mask, false));
                let slot = self.slot_of[s as usize];
                self.emit(Kind::Replace, slot, t, &group);
                self.slots[slot as usize] = t;
                self.slot_of[t as usize] = slot;
            }
            None => {
                let mut group = Group::default();
                rest = terms.iter().map(|&a| (self.mask(a, &[t]), a)).collect();
                rest.sort_unstable();
                rest.retain(|&(mask, a)| !group.push(a, mask, false));
                self.emit(Kind::Add, 0, t, &group);
                self.slot_of[t as usize] = self.slots.len() as u8;
                self.slots.push(t);
            }
        }
        while !rest.is_empty() {
            let mut group = Group::default();
            rest.retain(|&(_, a)| !group.push(a, self.mask(a, &[]), false));
            self.emit(Kind::Diagonal, 0, NOWHERE, &group);
        }
        let mut out: Vec<u32> =
            leavers.iter().copied().filter(|&s| in_frontier(&self.slots, &self.slot_of, s)).collect();
        out.sort_unstable_by_key(|&s| std::cmp::Reverse(self.slot_of[s as usize]));
        for s in out {
            let slot = self.slot_of[s as usize];
            self.emit(Kind::Remove, slot, NOWHERE, &Group::default());
            self.slots.remove(slot as usize);
            for &site in &self.slots[slot as usize..] {
                self.slot_of[site as usize] -= 1;
            }
        }
    }

    fn emit(&mut self, kind: Kind, slot: u8, entering: u32, group: &Group) {
        let program = &mut self.program;
        let bits = self.slots.len() as u8;
        let op = Op {
            kind,
            slot,
            bits,
            rank: group.coordinates.len() as u8,
            mask: 0,
            entering,
            columns: program.columns.len() as u32,
            members: (program.members.len() as u32, (program.members.len() + group.members.len()) as u32),
        };
        let number = program.ops.len() as u32;
        if entering != NOWHERE {
            self.entered[entering as usize] = number;
        }
        for member in &group.members {
            let sites = self.interactions.sites(member.interaction as usize).iter();
            let first =
                sites.filter(|&&site| self.place[site as usize] != NOWHERE).map(|&site| self.entered[site as usize]);
            program.spans[member.interaction as usize] = Some((first.min().unwrap_or(number), number));
        }
        program.members.extend_from_slice(&group.members);
        let mut mask = if matches!(kind, Kind::Replace | Kind::Remove) { 1u64 << slot } else { 0 };
        // Indices of a `Replace` are without the bit of the site that leaves.
        for bit in (0..bits).filter(|&bit| kind != Kind::Remove && !(kind == Kind::Replace && bit == slot)) {
            let mut column = 0u16;
            for (k, coordinate) in group.coordinates.iter().enumerate() {
                column |= ((coordinate >> bit & 1) as u16) << k;
            }
            if column != 0 {
                mask |= 1 << bit;
            }
            program.columns.push(column);
        }
        let op = Op { mask, ..op };
        program.width = program.width.max(op.bits_after());
        program.cost += (op.bits_after().max(bits as usize) as f64).exp2();
        program.ops.push(op);
    }
}

/// Whether `site` still holds its bit.
fn in_frontier(slots: &[u32], slot_of: &[u8], site: u32) -> bool {
    slots.get(slot_of[site as usize] as usize) == Some(&site)
}

/// Interactions of one operation and the independent parities that decide their signs.
#[derive(Default)]
struct Group {
    /// Masks of index bits.
    coordinates: Vec<u64>,
    /// The same in echelon form, each with the coordinates it is the sum of.
    echelon: Vec<(u64, u16)>,
    members: Vec<Member>,
}

impl Group {
    /// Adds an interaction unless that would take more than [`MAX_RANK`] parities.
    fn push(&mut self, interaction: u32, mask: u64, with_leaving: bool) -> bool {
        let (mut left, mut pattern) = (mask, 0u16);
        for &(row, sum) in &self.echelon {
            // Reduced if it clears the leading bit of the row.
            if left ^ row < left {
                left ^= row;
                pattern ^= sum;
            }
        }
        if left != 0 {
            let k = self.coordinates.len();
            if k == MAX_RANK {
                return false;
            }
            self.coordinates.push(mask);
            self.echelon.push((left, pattern | 1 << k));
            self.echelon.sort_unstable_by_key(|row| std::cmp::Reverse(row.0));
            pattern = 1 << k;
        }
        self.members.push(Member { interaction, pattern, with_leaving });
        true
    }
}
