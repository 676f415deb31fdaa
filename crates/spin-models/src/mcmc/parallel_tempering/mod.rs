//! Replica exchange between temperatures.

mod core;
mod exchange;
mod ladder;
mod pair_move;
mod pairs;
mod solver;

use std::fmt;

use linalg_core::checkpoint::{Checkpoint, CheckpointError, Reader, Writer};
use linalg_core::rng::{Streams, Xoshiro256PlusPlus};
use linalg_core::{Error as CoreError, Observer};

use self::core::{Core, Phase, lock};
pub use self::exchange::ReplicaExchange;
pub use self::ladder::Ladder;
pub use self::pair_move::PairMove;
pub use self::solver::ParallelTemperingSolver;
use super::Observables;
use crate::model::{CachedModel, MarkovKernel, Progress, Simulation, SweepStats};
use crate::spins::Spins;
use crate::{Error, Result};

/// Sweeps after which the caches are computed afresh, so that rounding cannot build up.
const REFRESH: u64 = 256;

const KIND: &str = "parallel tempering 1";

/// How a [`ParallelTempering`] run is organised.
///
/// ```
/// use spin_models::mcmc::ParallelTemperingParams;
///
/// let params = ParallelTemperingParams::default().with_sets(2).with_threads(4);
/// assert_eq!((params.sets, params.swap_interval), (2, 1));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ParallelTemperingParams {
    /// Independent replicas at every temperature; 1 by default, at least 2 for overlaps and pair moves.
    pub sets: usize,
    /// Sweeps from one round of exchanges to the next; 1 by default.
    pub swap_interval: u64,
    /// Threads that share the replicas; 1 by default. The results do not depend on it.
    pub threads: usize,
    /// Lowest inverse temperature at which pair moves are made; 0 by default. Above the temperature where the clusters
    /// percolate they exchange whole replicas and are a waste.
    pub pair_moves_from: f64,
}

impl Default for ParallelTemperingParams {
    fn default() -> Self {
        Self { sets: 1, swap_interval: 1, threads: 1, pair_moves_from: 0.0 }
    }
}

impl ParallelTemperingParams {
    /// Sets the number of replicas at every temperature.
    pub fn with_sets(mut self, sets: usize) -> Self {
        self.sets = sets;
        self
    }

    /// Sets the number of sweeps between exchanges.
    pub fn with_swap_interval(mut self, sweeps: u64) -> Self {
        self.swap_interval = sweeps;
        self
    }

    /// Sets the number of threads.
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Sets the lowest inverse temperature of pair moves.
    pub fn with_pair_moves_from(mut self, beta: f64) -> Self {
        self.pair_moves_from = beta;
        self
    }

    fn check(&self, temperatures: usize, pair_moves: bool) -> Result<()> {
        let refuse = |what, value: String, expected| Err(Error::Parameter { what, value, expected });
        let least = if pair_moves { 2 } else { 1 };
        if self.sets < least {
            let expected = if pair_moves { "at least 2 for pair moves" } else { "at least 1" };
            return refuse("number of replica sets", self.sets.to_string(), expected);
        }
        if self.swap_interval == 0 {
            return refuse("swap interval", "0".into(), "at least 1");
        }
        if self.threads == 0 {
            return refuse("number of threads", "0".into(), "at least 1");
        }
        if self.pair_moves_from.is_nan() {
            return refuse("lowest beta of pair moves", "NaN".into(), "a number");
        }
        let bound = u32::MAX as usize;
        match self.sets.checked_mul(temperatures) {
            Some(replicas) if replicas <= bound => Ok(()),
            replicas => Err(Error::TooLarge {
                solver: "parallel tempering",
                what: "number of replicas",
                value: replicas.unwrap_or(usize::MAX),
                bound,
            }),
        }
    }
}

