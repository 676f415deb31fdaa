//! Global proposals of a network inside chains and parallel tempering.

use linalg_core::Streams;
use linalg_core::stats::Estimate;
use spin_models::mcmc::{Chain, HeatBath, Ladder, Observables, ParallelTempering, ParallelTemperingParams};
use spin_models::rand::RngExt;
use spin_models::{Boundary, Enumeration, Ising, Quantities, Simulation, Solve};
use variational::autoregressive::{Made, MadeParams, TwoBody, TwoBodyParams};
use variational::van::GlobalMove;

/// A glass of 4 x 4 sites with fields.
fn glass() -> Ising {
    let lattice = Ising::square(4, Boundary::Free, 1.0).unwrap();
    let mut rng = Streams::new(11).stream(0);
    let mut uniform = || 2.0 * rng.random::<f64>() - 1.0;
    let couplings: Vec<_> = lattice.couplings().map(|(i, j, _)| (i, j, 2.0 * uniform())).collect();
    Ising::builder(16).couplings(couplings).fields((0..16).map(|_| 0.2 * uniform())).build().unwrap()
}

#[test]
fn every_temperature_keeps_its_distribution() {
    let model = glass();
    let network = TwoBody::<f32>::new(&model, 1.5, TwoBodyParams::default()).unwrap();
    let run = |threads: usize| {
        let kernel = GlobalMove::new(HeatBath::default(), &network, 0.3).unwrap().with_from_beta(0.6).unwrap();
        let ladder = Ladder::linear(0.4, 1.5, 4).unwrap();
        let params = ParallelTemperingParams::default().with_threads(threads);
        let mut tempering = ParallelTempering::new(&model, kernel, ladder, params, Streams::new(5)).unwrap();
        let mut averages = Observables::new(16, 4);
        tempering.advance(200, &mut ());
        tempering.run(15_000, 1, &mut averages, &mut ());
        let betas: Vec<f64> = (0..4).map(|lane| tempering.beta(lane)).collect();
        let lanes: Vec<_> = (0..4)
            .map(|lane| (averages.lane(lane).energy_per_spin(), averages.lane(lane).magnetization_per_spin()))
            .collect();
        (betas, lanes)
    };
    let (betas, lanes) = run(1);
    for (beta, (energy, m)) in betas.iter().zip(&lanes) {
        let exact = Enumeration::default().solve(&model, *beta, Quantities::all(), &mut ()).unwrap();
        // Seed 5, 15 000 sweeps, 4 standard errors.
        let near = |a: Estimate, b: f64| assert!(a.z_score(&Estimate::exact(b)).abs() < 4.0, "{beta}: {a} against {b}");
        near(*energy, exact.energy.unwrap().value / 16.0);
        near(*m, exact.magnetizations.unwrap().iter().map(|m| m.value).sum::<f64>() / 16.0);
    }
    let (_, threaded) = run(3);
    for (a, b) in lanes.iter().zip(&threaded) {
        assert_eq!((a.0.value.to_bits(), a.1.value.to_bits()), (b.0.value.to_bits(), b.1.value.to_bits()));
    }
}

#[test]
fn proposals_cross_where_single_flips_do_not() {
    // A cold ferromagnet: heat bath stays where it began, with proposals both signs are as likely.
    let (model, beta) = (Ising::square(4, Boundary::Periodic, 1.0).unwrap(), 0.9);
    let network = TwoBody::<f32>::new(&model, beta, TwoBodyParams::default()).unwrap();
    let magnetization = |probability: f64| {
        let kernel = GlobalMove::new(HeatBath::default(), &network, probability).unwrap();
        let mut chain = Chain::new(&model, kernel, beta, Streams::new(2), 0).unwrap();
        let mut averages = Observables::new(16, 1);
        chain.run(4000, 1, &mut averages, &mut ());
        averages.magnetization_per_spin().value
    };
    let (stuck, free) = (magnetization(0.0), magnetization(0.5));
    assert!(stuck.abs() > 0.9 && free.abs() < 0.2, "{stuck} {free}");
}

#[test]
fn bad_input_is_named() {
    let network = Made::<f64>::new(4, MadeParams::default()).unwrap();
    let refuse = |p| GlobalMove::new(HeatBath::default(), &network, p).unwrap_err().to_string();
    assert_eq!(refuse(1.5), "probability is 1.5, expected a number from 0 to 1");
    assert!(refuse(f64::NAN).starts_with("probability is NaN"));
    let kernel = GlobalMove::new(HeatBath::default(), &network, 0.5).unwrap();
    assert!(kernel.with_from_beta(f64::NAN).is_err());
}
