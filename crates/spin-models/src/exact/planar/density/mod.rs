//! The number of configurations at every energy, exactly.

mod elimination;
mod interpolation;
mod modular;
mod natural;
mod square_torus;
#[cfg(test)]
mod tests;
mod zeros;

pub use natural::Natural;
pub(in crate::exact) use square_torus::{SquareTorus, check_sites, ring};
pub use zeros::FisherZeros;

use linalg_core::Observer;
use linalg_core::graph::bipartition;

use super::prepared::Prepared;
use crate::error::check_beta;
use crate::model::{LnZ, Progress};
use crate::models::Ising;
use crate::{EnergyModel, Error, Result};
use modular::Prime;

const NAME: &str = "density-of-states";

/// Z as a polynomial: how many configurations of a planar model with couplings ±J leave n couplings unsatisfied.
///
/// ```math
/// Z = e^{-\beta c + \beta J M} \sum_{n=0}^{M} g_n x^n , \qquad x = e^{-2 \beta J} , \qquad \sum_n g_n = 2^N
/// ```
///
/// with M couplings that are not 0, all of one modulus J, and the constant term c of the energy. The integers g are
/// found without rounding: the elimination of [`Planar`](super::Planar) is carried out modulo primes near $`2^{62}`$,
/// at M + 1 values of x (at M/2 + 1 on bipartite graphs, where $`g_n = g_{M-n}`$), for about N / 62 primes.
///
/// All thermodynamics follows at any temperature, ground-state entropies included, and the zeros of Z. For uniform
/// square lattices on a torus see [`Kaufman::density_of_states`](crate::exact::Kaufman::density_of_states).
///
/// # References
/// - L. Saul and M. Kardar, "Exact integer algorithm for the two-dimensional ±J Ising spin glass", Physical Review E
///   48, R3221 (1993).
/// - P. D. Beale, "Exact distribution of energies in the two-dimensional Ising model", Physical Review Letters 76, 78
///   (1996).
#[derive(Debug, Clone, PartialEq)]
pub struct DensityOfStates {
    counts: Vec<Natural>,
    modulus: f64,
    offset: f64,
}

