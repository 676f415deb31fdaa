//! Enumeration against sums written out.

use std::ops::ControlFlow;

use approx::{assert_abs_diff_eq, assert_relative_eq};
use linalg_core::Streams;
use linalg_core::gf2::BitVec;
use linalg_core::rand::{Rng, RngExt};
use linalg_core::rng::standard_normal;
use proptest::prelude::*;
use spin_models::{
    CachedModel, Correlations, DiscreteModel, EnergyModel, Enumerable, Enumeration, Error, GrayCode, InteractionModel,
    Ising, LogPartition, Potts, PrepareLogPartition, Progress, Quantities, Reweight, SherringtonKirkpatrick, Solution,
    Solve, Spins, Uncached,
};

/// What a sum over all states gives, written as directly as possible.
struct Naive {
    ln_z: f64,
    energy: f64,
    variance: f64,
    spins: Vec<f64>,
    pairs: Vec<f64>,
}

/// `energies[state]` relative to the lowest of them, and that lowest.
fn naive(n: usize, excess: &[f64], lowest: f64, beta: f64) -> Naive {
    let mut z = 0.0;
    let (mut first, mut second) = (0.0, 0.0);
    let mut spins = vec![0.0; n];
    let mut pairs = vec![0.0; n * n];
    for (state, &e) in excess.iter().enumerate() {
        let w = (-beta * e).exp();
        z += w;
        first += w * e;
        second += w * e * e;
        for i in 0..n {
            let s_i = if state >> i & 1 == 0 { w } else { -w };
            spins[i] += s_i;
            for j in i + 1..n {
                pairs[i * n + j] += if state >> j & 1 == 0 { s_i } else { -s_i };
            }
        }
    }
    let mean = first / z;
    Naive {
        ln_z: z.ln() - beta * lowest,
        energy: lowest + mean,
        variance: second / z - mean * mean,
        spins: spins.iter().map(|x| x / z).collect(),
        pairs: pairs.iter().map(|x| x / z).collect(),
    }
}

fn naive_of(model: &(impl EnergyModel + ?Sized), beta: f64) -> Naive {
    let n = model.n_spins();
    let energies: Vec<f64> = (0..1u64 << n).map(|state| model.energy(&Spins::from_state(state, n))).collect();
    let lowest = energies.iter().copied().fold(f64::INFINITY, f64::min);
    let excess: Vec<f64> = energies.iter().map(|e| e - lowest).collect();
    naive(n, &excess, lowest, beta)
}

fn solve<M: Enumerable + ?Sized>(model: &M, beta: f64) -> Solution {
    let want = Quantities::all().with_correlations(Correlations::All);
    Enumeration::default().solve(model, beta, want, &mut ()).unwrap()
}

fn compare<M: Enumerable + ?Sized>(model: &M, beta: f64, tolerance: f64) {
    let n = model.n_spins();
    compare_to(model, beta, &naive_of(model, beta), tolerance);
    let quick = Enumeration::default().ln_z(model, beta).unwrap().value;
    assert_relative_eq!(quick, naive_of(model, beta).ln_z, max_relative = tolerance, epsilon = tolerance);
    let cumulants = Enumeration::default().energy_cumulants(model, beta, &mut ()).unwrap();
    let exact = naive_of(model, beta);
    assert_relative_eq!(cumulants.ln_z, exact.ln_z, max_relative = tolerance, epsilon = tolerance);
    assert_relative_eq!(cumulants.mean, exact.energy, max_relative = tolerance, epsilon = tolerance * n as f64);
    assert_relative_eq!(cumulants.variance, exact.variance, max_relative = 100.0 * tolerance, epsilon = 1e-300);
}

fn compare_to<M: Enumerable + ?Sized>(model: &M, beta: f64, exact: &Naive, tolerance: f64) {
    let n = model.n_spins();
    let solution = solve(model, beta);
    let ln_z = solution.ln_z.unwrap().value;
    assert_relative_eq!(ln_z, exact.ln_z, max_relative = tolerance, epsilon = tolerance);
    let energy = solution.energy.unwrap().value;
    assert_relative_eq!(energy, exact.energy, max_relative = tolerance, epsilon = tolerance * n as f64);
    for (m, exact) in solution.magnetizations.unwrap().iter().zip(&exact.spins) {
        assert_abs_diff_eq!(m.value, exact, epsilon = tolerance);
    }
    let correlations = solution.correlations.unwrap();
    assert_eq!(correlations.pairs.len(), n * (n - 1) / 2);
    for (&(i, j), value) in correlations.pairs.iter().zip(&correlations.values) {
        assert_abs_diff_eq!(value.value, exact.pairs[i * n + j], epsilon = tolerance);
    }
}

