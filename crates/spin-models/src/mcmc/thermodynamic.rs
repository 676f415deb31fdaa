//! ln Z by thermodynamic integration.

use linalg_core::stats::{Binning, Estimate, Running};
use linalg_core::{Observer, Streams};

use super::Chain;
use super::clenshaw_curtis::ClenshawCurtis;
use super::observables::Pooled;
use super::threads;
use crate::error::check_beta;
use crate::model::{CachedModel, LnZ, MarkovKernel, Progress};
use crate::{Error, Result};

const NAME: &str = "thermodynamic integration";

/// Effort of [`thermodynamic_integration`].
///
/// ```
/// use spin_models::mcmc::ThermodynamicParams;
///
/// let params = ThermodynamicParams::default().with_chains(4).with_sweeps(500);
/// assert_eq!((params.chains, params.sweeps, params.intervals), (4, 500, 16));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ThermodynamicParams {
    /// Intervals between the nodes of a panel, a multiple of 4; 16 by default.
    pub intervals: usize,
    /// Measured sweeps a node and chain; 2000 by default.
    pub sweeps: u64,
    /// Sweeps a node and chain before the measured ones; 400 by default.
    pub equilibration: u64,
    /// Independent chains; 8 by default.
    pub chains: usize,
    /// Threads; 1 by default. The numbers do not depend on it.
    pub threads: usize,
}

impl Default for ThermodynamicParams {
    fn default() -> Self {
        Self { intervals: 16, sweeps: 2000, equilibration: 400, chains: 8, threads: 1 }
    }
}

impl ThermodynamicParams {
    /// The same with this number of intervals a panel.
    pub fn with_intervals(mut self, intervals: usize) -> Self {
        self.intervals = intervals;
        self
    }

    /// The same with these measured sweeps a node, and a fifth of them before.
    pub fn with_sweeps(mut self, sweeps: u64) -> Self {
        self.sweeps = sweeps;
        self.equilibration = sweeps.div_ceil(5);
        self
    }

    /// The same with these sweeps before the measured ones.
    pub fn with_equilibration(mut self, sweeps: u64) -> Self {
        self.equilibration = sweeps;
        self
    }

    /// The same with this number of chains.
    pub fn with_chains(mut self, chains: usize) -> Self {
        self.chains = chains;
        self
    }

    /// The same on this number of threads.
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    fn check(&self) -> Result<()> {
        let refuse = |what, value: String, expected| Err(Error::Parameter { what, value, expected });
        if self.intervals == 0 || !self.intervals.is_multiple_of(4) {
            return refuse("intervals", self.intervals.to_string(), "a positive multiple of 4");
        }
        if self.sweeps == 0 {
            return refuse("sweeps", self.sweeps.to_string(), "at least 1");
        }
        if self.chains == 0 {
            return refuse("chains", self.chains.to_string(), "at least 1");
        }
        Ok(())
    }
}

/// A temperature at which the energy was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ThermodynamicNode {
    /// The inverse temperature.
    pub beta: f64,
    /// Its weight in the integral over β.
    pub weight: f64,
    /// The mean energy there.
    pub energy: Estimate,
    /// Integrated autocorrelation time of the energy, in sweeps.
    pub tau: f64,
}

/// What [`thermodynamic_integration`] found.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ThermodynamicIntegration {
    /// ln Z, with both errors below in its standard error.
    pub ln_z: LnZ,
    /// The part of the error that comes from sampling.
    pub statistical_error: f64,
    /// The part that comes from the quadrature: full rule against embedded rule, as far as noise does not explain it.
    pub quadrature_error: f64,
    /// The nodes, β ascending.
    pub nodes: Vec<ThermodynamicNode>,
}

/// Chains that go up in β together.
struct Climber<M: CachedModel, K> {
    chain: Chain<M, K>,
    energies: Binning,
}

