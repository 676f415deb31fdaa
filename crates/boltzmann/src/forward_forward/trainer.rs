//! Training, all layers at once.

use linalg_core::Streams;
use linalg_core::checkpoint::{Checkpoint, CheckpointError, ContentHash, Writer};
use linalg_core::rand::{Rng, RngExt};

use super::layers::{features, goodness, local_deltas, normalise};
use super::negatives::{climb, mask, wrong_label};
use super::{ForwardForward, Negatives, write_label};
use crate::deep::network::{Block, Piece, ROWS, Shape, gradient_of_piece};
use crate::deep::{Rates, Step};
use crate::train::{Batches, InBatches, Schedule};
use crate::{Error, Result};
use linalg_core::simd::widest;
use linalg_core::threads;

const KIND: &str = "boltzmann forward-forward 2";

/// Streams: orders of the rows by epoch, and the blocks of every update.
const ORDER: u64 = 0;
const BLOCKS: u64 = 1;

/// Parameters of [`ForwardForwardTrainer`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ForwardForwardParams {
    /// Where negative data come from; default labels that the classifier predicts.
    pub negatives: Negatives,
    /// Goodness a unit at which a row is as likely data as not; default 1.
    pub threshold: f64,
    /// First learning rate of Adam; default 0.001.
    pub learning_rate: f64,
    /// How it falls; default linearly to 0.
    pub schedule: Schedule,
    /// Passes through the data; default 10.
    pub epochs: u64,
    /// Rows of a batch; default 128. The rest of an epoch that fills no batch is left out.
    pub batch: usize,
    /// Strength with which the mean activities of a layer are pulled to their mean, so that no unit dies; default 0.03.
    pub peers: f64,
    /// Decoupled decay of the weights; default 0.
    pub l2: f64,
    /// Width of an image, for masks and shifts; default the root of the number of inputs.
    pub width: Option<usize>,
    /// Largest shift of an image, in pixels, drawn anew for every row and epoch; default 0.
    pub jitter: usize,
    /// Seed of everything random; default 0.
    pub seed: u64,
    /// Threads, 0 for all there are; default 1. The numbers do not depend on it.
    pub threads: usize,
}

impl Default for ForwardForwardParams {
    fn default() -> Self {
        Self {
            negatives: Negatives::PredictedLabel,
            threshold: 1.0,
            learning_rate: 0.001,
            schedule: Schedule::Linear { end: 0.0 },
            epochs: 10,
            batch: 128,
            peers: 0.03,
            l2: 0.0,
            width: None,
            jitter: 0,
            seed: 0,
            threads: 1,
        }
    }
}

impl ForwardForwardParams {
    /// Sets where negative data come from.
    pub fn negatives(mut self, negatives: Negatives) -> Self {
        self.negatives = negatives;
        self
    }
    /// Sets the goodness a unit at which a row is as likely data as not.
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }
    /// Sets the first learning rate.
    pub fn learning_rate(mut self, rate: f64) -> Self {
        self.learning_rate = rate;
        self
    }
    /// Sets how the learning rate falls.
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }
    /// Sets the passes through the data.
    pub fn epochs(mut self, epochs: u64) -> Self {
        self.epochs = epochs;
        self
    }
    /// Sets the rows of a batch.
    pub fn batch(mut self, rows: usize) -> Self {
        self.batch = rows;
        self
    }
    /// Sets the pull of mean activities to each other.
    pub fn peers(mut self, strength: f64) -> Self {
        self.peers = strength;
        self
    }
    /// Sets the decay of the weights.
    pub fn l2(mut self, l2: f64) -> Self {
        self.l2 = l2;
        self
    }
    /// Sets the width of an image and the largest shift.
    pub fn image(mut self, width: usize, jitter: usize) -> Self {
        (self.width, self.jitter) = (Some(width), jitter);
        self
    }
    /// Sets the seed.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
    /// Sets the number of threads.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    fn validate(&self, n_inputs: usize) -> Result<()> {
        self.schedule.validate()?;
        let mut ranges = vec![
            ("threshold", self.threshold),
            ("learning rate", self.learning_rate),
            ("pull of mean activities", self.peers),
            ("l2 decay", self.l2),
        ];
        if let Negatives::Generated { size, .. } = self.negatives {
            ranges.push(("size of a step", size));
        }
        for (what, value) in ranges {
            if !(0.0..=1e3).contains(&value) {
                return Err(Error::Parameter { what, value: value.to_string(), expected: "0 to 1000" });
            }
        }
        if let Some(width) = self.width.filter(|&width| width == 0 || !n_inputs.is_multiple_of(width)) {
            let expected = "a divisor of the number of inputs";
            return Err(Error::Parameter { what: "width of an image", value: width.to_string(), expected });
        }
        Ok(())
    }
}

