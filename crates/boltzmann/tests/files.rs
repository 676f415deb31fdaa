//! Files: golden bytes, round trips, and what is wrong with them. For mutated files see `fuzz.rs`.

use boltzmann::io::{
    IdxArray, NpyArray, read_idx, read_npy, read_weights, static_binarisation, write_npy, write_weights,
};
use boltzmann::units::{Bernoulli, Gaussian, Spin};
use boltzmann::{BitRows, Error, Rbm};

fn idx(shape: &[u32], data: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, shape.len() as u8];
    shape.iter().for_each(|size| file.extend(size.to_be_bytes()));
    file.extend(data);
    file
}

fn rbm() -> Rbm<Bernoulli, Bernoulli> {
    Rbm::new(Bernoulli, Bernoulli, vec![0.5, -1.0, 0.25, 2.0, 0.0, -0.75], vec![0.25, 0.0, 1.0], vec![2.0, -3.5])
        .unwrap()
}

fn weights() -> Vec<u8> {
    let mut file = Vec::new();
    write_weights(&rbm(), &mut file).unwrap();
    file
}

fn npy() -> Vec<u8> {
    let mut file = Vec::new();
    write_npy(&NpyArray { shape: vec![2, 3], data: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.5] }, &mut file).unwrap();
    file
}

fn message<T>(result: Result<T, Error>) -> String {
    result.err().unwrap().to_string()
}

#[test]
fn idx_files() {
    let file = idx(&[2, 1, 2], &[0, 255, 128, 3]);
    let array = read_idx(&file[..]).unwrap();
    assert_eq!(array, IdxArray { shape: vec![2, 1, 2], data: vec![0, 255, 128, 3] });
    assert_eq!(array.threshold(128).unwrap(), BitRows::from_bytes(&[0, 1, 1, 0], 2).unwrap());
    assert!(message(read_idx(&[0, 0, 13, 1][..])).contains("byte 0: found [0, 0, 13, 1]"));
    assert!(message(read_idx(&file[..file.len() - 1])).contains("byte 16: found 3 bytes to the end, expected 4 bytes"));
    assert!(message(read_idx(&[&file[..], &[1]].concat()[..])).contains("found 5 bytes to the end"));
    assert!(message(read_idx(&file[..6])).contains("byte 4: found 2 bytes to the end, expected 4 bytes of a size"));
    assert!(message(read_idx(&idx(&[u32::MAX; 4], &[])[..])).contains("more than can be counted"));
    let empty = read_idx(&idx(&[0, 28, 28], &[])[..]).unwrap();
    assert!(empty.threshold(128).is_err() && static_binarisation(&empty, 0).is_err());
}

/// The first numbers of SplitMix64 from 0 are e220a8397b1dcdaf, 6e789e6aa1b965f4, 06c45d188009454f (as published): u/2^24 = 0.883,
/// 0.432, 0.026.
#[test]
fn static_bits() {
    let image = |data: &[u8]| IdxArray { shape: vec![1, data.len()], data: data.to_vec() };
    let bits = |data: &[u8]| static_binarisation(&image(data), 0).unwrap().row_f64(0);
    assert_eq!(bits(&[225, 110, 6]), [0.0, 0.0, 0.0]);
    assert_eq!(bits(&[226, 111, 7]), [1.0, 1.0, 1.0]);
    assert_eq!(bits(&[0, 255, 0]), [0.0, 1.0, 0.0]);
}

#[test]
fn npy_files() {
    let array = read_npy(&npy()[..]).unwrap();
    assert_eq!((array.shape, array.data), (vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.5]));
    assert_eq!(npy().len() % 64, 48); // 128 bytes of header, six numbers
    let with = |header: &str, data: &[u8]| {
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend((header.len() as u16).to_le_bytes());
        file.extend(header.as_bytes());
        file.extend(data);
        read_npy(&file[..])
    };
    let header =
        |descr: &str, shape: &str| format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    assert_eq!(with(&header("|u1", "(2,)"), &[7, 200]).unwrap().data, [7.0, 200.0]);
    assert_eq!(with(&header("|i1", "(2,)"), &[7, 200]).unwrap().data, [7.0, -56.0]);
    assert_eq!(with(&header("<i4", "()"), &[255, 255, 255, 255]).unwrap().data, [-1.0]);
    assert_eq!(with(&header("<f4", "(1, 1)"), &1.5f32.to_le_bytes()).unwrap().data, [1.5]);
    assert!(message(with(&header(">f4", "(1,)"), &[0; 4])).contains("entries \">f4\""));
    assert!(message(with(&header("<f4", "(2,)"), &[0; 4])).contains("4 bytes to the end, expected 8 bytes"));
    assert!(message(with(&header("<f4", "(x,)"), &[0; 4])).contains("'shape'"));
    let columns = with("{'descr': '|i1', 'fortran_order': True, 'shape': (2, 2)}", &[1, 2, 3, 4]).unwrap();
    assert_eq!(columns.data, [1.0, 3.0, 2.0, 4.0]);
    assert!(message(read_npy(&b"PK\x03\x04...."[..])).contains("byte 0"));
}

#[test]
fn weight_files() {
    let file = weights();
    let binary = |_, _| Ok((Bernoulli, Bernoulli));
    assert_eq!(read_weights(&file[..], binary).unwrap(), rbm());
    let units = |_, n| Ok((Spin, Gaussian::unit_variance(n)));
    assert_eq!(
        message(read_weights(&file[..], units)),
        "safetensors, byte 8: found visible units \"bernoulli\", expected \"spin\""
    );
    let units = |_, n| Ok((Bernoulli, Gaussian::unit_variance(n)));
    assert!(message(read_weights(&file[..], units)).contains("hidden units \"bernoulli\", expected \"gaussian\""));
    // The header that other programs write: other order, other tensors, no metadata.
    let header = concat!(
        r#"{"hidden_bias":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"extra":{"dtype":"I8","shape":[],"data_offsets":[8,8]},"#,
        r#""visible_bias":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},"weights":{"shape":[SHAPE],"dtype":"F32","data_offsets":[16,24]}}"#
    );
    let file = |shape: &str| {
        let header = header.replace("SHAPE", shape);
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.as_bytes());
        file.extend(0.5f64.to_le_bytes());
        [1.0f32, 2.0, 3.0, 4.0].iter().for_each(|x| file.extend(x.to_le_bytes()));
        file
    };
    let machine = read_weights(&file("1,2")[..], binary).unwrap();
    assert_eq!(
        (machine.weights(), machine.visible_bias(), machine.hidden_bias()),
        (&[3.0, 4.0][..], &[1.0, 2.0][..], &[0.5][..])
    );
    assert_eq!(
        message(read_weights(&file("2,1")[..], binary)),
        "rows of weights (hidden x visible): 2 values, expected 1"
    );
    assert_eq!(message(read_weights(&file("2")[..], binary)), "dimensions of weights: 1 values, expected 2");
    assert!(
        message(read_weights(&file("1,3")[..], binary)).contains("weights: shape [1, 3] with data_offsets [16, 24]")
    );
    assert!(message(read_weights(&[255; 8][..], binary)).contains("bytes of the header"));
    let nan = {
        let mut bytes = weights();
        let n = bytes.len();
        bytes[n - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        bytes
    };
    assert_eq!(message(read_weights(&nan[..], binary)), "hidden bias[1] is NaN, expected a finite number");
    let large = Rbm::new(Bernoulli, Bernoulli, vec![1e300], vec![0.0], vec![0.0]).unwrap();
    assert!(write_weights(&large, &mut Vec::new()).is_err());
}
