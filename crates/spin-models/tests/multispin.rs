//! The packed engines against enumeration, closed forms and transfer matrices, on every instruction set.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use linalg_core::Streams;
use linalg_core::rand::RngExt;
use spin_models::mcmc::multispin::{
    DisorderSamples, HypercubicLattice, InstructionSet, Replicas, SquareLattice, TemperingLadders,
};
use spin_models::mcmc::{Dynamics, Observables, Overlaps, ReplicaPairs, heat_bath_acceptance, metropolis_acceptance};
use spin_models::{Boundary, Disorder, EnergyModel, Ising, Lattice, Progress, Simulation, Spins};

const DYNAMICS: [Dynamics; 2] = [Dynamics::Metropolis, Dynamics::HeatBath];

fn available() -> impl Iterator<Item = InstructionSet> {
    InstructionSet::ALL.into_iter().filter(|set| set.is_available())
}

/// ±1 couplings on a lattice.
fn glass(lattice: &Lattice, seed: u64) -> Ising {
    let mut rng = Streams::new(seed).stream(0);
    let couplings: Vec<f64> = lattice.edges().map(|_| if rng.random() { 1.0 } else { -1.0 }).collect();
    Ising::on_lattice(lattice, &couplings).unwrap()
}

/// Couplings of -2 to 2 and fields of -1 to 1 quarters on a random graph, with a constant.
fn small_model(n: usize, seed: u64) -> Ising {
    let mut rng = Streams::new(seed).stream(1);
    let mut builder = Ising::builder(n).offset(0.375);
    for j in 1..n {
        for i in 0..j {
            if rng.random_bool(0.5) {
                builder = builder.coupling(i, j, 0.25 * f64::from(rng.random_range(-2..=2)));
            }
        }
        builder = builder.field(j, 0.25 * f64::from(rng.random_range(-1..=1)));
    }
    builder.field(0, 0.25).build().unwrap()
}

/// Energies of all states and their probabilities.
fn enumerate(model: &Ising, beta: f64) -> Vec<(f64, f64)> {
    let n = model.n_spins();
    let energies: Vec<f64> = (0..1 << n).map(|state| model.energy(&Spins::from_state(state, n))).collect();
    let least = energies.iter().copied().fold(f64::INFINITY, f64::min);
    let weights: Vec<f64> = energies.iter().map(|e| (-beta * (e - least)).exp()).collect();
    let z: f64 = weights.iter().sum();
    energies.into_iter().zip(weights).map(|(e, w)| (e, w / z)).collect()
}

fn mean_energy(model: &Ising, beta: f64) -> f64 {
    enumerate(model, beta).iter().map(|(e, p)| e * p).sum()
}

