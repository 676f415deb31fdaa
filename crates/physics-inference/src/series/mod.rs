//! Binary series: packed storage, tables as text, bits from real numbers, moments.

mod binarize;
mod bits;
mod correlation;
mod error;
mod moments;
mod table;

pub use binarize::{Binarize, Decoder};
pub use bits::BitSeries;
pub use correlation::Correlations;
pub use error::SeriesError;
pub use moments::StreamingMoments;
pub(crate) use moments::decay;
pub use table::Table;

/// At least one name, each once.
fn check_names(names: &[String]) -> crate::Result<()> {
    if names.is_empty() {
        return Err(crate::Error::Parameter { what: "number of series", value: 0.0, expected: "at least 1" });
    }
    let mut seen = std::collections::HashMap::new();
    for (i, name) in names.iter().enumerate() {
        if let Some(first) = seen.insert(name, i) {
            let (first, second, name) = (first + 1, i + 1, name.clone());
            return Err(SeriesError::DuplicateName { first, second, name }.into());
        }
    }
    Ok(())
}
