//! Jumps of the loss of all neurons and of those at the boundary.
//!
//! The paper quotes numerical work for the claim that during training the *bulk* loss has no discontinuous jumps while the
//! *boundary* loss has, even at a constant number of neurons: the bulk would be a reservoir of neurons for the boundary. Here the
//! claim is a statistic over an ensemble of small recurrent networks, and [`compare`] says whether it holds.
//!
//! A network of $`n`$ neurons couples all to all but to themselves. The boundary neurons are clamped to data, the others start at 0
//! and follow $`x \leftarrow \tanh(Wx + b)`$ a few times. With $`f = \tanh(Wx + b)`$ the losses are
//! $`\frac12\sum_i (x_i - f_i)^2`$ over the boundary or over all neurons, averaged over samples; each network is trained on one of
//! them by gradient descent through all steps.

use linalg_core::Streams;
use linalg_core::rand::{Rng, RngExt};
use linalg_core::rng::standard_normal;
use linalg_core::stats::{Bootstrap, Interval, Running, bootstrap};
use linalg_core::threads::{count, for_each};

use super::{all_finite, positive};
use crate::{Error, Result};

/// Which neurons a loss sums over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Loss {
    /// The clamped neurons only.
    Boundary,
    /// All neurons.
    Bulk,
}

/// Size and training of the networks.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct LossParams {
    /// Neurons that are not clamped; default 6.
    pub bulk: usize,
    /// Updates of the bulk before the loss; default 3.
    pub updates: usize,
    /// Step of the descent; default 0.1.
    pub eta: f64,
    /// Samples of a batch, drawn with replacement; 0, the default, takes all.
    pub batch: usize,
    /// Steps; default 2000.
    pub steps: usize,
    /// Standard deviation of the first weights times √n; default 1.5.
    pub scale: f64,
    /// A step is a jump when the loss changes by more than this many medians of the changes around it; default 8.
    pub jump: f64,
    /// Steps on either side that count as around; default 50.
    pub window: usize,
}

impl Default for LossParams {
    fn default() -> Self {
        Self { bulk: 6, updates: 3, eta: 0.1, batch: 0, steps: 2000, scale: 1.5, jump: 8.0, window: 50 }
    }
}

impl LossParams {
    /// Sets the number of steps.
    pub fn steps(mut self, steps: usize) -> Self {
        self.steps = steps;
        self
    }

    /// Sets the batch; 0 takes all samples.
    pub fn batch(mut self, batch: usize) -> Self {
        self.batch = batch;
        self
    }

    /// Sets the step of the descent.
    pub fn eta(mut self, eta: f64) -> Self {
        self.eta = eta;
        self
    }
}

/// A recurrent network with a clamped boundary.
struct Network {
    n: usize,
    boundary: usize,
    updates: usize,
    /// For each neuron the weights from all neurons and the bias.
    weights: Vec<f64>,
}

impl Network {
    fn random<R: Rng + ?Sized>(boundary: usize, params: &LossParams, rng: &mut R) -> Self {
        let n = boundary + params.bulk;
        let scale = params.scale / (n as f64).sqrt();
        let mut weights: Vec<f64> = (0..n * (n + 1)).map(|_| scale * standard_normal(rng)).collect();
        (0..n).for_each(|i| weights[i * (n + 1) + i] = 0.0);
        Self { n, boundary, updates: params.updates, weights }
    }

    fn respond(&self, x: &[f64], i: usize) -> f64 {
        let row = &self.weights[i * (self.n + 1)..(i + 1) * (self.n + 1)];
        (row[self.n] + row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>()).tanh()
    }

    /// Loss of a sample; adds its gradient to `gradient`.
    fn sample(&self, data: &[f64], loss: Loss, gradient: &mut [f64]) -> f64 {
        let (n, boundary) = (self.n, self.boundary);
        let mut x = data.to_vec();
        x.resize(n, 0.0);
        let mut states = vec![x];
        for _ in 0..self.updates {
            let mut next = states[states.len() - 1].clone();
            (boundary..n).for_each(|i| next[i] = self.respond(&states[states.len() - 1], i));
            states.push(next);
        }
        let last = &states[states.len() - 1];
        let among = if loss == Loss::Boundary { boundary } else { n };
        let (mut value, mut back, mut down) = (0.0, vec![0.0; n], vec![0.0; n]);
        for i in 0..among {
            let f = self.respond(last, i);
            let error = last[i] - f;
            value += 0.5 * error * error;
            back[i] = -error * (1.0 - f * f);
            if i >= boundary {
                down[i] += error;
            }
        }
        for layer in (0..states.len()).rev() {
            // `back` are derivatives by the inputs of the units that read this state.
            for (i, b) in back.iter().enumerate().filter(|(_, b)| **b != 0.0) {
                let row = i * (n + 1);
                for j in 0..n {
                    gradient[row + j] += b * states[layer][j];
                    down[j] += b * self.weights[row + j];
                }
                gradient[row + n] += b;
                gradient[row + i] = 0.0;
            }
            back.fill(0.0);
            if layer > 0 {
                (boundary..n).for_each(|i| back[i] = down[i] * (1.0 - states[layer][i].powi(2)));
            }
            down.fill(0.0);
        }
        value
    }

