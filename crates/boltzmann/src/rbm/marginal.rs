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

    /// What a flip takes off the energy of the visible unit `i` itself, its multiplicity included; 0 for the units of this crate.
    fn own_gain(&self, spin: i8, i: usize) -> f64 {
        let unit = &self.rbm.visible;
        let [old, new] = [spin, -spin].map(|spin| [unit.of_spin(spin)]);
        let multiplicity = unit.ln_multiplicity(i, &new) - unit.ln_multiplicity(i, &old);
        unit.energy(i, &old) - unit.energy(i, &new) + multiplicity / self.beta
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
        let hidden = self.hidden_after(&cache.fields, i, step) - cache.hidden;
        -step * self.rbm.visible_bias[i] - hidden - self.own_gain(s[i], i)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Bernoulli, Spin};
    use linalg_core::rand::Rng;

    /// Bits with an energy and a multiplicity of their own, which differ from unit to unit: U(1) = 0.3 (i + 1), m(1) = 2 + i.
    #[derive(Debug, Clone, Copy)]
    struct Weighted;

    impl Weighted {
        /// ln of the weight of 1 against 0, without the field.
        fn own(unit: usize, beta: f64) -> f64 {
            (2.0 + unit as f64).ln() - beta * 0.3 * (unit as f64 + 1.0)
        }
    }

    impl Unit for Weighted {
        fn name(&self) -> &'static str {
            "weighted"
        }
        fn contains(&self, x: &[f64]) -> bool {
            Bernoulli.contains(x)
        }
        fn alphabet(&self) -> &'static str {
            "0 or 1"
        }
        fn energy(&self, unit: usize, x: &[f64]) -> f64 {
            0.3 * (unit as f64 + 1.0) * x[0]
        }
        fn ln_multiplicity(&self, unit: usize, x: &[f64]) -> f64 {
            (2.0 + unit as f64).ln() * x[0]
        }
        fn ln_z(&self, unit: usize, field: &[f64], beta: f64) -> f64 {
            Bernoulli.ln_z(unit, &[beta * field[0] + Self::own(unit, beta)], 1.0)
        }
        fn mean(&self, unit: usize, field: &[f64], beta: f64, out: &mut [f64]) {
            Bernoulli.mean(unit, &[beta * field[0] + Self::own(unit, beta)], 1.0, out);
        }
        fn sample(&self, unit: usize, field: &[f64], beta: f64, rng: &mut dyn Rng, out: &mut [f64]) {
            Bernoulli.sample(unit, &[beta * field[0] + Self::own(unit, beta)], 1.0, rng, out);
        }
        fn mode(&self, unit: usize, field: &[f64], out: &mut [f64]) {
            Bernoulli.mode(unit, &[field[0] - self.energy(unit, &[1.0])], out);
        }
        fn n_states(&self) -> Option<usize> {
            Some(2)
        }
        fn state(&self, state: usize, out: &mut [f64]) {
            Bernoulli.state(state, out);
        }
    }

    impl TwoState for Weighted {
        fn of_spin(&self, spin: i8) -> f64 {
            Bernoulli.of_spin(spin)
        }
    }

    #[test]
    fn flips_change_the_energy_by_the_difference() {
        let (weights, a, b) = (vec![0.7, -1.1, 0.4, 0.9, -0.3, 0.6], vec![0.2, -0.5, 0.8], vec![0.1, -0.4]);
        for beta in [0.6, 1.0] {
            let own = Rbm::new(Weighted, Spin, weights.clone(), a.clone(), b.clone()).unwrap();
            let bits = Rbm::new(Bernoulli, Spin, weights.clone(), a.clone(), b.clone()).unwrap();
            for state in 0..8 {
                let s: Vec<i8> = (0..3).map(|k| if state >> k & 1 == 1 { 1 } else { -1 }).collect();
                for i in 0..3 {
                    let mut flipped = s.clone();
                    flipped[i] = -s[i];
                    let (model, plain) = (own.marginal(beta).unwrap(), bits.marginal(beta).unwrap());
                    let difference = model.energy(&flipped) - model.energy(&s);
                    let found = model.delta_energy(&s, i);
                    assert!((found - difference).abs() < 1e-13, "{found} {difference}");
                    let gain = Weighted::own(i, beta) / beta * f64::from(flipped[i]);
                    assert!((found + gain - plain.delta_energy(&s, i)).abs() < 1e-13);
                }
            }
        }
    }
}
