//! What may cross threads.

use quantum_ec::dem::{Components, DecodingGraph, FlatInstructions, Sampler, Samples};
use quantum_ec::io::{ShotReader, ShotWriter};
use quantum_ec::sample::{CollectParams, Row, ThresholdFit};
use quantum_ec::{DecodingProblem, DetectorErrorModel, Shots};

fn send_and_sync<T: Send + Sync>() {}

#[test]
fn types_are_send_and_sync() {
    send_and_sync::<DetectorErrorModel>();
    send_and_sync::<DecodingProblem>();
    send_and_sync::<FlatInstructions<'_>>();
    send_and_sync::<Components>();
    send_and_sync::<DecodingGraph>();
    send_and_sync::<Sampler>();
    send_and_sync::<Samples>();
    send_and_sync::<Shots>();
    send_and_sync::<ShotReader<&[u8]>>();
    send_and_sync::<ShotWriter<Vec<u8>>>();
    send_and_sync::<Row>();
    send_and_sync::<CollectParams>();
    send_and_sync::<ThresholdFit>();
}
