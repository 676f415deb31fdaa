use super::*;
use crate::exact::Kaufman;
use crate::mcmc::cluster::SwendsenWang;
use crate::mcmc::{Chain, HeatBath};
use crate::model::{EnergyModel, Simulation};
use crate::models::{Boundary, Disorder, Ising, Lattice};
use crate::{Error, Spins};
use linalg_core::Streams;
use linalg_core::stats::{Estimate, Running};

fn glass() -> Ising {
    let lattice = Lattice::rectangle([3, 4], [Boundary::Periodic; 2]).unwrap();
    Ising::edwards_anderson(&lattice, Disorder::plus_minus(), &mut Streams::new(2).stream(0)).unwrap()
}

/// ln Z, mean energy, heat capacity, ⟨|m|⟩ and ⟨m⁴⟩/⟨m²⟩² by enumeration.
fn exact(model: &Ising, beta: f64) -> [f64; 5] {
    let n = model.n_spins();
    let mut sums = [0.0; 6];
    for state in 0..1u64 << n {
        let s = Spins::from_state(state, n);
        let (e, m) = (model.energy(&s), s.magnetization_per_spin());
        let w = (-beta * e).exp();
        for (sum, x) in sums.iter_mut().zip([1.0, e, e * e, m.abs(), m * m, m.powi(4)]) {
            *sum += w * x;
        }
    }
    let [z, e, e2, m, m2, m4] = sums;
    let (e, e2) = (e / z, e2 / z);
    [z.ln(), e, beta * beta * (e2 - e * e), m / z, m4 * z / (m2 * m2)]
}

fn record(model: &Ising, beta: f64, sweeps: usize, streams: Streams, unit: u64) -> EnergySeries {
    let mut chain = Chain::new(model, HeatBath::default(), beta, streams, unit).unwrap();
    chain.advance(200, &mut ());
    let mut rows = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..sweeps {
        chain.advance(1, &mut ());
        let m = chain.spins().magnetization_per_spin();
        let values = [chain.energy(), m.abs(), m * m, m.powi(4)];
        rows.iter_mut().zip(values).for_each(|(row, x)| row.push(x));
    }
    let [energies, a, b, c] = rows;
    let series = EnergySeries::new(beta, energies).unwrap();
    series.with_observable(a).unwrap().with_observable(b).unwrap().with_observable(c).unwrap()
}

fn joined(model: &Ising, betas: &[f64], sweeps: usize, seed: u64) -> Mbar {
    let series = betas.iter().enumerate().map(|(k, &beta)| record(model, beta, sweeps, Streams::new(seed), k as u64));
    Mbar::new(series.collect(), &ReweightingParams::default()).unwrap()
}

fn estimates(mbar: &Mbar, beta: f64) -> [Estimate; 5] {
    let at = mbar.at(beta).unwrap();
    [
        mbar.ln_z_difference(0.3, beta).unwrap(),
        at.energy(),
        at.heat_capacity(),
        at.observable(0),
        at.function(|m| m[2] / (m[1] * m[1])),
    ]
}

#[test]
fn averages_of_a_small_glass_are_those_of_enumeration() {
    let model = glass();
    // Out of order, and one β twice.
    let mbar = joined(&model, &[0.9, 0.3, 0.6, 0.6], 20_000, 5);
    assert!(mbar.report().converged && mbar.report().iterations < 20, "{:?}", mbar.report());
    assert_eq!(mbar.betas(), [0.3, 0.6, 0.6, 0.9]);
    for beta in [0.2, 0.3, 0.45, 0.6, 0.75, 0.9, 1.0] {
        let mut expected = exact(&model, beta);
        expected[0] -= exact(&model, 0.3)[0];
        for (k, (estimate, exact)) in estimates(&mbar, beta).into_iter().zip(expected).enumerate() {
            let z = estimate.z_score(&Estimate::exact(exact));
            assert!(z.abs() < 4.5, "quantity {k} at beta {beta}: {estimate} for {exact}");
            assert!(estimate.std_error.unwrap() < 0.02 * exact.abs().max(1.0), "{k} at {beta}: {estimate}");
        }
    }
}

