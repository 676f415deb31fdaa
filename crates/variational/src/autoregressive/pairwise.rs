//! Conditionals that know the couplings (Biazzo, Commun. Phys. 6, 296 (2023)).

use linalg_core::Streams;
use rand::{Rng, RngExt};
use spin_models::Ising;

use super::network::Autoregressive;
use super::spins::Samples;
use crate::Result;
use crate::error::{check_beta, check_positive};
use crate::kernels::{AddLnCosh, AddProducts, LnCoshGradient, Shares};
use crate::scalar::Scalar;
use linalg_core::simd::widest;

/// Parameters of [`TwoBody`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct TwoBodyParams {
    /// Number K of terms in the sum over states of the later spins; default 1.
    pub terms: usize,
    /// Size of the random part of the first parameters, which tells the terms apart; default 0.01.
    pub noise: f64,
    /// Seed of the first parameters.
    pub seed: u64,
}

impl Default for TwoBodyParams {
    fn default() -> Self {
        Self { terms: 1, noise: 0.01, seed: 1 }
    }
}

impl TwoBodyParams {
    /// Sets the number of terms.
    pub fn terms(mut self, terms: usize) -> Self {
        self.terms = terms;
        self
    }

    /// Sets the size of the random part of the first parameters.
    pub fn noise(mut self, noise: f64) -> Self {
        self.noise = noise;
        self
    }

    /// Sets the seed of the first parameters.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

/// A network whose conditionals have the form of a pairwise model's, with the couplings built in.
///
/// The exact conditional of a pairwise model is
///
/// ```math
/// P(s_i = +1 \mid s_{<i}) = \sigma\Bigl(2\beta h_i + 2\beta \sum_{j<i} J_{ij} s_j + \ln \rho_i^+ - \ln \rho_i^-\Bigr)
/// ```
///
/// where $`\rho_i^\pm`$ sums over the later spins, on which the earlier ones act through the fields
/// $`\xi_{il} = \beta \sum_{j<i} J_{lj} s_j`$ and $`s_i = \pm 1`$ through $`\pm \beta J_{il}`$. Here
///
/// ```math
/// \rho_i^\pm = \sum_{k=1}^{K} \exp\Bigl(c_{ik} + \sum_{l>i} w_{kil} \ln\cosh(\xi_{il} + g_{kil} \pm b_{kil})\Bigr)
/// ```
///
/// with trained weights. At first w = 1, b = βJ, g = βh: exact if the later spins did not act on one another, hence on
/// stars around the earlier spins, on open chains, and to first order in β. K = 1 is the two-body form; K = 2, 3 are
/// those that one and two steps of replica-symmetry breaking suggest for the Sherrington-Kirkpatrick model.
/// Without fields g is absent, the logits are odd, and `q(-s) = q(s)`.
///
/// Only the l > i that are coupled to some site up to i enter, so that a lattice costs its frontier. Cost of a pass over B
/// samples: a logarithm and an exponential for each of `2 K B Σ_i (number of l)`, and `O(N² B)` for the direct part.
///
/// ```
/// use spin_models::{Boundary, Enumeration, EnergyModel, Ising, LogPartition};
/// use variational::Normalized;
/// use variational::autoregressive::{TwoBody, TwoBodyParams};
///
/// // An open chain: the untrained form is its Boltzmann distribution.
/// let chain = Ising::chain(4, Boundary::Free, 1.0)?;
/// let network = TwoBody::<f64>::new(&chain, 0.6, TwoBodyParams::default().noise(0.0))?;
/// let s = [1, 1, -1, -1];
/// let exact = -0.6 * chain.energy(&s) - Enumeration::default().ln_z(&chain, 0.6)?.value;
/// assert!((network.ln_prob(&s) - exact).abs() < 1e-10);
/// # Ok::<(), variational::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct TwoBody<T = f32> {
    n: usize,
    terms: usize,
    fields: bool,
    /// For every site the later sites that see it or an earlier one.
    later: Vec<Vec<u32>>,
    /// For every site the later sites coupled to it, with β times the coupling.
    acts_on: Vec<Vec<(u32, T)>>,
    /// Where the parameters of the terms of a site begin.
    start: Vec<usize>,
    parameters: Vec<f64>,
    theta: Vec<T>,
    problem: u64,
}

