// Equality is meant where it stands: same bits, exact zeros. Loops run over dimensions of several lists.
#![allow(clippy::float_cmp, clippy::needless_range_loop)]

use approx::assert_abs_diff_eq;
use linalg_core::Streams;
use linalg_core::cholesky::Cholesky;
use linalg_core::num_complex::Complex64;
use linalg_core::rng::standard_normal;
use linalg_core::stats::Running;
use proptest::prelude::*;
use rand::RngExt;

use super::*;
use crate::Error;
use crate::coulomb::CoulombCovariance;
use crate::dynamics::cross;

const S: [f64; 3] = [0.48, -0.36, 0.8];
const K: [f64; 4] = [2.0, 0.1, 0.1, 3.0];

#[test]
fn reference_numbers() {
    let spin = SpinHalf::from_bloch(S).unwrap();
    let across = spin.unique_axis().unwrap();
    for (a, b) in across.axis.iter().zip([-0.6, -0.8, 0.0]) {
        assert_abs_diff_eq!(*a, b, epsilon = 1e-15);
    }
    let unit = SpinUnit::new(spin, vec![0.37], 1.0).unwrap();
    assert_abs_diff_eq!(unit.mean(&[1.0]).unwrap(), -0.18620210000678333, epsilon = 1e-15);
    assert_abs_diff_eq!(unit.sine(&[1.0]).mean, -0.18620210000678333, epsilon = 1e-15);
    let stein = LogisticUnit::new(0.1, vec![0.3, -0.2]).unwrap().covariance(&K).unwrap();
    assert_abs_diff_eq!(stein[0], 0.46609568009347, epsilon = 1e-13);
    assert_abs_diff_eq!(stein[1], -0.45805954767807, epsilon = 1e-13);
}

#[test]
fn the_mean_slope_of_a_wide_field() {
    // The integral of sech² times a normal density to 30 digits; the covariance of one variable is K J times it.
    for (bias, spread, expected) in [
        (0.1, 0.9, 0.6414996963254315),
        (0.1, 1.1, 0.5694123428971174),
        (0.0, 3.0, 0.254833292006577),
        (0.5, 5.0, 0.15627945439993865),
        (0.0, 8.0, 0.09910319317822534),
        (0.0, 10.0, 0.07946313656948333),
        (2.0, 10.0, 0.077902309294842),
        (0.0, 100.0, 0.007978517519486956),
        (-30.0, 3.0, 2.2995498234040264e-18),
        (50.0, 4.0, 1.174981965275922e-29),
    ] {
        let unit = LogisticUnit::new(bias, vec![1.0]).unwrap();
        let slope = unit.covariance(&[spread * spread]).unwrap()[0] / (spread * spread);
        assert!((slope / expected - 1.0).abs() < 2e-13, "{bias} {spread}: {slope} {expected}");
        let mirrored = LogisticUnit::new(-bias, vec![-1.0]).unwrap().covariance(&[spread * spread]).unwrap()[0];
        assert!((mirrored / (spread * spread) + slope).abs() < 1e-13 * slope);
    }
    // sqrt(2/π)/σ exp(-J₀²/2σ²) in the limit.
    let slope = LogisticUnit::new(3e6, vec![1.0]).unwrap().covariance(&[1e12]).unwrap()[0] / 1e12;
    let limit = (2.0 / std::f64::consts::PI).sqrt() * 1e-6 * (-4.5f64).exp();
    assert!((slope / limit - 1.0).abs() < 1e-9, "{slope} {limit}");
}

