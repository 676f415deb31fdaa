//! The packed engines on lattices of known energy; saving, resuming, refusing.

// Reference values keep the digits of their source.
#![allow(clippy::excessive_precision)]

use std::ops::ControlFlow;

use linalg_core::Streams;
use linalg_core::checkpoint::{Checkpoint, ContentHash};
use linalg_core::rand::Rng;
use linalg_core::rng::SplitMix64;
use spin_models::mcmc::multispin::{DisorderSamples, InstructionSet, Replicas, SquareLattice, TemperingLadders};
use spin_models::mcmc::{Dynamics, Observables};
use spin_models::{Boundary, Error, Ising, Lattice, Progress, Simulation};

const DYNAMICS: [Dynamics; 2] = [Dynamics::Metropolis, Dynamics::HeatBath];

fn available() -> impl Iterator<Item = InstructionSet> {
    InstructionSet::ALL.into_iter().filter(|set| set.is_available())
}

/// `K`, energy per spin and specific heat of the 32 x 32 torus by B. Kaufman, Phys. Rev. 76, 1232 (1949), evaluated with
/// fifty digits.
const KAUFMAN_32: [(f64, f64, f64); 4] = [
    (0.2, -0.4282288332403481, 0.0976521775885),
    (0.4, -1.107291660977511, 0.885812501066),
    (0.44068679350977151, -1.433658466146248, 1.84676759004),
    (0.5, -1.745564527034574, 0.724873978199),
];

#[test]
fn energy_and_specific_heat_of_the_torus() {
    for (k, energy, specific_heat) in KAUFMAN_32 {
        for dynamics in DYNAMICS {
            for (unit, set) in available().enumerate() {
                let streams = Streams::new(21);
                let lattice = SquareLattice::torus([32, 32], 1.0, dynamics, k, streams, unit as u64).unwrap();
                let mut lattice = lattice.with_instructions(set).unwrap();
                // Stripes would live long below the transition.
                lattice.set_spins(&[1; 1024]);
                lattice.advance(20_000, &mut ());
                let mut averages = Observables::new(1024, 1);
                lattice.run(100_000, 2, &mut averages, &mut ());
                let what = format!("K = {k}, {dynamics:?}, {set:?}");
                let e = averages.energy_per_spin();
                let c = averages.specific_heat(k);
                let (e_error, c_error) = (e.std_error.unwrap(), c.std_error.unwrap());
                assert!((e.value - energy).abs() < 4.0 * e_error, "{what}: e = {} ± {e_error}", e.value);
                assert!((c.value - specific_heat).abs() < 4.0 * c_error, "{what}: c = {} ± {c_error}", c.value);
                assert!(e_error < 0.01 && c_error < 0.4, "{what}: errors {e_error}, {c_error}");
            }
        }
    }
}

#[test]
fn replicas_of_the_torus() {
    let model = Ising::square(32, Boundary::Periodic, 1.0).unwrap();
    for (k, energy, specific_heat) in [KAUFMAN_32[1], KAUFMAN_32[3]] {
        for set in available() {
            let replicas = Replicas::new(&model, 128, Dynamics::Metropolis, k, Streams::new(22), 0).unwrap();
            let mut replicas = replicas.with_instructions(set).unwrap();
            (0..128).for_each(|lane| replicas.set_spins(lane, &[1; 1024]));
            replicas.advance(500, &mut ());
            let mut averages = Observables::new(1024, 128);
            replicas.run(400, 4, &mut averages, &mut ());
            let (e, c) = (averages.energy_per_spin(), averages.specific_heat(k));
            assert!((e.value - energy).abs() < 4.0 * e.std_error.unwrap(), "K = {k}, {set:?}: e = {e:?}");
            assert!((c.value - specific_heat).abs() < 4.0 * c.std_error.unwrap(), "K = {k}, {set:?}: c = {c:?}");
        }
    }
}

/// The ±J model on a free square of 8 x 8 sites with the signs of the reference values: for every site in turn the bond to
/// the next column, then that to the next row, -1 where the output of SplitMix64 is below 2^63.
fn reference_glass(seed: u64) -> Ising {
    let lattice = Lattice::square(8, Boundary::Free).unwrap();
    let mut words = SplitMix64::new(seed);
    let couplings: Vec<f64> = lattice.edges().map(|_| if words.next_u64() < 1 << 63 { -1.0 } else { 1.0 }).collect();
    Ising::on_lattice(&lattice, &couplings).unwrap()
}

