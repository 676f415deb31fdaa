//! The order of the rows of an epoch.

use linalg_core::Streams;
use linalg_core::rand::RngExt;

/// The rows of the data in an order of their own for every epoch, drawn from the stream of its number.
#[derive(Debug, Clone)]
pub(crate) struct RowOrder {
    rows: Vec<u32>,
    /// The epoch of this order; none yet at first.
    epoch: Option<u64>,
}

impl RowOrder {
    pub(crate) fn new(n_rows: usize) -> Self {
        Self { rows: (0..n_rows as u32).collect(), epoch: None }
    }

    /// The order of an epoch, drawn if it is not the present one.
    pub(crate) fn of_epoch(&mut self, epoch: u64, streams: &Streams) -> &[u32] {
        if self.epoch != Some(epoch) {
            let mut rng = streams.fast_stream(epoch);
            self.rows.iter_mut().zip(0..).for_each(|(row, k)| *row = k);
            for k in (1..self.rows.len()).rev() {
                self.rows.swap(k, rng.random_range(0..=k as u64) as usize);
            }
            self.epoch = Some(epoch);
        }
        &self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_has_every_row_once_and_its_own_order() {
        let streams = Streams::new(5);
        let mut order = RowOrder::new(100);
        let [first, second] = [0, 1].map(|epoch| order.of_epoch(epoch, &streams).to_vec());
        assert_ne!(first, second);
        assert_eq!(order.of_epoch(0, &streams), first);
        for mut rows in [first, second] {
            rows.sort_unstable();
            assert_eq!(rows, (0..100).collect::<Vec<u32>>());
        }
    }
}
