//! A stack of machines, unrolled.

use super::{Activation, DeepBeliefNet, Network};
use crate::units::Unit;
use crate::{Error, Rbm, Result};

/// A network that squeezes rows into a short code and restores them: the machines of a stack upwards, then the same turned
/// round downwards, with weights of their own from there on.
///
/// Pretrained in this way and trained on by backpropagation, codes of 30 numbers restore handwritten digits far better than as many
/// principal components. G. E. Hinton and R. R. Salakhutdinov, Science 313, 504 (2006).
///
/// ```
/// use boltzmann::Rbm;
/// use boltzmann::deep::{Autoencoder, DeepBeliefNet};
/// use boltzmann::units::{Bernoulli, Gaussian};
///
/// let below = Rbm::new(Bernoulli, Bernoulli, vec![2.0, 0.0], vec![-1.0, 0.5], vec![0.0])?;
/// let code = Rbm::new(Bernoulli, Gaussian::unit_variance(1), vec![3.0], vec![0.0], vec![-1.0])?;
/// let autoencoder = Autoencoder::unroll(&DeepBeliefNet::new(vec![below])?, &code)?;
/// // Upwards σ(2 · 0) = 1/2, then 3/2 - 1; the code unit is linear.
/// assert!((autoencoder.encode(&[0.0, 0.0], 1)[0] - 0.5).abs() < 1e-6);
/// assert_eq!(autoencoder.network().sizes(), [2, 1, 1, 1, 2]);
/// # Ok::<(), boltzmann::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Autoencoder {
    network: Network,
    encoder_layers: usize,
}

impl Autoencoder {
    /// The machines of `net` and then `code` upwards, and downwards again.
    ///
    /// # Errors
    /// [`Error::WrongLength`] where `code` does not fit on top of the net, [`Error::NotApplicable`] for code units other than
    /// Bernoulli and Gaussian ones.
    pub fn unroll<B: Unit, H: Unit>(net: &DeepBeliefNet, code: &Rbm<B, H>) -> Result<Self> {
        let machines = net.machines();
        crate::error::check_length(
            "visible units of the code",
            code.visible_len(),
            machines[machines.len() - 1].n_hidden(),
        )?;
        // The mean of a Gaussian unit is its field over its precision.
        let (activation, scales) = match (code.hidden().name(), code.visible().name()) {
            ("bernoulli", "bernoulli") => (Activation::Logistic, vec![1.0; code.hidden_len()]),
            ("gaussian", "bernoulli") => {
                let precision = |i: usize| code.hidden().precision(i).unwrap_or(1.0);
                (Activation::Linear, (0..code.hidden_len()).map(|i| 1.0 / precision(i)).collect())
            }
            _ => {
                let reason = "the units of the code are not Bernoulli or Gaussian, on top of Bernoulli ones";
                return Err(Error::NotApplicable { method: "unrolling", reason });
            }
        };
        let mut layers: Vec<Layer<'_>> = machines
            .iter()
            .map(|rbm| Layer { weights: rbm.weights(), down: rbm.visible_bias(), up: rbm.hidden_bias(), scales: None })
            .collect();
        layers.push(Layer {
            weights: code.weights(),
            down: code.visible_bias(),
            up: code.hidden_bias(),
            scales: Some(&scales),
        });
        let mut sizes: Vec<usize> = layers.iter().map(|layer| layer.down.len()).collect();
        sizes.push(code.hidden_len());
        sizes.extend(layers.iter().rev().map(|layer| layer.down.len()));
        let mut activations = vec![Activation::Logistic; 2 * layers.len()];
        activations[layers.len() - 1] = activation;
        let mut parameters: Vec<f32> = Vec::new();
        for Layer { weights, down, up, scales } in &layers {
            let scale = |j: usize| scales.map_or(1.0, |scales| scales[j]);
            for (j, row) in weights.chunks_exact(down.len()).enumerate() {
                parameters.extend(row.iter().map(|w| (w * scale(j)) as f32));
            }
            parameters.extend(up.iter().enumerate().map(|(j, b)| (b * scale(j)) as f32));
        }
        for Layer { weights, down, .. } in layers.iter().rev() {
            for k in 0..down.len() {
                parameters.extend(weights.iter().skip(k).step_by(down.len()).map(|w| *w as f32));
            }
            parameters.extend(down.iter().map(|a| *a as f32));
        }
        Ok(Self { network: Network::new(sizes, activations, parameters)?, encoder_layers: layers.len() })
    }

