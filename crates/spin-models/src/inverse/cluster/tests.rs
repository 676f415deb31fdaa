//! The expansion against exact maxima of the likelihood and against pseudolikelihood.

use std::ops::ControlFlow;

use linalg_core::Streams;
use linalg_core::rng::uniform_open01;

use super::super::tests::exact_samples;
use super::super::{LocalParams, MaximumEntropy};
use super::*;
use crate::models::{Boundary, Ising, Lattice};

fn dense(n: usize, size: f64) -> Ising {
    let pairs = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)));
    let couplings = pairs.map(|(i, j)| (i, j, size * ((i * 31 + j * j * 7) as f64).sin()));
    Ising::builder(n).couplings(couplings).fields((0..n).map(|i| 0.3 * (i as f64).cos())).build().unwrap()
}

/// Data of which no pairwise model is the law: couplings, fields and entropy are those of maximum entropy.
#[test]
fn all_clusters_are_maximum_entropy() {
    let weights: Vec<f64> = (0..256).map(|k| 1.0 + ((k * k + 3 * k) % 23) as f64 + f64::from(k == 77) * 40.0).collect();
    let samples = Samples::from_states(8, &weights).unwrap();
    let moments = Moments::of_samples(&samples);
    let expected = MaximumEntropy::pairs(8).unwrap().tolerance(1e-12).fit(&samples).unwrap();
    let truth = expected.to_reconstruction().unwrap();
    for reference in [Reference::None, Reference::MeanField] {
        let found = ClusterExpansion::default().reference(reference).threshold(0.0).infer(&moments, 1e6).unwrap();
        assert_eq!((found.clusters.len(), &found.end), (255, &ClusterEnd::Reproduced));
        approx::assert_abs_diff_eq!(found.cross_entropy, expected.entropy, epsilon = 1e-8);
        let pairs = found.reconstruction.couplings.iter().zip(&truth.couplings);
        for (a, b) in pairs.chain(found.reconstruction.fields.iter().zip(&truth.fields)) {
            approx::assert_abs_diff_eq!(a, b, epsilon = 1e-8);
        }
    }
}

/// A tree of eight spins, from its exact moments.
#[test]
fn trees_come_back() {
    let tree = Ising::builder(8)
        .couplings([(0, 1, 0.7), (1, 2, -0.4), (1, 3, 0.9), (3, 4, 0.3), (3, 5, -1.1), (5, 6, 0.5), (5, 7, 0.8)])
        .fields([0.3, -0.2, 0.1, 0.0, 0.5, -0.4, 0.2, -0.1])
        .build()
        .unwrap();
    let moments = Moments::of_samples(&exact_samples(&tree));
    let all = ClusterExpansion::default().threshold(0.0).infer(&moments, 1e12).unwrap();
    let comparison = all.reconstruction.compare(&tree).unwrap();
    assert!(comparison.largest_error < 1e-8 && comparison.field_error < 1e-8, "{comparison:?}");
    // The row of thresholds ends before all clusters are kept, with moments as good as asked for.
    let found = ClusterExpansion::default().infer(&moments, 1e5).unwrap();
    assert_eq!(found.end, ClusterEnd::Reproduced);
    assert!(found.points[found.points.len() - 1].reproduces() && found.clusters.len() < 255);
    assert!(found.reconstruction.converged && found.reconstruction.residual < 1e-2);
    assert!(found.points.windows(2).all(|pair| pair[1].threshold < pair[0].threshold));
}

/// With a prior all clusters give the maximum of the posterior: its derivatives, from the table of all configurations, vanish.
#[test]
fn the_prior_is_that_of_the_definition() {
    let model = dense(6, 0.8);
    let moments = Moments::of_samples(&exact_samples(&model));
    let gamma = 0.05;
    for reference in [Reference::None, Reference::MeanField] {
        let params = ClusterExpansion::default().reference(reference).prior(gamma).threshold(0.0);
        let found = params.infer(&moments, 100.0).unwrap().reconstruction;
        let law = found.to_ising(0.0).unwrap();
        let of_law = Moments::of_samples(&exact_samples(&law));
        let p = |i: usize| 1.0 - moments.magnetizations()[i].powi(2);
        for i in 0..6 {
            approx::assert_abs_diff_eq!(of_law.magnetizations()[i], moments.magnetizations()[i], epsilon = 1e-9);
            for j in i + 1..6 {
                let pull = gamma * p(i) * p(j) * found.coupling(i, j);
                approx::assert_abs_diff_eq!(of_law.correlation(i, j) + pull, moments.correlation(i, j), epsilon = 1e-9);
            }
        }
    }
}

