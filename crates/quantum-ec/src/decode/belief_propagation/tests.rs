use linalg_core::Streams;
use linalg_core::gf2::{BinaryCsc, BitVec};
use linalg_core::rand::{Rng, RngExt};

use super::graph::FactorGraph;
use super::reference;
use super::runner::{Control, End, Next, Runner, Strengths};
use super::simd::Simd;
use super::*;
use crate::decode::tests::{random_error, rng};
use crate::decode::{Decoder, Prediction};
use crate::dem::Sampler;
use crate::error::Error;
use crate::problem::DecodingProblem;
use crate::shots::Shots;

/// Mechanisms with one observable each, so that predictions tell them apart.
pub(in crate::decode) fn identity_problem(checks: BinaryCsc, priors: Vec<f64>) -> DecodingProblem {
    let n = checks.n_cols();
    DecodingProblem::new(checks, BinaryCsc::from_columns(n, (0..n).map(|j| [j])).unwrap(), priors).unwrap()
}

/// A random tree of checks and bits: every new check takes one old bit and some new ones.
fn random_tree(n_checks: usize, rng: &mut impl Rng) -> BinaryCsc {
    let mut columns: Vec<Vec<usize>> = vec![vec![]];
    for i in 0..n_checks {
        let old = rng.random_range(0..columns.len() as u32) as usize;
        columns[old].push(i);
        for _ in 0..rng.random_range(1..4u32) {
            columns.push(vec![i]);
        }
    }
    BinaryCsc::from_columns(n_checks, columns).unwrap()
}

/// A random matrix with loops; every bit in two or three checks.
pub(in crate::decode) fn random_checks(m: usize, n: usize, rng: &mut impl Rng) -> BinaryCsc {
    let column = |rng: &mut _| {
        let mut rows: Vec<usize> = Vec::new();
        let weight = RngExt::random_range(rng, 2..4u32) as usize;
        while rows.len() < weight {
            let i = RngExt::random_range(rng, 0..m as u32) as usize;
            if !rows.contains(&i) {
                rows.push(i);
            }
        }
        rows
    };
    BinaryCsc::from_columns(m, (0..n).map(|_| column(rng)).collect::<Vec<_>>()).unwrap()
}

/// Posterior log-likelihood ratios by summing over all errors with the syndrome.
fn exact_marginals(problem: &DecodingProblem, syndrome: &BitVec) -> Vec<f64> {
    let n = problem.n_mechanisms();
    let mut mass = vec![[0.0; 2]; n];
    for word in 0..1u64 << n {
        let error = BitVec::from_words(vec![word], n).unwrap();
        if problem.syndrome(&error) == *syndrome {
            let p: f64 = error.iter().zip(problem.priors()).map(|(e, p)| if e { *p } else { 1.0 - p }).product();
            error.iter().zip(&mut mass).for_each(|(e, mass)| mass[usize::from(e)] += p);
        }
    }
    mass.iter().map(|[no, yes]| (no / yes).ln()).collect()
}

#[test]
fn sum_product_is_exact_on_trees() {
    let mut rng = rng(11);
    for trial in 0..40 {
        let checks = random_tree(4, &mut rng);
        let n = checks.n_cols();
        // Probabilities above 1/2 too.
        let problem = identity_problem(checks, (0..n).map(|_| rng.random_range(0.02..0.8)).collect());
        let syndrome = problem.syndrome(&random_error(&problem, &mut rng));
        let exact = exact_marginals(&problem, &syndrome);
        for schedule in [Schedule::Flooding, Schedule::Layered, Schedule::Serial, Schedule::Random] {
            let params = BpParams::default().method(BpMethod::SumProduct).schedule(schedule).early_stopping(false);
            let mut decoder = BeliefPropagation::new(&problem, params.iterations(12)).unwrap();
            let prediction = decoder.decode(&syndrome).unwrap();
            let mut found = Vec::new();
            decoder.posteriors_into(&mut found);
            for (j, (a, b)) in found.iter().zip(&exact).enumerate() {
                assert!((a - b).abs() < 1e-4 * b.abs().max(1.0), "tree {trial}, {schedule:?}, bit {j}: {a}, exact {b}");
                if b.abs() > 1e-3 {
                    assert_eq!(prediction.observables.get(j), *b < 0.0);
                }
            }
        }
    }
}

