use linalg_core::gf2::{BitMatrix, BitVec};
use linalg_core::rand::{Rng, RngExt};

use super::*;
use crate::decode::Decoder;
use crate::decode::belief_propagation::tests::{identity_problem, random_checks};
use crate::decode::tests::{random_error, rng};

/// A problem with dependent checks, a syndrome of it and posteriors with ties.
fn instance(rng: &mut impl Rng) -> (DecodingProblem, BitVec, Vec<f32>) {
    let columns: Vec<Vec<usize>> = random_checks(7, 14, rng)
        .columns()
        .map(|column| {
            // Check 7 repeats check 0.
            column.iter().copied().chain(column.contains(&0).then_some(7)).collect()
        })
        .collect();
    let checks = linalg_core::gf2::BinaryCsc::from_columns(8, columns).unwrap();
    let problem = identity_problem(checks, (0..14).map(|_| rng.random_range(0.02..0.4)).collect());
    let syndrome = problem.syndrome(&random_error(&problem, rng));
    let posteriors = (0..14).map(|_| rng.random_range(-3..4i32) as f32).collect();
    (problem, syndrome, posteriors)
}

fn order_of(posteriors: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..posteriors.len()).collect();
    order.sort_by(|&a, &b| posteriors[a].total_cmp(&posteriors[b]));
    order
}

/// The first independent columns and the others, by ranks of dense matrices.
fn split(h: &BitMatrix, order: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let (mut basis, mut free) = (Vec::new(), Vec::new());
    let rank = |columns: &[usize]| {
        let rows: Vec<BitVec> = columns.iter().map(|&j| h.column(j)).collect();
        BitMatrix::from_rows(h.n_rows(), &rows).rank_naive()
    };
    for &j in order {
        basis.push(j);
        if rank(&basis) < basis.len() {
            basis.pop();
            free.push(j);
        }
    }
    (basis, free)
}

/// The error with this pattern on the free columns, by dense solution on the basis.
fn complete(h: &BitMatrix, basis: &[usize], pattern: &[usize], syndrome: &BitVec) -> BitVec {
    let mut error = BitVec::from_ones(h.n_cols(), pattern.iter().copied()).unwrap();
    let mut rest = h.mul_vec(&error);
    rest.xor_assign(syndrome);
    let rows: Vec<BitVec> = basis.iter().map(|&j| h.column(j)).collect();
    let solution = BitMatrix::from_rows(h.n_rows(), &rows).transpose().solve(&rest).unwrap();
    solution.iter_ones().for_each(|k| error.set(basis[k], true));
    error
}

fn rescue(problem: &DecodingProblem, syndrome: &BitVec, posteriors: &[f32], order: OsdOrder) -> Result<BitVec> {
    let graph = FactorGraph::new(problem);
    let mut bits = Vec::new();
    let copy = |out: &mut Vec<f32>| {
        out.clear();
        out.extend_from_slice(posteriors);
    };
    Osd::new(&graph, order).rescue(&graph, syndrome.words(), &copy, &mut bits)?;
    Ok(graph.chosen(&bits, problem.priors()))
}

fn weight(problem: &DecodingProblem, error: &BitVec) -> f64 {
    error.iter_ones().map(|j| problem.weight(j)).sum()
}

