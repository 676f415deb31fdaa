//! Mean field and belief propagation against exact enumeration, closed forms and each other.

use std::time::{Duration, Instant};

use approx::{assert_abs_diff_eq, assert_relative_eq};
use linalg_core::Streams;
use proptest::prelude::*;
use spin_models::rand::RngExt;
use spin_models::{
    Boundary, Correlations, Disorder, EnergyModel, Enumeration, InteractionModel, Ising, Kind, Lattice, LogPartition,
    Quantities, SherringtonKirkpatrick, Solve,
};
use variational::bethe::{BetheParams, FactorGraph, Schedule, ToFactorGraph};
use variational::mean_field::{MeanFieldParams, PlefkaOrder, Update};
use variational::{Bethe, Error, NaiveMeanField, Tap};

/// Couplings and fields uniform in -1 .. 1 on these edges.
fn random_model(n: usize, edges: &[(usize, usize)], with_fields: bool, seed: u64) -> Ising {
    let mut rng = Streams::new(seed).stream(0);
    let mut uniform = || 2.0 * rng.random::<f64>() - 1.0;
    let couplings: Vec<_> = edges.iter().map(|&(i, j)| (i, j, uniform())).collect();
    let fields: Vec<f64> = (0..n).map(|_| if with_fields { uniform() } else { 0.0 }).collect();
    Ising::builder(n).couplings(couplings).fields(fields).offset(0.375).build().unwrap()
}

fn tree(n: usize, seed: u64) -> Ising {
    let lattice = Lattice::tree(n, &mut Streams::new(seed).stream(1)).unwrap();
    random_model(n, &lattice.edges().collect::<Vec<_>>(), true, seed)
}

const PAIR: [(usize, usize); 1] = [(0, 1)];
const TRIANGLES: [(usize, usize); 6] = [(0, 1), (1, 2), (0, 2), (2, 3), (3, 4), (2, 4)];
const SQUARES: [(usize, usize); 7] = [(0, 1), (1, 2), (2, 3), (0, 3), (3, 4), (4, 5), (2, 5)];

/// Slope of ln|error of ln Z| against the logarithm of βJ at fixed βh: magnetizations stay where they are, so that every
/// order shows with its own power.
fn slope(model: &Ising, order: PlefkaOrder) -> f64 {
    let error = |scale: f64| {
        let couplings = model.couplings().map(|(i, j, coupling)| (i, j, scale * coupling));
        let fields = model.fields().iter().copied();
        let scaled = Ising::builder(model.n_spins()).couplings(couplings).fields(fields).build().unwrap();
        let tap = Tap::new(order, MeanFieldParams::default().tolerance(1e-15));
        let exact = Enumeration::default().ln_z(&scaled, 1.0).unwrap().value;
        (tap.ln_z(&scaled, 1.0).unwrap().value - exact).abs()
    };
    (error(0.08) / error(0.04)).log2()
}

#[test]
fn errors_of_ln_z_have_the_slopes_of_their_order() {
    let orders = [PlefkaOrder::First, PlefkaOrder::Second, PlefkaOrder::Third];
    let cases = [
        (random_model(2, &PAIR, true, 3), [2.0, 3.0, 4.0]),
        (random_model(5, &TRIANGLES, true, 5), [2.0, 3.0, 4.0]),
        (random_model(5, &TRIANGLES, false, 6), [2.0, 3.0, 4.0]),
        (random_model(6, &SQUARES, false, 7), [2.0, 4.0, 4.0]),
    ];
    for (case, (model, expected)) in cases.iter().enumerate() {
        for (&order, expected) in orders.iter().zip(expected) {
            let measured = slope(model, order);
            // Corrections of the next order in β shift a slope by a few percent.
            assert!(
                (measured - expected).abs() < 0.25,
                "case {case}, {order:?}: slope {measured}, expected {expected}"
            );
        }
    }
}

