//! Undetectable errors of hyperedges: an exhaustive search as far as the steps go, and upper bounds.

use std::collections::HashMap;

use super::{UndetectableError, information, xor};
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
    /// No undetectable error has fewer mechanisms: proved by search. One more than any error can have if there is none.
    pub lower: usize,
    /// The shortest error known, its members in the numbers of the problem; `None` if none was found.
    pub error: Option<UndetectableError>,
    /// Information sets tried.
    pub trials: u64,
    /// Steps of the exhaustive search.
    pub steps: u64,
}

impl LogicalErrorSearch {
    /// The distance, if the bounds agree.
    pub fn exact(&self) -> Option<usize> {
        self.error.as_ref().map(UndetectableError::weight).filter(|&weight| weight == self.lower)
    }
}

impl DecodingProblem {
    /// Searches for the fewest mechanisms that flip an observable and no detector, hyperedges included.
    ///
    /// Upper bounds come from the mechanisms with at most two detectors, exactly, and from random information sets: a
    /// Gaussian elimination of the check matrix with its columns in random order, then undetectable errors with one
    /// mechanism outside the basis. They are held to $`2^{33}`$ operations on words. The lower bound rises by iterated
    /// deepening: from a mechanism that flips an observable on, the lowest detector that is flipped must be flipped back;
    /// the last mechanism is looked up. Where the steps suffice both bounds agree. Mechanisms of equal symptom count once,
    /// those of probability zero not at all.
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
        let trials = information::improve(&distinct, n_detectors, params, &mut error);
        let mut search = Search::new(&distinct, n_detectors, params.max_steps);
        let mut lower = 1;
        while error.as_ref().is_none_or(|e| lower < e.weight()) {
            // More than all of them there cannot be.
            if lower > distinct.len() {
                break;
            }
            match search.weight(lower) {
                Some(true) => {
                    let mut members: Vec<usize> = search.chosen.iter().map(|&e| distinct[e].mechanism).collect();
                    members.sort_unstable();
                    let flipped = search.chosen.iter().fold(Vec::new(), |sum, &e| xor(&sum, &distinct[e].observables));
                    error = Some(UndetectableError { members, observables: flipped });
                }
                Some(false) => lower += 1,
                None => break,
            }
        }
        Ok(LogicalErrorSearch { lower, error, trials, steps: params.max_steps - search.steps })
    }
}

/// The first of each kind of mechanism that can happen and that can be seen.
fn distinct(list: &[Component]) -> Vec<&Component> {
    let mut seen = std::collections::HashSet::new();
    let real = |c: &&Component| c.probability > 0.0 && !(c.detectors.is_empty() && c.observables.is_empty());
    list.iter().filter(real).filter(|c| seen.insert((&c.detectors, &c.observables))).collect()
}

struct Search<'a> {
    list: &'a [&'a Component],
    /// The mechanisms that flip a detector.
    flippers: Vec<Vec<usize>>,
    /// The mechanisms with these detectors.
    by_detectors: HashMap<&'a [usize], Vec<usize>>,
    /// Most detectors that a mechanism flips.
    reach: usize,
    excluded: Vec<bool>,
    chosen: Vec<usize>,
    steps: u64,
}

impl<'a> Search<'a> {
    fn new(list: &'a [&'a Component], n_detectors: usize, steps: u64) -> Self {
        let mut flippers = vec![Vec::new(); n_detectors];
        let mut by_detectors: HashMap<&[usize], Vec<usize>> = HashMap::new();
        for (k, component) in list.iter().enumerate() {
            component.detectors.iter().for_each(|&d| flippers[d].push(k));
            by_detectors.entry(&component.detectors).or_default().push(k);
        }
        let reach = list.iter().map(|c| c.detectors.len()).max().unwrap_or(0);
        Self { list, flippers, by_detectors, reach, excluded: vec![false; list.len()], chosen: Vec::new(), steps }
    }

    /// Whether there is an error of this weight, none being lighter; `None` if the steps are used up.
    fn weight(&mut self, weight: usize) -> Option<bool> {
        self.chosen.clear();
        self.excluded.fill(false);
        for first in 0..self.list.len() {
            let component = self.list[first];
            if component.observables.is_empty() {
                continue;
            }
            self.chosen.push(first);
            self.excluded[first] = true;
            if self.extend(&component.detectors, &component.observables, weight - 1)? {
                return Some(true);
            }
            // Errors with this one have been seen: it stays excluded.
            self.chosen.pop();
        }
        Some(false)
    }

    fn extend(&mut self, detectors: &[usize], observables: &[usize], left: usize) -> Option<bool> {
        self.steps = self.steps.checked_sub(1)?;
        let Some(&lowest) = detectors.first() else { return Some(!observables.is_empty()) };
        if detectors.len() > left * self.reach {
            return Some(false);
        }
        if left == 1 {
            let last = self.by_detectors.get(detectors).into_iter().flatten();
            let last = last.copied().find(|&k| !self.excluded[k] && self.list[k].observables != observables);
            self.chosen.extend(last);
            return Some(last.is_some());
        }
        let mut tried = Vec::new();
        let mut outcome = Some(false);
        for at in 0..self.flippers[lowest].len() {
            let next = self.flippers[lowest][at];
            if self.excluded[next] {
                continue;
            }
            self.excluded[next] = true;
            tried.push(next);
            self.chosen.push(next);
            let component = self.list[next];
            let rest = xor(detectors, &component.detectors);
            outcome = self.extend(&rest, &xor(observables, &component.observables), left - 1);
            if outcome != Some(false) {
                break;
            }
            self.chosen.pop();
        }
        tried.into_iter().for_each(|next| self.excluded[next] = false);
        outcome
    }
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
