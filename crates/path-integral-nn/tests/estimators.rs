//! Estimators against exact lattice values.

use path_integral_nn::estimate::{Observables, ObservablesParams, Report};
use path_integral_nn::exact::{Spectrum, TransferMatrix};
use path_integral_nn::sampler::{Chains, ChainsParams, Method, Target};
use path_integral_nn::{Action, Ends, Ensemble, Polynomial, Rule, System};

fn run(system: &System, ensemble: &Ensemble, rule: Rule, steps: u64) -> Report {
    let target = Target::variational(&Action::new(system, ensemble, rule).unwrap()).unwrap();
    let mut chains = Chains::new(&target, Method::HmcReference, ChainsParams::default().seed(11)).unwrap();
    chains.thermalize(steps / 5 + 100, &mut ()).unwrap();
    let mut observables = vec![Observables::new(&target, ObservablesParams::default()).unwrap(); 2];
    chains.run(steps, &mut observables, &mut ()).unwrap();
    Report::new(&observables).unwrap()
}

fn quartic() -> System {
    System::new(Polynomial::new(&[0.0, 0.0, 0.5, 0.0, 1.0]).unwrap()).unwrap()
}

#[track_caller]
fn close(got: linalg_core::stats::Estimate, exact: f64, largest_error: f64) {
    let error = got.std_error.unwrap();
    assert!(error < largest_error, "{got:?} has no power");
    assert!((got.value - exact).abs() < 4.0 * error, "{got:?}, exact {exact}");
}

#[test]
fn a_ring() {
    let exact = TransferMatrix::new(&quartic(), Rule::Trapezoid, 0.1).unwrap();
    let report = run(&quartic(), &Ensemble::periodic(4.0, 40).unwrap(), Rule::Trapezoid, 2000);
    let of = |f: fn(f64) -> f64| exact.periodic_average(40, f).unwrap();
    close(report.energy.estimate, 0.7986063761, 2e-4);
    close(report.energy.plain.estimate(), 0.7986063761, 1e-2);
    close(report.thermodynamic_energy.plain.estimate(), 0.7986063761, 3e-2);
    close(report.x2.estimate, of(|x| x * x), 1e-4);
    close(report.x4.estimate, of(|x| x.powi(4)), 1e-4);
    close(report.path_mean.plain.estimate(), 0.0, 1e-2);
    assert!(report.energy.gain() > 100.0, "{}", report.energy.gain());
    close(report.correlators.gap().unwrap(), exact.gap(), 0.03);
    let c0 = report.correlators.connected().unwrap()[0];
    close(c0, of(|x| x * x), 0.01);
}

#[test]
fn the_ground_state_by_every_rule() {
    let ends = Ends::Gaussian { frequency: 2.0, center: 0.0 };
    let ensemble = Ensemble::ground_state(12.0, 96).unwrap().with_ends(ends).unwrap();
    let step = 0.125f64;
    for rule in Rule::ALL {
        let exact = TransferMatrix::new(&quartic(), rule, step).unwrap();
        let report = run(&quartic(), &ensemble, rule, 600);
        let (v, slope, second, third) = (
            |x: f64| 0.5 * x * x + x.powi(4),
            |x: f64| x + 4.0 * x.powi(3),
            |x: f64| 1.0 + 12.0 * x * x,
            |x: f64| 24.0 * x,
        );
        let energy = match rule {
            Rule::Trapezoid => exact.average(|x| v(x) + 0.5 * x * slope(x)),
            Rule::Midpoint => exact.average_at_midpoints(|x| v(x) + 0.5 * x * slope(x)),
            Rule::MidpointCorrected => exact.average_at_midpoints(|x| {
                v(x) + 0.25 * step * second(x) + 0.5 * x * (slope(x) + 0.125 * step * third(x))
            }),
            Rule::TakahashiImada => exact.average(|x| {
                v(x) + 0.5 * x * slope(x) + step * step / 24.0 * (3.0 * slope(x).powi(2) + x * slope(x) * second(x))
            }),
        };
        assert!((exact.virial_energy(None).unwrap() - energy).abs() < 1e-8, "{rule:?}");
        close(report.energy.estimate, energy, 3e-4);
        assert!(report.energy.gain() > 100.0, "{rule:?}: {}", report.energy.gain());
        let correction = if rule == Rule::TakahashiImada { step * step / 12.0 } else { 0.0 };
        let x2 = exact.average(|x| x * x + 2.0 * correction * x * slope(x));
        assert!((exact.moment(2, None).unwrap() - x2).abs() < 1e-12);
        close(report.x2.estimate, x2, 3e-4);
        close(report.x4.estimate, exact.average(|x| x.powi(4) + 4.0 * correction * x.powi(3) * slope(x)), 3e-4);
        close(report.correlators.gap().unwrap(), exact.gap(), 0.05);
        // The mixed estimator, of second order in the step.
        let mixed = report.mixed_energy.unwrap().plain.estimate();
        assert!((mixed.value - 0.8037706512).abs() < 4.0 * mixed.std_error.unwrap() + 0.06, "{rule:?}: {mixed}");
        // ψ₀² against the lattice eigenvector.
        let phi = exact.wave_function(0);
        let spacing = exact.points()[1] - exact.points()[0];
        for (x, height) in report.density.iter().filter(|(x, _)| x.abs() < 1.0) {
            let k = ((x - exact.points()[0]) / spacing).round() as usize;
            assert!((height - phi[k] * phi[k]).abs() < 0.05, "{rule:?} at {x}: {height} {}", phi[k] * phi[k]);
        }
    }
}

