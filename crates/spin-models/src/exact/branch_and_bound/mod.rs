//! Ground states of dense models, with a proof.

mod part;
mod search;
#[cfg(test)]
mod tests;

use linalg_core::Observer;
use linalg_core::graph::UnionFind;
use linalg_core::simd;

use self::part::{GHOST, Part, improve};
use self::search::{Advance, Best};
use crate::error::check_beta;
use crate::model::{GroundState, PairwiseModel, Progress, Quantities, Solution, Solve};
use crate::models::Ising;
use crate::{Error, Result};

const NAME: &str = "branch-and-bound";

/// Nodes between two reports: some milliseconds.
const NODES: u64 = 1 << 18;

/// Steps of progress of one problem.
const STEPS: u64 = 1000;

/// Exact ground states of models with pair couplings on any graph, dense ones in particular.
///
/// Spins are fixed one after another, that with the strongest couplings to those before it next. With the spins
/// $`F`$ fixed, $`d`$ spins are free in fields $`h_i`$ from the fixed ones, and
///
/// ```math
/// E \ge E_F - \sum_{i \le d} |h_i| + E_0(d) ,
/// ```
///
/// where $`E_0(d)`$ is the ground-state energy of the free spins by themselves. A branch whose bound is not below the best
/// energy known is left out. $`E_0(1)`$, $`E_0(2)`$, … are found one after the other in the same way (Russian dolls); the
/// search starts from an energy found by annealing. Fields enter as couplings to one more spin. Parts of the graph that no
/// coupling connects are searched one by one.
///
/// The answer is exact: with couplings that are whole multiples of one number all sums are exact, else energies are
/// compared up to $`2^{-46} \sum |w|`$, as in [`Enumeration`](crate::Enumeration).
///
/// # Cost
/// `O(N)` a node, `O(N²)` memory; exponentially many nodes. Sherrington-Kirkpatrick instances of 50 spins take 10⁵ to 10⁷
/// nodes, less than a second, and ten more spins ten to twenty times as many: see `docs/benchmarks/spin-models.md`.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::exact::BranchAndBound;
/// use spin_models::{EnergyModel, Enumeration, SherringtonKirkpatrick};
///
/// let glass = SherringtonKirkpatrick::gaussian(16, &mut Streams::new(1).stream(0))?;
/// let found = BranchAndBound::default().find(&glass)?;
/// assert!(found.complete && found.nodes < 1 << 12);
/// let ground = Enumeration::default().ground_state(&glass.to_ising()?)?;
/// assert!((found.energy - ground.energy).abs() < 1e-13);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// References: A. H. Land and A. G. Doig, Econometrica 28, 497 (1960), for branch and bound; G. Verfaillie, M. Lemaître
/// and T. Schiex, Proc. AAAI-96, 181 (1996), for bounds from nested problems ("Russian doll search"); S. Kobe and A.
/// Hartwig, Comput. Phys. Commun. 16, 1 (1978), for branch and bound with spin glasses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BranchAndBound {
    params: BranchAndBoundParams,
}

/// Limits of [`BranchAndBound`].
///
/// ```
/// use spin_models::exact::{BranchAndBound, BranchAndBoundParams};
/// use spin_models::{Error, Ising};
///
/// let chain = Ising::builder(9).couplings((1..9).map(|i| (i - 1, i, 1.0))).build()?;
/// let solver = BranchAndBound::new(BranchAndBoundParams::default().with_max_spins(8));
/// assert!(matches!(solver.find(&chain), Err(Error::TooLarge { value: 9, bound: 8, .. })));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BranchAndBoundParams {
    /// Most spins in one connected part; 64 by default, which takes seconds to minutes.
    pub max_spins: usize,
    /// How many ground states are wanted. 0, the default, looks for one and does not count them; any other number searches
    /// all branches that may hold one, counts them and keeps up to this many.
    pub max_ground_states: usize,
}

impl Default for BranchAndBoundParams {
    fn default() -> Self {
        Self { max_spins: 64, max_ground_states: 0 }
    }
}

