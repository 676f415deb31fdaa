//! Which unit of the three networks sees which.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use variational::autoregressive::{BitView, ConditionalShape, SiteLink};

use super::subject::Subject;
use crate::error::{Error, Result};

/// How the context of a network is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Connection {
    /// Every unit sees every unit of the layer below.
    Dense,
    /// Units stand at the checks, or at the qubits, and see those near them; equal displacements share their weights. Needs
    /// a code whose checks have positions.
    Local,
    /// No layers but causal attention over the bits, syndrome first.
    Transformer,
}

/// Sizes of the networks of a [`NeuralModel`](super::NeuralModel).
///
/// As text: `made` or `local`, then channels x layers of the context and width x layers of the bits of the logical network, as
/// `local:24x4:64x2`, and with `:joint` for all three networks. Or `transformer`, then width x blocks x heads, as
/// `transformer:32x2x4`.
///
/// ```
/// use quantum_ec::neural::NetworkParams;
///
/// let params: NetworkParams = "made:256x3:64x2".parse()?;
/// assert_eq!((params.channels, params.depth, params.joint), (256, 3, false));
/// assert_eq!("local:joint".parse::<NetworkParams>()?.to_string(), "local:24x4:64x2:joint");
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct NetworkParams {
    /// How the contexts are connected.
    pub connection: Connection,
    /// Units of the context of the logical network: in all, or a check; or the width of the transformers.
    pub channels: usize,
    /// Its layers, or their blocks.
    pub depth: usize,
    /// Heads of a transformer; 1 otherwise.
    pub heads: usize,
    /// Units of a logical bit; without meaning for a transformer.
    pub width: usize,
    /// Their layers; without meaning for a transformer.
    pub bit_depth: usize,
    /// Whether syndrome and stabilizer part have networks, too; without them there is the conditional distribution of the
    /// logical bits alone, which is all that decoding needs.
    pub joint: bool,
    /// Seed of the first weights.
    pub seed: u64,
}

impl NetworkParams {
    /// Sizes of each kind: 256 units in 3 layers if dense, 24 a check in 4 layers if local, width 32 in 2 blocks with 4 heads
    /// for a transformer.
    pub fn new(connection: Connection) -> Self {
        let (channels, depth, heads, width, bit_depth) = match connection {
            Connection::Dense => (256, 3, 1, 64, 2),
            Connection::Local => (24, 4, 1, 64, 2),
            Connection::Transformer => (32, 2, 4, 1, 1),
        };
        Self { connection, channels, depth, heads, width, bit_depth, joint: false, seed: 1 }
    }

    /// Sets units and layers of the context.
    pub fn channels(mut self, channels: usize, depth: usize) -> Self {
        (self.channels, self.depth) = (channels, depth);
        self
    }

    /// Sets the number of heads of a transformer, a divisor of its width.
    pub fn heads(mut self, heads: usize) -> Self {
        self.heads = heads;
        self
    }

    /// Sets units and layers of a logical bit.
    pub fn width(mut self, width: usize, depth: usize) -> Self {
        (self.width, self.bit_depth) = (width, depth);
        self
    }

    /// Sets whether syndrome and stabilizer part have networks.
    pub fn joint(mut self, joint: bool) -> Self {
        self.joint = joint;
        self
    }

    /// Sets the seed of the first weights.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

impl fmt::Display for NetworkParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (channels, depth) = (self.channels, self.depth);
        match self.connection {
            Connection::Dense => write!(f, "made:{channels}x{depth}:{}x{}", self.width, self.bit_depth)?,
            Connection::Local => write!(f, "local:{channels}x{depth}:{}x{}", self.width, self.bit_depth)?,
            Connection::Transformer => write!(f, "transformer:{channels}x{depth}x{}", self.heads)?,
        }
        if self.joint { f.write_str(":joint") } else { Ok(()) }
    }
}

impl FromStr for NetworkParams {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::Parameter {
            what: "network",
            value: format!("{text:?}"),
            expected: "made or local, then :CHANNELSxLAYERS, :WIDTHxLAYERS, :joint; or transformer, then :DIMxBLOCKSxHEADS, :joint",
        };
        let mut parts = text.split(':');
        let mut params = match parts.next() {
            Some("made") => Self::new(Connection::Dense),
            Some("local") => Self::new(Connection::Local),
            Some("transformer") => Self::new(Connection::Transformer),
            _ => return Err(wrong()),
        };
        let mut sizes = 0;
        for part in parts {
            if part == "joint" && !params.joint {
                params.joint = true;
                continue;
            }
            let (a, mut b) = part.split_once('x').ok_or_else(wrong)?;
            if params.connection == Connection::Transformer {
                let (depth, heads) = b.split_once('x').filter(|_| sizes == 0).ok_or_else(wrong)?;
                params.heads = heads.parse().map_err(|_| wrong())?;
                b = depth;
            }
            let size = (a.parse().map_err(|_| wrong())?, b.parse().map_err(|_| wrong())?);
            if size.0 == 0 || size.1 == 0 || size.0 > 1 << 14 || size.1 > 64 {
                return Err(wrong());
            }
            match sizes {
                0 => params = params.channels(size.0, size.1),
                1 => params = params.width(size.0, size.1),
                _ => return Err(wrong()),
            }
            sizes += 1;
        }
        Ok(params)
    }
}

