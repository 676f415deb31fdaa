use linalg_core::gf2::{BinaryCsc, BitMatrix, BitVec};
use linalg_core::rand::{RngExt, SeedableRng};
use linalg_core::rng::Xoshiro256PlusPlus;
use spin_models::{Duplicates, EnergyModel, Enumeration, InteractionModel, LogPartition, TransferMatrix};

use super::*;
use crate::problem::DecodingProblem;

/// The rotated surface code: rows `[x | z]` of stabilizers, then the logical X along a column and Z along a row.
pub(crate) fn rotated_surface(d: usize) -> (BitMatrix, BitMatrix) {
    let n = d * d;
    let (mut stabilizers, mut logicals) = (BitMatrix::zeros(0, 2 * n), BitMatrix::zeros(0, 2 * n));
    for r in 0..=d {
        for c in 0..=d {
            let x_type = (r + c) % 2 == 0;
            let corner = (r == 0 || r == d) && (c == 0 || c == d);
            let edge = if x_type { c == 0 || c == d } else { r == 0 || r == d };
            if corner || edge {
                continue;
            }
            let mut row = BitVec::zeros(2 * n);
            for (y, x) in [(r, c), (r, c + 1), (r + 1, c), (r + 1, c + 1)] {
                if (1..=d).contains(&y) && (1..=d).contains(&x) {
                    let q = (y - 1) * d + x - 1;
                    row.flip(if x_type { q } else { q + n });
                }
            }
            stabilizers.push_row(&row);
        }
    }
    // X checks end at the top and the bottom: a column of X commutes with the Z checks.
    let column = BitVec::from_ones(2 * n, (0..d).map(|r| r * d)).unwrap();
    let row = BitVec::from_ones(2 * n, (0..d).map(|c| c + n)).unwrap();
    for operator in [column, row] {
        logicals.push_row(&operator);
    }
    (stabilizers, logicals)
}

/// The columns that X errors flip: Z checks and the logical Z.
pub(crate) fn bit_flip(stabilizers: &BitMatrix, logicals: &BitMatrix, priors: Vec<f64>) -> DecodingProblem {
    let n = priors.len();
    let seen = |matrix: &BitMatrix| {
        let rows: Vec<BitVec> = matrix.rows().map(|r| r.to_bitvec()).filter(|r| (n..2 * n).any(|b| r.get(b))).collect();
        let columns: Vec<Vec<usize>> =
            (0..n).map(|q| (0..rows.len()).filter(|&i| rows[i].get(q + n)).collect()).collect();
        BinaryCsc::from_columns(rows.len(), columns).unwrap()
    };
    DecodingProblem::new(seen(stabilizers), seen(logicals), priors).unwrap()
}

