//! Mutated checkpoints and files of weights: no reader panics, what is taken can be written, read again and gone on from, and
//! what is refused changes nothing.

#[path = "../../linalg-core/tests/mutations/mod.rs"]
mod mutations;

use linalg_core::Error as CoreError;
use linalg_core::checkpoint::Checkpoint;
use spin_models::Ising;
use variational::Error;
use variational::autoregressive::{Made, MadeParams};
use variational::van::{NaturalParams, Trainer, TrainerParams};

fn made() -> Made<f64> {
    Made::new(3, MadeParams::default()).unwrap()
}

fn chain() -> Ising {
    Ising::builder(3).couplings([(0, 1, 0.7), (1, 2, -0.4)]).build().unwrap()
}

fn trainer(name: &str, params: TrainerParams) {
    type Run<'a> = Trainer<'a, Ising, Made<f64>>;
    let chain = chain();
    let start = || -> Run<'_> { Trainer::new(&chain, made(), params).unwrap() };
    let step = |run: &mut Run<'_>| match run.step(0.5) {
        Ok(_) | Err(Error::NotFinite { .. }) => {}
        Err(other) => panic!("{other}"),
    };
    let restore = |run: &mut Run<'_>, from: &Checkpoint| match run.restore(from) {
        Ok(()) => true,
        Err(Error::Numerics(CoreError::Checkpoint(_)) | Error::Architecture { .. } | Error::NotFinite { .. }) => false,
        Err(other) => panic!("{other:?}"),
    };
    mutations::run_restores(name, start, step, |run| run.checkpoint(), restore);
}

#[test]
fn trainers() {
    let params = TrainerParams::default().batch(4);
    trainer("adam", params);
    trainer("natural", params.natural(NaturalParams::default()));
}

#[cfg(feature = "safetensors")]
#[test]
fn weights() {
    use variational::autoregressive::{Autoregressive, read_weights, write_weights};

    let mut file = Vec::new();
    write_weights(&made(), &mut file).unwrap();
    mutations::run("weights", &[file], &[b"99999999999", b"{", b"]", b"\"", b"-1", b"F32"], |bytes| {
        let mut network = made();
        match read_weights(&mut network, bytes) {
            Ok(()) => true,
            Err(
                Error::File { .. } | Error::Architecture { .. } | Error::WrongLength { .. } | Error::NotFinite { .. },
            ) => {
                assert_eq!(network.parameters(), made().parameters());
                false
            }
            Err(other) => panic!("{other:?}"),
        }
    });
}
