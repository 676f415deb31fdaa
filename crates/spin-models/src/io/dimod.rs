//! JSON as dimod writes it: BQM schema 3.0.0, and the plain form with `linear` and `quadratic` objects.

use std::collections::HashMap;
use std::io::Write;

use super::error::{Parsed, quote};
use super::instance::{Format, Instance, Label, Sign};
use super::json::{Document, Node, Value, escaped};
use super::members::{self, write_members};
use super::polynomial::{Domain, Polynomial};
use crate::{EnergyModel, Error, Result};

/// Members by which such a file is told from bqpjson.
pub(super) const MARKS: [&str; 5] = ["linear", "linear_biases", "quadratic_biases", "vartype", "variable_type"];

/// Members that are read into the model or follow from it.
const KNOWN: [&str; 19] = [
    "type",
    "version",
    "use_bytes",
    "index_type",
    "bias_type",
    "num_variables",
    "num_interactions",
    "variable_labels",
    "variable_type",
    "vartype",
    "offset",
    "info",
    "linear",
    "quadratic",
    "linear_biases",
    "quadratic_biases",
    "quadratic_head",
    "quadratic_tail",
    "basetype",
];

/// Reads a document in either form; they are described in `docs/formats/dimod.md`.
pub(super) fn read(document: &Document, sign: Sign) -> Result<Instance> {
    let root = &document.root;
    document.object(root)?;
    if let Some(kind) = root.get("type")
        && document.string(kind)? != "BinaryQuadraticModel"
    {
        return Err(document.unexpected(kind, "\"BinaryQuadraticModel\"").into());
    }
    let schema = root.get("linear_biases").is_some() || root.get("variable_labels").is_some();
    let domain = domain(document, if schema { "variable_type" } else { "vartype" }, sign)?;
    let offset = root.get("offset").map_or(Ok(0.0), |node| document.number(node))?;
    let Terms { labels, linear, quadratic } =
        if schema { schema_terms(document, sign)? } else { plain_terms(document, sign)? };

    let n = labels.len();
    let mut metadata = Vec::new();
    let mut positions = None;
    if let Some(node) = root.get("info") {
        document.object(node)?;
        (metadata, positions) = members::metadata(document, node, n);
    }
    let mut model = Polynomial { n, domain, offset, linear, quadratic }.into_ising(sign)?;
    if let Some(positions) = positions {
        model = model.with_positions(positions)?;
    }
    let extra = members::others(document, &KNOWN);
    Ok(Instance { labels, format: Format::Dimod, metadata, extra, ..Instance::new(model) })
}

fn domain(document: &Document, key: &str, sign: Sign) -> Parsed<Domain> {
    let root = &document.root;
    // Either name serves in either form.
    let node = match root.get("variable_type").or(root.get("vartype")) {
        Some(node) => node,
        None => document.require(root, key)?,
    };
    match document.string(node)? {
        "SPIN" => Ok(Domain::Spin),
        "BINARY" if sign == Sign::MaxCut => Err(document.unexpected(node, "\"SPIN\": Max-Cut weights belong to spins")),
        "BINARY" => Ok(Domain::Boolean),
        _ => Err(document.unexpected(node, "\"SPIN\" or \"BINARY\"")),
    }
}

struct Terms {
    labels: Vec<Label>,
    linear: Vec<(usize, f64)>,
    quadratic: Vec<(usize, usize, f64)>,
}

