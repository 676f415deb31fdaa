//! Symmetrisation under permutations of the sites.

use std::collections::HashSet;

use linalg_core::checkpoint::ContentHash;
use rand::{Rng, RngExt};

use super::network::Autoregressive;
use crate::error::check_positive;
use crate::{Error, Result};

/// Most elements of a group.
const LARGEST: usize = 8192;

/// Most numbers of all its permutations together, elements times sites: half a gigabyte while they are found.
const MOST_NUMBERS: usize = LARGEST * LARGEST;

fn too_large(what: &'static str, value: usize, bound: usize) -> Error {
    Error::TooLarge { method: "site group", what, value, bound }
}

/// A group of permutations of N sites.
///
/// The element g takes the configuration s to $`(gs)_i = s_{g(i)}`$. Constructors for lattices order sites row by row, as
/// `Lattice` of `spin-models` does; [`generated`](Self::generated) closes any set of permutations.
///
/// ```
/// use variational::autoregressive::SiteGroup;
///
/// assert_eq!(SiteGroup::translations(2, 3)?.len(), 6);
/// assert_eq!(SiteGroup::square(3)?.len(), 8);
/// // Translations and the symmetries of the square together: 8 L² elements.
/// let square = SiteGroup::square(4)?;
/// assert_eq!(SiteGroup::translations(4, 4)?.with(&square)?.len(), 128);
/// # Ok::<(), variational::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteGroup {
    /// The identity first.
    elements: Vec<Vec<u32>>,
}

impl SiteGroup {
    /// The smallest group with these permutations of `n` sites.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no sites or a list that is no permutation; [`Error::WrongLength`] for one of another length;
    /// [`Error::TooLarge`] for a group of more than 8192 elements, or of more than 2²⁶ elements times sites.
    pub fn generated(n: usize, generators: &[Vec<u32>]) -> Result<Self> {
        check_positive("number of sites", n)?;
        if n > MOST_NUMBERS {
            return Err(too_large("number of sites", n, MOST_NUMBERS));
        }
        for generator in generators {
            let got = generator.len();
            if got != n {
                return Err(Error::WrongLength { what: "sites of a permutation", got, expected: n });
            }
            let mut seen = vec![false; n];
            for &i in generator {
                if seen.get(i as usize) != Some(&false) {
                    let value = format!("site {i} of {n}");
                    return Err(Error::Parameter { what: "permutation", value, expected: "every site once" });
                }
                seen[i as usize] = true;
            }
        }
        let identity: Vec<u32> = (0..n as u32).collect();
        let mut known = HashSet::from([identity.clone()]);
        let mut elements = vec![identity];
        let mut next = 0;
        while next < elements.len() {
            for generator in generators {
                let product: Vec<u32> = elements[next].iter().map(|&i| generator[i as usize]).collect();
                if known.insert(product.clone()) {
                    elements.push(product);
                }
                if elements.len() > LARGEST {
                    return Err(too_large("number of elements", elements.len(), LARGEST));
                }
                let numbers = elements.len().saturating_mul(n);
                if numbers > MOST_NUMBERS {
                    return Err(too_large("number of elements times sites", numbers, MOST_NUMBERS));
                }
            }
            next += 1;
        }
        Ok(Self { elements })
    }

    /// Translations of a periodic rectangle: `height · width` elements.
    ///
    /// # Errors
    /// As [`generated`](Self::generated).
    pub fn translations(height: usize, width: usize) -> Result<Self> {
        let elements = height.saturating_mul(width);
        if elements > LARGEST {
            return Err(too_large("number of elements", elements, LARGEST));
        }
        Self::of_rectangle(height, width, &[|y, x, h, w| ((y + 1) % h, x, w), |y, x, _, w| (y, (x + 1) % w, w)])
    }

    /// Reflections of a rectangle left to right and top to bottom: 4 elements.
    ///
    /// # Errors
    /// As [`generated`](Self::generated).
    pub fn reflections(height: usize, width: usize) -> Result<Self> {
        Self::of_rectangle(height, width, &[|y, x, h, w| (h - 1 - y, x, w), |y, x, _, w| (y, w - 1 - x, w)])
    }

    /// Quarter turns of a square: 4 elements.
    ///
    /// # Errors
    /// As [`generated`](Self::generated).
    pub fn rotations(side: usize) -> Result<Self> {
        Self::of_rectangle(side, side, &[|y, x, h, w| (x, h - 1 - y, w)])
    }