/// What a block of rows needs.
#[derive(Debug, Clone)]
struct Work {
    head: Block<f32>,
    loss: f64,
    /// Sums of the activities on data, layer by layer.
    sums: Vec<Vec<f32>>,
}

/// Trains a [`ForwardForward`] network on rows with labels; unsupervised negative data use the labels for the classifier alone.
///
/// An update costs some ten operations a weight and row of the batch, no layer waits for another to come back. The numbers do not
/// depend on the number of threads, and a run restored from a [`checkpoint`](Self::checkpoint) goes on bit by bit.
#[derive(Debug, Clone)]
pub struct ForwardForwardTrainer<'a> {
    network: ForwardForward,
    rows: &'a [f32],
    labels: &'a [usize],
    params: ForwardForwardParams,
    /// Data and negative data of a block side by side.
    blocks: Vec<Block<f32>>,
    work: Vec<Work>,
    /// Means and squares of the gradient: of the layers, of the classifier.
    moments: [Vec<f32>; 4],
    gradient: Vec<f32>,
    head_gradient: Vec<f32>,
    /// Running means of the activities on data.
    means: Vec<Vec<f32>>,
    batches: Batches,
}

impl<'a> ForwardForwardTrainer<'a> {
    /// A run from `network` on rows of inputs and their classes.
    ///
    /// The first inputs of a row hold labels while it is worked on; what the data have there is not seen.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::WrongLength`] for a part of a row or labels that are not as many as rows, [`Error::NotFinite`] for
    /// a bad input, [`Error::Alphabet`] for a label beyond the classes (its row), [`Error::Parameter`].
    pub fn new(
        network: ForwardForward,
        rows: &'a [f32],
        labels: &'a [usize],
        params: ForwardForwardParams,
    ) -> Result<Self> {
        let n = network.n_inputs();
        super::check_rows(rows, labels, n, network.n_classes)?;
        params.validate(n)?;
        let streams = Streams::new(params.seed).child(ORDER);
        let batches = Batches::new(labels.len(), params.batch, params.epochs, streams)?;
        let size = |k: usize| ROWS.min(params.batch - k * ROWS);
        let n_blocks = params.batch.div_ceil(ROWS);
        let zeros: Vec<Vec<f32>> = network.hidden().iter().map(|&n| vec![0.0; n]).collect();
        let (layers, head) = (vec![0.0; network.parameters.len()], vec![0.0; network.head.len()]);
        Ok(Self {
            blocks: (0..2 * n_blocks).map(|k| Block::new(&network.shape, size(k / 2))).collect(),
            work: (0..n_blocks)
                .map(|k| Work { head: Block::new(&network.head_shape(), size(k)), loss: 0.0, sums: zeros.clone() })
                .collect(),
            moments: [layers.clone(), layers.clone(), head.clone(), head.clone()],
            gradient: layers,
            head_gradient: head,
            means: zeros,
            batches,
            network,
            rows,
            labels,
            params,
        })
    }

    /// The network as it is.
    pub fn network(&self) -> &ForwardForward {
        &self.network
    }

    /// The network, at the end.
    pub fn into_network(self) -> ForwardForward {
        self.network
    }

