//! Decoders of the belief-propagation family on codes: no allocation after the first shots, joint decoding of X, Y and Z.

mod counting;

use linalg_core::Streams;
use quantum_ec::code::{self, CssCode, Kind};
use quantum_ec::decode::{BpOsd, BpParams, Decoder, DecoderChoice, OsdOrder};
use quantum_ec::dem::Sampler;
use quantum_ec::noise::{PauliTable, css_problem, independent_paulis};
use quantum_ec::{DecodingProblem, Prediction, Shots};

use counting::allocations;

/// Bit flips on the code [[72, 12, 6]].
fn bit_flips(p: f64) -> DecodingProblem {
    let code = code::published_bivariate_bicycle(72, 12, 6).unwrap();
    css_problem(&code, Kind::X, vec![p; 72]).unwrap()
}

#[test]
fn decoding_does_not_allocate_after_the_first_shots() {
    let problem = bit_flips(0.08);
    let shots = Sampler::new(&problem).sample(400, &Streams::new(5)).detectors;
    let mut out = Prediction::new(problem.n_observables());
    for name in [
        "bp",
        "bp,method=sum-product,schedule=layered",
        "bp,schedule=serial",
        "bp-osd:0,iterations=20",
        "bp-osd:cs:7,iterations=20",
        "bp-osd:e:6,iterations=20",
        "bp-lsd:0,iterations=20",
        "bp-lsd:4,iterations=20",
        "relay:3,legs=20",
        "guided-decimation:10,iterations=10",
    ] {
        let mut decoder = name.parse::<DecoderChoice>().unwrap().build(&problem).unwrap().decoder;
        let mut run = || {
            let before = allocations();
            (0..400).for_each(|shot| decoder.decode_into(shots.row(shot), &mut out).unwrap());
            allocations() - before
        };
        run();
        assert_eq!(run(), 0, "{name}");
    }
    // The counter counts.
    let before = allocations();
    drop(std::hint::black_box(vec![0u8; 100]));
    assert!(allocations() > before);
}

#[test]
fn batches_equal_single_shots_for_every_name() {
    let problem = bit_flips(0.08);
    let shots = Sampler::new(&problem).sample(200, &Streams::new(6)).detectors;
    let mut out = Prediction::new(problem.n_observables());
    for name in
        ["bp", "bp-osd:0,iterations=20", "bp-osd:cs:7,iterations=20", "bp-lsd:2,iterations=20", "relay:2,legs=20"]
    {
        let mut decoder = name.parse::<DecoderChoice>().unwrap().build(&problem).unwrap().decoder;
        let mut batch = Shots::zeros(200, problem.n_observables());
        let report = decoder.decode_batch(shots.view(), &mut batch.view_mut()).unwrap();
        assert_eq!((report.decoded, report.failures.len()), (200, 0), "{name}");
        for shot in 0..200 {
            decoder.decode_into(shots.row(shot), &mut out).unwrap();
            assert_eq!(out.observables.words(), batch.row(shot), "{name}, shot {shot}");
        }
    }
}

/// Failures of a decoder in shots of a problem.
fn failures(decoder: &mut dyn Decoder, detectors: &Shots, observables: &Shots) -> usize {
    let mut out = Shots::zeros(detectors.n_shots(), observables.n_bits());
    decoder.decode_batch(detectors.view(), &mut out.view_mut()).unwrap();
    (0..detectors.n_shots()).filter(|&shot| out.row(shot) != observables.row(shot)).count()
}

/// Shots of X, Y and Z errors, decoded once with the three kinds together, and once X and Z apart.
#[test]
fn joint_decoding_uses_the_correlations_of_y() {
    let code = code::published_bivariate_bicycle(72, 12, 6).unwrap();
    let (n, p, shots) = (72, 0.1, 2000);
    let table = PauliTable::depolarizing(n, p).unwrap();
    let joint = independent_paulis(code.stabilizer(), &table).unwrap();
    let samples = Sampler::new(&joint).sample(shots, &Streams::new(7));
    let params = BpParams::default().iterations(60);
    let mut decoder = BpOsd::new(&joint, params, OsdOrder::CombinationSweep(4)).unwrap();
    let together = failures(&mut decoder, &samples.detectors, &samples.observables);

    // The same shots, half by half: X errors are seen by the Z checks.
    let wrong: Vec<Vec<bool>> = [Kind::X, Kind::Z]
        .map(|kind| {
            let problem = css_problem(&code, kind, vec![2.0 * p / 3.0; n]).unwrap();
            let rows = half(&code, kind);
            let k = code.n_logical();
            let seen: Vec<usize> = if kind == Kind::X { (0..k).collect() } else { (k..2 * k).collect() };
            let (detectors, observables) = (pick(&samples.detectors, &rows), pick(&samples.observables, &seen));
            let mut decoder = BpOsd::new(&problem, params, OsdOrder::CombinationSweep(4)).unwrap();
            let mut out = Shots::zeros(shots, k);
            decoder.decode_batch(detectors.view(), &mut out.view_mut()).unwrap();
            (0..shots).map(|shot| out.row(shot) != observables.row(shot)).collect()
        })
        .to_vec();
    let apart = (0..shots).filter(|&shot| wrong[0][shot] || wrong[1][shot]).count();
    // The same shots: the difference of two counts with few shots in which only joint decoding fails. Four standard
    // deviations of the sum are a generous bound.
    let sigma = ((together + apart) as f64).sqrt();
    assert!(apart as f64 - together as f64 > 4.0 * sigma, "{together} together, {apart} apart");
}

/// The generators of the code that see this kind of error, in the order of its check matrix.
fn half(code: &CssCode, kind: Kind) -> Vec<usize> {
    let (matrix, of_x) = if kind == Kind::X { (code.hz(), false) } else { (code.hx(), true) };
    let generators = code.stabilizer().generators();
    let bits = |g: usize| if of_x { generators[g].x() } else { generators[g].z() };
    matrix
        .rows()
        .map(|row| (0..generators.len()).find(|&g| row.to_bitvec() == *bits(g)).expect("every check is a generator"))
        .collect()
}

/// Some columns of a table.
fn pick(shots: &Shots, columns: &[usize]) -> Shots {
    let mut out = Shots::zeros(shots.n_shots(), columns.len());
    for shot in 0..shots.n_shots() {
        columns.iter().enumerate().for_each(|(k, &c)| out.set(shot, k, shots.get(shot, c)));
    }
    out
}
