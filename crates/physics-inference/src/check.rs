//! Checks of lists of numbers.

use crate::{Error, Result};

/// Every number is finite.
pub(crate) fn finite(what: &'static str, values: &[f64]) -> Result<()> {
    match values.iter().position(|x| !x.is_finite()) {
        Some(index) => Err(Error::NotFinite { what, index, value: values[index] }),
        None => Ok(()),
    }
}

/// Every number is finite and above 0.
pub(crate) fn positive(what: &'static str, values: &[f64]) -> Result<()> {
    match values.iter().position(|&x| !(x > 0.0 && x.is_finite())) {
        Some(index) => Err(Error::Entry { what, index, value: values[index], expected: "a finite number > 0" }),
        None => Ok(()),
    }
}

/// Every coordinate is finite; the index is that of the point.
pub(crate) fn points<const D: usize>(what: &'static str, points: &[[f64; D]]) -> Result<()> {
    for (index, point) in points.iter().enumerate() {
        if let Some(&value) = point.iter().find(|x| !x.is_finite()) {
            return Err(Error::NotFinite { what, index, value });
        }
    }
    Ok(())
}

/// A parameter that is finite and above 0.
pub(crate) fn positive_parameter(what: &'static str, value: f64) -> Result<()> {
    if value > 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(Error::Parameter { what, value, expected: "a finite number > 0" })
    }
}

/// A parameter that is finite and not negative.
pub(crate) fn not_negative_parameter(what: &'static str, value: f64) -> Result<()> {
    if value >= 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(Error::Parameter { what, value, expected: "a finite number >= 0" })
    }
}