#[test]
fn covariances_against_sampling_and_orders() {
    // 2·10⁵ samples of x and b; z-scores below 4.5 in six numbers.
    let spin = SpinHalf::from_bloch(S).unwrap();
    let unit = SpinUnit::new(spin, vec![0.0625, -1.0 / 30.0], 2.0).unwrap();
    let logistic = LogisticUnit::new(0.1, vec![0.3, -0.2]).unwrap();
    let exact = unit.covariance_exact(&K).unwrap();
    let stein = logistic.covariance(&K).unwrap();
    let factor = Cholesky::new(K.to_vec(), 2).unwrap();
    let mut rng = Streams::new(1).stream(0);
    let mut products = [[Running::new(), Running::new()], [Running::new(), Running::new()]];
    for _ in 0..200_000 {
        let mut x = [standard_normal(&mut rng), standard_normal(&mut rng)];
        factor.correlate(&mut x);
        let p = unit.prob(&x).unwrap();
        let spin_b = if rng.random::<f64>() < p { 1.0 } else { -1.0 };
        let f = 0.1 + 0.3 * x[0] - 0.2 * x[1];
        let logistic_b = if rng.random::<f64>() < 1.0 / (1.0 + (-2.0 * f).exp()) { 1.0 } else { -1.0 };
        for i in 0..2 {
            // E[x] = 0 is known.
            products[0][i].push(spin_b * x[i]);
            products[1][i].push(logistic_b * x[i]);
        }
    }
    for i in 0..2 {
        let z = [exact[i], stein[i]].map(|value| value);
        for (kind, value) in z.into_iter().enumerate() {
            let estimate = products[kind][i].estimate();
            let score = (estimate.value - value) / products[kind][i].std_error();
            assert!(score.abs() < 4.5, "{kind} {i}: {estimate:?} against {value}");
        }
    }
    // The linear form has the third order in dt as its error.
    let error = |dt: f64| {
        let unit = SpinUnit::new(spin, vec![0.0625, -1.0 / 30.0], dt).unwrap();
        (unit.covariance_exact(&K).unwrap()[0] - unit.covariance_linear(&K).unwrap()[0]).abs()
    };
    let ratio = error(0.2) / error(0.1);
    assert!((ratio - 8.0).abs() < 0.1, "{ratio}");
}

#[test]
fn the_printed_expansion_is_the_first_order_in_one_over_r() {
    let clusters = |scale: f64| {
        let at = vec![[scale, 0.0, 0.0], [0.0, 2.0 * scale, 0.0], [0.0, 0.0, -1.5 * scale]];
        CoulombCovariance::new(vec![2.0, 1.5, 3.0], vec![1.0, -1.0, 1.0], at, 0.0).unwrap()
    };
    let spin = SpinHalf::from_bloch(S).unwrap();
    let error = |scale: f64| {
        let k = clusters(scale);
        // m_b = 2 dt s_perp/ħ makes the first order equal to eq. (28): q_b q_i/r.
        let dt = 0.5;
        let unit = SpinUnit::among(spin, &k, -1.0, 2.0 * dt * 0.6, [0.0; 3], dt).unwrap();
        let printed = unit.covariance_printed(k.masses());
        assert_abs_diff_eq!(printed[0], -1.0 / scale, epsilon = 1e-14);
        assert_abs_diff_eq!(printed[1], 0.5 / scale, epsilon = 1e-14);
        (unit.covariance_exact(&k.matrix()).unwrap()[0] - printed[0]).abs()
    };
    let ratio = error(100.0) / error(200.0);
    assert!((ratio - 4.0).abs() < 0.2, "{ratio}");
}

/// ν·σ.
fn pauli(nu: [f64; 3]) -> [[Complex64; 2]; 2] {
    let c = Complex64::new;
    [[c(nu[2], 0.0), c(nu[0], -nu[1])], [c(nu[0], nu[1]), c(-nu[2], 0.0)]]
}

fn product(a: [[Complex64; 2]; 2], b: [[Complex64; 2]; 2]) -> [[Complex64; 2]; 2] {
    std::array::from_fn(|i| std::array::from_fn(|j| a[i][0] * b[0][j] + a[i][1] * b[1][j]))
}

fn expectation(a: [[Complex64; 2]; 2], z: [Complex64; 2]) -> f64 {
    (0..2).map(|i| (0..2).map(|j| (z[i].conj() * a[i][j] * z[j]).re).sum::<f64>()).sum()
}

#[test]
fn the_commutator_has_the_other_sign_than_eq_124() {
    // d⟨U†(ν·σ)σ₃(ν·σ)U⟩/dφ at U = exp(iφ ν·σ), φ = 0, against ±2ν²(ν₁⟨σ₂⟩ − ν₂⟨σ₁⟩), for a vector that is not normalised.
    let nu = [0.3, -0.8, 0.5];
    let spin = SpinHalf::from_bloch(S).unwrap();
    let sandwich = product(product(pauli(nu), pauli([0.0, 0.0, 1.0])), pauli(nu));
    let length2: f64 = nu.iter().map(|x| x * x).sum();
    // (ν·σ)σ₃(ν·σ) = 2ν₃ ν·σ − ν² σ₃.
    let expected = pauli([2.0 * nu[2] * nu[0], 2.0 * nu[2] * nu[1], 2.0 * nu[2] * nu[2] - length2]);
    for i in 0..2 {
        for j in 0..2 {
            assert!((sandwich[i][j] - expected[i][j]).norm() < 1e-15);
        }
    }
    let at = |phi: f64| expectation(sandwich, spin.propagate(nu, -phi).unwrap().state());
    let h = 1e-4;
    let slope = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
    let formula = 2.0 * length2 * (nu[0] * S[1] - nu[1] * S[0]);
    assert!((slope - formula).abs() < 1e-10 && formula > 0.5, "{slope} {formula}");
}

