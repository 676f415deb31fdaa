//! Which description an ensemble follows.

use linalg_core::grid::{Ends, GridAxis};
use linalg_core::num_complex::Complex64;
use linalg_core::rand::Rng;
use linalg_core::rng::uniform_open01;
use linalg_core::stats::{Estimate, Running};

use super::{FokkerPlanck, FpParams, Madelung, MadelungParams, Schroedinger, Wave, classical_flow};
use crate::{Error, Result};

/// A description of the same ensemble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Description {
    /// Diffusion with drift, (1) and (3), with $`F = -V`$.
    FokkerPlanck,
    /// The fluid for ħ → 0: classical paths.
    HamiltonJacobi,
    /// The fluid (16), (17) with a single-valued phase: no circulation.
    Madelung,
    /// The Schrödinger equation (19).
    Schroedinger,
}

impl Description {
    /// All four.
    pub const ALL: [Self; 4] = [Self::FokkerPlanck, Self::HamiltonJacobi, Self::Madelung, Self::Schroedinger];

    /// Its name in text.
    pub fn name(self) -> &'static str {
        match self {
            Self::FokkerPlanck => "fokker-planck",
            Self::HamiltonJacobi => "hamilton-jacobi",
            Self::Madelung => "madelung",
            Self::Schroedinger => "schroedinger",
        }
    }
}

/// Where all descriptions begin, and their constants.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Setup {
    /// The axis.
    pub axis: GridAxis,
    /// A ring, or a line whose ends the ensemble does not reach.
    pub ends: Ends,
    /// Constants of the diffusion.
    pub fp: FpParams,
    /// Constants of the fluid and the wave.
    pub wave: Wave,
    /// Step of the Schrödinger equation and of classical paths; default 0.001.
    pub dt: f64,
}

impl Setup {
    /// Constants with steps of 0.001.
    pub fn new(axis: GridAxis, ends: Ends, fp: FpParams, wave: Wave) -> Self {
        Self { axis, ends, fp, wave, dt: 1e-3 }
    }

    /// Sets the step.
    pub fn dt(mut self, dt: f64) -> Self {
        self.dt = dt;
        self
    }
}

/// Members of an ensemble at a time. Each snapshot should be of runs of its own: the likelihoods of snapshots are multiplied.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Snapshot {
    /// Time since the start; must be one of the [`Diagnose`]'s.
    pub time: f64,
    /// Positions.
    pub positions: Vec<f64>,
}

/// A node that ended a description.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Node {
    index: usize,
    density: f64,
    threshold: f64,
}

/// Predictions of four descriptions and their comparison with an ensemble.
///
/// All begin with the same wave function: its density and, where they have one, its phase. Each predicts a density at later times.
/// An ensemble is scored by its log-likelihood; nothing is fitted to it, so that all of it is held out.
///
/// Without nodes and with a single-valued phase the Madelung fluid *is* the Schrödinger equation. The two are told apart only by a
/// state with circulation, on a ring, where the single-valued phase starts without it; otherwise [`Verdict::Undecided`] names both.
/// Where the start has a node the fluid has no description at all, [`Diagnose::undefined`].
///
/// ```
/// use linalg_core::Streams;
/// use linalg_core::grid::{Ends, GridAxis};
/// use physics_inference::emergent::{Description, Diagnose, FpParams, Setup, Snapshot, Verdict, Wave, gaussian_packet};
/// # use physics_inference::linalg_core;
///
/// let axis = GridAxis::new(-6.0, 6.0, 120)?;
/// let setup = Setup::new(axis, Ends::Zero, FpParams::new(0.3, 1.0)?, Wave::new(1.0, 1.0)?).dt(0.01);
/// let start = gaussian_packet(&[axis], &[1.0], 0.6, &[0.0]);
/// let diagnose = Diagnose::new(&setup, &start, |x| 0.5 * x * x, &[2.0])?;
/// let runs = diagnose.sample(Description::FokkerPlanck, 0, 500, &mut Streams::new(1).stream(0))?;
/// let comparison = diagnose.compare(&[Snapshot { time: 2.0, positions: runs }])?;
/// assert_eq!(comparison.verdict, Verdict::One(Description::FokkerPlanck));
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Diagnose {
    axis: GridAxis,
    ends: Ends,
    times: Vec<f64>,
    /// For each description the densities at all times, or the node that ended it.
    predictions: [std::result::Result<Vec<Vec<f64>>, Node>; 4],
}