fn random_ising(n: usize, density: f64, fields: bool, rng: &mut impl Rng) -> Ising {
    let mut builder = Ising::builder(n).offset(standard_normal(rng));
    for i in 0..n {
        for j in i + 1..n {
            if rng.random::<f64>() < density {
                builder = builder.coupling(j, i, standard_normal(rng));
            }
        }
        if fields {
            builder = builder.field(i, standard_normal(rng));
        }
    }
    builder.build().unwrap()
}

fn random_interactions(n: usize, terms: usize, most: usize, rng: &mut impl Rng) -> InteractionModel {
    let mut builder = InteractionModel::builder(n).duplicates(spin_models::Duplicates::Sum);
    for _ in 0..terms {
        let k = rng.random_range(0..=most as u32).min(n as u32) as usize;
        let mut sites: Vec<usize> = (0..n).collect();
        for place in 0..k {
            let other = rng.random_range(place as u32..n as u32) as usize;
            sites.swap(place, other);
        }
        builder = builder.term(&sites[..k], standard_normal(rng));
    }
    builder.build().unwrap()
}

#[test]
fn ising_models_of_every_size() {
    let mut rng = Streams::new(1).stream(0);
    for n in 1..=14 {
        for (density, fields) in [(1.0, true), (1.0, false), (0.2, true), (0.15, false), (0.0, true)] {
            let model = random_ising(n, density, fields, &mut rng);
            for beta in [0.0, 1e-9, 0.4, 3.0] {
                compare(&model, beta, 1e-13);
            }
        }
    }
}

#[test]
fn interactions_of_every_order() {
    let mut rng = Streams::new(2).stream(0);
    for n in [1, 2, 3, 5, 8, 11, 12, 13, 14] {
        for most in [2, 3, 5] {
            let model = random_interactions(n, 2 * n, most, &mut rng);
            for beta in [0.0, 0.7, 5.0] {
                compare(&model, beta, 1e-13);
            }
        }
    }
}

#[test]
fn models_without_terms_are_walked_through() {
    let mut rng = Streams::new(3).stream(0);
    for n in [1, 2, 7, 10, 11, 14] {
        let model = random_interactions(n, 3 * n, 4, &mut rng);
        for beta in [0.0, 0.3, 40.0] {
            compare(&GrayCode(&model), beta, 2e-13);
            compare(&Uncached(&model), beta, 2e-13);
        }
        compare(&model as &dyn EnergyModel, 1.0, 2e-13);
    }
    let dense = SherringtonKirkpatrick::gaussian(13, &mut rng).unwrap();
    compare(&dense, 1.5, 1e-13);
    compare(&GrayCode(&dense), 1.5, 1e-13);
}

/// Energies in exact integers of 2^-72, so that the oracle has no rounding but that of its exponentials.
fn exact_naive(n: usize, terms: &[(u64, f64)], beta: f64) -> Naive {
    let scale = 2f64.powi(72);
    let weights: Vec<(u64, i128)> = terms.iter().map(|&(mask, w)| (mask, (w * scale) as i128)).collect();
    for (&(_, w), &(_, integer)) in terms.iter().zip(&weights) {
        assert_eq!((integer as f64 / scale).to_bits(), w.to_bits(), "weight {w} is not a multiple of 2^-72");
    }
    let energies: Vec<i128> = (0..1u64 << n)
        .map(|state| weights.iter().map(|&(mask, w)| if (mask & state).count_ones() % 2 == 0 { -w } else { w }).sum())
        .collect();
    let lowest = *energies.iter().min().unwrap();
    let excess: Vec<f64> = energies.iter().map(|e| (e - lowest) as f64 / scale).collect();
    naive(n, &excess, lowest as f64 / scale, beta)
}

/// Weights rounded to multiples of 2^-72.
fn weight(x: f64) -> f64 {
    let scale = 2f64.powi(72);
    (x * scale).round() / scale
}