#[test]
fn energy_and_correlations_are_derivatives_of_ln_z() {
    let model = random_model(5, &TRIANGLES, true, 9);
    let beta = 0.3;
    for order in [PlefkaOrder::First, PlefkaOrder::Second, PlefkaOrder::Third] {
        let tap = Tap::new(order, MeanFieldParams::default().tolerance(1e-15));
        let at = |model: &Ising, beta: f64| tap.fit(model, beta, &mut ()).unwrap();
        let solution = at(&model, beta);
        let h = 1e-4;
        let derivative = (at(&model, beta + h).ln_z - at(&model, beta - h).ln_z) / (2.0 * h);
        assert_abs_diff_eq!(solution.energy, -derivative, epsilon = 1e-7);
        // χ_ij = ∂m_i/∂(βh_j), and m_j = ∂ln Z/∂(βh_j).
        let chi = tap.linear_response(&model, beta, &solution.magnetizations).unwrap();
        for j in 0..5 {
            let shifted = |by: f64| {
                let fields = (0..5).map(|i| model.fields()[i] + if i == j { by / beta } else { 0.0 });
                let other =
                    Ising::builder(5).couplings(model.couplings()).fields(fields).offset(0.375).build().unwrap();
                at(&other, beta)
            };
            let (up, down) = (shifted(h), shifted(-h));
            assert_abs_diff_eq!((up.ln_z - down.ln_z) / (2.0 * h), solution.magnetizations[j], epsilon = 1e-7);
            for i in 0..5 {
                let response = (up.magnetizations[i] - down.magnetizations[i]) / (2.0 * h);
                assert_abs_diff_eq!(chi[i * 5 + j], response, epsilon = 1e-6);
            }
        }
    }
}

#[test]
fn time_indices_matter_in_the_sherrington_kirkpatrick_model() {
    // With a field at β = 1.2 the parallel iteration with the old magnetization in the reaction term converges; with
    // equal times it does not (seed 4, N = 400).
    let mut rng = Streams::new(4).stream(0);
    let model = SherringtonKirkpatrick::gaussian(400, &mut rng).unwrap().with_fields(vec![0.6; 400]).unwrap();
    let run = |update: Update| {
        let params = MeanFieldParams::default().update(update).tolerance(1e-10).max_sweeps(2000);
        Tap::new(PlefkaOrder::Second, params).fit(&model, 1.2, &mut ()).unwrap()
    };
    let indexed = run(Update::TimeIndexed);
    assert!(indexed.converged, "residual {}", indexed.residual);
    let parallel = run(Update::Parallel);
    assert!(!parallel.converged || parallel.sweeps > 2 * indexed.sweeps, "{} and {}", parallel.sweeps, indexed.sweeps);
    // Replica-symmetric fixed point q = ∫Dz tanh²(β(√q z + h)); one sample of 400 spins is within a few percent.
    let q = indexed.magnetizations.iter().map(|m| m * m).sum::<f64>() / 400.0;
    let mut rs = 0.5f64;
    for _ in 0..200 {
        let grid = (-600..=600).map(|k| f64::from(k) / 100.0);
        let (mut sum, mut norm) = (0.0, 0.0);
        for z in grid {
            let weight = (-0.5 * z * z).exp();
            sum += weight * (1.2 * (rs.sqrt() * z + 0.6)).tanh().powi(2);
            norm += weight;
        }
        rs = sum / norm;
    }
    assert_abs_diff_eq!(q, rs, epsilon = 0.06);
}

fn params_of(schedule: Schedule) -> BetheParams {
    BetheParams::default().schedule(schedule).tolerance(1e-14)
}

const SCHEDULES: [Schedule; 4] = [Schedule::Sequential, Schedule::Parallel, Schedule::Residual, Schedule::DoubleLoop];

#[test]
fn bethe_is_exact_on_trees_by_every_schedule() {
    for seed in 0..5 {
        let model = tree(14, seed);
        for beta in [0.0, 0.6, 2.0] {
            let want = Quantities::all().with_correlations(Correlations::All);
            let exact = Enumeration::default().solve(&model, beta, want, &mut ()).unwrap();
            for schedule in SCHEDULES {
                let answer = Bethe::new(params_of(schedule)).solve(&model, beta, want, &mut ()).unwrap();
                let ln_z = answer.ln_z.unwrap();
                assert!(matches!(ln_z.kind, Kind::Approximation { converged: true, .. }), "{schedule:?}");
                assert_abs_diff_eq!(ln_z.value, exact.ln_z.unwrap().value, epsilon = 1e-11);
                assert_abs_diff_eq!(answer.energy.unwrap().value, exact.energy.unwrap().value, epsilon = 1e-11);
                let pairs = answer.magnetizations.unwrap().into_iter().zip(exact.magnetizations.clone().unwrap());
                for (m, reference) in pairs {
                    assert_abs_diff_eq!(m.value, reference.value, epsilon = 1e-11);
                }
                let (mine, reference) = (answer.correlations.unwrap(), exact.correlations.clone().unwrap());
                assert_eq!(mine.pairs, reference.pairs);
                for (c, reference) in mine.values.iter().zip(&reference.values) {
                    assert_abs_diff_eq!(c.value, reference.value, epsilon = 1e-10);
                }
            }
        }
    }
}

