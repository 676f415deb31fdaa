//! Minimisers on functions with known minima, and their behaviour on bad ones.

use std::ops::ControlFlow;

use super::finite_difference::{check_gradient, directional_derivative, gradient};
use super::line_search::LineSearchParams;
use super::*;
use crate::Error;
use crate::checkpoint::{Reader, Writer};
use crate::rng::{Streams, standard_normal};

type Minimizer = fn(&mut dyn FnMut(&[f64], &mut [f64]) -> f64, &[f64], usize) -> crate::Result<Report>;

/// Every line-search method with its default parameters and an iteration limit.
const METHODS: [(&str, Minimizer); 4] = [
    ("L-BFGS", |f, x, limit| {
        LbfgsParams::default().max_iterations(limit).max_evaluations(100_000).minimize(f, x, &mut ())
    }),
    ("L-BFGS with one pair", |f, x, limit| {
        LbfgsParams::default().memory(1).max_iterations(limit).max_evaluations(100_000).minimize(f, x, &mut ())
    }),
    ("Polak-Ribière+", |f, x, limit| ConjugateGradientParams::default().max_iterations(limit).minimize(f, x, &mut ())),
    ("Hager-Zhang", |f, x, limit| {
        ConjugateGradientParams::default().beta(Beta::HagerZhang).max_iterations(limit).minimize(f, x, &mut ())
    }),
];

/// Σ 100 (x_{i+1} - x_i²)² + (1 - x_i)² over pairs, minimum 0 at (1, ..., 1).
fn rosenbrock(x: &[f64], gradient: &mut [f64]) -> f64 {
    gradient.fill(0.0);
    let mut value = 0.0;
    for i in 0..x.len() - 1 {
        let (valley, slope) = (x[i + 1] - x[i] * x[i], 1.0 - x[i]);
        value += 100.0 * valley * valley + slope * slope;
        gradient[i] += -400.0 * x[i] * valley - 2.0 * slope;
        gradient[i + 1] += 200.0 * valley;
    }
    value
}

/// ½ Σ λ_i (x_i - 1)² with λ from 1 to 10⁶.
fn ill_conditioned(x: &[f64], gradient: &mut [f64]) -> f64 {
    let last = (x.len() - 1) as f64;
    let mut value = 0.0;
    for (i, (x, g)) in x.iter().zip(gradient).enumerate() {
        let lambda = 1e6f64.powf(i as f64 / last);
        *g = lambda * (x - 1.0);
        value += 0.5 * lambda * (x - 1.0).powi(2);
    }
    value
}

#[test]
fn rosenbrock_in_2_and_100_dimensions() {
    for (name, minimize) in METHODS {
        for n in [2, 100] {
            let mut start = vec![1.0; n];
            start.iter_mut().step_by(2).for_each(|x| *x = -1.2);
            let report = minimize(&mut rosenbrock, &start, 5000).unwrap();
            assert!(report.converged, "{name}, n = {n}: {report:?}");
            assert!(report.gradient_norm <= 1e-8 && report.reason == StopReason::Gradient);
            // In 100 dimensions a second minimum near x_1 = -1 has value 3.99; this start leads to either.
            let at_minimum = if report.value < 1.0 { 0.0 } else { 3.986_623_7 };
            assert!((report.value - at_minimum).abs() < 1e-6, "{name}, n = {n}: {}", report.value);
            if n == 2 {
                assert!(report.x.iter().all(|x| (x - 1.0).abs() < 1e-6));
                assert!(report.evaluations < 250, "{name}: {}", report.evaluations);
            }
        }
    }
}

#[test]
fn quadratic_with_condition_number_1e6() {
    for (name, minimize) in METHODS {
        let report = minimize(&mut ill_conditioned, &[0.0; 50], 50_000).unwrap();
        assert!(report.converged, "{name}: {report:?}");
        // |gradient| <= 1e-8 with smallest curvature 1.
        assert!(report.x.iter().all(|x| (x - 1.0).abs() < 1.1e-8), "{name}");
        // Implementations elsewhere need 10 000 to 50 000 evaluations here.
        assert!(report.evaluations < 40_000, "{name}: {}", report.evaluations);
    }
}

