//! The order in which tables join the boundary, and what each of them does to it.

use super::layout::straighten;
use super::transfer::Transfer;

/// More sites beside each other are not opened at once.
const MAX_WINDOW: usize = 9;

/// A table joins the boundary.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    pub(super) table: usize,
    /// The sites of the boundary that take part, as places `first..last` before the step.
    pub(super) first: usize,
    pub(super) last: usize,
    /// Sites that take part and are open afterwards.
    pub(super) kept: usize,
    /// `(before, after, entry)`: values of the sites that take part, before and after, and the entry of the table.
    pub(super) program: Vec<(u16, u16, u16)>,
    /// Whether the next step takes place further right.
    pub(super) to_right: bool,
}

/// All steps of one direction, and what they cost.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Schedule {
    pub(super) steps: Vec<Step>,
    /// Open sites after each step, ascending in the order of the boundary.
    pub(super) open: Vec<Vec<usize>>,
    pub(super) costs: Vec<f64>,
}

/// An order of tables and of sites.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Order {
    pub(super) tables: Vec<usize>,
    /// Numbers of tables at which a strip ends, ascending.
    pub(super) strip_ends: Vec<usize>,
    /// The place of each site across the strips.
    pub(super) rank: Vec<usize>,
}

impl Order {
    /// Strips across the first coordinate, gone through forth and back; sites are ordered along the second.
    ///
    /// Coordinates of sites, then of tables.
    pub(super) fn new(n_sites: usize, along: &[f64], across: &[f64], strips: usize) -> Self {
        let (low, high) = along[n_sites..].iter().fold((f64::MAX, f64::MIN), |(a, b), &x| (a.min(x), b.max(x)));
        let scale = (strips - 1) as f64 / (high - low).max(f64::MIN_POSITIVE);
        let strip = |t: usize| ((along[n_sites + t] - low) * scale).round() as usize;
        let n_tables = along.len() - n_sites;
        let mut tables: Vec<usize> = (0..n_tables).collect();
        tables.sort_by(|&a, &b| across[n_sites + a].total_cmp(&across[n_sites + b]).then(a.cmp(&b)));
        tables.sort_by_key(|&t| strip(t));
        let mut strip_ends = Vec::new();
        let mut from = 0;
        while from < n_tables {
            let own = strip(tables[from]);
            let to = tables[from..].iter().position(|&t| strip(t) != own).map_or(n_tables, |k| from + k);
            if strip_ends.len() % 2 == 1 {
                tables[from..to].reverse();
            }
            strip_ends.push(to);
            from = to;
        }
        let mut sites: Vec<usize> = (0..n_sites).collect();
        sites.sort_by(|&a, &b| across[a].total_cmp(&across[b]).then(along[a].total_cmp(&along[b])).then(a.cmp(&b)));
        let mut rank = vec![0; n_sites];
        sites.iter().enumerate().for_each(|(place, &site)| rank[site] = place);
        Self { tables, strip_ends, rank }
    }

    /// The same from the other end.
    pub(super) fn reversed(&self) -> Self {
        let n = self.tables.len();
        let mut strip_ends: Vec<usize> = self.strip_ends.iter().rev().skip(1).map(|end| n - end).collect();
        strip_ends.push(n);
        Self { tables: self.tables.iter().rev().copied().collect(), strip_ends, rank: self.rank.clone() }
    }
}

/// The most states of a bond with this many sites on one side.
pub(super) fn bound(sites: usize, chi: usize) -> f64 {
    if sites < 62 { (1u64 << sites).min(chi as u64) as f64 } else { chi as f64 }
}

/// Why an order is refused: a table and the number of sites beside each other that it opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooWide {
    pub(super) table: usize,
    pub(super) sites: usize,
}

