//! Neural network field theory: random networks whose outputs have a chosen two-point function.
//!
//! $`x(t) = \sum_{n=1}^N a_n \cos(b_n\cdot t + c_n)`$ with independent parameters; $`N \to \infty`$ is a Gaussian process, finite $`N`$ leaves connected
//! functions of order $`1/N`$.

use std::f64::consts::{PI, TAU};

use linalg_core::Streams;
use linalg_core::rand::{Rng, RngExt};
use linalg_core::rng::standard_normal;
use linalg_core::stats::{Estimate, WeightedMean};

use crate::error::{Error, Result, at_least_one, positive};

/// How frequencies and amplitudes are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Design {
    /// $`b \sim`$ Cauchy(0, ω), all amplitudes of variance $`\hbar/(m\omega N)`$: the two-point function of the oscillator at any $`N`$.
    Cauchy,
    /// $`b`$ uniform in $`[-\Lambda, \Lambda]^d`$, amplitudes with $`1/\sqrt{b^2 + \omega^2}`$: cut off, any dimension.
    Uniform {
        /// The cut-off $`\Lambda`$.
        cutoff: f64,
    },
}

/// An ensemble of random networks for the propagator $`\frac{\hbar}{m}\int\frac{d^dk}{(2\pi)^d}\frac{e^{ikx}}{k^2+\omega^2}`$.
///
/// ```
/// use linalg_core::Streams;
/// use path_integral_nn::nnft::{Design, NetworkEnsemble};
///
/// let ensemble = NetworkEnsemble::new(Design::Cauchy, 8, 1, 1.0, 1.0, 1.0)?;
/// assert_eq!(ensemble.two_point(&[0.0])?, 0.5);
/// let mut rng = Streams::new(1).stream(0);
/// let samples = 40_000;
/// let mean: f64 = (0..samples)
///     .map(|_| {
///         let network = ensemble.draw(&mut rng);
///         network.evaluate(&[0.0]) * network.evaluate(&[1.0]) / f64::from(samples)
///     })
///     .sum();
/// assert!((mean - 0.5 * (-1.0f64).exp()).abs() < 0.02);
/// # Ok::<(), path_integral_nn::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NetworkEnsemble {
    design: Design,
    width: usize,
    dim: usize,
    mass: f64,
    omega: f64,
    hbar: f64,
}

/// One network: $`\sum a_n\cos(b_n\cdot t + c_n)`$.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CosineNetwork {
    dim: usize,
    /// Amplitudes.
    pub amplitudes: Vec<f64>,
    /// Frequencies, `dim` numbers each.
    pub frequencies: Vec<f64>,
    /// Phases.
    pub phases: Vec<f64>,
}

impl CosineNetwork {
    /// The output at a point.
    ///
    /// # Panics
    /// When the point has another dimension.
    pub fn evaluate(&self, t: &[f64]) -> f64 {
        assert!(t.len() == self.dim, "{} coordinates of {}", t.len(), self.dim);
        let units = self.amplitudes.iter().zip(&self.phases).zip(self.frequencies.chunks_exact(self.dim));
        units.map(|((a, c), b)| a * (b.iter().zip(t).map(|(b, t)| b * t).sum::<f64>() + c).cos()).sum()
    }
}

/// Points of a panel of the quadrature over momenta.
const GAUSS_POINTS: usize = 16;

/// Panels of an axis at most.
const MOST_PANELS: f64 = 65_536.0;

/// Terms of a sum over all axes at most.
const MOST_TERMS: f64 = 3e8;

/// Edges of panels from 0 to the cut-off: equally wide in arsinh(b/ω), on which 1/(b² + ω²) is smooth, and short against the
/// oscillation of cos(bt).
fn panels(cutoff: f64, omega: f64, t: f64) -> Result<Vec<f64>> {
    let longest = 3.0 / t.abs();
    let needed = cutoff / longest + (cutoff / omega).asinh();
    if needed.is_nan() || needed > MOST_PANELS {
        let expected = "at most 2e5: a smaller cut-off or a shorter distance";
        return Err(Error::Parameter { what: "cut-off times distance", value: cutoff * t.abs(), expected });
    }
    let mut edges = vec![0.0];
    let mut from = 0.0;
    while from < cutoff {
        let next = omega * ((from / omega).asinh() + 1.0).sinh();
        from = next.min(from + longest).min(cutoff);
        edges.push(from);
    }
    Ok(edges)
}

