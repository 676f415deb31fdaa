//! Edge lists: `n m`, then m lines `i j w`.

use std::collections::HashMap;
use std::io::Write;

use super::error::{ParseError, quote};
use super::instance::{Format, Instance, Label, Sign};
use super::members;
use super::text::number;
use crate::{EnergyModel, Error, Ising, Result};

/// Vertices without an edge that a header may claim: memory stays bounded by the input, and this.
const ISOLATED: usize = 1 << 20;

/// A word of the input and the byte at which it begins.
#[derive(Clone, Copy)]
struct Word<'a> {
    at: usize,
    word: &'a str,
}

/// The words of one line.
struct Words<'a> {
    text: &'a str,
    at: usize,
    end: usize,
}

impl<'a> Words<'a> {
    fn next_word(&mut self) -> Option<Word<'a>> {
        let line = &self.text[self.at..self.end];
        let start = line.find(|c: char| !c.is_ascii_whitespace())?;
        let rest = &line[start..];
        let length = rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len());
        let at = self.at + start;
        self.at = at + length;
        Some(Word { at, word: &rest[..length] })
    }

    fn error(&self, at: usize, found: impl std::fmt::Display, expected: impl std::fmt::Display) -> Error {
        ParseError::at(self.text, at, found, expected).into()
    }

    fn expect(&mut self, expected: &str) -> Result<Word<'a>> {
        // The end of the line without its carriage return.
        let end = self.at + self.text[self.at..self.end].trim_end().len();
        self.next_word().ok_or_else(|| self.error(end, "end of line", expected))
    }

    fn count(&mut self, expected: &str) -> Result<(Word<'a>, usize)> {
        let word = self.expect(expected)?;
        let digits = word.word.bytes().all(|b| b.is_ascii_digit());
        match word.word.parse() {
            Ok(value) if digits => Ok((word, value)),
            _ => Err(self.error(word.at, quote(word.word), expected)),
        }
    }

    fn finish(&mut self) -> Result<()> {
        match self.next_word() {
            None => Ok(()),
            Some(word) => Err(self.error(word.at, quote(word.word), "end of line")),
        }
    }
}

/// The text of a comment line, if it is one.
fn comment(line: &str) -> Option<&str> {
    let line = line.trim();
    let text = line.strip_prefix(['#', '%']).or_else(|| {
        let text = line.strip_prefix('c')?;
        (text.is_empty() || text.starts_with([' ', '\t'])).then_some(text)
    })?;
    Some(text.strip_prefix(' ').unwrap_or(text))
}

/// `position i x y [z]` of a comment, sites from 1.
fn position(comment: &str) -> Option<(usize, [f64; 3])> {
    let mut words = comment.split_ascii_whitespace();
    if words.next()? != "position" {
        return None;
    }
    let site = words.next()?.parse().ok()?;
    let mut place = [0.0; 3];
    let mut given = 0;
    for word in words {
        let x: f64 = word.parse().ok()?;
        *place.get_mut(given)? = x;
        given += 1;
    }
    (given >= 2 && place.iter().all(|x| x.is_finite())).then_some((site, place))
}

/// Positions, if the comments give one for every site; these comments are then used up.
fn take_positions(n: usize, comments: &mut Vec<String>) -> Option<Vec<[f64; 3]>> {
    let given: Vec<_> = comments.iter().filter_map(|text| position(text)).collect();
    if given.len() != n {
        return None;
    }
    let mut positions = vec![None; n];
    for (site, place) in given {
        let slot = positions.get_mut(site.checked_sub(1)?)?;
        if slot.replace(place).is_some() {
            return None;
        }
    }
    comments.retain(|text| position(text).is_none());
    positions.into_iter().collect()
}

struct Header<'a> {
    n: usize,
    n_word: Word<'a>,
    m: usize,
    line: usize,
}

