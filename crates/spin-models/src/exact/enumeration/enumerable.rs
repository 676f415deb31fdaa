//! What a model shows of itself so that its states can be summed fast.

use std::borrow::Cow;

use crate::exact::compensated::Compensated;
use crate::model::{CachedModel, EnergyModel, Uncached};
use crate::models::{InteractionModel, Ising, SherringtonKirkpatrick};

/// A model whose configurations can be enumerated by [`Enumeration`](crate::Enumeration).
///
/// A model that is a sum of products of spins says so in [`interactions`](Self::interactions) and is summed at a
/// nanosecond a state. Any other is walked in Gray-code order through its energy differences: for a type of your
/// own, an empty `impl` is enough. `dyn EnergyModel` is enumerable, and so are [`Uncached`] and [`GrayCode`] around
/// any model.
///
/// ```
/// use spin_models::{EnergyModel, Enumerable, Enumeration, LogPartition};
///
/// /// `E = -max(0, Σ s)`: not a short sum of products.
/// struct Rectified(usize);
///
/// impl EnergyModel for Rectified {
///     fn n_spins(&self) -> usize {
///         self.0
///     }
///     fn energy(&self, s: &[i8]) -> f64 {
///         -f64::from(s.iter().map(|&s| i32::from(s)).sum::<i32>().max(0))
///     }
///     fn delta_energy(&self, s: &[i8], i: usize) -> f64 {
///         let mut t = s.to_vec();
///         t[i] = -t[i];
///         self.energy(&t) - self.energy(s)
///     }
/// }
/// impl Enumerable for Rectified {}
///
/// // Two spins: E = -2 for both up, 0 otherwise.
/// let ln_z = Enumeration::default().ln_z(&Rectified(2), 1.0)?.value;
/// assert!((ln_z - (3.0 + 2f64.exp()).ln()).abs() < 1e-14);
/// # Ok::<(), spin_models::Error>(())
/// ```
pub trait Enumerable: EnergyModel {
    /// The model as a sum of products of spins with its own constant, if it is one; `None` by default.
    ///
    /// Two-site terms stand in the order in which the pair correlations are to be reported.
    fn interactions(&self) -> Option<Cow<'_, InteractionModel>> {
        None
    }

    /// The energies of all states of the first `log2(out.len())` spins, with the other spins as in `s`.
    ///
    /// Bit i of the index is set for `s_i = -1`, as in [`Spins::from_state`](crate::Spins::from_state). The first
    /// spins of `s` are overwritten. The default walks through the states in Gray-code order with
    /// [`delta_energy`](EnergyModel::delta_energy), from an energy computed afresh.
    ///
    /// # Panics
    /// If `s.len() != self.n_spins()`, or `out.len()` is not a power of two of at most `2^N`.
    fn block_energies(&self, s: &mut [i8], out: &mut [f64]) {
        let low = start(self, s, out);
        s[..low].fill(1);
        walk(self.energy(s), out, |i| {
            let delta = self.delta_energy(s, i);
            s[i] = -s[i];
            delta
        });
    }
}

/// Checks the lengths; the number of spins to walk through.
fn start(model: &(impl EnergyModel + ?Sized), s: &[i8], out: &[f64]) -> usize {
    let n = model.n_spins();
    assert_eq!(s.len(), n, "{} spins for a model of {n}", s.len());
    assert!(out.len().is_power_of_two(), "{} energies, expected a power of two", out.len());
    let low = out.len().ilog2() as usize;
    assert!(low <= n, "{} energies for a model of {n} spins", out.len());
    low
}

/// Adds up energy differences along a Gray code; `flip` flips a spin and returns the difference.
///
/// The sum carries its rounding error along, so that the last energy is as good as the first.
fn walk(first: f64, out: &mut [f64], mut flip: impl FnMut(usize) -> f64) {
    let mut energy = Compensated::default();
    energy.add(first);
    let mut state = 0;
    out[0] = first;
    for step in 1..out.len() {
        let i = step.trailing_zeros() as usize;
        energy.add(flip(i));
        state ^= 1 << i;
        out[state] = energy.value();
    }
}

