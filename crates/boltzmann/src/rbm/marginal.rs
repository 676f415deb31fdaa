//! The visible units alone, as a model of `spin-models`.

use spin_models::{CachedModel, EnergyModel, Enumerable};

use super::Rbm;
use crate::Result;
use crate::error::check_beta;
use crate::units::{TwoState, Unit};

/// The law of the visible units at one temperature, as an energy of ±1 spins.
///
/// ```math
/// E(v) = -\frac{1}{\beta} \ln \sum_h e^{-\beta E(v, h)}
/// ```
///
/// At this β, and at no other, sampling it samples the machine's visible units, and its ln Z is the machine's. Tempering
/// and annealed importance sampling act on the joint energy: use the machine itself for those. Spin +1 is bit 1.
///
/// Cost: an energy all weights, a flip the number of hidden units.
///
/// ```
/// use boltzmann::Rbm;
/// use boltzmann::units::Bernoulli;
/// use spin_models::{Enumeration, LogPartition};
///
/// let rbm = Rbm::new(Bernoulli, Bernoulli, vec![2f64.ln(), 0.0], vec![0.0; 2], vec![0.0])?;
/// let ln_z = Enumeration::default().ln_z(&rbm.marginal(1.0)?, 1.0)?.value;
/// assert!((ln_z - 10f64.ln()).abs() < 1e-14); // (1 + 1 + 1 + 2), twice for the free second unit
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Marginal<'a, V, H> {
    rbm: &'a Rbm<V, H>,
    beta: f64,
}

/// The hidden fields of a visible configuration.
#[derive(Debug, Clone)]
pub struct MarginalCache {
    fields: Vec<f64>,
    /// Free energy of the hidden units, negative: Λ summed, divided by β.
    hidden: f64,
}

impl<V: TwoState, H: Unit> Rbm<V, H> {
    /// The law of the visible units at inverse temperature `beta`.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) unless `beta` is finite and positive.
    pub fn marginal(&self, beta: f64) -> Result<Marginal<'_, V, H>> {
        check_beta(beta)?;
        Ok(Marginal { rbm: self, beta })
    }
}

impl<V: TwoState, H: Unit> Marginal<'_, V, H> {
    /// The temperature at which this is the machine's law.
    pub fn beta(&self) -> f64 {
        self.beta
    }

    fn values(&self, s: &[i8]) -> Vec<f64> {
        assert_eq!(s.len(), self.rbm.n_visible(), "{} spins for a machine of {}", s.len(), self.rbm.n_visible());
        s.iter().map(|&s| self.rbm.visible.of_spin(s)).collect()
    }

    fn step(&self, spin: i8) -> f64 {
        self.rbm.visible.of_spin(-spin) - self.rbm.visible.of_spin(spin)
    }

    /// Λ/β of the hidden units after the visible unit `i` changed by `step`.
    fn hidden_after(&self, fields: &[f64], i: usize, step: f64) -> f64 {
        let nv = self.rbm.visible_len();
        let width = self.rbm.hidden.width();
        let mut field = vec![0.0; width];
        let mut sum = 0.0;
        for (j, old) in fields.chunks_exact(width).enumerate() {
            for (a, (field, old)) in field.iter_mut().zip(old).enumerate() {
                *field = old + step * self.rbm.weights[(j * width + a) * nv + i];
            }
            sum += self.rbm.hidden.ln_z(j, &field, self.beta);
        }
        sum / self.beta
    }
}

impl<V: TwoState, H: Unit> EnergyModel for Marginal<'_, V, H> {
    fn n_spins(&self) -> usize {
        self.rbm.n_visible()
    }

    fn energy(&self, s: &[i8]) -> f64 {
        self.rbm.free_energy(&self.values(s), self.beta)
    }

    fn delta_energy(&self, s: &[i8], i: usize) -> f64 {
        self.delta_cached(&self.cache(s), s, i)
    }
}

impl<V: TwoState, H: Unit> CachedModel for Marginal<'_, V, H> {
    type Cache = MarginalCache;

    fn cache(&self, s: &[i8]) -> MarginalCache {
        let mut fields = vec![0.0; self.rbm.hidden_len()];
        self.rbm.hidden_fields(&self.values(s), &mut fields);
        let hidden = super::layer_ln_z(&self.rbm.hidden, &fields, self.beta) / self.beta;
        MarginalCache { fields, hidden }
    }

    fn delta_cached(&self, cache: &MarginalCache, s: &[i8], i: usize) -> f64 {
        let step = self.step(s[i]);
        -step * self.rbm.visible_bias[i] - (self.hidden_after(&cache.fields, i, step) - cache.hidden)
    }

    fn flip(&self, cache: &mut MarginalCache, s: &mut [i8], i: usize) {
        let (nv, step) = (self.rbm.visible_len(), self.step(s[i]));
        for (j, field) in cache.fields.iter_mut().enumerate() {
            *field += step * self.rbm.weights[j * nv + i];
        }
        s[i] = -s[i];
        cache.hidden = super::layer_ln_z(&self.rbm.hidden, &cache.fields, self.beta) / self.beta;
    }
}

impl<V: TwoState, H: Unit> Enumerable for Marginal<'_, V, H> {}