/// How a description fares.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Score {
    /// Which one.
    pub description: Description,
    /// Log-likelihood a sample in nats, its error the scatter over samples; `None` for a description that ended at a node.
    pub ln_likelihood: Option<Estimate>,
    /// Log-likelihood of the best description minus its own, over all samples.
    pub behind: Option<Estimate>,
}

/// What an ensemble says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Verdict {
    /// One description is better than all others by more than two standard errors.
    One(Description),
    /// These cannot be told apart, the best first: their predictions coincide, or the samples do not suffice.
    Undecided(Vec<Description>),
}

/// Scores and verdict.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Comparison {
    /// A score for each of [`Description::ALL`].
    pub scores: Vec<Score>,
    /// The conclusion.
    pub verdict: Verdict,
    /// Whether the predictions of Madelung and Schrödinger coincide (total variation below 1 %): no number of samples decides.
    pub single_valued: bool,
}

/// Share of a uniform density mixed into each prediction, so that one stray member does not decide everything.
const STRAY: f64 = 1e-4;
/// Total variation below which predictions coincide.
const SAME: f64 = 0.01;

impl Diagnose {
    /// Computes all predictions at `times`, which ascend from 0.
    ///
    /// # Errors
    /// Those of [`FokkerPlanck`], [`Schroedinger`] and [`classical_flow`]; [`Error::Parameter`] for times that do not ascend or a
    /// step that is not positive, [`linalg_core::Error::Empty`] for no times.
    ///
    /// # Panics
    /// When there are not as many values as points.
    pub fn new<V: Fn(f64) -> f64>(setup: &Setup, start: &[Complex64], potential: V, times: &[f64]) -> Result<Self> {
        let Setup { axis, ends, fp, wave, dt } = *setup;
        let n = axis.n_points();
        assert!(start.len() == n, "{} values for {n} points", start.len());
        super::positive("time step", dt)?;
        if times.is_empty() {
            return Err(linalg_core::Error::Empty { what: "times" }.into());
        }
        let mut before = 0.0;
        for &time in times {
            if !(time.is_finite() && time >= before) {
                return Err(Error::Parameter { what: "time", value: time, expected: "ascending finite times from 0" });
            }
            before = time;
        }
        if let Some(index) = start.iter().position(|z| !z.is_finite()) {
            return Err(Error::NotFinite { what: "wave function", index, value: f64::NAN });
        }
        let norm = start.iter().map(Complex64::norm_sqr).sum::<f64>() * axis.spacing();
        super::positive("norm of the wave function", norm)?;
        let start: Vec<Complex64> = start.iter().map(|z| z / norm.sqrt()).collect();
        let p0: Vec<f64> = start.iter().map(Complex64::norm_sqr).collect();

        let diffusion = FokkerPlanck::new(&[axis], ends, fp, |x| -potential(x[0]))?;
        let mut equation = Schroedinger::new(&[axis], wave, |x| potential(x[0]))?;
        let mut fluid = single_valued(setup, &start, &potential)?;
        let velocity = velocity(&start, axis, ends, wave);
        let (mut p, mut psi, mut now) = (p0.clone(), start, 0.0);
        let (mut diffused, mut carried, mut flown, mut waved) = (Vec::new(), Vec::new(), Ok(Vec::new()), Vec::new());
        for &time in times {
            let span = time - now;
            diffusion.propagate(&mut p, span)?;
            diffused.push(p.clone());
            let steps = (time / dt).ceil() as usize;
            carried.push(classical_flow(axis, ends, &p0, &velocity, wave.mass, &potential, time, steps.max(1))?);
            let steps = (span / dt).ceil().max(1.0);
            equation.strang(&mut psi, span / steps, steps as usize)?;
            waved.push(Schroedinger::density(&psi));
            if let Ok(fluid) = &mut fluid {
                match fluid.evolve(span) {
                    Ok(_) => {
                        if let Ok(densities) = &mut flown {
                            Vec::push(densities, fluid.density());
                        }
                    }
                    Err(Error::NodeInDensity { index, density, threshold }) => {
                        flown = Err(Node { index, density, threshold });
                    }
                    Err(other) => return Err(other),
                }
            }
            now = time;
        }
        if let Err(node) = fluid {
            flown = Err(node);
        }
        let mut predictions = [Ok(diffused), Ok(carried), flown, Ok(waved)];
        for densities in predictions.iter_mut().flatten().flatten() {
            let total: f64 = densities.iter().sum::<f64>() * axis.spacing();
            densities.iter_mut().for_each(|p| *p /= total);
        }
        Ok(Self { axis, ends, times: times.to_vec(), predictions })
    }

