//! A value with its standard error.

use std::fmt;

/// A value and, where it is known, its standard error.
///
/// `std_error: None` means that no error was estimated: the value is exact, or the sample was too short to tell. An
/// estimated error of 0 (a constant series) is `Some(0.0)`.
///
/// Displays as value ± error. The error keeps one digit, two if it starts with 1, and the value is cut at the same
/// place; large and small numbers share one power of ten. A precision (`{:.2}`) fixes the digits after the point
/// instead.
///
/// ```
/// use linalg_core::stats::Estimate;
///
/// let energy = Estimate::new(-1.41421356, 0.00523);
/// assert_eq!(energy.to_string(), "-1.414 ± 0.005");
/// assert_eq!(Estimate::new(0.123456, 0.00152).to_string(), "0.1235 ± 0.0015");
/// assert_eq!(Estimate::new(1.2345e-9, 3e-12).to_string(), "(1.234 ± 0.003)e-9");
/// assert_eq!(Estimate::exact(0.5).to_string(), "0.5");
/// assert_eq!(format!("{energy:.1}"), "-1.4 ± 0.0");
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// One standard deviation of the value, if known.
    pub std_error: Option<f64>,
}

impl Estimate {
    /// A value with its standard error.
    pub fn new(value: f64, std_error: f64) -> Self {
        Self { value, std_error: Some(std_error) }
    }

    /// A value without an error.
    pub fn exact(value: f64) -> Self {
        Self { value, std_error: None }
    }

    /// How many standard errors lie between this estimate and another: $`(a - b)/\sqrt{\sigma_a^2 + \sigma_b^2}`$.
    ///
    /// A missing error counts as 0. Two equal values are 0 apart even without errors; different values without errors
    /// are infinitely far apart.
    ///
    /// ```
    /// use linalg_core::stats::Estimate;
    ///
    /// let measured = Estimate::new(1.3, 0.1);
    /// assert!((measured.z_score(&Estimate::exact(1.0)) - 3.0).abs() < 1e-12);
    /// assert!((measured.z_score(&Estimate::new(0.8, 0.0)) - 5.0).abs() < 1e-12);
    /// ```
    pub fn z_score(&self, other: &Self) -> f64 {
        let difference = self.value - other.value;
        if difference == 0.0 {
            return 0.0;
        }
        difference / self.std_error.unwrap_or(0.0).hypot(other.std_error.unwrap_or(0.0))
    }
}

impl From<f64> for Estimate {
    fn from(value: f64) -> Self {
        Self::exact(value)
    }
}

/// Decimal exponent of the leading digit of a positive number, as printed with `digits` significant digits.
fn decimal_exponent(x: f64, digits: usize) -> i32 {
    // Printing rounds 9.96 to 1.0e1 where a logarithm would not.
    let text = format!("{x:.*e}", digits - 1);
    let exponent = text.split_once('e').map_or("0", |(_, exponent)| exponent);
    exponent.parse().unwrap_or(0)
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value;
        let Some(error) = self.std_error else {
            return match f.precision() {
                Some(places) => write!(f, "{value:.places$}"),
                None => write!(f, "{value}"),
            };
        };
        if let Some(places) = f.precision() {
            return write!(f, "{value:.places$} ± {error:.places$}");
        }
        if !value.is_finite() || !error.is_finite() || error <= 0.0 {
            return write!(f, "{value} ± {error}");
        }
        let digits = if format!("{error:e}").starts_with('1') { 2 } else { 1 };
        // Decimal place of the last digit kept.
        let last = decimal_exponent(error, digits) - (digits as i32 - 1);
        let leading = if value == 0.0 { last } else { decimal_exponent(value.abs(), 17).max(last) };
        if (-4..7).contains(&leading) && last <= 0 {
            let places = usize::try_from(-last).unwrap_or(0);
            return write!(f, "{value:.places$} ± {error:.places$}");
        }
        // Dividing in two steps keeps 10^leading in range for subnormal values.
        let scale = |x: f64| x / 10f64.powi(leading / 2) / 10f64.powi(leading - leading / 2);
        let places = usize::try_from(leading - last).unwrap_or(0);
        write!(f, "({:.places$} ± {:.places$})e{leading}", scale(value), scale(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display() {
        let table = [
            (1.234, 0.005, "1.234 ± 0.005"),
            (0.0, 0.02, "0.00 ± 0.02"),
            (12.0, 0.0996, "12.0 ± 0.1"),
            (12.0, 0.00196, "12.0000 ± 0.0020"),
            (1e6, 3.0, "1000000 ± 3"),
            (123456.0, 250.0, "(1.235 ± 0.003)e5"),
            (1e-3, 2.0, "0 ± 2"),
            (-5e-320, 2e-321, "(-5.0 ± 0.2)e-320"),
            (f64::NAN, 0.1, "NaN ± 0.1"),
            (1.5, 0.0, "1.5 ± 0"),
            (1.5, f64::INFINITY, "1.5 ± inf"),
        ];
        for (value, error, text) in table {
            assert_eq!(Estimate::new(value, error).to_string(), text);
        }
        assert_eq!(format!("{:.2}", Estimate::exact(2.0)), "2.00");
    }

    #[test]
    fn z_scores_without_errors() {
        let a = Estimate::exact(1.0);
        assert_eq!(a.z_score(&a).to_bits(), 0);
        assert!(a.z_score(&Estimate::exact(2.0)) == f64::NEG_INFINITY);
    }
}
