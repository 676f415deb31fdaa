//! Mutated files: no reader panics, every error has a place, and what a predictor takes from a saved state it goes on from.

#[path = "../../linalg-core/tests/mutations/mod.rs"]
mod mutations;

use linalg_core::Streams;
use linalg_core::checkpoint::{Checkpoint, Reader, Writer};
use physics_inference::Error;
use physics_inference::predict::{
    CoulombCoupling, CoulombParams, Coupling, FieldPredictor, FrictionParams, Link, OnlinePredictor, Units,
};
use physics_inference::series::{SeriesError, StreamingMoments, Table};

const PIECES: [&[u8]; 14] = [
    b"nan",
    b"inf",
    b"1e999",
    b"-1",
    b"0",
    b",",
    b",,",
    b"\"",
    b"\n",
    b"\r\n",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\xce\xbb",
    b" ",
];

#[test]
fn tables() {
    let files =
        [&b"a,b\n1,0\n-1,1\n0,1\n"[..], b"0,1\n1,1\n", b"\xef\xbb\xbf\"t\", \"x 2\"\r\n3.5,1e-3\r\n\r\n-1,2\r\n"];
    mutations::run("table", &files.map(<[u8]>::to_vec), &PIECES, |input| {
        let lines = input.iter().filter(|&&byte| byte == b'\n').count() + 1;
        match Table::read(input) {
            Ok(table) => {
                for i in 0..table.names().len() {
                    assert_eq!(table.column(i).len(), table.n_steps());
                    assert!(table.column(i).iter().all(|x| x.is_finite()));
                }
                // A bit of another value has a place, too.
                match table.binary() {
                    Ok(series) => assert_eq!(series.n_steps(), table.n_steps()),
                    Err(Error::Series(_)) => {}
                    Err(other) => panic!("{other}"),
                }
                true
            }
            Err(Error::Series(error)) => {
                match error {
                    SeriesError::Ragged { line, .. }
                    | SeriesError::Missing { line, .. }
                    | SeriesError::Value { line, .. } => assert!((1..=lines).contains(&line), "line {line} of {lines}"),
                    _ => {}
                }
                false
            }
            Err(other) => panic!("{other}"),
        }
    });
}

/// A predictor that has learnt for some steps.
fn predictor(link: Link) -> FieldPredictor<CoulombCoupling<3>> {
    let mut rng = Streams::new(4).stream(0);
    let mut charges = CoulombCoupling::<3>::new(3, 6, CoulombParams::default()).unwrap();
    charges.randomize(&mut rng);
    let params = FrictionParams::default().horizon(50.0);
    let mut predictor = FieldPredictor::new(charges, Units::variables(3), 1, link, true).learning(params).unwrap();
    for step in [[1, -1, 1], [1, 1, -1], [-1, 1, -1], [1, -1, -1]] {
        predictor.observe(&step);
    }
    predictor
}

#[test]
fn states_of_streams() {
    for (name, link) in [("stream_tanh", Link::Tanh), ("stream_linear", Link::Linear { clip: 0.01 })] {
        let start = predictor(link);
        mutations::run_checkpoints(name, &[start.checkpoint()], |bytes| {
            let Ok(checkpoint) = Checkpoint::from_bytes(bytes) else { return false };
            let mut predictor = start.clone();
            match predictor.restore(&checkpoint) {
                Ok(()) => {
                    let (saved, mut again) = (predictor.checkpoint(), start.clone());
                    again.restore(&saved).unwrap();
                    assert_eq!(again.checkpoint(), saved);
                    let mut p = [0.0; 3];
                    predictor.predict(&mut p);
                    predictor.observe(&[1, -1, 1]);
                    true
                }
                Err(Error::Checkpoint(_)) => {
                    assert_eq!(predictor.checkpoint().to_bytes(), start.checkpoint().to_bytes());
                    false
                }
                Err(other) => panic!("{other}"),
            }
        });
    }
}

#[test]
fn moments() {
    let mut kept = StreamingMoments::new(2, 4.0).unwrap().with_covariances();
    [[1.0, -1.0], [-1.0, -1.0], [1.0, 1.0]].iter().for_each(|step| kept.push(step));
    let mut file = Writer::new();
    kept.write(&mut file);
    mutations::run("moments", &[file.into_bytes()], &[], |bytes| {
        let mut reader = Reader::new(bytes);
        let Ok(moments) = StreamingMoments::read(&mut reader) else { return false };
        let mut again = Writer::new();
        moments.write(&mut again);
        assert_eq!(again.into_bytes(), bytes[..reader.position()]);
        let _ = (moments.mean(0), moments.covariance(0, 0));
        true
    });
}
