//! Against closed forms and strips.

#![allow(clippy::float_cmp, reason = "signs and special cases are exact")]

use std::ops::ControlFlow;

use super::{CornerTransfer, CornerTransferReport};
use crate::exact::onsager::CRITICAL_COUPLING;
use crate::exact::{Onsager, UniformRow};
use crate::model::{Kind, Progress};
use crate::{Boundary, Error};

fn limit(chi: usize, couplings: [f64; 2], field: f64) -> CornerTransferReport {
    CornerTransfer::new(chi).infinite(couplings, field, &mut ()).expect("finite numbers")
}

fn close(a: f64, b: f64, tolerance: f64) {
    assert!((a - b).abs() <= tolerance, "{a} and {b} differ by {:e}, at most {tolerance:e}", a - b);
}

/// Errors of ln Z per site, magnetization and energy per site, against Onsager.
fn errors(got: &CornerTransferReport, couplings: [f64; 2]) -> [f64; 3] {
    let exact = Onsager::new(couplings[0], couplings[1]).expect("finite");
    let at = exact.at(1.0).expect("finite");
    let energy = -couplings[0] * got.correlations[0] - couplings[1] * got.correlations[1];
    [
        (got.ln_z_per_site.value - at.ln_z_per_site).abs(),
        (got.order_parameter - exact.order_parameter(1.0).expect("finite")).abs(),
        (energy - at.energy_per_site).abs(),
    ]
}

#[test]
fn more_states_converge_to_onsager_and_yang() {
    for (couplings, last) in [([0.5, 0.5], 16), ([0.4, 0.4], 24), ([0.9, 0.25], 16), ([0.2, 0.7], 24)] {
        let mut before = f64::INFINITY;
        for chi in [2, 4, 8] {
            let got = limit(chi, couplings, 0.0);
            let [f, m, energy] = errors(&got, couplings);
            assert!(got.converged && got.bond_dimension == chi);
            assert_eq!(got.ln_z_per_site.kind, Kind::Approximation { converged: true, residual: got.discarded_weight });
            // The discarded weight tells the error, and both fall at least thirtyfold from one χ to the next.
            assert!(f <= 10.0 * got.discarded_weight + 1e-12, "{couplings:?} {chi}: {f:e} {:e}", got.discarded_weight);
            assert!(f > 1e-3 * got.discarded_weight - 1e-12, "{couplings:?} {chi}: {f:e} {:e}", got.discarded_weight);
            assert!(
                m.max(energy) <= 3.0 * got.discarded_weight.sqrt() + 1e-10,
                "{couplings:?} {chi}: {m:e} {energy:e}"
            );
            assert!(got.discarded_weight < before / 30.0, "{couplings:?} {chi}: {:e}", got.discarded_weight);
            before = got.discarded_weight;
        }
        let got = limit(last, couplings, 0.0);
        let [f, m, energy] = errors(&got, couplings);
        assert!(f < 1e-13 && m < 2e-11 && energy < 2e-11, "{couplings:?}: {f:e} {m:e} {energy:e}");
    }
}

#[test]
fn critical_point_converges_in_the_number_of_states() {
    let couplings = [CRITICAL_COUPLING; 2];
    let mut before = [f64::INFINITY; 2];
    for chi in [2, 4, 8] {
        let got = limit(chi, couplings, 0.0);
        let [f, m, _] = errors(&got, couplings);
        assert!(got.converged && f < 0.1 * before[0] && m < before[1], "{chi}: {f:e} {m}");
        before = [f, m];
    }
    assert!(before[0] < 1e-6);
    // Too few steps are not hidden.
    let short = CornerTransfer::new(8).max_steps(100).infinite(couplings, 0.0, &mut ()).expect("finite");
    assert!(!short.converged && short.residual > 1e-12 && short.steps == 100);
    assert!(matches!(short.ln_z_per_site.kind, Kind::Approximation { converged: false, .. }));
}

