//! The square lattice on a torus.
//!
//! [`Kaufman`] has any two couplings. The functions are those of the usual ferromagnet, J = 1 in both directions:
//!
//! ```
//! use spin_models::exact::kaufman;
//!
//! // 2 x 2 with doubled bonds: energies -8 (twice), +8 (twice), 0 (twelve times).
//! let z = 4.0 * 2.4f64.cosh() + 12.0;
//! assert!((kaufman::ln_z(2, 2, 0.3)? - z.ln()).abs() < 1e-15);
//! assert!((kaufman::energy_per_site(2, 2, 0.3)? + 8.0 * 2.4f64.sinh() / z).abs() < 1e-14);
//! # Ok::<(), spin_models::Error>(())
//! ```

use std::f64::consts::{LN_2, PI};

use linalg_core::Observer;

use super::planar::density::{self, SquareTorus};
use super::planar::{DensityOfStates, Natural};
use super::square::{Couplings, Jet, Momentum, PAIRS, check_coupling};
use crate::error::check_beta;
use crate::exact::compensated::Compensated;
use crate::model::Progress;
use crate::{Error, Result};

const NAME: &str = "kaufman";

/// A torus of `rows x columns` sites without a field, couplings `J_1` along rows and `J_2` along columns.
///
/// With m rows, n columns and γ_r of the momentum πr/n,
///
/// ```math
/// Z = \tfrac12 (2 \sinh 2K_2)^{mn/2} \left[ \prod_{r} 2\cosh\tfrac m2 \gamma_{2r+1} + \prod_{r} 2\sinh\tfrac m2 \gamma_{2r+1}
///   + \prod_{r} 2\cosh\tfrac m2 \gamma_{2r} + \prod_{r} 2\sinh\tfrac m2 \gamma_{2r} \right] ,
/// ```
///
/// where γ_0 changes its sign at the critical point. All products are formed in log space, with their analytic first
/// and second derivatives by both couplings: ln Z is right to about 1e-15 relative and the energy to 1e-14 of its
/// largest value, for all sizes and couplings, the critical one and 0 included. Cost: `O(rows)` or `O(columns)`.
///
/// A torus of length 2 has two bonds between the same sites, one of length 1 binds each site to itself, which adds
/// the constant `-J` per site. Along a direction of even length the sign of the coupling does not matter; negative
/// couplings along an odd length (other than 1) are frustrated, the four terms cancel, and an error is returned.
///
/// Reference: B. Kaufman, Phys. Rev. 76, 1232 (1949), Eq. (39).
///
/// ```
/// use spin_models::exact::kaufman::Kaufman;
///
/// // 2 x 2 with doubled bonds: energies -8 (twice), +8 (twice), 0 (twelve times).
/// let sums = Kaufman::isotropic(2, 2, 1.0)?.at(0.3)?;
/// let z = 4.0 * 2.4f64.cosh() + 12.0;
/// assert!((sums.ln_z - z.ln()).abs() < 1e-15);
/// assert!((sums.energy + 32.0 * 2.4f64.sinh() / z).abs() < 1e-14);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Kaufman {
    rows: usize,
    columns: usize,
    along_rows: f64,
    along_columns: f64,
}

/// Averages of a torus at one inverse temperature, all extensive.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TorusSums {
    /// ln Z.
    pub ln_z: f64,
    /// `⟨E⟩`.
    pub energy: f64,
    /// `β² (⟨E²⟩ - ⟨E⟩²)`.
    pub heat_capacity: f64,
}

