//! Mutated files: no reader panics, every error has a place, and what a trainer takes from a checkpoint it goes on from and
//! can write and read again.

#[path = "../../linalg-core/tests/mutations/mod.rs"]
mod mutations;

use boltzmann::deep::{
    Activation, DeepBoltzmannMachine, DeepBoltzmannTrainer, DeepBoltzmannTraining, Network, NetworkTrainer,
    NetworkTraining,
};
use boltzmann::forward_forward::{
    ForwardForward, ForwardForwardParams, ForwardForwardTrainer, RecurrentForwardForward, RecurrentParams,
    RecurrentTrainer,
};
use boltzmann::io::{NpyArray, read_idx, read_npy, read_weights, write_npy, write_weights};
use boltzmann::train::{DenseMethod, DenseParams, DenseTrainer, Method, Stepper, Trainer, TrainingParams};
use boltzmann::units::Bernoulli;
use boltzmann::{BitRows, Error, PackedRbm, Rbm, Result};
use linalg_core::Streams;
use linalg_core::checkpoint::Checkpoint;

const PIECES: [&[u8]; 12] = [
    b"18446744073709551615",
    b"4294967296",
    b"{",
    b"]",
    b"\"",
    b"-1",
    b"\\u00",
    b"\xff\xff\xff\xff",
    b"[[[[[[[[[",
    b"\0\0\0\0",
    b"(1,)",
    b"0, ",
];

fn idx(shape: &[u32], data: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, shape.len() as u8];
    shape.iter().for_each(|size| file.extend(size.to_be_bytes()));
    file.extend(data);
    file
}

fn machine(visible: usize, hidden: usize) -> Rbm<Bernoulli, Bernoulli> {
    Rbm::random(Bernoulli, Bernoulli, visible, hidden, 0.5, &mut Streams::new(1).stream(0)).unwrap()
}

