//! From the network towards the exact answer: importance sampling over the stabilizer part.

use linalg_core::Streams;
use linalg_core::gf2::BitVec;
use linalg_core::stats::{Estimate, WeightedMean};

use super::decoder::NeuralDecoder;
use super::network::Network;
use super::subject::{CodeNoise, push_reference};
use crate::decode::{Decoder, Prediction};
use crate::error::{Error, Result};
use crate::noise::Noise;
use crate::shots::words_per_row;

/// Parameters of a [`RefinedDecoder`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct RefinementParams {
    /// Samples of each class a round; default 64.
    pub samples: usize,
    /// Rounds at most; default 8.
    pub rounds: usize,
    /// Rounds end as soon as the best class leads by so many standard errors; default 3.
    pub z: f64,
    /// Classes that the network gives less than this part of the best one are left alone; default 1e-4.
    pub least: f64,
    /// Seed of the samples.
    pub seed: u64,
}

impl Default for RefinementParams {
    fn default() -> Self {
        Self { samples: 64, rounds: 8, z: 3.0, least: 1e-4, seed: 1 }
    }
}

impl RefinementParams {
    /// Sets samples a round and the number of rounds.
    pub fn samples(mut self, samples: usize, rounds: usize) -> Self {
        (self.samples, self.rounds) = (samples, rounds);
        self
    }

    /// Sets the lead, in standard errors, that ends it.
    pub fn z(mut self, z: f64) -> Self {
        self.z = z;
        self
    }

    /// Sets the part of the best class below which classes are left alone.
    pub fn least(mut self, least: f64) -> Self {
        self.least = least;
        self
    }

    /// Sets the seed.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

/// The estimate of one class.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RefinedClass {
    /// Bits with respect to light pure errors, bit 0 being +1.
    pub bits: Vec<i8>,
    /// Estimate of `ln P(σ, class)`; `ln q(class | σ)` where nothing was drawn, with [`samples`](Self::samples) 0.
    pub ln_probability: f64,
    /// Its standard error.
    pub std_error: f64,
    /// Effective sample size.
    pub ess: f64,
    /// Samples drawn.
    pub samples: usize,
}

/// Refines a [`NeuralDecoder`] by the probabilities of errors, which are known.
///
/// ```math
/// P(\gamma, \beta) = \sum_\alpha P(\gamma, \beta, \alpha)
///   = \Big\langle \frac{P(\gamma, \beta, \alpha)}{q(\alpha \mid \gamma, \beta)} \Big\rangle_{\alpha \sim q}
/// ```
///
/// For a fixed number of rounds an unbiased estimate for each class, whatever the network; its effective sample size says how
/// good the network is. It may be stopped at any time: with no rounds the prediction is that of the network, with many the
/// exact one, as long as q is nowhere far too small. Rounds end when the best class leads clearly; the estimate of where it
/// stopped is not free of bias, then. Needs a joint model of independent noise.
///
/// The classes are those that the search of the decoder finds, averaged over symmetries if it does that; a greedy search, which
/// finds one and leaves nothing to compare, is replaced by [`Search::best_for`](super::Search::best_for).
#[derive(Debug, Clone)]
pub struct RefinedDecoder {
    decoder: NeuralDecoder,
    params: RefinementParams,
    /// ln p of I, X, Y, Z.
    ln_p: [f64; 4],
    shots: u64,
    samples: u64,
    ess: f64,
}

impl RefinedDecoder {
    /// A decoder of a joint model at this p.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] for a model without the network of the stabilizer part, [`Error::Model`] for one of other noise,
    /// [`Error::Parameter`] for fewer than two samples, a part or a lead out of range; as [`NeuralDecoder::new`].
    pub fn new(decoder: NeuralDecoder, noise: Noise, p: f64, params: RefinementParams) -> Result<Self> {
        decoder.model().gauge()?;
        if params.samples < 2 {
            let value = params.samples.to_string();
            return Err(Error::Parameter { what: "samples", value, expected: "at least 2" });
        }
        if !(0.0..=1.0).contains(&params.least) {
            let value = params.least.to_string();
            return Err(Error::Parameter { what: "least", value, expected: "a number from 0 to 1" });
        }
        if params.z.is_nan() || params.z < 0.0 {
            return Err(Error::Parameter { what: "z", value: params.z.to_string(), expected: "a number >= 0" });
        }
        match decoder.model().subject().noise() {
            Some(CodeNoise::Named { noise: trained, .. }) if *trained == noise => {}
            _ => {
                let (found, expected) = (decoder.model().subject().noise_text(), noise.to_string());
                return Err(Error::Model { what: "noise", found, expected });
            }
        }
        let ln_p = noise.table(1, p)?.row(0).map(f64::ln);
        let decoder = decoder.for_refinement(p)?;
        Ok(Self { decoder, params, ln_p, shots: 0, samples: 0, ess: 0.0 })
    }

    /// Mean number of samples a shot, and the mean effective part of them, over all shots so far.
    pub fn effort(&self) -> (f64, f64) {
        (self.samples as f64 / self.shots.max(1) as f64, self.ess / self.samples.max(1) as f64)
    }

