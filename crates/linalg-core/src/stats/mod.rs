//! Error analysis of correlated data.

/// A value with its standard error, where it is random.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// Its standard error; `None` for exact values.
    pub std_error: Option<f64>,
}

impl Estimate {
    /// An exact value.
    pub fn exact(value: f64) -> Self {
        Self { value, std_error: None }
    }

    /// A random value with its standard error.
    pub fn new(value: f64, std_error: f64) -> Self {
        Self { value, std_error: Some(std_error) }
    }
}
