//! From 0/1 units to ±1 units and back, constants kept.

use super::Rbm;
use crate::Result;
use crate::units::{Bernoulli, Spin};

/// What a change of variables `x = p y + q` of both layers makes of the parameters.
struct Affine {
    scale: f64,
    shift: f64,
}

impl Affine {
    fn apply<V, H, A, B>(&self, rbm: &Rbm<V, H>, visible: A, hidden: B) -> Rbm<A, B> {
        let (p, q) = (self.scale, self.shift);
        let nv = rbm.visible_bias.len();
        let mut visible_bias = rbm.visible_bias.clone();
        let mut hidden_bias = rbm.hidden_bias.clone();
        let mut sum = 0.0;
        for (row, b) in rbm.weights.chunks_exact(nv).zip(&mut hidden_bias) {
            let row_sum: f64 = row.iter().sum();
            sum += row_sum;
            *b += q * row_sum;
            visible_bias.iter_mut().zip(row).for_each(|(a, w)| *a += q * w);
        }
        // The constant of each bias before it is scaled; the doubly counted shift of the couplings comes off once.
        let constant = q * (visible_bias.iter().sum::<f64>() + hidden_bias.iter().sum::<f64>()) - q * q * sum;
        visible_bias.iter_mut().chain(&mut hidden_bias).for_each(|x| *x *= p);
        Rbm {
            visible,
            hidden,
            weights: rbm.weights.iter().map(|w| p * p * w).collect(),
            visible_bias,
            hidden_bias,
            offset: rbm.offset - constant,
        }
    }
}

impl Rbm<Spin, Spin> {
    /// The same law in 0/1 units, `s = 2x - 1`, with the constant in the offset: equal energies, equal ln Z.
    ///
    /// The weights are multiplied by 4, which is exact.
    ///
    /// ```
    /// use boltzmann::Rbm;
    /// use boltzmann::units::Spin;
    ///
    /// let spins = Rbm::new(Spin, Spin, vec![0.25, -0.5], vec![0.1, 0.2], vec![0.3])?;
    /// let bits = spins.to_bernoulli();
    /// assert_eq!(bits.weights(), [1.0, -2.0]);
    /// let (s, x) = ([1.0, -1.0], [1.0, 0.0]);
    /// assert!((spins.energy(&s, &[-1.0]) - bits.energy(&x, &[0.0])).abs() < 1e-15);
    /// # Ok::<(), boltzmann::Error>(())
    /// ```
    pub fn to_bernoulli(&self) -> Rbm<Bernoulli, Bernoulli> {
        Affine { scale: 2.0, shift: -1.0 }.apply(self, Bernoulli, Bernoulli)
    }
}

impl Rbm<Bernoulli, Bernoulli> {
    /// The same law in ±1 units, `x = (1 + s)/2`, with the constant in the offset: equal energies, equal ln Z.
    ///
    /// The weights are divided by 4, which is exact.
    pub fn to_spin(&self) -> Rbm<Spin, Spin> {
        Affine { scale: 0.5, shift: 0.5 }.apply(self, Spin, Spin)
    }
}

impl Rbm<Spin, Spin> {
    /// The two layers as one Ising model, visible units first, couplings across the layers only.
    ///
    /// # Errors
    /// When the model cannot be built, as for more than 2³² units.
    pub fn to_boltzmann_machine(&self) -> Result<crate::BoltzmannMachine> {
        let (nv, nh) = (self.n_visible(), self.n_hidden());
        let couplings = (0..nh).flat_map(|j| (0..nv).map(move |k| (j, k)));
        let ising = spin_models::Ising::builder(nv + nh)
            .couplings(couplings.map(|(j, k)| (k, nv + j, self.weights[j * nv + k])))
            .fields(self.visible_bias.iter().chain(&self.hidden_bias).copied())
            .offset(self.offset)
            .build()?;
        crate::BoltzmannMachine::new(ising, nv)
    }
}
