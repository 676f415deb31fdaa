//! Linear algebra over GF(2).

mod bitvec;

pub use bitvec::BitVec;
