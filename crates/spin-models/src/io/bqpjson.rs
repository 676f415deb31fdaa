//! bqpjson 1.0.0.

use std::collections::HashMap;
use std::io::Write;

use super::error::{Parsed, quote};
use super::instance::{Format, Instance, Label, Sign};
use super::json::{Document, Node, escaped};
use super::members::{self, write_members};
use super::polynomial::{Domain, Polynomial};
use crate::{Error, Result};

/// Members by which such a file is told from dimod's.
pub(super) const MARKS: [&str; 4] = ["variable_ids", "variable_domain", "linear_terms", "quadratic_terms"];

/// Members that are read into the model, or that refer to the numbers of the file.
const KNOWN: [&str; 10] = [
    "version",
    "metadata",
    "variable_ids",
    "variable_domain",
    "scale",
    "offset",
    "linear_terms",
    "quadratic_terms",
    "description",
    "solutions",
];

/// Reads a document; the format is described in `docs/formats/bqpjson.md`.
pub(super) fn read(document: &Document, sign: Sign) -> Result<Instance> {
    let root = &document.root;
    document.object(root)?;
    if let Some(version) = root.get("version") {
        let known = document.string(version)?.split('.').next().is_some_and(|major| matches!(major, "0" | "1"));
        if !known {
            return Err(document.unexpected(version, "a version from 0 to 1, for example \"1.0.0\"").into());
        }
    }
    let domain = document.require(root, "variable_domain")?;
    let domain = match document.string(domain)? {
        "spin" => Domain::Spin,
        "boolean" if sign == Sign::MaxCut => {
            return Err(document.unexpected(domain, "\"spin\": Max-Cut weights belong to spins").into());
        }
        "boolean" => Domain::Boolean,
        _ => return Err(document.unexpected(domain, "\"spin\" or \"boolean\"").into()),
    };
    let scale = root.get("scale").map_or(Ok(1.0), |node| document.number(node))?;
    let scaled = |node: &Node| -> Parsed<f64> {
        let value = scale * document.number(node)?;
        if value.is_finite() {
            Ok(value)
        } else {
            Err(document.unexpected(node, format_args!("a number that stays finite times the scale {scale:?}")))
        }
    };
    let offset = root.get("offset").map_or(Ok(0.0), scaled)?;
    let ids = Ids::read(document, document.require(root, "variable_ids")?)?;

    let mut linear = Vec::new();
    let mut first: HashMap<usize, usize> = HashMap::new();
    for term in document.array(document.require(root, "linear_terms")?)? {
        let id = document.require(term, "id")?;
        let i = ids.site(document, id)?;
        if let Some(at) = first.insert(i, term.start) {
            let found = format!("a second linear term of {}", document.raw(id));
            let expected = format!("one term an id, as on line {}", document.line(at));
            return Err(document.error_at(id.start, found, expected).into());
        }
        let coefficient = document.require(term, "coeff")?;
        members::refuse_field(document, coefficient, sign)?;
        linear.push((i, scaled(coefficient)?));
    }

    let mut quadratic = Vec::new();
    let mut first: HashMap<(usize, usize), usize> = HashMap::new();
    for term in document.array(document.require(root, "quadratic_terms")?)? {
        let (tail, head) = (document.require(term, "id_tail")?, document.require(term, "id_head")?);
        let (i, j) = (ids.site(document, tail)?, ids.site(document, head)?);
        if i == j {
            return Err(document.unexpected(head, "another id than that of the tail").into());
        }
        // The format allows (tail, head) beside (head, tail); their coefficients add up.
        if let Some(at) = first.insert((i, j), term.start) {
            let found = format!("a second quadratic term of {} and {}", document.raw(tail), document.raw(head));
            let expected = format!("one term a tail and head, as on line {}", document.line(at));
            return Err(document.error_at(term.start, found, expected).into());
        }
        quadratic.push((i, j, scaled(document.require(term, "coeff")?)?));
    }

    let n = ids.labels.len();
    let mut metadata = Vec::new();
    let mut positions = None;
    if let Some(node) = root.get("metadata") {
        document.object(node)?;
        (metadata, positions) = members::metadata(document, node, n);
    }
    let description = root.get("description").map(|node| document.string(node)).transpose()?;
    let mut model = Polynomial { n, domain, offset, linear, quadratic }.into_ising(sign)?;
    if let Some(positions) = positions {
        model = model.with_positions(positions)?;
    }
    Ok(Instance {
        labels: ids.labels,
        format: Format::Bqpjson,
        comments: description.map(str::to_owned).into_iter().collect(),
        metadata,
        extra: members::others(document, &KNOWN),
        ..Instance::new(model)
    })
}