/// Parallel tempering: replicas of one model at a [`Ladder`] of temperatures, which they exchange.
///
/// Every sweep of all replicas by the kernel is followed by a round of exchanges (or every
/// [`swap_interval`](ParallelTemperingParams::swap_interval) sweeps): neighbouring temperatures exchange their replicas
/// with probability
///
/// ```math
/// \min\left(1, e^{(β_k - β_{k+1}) (E_k - E_{k+1})}\right)
/// ```
///
/// in turn for the even and the odd pairs, which lets replicas run along the ladder instead of diffusing. Temperatures
/// move and configurations stay where they are: an exchange needs the energy and the number of a replica.
///
/// The [`Simulation`] has a lane for each temperature. With several sets, of which only the replicas of one exchange
/// temperatures, the replicas of the sets are chains of their own in the lane. Where pair moves carry configurations from
/// one set to another the chains are not independent: the replicas of all sets are then put into one chain, one after the
/// other, whose errors are found from bins that hold all of them. With two or more sets a [`PairMove`] such as [`Houdayer`](super::cluster::Houdayer) acts
/// before each round of exchanges on random disjoint pairs of the replicas at one temperature.
///
/// Replica `r` draws from the fast stream `r` of the seed, the exchanges from the stream after the last replica, and
/// the pair moves of each temperature from the streams after that: any number of threads gives the same bits.
/// Memory: a configuration, its cache and a second copy of the configuration for each replica. The caches are
/// recomputed every 256 sweeps; [`restore`](Simulation::restore) repeats the sweeps since, which gives back every
/// rounded bit, and notices another kernel.
///
/// References: Hukushima and Nemoto, J. Phys. Soc. Jpn. 65, 1604 (1996); for even and odd rounds Syed, Bouchard-Côté,
/// Deligiannidis and Doucet, J. R. Stat. Soc. B 84, 321 (2022).
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::mcmc::{HeatBath, Ladder, Observables, ParallelTempering, ParallelTemperingParams};
/// use spin_models::{Ising, Simulation};
///
/// // One spin in a field: ⟨m⟩ = tanh βh at every temperature.
/// let model = Ising::builder(1).field(0, 1.0).build()?;
/// let ladder = Ladder::linear(0.2, 1.0, 3)?;
/// let params = ParallelTemperingParams::default();
/// let mut tempering = ParallelTempering::new(&model, HeatBath::default(), ladder, params, Streams::new(1))?;
/// let mut averages = Observables::new(1, tempering.n_lanes());
/// tempering.run(20_000, 1, &mut averages, &mut ());
/// for lane in 0..3 {
///     let m = averages.lane(lane).magnetization_per_spin();
///     assert!((m.value - tempering.beta(lane).tanh()).abs() < 4.0 * m.std_error.unwrap());
/// }
/// assert!(tempering.round_trips() > 1000);
/// # Ok::<(), spin_models::Error>(())
/// ```
pub struct ParallelTempering<M: CachedModel, K, X = ()> {
    model: M,
    ladder: Ladder,
    params: ParallelTemperingParams,
    core: Core<M::Cache, K, X>,
    sweeps: u64,
    fresh: Snapshot,
}

/// The state when the caches were last computed from scratch.
struct Snapshot {
    replicas: Vec<(Spins, Xoshiro256PlusPlus)>,
    exchange: ReplicaExchange,
    moves: Vec<(Xoshiro256PlusPlus, SweepStats)>,
    sweeps: u64,
}

impl Snapshot {
    fn of<C, K, X>(core: &Core<C, K, X>, sweeps: u64) -> Self {
        let replica = |replica| {
            let replica: &core::Replica<C> = &lock(replica);
            (replica.spins.clone(), replica.rng.clone())
        };
        let moves = |moves| {
            let moves: &core::Moves<X> = &lock(moves);
            (moves.rng.clone(), moves.stats)
        };
        Self {
            replicas: core.replicas.iter().map(replica).collect(),
            exchange: core.exchange().clone(),
            moves: core.moves.iter().map(moves).collect(),
            sweeps,
        }
    }

    fn write(&self, out: &mut Writer) {
        out.write_u64(self.sweeps);
        for (spins, rng) in &self.replicas {
            out.write_i8s(spins).write_xoshiro(rng);
        }
        self.exchange.write(out);
        for (rng, stats) in &self.moves {
            out.write_xoshiro(rng);
            for count in [stats.attempted, stats.accepted, stats.flipped, stats.clusters] {
                out.write_u64(count);
            }
        }
    }

