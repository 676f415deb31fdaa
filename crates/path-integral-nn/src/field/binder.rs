//! The ratio of moments that tells where the symmetry breaks.

use linalg_core::rand::Rng;
use linalg_core::special::elliptic_k_complement;
use linalg_core::stats::{Estimate, jackknife};

use super::{FieldCluster, ScalarField};
use crate::error::{Error, Result, positive};

/// $`\langle M^4\rangle/\langle M^2\rangle^2`$ of lattice fields at and around one $`m^2`$, from one run.
///
/// The ratio goes from 1 where the symmetry is broken to 3 where it is not; curves of larger lattices are steeper, and where two of them
/// cross is the transition, up to corrections that fall with the size. At the transition of an Ising-like system on a large periodic
/// square it is [`ISING_RATIO`](Self::ISING_RATIO). The weight of a sample at another $`m^2`$ is
/// $`e^{-\frac12\delta m^2 s}`$ with $`s = a_t a_s^d\sum_x\phi_x^2`$ (Ferrenberg and Swendsen, Phys. Rev. Lett. 61, 2635 (1988)); moments are those
/// of [`FieldCluster`], averaged over the signs of the clusters.
///
/// ```
/// use linalg_core::Streams;
/// use path_integral_nn::field::{BinderRun, ScalarField};
///
/// // A free field: M is normal, the ratio is 3, at this m² and a little beside it.
/// let free = ScalarField::new(&[6, 6], 1.0, 1.0, 0.5, 0.0)?;
/// let run = BinderRun::new(&free, 8000, &mut Streams::new(1).stream(0))?;
/// assert!((run.ratio(0.5)?.value - 3.0).abs() < 0.1);
/// assert!((run.ratio(0.52)?.value - 3.0).abs() < 0.1);
/// assert!(run.ratio(5.0).is_err()); // too far
/// # Ok::<(), path_integral_nn::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct BinderRun {
    mass_squared: f64,
    /// $`s`$, $`M^2`$ and $`M^4`$ of each sample.
    samples: Vec<[f64; 3]>,
}

/// Blocks of the jackknife.
const BLOCKS: usize = 50;

/// Smallest effective share of the samples at another $`m^2`$.
const LEAST_SHARE: f64 = 0.1;

/// Reweighted means of a run.
struct Means {
    ratio: Estimate,
    slope: f64,
}

impl BinderRun {
    /// The ratio at the transition of a periodic square of the Ising class (Salas and Sokal, J. Stat. Phys. 98, 551 (2000)).
    pub const ISING_RATIO: f64 = 1.167_923;

    /// `steps` steps of [`FieldCluster`] after a tenth as many unmeasured ones.
    ///
    /// # Errors
    /// As [`FieldCluster::new`]; [`Error::Parameter`] for fewer than 100 steps.
    pub fn new<R: Rng + ?Sized>(field: &ScalarField, steps: usize, rng: &mut R) -> Result<Self> {
        if steps < 2 * BLOCKS {
            return Err(Error::Parameter { what: "number of steps", value: steps as f64, expected: "at least 100" });
        }
        let mut cluster = FieldCluster::new(field)?;
        for _ in 0..steps / 10 {
            cluster.step(rng);
        }
        let samples = (0..steps).map(|_| {
            let moments = cluster.step(rng);
            let s = field.cell() * cluster.phi().iter().map(|x| x * x).sum::<f64>();
            [s, moments.second, moments.fourth]
        });
        Ok(Self { mass_squared: field.mass_squared(), samples: samples.collect() })
    }

    /// $`m^2`$ of the run.
    pub fn mass_squared(&self) -> f64 {
        self.mass_squared
    }

    /// The ratio at an $`m^2`$ near that of the run.
    ///
    /// # Errors
    /// [`Error::EffectiveSampleSize`] when less than a tenth of the samples counts there: run closer.
    pub fn ratio(&self, mass_squared: f64) -> Result<Estimate> {
        Ok(self.means(mass_squared)?.ratio)
    }

    fn means(&self, mass_squared: f64) -> Result<Means> {
        let shift = 0.5 * (mass_squared - self.mass_squared);
        let least = self.samples.iter().map(|[s, ..]| shift * s).fold(f64::INFINITY, f64::min);
        let length = self.samples.len() / BLOCKS;
        // Weight and its square, then weighted: M², M⁴, s, M² s, M⁴ s.
        let rows: Vec<f64> = self.samples[..length * BLOCKS]
            .chunks_exact(length)
            .flat_map(|block| {
                let mut sums = [0.0; 7];
                for &[s, second, fourth] in block {
                    let w = (least - shift * s).exp();
                    let terms = [w, w * w, w * second, w * fourth, w * s, w * second * s, w * fourth * s];
                    sums.iter_mut().zip(terms).for_each(|(sum, t)| *sum += t);
                }
                sums
            })
            .collect();
        let total: [f64; 7] = std::array::from_fn(|k| rows.chunks_exact(7).map(|row| row[k]).sum());
        let (effective, samples) = (total[0] * total[0] / total[1], (length * BLOCKS) as u64);
        let bound = LEAST_SHARE * samples as f64;
        if effective.is_nan() || effective < bound {
            return Err(Error::EffectiveSampleSize { effective, samples, bound });
        }
        let ratio = jackknife(&rows, 7, |m| m[3] * m[0] / (m[2] * m[2]))?.estimate();
        let [a, b, s, a_s, b_s] = [2, 3, 4, 5, 6].map(|k| total[k] / total[0]);
        let slope = 0.5 * (2.0 * b * (a_s - a * s) / a.powi(3) - (b_s - b * s) / (a * a));
        Ok(Means { ratio, slope })
    }