#[test]
fn fields_agree_with_wide_strips() {
    for (couplings, field) in [([0.2, 0.3], 0.4), ([0.5, 0.4], 0.5), ([0.3, 0.15], -0.6)] {
        let got = limit(16, couplings, field);
        let strip = |field: f64, k: f64| {
            let row = UniformRow::new(14, Boundary::Periodic, k, couplings[1], field).expect("a row");
            row.infinite(&mut ()).expect("it converges").ln_z_per_site
        };
        // Around the strip correlations decay to e^{-14 / ξ}, below 1e-8 here.
        close(got.ln_z_per_site.value, strip(field, couplings[0]), 1e-10);
        // Derivatives of ln Z by a difference of fourth order: its error is about 1e-12 / 1e-3 from rounding.
        let h = 2e-3;
        let slope = |f: &dyn Fn(f64) -> f64| (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h);
        close(got.magnetization, slope(&|x| strip(field + x, couplings[0])), 1e-8);
        close(got.correlations[0], slope(&|x| strip(field, couplings[0] + x)), 1e-8);
        close(got.order_parameter, got.magnetization, 0.0);
    }
}

#[test]
fn chains_and_free_spins() {
    let (k, h) = (0.6f64, 0.35f64);
    let root = ((2.0 * k).exp() * h.sinh().powi(2) + (-2.0 * k).exp()).sqrt();
    let [first, second] = [root, -root].map(|root| k.exp() * h.cosh() + root);
    let m = k.exp() * h.sinh() / root;
    let along = m * m + (1.0 - m * m) * second / first;
    for (couplings, along_first) in [([k, 0.0], true), ([0.0, k], false)] {
        for field in [h, -h] {
            let got = limit(4, couplings, field);
            close(got.ln_z_per_site.value, first.ln(), 1e-14);
            close(got.magnetization, m.copysign(field), 1e-11);
            let [with, across] =
                if along_first { got.correlations } else { [got.correlations[1], got.correlations[0]] };
            close(with, along, 1e-11);
            close(across, m * m, 1e-11);
        }
    }
    let alone = limit(1, [0.0, 0.0], 0.0);
    close(alone.ln_z_per_site.value, 2f64.ln(), 1e-15);
    assert_eq!((alone.magnetization, alone.correlations), (0.0, [0.0, 0.0]));
}

#[test]
fn signs_of_couplings_are_a_change_of_variables() {
    let plain = limit(8, [0.6, 0.4], 0.0);
    let signed = limit(8, [-0.6, 0.4], 0.0);
    assert_eq!(plain.ln_z_per_site, signed.ln_z_per_site);
    assert_eq!((signed.magnetization, signed.order_parameter), (0.0, plain.magnetization));
    assert_eq!(signed.correlations, [-plain.correlations[0], plain.correlations[1]]);
    let up = limit(8, [0.3, 0.4], 0.1);
    let down = limit(8, [0.3, 0.4], -0.1);
    assert_eq!((up.ln_z_per_site, up.magnetization), (down.ln_z_per_site, -down.magnetization));
}

#[test]
fn extreme_numbers() {
    for (couplings, field) in [([50.0, 40.0], 0.0), ([50.0, 40.0], -1e5), ([1e300, 0.0], 0.0), ([0.0, 0.0], 1e200)] {
        let got = limit(6, couplings, field);
        let expected = couplings[0] + couplings[1] + f64::abs(field);
        assert!(got.converged, "{couplings:?} {field}");
        close(got.ln_z_per_site.value, expected, 1e-15 * expected);
        close(got.magnetization.abs(), 1.0, 1e-14);
    }
    // Weak couplings: ln Z / N = ln 2 + K²; correlations K.
    let weak = limit(4, [1e-5, 1e-300], 0.0);
    close(weak.ln_z_per_site.value, 2f64.ln(), 1e-9);
    close(weak.correlations[0], 1e-5, 1e-14);
    close(weak.correlations[1], 0.0, 1e-14);
}

#[test]
fn refusals_and_stops() {
    let solver = CornerTransfer::default();
    for (couplings, field) in [([f64::NAN, 0.1], 0.0), ([0.1, f64::INFINITY], 0.0), ([0.1, 0.1], f64::NAN)] {
        let got = solver.infinite(couplings, field, &mut ());
        assert!(matches!(got, Err(Error::Parameter { what: "couplings and field", .. })), "{got:?}");
    }
    let error = solver.infinite([0.2, -0.3], 0.1, &mut ()).expect_err("two kinds of sites").to_string();
    assert!(error.contains("0.1") && error.contains("-0.3"), "{error}");
    let mut seen = 0;
    let mut observer = |progress: &Progress| {
        seen += 1;
        assert_eq!((progress.done + 1, progress.total), (seen, 10_000));
        if progress.done == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let stopped = solver.infinite([0.4, 0.4], 0.0, &mut observer);
    assert!(matches!(stopped, Err(Error::Stopped { solver: "corner-transfer", done: 3, total: 10_000 })));
}
