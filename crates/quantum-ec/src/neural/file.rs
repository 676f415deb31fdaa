//! Models as safetensors files.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use variational::autoregressive::{read_tensors, write_tensors};

use super::model::{NeuralModel, Part};
use super::shapes::NetworkParams;
use super::subject::Subject;
use crate::error::{Error, Result};

/// Key of the metadata.
const KEY: &str = "quantum_ec";

/// First line of the metadata.
const FORMAT: &str = "neural decoder 1";

/// What a file says about the model in it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ModelHeader {
    /// Name of the code, or of the detector error model.
    pub name: String,
    /// The noise as [`Subject::noise_text`] has it.
    pub noise: String,
    /// [`Subject::content_hash`].
    pub hash: u64,
    /// The networks.
    pub params: NetworkParams,
    /// Order of the bits.
    pub order: String,
    /// Steps of training.
    pub steps: u64,
}

/// Order of the bits in the files of this version.
const ORDER: &str = "syndrome,logical,gauge";

impl ModelHeader {
    fn of(model: &NeuralModel) -> Self {
        let subject = model.subject();
        Self {
            name: subject.name().to_owned(),
            noise: subject.noise_text(),
            hash: subject.content_hash(),
            params: *model.params(),
            order: ORDER.to_owned(),
            steps: model.steps(),
        }
    }

    fn text(&self) -> String {
        let name = self.name.replace(['\n', '\r'], " ");
        format!(
            "{FORMAT}\nname={name}\nnoise={}\nhash={:016x}\nnetwork={}\norder={}\nsteps={}\n",
            self.noise, self.hash, self.params, self.order, self.steps
        )
    }

    fn parse(text: &str) -> Result<Self> {
        let bad = |what: &str| variational::Error::File { reason: format!("no neural decoder: {what}") };
        let mut lines = text.lines();
        if lines.next() != Some(FORMAT) {
            return Err(bad("the metadata do not begin with its name and version").into());
        }
        let fields: BTreeMap<&str, &str> = lines.filter_map(|line| line.split_once('=')).collect();
        let field = |name: &str| fields.get(name).copied().ok_or_else(|| bad(name));
        Ok(Self {
            name: field("name")?.to_owned(),
            noise: field("noise")?.to_owned(),
            hash: u64::from_str_radix(field("hash")?, 16).map_err(|_| bad("hash"))?,
            params: field("network")?.parse()?,
            order: field("order")?.to_owned(),
            steps: field("steps")?.parse().map_err(|_| bad("steps"))?,
        })
    }

    /// Reads what a file says, without its model.
    ///
    /// # Errors
    /// [`Error::Network`] for what is no such file.
    pub fn read(source: impl Read) -> Result<Self> {
        Self::parse(&read_tensors(KEY, source)?.0)
    }
}

impl NeuralModel {
    /// Writes the model: a tensor for each network, and in the metadata code, noise, order, networks and a hash of checks,
    /// logical operators and light pure errors.
    ///
    /// # Errors
    /// [`Error::Network`].
    pub fn write(&self, mut out: impl Write) -> Result<()> {
        let parts = Part::ALL.iter().filter_map(|&part| Some((part.name(), self.network(part)?.parameters())));
        let tensors: Vec<(&str, &[f64])> = parts.collect();
        write_tensors(&tensors, (KEY, &ModelHeader::of(self).text()), &mut out)?;
        Ok(())
    }

    /// Reads a model of this subject.
    ///
    /// # Errors
    /// [`Error::Model`] for one of another code, noise or order, [`Error::Network`] for what is no such file or does not
    /// fit its own header.
    pub fn read(subject: Subject, source: impl Read) -> Result<Self> {
        let (text, tensors) = read_tensors(KEY, source)?;
        let header = ModelHeader::parse(&text)?;
        let differ = |what, found: String, expected: String| Err(Error::Model { what, found, expected });
        if header.hash != subject.content_hash() {
            let named = |name: &str, hash: u64| format!("{name} ({hash:016x})");
            let expected = named(subject.name(), subject.content_hash());
            return differ("code", named(&header.name, header.hash), expected);
        }
        if header.noise != subject.noise_text() {
            return differ("noise", header.noise, subject.noise_text());
        }
        if header.order != ORDER {
            return differ("order", header.order, ORDER.to_owned());
        }
        // A short file must not ask for large networks: a layer has at least its width squared.
        let held: usize = tensors.values().map(Vec::len).sum();
        let params = &header.params;
        let layers = |width: usize, depth: usize| width.saturating_mul(width).saturating_mul(depth.saturating_sub(1));
        if layers(params.channels, params.depth).max(layers(params.width, params.bit_depth)) > held {
            let reason = format!("{held} numbers are fewer than {params} has");
            return Err(variational::Error::File { reason }.into());
        }
        let mut model = Self::new(subject, header.params)?;
        for part in Part::ALL {
            if let Some(network) = model.network_mut(part) {
                let Some(parameters) = tensors.get(part.name()) else {
                    return Err(variational::Error::File { reason: format!("no tensor {}", part.name()) }.into());
                };
                network.set_parameters(parameters)?;
            }
        }
        model.steps = header.steps;
        Ok(model)
    }
}
