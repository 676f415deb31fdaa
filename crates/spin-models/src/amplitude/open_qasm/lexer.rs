//! Words, numbers and signs of OpenQASM.

use crate::io::ParseError;

/// Kinds of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Number,
    Text,
    Sign,
    End,
}

/// A piece of the input with its place, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// Longest piece of the input in a message, in characters.
const LENGTH: usize = 40;

impl Token<'_> {
    /// An error at this token.
    pub(super) fn fail(&self, expected: impl Into<String>) -> ParseError {
        let found = match (self.kind, self.text.char_indices().nth(LENGTH)) {
            (Kind::End, _) => "the end of the file".to_owned(),
            (_, None) => format!("{:?}", self.text),
            (_, Some((cut, _))) => format!("{:?}…", &self.text[..cut]),
        };
        self.fault(found, expected)
    }

    /// The same with what was found told in other words.
    pub(super) fn fault(&self, found: impl Into<String>, expected: impl Into<String>) -> ParseError {
        ParseError { line: self.line, column: self.column, found: found.into(), expected: expected.into() }
    }

    pub(super) fn is(&self, text: &str) -> bool {
        self.text == text && matches!(self.kind, Kind::Word | Kind::Sign)
    }
}

/// All tokens, the last of kind [`Kind::End`]. Comments are left out.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, ParseError> {
    let mut tokens = Vec::new();
    let (mut line, mut column, mut at) = (1, 1, 0);
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        if first == '\n' {
            (line, column, at) = (line + 1, 1, at + 1);
            continue;
        }
        let (kind, length) = if first.is_whitespace() {
            (None, first.len_utf8())
        } else if rest.starts_with("//") {
            (None, rest.find('\n').unwrap_or(rest.len()))
        } else if first.is_ascii_alphabetic() || first == '_' {
            (Some(Kind::Word), span(rest, |c| c.is_ascii_alphanumeric() || c == '_'))
        } else if first.is_ascii_digit() || first == '.' {
            (Some(Kind::Number), number(rest))
        } else if first == '"' {
            let place = Token { kind: Kind::Text, text: rest, line, column };
            match rest[1..].find(['"', '\n']) {
                Some(end) if rest[1 + end..].starts_with('"') => (Some(Kind::Text), end + 2),
                _ => return Err(place.fault("an open quotation", "a closing quotation mark on the same line")),
            }
        } else if rest.starts_with("->") || rest.starts_with("==") {
            (Some(Kind::Sign), 2)
        } else if ";,()[]{}+-*/^".contains(first) {
            (Some(Kind::Sign), 1)
        } else {
            let place = Token { kind: Kind::Sign, text: &rest[..first.len_utf8()], line, column };
            return Err(place.fail("OpenQASM 2"));
        };
        let piece = &rest[..length];
        if let Some(kind) = kind {
            tokens.push(Token { kind, text: piece, line, column });
        }
        column += piece.chars().count();
        at += length;
    }
    tokens.push(Token { kind: Kind::End, text: "", line, column });
    Ok(tokens)
}

fn span(text: &str, inside: impl Fn(char) -> bool) -> usize {
    text.find(|c| !inside(c)).unwrap_or(text.len())
}

/// Length of a number: digits, a point, digits, an exponent.
fn number(text: &str) -> usize {
    let digits = |from: usize| from + span(&text[from..], |c| c.is_ascii_digit());
    let mut end = digits(0);
    if text[end..].starts_with('.') {
        end = digits(end + 1);
    }
    if text[end..].starts_with(['e', 'E']) {
        let sign = usize::from(text[end + 1..].starts_with(['+', '-']));
        let after = digits(end + 1 + sign);
        if after > end + 1 + sign {
            end = after;
        }
    }
    end
}
