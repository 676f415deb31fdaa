//! Many weights on one layout.

use linalg_core::Observer;
use linalg_core::gf2::BitVec;

use super::frontier::{Frontier, Scratch};
use super::layout::Incidence;
use super::schedule::{Layout, Schedule, TooWide, choose};
use super::transfer::{Transfer, TransferScratch};
use crate::exact::boundary_mps::NAME;
use crate::exact::boundary_mps::solver::{BoundaryMpsReport, COLD, LOST, check_scaled};
use crate::exact::tensor_network::tables::{Table, Tables};
use crate::exact::transfer_matrix::interactions::Interactions;
use crate::model::{Kind, LnZ, LogPartitionPlan, Progress, check_weights};
use crate::{Error, Result};

/// Rounding above this, relative, makes a result an approximation.
const EXACT: f64 = 1e-11;

/// A discarded weight below this is what rounding leaves of directions that a boundary does not have: no state was cut.
const UNCUT: f64 = 1e-28;

/// What rounding adds to an overlap, as a share of the product of the norms: a few hundred steps of 2e-16.
const ROUNDING: f64 = 1e-13;

/// A boundary with a discarded weight below this is as good as one with no state cut.
const NOTHING: f64 = 1e-24;

/// A connected part of the model.
#[derive(Debug, Clone)]
struct Part {
    /// Numbers of its tables in the model.
    tables: Vec<usize>,
    /// Tables before each cut, from 0 to all.
    ends: Vec<usize>,
    transfers: Vec<Transfer>,
    forth: Schedule,
    back: Schedule,
    /// The sum over everything on either side of each cut, as far as it was computed.
    before: Vec<Frontier>,
    after: Vec<Frontier>,
    /// `before` is valid below this cut for the last weights, `after` from that cut on.
    before_valid: usize,
    after_valid: usize,
}

/// A model in the plane with an order: only numbers are missing.
#[derive(Debug, Clone)]
pub(in crate::exact::boundary_mps) struct PlanePlan {
    chi: usize,
    interactions: Interactions,
    tables: Tables,
    parts: Vec<Part>,
    /// Entries of all tables for the last call.
    entries: Vec<Vec<f64>>,
    /// Weights of the last call.
    last: Vec<f64>,
    scratch: Scratch,
    transfer_scratch: TransferScratch,
}

impl PlanePlan {
    /// Lays the model out; `positions` are places of the sites in the plane.
    pub(in crate::exact::boundary_mps) fn new(
        chi: usize,
        interactions: Interactions,
        positions: Option<&[[f64; 2]]>,
    ) -> Result<Self> {
        let tables = Tables::new(&interactions, &|_| true)?;
        let parts = parts(interactions.n_spins, &tables.tables)
            .into_iter()
            .map(|members| Part::new(&tables.tables, members, interactions.n_spins, positions, chi))
            .collect::<Result<Vec<_>>>()?;
        let entries = vec![Vec::new(); tables.tables.len()];
        Ok(Self {
            chi,
            interactions,
            tables,
            parts,
            entries,
            last: Vec::new(),
            scratch: Scratch::default(),
            transfer_scratch: TransferScratch::default(),
        })
    }