#[test]
fn orders_search_what_they_say() {
    let mut rng = rng(21);
    for trial in 0..60 {
        let (problem, syndrome, posteriors) = instance(&mut rng);
        let h = problem.checks().to_matrix();
        let (basis, free) = split(&h, &order_of(&posteriors));
        let zero = complete(&h, &basis, &[], &syndrome);
        assert_eq!(rescue(&problem, &syndrome, &posteriors, OsdOrder::Zero).unwrap(), zero, "trial {trial}");
        for w in [0, 1, 3] {
            let first = &free[..w.min(free.len())];
            let subsets = 0..1u32 << first.len();
            let pick = |set: u32| (0..first.len()).filter(|k| set >> k & 1 == 1).map(|k| first[k]).collect::<Vec<_>>();
            let all: Vec<Vec<usize>> = subsets.clone().map(pick).collect();
            let singles = free.iter().map(|&j| vec![j]);
            let pairs = subsets.filter(|set| set.count_ones() == 2).map(pick);
            let swept: Vec<Vec<usize>> = std::iter::once(vec![]).chain(singles).chain(pairs).collect();
            for (order, patterns) in [(OsdOrder::Exhaustive(w), all), (OsdOrder::CombinationSweep(w), swept)] {
                let candidates = patterns.iter().map(|pattern| complete(&h, &basis, pattern, &syndrome));
                let least = candidates.map(|error| weight(&problem, &error)).fold(f64::INFINITY, f64::min);
                let found = rescue(&problem, &syndrome, &posteriors, order).unwrap();
                assert_eq!(problem.syndrome(&found), syndrome);
                approx::assert_relative_eq!(weight(&problem, &found), least, max_relative = 1e-12);
            }
        }
    }
}

#[test]
fn all_free_columns_give_the_lightest_error() {
    let mut rng = rng(22);
    for _ in 0..30 {
        let (problem, syndrome, posteriors) = instance(&mut rng);
        let errors = (0..1u64 << 14).map(|word| BitVec::from_words(vec![word], 14).unwrap());
        let fitting = errors.filter(|error| problem.syndrome(error) == syndrome);
        let least = fitting.map(|error| weight(&problem, &error)).fold(f64::INFINITY, f64::min);
        let found = rescue(&problem, &syndrome, &posteriors, OsdOrder::Exhaustive(14)).unwrap();
        approx::assert_relative_eq!(weight(&problem, &found), least, max_relative = 1e-12);
    }
}

#[test]
fn impossible_syndromes_name_a_relation_of_checks() {
    let mut rng = rng(23);
    for _ in 0..30 {
        let (problem, mut syndrome, posteriors) = instance(&mut rng);
        syndrome.flip(7);
        for order in [OsdOrder::Zero, OsdOrder::CombinationSweep(2)] {
            let Err(Error::ImpossibleSyndrome { checks }) = rescue(&problem, &syndrome, &posteriors, order) else {
                panic!("an impossible syndrome was explained")
            };
            let relation = BitVec::from_ones(8, checks).unwrap();
            assert!(problem.checks().vec_mul(&relation).is_zero() && relation.dot(&syndrome));
        }
    }
}

#[test]
fn orders_have_bounds() {
    let (problem, ..) = instance(&mut rng(24));
    for (order, message) in [
        (OsdOrder::Exhaustive(25), "order is 25, at most 24 is possible"),
        (OsdOrder::CombinationSweep(1 << 17), "order is 131072, at most 65536 is possible"),
    ] {
        let refused = BpOsd::new(&problem, BpParams::default(), order).unwrap_err().to_string();
        assert!(refused.contains(message), "{refused}");
    }
}

#[test]
fn every_prediction_has_the_syndrome() {
    let mut rng = rng(25);
    let checks = random_checks(30, 60, &mut rng);
    let problem = identity_problem(checks, (0..60).map(|j| if j % 9 == 0 { 0.7 } else { 0.08 }).collect());
    let mut rescued = 0;
    for order in [OsdOrder::Zero, OsdOrder::CombinationSweep(4), OsdOrder::Exhaustive(4)] {
        let mut decoder = BpOsd::new(&problem, BpParams::default().iterations(20), order).unwrap();
        for _ in 0..50 {
            let syndrome = problem.syndrome(&random_error(&problem, &mut rng));
            let prediction = decoder.decode(&syndrome).unwrap();
            assert_eq!(problem.syndrome(&prediction.observables), syndrome);
            assert_eq!(decoder.chosen(), prediction.observables);
            approx::assert_abs_diff_eq!(prediction.weight, weight(&problem, &prediction.observables), epsilon = 1e-9);
            rescued += usize::from(!decoder.report().converged);
        }
    }
    assert!(rescued > 20, "{rescued} shots needed it");
}
