//! Parameters as safetensors files.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView, serialize};

use super::network::Autoregressive;
use crate::{Error, Result};

/// Name of the tensor of all parameters.
const TENSOR: &str = "parameters";

/// Name of the entry of the metadata.
const ARCHITECTURE: &str = "architecture";

fn fail(error: SafeTensorError) -> Error {
    Error::File { reason: error.to_string() }
}

/// Writes lists of numbers by name, `F64`, with one entry of metadata.
///
/// ```
/// use variational::autoregressive::{read_tensors, write_tensors};
///
/// let mut file = Vec::new();
/// write_tensors(&[("weights", &[1.0, 2.0][..])], ("made by", "hand"), &mut file)?;
/// let (text, tensors) = read_tensors("made by", &file[..])?;
/// assert_eq!((text.as_str(), &tensors["weights"][..]), ("hand", &[1.0, 2.0][..]));
/// # Ok::<(), variational::Error>(())
/// ```
///
/// # Errors
/// [`Error::Io`], [`Error::File`].
pub fn write_tensors(tensors: &[(&str, &[f64])], metadata: (&str, &str), out: &mut impl Write) -> Result<()> {
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|(_, data)| data.iter().flat_map(|p| p.to_le_bytes()).collect()).collect();
    let views = tensors
        .iter()
        .zip(&bytes)
        .map(|((name, data), bytes)| Ok((*name, TensorView::new(Dtype::F64, vec![data.len()], bytes).map_err(fail)?)));
    let views = views.collect::<Result<Vec<_>>>()?;
    let metadata = [(metadata.0.to_owned(), metadata.1.to_owned())].into_iter().collect();
    out.write_all(&serialize(views, Some(metadata)).map_err(fail)?)?;
    Ok(())
}

/// Reads all lists of numbers of a file, `F64` or `F32`, and the entry of its metadata with this key; empty if there is none.
///
/// # Errors
/// [`Error::File`] for what is no such file or holds other types, [`Error::Io`].
pub fn read_tensors(key: &str, source: impl Read) -> Result<(String, BTreeMap<String, Vec<f64>>)> {
    let bytes = read_all(source)?;
    Ok((metadata(&bytes, key)?, tensors(&bytes)?))
}

fn read_all(mut source: impl Read) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn metadata(bytes: &[u8], key: &str) -> Result<String> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(fail)?;
    Ok(header.metadata().as_ref().and_then(|metadata| metadata.get(key)).cloned().unwrap_or_default())
}

fn tensors(bytes: &[u8]) -> Result<BTreeMap<String, Vec<f64>>> {
    let file = SafeTensors::deserialize(bytes).map_err(fail)?;
    let mut tensors = BTreeMap::new();
    for (name, tensor) in file.tensors() {
        let data = tensor.data();
        let numbers: Vec<f64> = match tensor.dtype() {
            Dtype::F64 => data.as_chunks().0.iter().map(|&x| f64::from_le_bytes(x)).collect(),
            Dtype::F32 => data.as_chunks().0.iter().map(|&x| f64::from(f32::from_le_bytes(x))).collect(),
            other => return Err(Error::File { reason: format!("{name} of {other:?}, expected F32 or F64") }),
        };
        tensors.insert(name, numbers);
    }
    Ok(tensors)
}

/// Writes the parameters of a network: one tensor `parameters` of `F64` in the order of
/// [`parameters`](Autoregressive::parameters), and its [`architecture`](Autoregressive::architecture) as metadata.
///
/// ```
/// use variational::autoregressive::{Autoregressive, Made, MadeParams, read_weights, write_weights};
///
/// let network = Made::<f64>::new(3, MadeParams::default())?;
/// let mut file = Vec::new();
/// write_weights(&network, &mut file)?;
/// let mut other = Made::<f64>::new(3, MadeParams::default().seed(7))?;
/// read_weights(&mut other, &file[..])?;
/// assert_eq!(network.parameters(), other.parameters());
/// # Ok::<(), variational::Error>(())
/// ```
///
/// # Errors
/// [`Error::Io`].
pub fn write_weights<N: Autoregressive>(network: &N, out: &mut impl Write) -> Result<()> {
    write_tensors(&[(TENSOR, network.parameters())], (ARCHITECTURE, &network.architecture()), out)
}

