//! Lattices of equal rows: Kaufman's closed forms, and the site-by-site transfer matrix.

use std::f64::consts::PI;

use approx::{assert_abs_diff_eq, assert_relative_eq};
use spin_models::exact::{UniformRow, homogeneous_torus};
use spin_models::{Boundary, Duplicates, Error, Ising, LogPartition, TransferMatrix};

/// `γ_j` of B. Kaufman, Phys. Rev. 76, 1232 (1949), isotropic; `γ_0` changes its sign at the critical point.
fn gamma(j: usize, width: usize, k: f64) -> f64 {
    match j {
        0 => 2.0 * k + k.tanh().ln(),
        _ => ((2.0 * k).cosh().powi(2) / (2.0 * k).sinh() - (PI * j as f64 / width as f64).cos()).acosh(),
    }
}

/// ln Z of the torus, scaled by the leading factor so that long tori do not overflow.
fn kaufman(width: usize, length: usize, k: f64) -> f64 {
    let product = |first: usize, sign: f64| {
        let mut factors = 1.0;
        let mut exponent = 0.0;
        for r in 0..width {
            let half = 0.5 * length as f64 * gamma(2 * r + first, width, k);
            exponent += half.abs();
            let factor = 1.0 + sign * (-2.0 * half.abs()).exp();
            factors *= if sign < 0.0 && half < 0.0 { -factor } else { factor };
        }
        (factors, exponent)
    };
    let terms = [product(1, 1.0), product(1, -1.0), product(0, 1.0), product(0, -1.0)];
    let top = terms.iter().map(|term| term.1).fold(0.0, f64::max);
    let sum: f64 = terms.iter().map(|&(factor, exponent)| factor * (exponent - top).exp()).sum();
    0.5 * (width * length) as f64 * (2.0 * (2.0 * k).sinh()).ln() - std::f64::consts::LN_2 + top + sum.ln()
}

const K_C: f64 = 0.440_686_793_509_771_5;

#[test]
fn published_tori() {
    // Kaufman's formula evaluated with 60 digits.
    let reference = [
        (4, 0.2, 11.771_470_358_541_581),
        (4, 0.4, 14.561_093_023_844_043),
        (4, K_C, 15.521_915_458_755_283),
        (4, 0.5, 17.105_367_118_731_582),
        (4, 1.0, 32.698_721_401_879_325),
        (8, 0.2, 47.010_147_422_388_27),
        (8, 0.4, 56.599_388_760_425_37),
        (8, K_C, 60.141_780_789_069_15),
        (8, 0.5, 66.344_581_879_227_8),
        (8, 1.0, 128.715_437_337_408_42),
    ];
    for (l, k, ln_z) in reference {
        let value = homogeneous_torus(l, l, k, k, 0.0).unwrap().value;
        assert_relative_eq!(value, ln_z, max_relative = 1e-13);
        assert_relative_eq!(kaufman(l, l, k), ln_z, max_relative = 1e-13);
    }
}

#[test]
fn rectangular_tori() {
    for (width, length) in [(2, 2), (2, 3), (3, 2), (5, 9), (7, 100), (10, 3), (11, 1000), (4, 100_000)] {
        for k in [0.05, 0.4, K_C, 0.6, 1.5] {
            let value = homogeneous_torus(width, length, k, k, 0.0).unwrap().value;
            assert_relative_eq!(value, kaufman(width, length, k), max_relative = 1e-12);
        }
    }
}

fn ising(width: usize, length: usize, around: Boundary, k: [f64; 2], field: f64) -> Ising {
    let mut builder = Ising::builder(width * length).duplicates(Duplicates::Sum).fields(vec![field; width * length]);
    for r in 0..length {
        for c in 0..width {
            if around == Boundary::Periodic || c + 1 < width {
                builder = builder.coupling(r * width + c, r * width + (c + 1) % width, k[0]);
            }
            builder = builder.coupling(r * width + c, (r + 1) % length * width + c, k[1]);
        }
    }
    builder.build().unwrap()
}

#[test]
fn fields_signs_and_boundaries_against_the_sum_over_sites() {
    for around in [Boundary::Periodic, Boundary::Free] {
        for (width, length) in [(2, 2), (3, 4), (4, 3), (5, 5), (6, 2)] {
            for (k, field) in [([0.3, 0.7], 0.2), ([-0.4, 0.5], 0.0), ([0.3, -0.6], 0.1), ([-0.5, -0.8], -0.9)] {
                let row = UniformRow::new(width, around, k[0], k[1], field).unwrap();
                let model = ising(width, length, around, k, field);
                let exact = TransferMatrix::default().ln_z(&model, 1.0).unwrap().value;
                assert_relative_eq!(row.torus(length).unwrap().value, exact, max_relative = 1e-13);
            }
        }
    }
}

