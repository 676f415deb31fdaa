//! What people plot while a machine learns.

use linalg_core::Streams;
use linalg_core::rand::RngExt;
use linalg_core::stats::Running;

use crate::fast::bits::for_ones;
use crate::fast::shard::{Leave, Shard, sample_hidden};
use crate::fast::{BitRows, PackedRbm, SHARD, WIDTH};
use linalg_core::simd::{Work, widest};

/// The mean pseudo-log-likelihood in nats a row, with its standard error.
///
/// `Σ_i ln P(v_i | v without i)`, estimated from one unit a row drawn from `streams`: n times
/// $`\ln \sigma(F(v \text{ with } i \text{ flipped}) - F(v))`$. An upper trend that needs no ln Z.
///
/// J. Besag, The Statistician 24, 179 (1975).
///
/// # Panics
/// If the data have other columns than the machine has visible units.
pub fn pseudo_log_likelihood(machine: &PackedRbm, data: &BitRows, streams: Streams) -> linalg_core::stats::Estimate {
    let n = machine.n_visible();
    let mut rng = streams.fast_stream(0);
    let mut words = Vec::with_capacity(2 * data.n_rows() * n.div_ceil(WIDTH));
    for row in 0..data.n_rows() {
        let unit = rng.random_range(0..n as u64) as usize;
        words.extend_from_slice(data.row(row));
        let start = words.len();
        words.extend_from_slice(data.row(row));
        words[start + unit / WIDTH] ^= 1 << (unit % WIDTH);
    }
    let energies = machine.free_energies(&BitRows::from_words(words, n));
    let mut mean = Running::new();
    for pair in energies.chunks_exact(2) {
        mean.push(n as f64 * linalg_core::logspace::ln_sigmoid(pair[1] - pair[0]));
    }
    mean.estimate()
}

/// The mean squared error of one reconstruction: data, hidden sample, visible means; summed over the units of a row.
///
/// # Panics
/// If the data have other columns than the machine has visible units.
pub fn reconstruction_error(machine: &PackedRbm, data: &BitRows, streams: Streams) -> f64 {
    assert_eq!(data.n_columns(), machine.n_visible(), "{} columns for {} units", data.n_columns(), machine.n_visible());
    let mut sum = 0.0;
    for first in (0..data.n_rows()).step_by(SHARD) {
        let n = SHARD.min(data.n_rows() - first);
        let mut shard = Shard::new(machine, n, &mut streams.stream((first / SHARD) as u64));
        (0..n).for_each(|c| shard.set_visible(c, data.row(first + c)));
        sum += widest(Reconstruct { machine, shard });
    }
    sum / data.n_rows() as f64
}

struct Reconstruct<'a> {
    machine: &'a PackedRbm,
    shard: Shard,
}

impl Work for Reconstruct<'_> {
    type Output = f64;

    #[inline(always)]
    fn run(mut self) -> f64 {
        sample_hidden(self.machine, &mut [&mut self.shard], Leave::Sample);
        let mut sum = 0.0;
        for c in 0..self.shard.n {
            let v = self.shard.visible(c);
            for q in 0..self.machine.visible_bias.len() {
                let fields = self.machine.visible_fields(q, self.shard.hidden(c));
                let mut target = [0.0f32; WIDTH];
                for_ones(&v[q..=q], |k| target[k] = 1.0);
                let n = WIDTH.min(self.machine.n_visible - q * WIDTH);
                for (field, target) in fields.0.iter().zip(target).take(n) {
                    let difference = f64::from(crate::fast::math::sigmoid(*field) - target);
                    sum += difference * difference;
                }
            }
        }
        sum
    }
}

/// The mean free energy of other data minus that of the training data: grows when the machine learns its data by heart.
///
/// # Panics
/// If the data have other columns than the machine has visible units.
pub fn free_energy_gap(machine: &PackedRbm, train: &BitRows, other: &BitRows) -> f64 {
    let mean = |data: &BitRows| machine.free_energies(data).iter().sum::<f64>() / data.n_rows() as f64;
    mean(other) - mean(train)
}
