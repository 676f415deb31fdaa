//! Undetectable errors of hyperedges: an exhaustive search as far as the steps go, and upper bounds.

use std::collections::HashMap;

use linalg_core::observe::Observer;

use super::pairs::Pairs;
use super::{UndetectableError, information, projection, xor};
use crate::dem::components::{Component, Components};
use crate::error::Result;
use crate::problem::DecodingProblem;

/// How much work a search for undetectable errors may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogicalErrorParams {
    /// Steps of the exhaustive search, about 100 ns each.
    pub max_steps: u64,
    /// Random information sets, at most: large problems are given fewer.
    pub trials: u64,
    /// Seed of the information sets.
    pub seed: u64,
}

impl Default for LogicalErrorParams {
    /// 20 million steps, 200 trials, seed 0.
    fn default() -> Self {
        Self { max_steps: 20_000_000, trials: 200, seed: 0 }
    }
}

impl LogicalErrorParams {
    /// Sets the steps of the exhaustive search.
    #[must_use]
    pub fn with_max_steps(mut self, max_steps: u64) -> Self {
        self.max_steps = max_steps;
        self
    }

    /// Sets the number of information sets.
    #[must_use]
    pub fn with_trials(mut self, trials: u64) -> Self {
        self.trials = trials;
        self
    }

    /// Sets the seed.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

/// Bounds on the fewest mechanisms that flip an observable and no detector; made by
/// [`DecodingProblem::undetectable_error`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct LogicalErrorSearch {
    /// No undetectable error has fewer mechanisms: proved. One more than any error can have if there is none.
    pub lower: usize,
    /// The shortest error known, its members in the numbers of the problem; `None` if none was found.
    pub error: Option<UndetectableError>,
    /// Information sets tried.
    pub trials: u64,
    /// Steps of the exhaustive search.
    pub steps: u64,
    /// Whether the observer stopped the search.
    pub stopped: bool,
}

impl LogicalErrorSearch {
    /// The distance, if the bounds agree.
    pub fn exact(&self) -> Option<usize> {
        self.error.as_ref().map(UndetectableError::weight).filter(|&weight| weight == self.lower)
    }
}

/// How far a search for undetectable errors is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogicalErrorProgress {
    /// No undetectable error has fewer mechanisms.
    pub lower: usize,
    /// Mechanisms of the shortest error known.
    pub upper: Option<usize>,
    /// Steps of the exhaustive search so far.
    pub steps: u64,
}

impl DecodingProblem {
    /// Searches for the fewest mechanisms that flip an observable and no detector, hyperedges included.
    ///
    /// Upper bounds come from the mechanisms with at most two detectors, exactly, and from random information sets: a
    /// Gaussian elimination of the check matrix with its columns in random order, then undetectable errors with one
    /// mechanism outside the basis. They are held to $`2^{33}`$ operations on words. A first lower bound is the exact
    /// distance seen by a subset of the detectors on which every mechanism is an edge: on surface codes those of one basis, and
    /// as a rule the distance. Then it rises by iterated deepening: from a mechanism that flips an observable on, one of the
    /// detectors that are flipped, the one with the fewest mechanisms, must be flipped back; the last two mechanisms are
    /// looked up in a table of all pairs if there are at most $`2^{24}`$, else the last one. Where the steps suffice both bounds
    /// agree; otherwise [`exact`](LogicalErrorSearch::exact) is `None`. Mechanisms of equal symptom count once, those of
    /// probability zero not at all.
    ///
    /// ```
    /// use quantum_ec::DetectorErrorModel;
    /// use quantum_ec::dem::LogicalErrorParams;
    ///
    /// let model: DetectorErrorModel = "
    ///     error(0.1) D0 D1 D2 L0
    ///     error(0.1) D0 D1
    ///     error(0.1) D2
    ///     error(0.1) D1
    /// ".parse()?;
    /// let found = model.to_problem()?.undetectable_error(&LogicalErrorParams::default())?;
    /// assert_eq!(found.exact(), Some(3));
    /// assert_eq!(found.error.unwrap().members, [0, 1, 2]);
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    ///
    /// # Errors
    /// None for a valid problem.
    pub fn undetectable_error(&self, params: &LogicalErrorParams) -> Result<LogicalErrorSearch> {
        self.undetectable_error_observed(params, &mut ())
    }