impl Kaufman {
    /// A torus with couplings along rows and along columns.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a length of 0, [`Error::NotFinite`], [`Error::NotApplicable`] for a negative coupling
    /// along an odd length above 1.
    pub fn new(rows: usize, columns: usize, along_rows: f64, along_columns: f64) -> Result<Self> {
        check_coupling(0, along_rows)?;
        check_coupling(1, along_columns)?;
        for (what, length) in [("rows", rows), ("columns", columns)] {
            if length == 0 {
                return Err(Error::Parameter { what, value: "0".into(), expected: "at least 1" });
            }
        }
        // Along rows one goes through the columns. A ring is summed for every sign.
        let ring = rows == 1 || columns == 1;
        for (coupling, length) in [(along_rows, columns), (along_columns, rows)] {
            if coupling < 0.0 && length % 2 == 1 && !ring {
                let reason = format!("coupling {coupling} along the odd length {length} is frustrated");
                return Err(Error::NotApplicable { solver: NAME, reason });
            }
        }
        Ok(Self { rows, columns, along_rows, along_columns })
    }

    /// A torus with one coupling.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn isotropic(rows: usize, columns: usize, coupling: f64) -> Result<Self> {
        Self::new(rows, columns, coupling, coupling)
    }

    /// Number of sites.
    pub fn n_sites(&self) -> usize {
        self.rows.saturating_mul(self.columns)
    }

    /// ln Z, energy and heat capacity.
    ///
    /// # Errors
    /// [`Error::Beta`]; [`Error::NotApplicable`] if β times the energy overflows.
    pub fn at(&self, beta: f64) -> Result<TorusSums> {
        check_beta(beta)?;
        let sites = self.rows as f64 * self.columns as f64;
        let largest = sites * (self.along_rows.abs() + self.along_columns.abs());
        if !(8.0 * beta.max(1.0) * largest).is_finite() {
            let reason = format!("energies up to {largest} at beta {beta} are beyond the range of f64");
            return Err(Error::NotApplicable { solver: NAME, reason });
        }
        let (value, slope, curvature) = if self.rows == 1 {
            let constant = (beta * self.along_columns * sites, self.along_columns * sites);
            ring(self.columns, self.along_rows, beta, constant)
        } else if self.columns == 1 {
            let constant = (beta * self.along_rows * sites, self.along_rows * sites);
            ring(self.rows, self.along_columns, beta, constant)
        } else {
            // The transfer direction is that of the stronger coupling, so that K = 0 means both.
            let (mut direction, mut lengths) =
                ([self.along_columns.abs(), self.along_rows.abs()], [self.rows, self.columns]);
            if direction[0] < direction[1] {
                direction.reverse();
                lengths.reverse();
            }
            let couplings = Couplings::new(beta * direction[0], beta * direction[1]);
            if couplings.is_decoupled() {
                let rings = lengths[1] as f64;
                let (value, slope, curvature) = ring(lengths[0], direction[0], beta, (0.0, 0.0));
                (rings * value, rings * slope, rings * curvature)
            } else {
                let jet = ln_half_sum(&couplings, lengths[0], lengths[1]);
                let (slope, curvature) = jet.along(direction);
                (jet.value, slope, curvature)
            }
        };
        let ln_z = if beta == 0.0 { sites * LN_2 } else { value };
        Ok(TorusSums { ln_z, energy: -slope, heat_capacity: (beta * beta * curvature).max(0.0) })
    }

    /// How many configurations have which energy, exactly, for couplings of one modulus.
    ///
    /// Kaufman's four products are polynomials in $`x = e^{-2\beta|J|}`$ whose sum is
    /// $`\sum_n g_n x^n`$ with $`g_n`$ configurations of n unsatisfied couplings out of 2N. They are evaluated modulo
    /// primes of 62 bits, where the cosines of the momenta exist as well, and put together by the Chinese remainder
    /// theorem: nothing is rounded. `O(N)` points for each of N/61 primes, `O(n)` momenta a point, and `O(N²)` a prime
    /// for the interpolation, with a quarter of that where both lengths are even; 0.2 ms at 8 x 8, 4 ms at 16 x 16,
    /// 0.1 s at 32 x 32 and 5.5 s at 64 x 64.
    ///
    /// ```
    /// use spin_models::exact::Kaufman;
    ///
    /// let density = Kaufman::isotropic(32, 32, 1.0)?.density_of_states()?;
    /// // Two ground states; the lowest excitations turn one of 1024 spins over.
    /// let lowest: Vec<(f64, String)> = density.levels().take(2).map(|(e, g)| (e, g.to_string())).collect();
    /// assert_eq!(lowest, [(-2048.0, "2".to_owned()), (-2040.0, "2048".to_owned())]);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// References: P. D. Beale, Phys. Rev. Lett. 76, 78 (1996), with algebra on polynomials in the place of residues.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] for couplings of different moduli; [`Error::TooLarge`] above 16384 sites.
    pub fn density_of_states(&self) -> Result<DensityOfStates> {
        self.density_of_states_observed(&mut ())
    }

    /// As [`density_of_states`](Self::density_of_states), with reports.
    ///
    /// # Errors
    /// As [`density_of_states`](Self::density_of_states); [`Error::Stopped`] when the observer says stop.
    pub fn density_of_states_observed(&self, observer: &mut dyn Observer<Progress>) -> Result<DensityOfStates> {
        let modulus = self.along_rows.abs();
        #[allow(clippy::float_cmp, reason = "one modulus means the same number")]
        if modulus != self.along_columns.abs() {
            let reason = format!(
                "the couplings are {} along rows and {} along columns, expected one modulus",
                self.along_rows, self.along_columns
            );
            return Err(Error::NotApplicable { solver: "density-of-states", reason });
        }
        density::check_sites(self.rows, self.columns)?;
        if modulus == 0.0 {
            let mut all = vec![0; self.n_sites() / 64 + 1];
            all[self.n_sites() / 64] = 1 << (self.n_sites() % 64);
            return Ok(DensityOfStates::from_counts(vec![Natural::from(all)], 1.0));
        }
        let counts = if self.rows == 1 || self.columns == 1 {
            let (ring, selves) = if self.rows == 1 {
                (self.along_rows, self.along_columns)
            } else {
                (self.along_columns, self.along_rows)
            };
            ring_counts(self.n_sites(), ring, selves)
        } else {
            SquareTorus::new(self.rows, self.columns).counts(observer)?
        };
        Ok(DensityOfStates::from_counts(counts, modulus))
    }

    /// How far correlations reach along the columns of a cylinder: the torus made infinitely long, its rows as they are.
    ///
    /// The decay of $`\langle s_0 s_r \rangle \sim e^{-r/\xi}`$ from the two largest eigenvalues of the transfer
    /// matrix,
    ///
    /// ```math
    /// \frac1\xi = \ln\frac{\lambda_0}{\lambda_1} = \frac12 \sum_{r=0}^{n-1} \left(\gamma_{2r+1} - \gamma_{2r}\right)
    /// ```
    ///
    /// with Kaufman's γ for rows of n sites; γ_0 is negative in the disordered phase. In rows; 0 at β = 0. At the critical
    /// point of the isotropic lattice ξ/n tends to 4/π. In the ordered phase, where the spins of a row turn over
    /// together, ξ grows exponentially with n; 1/ξ has an absolute error of some 1e-15 n β|J|, and where nothing is left of
    /// it ξ is infinite. A single column, or columns without couplings between them, are chains, $`\xi = -1/\ln\tanh K`$ to
    /// relative accuracy. Cost: `O(columns)`.
    ///
    /// ```
    /// use spin_models::exact::Kaufman;
    ///
    /// // A single column is a chain: ξ = -1/ln tanh K.
    /// let chain = Kaufman::isotropic(7, 1, 1.0)?;
    /// assert!((chain.cylinder_correlation_length(0.5)? + 1.0 / 0.5f64.tanh().ln()).abs() < 1e-13);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// References: B. Kaufman, Phys. Rev. 76, 1232 (1949); J. L. Cardy, J. Phys. A 17, L385 (1984), for 4/π.
    ///
    /// # Errors
    /// As [`at`](Self::at); [`Error::NotApplicable`] for a negative coupling along rows of odd length.
    pub fn cylinder_correlation_length(&self, beta: f64) -> Result<f64> {
        check_beta(beta)?;
        if self.along_rows < 0.0 && self.columns % 2 == 1 && self.columns > 1 {
            let reason = format!("coupling {} along the odd length {} is frustrated", self.along_rows, self.columns);
            return Err(Error::NotApplicable { solver: NAME, reason });
        }
        let (along, across) = (beta * self.along_columns.abs(), beta * self.along_rows.abs());
        if !(8.0 * (along + across)).is_finite() {
            let reason = format!("couplings {along} and {across}, β included, are beyond the range of f64");
            return Err(Error::NotApplicable { solver: NAME, reason });
        }
        if along == 0.0 {
            return Ok(0.0);
        }
        let n = self.columns;
        if across == 0.0 || n == 1 {
            // Chains along the columns: ln coth K, from the side where nothing is rounded away.
            let x = (-2.0 * along).exp();
            return Ok(1.0 / if along > 1.0 { x.ln_1p() - (-x).ln_1p() } else { -along.tanh().ln() });
        }
        let couplings = Couplings::new(along, across);
        let mut sum = Compensated::default();
        for number in 1..2 * n {
            let momentum = couplings.momentum((0.5 * PI * number as f64 / n as f64).sin().powi(2));
            sum.add(if number % 2 == 1 { 0.5 } else { -0.5 } * momentum.gamma);
        }
        let (zero, sign) = zero_momentum(&couplings);
        sum.add(-0.5 * sign * zero.gamma);
        let inverse = sum.value();
        let rounding = 4.0 * f64::EPSILON * n as f64 * (along + across);
        Ok(if inverse > rounding { 1.0 / inverse } else { f64::INFINITY })
    }
}

