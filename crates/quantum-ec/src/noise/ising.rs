//! Errors that are correlated in space: a Boltzmann distribution of error patterns.

use std::ops::Range;

use linalg_core::Streams;
use linalg_core::gf2::BitVec;
use spin_models::mcmc::{Chain, HeatBath, Order};
use spin_models::{EnergyModel, Enumeration, Ising, Simulation, Spins};

use crate::error::{Error, Result};
use crate::pauli::{Pauli, PauliString};

/// Errors of one kind whose pattern is distributed like the spins of an Ising model at β = 1.
///
/// Spin $`s_j = 1 - 2 e_j`$ tells whether qubit j has an error,
///
/// ```math
/// P(e) = \frac1Z \exp\Big( \sum_{i<j} J_{ij} s_i s_j + \sum_j h_j s_j \Big),
/// ```
///
/// so that positive couplings make errors come together; without couplings the errors are independent with
/// $`p_j = 1/(1 + e^{2 h_j})`$, that is $`h_j`$ is the Nishimori coupling $`K_j`$ (Chubb, Flammia, arXiv:1809.10704).
///
/// ```
/// use quantum_ec::{Pauli, noise::IsingNoise};
/// use spin_models::Ising;
/// use linalg_core::Streams;
///
/// // Two qubits that fail together.
/// let model = Ising::builder(2).coupling(0, 1, 20.0).field(0, 0.5).build()?;
/// let noise = IsingNoise::new(model, Pauli::X)?;
/// for error in noise.sample_exact(0..50, Streams::new(1))? {
///     assert_eq!(error.get(0), error.get(1));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct IsingNoise {
    model: Ising,
    pauli: Pauli,
}

impl IsingNoise {
    /// Errors `pauli` on the qubits, one a spin of the model.
    ///
    /// # Errors
    /// [`Error::Parameter`] if `pauli` is the identity.
    pub fn new(model: Ising, pauli: Pauli) -> Result<Self> {
        if pauli == Pauli::I {
            return Err(Error::Parameter { what: "error", value: "I".into(), expected: "X, Y or Z" });
        }
        Ok(Self { model, pauli })
    }

    /// The model of the patterns.
    pub fn model(&self) -> &Ising {
        &self.model
    }

    /// The error on a flipped qubit.
    pub fn pauli(&self) -> Pauli {
        self.pauli
    }

    /// $`\ln P(e) + \ln Z`$, the exponent above; -∞ for an error that the noise does not make.
    ///
    /// # Panics
    /// If the error acts on another number of qubits.
    pub fn ln_weight(&self, error: &PauliString) -> f64 {
        let n = self.model.n_spins();
        assert_eq!(error.n_qubits(), n, "an error on {} of {n} qubits", error.n_qubits());
        if error.support().any(|(_, pauli)| pauli != self.pauli) {
            return f64::NEG_INFINITY;
        }
        let spins: Vec<i8> = (0..n).map(|q| if error.get(q) == Pauli::I { 1 } else { -1 }).collect();
        -self.model.energy(&spins)
    }

    /// Independent errors from the exact distribution, for at most 24 qubits; shot k draws from stream k.
    ///
    /// # Errors
    /// [`Error::Spins`] for more qubits.
    pub fn sample_exact(&self, shots: Range<u64>, streams: Streams) -> Result<Vec<PauliString>> {
        let distribution = Enumeration::default().distribution(&self.model, 1.0)?;
        Ok(shots.map(|shot| self.error(&distribution.sample(&mut streams.stream(shot)))).collect())
    }

    /// Errors by `sweeps` heat-bath sweeps from random spins, a chain a shot, shot k from stream k. The shots are
    /// independent; each is distributed as it should be only if `sweeps` is many autocorrelation times.
    ///
    /// # Errors
    /// [`Error::Spins`] from the chain.
    pub fn sample_chains(&self, shots: Range<u64>, sweeps: u64, streams: Streams) -> Result<Vec<PauliString>> {
        shots
            .map(|shot| {
                let kernel = HeatBath::new(Order::Sequential);
                let mut chain = Chain::new(&self.model, kernel, 1.0, streams, shot)?;
                chain.advance(sweeps, &mut ());
                Ok(self.error(chain.spins()))
            })
            .collect()
    }

    fn error(&self, spins: &Spins) -> PauliString {
        let flipped: BitVec = spins.iter().map(|&s| s < 0).collect();
        let zeros = BitVec::zeros(flipped.len());
        match self.pauli {
            Pauli::X => PauliString::from_bits(flipped, zeros),
            Pauli::Z => PauliString::from_bits(zeros, flipped),
            _ => PauliString::from_bits(flipped.clone(), flipped),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::PauliTable;

    #[test]
    fn without_couplings_the_errors_are_independent() {
        let p = [0.05, 0.2, 0.7];
        let fields = p.iter().enumerate().map(|(j, p)| (j, 0.5 * ((1.0 - p) / p as &f64).ln()));
        let model = fields.fold(Ising::builder(3), |builder, (j, h)| builder.field(j, h)).build().unwrap();
        let noise = IsingNoise::new(model, Pauli::Z).unwrap();
        let table = PauliTable::new(p.iter().map(|p| [1.0 - p, 0.0, 0.0, *p]).collect()).unwrap();
        let errors: Vec<PauliString> =
            (0..8u32).map(|e| PauliString::z_type(&(0..3).map(|j| e >> j & 1 == 1).collect::<BitVec>())).collect();
        let ln_z = errors.iter().map(|e| noise.ln_weight(e).exp()).sum::<f64>().ln();
        for error in &errors {
            approx::assert_relative_eq!(noise.ln_weight(error) - ln_z, table.ln_prob(error), epsilon = 1e-13);
        }
        let other = noise.ln_weight(&"XII".parse().unwrap());
        assert!(other.is_infinite() && other < 0.0);
    }

    #[test]
    fn both_samplers_have_the_frequencies_of_the_weights() {
        let model = Ising::builder(3).coupling(0, 1, 0.6).coupling(1, 2, -0.4).field(0, 0.5).field(2, 0.9);
        let noise = IsingNoise::new(model.build().unwrap(), Pauli::Y).unwrap();
        let shots = 8000;
        let chains = noise.sample_chains(0..shots, 40, Streams::new(9)).unwrap();
        for samples in [noise.sample_exact(0..shots, Streams::new(9)).unwrap(), chains] {
            let mut total = 0.0;
            let mut weights = [0.0; 8];
            let mut counts = [0.0; 8];
            for (e, weight) in weights.iter_mut().enumerate() {
                let bits: BitVec = (0..3).map(|j| e >> j & 1 == 1).collect();
                *weight = noise.ln_weight(&PauliString::from_bits(bits.clone(), bits)).exp();
                total += *weight;
            }
            for sample in &samples {
                assert_eq!(sample.x(), sample.z());
                counts[sample.x().words()[0] as usize] += 1.0;
            }
            for (count, weight) in counts.iter().zip(weights) {
                let p = weight / total;
                let sigma = (p * (1.0 - p) * shots as f64).sqrt();
                assert!((count - p * shots as f64).abs() < 4.0 * sigma, "{count} {p}");
            }
        }
        assert!(IsingNoise::new(noise.model().clone(), Pauli::I).is_err());
    }
}
