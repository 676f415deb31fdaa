//! ln Z of a machine that changes, followed by reweighting.

use linalg_core::stats::WeightedMean;
use spin_models::{Kind, LnZ};

use crate::error::check_length;
use crate::fast::{BitRows, PackedRbm};
use crate::{Error, Result};

/// Follows ln Z along a run of training, from a machine where it is known.
///
/// With rows v drawn from the machine before a change,
///
/// ```math
/// \ln Z' - \ln Z = \ln \big\langle e^{F(v) - F'(v)} \big\rangle_{v \sim P} ,
/// ```
///
/// F and F' the free energies of the rows before and after. Any chains will do: the persistent ones of the trainer or some of one's own
/// ([`GibbsChains`](crate::GibbsChains)) that make a few sweeps after every change. The steps add up, and so do their errors: for rows
/// that are independent and fair the standard error is that of the sum; chains that lag behind the machine pull the value away without
/// showing in it, so that a check by [`AnnealedImportance`](super::AnnealedImportance) now and then is worth its time
/// ([`disagreements`](super::disagreements)).
///
/// Cost of a change: two free energies a row.
///
/// ```
/// use boltzmann::partition::LnZTrack;
/// use boltzmann::units::Bernoulli;
/// use boltzmann::{BitRows, PackedRbm, Rbm};
///
/// // One free unit, its field from 0 to ln 3, and a hidden unit that adds ln 2: Z from 4 to 8.
/// let machine = |field| PackedRbm::new(&Rbm::new(Bernoulli, Bernoulli, vec![0.0], vec![field], vec![0.0])?);
/// let (before, after) = (machine(0.0)?, machine(3f64.ln())?);
/// let mut track = LnZTrack::new(&before, 4f64.ln());
/// // Rows that are exactly fair: (1 + 3)/2 = 2.
/// track.change(&after, &BitRows::from_bytes(&[0, 1], 1)?)?;
/// assert!((track.ln_z().value - 8f64.ln()).abs() < 1e-6);
/// # Ok::<(), boltzmann::Error>(())
/// ```
///
/// G. Desjardins, A. Courville and Y. Bengio, "On tracking the partition function", NeurIPS 2011.
#[derive(Debug, Clone)]
pub struct LnZTrack {
    machine: PackedRbm,
    value: f64,
    variance: f64,
    smallest_sample: f64,
}

impl LnZTrack {
    /// Starts at a machine whose ln Z is known: by [`exact_ln_z`](super::exact_ln_z), or by
    /// [`of_independent`](Self::of_independent) before training.
    pub fn new(machine: &PackedRbm, ln_z: f64) -> Self {
        Self { machine: machine.clone(), value: ln_z, variance: 0.0, smallest_sample: f64::INFINITY }
    }

    /// Starts at a machine with small couplings: the first change is that from no couplings at all, over rows drawn without them.
    ///
    /// # Errors
    /// As [`change`](Self::change).
    pub fn of_independent(machine: &PackedRbm, rows: usize, streams: linalg_core::Streams) -> Result<Self> {
        if rows == 0 {
            return Err(Error::Parameter { what: "number of rows", value: "0".to_owned(), expected: "1 or more" });
        }
        let rbm = machine.to_rbm()?;
        let softplus = linalg_core::logspace::softplus;
        let free = crate::Rbm::new(
            crate::units::Bernoulli,
            crate::units::Bernoulli,
            vec![0.0; rbm.weights().len()],
            rbm.visible_bias().to_vec(),
            rbm.hidden_bias().to_vec(),
        )?;
        let ln_z = free.visible_bias().iter().chain(free.hidden_bias()).map(|&b| softplus(b)).sum();
        let free = PackedRbm::new(&free)?;
        let mut chains = crate::GibbsChains::new(&free, rows, streams)?;
        chains.advance(&free, 1, 1);
        let mut track = Self::new(&free, ln_z);
        track.change(machine, &chains.visible())?;
        Ok(track)
    }

