//! Long runs: stopped, resumed and added up.

use linalg_core::checkpoint::{Checkpoint, CheckpointError};
use linalg_core::merge::{Merge, MergeError, Units};
use path_integral_nn::estimate::{Observables, ObservablesParams, Report};
use path_integral_nn::sampler::{Chains, ChainsParams, Method, Progress, Target};
use path_integral_nn::{Action, Ensemble, Error, Polynomial, Rule, System};
use std::ops::ControlFlow;

fn target(quartic: f64) -> Target {
    let system = System::new(Polynomial::new(&[0.0, 0.0, 0.5, 0.0, quartic]).unwrap()).unwrap();
    let action = Action::new(&system, &Ensemble::periodic(4.0, 32).unwrap(), Rule::TakahashiImada).unwrap();
    Target::variational(&action).unwrap()
}

fn start(target: &Target, seed: u64, threads: usize) -> Chains {
    Chains::new(target, Method::HmcReference, ChainsParams::default().chains(48).seed(seed).threads(threads)).unwrap()
}

fn empty(target: &Target) -> Vec<Observables> {
    vec![Observables::new(target, ObservablesParams::default().every(2)).unwrap(); 3]
}

fn through_bytes(checkpoint: &Checkpoint) -> Checkpoint {
    Checkpoint::from_bytes(&checkpoint.to_bytes()).unwrap()
}

#[test]
fn a_stopped_run_goes_on_bit_by_bit() {
    let target = target(1.0);
    let (mut whole, mut expected) = (start(&target, 5, 1), empty(&target));
    whole.thermalize(64, &mut ()).unwrap();
    whole.run(150, &mut expected, &mut ()).unwrap();

    // The same, stopped in the middle of the thermalisation and of a bin, on other numbers of threads.
    let mut first = start(&target, 5, 2);
    let mut stop = |p: &Progress| if p.done >= 32 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    assert!(matches!(first.thermalize(64, &mut stop), Err(Error::Stopped { done: 32, total: 64 })));
    let mut second = start(&target, 5, 3);
    second.restore(&through_bytes(&first.checkpoint())).unwrap();
    second.thermalize(32, &mut ()).unwrap();
    let mut measured = empty(&target);
    second.run(37, &mut measured, &mut ()).unwrap();
    let saved: Vec<Checkpoint> = measured.iter().map(|m| through_bytes(&m.checkpoint())).collect();
    let mut third = start(&target, 5, 1);
    third.restore(&through_bytes(&second.checkpoint())).unwrap();
    let mut again = empty(&target);
    again.iter_mut().zip(&saved).for_each(|(o, s)| o.restore(s).unwrap());
    third.run(113, &mut again, &mut ()).unwrap();
    assert_eq!(Report::new(&again).unwrap(), Report::new(&expected).unwrap());
    assert_eq!(third.steps(), 214);
    assert_eq!(again[0].checkpoint().to_bytes(), expected[0].checkpoint().to_bytes());
}

#[test]
fn runs_with_other_seeds_add_up() {
    let target = target(1.0);
    let run = |seed: u64| {
        let (mut chains, mut measured) = (start(&target, seed, 1), empty(&target));
        measured =
            (0..3).zip(measured).map(|(k, o)| o.with_units(Units::range(3 * seed + k..3 * seed + k + 1))).collect();
        chains.run(100, &mut measured, &mut ()).unwrap();
        (chains, measured)
    };
    let ((mut chains, mut one), (_, two)) = (run(1), run(2));
    let side_by_side: Vec<Observables> = one.iter().zip(&two).flat_map(|(a, b)| [a.clone(), b.clone()]).collect();
    for (a, b) in one.iter_mut().zip(&two) {
        a.merge(b).unwrap();
    }
    assert_eq!(Report::new(&one).unwrap(), Report::new(&side_by_side).unwrap());
    assert_eq!((one[0].n_samples(), one[0].units().ranges()), (2 * 50 * 16, &[(3, 4), (6, 7)][..]));
    // Twice the same is refused, and leaves the sum as it is.
    let before = one[0].checkpoint().to_bytes();
    assert_eq!(one[0].merge(&two[0]), Err(MergeError::OverlappingUnits { unit: 6 }));
    assert_eq!(one[0].checkpoint().to_bytes(), before);
    // A sum is saved like any other, and goes on measuring in bins of its own.
    let mut again = empty(&target);
    again.iter_mut().zip(&one).for_each(|(o, m)| o.restore(&through_bytes(&m.checkpoint())).unwrap());
    chains.run(60, &mut again, &mut ()).unwrap();
    assert_eq!(again[1].n_samples(), (50 + 50 + 30) * 16);
    let x2 = Report::new(&again).unwrap().x2.estimate;
    let exact = path_integral_nn::exact::TransferMatrix::new(target.action().system(), Rule::TakahashiImada, 0.125)
        .unwrap()
        .moment(2, Some(32))
        .unwrap();
    assert!(x2.std_error.unwrap() < 1e-3 && (x2.value - exact).abs() < 4.0 * x2.std_error.unwrap(), "{x2} {exact}");
}

#[test]
fn strangers_and_damage_are_refused() {
    let (mine, other) = (target(1.0), target(2.0));
    let mut measured = empty(&mine);
    start(&mine, 1, 1).run(20, &mut measured, &mut ()).unwrap();
    let saved = measured[0].checkpoint();
    // Another potential, another interval, another binning.
    let stranger = |target: &Target, params| Observables::new(target, params).unwrap();
    let mut others = [
        stranger(&other, ObservablesParams::default().every(2)),
        stranger(&mine, ObservablesParams::default()),
        stranger(&mine, ObservablesParams::default().every(2).bin(8)),
        stranger(&mine, ObservablesParams::default().every(2).window(0..5)),
    ];
    for stranger in &mut others {
        assert!(matches!(stranger.restore(&saved), Err(Error::Checkpoint(_))));
        assert!(matches!(stranger.merge(&measured[0]), Err(MergeError::Problem { .. })));
        assert_eq!(stranger.n_samples(), 0);
    }
    let bytes = saved.to_bytes();
    for length in [0, 10, bytes.len() / 2, bytes.len() - 1] {
        assert!(Checkpoint::from_bytes(&bytes[..length]).is_err());
    }
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 4;
    let result = Checkpoint::from_bytes(&flipped);
    assert!(matches!(result, Err(CheckpointError::Checksum { .. })), "{result:?}");
    // A checkpoint of the chains is not one of the measurements.
    assert!(matches!(measured[0].restore(&start(&mine, 1, 1).checkpoint()), Err(Error::Checkpoint(_))));
    assert_eq!(measured[0].n_samples(), 160);
}