/// Activations of a [`TwoBody`] for a block of samples.
#[derive(Debug, Clone)]
pub struct TwoBodyPass<T> {
    samples: Samples<T>,
    /// β Σ_{j<i} J_lj s_j for all l, at the present i.
    xi: Vec<T>,
    logit: Vec<T>,
    /// ln of the terms, for s_i = +1 and then -1: 2 K x samples.
    ln_terms: Vec<T>,
    /// ln of their sum.
    total: Vec<T>,
}

/// Numbers a term and later site has: w, b, and g with fields.
const fn per_site(fields: bool) -> usize {
    if fields { 3 } else { 2 }
}

impl<T: Scalar> TwoBody<T> {
    /// The form for this model at this temperature, with its first parameters.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for no terms; β that is negative or not finite.
    pub fn new(model: &Ising, beta: f64, params: TwoBodyParams) -> Result<Self> {
        check_beta(beta)?;
        check_positive("terms", params.terms)?;
        use spin_models::EnergyModel;
        let (n, fields) = (model.n_spins(), model.has_fields());
        let mut later = Vec::with_capacity(n);
        let mut start = Vec::with_capacity(n);
        let mut next = n * n + if fields { n } else { 0 };
        let mut seen = vec![false; n];
        for i in 0..n {
            model.row(i).0.iter().for_each(|&l| seen[l as usize] = true);
            let list: Vec<u32> = (i as u32 + 1..n as u32).filter(|&l| seen[l as usize]).collect();
            start.push(next);
            next += params.terms * (1 + per_site(fields) * list.len());
            later.push(list);
        }
        let rows = |i: usize| model.row(i).0.iter().zip(model.row(i).1);
        let coupled =
            |i: usize| rows(i).filter(move |&(&l, _)| l as usize > i).map(|(&l, &j)| (l, T::from_f64(beta * j)));
        let acts_on = (0..n).map(|i| coupled(i).collect()).collect();
        let mut network = Self {
            n,
            terms: params.terms,
            fields,
            later,
            acts_on,
            start,
            parameters: vec![0.0; next],
            theta: vec![T::ZERO; next],
            problem: model.content_hash() ^ beta.to_bits(),
        };
        let mut rng = Streams::new(params.seed).stream(0);
        let mut noise = || params.noise * (2.0 * rng.random::<f64>() - 1.0);
        let mut first = vec![0.0; next];
        let mut coupling = vec![0.0; n];
        for i in 0..n {
            rows(i).for_each(|(&j, &value)| coupling[j as usize] += beta * value);
            for j in 0..i {
                first[i * n + j] = 2.0 * coupling[j];
            }
            if fields {
                first[n * n + i] = 2.0 * beta * model.fields()[i];
            }
            for k in 0..params.terms {
                let block = network.block(i, k);
                for (l, p) in
                    network.later[i].iter().zip(first[block.start + 1..block.end].chunks_exact_mut(per_site(fields)))
                {
                    let l = *l as usize;
                    p[0] = 1.0 + noise();
                    p[1] = coupling[l] + noise();
                    if fields {
                        p[2] = beta * model.fields()[l] + noise();
                    }
                }
            }
            rows(i).for_each(|(&j, _)| coupling[j as usize] = 0.0);
        }
        network.set_parameters(&first)?;
        Ok(network)
    }

    /// Parameters of term `k` at site `i`: c, then w, b (and g) for every later site.
    fn block(&self, i: usize, k: usize) -> std::ops::Range<usize> {
        let size = 1 + per_site(self.fields) * self.later[i].len();
        self.start[i] + k * size..self.start[i] + (k + 1) * size
    }

