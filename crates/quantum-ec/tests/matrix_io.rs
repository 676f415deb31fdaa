//! Matrices and tables are written and read again; mutated files give an error with a place or something that can be
//! written and read again.
//!
//! `FUZZ_SECONDS` (default 2) is the time for each reader. An input on which a reader fails is written to
//! `tests/data/fuzz` and read again by every later run.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use linalg_core::Streams;
use linalg_core::gf2::{BinaryCsc, BitMatrix};
use linalg_core::rand::{Rng, RngExt};
use proptest::prelude::*;
use quantum_ec::code::{self, CssCode};
use quantum_ec::io::{self, MatrixFormat, read_matrix, write_matrix};
use quantum_ec::{Error, PauliTable};

const FORMATS: [MatrixFormat; 3] = [MatrixFormat::Alist, MatrixFormat::MatrixMarket, MatrixFormat::Dense];

fn written(matrix: &BinaryCsc, format: MatrixFormat) -> Vec<u8> {
    let mut file = Vec::new();
    write_matrix(matrix, format, &mut file).unwrap();
    file
}

proptest! {
    #[test]
    fn matrices_survive(m in 1usize..9, n in 1usize..9, seed in 0u64..1000, sparse in any::<bool>()) {
        let mut rng = Streams::new(seed).stream(0);
        let mut matrix = BitMatrix::random(m, n, &mut rng);
        if sparse {
            let mask = BitMatrix::random(m, n, &mut rng);
            let again = BitMatrix::random(m, n, &mut rng);
            for i in 0..m {
                for j in 0..n {
                    matrix.set(i, j, matrix.get(i, j) && mask.get(i, j) && again.get(i, j));
                }
            }
        }
        let matrix = BinaryCsc::from_matrix(&matrix);
        for format in FORMATS {
            let file = written(&matrix, format);
            prop_assert_eq!(&read_matrix(&file[..], format).unwrap(), &matrix);
            prop_assert_eq!(&read_matrix(&file[..], MatrixFormat::Auto).unwrap(), &matrix);
        }
    }

    #[test]
    fn tables_survive(seed in 0u64..1000, n in 1usize..20) {
        let mut rng = Streams::new(seed).stream(0);
        let rows = (0..n).map(|_| {
            let [a, b, c]: [f64; 3] = rng.random();
            [(1.0 - a).max(0.0), a * b, a * (1.0 - b) * c, a * (1.0 - b) * (1.0 - c)]
        });
        let table = PauliTable::new(rows.collect()).unwrap();
        let mut file = Vec::new();
        io::write_pauli_table(&table, &mut file).unwrap();
        prop_assert_eq!(io::read_pauli_table(&file[..]).unwrap(), table);
    }
}

#[test]
fn codes_survive_in_every_format() {
    let code = CssCode::from_stabilizer(&code::parse("bb:72,12,6").unwrap()).unwrap();
    for format in FORMATS {
        let [hx, hz] = [code.hx(), code.hz()].map(|h| {
            let file = written(&BinaryCsc::from_matrix(h), format);
            read_matrix(&file[..], MatrixFormat::Auto).unwrap()
        });
        let again = CssCode::from_sparse(&hx, &hz).unwrap();
        assert_eq!((again.hx(), again.hz(), again.n_logical()), (code.hx(), code.hz(), 12));
    }
    let wide = BinaryCsc::from_columns(1, vec![Vec::<usize>::new(); 20_001]).unwrap();
    assert!(matches!(CssCode::from_sparse(&wide, &wide), Err(Error::TooLarge { value: 20_001, .. })));
}

/// Pieces that readers trip over.
const PIECES: [&[u8]; 22] = [
    b"99999999999999999999",
    b"4294967296",
    b"1048577",
    b"-1",
    b"0",
    b"1",
    b"2",
    b"1e999",
    b"0.5",
    b"nan",
    b"inf",
    b"%",
    b"#",
    b",",
    b"\xff",
    b"\0",
    b"\r",
    b"\n",
    b"\n\n",
    b" ",
    b"\xef\xbb\xbf",
    b"%%MatrixMarket matrix coordinate integer general\n",
];

fn failures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fuzz")
}

