//! Instance files.

mod error;

pub use error::ParseError;