impl NetworkEnsemble {
    /// Networks of `width` hidden units with `dim` inputs.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a width of 0, a dimension outside 1 to 3, parameters that are not positive and finite;
    /// [`Error::NotApplicable`] for the Cauchy design with more than one input.
    pub fn new(design: Design, width: usize, dim: usize, mass: f64, omega: f64, hbar: f64) -> Result<Self> {
        at_least_one("width", width)?;
        positive("mass", mass)?;
        positive("omega", omega)?;
        positive("hbar", hbar)?;
        if !(1..=3).contains(&dim) {
            return Err(Error::Parameter { what: "number of inputs", value: dim as f64, expected: "1 to 3" });
        }
        match design {
            Design::Uniform { cutoff } => {
                positive("cut-off", cutoff)?;
            }
            Design::Cauchy if dim > 1 => {
                let reason = "1/(k² + ω²) has no finite integral in two and more dimensions: take a cut-off";
                return Err(Error::NotApplicable { what: "the design without cut-off", reason });
            }
            Design::Cauchy => {}
        }
        Ok(Self { design, width, dim, mass, omega, hbar })
    }

    /// One network.
    pub fn draw<R: Rng + ?Sized>(&self, rng: &mut R) -> CosineNetwork {
        let n = self.width;
        let mut network = CosineNetwork {
            dim: self.dim,
            amplitudes: Vec::with_capacity(n),
            frequencies: Vec::with_capacity(n * self.dim),
            phases: Vec::with_capacity(n),
        };
        let unit = self.hbar / (self.mass * n as f64);
        for _ in 0..n {
            let u = |rng: &mut R| 2.0 * rng.random::<f64>() - 1.0;
            let variance = match self.design {
                Design::Cauchy => {
                    network.frequencies.push(self.omega * (0.5 * PI * u(rng)).tan());
                    unit / self.omega
                }
                Design::Uniform { cutoff } => {
                    let mut square = self.omega * self.omega;
                    for _ in 0..self.dim {
                        let b = cutoff * u(rng);
                        square += b * b;
                        network.frequencies.push(b);
                    }
                    // Twice the volume of momentum space over (2π)^d, for the mean of cos².
                    2.0 * unit * (cutoff / PI).powi(self.dim as i32) / square
                }
            };
            network.amplitudes.push(variance.sqrt() * standard_normal(rng));
            network.phases.push(TAU * rng.random::<f64>());
        }
        network
    }

    /// $`\langle x(0)\,x(t)\rangle`$, exact for any width: with a cut-off the integral over the cube of momenta, to 1e-10 by
    /// quadrature.
    ///
    /// # Errors
    /// [`Error::Parameter`] for distances that are not finite and for more oscillations within the cut-off than can be summed;
    /// [`Error::Core`] when the quadrature is refused.
    ///
    /// # Panics
    /// When the point has another dimension.
    pub fn two_point(&self, t: &[f64]) -> Result<f64> {
        assert!(t.len() == self.dim, "{} coordinates of {}", t.len(), self.dim);
        let scale = self.hbar / self.mass;
        match self.design {
            Design::Cauchy => Ok(0.5 * scale / self.omega * (-self.omega * t[0].abs()).exp()),
            Design::Uniform { cutoff } => {
                let square = self.omega * self.omega;
                let rule = linalg_core::quadrature::GaussLegendre::new(GAUSS_POINTS)?;
                let axes = t
                    .iter()
                    .map(|&t| {
                        let edges = panels(cutoff, self.omega, t)?;
                        let points = edges.windows(2).flat_map(|edge| {
                            let (from, h) = (edge[0], edge[1] - edge[0]);
                            let points = rule.nodes().iter().zip(rule.weights());
                            points.map(move |(x, w)| (from + 0.5 * h * (x + 1.0), 0.5 * h * w))
                        });
                        Ok(points.map(|(b, w)| (b * b, w * (b * t).cos() / PI)).collect())
                    })
                    .collect::<Result<Vec<Vec<(f64, f64)>>>>()?;
                let terms: f64 = axes.iter().map(|axis| axis.len() as f64).product();
                if terms > MOST_TERMS {
                    let expected = "at most 3e8 terms of the quadrature: a smaller cut-off or shorter distances";
                    return Err(Error::Parameter { what: "number of terms", value: terms, expected });
                }
                let mut partial = vec![(square, 1.0)];
                for (k, axis) in axes.iter().enumerate() {
                    if k + 1 == axes.len() {
                        let sum = partial.iter().map(|(s, f)| f * axis.iter().map(|(b, w)| w / (s + b)).sum::<f64>());
                        return Ok(scale * sum.sum::<f64>());
                    }
                    partial = partial.iter().flat_map(|(s, f)| axis.iter().map(move |(b, w)| (s + b, f * w))).collect();
                }
                Ok(f64::NAN)
            }
        }
    }