/// `ln Z` of a free lattice of 8 columns by the transfer matrix, spin by spin.
fn ln_z(model: &Ising, beta: f64) -> f64 {
    let w = 8;
    let rows = model.fields().len() / w;
    let coupling = |i: usize, j: usize| {
        let (sites, values) = model.row(i);
        sites.iter().position(|&k| k as usize == j).map_or(0.0, |k| values[k])
    };
    let sign = |state: usize, c: usize| if state >> c & 1 == 1 { -1.0 } else { 1.0 };
    // weights[state]: sum over all spins before the last row passed.
    let mut weights = vec![1.0; 1 << w];
    let mut ln_scale = 0.0;
    for r in 0..rows {
        for c in 0..w {
            let i = r * w + c;
            let mut next = vec![0.0; 1 << w];
            for (state, weight) in weights.iter().enumerate() {
                for new in [state & !(1 << c), state | 1 << c] {
                    let up = if r > 0 { coupling(i - w, i) * sign(state, c) * sign(new, c) } else { 0.0 };
                    let left = if c > 0 { coupling(i - 1, i) * sign(new, c - 1) * sign(new, c) } else { 0.0 };
                    // In the first row both old values stand for the same state.
                    let share = if r > 0 { 1.0 } else { 0.5 };
                    next[new] += share * weight * (beta * (up + left)).exp();
                }
            }
            let scale = next.iter().copied().fold(0.0, f64::max);
            next.iter_mut().for_each(|weight| *weight /= scale);
            ln_scale += scale.ln();
            weights = next;
        }
    }
    ln_scale + weights.iter().sum::<f64>().ln()
}

#[test]
fn energies_of_plus_minus_j_lattices() {
    let references = [
        (1, [57.61042942799053650693, 89.10704484329843073541, 164.4271353461051264074]),
        (2026, [57.28205272504312899679, 87.64217515729418365038, 162.8208163199882146120]),
    ];
    let betas = [0.5, 0.75, 1.0, 1.25, 1.5, 2.0];
    for (seed, reference) in references {
        let model = reference_glass(seed);
        for (k, expected) in [0.5, 1.0, 2.0].into_iter().zip(reference) {
            assert!((ln_z(&model, k) - expected).abs() < 1e-10, "seed {seed}, K = {k}");
        }
        let energy = |k: f64| -(ln_z(&model, k + 1e-4) - ln_z(&model, k - 1e-4)) / 2e-4;
        for dynamics in DYNAMICS {
            for set in available() {
                let ladders = TemperingLadders::new(&model, &betas, 85, dynamics, Streams::new(23), seed).unwrap();
                let mut ladders = ladders.with_instructions(set).unwrap();
                let mut averages = Observables::new(64, 6 * 85);
                ladders.advance(1000, &mut ());
                ladders.run(300, 4, &mut averages, &mut ());
                for (t, &k) in betas.iter().enumerate() {
                    let e = averages.lanes(85 * t..85 * (t + 1)).energy();
                    let what = format!("seed {seed}, K = {k}, {dynamics:?}, {set:?}");
                    assert!((e.value - energy(k)).abs() < 4.0 * e.std_error.unwrap(), "{what}: {e:?}, {}", energy(k));
                }
                let lattice = SquareLattice::new(&model, [8, 8], dynamics, 0.5, Streams::new(24), seed).unwrap();
                let mut lattice = lattice.with_instructions(set).unwrap();
                let mut averages = Observables::new(64, 1);
                lattice.advance(1000, &mut ());
                lattice.run(100_000, 1, &mut averages, &mut ());
                let e = averages.energy();
                let what = format!("lattice, seed {seed}, {dynamics:?}, {set:?}");
                assert!((e.value - energy(0.5)).abs() < 4.0 * e.std_error.unwrap(), "{what}: {e:?}");
            }
        }
    }
}