/// A free 6 x 6 lattice of couplings ±0.6, half of them missing, 5000 samples, seed 3. Most pairs are in no kept cluster and stay 0:
/// the relative error was 0.047 against 0.205 of pseudolikelihood. With the mean-field reference every pair has a coupling, and
/// the error was 0.204.
#[test]
fn a_dilute_lattice_against_pseudolikelihood() {
    let lattice = Lattice::square(6, Boundary::Free).unwrap();
    let mut rng = Streams::new(3).stream(0);
    let mut draw = || uniform_open01(&mut rng);
    let couplings: Vec<f64> = (0..60)
        .map(|_| match (draw() < 0.5, draw() < 0.5) {
            (false, _) => 0.0,
            (true, true) => 0.6,
            (true, false) => -0.6,
        })
        .collect();
    let model = Ising::on_lattice(&lattice, &couplings).unwrap();
    let params = DrawParams::default().chains(500);
    let samples = draw_samples(&model, 5000, &params, Streams::new(3).child(1)).unwrap();
    let plm = LocalParams::pseudolikelihood().reconstruct(&samples).unwrap().compare(&model).unwrap();
    let expand = |reference| ClusterExpansion::default().reference(reference).reconstruct(&samples).unwrap();
    let found = expand(Reference::None);
    let comparison = found.reconstruction.compare(&model).unwrap();
    assert_eq!(found.end, ClusterEnd::Reproduced);
    assert!(comparison.separable() && comparison.relative_error < 0.5 * plm.relative_error, "{comparison:?} {plm:?}");
    let found = expand(Reference::MeanField);
    let comparison = found.reconstruction.compare(&model).unwrap();
    assert_eq!(found.end, ClusterEnd::Reproduced);
    assert!(comparison.separable() && comparison.relative_error < 1.1 * plm.relative_error, "{comparison:?} {plm:?}");
}