    /// w, g + b and g - b.
    fn shifts(&self, p: &[T]) -> (T, [T; 2]) {
        let minus = T::from_f64(-1.0);
        if self.fields { (p[0], [p[2] + p[1], p[2] + minus * p[1]]) } else { (p[0], [p[1], minus * p[1]]) }
    }

    /// The logarithms of the terms of site `i`, from the fields on the later sites.
    fn ln_terms(&self, i: usize, pass: &mut TwoBodyPass<T>) {
        let b = pass.samples.b;
        for k in 0..self.terms {
            let p = &self.theta[self.block(i, k)];
            for sign in 0..2 {
                let sum = &mut pass.ln_terms[(sign * self.terms + k) * b..][..b];
                sum.fill(p[0]);
                for (l, p) in self.later[i].iter().zip(p[1..].chunks_exact(per_site(self.fields))) {
                    let (w, shift) = self.shifts(p);
                    widest(AddLnCosh { xi: &pass.xi[*l as usize * b..][..b], shift: shift[sign], w, sum });
                }
            }
        }
    }

    /// The logits of site `i` into `pass.logit`; replaces the logarithms of the terms by their shares.
    fn logits(&self, i: usize, pass: &mut TwoBodyPass<T>) {
        let (b, n) = (pass.samples.b, self.n);
        pass.logit.fill(if self.fields { self.theta[n * n + i] } else { T::ZERO });
        if i > 0 && b > 0 {
            widest(AddProducts {
                z: &mut pass.logit,
                w: &self.theta[i * n..(i + 1) * n],
                stride: n,
                a: &pass.samples.spin[..i * b],
                samples: b,
            });
        }
        self.ln_terms(i, pass);
        if b > 0 {
            for (ln_terms, factor) in pass.ln_terms.chunks_exact_mut(self.terms * b).zip([1.0, -1.0]) {
                let (logit, total) = (&mut pass.logit, &mut pass.total);
                widest(Shares { ln_terms, factor: T::from_f64(factor), logit, total });
            }
        }
    }

    /// Adds what spin `i` does to the later ones.
    fn act(&self, i: usize, pass: &mut TwoBodyPass<T>) {
        let b = pass.samples.b;
        let spin = &pass.samples.spin[i * b..(i + 1) * b];
        for &(l, coupling) in &self.acts_on[i] {
            let xi = &mut pass.xi[l as usize * b..][..b];
            xi.iter_mut().zip(spin).for_each(|(xi, &s)| *xi = *xi + coupling * s);
        }
    }
}

impl<T: Scalar> Autoregressive for TwoBody<T> {
    type Scalar = T;
    type Pass = TwoBodyPass<T>;

    fn n_spins(&self) -> usize {
        self.n
    }

    fn architecture(&self) -> String {
        format!("two-body:{}:{} of {} spins, model {:016x}", self.terms, T::NAME, self.n, self.problem)
    }

    fn parameters(&self) -> &[f64] {
        &self.parameters
    }

    fn set_parameters(&mut self, parameters: &[f64]) -> Result<()> {
        super::check_parameters(parameters, self.parameters.len())?;
        self.parameters.copy_from_slice(parameters);
        for (i, row) in self.parameters[..self.n * self.n].chunks_exact_mut(self.n).enumerate() {
            row[i..].fill(0.0);
        }
        super::round_parameters(&mut self.theta, &self.parameters);
        Ok(())
    }

    fn n_free_parameters(&self) -> usize {
        self.parameters.len() - self.n * (self.n + 1) / 2
    }

    fn is_odd(&self) -> bool {
        !self.fields
    }

