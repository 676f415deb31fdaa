//! Averages at one inverse temperature.

use linalg_core::stats::Estimate;

use super::equations::Equations;
use super::mbar::Mbar;

/// The blocks of one series.
#[derive(Debug, Clone)]
pub(super) struct Blocks {
    /// One past the last sample of each block.
    ends: Vec<usize>,
    /// How each block moves the `ln Z_k`.
    moved: Vec<Vec<f64>>,
}

impl Blocks {
    pub fn new(equations: &Equations, places: &[u32], ends: Vec<usize>, inefficiency: f64) -> Self {
        let k = equations.n_states();
        let mut p = vec![0.0; k];
        let mut start = 0;
        let mut moved = Vec::new();
        for &end in &ends {
            let mut mass = vec![0.0; k];
            for &e in &places[start..end] {
                equations.posterior(e as usize, &mut p);
                mass.iter_mut().zip(&p).for_each(|(m, p)| *m += p / inefficiency);
            }
            moved.push(equations.moved(&mass));
            start = end;
        }
        Self { ends, moved }
    }

    /// The sum of a quantity over the samples of each block.
    pub fn sums(&self, quantity: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut start = 0;
        let sum = |&end: &usize| {
            let sum = (start..end).map(&quantity).sum();
            start = end;
            sum
        };
        self.ends.iter().map(sum).collect()
    }

    /// What the `ln Z_k` moved by each block do to a quantity with this response.
    pub fn answers<'a>(&'a self, response: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        self.moved.iter().map(move |moved| moved.iter().zip(response).map(|(a, b)| a * b).sum())
    }
}

/// A function of means with the error of a jackknife over the blocks of every series.
///
/// `rows[k][b]` holds what block b of series k contributes to each mean. Without it a mean is what the other blocks of
/// the series, in its place, would have given.
pub(super) fn jackknife(means: &[f64], rows: &[Vec<Vec<f64>>], function: &dyn Fn(&[f64]) -> f64) -> Estimate {
    let value = function(means);
    let mut variance = 0.0;
    for blocks in rows {
        let n = blocks.len() as f64;
        let mut center = vec![0.0; means.len()];
        blocks.iter().for_each(|row| center.iter_mut().zip(row).for_each(|(c, x)| *c += x / n));
        let without = |row: &Vec<f64>| {
            let factor = n / (n - 1.0);
            let left: Vec<f64> = (0..means.len()).map(|j| means[j] - factor * (row[j] - center[j])).collect();
            function(&left)
        };
        let deleted: Vec<f64> = blocks.iter().map(without).collect();
        let mean = deleted.iter().sum::<f64>() / n;
        // A single block gives NaN here, and an infinite error below.
        variance += (n - 1.0) / n * deleted.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    }
    let known = variance.is_finite() && value.is_finite();
    Estimate::new(value, if known { variance.sqrt() } else { f64::INFINITY })
}

/// Averages at one inverse temperature from all series of an [`Mbar`].
#[derive(Debug, Clone, PartialEq)]
pub struct Reweighted {
    beta: f64,
    reference: f64,
    effective_samples: f64,
    believable: bool,
    /// Of the energy relative to the reference, its square, and the observables.
    means: Vec<f64>,
    rows: Vec<Vec<Vec<f64>>>,
}

impl Reweighted {
    pub(super) fn new(mbar: &Mbar, beta: f64) -> Self {
        let equations = &mbar.equations;
        let at = equations.at(beta);
        let columns = 2 + mbar.series[0].n_observables();
        let sample = |k: usize, n: usize, column: usize| {
            let shifted = || equations.energies[mbar.places[k][n] as usize];
            match column {
                0 => shifted(),
                1 => shifted().powi(2),
                _ => mbar.series[k].observables[column - 2][n],
            }
        };
        let mut means = vec![0.0; columns];
        let mut squares = 0.0;
        for (k, places) in mbar.places.iter().enumerate() {
            let g = mbar.inefficiencies[k];
            for (n, &e) in places.iter().enumerate() {
                let w = at.per_mass[e as usize] / g;
                squares += g * w * w;
                means.iter_mut().enumerate().for_each(|(column, mean)| *mean += w * sample(k, n, column));
            }
        }
        // Weighted deviations of each energy, then what they answer to the ln Z_k.
        let mut sums = vec![0.0; equations.energies.len() * columns];
        let deviation = |k: usize, n: usize, column: usize| {
            let w = at.per_mass[mbar.places[k][n] as usize] / mbar.inefficiencies[k];
            w * (sample(k, n, column) - means[column])
        };
        for (k, places) in mbar.places.iter().enumerate() {
            for (n, &e) in places.iter().enumerate() {
                let row = &mut sums[e as usize * columns..(e as usize + 1) * columns];
                row.iter_mut().enumerate().for_each(|(column, sum)| *sum += deviation(k, n, column));
            }
        }
        let response = equations.response(&sums, columns);
        let states = equations.n_states();
        let rows = mbar.blocks.iter().enumerate().map(|(k, blocks)| {
            let mut rows = vec![Vec::with_capacity(columns); blocks.ends.len()];
            for column in 0..columns {
                let own = blocks.sums(|n| deviation(k, n, column));
                let answers = blocks.answers(&response[column * states..(column + 1) * states]);
                for (row, (a, b)) in rows.iter_mut().zip(own.iter().zip(answers)) {
                    row.push(a + b);
                }
            }
            rows
        });
        let rows = rows.collect();
        Self {
            beta,
            reference: equations.reference,
            effective_samples: 1.0 / squares,
            believable: mbar.believable,
            means,
            rows,
        }
    }

    /// The inverse temperature.
    pub fn beta(&self) -> f64 {
        self.beta
    }

    /// How many independent samples at this temperature would know a mean as well,
    /// $`1 / \sum_n g_n (u_n w_n)^2`$ with normalized weights.
    ///
    /// Between the simulated temperatures it is of the order of their independent samples. Beyond them it falls, and
    /// where it comes to a few tens the largest weights decide and neither averages nor errors can be believed.
    pub fn effective_samples(&self) -> f64 {
        self.effective_samples
    }

    fn estimate(&self, function: &dyn Fn(&[f64]) -> f64) -> Estimate {
        let estimate = jackknife(&self.means, &self.rows, function);
        if self.believable { estimate } else { Estimate::new(estimate.value, f64::INFINITY) }
    }

    /// The mean energy ⟨E⟩, extensive.
    pub fn energy(&self) -> Estimate {
        let energy = self.estimate(&|means| means[0]);
        Estimate { value: energy.value + self.reference, ..energy }
    }

    /// The heat capacity $`β^2 (⟨E^2⟩ - ⟨E⟩^2)`$, extensive.
    pub fn heat_capacity(&self) -> Estimate {
        let factor = self.beta * self.beta;
        self.estimate(&|means| factor * (means[1] - means[0] * means[0]))
    }

    /// The mean of observable number `k`.
    ///
    /// # Panics
    /// If there is no such observable.
    pub fn observable(&self, k: usize) -> Estimate {
        assert!(k + 2 < self.means.len(), "observable {k} of {}", self.means.len() - 2);
        self.estimate(&|means| means[k + 2])
    }

    /// A function of the means of all observables, in their order: with m² and m⁴ recorded, the Binder cumulant is
    /// `|m| 1.0 - m[1] / (3.0 * m[0] * m[0])`.
    ///
    /// The error is infinite where the function is not finite.
    pub fn function(&self, function: impl Fn(&[f64]) -> f64) -> Estimate {
        self.estimate(&|means| function(&means[2..]))
    }
}
