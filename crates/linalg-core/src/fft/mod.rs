//! Fourier transforms of any length.
//!
//! | name | is |
//! |---|---|
//! | [`Fft`] | complex transform in one dimension |
//! | [`FftNd`] | complex transform of a row-major array |
//! | [`CosineTransform`] | type I: open ends, the ends are points |
//! | [`SineTransform`] | type I: the ends are zero and not stored |
//!
//! The forward transform is $`X_k = \sum_j x_j e^{-2\pi i jk/n}`$, the inverse divides by $`n`$: one after the other is the
//! identity. The work is done by rustfft, O(n log n) for every n, primes included. A plan holds its scratch memory; clone
//! it to use it in another thread, the tables are shared.

mod complex;
mod trigonometric;

pub use complex::{Fft, FftNd};
pub use trigonometric::{CosineTransform, SineTransform};
