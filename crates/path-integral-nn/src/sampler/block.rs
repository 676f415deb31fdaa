//! A block of chains and what they sample.

use std::sync::Arc;

use linalg_core::checkpoint::{CheckpointError, ContentHash, Reader, Writer};
use linalg_core::rand::RngExt;
use linalg_core::rng::{Streams, Xoshiro256PlusPlus, standard_normal};

use crate::action::{Action, LANES, Scratch};
use crate::error::{Error, Result};
use crate::reference::{GaussianReference, ReferenceOscillator};

/// An action and its quadratic reference: $`S = S_{\mathrm{ref}} + \Phi`$.
#[derive(Debug, Clone)]
pub struct Target {
    action: Action,
    reference: GaussianReference,
}

impl Target {
    /// With a given reference oscillator.
    ///
    /// # Errors
    /// As [`GaussianReference::new`].
    pub fn new(action: &Action, oscillator: ReferenceOscillator) -> Result<Self> {
        Ok(Self { action: action.clone(), reference: GaussianReference::new(action, oscillator)? })
    }

    /// With the oscillator of least energy on the action's lattice.
    ///
    /// # Errors
    /// As [`ReferenceOscillator::variational_on`] and [`GaussianReference::new`].
    pub fn variational(action: &Action) -> Result<Self> {
        Self::new(action, ReferenceOscillator::variational_on(action)?)
    }

    /// The action.
    pub fn action(&self) -> &Action {
        &self.action
    }

    /// The reference.
    pub fn reference(&self) -> &GaussianReference {
        &self.reference
    }

    /// A hash of everything that decides what a run does, the potential by values at fixed points.
    pub(crate) fn hash(&self) -> u64 {
        let system = self.action.system();
        let mut hash = ContentHash::new();
        let oscillator = self.reference.oscillator();
        hash.write_f64s(&[system.mass(), system.hbar(), oscillator.frequency, oscillator.center]);
        hash.write_str(self.action.rule().name()).write_str(&format!("{:?}", self.action.ensemble()));
        let mut rng = Streams::new(17).stream(0);
        for _ in 0..16 {
            let point: Vec<f64> = (0..system.dim()).map(|_| 2.0 * standard_normal(&mut rng)).collect();
            hash.write_f64(self.action.effective_potential().value(&point));
        }
        hash.finish()
    }
}

/// [`LANES`] chains: paths, generators and counters; what a [`Sampler`](super::Sampler) works on.
///
/// Number `(point * LANES + chain) * dim + coordinate` of [`paths`](Self::paths) and of every other array of this length is that
/// of a coordinate of a point of a chain. A step of a sampler proposes new paths, [decides](Self::accept) for each chain, and
/// draws its random numbers from here, so that results do not depend on threads.
#[derive(Debug, Clone)]
pub struct Block {
    target: Arc<Target>,
    pub(super) x: Vec<f64>,
    rngs: Vec<Xoshiro256PlusPlus>,
    pub(super) scratch: Scratch,
    /// $`\Phi`$ of the present paths, where it is known.
    known: Option<[f64; LANES]>,
    /// Proposals and what was accepted of them, by chain.
    pub(super) proposed: u64,
    pub(super) accepted: u64,
    /// Forces or potentials of whole paths, for one chain.
    pub(super) evaluations: f64,
}

impl Block {
    /// Paths drawn from the reference; chain `k` uses the fast stream `first + k`.
    ///
    /// # Errors
    /// [`Error::PathNotFinite`] when the action of such a path is not finite.
    pub fn new(target: &Arc<Target>, streams: Streams, first: u64) -> Result<Self> {
        let length = target.action.path_len() * LANES;
        let mut block = Self {
            target: Arc::clone(target),
            x: vec![0.0; length],
            rngs: (0..LANES as u64).map(|k| streams.fast_stream(first + k)).collect(),
            scratch: Scratch::default(),
            known: None,
            proposed: 0,
            accepted: 0,
            evaluations: 0.0,
        };
        let mut y = vec![0.0; length];
        block.draw_reference(&mut y);
        block.set_from_deviation(&y);
        let mut phi = [0.0; LANES];
        block.phi(&mut phi);
        if let Some(lane) = phi.iter().position(|p| !p.is_finite()) {
            let (what, chain) = ("action", first as usize + lane);
            return Err(Error::PathNotFinite { what, chain, step: 0, value: phi[lane] });
        }
        Ok(block)
    }

