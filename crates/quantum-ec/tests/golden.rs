//! Files written by Stim: shots in all formats byte for byte, models with their counts, coordinates and rates.
//!
//! `tests/data/make_golden.py` writes the files.

use std::fs;
use std::path::{Path, PathBuf};

use quantum_ec::io::{Layout, ShotFormat, ShotReader, ShotWriter};
use quantum_ec::{DetectorErrorModel, Shots};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

const LAYOUTS: [Layout; 5] = [
    Layout { measurements: 9, detectors: 0, observables: 0 },
    Layout { measurements: 0, detectors: 64, observables: 1 },
    Layout { measurements: 0, detectors: 0, observables: 130 },
    Layout { measurements: 0, detectors: 600, observables: 3 },
    Layout { measurements: 0, detectors: 255, observables: 0 },
];

fn shot_file(layout: Layout, format: ShotFormat) -> Vec<u8> {
    let Layout { measurements, detectors, observables } = layout;
    fs::read(directory().join(format!("shots/m{measurements}_d{detectors}_l{observables}.{format}"))).unwrap()
}

#[test]
fn shots_are_the_same_bytes_in_every_format() {
    for layout in LAYOUTS {
        // The plainest format, read by hand.
        let text = String::from_utf8(shot_file(layout, ShotFormat::Bits01)).unwrap();
        let mut expected = Shots::new(layout.n_bits());
        for line in text.lines() {
            expected.push(&vec![0; layout.n_bits().div_ceil(64)]);
            for (bit, c) in line.chars().enumerate() {
                expected.set(expected.n_shots() - 1, bit, c == '1');
            }
        }
        assert_eq!(expected.n_shots(), 64);
        for format in ShotFormat::ALL {
            let golden = shot_file(layout, format);
            // Chunks of 10 shots: the last holds 4.
            let mut reader = ShotReader::new(&golden[..], format, layout).unwrap();
            let mut writer = ShotWriter::new(Vec::new(), format, layout).unwrap();
            let mut shot = 0;
            loop {
                let chunk = reader.read_chunk(10).unwrap();
                for k in 0..chunk.n_shots() {
                    assert_eq!(chunk.row(k), expected.row(shot + k), "{format} {layout:?} shot {}", shot + k);
                }
                writer.write(chunk.view()).unwrap();
                shot += chunk.n_shots();
                if chunk.n_shots() < 10 {
                    break;
                }
            }
            assert_eq!(shot, 64);
            assert_eq!(writer.finish().unwrap(), golden, "{format} {layout:?}");
        }
    }
}

#[test]
fn models_have_the_counts_coordinates_and_rates() {
    for name in ["nested", "repetition_d3", "rotated_surface_d3"] {
        let read = |ending: &str| fs::read_to_string(directory().join(format!("dem/{name}.{ending}"))).unwrap();
        let model: DetectorErrorModel = read("dem").parse().unwrap();
        let flat: DetectorErrorModel = read("flat.dem").parse().unwrap();
        assert_eq!(model.to_string().parse::<DetectorErrorModel>().unwrap(), model);
        let problem = model.to_problem().unwrap();
        assert_eq!(problem, flat.to_problem().unwrap(), "{name}");
        assert_eq!(model.to_components().unwrap(), flat.to_components().unwrap(), "{name}");

        // The mean of (-1)^flips of a detector is the product of 1 - 2p over the mechanisms that flip it.
        let mut signs = vec![1.0; problem.n_detectors()];
        for (j, &p) in problem.priors().iter().enumerate() {
            problem.checks().column(j).iter().for_each(|&i| signs[i] *= 1.0 - 2.0 * p);
        }
        let coordinates: Vec<_> = model.coordinates().unwrap().into_iter().filter(|(_, x)| !x.is_empty()).collect();
        let (mut n_rates, mut n_coordinates) = (0, 0);
        for line in read("txt").lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let id: usize = words[1].parse().unwrap();
            let numbers = words[2..].iter().map(|word| word.parse::<f64>().unwrap()).collect::<Vec<_>>();
            match words[0] {
                "detectors" => assert_eq!(model.n_detectors(), id as u64, "{name}"),
                "observables" => assert_eq!(model.n_observables(), id as u64, "{name}"),
                "errors" => assert_eq!(model.n_errors(), id as u64, "{name}"),
                "rate" => {
                    approx::assert_abs_diff_eq!(numbers[0], (1.0 - signs[id]) / 2.0, epsilon = 1e-14);
                    n_rates += 1;
                }
                "coordinates" => {
                    assert!(coordinates.contains(&(id as u64, numbers.clone())), "{name}: {id} {numbers:?}");
                    n_coordinates += 1;
                }
                other => panic!("{other}"),
            }
        }
        // One of the two declarations where there are two.
        let declared: std::collections::BTreeSet<u64> = coordinates.iter().map(|(id, _)| *id).collect();
        assert_eq!((n_rates, n_coordinates), (problem.n_detectors(), declared.len()), "{name}");
    }
}

#[test]
fn the_example_of_the_format_page() {
    let layout = Layout { detectors: 2, observables: 1, ..Layout::default() };
    let mut shots = Shots::zeros(2, 3);
    shots.set(0, 1, true);
    shots.set(0, 2, true);
    for (format, expected) in [
        (ShotFormat::Bits01, &b"011\n000\n"[..]),
        (ShotFormat::B8, &[6, 0]),
        (ShotFormat::R8, &[1, 0, 0, 3]),
        (ShotFormat::Hits, b"1,2\n\n"),
        (ShotFormat::Dets, b"shot D1 L0\nshot\n"),
    ] {
        let mut writer = ShotWriter::new(Vec::new(), format, layout).unwrap();
        writer.write(shots.view()).unwrap();
        assert_eq!(writer.finish().unwrap(), expected, "{format}");
    }
}

#[test]
fn tables_of_counts_are_read() {
    let rows = quantum_ec::sample::read_csv(&fs::read(directory().join("sinter.csv")).unwrap()[..]).unwrap();
    let counts: Vec<_> = rows.iter().map(|row| (row.shots, row.errors, row.discards, row.strong_id.as_str())).collect();
    assert_eq!(counts, [(123_456, 789, 12, "a1b2"), (1_000_000_000, 5, 0, "a1b3"), (0, 0, 0, "c")]);
    assert_eq!(rows[0].json_metadata, r#"{"d":3,"name":"x, \"y\"","p":0.01}"#);
    assert_eq!(rows[0].custom_counts["obs_mistake_mask=E_"], 7);
    assert!((rows[1].seconds - 1234.5).abs() < 1e-9);
    assert_eq!(rows[2].json_metadata, "null");
}
