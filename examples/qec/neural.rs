//! Decoders that were learnt, from files of the example `neural_decoder`.

use std::fs::File;
use std::path::{Path, PathBuf};

use quantum_ec::DetectorErrorModel;
use quantum_ec::decode::{Decoder, DecoderChoice};
use quantum_ec::neural::{NeuralDecoder, NeuralModel, Search, Subject};

use crate::decode::choice;
use crate::files::{Outcome, named};

/// A decoder by name, or one from a file.
#[derive(Debug, Clone)]
pub enum Wanted {
    Named(DecoderChoice),
    Neural(PathBuf),
}

/// A decoder for flags: a name, or `neural:FILE`.
pub fn wanted(text: &str) -> Result<Wanted, String> {
    match text.strip_prefix("neural:") {
        Some("") => Err("expected neural:FILE".to_owned()),
        Some(file) => Ok(Wanted::Neural(file.into())),
        None => choice(text).map(Wanted::Named),
    }
}

/// The decoders of a file for a detector error model, one a thread, and their name.
pub fn decoders(file: &Path, model: &DetectorErrorModel, threads: u16) -> Outcome<(String, Vec<Box<dyn Decoder>>)> {
    let subject = named(file, Subject::of_model(model, "this detector error model"))?;
    let search = Search::best_for(subject.n_observables());
    let source = named(file, File::open(file).map_err(Into::into))?;
    let decoder = named(file, NeuralModel::read(subject, source).and_then(|m| NeuralDecoder::new(m, search, None)))?;
    let all = (0..threads).map(|_| Box::new(decoder.another()) as Box<dyn Decoder>).collect();
    Ok((format!("neural:{}", file.display()), all))
}