    /// The density a description predicts at the time of this number, or `None` where it ended at a node.
    ///
    /// # Panics
    /// When there is no such time.
    pub fn prediction(&self, description: Description, time: usize) -> Option<&[f64]> {
        assert!(time < self.times.len(), "time {time} of {}", self.times.len());
        self.predictions[description as usize].as_ref().ok().map(|densities| &densities[time][..])
    }

    /// The node that ended a description, as the error it stands for.
    pub fn undefined(&self, description: Description) -> Option<Error> {
        let node = self.predictions[description as usize].as_ref().err()?;
        let &Node { index, density, threshold } = node;
        Some(Error::NodeInDensity { index, density, threshold })
    }

    /// Draws members of an ensemble that follows a description, at the time of this number.
    ///
    /// # Errors
    /// [`Error::NodeInDensity`] for a description that ended.
    ///
    /// # Panics
    /// When there is no such time.
    pub fn sample<R: Rng + ?Sized>(
        &self,
        description: Description,
        time: usize,
        n: usize,
        rng: &mut R,
    ) -> Result<Vec<f64>> {
        if let Some(error) = self.undefined(description) {
            return Err(error);
        }
        let Some(p) = self.prediction(description, time) else { return Ok(Vec::new()) };
        let mut sums = vec![0.0];
        p.iter().for_each(|p| sums.push(sums[sums.len() - 1] + p));
        let (low, h) = (self.axis.points().next().unwrap_or(0.0), self.axis.spacing());
        Ok((0..n)
            .map(|_| {
                let u = uniform_open01(rng) * sums[p.len()];
                let cell = sums.partition_point(|s| *s <= u).clamp(1, p.len()) - 1;
                low + (cell as f64 - 0.5 + uniform_open01(rng)) * h
            })
            .collect())
    }

    /// ln of a predicted density at a place, a cell having one value.
    fn ln_density(&self, p: &[f64], x: f64) -> f64 {
        let n = p.len() as f64;
        let place = ((x - self.axis.points().next().unwrap_or(0.0)) / self.axis.spacing() + 0.5).floor();
        let place = if self.ends == Ends::Periodic { place.rem_euclid(n) } else { place };
        let inside = if (0.0..n).contains(&place) { p[place as usize] } else { 0.0 };
        ((1.0 - STRAY) * inside + STRAY / (n * self.axis.spacing())).ln()
    }

