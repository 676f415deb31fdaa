//! A JSON reader that keeps the place of every value, so that errors about meaning have a line and a column too.
//!
//! RFC 8259 without extensions: no NaN, no Infinity, no comments, no trailing commas. Repeated members are refused,
//! nesting is limited.

use std::fmt::Write;

use super::error::{ParseError, Parsed, place, quote, shorten};

/// Deepest nesting of arrays and objects; instance files need five.
const DEPTH: usize = 64;

/// A text and its value.
pub(super) struct Document<'a> {
    text: &'a str,
    pub root: Node,
}

/// A value and the bytes it stands on.
pub(super) struct Node {
    pub start: usize,
    end: usize,
    pub value: Value,
}

/// A member of an object.
pub(super) struct Member {
    pub key: String,
    /// Where the key begins.
    pub at: usize,
    pub node: Node,
}

pub(super) enum Value {
    Null,
    Bool(bool),
    /// Its digits are in the text.
    Number,
    String(String),
    Array(Vec<Node>),
    Object(Vec<Member>),
}

impl Node {
    /// The members of an object; none for other values.
    pub fn members(&self) -> &[Member] {
        match &self.value {
            Value::Object(members) => members,
            _ => &[],
        }
    }

    /// The value of a member.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.members().iter().find(|member| member.key == key).map(|member| &member.node)
    }
}

impl Document<'_> {
    /// The text of a value.
    pub fn raw(&self, node: &Node) -> &str {
        &self.text[node.start..node.end]
    }

    /// An error at byte `at`.
    pub fn error_at(&self, at: usize, found: impl std::fmt::Display, expected: impl std::fmt::Display) -> ParseError {
        ParseError::at(self.text, at, found, expected)
    }

    /// An error at a value, which is quoted.
    pub fn unexpected(&self, node: &Node, expected: impl std::fmt::Display) -> ParseError {
        let found = match &node.value {
            Value::Array(_) => "an array".to_owned(),
            Value::Object(_) => "an object".to_owned(),
            Value::String(text) => quote(text),
            _ => shorten(self.raw(node)),
        };
        self.error_at(node.start, found, expected)
    }

    /// The line of a value.
    pub fn line(&self, at: usize) -> usize {
        place(self.text, at).0
    }

    /// A member that must be there.
    pub fn require<'n>(&self, object: &'n Node, key: &str) -> Parsed<&'n Node> {
        match &object.value {
            Value::Object(_) => object.get(key).ok_or_else(|| {
                let found = format!("an object without {}", quote(key));
                self.error_at(object.start, found, format_args!("the member {}", quote(key)))
            }),
            _ => Err(self.unexpected(object, format_args!("an object with the member {}", quote(key)))),
        }
    }

    /// A finite number.
    pub fn number(&self, node: &Node) -> Parsed<f64> {
        match node.value {
            Value::Number => self
                .raw(node)
                .parse()
                .ok()
                .filter(|x: &f64| x.is_finite())
                .ok_or_else(|| self.unexpected(node, "a number within the range of a 64-bit float")),
            _ => Err(self.unexpected(node, "a number")),
        }
    }

    /// An integer written without fraction and exponent.
    pub fn integer(&self, node: &Node) -> Parsed<i64> {
        match node.value {
            Value::Number => self.raw(node).parse().map_err(|_| self.unexpected(node, "an integer")),
            _ => Err(self.unexpected(node, "an integer")),
        }
    }

    pub fn string<'n>(&self, node: &'n Node) -> Parsed<&'n str> {
        match &node.value {
            Value::String(text) => Ok(text),
            _ => Err(self.unexpected(node, "a string")),
        }
    }

    pub fn array<'n>(&self, node: &'n Node) -> Parsed<&'n [Node]> {
        match &node.value {
            Value::Array(nodes) => Ok(nodes),
            _ => Err(self.unexpected(node, "an array")),
        }
    }

    pub fn object<'n>(&self, node: &'n Node) -> Parsed<&'n [Member]> {
        match &node.value {
            Value::Object(members) => Ok(members),
            _ => Err(self.unexpected(node, "an object")),
        }
    }
}

