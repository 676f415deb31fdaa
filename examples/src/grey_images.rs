//! Grey images with labels, for the examples on networks of several layers.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use boltzmann::io::{IdxArray, read_idx};
use linalg_core::Streams;

use crate::binary_images::labelled_digit;

type Failure = Box<dyn std::error::Error>;

/// Images with pixels from 0 to 1, and which digit each shows.
#[derive(Debug, Clone)]
pub struct GreyImages {
    /// Pixels, one image after another.
    pub pixels: Vec<f32>,
    /// A label for each image.
    pub labels: Vec<usize>,
    /// Width and height.
    pub size: (usize, usize),
}

impl GreyImages {
    /// One of the two halves of MNIST, `train` or `t10k`: `PREFIX-images-idx3-ubyte`, `PREFIX-labels-idx1-ubyte`.
    ///
    /// # Errors
    /// When a file is missing, is no IDX file, or when there is not a label for each image; the message begins with its name.
    pub fn from_directory(directory: &Path, prefix: &str) -> Result<Self, Failure> {
        let read = |rest: &str| -> Result<IdxArray, Failure> {
            let path = directory.join(format!("{prefix}-{rest}"));
            let fail = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
            let file = File::open(&path).map_err(|error| fail(&error))?;
            Ok(read_idx(BufReader::new(file)).map_err(|error| fail(&error))?)
        };
        let (images, labels) = (read("images-idx3-ubyte")?, read("labels-idx1-ubyte")?);
        let [n, height, width] = images.shape[..] else {
            return Err(format!("{prefix} images: shape {:?}, expected items x rows x columns", images.shape).into());
        };
        if labels.shape != [n] {
            return Err(format!("{prefix} labels: shape {:?}, expected [{n}]", labels.shape).into());
        }
        Ok(Self {
            pixels: images.data.iter().map(|&x| f32::from(x) / 255.0).collect(),
            labels: labels.data.iter().map(|&y| usize::from(y)).collect(),
            size: (width, height),
        })
    }

    /// The small digits of [`Images::digits`](crate::binary_images::Images::digits), with their labels; two streams of a seed are two halves.
    pub fn digits(n: usize, seed: u64, stream: u64) -> Self {
        let mut rng = Streams::new(seed).stream(stream);
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        for _ in 0..n.max(1) {
            let (image, label) = labelled_digit(&mut rng);
            pixels.extend(image.iter().map(|&x| f32::from(x)));
            labels.push(label);
        }
        Self { pixels, labels, size: (8, 8) }
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Pixels of an image.
    pub fn n_pixels(&self) -> usize {
        self.size.0 * self.size.1
    }

    /// The first `n` images.
    pub fn first(&self, n: usize) -> Self {
        let n = n.min(self.len());
        let pixels = self.pixels[..n * self.n_pixels()].to_vec();
        Self { pixels, labels: self.labels[..n].to_vec(), size: self.size }
    }

    /// The images as bytes, the layout of an IDX file.
    pub fn to_idx(&self) -> IdxArray {
        let data = self.pixels.iter().map(|x| (255.0 * x).round() as u8).collect();
        IdxArray { shape: vec![self.len(), self.size.1, self.size.0], data }
    }
}
