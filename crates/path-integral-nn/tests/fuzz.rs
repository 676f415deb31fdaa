//! Mutated checkpoints: no reader panics, a refused one changes nothing, and an accepted one can be written and read again and
//! gone on from.

#[path = "../../linalg-core/tests/mutations/mod.rs"]
mod mutations;

use linalg_core::checkpoint::Checkpoint;
use linalg_core::merge::Merge;
use path_integral_nn::estimate::{Observables, ObservablesParams, Report};
use path_integral_nn::sampler::{Chains, ChainsParams, Method, Target};
use path_integral_nn::{Action, Ensemble, Error, Polynomial, Rule, System};

fn target() -> Target {
    let system = System::new(Polynomial::new(&[0.0, 0.0, 0.5, 0.0, 1.0]).unwrap()).unwrap();
    let action = Action::new(&system, &Ensemble::periodic(2.0, 4).unwrap(), Rule::Trapezoid).unwrap();
    Target::variational(&action).unwrap()
}

fn empty(target: &Target) -> Observables {
    Observables::new(target, ObservablesParams::default().every(2).bin(2)).unwrap()
}

fn run(chains: &mut Chains, measured: Observables) -> Observables {
    let mut measured = [measured];
    chains.run(6, &mut measured, &mut ()).unwrap();
    let [measured] = measured;
    measured
}

#[test]
fn chains() {
    let target = target();
    for (name, method) in [("chains_hmc", Method::HmcReference), ("chains_pcn", Method::Pcn)] {
        let new = || Chains::new(&target, method, ChainsParams::default().chains(16).threads(1)).unwrap();
        let (start, mut later) = (new(), new());
        later.thermalize(10, &mut ()).unwrap();
        mutations::run_checkpoints(name, &[start.checkpoint(), later.checkpoint()], |bytes| {
            let Ok(checkpoint) = Checkpoint::from_bytes(bytes) else { return false };
            let mut chains = new();
            match chains.restore(&checkpoint) {
                Ok(()) => {
                    let (saved, mut again) = (chains.checkpoint(), new());
                    again.restore(&saved).unwrap();
                    assert_eq!(again.checkpoint(), saved);
                    run(&mut chains, empty(&target));
                    true
                }
                Err(Error::Checkpoint(_)) => {
                    assert_eq!(chains.checkpoint().to_bytes(), start.checkpoint().to_bytes());
                    false
                }
                Err(other) => panic!("{other}"),
            }
        });
    }
}

#[test]
fn measurements() {
    let target = target();
    let new = || Chains::new(&target, Method::Pcn, ChainsParams::default().chains(16).threads(1)).unwrap();
    let measured = run(&mut new(), empty(&target));
    let sum = {
        let mut chains = new();
        let mut sum = measured.clone().with_units(linalg_core::merge::Units::range(0..1));
        let other = run(&mut chains, empty(&target).with_units(linalg_core::merge::Units::range(2..3)));
        sum.merge(&other).unwrap();
        sum
    };
    mutations::run_checkpoints("measurements", &[measured.checkpoint(), sum.checkpoint()], |bytes| {
        let Ok(checkpoint) = Checkpoint::from_bytes(bytes) else { return false };
        let mut again = empty(&target);
        match again.restore(&checkpoint) {
            Ok(()) => {
                // What is damaged may be no estimate; it is none without a panic.
                let _ = Report::new(std::slice::from_ref(&again));
                run(&mut new(), again);
                true
            }
            Err(Error::Checkpoint(_)) => {
                assert_eq!(again.checkpoint().to_bytes(), empty(&target).checkpoint().to_bytes());
                false
            }
            Err(other) => panic!("{other}"),
        }
    });
}
