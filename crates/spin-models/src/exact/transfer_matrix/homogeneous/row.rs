//! The transfer matrix of one row.

use linalg_core::Observer;
use linalg_core::eigen::symmetric_eigenvalues;

use super::super::NAME;
use super::super::compiled::too_large;
use super::lanczos::{Lead, Leading, Search, leading};
use super::sectors::{Sector, sectors};
use crate::model::{LnZ, Progress};
use crate::models::Boundary;
use crate::{Error, Result};

/// One row of a lattice whose rows are all alike, and its symmetric transfer matrix.
///
/// ```math
/// T = V^{1/2} W V^{1/2}, \quad
/// V(s) = e^{K_\parallel \sum_c s_c s_{c+1} + h \sum_c s_c}, \quad
/// W(s, s') = e^{K_\perp \sum_c s_c s'_c}
/// ```
///
/// `K_∥` acts around the width, `K_⊥` along the length. W is a product over sites, so that T is applied to a vector in
/// `O(w 2^w)` for a width w.
///
/// References: H. A. Kramers and G. H. Wannier, Phys. Rev. 60, 252 (1941); E. W. Montroll, J. Chem. Phys. 9, 706
/// (1941).
#[derive(Debug, Clone)]
pub struct UniformRow {
    width: usize,
    around: Boundary,
    /// Whether T commutes with the reversal of all spins.
    even: bool,
    /// `V^{1/2}`, largest entry 1.
    half: Vec<f64>,
    /// The 2 x 2 factor of W, largest entry 1: diagonal and off-diagonal.
    step: [f64; 2],
    /// ln of what was divided out of T.
    ln_scale: f64,
}

/// The infinitely long strip: the two leading eigenvalues of the row transfer matrix.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StripLimit {
    /// `ln λ_0`: ln Z per row.
    pub ln_z_per_row: f64,
    /// `ln λ_0 / w`: ln Z per site.
    pub ln_z_per_site: f64,
    /// `1 / ln(λ_0 / |λ_1|)` in rows: how far correlations along the strip reach. 0 for a single eigenvalue.
    pub correlation_length: f64,
    /// Whether both iterations reached their tolerance.
    pub converged: bool,
    /// The larger `|T x - λ x| / λ` of the two vectors. The error of an eigenvalue is about its square.
    pub residual: f64,
    /// Applications of T.
    pub iterations: u64,
}

/// Widest row whose vector of `2^w` entries is kept.
const MAX_WIDTH: usize = 20;

/// Largest block that is diagonalised.
const MAX_SECTOR: usize = 1300;

/// Largest relative error of ln Z, which is at least ln 2 a site, by cancellation of eigenvalues of both signs.
const ACCURACY: f64 = 1e-9;

/// Error of an eigenvalue in roundings of the largest one.
const ROUNDINGS: f64 = 4.0;

/// Largest spread of ln entries of T.
const SPREAD: f64 = 600.0;

impl UniformRow {
    /// A row of `width` sites; `k_around`, `k_along` and `field` are βJ and βh. Any signs.
    ///
    /// # Errors
    /// [`Error::TooLarge`] above 20 sites. [`Error::Parameter`] for a width of 0, or below 2 with periodic boundary;
    /// for numbers that are not finite; and where the entries of T span more than `e^600`: a temperature so low that
    /// [`TransferMatrix`](crate::TransferMatrix) with its logarithms is the method to take.
    pub fn new(width: usize, around: Boundary, k_around: f64, k_along: f64, field: f64) -> Result<Self> {
        let least = if around == Boundary::Periodic { 2 } else { 1 };
        if width < least {
            let expected = if least == 2 { "at least 2 around a periodic row" } else { "at least 1" };
            return Err(Error::Parameter { what: "width", value: width.to_string(), expected });
        }
        if width > MAX_WIDTH {
            return Err(too_large("width of a row", width, MAX_WIDTH));
        }
        for (what, value) in [("k_around", k_around), ("k_along", k_along), ("field", field)] {
            if !value.is_finite() {
                return Err(Error::Parameter { what, value: value.to_string(), expected: "a finite number" });
            }
        }
        let mut half: Vec<f64> = (0..1usize << width).map(|s| exponent(s, width, around, k_around, field)).collect();
        let most = half.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let least = half.iter().copied().fold(f64::INFINITY, f64::min);
        let spread = most - least + 2.0 * width as f64 * k_along.abs();
        // Also refuses an infinite spread.
        if !matches!(spread.partial_cmp(&SPREAD), Some(std::cmp::Ordering::Less)) {
            let value = format!("{spread:.0} over a row");
            return Err(Error::Parameter { what: "the range of βE", value, expected: "below 600" });
        }
        half.iter_mut().for_each(|x| *x = (0.5 * (*x - most)).exp());
        let small = (-2.0 * k_along.abs()).exp();
        let step = if k_along >= 0.0 { [1.0, small] } else { [small, 1.0] };
        let ln_scale = most + width as f64 * k_along.abs();
        Ok(Self { width, around, even: field == 0.0, half, step, ln_scale })
    }

