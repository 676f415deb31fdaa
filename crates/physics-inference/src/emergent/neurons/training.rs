//! Training with births and deaths of hidden neurons.

use linalg_core::Streams;
use linalg_core::rand::{Rng, RngExt};
use linalg_core::rng::{standard_normal, uniform_open01};
use linalg_core::stats::{Binning, Estimate, Running};
use linalg_core::threads::{count, for_each};

use super::unit::error_on;
use super::{Neuron, OutputLayer};
use crate::emergent::sgd::Regression;
use crate::emergent::{finite, positive};
use crate::{Error, Result};

/// A network whose hidden units move by Langevin steps and are born and die at a chemical potential.
///
/// The energy of a set of hidden units is the loss with the output layer refitted, $`E = J/\sigma^2`$, and units have a Gaussian
/// prior. Between steps $`a \leftarrow a - \eta\,\partial(E + T|a|^2/2s^2)/\partial a + \sqrt{2\eta T}\,\xi`$ a birth draws a unit
/// from the prior and a death picks one at random: accepted with $`\min(1, e^{-(\Delta E-\mu)/T}/(N+1))`$ and
/// $`\min(1, N e^{-(\Delta E+\mu)/T})`$. Stationary for frozen units is the ideal-gas weight $`e^{-(E-\mu N)/T}/N!`$ times the prior;
/// Langevin steps add an error of $`O(\eta)`$. A confinement $`\frac\kappa2(N - N_0)^2`$ can be added to the energy: it narrows
/// $`N`$ at the same temperature.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct BirthDeathTraining {
    /// Temperature; default 1.
    pub temperature: f64,
    /// Chemical potential of a unit; default 0.
    pub mu: f64,
    /// Noise variance σ² of the targets; default 0.1.
    pub noise: f64,
    /// Standard deviation s of weights and biases; default 2.
    pub scale: f64,
    /// Ridge of the output layer; default 0.01.
    pub ridge: f64,
    /// Step η of the units; default 0.001. A step is cut to a length of 0.1 a weight.
    pub step: f64,
    /// Most units; default 40.
    pub most: usize,
    /// Births and deaths tried between steps; default 2.
    pub moves: usize,
    /// Confinement κ; default 0.
    pub confinement: f64,
    /// Its centre, and the mean number for [`tuned`](Self::tuned); default 6.
    pub centre: f64,
}

impl Default for BirthDeathTraining {
    fn default() -> Self {
        Self {
            temperature: 1.0,
            mu: 0.0,
            noise: 0.1,
            scale: 2.0,
            ridge: 0.01,
            step: 1e-3,
            most: 40,
            moves: 2,
            confinement: 0.0,
            centre: 6.0,
        }
    }
}

/// A change of the number of units by one.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Jump {
    /// Step at which it happened.
    pub step: usize,
    /// 1 for a birth, -1 for a death.
    pub change: i32,
    /// Jump of the loss $`E`$.
    pub energy: f64,
}

/// What a training run leaves.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Trace {
    /// Units after each measured step.
    pub number: Vec<usize>,
    /// Energy $`E`$ after each measured step.
    pub energy: Vec<f64>,
    /// Births and deaths in the measured part.
    pub jumps: Vec<Jump>,
    /// Mean of $`N`$.
    pub mean_n: Estimate,
    /// $`\Delta N`$.
    pub delta_n: f64,
    /// Mean over the measured steps of the mean squared error on test data, `None` without.
    pub test_error: Option<Estimate>,
    /// The chemical potential in the measured part.
    pub mu: f64,
}

struct State {
    neurons: Vec<Neuron>,
    layer: OutputLayer,
}