impl Schedule {
    /// The steps of an order; sites of a table are listed from its highest bit down.
    pub(super) fn new(tables: &[Vec<usize>], order: &Order, chi: usize, programs: bool) -> Result<Self, TooWide> {
        let rank = &order.rank;
        let mut missing = vec![0usize; rank.len()];
        tables.iter().flatten().for_each(|&site| missing[site] += 1);
        let mut open: Vec<usize> = Vec::new();
        let mut all = Self { steps: Vec::with_capacity(tables.len()), open: Vec::new(), costs: Vec::new() };
        // The boundary left of a place has at most 2^place states.
        let states = |sites: usize| bound(sites, chi);
        let mut center = 0usize;
        for &t in &order.tables {
            let sites = &tables[t];
            let low = sites.iter().map(|&s| rank[s]).min().unwrap_or(0);
            let high = sites.iter().map(|&s| rank[s]).max().unwrap_or(0);
            let mut first = open.partition_point(|&s| rank[s] < low);
            let mut last = open.partition_point(|&s| rank[s] <= high);
            let closes = |s: usize, missing: &[usize]| missing[s] == usize::from(sites.contains(&s));
            let stays = |first: usize, last: usize| {
                let new = sites.iter().filter(|s| !open[first..last].contains(s));
                new.filter(|&&s| missing[s] > 1).count()
                    + open[first..last].iter().filter(|&&s| !closes(s, &missing)).count()
            };
            // Something of the boundary takes part, and something of it is left, where there is a boundary.
            if first == last && !open.is_empty() {
                if last < open.len() { last += 1 } else { first -= 1 }
            }
            if stays(first, last) == 0 {
                if last < open.len() {
                    last += 1;
                } else {
                    first = first.saturating_sub(1);
                }
            }
            let mut window: Vec<usize> = open[first..last].to_vec();
            window.extend(sites.iter().filter(|s| !open[first..last].contains(s)));
            window.sort_by_key(|&s| rank[s]);
            if window.len() > MAX_WINDOW {
                return Err(TooWide { table: t, sites: window.len() });
            }
            let kept: Vec<usize> =
                window.iter().copied().filter(|&s| missing[s] > usize::from(sites.contains(&s))).collect();
            let after = open.len() - (last - first) + kept.len();
            let (left, right) = (states(first), states(open.len() - last));
            let entries = left * right * (1u64 << window.len()) as f64;
            let moved = (first.saturating_sub(center) + center.saturating_sub(last.saturating_sub(1))) as f64;
            let cuts = kept.len().saturating_sub(1) as f64;
            let width = states(first + 1).min(states(after.saturating_sub(first + 1)));
            all.costs.push(entries * (2.0 + 2.0 * cuts * width) + moved * 16.0 * width.powi(3) + 2000.0);
            let program = if programs { program(&window, &open[first..last], &kept, sites) } else { Vec::new() };
            let (kept_count, ends) = (kept.len(), first + kept.len());
            open.splice(first..last, kept);
            for &s in sites {
                missing[s] -= 1;
            }
            all.steps.push(Step { table: t, first, last, kept: kept_count, program, to_right: false });
            center = ends.saturating_sub(1);
            all.open.push(open.clone());
        }
        for k in 1..all.steps.len() {
            let next = &all.steps[k];
            let middle = next.first + next.last;
            let step = &mut all.steps[k - 1];
            step.to_right = middle > 2 * step.first + step.kept;
        }
        Ok(all)
    }
}

/// All values of the sites that take part, as before, after and entry of the table; the first site is the highest bit.
fn program(window: &[usize], before: &[usize], after: &[usize], table: &[usize]) -> Vec<(u16, u16, u16)> {
    let value = |state: usize, list: &[usize]| {
        list.iter().fold(0u16, |value, site| {
            let place = window.iter().position(|s| s == site).unwrap_or(0);
            value << 1 | (state >> (window.len() - 1 - place) & 1) as u16
        })
    };
    (0..1usize << window.len()).map(|state| (value(state, before), value(state, after), value(state, table))).collect()
}

/// Everything that a layout fixes.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) order: Order,
    /// Tables before each cut between strips, from 0 to all.
    pub(super) ends: Vec<usize>,
    /// Each strip between its cuts.
    pub(super) transfers: Vec<Transfer>,
    pub(super) cost: f64,
}

