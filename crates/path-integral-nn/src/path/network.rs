//! Any network with one hidden layer of ReLU units, as a path.

use super::TimeGrid;
use crate::error::{Error, Result, all_finite};

/// One hidden unit: $`w\,\max(0, \tilde w t + \tilde b)`$.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Unit {
    /// Weight to the output, $`w`$.
    pub output: f64,
    /// Weight from the input, $`\tilde w`$.
    pub input: f64,
    /// Bias, $`\tilde b`$.
    pub bias: f64,
}

/// $`x(t) = b + \sum_n w_n \max(0, \tilde w_n t + \tilde b_n)`$.
///
/// ```
/// use path_integral_nn::path::{Network, Unit};
///
/// let unit = |output, input, bias| Unit { output, input, bias };
/// let network = Network::new(0.5, &[unit(1.0, 2.0, -1.0), unit(3.0, -1.0, 2.0)])?;
/// assert_eq!(network.evaluate(1.0), 0.5 + 1.0 + 3.0);
/// // Rescaling a unit changes its weights, not the network.
/// let other = network.rescaled(0, 4.0)?;
/// assert_eq!(other.evaluate(1.0), network.evaluate(1.0));
/// // Knots 0.5 and 2 with changes of slope 2 and 3; the mirrored unit leaves a line behind.
/// let canonical = network.canonicalize();
/// assert_eq!((canonical.knots(), canonical.slopes()), (&[0.5, 2.0][..], &[2.0, 3.0][..]));
/// # Ok::<(), path_integral_nn::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Network {
    bias: f64,
    units: Vec<Unit>,
}

/// $`x(t) = c + vt + \sum_k s_k \max(0, t - t_k)`$ with ascending knots: the only freedom left is none.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CanonicalNetwork {
    constant: f64,
    velocity: f64,
    knots: Vec<f64>,
    slopes: Vec<f64>,
}

impl Network {
    /// From an output bias and units.
    ///
    /// # Errors
    /// [`Error::NotFinite`]; `index` counts the three numbers of each unit in turn, after the bias.
    pub fn new(bias: f64, units: &[Unit]) -> Result<Self> {
        let mut numbers = vec![bias];
        numbers.extend(units.iter().flat_map(|u| [u.output, u.input, u.bias]));
        all_finite("weight", &numbers)?;
        Ok(Self { bias, units: units.to_vec() })
    }

    /// The units.
    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    /// The output.
    pub fn evaluate(&self, t: f64) -> f64 {
        self.bias + self.units.iter().map(|u| u.output * (u.input * t + u.bias).max(0.0)).sum::<f64>()
    }

    /// The gauge transformation $`(w, \tilde w, \tilde b) \to (w/a, a\tilde w, a\tilde b)`$ of one unit, which changes no output.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `factor` is positive and finite and there is such a unit.
    pub fn rescaled(&self, unit: usize, factor: f64) -> Result<Self> {
        crate::error::positive("gauge factor", factor)?;
        let mut other = self.clone();
        let Some(u) = other.units.get_mut(unit) else {
            return Err(Error::Parameter { what: "unit", value: unit as f64, expected: "below the number of units" });
        };
        *u = Unit { output: u.output / factor, input: u.input * factor, bias: u.bias * factor };
        Ok(other)
    }

    /// Knots, changes of slope and the line that is left.
    ///
    /// A unit of positive $`\tilde w`$ is divided by it. For negative $`\tilde w`$, $`\max(0,-s) = \max(0,s) - s`$ adds a line; a unit with
    /// $`\tilde w = 0`$ is a constant. Units with one knot are joined, those that cancel dropped.
    pub fn canonicalize(&self) -> CanonicalNetwork {
        let (mut constant, mut velocity) = (self.bias, 0.0);
        let mut kinks: Vec<(f64, f64)> = Vec::new();
        for u in &self.units {
            if u.input == 0.0 {
                constant += u.output * u.bias.max(0.0);
                continue;
            }
            let (knot, slope) = (-u.bias / u.input, u.output * u.input.abs());
            if u.input < 0.0 {
                // w max(0, -s) = w (max(0, s) - s) with s = |w̃| (t - knot).
                velocity -= slope;
                constant += slope * knot;
            }
            kinks.push((knot, slope));
        }
        kinks.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut joined: Vec<(f64, f64)> = Vec::new();
        for (knot, slope) in kinks {
            match joined.last_mut() {
                // Exactly one knot: -0.0 and 0.0 are one, too.
                Some(last) if last.0 >= knot => last.1 += slope,
                _ => joined.push((knot, slope)),
            }
        }
        joined.retain(|(_, slope)| *slope != 0.0);
        let (knots, slopes) = joined.into_iter().unzip();
        CanonicalNetwork { constant, velocity, knots, slopes }
    }
}

