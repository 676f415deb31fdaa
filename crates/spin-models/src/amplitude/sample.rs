//! Bitstrings of a circuit without its state vector.

use linalg_core::num_complex::Complex64;
use linalg_core::{Observer, Streams};
use rand::RngExt;

use super::contract::Contraction;
use crate::model::Progress;
use crate::{Error, Result};

/// Draws bitstrings from the distribution of a circuit by contraction and rejection.
///
/// A proposal has uniform bits on the closed qubits, and one contraction makes the amplitudes of all $`K = 2^k`$ values of the
/// open ones. It is accepted with probability w/B, where $`w = 2^{n-k} \sum_x |a(x)|^2`$ is its weight and B a bound, and the open
/// bits are then drawn from the batch. Without an open qubit this is plain rejection, at B proposals a sample; with many open
/// qubits w is close to 1 for a random circuit, and nearly every batch gives a sample.
///
/// The bound starts where the weight of a random state would exceed it with probability $`e^{-16}`$. When a weight does exceed
/// it, the bound is raised to that weight and the samples before are kept with probability (old bound)/(new bound) each. What is
/// drawn before the largest weight was met is not quite independent of when it was met; the report has the bound for
/// judging that.
///
/// Proposal k draws from stream k: the samples do not depend on the number of threads.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::amplitude::{Circuit, Contraction, ContractionParams, Gate, Sampling};
///
/// // The first qubit is 1, the second undecided.
/// let circuit = Circuit::new(2)?.with(Gate::X, &[0])?.with(Gate::H, &[1])?;
/// let contraction = Contraction::new(&circuit, &[1], &ContractionParams::default())?;
/// let report = Sampling::default().run(&contraction, 20, Streams::new(1), &mut ())?;
/// assert!(report.complete && report.bitstrings.iter().all(|bits| bits[0]));
/// assert!(report.probabilities.iter().all(|p| (p - 0.5).abs() < 1e-14));
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// References: I. L. Markov, A. Fatima, S. V. Isakov and S. Boixo, arXiv:1807.10749; F. Pan, K. Chen and P. Zhang, Phys. Rev.
/// Lett. 129, 090502 (2022); for the raised bound B. S. Caffo, J. G. Booth and A. C. Davis, Biometrika 89, 745 (2002).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sampling {
    /// Most contractions; 10⁶ by default.
    pub max_batches: u64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { max_batches: 1_000_000 }
    }
}

/// What [`Sampling::run`] found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SampleReport {
    /// The bitstrings.
    pub bitstrings: Vec<Vec<bool>>,
    /// Their probabilities in the circuit's distribution.
    pub probabilities: Vec<f64>,
    /// Contractions up to the last sample.
    pub batches: u64,
    /// The bound of the weights at the end.
    pub bound: f64,
    /// How often a weight exceeded the bound.
    pub raised: u64,
    /// Whether there are as many bitstrings as were asked for.
    pub complete: bool,
}

/// Minus the logarithm of the probability with which a random state exceeds the first bound.
const TAIL: f64 = 16.0;

impl Sampling {
    /// The same with another limit of contractions.
    pub fn with_max_batches(mut self, max_batches: u64) -> Self {
        self.max_batches = max_batches;
        self
    }

    /// Draws `count` bitstrings, or as many as the limit of contractions allows. Reports count samples.
    ///
    /// # Errors
    /// [`Error::Stopped`]; [`Error::TooLarge`] for more than 1023 qubits that are not open.
    pub fn run(
        &self,
        contraction: &Contraction,
        count: usize,
        streams: Streams,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<SampleReport> {
        let n = contraction.n_qubits();
        let open = contraction.open();
        let (closed, most) = (n - open.len(), 1023);
        if closed > most {
            let (solver, what) = ("sampling of a circuit", "number of closed qubits");
            return Err(Error::TooLarge { solver, what, value: closed, bound: most });
        }
        let states = 2f64.powi(closed as i32);
        let mut bound = first_bound(2f64.powi(open.len() as i32));
        let mut accepted: Vec<Accepted> = Vec::new();
        let (mut batches, mut raised) = (0, 0);
        while accepted.len() < count && batches < self.max_batches {
            let group = (contraction.group() as u64).min(self.max_batches - batches);
            let mut rngs: Vec<_> = (batches..batches + group).map(|k| streams.stream(k)).collect();
            let proposals: Vec<Vec<bool>> =
                rngs.iter_mut().map(|rng| (0..n).map(|_| rng.random::<bool>()).collect()).collect();
            let amplitudes = contraction.batches(&proposals)?;
            for ((mut bits, amplitudes), mut rng) in proposals.into_iter().zip(amplitudes).zip(rngs) {
                if accepted.len() == count {
                    // How many are left depends on the number of threads: they are not counted.
                    break;
                }
                batches += 1;
                let total: f64 = amplitudes.iter().map(|a| a.norm_sqr()).sum();
                let weight = states * total;
                if weight > bound {
                    raised += 1;
                    bound = weight;
                    accepted.retain(|sample| sample.uniform * bound < sample.weight);
                }
                let uniform: f64 = rng.random();
                if uniform * bound >= weight {
                    continue;
                }
                let chosen = draw(&amplitudes, rng.random::<f64>() * total);
                for (j, &q) in open.iter().enumerate() {
                    bits[q] = chosen >> j & 1 == 1;
                }
                accepted.push(Accepted { bits, probability: amplitudes[chosen].norm_sqr(), weight, uniform });
            }
            let (done, total) = (accepted.len() as u64, count as u64);
            if observer.observe(&Progress::new("samples", done, total)).is_break() {
                return Err(Error::Stopped { solver: "sampling", done, total });
            }
        }
        let complete = accepted.len() == count;
        let (bitstrings, probabilities) = accepted.into_iter().map(|sample| (sample.bits, sample.probability)).unzip();
        Ok(SampleReport { bitstrings, probabilities, batches, bound, raised, complete })
    }
}

struct Accepted {
    bits: Vec<bool>,
    probability: f64,
    weight: f64,
    /// The number that decided: with a larger bound it decides again.
    uniform: f64,
}

/// The entry in which a number below the sum of all probabilities falls.
fn draw(amplitudes: &[Complex64], draw: f64) -> usize {
    let mut below = 0.0;
    let mut last = 0;
    for (k, amplitude) in amplitudes.iter().enumerate() {
        let p = amplitude.norm_sqr();
        if p > 0.0 {
            below += p;
            last = k;
            if draw < below {
                break;
            }
        }
    }
    last
}

/// The 1 + δ with $`K (δ - \ln(1 + δ)) = 16`$: Chernoff's bound for the mean of K exponential variables.
fn first_bound(batch: f64) -> f64 {
    let (mut low, mut high) = (0.0, 64.0);
    for _ in 0..100 {
        let middle: f64 = 0.5 * (low + high);
        if batch * (middle - middle.ln_1p()) < TAIL {
            low = middle;
        } else {
            high = middle;
        }
    }
    1.0 + high
}
