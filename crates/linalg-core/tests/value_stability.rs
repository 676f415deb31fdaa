//! Fixed outputs of every generator and distribution.
//!
//! A failure means that published results no longer reproduce: it needs an entry under "Numbers" in the changelog,
//! not a new constant alone.

use linalg_core::Streams;
use linalg_core::rand::{Rng, RngExt, SeedableRng};
use linalg_core::rng::{ChaCha8Rng, exponential, standard_normal, uniform_open01};
use linalg_core::stats::bootstrap;

#[test]
fn chacha8_key_stream() {
    // 256-bit zero key, zero nonce, 8 rounds: test case 1 of draft-strombergson-chacha-test-vectors-01.
    let mut bytes = [0; 16];
    ChaCha8Rng::from_seed([0; 32]).fill_bytes(&mut bytes);
    let expected = [0x3e, 0x00, 0xef, 0x2f, 0x89, 0x5f, 0x40, 0xd6, 0x7f, 0x5b, 0xb8, 0xe8, 0x1f, 0x09, 0xa5, 0xa1];
    assert_eq!(bytes, expected);
}

#[test]
fn streams() {
    let words = |rng: &mut dyn Rng| [rng.next_u64(), rng.next_u64()];
    let streams = Streams::new(42);
    assert_eq!(words(&mut streams.stream(0)), [12578764544318200737, 17529487244874322312]);
    assert_eq!(words(&mut streams.stream(7)), [2370525664269707216, 6019739031913071421]);
    assert_eq!(words(&mut streams.fast_stream(0)), [17370664886455124630, 6196673954395999745]);
    assert_eq!(words(&mut streams.fast_stream(7)), [11239440065697591180, 10872453665297101702]);
    assert_eq!([streams.child(0).seed, streams.child(7).seed], [2602404293449726466, 3948532767780134452]);
}

fn same_bits(found: &[f64], expected: &[f64]) {
    let bits = |x: &[f64]| x.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(found), bits(expected), "{found:?}");
}

#[test]
fn distributions() {
    let mut rng = Streams::new(42).stream(1);
    let uniform = [0; 3].map(|_| uniform_open01(&mut rng));
    let exponential = [0; 3].map(|_| exponential(&mut rng));
    let normal = [0; 5].map(|_| standard_normal(&mut rng));
    let bounded = [0; 5].map(|_| rng.random_range(0..1000usize));
    let signs = [0; 8].map(|_| rng.random::<bool>());
    same_bits(&uniform, &[0.7167916525047883, 0.16691033976292224, 0.48241492362471206]);
    same_bits(&exponential, &[0.16692131970471316, 2.7097211176717932, 0.2565197424261695]);
    same_bits(
        &normal,
        &[-0.8524939323968888, -0.3649660001268973, -1.3688964152737468, 0.18027493024799673, -0.40792599786889727],
    );
    assert_eq!(bounded, [543, 994, 900, 685, 83]);
    assert_eq!(signs, [true, true, true, false, true, false, true, true]);
}

#[test]
fn many_normals() {
    // Bits of 10^5 values folded together: layers, wedges and tails are all in it.
    let mut rng = Streams::new(42).fast_stream(2);
    let folded = (0..100_000).fold(0u64, |sum, _| sum.rotate_left(1) ^ standard_normal(&mut rng).to_bits());
    assert_eq!(folded, 14486083514991192045);
}

#[test]
fn bootstrap_draws() {
    let sample = [1.0, 2.0, 4.0, 8.0];
    let sum = |rows: &[f64]| rows.iter().sum::<f64>();
    let mut rng = Streams::new(42).stream(3);
    let result = bootstrap(&sample, 1, 5, sum, &mut rng).unwrap();
    let replicates: Vec<u32> = result.replicates.iter().map(|&x| x as u32).collect();
    assert_eq!(replicates, [6, 14, 14, 18, 18]);
}
