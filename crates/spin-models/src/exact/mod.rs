//! Exact partition functions.

mod enumeration;

pub use enumeration::Enumeration;