    /// Share of $`\langle x^2\rangle`$ that a cut-off loses in one dimension, $`1 - \frac2\pi\arctan(\Lambda/\omega)`$; 0 for the Cauchy design.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] in more dimensions.
    pub fn lost_share(&self) -> Result<f64> {
        if self.dim > 1 {
            let reason = "without a cut-off there is no variance in two and more dimensions";
            return Err(Error::NotApplicable { what: "the share lost to the cut-off", reason });
        }
        Ok(match self.design {
            Design::Cauchy => 0.0,
            Design::Uniform { cutoff } => 1.0 - 2.0 / PI * (cutoff / self.omega).atan(),
        })
    }

    /// Excess kurtosis $`\langle x^4\rangle/\langle x^2\rangle^2 - 3`$ in one dimension: $`\frac{3}{2N}`$, or with a cut-off
    /// $`\frac3N\bigl(\frac32\frac{E[u^2]}{E[u]^2} - 1\bigr)`$, $`u = 1/(b^2+\omega^2)`$.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] in more dimensions.
    pub fn excess_kurtosis(&self) -> Result<f64> {
        if self.dim > 1 {
            let reason = "it is there for one input";
            return Err(Error::NotApplicable { what: "the excess kurtosis", reason });
        }
        let n = self.width as f64;
        Ok(match self.design {
            Design::Cauchy => 1.5 / n,
            Design::Uniform { cutoff } => {
                let r = cutoff / self.omega;
                let first = r.atan() / r;
                let second = 0.5 * (1.0 / (1.0 + r * r) + r.atan() / r);
                3.0 / n * (1.5 * second / (first * first) - 1.0)
            }
        })
    }

    /// The connected four-point function of the Cauchy design:
    /// $`N s^4[\frac38\sum_3 e^{-\omega|t_1+t_2-t_3-t_4|} - \frac14\sum_3 e^{-\omega(|t_1-t_2|+|t_3-t_4|)}]`$, $`s^2 = \hbar/m\omega N`$.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] for the other design.
    pub fn connected_four_point(&self, t: [f64; 4]) -> Result<f64> {
        if self.design != Design::Cauchy {
            let reason = "the closed form is that of the Cauchy design";
            return Err(Error::NotApplicable { what: "the connected four-point function", reason });
        }
        let s2 = self.hbar / (self.mass * self.omega * self.width as f64);
        let pairings = [[0, 1, 2, 3], [0, 2, 1, 3], [0, 3, 1, 2]];
        let sum: f64 = pairings
            .iter()
            .map(|p| {
                let [a, b, c, d] = p.map(|k| t[k]);
                let joint = (-self.omega * (a + b - c - d).abs()).exp();
                0.375 * joint - 0.25 * (-self.omega * ((a - b).abs() + (c - d).abs())).exp()
            })
            .sum();
        Ok(self.width as f64 * s2 * s2 * sum)
    }

