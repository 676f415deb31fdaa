//! Maximum likelihood on repetition codes with noise of gates, measurements and resets, and none on waiting data.
//!
//! The reference averages `1 - max P(class | syndrome)` over shots of the same circuits, by another program.

use linalg_core::Streams;
use quantum_ec::DecodingProblem;
use quantum_ec::circuit::{CircuitNoise, Memory};
use quantum_ec::decode::{Decoder, MaximumLikelihood};
use quantum_ec::dem::Sampler;
use quantum_ec::sensitivity::ModelParams;
use quantum_ec::statmech::optimal_failure_rate;
use quantum_ec::{Prediction, Shots};

/// Distance and rounds, rate of the three knobs, failure rate, its standard error.
const TABLE: &[(usize, f64, f64, f64)] = &[
    (3, 0.05, 0.064828, 0.000683),
    (5, 0.05, 0.045085, 0.000860),
    (7, 0.05, 0.033521, 0.001110),
    (9, 0.05, 0.025989, 0.001542),
    (11, 0.05, 0.018915, 0.002808),
    (3, 0.06, 0.088591, 0.000784),
    (5, 0.06, 0.072647, 0.001057),
    (7, 0.06, 0.060770, 0.001430),
    (9, 0.06, 0.052895, 0.002133),
    (11, 0.06, 0.045672, 0.004328),
    (3, 0.065, 0.100223, 0.000817),
    (5, 0.065, 0.086167, 0.001116),
    (7, 0.065, 0.077696, 0.001556),
    (9, 0.065, 0.073771, 0.002448),
    (11, 0.065, 0.067777, 0.005243),
    (3, 0.07, 0.113560, 0.000855),
    (5, 0.07, 0.104155, 0.001203),
    (7, 0.07, 0.097418, 0.001703),
    (9, 0.07, 0.093809, 0.002628),
    (11, 0.07, 0.090430, 0.005732),
    (3, 0.075, 0.126317, 0.000879),
    (5, 0.075, 0.121212, 0.001258),
    (7, 0.075, 0.114360, 0.001770),
    (9, 0.075, 0.115619, 0.002812),
    (11, 0.075, 0.113371, 0.006334),
    (3, 0.08, 0.139996, 0.000906),
    (5, 0.08, 0.136707, 0.001300),
    (7, 0.08, 0.137328, 0.001860),
    (9, 0.08, 0.140902, 0.002935),
    (11, 0.08, 0.137346, 0.006446),
];

/// d rounds of the code of distance d.
fn problem(d: usize, p: f64) -> DecodingProblem {
    let clean = Memory::Repetition.circuit(d, d as u64).unwrap();
    let mut noise = CircuitNoise::uniform(p).unwrap();
    noise.before_round_data_depolarization = 0.0;
    noise.apply(&clean).unwrap().to_model(&ModelParams::default()).unwrap().model.to_problem().unwrap()
}

#[test]
fn exact_rates_at_distance_3() {
    let rate = optimal_failure_rate(&problem(3, 0.05)).unwrap();
    assert!((rate - 0.064421452).abs() < 1e-9, "{rate}");
    for &(d, p, expected, error) in TABLE.iter().filter(|row| row.0 == 3) {
        let rate = optimal_failure_rate(&problem(d, p)).unwrap();
        assert!((rate - expected).abs() < 4.0 * error, "{p}: {rate}, {expected} in the table");
    }
}

/// The mean over shots of the posterior probability of failure, and its standard error.
fn sampled(d: usize, p: f64, shots: usize) -> (f64, f64) {
    let problem = problem(d, p);
    let mut decoder = MaximumLikelihood::automatic(&problem).unwrap();
    let mut prediction = Prediction::new(1);
    let samples = Sampler::new(&problem).sample(shots, &Streams::new(7));
    let detectors: &Shots = &samples.detectors;
    let (mut sum, mut squares) = (0.0, 0.0);
    for shot in 0..shots {
        decoder.decode_into(detectors.row(shot), &mut prediction).unwrap();
        let failure = 1.0 / (1.0 + prediction.complementary_gap().unwrap().exp());
        sum += failure;
        squares += failure * failure;
    }
    let n = shots as f64;
    let mean = sum / n;
    (mean, ((squares / n - mean * mean) / (n - 1.0)).sqrt())
}

/// Deviations in units of the common standard error: each below 4, all together as large as chance has it.
fn compare(distances: &[usize], shots: usize) {
    let (mut sum, mut count) = (0.0, 0.0);
    for &(d, p, expected, error) in TABLE.iter().filter(|row| distances.contains(&row.0)) {
        let (rate, own) = sampled(d, p, shots);
        let z = (rate - expected) / error.hypot(own);
        assert!(z.abs() < 4.0, "d = {d}, p = {p}: {rate} ± {own}, {expected} ± {error} in the table");
        sum += z * z;
        count += 1.0;
    }
    let mean = sum / count;
    assert!(mean < 1.0 + 4.0 * (2.0f64 / count).sqrt(), "mean square {mean} of {count}");
}

#[test]
fn rates_at_distances_3_and_5() {
    compare(&[3, 5], 3000);
}

#[test]
#[ignore = "circuits up to d = 11, minutes; run by .ci/long"]
fn rates_of_the_whole_table() {
    compare(&[3, 5, 7], 20_000);
    compare(&[9, 11], 3000);
}
