//! Where and why a file could not be read.

use std::fmt;

use thiserror::Error as ThisError;

/// A place in an instance file that cannot be read, with what was found and what was expected there.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[error("line {line}, column {column}: found {found}, expected {expected}")]
pub struct ParseError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What stands there, shortened.
    pub found: String,
    /// What should.
    pub expected: String,
}

/// What a parser returns.
pub(super) type Parsed<T> = std::result::Result<T, ParseError>;

impl ParseError {
    /// An error at byte `at` of `text`.
    pub(super) fn at(text: &str, at: usize, found: impl fmt::Display, expected: impl fmt::Display) -> Self {
        let (line, column) = place(text, at);
        Self { line, column, found: found.to_string(), expected: expected.to_string() }
    }
}

/// Line and column of byte `at`, both from 1, columns in characters.
pub(super) fn place(text: &str, at: usize) -> (usize, usize) {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let before = &text[..at];
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.bytes().filter(|&b| b == b'\n').count() + 1, before[start..].chars().count() + 1)
}

/// Longest piece of the input in a message, in characters.
const LENGTH: usize = 40;

/// A piece of the input in quotes, escaped and shortened.
pub(super) fn quote(piece: &str) -> String {
    match piece.char_indices().nth(LENGTH) {
        None => format!("{piece:?}"),
        Some((cut, _)) => format!("{:?}…", &piece[..cut]),
    }
}

/// A piece of the input that needs no quotes, shortened.
pub(super) fn shorten(piece: &str) -> String {
    match piece.char_indices().nth(LENGTH) {
        None => piece.to_owned(),
        Some((cut, _)) => format!("{}…", &piece[..cut]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters() {
        let text = "ab\nλμν\n";
        assert_eq!(place(text, 0), (1, 1));
        assert_eq!(place(text, 2), (1, 3));
        assert_eq!(place(text, 3), (2, 1));
        assert_eq!(place(text, 5), (2, 2));
        assert_eq!(place(text, 6), (2, 2), "inside a character: its start");
        assert_eq!(place(text, 1000), (3, 1));
    }

    #[test]
    fn quotes_are_short_and_printable() {
        assert_eq!(quote("a\tb"), "\"a\\tb\"");
        assert_eq!(quote(&"x".repeat(99)), format!("\"{}\"…", "x".repeat(40)));
    }
}
