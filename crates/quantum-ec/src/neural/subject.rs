//! What a model is about: where its samples come from and what its bits mean.

use linalg_core::Streams;
use linalg_core::checkpoint::ContentHash;
use linalg_core::gf2::{BitMatrix, BitVec};
use linalg_core::rand::{Rng, RngExt};
use linalg_core::rng::Xoshiro256PlusPlus;
use linalg_core::threads;

use super::basis::Basis;
use crate::code::StabilizerCode;
use crate::dem::{DetectorErrorModel, Sampler};
use crate::error::{Error, Result};
use crate::noise::{IsingNoise, Noise};
use crate::pauli::PauliString;
use crate::problem::DecodingProblem;
use crate::shots::{ones, words_per_row};

/// Shots that draw from one stream.
const UNIT: usize = 256;

/// Random orders of the mechanisms tried for light errors of single detectors.
const TRIALS: usize = 12;

/// Errors on the qubits of a code.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum CodeNoise {
    /// Independent noise by name; p is uniform from `low` to `high`, and the model sees it if the two differ.
    Named {
        /// The noise.
        noise: Noise,
        /// Smallest p.
        low: f64,
        /// Largest p.
        high: f64,
    },
    /// Errors with the Boltzmann distribution of an Ising model, by so many heat-bath sweeps a shot.
    Ising {
        /// The model and the kind of error.
        noise: IsingNoise,
        /// Sweeps from random spins.
        sweeps: u64,
    },
}

impl CodeNoise {
    /// Independent noise of one p.
    pub fn fixed(noise: Noise, p: f64) -> Self {
        Self::Named { noise, low: p, high: p }
    }
}

/// Samples, a row of ±1 a shot; bit 0 is +1.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Number of shots.
    pub shots: usize,
    /// Syndromes, bits of the [`Subject`].
    pub syndrome: Vec<i8>,
    /// Logical bits with respect to light pure errors.
    pub logical: Vec<i8>,
    /// The error without its stabilizer part, x and z of every qubit; empty for detector error models.
    pub reference: Vec<i8>,
    /// The stabilizer part; empty for detector error models.
    pub gauge: Vec<i8>,
    /// What the model sees beside the bits, a number a shot if p varies.
    pub globals: Vec<f64>,
    /// The logarithm of the probability of the error, where it has a closed form; else NaN.
    pub ln_prob: Vec<f64>,
}

impl Batch {
    /// Appends the samples of another.
    fn append(&mut self, other: Self) {
        self.syndrome.extend(other.syndrome);
        self.logical.extend(other.logical);
        self.reference.extend(other.reference);
        self.gauge.extend(other.gauge);
        self.globals.extend(other.globals);
        self.ln_prob.extend(other.ln_prob);
    }
}

#[derive(Debug, Clone)]
enum Kind {
    Code {
        code: Box<StabilizerCode>,
        basis: Box<Basis>,
        noise: CodeNoise,
    },
    Model {
        problem: Box<DecodingProblem>,
        sampler: Box<Sampler>,
        name: String,
        /// Detectors of which an even number fires in every shot.
        relations: Vec<Vec<usize>>,
    },
}

/// Syndromes and logical bits with a source of samples: a code with noise, or a detector error model.
///
/// Logical bits are taken with respect to light errors of single checks, so that they depend on the syndrome as little as
/// a linear change allows; [`observables`](Self::observables) turns them back.
///
/// ```
/// use linalg_core::Streams;
/// use quantum_ec::code;
/// use quantum_ec::neural::{Batch, CodeNoise, Subject};
/// use quantum_ec::noise::Noise;
///
/// let subject = Subject::of_code(code::parse("rotated-surface:3")?, CodeNoise::fixed(Noise::Depolarizing, 0.1))?;
/// let mut batch = Batch::default();
/// subject.draw(100, Streams::new(1), &mut batch)?;
/// assert_eq!((batch.syndrome.len(), batch.logical.len(), batch.gauge.len()), (800, 200, 800));
/// // 9 [-0.9 ln 0.9 - 0.1 ln(0.1/3)] nats.
/// assert!((subject.entropy().unwrap() - 3.9145).abs() < 1e-4);
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Subject {
    kind: Kind,
    /// Observables flipped by the light error of every bit of the syndrome.
    turns: Vec<Vec<u8>>,
}

