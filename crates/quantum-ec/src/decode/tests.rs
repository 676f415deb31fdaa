use linalg_core::gf2::{BinaryCsc, BitVec};
use linalg_core::rand::{Rng, RngExt, SeedableRng};
use linalg_core::rng::Xoshiro256PlusPlus;
use spin_models::{Planar, TensorNetwork, TransferMatrix};

use super::*;
use crate::error::Error;
use crate::problem::DecodingProblem;
use crate::statmech::tests::{bit_flip, rotated_surface};
use crate::statmech::{CosetModel, SyndromeDistribution};

pub(super) fn rng(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

pub(super) fn random_error(problem: &DecodingProblem, rng: &mut impl Rng) -> BitVec {
    problem.priors().iter().map(|&p| rng.random::<f64>() < p).collect()
}

/// A repetition code of `d` bits over `rounds` rounds: data errors, measurement errors, and pairs of both.
pub(super) fn repetition_circuit(d: usize, rounds: usize, p: f64) -> DecodingProblem {
    let at = |r: usize, c: usize| r * (d - 1) + c;
    let (mut columns, mut seen): (Vec<Vec<usize>>, Vec<Vec<usize>>) = (Vec::new(), Vec::new());
    for r in 0..=rounds {
        for q in 0..d {
            columns
                .push([q.checked_sub(1), (q + 1 < d).then_some(q)].into_iter().flatten().map(|c| at(r, c)).collect());
            seen.push(if q == 0 { vec![0] } else { vec![] });
        }
        for c in 0..d - 1 {
            if r < rounds {
                columns.push(vec![at(r, c), at(r + 1, c)]);
                seen.push(vec![]);
            }
            // Between the two gates of a check, a data error is seen by one of its checks in the next round only.
            if r < rounds && c + 2 < d {
                columns.push(vec![at(r, c), at(r + 1, c + 1)]);
                seen.push(vec![]);
            }
        }
    }
    let n = columns.len();
    let priors = (0..n).map(|j| p * (1.0 + (j % 7) as f64 / 7.0)).collect();
    let checks = BinaryCsc::from_columns((rounds + 1) * (d - 1), columns).unwrap();
    DecodingProblem::new(checks, BinaryCsc::from_columns(1, seen).unwrap(), priors).unwrap()
}

fn solvers() -> [LikelihoodSolver; 4] {
    ["enumeration", "transfer-matrix", "planar", "tensor-network"].map(|name| name.parse().unwrap())
}

#[test]
fn every_solver_finds_the_distribution() {
    let mut rng = rng(1);
    let (stabilizers, logicals) = rotated_surface(3);
    let rotated = bit_flip(&stabilizers, &logicals, (0..9).map(|_| rng.random_range(0.02..0.7)).collect());
    for problem in [rotated, repetition_circuit(3, 2, 0.07)] {
        let all = SyndromeDistribution::new(&problem).unwrap();
        let mut decoders: Vec<Box<dyn Decoder>> = vec![Box::new(Lookup::new(&problem).unwrap())];
        for solver in solvers() {
            decoders.push(Box::new(MaximumLikelihood::with_solver(solver, &problem).unwrap()));
        }
        decoders.push(Box::new(MaximumLikelihood::automatic(&problem).unwrap()));
        decoders.push(Box::new(MaximumLikelihoodSequential::new(&problem).unwrap()));
        for decoder in &mut decoders {
            let mut total = 0.0;
            for syndrome in 0..1u64 << problem.n_detectors() {
                let bits = BitVec::from_words(vec![syndrome], problem.n_detectors()).unwrap();
                let prediction = decoder.decode(&bits).unwrap();
                let classes = all.classes(syndrome as usize);
                let best = usize::from(classes[1] > classes[0]);
                assert_eq!(prediction.observables.get(0), best == 1);
                for (ln, p) in prediction.ln_class.iter().zip(classes) {
                    approx::assert_abs_diff_eq!(*ln, p.ln(), epsilon = 1e-12);
                    total += ln.exp();
                }
            }
            if total > 0.0 {
                approx::assert_abs_diff_eq!(total, 1.0, epsilon = 1e-12);
            }
        }
    }
}

#[test]
fn planar_and_transfer_matrix_agree_on_large_circuits() {
    let mut rng = rng(2);
    for (d, rounds, p) in [(7, 7, 0.05), (9, 9, 0.01), (5, 20, 0.001)] {
        let problem = repetition_circuit(d, rounds, p);
        let mut planar = MaximumLikelihood::with_solver(LikelihoodSolver::Planar, &problem).unwrap();
        let mut other = MaximumLikelihood::with_solver(LikelihoodSolver::TransferMatrix, &problem).unwrap();
        for _ in 0..20 {
            let syndrome = problem.syndrome(&random_error(&problem, &mut rng));
            let (a, b) = (planar.decode(&syndrome).unwrap(), other.decode(&syndrome).unwrap());
            approx::assert_abs_diff_eq!(a.ln_class[0], b.ln_class[0], epsilon = 1e-9);
            approx::assert_abs_diff_eq!(a.ln_class[1], b.ln_class[1], epsilon = 1e-9);
        }
    }
}

#[test]
fn two_logical_qubits_and_impossible_classes() {
    // Posterior of two bits {00: 0.3, 01: 0.3, 10: 0.4} (first observable written first), one mechanism a value.
    let checks = BinaryCsc::from_columns(0, vec![Vec::<usize>::new(); 2]).unwrap();
    let seen = BinaryCsc::from_columns(2, [vec![0], vec![1]]).unwrap();
    let sure = DecodingProblem::new(checks.clone(), seen.clone(), vec![1.0, 0.4]).unwrap();
    let mut decoder = MaximumLikelihood::automatic(&sure).unwrap();
    let prediction = decoder.decode(&BitVec::zeros(0)).unwrap();
    assert_eq!(prediction.observables.to_string(), "10");
    assert!([0, 2].into_iter().all(|class| prediction.ln_class[class] == f64::NEG_INFINITY));
    approx::assert_abs_diff_eq!(prediction.ln_class[1], 0.6f64.ln(), epsilon = 1e-15);
    approx::assert_abs_diff_eq!(prediction.ln_class[3], 0.4f64.ln(), epsilon = 1e-15);
    approx::assert_abs_diff_eq!(prediction.complementary_gap().unwrap(), 1.5f64.ln(), epsilon = 1e-14);
}

/// Mechanisms whose two observables have the posterior {00: .3, 01: .3, 10: .4} for one syndrome.
fn counter_example() -> (DecodingProblem, BitVec) {
    // Exactly one of three mechanisms happens: detectors 0 and 1 are fired by the first two, and the third is what a
    // shot without either has to contain. Weights are chosen by odds.
    let checks = BinaryCsc::from_columns(1, [vec![0], vec![0], vec![0]]).unwrap();
    let seen = BinaryCsc::from_columns(2, [vec![], vec![1], vec![0]]).unwrap();
    let odds = 1e-6;
    let priors = [0.3, 0.3, 0.4].map(|p| p * odds).to_vec();
    (DecodingProblem::new(checks, seen, priors).unwrap(), "1".parse().unwrap())
}

#[test]
fn sequential_decoding_is_not_maximum_likelihood() {
    let (problem, syndrome) = counter_example();
    let joint = MaximumLikelihood::automatic(&problem).unwrap().decode(&syndrome).unwrap();
    assert_eq!(joint.observables.to_string(), "10");
    let all = joint.ln_evidence().unwrap();
    for (class, p) in [(0b00, 0.3), (0b10, 0.3), (0b01, 0.4)] {
        approx::assert_abs_diff_eq!((joint.ln_class[class] - all).exp(), p, epsilon = 1e-6);
    }
    let mut sequential = MaximumLikelihoodSequential::new(&problem).unwrap();
    let chosen = sequential.decode(&syndrome).unwrap();
    // The first bit is 0, of mass 0.6; the second is a tie but for the third mechanism.
    assert!(!chosen.observables.get(0));
    approx::assert_abs_diff_eq!((sequential.ln_chosen() - all).exp(), 0.3, epsilon = 1e-6);
    let marginals = joint.marginals().unwrap();
    let mut alone = MaximumLikelihoodMarginals::new(&problem).unwrap();
    let alone = alone.decode(&syndrome).unwrap().marginals().unwrap();
    for (a, b) in marginals.iter().zip(&alone) {
        approx::assert_abs_diff_eq!(a, b, epsilon = 1e-12);
    }
    let distribution = SyndromeDistribution::new(&problem).unwrap();
    let (best, loss) = (distribution.optimal_failure_rate(), distribution.failure_rate(|_, c| sequential_choice(c)));
    // Lost: 0.4 - 0.3 of the shots with this syndrome.
    approx::assert_relative_eq!(loss - best, 0.1e-6, max_relative = 1e-5);
}

#[test]
fn sequential_equals_its_definition_on_the_toric_code() {
    // 2 x 2 torus, both observables, noise of its own on every qubit.
    let mut rng = rng(7);
    let (l, n) = (2, 8);
    let qubit = |r: usize, c: usize, down: bool| 2 * ((r % l) * l + c % l) + usize::from(down);
    let mut columns = vec![Vec::new(); n];
    let mut seen = vec![Vec::new(); n];
    for r in 0..l {
        for c in 0..l {
            for q in [qubit(r, c, false), qubit(r, c, true), qubit(r + l - 1, c, true), qubit(r, c + l - 1, false)] {
                columns[q].push(r * l + c);
            }
        }
        seen[qubit(r, 0, false)].push(0);
        seen[qubit(0, r, true)].push(1);
    }
    for column in &mut columns {
        column.sort_unstable();
        column.dedup();
    }
    let priors: Vec<f64> = (0..n).map(|_| rng.random_range(0.05..0.45)).collect();
    let checks = BinaryCsc::from_columns(4, columns).unwrap();
    let problem = DecodingProblem::new(checks, BinaryCsc::from_columns(2, seen).unwrap(), priors).unwrap();
    let all = SyndromeDistribution::new(&problem).unwrap();
    let mut sequential = MaximumLikelihoodSequential::new(&problem).unwrap();
    let mut joint = MaximumLikelihood::automatic(&problem).unwrap();
    for syndrome in (0..16usize).filter(|s| s.count_ones() % 2 == 0) {
        let bits = BitVec::from_words(vec![syndrome as u64], 4).unwrap();
        let classes = all.classes(syndrome);
        let chosen = sequential.decode(&bits).unwrap().observables;
        assert_eq!(chosen.words()[0] as usize, sequential_choice(classes));
        for (ln, p) in joint.decode(&bits).unwrap().ln_class.iter().zip(classes) {
            approx::assert_abs_diff_eq!(*ln, p.ln(), epsilon = 1e-12);
        }
    }
    assert!(matches!(joint.decode(&"1000".parse().unwrap()), Err(Error::ImpossibleSyndrome { .. })));
}

#[test]
fn names_and_limits() {
    for name in ["enumeration", "transfer-matrix", "planar", "tensor-network", "boundary-mps:24"] {
        assert_eq!(name.parse::<LikelihoodSolver>().unwrap().to_string(), name);
    }
    for name in ["", "mps", "boundary-mps", "boundary-mps:", "boundary-mps:0", "boundary-mps:-3", "planar:2"] {
        assert!(name.parse::<LikelihoodSolver>().unwrap_err().to_string().contains("boundary-mps:CHI"));
    }
    let n = 13;
    let checks = BinaryCsc::from_columns(0, vec![Vec::<usize>::new(); n]).unwrap();
    let seen = BinaryCsc::from_columns(n, (0..n).map(|i| [i])).unwrap();
    let problem = DecodingProblem::new(checks, seen, vec![0.1; n]).unwrap();
    let error = MaximumLikelihood::automatic(&problem).unwrap_err().to_string();
    assert_eq!(error, "maximum likelihood: number of observables is 13, at most 12 is possible");
    let mut marginals = MaximumLikelihoodMarginals::new(&problem).unwrap();
    let prediction = marginals.decode(&BitVec::zeros(0)).unwrap();
    assert!(prediction.probabilities.len() == n && prediction.probabilities.iter().all(|p| (p - 0.1).abs() < 1e-14));
}

#[test]
fn a_hyperedge_is_refused_by_planar() {
    let checks = BinaryCsc::from_columns(3, [vec![0], vec![0, 1, 2]]).unwrap();
    let seen = BinaryCsc::from_columns(1, [vec![0], vec![]]).unwrap();
    let problem = DecodingProblem::new(checks, seen, vec![0.1; 2]).unwrap();
    let error = MaximumLikelihood::with_solver(LikelihoodSolver::Planar, &problem).unwrap_err();
    assert!(error.to_string().contains("mechanism 1 flips 3 detectors"));
}

/// Generators in the order of the qubits: those of a lattice are its rows.
#[test]
fn boundary_mps_takes_bit_flips_of_the_unrotated_code() {
    let mut rng = rng(11);
    let code = crate::CssCode::from_stabilizer(&crate::code::parse("unrotated-surface:5").unwrap()).unwrap();
    for kind in [crate::code::Kind::X, crate::code::Kind::Z] {
        let problem = crate::noise::css_problem(&code, kind, vec![0.1; 41]).unwrap();
        let mut exact = MaximumLikelihood::with_solver(LikelihoodSolver::TransferMatrix, &problem).unwrap();
        let mut mps = MaximumLikelihood::with_solver(LikelihoodSolver::BoundaryMps(16), &problem).unwrap();
        for _ in 0..10 {
            let bits = problem.checks().mul_vec(&random_error(&problem, &mut rng));
            let (a, b) = (exact.decode(&bits).unwrap(), mps.decode(&bits).unwrap());
            for (x, y) in a.ln_class.iter().zip(&b.ln_class) {
                approx::assert_abs_diff_eq!(x, y, epsilon = 1e-6);
            }
        }
    }
}

#[test]
fn sequential_and_marginals_choose_solvers_as_maximum_likelihood_does() {
    let problem = unrotated_bit_flip(19, 0.1);
    let automatic = *MaximumLikelihood::automatic(&problem).unwrap().solver();
    assert_eq!(automatic, LikelihoodSolver::Planar);
    let mut sequential = MaximumLikelihoodSequential::new(&problem).unwrap();
    let mut marginals = MaximumLikelihoodMarginals::new(&problem).unwrap();
    assert_eq!(sequential.solvers().collect::<Vec<_>>(), [automatic]);
    assert_eq!(marginals.solvers().collect::<Vec<_>>(), [automatic]);
    let mut exact = MaximumLikelihood::with_solver(LikelihoodSolver::TransferMatrix, &problem).unwrap();
    let mut rng = rng(12);
    let syndrome = problem.checks().mul_vec(&random_error(&problem, &mut rng));
    let expected = exact.decode(&syndrome).unwrap();
    assert_eq!(sequential.decode(&syndrome).unwrap().observables, expected.observables);
    approx::assert_abs_diff_eq!(
        sequential.ln_chosen(),
        expected.ln_class[expected.best_class().unwrap()],
        epsilon = 1e-8
    );
    let probability = marginals.decode(&syndrome).unwrap().probabilities[0];
    approx::assert_abs_diff_eq!(probability, expected.marginals().unwrap()[0], epsilon = 1e-8);
}

/// Depolarizing noise: all 4 classes of 2^24 cosets.
#[test]
fn depolarizing_noise_on_the_rotated_code() {
    let mut rng = rng(9);
    let (stabilizers, logicals) = rotated_surface(5);
    let table = [[0.85, 0.05, 0.05, 0.05]; 25];
    let coset = CosetModel::paulis(&stabilizers, &logicals, &table).unwrap();
    let mut transfer = MaximumLikelihood::new(TransferMatrix::default(), coset.clone()).unwrap();
    let mut network = MaximumLikelihood::new(TensorNetwork::default(), coset.clone()).unwrap();
    for _ in 0..3 {
        let bits = BitVec::random(24, &mut rng);
        let (a, b) = (transfer.decode(&bits).unwrap(), network.decode(&bits).unwrap());
        for (x, y) in a.ln_class.iter().zip(&b.ln_class) {
            approx::assert_abs_diff_eq!(x, y, epsilon = 1e-11);
        }
    }
    // Terms of four spins are no planar model.
    assert!(MaximumLikelihood::new(Pairwise(Planar::default()), coset).is_err());
}

/// The unrotated surface code of X errors: vertices are checks, the observable is cut by the left boundary.
pub(super) fn unrotated_bit_flip(d: usize, p: f64) -> DecodingProblem {
    let check = |r: usize, c: usize| r * (d - 1) + c;
    let (mut columns, mut seen): (Vec<Vec<usize>>, Vec<Vec<usize>>) = (Vec::new(), Vec::new());
    for r in 0..d {
        for c in 0..d {
            columns.push(
                [c.checked_sub(1), (c + 1 < d).then_some(c)].into_iter().flatten().map(|c| check(r, c)).collect(),
            );
            seen.push(if c == 0 { vec![0] } else { vec![] });
        }
        if r + 1 < d {
            for c in 0..d - 1 {
                columns.push(vec![check(r, c), check(r + 1, c)]);
                seen.push(vec![]);
            }
        }
    }
    let n = columns.len();
    let checks = BinaryCsc::from_columns(d * (d - 1), columns).unwrap();
    DecodingProblem::new(checks, BinaryCsc::from_columns(1, seen).unwrap(), vec![p; n]).unwrap()
}