#[test]
fn messages_are_those_of_a_slow_implementation() {
    let mut rng = rng(12);
    for trial in 0..30 {
        let checks = random_checks(8, 14, &mut rng);
        if checks.row_weights().iter().any(|&weight| weight < 2) {
            continue;
        }
        let problem = identity_problem(checks, (0..14).map(|_| rng.random_range(0.01..0.3)).collect());
        let syndrome = problem.syndrome(&random_error(&problem, &mut rng));
        for method in [BpMethod::SumProduct, BpMethod::MinSum] {
            for scaling in [Scaling::Adaptive, Scaling::Factor(0.625), Scaling::Offset(0.3)] {
                for schedule in [Schedule::Flooding, Schedule::Layered, Schedule::Serial] {
                    let memories: &[f64] = if schedule == Schedule::Flooding { &[0.0, 0.3, -0.2] } else { &[0.0] };
                    for &memory in memories {
                        let params = BpParams::default().method(method).scaling(scaling).schedule(schedule);
                        let params = params.memory(memory).iterations(6).early_stopping(false);
                        let mut decoder = BeliefPropagation::new(&problem, params).unwrap();
                        let _ = decoder.decode(&syndrome).unwrap();
                        let mut found = Vec::new();
                        decoder.posteriors_into(&mut found);
                        let expected = reference::posteriors(&problem, &syndrome, &params);
                        for (a, b) in found.iter().zip(&expected) {
                            // Messages of sum-product end near 88.
                            if method == BpMethod::SumProduct && b.abs() > 60.0 {
                                assert!(a * b.signum() > 50.0, "{trial} {params:?}: {a} and {b}");
                                continue;
                            }
                            // Rounding in single precision grows from iteration to iteration.
                            assert!((a - b).abs() < 2e-4 * b.abs().max(1.0), "{trial} {params:?}: {a} and {b}");
                        }
                    }
                }
            }
        }
    }
}

/// Bit flips on a hypergraph-like random code, some mechanisms above 1/2, and shots of it.
fn batch_problem(seed: u64) -> (DecodingProblem, Shots) {
    let mut rng = rng(seed);
    // Checks of more than 32 bits take two words of signs.
    let checks = random_checks(24, 320, &mut rng);
    let priors = (0..320).map(|j| if j == 7 { 0.9 } else { rng.random_range(0.002..0.03) }).collect();
    let problem = identity_problem(checks, priors);
    let samples = Sampler::new(&problem).sample(150, &Streams::new(seed));
    let mut shots = Shots::new(24);
    (0..150).for_each(|shot| shots.push(samples.detectors.row(shot)));
    (problem, shots)
}

#[test]
fn batches_equal_single_shots() {
    let (problem, shots) = batch_problem(13);
    for schedule in [Schedule::Flooding, Schedule::Layered, Schedule::Serial, Schedule::Random] {
        for method in [BpMethod::MinSum, BpMethod::SumProduct] {
            for early in [true, false] {
                let params = BpParams::default().schedule(schedule).method(method).iterations(15);
                let mut decoder = BeliefPropagation::new(&problem, params.early_stopping(early)).unwrap();
                let mut out = Shots::zeros(150, 320);
                let report = decoder.decode_batch(shots.view(), &mut out.view_mut()).unwrap();
                assert_eq!((report.decoded, report.failures.len()), (150, 0));
                let mut prediction = Prediction::default();
                for shot in 0..150 {
                    decoder.decode_into(shots.row(shot), &mut prediction).unwrap();
                    assert_eq!(prediction.observables.words(), out.row(shot), "{params:?}, shot {shot}");
                }
            }
        }
    }
}