impl Subject {
    /// A code with errors on its qubits.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a code without logical qubits or checks, or erasure; [`Error::Probability`] for p outside
    /// [0, 1] or an empty range; [`Error::WrongLength`] for an Ising model on another number of qubits.
    pub fn of_code(code: StabilizerCode, noise: CodeNoise) -> Result<Self> {
        for (what, value) in [("logical qubits", code.n_logical()), ("independent generators", code.rank())] {
            if value == 0 {
                return Err(Error::Parameter { what, value: "0".into(), expected: "at least 1" });
            }
        }
        match &noise {
            CodeNoise::Named { noise: Noise::Erasure, .. } => {
                let expected = "noise whose places are not known";
                return Err(Error::Parameter { what: "noise", value: "erasure".into(), expected });
            }
            CodeNoise::Named { noise, low, high } => {
                noise.table(1, *low)?;
                noise.table(1, *high)?;
                if low > high {
                    let expected = "a number not below the lower end of the range";
                    return Err(Error::Probability { what: "upper end", index: 1, value: *high, expected });
                }
            }
            CodeNoise::Ising { noise, .. } => {
                use spin_models::EnergyModel;
                let (got, expected) = (noise.model().n_spins(), code.n_qubits());
                if got != expected {
                    return Err(Error::WrongLength { what: "spins of the model of errors", got, expected });
                }
            }
        }
        let basis = Basis::new(&code);
        let (r, m) = (basis.n_syndrome(), basis.n_logical_bits());
        let mut turns = Vec::with_capacity(r);
        for i in 0..r {
            let mut syndrome = vec![0; r];
            syndrome[i] = 1;
            let error = basis.error(&syndrome, &vec![0; m], &vec![0; r])?;
            let applied = basis.decomposition().decompose(&error).applied();
            turns.push(applied.iter().map(u8::from).collect());
        }
        Ok(Self { kind: Kind::Code { code: Box::new(code), basis: Box::new(basis), noise }, turns })
    }

    /// A detector error model.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a model without detectors or observables; as [`DetectorErrorModel::to_problem`].
    pub fn of_model(model: &DetectorErrorModel, name: &str) -> Result<Self> {
        let problem = model.to_problem()?;
        for (what, value) in [("detectors", problem.n_detectors()), ("observables", problem.n_observables())] {
            if value == 0 {
                return Err(Error::Parameter { what, value: "0".into(), expected: "at least 1" });
            }
        }
        let (turns, relations) = light_turns(&problem)?;
        let sampler = Box::new(Sampler::new(&problem));
        let (problem, name) = (Box::new(problem), name.to_owned());
        let kind = Kind::Model { problem, sampler, name, relations };
        Ok(Self { kind, turns })
    }

    /// Bits of a syndrome as the networks see it: independent checks, or detectors.
    pub fn n_syndrome(&self) -> usize {
        self.turns.len()
    }

    /// Logical bits, as many as observables.
    pub fn n_observables(&self) -> usize {
        self.turns.first().map_or(0, Vec::len)
    }

    /// Bits of the stabilizer part; none for a detector error model.
    pub fn n_gauge(&self) -> usize {
        match &self.kind {
            Kind::Code { basis, .. } => basis.n_gauge(),
            Kind::Model { .. } => 0,
        }
    }

    /// Bits of a syndrome as a decoder takes it: all checks, dependent ones included, or detectors.
    pub fn n_detectors(&self) -> usize {
        match &self.kind {
            Kind::Code { code, .. } => code.n_generators(),
            Kind::Model { problem, .. } => problem.n_detectors(),
        }
    }

    /// The code, if it is one.
    pub fn code(&self) -> Option<&StabilizerCode> {
        match &self.kind {
            Kind::Code { code, .. } => Some(code),
            Kind::Model { .. } => None,
        }
    }

    /// The basis of the code, if it is one.
    pub fn basis(&self) -> Option<&Basis> {
        match &self.kind {
            Kind::Code { basis, .. } => Some(basis),
            Kind::Model { .. } => None,
        }
    }

    /// The noise on the code, if it is one.
    pub fn noise(&self) -> Option<&CodeNoise> {
        match &self.kind {
            Kind::Code { noise, .. } => Some(noise),
            Kind::Model { .. } => None,
        }
    }

    /// The numbers that a model sees beside the bits: one if p varies, else none.
    pub fn n_globals(&self) -> usize {
        usize::from(self.range().is_some_and(|(low, high)| low < high))
    }

    /// Smallest and largest p of named noise.
    pub fn range(&self) -> Option<(f64, f64)> {
        match self.noise() {
            Some(CodeNoise::Named { low, high, .. }) => Some((*low, *high)),
            _ => None,
        }
    }

    /// What the model sees of p: from -1 to 1 over the range; empty if p does not vary.
    pub fn globals(&self, p: f64) -> Vec<f64> {
        match self.range() {
            Some((low, high)) if low < high => vec![2.0 * (p - low) / (high - low) - 1.0],
            _ => Vec::new(),
        }
    }