    /// What is sampled.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The target, shared.
    pub(super) fn shared_target(&self) -> Arc<Target> {
        Arc::clone(&self.target)
    }

    /// The paths of all chains.
    pub fn paths(&self) -> &[f64] {
        &self.x
    }

    /// The path of one chain, point by point.
    ///
    /// # Panics
    /// When there is no such chain.
    pub fn path(&self, chain: usize) -> Vec<f64> {
        assert!(chain < LANES, "chain {chain} of {LANES}");
        let dim = self.dim();
        self.x.chunks_exact(dim).skip(chain).step_by(LANES).flatten().copied().collect()
    }

    /// The paths, for a sampler to change.
    pub fn paths_mut(&mut self) -> &mut [f64] {
        self.known = None;
        &mut self.x
    }

    /// Number of coordinates of a point.
    pub fn dim(&self) -> usize {
        self.target.action.system().dim()
    }

    pub(super) fn cols(&self) -> usize {
        LANES * self.dim()
    }

    pub(super) fn hbar(&self) -> f64 {
        self.target.action.system().hbar()
    }

    /// Independent normal numbers, each chain from its own stream.
    ///
    /// # Panics
    /// When the length is not a multiple of [`LANES`] times the dimension.
    pub fn normals(&mut self, out: &mut [f64]) {
        let dim = self.dim();
        assert!(out.len().is_multiple_of(LANES * dim), "{} numbers for rows of {}", out.len(), LANES * dim);
        for row in out.chunks_exact_mut(LANES * dim) {
            for (numbers, rng) in row.chunks_exact_mut(dim).zip(&mut self.rngs) {
                numbers.iter_mut().for_each(|x| *x = standard_normal(rng));
            }
        }
    }

    /// Uniform numbers in [0, 1), one a chain.
    pub fn uniforms(&mut self) -> [f64; LANES] {
        let mut out = [0.0; LANES];
        out.iter_mut().zip(&mut self.rngs).for_each(|(u, rng)| *u = rng.random());
        out
    }

    /// Deviations from the mean drawn from the reference. O(N) a chain.
    ///
    /// # Panics
    /// When the length is not that of [`paths`](Self::paths); so do the other methods that take arrays.
    pub fn draw_reference(&mut self, out: &mut [f64]) {
        self.check(out);
        self.normals(out);
        self.target.reference.color(out, self.cols());
    }

    fn check(&self, values: &[f64]) {
        assert!(values.len() == self.x.len(), "{} numbers for {} of the paths", values.len(), self.x.len());
    }

    /// $`x = \mu + y`$, with the mean $`\mu`$ of the reference.
    ///
    /// # Panics
    /// As [`draw_reference`](Self::draw_reference).
    pub fn set_from_deviation(&mut self, y: &[f64]) {
        self.check(y);
        self.known = None;
        let (cols, dim) = (self.cols(), self.dim());
        let mean = self.target.reference.mean();
        for (k, (row, from)) in self.x.chunks_exact_mut(cols).zip(y.chunks_exact(cols)).enumerate() {
            if dim == 1 {
                row.iter_mut().zip(from).for_each(|(x, y)| *x = mean[k] + y);
                continue;
            }
            for (c, (x, y)) in row.iter_mut().zip(from).enumerate() {
                *x = mean[k * dim + c % dim] + y;
            }
        }
    }

