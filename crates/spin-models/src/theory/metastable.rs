//! Metastable states of the Sherrington-Kirkpatrick model at T = 0.

use std::f64::consts::LN_2;

use linalg_core::optim::find_root;
use linalg_core::quadrature::{AdaptiveParams, Integral};
use linalg_core::special::{erfcx, ln_normal_cdf};
use linalg_core::threads;

use super::perceptron::hazard;
use super::saddle_point::{Convergence, check_finite};
use crate::models::SherringtonKirkpatrick;
use crate::{EnergyModel, Error, PairwiseModel, Result};

/// How many solutions the equations of Thouless, Anderson and Palmer have at T = 0, annealed: states that every single flip
/// makes worse.
///
/// The aligned fields $`\lambda_i = s_i \sum_j J_{ij} s_j`$ of a state have covariance $`\delta_{ij} + 1/N`$, so that
///
/// ```math
/// \frac{\ln \langle \mathcal N \rangle}{N} = \ln 2 + \max_t \Bigl[ \ln \Phi(t) - \frac{t^2}{2} \Bigr] = 0.1992,
/// ```
///
/// Φ being the normal distribution function; and among states of energy e per spin
///
/// ```math
/// \Sigma(e) = \min_y \max_t \Bigl[ \ln 2 - \frac{t^2}{2} + \frac{yt}{2} + \frac{y^2}{8} + \ln \Phi\bigl(t + \tfrac y2\bigr) + y e \Bigr] .
/// ```
///
/// References: A. J. Bray and M. A. Moore, J. Phys. C 13, L469 (1980); F. Tanaka and S. F. Edwards, J. Phys. F 10, 2769 (1980).
///
/// ```
/// use spin_models::theory::BrayMoore;
///
/// let most = BrayMoore::total();
/// assert!((most.complexity - 0.1992).abs() < 1e-4 && (most.energy_per_spin + 0.506).abs() < 1e-3);
/// // Fewer states have lower energies.
/// assert!(BrayMoore::at_energy(-0.6)?.complexity < most.complexity);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BrayMoore {
    /// Σ, `ln⟨N⟩/N`.
    pub complexity: f64,
    /// Energy per spin of these states.
    pub energy_per_spin: f64,
    /// The saddle point t.
    pub saddle: f64,
    /// Residual of the saddle-point equations.
    pub convergence: Convergence,
}

/// `φ(x)/Φ(x) + x`, which falls like `1/|x|` far below 0.
fn reduced_hazard(x: f64) -> f64 {
    if x > -8.0 {
        return hazard(x) + x;
    }
    // There the sum would lose the digits: 1/(y + 2/(y + 3/(y + ...))), y = -x, Laplace's continued fraction.
    (2..=40).rev().fold(-x, |below, k| -x + f64::from(k) / below).recip()
}

/// `ln Φ(x) + x²/2`, without the cancellation far below 0.
fn scaled_ln_cdf(x: f64) -> f64 {
    if x < 0.0 { (0.5 * erfcx(-x * std::f64::consts::FRAC_1_SQRT_2)).ln() } else { ln_normal_cdf(x) + 0.5 * x * x }
}

impl BrayMoore {
    /// States of all energies; most have `e = -t = -0.506`.
    pub fn total() -> Self {
        let root = find_root(|t| hazard(t) - t, 0.0, 1.0, 0.0);
        let t = root.x;
        Self {
            complexity: LN_2 + ln_normal_cdf(t) - 0.5 * t * t,
            energy_per_spin: -t,
            saddle: t,
            convergence: Convergence::judged(root.residual.abs(), 1e-13, root.evaluations),
        }
    }

    /// States of energy e per spin. Annealed averages are too large below e = -0.672; the complexity changes sign at -0.79.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `-2 ≤ e < 0`.
    pub fn at_energy(energy: f64) -> Result<Self> {
        if !((-2.0..0.0).contains(&energy)) {
            let expected = "at least -2 and less than 0";
            return Err(Error::Parameter { what: "energy per spin", value: energy.to_string(), expected });
        }
        // With x = t + y/2 both equations are h(x) + x = -2e + t and h(x) = t - y/2 = 2t - x.
        // Their difference leaves t = -e and one equation for x.
        let t = -energy;
        // At x = 1/e, h(x) + x < 1/|x| = t.
        let low = energy.recip().max(-1e300);
        let root = find_root(|x| reduced_hazard(x) - 2.0 * t, low, 5.0, 0.0);
        let x = root.x;
        // The bracket at y = 2 (x - t), in terms that do not grow with x.
        let complexity = LN_2 + t * t - 2.0 * t * x + scaled_ln_cdf(x);
        let tolerance = 1e-12 * (2.0 * t).min(1.0);
        let convergence = Convergence::judged(root.residual.abs(), tolerance, root.evaluations);
        Ok(Self { complexity, energy_per_spin: energy, saddle: t, convergence })
    }

