//! Detailed balance and stationarity of the single-spin kernels.
//!
//! The exact transition matrices of models of up to six spins are built from the flip probabilities; the kernels
//! themselves are then compared with those matrices by counting transitions.

use linalg_core::Streams;
use linalg_core::rand::RngExt;
use linalg_core::rng::ChaCha8Rng;
use spin_models::mcmc::{
    ColoredChain, Coloring, Dynamics, HeatBath, Metropolis, Order, heat_bath_acceptance, metropolis_acceptance,
};
use spin_models::{
    CachedModel, DiscreteModel, EnergyModel, InteractionModel, Ising, MarkovKernel, PairwiseModel, Potts, Simulation,
    Spins,
};

type Matrix = Vec<Vec<f64>>;

/// Flip probability as a function of `βΔE`.
type Rate = fn(f64) -> f64;

const RATES: [(&str, Rate); 2] = [("metropolis", metropolis_acceptance), ("heat bath", heat_bath_acceptance)];

fn spins(state: usize, n: usize) -> Spins {
    Spins::from_state(state as u64, n)
}

fn state_of(s: &[i8]) -> usize {
    s.iter().enumerate().map(|(i, &s)| usize::from(s < 0) << i).sum()
}

/// Random couplings and fields, some couplings equal and some zero so that ties occur.
fn random_model(n: usize, rng: &mut ChaCha8Rng) -> Ising {
    let mut builder = Ising::builder(n).offset(rng.random_range(-1.0..1.0));
    for i in 0..n {
        for j in i + 1..n {
            let coupling = match rng.random_range(0..4) {
                0 => 1.0,
                1 => -1.0,
                2 => 0.0,
                _ => rng.random_range(-1.5..1.5),
            };
            builder = builder.coupling(i, j, coupling);
        }
        if rng.random_bool(0.6) {
            builder = builder.field(i, rng.random_range(-1.0..1.0));
        }
    }
    builder.build().unwrap()
}

fn plaquettes() -> InteractionModel {
    InteractionModel::builder(5)
        .term(&[0, 1, 2], 1.0)
        .term(&[1, 2, 3, 4], -0.5)
        .term(&[0, 4], 0.75)
        .term(&[3], 0.25)
        .term(&[], 2.0)
        .build()
        .unwrap()
}

fn gibbs<M: EnergyModel>(model: &M, beta: f64) -> Vec<f64> {
    let n = model.n_spins();
    let energies: Vec<f64> = (0..1 << n).map(|state| model.energy(&spins(state, n))).collect();
    let lowest = energies.iter().copied().fold(f64::INFINITY, f64::min);
    let weights: Vec<f64> = energies.iter().map(|energy| (-beta * (energy - lowest)).exp()).collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / total).collect()
}

/// The update of one site.
fn update<M: EnergyModel>(model: &M, beta: f64, i: usize, rate: Rate) -> Matrix {
    let n = model.n_spins();
    let row = |state: usize| {
        let mut row = vec![0.0; 1 << n];
        let flip = rate(beta * model.delta_energy(&spins(state, n), i));
        row[state ^ (1 << i)] = flip;
        row[state] = 1.0 - flip;
        row
    };
    (0..1 << n).map(row).collect()
}

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    a.iter()
        .map(|row| (0..b.len()).map(|t| row.iter().zip(b).map(|(x, column)| x * column[t]).sum()).collect())
        .collect()
}

fn fixed_order<M: EnergyModel>(model: &M, beta: f64, rate: Rate, order: &[usize]) -> Matrix {
    let updates = order.iter().map(|&i| update(model, beta, i, rate));
    updates.reduce(|before, next| product(&before, &next)).unwrap()
}

fn random_site<M: EnergyModel>(model: &M, beta: f64, rate: Rate) -> Matrix {
    let n = model.n_spins();
    let mut mean = vec![vec![0.0; 1 << n]; 1 << n];
    for i in 0..n {
        for (row, update) in mean.iter_mut().zip(update(model, beta, i, rate)) {
            row.iter_mut().zip(update).for_each(|(sum, x)| *sum += x / n as f64);
        }
    }
    mean
}

