//! Shot files in all six formats, the text of detector error models, check matrices and tables of Pauli noise.
//!
//! | [`ShotFormat`] | a shot is |
//! |---|---|
//! | `01` | a line of `0` and `1` |
//! | `b8` | ⌈n/8⌉ bytes, bit i is bit i mod 8 of byte ⌊i/8⌋ |
//! | `r8` | a byte for every gap before a one, 255 for 255 zeros without a one; the end counts as a one |
//! | `hits` | a line of numbers of ones, with commas |
//! | `dets` | a line `shot D0 L1`: numbers with the kind of bit |
//! | `ptb64` | 64 shots together: for every bit the eight bytes of a word with a bit a shot |
//!
//! [`ShotReader`] and [`ShotWriter`] hold one row (64 rows for `ptb64`) beside the chunk that is asked for, whatever the
//! size of the file. What is not exactly a shot is an error with its place: a damaged file never gives wrong shots
//! silently, except where the damage is itself a valid file. The formats are described in `docs/formats/shots.md`.

mod alist;
mod dense;
pub(crate) mod format;
pub(crate) mod lines;
mod matrix;
mod matrix_market;
mod pauli_table;
pub(crate) mod scan;
mod shot_format;
mod shot_reader;
mod shot_writer;
mod words;

pub use alist::{read_alist, write_alist};
pub use dense::{read_dense, write_dense};
pub use matrix::{MatrixFormat, read_matrix, write_matrix};
pub use matrix_market::{read_matrix_market, write_matrix_market};
pub use pauli_table::{read_pauli_table, write_pauli_table};
pub use shot_format::{Layout, MAX_ROW_BITS, ShotFormat};
pub use shot_reader::ShotReader;
pub use shot_writer::ShotWriter;

pub use spin_models::io::ParseError;
