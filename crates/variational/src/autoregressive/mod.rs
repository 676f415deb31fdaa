//! Autoregressive networks: exactly normalised, sampled without a Markov chain, trained by their own samples.

mod conditional;
mod made;
mod network;
mod pairwise;
mod pixel_cnn;
mod spins;
mod symmetric;
mod symmetrized;
mod transformer;
#[cfg(feature = "safetensors")]
mod weights;

pub use conditional::{BitView, Conditional, ConditionalPass, ConditionalShape, SiteLink};
pub use made::{Activation, Made, MadeParams, MadePass};
pub use network::Autoregressive;
pub use pairwise::{TwoBody, TwoBodyParams, TwoBodyPass};
pub use pixel_cnn::{PixelCnn, PixelCnnParams, PixelCnnPass};
pub use symmetric::{Symmetric, SymmetricPass};
pub use symmetrized::{SiteGroup, Symmetrized, SymmetrizedPass};
pub use transformer::{ConditionalTransformer, Transformer, TransformerParams, TransformerPass};
#[cfg(feature = "safetensors")]
pub use weights::{read_tensors, read_weights, write_tensors, write_weights};

use crate::scalar::Scalar;
use crate::{Error, Result};

/// Checks a new set of parameters.
pub(crate) fn check_parameters(parameters: &[f64], expected: usize) -> Result<()> {
    if parameters.len() != expected {
        return Err(Error::WrongLength { what: "parameters", got: parameters.len(), expected });
    }
    match parameters.iter().position(|p| !p.is_finite()) {
        None => Ok(()),
        Some(index) => Err(Error::NotFinite { what: "parameter", index, value: parameters[index] }),
    }
}

/// Takes over parameters in the precision of the network.
pub(crate) fn round_parameters<T: Scalar>(theta: &mut [T], parameters: &[f64]) {
    for (t, &p) in theta.iter_mut().zip(parameters) {
        *t = T::from_f64(p);
    }
}

/// Checks the length of a gradient.
pub(crate) fn check_gradient(got: usize, expected: usize) {
    assert_eq!(got, expected, "a gradient of {got} entries for {expected} parameters");
}
