//! The forward-forward algorithm: every layer learns by itself to be active for data and quiet for negative data.
//!
//! A layer takes its input at fixed length, $`\hat x = x \sqrt{n} / |x|`$, so that nothing of the goodness of the layer below
//! gets through, and has outputs $`y = \max(0, W \hat x + b)`$ with the goodness $`G = \sum_j y_j^2`$. It raises
//!
//! ```math
//! \ln \sigma(G - \theta) \text{ on data}, \qquad \ln \sigma(\theta - G) \text{ on negative data},
//! ```
//!
//! without a pass backwards. Labels, where there are any, stand in the first inputs. Where the negative data come from is
//! [`Negatives`]. In a [`RecurrentForwardForward`] network labels stand on top, and layers hear those above and themselves. G. E. Hinton, arXiv:2212.13345 (2022).

mod layers;
mod negatives;
mod recurrent;
mod trainer;

pub use negatives::Negatives;
pub use recurrent::{RecurrentForwardForward, RecurrentParams, RecurrentTrainer};
pub use trainer::{ForwardForwardParams, ForwardForwardTrainer};

use layers::{features, goodness, normalise};
use linalg_core::rand::Rng;

use crate::deep::Network;
use crate::deep::network::{Block, ROWS, Shape};
use crate::{Error, Result};
use linalg_core::threads;

/// A network trained by [`ForwardForwardTrainer`]: layers with a goodness each, and a linear classifier that reads their activities.
///
/// ```
/// use boltzmann::forward_forward::{ForwardForward, ForwardForwardParams, ForwardForwardTrainer, Negatives};
/// use linalg_core::Streams;
///
/// // Two classes: which half of four inputs is lit. Two inputs in front hold the label.
/// let rows: Vec<f32> = (0..64).flat_map(|k| if k % 2 == 0 { [0., 0., 1., 1., 0., 0.] } else { [0., 0., 0., 0., 1., 1.] }).collect();
/// let labels: Vec<usize> = (0..64).map(|k| k % 2).collect();
/// let net = ForwardForward::random(6, 2, &[20, 20], &mut Streams::new(1).stream(0))?;
/// let params = ForwardForwardParams::default().epochs(60).batch(32).learning_rate(0.01).negatives(Negatives::WrongLabel);
/// let mut trainer = ForwardForwardTrainer::new(net, &rows, &labels, params)?;
/// trainer.run()?;
/// assert_eq!(trainer.network().classify_by_goodness(&rows, 1), labels);
/// # Ok::<(), boltzmann::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ForwardForward {
    pub(crate) shape: Shape,
    pub(crate) n_classes: usize,
    pub(crate) parameters: Vec<f32>,
    /// The classifier: classes x features, then biases.
    pub(crate) head: Vec<f32>,
}

impl ForwardForward {
    /// A network with `n_inputs` inputs, of which the first `n_classes` hold labels, and hidden layers of these sizes; Gaussian
    /// weights of variance 1 over the inputs of a unit.
    ///
    /// # Errors
    /// [`Error::Empty`] for a layer without units, [`Error::Parameter`] for fewer than two classes or fewer inputs than classes.
    pub fn random<R: Rng + ?Sized>(n_inputs: usize, n_classes: usize, hidden: &[usize], rng: &mut R) -> Result<Self> {
        if n_classes < 2 || n_inputs <= n_classes {
            let value = n_classes.to_string();
            let expected = "2 or more, and fewer than the inputs";
            return Err(Error::Parameter { what: "number of classes", value, expected });
        }
        let sizes: Vec<usize> = std::iter::once(n_inputs).chain(hidden.iter().copied()).collect();
        let network = Network::random(sizes, vec![crate::deep::Activation::Linear; hidden.len()], rng)?;
        let n_features = layers::n_features(&network.shape);
        let head = vec![0.0; (n_features + 1) * n_classes];
        Ok(Self { shape: network.shape, n_classes, parameters: network.parameters, head })
    }

    /// Number of inputs.
    pub fn n_inputs(&self) -> usize {
        self.shape.sizes[0]
    }

    /// Number of classes.
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// Sizes of the hidden layers.
    pub fn hidden(&self) -> &[usize] {
        &self.shape.sizes[1..]
    }