impl BranchAndBoundParams {
    /// The same with another bound of the number of spins.
    pub fn with_max_spins(mut self, max_spins: usize) -> Self {
        self.max_spins = max_spins;
        self
    }

    /// The same with all ground states counted and up to this many kept.
    pub fn with_max_ground_states(mut self, max_ground_states: usize) -> Self {
        self.max_ground_states = max_ground_states;
        self
    }
}

/// What [`BranchAndBound`] found, and what it proved.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BranchAndBoundReport {
    /// The lowest energy met, computed afresh by the model, constant term included.
    pub energy: f64,
    /// No configuration has a lower energy than this; equal to `energy` where the search is complete.
    pub lower_bound: f64,
    /// A configuration that has the energy.
    pub spins: Vec<i8>,
    /// Whether the search came to its end: the energy is that of the ground state.
    pub complete: bool,
    /// Partial configurations looked at, over all nested problems.
    pub nodes: u64,
    /// Number of ground states, where they were to be counted and the search is complete; exact up to 2⁵³.
    pub degeneracy: Option<f64>,
    /// Ground states, as many as were to be kept; empty where they were not to be counted or the search is not complete.
    pub ground_states: Vec<Vec<i8>>,
}

impl BranchAndBoundReport {
    /// `energy - lower_bound`: how far the energy can be from that of the ground state; 0 for a proven one.
    pub fn gap(&self) -> f64 {
        self.energy - self.lower_bound
    }
}

impl BranchAndBound {
    /// A solver with these limits.
    pub fn new(params: BranchAndBoundParams) -> Self {
        Self { params }
    }

    /// The ground state.
    ///
    /// # Errors
    /// Before any work: [`Error::NoSpins`], [`Error::TooLarge`] for a connected part of too many spins,
    /// [`Error::NotFinite`] and [`Error::Parameter`] for a model whose couplings are not finite or not symmetric,
    /// [`Error::NotApplicable`] if energies overflow.
    pub fn find<M: PairwiseModel + ?Sized>(&self, model: &M) -> Result<BranchAndBoundReport> {
        self.find_observed(model, &mut ())
    }

    /// As [`find`](Self::find), with reports every few milliseconds. A stop gives the best so far with its gap.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    ///
    /// use linalg_core::Streams;
    /// use spin_models::exact::BranchAndBound;
    /// use spin_models::{Progress, SherringtonKirkpatrick};
    ///
    /// let glass = SherringtonKirkpatrick::gaussian(60, &mut Streams::new(1).stream(0))?;
    /// let mut stop = |_: &Progress| ControlFlow::Break(());
    /// let found = BranchAndBound::default().find_observed(&glass, &mut stop)?;
    /// assert!(!found.complete && found.gap() > 0.0);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub fn find_observed<M: PairwiseModel + ?Sized>(
        &self,
        model: &M,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<BranchAndBoundReport> {
        let mut parts = self.parts(model)?;
        let total = parts.iter().map(|part| STEPS * part.sites.len() as u64).sum();
        let keep = self.params.max_ground_states;
        let mut run = Run { done: 0, total, nodes: 0, stopped: false, observer };
        let mut spins = vec![1i8; model.n_spins()];
        let mut bound = 0.0;
        let mut found = Vec::with_capacity(parts.len());
        for part in &mut parts {
            bound += part.unit * run.solve(part, keep)?;
            let best = part.search.best.clone();
            part.spins(&best.signs, |site, s| spins[site] = s);
            found.push(best);
        }
        let (stopped, nodes) = (run.stopped, run.nodes);
        let energy = model.energy(&spins);
        // What the parts leave out: a constant.
        let constant = energy - parts.iter().zip(&found).map(|(part, best)| part.unit * best.energy).sum::<f64>();
        let counted = keep > 0 && !stopped;
        Ok(BranchAndBoundReport {
            energy,
            lower_bound: if stopped { (constant + bound).min(energy) } else { energy },
            degeneracy: counted.then(|| parts.iter().zip(&found).map(|(part, best)| degeneracy(part, best)).product()),
            ground_states: if counted { ground_states(&parts, &found, model.n_spins(), keep) } else { Vec::new() },
            spins,
            complete: !stopped,
            nodes,
        })
    }

