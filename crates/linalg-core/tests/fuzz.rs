//! Mutated inputs for every parser of this crate.

mod mutations;

use linalg_core::Streams;
use linalg_core::checkpoint::{Checkpoint, CheckpointError, Reader, Writer};
use linalg_core::rng::SplitMix64;

/// Payload bytes of every kind of item.
fn payload() -> Writer {
    let streams = Streams::new(1);
    let mut writer = Writer::new();
    writer
        .write_u8(3)
        .write_bool(true)
        .write_u32(7)
        .write_u64(11)
        .write_i64(-2)
        .write_usize(5)
        .write_f64(0.25)
        .write_str("kind")
        .write_u8s(&[1, 2, 3])
        .write_i8s(&[1, -1])
        .write_u64s(&[9, 8])
        .write_f64s(&[1.5; 4])
        .write_chacha(&streams.stream(1))
        .write_xoshiro(&streams.fast_stream(1))
        .write_split_mix(&SplitMix64::new(1));
    writer
}

#[test]
fn checkpoint_container() {
    let mut long = Writer::new();
    long.write_f64s(&[0.5; 40]);
    let valid = [
        Checkpoint::new("", 0, Writer::new()),
        Checkpoint::new("annealing 1", 77, payload()),
        Checkpoint::new("µ", u64::MAX, long),
    ];
    // What is accepted is canonical: written again it gives the same bytes.
    let parse =
        |bytes: &[u8]| Checkpoint::from_bytes(bytes).is_ok_and(|read| read.to_bytes() == bytes || panic!("{read:?}"));
    mutations::run("checkpoint", &valid.each_ref().map(Checkpoint::to_bytes), &[], parse);
    mutations::run_checkpoints("mended_checkpoint", &valid, parse);
}

fn read_all(reader: &mut Reader<'_>) -> Result<(), CheckpointError> {
    let total = reader.remaining();
    reader.read_u8()?;
    reader.read_bool()?;
    reader.read_u32()?;
    reader.read_u64()?;
    reader.read_i64()?;
    reader.read_usize()?;
    reader.read_f64()?;
    assert!(reader.read_str()?.len() <= total);
    assert!(reader.read_u8s()?.capacity() <= total);
    assert!(reader.read_i8s()?.capacity() <= total);
    assert!(8 * reader.read_u64s()?.capacity() <= total);
    assert!(8 * reader.read_f64s()?.capacity() <= total);
    reader.read_chacha()?;
    reader.read_xoshiro()?;
    reader.read_split_mix()?;
    reader.clone().finish()
}

#[test]
fn checkpoint_payload() {
    mutations::run("payload", &[payload().into_bytes()], &[], |bytes| {
        let mut reader = Reader::new(bytes);
        let before = reader.clone();
        let read = read_all(&mut reader);
        match &read {
            Ok(()) => assert_eq!(reader.remaining(), 0),
            Err(error) => {
                assert!(reader.position() <= bytes.len() && before.remaining() == bytes.len());
                assert!(!error.to_string().is_empty());
            }
        }
        // Any array reader at any place.
        for start in 0..bytes.len().min(64) {
            let _ = Reader::new(&bytes[start..]).read_f64s();
            let _ = Reader::new(&bytes[start..]).read_str();
            let _ = Reader::new(&bytes[start..]).read_f64s_into(&mut [0.0; 3]);
        }
        read.is_ok()
    });
}
