//! Exact samples.

mod block;
mod seam;
#[cfg(test)]
mod tests;

use linalg_core::rand::{Rng, RngExt};
use linalg_core::{Observer, Streams};
use std::collections::VecDeque;
use std::sync::OnceLock;

use super::double::Double;
use super::elimination::kept_patches;
use super::number::{CarefulSum, Number};
use super::patch::Patch;
use super::prepared::{Configuration, Prepared};
use super::wide::Wide;
use super::{NAME, Planar, scaled, shifted, stopped};
use crate::error::check_beta;
use crate::model::{LnZ, Progress};
use crate::models::Ising;
use crate::{Error, Result, Spins};
use block::Block;
use seam::Seam;

/// The logarithms of the probability of a sample, as drawn and as the model has it, may differ by this, or by this
/// fraction of ln Z and its terms in large systems.
const TOLERANCE: f64 = 1e-9;
const RELATIVE_TOLERANCE: f64 = 1e-12;

/// Samples between two calls of an observer, a thread.
const OBSERVED: usize = 16;

/// Samples drawn in advance to see whether plain numbers will do.
const TRIALS: u64 = 3;

/// Independent configurations of a planar Ising model without fields, with probability `exp(-βE) / Z` each.
///
/// There is no chain: samples are exact and independent at any temperature, also of frustrated models. The dissection of
/// [`Planar`] is followed downwards. Walls around a disc of plaquettes are known; those through the seam that halves
/// it are drawn one after the other, each with its probability given those before, by the amplitudes of both halves.
/// Inside discs of about 16 plaquettes all sets of walls are summed.
///
/// # Precision
/// The probabilities with which the walls of a sample were drawn multiply to the probability of the sample, which is
/// also known from its energy and ln Z. Where the logarithms differ by more than 1e-9 (or 1e-12 of ln Z), the same
/// random numbers are used again with 106 bits, then 128, 384, 1280 and 3840. Rounding therefore changes no probability by more.
///
/// # Cost
/// For a lattice of N sites $`O(N^{3/2})`$ a sample, less than for ln Z, and $`O(N \ln N)`$ memory, which holds the amplitudes of
/// the larger discs. A ±J lattice with L = 32 at K = 1 takes about 2 ms a
/// sample.
///
/// ```
/// use linalg_core::{Observer, Streams};
/// use spin_models::Ising;
/// use spin_models::exact::planar::{Planar, PlanarSampler};
///
/// // A pair is antiparallel with probability 1 / (1 + e^{2 K}), here 1 / 4.
/// let pair = Ising::builder(2).coupling(0, 1, 1.0).build()?;
/// let sampler = PlanarSampler::new(&Planar::default(), &pair, 0.5 * 3f64.ln())?;
/// let samples = sampler.sample_batch(4000, &Streams::new(1))?;
/// let antiparallel = samples.iter().filter(|s| s[0] != s[1]).count() as f64;
/// // Four standard deviations of a binomial distribution.
/// assert!((antiparallel - 1000.0).abs() < 4.0 * 750f64.sqrt());
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// # References
/// - C. K. Thomas and A. A. Middleton, "Exact algorithm for sampling the two-dimensional Ising spin glass", Physical
///   Review E 80, 046708 (2009): nested dissection from the whole to the parts, with Kasteleyn cities.
#[derive(Debug)]
pub struct PlanarSampler {
    prepared: Prepared,
    /// Small sets of cells, whose walls are drawn by summation, and the steps in which they are not.
    blocks: Vec<Block>,
    by_seams: Vec<bool>,
    k: Vec<f64>,
    reference: Configuration,
    ln_z: LnZ,
    offset: f64,
    /// ln Z without the constant term.
    ln_weights: f64,
    /// The allowed difference of logarithms.
    tolerance: f64,
    /// Whether plain numbers are worth a try.
    plain_first: bool,
    plain: Amplitudes<f64>,
    double: Amplitudes<Double>,
    wide2: Amplitudes<Wide<2>>,
    wide6: Amplitudes<Wide<6>>,
    wide20: Amplitudes<Wide<20>>,
    wide60: Amplitudes<Wide<60>>,
}

/// The amplitudes of all patches, made when they are needed; `None` where they leave the range of the numbers.
type Amplitudes<T> = OnceLock<Option<Vec<Option<Patch<T>>>>>;

