//! What may cross threads.

use linalg_core::checkpoint::{Checkpoint, CheckpointError, ContentHash, Reader, Writer};
use linalg_core::fft::{CosineTransform, Fft, FftNd, SineTransform};
use linalg_core::graph::matching::{Duals, Matching, Violation};
use linalg_core::grid::{GridAxis, SincDvr, SincEigen, SplitStep};
use linalg_core::logspace::{ComplexLog, LogSum, SignedLog};
use linalg_core::optim::{Adam, ConjugateGradientParams, LbfgsParams, Report, Sgd};
use linalg_core::quadrature::{AdaptiveParams, GaussHermite, GaussLegendre, TanhSinhParams};
use linalg_core::rng::{ChaCha8Rng, ChaChaState, SplitMix64, Xoshiro256PlusPlus};
use linalg_core::stats::{AutocorrelationTime, Binning, Bootstrap, Estimate, Jackknife, Running, WeightedMean};
use linalg_core::tensor::{Contraction, ContractionTree, Network, OrderParams, Tensor};
use linalg_core::{Error, MergeError, Streams, Units, eigen::SymmetricEigen};

fn check<T: Send + Sync + std::panic::UnwindSafe>() {}

/// Plans of rustfft are trait objects without a promise about panics.
fn check_send_sync<T: Send + Sync>() {}

#[test]
fn public_types_are_send_sync_and_unwind_safe() {
    check::<(Checkpoint, CheckpointError, ContentHash, Reader<'_>, Writer)>();
    check_send_sync::<(CosineTransform, Fft, FftNd, SineTransform)>();
    check::<(Duals, Matching, Violation)>();
    check::<(GridAxis, SincDvr, SincEigen)>();
    check_send_sync::<SplitStep>();
    check::<(ComplexLog, LogSum, SignedLog)>();
    check::<(Adam, ConjugateGradientParams, LbfgsParams, Report, Sgd)>();
    check::<(AdaptiveParams, GaussHermite, GaussLegendre, TanhSinhParams)>();
    check::<(ChaCha8Rng, ChaChaState, SplitMix64, Xoshiro256PlusPlus, Streams)>();
    check::<(AutocorrelationTime, Binning, Bootstrap, Estimate, Jackknife, Running, WeightedMean)>();
    check::<(Contraction, ContractionTree, Network, OrderParams, Tensor<f64>)>();
    check::<(Error, MergeError, Units, SymmetricEigen)>();
}