/// Reads the parameters of a network from a file of the same architecture; `F32` is widened.
///
/// # Errors
/// [`Error::Architecture`] for weights of another network, [`Error::File`] for what is no such file,
/// [`Error::WrongLength`], [`Error::NotFinite`], [`Error::Io`]. The network is then unchanged.
pub fn read_weights<N: Autoregressive>(network: &mut N, source: impl Read) -> Result<()> {
    let bytes = read_all(source)?;
    let found = metadata(&bytes, ARCHITECTURE)?;
    let expected = network.architecture();
    if found.is_empty() {
        return Err(Error::Architecture { found: "an unnamed architecture".to_owned(), expected });
    }
    if found != expected {
        return Err(Error::Architecture { found, expected });
    }
    match tensors(&bytes)?.get(TENSOR) {
        Some(parameters) => network.set_parameters(parameters),
        None => Err(Error::File { reason: format!("no tensor {TENSOR}") }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autoregressive::{Made, MadeParams, Transformer, TransformerParams};
    use proptest::prelude::*;

    fn file() -> (Made<f64>, Vec<u8>) {
        let network = Made::new(3, MadeParams::default().layers(2, 2)).unwrap();
        let mut file = Vec::new();
        write_weights(&network, &mut file).unwrap();
        (network, file)
    }

    #[test]
    fn another_architecture_is_refused() {
        let (_, bytes) = file();
        let mut other = Made::<f64>::new(3, MadeParams::default()).unwrap();
        let error = read_weights(&mut other, &bytes[..]).unwrap_err();
        assert!(matches!(&error, Error::Architecture { found, .. } if found.starts_with("made:2:2")), "{error}");
        let mut transformer = Transformer::<f64>::new(3, TransformerParams::default()).unwrap();
        assert!(matches!(read_weights(&mut transformer, &bytes[..]), Err(Error::Architecture { .. })));
        let mut plain = Vec::new();
        let tensor = TensorView::new(Dtype::U8, vec![2], &[1, 2]).unwrap();
        plain.extend(serialize([(TENSOR, tensor)], None).unwrap());
        assert!(matches!(read_weights(&mut other, &plain[..]), Err(Error::Architecture { .. })));
    }

    #[test]
    fn single_precision_and_bad_tensors() {
        let (mut network, _) = file();
        let write = |dtype, shape: Vec<usize>, data: &[u8], name: &str| {
            let tensor = TensorView::new(dtype, shape, data).unwrap();
            let metadata = [(ARCHITECTURE.to_owned(), network.architecture())].into_iter().collect();
            serialize([(name, tensor)], Some(metadata)).unwrap()
        };
        let n = network.parameters().len();
        let single: Vec<u8> = network.parameters().iter().flat_map(|&p| (p as f32).to_le_bytes()).collect();
        let good = write(Dtype::F32, vec![n], &single, TENSOR);
        let cases = [
            write(Dtype::F32, vec![2], &single[..8], TENSOR),
            write(Dtype::U8, vec![4 * n], &single, TENSOR),
            write(Dtype::F32, vec![n], &single, "weights"),
            write(Dtype::F32, vec![n], &[0xff].repeat(4 * n), TENSOR),
        ];
        let rounded: Vec<f64> = network.parameters().iter().map(|&p| f64::from(p as f32)).collect();
        read_weights(&mut network, &good[..]).unwrap();
        assert!(network.parameters().iter().zip(&rounded).all(|(a, b)| a.to_bits() == b.to_bits()));
        for bytes in &cases {
            let error = read_weights(&mut network, &bytes[..]).unwrap_err();
            assert!(
                matches!(error, Error::WrongLength { .. } | Error::File { .. } | Error::NotFinite { .. }),
                "{error}"
            );
        }
    }

    proptest! {
        #[test]
        fn damage_never_panics(
            damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
            cut in any::<prop::sample::Index>(),
        ) {
            let (mut network, mut bytes) = file();
            for (at, byte) in &damage {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            bytes.truncate(cut.index(bytes.len() + 1));
            let before = network.parameters().to_vec();
            if read_weights(&mut network, &bytes[..]).is_err() {
                prop_assert_eq!(before, network.parameters());
            } else {
                prop_assert!(network.parameters().iter().all(|p| p.is_finite()));
            }
        }
    }
}
