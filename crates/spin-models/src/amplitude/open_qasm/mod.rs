//! Circuits as OpenQASM 2.

mod expression;
mod gates;
mod lexer;
mod reader;
mod writer;

pub use reader::read_open_qasm;
pub use writer::write_open_qasm;

#[cfg(test)]
mod tests;
