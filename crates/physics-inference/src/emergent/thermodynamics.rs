//! The laws (30), (34) and (35) as identities of finite differences.
//!
//! With $`F = \Omega + \mu N`$ the loss is $`U = F + TS`$. The paper prints $`U = F - TS`$; for free neurons of energy 0 that is
//! $`-2TS`$ instead of 0, see [`Potentials`].
//!
//! (30), $`d\Omega = dF - \mu\,dN = 0`$, holds for changes at constant $`T`$ *and* $`\mu`$ only; in general
//! $`d\Omega = -S\,dT - N\,d\mu`$. What holds along a change of $`\mu`$ at constant $`T`$ is $`dF = \mu\,dN`$, (29). (34) is
//! (35) at constant $`N`$.

use super::{GrandCanonical, HiddenEnergy, Moments, finite, positive};
use crate::{Error, Result};

/// The potentials at one temperature and chemical potential.
///
/// ```
/// use physics_inference::emergent::{GrandCanonical, IndependentNeurons, thermodynamics::Potentials};
///
/// let free = GrandCanonical::new(IndependentNeurons::new(vec![0.0; 50])?, 0.7, 0.3)?;
/// let potentials = Potentials::of(&free.independent(), 0.7, 0.3);
/// assert!(potentials.loss().abs() < 1e-12); // the energy of free neurons
/// assert!((potentials.loss_as_printed() + 46.95).abs() < 0.01);
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Potentials {
    /// Temperature.
    pub temperature: f64,
    /// Chemical potential.
    pub mu: f64,
    /// Mean number of neurons.
    pub n: f64,
    /// Mean energy, summed directly.
    pub energy: f64,
    /// Entropy of the occupations, summed directly.
    pub entropy: f64,
    /// Grand potential Ω.
    pub omega: f64,
    /// $`F = \Omega + \mu N`$.
    pub free_energy: f64,
}

impl Potentials {
    /// From the moments of an ensemble.
    pub fn of(moments: &Moments, temperature: f64, mu: f64) -> Self {
        Self {
            temperature,
            mu,
            n: moments.mean_n,
            energy: moments.energy,
            entropy: moments.entropy,
            omega: moments.omega,
            free_energy: moments.free_energy(mu),
        }
    }

    /// $`U = F + TS`$, equal to the mean energy.
    pub fn loss(&self) -> f64 {
        self.free_energy + self.temperature * self.entropy
    }

    /// $`F - TS`$, the sign of the text: off by $`-2TS`$.
    pub fn loss_as_printed(&self) -> f64 {
        self.free_energy - self.temperature * self.entropy
    }
}

/// How well the laws hold over a small step; all are zero up to the square of the step.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Laws {
    /// $`U - (F + TS)`$ with all three summed directly: no step in it.
    pub loss: f64,
    /// $`(dF - \mu\,dN)/d\mu`$ at constant $`T`$, from (29) and (30).
    pub first_law: f64,
    /// $`(dU - T\,dS)/dT`$ along a line of constant $`N`$, (34).
    pub canonical: f64,
    /// $`(dU - T\,dS - \mu\,dN)/dT`$ at constant $`\mu`$, (35).
    pub grand_canonical: f64,
    /// $`(d\Omega + S\,dT + N\,d\mu)/dT`$ along a line with $`d\mu = dT`$.
    pub grand_potential: f64,
}

