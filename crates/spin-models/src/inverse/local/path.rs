//! The default: ℓ1 path, threshold, refit, chosen on held-out samples.

use linalg_core::special::normal_quantile;

use super::super::{Reconstruction, Samples};
use super::{LocalParams, LocalProblem, Loss, Neighborhood, Penalty, score};
use crate::{Error, Result};

/// Couplings for each spin in the second graph that the test begins with.
const WIDTH: usize = 4;

/// Pairs that are coupled.
type Graph = Vec<(usize, usize)>;

/// Pseudolikelihood with ℓ1 along a path of strengths; each point gives graphs by thresholding, each graph is refitted
/// without ℓ1, and the graph with the best held-out pseudo-log-likelihood is refitted on all samples. Its couplings are then tested on all
/// samples, those held out among them: the score of what is left is no longer that of samples it has not seen.
///
/// Strengths fall geometrically from the smallest for which all couplings are 0. At each of them thresholds are tried in the
/// gaps between the couplings found: the largest gaps in ratio, and no threshold. The refit removes the bias of ℓ1. Held out
/// is every fifth sample by default; samples from one Markov chain should then be thinned to independence.
///
/// A larger graph has to gain a unit of total held-out pseudo-log-likelihood for every coupling more: what couplings that are
/// not there gain by chance. Among as many pairs as there are some gain more than that, and where neighbours are almost always
/// aligned they come out large. Therefore couplings of the chosen graph are tested, on all samples: the pseudo-log-likelihood of
/// the two spins with and without the coupling, twice the mean difference of which is at most a χ² of one degree of freedom for
/// a coupling that is not there (the mean of two that are). Those are removed for which so large a value is expected
/// [`false_couplings`](Self::false_couplings) times or more among all pairs, the least significant first, until none is left.
///
/// Where neighbours are almost always aligned a graph with some couplings in the wrong places is not improved by any single one.
/// The test therefore begins a second time, with the four largest couplings for each spin of the weakest ℓ1 beside those of the
/// chosen graph, and of the two graphs it leaves the one with the larger pseudo-log-likelihood is taken, a coupling costing what
/// the test asks of it. On periodic 7 x 7 lattices of ±1 couplings at β = 1 with 5000 samples of 500 chains, seeds 1 to 8, that
/// gives 6 graphs without a mistake, 5 with the first beginning alone; in one of the other two a wrong graph
/// explains the samples better than the true one.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::inverse::{DrawParams, PathParams, draw_samples};
/// use spin_models::Ising;
///
/// let ring = Ising::ring(8, 0.6)?;
/// let samples = draw_samples(&ring, 2000, &DrawParams::default(), Streams::new(1))?;
/// let (found, path) = PathParams::default().reconstruct(&samples)?;
/// assert_eq!(found.pairs(0.2).len(), 8);
/// assert!(found.compare(&ring)?.relative_error < 0.1 && path.len() > 10);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PathParams {
    /// Number of strengths; default 16.
    pub points: usize,
    /// Ratio of the last strength to the first; default 3e-3.
    pub ratio: f64,
    /// Every `period`-th sample is held out; default 5.
    pub period: usize,
    /// Thresholds tried at each strength; default 4.
    pub thresholds: usize,
    /// Strength of an ℓ2 penalty in refits, which keeps them finite on graphs that are too large; default 1e-5.
    pub l2: f64,
    /// Couplings that are not there and pass the test, on average, at most; infinite for no test. Default 0.5.
    pub false_couplings: f64,
    /// Whether there are fields; default yes.
    pub fields: bool,
    /// Threads, 0 for all; default 0.
    pub threads: usize,
}

/// A graph on the path.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PathPoint {
    /// Strength of ℓ1.
    pub l1: f64,
    /// Couplings up to this, absolutely, were dropped.
    pub threshold: f64,
    /// Couplings of the graph.
    pub couplings: usize,
    /// Held-out pseudo-log-likelihood of a spin after the refit.
    pub score: f64,
}

impl Default for PathParams {
    fn default() -> Self {
        let (points, ratio, period, thresholds, l2, false_couplings) = (16, 3e-3, 5, 4, 1e-5, 0.5);
        Self { points, ratio, period, thresholds, l2, false_couplings, fields: true, threads: 0 }
    }
}

impl PathParams {
    /// Sets the number of strengths.
    pub fn points(mut self, points: usize) -> Self {
        self.points = points;
        self
    }

    /// Sets the ratio of the last strength to the first.
    pub fn ratio(mut self, ratio: f64) -> Self {
        self.ratio = ratio;
        self
    }

