//! Limits of the solver.

use linalg_core::tensor::OrderParams;

/// Memory and search effort of [`TensorNetwork`](super::TensorNetwork).
///
/// ```
/// use spin_models::{Error, Ising, LogPartition, TensorNetwork, TensorNetworkParams};
///
/// // Sixteen bytes hold two numbers: too few, however the contraction is cut.
/// let model = Ising::builder(3).couplings([(0, 1, 1.0), (1, 2, 1.0), (0, 2, 1.0)]).build()?;
/// let solver = TensorNetwork::new(TensorNetworkParams::default().with_memory_bytes(16));
/// assert!(matches!(solver.ln_z(&model, 1.0), Err(Error::TooLarge { bound: 16, .. })));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TensorNetworkParams {
    /// Most bytes of intermediate tensors at one time; 2³⁰ by default. The contraction is cut into slices where it
    /// needs more.
    pub memory_bytes: usize,
    /// How the contraction order is searched. Its effort is multiplied by ten where a plan is prepared.
    pub order: OrderParams,
}

impl Default for TensorNetworkParams {
    fn default() -> Self {
        Self { memory_bytes: 1 << 30, order: OrderParams::default() }
    }
}

impl TensorNetworkParams {
    /// The same with another memory budget.
    pub fn with_memory_bytes(mut self, memory_bytes: usize) -> Self {
        self.memory_bytes = memory_bytes;
        self
    }

    /// The same with another search.
    pub fn with_order(mut self, order: OrderParams) -> Self {
        self.order = order;
        self
    }
}
