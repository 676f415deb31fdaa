//! Runs the operations of a program, forward and, with checkpoints, backward.

use std::ops::Range;

use linalg_core::Observer;
use linalg_core::gf2::BitVec;

use super::block::{Blocks, Step};
use super::forward;
use super::program::Program;
use super::schedule::{Group, Schedule};
use super::semiring::Semiring;
use crate::model::Progress;
use crate::{Error, Result};

/// Where the largest entry of `ψ` is put when it is scaled: 2^288 ≈ e^200.
const PSI_TARGET: i64 = 288;

/// Calls the observer whenever a bounded amount of work has been done.
pub(super) struct Watch<'o> {
    observer: &'o mut dyn Observer<Progress>,
    stage: &'static str,
    done: u64,
    total: u64,
    pending: u64,
}

impl<'o> Watch<'o> {
    /// Entries times operations between two calls.
    const INTERVAL: u64 = 1 << 22;

    pub(super) fn new(observer: &'o mut dyn Observer<Progress>) -> Self {
        Self { observer, stage: "", done: 0, total: 0, pending: 0 }
    }

    /// Begins a stage of `total` steps, with a report.
    pub(super) fn begin(&mut self, stage: &'static str, total: usize) -> Result<()> {
        (self.stage, self.done, self.total, self.pending) = (stage, 0, total as u64, 0);
        self.report()
    }

    fn report(&mut self) -> Result<()> {
        self.pending = 0;
        match self.observer.observe(&Progress::new(self.stage, self.done, self.total)) {
            std::ops::ControlFlow::Continue(()) => Ok(()),
            std::ops::ControlFlow::Break(()) => {
                Err(Error::Stopped { solver: super::NAME, done: self.done, total: self.total })
            }
        }
    }

    fn work(&mut self, amount: u64) -> Result<()> {
        self.pending += amount;
        if self.pending >= Self::INTERVAL { self.report() } else { Ok(()) }
    }
}

/// What is done with the vector before each group, from the last to the first.
pub(super) trait Visitor<S: Semiring> {
    /// `before` is the vector before `group`.
    fn visit(&mut self, engine: &mut Engine<'_, '_, S>, group: Group, before: Vec<S::Value>) -> Result<()>;
}

/// A program with its factors at one temperature, in one arithmetic.
pub(super) struct Engine<'p, 'o, S: Semiring> {
    pub program: &'p Program,
    pub semiring: S,
    pub schedule: &'p Schedule,
    /// `e^{βw}` and `e^{-βw}` of every interaction.
    pub factors: &'p [[S::Value; 2]],
    /// Interactions whose sign is reversed.
    pub flips: Option<&'p BitVec>,
    /// A site held at one value: 0 for +1, 1 for -1.
    pub held: Option<(u32, usize)>,
    /// The operations of one group.
    pub steps: Vec<Step<S::Value>>,
    /// Scratch space for one block.
    pub block: Vec<S::Value>,
    pub watch: Watch<'o>,
}

impl<S: Semiring> Engine<'_, '_, S> {
    /// Sets up the operations of a group and their tables.
    pub(super) fn prepare(&mut self, group: Group) {
        let ops = group.ops();
        if self.steps.len() < ops.len() {
            self.steps.resize_with(ops.len(), Step::new);
        }
        let (factors, flips) = (self.factors, self.flips);
        let factor = |a: u32| {
            let [plus, minus] = factors[a as usize];
            if flips.is_some_and(|flips| flips.get(a as usize)) { [minus, plus] } else { [plus, minus] }
        };
        for (step, op) in self.steps.iter_mut().zip(&self.program.ops[ops]) {
            let held = self.held.filter(|&(site, _)| site == op.entering).map(|(_, value)| value);
            let members = self.program.members(op);
            step.set(op, self.program.columns(op), group.free);
            step.table.fill(self.semiring, &step.op, &step.columns, members, factor, held);
        }
    }

    /// Scales the vector if the group asks for it, and returns the exponent taken out.
    pub(super) fn rescale(&self, group: Group, v: &mut [S::Value]) -> i64 {
        if group.rescale { self.semiring.rescale(v, PSI_TARGET) } else { 0 }
    }

