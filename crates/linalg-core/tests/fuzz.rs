//! Mutated inputs for every parser of this crate.
//!
//! Each parser gets `FUZZ_SECONDS` (default 2) of byte flips, truncations, splices and huge numbers made from valid
//! inputs by a seeded generator (`FUZZ_SEED`, default 0). An input that makes a parser panic is written to
//! `tests/data/fuzz/<parser>/`; the files there are run first.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use linalg_core::Streams;
use linalg_core::checkpoint::{Checkpoint, CheckpointError, ContentHash, Reader, Writer};
use linalg_core::rand::{Rng, RngExt};
use linalg_core::rng::SplitMix64;

fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}, expected a number")),
        Err(_) => default,
    }
}

/// Feeds mutations of `valid` to `parse`, which must not panic.
fn fuzz(parser: &str, valid: &[Vec<u8>], parse: impl Fn(&[u8])) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/fuzz").join(parser);
    if let Ok(entries) = std::fs::read_dir(&folder) {
        for entry in entries {
            parse(&std::fs::read(entry.unwrap().path()).unwrap());
        }
    }
    valid.iter().for_each(|bytes| parse(bytes));
    let mut rng = Streams::new(setting("FUZZ_SEED", 0)).fast_stream(0);
    let end = Instant::now() + Duration::from_secs(setting("FUZZ_SECONDS", 2));
    let mut runs = 0u64;
    while Instant::now() < end {
        for _ in 0..100 {
            let mut bytes = valid[rng.random_range(0..valid.len())].clone();
            for _ in 0..rng.random_range(1..5) {
                mutate(&mut bytes, valid, &mut rng);
            }
            if catch_unwind(AssertUnwindSafe(|| parse(&bytes))).is_err() {
                std::fs::create_dir_all(&folder).unwrap();
                let file = folder.join(format!("{:016x}", ContentHash::of_bytes(&bytes)));
                std::fs::write(&file, &bytes).unwrap();
                panic!("{parser}: panic, input saved as {}", file.display());
            }
            runs += 1;
        }
    }
    println!("{parser}: {runs} inputs");
}

fn mutate<R: Rng + ?Sized>(bytes: &mut Vec<u8>, valid: &[Vec<u8>], rng: &mut R) {
    let position = rng.random_range(0..=bytes.len());
    match rng.random_range(0..6) {
        0 if position < bytes.len() => bytes[position] ^= 1 << rng.random_range(0..8),
        1 if position < bytes.len() => bytes[position] = rng.random(),
        2 => bytes.truncate(position),
        3 => {
            let donor = &valid[rng.random_range(0..valid.len())];
            let start = rng.random_range(0..=donor.len());
            let end = rng.random_range(start..=donor.len());
            let tail = (position + rng.random_range(0..20usize)).min(bytes.len());
            bytes.splice(position..tail, donor[start..end].iter().copied());
        }
        4 => {
            let huge = [u64::MAX, 1 << 63, 1 << 61, u64::MAX / 8 + 1, 1 << 32, 1 << 31, 0];
            let word = huge[rng.random_range(0..huge.len())].to_le_bytes();
            let width = [1, 2, 4, 8][rng.random_range(0..4usize)];
            for (target, byte) in bytes.iter_mut().skip(position).zip(&word[8 - width..]) {
                *target = *byte;
            }
        }
        _ => {
            let extra = rng.random_range(0..30);
            bytes.splice(position..position, (0..extra).map(|_| rng.random::<u8>()));
        }
    }
}

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
        Checkpoint::new("", 0, Writer::new()).to_bytes(),
        Checkpoint::new("annealing 1", 77, payload()).to_bytes(),
        Checkpoint::new("µ", u64::MAX, long).to_bytes(),
    ];
    let parse = |bytes: &[u8]| {
        // What is accepted is canonical: written again it gives the same bytes.
        if let Ok(checkpoint) = Checkpoint::from_bytes(bytes) {
            assert_eq!(checkpoint.to_bytes(), bytes);
        }
    };
    fuzz("checkpoint", &valid, |bytes| {
        parse(bytes);
        // Past the checksum, which stops nearly every mutation.
        if let Some((body, _)) = bytes.split_last_chunk::<8>() {
            let mut repaired = body.to_vec();
            repaired.extend(ContentHash::of_bytes(body).to_le_bytes());
            parse(&repaired);
        }
    });
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
    fuzz("payload", &[payload().into_bytes()], |bytes| {
        let mut reader = Reader::new(bytes);
        let before = reader.clone();
        match read_all(&mut reader) {
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
    });
}
