//! Engines by name, and which one suits a model.

use linalg_core::Streams;

use super::cluster::{Niedermayer, SwendsenWang, TorusSwendsenWang, TorusWolff, UniformTorus, Wolff};
use super::multispin::{HypercubicLattice, Replicas};
use super::vector::VectorReplicas;
use super::{Chain, ColoredChain, Coloring, Dynamics, HeatBath, Metropolis};
use crate::model::{EnergyModel, Simulation};
use crate::models::{Ising, Shape};
use crate::{Error, Result};

/// Replicas of the packed engine where a model is no single square lattice: one machine word.
const REPLICAS: usize = 64;

/// Replicas with real couplings: one vector of 32-bit numbers.
const VECTOR: usize = 16;

/// Sites from which a lattice is packed by itself instead of as replicas, in two dimensions and in more.
///
/// Replicas of a cubic lattice are as fast, but need 64 times the memory, and all of them have to forget how they began.
const PACKED_SITES: [usize; 2] = [1 << 10, 1 << 18];

/// Spins from which one chain is coloured, and how many its classes must have in the mean.
const COLORED: [usize; 2] = [1 << 15, 1 << 12];

/// Correlation length from which clusters pay, in lattice spacings.
///
/// Packed spins are about 60 times as fast per site as Swendsen-Wang, and a single-spin sweep decorrelates in
/// `ξ^2.17` sweeps where clusters take about five.
const LONG: f64 = 20.0;

/// A simulation of an Ising model at one temperature, chosen by name.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::exact::Kaufman;
/// use spin_models::mcmc::{Engine, Observables};
/// use spin_models::{Boundary, Ising, Simulation};
///
/// let model = Ising::square(32, Boundary::Periodic, 1.0)?;
/// // Far from the transition at β = 0.4407 the packed lattice is best, close to it clusters.
/// assert_eq!(Engine::plan(&model, 0.3).engine, Engine::Multispin);
/// assert_eq!(Engine::plan(&model, 0.44).engine, Engine::SwendsenWang);
///
/// let mut simulation = Engine::Multispin.simulation(&model, 0.3, Streams::new(1), 0)?;
/// let mut averages = Observables::new(model.fields().len(), simulation.n_lanes());
/// simulation.advance(100, &mut ());
/// simulation.run(10_000, 1, &mut averages, &mut ());
/// let exact = Kaufman::isotropic(32, 32, 1.0)?.at(0.3)?.energy / 1024.0;
/// let e = averages.energy_per_spin();
/// assert!((e.value - exact).abs() < 4.0 * e.std_error.unwrap(), "{e}");
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Engine {
    /// [`Metropolis`], one chain: any model. From 32768 spins on a [`ColoredChain`], unless it has many classes.
    Metropolis,
    /// [`HeatBath`], one chain: any model. A [`ColoredChain`] as for [`Metropolis`](Self::Metropolis).
    HeatBath,
    /// [`HypercubicLattice`] for couplings ±J or 0 on square lattices of 1024 sites or more, and on those of
    /// equal lengths in three and four dimensions of 262144 or more; otherwise 64 [`Replicas`], for couplings and fields that are small
    /// multiples of one number.
    Multispin,
    /// 16 [`VectorReplicas`]: any model.
    Vector,
    /// [`Wolff`], or [`TorusWolff`] for the uniform ferromagnet on a torus; a sweep turns one cluster.
    Wolff,
    /// [`SwendsenWang`], or [`TorusSwendsenWang`] for the uniform ferromagnet on a torus; a sweep decomposes the whole
    /// lattice.
    SwendsenWang,
    /// [`Niedermayer`] with E₀ = 0, half way between single flips and Wolff's clusters; a sweep tries one cluster.
    Niedermayer,
}

/// What [`Engine::plan`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnginePlan {
    /// The engine.
    pub engine: Engine,
    /// Why, as half a sentence: `correlation length about 13 of 32`.
    pub reason: String,
}