    /// Sets which samples are held out.
    pub fn period(mut self, period: usize) -> Self {
        self.period = period;
        self
    }

    /// Sets the number of thresholds.
    pub fn thresholds(mut self, thresholds: usize) -> Self {
        self.thresholds = thresholds;
        self
    }

    /// Sets the strength of ℓ2 in refits.
    pub fn l2(mut self, strength: f64) -> Self {
        self.l2 = strength;
        self
    }

    /// Sets how many couplings that are not there may pass the test.
    pub fn false_couplings(mut self, number: f64) -> Self {
        self.false_couplings = number;
        self
    }

    /// Sets whether there are fields.
    pub fn fields(mut self, fields: bool) -> Self {
        self.fields = fields;
        self
    }

    /// Sets the number of threads.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// The couplings of the chosen graph, with its held-out score, and all graphs that were tried.
    ///
    /// # Errors
    /// [`Error::Parameter`]; [`Error::ConstantSpin`] for a spin that does not change in the samples learned from;
    /// [`Error::TooFewSamples`] if none would be held out; with `l2 = 0` all that [`LocalParams::reconstruct`] reports.
    pub fn reconstruct(&self, samples: &Samples) -> Result<(Reconstruction, Vec<PathPoint>)> {
        if self.points == 0 {
            return Err(Error::Parameter { what: "points", value: "0".to_owned(), expected: "at least 1" });
        }
        super::check_range("ratio", self.ratio, f64::MIN_POSITIVE, 1.0, "0 < ratio <= 1")?;
        super::check_range("l2", self.l2, 0.0, f64::MAX, "a finite number >= 0")?;
        super::check_range("false couplings", self.false_couplings, 0.0, f64::INFINITY, "a number >= 0")?;
        let (held_out, learned) = samples.split(self.period)?;
        // The strength is set point by point; any will do here.
        let params = LocalParams::new(Loss::PseudoLikelihood).fields(self.fields).threads(self.threads);
        let params = params.penalty(Penalty::L1(1.0)).tolerance(1e-6);
        let problem = LocalProblem::new(&params, &learned)?;
        let judge = super::Columns::new(&held_out);
        let n = samples.n_spins();
        let all = problem.neighborhoods((0..n).map(|_| (0..n).collect()).collect());
        // With fields alone: the largest derivative is where couplings begin.
        let alone = problem.neighborhoods((0..n).map(|i| vec![i]).collect());
        let starts = alone.iter().map(|neighborhood| vec![0.0; neighborhood.variables.len()]).collect();
        let fields = problem.fit(&alone, starts, 0.0, self.l2.max(f64::MIN_POSITIVE))?;
        let first = strongest(&problem, &fields).max(1e-12);
        let mut starts: Vec<Vec<f64>> = (0..n)
            .map(|i| {
                let field = fields[i].point.first().copied().unwrap_or(0.0);
                all[i].variables.iter().map(|&j| if j == i { field } else { 0.0 }).collect()
            })
            .collect();
        let mut points: Vec<PathPoint> = Vec::new();
        let mut best: Option<(usize, Graph)> = None;
        let mut tried: Vec<(Graph, f64)> = Vec::new();
        let mut widest: Vec<(usize, usize, f64)> = Vec::new();
        for k in 0..self.points {
            let l1 = first * self.ratio.powf(k as f64 / (self.points.max(2) - 1) as f64);
            let fits = problem.fit(&all, starts, l1, 0.0)?;
            let found = problem.reconstruction("path", &all, &fits);
            widest = found.pairs(0.0);
            starts = fits.into_iter().map(|fit| fit.point).collect();
            for threshold in thresholds(&found, self.thresholds) {
                let graph: Graph = found.pairs(threshold).iter().map(|&(i, j, _)| (i, j)).collect();
                let known = tried.iter().find(|(pairs, _)| *pairs == graph).map(|&(_, score)| score);
                let score = match known {
                    Some(score) => score,
                    None => {
                        let refit = self.refit(&problem, &graph, &found)?;
                        let score = score::score(&judge, &refit.couplings, &refit.fields, self.threads);
                        tried.push((graph.clone(), score));
                        score
                    }
                };
                points.push(PathPoint { l1, threshold, couplings: graph.len(), score });
                if known.is_none() {
                    let last = points.len() - 1;
                    if best.as_ref().is_none_or(|(b, _)| self.better(&points[last], &points[*b], &held_out)) {
                        best = Some((last, graph));
                    }
                }
            }
        }
        let Some((mut chosen, graph)) = best else {
            return Err(Error::TooFewSamples { method: "path", what: "spins", got: n, needed: 1 });
        };
        let whole = LocalProblem::new(&params, samples)?;
        let empty = Reconstruction::new("path", vec![0.0; n * n], vec![0.0; n]);
        let mut found = self.refit(&whole, &graph, &empty)?;
        let candidates = match self.false_couplings.is_finite() {
            true => vec![graph.clone(), wider(&graph, &widest, WIDTH * n)],
            false => vec![graph.clone()],
        };
        let revised = self.revised(&whole, &candidates, &found)?;
        if revised != graph {
            found = self.refit(&whole, &revised, &found)?;
            let learned = self.refit(&problem, &revised, &found)?;
            points.push(PathPoint {
                couplings: revised.len(),
                score: score::score(&judge, &learned.couplings, &learned.fields, self.threads),
                ..points[chosen]
            });
            chosen = points.len() - 1;
        }
        found.score = Some(points[chosen].score);
        found.l1 = Some(points[chosen].l1);
        found.threshold = Some(points[chosen].threshold);
        Ok((found, points))
    }