    /// Quarter turns and reflections of a square: 8 elements.
    ///
    /// # Errors
    /// As [`generated`](Self::generated).
    pub fn square(side: usize) -> Result<Self> {
        Self::rotations(side)?.with(&Self::reflections(side, side)?)
    }

    /// The smallest group that holds both.
    ///
    /// # Errors
    /// As [`generated`](Self::generated).
    pub fn with(&self, other: &Self) -> Result<Self> {
        let generators: Vec<Vec<u32>> = self.elements.iter().chain(&other.elements).cloned().collect();
        Self::generated(self.n_sites(), &generators)
    }

    /// Each map takes row and column (and height and width) to row, column and width.
    #[allow(clippy::type_complexity)]
    fn of_rectangle(
        height: usize,
        width: usize,
        maps: &[fn(usize, usize, usize, usize) -> (usize, usize, usize)],
    ) -> Result<Self> {
        check_positive("height", height)?;
        check_positive("width", width)?;
        let n = height.saturating_mul(width);
        if n > MOST_NUMBERS {
            return Err(too_large("number of sites", n, MOST_NUMBERS));
        }
        let permutation = |map: &fn(usize, usize, usize, usize) -> (usize, usize, usize)| {
            let image = |i: usize| {
                let (y, x, w) = map(i / width, i % width, height, width);
                (y * w + x) as u32
            };
            (0..n).map(image).collect()
        };
        let generators: Vec<Vec<u32>> = maps.iter().map(permutation).collect();
        Self::generated(n, &generators)
    }

    /// Number of elements, at least 1.
    #[allow(clippy::len_without_is_empty)] // No group is empty.
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Number of sites.
    pub fn n_sites(&self) -> usize {
        self.elements[0].len()
    }

    /// The permutations, the identity first.
    pub fn elements(&self) -> &[Vec<u32>] {
        &self.elements
    }

    fn content_hash(&self) -> u64 {
        let mut hash = ContentHash::new();
        self.elements.iter().flatten().for_each(|&i| {
            hash.write_u64(u64::from(i));
        });
        hash.finish()
    }
}

/// The mean of a network over a group of permutations of the sites.
///
/// ```math
/// q_G(s) = \frac{1}{|G|} \sum_{g \in G} q(gs)
/// ```
///
/// It is invariant under the group, exactly normalised, and sampled by a sample of the network moved by a random element.
/// By convexity of $`x \ln x`$ its variational free energy for an invariant energy is never above that of the network. ln q
/// is the logarithm of a mean, and needs the network at every image: |G| passes instead of one, in time and in memory.
/// For energies without fields, put it around [`Symmetric`](super::Symmetric).
///
/// ```
/// use variational::Normalized;
/// use variational::autoregressive::{Made, MadeParams, SiteGroup, Symmetrized};
///
/// let network = Symmetrized::new(Made::<f64>::new(4, MadeParams::default())?, SiteGroup::translations(2, 2)?)?;
/// assert!((network.ln_prob(&[1, -1, -1, -1]) - network.ln_prob(&[-1, -1, 1, -1])).abs() < 1e-14);
/// # Ok::<(), variational::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Symmetrized<N> {
    network: N,
    group: SiteGroup,
}

/// Samples of a [`Symmetrized`] network.
#[derive(Debug, Clone)]
pub struct SymmetrizedPass<P> {
    /// The images of the samples under every element; those of the network itself first.
    images: Vec<P>,
    /// The element whose inverse a sample is handed out under.
    element: Vec<u32>,
    ln_q: Vec<f64>,
    /// Shares of the images in the mean, images x samples.
    share: Vec<f64>,
    rows: Vec<i8>,
    moved: Vec<i8>,
}

impl<N: Autoregressive> Symmetrized<N> {
    /// The mean of a network over a group.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for a group of another number of sites.
    pub fn new(network: N, group: SiteGroup) -> Result<Self> {
        let (got, expected) = (group.n_sites(), network.n_spins());
        if got != expected {
            return Err(Error::WrongLength { what: "sites of the group", got, expected });
        }
        Ok(Self { network, group })
    }

    /// The network.
    pub fn network(&self) -> &N {
        &self.network
    }

    /// The group.
    pub fn group(&self) -> &SiteGroup {
        &self.group
    }

