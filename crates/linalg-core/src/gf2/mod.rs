//! Linear algebra over GF(2), the field of two elements.
//!
//! Addition is exclusive or and multiplication is logical and. [`BitVec`] and [`BitMatrix`] hold 64 entries a word;
//! a matrix is stored by rows. [`BinaryCsc`] holds the row indices of the ones of each column, for matrices with few
//! ones.
//!
//! Products and eliminations use the method of four Russians: 64 columns at a time are cut into bytes, all 256 sums
//! of the eight rows that belong to a byte are tabulated, and every other row is updated by one table entry for each
//! byte. The rank of an n x n matrix then costs about $`n^3 / 1536`$ word operations; the method of one column at a
//! time, which stays as [`rank_naive`](BitMatrix::rank_naive) and [`row_reduce_naive`](BitMatrix::row_reduce_naive),
//! costs $`n^3 / 256`$.
//!
//! ```
//! use linalg_core::gf2::{BitMatrix, BitVec};
//!
//! // The parity checks of the [7, 4] Hamming code: column j is the number j + 1 in binary.
//! let checks = BitMatrix::from_ones(3, 7, [
//!     (0, 0), (0, 2), (0, 4), (0, 6),
//!     (1, 1), (1, 2), (1, 5), (1, 6),
//!     (2, 3), (2, 4), (2, 5), (2, 6),
//! ])?;
//! assert_eq!(checks.rank(), 3);
//! assert_eq!(checks.nullspace().n_rows(), 4); // 2⁴ code words
//!
//! // A flip of bit 4 gives the syndrome 5 = 101 in binary.
//! let error = BitVec::from_ones(7, [4])?;
//! assert_eq!(checks.mul_vec(&error).to_string(), "101");
//! # Ok::<(), linalg_core::Error>(())
//! ```
//!
//! # References
//! - V. L. Arlazarov, E. A. Dinic, M. A. Kronrod and I. A. Faradzhev, "On economical construction of the transitive
//!   closure of a directed graph", Soviet Mathematics Doklady 11, 1209 (1970).
//! - G. V. Bard, "Accelerating cryptanalysis with the method of four Russians", IACR ePrint 2006/251.

mod bitmatrix;
mod bitvec;
mod elimination;
mod four_russians;
mod row_reduce;
mod slice;
mod sparse;
mod transpose;

pub use bitmatrix::BitMatrix;
pub use bitvec::BitVec;
pub use row_reduce::{Factored, RowReduced};
pub use slice::{BitSlice, Ones};
pub use sparse::BinaryCsc;
pub use transpose::transpose_block;