    pub(crate) fn head_shape(&self) -> Shape {
        let sizes = vec![layers::n_features(&self.shape), self.n_classes];
        Shape { sizes, activations: vec![crate::deep::Activation::Linear] }
    }

    /// The class with the largest goodness of every row: a pass for each label, summed over all layers but the first (over the
    /// first where there is no other).
    ///
    /// # Panics
    /// If `rows` ends inside a row.
    pub fn classify_by_goodness(&self, rows: &[f32], threads: usize) -> Vec<usize> {
        self.classify_blocks(rows, threads, |block, out| {
            let inputs = block.activities[0].clone();
            let n = self.n_inputs();
            let mut best = vec![f64::NEG_INFINITY; out.len()];
            let skip = usize::from(self.hidden().len() > 1);
            for label in 0..self.n_classes {
                block.activities[0].copy_from_slice(&inputs);
                for row in block.activities[0].chunks_exact_mut(n) {
                    write_label(row, self.n_classes, Some(label));
                    normalise(row);
                }
                let layers = goodness(&self.shape, &self.parameters, block);
                for (k, (best, out)) in best.iter_mut().zip(out.iter_mut()).enumerate() {
                    let total: f64 = layers.iter().skip(skip).map(|layer| layer[k]).sum();
                    if total > *best {
                        (*best, *out) = (total, label);
                    }
                }
            }
        })
    }

    /// The class that the linear classifier finds most likely, from one pass with a neutral label.
    ///
    /// # Panics
    /// If `rows` ends inside a row.
    pub fn classify(&self, rows: &[f32], threads: usize) -> Vec<usize> {
        self.classify_blocks(rows, threads, |block, out| {
            for row in block.activities[0].chunks_exact_mut(self.n_inputs()) {
                write_label(row, self.n_classes, None);
                normalise(row);
            }
            goodness(&self.shape, &self.parameters, block);
            let mut head = Block::new(&self.head_shape(), out.len());
            features(&self.shape, block, &mut head.activities[0]);
            head.forward(&self.head_shape(), &self.head);
            for (fields, out) in head.activities[1].chunks_exact(self.n_classes).zip(out) {
                *out = (0..self.n_classes).fold(0, |best, y| if fields[y] > fields[best] { y } else { best });
            }
        })
    }

    fn classify_blocks(
        &self,
        rows: &[f32],
        threads: usize,
        work: impl Fn(&mut Block<f32>, &mut [usize]) + Sync,
    ) -> Vec<usize> {
        let n = self.n_inputs();
        assert!(rows.len().is_multiple_of(n), "{} inputs for rows of {n}", rows.len());
        let mut out = vec![0; rows.len() / n];
        let mut pieces: Vec<(&[f32], &mut [usize])> = rows.chunks(ROWS * n).zip(out.chunks_mut(ROWS)).collect();
        threads::for_pieces(threads::count(threads), &mut pieces, |_, pieces| {
            for (rows, out) in pieces {
                let mut block = Block::new(&self.shape, out.len());
                block.activities[0].copy_from_slice(rows);
                work(&mut block, out);
            }
        });
        out
    }
}

/// Writes a label into the first inputs of a row: 1 for the class and 0 for the others, or the same for all.
fn write_label(row: &mut [f32], n_classes: usize, label: Option<usize>) {
    let neutral = if label.is_none() { 1.0 / n_classes as f32 } else { 0.0 };
    row[..n_classes].fill(neutral);
    if let Some(label) = label {
        row[label] = 1.0;
    }
}

/// Checks rows of inputs and their classes.
fn check_rows(rows: &[f32], labels: &[usize], n: usize, n_classes: usize) -> Result<()> {
    if rows.is_empty() {
        return Err(Error::Empty { what: "data" });
    }
    crate::error::check_length("inputs", rows.len(), rows.len().div_ceil(n) * n)?;
    crate::error::check_length("labels", labels.len(), rows.len() / n)?;
    if let Some(index) = rows.iter().position(|x| !x.is_finite()) {
        return Err(Error::NotFinite { what: "inputs", index, value: f64::from(rows[index]) });
    }
    if let Some(row) = labels.iter().position(|&y| y >= n_classes) {
        let value = labels[row] as f64;
        return Err(Error::Alphabet { row, entry: 0, value, expected: "a class below the number of classes" });
    }
    Ok(())
}
