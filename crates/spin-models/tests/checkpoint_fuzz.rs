//! Mutated checkpoints: no simulation panics, what one takes it can write, read again and go on from, and what is refused
//! changes nothing.

#[path = "../../linalg-core/tests/mutations/mod.rs"]
mod mutations;

use std::ops::ControlFlow;

use linalg_core::checkpoint::Checkpoint;
use linalg_core::{Error as CoreError, Streams};
use spin_models::mcmc::cluster::Houdayer;
use spin_models::mcmc::multispin::{DisorderSamples, HypercubicLattice, Replicas, TemperingLadders};
use spin_models::mcmc::vector::{VectorLadders, VectorReplicas};
use spin_models::mcmc::{
    Chain, ColoredChain, Coloring, Cooling, DensityOfStates, Dynamics, EnergyGrid, HeatBath, Ladder, Metropolis,
    Multicanonical, Observables, Overlaps, ParallelTempering, ParallelTemperingParams, PopulationAnnealing,
    PopulationParams, WangLandau, WangLandauParams,
};
use spin_models::{Boundary, Disorder, Error, Ising, Lattice, Progress, Result, Simulation};

fn streams() -> Streams {
    Streams::new(1)
}

const BETAS: [f64; 3] = [0.1, 0.5, 1.0];

/// Four spins on a ring; integer couplings for the engines of packed spins.
fn ring(couplings: [f64; 4]) -> Ising {
    let couplings = couplings.iter().enumerate().map(|(i, &j)| (i, (i + 1) % 4, j));
    Ising::builder(4).couplings(couplings).build().unwrap()
}

fn integers() -> Ising {
    ring([1.0, -1.0, 1.0, 1.0])
}

fn reals() -> Ising {
    ring([0.3, -0.7, 1.1, 0.9])
}

/// Whether a checkpoint was taken; the only error is that of a checkpoint.
fn taken<T>(result: Result<T>) -> bool {
    match result {
        Ok(_) => true,
        Err(Error::Numerics(CoreError::Checkpoint(_))) => false,
        Err(other) => panic!("{other}"),
    }
}

fn simulation<S: Simulation>(name: &str, start: impl Fn() -> S) {
    let step = |simulation: &mut S| {
        simulation.advance(2, &mut ());
    };
    mutations::run_restores(name, start, step, S::checkpoint, |simulation, from| taken(simulation.restore(from)));
}

/// What was measured: read, measured into, merged and written again.
fn measured<T>(
    name: &str,
    files: &[Checkpoint],
    read: impl Fn(&Checkpoint) -> Result<T>,
    write: impl Fn(&T) -> Checkpoint,
    go_on: impl Fn(&mut T),
) {
    mutations::run_checkpoints(name, files, |bytes| {
        let Ok(checkpoint) = Checkpoint::from_bytes(bytes) else { return false };
        let found = read(&checkpoint);
        let Ok(mut found) = found else { return taken(found) };
        let saved = write(&found);
        let again = read(&saved).map(|again| write(&again).to_bytes());
        assert!(again.is_ok_and(|again| again == saved.to_bytes()), "{name}: what it wrote is read as something else");
        go_on(&mut found);
        true
    });
}

#[test]
fn chains() {
    simulation("chain", || Chain::new(reals(), Metropolis::default(), 0.7, streams(), 0).unwrap());
    simulation("heat_bath", || Chain::new(reals(), HeatBath::default(), 0.7, streams(), 0).unwrap());
    let coloring = Coloring::new(&reals(), &[0, 1, 0, 1]).unwrap();
    simulation("colored", || ColoredChain::new(&reals(), &coloring, Dynamics::HeatBath, 0.7, streams(), 0).unwrap());
}

#[test]
fn packed_spins() {
    let (model, dynamics) = (integers(), Dynamics::Metropolis);
    simulation("replicas", || Replicas::new(&model, 3, dynamics, 0.7, streams(), 0).unwrap());
    simulation("ladders", || TemperingLadders::new(&model, &BETAS, 2, dynamics, streams(), 0).unwrap());
    let samples = [integers(), ring([-1.0, -1.0, 1.0, 1.0])];
    simulation("samples", || DisorderSamples::new(&samples, dynamics, 0.7, streams(), 0).unwrap());
    let torus = Lattice::square(4, Boundary::Periodic).unwrap();
    let glass = Ising::edwards_anderson(&torus, Disorder::plus_minus(), &mut streams().stream(0)).unwrap();
    simulation("lattice", || HypercubicLattice::new(&glass, [4, 4], dynamics, 0.7, streams(), 0).unwrap());
}

