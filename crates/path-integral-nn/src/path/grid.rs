//! Times of a path.

use linalg_core::rand::{Rng, RngExt};

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

    /// `steps` steps whose inner knots are uniform random times.
    ///
    /// # Errors
    /// As [`uniform`](Self::uniform); [`Error::NotAscending`] when two knots coincide.
    pub fn random<R: Rng + ?Sized>(start: f64, length: f64, steps: usize, rng: &mut R) -> Result<Self> {
        positive("length of the grid", length)?;
        at_least_one("number of steps", steps)?;
        let mut times: Vec<f64> = (1..steps).map(|_| start + length * rng.random::<f64>()).collect();
        times.sort_unstable_by(f64::total_cmp);
        times.insert(0, start);
        times.push(start + length);
        Self::new(&times)
    }

    /// The Euclidean kernel of an oscillator on this grid, by the trapezoid, composed step by step.
    ///
    /// Averages over random knots approach the value of the equidistant grid, and both the continuum, as $`1/N^2`$.
    ///
    /// ```
    /// use path_integral_nn::path::TimeGrid;
    ///
    /// let grid = TimeGrid::uniform(0.0, 1.5, 8)?;
    /// assert!((grid.oscillator_kernel(1.0, 1.0, 1.0, 0.3, -0.5)? - 0.211595098030).abs() < 1e-11);
    /// # Ok::<(), path_integral_nn::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Parameter`] unless mass, frequency and $`\hbar`$ are positive and finite.
    pub fn oscillator_kernel(&self, mass: f64, omega: f64, hbar: f64, x: f64, y: f64) -> Result<f64> {
        let mass = positive("mass", mass)? / positive("hbar", hbar)?;
        positive("omega", omega)?;
        // exp(-[p x² + q y² - 2 r x y]/2 + c), one step: p = q = m/Δ + mω²Δ/2, r = m/Δ.
        let mut form: Option<[f64; 4]> = None;
        for step in self.steps() {
            let (r, spring) = (mass / step, 0.5 * mass * omega * omega * step);
            let one = [r + spring, r + spring, r, 0.5 * (r / std::f64::consts::TAU).ln()];
            form = Some(match form {
                None => one,
                Some([p, q, s, c]) => {
                    // ∫ dz over the end of the first and the start of the second.
                    let sum = q + one[0];
                    let gauss = 0.5 * (std::f64::consts::TAU / sum).ln();
                    [p - s * s / sum, one[1] - r * r / sum, s * r / sum, c + one[3] + gauss]
                }
            });
        }
        let [p, q, r, c] = form.unwrap_or([0.0; 4]);
        Ok((c - 0.5 * (p * x * x + q * y * y) + r * x * y).exp())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::Oscillator;
    use linalg_core::Streams;

    #[test]
    fn random_knots_approach_the_fixed_grid() {
        let exact = Oscillator::new(1.3, 0.9, 0.8).unwrap().kernel(1.5, 0.3, -0.5);
        let mut rng = Streams::new(3).stream(0);
        let mut error = |steps: usize| {
            let mean: f64 = (0..400)
                .map(|_| TimeGrid::random(0.2, 1.5, steps, &mut rng).unwrap())
                .map(|grid| grid.oscillator_kernel(1.3, 0.9, 0.8, 0.3, -0.5).unwrap() / 400.0)
                .sum();
            (mean - exact).abs()
        };
        let (coarse, fine) = (error(16), error(64));
        assert!(fine < 2e-3 * exact, "{fine}");
        // A factor of 16 in second order, up to the noise of the mean.
        assert!((8.0..32.0).contains(&(coarse / fine)), "{}", coarse / fine);
        // A free particle does not see the knots at all.
        let grid = TimeGrid::random(0.0, 1.5, 40, &mut rng).unwrap();
        let free = crate::exact::free_kernel(1.3, 0.8, 1.5, 0.3, -0.5);
        assert!((grid.free_kernel(1.3, 0.8, 0.3, -0.5).unwrap() / free - 1.0).abs() < 1e-11);
    }

    #[test]
    fn bad_input() {
        assert!(matches!(TimeGrid::new(&[0.0, 2.0, 1.0]), Err(Error::NotAscending { index: 2, .. })));
        assert!(matches!(TimeGrid::new(&[0.0, f64::NAN]), Err(Error::NotFinite { .. })));
        assert!(TimeGrid::new(&[0.0]).is_err() && TimeGrid::uniform(0.0, 1.0, 0).is_err());
        assert!(TimeGrid::uniform(0.0, -1.0, 4).is_err() && TimeGrid::uniform(1e300, 1.0, 4).is_err());
        assert!(TimeGrid::uniform(0.0, 1.0, 4).unwrap().free_kernel(-1.0, 1.0, 0.0, 0.0).is_err());
    }
}