    /// Higher by more than the price of its additional couplings.
    fn better(&self, new: &PathPoint, old: &PathPoint, held_out: &Samples) -> bool {
        let unit = held_out.effective_number() * held_out.n_spins() as f64;
        (new.score - old.score) * unit > new.couplings as f64 - old.couplings as f64
    }

    /// The least gain that cannot be by chance; 0 for no test.
    fn least_gain(&self, n: usize) -> f64 {
        let pairs = (n * n.saturating_sub(1)) as f64 / 2.0;
        // Both tails of a Gaussian, of all pairs.
        let tail = 0.5 * self.false_couplings / pairs;
        if tail < 0.5 { normal_quantile(tail.max(1e-300)).powi(2) } else { 0.0 }
    }

    /// The graph of least price among those left of the given ones when couplings that can be by chance are removed.
    ///
    /// The price is what the samples lose in pseudo-log-likelihood, and for each coupling the least gain of the test.
    fn revised(&self, problem: &LocalProblem<'_>, graphs: &[Graph], found: &Reconstruction) -> Result<Graph> {
        let least = self.least_gain(found.n_spins);
        let mut best: Option<(f64, Graph)> = None;
        for graph in graphs {
            let state = self.refit(problem, graph, found)?;
            let graph = self.significant(problem, graph, &state, least)?;
            let state = self.refit(problem, &graph, &state)?;
            let neighborhoods = problem.neighborhoods(neighbor_lists(found.n_spins, &graph));
            let parameters = starts(&neighborhoods, &state);
            let points: Vec<(&Neighborhood, &[f64])> =
                neighborhoods.iter().zip(parameters.iter().map(|point| &point[..])).collect();
            let price = problem.number * problem.losses(&points).iter().sum::<f64>() + least * graph.len() as f64;
            if best.as_ref().is_none_or(|(other, _)| price < *other) {
                best = Some((price, graph));
            }
        }
        Ok(best.map(|best| best.1).unwrap_or_default())
    }

    /// The couplings of a graph that cannot be by chance.
    fn significant(
        &self,
        problem: &LocalProblem<'_>,
        graph: &Graph,
        found: &Reconstruction,
        least: f64,
    ) -> Result<Graph> {
        let n = found.n_spins;
        let mut graph = graph.clone();
        let mut state = found.clone();
        loop {
            let gains = self.gains(problem, &graph, &state)?;
            let mut weak: Vec<(f64, usize)> =
                gains.iter().enumerate().filter(|gain| *gain.1 < least).map(|(k, &gain)| (gain, k)).collect();
            if weak.is_empty() {
                return Ok(graph);
            }
            weak.sort_by(|a, b| a.0.total_cmp(&b.0));
            // A spin loses one coupling at a time: its others may be worth more without it.
            let mut touched = vec![false; n];
            let mut removed = vec![false; graph.len()];
            for (_, k) in weak {
                let (i, j) = graph[k];
                removed[k] = !touched[i] && !touched[j];
                if removed[k] {
                    (touched[i], touched[j]) = (true, true);
                }
            }
            graph = graph.iter().zip(&removed).filter(|pair| !pair.1).map(|pair| *pair.0).collect();
            state = self.refit(problem, &graph, &state)?;
        }
    }

