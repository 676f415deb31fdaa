//! Weights as safetensors files.

use std::io::{Read, Write};

use super::Bytes;
use super::json::{Value, parse};
use crate::error::check_length;
use crate::units::Unit;
use crate::{Error, Rbm, Result};

/// Names of the three tensors.
const NAMES: [&str; 3] = ["weights", "visible_bias", "hidden_bias"];

struct Tensor {
    shape: Vec<usize>,
    data: Vec<f64>,
}

/// Reads a machine: `weights` (hidden x visible), `visible_bias`, `hidden_bias`, each `F32` or `F64`; other tensors are passed over.
///
/// Metadata `visible` and `hidden`, as [`write_weights`] leaves them, must name the units asked for; files without metadata are taken
/// as they are. A transposed weight matrix is refused, unless both layers have the same size, where nobody can tell.
///
/// # Errors
/// [`Error::File`] with the byte for what is no such file, [`Error::WrongLength`] for shapes that do not fit together, and as
/// [`Rbm::new`]; [`Error::Io`].
pub fn read_weights<V: Unit, H: Unit>(
    mut source: impl Read,
    units: impl FnOnce(usize, usize) -> Result<(V, H)>,
) -> Result<Rbm<V, H>> {
    let mut bytes = Bytes::read("safetensors", &mut source)?;
    let len = bytes.take(8, "the length of the header")?;
    let len = u64::from_le_bytes([len[0], len[1], len[2], len[3], len[4], len[5], len[6], len[7]]);
    let header = bytes.take(usize::try_from(len).unwrap_or(usize::MAX), "the header")?;
    let header = match std::str::from_utf8(header) {
        Ok(text) => text.to_owned(),
        Err(error) => {
            let at = 8 + error.valid_up_to();
            return Err(bytes.error(at, "bytes that are not UTF-8", "a header in JSON"));
        }
    };
    let header = parse(&header).map_err(|at| {
        let found = header.get(at..).and_then(|rest| rest.chars().next());
        let found = found.map_or("the end of the header".to_owned(), |c| format!("{c:?}"));
        bytes.error(8 + at, found, "a header in JSON")
    })?;
    let mut tensors = Vec::new();
    for name in NAMES {
        tensors.push(tensor(&bytes, &header, name)?);
    }
    let [weights, visible, hidden] = &tensors[..] else { return Err(Error::Empty { what: "tensors" }) };
    for (what, tensor, dimensions) in [
        ("dimensions of weights", weights, 2),
        ("dimensions of visible_bias", visible, 1),
        ("dimensions of hidden_bias", hidden, 1),
    ] {
        check_length(what, tensor.shape.len(), dimensions)?;
    }
    check_length("rows of weights (hidden x visible)", weights.shape[0], hidden.data.len())?;
    check_length("columns of weights (hidden x visible)", weights.shape[1], visible.data.len())?;
    let (v, h) = units(visible.data.len(), hidden.data.len())?;
    for (key, name) in [("visible", v.name()), ("hidden", h.name())] {
        match header.get("__metadata__").and_then(|metadata| metadata.get(key)) {
            Some(Value::Text(found)) if found != name => {
                return Err(bytes.error(8, format!("{key} units {found:?}"), format!("{name:?}")));
            }
            _ => {}
        }
    }
    Rbm::new(v, h, weights.data.clone(), visible.data.clone(), hidden.data.clone())
}