/// Mean of independent values and its standard error.
fn mean(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

fn assert_near((value, error): (f64, f64), exact: f64, what: &str) {
    assert!((value - exact).abs() < 4.0 * error, "{what}: {value} ± {error}, exactly {exact}");
}

/// Time averages of the energy of every lane.
fn lane_energies(simulation: &mut dyn Simulation, burn_in: u64, measurements: u64) -> Vec<f64> {
    let lanes = simulation.n_lanes();
    let mut averages = Observables::new(simulation.n_spins(), lanes);
    simulation.advance(burn_in, &mut ());
    simulation.run(measurements, 1, &mut averages, &mut ());
    (0..lanes).map(|lane| averages.lane(lane).energy().value).collect()
}

#[test]
fn instruction_sets_give_the_same_spins() {
    let cubic = glass(&Lattice::cubic(4, Boundary::Periodic).unwrap(), 1);
    let random = small_model(14, 2);
    let triangular = glass(&Lattice::triangular([4, 5], [Boundary::Periodic, Boundary::Free]).unwrap(), 3);
    let betas = [0.1, 0.4, 0.9, 1.5, 2.5];
    for dynamics in DYNAMICS {
        for model in [&cubic, &random, &triangular] {
            for n in [1, 64, 65, 200, 512, 700] {
                assert_same(|set| {
                    let replicas = Replicas::new(model, n, dynamics, 0.7, Streams::new(5), 0).unwrap();
                    replicas.with_instructions(set).unwrap()
                });
            }
            for ladders in [1, 20, 130] {
                assert_same(|set| {
                    let ladders = TemperingLadders::new(model, &betas, ladders, dynamics, Streams::new(6), 0).unwrap();
                    ladders.with_instructions(set).unwrap()
                });
            }
        }
        let samples: Vec<Ising> =
            (0..520).map(|seed| glass(&Lattice::square(5, Boundary::Periodic).unwrap(), seed)).collect();
        assert_same(|set| {
            let simulation = DisorderSamples::new(&samples, dynamics, 0.8, Streams::new(7), 0).unwrap();
            simulation.with_instructions(set).unwrap()
        });
        for (rows, columns) in [(4, 4), (32, 32), (6, 1024), (10, 100), (300, 2048)] {
            assert_same(|set| {
                let lattice = SquareLattice::torus([rows, columns], 1.0, dynamics, 0.44, Streams::new(8), 0).unwrap();
                lattice.with_instructions(set).unwrap()
            });
        }
        for lattice in [
            Lattice::rectangle([7, 9], [Boundary::Free; 2]).unwrap(),
            Lattice::rectangle([30, 21], [Boundary::Periodic, Boundary::Free]).unwrap(),
            Lattice::rectangle([64, 60], [Boundary::Periodic; 2]).unwrap(),
        ] {
            let model = glass(&lattice, 4);
            let lengths = lattice.shape().unwrap().lengths();
            assert_same(|set| {
                let lengths = [lengths[0], lengths[1]];
                let lattice = SquareLattice::new(&model, lengths, dynamics, 0.9, Streams::new(9), 0).unwrap();
                lattice.with_instructions(set).unwrap()
            });
        }
        for (lengths, model) in hypercubic_models() {
            assert_same(|set| {
                let lattice = HypercubicLattice::new(&model, &lengths, dynamics, 0.9, Streams::new(9), 0).unwrap();
                lattice.with_instructions(set).unwrap()
            });
        }
        for lengths in [&[40, 20, 36][..], &[100, 40, 128], &[6, 10, 8, 100]] {
            assert_same(|set| {
                let lattice = HypercubicLattice::torus(lengths, 1.0, dynamics, 0.2, Streams::new(8), 0).unwrap();
                lattice.with_instructions(set).unwrap()
            });
        }
    }
}

#[test]
fn threads_give_the_same_spins() {
    let cubic = glass(&Lattice::cubic(3, Boundary::Free).unwrap(), 1);
    let samples: Vec<Ising> = (0..1100).map(|seed| glass(&Lattice::square(3, Boundary::Free).unwrap(), seed)).collect();
    for threads in [0, 1, 2, 5] {
        // Enough updates for several threads.
        let same = |one: &mut dyn Simulation, many: &mut dyn Simulation| {
            let sweeps = (1 << 23) / (one.n_spins() * one.n_lanes()) as u64 + 1;
            assert_eq!(one.advance(sweeps, &mut ()), many.advance(sweeps, &mut ()));
            assert!(one.checkpoint() == many.checkpoint(), "{threads} threads");
        };
        let metropolis = Dynamics::Metropolis;
        let replicas = || Replicas::new(&cubic, 1600, metropolis, 0.7, Streams::new(5), 0).unwrap();
        same(&mut replicas(), &mut replicas().with_threads(threads));
        let ladders = || TemperingLadders::new(&cubic, &[0.2, 0.5], 700, metropolis, Streams::new(5), 0).unwrap();
        same(&mut ladders(), &mut ladders().with_threads(threads));
        let disorder = || DisorderSamples::new(&samples, metropolis, 0.7, Streams::new(5), 0).unwrap();
        same(&mut disorder(), &mut disorder().with_threads(threads));
        let lattice = || SquareLattice::torus([4096, 2056], 1.0, metropolis, 0.44, Streams::new(5), 0).unwrap();
        same(&mut lattice(), &mut lattice().with_threads(threads));
    }
}

#[test]
fn bands_of_a_lattice_give_the_same_spins() {
    let (metropolis, heat_bath) = (Dynamics::Metropolis, Dynamics::HeatBath);
    let torus =
        |lengths: &[usize]| HypercubicLattice::torus(lengths, -1.0, metropolis, 0.44, Streams::new(5), 1).unwrap();
    let of_model = |lengths: &[usize], boundary, bonds: &dyn Fn(usize) -> f64| {
        let mut boundaries = vec![Boundary::Free; lengths.len()];
        boundaries[0] = boundary;
        let lattice = Lattice::hypercubic(lengths, &boundaries).unwrap();
        let model = Ising::on_lattice(&lattice, &(0..lattice.n_edges()).map(bonds).collect::<Vec<_>>()).unwrap();
        HypercubicLattice::new(&model, lengths, heat_bath, 0.7, Streams::new(5), 2).unwrap()
    };
    let lattices = [
        // Rows of whole blocks, one and three to a row; bands of the latter are multiples of 256 rows.
        torus(&[640, 1024]),
        torus(&[900, 3072]),
        // Rows and ends anywhere, and rows longer than a stripe.
        torus(&[1002, 1000]),
        torus(&[6, 300_000]),
        torus(&[70, 84, 132]),
        torus(&[14, 20, 34, 58]),
        of_model(&[64, 96, 131], Boundary::Periodic, &|k| if k % 7 < 3 { 1.0 } else { -1.0 }),
        of_model(&[400, 1600], Boundary::Periodic, &|k| if k % 7 < 3 { 1.0 } else { -1.0 }),
        of_model(&[501, 1333], Boundary::Free, &|k| if k.is_multiple_of(5) { 0.0 } else { 1.0 }),
    ];
    for lattice in &lattices {
        let mut one = lattice.clone();
        let mut many = [2, 3, 4, 100].map(|threads| lattice.clone().with_threads(threads));
        for sweeps in [1, 5, 0, 2] {
            let stats = one.advance(sweeps, &mut ());
            for (k, many) in many.iter_mut().enumerate() {
                assert_eq!(many.advance(sweeps, &mut ()), stats);
                assert!(one.checkpoint() == many.checkpoint(), "{:?} after {sweeps} sweeps", [2, 3, 4, 100][k]);
                assert_eq!(one.energy().to_bits(), many.energy().to_bits());
            }
        }
        // Set and restored spins reach all bands, too.
        let saved = one.checkpoint();
        let up = vec![1; one.n_spins()];
        one.set_spins(&up);
        one.advance(2, &mut ());
        for many in &mut many {
            many.set_spins(&up);
            many.advance(2, &mut ());
            assert!(one.checkpoint() == many.checkpoint());
        }
        let [mut two, mut three, ..] = many;
        two.restore(&saved).unwrap();
        two.advance(3, &mut ());
        three = three.with_threads(1);
        three.restore(&saved).unwrap();
        three.advance(3, &mut ());
        assert!(two.checkpoint() == three.checkpoint());
    }
}

/// Lattices with all bonds, with signs, and with missing bonds.
fn hypercubic_models() -> Vec<(Vec<usize>, Ising)> {
    let (free, periodic) = (Boundary::Free, Boundary::Periodic);
    let shapes: [(&[usize], &[Boundary]); 8] = [
        (&[4, 4], &[periodic; 2]),
        (&[4, 4, 4], &[periodic; 3]),
        (&[6, 4, 10], &[periodic; 3]),
        (&[4, 3, 5], &[periodic, free, free]),
        (&[2, 4, 6], &[free, periodic, periodic]),
        (&[4, 4, 4, 6], &[periodic; 4]),
        (&[2, 3, 2, 5], &[free; 4]),
        (&[4, 2, 4, 7], &[periodic, free, periodic, free]),
    ];
    let mut models = Vec::new();
    for (lengths, boundaries) in shapes {
        let lattice = Lattice::hypercubic(lengths, boundaries).unwrap();
        let n = lattice.n_edges();
        let diluted: Vec<f64> = (0..n).map(|k| [0.5, 0.0, 0.5, -0.5, 0.5][k % 5]).collect();
        for couplings in [vec![0.5; n], vec![-0.5; n], diluted] {
            models.push((lengths.to_vec(), Ising::on_lattice(&lattice, &couplings).unwrap()));
        }
        models.push((lengths.to_vec(), glass(&lattice, 3)));
    }
    models
}

#[test]
fn every_site_is_turned_with_its_probability() {
    // 3000 sweeps of a chain. Given the state before the sites of a colour are updated, flips are independent with known
    // probabilities: for every site, flips minus their probabilities, over the deviation. 8768 sites: |z| < 4.5.
    let beta = 0.2;
    for (k, (lengths, model)) in hypercubic_models().iter().enumerate() {
        for dynamics in DYNAMICS {
            let streams = Streams::new(41);
            // Instruction sets are equal bit for bit, which is another test.
            let mut lattice = HypercubicLattice::new(model, lengths, dynamics, beta, streams, k as u64).unwrap();
            let n = model.n_spins();
            let color = |mut site: usize| {
                let coordinates = lengths.iter().rev().map(|length| {
                    let x = site % length;
                    site /= length;
                    x
                });
                coordinates.sum::<usize>() % 2
            };
            let colors: Vec<usize> = (0..n).map(color).collect();
            let rate = |x| match dynamics {
                Dynamics::Metropolis => metropolis_acceptance(x),
                Dynamics::HeatBath => heat_bath_acceptance(x),
            };
            let (mut excess, mut variance) = (vec![0.0; n], vec![0.0; n]);
            let mut s = lattice.spins();
            for _ in 0..3000 {
                lattice.advance(1, &mut ());
                let after = lattice.spins();
                for color in 0..2 {
                    for i in (0..n).filter(|&i| colors[i] == color) {
                        let p = rate(beta * model.delta_energy(&s, i));
                        excess[i] += f64::from(u8::from(after[i] != s[i])) - p;
                        variance[i] += p * (1.0 - p);
                    }
                    (0..n).filter(|&i| colors[i] == color).for_each(|i| s[i] = after[i]);
                }
                assert!((lattice.energy() - model.energy(&s)).abs() < 1e-9);
            }
            for i in 0..n {
                let z = excess[i] / variance[i].sqrt();
                assert!(z.abs() < 4.5 && variance[i] > 10.0, "{lengths:?}, {dynamics:?}, site {i}: z = {z}");
            }
        }
    }
}

#[test]
fn cubic_lattices_have_the_energies_of_enumeration_and_of_replicas() {
    let lattice = Lattice::hypercubic(&[2, 2, 4], &[Boundary::Free, Boundary::Free, Boundary::Periodic]).unwrap();
    let torus = Ising::cubic(4, Boundary::Periodic, 1.0).unwrap();
    for dynamics in DYNAMICS {
        for (seed, beta) in [(1, 0.3), (2, 1.0)] {
            let model = glass(&lattice, seed);
            let mut simulation =
                HypercubicLattice::new(&model, [2, 2, 4], dynamics, beta, Streams::new(42), seed).unwrap();
            let mut averages = Observables::new(16, 1);
            simulation.advance(1000, &mut ());
            simulation.run(60_000, 2, &mut averages, &mut ());
            let (e, exact) = (averages.energy(), mean_energy(&model, beta));
            assert!((e.value - exact).abs() < 4.0 * e.std_error.unwrap(), "{dynamics:?}, β = {beta}: {e}, {exact}");
        }
        let beta = 0.21;
        let mut simulation = HypercubicLattice::torus([4; 3], 1.0, dynamics, beta, Streams::new(43), 0).unwrap();
        let mut replicas = Replicas::new(&torus, 512, dynamics, beta, Streams::new(44), 0).unwrap();
        let (mut one, mut many) = (Observables::new(64, 1), Observables::new(64, 512));
        simulation.advance(1000, &mut ());
        simulation.run(100_000, 2, &mut one, &mut ());
        replicas.advance(1000, &mut ());
        replicas.run(500, 4, &mut many, &mut ());
        let compare = |a: linalg_core::stats::Estimate, b: linalg_core::stats::Estimate| {
            let error = a.std_error.unwrap().hypot(b.std_error.unwrap());
            assert!((a.value - b.value).abs() < 4.0 * error, "{dynamics:?}: {a} and {b}");
        };
        compare(one.energy(), many.energy());
        compare(one.specific_heat(beta), many.specific_heat(beta));
        compare(one.abs_magnetization(), many.abs_magnetization());
    }
}

#[test]
fn bands_stop_together() {
    // A report a sweep: more than four million sites.
    let lattice = SquareLattice::torus([2560, 2048], 1.0, Dynamics::Metropolis, 0.3, Streams::new(2), 0).unwrap();
    let mut seen = Vec::new();
    let mut stopping = |progress: &Progress| {
        seen.push((progress.done, progress.total));
        if progress.done == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let mut many = lattice.clone().with_threads(3);
    assert_eq!(many.advance(9, &mut stopping).attempted, 3 * 2560 * 2048);
    assert_eq!((many.sweeps(), seen), (3, vec![(1, 9), (2, 9), (3, 9)]));
    let mut one = lattice.clone();
    one.advance(3, &mut ());
    assert!(one.checkpoint() == many.checkpoint());
    // What goes wrong in the observer comes out, and no thread waits for ever.
    let mut failing = |_: &Progress| -> ControlFlow<()> { panic!("no more paper") };
    let mut many = lattice.with_threads(2);
    let panic = catch_unwind(AssertUnwindSafe(|| many.advance(9, &mut failing))).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"no more paper"));
}

