//! Tanh units, and networks that grow and shrink by them.

use linalg_core::rand::Rng;
use linalg_core::rng::standard_normal;

use super::OutputLayer;
use crate::emergent::sgd::Regression;
use crate::{Error, Result};

/// A hidden unit $`\tanh(a\cdot x + b)`$.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Neuron {
    /// Weights, then the bias.
    pub parameters: Vec<f64>,
}

impl Neuron {
    /// A unit with Gaussian weights and bias of standard deviation `scale`.
    pub fn random<R: Rng + ?Sized>(n_inputs: usize, scale: f64, rng: &mut R) -> Self {
        Self { parameters: (0..=n_inputs).map(|_| scale * standard_normal(rng)).collect() }
    }

    /// Its output.
    ///
    /// # Panics
    /// When there is not a weight for each input.
    pub fn output(&self, x: &[f64]) -> f64 {
        let n = self.parameters.len() - 1;
        assert!(x.len() == n, "{} inputs for {n} weights", x.len());
        (self.parameters[n] + self.parameters.iter().zip(x).map(|(a, x)| a * x).sum::<f64>()).tanh()
    }

    /// Its outputs on all samples.
    ///
    /// # Panics
    /// As [`output`](Self::output).
    pub fn column(&self, data: &Regression) -> Vec<f64> {
        (0..data.n_samples()).map(|k| self.output(data.input(k))).collect()
    }
}

/// Prediction of a network.
pub(super) fn predict(neurons: &[Neuron], layer: &OutputLayer, x: &[f64]) -> f64 {
    layer.bias() + neurons.iter().enumerate().map(|(i, n)| layer.weight(i) * n.output(x)).sum::<f64>()
}

/// Mean squared error of a network on data.
pub(super) fn error_on(neurons: &[Neuron], layer: &OutputLayer, data: &Regression) -> f64 {
    let squares = (0..data.n_samples()).map(|k| (data.targets()[k] - predict(neurons, layer, data.input(k))).powi(2));
    squares.sum::<f64>() / data.n_samples() as f64
}

/// A network of hidden units and its exactly refitted output.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Grown {
    /// The units.
    pub neurons: Vec<Neuron>,
    /// Their outputs' weights.
    pub layer: OutputLayer,
    /// The loss with 0, 1, 2, ... units: as long as the network was changed.
    pub losses: Vec<f64>,
}

impl Grown {
    /// Prediction at a point.
    ///
    /// # Panics
    /// When there is not a number for each input.
    pub fn predict(&self, x: &[f64]) -> f64 {
        predict(&self.neurons, &self.layer, x)
    }
}

/// Neurogenesis: up to `n` times the unit out of `pool` random candidates that lowers the refitted loss most.
///
/// Orthogonal least squares over a pool, as in cascade correlation (Fahlman and Lebiere, 1990) with fixed candidates. Ends early
/// when no candidate helps.
///
/// # Errors
/// Those of [`OutputLayer`]; [`Error::Parameter`] for an empty pool or a scale that is not positive.
pub fn grow<R: Rng + ?Sized>(
    data: &Regression,
    ridge: f64,
    n: usize,
    pool: usize,
    scale: f64,
    rng: &mut R,
) -> Result<Grown> {
    crate::emergent::positive("scale of the candidates", scale)?;
    if pool == 0 {
        return Err(Error::Parameter { what: "candidates", value: 0.0, expected: "at least 1" });
    }
    let mut layer = OutputLayer::new(data.targets(), ridge)?;
    let (mut neurons, mut losses) = (Vec::new(), vec![layer.loss()]);
    for _ in 0..n {
        let candidates: Vec<Neuron> = (0..pool).map(|_| Neuron::random(data.n_inputs(), scale, rng)).collect();
        let columns: Vec<Vec<f64>> = candidates.iter().map(|c| c.column(data)).collect();
        let Some((best, _)) = layer.best_addition(&columns) else { break };
        layer.add(&columns[best])?;
        neurons.push(candidates[best].clone());
        losses.push(layer.loss());
    }
    Ok(Grown { neurons, layer, losses })
}

/// Neurodegeneration: removes `n` times the unit whose loss costs least after refitting; appends the losses.
pub fn prune(network: &mut Grown, n: usize) {
    for _ in 0..n {
        let Some((cheapest, _)) = network.layer.cheapest_removal() else { break };
        network.layer.remove(cheapest);
        network.neurons.remove(cheapest);
        network.losses.push(network.layer.loss());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;

    #[test]
    fn growth_lowers_and_pruning_raises_the_loss() {
        let inputs: Vec<f64> = (0..60).map(|k| -3.0 + 0.1 * f64::from(k)).collect();
        let targets = inputs.iter().map(|x: &f64| (2.0 * x).sin() + 0.3 * x).collect();
        let data = Regression::new(inputs, targets, 1).unwrap();
        let mut rng = Streams::new(2).stream(0);
        let mut network = grow(&data, 1e-6, 10, 40, 2.0, &mut rng).unwrap();
        assert_eq!(network.neurons.len(), 10);
        assert!(network.losses.windows(2).all(|pair| pair[1] < pair[0]));
        assert!(network.losses[10] < 0.05 * network.losses[0], "{:?}", network.losses);
        assert!((network.predict(&[1.0]) - 2f64.sin() - 0.3).abs() < 0.3);
        let full = network.layer.loss();
        prune(&mut network, 4);
        assert!(network.neurons.len() == 6 && network.losses[11..].windows(2).all(|pair| pair[1] >= pair[0] - 1e-12));
        assert!(network.layer.loss() >= full);
        // Greedy growth to 6 and greedy pruning to 6 need not agree, but both beat 6 random units.
        let random = grow(&data, 1e-6, 6, 1, 2.0, &mut rng).unwrap();
        assert!(network.layer.loss() < random.layer.loss());
        prune(&mut network, 100);
        assert!(network.neurons.is_empty());
        assert!(grow(&data, 0.0, 1, 0, 1.0, &mut rng).is_err() && grow(&data, 0.0, 1, 5, 0.0, &mut rng).is_err());
    }
}