fn rng(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

fn ln_p(coset: &CosetModel, error: &BitVec) -> f64 {
    let model = coset.with_representative(error).unwrap();
    TransferMatrix::default().ln_z(&model, 1.0).unwrap().value + coset.ln_normalization()
}

/// ln of the sum over all errors of the coset, one by one.
fn direct(problem: &DecodingProblem, error: &BitVec) -> f64 {
    let n = problem.n_mechanisms();
    let (syndrome, logical) = (problem.syndrome(error), problem.logical(error));
    let mut sum = 0.0;
    for state in 0..1u64 << n {
        let other = BitVec::from_words(vec![state], n).unwrap();
        if problem.syndrome(&other) == syndrome && problem.logical(&other) == logical {
            sum += problem
                .priors()
                .iter()
                .enumerate()
                .map(|(j, p)| if other.get(j) { *p } else { 1.0 - p })
                .product::<f64>();
        }
    }
    sum.ln()
}

#[test]
fn cosets_of_the_rotated_code_equal_direct_sums() {
    let mut rng = rng(2);
    let (stabilizers, logicals) = rotated_surface(3);
    for _ in 0..5 {
        // Above one half too.
        let priors: Vec<f64> = (0..9).map(|_| rng.random_range(0.01..0.99)).collect();
        let problem = bit_flip(&stabilizers, &logicals, priors);
        let coset = CosetModel::new(&problem).unwrap();
        // Of the four X checks, the two of two qubits make their qubits one mechanism.
        assert_eq!((coset.n_generators(), coset.rank(), coset.model().n_terms()), (2, 2, 7));
        for _ in 0..8 {
            let error = BitVec::random(9, &mut rng);
            approx::assert_abs_diff_eq!(ln_p(&coset, &error), direct(&problem, &error), epsilon = 1e-12);
        }
    }
}

#[test]
fn random_problems_equal_direct_sums() {
    let mut rng = rng(3);
    for round in 0..60 {
        let (detectors, observables, n) = (rng.random_range(0..5), rng.random_range(0..4), rng.random_range(1..11));
        let column = |rows: usize, rng: &mut Xoshiro256PlusPlus| -> Vec<usize> {
            (0..rows).filter(|_| rng.random_range(0..3) == 0).collect()
        };
        let checks = BinaryCsc::from_columns(detectors, (0..n).map(|_| column(detectors, &mut rng))).unwrap();
        let seen = BinaryCsc::from_columns(observables, (0..n).map(|_| column(observables, &mut rng))).unwrap();
        let priors: Vec<f64> = (0..n)
            .map(|_| match rng.random_range(0..8) {
                0 => 0.0,
                1 => 1.0,
                2 => 0.5,
                _ => rng.random_range(0.0..1.0),
            })
            .collect();
        let problem = DecodingProblem::new(checks, seen, priors).unwrap();
        let coset = CosetModel::new(&problem).unwrap();
        for _ in 0..4 {
            let error = BitVec::random(n, &mut rng);
            let expected = direct(&problem, &error);
            if expected == f64::NEG_INFINITY {
                assert!(coset.with_representative(&error).is_err(), "round {round}");
                continue;
            }
            approx::assert_abs_diff_eq!(ln_p(&coset, &error), expected, epsilon = 1e-12);
            // The model is the same whatever the representative.
            for generator in coset.generators() {
                let mut other = error.clone();
                other.xor_assign(&generator);
                approx::assert_abs_diff_eq!(ln_p(&coset, &other), expected, epsilon = 1e-12);
            }
            let found = coset.representative(&problem.syndrome(&error), &problem.logical(&error)).unwrap().unwrap();
            assert_eq!(problem.syndrome(&found), problem.syndrome(&error));
            assert_eq!(problem.logical(&found), problem.logical(&error));
            approx::assert_abs_diff_eq!(ln_p(&coset, &found), expected, epsilon = 1e-12);
        }
    }
}

#[test]
fn pauli_cosets_equal_the_distribution() {
    let mut rng = rng(4);
    let (stabilizers, logicals) = rotated_surface(3);
    for kind in 0..8 {
        let table: Vec<[f64; 4]> = (0..9)
            .map(|q| {
                let mut row = [0.0; 4].map(|_: f64| rng.random_range(0.02..1.0));
                match (kind, q % 4) {
                    (1, _) => (row[1], row[3]) = (0.0, 0.0),
                    (2, 0) => (row[0], row[2]) = (0.0, 0.0),
                    (2, 1) => (row[0], row[3]) = (0.0, 0.0),
                    (2, 2) => (row[0], row[1], row[2]) = (0.0, 0.0, 0.0),
                    (3, _) => (row[1], row[2]) = (0.0, 0.0),
                    (4, _) => row = [0.0, 0.0, 1.0, 0.0],
                    (5, 3) => (row[1], row[0]) = (0.0, 0.0),
                    _ => {}
                }
                let sum: f64 = row.iter().sum();
                row.map(|p| p / sum)
            })
            .collect();
        let coset = CosetModel::paulis(&stabilizers, &logicals, &table).unwrap();
        let all = SyndromeDistribution::paulis(&stabilizers, &logicals, &table).unwrap();
        let mut total = 0.0;
        for syndrome in 0..256u64 {
            for class in 0..4u64 {
                let s = BitVec::from_words(vec![syndrome], 8).unwrap();
                let c = BitVec::from_words(vec![class], 2).unwrap();
                let p = all.probability(syndrome as usize, class as usize);
                total += p;
                match coset.representative(&s, &c) {
                    Ok(Some(error)) => approx::assert_abs_diff_eq!(ln_p(&coset, &error), p.ln(), epsilon = 1e-12),
                    _ => approx::assert_abs_diff_eq!(p, 0.0, epsilon = 0.0),
                }
            }
        }
        approx::assert_abs_diff_eq!(total, 1.0, epsilon = 1e-13);
    }
}

#[test]
fn independent_flips_have_no_third_coupling() {
    let (stabilizers, logicals) = rotated_surface(3);
    let (x, z) = (0.1, 0.03);
    let table = [[(1.0 - x) * (1.0 - z), x * (1.0 - z), x * z, (1.0 - x) * z]; 9];
    let coset = CosetModel::paulis(&stabilizers, &logicals, &table).unwrap();
    assert_eq!(coset.model().n_terms(), 18);
    let depolarizing = CosetModel::paulis(&stabilizers, &logicals, &[[0.7, 0.1, 0.1, 0.1]; 9]).unwrap();
    assert_eq!(depolarizing.model().n_terms(), 27);
    assert_eq!(depolarizing.model().max_order(), 4);
}

#[test]
fn planar_faces_give_the_same_cosets() {
    let mut rng = rng(5);
    for d in [3, 5] {
        let (stabilizers, logicals) = rotated_surface(d);
        let priors: Vec<f64> = (0..d * d).map(|_| rng.random_range(0.01..0.6)).collect();
        let problem = bit_flip(&stabilizers, &logicals, priors);
        let (coset, planar) = (CosetModel::new(&problem).unwrap(), CosetModel::planar(&problem).unwrap());
        assert!(planar.model().terms().all(|(sites, _)| matches!(sites.len(), 0 | 2)));
        for _ in 0..5 {
            let error = BitVec::random(d * d, &mut rng);
            approx::assert_abs_diff_eq!(ln_p(&coset, &error), ln_p(&planar, &error), epsilon = 1e-12);
        }
    }
}

#[test]
fn planar_refuses_by_name() {
    let problem = |checks: &[&[usize]], seen: &[&[usize]], n: usize| {
        let checks = BinaryCsc::from_columns(n, checks.iter().copied()).unwrap();
        let seen = BinaryCsc::from_columns(1, seen.iter().copied()).unwrap();
        let priors = vec![0.1; checks.n_cols()];
        DecodingProblem::new(checks, seen, priors).unwrap()
    };
    let message = |p: DecodingProblem| CosetModel::planar(&p).unwrap_err().to_string();
    assert_eq!(
        message(problem(&[&[0], &[0, 1, 2]], &[&[0], &[]], 3)),
        "planar decoding does not apply: mechanism 1 flips 3 detectors [0, 1, 2], at most 2 are possible"
    );
    assert_eq!(
        message(problem(&[&[0, 1], &[1, 2], &[0, 2]], &[&[], &[], &[0]], 3)),
        "planar decoding does not apply: mechanism 1 closes a cycle in the bulk that flips the observable"
    );
    let pairs: Vec<Vec<usize>> = (0..5).flat_map(|i| (0..i).map(move |j| vec![j, i])).collect();
    let k5: Vec<&[usize]> = pairs.iter().map(|p| &p[..]).collect();
    let unseen: [&[usize]; 10] = [&[]; 10];
    let text = message(problem(&k5, &unseen, 5));
    assert!(text.contains("the graph is not planar: mechanism 9, between detector 3 and detector 4"), "{text}");
    // An observable in the bulk that a sum of detectors moves to the boundary.
    let moved = problem(&[&[0], &[0, 1], &[1]], &[&[], &[0], &[]], 2);
    assert_eq!(CosetModel::planar(&moved).unwrap().rank(), 0);
}

#[test]
fn bad_input_is_named() {
    let (stabilizers, logicals) = rotated_surface(3);
    let message = |s: &BitMatrix, l: &BitMatrix, t: &[[f64; 4]]| CosetModel::paulis(s, l, t).unwrap_err().to_string();
    let good = [[0.7, 0.1, 0.1, 0.1]; 9];
    assert_eq!(message(&stabilizers, &logicals, &good[1..]), "columns of the stabilizers: 18 given, 16 expected");
    let mut table = good;
    table[4] = [0.8, 0.1, f64::NAN, 0.0];
    assert!(message(&stabilizers, &logicals, &table).contains("a Pauli of qubit 4 has probability NaN"));
    table[4] = [0.8, 0.1, 0.1, 0.1];
    assert!(message(&stabilizers, &logicals, &table).contains("any Pauli of qubit 4 has probability 1.1"));
    let mut wrong = stabilizers.clone();
    wrong.push_row(&BitVec::from_ones(18, [4]).unwrap());
    assert!(message(&wrong, &logicals, &good).contains("stabilizer 8 anticommutes with stabilizer"));
    let checks = BinaryCsc::from_columns(2, vec![vec![0], vec![0, 1], vec![1]]).unwrap();
    let seen = BinaryCsc::from_columns(0, vec![Vec::<usize>::new(); 3]).unwrap();
    let problem = DecodingProblem::new(checks, seen, vec![0.1; 3]).unwrap();
    let with = |g: &[Vec<usize>]| CosetModel::with_generators(&problem, g);
    assert!(with(&[vec![3]]).unwrap_err().to_string().contains("mechanism 3"));
    assert!(with(&[vec![0]]).unwrap_err().to_string().contains("generator 0 flips"));
    assert!(with(&[]).unwrap_err().to_string().contains("rank 0, the kernel has dimension 1"));
    let twice = with(&[vec![0, 1, 2], vec![2, 1, 0]]).unwrap();
    assert_eq!((twice.n_generators(), twice.rank()), (2, 1));
    let error = BitVec::from_ones(3, [1]).unwrap();
    approx::assert_abs_diff_eq!(ln_p(&twice, &error), direct(&problem, &error), epsilon = 1e-13);
}

#[test]
fn what_memory_does_not_hold_is_refused_before_it_is_allocated() {
    let problem = |text: &str| text.parse::<crate::DetectorErrorModel>().unwrap().to_problem().unwrap();
    let large = problem("error(0.1) D2000000 L0");
    for result in [CosetModel::new(&large), CosetModel::planar(&large), CosetModel::with_generators(&large, &[])] {
        // Rows times words: 2000002 detectors and observables, as many columns and one more.
        assert_eq!(
            result.unwrap_err().to_string(),
            "coset model: size of a dense matrix in words of 64 bits is 62502062502, at most 268435456 is possible"
        );
    }
    // Few detectors, but a kernel of many dimensions: refused after the elimination, which is small.
    let all: String = (1..1 << 18)
        .map(|set: u32| {
            let list: String = (0..18).filter(|i| set >> i & 1 == 1).map(|i| format!(" D{i}")).collect();
            format!("error(0.1){list}\n")
        })
        .collect();
    assert!(matches!(CosetModel::new(&problem(&all)), Err(crate::Error::TooLarge { method: "coset model", .. })));
}

#[test]
fn an_impossible_syndrome_names_its_checks() {
    // Checks 0 and 2 are the same.
    let checks = BinaryCsc::from_columns(3, vec![vec![0, 2], vec![0, 1, 2]]).unwrap();
    let seen = BinaryCsc::from_columns(1, vec![vec![0], vec![0]]).unwrap();
    let problem = DecodingProblem::new(checks, seen, vec![0.1; 2]).unwrap();
    let coset = CosetModel::new(&problem).unwrap();
    let class = BitVec::zeros(1);
    let error = coset.representative(&"100".parse().unwrap(), &class).unwrap_err().to_string();
    assert_eq!(error, "no error has this syndrome: the checks [0, 2] add up to nothing, their bits to one");
    // The observable is check 0: one class is impossible.
    assert_eq!(coset.representative(&"111".parse().unwrap(), &class).unwrap(), None);
    let ln_z = Enumeration::default().ln_z(coset.model(), 1.0).unwrap().value;
    approx::assert_abs_diff_eq!(ln_z + coset.ln_normalization(), 0.81f64.ln(), epsilon = 1e-14);
}

/// Optima by an independent enumeration in `reference`.
#[test]
fn optimal_failure_rates_of_small_codes() {
    let (stabilizers, logicals) = rotated_surface(3);
    let depolarizing = |p: f64| [1.0 - p, p / 3.0, p / 3.0, p / 3.0];
    for (p, optimal) in [(0.01, 0.0013000141197920811), (0.1, 0.10186015536005666), (0.189, 0.27908441364688763)] {
        let all = SyndromeDistribution::paulis(&stabilizers, &logicals, &[depolarizing(p); 9]).unwrap();
        approx::assert_abs_diff_eq!(all.optimal_failure_rate(), optimal, epsilon = 1e-12);
    }
    for (p, optimal) in [(0.02, 0.006655810351530178), (0.1, 0.11969459199999999), (0.12, 0.15819766520374878)] {
        let rate = optimal_failure_rate(&bit_flip(&stabilizers, &logicals, vec![p; 9])).unwrap();
        approx::assert_abs_diff_eq!(rate, optimal, epsilon = 1e-12);
    }
    let (stabilizers, logicals) = rotated_surface(5);
    for (p, optimal) in [(0.05, 0.024528458130411823), (0.103, 0.1314911267048704)] {
        let rate = optimal_failure_rate(&bit_flip(&stabilizers, &logicals, vec![p; 25])).unwrap();
        approx::assert_abs_diff_eq!(rate, optimal, epsilon = 1e-12);
    }
    // Shor's code and Steane's.
    let x = |n: usize, sets: &[&[usize]], shift: bool| {
        let mut matrix = BitMatrix::zeros(0, 2 * n);
        for set in sets {
            matrix.push_row(&BitVec::from_ones(2 * n, set.iter().map(|q| q + if shift { n } else { 0 })).unwrap());
        }
        matrix
    };
    let z = |n: usize, sets: &[&[usize]]| x(n, sets, true);
    let shor = z(9, &[&[0, 1], &[1, 2], &[3, 4], &[4, 5], &[6, 7], &[7, 8]]).stack(&x(
        9,
        &[&[0, 1, 2, 3, 4, 5], &[3, 4, 5, 6, 7, 8]],
        false,
    ));
    let shor_logicals = z(9, &[&[0, 3, 6]]).stack(&x(9, &[&[0, 1, 2]], false));
    for (p, optimal) in [(0.05, 0.028070687161103614), (0.2, 0.28560832969608285)] {
        let all = SyndromeDistribution::paulis(&shor, &shor_logicals, &[depolarizing(p); 9]).unwrap();
        approx::assert_abs_diff_eq!(all.optimal_failure_rate(), optimal, epsilon = 1e-12);
    }
    let hamming: [&[usize]; 3] = [&[0, 2, 4, 6], &[1, 2, 5, 6], &[3, 4, 5, 6]];
    let steane = x(7, &hamming, false).stack(&z(7, &hamming));
    let every = [0, 1, 2, 3, 4, 5, 6];
    let steane_logicals = x(7, &[&every], false).stack(&z(7, &[&every]));
    for (p, optimal) in [(0.05, 0.03436103593964346), (0.2, 0.3241910079561041)] {
        let all = SyndromeDistribution::paulis(&steane, &steane_logicals, &[depolarizing(p); 7]).unwrap();
        approx::assert_abs_diff_eq!(all.optimal_failure_rate(), optimal, epsilon = 1e-12);
    }
}

#[test]
fn classes_of_a_code_are_the_logical_operators_applied() {
    use crate::code::{Decomposition, parse};
    use crate::pauli::PauliString;
    let mut rng = rng(8);
    for name in ["five-qubit", "steane", "shor", "xzzx:3", "toric:2", "rotated-surface:3", "repetition:3"] {
        let code = parse(name).unwrap();
        let n = code.n_qubits();
        let table: Vec<[f64; 4]> = (0..n)
            .map(|_| {
                let row = [0.0; 4].map(|_: f64| rng.random_range(0.02..1.0));
                let sum: f64 = row.iter().sum();
                row.map(|p| p / sum)
            })
            .collect();
        let coset = CosetModel::stabilizer(&code, &table).unwrap();
        assert_eq!(coset.rank(), code.rank());
        let all = SyndromeDistribution::stabilizer(&code, &table).unwrap();
        let decomposition = Decomposition::new(&code);
        for _ in 0..10 {
            let error = PauliString::random(n, &mut rng);
            let word = |bits: &BitVec| bits.words().first().map_or(0, |&word| word as usize);
            let class = decomposition.decompose(&error).applied();
            let p = all.probability(word(&code.syndrome(&error)), word(&class));
            approx::assert_abs_diff_eq!(ln_p(&coset, &error.to_symplectic()), p.ln(), epsilon = 1e-11);
            let found = coset.representative(&code.syndrome(&error), &class).unwrap().unwrap();
            assert_eq!(decomposition.decompose(&PauliString::from_symplectic(&found).unwrap()).applied(), class);
        }
    }
}

#[test]
fn correlated_mechanisms_equal_direct_sums() {
    // Terms of one to four mechanisms; some mechanisms flip the same, some nothing.
    let mut rng = rng(21);
    for _ in 0..20 {
        let n = 9;
        let mut column = |rows: usize| -> Vec<usize> { (0..rows).filter(|_| rng.random_range(0..3) == 0).collect() };
        let checks = BinaryCsc::from_columns(3, (0..n).map(|_| column(3)).collect::<Vec<_>>()).unwrap();
        let seen = BinaryCsc::from_columns(2, (0..n).map(|_| column(2)).collect::<Vec<_>>()).unwrap();
        let terms: Vec<(Vec<usize>, f64)> = (0..14)
            .map(|a| {
                let mut sites: Vec<usize> = (0..1 + a % 4).map(|_| rng.random_range(0..n)).collect();
                sites.sort_unstable();
                sites.dedup();
                (sites, rng.random_range(-1.0..1.0))
            })
            .collect();
        let errors =
            InteractionModel::builder(n).terms(terms).offset(0.7).duplicates(Duplicates::Keep).build().unwrap();
        let ln_z = Enumeration::default().ln_z(&errors, 1.0).unwrap().value;
        let coset = CosetModel::correlated(&checks, &seen, &errors, ln_z).unwrap();
        let problem = DecodingProblem::new(checks, seen, vec![0.5; n]).unwrap();
        for _ in 0..5 {
            let error = BitVec::random(n, &mut rng);
            let (syndrome, logical) = (problem.syndrome(&error), problem.logical(&error));
            let mut expected = 0.0;
            for state in 0..1u64 << n {
                let other = BitVec::from_words(vec![state], n).unwrap();
                if problem.syndrome(&other) == syndrome && problem.logical(&other) == logical {
                    let spins: Vec<i8> = other.iter().map(|bit| if bit { -1 } else { 1 }).collect();
                    expected += (-errors.energy(&spins) - ln_z).exp();
                }
            }
            approx::assert_abs_diff_eq!(ln_p(&coset, &error), expected.ln(), epsilon = 1e-11);
        }
        assert_eq!(
            coset.with_erased(&[1]).unwrap_err().to_string(),
            "erasure does not apply: the errors of this model depend on each other"
        );
    }
    let none = BinaryCsc::from_columns(0, vec![Vec::<usize>::new(); 2]).unwrap();
    let errors = InteractionModel::builder(3).build().unwrap();
    let message = |ln_z: f64, errors: &InteractionModel| {
        CosetModel::correlated(&none, &none, errors, ln_z).unwrap_err().to_string()
    };
    assert_eq!(message(0.0, &errors), "spins of the model of errors: 3 given, 2 expected");
    let errors = InteractionModel::builder(2).build().unwrap();
    assert_eq!(message(f64::NAN, &errors), "ln Z of errors is NaN, expected a finite number");
}
