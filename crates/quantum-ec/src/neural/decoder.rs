//! Decoding by the conditional distribution of the logical bits.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use linalg_core::gf2::BitVec;
use linalg_core::logspace::{log_sum_exp, softplus};

use super::model::{CHUNK, NeuralModel, Part, each_chunk};
use super::network::NetworkPass;
use super::symmetry::Action;
use crate::decode::{BatchReport, Decoder, Prediction};
use crate::error::{Error, Result};
use crate::shots::{ShotsMut, ShotsRef};

/// Most logical bits of which all classes are listed.
const MOST_BITS: usize = 12;

/// How the class is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Search {
    /// One bit after the other, the likelier value each time: 2k conditionals. Not the most likely class in general: of
    /// classes 00, 01, 10 with probabilities .3, .3, .4 it takes 00.
    Greedy,
    /// The so many most likely beginnings are kept from bit to bit, at most 4096.
    Beam(usize),
    /// All classes, for at most 12 logical bits.
    Exact,
}

impl Search {
    /// [`Exact`](Self::Exact) where so many observables allow it, otherwise a beam of 16.
    pub fn best_for(n_observables: usize) -> Self {
        if n_observables <= MOST_BITS { Self::Exact } else { Self::Beam(16) }
    }
}

impl fmt::Display for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Greedy => f.write_str("greedy"),
            Self::Beam(width) => write!(f, "beam:{width}"),
            Self::Exact => f.write_str("exact"),
        }
    }
}

impl FromStr for Search {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let beam = text.strip_prefix("beam:").and_then(|width| width.parse().ok()).filter(|&width| width > 0);
        match (text, beam) {
            ("greedy", _) => Ok(Self::Greedy),
            ("exact", _) => Ok(Self::Exact),
            (_, Some(width)) => Ok(Self::Beam(width)),
            _ => Err(Error::Parameter {
                what: "search",
                value: format!("{text:?}"),
                expected: "greedy, beam:WIDTH or exact",
            }),
        }
    }
}

/// Decodes by a [`NeuralModel`]: the syndrome passes through the network once, then come 2k conditionals.
///
/// Takes the syndromes of all checks of the code, or of all detectors of the model; observables are the logical X, then the
/// logical Z that the error holds, or those of the model. With [`Search::Exact`] the prediction has
/// [`ln_class`](Prediction::ln_class), here `ln q(class | syndrome)` (the probabilities add up to 1), else nothing of the
/// kind. [`weight`](Prediction::weight) is NaN: no mechanisms are chosen.
///
/// The parameters are shared: [`another`](Self::another) decoder for another thread costs only its scratch.
///
/// ```
/// use quantum_ec::code;
/// use quantum_ec::decode::Decoder;
/// use quantum_ec::neural::{CodeNoise, NetworkParams, NeuralDecoder, NeuralModel, Search, Subject};
/// use quantum_ec::noise::Noise;
///
/// let subject = Subject::of_code(code::parse("rotated-surface:3")?, CodeNoise::fixed(Noise::Depolarizing, 0.1))?;
/// let model = NeuralModel::new(subject, "made:16x1:8x1".parse::<NetworkParams>()?)?;
/// let mut decoder = NeuralDecoder::new(model, Search::Exact, None)?;
/// let prediction = decoder.decode(&"10000000".parse()?)?;
/// let sum: f64 = prediction.ln_class.iter().map(|x| x.exp()).sum();
/// assert!((sum - 1.0).abs() < 1e-6); // single precision
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct NeuralDecoder {
    model: Arc<NeuralModel>,
    search: Search,
    globals: Vec<f64>,
    outside: bool,
    /// Symmetries to average over; none for the network as it is.
    symmetries: Arc<[Action]>,
}

/// A class that a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Logical bits with respect to light pure errors, bit 0 being +1.
    pub bits: Vec<i8>,
    /// `ln q(class | syndrome)`.
    pub ln_q: f64,
}