/// Unsatisfied couplings of a ring whose sites are bound to themselves, too.
fn ring_counts(length: usize, coupling: f64, selves: f64) -> Vec<Natural> {
    let mut counts = density::ring(length);
    if coupling < 0.0 {
        counts.reverse();
    }
    let unsatisfied = if selves < 0.0 { length } else { 0 };
    let mut all = vec![Natural::default(); 2 * length + 1];
    all[unsatisfied..=unsatisfied + length].clone_from_slice(&counts);
    all
}

/// The torus with J = 1, its averages and number of sites.
fn ferromagnet(rows: usize, columns: usize, beta: f64) -> Result<(TorusSums, f64)> {
    let sums = Kaufman::isotropic(rows, columns, 1.0)?.at(beta)?;
    Ok((sums, rows as f64 * columns as f64))
}

/// ln Z for J = 1, extensive.
///
/// # Errors
/// [`Error::Parameter`] for a length of 0, [`Error::Beta`], [`Error::NotApplicable`] if β times the energy overflows.
pub fn ln_z(rows: usize, columns: usize, beta: f64) -> Result<f64> {
    Ok(ferromagnet(rows, columns, beta)?.0.ln_z)
}

/// `⟨E⟩ / N` for J = 1.
///
/// # Errors
/// As [`ln_z`].
pub fn energy_per_site(rows: usize, columns: usize, beta: f64) -> Result<f64> {
    let (sums, sites) = ferromagnet(rows, columns, beta)?;
    Ok(sums.energy / sites)
}