#[test]
fn logistic_regression_agrees_with_newton() {
    let (rows, n) = (200, 5);
    let mut rng = Streams::new(90).stream(0);
    let features: Vec<f64> = (0..rows * n).map(|_| standard_normal(&mut rng)).collect();
    let labels: Vec<f64> =
        features.chunks(n).map(|row| (row[0] - 0.5 * row[1] + standard_normal(&mut rng)).signum()).collect();
    // Σ ln(1 + exp(-y w·x)) + ½ |w|²
    let mut loss = |w: &[f64], gradient: &mut [f64]| {
        gradient.copy_from_slice(w);
        let mut value = 0.5 * dot(w, w);
        for (row, y) in features.chunks(n).zip(&labels) {
            let margin = y * dot(row, w);
            value += crate::logspace::softplus(-margin);
            let weight = -y * crate::logspace::sigmoid(-margin);
            gradient.iter_mut().zip(row).for_each(|(g, x)| *g += weight * x);
        }
        value
    };
    assert!(check_gradient(&mut loss, &[0.3, -0.2, 0.1, 0.0, 1.0]).unwrap().relative_error < 1e-10);
    // Newton's method with the exact Hessian.
    let mut newton = vec![0.0; n];
    for _ in 0..20 {
        let mut g = vec![0.0; n];
        loss(&newton, &mut g);
        let mut hessian = nalgebra::DMatrix::<f64>::identity(n, n);
        for row in features.chunks(n) {
            let p = crate::logspace::sigmoid(dot(row, &newton));
            let v = nalgebra::DVector::from_column_slice(row);
            hessian += p * (1.0 - p) * &v * v.transpose();
        }
        let step = hessian.lu().solve(&nalgebra::DVector::from_vec(g)).unwrap();
        newton.iter_mut().zip(step.iter()).for_each(|(w, s)| *w -= s);
    }
    for (name, minimize) in METHODS {
        let report = minimize(&mut loss, &[0.0; 5], 1000).unwrap();
        assert!(report.converged, "{name}");
        for (a, b) in report.x.iter().zip(&newton) {
            assert!((a - b).abs() < 1e-8, "{name}: {a} {b}");
        }
        assert!(report.evaluations < 100, "{name}: {}", report.evaluations);
    }
}

#[test]
fn values_that_are_not_finite() {
    for (name, minimize) in METHODS {
        // -ln x - ln(1 - x): infinite outside (0, 1), and the first step from near 0 jumps far beyond.
        let mut barrier = |x: &[f64], g: &mut [f64]| {
            g[0] = -1.0 / x[0] + 1.0 / (1.0 - x[0]);
            -x[0].ln() - (1.0 - x[0]).ln()
        };
        let report = minimize(&mut barrier, &[1e-3], 100).unwrap();
        assert!(report.converged && (report.x[0] - 0.5).abs() < 1e-8, "{name}: {report:?}");
        // NaN at the start.
        let error = minimize(&mut barrier, &[2.0], 100).unwrap_err();
        assert!(matches!(error, Error::Objective { iteration: 0, .. }), "{name}: {error}");
        // NaN everywhere but at the start.
        let mut calls = 0;
        let mut trap = |x: &[f64], g: &mut [f64]| {
            calls += 1;
            g[0] = 1.0;
            if calls == 1 { x[0] } else { f64::NAN }
        };
        let error = minimize(&mut trap, &[0.0], 100).unwrap_err();
        assert!(matches!(error, Error::Objective { iteration: 1, value } if value.is_nan()), "{name}");
        // A gradient that is NaN in one component only.
        let mut half = |_: &[f64], g: &mut [f64]| {
            (g[0], g[1]) = (1.0, f64::NAN);
            0.0
        };
        assert!(matches!(minimize(&mut half, &[0.0; 2], 9), Err(Error::Objective { iteration: 0, .. })));
    }
}

