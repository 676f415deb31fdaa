//! Threads as ranks against one process: bit for bit, for any number of ranks.

use linalg_core::Streams;
use linalg_core::checkpoint::ContentHash;
use spin_models::mcmc::{HeatBath, Ladder, Metropolis, Observables, ParallelTempering, ParallelTemperingParams};
use spin_models::{Boundary, CachedModel, Disorder, Ising, Lattice, MarkovKernel, SherringtonKirkpatrick, Simulation};
use tempering_over_mpi::{RankedTempering, Threads};

/// What a run leaves: averages, swaps, round trips, permutation, configurations.
type Left = (Observables, Vec<u64>, u64, Vec<usize>, u64);

fn bits(numbers: &[f64]) -> Vec<u64> {
    numbers.iter().map(|x| x.to_bits()).collect()
}

fn one_process<M, K>(model: &M, kernel: K, betas: &[f64], params: &ParallelTemperingParams) -> Left
where
    M: CachedModel + Clone + Sync,
    K: MarkovKernel<M> + Clone + Send,
{
    let ladder = Ladder::new(betas.to_vec()).unwrap();
    let mut tempering = ParallelTempering::new(model.clone(), kernel, ladder, params.clone(), Streams::new(9)).unwrap();
    let mut averages = Observables::new(model.n_spins(), betas.len());
    tempering.advance(31, &mut ());
    tempering.run(150, 3, &mut averages, &mut ());
    let slots: Vec<(usize, usize)> = (0..betas.len()).flat_map(|k| (0..params.sets).map(move |set| (k, set))).collect();
    let replicas: Vec<usize> = slots.iter().map(|&(k, set)| tempering.replica(k, set)).collect();
    // The digest of RankedTempering: by the number of the replica.
    let mut halves = vec![0.0; 2 * replicas.len()];
    for (&(k, set), &replica) in slots.iter().zip(&replicas) {
        let hash = ContentHash::new().write_i8s(&tempering.spins(k, set)).finish();
        halves[2 * replica..2 * replica + 2].copy_from_slice(&[(hash >> 32) as f64, (hash & 0xffff_ffff) as f64]);
    }
    let digest = ContentHash::new().write_f64s(&halves).write_usizes(&replicas).finish();
    (averages, bits(&tempering.swap_acceptances()), tempering.round_trips(), replicas, digest)
}

fn on_ranks<M, K>(n: usize, model: &M, kernel: &K, betas: &[f64], params: &ParallelTemperingParams) -> Vec<Left>
where
    M: CachedModel + Clone + Sync,
    K: MarkovKernel<M> + Clone + Send + Sync,
{
    std::thread::scope(|scope| {
        let start = |rank: Threads| {
            scope.spawn(move || {
                let ladder = Ladder::new(betas.to_vec()).unwrap();
                let mut tempering = RankedTempering::new(model, kernel.clone(), ladder, params, Streams::new(9), rank);
                let mut averages = Observables::new(model.n_spins(), betas.len());
                tempering.advance(31);
                tempering.run(150, 3, &mut averages);
                let digest = tempering.digest();
                let exchange = tempering.exchange();
                (averages, bits(&exchange.acceptances()), exchange.round_trips(), exchange.replicas().to_vec(), digest)
            })
        };
        let threads: Vec<_> = Threads::ranks_of(n).into_iter().map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn compare<M, K>(model: &M, kernel: K, betas: &[f64], params: &ParallelTemperingParams)
where
    M: CachedModel + Clone + Sync,
    K: MarkovKernel<M> + Clone + Send + Sync,
{
    let expected = one_process(model, kernel.clone(), betas, params);
    assert!(expected.2 > 0, "no round trip: nothing was compared");
    for ranks in [1, 2, 3, 4, betas.len() * params.sets + 2] {
        for (rank, found) in on_ranks(ranks, model, &kernel, betas, params).into_iter().enumerate() {
            assert_eq!(found, expected, "rank {rank} of {ranks}");
        }
    }
}

#[test]
fn couplings_of_one_size() {
    let lattice = Lattice::cubic(3, Boundary::Periodic).unwrap();
    let model = Ising::edwards_anderson(&lattice, Disorder::plus_minus(), &mut Streams::new(1).stream(0)).unwrap();
    let betas = [0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.1];
    compare(&model, Metropolis::default(), &betas, &ParallelTemperingParams::default());
    let params = ParallelTemperingParams::default().with_sets(2).with_swap_interval(2);
    compare(&model, HeatBath::default(), &betas, &params);
}

#[test]
fn couplings_whose_sums_round() {
    // 481 sweeps: the caches are computed afresh once, and rounding would show a difference.
    let model = SherringtonKirkpatrick::gaussian(24, &mut Streams::new(2).stream(0)).unwrap();
    let betas = [0.3, 0.5, 0.7, 0.9, 1.1];
    compare(&model, Metropolis::default(), &betas, &ParallelTemperingParams::default());
}