/// State, statistics and measurements after some sweeps do not depend on the instructions.
fn assert_same<T: Simulation>(new: impl Fn(InstructionSet) -> T) {
    let mut results = Vec::new();
    for set in available() {
        let mut simulation = new(set);
        let mut averages = Observables::new(simulation.n_spins(), simulation.n_lanes());
        let stats = [simulation.advance(0, &mut ()), simulation.advance(7, &mut ())];
        simulation.run(2, 3, &mut averages, &mut ());
        assert_eq!(simulation.sweeps(), 13);
        results.push((set, simulation.checkpoint(), stats, averages));
    }
    for pair in results.windows(2) {
        assert!(pair[0].1 == pair[1].1, "{:?} and {:?} differ", pair[0].0, pair[1].0);
        assert_eq!((&pair[0].2, &pair[0].3), (&pair[1].2, &pair[1].3));
    }
}

#[test]
fn energies_and_magnetizations_are_those_of_the_spins() {
    let check = |energies: Vec<f64>, magnetizations: Vec<i64>, spins: &dyn Fn(usize) -> (f64, Vec<i8>)| {
        for (lane, (energy, magnetization)) in energies.into_iter().zip(magnetizations).enumerate() {
            let (expected, s) = spins(lane);
            assert!((energy - expected).abs() < 1e-9, "lane {lane}: {energy}, from its spins {expected}");
            assert_eq!(magnetization, s.iter().map(|&s| i64::from(s)).sum::<i64>());
        }
    };
    let honeycomb = glass(&Lattice::honeycomb([3, 4], [Boundary::Periodic; 2]).unwrap(), 1);
    let hypercubic = glass(&Lattice::hypercubic(&[3, 4, 3, 2], &[Boundary::Free; 4]).unwrap(), 2);
    for model in [&honeycomb, &hypercubic, &small_model(13, 3), &Ising::builder(3).field(1, -2.0).build().unwrap()] {
        let with_energy = |s: Vec<i8>| (model.energy(&s), s);
        for n in [3, 100, 300, 600] {
            let mut replicas = Replicas::new(model, n, Dynamics::HeatBath, 0.6, Streams::new(1), 0).unwrap();
            replicas.advance(3, &mut ());
            check(replicas.energies(), replicas.magnetizations(), &|lane| with_energy(replicas.spins(lane)));
        }
        let betas = [0.2, 0.5, 1.1];
        let mut ladders = TemperingLadders::new(model, &betas, 171, Dynamics::Metropolis, Streams::new(1), 0).unwrap();
        ladders.advance(3, &mut ());
        check(ladders.energies(), ladders.magnetizations(), &|lane| with_energy(ladders.spins(lane)));
    }
    let with_fields = |seed: u64| {
        let square = glass(&Lattice::square(4, Boundary::Periodic).unwrap(), seed);
        let mut rng = Streams::new(seed).stream(2);
        let fields: Vec<f64> = (0..16).map(|_| if rng.random() { 1.0 } else { -1.0 }).collect();
        Ising::builder(16).couplings(square.couplings()).fields(fields).offset(seed as f64).build().unwrap()
    };
    let samples: Vec<Ising> = (0..515).map(with_fields).collect();
    let mut simulation = DisorderSamples::new(&samples, Dynamics::HeatBath, 0.6, Streams::new(1), 0).unwrap();
    simulation.advance(3, &mut ());
    check(simulation.energies(), simulation.magnetizations(), &|lane| {
        let s = simulation.spins(lane);
        (samples[lane].energy(&s), s)
    });
    for (lengths, boundaries) in [
        ([5, 7], [Boundary::Free; 2]),
        ([4, 6], [Boundary::Periodic; 2]),
        ([6, 3], [Boundary::Periodic, Boundary::Free]),
        ([1, 9], [Boundary::Free; 2]),
        ([2, 4], [Boundary::Free, Boundary::Periodic]),
        ([2, 1026], [Boundary::Free, Boundary::Periodic]),
    ] {
        for seed in 0..3 {
            let model = glass(&Lattice::rectangle(lengths, boundaries).unwrap(), seed);
            let mut lattice =
                SquareLattice::new(&model, lengths, Dynamics::Metropolis, 0.3, Streams::new(seed), 0).unwrap();
            lattice.advance(3, &mut ());
            let s = lattice.spins();
            check(vec![lattice.energy()], vec![lattice.magnetization()], &|_| (model.energy(&s), s.clone()));
        }
    }
    let torus = Ising::rectangle([4, 1024], [Boundary::Periodic; 2], -0.5).unwrap();
    let mut lattice = SquareLattice::torus([4, 1024], -0.5, Dynamics::HeatBath, 1.0, Streams::new(1), 0).unwrap();
    let mut same = SquareLattice::new(&torus, [4, 1024], Dynamics::HeatBath, 1.0, Streams::new(1), 0).unwrap();
    lattice.advance(5, &mut ());
    same.advance(5, &mut ());
    assert_eq!(lattice.spins(), same.spins());
    check(vec![lattice.energy()], vec![lattice.magnetization()], &|_| {
        (torus.energy(&lattice.spins()), lattice.spins())
    });
}