impl NeuralDecoder {
    /// A decoder; `p` tells a model of a range of p which one it is.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for [`Search::Exact`] with more than 12 observables and for too wide a beam, [`Error::Parameter`] for a
    /// model of a range without a p, or p that is not a number from 0 to 1.
    pub fn new(model: impl Into<Arc<NeuralModel>>, search: Search, p: Option<f64>) -> Result<Self> {
        let model = model.into();
        model.logical()?;
        let subject = model.subject();
        if search == Search::Exact && subject.n_observables() > MOST_BITS {
            let (method, what) = ("exact choice of the class", "number of observables");
            return Err(Error::TooLarge { method, what, value: subject.n_observables(), bound: MOST_BITS });
        }
        if let Search::Beam(width) = search
            && width > 1 << MOST_BITS
        {
            let (method, what) = ("beam search", "number of beginnings");
            return Err(Error::TooLarge { method, what, value: width, bound: 1 << MOST_BITS });
        }
        let bad = |value: String| Error::Parameter { what: "p", value, expected: "a number from 0 to 1" };
        if let Some(p) = p.filter(|p| !(0.0..=1.0).contains(p)) {
            return Err(bad(p.to_string()));
        }
        let globals = match (subject.n_globals(), p) {
            (0, _) => Vec::new(),
            (_, Some(p)) => subject.globals(p),
            (_, None) => return Err(bad("missing for a model of a range".into())),
        };
        let outside = matches!((subject.range(), p), (Some((low, high)), Some(p)) if p < low || p > high);
        Ok(Self { model, search, globals, outside, symmetries: Arc::new([]) })
    }

