//! The distribution of syndromes, logical classes and stabilizer parts as three networks.

use super::network::{Network, NetworkPass, networks};
use super::shapes::NetworkParams;
use super::subject::{Batch, Subject};
use crate::error::{Error, Result};

/// Which bits a network is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Part {
    /// The syndrome γ, without context.
    Syndrome,
    /// The logical bits β, given the syndrome.
    Logical,
    /// The stabilizer part α, given the error of the other two.
    Gauge,
}

impl Part {
    /// All three, in the order in which the bits come.
    pub const ALL: [Self; 3] = [Self::Syndrome, Self::Logical, Self::Gauge];

    /// Its name in files and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Syndrome => "syndrome",
            Self::Logical => "logical",
            Self::Gauge => "gauge",
        }
    }

    /// Bits and contexts of this part in a batch.
    pub(super) fn rows(self, batch: &Batch) -> (&[i8], &[i8]) {
        match self {
            Self::Syndrome => (&batch.syndrome, &[]),
            Self::Logical => (&batch.logical, &batch.syndrome),
            Self::Gauge => (&batch.gauge, &batch.reference),
        }
    }
}

/// A normalised model of errors in the {E, L, S} basis.
///
/// ```math
/// q(\gamma, \beta, \alpha) = q(\gamma)\; q(\beta \mid \gamma)\; q(\alpha \mid \gamma, \beta)
/// ```
///
/// Every factor is a [`Network`] of its own: the order of the bits is syndrome, logical class, stabilizer part,
/// and what decoding needs, the middle factor, is a network that sees the whole syndrome at once. The last factor is
/// given syndrome and class as the error $`\prod e_i^{\gamma_i} \prod l_j^{\beta_j}`$ on the qubits, on which the
/// distribution of α depends locally; a transformer is given them as they are, the bits before its own.
///
/// ```
/// use quantum_ec::code;
/// use quantum_ec::neural::{CodeNoise, NetworkParams, NeuralModel, Part, Subject};
/// use quantum_ec::noise::Noise;
///
/// let subject = Subject::of_code(code::parse("rotated-surface:3")?, CodeNoise::fixed(Noise::Depolarizing, 0.1))?;
/// let model = NeuralModel::new(subject, "made:32x2:16x1:joint".parse::<NetworkParams>()?)?;
/// let bits: Vec<usize> = Part::ALL.iter().map(|&part| model.network(part).map_or(0, |n| n.n_bits())).collect();
/// assert_eq!(bits, [8, 2, 8]);
/// # Ok::<(), quantum_ec::Error>(())
/// ```
///
/// Reference: Cao, Pan, Wang and Zhang, arXiv:2307.09025.
#[derive(Debug, Clone)]
pub struct NeuralModel {
    subject: Subject,
    params: NetworkParams,
    networks: [Option<Network>; 3],
    /// Steps of training behind the parameters.
    pub(super) steps: u64,
}

impl NeuralModel {
    /// A model with random first weights.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] for a local network of a code without positions, [`Error::Network`] for sizes out of range.
    pub fn new(subject: Subject, params: NetworkParams) -> Result<Self> {
        let networks = networks(&subject, &params)?;
        Ok(Self { subject, params, networks, steps: 0 })
    }

    /// What the model is about.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The sizes of the networks.
    pub fn params(&self) -> &NetworkParams {
        &self.params
    }

    /// Steps of training behind the parameters.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The network of a part; without [`joint`](NetworkParams::joint) the logical part alone has one.
    pub fn network(&self, part: Part) -> Option<&Network> {
        self.networks[part as usize].as_ref()
    }

    pub(super) fn network_mut(&mut self, part: Part) -> Option<&mut Network> {
        self.networks[part as usize].as_mut()
    }

    pub(super) fn logical(&self) -> Result<&Network> {
        self.network(Part::Logical).ok_or_else(|| missing(Part::Logical))
    }

    pub(super) fn gauge(&self) -> Result<&Network> {
        self.network(Part::Gauge).ok_or_else(|| missing(Part::Gauge))
    }

    /// Number of parameters of all networks.
    pub fn n_parameters(&self) -> usize {
        self.networks.iter().flatten().map(|network| network.parameters().len()).sum()
    }

    /// The mean of -ln q a shot of every part, in nats; `None` for parts without a network.
    ///
    /// # Panics
    /// If the batch is not one of the subject.
    pub fn loss(&self, batch: &Batch) -> [Option<f64>; 3] {
        Part::ALL.map(|part| {
            let network = self.network(part)?;
            let (bits, contexts) = (part.rows(batch).0, network.contexts(part, batch));
            let mut sum = 0.0;
            each_chunk(network, bits, &contexts, &batch.globals, (batch.shots, CHUNK), |network, _, bits, pass| {
                network.evaluate(bits, pass);
                sum -= network.ln_q(pass).iter().sum::<f64>();
            });
            Some(sum / batch.shots as f64)
        })
    }
}

fn missing(part: Part) -> Error {
    let reason = format!("the model has no network of the part {}; train it with joint", part.name());
    Error::NotApplicable { method: "neural decoder", reason }
}

/// Samples side by side in a pass.
pub(super) const CHUNK: usize = 256;

/// Sets the contexts of pieces of at most `piece` rows, fewer for a transformer, and calls `work` with the first row, the bits and the pass.
pub(super) fn each_chunk(
    network: &Network,
    bits: &[i8],
    contexts: &[i8],
    globals: &[f64],
    (rows, piece): (usize, usize),
    mut work: impl FnMut(&Network, usize, &[i8], &mut NetworkPass),
) {
    let (n, c, g) = (network.n_bits(), network.n_context(), network.n_globals());
    let piece = piece.min(network.lanes());
    let mut pass = network.new_pass(rows.min(piece));
    for first in (0..rows).step_by(piece) {
        let last = (first + piece).min(rows);
        if network.samples(&pass) != last - first {
            pass = network.new_pass(last - first);
        }
        network.set_context(&contexts[first * c..last * c], &globals[first * g..last * g], &mut pass);
        let bits = if bits.is_empty() { bits } else { &bits[first * n..last * n] };
        work(network, first, bits, &mut pass);
    }
}
