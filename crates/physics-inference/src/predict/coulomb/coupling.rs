//! The coupling of particle v to particle u is gain times charge over distance.

use linalg_core::checkpoint::ContentHash;
use linalg_core::rng::standard_normal;
use rand::{Rng, RngExt};

use crate::coulomb::torgerson;
use crate::predict::{Coupling, FieldPredictor};
use crate::{Error, Result};

use super::{DirectSum, PairPotential};

/// A predictor whose couplings are those of charges in `D` dimensions.
pub type CoulombPredictor<const D: usize = 3, P = DirectSum> = FieldPredictor<CoulombCoupling<D, P>>;

/// Which numbers a particle has besides its position and charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Geometry {
    /// The gain is the charge: J is symmetric.
    Reciprocal,
    /// A gain apart from the charge.
    Gain,
    /// A gain, and one position to act from and another to be acted upon.
    SourceTarget,
}

/// Form of the couplings of charges.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct CoulombParams {
    /// Default [`Geometry::Gain`].
    pub geometry: Geometry,
    /// Charges (with their gains) a particle has; default 1.
    pub species: usize,
    /// Softening length a; default 0.2.
    pub softening: f64,
    /// Whether a batch fit learns one softening a species; default false.
    pub learn_softening: bool,
}

impl Default for CoulombParams {
    fn default() -> Self {
        Self { geometry: Geometry::Gain, species: 1, softening: 0.2, learn_softening: false }
    }
}

impl CoulombParams {
    /// Sets the geometry.
    pub fn geometry(mut self, geometry: Geometry) -> Self {
        self.geometry = geometry;
        self
    }

    /// Sets the number of charges.
    pub fn species(mut self, species: usize) -> Self {
        self.species = species;
        self
    }

    /// Sets the softening length.
    pub fn softening(mut self, softening: f64) -> Self {
        self.softening = softening;
        self
    }

    /// Sets whether a batch fit learns the softening.
    pub fn learn_softening(mut self, learn: bool) -> Self {
        self.learn_softening = learn;
        self
    }
}

/// Couplings of charges in `D` dimensions,
///
/// ```math
/// J_{uv} = \sum_{c} \frac{g_{uc}\, q_{vc}}{\sqrt{|r_u - \rho_v|^2 + a_c^2}}, \qquad u \ne v,
/// ```
///
/// with $`\rho = r`$ except for [`Geometry::SourceTarget`] and $`g = q`$ for [`Geometry::Reciprocal`]. Delayed copies among the
/// inputs are particles of their own that act and are not acted upon.
///
/// A step costs two sums over pairs per species. With one species and large a the kernel is
/// $`\frac1a (1 - |r-\rho|^2/2a^2 + \dots)`$: source and target positions in D dimensions then come near rank D + 1.
///
/// ```
/// use physics_inference::predict::{CoulombCoupling, CoulombParams, Coupling};
///
/// let mut charges = CoulombCoupling::<1>::new(2, 2, CoulombParams::default().softening(0.6))?;
/// // Charges 2 and 3, gains 1 and -1, positions 0 and 0.8: the distance with softening is 1.
/// charges.parameters_mut().copy_from_slice(&[2.0, 3.0, 1.0, -1.0, 0.0, 0.8]);
/// let mut j = [0.0; 4];
/// charges.matrix(&mut j);
/// assert!((j[1] - 3.0).abs() < 1e-12 && (j[2] + 2.0).abs() < 1e-12);
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CoulombCoupling<const D: usize = 3, P = DirectSum> {
    units: usize,
    inputs: usize,
    params: CoulombParams,
    potential: P,
    /// Charges V x c, gains U x c unless reciprocal, positions r of the targets U x D, positions of the remaining sources, and
    /// ln a for each species if learned.
    theta: Vec<f64>,
}

impl<const D: usize> CoulombCoupling<D> {
    /// Charges with the direct sum.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no species or a softening that is not positive and finite.
    ///
    /// # Panics
    /// If there are fewer inputs than units.
    pub fn new(units: usize, inputs: usize, params: CoulombParams) -> Result<Self> {
        Self::with_potential(units, inputs, params, DirectSum)
    }
}

/// Where the parts of θ begin.
struct Parts {
    gains: usize,
    targets: usize,
    /// First source position: r itself, or ρ.
    sources: usize,
    softening: usize,
    end: usize,
}