/// ln Z from the mean energies between 0 and β.
///
/// ```math
/// \ln Z(\beta) = N \ln 2 - \int_0^\beta \langle E \rangle_{\beta'}\, d\beta'
/// ```
///
/// The integral is a composite Clenshaw-Curtis rule. Its first panel ends where β times the typical local field is 1.5;
/// each further one is as wide as all before it. The chains begin with random spins at β = 0 and climb from node to
/// node. The error has two parts. The sampling error is the larger of that from the autocorrelation within chains and
/// that from the spread of the integrals of the chains, and that of a single chain where they disagree, as in
/// [`Observables`](super::Observables). The quadrature error is the difference from the embedded rule
/// of half the order, less its own noise; it overestimates.
///
/// Below a glass or first-order transition chains leave equilibrium. Where they end in different valleys the spread
/// shows it; where all stay above the true energies, ln Z comes out too small and no error bar tells.
///
/// Cost: (nodes) · (chains) · (sweeps + equilibration) sweeps; 16 nodes a panel, panels grow with ln β. Chain `c`
/// draws from fast stream `c`.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::Ising;
/// use spin_models::mcmc::{HeatBath, ThermodynamicParams, thermodynamic_integration};
///
/// // A pair: Z = 4 cosh βJ.
/// let pair = Ising::builder(2).coupling(0, 1, 1.0).build()?;
/// let params = ThermodynamicParams::default();
/// let result = thermodynamic_integration(&pair, &HeatBath::default(), 1.5, &params, Streams::new(1), &mut ())?;
/// let error = result.ln_z.std_error.unwrap();
/// assert!(error < 0.02 && (result.ln_z.value - (4.0 * 1.5f64.cosh()).ln()).abs() < 4.0 * error);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// # Errors
/// [`Error::Beta`], [`Error::Parameter`], or [`Error::Stopped`] when the observer stops it.
pub fn thermodynamic_integration<'a, M, K>(
    model: &'a M,
    kernel: &K,
    beta: f64,
    params: &ThermodynamicParams,
    streams: Streams,
    observer: &mut dyn Observer<Progress>,
) -> Result<ThermodynamicIntegration>
where
    M: CachedModel + Sync,
    K: MarkovKernel<&'a M> + Clone + Send,
{
    check_beta(beta)?;
    params.check()?;
    let mut climbers = Vec::with_capacity(params.chains);
    for unit in 0..params.chains as u64 {
        let chain = Chain::new(model, kernel.clone(), 0.0, streams, unit)?;
        climbers.push(Climber { chain, energies: Binning::new() });
    }
    let rule = CompositeRule::new(beta, typical_field(model, &climbers[0].chain), params.intervals);
    let total = rule.nodes.len() as u64;
    let mut integrals = Integrals::new(params.chains);
    let mut nodes = Vec::with_capacity(rule.nodes.len());
    for (done, node) in rule.nodes.iter().enumerate() {
        // Large models report within a node; pieces of 64 sweeps are still long against starting threads.
        let most_pieces = (params.equilibration + params.sweeps).div_ceil(64).min(20);
        for climber in &mut climbers {
            climber.chain.set_beta(node.beta)?;
            climber.energies = Binning::new();
        }
        for (measured, sweeps) in [(false, params.equilibration), (true, params.sweeps)] {
            for piece in threads::pieces(sweeps, most_pieces) {
                threads::for_each(params.threads, &mut climbers, |climber| climber.sweeps(piece, measured));
                if observer.observe(&Progress::new("integrating", done as u64, total)).is_break() {
                    return Err(Error::Stopped { solver: NAME, done: done as u64, total });
                }
            }
        }
        let energies: Vec<&Binning> = climbers.iter().map(|climber| &climber.energies).collect();
        let pooled = Pooled::of(&energies);
        integrals.add(node, &energies, &pooled);
        nodes.push(ThermodynamicNode {
            beta: node.beta,
            weight: node.weight,
            energy: pooled.estimate(),
            tau: pooled.tau,
        });
    }
    Ok(integrals.finish(model.n_spins(), nodes))
}

impl<M: CachedModel, K: MarkovKernel<M>> Climber<M, K> {
    fn sweeps(&mut self, sweeps: u64, measured: bool) {
        for _ in 0..sweeps {
            self.chain.sweep();
            if measured {
                self.energies.push(self.chain.energy());
            }
        }
    }
}

/// Root mean square of the local fields in a random configuration: what β is measured against.
fn typical_field<M: CachedModel, K>(model: &M, chain: &Chain<&M, K>) -> f64 {
    let fields = (0..model.n_spins()).map(|i| 0.5 * model.delta_energy(chain.spins(), i));
    fields.map(|field| field * field).collect::<Running>().mean().sqrt()
}

struct Node {
    beta: f64,
    weight: f64,
    /// Panels this node belongs to (two at an edge between panels) and its weight in full minus embedded rule.
    differences: Vec<(usize, f64)>,
}

struct CompositeRule {
    nodes: Vec<Node>,
}