    fn mean(&self, data: &[f64], loss: Loss, gradient: &mut [f64]) -> f64 {
        gradient.fill(0.0);
        let n = data.len() / self.boundary;
        let sum: f64 = data.chunks_exact(self.boundary).map(|row| self.sample(row, loss, gradient)).sum();
        gradient.iter_mut().for_each(|g| *g /= n as f64);
        sum / n as f64
    }
}

/// The loss of a network over training, after each step.
///
/// `data` holds samples of `boundary` numbers in (-1, 1) each, row-major.
///
/// # Errors
/// [`linalg_core::Error::Empty`] for no samples, [`Error::NotFinite`] for a number or a loss that is not finite,
/// [`Error::Parameter`] for a step, a scale or a number of steps that is not positive.
///
/// # Panics
/// When `data` is not made of rows of `boundary` numbers.
pub fn train<R: Rng + ?Sized>(
    data: &[f64],
    boundary: usize,
    loss: Loss,
    params: &LossParams,
    rng: &mut R,
) -> Result<Vec<f64>> {
    if data.is_empty() {
        return Err(linalg_core::Error::Empty { what: "samples" }.into());
    }
    let total = data.len();
    assert!(boundary > 0 && total.is_multiple_of(boundary), "{total} numbers are not samples of {boundary}");
    all_finite("sample", data)?;
    positive("step", params.eta)?;
    positive("scale of the weights", params.scale)?;
    positive("number of steps", params.steps as f64)?;
    let mut network = Network::random(boundary, params, rng);
    let mut gradient = vec![0.0; network.weights.len()];
    let mut part = vec![0.0; network.weights.len()];
    let rows = total / boundary;
    let mut losses = Vec::with_capacity(params.steps);
    for index in 0..params.steps {
        let value = network.mean(data, loss, &mut gradient);
        if !value.is_finite() {
            return Err(Error::NotFinite { what: "loss at step", index, value });
        }
        losses.push(value);
        if params.batch > 0 {
            gradient.fill(0.0);
            for _ in 0..params.batch {
                let k = rng.random_range(0..rows as u64) as usize;
                part.fill(0.0);
                network.sample(&data[k * boundary..(k + 1) * boundary], loss, &mut part);
                gradient.iter_mut().zip(&part).for_each(|(g, p)| *g += p / params.batch as f64);
            }
        }
        network.weights.iter_mut().zip(&gradient).for_each(|(w, g)| *w -= params.eta * g);
    }
    Ok(losses)
}

/// Jumps a thousand steps, and the excess kurtosis of the relative changes of a series of losses.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct JumpStatistics {
    /// Steps with a change of more than `jump` medians of the changes around them, a thousand steps.
    pub rate: f64,
    /// Excess kurtosis of $`\Delta\ln L`$: 0 for Gaussian changes, large when few changes do all.
    pub kurtosis: f64,
    /// Share of the total variation of $`\ln L`$ in the largest hundredth of the changes.
    pub top_share: f64,
}