/// Probability of going from one state to another in one sweep that visits the sites in this order.
fn transition(model: &Ising, dynamics: Dynamics, beta: f64, order: &[usize], from: u64, to: u64) -> f64 {
    let n = model.n_spins();
    let (mut s, target) = (Spins::from_state(from, n), Spins::from_state(to, n));
    let mut probability = 1.0;
    for &i in order {
        let x = beta * model.delta_energy(&s, i);
        let flip = match dynamics {
            Dynamics::Metropolis => metropolis_acceptance(x),
            Dynamics::HeatBath => heat_bath_acceptance(x),
        };
        probability *= if s[i] == target[i] { 1.0 - flip } else { flip };
        s[i] = target[i];
    }
    probability
}

/// Compares how often each state was reached with its probability, over all starting states.
fn assert_transitions(n: usize, counts: &[Vec<u64>], exact: impl Fn(u64, u64) -> f64, what: &str) {
    for from in 0..1u64 << n {
        let all: u64 = counts[from as usize].iter().sum();
        for to in 0..1u64 << n {
            let (p, count) = (exact(from, to), counts[from as usize][to as usize] as f64);
            let expected = all as f64 * p;
            let deviation = (expected * (1.0 - p)).sqrt();
            // Up to 1500 entries are tested: 5 standard deviations, and a little room where next to nothing is expected.
            assert!(
                (count - expected).abs() <= 5.0 * deviation + 5.0,
                "{what}: {from} -> {to}: {count} for {expected}"
            );
        }
    }
}