impl CompositeRule {
    fn new(beta: f64, field: f64, intervals: usize) -> Self {
        let rule = ClenshawCurtis::new(intervals);
        let mut nodes: Vec<Node> = Vec::new();
        for (panel, edges) in panel_edges(beta, field).windows(2).enumerate() {
            let (middle, half) = (0.5 * (edges[0] + edges[1]), 0.5 * (edges[1] - edges[0]));
            for (k, x) in rule.nodes.iter().enumerate() {
                let weight = half * rule.weights[k];
                let difference = (panel, weight - half * rule.embedded[k]);
                match nodes.last_mut() {
                    Some(last) if k == 0 => {
                        last.weight += weight;
                        last.differences.push(difference);
                    }
                    // Rounding must not leave the interval.
                    _ => nodes.push(Node {
                        beta: (middle + half * x).clamp(edges[0], edges[1]),
                        weight,
                        differences: vec![difference],
                    }),
                }
            }
        }
        Self { nodes }
    }
}

/// 0, then `1.5 / field` and its doubles, and β; no last panel much narrower than the one before.
fn panel_edges(beta: f64, field: f64) -> Vec<f64> {
    let mut edges = vec![0.0];
    if beta > 0.0 {
        let mut edge = 1.5 / field;
        // A model without couplings has an infinite edge, one of NaN energies a NaN: one panel.
        while edge > 0.0 && edge < beta / 1.3 {
            edges.push(edge);
            edge *= 2.0;
        }
        edges.push(beta);
    }
    edges
}

/// Sums over the nodes.
struct Integrals {
    /// `∫⟨E⟩dβ` of every chain.
    chains: Vec<f64>,
    within: f64,
    long_enough: bool,
    /// Full minus embedded rule of every panel, and its variance.
    differences: Vec<(f64, f64)>,
}

impl Integrals {
    fn new(chains: usize) -> Self {
        Self { chains: vec![0.0; chains], within: 0.0, long_enough: true, differences: Vec::new() }
    }

    fn add(&mut self, node: &Node, energies: &[&Binning], pooled: &Pooled) {
        for (integral, energies) in self.chains.iter_mut().zip(energies) {
            *integral += node.weight * energies.mean();
        }
        self.within += node.weight * node.weight * pooled.within;
        self.long_enough &= pooled.long_enough();
        for &(panel, difference) in &node.differences {
            if self.differences.len() <= panel {
                self.differences.resize(panel + 1, (0.0, 0.0));
            }
            let (sum, variance) = &mut self.differences[panel];
            *sum += difference * pooled.mean;
            *variance += difference * difference * pooled.variance();
        }
    }