/// Checks the laws by central differences of width `2 step` around a temperature and a chemical potential.
///
/// `moments(T, mu)` is any exact sum, for instance that of [`GrandCanonical::enumerate`]. (34) finds the chemical potential of
/// constant $`N`$ by bisection: about 200 sums.
///
/// # Errors
/// Those of `moments`; [`Error::Parameter`] for a step that is not positive or reaches a temperature of 0.
pub fn laws<M>(mut moments: M, temperature: f64, mu: f64, step: f64) -> Result<Laws>
where
    M: FnMut(f64, f64) -> Result<Moments>,
{
    positive("temperature", temperature)?;
    finite("chemical potential", mu)?;
    positive("step", step)?;
    if step >= temperature {
        return Err(Error::Parameter { what: "step", value: step, expected: "less than the temperature" });
    }
    let mut at = |t: f64, mu: f64| Ok::<_, Error>(Potentials::of(&moments(t, mu)?, t, mu));
    let here = at(temperature, mu)?;
    let slope = |a: f64, b: f64| (b - a) / (2.0 * step);
    let (low, high) = (at(temperature, mu - step)?, at(temperature, mu + step)?);
    let first_law = slope(low.free_energy, high.free_energy) - mu * slope(low.n, high.n);
    let (cold, hot) = (at(temperature - step, mu)?, at(temperature + step, mu)?);
    let heat = |a: &Potentials, b: &Potentials| slope(a.energy, b.energy) - temperature * slope(a.entropy, b.entropy);
    let grand_canonical = heat(&cold, &hot) - mu * slope(cold.n, hot.n);
    let mut tuned = |t: f64| {
        let (mut low, mut high) = (mu - step * 1e3, mu + step * 1e3);
        for _ in 0..100 {
            let middle = 0.5 * (low + high);
            if at(t, middle)?.n < here.n { low = middle } else { high = middle }
        }
        at(t, 0.5 * (low + high))
    };
    let (cold, hot) = (tuned(temperature - step)?, tuned(temperature + step)?);
    let canonical = heat(&cold, &hot) - mu * slope(cold.n, hot.n);
    let (before, after) = (at(temperature - step, mu - step)?, at(temperature + step, mu + step)?);
    let grand_potential = slope(before.omega, after.omega) + here.entropy + here.n;
    Ok(Laws { loss: here.energy - here.loss(), first_law, canonical, grand_canonical, grand_potential })
}

/// [`laws`] of an ensemble that can be enumerated, with neurons that are cheap to clone.
///
/// # Errors
/// As [`laws`] and [`GrandCanonical::enumerate`].
pub fn laws_of<E: HiddenEnergy + Clone>(ensemble: &GrandCanonical<E>, step: f64) -> Result<Laws> {
    let moments = |t: f64, mu: f64| GrandCanonical::new(ensemble.hidden.clone(), t, mu)?.enumerate();
    laws(moments, ensemble.temperature, ensemble.mu, step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emergent::IndependentNeurons;

    #[derive(Clone)]
    struct Pairs;

    impl HiddenEnergy for Pairs {
        fn n_neurons(&self) -> usize {
            8
        }

        fn energy(&self, active: &[bool]) -> f64 {
            let own = |k: usize| if active[k] { (0.9 * k as f64).cos() } else { 0.0 };
            let pair = |k: usize| if active[k] && active[k - 1] { 0.4 } else { 0.0 };
            (0..8).map(own).sum::<f64>() + (1..8).map(pair).sum::<f64>()
        }
    }

    #[test]
    fn the_laws_hold_to_second_order() {
        let ensemble = GrandCanonical::new(Pairs, 0.7, 0.3).unwrap();
        let (coarse, fine) = (laws_of(&ensemble, 2e-2).unwrap(), laws_of(&ensemble, 1e-2).unwrap());
        assert!(fine.loss.abs() < 1e-13);
        type Part = fn(&Laws) -> f64;
        let parts: [Part; 4] = [|l| l.first_law, |l| l.canonical, |l| l.grand_canonical, |l| l.grand_potential];
        for (k, part) in parts.iter().enumerate() {
            let (a, b) = (part(&coarse), part(&fine));
            assert!(b.abs() < 2e-3 && (a / b - 4.0).abs() < 0.1, "{k}: {a} {b}");
        }
    }

    #[test]
    fn the_sign_of_the_loss() {
        let free =
            |t: f64, mu: f64| Ok(GrandCanonical::new(IndependentNeurons::new(vec![0.0; 50])?, t, mu)?.independent());
        let potentials = Potentials::of(&free(0.7, 0.3).unwrap(), 0.7, 0.3);
        assert!(potentials.loss().abs() < 1e-12 && (potentials.loss_as_printed() + 46.95).abs() < 5e-3);
        let laws = laws(free, 0.7, 0.3, 1e-3).unwrap();
        assert!(laws.grand_canonical.abs() < 1e-4 && laws.canonical.abs() < 1e-4, "{laws:?}");
    }

    #[test]
    fn bad_input() {
        let ensemble = GrandCanonical::new(Pairs, 0.7, 0.3).unwrap();
        for step in [0.0, -1.0, f64::NAN, 0.7] {
            assert!(laws_of(&ensemble, step).is_err());
        }
    }
}