    /// `ln⟨N⟩` of N spins with Gaussian couplings, exactly.
    ///
    /// The aligned fields have variance `1 - 1/N` and covariance `1/N`:
    /// $`\langle\mathcal N\rangle = 2^N \int Dw\, \Phi(w/\sqrt{N - 2})^N`$ for N > 2.
    ///
    /// ```
    /// use spin_models::theory::BrayMoore;
    ///
    /// // Two spins: the two states that satisfy the bond.
    /// assert!((BrayMoore::ln_mean_count(2)? - 2f64.ln()).abs() < 1e-12);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoSpins`] for `n = 0`, [`Error::Parameter`] for one spin, which has no field.
    pub fn ln_mean_count(n: usize) -> Result<f64> {
        match n {
            0 => return Err(Error::NoSpins),
            1 => return Err(Error::Parameter { what: "number of spins", value: "1".into(), expected: "at least 2" }),
            // One field for both.
            2 => return Ok(LN_2),
            _ => {}
        }
        let size = n as f64;
        let exponent = |t: f64| size * (ln_normal_cdf(t) + LN_2) - 0.5 * (size - 2.0) * t * t;
        // Centred at the saddle, in units of its width.
        let saddle = find_root(|t| size * hazard(t) - (size - 2.0) * t, 0.0, 3.0, 0.0).x;
        let top = exponent(saddle);
        let width = 1.0 / (size - 2.0).sqrt();
        let integrand = |u: f64| (exponent(saddle + width * u) - top).exp();
        let params = AdaptiveParams::default().absolute_tolerance(1e-14).relative_tolerance(1e-13);
        let Integral { value, .. } = params.integrate(integrand, -14.0, 14.0)?;
        Ok(top + (value / (2.0 * std::f64::consts::PI).sqrt()).ln())
    }
}

/// The states of one instance that every single flip makes worse.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StableStates {
    /// How many there are; without fields a state and its mirror image count as two.
    pub count: u64,
    /// Sum of their energies per spin; the mean is this over `count`.
    pub sum_of_energies_per_spin: f64,
    /// The lowest energy of all: the ground state is among them.
    pub lowest_energy: f64,
}

impl StableStates {
    /// Largest number of spins.
    pub const MAX_SPINS: usize = 30;

    /// Counts by going through all states, with a flip at a time (Gray code), on up to `threads` threads (0 for all). The same
    /// numbers for any number of them.
    ///
    /// A state counts if every flip raises the energy; a spin without any field thus excludes all. A field counts as 0
    /// up to 1e-12 of the sum of its terms' moduli. `O(N 2^N)`: a second for N = 24.
    ///
    /// ```
    /// use spin_models::SherringtonKirkpatrick;
    /// use spin_models::theory::StableStates;
    ///
    /// let pair = SherringtonKirkpatrick::from_couplings(2, &[0.0, 0.5, 0.5, 0.0])?;
    /// let stable = StableStates::count(&pair, 1)?;
    /// assert!(stable.count == 2 && stable.lowest_energy == -0.5);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond [`MAX_SPINS`](Self::MAX_SPINS); [`Error::Parameter`] for couplings that overflow.
    pub fn count(model: &SherringtonKirkpatrick, threads: usize) -> Result<Self> {
        let n = model.n_spins();
        if n > Self::MAX_SPINS {
            return Err(Error::TooLarge {
                solver: "stable states",
                what: "number of spins",
                value: n,
                bound: Self::MAX_SPINS,
            });
        }
        let fields: Vec<f64> = (0..n).map(|i| model.field(i)).collect();
        let sizes: Vec<f64> =
            (0..n).map(|i| model.row(i).iter().map(|j| j.abs()).sum::<f64>() + fields[i].abs()).collect();
        check_finite("sum of all couplings", sizes.iter().sum())?;
        // Fields are sums of up to 4096 flips: what is smaller is rounding, and the spin free.
        let least: Vec<f64> = sizes.iter().map(|size| 1e-12 * size).collect();
        // Without fields half of the states are enough.
        let mirrored = fields.iter().all(|h| *h == 0.0) && n > 1;
        let free = if mirrored { n - 1 } else { n };
        let high = free.min(6);
        let mut units: Vec<(u64, Self)> = (0..1 << high)
            .map(|unit| (unit, Self { count: 0, sum_of_energies_per_spin: 0.0, lowest_energy: f64::INFINITY }))
            .collect();
        threads::for_each(threads::count(threads), &mut units, |(unit, sums)| {
            sums.run(model, &fields, &least, *unit << (free - high), free - high);
        });
        let mut total = Self { count: 0, sum_of_energies_per_spin: 0.0, lowest_energy: f64::INFINITY };
        for (_, unit) in units {
            total.count += unit.count;
            total.sum_of_energies_per_spin += unit.sum_of_energies_per_spin;
            total.lowest_energy = total.lowest_energy.min(unit.lowest_energy);
        }
        if mirrored {
            total.count *= 2;
            total.sum_of_energies_per_spin *= 2.0;
        }
        Ok(total)
    }