    fn read(
        n_spins: usize,
        temperatures: usize,
        sets: usize,
        from: &mut Reader<'_>,
    ) -> std::result::Result<Self, CheckpointError> {
        let sweeps = from.read_count()?;
        let mut replicas = Vec::new();
        for _ in 0..temperatures * sets {
            let at = from.position();
            let mut signs = vec![0; n_spins];
            from.read_i8s_into(&mut signs)?;
            let spins = Spins::from_signs(&signs).map_err(|_| CheckpointError::Invalid { what: "spin", at })?;
            replicas.push((spins, from.read_xoshiro()?));
        }
        let exchange = ReplicaExchange::read(temperatures, sets, from)?;
        let mut moves = Vec::new();
        for _ in 0..temperatures {
            let rng = from.read_xoshiro()?;
            let (attempted, accepted) = (from.read_count()?, from.read_count()?);
            let (flipped, clusters) = (from.read_count()?, from.read_count()?);
            moves.push((rng, SweepStats { attempted, accepted, flipped, clusters }));
        }
        Ok(Self { replicas, exchange, moves, sweeps })
    }
}

impl<M: CachedModel, K: Clone> ParallelTempering<M, K> {
    /// Replicas with random spins at every temperature, without pair moves.
    ///
    /// # Errors
    /// [`Error::Parameter`] or [`Error::TooLarge`] for a parameter outside its range.
    pub fn new(model: M, kernel: K, ladder: Ladder, params: ParallelTemperingParams, streams: Streams) -> Result<Self> {
        params.check(ladder.len(), false)?;
        Ok(Self::build(model, kernel, (), ladder, params, streams))
    }
}

impl<M: CachedModel, K: Clone, X: PairMove<M>> ParallelTempering<M, K, X> {
    /// Replicas with random spins at every temperature, with pair moves among the sets.
    ///
    /// # Errors
    /// As for [`new`](ParallelTempering::new); fewer than two sets are refused.
    pub fn with_pair_moves(
        model: M,
        kernel: K,
        moves: X,
        ladder: Ladder,
        params: ParallelTemperingParams,
        streams: Streams,
    ) -> Result<Self> {
        params.check(ladder.len(), X::ACTIVE)?;
        Ok(Self::build(model, kernel, moves, ladder, params, streams))
    }
}

impl<M: CachedModel, K: Clone, X: Clone> ParallelTempering<M, K, X> {
    fn build(model: M, kernel: K, moves: X, ladder: Ladder, params: ParallelTemperingParams, streams: Streams) -> Self {
        let core = Core::new(&model, &kernel, &moves, ladder.len(), params.sets, streams);
        let fresh = Snapshot::of(&core, 0);
        Self { model, ladder, params, core, sweeps: 0, fresh }
    }
}

impl<M: CachedModel, K, X> ParallelTempering<M, K, X> {
    /// The model.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// The temperatures.
    pub fn ladder(&self) -> &Ladder {
        &self.ladder
    }

    /// How the run is organised.
    pub fn params(&self) -> &ParallelTemperingParams {
        &self.params
    }

    /// The energy of the replica of a set that is at a temperature.
    ///
    /// # Panics
    /// If there is no such temperature or set.
    pub fn energy(&self, temperature: usize, set: usize) -> f64 {
        lock(&self.core.replicas[self.replica(temperature, set)]).energy
    }

    /// A copy of the configuration of a set that is at a temperature.
    ///
    /// # Panics
    /// If there is no such temperature or set.
    pub fn spins(&self, temperature: usize, set: usize) -> Spins {
        lock(&self.core.replicas[self.replica(temperature, set)]).spins.clone()
    }

    /// The number of the replica of a set that is at a temperature: it keeps its number on its way up and down.
    ///
    /// # Panics
    /// If there is no such temperature or set.
    pub fn replica(&self, temperature: usize, set: usize) -> usize {
        let sets = self.params.sets;
        assert!(set < sets, "set {set} of {sets}");
        self.core.exchange().replica(temperature * sets + set)
    }

    /// Accepted over attempted exchanges of each pair of neighbouring temperatures; NaN before the first attempt.
    pub fn swap_acceptances(&self) -> Vec<f64> {
        self.core.exchange().acceptances()
    }

    /// For each temperature the fraction of visits by replicas that were last at the hottest end, among those that were
    /// at an end: 1 at the hottest, 0 at the coldest; NaN where none was seen. For [`Ladder::fed_back`].
    pub fn flow(&self) -> Vec<f64> {
        self.core.exchange().flow()
    }