    /// An $`m^2`$ closer to where the ratio has a value, not further away than this run can tell: to run at next.
    ///
    /// # Errors
    /// Those of the core for samples that are not finite.
    pub fn towards(&self, ratio: f64) -> Result<f64> {
        let means = self.means(self.mass_squared)?;
        let most = 3.0 * self.reach();
        let difference = ratio - means.ratio.value;
        // Far from the transition the slope is noise; the ratio grows with m².
        let step = if means.slope > 0.0 { difference / means.slope } else { most.copysign(difference) };
        Ok(self.mass_squared + step.clamp(-most, most))
    }

    /// The change of $`m^2`$ that changes the logarithm of a weight by one half, typically.
    fn reach(&self) -> f64 {
        let n = self.samples.len() as f64;
        let mean = self.samples.iter().map(|[s, ..]| s).sum::<f64>() / n;
        1.0 / (self.samples.iter().map(|[s, ..]| (s - mean).powi(2)).sum::<f64>() / n).sqrt()
    }

    /// Where the ratio has a value, with the error of the run over its slope.
    ///
    /// # Errors
    /// As [`ratio`](Self::ratio).
    pub fn mass_squared_at(&self, ratio: f64) -> Result<Estimate> {
        let mut at = self.mass_squared;
        for _ in 0..50 {
            let means = self.means(at)?;
            let step = ((ratio - means.ratio.value) / means.slope).clamp(-self.reach(), self.reach());
            at += step;
            if step.abs() < 1e-10 * (1.0 + at.abs()) {
                break;
            }
        }
        let means = self.means(at)?;
        Ok(Estimate::new(at, means.ratio.std_error.unwrap_or(f64::NAN) / means.slope.abs()))
    }

    /// Where the ratios of two sizes are equal.
    ///
    /// # Errors
    /// As [`ratio`](Self::ratio).
    pub fn crossing(&self, other: &Self) -> Result<Estimate> {
        let mut at = 0.5 * (self.mass_squared + other.mass_squared);
        for _ in 0..50 {
            let (a, b) = (self.means(at)?, other.means(at)?);
            let most = self.reach().min(other.reach());
            let step = ((b.ratio.value - a.ratio.value) / (a.slope - b.slope)).clamp(-most, most);
            at += step;
            if step.abs() < 1e-10 * (1.0 + at.abs()) {
                break;
            }
        }
        let (a, b) = (self.means(at)?, other.means(at)?);
        let error = |m: &Means| m.ratio.std_error.unwrap_or(f64::NAN);
        Ok(Estimate::new(at, error(&a).hypot(error(&b)) / (a.slope - b.slope).abs()))
    }
}

/// $`\mu^2 = m^2 + 12\,g\,A(\mu^2)`$, the squared mass renormalised by the tadpole of the infinite square lattice,
/// $`A(\mu^2) = \int\frac{d^2k}{(2\pi)^2}\,\bigl[\mu^2 + 4\sin^2\tfrac{k_1}2 + 4\sin^2\tfrac{k_2}2\bigr]^{-1}`$, all in units of the spacing.
///
/// In this scheme the continuum limit of the critical coupling is finite: $`g/\mu^2 \to 2.777`$ as $`g \to 0`$. Without a coupling it is
/// $`m^2`$ itself.
///
/// ```
/// use path_integral_nn::field::{bare_mass_squared, renormalised_mass_squared};
///
/// assert_eq!(renormalised_mass_squared(0.3, 0.0)?, 0.3);
/// let bare = bare_mass_squared(0.1, 0.25)?;
/// assert!(bare < 0.0 && (renormalised_mass_squared(bare, 0.25)? - 0.1).abs() < 1e-12);
/// # Ok::<(), path_integral_nn::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parameter`] for a coupling that is negative or not finite, and for an $`m^2`$ whose $`\mu^2`$ is no positive number of this
/// precision.
pub fn renormalised_mass_squared(mass_squared: f64, coupling: f64) -> Result<f64> {
    if coupling == 0.0 {
        return Ok(mass_squared);
    }
    positive("coupling", coupling)?;
    let bare = |squared: f64| squared - 12.0 * coupling * tadpole(squared);
    // The right-hand side falls with μ², from infinity at 0.
    let (mut low, mut high) = (f64::MIN_POSITIVE, 1.0);
    while bare(high) < mass_squared && high < 1e300 {
        high *= 2.0;
    }
    if !(bare(low)..=bare(high)).contains(&mass_squared) {
        let expected = "finite, and above -679 g: below, the renormalised mass is no positive number of this precision";
        return Err(Error::Parameter { what: "mass squared", value: mass_squared, expected });
    }
    // Masses close to the massless one are small by orders of magnitude: halves of the logarithm.
    for _ in 0..100 {
        let middle = low.sqrt() * high.sqrt();
        if bare(middle) < mass_squared { low = middle } else { high = middle }
    }
    Ok(0.5 * (low + high))
}