    /// The name of the code or of the model.
    pub fn name(&self) -> &str {
        match &self.kind {
            Kind::Code { code, .. } => code.name(),
            Kind::Model { name, .. } => name,
        }
    }

    /// The noise in words: name, smallest and largest p.
    pub fn noise_text(&self) -> String {
        match self.noise() {
            Some(CodeNoise::Named { noise, low, high }) => format!("{noise}:{low}:{high}"),
            Some(CodeNoise::Ising { noise, sweeps }) => {
                use spin_models::EnergyModel;
                format!("ising:{:?}:{:016x}:{sweeps}", noise.pauli(), noise.model().content_hash())
            }
            None => "detector error model".to_owned(),
        }
    }

    /// A hash of checks, logical operators and pure errors, or of the model with its probabilities.
    pub fn content_hash(&self) -> u64 {
        let mut hash = ContentHash::new();
        match &self.kind {
            Kind::Code { code, basis, .. } => {
                for operator in code.generators().iter().chain(code.logical_x()).chain(code.logical_z()) {
                    hash.write_str(&operator.letters());
                }
                hash.write_usizes(&basis.generators());
                (0..basis.n_syndrome()).for_each(|bit| {
                    hash.write_u64s(basis.row(bit));
                });
            }
            Kind::Model { problem, .. } => {
                hash.write_usizes(&[problem.n_detectors(), problem.n_observables()]);
                for (checks, observables) in problem.checks().columns().zip(problem.observables().columns()) {
                    hash.write_usizes(checks).write_usizes(observables);
                }
                hash.write_f64s(problem.priors());
            }
        }
        for turn in &self.turns {
            hash.write_bytes(turn);
        }
        hash.finish()
    }

    /// The entropy of the error in nats, a bound from below of the mean of -ln q of the joint distribution: in closed form
    /// for independent noise of one p, `None` otherwise.
    pub fn entropy(&self) -> Option<f64> {
        let (Some(CodeNoise::Named { noise, low, high }), Some(code)) = (self.noise(), self.code()) else {
            return None;
        };
        if low < high {
            return None;
        }
        let row = noise.table(1, *low).ok()?.row(0);
        Some(code.n_qubits() as f64 * row.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum::<f64>())
    }

    /// Where the checks are, if it is known.
    pub(super) fn positions(&self) -> Option<Vec<[f64; 3]>> {
        match &self.kind {
            Kind::Code { code, basis, .. } => {
                let layout = code.layout()?;
                Some(basis.generators().iter().map(|&i| layout.checks[i]).collect())
            }
            Kind::Model { .. } => None,
        }
    }

    /// Draws `shots` samples: every 256 shots from a stream of their own.
    ///
    /// # Errors
    /// [`Error::Spins`] from the chains of an Ising model.
    pub fn draw(&self, shots: usize, streams: Streams, batch: &mut Batch) -> Result<()> {
        self.draw_on(1, shots, streams, batch)
    }

    /// The same samples from several threads.
    pub(super) fn draw_on(&self, threads: usize, shots: usize, streams: Streams, batch: &mut Batch) -> Result<()> {
        batch.shots = shots;
        for list in [&mut batch.syndrome, &mut batch.logical, &mut batch.reference, &mut batch.gauge] {
            list.clear();
        }
        batch.globals.clear();
        batch.ln_prob.clear();
        match &self.kind {
            Kind::Model { sampler, .. } => {
                let samples = sampler.sample(shots, &streams);
                let m = self.n_observables();
                for shot in 0..shots {
                    let mut logical: Vec<u8> = (0..m).map(|j| u8::from(samples.observables.get(shot, j))).collect();
                    let start = batch.syndrome.len();
                    batch.syndrome.resize(start + self.n_syndrome(), 1);
                    for i in ones(samples.detectors.row(shot)) {
                        batch.syndrome[start + i] = -1;
                        logical.iter_mut().zip(&self.turns[i]).for_each(|(l, t)| *l ^= t);
                    }
                    batch.logical.extend(logical.iter().map(|&l| 1 - 2 * l as i8));
                    batch.ln_prob.push(f64::NAN);
                }
            }
            Kind::Code { code, basis, noise: CodeNoise::Named { noise, low, high } } => {
                // Pieces of whole units, so that it does not matter who draws them.
                let units = shots.div_ceil(UNIT);
                let share = units.div_ceil(threads.clamp(1, units.max(1))).max(1);
                let mut pieces: Vec<(usize, Result<Batch>)> =
                    (0..units).step_by(share).map(|unit| (unit, Ok(Batch::default()))).collect();
                threads::for_each(threads, &mut pieces, |(first, piece)| {
                    let units = *first..(*first + share).min(units);
                    *piece = self.draw_units(code, basis, noise, (*low, *high), units, shots, &streams);
                });
                for (_, piece) in pieces {
                    batch.append(piece?);
                }
            }
            Kind::Code { code, basis, noise: CodeNoise::Ising { noise, sweeps } } => {
                let mut scratch = Scratch::new(code, basis);
                for error in noise.sample_chains(0..shots as u64, *sweeps, streams)? {
                    scratch.take(&error);
                    scratch.push(basis, batch);
                    batch.ln_prob.push(f64::NAN);
                }
            }
        }
        Ok(())
    }

