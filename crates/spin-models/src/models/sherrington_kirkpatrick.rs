//! The Sherrington-Kirkpatrick model, dense.

use linalg_core::checkpoint::ContentHash;
use linalg_core::rand::Rng;
use linalg_core::rng::standard_normal;

use super::ising::Ising;
use crate::error::check_coupling_matrix;
use crate::model::{CachedModel, EnergyModel, PairwiseModel};
use crate::spins::signed_sum;
use crate::{Error, Result};
use linalg_core::simd::{self, AddScaled};

/// A fully connected model with a dense coupling matrix.
///
/// ```math
/// E(s) = -\sum_{i<j} J_{ij} s_i s_j - \sum_i h_i s_i, \qquad J_{ij} \sim \mathcal{N}(0, 1/N)
/// ```
///
/// In this normalisation the transition without field is at T = 1 and the ground-state energy per spin tends to
/// -0.7631667265 (Parisi). A flip adds one matrix row to the cached fields: N multiply-adds on contiguous memory.
///
/// Reference: D. Sherrington and S. Kirkpatrick, Phys. Rev. Lett. 35, 1792 (1975).
///
/// ```
/// use spin_models::{EnergyModel, SherringtonKirkpatrick};
///
/// let pair = SherringtonKirkpatrick::from_couplings(2, &[0.0, 0.5, 0.5, 0.0])?;
/// assert_eq!(pair.energy(&[1, -1]), 0.5);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked"))]
pub struct SherringtonKirkpatrick {
    n: usize,
    couplings: Vec<f64>,
    fields: Vec<f64>,
}

/// What a file may hold.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    n: usize,
    couplings: Vec<f64>,
    fields: Vec<f64>,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for SherringtonKirkpatrick {
    type Error = Error;

    fn try_from(unchecked: Unchecked) -> Result<Self> {
        Self::from_couplings(unchecked.n, &unchecked.couplings)?.with_fields(unchecked.fields)
    }
}

impl SherringtonKirkpatrick {
    /// Gaussian couplings of variance 1/N, drawn row by row for `i < j`.
    ///
    /// # Errors
    /// [`Error::NoSpins`] for `n = 0`.
    pub fn gaussian<R: Rng + ?Sized>(n: usize, rng: &mut R) -> Result<Self> {
        let scale = 1.0 / (n as f64).sqrt();
        Self::generate(n, |_, _| scale * standard_normal(rng))
    }

    /// Couplings `±1/√N` with equal probability, drawn row by row for `i < j`.
    ///
    /// # Errors
    /// [`Error::NoSpins`] for `n = 0`.
    pub fn plus_minus<R: Rng + ?Sized>(n: usize, rng: &mut R) -> Result<Self> {
        let scale = 1.0 / (n as f64).sqrt();
        Self::generate(n, |_, _| if rng.next_u64() >> 63 == 0 { scale } else { -scale })
    }

    fn generate(n: usize, mut draw: impl FnMut(usize, usize) -> f64) -> Result<Self> {
        if n == 0 {
            return Err(Error::NoSpins);
        }
        let mut couplings = vec![0.0; n * n];
        for i in 0..n {
            for j in i + 1..n {
                let coupling = draw(i, j);
                couplings[i * n + j] = coupling;
                couplings[j * n + i] = coupling;
            }
        }
        Ok(Self { n, couplings, fields: vec![0.0; n] })
    }

    /// A given matrix, `n x n`, row-major, symmetric with zero diagonal.
    ///
    /// # Errors
    /// [`Error::NoSpins`], [`Error::WrongLength`], [`Error::SelfCoupling`] for a diagonal entry other than 0,
    /// [`Error::NotFinite`], [`Error::Parameter`] for a matrix that is not exactly symmetric.
    pub fn from_couplings(n: usize, matrix: &[f64]) -> Result<Self> {
        check_coupling_matrix(n, matrix)?;
        for (entry, &value) in matrix.iter().enumerate() {
            let (i, j) = (entry / n, entry % n);
            let mirror = matrix[j * n + i];
            if value.partial_cmp(&mirror) != Some(std::cmp::Ordering::Equal) {
                let value = format!("{value} at ({i}, {j}) and {mirror} at ({j}, {i})");
                return Err(Error::Parameter { what: "coupling", value, expected: "a symmetric matrix" });
            }
        }
        Self::generate(n, |i, j| matrix[i * n + j])
    }

    /// The same couplings with these fields.
    ///
    /// # Errors
    /// [`Error::WrongLength`] or [`Error::NotFinite`].
    pub fn with_fields(mut self, fields: Vec<f64>) -> Result<Self> {
        if fields.len() != self.n {
            return Err(Error::WrongLength { what: "fields", got: fields.len(), expected: self.n });
        }
        if let Some(entry) = fields.iter().position(|h| !h.is_finite()) {
            return Err(Error::NotFinite { what: "field", entry, sites: vec![entry], value: fields[entry] });
        }
        self.fields = fields;
        Ok(self)
    }

    /// The couplings of site `i` to all sites; its own entry is 0.
    ///
    /// # Panics
    /// If `i` is not a site.
    #[inline]
    pub fn row(&self, i: usize) -> &[f64] {
        &self.couplings[i * self.n..(i + 1) * self.n]
    }

    /// The same energy as an [`Ising`] model on the complete graph, pairs in row order.
    ///
    /// # Errors
    /// None for a model that could be built; the builder's checks are passed on.
    pub fn to_ising(&self) -> Result<Ising> {
        let pairs = (0..self.n).flat_map(|i| (i + 1..self.n).map(move |j| (i, j)));
        Ising::builder(self.n)
            .couplings(pairs.map(|(i, j)| (i, j, self.couplings[i * self.n + j])))
            .fields(self.fields.iter().copied())
            .build()
    }