/// `β² (⟨E²⟩ - ⟨E⟩²) / N` for J = 1.
///
/// # Errors
/// As [`ln_z`].
pub fn specific_heat(rows: usize, columns: usize, beta: f64) -> Result<f64> {
    let (sums, sites) = ferromagnet(rows, columns, beta)?;
    Ok(sums.heat_capacity / sites)
}

/// A ring of spins and a constant: ln Z and its derivatives by β.
fn ring(length: usize, coupling: f64, beta: f64, constant: (f64, f64)) -> (f64, f64, f64) {
    let (m, k) = (length as f64, beta * coupling);
    let magnitude = k.abs();
    let x = (-2.0 * magnitude).exp();
    // Z = (2 cosh K)^m (1 + tanh^m K).
    let ln_2cosh = magnitude + x.ln_1p();
    let ln_tanh = (-x).ln_1p() - x.ln_1p();
    let tanh = k.tanh();
    // 1 - tanh² without cancellation.
    let slope_of_tanh = 4.0 * x / ((1.0 + x) * (1.0 + x));
    let sign = |power: usize| if k < 0.0 && power % 2 == 1 { -1.0 } else { 1.0 };
    let power = |p: usize| sign(p) * if p == 0 { 1.0 } else { (p as f64 * ln_tanh).exp() };
    let one_plus = if sign(length) > 0.0 { 1.0 + (m * ln_tanh).exp() } else { -(m * ln_tanh).exp_m1() };
    let first = m * power(length - 1) * slope_of_tanh;
    let mut second = -2.0 * tanh * first;
    if length > 1 {
        second += m * (m - 1.0) * power(length - 2) * slope_of_tanh * slope_of_tanh;
    }
    if one_plus == 0.0 {
        // An odd ring with negative couplings, so cold that only its 2m ground states are left.
        let ground = (m - 2.0) * coupling.abs();
        return ((2.0 * m).ln() + beta * ground + constant.0, ground + constant.1, 0.0);
    }
    let ratio = first / one_plus;
    let ln_z = m * ln_2cosh + one_plus.ln() + constant.0;
    let slope = coupling * (m * tanh + ratio) + constant.1;
    let curvature = coupling * coupling * (m * slope_of_tanh + second / one_plus - ratio * ratio);
    (ln_z, slope, curvature)
}

