//! The families: published parameters, commutation relations, coordinates.

use linalg_core::Streams;
use linalg_core::gf2::{BitMatrix, BitVec};
use linalg_core::rand::{Rng, RngExt};
use proptest::prelude::*;
use quantum_ec::code::{self, Coordinates, Decomposition, StabilizerCode};
use quantum_ec::{CssCode, PauliString};

/// Name, n, k, number of generators, weights of generators that occur.
const FAMILIES: [(&str, usize, usize, usize, &[usize]); 32] = [
    ("repetition:2", 2, 1, 1, &[2]),
    ("repetition:7", 7, 1, 6, &[2]),
    ("unrotated-surface:2", 5, 1, 4, &[3]),
    ("unrotated-surface:3", 13, 1, 12, &[3, 4]),
    ("unrotated-surface:6", 61, 1, 60, &[3, 4]),
    ("rotated-surface:2", 4, 1, 3, &[2, 4]),
    ("rotated-surface:3", 9, 1, 8, &[2, 4]),
    ("rotated-surface:4", 16, 1, 15, &[2, 4]),
    ("rotated-surface:9", 81, 1, 80, &[2, 4]),
    ("toric:2", 8, 2, 8, &[4]),
    ("toric:5", 50, 2, 50, &[4]),
    ("xzzx:3", 9, 1, 8, &[2, 4]),
    ("xzzx:4", 16, 1, 15, &[2, 4]),
    ("color-666:3", 7, 1, 6, &[4]),
    ("color-666:5", 19, 1, 18, &[4, 6]),
    ("color-666:9", 61, 1, 60, &[4, 6]),
    ("color-488:3", 7, 1, 6, &[4]),
    ("color-488:5", 17, 1, 16, &[4, 8]),
    ("color-488:7", 31, 1, 30, &[4, 8]),
    ("color-488:9", 49, 1, 48, &[4, 8]),
    ("bb:72,12,6", 72, 12, 72, &[6]),
    ("bb:90,8,10", 90, 8, 90, &[6]),
    ("bb:108,8,10", 108, 8, 108, &[6]),
    ("bb:144,12,12", 144, 12, 144, &[6]),
    ("bb:288,12,18", 288, 12, 288, &[6]),
    ("bb:360,12,24", 360, 12, 360, &[6]),
    ("five-qubit", 5, 1, 4, &[4]),
    ("steane", 7, 1, 6, &[4]),
    ("shor", 9, 1, 8, &[2, 6]),
    ("reed-muller", 15, 1, 14, &[4, 8]),
    ("toric-3d:2", 24, 3, 32, &[4, 6]),
    ("toric-3d:3", 81, 3, 108, &[4, 6]),
];

#[test]
fn published_parameters() {
    for (name, n, k, generators, weights) in FAMILIES {
        let code = code::parse(name).unwrap();
        assert_eq!((code.n_qubits(), code.n_logical(), code.n_generators()), (n, k, generators), "{name}");
        assert_eq!(code.name(), name);
        let mut found: Vec<usize> = code.generators().iter().map(PauliString::weight).collect();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, weights, "{name}");
        assert_eq!(code.relations().len(), generators - (n - k), "{name}");
        for relation in code.relations() {
            let mut product = PauliString::identity(n);
            relation.iter().for_each(|&i| product.mul_assign(&code.generators()[i]));
            assert_eq!(product, PauliString::identity(n), "{name}");
        }
        assert_eq!(code.layout().is_none(), ["five-qubit", "steane", "shor", "reed-muller"].contains(&name));
    }
}