#[test]
fn low_temperatures_and_mixed_scales() {
    let mut rng = Streams::new(4).stream(0);
    let scales: [fn(usize) -> f64; 4] = [
        |_| 1.0,
        |a| [1e6, 1.0, 1e-3][a % 3],
        |a| if a % 5 == 0 { 1e9 } else { 1e-4 },
        |a| 10f64.powi(-(a as i32 % 8)),
    ];
    for n in [3, 9, 12, 13] {
        for scale in scales {
            for (density, order) in [(1.0, 0), (0.3, 0), (0.3, 3)] {
                let mut terms: Vec<(u64, f64)> = Vec::new();
                for i in 0..n {
                    for j in i..n {
                        let third = if order == 3 { 1 << rng.random_range(0..n as u32) } else { 0 };
                        let mask = (1 << i | 1 << j) ^ third;
                        let wanted = i == j || rng.random::<f64>() < density;
                        if wanted && mask != 0 && terms.iter().all(|term| term.0 != mask) {
                            terms.push((mask, weight(scale(terms.len()) * standard_normal(&mut rng))));
                        }
                    }
                }
                let sites = |mask: u64| (0..n).filter(move |i| mask >> i & 1 == 1).collect::<Vec<_>>();
                let model = InteractionModel::builder(n)
                    .terms(terms.iter().map(|&(mask, w)| (sites(mask), w)))
                    .build()
                    .unwrap();
                for beta in [1e-3, 1.0, 20.0, 1e3] {
                    let exact = exact_naive(n, &terms, beta);
                    compare_to(&model, beta, &exact, 1e-12);
                    let cumulants = Enumeration::default().energy_cumulants(&model, beta, &mut ()).unwrap();
                    assert_relative_eq!(cumulants.ln_z, exact.ln_z, max_relative = 1e-12);
                    if beta * scale(1) < 1e3 {
                        let variance = exact.variance;
                        assert_relative_eq!(cumulants.variance, variance, max_relative = 1e-9, epsilon = 1e-290);
                    }
                }
            }
        }
    }
}

#[test]
fn several_units_agree_with_one_block() {
    // 23 spins in a chain with fields: blocks and units on one side, the transfer matrix written out on the other.
    let n = 23;
    let mut rng = Streams::new(5).stream(0);
    let couplings: Vec<f64> = (1..n).map(|_| standard_normal(&mut rng)).collect();
    let fields: Vec<f64> = (0..n).map(|_| standard_normal(&mut rng)).collect();
    for beta in [0.5, 30.0] {
        let model = Ising::builder(n)
            .couplings((1..n).map(|i| (i - 1, i, couplings[i - 1])))
            .fields(fields.iter().copied())
            .build()
            .unwrap();
        // ln of the sums over the spins before i, for s_i = +1 and -1; then the same from the right.
        let chain = |order: &[usize]| {
            let mut ln = vec![[0.0f64; 2]; n];
            for step in 1..n {
                let (from, to) = (order[step - 1], order[step]);
                let coupling = couplings[from.min(to)];
                for (k, s) in [1.0, -1.0].into_iter().enumerate() {
                    let terms = [1.0, -1.0].map(|t| beta * (coupling * s * t + fields[from] * t));
                    let terms = [ln[from][0] + terms[0], ln[from][1] + terms[1]];
                    let most = terms[0].max(terms[1]);
                    ln[to][k] = most + ((terms[0] - most).exp() + (terms[1] - most).exp()).ln();
                }
            }
            ln
        };
        let forward = chain(&(0..n).collect::<Vec<_>>());
        let backward = chain(&(0..n).rev().collect::<Vec<_>>());
        let solution = solve(&model, beta);
        let end = [1.0, -1.0].map(|s| beta * fields[n - 1] * s);
        let ln_z = linalg_core::logspace::log_sum_exp(&[forward[n - 1][0] + end[0], forward[n - 1][1] + end[1]]);
        assert_relative_eq!(solution.ln_z.unwrap().value, ln_z, max_relative = 1e-13);
        for (i, m) in solution.magnetizations.unwrap().iter().enumerate() {
            let up = forward[i][0] + backward[i][0] + beta * fields[i];
            let down = forward[i][1] + backward[i][1] - beta * fields[i];
            assert_abs_diff_eq!(m.value, (0.5 * (up - down)).tanh(), epsilon = 1e-12);
        }
        // Pair (i, j) of neighbours from derivatives: check the energy instead, -Σ J m_ij - Σ h m_i.
        let moments = solve(&model, beta);
        let pairs = moments.correlations.unwrap();
        let pair = |i: usize| {
            let place = pairs.pairs.iter().position(|&p| p == (i, i + 1)).unwrap();
            couplings[i] * pairs.values[place].value
        };
        let magnetizations = moments.magnetizations.unwrap();
        let energy: f64 = -(0..n - 1).map(pair).sum::<f64>()
            - fields.iter().zip(&magnetizations).map(|(h, m)| h * m.value).sum::<f64>();
        assert_relative_eq!(moments.energy.unwrap().value, energy, max_relative = 1e-12);
        assert_relative_eq!(Enumeration::default().ln_z(&model, beta).unwrap().value, ln_z, max_relative = 1e-13);
    }
}