impl BirthDeathTraining {
    /// Sets the temperature.
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.temperature = temperature;
        self
    }

    /// Sets the chemical potential.
    pub fn mu(mut self, mu: f64) -> Self {
        self.mu = mu;
        self
    }

    /// Sets the noise variance.
    pub fn noise(mut self, noise: f64) -> Self {
        self.noise = noise;
        self
    }

    /// Sets the confinement and its centre.
    pub fn confined(mut self, kappa: f64, centre: f64) -> Self {
        (self.confinement, self.centre) = (kappa, centre);
        self
    }

    /// Sets the step of the units; 0 freezes them.
    pub fn step(mut self, step: f64) -> Self {
        self.step = step;
        self
    }

    fn check(&self) -> Result<()> {
        positive("temperature", self.temperature)?;
        positive("noise variance", self.noise)?;
        positive("scale of the units", self.scale)?;
        finite("chemical potential", self.mu)?;
        finite("centre", self.centre)?;
        for (what, value) in [("confinement", self.confinement), ("step", self.step)] {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(Error::Parameter { what, value, expected: "a finite number >= 0" });
            }
        }
        Ok(())
    }

    /// Trains for `warm_up` steps and then `steps` measured ones at this chemical potential.
    ///
    /// # Errors
    /// [`Error::Parameter`], [`Error::NotFinite`] for parameters, no measured steps; those of [`OutputLayer`].
    pub fn run<R: Rng + ?Sized>(
        &self,
        data: &Regression,
        test: Option<&Regression>,
        warm_up: usize,
        steps: usize,
        rng: &mut R,
    ) -> Result<Trace> {
        self.train(data, test, (warm_up, steps), false, rng)
    }

    /// The same, with the chemical potential moved during the warm-up until the mean of $`N`$ is the centre.
    ///
    /// Stochastic approximation, $`\mu \leftarrow \mu + a_t(N_0 - N)`$; it is fixed in the measured part.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn tuned<R: Rng + ?Sized>(
        &self,
        data: &Regression,
        test: Option<&Regression>,
        warm_up: usize,
        steps: usize,
        rng: &mut R,
    ) -> Result<Trace> {
        self.train(data, test, (warm_up, steps), true, rng)
    }

    fn train<R: Rng + ?Sized>(
        &self,
        data: &Regression,
        test: Option<&Regression>,
        (warm_up, steps): (usize, usize),
        tune: bool,
        rng: &mut R,
    ) -> Result<Trace> {
        self.check()?;
        positive("measured steps", steps as f64)?;
        let mut state = State { neurons: Vec::new(), layer: OutputLayer::new(data.targets(), self.ridge)? };
        let mut mu = self.mu;
        let mut late = Running::new();
        let (mut number, mut energy, mut jumps) = (Vec::new(), Vec::new(), Vec::new());
        let (mut counts, mut squares, mut errors) = (Binning::new(), Running::new(), Binning::new());
        for step in 0..warm_up + steps {
            if step == warm_up && tune && late.count() > 0 {
                // The mean of the second half fluctuates less than the last value.
                mu = late.mean();
            }
            self.move_units(&mut state, data, rng)?;
            for _ in 0..self.moves {
                if let Some((change, energy)) = self.birth_or_death(&mut state, data, mu, rng)?
                    && step >= warm_up
                {
                    jumps.push(Jump { step: step - warm_up, change, energy });
                }
            }
            let n = state.neurons.len();
            if step < warm_up {
                if tune {
                    mu += self.temperature * (self.centre - n as f64) / (10.0 + 0.1 * step as f64);
                    if 2 * step >= warm_up {
                        late.push(mu);
                    }
                }
                continue;
            }
            number.push(n);
            energy.push(state.layer.energy(self.noise)?);
            counts.push(n as f64);
            squares.push(n as f64);
            if let Some(test) = test {
                errors.push(error_on(&state.neurons, &state.layer, test));
            }
        }
        let test_error = test.map(|_| errors.estimate());
        Ok(Trace { number, energy, jumps, mean_n: counts.estimate(), delta_n: squares.std_dev(), test_error, mu })
    }

    /// A Langevin step of all units with the output weights at their optimum: the gradient needs no derivative of those.
    fn move_units<R: Rng + ?Sized>(&self, state: &mut State, data: &Regression, rng: &mut R) -> Result<()> {
        if self.step == 0.0 || state.neurons.is_empty() {
            return Ok(());
        }
        let noise = (2.0 * self.step * self.temperature).sqrt();
        let pull = self.temperature / (self.scale * self.scale);
        let mut moved = state.neurons.clone();
        for (i, neuron) in moved.iter_mut().enumerate() {
            let width = neuron.parameters.len();
            let mut slope = vec![0.0; width];
            for (k, r) in state.layer.residual().iter().enumerate() {
                let x = data.input(k);
                let unit = neuron.output(x);
                let back = -r * state.layer.weight(i) * (1.0 - unit * unit) / self.noise;
                slope.iter_mut().zip(x).for_each(|(s, x)| *s += back * x);
                slope[width - 1] += back;
            }
            for (a, s) in neuron.parameters.iter_mut().zip(&slope) {
                *a += (-self.step * (s + pull * *a)).clamp(-0.1, 0.1) + noise * standard_normal(rng);
            }
        }
        let columns: Vec<Vec<f64>> = moved.iter().map(|n| n.column(data)).collect();
        // Two units may fall together: then this step is not taken.
        match state.layer.replace(&columns) {
            Ok(()) => state.neurons = moved,
            Err(Error::CollinearNeuron { .. }) => {}
            Err(other) => return Err(other),
        }
        Ok(())
    }

    fn birth_or_death<R: Rng + ?Sized>(
        &self,
        state: &mut State,
        data: &Regression,
        mu: f64,
        rng: &mut R,
    ) -> Result<Option<(i32, f64)>> {
        let n = state.neurons.len();
        let wall = |n: f64| 0.5 * self.confinement * (n - self.centre).powi(2);
        let u = uniform_open01(rng).ln();
        if rng.random_range(0..2u32) == 0 {
            if n >= self.most {
                return Ok(None);
            }
            let neuron = Neuron::random(data.n_inputs(), self.scale, rng);
            let column = neuron.column(data);
            let change = -state.layer.score_addition(&column) / self.noise;
            let total = change + wall(n as f64 + 1.0) - wall(n as f64) - mu;
            if u >= -total / self.temperature - (n as f64 + 1.0).ln() {
                return Ok(None);
            }
            match state.layer.add(&column) {
                Ok(()) => state.neurons.push(neuron),
                Err(Error::CollinearNeuron { .. }) => return Ok(None),
                Err(other) => return Err(other),
            }
            return Ok(Some((1, change)));
        }
        if n == 0 {
            return Ok(None);
        }
        let gone = rng.random_range(0..n as u64) as usize;
        let change = state.layer.score_removal(gone) / self.noise;
        let total = change + wall(n as f64 - 1.0) - wall(n as f64) + mu;
        if u >= -total / self.temperature + (n as f64).ln() {
            return Ok(None);
        }
        state.layer.remove(gone);
        state.neurons.remove(gone);
        Ok(Some((-1, change)))
    }
}

