//! Writing what [`scan`](super::scan) reads.

use std::fmt::{self, Display, Formatter};

/// A tag in square brackets with its escapes; nothing if it is empty.
pub(crate) struct Tag<'a>(pub &'a str);

impl Display for Tag<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        f.write_str("[")?;
        for c in self.0.chars() {
            match c {
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\\' => f.write_str("\\B")?,
                ']' => f.write_str("\\C")?,
                c => write!(f, "{c}")?,
            }
        }
        f.write_str("]")
    }
}

/// The shortest digits; an exponent where it saves zeros.
pub(crate) struct Number(pub f64);

impl Display for Number {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let x = self.0;
        if x == 0.0 || (1e-5..1e16).contains(&x.abs()) { write!(f, "{x}") } else { write!(f, "{x:e}") }
    }
}

/// Numbers in parentheses; nothing if there are none.
pub(crate) struct Coordinates<'a>(pub &'a [f64]);

impl Display for Coordinates<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (k, &x) in self.0.iter().enumerate() {
            write!(f, "{}{}", if k == 0 { "(" } else { ", " }, Number(x))?;
        }
        f.write_str(if self.0.is_empty() { "" } else { ")" })
    }
}
