//! One pass from data to hidden samples.

use linalg_core::Streams;

use super::shard::{Leave, Shard, sample_hidden};
use super::{BitRows, PackedRbm, SHARD};
use linalg_core::simd::{Work, widest};
use linalg_core::threads;

impl PackedRbm {
    /// One sample of the hidden units for every row of data, on up to `threads` threads (0: all there are); 16 rows share a stream.
    ///
    /// Probabilities have a resolution of 2^-24: one below 2^-25 is never met, one that rounds to 1 in `f32` always.
    ///
    /// ```
    /// use boltzmann::units::Bernoulli;
    /// use boltzmann::{BitRows, PackedRbm, Rbm};
    /// use linalg_core::Streams;
    ///
    /// // A hidden unit that copies the visible one: e^-50 is below the resolution.
    /// let rbm = Rbm::new(Bernoulli, Bernoulli, vec![100.0], vec![0.0], vec![-50.0])?;
    /// let data = BitRows::from_bytes(&[0, 1, 1, 0, 1], 1)?;
    /// assert_eq!(PackedRbm::new(&rbm)?.sample_hidden(&data, Streams::new(1), 1), data);
    /// # Ok::<(), boltzmann::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the rows do not have a bit for each visible unit.
    pub fn sample_hidden(&self, data: &BitRows, streams: Streams, threads: usize) -> BitRows {
        assert_eq!(data.n_columns(), self.n_visible(), "{} columns for {} units", data.n_columns(), self.n_visible());
        let n_words = self.panels.len();
        let mut words = vec![0; data.n_rows() * n_words];
        let mut shards: Vec<&mut [u64]> = words.chunks_mut(SHARD * n_words).collect();
        threads::for_pieces(threads::count(threads), &mut shards, |first, shards| {
            for (k, out) in shards.iter_mut().enumerate() {
                let n = out.len() / n_words;
                let mut shard = Shard::new(self, n, &mut streams.fast_stream((first + k) as u64));
                (0..n).for_each(|c| shard.set_visible(c, data.row((first + k) * SHARD + c)));
                widest(Upward { machine: self, shard: &mut shard });
                for (c, words) in out.chunks_exact_mut(n_words).enumerate() {
                    words.copy_from_slice(shard.hidden(c));
                }
            }
        });
        BitRows::from_words(words, self.n_hidden())
    }
}

struct Upward<'a> {
    machine: &'a PackedRbm,
    shard: &'a mut Shard,
}

impl Work for Upward<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        sample_hidden(self.machine, &mut [self.shard], Leave::Sample);
    }
}