/// $`m^2`$ of a renormalised mass: see [`renormalised_mass_squared`].
///
/// # Errors
/// [`Error::Parameter`] unless $`\mu^2`$ is positive and finite, where the tadpole is finite, and the coupling finite.
pub fn bare_mass_squared(renormalised: f64, coupling: f64) -> Result<f64> {
    positive("renormalised mass squared", renormalised)?;
    if !coupling.is_finite() {
        return Err(Error::Parameter { what: "coupling", value: coupling, expected: "a finite number" });
    }
    Ok(renormalised - 12.0 * coupling * tadpole(renormalised))
}

/// $`A(\mu^2) = \frac{q}{2\pi} K(m)`$ with $`q = 4/(4+\mu^2)`$ and the parameter $`m = q^2`$.
fn tadpole(squared: f64) -> f64 {
    let q = 4.0 / (4.0 + squared);
    // 1 - q keeps its digits for small masses.
    q * elliptic_k_complement(squared / (4.0 + squared) * (1.0 + q)) / std::f64::consts::TAU
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;

    #[test]
    fn tadpoles_are_free_propagators() {
        for mass in [0.05, 0.3, 2.0] {
            let free = ScalarField::new(&[128, 128], 1.0, 1.0, mass, 0.0).unwrap();
            let tadpole = (mass - bare_mass_squared(mass, 1.0).unwrap()) / 12.0;
            assert!((tadpole - free.free_phi_squared().unwrap()).abs() < 1e-10, "{mass}");
        }
        // The integral to high precision, and its logarithm ln(32/μ²)/4π.
        for (mass, expected) in [
            (1e-12, 2.474_601_296_828_798),
            (1e-8, 1.741_665_695_872_06),
            (1e-6, 1.375_197_736_557_427),
            (0.05, 0.511_490_492_314_511_2),
            (2.0, 0.192_011_684_839_613_8),
            (50.0, 0.018_543_999_853_423_17),
        ] {
            assert!((tadpole(mass) / expected - 1.0).abs() < 1e-14, "{mass}: {}", tadpole(mass));
        }
        let small = (32.0 / 1e-200f64).ln() / (4.0 * std::f64::consts::PI);
        assert!((tadpole(1e-200) / small - 1.0).abs() < 1e-14);
    }

    #[test]
    fn renormalised_masses_from_bare_ones() {
        for mass in [1e-100, 1e-8, 1e-6, 0.1, 30.0] {
            for coupling in [0.01, 0.25, 3.0] {
                let bare = bare_mass_squared(mass, coupling).unwrap();
                let back = renormalised_mass_squared(bare, coupling).unwrap();
                // The slope of the bare one in ln μ² is that of the tadpole, 3g/π: the digits lost are those of the sum.
                let lost = 1e-15 * (bare.abs() + mass) / (mass + coupling);
                assert!((back / mass).ln().abs() < 10.0 * lost + 1e-14, "{mass} {coupling}: {back}");
            }
        }
    }

    #[test]
    fn reweighting_agrees_with_runs_there() {
        let field = |mass| ScalarField::new(&[6, 6], 1.0, 1.0, mass, 0.4).unwrap();
        let run = |mass, stream| BinderRun::new(&field(mass), 20_000, &mut Streams::new(5).stream(stream)).unwrap();
        let (here, there) = (run(-1.6, 0), run(-1.5, 1));
        let (a, b) = (here.ratio(-1.5).unwrap(), there.ratio(-1.5).unwrap());
        assert!(a.std_error.unwrap() < 0.05 && a.z_score(&b).abs() < 4.0, "{a} {b}");
        // The slope, and back from the ratio to the mass.
        let slope = here.means(-1.6).unwrap().slope;
        let difference = (here.ratio(-1.595).unwrap().value - here.ratio(-1.605).unwrap().value) / 0.01;
        assert!((slope / difference - 1.0).abs() < 0.01, "{slope} {difference}");
        let at = here.mass_squared_at(b.value).unwrap();
        assert!((at.value + 1.5).abs() < 4.0 * at.std_error.unwrap().hypot(b.std_error.unwrap() / slope), "{at}");
        assert!(here.towards(b.value).unwrap() > -1.6 && here.towards(1.0).unwrap() < -1.6);
        assert!(BinderRun::new(&field(-1.0), 99, &mut Streams::new(5).stream(0)).is_err());
    }
}