fn tensor(bytes: &Bytes, header: &Value, name: &str) -> Result<Tensor> {
    let fail = |found: &str, expected: &str| bytes.error(8, format!("{name}: {found}"), expected);
    let Some(entry) = header.get(name) else {
        return Err(fail("no such tensor", "tensors weights, visible_bias and hidden_bias"));
    };
    let size = match entry.get("dtype") {
        Some(Value::Text(dtype)) if dtype == "F32" => 4,
        Some(Value::Text(dtype)) if dtype == "F64" => 8,
        other => return Err(fail(&format!("dtype {other:?}"), "F32 or F64")),
    };
    let numbers = |key: &str| match entry.get(key) {
        Some(Value::List(items)) => {
            let number = |item: &Value| if let Value::Number(n) = item { Some(*n) } else { None };
            items.iter().map(number).collect::<Option<Vec<usize>>>()
        }
        _ => None,
    };
    let (Some(shape), Some(offsets)) = (numbers("shape"), numbers("data_offsets")) else {
        return Err(fail("no shape or data_offsets", "lists of integers"));
    };
    let [start, end] = offsets[..] else { return Err(fail("data_offsets", "two integers")) };
    let data = &bytes.bytes[bytes.at..];
    let entries = shape.iter().try_fold(size, |n: usize, &d| n.checked_mul(d));
    if start > end || end > data.len() || entries != Some(end - start) {
        let found = format!("shape {shape:?} with data_offsets {offsets:?}");
        return Err(fail(&found, &format!("a range of {} bytes of data that the shape fills", data.len())));
    }
    let number = |x: &[u8]| match *x {
        [a, b, c, d] => f64::from(f32::from_le_bytes([a, b, c, d])),
        [a, b, c, d, e, f, g, h] => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => f64::NAN,
    };
    Ok(Tensor { shape, data: data[start..end].chunks_exact(size).map(number).collect() })
}

/// Writes a machine as `F32` tensors `weights` (hidden x visible), `visible_bias`, `hidden_bias`, with the kinds of units as
/// metadata.
///
/// Neither the offset is written nor what the units hold beside their kind: precisions of Gaussian units, the q of Potts and the n of
/// binomial units, γ and θ of rectified ones. Who reads the file gives them to [`read_weights`].
///
/// ```
/// use boltzmann::Rbm;
/// use boltzmann::io::{read_weights, write_weights};
/// use boltzmann::units::Bernoulli;
///
/// let rbm = Rbm::new(Bernoulli, Bernoulli, vec![0.5, -1.0], vec![0.25, 0.0], vec![2.0])?;
/// let mut file = Vec::new();
/// write_weights(&rbm, &mut file)?;
/// let again = read_weights(&file[..], |_, _| Ok((Bernoulli, Bernoulli)))?;
/// assert_eq!(again, rbm);
/// # Ok::<(), boltzmann::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotFinite`] for a number beyond the range of `f32`; [`Error::Io`].
pub fn write_weights<V: Unit, H: Unit>(rbm: &Rbm<V, H>, out: &mut impl Write) -> Result<()> {
    let (nv, nh) = (rbm.visible_len(), rbm.hidden_len());
    let tensors = [(rbm.weights(), vec![nh, nv]), (rbm.visible_bias(), vec![nv]), (rbm.hidden_bias(), vec![nh])];
    let mut header = format!(
        "{{\"__metadata__\":{{\"visible\":\"{}\",\"hidden\":\"{}\"}}",
        rbm.visible().name(),
        rbm.hidden().name()
    );
    let mut start = 0;
    for (name, (values, shape)) in NAMES.into_iter().zip(&tensors) {
        if let Some(index) = values.iter().position(|x| !(*x as f32).is_finite()) {
            return Err(Error::NotFinite { what: name, index, value: values[index] });
        }
        let end = start + 4 * values.len();
        header += &format!(",\"{name}\":{{\"dtype\":\"F32\",\"shape\":{shape:?},\"data_offsets\":[{start},{end}]}}");
        start = end;
    }
    header.push('}');
    // The data begin at a multiple of 8 bytes.
    header.extend(std::iter::repeat_n(' ', (8 - header.len() % 8) % 8));
    out.write_all(&(header.len() as u64).to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    for (values, _) in tensors {
        for x in values {
            out.write_all(&(*x as f32).to_le_bytes())?;
        }
    }
    Ok(())
}