#[test]
fn endings_without_convergence() {
    for (name, minimize) in METHODS {
        let report = minimize(&mut rosenbrock, &[-1.2, 1.0], 3).unwrap();
        assert!(!report.converged && report.reason == StopReason::Iterations && report.iterations == 3, "{name}");
        // A gradient of the wrong sign.
        let mut wrong = |x: &[f64], g: &mut [f64]| {
            g[0] = -2.0 * x[0];
            x[0] * x[0]
        };
        let report = minimize(&mut wrong, &[1.0], 100).unwrap();
        assert!(!report.converged && report.reason == StopReason::LineSearch, "{name}: {report:?}");
        assert!((report.x[0] - 1.0).abs() < 1e-15);
        // No minimum: e^{-x} ends where the gradient is small, -x at the largest number of iterations.
        let mut decay = |x: &[f64], g: &mut [f64]| {
            g[0] = -(-x[0]).exp();
            (-x[0]).exp()
        };
        assert!(minimize(&mut decay, &[0.0], 1000).unwrap().converged, "{name}");
        let mut slope = |x: &[f64], g: &mut [f64]| {
            g[0] = -1.0;
            -x[0]
        };
        let report = minimize(&mut slope, &[0.0], 10).unwrap();
        assert!(!report.converged && report.x[0].is_finite(), "{name}: {report:?}");
        // At the minimum already.
        let report = minimize(&mut rosenbrock, &[1.0, 1.0], 10).unwrap();
        assert!(report.converged && report.iterations == 0 && report.evaluations == 1, "{name}");
    }
}