#[test]
fn an_observable_is_kept_only_along_the_field() {
    // Under exp(−iφ h·σ): d⟨u·σ⟩/dφ = 2 (h × s)·u. It is ⟨i[H, U]⟩, real for all Hermitian H and U, and 0 for U = H.
    let spin = SpinHalf::from_bloch(S).unwrap();
    let h = [0.3, -0.8, 0.5];
    let dot = |a: [f64; 3], b: [f64; 3]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let slope = |u: [f64; 3]| {
        let at = |phi: f64| dot(u, spin.propagate(h, phi).unwrap().bloch());
        let d = 1e-3;
        (8.0 * (at(d) - at(-d)) - (at(2.0 * d) - at(-2.0 * d))) / (12.0 * d)
    };
    for u in [[1.0, 0.0, 0.0], [0.2, 0.9, -0.4]] {
        let expected = 2.0 * dot(cross(&h, &S), u);
        assert!((slope(u) - expected).abs() < 1e-10 && expected.abs() > 0.1, "{} {expected}", slope(u));
    }
    assert!(slope(h).abs() < 1e-12, "{}", slope(h));
}

#[test]
fn the_field_is_the_curl_of_the_potential() {
    let mut rng = Streams::new(2).stream(0);
    let mut vector = || std::array::from_fn(|_| standard_normal(&mut rng));
    let (positions, velocities): (Vec<_>, Vec<_>) = (0..5).map(|_| (vector(), vector())).unzip();
    let moving = MovingCharges {
        charges: &[1.0, -0.5, 2.0, 1.0, -1.0],
        positions: &positions,
        velocities: &velocities,
        softening: 0.3,
    };
    let r: [f64; 3] = vector();
    let slope = |of: usize, along: usize| {
        linalg_core::optim::finite_difference::gradient(|r| moving.vector_potential(&[r[0], r[1], r[2]])[of], &r)[along]
    };
    let curl = [slope(2, 1) - slope(1, 2), slope(0, 2) - slope(2, 0), slope(1, 0) - slope(0, 1)];
    for (a, b) in moving.magnetic_field(&r).iter().zip(curl) {
        assert_abs_diff_eq!(*a, b, epsilon = 1e-8);
    }
}

#[test]
fn precession_frequency() {
    let h = PauliHamiltonian::new(0.7, 1.4, 2.0).unwrap().with_field([0.0, 0.0, 3.0]).unwrap();
    let start = SpinHalf::from_bloch([1.0, 0.0, 0.5]).unwrap();
    let dt = 0.01;
    let spin = (0..100).try_fold(start, |spin, _| h.propagate(&spin, dt)).unwrap();
    let s = spin.bloch();
    // q B/m = 1.5 for a time of 1. H = −(ħq/2m) B·σ turns clockwise about B.
    assert_abs_diff_eq!(s[1].atan2(s[0]), -1.5, epsilon = 1e-13);
    assert_abs_diff_eq!(s[2], start.bloch()[2], epsilon = 1e-14);
    assert_abs_diff_eq!(h.energy(&spin), h.energy(&start), epsilon = 1e-14);
    // The measurement term alone is the turn of the spin unit.
    let axis = start.orthogonal_axis().axis;
    let g = 0.3;
    let turned = PauliHamiltonian::new(0.0, 1.0, 0.5)
        .unwrap()
        .with_measurement(g, axis)
        .unwrap()
        .propagate(&start, 0.2)
        .unwrap();
    let unit = SpinUnit::new(start, vec![g], 0.4).unwrap();
    assert_abs_diff_eq!(turned.outcome_prob(axis).unwrap(), unit.prob(&[1.0]).unwrap(), epsilon = 1e-15);
}

