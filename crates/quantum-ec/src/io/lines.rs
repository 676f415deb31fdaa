//! Lines of a reader with their numbers, one in memory at a time: for detector error models and tables of any length. Words
//! of a text that is in memory as a whole are in [`words`](super::words).

use std::io::BufRead;

use spin_models::io::ParseError;

use crate::error::Result;

/// Longest piece of the input in a message, in characters.
const LENGTH: usize = 40;

/// A piece of the input in quotes, escaped and shortened.
pub(crate) fn quote(piece: &str) -> String {
    match piece.char_indices().nth(LENGTH) {
        None => format!("{piece:?}"),
        Some((cut, _)) => format!("{:?}…", &piece[..cut]),
    }
}

/// The lines of a reader, one in memory at a time.
pub(crate) struct Lines<R> {
    reader: R,
    bytes: Vec<u8>,
    number: usize,
    end: (usize, usize),
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, bytes: Vec::new(), number: 0, end: (1, 1) }
    }

    /// The next line, numbered from 1, without its end; a byte-order mark before the first is dropped.
    pub(crate) fn next_line(&mut self) -> Result<Option<(usize, &str)>> {
        self.bytes.clear();
        if self.reader.read_until(b'\n', &mut self.bytes)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        let mut line = &self.bytes[..];
        if self.number == 1 {
            line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
        }
        let complete = line.ends_with(b"\n");
        if let Some(rest) = line.strip_suffix(b"\n") {
            line = rest.strip_suffix(b"\r").unwrap_or(rest);
        }
        match std::str::from_utf8(line) {
            Ok(text) => {
                self.end = if complete { (self.number + 1, 1) } else { (self.number, text.chars().count() + 1) };
                Ok(Some((self.number, text)))
            }
            Err(error) => {
                let (before, rest) = line.split_at(error.valid_up_to());
                let column = String::from_utf8_lossy(before).chars().count() + 1;
                let found = format!("byte {:#04x}", rest[0]);
                Err(ParseError { line: self.number, column, found, expected: "UTF-8 text".to_owned() }.into())
            }
        }
    }

    /// Line and column where the input ended.
    pub(crate) fn end(&self) -> (usize, usize) {
        self.end
    }
}

/// The name with the fewest edits from `name`; the first of several.
pub(crate) fn nearest<'a>(name: &str, names: &[&'a str]) -> &'a str {
    // Longer words are equally far from all names.
    let name: Vec<char> = name.chars().take(LENGTH).collect();
    names.iter().copied().min_by_key(|candidate| edits(&name, candidate)).unwrap_or_default()
}

/// Levenshtein's distance.
fn edits(a: &[char], b: &str) -> usize {
    let mut row: Vec<usize> = (0..=a.len()).collect();
    for (j, c) in b.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = j + 1;
        for i in 0..a.len() {
            let change = diagonal + usize::from(a[i] != c);
            diagonal = row[i + 1];
            row[i + 1] = change.min(diagonal + 1).min(row[i] + 1);
        }
    }
    row[a.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_counts_edits() {
        assert_eq!(edits(&"kitten".chars().collect::<Vec<_>>(), "sitting"), 3);
        assert_eq!(edits(&[], "abc"), 3);
        assert_eq!(nearest("detecter", &["error", "detector"]), "detector");
        assert_eq!(nearest(&"x".repeat(1000), &["error", "detector"]), "error");
    }

    #[test]
    fn lines_end_in_several_ways() {
        let mut lines = Lines::new(&b"\xEF\xBB\xBFa\r\nb\n\nc"[..]);
        for expected in [(1, "a"), (2, "b"), (3, ""), (4, "c")] {
            assert_eq!(lines.next_line().unwrap(), Some(expected));
        }
        assert_eq!(lines.next_line().unwrap(), None);
        assert!(Lines::new(&b"\xff"[..]).next_line().is_err());
    }
}
