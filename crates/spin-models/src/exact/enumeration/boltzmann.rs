//! Boltzmann weights of a slice of energies.

use linalg_core::simd::exp;

/// `x → e^{factor x}` in place.
pub(super) fn exp_scaled(factor: f64, x: &mut [f64]) {
    for x in x {
        *x = exp(factor * *x);
    }
}

/// Sums of weights, with the first two powers of the energy.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct WeightSums {
    pub weight: f64,
    pub energy: f64,
    pub square: f64,
}

impl WeightSums {
    pub fn add(&mut self, other: Self) {
        self.weight += other.weight;
        self.energy += other.energy;
        self.square += other.square;
    }

    /// The sums after the reference went down by `shift`, which multiplies the weights by `factor`.
    pub fn shifted(self, shift: f64, factor: f64) -> Self {
        let Self { weight, energy, square } = self;
        Self {
            weight: factor * weight,
            energy: factor * (energy + shift * weight),
            square: factor * (square + 2.0 * shift * energy + shift * shift * weight),
        }
    }
}

/// Replaces energies by `e^{-β(E - reference)}` and sums `w`, `w (E - reference)`, `w (E - reference)^2`.
pub(super) fn weigh(energies: &mut [f64], reference: f64, beta: f64) -> WeightSums {
    let mut sums = [[0.0; 4]; 3];
    let (chunks, rest) = energies.as_chunks_mut::<4>();
    for chunk in chunks {
        for j in 0..4 {
            let excess = chunk[j] - reference;
            let weight = exp(-beta * excess);
            let product = weight * excess;
            chunk[j] = weight;
            sums[0][j] += weight;
            sums[1][j] += product;
            sums[2][j] += product * excess;
        }
    }
    for (j, x) in rest.iter_mut().enumerate() {
        let excess = *x - reference;
        let weight = exp(-beta * excess);
        *x = weight;
        sums[0][j] += weight;
        sums[1][j] += weight * excess;
        sums[2][j] += weight * excess * excess;
    }
    let [weight, energy, square] = sums.map(|lanes| (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]));
    WeightSums { weight, energy, square }
}

/// The smallest of a slice; infinity for an empty one.
pub(super) fn lowest(x: &[f64]) -> f64 {
    let mut lanes = [f64::INFINITY; 4];
    let (chunks, rest) = x.as_chunks::<4>();
    for chunk in chunks {
        for j in 0..4 {
            lanes[j] = if chunk[j] < lanes[j] { chunk[j] } else { lanes[j] };
        }
    }
    lanes.iter().chain(rest).copied().fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_any_length() {
        for len in [1, 2, 3, 4, 7, 16, 33] {
            let energies: Vec<f64> = (0..len).map(|k| f64::from((k * 7) % 5) - 1.5).collect();
            let mut weights = energies.clone();
            let sums = weigh(&mut weights, -2.0, 0.7);
            let weight = |e: f64| (-0.7 * (e + 2.0)).exp();
            let direct =
                [0, 1, 2].map(|power| energies.iter().map(|&e| weight(e) * (e + 2.0).powi(power)).sum::<f64>());
            approx::assert_relative_eq!(sums.weight, direct[0], max_relative = 1e-14);
            approx::assert_relative_eq!(sums.energy, direct[1], max_relative = 1e-14);
            approx::assert_relative_eq!(sums.square, direct[2], max_relative = 1e-14);
            approx::assert_abs_diff_eq!(
                lowest(&energies),
                energies.iter().copied().fold(f64::INFINITY, f64::min),
                epsilon = 0.0
            );
        }
    }
}
