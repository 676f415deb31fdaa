//! The solver and the traits it implements.

use linalg_core::Observer;
use linalg_core::stats::Estimate;
use linalg_core::tensor::{Keep, MaxCount};
use rand::Rng;

use super::NAME;
use super::compiled::Compiled;
use super::params::TensorNetworkParams;
use super::plan::TensorNetworkPlan;
use crate::Result;
use crate::exact::transfer_matrix::{FrontierModel, Marginals};
use crate::model::{
    Correlations, GroundState, LnZ, LogPartition, LogPartitionPlan, PairCorrelations, PrepareLogPartition, Progress,
    Quantities, Solution, Solve,
};
use crate::spins::Spins;

/// Exact sums over all configurations as the contraction of a tensor network.
///
/// ```math
/// Z = \sum_s \prod_t T_t(s_t), \qquad T_t(s_t) = \exp\Bigl(\beta \sum_{a \in t} w_a \prod_{i \in a} s_i\Bigr)
/// ```
///
/// Every interaction is part of one table `T_t`; fields and interactions on fewer sites join a table that has their
/// sites. A spin is a leg of all tables that contain it, and is summed when the last two of them are contracted. The
/// order comes from a search ([`OrderParams`](linalg_core::tensor::OrderParams)): the cost is exponential in the width of
/// the graph, not in its size, and the order need not sweep through the graph from one end, as that of
/// [`TransferMatrix`](crate::TransferMatrix) does. Where the memory budget is too small, some spins are fixed and the
/// slices added.
///
/// # Cost
/// [`cost`](Self::cost) tells it beforehand. Means cost three times as much as ln Z, by one backward pass
/// (reverse-mode differentiation), and need the memory of all intermediates.
///
/// # Accuracy
/// All entries are positive: nothing cancels, and ln Z has a relative error of some 1e-15. Every tensor has its own
/// scale. At low temperatures, where the entries of one tensor leave the range of `f64`, this is noticed and the
/// contraction repeated with logarithms, ten to fifty times slower.
///
/// ```
/// use spin_models::{InteractionModel, LogPartition, TensorNetwork};
///
/// // Two plaquettes of four spins with two spins in common: Z = 2^6 (cosh² K + 0).
/// let model = InteractionModel::builder(6).term(&[0, 1, 2, 3], 1.0).term(&[2, 3, 4, 5], 1.0).build()?;
/// let ln_z = TensorNetwork::default().ln_z(&model, 0.7)?;
/// assert!((ln_z.value - (64.0 * 0.7f64.cosh().powi(2)).ln()).abs() < 1e-13);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// References: I. L. Markov and Y. Shi, SIAM J. Comput. 38, 963 (2008); orders: J. Gray and S. Kourtis, Quantum 5, 410
/// (2021).
#[derive(Debug, Clone, Default)]
pub struct TensorNetwork {
    params: TensorNetworkParams,
}

/// What [`TensorNetwork`] will need for a model.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct NetworkCost {
    /// Binary logarithm of the multiplications of the unsliced contraction.
    pub log2_flops: f64,
    /// Binary logarithm of the entries of its largest tensor.
    pub log2_size: f64,
    /// Number of slices within the memory budget.
    pub slices: u64,
}

impl TensorNetwork {
    /// A solver with these limits.
    pub fn new(params: TensorNetworkParams) -> Self {
        Self { params }
    }

    fn compile<M: FrontierModel + ?Sized>(&self, model: &M, all: bool, keep: Keep) -> Result<Compiled> {
        let keep = (keep, size_of::<f64>());
        Compiled::new(model.interactions(), all, &self.params, &self.params.order, keep)
    }

    /// The cost of ln Z of a model; the order search is done, the contraction is not.
    ///
    /// ```
    /// use spin_models::{Ising, TensorNetwork};
    ///
    /// // A ring of 100 needs tables of two spins, and of three while it contracts.
    /// let ring = Ising::builder(100).couplings((0..100).map(|i| (i, (i + 1) % 100, 1.0))).build()?;
    /// assert_eq!(TensorNetwork::default().cost(&ring)?.log2_size, 2.0);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge) for an interaction of more than 20 sites, or a memory budget that no
    /// slicing meets, with the least memory that one needs.
    pub fn cost<M: FrontierModel + ?Sized>(&self, model: &M) -> Result<NetworkCost> {
        let compiled = self.compile(model, false, Keep::Value)?;
        let cost = compiled.cost;
        Ok(NetworkCost { log2_flops: cost.log2_flops, log2_size: cost.log2_size, slices: compiled.slices() })
    }

    /// ln Z, energy, magnetizations and the means of all interactions.
    ///
    /// ```
    /// use spin_models::{InteractionModel, TensorNetwork};
    ///
    /// // One three-body term: ⟨s_0 s_1 s_2⟩ = tanh K.
    /// let model = InteractionModel::builder(3).term(&[0, 1, 2], 1.0).build()?;
    /// let marginals = TensorNetwork::default().marginals(&model, 0.7, &mut ())?;
    /// assert!((marginals.interactions[0] - 0.7f64.tanh()).abs() < 1e-15);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`cost`](Self::cost); [`Error::Beta`](crate::Error::Beta), [`Error::Parameter`](crate::Error::Parameter) where
    /// β times the weights is not finite, [`Error::Stopped`](crate::Error::Stopped).
    pub fn marginals<M: FrontierModel + ?Sized>(
        &self,
        model: &M,
        beta: f64,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Marginals> {
        crate::error::check_beta(beta)?;
        let compiled = self.compile(model, true, Keep::Gradient)?;
        let scaled = compiled.scaled(beta, &|_| false)?;
        compiled.marginals(&scaled, beta, observer)
    }

    /// Independent configurations with probability `exp(-βE)/Z` each; no chain, no autocorrelation.
    ///
    /// One contraction with all intermediates kept; each sample traces it back, a few operations a site. With slices the
    /// contraction is done again for each slice that samples come from.
    ///
    /// ```
    /// use linalg_core::Streams;
    /// use spin_models::{InteractionModel, TensorNetwork};
    ///
    /// // The product of three spins is -1 with probability 1/(1 + e^40).
    /// let triple = InteractionModel::builder(3).term(&[0, 1, 2], 1.0).build()?;
    /// let samples = TensorNetwork::default().sample(&triple, 20.0, 100, &mut Streams::new(1).stream(0))?;
    /// assert!(samples.iter().all(|s| s[0] * s[1] * s[2] == 1));
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`marginals`](Self::marginals).
    pub fn sample<M: FrontierModel + ?Sized, R: Rng + ?Sized>(
        &self,
        model: &M,
        beta: f64,
        n_samples: usize,
        rng: &mut R,
    ) -> Result<Vec<Spins>> {
        self.sample_observed(model, beta, n_samples, &mut (), rng)
    }

