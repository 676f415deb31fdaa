//! Shares of a long computation: numbered work units, in files that a kill leaves whole and that `merge` puts together.
//!
//! Unit k always draws from the streams of number k, so that what is computed does not depend on who computes it. Two kinds of
//! files hold units: tables of counts with a row a task ([`Table`], comma-separated values that sinter reads), and lists with a
//! line of JSON a unit ([`UnitLines`], [`UnitLog`]), which a [`Study`] computes. In both every row names its task and carries the content hash of
//! the problem; a row of another problem and a unit that is there already are refused with file and line.

mod lines;
mod log;
mod range;
mod study;
mod table;

pub use lines::{UnitLine, UnitLines, line_of_unit};
pub use log::UnitLog;
pub use range::{missing, unit_range};
pub use study::{Computed, Study};
pub use table::{Table, shots_of};

/// What reading and writing these files returns.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;
