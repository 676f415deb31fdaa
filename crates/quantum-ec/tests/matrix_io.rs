//! Matrices and tables are written and read again; mutated files give an error with a place or something that can be
//! written and read again.
//!
//! `FUZZ_SECONDS` (default 2) is the time for each reader. An input on which a reader fails is written to
//! `tests/data/fuzz` and read again by every later run.

mod common;

use common::{check_place, run};
use linalg_core::Streams;
use linalg_core::gf2::{BinaryCsc, BitMatrix};
use linalg_core::rand::RngExt;
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

/// Whether the input was accepted, after checks of what came out.
fn check_matrix(input: &[u8], format: MatrixFormat) -> bool {
    match read_matrix(input, format) {
        Err(error) => {
            check_place(input, &error);
            false
        }
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
        Err(error) => {
            check_place(input, &error);
            false
        }
        Ok(table) => {
            let mut file = Vec::new();
            io::write_pauli_table(&table, &mut file).unwrap();
            assert_eq!(io::read_pauli_table(&file[..]).unwrap(), table);
            true
        }
    }
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
    files.push(b"%%MatrixMarket matrix coordinate pattern symmetric\n3 3 2\n2 2\n3 1\n".to_vec());
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
