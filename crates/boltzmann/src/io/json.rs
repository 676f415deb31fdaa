//! As much of JSON as the header of a safetensors file needs.

/// A value; numbers are non-negative integers.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Number(usize),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

impl Value {
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }
}

/// Nesting allowed.
const DEPTH: usize = 8;

/// Reads one value that fills the text, up to white space; the error is the byte that does not fit.
pub(super) fn parse(text: &str) -> Result<Value, usize> {
    let mut parser = Parser { bytes: text.as_bytes(), at: 0 };
    let value = parser.value(DEPTH)?;
    parser.space();
    if parser.at == parser.bytes.len() { Ok(value) } else { Err(parser.at) }
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn space(&mut self) {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        self.space();
        let found = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), usize> {
        if self.eat(byte) { Ok(()) } else { Err(self.at) }
    }

    fn value(&mut self, depth: usize) -> Result<Value, usize> {
        let depth = depth.checked_sub(1).ok_or(self.at)?;
        if self.eat(b'{') {
            let mut members = Vec::new();
            if !self.eat(b'}') {
                loop {
                    self.space();
                    let key = self.text()?;
                    self.expect(b':')?;
                    members.push((key, self.value(depth)?));
                    if !self.eat(b',') {
                        break;
                    }
                }
                self.expect(b'}')?;
            }
            return Ok(Value::Object(members));
        }
        if self.eat(b'[') {
            let mut items = Vec::new();
            if !self.eat(b']') {
                loop {
                    items.push(self.value(depth)?);
                    if !self.eat(b',') {
                        break;
                    }
                }
                self.expect(b']')?;
            }
            return Ok(Value::List(items));
        }
        if self.bytes.get(self.at) == Some(&b'"') { self.text().map(Value::Text) } else { self.number() }
    }

    fn number(&mut self) -> Result<Value, usize> {
        let start = self.at;
        let mut value = 0usize;
        while let Some(digit) = self.bytes.get(self.at).filter(|byte| byte.is_ascii_digit()) {
            value = value.checked_mul(10).and_then(|v| v.checked_add(usize::from(digit - b'0'))).ok_or(start)?;
            self.at += 1;
        }
        if self.at == start { Err(start) } else { Ok(Value::Number(value)) }
    }

    /// A string; escapes other than `\"`, `\\` and `\/` are refused.
    fn text(&mut self) -> Result<String, usize> {
        self.expect(b'"')?;
        let mut out = Vec::new();
        loop {
            match *self.bytes.get(self.at).ok_or(self.at)? {
                b'"' => break,
                b'\\' => {
                    self.at += 1;
                    match *self.bytes.get(self.at).ok_or(self.at)? {
                        byte @ (b'"' | b'\\' | b'/') => out.push(byte),
                        _ => return Err(self.at),
                    }
                }
                byte => out.push(byte),
            }
            self.at += 1;
        }
        self.at += 1;
        String::from_utf8(out).map_err(|_| self.at)
    }
}