#[test]
fn infinite_strips_against_kaufman() {
    // λ_0 belongs to the odd γ, λ_1 to the even ones.
    for width in [2, 3, 6, 10, 13] {
        for k in [0.2, 0.4, K_C, 0.5, 0.8] {
            let sum = |first: usize| 0.5 * (0..width).map(|r| gamma(2 * r + first, width, k)).sum::<f64>();
            let row = UniformRow::new(width, Boundary::Periodic, k, k, 0.0).unwrap();
            let limit = row.infinite(&mut ()).unwrap();
            assert!(limit.converged, "residual {} at width {width}, K = {k}", limit.residual);
            let ln_lambda = 0.5 * width as f64 * (2.0 * (2.0 * k).sinh()).ln() + sum(1);
            assert_relative_eq!(limit.ln_z_per_row, ln_lambda, max_relative = 1e-13);
            assert_relative_eq!(limit.ln_z_per_site, ln_lambda / width as f64, max_relative = 1e-13);
            // The gap is a difference of logarithms: absolute accuracy.
            assert_abs_diff_eq!(1.0 / limit.correlation_length, sum(1) - sum(0), epsilon = 1e-12);
        }
    }
}

#[test]
fn infinite_strips_are_limits_of_long_tori() {
    for around in [Boundary::Periodic, Boundary::Free] {
        for (k, field) in [([0.3, 0.7], 0.2), ([-0.4, 0.5], 0.0), ([0.2, -0.6], 0.1)] {
            let row = UniformRow::new(5, around, k[0], k[1], field).unwrap();
            let limit = row.infinite(&mut ()).unwrap();
            assert!(limit.converged);
            let (long, longer) = (row.torus(2000).unwrap().value, row.torus(2002).unwrap().value);
            assert_abs_diff_eq!(0.5 * (longer - long), limit.ln_z_per_row, epsilon = 1e-11);
            // Z / λ_0^n - 1 falls off as (λ_1 / λ_0)^n.
            let rest = |length: usize| row.torus(length).unwrap().value - length as f64 * limit.ln_z_per_row;
            let steps = (12.0 * limit.correlation_length).ceil() as usize / 2 * 2 + 2;
            let slope = (rest(steps) / rest(steps + 2)).ln() / 2.0;
            assert_relative_eq!(slope, 1.0 / limit.correlation_length, max_relative = 0.05);
        }
    }
}

#[test]
fn bad_rows_are_refused() {
    let row = |width, around| UniformRow::new(width, around, 0.1, 0.1, 0.0);
    assert!(matches!(row(0, Boundary::Free), Err(Error::Parameter { what: "width", .. })));
    assert!(matches!(row(1, Boundary::Periodic), Err(Error::Parameter { what: "width", .. })));
    assert!(matches!(row(21, Boundary::Free), Err(Error::TooLarge { value: 21, bound: 20, .. })));
    assert!(matches!(homogeneous_torus(3, 1, 0.1, 0.1, 0.0), Err(Error::Parameter { what: "length", .. })));
    assert!(matches!(homogeneous_torus(3, 3, f64::NAN, 0.1, 0.0), Err(Error::Parameter { what: "k_around", .. })));
    assert!(matches!(homogeneous_torus(3, 3, 0.1, f64::INFINITY, 0.0), Err(Error::Parameter { what: "k_along", .. })));
    assert!(matches!(homogeneous_torus(3, 3, 0.1, 200.0, 0.0), Err(Error::Parameter { .. })));
    assert!(matches!(homogeneous_torus(3, 3, 1e308, 1e308, 1e308), Err(Error::Parameter { .. })));
    assert!(matches!(homogeneous_torus(15, 3, 0.1, 0.1, 0.1), Err(Error::TooLarge { bound: 1300, .. })));
    assert!(matches!(homogeneous_torus(20, 3, 0.1, 0.1, 0.1), Err(Error::TooLarge { bound: 16, .. })));
    let mut stop = |_: &spin_models::Progress| std::ops::ControlFlow::Break(());
    assert!(matches!(row(4, Boundary::Free).unwrap().infinite(&mut stop), Err(Error::Stopped { .. })));
}

#[test]
fn without_couplings_only_the_field_is_left() {
    let row = UniformRow::new(4, Boundary::Free, 0.0, 0.0, 0.7).unwrap();
    let ln = (2.0 * 0.7f64.cosh()).ln();
    assert_relative_eq!(row.torus(3).unwrap().value, 12.0 * ln, max_relative = 1e-14);
    let limit = row.infinite(&mut ()).unwrap();
    assert_relative_eq!(limit.ln_z_per_site, ln, max_relative = 1e-14);
    // One eigenvalue differs from 0: rounding leaves a very short length.
    assert!(limit.correlation_length < 0.05, "{}", limit.correlation_length);
}