    /// Scores all descriptions on an ensemble.
    ///
    /// # Errors
    /// [`linalg_core::Error::Empty`] for an ensemble without members, [`Error::NotFinite`] for a position, [`Error::Parameter`] for a
    /// time that was not predicted.
    pub fn compare(&self, ensemble: &[Snapshot]) -> Result<Comparison> {
        // A row of log-densities for each description.
        let mut rows: [Option<Vec<f64>>; 4] = std::array::from_fn(|k| self.predictions[k].is_ok().then(Vec::new));
        for snapshot in ensemble {
            super::all_finite("position", &snapshot.positions)?;
            let near = |t: &f64| (t - snapshot.time).abs() <= 1e-9 * t.abs().max(1.0);
            let Some(time) = self.times.iter().position(near) else {
                let value = snapshot.time;
                return Err(Error::Parameter {
                    what: "time of a snapshot",
                    value,
                    expected: "one of the times predicted",
                });
            };
            for (row, prediction) in rows.iter_mut().zip(&self.predictions) {
                if let (Some(row), Ok(densities)) = (row, prediction) {
                    row.extend(snapshot.positions.iter().map(|x| self.ln_density(&densities[time], *x)));
                }
            }
        }
        let n = rows.iter().flatten().map(Vec::len).max().unwrap_or(0);
        if n == 0 {
            return Err(linalg_core::Error::Empty { what: "ensemble" }.into());
        }
        let sum = |row: &Option<Vec<f64>>| row.as_ref().map_or(f64::NEG_INFINITY, |row| row.iter().sum());
        let totals: [f64; 4] = std::array::from_fn(|k| sum(&rows[k]));
        let best = (0..4).max_by(|&a, &b| totals[a].total_cmp(&totals[b])).unwrap_or(0);
        let mut scores = Vec::with_capacity(4);
        let mut tied = vec![Description::ALL[best]];
        for (k, description) in Description::ALL.into_iter().enumerate() {
            let (Some(row), Some(top)) = (&rows[k], &rows[best]) else {
                scores.push(Score { description, ln_likelihood: None, behind: None });
                continue;
            };
            let own: Running = row.iter().copied().collect();
            let difference: Running = top.iter().zip(row).map(|(a, b)| a - b).collect();
            let behind = Estimate::new(difference.mean() * n as f64, difference.std_dev() * (n as f64).sqrt());
            scores.push(Score { description, ln_likelihood: Some(own.estimate()), behind: Some(behind) });
            if k != best {
                // A single sample has no scatter: nothing is decided.
                let error = behind.std_error.filter(|e| e.is_finite() && n > 1).unwrap_or(f64::INFINITY);
                if behind.value < 2.0 * error || self.variation(best, k) < SAME {
                    tied.push(description);
                }
            }
        }
        let verdict = if tied.len() == 1 { Verdict::One(tied[0]) } else { Verdict::Undecided(tied) };
        let pair = [Description::Madelung, Description::Schroedinger].map(|d| d as usize);
        let single_valued = self.predictions[pair[0]].is_ok() && self.variation(pair[0], pair[1]) < SAME;
        Ok(Comparison { scores, verdict, single_valued })
    }

    /// Largest total variation between two descriptions over the times.
    fn variation(&self, a: usize, b: usize) -> f64 {
        let (Ok(a), Ok(b)) = (&self.predictions[a], &self.predictions[b]) else { return 1.0 };
        let one = |(p, q): (&Vec<f64>, &Vec<f64>)| {
            0.5 * self.axis.spacing() * p.iter().zip(q).map(|(p, q)| (p - q).abs()).sum::<f64>()
        };
        a.iter().zip(b).map(one).fold(0.0, f64::max)
    }
}

/// The fluid without circulation, or its node.
fn single_valued<V: Fn(f64) -> f64>(
    setup: &Setup,
    start: &[Complex64],
    potential: &V,
) -> Result<std::result::Result<Madelung, Node>> {
    let params = MadelungParams::new(setup.wave);
    match Madelung::from_psi(&[setup.axis], setup.ends, params, |x| potential(x[0]), start) {
        Ok(mut fluid) => {
            fluid.set_winding(&[0.0])?;
            Ok(Ok(fluid))
        }
        Err(Error::NodeInDensity { index, density, threshold }) => Ok(Err(Node { index, density, threshold })),
        Err(other) => Err(other),
    }
}

