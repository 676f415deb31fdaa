//! Amplitudes by tensor network contraction.

use linalg_core::Observer;
use linalg_core::num_complex::Complex64;
use linalg_core::tensor::{Leg, OrderParams, Tensor};
use linalg_core::threads::{count, for_each};

use super::circuit::Circuit;
use super::engine::Engine;
use super::path_sum::PathSum;
use crate::model::Progress;
use crate::{Error, Result};

/// Memory, threads and search effort of [`Contraction`].
///
/// ```
/// use spin_models::Error;
/// use spin_models::amplitude::{Circuit, Contraction, ContractionParams, Gate};
///
/// // One complex number takes 16 bytes: with fewer nothing can be done, however the contraction is cut.
/// let bell = Circuit::new(2)?.with(Gate::H, &[0])?.with(Gate::Cnot, &[0, 1])?;
/// let refused = Contraction::new(&bell, &[], &ContractionParams::default().with_memory_bytes(8));
/// assert!(matches!(refused, Err(Error::MemoryBudget { least, budget: 8, .. }) if least >= 16.0));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ContractionParams {
    /// Most bytes of intermediate tensors at one time, of all threads; 2³⁰ by default. The contraction is cut into slices
    /// where it needs more.
    pub memory_bytes: usize,
    /// Threads for slices and for the bitstrings of a list; 1 by default, 0 for all there are. The numbers are the same for
    /// any number of threads as long as the slices are: each thread has its share of the memory.
    pub threads: usize,
    /// How the contraction order is searched.
    pub order: OrderParams,
}

impl Default for ContractionParams {
    fn default() -> Self {
        Self { memory_bytes: 1 << 30, threads: 1, order: OrderParams::default() }
    }
}

impl ContractionParams {
    /// The same with another memory budget.
    pub fn with_memory_bytes(mut self, memory_bytes: usize) -> Self {
        self.memory_bytes = memory_bytes;
        self
    }

    /// The same with another number of threads.
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// The same with another search.
    pub fn with_order(mut self, order: OrderParams) -> Self {
        self.order = order;
        self
    }
}

/// Contractions of fewer operations are done many at a time: starting a thread takes as long.
const SMALL: f64 = 1e7;

/// What one amplitude, or one batch, will cost.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ContractionCost {
    /// Floating-point operations on real numbers in all slices: eight for a complex multiplication with its addition.
    pub flops: f64,
    /// Number of slices.
    pub slices: u64,
    /// Binary logarithm of the entries of the largest tensor in a slice.
    pub log2_size: f64,
    /// Most bytes of intermediate tensors at one time in a slice.
    pub peak_bytes: f64,
    /// Tensors that are contracted, after simplification.
    pub n_tensors: usize,
}

/// Amplitudes of one circuit by contraction, prepared.
///
/// The gates become factors over the values of the qubits between them: gates of one qubit are joined with their neighbours,
/// diagonal gates are couplings without new legs, gates that exchange qubits (fSim at θ = π/2, swap, iswap) exchange legs, and
/// controlled ones keep the leg of the control. The order of contraction is searched and cut into slices
/// within the memory budget once; each bitstring then costs what [`cost`](Self::cost) says.
///
/// Open qubits have no value given: one contraction makes the amplitudes of all their $`2^k`$ values.
///
/// ```
/// use spin_models::amplitude::{Circuit, Contraction, ContractionParams, Gate};
///
/// // GHZ state of 40 qubits.
/// let mut ghz = Circuit::new(40)?.with(Gate::H, &[0])?;
/// for q in 1..40 {
///     ghz.push(Gate::Cnot, &[q - 1, q])?;
/// }
/// let contraction = Contraction::new(&ghz, &[38, 39], &ContractionParams::default())?;
/// assert!(contraction.cost().flops < 1e5);
/// let batch = contraction.batch(&[true; 40])?;
/// assert!(batch[..3].iter().all(|a| a.norm() < 1e-15) && (batch[3].re - 0.5f64.sqrt()).abs() < 1e-14);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// References: I. L. Markov and Y. Shi, SIAM J. Comput. 38, 963 (2008); J. Gray and S. Kourtis, Quantum 5, 410 (2021).
#[derive(Debug, Clone)]
pub struct Contraction {
    n_qubits: usize,
    threads: usize,
    open: Vec<usize>,
    /// Qubits with values given, in order.
    closed: Vec<usize>,
    /// Whether the leg of a qubit has the other value.
    flipped: Vec<bool>,
    engine: Engine,
}

impl Contraction {
    /// Prepares the amplitudes of a circuit.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an open qubit beyond the circuit or named twice, [`Error::MemoryBudget`] with the least number
    /// of bytes if no slicing is within the budget.
    pub fn new(circuit: &Circuit, open: &[usize], params: &ContractionParams) -> Result<Self> {
        let n = circuit.n_qubits();
        let mut is_open = vec![false; n];
        for &qubit in open {
            if qubit >= n || std::mem::replace(&mut is_open[qubit], true) {
                let expected = "a qubit of the circuit, named once";
                return Err(Error::Parameter { what: "open qubit", value: qubit.to_string(), expected });
            }
        }
        let params = ContractionParams { threads: count(params.threads), ..params.clone() };
        let paths = PathSum::new(circuit);
        let tensors = paths.factors.iter().map(|factor| {
            let tensor = Tensor::new(factor.legs.clone(), vec![2; factor.legs.len()], factor.table.clone());
            // All qubits start as 0.
            let inputs = factor.legs.iter().filter(|&&leg| (leg as usize) < n);
            inputs.fold(tensor, |tensor, &leg| tensor.fixed(leg, 0))
        });
        let closed: Vec<usize> = (0..n).filter(|&q| !is_open[q]).collect();
        let leg = |qubits: &[usize]| qubits.iter().map(|&q| paths.outputs[q].leg).collect::<Vec<Leg>>();
        // The first open qubit is the lowest bit of the index.
        let slowest_first: Vec<usize> = open.iter().rev().copied().collect();
        let engine = Engine::new(paths.n_legs, tensors.collect(), &leg(&closed), leg(&slowest_first), &params)?;
        let flipped = paths.outputs.iter().map(|wire| wire.flipped).collect();
        Ok(Self { n_qubits: n, threads: params.threads, open: open.to_vec(), closed, flipped, engine })
    }

