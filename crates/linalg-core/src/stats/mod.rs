//! Error analysis of correlated data.
//!
//! | name | for |
//! |---|---|
//! | [`Estimate`] | a value and its standard error, the form in which results are reported |
//! | [`Running`] | moments of independent values, one pass, mergeable |
//! | [`Binning`] | mean and error of a Markov chain, one pass, constant memory, mergeable over chains |
//! | [`autocorrelation_time`], [`effective_sample_size`] | mean and error of a stored Markov chain |
//! | [`jackknife`], [`bootstrap`] | errors of functions of means |
//! | [`WeightedMean`] | importance sampling with log-weights |
//! | [`wilson_interval`] | a rate from successes and trials |
//!
//! # Conventions
//!
//! The integrated autocorrelation time counts from one half,
//!
//! ```math
//! \tau_{\mathrm{int}} = \frac12 + \sum_{t=1}^{\infty} \rho(t), \qquad
//! \sigma_{\bar x} = \sqrt{\frac{2\,\tau_{\mathrm{int}}\,\sigma_x^2}{N}},
//! ```
//!
//! so independent values have $`\tau_{\mathrm{int}} = \tfrac12`$ and $`N`$ values are worth
//! $`N / (2\tau_{\mathrm{int}})`$ independent ones. Times are in units of the spacing of the data. Variances of samples
//! divide by $`n - 1`$. Errors are one standard deviation of the estimate. A NaN among the data gives NaN from the
//! one-pass types, which cannot refuse it, and a typed error from the functions that take slices.

mod autocorrelation;
mod binning;
mod estimate;
mod fourier;
mod proportion;
mod resampling;
mod running;
mod weighted;

pub use autocorrelation::{
    AutocorrelationTime, Windowing, autocorrelation_function, autocorrelation_time, autocorrelation_time_with,
    effective_sample_size,
};
pub use binning::{Binning, BinningLevel};
pub use estimate::Estimate;
pub use proportion::{Interval, wilson_interval};
pub use resampling::{Bootstrap, Jackknife, block_means, bootstrap, jackknife};
pub use running::Running;
pub use weighted::WeightedMean;

/// Typed error unless every value is finite.
fn check_finite(what: &'static str, values: &[f64]) -> crate::Result<()> {
    match values.iter().position(|x| !x.is_finite()) {
        Some(index) => Err(crate::Error::NotFinite { what, index, value: values[index] }),
        None => Ok(()),
    }
}