    /// Batches done.
    pub fn updates(&self) -> u64 {
        self.batches.updates()
    }

    /// Batches of an epoch.
    pub fn updates_per_epoch(&self) -> u64 {
        self.batches.per_epoch()
    }

    /// Batches of the whole run.
    pub fn total_updates(&self) -> u64 {
        self.batches.total()
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// As [`epoch`](Self::epoch).
    pub fn run(&mut self) -> Result<()> {
        self.finish()
    }

    /// Runs to the end of the present epoch; returns the mean loss a row, summed over layers, data and negative data.
    ///
    /// # Errors
    /// [`Error::Diverged`] when the loss is not finite: the network is then what it was before that batch; or when a parameter is not
    /// finite: it is then what it was before the epoch.
    pub fn epoch(&mut self) -> Result<f64> {
        self.finish_epoch()
    }

    fn step(&mut self, threads: usize) {
        let rate = self.params.learning_rate * self.params.schedule.factor(self.batches.done());
        let rates = Rates::of_update(self.batches.updates(), rate, self.params.l2);
        let heads: Vec<Block<f32>> = self.work.iter().map(|work| work.head.clone()).collect();
        let head_shape = self.network.head_shape();
        let [mean, square, head_mean, head_square] = &mut self.moments;
        let slices = [&mut self.network.parameters[..], &mut self.gradient[..], &mut mean[..], &mut square[..]];
        let mut items = pieces(&self.network.shape, &self.blocks, slices);
        let slices =
            [&mut self.network.head[..], &mut self.head_gradient[..], &mut head_mean[..], &mut head_square[..]];
        items.extend(pieces(&head_shape, &heads, slices));
        threads::for_pieces(threads, &mut items, |_, items| {
            for Item { shape, piece, blocks, slices: [x, gradient, mean, square] } in items {
                gradient_of_piece(shape, *piece, blocks, gradient);
                let rates = if piece.bias { Rates { decay: 0.0, ..rates } } else { rates };
                widest(Step { x, gradient, mean, square, rates });
            }
        });
    }

    fn content_hash(&self) -> u64 {
        let mut hash = ContentHash::new();
        hash.write_usizes(&self.network.shape.sizes).write_usizes(&[self.network.n_classes]).write_usizes(self.labels);
        hash.write_f32s(self.rows);
        hash.write_str(&format!("{:?}", self.params.clone().threads(1)));
        hash.finish()
    }

    /// The state of the run. It belongs to its data and parameters, the number of threads excepted.
    pub fn checkpoint(&self) -> Checkpoint {
        let mut out = Writer::new();
        out.write_u64(self.updates());
        let lists = [&self.network.parameters, &self.network.head].into_iter().chain(&self.moments).chain(&self.means);
        lists.for_each(|values| {
            out.write_f32s(values);
        });
        Checkpoint::new(KIND, self.content_hash(), out)
    }

    /// Goes on from a checkpoint of a run with the same data and parameters; bit by bit as if it had not been interrupted.
    ///
    /// # Errors
    /// When the checkpoint is of another run or damaged; the trainer is then what it was.
    pub fn restore(&mut self, from: &Checkpoint) -> Result<()> {
        let mut other = self.clone();
        other.read(from)?;
        *self = other;
        Ok(())
    }

    fn read(&mut self, from: &Checkpoint) -> std::result::Result<(), CheckpointError> {
        let mut reader = from.open(KIND, self.content_hash())?;
        self.batches.read(&mut reader)?;
        let lists = [&mut self.network.parameters, &mut self.network.head].into_iter();
        for values in lists.chain(&mut self.moments).chain(&mut self.means) {
            reader.read_f32s_into(values)?;
        }
        reader.finish()
    }
}

impl InBatches for ForwardForwardTrainer<'_> {
    fn batches(&self) -> &Batches {
        &self.batches
    }