    /// What every coupling of a graph gains: twice the log-likelihood of a spin given the others, the mean of its two spins.
    fn gains(&self, problem: &LocalProblem<'_>, graph: &Graph, found: &Reconstruction) -> Result<Vec<f64>> {
        let n = found.n_spins;
        let lists = neighbor_lists(n, graph);
        let with = problem.neighborhoods(lists.clone());
        let less = graph.iter().flat_map(|&(i, j)| [(i, j), (j, i)]).map(|(i, j)| {
            let rest = lists[i].iter().copied().filter(|&k| k != j).collect();
            (i, rest)
        });
        let without = problem.neighborhoods_of(less);
        let mut both = with;
        both.extend(without);
        let fits = problem.fit(&both, starts(&both, found), 0.0, self.l2)?;
        let points: Vec<(&Neighborhood, &[f64])> = both.iter().zip(fits.iter().map(|fit| &fit.point[..])).collect();
        let losses = problem.losses(&points);
        let number = problem.number;
        let gain = |(k, &(i, j)): (usize, &(usize, usize))| {
            let drops = losses[n + 2 * k] - losses[i] + losses[n + 2 * k + 1] - losses[j];
            number * drops
        };
        Ok(graph.iter().enumerate().map(gain).collect())
    }

    /// Fits the couplings of a graph without ℓ1.
    fn refit(
        &self,
        problem: &LocalProblem<'_>,
        graph: &[(usize, usize)],
        start: &Reconstruction,
    ) -> Result<Reconstruction> {
        let neighborhoods = problem.neighborhoods(neighbor_lists(start.n_spins, graph));
        let starts = starts(&neighborhoods, start);
        let fits = problem.fit(&neighborhoods, starts, 0.0, self.l2)?;
        Ok(problem.reconstruction("path", &neighborhoods, &fits))
    }
}

/// A graph with the largest couplings of another fit.
fn wider(graph: &Graph, couplings: &[(usize, usize, f64)], count: usize) -> Graph {
    let mut couplings = couplings.to_vec();
    couplings.sort_by(|a, b| b.2.abs().total_cmp(&a.2.abs()));
    let mut union: Graph = couplings.iter().take(count).map(|&(i, j, _)| (i, j)).chain(graph.iter().copied()).collect();
    union.sort_unstable();
    union.dedup();
    union
}

/// Every spin with its neighbours, in ascending order.
fn neighbor_lists(n: usize, graph: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let mut lists: Vec<Vec<usize>> = (0..n).map(|i| vec![i]).collect();
    for &(i, j) in graph {
        lists[i].push(j);
        lists[j].push(i);
    }
    lists.iter_mut().for_each(|list| list.sort_unstable());
    lists
}

/// The parameters of a result as starts of fits.
fn starts(neighborhoods: &[Neighborhood], from: &Reconstruction) -> Vec<Vec<f64>> {
    let value = |i: usize, j: usize| if i == j { from.fields[i] } else { from.couplings[i * from.n_spins + j] };
    let begin = |neighborhood: &Neighborhood| -> Vec<f64> {
        neighborhood.variables.iter().map(|&j| value(neighborhood.spin, j)).collect()
    };
    neighborhoods.iter().map(begin).collect()
}

/// The largest derivative with respect to a coupling that is 0.
fn strongest(problem: &LocalProblem<'_>, fields: &[super::Fit]) -> f64 {
    let moments = &problem.moments;
    let n = moments.n_spins();
    let m = moments.magnetizations();
    let mut largest = 0.0f64;
    for (i, field) in fields.iter().enumerate() {
        // A field h alone leaves the derivative <s_i s_j> - tanh(h) <s_j>.
        let tanh = field.point.first().map_or(0.0, |h| h.tanh());
        for j in (0..n).filter(|&j| j != i) {
            largest = largest.max((moments.correlation(i, j) - tanh * m[j]).abs());
        }
    }
    largest
}

/// No threshold, and the geometric middles of the widest gaps in ratio between couplings.
fn thresholds(found: &Reconstruction, count: usize) -> Vec<f64> {
    let mut sizes: Vec<f64> = found.pairs(0.0).iter().map(|pair| pair.2.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let mut gaps: Vec<(f64, f64)> =
        sizes.windows(2).map(|pair| (pair[1] / pair[0], (pair[0] * pair[1]).sqrt())).collect();
    gaps.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut chosen: Vec<f64> = vec![0.0];
    chosen.extend(gaps.iter().take(count.saturating_sub(1)).map(|gap| gap.1));
    chosen
}