#[test]
fn infinite_temperature_is_n_ln_2() {
    let mut rng = Streams::new(6).stream(0);
    for n in [1, 6, 14, 22] {
        let ln_z = Enumeration::default().ln_z(&random_ising(n, 0.5, true, &mut rng), 0.0).unwrap().value;
        assert_eq!(ln_z.to_bits(), (n as f64 * std::f64::consts::LN_2).to_bits());
    }
}

#[test]
fn models_without_interactions() {
    for n in [1, 5, 12, 20] {
        let model = Ising::builder(n).coupling(0, n.max(2) - 1, 0.0).offset(2.0);
        let model = if n == 1 { Ising::builder(1).offset(2.0) } else { model }.build().unwrap();
        let solution = solve(&model, 1.5);
        assert_relative_eq!(solution.ln_z.unwrap().value, n as f64 * std::f64::consts::LN_2 - 3.0, epsilon = 1e-13);
        assert_relative_eq!(solution.energy.unwrap().value, 2.0);
        assert_eq!(solution.ground_state.unwrap().degeneracy, Some((1u64 << n) as f64));
        assert!(solution.magnetizations.unwrap().iter().all(|m| m.value == 0.0));
        assert!(solution.correlations.unwrap().values.iter().all(|c| c.value == 0.0));
    }
}

#[test]
fn ground_states_and_their_number() {
    let mut rng = Streams::new(7).stream(0);
    for n in 1..=13 {
        for kind in 0..4 {
            let mut builder = Ising::builder(n).offset(0.5);
            for i in 0..n {
                for j in i + 1..n {
                    let sign = if rng.random::<bool>() { 1.0 } else { -1.0 };
                    let coupling = match kind {
                        0 => sign,
                        1 => 0.1 * sign,
                        2 => 0.1 * f64::from(rng.random_range(1..4u32)) * sign,
                        _ => standard_normal(&mut rng),
                    };
                    builder = builder.coupling(i, j, coupling);
                }
                if kind == 0 && n % 2 == 0 {
                    builder = builder.field(i, 1.0);
                }
            }
            let model = builder.build().unwrap();
            let energies: Vec<f64> = (0..1u64 << n).map(|k| model.energy(&Spins::from_state(k, n))).collect();
            let lowest = energies.iter().copied().fold(f64::INFINITY, f64::min);
            let count = energies.iter().filter(|e| **e - lowest < 1e-9).count();
            for ground in [
                Enumeration::default().ground_state(&model).unwrap(),
                Enumeration::default().ground_state(&Uncached(&model)).unwrap(),
                solve(&model, 1.0).ground_state.unwrap(),
                solve(&model, 500.0).ground_state.unwrap(),
            ] {
                assert_abs_diff_eq!(ground.energy, lowest, epsilon = 1e-12);
                assert_eq!(ground.degeneracy, Some(count as f64), "n = {n}, kind {kind}");
                assert_abs_diff_eq!(model.energy(&ground.spins), ground.energy, epsilon = 0.0);
            }
        }
    }
}

/// The ±J squares of `reference/spin.json`: SplitMix64 outputs in bond order, free boundaries.
fn plus_minus_square(l: usize, seed: u64) -> Ising {
    let mut state = seed;
    let mut draw = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        if z ^ z >> 31 < 1 << 63 { -1.0 } else { 1.0 }
    };
    let mut builder = Ising::builder(l * l);
    for r in 0..l {
        for c in 0..l {
            if c + 1 < l {
                builder = builder.coupling(r * l + c, r * l + c + 1, draw());
            }
            if r + 1 < l {
                builder = builder.coupling(r * l + c, (r + 1) * l + c, draw());
            }
        }
    }
    builder.build().unwrap()
}