    fn update(&mut self) -> Result<f64> {
        let first_stream = self.updates().wrapping_mul(self.work.len() as u64);
        let present = self.batches.present();
        // What pulls the mean activities of a layer together.
        let pulls: Vec<Vec<f32>> = (self.means.iter())
            .map(|means| {
                let mean = means.iter().sum::<f32>() / means.len() as f32;
                means.iter().map(|m| self.params.peers as f32 * (m - mean)).collect()
            })
            .collect();
        let pass = Pass {
            network: &self.network,
            params: &self.params,
            rows: self.rows,
            labels: self.labels,
            present,
            pulls: &pulls,
            streams: Streams::new(self.params.seed).child(BLOCKS),
            first_stream,
        };
        let threads = threads::count(self.params.threads);
        let mut items: Vec<(&mut [Block<f32>], &mut Work)> =
            self.blocks.chunks_mut(2).zip(self.work.iter_mut()).collect();
        threads::for_pieces(threads, &mut items, |first, items| {
            for (k, (blocks, work)) in items.iter_mut().enumerate() {
                pass.run(first + k, blocks, work);
            }
        });
        let loss = self.batches.finite(self.work.iter().map(|work| work.loss).sum())?;
        for (k, means) in self.means.iter_mut().enumerate() {
            for (j, mean) in means.iter_mut().enumerate() {
                let sum: f32 = self.work.iter().map(|work| work.sums[k][j]).sum();
                *mean = 0.9 * *mean + 0.1 * sum / self.params.batch as f32;
            }
        }
        self.step(threads);
        self.batches.advance();
        Ok(loss)
    }

    fn parameters(&mut self) -> Vec<&mut [f32]> {
        vec![&mut self.network.parameters, &mut self.network.head]
    }
}

/// A piece of the parameters with the blocks that its derivatives come from: parameters, gradient, both moments.
struct Item<'a> {
    shape: &'a Shape,
    piece: Piece,
    blocks: &'a [Block<f32>],
    slices: [&'a mut [f32]; 4],
}

fn pieces<'a>(shape: &'a Shape, blocks: &'a [Block<f32>], mut slices: [&'a mut [f32]; 4]) -> Vec<Item<'a>> {
    let mut items = Vec::new();
    for piece in shape.pieces() {
        let n = shape.len(piece);
        let slices = slices.each_mut().map(|slice| slice.split_off_mut(..n).unwrap_or_default());
        items.push(Item { shape, piece, blocks, slices });
    }
    items
}

/// Both phases of an update for one block of rows.
struct Pass<'a> {
    network: &'a ForwardForward,
    params: &'a ForwardForwardParams,
    rows: &'a [f32],
    labels: &'a [usize],
    present: &'a [u32],
    pulls: &'a [Vec<f32>],
    streams: Streams,
    first_stream: u64,
}