impl Engine {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Metropolis,
        Self::HeatBath,
        Self::Multispin,
        Self::Vector,
        Self::Wolff,
        Self::SwendsenWang,
        Self::Niedermayer,
    ];

    /// The name in output: `heat-bath`, `swendsen-wang`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Metropolis => "metropolis",
            Self::HeatBath => "heat-bath",
            Self::Multispin => "multispin",
            Self::Vector => "vector",
            Self::Wolff => "wolff",
            Self::SwendsenWang => "swendsen-wang",
            Self::Niedermayer => "niedermayer",
        }
    }

    /// The engine of a name.
    ///
    /// ```
    /// use spin_models::mcmc::Engine;
    ///
    /// assert_eq!(Engine::from_name("wolff"), Some(Engine::Wolff));
    /// assert_eq!(Engine::from_name("anything"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|engine| engine.name() == name)
    }

    /// The engine that gives most independent samples a second for this model, by rules of thumb. `O(N + M)`.
    ///
    /// Clusters where the model has no field, is not frustrated and is below its transition or close to it: on a
    /// uniform torus where the correlation length $`ξ ≈ |1 - K/K_c|^{-ν} / 2`$ is longer than 20; on other graphs
    /// where $`\tanh(β|J|)(c - 1) > 0.8`$, the transition of a tree being at 1, with |J| the mean coupling and
    /// c the mean degree at the end of a bond. Otherwise packed spins where the couplings allow them, and vectors of
    /// replicas where not. Frustrated models at low temperature need [`ParallelTempering`](super::ParallelTempering), which is
    /// not for one temperature.
    pub fn plan(model: &Ising, beta: f64) -> EnginePlan {
        if let Some(reason) = clusters_pay(model, beta) {
            return EnginePlan { engine: Self::SwendsenWang, reason };
        }
        match Self::Multispin.simulation(model, 0.0, Streams::new(0), 0) {
            Ok(_) => EnginePlan { engine: Self::Multispin, reason: "couplings fit into packed spins".to_owned() },
            Err(error) => EnginePlan { engine: Self::Vector, reason: error.to_string() },
        }
    }

    /// The simulation, from random spins. It draws from unit `unit` of `streams`.
    ///
    /// # Errors
    /// [`Error::Beta`]; [`Error::NotApplicable`] from [`Multispin`](Self::Multispin), which names the coupling or field;
    /// [`Error::TooLarge`] if the memory is not there.
    pub fn simulation<'a>(
        self,
        model: &'a Ising,
        beta: f64,
        streams: Streams,
        unit: u64,
    ) -> Result<Box<dyn Simulation + Send + 'a>> {
        self.simulation_on(model, beta, streams, unit, 1)
    }

    /// The same simulation on up to `threads` threads, where one run can use them: [`Multispin`](Self::Multispin) on single
    /// lattices, [`Metropolis`](Self::Metropolis) and [`HeatBath`](Self::HeatBath) on large models. The spins do not depend
    /// on the number of threads.
    ///
    /// # Errors
    /// As [`simulation`](Self::simulation).
    pub fn simulation_on<'a>(
        self,
        model: &'a Ising,
        beta: f64,
        streams: Streams,
        unit: u64,
        threads: usize,
    ) -> Result<Box<dyn Simulation + Send + 'a>> {
        Ok(match self {
            Self::Metropolis => single(model, Dynamics::Metropolis, beta, streams, unit, threads)?,
            Self::HeatBath => single(model, Dynamics::HeatBath, beta, streams, unit, threads)?,
            Self::Multispin => packed(model, beta, streams, unit, threads)?,
            Self::Vector => Box::new(VectorReplicas::new(model, VECTOR, Dynamics::Metropolis, beta, streams, unit)?),
            Self::Wolff => match UniformTorus::recognize(model) {
                Some(torus) => {
                    let kernel = TorusWolff::new(&torus, beta)?;
                    Box::new(Chain::new(torus, kernel, beta, streams, unit)?)
                }
                None => Box::new(Chain::new(model, Wolff::new(model, beta)?, beta, streams, unit)?),
            },
            Self::SwendsenWang => match UniformTorus::recognize(model) {
                Some(torus) => {
                    let kernel = TorusSwendsenWang::new(&torus, beta)?;
                    Box::new(Chain::new(torus, kernel, beta, streams, unit)?)
                }
                None => Box::new(Chain::new(model, SwendsenWang::new(model, beta)?, beta, streams, unit)?),
            },
            Self::Niedermayer => Box::new(Chain::new(model, Niedermayer::new(model, beta, 0.0)?, beta, streams, unit)?),
        })
    }
}

fn single<'a>(
    model: &'a Ising,
    dynamics: Dynamics,
    beta: f64,
    streams: Streams,
    unit: u64,
    threads: usize,
) -> Result<Box<dyn Simulation + Send + 'a>> {
    let n = model.n_spins();
    if n >= COLORED[0] {
        let coloring = Coloring::greedy(model);
        if n / coloring.n_classes() >= COLORED[1] {
            let chain = ColoredChain::new(model, &coloring, dynamics, beta, streams, unit)?;
            return Ok(Box::new(chain.with_threads(threads)));
        }
    }
    Ok(match dynamics {
        Dynamics::Metropolis => Box::new(Chain::new(model, Metropolis::default(), beta, streams, unit)?),
        Dynamics::HeatBath => Box::new(Chain::new(model, HeatBath::default(), beta, streams, unit)?),
    })
}

