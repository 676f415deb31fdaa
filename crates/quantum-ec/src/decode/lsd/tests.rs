use std::collections::BTreeSet;

use linalg_core::gf2::{BitMatrix, BitVec};
use linalg_core::rand::RngExt;

use super::*;
use crate::decode::Decoder;
use crate::decode::belief_propagation::tests::{identity_problem, random_checks};
use crate::decode::tests::{random_error, rng};

fn rescue(problem: &DecodingProblem, syndrome: &BitVec, posteriors: &[f32], order: usize) -> Result<BitVec> {
    let graph = FactorGraph::new(problem);
    let mut bits = Vec::new();
    let copy = |out: &mut Vec<f32>| {
        out.clear();
        out.extend_from_slice(posteriors);
    };
    Lsd::new(&graph, order).rescue(&graph, syndrome.words(), &copy, &mut bits)?;
    Ok(graph.chosen(&bits, problem.priors()))
}

#[derive(Clone, Default)]
struct Cluster {
    checks: BTreeSet<usize>,
    /// In the order they were taken, as far as they were independent.
    bits: Vec<usize>,
}

/// Order 0 by sets and dense ranks, for syndromes with a single one.
fn slow(problem: &DecodingProblem, syndrome: &BitVec, posteriors: &[f32]) -> BitVec {
    let h = problem.checks().to_matrix();
    let solve = |cluster: &Cluster| {
        let rows: Vec<BitVec> = cluster.bits.iter().map(|&j| h.column(j)).collect();
        let mut part = BitVec::zeros(h.n_rows());
        cluster.checks.iter().filter(|&&i| syndrome.get(i)).for_each(|&i| part.set(i, true));
        BitMatrix::from_rows(h.n_rows(), &rows).transpose().solve(&part)
    };
    let start = |i| Cluster { checks: BTreeSet::from([i]), bits: vec![] };
    let mut clusters: Vec<Cluster> = syndrome.iter_ones().map(start).collect();
    let mut taken = BTreeSet::new();
    loop {
        let failing: Vec<usize> = (0..clusters.len()).filter(|&c| solve(&clusters[c]).is_none()).collect();
        if failing.is_empty() {
            break;
        }
        assert_eq!(failing.len(), 1, "one cluster at a time");
        let c = failing[0];
        let border = (0..h.n_cols()).filter(|j| !taken.contains(j) && clusters[c].checks.iter().any(|&i| h.get(i, *j)));
        let bit = border.min_by(|&a, &b| posteriors[a].total_cmp(&posteriors[b])).unwrap();
        taken.insert(bit);
        let mut grown = clusters.swap_remove(c);
        for &i in problem.checks().column(bit) {
            grown.checks.insert(i);
            if let Some(other) = clusters.iter().position(|other| other.checks.contains(&i)) {
                let other = clusters.swap_remove(other);
                grown.checks.extend(other.checks);
                grown.bits.extend(other.bits);
            }
        }
        grown.bits.push(bit);
        let rows: Vec<BitVec> = grown.bits.iter().map(|&j| h.column(j)).collect();
        if BitMatrix::from_rows(h.n_rows(), &rows).rank_naive() < rows.len() {
            grown.bits.pop();
        }
        clusters.push(grown);
    }
    let mut error = BitVec::zeros(h.n_cols());
    for cluster in &clusters {
        solve(cluster).unwrap().iter_ones().for_each(|k| error.set(cluster.bits[k], true));
    }
    error
}

#[test]
fn one_cluster_grows_as_it_should() {
    let mut rng = rng(31);
    let mut compared = 0;
    for _ in 0..400 {
        let checks = random_checks(12, 26, &mut rng);
        let problem = identity_problem(checks, vec![0.1; 26]);
        // One check only: there is a single cluster.
        let syndrome = BitVec::from_ones(12, [rng.random_range(0..12u32) as usize]).unwrap();
        let posteriors: Vec<f32> = (0..26).map(|_| rng.random_range(-2..5i32) as f32).collect();
        match rescue(&problem, &syndrome, &posteriors, 0) {
            Ok(found) => {
                assert_eq!(found, slow(&problem, &syndrome, &posteriors));
                compared += 1;
            }
            Err(Error::ImpossibleSyndrome { checks }) => {
                let relation = BitVec::from_ones(12, checks).unwrap();
                assert!(problem.checks().vec_mul(&relation).is_zero() && relation.dot(&syndrome));
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(compared > 300, "{compared}");
}

#[test]
fn clusters_merge_and_orders_only_help() {
    let mut rng = rng(32);
    let weight = |problem: &DecodingProblem, error: &BitVec| error.iter_ones().map(|j| problem.weight(j)).sum::<f64>();
    let (mut better, mut merged) = (0, 0);
    for _ in 0..100 {
        let checks = random_checks(40, 90, &mut rng);
        let problem = identity_problem(checks, (0..90).map(|_| rng.random_range(0.02..0.2)).collect());
        let error = random_error(&problem, &mut rng);
        let syndrome = problem.syndrome(&error);
        let posteriors: Vec<f32> = (0..90).map(|j| problem.weight(j) as f32 + rng.random_range(-2.0..2.0)).collect();
        let zero = rescue(&problem, &syndrome, &posteriors, 0).unwrap();
        let higher = rescue(&problem, &syndrome, &posteriors, 6).unwrap();
        assert_eq!(problem.syndrome(&zero), syndrome);
        assert_eq!(problem.syndrome(&higher), syndrome);
        merged += usize::from(zero.weight() > 1);
        assert!(weight(&problem, &higher) <= weight(&problem, &zero) + 1e-9);
        better += usize::from(weight(&problem, &higher) < weight(&problem, &zero) - 1e-9);
    }
    assert!(better > 10 && merged > 50, "{better} improved, {merged} merged");
}

#[test]
fn parts_that_contradict_are_named() {
    // Checks 0 and 1 are equal; 2 to 4 are a chain that has solutions, and grows on.
    let columns = [vec![0, 1], vec![0, 1], vec![2, 3], vec![3, 4], vec![4]];
    let checks = linalg_core::gf2::BinaryCsc::from_columns(5, columns).unwrap();
    let problem = identity_problem(checks, vec![0.1; 5]);
    for syndrome in ["10000", "01100", "10101"] {
        let Err(Error::ImpossibleSyndrome { checks }) = rescue(&problem, &syndrome.parse().unwrap(), &[1.0; 5], 0)
        else {
            panic!("{syndrome} was explained")
        };
        assert_eq!(checks, [0, 1], "{syndrome}");
    }
}

#[test]
fn every_prediction_has_the_syndrome() {
    let mut rng = rng(33);
    let checks = random_checks(30, 60, &mut rng);
    let problem = identity_problem(checks, (0..60).map(|j| if j % 9 == 0 { 0.7 } else { 0.08 }).collect());
    let mut rescued = 0;
    for order in [0, 3] {
        let mut decoder = BpLsd::new(&problem, BpParams::default().iterations(20), order).unwrap();
        for _ in 0..50 {
            let syndrome = problem.syndrome(&random_error(&problem, &mut rng));
            let prediction = decoder.decode(&syndrome).unwrap();
            assert_eq!(problem.syndrome(&prediction.observables), syndrome);
            rescued += usize::from(!decoder.report().converged);
        }
    }
    assert!(rescued > 10, "{rescued} shots needed it");
}
