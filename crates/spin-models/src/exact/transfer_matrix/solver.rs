//! The solver and the traits it implements.

use linalg_core::Observer;
use linalg_core::rand::{Rng, RngExt};
use linalg_core::stats::Estimate;

use super::NAME;
use super::compiled::{Compiled, Means, Scratch};
use super::engine::Watch;
use super::interactions::{FrontierModel, ZeroCouplings};
use super::params::{self, TransferMatrixParams};
use super::plan::TransferMatrixPlan;
use super::program::{Ordering, Program};
use crate::model::{
    Correlations, GroundState, LnZ, LogPartition, LogPartitionPlan, PairCorrelations, PrepareLogPartition, Progress,
    Quantities, Solution, Solve,
};
use crate::spins::Spins;
use crate::{Error, Result};

/// Exact sums over all configurations, one site at a time.
///
/// ```math
/// Z = \sum_s \prod_a e^{\beta w_a \prod_{i \in a} s_i}
/// ```
///
/// Sites enter one after another. The state is a vector over the values of the spins that have entered and still have
/// interactions to come, the frontier. A site that enters brings the factors of the interactions it completes; a spin
/// whose interactions are all applied is summed out, and its bit of the index goes to the next site. Any graph, any
/// couplings and fields, interactions of any order.
///
/// # Cost
/// `O(N 2^W)` operations and `8·2^W` bytes for a frontier of W spins. On a lattice of width W that is free along its
/// length the frontier is W, around the width free or periodic; periodic along the length too, the first row stays
/// and the frontier is 2W - 1. The order of sites is the cheapest of several: the given one, the positions sorted along each
/// axis, breadth-first from the ends of the graph, and greedily smallest frontier, each also backwards.
/// [`frontier`](Self::frontier) tells the result beforehand. In a connected part without odd interactions one site is
/// held at +1 by symmetry, which halves the work where it stays in the frontier.
///
/// Means cost four to five times as much as ln Z: a backward pass (reverse-mode differentiation of ln Z), with
/// checkpoints when the vectors do not fit the memory budget.
///
/// # Accuracy
/// All terms are positive: nothing cancels, and ln Z has a relative error of some 1e-15. The vector holds plain
/// numbers, scaled by powers of two, as long as `2β Σ|w|` over the interactions across the frontier is below 600; at
/// lower temperatures it holds logarithms, about twenty times slower.
///
/// ```
/// use spin_models::{Ising, LogPartition, TransferMatrix};
///
/// // A ring of four: Z = (2 cosh K)^4 + (2 sinh K)^4.
/// let ring = Ising::builder(4).couplings((0..4).map(|i| (i, (i + 1) % 4, 1.0))).build()?;
/// let k = 0.3f64;
/// let exact = ((2.0 * k.cosh()).powi(4) + (2.0 * k.sinh()).powi(4)).ln();
/// assert!((TransferMatrix::default().ln_z(&ring, k)?.value - exact).abs() < 1e-14);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// References: H. A. Kramers and G. H. Wannier, Phys. Rev. 60, 252 (1941); site by site: K. Binder, Physica 62, 508
/// (1972).
#[derive(Debug, Clone, Default)]
pub struct TransferMatrix {
    params: TransferMatrixParams,
}

/// The order of sites that [`TransferMatrix`] takes for a model, and what it costs.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FrontierOrder {
    width: usize,
    cost: f64,
    sites: Vec<usize>,
}

impl FrontierOrder {
    /// Most spins in the state vector at one time: the vector has two to this power entries.
    pub fn frontier_width(&self) -> usize {
        self.width
    }

    /// Entries touched by all operations of one evaluation of ln Z, about a nanosecond each.
    pub fn cost(&self) -> f64 {
        self.cost
    }

    /// Bytes of the state vector; `usize::MAX` where they cannot be counted.
    pub fn memory_bytes(&self) -> usize {
        params::bytes::<f64>(self.width)
    }

    /// The sites in the order in which they enter. Sites without partners, and one site of each connected part that
    /// is held by symmetry, are not among them.
    pub fn sites(&self) -> &[usize] {
        &self.sites
    }
}

