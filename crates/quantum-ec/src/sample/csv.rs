//! The table of counts as comma-separated values, as sinter writes and reads it.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};

use spin_models::io::ParseError;

use super::row::Row;
use crate::error::Result;
use crate::io::lines::{Lines, quote};

const COLUMNS: [&str; 8] =
    ["shots", "errors", "discards", "seconds", "decoder", "strong_id", "json_metadata", "custom_counts"];

/// Writes a header and a line a row; sinter's `combine` and `plot` read it.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io).
pub fn write_csv(rows: &[Row], mut writer: impl Write) -> Result<()> {
    writeln!(writer, "{}", COLUMNS.join(","))?;
    for row in rows {
        let counts = if row.custom_counts.is_empty() {
            String::new()
        } else {
            let list: Vec<String> = row.custom_counts.iter().map(|(name, n)| format!("{}:{n}", json(name))).collect();
            field(&format!("{{{}}}", list.join(",")))
        };
        let metadata = if row.json_metadata.trim().is_empty() { "null" } else { &row.json_metadata };
        writeln!(
            writer,
            "{},{},{},{:?},{},{},{},{counts}",
            row.shots,
            row.errors,
            row.discards,
            row.seconds,
            field(&row.decoder),
            field(&row.strong_id),
            field(metadata),
        )?;
    }
    writer.flush()?;
    Ok(())
}