    /// ln Z for weights times β.
    pub(in crate::exact::boundary_mps) fn contract(
        &mut self,
        scaled: &[f64],
        offset: f64,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<BoundaryMpsReport> {
        check_scaled(scaled, offset)?;
        let changed = self.fill(scaled);
        let mut ln_z = -offset + self.tables.constants.iter().map(|&a| scaled[a]).sum::<f64>();
        for (_, fields) in &self.tables.alone {
            let field = fields.iter().map(|&a| scaled[a]).sum::<f64>().abs();
            ln_z += field + (-2.0 * field).exp().ln_1p();
        }
        let mut report =
            BoundaryMpsReport { ln_z: LnZ::exact(0.0), discarded_weight: 0.0, difference: None, bond_dimension: 1 };
        let total = self.parts.iter().map(|part| 2 * part.transfers.len() as u64).sum();
        let mut work = Work {
            entries: &self.entries,
            chi: self.chi,
            cold: scaled.iter().any(|w| w.abs() > COLD),
            scratch: &mut self.scratch,
            transfer_scratch: &mut self.transfer_scratch,
            done: 0,
            total,
            observer,
        };
        let (mut rounding, mut found) = (0.0f64, true);
        self.parts.iter_mut().for_each(|part| part.forget(&changed));
        for part in &mut self.parts {
            let sum = part.contract(&mut work)?;
            ln_z += sum.ln_z;
            found &= sum.found;
            rounding = rounding.max(sum.rounding);
            report.discarded_weight += sum.discarded;
            report.bond_dimension = report.bond_dimension.max(sum.bond_dimension);
            if let Some(difference) = sum.difference {
                report.difference = Some(report.difference.unwrap_or(0.0) + difference);
            }
        }
        let scales = self.tables.tables.iter().zip(&self.entries);
        ln_z += scales.map(|(_, entries)| entries[entries.len() - 1]).sum::<f64>();
        let residual = report.discarded_weight.max(rounding);
        let kind = if report.discarded_weight < UNCUT && rounding <= EXACT && found {
            Kind::Exact
        } else {
            Kind::Approximation { converged: found, residual }
        };
        report.ln_z = LnZ { value: ln_z, std_error: None, kind };
        Ok(report)
    }

    /// Entries of tables whose weights are others than in the last call, the logarithm of their scale behind them;
    /// which tables these are.
    fn fill(&mut self, scaled: &[f64]) -> Vec<bool> {
        let fresh = self.last.len() != scaled.len();
        let mut exponents = Vec::new();
        let mut changed = vec![false; self.entries.len()];
        #[allow(clippy::float_cmp, reason = "an equal weight changes nothing")]
        let same = |last: &[f64], a: usize| last[a] == scaled[a];
        for ((table, entries), changed) in self.tables.tables.iter().zip(&mut self.entries).zip(&mut changed) {
            *changed = fresh || table.terms.iter().any(|&(a, _)| !same(&self.last, a));
            if *changed {
                table.exponents(&|a| scaled[a], &mut exponents);
                let largest = exponents.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                entries.clear();
                entries.extend(exponents.iter().map(|e| (e - largest).exp()));
                entries.push(largest);
            }
        }
        self.last.clear();
        self.last.extend_from_slice(scaled);
        changed
    }
}

/// Tables by connected component.
fn parts(n_sites: usize, tables: &[Table]) -> Vec<Vec<usize>> {
    let mut sets = linalg_core::graph::UnionFind::new(n_sites);
    for table in tables {
        for pair in table.sites.windows(2) {
            sets.union(pair[0] as usize, pair[1] as usize);
        }
    }
    let mut of_root = std::collections::BTreeMap::<usize, Vec<usize>>::new();
    for (t, table) in tables.iter().enumerate() {
        of_root.entry(sets.find(table.sites[0] as usize)).or_default().push(t);
    }
    of_root.into_values().collect()
}

impl Part {
    fn new(
        all: &[Table],
        members: Vec<usize>,
        n_sites: usize,
        positions: Option<&[[f64; 2]]>,
        chi: usize,
    ) -> Result<Self> {
        // Sites by numbers of their own.
        let mut own = vec![usize::MAX; n_sites];
        let mut sites = Vec::new();
        let mut tables = Vec::with_capacity(members.len());
        for &t in &members {
            let mut list = Vec::with_capacity(all[t].sites.len());
            for &site in &all[t].sites {
                let site = site as usize;
                if own[site] == usize::MAX {
                    own[site] = sites.len();
                    sites.push(site);
                }
                list.push(own[site]);
            }
            tables.push(list);
        }
        let n = sites.len();
        let (candidates, waves) = match positions {
            Some(positions) => {
                let coordinate = |axis: usize| -> Vec<f64> {
                    let of_site = |own: usize| positions[sites[own]][axis];
                    let mean = |list: &Vec<usize>| list.iter().map(|&s| of_site(s)).sum::<f64>() / list.len() as f64;
                    (0..n).map(of_site).chain(tables.iter().map(mean)).collect()
                };
                (vec![[coordinate(0), coordinate(1)]], false)
            }
            None => {
                let mut waves = Incidence::new(n, &tables).coordinates().into_iter();
                let first = waves.next().unwrap_or_else(|| vec![0.0; n + tables.len()]);
                let mut pairs: Vec<[Vec<f64>; 2]> = waves.map(|second| [first.clone(), second]).collect();
                if pairs.is_empty() {
                    pairs.push([first.clone(), first]);
                }
                (pairs, true)
            }
        };
        let refused = |TooWide { table, sites }: TooWide| {
            let reason = format!(
                "the interactions do not lie on a strip: those of sites {:?} meet {sites} others",
                all[members[table]].sites
            );
            Error::NotApplicable { solver: NAME, reason }
        };
        let Layout { order, ends, transfers, .. } = choose(&tables, n, &candidates, waves, chi).map_err(refused)?;
        let forth = Schedule::new(&tables, &order, chi, true).map_err(refused)?;
        let back = Schedule::new(&tables, &order.reversed(), chi, true).map_err(refused)?;
        let all = vec![Frontier::one(); ends.len()];
        let (before, after, after_valid) = (all.clone(), all, ends.len() - 1);
        Ok(Self { tables: members, ends, transfers, forth, back, before, after, before_valid: 1, after_valid })
    }