impl<const D: usize, P: PairPotential<D>> CoulombCoupling<D, P> {
    /// Charges with a way to sum over pairs.
    ///
    /// # Errors
    /// As [`new`](CoulombCoupling::new).
    ///
    /// # Panics
    /// If there are fewer inputs than units, or `D` is 0.
    pub fn with_potential(units: usize, inputs: usize, params: CoulombParams, potential: P) -> Result<Self> {
        assert!(D > 0, "no dimension");
        assert!(inputs >= units, "{inputs} inputs for {units} units");
        if params.species == 0 {
            return Err(Error::Parameter { what: "number of species", value: 0.0, expected: "at least 1" });
        }
        if !(params.softening > 0.0 && params.softening.is_finite()) {
            let value = params.softening;
            return Err(Error::Parameter { what: "softening", value, expected: "positive and finite" });
        }
        let mut this = Self { units, inputs, params, potential, theta: Vec::new() };
        this.theta = vec![0.0; this.parts().end];
        let parts = this.parts();
        this.theta[parts.softening..].fill(params.softening.ln());
        Ok(this)
    }

    fn parts(&self) -> Parts {
        let (u, v, c) = (self.units, self.inputs, self.params.species);
        let reciprocal = self.params.geometry == Geometry::Reciprocal;
        let gains = v * c;
        let targets = gains + if reciprocal { 0 } else { u * c };
        let apart = self.params.geometry == Geometry::SourceTarget;
        let sources = if apart { targets + u * D } else { targets };
        let softening = sources + v * D;
        let end = softening + if self.params.learn_softening { c } else { 0 };
        Parts { gains: if reciprocal { 0 } else { gains }, targets, sources, softening, end }
    }

    /// The form.
    pub fn params(&self) -> &CoulombParams {
        &self.params
    }

    /// Charge of input `v`, species `c`.
    ///
    /// # Panics
    /// If there is no such charge.
    pub fn charge(&self, v: usize, c: usize) -> f64 {
        assert!(v < self.inputs && c < self.params.species, "charge {c} of input {v}");
        self.theta[v * self.params.species + c]
    }

    /// Gain of unit `u`, species `c`.
    ///
    /// # Panics
    /// If there is no such gain.
    pub fn gain(&self, u: usize, c: usize) -> f64 {
        assert!(u < self.units && c < self.params.species, "gain {c} of unit {u}");
        self.theta[self.parts().gains + u * self.params.species + c]
    }

    /// Positions at which the units are acted upon.
    pub fn positions(&self) -> &[[f64; D]] {
        self.points(self.parts().targets, self.units)
    }

    /// Positions from which the inputs act.
    pub fn source_positions(&self) -> &[[f64; D]] {
        self.points(self.parts().sources, self.inputs)
    }

    fn points(&self, start: usize, n: usize) -> &[[f64; D]] {
        self.theta[start..start + n * D].as_chunks().0
    }

    /// Softening length of species `c`.
    ///
    /// # Panics
    /// If there is no species `c`.
    pub fn softening(&self, c: usize) -> f64 {
        assert!(c < self.params.species, "species {c} of {}", self.params.species);
        self.theta[self.parts().softening..].get(c).map_or(self.params.softening, |ln_a| ln_a.exp())
    }

    /// Kernel and its square between unit u and input v.
    fn kernel(&self, r: &[f64; D], rho: &[f64; D], softening: f64) -> f64 {
        let mut square = softening * softening;
        r.iter().zip(rho).for_each(|(x, y)| square += (x - y) * (x - y));
        1.0 / square.sqrt()
    }
}