    /// Checks a model and cuts it into its connected parts.
    fn parts<M: PairwiseModel + ?Sized>(&self, model: &M) -> Result<Vec<Part>> {
        let n = model.n_spins();
        if n == 0 {
            return Err(Error::NoSpins);
        }
        let mut sets = UnionFind::new(n);
        let mut total = 0.0f64;
        for i in 0..n {
            let field = model.field(i);
            check_finite("field", i, vec![i], field)?;
            total += field.abs();
            for (j, coupling) in model.neighbors(i) {
                if j >= n {
                    return Err(Error::SiteOutOfBounds { what: "neighbor", entry: i, site: j, n_spins: n });
                }
                if j == i {
                    return Err(Error::SelfCoupling { entry: i, site: i });
                }
                check_finite("coupling", i, vec![i, j], coupling)?;
                total += coupling.abs();
                if coupling != 0.0 {
                    sets.union(i, j);
                }
            }
        }
        if !(8.0 * total).is_finite() {
            let reason = format!("energies up to {total} are beyond the range of f64");
            return Err(Error::NotApplicable { solver: NAME, reason });
        }
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); n];
        (0..n).for_each(|i| members[sets.find(i)].push(i));
        members.retain(|sites| !sites.is_empty());
        if let Some(largest) = members.iter().map(Vec::len).max().filter(|&size| size > self.params.max_spins) {
            let what = "number of connected spins";
            return Err(Error::TooLarge { solver: NAME, what, value: largest, bound: self.params.max_spins });
        }
        members.into_iter().map(|sites| part_of(model, sites)).collect()
    }
}

fn check_finite(what: &'static str, entry: usize, sites: Vec<usize>, value: f64) -> Result<()> {
    if value.is_finite() { Ok(()) } else { Err(Error::NotFinite { what, entry, sites, value }) }
}

/// The matrix of one connected part, with the spin of the fields as its last.
#[allow(clippy::float_cmp, reason = "symmetric means the same numbers")]
fn part_of<M: PairwiseModel + ?Sized>(model: &M, mut sites: Vec<usize>) -> Result<Part> {
    let spins = sites.len();
    let has_fields = sites.iter().any(|&i| model.field(i) != 0.0);
    let n = spins + usize::from(has_fields);
    let mut matrix = vec![0.0; n * n];
    for (a, &i) in sites.iter().enumerate() {
        for (j, coupling) in model.neighbors(i).filter(|pair| pair.1 != 0.0) {
            let b = sites.binary_search(&j).expect("coupled sites are in one part");
            matrix[a * n + b] += coupling;
        }
        if has_fields {
            matrix[a * n + spins] = model.field(i);
            matrix[spins * n + a] = model.field(i);
        }
    }
    for (a, b) in (0..spins).flat_map(|a| (0..a).map(move |b| (a, b))) {
        let (value, mirror) = (matrix[a * n + b], matrix[b * n + a]);
        if value != mirror {
            let value = format!("{value} at {:?} and {mirror} mirrored", (sites[a], sites[b]));
            return Err(Error::Parameter { what: "coupling", value, expected: "symmetric couplings" });
        }
    }
    if has_fields {
        sites.push(GHOST);
    }
    Ok(Part::new(&sites, &matrix))
}

/// The search through all parts.
struct Run<'a> {
    done: u64,
    total: u64,
    nodes: u64,
    stopped: bool,
    observer: &'a mut dyn Observer<Progress>,
}