/// The engines, on small instances with several units or stripes.
fn engines(seed: u64) -> Vec<Box<dyn Simulation>> {
    let streams = Streams::new(seed);
    let model = reference_glass(seed);
    let samples: Vec<Ising> = (0..600).map(|k| reference_glass(1000 * seed + k)).collect();
    vec![
        Box::new(Replicas::new(&model, 700, Dynamics::Metropolis, 0.9, streams, 0).unwrap()),
        Box::new(Replicas::new(&model, 20, Dynamics::HeatBath, 0.9, streams, 0).unwrap()),
        Box::new(TemperingLadders::new(&model, &[0.2, 0.7, 1.4], 200, Dynamics::Metropolis, streams, 0).unwrap()),
        Box::new(DisorderSamples::new(&samples, Dynamics::HeatBath, 0.9, streams, 0).unwrap()),
        Box::new(SquareLattice::new(&model, [8, 8], Dynamics::HeatBath, 0.9, streams, 0).unwrap()),
        Box::new(SquareLattice::torus([20, 44], -(seed as f64), Dynamics::Metropolis, 0.4, streams, 0).unwrap()),
        Box::new(SquareLattice::torus([300, 1024], seed as f64, Dynamics::Metropolis, 0.4, streams, 0).unwrap()),
    ]
}

#[test]
fn a_restored_simulation_goes_on_bit_for_bit() {
    for (k, mut simulation) in engines(1).into_iter().enumerate() {
        simulation.advance(5, &mut ());
        let saved = Checkpoint::from_bytes(&simulation.checkpoint().to_bytes()).unwrap();
        simulation.advance(4, &mut ());
        let later = simulation.checkpoint();
        assert_ne!(later, saved);
        let mut other = engines(1).swap_remove(k);
        other.advance(1, &mut ());
        other.restore(&saved).unwrap();
        assert_eq!((other.checkpoint(), other.sweeps()), (saved.clone(), 5));
        let mut averages = [0, 1].map(|_| Observables::new(simulation.n_spins(), simulation.n_lanes()));
        simulation.restore(&saved).unwrap();
        simulation.run(2, 2, &mut averages[0], &mut ());
        other.run(2, 2, &mut averages[1], &mut ());
        assert_eq!(other.checkpoint(), later);
        assert_eq!(averages[0], averages[1]);

        // Of another instance, of another engine, cut, lengthened: refused, and nothing changes.
        let mut wrong: Vec<Checkpoint> = engines(1).iter().map(|engine| engine.checkpoint()).collect();
        wrong.remove(k);
        wrong.push(engines(2)[k].checkpoint());
        for length in [0, 1, 8, 20, saved.payload.len() - 1, saved.payload.len() + 1] {
            let mut damaged = saved.clone();
            damaged.payload.resize(length, 0);
            wrong.push(damaged);
        }
        let mut damaged = saved.clone();
        damaged.payload[..8].copy_from_slice(&f64::NAN.to_le_bytes());
        wrong.push(damaged);
        let mut damaged = saved.clone();
        damaged.payload[16..].fill(0);
        wrong.push(damaged);
        for wrong in wrong {
            assert!(other.restore(&wrong).is_err(), "engine {k}");
        }
        assert_eq!(other.checkpoint(), later);
    }
}

#[test]
fn fixed_seeds_give_fixed_spins() {
    let hashes: Vec<u64> = engines(1)
        .into_iter()
        .map(|mut simulation| {
            simulation.advance(3, &mut ());
            ContentHash::of_bytes(&simulation.checkpoint().payload)
        })
        .collect();
    assert_eq!(
        hashes,
        [
            1_441_993_633_083_253_835,
            3_251_309_114_088_262_533,
            263_264_438_739_006_072,
            14_597_321_522_796_584_662,
            13_885_930_830_026_220_663,
            7_472_604_041_169_031_395,
            5_815_091_002_267_050_835,
        ]
    );
}

