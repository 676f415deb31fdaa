//! Mutated files: no reader panics, every error has a place, and what is accepted can be written and read again.
//!
//! `FUZZ_SECONDS` (default 2) is the time for each reader. An input on which a reader fails is written to
//! `tests/data/fuzz` and read again by every later run.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use linalg_core::Streams;
use linalg_core::rand::{Rng, RngExt};
use quantum_ec::io::{Layout, ShotFormat, ShotReader, ShotWriter};
use quantum_ec::sample::read_csv;
use quantum_ec::{DetectorErrorModel, Error};

/// Pieces that readers trip over.
const PIECES: [&[u8]; 34] = [
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
];

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

fn golden(names: &[&str]) -> Vec<Vec<u8>> {
    names.iter().map(|name| fs::read(directory().join(name)).unwrap()).collect()
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

fn check_place(input: &[u8], error: &Error) {
    let Error::Parse(place) = error else { panic!("{error}") };
    let lines = input.iter().filter(|&&b| b == b'\n').count() + 1;
    assert!((1..=lines).contains(&place.line), "line {} of {lines}", place.line);
    assert!((1..=input.len() + 1).contains(&place.column), "column {}", place.column);
    assert!(!place.found.is_empty() && !place.expected.is_empty() && place.found.len() < 400, "{place}");
}

/// Reads a model; whether it was accepted.
fn check_model(input: &[u8]) -> bool {
    let model = match DetectorErrorModel::read(input) {
        Ok(model) => model,
        Err(error) => {
            check_place(input, &error);
            return false;
        }
    };
    let again: DetectorErrorModel = model.to_string().parse().unwrap();
    assert_eq!(again, model);
    // The first instructions of whatever is huge.
    assert!(model.flat_instructions().take(1000).count() <= 1000);
    if model.n_errors() > 10_000 {
        return true;
    }
    match model.to_problem() {
        Ok(problem) => assert_eq!(problem.n_mechanisms() as u64, model.n_errors()),
        Err(Error::TooLarge { .. }) => {}
        Err(error) => panic!("{error}"),
    }
    match model.to_graph() {
        Ok(_) | Err(Error::TooLarge { .. } | Error::NotApplicable { .. }) => {}
        Err(error) => panic!("{error}"),
    }
    true
}

/// Reads shots; whether they were accepted. What was read, written and read again is the same.
fn check_shots(input: &[u8], format: ShotFormat, layout: Layout) -> bool {
    let shots = match ShotReader::new(input, format, layout).unwrap().read_all() {
        Ok(shots) => shots,
        Err(Error::ShotFile { byte, .. }) => {
            assert!(byte <= input.len() as u64);
            return false;
        }
        Err(error) => {
            check_place(input, &error);
            return false;
        }
    };
    let mut writer = ShotWriter::new(Vec::new(), format, layout).unwrap();
    writer.write(shots.view()).unwrap();
    let file = writer.finish().unwrap();
    if matches!(format, ShotFormat::B8 | ShotFormat::R8 | ShotFormat::Ptb64) {
        // One way to write a shot: the same bytes, so no bit of the file can go unnoticed.
        assert_eq!(file, input);
    }
    assert_eq!(ShotReader::new(&file[..], format, layout).unwrap().read_all().unwrap(), shots);
    true
}

fn check_csv(input: &[u8]) -> bool {
    match read_csv(input) {
        Ok(rows) => {
            let mut file = Vec::new();
            quantum_ec::sample::write_csv(&rows, &mut file).unwrap();
            assert_eq!(read_csv(&file[..]).unwrap().len(), rows.len());
            true
        }
        Err(error) => {
            check_place(input, &error);
            false
        }
    }
}

fn run(name: &str, files: &[Vec<u8>], check: impl Fn(&[u8]) -> bool) {
    let seconds = std::env::var("FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2.0);
    let failures = directory().join("fuzz");
    for entry in fs::read_dir(&failures).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with(name) {
            check(&fs::read(&path).unwrap());
        }
    }
    for file in files {
        assert!(check(file));
    }
    let mut rng = Streams::new(2026).stream(0);
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let (mut inputs, mut accepted) = (0u64, 0u64);
    while Instant::now() < end {
        let input = mutate(files, &mut rng);
        match catch_unwind(AssertUnwindSafe(|| check(&input))) {
            Ok(good) => accepted += u64::from(good),
            Err(panic) => {
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

#[test]
fn model_reader() {
    run("dem", &golden(&["dem/nested.dem", "dem/nested.flat.dem", "dem/repetition_d3.dem"]), check_model);
}

#[test]
fn shot_readers() {
    for format in ShotFormat::ALL {
        let layout = Layout { detectors: 64, observables: 1, ..Layout::default() };
        let file = golden(&[&format!("shots/m0_d64_l1.{format}")]);
        run(&format!("shots_{format}"), &file, |input| check_shots(input, format, layout));
    }
}

#[test]
fn csv_reader() {
    run("csv", &golden(&["sinter.csv"]), check_csv);
}