impl DensityOfStates {
    /// Counts the configurations of a model. Time about $`N^{1/2} M`$ eliminations of $`O(N^{3/2})`$, see the table of
    /// `docs/benchmarks/spin-models.md`.
    ///
    /// # Errors
    /// Before any work: [`Error::NotApplicable`] for fields, for graphs that are not planar (a torus among them), and
    /// for couplings of different moduli, which it names.
    ///
    /// ```
    /// use spin_models::{Ising, exact::planar::DensityOfStates};
    ///
    /// // A frustrated ring of three: one coupling is unsatisfied in six configurations, all three in two.
    /// let ring = Ising::builder(3).couplings([(0, 1, 1.0), (1, 2, 1.0), (0, 2, -1.0)]).build()?;
    /// let density = DensityOfStates::of(&ring)?;
    /// let counts: Vec<String> = (0..4).map(|n| density.count(n).to_string()).collect();
    /// assert_eq!(counts, ["0", "6", "0", "2"]);
    /// assert_eq!(density.energy(1), -1.0);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    pub fn of(model: &Ising) -> Result<Self> {
        Self::of_observed(model, &mut ())
    }

    /// As [`of`](Self::of), with reports.
    ///
    /// # Errors
    /// As [`of`](Self::of); [`Error::Stopped`] when the observer says stop.
    pub fn of_observed(model: &Ising, observer: &mut dyn Observer<Progress>) -> Result<Self> {
        let modulus = modulus(model)?;
        let renamed = |error| match error {
            Error::NotApplicable { reason, .. } => Error::NotApplicable { solver: NAME, reason },
            other => other,
        };
        let prepared = Prepared::new(model).map_err(renamed)?;
        if prepared.is_torus() {
            let reason =
                "the lattice is periodic in both directions, expected a planar graph; Kaufman counts uniform tori";
            let reason = reason.into();
            return Err(Error::NotApplicable { solver: NAME, reason });
        }
        let signs: Vec<i8> = model.couplings().map(|(.., j)| if j == 0.0 { 0 } else { j.signum() as i8 }).collect();
        let counting = Counting::new(&prepared, &signs);
        // One component's mirror image for each: the numbers that remain add up to 2^(N - C).
        let components = prepared.n_components();
        let n_primes = (model.n_spins() - components) / 61 + 1;
        let total = (n_primes * counting.n_points()) as u64;
        let mut residues: Vec<(Prime, Vec<u64>)> = Vec::new();
        for field in modular::primes().take(n_primes) {
            let before = (residues.len() * counting.n_points()) as u64;
            let mut go_on = |point: u64| {
                let progress = Progress::new("counting", before + point, total);
                if observer.observe(&progress).is_continue() { Ok(()) } else { Err(before + point) }
            };
            match counting.coefficients(field, &mut go_on) {
                Ok(coefficients) => residues.push((field, coefficients)),
                Err(done) => return Err(Error::Stopped { solver: NAME, done, total }),
            }
        }
        let mut counts = combine(&residues);
        for count in &mut counts {
            (0..components).for_each(|_| count.mul_add(2, 0));
        }
        Ok(Self { counts, modulus, offset: model.offset() })
    }

    /// From counts found elsewhere: `counts[n]` configurations with n couplings of this modulus unsatisfied.
    pub(in crate::exact) fn from_counts(counts: Vec<Natural>, modulus: f64) -> Self {
        Self { counts, modulus, offset: 0.0 }
    }

    /// Number M of couplings; numbers of unsatisfied ones run from 0 to M.
    pub fn n_couplings(&self) -> usize {
        self.counts.len() - 1
    }

    /// Number of configurations with n couplings unsatisfied.
    ///
    /// # Panics
    /// If n exceeds the number of couplings.
    pub fn count(&self, n: usize) -> &Natural {
        assert!(n < self.counts.len(), "{n} of {} couplings", self.n_couplings());
        &self.counts[n]
    }

    /// All counts, of 0 to M unsatisfied couplings.
    pub fn counts(&self) -> &[Natural] {
        &self.counts
    }

    /// The energy with n couplings unsatisfied.
    pub fn energy(&self, n: usize) -> f64 {
        self.offset - self.modulus * (self.n_couplings() as f64 - 2.0 * n as f64)
    }

    /// The energies that occur, ascending, each with the number of its configurations.
    ///
    /// The microcanonical entropy of a level is [`Natural::ln`] of its number.
    pub fn levels(&self) -> impl Iterator<Item = (f64, &Natural)> {
        self.counts.iter().enumerate().filter(|(_, count)| !count.is_zero()).map(|(n, count)| (self.energy(n), count))
    }

    /// How likely every energy is at one temperature: energies ascending with $`g(E) e^{-\beta E} / Z`$.
    ///
    /// ```
    /// use spin_models::{Ising, exact::planar::DensityOfStates};
    ///
    /// // Two spins: the energies ∓1 with probabilities 1/(1 + e^∓2β).
    /// let pair = DensityOfStates::of(&Ising::builder(2).coupling(0, 1, 1.0).build()?)?;
    /// let histogram = pair.histogram(0.5)?;
    /// assert_eq!([histogram[0].0, histogram[1].0], [-1.0, 1.0]);
    /// assert!((histogram[0].1 - 1.0 / (1.0 + (-1f64).exp())).abs() < 1e-15);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Beta`].
    pub fn histogram(&self, beta: f64) -> Result<Vec<(f64, f64)>> {
        let ln_z = self.ln_z(beta)?.value;
        let mut levels: Vec<(f64, f64)> =
            self.levels().map(|(energy, count)| (energy, (count.ln() - beta * energy - ln_z).exp())).collect();
        // Probabilities have the rounding of ln Z in common: divide it out.
        let total: f64 = levels.iter().map(|level| level.1).sum();
        levels.iter_mut().for_each(|level| level.1 /= total);
        Ok(levels)
    }

    /// The lowest energy, and the number of its configurations.
    pub fn ground_states(&self) -> (f64, &Natural) {
        let n = self.counts.iter().position(|count| !count.is_zero()).unwrap_or(0);
        (self.energy(n), &self.counts[n])
    }

    /// ln Z, to the accuracy of f64.
    ///
    /// # Errors
    /// [`Error::Beta`].
    pub fn ln_z(&self, beta: f64) -> Result<LnZ> {
        check_beta(beta)?;
        let terms: Vec<f64> = self.levels().map(|(energy, count)| count.ln() - beta * energy).collect();
        Ok(LnZ::exact(linalg_core::logspace::log_sum_exp(&terms)))
    }

    /// Mean energy, specific heat and entropy of the whole system, to the accuracy of f64.
    ///
    /// ```math
    /// C = \beta^2 \bigl(\langle E^2 \rangle - \langle E \rangle^2\bigr) , \qquad
    /// S = \ln Z + \beta \langle E \rangle
    /// ```
    ///
    /// # Errors
    /// [`Error::Beta`].
    ///
    /// ```
    /// use spin_models::{Ising, exact::planar::DensityOfStates};
    ///
    /// // Two spins: E = -tanh K, C = K² / cosh² K.
    /// let pair = DensityOfStates::of(&Ising::builder(2).coupling(0, 1, 1.0).build()?)?;
    /// let thermal = pair.thermodynamics(0.5)?;
    /// assert!((thermal.energy + 0.5f64.tanh()).abs() < 1e-15);
    /// assert!((thermal.specific_heat - 0.25 / 0.5f64.cosh().powi(2)).abs() < 1e-15);
    /// assert!((pair.thermodynamics(40.0)?.entropy - 2f64.ln()).abs() < 1e-13);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    pub fn thermodynamics(&self, beta: f64) -> Result<Thermodynamics> {
        let exact = self.ln_z(beta)?;
        let ln_z = exact.value;
        let levels = self.histogram(beta)?;
        let energy: f64 = levels.iter().map(|(e, p)| e * p).sum();
        let variance: f64 = levels.iter().map(|(e, p)| (e - energy).powi(2) * p).sum();
        Ok(Thermodynamics { ln_z: exact, energy, specific_heat: beta * beta * variance, entropy: ln_z + beta * energy })
    }
}