/// Enumerates any [`CachedModel`] by flips of its cached state.
///
/// Worth it where [`delta_cached`](CachedModel::delta_cached) is much cheaper than
/// [`delta_energy`](EnergyModel::delta_energy).
///
/// ```
/// use spin_models::{Enumeration, GrayCode, LogPartition, SherringtonKirkpatrick};
///
/// let pair = SherringtonKirkpatrick::from_couplings(2, &[0.0, 0.5, 0.5, 0.0])?;
/// let enumeration = Enumeration::default();
/// let walked = enumeration.ln_z(&GrayCode(&pair), 2.0)?.value;
/// assert!((walked - (4.0 * 1f64.cosh()).ln()).abs() < 1e-14);
/// assert!((walked - enumeration.ln_z(&pair, 2.0)?.value).abs() < 1e-14);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct GrayCode<M>(
    /// The model.
    pub M,
);

impl<M: EnergyModel> EnergyModel for GrayCode<M> {
    fn n_spins(&self) -> usize {
        self.0.n_spins()
    }

    fn energy(&self, s: &[i8]) -> f64 {
        self.0.energy(s)
    }

    fn delta_energy(&self, s: &[i8], i: usize) -> f64 {
        self.0.delta_energy(s, i)
    }

    fn energies(&self, batch: &[i8], out: &mut [f64]) {
        self.0.energies(batch, out);
    }
}

impl<M: CachedModel> Enumerable for GrayCode<M> {
    fn block_energies(&self, s: &mut [i8], out: &mut [f64]) {
        let low = start(self, s, out);
        s[..low].fill(1);
        let mut cache = self.0.cache(s);
        walk(self.0.energy(s), out, |i| {
            let delta = self.0.delta_cached(&cache, s, i);
            self.0.flip(&mut cache, s, i);
            delta
        });
    }
}

impl Enumerable for Ising {
    fn interactions(&self) -> Option<Cow<'_, InteractionModel>> {
        Some(Cow::Owned(InteractionModel::from(self)))
    }
}

impl Enumerable for InteractionModel {
    fn interactions(&self) -> Option<Cow<'_, InteractionModel>> {
        Some(Cow::Borrowed(self))
    }
}

impl Enumerable for SherringtonKirkpatrick {
    fn interactions(&self) -> Option<Cow<'_, InteractionModel>> {
        self.to_ising().ok().map(|ising| Cow::Owned(InteractionModel::from(&ising)))
    }
}

impl Enumerable for dyn EnergyModel + '_ {}

impl<M: EnergyModel> Enumerable for Uncached<M> {}

impl<T: Enumerable + ?Sized> Enumerable for &T {
    fn interactions(&self) -> Option<Cow<'_, InteractionModel>> {
        (**self).interactions()
    }

    fn block_energies(&self, s: &mut [i8], out: &mut [f64]) {
        (**self).block_energies(s, out);
    }
}

impl<T: Enumerable + ?Sized> Enumerable for Box<T> {
    fn interactions(&self) -> Option<Cow<'_, InteractionModel>> {
        (**self).interactions()
    }

    fn block_energies(&self, s: &mut [i8], out: &mut [f64]) {
        (**self).block_energies(s, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Spins;

    #[test]
    fn both_walks_give_the_energies_of_the_block() {
        let model = InteractionModel::builder(5)
            .term(&[0, 1, 4], 0.3)
            .term(&[2], -0.7)
            .term(&[1, 2, 3], 1.1)
            .term(&[0, 3], -0.2)
            .offset(0.4)
            .build()
            .unwrap();
        for low in 0..=5 {
            let mut s = vec![-1, 1, -1, -1, -1];
            let (mut walked, mut cached) = (vec![0.0; 1 << low], vec![0.0; 1 << low]);
            Uncached(&model).block_energies(&mut s, &mut walked);
            GrayCode(&model).block_energies(&mut s, &mut cached);
            for state in 0..1u64 << low {
                let mut t = s.clone();
                t[..low].copy_from_slice(&Spins::from_state(state, low));
                approx::assert_abs_diff_eq!(walked[state as usize], model.energy(&t), epsilon = 1e-15);
                approx::assert_abs_diff_eq!(cached[state as usize], model.energy(&t), epsilon = 1e-15);
            }
        }
    }

    #[test]
    fn walks_do_not_drift() {
        // Differences of 1e6 + small: 2^12 of them in plain sums lose 1e-8.
        let n = 12;
        let model = Ising::builder(n).fields((0..n).map(|i| 1e6 + 0.1 * i as f64)).build().unwrap();
        let mut out = vec![0.0; 1 << n];
        Uncached(&model).block_energies(&mut vec![1; n], &mut out);
        for (state, &energy) in out.iter().enumerate() {
            approx::assert_abs_diff_eq!(energy, model.energy(&Spins::from_state(state as u64, n)), epsilon = 2e-9);
        }
    }
}
