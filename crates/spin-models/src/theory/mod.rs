//! Solutions of infinite and fully connected models.

mod curie_weiss;

pub use curie_weiss::{CurieWeiss, CurieWeissLimit, CurieWeissSums};