    /// Number of sites of the row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// ln Z of `length` such rows closed to a ring, `Z = Σ_i λ_i^length`, from all eigenvalues.
    ///
    /// T is cut into blocks by translation, reflection and spin reversal, as far as it has them, and each block is
    /// diagonalised: some `2^w / 2w` rows a block around a periodic row of w sites without field. Width 10 takes a
    /// twentieth of a second, 14 five seconds.
    ///
    /// ```
    /// use spin_models::{Boundary, exact::UniformRow};
    ///
    /// // A single site, five times: a ring of five, Z = (2 cosh K)^5 + (2 sinh K)^5.
    /// let k = 0.8f64;
    /// let ring = UniformRow::new(1, Boundary::Free, 0.0, k, 0.0)?.torus(5)?.value;
    /// assert!((ring - ((2.0 * k.cosh()).powi(5) + (2.0 * k.sinh()).powi(5)).ln()).abs() < 1e-14);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// With negative `k_along` T has eigenvalues of both signs, and at odd lengths their powers cancel: the bonds are
    /// frustrated, and the colder the ring, the less is left of the sum. The relative error of ln Z is below 1e-9 then, and
    /// a few roundings elsewhere.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a length below 2, [`Error::TooLarge`] where a block exceeds 1300 rows,
    /// [`Error::NotApplicable`] where eigenvalues cancel to a relative error of ln Z above 1e-9: such rings are left to
    /// [`TransferMatrix`](crate::TransferMatrix).
    pub fn torus(&self, length: usize) -> Result<LnZ> {
        if length < 2 {
            return Err(Error::Parameter { what: "length", value: length.to_string(), expected: "at least 2" });
        }
        // Their basis is built before their size is known: no more than is cheap.
        if self.width > 16 {
            return Err(too_large("width of a row with all eigenvalues", self.width, 16));
        }
        let sectors = sectors(self.width, self.around == Boundary::Periodic, self.even);
        let largest = sectors.iter().map(|sector| sector.basis.len()).max().unwrap_or(0);
        if largest > MAX_SECTOR {
            return Err(too_large("rows of a symmetry sector", largest, MAX_SECTOR));
        }
        let mut values: Vec<(f64, f64)> = Vec::new();
        for sector in &sectors {
            let block = self.block(sector);
            let eigenvalues = symmetric_eigenvalues(&block, sector.basis.len())?;
            values.extend(eigenvalues.into_iter().map(|value| (value, sector.multiplicity)));
        }
        let top = values.iter().map(|&(value, _)| value.abs()).fold(0.0, f64::max);
        let odd = length % 2 == 1;
        let power = |value: f64| {
            let size = (length as f64 * (value.abs() / top).ln()).exp();
            if odd && value < 0.0 { -size } else { size }
        };
        let (mut sum, mut moduli) = (0.0, 0.0);
        for &(value, multiplicity) in &values {
            let term = multiplicity * power(value);
            sum += term;
            moduli += term.abs();
        }
        let ln_z = length as f64 * (self.ln_scale + top.ln()) + sum.ln();
        // An eigenvalue has an error of a few roundings of the largest one, its power `length` times as many.
        let error = ROUNDINGS * f64::EPSILON * length as f64 * moduli / sum;
        if ln_z.is_nan() || error > ACCURACY * ln_z {
            let reason = format!(
                "powers of negative eigenvalues cancel {moduli:.1e} to {sum:.1e} at the odd length {length}: \
                 take TransferMatrix"
            );
            return Err(Error::NotApplicable { solver: NAME, reason });
        }
        Ok(LnZ::exact(ln_z))
    }

    /// The block of T in one sector, row-major.
    fn block(&self, sector: &Sector) -> Vec<f64> {
        let n = sector.basis.len();
        let mut block = vec![0.0; n * n];
        let mut image = vec![0.0; self.half.len()];
        for (b, vector) in sector.basis.iter().enumerate() {
            image.fill(0.0);
            for &(state, x) in vector {
                image[state as usize] = x;
            }
            self.apply(&mut image);
            for (a, other) in sector.basis.iter().enumerate().take(b + 1) {
                let product: f64 = other.iter().map(|&(state, x)| x * image[state as usize]).sum();
                block[a * n + b] = product;
                block[b * n + a] = product;
            }
        }
        block
    }

    /// Applies T, in place.
    pub(super) fn apply(&self, v: &mut [f64]) {
        let [same, other] = self.step;
        let mix = |x: &mut f64, y: &mut f64| (*x, *y) = (same * *x + other * *y, other * *x + same * *y);
        v.iter_mut().zip(&self.half).for_each(|(x, half)| *x *= half);
        // The three lowest sites in registers, eight entries at a time.
        let low = if self.width >= 3 { 3 } else { 0 };
        if low > 0 {
            for block in v.as_chunks_mut::<8>().0 {
                let [a, b, c, d, e, f, g, h] = block;
                for (x, y) in [(&mut *a, &mut *b), (&mut *c, &mut *d), (&mut *e, &mut *f), (&mut *g, &mut *h)] {
                    mix(x, y);
                }
                for (x, y) in [(&mut *a, &mut *c), (&mut *b, &mut *d), (&mut *e, &mut *g), (&mut *f, &mut *h)] {
                    mix(x, y);
                }
                for (x, y) in [(a, e), (b, f), (c, g), (d, h)] {
                    mix(x, y);
                }
            }
        }
        for c in low..self.width {
            let half = 1usize << c;
            for pair in v.chunks_exact_mut(2 * half) {
                let (up, down) = pair.split_at_mut(half);
                up.iter_mut().zip(down).for_each(|(x, y)| mix(x, y));
            }
        }
        v.iter_mut().zip(&self.half).for_each(|(x, half)| *x *= half);
    }