impl Trace {
    /// Mean jump of the refitted loss at a birth and at a death.
    ///
    /// By (31) a free energy at fixed Ω would jump by $`\mu`$ and $`-\mu`$. Here the loss falls at births and rises at deaths whatever
    /// the sign of $`\mu`$, because the layer is refitted, and the jumps scatter, see [`jump_scatter`](Self::jump_scatter).
    pub fn mean_jumps(&self) -> (Estimate, Estimate) {
        let mean = |sign: i32| {
            let jumps: Running = self.jumps.iter().filter(|j| j.change == sign).map(|j| j.energy).collect();
            jumps.estimate()
        };
        (mean(1), mean(-1))
    }

    /// Standard deviation of the jumps of the loss at births: 0 if $`F`$ were quantised.
    pub fn jump_scatter(&self) -> f64 {
        let jumps: Running = self.jumps.iter().filter(|j| j.change == 1).map(|j| j.energy).collect();
        jumps.std_dev()
    }
}

/// A confinement in [`optimality`], averaged over seeds.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Rung {
    /// Confinement κ.
    pub confinement: f64,
    /// Mean number of units.
    pub mean_n: Estimate,
    /// $`\Delta N`$.
    pub delta_n: Estimate,
    /// Mean squared error on the test data.
    pub test_error: Estimate,
}

