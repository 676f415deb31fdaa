//! Replicas with real couplings side by side: against enumeration, exact transition probabilities and each other.

use linalg_core::Streams;
use linalg_core::checkpoint::Checkpoint;
use linalg_core::rand::RngExt;
use spin_models::mcmc::multispin::InstructionSet;
use spin_models::mcmc::vector::{VectorLadders, VectorReplicas};
use spin_models::mcmc::{
    Coloring, Dynamics, Observables, Overlaps, ReplicaPairs, heat_bath_acceptance, metropolis_acceptance,
};
use spin_models::{Boundary, Disorder, EnergyModel, Error, Ising, Lattice, Simulation, Spins};

const DYNAMICS: [Dynamics; 2] = [Dynamics::Metropolis, Dynamics::HeatBath];

fn available() -> impl Iterator<Item = InstructionSet> {
    InstructionSet::ALL.into_iter().filter(|set| set.is_available())
}

fn gaussian(lattice: &Lattice, seed: u64) -> Ising {
    Ising::edwards_anderson(lattice, Disorder::gaussian(), &mut Streams::new(seed).stream(0)).unwrap()
}

/// Real couplings and fields on a random graph, some of them equal and some zero so that ties occur, with a constant;
/// the last spin is free.
fn mixed(n: usize, seed: u64) -> Ising {
    let mut rng = Streams::new(seed).stream(1);
    let mut builder = Ising::builder(n).offset(0.375);
    for j in 1..n - 1 {
        for i in 0..j {
            let coupling = match rng.random_range(0..5) {
                0 => 1.0,
                1 => -1.0,
                2 => 0.0,
                _ => rng.random_range(-1.5..1.5),
            };
            builder = builder.coupling(i, j, coupling);
        }
        if rng.random_bool(0.4) {
            builder = builder.field(j, rng.random_range(-1.0..1.0));
        }
    }
    builder.build().unwrap()
}

fn gibbs(model: &Ising, beta: f64) -> Vec<f64> {
    let n = model.n_spins();
    let energies: Vec<f64> = (0..1 << n).map(|state| model.energy(&Spins::from_state(state, n))).collect();
    let least = energies.iter().copied().fold(f64::INFINITY, f64::min);
    let weights: Vec<f64> = energies.iter().map(|e| (-beta * (e - least)).exp()).collect();
    let z: f64 = weights.iter().sum();
    weights.into_iter().map(|w| w / z).collect()
}

fn mean_energy(model: &Ising, beta: f64) -> f64 {
    let n = model.n_spins();
    gibbs(model, beta).iter().enumerate().map(|(state, p)| p * model.energy(&Spins::from_state(state as u64, n))).sum()
}

fn state_of(s: &[i8]) -> usize {
    s.iter().enumerate().map(|(i, &s)| usize::from(s < 0) << i).sum()
}

/// Probabilities of the states after one sweep in the order of the greedy colouring.
fn after_sweep(model: &Ising, dynamics: Dynamics, beta: f64, start: usize) -> Vec<f64> {
    let n = model.n_spins();
    let mut p = vec![0.0; 1 << n];
    p[start] = 1.0;
    for &site in Coloring::greedy(model).classes().flatten() {
        let mut next = vec![0.0; 1 << n];
        for (state, p) in p.iter().enumerate() {
            let x = beta * model.delta_energy(&Spins::from_state(state as u64, n), site as usize);
            // A spin without energy is a tie for Metropolis, too.
            let flip = match dynamics {
                Dynamics::Metropolis => metropolis_acceptance(x),
                Dynamics::HeatBath => heat_bath_acceptance(x),
            };
            next[state ^ 1 << site] += p * flip;
            next[state] += p * (1.0 - flip);
        }
        p = next;
    }
    p
}

/// Pearson's statistic in standard deviations of its law, cells of few expected counts merged.
fn chi_squared(counts: &[u64], p: &[f64]) -> f64 {
    let total: u64 = counts.iter().sum();
    let (mut cells, mut sum, mut rest) = (0.0, 0.0, (0.0, 0.0));
    for (&count, &p) in counts.iter().zip(p) {
        let expected = p * total as f64;
        if expected < 10.0 {
            rest = (rest.0 + count as f64, rest.1 + expected);
            continue;
        }
        cells += 1.0;
        sum += (count as f64 - expected).powi(2) / expected;
    }
    if rest.1 > 1.0 {
        cells += 1.0;
        sum += (rest.0 - rest.1).powi(2) / rest.1;
    } else {
        assert!(rest.0 <= 12.0, "{} events where {} were expected", rest.0, rest.1);
    }
    let freedom = f64::max(cells - 1.0, 1.0);
    (sum - freedom) / (2.0 * freedom).sqrt()
}

