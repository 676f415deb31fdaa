//! Systems, samplers and results can be sent to threads and shared between them.

use path_integral_nn::estimate::{Correlators, Measured, Observables, ObservablesParams, Report};
use path_integral_nn::exact::{Oscillator, OscillatorLattice, Propagator, Spectrum, TransferMatrix};
use path_integral_nn::field::{BinderRun, ClusterMoments, FieldCluster, FieldHmc, ScalarField, Transition};
use path_integral_nn::nelson::Nelson;
use path_integral_nn::nnft::{CosineNetwork, NetworkEnsemble};
use path_integral_nn::path::{CanonicalNetwork, Network, PathNetwork, TimeGrid};
use path_integral_nn::potential::{Closure, Particles};
use path_integral_nn::sampler::{Block, Chains, ChainsParams, Importance, Target};
use path_integral_nn::{Action, Ensemble, Error, GaussianReference, Polynomial, ReferenceOscillator, System};

fn send_and_sync<T: Send + Sync>() {}
fn send<T: Send>() {}

#[test]
fn public_types_cross_threads() {
    send_and_sync::<(Action, Ensemble, Error, GaussianReference, Polynomial, ReferenceOscillator, System)>();
    send_and_sync::<(Block, ChainsParams, Importance, Target)>();
    send_and_sync::<(Correlators, Measured, Observables, ObservablesParams, Report)>();
    send_and_sync::<(Oscillator, OscillatorLattice, Propagator, Spectrum, TransferMatrix)>();
    send_and_sync::<(FieldHmc, ScalarField, Nelson, CosineNetwork, NetworkEnsemble)>();
    send_and_sync::<(BinderRun, ClusterMoments, FieldCluster, Transition)>();
    send_and_sync::<(CanonicalNetwork, Network, PathNetwork, TimeGrid, Closure, Particles)>();
    // The samplers inside are `Send` alone.
    send::<Chains>();
}