/// $`(\hbar/m)\,\mathrm{Im}\,\psi'/\psi`$ from the turns between neighbours; 0 in empty space.
fn velocity(psi: &[Complex64], axis: GridAxis, ends: Ends, wave: Wave) -> Vec<f64> {
    let n = psi.len();
    let top = psi.iter().map(Complex64::norm_sqr).fold(0.0, f64::max);
    (0..n)
        .map(|i| {
            let (a, b) = match ends {
                Ends::Periodic => ((i + n - 1) % n, (i + 1) % n),
                Ends::Zero => (i.saturating_sub(1), (i + 1).min(n - 1)),
            };
            if [a, i, b].iter().any(|&k| psi[k].norm_sqr() < 1e-12 * top) {
                return 0.0;
            }
            let turn = (psi[a].conj() * psi[i]).arg() + (psi[i].conj() * psi[b]).arg();
            let links = usize::from(a != i) + usize::from(b != i);
            wave.hbar / wave.mass * turn / (links.max(1) as f64 * axis.spacing())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emergent::{LangevinParams, gaussian_packet, langevin_ensemble};
    use linalg_core::Streams;
    use linalg_core::rng::standard_normal;
    use std::f64::consts::TAU;

    fn ring() -> Diagnose {
        // A lump that turns around once: winding 1.
        let axis = GridAxis::new(0.0, TAU, 96).unwrap();
        let setup =
            Setup::new(axis, Ends::Periodic, FpParams::new(0.15, 1.0).unwrap(), Wave::new(1.0, 1.3).unwrap()).dt(0.002);
        let start: Vec<Complex64> = axis.points().map(|x| Complex64::from_polar((x - 2.0).cos().exp(), x)).collect();
        Diagnose::new(&setup, &start, |x| 0.5 * x.cos(), &[0.4, 1.2]).unwrap()
    }

    /// How often a description wins on ensembles of 500 drawn from it.
    fn wins(diagnose: &Diagnose, truth: Description, trials: u64) -> usize {
        // The last time alone: descriptions part with time.
        let last = diagnose.times.len() - 1;
        let won = |k: &u64| {
            let mut rng = Streams::new(17).child(truth as u64).stream(*k);
            let positions = diagnose.sample(truth, last, 500, &mut rng).unwrap();
            let snapshots = [Snapshot { time: diagnose.times[last], positions }];
            diagnose.compare(&snapshots).unwrap().verdict == Verdict::One(truth)
        };
        (0..trials).filter(won).count()
    }

    #[test]
    fn each_wins_on_its_own_ensembles_on_a_ring() {
        let diagnose = ring();
        for truth in Description::ALL {
            let won = wins(&diagnose, truth, 200);
            assert!(won >= 198, "{truth:?}: {won} of 200");
        }
    }

    #[test]
    fn without_circulation_two_of_them_are_one() {
        let axis = GridAxis::new(-6.0, 6.0, 160).unwrap();
        let setup =
            Setup::new(axis, Ends::Zero, FpParams::new(0.3, 1.0).unwrap(), Wave::new(1.0, 1.0).unwrap()).dt(0.01);
        let start = gaussian_packet(&[axis], &[1.0], 0.6, &[0.0]);
        let diagnose = Diagnose::new(&setup, &start, |x| 0.5 * x * x, &[1.5]).unwrap();
        for truth in [Description::FokkerPlanck, Description::HamiltonJacobi] {
            let won = wins(&diagnose, truth, 100);
            assert!(won >= 99, "{truth:?}: {won} of 100");
        }
        let mut rng = Streams::new(5).stream(0);
        let positions = diagnose.sample(Description::Schroedinger, 0, 500, &mut rng).unwrap();
        let comparison = diagnose.compare(&[Snapshot { time: 1.5, positions }]).unwrap();
        assert!(comparison.single_valued);
        let Verdict::Undecided(mut pair) = comparison.verdict else { panic!("{comparison:?}") };
        pair.sort_by_key(|d| *d as usize);
        assert_eq!(pair, [Description::Madelung, Description::Schroedinger]);
    }

    #[test]
    fn langevin_ensembles_are_diffusions() {
        // Members from a simulation of their own, not from the prediction that is tested: 100 ensembles of 500.
        let axis = GridAxis::new(-6.0, 6.0, 160).unwrap();
        let fp = FpParams::new(0.3, 1.0).unwrap();
        let setup = Setup::new(axis, Ends::Zero, fp, Wave::new(1.0, 1.0).unwrap()).dt(0.01);
        let start = gaussian_packet(&[axis], &[1.0], 0.6, &[0.0]);
        let diagnose = Diagnose::new(&setup, &start, |x| 0.5 * x * x, &[1.5]).unwrap();
        let steps = LangevinParams::new(fp, 0.01).unwrap().steps(150);
        let mut won = 0;
        for k in 0..100 {
            let streams = Streams::new(23).child(k);
            let mut rng = streams.stream(0);
            let mut positions: Vec<f64> = (0..500).map(|_| 1.0 + 0.6 * standard_normal(&mut rng)).collect();
            langevin_ensemble(steps, &mut positions, 1, |q, f| f[0] = -q[0], streams).unwrap();
            let comparison = diagnose.compare(&[Snapshot { time: 1.5, positions }]).unwrap();
            won += usize::from(comparison.verdict == Verdict::One(Description::FokkerPlanck));
        }
        assert!(won >= 99, "{won} of 100");
    }

    #[test]
    fn a_node_ends_the_fluid_only() {
        let axis = GridAxis::new(-6.0, 6.0, 120).unwrap();
        let setup =
            Setup::new(axis, Ends::Zero, FpParams::new(0.3, 1.0).unwrap(), Wave::new(1.0, 1.0).unwrap()).dt(0.01);
        let start: Vec<Complex64> = axis.points().map(|x| ((x + 0.03) * (-0.5 * x * x).exp()).into()).collect();
        let diagnose = Diagnose::new(&setup, &start, |x| 0.5 * x * x, &[1.0]).unwrap();
        assert!(matches!(diagnose.undefined(Description::Madelung), Some(Error::NodeInDensity { .. })));
        assert!(diagnose.undefined(Description::Schroedinger).is_none());
        let mut rng = Streams::new(5).stream(0);
        assert!(diagnose.sample(Description::Madelung, 0, 5, &mut rng).is_err());
        let positions = diagnose.sample(Description::Schroedinger, 0, 500, &mut rng).unwrap();
        let comparison = diagnose.compare(&[Snapshot { time: 1.0, positions }]).unwrap();
        assert_eq!(comparison.verdict, Verdict::One(Description::Schroedinger));
        assert!(comparison.scores[2].ln_likelihood.is_none());
    }

    #[test]
    fn bad_input() {
        let diagnose = ring();
        let shot = |time: f64, positions: Vec<f64>| diagnose.compare(&[Snapshot { time, positions }]);
        assert!(diagnose.compare(&[]).is_err() && shot(0.4, vec![]).is_err());
        assert!(shot(0.7, vec![1.0]).is_err() && shot(0.4, vec![f64::NAN]).is_err());
        // One member decides nothing.
        assert!(matches!(shot(0.4, vec![1.0]).unwrap().verdict, Verdict::Undecided(_)));
        let axis = GridAxis::new(0.0, 1.0, 16).unwrap();
        let setup = Setup::new(axis, Ends::Periodic, FpParams::new(1.0, 1.0).unwrap(), Wave::new(1.0, 1.0).unwrap());
        let one = Complex64::new(1.0, 0.0);
        for times in [&[][..], &[f64::NAN], &[1.0, 0.5]] {
            assert!(Diagnose::new(&setup, &[one; 16], |_| 0.0, times).is_err());
        }
        assert!(Diagnose::new(&setup, &[one * 0.0; 16], |_| 0.0, &[1.0]).is_err());
        assert!(Diagnose::new(&setup.clone().dt(0.0), &[one; 16], |_| 0.0, &[1.0]).is_err());
    }
}
