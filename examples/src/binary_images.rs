//! Binary images for the examples on restricted Boltzmann machines, and what is known of a machine on them.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use boltzmann::io::{IdxArray, read_idx, read_npy, static_binarisation};
use boltzmann::partition::{AnnealedImportance, exact_ln_z};
use boltzmann::{BitRows, PackedRbm};
use clap::ValueEnum;
use linalg_core::Observer;
use linalg_core::Streams;
use linalg_core::rand::{Rng, RngExt};
use spin_models::{Kind, LnZ, Progress};

type Failure = Box<dyn std::error::Error>;

/// How grey pixels become bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Binarisation {
    /// 1 with probability pixel/255, the same on every machine.
    Static,
    /// 1 from 128 on.
    Threshold,
}

/// Training and test rows with the size of an image.
#[derive(Debug, Clone)]
pub struct Images {
    /// Rows to learn from.
    pub train: BitRows,
    /// Rows kept back.
    pub test: BitRows,
    /// Width and height.
    pub size: (usize, usize),
}

impl Images {
    /// The four-file layout of MNIST in a directory: `train-images-idx3-ubyte`, `t10k-images-idx3-ubyte`.
    ///
    /// # Errors
    /// When a file is missing or is no IDX file of images; the message begins with its name.
    pub fn from_directory(directory: &Path, rule: Binarisation) -> Result<Self, Failure> {
        let read = |name: &str, seed: u64| -> Result<(BitRows, (usize, usize)), Failure> {
            let path = directory.join(name);
            let fail = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
            let file = File::open(&path).map_err(|error| fail(&error))?;
            let images = read_idx(BufReader::new(file)).map_err(|error| fail(&error))?;
            let [_, height, width] = images.shape[..] else {
                return Err(fail(&format!("shape {:?}, expected items x rows x columns", images.shape)).into());
            };
            Ok((binarise(&images, rule, seed).map_err(|error| fail(&error))?, (width, height)))
        };
        let (train, size) = read("train-images-idx3-ubyte", 0)?;
        let (test, test_size) = read("t10k-images-idx3-ubyte", 1 << 40)?;
        if size != test_size {
            return Err(format!("training images are {size:?}, test images {test_size:?}").into());
        }
        Ok(Self { train, test, size })
    }

    /// One `.npy` array, a row for each image, bits or grey values from 0 to 255; all of it is test data.
    ///
    /// # Errors
    /// When it is no such file.
    pub fn from_npy(file: &Path, rule: Binarisation) -> Result<Self, Failure> {
        let fail = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let array = read_npy(BufReader::new(File::open(file).map_err(|e| fail(&e))?)).map_err(|e| fail(&e))?;
        let columns: usize = array.shape.iter().skip(1).product();
        if array.shape.len() < 2 || columns == 0 {
            return Err(fail(&format!("shape {:?}, expected rows x columns", array.shape)).into());
        }
        if let Some(k) = array.data.iter().position(|x| !(0.0..=255.0).contains(x) || x.fract() != 0.0) {
            let (row, column, value) = (k / columns, k % columns, array.data[k]);
            return Err(
                fail(&format!("row {row}, entry {column} is {value}, expected an integer from 0 to 255")).into()
            );
        }
        let data: Vec<u8> = array.data.iter().map(|&x| x as u8).collect();
        let rows = if data.iter().all(|&x| x <= 1) {
            BitRows::from_bytes(&data, columns)?
        } else {
            binarise(&IdxArray { shape: vec![data.len() / columns, columns], data }, rule, 1 << 40)?
        };
        let size = (columns.isqrt().max(1), columns.div_ceil(columns.isqrt().max(1)));
        Ok(Self { train: rows.clone(), test: rows, size })
    }

    /// Digits of a dot-matrix font, 5 x 7 dots at a random place in 8 x 8 pixels with a twentieth of the pixels flipped: made
    /// here, under the licence of this workspace.
    pub fn digits(n_train: usize, n_test: usize, seed: u64) -> Self {
        let draw = |n: usize, k: u64| {
            let mut rng = Streams::new(seed).stream(k);
            let bytes: Vec<u8> = (0..n).flat_map(|_| digit(&mut rng)).collect();
            BitRows::from_bytes(&bytes, 64).unwrap_or_else(|error| unreachable!("{error}"))
        };
        Self { train: draw(n_train.max(1), 0), test: draw(n_test.max(1), 1), size: (8, 8) }
    }
}

fn binarise(images: &IdxArray, rule: Binarisation, seed: u64) -> boltzmann::Result<BitRows> {
    match rule {
        Binarisation::Static => static_binarisation(images, seed),
        Binarisation::Threshold => images.threshold(128),
    }
}

/// Rows of five dots, the leftmost in the highest of five bits.
const FONT: [[u8; 7]; 10] = [
    [14, 17, 17, 17, 17, 17, 14],
    [4, 12, 4, 4, 4, 4, 14],
    [14, 17, 1, 2, 4, 8, 31],
    [14, 17, 1, 6, 1, 17, 14],
    [2, 6, 10, 18, 31, 2, 2],
    [31, 16, 30, 1, 1, 17, 14],
    [6, 8, 16, 30, 17, 17, 14],
    [31, 1, 2, 4, 8, 8, 8],
    [14, 17, 17, 14, 17, 17, 14],
    [14, 17, 17, 15, 1, 2, 12],
];