    /// Keeps the boundaries that no change has reached.
    fn forget(&mut self, changed: &[bool]) {
        for (strip, ends) in self.ends.windows(2).enumerate() {
            if self.forth.steps[ends[0]..ends[1]].iter().any(|step| changed[self.tables[step.table]]) {
                self.before_valid = self.before_valid.min(strip + 1);
                self.after_valid = self.after_valid.max(strip + 1);
            }
        }
    }

    /// Computes `before` up to a cut.
    fn fill_before(&mut self, cut: usize, work: &mut Work<'_>) -> Result<()> {
        while self.before_valid <= cut {
            let strip = self.before_valid - 1;
            let (known, open) = self.before.split_at_mut(strip + 1);
            open[0].clone_from(&known[strip]);
            for step in &self.forth.steps[self.ends[strip]..self.ends[strip + 1]] {
                open[0].step(step, &work.entries[self.tables[step.table]], work.chi, work.scratch);
            }
            self.before_valid += 1;
            work.report()?;
        }
        Ok(())
    }

    /// Computes `after` down to a cut.
    fn fill_after(&mut self, cut: usize, work: &mut Work<'_>) -> Result<()> {
        let n = self.tables.len();
        while self.after_valid > cut {
            let strip = self.after_valid - 1;
            let (open, known) = self.after.split_at_mut(strip + 1);
            open[strip].clone_from(&known[0]);
            for step in &self.back.steps[n - self.ends[strip + 1]..n - self.ends[strip]] {
                open[strip].step(step, &work.entries[self.tables[step.table]], work.chi, work.scratch);
            }
            self.after_valid -= 1;
            work.report()?;
        }
        Ok(())
    }