    fn new_pass(&self, samples: usize) -> TwoBodyPass<T> {
        TwoBodyPass {
            samples: Samples::new(self.n, samples),
            xi: vec![T::ZERO; self.n * samples],
            logit: vec![T::ZERO; samples],
            ln_terms: vec![T::ZERO; 2 * self.terms * samples],
            total: vec![T::ZERO; samples],
        }
    }

    fn samples(&self, pass: &TwoBodyPass<T>) -> usize {
        pass.samples.b
    }

    fn sample_pass<R: Rng + ?Sized>(&self, pass: &mut TwoBodyPass<T>, rng: &mut R) {
        pass.samples.begin();
        pass.xi.fill(T::ZERO);
        for i in 0..self.n {
            self.logits(i, pass);
            pass.samples.draw(i, &pass.logit, rng);
            self.act(i, pass);
        }
        pass.samples.end();
    }

    fn evaluate(&self, batch: &[i8], pass: &mut TwoBodyPass<T>) {
        pass.samples.set_rows(batch);
        pass.samples.begin();
        pass.xi.fill(T::ZERO);
        for i in 0..self.n {
            self.logits(i, pass);
            pass.samples.condition(i, &pass.logit);
            self.act(i, pass);
        }
        pass.samples.end();
    }

    fn write_spins(&self, pass: &TwoBodyPass<T>, out: &mut [i8]) {
        pass.samples.write_rows(out);
    }

    fn ln_q<'a>(&self, pass: &'a TwoBodyPass<T>) -> &'a [f64] {
        &pass.samples.ln_q
    }

    /// Goes through the sites once more: storing what every pair gave would take more memory than time.
    fn accumulate_gradient(&self, pass: &mut TwoBodyPass<T>, weights: &[f64], gradient: &mut [T]) {
        super::check_gradient(gradient.len(), self.parameters.len());
        let (b, n, size) = (pass.samples.b, self.n, per_site(self.fields));
        let mut delta = Vec::new();
        pass.samples.logit_gradient(weights, &mut delta);
        pass.xi.fill(T::ZERO);
        let mut share = vec![T::ZERO; b];
        for i in 0..n {
            let delta = &delta[i * b..(i + 1) * b];
            for (g, spin) in gradient[i * n..i * n + i].iter_mut().zip(pass.samples.spin.chunks_exact(b.max(1))) {
                *g = *g + delta.iter().zip(spin).fold(T::ZERO, |sum, (&d, &s)| sum + d * s);
            }
            if self.fields {
                gradient[n * n + i] = delta.iter().fold(gradient[n * n + i], |sum, &d| sum + d);
            }
            if self.terms > 1 {
                // The shares of the terms in their sums.
                self.logits(i, pass);
            } else {
                pass.ln_terms.fill(T::ONE);
            }
            for k in 0..self.terms {
                let block = self.block(i, k);
                for (sign, factor) in [1.0, -1.0].into_iter().enumerate() {
                    let factor = T::from_f64(factor);
                    let part = &pass.ln_terms[(sign * self.terms + k) * b..][..b];
                    for ((share, &part), &d) in share.iter_mut().zip(part).zip(delta) {
                        *share = factor * d * part;
                    }
                    let c = &mut gradient[block.start];
                    *c = share.iter().fold(*c, |sum, &x| sum + x);
                    let p = self.theta[block.start + 1..block.end].chunks_exact(size);
                    let g = gradient[block.start + 1..block.end].chunks_exact_mut(size);
                    for ((l, p), g) in self.later[i].iter().zip(p).zip(g) {
                        let (w, shift) = self.shifts(p);
                        let mut sums = [T::ZERO; 2];
                        let xi = &pass.xi[*l as usize * b..][..b];
                        widest(LnCoshGradient { xi, shift: shift[sign], share: &share, sums: &mut sums });
                        g[0] = g[0] + sums[0];
                        g[1] = g[1] + factor * w * sums[1];
                        if self.fields {
                            g[2] = g[2] + w * sums[1];
                        }
                    }
                }
            }
            self.act(i, pass);
        }
    }
}
