//! Couplings that need not be symmetric.

use linalg_core::simd::{AddScaled, widest};

use super::Network;
use crate::Result;
use crate::error::check_coupling_matrix;

/// A dense matrix of couplings `J_ij`, from unit j to unit i, without symmetry and without an energy.
///
/// ```
/// use spin_models::hopfield::{Network, Synapses};
///
/// // Unit 0 drives unit 1, not the other way round.
/// let network = Synapses::new(2, &[0.0, 0.0, 0.5, 0.0])?;
/// let cache = network.prepare(&[-1, 1]);
/// assert_eq!(network.local_field(&cache, &[-1, 1], 1), -0.5);
/// assert_eq!(network.local_field(&cache, &[-1, 1], 0), 0.0);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked"))]
pub struct Synapses {
    n: usize,
    /// By the unit that sends, so that a flip adds one contiguous row to the fields.
    outgoing: Vec<f64>,
}

/// What a file may hold.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    n: usize,
    outgoing: Vec<f64>,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for Synapses {
    type Error = crate::Error;

    fn try_from(unchecked: Unchecked) -> Result<Self> {
        let Unchecked { n, outgoing } = unchecked;
        check_coupling_matrix(n, &outgoing)?;
        Ok(Self { n, outgoing })
    }
}

impl Synapses {
    /// A given matrix, `n x n`, row-major: row i has the couplings that act on unit i.
    ///
    /// # Errors
    /// [`NoSpins`](crate::Error::NoSpins), [`WrongLength`](crate::Error::WrongLength), [`SelfCoupling`](crate::Error::SelfCoupling)
    /// for a diagonal entry other than 0, [`NotFinite`](crate::Error::NotFinite).
    pub fn new(n: usize, matrix: &[f64]) -> Result<Self> {
        check_coupling_matrix(n, matrix)?;
        let outgoing = (0..n * n).map(|k| matrix[(k % n) * n + k / n]).collect();
        Ok(Self { n, outgoing })
    }

    /// The coupling from unit `j` to unit `i`.
    ///
    /// # Panics
    /// If one is not a unit.
    pub fn coupling(&self, i: usize, j: usize) -> f64 {
        assert!(i < self.n && j < self.n, "coupling of units {i} and {j} of {}", self.n);
        self.outgoing[j * self.n + i]
    }
}

impl Network for Synapses {
    /// The fields on all units.
    type Cache = Vec<f64>;

    fn n_units(&self) -> usize {
        self.n
    }

    fn prepare(&self, s: &[i8]) -> Vec<f64> {
        assert_eq!(s.len(), self.n, "{} spins for a network of {}", s.len(), self.n);
        let mut fields = vec![0.0; self.n];
        for (row, &s) in self.outgoing.chunks_exact(self.n).zip(s) {
            widest(AddScaled { y: &mut fields, a: f64::from(s), x: row });
        }
        fields
    }

    fn local_field(&self, cache: &Vec<f64>, _s: &[i8], i: usize) -> f64 {
        cache[i]
    }

    fn turn(&self, cache: &mut Vec<f64>, s: &mut [i8], i: usize) {
        s[i] = -s[i];
        widest(AddScaled { y: cache, a: 2.0 * f64::from(s[i]), x: &self.outgoing[i * self.n..(i + 1) * self.n] });
    }

    fn local_fields(&self, cache: &Vec<f64>, _s: &[i8], out: &mut [f64]) {
        out.copy_from_slice(cache);
    }
}