#[test]
fn an_observer_stops_at_a_whole_sweep() {
    let mut lattice = SquareLattice::torus([2048, 2048], 1.0, Dynamics::Metropolis, 0.44, Streams::new(1), 0).unwrap();
    let mut seen = Vec::new();
    let mut observer = |progress: &Progress| {
        seen.push((progress.done, progress.total));
        if progress.done < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let stats = lattice.advance(10, &mut observer);
    assert_eq!(seen, [(1, 10), (2, 10), (3, 10)]);
    assert_eq!((stats.attempted, lattice.sweeps()), (3 << 22, 3));
    assert!(stats.flipped > 0 && stats.flipped == stats.accepted && stats.clusters == 0);
}

#[test]
fn statistics_count_the_spins_that_changed() {
    // One sweep from all up: every spin that is down has changed once.
    for n in [3, 64, 300, 513] {
        let model = Ising::square(6, Boundary::Periodic, 1.0).unwrap();
        for dynamics in DYNAMICS {
            let mut replicas = Replicas::new(&model, n, dynamics, 0.2, Streams::new(1), 0).unwrap();
            (0..n).for_each(|lane| replicas.set_spins(lane, &[1; 36]));
            let stats = replicas.advance(1, &mut ());
            let down: i64 = replicas.magnetizations().iter().map(|m| (36 - m) / 2).sum();
            assert_eq!((stats.attempted, stats.flipped), (36 * n as u64, down as u64));
        }
    }
    for lengths in [[6, 6], [300, 1024]] {
        let mut lattice = SquareLattice::torus(lengths, 1.0, Dynamics::Metropolis, 0.2, Streams::new(1), 0).unwrap();
        let n = lengths[0] * lengths[1];
        lattice.set_spins(&vec![1; n]);
        let stats = lattice.advance(1, &mut ());
        assert_eq!(stats.flipped as i64, (n as i64 - lattice.magnetization()) / 2);
    }
}

#[test]
fn free_spins_at_any_temperature_and_any_spins_at_infinite_temperature_are_random() {
    let free = Ising::builder(70).build().unwrap();
    let square = Ising::square(6, Boundary::Periodic, 1.0).unwrap();
    for (model, beta) in [(&free, 3.0), (&square, 0.0)] {
        for dynamics in DYNAMICS {
            let mut replicas = Replicas::new(model, 512, dynamics, beta, Streams::new(31), 0).unwrap();
            let n = replicas.n_spins();
            (0..512).for_each(|lane| replicas.set_spins(lane, &vec![1; n]));
            let mut sum = 0;
            for _ in 0..40 {
                replicas.advance(1, &mut ());
                sum += replicas.magnetizations().iter().sum::<i64>();
            }
            let deviation = (40.0 * 512.0 * n as f64).sqrt();
            assert!((sum as f64).abs() < 4.0 * deviation, "{dynamics:?}: {sum} for 0 ± {deviation}");
        }
    }
}

#[test]
fn every_engine_forgets_at_once_at_infinite_temperature() {
    // A spin is independent of what it was, and of its neighbours.
    let model = Ising::square(4, Boundary::Periodic, 1.0).unwrap();
    let streams = Streams::new(32);
    for dynamics in DYNAMICS {
        let samples = vec![model.clone(); 2];
        let ladders = TemperingLadders::new(&model, &[0.0, 9.0], 1, dynamics, streams, 0).unwrap();
        let mut engines: Vec<Box<dyn Simulation>> = vec![
            Box::new(Replicas::new(&model, 1, dynamics, 0.0, streams, 0).unwrap()),
            Box::new(ladders.with_swap_interval(u64::MAX).unwrap()),
            Box::new(DisorderSamples::new(&samples, dynamics, 0.0, streams, 0).unwrap()),
            Box::new(SquareLattice::new(&model, [4, 4], dynamics, 0.0, streams, 0).unwrap()),
        ];
        for engine in &mut engines {
            let mut averages = Observables::new(16, engine.n_lanes()).with_coupled_pairs(&model);
            engine.run(20_000, 1, &mut averages, &mut ());
            let hot = averages.lane(0);
            let e = hot.energy();
            // Independent: the variance of the energy is the number of bonds.
            assert!(e.value.abs() < 4.0 * (32.0f64 / 20_000.0).sqrt(), "{dynamics:?}: {e:?}");
            assert!((hot.tau_energy().value - 0.5).abs() < 0.1, "{dynamics:?}: {:?}", hot.tau_energy());
        }
    }
}

#[test]
fn bad_parameters_are_refused_by_name() {
    let model = Ising::square(4, Boundary::Periodic, 1.0).unwrap();
    let streams = Streams::new(1);
    let heat_bath = Dynamics::HeatBath;
    for beta in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.1] {
        let errors = [
            Replicas::new(&model, 64, heat_bath, beta, streams, 0).unwrap_err(),
            TemperingLadders::new(&model, &[0.1, beta], 1, heat_bath, streams, 0).unwrap_err(),
            DisorderSamples::new(std::slice::from_ref(&model), heat_bath, beta, streams, 0).unwrap_err(),
            SquareLattice::new(&model, [4, 4], heat_bath, beta, streams, 0).unwrap_err(),
            SquareLattice::torus([4, 4], 1.0, heat_bath, beta, streams, 0).unwrap_err(),
            Replicas::new(&model, 1, heat_bath, 1.0, streams, 0).unwrap().set_beta(beta).unwrap_err(),
        ];
        assert!(errors.iter().all(|error| matches!(error, Error::Beta { .. })), "{beta}");
    }
    let refused = |error: Error| error.to_string();
    assert_eq!(
        refused(Replicas::new(&model, 0, heat_bath, 1.0, streams, 0).unwrap_err()),
        "number of replicas is 0, expected at least 1"
    );
    assert_eq!(
        refused(TemperingLadders::new(&model, &[0.1], 0, heat_bath, streams, 0).unwrap_err()),
        "number of ladders is 0, expected at least 1"
    );
    let many: Vec<f64> = (0..513).map(f64::from).collect();
    assert_eq!(
        refused(TemperingLadders::new(&model, &many, 1, heat_bath, streams, 0).unwrap_err()),
        "number of temperatures is 513, expected 1 to 512"
    );
    assert_eq!(
        refused(DisorderSamples::new(&[], heat_bath, 1.0, streams, 0).unwrap_err()),
        "number of samples is 0, expected at least 1"
    );
    let ladders = TemperingLadders::new(&model, &[0.1, 0.2], 1, heat_bath, streams, 0).unwrap();
    assert_eq!(refused(ladders.with_swap_interval(0).unwrap_err()), "swap interval is 0, expected at least 1 sweep");
    assert_eq!(
        refused(SquareLattice::torus([4, 5], 1.0, heat_bath, 1.0, streams, 0).unwrap_err()),
        "lattice length is 5, expected an even number of at least 4 on a torus of two colours"
    );
    assert_eq!(
        refused(SquareLattice::torus([4, 4], f64::NAN, heat_bath, 1.0, streams, 0).unwrap_err()),
        "coupling 0 (sites [0, 1]) is NaN, expected a finite number"
    );
    for lengths in [&[8][..], &[], &[4; 5]] {
        assert_eq!(
            refused(SquareLattice::torus(lengths, 1.0, heat_bath, 1.0, streams, 0).unwrap_err()),
            format!("dimension of the lattice is {}, expected 2, 3 or 4", lengths.len())
        );
    }
    assert!(matches!(SquareLattice::new(&model, [4, 0, 4], heat_bath, 1.0, streams, 0), Err(Error::NoSpins)));
    // More than there is: 2^63 replicas, and a lattice of 2^39 sites with 2 bits each.
    for error in [
        Replicas::new(&model, 1 << 60, heat_bath, 1.0, streams, 0).unwrap_err(),
        TemperingLadders::new(&model, &[0.1, 0.2], 1 << 60, heat_bath, streams, 0).unwrap_err(),
        SquareLattice::torus([1 << 20, 1 << 20], 1.0, heat_bath, 1.0, streams, 0).unwrap_err(),
    ] {
        assert!(
            matches!(error, Error::TooLarge { what: "memory in bytes", value, bound, .. } if value > bound),
            "{error}"
        );
    }
    assert!(TemperingLadders::new(&model, &[0.1, 0.2], usize::MAX, heat_bath, streams, 0).is_err());
    assert!(matches!(
        SquareLattice::torus([1 << 40, 4], 1.0, heat_bath, 1.0, streams, 0).unwrap_err(),
        Error::TooLarge { what: "number of spins", .. }
    ));
}

