//! Options behind the name of a decoder: `NAME,key=value,key=value`.

use std::str::FromStr;

use crate::error::{Error, Result};

/// The `key=value` pairs behind a name, to be taken one by one.
///
/// Whoever reads a decoder's name takes the options it knows and ends with [`finish`](Self::finish), so that a misspelt
/// option is refused and none is ignored.
#[derive(Debug)]
pub(super) struct Options<'a> {
    pairs: Vec<(&'a str, &'a str)>,
}

impl<'a> Options<'a> {
    /// The name before the first comma, and the options behind it.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an option without `=`, without a key or a value, or given twice.
    pub(super) fn split(text: &'a str) -> Result<(&'a str, Self)> {
        let mut parts = text.split(',');
        let name = parts.next().unwrap_or_default();
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for part in parts {
            match part.split_once('=') {
                Some((key, value)) if !key.is_empty() && !value.is_empty() => {
                    if pairs.iter().any(|(known, _)| *known == key) {
                        return Err(wrong("option of a decoder", part, "every key once"));
                    }
                    pairs.push((key, value));
                }
                _ => return Err(wrong("option of a decoder", part, "key=value")),
            }
        }
        Ok((name, Self { pairs }))
    }

    /// The value of `key`, which is then done with.
    ///
    /// # Errors
    /// [`Error::Parameter`] naming the key, the value and what was `expected`, if the value cannot be read.
    pub(super) fn take<T: FromStr>(&mut self, key: &'static str, expected: &'static str) -> Result<Option<T>> {
        let Some(at) = self.pairs.iter().position(|(known, _)| *known == key) else { return Ok(None) };
        let (_, value) = self.pairs.remove(at);
        value.parse().map(Some).map_err(|_| wrong(key, value, expected))
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`Error::UnknownName`] for the first option left; `known` lists those that the decoder has.
    pub(super) fn finish(self, known: &str) -> Result<()> {
        match self.pairs.first() {
            None => Ok(()),
            Some((key, _)) => {
                let known = if known.is_empty() { "none" } else { known };
                Err(Error::UnknownName { what: "option of a decoder", name: (*key).into(), known: known.into() })
            }
        }
    }
}

fn wrong(what: &'static str, value: &str, expected: &'static str) -> Error {
    Error::Parameter { what, value: value.into(), expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_taken_once_and_none_is_left() {
        let (name, mut options) = Options::split("bp-osd:cs:7,iterations=30,scale=0.625").unwrap();
        assert_eq!(name, "bp-osd:cs:7");
        assert_eq!(options.take::<usize>("iterations", "a number").unwrap(), Some(30));
        assert_eq!(options.take::<usize>("iterations", "a number").unwrap(), None);
        assert_eq!(
            options.finish("iterations").unwrap_err().to_string(),
            "option of a decoder \"scale\" is unknown, expected one of iterations"
        );
        let (name, options) = Options::split("lookup").unwrap();
        assert_eq!(name, "lookup");
        options.finish("").unwrap();
    }

    #[test]
    fn bad_options_are_named() {
        for (text, message) in [
            ("bp,", "option of a decoder is , expected key=value"),
            ("bp,=3", "option of a decoder is =3, expected key=value"),
            ("bp,a=1,a=2", "option of a decoder is a=2, expected every key once"),
        ] {
            assert_eq!(Options::split(text).unwrap_err().to_string(), message);
        }
        let (_, mut options) = Options::split("bp,iterations=-1").unwrap();
        let error = options.take::<usize>("iterations", "a number from 0").unwrap_err();
        assert_eq!(error.to_string(), "iterations is -1, expected a number from 0");
    }
}
