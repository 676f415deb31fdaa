//! Reads in groups on threads, whatever engine a group has.

use std::ops::Range;

use linalg_core::{Observer, Streams};

use super::params::AnnealingParams;
use super::{AnnealedRead, Annealing};
use crate::mcmc::{Chain, Order, SingleSpin, threads};
use crate::model::{CachedModel, Progress};
use crate::{Result, Spins};

/// Reports of a batch, unless it has very many sweeps.
const REPORTS: u64 = 50;

/// Sweeps between reports at most: their temperatures are computed beforehand.
const PIECE: u64 = 1 << 16;

/// Passes of the final descent at most; a few are usual.
const PASSES: usize = 1000;

/// Some reads that are cooled together.
pub(super) trait Group: Send {
    /// A sweep of every read at each of these temperatures.
    fn anneal(&mut self, betas: &[f64]);

    /// The lowest energy so far, up to rounding; of the configurations at the times of the calls where no others are kept.
    fn lowest(&mut self) -> f64;

    /// The configuration of every read.
    fn finish(self) -> Vec<Spins>;
}

/// One chain.
pub(super) struct ChainRead<'a, M: CachedModel> {
    chain: Chain<&'a M, SingleSpin>,
    best: f64,
    spins: Spins,
}

impl<'a, M: CachedModel> ChainRead<'a, M> {
    pub(super) fn new(model: &'a M, params: &AnnealingParams, streams: Streams, unit: u64) -> Result<Self> {
        let chain = Chain::new(model, params.dynamics.kernel(Order::Sequential), 0.0, streams, unit)?;
        let (best, spins) = (chain.energy(), chain.spins().clone());
        Ok(Self { chain, best, spins })
    }
}

impl<M: CachedModel + Sync> Group for ChainRead<'_, M> {
    fn anneal(&mut self, betas: &[f64]) {
        for &beta in betas {
            self.chain.sweep_at(beta);
            let energy = self.chain.energy();
            if lower(energy, self.best) {
                self.best = energy;
                self.spins.copy_from_slice(self.chain.spins());
            }
        }
    }

    fn lowest(&mut self) -> f64 {
        self.best
    }

    fn finish(self) -> Vec<Spins> {
        vec![self.spins]
    }
}

/// How an engine cuts the reads.
pub(super) struct Cut {
    /// Reads that run side by side.
    pub batch: u64,
    /// Reads of a group at most.
    pub group: u64,
}

/// Anneals all reads, a batch after the other; the groups of a batch share the threads.
pub(super) fn drive<M: CachedModel + Sync, G: Group>(
    model: &M,
    params: &AnnealingParams,
    range: (f64, f64),
    cut: &Cut,
    new_group: impl Fn(Range<u64>) -> Result<G>,
    reads: &mut dyn Observer<AnnealedRead>,
    observer: &mut dyn Observer<Progress>,
) -> Result<Annealing> {
    let total = params.reads.saturating_mul(params.sweeps);
    let mut found = Annealing {
        energy: f64::INFINITY,
        spins: Spins::up(model.n_spins()),
        energies: Vec::new(),
        sweeps: 0,
        complete: true,
    };
    let mut first = 0;
    while first < params.reads && found.complete {
        let batch = first..params.reads.min(first.saturating_add(cut.batch));
        let starts = batch.clone().step_by(cut.group as usize);
        let mut groups = starts
            .map(|start| new_group(start..batch.end.min(start.saturating_add(cut.group))))
            .collect::<Result<Vec<G>>>()?;
        let mut done = 0;
        for piece in threads::pieces(params.sweeps, REPORTS.max(params.sweeps / PIECE)) {
            let betas: Vec<f64> = (done..done + piece).map(|k| params.beta(range, k)).collect();
            share(params.threads, &mut groups, |group| group.anneal(&betas));
            done += piece;
            found.sweeps += piece * (batch.end - batch.start);
            let best = groups.iter_mut().map(G::lowest).fold(found.energy, f64::min);
            let progress = Progress::new("annealing", found.sweeps, total).with_energy(best);
            if observer.observe(&progress).is_break() {
                found.complete = false;
                break;
            }
        }
        let mut finished: Vec<(Spins, f64)> =
            groups.into_iter().flat_map(G::finish).map(|spins| (spins, 0.0)).collect();
        let finish = |(spins, energy): &mut (Spins, f64)| {
            descend(model, spins);
            *energy = model.energy(spins);
        };
        share(params.threads, &mut finished, finish);
        let mut wanted = true;
        for (read, (spins, energy)) in batch.clone().zip(finished) {
            if lower(energy, found.energy) || found.energies.is_empty() {
                (found.energy, found.spins) = (energy, spins.clone());
            }
            found.energies.push(energy);
            wanted = wanted && reads.observe(&AnnealedRead { read, energy, spins }).is_continue();
        }
        found.complete &= wanted;
        first = batch.end;
    }
    // A stop at the very last report left nothing undone.
    found.complete |= found.sweeps == total;
    Ok(found)
}

/// Whether `energy` is below `best`; any number is below one that is not.
fn lower(energy: f64, best: f64) -> bool {
    energy < best || best.is_nan() && !energy.is_nan()
}

fn share<T: Send>(threads: usize, items: &mut [T], work: impl Fn(&mut T) + Sync + Send) {
    if threads > 1 { threads::for_each(threads, items, work) } else { threads::for_each_read(items, work) }
}

/// Flips spins as long as that lowers the energy.
fn descend<M: CachedModel + ?Sized>(model: &M, spins: &mut Spins) {
    let mut cache = model.cache(spins);
    for _ in 0..PASSES {
        let mut flips = 0;
        for i in 0..spins.len() {
            if model.delta_cached(&cache, spins, i) < 0.0 {
                model.flip(&mut cache, spins, i);
                flips += 1;
            }
        }
        if flips == 0 {
            return;
        }
    }
}