#[test]
fn models_an_engine_cannot_take_are_refused_by_place() {
    let streams = Streams::new(1);
    let gaussian = Ising::builder(4).couplings([(0, 1, 0.31), (1, 2, -1.7), (2, 3, 0.5)]).build().unwrap();
    let field = Ising::builder(4).coupling(0, 1, 1.0).field(2, 0.5).build().unwrap();
    let replicas = |model: &Ising| Replicas::new(model, 1, Dynamics::HeatBath, 1.0, streams, 0).map(|_| ());
    let lattice = |model: &Ising, lengths| {
        SquareLattice::new(model, lengths, Dynamics::HeatBath, 1.0, streams, 0).map(|_| ()).map_err(|e| e.to_string())
    };
    assert_eq!(
        replicas(&gaussian).unwrap_err().to_string(),
        "packed replicas does not apply: coupling 1 (sites 1 and 2) is -1.7, not a multiple of 0.31, the absolute value \
         of coupling 0"
    );
    assert!(replicas(&field).is_ok());
    assert_eq!(
        lattice(&gaussian, [1, 4]).unwrap_err(),
        "packed lattice does not apply: coupling 1 (sites 1 and 2) is -1.7, coupling 0 has the absolute value \
         0.31; all must have the same"
    );
    assert_eq!(
        lattice(&field, [2, 2]).unwrap_err(),
        "packed lattice does not apply: site 2 has the field 0.5, only fields of 0 are possible"
    );
    assert_eq!(lattice(&field, [2, 3]).unwrap_err(), "spins of the model for the lattice: 4 values for 6");
    let cubic = Ising::cubic(4, Boundary::Free, 1.0).unwrap();
    // Two bonds between sites of a periodic direction of two sites: twice as strong.
    let periodic = Lattice::hypercubic(&[2, 4, 4], &[Boundary::Periodic; 3]).unwrap();
    let doubled = Ising::ferromagnet(&periodic, 1.0).unwrap();
    let error = SquareLattice::new(&doubled, [2, 4, 4], Dynamics::HeatBath, 1.0, streams, 0).unwrap_err().to_string();
    assert!(error.ends_with("all must have the same"), "{error}");
    assert_eq!(
        lattice(&cubic, [8, 8]).unwrap_err(),
        "packed lattice does not apply: coupling 1 joins sites 0 and 4, which are no neighbours of different \
         colour on 8 x 8 sites"
    );
    let complete = Ising::complete(18, 1.0).unwrap();
    assert_eq!(
        replicas(&complete).unwrap_err().to_string(),
        "packed replicas does not apply: the couplings and field of site 0 have absolute values of 17 times 1 in all, at \
         most 16 are possible"
    );
    assert!(replicas(&Ising::complete(17, 1.0).unwrap()).is_ok());

    let samples = |b: Ising| {
        let a = Ising::builder(3).couplings([(0, 1, 1.0), (1, 2, -1.0)]).field(1, 1.0).build().unwrap();
        DisorderSamples::new(&[a.clone(), a, b], Dynamics::HeatBath, 1.0, streams, 0).unwrap_err().to_string()
    };
    let base = || Ising::builder(3).coupling(0, 1, -1.0);
    for (model, reason) in [
        (base().field(1, 1.0), "sample 2 has 1 couplings, sample 0 has 2"),
        (
            base().coupling(1, 2, 2.0).field(1, -1.0),
            "coupling 1 of sample 2 joins sites 1 and 2 with the absolute value 2, in sample 0 sites 1 and 2 with 1",
        ),
        (
            base().coupling(1, 2, 1.0).coupling(0, 2, 1.0).field(1, 1.0),
            "coupling 2 of sample 2 joins sites 0 and 2, sample 0 has only 2 couplings",
        ),
        (
            base().coupling(1, 2, 1.0).field(0, 1.0),
            "the field of site 0 of sample 2 has the absolute value 1, in sample 0 0",
        ),
        (Ising::builder(4), "sample 2 has 4 spins, sample 0 has 3"),
    ] {
        assert_eq!(samples(model.build().unwrap()), format!("packed samples does not apply: {reason}"));
    }
}

#[test]
fn engines_can_be_sent_between_threads() {
    fn check<T: Send + Sync>() {}
    check::<Replicas>();
    check::<TemperingLadders>();
    check::<DisorderSamples>();
    check::<SquareLattice>();
    check::<InstructionSet>();
}

/// Without coupling, or with one that vanishes beside 1/β, Metropolis has no field to follow: N⟨m²⟩ = 1, from 2000 sweeps
/// of 64 x 64 sites at seed 5, z below 4; the variance of N m² is 2.
#[test]
fn spins_without_coupling_are_random() {
    for (j, beta) in [(0.0, 1.0), (1e-200, 1e-200)] {
        let mut lattice = SquareLattice::torus([64, 64], j, Dynamics::Metropolis, beta, Streams::new(5), 0).unwrap();
        lattice.advance(10, &mut ());
        let mut sum = 0.0;
        for _ in 0..2000 {
            lattice.advance(1, &mut ());
            sum += (lattice.magnetization() as f64).powi(2) / 4096.0 / 2000.0;
        }
        let z = (sum - 1.0) / (2.0f64 / 2000.0).sqrt();
        assert!(z.abs() < 4.0, "J = {j}: {sum}");
    }
}
