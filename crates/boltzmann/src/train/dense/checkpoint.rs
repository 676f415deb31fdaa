//! Interruptions of a run.

use linalg_core::checkpoint::{Checkpoint, CheckpointError, ContentHash, Reader, Writer};

use super::{DenseTrainer, Model};
use crate::units::Unit;
use crate::{Rbm, Result};

const KIND: &str = "boltzmann dense trainer 2";

impl<V: Unit + Clone, H: Unit + Clone> DenseTrainer<'_, V, H> {
    fn content_hash(&self) -> u64 {
        let mut hash = ContentHash::new();
        hash.write_u64(self.origin).write_f64s(self.data).write_str(&format!("{:?}", self.params));
        self.row_weights.iter().for_each(|weights| weights.hash_into(&mut hash));
        hash.finish()
    }

    /// The state of the run: the machine, what moves it, and the chains. It belongs to its data, parameters, streams and first machine.
    pub fn checkpoint(&self) -> Checkpoint {
        let mut out = Writer::new();
        out.write_u64(self.updates).write_f64(self.gradient_norm).write_xoshiro(&self.rng);
        save_parameters(&self.machine, &mut out);
        if self.params.precision_rate > 0.0 {
            let units = self.machine.visible();
            let precisions: Vec<f64> = (0..self.machine.n_visible()).filter_map(|unit| units.precision(unit)).collect();
            out.write_f64s(&precisions);
        }
        let velocity = &self.velocity;
        out.write_f64s(&velocity.weights).write_f64s(&velocity.visible).write_f64s(&velocity.hidden);
        self.adam.iter().flatten().for_each(|adam| adam.save(&mut out));
        match &self.model {
            Model::None => {}
            Model::Chains(chains) => chains.save(&mut out),
            Model::Trajectory(ladder) => ladder.save(&mut out),
            Model::MeanField(_, means) => {
                out.write_bool(means.is_some());
                means.iter().flatten().for_each(|means| {
                    out.write_f64s(means);
                });
            }
        }
        Checkpoint::new(KIND, self.content_hash(), out)
    }

    /// Goes on from a checkpoint of a run with the same data, parameters, streams and first machine; bit by bit as if it had not been
    /// interrupted.
    ///
    /// ```
    /// use boltzmann::Rbm;
    /// use boltzmann::train::{DenseMethod, DenseParams, DenseTrainer};
    /// use boltzmann::units::Spin;
    /// use linalg_core::Streams;
    ///
    /// let data = [1.0, 1.0, -1.0, -1.0];
    /// let start = Rbm::random(Spin, Spin, 2, 1, 0.1, &mut Streams::new(0).stream(0))?;
    /// let params = DenseParams::default().method(DenseMethod::Persistent { sweeps: 1 }).updates(20);
    /// let new = || DenseTrainer::new(start.clone(), &data, params.clone(), Streams::new(1));
    /// let (mut whole, mut first, mut second) = (new()?, new()?, new()?);
    /// whole.run()?;
    /// first.advance(7)?;
    /// second.restore(&first.checkpoint())?;
    /// second.run()?;
    /// assert_eq!(whole.machine(), second.machine());
    /// # Ok::<(), boltzmann::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the checkpoint is of another run or damaged; the trainer is then what it was.
    pub fn restore(&mut self, from: &Checkpoint) -> Result<()> {
        let mut other = self.clone();
        other.read(from)?;
        *self = other;
        Ok(())
    }

    fn read(&mut self, from: &Checkpoint) -> std::result::Result<(), CheckpointError> {
        let mut reader = from.open(KIND, self.content_hash())?;
        self.updates = reader.read_count()?;
        self.gradient_norm = reader.read_f64()?;
        self.rng = reader.read_xoshiro()?;
        read_parameters(&mut self.machine, &mut reader)?;
        if self.params.precision_rate > 0.0 {
            let at = reader.position();
            let mut precisions = vec![0.0; self.machine.n_visible()];
            reader.read_f64s_into(&mut precisions)?;
            let mut units = self.machine.visible().clone();
            let set = precisions.iter().enumerate().try_for_each(|(unit, &gamma)| units.set_precision(unit, gamma));
            self.machine = (set.and_then(|()| self.machine.clone().with_visible(units)))
                .map_err(|_| CheckpointError::Invalid { what: "precision of a unit", at })?;
        }
        let velocity = &mut self.velocity;
        for values in [&mut velocity.weights, &mut velocity.visible, &mut velocity.hidden] {
            reader.read_f64s_into(values)?;
        }
        self.adam.iter_mut().flatten().try_for_each(|adam| adam.restore(&mut reader))?;
        match &mut self.model {
            Model::None => {}
            Model::Chains(chains) => chains.read(&mut reader)?,
            Model::Trajectory(ladder) => ladder.read(&mut reader)?,
            Model::MeanField(_, means) => {
                *means = None;
                if reader.read_bool()? {
                    let mut both = [vec![0.0; self.machine.visible_len()], vec![0.0; self.machine.hidden_len()]];
                    both.iter_mut().try_for_each(|means| reader.read_f64s_into(means))?;
                    *means = Some(both);
                }
            }
        }
        reader.finish()
    }
}

/// Writes weights and biases.
pub(crate) fn save_parameters<V: Unit, H: Unit>(machine: &Rbm<V, H>, out: &mut Writer) {
    out.write_f64s(machine.weights()).write_f64s(machine.visible_bias()).write_f64s(machine.hidden_bias());
}

/// Reads weights and biases of a machine of the same sizes.
pub(crate) fn read_parameters<V: Unit, H: Unit>(
    machine: &mut Rbm<V, H>,
    from: &mut Reader<'_>,
) -> std::result::Result<(), CheckpointError> {
    let (weights, visible, hidden) = machine.parameters_mut();
    [weights, visible, hidden].into_iter().try_for_each(|values| from.read_f64s_into(values))
}