    fn contract(&mut self, work: &mut Work<'_>) -> Result<PartSum> {
        let last = self.transfers.len();
        // Up to `a` nothing is cut from the one side, down to `b` from the other.
        let (mut a, mut b) = (0, last);
        while a < last {
            self.fill_before(a + 1, work)?;
            if self.before[a + 1].discarded > NOTHING {
                break;
            }
            a += 1;
        }
        while b > a {
            self.fill_after(b - 1, work)?;
            if self.after[b - 1].discarded > NOTHING {
                break;
            }
            b -= 1;
        }
        let overlap = |part: &Self, cut: usize| {
            let (before, after) = (&part.before[cut], &part.after[cut]);
            let value = before.overlap(after);
            (value, before.norm() * after.norm() * ROUNDING, before.ln_scale + after.ln_scale)
        };
        let exact = b <= a;
        let (until, from) = if exact { (b + 1, b) } else { (b, a + 1) };
        if !exact {
            self.fill_before(b - 1, work)?;
            self.fill_after(a + 1, work)?;
        }
        let mut sum =
            PartSum { ln_z: 0.0, found: true, rounding: 0.0, discarded: 0.0, difference: None, bond_dimension: 1 };
        // The last boundary in use from either side.
        sum.discarded = self.before[until - 1].discarded + self.after[from].discarded;
        let used = self.before[..until].iter().chain(&self.after[from..]);
        sum.bond_dimension = used.map(|boundary| boundary.bond_dimension).max().unwrap_or(1);
        let mut plain = None;
        let take = |sum: &mut PartSum, (value, floor, ln_scale): (f64, f64, f64), sign: f64| {
            sum.found &= value > 10.0 * floor;
            sum.rounding = sum.rounding.max(floor / value.max(floor));
            sum.ln_z += sign * (value.max(floor).ln() + ln_scale);
        };
        if exact {
            take(&mut sum, overlap(self, b), 1.0);
            sum.found &= !self.before[b].lost && !self.after[b].lost;
            if work.cold {
                self.compare_cuts(&mut sum, work)?;
            }
            return Ok(sum);
        }
        for strip in a..b {
            let (before, after) = (&self.before[strip], &self.after[strip + 1]);
            let table = |t: usize| &work.entries[self.tables[t]][..];
            let (value, scale) = self.transfers[strip].value(before, after, &table, work.transfer_scratch);
            let floor = before.norm() * after.norm() * ROUNDING * (-scale).exp();
            take(&mut sum, (value, floor.min(1.0), scale + before.ln_scale + after.ln_scale), 1.0);
        }
        for cut in a + 1..b {
            let (value, floor, ln_scale) = overlap(self, cut);
            if 2 * cut >= a + b && plain.is_none() {
                plain = Some(value.max(floor).ln() + ln_scale);
            }
            take(&mut sum, (value, floor, ln_scale), -1.0);
        }
        if let Some(plain) = plain {
            let difference = (sum.ln_z - plain).abs();
            sum.difference = Some(difference);
            if work.cold {
                sum.rounding = sum.rounding.max(difference);
            }
            if !sum.found {
                // What rounding has left of a ratio is nothing; the overlap is at most that large.
                sum.ln_z = plain;
            }
        }
        Ok(sum)
    }
}

impl Part {
    /// Overlaps at all cuts: equal, unless configurations were lost that weigh little on the one side and much on the
    /// other. Weights are positive, so that the largest has lost least.
    fn compare_cuts(&mut self, sum: &mut PartSum, work: &mut Work<'_>) -> Result<()> {
        let last = self.transfers.len();
        self.fill_before(last, work)?;
        self.fill_after(0, work)?;
        let (mut low, mut high) = (sum.ln_z, sum.ln_z);
        for (before, after) in self.before.iter().zip(&self.after) {
            let floor = before.norm() * after.norm() * ROUNDING;
            let ln_z = before.overlap(after).max(floor).ln() + before.ln_scale + after.ln_scale;
            (low, high) = (low.min(ln_z), high.max(ln_z));
        }
        sum.ln_z = high;
        sum.difference = Some(high - low);
        sum.rounding = sum.rounding.max(high - low);
        sum.found &= high - low < LOST;
        Ok(())
    }
}

/// What a part contributes.
struct PartSum {
    ln_z: f64,
    found: bool,
    rounding: f64,
    discarded: f64,
    difference: Option<f64>,
    bond_dimension: usize,
}

/// What all parts work with.
struct Work<'a> {
    entries: &'a [Vec<f64>],
    chi: usize,
    /// Whether weights are so large that configurations may be lost.
    cold: bool,
    scratch: &'a mut Scratch,
    transfer_scratch: &'a mut TransferScratch,
    done: u64,
    total: u64,
    observer: &'a mut dyn Observer<Progress>,
}

impl Work<'_> {
    fn report(&mut self) -> Result<()> {
        self.done += 1;
        if self.observer.observe(&Progress::new("strips", self.done, self.total)).is_break() {
            return Err(Error::Stopped { solver: NAME, done: self.done, total: self.total });
        }
        Ok(())
    }
}

impl LogPartitionPlan for PlanePlan {
    fn n_interactions(&self) -> usize {
        self.interactions.len()
    }

    fn ln_z_signed(&mut self, flips: &BitVec, beta: f64) -> Result<LnZ> {
        let n = self.n_interactions();
        assert_eq!(flips.len(), n, "{} signs for {n} interactions", flips.len());
        crate::error::check_beta(beta)?;
        let mut scaled: Vec<f64> = self.interactions.weights.iter().map(|w| beta * w).collect();
        for a in flips.iter_ones() {
            scaled[a] = -scaled[a];
        }
        Ok(self.contract(&scaled, beta * self.interactions.offset, &mut ())?.ln_z)
    }

    fn set_weights(&mut self, weights: &[f64]) -> Result<()> {
        check_weights(weights, self.interactions.len())?;
        self.interactions.weights.copy_from_slice(weights);
        Ok(())
    }
}