/// Averages at one temperature, extensive.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Thermodynamics {
    /// ln Z, the constant term included, with what kind of value all of these are.
    pub ln_z: LnZ,
    /// `⟨E⟩`, the constant term included.
    pub energy: f64,
    /// `d⟨E⟩/dT` with k_B = 1.
    pub specific_heat: f64,
    /// The entropy, k_B = 1.
    pub entropy: f64,
}

/// The modulus of all couplings that are not 0; 1 if all are.
fn modulus(model: &Ising) -> Result<f64> {
    let mut moduli = model.couplings().enumerate().filter(|(_, (.., j))| *j != 0.0);
    let Some((_, (.., first))) = moduli.next() else { return Ok(1.0) };
    let first = first.abs();
    #[allow(clippy::float_cmp, reason = "one modulus means the same number")]
    match moduli.find(|(_, (.., j))| j.abs() != first) {
        None => Ok(first),
        Some((entry, (i, j, other))) => Err(Error::NotApplicable {
            solver: NAME,
            reason: format!("coupling {entry} of sites {i} and {j} is {other}, expected ±{first} as those before"),
        }),
    }
}

/// The polynomial Σ x^(unsatisfied couplings) over configurations up to mirror images.
struct Counting<'a> {
    prepared: &'a Prepared,
    /// Signs of the couplings, 0 for those of value 0.
    signs: &'a [i8],
    n_couplings: usize,
    /// Whether the coefficients read the same from both ends.
    is_symmetric: bool,
}

