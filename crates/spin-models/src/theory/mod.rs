//! Solutions of infinite and fully connected models.

mod average;
pub mod bethe_lattice;
pub mod coolen_sherrington;
pub mod curie_weiss;
pub mod hopfield_ags;
pub mod metastable;
pub mod p_spin;
pub mod parisi;
pub mod perceptron;
pub mod random_energy;
pub mod replica_symmetric;
pub mod saddle_point;

pub use bethe_lattice::{BetheLattice, BetheSolution, ferromagnetic_beta, spin_glass_beta};
pub use coolen_sherrington::{CoolenSherrington, Flow, FlowPoint, FlowVelocity};
pub use curie_weiss::{CurieWeiss, CurieWeissLimit, CurieWeissSums};
pub use hopfield_ags::{
    AmitGutfreundSompolinsky, Capacity, HopfieldState, almeida_thouless_retrieval_temperature, retrieval_capacity,
    retrieval_temperature, spin_glass_temperature, thermodynamic_temperature,
};
pub use metastable::{BrayMoore, StableStates};
pub use p_spin::{PSpin, PSpinSolution};
pub use parisi::{GroundStateEnergy, Parisi, ParisiEquation, ParisiFunction, ParisiSolution};
pub use random_energy::RandomEnergyModel;
pub use replica_symmetric::{ReplicaSymmetric, ReplicaSymmetricSolution, almeida_thouless_temperature};
pub use saddle_point::{Convergence, SaddlePointParams};
