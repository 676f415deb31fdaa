//! Pieces of a line that detector error models and circuits have in common: names, tags, numbers in parentheses.

use std::fmt::Display;

use super::ParseError;
use super::lines::quote;

/// What stands at a place, and what should.
pub(crate) fn parse_error((line, column): (usize, usize), found: impl Display, expected: impl Display) -> ParseError {
    ParseError { line, column, found: found.to_string(), expected: expected.to_string() }
}

/// One line and how far it is read.
pub(crate) struct Line<'a> {
    pub text: &'a str,
    pub at: usize,
    pub number: usize,
}

impl<'a> Line<'a> {
    pub fn new(number: usize, text: &'a str) -> Self {
        Self { text, at: 0, number }
    }

    pub fn place(&self, at: usize) -> (usize, usize) {
        (self.number, self.text[..at].chars().count() + 1)
    }

    pub fn error(&self, at: usize, found: impl Display, expected: impl Display) -> ParseError {
        parse_error(self.place(at), found, expected)
    }

    /// An error about the word at `at`.
    pub fn unexpected(&self, at: usize, expected: impl Display) -> ParseError {
        let rest = &self.text[at..];
        let end = rest.char_indices().skip(1).find(|(_, c)| " \t#".contains(*c)).map_or(rest.len(), |(end, _)| end);
        if rest.is_empty() || rest.starts_with('#') {
            self.error(at, "the end of the line", expected)
        } else {
            self.error(at, quote(rest[..end].trim_end()), expected)
        }
    }

    /// Skips spaces and comments; whether there is more.
    pub fn skip_space(&mut self) -> bool {
        self.take_while(|c| c == ' ' || c == '\t');
        !matches!(self.text.as_bytes().get(self.at), None | Some(b'#'))
    }

    pub fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
        let rest = &self.text[self.at..];
        let end = rest.find(|c| !keep(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// `[…]` with its escapes resolved.
    pub fn tag(&mut self) -> std::result::Result<String, ParseError> {
        let start = self.at;
        let mut tag = String::new();
        let mut rest = self.text[start..].char_indices().peekable();
        if rest.next_if(|&(_, c)| c == '[').is_none() {
            return Ok(tag);
        }
        while let Some((at, c)) = rest.next() {
            match c {
                ']' => {
                    self.at = start + at + 1;
                    return Ok(tag);
                }
                '\\' => match rest.next() {
                    Some((_, 'n')) => tag.push('\n'),
                    Some((_, 'r')) => tag.push('\r'),
                    Some((_, 'B')) => tag.push('\\'),
                    Some((_, 'C')) => tag.push(']'),
                    other => {
                        let piece: String = std::iter::once('\\').chain(other.map(|(_, c)| c)).collect();
                        return Err(self.error(start + at, quote(&piece), r"one of \n, \r, \B (for \), \C (for ])"));
                    }
                },
                c => tag.push(c),
            }
        }
        Err(self.error(self.text.len(), "the end of the line", "\"]\" at the end of the tag"))
    }

    /// `(x, y, …)` with the place of every number.
    pub fn arguments(&mut self) -> std::result::Result<Option<Vec<(usize, f64)>>, ParseError> {
        if !self.text[self.at..].starts_with('(') {
            return Ok(None);
        }
        let mut list = Vec::new();
        loop {
            self.at += 1;
            self.take_while(|c| c == ' ' || c == '\t');
            let start = self.at;
            let word = self.take_while(|c| !",)( \t#".contains(c));
            // Rust would also read words such as "nan".
            let plain = word.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
            match word.parse::<f64>() {
                Ok(value) if plain && value.is_finite() => list.push((start, value)),
                _ if word.is_empty() => return Err(self.unexpected(start, "a number")),
                _ => return Err(self.error(start, quote(word), "a finite number")),
            }
            self.take_while(|c| c == ' ' || c == '\t');
            match self.text.as_bytes().get(self.at) {
                Some(b',') => {}
                Some(b')') => {
                    self.at += 1;
                    return Ok(Some(list));
                }
                _ => return Err(self.unexpected(self.at, "\",\" or \")\"")),
            }
        }
    }

    /// At least one space, then a word up to the next one; `None` at the end of the line.
    pub fn word(&mut self) -> std::result::Result<Option<(usize, &'a str)>, ParseError> {
        let before = self.at;
        if !self.skip_space() {
            return Ok(None);
        }
        if self.at == before {
            return Err(self.unexpected(before, "a space"));
        }
        let start = self.at;
        Ok(Some((start, self.take_while(|c| !" \t#".contains(c)))))
    }

    /// A plain number.
    pub fn count(&mut self, what: &str, bound: u64) -> std::result::Result<u64, ParseError> {
        let before = self.at;
        let word = if self.skip_space() && self.at > before { self.take_while(|c| !" \t#{".contains(c)) } else { "" };
        if word.is_empty() {
            return Err(self.unexpected(self.at, what));
        }
        self.number(self.at - word.len(), word, bound)
    }

    pub fn number(&self, start: usize, digits: &str, bound: u64) -> std::result::Result<u64, ParseError> {
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            let found = if digits.is_empty() { "nothing".to_owned() } else { quote(digits) };
            return Err(self.error(start, found, "a whole number from 0"));
        }
        match digits.parse() {
            Ok(value) if value < bound => Ok(value),
            _ => Err(self.error(start, quote(digits), format_args!("a number below {bound}"))),
        }
    }
}