fn check_exactly<M: EnergyModel>(model: &M, beta: f64) {
    let n = model.n_spins();
    let pi = gibbs(model, beta);
    for (name, rate) in RATES {
        let single = random_site(model, beta, rate);
        for s in 0..1 << n {
            for t in 0..1 << n {
                let (there, back) = (pi[s] * single[s][t], pi[t] * single[t][s]);
                assert!((there - back).abs() <= 1e-13 * there.max(back), "{name}: {s} -> {t}: {there} against {back}");
            }
        }
        let sequential: Vec<usize> = (0..n).collect();
        let backward: Vec<usize> = (0..n).rev().collect();
        for order in [sequential, backward] {
            let sweep = fixed_order(model, beta, rate, &order);
            for t in 0..1 << n {
                let after: f64 = (0..1 << n).map(|s| pi[s] * sweep[s][t]).sum();
                assert!((after - pi[t]).abs() <= 1e-13, "{name}: state {t}: {after} for {}", pi[t]);
            }
            // The sweep does forget: no state keeps its weight for certain.
            assert!((0..1 << n).all(|s| sweep[s][s] < 1.0) || beta > 5.0);
        }
    }
}

#[test]
fn single_updates_are_reversible_and_sweeps_stationary() {
    // Random models of 1 to 6 spins, seed 11.
    let mut rng = Streams::new(11).stream(0);
    for n in 1..=6 {
        for beta in [0.0, 0.3, 1.0, 4.0] {
            check_exactly(&random_model(n, &mut rng), beta);
        }
    }
    for beta in [0.0, 0.5, 2.0] {
        check_exactly(&plaquettes(), beta);
    }
}

#[test]
fn the_order_within_a_class_does_not_matter() {
    let ring = Ising::builder(6).couplings((0..6).map(|i| (i, (i + 1) % 6, 0.3 + 0.1 * i as f64))).build().unwrap();
    let checkerboard = Coloring::checkerboard(&ring).unwrap();
    let forward: Vec<usize> = checkerboard.classes().flatten().map(|&i| i as usize).collect();
    let turned: Vec<usize> = checkerboard.classes().flat_map(|class| class.iter().rev()).map(|&i| i as usize).collect();
    assert_ne!(forward, turned);
    for (_, rate) in RATES {
        let (a, b) = (fixed_order(&ring, 0.7, rate, &forward), fixed_order(&ring, 0.7, rate, &turned));
        for (x, y) in a.iter().flatten().zip(b.iter().flatten()) {
            assert!((x - y).abs() < 1e-14);
        }
    }
}

/// Standard deviations by which the chi-square of transition counts misses its mean, over rows with enough counts.
///
/// Cells that expect fewer than five are joined.
fn chi_square(counts: &[Vec<u64>], matrix: &Matrix) -> f64 {
    let (mut chi2, mut degrees) = (0.0, 0.0);
    for (row, probabilities) in counts.iter().zip(matrix) {
        let total = row.iter().sum::<u64>() as f64;
        let (mut rare_count, mut rare_expected, mut cells) = (0.0, 0.0, 0.0);
        let mut add = |count: f64, expected: f64| {
            chi2 += (count - expected).powi(2) / expected;
            cells += 1.0;
        };
        for (&count, &probability) in row.iter().zip(probabilities) {
            let expected = total * probability;
            if probability < 1e-12 {
                assert_eq!(count, 0, "an impossible transition");
            } else if expected < 5.0 {
                rare_count += count as f64;
                rare_expected += expected;
            } else {
                add(count as f64, expected);
            }
        }
        if rare_expected >= 5.0 {
            add(rare_count, rare_expected);
        }
        degrees += f64::max(cells - 1.0, 0.0);
    }
    assert!(degrees >= 8.0, "the test has no power: {degrees} degrees of freedom");
    (chi2 - degrees) / (2.0 * degrees).sqrt()
}

/// Transition counts of one sweep from every state, `repeats` times each.
fn counted<M: CachedModel>(
    model: &M,
    kernel: &mut impl MarkovKernel<M>,
    beta: f64,
    repeats: u64,
    rng: &mut ChaCha8Rng,
) -> Vec<Vec<u64>> {
    let n = model.n_spins();
    let row = |state: usize| {
        let mut row = vec![0; 1 << n];
        let cache = model.cache(&spins(state, n));
        for _ in 0..repeats {
            let (mut s, mut cache) = (spins(state, n), cache.clone());
            kernel.sweep(model, beta, &mut s, &mut cache, rng);
            row[state_of(&s)] += 1;
        }
        row
    };
    (0..1 << n).map(row).collect()
}

