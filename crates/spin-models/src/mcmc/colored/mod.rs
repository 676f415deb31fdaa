//! One Markov chain on several threads.

mod graph;
mod sweep;

use std::ops::Range;

use linalg_core::Observer;
use linalg_core::checkpoint::{Checkpoint, CheckpointError, Writer};
use linalg_core::rng::Streams;

use self::graph::{Graph, SharedSpins};
use self::sweep::{Block, SITES, Team, pieces};
use super::{Coloring, Dynamics, Observables, threads};
use crate::error::check_beta;
use crate::mcmc::saved_state::{read_progress, read_state};
use crate::model::{Progress, Simulation, SweepStats};
use crate::models::Ising;
use crate::{EnergyModel, Result, Spins};

/// Name in errors.
const SOLVER: &str = "coloured chain";

const KIND: &str = "coloured chain 1";

/// Updates for which one more thread is started: some tenths of a millisecond.
const UPDATES_PER_THREAD: u64 = 1 << 15;

/// One Markov chain of an Ising model with any couplings, class by class of a [`Coloring`], on several threads.
///
/// Sites of one class are not coupled, so that the order in which they are updated does not matter and several threads
/// can share them. Local fields are summed up from the neighbours at every visit: nothing but a spin is written, and
/// only by the thread that updates it. Every class is cut into blocks of 256 sites with a generator each, the fast
/// streams 0, 1, … of `streams.child(unit)`, so that the spins do not depend on the number of threads. Threads live
/// for one call of [`advance`](Simulation::advance) and meet after every class.
///
/// A sweep is the product of the single-site updates of [`Metropolis`](super::Metropolis) or
/// [`HeatBath`](super::HeatBath) in the order of the classes. It costs `O(N + M)` at any acceptance, where the local
/// fields kept by a [`Chain`](super::Chain) are updated for accepted flips alone: at low temperature one thread of this
/// is slower than a `Chain`. More threads pay where a class has some thousand sites; models of many small classes, such
/// as dense ones, are swept by one thread.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::mcmc::{ColoredChain, Coloring, Dynamics, Observables};
/// use spin_models::{Ising, Simulation};
///
/// // A ring of 16 spins: e = -tanh β · (1 + t^14) / (1 + t^16) with t = tanh β.
/// let ring = Ising::builder(16).couplings((0..16).map(|i| (i, (i + 1) % 16, 1.0))).build()?;
/// let coloring = Coloring::checkerboard(&ring)?;
/// let chain = ColoredChain::new(&ring, &coloring, Dynamics::HeatBath, 0.5, Streams::new(1), 0)?;
/// let mut chain = chain.with_threads(2);
/// let mut averages = Observables::new(16, 1);
/// chain.advance(100, &mut ());
/// chain.run(20_000, 1, &mut averages, &mut ());
///
/// let t = 0.5f64.tanh();
/// let exact = -t * (1.0 + t.powi(14)) / (1.0 + t.powi(16));
/// let e = averages.energy_per_spin();
/// assert!((e.value - exact).abs() < 4.0 * e.std_error.unwrap());
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ColoredChain {
    graph: Graph,
    dynamics: Dynamics,
    beta: f64,
    /// By place.
    spins: SharedSpins,
    blocks: Vec<Block>,
    sweeps: u64,
    threads: usize,
    problem: u64,
}

impl ColoredChain {
    /// A chain that starts from random spins.
    ///
    /// # Errors
    /// [`Error::Beta`](crate::Error::Beta) unless `beta` is finite and not negative;
    /// [`Error::WrongLength`](crate::Error::WrongLength) if the colouring is for another number of sites;
    /// [`Error::NotApplicable`](crate::Error::NotApplicable) naming two coupled sites of one class;
    /// [`Error::TooLarge`](crate::Error::TooLarge) if the memory is not there.
    ///
    /// ```
    /// use linalg_core::Streams;
    /// use spin_models::Ising;
    /// use spin_models::mcmc::{ColoredChain, Coloring, Dynamics};
    ///
    /// let path = Ising::builder(3).couplings([(0, 1, 1.0), (1, 2, 0.5)]).build()?;
    /// let other = Ising::builder(3).coupling(0, 2, 1.0).build()?;
    /// let coloring = Coloring::checkerboard(&path)?;
    /// let error = ColoredChain::new(&other, &coloring, Dynamics::HeatBath, 1.0, Streams::new(1), 0).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "coloured chain does not apply: sites 0 and 2 are coupled and in the same class of the colouring"
    /// );
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    pub fn new(
        model: &Ising,
        coloring: &Coloring,
        dynamics: Dynamics,
        beta: f64,
        streams: Streams,
        unit: u64,
    ) -> Result<Self> {
        check_beta(beta)?;
        let graph = Graph::new(model, coloring)?;
        let problem = graph.content_hash(model.content_hash());
        let streams = streams.child(unit);
        let mut spins = Vec::with_capacity(graph.n());
        let mut blocks = Vec::with_capacity(graph.n().div_ceil(SITES));
        for (k, (class, places)) in pieces(&graph).enumerate() {
            let mut rng = streams.fast_stream(k as u64);
            spins.extend(Spins::random(places.len(), &mut rng).into_vec());
            blocks.push(Block { class, places, rng });
        }
        let spins = SharedSpins::new(spins.into_iter());
        Ok(Self { graph, dynamics, beta, spins, blocks, sweeps: 0, threads: 1, problem })
    }