/// One to four random changes of a random file.
fn mutate<R: Rng + ?Sized>(files: &[Vec<u8>], rng: &mut R) -> Vec<u8> {
    let below = |n: usize, rng: &mut R| rng.random_range(0..n.max(1) as u64) as usize;
    let mut bytes = files[below(files.len(), rng)].clone();
    for _ in 0..1 + below(4, rng) {
        let at = below(bytes.len() + 1, rng);
        let until = (at + below(16, rng)).min(bytes.len());
        match below(6, rng) {
            0 if at < bytes.len() => bytes[at] ^= 1 << below(8, rng),
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(at..until)),
            3 => {
                let piece = PIECES[below(PIECES.len(), rng)];
                bytes.splice(at..until.min(at + below(4, rng)), piece.iter().copied());
            }
            4 => {
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

/// Whether the input was accepted, after checks of what came out.
fn check_matrix(input: &[u8], format: MatrixFormat) -> bool {
    match read_matrix(input, format) {
        Err(Error::Parse(place)) => {
            check_place(input, &place);
            false
        }
        Err(other) => panic!("{other}"),
        Ok(matrix) => {
            for format in FORMATS {
                // Only what fits in memory as a dense matrix; an alist or dense file has a row and a column at least.
                let large = matrix.n_rows().saturating_mul(matrix.n_cols()) > 1 << 20;
                if matrix.n_rows() == 0 || matrix.n_cols() == 0 || large {
                    continue;
                }
                assert_eq!(read_matrix(&written(&matrix, format)[..], MatrixFormat::Auto).unwrap(), matrix);
            }
            true
        }
    }
}

fn check_table(input: &[u8]) -> bool {
    match io::read_pauli_table(input) {
        Err(Error::Parse(place)) => {
            check_place(input, &place);
            false
        }
        Err(other) => panic!("{other}"),
        Ok(table) => {
            let mut file = Vec::new();
            io::write_pauli_table(&table, &mut file).unwrap();
            assert_eq!(io::read_pauli_table(&file[..]).unwrap(), table);
            true
        }
    }
}

fn check_place(input: &[u8], place: &io::ParseError) {
    let lines = input.iter().filter(|&&b| b == b'\n').count() + 1;
    assert!((1..=lines).contains(&place.line), "line {} of {lines}", place.line);
    assert!((1..=input.len() + 1).contains(&place.column), "column {}", place.column);
    assert!(!place.found.is_empty() && !place.expected.is_empty() && place.found.len() < 400, "{place}");
}

fn run(name: &str, files: &[Vec<u8>], check: impl Fn(&[u8]) -> bool) {
    let seconds = std::env::var("FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2.0);
    for entry in fs::read_dir(failures()).into_iter().flatten() {
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
                fs::create_dir_all(failures()).unwrap();
                let path = failures().join(format!("{name}_{inputs}"));
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

fn files(format: MatrixFormat) -> Vec<Vec<u8>> {
    let codes = ["steane", "rotated-surface:3", "toric:2"].map(|name| code::parse(name).unwrap());
    codes
        .iter()
        .map(|code| written(&BinaryCsc::from_matrix(CssCode::from_stabilizer(code).unwrap().hx()), format))
        .collect()
}

#[test]
fn alist_reader() {
    run("alist", &files(MatrixFormat::Alist), |input| check_matrix(input, MatrixFormat::Alist));
}

#[test]
fn matrix_market_reader() {
    let mut files = files(MatrixFormat::MatrixMarket);
    files.push(b"%%MatrixMarket matrix coordinate integer general\n% c\n2 2 3\n1 1 1\n2 1 0\n2 2 1\n".to_vec());
    run("matrix_market", &files, |input| check_matrix(input, MatrixFormat::MatrixMarket));
}

#[test]
fn dense_reader() {
    run("dense", &files(MatrixFormat::Dense), |input| check_matrix(input, MatrixFormat::Dense));
}

#[test]
fn auto_reader() {
    let all: Vec<Vec<u8>> = FORMATS.into_iter().flat_map(files).collect();
    run("auto", &all, |input| check_matrix(input, MatrixFormat::Auto));
}

#[test]
fn pauli_table_reader() {
    let file = b"p_I,p_X,p_Y,p_Z\n0.7,0.1,0.1,0.1\n# c\n1,0,0,0\n0.25,0.25,0.25,0.25\n".to_vec();
    run("pauli_table", &[file], check_table);
}

/// Text forms of operators and names: any text gives a value or an error.
#[test]
fn texts() {
    let seeds: Vec<Vec<u8>> = ["-iXYZ_I", "X1*Z5*Y12", "bb:144,12,12", "rotated-surface:5", "biased:10.5"]
        .iter()
        .map(|text| text.as_bytes().to_vec())
        .collect();
    run("texts", &seeds, |input| {
        let text = String::from_utf8_lossy(input);
        let string = text.parse::<quantum_ec::PauliString>();
        let sparse = text.parse::<quantum_ec::SparsePauli>();
        let noise = text.parse::<quantum_ec::noise::Noise>();
        if let Ok(string) = &string {
            assert_eq!(string.to_string().parse::<quantum_ec::PauliString>().unwrap(), *string);
        }
        if let Ok(sparse) = &sparse {
            assert_eq!(sparse.to_string().parse::<quantum_ec::SparsePauli>().unwrap(), *sparse);
        }
        // Large codes take long: only names with few digits.
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let code = digits <= 1 || text.starts_with("bb");
        string.is_ok() || sparse.is_ok() || noise.is_ok() || (code && code::parse(&text).is_ok())
    });
}
