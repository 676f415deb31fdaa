//! What is refused, and how.

use path_integral_nn::estimate::{Observables, ObservablesParams, Report};
use path_integral_nn::field::{
    bare_mass_squared, continuum_coupling, renormalised_coupling, renormalised_mass_squared, transition,
};
use path_integral_nn::path::TimeGrid;
use path_integral_nn::potential::{Closure, Particles};
use path_integral_nn::sampler::{Chains, ChainsParams, Method, Target};
use path_integral_nn::{Action, Ends, Ensemble, Error, Polynomial, ReferenceOscillator, Rule, System};

fn quartic() -> System {
    System::new(Polynomial::new(&[0.0, 0.0, 0.5, 0.0, 1.0]).unwrap()).unwrap()
}

#[test]
fn systems() {
    assert!(matches!(Polynomial::new(&[0.0, 0.0, 0.0, 0.0, -1.0]), Err(Error::UnboundedBelow { .. })));
    assert!(matches!(System::new(Closure::one_dimensional(|x| -x * x)), Err(Error::UnboundedBelow { .. })));
    assert!(matches!(System::new(Closure::new(2, |x| x[0].powi(2) - x[1].powi(4))), Err(Error::UnboundedBelow { .. })));
    // Nothing that moves.
    let nothing = System::new(Particles::new());
    assert!(matches!(nothing, Err(Error::Parameter { what: "number of coordinates", .. })));
    // A linear fall, and a valley far away, are not speeding up.
    assert!(System::new(Closure::one_dimensional(|x| (x - 3.0).powi(2))).is_ok());
    for bad in [-1.0, 0.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(quartic().with_mass(bad), Err(Error::Parameter { what: "mass", .. })));
        assert!(matches!(quartic().with_hbar(bad), Err(Error::Parameter { what: "hbar", .. })));
        assert!(matches!(Ensemble::periodic(bad, 4), Err(Error::Parameter { what: "time", .. })));
    }
}

#[test]
fn ensembles() {
    assert!(matches!(Ensemble::periodic(1.0, 0), Err(Error::Parameter { what: "number of slices", .. })));
    assert!(matches!(Ensemble::fixed_ends(1.0, 1, &[0.0], &[1.0]), Err(Error::NothingToSample { slices: 1 })));
    assert!(Ensemble::fixed_ends(1.0, 4, &[0.0], &[1.0, 2.0]).is_err());
    assert!(Ensemble::fixed_ends(1.0, 4, &[f64::NAN], &[1.0]).is_err());
    let ends = Ends::Gaussian { frequency: 1.0, center: 0.0 };
    assert!(matches!(Ensemble::periodic(1.0, 4).unwrap().with_ends(ends), Err(Error::NotApplicable { .. })));
    let plane = Ensemble::fixed_ends(1.0, 4, &[0.0, 0.0], &[1.0, 2.0]).unwrap();
    assert!(matches!(Action::new(&quartic(), &plane, Rule::Trapezoid), Err(Error::Parameter { .. })));
    assert!(matches!(TimeGrid::new(&[0.0, 1.0, 1.0]), Err(Error::NotAscending { index: 2, .. })));
    assert!(matches!(TimeGrid::new(&[0.0, 2.0, 1.0, 3.0]), Err(Error::NotAscending { index: 2, .. })));
    assert!(matches!(TimeGrid::new(&[0.0, f64::NAN, 1.0]), Err(Error::NotFinite { index: 1, .. })));
}

