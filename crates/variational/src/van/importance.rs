//! What samples of a normalised distribution say about a model: ln Z and averages, reweighted.

use linalg_core::stats::{Estimate, Running, WeightedMean};
use linalg_core::{Merge, Observer, Streams};
use spin_models::{EnergyModel, Progress};

use crate::error::{check_beta, check_positive};
use crate::normalized::Normalized;
use crate::{Error, Result};
use linalg_core::threads::for_each;

/// Samples of a work unit.
const UNIT: usize = 1024;

/// A function of a configuration whose average is wanted.
pub type Observable<'a> = &'a (dyn Fn(&[i8]) -> f64 + Sync);

/// Estimates from independent samples with weights $`w = e^{-\beta E}/q`$.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Importance {
    /// Samples drawn.
    pub samples: u64,
    /// $`\ln \frac1n \sum w`$: ln Z with its error to first order; biased low by about half the squared error.
    pub ln_z: Estimate,
    /// $`\langle \ln w \rangle_q`$, the variational lower bound of ln Z, with its error.
    pub ln_z_variational: Estimate,
    /// $`(\sum w)^2 / (n \sum w^2)`$, in (0, 1].
    pub ess: f64,
    /// The mean energy, reweighted.
    pub energy: Estimate,
    /// The observables asked for, reweighted.
    pub observables: Vec<Estimate>,
}

struct Unit {
    number: u64,
    spins: Vec<i8>,
    ln_q: Vec<f64>,
    energies: Vec<f64>,
    bound: Running,
    energy: WeightedMean,
    observables: Vec<WeightedMean>,
    bad: Option<f64>,
}

/// Draws samples of `network` and reweights them to the Boltzmann distribution of `model`.
///
/// The error of ln Z is honest as long as the effective sample size is: with few effective samples, configurations that
/// matter may not have been drawn at all, which no error from within can show.
///
/// Unit k of 1024 samples draws from the children of stream k, so that the result does not depend on `threads`. The
/// observer may stop between rounds of units; what was drawn until then is the answer.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::Ising;
/// use variational::autoregressive::{Made, MadeParams};
/// use variational::van::importance;
///
/// // Without couplings and with zero weights q = p: every weight is the same.
/// let model = Ising::builder(3).build()?;
/// let mut uniform = Made::<f64>::new(3, MadeParams::default())?;
/// uniform.set_parameters(&[0.0; 12])?;
/// let estimate = importance(&uniform, &model, 1.0, 2000, Streams::new(1), 1, &[], &mut ())?;
/// assert!((estimate.ln_z.value - 3.0 * 2f64.ln()).abs() < 1e-12 && (estimate.ess - 1.0).abs() < 1e-12);
/// # use variational::autoregressive::Autoregressive;
/// # Ok::<(), variational::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parameter`] for no samples or threads; β that is negative or not finite; [`Error::NotFinite`] for an energy or
/// a probability that is not a number; [`Error::WrongLength`] when the two differ in spins.
#[allow(clippy::too_many_arguments)] // Every one is a choice of the caller.
pub fn importance<Q, M>(
    network: &Q,
    model: &M,
    beta: f64,
    samples: usize,
    streams: Streams,
    threads: usize,
    observables: &[Observable<'_>],
    observer: &mut dyn Observer<Progress>,
) -> Result<Importance>
where
    Q: Normalized + Sync + ?Sized,
    M: EnergyModel + Sync + ?Sized,
{
    check_beta(beta)?;
    check_positive("samples", samples)?;
    check_positive("threads", threads)?;
    let n = model.n_spins();
    if network.n_spins() != n {
        return Err(Error::WrongLength { what: "spins of the network", got: network.n_spins(), expected: n });
    }
    let mut units: Vec<Unit> = (0..threads as u64)
        .map(|number| Unit {
            number,
            spins: Vec::new(),
            ln_q: Vec::new(),
            energies: Vec::new(),
            bound: Running::new(),
            energy: WeightedMean::new(),
            observables: Vec::new(),
            bad: None,
        })
        .collect();
    let (mut bound, mut energy) = (Running::new(), WeightedMean::new());
    let mut averages = vec![WeightedMean::new(); observables.len()];
    let mut begun = 0;
    while begun < samples {
        let mut round = 0;
        for unit in &mut units {
            let size = UNIT.min(samples - begun);
            unit.spins.resize(size * n, 0);
            unit.ln_q.resize(size, 0.0);
            unit.energies.resize(size, 0.0);
            begun += size;
            round += usize::from(size > 0);
        }
        for_each(threads, &mut units[..round], |unit| {
            unit.measure(network, model, beta, streams, observables);
        });
        for unit in &mut units[..round] {
            if let Some(value) = unit.bad {
                return Err(Error::NotFinite { what: "weight in unit", index: unit.number as usize, value });
            }
            merge(&mut bound, &unit.bound)?;
            merge(&mut energy, &unit.energy)?;
            for (sum, one) in averages.iter_mut().zip(&unit.observables) {
                merge(sum, one)?;
            }
            unit.number += threads as u64;
        }
        let progress = Progress::new("sampling", begun as u64, samples as u64).with_ln_z(energy.ln_mean_weight().value);
        if observer.observe(&progress).is_break() {
            break;
        }
    }
    Ok(Importance {
        samples: energy.count(),
        ln_z: energy.ln_mean_weight(),
        ln_z_variational: bound.estimate(),
        ess: energy.effective_sample_size() / energy.count() as f64,
        energy: energy.estimate(),
        observables: averages.iter().map(WeightedMean::estimate).collect(),
    })
}

fn merge<T: Merge>(sum: &mut T, one: &T) -> Result<()> {
    sum.merge(one).map_err(|error| Error::Numerics(error.into()))
}

impl Unit {
    fn measure<Q: Normalized + ?Sized, M: EnergyModel + ?Sized>(
        &mut self,
        network: &Q,
        model: &M,
        beta: f64,
        streams: Streams,
        observables: &[Observable<'_>],
    ) {
        network.sample_batch(streams.child(self.number), &mut self.spins, &mut self.ln_q);
        model.energies(&self.spins, &mut self.energies);
        (self.bound, self.energy) = (Running::new(), WeightedMean::new());
        self.observables = vec![WeightedMean::new(); observables.len()];
        let rows = self.spins.chunks_exact(model.n_spins().max(1));
        for ((&ln_q, &energy), row) in self.ln_q.iter().zip(&self.energies).zip(rows) {
            let ln_w = -beta * energy - ln_q;
            if !ln_w.is_finite() {
                self.bad = Some(ln_w);
            }
            self.bound.push(ln_w);
            self.energy.push(ln_w, energy);
            for (sum, observable) in self.observables.iter_mut().zip(observables) {
                sum.push(ln_w, observable(row));
            }
        }
    }
}