    /// Estimates of the classes of one syndrome, a row of ±1, the most likely first.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] for a model without its networks.
    ///
    /// # Panics
    /// If the row has another length.
    pub fn refine(&mut self, syndrome: &[i8]) -> Result<Vec<RefinedClass>> {
        let Self { decoder, params, ln_p, .. } = self;
        let candidates = decoder.candidates(syndrome)?.swap_remove(0);
        let least = candidates[0].ln_q + params.least.ln();
        let kept: Vec<_> = candidates.iter().filter(|c| c.ln_q >= least).collect();
        let model = decoder.model();
        let (network, subject) = (model.gauge()?, model.subject());
        let Some(basis) = subject.basis() else { return Ok(Vec::new()) };
        let n = basis.decomposition().n_qubits();
        let wn = words_per_row(n);
        // The reference error of every class, and the context of the network.
        let (mut references, mut contexts) = (Vec::new(), Vec::new());
        for candidate in &kept {
            let mut words = vec![0u64; 2 * wn];
            for (i, _) in syndrome.iter().chain(&candidate.bits).enumerate().filter(|(_, s)| **s < 0) {
                words.iter_mut().zip(basis.row(i)).for_each(|(a, b)| *a ^= b);
            }
            match network {
                Network::Layers(_) => push_reference(&words, n, wn, &mut contexts),
                Network::Transformer(_) => contexts.extend(syndrome.iter().chain(&candidate.bits)),
            }
            references.push(words);
        }
        let mut means = vec![WeightedMean::new(); kept.len()];
        let mut drawn = 0;
        if kept.len() > 1 {
            let mut pass = network.new_pass(kept.len());
            network.set_context(&contexts, &decoder.globals(kept.len()), &mut pass);
            let bits = subject.n_gauge();
            let first = basis.n_syndrome() + basis.n_logical_bits();
            let mut rng = Streams::new(params.seed).fast_stream(self.shots);
            let rows: Vec<usize> = (0..kept.len()).flat_map(|k| std::iter::repeat_n(k, params.samples)).collect();
            for _ in 0..params.rounds {
                for rows in rows.chunks(network.lanes()) {
                    let mut selected = network.select(&pass, rows);
                    network.sample(&mut selected, &mut rng);
                    let mut spins = vec![0; rows.len() * bits];
                    network.write_bits(&selected, &mut spins);
                    for ((&k, spins), ln_q) in rows.iter().zip(spins.chunks_exact(bits)).zip(network.ln_q(&selected)) {
                        let mut error = references[k].clone();
                        for (i, _) in spins.iter().enumerate().filter(|(_, s)| **s < 0) {
                            error.iter_mut().zip(basis.row(first + i)).for_each(|(a, b)| *a ^= b);
                        }
                        means[k].push(ln_prob(&error, wn, n, ln_p) - ln_q, 0.0);
                    }
                }
                drawn += params.samples;
                if leads(&means, params.z) {
                    break;
                }
            }
        }
        let mut out: Vec<RefinedClass> = kept
            .iter()
            .zip(&means)
            .map(|(candidate, mean)| {
                let ess = mean.effective_sample_size();
                let (ln_probability, std_error) = if drawn > 0 {
                    let estimate = mean.ln_mean_weight();
                    (estimate.value, estimate.std_error.unwrap_or(f64::NAN))
                } else {
                    (candidate.ln_q, f64::NAN)
                };
                RefinedClass { bits: candidate.bits.clone(), ln_probability, std_error, ess, samples: drawn }
            })
            .collect();
        out.sort_by(|a, b| b.ln_probability.total_cmp(&a.ln_probability));
        self.shots += 1;
        self.samples += (drawn * kept.len()) as u64;
        self.ess += if drawn > 0 { out.iter().map(|class| class.ess).sum::<f64>() } else { 0.0 };
        Ok(out)
    }
}

/// Whether the best class is ahead of the others by `z` standard errors.
fn leads(means: &[WeightedMean], z: f64) -> bool {
    let all: Vec<Estimate> = means.iter().map(WeightedMean::ln_mean_weight).collect();
    let Some(best) = (0..all.len()).max_by(|&a, &b| all[a].value.total_cmp(&all[b].value)) else { return true };
    let error = |k: usize| all[k].std_error.unwrap_or(f64::INFINITY);
    let ahead = |k: usize| all[best].value - all[k].value > z * error(best).hypot(error(k));
    (0..all.len()).filter(|&k| k != best).all(ahead)
}

fn ln_prob(words: &[u64], wn: usize, n: usize, ln_p: &[f64; 4]) -> f64 {
    let mut counts = [0u32; 4];
    for (x, z) in words[..wn].iter().zip(&words[wn..]) {
        counts[1] += (x & !z).count_ones();
        counts[2] += (x & z).count_ones();
        counts[3] += (!x & z).count_ones();
    }
    counts[0] = n as u32 - counts[1] - counts[2] - counts[3];
    counts.iter().zip(ln_p).filter(|(c, _)| **c > 0).map(|(&c, ln)| f64::from(c) * ln).sum()
}

impl Decoder for RefinedDecoder {
    fn n_detectors(&self) -> usize {
        self.decoder.n_detectors()
    }

    fn n_observables(&self) -> usize {
        self.decoder.n_observables()
    }

    fn decode_into(&mut self, syndrome: &[u64], out: &mut Prediction) -> Result<()> {
        // The same samples for the same syndrome, whatever came before.
        let (shots, seed) = (self.shots, self.params.seed);
        let mut hash = linalg_core::checkpoint::ContentHash::new();
        hash.write_u64(seed).write_u64s(syndrome);
        self.params.seed = hash.finish();
        self.shots = 0;
        let mut row = Vec::new();
        let result = self.decoder.model().subject().syndrome_row(syndrome, &mut row).and_then(|()| {
            let classes = self.refine(&row)?;
            let turns = self.decoder.model().subject().observables(&row);
            *out = Prediction::new(turns.len());
            if let Some(best) = classes.first() {
                out.observables = best.bits.iter().zip(&turns).map(|(s, t)| (*s < 0) != (*t != 0)).collect::<BitVec>();
            }
            Ok(())
        });
        self.params.seed = seed;
        self.shots += shots;
        result
    }
}