#[test]
fn errors_are_the_scatter_of_repeated_runs() {
    let model = glass();
    let betas = [0.4, 0.45, 0.8];
    let (mut values, mut errors) = (vec![Running::new(); 15], vec![Running::new(); 15]);
    for seed in 0..60 {
        let mbar = joined(&model, &[0.3, 0.7], 1500, 100 + seed);
        let all = betas.iter().flat_map(|&beta| estimates(&mbar, beta));
        for (k, estimate) in all.enumerate() {
            values[k].push(estimate.value);
            errors[k].push(estimate.std_error.unwrap().powi(2));
        }
    }
    for (k, (values, errors)) in values.iter().zip(&errors).enumerate() {
        // The scatter of 60 runs is known to 9 %.
        let ratio = errors.mean().sqrt() / values.std_dev();
        assert!((0.7..1.4).contains(&ratio), "quantity {k}: errors {ratio} times the scatter");
    }
}

#[test]
fn one_series_is_the_single_histogram_method() {
    let model = glass();
    let series = record(&model, 0.5, 4000, Streams::new(3), 0);
    let mbar = Mbar::new(vec![series.clone()], &ReweightingParams::default()).unwrap();
    for beta in [0.4, 0.5, 0.7] {
        let weights: Vec<f64> = series.energies().iter().map(|e| (-(beta - 0.5) * e).exp()).collect();
        let total: f64 = weights.iter().sum();
        let mean = weights.iter().zip(series.energies()).map(|(w, e)| w * e).sum::<f64>() / total;
        let at = mbar.at(beta).unwrap();
        approx::assert_relative_eq!(at.energy().value, mean, max_relative = 1e-11);
        let ln_ratio = mbar.ln_z_difference(0.5, beta).unwrap();
        approx::assert_abs_diff_eq!(ln_ratio.value, (total / 4000.0).ln(), epsilon = 1e-11);
        let squares = weights.iter().map(|w| (w / total).powi(2)).sum::<f64>() * mbar.inefficiencies()[0];
        approx::assert_relative_eq!(at.effective_samples(), 1.0 / squares, max_relative = 1e-10);
    }
    assert_eq!(mbar.ln_z_difference(0.5, 0.5).unwrap(), Estimate::new(0.0, 0.0));
    // Far beyond the data only the ground states count.
    let lowest = series.energies().iter().copied().fold(f64::INFINITY, f64::min);
    let grounds = series.energies().iter().filter(|&&e| e < lowest + 0.5).count() as f64;
    let effective = mbar.at(30.0).unwrap().effective_samples();
    approx::assert_relative_eq!(effective, grounds / mbar.inefficiencies()[0], max_relative = 1e-9);
}

#[test]
fn histograms_give_what_the_series_give() {
    let model = glass();
    let mbar = joined(&model, &[0.3, 0.6, 0.9], 20_000, 7);
    let histograms: Vec<EnergyHistogram> = (0..3)
        .map(|k| {
            let histogram = EnergyHistogram::from_energies(mbar.betas()[k], mbar.series[k].energies(), 0.0).unwrap();
            histogram.with_inefficiency(mbar.inefficiencies()[k]).unwrap()
        })
        .collect();
    let wham = Wham::new(&histograms, &ReweightingParams::default()).unwrap();
    for beta in [0.1, 0.3, 0.5, 0.9, 1.1] {
        let at = mbar.at(beta).unwrap();
        let pairs = [
            (at.energy(), wham.energy(beta).unwrap()),
            (at.heat_capacity(), wham.heat_capacity(beta).unwrap()),
            (mbar.ln_z_difference(0.3, beta).unwrap(), wham.ln_z_difference(0.3, beta).unwrap()),
        ];
        for (a, b) in pairs {
            approx::assert_abs_diff_eq!(a.value, b.value, epsilon = 1e-7);
            // The inefficiency is that of the slowest of four observables: an upper bound.
            let ratio = b.std_error.unwrap() / a.std_error.unwrap();
            assert!((beta - 0.3).abs() < 1e-9 || (0.7..2.5).contains(&ratio), "{a} and {b} at {beta}");
        }
        approx::assert_relative_eq!(at.effective_samples(), wham.effective_samples(beta).unwrap(), max_relative = 1e-6);
    }
}