/// Means under the Boltzmann distribution, all exact up to rounding.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Marginals {
    /// ln Z.
    pub ln_z: f64,
    /// The mean energy `⟨E⟩`, constant term included.
    pub energy: f64,
    /// `⟨s_i⟩` for every site.
    pub magnetizations: Vec<f64>,
    /// `⟨Π_{i∈a} s_i⟩` for every interaction, numbered as in [`Reweight`](crate::model::Reweight).
    pub interactions: Vec<f64>,
}

/// All pair correlations take a pass a site; this bounds the entries touched by all of them.
const MAX_ALL_PAIRS: f64 = 2e10;

impl TransferMatrix {
    /// A solver with these limits.
    pub fn new(params: TransferMatrixParams) -> Self {
        Self { params }
    }

    /// The order of sites for a model and its cost, whether or not the limits allow it.
    ///
    /// ```
    /// use spin_models::{Ising, TransferMatrix};
    ///
    /// // A ladder of two by ten: two spins in the frontier.
    /// let rungs = (0..10).map(|r| (2 * r, 2 * r + 1, 1.0));
    /// let rails = (0..18).map(|i| (i, i + 2, 1.0));
    /// let ladder = Ising::builder(20).couplings(rungs.chain(rails)).build()?;
    /// assert_eq!(TransferMatrix::default().frontier(&ladder).frontier_width(), 2);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    pub fn frontier<M: FrontierModel + ?Sized>(&self, model: &M) -> FrontierOrder {
        let interactions = model.interactions();
        let active = interactions.active(ZeroCouplings::Drop);
        let ordering = Ordering::new(&interactions, &active);
        let sites = ordering.order.iter().map(|&site| site as usize).collect();
        if ordering.size.width > 40 {
            return FrontierOrder { width: ordering.size.width, cost: ordering.size.cost, sites };
        }
        let program = Program::new(&interactions, active, ordering);
        let sites = program.ordering.order.iter().map(|&site| site as usize).collect();
        FrontierOrder { width: program.width, cost: program.cost, sites }
    }

    fn compile<M: FrontierModel + ?Sized>(&self, model: &M, zero: ZeroCouplings) -> Result<Compiled> {
        Compiled::new(model.interactions(), zero, &self.params)
    }

    fn ln_z_of<M: FrontierModel + ?Sized>(
        &self,
        model: &M,
        beta: f64,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<LnZ> {
        let compiled = self.compile(model, ZeroCouplings::Drop)?;
        let numbers = compiled.numbers(beta)?;
        compiled.ln_z(&numbers, None, &mut Scratch::default(), Watch::new(observer)).map(LnZ::exact)
    }

    /// ln Z, energy, magnetizations and the means of all interactions.
    ///
    /// ```
    /// use spin_models::{InteractionModel, TransferMatrix};
    ///
    /// // One three-body term: ⟨s_0 s_1 s_2⟩ = tanh K.
    /// let model = InteractionModel::builder(3).term(&[0, 1, 2], 1.0).build()?;
    /// let marginals = TransferMatrix::default().marginals(&model, 0.7, &mut ())?;
    /// assert!((marginals.interactions[0] - 0.7f64.tanh()).abs() < 1e-15);
    /// assert!((marginals.energy + 0.7f64.tanh()).abs() < 1e-15);
    /// assert!(marginals.magnetizations.iter().all(|m| m.abs() < 1e-15));
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::TooLarge`] for the frontier or the memory of the backward pass, [`Error::Beta`], [`Error::Parameter`]
    /// where β times the weights is not finite, [`Error::Stopped`].
    pub fn marginals<M: FrontierModel + ?Sized>(
        &self,
        model: &M,
        beta: f64,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Marginals> {
        let compiled = self.compile(model, ZeroCouplings::Keep)?;
        let numbers = compiled.numbers(beta)?;
        let means = compiled.means(&numbers, None, &self.params, Watch::new(observer))?;
        Ok(finish(&compiled, &means))
    }

    /// Independent configurations with probability `exp(-βE)/Z` each; no chain, no autocorrelation.
    ///
    /// One backward pass for all of them; each sample adds a few operations a site. The memory is that of
    /// [`marginals`](Self::marginals).
    ///
    /// ```
    /// use linalg_core::Streams;
    /// use spin_models::{Ising, TransferMatrix};
    ///
    /// let pair = Ising::builder(2).coupling(0, 1, 1.0).build()?;
    /// let samples = TransferMatrix::default().sample(&pair, 20.0, 100, &mut Streams::new(1).stream(0))?;
    /// // A pair is antiparallel with probability 1/(1 + e^40).
    /// assert!(samples.iter().all(|s| s[0] == s[1]));
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
        let compiled = self.compile(model, ZeroCouplings::Drop)?;
        let numbers = compiled.numbers(beta)?;
        let draw = &mut || rng.random::<f64>();
        let rows = compiled.sample(&numbers, n_samples, &self.params, Watch::new(&mut ()), draw)?;
        rows.iter().map(|row| Spins::from_signs(row)).collect()
    }

    /// The lowest energy, one configuration that has it, and how many do.
    ///
    /// The same operations with maxima in the place of sums; 16 bytes an entry. The degeneracy is given where all
    /// sums of weights are exact in `f64`, as for integers; equal energies could otherwise differ by rounding. It is
    /// itself exact up to 2⁵³.
    ///
    /// ```
    /// use spin_models::{Ising, TransferMatrix};
    ///
    /// // A frustrated triangle: six of eight configurations leave one bond unsatisfied.
    /// let triangle = Ising::builder(3).couplings([(0, 1, -1.0), (1, 2, -1.0), (0, 2, -1.0)]).build()?;
    /// let ground = TransferMatrix::default().ground_state(&triangle, &mut ())?;
    /// assert_eq!((ground.energy, ground.degeneracy), (-1.0, Some(6.0)));
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::TooLarge`] for the frontier or the memory, [`Error::Stopped`].
    pub fn ground_state<M: FrontierModel + ?Sized>(
        &self,
        model: &M,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<GroundState> {
        let compiled = self.compile(model, ZeroCouplings::Drop)?;
        let lowest = compiled.lowest(&self.params, Watch::new(observer))?;
        Ok(GroundState { energy: model.energy(&lowest.spins), degeneracy: lowest.degeneracy, spins: lowest.spins })
    }

    fn check_model<M: FrontierModel + ?Sized>(&self, model: &M, beta: f64) -> Result<()> {
        crate::error::check_beta(beta)?;
        self.compile(model, ZeroCouplings::Drop)?.numbers(beta).map(|_| ())
    }

    fn solve_model<M: FrontierModel + ?Sized>(
        &self,
        model: &M,
        beta: f64,
        want: Quantities,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Solution> {
        let mut solution = Solution::default();
        if !want.energy && !want.magnetizations && want.correlations == Correlations::None {
            solution.ln_z = Some(self.ln_z_of(model, beta, observer)?);
            return Ok(solution);
        }
        let compiled = self.compile(model, ZeroCouplings::Keep)?;
        let numbers = compiled.numbers(beta)?;
        if want.correlations == Correlations::All {
            let cost = compiled.program.cost * compiled.program.ordering.order.len() as f64;
            if cost > MAX_ALL_PAIRS {
                let reason = format!("all pair correlations touch {cost:.1e} entries, at most {MAX_ALL_PAIRS:.1e}");
                return Err(Error::NotApplicable { solver: NAME, reason });
            }
        }
        let means = compiled.means(&numbers, None, &self.params, Watch::new(observer))?;
        solution.correlations = match want.correlations {
            Correlations::None => None,
            Correlations::Coupled => Some(
                compiled.interactions.pairs().map(|(a, pair)| (pair, Estimate::exact(means.interactions[a]))).collect(),
            ),
            Correlations::All => Some(self.all_pairs(&compiled, &numbers, &means, observer)?),
        }
        .map(|rows: Vec<_>| {
            let (pairs, values) = rows.into_iter().unzip();
            PairCorrelations { pairs, values }
        });
        let marginals = finish(&compiled, &means);
        solution.ln_z = Some(LnZ::exact(marginals.ln_z));
        solution.energy = Some(Estimate::exact(marginals.energy));
        solution.magnetizations = Some(marginals.magnetizations.into_iter().map(Estimate::exact).collect());
        Ok(solution)
    }

    /// `⟨s_i s_j⟩` of all pairs: a backward pass with `s_i` held, for every i.
    ///
    /// With `s_i` held at its likelier value σ of probability p, `⟨s_i s_j⟩ = σ (2 p ⟨s_j⟩_σ - ⟨s_j⟩)`.
    fn all_pairs(
        &self,
        compiled: &Compiled,
        numbers: &super::compiled::Numbers,
        means: &Means,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Vec<((usize, usize), Estimate)>> {
        let n = means.spins.len();
        let magnetizations = finish(compiled, means).magnetizations;
        let mut values = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..n {
                values[i * n + j] = magnetizations[i] * magnetizations[j];
            }
        }
        // Sites of one component; others are independent.
        let together = |i: usize, j: usize| compiled.component(i) == compiled.component(j);
        for &site in &compiled.program.ordering.order {
            let i = site as usize;
            let (sigma, value) = if means.spins[i] < 0.0 { (-1.0, 1) } else { (1.0, 0) };
            let given = compiled.means(numbers, Some((site, value)), &self.params, Watch::new(observer))?;
            let twice = 1.0 + sigma * means.spins[i];
            for j in (0..n).filter(|&j| together(i, j)) {
                values[i * n + j] = sigma * (twice * given.spins[j] - means.spins[j]);
                values[j * n + i] = values[i * n + j];
            }
        }
        // A site held at +1, and those that correlate with it alone.
        let scalars: Vec<usize> = compiled.program.scalars.iter().map(|scalar| scalar.site as usize).collect();
        for &pinned in &compiled.program.ordering.pinned {
            let p = pinned as usize;
            let members: Vec<usize> = (0..n).filter(|&j| together(p, j)).collect();
            for &j in &members {
                values[p * n + j] = means.spins[j];
                values[j * n + p] = means.spins[j];
            }
            for &i in members.iter().filter(|i| scalars.contains(i)) {
                for &j in members.iter().filter(|&&j| j != p) {
                    values[i * n + j] = means.spins[i] * means.spins[j];
                    values[j * n + i] = values[i * n + j];
                }
            }
        }
        let pairs = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)));
        Ok(pairs.map(|(i, j)| ((i, j), Estimate::exact(values[i * n + j]))).collect())
    }
}

/// Turns means with one site of each even component held into those of the model.
fn finish(compiled: &Compiled, means: &Means) -> Marginals {
    let interactions = &compiled.interactions;
    let ordering = &compiled.program.ordering;
    let mut symmetric = vec![false; interactions.n_spins];
    for &site in &ordering.pinned {
        symmetric[ordering.component[site as usize] as usize] = true;
    }
    let magnetizations: Vec<f64> = means
        .spins
        .iter()
        .zip(&ordering.component)
        .map(|(&mean, &component)| if symmetric[component as usize] { 0.0 } else { mean })
        .collect();
    let mut products = means.interactions.clone();
    for (a, product) in products.iter_mut().enumerate() {
        // Fields of value 0 are not part of the program.
        if let ([site], false) = (interactions.sites(a), compiled.program.active[a]) {
            *product = magnetizations[*site as usize];
        }
        // Constants of weight 0 neither.
        if interactions.sites(a).is_empty() {
            *product = 1.0;
        }
    }
    let sum: f64 = products.iter().zip(&interactions.weights).map(|(mean, w)| mean * w).sum();
    Marginals { ln_z: means.ln_z, energy: interactions.offset - sum, magnetizations, interactions: products }
}

impl<M: FrontierModel> LogPartition<M> for TransferMatrix {
    fn ln_z_observed(&self, model: &M, beta: f64, observer: &mut dyn Observer<Progress>) -> Result<LnZ> {
        self.ln_z_of(model, beta, observer)
    }
}

impl<M: FrontierModel> PrepareLogPartition<M> for TransferMatrix {
    fn prepare(&self, model: &M) -> Result<Box<dyn LogPartitionPlan>> {
        let compiled = self.compile(model, ZeroCouplings::Keep)?;
        Ok(Box::new(TransferMatrixPlan::new(compiled, self.params.clone())))
    }
}

impl<M: FrontierModel> Solve<M> for TransferMatrix {
    fn name(&self) -> &'static str {
        NAME
    }

    fn check(&self, model: &M, beta: f64) -> Result<()> {
        self.check_model(model, beta)
    }

    fn solve(&self, model: &M, beta: f64, want: Quantities, observer: &mut dyn Observer<Progress>) -> Result<Solution> {
        self.solve_model(model, beta, want, observer)
    }
}