#[test]
fn every_width_of_lanes_gives_the_same_posteriors() {
    struct Record(Vec<(usize, bool, usize, Vec<u32>)>);
    impl Control for Record {
        fn trivial(&mut self, _: usize) {}
        fn end(&mut self, end: &End<'_>) -> Next {
            let mut posteriors = Vec::new();
            (end.posteriors)(&mut posteriors);
            let bits = posteriors.iter().map(|x| x.to_bits()).collect();
            self.0.push((end.shot, end.converged, end.iterations, bits));
            Next::Shot
        }
    }
    fn run<const L: usize>(simd: Simd, graph: &std::sync::Arc<FactorGraph>, params: BpParams, shots: &Shots) -> Record {
        let mut record = Record(Vec::new());
        let rows = (0..shots.n_shots()).map(|shot| (shot, shots.row(shot)));
        let left = Runner::<L>::new(simd, graph, params, Strengths::Uniform(0.125)).run(rows, &mut record);
        assert!(left.is_none());
        record.0.sort_by_key(|end| end.0);
        record
    }
    let (problem, shots) = batch_problem(14);
    let graph = FactorGraph::new(&problem);
    for method in [BpMethod::MinSum, BpMethod::SumProduct] {
        let params = BpParams::default().method(method).iterations(20);
        let one = run::<1>(Simd::PORTABLE, &graph, params, &shots).0;
        assert!(one.iter().any(|end| end.1) && one.iter().any(|end| !end.1));
        for simd in [Simd::PORTABLE, Simd::best()] {
            assert_eq!(run::<4>(simd, &graph, params, &shots).0, one);
            assert_eq!(run::<8>(simd, &graph, params, &shots).0, one);
            assert_eq!(run::<16>(simd, &graph, params, &shots).0, one);
        }
    }
}

#[test]
fn certain_impossible_and_lonely_mechanisms() {
    // Never, always, without detectors below and above 1/2, a coin, and an ordinary one.
    let checks = BinaryCsc::from_columns(3, [vec![0], vec![0, 1], vec![], vec![], vec![1], vec![0, 1]]).unwrap();
    let problem = identity_problem(checks, vec![0.0, 1.0, 0.1, 0.8, 0.5, 0.2]);
    for method in [BpMethod::MinSum, BpMethod::SumProduct] {
        let params = BpParams::default().method(method).early_stopping(false).iterations(5);
        let mut decoder = BeliefPropagation::new(&problem, params).unwrap();
        // The certain mechanism explains detectors 0 and 1; nothing else happened but the likely one without detectors.
        let prediction = decoder.decode(&"110".parse().unwrap()).unwrap();
        assert_eq!(prediction.observables.to_string(), "010100");
        approx::assert_relative_eq!(prediction.weight, -(4f64.ln()), max_relative = 1e-15);
        let mut posteriors = Vec::new();
        decoder.posteriors_into(&mut posteriors);
        assert_eq!((posteriors[0], posteriors[1]), (f64::INFINITY, f64::NEG_INFINITY));
        approx::assert_relative_eq!(posteriors[2], 9f64.ln(), max_relative = 1e-15);
        assert!(posteriors.iter().all(|x| !x.is_nan()));
        // A detector that nothing flips.
        let refused = decoder.decode(&"001".parse().unwrap()).unwrap_err();
        assert!(matches!(refused, Error::ImpossibleSyndrome { checks } if checks == [2]));
    }
    let mut empty = BeliefPropagation::new(
        &identity_problem(BinaryCsc::from_columns(0, Vec::<Vec<usize>>::new()).unwrap(), vec![]),
        BpParams::default(),
    )
    .unwrap();
    assert_eq!(empty.decode(&BitVec::zeros(0)).unwrap().observables.len(), 0);
}

