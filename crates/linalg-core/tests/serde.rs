//! Results and parameters survive JSON.
#![cfg(feature = "serde")]

use std::fmt::Debug;

use linalg_core::logspace::{LogSum, SignedLog};
use linalg_core::optim::{Adam, AdamParams, Beta, ConjugateGradientParams, Momentum, SgdParams};
use linalg_core::quadrature::{GaussHermite, Rule};
use linalg_core::rng::{ChaChaState, Xoshiro256PlusPlus, standard_normal};
use linalg_core::stats::{Binning, Estimate, Running, WeightedMean, autocorrelation_time};
use linalg_core::{Streams, Units};
use serde::{Serialize, de::DeserializeOwned};

fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let text = serde_json::to_string(value).unwrap();
    let back: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(&back, value, "{text}");
}

#[test]
fn everything_comes_back() {
    let streams = Streams::new(5);
    let mut rng = streams.stream(1);
    let series: Vec<f64> = (0..1001).map(|_| standard_normal(&mut rng)).collect();
    round_trip(&streams);
    round_trip(&Units::range(3..9));
    round_trip(&ChaChaState::save(&rng));
    round_trip(&streams.fast_stream(2));
    // Empty accumulators hold no infinity, which JSON could not store.
    round_trip(&LogSum::new());
    round_trip(&series.iter().copied().collect::<LogSum>());
    round_trip(&SignedLog::from(-2.5));
    round_trip(&Running::new());
    round_trip(&series.iter().copied().collect::<Running>());
    round_trip(&Binning::new());
    round_trip(&series.iter().copied().collect::<Binning>());
    let mut weighted = WeightedMean::new();
    round_trip(&weighted);
    series.iter().for_each(|&x| weighted.push(3.0 * x, x));
    round_trip(&weighted);
    round_trip(&autocorrelation_time(&series).unwrap());
    round_trip(&[Estimate::exact(1.5), Estimate::new(0.1, 0.2)]);
    round_trip(&GaussHermite::new(7).unwrap());
    round_trip(&Rule::Simpson);
    round_trip(&ConjugateGradientParams::default().beta(Beta::HagerZhang));
    round_trip(&SgdParams::default().momentum(Momentum::Nesterov(0.9)));
    let mut adam = Adam::new(AdamParams::default(), 3).unwrap();
    adam.step(&mut [0.0; 3], &[1.0, -2.0, 0.5]).unwrap();
    round_trip(&adam);
}

#[test]
fn the_zero_state_does_not_enter_by_the_back_door() {
    let error = serde_json::from_str::<Xoshiro256PlusPlus>("[0,0,0,0]").unwrap_err();
    assert!(error.to_string().contains("xoshiro256++"), "{error}");
}