impl<const D: usize, P: PairPotential<D>> Coupling for CoulombCoupling<D, P> {
    fn name(&self) -> &'static str {
        "coulomb"
    }

    fn shape(&self) -> (usize, usize) {
        (self.units, self.inputs)
    }

    fn parameters(&self) -> &[f64] {
        &self.theta
    }

    fn parameters_mut(&mut self) -> &mut [f64] {
        &mut self.theta
    }

    fn fields(&mut self, inputs: &[f64], fields: &mut [f64]) {
        fields.fill(0.0);
        let (mut phi, mut slope) = (vec![0.0; self.units], vec![[0.0; D]; self.units]);
        for c in 0..self.params.species {
            let a = self.softening(c);
            let strengths: Vec<f64> = inputs.iter().enumerate().map(|(v, z)| self.charge(v, c) * z).collect();
            let (targets, sources) = (self.positions(), self.source_positions());
            self.potential.sum(a, (sources, &strengths), targets, &mut phi, &mut slope);
            for (u, field) in fields.iter_mut().enumerate() {
                let own = strengths[u] * self.kernel(&targets[u], &sources[u], a);
                *field += self.gain(u, c) * (phi[u] - own);
            }
        }
    }

    fn force(&mut self, inputs: &[f64], residuals: &[f64], force: &mut [f64]) {
        force.fill(0.0);
        let (n_units, n_inputs, species, parts) = (self.units, self.inputs, self.params.species, self.parts());
        let (mut phi, mut slope) = (vec![0.0; n_units], vec![[0.0; D]; n_units]);
        let (mut psi, mut uphill) = (vec![0.0; n_inputs], vec![[0.0; D]; n_inputs]);
        let (targets, sources) = (self.positions(), self.source_positions());
        for c in 0..species {
            let a = self.softening(c);
            let strengths: Vec<f64> = inputs.iter().enumerate().map(|(v, z)| self.charge(v, c) * z).collect();
            let pulls: Vec<f64> = residuals.iter().enumerate().map(|(u, e)| self.gain(u, c) * e).collect();
            self.potential.sum(a, (sources, &strengths), targets, &mut phi, &mut slope);
            self.potential.sum(a, (targets, &pulls), sources, &mut psi, &mut uphill);
            for u in 0..n_units {
                // A particle does not act on itself.
                let kernel = self.kernel(&targets[u], &sources[u], a);
                phi[u] -= strengths[u] * kernel;
                psi[u] -= pulls[u] * kernel;
                for k in 0..D {
                    let own = -kernel.powi(3) * (targets[u][k] - sources[u][k]);
                    slope[u][k] -= strengths[u] * own;
                    uphill[u][k] += pulls[u] * own;
                }
            }
            for u in 0..n_units {
                force[parts.gains + u * species + c] += residuals[u] * phi[u];
                (0..D).for_each(|k| force[parts.targets + u * D + k] += pulls[u] * slope[u][k]);
            }
            for v in 0..n_inputs {
                force[v * species + c] += inputs[v] * psi[v];
                (0..D).for_each(|k| force[parts.sources + v * D + k] += strengths[v] * uphill[v][k]);
            }
        }
    }

    fn matrix(&self, matrix: &mut [f64]) {
        let (targets, sources) = (self.positions(), self.source_positions());
        matrix.fill(0.0);
        for c in 0..self.params.species {
            let a = self.softening(c);
            for (u, row) in matrix.chunks_exact_mut(self.inputs.max(1)).enumerate() {
                let gain = self.gain(u, c);
                for (v, j) in row.iter_mut().enumerate().filter(|(v, _)| *v != u) {
                    *j += gain * self.charge(v, c) * self.kernel(&targets[u], &sources[v], a);
                }
            }
        }
    }

    fn pull_back(&self, by_matrix: &[f64], gradient: &mut [f64]) {
        gradient.fill(0.0);
        let (species, parts) = (self.params.species, self.parts());
        let (targets, sources) = (self.positions(), self.source_positions());
        for c in 0..species {
            let a = self.softening(c);
            let mut by_ln_a = 0.0;
            for (u, row) in by_matrix.chunks_exact(self.inputs.max(1)).enumerate() {
                let gain = self.gain(u, c);
                for (v, by) in row.iter().enumerate().filter(|(v, _)| *v != u) {
                    let charge = self.charge(v, c);
                    let kernel = self.kernel(&targets[u], &sources[v], a);
                    gradient[parts.gains + u * species + c] += by * charge * kernel;
                    gradient[v * species + c] += by * gain * kernel;
                    let factor = -by * gain * charge * kernel.powi(3);
                    by_ln_a += factor * a * a;
                    for k in 0..D {
                        let push = factor * (targets[u][k] - sources[v][k]);
                        gradient[parts.targets + u * D + k] += push;
                        gradient[parts.sources + v * D + k] -= push;
                    }
                }
            }
            if self.params.learn_softening {
                gradient[parts.softening + c] = by_ln_a;
            }
        }
    }

    fn randomize<R: Rng + ?Sized>(&mut self, rng: &mut R) {
        let parts = self.parts();
        let (charges, positions) = self.theta[..parts.softening].split_at_mut(parts.targets);
        charges.iter_mut().for_each(|x| *x = 0.4 * standard_normal(rng));
        positions.iter_mut().for_each(|x| *x = standard_normal(rng));
        // From the given length up to twenty times it.
        let a = self.params.softening;
        self.theta[parts.softening..].iter_mut().for_each(|x| *x = a.ln() + 20f64.ln() * rng.random::<f64>());
    }

    /// Positions by classical scaling ([`torgerson`]): $`|J_{uv}| + |J_{vu}|`$, divided by the means of both rows, asks for a kernel.
    /// Charges and gains follow by least squares on the kernel, a species after the other. Not for [`Geometry::Reciprocal`].
    fn approach(&mut self, matrix: &[f64]) -> bool {
        let (u, v, species, parts) = (self.units, self.inputs, self.params.species, self.parts());
        assert_eq!(matrix.len(), u * v, "{} couplings from {v} inputs to {u} units", matrix.len());
        if self.params.geometry == Geometry::Reciprocal || u < 2 {
            return false;
        }
        let both = |i: usize, j: usize| matrix[i * v + j].abs() + matrix[j * v + i].abs();
        let row = |i: usize| (0..u).filter(|&j| j != i).map(|j| both(i, j)).sum::<f64>() / (u - 1) as f64;
        let rows: Vec<f64> = (0..u).map(row).collect();
        let mean = rows.iter().sum::<f64>() / u as f64;
        if !(mean > 0.0 && mean.is_finite()) {
            return false;
        }
        let mut kernel = vec![0.0; u * u];
        for i in 0..u {
            for j in (0..u).filter(|&j| j != i) {
                // A pair of mean strength is at a distance of 2.
                kernel[i * u + j] = 0.5 * both(i, j) * mean / (rows[i] * rows[j]).max(1e-6 * mean * mean);
            }
        }
        let Ok(places) = torgerson::<D>(&vec![1.0; u], &kernel, self.params.softening, LEAST_KERNEL) else {
            return false;
        };
        self.theta[parts.targets..parts.targets + u * D].copy_from_slice(places.as_flattened());
        for k in 0..v {
            self.theta[parts.sources + k * D..][..D].copy_from_slice(&places[k % u]);
        }
        let mut rest = matrix.to_vec();
        for c in 0..species {
            let a = self.softening(c);
            let (targets, sources) = (self.positions(), self.source_positions());
            let off = |i: usize, j: usize| if i == j { 0.0 } else { self.kernel(&targets[i], &sources[j], a) };
            let kernel: Vec<f64> = (0..u * v).map(|n| off(n / v, n % v)).collect();
            let (gains, charges) = rank_one(&rest, &kernel, v);
            for (n, (j, k)) in rest.iter_mut().zip(&kernel).enumerate() {
                *j -= gains[n / v] * charges[n % v] * k;
            }
            (0..v).for_each(|k| self.theta[k * species + c] = charges[k]);
            (0..u).for_each(|k| self.theta[parts.gains + k * species + c] = gains[k]);
        }
        true
    }

    fn needs_starts(&self) -> bool {
        true
    }

    fn write_hash(&self, hash: &mut ContentHash) {
        hash.write_usizes(&[D, self.units, self.inputs, self.params.species]);
        hash.write_u64(self.params.geometry as u64).write_f64(self.params.softening);
        hash.write_u64(u64::from(self.params.learn_softening));
    }
}