    /// Number of times that a replica went from the hottest temperature to the coldest and back.
    ///
    /// The mean time of a round trip in sweeps is the number of sweeps times that of replicas over this.
    pub fn round_trips(&self) -> u64 {
        self.core.exchange().round_trips()
    }

    /// What the pair moves of each temperature did.
    pub fn pair_move_stats(&self) -> Vec<SweepStats> {
        self.core.moves.iter().map(|moves| lock(moves).stats).collect()
    }

    /// Forgets exchanges, flow and round trips counted so far, as at the end of the equilibration.
    pub fn reset_counts(&mut self) {
        self.core.exchange_mut().reset();
        self.refresh();
    }

    /// Goes to another ladder of as many temperatures; configurations stay in their places and the counts begin anew.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for another number of temperatures.
    pub fn set_ladder(&mut self, ladder: Ladder) -> Result<()> {
        if ladder.len() != self.ladder.len() {
            return Err(Error::WrongLength { what: "ladder", got: ladder.len(), expected: self.ladder.len() });
        }
        self.ladder = ladder;
        self.reset_counts();
        Ok(())
    }

    /// Sweeps before this one cannot be repeated: checkpoints begin here.
    fn refresh(&mut self) {
        for replica in &self.core.replicas {
            let replica = &mut *lock(replica);
            self.model.refresh(&mut replica.cache, &replica.spins);
            replica.energy = self.model.energy_cached(&replica.cache, &replica.spins);
        }
        self.fresh = Snapshot::of(&self.core, self.sweeps);
    }
}