    fn finish(self, n_spins: usize, nodes: Vec<ThermodynamicNode>) -> ThermodynamicIntegration {
        let chains: Running = self.chains.iter().copied().collect();
        let weighted: Vec<(f64, f64)> = self.chains.iter().map(|&integral| (1.0, integral)).collect();
        let pooled = Pooled {
            mean: chains.mean(),
            within: self.within,
            // Judged node by node: long enough means that no node had too few sweeps.
            tau: if self.long_enough { 0.0 } else { f64::INFINITY },
            count: chains.count(),
            chains: self.chains.len(),
            between: Pooled::between(&weighted),
        };
        let statistical = pooled.variance();
        let quadrature: f64 = self
            .differences
            .iter()
            .map(
                |&(difference, variance)| {
                    if variance.is_finite() { (difference * difference - variance).max(0.0) } else { 0.0 }
                },
            )
            .sum();
        ThermodynamicIntegration {
            ln_z: LnZ::estimate(
                n_spins as f64 * std::f64::consts::LN_2 - pooled.mean,
                (statistical + quadrature).sqrt(),
            ),
            statistical_error: statistical.sqrt(),
            quadrature_error: quadrature.sqrt(),
            nodes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcmc::{HeatBath, Metropolis};
    use crate::{Enumeration, Ising, LogPartition, SherringtonKirkpatrick};
    use std::ops::ControlFlow;

    #[test]
    fn panels_cover_the_interval() {
        assert_eq!(panel_edges(0.0, 1.0), [0.0]);
        assert_eq!(panel_edges(0.7, 2.0), [0.0, 0.7]);
        assert_eq!(panel_edges(10.0, 1.0), [0.0, 1.5, 3.0, 6.0, 10.0]);
        for field in [0.0, f64::NAN, f64::INFINITY, 1e-300] {
            assert_eq!(panel_edges(2.0, field), [0.0, 2.0]);
        }
        let rule = CompositeRule::new(10.0, 1.0, 8);
        let sum = |power: i32| rule.nodes.iter().map(|node| node.weight * node.beta.powi(power)).sum::<f64>();
        approx::assert_relative_eq!(sum(0), 10.0, max_relative = 1e-14);
        approx::assert_relative_eq!(sum(4), 2e4, max_relative = 1e-13);
        assert_eq!(rule.nodes.len(), 4 * 8 + 1);
    }

    #[test]
    fn errors_are_honest_over_many_instances() {
        // 40 Gaussian models of 8 spins, β from 0.3 to 3, seed 7; the root mean square of z must be that of honest
        // errors. Half of them Metropolis, half heat bath.
        let params = ThermodynamicParams::default().with_sweeps(400);
        let z: Running = (0..40u32)
            .map(|k| {
                let model = SherringtonKirkpatrick::gaussian(8, &mut Streams::new(7).stream(k.into())).unwrap();
                let fields = (0..8).map(|i| 0.1 * f64::from((i * 5 + k as i32) % 7 - 3)).collect();
                let model = model.with_fields(fields).unwrap();
                let beta = 0.3 * 10f64.powf(f64::from(k) / 39.0);
                let streams = Streams::new(100 + u64::from(k));
                let estimate = if k % 2 == 0 {
                    thermodynamic_integration(&model, &Metropolis::default(), beta, &params, streams, &mut ())
                } else {
                    thermodynamic_integration(&model, &HeatBath::default(), beta, &params, streams, &mut ())
                };
                let (estimate, exact) = (estimate.unwrap().ln_z, Enumeration::default().ln_z(&model, beta).unwrap());
                (estimate.value - exact.value) / estimate.std_error.unwrap()
            })
            .collect();
        let rms = z.raw_moment(2).sqrt();
        assert!((0.6..1.5).contains(&rms), "rms z = {rms}");
        assert!(z.mean().abs() < 4.0 / 40f64.sqrt(), "mean z = {}", z.mean());
    }

    #[test]
    fn the_quadrature_error_covers_too_few_nodes() {
        // One node in the middle of a wide panel: exact sampling cannot save the rule, the error must.
        let model = Ising::builder(1).field(0, 1.0).offset(3.0).build().unwrap();
        let params = ThermodynamicParams::default().with_intervals(4).with_sweeps(20_000);
        let kernel = HeatBath::default();
        for beta in [1.0, 2.0, 8.0] {
            let result = thermodynamic_integration(&model, &kernel, beta, &params, Streams::new(1), &mut ()).unwrap();
            let exact = (2.0 * beta.cosh()).ln() - 3.0 * beta;
            let error = result.ln_z.std_error.unwrap();
            assert!((result.ln_z.value - exact).abs() < 4.0 * error, "{} ± {error} for {exact}", result.ln_z.value);
        }
        let wide = thermodynamic_integration(&model, &kernel, 1.9, &params, Streams::new(1), &mut ()).unwrap();
        assert!(wide.quadrature_error > 0.0 && wide.quadrature_error.is_finite());
    }

    #[test]
    fn threads_do_not_change_the_numbers() {
        let model = SherringtonKirkpatrick::gaussian(10, &mut Streams::new(3).stream(0)).unwrap();
        let run = |threads| {
            let params = ThermodynamicParams::default().with_sweeps(100).with_chains(5).with_threads(threads);
            thermodynamic_integration(&model, &HeatBath::default(), 1.0, &params, Streams::new(2), &mut ()).unwrap()
        };
        let one = run(1);
        assert_eq!(one, run(2));
        assert_eq!(one, run(7));
    }

    #[test]
    fn ends_stops_and_bad_parameters() {
        let model = Ising::builder(3).coupling(0, 1, 1.0).build().unwrap();
        let kernel = Metropolis::default();
        let run = |beta, params: &ThermodynamicParams, observer: &mut dyn Observer<Progress>| {
            thermodynamic_integration(&model, &kernel, beta, params, Streams::new(1), observer)
        };
        let params = ThermodynamicParams::default().with_sweeps(100);
        let zero = run(0.0, &params, &mut ()).unwrap();
        assert_eq!(zero.ln_z, LnZ::estimate(3.0 * std::f64::consts::LN_2, 0.0));
        assert!(matches!(run(f64::NAN, &params, &mut ()), Err(Error::Beta { .. })));
        for bad in [params.clone().with_intervals(6), params.clone().with_sweeps(0), params.clone().with_chains(0)] {
            assert!(matches!(run(1.0, &bad, &mut ()), Err(Error::Parameter { .. })));
        }
        let mut stop =
            |progress: &Progress| if progress.done < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
        assert!(matches!(run(1.0, &params, &mut stop), Err(Error::Stopped { done: 3, .. })));
        // One short chain cannot tell its error.
        let short = run(1.0, &params.clone().with_chains(1).with_sweeps(5), &mut ()).unwrap();
        assert_eq!(short.ln_z.std_error, Some(f64::INFINITY));
    }
}
