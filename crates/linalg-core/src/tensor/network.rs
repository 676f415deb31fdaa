//! Which tensors share which legs.

use super::dense::Leg;
use crate::{Error, Result};

/// The shape of a tensor network: dimensions of legs, legs of tensors, and the legs that stay open.
///
/// Its value is the product of all tensors, summed over every leg that is not open. A leg may belong to any number of
/// tensors: to one, and it is summed there; to two, the usual bond; to more, a hyperedge or copy tensor.
///
/// ```
/// use linalg_core::tensor::{Network, Tensor, Contraction, ContractionTree};
///
/// // Three spins on a ring, bonds as tensors and spins as legs of three dimensions each.
/// let network = Network::new(vec![2; 3], vec![vec![0, 1], vec![1, 2], vec![2, 0]], vec![])?;
/// let tree = ContractionTree::new(3, vec![[0, 1], [3, 2]])?;
/// let (x, y) = (1f64.exp(), (-1f64).exp());
/// let bonds: Vec<_> =
///     network.tensors().iter().map(|legs| Tensor::new(legs.clone(), vec![2, 2], vec![x, y, y, x])).collect();
/// let value = Contraction::new(&network, &tree)?.run(&bonds).tensor;
/// assert!((value.value(&[]) - (2.0 * x.powi(3) + 6.0 * x * y * y)).abs() < 1e-13);
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    dims: Vec<usize>,
    tensors: Vec<Vec<Leg>>,
    open: Vec<Leg>,
    degree: Vec<u32>,
}

impl Network {
    /// A network from the dimensions of legs 0, 1, …, the legs of each tensor, and the open legs.
    ///
    /// # Errors
    /// [`Error::Empty`] without tensors, [`Error::IndexOutOfBounds`] for a leg without dimension, [`Error::Duplicate`]
    /// for a leg twice in a tensor or among the open ones, [`Error::OutOfRange`] for a dimension of 0.
    pub fn new(dims: Vec<usize>, tensors: Vec<Vec<Leg>>, open: Vec<Leg>) -> Result<Self> {
        if tensors.is_empty() {
            return Err(Error::Empty { what: "network" });
        }
        if dims.contains(&0) {
            return Err(Error::OutOfRange { what: "dimension", value: 0.0, low: 1.0, high: f64::INFINITY });
        }
        let mut degree = vec![0; dims.len()];
        for legs in tensors.iter().chain([&open]) {
            let mut sorted = legs.clone();
            sorted.sort_unstable();
            for (p, &leg) in sorted.iter().enumerate() {
                if leg as usize >= dims.len() {
                    return Err(Error::IndexOutOfBounds { what: "leg", index: leg as usize, bound: dims.len() });
                }
                if p > 0 && sorted[p - 1] == leg {
                    return Err(Error::Duplicate { what: "leg", index: leg as usize });
                }
                degree[leg as usize] += 1;
            }
        }
        Ok(Self { dims, tensors, open, degree })
    }

    /// Dimensions of the legs.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// Legs of each tensor, slowest first.
    pub fn tensors(&self) -> &[Vec<Leg>] {
        &self.tensors
    }

    /// The legs that are not summed.
    pub fn open(&self) -> &[Leg] {
        &self.open
    }

    /// The dimension of a leg.
    pub(super) fn dim(&self, leg: Leg) -> usize {
        self.dims[leg as usize]
    }

    /// Number of tensors that have the leg, one more where it is open: a leg is summed when that many are together.
    pub(super) fn degree(&self, leg: Leg) -> u32 {
        self.degree[leg as usize]
    }

    /// The network with some legs fixed.
    pub(super) fn without(&self, legs: &[Leg]) -> Self {
        let keep = |from: &Vec<Leg>| from.iter().copied().filter(|leg| !legs.contains(leg)).collect();
        Self { tensors: self.tensors.iter().map(keep).collect(), ..self.clone() }
    }
}