/// Whether a file was read; an error is one of a file, with a place in it.
fn read(bytes: &[u8], result: Result<()>) -> bool {
    match result {
        Ok(()) => true,
        Err(Error::File { byte, found, expected, .. }) => {
            assert!(byte <= bytes.len() as u64 && !found.is_empty() && !expected.is_empty() && found.len() < 1000);
            false
        }
        Err(Error::WrongLength { .. } | Error::NotFinite { .. } | Error::Empty { .. }) => false,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn idx_files() {
    let files = [idx(&[2, 1, 2], &[0, 255, 128, 3]), idx(&[4], &[1, 2, 3, 4])];
    mutations::run("idx", &files, &PIECES, |bytes| {
        let array = read_idx(bytes).map(|array| assert_eq!(array.data.len(), array.shape.iter().product::<usize>()));
        read(bytes, array)
    });
}

#[test]
fn npy_files() {
    let mut file = Vec::new();
    write_npy(&NpyArray { shape: vec![2, 3], data: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.5] }, &mut file).unwrap();
    mutations::run("npy", &[file], &PIECES, |bytes| {
        let array = read_npy(bytes).map(|array| assert_eq!(array.data.len(), array.shape.iter().product::<usize>()));
        read(bytes, array)
    });
}

#[test]
fn weight_files() {
    let mut file = Vec::new();
    write_weights(&machine(3, 2), &mut file).unwrap();
    mutations::run("weights", &[file], &PIECES, |bytes| {
        let rbm = read_weights(bytes, |_, _| Ok((Bernoulli, Bernoulli)));
        read(bytes, rbm.map(|rbm| assert_eq!(rbm.weights().len(), rbm.n_visible() * rbm.n_hidden())))
    });
}

/// Mutates the checkpoints of a trainer.
fn checkpoints<T: Clone>(
    name: &str,
    start: &T,
    step: fn(&mut T) -> Result<()>,
    save: fn(&T) -> Checkpoint,
    restore: fn(&mut T, &Checkpoint) -> Result<()>,
) {
    let step = |trainer: &mut T| match step(trainer) {
        Ok(()) | Err(Error::Diverged { .. } | Error::NotFinite { .. }) => {}
        Err(other) => panic!("{other}"),
    };
    let restore = |trainer: &mut T, from: &Checkpoint| match restore(trainer, from) {
        Ok(()) => true,
        Err(Error::Checkpoint(_)) => false,
        Err(other) => panic!("{other}"),
    };
    mutations::run_restores(name, || start.clone(), step, save, restore);
}

#[test]
fn checkpoints_of_packed_machines() {
    let data = BitRows::from_bytes(&[0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1], 3).unwrap();
    let start = PackedRbm::new(&machine(3, 2)).unwrap();
    for (name, method) in [
        ("persistent", Method::FastPersistent { sweeps: 1, decay: 0.9, rate: 0.01 }),
        ("trajectory", Method::TrajectoryTempering { rate: 0.9999, sweeps: 1 }),
        ("mean_field", Method::MeanField { order: 2, iterations: 2, points: 2 }),
    ] {
        let params = TrainingParams::default().method(method).stepper(Stepper::Adam).batch(2).chains(4).epochs(2);
        let trainer = Trainer::new(&data, start.clone(), params).unwrap();
        checkpoints(name, &trainer, |t| t.advance(1), Trainer::checkpoint, Trainer::restore);
    }
}

#[test]
fn checkpoints_of_dense_machines() {
    let data = [0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    for (name, method) in [
        ("dense_persistent", DenseMethod::Persistent { sweeps: 1 }),
        ("dense_trajectory", DenseMethod::TrajectoryTempering { rate: 0.9 }),
        ("dense_mean_field", DenseMethod::MeanField { order: 2, iterations: 2 }),
    ] {
        let params = DenseParams::default().method(method).stepper(Stepper::Adam).batch(2).chains(4).updates(5);
        let trainer = DenseTrainer::new(machine(3, 2), &data, params, Streams::new(3)).unwrap();
        checkpoints(name, &trainer, |t| t.advance(1), DenseTrainer::checkpoint, DenseTrainer::restore);
    }
}

#[test]
fn checkpoints_of_deep_machines() {
    let start = DeepBoltzmannMachine::random(&[3, 2, 2], 0.5, &mut Streams::new(5).stream(0)).unwrap();
    let params = DeepBoltzmannTraining::default().updates(5).chains(4, 1).batch(2);
    let data = [0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    let trainer = DeepBoltzmannTrainer::new(start, &data, params, Streams::new(6)).unwrap();
    checkpoints("deep", &trainer, |t| t.advance(1), DeepBoltzmannTrainer::checkpoint, DeepBoltzmannTrainer::restore);
}

#[test]
fn checkpoints_of_networks() {
    let mut rng = Streams::new(1).stream(0);
    let inputs = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    let start = Network::random(vec![2, 3, 1], vec![Activation::Logistic; 2], &mut rng).unwrap();
    let params = NetworkTraining::default().batch(2).epochs(3);
    let trainer = NetworkTrainer::new(start, &inputs, &[0.0, 1.0, 1.0, 0.0], params).unwrap();
    let step = |t: &mut NetworkTrainer<'_>| t.epoch().map(drop);
    checkpoints("network", &trainer, step, NetworkTrainer::checkpoint, NetworkTrainer::restore);
}

#[test]
fn checkpoints_of_forward_forward() {
    let mut rng = Streams::new(1).stream(0);
    let (rows, labels) = ([0.1, 0.2, 1.0, 0.0, 0.3, 0.1, 0.0, 1.0, 0.2, 0.4, 1.0, 1.0], [0, 1, 0]);
    let start = ForwardForward::random(4, 2, &[3, 2], &mut rng).unwrap();
    let params = ForwardForwardParams::default().batch(2).epochs(3);
    let trainer = ForwardForwardTrainer::new(start, &rows, &labels, params).unwrap();
    let step = |t: &mut ForwardForwardTrainer<'_>| t.epoch().map(drop);
    checkpoints("forward", &trainer, step, ForwardForwardTrainer::checkpoint, ForwardForwardTrainer::restore);
    let start = RecurrentForwardForward::random(4, 2, &[3, 2], true, &mut rng).unwrap();
    let params = RecurrentParams::default().batch(2).epochs(3);
    let trainer = RecurrentTrainer::new(start, &rows, &labels, params).unwrap();
    let step = |t: &mut RecurrentTrainer<'_>| t.epoch().map(drop);
    checkpoints("recurrent", &trainer, step, RecurrentTrainer::checkpoint, RecurrentTrainer::restore);
}
