//! Mutations of files, for the tests of readers.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use linalg_core::Streams;
use linalg_core::rand::{Rng, RngExt};
use quantum_ec::Error;

/// Pieces that readers trip over.
const PIECES: [&[u8]; 56] = [
    b"99999999999999999999",
    b"1152921504606846975",
    b"4294967296",
    b"-1",
    b"0",
    b"1e999",
    b"1e-999",
    b"nan",
    b"inf",
    b"repeat 1000000000 {\n",
    b"repeat 3 {",
    b"}\n",
    b"{",
    b"[",
    b"]",
    b"(",
    b")",
    b"\\",
    b"\\B",
    b" ^ ",
    b"^",
    b"shift_detectors(1) 4611686018427387\n",
    b"error(0.5) D0",
    b" D1",
    b" L1",
    b"#",
    b"\xff",
    b"\0",
    b"\r\n",
    b"\n",
    b"\t",
    b",",
    b"\"",
    b"\xce\xbb",
    b"1048577",
    b"1",
    b"2",
    b"0.5",
    b"%",
    b"\r",
    b"\n\n",
    b" ",
    b"\xef\xbb\xbf",
    b"REPEAT 3 {\n",
    b"REPEAT 1000000000000000 {\n",
    b"rec[-1]",
    b" rec[-16777215]",
    b" sweep[5]",
    b"M 0\n",
    b"MPP X0*Y1",
    b"*",
    b"!",
    b"CX 0 1\n",
    b"DETECTOR rec[-1]\n",
    b"E(0.5) X1\n",
    b"%%MatrixMarket matrix coordinate integer general\n",
];

/// The files that tests read.
pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// One to four random changes of a random file.
fn mutate<R: Rng + ?Sized>(files: &[Vec<u8>], rng: &mut R) -> Vec<u8> {
    let below = |n: usize, rng: &mut R| rng.random_range(0..n.max(1) as u64) as usize;
    let mut bytes = files[below(files.len(), rng)].clone();
    for _ in 0..1 + below(4, rng) {
        let at = below(bytes.len() + 1, rng);
        let until = (at + below(16, rng)).min(bytes.len());
        match below(7, rng) {
            0 if at < bytes.len() => bytes[at] ^= 1 << below(8, rng),
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(at..until)),
            3 => {
                let piece = PIECES[below(PIECES.len(), rng)];
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
            // A number replaced by another one.
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

/// The place of an error is in the input.
pub fn check_place(input: &[u8], error: &Error) {
    let Error::Parse(place) = error else { panic!("{error}") };
    let lines = input.iter().filter(|&&b| b == b'\n').count() + 1;
    assert!((1..=lines).contains(&place.line), "line {} of {lines}", place.line);
    assert!((1..=input.len() + 1).contains(&place.column), "column {}", place.column);
    assert!(!place.found.is_empty() && !place.expected.is_empty() && place.found.len() < 400, "{place}");
}

/// Runs a check that tells whether an input is accepted: on inputs kept by earlier runs, on the files, which it must accept, and
/// on mutations of them.
pub fn run(name: &str, files: &[Vec<u8>], check: impl Fn(&[u8]) -> bool) {
    let seconds = std::env::var("FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2.0);
    let failures = directory().join("fuzz");
    for entry in fs::read_dir(&failures).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with(name) {
            check(&fs::read(&path).unwrap());
        }
    }
    assert!(files.iter().all(|file| check(file)), "a file that is not changed is accepted");
    let mut rng = Streams::new(2026).stream(0);
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let (mut inputs, mut accepted) = (0u64, 0u64);
    while Instant::now() < end {
        let input = mutate(files, &mut rng);
        match catch_unwind(AssertUnwindSafe(|| check(&input))) {
            Ok(good) => accepted += u64::from(good),
            Err(panic) => {
                fs::create_dir_all(&failures).unwrap();
                let path = failures.join(format!("{name}_{inputs}"));
                fs::write(&path, &input).unwrap();
                eprintln!("input kept in {}", path.display());
                std::panic::resume_unwind(panic);
            }
        }
        inputs += 1;
    }
    println!("{name}: {inputs} inputs, {accepted} accepted");
    assert!(accepted > 0 && accepted < inputs, "mutations that are all good or all bad test nothing");
}
