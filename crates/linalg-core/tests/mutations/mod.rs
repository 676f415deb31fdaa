//! Mutations of files, for the tests of readers in all crates: these include this module by its path.
//!
//! `FUZZ_SECONDS` (default 2) is the time for each reader, `FUZZ_SEED` (default 2026) the seed. An input on which a reader fails is
//! written to `tests/data/fuzz` of its crate and read again by every later run.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use linalg_core::Streams;
use linalg_core::checkpoint::{Checkpoint, ContentHash};
use linalg_core::rand::{Rng, RngExt};

/// Binary numbers that lengths and counters trip over.
const HUGE: [u64; 7] = [u64::MAX, 1 << 63, 1 << 61, u64::MAX / 8 + 1, 1 << 32, 1 << 31, 0];

fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}, expected a number")),
        Err(_) => default,
    }
}

/// One to four random changes of a random file; `pieces` is what readers of its format trip over.
fn mutate<R: Rng + ?Sized>(files: &[Vec<u8>], pieces: &[&[u8]], rng: &mut R) -> Vec<u8> {
    let below = |n: usize, rng: &mut R| rng.random_range(0..n.max(1) as u64) as usize;
    let mut bytes = files[below(files.len(), rng)].clone();
    for _ in 0..1 + below(4, rng) {
        let at = below(bytes.len() + 1, rng);
        let until = (at + below(16, rng)).min(bytes.len());
        match below(9, rng) {
            0 if at < bytes.len() => bytes[at] ^= 1 << below(8, rng),
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(at..until)),
            3 if !pieces.is_empty() => {
                let piece = pieces[below(pieces.len(), rng)];
                bytes.splice(at..until.min(at + below(4, rng)), piece.iter().copied());
            }
            4 => {
                let other = &files[below(files.len(), rng)];
                let (a, b) = (below(other.len(), rng), below(other.len(), rng));
                bytes.splice(at..at, other[a.min(b)..a.max(b)].iter().copied());
            }
            5 => {
                let copy = bytes[at..until].to_vec();
                bytes.splice(at..at, copy);
            }
            // A binary number replaced by another one.
            6 => {
                let word = HUGE[below(HUGE.len(), rng)].to_le_bytes();
                let width = [1, 2, 4, 8][below(4, rng)];
                bytes.iter_mut().skip(at).zip(&word[8 - width..]).for_each(|(target, byte)| *target = *byte);
            }
            7 => {
                let noise: Vec<u8> = (0..below(30, rng)).map(|_| rng.random()).collect();
                bytes.splice(at..at, noise);
            }
            // A number in digits replaced by another one.
            _ => {
                let digit = (at..bytes.len()).find(|&k| bytes[k].is_ascii_digit());
                if let Some(start) = digit {
                    let end = (start..bytes.len()).find(|&k| !bytes[k].is_ascii_digit()).unwrap_or(bytes.len());
                    let number = (rng.random::<u64>() >> below(64, rng)).to_string();
                    bytes.splice(start..end, number.into_bytes());
                }
            }
        }
    }
    bytes
}

/// Runs a check that tells whether an input is accepted, and fails or panics on a reader that does what it must not: on inputs
/// kept by earlier runs, on the files, which it must accept, on noise, and on mutations of the files.
pub fn run(name: &str, files: &[Vec<u8>], pieces: &[&[u8]], check: impl Fn(&[u8]) -> bool) {
    let failures: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fuzz");
    for entry in fs::read_dir(&failures).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with(name) {
            check(&fs::read(&path).unwrap());
        }
    }
    for file in files {
        assert!(check(file), "{name}: a file that is not changed is accepted: {}", String::from_utf8_lossy(file));
    }
    let mut rng = Streams::new(setting("FUZZ_SEED", 2026)).stream(0);
    let end = Instant::now() + Duration::from_secs_f64(setting("FUZZ_SECONDS", 2.0));
    let (mut inputs, mut accepted) = (0u64, 0u64);
    while Instant::now() < end {
        let input: Vec<u8> = match inputs % 64 {
            0 => (0..rng.random_range(0..200u32)).map(|_| rng.random()).collect(),
            _ => mutate(files, pieces, &mut rng),
        };
        match catch_unwind(AssertUnwindSafe(|| check(&input))) {
            Ok(good) => accepted += u64::from(good),
            Err(panic) => {
                fs::create_dir_all(&failures).unwrap();
                let path = failures.join(format!("{name}_{:016x}", ContentHash::of_bytes(&input)));
                fs::write(&path, &input).unwrap();
                eprintln!("input kept in {}", path.display());
                std::panic::resume_unwind(panic);
            }
        }
        inputs += 1;
    }
    println!("{name}: {inputs} inputs, {accepted} accepted");
    assert!(accepted > 0 && accepted < inputs, "{name}: mutations that are all good or all bad test nothing");
}

/// Runs a check on mutations of checkpoints. Their checksums are mended: otherwise nearly every mutation would stop there.
#[allow(dead_code)] // Not every crate has checkpoints.
pub fn run_checkpoints(name: &str, saved: &[Checkpoint], check: impl Fn(&[u8]) -> bool) {
    let body = |checkpoint: &Checkpoint| {
        let mut bytes = checkpoint.to_bytes();
        bytes.truncate(bytes.len() - 8);
        bytes
    };
    let bodies: Vec<Vec<u8>> = saved.iter().map(body).collect();
    run(name, &bodies, &[], |body| {
        let mut bytes = body.to_vec();
        bytes.extend(ContentHash::of_bytes(body).to_le_bytes());
        check(&bytes)
    });
}

/// Runs a check on mutations of the checkpoints of a simulation: one that is taken can be written and read again and gone on
/// from; `restore` tells whether it was taken, and fails on an error of another kind. What is refused changes nothing.
#[allow(dead_code)] // Not every crate has simulations.
pub fn run_restores<T>(
    name: &str,
    start: impl Fn() -> T,
    step: impl Fn(&mut T),
    save: impl Fn(&T) -> Checkpoint,
    restore: impl Fn(&mut T, &Checkpoint) -> bool,
) {
    let (unchanged, mut run) = (save(&start()), start());
    step(&mut run);
    run_checkpoints(name, &[unchanged.clone(), save(&run)], |bytes| {
        let Ok(checkpoint) = Checkpoint::from_bytes(bytes) else { return false };
        let mut state = start();
        let taken = restore(&mut state, &checkpoint);
        // By bytes: a NaN is not equal to itself.
        let saved = save(&state);
        if taken {
            let mut again = start();
            assert!(restore(&mut again, &saved), "{name}: its own checkpoint is refused");
            assert_eq!(save(&again).to_bytes(), saved.to_bytes(), "{name}: its own checkpoint is read as another");
            step(&mut state);
        } else {
            assert_eq!(saved.to_bytes(), unchanged.to_bytes(), "{name}: a refused checkpoint changes something");
        }
        taken
    });
}
