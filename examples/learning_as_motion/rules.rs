//! The rules, on one problem with one budget of evaluations.

use linalg_core::Streams;
use linalg_core::cholesky::Cholesky;
use linalg_core::integrate::{Bath, baoab};
use linalg_core::optim::{Adam, AdamParams, Momentum, Sgd, SgdParams};
use linalg_core::rng::standard_normal;
use physics_inference::coulomb::{CoulombCovariance, FitParams};
use physics_inference::dynamics::ProximalStep;
use rand::RngExt;

use crate::Failure;

/// Second moments measured on data from charges in space, and charges elsewhere that have to find them.
pub struct Problem {
    pub start: CoulombCovariance,
    pub moments: Vec<f64>,
    /// The lowest loss that a search with many starts found.
    pub best: f64,
}

impl Problem {
    /// `n` clusters, planted; moments of `samples` draws.
    pub fn new(n: usize, samples: usize, seed: u64) -> Result<Self, Failure> {
        let mut rng = Streams::new(seed).stream(0);
        let masses: Vec<f64> = (0..n).map(|_| rng.random_range(0.8..1.6)).collect();
        let charges: Vec<f64> = (0..n).map(|_| if rng.random() { 1.0 } else { -1.0 }).collect();
        let softening = CoulombCovariance::<3>::safe_softening(&masses, &charges);
        let mut places = |spread: f64| -> Vec<[f64; 3]> {
            (0..n).map(|_| std::array::from_fn(|_| spread * standard_normal(&mut rng))).collect()
        };
        let (truth, elsewhere) = (places(1.5), places(3.0));
        let truth = CoulombCovariance::new(masses, charges, truth, softening)?;
        let factor = Cholesky::new(truth.matrix(), n)?;
        let mut moments = vec![0.0; n * n];
        let mut x = vec![0.0; n];
        for _ in 0..samples {
            x.iter_mut().for_each(|x| *x = standard_normal(&mut rng));
            factor.correlate(&mut x);
            for i in 0..n {
                (0..n).for_each(|j| moments[i * n + j] += x[i] * x[j] / samples as f64);
            }
        }
        let start = truth.with_positions(elsewhere)?;
        let fit = start.fit_positions(&moments, &FitParams::default().starts(6), &mut rng)?;
        Ok(Self { start, moments, best: fit.loss })
    }

    fn loss(&self, x: &[f64], gradient: &mut [f64]) -> Result<f64, Failure> {
        let points = x.chunks_exact(3).map(|r| [r[0], r[1], r[2]]).collect();
        let (loss, slope) = self.start.with_positions(points)?.grad_positions_exact(&self.moments)?;
        gradient.copy_from_slice(slope.as_flattened());
        Ok(loss)
    }
}

/// What is tuned.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    pub rate: f64,
    /// Part of the momentum lost in a step, to first order: friction times time step.
    pub lost: f64,
}

/// A way to learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The proximal step as in the text, λ = 1.
    Text,
    /// The proximal step with the rate 1/λ.
    Proximal,
    /// Motion with friction; the rate is the time step.
    Friction,
    /// Motion without friction.
    Conservative,
    Adam,
    Sgd,
}

impl Rule {
    pub const ALL: [Self; 6] = [Self::Text, Self::Proximal, Self::Friction, Self::Conservative, Self::Adam, Self::Sgd];

    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "proximal, text",
            Self::Proximal => "proximal",
            Self::Friction => "friction",
            Self::Conservative => "conservative",
            Self::Adam => "adam",
            Self::Sgd => "sgd",
        }
    }

    /// Settings to choose from: rates a factor of about three apart, and three frictions.
    fn settings(self) -> Vec<Setting> {
        let losses: &[f64] = if self == Self::Friction { &[0.02, 0.1, 0.5] } else { &[0.0] };
        let from = |low: f64| -> Vec<Setting> {
            let rates = (0..7).map(|k| low * 10f64.powf(0.5 * f64::from(k)));
            rates.flat_map(|rate| losses.iter().map(move |&lost| Setting { rate, lost })).collect()
        };
        match self {
            Self::Text => vec![Setting { rate: 1.0, lost: 0.0 }],
            Self::Proximal => from(1.0),
            Self::Friction | Self::Conservative => from(0.03),
            Self::Adam => from(0.003),
            Self::Sgd => from(0.3),
        }
    }

    /// The loss after 1, 2, .. `budget` evaluations of loss and gradient.
    pub fn learn(self, problem: &Problem, setting: Setting, budget: usize, seed: u64) -> Result<Vec<f64>, Failure> {
        let Setting { rate, lost } = setting;
        let mut x: Vec<f64> = problem.start.positions().as_flattened().to_vec();
        let mut losses = Vec::with_capacity(budget);
        let mut gradient = vec![0.0; x.len()];
        match self {
            Self::Text | Self::Proximal => {
                let mut k = problem.start.clone();
                while losses.len() < budget {
                    let left = budget - losses.len();
                    let rule = ProximalStep::default().strength(1.0 / rate).evaluations(left.clamp(2, 8));
                    let (next, report) = rule.step(&k, &problem.moments)?;
                    // What is known after the step counts from its last evaluation.
                    losses.resize(losses.len() + report.evaluations - 1, report.loss_before);
                    losses.push(report.loss);
                    if !report.accepted {
                        break;
                    }
                    k = next;
                }
                let last = losses.last().copied().unwrap_or(f64::INFINITY);
                losses.resize(budget, last);
            }
            Self::Friction | Self::Conservative => {
                let mass: Vec<f64> = problem.start.masses().iter().flat_map(|&m| [m; 3]).collect();
                let mut p = vec![0.0; x.len()];
                let mut failure = None;
                let force = |x: &[f64], force: &mut [f64]| match problem.loss(x, force) {
                    Ok(loss) => {
                        losses.push(loss);
                        force.iter_mut().for_each(|f| *f = -*f);
                    }
                    Err(error) => {
                        failure.get_or_insert(error);
                        force.fill(0.0);
                    }
                };
                let bath = Bath { friction: lost / rate, temperature: 0.0 };
                let mut rng = Streams::new(seed).stream(1);
                baoab(&mut x, &mut p, &mass, rate, budget - 1, bath, force, &mut rng);
                if let Some(error) = failure {
                    return Err(error);
                }
            }
            Self::Adam => {
                let mut adam = Adam::new(AdamParams::default().learning_rate(rate), x.len())?;
                for _ in 0..budget {
                    losses.push(problem.loss(&x, &mut gradient)?);
                    adam.step(&mut x, &gradient)?;
                }
            }
            Self::Sgd => {
                let plain = SgdParams::default().learning_rate(rate).momentum(Momentum::None);
                let mut sgd = Sgd::new(plain, x.len())?;
                for _ in 0..budget {
                    losses.push(problem.loss(&x, &mut gradient)?);
                    sgd.step(&mut x, &gradient)?;
                }
            }
        }
        Ok(losses)
    }

    /// The setting with the lowest mean loss at the end on problems kept for that.
    pub fn tune(self, problems: &[Problem], budget: usize) -> Result<Setting, Failure> {
        let mut best = (f64::INFINITY, Setting { rate: 0.0, lost: 0.0 });
        for setting in self.settings() {
            let mut sum = 0.0;
            for problem in problems {
                let losses = self.learn(problem, setting, budget, 0)?;
                sum += losses.last().copied().unwrap_or(f64::INFINITY);
            }
            if sum < best.0 {
                best = (sum, setting);
            }
        }
        Ok(best.1)
    }
}