/// Parses one value and nothing after it.
pub(super) fn parse(text: &str) -> Parsed<Document<'_>> {
    let mut parser = Parser { text, at: 0 };
    let root = parser.node(0)?;
    parser.skip_space();
    if parser.at < text.len() {
        return Err(parser.unexpected("end of input"));
    }
    Ok(Document { text, root })
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// An error at the next character, with the word that begins there.
    fn unexpected(&self, expected: &str) -> ParseError {
        let rest = &self.text[self.at..];
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '+' | '-' | '.' | '_');
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let found = match rest.chars().next() {
            None => "end of input".to_owned(),
            Some(c) => quote(&rest[..length.max(c.len_utf8())]),
        };
        ParseError::at(self.text, self.at, found, expected)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn node(&mut self, depth: usize) -> Parsed<Node> {
        self.skip_space();
        let start = self.at;
        if depth > DEPTH {
            let found = format!("nesting deeper than {DEPTH}");
            return Err(ParseError::at(self.text, start, found, format_args!("at most {DEPTH} levels")));
        }
        let value = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Value::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => self.word()?,
        };
        Ok(Node { start, end: self.at, value })
    }

    fn word(&mut self) -> Parsed<Value> {
        let rest = &self.text[self.at..];
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let value = match &rest[..length] {
            "null" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            // What Python's json module writes for non-finite floats.
            "NaN" | "Infinity" => return Err(self.unexpected("a finite number")),
            _ => return Err(self.unexpected("a JSON value")),
        };
        self.at += length;
        Ok(value)
    }

    fn number(&mut self) -> Parsed<Value> {
        let start = self.at;
        let fail = |parser: &mut Self| {
            parser.at = start;
            let infinite = parser.text[start..].starts_with("-Infinity");
            Err(parser.unexpected(if infinite { "a finite number" } else { "a JSON number" }))
        };
        self.eat(b'-');
        if !self.eat(b'0') && self.digits() == 0 {
            return fail(self);
        }
        if self.eat(b'.') && self.digits() == 0 {
            return fail(self);
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return fail(self);
            }
        }
        // "01", "1.2.3" and "1x" are no numbers with something after them, but no numbers.
        match self.peek() {
            Some(b) if b.is_ascii_alphanumeric() || matches!(b, b'.' | b'+' | b'-' | b'_') => fail(self),
            _ => Ok(Value::Number),
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn array(&mut self, depth: usize) -> Parsed<Value> {
        self.at += 1;
        let mut nodes = Vec::new();
        self.skip_space();
        if self.eat(b']') {
            return Ok(Value::Array(nodes));
        }
        loop {
            nodes.push(self.node(depth + 1)?);
            self.skip_space();
            if self.eat(b']') {
                return Ok(Value::Array(nodes));
            }
            if !self.eat(b',') {
                return Err(self.unexpected("`,` or `]`"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Parsed<Value> {
        self.at += 1;
        let mut members = Vec::new();
        self.skip_space();
        if self.eat(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.skip_space();
            let at = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("a member name in double quotes"));
            }
            let key = self.string()?;
            self.skip_space();
            if !self.eat(b':') {
                return Err(self.unexpected("`:`"));
            }
            let node = self.node(depth + 1)?;
            members.push(Member { key, at, node });
            self.skip_space();
            if self.eat(b'}') {
                break;
            }
            if !self.eat(b',') {
                return Err(self.unexpected("`,` or `}`"));
            }
        }
        self.refuse_repeated(&members)?;
        Ok(Value::Object(members))
    }

    fn refuse_repeated(&self, members: &[Member]) -> Parsed<()> {
        let mut sorted: Vec<&Member> = members.iter().collect();
        sorted.sort_by(|a, b| a.key.cmp(&b.key).then(a.at.cmp(&b.at)));
        // Of several repetitions, the one that stands first in the text.
        let pair = sorted.windows(2).filter(|pair| pair[0].key == pair[1].key).min_by_key(|pair| pair[1].at);
        match pair {
            None => Ok(()),
            Some(pair) => {
                let line = place(self.text, pair[0].at).0;
                let found = format!("the member {} again", quote(&pair[1].key));
                Err(ParseError::at(self.text, pair[1].at, found, format_args!("every member once, as on line {line}")))
            }
        }
    }

    fn string(&mut self) -> Parsed<String> {
        let open = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let run = rest.find(|c: char| matches!(c, '"' | '\\') || c < ' ').unwrap_or(rest.len());
            out.push_str(&rest[..run]);
            self.at += run;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(_) => return Err(self.unexpected("an escape: control characters do not stand in strings")),
                None => {
                    let line = place(self.text, open).0;
                    let expected = format!("the closing quote of the string that begins on line {line}");
                    return Err(self.unexpected(&expected));
                }
            }
        }
    }

    /// The character of an escape; `at` stands on the backslash.
    fn escape(&mut self) -> Parsed<char> {
        let start = self.at;
        self.at += 1;
        let byte = self.peek();
        self.at += 1;
        let plain = match byte {
            Some(b'"') => Some('"'),
            Some(b'\\') => Some('\\'),
            Some(b'/') => Some('/'),
            Some(b'b') => Some('\u{8}'),
            Some(b'f') => Some('\u{c}'),
            Some(b'n') => Some('\n'),
            Some(b'r') => Some('\r'),
            Some(b't') => Some('\t'),
            Some(b'u') => self.unicode(),
            _ => None,
        };
        plain.ok_or_else(|| {
            let length = self.text[start..].char_indices().nth(6).map_or(self.text.len() - start, |(cut, _)| cut);
            ParseError::at(self.text, start, quote(&self.text[start..start + length]), "a JSON escape")
        })
    }

    /// Four hexadecimal digits, or two times four for a surrogate pair.
    fn unicode(&mut self) -> Option<char> {
        let high = self.hex()?;
        if !(0xD800..0xDC00).contains(&high) {
            // A lone low surrogate is no character.
            return char::from_u32(high);
        }
        if !(self.eat(b'\\') && self.eat(b'u')) {
            return None;
        }
        let low = self.hex().filter(|low| (0xDC00..0xE000).contains(low))?;
        char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

/// A string as JSON.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c < ' ' => write!(out, "\\u{:04x}", c as u32).expect("a String takes all text"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(node: &Node) -> &str {
        match &node.value {
            Value::String(text) => text,
            _ => panic!("not a string"),
        }
    }

    fn error(text: &str) -> String {
        parse(text).err().expect("accepted").to_string()
    }

    #[test]
    fn values_and_their_places() {
        let text = "{\"a\": [1, -2.5e+3, true],\n \"b\": {\"c\": null, \"d\": \"x\"}}";
        let document = parse(text).unwrap();
        let a = document.array(document.root.get("a").unwrap()).unwrap();
        assert_eq!(document.integer(&a[0]).unwrap(), 1);
        approx::assert_relative_eq!(document.number(&a[1]).unwrap(), -2500.0);
        assert!(matches!(a[2].value, Value::Bool(true)));
        let b = document.root.get("b").unwrap();
        assert_eq!(document.raw(b), "{\"c\": null, \"d\": \"x\"}");
        assert_eq!(document.line(b.start), 2);
        assert!(matches!(b.get("c").unwrap().value, Value::Null));
        assert!(document.integer(&a[1]).is_err());
        let wrong = document.number(b.get("d").unwrap()).unwrap_err();
        assert_eq!(wrong.to_string(), "line 2, column 24: found \"x\", expected a number");
    }

    #[test]
    fn strings_and_escapes() {
        let document = parse(r#""a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é""#).unwrap();
        assert_eq!(text_of(&document.root), "a\"\\/\u{8}\u{c}\n\r\té😀é");
        let text = "quote \" slash \\ newline \n bell \u{7} é 😀";
        assert_eq!(text_of(&parse(&escaped(text)).unwrap().root), text);
        assert_eq!(error(r#""\x""#), "line 1, column 2: found \"\\\\x\\\"\", expected a JSON escape");
        assert!(error(r#""\ud800""#).contains("a JSON escape"));
        assert!(error(r#""\ud800A""#).contains("a JSON escape"));
        assert!(error(r#""\udc00""#).contains("a JSON escape"));
        assert!(error(r#""\u+123""#).contains("a JSON escape"));
        assert!(error("\"\\u12é\"").contains("a JSON escape"));
        assert!(error("\"\\").contains("a JSON escape"));
        assert!(error("\"a\nb\"").contains("control characters"));
        assert!(error("\"ab").contains("the closing quote of the string that begins on line 1"));
    }

    #[test]
    fn what_is_not_json_is_refused_with_its_place() {
        for (text, expected) in [
            ("", "line 1, column 1: found end of input, expected a JSON value"),
            ("{\"a\": 1,}", "line 1, column 9: found \"}\", expected a member name in double quotes"),
            ("[1 2]", "line 1, column 4: found \"2\", expected `,` or `]`"),
            ("{\"a\" 1}", "line 1, column 6: found \"1\", expected `:`"),
            ("[1]\n x", "line 2, column 2: found \"x\", expected end of input"),
            ("[NaN]", "line 1, column 2: found \"NaN\", expected a finite number"),
            ("[-Infinity]", "line 1, column 2: found \"-Infinity\", expected a finite number"),
            ("[01]", "line 1, column 2: found \"01\", expected a JSON number"),
            ("[1.]", "line 1, column 2: found \"1.\", expected a JSON number"),
            ("[1e]", "line 1, column 2: found \"1e\", expected a JSON number"),
            ("[.5]", "line 1, column 2: found \".5\", expected a JSON value"),
            ("[+5]", "line 1, column 2: found \"+5\", expected a JSON value"),
            ("[-]", "line 1, column 2: found \"-\", expected a JSON number"),
            ("[λ", "line 1, column 2: found \"λ\", expected a JSON value"),
            ("[1", "line 1, column 3: found end of input, expected `,` or `]`"),
        ] {
            assert_eq!(error(text), expected);
        }
        let twice = "{\"a\": 1,\n\"b\": 2,\n\"a\": 3}";
        assert_eq!(
            error(twice),
            "line 3, column 1: found the member \"a\" again, expected every member once, as on line 1"
        );
    }

    #[test]
    fn nesting_is_limited() {
        assert!(parse(&format!("{}1{}", "[".repeat(DEPTH), "]".repeat(DEPTH))).is_ok());
        let deep = "[".repeat(1_000_000);
        assert_eq!(error(&deep), "line 1, column 66: found nesting deeper than 64, expected at most 64 levels");
    }

    #[test]
    fn huge_numbers_are_no_floats() {
        let document = parse("[1e400, 99999999999999999999]").unwrap();
        let nodes = document.array(&document.root).unwrap();
        let error = document.number(&nodes[0]).unwrap_err().to_string();
        assert_eq!(error, "line 1, column 2: found 1e400, expected a number within the range of a 64-bit float");
        assert!(document.integer(&nodes[1]).is_err());
    }
}