/// A tree of factors of two to four sites, with fields.
fn factor_tree() -> InteractionModel {
    InteractionModel::builder(11)
        .term(&[0, 1, 2], 0.8)
        .term(&[2, 3, 4, 5], -1.1)
        .term(&[5, 6], 0.4)
        .term(&[6, 7, 8], 0.9)
        .term(&[4, 9], -0.7)
        .term(&[1], 0.3)
        .term(&[7], -0.6)
        .term(&[9], 1.2)
        .term(&[3], 0.2)
        .term(&[8], 0.5)
        .term(&[], 0.25)
        .offset(-1.0)
        .build()
        .unwrap()
}

#[test]
fn bethe_is_exact_on_trees_of_many_body_factors() {
    let model = factor_tree();
    let graph = model.to_factor_graph().unwrap();
    for beta in [0.5, 1.7, 40.0] {
        let exact = Enumeration::default().ln_z(&model, beta).unwrap().value;
        for schedule in SCHEDULES {
            let solution = Bethe::new(params_of(schedule)).fit(&graph, beta, &mut ()).unwrap();
            assert!(solution.converged);
            assert_relative_eq!(solution.ln_z, exact, epsilon = 1e-11, max_relative = 1e-13);
        }
    }
    let solution = Bethe::default().fit(&graph, 0.5, &mut ()).unwrap();
    let belief = solution.factor_belief(&graph, 1);
    assert_abs_diff_eq!(belief.iter().sum::<f64>(), 1.0, epsilon = 1e-14);
    let mut direct = vec![0.0; 16];
    let mut z = 0.0;
    for state in 0..1u64 << 11 {
        let s = spin_models::Spins::from_state(state, 11);
        let p = (-0.5 * model.energy(&s)).exp();
        let index: usize = [2, 3, 4, 5].iter().enumerate().map(|(j, &i)| usize::from(s[i] < 0) << j).sum();
        direct[index] += p;
        z += p;
    }
    for (belief, direct) in belief.iter().zip(&direct) {
        assert_abs_diff_eq!(belief, &(direct / z), epsilon = 1e-13);
    }
}

#[test]
fn response_is_the_derivative_of_the_messages_on_loopy_graphs() {
    let model = random_model(6, &SQUARES, true, 21);
    let graph = model.to_factor_graph().unwrap();
    let bethe = Bethe::new(BetheParams::default().tolerance(1e-15));
    let beta = 0.6;
    let solution = bethe.fit(&graph, beta, &mut ()).unwrap();
    assert!(solution.converged);
    let h = 1e-5;
    for k in 0..6 {
        let at = |by: f64| {
            let mut fields = graph.fields().to_vec();
            fields[k] += by / beta;
            let pairs = model.couplings().map(|(i, j, c)| ([i, j], c));
            let other = FactorGraph::new(6, fields, pairs, model.offset()).unwrap();
            bethe.fit(&other, beta, &mut ()).unwrap()
        };
        let (up, down) = (at(h), at(-h));
        let response = solution.response(&graph, k, 1e-14, 1000);
        assert!(response.converged);
        for i in 0..6 {
            let difference = (up.magnetizations[i] - down.magnetizations[i]) / (2.0 * h);
            assert_abs_diff_eq!(response.values[i], difference, epsilon = 1e-8);
        }
        // The free energy is stationary: its derivative is the magnetization.
        assert_abs_diff_eq!((up.ln_z - down.ln_z) / (2.0 * h), solution.magnetizations[k], epsilon = 1e-8);
    }
    let derivative = (bethe.fit(&graph, beta + h, &mut ()).unwrap().ln_z
        - bethe.fit(&graph, beta - h, &mut ()).unwrap().ln_z)
        / (2.0 * h);
    assert_abs_diff_eq!(solution.energy, -derivative, epsilon = 1e-8);
}

