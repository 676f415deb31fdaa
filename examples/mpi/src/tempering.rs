//! The share of one rank, and the exchanges that all ranks draw alike.

use linalg_core::Streams;
use linalg_core::checkpoint::ContentHash;
use linalg_core::rng::Xoshiro256PlusPlus;
use spin_models::mcmc::{Ladder, Observables, ParallelTemperingParams, ReplicaExchange};
use spin_models::{CachedModel, MarkovKernel, Spins};

use crate::Transport;

/// Sweeps between two computations of the caches from scratch, as `ParallelTempering` says of itself: rounding is then the same.
const REFRESH: u64 = 256;

/// One replica of this rank.
struct Replica<C> {
    number: usize,
    spins: Spins,
    cache: C,
    rng: Xoshiro256PlusPlus,
    energy: f64,
    slot: usize,
}

/// Parallel tempering, the replicas spread over ranks in consecutive shares of equal size.
///
/// Streams, kernels, exchanges and measurements are those of `spin_models::mcmc::ParallelTempering` without pair moves, and so are the
/// numbers. Kernels may keep tables, but no state from one sweep to the next: the temperature of a replica takes turns among the ranks.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::Ising;
/// use spin_models::mcmc::{HeatBath, Ladder, Observables, ParallelTemperingParams};
/// use tempering_over_mpi::{RankedTempering, Threads};
///
/// // One spin in a field, <m> = tanh βh, on two ranks.
/// let model = Ising::builder(1).field(0, 1.0).build()?;
/// std::thread::scope(|scope| {
///     for rank in Threads::ranks_of(2) {
///         let model = &model;
///         scope.spawn(move || {
///             let ladder = Ladder::linear(0.2, 1.0, 3).unwrap();
///             let params = ParallelTemperingParams::default();
///             let mut tempering = RankedTempering::new(model, HeatBath::default(), ladder, &params, Streams::new(1), rank);
///             let mut averages = Observables::new(1, 3);
///             tempering.run(20_000, 1, &mut averages);
///             let m = averages.lane(2).magnetization_per_spin();
///             assert!((m.value - 1f64.tanh()).abs() < 4.0 * m.std_error.unwrap());
///         });
///     }
/// });
/// # Ok::<(), spin_models::Error>(())
/// ```
pub struct RankedTempering<'a, M: CachedModel, K, T> {
    model: &'a M,
    ladder: Ladder,
    sets: usize,
    swap_interval: u64,
    transport: T,
    /// Replicas of a rank, the last ones rounded up.
    share: usize,
    replicas: Vec<Replica<M::Cache>>,
    /// For each slot: tables stay with the temperature.
    kernels: Vec<K>,
    exchange: ReplicaExchange,
    sweeps: u64,
}

