//! Mutated instance and sample files: no reader panics, every error has a place, and what is accepted can be written and read
//! again.

#[path = "../../linalg-core/tests/mutations/mod.rs"]
mod mutations;

use std::fs;
use std::path::{Path, PathBuf};

use spin_models::inverse::{Samples, read_csv, read_npy};
use spin_models::io::{Format, Instance, Sign, read_instance, write_bqpjson, write_dimod, write_edge_list};
use spin_models::{EnergyModel, Error};

const SIGNS: [Sign; 3] = [Sign::Coupling, Sign::MaxCut, Sign::Dimod];

/// Pieces that readers trip over.
const PIECES: [&[u8]; 34] = [
    b"99999999999999999999",
    b"4294967296",
    b"18446744073709551615",
    b"-1",
    b"0",
    b"1e999",
    b"-1e-999",
    b"1e308",
    b"nan",
    b"NaN",
    b"Infinity",
    b"-inf",
    b"\"",
    b"\\",
    b"\\u12",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\xff",
    b"\0",
    b"\r",
    b"\n",
    b"\t",
    b" ",
    b"# position 1 0 0\n",
    b"\xef\xbb\xbf",
    b"\xce\xbb",
    b"null",
    b"\"scale\": 1e308,",
    b"[[[[[[[[",
];

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

fn golden(names: &[&str]) -> Vec<Vec<u8>> {
    names.iter().map(|name| fs::read(directory().join(name)).unwrap()).collect()
}

/// Reads with every sign and checks what comes out.
fn check(input: &[u8], format: Format) {
    for sign in SIGNS {
        match read_instance(input, format, sign) {
            Err(Error::Parse(place)) => {
                let lines = input.iter().filter(|&&b| b == b'\n').count() + 1;
                assert!((1..=lines).contains(&place.line), "line {} of {lines}", place.line);
                assert!((1..=input.len() + 1).contains(&place.column), "column {}", place.column);
                assert!(!place.found.is_empty() && !place.expected.is_empty() && place.found.len() < 400, "{place}");
            }
            // Sums of finite numbers may overflow.
            Err(Error::NotFinite { .. }) => {}
            Err(other) => panic!("{other}"),
            Ok(instance) => {
                assert_eq!(instance.labels.len(), instance.model.n_spins());
                assert!(instance.model.energy(&vec![1; instance.model.n_spins()]).is_finite() || overflows(&instance));
                rewrite(&instance, sign);
            }
        }
    }
}

fn overflows(instance: &Instance) -> bool {
    let model = &instance.model;
    let sum: f64 = model.couplings().map(|(_, _, j)| j.abs()).chain(model.fields().iter().map(|h| h.abs())).sum();
    !(sum + model.offset().abs()).is_finite()
}

/// What was read is written and read again: the same model.
fn rewrite(instance: &Instance, sign: Sign) {
    let mut file = Vec::new();
    let format = match instance.format {
        Format::Bqpjson => write_bqpjson(instance, sign, &mut file).map(|()| Format::Bqpjson),
        Format::Dimod => write_dimod(instance, sign, &mut file).map(|()| Format::Dimod),
        _ => write_edge_list(instance, sign, &mut file).map(|()| Format::EdgeList),
    };
    let again = read_instance(&file[..], format.unwrap(), sign).unwrap();
    assert_eq!(again.model, instance.model);
    assert_eq!(again.labels, instance.labels);
    assert_eq!((again.comments, again.metadata), (instance.comments.clone(), instance.metadata.clone()));
}

fn run(name: &str, format: Format, files: &[Vec<u8>]) {
    let read = |input: &[u8]| read_instance(input, format, Sign::Coupling).is_ok();
    fuzz(name, files, read, |input| check(input, format));
}

/// [`mutations::run`] with the pieces of these formats; `read` tells whether an input is accepted.
fn fuzz(name: &str, files: &[Vec<u8>], read: impl Fn(&[u8]) -> bool, check: impl Fn(&[u8])) {
    mutations::run(name, files, &PIECES, |input| {
        check(input);
        read(input)
    });
}

/// What a reader of samples may return, and samples that hold what they were read from.
fn check_samples(read: Result<Samples, Error>) {
    match read {
        Err(Error::SampleValue { found, expected, .. }) => {
            assert!(!found.is_empty() && !expected.is_empty() && found.len() < 400, "{found}");
        }
        Err(Error::Unreadable { found, expected, .. }) => {
            assert!(!found.is_empty() && !expected.is_empty() && found.len() < 400, "{found}");
        }
        Err(Error::NoSpins | Error::TooFewSamples { .. }) => {}
        Err(other) => panic!("{other}"),
        Ok(samples) => {
            let spins: Vec<i8> = (0..samples.len()).flat_map(|k| samples.spins(k)).collect();
            assert_eq!(Samples::from_spins(samples.n_spins(), &spins).unwrap(), samples);
            assert!(samples.merged().len() <= samples.len());
        }
    }
}

#[test]
fn samples_text_reader() {
    let read = |input: &[u8]| read_csv(input).is_ok();
    fuzz("samples_csv", &golden(&["samples.csv"]), read, |input| check_samples(read_csv(input)));
}

#[test]
fn samples_array_reader() {
    let read = |input: &[u8]| read_npy(input).is_ok();
    fuzz("samples_npy", &golden(&["samples.npy"]), read, |input| check_samples(read_npy(input)));
}

const EDGE_LISTS: [&str; 3] = ["square.sg", "house.gset.txt", "path.mc"];
const BQPJSON: [&str; 2] = ["bqpjson_spin.json", "bqpjson_boolean.json"];
const DIMOD: [&str; 3] = ["dimod_spin.json", "dimod_binary.json", "dimod_plain.json"];

#[test]
fn edge_list_reader() {
    run("edge_list", Format::EdgeList, &golden(&EDGE_LISTS));
}

#[test]
fn bqpjson_reader() {
    run("bqpjson", Format::Bqpjson, &golden(&BQPJSON));
}

#[test]
fn dimod_reader() {
    run("dimod", Format::Dimod, &golden(&DIMOD));
}

#[test]
fn auto_reader() {
    run("auto", Format::Auto, &golden(&[&EDGE_LISTS[..], &BQPJSON, &DIMOD].concat()));
}