fn state_of(s: &[i8]) -> u64 {
    s.iter().enumerate().map(|(i, &s)| u64::from(s < 0) << i).sum()
}

#[test]
fn one_sweep_has_the_exact_transition_probabilities() {
    // A path: 0 and 2 are updated before 1. Units of 0.5, degrees 3, 4 and 1.
    let path = Ising::builder(3).couplings([(0, 1, 1.5), (1, 2, -0.5)]).build().unwrap();
    let order = [0, 2, 1];
    let betas = [0.3, 0.8];
    for dynamics in DYNAMICS {
        for set in available() {
            let mut replicas = Replicas::new(&path, 2048, dynamics, 0.8, Streams::new(3), 0).unwrap();
            let mut few = Replicas::new(&path, 64, dynamics, 0.8, Streams::new(3), 1).unwrap();
            let ladders = TemperingLadders::new(&path, &betas, 1024, dynamics, Streams::new(3), 2).unwrap();
            let mut ladders = ladders.with_swap_interval(u64::MAX).unwrap();
            let samples = vec![path.clone(); 512];
            let mut samples = DisorderSamples::new(&samples, dynamics, 0.8, Streams::new(3), 3).unwrap();
            replicas = replicas.with_instructions(set).unwrap();
            few = few.with_instructions(set).unwrap();
            ladders = ladders.with_instructions(set).unwrap();
            samples = samples.with_instructions(set).unwrap();
            let mut counts = vec![vec![vec![0u64; 8]; 8]; 4];
            for from in 0..8 {
                let s = Spins::from_state(from, 3);
                for _ in 0..20 {
                    for lane in 0..2048 {
                        replicas.set_spins(lane, &s);
                        ladders.set_spins(lane, &s);
                    }
                    (0..64).for_each(|lane| few.set_spins(lane, &s));
                    replicas.advance(1, &mut ());
                    ladders.advance(1, &mut ());
                    few.advance(1, &mut ());
                    let from = from as usize;
                    (0..2048).for_each(|lane| counts[0][from][state_of(&replicas.spins(lane)) as usize] += 1);
                    (0..64).for_each(|lane| counts[0][from][state_of(&few.spins(lane)) as usize] += 1);
                    for lane in 0..2048 {
                        counts[1 + lane / 1024][from][state_of(&ladders.spins(lane)) as usize] += 1;
                    }
                }
                // Lanes of one sample coalesce: one of them is as good as all.
                for _ in 0..4000 {
                    samples.set_spins(17, &s);
                    samples.advance(1, &mut ());
                    counts[3][from as usize][state_of(&samples.spins(17)) as usize] += 1;
                }
            }
            for (counts, beta) in counts.iter().zip([0.8, betas[0], betas[1], 0.8]) {
                let exact = |from, to| transition(&path, dynamics, beta, &order, from, to);
                assert_transitions(3, counts, exact, &format!("{dynamics:?}, {set:?}, β = {beta}"));
            }
        }
    }
}

