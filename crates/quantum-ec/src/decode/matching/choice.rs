//! Matching decoders by name.

use std::fmt;

use super::{Matching, MatchingGraph, WindowedMatching};
use crate::decode::Decoder;
use crate::decode::options::Options;
use crate::dem::DetectorErrorModel;
use crate::error::{Error, Result};

/// Which matching decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct MatchingChoice {
    /// Whether shots are matched a second time with the weights that the first matching implies.
    pub correlated: bool,
    /// Layers committed and layers of the buffer, for windowed decoding.
    pub window: Option<(usize, usize)>,
}

impl MatchingChoice {
    /// The choice of this name, if it is one; options that it has are taken: `commit` and `buffer`, both or none.
    pub(in crate::decode) fn read(name: &str, options: &mut Options<'_>) -> Result<Option<Self>> {
        let correlated = match name {
            "matching" => false,
            "matching:correlated" => return Ok(Some(Self { correlated: true, window: None })),
            _ => return Ok(None),
        };
        let commit: Option<usize> = options.take("commit", "a number of layers from 1")?;
        let buffer: Option<usize> = options.take("buffer", "a number of layers")?;
        let window = match (commit, buffer) {
            (None, None) => None,
            (Some(commit), Some(buffer)) if commit > 0 => Some((commit, buffer)),
            (Some(_), Some(_)) => {
                return Err(Error::Parameter {
                    what: "commit",
                    value: "0".into(),
                    expected: "a number of layers from 1",
                });
            }
            _ => {
                let expected = "both or neither of commit and buffer";
                return Err(Error::Parameter { what: "window of matching", value: "one option".into(), expected });
            }
        };
        Ok(Some(Self { correlated, window }))
    }

    /// The options that [`read`](Self::read) takes.
    pub(in crate::decode) const OPTIONS: &str = "commit, buffer";

    /// The decoder of a graph; without a model there are no times for windows.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] for windows.
    pub fn build(&self, graph: MatchingGraph) -> Result<Box<dyn Decoder>> {
        if self.window.is_some() {
            let reason = "windows need the times of detectors, which a detector error model has".to_owned();
            return Err(Error::NotApplicable { method: "matching in windows", reason });
        }
        Ok(Box::new(Matching::new(graph).correlated(self.correlated)))
    }

    /// The decoder of a detector error model. The layer of a detector is its last coordinate, rounded down.
    ///
    /// # Errors
    /// As [`MatchingGraph::from_model`]; [`Error::NotApplicable`] naming the first detector without coordinates, for windows.
    pub fn build_of_model(&self, model: &DetectorErrorModel) -> Result<Box<dyn Decoder>> {
        let graph = MatchingGraph::from_model(model)?;
        let Some((commit, buffer)) = self.window else { return self.build(graph) };
        let mut layers = vec![None; graph.n_detectors()];
        for (detector, coordinates) in model.coordinates()? {
            if let Some(&time) = coordinates.last() {
                layers[detector as usize] = Some(time.floor() as i64);
            }
        }
        if let Some(detector) = layers.iter().position(Option::is_none) {
            let reason = format!("detector {detector} has no coordinates, the last of which is its time");
            return Err(Error::NotApplicable { method: "matching in windows", reason });
        }
        let layers: Vec<i64> = layers.into_iter().flatten().collect();
        Ok(Box::new(WindowedMatching::new(&graph, &layers, commit, buffer)?))
    }
}

impl fmt::Display for MatchingChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.correlated { "matching:correlated" } else { "matching" })?;
        match self.window {
            Some((commit, buffer)) => write!(f, ",commit={commit},buffer={buffer}"),
            None => Ok(()),
        }
    }
}
