//! Finding contraction orders.

use super::anneal::Annealer;
use super::greedy::greedy;
use super::network::Network;
use super::tree::{ContractionTree, Shape};
use crate::rng::Streams;
use crate::{Error, Result};

/// How long to search for a contraction order.
///
/// Greedy orders come first, the first without noise, the others drawn with Boltzmann weights. The best ones are then
/// improved by simulated annealing, in which subtrees change places (Gray and Kourtis, Quantum 5, 410 (2021); Kalachev,
/// Panteleev and Yung, arXiv:2108.05665). A search stops when it has taken about as long as the contraction itself will;
/// what has been spent is counted in operations, not in seconds, so that the order depends on the seed alone.
///
/// ```
/// use linalg_core::tensor::{Network, OrderParams};
///
/// // A chain of ten matrices: nothing larger than a matrix is ever needed.
/// let legs = (0..10).map(|t| vec![t, t + 1]).collect();
/// let chain = Network::new(vec![4; 11], legs, vec![0, 10])?;
/// let tree = OrderParams::default().find(&chain)?;
/// assert_eq!(tree.cost(&chain).log2_size, 4.0);
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OrderParams {
    /// Most greedy orders; 32 by default, at least 1.
    pub restarts: usize,
    /// Most sweeps of annealing over all restarts of it; 20 000 by default, 0 for none.
    pub sweeps: usize,
    /// Time spent on the order over time spent on the contraction, roughly; 0.5 by default. With a plan that is used
    /// many times, more pays.
    pub effort: f64,
    /// Seed of the search.
    pub seed: u64,
}

impl Default for OrderParams {
    fn default() -> Self {
        Self { restarts: 32, sweeps: 20_000, effort: 0.5, seed: 0 }
    }
}

/// Work units of a greedy search a tensor, and of one move of the annealing: measured, 3 µs and 120 ns at 0.08 ns.
const GREEDY: f64 = 40_000.0;
const MOVE: f64 = 1500.0;

/// Sweeps of the first annealing run; each next one has half as many again, up to the last.
const FIRST_RUN: usize = 100;
const LAST_RUN: usize = 4000;

/// How the temperature falls in a run, and the share of sweeps without noise at its end.
const HOT: f64 = 1.0;
const COLD: f64 = 0.05;
const QUENCH: f64 = 0.1;

impl OrderParams {
    /// The same with another number of greedy orders.
    pub fn with_restarts(mut self, restarts: usize) -> Self {
        self.restarts = restarts;
        self
    }

    /// The same with another number of sweeps.
    pub fn with_sweeps(mut self, sweeps: usize) -> Self {
        self.sweeps = sweeps;
        self
    }

    /// The same with another effort; `f64::INFINITY` for all restarts and sweeps whatever the contraction costs.
    pub fn with_effort(mut self, effort: f64) -> Self {
        self.effort = effort;
        self
    }

    /// The same with another seed.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// An order for a network.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for no restarts, a negative effort or NaN.
    pub fn find(&self, network: &Network) -> Result<ContractionTree> {
        if self.restarts == 0 {
            return Err(Error::OutOfRange { what: "restarts", value: 0.0, low: 1.0, high: f64::INFINITY });
        }
        if self.effort.is_nan() || self.effort < 0.0 {
            return Err(Error::OutOfRange { what: "effort", value: self.effort, low: 0.0, high: f64::INFINITY });
        }
        let streams = Streams::new(self.seed);
        let tensors = network.tensors().len() as f64;
        let mut spent = 0.0;
        let mut best: Option<(f64, ContractionTree)> = None;
        for restart in 0..self.restarts {
            if best.as_ref().is_some_and(|(work, _)| spent > 0.3 * self.effort * work) {
                break;
            }
            // Noise from little to some; the weight of the inputs as well.
            let (alpha, temperature) = match restart {
                0 => (1.0, 0.0),
                r => ([1.0, 0.5, 2.0][r % 3], [0.1, 0.3, 1.0][r / 3 % 3]),
            };
            let tree = greedy(network, alpha, temperature, &mut streams.stream(restart as u64))?;
            let work = Shape::new(network, &tree).work;
            if best.as_ref().is_none_or(|(least, _)| work < *least) {
                best = Some((work, tree));
            }
            spent += tensors * GREEDY;
        }
        let Some((mut least, mut tree)) = best else { return Err(Error::Empty { what: "restarts" }) };
        let mut rng = streams.stream(u64::MAX);
        let mut annealer = Annealer::new(network, &tree);
        let mut start = annealer.clone();
        let (mut done, mut length, mut run) = (0, FIRST_RUN, 0);
        while done < self.sweeps && spent <= self.effort * least {
            let sweeps = length.min(self.sweeps - done);
            // Hot runs forget the tree they start from, the others improve the best one.
            let hot = if run % 2 == 0 { HOT } else { 0.3 * HOT };
            for sweep in 0..sweeps {
                let progress = (sweep as f64 + 0.5) / sweeps as f64 / (1.0 - QUENCH);
                let temperature = if progress < 1.0 { hot * (COLD / hot).powf(progress) } else { 0.0 };
                annealer.sweep(temperature, &mut rng);
            }
            done += sweeps;
            spent += tensors * sweeps as f64 * MOVE;
            length = (length + length / 2).min(LAST_RUN);
            run += 1;
            let work = annealer.total_work();
            if work < least {
                least = work;
                tree = annealer.tree()?;
                start = annealer.clone();
            } else {
                annealer = start.clone();
            }
        }
        Ok(tree.depth_first(&Shape::new(network, &tree)))
    }
}