impl<M, K, X> ParallelTempering<M, K, X>
where
    M: CachedModel + Sync,
    K: MarkovKernel<M> + Clone + Send,
    X: PairMove<M>,
{
    /// Moves the temperatures until all exchanges are about equally likely: `rounds` times `sweeps` sweeps and a step
    /// of [`Ladder::equalized`]. The sweeps count as equilibration; counts begin anew after each round.
    ///
    /// Stops early on `Break` from the observer, with the ladder reached by then.
    ///
    /// # Errors
    /// [`Error::Parameter`] when the sweeps of a round are too few for two rounds of exchanges.
    pub fn tune(&mut self, rounds: u64, sweeps: u64, observer: &mut dyn Observer<Progress>) -> Result<()> {
        if sweeps / self.params.swap_interval < 2 {
            return Err(Error::Parameter {
                what: "sweeps of a tuning round",
                value: sweeps.to_string(),
                expected: "at least two swap intervals",
            });
        }
        for round in 1..=rounds {
            self.reset_counts();
            self.advance(sweeps, &mut ());
            self.set_ladder(self.ladder.equalized(&self.swap_acceptances())?)?;
            if observer.observe(&Progress::new("tuning", round, rounds)).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Sweeps with exchanges; every sweep is reported.
    fn drive(
        setting: (&M, &[f64], &ParallelTemperingParams),
        core: &Core<M::Cache, K, X>,
        (sweeps, fresh): (&mut u64, &mut Snapshot),
        wanted: u64,
        observer: &mut dyn Observer<Progress>,
    ) -> SweepStats {
        let (model, betas, params) = setting;
        core.with_workers(model, betas, params, |phase| {
            let mut stats = SweepStats::default();
            for done in 1..=wanted {
                if *sweeps - fresh.sweeps >= REFRESH {
                    let Some(_) = phase(Phase::Refresh) else { break };
                    *fresh = Snapshot::of(core, *sweeps);
                }
                let Some(swept) = phase(Phase::Sweep) else { break };
                stats += swept;
                *sweeps += 1;
                if sweeps.is_multiple_of(params.swap_interval) {
                    if X::ACTIVE {
                        let Some(_) = phase(Phase::PairMoves) else { break };
                    }
                    core.swap(betas);
                }
                if observer.observe(&Progress::new("tempering", done, wanted)).is_break() {
                    break;
                }
            }
            stats
        })
    }

    /// Reads a checkpoint and repeats the sweeps since its last refresh.
    #[allow(clippy::type_complexity)]
    fn restored(
        &self,
        from: &Checkpoint,
    ) -> std::result::Result<(Ladder, Core<M::Cache, K, X>, u64, Snapshot), CheckpointError> {
        let mut reader = from.open(KIND, self.model.content_hash())?;
        let at = reader.position();
        let invalid = |what| CheckpointError::Invalid { what, at };
        let ladder = Ladder::new(reader.read_f64s()?).map_err(|_| invalid("temperature ladder"))?;
        let same = ladder.len() == self.ladder.len()
            && reader.read_usize()? == self.params.sets
            && reader.read_u64()? == self.params.swap_interval
            && reader.read_bool()? == X::ACTIVE
            && reader.read_f64()?.to_bits() == self.params.pair_moves_from.to_bits();
        if !same {
            return Err(invalid("number of temperatures or parameters: those of another run"));
        }
        let mut fresh = Snapshot::read(self.model.n_spins(), ladder.len(), self.params.sets, &mut reader)?;
        let (wanted, digest) = (reader.read_u64()?, reader.read_u64()?);
        reader.finish()?;
        if wanted > REFRESH {
            return Err(invalid("number of sweeps"));
        }
        let core = Core::assemble(
            &self.model,
            &*lock(&self.core.kernels[0]),
            &lock(&self.core.moves[0]).mover,
            fresh.replicas.iter().cloned(),
            fresh.exchange.clone(),
            fresh.moves.iter().cloned(),
        );
        let mut sweeps = fresh.sweeps;
        let setting = (&self.model, ladder.betas(), &self.params);
        Self::drive(setting, &core, (&mut sweeps, &mut fresh), wanted, &mut ());
        if core.digest() != digest {
            return Err(invalid("configurations: repeating the last sweeps with this kernel gives others"));
        }
        Ok((ladder, core, sweeps, fresh))
    }
}

impl<M, K, X> Simulation for ParallelTempering<M, K, X>
where
    M: CachedModel + Sync,
    K: MarkovKernel<M> + Clone + Send,
    X: PairMove<M>,
{
    fn n_spins(&self) -> usize {
        self.model.n_spins()
    }

    fn n_lanes(&self) -> usize {
        self.ladder.len()
    }

    fn beta(&self, lane: usize) -> f64 {
        self.ladder.betas()[lane]
    }

    fn sweeps(&self) -> u64 {
        self.sweeps
    }

    /// A sweep of every replica, then, at the end of a swap interval, pair moves and a round of exchanges. The
    /// statistics are those of the kernel.
    fn configuration(&self, lane: usize) -> Spins {
        self.spins(lane, 0)
    }

    fn advance(&mut self, sweeps: u64, observer: &mut dyn Observer<Progress>) -> SweepStats {
        let setting = (&self.model, self.ladder.betas(), &self.params);
        Self::drive(setting, &self.core, (&mut self.sweeps, &mut self.fresh), sweeps, observer)
    }

    fn measure(&mut self, into: &mut Observables) {
        let lanes = self.n_lanes();
        assert_eq!(into.n_lanes(), lanes, "observables of {} lanes for {lanes} temperatures", into.n_lanes());
        for lane in 0..lanes {
            for set in 0..self.params.sets {
                let replica = lock(&self.core.replicas[self.replica(lane, set)]);
                // Sets that pair moves couple are one chain.
                let chain = if X::ACTIVE { 0 } else { set };
                into.record_replica(lane, chain, replica.energy, &replica.spins);
            }
        }
    }

    fn checkpoint(&self) -> Checkpoint {
        let mut state = Writer::new();
        state.write_f64s(self.ladder.betas()).write_usize(self.params.sets).write_u64(self.params.swap_interval);
        state.write_bool(X::ACTIVE).write_f64(self.params.pair_moves_from);
        self.fresh.write(&mut state);
        state.write_u64(self.sweeps - self.fresh.sweeps).write_u64(self.core.digest());
        Checkpoint::new(KIND, self.model.content_hash(), state)
    }

    /// Repeats up to 256 sweeps. The number of threads may be another one.
    fn restore(&mut self, from: &Checkpoint) -> Result<()> {
        (self.ladder, self.core, self.sweeps, self.fresh) = self.restored(from).map_err(CoreError::from)?;
        Ok(())
    }
}

impl<M: CachedModel, K, X> fmt::Debug for ParallelTempering<M, K, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("ParallelTempering");
        debug.field("ladder", &self.ladder).field("params", &self.params).field("sweeps", &self.sweeps);
        debug.finish_non_exhaustive()
    }
}