/// The matrix of a sweep in this order.
fn matrix<M: EnergyModel>(model: &M, beta: f64, rate: Rate, order: &Order) -> Matrix {
    let n = model.n_spins();
    match order {
        Order::Sequential => fixed_order(model, beta, rate, &(0..n).collect::<Vec<_>>()),
        Order::Random => {
            let single = random_site(model, beta, rate);
            (1..n).fold(single.clone(), |sweep, _| product(&sweep, &single))
        }
        Order::Colored(coloring) => {
            let sites: Vec<usize> = coloring.classes().flatten().map(|&i| i as usize).collect();
            fixed_order(model, beta, rate, &sites)
        }
    }
}

fn check_counts<M: CachedModel>(model: &M, beta: f64, orders: &[Order], rng: &mut ChaCha8Rng) {
    for order in orders {
        for (name, rate) in RATES {
            let counts = if name == "metropolis" {
                counted(model, &mut Metropolis::new(order.clone()), beta, 20_000, rng)
            } else {
                counted(model, &mut HeatBath::new(order.clone()), beta, 20_000, rng)
            };
            let z = chi_square(&counts, &matrix(model, beta, rate, order));
            // Chi-square has a longer upper tail than a Gaussian: 5 for at least 8 degrees of freedom.
            assert!(z < 5.0, "{name} in {order:?} order at beta {beta}: chi-square is {z} deviations off");
        }
    }
}

fn orders<M: PairwiseModel>(model: &M) -> [Order; 3] {
    [Order::Sequential, Order::Random, Order::Colored(Coloring::greedy(model))]
}

#[test]
fn kernels_move_with_the_exact_frequencies() {
    // 20000 sweeps from each of the 16 states, 3 orders, 2 kernels, 4 models and temperatures; seed 12.
    let mut rng = Streams::new(12).stream(0);
    for beta in [0.0, 0.4, 1.0, 2.5] {
        let model = random_model(4, &mut rng);
        check_counts(&model, beta, &orders(&model), &mut rng);
    }
    // Ties at every other visit.
    let ring = Ising::builder(4).couplings([(0, 1, 1.0), (1, 2, 1.0), (2, 3, 1.0), (0, 3, -1.0)]).build().unwrap();
    check_counts(&ring, 0.6, &orders(&ring), &mut rng);
    check_counts(&plaquettes(), 0.6, &[Order::Sequential, Order::Random], &mut rng);
}

#[test]
fn coloured_chains_move_with_the_exact_frequencies() {
    // 20000 sweeps from each of the 16 states, 2 dynamics, 4 models and temperatures; seed 14.
    let mut rng = Streams::new(14).stream(0);
    for (unit, beta) in [0.0, 0.4, 1.0, 2.5].into_iter().enumerate() {
        let model = random_model(4, &mut rng);
        let coloring = Coloring::greedy(&model);
        for ((name, rate), dynamics) in RATES.into_iter().zip([Dynamics::Metropolis, Dynamics::HeatBath]) {
            let chain = ColoredChain::new(&model, &coloring, dynamics, beta, Streams::new(14), unit as u64);
            let mut chain = chain.unwrap();
            let mut counts = vec![vec![0; 16]; 16];
            for (state, row) in counts.iter_mut().enumerate() {
                for _ in 0..20_000 {
                    chain.set_spins(&spins(state, 4));
                    chain.advance(1, &mut ());
                    row[state_of(&chain.spins())] += 1;
                }
            }
            let z = chi_square(&counts, &matrix(&model, beta, rate, &Order::Colored(coloring.clone())));
            assert!(z < 5.0, "{name} at beta {beta}: chi-square is {z} deviations off");
        }
    }
}