    /// A network whose first half of the layers is the encoder.
    ///
    /// # Errors
    /// [`Error::WrongLength`] unless the outputs are as many as the inputs, [`Error::NotApplicable`] for an odd number of layers.
    pub fn from_network(network: Network) -> Result<Self> {
        let sizes = network.sizes();
        crate::error::check_length("outputs of the network", sizes[sizes.len() - 1], sizes[0])?;
        let layers = sizes.len() - 1;
        if !layers.is_multiple_of(2) {
            let reason = "the number of layers of the network is odd";
            return Err(Error::NotApplicable { method: "an autoencoder", reason });
        }
        Ok(Self { network, encoder_layers: layers / 2 })
    }

    /// The whole network, for training.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The whole network.
    pub fn into_network(self) -> Network {
        self.network
    }

    /// The codes of rows.
    ///
    /// # Panics
    /// If `rows` ends inside a row.
    pub fn encode(&self, rows: &[f32], threads: usize) -> Vec<f32> {
        let encoder = self.network.first_layers(self.encoder_layers);
        encoder.map_or_else(|_| unreachable!("half of the layers"), |encoder| encoder.forward(rows, threads))
    }

    /// The rows restored from their codes.
    ///
    /// # Panics
    /// If `rows` ends inside a row.
    pub fn reconstruct(&self, rows: &[f32], threads: usize) -> Vec<f32> {
        self.network.forward(rows, threads)
    }

    /// The mean over rows of the summed squared error of the restored rows.
    ///
    /// # Panics
    /// If `rows` ends inside a row.
    pub fn squared_error(&self, rows: &[f32], threads: usize) -> f64 {
        self.network.squared_error(rows, rows, threads)
    }
}

struct Layer<'a> {
    weights: &'a [f64],
    down: &'a [f64],
    up: &'a [f64],
    scales: Option<&'a [f64]>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Bernoulli, Gaussian, Spin};
    use linalg_core::Streams;

    #[test]
    fn an_unrolled_stack_passes_means_up_and_down() {
        let mut rng = Streams::new(1).stream(0);
        let mut machine = |nv: usize, nh: usize| {
            let mut rbm = Rbm::random(Bernoulli, Bernoulli, nv, nh, 0.7, &mut rng).unwrap();
            rbm.parameters_mut().1.iter_mut().enumerate().for_each(|(k, a)| *a = 0.3 * k as f64 - 0.4);
            rbm.parameters_mut().2.iter_mut().enumerate().for_each(|(k, b)| *b = 0.2 - 0.3 * k as f64);
            rbm
        };
        let net = DeepBeliefNet::new(vec![machine(6, 5), machine(5, 4)]).unwrap();
        let weights = machine(4, 2).weights().to_vec();
        let units = Gaussian::new(vec![2.0, 0.5]).unwrap();
        let code = Rbm::new(Bernoulli, units, weights, vec![0.1, -0.2, 0.3, 0.0], vec![0.5, -1.0]).unwrap();
        let autoencoder = Autoencoder::unroll(&net, &code).unwrap();
        let v = [1.0, 0.0, 0.25, 1.0, 0.5, 0.0];
        let mut mean = vec![0.0; 2];
        code.hidden_mean(&net.recognise(&v), 1.0, &mut mean);
        let row: Vec<f32> = v.iter().map(|&x| x as f32).collect();
        let encoded = autoencoder.encode(&row, 1);
        assert!(encoded.iter().zip(&mean).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-5));
        let mut down = vec![0.0; 4];
        code.visible_mean(&mean, 1.0, &mut down);
        for machine in net.machines().iter().rev() {
            let mut below = vec![0.0; machine.n_visible()];
            machine.visible_mean(&down, 1.0, &mut below);
            down = below;
        }
        let restored = autoencoder.reconstruct(&row, 1);
        assert!(restored.iter().zip(&down).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-5));
        let squares: f64 = down.iter().zip(v).map(|(a, b)| (a - b) * (a - b)).sum();
        assert!((autoencoder.squared_error(&row, 1) - squares).abs() < 1e-5);
        assert_eq!(Autoencoder::from_network(autoencoder.network().clone()).unwrap(), autoencoder);
        // Refusals.
        let spins = Rbm::random(Bernoulli, Spin, 4, 2, 0.1, &mut rng).unwrap();
        assert!(Autoencoder::unroll(&net, &spins).unwrap_err().to_string().contains("unrolling does not apply"));
        let small = Rbm::random(Bernoulli, Bernoulli, 3, 2, 0.1, &mut rng).unwrap();
        assert!(Autoencoder::unroll(&net, &small).is_err());
        assert!(Autoencoder::from_network(autoencoder.network().first_layers(3).unwrap()).is_err());
    }
}