/// Smallest kernel that classical scaling aims at: a distance of ten.
const LEAST_KERNEL: f64 = 0.1;

/// Gains and charges with $`g_u q_v k_{uv}`$ near $`J_{uv}`$ by alternating least squares from the strongest row; the diagonal has
/// no kernel and does not count.
fn rank_one(j: &[f64], kernel: &[f64], inputs: usize) -> (Vec<f64>, Vec<f64>) {
    let units = j.len() / inputs;
    let norm = |u: usize| {
        j[u * inputs..(u + 1) * inputs].iter().zip(&kernel[u * inputs..]).map(|(j, k)| (j * k).powi(2)).sum()
    };
    let norms: Vec<f64> = (0..units).map(norm).collect();
    let strongest = (0..units).max_by(|&a, &b| norms[a].total_cmp(&norms[b])).unwrap_or(0);
    let (mut gains, mut charges) = (vec![0.0; units], vec![0.0; inputs]);
    gains[strongest] = 1.0;
    let ratio = |up: f64, down: f64| if down > 0.0 { up / down } else { 0.0 };
    for _ in 0..20 {
        for (v, charge) in charges.iter_mut().enumerate() {
            let (mut up, mut down) = (0.0, 0.0);
            for (u, gain) in gains.iter().enumerate() {
                let x = gain * kernel[u * inputs + v];
                (up, down) = (up + x * j[u * inputs + v], down + x * x);
            }
            *charge = ratio(up, down);
        }
        for (u, gain) in gains.iter_mut().enumerate() {
            let (mut up, mut down) = (0.0, 0.0);
            for (v, charge) in charges.iter().enumerate() {
                let x = charge * kernel[u * inputs + v];
                (up, down) = (up + x * j[u * inputs + v], down + x * x);
            }
            *gain = ratio(up, down);
        }
    }
    // Equal lengths of both.
    let length = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    let scale = ratio(length(&charges), length(&gains)).sqrt();
    if scale > 0.0 {
        gains.iter_mut().for_each(|g| *g *= scale);
        charges.iter_mut().for_each(|q| *q /= scale);
    }
    (gains, charges)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::coupling::tests::check_coupling;

    #[test]
    fn derivatives_in_every_geometry() {
        for geometry in [Geometry::Reciprocal, Geometry::Gain, Geometry::SourceTarget] {
            for (species, inputs) in [(1, 4), (2, 4), (2, 8)] {
                let params = CoulombParams::default().geometry(geometry).species(species);
                check_coupling(CoulombCoupling::<3>::new(4, inputs, params).unwrap(), &[]);
                let learned = CoulombCoupling::<2>::new(4, inputs, params.learn_softening(true)).unwrap();
                let end = learned.parameters().len();
                // The softening is learned in batches only.
                check_coupling(learned, &(end - species..end).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn classical_scaling_finds_charges_again() {
        // Equal charges and gains: the kernel is the coupling, and scaling is exact up to the floor.
        let mut rng = linalg_core::Streams::new(3).stream(0);
        let mut truth = CoulombCoupling::<3>::new(8, 8, CoulombParams::default()).unwrap();
        truth.randomize(&mut rng);
        truth.theta[..16].fill(1.0);
        let (mut j, mut found) = (vec![0.0; 64], vec![0.0; 64]);
        truth.matrix(&mut j);
        let mut fit = CoulombCoupling::<3>::new(8, 8, CoulombParams::default()).unwrap();
        assert!(fit.approach(&j));
        fit.matrix(&mut found);
        let off: f64 = j.iter().zip(&found).map(|(a, b)| (a - b).powi(2)).sum();
        let all: f64 = j.iter().map(|a| a * a).sum();
        assert!(off < 0.05 * all, "{off} of {all}");
        // Nothing to scale.
        assert!(!fit.approach(&[0.0; 64]));
        let reciprocal = CoulombParams::default().geometry(Geometry::Reciprocal);
        assert!(!CoulombCoupling::<3>::new(8, 8, reciprocal).unwrap().approach(&j));
    }

    #[test]
    fn numbers_per_variable() {
        let count = |geometry| {
            let params = CoulombParams::default().geometry(geometry);
            CoulombCoupling::<3>::new(30, 30, params).unwrap().parameters().len()
        };
        // With h and s: 180, 210 and 300 for 30 variables.
        assert_eq!(count(Geometry::Reciprocal), 120);
        assert_eq!(count(Geometry::Gain), 150);
        assert_eq!(count(Geometry::SourceTarget), 240);
    }

    #[test]
    fn coincident_particles_and_bad_parameters() {
        let mut charges = CoulombCoupling::<3>::new(3, 3, CoulombParams::default()).unwrap();
        charges.parameters_mut()[..6].fill(1.0);
        let mut fields = [0.0; 3];
        charges.fields(&[1.0, 1.0, -1.0], &mut fields);
        assert!(fields.iter().all(|f| f.is_finite()) && (fields[2] - 10.0).abs() < 1e-12);
        for params in [CoulombParams::default().species(0), CoulombParams::default().softening(0.0)] {
            assert!(CoulombCoupling::<3>::new(3, 3, params).is_err());
        }
        assert!(CoulombCoupling::<3>::new(3, 3, CoulombParams::default().softening(f64::NAN)).is_err());
    }
}