    /// $`\langle x(0)^2\rangle`$ with an interaction $`g\int_0^T x^4`$, by reweighting `samples` networks with
    /// $`e^{-g\Delta\sum x(t_k)^4/\hbar}`$ on `points` times; network `k` from stream `k`.
    ///
    /// # Errors
    /// [`Error::EffectiveSampleSize`] below 1 %, [`Error::Parameter`] for a negative coupling, no samples or points, or more
    /// than one input.
    pub fn interacting_x_squared(
        &self,
        coupling: f64,
        time: f64,
        points: usize,
        samples: u64,
        streams: Streams,
    ) -> Result<Estimate> {
        if !(coupling.is_finite() && coupling >= 0.0) {
            return Err(Error::Parameter { what: "coupling", value: coupling, expected: "a finite number >= 0" });
        }
        positive("time", time)?;
        at_least_one("number of points", points)?;
        at_least_one("number of samples", samples as usize)?;
        if self.dim != 1 {
            return Err(Error::Parameter { what: "number of inputs", value: self.dim as f64, expected: "1" });
        }
        let step = time / points as f64;
        let mut mean = WeightedMean::new();
        for k in 0..samples {
            let network = self.draw(&mut streams.fast_stream(k));
            let middle = network.evaluate(&[0.5 * time]);
            let sum: f64 = (0..points).map(|p| network.evaluate(&[(p as f64 + 0.5) * step]).powi(4)).sum();
            mean.push(-coupling * step * sum / self.hbar, middle * middle);
        }
        let (effective, bound) = (mean.effective_sample_size(), 0.01 * samples as f64);
        if effective.is_nan() || effective < bound {
            return Err(Error::EffectiveSampleSize { effective, samples, bound });
        }
        Ok(mean.estimate())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::stats::Running;

    fn check(samples: impl Iterator<Item = f64>, exact: f64, resolution: f64) {
        let running: Running = samples.collect();
        let error = running.std_error();
        assert!(
            error < resolution && (running.mean() - exact).abs() < 4.0 * error,
            "{} ± {error}, {exact}",
            running.mean()
        );
    }

    #[test]
    fn numbers_of_the_designs() {
        let uniform = NetworkEnsemble::new(Design::Uniform { cutoff: 20.0 }, 100, 1, 1.0, 1.0, 1.0).unwrap();
        assert!((uniform.lost_share().unwrap() - 0.0318).abs() < 1e-4);
        assert!((uniform.excess_kurtosis().unwrap() * 100.0 - 27.56).abs() < 0.01);
        let share = uniform.two_point(&[0.0]).unwrap() / 0.5;
        assert!((1.0 - share - uniform.lost_share().unwrap()).abs() < 1e-10);
        // Cut off at a high momentum in three dimensions: near e^{-ωr}/4πr.
        let deep = NetworkEnsemble::new(Design::Uniform { cutoff: 40.0 }, 10, 1, 1.3, 0.7, 0.9).unwrap();
        assert!((deep.two_point(&[1.1]).unwrap() - 0.9 / (2.0 * 1.3 * 0.7) * (-0.77f64).exp()).abs() < 1e-3);
        assert!(NetworkEnsemble::new(Design::Cauchy, 10, 2, 1.0, 1.0, 1.0).is_err());
        assert!(NetworkEnsemble::new(Design::Cauchy, 0, 1, 1.0, 1.0, 1.0).is_err());
    }

    #[test]
    fn two_and_four_points_of_the_cauchy_design() {
        let ensemble = NetworkEnsemble::new(Design::Cauchy, 4, 1, 1.3, 0.8, 0.7).unwrap();
        let t = [0.0, 0.5, 1.2, 0.3];
        let networks: Vec<[f64; 4]> = (0..200_000)
            .map(|k| {
                let network = ensemble.draw(&mut Streams::new(3).fast_stream(k));
                t.map(|t| network.evaluate(&[t]))
            })
            .collect();
        check(networks.iter().map(|x| x[0] * x[2]), ensemble.two_point(&[1.2]).unwrap(), 0.002);
        let g = |a: usize, b: usize| ensemble.two_point(&[t[a] - t[b]]).unwrap();
        let gauss = g(0, 1) * g(2, 3) + g(0, 2) * g(1, 3) + g(0, 3) * g(1, 2);
        let connected = ensemble.connected_four_point(t).unwrap();
        assert!(connected.abs() > 0.015);
        check(networks.iter().map(|x| x.iter().product()), gauss + connected, 0.003);
        let zero = ensemble.connected_four_point([0.0; 4]).unwrap() / ensemble.two_point(&[0.0]).unwrap().powi(2);
        assert!((zero - ensemble.excess_kurtosis().unwrap()).abs() < 1e-14);
    }

    #[test]
    fn cut_off_designs_in_one_two_and_three_dimensions() {
        for dim in 1..=3 {
            let ensemble = NetworkEnsemble::new(Design::Uniform { cutoff: 3.0 }, 6, dim, 1.0, 1.0, 1.0).unwrap();
            let t = &[0.4, -0.7, 0.2][..dim];
            let products = (0..60_000).map(|k| {
                let network = ensemble.draw(&mut Streams::new(5).fast_stream(k));
                network.evaluate(&vec![0.0; dim]) * network.evaluate(t)
            });
            check(products, ensemble.two_point(t).unwrap(), 0.01);
        }
    }

    #[test]
    fn interactions_by_weights() {
        // ⟨x²⟩ in the middle of T = 3 with g x⁴ switched on: against the transfer matrix between free oscillator states.
        let ensemble = NetworkEnsemble::new(Design::Cauchy, 400, 1, 1.0, 1.0, 1.0).unwrap();
        let got = ensemble.interacting_x_squared(0.2, 3.0, 24, 4000, Streams::new(2)).unwrap();
        let grid: Vec<f64> = (-100..=100).map(|k| 0.05 * f64::from(k)).collect();
        let lattice = crate::exact::Oscillator::new(1.0, 1.0, 1.0).unwrap();
        let mut state: Vec<f64> = grid.iter().map(|x| lattice.wave_function(0, *x)).collect();
        let half: Vec<f64> = grid.iter().map(|x| (-0.125f64 * 0.2 * x.powi(4)).exp()).collect();
        let mut kernel = vec![0.0; grid.len() * grid.len()];
        for (i, x) in grid.iter().enumerate() {
            for (j, y) in grid.iter().enumerate() {
                kernel[i * grid.len() + j] = 0.05 * lattice.kernel(0.125, *x, *y);
            }
        }
        // Weights at the middles of 24 intervals; from the end of the interval before to the middle twice half a step.
        let eighth: Vec<f64> = (0..grid.len() * grid.len())
            .map(|k| 0.05 * lattice.kernel(0.0625, grid[k / grid.len()], grid[k % grid.len()]))
            .collect();
        let apply = |m: &[f64], v: &[f64]| -> Vec<f64> {
            m.chunks_exact(v.len()).map(|row| row.iter().zip(v).map(|(a, b)| a * b).sum()).collect()
        };
        for interval in 0..12 {
            state = apply(&eighth, &state);
            state.iter_mut().zip(&half).for_each(|(s, h)| *s *= h);
            state = apply(&eighth, &state);
            assert!(state[100].is_finite(), "{interval}");
        }
        let norm: f64 = state.iter().map(|s| s * s).sum();
        let x2 = state.iter().zip(&grid).map(|(s, x)| s * s * x * x).sum::<f64>() / norm;
        let error = got.std_error.unwrap();
        assert!(error < 0.03 && (got.value - x2).abs() < 4.0 * error, "{got:?} {x2}");
        assert!(ensemble.interacting_x_squared(-1.0, 3.0, 4, 10, Streams::new(2)).is_err());
    }

    #[test]
    fn any_cut_off_and_distance_is_exact_or_refused() {
        let ensemble = |cutoff: f64| NetworkEnsemble::new(Design::Uniform { cutoff }, 10, 1, 1.0, 1.0, 1.0).unwrap();
        for cutoff in [1e-3f64, 1.0, 1e3, 1e6, 1e12] {
            let exact = cutoff.atan() / PI;
            assert!((ensemble(cutoff).two_point(&[0.0]).unwrap() / exact - 1.0).abs() < 1e-12, "{cutoff}");
        }
        // Beyond many oscillations what a cut-off leaves out is of order sin(Λt)/(πtΛ²).
        let far = ensemble(1e4).two_point(&[3.0]).unwrap();
        assert!((far - 0.5 * (-3f64).exp()).abs() < 1e-8, "{far}");
        for t in [1e6, f64::NAN, f64::INFINITY] {
            assert!(matches!(ensemble(1e6).two_point(&[t]), Err(Error::Parameter { .. })), "{t}");
        }
    }
}
