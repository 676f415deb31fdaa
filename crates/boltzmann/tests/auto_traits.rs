//! Machines, data, chains and trainers can be sent to threads and shared between them.

use boltzmann::deep::{
    Autoencoder, DeepBeliefNet, DeepBoltzmannMachine, DeepBoltzmannTrainer, Network, NetworkTrainer,
};
use boltzmann::forward_forward::{ForwardForward, ForwardForwardTrainer};
use boltzmann::partition::{AisRun, AnnealedImportance, Exact, Tap, TapReport};
use boltzmann::train::{DenseTrainer, Trainer, TrainingParams};
use boltzmann::units::{Bernoulli, Spin, Unit, UnitKind};
use boltzmann::{
    BitRows, BoltzmannMachine, ClassRbm, ConditionalRbm, Error, GibbsChains, JointTempering, Marginal, PackedRbm, Rbm,
    Statistics, TrajectoryTempering,
};

fn send_and_sync<T: Send + Sync>() {}

#[test]
fn types_are_send_and_sync() {
    send_and_sync::<Rbm<Bernoulli, Spin>>();
    send_and_sync::<Rbm<UnitKind, Box<dyn Unit>>>();
    send_and_sync::<Marginal<'_, Bernoulli, UnitKind>>();
    send_and_sync::<BoltzmannMachine>();
    send_and_sync::<PackedRbm>();
    send_and_sync::<BitRows>();
    send_and_sync::<GibbsChains>();
    send_and_sync::<JointTempering>();
    send_and_sync::<Statistics>();
    send_and_sync::<Trainer<'_>>();
    send_and_sync::<TrainingParams>();
    send_and_sync::<DenseTrainer<'_, Bernoulli, Spin>>();
    send_and_sync::<AnnealedImportance>();
    send_and_sync::<AisRun>();
    send_and_sync::<Exact>();
    send_and_sync::<Tap>();
    send_and_sync::<TapReport>();
    send_and_sync::<ClassRbm>();
    send_and_sync::<ConditionalRbm<Bernoulli, Spin>>();
    send_and_sync::<TrajectoryTempering<Bernoulli, Spin>>();
    send_and_sync::<Network>();
    send_and_sync::<NetworkTrainer<'_>>();
    send_and_sync::<Autoencoder>();
    send_and_sync::<DeepBeliefNet>();
    send_and_sync::<DeepBoltzmannMachine>();
    send_and_sync::<DeepBoltzmannTrainer<'_>>();
    send_and_sync::<ForwardForward>();
    send_and_sync::<ForwardForwardTrainer<'_>>();
    send_and_sync::<Error>();
}