#[test]
#[allow(clippy::excessive_precision)] // reference values as computed, in 22 digits
fn reference_plus_minus_squares() {
    let cases = [
        (1, -16.0, 8.0, [13.74458244060031858200, 19.61003050437137509070, 34.32453016207157993990]),
        (2026, -22.0, 4.0, [14.35361957000797585986, 23.65100631650229816566, 45.40621667505076163757]),
    ];
    for (seed, energy, degeneracy, ln_z) in cases {
        let model = plus_minus_square(4, seed);
        assert_abs_diff_eq!(model.couplings().map(|c| c.2).sum::<f64>(), 2.0, epsilon = 0.0);
        let ground = Enumeration::default().ground_state(&model).unwrap();
        assert_abs_diff_eq!(ground.energy, energy, epsilon = 0.0);
        assert_eq!(ground.degeneracy, Some(degeneracy));
        for (beta, exact) in [0.5, 1.0, 2.0].into_iter().zip(ln_z) {
            let value = Enumeration::default().ln_z(&model, beta).unwrap().value;
            assert_relative_eq!(value, exact, max_relative = 1e-13 / 13.0);
            assert_relative_eq!(solve(&model, beta).ln_z.unwrap().value, exact, max_relative = 1e-14);
        }
        // -βE0 + ln g at low temperature, in the other regime; the next level is 4 above.
        let cold = Enumeration::default().ln_z(&model, 500.0).unwrap().value;
        assert_relative_eq!(cold, -500.0 * energy + degeneracy.ln(), max_relative = 1e-15);
    }
}

#[test]
fn plan_gives_the_numbers_of_fresh_models() {
    let mut rng = Streams::new(8).stream(0);
    for n in [1, 4, 12, 13] {
        let mut ising = random_ising(n, 0.6, true, &mut rng);
        let mut interactions = random_interactions(n, 3 * n, 4, &mut rng);
        let enumeration = Enumeration::default();
        let mut plans = [enumeration.prepare(&ising).unwrap(), enumeration.prepare(&interactions).unwrap()];
        for round in 0..12 {
            let beta = [0.0, 0.8, 90.0][round % 3];
            for (which, plan) in plans.iter_mut().enumerate() {
                let m = plan.n_interactions();
                if round % 4 == 1 {
                    // New weights, some of them 0: other symmetries than before.
                    let zero = if round == 5 { 0.9 } else { 0.3 };
                    let draw = |rng: &mut _| if RngExt::random::<f64>(rng) < zero { 0.0 } else { standard_normal(rng) };
                    let weights: Vec<f64> = (0..m).map(|_| draw(&mut rng)).collect();
                    plan.set_weights(&weights).unwrap();
                    for (a, &w) in weights.iter().enumerate() {
                        if which == 0 { ising.set_weight(a, w) } else { interactions.set_weight(a, w) }.unwrap();
                    }
                }
                let flips = BitVec::random(m, &mut rng);
                let turned = |model: &mut dyn Reweight| {
                    for a in flips.iter_ones() {
                        model.set_weight(a, -model.weight(a)).unwrap();
                    }
                };
                let exact = if which == 0 {
                    let mut model = ising.clone();
                    turned(&mut model);
                    naive_of(&model, beta).ln_z
                } else {
                    let mut model = interactions.clone();
                    turned(&mut model);
                    naive_of(&model, beta).ln_z
                };
                let value = plan.ln_z_signed(&flips, beta).unwrap().value;
                assert_relative_eq!(value, exact, max_relative = 1e-13, epsilon = 1e-13);
            }
        }
        assert!(matches!(plans[0].set_weights(&[]), Err(Error::WrongLength { .. })) || n == 0);
        let infinite = vec![f64::INFINITY; plans[1].n_interactions()];
        assert!(matches!(plans[1].set_weights(&infinite), Err(Error::NotFinite { entry: 0, .. })));
        let none = BitVec::zeros(plans[1].n_interactions());
        assert!(matches!(plans[1].ln_z_signed(&none, f64::NAN), Err(Error::Beta { .. })));
    }
}