impl<'a> Counting<'a> {
    fn new(prepared: &'a Prepared, signs: &'a [i8]) -> Self {
        let n_couplings = signs.iter().filter(|s| **s != 0).count();
        // Turning one half of the sites over exchanges satisfied and unsatisfied.
        Self { prepared, signs, n_couplings, is_symmetric: bipartition(&prepared.graph).is_ok() }
    }

    /// Values of x that determine the polynomial.
    fn n_points(&self) -> usize {
        if self.is_symmetric { self.n_couplings / 2 + 1 } else { self.n_couplings + 1 }
    }

    /// The coefficients modulo a prime; an error of `go_on`, which is told the points done, is passed on.
    fn coefficients<E>(
        &self,
        field: Prime,
        go_on: &mut dyn FnMut(u64) -> std::result::Result<(), E>,
    ) -> std::result::Result<Vec<u64>, E> {
        let (mut xs, mut ys) = (Vec::new(), Vec::new());
        // 0 and ±1 are left out: weights are divided by x, and x + 1/x must not repeat.
        let mut candidate = 1u64;
        while xs.len() < self.n_points() {
            go_on(xs.len() as u64)?;
            candidate += 1;
            let x = field.element(candidate);
            let Some(value) = self.value(field, x) else { continue };
            if self.is_symmetric {
                let inverse = field.inverse(x);
                // Of an odd number of couplings one factor 1 + x is split off.
                let odd = self.n_couplings % 2 == 1;
                let rest = if odd { field.mul(value, field.inverse(field.add(field.one, x))) } else { value };
                ys.push(field.mul(rest, field.power(inverse, self.n_couplings as u64 / 2)));
                xs.push(field.add(x, inverse));
            } else {
                xs.push(x);
                ys.push(value);
            }
        }
        let mut coefficients = interpolation::interpolate(field, &xs, &ys);
        if self.is_symmetric {
            coefficients = interpolation::unfold(field, &coefficients);
            if self.n_couplings % 2 == 1 {
                coefficients.push(0);
                for k in (1..coefficients.len()).rev() {
                    coefficients[k] = field.add(coefficients[k], coefficients[k - 1]);
                }
            }
        }
        Ok(coefficients.into_iter().map(|c| field.integer(c)).collect())
    }

    /// The value at x, by domain walls in the configuration with all spins up.
    fn value(&self, field: Prime, x: u64) -> Option<u64> {
        let inverse = field.inverse(x);
        let mut value = field.one;
        let mut weights = vec![field.one; self.prepared.n_sides()];
        for (weight, &sign) in weights.iter_mut().zip(self.signs) {
            match sign {
                1 => *weight = x,
                -1 => {
                    *weight = inverse;
                    value = field.mul(value, x);
                }
                _ => {}
            }
        }
        for &bridge in self.prepared.bridges() {
            value = field.mul(value, field.add(field.one, weights[bridge]));
        }
        let walls = elimination::wall_weight(field, self.prepared.program(), &weights).ok()?;
        Some(field.mul(value, walls))
    }
}

/// The numbers with these residues, below the product of the primes (H. L. Garner, IRE Transactions on Electronic
/// Computers EC-8, 140 (1959)).
fn combine(residues: &[(Prime, Vec<u64>)]) -> Vec<Natural> {
    let length = residues.first().map_or(0, |(_, c)| c.len());
    let mut counts = Vec::with_capacity(length);
    for k in 0..length {
        // Digits in the mixed radix of the primes.
        let mut digits: Vec<u64> = Vec::new();
        for (a, (field, c)) in residues.iter().enumerate() {
            let mut below = 0;
            let mut product = field.one;
            for ((other, _), &digit) in residues[..a].iter().zip(&digits) {
                below = field.add(below, field.mul(product, field.element(digit)));
                product = field.mul(product, field.element(other.p));
            }
            let rest = field.sub(field.element(c[k]), below);
            digits.push(field.integer(field.mul(rest, field.inverse(product))));
        }
        let mut count = Natural::default();
        for (a, &digit) in digits.iter().enumerate().rev() {
            count.mul_add(residues[a].0.p, digit);
        }
        counts.push(count);
    }
    counts
}
