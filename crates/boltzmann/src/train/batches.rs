//! The batches of a run through the data.

use linalg_core::Streams;
use linalg_core::checkpoint::{CheckpointError, Reader};
use linalg_core::rand::RngExt;
use linalg_core::stats::Running;

use super::RowWeights;
use crate::{Error, Result};

/// Which rows an update of a run takes, and how far the run is.
///
/// Every epoch goes through the rows in an order of its own, drawn from the stream of its number; rows that fill no batch are
/// left out of it. With weights an epoch holds a row as often as its weight says. The position is the number of updates alone, so that
/// a checkpoint needs nothing else.
#[derive(Debug, Clone)]
pub(crate) struct Batches {
    rows: Vec<u32>,
    /// The epoch of this order; none yet at first.
    ordered: Option<u64>,
    streams: Streams,
    weights: Option<RowWeights>,
    size: usize,
    epochs: u64,
    updates: u64,
}

impl Batches {
    /// Batches of `size` rows out of `n_rows`; the orders come from `streams`.
    pub(crate) fn new(n_rows: usize, size: usize, epochs: u64, streams: Streams) -> Result<Self> {
        if !(1..=n_rows).contains(&size) {
            let expected = "1 to the number of rows of the data";
            return Err(Error::Parameter { what: "rows of a batch", value: size.to_string(), expected });
        }
        if n_rows > u32::MAX as usize {
            let (what, bound) = ("number of rows", u32::MAX as usize);
            return Err(Error::TooLarge { method: "training", what, value: n_rows, bound });
        }
        Ok(Self { rows: (0..n_rows as u32).collect(), ordered: None, streams, weights: None, size, epochs, updates: 0 })
    }

    /// Rows that count as much as their weights say.
    pub(crate) fn set_weights(&mut self, weights: RowWeights) -> Result<()> {
        weights.check_rows(self.rows.len())?;
        (self.weights, self.ordered) = (Some(weights), None);
        Ok(())
    }

    /// The weights, where there are any.
    pub(crate) fn weights(&self) -> Option<&RowWeights> {
        self.weights.as_ref()
    }

    /// Updates done.
    pub(crate) fn updates(&self) -> u64 {
        self.updates
    }

    /// Updates of an epoch.
    pub(crate) fn per_epoch(&self) -> u64 {
        (self.rows.len() / self.size) as u64
    }

    /// Updates of the run.
    pub(crate) fn total(&self) -> u64 {
        self.epochs.saturating_mul(self.per_epoch())
    }

    /// Epochs done.
    pub(crate) fn epoch(&self) -> u64 {
        self.updates / self.per_epoch()
    }

    /// Updates that are left of the present epoch.
    pub(crate) fn left_of_epoch(&self) -> u64 {
        self.per_epoch() - self.updates % self.per_epoch()
    }

    /// The part of the run that is done; above 1 after its end.
    pub(crate) fn done(&self) -> f64 {
        self.updates as f64 / self.total().max(1) as f64
    }

    /// The part of the run that was done before the last update.
    pub(crate) fn done_before(&self) -> f64 {
        self.updates.saturating_sub(1) as f64 / self.total().max(1) as f64
    }

    /// The rows of the next update.
    pub(crate) fn present(&mut self) -> &[u32] {
        let (epoch, batch) = (self.epoch(), (self.updates % self.per_epoch()) as usize);
        if self.ordered != Some(epoch) {
            let mut rng = self.streams.fast_stream(epoch);
            match &self.weights {
                None => self.rows.iter_mut().zip(0..).for_each(|(row, k)| *row = k),
                Some(weights) => {
                    let rows = weights.systematic(rng.random::<f64>());
                    self.rows.iter_mut().zip(rows).for_each(|(row, k)| *row = k);
                }
            }
            for k in (1..self.rows.len()).rev() {
                self.rows.swap(k, rng.random_range(0..=k as u64) as usize);
            }
            self.ordered = Some(epoch);
        }
        &self.rows[batch * self.size..][..self.size]
    }

    /// Counts an update.
    pub(crate) fn advance(&mut self) {
        self.updates += 1;
    }

    /// Goes to the place that a checkpoint holds.
    pub(crate) fn read(&mut self, from: &mut Reader<'_>) -> std::result::Result<(), CheckpointError> {
        self.updates = from.read_count()?;
        Ok(())
    }

    /// The loss of the next update if it is finite; the parameters are otherwise those of the updates before.
    pub(crate) fn finite(&self, loss: f64) -> Result<f64> {
        let (update, kept) = (self.updates + 1, self.updates);
        if loss.is_finite() { Ok(loss) } else { Err(Error::Diverged { update, what: "the loss is not finite", kept }) }
    }
}

/// A run in batches that each have a loss.
pub(crate) trait InBatches {
    /// Where it is.
    fn batches(&self) -> &Batches;

    /// Makes one update and counts it; returns the loss before it.
    fn update(&mut self) -> Result<f64>;

    /// What is trained.
    fn parameters(&mut self) -> Vec<&mut [f32]>;

    /// Runs to the end of the present epoch; returns the mean loss of its batches.
    ///
    /// A loss is that before its update. Parameters that are not finite after an epoch become those before it.
    fn finish_epoch(&mut self) -> Result<f64> {
        let kept = self.batches().updates();
        let good: Vec<Vec<f32>> = self.parameters().iter().map(|values| values.to_vec()).collect();
        let mut loss = Running::new();
        let run = (0..self.batches().left_of_epoch()).try_for_each(|_| self.update().map(|value| loss.push(value)));
        if self.parameters().iter().any(|values| values.iter().any(|x| !x.is_finite())) {
            self.parameters().into_iter().zip(&good).for_each(|(own, good)| own.copy_from_slice(good));
            let update = self.batches().updates();
            return Err(Error::Diverged { update, what: "a parameter is not finite", kept });
        }
        run.map(|()| loss.mean())
    }

    /// Runs to the end.
    fn finish(&mut self) -> Result<()> {
        while self.batches().updates() < self.batches().total() {
            self.finish_epoch()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_has_every_row_once_and_its_own_order() {
        let mut batches = Batches::new(100, 25, 2, Streams::new(5)).unwrap();
        let mut epoch = || -> Vec<u32> {
            (0..4)
                .flat_map(|_| {
                    let rows = batches.present().to_vec();
                    batches.advance();
                    rows
                })
                .collect()
        };
        let [first, second] = [epoch(), epoch()];
        assert_ne!(first, second);
        assert_eq!((batches.updates(), batches.total(), batches.epoch()), (8, 8, 2));
        batches.read(&mut Reader::new(&1u64.to_le_bytes())).unwrap();
        assert_eq!(batches.present(), &first[25..50]);
        assert_eq!(batches.left_of_epoch(), 3);
        for mut rows in [first, second] {
            rows.sort_unstable();
            assert_eq!(rows, (0..100).collect::<Vec<u32>>());
        }
        assert!(Batches::new(3, 0, 1, Streams::new(5)).is_err() && Batches::new(3, 4, 1, Streams::new(5)).is_err());
    }
}
