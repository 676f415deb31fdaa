//! One JSON object on one line, floats with 17 significant digits so that they read back bit for bit.

use std::fmt::Write;

/// Builds one line of JSON, keys in the order in which they are added.
///
/// ```
/// use workspace_examples::json::Line;
///
/// let line = Line::new().text("method", "tree").count("n", 3).number("x", Some(0.1)).number("y", None).finish();
/// assert_eq!(line, r#"{"method":"tree","n":3,"x":1.0000000000000001e-1,"y":null}"#);
/// ```
#[derive(Debug, Default)]
pub struct Line {
    text: String,
}

impl Line {
    /// An empty object.
    pub fn new() -> Self {
        Self::default()
    }

    fn key(&mut self, key: &str) {
        self.text.push(if self.text.is_empty() { '{' } else { ',' });
        quote(&mut self.text, key);
        self.text.push(':');
    }

    /// Adds a string.
    pub fn text(mut self, key: &str, value: &str) -> Self {
        self.key(key);
        quote(&mut self.text, value);
        self
    }

    /// Adds a string or null.
    pub fn text_or_null(mut self, key: &str, value: Option<&str>) -> Self {
        self.key(key);
        match value {
            Some(value) => quote(&mut self.text, value),
            None => self.text.push_str("null"),
        }
        self
    }

    /// Adds an integer.
    pub fn count(mut self, key: &str, value: u64) -> Self {
        self.key(key);
        let _ = write!(self.text, "{value}");
        self
    }

    /// Adds `true` or `false`.
    pub fn flag(mut self, key: &str, value: bool) -> Self {
        self.key(key);
        let _ = write!(self.text, "{value}");
        self
    }

    /// Adds a float; null for `None` and for what JSON cannot hold (NaN, infinities).
    pub fn number(mut self, key: &str, value: Option<f64>) -> Self {
        self.key(key);
        push_number(&mut self.text, value);
        self
    }

    /// Adds an array of floats, or null.
    pub fn numbers(mut self, key: &str, values: Option<&[f64]>) -> Self {
        self.key(key);
        match values {
            None => self.text.push_str("null"),
            Some(values) => push_list(&mut self.text, values.iter(), |text, &value| push_number(text, Some(value))),
        }
        self
    }

    /// Adds an array of small integers, such as spins.
    pub fn signs(mut self, key: &str, values: &[i8]) -> Self {
        self.key(key);
        push_list(&mut self.text, values.iter(), |text, value| {
            let _ = write!(text, "{value}");
        });
        self
    }

    /// Adds an array of `[i, j, value]`, or null.
    pub fn pairs(mut self, key: &str, values: Option<&[(usize, usize, f64)]>) -> Self {
        self.key(key);
        match values {
            None => self.text.push_str("null"),
            Some(values) => push_list(&mut self.text, values.iter(), |text, &(i, j, value)| {
                let _ = write!(text, "[{i},{j},");
                push_number(text, Some(value));
                text.push(']');
            }),
        }
        self
    }

    /// The line, without a line break.
    pub fn finish(mut self) -> String {
        if self.text.is_empty() {
            self.text.push('{');
        }
        self.text.push('}');
        self.text
    }
}

fn push_list<T>(text: &mut String, items: impl Iterator<Item = T>, mut push: impl FnMut(&mut String, T)) {
    text.push('[');
    for (k, item) in items.enumerate() {
        if k > 0 {
            text.push(',');
        }
        push(text, item);
    }
    text.push(']');
}

fn push_number(text: &mut String, value: Option<f64>) {
    match value {
        Some(value) if value.is_finite() => {
            // Adding zero turns -0 into 0.
            let _ = write!(text, "{:.16e}", value + 0.0);
        }
        _ => text.push_str("null"),
    }
}

fn quote(text: &mut String, value: &str) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            c if u32::from(c) < 0x20 => {
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text.push('"');
}