/// Whether a larger $`\Delta N`$ makes a better network.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Optimality {
    /// One entry a confinement.
    pub rungs: Vec<Rung>,
    /// Slope of the test error against $`\Delta N`$, fitted for each seed; the error is the scatter over seeds.
    pub slope: Estimate,
    /// `Some(true)` when the slope is negative by more than two standard errors: the paper's claim that the largest $`\Delta N`$ is
    /// best holds here. `Some(false)` when it is positive by as much, `None` when the seeds do not decide.
    pub claim: Option<bool>,
}

/// Test error against $`\Delta N`$ at equal mean $`N`$ and temperature: the number is confined by different κ.
///
/// `make(seed stream)` gives training and test data of a seed. Every seed runs all confinements with the chemical potential tuned
/// to the same mean. Seeds are spread over `threads`; numbers do not depend on it.
///
/// # Errors
/// As [`BirthDeathTraining::run`]; [`Error::Parameter`] for fewer than two seeds or confinements.
#[allow(clippy::too_many_arguments)]
pub fn optimality<M>(
    training: &BirthDeathTraining,
    confinements: &[f64],
    seeds: usize,
    make: M,
    warm_up: usize,
    steps: usize,
    threads: usize,
    streams: Streams,
) -> Result<Optimality>
where
    M: Fn(Streams) -> Result<(Regression, Regression)> + Sync,
{
    for (what, n) in [("seeds", seeds), ("confinements", confinements.len())] {
        if n < 2 {
            return Err(Error::Parameter { what, value: n as f64, expected: "at least 2" });
        }
    }
    let mut runs: Vec<(usize, Result<Vec<Trace>>)> = (0..seeds).map(|k| (k, Ok(Vec::new()))).collect();
    let one = |k: usize| {
        let own = streams.child(k as u64);
        let (data, test) = make(own)?;
        let mut traces = Vec::new();
        for (j, kappa) in confinements.iter().enumerate() {
            let confined = training.clone().confined(*kappa, training.centre);
            let mut rng = own.fast_stream(1 + j as u64);
            traces.push(confined.tuned(&data, Some(&test), warm_up, steps, &mut rng)?);
        }
        Ok(traces)
    };
    for_each(count(threads), &mut runs, |(k, out)| *out = one(*k));
    let mut traces = Vec::with_capacity(seeds);
    for (_, run) in runs {
        traces.push(run?);
    }
    let rungs = confinements
        .iter()
        .enumerate()
        .map(|(j, &confinement)| {
            let over = |f: &dyn Fn(&Trace) -> f64| traces.iter().map(|run| f(&run[j])).collect::<Running>().estimate();
            Rung {
                confinement,
                mean_n: over(&|t| t.mean_n.value),
                delta_n: over(&|t| t.delta_n),
                test_error: over(&|t| t.test_error.map_or(f64::NAN, |e| e.value)),
            }
        })
        .collect();
    let slopes: Running = traces
        .iter()
        .map(|run| {
            let points: Vec<(f64, f64)> =
                run.iter().map(|t| (t.delta_n, t.test_error.map_or(f64::NAN, |e| e.value))).collect();
            let n = points.len() as f64;
            let (x, y) = (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
            let square: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
            points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>() / square
        })
        .collect();
    let slope = slopes.estimate();
    let error = slope.std_error.unwrap_or(f64::INFINITY);
    let claim = if slope.value.abs() > 2.0 * error { Some(slope.value < 0.0) } else { None };
    Ok(Optimality { rungs, slope, claim })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(streams: Streams, n: usize) -> Result<(Regression, Regression)> {
        let make = |k: u64, n: usize| {
            let mut rng = streams.stream(1000 + k);
            let inputs: Vec<f64> = (0..n).map(|_| 2.0 * standard_normal(&mut rng)).collect();
            let targets = inputs.iter().map(|x| (1.5 * x).sin() + 0.3 * standard_normal(&mut rng)).collect();
            Regression::new(inputs, targets, 1)
        };
        Ok((make(0, n)?, make(1, 200)?))
    }

    #[test]
    fn frozen_units_without_data_are_an_ideal_gas() {
        // A target of zeros: every unit costs nothing, so that N is Poisson with mean e^{μ/T}.
        let data = Regression::new(vec![-1.0, -0.3, 0.2, 0.9, 1.4, 2.0, 2.5, 3.0], vec![0.0; 8], 1).unwrap();
        let training = BirthDeathTraining::default().step(0.0).mu(0.8);
        let mut rng = Streams::new(5).fast_stream(0);
        let trace = training.run(&data, None, 500, 20_000, &mut rng).unwrap();
        // As many columns as targets cannot be exceeded: Poisson numbers above 7 are cut, 0.2 % of them.
        let mean = 0.8f64.exp();
        assert!((trace.mean_n.value - mean).abs() < 4.0 * trace.mean_n.std_error.unwrap() + 0.03, "{}", trace.mean_n);
        assert!((trace.delta_n / mean.sqrt() - 1.0).abs() < 0.08, "{}", trace.delta_n);
        assert!(trace.test_error.is_none() && trace.jumps.iter().all(|j| j.energy.abs() < 1e-20));
    }

    #[test]
    fn training_keeps_books() {
        let (train, test) = data(Streams::new(1), 50).unwrap();
        let training = BirthDeathTraining::default().confined(0.0, 6.0);
        let mut rng = Streams::new(1).fast_stream(0);
        let trace = training.tuned(&train, Some(&test), 3000, 3000, &mut rng).unwrap();
        assert!((trace.mean_n.value - 6.0).abs() < 1.5, "{}", trace.mean_n);
        assert!(trace.delta_n > 0.3 && trace.test_error.unwrap().value < 0.6, "{:?}", trace.test_error);
        // Births lower the refitted loss, deaths raise it.
        assert!(trace.jumps.iter().all(|j| j.energy * f64::from(j.change) <= 1e-12));
        let narrow = training.confined(4.0, 6.0).tuned(&train, None, 2000, 2000, &mut rng).unwrap();
        assert!(narrow.delta_n < trace.delta_n && (narrow.mean_n.value - 6.0).abs() < 0.5);
    }

    #[test]
    #[ignore = "optimality claim over 8 seeds, about a minute; run by .ci/long"]
    fn optimality_claim() {
        let training = BirthDeathTraining::default();
        let make = |s: Streams| data(s, 50);
        let result = optimality(&training, &[0.0, 0.1, 0.5, 4.0], 8, make, 6000, 12_000, 2, Streams::new(21)).unwrap();
        for rung in &result.rungs {
            println!("kappa {}: N {} dN {} test {}", rung.confinement, rung.mean_n, rung.delta_n, rung.test_error);
            assert!((rung.mean_n.value - 6.0).abs() < 0.7);
        }
        println!("slope {} claim {:?}", result.slope, result.claim);
        assert!(result.rungs[0].delta_n.value > 2.0 * result.rungs[3].delta_n.value);
    }

    #[test]
    fn bad_input() {
        let (train, _) = data(Streams::new(1), 10).unwrap();
        let mut rng = Streams::new(1).fast_stream(0);
        let good = BirthDeathTraining::default();
        for bad in [
            good.clone().temperature(0.0),
            good.clone().noise(-1.0),
            good.clone().mu(f64::NAN),
            good.clone().confined(-1.0, 3.0),
            good.clone().step(f64::INFINITY),
        ] {
            assert!(bad.run(&train, None, 1, 1, &mut rng).is_err());
        }
        assert!(good.run(&train, None, 1, 0, &mut rng).is_err());
        let make = |s: Streams| data(s, 10);
        assert!(optimality(&good, &[0.0], 3, make, 1, 1, 1, Streams::new(0)).is_err());
        assert!(optimality(&good, &[0.0, 1.0], 1, make, 1, 1, 1, Streams::new(0)).is_err());
    }
}