/// `ln(1 ± e^{-mγ})` with derivatives, from `e^{-γ}`.
fn ln_one_plus(momentum: &Momentum, m: usize, sign: f64) -> Jet {
    let power = power_of_decay(momentum, m);
    let value = if sign > 0.0 { 1.0 + power.value } else { -(-(m as f64) * momentum.gamma).exp_m1() };
    let inverse = sign / value;
    let ln = if sign > 0.0 { power.value.ln_1p() } else { value.ln() };
    power.map([ln, inverse, -inverse * inverse])
}

/// `e^{-mγ}` with derivatives.
fn power_of_decay(momentum: &Momentum, m: usize) -> Jet {
    let of = |p: usize| if p == 0 { 1.0 } else { (-(p as f64) * momentum.gamma).exp() };
    let length = m as f64;
    let second = if m > 1 { length * (length - 1.0) * of(m - 2) } else { 0.0 };
    momentum.decay.map([of(m), length * of(m - 1), second])
}

/// A sum of jets whose values are added with their rounding errors.
#[derive(Default)]
struct JetSum {
    value: Compensated,
    rest: Jet,
}

impl JetSum {
    fn add(&mut self, jet: Jet) {
        self.value.add(jet.value);
        self.rest += jet;
    }

    fn jet(self) -> Jet {
        Jet { value: self.value.value(), ..self.rest }
    }
}

/// One of the four products: `e^{ln} factor`, the factor holding the sign of γ_0.
struct Product {
    ln: Jet,
    factor: Jet,
}