/// A field, in quotes where it needs them. Line ends become spaces: a row is a line, and JSON means the same.
fn field(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
    if text.contains([',', '"']) || text.starts_with(' ') || text.ends_with(' ') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

fn json(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out + "\""
}

/// Reads rows; the columns may be in any order, padded with spaces, and `custom_counts` may be missing.
///
/// ```
/// use quantum_ec::sample::{read_csv, write_csv};
///
/// let file = "     shots,errors,discards,seconds,decoder,strong_id,json_metadata,custom_counts
///       1000,    20,       0,   1.25,lookup,1f,\"{\"\"d\"\":3,\"\"p\"\":0.1}\",
/// ";
/// let rows = read_csv(file.as_bytes())?;
/// assert_eq!((rows[0].shots, rows[0].rate()), (1000, 0.02));
/// assert_eq!(rows[0].json_metadata, r#"{"d":3,"p":0.1}"#);
/// # Ok::<(), quantum_ec::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parse`](crate::Error::Parse) with line and column for a missing column, a field that is not what its column
/// holds, more errors and discards than shots, and rows of another length; [`Error::Io`](crate::Error::Io).
pub fn read_csv(reader: impl BufRead) -> Result<Vec<Row>> {
    Ok(read_numbered_csv(reader)?.into_iter().map(|(_, row)| row).collect())
}

/// The same with the line of each row, from 1, for messages about rows that do not belong together.
///
/// ```
/// use quantum_ec::sample::read_numbered_csv;
///
/// let file = "shots,errors,discards,seconds,decoder,strong_id,json_metadata\n\n1000,20,0,1.25,lookup,1f,null\n";
/// let rows = read_numbered_csv(file.as_bytes())?;
/// assert_eq!((rows.len(), rows[0].0, rows[0].1.shots), (1, 3, 1000));
/// # Ok::<(), quantum_ec::Error>(())
/// ```
///
/// # Errors
/// As [`read_csv`].
pub fn read_numbered_csv(reader: impl BufRead) -> Result<Vec<(usize, Row)>> {
    let mut lines = Lines::new(reader);
    let mut places: Option<[Option<usize>; 8]> = None;
    let mut width = 0;
    let mut rows = Vec::new();
    while let Some((number, line)) = lines.next_line()? {
        if line.trim().is_empty() {
            continue;
        }
        let fields = split(line, number)?;
        let Some(places) = &places else {
            width = fields.len();
            places = Some(header(&fields, number)?);
            continue;
        };
        if fields.len() != width {
            let found = format!("{} fields", fields.len());
            return Err(error(number, 1, found, format!("{width}, as in the header")).into());
        }
        rows.push((number, read_row(&fields, places, number)?));
    }
    match places {
        Some(_) => Ok(rows),
        None => {
            let (line, column) = lines.end();
            Err(error(line, column, "the end of the file".to_owned(), format!("the columns {}", COLUMNS.join(", ")))
                .into())
        }
    }
}

type Parsed<T> = std::result::Result<T, ParseError>;

fn error(line: usize, column: usize, found: String, expected: impl Into<String>) -> ParseError {
    ParseError { line, column, found, expected: expected.into() }
}

struct Field {
    column: usize,
    text: String,
}

fn split(line: &str, number: usize) -> Parsed<Vec<Field>> {
    let mut fields = Vec::new();
    let mut rest = line.chars().enumerate().peekable();
    loop {
        while rest.next_if(|&(_, c)| c == ' ').is_some() {}
        let column = rest.peek().map_or(line.chars().count(), |&(at, _)| at) + 1;
        let mut text = String::new();
        if rest.next_if(|&(_, c)| c == '"').is_some() {
            loop {
                match rest.next() {
                    None => {
                        let found = "the end of the line".to_owned();
                        return Err(error(number, line.chars().count() + 1, found, "the closing quote of this field"));
                    }
                    Some((_, '"')) if rest.next_if(|&(_, c)| c == '"').is_some() => text.push('"'),
                    Some((_, '"')) => break,
                    Some((_, c)) => text.push(c),
                }
            }
            while rest.next_if(|&(_, c)| c == ' ').is_some() {}
        } else {
            while let Some((_, c)) = rest.next_if(|&(_, c)| c != ',') {
                text.push(c);
            }
            text.truncate(text.trim_end().len());
        }
        fields.push(Field { column, text });
        match rest.next() {
            None => return Ok(fields),
            Some((_, ',')) => {}
            Some((at, c)) => return Err(error(number, at + 1, quote(&c.to_string()), "\",\" after a quoted field")),
        }
    }
}

fn header(fields: &[Field], number: usize) -> Parsed<[Option<usize>; 8]> {
    let places = COLUMNS.map(|name| fields.iter().position(|field| field.text == name));
    // The last may be missing.
    match places[..7].iter().position(Option::is_none) {
        None => Ok(places),
        Some(missing) => {
            let found = format!("no column {:?}", COLUMNS[missing]);
            Err(error(number, 1, found, format!("the columns {}", COLUMNS[..7].join(", "))))
        }
    }
}

fn read_row(fields: &[Field], places: &[Option<usize>; 8], number: usize) -> Parsed<Row> {
    let get = |k: usize| places[k].map(|at| &fields[at]);
    let text = |k: usize| get(k).map_or_else(String::new, |field| field.text.clone());
    let wrong = |k: usize, expected: &str| match get(k) {
        Some(field) => error(number, field.column, quote(&field.text), expected),
        None => error(number, 1, "nothing".to_owned(), expected),
    };
    let count = |k: usize| text(k).parse::<u64>().map_err(|_| wrong(k, "a whole number from 0"));
    let row = Row {
        shots: count(0)?,
        errors: count(1)?,
        discards: count(2)?,
        seconds: text(3)
            .parse()
            .ok()
            .filter(|x: &f64| x.is_finite() && *x >= 0.0)
            .ok_or_else(|| wrong(3, "a number of seconds from 0"))?,
        decoder: text(4),
        strong_id: text(5),
        json_metadata: text(6),
        custom_counts: counts(&text(7)).ok_or_else(|| wrong(7, "nothing, or a JSON object of whole numbers"))?,
    };
    if row.errors.checked_add(row.discards).is_none_or(|sum| sum > row.shots) {
        return Err(wrong(1, "no more errors and discards together than shots"));
    }
    Ok(row)
}

/// A flat JSON object of whole numbers.
fn counts(text: &str) -> Option<BTreeMap<String, u64>> {
    let mut counts = BTreeMap::new();
    let text = text.trim();
    if text.is_empty() {
        return Some(counts);
    }
    let mut rest = text.strip_prefix('{')?.strip_suffix('}')?.trim();
    while !rest.is_empty() {
        let (name, after) = string(rest)?;
        let after = after.trim_start().strip_prefix(':')?.trim_start();
        let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        if counts.insert(name, after[..end].parse().ok()?).is_some() {
            return None;
        }
        rest = after[end..].trim_start();
        if !rest.is_empty() {
            rest = rest.strip_prefix(',')?.trim_start();
            // No comma at the end.
            if rest.is_empty() {
                return None;
            }
        }
    }
    Some(counts)
}

/// A JSON string at the beginning and what follows it.
fn string(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut rest = text.strip_prefix('"')?;
    loop {
        let c = rest.chars().next()?;
        rest = &rest[c.len_utf8()..];
        match c {
            '"' => return Some((out, rest)),
            '\\' => {
                let escape = rest.chars().next()?;
                rest = &rest[escape.len_utf8()..];
                out.push(match escape {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    '"' | '\\' | '/' => escape,
                    'u' => {
                        let digits = rest.get(..4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
                        rest = &rest[4..];
                        // Halves of pairs beyond the basic plane are refused.
                        char::from_u32(u32::from_str_radix(digits, 16).ok()?)?
                    }
                    _ => return None,
                });
            }
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "shots,errors,discards,seconds,decoder,strong_id,json_metadata,custom_counts\n";

    #[test]
    fn written_rows_read_back() {
        let row = Row {
            shots: 10,
            errors: 2,
            discards: 1,
            seconds: 0.1 + 0.2,
            decoder: "a, \"b\"".to_owned(),
            strong_id: " x".to_owned(),
            json_metadata: "{\"d\":[3,\"λ\"]}".to_owned(),
            custom_counts: [("a\"\\\n".to_owned(), 7), ("b".to_owned(), 0)].into(),
        };
        let rows = [row.clone(), Row { json_metadata: "null".to_owned(), ..Row::default() }, row];
        let mut file = Vec::new();
        write_csv(&rows, &mut file).unwrap();
        assert_eq!(read_csv(&file[..]).unwrap(), rows);
    }

    #[test]
    fn errors_have_places() {
        for (line, message) in [
            ("1,0,0,0,x,y,1", "line 2, column 1: found 7 fields, expected 8, as in the header"),
            ("1, -2,0,0,x,y,1,", "line 2, column 4: found \"-2\", expected a whole number from 0"),
            ("1,0,0,nan,x,y,1,", "line 2, column 7: found \"nan\", expected a number of seconds from 0"),
            (
                "1,1,1,0,x,y,1,",
                "line 2, column 3: found \"1\", expected no more errors and discards together than shots",
            ),
            (
                "1,0,0,0,\"x,y,1,",
                "line 2, column 16: found the end of the line, expected the closing quote of this field",
            ),
            ("1,0,0,0,\"x\"z,y,1,", "line 2, column 12: found \"z\", expected \",\" after a quoted field"),
            (
                "1,0,0,0,x,y,1,{1}",
                "line 2, column 15: found \"{1}\", expected nothing, or a JSON object of whole numbers",
            ),
        ] {
            assert_eq!(read_csv(format!("{HEADER}{line}\n").as_bytes()).unwrap_err().to_string(), message, "{line}");
        }
        assert_eq!(
            read_csv(&b"shots,errors\n"[..]).unwrap_err().to_string(),
            "line 1, column 1: found no column \"discards\", expected the columns shots, errors, discards, seconds, decoder, \
             strong_id, json_metadata"
        );
        assert!(read_csv(&b""[..]).is_err());
    }
}