/// All relations of the slides' basis: a generator anticommutes with its pure error alone, a logical X with its logical Z
/// alone.
fn check_relations(code: &StabilizerCode) {
    let basis = Decomposition::new(code);
    let (r, k) = (basis.rank(), basis.n_logical());
    assert_eq!((r, k, r + k), (code.rank(), code.n_logical(), code.n_qubits()));
    let all: Vec<&PauliString> = (basis.generators().iter().chain(basis.logical_x()))
        .chain(basis.pure_errors())
        .chain(basis.logical_z())
        .collect();
    assert_eq!(all.len(), 2 * (r + k));
    for (i, a) in all.iter().enumerate() {
        for (j, b) in all.iter().enumerate().skip(i) {
            assert_eq!(a.commutes_with(b), j != i + r + k, "{}: {i} and {j}", code.name());
        }
    }
    for logical in basis.logical_x().iter().chain(basis.logical_z()) {
        assert!(code.syndrome(logical).is_zero(), "{}", code.name());
    }
    for (i, error) in basis.pure_errors().iter().enumerate() {
        let reduced = basis.reduce_syndrome(&code.syndrome(error)).unwrap();
        assert_eq!(reduced.iter_ones().collect::<Vec<_>>(), [i], "{}", code.name());
    }
    let mut rng = Streams::new(5).stream(0);
    for _ in 0..20 {
        let error = PauliString::random(code.n_qubits(), &mut rng);
        let coordinates = basis.decompose(&error);
        assert_eq!(basis.reduce_syndrome(&code.syndrome(&error)).unwrap(), coordinates.syndrome, "{}", code.name());
        assert_eq!(basis.compose(&coordinates).unwrap(), error, "{}", code.name());
        // A generator changes the gauge alone.
        if r > 0 {
            let i = rng.random_range(0..r as u64) as usize;
            let moved = basis.decompose(&(&error * &basis.generators()[i]));
            assert_eq!((&moved.syndrome, &moved.logical), (&coordinates.syndrome, &coordinates.logical));
            let mut gauge = coordinates.gauge.clone();
            gauge.flip(i);
            assert_eq!(moved.gauge, gauge);
        }
        // Logical X_i flips what anticommutes with it, logical Z_i: bit k + i; and the other way around.
        for i in 0..k {
            let with_x = basis.decompose(&(&error * &basis.logical_x()[i]));
            let with_z = basis.decompose(&(&error * &basis.logical_z()[i]));
            let flipped = |c: &Coordinates| {
                let mut difference = c.logical.clone();
                difference.xor_assign(&coordinates.logical);
                difference.iter_ones().collect::<Vec<_>>()
            };
            assert_eq!((flipped(&with_x), flipped(&with_z)), (vec![k + i], vec![i]));
        }
    }
}

#[test]
fn relations_of_every_family() {
    for (name, ..) in FAMILIES {
        check_relations(&code::parse(name).unwrap());
    }
}

#[test]
fn relations_of_products() {
    let ring = BitMatrix::from_text("110\n011\n101").unwrap();
    let hamming = BitMatrix::from_text("1010101\n0110011\n0001111").unwrap();
    let toric = code::hypergraph_product(&ring, &ring).unwrap();
    assert_eq!((toric.n_qubits(), toric.n_logical()), (18, 2));
    // k = 4 * 4 + 0, n = 49 + 9.
    let product = code::hypergraph_product(&hamming, &hamming).unwrap();
    assert_eq!((product.n_qubits(), product.n_logical()), (58, 16));
    let mixed = code::hypergraph_product(&hamming, &ring).unwrap();
    assert_eq!((mixed.n_qubits(), mixed.n_logical()), (30, 4));
    let line = BitMatrix::from_text("1100\n0110\n0011").unwrap();
    let surface = code::hypergraph_product(&line, &line).unwrap();
    assert_eq!((surface.n_qubits(), surface.n_logical()), (25, 1));
    for code in [toric, product, mixed, surface] {
        check_relations(code.stabilizer());
    }
}

/// Generalised bicycle codes A1, A2 and A3 of Panteleev, Kalachev, arXiv:1904.02703, and a lifted product that is no
/// bicycle: the one with a one by one matrix B and the exponents of a 3 by 4 matrix A.
#[test]
fn relations_of_lifted_products() {
    let polynomial = |exponents: &[usize]| vec![vec![exponents.iter().map(|&e| vec![e]).collect::<Vec<_>>()]];
    let rows: [(usize, &[usize], &[usize], usize); 3] = [
        (127, &[0, 15, 20, 28, 66], &[0, 58, 59, 100, 121], 28),
        (24, &[0, 2, 8, 15], &[0, 2, 12, 17], 6),
        (63, &[0, 1, 14, 16, 22], &[0, 3, 13, 20, 42], 28),
    ];
    for (l, a, b, k) in rows {
        let code = code::lifted_product(&[l], &polynomial(a), &polynomial(b)).unwrap();
        assert_eq!((code.n_qubits(), code.n_logical()), (2 * l, k));
        check_relations(code.stabilizer());
    }
    let a: Vec<Vec<Vec<Vec<usize>>>> =
        (0..3).map(|i| (0..4).map(|j| if i == j { vec![] } else { vec![vec![i * j + 1]] }).collect()).collect();
    let code = code::lifted_product(&[5], &a, &a).unwrap();
    assert_eq!(code.n_qubits(), 5 * (4 * 3 + 3 * 4));
    check_relations(code.stabilizer());
}

#[test]
fn xzzx_is_the_surface_code_turned() {
    let code = code::parse("xzzx:5").unwrap();
    for generator in code.generators().iter().filter(|g| g.weight() == 4) {
        let letters: String = generator.support().map(|(_, p)| p.letter()).collect();
        assert!(letters == "XZZX" || letters == "ZXXZ", "{letters}");
    }
    assert!(CssCode::from_stabilizer(&code).is_none());
}

#[test]
fn css_codes_survive_the_way_through_generators() {
    for name in ["rotated-surface:3", "toric:3", "bb:72,12,6", "steane", "repetition:4"] {
        let code = code::parse(name).unwrap();
        let css = CssCode::from_stabilizer(&code).unwrap();
        assert_eq!(*css.stabilizer(), code);
        assert!(css.hx().mul(&css.hz().transpose()).is_zero());
        assert!(css.hz().mul(&css.lx().transpose()).is_zero() && css.hx().mul(&css.lz().transpose()).is_zero());
        assert_eq!(css.lx().mul(&css.lz().transpose()), BitMatrix::identity(code.n_logical()), "{name}");
    }
}

