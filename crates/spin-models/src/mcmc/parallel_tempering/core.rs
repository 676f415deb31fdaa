//! The replicas and the work on them, cut into units that any thread can do.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, mpsc};

use linalg_core::checkpoint::ContentHash;
use linalg_core::rand::RngExt;
use linalg_core::rng::{Streams, Xoshiro256PlusPlus};

use super::ParallelTemperingParams;
use super::exchange::ReplicaExchange;
use super::pair_move::PairMove;
use crate::model::{CachedModel, MarkovKernel, SweepStats};
use crate::spins::Spins;

/// One configuration on its way through the temperatures.
pub(super) struct Replica<C> {
    pub spins: Spins,
    pub cache: C,
    pub rng: Xoshiro256PlusPlus,
    pub energy: f64,
    pub slot: usize,
}

/// The moves of pairs at one temperature.
pub(super) struct Moves<X> {
    pub mover: X,
    pub rng: Xoshiro256PlusPlus,
    pub stats: SweepStats,
}

/// All that changes in a run. Every part has its own lock, which only one thread at a time asks for.
pub(super) struct Core<C, K, X> {
    /// For each slot: tables of probabilities stay with the temperature.
    pub kernels: Vec<Mutex<K>>,
    pub replicas: Vec<Mutex<Replica<C>>>,
    /// For each temperature.
    pub moves: Vec<Mutex<Moves<X>>>,
    pub exchange: RwLock<ReplicaExchange>,
}

/// A step that the replicas, or the temperatures, go through independently of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Refresh,
    Sweep,
    PairMoves,
}

