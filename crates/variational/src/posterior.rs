//! Bayesian inference as a spin model: a posterior is an energy, its evidence a partition function.

use linalg_core::Streams;
use linalg_core::stats::{Estimate, Running};
use spin_models::{EnergyModel, Ising};

use crate::error::check_beta;
use crate::normalized::Normalized;
use crate::{Error, Result};

/// How probable an observation is, given the spins: ln P(x | s) for a fixed x.
pub trait Likelihood {
    /// Number of spins N.
    fn n_spins(&self) -> usize;

    /// ln P(x | s).
    ///
    /// # Panics
    /// If `s.len() != self.n_spins()`.
    fn ln_likelihood(&self, s: &[i8]) -> f64;

    /// `ln P(x | s with spin i flipped) - ln P(x | s)`.
    ///
    /// # Panics
    /// If `s.len() != self.n_spins()` or `i` is not a site.
    fn delta(&self, s: &[i8], i: usize) -> f64;
}

/// Every spin was seen reversed with probability p, independently.
///
/// ```math
/// \ln P(x \mid s) = \sum_i K x_i s_i + \tfrac N2 \ln p(1-p), \qquad K = \tfrac12 \ln \frac{1-p}{p}
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BitFlips {
    observed: Vec<i8>,
    probability: f64,
}

impl BitFlips {
    /// What was seen, and the probability of an error.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a probability outside (0, 1) or entries other than ±1.
    pub fn new(observed: Vec<i8>, probability: f64) -> Result<Self> {
        if !(probability > 0.0 && probability < 1.0) {
            let value = probability.to_string();
            return Err(Error::Parameter {
                what: "probability of an error",
                value,
                expected: "a number between 0 and 1",
            });
        }
        if let Some(i) = observed.iter().position(|x| x.abs() != 1) {
            let value = format!("{} at site {i}", observed[i]);
            return Err(Error::Parameter { what: "observed spin", value, expected: "1 or -1" });
        }
        Ok(Self { observed, probability })
    }

    /// What was seen.
    pub fn observed(&self) -> &[i8] {
        &self.observed
    }

    /// K.
    pub fn coupling(&self) -> f64 {
        0.5 * ((1.0 - self.probability) / self.probability).ln()
    }
}

impl Likelihood for BitFlips {
    fn n_spins(&self) -> usize {
        self.observed.len()
    }

    fn ln_likelihood(&self, s: &[i8]) -> f64 {
        let n = self.observed.len();
        assert_eq!(s.len(), n, "{} spins for an observation of {n}", s.len());
        let wrong = s.iter().zip(&self.observed).filter(|(s, x)| s != x).count() as f64;
        wrong * self.probability.ln() + (n as f64 - wrong) * (-self.probability).ln_1p()
    }

    fn delta(&self, s: &[i8], i: usize) -> f64 {
        let n = self.observed.len();
        assert_eq!(s.len(), n, "{} spins for an observation of {n}", s.len());
        -2.0 * self.coupling() * f64::from(s[i] * self.observed[i])
    }
}

/// The posterior of a spin model seen through a channel, as an energy at β = 1.
///
/// ```math
/// E_{\mathrm{post}}(s) = \beta E_{\mathrm{prior}}(s) - \ln P(x \mid s), \qquad
/// P(s \mid x) = e^{-E_{\mathrm{post}}(s)} / Z_{\mathrm{post}}, \qquad \ln P(x) = \ln Z_{\mathrm{post}} - \ln Z_{\mathrm{prior}}(\beta)
/// ```
///
/// It can be sampled, trained for and enumerated as any model.
///
/// ```
/// use spin_models::{EnergyModel, Ising};
/// use variational::posterior::{BitFlips, Posterior};
///
/// let prior = Ising::builder(2).coupling(0, 1, 1.0).build()?;
/// let posterior = Posterior::new(prior, 0.5, BitFlips::new(vec![1, -1], 0.2)?)?;
/// // Both up: the bond is satisfied, one of two observations is wrong.
/// let expected = -0.5 - (0.8f64 * 0.2).ln();
/// assert!((posterior.energy(&[1, 1]) - expected).abs() < 1e-15);
/// # Ok::<(), variational::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Posterior<M, L> {
    prior: M,
    beta: f64,
    likelihood: L,
}