    /// The samples of these units of [`UNIT`] shots, of `shots` in all.
    #[allow(clippy::too_many_arguments)]
    fn draw_units(
        &self,
        code: &StabilizerCode,
        basis: &Basis,
        noise: &Noise,
        (low, high): (f64, f64),
        units: std::ops::Range<usize>,
        shots: usize,
        streams: &Streams,
    ) -> Result<Batch> {
        let mut batch = Batch::default();
        let mut scratch = Scratch::new(code, basis);
        let fixed = noise.table(1, low)?.row(0);
        for unit in units {
            let mut rng = streams.fast_stream(unit as u64);
            for _ in unit * UNIT..((unit + 1) * UNIT).min(shots) {
                let mut row = fixed;
                if low < high {
                    let p = low + (high - low) * rng.random::<f64>();
                    row = noise.table(1, p)?.row(0);
                    batch.globals.extend(self.globals(p));
                }
                let ln_prob = scratch.error(&row, &mut rng);
                scratch.push(basis, &mut batch);
                batch.ln_prob.push(ln_prob);
            }
        }
        Ok(batch)
    }

    /// A row of ±1 for the networks from a syndrome of all detectors, packed.
    ///
    /// # Errors
    /// [`Error::ImpossibleSyndrome`] for a syndrome outside the space of the code, or one that no mechanisms of the model flip.
    ///
    /// # Panics
    /// If the syndrome has another number of words.
    pub fn syndrome_row(&self, syndrome: &[u64], out: &mut Vec<i8>) -> Result<()> {
        let n = self.n_detectors();
        assert_eq!(syndrome.len(), words_per_row(n), "{} words for {n} detectors", syndrome.len());
        match &self.kind {
            Kind::Code { basis, .. } => {
                let bits = basis.reduce(&BitVec::from_words(syndrome.to_vec(), n)?)?;
                out.extend(bits.iter().map(|&bit| 1 - 2 * bit as i8));
            }
            Kind::Model { relations, .. } => {
                let bit = |i: usize| syndrome[i / 64] >> (i % 64) & 1;
                let odd = |checks: &&Vec<usize>| checks.iter().fold(0, |sum, &i| sum ^ bit(i)) == 1;
                if let Some(checks) = relations.iter().find(odd) {
                    return Err(Error::ImpossibleSyndrome { checks: checks.clone() });
                }
                out.extend((0..n).map(|i| 1 - 2 * bit(i) as i8));
            }
        }
        Ok(())
    }

    /// The observables that logical bits of 0 stand for at this syndrome: to be added to logical bits, which turns them
    /// into observables and back.
    ///
    /// # Panics
    /// If the row has another length.
    pub fn observables(&self, syndrome: &[i8]) -> Vec<u8> {
        assert_eq!(syndrome.len(), self.n_syndrome(), "{} bits of a syndrome", syndrome.len());
        let mut out = vec![0; self.n_observables()];
        for (turn, _) in self.turns.iter().zip(syndrome).filter(|(_, s)| **s < 0) {
            out.iter_mut().zip(turn).for_each(|(a, b)| *a ^= b);
        }
        out
    }
}

/// An error and its coordinates as words.
struct Scratch {
    n: usize,
    x: Vec<u64>,
    z: Vec<u64>,
    reference: Vec<u64>,
    words: Vec<u64>,
}

impl Scratch {
    fn new(code: &StabilizerCode, basis: &Basis) -> Self {
        let wn = words_per_row(code.n_qubits());
        let words = basis.decomposition().words().iter().sum();
        let zeros = vec![0; wn];
        Self { n: code.n_qubits(), x: zeros.clone(), z: zeros, reference: vec![0; 2 * wn], words: vec![0; words] }
    }

    fn take(&mut self, error: &PauliString) {
        self.x.copy_from_slice(error.x().words());
        self.z.copy_from_slice(error.z().words());
    }

