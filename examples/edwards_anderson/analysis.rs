//! Averages over samples and where the curves cross.

use linalg_core::Streams;
use linalg_core::rand::RngExt;
use linalg_core::stats::{Estimate, Running};
use spin_models::mcmc::{DisorderAverages, WaveVectors};
use spin_models::{Boundary, Lattice};

use super::Failure;
use super::engine::{Plan, Sample};

/// Resampled sets of samples for the error of a crossing.
const RESAMPLES: usize = 400;

/// Temperatures beyond this are left out of the fit: there ξ/L falls off for all sizes.
const FIT_BELOW: f64 = 1.7;

/// All samples of one size.
pub struct Size {
    pub l: usize,
    pub samples: Vec<Sample>,
    pub averages: DisorderAverages,
    waves: WaveVectors,
}

impl Size {
    pub fn new(l: usize, plan: &Plan, samples: Vec<Sample>) -> Result<Self, Failure> {
        let waves = WaveVectors::of_lattice(&Lattice::cubic(l, Boundary::Periodic)?)?;
        let mut averages = DisorderAverages::new(l * l * l, plan.ladder.len()).with_wave_vectors(waves.clone());
        for sample in &samples {
            averages.add(sample.number, sample.moments.clone())?;
        }
        Ok(Self { l, samples, averages, waves })
    }

    /// ξ/L at every temperature from chosen samples.
    fn xi_over_l(&self, chosen: &[usize]) -> Vec<f64> {
        let lanes = self.samples[0].moments.len();
        let of = |lane: usize| {
            let moments = chosen.iter().map(|&k| &self.samples[k].moments[lane]);
            let (q2, q2_k) = moments.fold((0.0, 0.0), |(a, b), m| (a + m.q2, b + m.q2_k.unwrap_or(f64::NAN)));
            self.waves.xi_over_l(q2, q2_k)
        };
        (0..lanes).map(of).collect()
    }

    /// Change of `[<q²>]` at the lowest temperature from each part of the run to the next.
    pub fn drifts(&self) -> [Estimate; 2] {
        [0, 1].map(|k| {
            let changes: Running = self.samples.iter().map(|s| s.windows[k + 1] - s.windows[k]).collect();
            changes.estimate()
        })
    }

    /// Mean energy per bond at a temperature.
    pub fn energy_per_bond(&self, lane: usize) -> Estimate {
        self.samples.iter().map(|sample| sample.energy_per_bond[lane]).collect::<Running>().estimate()
    }
}

/// The crossing of two sizes.
pub struct Crossing {
    pub sizes: (usize, usize),
    /// The temperature; `None` where the fitted curves do not cross.
    pub temperature: Option<Estimate>,
}

/// The root in β of a parabola through the weighted differences, the one nearest to the middle of the range.
fn root(betas: &[f64], differences: &[f64], errors: &[f64]) -> Option<f64> {
    let (low, high) = (betas[0], betas[betas.len() - 1]);
    let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
    // Normal equations of the parabola in t from -1 to 1.
    let mut matrix = [[0.0; 4]; 3];
    for ((beta, d), error) in betas.iter().zip(differences).zip(errors) {
        let t = (beta - middle) / half;
        let powers = [1.0, t, t * t];
        let w = error.powi(-2);
        for (row, a) in matrix.iter_mut().zip(powers) {
            row.iter_mut().zip(powers.into_iter().chain([*d])).for_each(|(x, b)| *x += w * a * b);
        }
    }
    for i in 0..3 {
        let pivot = matrix[i];
        for j in (0..3).filter(|&j| j != i) {
            let factor = matrix[j][i] / pivot[i];
            matrix[j].iter_mut().zip(pivot).for_each(|(x, p)| *x -= factor * p);
        }
    }
    let [c, b, a] = [0, 1, 2].map(|i| matrix[i][3] / matrix[i][i]);
    let discriminant = b * b - 4.0 * a * c;
    if discriminant.is_nan() || discriminant < 0.0 {
        return None;
    }
    // Stable for small a: the larger of the two by magnitude, the other from the product of the roots.
    let q = -0.5 * (b + discriminant.sqrt().copysign(b));
    let roots = [c / q, q / a].into_iter().filter(|t| t.abs() <= 1.5);
    let t = roots.min_by(|x, y| x.abs().total_cmp(&y.abs()))?;
    Some(middle + half * t)
}

/// The crossing of each size with the next.
pub fn crossings(plan: &Plan, sizes: &[Size], seed: u64) -> Result<Vec<Crossing>, Failure> {
    let betas = plan.ladder.betas();
    let first = betas.iter().position(|&beta| 1.0 / beta <= FIT_BELOW).unwrap_or(0).min(betas.len() - 4);
    let lanes = first..betas.len();
    let mut crossings = Vec::new();
    for pair in sizes.windows(2) {
        let (small, large) = (&pair[0], &pair[1]);
        let error = |size: &Size, lane| size.averages.xi_over_l(lane).and_then(|xi| xi.std_error).unwrap_or(f64::NAN);
        let errors: Vec<f64> = lanes.clone().map(|lane| error(small, lane).hypot(error(large, lane))).collect();
        let cross = |a: &[usize], b: &[usize]| {
            let (a, b) = (small.xi_over_l(a), large.xi_over_l(b));
            let differences: Vec<f64> = lanes.clone().map(|lane| b[lane] - a[lane]).collect();
            root(&betas[lanes.clone()], &differences, &errors).map(|beta| 1.0 / beta)
        };
        let all = |size: &Size| (0..size.samples.len()).collect::<Vec<usize>>();
        let value = cross(&all(small), &all(large));
        let mut rng = Streams::new(seed).child(u64::MAX).stream(large.l as u64);
        let mut draw = |size: &Size| -> Vec<usize> {
            let n = size.samples.len() as u32;
            (0..n).map(|_| rng.random_range(0..n) as usize).collect()
        };
        let resampled: Vec<f64> =
            (0..RESAMPLES).filter_map(|_| cross(&draw(small), &draw(large))).filter(|t| *t > 0.0).collect();
        // Where many sets of samples do not cross, neither value nor error means anything.
        let known = resampled.len() * 10 >= RESAMPLES * 9;
        let scatter = resampled.into_iter().collect::<Running>().std_dev();
        let temperature = value.filter(|_| known).map(|value| Estimate::new(value, scatter));
        crossings.push(Crossing { sizes: (small.l, large.l), temperature });
    }
    Ok(crossings)
}