#[test]
fn long_runs_stay_finite() {
    let (problem, shots) = batch_problem(15);
    for schedule in [Schedule::Flooding, Schedule::Layered, Schedule::Serial] {
        for method in [BpMethod::MinSum, BpMethod::SumProduct] {
            let params = BpParams::default().schedule(schedule).method(method).early_stopping(false).iterations(300);
            let mut decoder = BeliefPropagation::new(&problem, params).unwrap();
            for shot in 0..3 {
                decoder.decode_into(shots.row(shot), &mut Prediction::default()).unwrap();
                let mut posteriors = Vec::new();
                decoder.posteriors_into(&mut posteriors);
                assert!(posteriors.iter().all(|x| x.is_finite()), "{params:?}");
            }
        }
    }
}

#[test]
fn legs_begin_anew_and_remember_posteriors() {
    const LEGS: usize = 4;
    fn strength(&[a, b, c, _]: &[f64; 4], leg: usize, bit: usize) -> f32 {
        (a + b * leg as f64 + c * ((7 * bit + 3 * leg) % 5) as f64) as f32
    }
    struct Record(Vec<Vec<Vec<f32>>>);
    impl Control for Record {
        fn trivial(&mut self, shot: usize) {
            panic!("shot {shot} has a syndrome");
        }
        fn end(&mut self, end: &End<'_>) -> Next {
            let mut posteriors = Vec::new();
            (end.posteriors)(&mut posteriors);
            self.0[end.shot].push(posteriors);
            let number = self.0[end.shot].len();
            if number < LEGS { Next::Leg { number, iterations: end.iterations } } else { Next::Shot }
        }
    }
    let mut rng = rng(19);
    let checks = random_checks(9, 18, &mut rng);
    let problem = identity_problem(checks, (0..18).map(|_| rng.random_range(0.02..0.3)).collect());
    let values = [-0.1, 0.05, 0.1, 0.0];
    let legs: Vec<Vec<f64>> =
        (0..LEGS).map(|leg| (0..18).map(|bit| f64::from(strength(&values, leg, bit))).collect()).collect();
    let params = BpParams::default().scaling(Scaling::Factor(0.8)).iterations(5).early_stopping(false);
    // More shots than lanes, so that lanes take a second one and the last legs are done alone.
    let mut shots = Shots::zeros(21, 9);
    let mut expected = Vec::new();
    for shot in 0..21 {
        let mut syndrome = problem.syndrome(&random_error(&problem, &mut rng));
        syndrome.set(shot % 9, true);
        shots.row_mut(shot).copy_from_slice(syndrome.words());
        expected.push(reference::relayed(&problem, &syndrome, &params, &legs));
    }
    let graph = FactorGraph::new(&problem);
    let mut lanes = super::runner::Lanes::new(&graph, params, Strengths::Disordered(strength, values));
    let mut many = Record(vec![Vec::new(); 21]);
    lanes.run_many(shots.view(), &mut many);
    for shot in 0..21 {
        let mut one = Record(vec![Vec::new()]);
        lanes.run_one(shots.row(shot), &mut one);
        assert_eq!(many.0[shot], one.0[0], "shot {shot}");
        for (got, expected) in one.0[0].iter().flatten().zip(expected[shot].iter().flatten()) {
            approx::assert_relative_eq!(f64::from(*got), *expected, max_relative = 1e-4, epsilon = 1e-4);
        }
        assert_eq!(one.0[0].len(), LEGS);
    }
}