#[test]
fn orders_of_takahashi_and_imadas_estimators() {
    // Deterministic: the errors of the table of the virial and of ⟨x²⟩.
    let slope = |x: f64| x + 4.0 * x.powi(3);
    for (step, energy, x2, naive) in
        [(0.2f64, -1.09e-3, -5.3e-5, -4.2e-2), (0.1, -7.7e-5, -3.4e-6, -1.1e-2), (0.05, -5.0e-6, -2.1e-7, f64::NAN)]
    {
        let lattice = TransferMatrix::new(&quartic(), Rule::TakahashiImada, step).unwrap();
        let plain = |x: f64| 0.5 * x * x + x.powi(4) + 0.5 * x * slope(x);
        let own = lattice.average(|x| {
            plain(x) + step * step / 24.0 * (3.0 * slope(x).powi(2) + x * slope(x) * (1.0 + 12.0 * x * x))
        });
        assert!(((own - 0.803_770_651_234_273_8) / energy - 1.0).abs() < 0.02, "{own}");
        let square = lattice.average(|x| x * x + step * step / 6.0 * x * slope(x));
        assert!(((square - 0.2571498214428) / x2 - 1.0).abs() < 0.02, "{square}");
        if naive.is_finite() {
            assert!(((lattice.average(plain) - 0.803_770_651_234_273_8) / naive - 1.0).abs() < 0.05);
        }
    }
}

#[test]
fn a_potential_without_symmetry() {
    let system = System::new(Polynomial::new(&[0.0, 0.4, 0.5, 0.3, 0.5]).unwrap()).unwrap();
    let report = run(&system, &Ensemble::periodic(3.0, 30).unwrap(), Rule::Trapezoid, 2000);
    let exact = TransferMatrix::new(&system, Rule::Trapezoid, 0.1).unwrap();
    close(report.path_mean.estimate, exact.periodic_average(30, |x| x).unwrap(), 2e-3);
    close(report.x2.estimate, exact.periodic_average(30, |x| x * x).unwrap(), 2e-3);
    assert!(report.path_mean.gain() > 20.0 && report.energy.gain() > 20.0);
}

#[test]
fn the_splitting_of_a_double_well() {
    // -x² + x⁴/4: 0.3459 in the continuum, at step 0.2 by the trapezoid from the transfer matrix.
    let system = System::new(Polynomial::new(&[0.0, 0.0, -1.0, 0.0, 0.25]).unwrap()).unwrap();
    let spectrum = Spectrum::new(&system).unwrap();
    assert!((spectrum.energy(1) - spectrum.energy(0) - 0.345892449643).abs() < 1e-10);
    let exact = TransferMatrix::new(&system, Rule::Trapezoid, 0.2).unwrap();
    let report = run(&system, &Ensemble::ground_state(30.0, 150).unwrap(), Rule::Trapezoid, 1500);
    close(report.correlators.gap().unwrap(), exact.gap(), 0.03);
}

#[test]
fn gaps_with_control_variates() {
    // Against the lattice and, by Takahashi and Imada's rule, whose gap is off by less than the error, the sinc-DVR's.
    let ends = Ends::Gaussian { frequency: 2.0, center: 0.0 };
    let open = Ensemble::ground_state(16.0, 160).unwrap().with_ends(ends).unwrap();
    for (ensemble, rule) in [(open, Rule::TakahashiImada), (Ensemble::periodic(8.0, 80).unwrap(), Rule::Trapezoid)] {
        let lattice = TransferMatrix::new(&quartic(), rule, 0.1).unwrap();
        let report = run(&quartic(), &ensemble, rule, 6000);
        let (plain, gap) = (report.correlators.gap_plain().unwrap(), report.correlators.gap().unwrap());
        close(plain, lattice.gap(), 0.02);
        close(gap, lattice.gap(), 0.001);
        if rule == Rule::TakahashiImada {
            let spectrum = Spectrum::new(&quartic()).unwrap();
            close(gap, spectrum.energy(1) - spectrum.energy(0), 0.001);
        }
    }
}