/// Variables with their biases as parallel arrays: schema 3.0.0.
fn schema_terms(document: &Document, sign: Sign) -> Result<Terms> {
    let root = &document.root;
    if let Some(schema) = root.get("version").and_then(|version| version.get("bqm_schema"))
        && document.string(schema)? != "3.0.0"
    {
        return Err(document.unexpected(schema, "\"3.0.0\"").into());
    }
    if let Some(node) = root.get("use_bytes")
        && !matches!(node.value, Value::Bool(false))
    {
        return Err(document.unexpected(node, "false: biases as JSON numbers").into());
    }
    let linear_node = document.require(root, "linear_biases")?;
    let mut linear = Vec::new();
    for (i, node) in document.array(linear_node)?.iter().enumerate() {
        members::refuse_field(document, node, sign)?;
        linear.push((i, document.number(node)?));
    }
    let n = linear.len();
    if n == 0 {
        return Err(document.unexpected(linear_node, "at least one linear bias").into());
    }
    let same_length = |node: &Node, got: usize, expected: usize, of: &str| {
        if got == expected {
            Ok(())
        } else {
            Err(document.error_at(node.start, format_args!("{got} entries"), format_args!("{expected}, one for {of}")))
        }
    };
    let labels_node = document.require(root, "variable_labels")?;
    let mut labels = Vec::new();
    let mut seen: HashMap<Label, usize> = HashMap::new();
    for node in document.array(labels_node)? {
        let label = label(document, node)?;
        if let Some(at) = seen.insert(label.clone(), node.start) {
            let found = format!("the label {} again", quote(&label.to_string()));
            let expected = format!("every label once, as on line {}", document.line(at));
            return Err(document.error_at(node.start, found, expected).into());
        }
        labels.push(label);
    }
    same_length(labels_node, labels.len(), n, "every linear bias")?;

    let biases_node = document.require(root, "quadratic_biases")?;
    let biases = document.array(biases_node)?;
    let mut ends = [Vec::new(), Vec::new()];
    for (end, key) in ends.iter_mut().zip(["quadratic_head", "quadratic_tail"]) {
        let list = document.require(root, key)?;
        for node in document.array(list)? {
            let index = document.integer(node)?;
            match usize::try_from(index) {
                Ok(site) if site < n => end.push((site, node)),
                _ => {
                    return Err(document.unexpected(node, format_args!("a variable index from 0 to {}", n - 1)).into());
                }
            }
        }
        same_length(list, end.len(), biases.len(), "every quadratic bias")?;
    }
    let mut quadratic = Vec::new();
    let mut first: HashMap<(usize, usize), usize> = HashMap::new();
    for ((&(i, head), &(j, tail)), bias) in ends[0].iter().zip(&ends[1]).zip(biases) {
        if i == j {
            return Err(document.unexpected(tail, "another index than that of the head").into());
        }
        if let Some(at) = first.insert((i.min(j), i.max(j)), head.start) {
            let found = format!("the pair {i} {j} again");
            let expected = format!("every pair once, as on line {}", document.line(at));
            return Err(document.error_at(head.start, found, expected).into());
        }
        quadratic.push((i, j, document.number(bias)?));
    }
    for (key, count) in [("num_variables", n), ("num_interactions", quadratic.len())] {
        if let Some(node) = root.get(key)
            && usize::try_from(document.integer(node)?) != Ok(count)
        {
            return Err(document.unexpected(node, format_args!("{count}, the number of biases")).into());
        }
    }
    Ok(Terms { labels, linear, quadratic })
}

fn label(document: &Document, node: &Node) -> Parsed<Label> {
    match &node.value {
        Value::String(name) => Ok(Label::Text(name.clone())),
        Value::Number => document.integer(node).map(Label::Integer),
        // The depth is that of the document, which is limited.
        Value::Array(parts) => Ok(Label::Tuple(parts.iter().map(|part| label(document, part)).collect::<Parsed<_>>()?)),
        _ => Err(document.unexpected(node, "a label: an integer, a string or an array of labels")),
    }
}

/// Names with their biases as objects: `{"linear": {"a": -1.0}, "quadratic": {"a,b": 0.5}, …}`.
fn plain_terms(document: &Document, sign: Sign) -> Result<Terms> {
    let root = &document.root;
    let mut sites: HashMap<&str, usize> = HashMap::new();
    let mut names: Vec<&str> = Vec::new();
    let mut linear = Vec::new();
    let linear_node = document.require(root, "linear")?;
    for member in document.object(linear_node)? {
        members::refuse_field(document, &member.node, sign)?;
        // As in the keys of pairs, spaces around a name are not part of it.
        let name = member.key.trim();
        if sites.insert(name, names.len()).is_some() {
            let found = format!("the name {} again", quote(&member.key));
            return Err(document.error_at(member.at, found, "every name once, spaces around it apart").into());
        }
        linear.push((names.len(), document.number(&member.node)?));
        names.push(name);
    }
    let declared = names.len();
    let mut quadratic = Vec::new();
    let mut first: HashMap<(usize, usize), usize> = HashMap::new();
    let quadratic_members = root.get("quadratic").map_or(Ok(&[][..]), |node| document.object(node))?;
    for member in quadratic_members {
        let (head, tail) =
            split(document, &member.key, member.at, |name| sites.get(name).is_some_and(|&site| site < declared))?;
        // Names that appear in no linear term have no field.
        let [i, j] = [head, tail].map(|name| {
            *sites.entry(name).or_insert_with(|| {
                names.push(name);
                names.len() - 1
            })
        });
        if i == j {
            return Err(document.error_at(member.at, quote(&member.key), "a pair of two names").into());
        }
        if let Some(at) = first.insert((i.min(j), i.max(j)), member.at) {
            let found = format!("the pair {} again", quote(&member.key));
            let expected = format!("every pair once, as on line {}", document.line(at));
            return Err(document.error_at(member.at, found, expected).into());
        }
        quadratic.push((i, j, document.number(&member.node)?));
    }
    if names.is_empty() {
        return Err(document.unexpected(linear_node, "at least one variable").into());
    }
    let labels = names.into_iter().map(|name| Label::Text(name.to_owned())).collect();
    Ok(Terms { labels, linear, quadratic })
}