    /// As [`undetectable_error`](Self::undetectable_error), with reports before every information set, at every bound that rises or
    /// falls and every $`2^{16}`$ steps. When it is stopped, it returns the bounds so far.
    ///
    /// # Errors
    /// None for a valid problem.
    pub fn undetectable_error_observed(
        &self,
        params: &LogicalErrorParams,
        observer: &mut impl Observer<LogicalErrorProgress>,
    ) -> Result<LogicalErrorSearch> {
        let list: Vec<Component> = (0..self.n_mechanisms())
            .map(|j| Component {
                mechanism: j,
                probability: self.priors()[j],
                detectors: self.checks().column(j).to_vec(),
                observables: self.observables().column(j).to_vec(),
            })
            .collect();
        let (n_detectors, n_observables) = (self.n_detectors(), self.n_observables());
        let all = Components { n_detectors, n_observables, list };
        let mut error = all.shortest_graphlike_error().error;
        let distinct = distinct(&all.list);
        // More than all of them there cannot be.
        let mut lower = projection::lower_bound(&distinct, n_detectors, n_observables).min(distinct.len() + 1);
        let proved = |lower: usize, error: &Option<UndetectableError>| {
            lower > distinct.len() || error.as_ref().is_some_and(|e| e.weight() <= lower)
        };
        let (mut trials, mut stopped) = (0, false);
        if !proved(lower, &error) {
            let mut stop = |error: &Option<UndetectableError>| {
                let upper = error.as_ref().map(UndetectableError::weight);
                stopped = stopped || observer.observe(&LogicalErrorProgress { lower, upper, steps: 0 }).is_break();
                stopped
            };
            trials = information::improve(&distinct, n_detectors, params, &mut error, &mut stop);
        }
        let mut search = Search::new(&distinct, n_detectors, params.max_steps, observer);
        stopped = stopped || search.report(lower, error.as_ref());
        while !stopped && !proved(lower, &error) {
            match search.weight(lower, error.as_ref()) {
                Outcome::Found => {
                    let mut members: Vec<usize> = search.chosen.iter().map(|&e| distinct[e].mechanism).collect();
                    members.sort_unstable();
                    let flipped = search.chosen.iter().fold(Vec::new(), |sum, &e| xor(&sum, &distinct[e].observables));
                    error = Some(UndetectableError { members, observables: flipped });
                }
                Outcome::Nothing => lower += 1,
                Outcome::OutOfSteps => break,
                Outcome::Stopped => stopped = true,
            }
            stopped = stopped || search.report(lower, error.as_ref());
        }
        Ok(LogicalErrorSearch { lower, error, trials, steps: params.max_steps - search.steps, stopped })
    }
}

/// The first of each kind of mechanism that can happen and that can be seen.
fn distinct(list: &[Component]) -> Vec<&Component> {
    let mut seen = std::collections::HashSet::new();
    let real = |c: &&Component| c.probability > 0.0 && !(c.detectors.is_empty() && c.observables.is_empty());
    list.iter().filter(real).filter(|c| seen.insert((&c.detectors, &c.observables))).collect()
}

/// Steps between two reports.
const REPORT: u64 = 1 << 16;

/// How a search ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Found,
    Nothing,
    OutOfSteps,
    Stopped,
}

struct Search<'a, 'o, O> {
    list: &'a [&'a Component],
    /// What mechanisms flip, in numbers of detectors that ascend with the number of mechanisms that flip them.
    detectors: Vec<Vec<usize>>,
    hashes: Vec<u64>,
    /// The mechanisms that flip a detector.
    flippers: Vec<Vec<usize>>,
    /// The mechanisms with these detectors.
    by_detectors: HashMap<Vec<usize>, Vec<usize>>,
    /// Made when it is first of use.
    pairs: Option<Pairs>,
    /// Most detectors that a mechanism flips.
    reach: usize,
    excluded: Vec<bool>,
    chosen: Vec<usize>,
    steps: u64,
    max_steps: u64,
    /// Bounds for reports.
    bounds: (usize, Option<usize>),
    observer: &'o mut O,
}