#[test]
fn the_only_point_between_fixed_ends() {
    // Two segments and one point: a Gaussian of variance 1 / (2m/Δ + Δ m ω²) around 0, everything in closed form.
    let (step, omega) = (0.2, 1.3f64);
    let system = System::new(Polynomial::oscillator(1.0, omega).unwrap()).unwrap();
    let ensemble = Ensemble::fixed_ends(2.0 * step, 2, &[0.0], &[0.0]).unwrap();
    let report = run(&system, &ensemble, Rule::Trapezoid, 3000);
    let square = 1.0 / (2.0 / step + step * omega * omega);
    close(report.x2.plain.estimate(), square, 1e-2);
    // ħ/2Δ - m⟨(Δx)²⟩/2Δ² + ⟨V⟩.
    let energy = 0.5 / step - 0.5 * square / (step * step) + 0.5 * omega * omega * square;
    close(report.thermodynamic_energy.plain.estimate(), energy, 3e-2);
}

#[test]
fn windows_at_the_edge_have_an_energy() {
    // One point in the middle, and the last point, which has no middle of a segment after it.
    let system = quartic();
    let ensemble = Ensemble::ground_state(6.0, 60).unwrap();
    for (rule, point) in [(Rule::Trapezoid, 30), (Rule::Midpoint, 60)] {
        let target = Target::variational(&Action::new(&system, &ensemble, rule).unwrap()).unwrap();
        let mut chains = Chains::new(&target, Method::HmcReference, ChainsParams::default().seed(12)).unwrap();
        chains.thermalize(300, &mut ()).unwrap();
        let params = ObservablesParams::default().window(point..point + 1);
        let mut observables = vec![Observables::new(&target, params).unwrap(); 2];
        chains.run(3000, &mut observables, &mut ()).unwrap();
        let report = Report::new(&observables).unwrap();
        assert!(report.energy.plain.estimate().value > 0.3, "{rule:?}: {:?}", report.energy.plain);
        if point == 30 {
            close(report.thermodynamic_energy.plain.estimate(), 0.80, 0.1);
        }
    }
    let mut params = ObservablesParams::default();
    params.every = 0;
    let target = Target::variational(&Action::new(&system, &ensemble, Rule::Trapezoid).unwrap()).unwrap();
    assert!(Observables::new(&target, params).is_err());
}

#[test]
fn windows_on_part_of_a_ring() {
    // Lags end where no pair is left in the window; a whole ring has those up to half of it.
    let system = System::new(Polynomial::oscillator(1.0, 1.0).unwrap()).unwrap();
    let part = |ensemble: &Ensemble, window: std::ops::Range<usize>| {
        let target = Target::variational(&Action::new(&system, ensemble, Rule::Trapezoid).unwrap()).unwrap();
        let mut chains = Chains::new(&target, Method::HmcReference, ChainsParams::default().seed(13)).unwrap();
        let params = ObservablesParams::default().bin(1).window(window);
        let mut observables = vec![Observables::new(&target, params).unwrap(); 2];
        chains.run(20, &mut observables, &mut ()).unwrap();
        let connected = Report::new(&observables).unwrap().correlators.connected().unwrap();
        assert!(connected.iter().all(|e| e.value.is_finite()), "{connected:?}");
        connected.len()
    };
    let ring = Ensemble::periodic(4.0, 40).unwrap();
    assert_eq!([0..1, 0..2, 0..4, 10..30, 0..39, 0..40].map(|window| part(&ring, window)), [1, 2, 4, 20, 21, 21]);
    assert_eq!(part(&Ensemble::ground_state(6.0, 60).unwrap(), 30..31), 1);
}

#[test]
fn errors_count_the_coefficients_that_are_fitted() {
    // 256 samples and the twelve control variates of a symmetric well; before 240 nothing is fitted.
    let ensemble = Ensemble::periodic(4.0, 40).unwrap();
    let target = Target::variational(&Action::new(&quartic(), &ensemble, Rule::Trapezoid).unwrap()).unwrap();
    for (steps, factor) in [(7, 1.0), (8, (256.0f64 / 244.0).sqrt())] {
        let mut chains = Chains::new(&target, Method::HmcReference, ChainsParams::default().seed(14)).unwrap();
        let mut observables = vec![Observables::new(&target, ObservablesParams::default()).unwrap(); 2];
        chains.run(steps, &mut observables, &mut ()).unwrap();
        let report = Report::new(&observables).unwrap();
        assert_eq!(report.samples, 32 * steps as usize);
        for measured in [report.energy, report.x2] {
            let ratio = measured.estimate.std_error.unwrap() / measured.reduced.std_error();
            assert!((ratio / factor - 1.0).abs() < 1e-12, "{steps}: {ratio}");
        }
    }
}