fn digit<R: Rng + ?Sized>(rng: &mut R) -> Vec<u8> {
    labelled_digit(rng).0
}

/// 64 pixels of a random digit, and which one it is.
pub(crate) fn labelled_digit<R: Rng + ?Sized>(rng: &mut R) -> (Vec<u8>, usize) {
    let label = rng.random_range(0..10u64) as usize;
    let glyph = FONT[label];
    let (left, top) = (rng.random_range(0..4u64) as usize, rng.random_range(0..2u64) as usize);
    let mut pixels = vec![0; 64];
    for (y, dots) in glyph.iter().enumerate() {
        (0..5).for_each(|x| pixels[(top + y) * 8 + left + x] = dots >> (4 - x) & 1);
    }
    pixels.iter_mut().for_each(|pixel| *pixel ^= u8::from(rng.random_range(0..20u64) == 0));
    (pixels, label)
}

/// A clean digit in grey pixels, 0 or 255: 5 x 7 dots of `scale` x `scale` pixels with a margin of one dot, and its width and height.
///
/// # Panics
/// If `label` is not a digit.
pub fn glyph(label: usize, scale: usize) -> (Vec<u8>, (usize, usize)) {
    let (width, height) = (7 * scale, 9 * scale);
    let dot = |x: usize, y: usize| match (x.checked_sub(1), y.checked_sub(1)) {
        (Some(x @ 0..5), Some(y @ 0..7)) => FONT[label][y] >> (4 - x) & 1 == 1,
        _ => false,
    };
    let pixels = (0..width * height).map(|k| if dot(k % width / scale, k / width / scale) { 255 } else { 0 });
    (pixels.collect(), (width, height))
}

/// ln Z and likelihoods of a machine, in nats.
#[derive(Debug, Clone, Copy)]
pub struct Evaluation {
    /// ln Z.
    pub ln_z: f64,
    /// Its standard error; 0 for an exact sum.
    pub ln_z_std_error: f64,
    /// Whether it is an exact sum.
    pub exact: bool,
    /// Mean log-likelihood of the training rows.
    pub train: f64,
    /// Mean log-likelihood of the test rows.
    pub test: f64,
    /// Standard error of the mean over test rows, that of ln Z included.
    pub test_std_error: f64,
    /// Mean free energy of the test rows.
    pub free_energy: f64,
}

/// How ln Z is estimated where it cannot be summed.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Temperatures of annealed importance sampling.
    pub temperatures: usize,
    /// Chains.
    pub chains: usize,
    /// Threads, 0 for all.
    pub threads: usize,
    /// Seed.
    pub seed: u64,
}

/// Evaluates a machine: exact where a layer has at most 24 units, else by annealed importance sampling from the base rate of the
/// training rows.
///
/// # Errors
/// When the machine does not fit the data.
pub fn evaluate(
    machine: &PackedRbm,
    images: &Images,
    effort: Effort,
    observer: &mut dyn Observer<Progress>,
) -> Result<Evaluation, Failure> {
    check_size(machine, images)?;
    let exact = machine.n_visible().min(machine.n_hidden()) <= 24;
    let ln_z = if exact {
        LnZ::exact(exact_ln_z(&machine.to_rbm()?, 1.0)?)
    } else {
        let ais = AnnealedImportance::new(effort.temperatures, effort.chains)?.threads(effort.threads);
        let base = AnnealedImportance::base_rate(&images.train);
        ais.run(machine, &base, Streams::new(effort.seed), observer)?.estimate()
    };
    evaluate_with(machine, images, ln_z)
}

fn check_size(machine: &PackedRbm, images: &Images) -> Result<(), Failure> {
    let (units, pixels) = (machine.n_visible(), images.test.n_columns());
    if units == pixels {
        return Ok(());
    }
    Err(format!("the machine has {units} visible units, an image {pixels} pixels").into())
}

/// Likelihoods of a machine whose ln Z is known.
///
/// # Errors
/// When the machine does not fit the data.
pub fn evaluate_with(machine: &PackedRbm, images: &Images, known: LnZ) -> Result<Evaluation, Failure> {
    check_size(machine, images)?;
    let exact = known.kind == Kind::Exact;
    let ln_z = known.value;
    let ln_z_std_error = if exact { 0.0 } else { known.std_error.unwrap_or(f64::INFINITY) };
    let energies = |rows: &BitRows| {
        let mut running = linalg_core::stats::Running::new();
        machine.free_energies(rows).into_iter().for_each(|f| running.push(f));
        running
    };
    let (train, test) = (energies(&images.train), energies(&images.test));
    Ok(Evaluation {
        ln_z,
        ln_z_std_error,
        exact,
        train: -train.mean() - ln_z,
        test: -test.mean() - ln_z,
        test_std_error: test.std_error().hypot(ln_z_std_error),
        free_energy: test.mean(),
    })
}
