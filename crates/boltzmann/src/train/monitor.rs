//! What people plot while a machine learns.

use linalg_core::Streams;
use linalg_core::rand::RngExt;
use linalg_core::stats::{AutocorrelationTime, Running, autocorrelation_time};

use crate::fast::bits::for_ones;
use crate::fast::shard::{Leave, Shard, sample_hidden};
use crate::fast::{BitRows, PackedRbm, SHARD, WIDTH};
use crate::{GibbsChains, Result};
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

/// How long chains of a machine remember: the integrated autocorrelation time, in sweeps, of the mean free energy of chains that start at
/// `rows` and make twice `sweeps` sweeps, of which the first half is left out. 1/2 is what independent states have.
///
/// Where the report is not converged the chains are too short, or the machine does not mix: the time is then a lower bound.
///
/// Cost: two sweeps and a free energy a chain and step.
///
/// ```
/// use boltzmann::train::monitor::mixing_time;
/// use boltzmann::units::Bernoulli;
/// use boltzmann::{BitRows, PackedRbm, Rbm};
/// use linalg_core::Streams;
///
/// // Units without couplings forget everything in a sweep.
/// let rbm = Rbm::new(Bernoulli, Bernoulli, vec![0.0; 2], vec![1.0, -0.5], vec![0.0])?;
/// let rows = BitRows::from_bytes(&[0, 1, 1, 1], 2)?;
/// let time = mixing_time(&PackedRbm::new(&rbm)?, &rows, 5000, Streams::new(1), 1)?;
/// assert!(time.converged && (time.tau - 0.5).abs() < 0.05);
/// # Ok::<(), boltzmann::Error>(())
/// ```
///
/// # Errors
/// [`Error::WrongLength`](crate::Error::WrongLength) if the rows do not fit the machine; fewer than two sweeps.
pub fn mixing_time(
    machine: &PackedRbm,
    rows: &BitRows,
    sweeps: u64,
    streams: Streams,
    threads: usize,
) -> Result<AutocorrelationTime> {
    let mut chains = GibbsChains::at_rows(machine, rows, streams)?;
    chains.advance(machine, sweeps, threads);
    let mut series = Vec::new();
    for _ in 0..sweeps {
        chains.advance(machine, 1, threads);
        let energies = machine.free_energies(&chains.visible());
        series.push(energies.iter().sum::<f64>() / energies.len() as f64);
    }
    Ok(autocorrelation_time(&series)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rbm;
    use crate::units::Bernoulli;

    /// One visible and one hidden unit: v is a chain of two states with the second eigenvalue
    /// λ = [P(h|v=1) - P(h|v=0)] [P(v|h=1) - P(v|h=0)], and τ = (1 + λ)/(2 (1 - λ)).
    #[test]
    fn the_mixing_time_of_two_units() {
        let sigmoid = linalg_core::logspace::sigmoid;
        for w in [2.0, 5.0] {
            let rbm = Rbm::new(Bernoulli, Bernoulli, vec![w], vec![-0.3 * w], vec![-0.5 * w]).unwrap();
            let lambda = (sigmoid(0.5 * w) - sigmoid(-0.5 * w)) * (sigmoid(0.7 * w) - sigmoid(-0.3 * w));
            let exact = 0.5 * (1.0 + lambda) / (1.0 - lambda);
            let rows = BitRows::from_bytes(&[0, 1, 0, 1], 1).unwrap();
            let machine = PackedRbm::new(&rbm).unwrap();
            let time = mixing_time(&machine, &rows, 40_000, Streams::new(2), 1).unwrap();
            assert!(time.converged);
            assert!((time.tau - exact).abs() < 4.5 * time.tau_error, "{time:?} {exact}");
            assert!(time.tau_error < 0.05 * exact);
        }
        let machine =
            PackedRbm::new(&Rbm::random(Bernoulli, Bernoulli, 2, 1, 0.1, &mut Streams::new(1).stream(0)).unwrap());
        let rows = BitRows::from_bytes(&[0, 1], 1).unwrap();
        assert!(mixing_time(&machine.unwrap(), &rows, 10, Streams::new(2), 1).is_err());
    }
}
