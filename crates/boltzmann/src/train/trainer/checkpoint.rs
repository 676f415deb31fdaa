//! Interruptions of a run.

use linalg_core::checkpoint::{Checkpoint, CheckpointError, ContentHash, Reader, Writer};

use super::Trainer;
use crate::Result;
use crate::fast::{PackedRbm, Row, WIDTH, rows_of};

const KIND: &str = "boltzmann trainer 2";

impl Trainer<'_> {
    fn content_hash(&self) -> u64 {
        let mut hash = ContentHash::new();
        hash.write_u64(self.data.content_hash()).write_usizes(&[self.machine.n_visible(), self.machine.n_hidden()]);
        self.params.hash_into(&mut hash);
        self.batches.weights().into_iter().for_each(|weights| weights.hash_into(&mut hash));
        hash.finish()
    }

    /// The state of the run. It belongs to its data and parameters, the number of threads excepted.
    pub fn checkpoint(&self) -> Checkpoint {
        let mut out = Writer::new();
        out.write_u64(self.updates()).write_chacha(&self.exchanges).write_usize(self.ladder.len());
        out.write_u64s(&self.recent);
        self.ladder.iter().for_each(|machine| save_machine(machine, &mut out));
        save_machine(&self.machine, &mut out);
        for state in &self.states {
            save_rows(&state.velocity, &mut out);
            save_rows(&state.square, &mut out);
            save_rows(&state.fast, &mut out);
            save_rows(&[state.bias_velocity, state.bias_square, state.offsets, state.fast_bias], &mut out);
        }
        for values in [&self.visible_velocity, &self.visible_square, &self.visible_fast, &self.offsets] {
            save_rows(&rows_of(values.iter().copied(), 0.0), &mut out);
        }
        for point in &self.points {
            save_rows(&point.visible, &mut out);
            save_rows(&point.hidden, &mut out);
        }
        self.chains.iter().chain(&self.batch).for_each(|shard| shard.save(&mut out));
        Checkpoint::new(KIND, self.content_hash(), out)
    }

    /// Goes on from a checkpoint of a run with the same data and parameters; bit by bit as if it had not been interrupted.
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
        self.batches.read(&mut reader)?;
        self.exchanges = reader.read_chacha()?;
        self.read_ladder(&mut reader)?;
        read_machine(&mut self.machine, &mut reader)?;
        for state in &mut self.states {
            read_rows(&mut state.velocity, &mut reader)?;
            read_rows(&mut state.square, &mut reader)?;
            read_rows(&mut state.fast, &mut reader)?;
            let mut rows = [Row::ZERO; 4];
            read_rows(&mut rows, &mut reader)?;
            [state.bias_velocity, state.bias_square, state.offsets, state.fast_bias] = rows;
        }
        for values in [&mut self.visible_velocity, &mut self.visible_square, &mut self.visible_fast, &mut self.offsets]
        {
            let mut rows = rows_of(values.iter().copied(), 0.0);
            read_rows(&mut rows, &mut reader)?;
            values.iter_mut().zip(rows.iter().flat_map(|row| row.0)).for_each(|(x, read)| *x = read);
        }
        for point in &mut self.points {
            read_rows(&mut point.visible, &mut reader)?;
            read_rows(&mut point.hidden, &mut reader)?;
        }
        for shard in self.chains.iter_mut().chain(&mut self.batch) {
            shard.restore(&mut reader, &self.machine)?;
        }
        reader.finish()?;
        self.good = (self.updates(), self.machine.clone());
        if let Some(sampler) = &mut self.sampler {
            for (k, (to, panel)) in sampler.panels.iter_mut().zip(&self.machine.panels).enumerate() {
                let state = &self.states[k];
                for (row, (w, fast)) in to.weights.iter_mut().zip(panel.weights.iter().zip(&state.fast)) {
                    (0..WIDTH).for_each(|k| row.0[k] = w.0[k] + fast.0[k]);
                }
                (0..WIDTH).for_each(|k| to.bias.0[k] = panel.bias.0[k] + state.fast_bias.0[k]);
                to.transpose();
            }
            for (i, fast) in self.visible_fast.iter().enumerate() {
                let (q, k) = (i / WIDTH, i % WIDTH);
                sampler.visible_bias[q].0[k] = self.machine.visible_bias[q].0[k] + fast;
            }
        }
        Ok(())
    }

    /// Reads the earlier machines, and makes room for as many chains.
    fn read_ladder(&mut self, from: &mut Reader<'_>) -> std::result::Result<(), CheckpointError> {
        let at = from.position();
        let n = from.read_usize()?;
        let recent = from.read_u64s()?;
        let room = self.ladder.is_empty() == (n == 0) && n <= from.remaining();
        let ([accepted, tried], true) = (&recent[..], room) else {
            return Err(CheckpointError::Invalid { what: "ladder of machines", at });
        };
        self.recent = [*accepted, *tried];
        if n == 0 {
            return Ok(());
        }
        let per_rung = self.chains.len() / self.rungs();
        self.ladder.clear();
        for _ in 0..n {
            let mut machine = self.machine.clone();
            read_machine(&mut machine, from)?;
            self.ladder.push(machine);
        }
        let rung = self.chains[..per_rung].to_vec();
        self.chains = (0..=n).flat_map(|_| rung.iter().cloned()).collect();
        Ok(())
    }
}

fn save_rows(rows: &[Row], out: &mut Writer) {
    out.write_usize(rows.len());
    rows.iter().flat_map(|row| row.0).for_each(|x| {
        out.write_u32(x.to_bits());
    });
}

fn read_rows(rows: &mut [Row], from: &mut Reader<'_>) -> std::result::Result<(), CheckpointError> {
    let at = from.position();
    let found = from.read_u64()?;
    if found != rows.len() as u64 {
        return Err(CheckpointError::Length { at, expected: rows.len(), found });
    }
    for x in rows.iter_mut().flat_map(|row| &mut row.0) {
        *x = f32::from_bits(from.read_u32()?);
    }
    Ok(())
}

fn save_machine(machine: &PackedRbm, out: &mut Writer) {
    save_rows(&machine.visible_bias, out);
    for panel in &machine.panels {
        save_rows(&panel.weights, out);
        save_rows(&[panel.bias], out);
    }
}

fn read_machine(machine: &mut PackedRbm, from: &mut Reader<'_>) -> std::result::Result<(), CheckpointError> {
    read_rows(&mut machine.visible_bias, from)?;
    for panel in &mut machine.panels {
        read_rows(&mut panel.weights, from)?;
        read_rows(std::slice::from_mut(&mut panel.bias), from)?;
        panel.transpose();
    }
    Ok(())
}
