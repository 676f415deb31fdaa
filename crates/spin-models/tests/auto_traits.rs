//! Models, solvers, results and simulations can be sent to threads and shared between them.

use spin_models::exact::planar::Natural;
use spin_models::exact::{BranchAndBound, BranchAndBoundReport};
use spin_models::mcmc::cluster::{Houdayer, Niedermayer, SwendsenWang, TorusSwendsenWang, TorusWolff, Wolff};
use spin_models::mcmc::{
    AnnealedRead, Annealer, Annealing, AnnealingEngine, AnnealingParams, AnnealingSolver, Chain, ColoredChain,
    Coloring, Cooling, DensityOfStates, DisorderAverages, EnergyGrid, EnergyHistogram, EnergySeries, Engine,
    EnginePlan, HeatBath, Ladder, LevelEstimate, Mbar, Metropolis, Multicanonical, MulticanonicalWeights, Observables,
    OverlapDistribution, OverlapEquilibration, OverlapLanes, OverlapMoments, Overlaps, ParallelTempering,
    ParallelTemperingParams, ParallelTemperingSolver, PopulationAnnealing, PopulationAnnealingSolver, PopulationParams,
    PopulationRun, PopulationStart, PopulationStep, Reweighted, ReweightingParams, ReweightingReport, SingleSpin,
    ThermodynamicIntegration, WangLandau, WangLandauParams, WangLandauSolver, WaveVectors, Wham,
};
use spin_models::{
    Enumeration, Error, InteractionModel, Ising, Lattice, LnZ, LogPartitionPlan, MonteCarlo, Potts, Progress, Replan,
    SherringtonKirkpatrick, Simulation, Solution, Spins, TensorNetwork, TransferMatrix, Tree, Uncached,
};

fn send_and_sync<T: Send + Sync>() {}
fn send<T: Send + ?Sized>() {}

#[test]
fn public_types_are_send_and_sync() {
    send_and_sync::<Ising>();
    send_and_sync::<InteractionModel>();
    send_and_sync::<Potts>();
    send_and_sync::<SherringtonKirkpatrick>();
    send_and_sync::<Uncached<Ising>>();
    send_and_sync::<Lattice>();
    send_and_sync::<Spins>();
    send_and_sync::<Enumeration>();
    send_and_sync::<BranchAndBound>();
    send_and_sync::<BranchAndBoundReport>();
    send_and_sync::<Natural>();
    send_and_sync::<TransferMatrix>();
    send_and_sync::<TensorNetwork>();
    send_and_sync::<Tree>();
    send_and_sync::<MonteCarlo>();
    send_and_sync::<Replan<Enumeration, Ising>>();
    send_and_sync::<Chain<Ising, Metropolis>>();
    send_and_sync::<ColoredChain>();
    send_and_sync::<Chain<SherringtonKirkpatrick, HeatBath>>();
    send_and_sync::<Observables>();
    send_and_sync::<Overlaps>();
    send_and_sync::<OverlapLanes<'_>>();
    send_and_sync::<OverlapMoments>();
    send_and_sync::<OverlapDistribution>();
    send_and_sync::<OverlapEquilibration>();
    send_and_sync::<DisorderAverages>();
    send_and_sync::<WaveVectors>();
    send_and_sync::<EnergySeries>();
    send_and_sync::<EnergyHistogram>();
    send_and_sync::<Mbar>();
    send_and_sync::<Reweighted>();
    send_and_sync::<ReweightingParams>();
    send_and_sync::<ReweightingReport>();
    send_and_sync::<Wham>();
    send_and_sync::<Annealer<'static, Ising>>();
    send_and_sync::<AnnealedRead>();
    send_and_sync::<Annealing>();
    send_and_sync::<AnnealingEngine>();
    send_and_sync::<Engine>();
    send_and_sync::<EnginePlan>();
    send_and_sync::<AnnealingParams>();
    send_and_sync::<Solution>();
    send_and_sync::<LnZ>();
    send_and_sync::<Progress>();
    send_and_sync::<Error>();
    send::<dyn LogPartitionPlan>();
}

#[test]
fn monte_carlo_types_are_send_and_sync() {
    send_and_sync::<Annealing>();
    send_and_sync::<AnnealingParams>();
    send_and_sync::<AnnealingSolver>();
    send_and_sync::<Coloring>();
    send_and_sync::<SingleSpin>();
    send_and_sync::<ThermodynamicIntegration>();
    send_and_sync::<Ladder>();
    send_and_sync::<ParallelTemperingParams>();
    send_and_sync::<ParallelTemperingSolver>();
    send_and_sync::<ParallelTempering<Ising, HeatBath>>();
    send_and_sync::<ParallelTempering<&SherringtonKirkpatrick, Metropolis>>();
    send_and_sync::<ParallelTempering<Ising, SwendsenWang, Houdayer>>();
    send_and_sync::<Cooling>();
    send_and_sync::<PopulationParams>();
    send_and_sync::<PopulationStart>();
    send_and_sync::<PopulationStep>();
    send_and_sync::<PopulationRun>();
    send_and_sync::<PopulationAnnealingSolver>();
    send_and_sync::<PopulationAnnealing<&Ising, HeatBath>>();
    send_and_sync::<PopulationAnnealing<SherringtonKirkpatrick, Metropolis>>();
    send_and_sync::<EnergyGrid>();
    send_and_sync::<LevelEstimate>();
    send_and_sync::<DensityOfStates>();
    send_and_sync::<MulticanonicalWeights>();
    send_and_sync::<WangLandauParams>();
    send_and_sync::<WangLandauSolver>();
    send_and_sync::<WangLandau<&Ising>>();
    send_and_sync::<Multicanonical<SherringtonKirkpatrick>>();
    send_and_sync::<Wolff>();
    send_and_sync::<SwendsenWang>();
    send_and_sync::<Niedermayer>();
    send_and_sync::<Houdayer>();
    send_and_sync::<TorusWolff>();
    send_and_sync::<TorusSwendsenWang>();
}

#[test]
fn simulations_are_object_safe() {
    let model = Ising::builder(3).coupling(0, 1, 1.0).build().unwrap();
    let streams = linalg_core::Streams::new(1);
    let mut chains: Vec<Box<dyn Simulation>> = vec![
        Box::new(Chain::new(model.clone(), Metropolis::default(), 0.3, streams, 0).unwrap()),
        Box::new(Chain::new(model, HeatBath::default(), 0.3, streams, 1).unwrap()),
    ];
    for chain in &mut chains {
        chain.advance(3, &mut ());
        assert_eq!(chain.sweeps(), 3);
    }
}