fn packed(model: &Ising, beta: f64, streams: Streams, unit: u64, threads: usize) -> Result<Box<dyn Simulation + Send>> {
    for lengths in boxes(model) {
        match HypercubicLattice::new(model, lengths, Dynamics::Metropolis, beta, streams, unit) {
            // Odd tori and several absolute values: replicas may do.
            Err(Error::NotApplicable { .. }) => {}
            other => return Ok(Box::new(other?.with_threads(threads))),
        }
    }
    Ok(Box::new(Replicas::new(model, REPLICAS, Dynamics::Metropolis, beta, streams, unit)?))
}

/// Lattices that a model may be, if it is large enough for one: a rectangle, or a cube of three or four dimensions.
fn boxes(model: &Ising) -> Vec<Vec<usize>> {
    let n = model.n_spins();
    let mut boxes = Vec::new();
    if n >= PACKED_SITES[0]
        && let Some(shape) = Shape::recognize(n, model.couplings().map(|(i, j, _)| (i, j)))
        && shape.dimension() == 2
    {
        boxes.push(shape.lengths().to_vec());
    }
    if n >= PACKED_SITES[1] {
        for dimension in [3, 4] {
            let length = (n as f64).powf(1.0 / f64::from(dimension)).round() as usize;
            if length.checked_pow(dimension) == Some(n) {
                boxes.push(vec![length; dimension as usize]);
            }
        }
    }
    boxes
}

/// Why clusters pay, if they do.
fn clusters_pay(model: &Ising, beta: f64) -> Option<String> {
    if model.has_fields() || model.n_couplings() == 0 || is_frustrated(model) {
        return None;
    }
    if let Some(torus) = UniformTorus::recognize(model)
        && let Some((critical, nu)) = transition(&torus)
    {
        let distance = (1.0 - beta * torus.coupling() / critical).abs();
        let length = torus.lengths().iter().copied().max().unwrap_or(0) as f64;
        if beta * torus.coupling() > critical {
            return Some("below the transition, where single flips leave stripes".to_owned());
        }
        let correlation = (0.5 * distance.powf(-nu)).min(length);
        return (correlation > LONG)
            .then(|| format!("correlation length about {correlation:.0} on a torus of length {length}"));
    }
    let degrees = (0..model.n_spins()).map(|i| model.degree(i) as f64);
    let (sum, squares) = degrees.fold((0.0, 0.0), |(sum, squares), d| (sum + d, squares + d * d));
    let mean = model.couplings().map(|(.., coupling)| coupling.abs()).sum::<f64>() / model.n_couplings() as f64;
    let branching = (beta * mean).tanh() * (squares / sum - 1.0);
    (branching > 0.8).then(|| format!("no frustration and tanh(beta J)(c - 1) = {branching:.2}"))
}

/// Critical coupling and exponent ν of the torus with equal lengths in 2, 3 or 4 dimensions.
///
/// The values in three and four dimensions are from A. M. Ferrenberg, J. Xu and D. P. Landau, Phys. Rev. E 97, 043301
/// (2018), and P. H. Lundow and K. Markström, Nucl. Phys. B 845, 120 (2011); rounded, since only the order matters.
fn transition(torus: &UniformTorus) -> Option<(f64, f64)> {
    match torus.lengths().len() {
        2 => Some((crate::exact::onsager::CRITICAL_COUPLING, 1.0)),
        3 => Some((0.221_654_6, 0.63)),
        4 => Some((0.149_695, 0.5)),
        _ => None,
    }
}