    /// Sweeps on up to this many threads, as far as classes have 1024 sites or more for each of them; the spins do not
    /// depend on it. The default is 1.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Goes to another temperature; the configuration stays.
    ///
    /// # Errors
    /// [`Error::Beta`](crate::Error::Beta) unless `beta` is finite and not negative.
    pub fn set_beta(&mut self, beta: f64) -> Result<()> {
        check_beta(beta)?;
        self.beta = beta;
        Ok(())
    }

    /// The configuration.
    pub fn spins(&self) -> Vec<i8> {
        let mut spins = vec![1; self.graph.n()];
        for (&site, spin) in self.graph.sites.iter().zip(self.spins.iter()) {
            spins[site as usize] = spin;
        }
        spins
    }

    /// Replaces the configuration; values below 0 are down.
    ///
    /// # Panics
    /// If `s` has the wrong length.
    pub fn set_spins(&mut self, s: &[i8]) {
        let n = self.graph.n();
        assert_eq!(s.len(), n, "{} spins for {n} sites", s.len());
        for (place, &site) in self.graph.sites.iter().enumerate() {
            self.spins.set(place, if s[site as usize] < 0 { -1 } else { 1 });
        }
    }

    /// The energy, summed up on as many threads as a sweep. `O(N + M)`.
    pub fn energy(&self) -> f64 {
        let mut parts: Vec<(Range<usize>, f64)> = self.blocks.iter().map(|block| (block.places.clone(), 0.0)).collect();
        threads::for_each(self.useful_threads(1), &mut parts, |(places, energy)| {
            *energy = self.graph.energy(places.clone(), &self.spins);
        });
        // In the order of the blocks, so that rounding does not depend on the threads.
        self.graph.offset() + parts.iter().map(|(_, energy)| energy).sum::<f64>()
    }

    /// The sum of the spins.
    pub fn magnetization(&self) -> i64 {
        self.spins.iter().map(i64::from).sum()
    }

    /// Threads for some sweeps.
    fn useful_threads(&self, sweeps: u64) -> usize {
        let n_classes = self.graph.class_start.len() - 1;
        let per_class = self.blocks.len() / n_classes.max(1);
        let updates = (self.graph.n() as u64).saturating_mul(sweeps);
        threads::worthwhile(self.threads.min(per_class / 4), updates, UPDATES_PER_THREAD)
    }
}

impl Simulation for ColoredChain {
    fn n_spins(&self) -> usize {
        self.graph.n()
    }

    fn n_lanes(&self) -> usize {
        1
    }

    fn beta(&self, lane: usize) -> f64 {
        assert!(lane == 0, "lane {lane} of 1");
        self.beta
    }

    fn sweeps(&self) -> u64 {
        self.sweeps
    }

    fn configuration(&self, lane: usize) -> Spins {
        assert_eq!(lane, 0, "lane {lane} of 1");
        Spins::from_known_signs(self.spins())
    }

    /// Reports after every sweep.
    fn advance(&mut self, sweeps: u64, observer: &mut dyn Observer<Progress>) -> SweepStats {
        let threads = self.useful_threads(sweeps);
        let Self { graph, spins, blocks, dynamics, beta, .. } = self;
        let team = Team { graph, spins, dynamics: *dynamics, beta: *beta, threads, sweeps };
        let (done, flips) = team.advance(blocks, observer);
        self.sweeps += done;
        SweepStats { attempted: done * self.n_spins() as u64, accepted: flips, flipped: flips, clusters: 0 }
    }

    fn measure(&mut self, into: &mut Observables) {
        assert_eq!(into.n_lanes(), 1, "observables of {} lanes for a single chain", into.n_lanes());
        if into.needs_spins() {
            into.record(0, self.energy(), &self.spins());
        } else {
            into.record_totals(0, self.energy(), self.magnetization());
        }
    }

    fn checkpoint(&self) -> Checkpoint {
        let mut state = Writer::new();
        state.write_f64(self.beta).write_bool(self.dynamics == Dynamics::HeatBath).write_u64(self.sweeps);
        state.write_i8s(&self.spins());
        self.blocks.iter().for_each(|block| {
            state.write_xoshiro(&block.rng);
        });
        Checkpoint::new(KIND, self.problem, state)
    }

    fn restore(&mut self, from: &Checkpoint) -> Result<()> {
        let (beta, sweeps, spins, generators) = read_state(from, KIND, self.problem, |reader| {
            let at = reader.position();
            let (beta, sweeps) = read_progress(reader, self.dynamics)?;
            let mut signs = vec![0; self.graph.n()];
            reader.read_i8s_into(&mut signs)?;
            let spins = Spins::from_signs(&signs).map_err(|_| CheckpointError::Invalid { what: "spin", at })?;
            let mut generators = Vec::with_capacity(self.blocks.len());
            for _ in &self.blocks {
                generators.push(reader.read_xoshiro()?);
            }
            Ok((beta, sweeps, spins, generators))
        })?;
        (self.beta, self.sweeps) = (beta, sweeps);
        self.set_spins(&spins);
        self.blocks.iter_mut().zip(generators).for_each(|(block, rng)| block.rng = rng);
        Ok(())
    }
}