#[test]
fn transitions_have_their_probabilities() {
    // 32768 replicas; the statistic of 120 tables stays below 4.5 standard deviations of its skew law.
    const REPLICAS: usize = 1 << 15;
    let couplings = [(0, 1, 0.1), (1, 2, -0.1), (2, 3, 0.3), (0, 3, 0.1), (0, 2, 0.1)];
    let in_tenths = Ising::builder(5).couplings(couplings).build().unwrap();
    let integers = Ising::builder(5).couplings(couplings.map(|(i, j, c)| (i, j, (10.0 * c).round()))).build().unwrap();
    for (k, model) in [mixed(5, 1), mixed(5, 2), mixed(5, 3), in_tenths, integers].into_iter().enumerate() {
        let seed = k as u64;
        for dynamics in DYNAMICS {
            for beta in [0.0, 0.4, 1.3] {
                let mut replicas =
                    VectorReplicas::new(&model, REPLICAS, dynamics, beta, Streams::new(seed), k as u64).unwrap();
                for start in [0, 11, 21, 30] {
                    let spins = Spins::from_state(start as u64, 5);
                    (0..REPLICAS).for_each(|replica| replicas.set_spins(replica, &spins));
                    let stats = replicas.advance(1, &mut ());
                    let mut counts = vec![0; 32];
                    let mut flips = 0;
                    for replica in 0..REPLICAS {
                        let state = state_of(&replicas.spins(replica));
                        counts[state] += 1;
                        flips += u64::from((state ^ start).count_ones());
                    }
                    assert_eq!((stats.attempted, stats.accepted), (5 * REPLICAS as u64, flips));
                    let z = chi_squared(&counts, &after_sweep(&model, dynamics, beta, start));
                    assert!(z < 4.5, "{dynamics:?}, beta {beta}, from {start}: {z}");
                }
            }
        }
    }
}

#[test]
fn lanes_of_a_ladder_have_their_own_temperatures() {
    const LADDERS: usize = 8192;
    let model = mixed(5, 4);
    let betas = [0.0, 0.3, 0.9, 1.7, 4.0];
    for dynamics in DYNAMICS {
        let ladders = VectorLadders::new(&model, &betas, LADDERS, dynamics, Streams::new(3), 0).unwrap();
        let mut ladders = ladders.with_swap_interval(u64::MAX).unwrap();
        let start = 6;
        let spins = Spins::from_state(start as u64, 5);
        (0..ladders.n_lanes()).for_each(|lane| ladders.set_spins(lane, &spins));
        ladders.advance(1, &mut ());
        for (t, &beta) in betas.iter().enumerate() {
            let mut counts = vec![0; 32];
            (0..LADDERS).for_each(|l| counts[state_of(&ladders.spins(t * LADDERS + l))] += 1);
            let z = chi_squared(&counts, &after_sweep(&model, dynamics, beta, start));
            assert!(z < 4.5, "{dynamics:?}, beta {beta}: {z}");
        }
    }
}

#[test]
fn energies_agree_with_enumeration_on_every_instruction_set() {
    let models = [
        gaussian(&Lattice::cubic(2, Boundary::Periodic).unwrap(), 1),
        // Ties that are known in 32 bits.
        Ising::rectangle([3, 4], [Boundary::Periodic; 2], 0.1).unwrap(),
        gaussian(&Lattice::triangular([3, 4], [Boundary::Periodic, Boundary::Free]).unwrap(), 2),
        mixed(9, 5),
    ];
    let betas = [0.0, 0.2, 0.6, 1.1, 2.5];
    for (k, model) in models.iter().enumerate() {
        for dynamics in DYNAMICS {
            for set in available() {
                let ladders = VectorLadders::new(model, &betas, 16, dynamics, Streams::new(7), k as u64).unwrap();
                let mut ladders = ladders.with_instructions(set).unwrap();
                let mut averages = Observables::new(model.n_spins(), ladders.n_lanes());
                ladders.advance(200, &mut ());
                ladders.run(2000, 1, &mut averages, &mut ());
                for (t, &beta) in betas.iter().enumerate() {
                    // 120 comparisons.
                    let energy = averages.lanes(16 * t..16 * (t + 1)).energy();
                    let z = (energy.value - mean_energy(model, beta)) / energy.std_error.unwrap();
                    assert!(z.abs() < 4.2, "model {k}, {dynamics:?}, beta {beta}, {set:?}: {z}");
                }
            }
        }
    }
}