impl<M: EnergyModel, L: Likelihood> Posterior<M, L> {
    /// Prior at an inverse temperature, and the likelihood of what was seen.
    ///
    /// # Errors
    /// β that is negative or not finite; [`Error::WrongLength`] when the two differ in spins.
    pub fn new(prior: M, beta: f64, likelihood: L) -> Result<Self> {
        check_beta(beta)?;
        if likelihood.n_spins() != prior.n_spins() {
            return Err(Error::WrongLength {
                what: "observed spins",
                got: likelihood.n_spins(),
                expected: prior.n_spins(),
            });
        }
        Ok(Self { prior, beta, likelihood })
    }

    /// The prior.
    pub fn prior(&self) -> &M {
        &self.prior
    }

    /// The likelihood.
    pub fn likelihood(&self) -> &L {
        &self.likelihood
    }
}

impl<M: EnergyModel, L: Likelihood> EnergyModel for Posterior<M, L> {
    fn n_spins(&self) -> usize {
        self.prior.n_spins()
    }

    fn energy(&self, s: &[i8]) -> f64 {
        self.beta * self.prior.energy(s) - self.likelihood.ln_likelihood(s)
    }

    fn delta_energy(&self, s: &[i8], i: usize) -> f64 {
        self.beta * self.prior.delta_energy(s, i) - self.likelihood.delta(s, i)
    }
}

impl Posterior<Ising, BitFlips> {
    /// The same energy as an Ising model with couplings βJ and fields βh + K x, for the solvers that need one.
    ///
    /// # Errors
    /// Numbers beyond the range of `f64`.
    pub fn to_ising(&self) -> Result<Ising> {
        let k = self.likelihood.coupling();
        let n = self.likelihood.observed.len() as f64;
        let p = self.likelihood.probability;
        let fields = self.prior.fields().iter().zip(&self.likelihood.observed);
        let model = Ising::builder(self.prior.n_spins())
            .couplings(self.prior.couplings().map(|(i, j, coupling)| (i, j, self.beta * coupling)))
            .fields(fields.map(|(h, &x)| self.beta * h + k * f64::from(x)))
            .offset(self.beta * self.prior.offset() - 0.5 * n * (p * (1.0 - p)).ln())
            .build()?;
        Ok(model)
    }
}

/// The lower bound of the evidence ln P(x) in its two forms, which agree sample by sample.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Elbo {
    /// `⟨ln P(x, s)⟩_Q - ⟨ln Q(s)⟩_Q`.
    pub bound: Estimate,
    /// `⟨ln P(x | s)⟩_Q`, the first part of the second form.
    pub reconstruction: Estimate,
    /// `D(Q ‖ P_0)`, what the second form subtracts.
    pub divergence: Estimate,
}

/// Estimates the evidence bound of `q` from its own samples; `prior_ln_z` is ln Z of the prior at its β.
///
/// # Errors
/// [`Error::Parameter`] for no samples, [`Error::WrongLength`] when the two differ in spins.
pub fn elbo<Q: Normalized + ?Sized, M: EnergyModel, L: Likelihood>(
    q: &Q,
    posterior: &Posterior<M, L>,
    prior_ln_z: f64,
    samples: usize,
    streams: Streams,
) -> Result<Elbo> {
    crate::error::check_positive("samples", samples)?;
    let n = posterior.n_spins();
    if q.n_spins() != n {
        return Err(Error::WrongLength { what: "spins of q", got: q.n_spins(), expected: n });
    }
    let (mut rows, mut ln_q) = (vec![0; samples * n], vec![0.0; samples]);
    q.sample_batch(streams, &mut rows, &mut ln_q);
    let (mut bound, mut reconstruction, mut divergence) = (Running::new(), Running::new(), Running::new());
    for (s, &ln_q) in rows.chunks_exact(n).zip(&ln_q) {
        let ln_prior = -posterior.beta * posterior.prior.energy(s) - prior_ln_z;
        let ln_likelihood = posterior.likelihood.ln_likelihood(s);
        bound.push(ln_prior + ln_likelihood - ln_q);
        reconstruction.push(ln_likelihood);
        divergence.push(ln_q - ln_prior);
    }
    Ok(Elbo { bound: bound.estimate(), reconstruction: reconstruction.estimate(), divergence: divergence.estimate() })
}
