//! Matching against weights from PyMatching, no allocation after the first shots, and published thresholds.
//!
//! `tests/data/make_matching.py` writes the files.

mod counting;

use std::fs;
use std::path::Path;

use linalg_core::Streams;
use quantum_ec::code::{self, CssCode, Kind};
use quantum_ec::decode::{Decoder, DecoderChoice, Matching};
use quantum_ec::dem::Sampler;
use quantum_ec::noise::{css_problem, phenomenological};
use quantum_ec::sample::{CollectParams, RatePoint, Row, collect, fit_threshold};
use quantum_ec::{DecodingProblem, DetectorErrorModel, Prediction, Shots};

use counting::allocations;

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).unwrap()
}

#[test]
fn weights_are_those_of_pymatching() {
    for (folder, name) in
        [("dem", "rotated_surface_d3"), ("dem", "repetition_d3"), ("circuit_level", "repetition_d5_r4_p0.08")]
    {
        let model: DetectorErrorModel = read(&format!("{folder}/{name}.dem")).parse().unwrap();
        let mut matching = Matching::from_model(&model).unwrap();
        let (shots, weights) = (read(&format!("matching/{name}.01")), read(&format!("matching/{name}.weights")));
        assert_eq!(shots.lines().count(), 100);
        for (shot, weight) in shots.lines().zip(weights.lines()) {
            let found = matching.decode(&shot.parse().unwrap()).unwrap().weight;
            let expected: f64 = weight.parse().unwrap();
            // Both programs round.
            assert!((found - expected).abs() <= 1e-5 * f64::max(1.0, expected), "{name}: {found} {expected}");
        }
    }
}

/// Bit flips on a planar code: many defects, blossoms and all.
fn bit_flips(family: &str, distance: usize, p: f64) -> DecodingProblem {
    let code = code::parse(&format!("{family}:{distance}")).unwrap();
    let code = CssCode::from_stabilizer(&code).unwrap();
    css_problem(&code, Kind::X, vec![p; code.n_qubits()]).unwrap()
}

#[test]
fn decoding_does_not_allocate_after_the_first_shots() {
    let model: DetectorErrorModel = read("dem/rotated_surface_d3.dem").parse().unwrap();
    let (sampler, planar) = (Sampler::of_model(&model).unwrap(), bit_flips("unrotated-surface", 9, 0.1));
    for (name, mut decoder, shots) in [
        ("matching", None, sampler.sample(400, &Streams::new(1)).detectors),
        ("matching:correlated", None, sampler.sample(400, &Streams::new(2)).detectors),
        ("union-find", None, sampler.sample(400, &Streams::new(3)).detectors),
        (
            "matching",
            Some(Box::new(Matching::from_problem(&planar).unwrap()) as Box<dyn Decoder>),
            Sampler::new(&planar).sample(400, &Streams::new(4)).detectors,
        ),
    ]
    .map(|(name, decoder, shots): (&str, Option<Box<dyn Decoder>>, Shots)| {
        let build = || name.parse::<DecoderChoice>().unwrap().build_of_model(&model).unwrap().decoder;
        (name, decoder.unwrap_or_else(build), shots)
    }) {
        let mut out = Prediction::new(decoder.n_observables());
        let mut pass = || (0..shots.n_shots()).for_each(|k| decoder.decode_into(shots.row(k), &mut out).unwrap());
        pass();
        let before = allocations();
        pass();
        assert_eq!(allocations() - before, 0, "{name}");
    }
}

/// Where the curves of several distances cross.
fn threshold(
    distances: &[usize],
    rates: &[f64],
    shots: u64,
    problem: impl Fn(usize, f64) -> DecodingProblem,
) -> (f64, f64) {
    let mut points = Vec::new();
    for &d in distances {
        for &p in rates {
            let problem = problem(d, p);
            let matching = Matching::from_problem(&problem).unwrap();
            let mut row = Row::default();
            let build = || Ok(Box::new(matching.clone()) as Box<dyn Decoder>);
            let params = CollectParams::default().max_shots(shots);
            collect(&mut row, &Sampler::new(&problem), &build, None, &params, &Streams::new(1), &mut ()).unwrap();
            points.push(RatePoint { distance: d as f64, p, shots: row.shots, errors: row.errors });
        }
    }
    let fit = fit_threshold(&points).unwrap();
    assert!(fit.converged);
    (fit.threshold.value, fit.threshold.std_error.unwrap())
}

#[test]
#[ignore = "half a million shots; run by .ci/long"]
fn bit_flip_threshold_of_the_toric_code() {
    // 0.1031(1), Wang, Harrington and Preskill 2003; 0.10306(8), Merz and Chalker 2002. Distances 8 to 16 cross at 0.1051(4).
    let rates = [0.099, 0.101, 0.103, 0.105, 0.107];
    let (p, error) = threshold(&[16, 24, 32], &rates, 20_000, |d, p| bit_flips("toric", d, p));
    assert!((p - 0.1031).abs() < 4.0 * error + 0.0005 && error < 0.001, "{p} {error}");
}

#[test]
#[ignore = "a hundred thousand long shots; run by .ci/long"]
fn phenomenological_threshold_of_the_toric_code() {
    // 0.0293(2), Wang, Harrington and Preskill 2003. Distances 6 to 10 cross at 0.0308(2).
    let rates = [0.027, 0.028, 0.029, 0.030, 0.031];
    let (p, error) = threshold(&[10, 14, 18], &rates, 4000, |d, p| {
        let code = CssCode::from_stabilizer(&code::parse(&format!("toric:{d}")).unwrap()).unwrap();
        let sector = css_problem(&code, Kind::X, vec![p; code.n_qubits()]).unwrap();
        let model = phenomenological(sector.checks(), sector.observables(), d as u64, p, p).unwrap();
        model.to_problem().unwrap()
    });
    assert!((p - 0.0293).abs() < 4.0 * error + 0.0005 && error < 0.001, "{p} {error}");
}