#[test]
fn overlaps_agree_with_enumeration() {
    let (model, betas) = (mixed(7, 6), [0.3, 0.8, 1.5]);
    let n = model.n_spins();
    let mut ladders = VectorLadders::new(&model, &betas, 32, Dynamics::HeatBath, Streams::new(7), 0).unwrap();
    let (mut averages, mut overlaps) = (Observables::new(n, 96), Overlaps::new(n, 3));
    ladders.advance(200, &mut ());
    ladders.run_pairs(2000, 2, &mut averages, &mut overlaps, &mut ());
    for (t, &beta) in betas.iter().enumerate() {
        // ⟨q²⟩ = Σ_ij ⟨s_i s_j⟩² / N².
        let p = gibbs(&model, beta);
        let sign = |state: usize, i: usize| if state >> i & 1 == 1 { -1.0 } else { 1.0 };
        let pair = |i, j| p.iter().enumerate().map(|(state, p)| p * sign(state, i) * sign(state, j)).sum::<f64>();
        let exact = (0..n).flat_map(|i| (0..n).map(move |j| (i, j))).map(|(i, j)| pair(i, j).powi(2)).sum::<f64>();
        let q2 = overlaps.lane(t).q2();
        let z = (q2.value - exact / (n * n) as f64) / q2.std_error.unwrap();
        assert!(z.abs() < 4.0, "beta {beta}: {z}");
    }
    let mut replicas = VectorReplicas::new(&model, 33, Dynamics::HeatBath, 0.8, Streams::new(8), 0).unwrap();
    let (mut averages, mut overlaps) = (Observables::new(n, 33), Overlaps::new(n, 1));
    replicas.run_pairs(10, 2, &mut averages, &mut overlaps, &mut ());
    assert_eq!(overlaps.lane(0).count(), 160);
}

/// State, statistics and measurements after some sweeps do not depend on instructions and threads.
fn assert_same<T: Simulation>(new: impl Fn(InstructionSet, usize) -> T) {
    let mut results = Vec::new();
    for (set, threads) in available().flat_map(|set| [1, 2, 3].map(|threads| (set, threads))) {
        let mut simulation = new(set, threads);
        let mut averages = Observables::new(simulation.n_spins(), simulation.n_lanes());
        let stats = [simulation.advance(0, &mut ()), simulation.advance(37, &mut ())];
        simulation.run(2, 3, &mut averages, &mut ());
        assert_eq!(simulation.sweeps(), 43);
        results.push((set, simulation.checkpoint(), stats, averages));
    }
    for pair in results.windows(2) {
        assert!(pair[0].1 == pair[1].1, "{:?} and {:?} differ", pair[0].0, pair[1].0);
        assert_eq!((&pair[0].2, &pair[0].3), (&pair[1].2, &pair[1].3));
    }
}

#[test]
fn instruction_sets_and_threads_give_the_same_spins() {
    let models = [
        gaussian(&Lattice::cubic(4, Boundary::Periodic).unwrap(), 1),
        mixed(14, 2),
        // Nothing but ties and small sums: many decisions in 64 bits.
        Ising::square(6, Boundary::Periodic, 1.0).unwrap(),
        gaussian(&Lattice::honeycomb([3, 4], [Boundary::Periodic; 2]).unwrap(), 3),
    ];
    let betas = [0.0, 0.1, 0.4, 0.9, 1.5, 40.0];
    for model in &models {
        for dynamics in DYNAMICS {
            for n in [1, 16, 17, 100] {
                assert_same(|set, threads| {
                    let replicas = VectorReplicas::new(model, n, dynamics, 0.7, Streams::new(5), 0).unwrap();
                    replicas.with_instructions(set).unwrap().with_threads(threads)
                });
            }
            for ladders in [1, 8, 21] {
                assert_same(|set, threads| {
                    let ladders = VectorLadders::new(model, &betas, ladders, dynamics, Streams::new(6), 0).unwrap();
                    ladders.with_instructions(set).unwrap().with_threads(threads)
                });
            }
        }
    }
}