#[test]
fn names_are_canonical() {
    for (written, name) in [("toric:007", "toric:7"), ("xzzx:03", "xzzx:3"), ("bb:072,12,06", "bb:72,12,6")] {
        let code = code::parse(written).unwrap();
        assert_eq!(code.name(), name);
        assert_eq!(code::parse(name).unwrap(), code);
    }
    assert_eq!(code::parse("reed-muller").unwrap(), code::reed_muller(4).unwrap().into_stabilizer());
    for m in [3, 5] {
        assert_eq!(code::reed_muller(m).unwrap().stabilizer().name(), "", "another code than the one of this name");
    }
    let steane = code::parse("steane").unwrap();
    assert_eq!(steane.clone().hadamard([]), steane);
    assert_eq!(steane.hadamard([2]).name(), "");
}

#[test]
fn classes_of_decoders() {
    let code = code::parse("toric:2").unwrap();
    let basis = Decomposition::new(&code);
    // Bit i for logical X_i, bit k + i for logical Z_i.
    for i in 0..2 {
        assert_eq!(basis.decompose(&code.logical_x()[i]).decoder_class(), Some(1 << i));
        assert_eq!(basis.decompose(&code.logical_z()[i]).decoder_class(), Some(4 << i));
    }
    assert_eq!(Coordinates::default().decoder_class(), Some(0));
    let many = StabilizerCode::new(33, Vec::new()).unwrap();
    assert_eq!(Decomposition::new(&many).decompose(&PauliString::identity(33)).decoder_class(), None);
}

#[test]
fn names_that_are_none() {
    let message = |name: &str| code::parse(name).unwrap_err().to_string();
    assert!(message("surface:3").starts_with("code \"surface:3\" is unknown, expected one of repetition:D, "));
    assert_eq!(message("toric"), "parameters of a code: 0 given, 1 expected");
    assert_eq!(message("steane:7"), "parameters of a code: 1 given, 0 expected");
    assert_eq!(message("toric:-3"), "parameter of a code is \"-3\", expected a positive integer");
    assert_eq!(message("toric:"), "parameter of a code is \"\", expected a positive integer");
    assert_eq!(
        message("toric:99999999999999999999"),
        "parameter of a code is \"99999999999999999999\", expected a positive integer"
    );
    assert_eq!(
        message("toric:18446744073709551615"),
        "length is 18446744073709551615, expected at least 2, and at most 20000 qubits"
    );
    assert_eq!(message("color-488:4"), "distance is 4, expected an odd number");
    assert_eq!(message("color-666:1"), "distance is 1, expected at least 3, and at most 20000 qubits");
    assert!(message("bb:144,12,6").contains("expected one of 72,12,6 or 90,8,10"));
}

#[test]
fn impossible_syndromes_name_the_checks() {
    let code = code::parse("toric:2").unwrap();
    let basis = Decomposition::new(&code);
    let error = basis.reduce_syndrome(&BitVec::from_ones(8, [1]).unwrap()).unwrap_err();
    assert!(error.to_string().contains("[0, 1, 2, 3]"), "{error}");
    assert!(basis.reduce_syndrome(&BitVec::zeros(7)).is_err());
    assert!(basis.compose(&Coordinates::default()).is_err());
}

/// Random stabilizer codes: Z on the first qubits, then random gates of the Clifford group as actions on rows.
fn random_code<R: Rng + ?Sized>(n: usize, r: usize, rng: &mut R) -> StabilizerCode {
    let mut generators: Vec<PauliString> =
        (0..r).map(|i| PauliString::z_type(&BitVec::from_ones(n, [i]).unwrap())).collect();
    // A transvection v -> v + <v, t> t is symplectic, and they generate the group.
    for _ in 0..4 * n {
        let t = PauliString::random(n, rng);
        for g in &mut generators {
            if !g.commutes_with(&t) {
                g.mul_assign(&t);
                *g = g.clone().with_phase(0);
            }
        }
    }
    // Dependent generators, with the sign of the product.
    if r >= 2 {
        let mut product = generators[0].clone();
        product.mul_assign(&generators[r - 1]);
        generators.insert(1, product);
    }
    StabilizerCode::new(n, generators).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn random_codes(n in 1usize..70, fraction in 0.0f64..1.0, seed in 0u64..1000) {
        let mut rng = Streams::new(seed).stream(1);
        let r = (fraction * (n + 1) as f64) as usize;
        let code = random_code(n, r, &mut rng);
        prop_assert_eq!((code.rank(), code.n_logical()), (r, n - r));
        check_relations(&code);
    }
}