#[test]
fn potts_by_mixed_radix_counting() {
    let mut rng = Streams::new(9).stream(0);
    for (n, q) in [(1, 1), (1, 5), (6, 3), (9, 3), (3, 17), (5, 2), (2, 100)] {
        let mut builder = Potts::builder(n, q);
        for i in 0..n {
            for state in 0..q {
                builder = builder.field(i, state, standard_normal(&mut rng));
            }
            for j in i + 1..n {
                builder = builder.coupling(i, j, standard_normal(&mut rng));
            }
        }
        let model = builder.build().unwrap();
        for beta in [0.0, 0.6, 300.0] {
            let states = q.pow(n as u32);
            let state = |k: usize| (0..n).map(|i| (k / q.pow(i as u32) % q) as u8).collect::<Vec<u8>>();
            let energies: Vec<f64> = (0..states).map(|k| DiscreteModel::energy(&model, &state(k))).collect();
            let lowest = energies.iter().copied().fold(f64::INFINITY, f64::min);
            let weights: Vec<f64> = energies.iter().map(|e| (-beta * (e - lowest)).exp()).collect();
            let z: f64 = weights.iter().sum();
            let sums = Enumeration::default().discrete(&model, beta, &mut ()).unwrap();
            let ln_z = z.ln() - beta * lowest;
            assert_relative_eq!(sums.ln_z.value, ln_z, max_relative = 1e-13, epsilon = 1e-14);
            assert_relative_eq!(
                Enumeration::default().ln_z(&model, beta).unwrap().value,
                ln_z,
                max_relative = 1e-13,
                epsilon = 1e-14
            );
            let mean: f64 = weights.iter().zip(&energies).map(|(w, e)| w * e).sum::<f64>() / z;
            assert_relative_eq!(sums.energy, mean, max_relative = 1e-12);
            let second: f64 = weights.iter().zip(&energies).map(|(w, e)| w * (e - mean).powi(2)).sum::<f64>() / z;
            assert_relative_eq!(sums.energy_variance, second, max_relative = 1e-9, epsilon = 1e-12);
            for i in 0..n {
                for a in 0..q {
                    let p: f64 = (0..states).filter(|&k| state(k)[i] == a as u8).map(|k| weights[k]).sum();
                    assert_abs_diff_eq!(sums.marginals[i][a], p / z, epsilon = 1e-12);
                }
            }
            assert_abs_diff_eq!(sums.lowest_energy, lowest, epsilon = 1e-12);
            assert_abs_diff_eq!(DiscreteModel::energy(&model, &sums.lowest), lowest, epsilon = 1e-12);
        }
    }
    let model = Potts::builder(30, 3).build().unwrap();
    assert!(matches!(
        Enumeration::default().discrete(&model, 1.0, &mut ()),
        Err(Error::TooLarge { solver: "enumerate", .. })
    ));
}

#[test]
fn density_of_states_of_integers_and_others() {
    let mut rng = Streams::new(10).stream(0);
    for n in [1, 2, 7, 12] {
        for kind in 0..3 {
            let terms = (0..2 * n).map(|a| {
                let sites: Vec<usize> = [a % n, (a * 7 + 1) % n, (a * a + 3) % n].into_iter().collect();
                let mut sites: Vec<usize> = if a % 2 == 0 { sites } else { sites[..2].to_vec() };
                sites.sort_unstable();
                sites.dedup();
                let integer = f64::from(rng.random_range(0..7u32)) - 3.0;
                let weight = match kind {
                    0 => integer,
                    1 => 0.3 * integer,
                    _ => standard_normal(&mut rng),
                };
                (sites, weight)
            });
            let terms: Vec<_> = terms.collect();
            let model = InteractionModel::builder(n)
                .terms(terms)
                .offset(0.25)
                .duplicates(spin_models::Duplicates::Sum)
                .build()
                .unwrap();
            let mut energies: Vec<f64> = (0..1u64 << n).map(|k| model.energy(&Spins::from_state(k, n))).collect();
            energies.sort_by(f64::total_cmp);
            let mut levels: Vec<(f64, u64)> = Vec::new();
            for e in energies {
                match levels.last_mut() {
                    Some((energy, count)) if e - *energy < 1e-11 => *count += 1,
                    _ => levels.push((e, 1)),
                }
            }
            for found in [
                Enumeration::default().density_of_states(&model, &mut ()).unwrap(),
                Enumeration::default().density_of_states(&GrayCode(&model), &mut ()).unwrap(),
            ] {
                assert_eq!(found.len(), levels.len());
                for (level, (energy, count)) in found.iter().zip(&levels) {
                    assert_abs_diff_eq!(level.energy, *energy, epsilon = 1e-12);
                    assert_eq!(level.count, *count);
                }
            }
        }
    }
}