#[test]
fn schedules_and_damping_reach_the_same_fixed_point() {
    let lattice = Lattice::random_regular(60, 3, &mut Streams::new(2).stream(0)).unwrap();
    let model = random_model(60, &lattice.edges().collect::<Vec<_>>(), true, 31);
    let graph = model.to_factor_graph().unwrap();
    let reference = Bethe::default().fit(&graph, 0.8, &mut ()).unwrap();
    assert!(reference.converged);
    for schedule in SCHEDULES {
        for damping in [0.0, 0.4] {
            let params = params_of(schedule).damping(damping).tolerance(1e-13);
            let solution = Bethe::new(params).fit(&graph, 0.8, &mut ()).unwrap();
            assert!(solution.converged, "{schedule:?}, damping {damping}: residual {}", solution.residual);
            assert_abs_diff_eq!(solution.ln_z, reference.ln_z, epsilon = 1e-10);
        }
    }
}

#[test]
fn the_double_loop_converges_where_plain_propagation_cycles() {
    let model = SherringtonKirkpatrick::gaussian(16, &mut Streams::new(8).stream(0)).unwrap().to_ising().unwrap();
    let graph = model.to_factor_graph().unwrap();
    let run = |schedule: Schedule, beta: f64| {
        let params = BetheParams::default().schedule(schedule).tolerance(1e-10).max_sweeps(60_000);
        Bethe::new(params).fit(&graph, beta, &mut ()).unwrap()
    };
    // Where both converge they agree.
    let (plain, double) = (run(Schedule::Sequential, 0.7), run(Schedule::DoubleLoop, 0.7));
    assert!(plain.converged && double.converged);
    assert_abs_diff_eq!(plain.ln_z, double.ln_z, epsilon = 1e-8);
    // Seed 8 at β = 5 in fields: flooding does not settle within 60 000 sweeps.
    let fields: Vec<f64> = (0..16).map(|i| 0.1 * f64::from(i % 3) - 0.1).collect();
    let model = Ising::builder(16).couplings(model.couplings()).fields(fields).build().unwrap();
    let graph = model.to_factor_graph().unwrap();
    let run = |schedule: Schedule, beta: f64| {
        let params = BetheParams::default().schedule(schedule).tolerance(1e-10).max_sweeps(60_000);
        Bethe::new(params).fit(&graph, beta, &mut ()).unwrap()
    };
    let beta = 5.0;
    let plain = run(Schedule::Parallel, beta);
    assert!(!plain.converged, "plain propagation converged after {} sweeps", plain.sweeps);
    let double = run(Schedule::DoubleLoop, beta);
    assert!(double.converged, "residual {}", double.residual);
    // A fixed point of belief propagation: one more sweep from its beliefs changes nothing, so ∂ ln Z/∂β = -⟨E⟩.
    let h = 1e-6;
    let derivative = (run(Schedule::DoubleLoop, beta + h).ln_z - run(Schedule::DoubleLoop, beta - h).ln_z) / (2.0 * h);
    assert_abs_diff_eq!(double.energy, -derivative, epsilon = 1e-3);
}

#[test]
fn a_frustrated_graph_reports_that_it_has_not_converged() {
    // A cold dense glass: plain belief propagation does not settle.
    let model = SherringtonKirkpatrick::gaussian(60, &mut Streams::new(8).stream(0)).unwrap();
    let params = BetheParams::default().schedule(Schedule::Parallel).max_sweeps(200);
    let ln_z = Bethe::new(params).ln_z(&model, 4.0).unwrap();
    let Kind::Approximation { converged, residual } = ln_z.kind else { panic!("{ln_z:?}") };
    assert!(!converged && residual > 1e-6 && residual.is_finite() && ln_z.value.is_finite(), "{ln_z:?}");
    // The response around messages that do not settle has no bound: there is none then.
    let want = Quantities::all().with_correlations(Correlations::All);
    let solution = Bethe::new(params).solve(&model, 4.0, want, &mut ()).unwrap();
    assert!(solution.correlations.is_none() && solution.magnetizations.is_some());
}