/// Bits of a code that belief propagation solves often but not always.
#[test]
fn relay_legs_are_the_same_in_batches_and_find_solutions() {
    let (problem, shots) = batch_problem(16);
    let plain = BpParams::default().iterations(40).scaling(Scaling::Factor(1.0)).memory(0.125);
    let mut plain = BeliefPropagation::new(&problem, plain).unwrap();
    for solutions in [1, 3] {
        let params = RelayParams::default().first_iterations(40).iterations(30).legs(40).solutions(solutions);
        let mut relay = RelayBp::new(&problem, params).unwrap();
        let mut out = Shots::zeros(150, 320);
        assert_eq!(relay.decode_batch(shots.view(), &mut out.view_mut()).unwrap().decoded, 150);
        let (mut prediction, mut first) = (Prediction::default(), Prediction::default());
        let (mut solved, mut solved_by_first) = (0, 0);
        for shot in 0..150 {
            relay.decode_into(shots.row(shot), &mut prediction).unwrap();
            assert_eq!(prediction.observables.words(), out.row(shot), "{solutions} solutions, shot {shot}");
            let syndrome = BitVec::from_words(shots.row(shot).to_vec(), 24).unwrap();
            assert_eq!(relay.report().converged, problem.syndrome(&relay.chosen()) == syndrome);
            plain.decode_into(shots.row(shot), &mut first).unwrap();
            solved += usize::from(relay.report().converged);
            solved_by_first += usize::from(plain.report().converged);
            if plain.report().converged {
                // The first leg is plain belief propagation with memory; more solutions are not heavier.
                assert!(prediction.weight <= first.weight + 1e-9);
                assert!(solutions > 1 || prediction == first);
            }
        }
        assert!(solved_by_first < 150 && solved > solved_by_first, "{solved_by_first}, {solved}");
    }
}

#[test]
fn relay_parameters_are_checked() {
    let (problem, _) = batch_problem(16);
    let good = RelayParams::default();
    for (params, message) in [
        (good.solutions(0), "solutions is 0"),
        (good.iterations(0), "iterations is 0"),
        (good.strengths(0.5, 0.1), "strengths is (0.5, 0.1)"),
        (good.strengths(f64::NAN, 0.1), "strengths is (NaN, 0.1)"),
        (good.first_strength(2.0), "memory is 2"),
    ] {
        assert!(RelayBp::new(&problem, params).unwrap_err().to_string().contains(message), "{message}");
    }
}

#[test]
fn decimation_solves_more_than_plain_iterations() {
    let (problem, shots) = batch_problem(17);
    let params = BpParams::default().iterations(20);
    let mut plain = BeliefPropagation::new(&problem, params).unwrap();
    let mut guided = GuidedDecimation::new(&problem, params, 40).unwrap();
    let (mut solved, mut solved_plain) = (0, 0);
    for shot in 0..150 {
        let (mut a, mut b) = (Prediction::default(), Prediction::default());
        plain.decode_into(shots.row(shot), &mut a).unwrap();
        guided.decode_into(shots.row(shot), &mut b).unwrap();
        if plain.report().converged {
            assert_eq!((a, guided.report()), (b.clone(), plain.report()));
        }
        let syndrome = BitVec::from_words(shots.row(shot).to_vec(), 24).unwrap();
        // Every mechanism has an observable of its own.
        assert_eq!(guided.report().converged, problem.syndrome(&b.observables) == syndrome);
        solved += usize::from(guided.report().converged);
        solved_plain += usize::from(plain.report().converged);
    }
    assert!(solved > solved_plain, "{solved}, {solved_plain}");
}

#[test]
fn reports_tell_convergence() {
    // A ring of two checks and two equal bits: a syndrome on one check only has no error.
    let checks = BinaryCsc::from_columns(2, [[0, 1], [0, 1]]).unwrap();
    let problem = identity_problem(checks, vec![0.1; 2]);
    let mut decoder = BeliefPropagation::new(&problem, BpParams::default().iterations(9)).unwrap();
    decoder.decode(&"10".parse().unwrap()).unwrap();
    assert_eq!(decoder.report(), BpReport { converged: false, iterations: 9 });
    decoder.decode(&"00".parse().unwrap()).unwrap();
    assert_eq!(decoder.report(), BpReport { converged: true, iterations: 0 });
}