#[test]
fn threads_change_nothing_and_a_stop_keeps_what_there_is() {
    let moments = Moments::of_samples(&exact_samples(&dense(9, 0.6)));
    let run = |threads| ClusterExpansion::default().threads(threads).infer(&moments, 1e8).unwrap();
    let whole = run(1);
    assert_eq!(whole, run(3));
    let mut seen = 0;
    let mut observer = |_: &ClusterPoint| {
        seen += 1;
        if seen == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let stopped = ClusterExpansion::default().infer_observed(&moments, 1e8, &mut observer).unwrap();
    assert_eq!((stopped.end, &stopped.points[..]), (ClusterEnd::Stopped, &whole.points[..2]));
    // Going on from there ends where the whole run does.
    let rest = ClusterExpansion::default().thresholds(stopped.points[1].threshold, 1e-7).infer(&moments, 1e8).unwrap();
    assert_eq!(
        (&rest.reconstruction.couplings, rest.cross_entropy),
        (&whole.reconstruction.couplings, whole.cross_entropy)
    );
}

/// A prior keeps the moments from being reproduced at any threshold; numbers below the normal ones would not get
/// smaller.
#[test]
fn thresholds_end_at_zero() {
    let moments = Moments::new(&[0.0; 2], &[1.0, 0.5, 0.5, 1.0]).unwrap();
    let falling = ClusterExpansion::default().prior(0.5).thresholds(1e-300, 0.0).ratio(0.9);
    let found = falling.infer(&moments, 1e9).unwrap();
    assert_eq!(found.end, ClusterEnd::LastThreshold);
    assert!(found.points.len() < 200 && found.points[found.points.len() - 1].threshold <= 0.0);
}

/// A hundred chains that stand still for ten draws each: the variance of the mean is that of 100 draws, not of 1000.
#[test]
fn the_spread_of_chains_counts_correlated_draws() {
    let mut rng = Streams::new(12).stream(0);
    let starts: Vec<i8> = (0..2 * 100).map(|_| if uniform_open01(&mut rng) < 0.3 { 1 } else { -1 }).collect();
    let drawn = Samples::from_spins(2, &starts.repeat(10)).unwrap();
    let mean = Moments::of_samples(&drawn);
    let spread = spread_of_chains(&drawn, &mean, 100).unwrap().unwrap();
    for (k, moment) in [(0, mean.magnetizations()[0]), (1, mean.correlation(0, 1)), (3, mean.magnetizations()[1])] {
        approx::assert_relative_eq!(spread[k], (1.0 - moment * moment) / 99.0, max_relative = 1e-12);
    }
    assert!(spread_of_chains(&drawn, &mean, 10).unwrap().is_none());
}

#[test]
fn bad_input_is_named() {
    let infer = |params: ClusterExpansion, m: &[f64], c: &[f64]| params.infer(&Moments::new(m, c).unwrap(), 100.0);
    let all = || ClusterExpansion::default().threshold(0.0);
    let constant = infer(all(), &[1.0, 0.0], &[1.0, 0.0, 0.0, 1.0]);
    assert!(matches!(constant, Err(Error::ConstantSpin { spin: 0, .. })));
    let equal = [1.0, 1.0, 1.0, 1.0];
    assert!(matches!(infer(all(), &[0.0; 2], &equal), Err(Error::PerfectCorrelation { first: 0, second: 1, .. })));
    assert!(infer(all().prior(0.01), &[0.0; 2], &equal).unwrap().reconstruction.coupling(0, 1) > 1.0);
    // Two spins that are never both down; and three of which every pair is possible, but not all at once.
    let divergent = |m: &[f64], c: &[f64]| match infer(all(), m, c) {
        Err(Error::Divergent { terms, value, bound, .. }) => (terms, value, bound),
        other => panic!("{other:?}"),
    };
    let (terms, ..) = divergent(&[0.5, 0.5], &[1.0, 0.0, 0.0, 1.0]);
    assert_eq!(terms, [(vec![0], 1.0), (vec![1], 1.0), (vec![0, 1], -1.0)]);
    let t = -1.0 / 3.0;
    let (terms, ..) = divergent(&[0.0; 3], &[1.0, t, t, t, 1.0, t, t, t, 1.0]);
    assert_eq!(terms, [(vec![0, 1], -1.0), (vec![0, 2], -1.0), (vec![1, 2], -1.0)]);
    // Inside all triangles and outside of the polytope: |Σ s| ≥ 1 for five spins allows -1/5 for the mean correlation.
    let five: Vec<f64> = (0..25).map(|k| if k % 6 == 0 { 1.0 } else { -0.24 }).collect();
    let (terms, value, bound) = divergent(&[0.0; 5], &five);
    assert!(terms.len() == 10 && value > bound + 0.1, "{value} {bound}");
    let moments = Moments::of_samples(&exact_samples(&dense(5, 0.5)));
    match all().max_size(3).infer(&moments, 100.0) {
        Err(error @ Error::ClusterTooLarge { bound: 3, .. }) => {
            assert_eq!(error.to_string(), "the cluster [0, 1, 2, 3] has more than 3 spins at the threshold 0");
        }
        other => panic!("{other:?}"),
    }
    let unequal = Ising::builder(4).couplings([(0, 1, 0.8), (1, 2, 0.3), (2, 3, 0.2)]).build().unwrap();
    let unequal = Moments::of_samples(&exact_samples(&unequal));
    let row = ClusterExpansion::default().max_size(2).infer(&unequal, 1e12).unwrap();
    assert!(matches!(&row.end, ClusterEnd::ClusterTooLarge { spins } if spins[..] == [0, 1, 2]), "{:?}", row.end);
    assert!(!row.reconstruction.converged && row.points.len() > 1);
    assert!(matches!(all().max_clusters(12).infer(&moments, 100.0), Err(Error::TooLarge { bound: 12, .. })));
    for bad in [all().ratio(1.0), all().prior(-1.0), all().draws(0), all().max_size(26), all().threshold(f64::NAN)] {
        assert!(matches!(bad.infer(&moments, 100.0), Err(Error::Parameter { .. })));
    }
    assert!(matches!(all().infer(&moments, 0.0), Err(Error::Parameter { what: "number of samples", .. })));
    let rising = ClusterExpansion::default().thresholds(0.1, 0.2);
    assert!(matches!(rising.infer(&moments, 100.0), Err(Error::Parameter { what: "first threshold", .. })));
}
