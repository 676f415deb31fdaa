//! One chain on several threads.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use linalg_core::Streams;
use linalg_core::checkpoint::Checkpoint;
use linalg_core::rand::RngExt;
use spin_models::mcmc::{ColoredChain, Coloring, Dynamics, Observables};
use spin_models::{Boundary, Disorder, EnergyModel, Error, Ising, Lattice, Progress, Simulation};

const DYNAMICS: [Dynamics; 2] = [Dynamics::Metropolis, Dynamics::HeatBath];

fn gaussian(l: usize) -> Ising {
    let lattice = Lattice::cubic(l, Boundary::Periodic).unwrap();
    Ising::edwards_anderson(&lattice, Disorder::gaussian(), &mut Streams::new(3).stream(0)).unwrap()
}

/// Fields, degrees from 0 to a thousand, sites without couplings.
fn uneven(n: usize) -> Ising {
    let mut rng = Streams::new(4).stream(0);
    let mut builder = Ising::builder(n).offset(0.3);
    for i in 1..n {
        // Some sites are asked for much more often.
        let j = if i % 3 == 0 { rng.random_range(0..n / 1000) } else { rng.random_range(0..n) };
        if i != j && i % 7 != 0 {
            builder = builder.coupling(i, j, rng.random_range(-1.0..1.0));
        }
        builder = builder.field(i, rng.random_range(-0.5..0.5));
    }
    builder.duplicates(spin_models::Duplicates::Sum).build().unwrap()
}

fn chain(model: &Ising, dynamics: Dynamics, beta: f64) -> ColoredChain {
    ColoredChain::new(model, &Coloring::greedy(model), dynamics, beta, Streams::new(6), 1).unwrap()
}

#[test]
fn threads_give_the_same_spins() {
    for model in [gaussian(24), uneven(30_000), Ising::builder(20_000).field(7, 1.0).build().unwrap()] {
        for dynamics in DYNAMICS {
            let mut one = chain(&model, dynamics, 0.8);
            let mut many = [2, 3, 7].map(|threads| one.clone().with_threads(threads));
            for sweeps in [1, 20, 0, 30] {
                let stats = one.advance(sweeps, &mut ());
                assert_eq!(stats.attempted, sweeps * model.n_spins() as u64);
                let energy = model.energy(&one.spins());
                assert!((one.energy() - energy).abs() < 1e-9 * energy.abs());
                for many in &mut many {
                    assert_eq!(many.advance(sweeps, &mut ()), stats);
                    assert!(many.checkpoint() == one.checkpoint());
                    assert_eq!(many.energy().to_bits(), one.energy().to_bits());
                    assert_eq!(many.magnetization(), one.magnetization());
                }
            }
        }
    }
}

#[test]
fn energies_of_a_long_ring() {
    // u = -tanh β per site but for tanh^N; 200 independent measurements of 16384 sites on two threads, seed 6.
    let n = 1 << 14;
    let ring = Ising::ring(n, 1.0).unwrap();
    for dynamics in DYNAMICS {
        for beta in [0.2, 0.7] {
            let mut chain = chain(&ring, dynamics, beta).with_threads(2);
            let mut averages = Observables::new(n, 1);
            chain.advance(200, &mut ());
            chain.run(300, 10, &mut averages, &mut ());
            let e = averages.energy_per_spin();
            let z = (e.value + beta.tanh()) / e.std_error.unwrap();
            assert!(z.abs() < 4.0, "{dynamics:?} at beta {beta}: {e}, z = {z}");
            assert!(e.std_error.unwrap() < 1e-3);
        }
    }
}

#[test]
fn a_restored_chain_goes_on_bit_for_bit() {
    let model = gaussian(16);
    for dynamics in DYNAMICS {
        let mut first = chain(&model, dynamics, 1.1).with_threads(2);
        first.advance(37, &mut ());
        let saved = Checkpoint::from_bytes(&first.checkpoint().to_bytes()).unwrap();
        let mut other = chain(&model, dynamics, 0.1);
        other.restore(&saved).unwrap();
        assert_eq!((other.sweeps(), other.beta(0).to_bits()), (37, 1.1f64.to_bits()));
        let (mut a, mut b) = (Observables::new(model.n_spins(), 1), Observables::new(model.n_spins(), 1));
        first.run(10, 3, &mut a, &mut ());
        other.run(10, 3, &mut b, &mut ());
        assert_eq!(a, b);
        assert!(first.checkpoint() == other.checkpoint());
        // Another instance, another colouring, other dynamics, and damage.
        let before = other.checkpoint();
        assert!(chain(&gaussian(14), dynamics, 1.1).restore(&saved).is_err());
        let colors: Vec<usize> = (0..model.n_spins()).collect();
        let coloring = Coloring::new(&model, &colors).unwrap();
        let mut recolored = ColoredChain::new(&model, &coloring, dynamics, 1.1, Streams::new(6), 1).unwrap();
        assert!(recolored.restore(&saved).is_err());
        let unlike = if dynamics == Dynamics::HeatBath { Dynamics::Metropolis } else { Dynamics::HeatBath };
        assert!(chain(&model, unlike, 1.1).restore(&saved).unwrap_err().to_string().contains("dynamics"));
        for end in (0..saved.payload.len()).step_by(97) {
            let cut = Checkpoint { payload: saved.payload[..end].to_vec(), ..saved.clone() };
            assert!(other.restore(&cut).is_err());
        }
        assert!(other.checkpoint() == before);
    }
}

#[test]
fn observers_stop_all_threads() {
    // Two classes, and one.
    for model in [gaussian(20), Ising::builder(40_000).build().unwrap()] {
        let mut seen = Vec::new();
        let mut stopping = |progress: &Progress| {
            seen.push((progress.done, progress.total));
            if progress.done == 20 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let mut many = chain(&model, Dynamics::HeatBath, 0.4).with_threads(3);
        assert_eq!(many.advance(100, &mut stopping).attempted, 20 * model.n_spins() as u64);
        assert_eq!(seen, (1..=20).map(|done| (done, 100)).collect::<Vec<_>>());
        let mut one = chain(&model, Dynamics::HeatBath, 0.4);
        one.advance(20, &mut ());
        assert!(one.checkpoint() == many.checkpoint());
        let mut failing = |_: &Progress| -> ControlFlow<()> { panic!("no more paper") };
        let panic = catch_unwind(AssertUnwindSafe(|| many.advance(100, &mut failing))).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"no more paper"));
    }
}

#[test]
fn bad_input_is_refused() {
    let model = gaussian(4);
    let coloring = Coloring::greedy(&model);
    let new = |coloring, beta| ColoredChain::new(&model, coloring, Dynamics::Metropolis, beta, Streams::new(1), 0);
    for beta in [f64::NAN, f64::INFINITY, -1.0] {
        assert!(matches!(new(&coloring, beta), Err(Error::Beta { .. })));
        assert!(new(&coloring, 1.0).unwrap().set_beta(beta).is_err());
    }
    let short = Coloring::greedy(&gaussian(2));
    assert!(matches!(new(&short, 1.0), Err(Error::WrongLength { got: 8, expected: 64, .. })));
    // The ends of the range: nothing but ties, and the lowest state in reach.
    let mut chain = new(&coloring, 0.0).unwrap();
    let stats = chain.advance(1000, &mut ());
    assert!((stats.acceptance() - 0.5).abs() < 4.0 / (4.0 * 64_000f64).sqrt());
    chain.set_beta(1e308).unwrap();
    chain.advance(100, &mut ());
    let s = chain.spins();
    assert!((0..64).all(|i| model.delta_energy(&s, i) >= 0.0));
}