    fn local_field(&self, s: &[i8], i: usize) -> f64 {
        assert_eq!(s.len(), self.n, "{} spins for a model of {}", s.len(), self.n);
        // Eight sums side by side do not wait for one another.
        let (rows, last) = self.row(i).as_chunks::<8>();
        let (spins, last_spins) = s.as_chunks::<8>();
        let mut sums = [0.0; 8];
        for (row, spins) in rows.iter().zip(spins) {
            for k in 0..8 {
                sums[k] += row[k] * f64::from(spins[k]);
            }
        }
        let rest: f64 = last.iter().zip(last_spins).map(|(&coupling, &s)| coupling * f64::from(s)).sum();
        self.fields[i] + (sums.iter().sum::<f64>() + rest)
    }
}

impl EnergyModel for SherringtonKirkpatrick {
    fn n_spins(&self) -> usize {
        self.n
    }

    fn energy(&self, s: &[i8]) -> f64 {
        // Every pair appears twice in the local fields, every field once.
        let twice: f64 = (0..self.n).map(|i| f64::from(s[i]) * (self.local_field(s, i) + self.fields[i])).sum();
        -0.5 * twice
    }

    fn delta_energy(&self, s: &[i8], i: usize) -> f64 {
        2.0 * f64::from(s[i]) * self.local_field(s, i)
    }

    fn content_hash(&self) -> u64 {
        let mut hash = ContentHash::new();
        hash.write_str("dense pairs").write_f64s(&self.fields).write_f64s(&self.couplings);
        hash.finish()
    }
}

impl CachedModel for SherringtonKirkpatrick {
    /// The local fields `h_i + Σ_j J_ij s_j`.
    type Cache = Vec<f64>;

    fn cache(&self, s: &[i8]) -> Vec<f64> {
        (0..self.n).map(|i| self.local_field(s, i)).collect()
    }

    #[inline]
    fn delta_cached(&self, cache: &Vec<f64>, s: &[i8], i: usize) -> f64 {
        2.0 * f64::from(s[i]) * cache[i]
    }

    #[inline]
    fn flip(&self, cache: &mut Vec<f64>, s: &mut [i8], i: usize) {
        s[i] = -s[i];
        let change = 2.0 * f64::from(s[i]);
        simd::widest(AddScaled { y: cache, a: change, x: self.row(i) });
    }

    /// `O(N)` from the local fields, against `O(N²)` from the couplings.
    fn energy_cached(&self, cache: &Vec<f64>, s: &[i8]) -> f64 {
        -0.5 * signed_sum(s, cache, &self.fields)
    }
}

impl PairwiseModel for SherringtonKirkpatrick {
    fn field(&self, i: usize) -> f64 {
        self.fields[i]
    }

    fn neighbors(&self, i: usize) -> impl Iterator<Item = (usize, f64)> {
        self.row(i).iter().copied().enumerate().filter(move |&(j, _)| j != i)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Spins;
    use linalg_core::Streams;

    #[test]
    fn dense_and_sparse_agree_along_flips() {
        let mut rng = Streams::new(11).stream(0);
        let fields = (0..12).map(|i| 0.1 * i as f64 - 0.4).collect();
        let dense = SherringtonKirkpatrick::gaussian(12, &mut rng).unwrap().with_fields(fields).unwrap();
        let sparse = dense.to_ising().unwrap();
        let mut s = Spins::random(12, &mut rng);
        let mut cache = dense.cache(&s);
        for step in 0..200 {
            let i = (step * 5) % 12;
            approx::assert_abs_diff_eq!(dense.energy(&s), sparse.energy(&s), epsilon = 1e-12);
            approx::assert_abs_diff_eq!(dense.energy_cached(&cache, &s), sparse.energy(&s), epsilon = 1e-12);
            approx::assert_abs_diff_eq!(dense.delta_cached(&cache, &s, i), sparse.delta_energy(&s, i), epsilon = 1e-12);
            dense.flip(&mut cache, &mut s, i);
        }
    }

    #[test]
    fn asymmetric_and_diagonal_entries_are_named() {
        let error = SherringtonKirkpatrick::from_couplings(2, &[0.0, 0.5, 0.25, 0.0]).unwrap_err();
        assert_eq!(error.to_string(), "coupling is 0.5 at (0, 1) and 0.25 at (1, 0), expected a symmetric matrix");
        let error = SherringtonKirkpatrick::from_couplings(2, &[1.0, 0.5, 0.5, 0.0]).unwrap_err();
        assert_eq!(error.to_string(), "coupling 0 ties site 0 to itself");
    }

    #[cfg(feature = "serde")]
    #[test]
    fn files_hold_what_can_be_built() {
        let model = SherringtonKirkpatrick::gaussian(5, &mut Streams::new(1).stream(0)).unwrap();
        let file = |n: usize, change: fn(&mut Vec<f64>, &mut Vec<f64>)| {
            let (mut couplings, mut fields) = (model.couplings.clone(), model.fields.clone());
            change(&mut couplings, &mut fields);
            SherringtonKirkpatrick::try_from(Unchecked { n, couplings, fields })
        };
        assert_eq!(file(5, |_, _| {}).unwrap(), model);
        assert!(file(4, |_, _| {}).is_err());
        assert!(file(5, |couplings, _| couplings[1] += 1.0).is_err());
        assert!(file(5, |_, fields| fields[2] = f64::NAN).is_err());
        assert!(file(5, |_, fields| fields.push(0.0)).is_err());
    }
}