#[test]
fn density_of_states_of_a_small_glass() {
    let model = glass();
    let mut states = std::collections::BTreeMap::new();
    for state in 0..1u64 << 12 {
        *states.entry(model.energy(&Spins::from_state(state, 12)).round() as i64).or_insert(0u32) += 1;
    }
    let histograms: Vec<EnergyHistogram> = [0.0, 0.4, 0.8]
        .iter()
        .enumerate()
        .map(|(k, &beta)| {
            let series = record(&model, beta, 20_000, Streams::new(21), k as u64);
            let histogram = EnergyHistogram::from_energies(beta, series.energies(), 1.0).unwrap();
            histogram.with_inefficiency(2.0 * series.autocorrelation_time()).unwrap()
        })
        .collect();
    let wham = Wham::new(&histograms, &ReweightingParams::default()).unwrap();
    let density = wham.ln_density_of_states(12.0 * 2f64.ln());
    assert!(density.len() >= states.len() - 2);
    for (energy, ln_g) in density {
        let exact = f64::from(states[&(energy.round() as i64)]).ln();
        assert!(ln_g.z_score(&Estimate::exact(exact)).abs() < 4.5, "energy {energy}: {ln_g} for {exact}");
    }
}

#[test]
fn square_lattice_against_kaufman() {
    let l = 16;
    let model = Ising::square(l, Boundary::Periodic, 1.0).unwrap();
    let betas = [0.41, 0.43, 0.45];
    let series = betas.iter().enumerate().map(|(k, &beta)| {
        let kernel = SwendsenWang::new(&model, beta).unwrap();
        let mut chain = Chain::new(&model, kernel, beta, Streams::new(4), k as u64).unwrap();
        chain.advance(200, &mut ());
        let mut next = || {
            chain.advance(1, &mut ());
            chain.energy()
        };
        EnergySeries::new(beta, (0..8000).map(|_| next()).collect()).unwrap()
    });
    let mbar = Mbar::new(series.collect(), &ReweightingParams::default()).unwrap();
    let torus = Kaufman::isotropic(l, l, 1.0).unwrap();
    let zero = torus.at(0.41).unwrap().ln_z;
    let mut peak = (0.0, f64::NEG_INFINITY);
    let mut exact_peak = peak;
    for k in 0..=24 {
        let beta = 0.4 + 0.0025 * f64::from(k);
        let (at, sums) = (mbar.at(beta).unwrap(), torus.at(beta).unwrap());
        let heat = at.heat_capacity();
        for (estimate, exact) in [
            (at.energy(), sums.energy),
            (heat, sums.heat_capacity),
            (mbar.ln_z_difference(0.41, beta).unwrap(), sums.ln_z - zero),
        ] {
            // Rounding of ln Z where both β are the same.
            let near = (estimate.value - exact).abs() < 1e-10;
            let z = estimate.z_score(&Estimate::exact(exact));
            assert!(near || z.abs() < 4.0, "beta {beta}: {estimate} for {exact}");
        }
        if heat.value > peak.1 {
            peak = (beta, heat.value);
        }
        if sums.heat_capacity > exact_peak.1 {
            exact_peak = (beta, sums.heat_capacity);
        }
    }
    // The peak is flat: a tenth of its width.
    assert!((peak.0 - exact_peak.0).abs() < 0.006, "peak at {} for {}", peak.0, exact_peak.0);
    assert!((peak.1 / exact_peak.1 - 1.0).abs() < 0.05);
}