#[test]
fn distribution_is_the_boltzmann_law() {
    let mut rng = Streams::new(11).stream(0);
    let model = random_ising(11, 0.7, true, &mut rng);
    for beta in [0.0, 0.5, 2000.0] {
        let law = Enumeration::default().distribution(&model, beta).unwrap();
        let exact = naive_of(&model, beta);
        assert_relative_eq!(law.ln_z(), exact.ln_z, max_relative = 1e-13);
        assert_abs_diff_eq!(law.probabilities().iter().sum::<f64>(), 1.0, epsilon = 1e-14);
        for (state, &p) in law.probabilities().iter().enumerate() {
            let direct = (-beta * model.energy(&law.configuration(state)) - exact.ln_z).exp();
            // The exponent of the direct value carries the rounding of βE.
            assert_relative_eq!(p, direct, max_relative = 1e-13 * (1.0 + beta * 40.0), epsilon = 1e-15);
        }
        assert_abs_diff_eq!(law.mean(|s| f64::from(s[4])), exact.spins[4], epsilon = 1e-13);
        let entropy = exact.ln_z + beta * exact.energy;
        assert_abs_diff_eq!(law.entropy(), entropy, epsilon = 1e-13 * (1.0 + beta * 40.0));
    }
    // Samples: chi square of the 2048 states merged by their first five spins, 31 degrees of freedom; 99.99 % at 70.
    let law = Enumeration::default().distribution(&model, 0.5).unwrap();
    let mut expected = [0.0; 32];
    law.probabilities().iter().enumerate().for_each(|(k, p)| expected[k % 32] += p);
    let mut counts = [0.0; 32];
    let samples = 100_000;
    for _ in 0..samples {
        let s = law.sample(&mut rng);
        counts[(0..5).map(|i| usize::from(s[i] < 0) << i).sum::<usize>()] += 1.0;
    }
    let chi: f64 = counts.iter().zip(&expected).map(|(c, p)| (c - p * 1e5).powi(2) / (p * 1e5)).sum();
    assert!(chi < 70.0, "chi square {chi}");
    let cold = Enumeration::default().distribution(&model, 2000.0).unwrap();
    let ground = Enumeration::default().ground_state(&model).unwrap();
    assert!((0..100).all(|_| *cold.sample(&mut rng) == *ground.spins));
}

#[test]
fn bad_questions_are_refused_before_any_work() {
    let model = Ising::builder(33).coupling(0, 32, 1.0).build().unwrap();
    let refused = Enumeration::default().ln_z(&model, 1.0).unwrap_err();
    assert_eq!(refused.to_string(), "enumerate: number of spins is 33, at most 32 is possible");
    assert!(matches!(Solve::check(&Enumeration::default(), &model, 1.0), Err(Error::TooLarge { bound: 32, .. })));
    assert!(matches!(Enumeration::default().prepare(&model), Err(Error::TooLarge { .. })));
    assert!(Solve::check(&Enumeration::default().with_max_spins(40), &model, 1.0).is_ok());
    assert!(matches!(
        Solve::check(&Enumeration::default().with_max_spins(41), &model, 1.0),
        Err(Error::Parameter { what: "max_spins", .. })
    ));
    let pair = Ising::builder(2).coupling(0, 1, 1.0).build().unwrap();
    for beta in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
        assert!(matches!(Enumeration::default().ln_z(&pair, beta), Err(Error::Beta { .. })));
        assert!(matches!(Solve::check(&Enumeration::default(), &pair, beta), Err(Error::Beta { .. })));
        assert!(matches!(Enumeration::default().distribution(&pair, beta), Err(Error::Beta { .. })));
    }
    let huge = Ising::builder(3).couplings([(0, 1, 1e308), (1, 2, 1e308), (0, 2, 1e308)]).build().unwrap();
    assert!(matches!(Enumeration::default().ln_z(&huge, 1.0), Err(Error::NotApplicable { .. })));
    assert!(matches!(Enumeration::default().ground_state(&huge), Err(Error::NotApplicable { .. })));
    let large = Ising::builder(2).coupling(0, 1, 1e200).build().unwrap();
    assert!(matches!(Enumeration::default().ln_z(&large, 1e200), Err(Error::NotApplicable { .. })));
    assert_relative_eq!(Enumeration::default().ln_z(&large, 1.0).unwrap().value, 1e200);
    let tiny = Ising::builder(2).coupling(0, 1, 5e-324).build().unwrap();
    assert_relative_eq!(Enumeration::default().ln_z(&tiny, 1e300).unwrap().value, 4f64.ln(), epsilon = 1e-15);
}

