//! Crossings and their extrapolation.

use linalg_core::Streams;
use linalg_core::rng::standard_normal;
use linalg_core::stats::{Estimate, Running};

use super::{Failure, K_C, NU, OMEGA, Size};

/// Random sets of cumulants for the error of the extrapolation.
const RESAMPLES: usize = 2000;

/// The binder cumulant of a size.
pub fn binder(size: &Size, k: f64) -> Result<Estimate, Failure> {
    Ok(size.mbar.at(k)?.function(|m| 1.0 - m[2] / (3.0 * m[1] * m[1])))
}

/// Where the cumulants of two sizes cross.
pub struct Crossing {
    /// Numbers of the two sizes.
    pub pair: (usize, usize),
    /// Their lengths.
    pub lengths: (usize, usize),
    /// The coupling, with its error.
    pub k: Estimate,
    /// The cumulant there.
    pub binder: f64,
    /// Errors of the two cumulants there.
    errors: (f64, f64),
    /// How much steeper the larger size is.
    slope: f64,
}

/// The crossing of each size with the next, by bisection within the simulated range and half as much beyond, by reweighting.
pub fn crossings(sizes: &[Size]) -> Result<Vec<Crossing>, Failure> {
    let mut crossings = Vec::new();
    for (a, pair) in sizes.windows(2).enumerate() {
        let (small, large) = (&pair[0], &pair[1]);
        let difference = |k: f64| -> Result<f64, Failure> { Ok(binder(large, k)?.value - binder(small, k)?.value) };
        let reach = 0.6 / large.scale();
        let (mut low, mut high) = (K_C - reach, K_C + reach);
        if difference(low)? > 0.0 || difference(high)? < 0.0 {
            eprintln!("the cumulants of L = {} and {} do not cross near K_c: too few sweeps", small.l, large.l);
            continue;
        }
        while high - low > 1e-10 {
            let middle = 0.5 * (low + high);
            *if difference(middle)? < 0.0 { &mut low } else { &mut high } = middle;
        }
        let k = 0.5 * (low + high);
        let step = 0.05 / large.scale();
        let slope = (difference(k + step)? - difference(k - step)?) / (2.0 * step);
        let [first, second] = [binder(small, k)?, binder(large, k)?];
        let errors = [first, second].map(|u| u.std_error.unwrap_or(f64::INFINITY));
        crossings.push(Crossing {
            pair: (a, a + 1),
            lengths: (small.l, large.l),
            k: Estimate::new(k, errors[0].hypot(errors[1]) / slope),
            binder: first.value,
            errors: (errors[0], errors[1]),
            slope,
        });
    }
    Ok(crossings)
}

/// K_c from `K_c + a L^(-1/ν-ω)` fitted to the crossings, L the geometric mean of the sizes; `None` for fewer than two.
///
/// Neighbouring crossings share a size. The error is the scatter of the fit when the cumulant of every size is moved
/// at random within its error.
pub fn extrapolate(sizes: &[Size], crossings: &[Crossing], seed: u64) -> Result<Option<Estimate>, Failure> {
    if crossings.len() < 2 || crossings.iter().any(|x| !x.k.std_error.is_some_and(f64::is_finite)) {
        return Ok(None);
    }
    let fit = |values: &dyn Fn(usize) -> f64| {
        let [mut s, mut sx, mut sy, mut sxx, mut sxy] = [0.0; 5];
        for (i, crossing) in crossings.iter().enumerate() {
            let mean = ((crossing.lengths.0 * crossing.lengths.1) as f64).sqrt();
            let (x, y) = (mean.powf(-1.0 / NU - OMEGA), values(i));
            let w = crossing.k.std_error.unwrap_or(1.0).powi(-2);
            s += w;
            sx += w * x;
            sy += w * y;
            sxx += w * x * x;
            sxy += w * x * y;
        }
        (sxx * sy - sx * sxy) / (s * sxx - sx * sx)
    };
    let value = fit(&|i| crossings[i].k.value);
    let mut rng = Streams::new(seed).stream(u64::MAX);
    let mut scatter = Running::new();
    for _ in 0..RESAMPLES {
        let moves: Vec<f64> = sizes.iter().map(|_| standard_normal(&mut rng)).collect();
        scatter.push(fit(&|i| {
            let Crossing { pair, errors, slope, k, .. } = &crossings[i];
            k.value + (errors.0 * moves[pair.0] - errors.1 * moves[pair.1]) / slope
        }));
    }
    Ok(Some(Estimate::new(value, scatter.std_dev())))
}