    /// The machine has changed; `rows` were drawn from the one before.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for rows of another length or a machine of another size, [`Error::Parameter`] for fewer than two rows,
    /// [`Error::NotFinite`] for a machine that has diverged; the track is then what it was.
    pub fn change(&mut self, machine: &PackedRbm, rows: &BitRows) -> Result<()> {
        check_length("visible units of the changed machine", machine.n_visible(), self.machine.n_visible())?;
        check_length("columns of the rows", rows.n_columns(), self.machine.n_visible())?;
        if rows.n_rows() < 2 {
            let value = rows.n_rows().to_string();
            return Err(Error::Parameter { what: "number of rows", value, expected: "2 or more" });
        }
        let (before, after) = (self.machine.free_energies(rows), machine.free_energies(rows));
        let ln_weights: Vec<f64> = before.iter().zip(&after).map(|(before, after)| before - after).collect();
        if let Some(index) = ln_weights.iter().position(|x| !x.is_finite()) {
            return Err(Error::NotFinite { what: "weight of a row", index, value: ln_weights[index] });
        }
        let mut mean = WeightedMean::new();
        ln_weights.iter().for_each(|&weight| mean.push(weight, 0.0));
        let step = mean.ln_mean_weight();
        self.value += step.value;
        self.variance += step.std_error.unwrap_or(f64::INFINITY).powi(2);
        self.smallest_sample = self.smallest_sample.min(mean.effective_sample_size());
        self.machine.clone_from(machine);
        Ok(())
    }

    /// ln Z of the machine as it is.
    pub fn ln_z(&self) -> LnZ {
        LnZ { value: self.value, std_error: Some(self.variance.sqrt()), kind: Kind::Estimate }
    }

    /// The smallest effective number of rows of a change so far; a few only mean that a step was too long for its rows.
    pub fn smallest_effective_sample_size(&self) -> f64 {
        self.smallest_sample
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::partition::exact_ln_z;
    use crate::train::{Trainer, TrainingParams};
    use crate::{GibbsChains, Rbm, units::Bernoulli};
    use linalg_core::Streams;

    #[test]
    fn a_run_of_training_is_followed() {
        let rows: Vec<u8> = (0..40).flat_map(|k| [k & 1, k & 1, k >> 1 & 1, k >> 2 & 1, k >> 2 & 1]).collect();
        let data = BitRows::from_bytes(&rows, 5).unwrap();
        let start = PackedRbm::for_data(&data, 4, 0.3, &mut Streams::new(1).stream(0)).unwrap();
        let mut track = LnZTrack::of_independent(&start, 2000, Streams::new(2)).unwrap();
        let mut chains = GibbsChains::new(&start, 2000, Streams::new(3)).unwrap();
        chains.advance(&start, 50, 1);
        let params = TrainingParams::default().learning_rate(0.2).batch(20).epochs(300);
        let mut trainer = Trainer::new(&data, start, params).unwrap();
        for _ in 0..60 {
            let rows = chains.visible();
            trainer.advance(10).unwrap();
            track.change(trainer.machine(), &rows).unwrap();
            chains.advance(trainer.machine(), 20, 1);
        }
        let exact = exact_ln_z(&trainer.machine().to_rbm().unwrap(), 1.0).unwrap();
        let likelihood = -trainer.machine().free_energies(&data).iter().sum::<f64>() / 40.0 - exact;
        let LnZ { value, std_error, .. } = track.ln_z();
        let error = std_error.unwrap();
        // Five independent bits have 3.47 nats, the data 3 ln 2: the machine has learned.
        assert!(likelihood > -2.7 && error < 0.03, "{likelihood} {error}");
        assert!((value - exact).abs() < 4.5 * error, "{value} ± {error}, exact {exact}");
        assert!(track.smallest_effective_sample_size() > 1000.0);
    }

    #[test]
    fn other_sizes_and_too_few_rows_are_refused() {
        let machine = |w| PackedRbm::new(&Rbm::new(Bernoulli, Bernoulli, vec![w; 2], vec![0.0; 2], vec![0.0]).unwrap());
        let start = machine(0.1).unwrap();
        let mut track = LnZTrack::new(&start, 1.0);
        let rows = BitRows::from_bytes(&[0, 1, 1], 3).unwrap();
        assert!(track.change(&start, &rows).unwrap_err().to_string().contains("columns of the rows: 3 values"));
        let larger =
            PackedRbm::new(&Rbm::new(Bernoulli, Bernoulli, vec![0.1; 3], vec![0.0; 3], vec![0.0]).unwrap()).unwrap();
        assert!(track.change(&larger, &rows).unwrap_err().to_string().contains("visible units of the changed machine"));
        let one = BitRows::from_bytes(&[0, 1], 2).unwrap();
        assert!(track.change(&start, &one).unwrap_err().to_string().contains("number of rows is 1"));
        assert!(LnZTrack::of_independent(&start, 0, Streams::new(1)).is_err());
        assert_eq!(track.ln_z().value.to_bits(), 1.0f64.to_bits());
    }
}
