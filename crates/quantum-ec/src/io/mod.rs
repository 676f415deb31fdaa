//! Files.

pub(crate) mod text;
