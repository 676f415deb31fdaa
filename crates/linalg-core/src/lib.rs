#![doc = include_str!("../README.md")]

pub mod checkpoint;
pub mod cholesky;
pub mod eigen;
pub mod error;
pub mod fft;
pub mod gemm;
pub mod gf2;
pub mod graph;
pub mod grid;
pub mod integrate;
pub mod logspace;
pub mod merge;
pub mod npy;
pub mod observe;
pub mod optim;
pub mod pfaffian;
pub mod quadrature;
pub mod rng;
pub mod simd;
pub mod special;
pub mod stats;
pub mod tensor;
pub mod threads;
pub mod tridiagonal;
mod walsh_hadamard;

pub use error::{Error, Result};
pub use merge::{Merge, MergeError, Units};
pub use observe::Observer;
pub use rng::Streams;
pub use walsh_hadamard::walsh_hadamard;

pub use num_complex;
pub use rand;