#[test]
fn threads_give_the_same_spins() {
    let model = gaussian(&Lattice::cubic(4, Boundary::Periodic).unwrap(), 1);
    let (metropolis, streams) = (Dynamics::Metropolis, Streams::new(4));
    for threads in [0, 1, 2, 5] {
        // Enough updates for several threads.
        let same = |one: &mut dyn Simulation, many: &mut dyn Simulation| {
            let sweeps = (1 << 20) / (one.n_spins() * one.n_lanes()) as u64 + 1;
            assert_eq!(one.advance(sweeps, &mut ()), many.advance(sweeps, &mut ()));
            assert!(one.checkpoint() == many.checkpoint(), "{threads} threads");
        };
        let replicas = || VectorReplicas::new(&model, 90, metropolis, 0.7, streams, 0).unwrap();
        same(&mut replicas(), &mut replicas().with_threads(threads));
        let ladders = || VectorLadders::new(&model, &[0.2, 0.4, 0.6, 0.9], 33, metropolis, streams, 0).unwrap();
        same(&mut ladders(), &mut ladders().with_threads(threads));
    }
}

#[test]
fn totals_are_those_of_the_spins() {
    for model in [mixed(13, 3), gaussian(&Lattice::cubic(3, Boundary::Free).unwrap(), 2)] {
        let mut ladders =
            VectorLadders::new(&model, &[0.2, 0.5, 1.1], 21, Dynamics::Metropolis, Streams::new(1), 0).unwrap();
        ladders.advance(20, &mut ());
        assert!(ladders.swap_acceptances().iter().all(|&a| a > 0.0 && a < 1.0));
        for (lane, (energy, m)) in ladders.energies().into_iter().zip(ladders.magnetizations()).enumerate() {
            let s = ladders.spins(lane);
            approx::assert_relative_eq!(energy, model.energy(&s), epsilon = 1e-10);
            assert_eq!(m, s.iter().map(|&s| i64::from(s)).sum::<i64>());
        }
    }
}

#[test]
fn runs_go_on_from_a_checkpoint() {
    let model = gaussian(&Lattice::cubic(3, Boundary::Periodic).unwrap(), 5);
    let other = gaussian(&Lattice::cubic(3, Boundary::Periodic).unwrap(), 6);
    for dynamics in DYNAMICS {
        let replicas = |model| VectorReplicas::new(model, 20, dynamics, 0.7, Streams::new(1), 0).unwrap();
        check_resume(replicas(&model), replicas(&model), replicas(&other));
        let betas = [0.3, 0.7, 1.0];
        let ladders = |model| VectorLadders::new(model, &betas, 20, dynamics, Streams::new(1), 0).unwrap();
        check_resume(ladders(&model), ladders(&model), ladders(&other));
    }
    let mut ladders = VectorLadders::new(&model, &[0.1, 0.2], 2, Dynamics::HeatBath, Streams::new(1), 0).unwrap();
    let fewer = VectorLadders::new(&model, &[0.1, 0.2], 1, Dynamics::HeatBath, Streams::new(1), 0).unwrap();
    let warmer = VectorLadders::new(&model, &[0.1, 0.15], 2, Dynamics::HeatBath, Streams::new(1), 0).unwrap();
    let metropolis = VectorLadders::new(&model, &[0.1, 0.2], 2, Dynamics::Metropolis, Streams::new(1), 0).unwrap();
    for checkpoint in [fewer.checkpoint(), warmer.checkpoint(), metropolis.checkpoint()] {
        let before = ladders.checkpoint();
        assert!(ladders.restore(&checkpoint).is_err());
        assert!(ladders.checkpoint() == before);
    }
}

