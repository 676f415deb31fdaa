//! Errors that are correlated in space: a Boltzmann distribution of error patterns.

use std::ops::Range;

use linalg_core::Streams;
use linalg_core::gf2::{BinaryCsc, BitVec};
use spin_models::mcmc::{Chain, HeatBath, Order};
use spin_models::{EnergyModel, Enumeration, InteractionModel, Ising, LogPartition, Simulation, Spins, TensorNetwork};

use crate::code::StabilizerCode;
use crate::decode::LikelihoodSolver;
use crate::error::{Error, Result};
use crate::noise::PauliTable;
use crate::pauli::{Pauli, PauliString};
use crate::statmech::CosetModel;

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

    /// Errors `pauli` with the same field on every qubit, and couplings between qubits that are nearest neighbours in the layout
    /// of a code; boundaries are open.
    ///
    /// `couplings[0]` is for neighbours along the first axis, `couplings[1]` for those along the second; where neighbours lie
    /// diagonally, as on unrotated surface codes, for the diagonals (1, 1) and (1, -1).
    ///
    /// ```
    /// use quantum_ec::{Pauli, code, noise::IsingNoise};
    ///
    /// // Nine qubits in a square, three columns of errors that come together.
    /// let noise = IsingNoise::nearest_neighbours(&code::parse("rotated-surface:3")?, Pauli::X, 0.5, [0.0, 0.8])?;
    /// assert_eq!(noise.model().couplings().filter(|c| c.2 > 0.0).count(), 6);
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotApplicable`] for a code whose qubits have no positions, or some in three dimensions, [`Error::Spins`] for a field or a coupling that is
    /// not finite; as [`new`](Self::new).
    pub fn nearest_neighbours(code: &StabilizerCode, pauli: Pauli, field: f64, couplings: [f64; 2]) -> Result<Self> {
        let Some(layout) = code.layout() else {
            let reason = format!("{} has no positions of qubits", code.name());
            return Err(Error::NotApplicable { method: "noise of nearest neighbours", reason });
        };
        if layout.dimension > 2 {
            let reason =
                format!("{} has a layout in {} dimensions, at most 2 are possible", code.name(), layout.dimension);
            return Err(Error::NotApplicable { method: "noise of nearest neighbours", reason });
        }
        let at = &layout.qubits;
        let shift = |(i, j): (usize, usize)| [0, 1, 2].map(|axis| at[j][axis] - at[i][axis]);
        let squared = |pair| shift(pair).iter().map(|d| d * d).sum::<f64>();
        let pairs = || (0..at.len()).flat_map(|i| (i + 1..at.len()).map(move |j| (i, j)));
        let nearest = pairs().map(squared).fold(f64::INFINITY, f64::min);
        // Positions are small multiples of a unit: the next distance is larger by far more than this.
        let neighbours = pairs().filter(|&pair| squared(pair) < 1.01 * nearest).map(|pair| {
            let [x, y, _] = shift(pair);
            let first = if (x.abs() - y.abs()).abs() > 0.01 { x.abs() > y.abs() } else { x * y > 0.0 };
            (pair.0, pair.1, couplings[usize::from(!first)])
        });
        let model = Ising::builder(at.len()).fields(vec![field; at.len()]).couplings(neighbours).build()?;
        Self::new(model, pauli)
    }

    /// The probabilities of an error on every qubit by itself, exactly: what a decoder knows that takes the errors for
    /// independent.
    ///
    /// ```
    /// use quantum_ec::{Pauli, noise::IsingNoise};
    /// use spin_models::Ising;
    ///
    /// // Two qubits that fail together, with the probability 1/(1 + e^{2h}).
    /// let model = Ising::builder(2).coupling(0, 1, 20.0).field(0, 0.5).build()?;
    /// let table = IsingNoise::new(model, Pauli::Z)?.marginals()?;
    /// assert!((table.row(1)[3] - 1.0 / (1.0 + 1f64.exp())).abs() < 1e-12);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Spins`] where the contraction of the model is out of reach.
    pub fn marginals(&self) -> Result<PauliTable> {
        let means = TensorNetwork::default().marginals(&self.model, 1.0, &mut ())?.magnetizations;
        let row = |mean: f64| {
            let p = (0.5 * (1.0 - mean)).clamp(0.0, 1.0);
            let mut row = [1.0 - p, 0.0, 0.0, 0.0];
            row[match self.pauli {
                Pauli::X => 1,
                Pauli::Y => 2,
                _ => 3,
            }] = p;
            row
        };
        PauliTable::new(means.into_iter().map(row).collect())
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

    /// The cosets of errors of this noise on a code, bit j of an error being the error on qubit j. Syndromes and classes are
    /// those of [`CosetModel::stabilizer`].
    ///
    /// The normalization is the partition function of the noise, by the exact solver that is expected to be the fastest.
    ///
    /// ```
    /// use quantum_ec::decode::{Decoder, MaximumLikelihood};
    /// use quantum_ec::{Pauli, StabilizerCode, noise::IsingNoise};
    /// use spin_models::Ising;
    ///
    /// // The first two of three bits fail together: one check firing has two errors for it.
    /// let code = StabilizerCode::from_text(&["ZZI", "IZZ"])?;
    /// let model = Ising::builder(3).coupling(0, 1, 2.0).field(0, 1.0).field(2, 1.0).build()?;
    /// let coset = IsingNoise::new(model, Pauli::X)?.coset_model(&code)?;
    /// let prediction = MaximumLikelihood::of_coset(coset)?.decode(&"01".parse()?)?;
    /// // IIX has the exponent 2 + 1 - 1, as has XXI with 2 - 1 + 1.
    /// assert!((prediction.ln_class[0] - prediction.ln_class[1]).abs() < 1e-12);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::WrongLength`] for a code of another number of qubits; as [`CosetModel::correlated`] and
    /// [`LikelihoodSolver::cheapest`].
    pub fn coset_model(&self, code: &StabilizerCode) -> Result<CosetModel> {
        let n = self.model.n_spins();
        if code.n_qubits() != n {
            return Err(Error::WrongLength { what: "spins of the model of errors", got: n, expected: code.n_qubits() });
        }
        let columns = |operators: Vec<&PauliString>| {
            let anticommutes = |q: usize| {
                let seen = |operator: &PauliString| {
                    let (x, z) = operator.get(q).bits();
                    let (own_x, own_z) = self.pauli.bits();
                    (x && own_z) != (z && own_x)
                };
                operators.iter().enumerate().filter(|(_, operator)| seen(operator)).map(|(i, _)| i).collect()
            };
            let columns: Vec<Vec<usize>> = (0..n).map(anticommutes).collect();
            BinaryCsc::from_columns(operators.len(), columns)
        };
        let checks = columns(code.generators().iter().collect())?;
        let observables = columns(code.logical_z().iter().chain(code.logical_x()).collect())?;
        let errors = InteractionModel::from(&self.model);
        let ln_z = LikelihoodSolver::cheapest(&errors)?.solver.ln_z(&errors, 1.0)?.value;
        CosetModel::correlated(&checks, &observables, &errors, ln_z)
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
    use crate::decode::{Decoder, MaximumLikelihood};
    use crate::noise::PauliTable;
    use linalg_core::rand::RngExt;

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
    fn cosets_are_sums_over_patterns() {
        // Oracle: the weights of all patterns, summed by syndrome and class.
        let mut rng = Streams::new(3).stream(0);
        for (name, pauli) in [("steane", Pauli::X), ("rotated-surface:3", Pauli::Z), ("five-qubit", Pauli::Y)] {
            let code = crate::code::parse(name).unwrap();
            let n = code.n_qubits();
            let mut builder = Ising::builder(n).offset(0.3);
            for i in 0..n {
                builder = builder.field(i, rng.random_range(-0.3..1.5));
                builder = (i + 1..n).fold(builder, |b, j| b.coupling(i, j, rng.random_range(-0.4..0.6)));
            }
            let noise = IsingNoise::new(builder.build().unwrap(), pauli).unwrap();
            let mut decoder = MaximumLikelihood::of_coset(noise.coset_model(&code).unwrap()).unwrap();
            let (m, k) = (code.generators().len(), code.n_logical());
            let mut sums = vec![0.0; 1 << (m + 2 * k)];
            for pattern in 0..1u32 << n {
                let bits: BitVec = (0..n).map(|q| pattern >> q & 1 == 1).collect();
                let error = match pauli {
                    Pauli::X => PauliString::x_type(&bits),
                    Pauli::Z => PauliString::z_type(&bits),
                    _ => PauliString::from_bits(bits.clone(), bits),
                };
                let rows = code.generators().iter().chain(code.logical_z()).chain(code.logical_x());
                let seen = rows.enumerate().fold(0, |all, (i, row)| all | usize::from(!row.commutes_with(&error)) << i);
                sums[seen] += noise.ln_weight(&error).exp();
            }
            let total: f64 = sums.iter().sum();
            let mut found = 0.0;
            for syndrome in 0..1u64 << m {
                let bits = BitVec::from_words(vec![syndrome], m).unwrap();
                let classes = (0..1 << (2 * k)).map(|class| sums[syndrome as usize | class << m] / total);
                match decoder.decode(&bits) {
                    Ok(prediction) => {
                        for (ln, p) in prediction.ln_class.iter().zip(classes) {
                            found += p;
                            let same = if p > 0.0 { (ln - p.ln()).abs() < 1e-11 } else { *ln == f64::NEG_INFINITY };
                            assert!(same, "{name} {syndrome}: {ln} {p}");
                        }
                    }
                    Err(error) => {
                        assert!(matches!(error, Error::ImpossibleSyndrome { .. }));
                        assert!(classes.sum::<f64>() == 0.0);
                    }
                }
            }
            approx::assert_relative_eq!(found, 1.0, epsilon = 1e-12);
        }
    }

    #[test]
    fn neighbours_and_marginals() {
        // 5 x 5 qubits in the plane, and 3 x 3 between 2 x 2 on the unrotated lattice, where neighbours are √2 apart.
        for (name, each) in [("rotated-surface:5", 20), ("unrotated-surface:3", 8)] {
            let code = crate::code::parse(name).unwrap();
            let noise = IsingNoise::nearest_neighbours(&code, Pauli::Y, 0.5, [0.2, 0.3]).unwrap();
            for j in [0.2, 0.3] {
                let found = noise.model().couplings().filter(|c| (c.2 - j).abs() < 1e-12).count();
                assert_eq!(found, each, "{name} {j}");
            }
        }
        let code = crate::code::parse("rotated-surface:3").unwrap();
        let noise = IsingNoise::nearest_neighbours(&code, Pauli::Y, 0.5, [0.2, 0.4]).unwrap();
        // Oracle: the sum over all patterns.
        let (mut total, mut sums) = (0.0, [0.0; 9]);
        for pattern in 0..1u32 << 9 {
            let bits: BitVec = (0..9).map(|q| pattern >> q & 1 == 1).collect();
            let weight = noise.ln_weight(&PauliString::from_bits(bits.clone(), bits.clone())).exp();
            total += weight;
            sums.iter_mut().zip(bits.iter()).filter(|(_, bit)| *bit).for_each(|(sum, _)| *sum += weight);
        }
        let table = noise.marginals().unwrap();
        for (q, sum) in sums.iter().enumerate() {
            approx::assert_relative_eq!(table.row(q)[2], sum / total, epsilon = 1e-12);
        }
        let bare = StabilizerCode::from_text(&["ZZI", "IZZ"]).unwrap();
        let error = IsingNoise::nearest_neighbours(&bare, Pauli::X, 0.5, [0.2, 0.2]).unwrap_err();
        assert!(matches!(error, Error::NotApplicable { .. }), "{error}");
        let solid = crate::code::parse("toric-3d:2").unwrap();
        let error = IsingNoise::nearest_neighbours(&solid, Pauli::X, 0.5, [0.2, 0.2]).unwrap_err().to_string();
        assert_eq!(
            error,
            "noise of nearest neighbours does not apply: toric-3d:2 has a layout in 3 dimensions, at most 2 are possible"
        );
        let error = IsingNoise::nearest_neighbours(&code, Pauli::X, f64::NAN, [0.2, 0.2]).unwrap_err();
        assert!(matches!(error, Error::Spins(_)), "{error}");
        let error = IsingNoise::nearest_neighbours(&code, Pauli::I, 0.5, [0.2, 0.2]).unwrap_err();
        assert_eq!(error.to_string(), "error is I, expected X, Y or Z");
    }

    #[test]
    fn sizes_must_agree() {
        let other = crate::code::parse("steane").unwrap();
        let noise = IsingNoise::new(Ising::builder(5).build().unwrap(), Pauli::X).unwrap();
        assert_eq!(
            noise.coset_model(&other).unwrap_err().to_string(),
            "spins of the model of errors: 5 given, 7 expected"
        );
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