#[test]
fn observers_and_tolerances() {
    let mut seen = Vec::new();
    let mut observer = |event: &Iteration| {
        seen.push((event.iteration, event.value));
        if event.iteration == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let report = LbfgsParams::default().minimize(rosenbrock, &[-1.2, 1.0], &mut observer).unwrap();
    assert!(report.reason == StopReason::Observer && !report.converged && report.iterations == 4);
    assert_eq!(seen.iter().map(|s| s.0).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert!(seen.windows(2).all(|pair| pair[1].1 < pair[0].1));
    assert!((seen[4].1 - report.value).abs() < 1e-300);

    let loose = LbfgsParams::default().value_tolerance(1e-3).gradient_tolerance(0.0);
    let report = loose.minimize(rosenbrock, &[-1.2, 1.0], &mut ()).unwrap();
    assert!(report.converged && report.reason == StopReason::Value);
    let few = LbfgsParams::default().max_evaluations(7);
    let report = few.minimize(rosenbrock, &[-1.2, 1.0], &mut ()).unwrap();
    assert!(report.reason == StopReason::Evaluations && report.evaluations >= 7);
    // A tolerance of 0 ends at the limit of rounding instead of running on.
    let strict = LbfgsParams::default().gradient_tolerance(0.0);
    let growth = |x: &[f64], g: &mut [f64]| {
        (g[0], g[1]) = (x[0].exp() - 3.0, 100.0 * (x[1].exp() - 5.0));
        x[0].exp() - 3.0 * x[0] + 100.0 * (x[1].exp() - 5.0 * x[1])
    };
    let report = strict.minimize(growth, &[0.0; 2], &mut ()).unwrap();
    assert!(report.evaluations < 500 && report.gradient_norm < 1e-10, "{report:?}");
    assert!(report.converged || report.reason == StopReason::LineSearch, "{report:?}");
}

#[test]
fn bad_parameters() {
    let run = |params: LbfgsParams, x: &[f64]| params.minimize(rosenbrock, x, &mut ());
    let default = LbfgsParams::default();
    assert!(matches!(run(default, &[]), Err(Error::Empty { what: "x0" })));
    assert!(matches!(run(default, &[0.0, f64::NAN]), Err(Error::NotFinite { what: "x0", index: 1, .. })));
    assert!(matches!(run(default.memory(0), &[0.0; 2]), Err(Error::OutOfRange { what: "memory", .. })));
    assert!(matches!(
        run(default.gradient_tolerance(f64::NAN), &[0.0; 2]),
        Err(Error::OutOfRange { what: "gradient_tolerance", .. })
    ));
    assert!(matches!(
        run(default.value_tolerance(-1.0), &[0.0; 2]),
        Err(Error::OutOfRange { what: "value_tolerance", .. })
    ));
    let crossed = LineSearchParams::default().sufficient_decrease(0.4).curvature(0.3);
    assert!(matches!(run(default.line_search(crossed), &[0.0; 2]), Err(Error::OutOfRange { what: "curvature", .. })));
}

#[test]
fn steppers_follow_their_recurrences() {
    // One parameter, gradient 2 x; ten steps written out in plain arithmetic.
    for momentum in [Momentum::None, Momentum::Heavy(0.9), Momentum::Nesterov(0.9)] {
        let params = SgdParams::default().learning_rate(0.05).momentum(momentum).weight_decay(0.3);
        let mut sgd = Sgd::new(params, 1).unwrap();
        let mut x = [1.0];
        let (mut y, mut v) = (1.0f64, 0.0f64);
        for _ in 0..10 {
            let g = [2.0 * x[0]];
            sgd.step(&mut x, &g).unwrap();
            let g = 2.0 * y + 0.3 * y;
            y -= 0.05
                * match momentum {
                    Momentum::None => g,
                    Momentum::Heavy(mu) => {
                        v = mu * v + g;
                        v
                    }
                    Momentum::Nesterov(mu) => {
                        v = mu * v + g;
                        g + mu * v
                    }
                };
            assert!((x[0] - y).abs() < 1e-15);
        }
    }
    let params = AdamParams::default().learning_rate(0.1).betas(0.8, 0.95).epsilon(1e-3).weight_decay(0.2);
    let mut adam = Adam::new(params, 1).unwrap();
    let mut x = [1.0];
    let (mut y, mut m, mut v) = (1.0f64, 0.0f64, 0.0f64);
    for t in 1..=10 {
        let g = [2.0 * x[0]];
        adam.step(&mut x, &g).unwrap();
        let g = 2.0 * y;
        m = 0.8 * m + 0.2 * g;
        v = 0.95 * v + 0.05 * g * g;
        let (mean, square) = (m / (1.0 - 0.8f64.powi(t)), v / (1.0 - 0.95f64.powi(t)));
        y -= 0.1 * mean / (square.sqrt() + 1e-3) + 0.1 * 0.2 * y;
        assert!((x[0] - y).abs() < 1e-14);
    }
    assert_eq!(adam.steps(), 10);
}

/// A derivative that is 0 from some step on leaves no subnormal moments behind: they would stay, and be slow.
#[test]
fn moments_of_adam_end_at_zero() {
    let mut adam = Adam::new(AdamParams::default().betas(0.9, 0.99), 1).unwrap();
    let mut x = [0.0];
    adam.step(&mut x, &[1.0]).unwrap();
    (0..80_000).for_each(|_| adam.step(&mut x, &[0.0]).unwrap());
    let mut saved = Writer::new();
    adam.save(&mut saved);
    let bytes = saved.into_bytes();
    let mut reader = Reader::new(&bytes);
    let (_, steps) = (reader.read_f64().unwrap(), reader.read_count().unwrap());
    assert_eq!((steps, reader.read_f64s().unwrap(), reader.read_f64s().unwrap()), (80_001, vec![0.0], vec![0.0]));
}

#[test]
fn steppers_reach_the_minimum_and_resume() {
    let n = 20;
    let quadratic =
        |x: &[f64]| -> Vec<f64> { x.iter().enumerate().map(|(i, x)| (1.0 + i as f64 / 4.0) * (x - 1.0)).collect() };
    let mut sgd = Sgd::new(SgdParams::default().learning_rate(0.1).momentum(Momentum::Nesterov(0.8)), n).unwrap();
    let mut x = vec![0.0; n];
    for _ in 0..500 {
        let g = quadratic(&x);
        sgd.step(&mut x, &g).unwrap();
    }
    assert!(x.iter().all(|x| (x - 1.0).abs() < 1e-10));

    let params = AdamParams::default().learning_rate(0.05);
    let mut adam = Adam::new(params, n).unwrap();
    let mut x = vec![0.0; n];
    let mut copy = (adam.clone(), x.clone());
    for step in 0..2000 {
        if step == 700 {
            // Through a checkpoint, with a learning rate changed on the way.
            adam.set_learning_rate(0.02).unwrap();
            let mut writer = Writer::new();
            adam.save(&mut writer);
            let bytes = writer.into_bytes();
            let mut restored = Adam::new(params, n).unwrap();
            let mut reader = Reader::new(&bytes);
            restored.restore(&mut reader).unwrap();
            reader.finish().unwrap();
            assert_eq!(restored, adam);
            copy = (restored, x.clone());
        }
        let g = quadratic(&x);
        adam.step(&mut x, &g).unwrap();
        if step >= 700 {
            let g = quadratic(&copy.1);
            copy.0.step(&mut copy.1, &g).unwrap();
            assert_eq!(copy.1, x);
        }
    }
    assert!(x.iter().all(|x| (x - 1.0).abs() < 1e-3));

    let mut writer = Writer::new();
    sgd.save(&mut writer);
    let bytes = writer.into_bytes();
    let mut other = Sgd::new(*sgd.params(), n).unwrap();
    other.restore(&mut Reader::new(&bytes)).unwrap();
    assert_eq!(other, sgd);
    let mut shorter = Sgd::new(*sgd.params(), n - 1).unwrap();
    let before = shorter.clone();
    assert!(shorter.restore(&mut Reader::new(&bytes)).is_err());
    assert!(shorter.restore(&mut Reader::new(&f64::NAN.to_le_bytes())).is_err());
    assert_eq!(shorter, before);
}

#[test]
fn steppers_refuse_bad_input() {
    for params in [
        SgdParams::default().learning_rate(-0.1),
        SgdParams::default().learning_rate(f64::INFINITY),
        SgdParams::default().momentum(Momentum::Heavy(1.0)),
        SgdParams::default().weight_decay(f64::NAN),
    ] {
        assert!(matches!(Sgd::new(params, 1), Err(Error::OutOfRange { .. })));
    }
    for params in [
        AdamParams::default().betas(1.0, 0.9),
        AdamParams::default().betas(0.9, -0.1),
        AdamParams::default().epsilon(0.0),
    ] {
        assert!(matches!(Adam::new(params, 1), Err(Error::OutOfRange { .. })));
    }
    let mut sgd = Sgd::new(SgdParams::default(), 2).unwrap();
    let mut adam = Adam::new(AdamParams::default(), 2).unwrap();
    let mut x = [1.0, 2.0];
    let bad = [0.5, f64::NAN];
    assert!(matches!(sgd.step(&mut x, &bad), Err(Error::NotFinite { what: "gradient", index: 1, .. })));
    assert!(matches!(adam.step(&mut x, &bad), Err(Error::NotFinite { what: "gradient", index: 1, .. })));
    assert!(sgd.set_learning_rate(f64::NAN).is_err() && adam.set_learning_rate(-1.0).is_err());
    assert_eq!(x.map(f64::to_bits), [1.0, 2.0].map(f64::to_bits));
    assert_eq!(adam.steps(), 0);
}

#[test]
#[should_panic(expected = "2 parameters and 3 derivatives, expected 2")]
fn stepper_lengths() {
    let _ = Adam::new(AdamParams::default(), 2).unwrap().step(&mut [0.0; 2], &[0.0; 3]);
}

#[test]
fn finite_differences() {
    let f = |x: &[f64]| (x[0] * x[1]).sin() + x[1].exp() + 1e3 * x[2];
    let x = [0.7f64, -1.3, 250.0];
    let exact = [x[1] * (x[0] * x[1]).cos(), x[0] * (x[0] * x[1]).cos() + x[1].exp(), 1e3];
    for (numeric, exact) in gradient(f, &x).iter().zip(exact) {
        // Rounding of a value of 2.5e5 over h = 1e-3 is 3e-8.
        assert!((numeric - exact).abs() < 1e-7 * exact.abs().max(1.0), "{numeric} {exact}");
    }
    let direction = [0.1, 0.2, -1e-4];
    let slope = directional_derivative(f, &x, &direction);
    assert!((slope - dot(&direction, &exact)).abs() < 1e-7);
    assert!(directional_derivative(f, &x, &[0.0; 3]).abs() < 1e-300);
    assert!(check_gradient(rosenbrock, &[0.3, -2.0, 1.5, 0.1]).unwrap().relative_error < 1e-10);
    assert!(matches!(check_gradient(rosenbrock, &[]), Err(Error::Empty { .. })));
    let singular = |x: &[f64], g: &mut [f64]| {
        g[0] = 1.0 / x[0];
        x[0].ln()
    };
    assert!(matches!(check_gradient(singular, &[0.0]), Err(Error::NotFinite { what: "gradient", .. })));
    assert!(matches!(check_gradient(singular, &[1e-9]), Err(Error::NotFinite { what: "finite differences", .. })));
}
