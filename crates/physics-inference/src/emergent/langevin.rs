//! Ensembles of diffusing parameters.

use linalg_core::Streams;
use linalg_core::rng::standard_normal;
use linalg_core::threads::{count, for_pieces};

use super::{FpParams, positive};
use crate::{Error, Result};

/// Steps of [`langevin_ensemble`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct LangevinParams {
    /// Diffusion and mobility.
    pub fp: FpParams,
    /// Length of a step.
    pub dt: f64,
    /// Number of steps; default 100.
    pub steps: usize,
    /// Threads, 0 for all; default 1. Numbers do not depend on it.
    pub threads: usize,
}

impl LangevinParams {
    /// 100 steps of length `dt`, one thread.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `dt` is positive and finite.
    pub fn new(fp: FpParams, dt: f64) -> Result<Self> {
        Ok(Self { fp, dt: positive("time step", dt)?, steps: 100, threads: 1 })
    }

    /// Sets the number of steps.
    pub fn steps(mut self, steps: usize) -> Self {
        self.steps = steps;
        self
    }

    /// Sets the number of threads.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }
}

/// Moves an ensemble by $`q \leftarrow q + \gamma\nabla F\,dt + \sqrt{2D\,dt}\,\xi`$ (Euler and Maruyama).
///
/// `q` holds members of `dimension` numbers each, row-major; `gradient(q, out)` writes $`\nabla F`$. Member `k` draws from fast
/// stream `k`. The same rule is stochastic gradient descent with $`dt = 1`$: its bias is the descent's own, see
/// [`sgd`](super::sgd).
///
/// ```
/// use linalg_core::Streams;
/// use physics_inference::emergent::{FpParams, LangevinParams, langevin_ensemble};
/// # use physics_inference::linalg_core;
///
/// // Free diffusion for t = 1: variance 2 D = 1.
/// let params = LangevinParams::new(FpParams::new(0.5, 1.0)?, 0.1)?.steps(10);
/// let mut q = vec![0.0; 4000];
/// langevin_ensemble(params, &mut q, 1, |_, f| f[0] = 0.0, Streams::new(1))?;
/// let variance = q.iter().map(|q| q * q).sum::<f64>() / 4000.0;
/// assert!((variance - 1.0).abs() < 4.0 * (2.0f64 / 4000.0).sqrt());
/// # Ok::<(), physics_inference::Error>(())
/// ```
///
/// # Errors
/// [`linalg_core::Error::Empty`] for an empty ensemble, [`Error::NotFinite`] for a start or a result that is not finite: the
/// step is too long for the gradient.
///
/// # Panics
/// When `q` is not made of rows of `dimension` numbers.
pub fn langevin_ensemble<G>(
    params: LangevinParams,
    q: &mut [f64],
    dimension: usize,
    gradient: G,
    streams: Streams,
) -> Result<()>
where
    G: Fn(&[f64], &mut [f64]) + Sync,
{
    if q.is_empty() {
        return Err(linalg_core::Error::Empty { what: "ensemble" }.into());
    }
    let total = q.len();
    assert!(dimension > 0 && total.is_multiple_of(dimension), "{total} numbers are not members of {dimension}");
    super::all_finite("start", q)?;
    let (drift, noise) = (params.fp.gamma * params.dt, (2.0 * params.fp.d * params.dt).sqrt());
    let mut members: Vec<&mut [f64]> = q.chunks_exact_mut(dimension).collect();
    for_pieces(count(params.threads), &mut members, |first, piece| {
        let mut slope = vec![0.0; dimension];
        for (k, q) in piece.iter_mut().enumerate() {
            let mut rng = streams.fast_stream((first + k) as u64);
            for _ in 0..params.steps {
                gradient(q, &mut slope);
                for (q, g) in q.iter_mut().zip(&slope) {
                    *q += drift * g + noise * standard_normal(&mut rng);
                }
            }
        }
    });
    match q.iter().position(|x| !x.is_finite()) {
        Some(index) => Err(Error::NotFinite { what: "member", index, value: q[index] }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::stats::Running;

    #[test]
    fn follows_the_fokker_planck_equation() {
        // Drift -q from 1, D = 0.3: mean e^{-t}, variance D (1 - e^{-2t}); 4000 members, dt = 0.01, |z| < 4.
        let fp = FpParams::new(0.3, 1.0).unwrap();
        let params = LangevinParams::new(fp, 0.01).unwrap().steps(100);
        let run = |threads: usize| {
            let mut q = vec![1.0; 4000];
            let slope = |q: &[f64], f: &mut [f64]| f[0] = -q[0];
            langevin_ensemble(params.threads(threads), &mut q, 1, slope, Streams::new(3)).unwrap();
            q
        };
        let q = run(1);
        assert_eq!(q, run(2));
        let sample: Running = q.into_iter().collect();
        // The recursion's own moments: no step error remains.
        let mean = 0.99f64.powi(100);
        let variance = 0.006 * (1.0 - mean * mean) / (1.0 - 0.99f64.powi(2));
        assert!((sample.mean() - mean).abs() < 4.0 * sample.std_error());
        assert!((sample.variance() / variance - 1.0).abs() < 4.0 * (2.0f64 / 4000.0).sqrt());
    }

    #[test]
    fn bad_input() {
        let fp = FpParams::new(0.3, 1.0).unwrap();
        assert!(LangevinParams::new(fp, 0.0).is_err());
        let params = LangevinParams::new(fp, 1.0).unwrap();
        let up = |q: &[f64], f: &mut [f64]| f[0] = q[0].powi(3);
        assert!(langevin_ensemble(params, &mut [], 1, up, Streams::new(0)).is_err());
        assert!(langevin_ensemble(params, &mut [f64::NAN], 1, up, Streams::new(0)).is_err());
        assert!(matches!(
            langevin_ensemble(params, &mut [9.0], 1, up, Streams::new(0)),
            Err(Error::NotFinite { what: "member", .. })
        ));
    }
}
