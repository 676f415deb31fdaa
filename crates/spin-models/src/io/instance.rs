//! An instance read from a file, and what is said about the file.

use std::fmt;
use std::io::BufRead;

use super::error::{ParseError, quote};
use super::text::read_text;
use super::{bqpjson, dimod, edge_list, json};
use crate::{EnergyModel, Error, Ising, Result};

/// The name of a spin in its file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Label {
    /// A number: 1 to n in edge lists, the variable id in bqpjson.
    Integer(i64),
    /// A name.
    Text(String),
    /// A list of labels, as dimod writes tuples, for example lattice coordinates.
    Tuple(Vec<Label>),
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(id) => write!(f, "{id}"),
            Self::Text(name) => f.write_str(name),
            Self::Tuple(parts) => {
                f.write_str("(")?;
                for (k, part) in parts.iter().enumerate() {
                    write!(f, "{}{part}", if k == 0 { "" } else { ", " })?;
                }
                f.write_str(")")
            }
        }
    }
}

/// What the numbers of a file mean for our energy `E = c - Σ J_ij s_i s_j - Σ h_i s_i`.
///
/// The same meaning is applied in every format, whatever is usual there: the caller says it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Sign {
    /// The numbers are J and h. Spin-glass files (`.sg`) are of this kind.
    #[default]
    Coupling,
    /// The numbers are weights w of Max-Cut: `J = -w`, no fields. The cut is then
    /// [`cut_value`](crate::Ising::cut_value).
    MaxCut,
    /// The numbers add to the energy, as in dimod and bqpjson: `J = -quadratic`, `h = -linear`.
    Dimod,
}

impl Sign {
    /// From a number of the file to a coupling or field, and back: its own inverse.
    pub(super) fn apply(self, number: f64) -> f64 {
        match self {
            Self::Coupling => number,
            Self::MaxCut | Self::Dimod => -number,
        }
    }
}

/// The syntax of an instance file; see the [module](super).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Format {
    /// `n m` and m lines `i j w`: G-set, rudy, `.mc`.
    EdgeList,
    /// bqpjson 1.0.0.
    Bqpjson,
    /// dimod's JSON: BQM schema 3.0.0, or plain `linear`, `quadratic`, `offset`, `vartype`.
    Dimod,
    /// `.sg`: the syntax of an edge list.
    SpinGlass,
    /// JSON if the first character is `{`, told apart by its members; else an edge list.
    #[default]
    Auto,
}

/// A model with what its file says beside it.
///
/// ```
/// use spin_models::io::{Format, Sign, read_instance};
/// use spin_models::EnergyModel;
///
/// let file = "# two bonds\n3 2\n1 2 1.5\n2 3 -1\n";
/// let instance = read_instance(file.as_bytes(), Format::Auto, Sign::Coupling)?;
/// assert_eq!(instance.comments, ["two bonds"]);
/// assert_eq!(instance.model.energy(&[1, 1, 1]), -0.5);
/// assert_eq!(instance.labels[2].to_string(), "3");
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Instance {
    /// The model, in our sign.
    pub model: Ising,
    /// The name of every spin in the file; writers ask for one each.
    pub labels: Vec<Label>,
    /// The syntax that was read.
    pub format: Format,
    /// Comment lines of an edge list without their marker; the description of a bqpjson file.
    pub comments: Vec<String>,
    /// Members of `metadata` (bqpjson) or `info` (dimod) with their values as JSON text, positions apart.
    pub metadata: Vec<(String, String)>,
    /// Other members of a JSON file that are not part of the model, with their values as JSON text. Solutions are
    /// left out: they refer to the numbers of the file.
    pub extra: Vec<(String, String)>,
}

impl Instance {
    /// A model with labels 1 to n and nothing beside it.
    ///
    /// ```
    /// use spin_models::io::{Instance, Sign, write_edge_list};
    /// use spin_models::Ising;
    ///
    /// let mut instance = Instance::new(Ising::builder(2).coupling(0, 1, -0.25).build()?);
    /// instance.comments.push("one bond".into());
    /// let mut file = Vec::new();
    /// write_edge_list(&instance, Sign::Coupling, &mut file)?;
    /// assert_eq!(file, b"# one bond\n2 1\n1 2 -0.25\n");
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    pub fn new(model: Ising) -> Self {
        let labels = (1..=model.n_spins() as i64).map(Label::Integer).collect();
        Self { model, labels, format: Format::Auto, comments: Vec::new(), metadata: Vec::new(), extra: Vec::new() }
    }

    /// Refuses a list of labels that is not one for every spin.
    pub(super) fn check_labels(&self) -> Result<()> {
        let (got, expected) = (self.labels.len(), self.model.n_spins());
        if got == expected { Ok(()) } else { Err(Error::WrongLength { what: "labels", got, expected }) }
    }
}

/// Reads an instance. The whole input is read; memory is proportional to its length.
///
/// ```
/// use spin_models::io::{Format, Sign, read_instance};
///
/// // A triangle as a Max-Cut instance: weights become negative couplings.
/// let file = "3 3\n1 2\n1 3\n2 3\n";
/// let triangle = read_instance(file.as_bytes(), Format::EdgeList, Sign::MaxCut)?;
/// assert_eq!(triangle.model.couplings().next(), Some((0, 1, -1.0)));
/// assert_eq!(triangle.model.cut_value(&[1, 1, -1]), 2.0);
///
/// let error = read_instance("3 1\n1 4 1.0".as_bytes(), Format::Auto, Sign::Coupling).unwrap_err();
/// assert_eq!(error.to_string(), "line 2, column 3: found \"4\", expected a vertex from 1 to 3");
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parse`] with line, column, what was found and what was expected; [`Error::Io`] if the input cannot be
/// read; [`Error::NotFinite`] if sums of finite numbers of the file overflow.
pub fn read_instance(reader: impl BufRead, format: Format, sign: Sign) -> Result<Instance> {
    let text = read_text(reader)?;
    match format {
        Format::EdgeList | Format::SpinGlass => edge_list::read(&text, format, sign),
        Format::Bqpjson => bqpjson::read(&json::parse(&text)?, sign),
        Format::Dimod => dimod::read(&json::parse(&text)?, sign),
        Format::Auto if text.trim_start().starts_with('{') => {
            let document = json::parse(&text)?;
            let has = |names: &[&str]| names.iter().any(|name| document.root.get(name).is_some());
            if has(&bqpjson::MARKS) {
                bqpjson::read(&document, sign)
            } else if has(&dimod::MARKS) {
                dimod::read(&document, sign)
            } else {
                let found = match document.root.members().first() {
                    Some(member) => format!("an object that begins with {}", quote(&member.key)),
                    None => "an empty object".into(),
                };
                let expected =
                    "the members of bqpjson (variable_ids, linear_terms, …) or of dimod (linear, vartype, …)";
                Err(ParseError::at(&text, document.root.start, found, expected).into())
            }
        }
        Format::Auto => edge_list::read(&text, Format::EdgeList, sign),
    }
}
