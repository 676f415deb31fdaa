//! Words of a text that is in memory as a whole, with line and column: for matrices and tables, where a mistake may only
//! show further down. Files that are read line by line, however long, go through [`lines`](super::lines).

use std::io::BufRead;

use super::ParseError;
use super::lines::quote;
use crate::error::Result;

/// A word, its line and its column in characters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word<'a> {
    pub line: usize,
    pub column: usize,
    pub text: &'a str,
}

impl Word<'_> {
    /// This word stands where something else is expected.
    pub fn error(&self, expected: impl Into<String>) -> ParseError {
        ParseError { line: self.line, column: self.column, found: quote(self.text), expected: expected.into() }
    }

    /// A number of digits alone.
    pub fn number(&self, expected: &str) -> std::result::Result<usize, ParseError> {
        match self.text.parse() {
            Ok(value) if self.text.bytes().all(|b| b.is_ascii_digit()) => Ok(value),
            _ => Err(self.error(expected)),
        }
    }
}

/// A line and its words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub number: usize,
    pub text: &'a str,
}

impl<'a> Line<'a> {
    /// Words between white space.
    pub fn words(&self) -> Vec<Word<'a>> {
        self.split(|c: char| c.is_ascii_whitespace()).into_iter().filter(|word| !word.text.is_empty()).collect()
    }

    /// Pieces between separators, empty ones included.
    pub fn split(&self, is_separator: impl Fn(char) -> bool) -> Vec<Word<'a>> {
        let mut out = Vec::new();
        let (mut start, mut start_column) = (0, 1);
        for (column, (at, c)) in (1..).zip(self.text.char_indices()) {
            if is_separator(c) {
                out.push(Word { line: self.number, column: start_column, text: &self.text[start..at] });
                (start, start_column) = (at + c.len_utf8(), column + 1);
            }
        }
        out.push(Word { line: self.number, column: start_column, text: &self.text[start..] });
        out
    }

    /// The line ends where something is expected.
    pub fn end(&self, expected: impl Into<String>) -> ParseError {
        let column = self.text.chars().count() + 1;
        ParseError { line: self.number, column, found: "end of line".into(), expected: expected.into() }
    }

    pub fn is_blank(&self) -> bool {
        self.text.bytes().all(|b| b.is_ascii_whitespace())
    }
}

/// The lines of a text without their ends, the piece after the last line break included.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    (1..).zip(text.split('\n')).map(|(number, text)| Line { number, text: text.strip_suffix('\r').unwrap_or(text) })
}

/// The text ends where something is expected.
pub(super) fn end(text: &str, expected: impl Into<String>) -> ParseError {
    let line = text.bytes().filter(|&b| b == b'\n').count() + 1;
    let column = text.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    ParseError { line, column, found: "end of file".into(), expected: expected.into() }
}

/// Reads everything and checks that it is UTF-8; a leading byte-order mark is dropped.
pub(super) fn read_text(mut reader: impl BufRead) -> Result<String> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    if bytes.starts_with(&[0xEF, 0xBB, 0xBF]) {
        bytes.drain(..3);
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let byte = error.as_bytes()[at];
        // What precedes the byte is valid.
        let before = String::from_utf8_lossy(&error.as_bytes()[..at]);
        ParseError { found: format!("byte {byte:#04x}"), ..end(&before, "UTF-8 text") }.into()
    })
}