#[test]
fn what_cannot_be_joined_is_refused() {
    let params = ReweightingParams::default();
    let flat = |beta: f64, low: f64| {
        let energies = (0..200u32).map(|k| low + f64::from(k.wrapping_mul(2654435761) >> 30)).collect();
        EnergySeries::new(beta, energies).unwrap()
    };
    assert!(Mbar::new(vec![], &params).unwrap_err().to_string().contains("number of series is 0"));
    // Energies about -100 at β = 1 and about 100 at β = 0.5: both states are impossible at the other β.
    let error = Mbar::new(vec![flat(1.0, -1000.0), flat(0.5, 1000.0), flat(0.4, 1000.5)], &params).unwrap_err();
    assert!(matches!(error, Error::NoOverlap { solver: "mbar", lower: 0.5, upper: 1.0, .. }), "{error}");
    let counts = |beta, energy| EnergyHistogram::new(beta, [(energy, 100)]).unwrap();
    let error = Wham::new(&[counts(0.1, 500.0), counts(2.0, -500.0)], &params).unwrap_err();
    assert!(matches!(error, Error::NoOverlap { solver: "wham", lower: 0.1, upper: 2.0, .. }), "{error}");
    assert!(matches!(EnergySeries::new(f64::NAN, vec![1.0]), Err(Error::Beta { .. })));
    assert!(matches!(EnergySeries::new(1.0, vec![]), Err(Error::Parameter { .. })));
    let bad = EnergySeries::new(1.0, vec![0.0, f64::INFINITY]);
    assert!(matches!(bad, Err(Error::NotFinite { what: "energy", entry: 1, .. })));
    assert!(matches!(flat(1.0, 0.0).with_observable(vec![1.0]), Err(Error::WrongLength { got: 1, expected: 200, .. })));
    assert!(flat(1.0, 0.0).with_observable(vec![f64::NAN; 200]).is_err());
    let more = flat(1.0, 0.0).with_observable(vec![1.0; 200]).unwrap();
    assert!(matches!(Mbar::new(vec![flat(1.0, 0.0), more], &params), Err(Error::WrongLength { .. })));
    for tolerance in [0.0, f64::NAN] {
        assert!(Mbar::new(vec![flat(1.0, 0.0)], &params.clone().with_tolerance(tolerance)).is_err());
    }
    assert!(Wham::new(&[], &params).is_err() && EnergyHistogram::new(0.1, [(1.0, 0)]).is_err());
    assert!(EnergyHistogram::new(0.1, [(f64::NAN, 1)]).is_err() && counts(0.1, 1.0).with_inefficiency(0.5).is_err());
    assert!(EnergyHistogram::from_energies(0.1, &[1.0], -1.0).is_err());
    let mbar = Mbar::new(vec![flat(1.0, 0.0)], &params).unwrap();
    assert!(mbar.at(f64::NAN).is_err() && mbar.ln_z_difference(0.0, f64::INFINITY).is_err());
}

#[test]
fn constant_short_and_huge_series() {
    let params = ReweightingParams::default();
    let constant = Mbar::new(vec![EnergySeries::new(0.3, vec![-2.0; 500]).unwrap()], &params).unwrap();
    let at = constant.at(1.3).unwrap();
    assert_eq!(at.energy(), Estimate::new(-2.0, 0.0));
    approx::assert_relative_eq!(constant.ln_z_difference(0.3, 1.3).unwrap().value, 2.0, max_relative = 1e-12);
    let single = Mbar::new(vec![EnergySeries::new(0.3, vec![-2.0]).unwrap()], &params).unwrap();
    assert_eq!(single.at(0.3).unwrap().energy().std_error, Some(f64::INFINITY));
    // An offset of 10¹² costs neither energies nor weights their digits.
    let model = glass();
    let plain = record(&model, 0.5, 4000, Streams::new(3), 0);
    let moved = EnergySeries::new(0.5, plain.energies().iter().map(|e| e + 1e12).collect()).unwrap();
    let plain = EnergySeries::new(0.5, plain.energies().to_vec()).unwrap();
    let [a, b] = [plain, moved].map(|series| Mbar::new(vec![series], &params).unwrap().at(0.6).unwrap());
    approx::assert_relative_eq!(a.heat_capacity().value, b.heat_capacity().value, max_relative = 1e-3);
    approx::assert_relative_eq!(a.energy().value, b.energy().value - 1e12, epsilon = 1e-3);
    // Too few iterations are reported.
    let series = [0.2, 0.9].map(|beta| record(&model, beta, 4000, Streams::new(3), 0)).to_vec();
    let report = Mbar::new(series, &params.with_max_iterations(1)).unwrap().report().clone();
    assert!(!report.converged && report.iterations == 1 && report.residual > 1e-10);
}