#[test]
fn one_sweep_of_a_lattice_has_the_exact_transition_probabilities() {
    // Sites 0, 2, 4 of 2 x 3 have colour 0. Missing bonds: all degrees from 0 to 3.
    let lattice = Ising::builder(6).couplings([(0, 1, 1.0), (1, 2, -1.0), (1, 4, 1.0), (0, 3, -1.0)]).build().unwrap();
    let order = [0, 2, 4, 1, 3, 5];
    for dynamics in DYNAMICS {
        for set in available() {
            let simulation = SquareLattice::new(&lattice, [2, 3], dynamics, 0.6, Streams::new(4), 0).unwrap();
            let mut simulation = simulation.with_instructions(set).unwrap();
            let mut counts = vec![vec![0u64; 64]; 64];
            for from in 0..64 {
                let s = Spins::from_state(from, 6);
                for _ in 0..1500 {
                    simulation.set_spins(&s);
                    simulation.advance(1, &mut ());
                    counts[from as usize][state_of(&simulation.spins()) as usize] += 1;
                }
            }
            let exact = |from, to| transition(&lattice, dynamics, 0.6, &order, from, to);
            assert_transitions(6, &counts, exact, &format!("{dynamics:?}, {set:?}"));
        }
    }
}

#[test]
fn mean_energies_are_those_of_enumeration() {
    let complete = Ising::complete(9, -1.0).unwrap();
    let lattice = Lattice::rectangle([3, 4], [Boundary::Free; 2]).unwrap();
    let square = glass(&lattice, 5);
    for (k, model) in [small_model(10, 1), small_model(9, 2), complete, square.clone()].iter().enumerate() {
        let exact = mean_energy(model, 0.7);
        for dynamics in DYNAMICS {
            for set in available() {
                for n in [100, 512] {
                    let replicas = Replicas::new(model, n, dynamics, 0.7, Streams::new(11), k as u64).unwrap();
                    let mut replicas = replicas.with_instructions(set).unwrap();
                    let energies = lane_energies(&mut replicas, 100, 60);
                    assert_near(mean(&energies), exact, &format!("model {k}, {n} replicas, {dynamics:?}, {set:?}"));
                }
            }
        }
    }
    let samples: Vec<Ising> = (0..40).map(|seed| glass(&lattice, seed)).collect();
    for dynamics in DYNAMICS {
        let mut simulation = DisorderSamples::new(&samples, dynamics, 0.7, Streams::new(12), 0).unwrap();
        let mut averages = Observables::new(12, 40);
        simulation.advance(200, &mut ());
        simulation.run(20_000, 1, &mut averages, &mut ());
        for (lane, sample) in samples.iter().enumerate() {
            let energy = averages.lane(lane).energy();
            assert_near((energy.value, energy.std_error.unwrap()), mean_energy(sample, 0.7), &format!("sample {lane}"));
        }
        let mut lattice = SquareLattice::new(&square, [3, 4], dynamics, 0.7, Streams::new(13), 0).unwrap();
        let mut averages = Observables::new(12, 1);
        lattice.advance(200, &mut ());
        lattice.run(50_000, 1, &mut averages, &mut ());
        let energy = averages.energy();
        assert_near((energy.value, energy.std_error.unwrap()), mean_energy(&square, 0.7), "lattice");
    }
}