/// Counts the jumps of a series.
///
/// ```
/// use physics_inference::emergent::losses::{LossParams, jump_statistics};
///
/// // Smooth decay with one step down.
/// let loss: Vec<f64> = (0..1000).map(|t| (-0.001 * f64::from(t)).exp() * if t < 600 { 2.0 } else { 1.0 }).collect();
/// let statistics = jump_statistics(&loss, &LossParams::default());
/// assert!((statistics.rate - 1000.0 / 999.0).abs() < 1e-12);
/// ```
pub fn jump_statistics(losses: &[f64], params: &LossParams) -> JumpStatistics {
    let tiny = f64::MIN_POSITIVE;
    let changes: Vec<f64> = losses.windows(2).map(|pair| pair[1].max(tiny).ln() - pair[0].max(tiny).ln()).collect();
    let n = changes.len();
    let mut jumps = 0;
    let mut around = Vec::new();
    for (t, change) in changes.iter().enumerate() {
        around.clear();
        around.extend(changes[t.saturating_sub(params.window)..(t + params.window + 1).min(n)].iter().map(|c| c.abs()));
        around.sort_by(f64::total_cmp);
        // Relative changes at the level of rounding are no jumps.
        let median = around[around.len() / 2].max(1e-13);
        jumps += usize::from(change.abs() > params.jump * median);
    }
    let mut sizes: Vec<f64> = changes.iter().map(|c| c.abs()).collect();
    sizes.sort_by(|a, b| b.total_cmp(a));
    let total: f64 = sizes.iter().sum();
    let top: f64 = sizes.iter().take(n.div_ceil(100)).sum();
    let spread: Running = changes.into_iter().collect();
    JumpStatistics {
        rate: 1000.0 * jumps as f64 / n.max(1) as f64,
        kurtosis: if spread.variance() > 0.0 { spread.excess_kurtosis() } else { 0.0 },
        top_share: if total > 0.0 { top / total } else { 0.0 },
    }
}

/// The claim on an ensemble.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct LossComparison {
    /// Statistics of the networks trained on the boundary loss.
    pub boundary: Vec<JumpStatistics>,
    /// Those of the same networks trained on the bulk loss.
    pub bulk: Vec<JumpStatistics>,
    /// Mean difference of the rates, boundary minus bulk, jumps a thousand steps.
    pub difference: f64,
    /// Standard error of the difference by the bootstrap over networks.
    pub std_error: f64,
    /// Its interval of 95 % by the bootstrap over networks.
    pub interval: Interval,
    /// Whether the boundary loss jumps more often: the interval lies above 0.
    pub claim: bool,
}