impl<'a, M, K, T> RankedTempering<'a, M, K, T>
where
    M: CachedModel,
    K: MarkovKernel<M> + Clone,
    T: Transport,
{
    /// Replicas with random spins; replica `r` draws from the fast stream `r`, the exchanges from the one after the last replica.
    ///
    /// Of `params` the number of sets and the swap interval count. Every rank calls it with the same arguments but `transport`.
    ///
    /// # Panics
    /// If the number of sets or the swap interval is 0, or `transport` has no rank.
    pub fn new(
        model: &'a M,
        kernel: K,
        ladder: Ladder,
        params: &ParallelTemperingParams,
        streams: Streams,
        transport: T,
    ) -> Self {
        let (sets, swap_interval) = (params.sets, params.swap_interval);
        assert!(
            swap_interval > 0 && transport.ranks() > 0,
            "swap interval {swap_interval}, {} ranks",
            transport.ranks()
        );
        let count = ladder.len() * sets;
        let share = count.div_ceil(transport.ranks());
        let first = (share * transport.rank()).min(count);
        let replica = |number: usize| {
            let mut rng = streams.fast_stream(number as u64);
            let spins = Spins::random(model.n_spins(), &mut rng);
            let cache = model.cache(&spins);
            let energy = model.energy_cached(&cache, &spins);
            Replica { number, spins, cache, rng, energy, slot: 0 }
        };
        let mut tempering = Self {
            model,
            sets,
            swap_interval,
            share,
            replicas: (first..(first + share).min(count)).map(replica).collect(),
            kernels: vec![kernel; count],
            exchange: ReplicaExchange::new(ladder.len(), sets, streams.fast_stream(count as u64)),
            ladder,
            transport,
            sweeps: 0,
        };
        tempering.tell_slots();
        tempering
    }

    /// The temperatures.
    pub fn ladder(&self) -> &Ladder {
        &self.ladder
    }

    /// The exchanges so far, the same on every rank.
    pub fn exchange(&self) -> &ReplicaExchange {
        &self.exchange
    }

    fn tell_slots(&mut self) {
        let mut slots = vec![0; self.kernels.len()];
        for (slot, &replica) in self.exchange.replicas().iter().enumerate() {
            slots[replica] = slot;
        }
        for replica in &mut self.replicas {
            replica.slot = slots[replica.number];
        }
    }

    /// `width` numbers of every replica, in the order of replicas.
    fn gather(&self, width: usize, of: impl Fn(&Replica<M::Cache>, &mut [f64])) -> Vec<f64> {
        let mut mine = vec![f64::NAN; self.share * width];
        for (replica, numbers) in self.replicas.iter().zip(mine.chunks_mut(width)) {
            of(replica, numbers);
        }
        // Shares are consecutive; only after the last replica there is padding.
        let mut all = vec![f64::NAN; self.share * width * self.transport.ranks()];
        self.transport.all_gather(&mine, &mut all);
        all.truncate(self.kernels.len() * width);
        all
    }

    /// Sweeps of all replicas, with a round of exchanges after every swap interval.
    pub fn advance(&mut self, sweeps: u64) {
        for _ in 0..sweeps {
            if self.sweeps > 0 && self.sweeps.is_multiple_of(REFRESH) {
                for replica in &mut self.replicas {
                    self.model.refresh(&mut replica.cache, &replica.spins);
                }
            }
            for replica in &mut self.replicas {
                let beta = self.ladder.betas()[replica.slot / self.sets];
                let Replica { spins, cache, rng, .. } = replica;
                self.kernels[replica.slot].sweep(self.model, beta, spins, cache, rng);
                replica.energy = self.model.energy_cached(cache, spins);
            }
            self.sweeps += 1;
            if self.sweeps.is_multiple_of(self.swap_interval) {
                let energies = self.gather(1, |replica, numbers| numbers[0] = replica.energy);
                self.exchange.round(self.ladder.betas(), &energies);
                self.tell_slots();
            }
        }
    }

    /// Adds the energies and magnetizations of all replicas, the same on every rank; 16 bytes a replica are sent.
    ///
    /// # Panics
    /// If `into` has not a lane for each temperature, or wants averages of sites or pairs: configurations stay on their ranks.
    pub fn measure(&self, into: &mut Observables) {
        let lanes = self.ladder.len();
        assert_eq!(into.n_lanes(), lanes, "observables of {} lanes for {lanes} temperatures", into.n_lanes());
        let all = self.gather(2, |replica, numbers| {
            let total: i64 = replica.spins.iter().map(|&s| i64::from(s)).sum();
            numbers.copy_from_slice(&[replica.energy, total as f64]);
        });
        for (slot, &replica) in self.exchange.replicas().iter().enumerate() {
            into.record_totals(slot / self.sets, all[2 * replica], all[2 * replica + 1] as i64);
        }
    }

    /// Sweeps and measures in turn: `measurements` times `interval` sweeps and a measurement.
    pub fn run(&mut self, measurements: u64, interval: u64, into: &mut Observables) {
        for _ in 0..measurements {
            self.advance(interval);
            self.measure(into);
        }
    }

    /// A hash of all configurations, the same on every rank and for any number of ranks.
    pub fn digest(&self) -> u64 {
        let hashes = self.gather(2, |replica, numbers| {
            let hash = ContentHash::new().write_i8s(&replica.spins).finish();
            // Two halves, which are exact in a float.
            numbers.copy_from_slice(&[(hash >> 32) as f64, (hash & 0xffff_ffff) as f64]);
        });
        let mut hash = ContentHash::new();
        hash.write_f64s(&hashes).write_usizes(self.exchange.replicas()).finish()
    }
}