#[test]
fn ladders_sample_every_temperature() {
    let model = glass(&Lattice::square(3, Boundary::Periodic).unwrap(), 9);
    let betas = [0.2, 0.6, 1.0, 1.6];
    let exact: Vec<f64> = betas.iter().map(|&beta| mean_energy(&model, beta)).collect();
    for dynamics in DYNAMICS {
        for set in available() {
            let ladders = TemperingLadders::new(&model, &betas, 150, dynamics, Streams::new(14), 0).unwrap();
            let mut ladders = ladders.with_instructions(set).unwrap();
            let energies = lane_energies(&mut ladders, 100, 60);
            for (t, exact) in exact.iter().enumerate() {
                let lanes = &energies[150 * t..150 * (t + 1)];
                assert_near(mean(lanes), *exact, &format!("β = {}, {dynamics:?}, {set:?}", betas[t]));
            }
            assert!(ladders.round_trips() > 1000);
            assert!(ladders.swap_acceptances().iter().all(|&rate| rate > 0.2 && rate < 1.0));
        }
    }
}

#[test]
fn overlaps_of_pairs_are_those_of_independent_replicas() {
    // ⟨q²⟩ = Σ ⟨s_i s_j⟩² / N², ⟨q_l⟩ = Σ ⟨s_i s_j⟩² / M over the couplings.
    let model = glass(&Lattice::square(3, Boundary::Free).unwrap(), 10);
    let (n, beta) = (9, 0.6);
    let states = enumerate(&model, beta);
    let correlation = |i: usize, j: usize| -> f64 {
        states.iter().enumerate().map(|(s, (_, p))| if (s >> i ^ s >> j) & 1 == 1 { -p } else { *p }).sum()
    };
    let squares: f64 = (0..n * n).map(|ij| correlation(ij / n, ij % n).powi(2)).sum();
    let links: f64 = model.couplings().map(|(i, j, _)| correlation(i, j).powi(2)).sum();
    let exact = (squares / 81.0, links / model.n_couplings() as f64);
    let check = |overlaps: &[(f64, f64)], what: &str| {
        assert_near(mean(&overlaps.iter().map(|(q, _)| q * q).collect::<Vec<_>>()), exact.0, what);
        assert_near(mean(&overlaps.iter().map(|(_, l)| *l).collect::<Vec<_>>()), exact.1, what);
        assert_near(mean(&overlaps.iter().map(|(q, _)| *q).collect::<Vec<_>>()), 0.0, what);
    };
    let mut replicas = Replicas::new(&model, 1024, Dynamics::HeatBath, beta, Streams::new(15), 0).unwrap();
    let mut ladders =
        TemperingLadders::new(&model, &[0.3, beta], 257, Dynamics::HeatBath, Streams::new(15), 1).unwrap();
    let (mut of_replicas, mut of_ladders) = (Vec::new(), Vec::new());
    for _ in 0..10 {
        replicas.advance(60, &mut ());
        ladders.advance(60, &mut ());
        of_replicas.extend(replicas.pair_overlaps());
        let by_temperature = ladders.pair_overlaps();
        assert_eq!(by_temperature.iter().map(Vec::len).collect::<Vec<_>>(), [128, 128]);
        of_ladders.extend_from_slice(&by_temperature[1]);
    }
    assert_eq!(of_replicas.len(), 5120);
    check(&of_replicas, "replicas");
    check(&of_ladders, "ladders");
    // Against the configurations.
    let q = |a: Vec<i8>, b: Vec<i8>| a.iter().zip(&b).map(|(a, b)| f64::from(a * b)).sum::<f64>() / 9.0;
    for (pair, (overlap, _)) in replicas.pair_overlaps().into_iter().enumerate() {
        assert!((overlap - q(replicas.spins(2 * pair), replicas.spins(2 * pair + 1))).abs() < 1e-15);
    }
    for (pair, (overlap, _)) in ladders.pair_overlaps()[1].iter().enumerate() {
        let lane = 257 + 2 * pair;
        assert!((overlap - q(ladders.spins(lane), ladders.spins(lane + 1))).abs() < 1e-15);
    }
}