impl Pass<'_> {
    fn run(&self, k: usize, blocks: &mut [Block<f32>], work: &mut Work) {
        let [data, negative] = blocks else { unreachable!("two blocks") };
        let (net, params) = (self.network, self.params);
        let (n, classes) = (net.n_inputs(), net.n_classes);
        let mut rng = self.streams.fast_stream(self.first_stream.wrapping_add(k as u64));
        let present = &self.present[k * ROWS..][..data.rows()];
        let width = params.width.unwrap_or_else(|| n.isqrt());
        let mut images = vec![0.0; data.rows() * n];
        let mut image = vec![0.0; n];
        for (&row, to) in present.iter().zip(images.chunks_exact_mut(n)) {
            // Moved with the image, what stands in the places of labels would be seen.
            image.copy_from_slice(&self.rows[row as usize * n..][..n]);
            image[..classes].fill(0.0);
            shifted(&image, width, params.jitter, &mut rng, to);
        }
        let scale = 1.0 / params.batch as f64;
        // The classifier reads a pass with a neutral label.
        data.activities[0].copy_from_slice(&images);
        data.activities[0].chunks_exact_mut(n).for_each(|row| {
            write_label(row, classes, None);
            normalise(row);
        });
        let neutral = goodness(&net.shape, &net.parameters, data);
        features(&net.shape, data, &mut work.head.activities[0]);
        work.head.forward(&net.head_shape(), &net.head);
        let Block { activities, deltas, .. } = &mut work.head;
        let outputs = activities[1].chunks_exact_mut(classes).zip(deltas[0].chunks_exact_mut(classes));
        for ((p, delta), &row) in outputs.zip(present) {
            let top = p.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            p.iter_mut().for_each(|x| *x = (*x - top).exp());
            let total: f32 = p.iter().sum();
            p.iter_mut().for_each(|x| *x /= total);
            for (y, (delta, p)) in delta.iter_mut().zip(&*p).enumerate() {
                *delta = scale as f32 * (p - f32::from(u8::from(y == self.labels[row as usize])));
            }
        }
        let supervised = params.negatives.supervised();
        for (c, &row) in present.iter().enumerate() {
            let label = self.labels[row as usize];
            let to = &mut negative.activities[0][c * n..][..n];
            to.copy_from_slice(&images[c * n..][..n]);
            if supervised {
                let p = &work.head.activities[1][c * classes..][..classes];
                let p = (params.negatives == Negatives::PredictedLabel).then_some(p);
                write_label(to, classes, Some(wrong_label(label, p, classes, &mut rng)));
            } else {
                let other = rng.random_range(0..present.len() as u64) as usize;
                let mask = mask(n, width, &mut rng);
                let other = &images[other * n..][..n];
                to.iter_mut().zip(other).zip(mask).for_each(|((x, other), mask)| *x = if mask { *x } else { *other });
            }
        }
        if let Negatives::Generated { steps, size } = params.negatives {
            // The goodness that is climbed is that of rows with the neutral label.
            negative.activities[0].chunks_exact_mut(n).for_each(|row| write_label(row, classes, None));
            climb(&net.shape, &net.parameters, &mut negative.activities[0], steps, size);
        }
        if !supervised {
            negative.activities[0].chunks_exact_mut(n).for_each(|row| write_label(row, classes, None));
        }
        negative.activities[0].chunks_exact_mut(n).for_each(normalise);
        let positive = if supervised {
            data.activities[0].copy_from_slice(&images);
            for (row, &image) in data.activities[0].chunks_exact_mut(n).zip(present) {
                write_label(row, classes, Some(self.labels[image as usize]));
                normalise(row);
            }
            goodness(&net.shape, &net.parameters, data)
        } else {
            // The pass with a neutral label is the data.
            neutral
        };
        for (sums, y) in work.sums.iter_mut().zip(&data.deltas) {
            sums.fill(0.0);
            for row in y.chunks_exact(sums.len()) {
                sums.iter_mut().zip(row).for_each(|(sum, y)| *sum += y);
            }
        }
        let peers = (params.peers > 0.0).then_some(self.pulls);
        work.loss = local_deltas(&net.shape, data, &positive, true, params.threshold, scale, peers);
        let against = goodness(&net.shape, &net.parameters, negative);
        work.loss += local_deltas(&net.shape, negative, &against, false, params.threshold, scale, None);
    }
}

/// An image moved by up to `jitter` pixels both ways; what comes in is 0.
fn shifted<R: Rng + ?Sized>(from: &[f32], width: usize, jitter: usize, rng: &mut R, to: &mut [f32]) {
    if jitter == 0 {
        to.copy_from_slice(from);
        return;
    }
    let range = 2 * jitter as u64 + 1;
    let mut shift = || rng.random_range(0..range) as i64 - jitter as i64;
    let (dx, dy) = (shift(), shift());
    let height = (from.len() / width) as i64;
    to.fill(0.0);
    for (y, line) in to.chunks_exact_mut(width).enumerate() {
        for (x, pixel) in line.iter_mut().enumerate() {
            let (x, y) = (x as i64 - dx, y as i64 - dy);
            if (0..width as i64).contains(&x) && (0..height).contains(&y) {
                *pixel = from[y as usize * width + x as usize];
            }
        }
    }
}

#[cfg(test)]
mod tests;