impl Run<'_> {
    /// Solves a part and returns a lower bound of its energy, in its unit.
    fn solve(&mut self, part: &mut Part, keep: usize) -> Result<f64> {
        let n = part.sites.len();
        let start = part.start()?;
        let first = self.done;
        let mut bound = 0.0;
        // The optimum of the problem before, and of the whole where it is already known.
        let mut known = vec![1.0];
        for size in 1..=n {
            let is_last = size == n;
            if size > 1 {
                // The new spin in its field; then all.
                let field: f64 = part.search.row(size - 1).iter().zip(&known).map(|(x, s)| x * s).sum();
                known.push(if field < 0.0 { -1.0 } else { 1.0 });
                improve(&part.search, &mut known);
            }
            if is_last && part.search.energy(&start) < part.search.energy(&known) {
                known.clone_from(&start);
            }
            part.search.begin(size, &known, is_last && keep > 0, keep);
            while !part.search.is_done() && !self.stopped {
                simd::widest(Advance { search: &mut part.search, nodes: NODES });
                let steps = (STEPS as f64 * part.search.share()) as u64;
                self.report(first + STEPS * (size as u64 - 1) + steps);
            }
            self.nodes += part.search.best.nodes;
            let rest: f64 = (size..n).map(|j| part.search.reach(j)).sum();
            bound = part.search.open_bound() - part.rule.tolerance;
            if self.stopped {
                bound = bound.max(part.search.bounds[size - 1] - part.search.reach(size - 1)) - rest;
                if !is_last {
                    // What is known of the part without its search.
                    let energy = part.search.energy(&start);
                    part.search.best = Best { energy, signs: start, ..Best::default() };
                }
                break;
            }
            part.search.bounds[size] = bound;
            known.clone_from(&part.search.best.signs);
        }
        self.done = first + STEPS * n as u64;
        Ok(bound)
    }

    fn report(&mut self, done: u64) {
        let flow = self.observer.observe(&Progress::new("branch and bound", done, self.total));
        self.stopped = flow.is_break() && done < self.total;
    }
}

/// All ground states of a part: of two mirror images one was counted.
fn degeneracy(part: &Part, best: &Best) -> f64 {
    if part.has_fields() { best.count } else { 2.0 * best.count }
}

/// Combinations of the ground states of the parts, the last part running fastest.
fn ground_states(parts: &[Part], found: &[Best], n_spins: usize, keep: usize) -> Vec<Vec<i8>> {
    let mut states = vec![vec![1i8; n_spins]];
    for (part, best) in parts.iter().zip(found) {
        let mirrors: &[f64] = if part.has_fields() { &[1.0] } else { &[1.0, -1.0] };
        let mut longer = Vec::new();
        'all: for state in &states {
            for signs in &best.all {
                for mirror in mirrors {
                    if longer.len() == keep {
                        break 'all;
                    }
                    let mut state = state.clone();
                    part.spins(signs, |site, s| state[site] = if *mirror < 0.0 { -s } else { s });
                    longer.push(state);
                }
            }
        }
        states = longer;
    }
    states
}

/// The ground state at any β, as [`Solution::ground_state`]; no ln Z and no averages.
impl Solve<Ising> for BranchAndBound {
    fn name(&self) -> &'static str {
        NAME
    }

    fn check(&self, model: &Ising, beta: f64) -> Result<()> {
        check_beta(beta)?;
        self.parts(model).map(|_| ())
    }

    /// # Errors
    /// As [`BranchAndBound::find`], [`Error::Beta`], and [`Error::Stopped`]: a state without the proof is no answer.
    fn solve(
        &self,
        model: &Ising,
        beta: f64,
        _want: Quantities,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Solution> {
        check_beta(beta)?;
        let (mut done, mut total) = (0, 0);
        let mut watch = |progress: &Progress| {
            (done, total) = (progress.done, progress.total);
            observer.observe(progress)
        };
        let found = self.find_observed(model, &mut watch)?;
        if !found.complete {
            return Err(Error::Stopped { solver: NAME, done, total });
        }
        let ground_state = GroundState { energy: found.energy, degeneracy: found.degeneracy, spins: found.spins };
        Ok(Solution { ground_state: Some(ground_state), ..Solution::default() })
    }
}