fn check_resume<T: Simulation>(mut first: T, mut second: T, mut other: T) {
    first.advance(11, &mut ());
    let saved = Checkpoint::from_bytes(&first.checkpoint().to_bytes()).unwrap();
    first.advance(9, &mut ());
    second.restore(&saved).unwrap();
    second.advance(9, &mut ());
    assert_eq!(second.sweeps(), 20);
    assert!(first.checkpoint() == second.checkpoint());
    assert!(other.restore(&saved).is_err());
}

#[test]
fn extreme_numbers_do_no_harm() {
    let ring = |j: f64| Ising::builder(3).couplings([(0, 1, j), (1, 2, j), (0, 2, j)]).build().unwrap();
    // Products of β and J over the whole range: the law depends on βJ only.
    for (j, beta) in [(1e-300, 5e299), (1e300, 5e-301), (1e-30, 5e29), (1e38, 5e-39), (f64::MIN_POSITIVE, 1e300)] {
        let model = ring(j);
        for dynamics in DYNAMICS {
            for set in available() {
                let replicas = VectorReplicas::new(&model, 512, dynamics, beta, Streams::new(2), 0).unwrap();
                let mut replicas = replicas.with_instructions(set).unwrap();
                replicas.advance(100, &mut ());
                let mut aligned = 0;
                for _ in 0..100 {
                    replicas.advance(10, &mut ());
                    aligned += (0..512).filter(|&r| replicas.magnetizations()[r].abs() == 3).count();
                }
                let weight = (4.0 * beta * j).exp();
                let p = weight / (weight + 3.0);
                let deviation = (p * (1.0 - p) / 51_200.0).sqrt().max(1e-6);
                let z = (aligned as f64 / 51_200.0 - p) / deviation;
                // Ten sweeps leave some correlation.
                assert!(z.abs() < 6.0, "J = {j:e}, beta {beta:e}, {dynamics:?}, {set:?}: {z}");
            }
        }
    }
    // The ground state at the largest β.
    for model in [ring(1e308), ring(1.0), ring(1e-3)] {
        for dynamics in DYNAMICS {
            let mut replicas = VectorReplicas::new(&model, 40, dynamics, f64::MAX, Streams::new(2), 0).unwrap();
            replicas.advance(30, &mut ());
            assert!(replicas.magnetizations().iter().all(|m| m.abs() == 3), "{dynamics:?}");
        }
    }
    for n in [1, 3, 20] {
        let free = Ising::builder(n).build().unwrap();
        let mut replicas = VectorReplicas::new(&free, 5, Dynamics::Metropolis, 1.0, Streams::new(2), 0).unwrap();
        let stats = replicas.advance(1000, &mut ());
        // Half of the spins turn; 4 standard deviations.
        let (mean, deviation) = (2500.0 * n as f64, (1250.0 * n as f64).sqrt());
        assert!((stats.flipped as f64 - mean).abs() <= 4.0 * deviation, "{} flips of {n}", stats.flipped);
    }
}

#[test]
fn bad_input_is_refused() {
    let model = mixed(5, 1);
    let (metropolis, streams) = (Dynamics::Metropolis, Streams::new(1));
    for beta in [f64::NAN, f64::INFINITY, -1.0] {
        assert!(matches!(VectorReplicas::new(&model, 5, metropolis, beta, streams, 0), Err(Error::Beta { .. })));
        assert!(matches!(VectorLadders::new(&model, &[0.1, beta], 5, metropolis, streams, 0), Err(Error::Beta { .. })));
    }
    for replicas in [usize::MAX, usize::MAX / 2, 1 << 50] {
        let error = VectorReplicas::new(&model, replicas, metropolis, 1.0, streams, 0).unwrap_err();
        assert!(matches!(error, Error::TooLarge { what: "memory in bytes", .. }), "{error}");
    }
    for ladders in [0, usize::MAX, 1 << 40] {
        let error = VectorLadders::new(&model, &[0.1, 0.2], ladders, metropolis, streams, 0).unwrap_err();
        assert!(matches!(error, Error::Parameter { what: "number of ladders", .. }), "{error}");
    }
    assert!(VectorLadders::new(&model, &[0.1, 0.1], 1, metropolis, streams, 0).is_err());
    let ladders = VectorLadders::new(&model, &[0.1], 1, metropolis, streams, 0).unwrap();
    assert!(ladders.swap_acceptances().is_empty());
    assert!(ladders.with_swap_interval(0).is_err());
}