#[test]
fn a_spin_along_the_axis_reports_its_fallback() {
    let up = SpinHalf::from_bloch([0.0, 0.0, -1.0]).unwrap();
    let across = up.orthogonal_axis();
    assert!(across.kind == AxisKind::Fallback && across.s_perp == 0.0);
    assert!(matches!(up.unique_axis(), Err(Error::Degenerate { s_perp }) if s_perp == 0.0));
    let unit = SpinUnit::new(up, vec![0.4], 1.0).unwrap();
    assert_eq!(unit.covariance_exact(&[1.0]).unwrap(), [0.0]);
    // −s₃ cos 2g, symmetric in x.
    assert_abs_diff_eq!(unit.mean(&[1.0]).unwrap(), 0.8f64.cos(), epsilon = 1e-15);
    assert_abs_diff_eq!(unit.mean(&[-1.0]).unwrap(), 0.8f64.cos(), epsilon = 1e-15);
    // The printed first-order propagator is not unitary: 1 + φ².
    let linear = [Complex64::new(1.0, 0.1), Complex64::new(0.0, 0.0)];
    assert_abs_diff_eq!(linear[0].norm_sqr(), 1.01, epsilon = 1e-15);
}

#[test]
fn bad_input() {
    assert!(matches!(SpinHalf::from_bloch([0.0; 3]), Err(Error::Parameter { what: "Bloch vector", .. })));
    assert!(matches!(SpinHalf::from_bloch([0.0, f64::NAN, 1.0]), Err(Error::NotFinite { index: 1, .. })));
    let c = Complex64::new;
    assert!(matches!(SpinHalf::from_state([c(0.0, 0.0); 2]), Err(Error::Parameter { .. })));
    assert!(matches!(SpinHalf::from_state([c(0.0, f64::NAN), c(1.0, 0.0)]), Err(Error::NotFinite { index: 0, .. })));
    let large = SpinHalf::from_state([c(1e300, 0.0), c(0.0, -1e300)]).unwrap();
    assert_abs_diff_eq!(large.bloch()[1], -1.0, epsilon = 1e-15);
    let spin = SpinHalf::from_bloch(S).unwrap();
    assert!(matches!(spin.measure_prob([0.0; 3]), Err(Error::Parameter { what: "measurement axis", .. })));
    assert!(matches!(spin.propagate([f64::INFINITY, 0.0, 0.0], 1.0), Err(Error::NotFinite { .. })));
    assert!(matches!(SpinUnit::new(spin, vec![f64::NAN], 1.0), Err(Error::NotFinite { what: "weight", index: 0, .. })));
    assert!(matches!(SpinUnit::new(spin, vec![1.0], 0.0), Err(Error::Parameter { what: "dt_over_hbar", .. })));
    let unit = SpinUnit::new(spin, vec![1.0, 1.0], 1.0).unwrap();
    let indefinite = [1.0, 2.0, 2.0, 1.0];
    assert!(matches!(unit.covariance_exact(&indefinite), Err(Error::NotPositiveDefinite { row: 1, .. })));
    let k = CoulombCovariance::new(vec![1.0], vec![1.0], vec![[0.0; 3]], 0.0).unwrap();
    assert!(matches!(SpinUnit::among(spin, &k, 1.0, 1.0, [0.0; 3], 1.0), Err(Error::NotFinite { index: 0, .. })));
    assert!(matches!(PauliHamiltonian::new(1.0, 0.0, 1.0), Err(Error::Parameter { what: "mass", .. })));
}

proptest! {
    #[test]
    fn rotations_are_rotations(
        s in prop::array::uniform3(-1.0f64..1.0), h in prop::array::uniform3(-3.0f64..3.0), phi in -5.0f64..5.0,
    ) {
        prop_assume!(s.iter().map(|x| x * x).sum::<f64>() > 1e-6);
        let spin = SpinHalf::from_bloch(s).unwrap();
        let turned = spin.propagate(h, phi).unwrap();
        let b = turned.bloch();
        prop_assert!((b.iter().map(|x| x * x).sum::<f64>() - 1.0).abs() < 1e-14);
        // The part along h stays, the way back leads back.
        let along = |b: [f64; 3]| b.iter().zip(h).map(|(b, h)| b * h).sum::<f64>();
        prop_assert!((along(b) - along(spin.bloch())).abs() < 1e-13);
        let back = turned.propagate(h, -phi).unwrap().bloch();
        prop_assert!(back.iter().zip(spin.bloch()).all(|(a, b)| (a - b).abs() < 1e-13));
        // Closed form and state give one answer; the two outcomes are all there is.
        let unit = SpinUnit::new(spin, vec![h[0]], 0.7).unwrap();
        prop_assert!((unit.mean(&[h[1]]).unwrap() - unit.sine(&[h[1]]).mean).abs() < 1e-13);
        let p = spin.measure_prob(h);
        if let Ok(p) = p {
            let opposite = spin.measure_prob(h.map(|x| -x)).unwrap();
            prop_assert!((p + opposite - 1.0).abs() < 1e-14);
        }
    }
}
