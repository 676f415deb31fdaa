//! A Markov chain that proposes samples of a network.

use linalg_core::Streams;
use linalg_core::stats::{AutocorrelationTime, autocorrelation_time};
use rand::{Rng, RngExt};
use spin_models::EnergyModel;

use crate::error::{check_beta, check_positive};
use crate::normalized::Normalized;
use crate::{Error, Result};

/// Proposals drawn at once.
const UNIT: usize = 256;

/// Independence Metropolis with a normalised distribution as the proposal.
///
/// A proposal s' of q replaces s with probability $`\min(1, w(s')/w(s))`$, $`w = e^{-\beta E}/q`$: the chain has the
/// Boltzmann distribution of the model whatever q is, and its autocorrelation time says how good q is (Nicoli et al.,
/// Phys. Rev. E 101, 023304 (2020)).
#[derive(Debug, Clone)]
pub struct NeuralMcmc {
    spins: Vec<i8>,
    ln_weight: f64,
    energy: f64,
    proposed: u64,
    accepted: u64,
}

/// The energies along a chain and what they say about it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NeuralChain {
    /// The energy after every proposal.
    pub energies: Vec<f64>,
    /// Accepted part of the proposals.
    pub acceptance: f64,
    /// Mean energy with the autocorrelation time; none when the energy never changed or the run was too short.
    pub energy: Option<AutocorrelationTime>,
}

fn check_sizes(got: usize, expected: usize) -> Result<()> {
    if got == expected { Ok(()) } else { Err(Error::WrongLength { what: "spins of the network", got, expected }) }
}

/// ln w of a configuration.
fn ln_weight(beta: f64, energy: f64, ln_q: f64) -> Result<f64> {
    let value = -beta * energy - ln_q;
    if value.is_finite() { Ok(value) } else { Err(Error::NotFinite { what: "weight of sample", index: 0, value }) }
}

impl NeuralMcmc {
    /// Begins with a sample of the network.
    ///
    /// # Errors
    /// β that is negative or not finite; [`Error::WrongLength`] for a network and a model of different sizes; [`Error::NotFinite`]
    /// for the weight of the first sample.
    pub fn new<Q, M, R>(network: &Q, model: &M, beta: f64, rng: &mut R) -> Result<Self>
    where
        Q: Normalized,
        M: EnergyModel + ?Sized,
        R: Rng + ?Sized,
    {
        check_beta(beta)?;
        check_sizes(network.n_spins(), model.n_spins())?;
        let mut spins = vec![1; network.n_spins()];
        let ln_q = network.sample(&mut spins, rng);
        let energy = model.energy(&spins);
        let ln_weight = ln_weight(beta, energy, ln_q)?;
        Ok(Self { spins, ln_weight, energy, proposed: 0, accepted: 0 })
    }

    /// The present configuration.
    pub fn spins(&self) -> &[i8] {
        &self.spins
    }

    /// Offers a configuration of known weight; says whether it was taken. A weight that is NaN is refused.
    pub fn propose<R: Rng + ?Sized>(&mut self, s: &[i8], energy: f64, ln_weight: f64, rng: &mut R) -> bool {
        self.proposed += 1;
        let taken = rng.random::<f64>() < (ln_weight - self.ln_weight).exp();
        if taken {
            self.spins.copy_from_slice(s);
            (self.ln_weight, self.energy) = (ln_weight, energy);
            self.accepted += 1;
        }
        taken
    }

    /// Makes `steps` proposals. `visit` sees the configuration after each. Network, model and β may be others than before: the
    /// weight of the present configuration is taken anew.
    ///
    /// # Errors
    /// β that is negative or not finite; no steps; [`Error::WrongLength`] for a network, a model and a chain of different sizes;
    /// [`Error::NotFinite`] for the weight of the present configuration.
    ///
    /// ```
    /// use linalg_core::Streams;
    /// use spin_models::Ising;
    /// use variational::autoregressive::{Made, MadeParams};
    /// use variational::van::NeuralMcmc;
    ///
    /// let pair = Ising::builder(2).coupling(0, 1, 1.0).build()?;
    /// let network = Made::<f64>::new(2, MadeParams::default())?;
    /// let streams = Streams::new(4);
    /// let mut chain = NeuralMcmc::new(&network, &pair, 0.5, &mut streams.stream(0))?;
    /// let run = chain.run(&network, &pair, 0.5, 20_000, streams, &mut |_| ())?;
    /// let mean = run.energies.iter().sum::<f64>() / 20_000.0;
    /// assert!((mean + 0.5f64.tanh()).abs() < 0.03);
    /// # Ok::<(), variational::Error>(())
    /// ```
    pub fn run<Q, M>(
        &mut self,
        network: &Q,
        model: &M,
        beta: f64,
        steps: usize,
        streams: Streams,
        visit: &mut dyn FnMut(&[i8]),
    ) -> Result<NeuralChain>
    where
        Q: Normalized + ?Sized,
        M: EnergyModel + ?Sized,
    {
        check_beta(beta)?;
        check_positive("steps", steps)?;
        let n = network.n_spins();
        check_sizes(n, model.n_spins())?;
        check_sizes(n, self.spins.len())?;
        self.energy = model.energy(&self.spins);
        self.ln_weight = ln_weight(beta, self.energy, network.ln_prob(&self.spins))?;
        let before = (self.proposed, self.accepted);
        let mut energies = Vec::with_capacity(steps);
        let mut rng = streams.stream(u64::MAX);
        let mut unit = 0;
        while energies.len() < steps {
            let size = UNIT.min(steps - energies.len());
            let (mut rows, mut ln_q, mut proposed) = (vec![0; size * n], vec![0.0; size], vec![0.0; size]);
            network.sample_batch(streams.child(unit), &mut rows, &mut ln_q);
            model.energies(&rows, &mut proposed);
            for ((row, &ln_q), &energy) in rows.chunks_exact(n).zip(&ln_q).zip(&proposed) {
                self.propose(row, energy, -beta * energy - ln_q, &mut rng);
                energies.push(self.energy);
                visit(&self.spins);
            }
            unit += 1;
        }
        let acceptance = (self.accepted - before.1) as f64 / (self.proposed - before.0) as f64;
        let energy = autocorrelation_time(&energies).ok();
        Ok(NeuralChain { energies, acceptance, energy })
    }
}