/// Trains every network of an ensemble twice, on either loss from the same start, and compares the rates of jumps.
///
/// Samples are `samples` random points: inputs in (-0.9, 0.9) and as the last boundary neuron 0.8 times the sign of their product,
/// a parity that needs the bulk. Network `k` draws from child `k`.
///
/// # Errors
/// As [`train`]; [`Error::Parameter`] for fewer than two networks or boundary neurons.
pub fn compare(
    networks: usize,
    boundary: usize,
    samples: usize,
    params: &LossParams,
    threads: usize,
    streams: Streams,
) -> Result<LossComparison> {
    for (what, n) in [("networks", networks), ("boundary neurons", boundary)] {
        if n < 2 {
            return Err(Error::Parameter { what, value: n as f64, expected: "at least 2" });
        }
    }
    type Pair = Result<[JumpStatistics; 2]>;
    let nothing = JumpStatistics { rate: 0.0, kurtosis: 0.0, top_share: 0.0 };
    let mut runs: Vec<(u64, Pair)> = (0..networks as u64).map(|k| (k, Ok([nothing; 2]))).collect();
    for_each(count(threads), &mut runs, |(k, out)| {
        let own = streams.child(*k);
        let mut rng = own.fast_stream(0);
        let mut data = Vec::with_capacity(samples * boundary);
        for _ in 0..samples {
            let inputs: Vec<f64> = (1..boundary).map(|_| rng.random_range(-0.9..0.9)).collect();
            let parity = inputs.iter().product::<f64>().signum();
            data.extend(inputs);
            data.push(0.8 * parity);
        }
        let one = |loss: Loss| {
            // The same first weights for both.
            let losses = train(&data, boundary, loss, params, &mut own.fast_stream(1))?;
            Ok(jump_statistics(&losses, params))
        };
        *out = one(Loss::Boundary).and_then(|a| Ok([a, one(Loss::Bulk)?]));
    });
    let (mut at_boundary, mut in_bulk) = (Vec::new(), Vec::new());
    for (_, run) in runs {
        let [a, b] = run?;
        at_boundary.push(a);
        in_bulk.push(b);
    }
    let differences: Vec<f64> = at_boundary.iter().zip(&in_bulk).map(|(a, b)| a.rate - b.rate).collect();
    let mean = |rows: &[f64]| rows.iter().sum::<f64>() / rows.len() as f64;
    let result: Bootstrap = bootstrap(&differences, 1, 2000, mean, &mut streams.stream(u64::MAX))?;
    let interval = result.interval(0.95)?;
    Ok(LossComparison {
        boundary: at_boundary,
        bulk: in_bulk,
        difference: result.value,
        std_error: result.std_error,
        interval,
        claim: interval.low > 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::optim::finite_difference::check_gradient;

    #[test]
    fn gradients() {
        let params = LossParams::default();
        let mut network = Network::random(3, &params, &mut Streams::new(1).stream(0));
        let data = [0.3, -0.5, 0.8, 0.1, 0.7, -0.8];
        for loss in [Loss::Boundary, Loss::Bulk] {
            let n = network.n;
            let start = network.weights.clone();
            let check = check_gradient(
                |w, g| {
                    network.weights.copy_from_slice(w);
                    // No neuron sees itself.
                    (0..n).for_each(|i| network.weights[i * (n + 1) + i] = 0.0);
                    network.mean(&data, loss, g)
                },
                &start,
            )
            .unwrap();
            assert!(check.relative_error < 1e-6, "{loss:?} {check:?}");
        }
    }

    #[test]
    fn training_lowers_both_losses_and_the_claim_is_decided() {
        let params = LossParams::default().steps(400);
        let comparison = compare(8, 3, 12, &params, 2, Streams::new(3)).unwrap();
        assert_eq!(comparison, compare(8, 3, 12, &params, 1, Streams::new(3)).unwrap());
        assert!(comparison.interval.low <= comparison.difference && comparison.difference <= comparison.interval.high);
        assert_eq!(comparison.claim, comparison.interval.low > 0.0);
        let mut rng = Streams::new(4).fast_stream(0);
        let data = [0.5, 0.5, 0.8, -0.5, 0.5, -0.8, 0.5, -0.5, -0.8];
        for loss in [Loss::Boundary, Loss::Bulk] {
            let losses = train(&data, 3, loss, &params, &mut rng).unwrap();
            assert!(losses[399] < 0.7 * losses[0], "{loss:?} {} {}", losses[0], losses[399]);
        }
    }

    #[test]
    #[ignore = "the claim on 100 networks, half a minute; run by .ci/long"]
    fn the_claim_on_a_hundred_networks() {
        for batch in [0, 4] {
            let params = LossParams::default().batch(batch);
            let comparison = compare(100, 4, 16, &params, 2, Streams::new(11)).unwrap();
            let mean = |rows: &[JumpStatistics], f: fn(&JumpStatistics) -> f64| {
                rows.iter().map(f).collect::<Running>().estimate()
            };
            for (name, rows) in [("boundary", &comparison.boundary), ("bulk", &comparison.bulk)] {
                let (rate, share) = (mean(rows, |s| s.rate), mean(rows, |s| s.top_share));
                println!("batch {batch} {name}: {rate} jumps in 1000 steps, top share {share}");
            }
            let Interval { low, high } = comparison.interval;
            println!("difference {} in [{low}, {high}], claim {}", comparison.difference, comparison.claim);
            assert!(comparison.std_error < 2.0);
        }
    }

    #[test]
    fn statistics_tell_jumps_from_noise() {
        let mut rng = Streams::new(6).fast_stream(0);
        let params = LossParams::default();
        let mut value = 0.0;
        let smooth: Vec<f64> = (0..3000)
            .map(|_| {
                value += 0.01 * standard_normal(&mut rng);
                f64::exp(value)
            })
            .collect();
        let a = jump_statistics(&smooth, &params);
        assert!(a.rate < 0.5 && a.kurtosis.abs() < 0.4, "{a:?}");
        let jumpy: Vec<f64> =
            smooth.iter().enumerate().map(|(t, x)| x * if t / 300 % 2 == 0 { 1.0 } else { 1.5 }).collect();
        let b = jump_statistics(&jumpy, &params);
        assert!((b.rate - 9.0 / 2.999).abs() < 0.7 && b.kurtosis > 10.0 && b.top_share > a.top_share, "{b:?}");
        assert!(jump_statistics(&[], &params).rate == 0.0 && jump_statistics(&[1.0; 9], &params).kurtosis == 0.0);
    }

    #[test]
    fn bad_input() {
        let params = LossParams::default();
        let mut rng = Streams::new(4).fast_stream(0);
        assert!(train(&[], 2, Loss::Bulk, &params, &mut rng).is_err());
        assert!(train(&[f64::NAN, 0.0], 2, Loss::Bulk, &params, &mut rng).is_err());
        assert!(train(&[0.1, 0.0], 2, Loss::Bulk, &params.eta(0.0), &mut rng).is_err());
        assert!(train(&[0.1, 0.0], 2, Loss::Bulk, &params.steps(0), &mut rng).is_err());
        assert!(compare(1, 3, 4, &params, 1, Streams::new(0)).is_err());
    }
}