    /// Reports work on this many entries to the observer.
    pub(super) fn work(&mut self, entries: usize) -> Result<()> {
        self.watch.work(entries as u64 * S::COST)
    }

    /// Carries the vector through one group that is set up.
    fn advance(&mut self, group: Group, v: &mut Vec<S::Value>) -> Result<()> {
        let n_ops = group.ops().len();
        let steps = &self.steps[..n_ops];
        if !group.local {
            steps.iter().for_each(|step| forward::apply(self.semiring, step, v));
            return self.work(v.len() * n_ops);
        }
        let blocks = Blocks::new(group.free, v.len());
        self.block.resize(blocks.size(), self.semiring.zero());
        for base in blocks.bases() {
            if blocks.contiguous() {
                let block = &mut v[base..base + blocks.size()];
                self.steps[..n_ops].iter().for_each(|step| forward::apply_to_block(self.semiring, step, block));
            } else {
                blocks.gather(v, base, &mut self.block);
                let block = &mut self.block[..];
                self.steps[..n_ops].iter().for_each(|step| forward::apply_to_block(self.semiring, step, block));
                blocks.scatter(&self.block, base, v);
            }
            self.work(blocks.size() * n_ops)?;
        }
        Ok(())
    }

    /// The states of one block before each operation of a group, one after another; the first `size` are given.
    pub(super) fn history(&self, size: usize, history: &mut [S::Value]) {
        let n_ops = history.len() / size;
        let (mut last, mut rest) = history.split_at_mut(size);
        for step in &self.steps[..n_ops - 1] {
            let (next, after) = rest.split_at_mut(size);
            forward::apply_into(self.semiring, step, last, next);
            (last, rest) = (next, after);
        }
    }

    /// Runs all groups from the empty frontier; returns the whole sum as `x 2^exponent`.
    pub(super) fn forward(&mut self, stage: &'static str, v: &mut Vec<S::Value>) -> Result<(S::Value, i64)> {
        self.watch.begin(stage, self.program.ops.len())?;
        v.clear();
        v.push(self.semiring.one());
        let mut exponent = 0;
        for &group in &self.schedule.groups {
            exponent += self.rescale(group, v);
            self.prepare(group);
            self.advance(group, v)?;
            self.watch.done = u64::from(group.end);
        }
        let total = v.iter().fold(self.semiring.zero(), |sum, &x| self.semiring.add(sum, x));
        Ok((total, exponent))
    }

    /// Shows the visitor the vector before every group, last group first.
    ///
    /// As many vectors as the plan has room for are kept; what lies between two of them is computed again.
    pub(super) fn backward(&mut self, plan: &Checkpoints, visitor: &mut impl Visitor<S>) -> Result<()> {
        let groups = self.schedule.groups.len();
        self.watch.begin("backward", self.program.ops.len())?;
        self.reverse(0..groups, vec![self.semiring.one()], plan, plan.room, visitor)
    }

    fn reverse(
        &mut self,
        groups: Range<usize>,
        start: Vec<S::Value>,
        plan: &Checkpoints,
        room: usize,
        visitor: &mut impl Visitor<S>,
    ) -> Result<()> {
        if groups.len() <= 1 {
            if let Some(group) = self.schedule.groups.get(groups.start).filter(|_| !groups.is_empty()) {
                self.prepare(*group);
                visitor.visit(self, *group, start)?;
                self.watch.done = self.watch.total - u64::from(group.first);
            }
            return Ok(());
        }
        let bounds = plan.segments(&groups, room);
        let kept = bounds.len() - 2;
        let mut states = Vec::with_capacity(kept);
        let mut v = start.clone();
        for g in groups.start..bounds[kept] {
            let group = self.schedule.groups[g];
            self.prepare(group);
            self.advance(group, &mut v)?;
            // A state is kept as it stands before its group, scaled.
            if let Some(next) = self.schedule.groups.get(g + 1) {
                self.rescale(*next, &mut v);
            }
            if g + 1 == bounds[kept] {
                states.push(std::mem::take(&mut v));
            } else if g + 1 == bounds[states.len() + 1] {
                states.push(v.clone());
            }
        }
        for j in (1..=kept).rev() {
            let state = states.pop().unwrap_or_default();
            let room = room.saturating_sub(plan.entries(&bounds[1..=j]));
            self.reverse(bounds[j]..bounds[j + 1], state, plan, room, visitor)?;
        }
        self.reverse(bounds[0]..bounds[1], start, plan, room, visitor)
    }
}