/// Whether no assignment of spins satisfies every coupling.
fn is_frustrated(model: &Ising) -> bool {
    let mut signs = vec![0i8; model.n_spins()];
    let mut stack = Vec::new();
    for root in 0..signs.len() {
        if signs[root] != 0 {
            continue;
        }
        signs[root] = 1;
        stack.push(root);
        while let Some(i) = stack.pop() {
            let (neighbors, couplings) = model.row(i);
            for (&j, &coupling) in neighbors.iter().zip(couplings) {
                let j = j as usize;
                if coupling == 0.0 {
                    continue;
                }
                let wanted = if coupling > 0.0 { signs[i] } else { -signs[i] };
                if signs[j] == 0 {
                    signs[j] = wanted;
                    stack.push(j);
                } else if signs[j] != wanted {
                    return true;
                }
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcmc::Observables;
    use crate::models::{Boundary, Disorder, Lattice};

    fn planned(model: &Ising, beta: f64) -> Engine {
        Engine::plan(model, beta).engine
    }

    #[test]
    fn plans_follow_the_model() -> Result<()> {
        let mut rng = Streams::new(3).stream(0);
        let square = Lattice::square(64, Boundary::Periodic)?;
        assert_eq!(planned(&Ising::ferromagnet(&square, 1.0)?, 0.2), Engine::Multispin);
        assert_eq!(planned(&Ising::ferromagnet(&square, 1.0)?, 0.44), Engine::SwendsenWang);
        // A ferromagnet in another gauge.
        let signs: Vec<i8> = (0..64 * 64).map(|i| if i % 7 < 3 { 1 } else { -1 }).collect();
        assert_eq!(planned(&Ising::ferromagnet(&square, 1.0)?.gauge_transform(&signs), 0.44), Engine::SwendsenWang);
        let glass = Ising::edwards_anderson(&square, Disorder::plus_minus(), &mut rng)?;
        assert_eq!(planned(&glass, 1.0), Engine::Multispin);
        let gaussian = Ising::edwards_anderson(&square, Disorder::gaussian(), &mut rng)?;
        assert_eq!(planned(&gaussian, 1.0), Engine::Vector);
        assert_eq!(planned(&Ising::ferromagnet(&square, 1.0)?, 0.7), Engine::SwendsenWang);
        let cubic = Ising::cubic(32, Boundary::Periodic, 1.0)?;
        assert_eq!(planned(&cubic, 0.2216), Engine::SwendsenWang);
        assert_eq!(planned(&cubic, 0.15), Engine::Multispin);
        // A graph that is no torus, hot and cold; with a field clusters are held.
        let random = Ising::ferromagnet(&Lattice::random_regular(200, 3, &mut rng)?, 1.0)?;
        assert_eq!(planned(&random, 0.1), Engine::Multispin);
        assert_eq!(planned(&random, 0.5), Engine::SwendsenWang);
        let field = Ising::builder(2).coupling(0, 1, 1.0).field(0, 1.0).build()?;
        assert_eq!(planned(&field, 5.0), Engine::Multispin);
        let free = Ising::builder(3).build()?;
        assert_eq!(planned(&free, 1.0), Engine::Multispin);
        Ok(())
    }

    #[test]
    fn large_models_run_on_several_threads() -> Result<()> {
        let mut rng = Streams::new(5).stream(0);
        let cubic = Lattice::cubic(32, Boundary::Periodic)?;
        let gaussian = Ising::edwards_anderson(&cubic, Disorder::gaussian(), &mut rng)?;
        let large = Ising::cubic(64, Boundary::Free, 1.0)?;
        // A site coupled to 20000 others leaves the rest in one class or two: few classes all the same.
        let star = Ising::builder(40_000).couplings((1..20_000).map(|i| (0, i, 0.01))).build()?;
        for (engine, model, lanes) in [
            (Engine::Metropolis, &gaussian, 1),
            (Engine::HeatBath, &gaussian, 1),
            (Engine::HeatBath, &star, 1),
            (Engine::Multispin, &Ising::ferromagnet(&cubic, 1.0)?, 64),
            (Engine::Multispin, &large, 1),
        ] {
            let mut one = engine.simulation(model, 0.2, Streams::new(1), 0)?;
            let mut two = engine.simulation_on(model, 0.2, Streams::new(1), 0, 2)?;
            assert_eq!((one.n_lanes(), one.advance(30, &mut ())), (lanes, two.advance(30, &mut ())));
            assert!(one.checkpoint() == two.checkpoint());
        }
        Ok(())
    }

    #[test]
    fn every_engine_runs_every_model_it_takes() -> Result<()> {
        let mut rng = Streams::new(4).stream(0);
        let lattice = Lattice::square(4, Boundary::Periodic)?;
        let models = [
            Ising::ferromagnet(&lattice, 1.0)?,
            Ising::edwards_anderson(&lattice, Disorder::gaussian(), &mut rng)?,
            Ising::square(33, Boundary::Periodic, 1.0)?,
            Ising::rectangle([32, 40], [Boundary::Free, Boundary::Periodic], -1.0)?,
            Ising::builder(16).couplings(lattice.edges().map(|(i, j)| (i, j, 1.0))).offset(7.0).build()?,
        ];
        for (k, model) in models.iter().enumerate() {
            for engine in Engine::ALL {
                let simulation = engine.simulation(model, 0.3, Streams::new(1), 0);
                if k == 1 && engine == Engine::Multispin {
                    assert!(matches!(simulation, Err(Error::NotApplicable { .. })));
                    continue;
                }
                let mut simulation = simulation?;
                simulation.advance(3, &mut ());
                assert_eq!((simulation.sweeps(), simulation.n_spins()), (3, model.n_spins()));
                let mut averages = Observables::new(model.n_spins(), simulation.n_lanes());
                simulation.measure(&mut averages);
                let lanes = simulation.n_lanes();
                let energies = (0..lanes).map(|lane| model.energy(&simulation.configuration(lane)));
                let mean = energies.sum::<f64>() / lanes as f64;
                approx::assert_relative_eq!(averages.energy().value, mean, max_relative = 1e-12);
                assert!(engine.simulation(model, f64::NAN, Streams::new(1), 0).is_err());
            }
        }
        Ok(())
    }
}