    /// The limit of infinite length: the leading eigenvalues by Lanczos iterations.
    ///
    /// `O(w 2^w)` an iteration, some tens of them; 27 vectors of `2^w` entries. The second eigenvalue is sought
    /// among the vectors odd under spin reversal, and beside the first among the even ones.
    ///
    /// ```
    /// use spin_models::{Boundary, exact::UniformRow};
    ///
    /// // The infinite chain: λ = 2 cosh K and 2 sinh K.
    /// let k = 0.8f64;
    /// let chain = UniformRow::new(1, Boundary::Free, 0.0, k, 0.0)?.infinite(&mut ())?;
    /// assert!((chain.ln_z_per_site - (2.0 * k.cosh()).ln()).abs() < 1e-14);
    /// assert!((chain.correlation_length + 1.0 / k.tanh().ln()).abs() < 1e-12);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Stopped`] by the observer; failures of the small eigenvalue problems.
    pub fn infinite(&self, observer: &mut dyn Observer<Progress>) -> Result<StripLimit> {
        let mut iterations = 0;
        let mut search = |start: Vec<f64>, lead: Lead, parity: Option<f64>, beside: Option<&[f64]>| {
            let project = |v: &mut [f64]| {
                if let Some(parity) = parity {
                    symmetrise(v, parity);
                }
                if let Some(beside) = beside {
                    let overlap: f64 = v.iter().zip(beside).map(|(x, y)| x * y).sum();
                    v.iter_mut().zip(beside).for_each(|(x, y)| *x -= overlap * y);
                }
            };
            let apply = |v: &mut [f64]| self.apply(v);
            leading(&Search { lead, apply: &apply, project: &project }, start, &mut iterations, observer)
        };
        let parity = self.even.then_some(1.0);
        // All entries of the leading vector are positive (Perron and Frobenius).
        let Some(first) = search(self.half.clone(), Lead::Largest, parity, None)? else {
            return Err(Error::NotApplicable { solver: NAME, reason: "the transfer matrix vanishes".into() });
        };
        let mut others: Vec<Leading> = Vec::new();
        if self.even {
            others.extend(search(self.scattered(), Lead::Modulus, Some(-1.0), None)?);
        }
        others.extend(search(self.scattered(), Lead::Modulus, parity, Some(&first.vector))?);
        let second = others.iter().map(|other| other.value.abs()).fold(0.0, f64::max);
        let residual = others.iter().map(|other| other.residual).fold(first.residual, f64::max);
        let ln_z_per_row = self.ln_scale + first.value.ln();
        Ok(StripLimit {
            ln_z_per_row,
            ln_z_per_site: ln_z_per_row / self.width as f64,
            // Rounding may put two equal eigenvalues the wrong way round.
            correlation_length: if second > 0.0 { 1.0 / (first.value / second).ln().max(0.0) } else { 0.0 },
            converged: first.converged && others.iter().all(|other| other.converged),
            residual,
            iterations,
        })
    }

    /// A vector without symmetry, the same every time.
    fn scattered(&self) -> Vec<f64> {
        use linalg_core::rand::RngExt;
        let mut rng = linalg_core::rng::SplitMix64::new(self.width as u64);
        self.half.iter().map(|half| half * (rng.random::<f64>() - 0.5)).collect()
    }
}

/// `K_∥ Σ s_c s_{c+1} + h Σ s_c` of a state whose bit c is set for `s_c = -1`.
fn exponent(state: usize, width: usize, around: Boundary, k_around: f64, field: f64) -> f64 {
    let unequal = state ^ (state >> 1);
    let mut differing = (unequal & ((1 << (width - 1)) - 1)).count_ones();
    let mut bonds = width as i32 - 1;
    if around == Boundary::Periodic {
        differing += ((state ^ (state >> (width - 1))) & 1) as u32;
        bonds += 1;
    }
    let bond_sum = f64::from(bonds - 2 * differing as i32);
    let spin_sum = f64::from(width as i32 - 2 * state.count_ones() as i32);
    k_around * bond_sum + field * spin_sum
}

/// Projects on vectors that are even or odd under the reversal of all spins.
fn symmetrise(v: &mut [f64], parity: f64) {
    let middle = v.len() / 2;
    let (up, down) = v.split_at_mut(middle);
    for (x, y) in up.iter_mut().zip(down.iter_mut().rev()) {
        let mean = 0.5 * (*x + parity * *y);
        (*x, *y) = (mean, parity * mean);
    }
}