#[test]
fn a_wrong_kernel_would_be_noticed() {
    // The counts of Metropolis against the matrix of the heat bath, and against a temperature 2 % off.
    let mut rng = Streams::new(13).stream(0);
    let model = random_model(4, &mut rng);
    let counts = counted(&model, &mut Metropolis::default(), 0.5, 20_000, &mut rng);
    assert!(chi_square(&counts, &matrix(&model, 0.5, metropolis_acceptance, &Order::Sequential)) < 5.0);
    assert!(chi_square(&counts, &matrix(&model, 0.51, metropolis_acceptance, &Order::Sequential)) > 5.0);
    let heat_bath = matrix(&model, 0.5, heat_bath_acceptance, &Order::Sequential);
    assert!(chi_square(&counts, &heat_bath) > 100.0);
}

#[test]
fn potts_kernels_move_with_the_exact_frequencies() {
    // Three sites of three states: 2·10⁵ transitions of a chain, seed 15.
    let model =
        Potts::builder(3, 3).couplings([(0, 1, 1.0), (1, 2, -0.7)]).field(0, 2, 0.5).field(2, 0, -0.3).build().unwrap();
    let beta = 0.9;
    let states = |code: usize| [code % 3, code / 3 % 3, code / 9].map(|state| state as u8);
    let code = |s: &[u8]| s.iter().rev().fold(0, |code, &state| 3 * code + usize::from(state));
    let energies: Vec<f64> = (0..27).map(|c| model.energy(&states(c))).collect();
    let update = |i: usize, heat_bath: bool| -> Matrix {
        let row = |c: usize| {
            let mut row = vec![0.0; 27];
            let neighbors = (0..3).map(|new| {
                let mut s = states(c);
                s[i] = new;
                code(&s)
            });
            if heat_bath {
                let weights: Vec<(usize, f64)> = neighbors.map(|t| (t, (-beta * energies[t]).exp())).collect();
                let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
                weights.into_iter().for_each(|(t, weight)| row[t] = weight / total);
            } else {
                for t in neighbors.filter(|&t| t != c) {
                    row[t] = 0.5 * metropolis_acceptance(beta * (energies[t] - energies[c]));
                }
                row[c] = 1.0 - row.iter().sum::<f64>();
            }
            row
        };
        (0..27).map(row).collect()
    };
    let coloring = Coloring::from_edges(3, [(0, 1), (1, 2)], &[0, 1, 0]).unwrap();
    for (order, sites) in [(Order::Sequential, [0, 1, 2]), (Order::Colored(coloring), [0, 2, 1])] {
        for heat_bath in [false, true] {
            let exact = sites.map(|i| update(i, heat_bath)).into_iter().reduce(|a, b| product(&a, &b)).unwrap();
            let mut rng = Streams::new(15).stream(u64::from(heat_bath));
            let (mut metropolis, mut bath) = (Metropolis::new(order.clone()), HeatBath::new(order.clone()));
            let mut counts = vec![vec![0; 27]; 27];
            let mut s = [0u8, 1, 2];
            for _ in 0..200_000 {
                let before = code(&s);
                if heat_bath {
                    bath.sweep_discrete(&model, beta, &mut s, &mut rng);
                } else {
                    metropolis.sweep_discrete(&model, beta, &mut s, &mut rng);
                }
                counts[before][code(&s)] += 1;
            }
            let z = chi_square(&counts, &exact);
            assert!(z < 5.0, "heat bath {heat_bath} in {order:?} order: chi-square is {z} deviations off");
        }
    }
}

#[test]
fn larger_fields_give_larger_spins() {
    // The heat bath of a ferromagnet keeps the order of two chains that share their random numbers.
    let model = Ising::builder(6)
        .couplings((0..6).map(|i| (i, (i + 1) % 6, 0.8)))
        .fields((0..6).map(|i| 0.2 * f64::from(i) - 0.5))
        .build()
        .unwrap();
    let mut kernel = HeatBath::default();
    let (mut low, mut high) = (Spins::from_signs(&[-1; 6]).unwrap(), Spins::up(6));
    let (mut low_cache, mut high_cache) = (model.cache(&low), model.cache(&high));
    let mut met = 0;
    for sweep in 0..1000 {
        let rng = || Streams::new(16).stream(sweep);
        kernel.sweep(&model, 0.7, &mut low, &mut low_cache, &mut rng());
        kernel.sweep(&model, 0.7, &mut high, &mut high_cache, &mut rng());
        assert!(low.iter().zip(high.iter()).all(|(low, high)| low <= high));
        met += u32::from(low == high);
    }
    assert!(met > 900);
}