/// The four products: momenta of half-integer number, then of integer number, each with + and -.
fn products(couplings: &Couplings, m: usize, n: usize) -> [Product; 4] {
    let length = m as f64;
    // Every momentum with its mirror image, ω and 2π - ω.
    let sector = |odd: usize| {
        let mut sums = [JetSum::default(), JetSum::default()];
        let mut number = if odd == 1 { 1 } else { 2 };
        while number <= n {
            let momentum = couplings.momentum((0.5 * PI * number as f64 / n as f64).sin().powi(2));
            let multiplicity = if number == n { 1.0 } else { 2.0 };
            for (sum, sign) in sums.iter_mut().zip([1.0, -1.0]) {
                let term = momentum.ln.scale(length) + ln_one_plus(&momentum, m, sign);
                sum.add(term.scale(multiplicity));
            }
            number += 2;
        }
        sums.map(JetSum::jet)
    };
    let one = Jet::constant(1.0);
    let [half_plus, half_minus] = sector(1);
    let [plus, minus] = sector(0);
    let (zero, sign) = zero_momentum(couplings);
    let power = power_of_decay(&zero, m);
    let zero_minus = Jet { value: -(-length * zero.gamma).exp_m1(), ..one - power };
    let largest = zero.ln.scale(length);
    [
        Product { ln: half_plus, factor: one },
        Product { ln: half_minus, factor: one },
        Product { ln: plus + largest, factor: one + power },
        Product { ln: minus + largest, factor: zero_minus.scale(sign) },
    ]
}

/// ω = 0, where `√P ± √D` are `2 e^{K'} sinh K` and `2 e^{-K'} cosh K` in an order that changes at the critical point.
///
/// Returns the larger and the ratio of the smaller to it, and the sign of γ_0.
fn zero_momentum(couplings: &Couplings) -> (Momentum, f64) {
    let (k, k2) = (couplings.along, couplings.across);
    let x = (-2.0 * k).exp();
    let (ln_2sinh, ln_2cosh) = (k + (-x).ln_1p(), k + x.ln_1p());
    let (sinh, cosh, tanh) = (k.sinh(), k.cosh(), k.tanh());
    let gamma = 2.0 * k2 + (ln_2sinh - ln_2cosh);
    if gamma > 0.0 {
        let ln = Jet { value: k2 + ln_2sinh, first: [1.0 / tanh, 1.0], second: [-1.0 / (sinh * sinh), 0.0, 0.0] };
        let coth = Jet {
            value: 1.0 / tanh,
            first: [-1.0 / (sinh * sinh), 0.0],
            second: [2.0 / (sinh * sinh * tanh), 0.0, 0.0],
        };
        (Momentum { ln, decay: exponential(-2.0, k2) * coth, gamma }, 1.0)
    } else {
        let slope = 1.0 / (cosh * cosh);
        let ln = Jet { value: -k2 + ln_2cosh, first: [tanh, -1.0], second: [slope, 0.0, 0.0] };
        let tanh = Jet { value: tanh, first: [slope, 0.0], second: [-2.0 * tanh * slope, 0.0, 0.0] };
        (Momentum { ln, decay: exponential(2.0, k2) * tanh, gamma: -gamma }, -1.0)
    }
}

/// `e^{a K'}` as a function of both couplings.
fn exponential(a: f64, k2: f64) -> Jet {
    let value = (a * k2).exp();
    Jet { value, first: [0.0, a * value], second: [0.0, 0.0, a * a * value] }
}

/// ln of half the sum of the four products.
fn ln_half_sum(couplings: &Couplings, m: usize, n: usize) -> Jet {
    let products = products(couplings, m, n);
    // Relative to the largest, whose gradient is taken out too: what is left is small differences of gradients.
    let reference = products[0].ln;
    let mut sum = Jet::default();
    for Product { ln, factor } in products {
        let weight = (ln.value - reference.value).exp();
        let shift = [ln.first[0] - reference.first[0], ln.first[1] - reference.first[1]];
        let mut exponential = Jet { value: weight, first: shift.map(|x| weight * x), second: [0.0; 3] };
        for (k, (a, b)) in PAIRS.into_iter().enumerate() {
            exponential.second[k] = weight * (ln.second[k] - reference.second[k] + shift[a] * shift[b]);
        }
        sum += exponential * factor;
    }
    reference + sum.scale(0.5).ln()
}
