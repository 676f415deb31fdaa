//! Sums of exponentials in log space.
//!
//! Partition functions and probabilities of large systems leave the range of a double long before their
//! logarithms do. Everything here takes and returns natural logarithms; names that start with `ln_` or `log_` say
//! so.
//!
//! | name | computes |
//! |---|---|
//! | [`log_sum_exp`], [`log_add_exp`], [`log_sub_exp`] | $`\ln\sum_i e^{x_i}`$, $`\ln(e^a+e^b)`$, $`\ln(e^a-e^b)`$ |
//! | [`LogSum`] | the same sum, term by term, mergeable |
//! | [`log_normalize`] | log-probabilities from log-weights |
//! | [`ln_cosh`], [`ln_2cosh`], [`softplus`], [`log1m_exp`], [`log_expm1`] | stable elementary functions |
//! | [`sigmoid`], [`ln_sigmoid`], [`logit`], [`logit_from_ln`] | probabilities and log-odds |
//! | [`SignedLog`], [`ComplexLog`] | numbers with a sign or a phase and the logarithm of their modulus |
//!
//! Conventions: $`\ln 0 = -\infty`$ is a number like any other (an empty sum is `-inf`), a NaN among the input gives
//! NaN, and nothing panics.

mod complex;
mod functions;
mod signed;
mod sum;

pub use complex::ComplexLog;
pub use functions::{ln_2cosh, ln_cosh, ln_sigmoid, log_expm1, log1m_exp, logit, logit_from_ln, sigmoid, softplus};
pub use signed::SignedLog;
pub use sum::{LogSum, log_add_exp, log_normalize, log_sub_exp, log_sum_exp};