    /// The same with reports of the contraction and the possibility to stop it.
    ///
    /// # Errors
    /// As [`marginals`](Self::marginals).
    pub fn sample_observed<M: FrontierModel + ?Sized, R: Rng + ?Sized>(
        &self,
        model: &M,
        beta: f64,
        n_samples: usize,
        observer: &mut dyn Observer<Progress>,
        rng: &mut R,
    ) -> Result<Vec<Spins>> {
        crate::error::check_beta(beta)?;
        let compiled = self.compile(model, false, Keep::Gradient)?;
        let scaled = compiled.scaled(beta, &|_| false)?;
        compiled.sample(&scaled, n_samples, observer, rng)
    }

    /// The lowest energy, one configuration that has it, and how many do.
    ///
    /// The same contraction with maxima that are counted in the place of sums; 16 bytes an entry. The degeneracy is given
    /// where all sums of weights are exact in `f64`, as for integers (equal energies could otherwise differ by rounding),
    /// and where it fits `f64`; it is exact up to 2⁴⁰, beyond that up to a relative 1e-11.
    ///
    /// ```
    /// use spin_models::{Ising, TensorNetwork};
    ///
    /// // A frustrated triangle: six of eight configurations leave one bond unsatisfied.
    /// let triangle = Ising::builder(3).couplings([(0, 1, -1.0), (1, 2, -1.0), (0, 2, -1.0)]).build()?;
    /// let ground = TensorNetwork::default().ground_state(&triangle, &mut ())?;
    /// assert_eq!((ground.energy, ground.degeneracy), (-1.0, Some(6.0)));
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`cost`](Self::cost); [`Error::Stopped`](crate::Error::Stopped).
    pub fn ground_state<M: FrontierModel + ?Sized>(
        &self,
        model: &M,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<GroundState> {
        let keep = (Keep::Gradient, size_of::<MaxCount>());
        let compiled = Compiled::new(model.interactions(), false, &self.params, &self.params.order, keep)?;
        let lowest = compiled.lowest(observer)?;
        Ok(GroundState { energy: model.energy(&lowest.spins), degeneracy: lowest.degeneracy, spins: lowest.spins })
    }
}

impl<M: FrontierModel> LogPartition<M> for TensorNetwork {
    fn ln_z_observed(&self, model: &M, beta: f64, observer: &mut dyn Observer<Progress>) -> Result<LnZ> {
        crate::error::check_beta(beta)?;
        let compiled = self.compile(model, false, Keep::Value)?;
        let scaled = compiled.scaled(beta, &|_| false)?;
        compiled.ln_z(&scaled, beta, observer).map(LnZ::exact)
    }
}

impl<M: FrontierModel> PrepareLogPartition<M> for TensorNetwork {
    /// The order is searched ten times as long as for a single ln Z.
    fn prepare(&self, model: &M) -> Result<Box<dyn LogPartitionPlan>> {
        let order = self.params.order.clone().with_effort(10.0 * self.params.order.effort);
        let compiled =
            Compiled::new(model.interactions(), true, &self.params, &order, (Keep::Value, size_of::<f64>()))?;
        Ok(Box::new(TensorNetworkPlan::new(compiled)))
    }
}

impl<M: FrontierModel> Solve<M> for TensorNetwork {
    fn name(&self) -> &'static str {
        NAME
    }

    fn check(&self, model: &M, beta: f64) -> Result<()> {
        crate::error::check_beta(beta)?;
        self.compile(model, true, Keep::Gradient)?.scaled(beta, &|_| false).map(|_| ())
    }

    /// Correlations of coupled pairs only: `None` for all pairs.
    fn solve(&self, model: &M, beta: f64, want: Quantities, observer: &mut dyn Observer<Progress>) -> Result<Solution> {
        let mut solution = Solution::default();
        if !want.energy && !want.magnetizations && want.correlations == Correlations::None {
            solution.ln_z = Some(self.ln_z_observed(model, beta, observer)?);
            return Ok(solution);
        }
        let marginals = self.marginals(model, beta, observer)?;
        if want.correlations == Correlations::Coupled {
            let interactions = model.interactions();
            let rows = interactions.pairs().map(|(a, pair)| (pair, Estimate::exact(marginals.interactions[a])));
            let (pairs, values) = rows.unzip();
            solution.correlations = Some(PairCorrelations { pairs, values });
        }
        solution.ln_z = Some(LnZ::exact(marginals.ln_z));
        solution.energy = Some(Estimate::exact(marginals.energy));
        solution.magnetizations = Some(marginals.magnetizations.into_iter().map(Estimate::exact).collect());
        Ok(solution)
    }
}