    /// Goes through the states whose lowest `low` bits run and whose others are those of `start`; bit 1 is spin -1.
    /// Spins are free up to the fields `least`.
    fn run(&mut self, model: &SherringtonKirkpatrick, fields: &[f64], least: &[f64], start: u64, low: usize) {
        let n = fields.len();
        let mut s: Vec<f64> = (0..n).map(|i| if start >> i & 1 == 1 { -1.0 } else { 1.0 }).collect();
        let mut local = vec![0.0; n];
        for k in 0..1u64 << low {
            if k % 4096 == 0 {
                // Afresh, against the rounding of many flips.
                for i in 0..n {
                    local[i] = fields[i] + model.row(i).iter().zip(&s).map(|(j, s)| j * s).sum::<f64>();
                }
            } else {
                let flipped = k.trailing_zeros() as usize;
                let twice = 2.0 * s[flipped];
                s[flipped] = -s[flipped];
                for (h, j) in local.iter_mut().zip(model.row(flipped)) {
                    *h -= twice * j;
                }
            }
            if s.iter().zip(&local).zip(least).all(|((s, h), least)| s * h > *least) {
                let energy =
                    -0.5 * s.iter().zip(&local).zip(fields).map(|((s, h), field)| s * (h + field)).sum::<f64>();
                self.count += 1;
                self.sum_of_energies_per_spin += energy / n as f64;
                self.lowest_energy = self.lowest_energy.min(energy);
            }
            if (k + 1) % 4096 == 0 && k + 1 < 1 << low {
                // The flip that the next round starts with; the fields follow there.
                let flipped = (k + 1).trailing_zeros() as usize;
                s[flipped] = -s[flipped];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use linalg_core::Streams;
    use linalg_core::stats::Running;

    #[test]
    fn published_numbers() {
        let total = BrayMoore::total();
        assert!(total.convergence.converged);
        assert_relative_eq!(total.complexity, 0.199_23, epsilon = 1e-5);
        assert_relative_eq!(total.energy_per_spin, -0.506, epsilon = 1e-3);
        // The maximum over energies is the total.
        let same = BrayMoore::at_energy(total.energy_per_spin).unwrap();
        assert_relative_eq!(same.complexity, total.complexity, epsilon = 1e-12);
        for e in [-0.3, -0.45, -0.55, -0.672] {
            let there = BrayMoore::at_energy(e).unwrap();
            assert!(there.convergence.converged && there.complexity < total.complexity);
        }
        for e in [0.0, -2.1, f64::NAN] {
            assert!(BrayMoore::at_energy(e).is_err());
        }
    }

    #[test]
    fn finite_sizes_tend_to_the_complexity() {
        let per_spin = |n: usize| BrayMoore::ln_mean_count(n).unwrap() / n as f64;
        assert_relative_eq!(per_spin(1_000_000), BrayMoore::total().complexity, epsilon = 1e-5);
        // Three spins: all eight states have three bonds; ferromagnetic triangles have 2 stable states, frustrated ones as well.
        assert_relative_eq!(BrayMoore::ln_mean_count(3).unwrap(), LN_2, epsilon = 1e-10);
        assert!(BrayMoore::ln_mean_count(0).is_err() && BrayMoore::ln_mean_count(1).is_err());
    }

    /// Mean counts of Gaussian samples within 4 standard errors of the exact mean.
    fn compare(n: usize, samples: u64, threads: usize) -> (Running, f64) {
        let mut counts = Running::new();
        for k in 0..samples {
            let model = SherringtonKirkpatrick::gaussian(n, &mut Streams::new(7).stream(k)).unwrap();
            counts.push(StableStates::count(&model, threads).unwrap().count as f64);
        }
        let exact = BrayMoore::ln_mean_count(n).unwrap().exp();
        assert!((counts.mean() - exact).abs() < 4.0 * counts.std_error(), "N = {n}: {} {exact}", counts.mean());
        (counts, exact)
    }

    #[test]
    fn counts_agree_with_the_exact_mean() {
        compare(10, 400, 1);
        compare(14, 100, 1);
    }

    #[test]
    #[ignore = "exhaustive counts of 60 samples at N = 24, a minute; run by .ci/long"]
    fn counts_at_24_spins() {
        let (counts, exact) = compare(24, 60, 0);
        println!("N = 24: {} ± {} against {exact}", counts.mean(), counts.std_error());
    }

    #[test]
    fn against_a_direct_count() {
        for (k, field) in [(1, 0.0), (2, 0.3)] {
            let n = 14;
            let model = SherringtonKirkpatrick::gaussian(n, &mut Streams::new(3).stream(k)).unwrap();
            let model = model.with_fields(vec![field; n]).unwrap();
            let got = StableStates::count(&model, 2).unwrap();
            let (mut count, mut sum, mut lowest) = (0, 0.0, f64::INFINITY);
            for state in 0..1u64 << n {
                let s: Vec<i8> = (0..n).map(|i| if state >> i & 1 == 1 { -1 } else { 1 }).collect();
                if (0..n).all(|i| model.delta_energy(&s, i) > 0.0) {
                    count += 1;
                    sum += model.energy(&s) / n as f64;
                    lowest = f64::min(lowest, model.energy(&s));
                }
            }
            assert_eq!(got.count, count);
            assert_relative_eq!(got.sum_of_energies_per_spin, sum, epsilon = 1e-10);
            assert_relative_eq!(got.lowest_energy, lowest, epsilon = 1e-12);
            assert_eq!(got, StableStates::count(&model, 1).unwrap());
        }
    }

    /// With couplings of ±1/√N and N odd the fields of many states cancel: counted with the signs, which are integers.
    #[test]
    fn free_spins_are_not_stable() {
        for n in [5, 7, 9, 11] {
            let model = SherringtonKirkpatrick::plus_minus(n, &mut Streams::new(3).stream(n as u64)).unwrap();
            let sign = |i: usize, j: usize| if i == j { 0 } else { model.row(i)[j].signum() as i32 };
            let stable = |state: u32| {
                let s = |i: usize| 1 - 2 * (state >> i & 1) as i32;
                (0..n).all(|i| s(i) * (0..n).map(|j| sign(i, j) * s(j)).sum::<i32>() > 0)
            };
            let expected = (0..1u32 << n).filter(|&state| stable(state)).count() as u64;
            assert_eq!(StableStates::count(&model, 1).unwrap().count, expected, "N = {n}");
        }
    }

    /// Near e = 0 the root is `x = 1/(2e)` and Σ = 1 + ln 2 + ln(2|e|/√(2π)) + O(e²).
    #[test]
    fn energies_near_zero_are_solved() {
        for e in [-2.0, -0.2, -0.063, -0.0125, -0.01, -1e-3, -1e-6, -1e-100] {
            let found = BrayMoore::at_energy(e).unwrap();
            assert!(found.convergence.converged, "{e}: {found:?}");
            if e > -2e-3 {
                let expected = 1.0 + LN_2 + (-2.0 * e).ln() - 0.5 * (2.0 * std::f64::consts::PI).ln();
                assert_relative_eq!(found.complexity, expected, epsilon = 10.0 * e * e, max_relative = 1e-13);
            }
        }
        // On both sides of where the continued fraction takes over.
        for x in [-8.0f64, -8.1, -12.0] {
            assert_relative_eq!(reduced_hazard(x), hazard(x) + x, max_relative = 1e-12);
        }
    }

    #[test]
    fn bad_input_and_ties() {
        let large = SherringtonKirkpatrick::gaussian(31, &mut Streams::new(1).stream(0)).unwrap();
        assert!(matches!(StableStates::count(&large, 1), Err(Error::TooLarge { value: 31, bound: 30, .. })));
        // A free spin has no preference.
        let free = SherringtonKirkpatrick::from_couplings(1, &[0.0]).unwrap();
        assert_eq!(StableStates::count(&free, 1).unwrap().count, 0);
        let held = free.with_fields(vec![-0.5]).unwrap();
        let stable = StableStates::count(&held, 1).unwrap();
        assert_eq!(stable.count, 1);
        assert_relative_eq!(stable.lowest_energy, -0.5, epsilon = 0.0);
    }
}