/// The two names of a key `a,b`. Several commas, and empty names, are cut where both names are
/// declared, if that is one place.
fn split<'k>(
    document: &Document,
    key: &'k str,
    at: usize,
    declared: impl Fn(&str) -> bool,
) -> Parsed<(&'k str, &'k str)> {
    let cuts: Vec<_> = key.match_indices(',').map(|(cut, _)| (key[..cut].trim(), key[cut + 1..].trim())).collect();
    if let [(head, tail)] = cuts[..]
        && !head.is_empty()
        && !tail.is_empty()
    {
        return Ok((head, tail));
    }
    let mut fitting = cuts.into_iter().filter(|&(head, tail)| declared(head) && declared(tail));
    match (fitting.next(), fitting.next()) {
        (Some(cut), None) => Ok(cut),
        _ => Err(document.error_at(at, quote(key), "two names of \"linear\" with a comma between")),
    }
}

/// Writes schema 3.0.0 with `use_bytes` false and SPIN variables.
///
/// Reading it with the same sign gives the same model, bit for bit. Positions and metadata go to `info`, and so do
/// comments, as its member `description`.
///
/// # Errors
/// [`Error::Unrepresentable`] for a label that is used twice, for two couplings of one pair and for a model with fields
/// under [`Sign::MaxCut`]; [`Error::WrongLength`] for labels; [`Error::Io`].
pub fn write_dimod(instance: &Instance, sign: Sign, mut writer: impl Write) -> Result<()> {
    let model = &instance.model;
    instance.check_labels()?;
    members::check_fields(model, sign, "a Max-Cut file")?;
    members::check_pairs(model, "dimod")?;
    let mut seen = HashMap::new();
    for (i, label) in instance.labels.iter().enumerate() {
        if let Some(first) = seen.insert(label, i) {
            let what = format!("the label {} for both spin {first} and spin {i}", quote(&label.to_string()));
            return Err(Error::Unrepresentable { format: "dimod", what });
        }
    }
    let join = |list: &mut dyn Iterator<Item = String>| list.collect::<Vec<_>>().join(", ");
    writeln!(writer, "{{\n  \"type\": \"BinaryQuadraticModel\",\n  \"version\": {{\"bqm_schema\": \"3.0.0\"}},")?;
    writeln!(writer, "  \"use_bytes\": false,\n  \"index_type\": \"int64\",\n  \"bias_type\": \"float64\",")?;
    writeln!(writer, "  \"num_variables\": {},", model.n_spins())?;
    writeln!(writer, "  \"num_interactions\": {},", model.n_couplings())?;
    writeln!(writer, "  \"variable_labels\": [{}],", join(&mut instance.labels.iter().map(label_text)))?;
    writeln!(writer, "  \"variable_type\": \"SPIN\",\n  \"offset\": {:?},", model.offset())?;
    for (key, text) in instance.extra.iter().filter(|(key, _)| !KNOWN.contains(&key.as_str())) {
        writeln!(writer, "  {}: {text},", escaped(key))?;
    }
    write!(writer, "  \"info\": ")?;
    let description = escaped(&instance.comments.join("\n"));
    let description = (!instance.comments.is_empty()).then_some(("description", description));
    write_members(&mut writer, instance, description)?;
    // A field of 0 is written without the sign that negation would give it.
    let bias = |h: f64| if h == 0.0 { 0.0 } else { sign.apply(h) };
    let linear = join(&mut model.fields().iter().map(|&h| format!("{:?}", bias(h))));
    writeln!(writer, ",\n  \"linear_biases\": [{linear}],")?;
    let quadratic = join(&mut model.couplings().map(|(_, _, coupling)| format!("{:?}", sign.apply(coupling))));
    writeln!(writer, "  \"quadratic_biases\": [{quadratic}],")?;
    writeln!(writer, "  \"quadratic_head\": [{}],", join(&mut model.couplings().map(|(i, _, _)| i.to_string())))?;
    writeln!(writer, "  \"quadratic_tail\": [{}]\n}}", join(&mut model.couplings().map(|(_, j, _)| j.to_string())))?;
    writer.flush()?;
    Ok(())
}

fn label_text(label: &Label) -> String {
    match label {
        Label::Integer(id) => id.to_string(),
        Label::Text(name) => escaped(name),
        Label::Tuple(parts) => format!("[{}]", parts.iter().map(label_text).collect::<Vec<_>>().join(", ")),
    }
}