/// The declared ids and their numbers.
struct Ids {
    labels: Vec<Label>,
    sites: HashMap<i64, usize>,
}

impl Ids {
    fn read(document: &Document, node: &Node) -> Parsed<Self> {
        let mut ids = Self { labels: Vec::new(), sites: HashMap::new() };
        for id in document.array(node)? {
            let value = document.integer(id)?;
            if value < 0 {
                return Err(document.unexpected(id, "an id >= 0"));
            }
            if ids.sites.insert(value, ids.labels.len()).is_some() {
                return Err(document.error_at(id.start, format_args!("the id {value} again"), "every id once"));
            }
            ids.labels.push(Label::Integer(value));
        }
        if ids.labels.is_empty() {
            return Err(document.unexpected(node, "at least one variable id"));
        }
        Ok(ids)
    }

    fn site(&self, document: &Document, node: &Node) -> Parsed<usize> {
        let id = document.integer(node)?;
        self.sites.get(&id).copied().ok_or_else(|| document.unexpected(node, "an id listed in \"variable_ids\""))
    }
}

/// Writes bqpjson 1.0.0 in the spin domain with scale 1; fields of value 0 are left out.
///
/// Reading it with the same sign gives the same model, bit for bit. Comments become the description, positions a
/// member of the metadata.
///
/// # Errors
/// [`Error::Unrepresentable`] for a label that is not an integer >= 0 or is used twice, for two couplings of one pair, and
/// for a model with fields under [`Sign::MaxCut`]; [`Error::WrongLength`] for labels; [`Error::Io`].
pub fn write_bqpjson(instance: &Instance, sign: Sign, mut writer: impl Write) -> Result<()> {
    let model = &instance.model;
    instance.check_labels()?;
    members::check_fields(model, sign, "a Max-Cut file")?;
    members::check_pairs(model, "bqpjson")?;
    let mut ids = Vec::with_capacity(instance.labels.len());
    let mut seen = HashMap::new();
    for (i, label) in instance.labels.iter().enumerate() {
        let refuse = |what| Err(Error::Unrepresentable { format: "bqpjson", what });
        let Label::Integer(id @ 0..) = *label else {
            return refuse(format!("the label {} of spin {i}: ids are integers >= 0", quote(&label.to_string())));
        };
        if let Some(first) = seen.insert(id, i) {
            return refuse(format!("the label {id} for both spin {first} and spin {i}"));
        }
        ids.push(id);
    }
    let id = instance.extra.iter().find(|(key, _)| key == "id").map_or("0", |(_, text)| text);
    writeln!(writer, "{{\n  \"version\": \"1.0.0\",\n  \"id\": {id},")?;
    if !instance.comments.is_empty() {
        writeln!(writer, "  \"description\": {},", escaped(&instance.comments.join("\n")))?;
    }
    let extra = instance.extra.iter().filter(|(key, _)| key != "id" && !KNOWN.contains(&key.as_str()));
    for (key, text) in extra {
        writeln!(writer, "  {}: {text},", escaped(key))?;
    }
    write!(writer, "  \"metadata\": ")?;
    write_members(&mut writer, instance, None)?;
    writeln!(writer, ",\n  \"variable_domain\": \"spin\",\n  \"scale\": 1.0,\n  \"offset\": {:?},", model.offset())?;
    let list: Vec<String> = ids.iter().map(i64::to_string).collect();
    writeln!(writer, "  \"variable_ids\": [{}],", list.join(", "))?;
    let linear: Vec<String> = model
        .fields()
        .iter()
        .zip(&ids)
        .filter(|&(&h, _)| h != 0.0)
        .map(|(&h, id)| format!("\n    {{\"id\": {id}, \"coeff\": {:?}}}", sign.apply(h)))
        .collect();
    writeln!(writer, "  \"linear_terms\": [{}],", linear.join(","))?;
    let quadratic: Vec<String> = model
        .couplings()
        .map(|(i, j, coupling)| {
            let (tail, head) = (ids[i], ids[j]);
            let coefficient = sign.apply(coupling);
            format!("\n    {{\"id_tail\": {tail}, \"id_head\": {head}, \"coeff\": {coefficient:?}}}")
        })
        .collect();
    writeln!(writer, "  \"quadratic_terms\": [{}]\n}}", quadratic.join(","))?;
    writer.flush()?;
    Ok(())
}
