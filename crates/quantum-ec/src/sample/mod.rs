//! Counting logical errors: shots sampled and decoded in numbered units, rows that add up, thresholds from them.

mod collect;
mod csv;
mod erasure;
mod row;
mod source;
mod threshold;
mod units;

pub use collect::{CollectParams, Progress, collect};
pub use csv::{read_csv, read_numbered_csv, write_csv};
pub use erasure::{ErasureSource, Flagged};
pub use row::{Row, merge_rows, per_round, strong_id, strong_id_of_table};
pub use source::ShotSource;
pub use threshold::{RatePoint, ThresholdFit, fit_threshold};