/// An order with its cost, or `None` where it costs more than `least`.
fn evaluate(tables: &[Vec<usize>], order: Order, chi: usize, least: f64) -> Result<Option<Layout>, TooWide> {
    let forth = Schedule::new(tables, &order, chi, false)?;
    let back = Schedule::new(tables, &order.reversed(), chi, false)?;
    let mut cost = forth.costs.iter().sum::<f64>() + back.costs.iter().sum::<f64>();
    if cost >= least {
        return Ok(None);
    }
    let ends: Vec<usize> = std::iter::once(0).chain(order.strip_ends.iter().copied()).collect();
    let none = Vec::new();
    let open = |cut: usize| if ends[cut] == 0 { &none } else { &forth.open[ends[cut] - 1] };
    let mut transfers = Vec::with_capacity(ends.len() - 1);
    for cut in 1..ends.len() {
        let members = &order.tables[ends[cut - 1]..ends[cut]];
        let transfer = Transfer::new(tables, members, open(cut - 1), open(cut), chi)?;
        cost += transfer.cost + 4.0 * (0..open(cut).len()).map(|_| (chi as f64).powi(3)).sum::<f64>();
        transfers.push(transfer);
    }
    Ok((cost < least).then_some(Layout { order, ends, transfers, cost }))
}

/// The cheapest order over turns of the plane and numbers of strips. `places`: coordinates of sites, then of tables.
pub(super) fn choose(
    tables: &[Vec<usize>],
    n_sites: usize,
    candidates: &[[Vec<f64>; 2]],
    waves: bool,
    chi: usize,
) -> Result<Layout, TooWide> {
    let root = (tables.len() as f64).sqrt();
    let counts: Vec<usize> = {
        // Narrow strips: errors are of second order for each cut between two of them.
        let (low, high) = ((2.2 * root) as usize, (3.5 * root) as usize + 2);
        let step = ((high - low) / 16).max(1);
        (low.max(1)..=high).step_by(step).collect()
    };
    let mut best: Result<Layout, TooWide> = Err(TooWide { table: 0, sites: usize::MAX });
    let mut best_at = (0, 0.0, 0);
    let mut offer = |pair: usize, angle: f64, strips: usize, best_at: &mut (usize, f64, usize)| {
        let [a, b] = &candidates[pair];
        let (sin, cos) = angle.sin_cos();
        let turned = |cos: f64, sin: f64| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| cos * a + sin * b).collect() };
        let (along, across) = (turned(cos, sin), turned(-sin, cos));
        let (along, across) = if waves { (straighten(&along), straighten(&across)) } else { (along, across) };
        let least = best.as_ref().map_or(f64::INFINITY, |layout| layout.cost);
        match evaluate(tables, Order::new(n_sites, &along, &across, strips), chi, least) {
            Ok(Some(layout)) => {
                best = Ok(layout);
                *best_at = (pair, angle, strips);
            }
            Err(new) if best.as_ref().is_err_and(|old| new.sites < old.sites) => best = Err(new),
            _ => {}
        }
    };
    let middle = counts[counts.len() / 3];
    for pair in 0..candidates.len() {
        // Coordinates of equal wavelength mix; others do not.
        let turns = if pair == 0 { 36 } else { 2 };
        for turn in 0..turns {
            let angle = std::f64::consts::PI * turn as f64 / turns as f64;
            for &strips in [&middle, &counts[counts.len() - 1]] {
                offer(pair, angle, strips, &mut best_at);
            }
        }
    }
    if best_at.2 == 0 {
        return best;
    }
    for &strips in &counts {
        offer(best_at.0, best_at.1, strips, &mut best_at);
    }
    for width in [0.04, 0.02, 0.01, 0.005, 0.0025, 0.001] {
        for turn in [-1.0, 1.0] {
            let (pair, angle, strips) = best_at;
            offer(pair, angle + turn * width, strips, &mut best_at);
        }
    }
    let (pair, angle, _) = best_at;
    for &strips in &counts {
        offer(pair, angle, strips, &mut best_at);
    }
    best
}