impl CanonicalNetwork {
    /// Where the slope changes, ascending.
    pub fn knots(&self) -> &[f64] {
        &self.knots
    }

    /// By how much.
    pub fn slopes(&self) -> &[f64] {
        &self.slopes
    }

    /// Constant and slope of the line before the first knot.
    pub fn line(&self) -> (f64, f64) {
        (self.constant, self.velocity)
    }

    /// The output.
    pub fn evaluate(&self, t: f64) -> f64 {
        let ramps: f64 = self.knots.iter().zip(&self.slopes).map(|(k, s)| s * (t - k).max(0.0)).sum();
        self.constant + self.velocity * t + ramps
    }

    /// The path between two times: a grid of both and the knots between them, and the values there.
    ///
    /// # Errors
    /// [`Error::NotAscending`] unless `start < end`, [`Error::NotFinite`].
    pub fn to_path(&self, start: f64, end: f64) -> Result<(TimeGrid, Vec<f64>)> {
        let mut times = vec![start];
        times.extend(self.knots.iter().copied().filter(|k| *k > start && *k < end));
        times.push(end);
        let grid = TimeGrid::new(&times)?;
        let path = grid.times().iter().map(|t| self.evaluate(*t)).collect();
        Ok((grid, path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::{Parametrization, PathNetwork};
    use linalg_core::rng::{Streams, standard_normal};

    #[test]
    fn canonical_forms_compute_the_same() {
        let mut rng = Streams::new(6).stream(0);
        for n in [0, 1, 2, 10, 40] {
            let mut units: Vec<Unit> = (0..n)
                .map(|_| Unit {
                    output: standard_normal(&mut rng),
                    input: standard_normal(&mut rng),
                    bias: standard_normal(&mut rng),
                })
                .collect();
            if n > 2 {
                units[1].input = 0.0;
                // The mirror image of unit 2: one knot.
                units[0] = Unit { output: 0.4, input: -2.0 * units[2].input, bias: -2.0 * units[2].bias };
            }
            let network = Network::new(0.3, &units).unwrap();
            let canonical = network.canonicalize();
            assert!(canonical.knots().windows(2).all(|k| k[0] < k[1]));
            let mut rescaled = network.clone();
            for k in 0..n {
                rescaled = rescaled.rescaled(k, 0.1 + k as f64).unwrap();
            }
            let (grid, path) = canonical.to_path(-2.0, 2.0).unwrap();
            let mut relu = PathNetwork::new(Parametrization::Relu, &grid).unwrap();
            let weights = relu.to_parameters(&path);
            for k in 0..=80 {
                let t = -2.0 + 0.05 * f64::from(k);
                let x = network.evaluate(t);
                let scale = 1e-11 * (1.0 + x.abs());
                assert!((canonical.evaluate(t) - x).abs() < 10.0 * scale);
                assert!((rescaled.evaluate(t) - x).abs() < 10.0 * scale);
                // The path through the knots is the network again.
                assert!((relu.evaluate(&weights, t) - x).abs() < 100.0 * scale, "{n}: {t}");
            }
        }
    }

    #[test]
    fn bad_input() {
        let unit = Unit { output: 1.0, input: f64::NAN, bias: 0.0 };
        assert!(matches!(Network::new(0.0, &[unit]), Err(Error::NotFinite { index: 2, .. })));
        let network = Network::new(0.0, &[Unit { output: 1.0, input: 1.0, bias: 0.0 }]).unwrap();
        assert!(network.rescaled(0, -1.0).is_err() && network.rescaled(1, 1.0).is_err());
        assert!(network.canonicalize().to_path(1.0, 1.0).is_err());
    }
}
