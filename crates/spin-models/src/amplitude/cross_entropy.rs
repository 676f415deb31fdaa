//! Linear cross entropy.

use linalg_core::stats::{Estimate, Running};

use crate::{Error, Result};

/// The linear cross entropy of bitstrings from a device with the circuit it should have run,
///
/// ```math
/// F_{\mathrm{XEB}} = 2^n \langle p_U(s) \rangle - 1 ,
/// ```
///
/// from the circuit's probabilities $`p_U(s)`$ of the bitstrings found. It is 0 for uniform bitstrings and near 1 for those of a
/// random circuit of enough depth; with a depolarised state of fidelity F it is F times that of the circuit's own bitstrings. The
/// error is that of the mean of independent values.
///
/// ```
/// use spin_models::amplitude::linear_cross_entropy;
///
/// // A Bell pair, p = 1/2 for 00 and 11, and four bitstrings, one of them wrong: 4 · 3/8 - 1.
/// let xeb = linear_cross_entropy(2, &[0.5, 0.5, 0.0, 0.5])?;
/// assert!((xeb.value - 0.5).abs() < 1e-15);
/// // The probabilities vary by 1/4 about their mean: 4 · (1/4)/√4.
/// assert!((xeb.std_error.unwrap() - 0.5).abs() < 1e-15);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// # Errors
/// [`Error::TooFewSamples`] for fewer than two probabilities, [`Error::Parameter`] for one that is not between 0 and 1 (up to
/// rounding) and for more than 1023 qubits.
///
/// Reference: F. Arute et al., Nature 574, 505 (2019).
pub fn linear_cross_entropy(n_qubits: usize, probabilities: &[f64]) -> Result<Estimate> {
    if n_qubits > 1023 {
        let (value, expected) = (n_qubits.to_string(), "at most 1023");
        return Err(Error::Parameter { what: "number of qubits", value, expected });
    }
    if probabilities.len() < 2 {
        let (method, what) = ("linear cross entropy", "bitstrings");
        return Err(Error::TooFewSamples { method, what, got: probabilities.len(), needed: 2 });
    }
    if let Some(k) = probabilities.iter().position(|p| !(0.0..=1.0 + 1e-9).contains(p)) {
        let value = format!("{} for bitstring {k}", probabilities[k]);
        return Err(Error::Parameter { what: "probability", value, expected: "a number from 0 to 1" });
    }
    let states = 2f64.powf(n_qubits as f64);
    // Over the mean first: 2^n times a probability may be too large for its square.
    let mean = probabilities.iter().sum::<f64>() / probabilities.len() as f64;
    if mean <= 0.0 {
        return Ok(Estimate::new(-1.0, 0.0));
    }
    let relative: Running = probabilities.iter().map(|p| p / mean).collect();
    Ok(Estimate::new(states * mean - 1.0, states * mean * relative.std_error()))
}
