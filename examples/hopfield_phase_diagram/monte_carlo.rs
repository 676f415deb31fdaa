//! The three temperatures as a network shows them.

use linalg_core::stats::Running;
use workspace_examples::hopfield::Network;

/// How much is simulated.
pub struct Effort {
    pub spins: usize,
    /// Sweeps at each temperature.
    pub sweeps: u64,
    /// Networks.
    pub samples: u64,
    pub seed: u64,
}

/// Temperatures with standard errors over networks; `None` where a network shows none.
pub struct Measured {
    pub glass: Option<(f64, f64)>,
    pub memory: Option<(f64, f64)>,
    pub lowest: Option<(f64, f64)>,
}

/// Mean energy and overlap at one temperature; the first third of the sweeps is left out.
fn averages(network: &mut Network, temperature: f64, sweeps: u64) -> (f64, f64) {
    let (mut energy, mut overlap) = (Running::new(), Running::new());
    for sweep in 0..sweeps {
        network.sweep(temperature);
        if 3 * sweep >= sweeps {
            energy.push(network.energy_per_spin());
            overlap.push(network.magnetization());
        }
    }
    (energy.mean(), overlap.mean())
}

/// Heats a memory; `(T, e)` until it is lost, and the temperature halfway between the last two.
fn heat(effort: &Effort, patterns: usize, sample: u64) -> (Vec<(f64, f64)>, Option<f64>) {
    let mut network = Network::new(effort.spins, patterns, 1.0, effort.seed, sample);
    let step = 0.02;
    let mut energies = Vec::new();
    for k in 1..50 {
        let temperature = step * f64::from(k);
        let (energy, overlap) = averages(&mut network, temperature, effort.sweeps);
        // On the line m is above 0.3 for all loads here; the rest that a lost memory leaves is smaller.
        if overlap < 0.3 {
            return (energies, (k > 1).then_some(temperature - 0.5 * step));
        }
        energies.push((temperature, energy));
    }
    (energies, None)
}

/// Cools a random start from T = 10: `(T, e)`, hot first.
fn cool(effort: &Effort, patterns: usize, sample: u64) -> Vec<(f64, f64)> {
    let mut network = Network::new(effort.spins, patterns, 0.0, effort.seed, sample);
    let hot = [10.0, 5.0, 3.0, 2.2, 1.8, 1.6, 1.5, 1.4, 1.3, 1.2, 1.1, 1.0];
    let cold = (1..25).map(|k| 1.0 - 0.04 * f64::from(k));
    hot.into_iter().chain(cold).map(|t| (t, averages(&mut network, t, effort.sweeps).0)).collect()
}

/// Where βf of the memory, integrated from T = 0, falls below that of the glass, integrated from T = ∞.
fn crossing(memory: &[(f64, f64)], glass: &[(f64, f64)], load: f64) -> Option<f64> {
    // βf = β₀ e(T₀) up to an entropy that is tiny at T₀.
    let &(first, energy) = memory.first()?;
    let mut free = vec![(first, energy / first)];
    for pair in memory.windows(2) {
        let [(t0, e0), (t1, e1)] = [pair[0], pair[1]];
        let last = free[free.len() - 1].1;
        free.push((t1, last + 0.5 * (e0 + e1) * (1.0 / t1 - 1.0 / t0)));
    }
    // At high temperature e = -αβ/2 and βf = -ln 2 - αβ²/4.
    let hot = glass.first()?.0;
    let mut value = -std::f64::consts::LN_2 - 0.25 * load / (hot * hot);
    let mut rest = vec![(hot, value)];
    for pair in glass.windows(2) {
        let [(t0, e0), (t1, e1)] = [pair[0], pair[1]];
        value += 0.5 * (e0 + e1) * (1.0 / t1 - 1.0 / t0);
        rest.push((t1, value));
    }
    let glass_at = |t: f64| {
        let k = rest.iter().position(|(other, _)| *other <= t)?;
        let ((t1, a), (t0, b)) = (rest[k], *rest.get(k.checked_sub(1)?)?);
        let (x, x0, x1) = (1.0 / t, 1.0 / t0, 1.0 / t1);
        Some(b + (a - b) * (x - x0) / (x1 - x0))
    };
    // From the hot end of the memory down, in free energies per spin.
    let gaps: Vec<(f64, f64)> = free.iter().rev().filter_map(|&(t, f)| Some((t, t * (f - glass_at(t)?)))).collect();
    gaps.windows(2).find(|pair| pair[0].1 > 0.0 && pair[1].1 <= 0.0).map(|pair| {
        let [(t0, a), (t1, b)] = [pair[0], pair[1]];
        t0 + (t1 - t0) * a / (a - b)
    })
}

/// Where the overlap of a glass with itself, `sweeps` later, extrapolates to 0.
fn glass_temperature(effort: &Effort, patterns: usize, load: f64, sample: u64) -> Option<f64> {
    let mut network = Network::new(effort.spins, patterns, 0.0, effort.seed, sample);
    let mut curve = Vec::new();
    for k in 0..6 {
        // From 0.95 of 1 + √α down to 0.7: where the overlap is above its noise 1/√N.
        let t = (1.0 + load.sqrt()) * (0.95 - 0.05 * f64::from(k));
        for _ in 0..effort.sweeps {
            network.sweep(t);
        }
        let before = network.spins().to_vec();
        let mut overlap = Running::new();
        for sweep in 0..effort.sweeps {
            network.sweep(t);
            if 2 * sweep >= effort.sweeps {
                let product: i32 = network.spins().iter().zip(&before).map(|(a, b)| a * b).sum();
                overlap.push(f64::from(product) / effort.spins as f64);
            }
        }
        curve.push((t, overlap.mean()));
    }
    let n = curve.len() as f64;
    let (mean_t, mean_q) = (curve.iter().map(|p| p.0).sum::<f64>() / n, curve.iter().map(|p| p.1).sum::<f64>() / n);
    let slope = curve.iter().map(|p| (p.0 - mean_t) * (p.1 - mean_q)).sum::<f64>()
        / curve.iter().map(|p| (p.0 - mean_t).powi(2)).sum::<f64>();
    (slope < 0.0).then(|| mean_t - mean_q / slope)
}

/// The three temperatures of networks at one load.
pub fn measure(load: f64, effort: &Effort) -> Measured {
    let patterns = (load * effort.spins as f64).round() as usize;
    let (mut glass, mut memory, mut lowest) = (Running::new(), Running::new(), Running::new());
    for k in 0..effort.samples {
        // A network of its own for each measurement.
        let (energies, lost) = heat(effort, patterns, 3 * k);
        if let Some(t) = lost {
            memory.push(t);
        }
        if let Some(t) = crossing(&energies, &cool(effort, patterns, 3 * k + 1), load) {
            lowest.push(t);
        }
        if let Some(t) = glass_temperature(effort, patterns, load, 3 * k + 2) {
            glass.push(t);
        }
    }
    // A temperature that half of the networks do not show is not one.
    let result = |r: &Running| (2 * r.count() > effort.samples).then(|| (r.mean(), r.std_error()));
    Measured { glass: result(&glass), memory: result(&memory), lowest: result(&lowest) }
}