    /// $`y = x - \mu`$.
    ///
    /// # Panics
    /// As [`draw_reference`](Self::draw_reference).
    pub fn deviation(&self, out: &mut [f64]) {
        self.check(out);
        let (cols, dim) = (self.cols(), self.dim());
        let mean = self.target.reference.mean();
        for (k, (row, to)) in self.x.chunks_exact(cols).zip(out.chunks_exact_mut(cols)).enumerate() {
            if dim == 1 {
                row.iter().zip(to).for_each(|(x, y)| *y = x - mean[k]);
                continue;
            }
            for (c, (x, y)) in row.iter().zip(to).enumerate() {
                *y = x - mean[k * dim + c % dim];
            }
        }
    }

    /// $`\Phi = S - S_{\mathrm{ref}}`$ of every chain; counts as an evaluation.
    pub fn phi(&mut self, out: &mut [f64; LANES]) {
        out.fill(0.0);
        self.target.action.potential_part(&self.x, LANES, &mut self.scratch, out);
        let (cols, dim) = (self.cols(), self.dim());
        let reference = &self.target.reference;
        let center = reference.oscillator().center;
        for (row, spring) in self.x.chunks_exact(cols).zip(&reference.springs) {
            let half = 0.5 * spring;
            if dim == 1 {
                out.iter_mut().zip(row).for_each(|(sum, x)| *sum -= half * (x - center) * (x - center));
            } else {
                for (sum, point) in out.iter_mut().zip(row.chunks_exact(dim)) {
                    *sum -= half * point.iter().map(|x| (x - center) * (x - center)).sum::<f64>();
                }
            }
        }
        self.evaluations += 1.0;
    }

    /// $`\Phi`$ of the present paths, from memory if the last step left it there.
    ///
    /// A step that writes to the paths has to go through [`settle`](Self::settle) or [`count`](Self::count).
    pub(super) fn phi_here(&mut self) -> [f64; LANES] {
        if let Some(known) = self.known {
            return known;
        }
        let mut phi = [0.0; LANES];
        self.phi(&mut phi);
        self.evaluations -= 1.0;
        phi
    }

    /// [`accept`](Self::accept) that remembers which $`\Phi`$ stays.
    pub(super) fn settle(&mut self, d: &[f64; LANES], old: &[f64], before: &[f64; LANES], after: &[f64; LANES]) {
        let taken = self.accept(d, old);
        let mut known = *before;
        known.iter_mut().zip(after).zip(taken).filter(|(_, t)| *t).for_each(|((k, a), _)| *k = *a);
        self.known = Some(known);
    }

    /// Gradient of the potential part of the action.
    pub(super) fn potential_gradient(&mut self, out: &mut [f64]) {
        self.target.action.potential_gradient(&self.x, LANES, &mut self.scratch, out);
        self.evaluations += 1.0;
    }

    /// $`\nabla\Phi`$; counts as an evaluation.
    ///
    /// # Panics
    /// As [`draw_reference`](Self::draw_reference).
    pub fn phi_gradient(&mut self, out: &mut [f64]) {
        self.check(out);
        self.potential_gradient(out);
        let cols = self.cols();
        let reference = &self.target.reference;
        let center = reference.oscillator().center;
        let rows = out.chunks_exact_mut(cols).zip(self.x.chunks_exact(cols)).zip(&reference.springs);
        for ((g, x), spring) in rows {
            g.iter_mut().zip(x).for_each(|(g, x)| *g -= spring * (x - center));
        }
    }