    /// What an amplitude, or a batch, costs; nothing is contracted for it.
    pub fn cost(&self) -> ContractionCost {
        let (slice, slices) = (self.engine.slice_cost(), self.engine.slices());
        ContractionCost {
            flops: 8.0 * slices as f64 * slice.log2_flops.exp2(),
            slices,
            log2_size: slice.log2_size,
            peak_bytes: size_of::<Complex64>() as f64 * slice.log2_peak.exp2(),
            n_tensors: self.engine.n_tensors(),
        }
    }

    /// Number of qubits.
    pub fn n_qubits(&self) -> usize {
        self.n_qubits
    }

    /// The open qubits.
    pub fn open(&self) -> &[usize] {
        &self.open
    }

    /// The amplitude of a bitstring; with open qubits the batch is made and the entry taken.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for another number of bits than qubits.
    pub fn amplitude(&self, bits: &[bool]) -> Result<Complex64> {
        self.amplitude_observed(bits, &mut ())
    }

    /// The same with reports and the possibility to stop.
    ///
    /// # Errors
    /// As [`amplitude`](Self::amplitude); [`Error::Stopped`].
    pub fn amplitude_observed(&self, bits: &[bool], observer: &mut dyn Observer<Progress>) -> Result<Complex64> {
        let batch = self.batch_observed(bits, observer)?;
        Ok(batch[self.open.iter().rev().fold(0, |index, &q| 2 * index + usize::from(bits[q]))])
    }

    /// The amplitudes of all values of the open qubits, the others being as in `bits`. Open qubit j of
    /// [`open`](Self::open) is the bit $`2^j`$ of the index; its entry of `bits` is not used.
    ///
    /// # Errors
    /// As [`amplitude`](Self::amplitude).
    pub fn batch(&self, bits: &[bool]) -> Result<Vec<Complex64>> {
        self.batch_observed(bits, &mut ())
    }

    /// The same with reports and the possibility to stop.
    ///
    /// # Errors
    /// As [`amplitude`](Self::amplitude); [`Error::Stopped`].
    pub fn batch_observed(&self, bits: &[bool], observer: &mut dyn Observer<Progress>) -> Result<Vec<Complex64>> {
        self.run(bits, self.threads, observer)
    }

    /// The amplitudes of many bitstrings, shared among the threads; reports count bitstrings.
    ///
    /// # Errors
    /// As [`amplitude`](Self::amplitude); [`Error::Stopped`].
    pub fn amplitudes(
        &self,
        bitstrings: &[Vec<bool>],
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Vec<Complex64>> {
        let mut amplitudes = Vec::with_capacity(bitstrings.len());
        for group in bitstrings.chunks(self.group()) {
            let mut slots: Vec<(&[bool], Result<Complex64>)> =
                group.iter().map(|bits| (&bits[..], Ok(Complex64::ZERO))).collect();
            for_each(self.threads, &mut slots, |(bits, slot)| {
                let index = |q: &usize| usize::from(bits[*q]);
                *slot = self
                    .run(bits, 1, &mut ())
                    .map(|batch| batch[self.open.iter().rev().fold(0, |sum, q| 2 * sum + index(q))]);
            });
            for (_, slot) in slots {
                amplitudes.push(slot?);
            }
            let (done, total) = (amplitudes.len() as u64, bitstrings.len() as u64);
            if observer.observe(&Progress::new("amplitudes", done, total)).is_break() {
                return Err(Error::Stopped { solver: "amplitudes", done, total });
            }
        }
        Ok(amplitudes)
    }

    /// Batches of many bitstrings, shared among the threads.
    pub(super) fn batches(&self, bitstrings: &[Vec<bool>]) -> Result<Vec<Vec<Complex64>>> {
        let mut slots: Vec<(&[bool], Result<Vec<Complex64>>)> =
            bitstrings.iter().map(|bits| (&bits[..], Ok(Vec::new()))).collect();
        for_each(self.threads, &mut slots, |(bits, slot)| *slot = self.run(bits, 1, &mut ()));
        slots.into_iter().map(|(_, slot)| slot).collect()
    }

    /// How many bitstrings are worth starting threads for.
    pub(super) fn group(&self) -> usize {
        // A batch that is held costs at least some operations an entry: cheap ones with many entries stay few.
        let many = (SMALL / self.cost().flops.max(1.0)) as usize;
        many.clamp(1, 64) * self.threads
    }

    fn run(&self, bits: &[bool], threads: usize, observer: &mut dyn Observer<Progress>) -> Result<Vec<Complex64>> {
        if bits.len() != self.n_qubits {
            return Err(Error::WrongLength { what: "bits of a bitstring", got: bits.len(), expected: self.n_qubits });
        }
        let value = |k: usize| {
            let q = self.closed[k];
            usize::from(bits[q] ^ self.flipped[q])
        };
        let tensor = self.engine.run(&value, threads, observer)?;
        let factor = tensor.ln_scale().exp();
        let flips: usize = self.open.iter().enumerate().map(|(j, &q)| usize::from(self.flipped[q]) << j).sum();
        Ok((0..tensor.data().len()).map(|index| tensor.data()[index ^ flips] * factor).collect())
    }
}