impl<'a, 'o, O: Observer<LogicalErrorProgress>> Search<'a, 'o, O> {
    fn new(list: &'a [&'a Component], n_detectors: usize, steps: u64, observer: &'o mut O) -> Self {
        let mut degree = vec![0usize; n_detectors];
        list.iter().flat_map(|c| &c.detectors).for_each(|&d| degree[d] += 1);
        let mut order: Vec<usize> = (0..n_detectors).collect();
        order.sort_by_key(|&d| degree[d]);
        let mut rank = vec![0; n_detectors];
        order.into_iter().enumerate().for_each(|(k, d)| rank[d] = k);
        let detectors: Vec<Vec<usize>> = (list.iter())
            .map(|component| {
                let mut ranks: Vec<usize> = component.detectors.iter().map(|&d| rank[d]).collect();
                ranks.sort_unstable();
                ranks
            })
            .collect();
        let mut flippers = vec![Vec::new(); n_detectors];
        let mut by_detectors: HashMap<Vec<usize>, Vec<usize>> = HashMap::new();
        for (k, detectors) in detectors.iter().enumerate() {
            detectors.iter().for_each(|&d| flippers[d].push(k));
            by_detectors.entry(detectors.clone()).or_default().push(k);
        }
        let hashes = detectors.iter().map(|detectors| hash(detectors)).collect();
        let reach = list.iter().map(|c| c.detectors.len()).max().unwrap_or(0);
        let excluded = vec![false; list.len()];
        let (chosen, pairs, bounds) = (Vec::new(), None, (1, None));
        let max_steps = steps;
        Self {
            list,
            detectors,
            hashes,
            flippers,
            by_detectors,
            pairs,
            reach,
            excluded,
            chosen,
            steps,
            max_steps,
            bounds,
            observer,
        }
    }

    /// Tells the observer; whether it stops the search.
    fn report(&mut self, lower: usize, error: Option<&UndetectableError>) -> bool {
        self.bounds = (lower, error.map(UndetectableError::weight));
        self.tell()
    }

    fn tell(&mut self) -> bool {
        let ((lower, upper), steps) = (self.bounds, self.max_steps - self.steps);
        self.observer.observe(&LogicalErrorProgress { lower, upper, steps }).is_break()
    }

    /// Whether there is an error of this weight, none being lighter.
    fn weight(&mut self, weight: usize, error: Option<&UndetectableError>) -> Outcome {
        self.bounds = (weight, error.map(UndetectableError::weight));
        self.chosen.clear();
        self.excluded.fill(false);
        // A table of pairs is worth its time from four mechanisms on.
        if let Some(n) = Pairs::count(self.list.len()).filter(|_| weight > 3 && self.pairs.is_none()) {
            match self.steps.checked_sub(n as u64 / 8) {
                Some(left) => self.steps = left,
                None => return Outcome::OutOfSteps,
            }
            self.pairs = Some(Pairs::new(&self.hashes));
        }
        for first in 0..self.list.len() {
            let component = self.list[first];
            if component.observables.is_empty() {
                continue;
            }
            self.chosen.push(first);
            self.excluded[first] = true;
            let detectors = std::mem::take(&mut self.detectors[first]);
            let outcome = self.extend(&detectors, &component.observables, weight - 1);
            self.detectors[first] = detectors;
            if outcome != Outcome::Nothing {
                return outcome;
            }
            // Errors with this one have been seen: it stays excluded.
            self.chosen.pop();
        }
        Outcome::Nothing
    }

    fn extend(&mut self, detectors: &[usize], observables: &[usize], left: usize) -> Outcome {
        match self.steps.checked_sub(1) {
            None => return Outcome::OutOfSteps,
            Some(steps) => self.steps = steps,
        }
        if self.steps.is_multiple_of(REPORT) && self.tell() {
            return Outcome::Stopped;
        }
        let found = |found: bool| if found { Outcome::Found } else { Outcome::Nothing };
        let Some(&lowest) = detectors.first() else { return found(!observables.is_empty()) };
        if detectors.len() > left * self.reach {
            return Outcome::Nothing;
        }
        if left == 1 {
            let last = self.by_detectors.get(detectors).into_iter().flatten();
            let last = last.copied().find(|&k| !self.excluded[k] && self.list[k].observables != observables);
            self.chosen.extend(last);
            return found(last.is_some());
        }
        // A single mechanism would have been found before.
        if left == 2
            && let Some(pairs) = &self.pairs
        {
            let sum = hash(detectors);
            let matches = |&&[i, j]: &&[u32; 2]| {
                let [i, j] = [i as usize, j as usize];
                self.hashes[i] ^ self.hashes[j] == sum
                    && !self.excluded[i]
                    && !self.excluded[j]
                    && xor(&self.detectors[i], &self.detectors[j]) == detectors
                    && xor(&self.list[i].observables, &self.list[j].observables) != observables
            };
            let pair = pairs.candidates(sum).iter().find(matches).copied();
            self.chosen.extend(pair.into_iter().flatten().map(|k| k as usize));
            return found(pair.is_some());
        }
        let mut tried = Vec::new();
        let mut outcome = Outcome::Nothing;
        for at in 0..self.flippers[lowest].len() {
            let next = self.flippers[lowest][at];
            if self.excluded[next] {
                continue;
            }
            self.excluded[next] = true;
            tried.push(next);
            self.chosen.push(next);
            let rest = xor(detectors, &self.detectors[next]);
            outcome = self.extend(&rest, &xor(observables, &self.list[next].observables), left - 1);
            if outcome != Outcome::Nothing {
                break;
            }
            self.chosen.pop();
        }
        tried.into_iter().for_each(|next| self.excluded[next] = false);
        outcome
    }
}