    /// The same decoder with ln q averaged over the symmetries g of code and noise, at most `most` of them,
    ///
    /// ```math
    /// \ln \bar q(\beta \mid \gamma) = \frac{1}{|G|} \sum_g \ln q(g\beta \mid g\gamma) + \text{const}
    /// ```
    ///
    /// which the exact distribution leaves as it is, and which takes the part of the error of a network that the symmetries do
    /// not share. Cost: |G| times that of the network.
    ///
    /// ```
    /// use quantum_ec::code;
    /// use quantum_ec::decode::Decoder;
    /// use quantum_ec::neural::{CodeNoise, NetworkParams, NeuralDecoder, NeuralModel, Search, Subject};
    /// use quantum_ec::noise::Noise;
    ///
    /// let subject = Subject::of_code(code::parse("rotated-surface:3")?, CodeNoise::fixed(Noise::Depolarizing, 0.1))?;
    /// let model = NeuralModel::new(subject, "made:16x1:8x1".parse::<NetworkParams>()?)?;
    /// let decoder = NeuralDecoder::new(model, Search::Exact, None)?.symmetrized(64)?;
    /// assert_eq!(decoder.n_symmetries(), 4);
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotApplicable`] unless the search is [`Search::Exact`] and the subject a code under independent noise.
    pub fn symmetrized(mut self, most: usize) -> Result<Self> {
        if self.search != Search::Exact {
            let reason = format!("the search is {}, expected exact", self.search);
            return Err(Error::NotApplicable { method: "average over symmetries", reason });
        }
        self.symmetries = Action::all(self.model.subject(), most)?.into();
        Ok(self)
    }

    /// Number of symmetries averaged over; 1 for the network as it is.
    pub fn n_symmetries(&self) -> usize {
        self.symmetries.len().max(1)
    }

    /// The model.
    pub fn model(&self) -> &NeuralModel {
        &self.model
    }

    /// Whether p lies outside the range that the model was trained on: a warning, no more.
    pub fn outside_training(&self) -> bool {
        self.outside
    }

    /// A decoder of the same model for another thread.
    pub fn another(&self) -> Self {
        self.clone()
    }

    /// This decoder at p, with a search that finds more than one class.
    pub(super) fn for_refinement(&self, p: f64) -> Result<Self> {
        let search = match self.search {
            Search::Greedy => Search::best_for(self.model.subject().n_observables()),
            search => search,
        };
        let decoder = Self::new(Arc::clone(&self.model), search, Some(p))?;
        Ok(Self { symmetries: Arc::clone(&self.symmetries), ..decoder })
    }

    /// The numbers that the networks see beside the bits, for so many rows.
    pub(super) fn globals(&self, rows: usize) -> Vec<f64> {
        self.globals.repeat(rows)
    }

    /// The classes that the search found for every syndrome, the most likely first.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] for a model without its logical network.
    ///
    /// # Panics
    /// If the rows of ±1 are not of the syndromes of the [`Subject`](super::Subject).
    pub fn candidates(&self, syndromes: &[i8]) -> Result<Vec<Vec<Candidate>>> {
        if self.symmetries.len() < 2 {
            return self.candidates_of_network(syndromes);
        }
        let (r, m) = (self.model.subject().n_syndrome(), self.model.subject().n_observables());
        assert!(syndromes.len().is_multiple_of(r), "{} bits for syndromes of {r}", syndromes.len());
        let mut found = Vec::with_capacity(syndromes.len() / r);
        let number = |bits: &[i8]| bits.iter().enumerate().fold(0, |n, (j, s)| n | usize::from(*s < 0) << j);
        let (mut images, mut turns) = (Vec::new(), Vec::new());
        for rows in syndromes.chunks(r * CHUNK.div_ceil(self.symmetries.len())) {
            images.clear();
            turns.clear();
            for row in rows.chunks_exact(r) {
                turns.extend(self.symmetries.iter().map(|symmetry| symmetry.syndrome(row, &mut images)));
            }
            let lists = self.candidates_of_network(&images)?;
            for (lists, turns) in lists.chunks(self.symmetries.len()).zip(turns.chunks(self.symmetries.len())) {
                let mut ln_q = vec![0.0; 1 << m];
                let mut image = vec![0.0; 1 << m];
                for ((list, turn), symmetry) in lists.iter().zip(turns).zip(self.symmetries.iter()) {
                    list.iter().for_each(|candidate| image[number(&candidate.bits)] = candidate.ln_q);
                    for (class, sum) in ln_q.iter_mut().enumerate() {
                        *sum += image[symmetry.logical(class) ^ turn] / self.symmetries.len() as f64;
                    }
                }
                let norm = log_sum_exp(&ln_q);
                let bits = |class: usize| (0..m).map(|j| 1 - 2 * (class >> j & 1) as i8).collect();
                let candidates = ln_q.iter().enumerate();
                let mut list: Vec<Candidate> =
                    candidates.map(|(class, q)| Candidate { bits: bits(class), ln_q: q - norm }).collect();
                list.sort_by(|a, b| b.ln_q.total_cmp(&a.ln_q));
                found.push(list);
            }
        }
        Ok(found)
    }

    /// Those of the network as it is.
    fn candidates_of_network(&self, syndromes: &[i8]) -> Result<Vec<Vec<Candidate>>> {
        let network = self.model.logical()?;
        let (r, m) = (self.model.subject().n_syndrome(), network.n_bits());
        assert!(syndromes.len().is_multiple_of(r), "{} bits for syndromes of {r}", syndromes.len());
        let rows = syndromes.len() / r;
        let width = match self.search {
            Search::Greedy => 1,
            Search::Beam(width) => width.max(1),
            Search::Exact => 1 << m,
        };
        let mut found = Vec::with_capacity(rows);
        let piece = (network.most_lanes() / width).clamp(1, CHUNK);
        each_chunk(network, &[], syndromes, &self.globals(rows), (rows, piece), |network, _, _, pass| {
            let b = network.samples(pass);
            // Beginnings: the row they belong to, their bits and ln q; all rows side by side.
            let mut beams: Vec<(usize, Vec<i8>, f64)> = (0..b).map(|row| (row, Vec::with_capacity(m), 0.0)).collect();
            let mut current: Option<NetworkPass> = None;
            for j in 0..m {
                let logits: Vec<f64> =
                    network.logits(j, current.as_mut().unwrap_or(pass)).iter().map(|&x| f64::from(x)).collect();
                let mut next: Vec<(usize, usize, i8, f64)> = Vec::with_capacity(2 * beams.len());
                let mut start = 0;
                while start < beams.len() {
                    let row = beams[start].0;
                    let end = start + beams[start..].iter().take_while(|beam| beam.0 == row).count();
                    let first = next.len();
                    for k in start..end {
                        // ln σ(x) and ln σ(-x).
                        next.push((row, k, 1, beams[k].2 - softplus(-logits[k])));
                        next.push((row, k, -1, beams[k].2 - softplus(logits[k])));
                    }
                    // Stable: of equally likely ones the first is kept.
                    if next.len() - first > width {
                        next[first..].sort_by(|a, b| b.3.total_cmp(&a.3));
                        next.truncate(first + width);
                    }
                    start = end;
                }
                let same = next.len() == beams.len() && next.iter().enumerate().all(|(k, beam)| beam.1 == k);
                if j + 1 < m {
                    let parents: Vec<usize> = next.iter().map(|beam| beam.1).collect();
                    let signs: Vec<i8> = next.iter().map(|beam| beam.2).collect();
                    if !same {
                        current = Some(network.select(current.as_ref().unwrap_or(pass), &parents));
                    }
                    network.set_bit(j, &signs, current.as_mut().unwrap_or(pass));
                }
                let extended = next.iter().map(|&(row, parent, sign, ln_q)| {
                    let mut bits = Vec::with_capacity(m);
                    bits.extend_from_slice(&beams[parent].1);
                    bits.push(sign);
                    (row, bits, ln_q)
                });
                beams = extended.collect();
            }
            let mut lists = vec![Vec::new(); b];
            for (row, bits, ln_q) in beams {
                lists[row].push(Candidate { bits, ln_q });
            }
            lists.iter_mut().for_each(|list| list.sort_by(|a, b| b.ln_q.total_cmp(&a.ln_q)));
            found.extend(lists);
        });
        Ok(found)
    }

    /// `ln q(γ)` of syndromes as rows of ±1, by the network of the syndrome.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] for a model without [`joint`](super::NetworkParams::joint).
    ///
    /// # Panics
    /// If the last row is not whole.
    pub fn ln_evidence(&self, syndromes: &[i8]) -> Result<Vec<f64>> {
        let Some(network) = self.model.network(Part::Syndrome) else {
            let reason = "the model has no network of the syndrome; train it with joint".to_owned();
            return Err(Error::NotApplicable { method: "probability of a syndrome", reason });
        };
        let r = network.n_bits();
        assert!(syndromes.len().is_multiple_of(r), "{} bits for syndromes of {r}", syndromes.len());
        let rows = syndromes.len() / r;
        let mut out = Vec::with_capacity(rows);
        each_chunk(network, syndromes, &[], &self.globals(rows), (rows, CHUNK), |network, _, bits, pass| {
            network.evaluate(bits, pass);
            out.extend_from_slice(network.ln_q(pass));
        });
        Ok(out)
    }

    /// Turns candidates of a syndrome into a prediction.
    fn predict(&self, syndrome: &[i8], candidates: &[Candidate], out: &mut Prediction) {
        let turns = self.model.subject().observables(syndrome);
        let observable = |bits: &[i8], j: usize| (bits[j] < 0) != (turns[j] != 0);
        let m = turns.len();
        *out = Prediction::new(m);
        if let Some(best) = candidates.first() {
            out.observables = (0..m).map(|j| observable(&best.bits, j)).collect::<BitVec>();
        }
        if self.search == Search::Exact {
            out.ln_class = vec![f64::NEG_INFINITY; 1 << m];
            for candidate in candidates {
                let class = (0..m).fold(0, |class, j| class | usize::from(observable(&candidate.bits, j)) << j);
                out.ln_class[class] = candidate.ln_q;
            }
        }
    }
}

impl Decoder for NeuralDecoder {
    fn n_detectors(&self) -> usize {
        self.model.subject().n_detectors()
    }

    fn n_observables(&self) -> usize {
        self.model.subject().n_observables()
    }

    fn decode_into(&mut self, syndrome: &[u64], out: &mut Prediction) -> Result<()> {
        let mut row = Vec::new();
        self.model.subject().syndrome_row(syndrome, &mut row)?;
        let candidates = self.candidates(&row)?;
        self.predict(&row, &candidates[0], out);
        Ok(())
    }

    fn decode_batch(&mut self, shots: ShotsRef<'_>, out: &mut ShotsMut<'_>) -> Result<BatchReport> {
        let (d, m) = (self.n_detectors(), self.n_observables());
        assert_eq!(shots.n_bits(), d, "{} bits for {d} detectors", shots.n_bits());
        let mut report = BatchReport::default();
        let mut prediction = Prediction::new(m);
        for first in (0..shots.n_shots()).step_by(CHUNK) {
            let last = (first + CHUNK).min(shots.n_shots());
            let (mut rows, mut good) = (Vec::new(), Vec::with_capacity(last - first));
            for shot in first..last {
                match self.model.subject().syndrome_row(shots.row(shot), &mut rows) {
                    Ok(()) => good.push(shot),
                    Err(error) => {
                        out.row_mut(shot).fill(0);
                        report.failures.push((shot, error));
                    }
                }
            }
            let r = self.model.subject().n_syndrome();
            let candidates = self.candidates(&rows)?;
            for ((&shot, row), candidates) in good.iter().zip(rows.chunks_exact(r)).zip(&candidates) {
                self.predict(row, candidates, &mut prediction);
                out.row_mut(shot).copy_from_slice(prediction.observables.words());
            }
            report.decoded += good.len();
        }
        Ok(report)
    }
}