/// Reads an edge list; the grammar is in `docs/formats/edge_list.md`.
pub(super) fn read(text: &str, format: Format, sign: Sign) -> Result<Instance> {
    let mut comments = Vec::new();
    let mut header: Option<Header> = None;
    let mut couplings: Vec<(usize, usize, f64)> = Vec::new();
    let mut first_line: HashMap<(usize, usize), usize> = HashMap::new();
    let mut end = 0;
    for (k, line) in text.split_inclusive('\n').enumerate() {
        let mut words = Words { text, at: end, end: end + line.len() };
        end += line.len();
        if let Some(comment) = comment(line) {
            comments.push(comment.to_owned());
            continue;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let Some(header) = &header else {
            let (n_word, n) = words.count("the number of vertices")?;
            if n == 0 || n > u32::MAX as usize {
                return Err(words.error(n_word.at, quote(n_word.word), "a number of vertices from 1 to 4294967295"));
            }
            let (_, m) = words.count("the number of edges")?;
            words.finish()?;
            header = Some(Header { n, n_word, m, line: k + 1 });
            continue;
        };
        let (first, i) = vertex(&mut words, header.n)?;
        if couplings.len() == header.m {
            let expected = format!("no more than the {} edges that line {} announces", header.m, header.line);
            return Err(words.error(first.at, format_args!("edge {}", header.m + 1), expected));
        }
        let (second, j) = vertex(&mut words, header.n)?;
        if i == j {
            return Err(words.error(second.at, quote(second.word), "another vertex: an edge joins two"));
        }
        let weight = match words.next_word() {
            None => 1.0,
            Some(word) => match word.word.parse::<f64>() {
                Ok(weight) if weight.is_finite() => weight,
                _ => return Err(words.error(word.at, quote(word.word), "a finite weight")),
            },
        };
        words.finish()?;
        let pair = (i.min(j), i.max(j));
        if let Some(line) = first_line.insert(pair, k + 1) {
            let found = format!("the pair {} {} again", i + 1, j + 1);
            return Err(words.error(first.at, found, format_args!("every pair once, as on line {line}")));
        }
        couplings.push((pair.0, pair.1, sign.apply(weight)));
    }
    let Some(Header { n, n_word, m, line }) = header else {
        return Err(
            ParseError::at(text, text.len(), "end of input", "a line with the numbers of vertices and edges").into()
        );
    };
    if couplings.len() < m {
        let found = format!("end of input after {} edges", couplings.len());
        return Err(ParseError::at(text, text.len(), found, format_args!("{m} edges, as line {line} announces")).into());
    }
    if n > 2 * m + ISOLATED {
        let expected = format!("at most {ISOLATED} vertices more than the ends of {m} edges");
        return Err(ParseError::at(text, n_word.at, quote(n_word.word), expected).into());
    }
    let mut model = Ising::builder(n).couplings(couplings).build()?;
    if let Some(positions) = take_positions(n, &mut comments) {
        model = model.with_positions(positions)?;
    }
    Ok(Instance { format, comments, ..Instance::new(model) })
}

/// A vertex from 1 to n, counted from 0.
fn vertex<'a>(words: &mut Words<'a>, n: usize) -> Result<(Word<'a>, usize)> {
    let expected = format!("a vertex from 1 to {n}");
    let (word, vertex) = words.count(&expected)?;
    if (1..=n).contains(&vertex) {
        Ok((word, vertex - 1))
    } else {
        Err(words.error(word.at, quote(word.word), expected))
    }
}

/// Writes an edge list: comments, positions as comments, `n m`, and a line `i j w` a coupling.
///
/// Reading it with the same sign gives the same model, bit for bit. Labels other than 1 to n are listed in comments
/// `label i name`, which are read back as comments only.
///
/// # Errors
/// [`Error::Unrepresentable`] for a model with fields, with a constant, with two couplings of one pair, or with more than 2²⁰ spins beyond the ends of
/// its couplings; [`Error::WrongLength`] for labels; [`Error::Io`].
pub fn write_edge_list(instance: &Instance, sign: Sign, mut writer: impl Write) -> Result<()> {
    let model = &instance.model;
    let refuse = |what| Err(Error::Unrepresentable { format: "an edge list", what });
    instance.check_labels()?;
    if let Some(site) = model.fields().iter().position(|&h| h != 0.0) {
        return refuse(format!("the field {:?} of spin {site}", model.fields()[site]));
    }
    if model.offset() != 0.0 {
        return refuse(format!("the constant {:?}", model.offset()));
    }
    members::check_pairs(model, "an edge list")?;
    let (n, m) = (model.n_spins(), model.n_couplings());
    if n > 2 * m + ISOLATED {
        return refuse(format!("{n} spins with {m} couplings"));
    }
    // Positions in comments would count with those of the model.
    let stale = |line: &str| model.positions().is_some() && position(line).is_some();
    for line in instance.comments.iter().flat_map(|comment| comment.split('\n')).filter(|line| !stale(line)) {
        writeln!(writer, "{}", format!("# {}", line.trim_end()).trim_end())?;
    }
    for (i, label) in instance.labels.iter().enumerate() {
        if *label != Label::Integer(i as i64 + 1) {
            let name = label.to_string().replace(char::is_control, " ");
            writeln!(writer, "# label {} {}", i + 1, name.trim_end())?;
        }
    }
    for (i, place) in model.positions().into_iter().flatten().enumerate() {
        let [x, y, z] = place.map(number);
        let z = if place[2].to_bits() == 0 { String::new() } else { format!(" {z}") };
        writeln!(writer, "# position {} {x} {y}{z}", i + 1)?;
    }
    writeln!(writer, "{n} {m}")?;
    for (i, j, coupling) in model.couplings() {
        writeln!(writer, "{} {} {}", i + 1, j + 1, number(sign.apply(coupling)))?;
    }
    writer.flush()?;
    Ok(())
}
