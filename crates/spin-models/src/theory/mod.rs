//! Solutions of infinite and fully connected models.

pub mod curie_weiss;

pub use curie_weiss::{CurieWeiss, CurieWeissLimit, CurieWeissSums};
