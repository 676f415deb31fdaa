//! Times of a path.

use crate::error::{Error, Result, all_finite, at_least_one, positive};

/// Times $`t_0 < t_1 < \dots < t_N`$, equidistant or not.
///
/// ```
/// use path_integral_nn::Error;
/// use path_integral_nn::path::TimeGrid;
///
/// let grid = TimeGrid::new(&[0.0, 0.5, 2.0])?;
/// assert_eq!((grid.n_steps(), grid.step(2)), (2, 1.5));
/// // The kernel of a free particle is exact on any grid.
/// let exact = path_integral_nn::exact::free_kernel(1.0, 1.0, 2.0, 0.3, -0.5);
/// assert!((grid.free_kernel(1.0, 1.0, 0.3, -0.5)? - exact).abs() < 1e-12);
/// assert!(matches!(TimeGrid::new(&[0.0, 0.0]), Err(Error::NotAscending { index: 1, .. })));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TimeGrid {
    times: Vec<f64>,
}

impl TimeGrid {
    /// Given times.
    ///
    /// # Errors
    /// [`Error::NotFinite`], [`Error::NotAscending`], [`Error::Parameter`] for fewer than two times.
    pub fn new(times: &[f64]) -> Result<Self> {
        all_finite("time", times)?;
        if times.len() < 2 {
            let value = times.len() as f64;
            return Err(Error::Parameter { what: "number of times", value, expected: "at least 2" });
        }
        for (k, pair) in times.windows(2).enumerate() {
            if pair[1] <= pair[0] {
                return Err(Error::NotAscending { what: "time", index: k + 1, previous: pair[0], value: pair[1] });
            }
        }
        Ok(Self { times: times.to_vec() })
    }

    /// `steps` equal steps from `start` over `length`.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no steps or a length that is not positive and finite, [`Error::NotAscending`] when the
    /// steps vanish in rounding.
    pub fn uniform(start: f64, length: f64, steps: usize) -> Result<Self> {
        positive("length of the grid", length)?;
        at_least_one("number of steps", steps)?;
        let times: Vec<f64> = (0..=steps).map(|k| start + length * k as f64 / steps as f64).collect();
        Self::new(&times)
    }

    /// The times.
    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// Number of steps $`N`$.
    pub fn n_steps(&self) -> usize {
        self.times.len() - 1
    }

    /// $`\Delta_n = t_n - t_{n-1}`$, `n` from 1.
    ///
    /// # Panics
    /// When `n` is 0 or beyond the last step.
    pub fn step(&self, n: usize) -> f64 {
        self.times[n] - self.times[n - 1]
    }

    /// $`t_N - t_0`$.
    pub fn length(&self) -> f64 {
        self.times[self.n_steps()] - self.times[0]
    }

    /// The steps $`\Delta_1 \dots \Delta_N`$.
    pub fn steps(&self) -> impl Iterator<Item = f64> + '_ {
        self.times.windows(2).map(|pair| pair[1] - pair[0])
    }

    /// Whether all steps are equal to 1e-12 of the mean.
    pub fn is_uniform(&self) -> bool {
        let mean = self.length() / self.n_steps() as f64;
        self.steps().all(|d| (d - mean).abs() <= 1e-12 * mean.max(self.times[0].abs()))
    }

    /// The Euclidean kernel of a free particle, composed step by step with the measure
    /// $`\prod_n (m/2\pi\hbar\Delta_n)^{1/2}`$: Gaussian integrals over $`x_1 \dots x_{N-1}`$, one after the other.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless mass and $`\hbar`$ are positive and finite.
    pub fn free_kernel(&self, mass: f64, hbar: f64, x: f64, y: f64) -> Result<f64> {
        let scale = positive("mass", mass)? / positive("hbar", hbar)?;
        // e^{-a (x-z)²/2} sqrt(p) after some steps; one more step of strength b.
        let (mut a, mut square) = (0.0, 0.0);
        for (k, step) in self.steps().enumerate() {
            let b = scale / step;
            let measure = b / std::f64::consts::TAU;
            if k == 0 {
                (a, square) = (b, measure);
            } else {
                // ∫ dz e^{-a(x-z)²/2 - b(z-y)²/2} = sqrt(2π/(a+b)) e^{-ab(x-y)²/2(a+b)}.
                square *= measure * std::f64::consts::TAU / (a + b);
                a = a * b / (a + b);
            }
        }
        Ok(square.sqrt() * (-0.5 * a * (x - y) * (x - y)).exp())
    }

    /// The Euclidean action of a path for any grid: kinetic terms and the trapezoid or the midpoint of a potential.
    ///
    /// # Panics
    /// When there are not as many values as times.
    pub fn action<V: Fn(f64) -> f64>(&self, mass: f64, v: V, path: &[f64], at_midpoints: bool) -> f64 {
        assert!(path.len() == self.times.len(), "{} values for {} times", path.len(), self.times.len());
        let links = path.windows(2).zip(self.steps());
        links
            .map(|(x, step)| {
                let potential = if at_midpoints { v(0.5 * (x[0] + x[1])) } else { 0.5 * (v(x[0]) + v(x[1])) };
                0.5 * mass * (x[1] - x[0]).powi(2) / step + step * potential
            })
            .sum()
    }
}