/// Sums of detectors have sums of hashes.
fn hash(detectors: &[usize]) -> u64 {
    detectors.iter().fold(0, |sum, &d| sum ^ crate::sensitivity::mix(d as u64 + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dem::DetectorErrorModel;
    use linalg_core::rand::RngExt;
    use linalg_core::rng::Streams;

    /// By trying all sets of mechanisms.
    fn oracle(problem: &DecodingProblem) -> Option<usize> {
        let sums = (1u32..1 << problem.n_mechanisms()).filter(|set| {
            let error = (0..problem.n_mechanisms()).map(|j| set >> j & 1 == 1).collect::<linalg_core::gf2::BitVec>();
            problem.syndrome(&error).is_zero() && !problem.logical(&error).is_zero()
        });
        sums.map(|set| set.count_ones() as usize).min()
    }

    #[test]
    fn random_hypergraphs_agree_with_enumeration() {
        let mut rng = Streams::new(4).stream(0);
        let mut weights = std::collections::BTreeSet::new();
        for case in 0..150 {
            let n = 3 + rng.random_range(0..4u64);
            let mut text = String::new();
            for _ in 0..rng.random_range(3..12u64) {
                text += "error(0.1)";
                (0..n).filter(|_| rng.random::<f64>() < 0.45).for_each(|d| text += &format!(" D{d}"));
                (0..2).filter(|_| rng.random::<f64>() < 0.25).for_each(|o| text += &format!(" L{o}"));
                text += "\n";
            }
            let problem = text.parse::<DetectorErrorModel>().unwrap().to_problem().unwrap();
            let expected = oracle(&problem);
            // Once by search alone, once by information sets alone.
            let found = problem.undetectable_error(&LogicalErrorParams::default().with_trials(0)).unwrap();
            assert_eq!(found.exact(), expected, "case {case}\n{text}");
            let params = LogicalErrorParams::default().with_max_steps(0).with_trials(100);
            let bound = problem.undetectable_error(&params).unwrap();
            assert_eq!(bound.error.as_ref().map(UndetectableError::weight), expected, "case {case}\n{text}");
            assert!(bound.lower <= found.lower, "case {case}\n{text}");
            for error in [found.error, bound.error].into_iter().flatten() {
                weights.insert(error.weight());
                let set: linalg_core::gf2::BitVec =
                    (0..problem.n_mechanisms()).map(|j| error.members.contains(&j)).collect();
                assert!(problem.syndrome(&set).is_zero());
                assert_eq!(problem.logical(&set).iter_ones().collect::<Vec<_>>(), error.observables);
            }
        }
        assert!(weights.len() >= 4, "{weights:?}");
    }

    #[test]
    fn an_observer_stops_the_search() {
        // A ring of hyperedges, none of which is an edge.
        let mut text = String::new();
        for k in 0..40 {
            let (a, b, c) = (k, (k + 1) % 40, (k + 7) % 40);
            text += &format!("error(0.1) D{a} D{b} D{c}{}\n", if k == 0 { " L0" } else { "" });
            text += &format!("error(0.1) D{a} D{} D{} D{}\n", (k + 3) % 40, (k + 11) % 40, (k + 23) % 40);
        }
        let problem = text.parse::<DetectorErrorModel>().unwrap().to_problem().unwrap();
        for most in [0, 1, 5] {
            let mut seen: Vec<LogicalErrorProgress> = Vec::new();
            let mut observer = |progress: &LogicalErrorProgress| {
                seen.push(*progress);
                if seen.len() > most { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
            };
            let params = LogicalErrorParams::default().with_trials(3);
            let found = problem.undetectable_error_observed(&params, &mut observer).unwrap();
            assert!(found.stopped && found.exact().is_none() && found.trials == most.min(3) as u64, "{found:?}");
            assert_eq!(seen.len(), most + 1);
            assert!(seen.windows(2).all(|pair| pair[0].lower <= pair[1].lower && pair[0].steps <= pair[1].steps));
        }
    }

    #[test]
    fn nothing_to_find() {
        let read = |text: &str| text.parse::<DetectorErrorModel>().unwrap().to_problem().unwrap();
        for text in ["", "error(0.1) D0\nerror(0.1) D0", "error(0) L0\nerror(0.1) D0 L0", "logical_observable L3"] {
            let found = read(text).undetectable_error(&LogicalErrorParams::default()).unwrap();
            assert_eq!((found.error.clone(), found.exact()), (None, None), "{text}");
        }
        let one = read("error(0.1) D0\nerror(0.1) L1").undetectable_error(&LogicalErrorParams::default()).unwrap();
        assert_eq!((one.exact(), one.error.unwrap().members), (Some(1), vec![1]));
    }
}
