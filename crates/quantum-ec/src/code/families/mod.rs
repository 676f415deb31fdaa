//! Families of codes and their names.

mod bivariate_bicycle;
mod color;
mod product;
mod small;
mod surface;
mod toric;

pub use bivariate_bicycle::{BIVARIATE_BICYCLES, bivariate_bicycle, published_bivariate_bicycle};
pub use color::{color_488, color_666};
pub use product::{hypergraph_product, lifted_product};
pub use small::{five_qubit, reed_muller, repetition, shor, steane};
pub use surface::{rotated_surface, unrotated_surface, xzzx};
pub use toric::{toric, toric_3d};

use super::stabilizer::StabilizerCode;
use crate::error::{Error, Result};

/// The names that [`parse`] knows, with their parameters.
pub const NAMES: &str = "repetition:D, unrotated-surface:D, rotated-surface:D, toric:L, xzzx:D, color-666:D, \
    color-488:D, bb:N,K,D, five-qubit, steane, shor, reed-muller, toric-3d:L";

/// Qubits that a code by name may have.
const MAX_QUBITS: usize = super::css::MOST;

/// The code with a name such as `rotated-surface:5`.
///
/// | name | parameters |
/// |---|---|
/// | `repetition:D` | [[D, 1]], distance D against X alone |
/// | `unrotated-surface:D` | [[D² + (D-1)², 1, D]] |
/// | `rotated-surface:D`, `xzzx:D` | [[D², 1, D]] |
/// | `toric:L` | [[2L², 2, L]] |
/// | `color-666:D` | [[(3D² + 1)/4, 1, D]], D odd |
/// | `color-488:D` | [[(D² + 2D - 1)/2, 1, D]], D odd |
/// | `bb:N,K,D` | [[N, K, D]], one of [`BIVARIATE_BICYCLES`] |
/// | `five-qubit`, `steane`, `shor` | [[5, 1, 3]], [[7, 1, 3]], [[9, 1, 3]] |
/// | `reed-muller` | [[15, 1, 3]] |
/// | `toric-3d:L` | [[3L³, 3, L]] |
///
/// # Errors
/// [`Error::UnknownName`] with the list of names, [`Error::Parameter`] for parameters that the family does not have.
///
/// ```
/// use quantum_ec::code;
///
/// let code = code::parse("rotated-surface:5")?;
/// assert_eq!((code.n_qubits(), code.n_logical(), code.n_generators()), (25, 1, 24));
/// assert!(code::parse("rotated-surface:1").unwrap_err().to_string().starts_with("distance is 1, expected"));
/// assert!(code::parse("rotaded:5").unwrap_err().to_string().contains("expected one of repetition:D, "));
/// # Ok::<(), quantum_ec::Error>(())
/// ```
pub fn parse(text: &str) -> Result<StabilizerCode> {
    let (name, parameters) = text.split_once(':').map_or((text, None), |(name, rest)| (name, Some(rest)));
    let n_parameters = match name {
        "five-qubit" | "steane" | "shor" | "reed-muller" => 0,
        "repetition" | "unrotated-surface" | "rotated-surface" | "toric" | "xzzx" | "color-666" | "color-488"
        | "toric-3d" => 1,
        "bb" => 3,
        _ => return Err(Error::UnknownName { what: "code", name: text.to_owned(), known: NAMES.to_owned() }),
    };
    let numbers = parameters.map_or(Ok(Vec::new()), |rest| {
        rest.split(',')
            .map(|number| match number.parse::<usize>() {
                Ok(value) if number.bytes().all(|b| b.is_ascii_digit()) => Ok(value),
                _ => Err(Error::Parameter {
                    what: "parameter of a code",
                    value: format!("{number:?}"),
                    expected: "a positive integer",
                }),
            })
            .collect::<Result<Vec<usize>>>()
    })?;
    if numbers.len() != n_parameters {
        return Err(Error::WrongLength { what: "parameters of a code", got: numbers.len(), expected: n_parameters });
    }
    // Every family names its members itself, without leading zeros.
    Ok(match (name, numbers.first().copied().unwrap_or(0)) {
        ("repetition", d) => repetition(d)?.into(),
        ("unrotated-surface", d) => unrotated_surface(d)?.into(),
        ("rotated-surface", d) => rotated_surface(d)?.into(),
        ("toric", l) => toric(l)?.into(),
        ("xzzx", d) => xzzx(d)?,
        ("color-666", d) => color_666(d)?.into(),
        ("color-488", d) => color_488(d)?.into(),
        ("toric-3d", l) => toric_3d(l)?.into(),
        ("bb", n) => published_bivariate_bicycle(n, numbers[1], numbers[2])?.into(),
        ("five-qubit", _) => five_qubit()?,
        ("steane", _) => steane()?.into(),
        ("shor", _) => shor()?.into(),
        _ => reed_muller(4)?.into(),
    })
}

/// Refuses sizes below `least` or with more qubits than a code may have.
fn check_size(what: &'static str, value: usize, least: usize, qubits: impl Fn(usize) -> usize) -> Result<()> {
    // The test on the size itself keeps the formula from overflowing.
    if value < least || value > MAX_QUBITS || qubits(value) > MAX_QUBITS {
        return Err(Error::Parameter {
            what,
            value: value.to_string(),
            expected: match least {
                2 => "at least 2, and at most 20000 qubits",
                _ => "at least 3, and at most 20000 qubits",
            },
        });
    }
    Ok(())
}

/// Refuses an even distance.
fn check_odd(d: usize) -> Result<()> {
    if d.is_multiple_of(2) {
        return Err(Error::Parameter { what: "distance", value: d.to_string(), expected: "an odd number" });
    }
    Ok(())
}