/// Without noise the messages of a cold ferromagnet stay at 0, where every answer to a field grows beyond all numbers.
#[test]
fn a_response_without_bound_has_not_converged() {
    let torus = Ising::square(4, Boundary::Periodic, 1.0).unwrap();
    let bethe = Bethe::new(BetheParams::default().noise(0.0));
    let graph = torus.to_factor_graph().unwrap();
    let solution = bethe.fit(&graph, 1.0, &mut ()).unwrap();
    assert!(solution.converged && solution.magnetizations.iter().all(|m| m.abs() < 1e-300));
    for max_sweeps in [10, 100_000] {
        let response = solution.response(&graph, 0, 1e-12, max_sweeps);
        assert!(!response.converged && response.residual.is_finite() == (max_sweeps == 10), "{response:?}");
    }
    let want = Quantities::all().with_correlations(Correlations::All);
    assert!(bethe.solve(&torus, 1.0, want, &mut ()).unwrap().correlations.is_none());
}

#[test]
fn a_million_sparse_spins_on_one_core_in_seconds() {
    // A thousand by a thousand torus in its paramagnetic phase: every method has a closed form there.
    let model = Ising::square(1000, Boundary::Periodic, 1.0).unwrap();
    let (n, beta) = (1e6, 0.2f64);
    let start = Instant::now();
    let naive = NaiveMeanField::new(MeanFieldParams::default().tolerance(1e-9)).ln_z(&model, beta).unwrap().value;
    let tap =
        Tap::new(PlefkaOrder::Second, MeanFieldParams::default().tolerance(1e-9)).ln_z(&model, beta).unwrap().value;
    let bethe = Bethe::new(BetheParams::default().tolerance(1e-9)).ln_z(&model, beta).unwrap().value;
    assert_relative_eq!(naive, n * 2f64.ln(), max_relative = 1e-9);
    assert_relative_eq!(tap, n * (2f64.ln() + beta * beta), max_relative = 1e-9);
    assert_relative_eq!(bethe, n * (2f64.ln() + 2.0 * beta.cosh().ln()), max_relative = 1e-9);
    // Seconds on an idle core; the bound allows for a busy one.
    assert!(start.elapsed() < Duration::from_secs(50), "{:?}", start.elapsed());
    println!("three methods on a million spins: {:?}", start.elapsed());
}

#[test]
fn a_glass_of_a_hundred_thousand_spins_converges() {
    let model = Ising::viana_bray(100_000, 2.5, Disorder::plus_minus(), &mut Streams::new(5).stream(0)).unwrap();
    let solution = Bethe::default().fit(&model.to_factor_graph().unwrap(), 0.5, &mut ()).unwrap();
    assert!(solution.converged);
    // Annealed = quenched above the glass transition: N ln 2 + M ln cosh β.
    let m = model.n_couplings() as f64;
    assert_relative_eq!(solution.ln_z, 1e5 * 2f64.ln() + m * 0.5f64.cosh().ln(), max_relative = 1e-9);
}

#[test]
fn cold_and_huge_numbers_stay_finite() {
    let model = Ising::builder(3).coupling(0, 1, 1e150).coupling(1, 2, -1e150).field(0, 1e149).build().unwrap();
    for beta in [0.0, 1.0, 1e5] {
        let bethe = Bethe::default().ln_z(&model, beta).unwrap();
        let exact = spin_models::Tree::default().ln_z(&model, beta).unwrap();
        assert_relative_eq!(bethe.value, exact.value, max_relative = 1e-12);
        let naive = NaiveMeanField::default().ln_z(&model, beta).unwrap();
        assert!(naive.value.is_finite() && naive.value <= exact.value * (1.0 + 1e-12), "{naive:?} {exact:?}");
    }
    let error = Bethe::default().ln_z(&model, 1e200).unwrap_err().to_string();
    assert!(error.contains("beyond the range of f64"), "{error}");
}

#[test]
fn bad_input_is_named() {
    let pair = Ising::builder(2).coupling(0, 1, 1.0).build().unwrap();
    for beta in [-1.0, f64::NAN, f64::INFINITY] {
        for error in [
            NaiveMeanField::default().ln_z(&pair, beta).unwrap_err(),
            Tap::default().ln_z(&pair, beta).unwrap_err(),
            Bethe::default().ln_z(&pair, beta).unwrap_err(),
        ] {
            assert!(error.to_string().starts_with("beta is "), "{error}");
        }
    }
    let error = Tap::new(PlefkaOrder::Second, MeanFieldParams::default().damping(1.0)).fit(&pair, 1.0, &mut ());
    assert!(matches!(error, Err(Error::Parameter { what: "damping", .. })));
    let error = FactorGraph::new(2, vec![0.0; 2], [([0, 0], 1.0)], 0.0).unwrap_err().to_string();
    assert_eq!(error, "factor graph does not apply: factor 0 has sites [0, 0], expected different ones below 2");
    let error = FactorGraph::new(2, vec![0.0; 2], [([0, 1], f64::NAN)], 0.0).unwrap_err().to_string();
    assert_eq!(error, "weight of factor 0 is NaN, expected a finite number");
    // Isolated spins: 2cosh(βh) each.
    let lonely = Ising::builder(3).field(1, 0.7).build().unwrap();
    let exact = 2.0 * 2f64.ln() + (2.0 * 0.35f64.cosh()).ln();
    assert_abs_diff_eq!(Bethe::default().ln_z(&lonely, 0.5).unwrap().value, exact, epsilon = 1e-14);
    assert_abs_diff_eq!(NaiveMeanField::default().ln_z(&lonely, 0.5).unwrap().value, exact, epsilon = 1e-12);
}

