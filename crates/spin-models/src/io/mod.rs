//! Instance files: edge lists, bqpjson and dimod's JSON.
//!
//! | [`Format`] | syntax | fields | names of spins |
//! |---|---|---|---|
//! | `EdgeList` | `n m`, then m lines `i j w`: G-set, rudy, `.mc` | no | 1 to n |
//! | `SpinGlass` | the same: `.sg` | no | 1 to n |
//! | `Bqpjson` | JSON, bqpjson 1.0.0 | yes | integers >= 0 |
//! | `Dimod` | JSON, BQM schema 3.0.0 or plain | yes | integers, strings, tuples |
//!
//! A page on each with grammar, meaning and example is in `docs/formats`. What the numbers mean is never guessed:
//! it is the argument [`Sign`], and by default they are our J and h in every format. Variables over 0 and 1 are
//! turned into spins by `x = (1 + s)/2` with the constant kept.
//!
//! Errors carry line and column. Writers are lossless: a model that is written and read again with the same sign is
//! the same bit for bit, or the writer refuses it.
//!
//! ```
//! use spin_models::io::{Format, Sign, read_instance, write_bqpjson};
//! use spin_models::EnergyModel;
//!
//! // One bit with the energy x, in dimod's sign: E = 1/2 + s/2.
//! let file = r#"{"linear": {"a": 1.0}, "quadratic": {}, "offset": 0.0, "vartype": "BINARY"}"#;
//! let instance = read_instance(file.as_bytes(), Format::Auto, Sign::Dimod)?;
//! assert_eq!(instance.model.energy(&[1]), 1.0);
//! assert_eq!(instance.model.energy(&[-1]), 0.0);
//! # Ok::<(), spin_models::Error>(())
//! ```

mod bqpjson;
mod dimod;
mod edge_list;
mod error;
mod instance;
mod json;
mod members;
mod polynomial;
mod text;

pub use bqpjson::write_bqpjson;
pub use dimod::write_dimod;
pub use edge_list::write_edge_list;
pub use error::ParseError;
pub use instance::{Format, Instance, Label, Sign, read_instance};