    /// The action $`S`$ of every chain, up to the constant of the kernel's normalisation; counts as an evaluation.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use linalg_core::Streams;
    /// use path_integral_nn::sampler::{Block, LANES, Target};
    /// use path_integral_nn::{Action, Ensemble, Polynomial, Rule, System};
    ///
    /// // Two steps of ½ between x = 0 and x = 0, and a point between at 1: S = 2 · 1²/(2 · ½) + ½ · V(1).
    /// let system = System::new(Polynomial::oscillator(1.0, 1.0)?)?;
    /// let action = Action::new(&system, &Ensemble::fixed_ends(1.0, 2, &[0.0], &[0.0])?, Rule::Trapezoid)?;
    /// let mut block = Block::new(&Arc::new(Target::variational(&action)?), Streams::new(1), 0)?;
    /// block.paths_mut().fill(1.0);
    /// let mut actions = [0.0; LANES];
    /// block.action(&mut actions);
    /// assert!((actions[0] - 2.25).abs() < 1e-12);
    /// # Ok::<(), path_integral_nn::Error>(())
    /// ```
    pub fn action(&mut self, out: &mut [f64; LANES]) {
        out.fill(0.0);
        self.target.action.potential_part(&self.x, LANES, &mut self.scratch, out);
        out.iter_mut().enumerate().for_each(|(l, sum)| *sum += self.target.action.quadratic_part(&self.x, l));
        self.evaluations += 1.0;
    }

    /// $`\nabla S`$; counts as an evaluation.
    ///
    /// # Panics
    /// As [`draw_reference`](Self::draw_reference).
    pub fn action_gradient(&mut self, out: &mut [f64]) {
        self.check(out);
        self.target.action.block_gradient(&self.x, LANES, &mut self.scratch, out);
        self.evaluations += 1.0;
    }

    /// Accepts each chain with probability $`\min(1, e^{-d})`$; `old` goes back to where a proposal is not accepted.
    ///
    /// A NaN is not accepted. Returns what was.
    ///
    /// # Panics
    /// As [`draw_reference`](Self::draw_reference).
    pub fn accept(&mut self, d: &[f64; LANES], old: &[f64]) -> [bool; LANES] {
        self.check(old);
        let u = self.uniforms();
        let mut taken = [false; LANES];
        for l in 0..LANES {
            // A NaN is not accepted.
            taken[l] = d[l] <= 0.0 || u[l] < (-d[l]).exp();
        }
        self.count(&taken);
        if taken.contains(&false) {
            let dim = self.dim();
            for (row, from) in self.x.chunks_exact_mut(LANES * dim).zip(old.chunks_exact(LANES * dim)) {
                for (l, taken) in taken.iter().enumerate() {
                    if !taken {
                        row[l * dim..(l + 1) * dim].copy_from_slice(&from[l * dim..(l + 1) * dim]);
                    }
                }
            }
        }
        taken
    }

    /// Counts one proposal a chain and what was accepted of it. [`accept`](Self::accept) does so itself; a step that decides
    /// otherwise calls this once.
    pub fn count(&mut self, taken: &[bool; LANES]) {
        // Paths may have changed without another sign of it.
        self.known = None;
        self.proposed += LANES as u64;
        self.accepted += taken.iter().filter(|t| **t).count() as u64;
    }

    pub(super) fn write(&self, out: &mut Writer) {
        out.write_f64s(&self.x).write_u64(self.proposed).write_u64(self.accepted).write_f64(self.evaluations);
        self.rngs.iter().for_each(|rng| {
            out.write_xoshiro(rng);
        });
    }

    pub(super) fn read(&mut self, from: &mut Reader<'_>) -> std::result::Result<(), CheckpointError> {
        from.read_f64s_into(&mut self.x)?;
        self.known = None;
        self.proposed = from.read_count()?;
        self.accepted = from.read_count()?;
        self.evaluations = from.read_f64()?;
        for rng in &mut self.rngs {
            *rng = from.read_xoshiro()?;
        }
        Ok(())
    }
}

/// Per-chain sums of products of two arrays.
pub(super) fn lane_dots(a: &[f64], b: &[f64], dim: usize) -> [f64; LANES] {
    let mut out = [0.0; LANES];
    for (a, b) in a.chunks_exact(LANES * dim).zip(b.chunks_exact(LANES * dim)) {
        if dim == 1 {
            for l in 0..LANES {
                out[l] += a[l] * b[l];
            }
        } else {
            for (sum, (a, b)) in out.iter_mut().zip(a.chunks_exact(dim).zip(b.chunks_exact(dim))) {
                *sum += a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            }
        }
    }
    out
}