/// Energy `∞` for one configuration only.
struct Broken;

impl EnergyModel for Broken {
    fn n_spins(&self) -> usize {
        2
    }
    fn energy(&self, _s: &[i8]) -> f64 {
        f64::INFINITY
    }
    fn delta_energy(&self, _s: &[i8], _i: usize) -> f64 {
        0.0
    }
}

impl spin_models::PairwiseModel for Broken {
    fn field(&self, _i: usize) -> f64 {
        0.0
    }
    fn neighbors(&self, _i: usize) -> impl Iterator<Item = (usize, f64)> {
        std::iter::empty()
    }
}

#[test]
fn an_infinite_energy_is_refused() {
    let error = NaiveMeanField::default().ln_z(&Broken, 1.0).unwrap_err().to_string();
    assert_eq!(error, "variational: energy of configuration 0 is inf, expected a finite number");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn naive_mean_field_is_a_lower_bound(seed in 0u64..1000, beta in 0.0f64..3.0, sweeps in 1u64..20) {
        let model = random_model(6, &SQUARES, seed % 2 == 0, seed);
        let exact = Enumeration::default().ln_z(&model, beta).unwrap().value;
        // Converged or not, from any start.
        let params = MeanFieldParams::default().max_sweeps(sweeps).starts(3).seed(seed);
        let bound = NaiveMeanField::new(params).ln_z(&model, beta).unwrap();
        prop_assert_eq!(bound.kind, Kind::Lower);
        prop_assert!(bound.value <= exact + 1e-12, "{} above {}", bound.value, exact);
    }

    #[test]
    fn sequential_sweeps_never_lower_the_bound(seed in 0u64..1000, beta in 0.1f64..2.0) {
        let model = random_model(5, &TRIANGLES, true, seed);
        let at = |sweeps| NaiveMeanField::new(MeanFieldParams::default().max_sweeps(sweeps)).ln_z(&model, beta).unwrap().value;
        let bounds: Vec<f64> = (1..8).map(at).collect();
        prop_assert!(bounds.windows(2).all(|pair| pair[1] >= pair[0] - 1e-12), "{:?}", bounds);
    }
}

#[test]
fn a_coupling_in_two_parts_is_one_coupling() {
    let whole = Ising::builder(3).coupling(0, 1, 1.0).coupling(1, 2, -0.4).field(0, 0.3).build().unwrap();
    let parts = Ising::builder(3)
        .couplings([(0, 1, 0.5), (1, 2, -0.4), (1, 0, 0.5)])
        .field(0, 0.3)
        .duplicates(spin_models::Duplicates::Keep)
        .build()
        .unwrap();
    for order in [PlefkaOrder::First, PlefkaOrder::Second, PlefkaOrder::Third] {
        let ln_z = |model: &Ising| Tap::new(order, MeanFieldParams::default()).ln_z(model, 0.4).unwrap().value;
        assert_abs_diff_eq!(ln_z(&whole), ln_z(&parts), epsilon = 1e-12);
    }
}

#[test]
fn couplings_whose_squares_overflow_do_not_converge() {
    let pair = Ising::builder(2).coupling(0, 1, 1e160).build().unwrap();
    for order in [PlefkaOrder::Second, PlefkaOrder::Third] {
        let found = Tap::new(order, MeanFieldParams::default()).ln_z(&pair, 1.0);
        if let Ok(found) = found {
            assert!(matches!(found.kind, Kind::Approximation { converged: false, .. }), "{found:?}");
        }
    }
}