/// The value behind a lock; what a panic elsewhere left is not used again.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<C, K, X> Core<C, K, X> {
    pub fn exchange(&self) -> RwLockReadGuard<'_, ReplicaExchange> {
        self.exchange.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn exchange_mut(&self) -> RwLockWriteGuard<'_, ReplicaExchange> {
        self.exchange.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Random spins; replica `r` draws from the fast stream `r`, exchanges from the next, then the temperatures.
    pub fn new<M>(model: &M, kernel: &K, mover: &X, n: usize, sets: usize, streams: Streams) -> Self
    where
        M: CachedModel<Cache = C>,
        K: Clone,
        X: Clone,
    {
        let count = n * sets;
        let spins = (0..count).map(|r| {
            let mut rng = streams.fast_stream(r as u64);
            (Spins::random(model.n_spins(), &mut rng), rng)
        });
        let exchange = ReplicaExchange::new(n, sets, streams.fast_stream(count as u64));
        let move_rngs = (0..n).map(|k| (streams.fast_stream((count + 1 + k) as u64), SweepStats::default()));
        Self::assemble(model, kernel, mover, spins, exchange, move_rngs)
    }

    pub fn assemble<M>(
        model: &M,
        kernel: &K,
        mover: &X,
        replicas: impl Iterator<Item = (Spins, Xoshiro256PlusPlus)>,
        exchange: ReplicaExchange,
        moves: impl Iterator<Item = (Xoshiro256PlusPlus, SweepStats)>,
    ) -> Self
    where
        M: CachedModel<Cache = C>,
        K: Clone,
        X: Clone,
    {
        let replica = |(spins, rng): (Spins, _)| {
            let cache = model.cache(&spins);
            let energy = model.energy_cached(&cache, &spins);
            Mutex::new(Replica { spins, cache, rng, energy, slot: 0 })
        };
        let replicas: Vec<Mutex<Replica<C>>> = replicas.map(replica).collect();
        let core = Self {
            kernels: replicas.iter().map(|_| Mutex::new(kernel.clone())).collect(),
            replicas,
            moves: moves.map(|(rng, stats)| Mutex::new(Moves { mover: mover.clone(), rng, stats })).collect(),
            exchange: RwLock::new(exchange),
        };
        core.tell_slots();
        core
    }

    /// Tells every replica its slot.
    fn tell_slots(&self) {
        for (slot, &r) in self.exchange().replicas().iter().enumerate() {
            lock(&self.replicas[r]).slot = slot;
        }
    }

    /// One round of exchanges between neighbouring temperatures.
    pub fn swap(&self, betas: &[f64]) {
        let energies: Vec<f64> = self.replicas.iter().map(|replica| lock(replica).energy).collect();
        self.exchange_mut().round(betas, &energies);
        self.tell_slots();
    }

    /// A hash of configurations, generators and slots.
    pub fn digest(&self) -> u64 {
        let mut hash = ContentHash::new();
        for replica in &self.replicas {
            let replica = lock(replica);
            hash.write_i8s(&replica.spins).write_u64s(&replica.rng.state()).write_usizes(&[replica.slot]);
        }
        hash.finish()
    }

    /// The share of worker `worker` of `workers` in a phase: what is done does not depend on who does it.
    pub fn work<M>(&self, phase: Phase, share: (usize, usize), model: &M, betas: &[f64], from_beta: f64) -> SweepStats
    where
        M: CachedModel<Cache = C>,
        K: MarkovKernel<M>,
        X: PairMove<M>,
    {
        let (worker, workers) = share;
        let mut stats = SweepStats::default();
        if phase == Phase::PairMoves {
            for k in (worker..betas.len()).step_by(workers).filter(|&k| betas[k] >= from_beta) {
                self.move_pairs(k, model);
            }
            return stats;
        }
        let sets = self.replicas.len() / betas.len();
        for replica in self.replicas.iter().skip(worker).step_by(workers) {
            let replica = &mut *lock(replica);
            if phase == Phase::Refresh {
                model.refresh(&mut replica.cache, &replica.spins);
                continue;
            }
            let beta = betas[replica.slot / sets];
            let mut kernel = lock(&self.kernels[replica.slot]);
            stats += kernel.sweep(model, beta, &mut replica.spins, &mut replica.cache, &mut replica.rng);
            replica.energy = model.energy_cached(&replica.cache, &replica.spins);
        }
        stats
    }

    /// Moves disjoint random pairs of the replicas at temperature `k`.
    fn move_pairs<M>(&self, k: usize, model: &M)
    where
        M: CachedModel<Cache = C>,
        X: PairMove<M>,
    {
        let sets = self.replicas.len() / self.moves.len();
        let moves = &mut *lock(&self.moves[k]);
        let mut order = self.exchange().replicas()[k * sets..(k + 1) * sets].to_vec();
        for i in (0..sets.saturating_sub(1)).step_by(2) {
            for place in [i, i + 1] {
                order.swap(place, moves.rng.random_range(place as u32..sets as u32) as usize);
            }
            let mut first = lock(&self.replicas[order[i]]);
            let mut second = lock(&self.replicas[order[i + 1]]);
            let (a, b) = (&mut *first, &mut *second);
            moves.stats +=
                moves.mover.apply(model, (&mut a.spins, &mut a.cache), (&mut b.spins, &mut b.cache), &mut moves.rng);
            for replica in [a, b] {
                replica.energy = model.energy_cached(&replica.cache, &replica.spins);
            }
        }
    }

    /// Calls `lead` with a function that brings a phase about on `params.threads` threads and returns what it did, or
    /// `None` when a thread has panicked.
    pub fn with_workers<M, T>(
        &self,
        model: &M,
        betas: &[f64],
        params: &ParallelTemperingParams,
        lead: impl FnOnce(&mut dyn FnMut(Phase) -> Option<SweepStats>) -> T,
    ) -> T
    where
        M: CachedModel<Cache = C> + Sync,
        C: Send,
        K: MarkovKernel<M> + Send,
        X: PairMove<M>,
    {
        let workers = params.threads.clamp(1, self.replicas.len());
        let from_beta = params.pair_moves_from;
        let work = |phase, worker| self.work(phase, (worker, workers), model, betas, from_beta);
        let work = &work;
        if workers == 1 {
            return lead(&mut |phase| Some(work(phase, 0)));
        }
        std::thread::scope(|scope| {
            let workers: Vec<(mpsc::Sender<Phase>, mpsc::Receiver<SweepStats>)> = (1..workers)
                .map(|worker| {
                    let (order, orders) = mpsc::channel();
                    let (done, result) = mpsc::channel();
                    // Ends when the leader drops its orders; a panic drops `done`, which the leader notices.
                    scope.spawn(move || orders.iter().try_for_each(|phase| done.send(work(phase, worker))));
                    (order, result)
                })
                .collect();
            lead(&mut |phase| {
                workers.iter().try_for_each(|(order, _)| order.send(phase)).ok()?;
                let mut stats = work(phase, 0);
                for (_, result) in &workers {
                    stats += result.recv().ok()?;
                }
                Some(stats)
            })
        })
    }
}