#[test]
fn observers_see_progress_and_can_stop() {
    let mut rng = Streams::new(12).stream(0);
    let model = random_ising(26, 1.0, true, &mut rng);
    let mut last = 0;
    let mut watch = |progress: &Progress| {
        assert!(progress.done >= last && progress.total == 1 << 26);
        last = progress.done;
        ControlFlow::Continue(())
    };
    Enumeration::default().ln_z_observed(&model, 0.3, &mut watch).unwrap();
    assert_eq!(last, 1 << 26);
    let mut reports = 0;
    let mut stop = |_: &Progress| {
        reports += 1;
        if reports < 2 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let error = Enumeration::default().ln_z_observed(&model, 0.3, &mut stop).unwrap_err();
    assert!(matches!(error, Error::Stopped { solver: "enumerate", done, total } if 0 < done && done < total));
    let small = random_ising(5, 1.0, true, &mut rng);
    let stopped = Enumeration::default().ln_z_observed(&small, 0.3, &mut |_: &Progress| ControlFlow::Break(()));
    assert!(matches!(stopped, Err(Error::Stopped { done: 0, .. })));
}

#[test]
fn quantities_are_those_asked_for() {
    let model = Ising::builder(4).couplings([(2, 3, 0.5), (0, 1, -1.0), (1, 2, 0.0)]).build().unwrap();
    let enumeration = Enumeration::default();
    let only = enumeration.solve(&model, 1.0, Quantities::ln_z(), &mut ()).unwrap();
    assert!(only.ln_z.is_some() && only.magnetizations.is_none() && only.correlations.is_none());
    let coupled = enumeration.solve(&model, 1.0, Quantities::all(), &mut ()).unwrap().correlations.unwrap();
    assert_eq!(coupled.pairs, [(2, 3), (0, 1), (1, 2)]);
    assert_abs_diff_eq!(coupled.values[0].value, 0.5f64.tanh(), epsilon = 1e-15);
    assert_abs_diff_eq!(coupled.values[1].value, (-1f64).tanh(), epsilon = 1e-15);
    assert_abs_diff_eq!(coupled.values[2].value, 0.0, epsilon = 0.0);
}

fn send_and_sync<T: Send + Sync>() {}

#[test]
fn solvers_can_be_shared() {
    send_and_sync::<Enumeration>();
    send_and_sync::<spin_models::exact::Distribution>();
    let list: Vec<Box<dyn Solve<Ising>>> = vec![Box::new(Enumeration::default())];
    assert_eq!(list[0].name(), "enumerate");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_small_model(n in 1usize..9, terms in prop::collection::vec((any::<u16>(), -3.0f64..3.0), 0..20),
                       beta in prop_oneof![Just(0.0), 0.0..4.0f64, 100.0..1000.0f64], offset in -5.0f64..5.0) {
        let mut builder = InteractionModel::builder(n).offset(offset).duplicates(spin_models::Duplicates::Sum);
        for (bits, weight) in terms {
            let sites: Vec<usize> = (0..n).filter(|i| bits >> i & 1 == 1).collect();
            // Multiples of 2^-20: the oracle's energies are exact, so that cold states can be compared too.
            builder = builder.term(&sites, (weight * 1048576.0).round() / 1048576.0);
        }
        let model = builder.build().unwrap();
        compare(&model, beta, 1e-12);
        let mut s = vec![1; n];
        let mut energies = vec![0.0; 1 << n];
        GrayCode(&model).block_energies(&mut s, &mut energies);
        prop_assert_eq!(CachedModel::cache(&model, &s), CachedModel::cache(&model, &s.clone()));
    }

    #[test]
    fn gauge_transforms_keep_ln_z(seed in any::<u64>(), n in 2usize..15, beta in 0.0f64..3.0) {
        let mut rng = Streams::new(seed).stream(0);
        let model = random_ising(n, 0.5, true, &mut rng);
        let turned = model.gauge_transform(&Spins::random(n, &mut rng));
        let [a, b] = [&model, &turned].map(|m| Enumeration::default().ln_z(m, beta).unwrap().value);
        prop_assert!((a - b).abs() <= 1e-13 * (1.0 + a.abs()));
    }
}

#[test]
fn discrete_energies_beyond_the_range_are_refused() {
    for sign in [-1.0, 1.0] {
        let couplings = [(0, 1, sign * 1e308), (1, 2, sign * 1e308)];
        let model = couplings.iter().fold(spin_models::Potts::builder(3, 2), |b, &(i, j, k)| b.coupling(i, j, k));
        let found = Enumeration::default().discrete(&model.build().unwrap(), 0.0, &mut ());
        assert!(matches!(found, Err(Error::NotApplicable { .. })), "{found:?}");
    }
}
