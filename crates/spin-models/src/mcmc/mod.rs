//! Monte Carlo.
//!
//! | part | what it is |
//! |---|---|
//! | [`Metropolis`], [`HeatBath`] | single-spin kernels, in any [`Order`], for ±1 spins and for any alphabet |
//! | [`cluster`] | kernels that turn many spins at once |
//! | [`Chain`] | one kernel on one model at one β, as a [`Simulation`](crate::Simulation) |
//! | [`ColoredChain`] | the same, class by class of a colouring, on several threads |
//! | [`multispin`] | 512 spins in a block of bits, for small integer couplings: the fastest engines here |
//! | [`vector`] | 16 replicas side by side, for any couplings |
//! | [`ParallelTempering`] | replicas that exchange the temperatures of a [`Ladder`], as a `Simulation` |
//! | [`ReplicaExchange`] | its exchanges alone, for drivers whose replicas are spread over processes |
//! | [`Engine`] | simulations at one temperature by name, and the one that suits a model |
//! | [`PopulationAnnealing`] | replicas cooled together and resampled, with ln Z at every temperature |
//! | [`WangLandau`], [`Multicanonical`] | the density of states, ln Z and averages at all temperatures |
//! | [`Observables`] | averages with honest errors, mergeable and resumable |
//! | [`Overlaps`] | the same for pairs of replicas: q, link overlap, P(q), correlation length |
//! | [`DisorderAverages`] | overlaps averaged over samples |
//! | [`Mbar`], [`Wham`] | averages between and beyond the simulated temperatures, ln Z, density of states |
//! | [`thermodynamic_integration`] | ln Z with sampling and quadrature error |
//! | [`simulated_annealing`], [`Annealer`] | configurations of low energy |
//! | [`MonteCarlo`] | all averages of an Ising model in one call, as a [`Solve`](crate::Solve) |
//! | [`ParallelTemperingSolver`], [`PopulationAnnealingSolver`], [`WangLandauSolver`], [`AnnealingSolver`] | the others as a `Solve` |
//!
//! A `Simulation` owns its replicas and says through [`n_lanes`](crate::Simulation::n_lanes) how many; `Observables`
//! keep as many lanes. A further engine implements that trait and works with everything else here.
//!
//! ```
//! use linalg_core::Streams;
//! use spin_models::mcmc::{Chain, HeatBath, Observables};
//! use spin_models::{Boundary, Ising, Simulation};
//!
//! // The square lattice below its critical temperature, β = 1/2: Onsager's and Yang's solution has
//! // e = -1.74556 and m = (1 - sinh(2β)^-4)^(1/8) = 0.91132 for the infinite lattice.
//! let model = Ising::square(16, Boundary::Periodic, 1.0)?;
//! let mut chain = Chain::new(&model, HeatBath::default(), 0.5, Streams::new(1), 0)?;
//! let mut averages = Observables::new(256, 1);
//! chain.advance(1000, &mut ());
//! chain.run(4000, 1, &mut averages, &mut ());
//! assert!((averages.energy_per_spin().value + 1.74556).abs() < 0.02);
//! assert!((averages.abs_magnetization().value - 0.91132).abs() < 0.02);
//! # Ok::<(), spin_models::Error>(())
//! ```

pub mod cluster;
pub mod multispin;
pub mod vector;

mod acceptance;
mod annealing;
mod annealing_solver;
mod barrier;
mod chain;
mod clenshaw_curtis;
mod colored;
mod dense;
mod dynamics;
mod engine;
mod heat_bath;
mod metropolis;
mod observables;
mod order;
mod overlaps;
mod parallel_tempering;
mod population_annealing;
mod population_engine;
mod reweighting;
mod saved_state;
mod solver;
mod thermodynamic;
mod threads;
mod wang_landau;

pub use acceptance::{heat_bath_acceptance, metropolis_acceptance};
pub use annealing::{
    AnnealedRead, Annealer, Annealing, AnnealingEngine, AnnealingParams, Schedule, simulated_annealing,
};
pub use annealing_solver::AnnealingSolver;
pub use chain::Chain;
pub use colored::ColoredChain;
pub use dynamics::{Dynamics, SingleSpin};
pub use engine::{Engine, EnginePlan};
pub use heat_bath::HeatBath;
pub use metropolis::Metropolis;
pub use observables::{Equilibration, Lanes, Observables};
pub use order::{Coloring, Order};
pub use overlaps::{
    DisorderAverages, OverlapDistribution, OverlapEquilibration, OverlapLanes, OverlapMoments, Overlaps, ReplicaPairs,
    WaveVectors, link_identity_gap,
};
pub use parallel_tempering::{
    Ladder, PairMove, ParallelTempering, ParallelTemperingParams, ParallelTemperingSolver, ReplicaExchange,
};
pub use population_annealing::{
    Cooling, PopulationAnnealing, PopulationAnnealingSolver, PopulationParams, PopulationRun, PopulationStart,
    PopulationStep,
};
pub use reweighting::{EnergyHistogram, EnergySeries, Mbar, Reweighted, ReweightingParams, ReweightingReport, Wham};
pub use solver::MonteCarlo;
pub use thermodynamic::{ThermodynamicIntegration, ThermodynamicNode, ThermodynamicParams, thermodynamic_integration};
pub use wang_landau::{
    DensityOfStates, EnergyGrid, LevelEstimate, Multicanonical, MulticanonicalWeights, WangLandau, WangLandauParams,
    WangLandauSolver,
};