impl PlanarSampler {
    /// Computes ln Z and the amplitudes. About three times the cost of ln Z.
    ///
    /// # Errors
    /// As [`Planar`]; [`Error::NotApplicable`] for a lattice that is periodic in both directions.
    pub fn new(planar: &Planar, model: &Ising, beta: f64) -> Result<Self> {
        Self::new_observed(planar, model, beta, &mut ())
    }

    /// The same with an observer of the steps for ln Z, a third of the work.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`Error::Stopped`].
    pub fn new_observed(
        _planar: &Planar,
        model: &Ising,
        beta: f64,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Self> {
        check_beta(beta)?;
        let prepared = Prepared::new(model)?;
        if prepared.is_torus() {
            let reason = "samples need a plane graph, the lattice is periodic in both directions".into();
            return Err(Error::NotApplicable { solver: NAME, reason });
        }
        let k = scaled(model, beta);
        let ln_z = prepared.ln_z(&k, observer)?;
        let reference = prepared.configuration(&k)?;
        let mut by_seams = vec![true; prepared.program().up.len()];
        let mut blocks = Vec::new();
        for (block, steps) in Block::all(&prepared) {
            by_seams[steps].fill(false);
            blocks.push(block);
        }
        let terms: f64 = k.iter().map(|k| k.abs()).sum();
        let mut sampler = Self {
            tolerance: TOLERANCE.max(RELATIVE_TOLERANCE * terms.max(ln_z.value.abs())),
            ln_weights: ln_z.value,
            blocks,
            by_seams,
            offset: -beta * model.offset(),
            prepared,
            k,
            reference,
            ln_z,
            plain_first: true,
            plain: OnceLock::new(),
            double: OnceLock::new(),
            wide2: OnceLock::new(),
            wide6: OnceLock::new(),
            wide20: OnceLock::new(),
            wide60: OnceLock::new(),
        };
        let trials = (0..TRIALS).filter(|&k| {
            let uniforms = sampler.uniforms(&mut Streams::new(0).stream(k));
            sampler.attempt(&sampler.plain, &uniforms).is_ok()
        });
        sampler.plain_first = 2 * trials.count() as u64 > TRIALS;
        if !sampler.plain_first {
            sampler.plain = OnceLock::from(None);
        }
        Ok(sampler)
    }

    /// Number of spins.
    pub fn n_spins(&self) -> usize {
        self.prepared.graph.n_vertices()
    }

    /// ln Z of the model, as [`Planar`] gives it.
    pub fn ln_z(&self) -> LnZ {
        shifted(self.ln_z, self.offset)
    }

    /// One configuration.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] with the difference of logarithms where even 3840 bits lose the digits.
    pub fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> Result<Spins> {
        let uniforms = self.uniforms(rng);
        let mut last = f64::NAN;
        let mut keep = |answer: std::result::Result<Vec<i8>, f64>| match answer {
            Ok(spins) => Some(Spins::from_signs(&spins)),
            Err(difference) => {
                last = difference;
                None
            }
        };
        let mut found = None;
        if self.plain_first {
            found = keep(self.attempt(&self.plain, &uniforms));
        }
        found = found.or_else(|| keep(self.attempt(&self.double, &uniforms)));
        found = found.or_else(|| keep(self.attempt(&self.wide2, &uniforms)));
        found = found.or_else(|| keep(self.attempt(&self.wide6, &uniforms)));
        found = found.or_else(|| keep(self.attempt(&self.wide20, &uniforms)));
        found = found.or_else(|| keep(self.attempt(&self.wide60, &uniforms)));
        found.unwrap_or_else(|| {
            let reason = format!(
                "with 3840 bits the probability of a sample is off by {last:e} in its logarithm, expected at most {:e}: \
                 the temperature is too low",
                self.tolerance
            );
            Err(Error::NotApplicable { solver: NAME, reason })
        })
    }

    /// `n` configurations; that of number k is drawn with stream k. With the feature `rayon` on all cores, the same.
    ///
    /// # Errors
    /// As [`sample`](Self::sample).
    pub fn sample_batch(&self, n: usize, streams: &Streams) -> Result<Vec<Spins>> {
        self.sample_batch_observed(n, streams, &mut ())
    }

    /// The same with an observer, which sees every 16 samples, with the feature `rayon` every 16 a core.
    ///
    /// # Errors
    /// As [`sample`](Self::sample); [`Error::Stopped`] with the number of samples that are done.
    pub fn sample_batch_observed(
        &self,
        n: usize,
        streams: &Streams,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Vec<Spins>> {
        let one = |k: usize| self.sample(&mut streams.stream(k as u64));
        let mut samples = Vec::with_capacity(n);
        while samples.len() < n {
            let done = samples.len();
            if observer.observe(&Progress::new("sampling", done as u64, n as u64)).is_break() {
                return Err(stopped(done as u64, n as u64));
            }
            #[cfg(feature = "rayon")]
            {
                use rayon::prelude::*;
                let part = done..n.min(done + OBSERVED * rayon::current_num_threads());
                samples.extend(part.into_par_iter().map(one).collect::<Result<Vec<_>>>()?);
            }
            #[cfg(not(feature = "rayon"))]
            for k in done..n.min(done + OBSERVED) {
                samples.push(one(k)?);
            }
        }
        Ok(samples)
    }

    /// A number for every side, then one for every site, of which the first of every component is used.
    fn uniforms<R: Rng + ?Sized>(&self, rng: &mut R) -> Vec<f64> {
        (0..self.prepared.n_sides() + self.n_spins()).map(|_| rng.random()).collect()
    }

    /// A configuration with these numbers, or by how much the logarithm of its probability is off.
    fn attempt<T: Number>(&self, amplitudes: &Amplitudes<T>, uniforms: &[f64]) -> std::result::Result<Vec<i8>, f64> {
        let program = self.prepared.program();
        let exponents = &self.reference.exponents[..];
        let patches = amplitudes.get_or_init(|| kept_patches(program, exponents, |k| self.by_seams[k])).as_deref();
        let Some(patches) = patches else { return Err(f64::INFINITY) };
        let mut ln_probability = CarefulSum::default();
        let mut wall = vec![false; self.prepared.n_sides()];
        for (step, _) in program.up.iter().zip(&self.by_seams).rev().filter(|&(_, &by_seam)| by_seam) {
            let (left, right) = (step.left as usize, step.right as usize);
            let (Some(a), Some(b)) = (&patches[left], &patches[right]) else { unreachable!("all patches are kept") };
            let words = [&program.words[left][..], &program.words[right][..]];
            let seam = Seam { step, words, exponents, uniforms };
            ln_probability.add(seam.draw([a, b], &mut wall).ok_or(f64::INFINITY)?);
        }
        let mut weights = Vec::new();
        for block in &self.blocks {
            ln_probability.add(block.draw(exponents, uniforms, &mut wall, &mut weights).ok_or(f64::INFINITY)?);
        }
        for &bridge in self.prepared.bridges() {
            // A wall with probability w / (1 + w).
            let unlikely = (-exponents[bridge].abs()).exp();
            let other = uniforms[bridge] < unlikely / (1.0 + unlikely);
            wall[bridge] = other != (exponents[bridge] > 0.0);
            ln_probability.add(-unlikely.ln_1p() - if other { exponents[bridge].abs() } else { 0.0 });
        }
        ln_probability.add(-(self.prepared.n_components() as f64) * std::f64::consts::LN_2);
        let spins = self.spins(&wall, &uniforms[self.prepared.n_sides()..]);
        let mut difference = ln_probability;
        difference.add(self.ln_weights);
        for (&(i, j), &k) in self.prepared.graph.edges().iter().zip(&self.k) {
            difference.add(-k * f64::from(spins[i] * spins[j]));
        }
        let difference = difference.value().abs();
        if difference <= self.tolerance { Ok(spins) } else { Err(difference) }
    }

    /// The configuration with these walls relative to the reference.
    fn spins(&self, wall: &[bool], uniforms: &[f64]) -> Vec<i8> {
        let graph = &self.prepared.graph;
        let reference = &self.reference.spins;
        let mut spins = vec![0i8; reference.len()];
        let mut queue = VecDeque::new();
        for root in 0..spins.len() {
            if spins[root] != 0 {
                continue;
            }
            spins[root] = if uniforms[root] < 0.5 { 1 } else { -1 };
            queue.push_back(root);
            while let Some(v) = queue.pop_front() {
                for next in graph.neighbors(v) {
                    if spins[next.vertex] != 0 {
                        continue;
                    }
                    let relative = reference[v] * reference[next.vertex];
                    spins[next.vertex] = spins[v] * if wall[next.edge] { -relative } else { relative };
                    queue.push_back(next.vertex);
                }
            }
        }
        spins
    }
}

#[cfg(test)]
impl PlanarSampler {
    /// Whether plain numbers, and numbers of 106 bits, give the same sample within the tolerance.
    fn attempts(&self, uniforms: &[f64]) -> [std::result::Result<Vec<i8>, f64>; 2] {
        [self.attempt(&self.plain, uniforms), self.attempt(&self.double, uniforms)]
    }
}