#[test]
fn potentials_that_are_not_finite() {
    let half = System::new(Closure::one_dimensional(|x| if x > 0.0 { x * x } else { f64::NAN })).unwrap();
    assert!(matches!(ReferenceOscillator::variational(&half), Err(Error::NotFinite { .. })));
    let action = Action::new(&half, &Ensemble::periodic(2.0, 8).unwrap(), Rule::Trapezoid).unwrap();
    let target = Target::new(&action, ReferenceOscillator::new(1.0, 0.0).unwrap()).unwrap();
    assert!(matches!(
        Chains::new(&target, Method::Pcn, ChainsParams::default()),
        Err(Error::PathNotFinite { what: "action", .. })
    ));
    // Started on the good side, a step into the bad one is refused and the path stays finite.
    let away = Target::new(&action, ReferenceOscillator::new(4.0, 3.0).unwrap()).unwrap();
    for method in Method::ALL {
        let mut chains = Chains::new(&away, method, ChainsParams::default()).unwrap();
        chains.thermalize(300, &mut ()).unwrap();
        assert!(chains.blocks().all(|b| b.paths().iter().all(|x| *x > 0.0)), "{}", method.name());
    }
}

#[test]
fn references_and_runs() {
    let action = Action::new(&quartic(), &Ensemble::periodic(2.0, 8).unwrap(), Rule::Trapezoid).unwrap();
    let free = ReferenceOscillator::new(0.0, 0.0).unwrap();
    assert!(matches!(Target::new(&action, free), Err(Error::Parameter { what: "reference frequency", .. })));
    assert!(matches!(ReferenceOscillator::new(f64::NAN, 0.0), Err(Error::Parameter { .. })));
    // A double well has a real variational frequency.
    let well = System::new(Polynomial::new(&[0.0, 0.0, -2.0, 0.0, 1.0]).unwrap()).unwrap();
    assert!(ReferenceOscillator::variational(&well).unwrap().frequency > 0.5);
    let target = Target::variational(&action).unwrap();
    assert!(Chains::new(&target, Method::Pcn, ChainsParams::default().chains(0)).is_err());
    for window in [3..3, 5..9, 9..12] {
        let params = ObservablesParams::default().window(window);
        assert!(matches!(Observables::new(&target, params), Err(Error::Parameter { .. })));
    }
    let none = Observables::new(&target, ObservablesParams::default()).unwrap();
    assert!(matches!(Report::new(&[none]), Err(Error::Parameter { what: "number of samples", .. })));
    assert!(Report::new(&[]).is_err());
}

#[test]
fn transitions() {
    let streams = linalg_core::Streams::new(1);
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(transition(bad, &[8, 16], 1000, streams), Err(Error::Parameter { what: "coupling", .. })));
    }
    for sizes in [&[][..], &[8], &[16, 8], &[1, 8], &[8, 8]] {
        let result = transition(0.25, sizes, 1000, streams);
        assert!(matches!(result, Err(Error::Parameter { what: "first size", .. })), "{sizes:?}");
    }
    assert!(matches!(transition(0.25, &[4, 8], 99, streams), Err(Error::Parameter { what: "number of steps", .. })));
    assert!(matches!(continuum_coupling(&[]), Err(Error::Parameter { .. })));
}

#[test]
fn masses_renormalised_by_the_tadpole() {
    // The tadpole of the infinite lattice diverges at mass zero.
    for bad in [0.0, -0.1, f64::NAN, f64::INFINITY] {
        let result = bare_mass_squared(bad, 0.25);
        assert!(matches!(result, Err(Error::Parameter { what: "renormalised mass squared", .. })), "{bad}");
    }
    assert!(matches!(bare_mass_squared(0.1, f64::NAN), Err(Error::Parameter { what: "coupling", .. })));
    for bad in [-0.25, f64::NAN, f64::INFINITY] {
        let result = renormalised_mass_squared(-1.0, bad);
        assert!(matches!(result, Err(Error::Parameter { what: "coupling", .. })), "{bad}");
    }
    // So deep that no number is small enough, and no number at all.
    for bad in [-1e6, f64::NAN, f64::NEG_INFINITY, f64::INFINITY] {
        let result = renormalised_mass_squared(bad, 0.25);
        assert!(matches!(result, Err(Error::Parameter { what: "mass squared", .. })), "{bad}");
    }
    assert!(renormalised_coupling(linalg_core::stats::Estimate::new(-1e6, 0.1), 0.25).is_err());
}