    /// Evaluates all images of the samples of the first pass.
    fn mix(&self, pass: &mut SymmetrizedPass<N::Pass>) {
        let (n, samples) = (self.network.n_spins(), pass.ln_q.len());
        self.network.write_spins(&pass.images[0], &mut pass.rows);
        for (g, image) in self.group.elements.iter().zip(&mut pass.images).skip(1) {
            for (to, from) in pass.moved.chunks_exact_mut(n).zip(pass.rows.chunks_exact(n)) {
                to.iter_mut().zip(g).for_each(|(to, &i)| *to = from[i as usize]);
            }
            self.network.evaluate(&pass.moved, image);
        }
        let mut ln = vec![0.0; self.group.len()];
        for b in 0..samples {
            ln.iter_mut().zip(&pass.images).for_each(|(ln, image)| *ln = self.network.ln_q(image)[b]);
            let total = linalg_core::logspace::log_sum_exp(&ln);
            pass.ln_q[b] = total - (ln.len() as f64).ln();
            ln.iter().enumerate().for_each(|(k, ln)| pass.share[k * samples + b] = (ln - total).exp());
        }
    }
}

impl<N: Autoregressive> Autoregressive for Symmetrized<N> {
    type Scalar = N::Scalar;
    type Pass = SymmetrizedPass<N::Pass>;

    fn n_spins(&self) -> usize {
        self.network.n_spins()
    }

    fn architecture(&self) -> String {
        let (len, hash) = (self.group.len(), self.group.content_hash());
        format!("mean over {len} permutations {hash:016x} of {}", self.network.architecture())
    }

    fn parameters(&self) -> &[f64] {
        self.network.parameters()
    }

    fn set_parameters(&mut self, parameters: &[f64]) -> Result<()> {
        self.network.set_parameters(parameters)
    }

    fn n_free_parameters(&self) -> usize {
        self.network.n_free_parameters()
    }

    fn is_odd(&self) -> bool {
        self.network.is_odd()
    }

    fn new_pass(&self, samples: usize) -> Self::Pass {
        let n = self.network.n_spins();
        SymmetrizedPass {
            images: self.group.elements.iter().map(|_| self.network.new_pass(samples)).collect(),
            element: vec![0; samples],
            ln_q: vec![0.0; samples],
            share: vec![0.0; self.group.len() * samples],
            rows: vec![0; n * samples],
            moved: vec![0; n * samples],
        }
    }

    fn samples(&self, pass: &Self::Pass) -> usize {
        pass.ln_q.len()
    }

    fn sample_pass<R: Rng + ?Sized>(&self, pass: &mut Self::Pass, rng: &mut R) {
        self.network.sample_pass(&mut pass.images[0], rng);
        let elements = self.group.len() as u32;
        pass.element.iter_mut().for_each(|element| *element = rng.random_range(0..elements));
        self.mix(pass);
    }

    fn evaluate(&self, batch: &[i8], pass: &mut Self::Pass) {
        self.network.evaluate(batch, &mut pass.images[0]);
        pass.element.fill(0);
        self.mix(pass);
    }

    fn write_spins(&self, pass: &Self::Pass, out: &mut [i8]) {
        let n = self.network.n_spins();
        crate::normalized::check_batch(out.len(), pass.ln_q.len(), n);
        let rows = out.chunks_exact_mut(n).zip(pass.rows.chunks_exact(n));
        for ((to, from), &element) in rows.zip(&pass.element) {
            let g = &self.group.elements[element as usize];
            g.iter().zip(from).for_each(|(&i, &s)| to[i as usize] = s);
        }
    }

    fn ln_q<'a>(&self, pass: &'a Self::Pass) -> &'a [f64] {
        &pass.ln_q
    }

    fn accumulate_gradient(&self, pass: &mut Self::Pass, weights: &[f64], gradient: &mut [N::Scalar]) {
        let samples = pass.ln_q.len();
        assert_eq!(weights.len(), samples, "{} weights for {samples} samples", weights.len());
        let mut part = vec![0.0; samples];
        for (k, image) in pass.images.iter_mut().enumerate() {
            let share = &pass.share[k * samples..(k + 1) * samples];
            part.iter_mut().zip(weights).zip(share).for_each(|((part, w), share)| *part = w * share);
            self.network.accumulate_gradient(image, &part, gradient);
        }
    }
}