    /// Draws an error with the same probabilities on all qubits and returns the logarithm of its probability.
    fn error(&mut self, row: &[f64; 4], rng: &mut Xoshiro256PlusPlus) -> f64 {
        self.x.fill(0);
        self.z.fill(0);
        let bounds = [row[1], row[1] + row[2], row[1] + row[2] + row[3]];
        let mut counts = [0.0; 4];
        for q in 0..self.n {
            // The upper 53 bits, a number in [0, 1).
            let u = (rng.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64);
            let kind = match u {
                u if u >= bounds[2] => 0,
                u if u < bounds[0] => 1,
                u if u < bounds[1] => 2,
                _ => 3,
            };
            counts[kind] += 1.0;
            self.x[q / 64] |= u64::from(kind == 1 || kind == 2) << (q % 64);
            self.z[q / 64] |= u64::from(kind == 2 || kind == 3) << (q % 64);
        }
        counts.iter().zip(row).filter(|(c, _)| **c > 0.0).map(|(c, p)| c * p.ln()).sum()
    }

    /// Appends the coordinates of the error.
    fn push(&mut self, basis: &Basis, batch: &mut Batch) {
        let start = (batch.syndrome.len(), batch.logical.len(), batch.gauge.len());
        let (r, m) = (basis.n_syndrome(), basis.n_logical_bits());
        batch.syndrome.resize(start.0 + r, 0);
        batch.logical.resize(start.1 + m, 0);
        batch.gauge.resize(start.2 + r, 0);
        let (syndrome, logical) = (&mut batch.syndrome[start.0..], &mut batch.logical[start.1..]);
        let gauge = &mut batch.gauge[start.2..];
        basis.signs(&self.x, &self.z, &mut self.words, syndrome, logical, gauge);
        let wn = self.x.len();
        self.reference.fill(0);
        for (i, _) in syndrome.iter().chain(logical.iter()).enumerate().filter(|(_, s)| **s < 0) {
            self.reference.iter_mut().zip(basis.row(i)).for_each(|(a, b)| *a ^= b);
        }
        push_reference(&self.reference, self.n, wn, &mut batch.reference);
    }
}

/// Appends x and z of every qubit as ±1.
pub(super) fn push_reference(words: &[u64], n: usize, wn: usize, out: &mut Vec<i8>) {
    for q in 0..n {
        let bit = |words: &[u64]| 1 - 2 * (words[q / 64] >> (q % 64) & 1) as i8;
        out.extend([bit(words), bit(&words[wn..])]);
    }
}

/// The observables that every bit of a syndrome turns.
type Turns = Vec<Vec<u8>>;

/// Sets of detectors of which an even number fires.
type Relations = Vec<Vec<usize>>;

/// The observables of an error of few mechanisms that flips one detector alone, for every detector; zero where there is none.
/// And the sets of detectors whose flips add up to nothing, whatever happens: a basis of them.
fn light_turns(problem: &DecodingProblem) -> Result<(Turns, Relations)> {
    let (d, m, n) = (problem.n_detectors(), problem.n_observables(), problem.n_mechanisms());
    let mut best: Vec<(usize, Vec<u8>)> = vec![(usize::MAX, vec![0; m]); d];
    let mut rng = Streams::new(0).stream(1);
    let mut order: Vec<usize> = (0..n).collect();
    let mut relations = Vec::new();
    for _ in 0..TRIALS {
        for i in (1..n).rev() {
            order.swap(i, rng.random_range(0..=i as u32) as usize);
        }
        // Mechanisms that flip few detectors first: they make light pivots.
        order.sort_by_key(|&j| problem.checks().column(j).len().min(3));
        let ones = order.iter().enumerate().flat_map(|(c, &j)| problem.checks().column(j).iter().map(move |&i| (i, c)));
        let factored = BitMatrix::from_ones(d, n, ones)?.factor();
        let (pivots, transform) = (factored.reduced().pivots(), factored.transform());
        relations = (pivots.len()..d).map(|row| (0..d).filter(|&i| transform.get(row, i)).collect()).collect();
        for (i, best) in best.iter_mut().enumerate() {
            if (pivots.len()..d).any(|row| transform.get(row, i)) {
                continue;
            }
            let mut turn = vec![0; m];
            let mut weight = 0;
            for (row, &column) in pivots.iter().enumerate() {
                if transform.get(row, i) {
                    weight += 1;
                    problem.observables().column(order[column]).iter().for_each(|&o| turn[o] ^= 1);
                }
            }
            if weight < best.0 {
                *best = (weight, turn);
            }
        }
    }
    Ok((best.into_iter().map(|(_, turn)| turn).collect(), relations))
}