/// Which vectors a backward pass keeps.
#[derive(Debug, Clone)]
pub(super) struct Checkpoints {
    /// Entries of the vector before each group.
    sizes: Vec<usize>,
    /// Entries that may be kept beside those in work.
    room: usize,
}

impl Checkpoints {
    /// A plan for `budget` entries in all, the vectors in work included; the least possible where that is too little.
    pub(super) fn new(program: &Program, schedule: &Schedule, budget: usize) -> Self {
        let sizes: Vec<usize> =
            schedule.groups.iter().map(|group| 1 << program.ops[group.first as usize].bits).collect();
        let mut plan = Self { sizes, room: budget };
        // What is in work, and the last of the vectors kept, come on top of the room.
        while plan.room > 0 && plan.most_entries() > budget {
            plan.room = plan.room / 8 * 7;
        }
        plan
    }

    /// Sum of the sizes before these groups.
    fn entries(&self, groups: &[usize]) -> usize {
        groups.iter().map(|&g| self.sizes[g]).sum()
    }

    /// Bounds of the segments into which `groups` is cut; a vector is kept before each but the first.
    fn segments(&self, groups: &Range<usize>, room: usize) -> Vec<usize> {
        let n = groups.len();
        let rest = &self.sizes[groups.start + 1..groups.end];
        if rest.iter().sum::<usize>() <= room {
            return groups.clone().chain([groups.end]).collect();
        }
        let largest = rest.iter().copied().max().unwrap_or(1);
        // With √n at two levels every vector is computed at most twice.
        let root = (n as f64).sqrt().ceil() as usize;
        let kept = root.min(room / largest / 2).clamp(1, n - 1);
        (0..=kept + 1).map(|j| groups.start + j * n / (kept + 1)).collect()
    }

    /// Most entries alive at one time: `ψ` and its copies, checkpoints, `λ`.
    pub(super) fn most_entries(&self) -> usize {
        let largest = self.sizes.iter().copied().max().unwrap_or(1);
        self.most_kept(0..self.sizes.len(), self.room) + 2 * largest
    }

    fn most_kept(&self, groups: Range<usize>, room: usize) -> usize {
        if groups.len() <= 1 {
            return self.entries(&groups.collect::<Vec<_>>());
        }
        let bounds = self.segments(&groups, room);
        let start = self.sizes[groups.start];
        let at_most = |j: usize| {
            let kept = self.entries(&bounds[1..=j]);
            // Segment j starts from the last vector kept.
            let own = if j > 0 { self.sizes[bounds[j]] } else { start };
            start + kept - own + self.most_kept(bounds[j]..bounds[j + 1], room.saturating_sub(kept))
        };
        (0..bounds.len() - 1).map(at_most).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_stay_within_their_room() {
        for groups in [2usize, 3, 10, 100, 1000] {
            for room in [0usize, 1, 2, 5, 20, 70, 2000] {
                let plan = Checkpoints { sizes: vec![10; groups], room: 10 * room };
                let least = groups.ilog2() as usize + 3;
                let most = plan.most_entries();
                assert!(most <= 10 * (room + least + 2), "{groups} groups, room {room}: {most}");
                let mut seen = Vec::new();
                visit(&plan, 0..groups, plan.room, &mut seen);
                assert!(seen.into_iter().eq((0..groups).rev()));
            }
        }
        let all = Checkpoints { sizes: vec![10; 100], room: 990 };
        assert_eq!(all.segments(&(0..100), 990).len(), 101);
        assert_eq!(all.segments(&(0..100), 300).len(), 12);
    }

    fn visit(plan: &Checkpoints, groups: Range<usize>, room: usize, seen: &mut Vec<usize>) {
        if groups.len() == 1 {
            return seen.push(groups.start);
        }
        let bounds = plan.segments(&groups, room);
        for j in (0..bounds.len() - 1).rev() {
            visit(plan, bounds[j]..bounds[j + 1], room.saturating_sub(plan.entries(&bounds[1..=j])), seen);
        }
    }
}