/// The overlaps by words are those of the spins: totals of 300 replicas of a ±J model on 70 sites, and of 40 ladders.
#[test]
fn overlaps_by_words_are_those_of_the_spins() {
    let mut rng = Streams::new(40).stream(0);
    let lattice = Lattice::rectangle([7, 10], [Boundary::Periodic, Boundary::Free]).unwrap();
    let model = Ising::edwards_anderson(&lattice, Disorder::plus_minus(), &mut rng).unwrap();
    let mut replicas = Replicas::new(&model, 300, Dynamics::Metropolis, 0.7, Streams::new(41), 0).unwrap();
    let betas = [0.3, 0.6, 0.9];
    let mut ladders = TemperingLadders::new(&model, &betas, 40, Dynamics::HeatBath, Streams::new(42), 0).unwrap();
    let (mut words, mut spins) =
        (Overlaps::new(70, 1).with_links_of(&model), Overlaps::new(70, 1).with_links_of(&model));
    let (mut words_3, mut spins_3) = (Overlaps::new(70, 3), Overlaps::new(70, 3));
    for _ in 0..5 {
        replicas.advance(2, &mut ());
        ladders.advance(2, &mut ());
        replicas.measure_overlaps(&mut words);
        ladders.measure_overlaps(&mut words_3);
        for pair in 0..150 {
            spins.record_pair(0, pair, &replicas.configuration(2 * pair), &replicas.configuration(2 * pair + 1));
        }
        for beta in 0..3 {
            for (pair, lane) in (40 * beta..40 * (beta + 1)).step_by(2).enumerate() {
                spins_3.record_pair(beta, pair, &ladders.configuration(lane), &ladders.configuration(lane + 1));
            }
        }
    }
    assert_eq!((words, words_3), (spins, spins_3));
}
