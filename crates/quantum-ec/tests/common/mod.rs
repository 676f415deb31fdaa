//! Mutations of files, for the tests of readers.

#[path = "../../../linalg-core/tests/mutations/mod.rs"]
mod mutations;

use std::path::{Path, PathBuf};

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
#[allow(dead_code)] // Not every test reads some.
pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// The place of an error is in the input.
pub fn check_place(input: &[u8], error: &Error) {
    let Error::Parse(place) = error else { panic!("{error}") };
    let lines = input.iter().filter(|&&b| b == b'\n').count() + 1;
    assert!((1..=lines).contains(&place.line), "line {} of {lines}", place.line);
    assert!((1..=input.len() + 1).contains(&place.column), "column {}", place.column);
    assert!(!place.found.is_empty() && !place.expected.is_empty() && place.found.len() < 400, "{place}");
}

/// [`mutations::run`] with the pieces of these formats.
pub fn run(name: &str, files: &[Vec<u8>], check: impl Fn(&[u8]) -> bool) {
    mutations::run(name, files, &PIECES, check);
}