#[test]
fn replicas_side_by_side() {
    let (model, dynamics) = (reals(), Dynamics::HeatBath);
    simulation("vector_replicas", || VectorReplicas::new(&model, 3, dynamics, 0.7, streams(), 0).unwrap());
    simulation("vector_ladders", || VectorLadders::new(&model, &BETAS, 2, dynamics, streams(), 0).unwrap());
}

#[test]
fn parallel_tempering() {
    let params = ParallelTemperingParams::default().with_sets(2);
    simulation("tempering", || {
        let (ladder, params) = (Ladder::new(BETAS.to_vec()).unwrap(), params.clone());
        ParallelTempering::with_pair_moves(reals(), Metropolis::default(), Houdayer::new(), ladder, params, streams())
            .unwrap()
    });
}

/// Goes on to the next report.
fn once() -> impl FnMut(&Progress) -> ControlFlow<()> {
    |_| ControlFlow::Break(())
}

#[test]
fn population_annealing() {
    type Run = PopulationAnnealing<Ising, Metropolis>;
    let start = || -> Run {
        let params = PopulationParams::default().with_population(5).with_sweeps(1);
        PopulationAnnealing::new(reals(), Metropolis::default(), Cooling::to(1.0), params, streams()).unwrap()
    };
    let step = |run: &mut Run| match run.cool(&mut once()) {
        Ok(_) | Err(Error::NotFinite { .. }) => {}
        Err(other) => panic!("{other}"),
    };
    mutations::run_restores("population", start, step, Run::checkpoint, |run, from| taken(run.restore(from)));
}

#[test]
fn flat_histograms() {
    let model = reals();
    let grid = EnergyGrid::found(&model, streams()).unwrap();
    let params = WangLandauParams::default().with_walkers(2);
    let start = || WangLandau::new(&model, grid, params.clone(), streams()).unwrap();
    let step = |run: &mut WangLandau<&Ising>| drop(run.learn(&mut once()));
    mutations::run_restores("wang_landau", start, step, WangLandau::checkpoint, |run, from| taken(run.restore(from)));
    let mut learned = start();
    learned.learn(&mut ()).unwrap();
    let start = || Multicanonical::new(&model, learned.weights(), 0..2, streams()).unwrap();
    let step = |run: &mut Multicanonical<&Ising>| {
        run.run(3, &mut ());
    };
    let restore = |run: &mut Multicanonical<&Ising>, from: &Checkpoint| taken(run.restore(from));
    mutations::run_restores("multicanonical", start, step, Multicanonical::checkpoint, restore);
    let mut run = start();
    run.run(50, &mut ());
    let files = [start().density().checkpoint(), run.density().checkpoint()];
    measured("density", &files, DensityOfStates::from_checkpoint, DensityOfStates::checkpoint, |density| {
        let _ = (density.ln_z(0.5), density.levels());
    });
}

#[test]
fn averages() {
    let mut averages = Observables::new(3, 2).with_sites().with_pairs([(0, 2)]);
    let empty = averages.checkpoint();
    (0..20).for_each(|k| averages.record(k % 2, k as f64, &[1, -1, 1]));
    measured(
        "observables",
        &[empty, averages.checkpoint()],
        Observables::from_checkpoint,
        Observables::checkpoint,
        |found| {
            if found.n_lanes() > 0 && found.n_spins() < 1 << 16 {
                let spins = vec![1; found.n_spins()];
                (0..3).for_each(|_| found.record(0, 0.5, &spins));
            }
            let _ = (found.energy(), found.specific_heat(0.5));
        },
    );
    let mut overlaps = Overlaps::new(3, 2).with_links([(0, 1)]).with_histogram(3);
    let empty = overlaps.checkpoint();
    (0..20).for_each(|k| overlaps.record(k % 2, &[1, -1, 1], &[1, 1, if k < 9 { 1 } else { -1 }]));
    measured("overlaps", &[empty, overlaps.checkpoint()], Overlaps::from_checkpoint, Overlaps::checkpoint, |found| {
        if found.n_lanes() > 0 && found.n_spins() < 1 << 16 {
            let spins = vec![1; found.n_spins()];
            (0..3).for_each(|_| found.record(0, &spins, &spins));
        }
        let overlaps: Vec<_> = (0..found.n_lanes()).map(|lane| found.lane(lane).overlap()).collect();
        assert_eq!(overlaps.len(), found.n_lanes());
    });
}