/// The shapes of the networks of syndrome, logical bits and stabilizer part.
pub(super) fn shapes(subject: &Subject, params: &NetworkParams) -> Result<[Option<ConditionalShape>; 3]> {
    let (r, m, g) = (subject.n_syndrome(), subject.n_observables(), subject.n_globals());
    let local = params.connection == Connection::Local;
    let positions = subject.positions();
    let logical = if local {
        let Some(positions) = &positions else {
            let reason = format!("{} has no positions of checks", subject.name());
            return Err(Error::NotApplicable { method: "local network", reason });
        };
        let bits = (0..m).map(|j| BitView { sites: (0..r).collect(), bits: (0..j).collect() }).collect();
        ConditionalShape::local(vec![1; r], links(positions, &check_kinds(subject)), bits)
    } else {
        ConditionalShape::dense(r, m)
    };
    let logical = logical.channels(params.channels, params.depth).width(params.width, params.bit_depth).globals(g);
    if !params.joint {
        return Ok([None, Some(logical), None]);
    }
    let syndrome = ConditionalShape::dense(0, r).width(12, 2).globals(g);
    let gauge = match (subject.code(), subject.basis()) {
        (Some(code), Some(basis)) => {
            let n = code.n_qubits();
            Some(match (local, code.layout(), positions) {
                (true, Some(layout), Some(checks)) => {
                    let kinds: Vec<usize> = layout.qubits.iter().map(parity).collect();
                    let unit = nearest(&checks, &layout.qubits);
                    let near = |check: &[f64; 3]| {
                        (0..n).filter(|&q| distance(check, &layout.qubits[q]) < 2.3 * unit).collect::<Vec<_>>()
                    };
                    let bits = checks.iter().enumerate();
                    let bits = bits.map(|(j, check)| BitView { sites: near(check), bits: (0..j).collect() }).collect();
                    ConditionalShape::local(vec![2; n], links(&layout.qubits, &kinds), bits).channels(16, 3)
                }
                _ => ConditionalShape::dense(2 * n, basis.n_gauge()).channels(256, 2),
            })
        }
        _ => None,
    };
    let gauge = gauge.map(|shape| shape.width(16, 2).globals(g));
    Ok([Some(syndrome), Some(logical), gauge])
}

fn distance(a: &[f64; 3], b: &[f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

/// The smallest distance above 0 from a point of one list to one of the other.
fn nearest(a: &[[f64; 3]], b: &[[f64; 3]]) -> f64 {
    let all = a.iter().flat_map(|a| b.iter().map(move |b| distance(a, b)));
    all.filter(|&d| d > 1e-9).fold(f64::INFINITY, f64::min)
}

/// 0, 1, 2 for checks of X, of Z, of both.
fn check_kinds(subject: &Subject) -> Vec<usize> {
    let (Some(code), Some(basis)) = (subject.code(), subject.basis()) else { return vec![0; subject.n_syndrome()] };
    let kind = |i: usize| {
        let generator = &code.generators()[i];
        if generator.z().is_zero() {
            0
        } else if generator.x().is_zero() {
            1
        } else {
            2
        }
    };
    basis.generators().into_iter().map(kind).collect()
}

/// Which sublattice a point belongs to.
fn parity(at: &[f64; 3]) -> usize {
    at.iter().fold(0, |kind, x| 2 * kind + usize::from(x.round().rem_euclid(2.0) > 0.5))
}

/// Links between points at most about two spacings apart; a class for each displacement and pair of kinds.
fn links(positions: &[[f64; 3]], kinds: &[usize]) -> Vec<SiteLink> {
    let reach = 2.05 * nearest(positions, positions);
    let mut classes = BTreeMap::new();
    let mut links = Vec::new();
    for (to, a) in positions.iter().enumerate() {
        for (from, b) in positions.iter().enumerate() {
            if to == from || distance(a, b) < reach {
                let shift: Vec<i64> = a.iter().zip(b).map(|(a, b)| (8.0 * (b - a)).round() as i64).collect();
                let next = classes.len();
                let class = *classes.entry((kinds[to], kinds[from], shift)).or_insert(next);
                links.push(SiteLink { to, from, class });
            }
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::parse;
    use crate::neural::CodeNoise;
    use crate::noise::Noise;

    #[test]
    fn links_are_those_of_a_lattice() {
        let noise = CodeNoise::fixed(Noise::Depolarizing, 0.1);
        let subject = Subject::of_code(parse("unrotated-surface:5").unwrap(), noise).unwrap();
        let links = links(&subject.positions().unwrap(), &check_kinds(&subject));
        let seen = |to: usize| links.iter().filter(|link| link.to == to).count();
        // The site itself, four of the other kind, four and four of its own.
        assert_eq!((0..subject.n_syndrome()).map(seen).max(), Some(13));
        let classes = 1 + links.iter().map(|link| link.class).max().unwrap();
        assert_eq!(classes, 26);
    }

    #[test]
    fn texts_read_back() {
        for text in ["made:512x3:64x2", "local:16x2:8x1:joint", "transformer:32x2x4", "transformer:8x1x2:joint"] {
            assert_eq!(text.parse::<NetworkParams>().unwrap().to_string(), text);
        }
        let wrong = ["", "dense", "made:0x3", "made:3", "local:1x1:2x2:3x3", "made:joint:joint", "made:99999x3"];
        let also =
            ["transformer:8x2", "transformer:8x2x2:4x1", "transformer:8x2x2x2", "transformer:0x1x1", "made:8x2x2"];
        for text in wrong.into_iter().chain(also) {
            assert!(matches!(text.parse::<NetworkParams>(), Err(Error::Parameter { .. })), "{text}");
        }
    }
}
